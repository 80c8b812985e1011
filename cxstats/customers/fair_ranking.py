"""Fair ranking of branches, agents or lecturers: shrunken means, and how sure their order is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt, listing, meant
from cxstats.core.progress import quiet_linear_algebra
from cxstats.core.result import Chart, Result
from cxstats.customers.rating_cells import (
    ROUNDING,
    Ratings,
    check_identified,
    design_of,
    read_ratings,
)
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level, t_interval
from cxstats.stats.random_intercepts import Cells, Draws, Fit, RandomIntercepts
from cxstats.survey.coding import by_codebook, notes_of_turning

Array = NDArray[np.float64]

FEW_UNITS = 10  # below: the variance between units is known badly
RELIABLE = 0.8  # of a mean that is ranked
FEWEST_DRAWS = 500
MOST_NUMBERS = 200_000_000  # units times draws
TOP = 10
ONE_STEP = 1e-9  # of a deviance; smaller differences are rounding
DECIMALS = 10  # at which two means are tied


@dataclass(frozen=True, eq=False, repr=False)
class FairRanking(Result):
    """Units in order of their shrunken means.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a unit, the best first: ``unit, n``; ``mean, mean_low, mean_high``, the plain mean
        with Student's t interval; ``estimate, ci_low, ci_high``, the shrunken mean at the average
        of the adjusting columns; ``reliability``, of a plain mean of n ratings; ``plain_rank,
        rank, rank_low, rank_high``; ``top_probability, bottom_probability``, of being among the
        `top` best or worst; ``verdict``: ``above`` or ``below`` the average of the units by
        intervals that hold for all units at once, else ``open``.
    components : pandas.DataFrame
        ``component, variance, share``: between units, between raters, residual.
    coefficients : pandas.DataFrame
        ``term, estimate, se, ci_low, ci_high``: the intercept and the adjusting columns.
    icc, icc_low, icc_high : float
        Share of the units in the variance.
    p_value : float
        That units do not differ at all: restricted likelihood ratio, half a chi-square with 1 df.
    pairs_apart : int
        Pairs of units whose intervals, of those that hold at once, do not overlap.
    n_needed : float
        Ratings at which a plain mean has a reliability of 0.8; infinite without variance.
    n, top : int
        Ratings; how many units count as the top.
    average : float
        Mean of the units, at the average of the adjusting columns.
    draws : array (n_draws, units)
        Draws of the means of the units, in the order of the table.
    best : {"high", "low"}
    score, unit : str
        Names of columns.
    rater : str or None
    level, seed
        As passed.
    synthetic : bool
    notes : tuple of Text
        What a reader must know.
    """

    table: pd.DataFrame
    components: pd.DataFrame
    coefficients: pd.DataFrame
    icc: float
    icc_low: float
    icc_high: float
    p_value: float
    pairs_apart: int
    n_needed: float
    n: int
    top: int
    average: float
    draws: Array
    best: str
    score: str
    unit: str
    rater: str | None
    level: float
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("league",)
    codes: ClassVar = {"verdict": "ranking.verdict.{}", "component": "ranking.component.{}"}
    reference: ClassVar = (
        "Goldstein & Spiegelhalter (1996). League tables and their limitations: statistical issues "
        "in comparisons of institutional performance. JRSS A 159(3), 385-443."
    )

    @property
    def is_singular(self) -> bool:
        """Whether the estimated variance between units is zero."""
        return not self.icc > 0

    def _head(self, lang: str) -> str:
        return label(
            "ranking.head" if self.rater is None else "ranking.head.rater", lang,
            n=format_number(self.n), units=format_number(len(self.table)), score=self.score,
            unit=self.unit, rater=self.rater, level=format_percent(100 * self.level, None, lang),
        )  # fmt: skip

    def _count(self, verdict: str) -> int:
        return int((self.table["verdict"] == verdict).sum())

    def _why_unfair(self, lang: str) -> str:
        first = self.table.nsmallest(self.top, "plain_rank", keep="all")
        return label(
            "ranking.unfair", lang, top=self.top, few=int((first["n"] < self.n_needed).sum()),
            needed=format_number(ceil(self.n_needed)), reliability=format_number(RELIABLE),
            stay=int((first["rank"] <= self.top).sum()), size=len(first),
        )  # fmt: skip

    def findings(self, lang: str) -> list[str]:
        """Return how far units differ, why a plain league table misleads, and who is clear."""
        first, lines = self.table.iloc[0], [self._head(lang)]
        lines.append(
            label(
                "ranking.icc", lang, share=format_percent(100 * self.icc, 1, lang),
                interval=interval(100 * self.icc_low, 100 * self.icc_high, 1),
                p=p_text(self.p_value),
            )
        )  # fmt: skip
        if not self.is_singular:
            lines.append(self._why_unfair(lang))
            lines.append(
                label(
                    "ranking.first", lang, name=first["unit"], n=format_number(first["n"]),
                    value=format_number(first["estimate"], 2),
                    interval=interval(first["ci_low"], first["ci_high"]), top=self.top,
                    low=first["rank_low"], high=first["rank_high"],
                    share=format_percent(100 * first["top_probability"], 0, lang),
                )
            )  # fmt: skip
        k = len(self.table)
        lines.append(
            label(
                "ranking.verdicts", lang, average=format_number(self.average, 2),
                level=format_percent(100 * self.level, None, lang),
                **{code: format_number(self._count(code)) for code in ("above", "below", "open")},
                apart=format_number(self.pairs_apart), pairs=format_number(k * (k - 1) // 2),
            )
        )  # fmt: skip
        return lines

    def difference(self, first: Any, second: Any) -> pd.Series[Any]:
        """Return how far one unit is ahead of another.

        Parameters
        ----------
        first, second : units of the table

        Returns
        -------
        pandas.Series
            ``estimate, ci_low, ci_high`` of the difference of the shrunken means (this pair alone),
            and ``probability``, that the first is better.

        Raises
        ------
        CxError
            If a unit is not in the table.
        """
        places = []
        for name in (first, second):
            rows = np.flatnonzero(self.table["unit"] == name)
            if not len(rows):
                more = meant(name, self.table["unit"])
                allowed = f"{more}; allowed: {listing(self.table['unit'], 5)}"
                raise CxError(f"{excerpt(name)} is not a value of column {self.unit!r}{allowed}")
            places.append(int(rows[0]))
        values = self.table["estimate"].to_numpy(float)[places]
        differences = self.draws[:, places[0]] - self.draws[:, places[1]]
        low, high = percentile_limits(differences, self.level)
        ahead = differences > 0 if self.best == "high" else differences < 0
        return pd.Series(
            {"estimate": values[0] - values[1], "ci_low": low, "ci_high": high,
             "probability": ahead.mean() if places[0] != places[1] else 0.5}
        )  # fmt: skip

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the units with plain means, shrunken means and verdicts."""
        del kind, options
        table = self.table
        columns = ("unit", "n", "mean", "estimate", "ci_low", "ci_high", "verdict")
        counts = {code: format_number(self._count(code)) for code in ("above", "below", "open")}
        title = "ranking.title.none" if self.is_singular else "ranking.title"
        return Chart(
            "league_table", tuple(table[name].tolist() for name in columns),
            {
                "source": self._head(lang), "average": self.average, "axis": self.score,
                "best": self.best, "level": self.level, "synthetic": self.synthetic,
                "title": label(title, lang, units=format_number(len(table)), **counts),
            },
        )  # fmt: skip


@by_codebook(sampling=())
def fair_ranking(  # noqa: PLR0913  (columns and options)
    frame: Any,
    score: str,
    unit: str,
    adjust: str | Sequence[str] | None = None,
    *,
    rater: str | None = None,
    best: str = "high",
    top: int | None = None,
    weights: None = None,
    level: float = 0.95,
    n_draws: int = 4000,
    seed: int = 1,
    codebook: Any = None,
) -> FairRanking:
    r"""Rank units by shrunken means, and say how sure their order is.

    .. math:: y_{ijk} = x_{ijk}'\beta + u_i + r_j + e_{ijk}

    with normal u of units, r of raters (where `rater` is named) and e, by restricted maximum
    likelihood. A unit's estimate is its best linear unbiased prediction: its plain mean, drawn
    towards the average the more the fewer ratings it has, by
    ``reliability = n / (n + (residual + raters) / units)`` in the variances.

    Intervals, ranks and verdicts come from joint draws of coefficients, effects and variances given
    the ratings, with uniform priors for coefficients and for the standard deviations relative to
    the residual one: variances are not taken as known. Limits of a rank, of a mean or of a pair
    hold one by one; verdicts hold for all units at once.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow, DuckDB relation
        One row a rating. Rows without a score, a unit, a rater or an adjusting column are left
        out. The engine adds up the ratings that agree in all these columns, so that without
        `rater` and `adjust` the work does not grow with the ratings.
    score : str
        Column of ratings, finite numbers. Ordered answers are taken as numbers.
    unit : str
        What is ranked: three different values or more.
    adjust : str or sequence of str, optional
        Columns that are held constant: numbers act linearly, other values as categories (give
        codes as text if they are categories).
    rater : str, optional
        Who rated, if raters rate several units: a second random intercept, crossed with units.
    best : {"high", "low"}
        Which scores are good, and ranked first. Answers that a codebook turns are high when good.
    top : int, optional
        How many units are the top, and the bottom; without it 10, or a quarter of fewer than 40.
    weights : None
        Weights of respondents are not supported.
    level : float
    n_draws : int
        From 500; the chance error of a probability is at most ``0.5 / sqrt(n_draws)``.
    seed : int
    codebook : Codebook, mapping, path or name, optional
        Lends labels, missing codes and direction; its sampling design is left out, with a note.

    Returns
    -------
    FairRanking

    Raises
    ------
    DataError, CxError
        Naming the column, the row, the value, or the option, and what is allowed.

    Notes
    -----
    In simulations with 10 units of 20 ratings the 95 % intervals cover as stated (see
    ``tests/customers/test_fair_ranking.py``), where the usual ones, of variances taken as known,
    cover less. Below 10 units intervals are wide, and the prior matters.

    References
    ----------
    Goldstein & Spiegelhalter (1996). League tables and their limitations: statistical issues in
    comparisons of institutional performance. JRSS A 159(3), 385-443.
    Self & Liang (1987). Asymptotic properties of maximum likelihood estimators and likelihood ratio
    tests under nonstandard conditions. JASA 82, 605-610.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> ratings = pd.DataFrame({"branch": np.repeat(list("ABCDEF"), [3, 40, 40, 40, 40, 40])})
    >>> quality = ratings["branch"].map(dict(zip("ABCDEF", [3, 3.6, 3.4, 3.2, 2.8, 2.4])))
    >>> ratings["score"] = quality + rng.normal(size=len(ratings)).round(2)
    >>> ranking = fair_ranking(ratings, "score", "branch", top=1)
    >>> ranking.table[["unit", "n", "plain_rank", "rank"]].head(3).to_numpy().tolist()
    [['B', 40, 1, 1], ['C', 40, 3, 2], ['A', 3, 2, 3]]
    """
    check_level(level)
    _check_options(best, top, weights, n_draws, seed)
    adjusting = _columns(frame, score, unit, adjust, rater)
    ratings = read_ratings(frame, score, unit, rater, adjusting, codebook)
    terms, design = design_of(ratings.groups, adjusting)
    check_identified(ratings, design, unit, rater)
    n_units = len(ratings.units)
    size = _check_sizes(top, n_units, n_draws, unit)
    cells = Cells(design, ratings.n, ratings.sums, float(ratings.squares.sum()), ratings.codes)
    fit, drawn, ratio = _fitted(cells, score, n_draws, level, seed)
    row_of_means = ratings.n @ design / cells.n
    average = float(row_of_means @ fit.coefficients)
    means = drawn.effects + (drawn.coefficients @ row_of_means)[:, None]
    low, high = _simultaneous(drawn.effects, level)
    components = _components(fit)
    share = float(components["share"].iloc[0])
    noise = float(fit.residual_variance + fit.variances[1:].sum())
    ci_low, ci_high = percentile_limits(means, level) + ratings.centre
    table = _plain(ratings, level).assign(
        estimate=average + fit.effects[0] + ratings.centre, ci_low=ci_low, ci_high=ci_high
    )
    table["reliability"] = (
        table["n"] / (table["n"] + noise / fit.variances[0]) if share > 0 else 0.0
    )
    table = _ranked(table, means, best, size, level)
    table["verdict"] = np.select([low > 0, high < 0], ["above", "below"], "open")
    order = np.lexsort((-table["n"], table["rank"]))
    return FairRanking(
        table=table.iloc[order].reset_index(drop=True),
        components=components,
        coefficients=_coefficients(terms, fit, drawn, ratings.centre, level),
        icc=share,
        icc_low=min(float(drawn.share_limits[0]), share),
        icc_high=float(drawn.share_limits[1]),
        p_value=_p_value(ratio),
        pairs_apart=_pairs_apart(low, high),
        n_needed=RELIABLE / (1 - RELIABLE) * noise / fit.variances[0] if share > 0 else np.inf,
        n=int(cells.n),
        top=size,
        average=average + ratings.centre,
        draws=means[:, order] + ratings.centre,
        best=best,
        score=score,
        unit=unit,
        rater=rater,
        level=level,
        seed=seed,
        synthetic=ratings.synthetic,
        notes=(
            *_notes(ratings, share, unit, rater, adjusting),
            *notes_of_turning(codebook, score),
        ),
    )


def _fitted(
    cells: Cells, score: str, n_draws: int, level: float, seed: int
) -> tuple[Fit, Draws, float]:
    """Return the estimates, draws, and what the deviance gains by the variance of units."""
    with quiet_linear_algebra():
        model = RandomIntercepts(cells)
        if model.lacks_residual:
            raise DataError(
                f"column {score!r}: scores of a unit do not differ once raters and adjusting "
                "columns are taken into account, so that there is no chance to allow for; allowed: "
                "scores that vary"
            )
        fit = model.fit()
        drawn = model.draws(n_draws, level, seed)
        return fit, drawn, model.deviance_without(0) - fit.deviance


def _check_options(best: Any, top: Any, weights: Any, n_draws: Any, seed: Any) -> None:
    """Raise if an option is not allowed."""
    if best not in ("high", "low"):
        raise CxError(f"best={excerpt(best)}; allowed: 'high', 'low'")
    if weights is not None:
        raise CxError(
            f"weights={excerpt(weights)}: a fair ranking has no weights of respondents; leave them "
            "out, and name what they correct for in adjust="
        )
    if top is not None and (isinstance(top, bool) or not isinstance(top, Integral) or top < 1):
        raise CxError(f"top={excerpt(top)}; allowed: a whole number from 1, or None")
    for name, number, least in (("n_draws", n_draws, FEWEST_DRAWS), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, Integral) or number < least:
            raise CxError(f"{name}={excerpt(number)}; allowed: a whole number from {least}")


def _columns(frame: Any, score: Any, unit: Any, adjust: Any, rater: Any) -> list[str]:
    """Return the adjusting columns; raise if a column is not named by text, or named twice."""
    if isinstance(frame, (list, tuple, np.ndarray, pd.Series)):
        raise CxError(
            f"a {type(frame).__name__} has no named columns; allowed: pandas, Polars, PyArrow, "
            "DuckDB relation"
        )
    is_one = isinstance(adjust, str) or not isinstance(adjust, Iterable)
    adjusting: list[Any] = [] if adjust is None else [adjust] if is_one else list(adjust)
    columns = [("score", score), ("unit", unit), *(("adjust", name) for name in adjusting)]
    columns += [] if rater is None else [("rater", rater)]
    seen: dict[str, str] = {}
    for option, name in columns:
        if not isinstance(name, str):
            raise CxError(f"{option}={excerpt(name)}; allowed: the name of a column")
        if name in seen:
            raise CxError(f"column {name!r} is named as {seen[name]} and as {option}")
        seen[name] = option
    return adjusting


def _check_sizes(top: int | None, n_units: int, n_draws: int, unit: str) -> int:
    """Return how many units are the top; raise if there are not so many, or too many draws."""
    if top is not None and top > n_units:
        raise CxError(f"top={top}; allowed: 1 to {n_units}, the different values of {unit!r}")
    if n_units * n_draws > MOST_NUMBERS:
        raise CxError(
            f"n_draws={n_draws} with {n_units:,} units; allowed: at most "
            f"{MOST_NUMBERS // n_units:,} draws"
        )
    return int(top) if top is not None else min(TOP, ceil(n_units / 4))


def _plain(ratings: Ratings, level: float) -> pd.DataFrame:
    """Return the units with n and their plain means with t intervals."""
    n = ratings.by_unit(ratings.n)
    mean = ratings.by_unit(ratings.sums) / n
    squares = ratings.by_unit(ratings.squares)
    rest = np.where(squares - n * mean**2 > ROUNDING * squares, squares - n * mean**2, 0.0)
    se = np.sqrt(rest / np.maximum(n - 1, 1) / n)
    low, high = t_interval(mean + ratings.centre, se, n - 1, level)
    return pd.DataFrame(
        {"unit": ratings.units, "n": n.astype(int), "mean": mean + ratings.centre, "mean_low": low,
         "mean_high": high}
    )  # fmt: skip


def _simultaneous(effects: Array, level: float) -> tuple[Array, Array]:
    """Return limits of all effects less their average that hold at once, from draws (B, q).

    Mean and standard deviation of the draws, with the quantile of the largest distance.
    """
    deviations = effects - effects.mean(axis=1, keepdims=True)
    mean, sd = deviations.mean(axis=0), deviations.std(axis=0)
    largest = (np.abs(deviations - mean) / sd).max(axis=1)
    reach = np.quantile(largest, level) * sd
    return mean - reach, mean + reach


def _pairs_apart(low: Array, high: Array) -> int:
    """Return how many pairs of intervals do not overlap."""
    return int(np.searchsorted(np.sort(high), low, side="left").sum())


def _ranked(table: pd.DataFrame, means: Array, best: str, top: int, level: float) -> pd.DataFrame:
    """Return the table with ranks, their limits, and probabilities of the top and the bottom."""
    ascending = best == "low"
    ranks = {
        name: table[column].round(DECIMALS).rank(method="min", ascending=ascending).astype(int)
        for name, column in (("plain_rank", "mean"), ("rank", "estimate"))
    }
    order = np.argsort(means if ascending else -means, axis=1)
    drawn = np.empty(order.shape, np.int32)
    np.put_along_axis(drawn, order, np.arange(1, means.shape[1] + 1, dtype=np.int32)[None], axis=1)
    low, high = percentile_limits(drawn, level, method="inverted_cdf").astype(int)
    return table.assign(
        **ranks,
        rank_low=low,
        rank_high=high,
        top_probability=(drawn <= top).mean(axis=0),
        bottom_probability=(drawn > means.shape[1] - top).mean(axis=0),
    )


def _components(fit: Fit) -> pd.DataFrame:
    names = ["units", "raters"][: len(fit.variances)]
    variances = np.append(fit.variances, fit.residual_variance)
    return pd.DataFrame(
        {"component": [*names, "residual"], "variance": variances,
         "share": variances / variances.sum()}
    )  # fmt: skip


def _coefficients(
    terms: list[str], fit: Fit, drawn: Draws, centre: float, level: float
) -> pd.DataFrame:
    low, high = percentile_limits(drawn.coefficients, level)
    table = pd.DataFrame(
        {"term": terms, "estimate": fit.coefficients, "se": fit.errors, "ci_low": low,
         "ci_high": high}
    )  # fmt: skip
    table.loc[0, ["estimate", "ci_low", "ci_high"]] += centre
    return table


def _p_value(ratio: float) -> float:
    """Return the p value of a variance: half a chi-square with 1 df, half a zero."""
    from scipy.special import chdtrc

    return float(chdtrc(1, ratio)) / 2 if ratio > ONE_STEP else 1.0


def _notes(
    ratings: Ratings, share: float, unit: str, rater: str | None, adjusting: list[str]
) -> list[Text]:
    """Return what a reader must know."""
    fixed = [name for name in adjusting if ratings.is_constant_within_units(ratings.groups[name])]
    k, n_groups = len(ratings.units), ratings.n_groups()
    return [
        *note_if(not share > 0, "ranking.note.singular"),
        *note_if(k < FEW_UNITS, "ranking.note.few", n=k, few=FEW_UNITS),
        *note_if(n_groups > 1, "ranking.note.groups", n=n_groups, unit=unit, rater=rater),
        *(both("ranking.note.between", column=repr(name), unit=unit) for name in fixed),
        *note_if(ratings.n_missing > 0, "ranking.note.missing",
                 n=format_number(ratings.n_missing)),
        both("ranking.note.single"),
        both("ranking.note.numbers"),
    ]  # fmt: skip
