"""How much weights matter: for a ranking of units, which weights would turn it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import Text, both, label
from cxstats.core.messages import no_column, row_name
from cxstats.core.moments import check_resamples
from cxstats.core.result import Chart, Result
from cxstats.stats.intervals import check_level
from cxstats.stats.weights import check_weights
from cxstats.survey.answers import numbers
from cxstats.survey.coding import by_codebook
from cxstats.weighting.rankings import pair_tables, ranking, unit_table
from cxstats.weighting.result import Weights
from cxstats.weighting.uncertainty import (
    accept,
    concentration_of,
    draw_weights,
    rescaled,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CHANGE = 0.10  # how far the tornado moves a weight that has no interval
LEAST_CONCENTRATION = 0.1  # of a Dirichlet distribution; below, nearly all weight is on one
MOST_UNITS = 500  # pairs grow with the square
MOST_NUMBERS = 50_000_000  # scores of all draws that are held at once
MOST_POINTS = 1_000  # of drawn weights in the triangle


@dataclass(frozen=True, eq=False, repr=False)
class WeightSensitivity(Result):
    """What a ranking owes to its weights.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per unit, the best first: ``score, rank``; over draws around the given weights
        ``score_ci_low, score_ci_high, expected_rank, rank_low, rank_high, first_share`` (share of
        draws in which it is first; NaN without a concentration); with all weights equally likely
        ``first_share_any, expected_rank_any``; ``dominated_by`` (how many units are at least as
        good on every criterion and better on one) and ``moved`` (the least weight that has to move
        before it ties with any other unit, from 0 to 1).
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
        As everywhere.
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
    notes: tuple[Text, ...]

    reference: ClassVar = (
        "Triantaphyllou & Sanchez (1997). A sensitivity analysis approach for some deterministic "
        "multi-criteria decision making methods. Decision Sciences 28(1), 151-194."
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """Expected ranks, the tornado of one unit and, of three criteria, the triangle."""
        return ("ranks", "tornado") + (("simplex",) if not self.why_not("simplex") else ())

    def why_not(self, kind: str) -> str:
        """Return why there is no triangle of weights, where there is none."""
        k = len(self.weights)
        if kind != "simplex" or k == 3:
            return ""
        return f"{k} criteria; a triangle of weights shows exactly 3"

    def tornado(self, unit: str) -> pd.DataFrame:
        """Return the score and rank of a unit as each weight goes from low to high.

        One row per criterion, the largest swing first: ``criterion, weight, low, high, score_low,
        score_high, base, swing, rank_low, rank_high``; the others are rescaled in proportion.
        """
        import pandas as pd

        if unit not in self.scores.index:
            names = ", ".join(map(str, self.scores.index))
            raise CxError(f"no unit {unit!r}; there are: {names}")
        i = list(self.scores.index).index(unit)
        values, weights = self.scores.to_numpy(float), np.array(list(self.weights.values()))
        rows = []
        for k, name in enumerate(self.weights):
            ends = self.ranges.loc[name, ["low", "high"]].to_numpy(float)
            totals = np.array([values @ rescaled(weights, k, float(end)) for end in ends])
            ranks = [_rank(scores, i) for scores in totals]
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

        if reason := self.why_not("simplex"):
            raise CxError(reason)
        if not isinstance(steps, int) or steps < 1:
            raise CxError(f"steps is {steps!r}; allowed: whole numbers from 1 upwards")
        i, j = (a.ravel() for a in np.mgrid[: steps + 1, : steps + 1])
        inside = i + j <= steps
        grid = np.column_stack([i[inside], j[inside], steps - i[inside] - j[inside]]) / steps
        scores = grid @ self.scores.to_numpy(float).T
        totals = np.sort(scores, axis=1)
        return pd.DataFrame(grid, columns=list(self.weights)).assign(
            winner=self.scores.index[scores.argmax(axis=1)],
            lead=totals[:, -1] - totals[:, -2],
        )

    @property
    def _drawn_around(self) -> bool:
        """Whether weights were drawn around those that are used."""
        return bool(np.isfinite(self.concentration))

    def findings(self, lang: str) -> list[str]:
        """Return the ranking and what would turn it."""
        table, top = self.table, self.swaps.iloc[0]
        first, second = (str(name) for name in table.index[:2])
        digits = _digits(table["score"].to_numpy(float))
        lines = [
            label(
                "weighting.sensitivity.head", lang, u=len(table), k=len(self.weights), first=first,
                score=format_number(table["score"].iloc[0], digits), second=second,
                lead=format_number(top["lead"], digits),
            ),
            _swap(top, first, second, lang),
        ]  # fmt: skip
        if self._drawn_around:
            c = self.concentration
            lines.append(
                label(
                    "weighting.sensitivity.near", lang, first=first, b=format_number(self.n_draws),
                    share=_share(table["first_share"].iloc[0], lang), seed=self.seed,
                    c=format_number(c, 0 if c >= 10 else 1),
                )
            )  # fmt: skip
        lines.append(
            label(
                "weighting.sensitivity.any", lang, first=first,
                share=_share(table["first_share_any"].iloc[0], lang),
                n=int(self.swaps["dominated"].sum()), pairs=len(self.swaps),
            )
        )  # fmt: skip
        for name, row in table.iterrows():
            score, rank = format_number(row["score"], digits), f"{row['rank']:.0f}"
            line = label("weighting.sensitivity.row", lang, rank=rank, name=name, score=score)
            if np.isfinite(row["rank_low"]):
                low, high = int(row["rank_low"]), int(row["rank_high"])
                line += label("weighting.sensitivity.ranks", lang, low=low, high=high)
            lines.append(line)
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return expected ranks, the tornado of a unit, or who wins with which weights.

        Option ``unit`` of "tornado": which one; without it, the best.
        """
        charts = {"ranks": self._ranks, "tornado": self._tornado, "simplex": self._simplex}
        source = label("weighting.sensitivity.source", lang, u=len(self.scores))
        return charts[kind]({"source": source, "synthetic": self.synthetic}, lang, options)

    def _simplex(self, common: dict[str, Any], lang: str, options: Mapping[str, Any]) -> Chart:
        common |= {
            "units": list(self.table.index),
            "criteria": list(self.weights),
            "draws": self.draws[:MOST_POINTS] if self._drawn_around else None,
        }
        scores = self.scores.loc[self.table.index].to_numpy(float)
        weights = np.array(list(self.weights.values()))
        return Chart("weight_simplex", (scores, weights / weights.sum()), common)

    def _tornado(self, common: dict[str, Any], lang: str, options: Mapping[str, Any]) -> Chart:
        unit = options.get("unit", self.table.index[0])
        rows: Any = self.tornado(unit)
        names = [
            label(
                "weighting.sensitivity.range", lang, name=row.criterion,
                low=format_percent(100 * row.low, 0, lang),
                high=format_percent(100 * row.high, 0, lang),
            )
            for row in rows.itertuples()
        ]  # fmt: skip
        ends = rows[["score_low", "score_high"]].to_numpy(float)
        common |= {
            "axis": label("weighting.sensitivity.score", lang, unit=unit),
            # Three digits, and as many more as it takes to tell the ends of the widest bar apart.
            "decimals": max(_digits(ends), _digits(rows["swing"].to_numpy(float)) - 1),
        }
        values = (names, rows["score_low"], rows["score_high"], float(rows["base"].iloc[0]))
        return Chart("tornado", values, common, ("unit",))

    def _ranks(self, common: dict[str, Any], lang: str, options: Mapping[str, Any]) -> Chart:
        kind, suffix = ("near", "") if self._drawn_around else ("any", "_any")
        rows = self.table.sort_values(f"expected_rank{suffix}", kind="stable")
        if self._drawn_around:
            low, high = (rows[f"rank_{side}"].to_numpy(float) for side in ("low", "high"))
        else:
            low, high = self._any_ranks(rows.index)
        share = _share(self.table[f"first_share{suffix}"].iloc[0], lang)
        common |= {
            "axis": label(f"weighting.sensitivity.axis.{kind}", lang),
            "title": label(
                f"weighting.sensitivity.title.{kind}", lang, name=self.table.index[0], share=share
            ),
            "reference": 1.0,
            "decimals": 1,
            "level": self.level,
        }
        names = list(map(str, rows.index))
        return Chart("intervals", (names, rows[f"expected_rank{suffix}"], low, high), common)

    def _any_ranks(self, units: pd.Index[Any]) -> tuple[Array, Array]:
        """Return the interval of the rank of units with all weights equally likely."""
        shares = self.acceptability.pivot(index="unit", columns="rank", values="share_any")
        cumulative = shares.loc[units].cumsum(axis=1).to_numpy()
        low, high = (
            (cumulative < tail - 1e-12).sum(axis=1) + 1.0
            for tail in ((1 - self.level) / 2, (1 + self.level) / 2)
        )
        return low, high


def _rank(scores: Array, i: int) -> int:
    """Return the rank of the i-th score; scores that differ by rounding tie."""
    ties = np.abs(scores - scores[i]) <= 1e-12 * np.abs(scores).max()
    return int(1 + (~ties & (scores > scores[i])).sum())


def _digits(scores: Array) -> int:
    """Return decimals that show three digits: 7.10, 71.0, 0.316."""
    size = float(np.abs(scores).max())
    return min(max(2 - floor(log10(size)), 0), 6) if size > 0 else 0


def _swap(row: pd.Series, first: str, second: str, lang: str) -> str:
    """Return what would make the first two tie."""
    names = {"first": first, "second": second}
    if row["dominated"]:
        return label("weighting.sensitivity.dominated", lang, **names)
    if row["lead"] == 0:
        return label("weighting.sensitivity.tie", lang, **names)
    moved = format_number(100 * row["moved"], 1)
    if not isinstance(row["criterion"], str):
        return label("weighting.sensitivity.several", lang, **names, moved=moved)
    return label(
        "weighting.sensitivity.swap", lang, **names, moved=moved, criterion=row["criterion"],
        before=_share(row["weight"], lang), after=_share(row["weight_at_swap"], lang),
    )  # fmt: skip


def _share(value: float, lang: str) -> str:
    return format_percent(100 * value, 1, lang)


@by_codebook()
def weight_sensitivity(  # noqa: PLR0913  (keywords of a public function)
    scores: Any,
    weights: Mapping[str, float] | Sequence[float],
    *,
    units: str | None = None,
    concentration: float | None = None,
    change: float | None = None,
    level: float = 0.95,
    n_draws: int = 10_000,
    seed: int = 1,
    codebook: Any = None,
) -> WeightSensitivity:
    """Rank units by ``S_i = sum_k w_k x_ik`` and compute the weights that would turn the ranking.

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
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes and direction; that its sampling design is left out the notes
        say.

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
    >>> result = weight_sensitivity(scores, {"speed": 0.7, "staff": 0.3}, concentration=30)
    >>> result.table["score"].round(2).to_dict()
    {'A': 7.1, 'B': 6.6, 'C': 5.0}
    >>> float(result.swaps["weight_at_swap"][0]).__round__(3)
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
    notes: tuple[Text, ...] = ()
    if concentration is None:
        concentration, note = _concentration(weights, names, w)
        notes = (note,)
    everywhere = draw_weights(np.full(len(w), 1 / len(w)), len(w), n_draws, seed)
    drawn, near = everywhere, None
    if concentration is not None:
        drawn = draw_weights(w, concentration, n_draws, seed)
        near = accept(x, drawn, level)
    wide = accept(x, everywhere, level)
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
        concentration=float("nan") if concentration is None else float(concentration),
        draws=drawn,
        level=level,
        n_draws=n_draws,
        seed=seed,
        synthetic=synthetic,
        notes=notes,
    )


def _check_options(
    concentration: float | None, change: float | None, n_draws: int, seed: int
) -> None:
    check_resamples(1, seed)
    if not isinstance(n_draws, int) or n_draws < 1:
        raise CxError(f"n_draws is {n_draws!r}; allowed: whole numbers from 1 upwards")
    if concentration is not None and not (
        isinstance(concentration, Real) and LEAST_CONCENTRATION <= concentration < np.inf
    ):
        raise CxError(f"concentration is {concentration!r}; allowed: 0.1 upwards")
    if change is not None and not (isinstance(change, Real) and 0 < change <= 1):
        raise CxError(f"change is {change!r}; allowed: above 0, at most 1")


def _read(
    scores: Any, weights: Mapping[str, float] | Sequence[float], units: str | None
) -> tuple[pd.DataFrame, dict[str, float], bool]:
    """Return scores (units by criteria) and weights in the same order."""
    import pandas as pd

    frame = as_pandas(_labelled(scores, weights))
    synthetic = bool(frame.attrs.get("synthetic"))
    if units is not None:
        if units not in frame.columns:
            raise DataError(no_column(units, frame.columns))
        frame = frame.set_index(units)
    names = list(map(str, frame.columns))
    share = check_weights(_named_weights(weights, names), names)
    _check_size(frame)
    values = np.column_stack([numbers(frame, name) for name in frame.columns])
    missing = np.argwhere(np.isnan(values))
    if len(missing):
        i, k = missing[0]
        raise DataError(
            f"{row_name(frame.index, i)}, column {names[k]!r}: no score; every unit needs every "
            f"criterion ({len(missing)} missing)"
        )
    table = pd.DataFrame(values, index=frame.index.map(str), columns=names)
    return table, {name: share[name] for name in names}, synthetic


def _labelled(scores: Any, weights: Mapping[str, float] | Sequence[float]) -> Any:
    """Return a table; an array gets its criteria from the weights, and units by number."""
    import pandas as pd

    if not isinstance(scores, np.ndarray | list | tuple):
        return scores
    x = np.asarray(scores)
    if x.ndim != 2:
        raise DataError(f"scores of shape {x.shape}; allowed: (units, criteria)")
    n, k = x.shape
    names = list(weights) if isinstance(weights, Mapping) else [f"x{i + 1}" for i in range(k)]
    if len(names) != k:
        raise CxError(f"{len(names)} weights for {k} criteria")
    return pd.DataFrame(x, columns=names, index=[f"unit {i + 1}" for i in range(n)])


def _named_weights(
    weights: Mapping[str, float] | Sequence[float], names: list[str]
) -> Mapping[str, float]:
    if hasattr(weights, "to_dict"):  # a pandas Series
        weights = weights.to_dict()
    if isinstance(weights, Mapping):
        return weights
    if len(weights) != len(names):
        raise CxError(f"{len(weights)} weights for {len(names)} criteria")
    return dict(zip(names, map(float, weights), strict=True))


def _check_size(frame: pd.DataFrame) -> None:
    """Raise if units or criteria are too few or too many, or a unit is named twice."""
    n, k = frame.shape
    if n < 2 or k < 2:
        raise DataError(f"{n} units and {k} criteria; at least 2 of each")
    if n > MOST_UNITS:
        raise DataError(f"{n} units; allowed: at most {MOST_UNITS}, for every pair of them")
    twice = frame.index[frame.index.duplicated()]
    if len(twice):
        raise DataError(f"unit {twice[0]!r} stands twice in the table")


def _concentration(weights: object, names: list[str], w: Array) -> tuple[float | None, Text]:
    """Return the concentration that the weights' standard errors amount to, and a note on it."""
    if not isinstance(weights, Weights):
        return None, both("weighting.note.no_concentration")
    se = weights.table.loc[names, "se"].to_numpy(float)
    if not (np.isfinite(se).all() and (se > 0).any()):
        return None, both("weighting.note.no_concentration")
    concentration = concentration_of(w, se)
    if concentration < LEAST_CONCENTRATION:
        return None, both("weighting.note.wide_concentration")
    return concentration, both("weighting.note.concentration", c=f"{concentration:.1f}")


def _ranges(weights: object, names: list[str], w: Array, change: float | None) -> pd.DataFrame:
    """Return low and high values of each weight."""
    import pandas as pd

    by = CHANGE if change is None else change
    low, high = w - by, w + by
    if isinstance(weights, Weights) and change is None:
        limits = weights.table.loc[names, ["ci_low", "ci_high"]].to_numpy(float).T
        low, high = np.where(np.isfinite(limits), limits, [low, high])
    ends = np.clip([low, high], 0, 1)
    return pd.DataFrame({"weight": w, "low": ends[0], "high": ends[1]}, index=names)
