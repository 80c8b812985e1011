"""Penalty-reward contrast: drivers that punish when bad, delight when good, or both.

References
----------
Brandt (1987). A procedure for identifying value-enhancing service components using customer
satisfaction survey data. In: Add value to your service, AMA, 61-65.
Matzler & Sauerwein (2002). The factor structure of customer satisfaction. International Journal
of Service Industry Management 13(4), 314-332.
Mikulic & Prebezac (2008). Prioritizing improvement of service attributes using impact
range-performance analysis and impact-asymmetry analysis. Managing Service Quality 18(6), 559-576.
Mikulic & Prebezac (2011). A critical review of techniques for classifying quality attributes in
the Kano model. Managing Service Quality 21(1), 46-66.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, interval
from cxstats.core.language import Text, both, label
from cxstats.core.moments import bootstrap_moments
from cxstats.core.result import Chart, Result
from cxstats.priorities.complete_cases import (
    FEWEST,
    Scale,
    check_names,
    complete_cases,
    is_number,
    scales_of,
)
from cxstats.priorities.notes import failed_resamples, missing_answers
from cxstats.stats.bootstrap import bca, percentile_limits
from cxstats.stats.intervals import check_level
from cxstats.stats.sampling_design import Design, SampledPart, design_of
from cxstats.survey.answers import missing_code_notes
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Cut = float | str | Mapping[str, float | str]

SMALL = 30  # below this a note says that the cell is small
TINY = 1e-10
QUANTILES = {"tercile": 1 / 3, "quartile": 1 / 4, "quintile": 1 / 5, "decile": 1 / 10}
ALLOWED = f"allowed: a number, 'end', {', '.join(map(repr, QUANTILES))}, or a mapping"
EFFECTS = ("penalty", "reward", "contrast")


@dataclass(frozen=True, eq=False, repr=False)
class PenaltyReward(Result):
    """Penalties and rewards of drivers.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per driver: ``driver, penalty, penalty_ci_low, penalty_ci_high, penalty_se,
        penalty_p_value``, the same of ``reward``, ``contrast`` (reward plus penalty) with its
        interval and p value, ``asymmetry`` (-1 only punishes, 1 only rewards) with its interval,
        ``category``, ``low_cut, high_cut, n_low, n_middle, n_high, n``. Units of the outcome.
        Standard errors and p values are HC3; intervals are bootstrap ones (see
        `penalty_reward`).
    outcome : str
    intercept : float
        Mean outcome of a respondent in the middle on every driver.
    r_squared, adj_r_squared : float
        Of the regression on the dummies.
    linear_r_squared : float
        Of the ordinary regression on the answers themselves, for comparison.
    rule : Text
        How the category is decided.
    n, n_dropped : int
        Respondents used; left out because an answer was missing.
    level, n_resamples, n_failed, seed
        The bootstrap. Resamples that lost a cell count as failed.
    synthetic : bool
        Whether the respondents were simulated.
    notes : tuple of Text
        What was left out, what is small and what goes against expectation.
    """

    table: pd.DataFrame
    outcome: str
    intercept: float
    r_squared: float
    adj_r_squared: float
    linear_r_squared: float
    rule: Text
    n: int
    n_dropped: int
    level: float
    n_resamples: int
    n_failed: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("effects",)
    codes: ClassVar = {"category": "penalty.category.{}"}
    reference: ClassVar = (
        "Brandt (1987). A procedure for identifying value-enhancing service components using "
        "customer satisfaction survey data. In: Add value to your service, AMA, 61-65."
    )

    def findings(self, lang: str) -> list[str]:
        """Return every driver in words, the widest range of effect first."""
        lines = [
            label(
                "penalty.head", lang, outcome=self.outcome, n=format_number(self.n),
                dropped=format_number(self.n_dropped), r2=format_number(self.r_squared, 3),
                linear=format_number(self.linear_r_squared, 3),
            )
        ]  # fmt: skip
        rows: Any = self._by_range()
        for row in rows.itertuples():
            effects = {
                name: f"{format_number(getattr(row, name), 2, sign=True)} "
                + interval(getattr(row, f"{name}_ci_low"), getattr(row, f"{name}_ci_high"))
                for name in ("penalty", "reward")
            }
            category = label(f"penalty.category.{row.category}", lang)
            lines.append(label("penalty.row", lang, name=row.driver, category=category, **effects))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return penalty and reward of each driver with their intervals."""
        rows = self._by_range()
        first = rows.iloc[0]
        effects = [
            rows[[f"{name}{column}" for column in ("", "_ci_low", "_ci_high")]].to_numpy(float)
            for name in ("penalty", "reward")
        ]
        common: dict[str, Any] = {
            "labels": (label("penalty.penalty", lang), label("penalty.reward", lang)),
            "source": label(
                "penalty.source", lang, n=format_number(self.n),
                b=format_number(self.n_resamples), seed=self.seed,
            ),
            "axis": label("penalty.axis", lang, outcome=self.outcome),
            "title": label(
                "penalty.title", lang, name=first["driver"], outcome=self.outcome,
                **{name: format_number(first[name], 2, sign=True)
                   for name in ("penalty", "reward")},
            ),
            "level": self.level,
            "synthetic": self.synthetic,
        }  # fmt: skip
        return Chart("interval_pairs", (rows["driver"].tolist(), *effects), common)

    def _by_range(self) -> pd.DataFrame:
        reach = (self.table["reward"] - self.table["penalty"]).sort_values(ascending=False)
        return self.table.loc[reach.index]


@by_codebook(scales="drivers")
def penalty_reward(  # noqa: PLR0913  (options of a method)
    frame: Any,
    outcome: str,
    drivers: Sequence[str],
    *,
    low: Cut | None = None,
    high: Cut | None = None,
    scale: Scale | Mapping[str, Scale] | None = None,
    weights: str | None = None,
    cluster: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
    codebook: Any = None,
) -> PenaltyReward:
    """Regress an outcome on a penalty and a reward dummy per driver.

    ``y = b0 + sum_k (p_k [x_k low] + r_k [x_k high]) + e``. The respondents in the middle are
    the reference. Penalty ``p`` and reward ``r`` are compared through the contrast ``r + p``,
    which is 0 where both are equally strong, and the asymmetry ``(r + p) / (r - p)`` of Mikulic
    and Prebezac (2008), a penalty above 0 or a reward below 0 counted as 0.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table or DuckDB relation
        One row per respondent. A respondent with a missing answer is left out, and counted.
    outcome : str
        Column of overall satisfaction.
    drivers : sequence of str
        Columns of the drivers.
    low, high : number, "end", "tercile", "quartile", "quintile", "decile", or mapping of driver
        to one of these
        Must be given: which answers are low (the cut and below) and high (the cut and above).
        "end": the ends of `scale`. A quantile's cut is an answer that was given, so that with few
        answers a cell holds more than its share. Categories depend on these cuts (Mikulic &
        Prebezac, 2011): try others.
    scale : (low, high) or mapping of driver to (low, high), optional
        Ends of the answer scale; answers outside are refused. "end" needs it.
    weights, cluster : str, optional
        Columns of sampling weights, and of clusters whose rows depend on each other.
    design : cxstats.Design, optional
        The same with strata. Coefficients are then weighted, p values those of R's ``svyglm``,
        resamples keep the design. Cuts by quantile stay those of the answers, unweighted.
    level, n_resamples, seed
        Confidence level, bootstrap resamples, their seed. Cuts by quantile stay those of the
        sample in every resample.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes, direction, scale, names and order of groups, and its
        sampling design unless one is named here (``weights=None`` names none).

    Raises
    ------
    DataError
        If an answer is no number or off the scale, a cell of a driver (low, middle, high) has
        fewer than two respondents, dummies repeat each other, or there are too few respondents.
    CxError
        If an option is wrong.

    Notes
    -----
    Intervals are BCa bootstrap, p values HC3 (MacKinnon & White, 1985) with the t distribution,
    neither adjusted for the number of drivers. "Performance" is what is left when penalty and
    reward are both there and their difference is not; a wide interval of the contrast is no proof
    of symmetry. Drivers that are correlated widen all intervals, and a curved relation of the
    scale (a ceiling in the outcome) looks like a penalty.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> x = np.random.default_rng(1).integers(1, 6, (400, 2))
    >>> y = 5 - 2 * (x[:, 0] <= 2) + 1.5 * (x[:, 1] >= 4)
    >>> frame = pd.DataFrame({"clean": x[:, 0], "warm": x[:, 1], "overall": y})
    >>> frame["overall"] += np.random.default_rng(2).normal(size=400)
    >>> result = penalty_reward(frame, "overall", ["clean", "warm"], low=2, high=4, n_resamples=500)
    >>> result.table[["driver", "penalty", "reward", "category"]].round(1).to_numpy().tolist()
    [['clean', -2.0, -0.0, 'basic'], ['warm', -0.2, 1.3, 'excitement']]
    """
    check_level(level)
    for side, rule in (("low", low), ("high", high)):
        if rule is None:
            raise CxError(f"{side} is missing: the cut decides the categories; {ALLOWED}")
    names = check_names(drivers, "drivers")
    if outcome in names:
        raise CxError(f"outcome {outcome!r} is one of the drivers too")
    scales = scales_of(scale, names)
    data = as_pandas(frame)
    sampling = design_of(design, weights, cluster)
    complete = complete_cases(data, [*names, outcome], scales)
    matrix, n_dropped = complete.matrix, complete.n_dropped
    sampled = None if sampling is None else SampledPart.of(sampling.read(data), complete.at)
    x, y = matrix[:, :-1], matrix[:, -1]
    n, k = x.shape
    groups = [
        answer_groups(x[:, j], name, low, high, scales.get(name)) for j, name in enumerate(names)
    ]
    dummies = np.column_stack([group.low for group in groups] + [group.high for group in groups])
    _check_design(dummies, y, names, outcome)
    fit = _ols(dummies, y, sampled)
    drawn = bootstrap_moments(
        np.column_stack([dummies, y]), n_resamples, seed,
        None if sampled is None else sampled.draws(n_resamples, seed),
    )  # fmt: skip
    replicates = _batch_slopes(drawn.cov)
    df = n - 2 * k - 1 if sampled is None else max(sampled.df - 2 * k, 1)
    table = _table(names, groups, fit, replicates, n, df, level)
    n_failed = int(np.isnan(replicates[:, 0]).sum())
    return PenaltyReward(
        table=table,
        outcome=outcome,
        intercept=float(fit.slopes[0]),
        r_squared=fit.r_squared,
        adj_r_squared=1 - (1 - fit.r_squared) * (n - 1) / (n - 2 * k - 1),
        linear_r_squared=_ols(x, y, sampled).r_squared,
        rule=both("penalty.rule"),
        n=n,
        n_dropped=n_dropped,
        level=level,
        n_resamples=n_resamples,
        n_failed=n_failed,
        seed=seed,
        synthetic=bool(data.attrs.get("synthetic")),
        notes=(
            both("penalty.note.tests" if sampled is None else "penalty.note.tests.design"),
            *missing_answers(n_dropped),
            *missing_code_notes(dict(zip([*names, outcome], matrix.T, strict=True))),
            *(() if sampled is None else sampled.rows.notes()),
            *failed_resamples(n_failed, n_resamples, "penalty.note.failed"),
            *_notes(table),
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class AnswerGroups:
    """Who is low and who is high on one driver, (n,) each, and the cuts."""

    low: Array
    high: Array
    low_cut: float
    high_cut: float


def answer_groups(
    x: Array, name: str, low: Cut | None, high: Cut | None, scale: Scale | None
) -> AnswerGroups:
    """Return who is low and who is high on a driver.

    Parameters
    ----------
    x : array (n,)
        Answers.
    name : str
        The driver, for messages.
    low, high : number, "end", quantile, or mapping
        See `penalty_reward`.
    scale : (low, high) or None
        Ends of the answer scale.

    Raises
    ------
    DataError
        If an answer is low and high, or a cell has fewer than two respondents.
    CxError
        If a cut is no number, end or quantile.

    Examples
    --------
    >>> x = np.array([1.0, 2, 2, 3, 3, 4, 4, 5])
    >>> groups = answer_groups(x, "speed", 2, "quartile", None)
    >>> groups.high_cut, groups.low.sum().item(), groups.high.sum().item()
    (4.0, 3.0, 3.0)
    """
    low_cut = _cut(x, name, low, "low", scale)
    high_cut = -_cut(-x, name, high, "high", scale)
    if not low_cut < high_cut:
        raise DataError(
            f"column {name!r}: answers up to {low_cut:g} are low and from {high_cut:g} high, so "
            "that an answer is both; allowed: low below high, with answers between"
        )
    is_low, is_high = x <= low_cut, x >= high_cut
    sizes = {"low": is_low.sum(), "middle": (~is_low & ~is_high).sum(), "high": is_high.sum()}
    for cell, size in sizes.items():
        if size < FEWEST:
            raise DataError(
                f"column {name!r}: {size} respondents are {cell} (low: up to {low_cut:g}, high: "
                f"from {high_cut:g}); at least {FEWEST} are needed in each cell"
            )
    return AnswerGroups(is_low.astype(float), is_high.astype(float), low_cut, high_cut)


def _cut(x: Array, name: str, rule: Cut | None, side: str, scale: Scale | None) -> float:
    """Return the cut of one side; for the high side of -x, so that both are the same rule."""
    if isinstance(rule, Mapping):
        if name not in rule:
            raise CxError(f"{side} has no cut for driver {name!r}")
        rule = rule[name]
    sign = 1 if side == "low" else -1
    if rule == "end" and scale is not None:
        return sign * float(scale[0] if side == "low" else scale[1])
    if rule == "end":
        raise CxError(f'{side}="end" needs scale=(low, high): the answers do not tell their ends')
    if isinstance(rule, str) and rule in QUANTILES:
        return float(np.quantile(x, QUANTILES[rule], method="inverted_cdf"))
    if rule is None or not is_number(rule):
        raise CxError(f"{side} is {rule!r}; {ALLOWED}")
    return sign * float(rule)


def _check_design(dummies: Array, y: Array, names: list[str], outcome: str) -> None:
    """Raise if the outcome does not vary, respondents are too few, or dummies repeat."""
    n, p = dummies.shape
    if np.ptp(y) == 0:
        raise DataError(f"column {outcome!r}: every respondent gave {y[0]:g}; nothing to explain")
    if n < p + 2:
        raise DataError(f"{n} respondents for {p} dummies; at least {p + 2} are needed")
    pivots = np.abs(np.diag(np.linalg.qr(_with_ones(dummies), mode="r")))[1:]
    for place in np.flatnonzero(pivots < TINY * np.sqrt(n)):
        cell = "low" if place < len(names) else "high"
        raise DataError(
            f"column {names[place % len(names)]!r}: who is {cell} follows from the cells of the "
            "drivers before it; leave one of them out or change the cuts"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """An ordinary regression: slopes (p + 1,), HC3 covariance, influence (n, p + 1), fit."""

    slopes: Array
    cov: Array
    influence: Array
    r_squared: float


def _ols(x: Array, y: Array, sampled: SampledPart | None) -> _Fit:
    """Fit by (weighted) least squares with an intercept.

    HC3 divides residuals by 1 less the leverage; under a design the covariance is the design's.
    """
    design = _with_ones(x)
    weights = np.ones(len(y)) if sampled is None else sampled.weights
    weighted = design * weights[:, None]
    inverse = np.linalg.pinv(design.T @ weighted)
    slopes = inverse @ weighted.T @ y
    residuals = y - design @ slopes
    influence = (weighted * residuals[:, None]) @ inverse
    centred = y - np.average(y, weights=weights)
    r_squared = float(1 - weights @ residuals**2 / (weights @ centred**2))
    if sampled is not None:
        return _Fit(slopes, sampled.covariance(influence), influence, r_squared)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = influence / np.where(1 - leverage > TINY, 1 - leverage, np.nan)[:, None]
    return _Fit(slopes, spread.T @ spread, influence, r_squared)


def _with_ones(x: Array) -> Array:
    return np.column_stack([np.ones(len(x)), x])


def _batch_slopes(cov: Array) -> Array:
    """Return the slopes (B, p) of the last variable on the others; NaN where they do not exist."""
    inner, outer = cov[:, :-1, :-1], cov[:, :-1, -1:]
    regular = np.linalg.eigvalsh(inner)[:, 0] > TINY
    slopes = np.full(outer.shape[:2], np.nan)
    slopes[regular] = np.linalg.solve(inner[regular], outer[regular])[..., 0]
    return slopes


def asymmetry(penalty: Array, reward: Array) -> Array:
    """Return ``(r + p) / (r - p)``, from -1 (only punishes) to 1; NaN where neither is there.

    Examples
    --------
    >>> asymmetry(np.array([-0.6, -0.2, 0.1]), np.array([0.2, 0.2, 0.3])).round(2).tolist()
    [-0.5, 0.0, 1.0]
    """
    p, r = np.minimum(penalty, 0), np.maximum(reward, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((r + p) / (r - p), float)


def _table(
    names: list[str],
    groups: list[AnswerGroups],
    fit: _Fit,
    replicates: Array,
    n: int,
    df: float,
    level: float,
) -> pd.DataFrame:
    """Return estimates, HC3 tests and bootstrap intervals, one row per driver."""
    import pandas as pd
    from scipy import stats

    k = len(names)
    # Penalty, reward and contrast are three linear functions of the 2k slopes.
    identity = np.eye(k)
    contrasts = np.block([[identity, 0 * identity], [0 * identity, identity], [identity, identity]])
    estimate, drawn = contrasts @ fit.slopes[1:], replicates @ contrasts.T
    se = np.sqrt(np.einsum("ij,jk,ik->i", contrasts, fit.cov[1:, 1:], contrasts))
    p_value = 2 * stats.t.sf(np.abs(estimate / se), df)
    low, high = bca(drawn, estimate, fit.influence[:, 1:] @ contrasts.T, level)
    columns: dict[str, Any] = {"driver": names}
    for i, effect in enumerate(EFFECTS):
        at = slice(i * k, (i + 1) * k)
        columns |= {
            effect: estimate[at],
            f"{effect}_ci_low": low[at],
            f"{effect}_ci_high": high[at],
            f"{effect}_se": se[at],
            f"{effect}_p_value": p_value[at],
        }
    skew = asymmetry(drawn[:, :k], drawn[:, k : 2 * k])
    limits = percentile_limits(skew, level)
    columns |= {
        "asymmetry": asymmetry(estimate[:k], estimate[k : 2 * k]),
        "asymmetry_ci_low": limits[0],
        "asymmetry_ci_high": limits[1],
        "category": [_category(low[j::k], high[j::k]) for j in range(k)],
        "low_cut": [group.low_cut for group in groups],
        "high_cut": [group.high_cut for group in groups],
        "n_low": [int(group.low.sum()) for group in groups],
        "n_middle": [int((1 - group.low - group.high).sum()) for group in groups],
        "n_high": [int(group.high.sum()) for group in groups],
        "n": n,
    }
    return pd.DataFrame(columns)


def _category(low: Array, high: Array) -> str:
    """Return the category from the intervals (3,) of penalty, reward and contrast."""
    punishes, rewards = high[0] < 0, low[1] > 0
    if punishes and high[2] < 0:
        return "basic"
    if rewards and low[2] > 0:
        return "excitement"
    return "performance" if punishes and rewards else "not told apart"


def _notes(table: pd.DataFrame) -> list[Text]:
    """Return what is small and what goes against expectation."""
    notes = []
    rows: Any = table
    for row in rows.itertuples():
        sizes = {"low": row.n_low, "middle": row.n_middle, "high": row.n_high}
        small = {both(f"penalty.cell.{cell}"): n for cell, n in sizes.items() if n < SMALL}
        if small:
            cells = Text(
                ", ".join(f"{cell.en} {n}" for cell, n in small.items()),
                "、".join(f"{cell.zh} {n}" for cell, n in small.items()),
            )
            notes.append(both("penalty.note.small", name=row.driver, cells=cells))
    against = table[(table["penalty_ci_low"] > 0) | (table["reward_ci_high"] < 0)]
    notes += [both("penalty.note.against", name=name) for name in against["driver"]]
    if table[["penalty_se", "reward_se"]].isna().to_numpy().any():
        notes.append(both("penalty.note.alone"))
    return notes
