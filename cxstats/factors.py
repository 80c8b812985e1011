"""A confirmatory factor model of simple structure: each item on one factor, factors correlated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.errors import CxError
from cxstats.moments import Moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TOLERANCE, MAX_STEPS = 1e-9, 500


@dataclass(frozen=True, eq=False)
class FactorModel:
    """Estimates of a factor model; factors have variance 1.

    Attributes
    ----------
    names : tuple of str
        The k factors.
    items : tuple of str
        The p items.
    factor : array (p,)
        The factor of each item.
    loadings, uniquenesses : arrays (p,)
        In the metric of the items.
    corr : array (k, k)
        Correlations of the factors.
    n : int
        Cases.
    converged : bool
        Whether the derivatives vanish.
    problems : tuple of str
        Why the estimates are not to be trusted: no convergence, a negative variance, a
        correlation of factors of 1 or more.
    """

    names: tuple[str, ...]
    items: tuple[str, ...]
    factor: NDArray[np.intp]
    loadings: Array
    uniquenesses: Array
    corr: Array
    n: int
    converged: bool
    problems: tuple[str, ...]

    @property
    def standardised(self) -> Array:
        """Standardised loadings (p,)."""
        scale: Array = np.sqrt(self.loadings**2 + self.uniquenesses)
        return self.loadings / scale

    def of(self, name: str, standardised: bool = False) -> tuple[Array, Array] | None:
        """Return loadings and uniquenesses of a factor; None if it is not in the model."""
        if name not in self.names:
            return None
        mine = self.factor == self.names.index(name)
        if standardised:
            loadings = self.standardised[mine]
            return loadings, 1 - loadings**2
        return self.loadings[mine], self.uniquenesses[mine]

    def proper(self, name: str) -> bool:
        """Return whether a factor has converged estimates without a negative variance."""
        found = self.of(name)
        return self.converged and found is not None and bool((found[1] >= 0).all())

    def loading(self, item: str) -> float:
        """Return the standardised loading of an item; NaN if it is not in the model."""
        return float(self.standardised[self.items.index(item)]) if item in self.items else np.nan


def fit_factors(moments: Moments, constructs: Mapping[str, Sequence[str]]) -> FactorModel:
    """Fit ``Sigma = Lambda Phi Lambda' + Theta`` by maximum likelihood.

    Fisher scoring with step halving on ``log|Sigma| + tr(S Sigma^-1)``, from the correlation
    metric; it stops when no derivative exceeds 1e-9.

    Parameters
    ----------
    moments : Moments
        Covariances that include the items.
    constructs : mapping of str to sequence of str
        The items of every factor: at least three, or two where there are other factors.

    Raises
    ------
    CxError
        If the covariances are singular: fewer cases than items, or items that repeat others.

    References
    ----------
    Joreskog (1969). A general approach to confirmatory maximum likelihood factor analysis.
    Psychometrika 34, 183-202.

    Examples
    --------
    >>> m = Moments.from_correlation(["a", "b", "c"], [[1], [0.4, 1], [0.4, 0.4, 1]], n=50)
    >>> fit_factors(m, {"F": ["a", "b", "c"]}).loadings.round(4).tolist()
    [0.6325, 0.6325, 0.6325]
    """
    items = [item for part in constructs.values() for item in part]
    factor = np.repeat(np.arange(len(constructs)), [len(part) for part in constructs.values()])
    part = moments.select(items)
    # A collinear set of items has no maximum; answers on a scale make it obvious or not at all.
    if part.n <= len(items) or np.linalg.eigvalsh(part.corr)[0] < 1e-8:
        r = np.abs(np.tril(part.corr, -1))
        i, j = divmod(int(r.argmax()), len(items))
        raise CxError(
            f"the covariances of {len(items)} items from {part.n} complete cases are singular: too "
            f"few cases, or items that repeat others ({items[i]} and {items[j]} correlate "
            f"{part.corr[i, j]:.2f})"
        )
    loadings, uniquenesses, corr, converged = _maximise(part.corr, factor, len(constructs))
    names = tuple(constructs)
    return FactorModel(
        names=names,
        items=tuple(items),
        factor=factor,
        loadings=loadings * part.sd,
        uniquenesses=uniquenesses * part.sd**2,
        corr=corr,
        n=part.n,
        converged=converged,
        problems=_problems(names, items, uniquenesses, corr, converged),
    )


def _maximise(s: Array, factor: NDArray[np.intp], k: int) -> tuple[Array, Array, Array, bool]:
    p, pairs = len(s), np.tril_indices(k, -1)
    theta = np.concatenate([np.full(p, 0.7), np.full(p, 0.5), np.full(len(pairs[0]), 0.3)])
    value = _discrepancy(theta, s, factor, k)
    for _ in range(MAX_STEPS):
        gradient, information = _derivatives(theta, s, factor, k)
        if np.abs(gradient).max() < TOLERANCE:
            break
        step = np.linalg.lstsq(information, gradient, rcond=1e-12)[0]
        size = 1.0
        while size > 1e-10:
            trial = theta - size * step
            new = _discrepancy(trial, s, factor, k)
            if new <= value + 1e-13 * abs(value):
                break
            size /= 2
        else:
            break
        theta, value = trial, new
    converged = bool(np.abs(_derivatives(theta, s, factor, k)[0]).max() < 1e-6)
    loadings, uniquenesses, corr = _unpack(theta, factor, k)
    # The sign of a factor is free: point it along its items.
    sign = np.sign(np.bincount(factor, loadings, k))
    sign[sign == 0] = 1
    return loadings * sign[factor], uniquenesses, corr * np.outer(sign, sign), converged


def _unpack(theta: Array, factor: NDArray[np.intp], k: int) -> tuple[Array, Array, Array]:
    p = len(factor)
    corr = np.eye(k)
    row, column = np.tril_indices(k, -1)
    corr[row, column] = corr[column, row] = theta[2 * p :]
    return theta[:p], theta[p : 2 * p], corr


def _implied(theta: Array, factor: NDArray[np.intp], k: int) -> Array:
    loadings, uniquenesses, corr = _unpack(theta, factor, k)
    implied: Array = np.outer(loadings, loadings) * corr[np.ix_(factor, factor)]
    return implied + np.diag(uniquenesses)


def _discrepancy(theta: Array, s: Array, factor: NDArray[np.intp], k: int) -> float:
    sigma = _implied(theta, factor, k)
    try:
        root = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        return np.inf
    return float(2 * np.log(np.diag(root)).sum() + np.trace(np.linalg.solve(sigma, s)))


def _derivatives(theta: Array, s: Array, factor: NDArray[np.intp], k: int) -> tuple[Array, Array]:
    """Return gradient (q,) and expected information (q, q) of the discrepancy."""
    loadings, _, corr = _unpack(theta, factor, k)
    p = len(factor)
    inverse = np.linalg.inv(_implied(theta, factor, k))
    d = np.zeros((len(theta), p, p))
    column = corr[np.ix_(factor, factor)] * loadings  # d Sigma[i, :] / d loading[i]
    for i in range(p):
        d[i, i, :] += column[i]
        d[i, :, i] += column[i]
        d[p + i, i, i] = 1
    for q, (a, b) in enumerate(zip(*np.tril_indices(k, -1), strict=True)):
        block = np.outer(np.where(factor == a, loadings, 0), np.where(factor == b, loadings, 0))
        d[2 * p + q] = block + block.T
    weighted = inverse @ d
    gradient = np.trace(weighted, axis1=1, axis2=2) - np.einsum("qij,ji->q", weighted, inverse @ s)
    flat = weighted.reshape(len(theta), -1)
    return gradient, flat @ weighted.transpose(0, 2, 1).reshape(len(theta), -1).T


def _problems(
    names: Sequence[str], items: Sequence[str], uniquenesses: Array, corr: Array, converged: bool
) -> tuple[str, ...]:
    found = []
    if not converged:
        found.append("the factor model did not converge: omega, CR and AVE are not to be trusted")
    found += [
        f"{item} has a negative residual variance: its loading, and omega, CR and AVE of its "
        "construct, are not to be trusted"
        for item, variance in zip(items, uniquenesses, strict=True)
        if variance < 0
    ]
    found += [
        f"{names[i]} and {names[j]} correlate {corr[i, j]:.2f}: not two factors; merge them or "
        "look for items they share"
        for i in range(len(names))
        for j in range(i)
        if abs(corr[i, j]) >= 1
    ]
    if len(names) > 2 and not found and np.linalg.eigvalsh(corr)[0] < 0:
        found.append(
            "the correlations of the factors are not those of any variables (a negative "
            "eigenvalue): one factor is a mixture of others"
        )
    return tuple(found)
