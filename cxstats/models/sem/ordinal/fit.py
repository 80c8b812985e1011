"""Models of ordered answers: ``cx.sem(..., ordered=True)``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.moments import Moments
from cxstats.core.progress import quiet_linear_algebra
from cxstats.models.sem.constraints import Reduction
from cxstats.models.sem.fit import solved
from cxstats.models.sem.model import Model, Parameter, Roles, build
from cxstats.models.sem.ordinal.categories import Categories, read_categories, read_groups
from cxstats.models.sem.ordinal.groups import GroupSquares, ScaledReduction
from cxstats.models.sem.ordinal.moments import (
    PERFECT,
    OrdinalMoments,
    designed_gamma,
    ordinal_moments,
)
from cxstats.models.sem.ordinal.result import OrdinalFit
from cxstats.models.sem.ordinal.wls import DeltaReduction, WeightedSquares
from cxstats.models.sem.result import ModelWarning
from cxstats.models.sem.sample import Sample
from cxstats.models.sem.sampled_cases import SampledCases
from cxstats.models.sem.structure import Structure
from cxstats.models.sem.syntax import Syntax
from cxstats.stats.sampling_design import Design, SampledRows

# What to do about an option that does not go with ordered answers.
WITHOUT = {
    "means": "thresholds stand for means",
    "estimator": "it is WLSMV, whose errors and test are robust",
    "missing": "cases with a missing answer are left out",
    "information": "errors come from the sandwich",
}


def fit_ordinal(
    syntax: Syntax,
    data: Any,
    ordered: bool | Sequence[str],
    level: float,
    options: Mapping[str, Any],
    *,
    design: Design | None = None,
    latents: Mapping[str, Any],
    groups: tuple[str | None, Sequence[str]] = (None, ()),
) -> OrdinalFit:
    """Fit a model of ordered answers; see `cxstats.models.sem.fit.sem`.

    Parameters
    ----------
    syntax, data, ordered, level
        As there.
    design : Design or None
        The sampling design: thresholds and correlations are weighted, and their covariances follow
        from it.
    latents : mapping of str to bool
        ``std_lv`` and ``orthogonal``.
    groups : tuple
        The column of groups, and what is equal over them.
    options : mapping of str to object
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
    group, equal = groups
    observed = Roles.of(syntax).observed
    _check_ordered(ordered, observed)
    if design is not None and not isinstance(data, Moments | Mapping):
        data = as_pandas(data)  # a stream of complete rows alone would not fit the weights
    sampled = None if design is None else design.read(data)
    void = None if sampled is None else sampled.weights == 0
    by_group = (
        {"": read_categories(data, observed, void)}
        if group is None
        else read_groups(data, observed, group, void)
    )
    cases = None if sampled is None else _cases(sampled, by_group)
    if cases is not None:
        pairs = zip(by_group.items(), cases.weights, strict=True)
        by_group = {key: replace(of_group, weights=weights) for (key, of_group), weights in pairs}
    moments = tuple(ordinal_moments(categories) for categories in by_group.values())
    joint = None if cases is None else designed_gamma(moments, cases)
    squares: WeightedSquares
    if len(moments) == 1:
        moments = (replace(moments[0], designed=joint),)
        squares = _alone(syntax, moments, equal, latents)
    else:
        squares = _grouped(syntax, moments, equal, latents, joint)
    for of_group in moments:
        _check_distinct(of_group)
    model = squares.reduction.model
    sizes = np.array([categories.size for categories in by_group.values()])
    with quiet_linear_algebra():
        start, optimum, problems = solved(squares)
    result = OrdinalFit(
        model=model,
        sample=Sample(
            model.observed, tuple(by_group), sizes, squares.cov,
            np.full((len(moments), len(model.observed)), np.nan),
            sum(categories.dropped for categories in by_group.values()), 0.0, data, group,
            cases=cases,
        ),
        likelihood=squares,
        start=start,
        optimum=optimum,
        problems=(*problems, *(p for of_group in moments for p in of_group.problems())),
        information="expected",
        estimator="wlsmv",
        level=level,
        group_moments=moments,
    )  # fmt: skip
    for problem in result.problems:
        warnings.warn(str(problem), ModelWarning, stacklevel=4)
    return result


def _cases(sampled: SampledRows, by_group: Mapping[Any, Categories]) -> SampledCases:
    """Return the cases of the groups among the rows of the sample."""
    return SampledCases(sampled, tuple(c.rows for c in by_group.values() if c.rows is not None))


def _alone(
    syntax: Syntax, moments: tuple[OrdinalMoments, ...], equal: Sequence[str], options: Any
) -> WeightedSquares:
    """Return the sum of squares of one group, whose thresholds are free."""
    if equal:
        raise CxError(
            f"equal={list(equal)!r} does not go with one group: there is nothing to equal"
        )
    model = _without_variances(build(syntax, **options))
    structure = Structure.of(model)
    _check_model(model, structure)
    plain = Reduction.of(model)
    _check_linear(plain)
    reduction = DeltaReduction(model, plain.offset, plain.matrix, (), (), structure)
    gamma = moments[0].gamma[1]
    return WeightedSquares(
        structure, reduction, moments[0].corr[None], None, np.ones(1), 1 / np.diagonal(gamma), gamma
    )


def _grouped(
    syntax: Syntax,
    moments: tuple[OrdinalMoments, ...],
    equal: Sequence[str],
    options: Any,
    joint: Any,
) -> GroupSquares:
    """Return the sum of squares of several groups.

    With equal thresholds, latent means are free in all but the first group, as they are with equal
    intercepts of continuous answers.
    """
    thresholds = "thresholds" in equal
    names = [*("loadings",) * ("loadings" in equal), *("intercepts",) * thresholds]
    model = build(syntax, n_groups=len(moments), means=True, equal=names, **options)
    model = _without_variances(model)
    _check_model(model, Structure.of(model))
    parameters = tuple(
        p._replace(fixed=0.0, label="", start=None)
        if p.op == "~1" and p.lhs in model.observed
        else p
        for p in model.parameters
    )
    reduction = ScaledReduction.with_thresholds(
        replace(model, parameters=parameters), moments, thresholds
    )
    _check_linear(reduction)
    return GroupSquares.of(reduction, moments, joint)


def _check_linear(reduction: Reduction) -> None:
    if reduction.equations or reduction.bounds:
        raise CxError("with ordered answers, constraints have to be linear equations")


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
    named = [p.lhs for p in model.parameters if p.op == "~1" and p.written]
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


def _check_ordered(ordered: bool | Sequence[str], observed: Sequence[str]) -> None:
    if ordered is True:
        return
    if isinstance(ordered, str | bool):
        raise CxError(f"ordered={ordered!r}; allowed: True, or a list of all items of the model")
    plain = [name for name in observed if name not in set(ordered)]
    if plain:
        raise CxError(
            f"{', '.join(plain)} not in ordered=: ordered and continuous answers cannot be mixed; "
            "take ordered=True"
        )
    odd = [str(name) for name in ordered if name not in observed]
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
