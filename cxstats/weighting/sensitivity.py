"""How much weights matter: for a ranking of units, which weights would turn it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import as_html
from cxstats.core.moments import check_resamples
from cxstats.stats.intervals import check_level
from cxstats.stats.weights import check_weights
from cxstats.survey.answers import as_pandas, numbers
from cxstats.weighting.rankings import pair_tables, ranking, unit_table
from cxstats.weighting.result import Weights, check_choice
from cxstats.weighting.uncertainty import (
    accept,
    concentration_of,
    draw_weights,
    rescaled,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CHANGE = 0.10  # how far the tornado moves a weight that has no interval
MOST_UNITS = 500  # pairs grow with the square
MOST_NUMBERS = 50_000_000  # scores of all draws that are held at once
KINDS = ("ranks", "tornado", "simplex")


@dataclass(frozen=True, eq=False)
class WeightSensitivity:
    """What a ranking owes to its weights.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per unit, the best first: ``score, rank``; over draws around the given weights
        ``score_ci_low, score_ci_high, expected_rank, rank_low, rank_high, first`` (share of draws
        in which it is first; NaN without a concentration); with all weights equally likely
        ``first_any, expected_rank_any``; ``dominated_by`` (how many units are at least as good on
        every criterion and better on one) and ``moved`` (the least weight that has to move before
        it ties with any other unit, from 0 to 1).
    swaps : pandas.DataFrame
        One row per pair of units: ``higher, lower, neighbours, lead``; the ``criterion`` whose
        single change is smallest, with its ``weight, weight_at_swap, change, relative``;
        ``criterion_relative`` and ``smallest_relative``, the same in proportion to the weight;
        ``moved`` (least weight that has to move, any weights changing) and ``distance`` (shortest
        Euclidean change); ``dominated`` (no weights can swap them; then no changes are given);
        ``reversed`` and ``reversed_any``, the share of draws in which the lower one is above.
    changes : pandas.DataFrame
        One row per pair and criterion: ``higher, lower, criterion, weight, weight_at_swap,
        change, relative``; NaN where no value of this weight swaps the pair.
    acceptability : pandas.DataFrame
        One row per unit and rank: ``unit, rank, share, share_any``.
    ranges : pandas.DataFrame
        Low and high value of each weight, for the tornado.
    scores : pandas.DataFrame
        Units by criteria, as given.
    weights : dict of str to float
        Scaled to sum to 1.
    concentration : float
        Of the Dirichlet distribution around the weights; NaN where nothing was said.
    draws : array (n_draws, k)
        Weights drawn around the given ones, or, without a concentration, with all equally likely.
    level, n_draws, seed, synthetic, notes
    """

    table: pd.DataFrame
    swaps: pd.DataFrame
    changes: pd.DataFrame
    acceptability: pd.DataFrame
    ranges: pd.DataFrame
    scores: pd.DataFrame
    weights: dict[str, float]
    concentration: float
    draws: Array
    level: float
    n_draws: int
    seed: int
    synthetic: bool
    notes: tuple[str, ...]

    def tornado(self, unit: str) -> pd.DataFrame:
        """Return the score and rank of a unit as each weight goes from low to high.

        One row per criterion, the largest swing first: ``criterion, weight, low, high, score_low,
        score_high, base, swing, rank_low, rank_high``; the others are rescaled in proportion.
        """
        import pandas as pd

        i = self._place(unit)
        values, weights = self.scores.to_numpy(float), np.array(list(self.weights.values()))
        rows = []
        for k, name in enumerate(self.weights):
            ends = self.ranges.loc[name, ["low", "high"]].to_numpy(float)
            totals = np.array([values @ rescaled(weights, k, float(end)) for end in ends])
            ranks = [int(1 + (~_tied(one, one[i]) & (one > one[i])).sum()) for one in totals]
            rows.append((name, weights[k], *ends, *totals[:, i], values[i] @ weights, *ranks))
        heads = ["criterion", "weight", "low", "high", "score_low", "score_high", "base",
                 "rank_low", "rank_high"]  # fmt: skip
        table = pd.DataFrame(rows, columns=heads)
        table["swing"] = (table["score_high"] - table["score_low"]).abs()
        return table.sort_values("swing", ascending=False, kind="stable").reset_index(drop=True)

    def simplex(self, steps: int = 50) -> pd.DataFrame:
        """Return which unit wins on a grid of all weights of three criteria.

        One row per point of the grid: the three weights, ``winner`` and its ``lead``.
        """
        import pandas as pd

        if len(self.weights) != 3:
            raise CxError(f"{len(self.weights)} criteria; a triangle of weights shows exactly 3")
        if not isinstance(steps, int) or steps < 1:
            raise CxError(f"steps is {steps!r}; allowed: whole numbers from 1 upwards")
        i, j = (a.ravel() for a in np.mgrid[: steps + 1, : steps + 1])
        kept = i + j <= steps
        grid = np.column_stack([i[kept], j[kept], steps - i[kept] - j[kept]]) / steps
        totals = np.sort(grid @ self.scores.to_numpy(float).T, axis=1)
        winner = (grid @ self.scores.to_numpy(float).T).argmax(axis=1)
        table = pd.DataFrame(grid, columns=list(self.weights))
        return table.assign(
            winner=self.scores.index[winner],
            lead=totals[:, -1] - totals[:, -2],
        )

    def summary(self, lang: str = "en") -> str:
        """Return the ranking and what would turn it, in words."""
        from cxstats.weighting.sensitivity_summary import summary

        return summary(self, lang)

    def plot(
        self, kind: str = "ranks", ax: Axes | None = None, lang: str = "en", **options: Any
    ) -> Axes:
        """Draw the result.

        Parameters
        ----------
        kind : {"ranks", "tornado", "simplex"}
            Expected ranks with intervals; the score of one unit (``unit=``, by default the best)
            as each weight changes; or who wins where, for three criteria.
        ax, lang, **options
            Passed to the chart.
        """
        from cxstats.weighting.sensitivity_summary import draw

        check_choice("kind", kind, KINDS)
        return draw(self, kind, ax, lang, options)

    def _place(self, unit: str) -> int:
        if unit not in self.scores.index:
            raise CxError(f"no unit {unit!r}; there are: {', '.join(map(str, self.scores.index))}")
        return list(self.scores.index).index(unit)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


def weight_sensitivity(
    scores: Any,
    weights: Mapping[str, float] | Sequence[float],
    *,
    units: str | None = None,
    concentration: float | None = None,
    change: float | None = None,
    level: float = 0.95,
    n_draws: int = 10_000,
    seed: int = 1,
) -> WeightSensitivity:
    """Rank units by ``S_i = sum_k w_k x_ik`` and find the weights that would turn the ranking.

    Parameters
    ----------
    scores : table, or array (units, k)
        One row per unit (branch, channel, competitor), one column per criterion, all on one
        scale on which high is good. The index names the units.
    weights : mapping of criterion to weight, or k numbers
        Not negative, summing to 1 or to 100; a `Weights` will do, and brings its uncertainty.
    units : str, optional
        A column that names the units, for tables that have no index.
    concentration : float, optional
        Of a Dirichlet distribution centred at the weights: a weight w has the standard deviation
        ``sqrt(w (1 - w) / (c + 1))``. Without it, from the standard errors that `weights` bring;
        if they bring none, nothing is assumed, and only "all weights equally likely" is reported.
    change : float, optional
        How far the tornado moves each weight, in both directions, from 0 to 1. Without it, to the
        ends of the weights' intervals, or by .10 where there are none.
    level : float
        Of the intervals over draws.
    n_draws, seed
        Draws of weights.

    Returns
    -------
    WeightSensitivity

    Raises
    ------
    CxError
        If weights are negative, do not sum to 1, are missing for a criterion or name an unknown
        one, or an option is wrong.
    DataError
        If a score is missing or not a number, or a unit is named twice.

    Notes
    -----
    Only weights vary; scores are taken as they are, though those of a survey have errors of their
    own. Shares of draws are good to ``sqrt(p (1 - p) / n_draws)``, half a point at 10,000.

    References
    ----------
    Triantaphyllou & Sanchez (1997). A sensitivity analysis approach for some deterministic
    multi-criteria decision making methods. Decision Sciences 28(1), 151-194.
    Lahdelma, Hokkanen & Salminen (1998). SMAA. European J. of Operational Research 106, 137-143.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"speed": [8, 6, 5], "staff": [5, 8, 5]}, index=["A", "B", "C"])
    >>> found = weight_sensitivity(scores, {"speed": 0.7, "staff": 0.3}, concentration=30)
    >>> found.table["score"].round(2).to_dict()
    {'A': 7.1, 'B': 6.6, 'C': 5.0}
    >>> float(found.swaps["weight_at_swap"][0]).__round__(3)
    0.6
    """
    import pandas as pd

    check_level(level)
    _check_options(concentration, change, n_draws, seed)
    frame, share, synthetic = _read(scores, weights, units)
    if n_draws * len(frame) > MOST_NUMBERS:
        raise CxError(
            f"{n_draws} draws of {len(frame)} units; allowed: {MOST_NUMBERS // len(frame)} draws"
        )
    names, w = list(frame.columns), np.array(list(share.values()))
    x = frame.to_numpy(float)
    ranked = frame.iloc[ranking(x @ w, x.sum(axis=1))]
    x = ranked.to_numpy(float)
    notes: list[str] = []
    c = concentration if concentration is not None else _concentration(weights, names, w, notes)
    everywhere = draw_weights(np.full(len(w), 1 / len(w)), len(w), n_draws, seed)
    drawn = everywhere if c is None else draw_weights(w, c, n_draws, seed)
    wide = accept(x, everywhere, level)
    near = None if c is None else accept(x, drawn, level)
    pairs, changes = pair_tables(ranked, w, near, wide)
    acceptability = pd.DataFrame(
        {
            "unit": np.repeat(ranked.index, len(frame)),
            "rank": np.tile(np.arange(1, len(frame) + 1), len(frame)),
            "share": np.nan if near is None else near.ranks.ravel(),
            "share_any": wide.ranks.ravel(),
        }
    )
    return WeightSensitivity(
        table=unit_table(ranked, w, near, wide, pairs),
        swaps=pairs,
        changes=changes,
        acceptability=acceptability,
        ranges=_ranges(weights, names, w, change),
        scores=frame,
        weights=share,
        concentration=float("nan") if c is None else float(c),
        draws=drawn,
        level=level,
        n_draws=n_draws,
        seed=seed,
        synthetic=synthetic,
        notes=tuple(notes),
    )


def _check_options(
    concentration: float | None, change: float | None, n_draws: int, seed: int
) -> None:
    check_resamples(1, seed)
    if not isinstance(n_draws, int) or n_draws < 1:
        raise CxError(f"n_draws is {n_draws!r}; allowed: whole numbers from 1 upwards")
    if concentration is not None and not (
        isinstance(concentration, Real) and 0.1 <= concentration < np.inf
    ):
        raise CxError(f"concentration is {concentration!r}; allowed: 0.1 upwards")
    if change is not None and not (isinstance(change, Real) and 0 < change <= 1):
        raise CxError(f"change is {change!r}; allowed: above 0, at most 1")


def _read(
    scores: Any, weights: Mapping[str, float] | Sequence[float], units: str | None
) -> tuple[pd.DataFrame, dict[str, float], bool]:
    """Return scores (units by criteria) and weights in the same order."""
    import pandas as pd

    if isinstance(scores, np.ndarray | list | tuple):
        x = np.asarray(scores)
        if x.ndim != 2:
            raise DataError(f"scores of shape {x.shape}; allowed: (units, criteria)")
        heads = list(weights) if isinstance(weights, Mapping) else [
            f"x{k + 1}" for k in range(x.shape[1])]  # fmt: skip
        if len(heads) != x.shape[1]:
            raise CxError(f"{len(heads)} weights for {x.shape[1]} criteria")
        scores = pd.DataFrame(x, columns=heads, index=[f"unit {i + 1}" for i in range(len(x))])
    frame = as_pandas(scores)
    if units is not None:
        if units not in frame.columns:
            raise DataError(f"column {units!r} is not in the table; columns: "
                            f"{', '.join(map(str, frame.columns))}")  # fmt: skip
        attrs, frame = frame.attrs, frame.set_index(units)
        frame.attrs = attrs
    names = list(map(str, frame.columns))
    if hasattr(weights, "to_dict"):  # a pandas Series
        weights = weights.to_dict()
    if not isinstance(weights, Mapping):
        if len(weights) != len(names):
            raise CxError(f"{len(weights)} weights for {len(names)} criteria")
        weights = dict(zip(names, map(float, weights), strict=True))
    share = check_weights(weights, names)
    if len(frame) < 2 or len(names) < 2:
        raise DataError(f"{len(frame)} units and {len(names)} criteria; at least 2 of each")
    if len(frame) > MOST_UNITS:
        raise DataError(
            f"{len(frame)} units; allowed: at most {MOST_UNITS}, for every pair of them"
        )
    twice = frame.index[frame.index.duplicated()]
    if len(twice):
        raise DataError(f"unit {twice[0]!r} stands twice in the table")
    values = np.column_stack([numbers(frame, name) for name in frame.columns])
    missing = np.argwhere(np.isnan(values))
    if len(missing):
        i, k = missing[0]
        raise DataError(
            f"row {frame.index[i]!r}, column {names[k]!r}: no score; every unit needs every "
            f"criterion ({len(missing)} missing)"
        )
    table = pd.DataFrame(values, index=frame.index.map(str), columns=names)
    return table, {name: share[name] for name in names}, bool(frame.attrs.get("synthetic"))


def _concentration(given: object, names: list[str], w: Array, notes: list[str]) -> float | None:
    """Return the concentration that the weights' standard errors amount to."""
    if isinstance(given, Weights):
        se = given.table.loc[names, "se"].to_numpy(float)
        if np.isfinite(se).all() and (se > 0).any():
            found = concentration_of(w, se)
            if found >= 0.1:
                notes.append(f"concentration {found:.1f} from the standard errors of the weights")
                return found
            notes.append("the standard errors of the weights are too large for a concentration")
            return None
    notes.append("no concentration and no intervals of weights: only all weights equally likely")
    return None


def _ranges(given: object, names: list[str], w: Array, change: float | None) -> pd.DataFrame:
    """Return low and high values of each weight."""
    import pandas as pd

    by = CHANGE if change is None else change
    low, high = w - by, w + by
    if isinstance(given, Weights) and change is None:
        ends = given.table.loc[names, ["ci_low", "ci_high"]].to_numpy(float).T
        low, high = np.where(np.isfinite(ends), ends, [low, high])
    ends = np.clip([low, high], 0, 1)
    return pd.DataFrame({"weight": w, "low": ends[0], "high": ends[1]}, index=names)


def _tied(totals: Array, value: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(totals - value) <= 1e-12 * np.abs(totals).max())
