"""The cells of a column as numbers, where nothing is lost by it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cxstats.core.language import Text, both

if TYPE_CHECKING:
    import pandas as pd

# "+49..." is a telephone number and "007" an identifier: neither becomes a number.
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+")
_COMMA = re.compile(r"-?[0-9]+,[0-9]+")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2},[0-9]{3}")
_LEADING_ZERO = re.compile(r"-?0[0-9]")
_LONG = re.compile(r"^\s*[+-]?[0-9]{16,}\s*$")  # a float holds 15 digits of a whole number
_DATE = re.compile(
    r"(\d{1,4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,4})日?(?:[T\s,]+(\d{1,2}):(\d\d)(?::(\d\d))?.*)?"
)
# Why a text stays text, though it reads as a number.
LOSSES = {"leading_zeros": _LEADING_ZERO.match, "many_digits": _LONG.search}


class Column(NamedTuple):
    """The values of a column (a list, or an array of numbers), and what there is to say of it."""

    values: Any
    notes: tuple[Text, ...] = ()


def is_number(text: str) -> bool:
    """Return whether a text is a number: digits with a point, also with a sign or an exponent.

    Examples
    --------
    >>> is_number(" 4.5"), is_number("4,5"), is_number("NA"), is_number("inf")
    (True, False, False, False)
    """
    return _NUMBER.fullmatch(text.strip().removeprefix("+")) is not None


def convert(
    cells: list[Any],
    name: str,
    decimal_comma: bool = False,
    counts: Callable[[], Sequence[int]] | None = None,
) -> Column:
    """Turn the cells of a column into numbers where nothing is lost by it.

    Parameters
    ----------
    cells : list
        Texts, or what Excel holds; None and "" are missing.
    name : str
        The column, for the note.
    decimal_comma : bool
        Whether ``"3,5"`` may be a number: only where the comma is not the delimiter.
    counts : callable, optional
        Returns how many rows have each cell, where `cells` holds each different one once.

    Examples
    --------
    >>> convert(["5", "", "4"], "q1").values.tolist()
    [5.0, nan, 4.0]
    >>> column = convert(["007", "8"], "id")
    >>> column.values, column.notes[0].en
    (['007', '8'], "column 'id': kept as text because of leading zeros")
    """
    texts: Collection[str] = [cell for cell in cells if type(cell) is str and cell]
    texts = texts if counts else set(texts)
    kinds = {*map(type, cells)} - {str, type(None)}
    kinds |= {str} if texts else set()
    values = cells
    if None in cells or "" in cells:
        values = [np.nan if cell is None or cell == "" else cell for cell in cells]
    if not kinds:
        return Column(np.full(len(cells), np.nan))
    if not kinds <= {str, int, float}:
        return Column(values)
    if texts and decimal_comma and kinds == {str}:
        column = _decimal_commas(values, texts, name)
        if column:
            return column
    if not _are_digits(texts) and not all(_NUMBER.fullmatch(text.strip()) for text in texts):
        return Column(values)
    for reason, loses in LOSSES.items():
        if any(map(loses, texts)):
            return _as_text(values, name, reason)
    stripped = {text: text.strip() for text in texts}
    return _numbers(values, stripped, kinds, name, counts or (lambda: [1] * len(values)))


def _are_digits(texts: Collection[str]) -> bool:
    """Return whether texts, none of them empty, are digits alone, as numbers often are."""
    together = "".join(texts)
    return together.isascii() and together.isdigit()


def _as_text(values: list[Any], name: str, reason: str) -> Column:
    return Column(values, (both(f"survey.read.note.text.{reason}", column=repr(name)),))


def _numbers(
    values: list[Any],
    texts: dict[str, str],
    kinds: set[type],
    name: str,
    counts: Callable[[], Sequence[int]],
) -> Column:
    numbers = {text: float(bare) for text, bare in texts.items()}
    if any(np.isinf(number) for number in numbers.values()):
        return _as_text(values, name, "too_large")
    array = np.array([numbers[v] if type(v) is str else v for v in values], dtype=float)
    oddities = {
        "spaces": {text for text, bare in texts.items() if text != bare},
        "exponent": {text for text in texts if "e" in text.lower()},
        "text": {text for text in texts if kinds != {str}},
    }
    notes = tuple(
        both(
            f"survey.read.note.number.{key}",
            column=repr(name),
            n=sum(n for v, n in zip(values, counts(), strict=True) if v in odd),
        )
        for key, odd in oddities.items()
        if odd
    )
    integers = all(_WHOLE.fullmatch(bare) for bare in texts.values()) and float not in kinds
    if integers and not np.isnan(array).any():
        array = array.astype("int64")
    return Column(array, notes)


def _decimal_commas(values: list[Any], texts: Collection[str], name: str) -> Column | None:
    """Return the column if its numbers have decimal commas, or why they stay text."""
    with_comma = {text for text in texts if "," in text and _COMMA.fullmatch(text)}
    others = [text for text in texts if text not in with_comma]
    if not with_comma or not all(_NUMBER.fullmatch(text) for text in others):
        return None
    if others:
        return _as_text(values, name, "mixed_commas")
    if all(_THOUSANDS.fullmatch(text) for text in texts):
        return _as_text(values, name, "thousands")
    if any(_LEADING_ZERO.match(text) for text in texts):
        return _as_text(values, name, "leading_zeros")
    numbers = [float(v.replace(",", ".")) if type(v) is str else v for v in values]
    return Column(np.array(numbers), (both("survey.read.note.decimal_commas", column=repr(name)),))


def as_dates(values: Any, order: str) -> Any:
    """Return texts of a column as times, if all of them are dates in an order; else as they are.

    Parameters
    ----------
    values : list or array
        Of a column; dates of Excel beside the texts stay what they are.
    order : {"ymd", "dmy", "mdy"}
        Which of year, month and day comes first, second and third. Time of day may follow.

    Examples
    --------
    >>> as_dates(["3/4/2024", "", "25/12/2024 08:30"], "dmy")[2]
    Timestamp('2024-12-25 08:30:00')
    >>> as_dates(["3/4/2024", "12/25/2024"], "dmy")
    ['3/4/2024', '12/25/2024']
    """
    import pandas as pd

    if not isinstance(values, list):
        return values
    times: list[Any] = []
    for value in values:
        if value is None or value == "" or (isinstance(value, float) and np.isnan(value)):
            times.append(pd.NaT)
            continue
        if isinstance(value, datetime):
            times.append(pd.Timestamp(value))
            continue
        match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            return values
        date_parts = dict(zip(order, map(int, match.group(1, 2, 3)), strict=True))
        hour, minute, second = (int(part) if part else 0 for part in match.group(4, 5, 6))
        year = date_parts["y"] + (2000 if date_parts["y"] < 100 else 0)
        try:
            times.append(pd.Timestamp(year, date_parts["m"], date_parts["d"], hour, minute, second))
        except ValueError:
            return values
    return times if any(time is not pd.NaT for time in times) else values


def date_forms(cells: Iterable[Any]) -> Counter[str]:
    """Return in which forms the cells of a column are dates, and how many have each.

    The form of a text is its mark between year, month and day; that of a date of Excel is "".
    Nothing where a filled cell is no date.

    Examples
    --------
    >>> dict(date_forms(["2025/3/4", "2025年3月4日", None, datetime(2025, 3, 4)]))
    {'/': 1, '年': 1, '': 1}
    >>> dict(date_forms(["2025/3/4", "soon"]))
    {}
    """
    import pandas as pd

    forms: Counter[str] = Counter()
    for cell in cells:
        if isinstance(cell, str) and cell:
            match = _DATE.fullmatch(cell.strip())
            if match is None:
                return Counter()
            forms[match.string[match.end(1) :].lstrip()[0]] += 1
        elif isinstance(cell, str) or (pd.api.types.is_scalar(cell) and pd.isna(cell)):
            continue
        elif isinstance(cell, datetime):
            forms[""] += 1
        else:
            return Counter()
    return forms


def to_series(values: Any) -> pd.Series[Any]:
    """Return a column for a table: numbers as they are, text as an object column."""
    import pandas as pd

    if isinstance(values, list):
        kind = pd.api.types.infer_dtype(values, skipna=True)
        return pd.Series(values, dtype=None if kind in ("boolean", "datetime") else object)
    return pd.Series(values, copy=False)
