"""The weights of ``S = alpha Q + beta I + gamma P`` estimated, and not only assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.moments import bootstrap_moments, check_resamples
from cxstats.core.progress import quiet_linear_algebra
from cxstats.core.result import Chart
from cxstats.satisfaction.result import (
    FormulaResult,
    intervals_chart,
    survey_source,
)
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level
from cxstats.survey.answers import missing_code_notes, numbers
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

WEIGHTS = ("alpha", "beta", "gamma")
METHODS = ("constrained", "ols")
ROLES = ("satisfaction", "quality", "interactivity", "personalisation")
SINGULAR = 1e-8  # smallest eigenvalue of the correlations that counts as one
EDGE = 0.01  # share of resamples at 0 from which a weight's interval is said to be inexact


@dataclass(frozen=True, eq=False, repr=False)
class ServiceWeights(FormulaResult):
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
        Whether there is a constant.
    n, n_left_out : int
        Respondents used; those with a missing answer.
    outcome : str
        Column of satisfaction.
    level, n_resamples, seed, synthetic
    notes : tuple of Text
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
    notes: tuple[Text, ...]

    formula: ClassVar = "A09"
    kinds: ClassVar = ("intervals",)
    codes: ClassVar = {"method": "satisfaction.estimated.{}", "weight": "satisfaction.term.{}"}

    def of(self, method: str = "constrained") -> dict[str, float]:
        """Return ``{"alpha": ..., "beta": ..., "gamma": ...}``, for `service_satisfaction`."""
        if method not in METHODS:
            raise CxError(f"method is {method!r}; allowed: {', '.join(METHODS)}")
        rows = self.table[(self.table["method"] == method) & self.table["weight"].isin(WEIGHTS)]
        return dict(zip(rows["weight"], rows["estimate"].tolist(), strict=True))

    def findings(self, lang: str) -> list[str]:
        """Return both sets of weights with their intervals."""
        head = label(
            "satisfaction.estimated.head", lang, outcome=self.outcome,
            n=format_number(self.n), b=format_number(self.n_resamples), seed=self.seed,
            level=format_percent(100 * self.level, None, lang),
        )  # fmt: skip
        lines = [head, *self.formula_lines(lang)]
        for method in METHODS:
            lines.append(
                label(
                    "satisfaction.estimated.method", lang,
                    method=label(f"satisfaction.estimated.{method}", lang),
                    r2=format_number(self.r_squared[method], 3),
                )
            )  # fmt: skip
            rows = self.table[self.table["method"] == method]
            lines += [self._weight(row, lang) for _, row in rows.iterrows()]
        return lines

    def _weight(self, row: pd.Series[Any], lang: str) -> str:
        name = label("satisfaction.term.constant", lang)
        if row["column"]:
            name = label("satisfaction.named", lang, name=row["weight"], column=row["column"])
        value, limits = (
            format_number(row["estimate"], 3),
            interval(row["ci_low"], row["ci_high"], 3),
        )
        return label("satisfaction.estimated.row", lang, name=name, value=value, interval=limits)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the weights of both methods with intervals."""
        rows = self.table[self.table["weight"].isin(WEIGHTS)]
        methods = [label(f"satisfaction.estimated.{method}", lang) for method in rows["method"]]
        names = [
            label("satisfaction.named", lang, name=column, column=method)
            for column, method in zip(rows["column"], methods, strict=True)
        ]
        shares = rows[rows["method"] == METHODS[0]]  # not negative, and of sum 1
        largest = shares.nlargest(1, "estimate").iloc[0]
        return intervals_chart(
            names,
            rows,
            self.level,
            source=survey_source(self.n, self.synthetic, lang),
            title=label(
                "satisfaction.estimated.title",
                lang,
                name=largest["column"],
                weight=format_percent(100 * largest["estimate"], 0, lang),
                interval=interval(100 * largest["ci_low"], 100 * largest["ci_high"], 0),
            ),
            axis=label("satisfaction.estimated.axis", lang),
            synthetic=self.synthetic,
        )


@by_codebook()
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
    codebook: Any = None,
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
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes and direction; that its sampling design is left out the notes
        say.

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
    >>> weights = estimate_service_weights(frame, "S", "Q", "I", "P", n_resamples=1000)
    >>> {name: round(value, 2) for name, value in weights.of().items()}
    {'alpha': 0.52, 'beta': 0.3, 'gamma': 0.17}
    """
    check_level(level)
    check_resamples(n_resamples, seed)
    frame, columns = as_pandas(data), (quality, interactivity, personalisation)
    matrix = complete_answers(frame, (satisfaction, *columns), ROLES)
    n, n_left_out = len(matrix), len(frame) - len(matrix)
    with quiet_linear_algebra():
        drawn = bootstrap_moments(matrix, n_resamples, seed)
        mean, cov = matrix.mean(axis=0)[None], np.cov(matrix, rowvar=False)[None]
        estimates, r2 = fitted(mean, cov, n, intercept)
        # In few respondents a resample can be one of them over and over: nothing is fitted to it.
        varies = np.diagonal(drawn.cov, axis1=1, axis2=2).min(axis=1) > 0
        replicates, _ = fitted(drawn.mean[varies], drawn.cov[varies], n, intercept)
    table = _table(estimates[0], replicates, columns, level)
    table["n"] = n
    return ServiceWeights(
        table=table,
        r_squared=dict(zip(METHODS, r2[0].tolist(), strict=True)),
        intercept=intercept,
        n=n,
        n_left_out=n_left_out,
        outcome=satisfaction,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=bool(frame.attrs.get("synthetic")),
        notes=(
            *_notes(table, n_left_out, len(frame), intercept),
            *missing_code_notes(dict(zip((satisfaction, *columns), matrix.T, strict=True))),
        ),
    )


def _table(
    estimates: Array, replicates: Array, columns: Sequence[str], level: float
) -> pd.DataFrame:
    """Return both methods' weights, and the constants where there are some."""
    import pandas as pd

    low, high = percentile_limits(replicates, level)
    size = len(estimates) // len(METHODS)
    return pd.DataFrame(
        {
            "method": np.repeat(METHODS, size),
            "weight": [*WEIGHTS, "constant"][:size] * len(METHODS),
            "column": [*columns, ""][:size] * len(METHODS),
            "estimate": estimates,
            "ci_low": low,
            "ci_high": high,
            "se": replicates.std(axis=0, ddof=1),
            "at_zero": (replicates == 0).mean(axis=0),
        }
    )


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
    coefficients, r2 = [], []
    for weights in (simplex_least_squares(a, b), _solved(a, b)):
        level = mean[:, 0] - (weights * mean[:, 1:]).sum(axis=1)
        coefficients.append(np.column_stack([weights, level]) if intercept else weights)
        residual = squares[:, 0, 0] - 2 * (weights * b).sum(axis=1) + _quadratic(a, weights)
        r2.append(1 - residual / (cov[:, 0, 0] * (n - 1) / n))
    return np.concatenate(coefficients, axis=1), np.column_stack(r2)


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
    solution: Array = (np.linalg.pinv(a, rcond=1e-13, hermitian=True) @ b[..., None])[..., 0]
    return solution


def _quadratic(a: Array, w: Array) -> Array:
    form: Array = np.einsum("bi,bij,bj->b", w, a, w)
    return form


def complete_answers(frame: pd.DataFrame, columns: Sequence[str], roles: Sequence[str]) -> Array:
    """Return the complete answers (n, k), the outcome first.

    Raises
    ------
    CxError
        If one column is there twice.
    DataError
        If nothing can be fitted to the answers; names the column.
    """
    if len(set(columns)) < len(columns):
        raise CxError(f"{', '.join(map(repr, columns))}: one column twice")
    matrix: Array = np.column_stack([numbers(frame, name) for name in columns])
    matrix = matrix[~np.isnan(matrix).any(axis=1)]
    least, count = len(columns) + 1, {3: "three", 4: "four"}[len(columns)]
    if len(matrix) < least:
        raise DataError(
            f"{len(matrix)} respondents have all {count} answers; at least {least} are needed"
        )
    for name, role, spread in zip(columns, roles, np.ptp(matrix, axis=0), strict=True):
        if spread == 0:
            raise DataError(
                f"column {name!r} ({role}) is constant; a regression needs answers that vary"
            )
    if np.linalg.eigvalsh(np.corrcoef(matrix[:, 1:], rowvar=False))[0] < SINGULAR:
        raise DataError(f"one of {', '.join(map(repr, columns[1:]))} repeats the others")
    return matrix


def _notes(table: pd.DataFrame, n_left_out: int, n: int, intercept: bool) -> tuple[Text, ...]:
    edge = table[(table["at_zero"] > EDGE) & (table["method"] == "constrained")]
    return (
        both("satisfaction.note.assumed"),
        *note_if(intercept, "satisfaction.note.constant"),
        *note_if(n_left_out > 0, "satisfaction.note.dropped", k=n_left_out, n=n),
        *(
            both("satisfaction.note.edge", name=column, share=f"{100 * share:.0f}")
            for column, share in zip(edge["column"], edge["at_zero"], strict=True)
        ),
    )
