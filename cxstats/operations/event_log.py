"""Event logs: what was done in which case, from when to when, by whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cxstats.core.formats import as_html, format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    import networkx as nx
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cxstats.operations.process import Process

    Integers = NDArray[np.int64]

MICRO = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """The log as numbers, one per event, in the order of its table.

    Attributes
    ----------
    case, activity : integer arrays (n,)
        Places in `EventLog.cases` and `EventLog.activities`; cases stand together.
    start, end : integer arrays (n,)
        Microseconds since 1970; without ends, the end is the start.
    first : boolean array (n,)
        Whether the event is the first of its case.
    accepted : integer array (cases,) or None
        When the case was accepted.
    """

    case: Integers
    activity: Integers
    start: Integers
    end: Integers
    first: NDArray[np.bool_]
    accepted: Integers | None


@dataclass(frozen=True, eq=False)
class EventLog:
    """A checked event log.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per event, by case and time: ``case, activity, start`` and, as far as given,
        ``end, resource, kind, customer, automated, error, manual, accepted``.
    cases, activities : pandas.Index
        Their names, sorted.
    n_duplicates : int
        Events that repeat another in all columns used (kept unless ``duplicates="drop"``).
    n_unordered : int
        Events that stood in the file before an earlier one of their case.
    n_tied : int
        Events that begin and end with the one before them in their case, in the order of the file.
    synthetic : bool
        Whether the events are simulated.
    notes : tuple of str
        What was sorted, kept or left out.
    """

    table: pd.DataFrame
    cases: pd.Index
    activities: pd.Index
    n_duplicates: int
    n_unordered: int
    n_tied: int
    synthetic: bool
    notes: tuple[str, ...]
    arrays: Arrays = field(repr=False)

    @property
    def n_events(self) -> int:
        """Return the number of events."""
        return len(self.table)

    @property
    def n_cases(self) -> int:
        """Return the number of cases."""
        return len(self.cases)

    @property
    def has_ends(self) -> bool:
        """Return whether the log says when activities end."""
        return "end" in self.table.columns

    def performance(self, **options: Any) -> Process:
        """Measure the process; see `cxstats.operations`."""
        from cxstats.operations.process import process

        return process(self, **options)

    def variants(self, unit: str = "hour") -> pd.DataFrame:
        """Return the ways through the process; see `cxstats.operations.variants.variants`."""
        from cxstats.operations.variants import variants

        return variants(self, unit)

    def rework(self, level: float = 0.95) -> pd.DataFrame:
        """Return repeated activities; see `cxstats.operations.variants.rework`."""
        from cxstats.operations.variants import rework

        return rework(self, level)

    def bottlenecks(
        self, by: str = "activity", *, unit: str = "hour", level: float = 0.95
    ) -> pd.DataFrame:
        """Return where the time goes; see `cxstats.operations.bottlenecks.bottlenecks`."""
        from cxstats.operations.bottlenecks import bottlenecks

        return bottlenecks(self, by, unit=unit, level=level)

    def graph(self, unit: str = "hour") -> nx.DiGraph[str]:
        """Return the directly-follows graph; see `cxstats.operations.variants.follows`."""
        from cxstats.operations.variants import follows

        return follows(self, unit)

    def plot(self, ax: Axes | None = None, lang: str = "en", **options: Any) -> Axes:
        """Draw the process map; see `cxstats.charts.process_map`."""
        from cxstats.charts.process_map import process_map

        return process_map(self, ax=ax, lang=lang, **options)

    def summary(self, lang: str = "en") -> str:
        """Return what the log holds in a few lines."""
        times = self.table["start"]
        head = label(
            "process.log.head",
            lang,
            events=format_number(self.n_events),
            cases=format_number(self.n_cases),
            activities=len(self.activities),
            first=f"{times.min():%Y-%m-%d}",
            last=f"{times.max():%Y-%m-%d}",
        )
        lines = [head] + ([label("process.synthetic", lang)] if self.synthetic else [])
        return "\n".join([*lines, *(f"  * {note}" for note in self.notes)])

    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table.head(20))
