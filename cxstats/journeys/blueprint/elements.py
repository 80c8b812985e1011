"""What a blueprint is made of: elements in layers, flows between them, standards they are to meet.

References
----------
Shostack (1984). Designing services that deliver. Harvard Business Review 62(1), 133-139.
Kingman-Brundage (1989). The ABCs of service system blueprinting. In: Bitner & Crosby (eds.),
Designing a winning service strategy, American Marketing Association.
Bitner, Ostrom & Morgan (2008). Service blueprinting: a practical technique for service innovation.
California Management Review 50(3), 66-94.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, nan

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.language import Text
from cxstats.core.messages import excerpt, listing
from cxstats.stats.intervals import t_interval, wilson_interval

# From what the customer sees down to what carries the service.
LAYERS = ("evidence", "customer", "frontstage", "backstage", "support")
FLOW_KINDS = ("flow", "information", "failure")
# What a standard may limit and the element itself says; any other metric needs a value.
ELEMENT_METRICS = ("time", "wait", "failure_share")
DIRECTIONS = ("most", "least")
NO_TEXT = Text("", "")


@dataclass(frozen=True, slots=True)
class Measured:
    """A number that was planned or measured.

    Attributes
    ----------
    mean : float
        The number, a mean, or a share ``count / n``.
    sd : float
        Standard deviation of single measurements; NaN where not known.
    n : float
        How many measurements, or trials of a share; NaN where not known.
    count : float
        Events among the trials of a share; NaN of what is no share of counts.

    Examples
    --------
    >>> [round(limit, 3) for limit in Measured(5.0, sd=2.0, n=25).limits(0.95)]
    [4.174, 5.826]
    >>> Measured(5.0).limits(0.95)  # planned: no interval
    (nan, nan)
    >>> [round(limit, 4) for limit in Measured(0.2, n=50, count=10).limits(0.95)]
    [0.1124, 0.3304]
    """

    mean: float
    sd: float = nan
    n: float = nan
    count: float = nan

    @property
    def variance(self) -> float:
        """The variance of the mean, ``sd^2 / n``; NaN where sd or n is not known."""
        return self.sd**2 / self.n

    def limits(self, level: float) -> tuple[float, float]:
        """Return Wilson's interval of a share of counts, Student's t of a mean, from 0 up."""
        if not isnan(self.count):
            low, high = wilson_interval(self.mean, self.n, level)
            return float(low), float(high)
        if isnan(self.variance):
            return nan, nan
        mean, se, df = (np.array([x]) for x in (self.mean, self.variance**0.5, self.n - 1))
        low, high = t_interval(mean, se, df, level)
        return max(float(low[0]), 0.0) if not isnan(low[0]) else nan, float(high[0])


@dataclass(frozen=True, slots=True)
class Standard:
    """What an element is to achieve.

    Attributes
    ----------
    metric : str
        ``"time"``, ``"wait"``, ``"failure_share"``, or a name of the user's (its English words).
    limit : float
        In the blueprint's unit of time, from 0 to 1 of a share, otherwise in the metric's own.
    direction : {"most", "least"}
        Whether the limit is the most or the least that is allowed.
    value : Measured or None
        What was measured; None where nothing was.
    name : Text
        Words for a metric of the user's.
    """

    metric: str
    limit: float
    direction: str
    value: Measured | None
    name: Text = NO_TEXT

    def is_met(self, value: float) -> bool:
        """Return whether a value keeps the limit; the limit itself does."""
        return value <= self.limit if self.direction == "most" else value >= self.limit


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a blueprint.

    Attributes
    ----------
    id : str
    layer : str
        One of `LAYERS`.
    name, description : Text
    stage : str
        The stage of the customer's way that it belongs to; empty where none is named.
    time, wait : Measured or None
        How long it takes, and how long the customer or the case waits before it.
    failure : Measured or None
        Share of runs in which it fails.
    cost : float
        What one failure costs; NaN where not known.
    standards : tuple of Standard
    sign : Text
        Information that the customer receives (leaflets, words and conduct of staff).
    weak_link : Text
        A possible problem (a missing skill, a process that does not run smoothly).
    owner, mode, improvement : Text
        Who is responsible; mode of contact, such as telephone; what is planned to improve it.
    after_sale : bool
        Whether it belongs to after-sale service.
    """

    id: str
    layer: str
    name: Text
    description: Text = NO_TEXT
    stage: str = ""
    time: Measured | None = None
    wait: Measured | None = None
    failure: Measured | None = None
    cost: float = nan
    standards: tuple[Standard, ...] = ()
    sign: Text = NO_TEXT
    weak_link: Text = NO_TEXT
    owner: Text = NO_TEXT
    mode: Text = NO_TEXT
    improvement: Text = NO_TEXT
    after_sale: bool = False

    @property
    def duration(self) -> float:
        """Wait and time together; what is not given counts as 0."""
        return sum(part.mean for part in (self.wait, self.time) if part is not None)

    @property
    def contact_place(self) -> str:
        """Where it stands in the contact chain; empty of evidence, customers and support."""
        if self.layer not in ("frontstage", "backstage"):
            return ""
        return "after_sale" if self.after_sale else self.layer


@dataclass(frozen=True, slots=True)
class Flow:
    """What goes from one element to another: the service, information, or a failure."""

    source: str
    target: str
    kind: str = "flow"


@dataclass(frozen=True)
class Specification:
    """A blueprint as its file says it, checked.

    Attributes
    ----------
    elements, flows : tuples
    title, source, customer : Text
        Of what; where the data come from; who the customer is (role, needs).
    unit : str
        Of all times; empty where there are none.
    currency : str
        Of all costs.
    stages : mapping of str to Text
        In their order.
    synthetic : bool
        Whether the numbers are made up.
    """

    elements: tuple[Element, ...]
    flows: tuple[Flow, ...] = ()
    title: Text = NO_TEXT
    source: Text = NO_TEXT
    customer: Text = NO_TEXT
    unit: str = ""
    currency: str = ""
    stages: Mapping[str, Text] = field(default_factory=dict)
    synthetic: bool = False

    def element(self, name: str) -> Element:
        """Return an element by its id.

        Raises
        ------
        CxError
            If there is none.
        """
        for element in self.elements:
            if element.id == name:
                return element
        ids = listing((element.id for element in self.elements), 30)
        raise CxError(f"{excerpt(name)} is not an element; elements: {ids}")

    def pairs(self, *kinds: str) -> list[tuple[str, str]]:
        """Return the flows of some kinds as pairs of ids; without kinds, all of them."""
        return [(f.source, f.target) for f in self.flows if not kinds or f.kind in kinds]
