"""Write a result to a file, .xlsx, .csv, .docx, .html or .tex, or any table to .xlsx or .csv.

Nothing that is written runs in a spreadsheet. Which texts would run is said here alone, by
`is_formula`; `cxstats.check` names them and `cxstats.clean` marks them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from sys import float_info
from typing import TYPE_CHECKING, Any

from cxstats.core.display import (
    column_of,
    display_table,
    head_of,
    numeric_heads,
    table_html,
    with_index,
)
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.files import write_whole
from cxstats.core.language import Text, catalogue, check_lang, label
from cxstats.core.messages import cut, excerpt
from cxstats.core.progress import long_work

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.core.result import Result

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"), also in the full
# width of Chinese and Japanese keyboards. Before it may stand blanks, which spreadsheets drop.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
BLANKS = " \u00a0\u3000\u200b\ufeff"
# What begins so and can do nothing: numbers, telephone numbers, and signs alone ("-", "--").
HARMLESS = re.compile(
    r"[-+－＋]?(?:[0-9]+(?:[.,][0-9]+)*[.,]?|[.,][0-9]+)(?:[eE][-+]?[0-9]+)? ?[%％]?"
    r"|[+＋][0-9](?:[ .()-]{0,2}[0-9]){4,19}"
    r"|[-+－＋ ]+"
)
MARK = "'"
# Python writes it without quotes, so it ends a row of a CSV file.
LONE_RETURN = re.compile(r"\r(?!\n)")
SHEET_NAME = 31  # characters that a spreadsheet allows
MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 1_048_576, 16_384, 32_767  # the limits of Excel
LARGEST_WHOLE = 10**15  # beyond it a spreadsheet changes the last digits of a whole number
WIDEST = 60  # characters of a column


def export(result: Result, path: str | os.PathLike[str], lang: str) -> Path:
    """Write `result` beside `path` and put it in place whole; see `Result.export`."""
    return _write(path, WRITERS, result, lang, "export")


def _write(
    path: str | os.PathLike[str],
    writers: Mapping[str, Callable[[Any, Path, str], None]],
    content: Any,
    lang: str,
    call: str,
) -> Path:
    target = Path(path)
    write = writers.get(target.suffix.lower())
    if write is None:
        raise CxError(f"{call}({str(path)!r}): allowed endings: {', '.join(writers)}")
    if not target.parent.is_dir():
        raise CxError(f"{call}({str(path)!r}): no folder {str(target.parent)!r}")
    return write_whole(target, lambda file: write(content, file, lang))


def plain_cell(value: Any, lang: str) -> Any:
    """Return a cell that a file can hold: a number, a date, a truth value or text."""
    import numpy as np
    import pandas as pd

    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Text):
        return value.get(lang)
    if value is None or (np.ndim(value) == 0 and bool(pd.isna(value))):
        return None
    if isinstance(value, pd.Timestamp):
        return value.tz_localize(None).to_pydatetime(warn=False)
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(str(plain_cell(item, lang)) for item in value)
    return str(value)


def table_name(name: str, lang: str) -> str:
    """Return the name of a table for people to read, where the catalogue has one."""
    key = f"export.{name}"
    return label(key, lang) if key in catalogue() else name


def is_formula(text: str) -> bool:
    r"""Return whether a spreadsheet would run a text, or may.

    It begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break, in full width too, or stands
    in ``{=...}`` (which one writer of workbooks takes for a formula), or such a text follows a lone
    carriage return (which ends a row of a CSV file). Numbers ("-5", "+3.5 %"),
    telephone numbers ("+86 138 0013 8000") and signs alone ("--") do nothing and are none.

    References
    ----------
    OWASP, "CSV Injection": the first characters.

    Examples
    --------
    >>> [is_formula(text) for text in ("=1+1", "- good", "@SUM(A1)", "\t=1", " =1", "{=1}")]
    [True, True, True, True, True, True]
    >>> [is_formula(text) for text in ("-5", "+3,5", "+86 138 0013 8000", "--", "a=1")]
    [False, False, False, False, False]
    """
    if _begins_formula(text):
        return True
    return "\r" in text and any(map(_begins_formula, LONE_RETURN.split(text)))


def _begins_formula(text: str) -> bool:
    text = text.lstrip(BLANKS)
    if text.startswith("{="):
        return text.rstrip().endswith("}")
    return text.startswith(FORMULA) and HARMLESS.fullmatch(text) is None


def defused(text: str) -> str:
    r"""Return text that no spreadsheet takes for a formula: an apostrophe stands in front.

    Where a lone carriage return would begin a row of a CSV file, it becomes a line break.

    Examples
    --------
    >>> defused("=1+1"), defused("fine"), defused("-5"), defused("a\r=1")
    ("'=1+1", 'fine', '-5', 'a\n=1')
    """
    if not is_formula(text):
        return text
    text = LONE_RETURN.sub("\n", text)
    return f"{MARK}{text}" if _begins_formula(text) else text


def csv_text(text: str) -> str:
    r"""Return text as a cell of a CSV file: no formula, and no line break that ends the row.

    Python writes a lone carriage return without quotes, so what follows would begin a new row.

    Examples
    --------
    >>> csv_text("a\r=1+1"), csv_text("\r=1+1")
    ('a\n=1+1', "'\n=1+1")
    """
    return defused(text).replace("\r\n", "\n").replace("\r", "\n")


@long_work("write table")
def write_table(
    frame: Any, path: str | os.PathLike[str], *, index: bool = False, lang: str | None = None
) -> Path:
    """Write any table to a file in which nothing runs, whatever stands in it.

    In ``.xlsx`` each text is written as text, so it stays as it is, and no text becomes a link.
    A ``.csv`` file has no types: there a text that a spreadsheet would run gets an apostrophe in
    front (and a lone carriage return becomes a line break).

    Parameters
    ----------
    frame : pandas.DataFrame, or any table that Narwhals knows
    path : path
        Ending in ``.xlsx`` or ``.csv``; written beside first and then put in place whole.
    index : bool
        Whether the labels of rows come first, as columns.
    lang : {"en", "zh"}, optional
        Language of cells that hold texts in both.

    Returns
    -------
    Path

    Notes
    -----
    In ``.xlsx``, numbers that a spreadsheet would change (whole numbers of more than 15 digits,
    infinity) are written as text. Times lose their zone, not their hour. A ``.csv`` file that is
    opened with another delimiter is cut elsewhere: a semicolon within a text can then begin a cell.

    Raises
    ------
    CxError
        If the ending is another, or the folder does not exist.
    DataError
        If an ``.xlsx`` file cannot hold the table; the message says how much it can.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> file = Path(tempfile.mkdtemp(), "comments.csv")
    >>> _ = write_table(pd.DataFrame({"comment": ["=1+1", "fine"], "q1": [5, -2]}), file)
    >>> print(file.read_text(encoding="utf-8-sig").strip())
    comment,q1
    '=1+1,5
    fine,-2
    """
    import pandas as pd

    lang = check_lang(lang)
    table = frame if isinstance(frame, pd.DataFrame) else as_pandas(frame)  # without rows, too
    if index:
        heads = [str(name) if name is not None else "" for name in table.index.names]
        labels = table.index.to_frame(index=False).set_axis(heads, axis=1)
        table = _beside(labels, table)
    return _write(path, {".xlsx": _plain_workbook, ".csv": _plain_csv}, table, lang, "write_table")


def _beside(labels: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([labels, table.reset_index(drop=True)], axis=1)


def _plain_csv(table: pd.DataFrame, path: Path, lang: str) -> None:
    """Write a table; numbers as they are, other cells as text that nothing runs."""
    cells = table.set_axis([csv_text(str(name)) for name in table.columns], axis=1)
    for j in range(cells.shape[1]):
        if cells.dtypes.iloc[j].kind not in "iufb":
            texts = [_csv_cell(value, lang) for value in cells.iloc[:, j].astype(object)]
            cells.isetitem(j, _objects(texts))
    # With a byte-order mark Excel reads Chinese.
    cells.to_csv(path, index=False, encoding="utf-8-sig")


def _objects(values: list[Any]) -> Any:
    import numpy as np

    array = np.empty(len(values), object)
    array[:] = values
    return array


def _csv_cell(value: Any, lang: str) -> Any:
    cell = plain_cell(value, lang)
    return csv_text(cell) if isinstance(cell, str) else cell


def _plain_workbook(table: pd.DataFrame, path: Path, lang: str) -> None:
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    if len(table) >= MOST_ROWS or table.shape[1] > MOST_COLUMNS:
        raise DataError(
            f"{len(table):,} rows and {table.shape[1]:,} columns; allowed in .xlsx: at most "
            f"{MOST_ROWS - 1:,} rows and {MOST_COLUMNS:,} columns; write .csv"
        )
    names = [str(name) for name in table.columns]
    columns = [table.iloc[:, j].astype(object).tolist() for j in range(len(names))]
    try:
        with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
            sheet = book.add_worksheet()
            dates = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
            for j, name in enumerate(names):
                _write_text(sheet, 0, j, name, name)
            for i, row in enumerate(zip(*columns, strict=True), start=1):
                for j, value in enumerate(row):
                    _write_cell(sheet, i, j, plain_cell(value, lang), names[j], dates)
    except FileCreateError as error:  # it hides that the disk is full
        raise error.args[0] from error


def _write_cell(sheet: Any, i: int, j: int, cell: Any, name: str, dates: Any) -> None:
    from datetime import date

    if isinstance(cell, bool):
        sheet.write_boolean(i, j, cell)
    elif isinstance(cell, int) and abs(cell) >= LARGEST_WHOLE:
        sheet.write_string(i, j, str(cell))
    elif isinstance(cell, (int, float)):
        if abs(cell) <= float_info.max:
            sheet.write_number(i, j, cell)
        else:
            sheet.write_string(i, j, str(cell))
    elif isinstance(cell, date):
        sheet.write_datetime(i, j, cell, dates)
    elif cell is not None:
        _write_text(sheet, i, j, str(cell), name)


def _write_text(sheet: Any, i: int, j: int, text: str, name: str) -> None:
    if len(text) > LONGEST_CELL:
        raise DataError(
            f"row {i}, column {excerpt(name)}: a text of {len(text):,} characters; allowed in "
            f".xlsx: {LONGEST_CELL:,}; write .csv"
        )
    sheet.write_string(i, j, text)


def _csv(result: Result, path: Path, lang: str) -> None:
    _plain_csv(with_index(result.as_table(lang)), path, lang)


def _xlsx(result: Result, path: Path, lang: str) -> None:
    from xlsxwriter.exceptions import FileCreateError

    try:
        _workbook(result, path, lang)
    except FileCreateError as error:  # it hides that the disk is full
        raise error.args[0] from error


def _workbook(result: Result, path: Path, lang: str) -> None:
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": result.title(lang), "comments": result.cite(lang)})
        sheet = book.add_worksheet(label("export.summary", lang))
        sheet.set_column(0, 0, 120, book.add_format({"text_wrap": True}))
        heading = book.add_format({"bold": True, "font_size": 14})
        sheet.write_string(0, 0, result.title(lang), heading)
        for row, line in enumerate(_paragraphs(result, lang), start=2):
            sheet.write_string(row, 0, line)
        for name, table in result.translated(lang).items():
            _sheet(book, table_name(name, lang), table, lang)


def _sheet(book: Any, name: str, table: pd.DataFrame, lang: str) -> None:
    table, sheet = with_index(table), book.add_worksheet(name[:SHEET_NAME])
    fill_sheet(book, sheet, table, [head_of(column, lang) for column in table.columns], lang)
    sheet.freeze_panes(1, 0)


def fill_sheet(
    book: Any,
    sheet: Any,
    table: pd.DataFrame,
    heads: Sequence[str],
    lang: str,
    *,
    top: int = 0,
    shares: Collection[str] = (),
) -> None:
    """Write a table to a sheet: numbers unrounded in the format of their column, texts as texts.

    Parameters
    ----------
    book, sheet : Workbook, Worksheet
        Of XlsxWriter.
    table : pandas.DataFrame
        Its labels of rows are not written.
    heads : sequence of str
        Words above the columns.
    lang : {"en", "zh"}
        Language of cells that hold texts in both.
    top : int
        Row of the heads, from 0.
    shares : collection of str
        Columns of shares from 0 to 1, shown per cent.

    Raises
    ------
    DataError
        If a sheet cannot hold the table.
    """
    if len(table) + top >= MOST_ROWS or table.shape[1] > MOST_COLUMNS:
        raise DataError(
            f"{len(table):,} rows and {table.shape[1]:,} columns; allowed in .xlsx: at most "
            f"{MOST_ROWS - 1 - top:,} rows and {MOST_COLUMNS:,} columns"
        )
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    formats: dict[str, Any] = {}
    for j, (column, words) in enumerate(zip(map(str, table.columns), heads, strict=True)):
        cells = table.iloc[:, j]
        style = column_of(cells, column)
        sheet.write_string(top, j, cut(words, LONGEST_CELL), head)
        widths = [len(words)]
        for i, value in enumerate(cells, start=top + 1):
            cell = plain_cell(value, lang)
            widths.append(len(style.write(value, lang)))
            if isinstance(cell, str):
                sheet.write_string(i, j, cut(cell, LONGEST_CELL))
            elif isinstance(cell, int) and abs(cell) >= LARGEST_WHOLE:
                sheet.write_string(i, j, str(cell))
            elif isinstance(cell, (int, float)) and not abs(cell) <= float_info.max:
                sheet.write_string(i, j, style.write(value, lang))  # a spreadsheet has no infinity
            elif cell is not None:
                number_format = "0.0%" if column in shares else style.excel_format(value)
                if number_format not in formats:
                    formats[number_format] = book.add_format({"num_format": number_format})
                sheet.write(i, j, cell, formats[number_format])
        sheet.set_column(j, j, min(max(widths) + 2, WIDEST))


def _docx(result: Result, path: Path, lang: str) -> None:
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    document = Document()
    document.core_properties.title = result.title(lang)
    document.core_properties.author = "cxstats"
    document.add_heading(result.title(lang), level=1)
    for line in _paragraphs(result, lang):
        document.add_paragraph(line)
    for name, table in result.translated(lang).items():
        if name != "table":
            document.add_heading(table_name(name, lang), level=2)
        text = display_table(table, lang, _level(result))
        grid = document.add_table(rows=1 + len(text), cols=text.shape[1], style="Light List")
        rows = [list(map(str, text.columns)), *text.itertuples(index=False, name=None)]
        sides = numeric_heads(text)
        for cells, words in zip(grid.rows, rows, strict=True):
            for cell, word, numeric in zip(cells.cells, words, sides, strict=True):
                cell.text = word
                if numeric:
                    cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    archive = BytesIO()  # python-docx leaves a broken file open where the disk is full
    document.save(archive)
    path.write_bytes(archive.getvalue())


def _html(result: Result, path: Path, lang: str) -> None:
    title = escape(result.title(lang))
    paragraphs = "\n".join(f"<p>{escape(line)}</p>" for line in _paragraphs(result, lang))
    tables = "\n".join(
        ("" if name == "table" else f"<h2>{escape(table_name(name, lang))}</h2>\n")
        + table_html(table, lang, level=_level(result))
        for name, table in result.translated(lang).items()
    )
    path.write_text(
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}">\n<head>\n'
        f'<meta charset="utf-8">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<h1>{title}</h1>\n{paragraphs}\n{tables}\n</body>\n</html>\n",
        encoding="utf-8",
    )


STYLE = (
    "body { font: 16px/1.5 system-ui, sans-serif; color: #222; margin: 2rem auto; "
    "max-width: 70rem; padding: 0 1rem; } table { border-collapse: collapse; margin: 1rem 0; } "
    "th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; } p { margin: .2rem 0; }"
)
TEX_HEAD = {
    "en": "% needs \\usepackage{booktabs}, and longtable for tables over a page\n",
    "zh": "% needs \\usepackage{booktabs} and \\usepackage{ctex}; compile with xelatex\n",
}
TEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$",
    "<": r"\textless{}", ">": r"\textgreater{}", "∞": r"$\infty$", "–": "--",
    "²": r"\textsuperscript{2}", "\n": " ",
}  # fmt: skip


def tex(text: str) -> str:
    r"""Return text as LaTeX prints it.

    Examples
    --------
    >>> print(tex("=~ 5 % < a_b"))
    =\textasciitilde{} 5 \% \textless{} a\_b
    """
    return "".join(TEX_SPECIAL.get(mark, mark) for mark in text)


def _tex(result: Result, path: Path, lang: str) -> None:
    blocks = [TEX_HEAD[lang]]
    for name, table in result.translated(lang).items():
        text = display_table(table, lang, _level(result))
        sides = "".join("r" if numeric else "l" for numeric in numeric_heads(text))
        rows = [
            " & ".join(map(tex, row)) + r" \\" for row in text.itertuples(index=False, name=None)
        ]
        caption = result.title(lang)
        if name != "table":
            caption = label("export.caption", lang, title=caption, name=table_name(name, lang))
        blocks.append(
            "\\begin{table}\n\\caption{" + tex(caption) + "}\n\\begin{tabular}{" + sides + "}\n"
            "\\toprule\n" + " & ".join(map(tex, map(str, text.columns))) + " \\\\\n\\midrule\n"
            + "\n".join(rows) + "\n\\bottomrule\n\\end{tabular}\n\\end{table}\n"
        )  # fmt: skip
    notes = "".join(f"% {line}\n" for line in _paragraphs(result, lang))
    path.write_text("\n".join(blocks) + notes, encoding="utf-8")


def _level(result: Result) -> float | None:
    return getattr(result, "level", None)


def _paragraphs(result: Result, lang: str) -> list[str]:
    lines = [*result.summary(lang).split("\n"), *result.cite(lang).split("\n")]
    return [line.strip() for line in lines if line.strip()]


WRITERS: dict[str, Callable[[Result, Path, str], None]] = {
    ".xlsx": _xlsx,
    ".csv": _csv,
    ".docx": _docx,
    ".html": _html,
    ".tex": _tex,
}
