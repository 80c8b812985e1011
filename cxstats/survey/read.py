"""Read the client's file, whatever wrote it, and say what was found and what was assumed."""

from __future__ import annotations

import csv
import io
import re
import struct
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import CxError, DataError
from cxstats.core.files import read_bytes
from cxstats.core.language import Text, both, label, listed
from cxstats.core.messages import excerpt, listing
from cxstats.core.result import Result
from cxstats.survey.detect import (
    DELIMITERS,
    HEAD,
    Record,
    convert,
    decode,
    decode_as,
    delimiter_name,
    find_delimiter,
    find_header,
    is_number,
    refuse_binary,
    to_series,
)

if TYPE_CHECKING:
    import zipfile

    import pandas as pd

TEXT = (".csv", ".tsv", ".tab", ".txt")
SPSS = (".sav", ".zsav")
EXTENSIONS = (*TEXT, ".xlsx", *SPSS)
# What a file may hold. Rows and columns are the limits of Excel itself.
LARGEST = 1_000_000_000  # bytes of a text file, or of what an Excel file unpacks to
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
MAX_CELLS = 25_000_000
MAX_RATIO = 250  # unpacked to packed, of members that unpack to more than SMALL bytes
SMALL = 10_000_000
MAX_SHEETS = 1_000
# Members that openpyxl reads whole, into objects: bytes unpacked, and the ratio from a size on.
WHOLE = {
    "sharedStrings": (100_000_000, 1_000_000, 60),
    "styles": (10_000_000, 500_000, 60),
    "workbook": (10_000_000, 500_000, 60),
}
READ_WHOLE = {  # how types end
    "haredStrings": "sharedStrings", ".main": "workbook", "/officeDocument": "workbook",
    "/styles": "styles", "/theme": "styles",
}  # fmt: skip
TOO_MANY = (
    f"at most {MAX_CELLS:,} cells are read: read a larger file with pyreadstat and pass on the "
    "columns that are needed"
)
UNCOUNTED = 50_000_000  # bytes that an SPSS file may unpack to without saying how many rows it has
BLANK_RUN = 100_000  # empty lines together, which no survey has
OLE = b"\xd0\xcf\x11\xe0"  # old Excel; also the wrapping of a workbook with a password


@dataclass(frozen=True, repr=False)  # compared by value: it travels in the table's attributes
class ReadReport(Result):
    """What was found in a file, and what was assumed.

    Attributes
    ----------
    file : str
        Name of the file, without its folder.
    format : str
        Its extension: "csv", "xlsx", "sav" ...
    encoding, delimiter : str
        Of a text file; empty otherwise (SPSS files name their encoding).
    header_rows : int
        Rows above the first respondent: 1, 2 (SurveyMonkey), 3 (Qualtrics), 0 (SPSS).
    rows : int
        Size of the table.
    names : tuple of str
        Columns of the table.
    notes : tuple of Text
        Every assumption and everything that was left out.
    questions : dict of str to str
        Column to question text.
    value_labels : dict of str to dict
        Column to code and label (SPSS). The table keeps the codes.
    missing : dict of str to int
        Column to the number of values that the file (SPSS) or the caller declares missing and that
        became missing. Cells that were empty already are not counted.
    """

    file: str
    format: str
    encoding: str = ""
    delimiter: str = ""
    header_rows: int = 1
    rows: int = 0
    names: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    questions: dict[str, str] = field(default_factory=dict)
    value_labels: dict[str, dict[Any, str]] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)

    @property
    def columns(self) -> int:
        """How many columns the table has."""
        return len(self.names)

    @property
    def table(self) -> pd.DataFrame:
        """The columns of the file, one row each: ``column, question, value_labels, n_declared``.

        ``n_declared`` counts the values that the file declares missing.
        """
        import pandas as pd

        labels = {
            name: "; ".join(f"{code:g} = {text}" if isinstance(code, float) else f"{code} = {text}"
                            for code, text in codes.items())
            for name, codes in self.value_labels.items()
        }  # fmt: skip
        return pd.DataFrame(
            {
                "column": list(self.names),
                "question": [self.questions.get(name, "") for name in self.names],
                "value_labels": [labels.get(name, "") for name in self.names],
                "n_declared": [self.missing.get(name, 0) for name in self.names],
            }
        )

    def title(self, lang: str | None = None) -> str:
        """Return the name of the file, as a heading."""
        return label("title.ReadReport", lang, file=self.file)

    def findings(self, lang: str) -> list[str]:
        """Return what kind of file was read, and its size."""
        size = {"rows": self.rows, "columns": self.columns, "header": self.header_rows}
        head = label("survey.read.head", lang, file=self.file, format=self.format, **size)
        lines = []
        if self.encoding:
            lines.append(label("survey.read.encoding", lang, encoding=self.encoding))
        if self.delimiter:
            name = delimiter_name(self.delimiter).get(lang)
            lines.append(label("survey.read.delimiter", lang, name=name))
        if self.questions:
            lines.append(label("survey.read.questions", lang, n=len(self.questions)))
        if self.value_labels:
            lines.append(label("survey.read.value_labels", lang, n=len(self.value_labels)))
        if self.missing:
            n = sum(self.missing.values())
            lines.append(label("survey.read.missing", lang, n=n, columns=len(self.missing)))
        return [head, *(f"  {line}" for line in lines)]


def read_survey(
    path: str | Path,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    missing: Sequence[float | str] = (),
) -> pd.DataFrame:
    r"""Read a survey file into a table, one row per respondent.

    Encoding, delimiter and header rows are detected, and ``frame.attrs["read_report"]`` says
    what was found. Nothing is stripped but a byte-order mark; empty cells are missing, and
    texts such as "NA" stay text, so that `check` can name them. Numbers become numbers unless
    something would be lost ("007").

    Parameters
    ----------
    path : str or Path
        CSV or tab-separated text (UTF-8, UTF-16 with byte-order mark, GB18030; also the
        exports of Qualtrics and SurveyMonkey), Excel ``.xlsx``, or SPSS ``.sav``, ``.zsav``.
    sheet : str, optional
        Name of a sheet in an Excel file; without it, the first.
    encoding : str, optional
        Encoding of a text file, such as "cp1252", "big5" or "shift_jis"; without it, it is
        detected, and a doubtful guess gives a warning.
    missing : sequence of number or str
        What stands for "no answer", such as ``[-99, "#NULL!"]``: such cells become missing in all
        columns, before their types are found. The report counts them.

    Returns
    -------
    pandas.DataFrame
        With a `ReadReport` in ``attrs["read_report"]``.

    Raises
    ------
    DataError
        In one line, with the name of the file, if it cannot be used.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp(), "answers.csv")
    >>> _ = file.write_text("id;q1;q2\n007;5;3,5\n008;;4,0\n", encoding="utf-8")
    >>> frame = read_survey(file)
    >>> frame["id"].tolist(), frame["q2"].tolist()
    (['007', '008'], [3.5, 4.0])
    >>> print(frame.attrs["read_report"].notes[1])
    column 'q2': decimal commas were read as decimal points
    """
    file = Path(path)
    codes = _missing_codes(missing)
    head = _head(file)
    suffix = file.suffix.lower()
    if suffix == ".xls":
        raise DataError(f"{file.name}: the old Excel format; save the file as .xlsx")
    if suffix not in EXTENSIONS:
        raise DataError(
            f"{file.name}: extension {suffix!r} is not known; allowed: {', '.join(EXTENSIONS)}"
        )
    if not head:
        raise DataError(f"{file.name}: the file is empty")
    if sheet is not None and suffix != ".xlsx":
        raise DataError(f"{file.name}: sheet={sheet!r}, but only an .xlsx file has sheets")
    if encoding is not None and suffix not in TEXT:
        raise DataError(f"{file.name}: encoding={encoding!r}, but only a text file has one")
    if suffix == ".xlsx":
        frame, report = _read_excel(file, head, sheet, codes)
    elif suffix in SPSS:
        frame, report = _read_spss(file, head, codes)
    else:
        frame, report = _read_text(file, head, encoding, codes)
    if not len(frame):
        raise DataError(f"{file.name}: the file has no rows below its header")
    frame.attrs["read_report"] = replace(
        report, format=suffix[1:], rows=len(frame), names=tuple(map(str, frame.columns))
    )
    return frame


def _missing_codes(missing: Any) -> frozenset[Any]:
    """Return what stands for "no answer", numbers as floats.

    Raises
    ------
    CxError
        If it is no list of numbers and texts.
    """
    if isinstance(missing, str) or not isinstance(missing, Sequence):
        raise CxError(f"missing={excerpt(missing)}; allowed: a list, such as [-99, '#NULL!']")
    for code in missing:
        if isinstance(code, bool) or not isinstance(code, str | int | float):
            raise CxError(f"missing holds {excerpt(code)}; allowed: numbers and texts")
    return frozenset(code if isinstance(code, str) else float(code) for code in missing)


def _without_codes(cells: list[Any], codes: frozenset[Any]) -> tuple[list[Any], int]:
    """Return cells with codes for "no answer" emptied, and how many these were."""
    if not codes:
        return cells, 0
    kept = [None if _is_code(cell, codes) else cell for cell in cells]
    return kept, sum(a is not b for a, b in zip(cells, kept, strict=True))


def _is_code(cell: Any, codes: frozenset[Any]) -> bool:
    if isinstance(cell, str):
        return cell in codes or (is_number(cell) and float(cell) in codes)
    return isinstance(cell, int | float) and not isinstance(cell, bool) and float(cell) in codes


def _head(file: Path) -> bytes:
    try:
        if file.is_dir():
            raise DataError(f"{file.name}: a folder, not a file")
        with file.open("rb") as stream:
            return stream.read(HEAD)
    except OSError as error:
        raise DataError(f"{file.name}: cannot be read: {error.strerror}") from error
    except DataError:
        raise
    except ValueError as error:  # a path with NUL
        raise DataError(f"{file.name}: cannot be read: {error}") from error


def _read_text(
    file: Path, head: bytes, asked: str | None = None, codes: frozenset[Any] = frozenset()
) -> tuple[pd.DataFrame, ReadReport]:
    if asked is None:
        refuse_binary(head, file.name)
    data = read_bytes(file, LARGEST)
    decoded = decode(data, file.name) if asked is None else decode_as(data, file.name, asked)
    text, encoding, encoding_notes, doubtful = decoded
    for note in encoding_notes if doubtful else ():
        warnings.warn(f"{file.name}: {note.get()}", stacklevel=3)
    position = text.find("\0")
    if position >= 0:
        line = text.count("\n", 0, position) + 1
        raise DataError(f"{file.name}: not a text file: NUL in line {line}")
    delimiter, delimiter_notes = find_delimiter(text)
    first, _, body = text.partition("\n")
    if first.strip().strip('"') in [f"sep={mark}" for mark in DELIMITERS]:
        delimiter, delimiter_notes = first.strip('\r"')[-1], (both("survey.read.note.sep_row"),)
        text = f"\n{body}"  # row numbers stay those of the file
    _refuse_large_text(text, delimiter, file.name)
    records = list(_records(text, delimiter, file.name))
    frame, report = _table(records, file.name, delimiter != ",", codes)
    return frame, replace(
        report,
        encoding=encoding,
        delimiter=delimiter,
        notes=(*encoding_notes, *delimiter_notes, *report.notes),
    )


def _refuse_large_text(text: str, delimiter: str, name: str) -> None:
    """Raise if the cells would not fit, before the first is read."""
    if not text.strip("\r\n"):
        raise DataError(f"{name}: the file is empty")
    if any(mark * BLANK_RUN in text for mark in ("\n", "\r", "\r\n")):
        raise DataError(f"{name}: more than {BLANK_RUN:,} empty lines together; remove them")
    n_cells = text.count(delimiter) + 2 * text.count("\n")
    if n_cells > MAX_CELLS:
        raise DataError(
            f"{name}: about {n_cells:,} cells; at most {MAX_CELLS:,} are read: read a larger file "
            "with Polars or DuckDB and pass on the columns that are needed"
        )


def _records(text: str, delimiter: str, name: str) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = start = 0
    while True:
        number, start = number + 1, reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            why = str(error)
            if "field larger" in why or "unexpected end" in why:
                why = "a quotation mark is opened and not closed (or a cell is far too long)"
            elif "expected after" in why:
                why = "text follows a closing quotation mark; quotes inside a cell are doubled"
            line = "" if number == start else f" (line {start})"
            raise DataError(f"{name}, row {number}{line}: {why}") from error
        if cells:
            yield Record(number, cells)


def _table(
    records: list[Record],
    name: str,
    decimal_comma: bool = False,
    codes: frozenset[Any] = frozenset(),
) -> tuple[pd.DataFrame, ReadReport]:
    """Return the table that rows of cells make, blank ones left out, and what is known of it."""
    import pandas as pd

    if not records:
        raise DataError(f"{name}: the file is empty")
    if len(records[0].cells) > MAX_COLUMNS:
        n = len(records[0].cells)
        raise DataError(f"{name}: {n:,} columns; allowed: at most {MAX_COLUMNS:,}")
    header = find_header(records)
    body = records[header.rows :]
    _refuse_ragged(records, name)
    if not body:
        raise DataError(f"{name}: the file has no rows below its header")
    notes = list(header.notes)
    blank = records[-1].number - len(records)
    if blank:
        notes.append(both("survey.read.note.blank_rows", n=blank))
    cells_by_column = list(zip(*(record.cells for record in body), strict=True))
    columns, column_notes = _columns(header.names, cells_by_column)
    notes += column_notes
    _refuse_duplicates([column for column, _ in columns], name)
    series: dict[str, pd.Series[Any]] = {}
    missing: dict[str, int] = {}
    for column, all_cells in columns:
        cells, count = _without_codes(all_cells, codes)
        missing |= {column: count} if count else {}
        values, value_notes = convert(cells, column, decimal_comma)
        series[column] = to_series(values)
        notes += value_notes
    report = ReadReport(
        name, "", header_rows=header.rows, questions=header.questions, missing=missing,
        notes=(*notes, *_asked_notes(missing)),
    )  # fmt: skip
    return pd.DataFrame(series), report


def _asked_notes(missing: dict[str, int]) -> list[Text]:
    return [
        both("survey.read.note.asked_missing", column=repr(column), n=count)
        for column, count in missing.items()
    ]


def _columns(
    names: Sequence[str], columns: Sequence[tuple[Any, ...]]
) -> tuple[list[tuple[str, list[Any]]], list[Text]]:
    """Return every column with its name, and what there is to say of the names."""
    named, notes = [], []
    for position, (name, cells) in enumerate(zip(names, columns, strict=True), 1):
        if name:
            named.append((name, list(cells)))
        elif any(cell not in (None, "") for cell in cells):
            new = f"column_{position}"
            named.append((new, list(cells)))
            notes.append(both("survey.read.note.unnamed", position=position, name=repr(new)))
        else:
            notes.append(both("survey.read.note.unnamed_empty", position=position))
    spaced = [name for name, _ in named if name != name.strip()]
    notes += [both("survey.read.note.spaced_name", column=repr(name)) for name in spaced]
    if all(is_number(name) for name, _ in named):
        notes.append(both("survey.read.note.numeric_header"))
    return named, notes


def _refuse_ragged(records: list[Record], name: str) -> None:
    width = len(records[0].cells)
    problems = [
        f"{name}, row {record.number}: {len(record.cells)} cells where the header has {width}"
        for record in records
        if len(record.cells) != width
    ]
    if problems:
        raise DataError(problems)


def _refuse_duplicates(names: list[str], name: str) -> None:
    problems = []
    for column, count in Counter(names).items():
        if count > 1:
            places = [str(i) for i, other in enumerate(names, 1) if other == column]
            problems.append(
                f"{name}, row 1: column {excerpt(column)} stands there {count} times, at "
                f"positions {listing(places)}; each column needs a name of its own"
            )
    if problems:
        raise DataError(problems)


def _read_excel(
    file: Path, head: bytes, sheet: str | None, codes: frozenset[Any]
) -> tuple[pd.DataFrame, ReadReport]:
    if head.startswith(OLE):
        if "EncryptedPackage".encode("utf-16-le") in read_bytes(file, LARGEST):
            raise DataError(f"{file.name}: protected by a password; save it without one")
        raise DataError(f"{file.name}: the old Excel format under a new name; save it as .xlsx")
    rows, title, others, hidden = _sheet(file, sheet)
    width = max((len(cells) for _, cells in rows), default=0)
    records = [Record(n, [*cells, *[None] * (width - len(cells))]) for n, cells in rows]
    frame, report = _table(records, file.name, codes=codes)
    notes = []
    if others:
        which = "asked" if sheet is not None else "first"
        names = listed(map(repr, others))
        notes.append(both(f"survey.read.note.sheet_{which}", sheet=repr(title), others=names))
    if hidden:
        notes.append(both("survey.read.note.sheet_hidden", sheet=repr(title)))
    return frame, replace(report, notes=(*notes, *report.notes))


def _sheet(file: Path, sheet: str | None) -> tuple[list[Record], str, list[str], bool]:
    """Return the rows of a sheet, its name, the names of the others, whether it is hidden."""
    import openpyxl

    try:
        _refuse_large_workbook(file)
        # An open file: openpyxl does not close one that it opened itself and cannot read.
        with file.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles and validation, which are not read
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            try:
                titles = [page.title for page in book.worksheets]
                if sheet is not None and sheet not in titles:
                    raise DataError(
                        f"{file.name}: no sheet {sheet!r}; sheets: {listing(map(repr, titles))}"
                    )
                page = book[sheet] if sheet is not None else book.worksheets[0]
                page.reset_dimensions()  # what it claims can be wrong
                rows = _filled_rows(page, file.name)
                _refuse_formulas(file, page)
            finally:
                book.close()
    except DataError:
        raise
    except Exception as error:  # a broken zip or XML fails in many ways, none for the user
        raise DataError(f"{file.name}: not an Excel workbook, or a damaged one") from error
    others = [title for title in titles if title != page.title]
    return rows, page.title, others, page.sheet_state != "visible"


def _refuse_large_workbook(file: Path) -> None:
    """Raise if what is read of a workbook unpacks to too much; nothing is unpacked for it."""
    import zipfile

    with zipfile.ZipFile(file) as archive:
        kinds = _members_by_kind(archive, file.name)
        total = 0
        for member in archive.infolist():
            # A member that no list names is not read: it may be as large as it likes.
            kind = kinds.get(member.filename.rsplit("/", 1)[-1])
            if kind is not None:
                total += member.file_size
                _refuse_large_member(member, kind, file.name)
        if total > LARGEST:
            raise DataError(
                f"{file.name}: unpacks to {total / 1e6:,.0f} MB; allowed: {LARGEST / 1e6:,.0f} MB"
            )
        for member in archive.infolist():
            if kinds.get(member.filename.rsplit("/", 1)[-1]) == "workbook":
                n_sheets = len(re.findall(rb"<(?:\w+:)?sheet[\s>]", archive.read(member)))
                if n_sheets > MAX_SHEETS:
                    raise DataError(
                        f"{file.name}: {n_sheets:,} sheets; allowed: at most {MAX_SHEETS:,}"
                    )


def _members_by_kind(archive: zipfile.ZipFile, name: str) -> dict[str, str]:
    """Return the members that are read of a workbook, by name, with their kinds.

    Some are read whatever the lists say, others under any name that a list gives them. A kind that
    is read whole stays one, even where a list says something else of the same name.
    """
    from xml.etree import ElementTree

    members = archive.infolist()
    lists = [m for m in members if m.filename.endswith((".rels", "[Content_Types].xml"))]
    if sum(member.file_size for member in lists) > SMALL:
        raise DataError(f"{name}: its lists of contents unpack to more than {SMALL:,} bytes")
    kinds = dict.fromkeys(("core.xml", "custom.xml", "theme1.xml", "styles.xml"), "styles")
    for member in lists:
        for element in ElementTree.fromstring(archive.read(member)):
            path = element.get("PartName") or element.get("Target") or ""
            said = (element.get("ContentType") or element.get("Type") or "").removesuffix("+xml")
            kind = next((k for ending, k in READ_WHOLE.items() if said.endswith(ending)), "")
            if path:
                base = path.rsplit("/", 1)[-1]
                kinds[base] = kinds.get(base, "") or kind
    return kinds


def _refuse_large_member(member: zipfile.ZipInfo, kind: str, name: str) -> None:
    """Raise if a member unpacks to too much, or to too many times its size."""
    most, small, most_times = WHOLE.get(kind, (LARGEST, SMALL, MAX_RATIO))
    ratio = member.file_size / max(member.compress_size, 1)
    where = f"{name}: {excerpt(member.filename)[1:-1]} unpacks to"
    if member.file_size > small and ratio > most_times:
        raise DataError(
            f"{where} {ratio:,.0f} times its size; allowed: {most_times} times; delete the empty "
            "rows and the unused formats and save the file again"
        )
    if member.file_size > most and kind in WHOLE:
        raise DataError(f"{where} {member.file_size / 1e6:,.0f} MB; allowed: {most / 1e6:,.0f} MB")


def _rows(page: Any, name: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a sheet, as far as Excel itself allows rows and columns."""
    for number, row in enumerate(page.iter_rows(values_only=True), 1):
        if number > MAX_ROWS or len(row) > MAX_COLUMNS:
            raise DataError(
                f"{name}, row {number}: more than {MAX_ROWS:,} rows or {MAX_COLUMNS:,} columns, "
                "the limits of Excel"
            )
        yield row


def _filled_rows(page: Any, name: str) -> list[Record]:
    """Return the rows of a sheet that hold something, with their numbers."""
    records, width, empty = [], 0, {None, ""}
    for number, row in enumerate(_rows(page, name), 1):
        width = max(width, len(row))
        if set(row) - empty:
            records.append(Record(number, list(row)))
        if width * len(records) > MAX_CELLS:
            raise DataError(f"{name}, row {number}: more than {MAX_CELLS:,} cells up to here")
    return records


def _holds_formulas(file: Path, page: Any) -> bool:
    """Return whether the text of a sheet has the mark of a formula, read piece by piece."""
    import zipfile

    with zipfile.ZipFile(file) as archive, archive.open(page._worksheet_path) as stream:
        before = b""
        while piece := stream.read(1_000_000):
            if re.search(rb"<f[ >]", before + piece):
                return True
            before = piece[-2:]
    return False


def _refuse_formulas(file: Path, values_page: Any) -> None:
    """Raise if a formula has no stored value: it would read as an empty cell."""
    import openpyxl
    from openpyxl.utils import get_column_letter

    if not _holds_formulas(file, values_page):
        return
    book = openpyxl.load_workbook(file, read_only=True, keep_links=False)
    try:
        page = book[values_page.title]
        page.reset_dimensions()
        pairs = zip(_rows(page, file.name), _rows(values_page, file.name), strict=True)
        cells = (
            (number, column)
            for number, (formulas, values) in enumerate(pairs, 1)
            for column, (text, value) in enumerate(zip(formulas, values, strict=True), 1)
            if value is None and isinstance(text, str) and text.startswith("=")
        )
        problems = [
            f"{file.name}, row {row}, column {get_column_letter(column)}: a formula without a "
            "stored value; open the file in Excel and save it"
            for row, column in cells
        ]
    finally:
        book.close()
    if problems:
        raise DataError(problems)


def _rows_that_fit(file: Path) -> int:
    """Return one row more than fit; raise if an SPSS file says it has more, or does not say.

    A file of a few kilobytes can unpack to anything: what it says is looked at first.
    """
    import pyreadstat

    _, meta = pyreadstat.read_sav(str(file), metadataonly=True)
    widths = meta.variable_storage_width.values()
    cells = max(1, sum(max(1, -(-int(width) // 8)) for width in widths))  # of 8 bytes
    most, rows = MAX_CELLS // cells + 1, meta.number_rows
    if rows is not None and rows >= most:
        raise DataError(f"{file.name}: {rows:,} rows of {cells:,} cells; {TOO_MANY}")
    if rows is None or rows < 0:
        unpacked = _unpacked_spss(file)
        if unpacked > UNCOUNTED:
            raise DataError(
                f"{file.name}: does not say how many rows it has, and unpacks to "
                f"{unpacked / 1e6:,.0f} MB; allowed: {UNCOUNTED / 1e6:,.0f} MB; save it again with "
                "SPSS"
            )
    return most


def _unpacked_spss(file: Path) -> int:
    """Return the bytes that the blocks of a .zsav unpack to; of another, those of the file.

    The data begin with their own place in the file, the place of the list of blocks, and its size.
    """
    data = read_bytes(file, LARGEST)
    if not data.startswith(b"$FL3"):
        return len(data)
    for order in "<>":
        mark = struct.pack(f"{order}ii", 999, 0)
        at = data.find(mark)
        while at >= 0:
            head = data[at + 8 : at + 32]
            if len(head) == 24:
                place, start, size = struct.unpack(f"{order}qqq", head)
                if place == at + 8:
                    blocks = data[start + 24 : start + size]
                    whole = len(blocks) // 24 * 24
                    found = struct.iter_unpack(f"{order}qqii", blocks[:whole])
                    return sum(max(0, unpacked) for _, _, unpacked, _ in found)
            at = data.find(mark, at + 1)
    return len(data) * 1_000  # the most that the packing can do


def _read_spss(file: Path, head: bytes, codes: frozenset[Any]) -> tuple[pd.DataFrame, ReadReport]:
    import pyreadstat

    if b"ENCRYPTEDSAV" in head[:64]:
        raise DataError(f"{file.name}: protected by a password; save it without one")
    if not head.startswith((b"$FL2", b"$FL3")):
        raise DataError(f"{file.name}: not an SPSS file")
    try:
        most = _rows_that_fit(file)
        frame, meta = pyreadstat.read_sav(str(file), user_missing=True, row_limit=most)
    except DataError:
        raise
    except Exception as error:  # a damaged file fails in many ways, none for the user
        raise DataError(f"{file.name}: a damaged SPSS file") from error
    if len(frame) == most:
        raise DataError(f"{file.name}: {len(frame):,} rows or more; {TOO_MANY}")
    missing = {}
    for column in frame:
        series = frame[column]
        if series.dtype.kind not in "iufMm":
            frame[column] = series = series.astype(object).mask(series.isin([""]))
        declared = series.isin([])
        ranges: list[Any] = meta.missing_ranges.get(str(column), [])
        for limits in ranges:
            low, high = limits["lo"], limits["hi"]
            declared |= series.eq(low) if low == high else series.between(low, high)
        declared |= series.isin(list(codes))
        if declared.any():
            missing[str(column)] = int(declared.sum())
            frame[column] = series.mask(declared)
    labels = {name: dict(table) for name, table in meta.variable_value_labels.items()}
    questions = {name: text for name, text in meta.column_names_to_labels.items() if text}
    notes = [
        both("survey.read.note.declared_missing", column=repr(column), n=count)
        for column, count in missing.items()
    ]
    report = ReadReport(
        file.name,
        "sav",
        encoding=str(meta.file_encoding or ""),
        header_rows=0,
        notes=tuple(notes),
        questions=questions,
        value_labels=labels,
        missing=missing,
    )
    return frame, report
