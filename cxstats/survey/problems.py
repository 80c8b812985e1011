"""The problems of a client's file, one function per kind: what `check` lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from cxstats.survey.detect import parse
from cxstats.survey.report import (
    BAD,
    DECLARED,
    FINE,
    FLAGS,
    MIN_BLOCK,
    Cells,
    Problem,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


POINTS_TOLERANCE = 0.02  # three times 33.33 is meant as 100


def _span(columns: tuple[str, ...]) -> str:
    return columns[0] if len(columns) == 1 else f"{columns[0]} ... {columns[-1]}"


def column_problems(cells: Cells) -> Iterator[Problem]:
    """Columns that are missing, doubled or not declared."""
    names, book = list(cells.table.columns), cells.codebook
    for column in book.all_columns:
        if column not in names:
            # Only the answers are needed by every analysis.
            severity = "error" if column in book.answer_columns else "warning"
            text = "is missing from the table; the codebook declares it"
            yield cells.problem("missing_column", None, column, text, severity=severity)
    for column in dict.fromkeys(names):
        if names.count(column) > 1:
            severity = "error" if column in book.all_columns else "warning"
            text = f"stands in the table {names.count(column)} times"
            yield cells.problem("duplicated_column", None, column, text, severity=severity)
        if column not in book.all_columns:
            text = "is not declared in the codebook"
            yield cells.problem("undeclared_column", None, column, text)


def cell_problems(cells: Cells, keep: NDArray[np.bool_] | None = None) -> Iterator[Problem]:
    """Answers that are no number, off the scale, labels or declared codes; of the rows kept."""
    odd = (cells.flags >= DECLARED) | cells.mapped
    if keep is not None:
        odd &= keep[:, None]
    touched = np.flatnonzero(odd.any(axis=0)).tolist()
    raw = {j: cells.raw(cells.columns[j]) for j in touched}
    allowed = {j: cells.allowed(cells.columns[j]) for j in touched}
    for i, j in zip(*(place.tolist() for place in np.nonzero(odd)), strict=True):
        column, value = cells.columns[j], raw[j][i]
        if cells.mapped[i, j]:
            text = f"is an answer label for {cells.values[i, j]:g}"
            yield cells.problem("answer_label", i, column, text, value, allowed[j])
        flag = cells.flags[i, j]
        if flag >= DECLARED:
            kind, text = FLAGS[flag]
            severity = "error" if flag >= BAD else None
            yield cells.problem(kind, i, column, text, value, allowed[j], severity)


def point_problems(cells: Cells) -> Iterator[Problem]:
    """Points that are negative or do not sum to 100."""
    points, flags = cells.usable[:, cells.n_answers :], cells.flags[:, cells.n_answers :]
    if not points.size:
        return
    sums = np.nansum(points, axis=1)
    wrong = np.abs(sums - 100) > POINTS_TOLERANCE
    wrong &= (flags == FINE).any(axis=1) & (flags < BAD).all(axis=1)
    span = _span(cells.columns[cells.n_answers :])
    for i in np.flatnonzero(wrong).tolist():
        text = "is the sum of the points"
        yield cells.problem("points_not_100", i, span, text, float(sums[i]), "a sum of 100")


def missing_problems(cells: Cells, max_missing: float | None) -> Iterator[Problem]:
    """Respondents with too many answers missing, or all."""
    counts, total = cells.missing.sum(axis=1), cells.n_answers
    allowed = "" if max_missing is None else f"a share of {max_missing:g}"
    for i in np.flatnonzero(counts).tolist():
        n = int(counts[i])
        kind = "all_missing" if n == total else "missing_respondent"
        over = max_missing is not None and n / total > max_missing
        severity = "warning" if over else None
        text = f"of {total} answers are missing"
        yield cells.problem(kind, i, None, text, n, allowed, severity)


def time_problems(cells: Cells, min_seconds: float | None) -> Iterator[Problem]:
    """Durations that cannot be read or are too short."""
    column = cells.codebook.duration
    if column is None or not cells.has(column):
        return
    seconds = parse(cells.table[column], {})
    raw = cells.raw(column) if seconds.bad.any() else []
    for i in np.flatnonzero(seconds.bad).tolist():
        yield cells.problem(
            *("not_a_number", i, column), FLAGS[BAD][1], raw[i], "seconds", "warning"
        )
    allowed = f"{min_seconds:g} seconds or more" if min_seconds else "more than 0 seconds"
    fast = (seconds.values <= 0) | (seconds.values < (min_seconds or 0))
    for i in np.flatnonzero(fast).tolist():
        value = float(seconds.values[i])
        yield cells.problem("too_fast", i, column, "seconds is too fast", value, allowed)


def longest_run(block: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the longest run of equal neighbours (n,) in the rows of a block (n, items)."""
    run = (~np.isnan(block[:, 0])).astype(np.int64)
    longest = run.copy()
    for before, here in zip(block.T[:-1], block.T[1:], strict=True):
        run = np.where(here == before, run + 1, ~np.isnan(here))
        longest = np.maximum(longest, run)
    return longest


def line_problems(cells: Cells, items: int | None) -> Iterator[Problem]:
    """Respondents who gave one answer many times in a row."""
    for role, columns, block in cells.blocks():
        least = items or len(columns)
        if len(columns) < MIN_BLOCK:
            continue
        longest = longest_run(block)
        for i in np.flatnonzero(longest >= least).tolist():
            text = f"items in a row have the same answer ({role})"
            n = int(longest[i])
            allowed = f"fewer than {least}"
            yield cells.problem("straight_lining", i, _span(columns), text, n, allowed)


def duplicate_problems(cells: Cells) -> Iterator[Problem]:
    """Respondents who stand twice, by identifier or by answers."""
    same = cells.same_as(np.ones(len(cells.table), dtype=bool))
    column = cells.codebook.respondent
    ids = cells.raw(column) if column and same["duplicate_respondent"] else []
    for i, first in same["duplicate_respondent"].items():
        text = f"stands in {cells.place(first)} too"
        yield cells.problem("duplicate_respondent", i, column, text, ids[i], "once")
    for i, first in same["duplicate_row"].items():
        text = f"has the same answers as {cells.place(first)}"
        yield cells.problem("duplicate_row", i, None, text)


def item_problems(cells: Cells) -> Iterator[Problem]:
    """Items with answers missing, or with one answer only."""
    usable, missing, n = cells.usable, cells.missing.sum(axis=0), len(cells.table)
    for j, column in enumerate(cells.columns[: cells.n_answers]):
        if missing[j]:
            text = f"has {missing[j]} of {n} answers missing"
            severity = "warning" if missing[j] == n else None
            count = int(missing[j])
            yield cells.problem("missing_item", None, column, text, count, severity=severity)
        given = usable[~np.isnan(usable[:, j]), j]
        if len(given) > 1 and (given == given[0]).all():
            text = f"has the answer {given[0]:g} only"
            yield cells.problem("constant_item", None, column, text, float(given[0]), "two answers")
