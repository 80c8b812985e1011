"""The importance-performance map as a result: table, words, chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, listed
from cxstats.core.result import Chart, Result
from cxstats.priorities.quadrants import (
    Centre,
    Crosshairs,
    covariances,
    crosshairs_table,
    cuts,
    lines_note,
    moved_points,
    on_the_line,
    quadrant_codes,
    quadrant_shares,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.pls.ipma import Ipma

    Array = NDArray[np.float64]

# Martilla & James (1977), in the order of the quadrants: top left, top right, bottom left, right.
QUADRANTS = ("concentrate here", "keep up the good work", "low priority", "possible overkill")
SHARES = ("shapley", "johnson")  # importances that are parts of R², never below 0
STATISTICS = ("", "_ci_low", "_ci_high", "_se")


@dataclass(frozen=True, eq=False, repr=False)
class ImportancePerformance(Result):
    """Importance and performance of items, and the quadrant of each.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per item: ``item, importance, importance_ci_low, importance_ci_high,
        importance_se``, the same of ``performance``, their bootstrap ``covariance``,
        ``quadrant``, ``certainty`` (share of resamples in which the item falls in that quadrant,
        crosshairs computed anew in each) and ``n``.
    importance : str
        "correlation", "regression", "shapley", "johnson", "stated" or "pls".
    outcome : str or None
    crosshairs : str or (x, y)
        The choice; `performance_cut` and `importance_cut` are where they stand.
    performance_cut, importance_cut : float
    centre : pair of float or None
        Centres of the scales of performance and importance, where there are any.
    replicates : array (B, k, 2)
        Performance and importance in every resample.
    per_cent : bool
        Whether performance runs from 0 to 100.
    n, n_dropped : int
        Respondents used; left out because an answer was missing.
    level, n_resamples, n_failed, seed
        The bootstrap. Intervals are percentile ones.
    synthetic : bool
        Whether the respondents are simulated.
    notes : tuple of Text
        What decides, what was left out and what is rough.
    """

    table: pd.DataFrame
    importance: str
    outcome: str | None
    crosshairs: Crosshairs
    performance_cut: float
    importance_cut: float
    centre: Centre
    replicates: Array
    per_cent: bool
    n: int
    n_dropped: int
    level: float
    n_resamples: int
    n_failed: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("map",)
    codes: ClassVar = {"quadrant": "ipa.quadrant.{}"}
    reference: ClassVar = (
        "Martilla & James (1977). Importance-performance analysis. Journal of Marketing 41(1), "
        "77-79."
    )

    @property
    def covariances(self) -> Array:
        """Bootstrap covariances (k, 2, 2) of performance and importance."""
        return covariances(self.replicates)

    def crosshairs_table(self) -> pd.DataFrame:
        """Return the quadrant of each item under each choice of crosshairs.

        One row per item, one column per choice ("scale" where there is one, "given" for a pair of
        numbers), then ``same``: whether all agree. The choice of crosshairs, not the data, often
        decides; an item that moves is no safe ground for a decision.
        """
        axes = ("performance", "importance")
        return crosshairs_table(self.table, axes, self.crosshairs, self.centre, QUADRANTS)

    def quadrant_shares(self) -> pd.DataFrame:
        """Return the share of resamples in which each item falls in each quadrant."""
        import pandas as pd

        index = pd.Index(self.table["item"], name="item")
        x, y = np.moveaxis(self.replicates, -1, 0)
        shares = quadrant_shares(self.crosshairs, x, y, self.centre)
        return pd.DataFrame(shares, index=index, columns=list(QUADRANTS))

    def findings(self, lang: str) -> list[str]:
        """Return every item in words, quadrant by quadrant, and what other crosshairs move."""
        lines = [
            label(
                f"ipa.head.{self.importance}", lang, outcome=self.outcome or "",
                n=format_number(self.n), dropped=format_number(self.n_dropped),
            ),
            label("ipa.cuts", lang, x=format_number(self.performance_cut, self._decimals),
                  y=format_number(self.importance_cut, 3)),
        ]  # fmt: skip
        rows: Any = self.table.sort_values("importance", ascending=False)
        for quadrant in QUADRANTS:
            name = label(f"ipa.quadrant.{quadrant}", lang)
            for row in rows[rows["quadrant"] == quadrant].itertuples():
                share = format_percent(100 * row.certainty, 0, lang)
                lines.append(
                    label(
                        "ipa.row", lang, name=row.item,
                        quadrant=name + label("ipa.certainty", lang, share=share),
                        importance=_with_limits(row, "importance", 3),
                        performance=_with_limits(row, "performance", self._decimals),
                    )
                )  # fmt: skip
        return [*lines, *moved_points(self.crosshairs_table(), lang)]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the map with its crosshairs and ellipses."""
        b, n = format_number(self.n_resamples), format_number(self.n)
        across = "ipa.performance.points" if self.per_cent else "ipa.performance"
        common: dict[str, Any] = {
            "x_cut": self.performance_cut,
            "y_cut": self.importance_cut,
            "x_label": label(across, lang),
            "y_label": label(f"ipa.axis.{self.importance}", lang, outcome=self.outcome or ""),
            "quadrants": "ipa",
            "lowest": (-np.inf, 0.0 if self.importance in SHARES else -np.inf),
            "covariances": self.covariances,
            "certain": self.table["certainty"],
            "note": lines_note(self.crosshairs, True, lang),
            "level": self.level,
            "source": label("sem.bootstrap.source", lang, n=n, b=b, seed=self.seed),
            "synthetic": self.synthetic,
        }
        x = on_the_line(self.table["performance"].to_numpy(float), self.performance_cut)
        y = on_the_line(self.table["importance"].to_numpy(float), self.importance_cut)
        return Chart("quadrant_map", (self.table["item"], x, y), common)

    @property
    def _decimals(self) -> int:
        return 1 if self.per_cent else 2


def _with_limits(row: Any, name: str, decimals: int) -> str:
    low, high = (getattr(row, f"{name}_ci_{side}") for side in ("low", "high"))
    return f"{format_number(getattr(row, name), decimals)} {interval(low, high, decimals)}"


def named(codes: NDArray[np.int64]) -> list[str]:
    """Return the names of quadrants."""
    return [QUADRANTS[code] for code in codes]


def from_ipma(ipma: Ipma, crosshairs: Crosshairs = "means") -> ImportancePerformance:
    """Return the importance-performance map of a PLS model with crosshairs and quadrants.

    Parameters
    ----------
    ipma : Ipma
        Of ``fit.ipma(...)``. Importance is the total effect, performance runs from 0 to 100.
    crosshairs : {"means", "medians", "scale"} or (performance, importance)
        "scale" is 50 for performance; importance, which has no scale, then takes its mean.

    Returns
    -------
    ImportancePerformance
        With the resamples of the map: ellipses, and how certain each quadrant is.

    Examples
    --------
    >>> import cxstats as cx
    >>> responses, _ = cx.load_ecsi_mobile()
    >>> model = "Q =~ PERQ1 + PERQ2 ; I =~ IMAG1 + IMAG2 ; S =~ CUSA1 + CUSA2 ; S ~ Q + I"
    >>> mapped = cx.pls(model, responses).ipma("S", scale=(1, 10), n_resamples=50, seed=1)
    >>> from_ipma(mapped).table[["item", "quadrant"]].to_numpy().tolist()
    [['Q', 'concentrate here'], ['I', 'possible overkill']]
    """
    table = ipma.table.rename(columns={"construct": "item"})
    x, y = (table[name].to_numpy(float) for name in ("performance", "importance"))
    centre = (50.0, None)
    x_cut, y_cut = cuts(crosshairs, x, y, centre)
    codes = quadrant_codes(x, y, x_cut, y_cut)
    drawn_x, drawn_y = np.moveaxis(ipma.replicates, -1, 0)
    shares = quadrant_shares(crosshairs, drawn_x, drawn_y, centre)
    scatter = covariances(ipma.replicates)
    table = table.assign(
        importance_se=np.sqrt(scatter[:, 1, 1]),
        performance_se=np.sqrt(scatter[:, 0, 0]),
        covariance=scatter[:, 0, 1],
        quadrant=named(codes),
        certainty=shares[np.arange(len(codes)), codes],
    )
    columns = [f"{name}{x}" for name in ("importance", "performance") for x in STATISTICS]
    table = table[["item", *columns, "covariance", "quadrant", "certainty", "std_total", "n"]]
    negative = listed(ipma.negative)
    return ImportancePerformance(
        table=table,
        importance="pls",
        outcome=ipma.target,
        crosshairs=crosshairs,
        performance_cut=float(x_cut),
        importance_cut=float(y_cut),
        centre=centre,
        replicates=ipma.replicates,
        per_cent=True,
        n=int(table["n"].iloc[0]),
        n_dropped=0,
        level=ipma.level,
        n_resamples=ipma.n_resamples,
        n_failed=ipma.n_failed,
        seed=ipma.seed,
        synthetic=ipma.synthetic,
        notes=(both("ipa.note.negative_weights", names=negative),) if ipma.negative else (),
    )
