"""A journey map as data: stages in order, each with its touchpoints."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from numbers import Real
from typing import Any

from cxstats.core.language import Text

Texts = tuple[Text, ...]
NO_TEXT = Text("", "")

# What a stage and a touchpoint say in words, in the order in which a map shows it.
DESCRIPTIONS = ("action", "channel", "pain", "expectation", "evidence")
# What a touchpoint says in numbers.
NUMBERS = ("score", "sd", "n", "importance", "weight")


def as_number(value: Any) -> float | None:
    """Return a number as a float; None for what is none, which true and false are not either.

    Examples
    --------
    >>> as_number(3), as_number("3"), as_number(True), as_number(10**400)
    (3.0, None, None, inf)
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return inf


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """Where a customer meets the firm.

    Attributes
    ----------
    id : str
        What identifies it, and names its column of the responses.
    name : Text
    stage : int
        Place of its stage in the journey, from 0.
    action, channel, pain, expectation, evidence : tuple of Text
        What the customer does, through which channels, what hurts, what is expected, what can be
        seen or touched.
    events : tuple of str
        Activities of an event log that happen there.
    score, sd, n : float
        A published mean, its standard deviation and number of respondents; NaN where not known.
    importance, weight : float
        NaN where not stated.
    """

    id: str
    name: Text
    stage: int
    action: Texts = ()
    channel: Texts = ()
    pain: Texts = ()
    expectation: Texts = ()
    evidence: Texts = ()
    events: tuple[str, ...] = ()
    score: float = nan
    sd: float = nan
    n: float = nan
    importance: float = nan
    weight: float = nan


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a journey; what it says in words holds for all of its touchpoints."""

    name: Text
    action: Texts = ()
    channel: Texts = ()
    pain: Texts = ()
    expectation: Texts = ()
    evidence: Texts = ()
    weight: float = nan


@dataclass(frozen=True, slots=True)
class JourneyMap:
    """Stages and touchpoints in order.

    Attributes
    ----------
    stages : tuple of Stage
    touchpoints : tuple of Touchpoint
        In the order of their stages.
    name, source : Text
        Empty where the file has none.
    scale : (float, float) or None
        Lowest and highest score.
    """

    stages: tuple[Stage, ...]
    touchpoints: tuple[Touchpoint, ...]
    name: Text = NO_TEXT
    source: Text = NO_TEXT
    scale: tuple[float, float] | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The touchpoints by their ids."""
        return tuple(touchpoint.id for touchpoint in self.touchpoints)

    @property
    def id_of(self) -> dict[str, str]:
        """The id of a touchpoint by what it may be called: its id, or a name that no other has."""
        named: dict[str, list[str]] = {}
        for touchpoint in self.touchpoints:
            for name in set(touchpoint.name):
                named.setdefault(name, []).append(touchpoint.id)
        by_name = {name: ids[0] for name, ids in named.items() if len(ids) == 1}
        return {**by_name, **{name: name for name in self.ids}}

    def of_stage(self, place: int) -> list[Touchpoint]:
        """Return the touchpoints of a stage."""
        return [touchpoint for touchpoint in self.touchpoints if touchpoint.stage == place]

    def texts(self, place: int, description: str) -> list[Text]:
        """Return what a stage and its touchpoints say in one kind of words, each text once."""
        holders: list[Any] = [self.stages[place], *self.of_stage(place)]
        return list(dict.fromkeys(text for x in holders for text in getattr(x, description)))

    def channels_of(self, touchpoint: Touchpoint) -> Texts:
        """Return the channels of a touchpoint; those of its stage where it names none."""
        return touchpoint.channel or self.stages[touchpoint.stage].channel
