"""Differences of paths between groups: permutation tests, all permutations at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, p_text
from cxstats.core.language import Text, both, label
from cxstats.core.moments import DRAWN, bootstrap_moments, check_resamples, correlations
from cxstats.core.progress import quiet_linear_algebra, tracked
from cxstats.core.result import Chart, Result
from cxstats.models.fitted_model import listed
from cxstats.models.pls.bootstrap import CHUNK
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.hypothesis_tests import adjust

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.pls.result import PlsFit

    Array = NDArray[np.float64]

ALPHA = 0.05  # p values below it are said in the summary
SMALLEST = 10  # respondents of a group
TIE = 1e-12  # of statistics that rounding sets apart


@dataclass(frozen=True, eq=False, repr=False)
class PlsGroupComparison(Result):
    """Paths of groups of respondents, pair by pair of groups.

    Attributes
    ----------
    table : pandas.DataFrame
        ``lhs, rhs, group_1, group_2, estimate_1, estimate_2, estimate`` (the difference, first
        less second), ``ci_low, ci_high`` (percentile, at the fit's level, from resamples
        within groups), ``p_value`` (permutation), ``p_adjusted`` (Holm over all rows), ``n_1,
        n_2``.
    invariance : pandas.DataFrame
        Whether groups weigh items alike (MICOM, step 2): ``construct, group_1, group_2,
        correlation, quantile_05, p_value``. `correlation` is that of the composites of either
        group's weights over all respondents; a small p value says they are other composites, and
        differences of paths then mean little.
    by : str
    n_permutations, n_failed, seed, level
        Permutations, those without a solution, the seed, and the level of the intervals.
    synthetic : bool
        Whether the respondents are simulated.
    """

    table: pd.DataFrame
    invariance: pd.DataFrame
    by: str
    n_permutations: int
    n_failed: int
    seed: int
    level: float
    synthetic: bool

    kinds: ClassVar[tuple[str, ...]] = ("differences",)
    reference: ClassVar[str] = (
        "Chin, W. W., & Dibbern, J. (2010). A permutation based procedure for multi-group PLS "
        "analysis. In V. Esposito Vinzi et al. (Eds.), Handbook of partial least squares. "
        "Springer.\n"
        "Henseler, J., Ringle, C. M., & Sarstedt, M. (2016). Testing measurement invariance of "
        "composites using partial least squares. International Marketing Review, 33(3), 405-431."
    )

    @property
    def notes(self) -> tuple[Text, ...]:
        """The constructs whose items the groups weigh differently."""
        variant = self.invariance[self.invariance["p_value"] < ALPHA]["construct"]
        if variant.empty:
            return ()
        return (both("pls.groups.invariance", names=listed(dict.fromkeys(variant))),)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the differences with intervals."""
        rows: Any = self.table
        several = len(rows[["group_1", "group_2"]].drop_duplicates()) > 1
        names = [
            f"{row.rhs} → {row.lhs}" + f" ({row.group_1} − {row.group_2})" * several
            for row in rows.itertuples()
        ]
        level = format_percent(100 * self.level, None, lang)
        settings = {
            "source": label(
                "pls.groups.source", lang, by=self.by, seed=self.seed,
                b=format_number(self.n_permutations),
            ),
            "axis": label("pls.groups.axis", lang, level=level),
            "level": self.level,
            "synthetic": self.synthetic,
        }  # fmt: skip
        limits = rows["estimate"], rows["ci_low"], rows["ci_high"]
        return Chart("intervals", (names, *limits), settings)

    def findings(self, lang: str) -> list[str]:
        """Return the differences with an adjusted p value below .05."""
        differ: Any = self.table[self.table["p_adjusted"] < ALPHA]
        head = label(
            "pls.groups.head", lang,
            by=self.by,
            count=format_number(self.n_permutations),
            seed=self.seed,
            k=len(differ),
            paths=len(self.table),
        )  # fmt: skip
        return [head] + [
            label(
                "pls.groups.row", lang,
                path=f"{row.lhs} ~ {row.rhs}",
                first=f"{row.group_1} {format_number(row.estimate_1, 3)}",
                second=f"{row.group_2} {format_number(row.estimate_2, 3)}",
                p=p_text(row.p_adjusted),
            )
            for row in differ.itertuples()
        ]  # fmt: skip


def compare_groups(fit: PlsFit, by: str, n_permutations: int, seed: int) -> PlsGroupComparison:
    """Test paths for differences between groups by permutation.

    Respondents of two groups are dealt anew to groups of the same sizes; the p value is
    ``(1 + #(|d*| >= |d|)) / (1 + permutations)``. Composites keep the direction of the whole
    sample's.

    Parameters
    ----------
    fit : PlsFit
        Fitted to all respondents.
    by : str
        Column of groups; a respondent without a group is left out.
    n_permutations, seed : int
        Permutations of each pair of groups; as many resamples for the intervals.

    Raises
    ------
    DataError, CxError
        If the column is not there, has fewer than two groups, or the model has no solution in
        one, or has an interaction or a higher-order construct.

    References
    ----------
    Chin & Dibbern (2010). A permutation based procedure for multi-group PLS analysis. In Esposito
    Vinzi et al., Handbook of partial least squares. Henseler, Ringle & Sarstedt (2016). Testing
    measurement invariance of composites using partial least squares. International Marketing
    Review 33(3), 405-431.
    """
    import pandas as pd

    check_resamples(n_permutations, seed)
    fit.require_sound("comparison")
    fit.require_one_stage(
        "a comparison of groups",
        "fit it to each group, or take one group of two as a moderator, 'y ~ x + group + x:group'",
    )
    fit.sample.require_rows("a comparison")
    groups = _groups(fit, by)
    tables, invariance, failed = [], [], 0
    with quiet_linear_algebra():
        samples = {
            key: _GroupSample.of(fit, key, rows, n_permutations, [seed, g])
            for g, (key, rows) in enumerate(groups.items())
        }
        for number, pair in enumerate(combinations(samples.values(), 2)):
            permuted = _permuted(fit, pair, n_permutations, [seed, number])
            failed += n_permutations - len(permuted[0][0])
            tables.append(_differences(fit, pair, permuted))
            invariance.append(_invariance(fit, pair, permuted))
    table = pd.concat(tables, ignore_index=True)
    table.insert(10, "p_adjusted", adjust(table["p_value"].to_numpy(float)))
    return PlsGroupComparison(
        table=table,
        invariance=pd.concat(invariance, ignore_index=True),
        by=by,
        n_permutations=n_permutations,
        n_failed=failed,
        seed=seed,
        level=fit.level,
        synthetic=fit.synthetic,
    )


@dataclass(frozen=True, eq=False)
class _GroupSample:
    """One group: its rows, its paths (k,) and weights (p,), paths of resamples (B, k)."""

    key: Any
    rows: Array
    paths: Array
    weights: Array
    replicates: Array

    @classmethod
    def of(
        cls, fit: PlsFit, key: Any, rows: Array, n_resamples: int, seed: list[int]
    ) -> _GroupSample:
        paths, weights = _paths_and_weights(fit, np.cov(rows.T)[None])
        if np.isnan(paths).any():
            raise CxError(f"group {key!r} has no solution on its own")
        resamples = bootstrap_moments(rows, n_resamples, seed)  # type: ignore[arg-type]
        return cls(key, rows, paths[0], weights[0], _paths_and_weights(fit, resamples.cov)[0])


Pair = tuple[_GroupSample, _GroupSample]
Permuted = list[tuple[Any, Any]]  # of each group: paths (B, k) and weights (B, p)


def _groups(fit: PlsFit, by: str) -> dict[Any, Array]:
    """Return the rows of every group."""
    import narwhals as nw
    import pandas as pd

    frame = fit.sample.frame
    if isinstance(frame, np.ndarray):
        raise DataError("an array has no column of groups; pass a table")
    table: Any = nw.from_native(frame)
    table = table.collect() if isinstance(table, nw.LazyFrame) else table
    if by not in table.columns:
        raise DataError(f"by={by!r} is no column of the data; columns: {', '.join(table.columns)}")
    column = np.asarray(table[by].to_list(), dtype=object)[fit.sample.used]
    answered = ~pd.isna(column)
    keys = list(dict.fromkeys(column[answered].tolist()))
    if len(keys) < 2:
        raise DataError(f"column {by!r} has {len(keys)} group(s); at least 2 are needed")
    groups = {key: fit.sample.matrix[answered & (column == key)] for key in keys}
    for key, rows in groups.items():
        if len(rows) < SMALLEST:
            raise DataError(
                f"group {key!r} of {by!r} has {len(rows)} complete cases; at least {SMALLEST} are "
                "needed"
            )
    return groups


def _paths_and_weights(fit: PlsFit, cov: Array) -> tuple[Array, Array]:
    """Return paths (B, k) and weights (B, p) of a batch; NaN where there is no solution."""
    ends, starts = zip(*((path.end, path.start) for path in fit.design.paths), strict=True)
    paths = np.empty((len(cov), len(ends)))
    weights = np.empty((len(cov), len(fit.design.items)))
    for start, stop in tracked(len(cov), CHUNK):
        estimates = fit.reestimate(cov[start:stop])
        converged = estimates.outer.converged[:, None]
        paths[start:stop] = np.where(
            converged, estimates.paths[:, list(ends), list(starts)], np.nan
        )
        weights[start:stop] = estimates.outer.weights
    return paths, weights


def _permuted(fit: PlsFit, pair: Pair, n_permutations: int, seed: Any) -> Permuted:
    """Return paths and weights of the two groups dealt anew, where both have a solution."""
    cov = _permuted_covariances(pair, n_permutations, seed)
    estimates = [_paths_and_weights(fit, group_cov) for group_cov in cov]
    solved = ~np.isnan(estimates[0][0] + estimates[1][0]).any(axis=1)
    return [(paths[solved], weights[solved]) for paths, weights in estimates]


def _permuted_covariances(pair: Pair, n_permutations: int, seed: Any) -> Array:
    """Return covariances of two groups dealt anew, (2, permutations, p, p)."""
    x = np.concatenate([sample.rows for sample in pair])
    x = x - x.mean(axis=0)
    n, p = x.shape
    n_first = len(pair[0].rows)
    row, column = np.tril_indices(p)
    products = np.concatenate([x, x[:, row] * x[:, column]], axis=1)
    total, generator = products.sum(axis=0), np.random.default_rng(seed)
    cov = np.empty((2, n_permutations, p, p))
    step = max(1, DRAWN // n)
    deal = (np.arange(n) < n_first).astype(float)
    for start in range(0, n_permutations, step):
        stop = min(start + step, n_permutations)
        sums = generator.permuted(np.tile(deal, (stop - start, 1)), axis=1) @ products
        for g, (group_sums, size) in enumerate(((sums, n_first), (total - sums, n - n_first))):
            mean = group_sums[:, :p] / size
            flat = (group_sums[:, p:] - size * mean[:, row] * mean[:, column]) / (size - 1)
            cov[g, start:stop, row, column] = cov[g, start:stop, column, row] = flat.T
    return cov


def _differences(fit: PlsFit, pair: Pair, permuted: Permuted) -> pd.DataFrame:
    """Return the differences of two groups' paths, with intervals and permutation tests."""
    import pandas as pd

    first, second = pair
    names, paths = fit.design.constructs, fit.design.paths
    difference = first.paths - second.paths
    limits = percentile_limits(first.replicates - second.replicates, fit.level)
    permuted_difference = permuted[0][0] - permuted[1][0]
    return pd.DataFrame(
        {
            "lhs": [names[path.end] for path in paths],
            "rhs": [names[path.start] for path in paths],
            "group_1": first.key,
            "group_2": second.key,
            "estimate_1": first.paths,
            "estimate_2": second.paths,
            "estimate": difference,
            "ci_low": limits[0],
            "ci_high": limits[1],
            "p_value": _permutation_p(-np.abs(permuted_difference), -np.abs(difference)),
            "n_1": len(first.rows),
            "n_2": len(second.rows),
        }
    )


def _permutation_p(permuted: Array, observed: Array) -> Array:
    """Return p values, small where few permutations are as low as what was observed.

    A permutation that repeats the sample counts.
    """
    below = (permuted <= observed + TIE).sum(axis=0)
    return np.asarray((1 + below) / (1 + len(permuted)))


def _invariance(fit: PlsFit, pair: Pair, permuted: Permuted) -> pd.DataFrame:
    """Compare the composites of two groups' weights over all respondents."""
    import pandas as pd

    pooled = correlations(np.cov(np.concatenate([sample.rows for sample in pair]).T))
    member = fit.design.member

    def correlation(first: Array, second: Array) -> Array:
        """Return the correlations (B, J) of composites with weights (B, p) each."""
        a, b = first[:, :, None] * member, second[:, :, None] * member

        def covariance(u: Array, v: Array) -> Array:
            return np.asarray(((pooled @ u) * v).sum(axis=1))

        return np.asarray(covariance(a, b) / np.sqrt(covariance(a, a) * covariance(b, b)))

    observed = correlation(pair[0].weights[None], pair[1].weights[None])[0]
    replicates = correlation(permuted[0][1], permuted[1][1])
    several = [j for j, mode in enumerate(fit.design.modes) if mode != "single"]
    return pd.DataFrame(
        {
            "construct": [fit.design.constructs[j] for j in several],
            "group_1": pair[0].key,
            "group_2": pair[1].key,
            "correlation": observed[several],
            "quantile_05": np.quantile(replicates, 0.05, axis=0)[several],
            "p_value": _permutation_p(replicates, observed)[several],
        }
    )
