"""Waves and their numbers as a control chart needs them, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Any

import matplotlib.dates as mdates
import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MOST = 120  # waves


@dataclass(frozen=True, slots=True)
class Clock:
    """Where waves stand: `x` (t,), the edges between them (t + 1,), and their names."""

    kind: str
    x: Floats
    edges: Floats
    names: list[str]


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers by wave (t,); `limits` are lower, centre and upper (3, t)."""

    estimate: Floats
    low: Floats
    high: Floats
    limits: Floats
    signal: Flags
    outside: Flags
    hidden: Flags


def read_clock(waves: list[Any]) -> Clock:
    """Return where waves stand: dates and numbers at true distances, strings side by side."""
    if not 2 <= len(waves) <= MOST:
        raise CxError(f"{len(waves)} waves; allowed: 2 to {MOST}")
    waves = [one.to_timestamp() if hasattr(one, "to_timestamp") else one for one in waves]
    if all(isinstance(one, date | np.datetime64) for one in waves):  # a Timestamp is a date
        kind, x = "date", np.asarray(mdates.date2num(waves), float)
        names = [str(np.datetime64(one, "s")).removesuffix("T00:00:00").replace("T", " ")
                 for one in waves]  # fmt: skip
    elif all(isinstance(one, Real) and not isinstance(one, bool) for one in waves):
        kind, x = "number", np.array(waves, float)
        names = [plain(float(one)) for one in waves]
    else:
        kind, x, names = "string", np.arange(float(len(waves))), [str(one) for one in waves]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise CxError(f"waves: {twice[0]!r} is there twice; allowed: each once")
    for i, (a, b) in enumerate(pairwise(x)):
        if not b > a:
            raise CxError(
                f"waves: {names[i + 1]!r} does not come after {names[i]!r}; allowed: in order, "
                "each once"
            )
    between = (x[1:] + x[:-1]) / 2
    edges = np.array([x[0] - (between[0] - x[0]), *between, x[-1] + (x[-1] - between[-1])])
    return Clock(kind, x, edges, names)


def plain(value: float) -> str:
    """Write a number of a wave, which may be a year, without grouping its digits."""
    return format_number(value).replace(",", "")


def _column(when: Clock, values: Iterable[Any], what: str) -> Floats:
    """Return one number per wave; NaN is allowed."""
    try:
        found = np.array([float(one) for one in values])
    except (TypeError, ValueError) as error:
        raise CxError(f"{what}: {error}; allowed: numbers, or NaN") from error
    if len(found) != len(when.x):
        raise CxError(f"{len(when.x)} waves, but {len(found)} values of {what}; one for each")
    return found


def read_series(
    when: Clock,
    estimates: Iterable[float],
    ends: Sequence[Iterable[float]],
    limits: Sequence[Iterable[float]],
    signals: Iterable[bool] | None,
    suppressed: Iterable[bool] | None,
) -> Series:
    """Return the numbers of the waves, with what is suppressed taken out."""
    estimate = _column(when, estimates, "estimates")
    low, high = (_column(when, one, name) for one, name in zip(ends, ("ci_low", "ci_high"),
                                                               strict=True))  # fmt: skip
    lines = np.array([_column(when, one, name) for one, name in
                      zip(limits, ("lower", "centre", "upper"), strict=True)])  # fmt: skip
    hidden = np.isnan(estimate) if suppressed is None else _flags(when, suppressed, "suppressed")
    for i in np.flatnonzero(~hidden & ~np.isfinite(estimate)):
        raise CxError(
            f"estimates: wave {when.names[i]!r} has {estimate[i]:g}; allowed: a number, or a wave "
            "that is suppressed"
        )
    for i in np.flatnonzero(~hidden & ((low > estimate) | (high < estimate))):
        raise CxError(
            f"intervals: wave {when.names[i]!r} has {estimate[i]:g} in [{low[i]:g}, {high[i]:g}]; "
            "allowed: lower limit, estimate, upper limit in this order"
        )
    for i in np.flatnonzero((lines[0] > lines[1]) | (lines[1] > lines[2])):
        raise CxError(
            f"control limits: wave {when.names[i]!r} has {lines[0, i]:g}, {lines[1, i]:g}, "
            f"{lines[2, i]:g}; allowed: lower, centre, upper in this order"
        )
    estimate = np.where(hidden, np.nan, estimate)
    outside = (estimate < lines[0]) | (estimate > lines[2])
    signal = outside if signals is None else _flags(when, signals, "signals") & ~hidden
    return Series(estimate, np.where(hidden, np.nan, low), np.where(hidden, np.nan, high),
                   lines, signal, outside & signal, hidden)  # fmt: skip


def _flags(when: Clock, values: Iterable[bool], what: str) -> Flags:
    return _column(when, values, what) > 0


def read_place(when: Clock, at: Any, what: str, first: int) -> int:
    """Return the place of a wave, or raise."""
    whole = isinstance(at, int | np.integer) and not isinstance(at, bool)
    if not whole or not first <= at < len(when.x):
        raise CxError(f"{what}: {at!r}; allowed: whole numbers from {first} to {len(when.x) - 1}")
    return int(at)
