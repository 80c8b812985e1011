"""The order of waves in time, whatever they are called: dates, months, quarters, weeks, numbers.

Texts are read in English and Chinese. Texts without a common form have no order, and texts that
can be read in two ways whose order differs raise: nothing is guessed in silence. (dateutil and
pandas read more, but fill what is missing with today's date and take the month first.)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from cxstats.core.errors import CxError

MOST = 2_000  # texts; more are no waves
LONGEST = 80  # characters of one
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
CHINESE = {character: i for i, character in enumerate("零一二三四五六七八九")} | {"〇": 0}
STAGES = (
    ("before", "pre", "baseline", "base line", "pretest", "pre test", "基线", "基期", "前测", "前",
     "之前", "以前"),
    ("during", "midline", "mid line", "pilot", "中", "期间", "中期", "试点"),
    ("after", "post", "endline", "end line", "posttest", "post test", "follow up", "followup",
     "后测", "后", "之后", "以后", "随访"),
)  # fmt: skip
STAGE_OF = {"before": 0, "pre": 0, "前": 0, "during": 1, "中": 1, "after": 2, "post": 2, "后": 2}
BACKWARDS = re.compile(r"\b(ago|before|prior|earlier|until|left)\b|[前距]")  # larger is earlier
SEPARATORS = r"[\s\-_/.,'’]*"


def _beginnings(names: Sequence[str]) -> dict[str, int]:
    """Return the number of every name, written out or cut to three letters or more."""
    return {name[:k]: i for i, name in enumerate(names, 1) for k in range(3, len(name) + 1)}


MONTH, WEEKDAY = _beginnings(MONTHS), _beginnings(WEEKDAYS) | {"weds": 3}
NUMBERS = {name: i for names in (WORDS, ORDINALS) for i, name in enumerate(names, 1)}
YEAR = re.compile(r"(?:\bfy\s?)?(?<!\d)((?:19|20)\d\d)(?!\d)\s?(?:年度?)?")
UNITS = (
    ("quarter", re.compile(r"(?:q|qtr|quarter) ?([1-4])|([1-4]) ?(?:q|qtr|quarter)"
                           r"|第?([1-4])季度?")),
    ("half", re.compile(r"(?:h|half) ?([12])|([12]) ?(?:h|half)")),
    ("week", re.compile(r"(?:w|wk|week|kw|cw) ?(\d\d?)|(\d\d?) ?(?:w|wk|week)"
                        r"|第?(\d\d?)(?:周|个?星期)")),
    ("month", re.compile(r"(\d\d?)月份?")),
)  # fmt: skip
LARGEST = {"quarter": 4, "half": 2, "week": 53, "month": 12}
SHORT_YEAR = (  # of two digits, where nothing else can be meant
    re.compile(rf"(?P<unit>q[1-4]|[1-4]q|h[12]|[12]h){SEPARATORS}(?:fy)?(?P<year>\d\d)"),
    re.compile(rf"(?:fy)?(?P<year>\d\d){SEPARATORS}(?P<unit>q[1-4]|[1-4]q|h[12])"),
    re.compile(r"(?P<year>\d\d)年(?P<unit>.+)"),
    re.compile(r"(?P<unit>[a-z]{3,})\.?(?: ?['’\-/] ?)?(?P<year>\d\d)"),
)
TIME = r"(?:[t ]\s?(\d\d?):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s?(?:z|[+-]\d\d:?\d\d)?)?"
YEAR_FIRST = re.compile(
    rf"(\d{{4}})(?:[-/.年]\s?)(\d\d?)(?:[-/.月]\s?)(\d\d?)日?{TIME}|((?:19|20)\d\d)(\d\d)(\d\d)"
)
YEAR_LAST = re.compile(rf"(\d\d?)[-/. ](\d\d?)[-/. ](\d{{4}}|\d\d){TIME}")
DAY_OF_MONTH = re.compile(r"(?P<name>[a-z]{3,}) ?(?P<day>\d\d?)"
                          r"|(?P<day2>\d\d?) ?(?P<name2>[a-z]{3,})"
                          r"|(?P<month>\d\d?)月 ?(?P<day3>\d\d?)[日号]?")  # fmt: skip
NUMBER = re.compile(r"((?:(?<=\s)|^|(?<=\bt))-\d+|\d+)")


class TimeOrder(NamedTuple):
    """Where waves stand in time.

    Attributes
    ----------
    places : tuple of float
        One per wave, in `unit`; what is left out on the calendar leaves a gap.
    unit : {"wave", "30 days", "week", "month", "quarter", "half"}
    remark : str
        What was taken for granted: "year_end" (the list runs over the end of a year), "one_year"
        (all are of one year), "day_first", "month_first" or "year_first" (of dates that could be
        either), "years"
        ("Nov 24" is November 2024), "two_readings" (whose order is the same), or nothing.
    """

    places: tuple[float, ...]
    unit: str
    remark: str = ""


def order_of_texts(texts: Sequence[str], listed: bool = False) -> TimeOrder | None:
    """Return the order in time of texts, each there once; None if they have no common form.

    Parameters
    ----------
    texts : sequence of str
    listed : bool
        Whether somebody listed them, which tells where months (quarters, weekdays) without a year
        begin.

    Raises
    ------
    CxError
        If they can be read in two ways whose order differs, or two are the same time.

    Examples
    --------
    >>> order_of_texts(["Oct 2024", "Jan 2025", "Feb 2025"])
    TimeOrder(places=(24297.0, 24300.0, 24301.0), unit='month', remark='')
    >>> order_of_texts(["第十周", "第九周"]).places
    (10.0, 9.0)
    >>> order_of_texts(["spring", "launch"]) is None
    True
    """
    order = _read(texts, listed)
    if order is not None and len(set(order.places)) < len(texts):
        first = next(i for i, place in enumerate(order.places) if place in order.places[:i])
        twin = order.places.index(order.places[first])
        raise CxError(f"{texts[twin]!r} and {texts[first]!r} are the same time; call it one name")
    return order


def in_order(groups: Iterable[Any]) -> list[Any]:
    """Return distinct groups in order: texts by their time or number, others by kind and value.

    Texts whose order is not clear are in that of the alphabet, which a table can have; what needs
    an order in time asks `order_of_texts`.

    Examples
    --------
    >>> in_order(["Q1 2025", "Q4 2024"]), in_order(["North", "East"]), in_order([10, 9])
    (['Q4 2024', 'Q1 2025'], ['East', 'North'], [9, 10])
    """
    names = list(groups)
    try:
        order = order_of_texts(names) if all(isinstance(name, str) for name in names) else None
    except CxError:
        order = None
    if order is None:
        return sorted(names, key=lambda group: (str(type(group)), group))
    return [names[i] for i in sorted(range(len(names)), key=order.places.__getitem__)]


def is_alphabetical(dtype: object) -> bool:
    """Return whether a type is of categories without an order, as pandas sorts texts by itself."""
    categories = list(getattr(dtype, "categories", ()))
    texts = bool(categories) and all(isinstance(category, str) for category in categories)
    return texts and not getattr(dtype, "ordered", True) and categories == sorted(categories)


def same_time(text: str, other: str) -> bool:
    """Return whether two texts say the same time, such as "nov 2024" and "2024-11".

    Examples
    --------
    >>> same_time("nov 2024", "2024年11月"), same_time("Nov 2024", "Dec 2024")
    (True, False)
    """
    if _plain(text) == _plain(other):
        return True
    try:
        order = _read([text, other], False)
    except CxError:
        return False
    return order is not None and order.unit != "wave" and order.places[0] == order.places[1]


def possible_days(text: str) -> set[float]:
    """Return the days (`date.toordinal`) that a text can say, with the time as a part of a day.

    Examples
    --------
    >>> sorted(date.fromordinal(int(day)).isoformat() for day in possible_days("02/03/2024"))
    ['2024-02-03', '2024-03-02']
    """
    plain = _plain(text)
    match = YEAR_LAST.fullmatch(plain)
    if match:
        return {days[0] for days in _last_readings([match.groups()]).values()}
    day = _day(plain)
    return set() if day is None else {day}


def period_of(text: str) -> tuple[str, float] | None:
    """Return the unit and the place of a period with a year, such as "Mar 2024"; None without one.

    Examples
    --------
    >>> period_of("2024年3月"), period_of("March")
    (('month', 24290.0), None)
    """
    plain = _plain(text)
    period = _period(plain)
    order = None if period is None or period[1] is None else _periods([plain], False)
    return None if order is None else (order.unit, order.places[0])


def place_of(day: date, unit: str) -> float | None:
    """Return where a day stands among waves that are on the calendar in `unit`; None elsewhere."""
    return {
        "30 days": day.toordinal() / 30,
        "week": (day.toordinal() - day.weekday()) / 7,
        "month": 12.0 * day.year + day.month - 1,
        "quarter": 4.0 * day.year + (day.month - 1) // 3,
        "half": 2.0 * day.year + (day.month - 1) // 6,
    }.get(unit)


def _read(texts: Sequence[str], listed: bool) -> TimeOrder | None:
    if not 0 < len(texts) <= MOST or any(len(text) > LONGEST for text in texts):
        return None
    plain = [_plain(text) for text in texts]
    forms: tuple[Callable[[list[str], bool], TimeOrder | None], ...] = (
        _dates, _periods, _days_of_the_year, _weekdays, _stages, _numbers, _letters,
    )  # fmt: skip
    orders = (form(plain, listed) for form in forms)
    return next((order for order in orders if order is not None), None)


def _plain(text: str) -> str:
    """Return a text in one form of width, case and space, its numerals as digits."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    plain = re.sub("(?:周|星期|礼拜)([一二三四五六日天])",
                   lambda m: WEEKDAYS[min("一二三四五六日天".find(m[1]), 6)], plain)  # fmt: skip
    plain = plain.replace("元月", "1月").replace("上半年", "h1").replace("下半年", "h2")
    numeral = "[〇零一二三四五六七八九十]+"
    plain = re.sub(f"(?<=第){numeral}|{numeral}(?=[月季期波轮次周日号年批])", _from_chinese, plain)
    plain = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", plain)
    plain = re.sub(r"[a-z]+", lambda m: str(NUMBERS.get(m[0], m[0])), plain)
    return plain.removesuffix(".")


def _from_chinese(match: re.Match[str]) -> str:
    """Return a Chinese numeral up to 99, or digits one by one, as digits."""
    tens, ten, units = match[0].partition("十")
    if not ten:
        return "".join(str(CHINESE[character]) for character in tens)
    if len(tens) > 1 or len(units) > 1 or "十" in units:
        return match[0]
    return str(10 * CHINESE.get(tens, 1) + CHINESE.get(units, 0))


# Dates ---------------------------------------------------------------------------------------


def _dates(texts: list[str], listed: bool) -> TimeOrder | None:
    """Read days with a year: 2024-09-01, 1 Sep 2024, 2024年9月1日, 01/09/2024."""
    last = [YEAR_LAST.fullmatch(text) for text in texts]
    if all(last):
        return _year_last([m.groups() for m in last if m])
    places = [_day(text) for text in texts]
    if None in places:
        return None
    return TimeOrder(tuple(place / 30 for place in places if place is not None), "30 days")


def _day(text: str) -> float | None:
    """Return the number of a day that is written with its year first or its month by name."""
    match = YEAR_FIRST.fullmatch(text)
    if match:
        y, m, d, *clock, y8, m8, d8 = match.groups()
        day = _ordinal(*(int(number) for number in ((y, m, d) if y else (y8, m8, d8))))
        return None if day is None else day + _clock(clock)
    year, remainder = _year(text)
    of_month = None if year is None else _day_of_month(remainder)
    return None if year is None or of_month is None else _ordinal(year, *of_month)


def _ordinal(year: int, month: int, day: int) -> float | None:
    try:
        return float(date(year, month, day).toordinal())
    except ValueError:
        return None


def _clock(fields: Sequence[str | None]) -> float:
    """Return hours, minutes and seconds as a part of a day."""
    return sum(
        int(field or 0) / size for field, size in zip(fields, (24, 1440, 86400), strict=True)
    )


def _year_last(fields: list[tuple[str, ...]]) -> TimeOrder | None:
    """Read 01/11/2024 and 01/11/24; the day is what exceeds 12, or what stays the same."""
    readings = _last_readings(fields)
    day_at = {"day_first": 0, "month_first": 1, "year_first": 2}
    monthly = [name for name in readings if len({field[day_at[name]] for field in fields}) == 1]
    if len(fields) > 2 and len(readings) > 1 and len(monthly) == 1:
        return TimeOrder(tuple(day / 30 for day in readings[monthly[0]]), "30 days", monthly[0])
    return _only([TimeOrder(tuple(d / 30 for d in days), "30 days") for days in readings.values()])


def _last_readings(fields: Sequence[Sequence[str]]) -> dict[str, list[float]]:
    """Return the days of each reading in which all numbers are dates."""
    orders = {"day_first": (2, 1, 0), "month_first": (2, 0, 1), "year_first": (0, 1, 2)}
    if any(len(field[2]) == 4 for field in fields):
        del orders["year_first"]
    readings = {}
    for name, (y, m, d) in orders.items():
        days = [
            _ordinal(int(p[y]) + (2000 if len(p[y]) < 3 else 0), int(p[m]), int(p[d]))
            for p in fields
        ]
        if None not in days:
            readings[name] = [
                day + _clock(p[3:]) for day, p in zip(days, fields, strict=True) if day is not None
            ]
    return readings


def _only(readings: list[TimeOrder]) -> TimeOrder | None:
    """Return the one reading, or the order that all have in common; raise if they differ."""
    if len(readings) < 2:
        return readings[0] if readings else None
    ranks = {tuple(_ranks(reading.places)) for reading in readings}
    if len(ranks) > 1:
        raise CxError(
            "these dates can be read with the day or the month (or the year) first, and the order "
            "differs"
        )
    return TimeOrder(tuple(map(float, ranks.pop())), "wave", "two_readings")


def _ranks(places: Sequence[float]) -> list[int]:
    distinct = sorted(set(places))
    return [distinct.index(place) for place in places]


def _year(text: str) -> tuple[int | None, str]:
    """Return the year of four digits in a text, and the rest of it."""
    years = YEAR.findall(text)
    if len(years) != 1:
        return None, text
    remainder = re.sub(rf"{SEPARATORS}\bof\b|[\s\-_/.,'’]+", " ", YEAR.sub(" ", text))
    return int(years[0]), remainder.strip()


def _day_of_month(text: str) -> tuple[int, int] | None:
    """Return month and day of "5 jan", "jan 5" and "1月5日"."""
    match = DAY_OF_MONTH.fullmatch(text)
    if not match:
        return None
    name = match["name"] or match["name2"]
    month = int(match["month"]) if match["month"] else MONTH.get(name or "", 0)
    day = int(match["day"] or match["day2"] or match["day3"])
    return (month, day) if _ordinal(2000, month, day) is not None else None


# Periods -------------------------------------------------------------------------------------


def _periods(texts: list[str], listed: bool) -> TimeOrder | None:
    """Read months, quarters, halves and weeks, with or without a year."""
    spaced = [re.fullmatch(r"([a-z]{3,}) (\d\d)", text) for text in texts]
    if all(m and m[1] in MONTH for m in spaced):
        return _years_or_days([(MONTH[m[1]], int(m[2])) for m in spaced if m])
    periods = [_period(text) for text in texts]
    units = {period[0] for period in periods if period}
    years = [period[1] for period in periods if period]
    if len(years) < len(texts) or len(units) > 1 or (None in years and set(years) != {None}):
        return None
    unit, numbers = units.pop(), [period[2] for period in periods if period]
    if None in years:
        return _without_year(unit, numbers, listed)
    dated = [(year, number) for year, number in zip(years, numbers, strict=True) if year]
    if unit == "week":
        return TimeOrder(tuple(_monday(*week) / 7 for week in dated), unit)
    size = LARGEST[unit]
    return TimeOrder(tuple(float(size * year + number - 1) for year, number in dated), unit)


def _period(text: str) -> tuple[str, int | None, int] | None:
    """Return unit, year and number of a period."""
    year, remainder = _year(re.sub(r"^((?:19|20)\d\d)(0[1-9]|1[0-2])$", r"\1-\2", text))
    if year is None:
        short = next((m for form in SHORT_YEAR if (m := form.fullmatch(text))), None)
        if short and (_unit(short["unit"]) is not None):
            year, remainder = 2000 + int(short["year"]), short["unit"]
    elif re.fullmatch(r"\d\d?", remainder):
        remainder += "月"  # 2024-09, 09/2024
    unit = _unit(remainder)
    return None if unit is None else (unit[0], year, unit[1])


def _unit(text: str) -> tuple[str, int] | None:
    if text in MONTH:
        return "month", MONTH[text]
    for unit, form in UNITS:
        match = form.fullmatch(text)
        if match:
            number = int(next(filter(None, match.groups())))
            return (unit, number) if 1 <= number <= LARGEST[unit] else None
    return None


def _monday(year: int, week: int) -> float:
    """Return the first day of a week; one past the last of its year is the first of the next."""
    return float(date.fromisocalendar(year, 1, 1).toordinal() + 7 * (week - 1))


def _years_or_days(pairs: list[tuple[int, int]]) -> TimeOrder | None:
    """Read "Nov 24": a month with its year where the months then follow each other, or a day."""
    months = tuple(12.0 * (2000 + number) + month - 1 for month, number in pairs)
    ascending = sorted(months)
    if len(pairs) > 2 and all(b - a == 1 for a, b in pairwise(ascending)):
        return TimeOrder(months, "month", "years")
    days = [_ordinal(2000, *pair) for pair in pairs]
    readings = [TimeOrder(months, "month")]
    if None not in days:
        readings.append(TimeOrder(tuple(day / 30 for day in days if day is not None), "30 days"))
    return _only(readings)


def _without_year(unit: str, numbers: list[int], listed: bool) -> TimeOrder:
    if unit == "week":
        return _weeks(numbers, listed)
    places, remark = around(numbers, LARGEST[unit], listed)
    return TimeOrder(places, unit, remark)


def _weeks(numbers: list[int], listed: bool) -> TimeOrder:
    """Order weeks without a year, which are waves as well ("w9"): only a new year breaks them."""
    if max(numbers) >= 52 and min(numbers) == 1:
        places, remark = around(numbers, max(numbers), listed)
        return TimeOrder(places, "wave", remark)
    return TimeOrder(tuple(map(float, numbers)), "wave")


def around(numbers: list[int], length: int, listed: bool) -> tuple[tuple[float, ...], str]:
    """Return the places of months and their like without a year, and what was taken for granted.

    Raises
    ------
    CxError
        If they follow each other over the end of the year, and no list says so.
    """
    steps = [(b - a) % length for a, b in pairwise(numbers)]
    ascending = numbers == sorted(numbers)
    regular = len(set(steps)) == 1 and 0 < steps[0] <= length / 2 and sum(steps) < length
    if listed and regular and not ascending:
        return tuple(float(numbers[0] + step) for step in _cumulated(steps)), "year_end"
    present = set(numbers)
    follow = max(present) - min(present) + 1 == len(present)
    ends = sum(number % length + 1 not in present for number in present)
    if not follow and ends == 1:
        raise CxError(
            "they have no year, and follow each other over its end as well as within it, so their "
            "order is not clear; give them a year"
        )
    complete = len(present) == length
    remark = "one_year" if (complete or not follow) and not (listed and ascending) else ""
    return tuple(map(float, numbers)), remark


def _cumulated(steps: list[int]) -> list[int]:
    return [sum(steps[:i]) for i in range(len(steps) + 1)]


def _days_of_the_year(texts: list[str], listed: bool) -> TimeOrder | None:
    """Read days without a year: 5 Jan, 1月5日."""
    days = [_day_of_month(text) for text in texts]
    if None in days:
        return None
    pairs = [day for day in days if day is not None]
    numbers = list(dict.fromkeys(month for month, _ in pairs))
    months, remark = around(numbers, 12, listed)
    years = {number: (month - 1) // 12 for number, month in zip(numbers, months, strict=True)}
    places = (date(2000, m, d).toordinal() + 366 * years[m] for m, d in pairs)
    return TimeOrder(tuple(place / 30 for place in places), "30 days", remark)


def _weekdays(texts: list[str], listed: bool) -> TimeOrder | None:
    if any(text not in WEEKDAY for text in texts):
        return None
    places, remark = around([WEEKDAY[text] for text in texts], 7, listed)
    return TimeOrder(places, "wave", remark)


# Words and numbers ---------------------------------------------------------------------------


def _stages(texts: list[str], listed: bool) -> TimeOrder | None:
    """Read before, pilot, after; 上线前, 上线后; and a baseline before numbered waves."""
    stages = [_stage(text) for text in texts]
    numbered = [text for text, stage in zip(texts, stages, strict=True) if stage is None]
    ranks = [stage[0] for stage in stages if stage]
    stems = {stage[1] for stage in stages if stage}
    if not ranks or len(set(ranks)) < len(ranks) or len(stems) > 1:
        return None
    if not numbered:
        return TimeOrder(tuple(map(float, ranks)), "wave")
    waves = _numbers(numbered, listed)
    if 1 in ranks or stems != {""} or waves is None or waves.unit != "wave":
        return None
    ends = {0: min(waves.places) - 1, 2: max(waves.places) + 1}
    remainder = iter(waves.places)
    return TimeOrder(tuple(next(remainder) if s is None else ends[s[0]] for s in stages), "wave")


def _stage(text: str) -> tuple[int, str] | None:
    """Return which stage a text is, and of what: (0, "launch") of "before launch"."""
    text = " ".join(re.split(r"[\s\-_]+", text))
    for rank, names in enumerate(STAGES):
        if text in names:
            return rank, ""
    match = re.fullmatch(r"(before|pre|during|after|post) (?P<stem>\D+)", text) or re.fullmatch(
        r"(?P<stem>\D+?)[之以]?([前中后])", text
    )
    if not match:
        return None
    stage = next(group for group in match.groups() if group in STAGE_OF)
    return STAGE_OF[stage], match["stem"]


def _numbers(texts: list[str], listed: bool) -> TimeOrder | None:
    """Order texts that are the same but for their numbers: Wave 2, 第3波, Phase II.

    Of several numbers that differ, a year is the largest unit; others have to give the same order
    from the left as from the right.
    """
    if any(BACKWARDS.search(text) for text in texts):
        return None
    roman = [re.fullmatch(rf"(.+) ({'|'.join(ROMAN)})", text) for text in texts]
    if all(roman):
        texts = [f"{m[1]} {ROMAN.index(m[2]) + 1}" for m in roman if m]
    pieces = [NUMBER.split(text) for text in texts]
    if any(piece[::2] != pieces[0][::2] for piece in pieces) or len(pieces[0]) < 3:
        return None
    numbers = list(zip(*([int(number) for number in piece[1::2]] for piece in pieces), strict=True))
    differing = [column for column in numbers if len(set(column)) > 1] or numbers[:1]
    if len(differing) == 1:
        return TimeOrder(tuple(map(float, differing[0])), "wave")
    years = [column for column in differing if all(1900 <= number <= 2100 for number in column)]
    others = [column for column in differing if column not in years[:1]]
    rows = [list(zip(*years[:1], *order, strict=True)) for order in (others, others[::-1])]
    places = [[float(sorted(set(keys)).index(key)) for key in keys] for keys in rows]
    return TimeOrder(tuple(places[0]), "wave") if places[0] == places[1] else None


def _letters(texts: list[str], listed: bool) -> TimeOrder | None:
    """Order texts that are the same but for one letter at the end: Phase A, Phase B."""
    matches = [re.fullmatch(r"(|.*[\s\-_])([a-z])", text) for text in texts]
    if not all(matches) or len({m[1] for m in matches if m}) > 1:
        return None
    return TimeOrder(tuple(float(ord(m[2])) for m in matches if m), "wave")
