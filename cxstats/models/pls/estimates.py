"""From weights to everything a PLS path model says: for a batch of samples at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cxstats.core.moments import correlations
from cxstats.models.pls.algorithm import TOLERANCE, Weights, aligned, find_weights, regressed
from cxstats.models.pls.design import Design
from cxstats.models.pls.quality import rho_a
from cxstats.models.pls.stages import Respondents, staged_weights
from cxstats.stats.coefficients import htmt_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Estimates of a batch of samples.

    Attributes
    ----------
    outer : Weights
        Weights, correlations of items with composites, convergence.
    weights : array (B, p)
        Of the items in the units that weights were found in: of standardised ones as in `outer`,
        or of those of the answers.
    loadings : array (B, p)
        Correlations of items with their own composite; with `consistent`, with the factor.
    construct_corr : array (B, J, J)
        Correlations of the constructs; with `consistent`, corrected for unreliability.
    rho_a : array (B, J)
        NaN where a construct is not reflective with several items.
    paths : array (B, J, J)
        Row: effect, column: cause. Of an interaction per unit of the product of standardised
        scores, which is not standardised again.
    r_squared : array (B, J)
        NaN for exogenous constructs.
    total : array (B, J, J)
        Total effects.
    htmt : array (B, J, J)
    corr : array (B, p, p)
        Correlations of the items, scores and products among them.
    interaction_sd : array (B, T)
        Standard deviation of each interaction.
    """

    outer: Weights
    weights: Array
    loadings: Array
    construct_corr: Array
    rho_a: Array
    paths: Array
    r_squared: Array
    total: Array
    htmt: Array
    corr: Array
    interaction_sd: Array


def estimate(  # noqa: PLR0913  (what a fit has chosen, and where its search begins and ends)
    cov: Array,
    design: Design,
    scheme: str,
    consistent: bool,
    *,
    scaled: bool = True,
    reference: Weights | None = None,
    align: bool = False,
    tolerance: float = TOLERANCE,
    respondents: Respondents | None = None,
) -> Estimates:
    """Estimate a batch of samples from their covariances.

    Parameters
    ----------
    cov : array (B, p, p)
        Covariances or correlations, in the order of ``design.columns``.
    scheme : str
        Inner weights, see `cxstats.models.pls.algorithm.find_weights`.
    consistent : bool
        Correct loadings and correlations by rho_A (PLSc).
    scaled : bool
        Whether weights are those of standardised items; a model in stages has no others.
    reference : Weights, optional
        Weights of one sample to start from.
    align : bool
        Whether composites take the direction of `reference` too.
    respondents : Respondents, optional
        Interactions need them.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        corr = correlations(cov)
    if design.stages is not None:
        starts = None if reference is None else tuple(w[0] for w in reference.stages)
        staged = staged_weights(
            corr, design, scheme, respondents=respondents, reference=starts, align=align,
            tolerance=tolerance,
        )  # fmt: skip
        return from_weights(
            staged.corr, staged.outer, design, consistent, product_sd=staged.product_sd
        )
    sd = None
    if not scaled:
        with np.errstate(invalid="ignore"):
            sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    start = None if reference is None else reference.weights[0]
    outer = find_weights(corr, design, scheme, sd=sd, start=start, tolerance=tolerance)
    if align and start is not None:
        outer = aligned(outer, start, design)
    return from_weights(corr, outer, design, consistent, sd=sd)


def from_weights(
    corr: Array,
    outer: Weights,
    design: Design,
    consistent: bool,
    *,
    sd: Array | None = None,
    product_sd: Array | None = None,
) -> Estimates:
    """Return what follows from weights and correlations.

    Consistent PLS divides the correlation of two constructs by ``sqrt(rho_i rho_j)`` and takes
    ``w sqrt(rho) / w'w`` as loadings (Dijkstra & Henseler 2015); constructs that are formative or
    of one item count as perfectly reliable. Where weights are those of items in their own units,
    with standard deviations `sd` (B, p), rho_A and the corrected loadings are found in these units:
    only there are weights proportional to loadings. Total effects are ``(I - B)^-1 - I``. The path
    of an interaction is divided by the standard deviation of its product, or by the mean of those
    of its items `product_sd`, weighted with absolute loadings (Henseler & Chin 2010).
    """
    batch, size = len(corr), len(design.constructs)
    loadings = np.take_along_axis(outer.cross_loadings, design.home[None, :, None], 2)[..., 0]
    reliability = np.full((batch, size), np.nan)
    construct_corr = outer.composite_corr
    units = np.ones_like(outer.weights) if sd is None else sd
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = outer.weights / units
        for j in design.of_mode("A"):
            own = units[:, design.blocks[j]]
            within = corr[:, design.blocks[j], design.blocks[j]] * own[:, :, None] * own[:, None, :]
            reliability[:, j] = rho_a(within, weights[:, design.blocks[j]])
        if consistent:
            construct_corr = _disattenuated(outer, reliability, design)
            loadings = _consistent_loadings(weights, reliability, loadings * units, design) / units
        paths, r_squared = np.zeros((batch, size, size)), np.full((batch, size), np.nan)
        for j, causes in design.causes.items():
            coefficients = regressed(construct_corr, j, causes)
            paths[:, j, causes] = coefficients
            r_squared[:, j] = (coefficients * construct_corr[:, causes, j]).sum(axis=1)
        interaction_sd = _interaction_sd(loadings, product_sd, design)
        for t, interaction in enumerate(design.interactions):
            paths[:, :, design.constructs.index(interaction.name)] /= interaction_sd[:, [t]]
        total = _total(paths, design)
        htmt = htmt_matrix(corr, [range(block.start, block.stop) for block in design.blocks])
    return Estimates(
        outer, weights, loadings, construct_corr, reliability, paths, r_squared, total, htmt, corr,
        interaction_sd,
    )  # fmt: skip


def _interaction_sd(loadings: Array, product_sd: Array | None, design: Design) -> Array:
    """Return the standard deviation of each interaction (B, T): the mean of its items'."""
    sd = np.full((len(loadings), len(design.interactions)), np.nan)
    if product_sd is None:
        return sd
    last = 0
    for t, interaction in enumerate(design.interactions):
        block = design.blocks[design.constructs.index(interaction.name)]
        first, last = last, last + block.stop - block.start
        size = np.abs(loadings[:, block])
        sd[:, t] = (size * product_sd[:, first:last]).sum(axis=1) / size.sum(axis=1)
    return sd


def _disattenuated(outer: Weights, reliability: Array, design: Design) -> Array:
    """Return correlations of constructs, corrected for unreliability."""
    reflective = np.array([mode == "A" for mode in design.modes])
    root = np.sqrt(np.where(reflective, reliability, 1.0))
    corr = outer.composite_corr / (root[:, :, None] * root[:, None, :])
    return np.where(np.eye(len(reflective), dtype=bool), 1.0, corr)


def _consistent_loadings(
    weights: Array, reliability: Array, loadings: Array, design: Design
) -> Array:
    """Return loadings of factors, in the units of the weights; of composites, those given."""
    reflective = np.array([mode == "A" for mode in design.modes])
    scale = np.sqrt(reliability) / (weights**2 @ design.member)
    return np.where(reflective[design.home], weights * scale[:, design.home], loadings)


def _total(paths: Array, design: Design) -> Array:
    """Return ``(I - B)^-1 - I`` by substitution: causes come before effects."""
    total = paths.copy()
    for j, causes in design.causes.items():
        total[:, j] += (paths[:, [j]][:, :, causes] @ total[:, causes])[:, 0]
    return total


class Quantity(NamedTuple):
    """One number of a model: what kind it is, and which.

    Attributes
    ----------
    kind : str
        One of ``path, loading, weight, total, indirect, specific, slope, r_squared, htmt,
        defined``.
    lhs, op, rhs, label : str
        As in the syntax; a specific effect has its chain in `label`, a simple slope the value of
        its moderator.
    """

    kind: str
    lhs: str
    op: str
    rhs: str
    label: str


def quantities(design: Design) -> tuple[Quantity, ...]:
    """Return what `flattened` holds, in its order."""
    names, home = design.constructs, design.home
    operator = ["<~" if mode == "B" else "=~" for mode in design.modes]
    rows = [Quantity("path", names[i], "~", names[j], label) for i, j, label in design.paths]
    for kind in ("loading", "weight"):
        labelled = [
            label if (design.modes[j] == "B") == (kind == "weight") else ""
            for j, label in zip(home, design.item_labels, strict=True)
        ]
        rows += [
            Quantity(kind, names[j], operator[j], item, label)
            for j, item, label in zip(home, design.items, labelled, strict=True)
        ]
    for kind, pairs in (("total", _reached(design)), ("indirect", _mediated(design))):
        rows += [Quantity(kind, names[i], "~", names[j], "") for i, j in pairs]
    rows += [
        Quantity("specific", names[c[-1]], "~", names[c[0]], " → ".join(names[j] for j in c))
        for c in design.chains
    ]
    rows += [
        Quantity("slope", names[slope.end], "~", names[slope.start], slope.where)
        for slope in slopes(design)
    ]
    rows += [Quantity("r_squared", names[j], "", "", "") for j in design.causes]
    rows += [Quantity("htmt", names[i], "", names[j], "") for i, j in htmt_pairs(design)]
    rows += [Quantity("defined", d.name, ":=", d.expression.text, d.name) for d in
             design.definitions]  # fmt: skip
    return tuple(rows)


def _reached(design: Design) -> list[tuple[int, int]]:
    """Return all pairs (effect, cause), in the order of the constructs."""
    reached: dict[int, set[int]] = {}
    for j, causes in design.causes.items():
        reached[j] = set(causes).union(*(reached.get(k, set()) for k in causes))
    return [(i, j) for i in sorted(reached) for j in sorted(reached[i])]


def _mediated(design: Design) -> list[tuple[int, int]]:
    """Return the pairs (effect, cause) that a chain of several paths joins."""
    mediated = {(chain[-1], chain[0]) for chain in design.chains}
    return [pair for pair in _reached(design) if pair in mediated]


def htmt_pairs(design: Design) -> list[tuple[int, int]]:
    """Return the pairs of constructs that HTMT is defined for.

    None of them formative, a product, or a dimension of the other.
    """
    several = [j for j, mode in enumerate(design.modes) if mode != "B"]
    return [pair for pair in combinations(several, 2) if design.distinct(*pair)]


@dataclass(frozen=True, slots=True)
class Slope:
    """The effect of a construct where its moderator has a value.

    Attributes
    ----------
    end, start : int
        Effect and cause.
    path : int
        The construct of the interaction.
    moderator : str
    at : int
        The moderator's value, in standard deviations from its mean.
    per_unit : float
        What a unit of the moderator adds, in coefficients of the product: 2 for a square.
    """

    end: int
    start: int
    path: int
    moderator: str
    at: int
    per_unit: float

    @property
    def where(self) -> str:
        """The value in words that need no language."""
        value = f"{self.at:+d} SD".replace("-", "\N{MINUS SIGN}") if self.at else "0"
        return f"{self.moderator} = {value}"


def slopes(design: Design) -> tuple[Slope, ...]:
    """Return the simple slopes of interactions that are products of scores."""
    place = {name: j for j, name in enumerate(design.constructs)}
    return tuple(
        Slope(end, place[x], place[name], z, at, 2.0 if x == z else 1.0)
        for name, x, z, method in design.interactions
        for end, start, _ in design.paths
        for at in (-1, 0, 1)
        if start == place[name] and method == "two-stage"
    )


def flattened(estimates: Estimates, design: Design) -> Array:
    """Return every quantity of a batch as (B, k)."""
    ends, starts = [path.end for path in design.paths], [path.start for path in design.paths]
    paths = estimates.paths[:, ends, starts]
    chains = [
        np.prod([estimates.paths[:, b, a] for a, b in pairwise(chain)], axis=0)
        for chain in design.chains
    ]
    columns = [
        paths,
        estimates.loadings,
        estimates.weights,
        _of_pairs(estimates.total, _reached(design)),
        _of_pairs(estimates.total - estimates.paths, _mediated(design)),
        *(product[:, None] for product in chains),
        *(value[:, None] for value in _slopes(estimates, design)),
        estimates.r_squared[:, list(design.causes)],
        _of_pairs(estimates.htmt, htmt_pairs(design)),
        *(value[:, None] for value in _defined(estimates, paths, design)),
    ]
    return np.concatenate(columns, axis=1)


def _slopes(estimates: Estimates, design: Design) -> list[Array]:
    """Return simple slopes, each (B,): ``b_x + z b_xz``, for a square ``b_x + 2 x b_xx``."""
    return [
        estimates.paths[:, slope.end, slope.start]
        + slope.at * slope.per_unit * estimates.paths[:, slope.end, slope.path]
        for slope in slopes(design)
    ]  # fmt: skip


def _of_pairs(matrices: Array, pairs: list[tuple[int, int]]) -> Array:
    return matrices[:, [i for i, _ in pairs], [j for _, j in pairs]]


def _defined(estimates: Estimates, paths: Array, design: Design) -> list[Array]:
    """Return the defined parameters, each (B,), from labelled paths, loadings and weights."""
    values: dict[str, Any] = {
        path.label: paths[:, i] for i, path in enumerate(design.paths) if path.label
    }
    for i, label in enumerate(design.item_labels):
        if label:
            formative = design.modes[design.home[i]] == "B"
            values[label] = (estimates.weights if formative else estimates.loadings)[:, i]
    for definition in design.definitions:
        value = definition.expression(values)
        values[definition.name] = np.broadcast_to(np.asarray(value, float), (len(paths),))
    return [values[definition.name] for definition in design.definitions]
