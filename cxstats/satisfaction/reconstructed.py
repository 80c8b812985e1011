"""Formulas whose right-hand side is lost: readings of ours, labelled so wherever they are shown.

Weights and coefficients come from the caller; none is invented.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cxstats.cases.facts import read_facts
from cxstats.core.errors import CxError
from cxstats.core.language import both
from cxstats.satisfaction.formula_registry import formula, published
from cxstats.satisfaction.formulas import formula_score, parts
from cxstats.satisfaction.inputs import read_scores
from cxstats.satisfaction.reconstruction import (
    Reconstructed,
    check_numbers,
    points,
)
from cxstats.satisfaction.result import WeightedScore

SYNERGY_WEIGHTS = ("F079", "F080", "F081", "F082")


@published("A01", "reconstructed-low")
def balance(
    te: float,
    pe: float,
    ce: float,
    le: float,
    *,
    loyalty: Callable[[float, float], float],
    satisfaction: Callable[[float, float], float] | None = None,
) -> Reconstructed:
    """Compute satisfaction, loyalty and value in both readings of a formula that is lost.

    Reading 1: ``CSAT = f(TE, PE)``; reading 2: ``CSAT = PE - TE``, perceived less expected. In both
    ``CL = g(CSAT, CE)`` and ``CV = CL LE``. Formula A01: document 000, 2.1 (1) (status:
    reconstructed, low confidence); only LE, the length of the customer's life cycle, is defined.

    Parameters
    ----------
    te, pe, ce, le : float
        As named in print.
    loyalty : callable (CSAT, CE) -> CL
        The function g, which is lost.
    satisfaction : callable (TE, PE) -> CSAT, optional
        The function f, which is lost; without it reading 1 is left out.

    Examples
    --------
    >>> found = balance(3, 4, 2, 5, loyalty=lambda csat, ce: csat * ce)
    >>> found.table["estimate"].tolist()
    [1.0, 2.0, 10.0]
    """
    check_numbers(te=te, pe=pe, ce=ce, le=le)
    for name, function in (("loyalty", loyalty), ("satisfaction", satisfaction)):
        if not callable(function) and not (name == "satisfaction" and function is None):
            raise CxError(f"{name} is {function!r}; allowed: a function of two numbers")
    readings = {"reading 2": ("PE − TE", pe - te)}
    if satisfaction is not None:
        csat = _called("satisfaction", satisfaction, te, pe)
        readings = {"reading 1": ("f(TE, PE)", csat), **readings}
    rows = []
    for reading, (words, csat) in readings.items():
        cl = _called("loyalty", loyalty, csat, ce)
        rows += [
            (f"CSAT, {reading}", words, csat),
            (f"CL, {reading}", "g(CSAT, CE)", cl),
            (f"CV, {reading}", "CL · LE", cl * le),
        ]
    remarks = [] if satisfaction is not None else [both("satisfaction.note.A01")]
    return points("A01", rows, remarks)


def _called(name: str, function: Callable[..., float], *values: float) -> float:
    """Return what a function of the caller's makes of two numbers; refuses what is no number."""
    found = function(*values)
    check_numbers(**{f"{name}({values[0]:g}, {values[1]:g})": found})
    return float(found)


@published("A02", "reconstructed-low")
def data_driven(data: Any, weights: Any, **options: Any) -> WeightedScore:
    """Compute the data-driven strategy score, ``sum_i w_i Data_i``.

    Formula A02: document 000, 2.1 (3); only the sum sign and its lower limit survive (status:
    reconstructed, low confidence).

    Parameters
    ----------
    data, weights, **options
        Scores and weights as in `cxstats.weighted_score`.

    Examples
    --------
    >>> data_driven({"surveys": 60, "logs": 80}, {"surveys": 0.5, "logs": 0.5}).value
    70.0
    """
    return _weighted("A02", data, weights, options)


@published("A17", "reconstructed-low")
def fusion_score(
    cf: Any, content: Any, context: Any, betas: Sequence[float], *, data: Any = None, **options: Any
) -> WeightedScore:
    """Compute the recommender's score, ``b1 CF + b2 Content + b3 Context``, the b summing to 1.

    Formula A17: document 000, 6.2 (2) 3) (status: reconstructed, low confidence). All values of
    beta are lost: give your own.

    Parameters
    ----------
    cf, content, context : number, array (n,) or str
        Scores; with `data`, names of columns.
    betas : sequence of three floats
    data : table, optional
    **options
        Of `cxstats.weighted_score`.

    Examples
    --------
    >>> round(fusion_score(0.8, 0.6, 0.4, [0.5, 0.3, 0.2]).value, 4)
    0.66
    """
    names = ("cf", "content", "context")
    scores = parts(data, cf=cf, content=content, context=context)
    return _weighted("A17", scores, _three(betas, names), options)


@published("A18", "reconstructed-low")
def transformation_value(
    experience: Any, efficiency: Any, business: Any, cost: Any, weights: Any, *,
    data: Any = None, **options: Any,
) -> WeightedScore:  # fmt: skip
    """Compute the value of a transformation, its cost with the opposite sign.

    ``w1 experience + w2 efficiency + w3 business - w4 cost``.

    Formula A18: document 000, 6.2 (3) (status: reconstructed, low confidence). The weights are
    unknown: give your own, all positive and summing to 1; cost enters with the opposite sign.

    Parameters
    ----------
    experience, efficiency, business, cost : number, array (n,) or str
        Scores of the four groups of indicators, in one unit; with `data`, names of columns.
    weights : mapping, or sequence of four floats in that order
    data : table, optional
    **options
        Of `cxstats.weighted_score`.

    Examples
    --------
    >>> round(transformation_value(80, 70, 60, 40, [0.4, 0.3, 0.2, 0.1]).value, 6)
    61.0
    """
    names = ("experience", "efficiency", "business", "cost")
    scores = parts(data, experience=experience, efficiency=efficiency, business=business, cost=cost)
    scores.values[:, names.index("cost")] *= -1
    return _weighted("A18", scores, _three(weights, names), options)


@published("A22", "reconstructed-low")
def synergy(
    technology: Mapping[str, float],
    organisation: Mapping[str, float],
    culture: Mapping[str, float],
    weights: Mapping[str, float] | None = None,
) -> Reconstructed:
    """Compute synergy of technology, organisation and culture in both readings.

    ``sum_k w_k mean(T_k, O_k, C_k)`` and ``sum_k w_k min(T_k, O_k, C_k)``, which penalises
    imbalance. Formula A22: document 000, 6.2 (4) (status: reconstructed, low confidence). The
    weights of four capabilities are printed (facts F079 to F082); maturity scores are not.

    Parameters
    ----------
    technology, organisation, culture : mappings of capability to maturity score
    weights : mapping of capability to weight, optional
        Other weights than those in print, for other capabilities.

    Examples
    --------
    >>> names = list(synergy_weights())
    >>> scores = [dict.fromkeys(names, value) for value in (3, 4, 2)]
    >>> synergy(*scores).table["estimate"].tolist()
    [3.0, 2.0]
    """
    shares = synergy_weights() if weights is None else weights
    read = [read_scores(one, shares) for one in (technology, organisation, culture)]
    stacked = np.concatenate([given.values for given, _, _ in read])
    if np.isnan(stacked).any():
        raise CxError("a maturity score is missing; give all three for every capability")
    own = read[0][1]
    rows = [
        ("mean", "Σ w_k · mean(T_k, O_k, C_k)", stacked.mean(axis=0) @ own),
        ("min", "Σ w_k · min(T_k, O_k, C_k)", stacked.min(axis=0) @ own),
    ]
    return points("A22", rows)


def synergy_weights() -> dict[str, float]:
    """Return the four weights of synergy in print, read from the facts F079 to F082.

    Examples
    --------
    >>> sum(synergy_weights().values())
    1.0
    """
    facts = {fact.id: fact for fact in read_facts()}
    return {facts[one].item.en: float(facts[one].value or 0) for one in SYNERGY_WEIGHTS}


@published("D01", "reconstructed-low")
def blueprint_experience(scores: Any, weights: Any, **options: Any) -> WeightedScore:
    """Compute customer experience of a service blueprint, ``CX = sum_k w_k x_k``.

    Over four modules: frontstage, backstage, expectations, external references. Formula D01:
    document 004, 1.2.1; a function of the four, of unknown form (status: reconstructed, low
    confidence).

    Parameters
    ----------
    scores, weights, **options
        As in `cxstats.weighted_score`.

    Examples
    --------
    >>> modules = {"frontstage": 80, "backstage": 60, "expectations": 70, "references": 50}
    >>> blueprint_experience(modules, dict.fromkeys(modules, 0.25)).value
    65.0
    """
    return _weighted("D01", scores, weights, options)


def _weighted(
    identifier: str, scores: Any, weights: Any, options: Mapping[str, Any]
) -> WeightedScore:
    name = formula(identifier).name
    reading = formula(identifier).formula
    return formula_score(scores, weights, name, identifier, options, reading=reading)


def _three(weights: Any, names: Sequence[str]) -> Any:
    """Return weights by name; a sequence comes in the order of the names."""
    if isinstance(weights, Mapping) or hasattr(weights, "to_dict"):
        return weights
    if np.shape(weights) != (len(names),):
        raise CxError(f"weights are {weights!r}; allowed: {len(names)}, for {', '.join(names)}")
    return dict(zip(names, np.asarray(weights).tolist(), strict=True))
