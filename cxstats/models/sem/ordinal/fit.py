"""Models of ordered answers: ``cx.sem(..., ordered=True)``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.progress import quiet_linear_algebra
from cxstats.models.sem.constraints import Reduction
from cxstats.models.sem.fit import solved
from cxstats.models.sem.model import Model, Parameter, build
from cxstats.models.sem.ordinal.categories import read_categories
from cxstats.models.sem.ordinal.moments import PERFECT, OrdinalMoments, ordinal_moments
from cxstats.models.sem.ordinal.result import OrdinalFit
from cxstats.models.sem.ordinal.wls import DeltaReduction, WeightedSquares
from cxstats.models.sem.result import ModelWarning
from cxstats.models.sem.sample import Sample
from cxstats.models.sem.structure import Structure
from cxstats.models.sem.syntax import Syntax

# What to do about an option that does not go with ordered answers.
WITHOUT = {
    "group": "fit each group alone",
    "means": "thresholds stand for means",
    "equal": "there is one group only",
    "estimator": "it is WLSMV, whose errors and test are robust",
    "missing": "cases with a missing answer are left out",
    "information": "errors come from the sandwich",
    "design": "thresholds and correlations would have to be weighted; with five categories or more "
    "take answers as continuous (leave ordered= out)",
}


def fit_ordinal(
    syntax: Syntax,
    data: Any,
    ordered: bool | Sequence[str],
    level: float,
    options: Mapping[str, Any],
    *,
    std_lv: bool,
    orthogonal: bool,
) -> OrdinalFit:
    """Fit a model of ordered answers; see `cxstats.models.sem.fit.sem`.

    Parameters
    ----------
    syntax, data, ordered, level, std_lv, orthogonal
        As there.
    others : mapping of str to object
        Other options of `sem`; None where they were not given.

    Raises
    ------
    CxError, DataError
        If observed variables are not ordered or explain others, if the model has intercepts,
        bounds or equations that are not linear, if an option does not go with ordered answers, or
        if the answers are no categories.
    """
    for name, value in options.items():
        if value is not None:
            raise CxError(f"{name}={value!r} does not go with ordered answers; {WITHOUT[name]}")
    model = _without_variances(build(syntax, std_lv=std_lv, orthogonal=orthogonal))
    structure = Structure.of(model)
    _check_model(model, structure)
    _check_ordered(ordered, model)
    categories = read_categories(data, model.observed)
    moments = ordinal_moments(categories)
    _check_distinct(moments)
    plain = Reduction.of(model)
    if plain.equations or plain.bounds:
        raise CxError("with ordered answers, constraints have to be linear equations")
    reduction = DeltaReduction(model, plain.offset, plain.matrix, (), (), structure)
    corr = moments.corr[None]
    gamma = moments.gamma[1]
    squares = WeightedSquares(
        structure, reduction, corr, None, np.ones(1), 1 / np.diagonal(gamma), gamma
    )
    with quiet_linear_algebra():
        start, optimum, problems = solved(squares)
    result = OrdinalFit(
        model=model,
        sample=Sample(
            model.observed, ("",), np.array([float(categories.n)]), corr,
            np.full((1, len(model.observed)), np.nan), categories.dropped, 0.0, data, None,
        ),
        likelihood=squares,
        start=start,
        optimum=optimum,
        problems=(*problems, *moments.problems()),
        information="expected",
        estimator="wlsmv",
        level=level,
        moments=moments,
    )  # fmt: skip
    for problem in result.problems:
        warnings.warn(str(problem), ModelWarning, stacklevel=3)
    return result


def _without_variances(model: Model) -> Model:
    """Return the model with residual variances of items that are no parameters."""
    parameters = []
    for p in model.parameters:
        residual = p.op == "~~" and p.lhs == p.rhs and p.lhs in model.observed
        if residual and p.written and (p.label or p.fixed is not None):
            raise CxError(
                f"{p}: with ordered answers a residual variance is what is left of 1, and can "
                "neither be fixed nor labelled"
            )
        parameters.append(p._replace(fixed=0.0, start=None) if residual else p)
    return replace(model, parameters=tuple(parameters))


def _check_model(model: Model, structure: Structure) -> None:
    named = [p.lhs for p in model.parameters if p.op == "~1"]
    if named:
        raise CxError(
            f"the model has an intercept ({named[0]} ~ 1); ordered answers have thresholds instead"
        )
    if not model.latents:
        raise CxError("the model has no latent variable; ordered items have to be measured ones")
    senders = [name for name in structure.core if name in model.observed]
    if senders:
        raise CxError(
            f"{', '.join(senders)}: with ordered answers an observed variable cannot explain "
            "others or covary with latents; let a latent stand for it"
        )
    for latent in model.latents:
        rows = [p for p in model.one_group if p.op == "=~" and p.lhs == latent]
        standardised = any(_is_one(p, latent) for p in model.one_group)
        if len(rows) == 1 and rows[0].rhs in model.observed and not standardised:
            item = rows[0].rhs
            raise CxError(
                f"{latent} has one item, {item}: with ordered answers write {item} itself as the "
                f"outcome, or fix {latent} ~~ 1*{latent}"
            )


def _is_one(p: Parameter, latent: str) -> bool:
    return (p.op, p.lhs, p.rhs, p.fixed) == ("~~", latent, latent, 1.0)


def _check_ordered(ordered: bool | Sequence[str], model: Model) -> None:
    if ordered is True:
        return
    if isinstance(ordered, str | bool):
        raise CxError(f"ordered={ordered!r}; allowed: True, or a list of all items of the model")
    plain = [name for name in model.observed if name not in set(ordered)]
    if plain:
        raise CxError(
            f"{', '.join(plain)} not in ordered=: ordered and continuous answers cannot be mixed; "
            "take ordered=True"
        )
    odd = [str(name) for name in ordered if name not in model.observed]
    if odd:
        raise CxError(f"ordered=: {', '.join(odd)} is no observed variable of the model")


def _check_distinct(moments: OrdinalMoments) -> None:
    first, second = moments.categories.pairs
    for i in np.flatnonzero(np.abs(moments.rho) > PERFECT):
        a, b = (moments.categories.names[side[i]] for side in (first, second))
        raise DataError(
            f"{a} and {b} have a polychoric correlation of {moments.rho[i]:.0f}: they repeat each "
            "other; leave one out"
        )
