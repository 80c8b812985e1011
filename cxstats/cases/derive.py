"""The numbers that follow from the published ones but were not printed: ours, and called so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cxstats.cases.facts import Fact

# The source says "from quarterly to weekly"; 52 weeks in 4 quarters is our reading of it.
WEEKS_PER_QUARTER = Decimal(13)
WEEK = Decimal(1)


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived number and the facts it comes from."""

    inputs: tuple[str, ...]
    before: Decimal | None = None
    after: Decimal | None = None
    value: Decimal | None = None


def number(fact: Fact, field: str = "value") -> Decimal:
    """Return a number that the kind of the fact guarantees."""
    value: Decimal | None = getattr(fact, field)
    if value is None:
        raise LookupError(f"fact {fact.id} has no {field}")
    return value


def derive(facts: Mapping[str, Fact]) -> dict[str, Derived]:
    """Compute every derived fact of the case studies.

    Formulas: time saved ``n * (t0 - t1)``, in hours ``/ 60``; a trajectory from its first to
    its last printed point; end-to-end conversion ``CTR * CVR`` (both in per cent, so ``/ 100``),
    which holds only if conversions are counted per click.

    Parameters
    ----------
    facts : mapping of str to Fact
        The published facts by identifier.

    Returns
    -------
    dict of str to Derived
        By the identifier of the derived fact.

    Examples
    --------
    >>> from cxstats.cases.facts import read_facts
    >>> derive({fact.id: fact for fact in read_facts()})["F010"].value
    Decimal('25000.0')
    """

    def value(name: str) -> Decimal:
        return number(facts[name])

    minutes = value("F008") * (number(facts["F009"], "before") - number(facts["F009"], "after"))

    def trajectory(first: str, last: str) -> Derived:
        return Derived((first, last), before=value(first), after=value(last))

    return {
        "F007": Derived((), before=WEEKS_PER_QUARTER, after=WEEK),
        "F010": Derived(("F008", "F009"), value=minutes),
        "F011": Derived(("F008", "F009"), value=minutes / 60),
        "F067": trajectory("F055", "F064"),
        "F068": trajectory("F056", "F065"),
        "F069": trajectory("F057", "F066"),
        "F070": Derived(
            ("F055", "F056", "F064", "F065"),
            before=value("F055") * value("F056") / 100,
            after=value("F064") * value("F065") / 100,
        ),
    }
