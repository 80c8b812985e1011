"""Models in stages: scores of one stage, or products of them, are items of the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cxstats.models.pls.algorithm import TOLERANCE, Weights, aligned, find_weights, to_unit_variance
from cxstats.models.pls.design import Design
from cxstats.models.pls.interactions import ProductItem
from cxstats.models.pls.products import cleared, product_moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Respondents(NamedTuple):
    """Whose products are weighed.

    Attributes
    ----------
    answers : array (n, p)
    weights : array (B, n) or None
        How often each respondent is in each sample of a batch; None: once in one sample.
    """

    answers: Array
    weights: NDArray[np.floating | np.integer] | None


@dataclass(frozen=True, eq=False)
class StagedWeights:
    """The weights of all stages, for a batch of samples.

    Attributes
    ----------
    corr : array (B, q, q)
        Correlations of the items of the design, scores and products among them.
    outer : Weights
        Of the design: dimensions with their weights of the first stage, all other constructs
        with those of the last; ``outer.stages`` has the weights of each stage.
    product_sd : array (B, T)
        Standard deviations (divisor n - 1, of factors too) of the products of scores or items.
    """

    corr: Array
    outer: Weights
    product_sd: Array


@dataclass(eq=False)
class _Items:
    """The items that stages have at hand: the answers, then scores, then products.

    Attributes
    ----------
    names : list of str
    corr : array (B, m, m)
    coefficients : array (B, p, m)
        What scores are of standardised answers.
    """

    names: list[str]
    corr: Array
    coefficients: Array

    @classmethod
    def of_answers(cls, corr: Array, columns: tuple[str, ...]) -> _Items:
        eye = np.broadcast_to(np.eye(len(columns)), corr.shape)
        return cls(list(columns), corr, eye)

    def places(self, items: tuple[str, ...]) -> list[int]:
        return [self.names.index(item) for item in items]

    def of(self, items: tuple[str, ...]) -> Array:
        """Return the correlations of some of the items."""
        places = self.places(items)
        return self.corr[:, places][:, :, places]

    def scores(self, stage: Design, outer: Weights, construct: str) -> Array:
        """Return the coefficients (B, m) of the items in the score of a construct."""
        block = stage.blocks[stage.constructs.index(construct)]
        coefficients = np.zeros(self.corr.shape[:2])
        coefficients[:, self.places(stage.items[block])] = outer.weights[:, block]
        return coefficients

    def add_scores(self, stage: Design, outer: Weights, constructs: tuple[str, ...]) -> None:
        """Add the scores of constructs as items, under the constructs' names."""
        fresh = [name for name in constructs if name not in self.names]
        if not fresh:
            return
        weights = np.stack([self.scores(stage, outer, name) for name in fresh], axis=2)
        across = self.corr @ weights
        self.corr = _bordered(self.corr, across, weights.swapaxes(1, 2) @ across)
        self.coefficients = np.concatenate([self.coefficients, self.coefficients @ weights], axis=2)
        self.names += fresh

    def add_products(
        self,
        products: tuple[ProductItem, ...],
        factors: dict[str, Array],
        respondents: Respondents,
    ) -> Array:
        """Add products as items, standardised; return their standard deviations (B, T).

        `factors` has the coefficients (B, p) of everything that is multiplied.
        """
        first, second = (
            np.stack([factors[getattr(item, end)] for item in products], axis=2)
            for end in ("first", "second")
        )
        answers, weights = respondents
        if weights is None:
            weights = np.ones((len(self.corr), len(answers)))
        with_answers, among = product_moments(answers, weights, first, second)
        covariances = with_answers @ self.coefficients
        if any(item.cleared_of for item in products):
            places = [self.places(item.cleared_of) for item in products]
            covariances, among = cleared(self.corr, covariances, among, places)
        sd = np.sqrt(np.diagonal(among, axis1=1, axis2=2))
        across = (covariances / sd[:, :, None]).swapaxes(1, 2)
        self.corr = _bordered(self.corr, across, among / (sd[:, :, None] * sd[:, None, :]))
        self.names += [item.name for item in products]
        return sd


def _bordered(corr: Array, across: Array, among: Array) -> Array:
    """Return correlations (B, m + k, m + k) of items and k more."""
    top = np.concatenate([corr, across], axis=2)
    return np.concatenate([top, np.concatenate([across.swapaxes(1, 2), among], axis=2)], axis=1)


def staged_weights(
    corr: Array,
    design: Design,
    scheme: str,
    *,
    respondents: Respondents | None = None,
    reference: tuple[Array, ...] | None = None,
    align: bool = False,
    tolerance: float = TOLERANCE,
) -> StagedWeights:
    """Find the weights of every stage of a design, for a batch of samples.

    Parameters
    ----------
    corr : array (B, p, p)
        Correlations of the answers, in the order of ``design.columns``.
    design : Design
        One with `stages`.
    scheme, tolerance
        As in `cxstats.models.pls.algorithm.find_weights`.
    respondents : Respondents, optional
        Interactions need them.
    reference : tuple of array, optional
        The weights of each stage to begin with.
    align : bool
        Whether composites take the direction of `reference`, at every stage.
    """
    if design.stages is None:
        raise TypeError("the design has one stage")
    stages, items = design.stages, _Items.of_answers(corr, design.columns)
    solved: list[Weights] = []

    def solve(stage: Design) -> Weights:
        start = None if reference is None else reference[len(solved)]
        outer = find_weights(items.of(stage.items), stage, scheme, start=start, tolerance=tolerance)
        if align and start is not None:
            outer = aligned(outer, start, stage)
        solved.append(outer)
        return outer

    if stages.dimensions is not None:
        items.add_scores(stages.dimensions, solve(stages.dimensions), design.dimensions)
    product_sd = np.empty((len(corr), 0))
    if design.products:
        if respondents is None:
            raise TypeError("products need respondents")
        if stages.main_effects is None:
            factors = {name: items.coefficients[:, :, k] for k, name in enumerate(items.names)}
        else:
            stage, outer = stages.main_effects, solve(stages.main_effects)
            factors = {
                name: (items.coefficients @ items.scores(stage, outer, name)[:, :, None])[..., 0]
                for name in stage.constructs
            }
        product_sd = items.add_products(design.products, factors, respondents)
        product_sd *= np.sqrt(1 - 1 / len(respondents.answers))
    solve(stages.last)
    corr = items.of(design.items)
    return StagedWeights(corr, _combined(corr, design, solved), product_sd)


def _combined(corr: Array, design: Design, solved: list[Weights]) -> Weights:
    """Return the weights of all constructs, each from the last stage that has it."""
    assert design.stages is not None
    stages = [design.stages.last]
    outer = [solved[-1]]
    if design.stages.dimensions is not None:
        stages.append(design.stages.dimensions)
        outer.append(solved[0])
    weights = np.empty(corr.shape[:2])
    for j, name in enumerate(design.constructs):
        k = next(k for k, stage in enumerate(stages) if name in stage.constructs)
        block = stages[k].blocks[stages[k].constructs.index(name)]
        weights[:, design.blocks[j]] = outer[k].weights[:, block]
    converged = np.logical_and.reduce([stage.converged for stage in solved])
    weights[~converged] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        numbers = to_unit_variance(corr, weights, design)
    rounds = max(stage.rounds for stage in solved)
    return Weights(*numbers, converged, rounds, tuple(stage.weights for stage in solved))


def staged_items(z: Array, design: Design, outer: Weights, row_weights: Array) -> Array:
    """Return the standardised items of a design (n, q) from standardised answers (n, p).

    Parameters
    ----------
    z : array (n, p)
    design : Design
        One with `stages`.
    outer : Weights
        Of one sample, with the weights of its stages.
    row_weights : array (n,)
        Of respondents, with a mean of 1.
    """
    if design.stages is None:
        raise TypeError("the design has one stage")
    n, items = len(z), dict(zip(design.columns, z.T, strict=True))
    factors = items
    weights = [w[0] for w in outer.stages]
    if design.stages.dimensions is not None:
        scores = _scores(items, design.stages.dimensions, weights[0])
        items |= {name: scores[name] for name in design.dimensions}
    if design.stages.main_effects is not None:
        factors = _scores(items, design.stages.main_effects, weights[-2])
    for item in design.products:
        values = factors[item.first] * factors[item.second]
        if item.cleared_of:
            others = np.column_stack([np.ones(n), *(items[name] for name in item.cleared_of)])
            root = np.sqrt(row_weights)
            fitted = np.linalg.lstsq(others * root[:, None], values * root, rcond=None)[0]
            values = values - others @ fitted
        values = values - row_weights @ values / n
        items[item.name] = values / np.sqrt(row_weights @ values**2 / (n - 1))
    return np.column_stack([items[name] for name in design.items])


def _scores(items: dict[str, Array], stage: Design, weights: Array) -> dict[str, Array]:
    """Return the score (n,) of each construct of a stage."""
    values = np.column_stack([items[name] for name in stage.items])
    scores = values @ (stage.member * weights[:, None])
    return dict(zip(stage.constructs, scores.T, strict=True))
