"""Recompute every published figure and say which agree, which do not, which cannot be checked."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from cxstats.cases.arithmetic import agrees, percent_change
from cxstats.cases.checks import Contradiction, run_checks
from cxstats.cases.derive import Derived, derive
from cxstats.cases.facts import Fact, read_facts
from cxstats.cases.files import read_formulas, read_source_errors
from cxstats.cases.result import SIGNS, Audit, AuditedFact
from cxstats.core.formats import format_number, round_half_up
from cxstats.core.language import Text, both


def audit(path: str | Path | None = None) -> Audit:
    """Recompute every published figure.

    A change is ``(after - before) / before * 100`` in decimal arithmetic, rounded half up at
    the precision printed. Consistency checks compare the figures with each other. An effect
    that was published without its base is listed as reported and never recomputed.

    Parameters
    ----------
    path : str or Path, optional
        A facts file in the form of ``data/cases/facts.csv``, to audit figures of your own;
        its printed changes are recomputed. The consistency checks, formulas and errors of
        sources belong to the case studies of this project and are left out then.

    Returns
    -------
    Audit

    Raises
    ------
    DataError
        If the file is not a valid facts file, with file, row and column named.

    Examples
    --------
    >>> result = audit()
    >>> result.agree, result.disagree, result.unchecked
    (10, 3, 98)
    >>> nps = result.fact("F072")
    >>> nps.recomputed, nps.points, nps.agrees
    (Decimal('112.5'), Decimal('36'), True)
    >>> print(nps.change_text())
    +36 points (+113 %)
    """
    if path is not None:
        return Audit(tuple(_audited(fact) for fact in read_facts(Path(path))), (), (), ())
    facts = read_facts()
    by_name = {fact.id: fact for fact in facts}
    checks = run_checks(by_name)
    derived = derive(by_name)
    contradictions = {c.fact: c for check in checks for c in check.contradictions}
    supports = {name: check.id for check in checks for name in check.supports}
    return Audit(
        facts=tuple(
            _audited(f, derived.get(f.id), contradictions.get(f.id), supports.get(f.id))
            for f in facts
        ),
        checks=checks,
        formulas=read_formulas(),
        source_errors=read_source_errors(),
    )


def _audited(
    fact: Fact,
    derived: Derived | None = None,
    contradiction: Contradiction | None = None,
    support: str | None = None,
) -> AuditedFact:
    numbers = derived or fact
    before, after, value = numbers.before, numbers.after, numbers.value
    recomputed, points = derived.value if derived else None, None
    if before is not None and after is not None:
        # From a base of 0, or below, no relative change exists (an NPS can have one).
        recomputed = percent_change(before, after) if before > 0 else None
        points = _points(before, after, fact.unit.measure)
    agreed, verdict, reason = _verdict(fact, derived, recomputed)
    if verdict == "stated" and support:
        verdict, reason = "consistent", both("reason.consistent", check=support)
    if contradiction:
        agreed, verdict, reason = False, "contradicted", contradiction.reason
        recomputed = contradiction.recomputed
    return AuditedFact(
        fact=fact,
        before=before,
        after=after,
        value=value,
        published=fact.value if fact.printed_change is None else fact.printed_change,
        recomputed=recomputed,
        points=points,
        agrees=agreed,
        verdict=verdict,
        reason=reason,
    )


def _points(before: Decimal, after: Decimal, measure: str) -> Decimal | None:
    scale = {"rate": 1, "index": 1, "fraction": 100}.get(measure)
    return None if scale is None else (after - before) * scale


def _verdict(
    fact: Fact, derived: Derived | None, recomputed: Decimal | None
) -> tuple[bool | None, str, Text]:
    printed = fact.printed_change
    if derived:
        inputs = ", ".join(derived.inputs)
        return (
            None,
            "derived",
            both("reason.derived_from" if inputs else "reason.read", facts=inputs),
        )
    if printed is not None and recomputed is not None:
        agreed = agrees(printed, recomputed, fact.qualifier)
        verdict = {True: "agrees", False: "contradicted", None: "recomputed"}[agreed]
        values = {
            "change": format_number(round_half_up(recomputed, 4)),
            "printed": SIGNS.get(fact.qualifier, "") + format_number(printed),
        }
        return (
            agreed,
            verdict,
            both("reason.about" if agreed is None else f"reason.{verdict}", **values),
        )
    if fact.kind == "lost":
        return None, "lost", both("reason.lost")
    if printed is not None:
        based = fact.before is not None and fact.after is not None
        return None, "as_reported", both("reason.no_relative" if based else "reason.as_reported")
    if recomputed is not None:
        return None, "recomputed", both("reason.recomputed")
    return None, "stated", both("reason.stated")
