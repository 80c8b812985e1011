"""A confirmatory factor model of simple structure: each item on one factor, factors correlated.

`cxstats.models.sem` fits it; here are its names, which can be any text, and its problems in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.moments import Moments
from cxstats.core.progress import quiet_linear_algebra
from cxstats.models.sem.constraints import Reduction
from cxstats.models.sem.fit import solved
from cxstats.models.sem.likelihood import Likelihood
from cxstats.models.sem.model import build
from cxstats.models.sem.problems import Problem
from cxstats.models.sem.structure import Structure
from cxstats.models.sem.syntax import Syntax, Term

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Places = NDArray[np.intp]

# A standardised residual variance above this is not negative: rounding.
ROUNDING = -1e-9


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
        Whether there is one maximum, and the search ended in it.
    problems : tuple of str
        Why the estimates are not to be trusted: no convergence, a negative variance, a
        correlation of factors of 1 or more.
    """

    names: tuple[str, ...]
    items: tuple[str, ...]
    factor: Places
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
        found = self.of(name, standardised=True)
        return self.converged and found is not None and bool((found[1] >= ROUNDING).all())

    def loading(self, item: str) -> float:
        """Return the standardised loading of an item; NaN if it is not in the model."""
        return float(self.standardised[self.items.index(item)]) if item in self.items else np.nan


def fit_factors(moments: Moments, constructs: Mapping[str, Sequence[str]]) -> FactorModel:
    """Fit ``Sigma = Lambda Phi Lambda' + Theta`` by maximum likelihood.

    Lambda has one loading a row, diag(Phi) = 1, Theta is diagonal. The correlations of the items
    are fitted; for this model that is the same.

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
    likelihood = _likelihood(part.corr, factor)
    with quiet_linear_algebra():
        _, optimum, problems = solved(likelihood)
    p, k, names = len(items), len(constructs), tuple(constructs)
    loadings, uniquenesses, covariances = np.split(optimum.phi, [p, 2 * p])
    corr = np.eye(k)
    row, column = np.triu_indices(k, 1)
    corr[row, column] = corr[column, row] = covariances
    # The sign of a factor is free: point it along its items.
    sign = np.where(np.bincount(factor, loadings, k) < 0, -1, 1)
    corr *= np.outer(sign, sign)
    return FactorModel(
        names=names,
        items=tuple(items),
        factor=factor,
        loadings=loadings * sign[factor] * part.sd,
        uniquenesses=uniquenesses * part.sd**2,
        corr=corr,
        n=part.n,
        converged=not any(problem.fatal for problem in problems),
        problems=tuple(_in_words(problem, names, items, corr) for problem in problems),
    )


def _likelihood(corr: Array, factor: Places) -> Likelihood:
    """Return the likelihood of the model in which items x0, x1 ... measure factors f0, f1 ..."""
    k = int(factor.max()) + 1
    terms = [_term(f"f{j}", "=~", f"x{i}", 0.7) for i, j in enumerate(factor)]
    terms += [_term(f"x{i}", "~~", f"x{i}", 0.5) for i in range(len(factor))]
    terms += [_term(f"f{i}", "~~", f"f{j}", 0.3) for i, j in combinations(range(k), 2)]
    model = build(Syntax(tuple(terms), (), (), ""), std_lv=True)
    return Likelihood(
        Structure.of(model), Reduction.of(model), corr[None], mean=None, share=np.ones(1)
    )


def _term(lhs: str, op: str, rhs: str, start: float) -> Term:
    return Term(lhs, op, rhs, fixed=(), start=(start,), labels=(), line=1, column=1)


def _in_words(problem: Problem, names: Sequence[str], items: Sequence[str], corr: Array) -> str:
    def places() -> list[int]:
        """Return the numbers in "x0 ~~ x0" or in "f0" and "f1"."""
        return [int(name.split()[0][1:]) for name in problem.names]

    if problem.kind == "negative_variance":
        (i,) = places()
        return (
            f"{items[i]} has a negative residual variance: its loading, and omega, CR and AVE of "
            "its construct, are not to be trusted"
        )
    if problem.kind == "correlation":
        i, j = places()
        return (
            f"{names[i]} and {names[j]} correlate {corr[i, j]:.2f}: not two factors; merge them or "
            "look for items they share"
        )
    if problem.kind == "not_positive":
        return (
            "the correlations of the factors are not those of any variables (a negative "
            "eigenvalue): one factor is a mixture of others"
        )
    if problem.kind in ("not_converged", "no_solution"):
        return "the factor model did not converge: omega, CR and AVE are not to be trusted"
    return (
        "the data hardly determine the factor model (items that correlate with no others?): "
        "omega, CR and AVE are not to be trusted"
    )
