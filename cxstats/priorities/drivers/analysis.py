"""Key-driver analysis: one call for four methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import is_synthetic
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, interval, p_text
from cxstats.core.language import Text, both, listed
from cxstats.core.moments import LARGE, Moments, check_resamples
from cxstats.priorities.drivers.comparison import compare, driver_pairs
from cxstats.priorities.drivers.importance_measures import Regression
from cxstats.priorities.drivers.inference import Importances, importances, reach
from cxstats.priorities.drivers.logistic_table import logistic_columns
from cxstats.priorities.drivers.measurement import EXACT, by_normal_limit
from cxstats.priorities.drivers.result import Drivers
from cxstats.priorities.drivers.sample import Sample, sample_of
from cxstats.priorities.drivers.shapley_sampling import PAIRS
from cxstats.priorities.drivers.terms import Term, read_terms
from cxstats.priorities.notes import failed_resamples, few_resamples, missing_answers
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.disclosure import check_min_cell
from cxstats.stats.intervals import check_level
from cxstats.stats.rules import RULES
from cxstats.stats.sampling_design import Design, design_of
from cxstats.survey.answers import missing_code_notes
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.priorities.penalty_reward import PenaltyReward

METHODS = ("shapley", "johnson", "regression", "logistic", "penalty-reward")
LEVEL, N_RESAMPLES, SEED = 0.95, 1_000, 1


@by_codebook(in_memory=True)
def drivers(  # noqa: PLR0913  (options of a method)
    data: Any,
    outcome: str,
    drivers: Sequence[Any] | Mapping[str, Any],
    method: str = "shapley",
    *,
    by: str | None = None,
    weights: str | None = None,
    cluster: str | None = None,
    design: Design | None = None,
    min_cell: int | None = None,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    codebook: Any = None,
    **options: Any,
) -> Drivers | PenaltyReward:
    """Measure how much of an outcome's variance each driver explains.

    ``phi_j = sum over S without j of |S|! (p - |S| - 1)! / p! (R2(S + j) - R2(S))`` with
    ``method="shapley"`` (LMG): the rise of R2 as driver j enters, averaged over all orders.

    Parameters
    ----------
    data : pandas, Polars, PyArrow table or DuckDB relation, or Moments
        Respondents, or a published covariance or correlation matrix with its n.
    outcome : str
        The column that is explained.
    drivers : sequence of str, list of str or mapping; or mapping
        The columns that explain it. A nominal column (texts, unordered categories of pandas) is
        one driver, the group of its dummies; true and false are 0 and 1. A list within the list is
        a group by hand, ``["q", "p", ["reg_South", "reg_East"]]``; a mapping names it,
        ``{"q": "q", "region": ["reg_South", "reg_East"]}``. Codes such as 1 to 5 for regions are
        numbers, and nothing tells that they are names: say so by
        ``frame["region"].astype("category")``.
    method : {"shapley", "johnson", "regression", "logistic", "penalty-reward"}
        Shapley values of R2, exact up to 20 drivers and from 1,000 sampled orders above; Johnson's
        relative weights, nearly the same for one eigendecomposition; standardised regression
        coefficients; Shapley values of McFadden's R2 for an outcome of two values, exact, up to 10
        drivers; penalties of low and rewards of high answers (`cxstats.penalty_reward`).
    by : str, optional
        Column of groups to compare; the table is of everybody, ``groups`` and ``comparisons`` of
        the groups.
    weights, cluster : str, optional
        Columns of sampling weights, and of clusters whose rows depend on each other (the customer
        of several visits, the branch of several customers).
    design : cxstats.Design, optional
        The same with strata.
    min_cell : int, optional
        Groups of fewer complete cases are not published, nor are those from which their numbers
        could be computed (`cxstats.stats.disclosure`).
    level : float
        Confidence level.
    n_resamples, seed
        Bootstrap resamples of respondents, and their seed.
    **options
        For penalty-reward alone, such as ``low`` and ``high``.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes, direction, names and order of groups, and its sampling
        design unless one is named here (``weights=None`` names none).

    Returns
    -------
    Drivers, or PenaltyReward with that method

    Raises
    ------
    DataError
        Naming a column that is missing, not numeric or does not vary, or a group that is too small.
    CxError
        If a name, an option or the method is wrong, drivers determine another and the method is
        regression, or a relative weight is asked of a group of columns.

    Notes
    -----
    Shapley values and relative weights are parts of R2, sum to it, and do not depend on the units
    of the answers. They are never negative in a sample: the driver that matters not at all gets a
    little, and no percentile of a bootstrap is 0. The interval therefore has two parts.

    1. *Bootstrap percentiles, expanded* for n and p (`inference.reach`).
    2. *The rule for noise*: the lower limit is 0 unless the importance is larger than what a
       further driver that is pure noise gets in ``level`` of samples. The distribution of the
       latter is known, no noise has to be added (`influence_functions.noise_draws`); Tonidandel,
       LeBreton and Johnson (2009) added one random variable. ``p_value`` is the chance of noise to
       get as much.

    A driver without any importance is thus said to have some in 1 - level of samples. Coverage of
    95 % intervals in 2,000 samples of normal answers, real drivers correlated .5, one driver pure
    noise, R2 = .5 (``tests/priorities/drivers/test_coverage.py``); of Shapley values, then of
    relative weights:

    =======  ===  ======================  ======================  ==========  ====
    drivers  n    importance, real        share, real             noise       R2
    =======  ===  ======================  ======================  ==========  ====
    5        200  95.0-95.2, 94.5-95.4    94.4-95.4, 94.6-95.6    94.8, 94.6  95.1
    5        500  94.4-95.8, 94.3-95.4    94.8-95.0, 94.5-95.0    95.6, 95.6  95.6
    8        200  94.4-95.4, 94.2-95.3    94.0-95.6, 93.8-95.5    94.6, 94.5  95.0
    8        500  94.3-95.1, 94.3-95.2    94.1-95.0, 93.9-95.2    95.0, 95.2  95.2
    =======  ===  ======================  ======================  ==========  ====

    Cut to seven-point answers (8 drivers, n = 200): 93.8 to 95.7 for real ones, 94.1 for noise.
    From 100,000 respondents on the moments of resamples are drawn from their normal limit
    (`cxstats.core.moments.normal_moments`), which takes seconds for a million; everything
    after is the same, and a note says so. With ``method="logistic"``, and for groups under a
    sampling design, respondents are resampled whatever their number.

    Tried and worse: basic, bias-shifted, BC and BCa intervals and those from bootstrap errors, 82
    to 93 % for weak drivers. The estimates are those of the sample; with few cases per driver they
    are too high, by about ``(1 - R2) / n`` each.

    Moments have no respondents to resample: standard errors are then those of normal answers, by
    the delta method, and intervals are symmetric on the logit scale; the rule for noise holds, too.
    They covered 92.5 to 96.4 % in the same samples.

    A list with two questions about one thing inflates that thing. A driver that repeats another
    exactly gets as much as the other; the pair together gets more than one of them would alone,
    and every other driver less. With a copy of PERQ4, one of eight drivers of CUSA1 in the ECSI
    data, the pair has .115 instead of .083, and the others 7 to 15 % less; R2 does not change. A
    note names such drivers.

    A beta has one standard error, interval and p value, from the same resamples, which also hold
    where the spread of the outcome changes with a driver: ``p_value`` is that of
    `inference.beta_p_values`. The columns ``beta_se, beta_t, beta_p_value`` are ordinary least
    squares, which assumes an equal spread, so the two may differ.

    With one driver R2 is its importance, and both have the same interval. With sampled orders the
    column ``sampling_se`` holds the error that sampling adds, and a note the largest bound. Above
    12 drivers resamples take 100 orders, of which only the curvature is used (slopes are those of
    the estimate): estimates stay exact up to 20, and standard errors of 13 drivers were within .2 %
    of those from all subsets.

    *Groups.* All columns of a group enter together, so that its share does not depend on which
    level is the reference. Pure noise in more columns gets more: the rule for noise takes as many
    (independent) columns, column ``noise``. A nominal noise driver of six levels beside two real
    ones was said to matter in 5.9 % of 1,000 samples of 200. Relative weights of a group would
    depend on how it is coded, and are refused; regression gives the coefficients of the levels,
    against the first.

    *Two values.* With ``method="logistic"`` R2 is McFadden's, ``1 - loglik / loglik_0``, of
    logistic regressions on all subsets (general dominance, Azen & Traxel 2009); the second value
    (True, the larger number, the later in the alphabet) is modelled, and ``coefficients`` has odds
    ratios and average marginal effects. A resample's likelihoods are the maxima of their quadratics
    about the sample's estimates (`logistic.SubsetFits.replicates`), without a regression a
    resample; 8 drivers of 2,000 respondents take 3 seconds, of 20,000 a minute. The rule for noise
    takes the score test of a further column. In 1,000 samples of 400
    with 16 % of the rarer value, intervals of importances covered 94.1 and 93.4 %, and noise was
    said to matter in 5.6 (four levels) and 5.5 %. Where a driver tells the two values
    apart without error, a note says so and there are no odds ratios.

    *Sampling designs.* Correlations and likelihoods are weighted, resamples keep clusters and
    strata, coefficients have the errors of ``svyglm`` in R's survey package. The rule for noise
    takes noise as alike within clusters as the driver in question: a score of a branch counts
    branches, not customers. In 1,000 samples each, noise was said to matter in 5.2 and 5.6 %
    (log-normal weights, sd .8, n = 200), and in 3.8 to 6.6 % (40 clusters of 10: noise of clusters,
    of rows, of both); intervals of real importances covered 93.9 to 95.4 %. In 500 samples of 20
    clusters of 20 they covered 93.2 and 95.8 %, noise 4.2 to 6.2 %.

    *Coefficients* ``b`` are in the units of the answers, with the errors of ordinary least squares
    where there is no design.

    References
    ----------
    Groemping (2007). Estimators of relative importance in linear regression based on variance
    decomposition. The American Statistician 61(2), 139-147.
    Johnson (2000). Multivariate Behavioral Research 35(1), 1-19.
    Azen & Traxel (2009). Using dominance analysis to determine predictor importance in logistic
    regression. Journal of Educational and Behavioral Statistics 34(3), 319-347.
    Tonidandel, LeBreton & Johnson (2009). Determining the statistical significance of relative
    weights. Psychological Methods 14(4), 387-399.

    Examples
    --------
    >>> from cxstats import Moments
    >>> from cxstats.priorities.drivers import drivers
    >>> m = Moments.from_correlation(
    ...     ["price", "staff", "stay"], [[1], [0.5, 1], [0.6, 0.4, 1]], n=200)
    >>> drivers(m, "stay", ["price", "staff"]).table[["estimate", "share"]].round(3)
            estimate  share
    driver
    price      0.287  0.768
    staff      0.087  0.232
    """
    if method not in METHODS:
        raise CxError(f"method is {method!r}; allowed: {', '.join(map(repr, METHODS))}")
    terms = read_terms(outcome, drivers)
    sampling = design_of(design, weights, cluster)
    check_level(level)
    check_min_cell(min_cell)
    check_resamples(n_resamples, seed)
    if method == "penalty-reward":
        return _penalty_reward(data, outcome, terms, by, options | {
            "level": level, "n_resamples": n_resamples, "seed": seed,
            "design": sampling})  # fmt: skip
    if options:
        raise CxError(f"{sorted(options)[0]!r} is no option of method {method!r}")
    sample, labels = sample_of(data, outcome, terms, by, sampling, method == "logistic")
    if method == "regression":
        sample = sample.ungrouped()
    estimates = importances(sample, method, level, n_resamples, seed, None)
    comparison = compare(sample, labels, by, method, level, n_resamples, seed, min_cell)
    return Drivers(
        table=_table(sample, estimates, level, method),
        method=method,
        outcome=outcome,
        r_squared=estimates.r_squared,
        r_squared_ci=(float(estimates.low[-1]), float(estimates.high[-1])),
        adjusted_r_squared=estimates.adjusted,
        noise=float(estimates.noise.min()),
        condition=estimates.regression.condition,
        coefficients=_coefficients(sample, estimates, level, method),
        groups=comparison.groups,
        comparisons=comparison.pairs,
        pairs=_pairs(sample, estimates, method, level),
        by=by,
        n=sample.n,
        n_dropped=sample.n_dropped,
        level=level,
        n_resamples=0 if sample.matrix is None else n_resamples,
        n_failed=estimates.n_failed,
        seed=seed,
        synthetic=is_synthetic(data),
        notes=(
            *_notes(sample, estimates, n_resamples, method),
            *_through_others(sample, estimates, level, method),
            *comparison.notes,
        ),
    )


def _pairs(
    sample: Sample, estimates: Importances, method: str, level: float
) -> pd.DataFrame | None:
    """Return the drivers compared with each other; betas are no parts of a whole."""
    if method == "regression":
        return None
    wide = reach(level, sample.effective_n, sum(sample.ranks), sample.df)
    return driver_pairs(estimates, list(sample.drivers), wide)


def _penalty_reward(
    data: Any, outcome: str, terms: tuple[Term, ...], by: str | None, options: dict[str, Any]
) -> PenaltyReward:
    from cxstats.priorities.penalty_reward import penalty_reward

    if isinstance(data, Moments):
        raise CxError("method='penalty-reward' needs respondents; these are moments")
    if by is not None:
        raise CxError(f"by={by!r} is no option of method 'penalty-reward'")
    groups = [term.name for term in terms if len(term.columns) > 1]
    if groups:
        raise CxError(
            f"driver {groups[0]!r} is a group of columns; method='penalty-reward' compares low and "
            "high answers of single columns"
        )
    names = [column for term in terms for column in term.columns]
    unknown = [name for name in options if name not in signature(penalty_reward).parameters]
    if unknown:
        raise CxError(f"{unknown[0]!r} is no option of method 'penalty-reward'")
    return penalty_reward(data, outcome, names, **options)


def _table(sample: Sample, estimates: Importances, level: float, method: str) -> pd.DataFrame:
    """Return the estimates, one row per driver."""
    import pandas as pd

    p = len(sample.drivers)
    of_importance, of_share = slice(0, p), slice(p, 2 * p)
    size = np.abs(estimates.importance)
    columns: dict[str, Any] = {
        "estimate": estimates.importance,
        "ci_low": estimates.low[of_importance],
        "ci_high": estimates.high[of_importance],
        "se": estimates.se[of_importance],
        "p_value": estimates.p_value,
        "share": estimates.share,
        "share_ci_low": estimates.low[of_share],
        "share_ci_high": estimates.high[of_share],
        "rank": 1 + (size[None, :] > size[:, None]).sum(axis=1),
        "rank_ci_low": np.nan,
        "rank_ci_high": np.nan,
        "first_share": np.nan,
    }
    if estimates.replicates is not None and estimates.n_failed < len(estimates.replicates):
        ranks = estimates.ranks()
        limits = percentile_limits(ranks, level, method="nearest")
        columns["rank_ci_low"], columns["rank_ci_high"] = limits
        columns["first_share"] = (ranks == 1).mean(axis=0)
    if method != "regression" and np.ptp(estimates.noise) > 0:
        columns["noise"] = estimates.noise
    columns |= _of_single_columns(sample, _by_column(sample, estimates, level, method))
    if sample.grouped:
        columns["columns"] = list(sample.sizes)
    if estimates.sampling_se is not None:
        columns["sampling_se"] = estimates.sampling_se
    table = pd.DataFrame(columns | {"n": sample.n}, index=list(sample.drivers))
    return table.rename_axis("driver")


def _by_column(sample: Sample, estimates: Importances, level: float, method: str) -> dict[str, Any]:
    """Return correlation, coefficients and collinearity of each column (q,)."""
    fit = estimates.regression
    b = estimates.coefficients.table(level).iloc[1:]
    columns: dict[str, Any] = {"correlation": sample.corr[:-1, -1]}
    if method != "logistic":
        scale = sample.sd[:-1] / sample.sd[-1]
        by_design = sample.sampled is not None
        columns |= {
            "beta": fit.beta,
            "beta_se": b["se"].to_numpy() * scale if by_design else fit.se,
            "beta_t": (b["estimate"] / b["se"]).to_numpy() if by_design else fit.t,
            "beta_p_value": b["p_value"].to_numpy() if by_design else fit.p_value,
        }
    columns |= {
        "b": b["estimate"].to_numpy(), "b_se": b["se"].to_numpy(),
        "b_ci_low": b["ci_low"].to_numpy(), "b_ci_high": b["ci_high"].to_numpy(),
    }  # fmt: skip
    if method == "logistic":
        columns |= {"b_p_value": b["p_value"].to_numpy()} | {
            name: np.exp(b[column].to_numpy())
            for name, column in (
                ("odds_ratio", "estimate"), ("odds_ratio_ci_low", "ci_low"),
                ("odds_ratio_ci_high", "ci_high"),
            )
        }  # fmt: skip
    return columns | {"vif": fit.vif, "tolerance": fit.tolerance}


def _of_single_columns(sample: Sample, columns: dict[str, Any]) -> dict[str, Any]:
    """Return the values of drivers of one column (p,), NaN for groups."""
    first = [at.start for at in sample.slices]
    single = np.array(sample.sizes) == 1
    return {
        name: np.where(single, np.asarray(values, float)[first], np.nan)
        for name, values in columns.items()
    }


def _coefficients(
    sample: Sample, estimates: Importances, level: float, method: str
) -> pd.DataFrame:
    """Return the coefficients of all columns, in the units of the answers."""
    table = estimates.coefficients.table(level)
    if method == "logistic":
        return table.assign(**logistic_columns(sample, estimates.coefficients, level))
    return table.assign(beta=np.append(np.nan, estimates.regression.beta))


def _notes(sample: Sample, estimates: Importances, n_resamples: int, method: str) -> list[Text]:
    """Return what was left out, what is rough and which drivers can hardly be told apart."""
    notes = missing_answers(sample.n_dropped)
    notes += sample.notes
    notes += _answer_types(sample, method)
    if sample.sampled is not None:
        notes += sample.sampled.rows.notes()
    if sample.matrix is None:
        notes.append(both("drivers.note.moments"))
    elif by_normal_limit(sample) and method != "logistic":
        notes.append(both("drivers.note.large", least=format_number(LARGE)))
    else:
        notes += few_resamples(n_resamples)
    notes += failed_resamples(estimates.n_failed, n_resamples)
    if estimates.separated:
        notes.append(both("drivers.note.separated", names=listed(list(estimates.separated))))
    notes += _collinearity(sample.columns, estimates.regression)
    if estimates.sampling_se is not None:
        bound = format_number(1.96 * float(estimates.sampling_se.max()), 4)
        orders = format_number(2 * PAIRS)
        notes.append(both("drivers.note.sampled", most=EXACT, orders=orders, bound=bound))
    return notes


def _answer_types(sample: Sample, method: str) -> list[Text]:
    """Return the notes on answers that are no measurements: missing codes, a 0/1 outcome."""
    if sample.matrix is None:
        return []
    columns = dict(zip((*sample.columns, sample.outcome), sample.matrix.T, strict=True))
    notes = missing_code_notes(columns)
    values = np.unique(columns[sample.outcome])
    if len(values) == 2 and method != "logistic":
        low, high = (format_number(float(value)) for value in values)
        notes.append(both("drivers.note.binary", outcome=sample.outcome, low=low, high=high))
    return notes


def _through_others(
    sample: Sample, estimates: Importances, level: float, method: str
) -> list[Text]:
    """Name drivers whose importance is clear of noise while their coefficient is not clear of 0."""
    if method == "regression":
        return []
    coefficients = estimates.coefficients
    names = []
    for j, (name, at) in enumerate(zip(sample.drivers, sample.slices, strict=True)):
        joint = coefficients.joint_p_value(at)
        if estimates.p_value[j] < 1 - level <= joint:
            evidence = p_text(joint)
            if sample.sizes[j] == 1:
                evidence = _coefficient(estimates, at.start, level, method)
            names.append(f"{name} ({evidence})")
    return [both("drivers.note.through_others", names=listed(names))] if names else []


def _coefficient(estimates: Importances, column: int, level: float, method: str) -> str:
    """Return a coefficient with its interval: beta, or the odds ratio."""
    b = estimates.coefficients.table(level).iloc[column + 1]
    low, high = b["ci_low"], b["ci_high"]
    if method == "logistic":
        limits = interval(np.exp(low), np.exp(high))
        return f"OR {format_number(np.exp(b['estimate']), 2)} {limits}"
    beta = estimates.regression.beta[column]
    scale = beta / b["estimate"]
    return f"β {format_number(beta, 2)} {interval(low * scale, high * scale)}"


def _collinearity(names: tuple[str, ...], fit: Regression) -> list[Text]:
    """Return the notes on drivers that others determine, exactly or nearly."""
    notes = []
    repeated = [name for name, left in zip(names, fit.tolerance, strict=True) if left == 0]
    if repeated:
        notes.append(both("drivers.note.repeated", names=listed(repeated)))
    inflated = [
        (name, format_number(vif, 1))
        for name, vif in zip(names, fit.vif, strict=True)
        if RULES["kutner2005"].band(vif) > 0 and vif < np.inf
    ]
    if inflated:
        notes.append(
            both(
                "drivers.note.inflated",
                names=Text(
                    ", ".join(f"{name} (VIF {vif})" for name, vif in inflated),
                    "、".join(f"{name}（VIF {vif}）" for name, vif in inflated),
                ),
                # Where another driver is repeated exactly there is no smallest eigenvalue.
                condition="∞" if fit.condition == np.inf else format_number(fit.condition, 0),
            )
        )
    return notes
