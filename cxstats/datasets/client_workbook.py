"""The simulated client's file: a workbook with the faults that real ones have. Synthetic data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.files import write_whole
from cxstats.datasets.simulate_client import (
    HEADS,
    ROLES,
    UNITS,
    WORDS_OF_SATISFACTION,
    simulate_client,
)

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.survey.codebook import Codebook

FIRST_ROW = 4  # of a respondent, below a title and two rows of headings
# How many cells, or rows, have each fault.
N_TEXT, N_WORDS, N_OFF_SCALE, N_ALIKE, N_DATES = 12, 24, 5, 4, 30
OFF_SCALE = (0, 8, 9, 55, -1)
TITLES = (
    "某银行客户满意度调查原始数据（合成数据：模拟生成，并非真实客户）",
    "A bank's customer survey, raw data (synthetic: simulated, no real customers)",
)
SHEETS = (("模拟数据（合成）", "说明"), ("Synthetic (simulated)", "Notes"))
NOTES = (
    (
        "本文件由 cxstats 模拟生成，属于合成数据，不含任何真实客户的信息。",
        "期望与感受均为 1 到 7 分，7 分最高；推荐意愿为 0 到 10 分。",
        "填写日期由三名工作人员录入，格式不一。",
        "合计行由财务部门添加。",
    ),
    (
        "This file was simulated by cxstats: synthetic data, no real customer.",
        "Expectations and perceptions run from 1 to 7, 7 being best; recommendation from 0 to 10.",
        "Three people typed the dates, each in a way of their own.",
        "The row of totals was added by the finance department.",
    ),
)
TOTALS = ("合计", "Total")


class _Fault(NamedTuple):
    kind: str
    row: int
    column: str | None
    written: Any
    simulated: Any


def write_client_workbook(
    path: str | os.PathLike[str], n: int = 420, seed: int = 7, lang: str = "zh"
) -> pd.DataFrame:
    """Write the simulated client's survey as the .xlsx file that such a client would send.

    The answers are those of `cxstats.simulate_client` with the same `n`, `seed` and `lang`. A title
    row says that the data are synthetic; expectations and perceptions stand below two merged
    headings; the last row is a total; a second sheet holds notes. In Chinese the codebook that
    ships as "synthetic_bank_client" reads it.

    Parameters
    ----------
    path : str or path
        Of an ``.xlsx`` file; one that is there is replaced.
    n, seed, lang
        As of `cxstats.simulate_client`; at most 1,000,000 respondents.

    Returns
    -------
    pandas.DataFrame
        Every planted fault: ``kind, row, column, written, simulated``; rows as numbered in the
        file. Kinds: "answer_label" (5 as "5分", 4 as "满意"), "numeric_text" (5 as "５"),
        "out_of_range", "alike_group" (" 高新支行"), "mixed_date", "formula_text" (a comment that
        begins with "="), "duplicate_respondent", "hidden" and "total".

    Raises
    ------
    CxError
        If the file has another ending, or a value is out of range.
    WriteError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "client.xlsx")
    >>> faults = write_client_workbook(file, 100)
    >>> faults["kind"].value_counts()["out_of_range"].item()
    5
    """
    import pandas as pd

    if Path(path).suffix.lower() != ".xlsx":
        raise CxError(f"{path}: a workbook ends in .xlsx")
    frame, book = simulate_client(n, seed, lang)
    english = int(lang == "en")
    cells = frame.astype(object).where(frame.notna(), None)
    faults = _planted(cells, book, np.random.default_rng([seed, 1]), english)
    rows = cells.to_numpy(object).tolist()
    copied, copy = _double(rows, faults)
    hidden = FIRST_ROW + next(i for i in range(3, copy) if i != copied)
    faults.append(_Fault("hidden", hidden, None, None, None))
    total = FIRST_ROW + len(rows)
    faults.append(_Fault("total", total, None, TOTALS[english], None))
    write_whole(path, lambda file: _write(file, frame, book, rows, hidden, english))
    return pd.DataFrame(faults, columns=list(_Fault._fields), dtype=object)


def _planted(
    cells: Any, book: Codebook, generator: np.random.Generator, english: int
) -> list[_Fault]:
    """Change cells in place, each respondent in one way at most; return what was changed."""
    faults = []
    free = generator.permutation(len(cells))

    def take(count: int, column: str | None = None, is_wanted: Any = None) -> list[int]:
        """Return rows without a fault whose cell is filled, and is as wanted."""
        nonlocal free
        wanted = [
            i for i in free.tolist()
            if column is None or (cells.at[i, column] is not None
                                  and (is_wanted is None or is_wanted(cells.at[i, column])))
        ][:count]  # fmt: skip
        free = free[~np.isin(free, wanted)]
        return wanted

    def plant(kind: str, i: int, column: str, written: Any) -> None:
        faults.append(_Fault(kind, FIRST_ROW + i, column, written, cells.at[i, column]))
        cells.at[i, column] = written

    heads = [*HEADS.values()] if english else [*HEADS]
    columns = [str(name) for name in generator.permutation(book.answer_columns)]
    for column in columns[:N_TEXT]:
        (i,) = take(1, column)
        plant("answer_label", i, column, f"{cells.at[i, column]:.0f}{UNITS[english]}")
    for column in columns[N_TEXT : 2 * N_TEXT]:
        (i,) = take(1, column)
        plant("numeric_text", i, column, chr(ord("０") + int(cells.at[i, column])))
    for column, value in zip(columns[2 * N_TEXT :], OFF_SCALE, strict=False):
        (i,) = take(1, column)
        plant("out_of_range", i, column, value)
    satisfaction = heads[9]
    for i in take(N_WORDS, satisfaction):
        written = WORDS_OF_SATISFACTION[english][int(cells.at[i, satisfaction]) - 1]
        plant("answer_label", i, satisfaction, written)
    branch, date, comment = heads[5], heads[4], heads[13]
    for written, name in book.groups[branch]["same"].items():
        for i in take(N_ALIKE, branch, lambda value, name=name: value == name):
            plant("alike_group", i, branch, written)
    forms = ("%Y/%m/%d", "%Y年%m月%d日", "%Y-%m-%d 09:30")
    for k, i in enumerate(take(min(N_DATES, len(cells) // 10), date)):
        plant("mixed_date", i, date, cells.at[i, date].strftime(forms[k % len(forms)]))
    for i in take(1, comment):
        plant("formula_text", i, comment, "=" + cells.at[i, comment])
    return faults


def _double(rows: list[list[Any]], faults: list[_Fault]) -> tuple[int, int]:
    """Let a respondent without a fault stand once more at the end; return both places."""
    touched = {fault.row - FIRST_ROW for fault in faults}
    copied = next(i for i in range(len(rows)) if i not in touched)
    rows.append(list(rows[copied]))
    copy = len(rows) - 1
    identifier = rows[copied][0]
    faults.append(_Fault("duplicate_respondent", FIRST_ROW + copy, None, identifier, None))
    return copied, copy


def _write(
    file: Path,
    frame: pd.DataFrame,
    book: Codebook,
    rows: list[list[Any]],
    hidden: int,
    english: int,
) -> None:
    import xlsxwriter

    # In constant memory rows are written in order and forgotten.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(file), options) as workbook:
        sheet = workbook.add_worksheet(SHEETS[english][0])
        names = [str(name) for name in frame.columns]
        _write_headings(workbook, sheet, names, book, english)
        day = workbook.add_format({"num_format": "yyyy/m/d"})
        sums = np.zeros(len(names))
        for i, cells in enumerate(rows, FIRST_ROW - 1):
            if i + 1 == hidden:
                sheet.set_row(i, None, None, {"hidden": True})
            for j, cell in enumerate(cells):
                if isinstance(cell, str):
                    sheet.write_string(i, j, cell)
                elif isinstance(cell, float | int):
                    sheet.write_number(i, j, cell)
                    sums[j] += cell
                elif cell is not None:
                    sheet.write_datetime(i, j, cell.to_pydatetime(), day)
        last = FIRST_ROW - 1 + len(rows)
        sheet.write_string(last, 0, TOTALS[english])
        for j in np.flatnonzero(sums).tolist():
            sheet.write_number(last, j, round(float(sums[j]), 6))
        notes = workbook.add_worksheet(SHEETS[english][1])
        for i, text in enumerate(NOTES[english]):
            notes.write_string(i, 0, text)


def _write_headings(
    workbook: Any, sheet: Any, names: list[str], book: Codebook, english: int
) -> None:
    """Write the title, the row of groups, merged over their columns, and the items below them."""
    bold, centre = workbook.add_format({"bold": True}), workbook.add_format({"align": "center"})
    sheet.write_string(0, 0, TITLES[english], bold)
    items = set(book.answer_columns)
    for role, heads in ROLES.items():
        places = [names.index(column) for column in book.columns(role)]
        sheet.merge_range(1, places[0], 1, places[-1], heads[english], centre)
    for j, name in enumerate(names):
        if name not in items:
            sheet.write_string(1, j, name, bold)
    for j, name in enumerate(names):
        if name in items:
            sheet.write_string(2, j, name.split(" - ", 1)[1], bold)
