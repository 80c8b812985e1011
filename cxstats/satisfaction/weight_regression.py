"""The weights of ``S = alpha Q + beta I + gamma P`` estimated, and not only assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import as_html, format_number, format_percent, interval
from cxstats.core.language import Text, both, label
from cxstats.core.moments import bootstrap_moments, check_resamples
from cxstats.core.progress import quiet_linear_algebra
from cxstats.satisfaction.formula_registry import origin
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level
from cxstats.survey.answers import as_pandas, numbers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NAMES = ("alpha", "beta", "gamma")
METHODS = ("constrained", "ols")
SINGULAR = 1e-8  # smallest eigenvalue of the correlations that counts as one


@dataclass(frozen=True, eq=False)
class ServiceWeights:
    """Estimated weights of service quality, interactivity and personalisation.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per method ("constrained", "ols") and weight (alpha, beta, gamma; and the
        constant): ``method, weight, column, estimate, ci_low, ci_high, se, at_zero, n``. Intervals
        are percentile bootstrap; `at_zero` is the share of resamples whose weight is 0.
    r_squared : dict of method to float
        Share of the variance of satisfaction.
    intercept : bool
    n, n_left_out : int
        Respondents used; those with a missing answer.
    outcome : str
    level, n_resamples, seed, synthetic
    remarks : tuple of Text
        What a reader must know.
    """

    table: pd.DataFrame
    r_squared: dict[str, float]
    intercept: bool
    n: int
    n_left_out: int
    outcome: str
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    remarks: tuple[Text, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, in English."""
        return tuple(remark.en for remark in self.remarks)

    def of(self, method: str = "constrained") -> dict[str, float]:
        """Return ``{"alpha": ..., "beta": ..., "gamma": ...}``, for `service_satisfaction`."""
        if method not in METHODS:
            raise CxError(f"method is {method!r}; allowed: {', '.join(METHODS)}")
        rows = self.table[(self.table["method"] == method) & self.table["weight"].isin(NAMES)]
        return dict(zip(rows["weight"], rows["estimate"].tolist(), strict=True))

    def summary(self, lang: str = "en") -> str:
        """Return both sets of weights with their intervals."""
        lines = [
            label(
                "satisfaction.estimated.head", lang, outcome=self.outcome,
                n=format_number(self.n), b=format_number(self.n_resamples), seed=self.seed,
                level=format_percent(100 * self.level, None, lang),
            )
        ]  # fmt: skip
        lines += [label("servqual.synthetic", lang)] if self.synthetic else []
        lines.append(label("satisfaction.formula", lang, origin=origin("A09").get(lang)))
        constant = label("satisfaction.estimated.constant", lang)
        for method in METHODS:
            head = label(f"satisfaction.estimated.{method}", lang)
            lines.append(f"  {head}, R² = {format_number(self.r_squared[method], 3)}")
            for _, row in self.table[self.table["method"] == method].iterrows():
                name = f"{row['weight']} ({row['column']})" if row["column"] else constant
                limits = interval(row["ci_low"], row["ci_high"], 3)
                lines.append(f"    {name}: {format_number(row['estimate'], 3)} {limits}")
        return "\n".join([*lines, *(f"  * {remark.get(lang)}" for remark in self.remarks)])

    def plot(self, ax: Axes | None = None, lang: str = "en", **options: Any) -> Axes:
        """Draw the weights of both methods with intervals; see `cxstats.charts.intervals`."""
        from cxstats.charts import intervals

        rows = self.table[self.table["weight"].isin(NAMES)]
        names = [
            f"{row['column']} ({label('satisfaction.estimated.' + row['method'], lang)})"
            for _, row in rows.iterrows()
        ]
        key = "simulated" if self.synthetic else "own"
        given = {
            "source": label(f"chart.survey.{key}", lang, n=format_number(self.n)),
            "axis": label("satisfaction.estimated.axis", lang),
            "synthetic": self.synthetic,
            **options,
        }
        return intervals(
            names, rows["estimate"], rows["ci_low"], rows["ci_high"], level=self.level, lang=lang,
            ax=ax, **given,
        )  # fmt: skip

    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


def estimate_service_weights(  # noqa: PLR0913  (keywords)
    data: Any,
    satisfaction: str,
    quality: str,
    interactivity: str,
    personalisation: str,
    *,
    intercept: bool = True,
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
) -> ServiceWeights:
    """Estimate the weights of ``S = a + alpha Q + beta I + gamma P`` by least squares.

    Twice: "constrained", not negative and summing to 1, as weights of formula A09 (document 000,
    3.3 (3)) would be; and "ols", free. Where the two differ, the data disagree with the formula.

    Parameters
    ----------
    data : pandas, Polars, PyArrow table or DuckDB relation
        Respondents in rows.
    satisfaction, quality, interactivity, personalisation : str
        Columns, answered on one scale.
    intercept : bool
        With a constant `a`, which the printed formula has not: without it the constrained
        weights are bent towards the levels of the answers, and not only towards how they vary
        together. An `a` far from 0 says that satisfaction is answered at another level.
    level, n_resamples, seed
        Confidence level, bootstrap resamples of respondents, their seed.

    Returns
    -------
    ServiceWeights

    Raises
    ------
    DataError
        If a column is missing or holds no numbers, fewer than five answers are complete, or one
        of the three repeats the others.

    Notes
    -----
    A percentile interval of a weight that is 0 in truth is not exact: the constraint holds the
    resamples too (Andrews 2000). The table says in how many resamples a weight is 0.

    References
    ----------
    Andrews (2000). Inconsistency of the bootstrap when a parameter is on the boundary of the
    parameter space. Econometrica 68(2), 399-405.

    Examples
    --------
    >>> import pandas as pd
    >>> x = np.random.default_rng(1).normal(70, 10, (400, 3))
    >>> frame = pd.DataFrame(x, columns=["Q", "I", "P"])
    >>> frame["S"] = x @ [0.5, 0.3, 0.2] + np.random.default_rng(2).normal(0, 3, 400)
    >>> found = estimate_service_weights(frame, "S", "Q", "I", "P", n_resamples=1000)
    >>> {name: round(value, 2) for name, value in found.of().items()}
    {'alpha': 0.52, 'beta': 0.3, 'gamma': 0.17}
    """
    import pandas as pd

    check_level(level)
    check_resamples(n_resamples, seed)
    frame, columns = as_pandas(data), (quality, interactivity, personalisation)
    if len({satisfaction, *columns}) < 4:
        raise CxError(f"{satisfaction!r}, {', '.join(map(repr, columns))}: one column twice")
    matrix = np.column_stack([numbers(frame, name) for name in (satisfaction, *columns)])
    kept = ~np.isnan(matrix).any(axis=1)
    matrix = matrix[kept]
    roles = ("satisfaction", "quality", "interactivity", "personalisation")
    check_answers(matrix, (satisfaction, *columns), roles)
    n = len(matrix)
    with quiet_linear_algebra():
        drawn = bootstrap_moments(matrix, n_resamples, seed)
        mean, cov = matrix.mean(axis=0)[None], np.cov(matrix, rowvar=False)[None]
        own, r2 = fitted(mean, cov, n, intercept)
        replicates, _ = fitted(drawn.mean, drawn.cov, n, intercept)
    tails = percentile_limits(replicates, level)
    size = 3 + intercept
    names, of = ([*NAMES, "constant"][:size], [*columns, ""][:size])
    zero = (replicates == 0).mean(axis=0)
    table = pd.DataFrame(
        {
            "method": np.repeat(METHODS, size),
            "weight": names * 2,
            "column": of * 2,
            "estimate": own[0],
            "ci_low": tails[0],
            "ci_high": tails[1],
            "se": replicates.std(axis=0, ddof=1),
            "at_zero": zero,
            "n": n,
        }
    )
    return ServiceWeights(
        table, dict(zip(METHODS, r2[0].tolist(), strict=True)), intercept, n, int((~kept).sum()),
        satisfaction, level, n_resamples, seed, bool(frame.attrs.get("synthetic")),
        _remarks(table, int((~kept).sum()), len(frame), intercept),
    )  # fmt: skip


def fitted(mean: Array, cov: Array, n: int, intercept: bool) -> tuple[Array, Array]:
    """Return weights of both methods (B, 6 or 8) and their shares of variance (B, 2).

    Parameters
    ----------
    mean, cov : arrays (B, 4), (B, 4, 4)
        Satisfaction first.
    n : int
        Cases; without a constant the mean squares about 0 are fitted.
    intercept : bool
        Whether there is a constant; it stands behind the weights then.
    """
    squares = cov * (n - 1) / n
    if not intercept:
        squares = squares + mean[:, :, None] * mean[:, None, :]
    a, b = squares[:, 1:, 1:], squares[:, 1:, 0]
    found, shares = [], []
    for weights in (simplex_least_squares(a, b), _solved(a, b)):
        level = mean[:, 0] - (weights * mean[:, 1:]).sum(axis=1)
        found.append(np.column_stack([weights, level]) if intercept else weights)
        rest = squares[:, 0, 0] - 2 * (weights * b).sum(axis=1) + _quadratic(a, weights)
        shares.append(1 - rest / (cov[:, 0, 0] * (n - 1) / n))
    return np.concatenate(found, axis=1), np.column_stack(shares)


def simplex_least_squares(a: Array, b: Array) -> Array:
    """Minimise ``w'Aw - 2 b'w`` over weights that are not negative and sum to 1; exactly.

    The minimum lies inside one of the ``2^k - 1`` faces of the simplex, where it solves a linear
    system: of the solutions that are not negative the lowest is taken, for the whole batch.

    Parameters
    ----------
    a : array (B, k, k)
        Positive semidefinite.
    b : array (B, k)

    Returns
    -------
    array (B, k)

    Examples
    --------
    >>> simplex_least_squares(np.eye(3)[None], np.array([[0.9, 0.5, -0.2]])).round(6).tolist()
    [[0.7, 0.3, 0.0]]
    """
    batch, k = b.shape
    scale = np.trace(a, axis1=1, axis2=2)[:, None] / k
    a, b = a / scale[..., None], b / scale
    best, lowest = np.zeros((batch, k)), np.full(batch, np.inf)
    for size in range(1, k + 1):
        for face in combinations(range(k), size):
            at = list(face)
            inside = _on_plane(a[:, at][:, :, at], b[:, at])
            trial = np.zeros((batch, k))
            trial[:, at] = inside
            value = _quadratic(a, trial) - 2 * (trial * b).sum(axis=1)
            better = (inside >= 0).all(axis=1) & (value < lowest)
            best[better], lowest[better] = trial[better], value[better]
    return best


def _on_plane(a: Array, b: Array) -> Array:
    """Minimise ``w'Aw - 2 b'w`` over weights that sum to 1."""
    batch, k = b.shape
    bordered = np.zeros((batch, k + 1, k + 1))
    bordered[:, :k, :k] = a
    bordered[:, :k, k] = bordered[:, k, :k] = 1
    right = np.column_stack([b, np.ones(batch)])
    return _solved(bordered, right)[:, :k]


def _solved(a: Array, b: Array) -> Array:
    """Solve symmetric systems; a singular one gets its shortest solution."""
    found: Array = (np.linalg.pinv(a, rcond=1e-13, hermitian=True) @ b[..., None])[..., 0]
    return found


def _quadratic(a: Array, w: Array) -> Array:
    found: Array = np.einsum("bi,bij,bj->b", w, a, w)
    return found


def check_answers(matrix: Array, columns: Sequence[str], roles: Sequence[str]) -> None:
    """Refuse answers, the outcome first, to which nothing can be fitted; names the column."""
    least, words = len(columns) + 1, {3: "three", 4: "four"}[len(columns)]
    if len(matrix) < least:
        raise DataError(
            f"{len(matrix)} respondents have all {words} answers; at least {least} are needed"
        )
    for name, role, spread in zip(columns, roles, np.ptp(matrix, axis=0), strict=True):
        if spread == 0:
            raise DataError(
                f"column {name!r} ({role}) is constant; a regression needs answers that vary"
            )
    if np.linalg.eigvalsh(np.corrcoef(matrix[:, 1:], rowvar=False))[0] < SINGULAR:
        raise DataError(f"one of {', '.join(map(repr, columns[1:]))} repeats the others")


def _remarks(table: pd.DataFrame, lost: int, n: int, intercept: bool) -> tuple[Text, ...]:
    remarks = [both("satisfaction.note.assumed")]
    if intercept:
        remarks.append(both("satisfaction.note.constant"))
    if lost:
        remarks.append(both("satisfaction.note.dropped", k=lost, n=n))
    edge = table[(table["at_zero"] > 0.01) & (table["method"] == "constrained")]
    for _, row in edge.iterrows():
        share = f"{100 * row['at_zero']:.0f}"
        remarks.append(both("satisfaction.note.edge", name=row["column"], share=share))
    return tuple(remarks)
