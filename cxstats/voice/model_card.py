"""What a classifier of opinions can do, split by split: its model card.

References
----------
Mitchell et al. (2019). Model cards for model reporting. FAT*, 220-229.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.formats import format_number, interval
from cxstats.core.language import Text, label
from cxstats.core.result import Chart, Result
from cxstats.voice.classification_metrics import classification_metrics
from cxstats.voice.positive_share import ErrorRates

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

ALL = "all"
BY_DOMAIN = ("out_of_domain",)  # splits of which domains together mean nothing


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Probabilities of texts that the classifier was not trained on.

    Attributes
    ----------
    split : str
        How training and test were separated: a code.
    classifier : str
        Which classifier: a code.
    labels, probabilities : arrays (n,)
    domains : array of str (n,)
        What kind of text each is; empty where there is one kind.
    groups : array (n,)
        Texts that stay together.
    """

    split: str
    classifier: str
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    domains: NDArray[np.str_]
    groups: NDArray[np.int64]

    def of(self, domain: str) -> NDArray[np.bool_]:
        """Return which texts are of a domain, or all."""
        return np.ones(len(self.labels), bool) if domain == ALL else self.domains == domain

    @property
    def names(self) -> list[str]:
        """Return the domains that are reported."""
        names = [name for name in np.unique(self.domains) if name]
        if len(names) < 2:
            return [ALL]
        return names if self.split in BY_DOMAIN else [ALL, *names]

    def error_rates(self, domain: str) -> ErrorRates:
        """Return how often texts of a domain are called positive, by their label."""
        inside = self.of(domain)
        positive, negative = inside & (self.labels == 1), inside & (self.labels == 0)
        called = self.probabilities >= 0.5
        return ErrorRates(
            float(called[positive].mean()),
            int(positive.sum()),
            float(called[negative].mean()),
            int(negative.sum()),
        )


@dataclass(frozen=True, eq=False, repr=False)
class ModelCard(Result):
    """How well a classifier of opinions does, by how training and test were separated.

    Attributes
    ----------
    table : pandas.DataFrame
        ``split`` (in_domain, out_of_domain, untrained, copies), ``domain``, ``classifier``,
        ``metric`` (accuracy, f1, auc, brier, ece), ``estimate, ci_low, ci_high, n`` (texts).
        "copies" is the wrong way: a random split of all lines, so that copies of a text stand in
        training and in test.
    level : float
    notes : tuple of Text
    """

    table: pd.DataFrame
    level: float
    notes: tuple[Text, ...]

    codes: ClassVar = {
        "split": "voice.split.{}",
        "domain": "voice.domain.{}",
        "classifier": "voice.classifier.{}",
        "metric": "voice.metric.{}",
    }
    kinds: ClassVar = ("accuracy",)
    reference: ClassVar = (
        "Mitchell et al. (2019). Model cards for model reporting. Proceedings of the Conference on "
        "Fairness, Accountability, and Transparency, 220-229."
    )

    def value(self, split: str, domain: str, classifier: str, metric: str = "accuracy") -> float:
        """Return one number of the table."""
        keys = {"split": split, "domain": domain, "classifier": classifier, "metric": metric}
        rows = np.logical_and.reduce([self.table[name] == key for name, key in keys.items()])
        return float(self.table.loc[rows, "estimate"].iloc[0])

    def findings(self, lang: str) -> list[str]:
        """Return the accuracies."""
        lines = [label("voice.card.head", lang)]
        for _, row in self._accuracies().iterrows():
            line = label(
                "voice.card.line",
                lang,
                name=_row_name(row, lang),
                accuracy=format_number(row["estimate"], 3),
                interval=interval(row["ci_low"], row["ci_high"], 3),
                n=format_number(row["n"]),
            )
            lines.append(line)
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the accuracies with their intervals, against guessing."""
        rows = self._accuracies()
        names = [_row_name(row, lang) for _, row in rows.iterrows()]
        keywords = {
            "source": label("voice.card.source", lang),
            "level": self.level,
            "reference": 0.5,
            "axis": label("voice.card.axis", lang),
            "title": self._title(lang),
        }
        columns = (rows[name].tolist() for name in ("estimate", "ci_low", "ci_high"))
        return Chart("intervals", (names, *columns), keywords)

    def _accuracies(self) -> pd.DataFrame:
        return self.table[self.table["metric"] == "accuracy"]

    def _title(self, lang: str) -> str:
        """Return what is to be expected of texts like those learned, and of others."""
        rows = self._accuracies()
        first = rows.iloc[0]  # of texts like those learned
        outside = rows[(rows["split"] == "out_of_domain") & (rows["classifier"] == "adapted")]
        own = not len(outside)
        low = first["ci_low"] if own else outside["estimate"].min()
        high = first["ci_high"] if own else outside["estimate"].max()
        key = "voice.card.title.own" if own else "voice.card.title.reviews"
        values = {"inside": first["estimate"], "low": low, "high": high}
        return label(key, lang, **{name: format_number(x, 2) for name, x in values.items()})


def model_card(
    evaluations: Sequence[Evaluation], notes: Sequence[Text], level: float = 0.95
) -> ModelCard:
    """Return the card of evaluated classifiers."""
    import pandas as pd

    tables = []
    for evaluation in evaluations:
        for domain in evaluation.names:
            inside = evaluation.of(domain)
            groups = np.unique(evaluation.groups[inside], return_inverse=True)[1]
            metrics = classification_metrics(
                evaluation.labels[inside], evaluation.probabilities[inside], groups, level
            )
            metrics.insert(0, "split", evaluation.split)
            metrics.insert(1, "domain", domain)
            metrics.insert(2, "classifier", evaluation.classifier)
            tables.append(metrics.assign(n=int(inside.sum())))
    return ModelCard(pd.concat(tables, ignore_index=True), level, tuple(notes))


def _row_name(row: pd.Series[Any], lang: str) -> str:
    names = [label(f"voice.{key}.{row[key]}", lang) for key in ("split", "domain", "classifier")]
    return label("voice.card.row", lang, split=names[0], domain=names[1], classifier=names[2])
