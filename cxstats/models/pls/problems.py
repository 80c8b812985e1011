"""What makes a PLS solution doubtful, named, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.language import label
from cxstats.core.moments import correlations
from cxstats.models.pls.algorithm import inverted
from cxstats.models.pls.design import Design
from cxstats.models.pls.estimates import Estimates
from cxstats.models.pls.quality import inflation
from cxstats.stats.coefficients import average_variance_extracted
from cxstats.stats.rules import RULES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

INFLATION = RULES["hair2019_vif"]
FATAL = ("not_converged", "singular", "singular_block", "rho_negative")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that makes a solution doubtful.

    Attributes
    ----------
    kind : str
        One of ``not_converged, singular, singular_block, rho_negative, rho_low, rho_above,
        ave_above, correlation, not_positive, negative_loading, negative_weight, vif_inner,
        vif_outer``.
    names : tuple of str
        Constructs or items concerned.
    value : float
        The offending number; NaN where there is none.
    """

    kind: str
    names: tuple[str, ...] = ()
    value: float = float("nan")

    @property
    def fatal(self) -> bool:
        """Whether no number of the solution is to be used."""
        return self.kind in FATAL

    @property
    def improper(self) -> bool:
        """Whether some numbers are ones that no population has; in consistent PLS that warns."""
        return self.fatal or self.kind in ("rho_above", "ave_above", "correlation", "not_positive")

    def text(self, lang: str = "en") -> str:
        """Return the problem in words, with what to do."""
        joined = label("sem.and", lang).join(self.names)
        return label(f"pls.problem.{self.kind}", lang, names=joined, value=f"{self.value:.3g}")

    def __str__(self) -> str:
        return self.text()


def find_problems(
    corr: Array, found: Estimates, design: Design, consistent: bool
) -> tuple[Problem, ...]:
    """Look at the solution of one sample.

    Parameters
    ----------
    corr : array (p, p)
    found : Estimates
        A batch of one.
    design : Design
    consistent : bool
        Whether loadings and correlations are corrected.
    """
    names = design.constructs
    broken = [
        Problem("singular_block", (names[j],))
        for j in design.of_mode("B")
        if not np.isfinite(inverted(corr[None, design.blocks[j], design.blocks[j]])).all()
    ]
    if broken:
        return tuple(broken)
    if not found.found.converged[0]:
        # A singular regression stops the search; the plain sums of items show which.
        sums = correlations(design.member.T @ corr @ design.member)[None]
        singular = _singular(sums, design)
        return tuple(singular) or (Problem("not_converged", value=float(found.found.rounds)),)
    rho = found.rho_a[0]
    kind = "rho_negative" if consistent else "rho_low"
    bad = [Problem(kind, (names[j],), float(rho[j])) for j in np.flatnonzero(rho <= 0)]
    if consistent and bad:
        return tuple(bad)
    if singular := _singular(found.joint, design):
        return tuple(singular)
    doubts = *_improper(found, design), *_signs(found, design), *_collinear(corr, found, design)
    return (*bad, *doubts)


def _singular(joint: Array, design: Design) -> list[Problem]:
    """Name the constructs whose predictors repeat each other."""
    names = design.constructs
    return [
        Problem("singular", (names[j], *(names[k] for k in causes)))
        for j, causes in design.causes.items()
        if not np.isfinite(inverted(joint[:, causes][:, :, causes])).all()
    ]


def _improper(found: Estimates, design: Design) -> list[Problem]:
    out = []
    for j in design.of_mode("A"):
        rho = found.rho_a[0, j]
        extracted = average_variance_extracted(found.loadings[0, design.blocks[j]])
        if rho > 1:
            out.append(Problem("rho_above", (design.constructs[j],), float(rho)))
        if extracted > 1:
            out.append(Problem("ave_above", (design.constructs[j],), float(extracted)))
    names, joint = design.constructs, found.joint[0]
    out += [
        Problem("correlation", (names[i], names[j]), float(joint[i, j]))
        for i, j in combinations(range(len(names)), 2)
        if abs(joint[i, j]) > 1 + 1e-9
    ]
    smallest = float(np.linalg.eigvalsh(joint)[0])
    if smallest < -1e-9 and not any(problem.kind == "correlation" for problem in out):
        out.append(Problem("not_positive", value=smallest))
    return out


def _signs(found: Estimates, design: Design) -> list[Problem]:
    out = []
    for i, item in enumerate(design.items):
        mode = design.modes[design.home[i]]
        if mode == "A" and found.loadings[0, i] < 0:
            out.append(Problem("negative_loading", (item,), float(found.loadings[0, i])))
        if mode == "B" and found.found.weights[0, i] < 0:
            out.append(Problem("negative_weight", (item,), float(found.found.weights[0, i])))
    return out


def _collinear(corr: Array, found: Estimates, design: Design) -> list[Problem]:
    out = []
    for j, causes in design.causes.items():
        factors = inflation(found.joint[:, causes][:, :, causes])[0]
        out += [
            Problem("vif_inner", (design.constructs[k], design.constructs[j]), float(value))
            for k, value in zip(causes, factors, strict=True)
            if INFLATION.band(value) > 0
        ]
    for j in design.of_mode("B"):
        block = design.blocks[j]
        factors = inflation(corr[None, block, block])[0]
        out += [
            Problem("vif_outer", (item,), float(value))
            for item, value in zip(design.items[block], factors, strict=True)
            if INFLATION.band(value) > 0
        ]
    return out
