"""From weights to everything a PLS path model says: for a batch of samples at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.moments import correlations
from cxstats.models.pls.algorithm import TOLERANCE, Weights, aligned, find_weights, regressed
from cxstats.models.pls.design import Design
from cxstats.models.pls.quality import rho_a
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
        Row: effect, column: cause.
    r_squared : array (B, J)
        NaN for exogenous constructs.
    total : array (B, J, J)
        Total effects.
    htmt : array (B, J, J)
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


def estimate(
    cov: Array,
    design: Design,
    scheme: str,
    consistent: bool,
    *,
    scaled: bool = True,
    reference: Array | None = None,
    align: bool = False,
    tolerance: float = TOLERANCE,
) -> Estimates:
    """Estimate a batch of samples from their covariances.

    Parameters
    ----------
    cov : array (B, p, p)
        Covariances or correlations, items in the order of the design.
    scheme : str
        Inner weights, see `cxstats.models.pls.algorithm.find_weights`.
    consistent : bool
        Correct loadings and correlations by rho_A (PLSc).
    scaled : bool
        Whether weights are those of standardised items.
    reference : array (p,), optional
        Weights to start from.
    align : bool
        Whether composites take the direction of `reference` too.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        corr = correlations(cov)
        sd = None if scaled else np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    outer = find_weights(corr, design, scheme, sd=sd, start=reference, tolerance=tolerance)
    if align and reference is not None:
        outer = aligned(outer, reference, design)
    return from_weights(corr, outer, design, consistent, sd)


def from_weights(
    corr: Array, outer: Weights, design: Design, consistent: bool, sd: Array | None = None
) -> Estimates:
    """Return what follows from weights and correlations.

    Consistent PLS divides the correlation of two constructs by ``sqrt(rho_i rho_j)`` and takes
    ``w sqrt(rho) / w'w`` as loadings (Dijkstra & Henseler 2015); constructs that are formative or
    of one item count as perfectly reliable. Where weights are those of items in their own units,
    with standard deviations `sd` (B, p), rho_A and the corrected loadings are found in these units:
    only there are weights proportional to loadings. Total effects are ``(I - B)^-1 - I``.
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
        total = _total(paths, design)
        htmt = htmt_matrix(corr, [range(block.start, block.stop) for block in design.blocks])
    return Estimates(
        outer, weights, loadings, construct_corr, reliability, paths, r_squared, total, htmt
    )


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


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a model: what kind it is, and which.

    Attributes
    ----------
    kind : str
        One of ``path, loading, weight, total, indirect, specific, r_squared, htmt, defined``.
    lhs, op, rhs, label : str
        As in the syntax; a specific effect has its chain in `label`.
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
    """Return the pairs of constructs that HTMT is defined for: none of them formative."""
    return list(combinations([j for j, mode in enumerate(design.modes) if mode != "B"], 2))


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
        estimates.r_squared[:, list(design.causes)],
        _of_pairs(estimates.htmt, htmt_pairs(design)),
        *(value[:, None] for value in _defined(estimates, paths, design)),
    ]
    return np.concatenate(columns, axis=1)


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
