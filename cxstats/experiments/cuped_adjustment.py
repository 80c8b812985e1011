"""CUPED: what was known of each unit before the experiment, taken out of the difference.

References
----------
Deng, Xu, Kohavi & Walker (2013). Improving the sensitivity of online controlled experiments by
utilizing pre-experiment data. WSDM, 123-132.
Lin (2013). Agnostic notes on regression adjustments to experimental data. Annals of Applied
Statistics 7, 295-318.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, p_text
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label
from cxstats.core.result import Chart, Result
from cxstats.experiments.ab_tests import check_groups
from cxstats.experiments.outcomes import Outcomes, read_outcomes
from cxstats.experiments.result import (
    distrust,
    distrust_title,
    in_units,
    points_scale,
    size_lines,
    size_notes,
)
from cxstats.experiments.sample_ratio_mismatch import RULE, SampleRatio, Shares, sample_ratio
from cxstats.metrics.comparison import satterthwaite, wald, welch_f
from cxstats.stats.hypothesis_tests import adjust
from cxstats.stats.intervals import check_level, t_interval
from cxstats.stats.sampling_design import Design, SampledRows, design_of
from cxstats.survey.answers import numbers
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MARKER = "{name} (missing)"  # name of the covariate that marks the missing values of another
DOUBTFUL = 0.05  # p value of a covariate's difference below which a note says so


@dataclass(frozen=True, eq=False, repr=False)
class Cuped(Result):
    """Differences adjusted for what was known before.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per variant: ``variant, control, estimate, ci_low, ci_high, se, statistic, df,
        p_value, p_adjusted`` (Holm), ``unadjusted, unadjusted_low, unadjusted_high,
        unadjusted_se, variance_reduction``
        (``1 - (se / unadjusted_se)^2``), ``n, n_control``. Units as in `AbTest`.
    covariates : pandas.DataFrame
        One row per covariate: ``covariate, theta, correlation`` (with the outcome, within groups),
        ``p_balance`` (Welch's test that its means are equal in all groups), ``n_missing``.
    r_squared : float
        Share of the variance that the covariates explain: what the variance falls by if the groups
        are large.
    kind : {"proportion", "mean", "nps"}
    sample_ratio : SampleRatio or None
    level, n, synthetic
    notes : tuple of Text
        What was filled in or is doubtful.
    """

    table: pd.DataFrame
    covariates: pd.DataFrame
    r_squared: float
    kind: str
    sample_ratio: SampleRatio | None
    level: float
    n: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("difference",)
    reference: ClassVar = (
        "Deng, Xu, Kohavi & Walker (2013). Improving the sensitivity of online controlled "
        "experiments by utilizing pre-experiment data. WSDM, 123-132."
    )

    @property
    def trusted(self) -> bool:
        """False if the groups' sizes do not follow the plan."""
        return self.sample_ratio is None or not self.sample_ratio.mismatch

    def findings(self, lang: str) -> list[str]:
        """Return adjusted and unadjusted differences."""
        heading = label(
            "experiment.cuped.head",
            lang,
            n=format_number(self.n),
            covariates=label("experiment.list", lang).join(self._covariate_names(lang)),
            share=format_percent(100 * self.r_squared, 1, lang),
            level=format_percent(100 * self.level, None, lang),
        )
        scale = points_scale(self.kind)
        rows: Any = self.table
        lines = [
            "  "
            + label(
                "experiment.cuped.row",
                lang,
                variant=row.variant,
                control=row.control,
                difference=in_units(row.estimate, self.kind, lang),
                interval=interval_text(scale * row.ci_low, scale * row.ci_high),
                p=p_text(row.p_adjusted),
                raw=format_number(scale * row.unadjusted, 2, sign=True),
                se=format_number(scale * row.se, 3),
                raw_se=format_number(scale * row.unadjusted_se, 3),
            )
            for row in rows.itertuples()
        ]
        warning = distrust(self.trusted, lang)
        return [*warning, heading, *lines, *size_lines(self.sample_ratio, lang)]

    def _covariate_names(self, lang: str) -> list[str]:
        """Return the covariates by name; those that mark missing values, in words."""
        names = list(self.covariates["covariate"])
        markers = {
            MARKER.format(name=name): label("experiment.cuped.marker", lang, covariate=name)
            for name in names
        }
        return [markers.get(name, name) for name in names]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return each difference twice, adjusted and not."""
        scale = points_scale(self.kind)
        names, estimates, low, high = [], [], [], []
        rows: Any = self.table
        for row in rows.itertuples():
            names += [
                label(f"experiment.cuped.{line}", lang, variant=row.variant)
                for line in ("adjusted", "raw")
            ]
            estimates += [scale * row.estimate, scale * row.unadjusted]
            low += [scale * row.ci_low, scale * row.unadjusted_low]
            high += [scale * row.ci_high, scale * row.unadjusted_high]
        keywords = {
            "source": label("metric.source", lang, n=format_number(self.n)),
            "axis": label(f"experiment.valid.axis.{self.kind}", lang),
            "level": self.level,
            "synthetic": self.synthetic,
        }
        warning = distrust_title(self.trusted, lang)
        return Chart("intervals", (names, estimates, low, high), keywords | warning)


@by_codebook()
def cuped(  # noqa: PLR0913  (keywords of a public function)
    frame: Any,
    *,
    outcome: str,
    group: str,
    control: Any,
    covariates: str | Sequence[str],
    metric: str = "mean",
    cluster: str | None = None,
    strata: str | None = None,
    design: Design | None = None,
    imbalance: str = "refuse",
    shares: Shares = "equal",
    level: float = 0.95,
    codebook: Any = None,
) -> Cuped:
    """Compare variants with the control after adjustment for covariates measured before.

    ``y_adj = y - theta (x - mean(x))`` with ``theta = cov(x, y) / var(x)``, pooled within groups:
    the difference stays unbiased, its variance falls by the squared correlation. Standard errors
    are Welch's of the adjusted values, plus the uncertainty of theta times the difference that
    there is between the covariates' means.

    Parameters
    ----------
    frame, outcome, group, control, shares, level
        As in `cxstats.ab_test`.
    covariates : str or sequence of str
        Numeric columns, measured before the experiment began (such as the outcome in the month
        before). One that the treatment can have changed biases the difference.
    metric : {"mean", "proportion", "nps"}
        How the outcome is read; a proportion or an NPS is adjusted as the mean that it is.
    cluster, strata, design : optional
        As in `cxstats.ab_test`, without weights. Errors are those of the regression on groups and
        covariates with clustered errors (statsmodels' ``cov_type="cluster"`` but for the factor
        ``(n - 1) / (n - k)``); sizes and balance are checked by clusters as well.
    imbalance : {"refuse", "note"}
        What to do if a covariate differs between groups by more than chance explains (p below .001,
        after Holm): such a covariate was measured too late, or the assignment failed.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes, direction, names and order of groups, and its sampling
        design unless one is named here (``weights=None`` names none).

    Returns
    -------
    Cuped

    Raises
    ------
    DataError
        As `cxstats.ab_test`; also if a covariate is not there, does not vary, repeats another, or
        differs between groups.
    CxError
        If an option is wrong.

    Notes
    -----
    Units without history: a missing covariate is set to the mean of the others, and a covariate
    "(missing)" of 0 and 1 is added, so that nobody is left out. The t interval is that of a mean:
    very skewed outcomes want hundreds of units per group.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> draw = np.random.default_rng(1)
    >>> before = draw.normal(50, 10, 2000)
    >>> arm = draw.permutation(np.repeat(["old", "new"], 1000))
    >>> spent = before + 1.0 * (arm == "new") + draw.normal(0, 5, 2000)
    >>> frame = pd.DataFrame({"arm": arm, "spent": spent, "before": before})
    >>> adjusted = cuped(frame, outcome="spent", group="arm", control="old", covariates="before")
    >>> adjusted.table[["variance_reduction"]].round(2).iloc[0].tolist()
    [0.8]
    """
    names = [covariates] if isinstance(covariates, str) else list(covariates)
    _check_options(names, outcome, imbalance, level)
    sampled = design_of(design, None, cluster, strata)
    if sampled is not None and sampled.weights is not None:
        raise CxError(
            "weights do not go with an adjustment for covariates; see cxstats.ab_test, or leave "
            "those of a codebook out by design=None"
        )
    outcomes = read_outcomes(frame, outcome, group, metric)
    check_groups(outcomes.groups, group, control)
    rows = None if sampled is None else sampled.read(outcomes.frame)
    columns, matrix, notes = _read_covariates(outcomes, names)
    sizes = np.bincount(outcomes.codes)
    if sizes.min() < 2 or len(outcomes.values) <= len(sizes) + len(columns):
        small = outcomes.groups[int(sizes.argmin())]
        raise DataError(
            f"group {small!r} has {sizes.min()} answers, and there are {len(columns)} covariates: "
            "too few for a variance"
        )
    check_rank(matrix, outcomes.codes, [name for name, _ in columns])
    p_balance = balance(matrix, outcomes.codes, len(outcomes.groups))
    if rows is not None:
        p_balance = balance_by_design(matrix, outcomes.codes, len(outcomes.groups), rows)
        notes += rows.notes()
    notes += _check_balance([name for name, _ in columns], p_balance, imbalance)
    adjusted = adjusted_means(outcomes.values, matrix, outcomes.codes, len(outcomes.groups))
    sizes = outcomes.assigned
    if sampled is not None and sampled.cluster is not None:
        sizes = outcomes.units(sampled.cluster)
        notes.append(both("experiment.note.units"))
    assigned = dict(zip(outcomes.groups, np.bincount(sizes).tolist(), strict=True))
    ratio = None if shares is None else sample_ratio(assigned, shares)
    base = outcomes.groups.index(control)
    errors = None
    if rows is not None:
        errors = _errors_by_design(adjusted, outcomes, matrix, base, rows)
    return Cuped(
        table=_differences(adjusted, outcomes.groups, control, level, errors),
        covariates=_covariate_table(adjusted, outcomes, matrix, columns, p_balance),
        r_squared=adjusted.r_squared,
        kind=metric,
        sample_ratio=ratio,
        level=level,
        n=len(outcomes.values),
        synthetic=outcomes.synthetic,
        notes=(*outcomes.notes, *notes, *size_notes(ratio)),
    )


def _check_options(names: Sequence[str], outcome: str, imbalance: str, level: float) -> None:
    """Raise if an option is not allowed."""
    check_level(level)
    if imbalance not in ("refuse", "note"):
        raise CxError(f"imbalance={imbalance!r}; allowed: 'refuse', 'note'")
    if not names or not all(isinstance(name, str) for name in names):
        raise CxError(f"covariates={names!r}; allowed: names of columns, at least one")
    if outcome in names or len(set(names)) < len(names):
        raise CxError(f"covariates={names!r}; allowed: each once, and not the outcome")


def _read_covariates(
    outcomes: Outcomes, names: Sequence[str]
) -> tuple[list[tuple[str, int]], Array, list[Text]]:
    """Return (name, missing) of each covariate, the matrix (n, k) with nothing missing, notes."""
    columns, values, notes = [], [], []
    for name in names:
        x = numbers(outcomes.frame, name)
        missing = np.isnan(x)
        if missing.all():
            raise DataError(f"covariate {name!r} has no values")
        count = int(missing.sum())
        columns.append((name, count))
        values.append(np.where(missing, np.mean(x[~missing]), x))
        if count:
            columns.append((MARKER.format(name=name), 0))
            values.append(missing.astype(float))
            notes.append(
                both("experiment.cuped.missing", count=format_number(count), covariate=name)
            )
    return columns, np.column_stack(values), notes


def _check_balance(names: Sequence[str], p_values: Array, imbalance: str) -> list[Text]:
    adjusted = adjust(p_values)
    worst = int(np.nanargmin(adjusted)) if np.isfinite(adjusted).any() else 0
    p = adjusted[worst]
    if RULE.band(p) == 0 and imbalance == "refuse":
        raise DataError(
            f"covariate {names[worst]!r} differs between the groups ({p_text(float(p))}, adjusted "
            "after Holm): it was measured after the treatment began, or the assignment failed; "
            "allowed: what was measured before (imbalance='note' goes on all the same)"
        )
    if p < DOUBTFUL:
        name, p_shown = names[worst], p_text(float(p))
        return [both("experiment.cuped.doubtful", covariate=name, p=p_shown)]
    return []


@dataclass(frozen=True, slots=True, eq=False)
class _Errors:
    """Standard errors and degrees of freedom of differences, adjusted and not, arrays (v,)."""

    se: Array
    df: Array
    raw_se: Array
    raw_df: Array


def _errors_by_design(
    adjusted: Adjusted, outcomes: Outcomes, matrix: Array, base: int, rows: SampledRows
) -> _Errors:
    """Return the errors of the differences from group `base` by the clusters of the rows.

    The influence of a row on an adjusted difference is ``e / n_v - e / n_c - g' S_xx^-1 x e`` with
    its residual e, its covariates x within groups, and g the difference of their means.
    """
    codes, n = outcomes.codes, adjusted.n
    x, y = within(matrix, codes), within(outcomes.values[:, None], codes)[:, 0]
    residual = y - x @ adjusted.theta
    member = codes[:, None] == np.arange(len(n))
    variants = [i for i in range(len(n)) if i != base]
    gap = adjusted.covariate_mean[variants] - adjusted.covariate_mean[base]
    of_theta = np.linalg.solve(x.T @ x, x.T * residual).T
    own_df = np.array([_clusters_less_strata(rows, codes == i) for i in range(len(n))])
    pairs = [(codes == i) | (codes == base) for i in variants]
    together = np.array([_clusters_less_strata(rows, pair) - 1 for pair in pairs])

    def errors(values: Array, extra: Array) -> tuple[Array, Array]:
        means = values[:, None] * member / n
        variance = np.diag(rows.covariance(means))
        influence = means[:, variants] - means[:, [base]] - extra
        se = np.sqrt(np.diag(rows.covariance(influence)))
        welch = satterthwaite(variance[variants], own_df[variants], variance[base], own_df[base])
        return se, np.fmin(welch, together)

    return _Errors(*errors(residual, of_theta @ gap.T), *errors(y, np.zeros((len(y), 1))))


def _clusters_less_strata(rows: SampledRows, member: NDArray[np.bool_]) -> float:
    """Return the degrees of freedom of some of the rows."""
    clusters = np.unique(rows.cluster[member])
    return float(len(clusters) - len(np.unique(rows.stratum[clusters])))


def balance_by_design(
    matrix: Array, codes: NDArray[np.intp], groups: int, rows: SampledRows
) -> Array:
    """Return p values (k,) of Wald's F that the covariates' means are equal, by clusters."""
    from scipy.special import fdtrc

    member = codes[:, None] == np.arange(groups)
    n, inside = member.sum(axis=0), within(matrix, codes)
    df = rows.df - (groups - 1)
    p_values = np.full(matrix.shape[1], np.nan)
    for j, x in enumerate(matrix.T):
        means = (x[:, None] * member).sum(axis=0) / n
        chi_square = wald(rows.covariance(inside[:, [j]] * member / n), means)
        if df >= 1 and np.isfinite(chi_square):
            p_values[j] = fdtrc(groups - 1, df, chi_square / (groups - 1))
    return p_values


def _differences(
    adjusted: Adjusted,
    groups: Sequence[Any],
    control: Any,
    level: float,
    errors: _Errors | None = None,
) -> pd.DataFrame:
    import pandas as pd
    from scipy.special import stdtr

    base = list(groups).index(control)
    variants = [i for i in range(len(groups)) if i != base]

    def against(mean: Array, error: Array, df: Array) -> tuple[Array, Array, Array]:
        """Return difference, the variance from both groups, and Welch's degrees of freedom."""
        a, b = error[variants], error[base]
        with np.errstate(invalid="ignore", divide="ignore"):
            welch = (a + b) ** 2 / (a**2 / df[variants] + b**2 / df[base])
        return mean[variants] - mean[base], a + b, welch

    estimate, variance, df = against(adjusted.mean, adjusted.variance / adjusted.n, adjusted.df)
    raw, raw_variance, raw_df = against(
        adjusted.raw_mean, adjusted.raw_variance / adjusted.n, adjusted.n - 1
    )
    gap = adjusted.covariate_mean[variants] - adjusted.covariate_mean[base]
    se = np.sqrt(variance + np.einsum("ij,jk,ik->i", gap, adjusted.precision, gap))
    raw_se = np.sqrt(raw_variance)
    if errors is not None:
        se, df, raw_se, raw_df = errors.se, errors.df, errors.raw_se, errors.raw_df
    low, high = t_interval(estimate, se, df, level)
    raw_low, raw_high = t_interval(raw, raw_se, raw_df, level)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = estimate / se
        fall = 1 - (se / raw_se) ** 2
    p = 2 * stdtr(df, -np.abs(t))
    return pd.DataFrame(
        {
            "variant": [groups[i] for i in variants],
            "control": [control] * len(variants),
            "estimate": estimate,
            "ci_low": low,
            "ci_high": high,
            "se": se,
            "statistic": t,
            "df": df,
            "p_value": p,
            "p_adjusted": adjust(p),
            "unadjusted": raw,
            "unadjusted_low": raw_low,
            "unadjusted_high": raw_high,
            "unadjusted_se": raw_se,
            "variance_reduction": fall,
            "n": adjusted.n[variants].astype(int),
            "n_control": int(adjusted.n[base]),
        }
    )


def _covariate_table(
    adjusted: Adjusted,
    outcomes: Outcomes,
    matrix: Array,
    columns: Sequence[tuple[str, int]],
    p_balance: Array,
) -> pd.DataFrame:
    import pandas as pd

    y, x = within(outcomes.values[:, None], outcomes.codes)[:, 0], within(matrix, outcomes.codes)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = x.T @ y / np.sqrt((x**2).sum(axis=0) * (y @ y))
    return pd.DataFrame(
        {
            "covariate": [name for name, _ in columns],
            "theta": adjusted.theta,
            "correlation": correlation,
            "p_balance": p_balance,
            "n_missing": [count for _, count in columns],
        }
    )


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """Groups after adjustment for k covariates.

    Attributes
    ----------
    theta : array (k,)
        ``S_xx^-1 S_xy``, pooled within groups.
    mean, variance, n, df : arrays (g,)
        Adjusted means, variances of an answer around the regression, answers, degrees of freedom.
    raw_mean, raw_variance : arrays (g,)
        The same without adjustment.
    covariate_mean : array (g, k)
    precision : array (k, k)
        ``s^2 S_xx^-1``, the covariance of theta with one residual variance.
    r_squared : float
        Share of the variance within groups that the covariates explain.
    """

    theta: Array
    mean: Array
    variance: Array
    n: Array
    df: Array
    raw_mean: Array
    raw_variance: Array
    covariate_mean: Array
    precision: Array
    r_squared: float


def adjusted_means(y: Array, x: Array, codes: NDArray[np.intp], groups: int) -> Adjusted:
    """Return the means of groups adjusted for covariates, ``y - theta (x - mean(x))``.

    Theta is pooled within groups, so that the differences equal those of the regression of y on
    groups and covariates (ANCOVA) to the last digit; each group keeps a variance of its own.

    Parameters
    ----------
    y : array (n,)
    x : array (n, k)
        Covariates that are not collinear within groups.
    codes : array (n,)
        Group of a row, from 0.
    groups : int
    """
    n, k = np.bincount(codes, minlength=groups).astype(float), x.shape[1]

    def means(column: Array) -> Array:
        return np.asarray(np.bincount(codes, column, groups) / n)

    y_mean, x_mean = means(y), np.column_stack([means(column) for column in x.T])
    y_within, x_within = y - y_mean[codes], x - x_mean[codes]
    scatter = x_within.T @ x_within
    theta: Array = np.linalg.solve(scatter, x_within.T @ y_within).astype(np.float64)
    residual = y_within - x_within @ theta
    # The k degrees of freedom that theta takes are shared out by the groups' sizes.
    df = (n - 1) * (1 - k / (n.sum() - groups))
    total, unexplained = float(y_within @ y_within), float(residual @ residual)
    return Adjusted(
        theta=theta,
        mean=y_mean - (x_mean - x.mean(axis=0)) @ theta,
        variance=np.bincount(codes, residual**2, groups) / df,
        n=n,
        df=df,
        raw_mean=y_mean,
        raw_variance=np.bincount(codes, y_within**2, groups) / (n - 1),
        covariate_mean=x_mean,
        precision=(unexplained / df.sum() * np.linalg.inv(scatter)).astype(np.float64),
        r_squared=1 - unexplained / total if total > 0 else float("nan"),
    )


def within(matrix: Array, codes: NDArray[np.intp]) -> Array:
    """Return columns (n, k) less the means of their groups."""
    sizes = np.bincount(codes)
    means = np.column_stack([np.bincount(codes, x) / sizes for x in matrix.T])
    return np.asarray(matrix - means[codes])


def check_rank(matrix: Array, codes: NDArray[np.intp], names: Sequence[str]) -> None:
    """Raise if a covariate does not vary within groups, or follows from those before it."""
    inside = within(matrix, codes)
    size = np.abs(matrix).max(axis=0)
    basis = np.zeros((len(matrix), 0))
    for j, name in enumerate(names):
        x = inside[:, j]
        spread = np.linalg.norm(x)
        if spread <= 1e-10 * size[j] * np.sqrt(len(x)):
            raise DataError(f"covariate {name!r} does not vary within groups")
        for _ in range(2):  # twice, for rounding
            x = x - basis @ (basis.T @ x)
        if np.linalg.norm(x) <= 1e-8 * spread:
            raise DataError(f"covariate {name!r} repeats the covariates before it")
        basis = np.column_stack([basis, x / np.linalg.norm(x)])


def balance(matrix: Array, codes: NDArray[np.intp], groups: int) -> Array:
    """Return p values (k,) of Welch's test that the covariates' means are equal."""
    from scipy.special import fdtrc

    n = np.bincount(codes, minlength=groups).astype(float)
    inside = within(matrix, codes)
    p_values = []
    for x, w in zip(matrix.T, inside.T, strict=True):
        se = np.sqrt(np.bincount(codes, w**2, groups) / (n - 1) / n)
        f, df = welch_f(np.bincount(codes, x, groups) / n, se, n)
        p_values.append(float(fdtrc(groups - 1, df, f)) if np.isfinite(f) else np.nan)
    return np.array(p_values)
