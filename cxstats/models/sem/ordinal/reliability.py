"""Reliability of ordered answers: alpha of polychoric correlations, omega of the sum of answers.

The two are about different things. Ordinal alpha is the reliability of a sum of the normal
variables behind the answers, which nobody has observed; omega is that of the sum of the answers
themselves, and the one to report with a scale score (Chalmers 2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label
from cxstats.core.result import Chart, Result
from cxstats.models.fitted_model import problem_lines
from cxstats.models.sem.fit import sem
from cxstats.models.sem.ordinal.bivariate_normal import normal_cdf2
from cxstats.models.sem.ordinal.result import OrdinalFit
from cxstats.models.sem.problems import Problem
from cxstats.stats.coefficients import cronbach_alpha
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def ordinal_alpha(corr: Array) -> Array:
    """Return ordinal alpha, ``k / (k - 1) (1 - tr R / sum R)``, of polychoric correlations.

    Parameters
    ----------
    corr : array (..., k, k)

    References
    ----------
    Zumbo, Gadermann & Zeisser (2007). Ordinal versions of coefficients alpha and theta for Likert
    rating scales. Journal of Modern Applied Statistical Methods 6, 21-29. Chalmers (2018). On
    misconceptions and the limited usefulness of ordinal alpha. Educational and Psychological
    Measurement 78, 1056-1071.

    Examples
    --------
    >>> ordinal_alpha(np.array([[1, 0.5], [0.5, 1]])).round(4).item()
    0.6667
    """
    return cronbach_alpha(corr)


def ordinal_omega(loadings: Array, bounds: Array, corr: Array) -> float:
    """Return omega of the sum of ordered answers (Green & Yang 2009, formula 21).

    The covariance of two answers is ``sum_a sum_b Phi2(t_a, t_b; r) - Phi(t_a) Phi(t_b)`` over
    their thresholds. Omega is the sum of these with ``r_jk = l_j l_k``, what the factor explains,
    over the sum with the correlations; for j = k the latter is the variance of the answer.

    Parameters
    ----------
    loadings : array (k,)
        Standardised.
    bounds : array (k, m)
        Thresholds; a large number (40) where an item has fewer.
    corr : array (k, k)
        Correlations of the underlying variables, implied or polychoric.

    References
    ----------
    Green & Yang (2009). Reliability of summed item scores using structural equation modeling: an
    alternative to coefficient alpha. Psychometrika 74, 155-167.

    Examples
    --------
    Two items cut in the middle, where the covariance is ``arcsin(r) / (2 pi)``:

    >>> corr = np.array([[1, 0.5], [0.5, 1]])
    >>> round(ordinal_omega(np.sqrt([0.5, 0.5]), np.zeros((2, 1)), corr), 4)
    0.5
    """
    explained = _answer_covariances(bounds, np.multiply.outer(loadings, loadings))
    return float(explained.sum() / _answer_covariances(bounds, corr).sum())


def _answer_covariances(bounds: Array, corr: Array) -> Array:
    """Return covariances of answers whose underlying variables have these correlations (k, k)."""
    from scipy.special import ndtr

    below, above = bounds[:, None, :, None], bounds[None, :, None, :]
    r = corr[:, :, None, None]
    alike = np.where(
        r > 0, ndtr(np.minimum(below, above)), np.maximum(ndtr(below) - ndtr(-above), 0)
    )
    inside = np.abs(r) < 1
    both = np.where(inside, normal_cdf2(below, above, np.where(inside, r, 0)), alike)
    covariances: Array = (both - ndtr(below) * ndtr(above)).sum(axis=(2, 3))
    return covariances


@dataclass(frozen=True, eq=False, repr=False)
class OrdinalReliability(Result):
    """Reliability of constructs that were measured by ordered answers.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per construct: ``alpha`` (ordinal, of the underlying variables), ``omega`` (of the
        sum of the answers, by the model), ``omega_sample`` (the same with polychoric correlations
        for implied ones in the denominator), ``n_items, n``.
    fit : OrdinalFit
        The factor model.
    """

    table: pd.DataFrame
    fit: OrdinalFit

    kinds: ClassVar[tuple[str, ...]] = ("paths",)
    reference: ClassVar[str] = (
        "Green & Yang (2009). Reliability of summed item scores using structural equation "
        "modeling: an alternative to coefficient alpha. Psychometrika 74, 155-167. Zumbo, "
        "Gadermann & Zeisser (2007). Ordinal versions of coefficients alpha and theta for Likert "
        "rating scales. Journal of Modern Applied Statistical Methods 6, 21-29."
    )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What makes the numbers doubtful."""
        return self.fit.problems

    @property
    def synthetic(self) -> bool:
        """Whether the respondents are simulated."""
        return self.fit.synthetic

    def findings(self, lang: str) -> list[str]:
        """Return the numbers in a line per construct, and what is doubtful."""
        lines = [label("sem.reliability.head", lang, n=format_number(self.fit.n))]
        rows: Any = self.table.itertuples()
        for row in rows:
            line = label(
                "sem.reliability.row",
                lang,
                name=row.Index,
                alpha=f"{row.alpha:.3f}",
                omega=f"{row.omega:.3f}",
                k=row.n_items,
            )
            lines.append("  " + line)
        return [*lines, *problem_lines(self.fit.problems, lang)]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the path diagram of the factor model."""
        return self.fit.chart(kind, lang, options)


def ordinal_reliability(
    model: str | OrdinalFit | Codebook | Mapping[str, Sequence[str]],
    frame: Any = None,
    *,
    codebook: Any = None,
    **options: Any,
) -> OrdinalReliability:
    """Return ordinal alpha and omega of every construct that has two items or more.

    Parameters
    ----------
    model : str, mapping, Codebook or OrdinalFit
        A model in lavaan's syntax, items by construct (a factor model with correlated factors
        is fitted; constructs with one item are left out), or a model fitted already.
    frame : table
        Respondents; not with a fitted model.
    codebook : Codebook, mapping, path or name, optional
        As for `cx.sem`; a codebook that is the model is also this.
    **options
        Passed to `cx.sem`: ``weights="w"``, ``cluster="branch"`` ...

    Raises
    ------
    CxError, DataError
        If the model cannot be fitted.

    References
    ----------
    Green & Yang (2009). Psychometrika 74, 155-167. Zumbo, Gadermann & Zeisser (2007). Journal of
    Modern Applied Statistical Methods 6, 21-29.
    """
    import pandas as pd

    fit = model if isinstance(model, OrdinalFit) else _fitted(model, frame, codebook, options)
    fit.require_sound("reliability")
    rows = {latent: row for latent in fit.model.latents if (row := _row(fit, latent))}
    if not rows:
        raise CxError("no construct with two items")
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("construct")
    return OrdinalReliability(table, fit)


def _fitted(
    model: str | Codebook | Mapping[str, Sequence[str]],
    frame: Any,
    codebook: Any,
    options: Mapping[str, Any],
) -> OrdinalFit:
    if frame is None:
        raise CxError("reliability needs the respondents: pass the frame")
    if isinstance(model, Codebook):
        codebook = model if codebook is None else codebook
        model = {
            name: [model.column(item, None) for item in items]
            for name, items in model.constructs.items()
        }
    if not isinstance(model, str):
        constructs = {name: items for name, items in model.items() if len(items) > 1}
        if not constructs:
            raise CxError("no construct with two items")
        model = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in constructs.items())
    fit = sem(model, frame, ordered=True, codebook=codebook, **options)
    assert isinstance(fit, OrdinalFit)
    return fit


def _row(fit: OrdinalFit, latent: str) -> dict[str, Any]:
    rows = fit.table[(fit.table["op"] == "=~") & (fit.table["lhs"] == latent)]
    rows = rows[rows["rhs"].isin(fit.model.observed)]
    if len(rows) < 2:
        return {}
    at = [fit.model.observed.index(item) for item in rows["rhs"]]
    inner = np.ix_(at, at)
    implied = fit.optimum.point.model.sigma[0][inner]
    sample, bounds = fit.sample.cov[0][inner], fit.moments.bounds[at]
    loadings = rows["std"].to_numpy(float)
    np.fill_diagonal(implied, 1.0)
    return {
        "alpha": float(ordinal_alpha(sample)),
        "omega": ordinal_omega(loadings, bounds, implied),
        "omega_sample": ordinal_omega(loadings, bounds, sample),
        "n_items": len(at),
        "n": fit.n,
    }
