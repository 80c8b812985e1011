"""Write a result to a file: .xlsx, .csv, .docx, .html or .tex."""

from __future__ import annotations

import os
from collections.abc import Callable
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
from cxstats.core.errors import CxError
from cxstats.core.files import write_whole
from cxstats.core.language import Text, catalogue, label

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.core.result import Result

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet takes for a formula
SHEET_NAME = 31  # characters that a spreadsheet allows
WIDEST = 60  # characters of a column


def export(result: Result, path: str | os.PathLike[str], lang: str) -> Path:
    """Write `result` beside `path` and put it in place whole; see `Result.export`."""
    target = Path(path)
    write = WRITERS.get(target.suffix.lower())
    if write is None:
        raise CxError(f"export({str(path)!r}): allowed endings: {', '.join(WRITERS)}")
    if not target.parent.is_dir():
        raise CxError(f"export({str(path)!r}): no folder {str(target.parent)!r}")
    return write_whole(target, lambda file: write(result, file, lang))


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
        return value.tz_localize(None).to_pydatetime()
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(str(plain_cell(item, lang)) for item in value)
    return str(value)


def table_name(name: str, lang: str) -> str:
    """Return the name of a table for people to read, where the catalogue has one."""
    key = f"export.{name}"
    return label(key, lang) if key in catalogue() else name


def defused(text: str) -> str:
    """Return text that no spreadsheet takes for a formula.

    Examples
    --------
    >>> defused("=1+1"), defused("fine")
    ("'=1+1", 'fine')
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def csv_text(text: str) -> str:
    r"""Return text as a cell of a CSV file: no formula, and no line break that ends the row.

    Python writes a lone carriage return without quotes, so what follows would begin a new row.

    Examples
    --------
    >>> csv_text("a\r=1+1"), csv_text("\r=1+1")
    ('a\n=1+1', "'\n=1+1")
    """
    return defused(text).replace("\r\n", "\n").replace("\r", "\n")


def _csv(result: Result, path: Path, lang: str) -> None:
    table = with_index(result.as_table(lang)).astype(object)
    cells = table.map(lambda value: plain_cell(value, lang))
    cells = cells.map(lambda value: csv_text(value) if isinstance(value, str) else value)
    cells.columns = [csv_text(str(name)) for name in cells.columns]
    # With a byte-order mark Excel reads Chinese.
    cells.to_csv(path, index=False, encoding="utf-8-sig")


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
    sheet = book.add_worksheet(name[:SHEET_NAME])
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    table, formats = with_index(table), {}
    for j, column in enumerate(map(str, table.columns)):
        cells, words = table.iloc[:, j], head_of(column, lang)
        style = column_of(cells, column)
        sheet.write_string(0, j, words, head)
        widths = [len(words)]
        for i, value in enumerate(cells, start=1):
            cell = plain_cell(value, lang)
            widths.append(len(style.write(value, lang)))
            if isinstance(cell, str):
                sheet.write_string(i, j, cell)
            elif isinstance(cell, (int, float)) and not abs(cell) <= float_info.max:
                sheet.write_string(i, j, style.write(value, lang))  # a spreadsheet has no infinity
            elif cell is not None:
                number_format = style.excel_format(value)
                if number_format not in formats:
                    formats[number_format] = book.add_format({"num_format": number_format})
                sheet.write(i, j, cell, formats[number_format])
        sheet.set_column(j, j, min(max(widths) + 2, WIDEST))
    sheet.freeze_panes(1, 0)


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
