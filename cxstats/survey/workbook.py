"""The rows of a sheet of an Excel workbook, bounded before they are read."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
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
                records = _filled_rows(page, file.name)
                merges, hidden, has_formulas = _marks(file, page)
                formulas = _fill_formulas(file, page, records) if has_formulas else []
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
    return Sheet(records, merges, hidden, formulas, tuple(notes))


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


def _marks(file: Path, page: Any) -> tuple[list[Merge], frozenset[int], bool]:
    """Return merged cells, hidden rows, and whether there are formulas, piece by piece.

    openpyxl's reading of rows one by one knows nothing of them.
    """
    import zipfile

    from openpyxl.utils import column_index_from_string

    merges, hidden, has_formulas, seen = [], set(), False, 0
    with zipfile.ZipFile(file) as archive, archive.open(page._worksheet_path) as stream:
        before = b""
        while piece := stream.read(1_000_000):
            text = before + piece
            for match in _MARKS.finditer(text):
                if match["formula"]:
                    has_formulas = True
                elif match["row"] is not None:
                    number = _NUMBER_OF_ROW.search(match["row"])
                    if b'hidden="1"' in match["row"] and number:
                        hidden.add(int(number[1]))
                elif match["top"] == match["low"]:
                    first, last = (
                        column_index_from_string(match[end].decode()) - 1 for end in ("from", "to")
                    )
                    merges.append(Merge(int(match["top"]), first, last))
                seen = match.end()
            before, seen = text[max(seen, len(text) - _LONGEST_MARK) :], 0
    return list(dict.fromkeys(merges)), frozenset(hidden), has_formulas


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
        for number, formulas in enumerate(_rows(page, file.name), 1):
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
