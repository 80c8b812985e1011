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
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both
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
# A smallest eigenvalue of correlations below this is none: answers on a scale make it obvious.
SINGULAR = 1e-8
# Starts of standardised loadings, residual variances and correlations of factors.
LOADING, RESIDUAL, CORRELATION = 0.7, 0.5, 0.3


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
    problems : tuple of Text
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
    problems: tuple[Text, ...]

    @property
    def standardised(self) -> Array:
        """Standardised loadings (p,)."""
        scale: Array = np.sqrt(self.loadings**2 + self.uniquenesses)
        return self.loadings / scale

    def of(self, name: str, standardised: bool = False) -> tuple[Array, Array] | None:
        """Return loadings and uniquenesses of a factor; None if it is not in the model."""
        if name not in self.names:
            return None
        member = self.factor == self.names.index(name)
        if standardised:
            loadings = self.standardised[member]
            return loadings, 1 - loadings**2
        return self.loadings[member], self.uniquenesses[member]

    def proper(self, name: str) -> bool:
        """Return whether a factor has converged estimates without a negative variance."""
        estimates = self.of(name, standardised=True)
        return self.converged and estimates is not None and bool((estimates[1] >= ROUNDING).all())

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
    items = [item for names in constructs.values() for item in names]
    factor = np.repeat(np.arange(len(constructs)), [len(names) for names in constructs.values()])
    sample = moments.select(items)
    if reason := singular(sample):
        raise CxError(reason.en)
    likelihood = _likelihood(sample.corr, factor)
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
        loadings=loadings * sign[factor] * sample.sd,
        uniquenesses=uniquenesses * sample.sd**2,
        corr=corr,
        n=sample.n,
        converged=not any(problem.fatal for problem in problems),
        problems=tuple(_message(problem, names, items, corr) for problem in problems),
    )


def singular(sample: Moments) -> Text | None:
    """Return why covariances are singular: a collinear set of items has no maximum; None if not."""
    p = len(sample.names)
    if not (sample.n <= p or np.linalg.eigvalsh(sample.corr)[0] < SINGULAR):
        return None
    r = np.abs(np.tril(sample.corr, -1))
    i, j = divmod(int(r.argmax()), p)
    return both(
        "reliability.problem.singular", p=p, n=sample.n, r=format_number(sample.corr[i, j], 2),
        first=sample.names[i], second=sample.names[j],
    )  # fmt: skip


def _likelihood(corr: Array, factor: Places) -> Likelihood:
    """Return the likelihood of the model in which items x0, x1 ... measure factors f0, f1 ..."""
    k = int(factor.max()) + 1
    terms = [_term(f"f{j}", "=~", f"x{i}", LOADING) for i, j in enumerate(factor)]
    terms += [_term(f"x{i}", "~~", f"x{i}", RESIDUAL) for i in range(len(factor))]
    terms += [_term(f"f{i}", "~~", f"f{j}", CORRELATION) for i, j in combinations(range(k), 2)]
    model = build(Syntax(tuple(terms), (), (), ""), std_lv=True)
    return Likelihood(
        Structure.of(model), Reduction.of(model), corr[None], mean=None, share=np.ones(1)
    )


def _term(lhs: str, op: str, rhs: str, start: float) -> Term:
    return Term(lhs, op, rhs, fixed=(), start=(start,), labels=(), line=1, column=1)


# What is said of a problem; of all others that the data hardly determine the model.
MESSAGES = {
    "negative_variance": "negative_variance",
    "correlation": "correlation",
    "not_positive": "not_positive",
    "not_converged": "not_converged",
    "no_solution": "not_converged",
}


def _message(problem: Problem, names: Sequence[str], items: Sequence[str], corr: Array) -> Text:
    """Return what a problem means for the items x0, x1 ... and factors f0, f1 ... of the model."""
    key = MESSAGES.get(problem.kind, "undetermined")
    values: dict[str, str] = {}
    if key == "negative_variance":
        values = {"item": items[_number(problem.names[0])]}
    if key == "correlation":
        i, j = map(_number, problem.names)
        values = {"first": names[i], "second": names[j], "r": format_number(corr[i, j], 2)}
    return both(f"reliability.problem.{key}", **values)


def _number(name: str) -> int:
    """Return the number in "x0 ~~ x0" or in "f0"."""
    return int(name.split(maxsplit=1)[0][1:])
