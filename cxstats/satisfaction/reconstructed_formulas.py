"""Formulas whose right-hand side is lost: readings of ours, labelled so wherever they are shown.

Composites of scores, then ratios of counts and amounts, then formulas that cannot be computed.
Weights and coefficients come from the caller; none is invented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from cxstats.cases.facts import read_facts
from cxstats.core.errors import CxError
from cxstats.core.language import Text, both, label, note_if
from cxstats.satisfaction.component_scores import formula_scores, read_scores
from cxstats.satisfaction.formula_registry import formula, published
from cxstats.satisfaction.formulas import formula_score
from cxstats.satisfaction.result import Reconstructed, WeightedScore
from cxstats.stats.intervals import check_level, normal_quantile, wilson_interval

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

SYNERGY_WEIGHTS = ("F079", "F080", "F081", "F082")
LEVEL = 0.95
Row = tuple[float, float, float, float]  # estimate, limits, n


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
    >>> result = balance(3, 4, 2, 5, loyalty=lambda csat, ce: csat * ce)
    >>> result.table["estimate"].tolist()
    [1.0, 2.0, 10.0]
    """
    check_numbers(te=te, pe=pe, ce=ce, le=le)
    for name, function in (("loyalty", loyalty), ("satisfaction", satisfaction)):
        if not callable(function) and not (name == "satisfaction" and function is None):
            raise CxError(f"{name} is {function!r}; allowed: a function of two numbers")
    csat_of_reading = {2: pe - te}
    if satisfaction is not None:
        csat_of_reading = {1: _call("satisfaction", satisfaction, te, pe), **csat_of_reading}
    values: dict[str, float] = {}
    for reading, csat in csat_of_reading.items():
        cl = _call("loyalty", loyalty, csat, ce)
        values |= {f"csat_{reading}": csat, f"cl_{reading}": cl, f"cv_{reading}": cl * le}
    return exact_numbers("A01", values, note_if(satisfaction is None, "satisfaction.note.A01"))


def _call(name: str, function: Callable[..., float], *arguments: float) -> float:
    """Return what a function of the caller's makes of two numbers; raise if it is no number."""
    value = function(*arguments)
    check_numbers(**{f"{name}({arguments[0]:g}, {arguments[1]:g})": value})
    return float(value)


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
    scores = formula_scores(data, cf=cf, content=content, context=context)
    return _weighted("A17", scores, _named_weights(betas, names), options)


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
    scores = formula_scores(
        data, experience=experience, efficiency=efficiency, business=business, cost=cost
    )
    scores.values[:, names.index("cost")] *= -1
    return _weighted("A18", scores, _named_weights(weights, names), options)


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
    weight_of = synergy_weights() if weights is None else weights
    scores = [read_scores(maturity, weight_of) for maturity in (technology, organisation, culture)]
    stacked = np.concatenate([components.values for components, _, _ in scores])
    if np.isnan(stacked).any():
        raise CxError("a maturity score is missing; give all three for every capability")
    shares = scores[0][1]
    return exact_numbers(
        "A22", {"mean": stacked.mean(axis=0) @ shares, "min": stacked.min(axis=0) @ shares}
    )


def synergy_weights() -> dict[str, float]:
    """Return the four weights of synergy in print, read from the facts F079 to F082.

    Examples
    --------
    >>> sum(synergy_weights().values())
    1.0
    """
    facts = {fact.id: fact for fact in read_facts()}
    printed = [facts[identifier] for identifier in SYNERGY_WEIGHTS]
    return {fact.item.en: float(fact.value or 0) for fact in printed}


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
    printed = formula(identifier)
    return formula_score(
        scores, weights, printed.name, identifier, options, reading=printed.formula
    )


def _named_weights(weights: Any, names: Sequence[str]) -> Any:
    """Return weights by name; a sequence comes in the order of the names."""
    if isinstance(weights, Mapping) or hasattr(weights, "to_dict"):
        return weights
    if np.shape(weights) != (len(names),):
        raise CxError(f"weights are {weights!r}; allowed: {len(names)}, for {', '.join(names)}")
    return dict(zip(names, np.asarray(weights).tolist(), strict=True))


@published("A03", "reconstructed-low")
def personalisation(preference: Sequence[float], behaviour: Sequence[float]) -> Reconstructed:
    """Compute personalisation in both readings, with and without a second factor.

    ``sum_j Preference_j`` and ``sum_j Preference_j Behaviour_j``. Formula A03: document 000, 2.1
    (3): the sum of preferences is printed, the text names behaviour too (status: reconstructed,
    low confidence).

    Parameters
    ----------
    preference, behaviour : sequences (m,)

    Examples
    --------
    >>> personalisation([0.5, 1.0], [1.0, 0.2]).table["estimate"].tolist()
    [1.5, 0.7]
    """
    preferences = check_sequence("preference", preference)
    behaviours = check_sequence("behaviour", behaviour)
    if preferences.shape != behaviours.shape:
        raise CxError(
            f"preference has the shape {preferences.shape}, behaviour {behaviours.shape}; "
            "allowed: (m,) for both"
        )
    return exact_numbers(
        "A03",
        {"preference": preferences.sum(), "with_behaviour": (preferences * behaviours).sum()},
    )


@published("A06", "reconstructed-low")
def channel_integration(channels: int, integrated: int, linked_pairs: int) -> Reconstructed:
    """Compute channel integration in both readings.

    ``integrated channels / all channels``, and, stricter, ``linked pairs / (k (k - 1) / 2)``.
    Formula A06: document 000, 2.3 (1) (status: reconstructed, low confidence).

    Parameters
    ----------
    channels : int
        All k channels, at least two.
    integrated : int
        Channels that are joined to another.
    linked_pairs : int
        Pairs of channels between which a customer can move without telling the story again.

    Examples
    --------
    >>> channel_integration(5, 4, 3).table["estimate"].tolist()
    [0.8, 0.3]
    """
    check_count("channels", channels, 2, np.inf)
    check_count("integrated", integrated, 0, channels)
    pairs = channels * (channels - 1) // 2
    check_count("linked_pairs", linked_pairs, 0, pairs)
    values = {"channels": integrated / channels, "pairs": linked_pairs / pairs}
    return exact_numbers("A06", values, [both("satisfaction.note.census")])


@published("A07", "reconstructed-low")
def feedback_loop(
    implemented: int,
    collected: int,
    closing_times: Sequence[float] | None = None,
    target: float | None = None,
    *,
    level: float = 0.95,
) -> Reconstructed:
    """Compute the strength of the feedback loop, without and with its speed.

    ``L = implemented / collected``, with Wilson's interval; and ``L t0 / (t0 + mean t)``, whose
    interval is the delta method's on the log scale with L and t independent. Formula A07: document
    000, 2.3 (3) (status: reconstructed, low confidence).

    Parameters
    ----------
    implemented, collected : int
        Pieces of feedback.
    closing_times : sequence of float, optional
        Times from collecting to closing, in the unit of the target; at least two.
    target : float, optional
        Target t0; needed with closing times.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22.

    Examples
    --------
    >>> result = feedback_loop(30, 50, closing_times=[4, 6, 8], target=6)
    >>> result.table["estimate"].round(4).tolist()
    [0.6, 0.3]
    """
    rows = {"share": share_row(level, implemented=implemented, collected=collected)}
    if closing_times is not None or target is not None:
        times, target = _closing_times(closing_times, target)
        rows["with_speed"] = _with_speed(implemented, collected, times, target, level)
    return Reconstructed(quantity_table("A07", rows), "A07", level, ())


def _closing_times(
    closing_times: Sequence[float] | None, target: float | None
) -> tuple[NDArray[np.float64], float]:
    """Return times and target; raise if either is missing or out of range."""
    if closing_times is None:
        raise CxError(f"target={target!r} needs closing_times, which it is compared with")
    times = check_sequence("closing_times", closing_times)
    if len(times) < 2 or (times < 0).any():
        raise CxError(f"closing_times is {closing_times!r}; allowed: two or more, from 0 upwards")
    if not is_number(target) or target is None or target <= 0:
        raise CxError(f"target is {target!r}; with closing times a number above 0 is needed")
    return times, target


def _with_speed(
    implemented: int, collected: int, times: NDArray[np.float64], target: float, level: float
) -> Row:
    """Return the loop's strength times its speed, with the delta method's limits."""
    strength, speed = implemented / collected, target / (target + times.mean())
    value = strength * speed
    if value == 0:
        return value, np.nan, np.nan, collected
    time_variance = times.var(ddof=1) / len(times) / (target + times.mean()) ** 2
    se = np.sqrt((1 - strength) / implemented + time_variance)
    z = normal_quantile(level)
    return value, value * np.exp(-z * se), value * np.exp(z * se), collected


@published("A15", "reconstructed-low")
def service_effectiveness(
    solved: int, requests: int, csat: float, relative_cost: float, alpha: float, *,
    level: float = 0.95,
) -> Reconstructed:  # fmt: skip
    """Compute service effectiveness, ``alpha (solved / requests CSAT) / relative cost``.

    Formula A15: document 000, 6.2 (2) 1) (status: reconstructed, low confidence). The three values
    of alpha, for one channel, two linked and all merged, are lost: give your own.

    Parameters
    ----------
    solved, requests : int
        Requests solved, and all.
    csat : float
        Satisfaction, on whatever scale the index shall have.
    relative_cost : float
        Cost or time, relative to a base; above 0.
    alpha : float
        Coefficient of channel synergy; above 0.

    Examples
    --------
    >>> service_effectiveness(80, 100, 0.9, 1.2, alpha=1.0).table["estimate"].round(4).tolist()
    [0.6]
    """
    check_numbers(csat=csat, relative_cost=relative_cost, alpha=alpha)
    if relative_cost <= 0 or alpha <= 0 or csat < 0:
        raise CxError(
            f"csat={csat!r}, relative_cost={relative_cost!r}, alpha={alpha!r}; allowed: csat from "
            "0, the others above 0"
        )
    table = quantity_table("A15", {"index": share_row(level, solved=solved, requests=requests)})
    table[["estimate", "ci_low", "ci_high"]] *= alpha * csat / relative_cost
    return Reconstructed(table, "A15", level, (both("satisfaction.note.A15"),))


@published("D08", "reconstructed-low")
def collaboration(
    on_time: int, tasks: int, planned_hours: float | None = None,
    actual_hours: float | None = None, *, level: float = 0.95,
) -> Reconstructed:  # fmt: skip
    """Compute the efficiency of collaboration between departments.

    Tasks of several departments closed on time over all of them, with Wilson's interval; with
    hours also ``planned / actual``. Formula D08: document 004, 3.3.2 (3) (status: reconstructed,
    low confidence).

    Parameters
    ----------
    on_time, tasks : int
        Tasks that need more than one department.
    planned_hours, actual_hours : float, optional
        The other reading.

    Examples
    --------
    >>> collaboration(42, 60, 100, 125).table["estimate"].tolist()
    [0.7, 0.8]
    """
    rows = {"share": share_row(level, on_time=on_time, tasks=tasks)}
    if planned_hours is not None or actual_hours is not None:
        rows["hours"] = _hours_ratio(planned_hours, actual_hours), np.nan, np.nan, np.nan
    return Reconstructed(quantity_table("D08", rows), "D08", level, ())


def _hours_ratio(planned_hours: float | None, actual_hours: float | None) -> float:
    """Return planned over actual hours; raise if either is missing or out of range."""
    if planned_hours is None or actual_hours is None:
        raise CxError("hours: give planned_hours and actual_hours, or neither")
    check_numbers(planned_hours=planned_hours, actual_hours=actual_hours)
    if planned_hours < 0 or actual_hours <= 0:
        raise CxError(
            f"planned_hours={planned_hours!r}, actual_hours={actual_hours!r}; allowed: above 0"
        )
    return planned_hours / actual_hours


@published("D06", "given, invalid")
def service_efficiency(*_: object, **__: object) -> NoReturn:
    """Raise, since the printed efficiency of intelligent service cannot be computed.

    Formula D06: document 004, 3.3.1, formula 2 (status: given, but invalid). Verbatim:

        智能化客户服务效率=(24/7×用户咨询量)+(个性化服务占比)

    It adds a number of enquiries to a share and takes "24/7" for a number.

    Raises
    ------
    CxError
        Always, with the formula, the reason and what to use in its place: the share of enquiries
        resolved automatically times the share of hours that are covered.
    """
    raise CxError(
        f"D06 as printed: {formula('D06').as_printed}. It cannot be computed: it adds a count of "
        "enquiries to a share, and 24/7 is a way of saying always, no number. In its place: "
        "automated-resolution rate × coverage, both from 0 to 1"
    )


@published("A19", "lost")
def architecture_decay(*_: object, **__: object) -> NoReturn:
    """Raise, since threshold and action of the rule of architecture decay are lost.

    Formula A19: document 000, 6.2 (5) (status: lost).

    Raises
    ------
    CxError
        Always.
    """
    raise CxError(
        f"A19 as printed: {formula('A19').as_printed!r}. Threshold and action are lost; there is "
        "nothing to compute"
    )


def quantity_table(identifier: str, rows: Mapping[str, Row]) -> pd.DataFrame:
    """Return the table of a `Reconstructed`, by the code of each quantity."""
    import pandas as pd

    columns = ["estimate", "ci_low", "ci_high", "n"]
    codes = pd.Index(list(rows), name="quantity")
    table = pd.DataFrame(list(rows.values()), index=codes, columns=columns)
    readings = [label(f"satisfaction.quantity.{identifier}.{code}", "en") for code in rows]
    table.insert(0, "formula", readings)
    return table


def exact_numbers(
    identifier: str, values: Mapping[str, float], notes: Sequence[Text] = ()
) -> Reconstructed:
    """Return numbers that follow from their inputs, without a sample."""
    rows = {code: (float(value), np.nan, np.nan, np.nan) for code, value in values.items()}
    notes = (*notes, both("satisfaction.note.exact"))
    return Reconstructed(quantity_table(identifier, rows), identifier, LEVEL, notes)


def share_row(level: float, **counts: int) -> Row:
    """Return the share of the first of two counts in the second, with Wilson's limits."""
    check_level(level)
    (name, hits), (name_of_total, total) = counts.items()
    check_count(name_of_total, total, 1, np.inf)
    check_count(name, hits, 0, total)
    low, high = wilson_interval(hits / total, total, level)
    return hits / total, float(low), float(high), total


def check_count(name: str, value: Any, low: float, high: float) -> None:
    """Raise if a value is no whole number from low to high."""
    integer = isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer()
    if not integer or not low <= value <= high:
        top = "" if np.isinf(high) else f" to {high:g}"
        raise CxError(
            f"{name} is {value!r}; allowed: whole numbers from {low:g}{top or ' upwards'}"
        )


def check_numbers(**values: Any) -> None:
    """Raise if a value is no finite number, by its name."""
    for name, value in values.items():
        if not is_number(value):
            raise CxError(f"{name} is {value!r}; allowed: a number")


def is_number(value: object) -> bool:
    """Return whether a value is a finite number; True and False are none."""
    real = isinstance(value, Real) and not isinstance(value, bool | np.timedelta64)
    return real and bool(np.isfinite(float(value)))  # type: ignore[arg-type]


def check_sequence(name: str, values: Any) -> NDArray[np.float64]:
    """Return numbers (m,), m of at least 1; raise if one is none, naming its place.

    Examples
    --------
    >>> check_sequence("times", [1, "x"])
    Traceback (most recent call last):
    cxstats.core.errors.CxError: times: value 2 is 'x'; allowed: numbers
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise CxError(f"{name} is {values!r}; allowed: a sequence of numbers")
    sequence = list(values)
    if not sequence:
        raise CxError(f"{name} is empty; at least one number is needed")
    for place, value in enumerate(sequence, 1):
        if not is_number(value):
            raise CxError(f"{name}: value {place} is {value!r}; allowed: numbers")
    return np.array(sequence, float)
