"""The fifteen consistency checks of the published numbers against each other.

A check reads published facts only. It says true or false where one number fixes another, and
null where it shows something worth knowing that cannot be right or wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from cxstats.cases.arithmetic import agrees, percent_change, printed_decimals
from cxstats.cases.derive import number
from cxstats.cases.facts import Fact
from cxstats.core.formats import format_number, format_percent, round_half_up
from cxstats.core.language import Text, both, listed

Facts = Mapping[str, Fact]

SERVICES = ("F042", "F045", "F048", "F051")  # steps; page load and effort are the next two rows
RESULTS = tuple(f"F{n:03d}" for n in range(71, 79))
TRAINING = ("F110", "F111")
YEARS = 3  # 2018 to 2021


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A published number that other published numbers rule out."""

    fact: str
    recomputed: Decimal | None
    reason: Text


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one consistency check.

    ``agrees`` is None where the check cannot be right or wrong; ``reason`` says why.
    ``contradictions`` and ``supports`` name the facts that it rules out and bears out.
    """

    id: str
    facts: tuple[str, ...]
    title: Text
    given: str
    recomputed: str
    agrees: bool | None
    reason: Text
    expected: str = ""
    source: str = ""
    section: Text = Text("", "")  # noqa: RUF009  (a NamedTuple is immutable)
    contradictions: tuple[Contradiction, ...] = field(default=())
    supports: tuple[str, ...] = ()


def run_checks(facts: Facts) -> tuple[Check, ...]:
    """Run C01 to C15 on the facts of the case studies.

    Examples
    --------
    >>> from cxstats.cases.facts import read_facts
    >>> checks = run_checks({fact.id: fact for fact in read_facts()})
    >>> [check.id for check in checks if check.agrees is False]
    ['C05', 'C07']
    """
    checks: tuple[Callable[[Facts], Check], ...] = (
        lambda facts: _sum("C01", _ids(21, 25), facts, Decimal(100)),
        lambda facts: _sum("C02", _ids(30, 32), facts, Decimal(100)),
        lambda facts: _sum("C03", _ids(36, 41), facts, Decimal(100)),
        lambda facts: _sum("C04", _ids(79, 82), facts, Decimal(1)),
        _average_steps,
        _complaints_and_churn,
        _effort_and_causes,
        _automation_and_intervention,
        lambda facts: _changes("C09", RESULTS, facts),
        lambda facts: _changes("C10", TRAINING, facts),
        _total_cost,
        _complaint_count,
        _annual_growth,
        _time_span,
        _waiting_and_response,
    )
    return tuple(check(facts) for check in checks)


def _ids(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"F{n:03d}" for n in range(first, last + 1))


def _check(  # noqa: PLR0913, PLR0917  (the fields of a Check)
    name: str,
    fact_names: tuple[str, ...],
    facts: Facts,
    published: str,
    recomputed: str,
    agreed: bool | None,
    expected: str = "",
    contradictions: tuple[Contradiction, ...] = (),
    supports: tuple[str, ...] = (),
    values: Mapping[str, object] | None = None,
) -> Check:
    unexpected = agreed is False and not contradictions
    return Check(
        id=name,
        facts=fact_names,
        title=both(f"check.{name}.title"),
        given=published,
        recomputed=recomputed,
        agrees=agreed,
        reason=both("check.fails" if unexpected else f"check.{name}.reason", **(values or {})),
        expected=expected,
        source=facts[fact_names[0]].source,
        section=_sections(fact_names, facts),
        contradictions=contradictions,
        supports=supports if agreed else (),
    )


def _sections(fact_names: tuple[str, ...], facts: Facts) -> Text:
    """Return the sections that a check compares, each once."""
    places = dict.fromkeys(facts[name].section for name in fact_names)
    return Text("; ".join(place.en for place in places), "；".join(place.zh for place in places))


def _sum(name: str, fact_names: tuple[str, ...], facts: Facts, expected: Decimal) -> Check:
    values = [number(facts[fact]) for fact in fact_names]
    total = sum(values, Decimal(0))
    summands = " + ".join(format_number(value) for value in values)
    target = format_number(expected)
    agreed = total == expected
    return _check(
        name, fact_names, facts, summands, format_number(total), agreed, target, supports=fact_names
    )


def _average_steps(facts: Facts) -> Check:
    """Check the mean of the services' steps against the average that the text gives."""
    printed = number(facts["F028"])
    steps = [number(facts[fact], "before") for fact in SERVICES]
    mean, least = sum(steps, Decimal(0)) / len(steps), min(steps)
    agreed = bool(agrees(printed, mean))
    values = {
        "steps": listed(format_number(step) for step in steps),
        "mean": format_number(mean),
        "least": format_number(least),
    }
    contradiction = Contradiction("F028", mean, both("check.C05.reason", **values))
    average = format_number(printed)
    return _check(
        "C05",
        ("F028", *SERVICES),
        facts,
        average,
        format_number(mean),
        agreed,
        average,
        () if agreed else (contradiction,),
        values=values,
    )


def _complaints_and_churn(facts: Facts) -> Check:
    churn = number(facts["F022"]) + number(facts["F024"])
    complaints = format_number(number(facts["F020"]))
    return _check("C06", ("F020", "F022", "F024"), facts, complaints, format_number(churn), None)


def _effort_and_causes(facts: Facts) -> Check:
    """Check each printed fall of effort against the falls of steps and page load beside it.

    A weighted mean of two causes lies between them, so an effect outside their range cannot
    be derived from them with any weights.
    """
    fact_names, efforts, causes, contradictions = [], [], [], []
    for first in SERVICES:
        steps, load, effort = (facts[f"F{int(first[1:]) + k:03d}"] for k in range(3))
        fact_names += [steps.id, load.id, effort.id]
        falls = [percent_change(number(f, "before"), number(f, "after")) for f in (steps, load)]
        cause = [format_number(fall, 1) for fall in falls]
        printed = number(effort, "printed_change")
        efforts.append(format_number(printed))
        causes.append(" / ".join(cause))
        rounded = [round_half_up(fall, printed_decimals(printed)) for fall in falls]
        if not min(rounded) <= printed <= max(rounded):
            reason = both("check.C07.fact", steps=cause[0], load=cause[1])
            contradictions.append(Contradiction(effort.id, None, reason))
    return _check(
        "C07",
        tuple(fact_names),
        facts,
        "; ".join(efforts),
        "; ".join(causes),
        not contradictions,
        "",
        tuple(contradictions),
        values={"n": len(contradictions), "which": listed(c.fact for c in contradictions)},
    )


def _automation_and_intervention(facts: Facts) -> Check:
    automation, manual = facts["F014"], facts["F015"]
    pairs = [(number(automation, when), number(manual, when)) for when in ("before", "after")]
    summands = "; ".join(f"{format_number(a)} + {format_number(b)}" for a, b in pairs)
    sums = "; ".join(format_number(a + b) for a, b in pairs)
    return _check("C08", ("F014", "F015"), facts, summands, sums, None)


def _changes(name: str, fact_names: tuple[str, ...], facts: Facts) -> Check:
    agreed = [
        agrees(
            number(facts[fact], "printed_change"),
            percent_change(number(facts[fact], "before"), number(facts[fact], "after")),
        )
        is True
        for fact in fact_names
    ]
    rates = sum(facts[fact].unit.measure in ("rate", "index") for fact in fact_names)
    count = str(len(fact_names))
    return _check(
        name,
        fact_names,
        facts,
        count,
        str(sum(agreed)),
        all(agreed),
        count,
        values={"rates": rates},
    )


def _product(facts: Facts, unit_fact: str, scale: Decimal) -> tuple[Decimal, Decimal]:
    before, after = (
        number(facts["F071"], when) * number(facts[unit_fact], when) * scale
        for when in ("before", "after")
    )
    return before, after


def _arrow(before: Decimal, after: Decimal, decimals: int) -> str:
    change = format_percent(percent_change(before, after), 1, "en", sign=True)
    return f"{format_number(before, decimals)} → {format_number(after, decimals)} ({change})"


def _total_cost(facts: Facts) -> Check:
    # 10,000 users times CNY, shown in 100 million CNY.
    before, after = _product(facts, "F078", Decimal("0.0001"))
    return _check("C11", ("F071", "F078"), facts, "", _arrow(before, after, 2), None)


def _complaint_count(facts: Facts) -> Check:
    # 10,000 users times per cent, shown in 10,000 complaints.
    before, after = _product(facts, "F073", Decimal("0.01"))
    fall = percent_change(number(facts["F073"], "before"), number(facts["F073"], "after"))
    values = {
        "rate": format_number(abs(fall), 1),
        "count": format_number(abs(percent_change(before, after)), 1),
    }
    return _check("C12", ("F071", "F073"), facts, "", _arrow(before, after, 2), None, values=values)


def _annual_growth(facts: Facts) -> Check:
    ratio = number(facts["F071"], "after") / number(facts["F071"], "before")
    growth = (ratio ** (1 / Decimal(YEARS)) - 1) * 100
    return _check("C13", ("F071",), facts, "", f"{format_number(growth, 1)} %", None)


def _time_span(facts: Facts) -> Check:
    span = facts["F071"].period.replace("/", "–")
    return _check("C14", RESULTS, facts, "XXX年累计", span, None)


def _waiting_and_response(facts: Facts) -> Check:
    floor, response = number(facts["F026"]), number(facts["F035"], "before")
    bound = f"> {format_number(floor)}"
    return _check(
        "C15",
        ("F026", "F035"),
        facts,
        bound,
        format_number(response),
        response > floor,
        bound,
        supports=("F026",),
    )
