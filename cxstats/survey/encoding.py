"""The text of a file: its encoding and its delimiter, with the notes that a reader needs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from cxstats.core.errors import DataError
from cxstats.core.language import Text, both

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
HEAD = 65_536  # bytes that decide whether a file is text
SAMPLE = 200  # records that decide the delimiter
SIGNATURES = (
    (b"PK\x03\x04", "an Excel or zip file; save it as .xlsx, or as CSV from Excel"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file or one with a password; save it as .xlsx or CSV"),
    (b"$FL2", "an SPSS file; name it .sav"),
    (b"$FL3", "an SPSS file; name it .zsav"),
)


class Decoded(NamedTuple):
    """The text of a file, the encoding it was read in, and what had to be assumed."""

    text: str
    encoding: str
    notes: tuple[Text, ...] = ()
    doubtful: bool = False  # the text speaks against its encoding


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


def lines_of(text: str) -> Iterator[str]:
    r"""Yield the lines of a text with their ends; the text is not copied, as a stream would.

    Examples
    --------
    >>> list(lines_of("a\rb\r\nc\n\nd"))
    ['a\r', 'b\r\n', 'c\n', '\n', 'd']
    """
    return (match.group() for match in _LINE.finditer(text))


def find_delimiter(text: str) -> tuple[str, tuple[Text, ...]]:
    r"""Return the delimiter that gives most rows the same number of cells, and notes.

    Examples
    --------
    >>> find_delimiter("a;b\n3,5;4\n")
    (';', ())
    """
    fits: dict[str, tuple[float, int]] = {}
    for delimiter in DELIMITERS:
        reader = csv.reader(lines_of(text), delimiter=delimiter)
        try:
            widths = [len(cells) for cells in islice(reader, SAMPLE) if cells]
        except csv.Error:  # an unclosed quote: the full reading says where
            continue
        # The usual width: titles above the header and notes below the table are narrower.
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=0)
        if usual > 1:
            fits[delimiter] = (widths.count(usual) / len(widths), usual)
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
