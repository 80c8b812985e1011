"""Polychoric correlations: those of normal variables of which only categories are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import is_synthetic
from cxstats.core.formats import format_number
from cxstats.core.language import Text, label
from cxstats.core.result import Chart, Result
from cxstats.models.fitted_model import problem_lines
from cxstats.models.sem.ordinal.categories import read_categories
from cxstats.models.sem.ordinal.moments import PERFECT, OrdinalMoments, ordinal_moments
from cxstats.models.sem.problems import Problem
from cxstats.stats.intervals import normal_quantile
from cxstats.survey.codebook import Codebook
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Polychoric(Result):
    """Polychoric correlations of ordered answers.

    Attributes
    ----------
    corr : pandas.DataFrame
        The correlations.
    table : pandas.DataFrame
        One row per threshold (``item | t1``) and correlation (``item ~~ item``): ``lhs, op, rhs,
        estimate, se``; no standard error of a correlation of 1.
    n, dropped : int
        Complete cases, and cases left out because an answer was missing.
    problems : tuple of Problem
        Rare categories, empty cells, correlations of 1, a matrix that is not positive.
    moments : OrdinalMoments
        The same as arrays, with the tables of all pairs.
    notes : tuple of Text
        What a reader must know.
    """

    corr: pd.DataFrame
    table: pd.DataFrame
    n: int
    dropped: int
    problems: tuple[Problem, ...]
    moments: OrdinalMoments
    synthetic: bool = False
    notes: tuple[Text, ...] = ()

    kinds: ClassVar[tuple[str, ...]] = ("correlations",)
    reference: ClassVar[str] = (
        "Olsson (1979). Maximum likelihood estimation of the polychoric correlation coefficient. "
        "Psychometrika 44, 443-460."
    )

    @property
    def thresholds(self) -> pd.DataFrame:
        """One row per item, columns ``t1, t2, ...``; NaN where an item has fewer."""
        rows = self.table[self.table["op"] == "|"]
        wide = rows.pivot(index="lhs", columns="rhs", values="estimate")
        thresholds: pd.DataFrame = wide.reindex(
            index=self.corr.index, columns=sorted(wide.columns, key=lambda name: int(name[1:]))
        ).rename_axis(index=None, columns=None)
        return thresholds

    def findings(self, lang: str) -> list[str]:
        """Return the sample, the range of the correlations and what is doubtful."""
        head = label(
            "sem.polychoric.head",
            lang,
            p=len(self.corr),
            n=format_number(self.n),
            dropped=format_number(self.dropped),
            **self._range(),
        )
        return [head, *problem_lines(self.problems, lang)]

    def _range(self) -> dict[str, str]:
        limits = float(self.moments.rho.min()), float(self.moments.rho.max())
        return {"low": format_number(limits[0], 2), "high": format_number(limits[1], 2)}

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the correlations with 95 % intervals, the largest first."""
        rows = self.table[self.table["op"] == "~~"].sort_values("estimate", ascending=False)
        names = [f"{lhs} – {rhs}" for lhs, rhs in zip(rows["lhs"], rows["rhs"], strict=True)]
        reach = normal_quantile(0.95) * rows["se"]
        limits = rows["estimate"], rows["estimate"] - reach, rows["estimate"] + reach
        return Chart(
            "intervals",
            (names, *limits),
            {
                "source": label("sem.polychoric.source", lang, n=format_number(self.n)),
                "axis": label("sem.polychoric.axis", lang),
                "level": 0.95,
                "synthetic": self.synthetic,
                "title": label("sem.polychoric.title", lang, **self._range()),
            },
        )


def _columns(book: Codebook, arguments: Mapping[str, Any]) -> Sequence[str]:
    """Return the columns that `polychoric` reads."""
    named: Sequence[str] | None = arguments.get("columns")
    return book.columns() if named is None else named


@by_codebook(_columns)
def polychoric(
    frame: Any, columns: Sequence[str] | None = None, *, codebook: Any = None
) -> Polychoric:
    """Return polychoric correlations of ordered answers (tetrachoric ones of two categories).

    Thresholds are ``Phi^-1`` of the cumulative shares; each correlation maximises
    ``sum n_ab log P_ab(rho)``, P the bivariate normal probabilities of the cells (Olsson 1979).

    Parameters
    ----------
    frame : table
        Respondents in rows; cases with a missing answer are left out and counted. Answers are
        whole numbers; the categories of an item are those that occur.
    columns : sequence of str, optional
        The items; without it, all columns.
    codebook : Codebook, mapping, path or name, optional
        Its items are the columns where none are named. It lends labels, missing codes and
        direction; that its sampling design is left out the notes say.

    Raises
    ------
    DataError, CxError
        If answers are not whole numbers, all the same, or more than twenty different ones.

    References
    ----------
    Olsson (1979). Maximum likelihood estimation of the polychoric correlation coefficient.
    Psychometrika 44, 443-460. Muthen (1984). A general structural equation model with
    dichotomous, ordered categorical, and continuous latent variable indicators. Psychometrika 49,
    115-132.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = [[1, 1]] * 30 + [[1, 2]] * 10 + [[2, 1]] * 12 + [[2, 2]] * 48
    >>> polychoric(pd.DataFrame(answers, columns=["a", "b"])).corr.loc["a", "b"].round(6).item()
    0.759469
    """
    import pandas as pd

    if columns is None and codebook is not None:
        columns = codebook.columns()
    moments = ordinal_moments(read_categories(frame, columns))
    names = list(moments.categories.names)
    return Polychoric(
        pd.DataFrame(moments.corr, names, names),
        pd.concat([threshold_rows(moments), _pair_rows(moments)], ignore_index=True),
        moments.n,
        moments.categories.dropped,
        moments.problems(),
        moments,
        is_synthetic(frame),
    )


def threshold_rows(moments: OrdinalMoments) -> pd.DataFrame:
    """Return thresholds as rows of a table: ``lhs, op, rhs, estimate, se``."""
    import pandas as pd

    item, place = np.nonzero(moments.inner)
    names = moments.categories.names
    return pd.DataFrame(
        {
            "lhs": [names[i] for i in item],
            "op": "|",
            "rhs": [f"t{k + 1}" for k in place],
            "estimate": moments.thresholds,
            "se": np.sqrt(np.diagonal(moments.gamma[0]) / (moments.n - 1)),
        }
    )


def _pair_rows(moments: OrdinalMoments) -> pd.DataFrame:
    import pandas as pd

    first, second = moments.categories.pairs
    names = moments.categories.names
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.diagonal(moments.gamma[1]) / (moments.n - 1))
    return pd.DataFrame(
        {
            "lhs": [names[i] for i in first],
            "op": "~~",
            "rhs": [names[j] for j in second],
            "estimate": moments.rho,
            "se": np.where(np.abs(moments.rho) > PERFECT, np.nan, se),
        }
    )
