"""The waves of a metric in the order of time, and how a caller names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.language import Text, both
from cxstats.core.messages import excerpt, meant
from cxstats.core.order_of_waves import (
    around,
    is_alphabetical,
    order_of_texts,
    period_of,
    place_of,
    possible_days,
    same_time,
)

if TYPE_CHECKING:
    import pandas as pd

LISTED = 12  # waves in a message


@dataclass(frozen=True, slots=True)
class Timeline:
    """Waves in the order of time.

    Attributes
    ----------
    places : dict of wave to float
        Where each wave stands, in `unit`, the first wave first.
    unit : {"wave", "30 days", "week", "month", "quarter", "half"}
    notes : tuple of Text
        What was taken for granted.
    """

    places: dict[Any, float]
    unit: str
    notes: tuple[Text, ...] = ()

    @classmethod
    def of(
        cls, waves: pd.Series[Any], order: Sequence[Any] | None = None, listed: bool = False
    ) -> Timeline:
        """Put the waves of a column in order.

        Parameters
        ----------
        waves : Series
            As `as_moments` returns them; its name is used in messages.
        order : sequence of waves, optional
            Their order.
        listed : bool
            Whether somebody listed them, one by one, so that their order may mean something.

        Raises
        ------
        CxError
            If they are of mixed kinds, a wave is not in `order`, or their order is not clear.
        """
        import pandas as pd

        if order is not None:
            return cls._as_ordered(waves, order)
        names = list(dict.fromkeys(waves))
        if isinstance(waves.dtype, pd.CategoricalDtype) and not is_alphabetical(waves.dtype):
            there = set(names)
            names = [name for name in waves.cat.categories if name in there]
            return cls(_numbered(names), "wave")
        if pd.api.types.is_datetime64_any_dtype(waves):
            return cls(_sorted({name: _day(name) / 30 for name in names}), "30 days")
        kinds = sorted({type(name).__name__ for name in names})
        if all(isinstance(name, str) for name in names):
            return cls._of_texts(names, listed, waves.name)
        if len(kinds) > 1 and not pd.api.types.is_numeric_dtype(waves):
            raise CxError(
                f"column {waves.name!r} holds {' and '.join(kinds)}; allowed: one kind of wave, or "
                f"the waves in order, order=[...]"
            )
        return cls._of_numbers(names, listed, waves)

    @classmethod
    def _as_ordered(cls, waves: pd.Series[Any], order: Sequence[Any]) -> Timeline:
        if isinstance(order, str) or not hasattr(order, "__iter__"):
            raise CxError(f"order={order!r}; allowed: a list of the waves, the first one first")
        timeline = cls(_numbered(list(dict.fromkeys(waves))), "wave")
        order = list(order)
        matches = [timeline.matches(wave) for wave in order]
        places: dict[Any, float] = {}
        for i, match in enumerate(matches):
            if len(match) > 1 or (match and match[0] in places):
                raise CxError(f"order: {excerpt(order[i])} names two waves, or one of them twice")
            if match:
                places[match[0]] = float(i)
        left = [wave for wave in timeline.places if wave not in places]
        if left:
            raise CxError(
                f"order: wave {excerpt(left[0])} of column {waves.name!r} is not in it; name every "
                f"wave: {_enumerate(timeline.places)}"
            )
        return cls(_numbered(list(places)), "wave")

    @classmethod
    def _of_texts(cls, names: list[str], listed: bool, column: object) -> Timeline:
        way_out = f"say it with order=[...]: {_enumerate(names)}"
        try:
            order = order_of_texts(names, listed)
        except CxError as error:
            raise CxError(f"column {column!r}: {error}; or {way_out}") from error
        if order is not None:
            places = _sorted(dict(zip(names, order.places, strict=True)))
            notes = [both(f"tracking.note.{order.remark}", column=column)] if order.remark else []
            return cls(places, order.unit, tuple(notes))
        if not listed:
            raise CxError(
                f"column {column!r} is text whose order in time is not clear; {way_out}; or give "
                "dates, numbers, or texts such as '2024-09', 'Sep 2024', 'Q3 2024', 'Wave 2'"
            )
        return cls(_numbered(names), "wave", (both("tracking.note.listed", column=column),))

    @classmethod
    def _of_numbers(cls, names: list[Any], listed: bool, waves: pd.Series[Any]) -> Timeline:
        places = _sorted({name: float(name) for name in names})
        if not all(isinstance(name, int | np.integer) for name in names):
            return cls(places, "wave")
        numbers = [int(name) for name in names]
        if all(190001 <= number <= 210012 and number % 100 <= 12 for number in numbers):
            return cls(places, "wave", (both("tracking.note.months", column=waves.name),))
        if {1, 12} <= set(numbers) <= set(range(1, 13)) and len(numbers) < 12:
            try:
                of_months, remark = around(numbers, 12, listed)
            except CxError:
                remark = ""
            if remark == "year_end":
                note = both("tracking.note.year_end", column=waves.name)
                return cls(dict(zip(names, of_months, strict=True)), "wave", (note,))
            return cls(places, "wave", (both("tracking.note.month_numbers", column=waves.name),))
        return cls(places, "wave")

    def find(self, wave: Any, argument: str) -> Any:
        """Return the wave that a caller means; raise if there is none, or more than one."""
        matches = self.matches(wave)
        if len(matches) == 1:
            return matches[0]
        near = meant(wave, list(self.places))
        reason = "could be any of several waves" if matches else f"is not a wave{near}"
        raise CxError(f"{argument}: {wave!r} {reason}; there are: {_enumerate(self.places)}")

    def matches(self, wave: Any) -> list[Any]:
        """Return the waves that a value can mean: the same, or the same time in other words."""
        import pandas as pd

        waves = list(self.places)
        same = [other for other in waves if type(other) is type(wave) and other == wave]
        same = same or [other for other in waves if _equal(other, wave)]
        if same:
            return same
        if isinstance(wave, pd.Period):
            wave = wave.to_timestamp()
        moment = pd.Timestamp(wave) if isinstance(wave, date | np.datetime64) else None
        if isinstance(wave, str) and all(isinstance(other, str) for other in waves):
            return [other for other in waves if same_time(other, wave)]
        if moment is not None and self.unit not in ("wave", ""):
            at = _day(moment) / 30 if self.unit == "30 days" else place_of(moment, self.unit)
            same = [other for other, place in self.places.items() if place == at]
        if same or not all(isinstance(other, date) for other in waves):
            return same
        if moment is not None:
            return [other for other in waves if _same_day(_day(other), {_day(moment)})]
        return [] if not isinstance(wave, str) else _said(wave, waves)


def as_moments(waves: pd.Series[Any]) -> pd.Series[Any]:
    """Return dates and periods as times, and every other column as it is.

    Raises
    ------
    CxError
        If times have different zones.
    """
    import pandas as pd

    if isinstance(waves.dtype, pd.PeriodDtype) or (
        waves.dtype == object and waves.map(lambda wave: isinstance(wave, pd.Period)).all()
    ):
        return pd.Series([wave.to_timestamp() for wave in waves], waves.index, name=waves.name)
    if waves.dtype == object and waves.map(lambda wave: isinstance(wave, date)).all():
        try:
            moments: pd.Series[Any] = pd.to_datetime(waves)
            return moments
        except (ValueError, TypeError) as error:
            raise CxError(
                f"column {waves.name!r} holds times of different zones; allowed: one zone, or none"
            ) from error
    return waves


def _numbered(names: Sequence[Any]) -> dict[Any, float]:
    return {name: float(i) for i, name in enumerate(names)}


def _sorted(places: dict[Any, float]) -> dict[Any, float]:
    return dict(sorted(places.items(), key=lambda item: item[1]))


def _enumerate(waves: Sequence[Any] | dict[Any, float]) -> str:
    names = [str(wave) if isinstance(wave, date) else excerpt(wave) for wave in waves]
    return ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")


def _day(moment: Any) -> float:
    """Return a time by the clock of its zone as days."""
    seconds = 3600 * moment.hour + 60 * moment.minute + moment.second + moment.microsecond / 1e6
    return float(moment.toordinal() + seconds / 86400)


def _equal(wave: Any, other: Any) -> bool:
    try:
        return bool(wave == other)
    except (TypeError, ValueError):
        return False


def _same_day(day: float, days: set[float]) -> bool:
    """Return whether a time is one of those meant, of which a midnight is the whole day."""
    return any(day == other or (other % 1 == 0 and day // 1 == other) for other in days)


def _said(text: str, waves: list[Any]) -> list[Any]:
    """Return the waves of a day, or of a period, that a text says."""
    days = possible_days(text)
    if days:
        return [wave for wave in waves if _same_day(_day(wave), days)]
    period = period_of(text)
    return [wave for wave in waves if period and place_of(wave, period[0]) == period[1]]
