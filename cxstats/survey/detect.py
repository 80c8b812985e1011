"""What a survey file is: its encoding, its delimiter, its header rows, the type of a column.

Nothing is guessed in silence: every function returns, beside its finding, the notes that a
reader needs to disagree with it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cxstats.core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
HEAD = 65_536  # bytes that decide whether a file is text
SAMPLE = 200  # records that decide the delimiter
SIGNATURES = (
    (b"PK\x03\x04", "an Excel or zip file; save it as .xlsx, or as CSV from Excel"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file or one with a password; save it as .xlsx or CSV"),
    (b"$FL2", "an SPSS file; name it .sav"),
    (b"$FL3", "an SPSS file; name it .zsav"),
)
# Sub-labels of SurveyMonkey that add nothing to the question.
PLAIN_LABELS = ("", "Response", "Open-Ended Response")
MONKEY_COLUMNS = ("Respondent ID", "Collector ID")

# "+49..." is a telephone number and "007" an identifier: neither becomes a number.
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+")
_COMMA = re.compile(r"-?[0-9]+,[0-9]+")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2},[0-9]{3}")
_LEADING_ZERO = re.compile(r"-?0[0-9]")
_LONG = re.compile(r"^\s*[+-]?[0-9]{16,}\s*$")  # a float holds 15 digits of a whole number
_SCALARS = (str, bool, int, float, type(None))


class Decoded(NamedTuple):
    """The text of a file, the encoding it was read in, and what had to be assumed."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


class Record(NamedTuple):
    """One row of a file: its number (the first row is 1) and its cells."""

    number: int
    cells: list[Any]


@dataclass(frozen=True, slots=True)
class Header:
    """Column names, how many rows they took, and the question behind every name."""

    names: tuple[str, ...]
    rows: int = 1
    questions: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Column(NamedTuple):
    """The values of a column (a list, or an array of numbers), and a note where one is due."""

    values: Any
    note: str = ""


def refuse_binary(head: bytes, name: str) -> None:
    """Raise if the first bytes of a file are not those of a text.

    Raises
    ------
    DataError
        For a known format under the wrong name, for NUL bytes, and for control characters.
    """
    for signature, what in SIGNATURES:
        if head.startswith(signature):
            raise DataError(f"{name}: not text but {what}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    position = head.find(b"\0")
    if position >= 0:
        hint = ""
        if any(not head[side:64:2].strip(b"\0") for side in (0, 1)):
            hint = "; it looks like UTF-16 without a byte-order mark: save it as UTF-8"
        raise DataError(f"{name}: not a text file: NUL at byte {position}{hint}")
    controls = sum(head.count(byte) for byte in range(32) if byte not in b"\t\n\v\f\r\x1a\x1b")
    if controls > len(head) / 50:
        raise DataError(f"{name}: not a text file: {controls} control characters at its beginning")


def decode(data: bytes, name: str) -> Decoded:
    """Decode the bytes of a text file: a byte-order mark decides, then UTF-8, then GB18030.

    Raises
    ------
    DataError
        With the position of the first bad byte, if no encoding fits or two are mixed.
    """
    marks = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
    marked = next((encoding for mark, encoding in marks if data.startswith(mark)), None)
    try:
        return Decoded(data.decode(marked or "utf-8"), marked or "utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        where = f"byte {error.start} (line {row})"
        if marked:
            raise DataError(f"{name}: begins as {marked.upper()} but {where} is not") from error
        _refuse_mixed(data, name, where)
        start = error.start
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: not UTF-8 at {where}, and not GB18030 at byte {error.start}: another or a "
            "mixed encoding; save the file as UTF-8"
        ) from error
    return Decoded(text, "gb18030", (_gb18030_note(text, data, start),))


def _refuse_mixed(data: bytes, name: str, where: str) -> None:
    # GB18030 takes nearly any bytes, also those of UTF-8. But four Chinese characters in a row
    # are valid UTF-8 by chance in one line of 10^7, so a line that has them is UTF-8.
    good = bad = 0
    certain = False
    for line in data.split(b"\n"):
        if line.isascii():
            continue
        try:
            wide = sum(character > "\u07ff" for character in line.decode("utf-8"))
        except UnicodeDecodeError:
            bad += 1
        else:
            good += 1
            certain = certain or wide >= 4
    if certain or good > bad:
        raise DataError(
            f"{name}: mixed encodings: other lines are UTF-8, {where} is not; save it as UTF-8"
        )


def _gb18030_note(text: str, data: bytes, start: int) -> str:
    wide = [found.group() for found in islice(re.finditer(r"[^\x00-\x7f]", text), 10_000)]
    common = sum(_in_gb2312(character) for character in wide)
    first = next(re.finditer(r"[^\x00-\x7f]+", text)).group()[:6]
    other = first.encode("gb18030").decode("latin-1")
    return (
        f"encoding: assumed to be GB18030, because the bytes are not UTF-8 (byte {start}) and are "
        f"valid GB18030; of its first {len(wide)} characters beyond ASCII {common} are common "
        "Chinese ones. "
        f"They begin {first!r}; as Latin-1 they would be {other!r}. If the words come out "
        "wrong, save the file as UTF-8"
    )


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def find_delimiter(text: str) -> tuple[str, tuple[str, ...]]:
    r"""Return the delimiter that gives every row as many cells as the header, and notes.

    Examples
    --------
    >>> find_delimiter("a;b\n3,5;4\n")
    (';', ())
    """
    fits: dict[str, tuple[float, int]] = {}
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            widths = [len(cells) for cells in islice(reader, SAMPLE) if cells]
        except csv.Error:  # an unclosed quote: the full reading says where
            continue
        if widths and widths[0] > 1:
            fits[delimiter] = (widths.count(widths[0]) / len(widths), widths[0])
    if not fits:
        return ",", ("delimiter: none found (comma, semicolon, tab); the file has one column",)
    best = max(fits, key=lambda delimiter: fits[delimiter])
    rivals = [d for d, (share, _) in fits.items() if d != best and share == fits[best][0] == 1]
    notes = tuple(
        f"delimiter: assumed to be the {DELIMITERS[best]} ({fits[best][1]} columns); the "
        f"{DELIMITERS[rival]} fits every row too ({fits[rival][1]} columns)"
        for rival in rivals
    )
    return best, notes


def find_header(records: Sequence[Record]) -> Header:
    """Tell the header rows of Qualtrics (three) and SurveyMonkey (two) from a plain one."""
    rows = [["" if c is None else str(c) for c in record.cells] for record in records[:3]]
    if len(rows) == 3 and rows[2] and all('{"ImportId"' in c.replace(" ", "") for c in rows[2]):
        note = "header: three rows of Qualtrics; names from row 1, question texts in the report"
        questions = {n: q for n, q in zip(rows[0], rows[1], strict=False) if n}
        return Header(tuple(rows[0]), 3, questions, (note,))
    if len(rows) > 1 and _is_surveymonkey(rows[0], rows[1]):
        return _surveymonkey(rows[0], rows[1])
    return Header(tuple(rows[0]))


def _is_surveymonkey(first: list[str], second: list[str]) -> bool:
    pairs = list(zip(first, second, strict=False))
    known = any(label in PLAIN_LABELS[1:] for label in second)
    own = [label for name, label in pairs if name in MONKEY_COLUMNS]
    unnamed = [label for name, label in pairs if not name]
    return bool(
        first[0]
        and (second[0] in PLAIN_LABELS)
        and any(second)
        and all(unnamed)
        and not any(own)
        and (known or (own and unnamed))
        and not any(_NUMBER.fullmatch(label) for label in second)
    )


def _surveymonkey(first: list[str], second: list[str]) -> Header:
    names, questions, question = [], {}, ""
    for above, label in zip(first, second, strict=False):
        question = above or question
        name = question if label in PLAIN_LABELS else f"{question} - {label}"
        if name in names:
            name = f"{question} - {label}"
        names.append(name)
        questions[name] = question
    note = (
        "header: two rows of SurveyMonkey; names are 'Question', or 'Question - option' where "
        f"row 2 has a label of its own ({sum(s not in PLAIN_LABELS for s in second)} columns)"
    )
    return Header(tuple(names), 2, questions, (note,))


def is_number(text: str) -> bool:
    """Whether a text is a number: digits with a point, also with a sign or an exponent.

    Examples
    --------
    >>> is_number(" 4.5"), is_number("4,5"), is_number("NA"), is_number("inf")
    (True, False, False, False)
    """
    return _NUMBER.fullmatch(text.strip().removeprefix("+")) is not None


def convert(cells: list[Any], name: str, decimal_comma: bool = False) -> Column:
    """Turn the cells of a column into numbers where nothing is lost by it.

    Parameters
    ----------
    cells : list
        Texts, or what Excel holds; None and "" are missing.
    name : str
        The column, for the note.
    decimal_comma : bool
        Whether ``"3,5"`` may be a number: only where the comma is not the delimiter.

    Examples
    --------
    >>> convert(["5", "", "4"], "q1").values.tolist()
    [5.0, nan, 4.0]
    >>> convert(["007", "8"], "id")
    Column(values=['007', '8'], note="column 'id': kept as text because of leading zeros")
    """
    kinds = {type(cell) for cell in cells if cell is not None and cell != ""}
    texts = {cell for cell in cells if type(cell) is str and cell}
    values = [np.nan if cell is None or cell == "" else cell for cell in cells]
    if not kinds:
        return Column(np.full(len(cells), np.nan))
    if not kinds <= {str, int, float}:
        return Column(values)
    if texts and decimal_comma and kinds == {str}:
        found = _commas(values, texts, name)
        if found:
            return found
    stripped = {text: text.strip() for text in texts}
    if not all(_NUMBER.fullmatch(text) for text in stripped.values()):
        return Column(values)
    for pattern, why in ((_LEADING_ZERO, "leading zeros"), (_LONG, "more than 15 digits")):
        if any(pattern.search(t) if pattern is _LONG else pattern.match(t) for t in texts):
            return Column(values, f"column {name!r}: kept as text because of {why}")
    return _numbers(values, stripped, kinds, name)


def _numbers(values: list[Any], texts: dict[str, str], kinds: set[type], name: str) -> Column:
    table = {text: float(bare) for text, bare in texts.items()}
    if any(np.isinf(number) for number in table.values()):
        return Column(values, f"column {name!r}: kept as text, a number is too large")
    array = np.array([table[v] if type(v) is str else v for v in values], dtype=float)
    notes = [
        f"{sum(v in odd for v in values)} numbers {what}"
        for odd, what in (
            ({t for t, bare in texts.items() if t != bare}, "had spaces around them"),
            ({t for t in texts if "e" in t.lower()}, "had an exponent, such as 1e+05"),
            ({t for t in texts if kinds != {str}}, "were stored as text"),
        )
        if odd
    ]
    whole = all(_WHOLE.fullmatch(bare) for bare in texts.values()) and float not in kinds
    if whole and not np.isnan(array).any():
        array = array.astype("int64")
    return Column(array, f"column {name!r}: {'; '.join(notes)}" if notes else "")


def _commas(values: list[Any], texts: set[str], name: str) -> Column | None:
    with_comma = {text for text in texts if _COMMA.fullmatch(text)}
    others = texts - with_comma
    if not with_comma or not all(_NUMBER.fullmatch(text) for text in others):
        return None
    kept = f"column {name!r}: kept as text: "
    if others:
        return Column(values, f"{kept}some numbers have a decimal comma and some have none")
    if all(_THOUSANDS.fullmatch(text) for text in texts):
        return Column(values, f"{kept}the comma could mark decimals or thousands")
    if any(_LEADING_ZERO.match(text) for text in texts):
        return Column(values, f"{kept}leading zeros")
    numbers = [float(v.replace(",", ".")) if type(v) is str else v for v in values]
    return Column(np.array(numbers), f"column {name!r}: decimal commas were read as decimal points")


def to_series(values: Any) -> pd.Series[Any]:
    """Return a column for a table: numbers as they are, text as an object column."""
    import pandas as pd

    if isinstance(values, list):
        kind = pd.api.types.infer_dtype(values, skipna=True)
        return pd.Series(values, dtype=None if kind in ("boolean", "datetime") else object)
    return pd.Series(values)


class Parsed(NamedTuple):
    """A column as numbers (n,), NaN where there is none; which are labels, which are wrong."""

    values: NDArray[np.float64]
    mapped: NDArray[np.bool_]
    bad: NDArray[np.bool_]
    texts: int = 0


def parse(series: pd.Series[Any], labels: Mapping[str, float]) -> Parsed:
    """Read a column of any type as numbers.

    Parameters
    ----------
    series : pandas.Series
        Numbers, text, categories, `Decimal`, or a mixture.
    labels : mapping of str to float
        Texts that stand for a number. Any other text is wrong unless it is a number.
    """
    kind = series.dtype.kind
    missing = series.isna().to_numpy(bool)
    none = np.zeros(len(series), dtype=bool)
    if kind == "b":
        return Parsed(np.full(len(series), np.nan), none, ~missing)
    if kind in "iuf":
        return Parsed(series.to_numpy(np.float64, na_value=np.nan), none, none)
    # Few values in many rows: each is read once. 1, True and "1" are not the same value.
    cells = series.astype(object).to_numpy().copy()
    cells[missing] = None
    keys = [(cell.__class__, cell) for cell in cells.tolist()]
    try:
        places = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    except TypeError:  # a list or the like in a cell
        keys = [(kind, cell if kind in _SCALARS else str(cell)) for kind, cell in keys]
        places = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    read = [_number(kind, cell, labels) for kind, cell in places]
    codes = np.fromiter(map(places.__getitem__, keys), dtype=np.intp, count=len(keys))
    values = np.array([value for value, _ in read], dtype=np.float64)[codes]
    what = np.array([state for _, state in read], dtype="U5")[codes]
    return Parsed(values, what == "label", what == "bad", int((what == "text").sum()))


def _number(kind: type, cell: Any, labels: Mapping[str, float]) -> tuple[float, str]:
    """Return a value as a number, and "label", "text" (a number as text), "bad" or ""."""
    if cell is None or cell == "":
        return np.nan, ""
    if kind is str and cell in labels:
        return float(labels[cell]), "label"
    if kind is str and is_number(cell):
        return float(cell), "text"
    # True is no answer, and of the texts that float() takes ("inf", "1_000") none is a number.
    real = issubclass(kind, Real | Decimal) and not issubclass(kind, bool | np.bool_)
    try:
        return (float(cell), "") if real else (np.nan, "bad")
    except (OverflowError, ValueError):  # 10**400; a signalling NaN
        return np.nan, "bad"
