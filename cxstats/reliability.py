"""Reliability and validity of scales, from moments alone.

Scalar functions take a covariance or correlation matrix, or a batch of them ``(..., p, p)``, so
that a published table can be tested without data and a bootstrap is one call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.errors import CxError, DataError
from cxstats.factors import FactorModel, fit_factors
from cxstats.inference import check_level
from cxstats.moments import Moments, bootstrap_moments, correlations, moments
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVEL, N_RESAMPLES, SEED = 0.95, 2_000, 1


def cronbach_alpha(cov: Array) -> Array:
    """Return Cronbach's alpha, ``k / (k - 1) * (1 - trace / sum)``, of covariances (..., k, k).

    Of correlations it is the standardised alpha.

    References
    ----------
    Cronbach (1951). Coefficient alpha and the internal structure of tests. Psychometrika 16.

    Examples
    --------
    >>> import numpy as np
    >>> cronbach_alpha(np.array([[1, 0.5], [0.5, 1]])).round(4).item()
    0.6667
    """
    k = cov.shape[-1]
    if k < 2:
        return np.full(cov.shape[:-2], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.trace(cov, axis1=-2, axis2=-1) / cov.sum(axis=(-2, -1))
    alpha: Array = k / (k - 1) * (1 - share)
    return alpha


def feldt_interval(alpha: float, n: int, k: int, level: float = LEVEL) -> tuple[float, float]:
    """Return Feldt's interval of alpha.

    ``1 - (1 - alpha) F``, F the quantiles of the F distribution with ``n - 1`` and
    ``(n - 1)(k - 1)`` degrees of freedom. Exact for normal answers and parallel items; it covers
    less than stated when answers have heavy tails.

    Parameters
    ----------
    alpha : float
        Cronbach's alpha.
    n, k : int
        Cases and items.
    level : float
        Confidence level.

    References
    ----------
    Feldt, Woodruff & Salih (1987). Statistical inference for coefficient alpha. Applied
    Psychological Measurement 11, 93-103.

    Examples
    --------
    >>> [round(x, 4) for x in feldt_interval(0.8431, n=30, k=6)]
    [0.7412, 0.9145]
    """
    from scipy import stats

    check_level(level)
    if k < 2 or n < 2 or not np.isfinite(alpha):
        return float("nan"), float("nan")
    df = n - 1, (n - 1) * (k - 1)
    upper, lower = stats.f.ppf([(1 - level) / 2, (1 + level) / 2], *df)
    return float(1 - (1 - alpha) * lower), float(1 - (1 - alpha) * upper)


def item_statistics(cov: Array) -> tuple[Array, Array]:
    """Return item-rest correlations (k,) and alpha if each item is dropped (k,).

    Alpha of what is left is NaN where a single item is left.
    """
    k = len(cov)
    rest, dropped = np.full(k, np.nan), np.full(k, np.nan)
    for i in range(k):
        others = np.delete(np.arange(k), i)
        left = cov[np.ix_(others, others)]
        if k > 1:
            rest[i] = cov[i, others].sum() / np.sqrt(cov[i, i] * left.sum())
            dropped[i] = cronbach_alpha(left)
    return rest, dropped


def omega(loadings: Array, uniquenesses: Array) -> float:
    """Return omega, ``(sum l)^2 / ((sum l)^2 + sum theta)``: of a factor with variance 1.

    With standardised loadings it is called composite reliability (CR).

    References
    ----------
    McDonald (1999). Test theory; Fornell & Larcker (1981). JMR 18, 39-50.

    Examples
    --------
    >>> round(omega(np.array([0.8, 0.7, 0.6]), np.array([0.36, 0.51, 0.64])), 4)
    0.7449
    """
    common = loadings.sum() ** 2
    return float(common / (common + uniquenesses.sum()))


def average_variance_extracted(loadings: Array, uniquenesses: Array) -> float:
    """Return AVE, ``sum l^2 / (sum l^2 + sum theta)``, in the metric of the items.

    References
    ----------
    Fornell & Larcker (1981). Evaluating structural equation models. JMR 18, 39-50.

    Examples
    --------
    >>> round(average_variance_extracted(np.array([0.8, 0.7]), np.array([0.36, 0.51])), 4)
    0.565
    """
    common = (loadings**2).sum()
    return float(common / (common + uniquenesses.sum()))


def htmt(
    corr: Array, first: Sequence[int], second: Sequence[int], geometric: bool = False
) -> Array:
    """Return the heterotrait-monotrait ratio of two constructs.

    Mean absolute correlation between the items of different constructs, over the geometric mean
    of the two mean correlations within a construct (1 for a single item). HTMT2
    (``geometric=True``) takes geometric means throughout, which fits items with unequal loadings.

    Parameters
    ----------
    corr : array (..., p, p)
        Correlations, one matrix or a batch.
    first, second : sequences of int
        Places of the items.
    geometric : bool
        HTMT2 instead of HTMT.

    References
    ----------
    Henseler, Ringle & Sarstedt (2015). JAMS 43, 115-135. Roemer, Schuberth & Henseler (2021).
    HTMT2. Industrial Management & Data Systems 121, 2637-2650.

    Examples
    --------
    >>> r = np.array([[1, 0.6, 0.3], [0.6, 1, 0.3], [0.3, 0.3, 1]])
    >>> htmt(r, [0, 1], [2]).round(4).item()
    0.3873
    """
    absolute = np.abs(corr)

    def mean(rows: Any, columns: Any) -> Array:
        values = absolute[..., rows, columns]
        if not geometric:
            return np.asarray(values.mean(axis=-1))
        with np.errstate(divide="ignore"):
            return np.asarray(np.exp(np.log(values).mean(axis=-1)))

    across = [(i, j) for i in first for j in second]
    between = mean(*map(list, zip(*across, strict=True)))
    within = [
        mean(*map(list, zip(*combinations(items, 2), strict=True))) if len(items) > 1 else 1.0
        for items in (first, second)
    ]
    ratio: Array = between / np.sqrt(within[0] * within[1])
    return ratio


@dataclass(frozen=True, eq=False)
class Reliability:
    """Reliability and discriminant validity of the constructs of a questionnaire.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per construct: ``alpha, alpha_ci_low, alpha_ci_high`` (Feldt), ``omega, cr, ave,
        n_items, n, alpha_std, alpha_boot_low, alpha_boot_high`` (percentile bootstrap; NaN from
        moments alone). Omega, CR and AVE come from the confirmatory factor model in `model`.
    items : pandas.DataFrame
        One row per item: ``construct, loading`` (standardised), ``item_rest, alpha_if_dropped``.
    htmt : pandas.DataFrame
        One row per pair of constructs: ``first, second, htmt, ci_low, ci_high, htmt2, ci2_low,
        ci2_high, below_one``: whether the percentile interval of HTMT stays below 1.
    fornell_larcker : pandas.DataFrame
        Correlations of the factors, with the square root of AVE in the diagonal.
    model : FactorModel or None
        The factor model; None where no construct has two items.
    problems : tuple of str
        Why a number is not to be trusted.
    level, n_resamples, seed
        As given.
    codebook : Codebook
        The questionnaire.
    """

    table: pd.DataFrame
    items: pd.DataFrame
    htmt: pd.DataFrame
    fornell_larcker: pd.DataFrame
    model: FactorModel | None
    problems: tuple[str, ...]
    level: float
    n_resamples: int
    seed: int
    codebook: Codebook
    synthetic: bool = False

    def summary(self, lang: str = "en") -> str:
        """Return the findings in a few lines, formatted."""
        from cxstats.summaries import reliability_summary

        return reliability_summary(self, lang)

    def plot(self, ax: Any = None, lang: str = "en", **options: Any) -> Any:
        """Draw the heterotrait-monotrait ratios as a heat map."""
        from cxstats.charts.heatmap import htmt_heatmap

        return htmt_heatmap(self, ax=ax, lang=lang, **options)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from cxstats.summaries import as_html

        return as_html(self.summary(), self.table)


def reliability(  # noqa: PLR0913
    data: Any,
    codebook: Codebook,
    role: str | None = None,
    *,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> Reliability:
    """Compute alpha, omega, CR, AVE, HTMT and item statistics of every construct.

    Parameters
    ----------
    data : table of responses, or Moments
        Moments (a published matrix) give everything but the bootstrap intervals. Variables of
        moments and columns of a table are named as in the codebook.
    codebook : Codebook
        Which items belong together. Reverse items of a table are turned unless `cxstats.clean`
        turned them; moments are taken as they are.
    role : str, optional
        "perception", "expectation" or "minimum"; without it, the main answers.
    level, n_resamples, seed
        Confidence level, bootstrap resamples and their seed.

    Returns
    -------
    Reliability

    Raises
    ------
    DataError
        Naming the row and column of an answer that cannot be used, or a construct with fewer
        than two complete cases.

    Notes
    -----
    Alpha uses the cases that are complete on the items of the construct (n in the table);
    loadings, HTMT and what follows use the cases complete on all items. Loadings come from a
    maximum-likelihood factor model in which every item belongs to its construct and factors
    correlate; constructs with one item are left out of it. The HTMT interval is the bootstrap
    percentile interval that Henseler et al. (2015) compare with 1.

    Examples
    --------
    >>> import cxstats as cx
    >>> book = cx.Codebook(scale=(1, 7), constructs={"A": ["a1", "a2", "a3"]})
    >>> m = cx.Moments.from_correlation(["a1", "a2", "a3"], [[1], [0.5, 1], [0.5, 0.5, 1]], n=100)
    >>> cx.reliability(m, book).table[["alpha", "omega", "cr", "ave"]].round(3).loc["A"].tolist()
    [0.75, 0.75, 0.75, 0.5]
    """
    check_level(level)
    source = _Source.of(data, codebook, role)
    whole = source.moments(source.names)
    model = _model(whole, source)
    draws = (
        None if source.matrix is None else _draws(source.complete(source.names), n_resamples, seed)
    )
    table, items = _by_construct(source, model, level, n_resamples, seed)
    return Reliability(
        table=table,
        items=items,
        htmt=_htmt_table(whole.corr, draws, source, level),
        fornell_larcker=_fornell_larcker(model, table),
        model=model,
        problems=_problems(items, model, whole),
        level=level,
        n_resamples=n_resamples if source.matrix is not None else 0,
        seed=seed,
        codebook=codebook,
        synthetic=source.synthetic,
    )


@dataclass(frozen=True, eq=False)
class _Source:
    """Moments of any subset of items, from answers or from given moments."""

    codebook: Codebook
    constructs: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]
    matrix: Array | None
    given: Moments | None
    synthetic: bool

    @classmethod
    def of(cls, data: Any, codebook: Codebook, role: str | None) -> _Source:
        from cxstats.survey.answers import answers, as_pandas

        columns = {
            name: tuple(codebook.column(item, role) for item in items)
            for name, items in codebook.constructs.items()
        }
        names = tuple(column for part in columns.values() for column in part)
        if isinstance(data, Moments):
            return cls(codebook, columns, names, None, data.select(names), False)
        frame = as_pandas(data)
        synthetic = bool(frame.attrs.get("synthetic"))
        return cls(codebook, columns, names, answers(frame, codebook, role), None, synthetic)

    def complete(self, names: Sequence[str]) -> Array:
        """Return the cases that are complete on `names`."""
        assert self.matrix is not None
        part = self.matrix[:, [self.names.index(name) for name in names]]
        return part[~np.isnan(part).any(axis=1)]

    def moments(self, names: Sequence[str]) -> Moments:
        if self.given is not None:
            return self.given.select(names)
        assert self.matrix is not None
        complete = self.complete(names)
        if len(complete) < 2:
            raise DataError(
                f"{len(complete)} cases are complete on {', '.join(names[:4])}"
                f"{' ...' if len(names) > 4 else ''}; at least 2 are needed"
            )
        found: Moments = moments(complete, columns=names)
        return found


def _draws(matrix: Array, n_resamples: int, seed: int) -> Array:
    """Return bootstrap replicates of the covariances (B, p, p)."""
    return bootstrap_moments(matrix, n_resamples, seed).cov


def _model(whole: Moments, source: _Source) -> FactorModel | None:
    """Fit the factor model over the constructs that have at least two items that vary."""
    varies = np.diag(whole.cov) > 0
    groups = {}
    for name, columns in source.constructs.items():
        kept = [column for column in columns if varies[whole.index(column)]]
        if len(kept) > 1:
            groups[name] = kept
    # Two items alone do not identify a factor; with another factor they do.
    if not groups or (len(groups) == 1 and len(next(iter(groups.values()))) < 3):
        return None
    return fit_factors(whole, groups)


def _by_construct(
    source: _Source, model: FactorModel | None, level: float, n_resamples: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    rows, items = {}, []
    for name, columns in source.constructs.items():
        own = source.moments(columns)
        k = len(columns)
        with np.errstate(invalid="ignore", divide="ignore"):
            alpha, alpha_std = float(cronbach_alpha(own.cov)), float(cronbach_alpha(own.corr))
            rest, dropped = item_statistics(own.cov)
        low, high = feldt_interval(alpha, own.n, k, level)
        boot = (np.nan, np.nan)
        if source.matrix is not None and k > 1:
            replicates = cronbach_alpha(_draws(source.complete(columns), n_resamples, seed))
            boot = percentile(replicates, level)
        factor = model.of(name) if model else None
        rows[name] = {
            "alpha": alpha,
            "alpha_ci_low": low,
            "alpha_ci_high": high,
            "omega": omega(*factor) if factor else np.nan,
            "cr": omega(*model.of(name, standardised=True)) if model and factor else np.nan,
            "ave": average_variance_extracted(*factor) if factor else np.nan,
            "n_items": k,
            "n": own.n,
            "alpha_std": alpha_std,
            "alpha_boot_low": boot[0],
            "alpha_boot_high": boot[1],
        }
        for column, r, a in zip(columns, rest, dropped, strict=True):
            items.append((column, name, model.loading(column) if model else np.nan, r, a))
    heads = ["item", "construct", "loading", "item_rest", "alpha_if_dropped"]
    return pd.DataFrame.from_dict(rows, orient="index"), pd.DataFrame(
        items, columns=heads
    ).set_index("item")


def percentile(replicates: Array, level: float) -> tuple[float, float]:
    """Return the percentile interval of the replicates that are finite."""
    kept = replicates[np.isfinite(replicates)]
    if len(kept) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _htmt_table(corr: Array, draws: Array | None, source: _Source, level: float) -> pd.DataFrame:
    import pandas as pd

    place = {name: i for i, name in enumerate(source.names)}
    replicates = None
    if draws is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            replicates = correlations(draws)
    rows = []
    for first, second in combinations(source.constructs, 2):
        a, b = ([place[column] for column in source.constructs[name]] for name in (first, second))
        row: list[Any] = [first, second]
        for geometric in (False, True):
            row.append(float(htmt(corr, a, b, geometric)))
            row += (
                [np.nan, np.nan]
                if replicates is None
                else percentile(htmt(replicates, a, b, geometric), level)
            )
        row.append(bool(row[4] < 1) if np.isfinite(row[4]) else None)
        rows.append(row)
    heads = ["first", "second", "htmt", "ci_low", "ci_high", "htmt2", "ci2_low", "ci2_high"]
    return pd.DataFrame(rows, columns=[*heads, "below_one"])


def _fornell_larcker(model: FactorModel | None, table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    if model is None:
        return pd.DataFrame()
    matrix = model.corr.copy()
    np.fill_diagonal(matrix, np.sqrt(table.loc[list(model.names), "ave"].to_numpy()))
    return pd.DataFrame(matrix, model.names, model.names)


def _problems(items: pd.DataFrame, model: FactorModel | None, whole: Moments) -> tuple[str, ...]:
    found = [f"{name} does not vary" for name in np.array(whole.names)[np.diag(whole.cov) <= 0]]
    found += [
        f"{item} goes against its construct {row['construct']!r} (item-rest correlation "
        f"{row['item_rest']:.2f}): worded in reverse and not declared, or turned twice?"
        for item, row in items.iterrows()
        if row["item_rest"] < 0
    ]
    return (*found, *(model.problems if model else ()))
