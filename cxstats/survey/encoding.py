"""The text of a file: its encoding and its delimiter, with the notes that a reader needs."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.language import Text, both
from cxstats.core.messages import excerpt

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_WIDE = re.compile(rb"[\x80-\xff]+")  # characters beyond ASCII
HEAD = 65_536  # bytes that decide whether a file is text
SAMPLE = 200  # records that decide the delimiter
# Encodings among which a file that is not UTF-8 is looked for, where Chinese does not read well.
CANDIDATES = (
    "gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1252", "cp1250", "cp1251", "koi8_r", "cp1254",
)  # fmt: skip
SINGLE = ("cp1252", "cp1250", "cp1251", "koi8_r", "cp1254")  # of one byte a character
LATIN = ("cp1252", "cp1250", "cp1254")  # told apart by what stands inside of words
NEW_LINE = ord("\n")
ENOUGH = 20  # characters beyond ASCII from which their frequencies tell the encoding
IN_PIECES = ("utf-8", "utf-8-sig", "gb18030")  # of large files, decoded piece by piece
AT_ONCE = 1 << 20  # bytes that are counted or decoded together
LOOKED_AT = 65_536  # bytes of lines with such characters
SIGNATURES = (
    (b"PK\x03\x04", "an Excel or zip file; save it as .xlsx, or as CSV from Excel"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file or one with a password; save it as .xlsx or CSV"),
    (b"$FL2", "an SPSS file; name it .sav"),
    (b"$FL3", "an SPSS file; name it .zsav"),
)


class Decoded(NamedTuple):
    """The text of a file in UTF-8, the encoding it was read in, and what had to be assumed.

    What is no character (half of a pair, of some encodings) is there as `text_of` reads it.
    """

    utf8: bytes
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
    """Decode the bytes of a text file: a byte-order mark decides, then UTF-8, then frequencies.

    A text of fewer than 20 characters beyond ASCII that reads as everyday Chinese is GB18030.
    Otherwise the frequencies of characters decide (charset_normalizer), among `CANDIDATES`. A
    guess other than GB18030 that reads as everyday Chinese is doubtful.

    Raises
    ------
    DataError
        With the position of the first bad byte, if two encodings are mixed.
    """
    marks = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
    marked = next((encoding for mark, encoding in marks if data.startswith(mark)), None)
    try:
        return Decoded(_utf8(data, marked or "utf-8"), marked or "utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        where = f"byte {error.start} (line {row})"
        if marked:
            raise DataError(f"{name}: begins as {marked.upper()} but {where} is not") from error
        start = error.start
        beyond = _beyond_ascii(data)
        _refuse_mixed(beyond, name, where)
    encoding = _likely_encoding(data, beyond)
    del beyond
    utf8 = _utf8(data, encoding)
    if encoding == "gb18030":
        wide = [*islice(chain.from_iterable(_wide_runs(utf8)), 10_000)]
        note = _gb18030_note(wide, next(_wide_runs(utf8))[:6], start)
        return Decoded(utf8, encoding, (note,), doubtful=not _reads_as_chinese(wide))
    first = next(_WIDE.finditer(utf8)).start()
    end = utf8.find(b"\n", first)
    line = text_of(utf8[utf8.rfind(b"\n", 0, first) + 1 : end if end >= 0 else None])
    note = both("survey.read.note.likely_encoding", encoding=encoding, byte=start,
                text=excerpt(line.strip()[:40]))  # fmt: skip
    return Decoded(utf8, encoding, (note,), doubtful=True)


def text_of(utf8: bytes) -> str:
    """Return the text of bytes in UTF-8, which may hold halves of pairs."""
    return utf8.decode("utf-8", "surrogatepass")


def _utf8(data: bytes, encoding: str) -> bytes:
    """Return bytes of an encoding in UTF-8; the whole is a text only where it has to be.

    A text in memory has up to four bytes a character, for the sake of a single one.
    """
    if encoding in IN_PIECES:
        decoder = codecs.getincrementaldecoder(encoding)()
        utf8 = []
        try:
            for start in range(0, len(data), AT_ONCE):
                piece = data[start : start + AT_ONCE]
                text = decoder.decode(piece, final=start + AT_ONCE >= len(data))
                if encoding == "gb18030":
                    utf8.append(text.encode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            data.decode(encoding)  # says the place in the whole
            raise
        if encoding == "gb18030":
            return b"".join(utf8)
        return data.removeprefix(codecs.BOM_UTF8) if encoding == "utf-8-sig" else data
    return data.decode(encoding).encode("utf-8", "surrogatepass")


def likely_encoding(data: bytes) -> str:
    """Return the encoding that a text that is not UTF-8 is likely to have.

    Examples
    --------
    >>> likely_encoding("编号,满意度".encode("gbk")), likely_encoding("Nr,Größe".encode("cp1252"))
    ('gb18030', 'cp1252')
    """
    return _likely_encoding(data, _beyond_ascii(data))


def _likely_encoding(data: bytes, beyond: bytes) -> str:
    from charset_normalizer import from_bytes

    # KOI8-R gives every byte a meaning, so that one fits in any case. Where a byte is a character,
    # which bytes there are is enough.
    present = _different_bytes(beyond)
    fits = [e for e in CANDIDATES if _fits(present if e in SINGLE else beyond, e)]
    sample = _lines_beyond_ascii(data)
    text = sample.decode("gb18030", "replace")
    wide = re.findall(r"[^\x00-\x7f]", text)
    few = len(wide) < ENOUGH
    if few and "gb18030" in fits and _reads_as_chinese(wide):
        return "gb18030"
    # Twice: a short text looks chaotic in every encoding.
    bests = (from_bytes(sample, cp_isolation=fits, threshold=t).best() for t in (0.2, 0.8))
    guess = next((best.encoding for best in bests if best is not None), fits[0])
    is_latin = guess in LATIN or (few and _has_single_letters(sample))
    latin = [encoding for encoding in LATIN if encoding in fits]
    return _latin_encoding(sample, latin) if is_latin and latin else guess


def _lines_beyond_ascii(data: bytes) -> bytes:
    """Return the first lines with characters beyond ASCII; of a longer one, no piece."""
    lines, size, start = [], -1, 0
    while start < len(data) and size <= LOOKED_AT:
        stop = data.find(b"\n", start) + 1 or len(data)
        for line in data[start:stop].splitlines():
            if not line.isascii():
                lines.append(line)
                size += len(line) + 1
        start = stop
    sample = b"\n".join(lines)
    return sample if len(sample) <= LOOKED_AT else sample[:LOOKED_AT].rpartition(b"\n")[0]


def _beyond_ascii(data: bytes) -> bytes:
    r"""Return the bytes beyond ASCII, the two after each run of them, and ends of lines.

    They fit an encoding of `CANDIDATES`, or UTF-8, if and only if all do: after two bytes of ASCII
    a character begins. Only GB18030 has ASCII inside of a character and goes on (é is ``A8 A6``,
    ë ``81 30 8B 33``).

    Examples
    --------
    >>> _beyond_ascii("name,é\nabc,Größe,5,7".encode())
    b'\xc3\xa9\na\xc3\xb6\xc3\x9fe,'
    """
    pieces = []
    for start in range(0, len(data), AT_ONCE):
        before = min(start, 2)
        marks = np.frombuffer(data[start - before : start + AT_ONCE], np.uint8)
        wide = marks >= 0x80
        taken = wide.copy()
        taken[1:] |= wide[:-1]
        taken[2:] |= wide[:-2]
        taken |= marks == NEW_LINE
        pieces.append(marks[before:][taken[before:]].tobytes())
    return b"".join(pieces)


def _different_bytes(data: bytes) -> bytes:
    pieces = (data[start : start + AT_ONCE] for start in range(0, len(data), AT_ONCE))
    counts = sum(np.bincount(np.frombuffer(piece, np.uint8), minlength=256) for piece in pieces)
    return bytes(np.flatnonzero(counts).astype(np.uint8))


def _fits(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _has_single_letters(sample: bytes) -> bool:
    """Return whether most bytes beyond ASCII stand alone, as accented letters of a word do."""
    runs = re.findall(rb"[\x80-\xff]+", sample)
    return 2 * sum(len(run) == 1 for run in runs) > len(runs)


def _latin_encoding(sample: bytes, fits: Sequence[str]) -> str:
    """Return the European encoding with the fewest signs that do not stand inside of words.

    In Polish read as cp1252 signs such as "³" stand there; in Turkish the letters of Icelandic
    (ð, þ, ý), which has accents beside them. Of equals the first.
    """

    def oddities(encoding: str) -> int:
        text = sample.decode(encoding)
        signs = re.findall(r"(?<=[^\W\d_])[^\w\s\x00-\x7f‘’“”–—…´«»°](?=[^\W\d_])", text)
        numbers = re.findall(r"(?<=[^\W\d_])[¹²³¿¡]|œ(?![uitn])", text)
        accents = "[áíúæăâîčćšžąęłńśźż]"
        foreign = re.findall("[ðþýÐÞÝţđŢĐ]", text) if not re.search(accents, text) else []
        return len(signs) + len(numbers) + len(foreign)

    return min(fits, key=oddities)


def decode_as(data: bytes, name: str, encoding: str) -> Decoded:
    """Decode the bytes of a text file in an encoding that the reader names.

    Raises
    ------
    DataError
        If there is no such encoding, or a byte does not fit it.
    """
    try:
        utf8 = _utf8(data, encoding)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name}: not {encoding} at byte {error.start} (line {row})") from error
    except (LookupError, ValueError) as error:
        raise DataError(
            f"{name}: encoding={encoding!r} is not known; such as 'utf-8', 'gb18030', 'cp1252', "
            "'big5', 'shift_jis'"
        ) from error
    return Decoded(utf8.removeprefix(codecs.BOM_UTF8), encoding)


def _refuse_mixed(beyond: bytes, name: str, where: str) -> None:
    # GB18030 takes nearly any bytes, also those of UTF-8. But four Chinese characters in a row
    # are valid UTF-8 by chance in one line of 10^7, so a line that has them is UTF-8.
    n_utf8, certain = 0, False
    doubtful, n_others = _lines_in_doubt(beyond)
    for line in doubtful:
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


def _lines_in_doubt(data: bytes) -> tuple[list[bytes], int]:
    r"""Return lines beyond ASCII that may be UTF-8, and how many others there are beyond ASCII.

    Examples
    --------
    >>> _lines_in_doubt("服务\na\n".encode("gb18030") + "服务".encode())
    ([b'\xe6\x9c\x8d\xe5\x8a\xa1'], 1)
    """
    data += b"\n"
    marks = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(marks == NEW_LINE)
    starts = np.append(0, ends[:-1] + 1)
    goes_on = (marks & 0xC0) == 0x80
    breaks = np.zeros(len(marks), bool)  # where no character begins that should, or goes on
    breaks[:-1] = (marks[:-1] >= 0xC0) & ~goes_on[1:]
    breaks[1:] |= goes_on[1:] & (marks[:-1] < 0x80)
    is_wide = np.maximum.reduceat(marks, starts) >= 0x80
    has_break = np.logical_or.reduceat(breaks, starts)
    doubtful = is_wide & ~has_break
    pairs = zip(starts[doubtful].tolist(), ends[doubtful].tolist(), strict=True)
    return [data[i:j] for i, j in pairs], int(np.count_nonzero(has_break))


def _wide_runs(utf8: bytes) -> Iterator[str]:
    """Yield the runs of characters beyond ASCII."""
    return (text_of(match.group()) for match in _WIDE.finditer(utf8))


def _gb18030_note(wide: Sequence[str], first: str, start: int) -> Text:
    return both(
        "survey.read.note.gb18030",
        byte=start,
        n=len(wide),
        common=sum(map(_in_gb2312, wide)),
        first=repr(first),
        latin=repr(first.encode("gb18030").decode("latin-1")),
    )


def _reads_as_chinese(wide: Sequence[str]) -> bool:
    """Return whether most characters beyond ASCII are Chinese ones of everyday use, or marks.

    Of Chinese texts nearly all are; of other encodings read as GB18030 less than half.
    """
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


def lines_of(utf8: bytes) -> Iterator[str]:
    r"""Yield the lines of a text with their ends; the text is not copied, as a stream would.

    Examples
    --------
    >>> list(lines_of(b"a\rb\r\nc\n\nd"))
    ['a\r', 'b\r\n', 'c\n', '\n', 'd']
    """
    return (text_of(match.group()) for match in _LINE.finditer(utf8))


def find_delimiter(utf8: bytes) -> tuple[str, tuple[Text, ...]]:
    r"""Return the delimiter that gives most rows the same number of cells, and notes.

    Examples
    --------
    >>> find_delimiter(b"a;b\n3,5;4\n")
    (';', ())
    """
    fits: dict[str, tuple[float, int]] = {}
    for delimiter in DELIMITERS:
        reader = csv.reader(lines_of(utf8), delimiter=delimiter)
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
