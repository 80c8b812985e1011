"""What makes a PLS solution doubtful, named, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cxstats.core.moments import correlations
from cxstats.models.fitted_model import ModelProblem
from cxstats.models.pls.algorithm import inverted
from cxstats.models.pls.design import Design
from cxstats.models.pls.estimates import Estimates, htmt_pairs
from cxstats.models.pls.quality import inflation
from cxstats.stats.coefficients import average_variance_extracted
from cxstats.stats.discriminant_validity import fornell_larcker_failures, htmt_failures
from cxstats.stats.rules import RULES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# The kind of problem by the rule for HTMT that fails.
HTMT = {"gold2001": "htmt_90", "kline2011": "htmt_85"}
INFLATION = RULES["hair2019_vif"]


@dataclass(frozen=True, slots=True)
class Problem(ModelProblem):
    """Something that makes a solution doubtful.

    Attributes
    ----------
    kind : str
        One of ``not_converged, singular, singular_block, rho_negative, rho_low, rho_above,
        ave_above, correlation, not_positive, negative_loading, negative_weight, vif_inner,
        vif_outer, htmt_90, htmt_85, fornell_larcker, label_is_variable``.
    names : tuple of str
        Constructs or items concerned.
    value : float
        The offending number; NaN where there is none.
    """

    texts: ClassVar[str] = "pls.problem.{}"
    fatal_kinds: ClassVar[frozenset[str]] = frozenset(
        ("not_converged", "singular", "singular_block", "rho_negative")
    )

    @property
    def improper(self) -> bool:
        """Whether some numbers are ones that no population has; in consistent PLS that warns."""
        return self.fatal or self.kind in ("rho_above", "ave_above", "correlation", "not_positive")


def find_problems(
    corr: Array, estimates: Estimates, design: Design, consistent: bool
) -> tuple[Problem, ...]:
    """Return what makes the solution of one sample doubtful.

    Parameters
    ----------
    corr : array (p, p)
    estimates : Estimates
        A batch of one.
    design : Design
    consistent : bool
        Whether loadings and correlations are corrected.
    """
    names = design.constructs
    singular_blocks = [
        Problem("singular_block", (names[j],))
        for j in design.of_mode("B")
        if not np.isfinite(inverted(corr[None, design.blocks[j], design.blocks[j]])).all()
    ]
    if singular_blocks:
        return tuple(singular_blocks)
    if not estimates.outer.converged[0]:
        # A singular regression stops the search; the plain sums of items show which.
        sums = correlations(design.member.T @ corr @ design.member)[None]
        singular = _singular(sums, design)
        return tuple(singular) or (Problem("not_converged", value=float(estimates.outer.rounds)),)
    rho = estimates.rho_a[0]
    kind = "rho_negative" if consistent else "rho_low"
    unreliable = [Problem(kind, (names[j],), float(rho[j])) for j in np.flatnonzero(rho <= 0)]
    if consistent and unreliable:
        return tuple(unreliable)
    if singular := _singular(estimates.construct_corr, design):
        return tuple(singular)
    return (
        *unreliable,
        *_improper(estimates, design),
        *_signs(estimates, design),
        *_collinear(corr, estimates, design),
        *_indistinct(estimates, design),
    )


def _singular(construct_corr: Array, design: Design) -> list[Problem]:
    """Name the constructs whose predictors repeat each other."""
    names = design.constructs
    if not np.isfinite(construct_corr).all():
        return []
    return [
        Problem("singular", (names[j], *(names[k] for k in causes)))
        for j, causes in design.causes.items()
        if not np.isfinite(inverted(construct_corr[:, causes][:, :, causes])).all()
    ]


def _improper(estimates: Estimates, design: Design) -> list[Problem]:
    problems = []
    for j in design.of_mode("A"):
        rho = estimates.rho_a[0, j]
        extracted = average_variance_extracted(estimates.loadings[0, design.blocks[j]])
        if rho > 1:
            problems.append(Problem("rho_above", (design.constructs[j],), float(rho)))
        if extracted > 1:
            problems.append(Problem("ave_above", (design.constructs[j],), float(extracted)))
    names, corr = design.constructs, estimates.construct_corr[0]
    problems += [
        Problem("correlation", (names[i], names[j]), float(corr[i, j]))
        for i, j in combinations(range(len(names)), 2)
        if abs(corr[i, j]) > 1 + 1e-9
    ]
    smallest = float(np.linalg.eigvalsh(corr)[0])
    if smallest < -1e-9 and not any(problem.kind == "correlation" for problem in problems):
        problems.append(Problem("not_positive", value=smallest))
    return problems


def _signs(estimates: Estimates, design: Design) -> list[Problem]:
    problems = []
    for i, item in enumerate(design.items):
        mode = design.modes[design.home[i]]
        if mode == "A" and estimates.loadings[0, i] < 0:
            problems.append(Problem("negative_loading", (item,), float(estimates.loadings[0, i])))
        if mode == "B" and estimates.outer.weights[0, i] < 0:
            problems.append(
                Problem("negative_weight", (item,), float(estimates.outer.weights[0, i]))
            )
    return problems


def _indistinct(estimates: Estimates, design: Design) -> list[Problem]:
    """Name the pairs of constructs that are not distinct by HTMT or by Fornell and Larcker."""
    names = design.constructs
    ratios, corr = estimates.htmt[0], estimates.construct_corr[0]
    extracted = np.full(len(names), np.nan)
    for j in design.of_mode("A"):
        extracted[j] = average_variance_extracted(estimates.loadings[0, design.blocks[j]])
    problems = [
        Problem(HTMT[rule], (names[i], names[j]), float(ratios[i, j]))
        for i, j in htmt_pairs(design)
        if "A" in (design.modes[i], design.modes[j])  # two items are no constructs to tell apart
        for rule in htmt_failures(float(ratios[i, j]))
    ]
    for pair in combinations(range(len(names)), 2):
        if not design.distinct(*pair):
            continue
        r = float(corr[pair])
        problems += [
            Problem("fornell_larcker", (names[pair[k]], names[pair[1 - k]]), r)
            for k in fornell_larcker_failures(r, *extracted[list(pair)].tolist())
        ]
    return problems


def _collinear(corr: Array, estimates: Estimates, design: Design) -> list[Problem]:
    problems = []
    for j, causes in design.causes.items():
        factors = inflation(estimates.construct_corr[:, causes][:, :, causes])[0]
        problems += [
            Problem("vif_inner", (design.constructs[k], design.constructs[j]), float(value))
            for k, value in zip(causes, factors, strict=True)
            if INFLATION.band(value) > 0
        ]
    for j in design.of_mode("B"):
        block = design.blocks[j]
        factors = inflation(corr[None, block, block])[0]
        problems += [
            Problem("vif_outer", (item,), float(value))
            for item, value in zip(design.items[block], factors, strict=True)
            if INFLATION.band(value) > 0
        ]
    return problems
