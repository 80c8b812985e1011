"""Coefficients of all columns together, in the units of the answers, with their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.priorities.drivers.importance_measures import Regression
from cxstats.priorities.drivers.sample import Sample

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

INTERCEPT = "(intercept)"


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """Regression coefficients, the intercept first.

    Attributes
    ----------
    names : tuple of str
        "(intercept)" and the q columns.
    b : array (q + 1,)
        NaN where columns determine another.
    cov : array (q + 1, q + 1)
        Their covariance.
    df : float
        Degrees of freedom of their tests; infinite for a model without an error of its own.
    """

    names: tuple[str, ...]
    b: Array
    cov: Array
    df: float

    @property
    def se(self) -> Array:
        """Standard errors (q + 1,)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sqrt(np.diag(self.cov)), float)

    def table(self, level: float) -> pd.DataFrame:
        """Return one row per coefficient: ``estimate, se, ci_low, ci_high, p_value``."""
        import pandas as pd
        from scipy import stats

        half = stats.t.ppf((1 + level) / 2, self.df) * self.se
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = 2 * stats.t.sf(np.abs(self.b / self.se), self.df)
        columns = {
            "estimate": self.b, "se": self.se, "ci_low": self.b - half, "ci_high": self.b + half,
            "p_value": p_value,
        }  # fmt: skip
        return pd.DataFrame(columns, index=list(self.names)).rename_axis("term")

    def joint_p_value(self, at: slice) -> float:
        """Return the p value of the Wald test that all columns of a driver have coefficient 0.

        ``F = b' V^-1 b / k`` on k and `df` degrees of freedom; of the columns of a group that
        others of it determine, only what they say of their own counts.
        """
        from scipy import stats

        columns = slice(at.start + 1, at.stop + 1)
        b, cov = self.b[columns], self.cov[columns, columns]
        if np.isnan(b).any() or np.isnan(cov).any():
            return float("nan")
        inverse = np.linalg.pinv(cov, rcond=1e-10, hermitian=True)
        k = np.linalg.matrix_rank(cov, hermitian=True)
        return float(stats.f.sf(b @ inverse @ b / k, k, self.df))


def linear_coefficients(sample: Sample, fit: Regression) -> Coefficients:
    """Return the coefficients of least squares.

    Without a sampling design ``b = beta sd_y / sd_x`` with the errors of ordinary least squares,
    which assume an equal spread. With one, least squares weighted by the design and its errors,
    ``V = design covariance of w x e (X'WX)^-1``: those of ``svyglm`` in R's survey package.
    """
    q = len(sample.columns)
    names = (INTERCEPT, *sample.columns)
    if np.isnan(fit.beta).any():
        return Coefficients(names, np.full(q + 1, np.nan), np.full((q + 1, q + 1), np.nan), 1.0)
    slope = fit.beta * sample.sd[-1] / sample.sd[:-1]
    b = np.append(sample.mean[-1] - slope @ sample.mean[:-1], slope)
    if sample.sampled is not None and sample.matrix is not None:
        x = np.column_stack([np.ones(sample.n), sample.matrix[:, :-1]])
        weighted = x * sample.weights[:, None]
        residuals = sample.matrix[:, -1] - x @ b
        influence = (weighted * residuals[:, None]) @ np.linalg.inv(x.T @ weighted)
        return Coefficients(names, b, sample.sampled.covariance(influence), sample.df)
    variance = (1 - fit.r_squared) * sample.sd[-1] ** 2 / sample.df
    scale = np.outer(sample.sd[:-1], sample.sd[:-1])
    slopes = variance * np.linalg.inv(sample.corr[:-1, :-1] * scale)
    toward = slopes @ sample.mean[:-1]
    cov = np.empty((q + 1, q + 1))
    cov[1:, 1:] = slopes
    cov[0, 1:] = cov[1:, 0] = -toward
    cov[0, 0] = variance * (sample.n - 1) / sample.n + sample.mean[:-1] @ toward
    return Coefficients(names, b, cov, sample.df)
