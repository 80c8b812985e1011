"""Do paths differ between groups? Permutation tests, all permutations at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import as_html, format_number, format_percent, p_text
from cxstats.core.language import label
from cxstats.core.moments import DRAWN, bootstrap_moments, check_resamples, correlations
from cxstats.core.progress import quiet_linear_algebra, tracked
from cxstats.models.pls.algorithm import TOLERANCE_RESAMPLE
from cxstats.models.pls.bootstrap import CHUNK
from cxstats.models.pls.estimates import estimate
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.hypothesis_tests import adjust

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cxstats.models.pls.result import PlsFit

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupComparison:
    """Paths of groups of respondents, pair by pair of groups.

    Attributes
    ----------
    table : pandas.DataFrame
        ``lhs, rhs, group_1, group_2, estimate_1, estimate_2, estimate`` (the difference, first
        less second), ``ci_low, ci_high`` (percentile, at the fit's level, from resamples
        within groups), ``p_value`` (permutation), ``p_holm`` (Holm over all rows), ``n_1, n_2``.
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

    def plot(self, lang: str = "en", **options: Any) -> Axes:
        """Draw the differences with intervals; options are those of `cxstats.charts.intervals`."""
        from cxstats.charts import intervals

        rows: Any = self.table
        several = len(rows[["group_1", "group_2"]].drop_duplicates()) > 1
        names = [
            f"{row.rhs} → {row.lhs}" + f" ({row.group_1} − {row.group_2})" * several
            for row in rows.itertuples()
        ]
        level = format_percent(100 * self.level, None, lang)
        given: dict[str, Any] = {
            "source": label(
                "pls.groups.source", lang, by=self.by, seed=self.seed,
                b=format_number(self.n_permutations),
            ),
            "axis": label("pls.groups.axis", lang, level=level),
            "level": self.level,
            "synthetic": self.synthetic,
        }  # fmt: skip
        return intervals(
            names, rows["estimate"], rows["ci_low"], rows["ci_high"], lang=lang, **given | options
        )

    def summary(self, lang: str = "en") -> str:
        """Return the differences with an adjusted p value below .05, and doubts."""
        rows: Any = self.table
        found = rows[rows["p_holm"] < 0.05]
        lines = [
            label(
                "pls.groups.head",
                lang,
                by=self.by,
                count=format_number(self.n_permutations),
                seed=self.seed,
                found=len(found),
                paths=len(rows),
            )
        ]
        for row in found.itertuples():
            lines.append(
                f"  {row.lhs} ~ {row.rhs}: {row.group_1} {format_number(row.estimate_1, 3)}, "
                f"{row.group_2} {format_number(row.estimate_2, 3)}, {p_text(row.p_holm)}"
            )
        other = self.invariance[self.invariance["p_value"] < 0.05]
        if len(other):
            names = label("sem.and", lang).join(dict.fromkeys(other["construct"]))
            lines.append(label("pls.groups.invariance", lang, names=names))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


def compare_groups(fit: PlsFit, by: str, n_permutations: int, seed: int) -> GroupComparison:
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
        If the column is not there, has fewer than two groups, or the model has no solution in one.

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
    fit.sample.require_rows("a comparison")
    parts = _parts(fit, by)
    with quiet_linear_algebra():
        single = {key: _estimates(fit, np.cov(rows.T)[None]) for key, rows in parts.items()}
        for key, (paths, _) in single.items():
            if np.isnan(paths).any():
                raise CxError(f"group {key!r} has no solution on its own")
        drawn = {
            key: _estimates(fit, bootstrap_moments(rows, n_permutations, [seed, g]).cov)[0]  # type: ignore[arg-type]
            for g, (key, rows) in enumerate(parts.items())
        }
        tables, invariance, failed = [], [], 0
        for number, (one, other) in enumerate(combinations(parts, 2)):
            cov = _permuted(parts[one], parts[other], n_permutations, [seed, number])
            first, second = _estimates(fit, cov[0]), _estimates(fit, cov[1])
            lost = np.isnan(first[0] + second[0]).any(axis=1)
            failed += int(lost.sum())
            difference = (first[0] - second[0])[~lost]
            own = single[one][0][0], single[other][0][0]
            spread = drawn[one] - drawn[other]
            limits = percentile_limits(spread, fit.level)
            tables.append(
                pd.DataFrame(
                    {
                        "lhs": [fit.design.constructs[path.end] for path in fit.design.paths],
                        "rhs": [fit.design.constructs[path.start] for path in fit.design.paths],
                        "group_1": one, "group_2": other,
                        "estimate_1": own[0], "estimate_2": own[1], "estimate": own[0] - own[1],
                        "ci_low": limits[0], "ci_high": limits[1],
                        "p_value": _share(np.abs(difference), np.abs(own[0] - own[1])),
                        "n_1": len(parts[one]), "n_2": len(parts[other]),
                    }
                )
            )  # fmt: skip
            pooled = correlations(np.cov(np.concatenate([parts[one], parts[other]]).T))
            invariance.append(_invariance(
                fit, pooled, (one, other), (single[one][1], single[other][1]),
                (first[1][~lost], second[1][~lost]),
            ))  # fmt: skip
    table = pd.concat(tables, ignore_index=True)
    table.insert(10, "p_holm", adjust(table["p_value"].to_numpy(float)))
    return GroupComparison(
        table, pd.concat(invariance, ignore_index=True), by, n_permutations, failed, seed,
        fit.level, fit.synthetic,
    )  # fmt: skip


def _parts(fit: PlsFit, by: str) -> dict[Any, Array]:
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
    groups = np.asarray(table[by].to_list(), dtype=object)[fit.sample.kept]
    known = ~pd.isna(groups)
    keys = list(dict.fromkeys(groups[known].tolist()))
    if len(keys) < 2:
        raise DataError(f"column {by!r} has {len(keys)} group(s); at least 2 are needed")
    parts = {key: fit.sample.matrix[known & (groups == key)] for key in keys}
    small = [key for key, rows in parts.items() if len(rows) < 10]
    if small:
        raise DataError(
            f"group {small[0]!r} of {by!r} has {len(parts[small[0]])} complete cases; "
            "at least 10 are needed"
        )
    return parts


def _estimates(fit: PlsFit, cov: Array) -> tuple[Array, Array]:
    """Return paths (B, k) and weights (B, p) of a batch; NaN where there is no solution."""
    ends, starts = zip(*((path.end, path.start) for path in fit.design.paths), strict=True)
    parts = []
    for start, stop in tracked(len(cov), CHUNK):
        found = estimate(
            cov[start:stop], fit.design, fit.scheme, fit.consistent,
            reference=fit.estimates.found.weights[0], align=True, tolerance=TOLERANCE_RESAMPLE,
        )  # fmt: skip
        paths = found.paths[:, list(ends), list(starts)]
        paths[~found.found.converged] = np.nan
        parts.append((paths, found.found.weights))
    paths, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    return paths, weights


def _permuted(one: Array, other: Array, count: int, seed: Any) -> tuple[Array, Array]:
    """Return covariances of two groups dealt anew, (count, p, p) each."""
    x = np.concatenate([one, other])
    x = x - x.mean(axis=0)
    n, p = x.shape
    row, column = np.tril_indices(p)
    terms = np.concatenate([x, x[:, row] * x[:, column]], axis=1)
    total, generator = terms.sum(axis=0), np.random.default_rng(seed)
    out = np.empty((2, count, p, p))
    step = max(1, DRAWN // n)
    deal = (np.arange(n) < len(one)).astype(float)
    for start in range(0, count, step):
        stop = min(start + step, count)
        dealt = generator.permuted(np.tile(deal, (stop - start, 1)), axis=1)
        sums = dealt @ terms
        for g, (part, size) in enumerate(((sums, len(one)), (total - sums, len(other)))):
            mean = part[:, :p] / size
            flat = (part[:, p:] - size * mean[:, row] * mean[:, column]) / (size - 1)
            out[g, start:stop, row, column] = out[g, start:stop, column, row] = flat.T
    return out[0], out[1]


def _share(permuted: Array, found: Array) -> Array:
    """Return permutation p values; a permutation that repeats the sample counts."""
    above = (permuted >= found - 1e-12).sum(axis=0)
    return np.asarray((1 + above) / (1 + len(permuted)))


def _invariance(
    fit: PlsFit,
    pooled: Array,
    keys: tuple[Any, Any],
    own: tuple[Array, Array],
    permuted: tuple[Array, Array],
) -> pd.DataFrame:
    """Compare the composites of two groups' weights over all respondents."""
    import pandas as pd

    def alike(first: Array, second: Array) -> Array:
        member = fit.design.member
        a, b = first[:, :, None] * member, second[:, :, None] * member

        def joint(one: Array, two: Array) -> Array:
            return np.asarray(((pooled @ one) * two).sum(axis=1))

        return np.asarray(joint(a, b) / np.sqrt(joint(a, a) * joint(b, b)))

    found, drawn = alike(*own)[0], alike(*permuted)
    kept = [j for j, mode in enumerate(fit.design.modes) if mode != "single"]
    below = (drawn <= found + 1e-12).sum(axis=0)
    return pd.DataFrame(
        {
            "construct": [fit.design.constructs[j] for j in kept],
            "group_1": keys[0],
            "group_2": keys[1],
            "correlation": found[kept],
            "quantile_05": np.quantile(drawn, 0.05, axis=0)[kept],
            "p_value": ((1 + below) / (1 + len(drawn)))[kept],
        }
    )
