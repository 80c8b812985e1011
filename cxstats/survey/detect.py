"""What a survey file is: its encoding, its delimiter, its header rows, the type of a column.

Nothing is guessed in silence: every function returns, beside its finding, the notes that a
reader needs to disagree with it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.language import Text, both

if TYPE_CHECKING:
    import pandas as pd

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
# Why a text stays text, though it reads as a number.
LOSSES = {"leading_zeros": _LEADING_ZERO.match, "many_digits": _LONG.search}


class Decoded(NamedTuple):
    """The text of a file, the encoding it was read in, and what had to be assumed."""

    text: str
    encoding: str
    notes: tuple[Text, ...] = ()
    doubtful: bool = False  # the text speaks against its encoding


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
    notes: tuple[Text, ...] = ()


class Column(NamedTuple):
    """The values of a column (a list, or an array of numbers), and what there is to say of it."""

    values: Any
    notes: tuple[Text, ...] = ()


def refuse_binary(head: bytes, name: str) -> None:
    """Raise if the first bytes of a file are not those of a text.

    Raises
    ------
    DataError
        For a known format under the wrong name, for NUL bytes, and for control characters.
    """
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            raise DataError(f"{name}: not text but {kind}")
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
            "mixed encoding; save the file as UTF-8, or name its encoding: encoding='cp1252'"
        ) from error
    note = _gb18030_note(text, data, start)
    return Decoded(text, "gb18030", (note,), doubtful=not _reads_as_chinese(text))


def decode_as(data: bytes, name: str, encoding: str) -> Decoded:
    """Decode the bytes of a text file in an encoding that the reader names.

    Raises
    ------
    DataError
        If there is no such encoding, or a byte does not fit it.
    """
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name}: not {encoding} at byte {error.start} (line {row})") from error
    except (LookupError, ValueError) as error:
        raise DataError(
            f"{name}: encoding={encoding!r} is not known; such as 'utf-8', 'gb18030', 'cp1252', "
            "'big5', 'shift_jis'"
        ) from error
    return Decoded(text.removeprefix("\ufeff"), encoding)


def _refuse_mixed(data: bytes, name: str, where: str) -> None:
    # GB18030 takes nearly any bytes, also those of UTF-8. But four Chinese characters in a row
    # are valid UTF-8 by chance in one line of 10^7, so a line that has them is UTF-8.
    n_utf8 = n_others = 0
    certain = False
    for line in data.split(b"\n"):
        if line.isascii():
            continue
        try:
            wide = sum(character > "\u07ff" for character in line.decode("utf-8"))
        except UnicodeDecodeError:
            n_others += 1
        else:
            n_utf8 += 1
            certain = certain or wide >= 4
    if certain or n_utf8 > n_others:
        raise DataError(
            f"{name}: mixed encodings: other lines are UTF-8, {where} is not; save it as UTF-8"
        )


def _gb18030_note(text: str, data: bytes, start: int) -> Text:
    wide = [match.group() for match in islice(re.finditer(r"[^\x00-\x7f]", text), 10_000)]
    first = next(re.finditer(r"[^\x00-\x7f]+", text)).group()[:6]
    return both(
        "survey.read.note.gb18030",
        byte=start,
        n=len(wide),
        common=sum(map(_in_gb2312, wide)),
        first=repr(first),
        latin=repr(first.encode("gb18030").decode("latin-1")),
    )


def _reads_as_chinese(text: str) -> bool:
    """Return whether most characters beyond ASCII are Chinese ones of everyday use, or marks.

    Of Chinese texts nearly all are; of other encodings read as GB18030 less than half.
    """
    wide = [match.group() for match in islice(re.finditer(r"[^\x00-\x7f]", text), 10_000)]
    return 3 * sum(map(_is_everyday, wide)) >= 2 * len(wide)


def _is_everyday(character: str) -> bool:
    if not _in_gb2312(character):
        return False
    row = character.encode("gb2312")[0]
    # Rows of GB 2312: punctuation, full-width letters, and the 3,755 characters of level 1.
    return row in (0xA1, 0xA3) or 0xB0 <= row <= 0xD7


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def find_delimiter(text: str) -> tuple[str, tuple[Text, ...]]:
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
        return ",", (both("survey.read.note.no_delimiter"),)
    best = max(fits, key=lambda delimiter: fits[delimiter])
    rivals = [d for d, (share, _) in fits.items() if d != best and share == fits[best][0] == 1]
    notes = tuple(
        both(
            "survey.read.note.delimiter",
            best=delimiter_name(best),
            columns=fits[best][1],
            rival=delimiter_name(rival),
            rival_columns=fits[rival][1],
        )
        for rival in rivals
    )
    return best, notes


def delimiter_name(delimiter: str) -> Text:
    """Return the name of a delimiter."""
    name = DELIMITERS[delimiter]
    return both(f"survey.delimiter.{name}")


def find_header(records: Sequence[Record]) -> Header:
    """Tell the header rows of Qualtrics (three) and SurveyMonkey (two) from a plain one."""
    rows = [["" if c is None else str(c) for c in record.cells] for record in records[:3]]
    if len(rows) == 3 and rows[2] and all('{"ImportId"' in c.replace(" ", "") for c in rows[2]):
        questions = {n: q for n, q in zip(rows[0], rows[1], strict=False) if n}
        return Header(tuple(rows[0]), 3, questions, (both("survey.read.note.qualtrics"),))
    if len(rows) > 1 and _is_surveymonkey(rows[0], rows[1]):
        return _surveymonkey(rows[0], rows[1])
    return Header(tuple(rows[0]))


def _is_surveymonkey(first: list[str], second: list[str]) -> bool:
    pairs = list(zip(first, second, strict=False))
    labels_of_own_columns = [label for name, label in pairs if name in MONKEY_COLUMNS]
    labels_of_unnamed = [label for name, label in pairs if not name]
    has_plain_label = any(label in PLAIN_LABELS[1:] for label in second)
    return bool(
        first[0]
        and second[0] in PLAIN_LABELS
        and any(second)
        and all(labels_of_unnamed)
        and not any(labels_of_own_columns)
        and (has_plain_label or (labels_of_own_columns and labels_of_unnamed))
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
    n = sum(label not in PLAIN_LABELS for label in second)
    return Header(tuple(names), 2, questions, (both("survey.read.note.surveymonkey", n=n),))


def is_number(text: str) -> bool:
    """Return whether a text is a number: digits with a point, also with a sign or an exponent.

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
    >>> column = convert(["007", "8"], "id")
    >>> column.values, column.notes[0].en
    (['007', '8'], "column 'id': kept as text because of leading zeros")
    """
    kinds = {type(cell) for cell in cells if cell is not None and cell != ""}
    texts = {cell for cell in cells if type(cell) is str and cell}
    values = [np.nan if cell is None or cell == "" else cell for cell in cells]
    if not kinds:
        return Column(np.full(len(cells), np.nan))
    if not kinds <= {str, int, float}:
        return Column(values)
    if texts and decimal_comma and kinds == {str}:
        column = _decimal_commas(values, texts, name)
        if column:
            return column
    stripped = {text: text.strip() for text in texts}
    if not all(_NUMBER.fullmatch(text) for text in stripped.values()):
        return Column(values)
    for reason, loses in LOSSES.items():
        if any(map(loses, texts)):
            return _as_text(values, name, reason)
    return _numbers(values, stripped, kinds, name)


def _as_text(values: list[Any], name: str, reason: str) -> Column:
    return Column(values, (both(f"survey.read.note.text.{reason}", column=repr(name)),))


def _numbers(values: list[Any], texts: dict[str, str], kinds: set[type], name: str) -> Column:
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
        both(f"survey.read.note.number.{key}", column=repr(name), n=sum(v in odd for v in values))
        for key, odd in oddities.items()
        if odd
    )
    integers = all(_WHOLE.fullmatch(bare) for bare in texts.values()) and float not in kinds
    if integers and not np.isnan(array).any():
        array = array.astype("int64")
    return Column(array, notes)


def _decimal_commas(values: list[Any], texts: set[str], name: str) -> Column | None:
    """Return the column if its numbers have decimal commas, or why they stay text."""
    with_comma = {text for text in texts if _COMMA.fullmatch(text)}
    others = texts - with_comma
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


def to_series(values: Any) -> pd.Series[Any]:
    """Return a column for a table: numbers as they are, text as an object column."""
    import pandas as pd

    if isinstance(values, list):
        kind = pd.api.types.infer_dtype(values, skipna=True)
        return pd.Series(values, dtype=None if kind in ("boolean", "datetime") else object)
    return pd.Series(values)
