"""Weights with their intervals, usable wherever a mapping of component to weight is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, label
from cxstats.core.result import Chart, Result
from cxstats.priorities.drivers.result import REFERENCES as OF_DRIVERS
from cxstats.stats.bootstrap import percentile_limits

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

REFERENCES = {
    "ahp": "Saaty (1980). The analytic hierarchy process. McGraw-Hill.",
    "entropy": "Hwang & Yoon (1981). Multiple attribute decision making. Springer.",
    "critic": (
        "Diakoulaki, Mavrotas & Papayannakis (1995). Determining objective weights in multiple "
        "criteria problems: the CRITIC method. Computers & Operations Research 22(7), 763-770."
    ),
    **OF_DRIVERS,
}


@dataclass(frozen=True, eq=False, repr=False)
class Weights(Result, Mapping[str, float]):
    """Weights of components: a mapping of name to weight that also carries its uncertainty.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per component (the index): ``estimate, weight`` (the same numbers), ``ci_low,
        ci_high, se, n, method``, then what the method adds. Weights are not negative and sum to
        1. Intervals are NaN where nothing was sampled.
    method : str
        "points", "ahp", "entropy", "critic", "regression", "pls", "shapley" or "johnson".
    basis : Text
        What the weights are made of, such as outer weights of a construct.
    n : int
        Respondents, units or judges behind them.
    level, n_resamples, seed
        The bootstrap behind the intervals; ``n_resamples`` is 0 without one.
    synthetic : bool
        Whether the data were simulated.
    notes : tuple of Text
        What was left out, what is rough.
    """

    table: pd.DataFrame
    method: str
    basis: Text
    n: int
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("weights",)
    codes: ClassVar = {"method": "weighting.method.{}", "direction": "weighting.direction.{}"}

    def __getitem__(self, name: str) -> float:
        return self.as_dict()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.table)

    def as_dict(self) -> dict[str, float]:
        """Return component to weight, as `cxstats.weighted_score` takes it."""
        return {str(name): float(weight) for name, weight in self.table["weight"].items()}

    def findings(self, lang: str) -> list[str]:
        """Return the weights, the largest first."""
        lines = [label("weighting.head", lang, method=self._method(lang), n=self.n)]
        if self.n_resamples:
            lines.append(
                label(
                    "weighting.bootstrap", lang, b=format_number(self.n_resamples), seed=self.seed,
                    level=format_percent(100 * self.level, None, lang),
                )
            )  # fmt: skip
        for name, row in self._by_size().iterrows():
            weight = format_percent(100 * row["weight"], 1, lang)
            limits = interval(100 * row["ci_low"], 100 * row["ci_high"], 1)
            value = weight if limits == "–" else f"{weight} {limits}"
            lines.append(label("weighting.row", lang, name=name, value=value))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the weights with their intervals, against the equal weight."""
        rows = self._by_size()
        largest = str(rows.index[0])
        common: dict[str, Any] = {
            "source": label("weighting.source", lang, method=self._method(lang), n=self.n),
            "axis": label("weighting.axis", lang),
            "title": label(
                "weighting.title", lang, name=largest,
                weight=format_percent(100 * self[largest], 0, lang),
                equal=format_percent(100 / len(self), 0, lang),
            ),
            "reference": round(100 / len(self), 1),
            "decimals": 1,
            "level": self.level,
            "synthetic": self.synthetic,
        }  # fmt: skip
        columns = (100 * rows[name] for name in ("weight", "ci_low", "ci_high"))
        return Chart("intervals", (list(map(str, rows.index)), *columns), common)

    def cite(self, lang: str | None = None) -> str:
        """Return where the method was published, and how to cite the package."""
        return "\n".join(filter(None, (REFERENCES.get(self.method), super().cite(lang))))

    def _method(self, lang: str) -> str:
        return label(f"weighting.method.{self.method}", lang)

    def _by_size(self) -> pd.DataFrame:
        return self.table.sort_values("weight", ascending=False, kind="stable")


def weight_table(
    names: Sequence[str],
    weight: Array,
    method: str,
    n: int,
    limits: tuple[Array, Array] | None = None,
    replicates: Array | None = None,
    **more: Any,
) -> pd.DataFrame:
    """Return the table of a `Weights`, one row per component."""
    import pandas as pd

    empty = np.full(len(names), np.nan)
    low, high = (empty, empty) if limits is None else limits
    sampled = replicates is not None and len(replicates) > 1
    se = np.std(replicates, axis=0, ddof=1) if sampled and replicates is not None else empty
    columns = {"estimate": weight, "weight": weight, "ci_low": low, "ci_high": high, "se": se}
    table = pd.DataFrame(columns | {"n": n, "method": method} | more, index=list(names))
    return table.rename_axis("component")


def closed(amounts: Array) -> Array:
    """Scale the last axis to sum to 1.

    Examples
    --------
    >>> closed(np.array([1.0, 3.0])).tolist()
    [0.25, 0.75]
    """
    return np.asarray(amounts / amounts.sum(axis=-1, keepdims=True), float)


def percentiles(replicates: Array, level: float) -> tuple[Array, Array]:
    """Return percentile intervals of the columns of replicates (B, k); NaN without replicates."""
    if len(replicates) < 2:
        empty = np.full(replicates.shape[1], np.nan)
        return empty, empty
    low, high = percentile_limits(replicates, level)
    return low, high


def check_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise if the value of an option is not one of those allowed.

    Examples
    --------
    >>> check_choice("mean", "median", ["arithmetic", "geometric"])
    Traceback (most recent call last):
    cxstats.core.errors.CxError: mean is 'median'; allowed: arithmetic, geometric
    """
    if value not in allowed:
        raise CxError(f"{name} is {value!r}; allowed: {', '.join(allowed)}")
