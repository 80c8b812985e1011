"""Read the client's file, whatever wrote it, and say what was found and what was assumed."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.files import read_bytes
from cxstats.core.language import Text, both, listed
from cxstats.core.messages import excerpt, listing
from cxstats.core.progress import long_work
from cxstats.survey.columns import as_dates, convert, is_number, to_series
from cxstats.survey.encoding import (
    DELIMITERS,
    HEAD,
    SAMPLE,
    decode,
    decode_as,
    find_delimiter,
    lines_of,
    refuse_binary,
    text_of,
)
from cxstats.survey.header import (
    HIGHEST,
    LOOKED_AT,
    Header,
    Merge,
    Record,
    find_header,
    numbered,
)
from cxstats.survey.layout import find_layout
from cxstats.survey.non_respondents import KINDS, non_respondents
from cxstats.survey.plain_text import AT_ONCE, Coded, plain_columns
from cxstats.survey.report import ReadReport
from cxstats.survey.statistical_files import SPSS, STATA, read_spss, read_stata
from cxstats.survey.workbook import LARGEST, MAX_CELLS, MAX_COLUMNS, read_sheet

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

TEXT = (".csv", ".tsv", ".tab", ".txt")
EXTENSIONS = (*TEXT, ".xlsx", *SPSS, *STATA)
BLANK_RUN = 100_000  # empty lines together, which no survey has
TOP = 300  # rows among which the header is looked for, where those below are read by columns
PLAIN_TIMES = 6  # times MAX_CELLS, of a file that is read by columns
ROWS_AT_ONCE = 1 << 16  # of a column that are made together
NOTE_BELOW = 2  # cells of a line below the table that is none of its rows
ORDERS = ("ymd", "dmy", "mdy")


class Table(NamedTuple):
    """A table, what is known of it, its hidden rows, and the texts of columns, each once."""

    frame: pd.DataFrame
    report: ReadReport
    texts: dict[str, list[Any]]
    hidden: frozenset[int] = frozenset()


class Opening(NamedTuple):
    """A text that may be plain: its header, the rows of it, the text down to it, and below."""

    header: Header
    heads: list[list[Any]]
    above: bytes
    below: bytes


class Options(NamedTuple):
    """What a person says of a file instead of leaving it to be found."""

    header: tuple[int, ...] | None = None
    dates: str | None = None
    decimal: str | None = None
    leave_out: tuple[str, ...] = ()
    codes: frozenset[Any] = frozenset()


def read_survey(
    path: str | Path,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    header: int | Sequence[int] | None = None,
    decimal: str | None = None,
    dates: str | None = None,
    leave_out: Sequence[str] = (),
    missing: Sequence[float | str] = (),
) -> pd.DataFrame:
    r"""Read a survey file into a table, one row per respondent.

    Encoding, delimiter, header and platform are found by evidence, and
    ``frame.attrs["read_report"]`` says what was found; a doubt is a warning. Nothing is stripped
    but a byte-order mark; empty cells are missing, and texts such as "NA" stay text, so that
    `check` can name them. Numbers become numbers unless something would be lost ("007"). Rows are
    named as in the file: the index holds their numbers there.

    Parameters
    ----------
    path : str or Path
        CSV or tab-separated text (UTF-8, UTF-16 with byte-order mark, GB18030), Excel ``.xlsx``,
        SPSS ``.sav``, ``.zsav``, Stata ``.dta``; plain or exported by Qualtrics (today's, Insights,
        legacy), SurveyMonkey, wjx, Tencent, LimeSurvey, Typeform, Microsoft or Google Forms.
    sheet : str, optional
        Name of a sheet in an Excel file; without it, the first.
    encoding : str, optional
        Encoding of a text file, such as "cp1252", "big5" or "shift_jis"; without it, it is
        detected, and a doubtful guess gives a warning.
    header : int or sequence of int, optional
        Numbers of the rows of the header, the first row of the file being 1. Without it, the
        header is the first row about as wide as the table and unlike the rows below it; several
        rows are joined as "group - label", or the first names and the second explains.
    decimal : {".", ","}, optional
        The decimal mark of numbers in text; without it a comma is one only where it cannot be a
        delimiter or part thousands.
    dates : {"ymd", "dmy", "mdy"}, optional
        In which order texts are dates; columns of such texts become dates. Without it they stay
        text: 03/04/2024 has two meanings.
    leave_out : sequence of {"total", "preview", "partial", "test", "hidden"}
        Rows that are no respondents to leave out. Without it they are pointed out in the report.
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
    CxError
        If an option is wrong.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp(), "answers.csv")
    >>> _ = file.write_text("id;q1;q2\n007;5;3,5\n008;;4,0\n", encoding="utf-8")
    >>> frame = read_survey(file)
    >>> frame["id"].tolist(), frame["q2"].tolist(), frame.index.tolist()
    (['007', '008'], [3.5, 4.0], [2, 3])
    >>> print(frame.attrs["read_report"].notes[1])
    column 'q2': decimal commas were read as decimal points
    """
    file = Path(path)
    options = _options(header, dates, decimal, leave_out)._replace(codes=_missing_codes(missing))
    head = _head(file)
    suffix = file.suffix.lower()
    _check_suffix(file, suffix, sheet, encoding)
    if not head:
        raise DataError(f"{file.name}: the file is empty")
    with long_work("reading"):
        if suffix in (*SPSS, *STATA):
            reader = read_spss if suffix in SPSS else read_stata
            table = Table(*reader(file, head, options.codes), texts={})
        elif suffix == ".xlsx":
            table = _read_excel(file, head, sheet, options)
        else:
            table = _read_text(file, head, encoding, options)
    if not len(table.frame):
        raise DataError(f"{file.name}: the file has no rows below its header")
    return _finish(table, replace(table.report, format=suffix[1:]), options)


def _options(header: Any, dates: Any, decimal: Any, leave_out: Any) -> Options:
    rows = None
    if header is not None:
        rows = (header,) if isinstance(header, int) else tuple(header)
        if not rows or not all(isinstance(row, int) and row > 0 for row in rows):
            raise CxError(
                f"header={excerpt(header)}; allowed: the number of a row, from 1, or several"
            )
        if list(rows) != list(range(rows[0], rows[0] + len(rows))):
            raise CxError(f"header={excerpt(header)}; allowed: rows that follow each other")
    if dates not in (None, *ORDERS):
        raise CxError(f"dates={excerpt(dates)}; allowed: {', '.join(map(repr, ORDERS))}")
    if decimal not in (None, ".", ","):
        raise CxError(f"decimal={excerpt(decimal)}; allowed: '.', ','")
    kinds = (leave_out,) if isinstance(leave_out, str) else tuple(leave_out)
    for kind in kinds:
        if kind not in KINDS:
            raise CxError(f"leave_out={excerpt(kind)}; allowed: {', '.join(map(repr, KINDS))}")
    return Options(rows, dates, decimal, kinds)


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
    answers = [None if _is_code(cell, codes) else cell for cell in cells]
    return answers, sum(a is not b for a, b in zip(cells, answers, strict=True))


def _is_code(cell: Any, codes: frozenset[Any]) -> bool:
    if isinstance(cell, str):
        return cell in codes or (is_number(cell) and float(cell) in codes)
    return isinstance(cell, int | float) and not isinstance(cell, bool) and float(cell) in codes


def _asked_notes(missing: dict[str, int]) -> list[Text]:
    return [
        both("survey.read.note.asked_missing", column=repr(column), n=count)
        for column, count in missing.items()
    ]


def _check_suffix(file: Path, suffix: str, sheet: str | None, encoding: str | None) -> None:
    if suffix == ".xls":
        raise DataError(f"{file.name}: the old Excel format; save the file as .xlsx")
    if suffix not in EXTENSIONS:
        raise DataError(
            f"{file.name}: extension {suffix!r} is not known; allowed: {', '.join(EXTENSIONS)}"
        )
    if sheet is not None and suffix != ".xlsx":
        raise DataError(f"{file.name}: sheet={sheet!r}, but only an .xlsx file has sheets")
    if encoding is not None and suffix not in TEXT:
        raise DataError(f"{file.name}: encoding={encoding!r}, but only a text file has one")


def _finish(table: Table, report: ReadReport, options: Options) -> pd.DataFrame:
    """Point out rows that are no respondents, leave out those asked for, warn of doubts."""
    frame = table.frame
    pointed_out = non_respondents(
        frame, report.platform, report.questions, table.hidden, table.texts
    )
    gone = {kind: rows for kind, rows in pointed_out.items() if kind in options.leave_out}
    if gone:
        frame = frame.drop(index=[row for rows in gone.values() for row in rows])
    if not len(frame):
        raise DataError(f"{report.file}: no row is left; leave_out={list(gone)} takes them all")
    layout = find_layout(frame)
    doubts = list(report.doubts)
    if layout.name != "wide":
        doubts.append(both(f"survey.read.doubt.{layout.name}", call=layout.call))
    left = {kind: rows for kind, rows in pointed_out.items() if kind not in gone}
    if left:
        # In English the words of leave_out.
        names_of_kinds = {kind: Text(kind, both(f"survey.rows.{kind}").zh) for kind in left}
        kinds = listed(
            both("survey.rows.count", kind=names_of_kinds[kind], n=len(rows))
            for kind, rows in left.items()
        )
        doubts.append(both("survey.read.doubt.rows", kinds=kinds, names=list(left)))
    for doubt in doubts:
        warnings.warn(f"{report.file}: {doubt.get()}", stacklevel=3)
    frame.attrs["read_report"] = replace(
        report,
        rows=len(frame),
        names=tuple(map(str, frame.columns)),
        layout=layout.name,
        pointed_out=left,
        left_out={**gone, **report.left_out},
        doubts=tuple(doubts),
    )
    return frame


def _head(file: Path) -> bytes:
    try:
        if file.is_dir():
            raise DataError(f"{file.name or file}: a folder, not a file")
        with file.open("rb") as stream:
            return stream.read(HEAD)
    except OSError as error:
        raise DataError(f"{file.name}: cannot be read: {error.strerror}") from error
    except DataError:
        raise
    except ValueError as error:  # a path with NUL
        raise DataError(f"{file.name}: cannot be read: {error}") from error


def _read_text(file: Path, head: bytes, asked: str | None, options: Options) -> Table:
    if asked is None:
        refuse_binary(head, file.name)
    data = read_bytes(file, LARGEST)
    decoded = decode(data, file.name) if asked is None else decode_as(data, file.name, asked)
    utf8, encoding, encoding_notes, doubtful = decoded
    del data, decoded
    position = utf8.find(b"\0")
    if position >= 0:
        line = utf8.count(b"\n", 0, position) + 1
        raise DataError(f"{file.name}: not a text file: NUL in line {line}")
    delimiter, delimiter_notes = find_delimiter(utf8)
    end = utf8.find(b"\n") if b"\n" in utf8 else len(utf8)
    first = text_of(utf8[:end])
    if first.strip().strip('"') in [f"sep={mark}" for mark in DELIMITERS]:
        delimiter, delimiter_notes = first.strip('\r"')[-1], (both("survey.read.note.sep_row"),)
        utf8 = utf8[end:] or b"\n"  # row numbers stay those of the file
    n_cells = _refuse_empty_text(utf8, delimiter, file.name)
    comma = options.decimal == "," if options.decimal else delimiter != ","
    opening, table = _opening(utf8, delimiter, file.name, options), None
    if opening is not None:
        del utf8
        table = _plain_table(opening, delimiter, file.name, options, comma)
    if table is None:
        _refuse_many_cells(n_cells, file.name)
        if opening is not None:
            utf8 = opening.above + opening.below
        records = list(_records(utf8, delimiter, file.name))
        table = _table(records, file.name, options, decimal_comma=comma)
    report = replace(
        table.report,
        encoding=encoding,
        delimiter=delimiter,
        notes=(*encoding_notes, *delimiter_notes, *table.report.notes),
        doubts=(*(encoding_notes if doubtful else ()), *table.report.doubts),
    )
    return table._replace(report=report)


def _refuse_empty_text(utf8: bytes, delimiter: str, name: str) -> int:
    """Return about how many cells there are; raise if nothing, or nearly nothing, stands there."""
    if not re.search(rb"[^\r\n]", utf8):
        raise DataError(f"{name}: the file is empty")
    if any(mark * BLANK_RUN in utf8 for mark in (b"\n", b"\r", b"\r\n")):
        raise DataError(f"{name}: more than {BLANK_RUN:,} empty lines together; remove them")
    pieces = (np.frombuffer(utf8[i : i + AT_ONCE], np.uint8) for i in range(0, len(utf8), AT_ONCE))
    n_cells = sum(
        int(np.count_nonzero(marks == ord(delimiter)) + 2 * np.count_nonzero(marks == ord("\n")))
        for marks in pieces
    )
    if n_cells > PLAIN_TIMES * MAX_CELLS:
        _refuse_many_cells(n_cells, name)
    return n_cells


def _refuse_many_cells(n_cells: int, name: str) -> None:
    """Raise if the cells would not fit, before the first is read."""
    if n_cells > MAX_CELLS:
        raise DataError(
            f"{name}: about {n_cells:,} cells; at most {MAX_CELLS:,} are read: read a larger file "
            "with Polars or DuckDB and pass on the columns that are needed"
        )


def _opening(utf8: bytes, delimiter: str, name: str, options: Options) -> Opening | None:
    """Return the header of a text, found in its first rows; None where it cannot be plain."""
    if b"\r" in utf8 and utf8.count(b"\r") != utf8.count(b"\r\n"):
        return None  # ends of lines that only Python's parser takes for such
    try:
        records = list(islice(_records(utf8, delimiter, name), TOP))
    except DataError:
        return None  # said by who reads all rows
    filled = _without_blank(records)
    if len(records) == TOP and len(filled) < HIGHEST + LOOKED_AT:
        return None
    header = find_header(filled, (), options.header)
    width, last = len(header.names), header.rows[-1]
    if any(len(r.cells) > width for r in records if r.number == last):
        return None
    heads = [record.cells for record in records if record.number in header.rows]
    start = _end_of_row(utf8, delimiter, last)
    return Opening(header, heads, utf8[:start], utf8[start:]) if start < len(utf8) else None


def _plain_table(
    opening: Opening, delimiter: str, name: str, options: Options, decimal_comma: bool
) -> Table | None:
    """Return the table of a text in plain form, as `_table` would; None where it is not plain."""
    header, heads = opening.header, opening.heads
    width, last = len(header.names), header.rows[-1]
    columns = plain_columns(opening.below, delimiter, width)
    if columns is None:
        return None
    n = len(columns[0].codes)
    numbers = np.arange(last + 1, last + 1 + n)
    blank = np.arange(n)
    for column in columns:
        blank = column.are("", blank)
    repeated = np.arange(0)
    for head in heads if width > 1 else []:
        rows = np.arange(n)
        for column, cell in zip(columns, head, strict=False):
            rows = column.are(cell, rows)
        repeated = np.union1d(repeated, rows if len(head) == width else rows[:0])
    stays = np.ones(n, bool)
    stays[blank] = False
    if not stays.all():
        columns, numbers = [column.among(stays) for column in columns], numbers[stays]
    below = _notes_below_columns(columns, numbers) if width > NOTE_BELOW else set()
    left_out = {}
    for kind, gone in (
        ("footnote", below),
        ("repeated_header", set((repeated + last + 1).tolist())),
    ):
        if gone:
            left_out[kind] = tuple(sorted(gone))
            stays = ~np.isin(numbers, list(gone))
            columns, numbers = [column.among(stays) for column in columns], numbers[stays]
    if not len(numbers):
        return None
    return _finished_table(name, header, numbers, columns, left_out, options, decimal_comma)


def _end_of_row(utf8: bytes, delimiter: str, row: int) -> int:
    """Return where the text below a row begins."""
    lines = csv.reader(lines_of(utf8), delimiter=delimiter, strict=True)
    for _ in range(row):
        next(lines)
    position = 0
    for _ in range(lines.line_num):
        position = utf8.find(b"\n", position) + 1
        if not position:
            return len(utf8)
    return position


def _notes_below_columns(columns: list[Coded], numbers: Any) -> set[int]:
    """Return what `_notes_below` does of columns."""
    n = len(numbers)
    rows = [*range(min(SAMPLE, n))]
    body = [Record(int(numbers[i]), [column.at(i) for column in columns]) for i in rows]
    if not body or np.median(_filled_counts(body)) <= NOTE_BELOW:
        return set()
    below: set[int] = set()
    for i in reversed(range(n)):
        record = Record(int(numbers[i]), [column.at(i) for column in columns])
        if not _is_note(record):
            break
        below.add(record.number)
    return below


def _records(utf8: bytes, delimiter: str, name: str) -> Iterator[Record]:
    reader = csv.reader(lines_of(utf8), delimiter=delimiter, strict=True)
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
    options: Options,
    merges: Sequence[Merge] = (),
    decimal_comma: bool = False,
) -> Table:
    """Return the table that rows of cells make, blank ones left out, and what is known of it."""
    if not records:
        raise DataError(f"{name}: the file is empty")
    widest = max(len(record.cells) for record in records[:HEAD])
    if widest > MAX_COLUMNS:
        raise DataError(f"{name}: {widest:,} columns; allowed: at most {MAX_COLUMNS:,}")
    records = _without_blank(records)
    header = find_header(records, merges, options.header)
    body, left_out = _body(records, header)
    _refuse_ragged(body, len(header.names), header.rows[-1], name)
    if not body:
        raise DataError(f"{name}: the file has no rows below its header")
    columns = [list(cells) for cells in zip(*(record.cells for record in body), strict=True)]
    numbers = [record.number for record in body]
    return _finished_table(name, header, numbers, columns, left_out, options, decimal_comma)


def _finished_table(
    name: str,
    header: Header,
    numbers: Any,
    cells_by_column: Sequence[list[Any] | Coded],
    left_out: dict[str, tuple[int, ...]],
    options: Options,
    decimal_comma: bool,
) -> Table:
    """Return the table of columns below a header, and what is known of it."""
    import pandas as pd

    notes = list(header.notes)
    blank = int(numbers[-1]) - header.rows[-1] - len(numbers) - sum(map(len, left_out.values()))
    if blank > 0:
        notes.append(both("survey.read.note.blank_rows", n=blank))
    columns, column_notes = _columns(header, cells_by_column)
    notes += column_notes
    names, new = numbered([column for column, _, _ in columns])
    if new:
        notes.append(both("survey.read.note.numbered", n=len(new), names=listing(map(repr, new))))
    questions = {column: text for column, (_, text, _) in zip(names, columns, strict=True) if text}
    values: dict[str, Any] = {}
    texts: dict[str, list[Any]] = {}
    missing: dict[str, int] = {}
    for column, (_, _, cells) in zip(names, columns, strict=True):
        values[column], value_notes, count = _as_column(cells, column, options, decimal_comma)
        missing |= {column: count} if count else {}
        notes += value_notes
        if isinstance(cells, Coded) and values[column].dtype == object:
            texts[column] = cells.texts
    coded = {
        column: cells.codes
        for column, (_, _, cells) in zip(names, columns, strict=True)
        if isinstance(cells, Coded)
    }
    frame = _by_types(values, coded) if coded else pd.DataFrame(values)
    frame.index = pd.Index(numbers, name="row")
    numeric = (
        [both("survey.read.note.numeric_header", row=header.rows[0])]
        if all(is_number(column) for column, _, _ in columns)
        else []
    )
    report = ReadReport(
        name,
        "",
        header=header.rows,
        titles=header.titles,
        platform=header.platform.name,
        evidence=header.platform.evidence,
        questions=questions,
        notes=(*notes, *_asked_notes(missing)),
        missing=missing,
        numbered=tuple(new),
        left_out=left_out,
        doubts=(*header.doubts, *numeric),
    )
    return Table(frame, report, texts)


def _as_column(
    cells: list[Any] | Coded, name: str, options: Options, decimal_comma: bool
) -> tuple[pd.Series[Any], tuple[Text, ...], int]:
    """Return a column with its type, what there is to say, and how many codes for "no answer".

    Of coded cells it has each different one, which is looked at once.
    """
    texts = cells.texts if isinstance(cells, Coded) else cells
    counts = cells.counts if isinstance(cells, Coded) else None
    answers, n = _without_codes(texts, options.codes)
    if n and counts:
        pairs = zip(texts, answers, counts(), strict=True)
        n = sum(count for before, after, count in pairs if before is not after)
    values, notes = convert(answers, name, decimal_comma, counts)
    values = as_dates(values, options.dates) if options.dates else values
    return to_series(values), notes, n


def _by_types(
    different: Mapping[str, pd.Series[Any]], codes: Mapping[str, NDArray[Any]]
) -> pd.DataFrame:
    """Return a table of the different values of columns, and which of them each row has.

    Columns of a type are made where they lie together in the table, which copies others there.
    """
    import pandas as pd

    n = len(next(iter(codes.values())))
    frames = []
    for dtype in {series.dtype: None for series in different.values()}:
        names = [name for name, series in different.items() if series.dtype == dtype]
        block: NDArray[Any] = np.empty((len(names), n), different[names[0]].to_numpy().dtype)
        for row, name in zip(block, names, strict=True):
            values = different[name].to_numpy()
            for i in range(0, n, ROWS_AT_ONCE):
                some = slice(i, i + ROWS_AT_ONCE)
                np.take(values, codes[name][some], out=row[some], mode="clip")
        frames.append(pd.DataFrame(block.T, columns=names, dtype=dtype, copy=False))
    return pd.concat(frames, axis=1)[list(different)]


def _without_blank(records: list[Record]) -> list[Record]:
    """Return the rows that hold something."""
    filled = [record for record in records if any(cell not in (None, "") for cell in record.cells)]
    return filled or records


def _body(records: list[Record], header: Header) -> tuple[list[Record], dict[str, tuple[int, ...]]]:
    """Return the rows below the header that are rows of the table, and the others by kind."""
    body = [record for record in records if record.number > header.rows[-1]]
    heads = [record.cells for record in records if record.number in header.rows]
    left_out: dict[str, tuple[int, ...]] = {}
    several = len(header.names) > 1
    repeated = {r.number for r in body if several and r.cells in heads}
    notes_below = _notes_below(body) if len(header.names) > NOTE_BELOW else set()
    for kind, rows in (("footnote", notes_below), ("repeated_header", repeated)):
        if rows:
            left_out[kind] = tuple(sorted(rows))
    gone = notes_below | repeated
    return [record for record in body if record.number not in gone], left_out


def _notes_below(body: list[Record]) -> set[int]:
    """Return the numbers of the last rows that have one text each, where others have answers."""
    counts = _filled_counts(body[:SAMPLE])
    if not counts or np.median(counts) <= NOTE_BELOW:
        return set()
    return {record.number for record in takewhile(_is_note, reversed(body))}


def _filled_counts(body: list[Record]) -> list[int]:
    return [sum(cell not in (None, "") for cell in record.cells) for record in body]


def _is_note(record: Record) -> bool:
    filled = [cell for cell in record.cells if cell not in (None, "")]
    return len(filled) == 1 and isinstance(filled[0], str) and not is_number(filled[0])


def _columns(
    header: Header, columns: Sequence[list[Any] | Coded]
) -> tuple[list[tuple[str, str, list[Any] | Coded]], list[Text]]:
    """Return name, question and cells of every column, and what there is to say of the names."""
    named, notes = [], []
    texts = header.texts or [""] * len(header.names)
    for position, (name, text, cells) in enumerate(
        zip(header.names, texts, columns, strict=True), 1
    ):
        if name:
            named.append((name, text, cells))
        elif any(c not in (None, "") for c in (cells.texts if isinstance(cells, Coded) else cells)):
            new = f"column_{position}"
            named.append((new, text, cells))
            notes.append(both("survey.read.note.unnamed", position=position, name=repr(new)))
        else:
            notes.append(both("survey.read.note.unnamed_empty", position=position))
    spaced = [name for name, _, _ in named if name != name.strip()]
    notes += [both("survey.read.note.spaced_name", column=repr(name)) for name in spaced]
    return named, notes


def _refuse_ragged(body: list[Record], width: int, row: int, name: str) -> None:
    problems = [
        f"{name}, row {record.number}: {len(record.cells)} cells where the header, row {row}, has "
        f"{width}"
        for record in body
        if len(record.cells) != width
    ]
    if problems:
        raise DataError(problems)


def _read_excel(file: Path, head: bytes, sheet: str | None, options: Options) -> Table:
    page = read_sheet(file, head, sheet)
    comma = options.decimal == ","
    table = _table(page.records, file.name, options, page.merges, decimal_comma=comma)
    doubts = []
    if page.formulas:
        cells = listing(page.formulas, 5)
        doubts.append(both("survey.read.doubt.formulas", n=len(page.formulas), cells=cells))
    report = replace(
        table.report,
        notes=(*page.notes, *table.report.notes),
        doubts=(*doubts, *table.report.doubts),
    )
    return table._replace(report=report, hidden=page.hidden)
