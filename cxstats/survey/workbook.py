"""The rows of a sheet of an Excel workbook, bounded before they are read."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cxstats.core.errors import DataError
from cxstats.core.files import read_bytes
from cxstats.core.language import Text, both, listed
from cxstats.core.messages import excerpt, listing
from cxstats.survey.header import Merge, Record

if TYPE_CHECKING:
    import zipfile

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
OLE = b"\xd0\xcf\x11\xe0"  # old Excel; also the wrapping of a workbook with a password
_MARKS = re.compile(
    rb"<row (?P<row>[^>]*)>|(?P<formula><f[ >])"
    rb'|<mergeCell ref="(?P<from>[A-Z]+)(?P<top>\d+):(?P<to>[A-Z]+)(?P<low>\d+)"'
)
_NUMBER_OF_ROW = re.compile(rb'\br="(\d+)"')
_LONGEST_MARK = 4_000  # bytes of a tag that may lie across two pieces
_ESCAPED = re.compile(r"_x00([0-9A-Fa-f]{2})_")  # a character that XML cannot hold
_NO_PLACE = re.compile(rb"<c(?: [^r]|>)")  # a cell that does not begin with its place
_ERROR = b't="e"'
_LETTERS = 26
# A cell whose column is further right than a number of letters A to Z, then AA to AZ and so on.
_CELL_FURTHER = rb'<c r="(?:[A-Z]{3}|([%c-Z])[A-Z]\d)'


class Sheet(NamedTuple):
    """The rows of a sheet that hold something, and how the workbook shows it.

    Attributes
    ----------
    records : list of Record
    merges : list of Merge
        Cells that are merged over columns.
    hidden : frozenset of int
        Numbers of rows that are hidden, by hand or by a filter.
    formulas : list of str
        Cells, such as "B4", that hold a formula without a stored value; they are read as its text.
    notes : tuple of Text
    """

    records: list[Record]
    merges: list[Merge]
    hidden: frozenset[int]
    formulas: list[str]
    notes: tuple[Text, ...]


def read_sheet(file: Path, head: bytes, sheet: str | None) -> Sheet:
    """Read a sheet of a workbook, the first without a name.

    Raises
    ------
    DataError
        If the file is no workbook, is protected, has no such sheet, or unpacks to too much.
    """
    import openpyxl

    if head.startswith(OLE):
        if "EncryptedPackage".encode("utf-16-le") in read_bytes(file, LARGEST):
            raise DataError(f"{file.name}: protected by a password; save it without one")
        raise DataError(f"{file.name}: the old Excel format under a new name; save it as .xlsx")
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
                marks = _marks(file, page)
                records = _plain_rows(file, page, marks)
                if records is None:
                    records = _filled_rows(_rows_of_page(page), file.name)
                formulas = _fill_formulas(file, page, records) if marks.has_formulas else []
            finally:
                book.close()
    except DataError:
        raise
    except Exception as error:  # a broken zip or XML fails in many ways, none for the user
        raise DataError(f"{file.name}: not an Excel workbook, or a damaged one") from error
    width = max((len(record.cells) for record in records), default=0)
    records = [Record(n, [*cells, *[None] * (width - len(cells))]) for n, cells in records]
    others = [title for title in titles if title != page.title]
    notes = []
    if others:
        which = "asked" if sheet is not None else "first"
        names = listed(map(repr, others))
        notes.append(both(f"survey.read.note.sheet_{which}", sheet=repr(page.title), others=names))
    if page.sheet_state != "visible":
        notes.append(both("survey.read.note.sheet_hidden", sheet=repr(page.title)))
    return Sheet(records, marks.merges, marks.hidden, formulas, tuple(notes))


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


def _rows(rows: Iterable[Sequence[Any]], name: str) -> Iterator[Sequence[Any]]:
    """Yield the rows of a sheet, as far as Excel itself allows rows and columns."""
    for number, row in enumerate(rows, 1):
        if number > MAX_ROWS or len(row) > MAX_COLUMNS:
            raise DataError(
                f"{name}, row {number}: more than {MAX_ROWS:,} rows or {MAX_COLUMNS:,} columns, "
                "the limits of Excel"
            )
        yield row


def _rows_of_page(page: Any) -> Iterator[Sequence[Any]]:
    """Yield the rows of a sheet by openpyxl."""
    for row in page.iter_rows(values_only=True):
        yield [_unescaped(cell) for cell in row]


def _unescaped(cell: Any) -> Any:
    """Return a text with its escapes read, as calamine has it: _x000D_ is the end of a line."""
    if type(cell) is str and "_x00" in cell:
        return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), cell)
    return cell


def _filled_rows(rows: Iterable[Sequence[Any]], name: str) -> list[Record]:
    """Return the rows of a sheet that hold something, with their numbers."""
    records, width, empty = [], 0, {None, ""}
    for number, row in enumerate(_rows(rows, name), 1):
        width = max(width, len(row))
        if set(row) - empty:
            records.append(Record(number, list(row)))
        if width * len(records) > MAX_CELLS:
            raise DataError(f"{name}, row {number}: more than {MAX_CELLS:,} cells up to here")
    return records


class _NotPlainError(Exception):
    """A cell that calamine reads otherwise than openpyxl."""


def _plain_rows(file: Path, page: Any, marks: _Marks) -> list[Record] | None:
    """Return the filled rows of a sheet of plain cells by calamine, ten times as fast; else None.

    Formulas, and cells that are errors or do not say where they are, are left to openpyxl. So are
    sheets with cells far apart, since calamine makes room for all between them. A time of day may
    differ from openpyxl's by a thousandth of a second, where it lies between two.
    """
    import python_calamine

    if marks.has_formulas or marks.is_odd or not 0 < marks.rows * marks.columns <= MAX_CELLS:
        return None
    try:
        with python_calamine.load_workbook(str(file)) as book:
            cells = book.get_sheet_by_name(page.title).to_python(skip_empty_area=False)
        return _filled_rows(([_plain_cell(cell) for cell in row] for row in cells), file.name)
    except DataError:
        raise
    except Exception:  # a file that only one of the two reads is read by the other
        return None
    except BaseException as error:
        # What Rust cannot go on with (a span of a billion days) comes as no Exception.
        if type(error).__module__ == "pyo3_runtime":
            return None
        raise


def _plain_cell(cell: Any) -> Any:
    """Return a cell as openpyxl has it: whole numbers, days with a time, None where empty.

    Raises
    ------
    _NotPlainError
        At a time without a day, which may stand for a day before 1900.
    """
    if type(cell) is float:
        return int(cell) if cell.is_integer() else cell
    if cell == "":
        return None
    if type(cell) is date:
        return datetime(cell.year, cell.month, cell.day)
    if type(cell) is time:
        raise _NotPlainError
    return cell


class _Marks(NamedTuple):
    """What the XML of a sheet says beside its values.

    Attributes
    ----------
    merges : list of Merge
    hidden : frozenset of int
        Numbers of hidden rows.
    has_formulas : bool
    is_odd : bool
        Whether a cell is an error, or does not begin with its place.
    rows, columns : int
        The number of the last row, and a number of columns that holds all cells.
    """

    merges: list[Merge]
    hidden: frozenset[int]
    has_formulas: bool
    is_odd: bool
    rows: int
    columns: int


def _marks(file: Path, page: Any) -> _Marks:
    """Return what values do not show, piece by piece; openpyxl's rows know nothing of it."""
    import zipfile

    from openpyxl.utils import column_index_from_string

    merges, hidden, has_formulas, is_odd, seen = [], set(), False, False, 0
    rows, width = 0, _LETTERS
    with zipfile.ZipFile(file) as archive, archive.open(page._worksheet_path) as stream:
        before = b""
        while piece := stream.read(1_000_000):
            text = before + piece
            width = _width(text, width)
            is_odd = is_odd or _ERROR in text or _NO_PLACE.search(text) is not None
            for match in _MARKS.finditer(text):
                if match["formula"]:
                    has_formulas = True
                elif match["row"] is not None:
                    number = _NUMBER_OF_ROW.search(match["row"])
                    rows = max(rows, int(number[1])) if number else rows
                    if b'hidden="1"' in match["row"] and number:
                        hidden.add(int(number[1]))
                elif match["top"] == match["low"]:
                    first, last = (
                        column_index_from_string(match[end].decode()) - 1 for end in ("from", "to")
                    )
                    merges.append(Merge(int(match["top"]), first, last))
                seen = match.end()
            before, seen = text[max(seen, len(text) - _LONGEST_MARK) :], 0
    merges = list(dict.fromkeys(merges))
    return _Marks(merges, frozenset(hidden), has_formulas, is_odd, rows, width)


def _width(text: bytes, width: int) -> int:
    """Return how many columns hold all cells of a piece of a sheet, in steps of 26; at least some.

    Each search begins where the last one ended, so that a piece is read once.
    """
    place = 0
    while width <= _LETTERS**2:
        further = re.compile(_CELL_FURTHER % (ord("A") + width // _LETTERS - 1))
        match = further.search(text, place)
        if match is None:
            return width
        if match[1] is None:
            return MAX_COLUMNS
        width, place = (ord(match[1]) - ord("A") + 2) * _LETTERS, match.start()
    return width


def _formula(cell: Any) -> str | None:
    """Return the text of a formula, of one cell or of an array; None for any other cell."""
    from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

    if isinstance(cell, ArrayFormula):
        text = str(cell.text or "")
        return text if text.startswith("=") else f"={text}"
    if isinstance(cell, DataTableFormula):
        return f"=TABLE({cell.ref})"
    return cell if isinstance(cell, str) and cell.startswith("=") else None


def _fill_formulas(file: Path, values_page: Any, records: list[Record]) -> list[str]:
    """Put the text of a formula where it has no stored value, and return those cells.

    Read as an empty cell, what a program wrote and nobody saved in Excel would be lost.
    """
    import openpyxl
    from openpyxl.utils import get_column_letter

    rows = {record.number: record.cells for record in records}
    book = openpyxl.load_workbook(file, read_only=True, keep_links=False)
    cells = []
    try:
        page = book[values_page.title]
        page.reset_dimensions()
        for number, formulas in enumerate(_rows(_rows_of_page(page), file.name), 1):
            for column, formula in enumerate(formulas):
                text = _formula(formula)
                if text is None:
                    continue
                if number not in rows:
                    rows[number] = []
                    records.append(Record(number, rows[number]))
                row = rows[number]
                row += [None] * (column + 1 - len(row))
                if row[column] is None:
                    row[column] = text
                    cells.append(f"{get_column_letter(column + 1)}{number}")
    finally:
        book.close()
    records.sort(key=lambda record: record.number)
    return cells
