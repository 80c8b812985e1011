"""Reliability and validity of the constructs of a questionnaire, from moments alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.moments import Moments, bootstrap_moments, check_resamples, correlations, moments
from cxstats.service.factor_model import FactorModel, fit_factors
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.coefficients import (
    average_variance_extracted,
    cronbach_alpha,
    feldt_interval,
    htmt_matrix,
    item_statistics,
    omega,
)
from cxstats.stats.intervals import check_level
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVEL, N_RESAMPLES, SEED = 0.95, 2_000, 1
# By how much the bootstrap interval of alpha may exceed Feldt's before it is said.
NARROW = 1.15


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
        Why a number is not to be trusted: an item that goes against its construct or does not
        vary, an improper factor model, a Feldt interval too narrow for answers that are not
        normal.
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
        from cxstats.service.summaries import reliability_summary

        return reliability_summary(self, lang)

    def plot(self, ax: Any = None, lang: str = "en", **options: Any) -> Any:
        """Draw the heterotrait-monotrait ratios as a heat map."""
        from cxstats.charts.heatmap import htmt_heatmap

        return htmt_heatmap(self, ax=ax, lang=lang, **options)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from cxstats.core.formats import as_html

        return as_html(self.summary(), self.table)


def reliability(
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
    CxError
        If an option is wrong. A factor model that cannot be fitted, or is improper for a
        construct, raises nothing: its numbers are NaN and `problems` says why.

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
    check_resamples(n_resamples, seed)
    source = _Source.of(data, codebook, role)
    whole, model, failed = _whole(source)
    draws = None
    if source.matrix is not None and whole is not None:
        draws = _draws(source.complete(source.names), n_resamples, seed)
    table, items = _by_construct(source, model, level, n_resamples, seed)
    return Reliability(
        table=table,
        items=items,
        htmt=_htmt_table(whole, draws, source, level),
        fornell_larcker=_fornell_larcker(model, table),
        model=model,
        problems=(*failed, *_problems(items, model, source), *_not_normal(table)),
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


def _whole(source: _Source) -> tuple[Moments | None, FactorModel | None, tuple[str, ...]]:
    """Return the moments of all items and the factor model, or why there are none."""
    try:
        whole = source.moments(source.names)
    except DataError as error:
        return None, None, (f"no HTMT, omega, CR and AVE: {error}",)
    try:
        return whole, _model(whole, source), ()
    except CxError as error:
        return whole, None, (f"no omega, CR and AVE: {error}",)


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
        boot = np.full(2, np.nan)
        if source.matrix is not None and k > 1:
            replicates = cronbach_alpha(_draws(source.complete(columns), n_resamples, seed))
            boot = percentile_limits(replicates, level)
        proper = model is not None and model.proper(name)
        factor = model.of(name) if model and proper else None
        standard = model.of(name, standardised=True) if model and proper else None
        rows[name] = {
            "alpha": alpha,
            "alpha_ci_low": low,
            "alpha_ci_high": high,
            "omega": float(omega(*factor)) if factor else np.nan,
            "cr": float(omega(*standard)) if standard else np.nan,
            "ave": float(average_variance_extracted(*factor)) if factor else np.nan,
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


def _htmt_table(
    whole: Moments | None, draws: Array | None, source: _Source, level: float
) -> pd.DataFrame:
    import pandas as pd

    p = len(source.names)
    corr = np.full((p, p), np.nan) if whole is None else whole.corr

    place = {name: i for i, name in enumerate(source.names)}
    blocks = [[place[column] for column in columns] for columns in source.constructs.values()]
    # Of HTMT and of HTMT2: the ratios of all pairs, and their percentile limits.
    measures = [_htmt_limits(corr, draws, blocks, geometric, level) for geometric in (False, True)]
    rows = []
    for (i, first), (j, second) in combinations(enumerate(source.constructs), 2):
        row: list[Any] = [first, second]
        for numbers in measures:
            row += numbers[:, i, j].tolist()
        row.append(bool(row[4] < 1) if np.isfinite(row[4]) else None)
        rows.append(row)
    heads = ["first", "second", "htmt", "ci_low", "ci_high", "htmt2", "ci2_low", "ci2_high"]
    return pd.DataFrame(rows, columns=[*heads, "below_one"])


def _htmt_limits(
    corr: Array, draws: Array | None, blocks: list[list[int]], geometric: bool, level: float
) -> Array:
    """Return the ratios of all pairs and their percentile limits (3, J, J)."""
    ratios = htmt_matrix(corr, blocks, geometric)
    limits = np.full((2, *ratios.shape), np.nan)
    if draws is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            replicates = correlations(draws)
        limits = percentile_limits(htmt_matrix(replicates, blocks, geometric), level)
    return np.concatenate([ratios[None], limits])


def _fornell_larcker(model: FactorModel | None, table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    if model is None:
        return pd.DataFrame()
    matrix = model.corr.copy()
    np.fill_diagonal(matrix, np.sqrt(table.loc[list(model.names), "ave"].to_numpy()))
    return pd.DataFrame(matrix, model.names, model.names)


def _not_normal(table: pd.DataFrame) -> tuple[str, ...]:
    """Name the constructs whose Feldt interval is too narrow for their answers."""
    feldt = table["alpha_ci_high"] - table["alpha_ci_low"]
    boot = table["alpha_boot_high"] - table["alpha_boot_low"]
    return tuple(
        f"{name}: the bootstrap interval of alpha is {boot[name] / feldt[name]:.2f} times as wide "
        "as Feldt's; the answers are not normal, so read alpha_boot_low and alpha_boot_high"
        for name in table.index[boot > NARROW * feldt]
    )


def _problems(items: pd.DataFrame, model: FactorModel | None, source: _Source) -> tuple[str, ...]:
    own = [source.moments(columns) for columns in source.constructs.values()]
    found = [
        f"{name} does not vary"
        for moments in own
        for name, variance in zip(moments.names, np.diag(moments.cov), strict=True)
        if variance <= 0
    ]
    found += [
        f"{item} goes against its construct {row['construct']!r} (item-rest correlation "
        f"{row['item_rest']:.2f}): worded in reverse and not declared, or turned twice?"
        for item, row in items.iterrows()
        if row["item_rest"] < 0
    ]
    return (*found, *(model.problems if model else ()))
