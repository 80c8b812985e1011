"""Rows of a survey file that are no answers of a respondent: pointed out, never dropped unasked."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.survey.platforms import forms, plain

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("total", "preview", "partial", "test", "hidden")
TOTALS = {plain(word) for word in (
    "total", "totals", "sum", "mean", "average", "avg", "median", "overall", "grand total",
    "subtotal", "std", "std dev", "count", "n", "Summe", "Gesamt",
    "Mittelwert", "Durchschnitt", "moyenne", "somme", "标准差", "人数",
    "media", "suma", "média", "合计", "总计", "小计", "平均", "平均值", "平均分", "均值",
    "汇总", "总数", "合計", "計",
)}  # fmt: skip
TESTS = {plain(word) for word in ("test", "testing", "测试", "測試", "テスト", "asdf", "prueba")}


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return "" if np.isnan(cell) else f"{cell:g}"
    return "" if cell is None else str(cell)


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("nan")


LONGEST = 30  # characters of a cell that is a total's name or a test's
STARTS = {word[0] for word in TOTALS | TESTS}
# What columns of a platform say of a row, by heading: the texts that mean it.
UNFINISHED = {
    "finished": {"0", "false", "no", "falsch", "否"},
    "status": {"partial", "incomplete", "inprogress", "未完成", "unvollstandig"},
    "responsetype": {"partial", "started", "incomplete"},
}
SUBMITTED = ("submitdate", "datesubmitted", "datumabgeschickt", "提交日期", "submitdateutc")
PREVIEWS = {
    "status": {"surveypreview", "preview", "预览"},
    "distributionchannel": {"preview"},
    "来源": {"预览"},
}
TEST_STATUS = {"status": {"surveytest", "test"}}
SPEAKING = {*UNFINISHED, *SUBMITTED, *PREVIEWS, *TEST_STATUS, "progress"}
# Qualtrics writes its status as a number, too: 1 a preview, 2 a test.
QUALTRICS = {"1": "surveypreview", "17": "surveypreview", "2": "surveytest"}
SPREAD = 0.5  # share of the columns of numbers in which a total row must be one


def non_respondents(
    frame: pd.DataFrame,
    platform: str = "",
    questions: Mapping[str, str] | None = None,
    hidden: frozenset[int] = frozenset(),
    texts: Mapping[Any, Collection[Any]] | None = None,
) -> dict[str, tuple[Any, ...]]:
    """Return the labels of rows that are no respondents, by kind; kinds without one are absent.

    "total": the row says so in a word and holds sums or means of the rows above, or little;
    "preview" and "partial": a column of the platform says so; "test": an answer in words is
    nothing but "test"; "hidden": the worksheet hides the row, by hand or by a filter.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table as read.
    platform : str
        As `cxstats.survey.platforms.recognise` names it.
    questions : mapping of str to str, optional
        Question texts of columns, which may say what a column is where its name does not.
    hidden : set of int
        Labels of hidden rows.
    texts : mapping of column to texts, optional
        All that stands in a column of texts (maybe more), each once, where it is known already.
    """
    questions = questions or {}
    rows: dict[str, Any] = {kind: np.zeros(len(frame), bool) for kind in KINDS}
    for name in frame.columns:
        heads = {form for text in (str(name), questions.get(str(name), "")) for form in forms(text)}
        column = frame[name]
        if any(head.endswith("status") for head in heads):
            heads.add("status")
        if not heads & SPEAKING:
            continue
        signs = {"preview": PREVIEWS, "test": TEST_STATUS, "partial": UNFINISHED}
        meaning_it = {
            kind: set().union(*(meanings.get(head, ()) for head in heads))
            for kind, meanings in signs.items()
        }
        if any(meaning_it.values()):
            codes = QUALTRICS if "status" in heads and platform.startswith("qualtrics") else {}
            cells = [_text(cell) for cell in column]
            each = _plain_each(set(cells), set().union(codes, *meaning_it.values()))
            for kind, meanings in meaning_it.items():
                saying = {cell for cell, bare in each.items() if codes.get(bare, bare) in meanings}
                if saying:
                    rows[kind] |= np.array([cell in saying for cell in cells], bool)
        if heads & set(SUBMITTED) and platform and not column.isna().all():
            rows["partial"] |= column.isna().to_numpy(bool)
        if "progress" in heads and platform.startswith("qualtrics"):
            rows["partial"] |= np.array([_number(cell) < 100 for cell in column], bool)
    candidates = _candidates(frame, texts or {})
    rows["total"] = _totals(frame, candidates)
    rows["test"] |= _tests(frame, candidates)
    rows["test"] &= ~rows["preview"]
    rows["partial"] &= ~(rows["preview"] | rows["test"] | rows["total"])
    if hidden:
        rows["hidden"] = np.isin(frame.index, list(hidden))
    return {kind: tuple(frame.index[rows[kind]].tolist()) for kind in KINDS if rows[kind].any()}


def _plain_each(cells: set[str], words: set[str]) -> dict[str, str]:
    """Return the plain form of the texts that may be one of some words."""
    starts = {word[0] for word in words}

    def may_be(cell: str) -> bool:
        first = cell.strip()[:1].casefold()
        return first in starts or not (first.isascii() and first.isalnum())

    return {cell: plain(cell) for cell in cells if may_be(cell)}


def _candidates(
    frame: pd.DataFrame, texts: Mapping[Any, Collection[Any]]
) -> dict[Any, tuple[str, ...]]:
    """Return of each column of texts those that may be a total's name or a test's."""
    return {
        name: _short_starts(texts[name] if name in texts else frame[name].unique())
        for name in frame.columns
        if frame[name].dtype.kind in "OUT"
    }


def _short_starts(cells: Collection[Any]) -> tuple[str, ...]:
    """Return the short texts that begin as a total's name or a test's, after spaces."""
    are_texts = {*map(type, cells)} == {str}
    texts = cells if are_texts else [cell for cell in cells if isinstance(cell, str)]
    # Of many texts most begin otherwise: each beginning is looked at once.
    firsts = {text[:1] for text in texts}
    may = {first for first in firsts if first.isspace() or first.casefold() in STARTS}
    return tuple(
        text
        for text in (texts if may else [])
        if text[:1] in may and len(text) <= LONGEST and text.lstrip()[:1].casefold() in STARTS
    )


def _totals(frame: pd.DataFrame, candidates: Mapping[Any, tuple[str, ...]]) -> Any:
    """Return which rows are named a total in their first filled cell, and are one."""
    import pandas as pd

    named = np.zeros(len(frame), bool)
    before_it = np.zeros(len(frame), bool)  # whether a cell to the left is filled
    to_the_left: list[Any] = []  # columns that are not in `before_it` yet
    for name in frame.columns:
        says = _says(frame[name], candidates.get(name, ()), _is_total)
        if says.any():
            for left in to_the_left:
                before_it |= frame[left].notna().to_numpy(bool)
            to_the_left = []
            named |= says & ~before_it
        to_the_left.append(name)
    flags = np.zeros(len(frame), bool)
    if not named.any():
        return flags
    numbers = frame.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    for row in np.flatnonzero(named):
        has_number = np.isfinite(numbers[row])
        before = np.flatnonzero(named[:row])
        start = before[-1] + 1 if len(before) else 0
        # Of the rows above, of those since the last total, or of all.
        references = [np.arange(row), np.arange(start, row), np.arange(len(frame))]
        shares = [0.0]
        for rows in references:
            values = numbers[rows[~named[rows]]]
            has = (
                has_number & np.isfinite(values).any(axis=0)
                if len(values)
                else has_number & ~has_number
            )
            if has.any():
                shares.append(float(np.mean(_summarises(numbers[row][has], values[:, has]))))
        bare = frame.iloc[row].notna().mean() < SPREAD
        flags[row] = bare or max(shares) >= SPREAD
    return flags


def _is_total(text: str) -> bool:
    return plain(re.sub(r"[\d(（:：].*$", "", text)) in TOTALS


def _summarises(cells: Any, above: Any) -> Any:
    """Return which cells are the sum, mean, median, count or spread of what stands above."""
    measures = [
        np.nansum(above, axis=0), np.nanmean(above, axis=0), np.nanmedian(above, axis=0),
        np.isfinite(above).sum(axis=0).astype(float),
    ]  # fmt: skip
    if len(above) > 1:
        measures.append(np.nanstd(above, axis=0, ddof=1))
    return np.any([np.abs(cells - m) <= 0.006 + 0.005 * np.abs(m) for m in measures], axis=0)


def _tests(frame: pd.DataFrame, candidates: Mapping[Any, tuple[str, ...]]) -> Any:
    """Return which rows have "test" alone as an answer in words, rarely in its column."""
    flags = np.zeros(len(frame), bool)
    for name, texts in candidates.items():
        is_test = _says(frame[name], texts, _is_test)
        if is_test.sum() <= max(2, 0.05 * len(frame)):
            flags |= is_test
    return flags


def _says(
    column: pd.Series[Any], candidates: Collection[str], meaning: Callable[[str], bool]
) -> Any:
    """Return which cells of a column are texts of a meaning; each text is asked once."""
    texts = {text for text in candidates if meaning(text)}
    return column.isin(texts).to_numpy(bool) if texts else np.zeros(len(column), bool)


def _is_test(text: str) -> bool:
    return plain(re.sub(r"\d+\s*$", "", text)) in TESTS
