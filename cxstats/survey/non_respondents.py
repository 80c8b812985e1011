"""Rows of a survey file that are no answers of a respondent: pointed out, never dropped unasked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.survey.platforms import plain

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("total", "preview", "partial", "test", "hidden")
TOTALS = {plain(word) for word in (
    "total", "totals", "sum", "mean", "average", "avg", "median", "overall", "grand total",
    "subtotal", "std", "count", "Summe", "Gesamt", "Mittelwert", "Durchschnitt", "moyenne", "somme",
    "media", "suma", "média", "合计", "总计", "小计", "平均", "平均值", "平均分", "均值",
    "汇总", "总数", "合計", "計",
)}  # fmt: skip
TESTS = {plain(word) for word in ("test", "testing", "测试", "測試", "テスト", "asdf", "prueba")}


def _is_empty(cell: Any) -> bool:
    return cell is None or cell == "" or (isinstance(cell, float) and np.isnan(cell))


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("nan")


# Column -> what an unfinished, or a preview's, cell says there.
UNFINISHED: Mapping[str, Callable[[Any], bool]] = {
    "finished": lambda cell: plain(str(cell)) in {"0", "00", "false", "no", "falsch", "否"},
    "progress": lambda cell: _number(cell) < 100,
    "status": lambda cell: plain(str(cell)) in {"partial", "incomplete", "inprogress", "未完成"},
    "submitdate": _is_empty,
    "datesubmitted": _is_empty,
    "datumabgeschickt": _is_empty,
    "提交日期": _is_empty,
    "responsetype": lambda cell: plain(str(cell)) in {"partial", "started", "incomplete"},
}
PREVIEWS: Mapping[str, Callable[[Any], bool]] = {
    "status": lambda cell: plain(str(cell)) in {"surveypreview", "1", "10", "spam", "surveytest"},
    "distributionchannel": lambda cell: plain(str(cell)) == "preview",
    "来源": lambda cell: plain(str(cell)) in {"预览", "测试"},
}
SPREAD = 0.5  # share of the columns of numbers in which a total row must be one
_ONLY_WITH = {"status": ("qualtrics", "qualtrics_legacy")}  # where 1 means a preview


def non_respondents(
    frame: pd.DataFrame, platform: str, hidden: frozenset[int] = frozenset()
) -> dict[str, tuple[Any, ...]]:
    """Return the labels of rows that are no respondents, by kind; kinds without one are absent.

    "total": the row says so in a word and holds sums or means of the rows above, or nothing;
    "preview" and "partial": a column of the platform says so; "test": an answer in words is
    nothing but "test"; "hidden": the worksheet hides the row, by hand or by a filter.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table as read.
    platform : str
        As `cxstats.survey.platforms.recognise` names it.
    hidden : set of int
        Labels of hidden rows.
    """
    names = {plain(str(name)): name for name in frame.columns}
    rows: dict[str, Any] = {"total": _totals(frame)}
    for kind, signs in (("preview", PREVIEWS), ("partial", UNFINISHED)):
        flags = np.zeros(len(frame), bool)
        for key, says in signs.items():
            if key not in names or not _speaks(kind, key, platform):
                continue
            column = frame[names[key]]
            if kind == "partial" and column.isna().all():
                continue  # a column that the client emptied says nothing
            flags |= np.array([says(cell) for cell in column], bool)
        rows[kind] = flags
    rows["partial"] &= ~rows["preview"]
    rows["test"] = _tests(frame)
    rows["hidden"] = np.isin(frame.index, list(hidden)) if hidden else np.zeros(len(frame), bool)
    return {kind: tuple(frame.index[rows[kind]].tolist()) for kind in KINDS if rows[kind].any()}


def _speaks(kind: str, key: str, platform: str) -> bool:
    wanted = _ONLY_WITH.get(key)
    return kind != "preview" or wanted is None or platform in wanted


def _texts(frame: pd.DataFrame) -> list[Any]:
    return [name for name in frame.columns if frame[name].dtype.kind in "OUT"]


def _totals(frame: pd.DataFrame) -> Any:
    """Return which rows are named a total and are one."""
    import pandas as pd

    flags = np.zeros(len(frame), bool)
    named = np.zeros(len(frame), bool)
    for name in _texts(frame):
        cells = frame[name].to_numpy(object)
        named |= np.array([isinstance(c, str) and _is_total(c) for c in cells], bool)
    if not named.any():
        return flags
    numbers = frame.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    for row in np.flatnonzero(named):
        above = numbers[:row][~named[:row]]
        cells = numbers[row]
        has = np.isfinite(cells) & np.isfinite(above).any(axis=0) if len(above) else cells < 0
        if not has.any():
            flags[row] = pd.isna(frame.iloc[row]).mean() > SPREAD
            continue
        flags[row] = np.mean(_summarises(cells[has], above[:, has])) >= SPREAD
    return flags


def _is_total(text: str) -> bool:
    return plain(re.sub(r"[\d\s(（].*$", "", text.strip())) in TOTALS and bool(text.strip())


def _summarises(cells: Any, above: Any) -> Any:
    """Return which cells are the sum, mean, median, count or spread of what stands above."""
    measures = [
        np.nansum(above, axis=0), np.nanmean(above, axis=0), np.nanmedian(above, axis=0),
        np.isfinite(above).sum(axis=0).astype(float),
    ]  # fmt: skip
    if len(above) > 1:
        measures.append(np.nanstd(above, axis=0, ddof=1))
    return np.any([np.abs(cells - m) <= 0.006 + 0.005 * np.abs(m) for m in measures], axis=0)


def _tests(frame: pd.DataFrame) -> Any:
    """Return which rows have "test" alone as an answer in words, rarely in its column."""
    flags = np.zeros(len(frame), bool)
    for name in _texts(frame):
        is_test = np.array([isinstance(c, str) and plain(c) in TESTS for c in frame[name]], bool)
        if is_test.sum() <= max(2, 0.05 * len(frame)):
            flags |= is_test
    return flags
