"""The time that an answer took, in the forms that platforms write it."""

from __future__ import annotations

import math
import re
from datetime import time, timedelta
from typing import Any

_UNITS = {
    "d": 86_400, "day": 86_400, "days": 86_400, "天": 86_400, "日": 86_400, "tag": 86_400,
    "tage": 86_400, "jour": 86_400, "jours": 86_400,
    "h": 3_600, "hr": 3_600, "hrs": 3_600, "hour": 3_600, "hours": 3_600, "时": 3_600,
    "小时": 3_600, "時間": 3_600, "stunde": 3_600, "stunden": 3_600, "std": 3_600, "heure": 3_600,
    "heures": 3_600,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60, "分": 60, "分钟": 60, "分鐘": 60,
    "minuten": 60,
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "秒": 1, "秒钟": 1, "sekunde": 1,
    "sekunden": 1, "seconde": 1, "secondes": 1,
}  # fmt: skip
_PART = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*([^\W\d_]+)\.?,?\s*", re.UNICODE)
_CLOCK = re.compile(
    r"(?:(\d+)\s*(?:days?|d|天)?[,\s.]\s*)?(?:(\d{1,3}):)?(\d{1,3}):(\d\d(?:[.,]\d+)?)"
)
_ISO = re.compile(r"P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", re.IGNORECASE)
_PLAIN = re.compile(r"\d+(?:[.,]\d+)?")


def seconds(cell: Any) -> float:
    """Return a duration in seconds; NaN for nothing, None's like, and what is no duration.

    Numbers are seconds. Texts: "153", "153秒", "2分33秒", "2 min 33 s", "2m33s", "1 hour",
    "00:02:33" and "2:33" (minutes and seconds), "1 day, 0:02:33", ISO 8601 ("PT2M33S").

    Examples
    --------
    >>> [seconds(text) for text in ("153秒", "2分33秒", "00:02:33", "2 min 33 s", "PT2M33S")]
    [153.0, 153.0, 153.0, 153.0, 153.0]
    >>> seconds("soon"), seconds("")
    (nan, nan)
    """
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if isinstance(cell, time):  # Excel's form of 00:02:33
        return float(3_600 * cell.hour + 60 * cell.minute + cell.second)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell)
    return _of_text(str(cell).strip().casefold()) if isinstance(cell, str) else math.nan


def _of_text(text: str) -> float:
    if _PLAIN.fullmatch(text):
        return float(text.replace(",", "."))
    values = (form(text) for form in (_clock, _iso, _parts))
    return next((value for value in values if value is not None), math.nan)


def _clock(text: str) -> float | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    days, hours, minutes = (int(part or 0) for part in match.group(1, 2, 3))
    return 86_400 * days + 3_600 * hours + 60 * minutes + float(match[4].replace(",", "."))


def _iso(text: str) -> float | None:
    match = _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes = (int(part or 0) for part in match.group(1, 2, 3))
    return 86_400 * days + 3_600 * hours + 60 * minutes + float(match[4] or 0)


def _parts(text: str) -> float | None:
    """Return the sum of numbers with units, which must be known and get smaller."""
    total, at, last = 0.0, 0, math.inf
    while at < len(text):
        match = _PART.match(text, at)
        unit = _UNITS.get(match[2]) if match else None
        if match is None or unit is None or unit >= last:
            return None
        total += float(match[1].replace(",", ".")) * unit
        at, last = match.end(), unit
    return total if at else None
