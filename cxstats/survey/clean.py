"""Check a table against its codebook, and clean it: nothing guessed, nothing dropped in silence.

Both doors start from `Cells`: every answer as a number, and beside it a flag that says what is
wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.errors import CxError, DataError
from cxstats.survey.answers import as_pandas
from cxstats.survey.codebook import Codebook
from cxstats.survey.formats_detect import parse
from cxstats.survey.report import (
    BAD,
    DECLARED,
    FINE,
    FLAGS,
    MIN_BLOCK,
    Cells,
    CheckReport,
    CleanReport,
    Problem,
    find_cells,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["CheckReport", "CleanReport", "check", "clean"]

POINTS_TOLERANCE = 0.02  # three times 33.33 is meant as 100


def check(
    frame: Any,
    codebook: Codebook,
    *,
    min_seconds: float | None = None,
    straight_line_items: int | None = None,
    max_missing: float | None = None,
) -> CheckReport:
    """List everything in a table that is not as its codebook says.

    Parameters
    ----------
    frame : pandas.DataFrame, or any table that Narwhals knows
        One row per respondent. It is never changed.
    codebook : Codebook
        The questionnaire.
    min_seconds : float, optional
        Shortest credible time. Without it, only times of zero and less are reported.
    straight_line_items : int, optional
        How many items in a row, in the order of the codebook, must have the same answer to
        be reported; from 5 on. Without it, all items of a role, none of them missing. Each
        role is looked at by itself: the same perception throughout is reported although the
        expectations vary.
    max_missing : float, optional
        Share of missing answers, 0 to 1, above which a respondent becomes a warning.

    Returns
    -------
    CheckReport
        With ``.problems``, ``.table``, ``.counts``, ``.ok`` and ``.summary()``.

    Raises
    ------
    DataError
        If the table has no rows, or if ``min_seconds`` is given and the codebook has no
        ``duration``.

    Examples
    --------
    >>> import pandas as pd
    >>> book = Codebook(scale=(1, 7), constructs={"Service": ["s1", "s2"]})
    >>> report = check(pd.DataFrame({"s1": [5, 9], "s2": [3.5, 7]}), book)
    >>> for problem in report.problems:
    ...     print(problem.message)
    row 0, column 's2': 3.5 is not a point of the scale; allowed: whole numbers from 1 to 7
    row 1, column 's1': 9 is outside the scale; allowed: whole numbers from 1 to 7
    """
    _options(codebook, min_seconds, max_missing)
    least = straight_line_items
    if least is not None and not (isinstance(least, int) and least >= MIN_BLOCK):
        raise CxError(
            f"straight_line_items={least!r} is not allowed; allowed: whole numbers from {MIN_BLOCK}"
        )
    cells = find_cells(_pandas(frame), codebook)
    problems = (
        *_column_problems(cells),
        *_cell_problems(cells),
        *_point_problems(cells),
        *_missing_problems(cells, max_missing),
        *_time_problems(cells, min_seconds),
        *_line_problems(cells, straight_line_items),
        *_duplicate_problems(cells),
        *_item_problems(cells),
    )
    return CheckReport(problems, len(cells.table), cells.n_answers)


def clean(
    frame: Any,
    codebook: Codebook,
    *,
    drop_duplicates: bool = False,
    drop_straight_lining: bool = False,
    min_seconds: float | None = None,
    max_missing: float | None = None,
    on_error: str = "raise",
) -> tuple[pd.DataFrame, CleanReport]:
    """Turn a table into answers that an analysis can use, and list every change.

    Answer labels become their numbers, codes for no answer become missing, and reverse items
    are turned: ``x' = low + high - x``. The cleaned table names the turned items in
    ``attrs["reversed"]``; they are not turned again. (A file, and most ways of joining tables,
    lose the attributes: clean what was read, not what was cleaned before.)

    Parameters
    ----------
    frame : pandas.DataFrame, or any table that Narwhals knows
        It is never changed.
    codebook : Codebook
        The questionnaire.
    drop_duplicates : bool
        Drop the later of two respondents with the same identifier or the same answers.
    drop_straight_lining : bool
        Drop who gave one answer to all items, in every role of at least 5 items. Who did so
        in some roles only stays.
    min_seconds : float, optional
        Drop who took less time.
    max_missing : float, optional
        Drop who left a larger share of the answers out, 0 to 1.
    on_error : {"raise", "missing"}
        What happens to a value that cannot be used: an error, or a missing value that is
        listed. A missing or doubled answer column is an error in any case.

    Returns
    -------
    table : pandas.DataFrame
        Answers and points as floats, NaN where missing; all else, the order of the columns and
        the index as they were.
    report : CleanReport
        Every change, every respondent dropped.

    Raises
    ------
    DataError
        Naming row, column, value and what is allowed of the first value that cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> book = Codebook(scale=(1, 7), constructs={"Service": ["s1", "s2"]}, reverse=["s2"])
    >>> table, report = clean(pd.DataFrame({"s1": [5, 6], "s2": [2, 4]}), book)
    >>> table["s2"].tolist(), table.attrs["reversed"]
    ([6.0, 4.0], ('s2',))
    >>> report.changes.values.tolist()
    [[0, 's2', 2.0, 6.0, 'reversed']]
    """
    _options(codebook, min_seconds, max_missing)
    if on_error not in ("raise", "missing"):
        raise CxError(f"on_error={on_error!r} is not allowed; allowed: 'raise', 'missing'")
    source = _pandas(frame)
    cells = find_cells(source, codebook)
    broken = [p.message for p in _column_problems(cells) if p.severity == "error"]
    if broken:
        raise DataError(broken)
    reasons = _to_drop(cells, drop_straight_lining, min_seconds, max_missing, on_error)
    if drop_duplicates:
        _drop_duplicates(cells, reasons)
    keep = np.array([position not in reasons for position in range(len(source))])
    if not keep.any():
        first = next(iter(reasons.values()))[0]
        raise DataError(f"all {len(source)} respondents would be dropped; the first for: {first}")
    if on_error == "raise":
        wrong = [p.message for p in _cell_problems(cells, keep) if p.severity == "error"]
        if wrong:
            raise DataError(wrong)
    final, items, notes = _turn(cells)
    if min_seconds is not None and codebook.duration is not None:
        untimed = int(np.isnan(parse(source[codebook.duration], {}).values).sum())
        if untimed:
            notes.append(f"{untimed} respondents kept whose {codebook.duration!r} cannot be read")
    out = source[keep].copy()
    for j, column in enumerate(cells.columns):
        out[column] = final[keep, j]
    # Equal marks survive pandas.concat; how each file was read stays with its own table.
    lost = ("read_report", "population")
    out.attrs = {key: value for key, value in out.attrs.items() if key not in lost}
    out.attrs["reversed"] = items
    report = CleanReport(
        _changes(cells, keep, final),
        _dropped(cells, reasons),
        items,
        len(source),
        len(out),
        tuple(notes),
    )
    return out, report


def _options(codebook: Codebook, min_seconds: float | None, max_missing: float | None) -> None:
    if min_seconds is not None:
        if not (isinstance(min_seconds, Real) and 0 <= min_seconds < np.inf):
            raise CxError(f"min_seconds={min_seconds!r} is not allowed; allowed: seconds from 0 on")
        if codebook.duration is None:
            raise DataError("min_seconds needs the time taken: the codebook has no 'duration'")
    if max_missing is not None and not (isinstance(max_missing, Real) and 0 <= max_missing <= 1):
        raise CxError(f"max_missing={max_missing!r} is not allowed; allowed: a share from 0 to 1")


def _pandas(frame: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        if not len(frame):
            raise DataError("the table has no rows")
        return frame
    return as_pandas(frame)


def _span(columns: tuple[str, ...]) -> str:
    return columns[0] if len(columns) == 1 else f"{columns[0]} ... {columns[-1]}"


def _column_problems(cells: Cells) -> Iterator[Problem]:
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


def _cell_problems(cells: Cells, keep: NDArray[np.bool_] | None = None) -> Iterator[Problem]:
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


def _point_problems(cells: Cells) -> Iterator[Problem]:
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


def _missing_problems(cells: Cells, max_missing: float | None) -> Iterator[Problem]:
    counts, total = cells.missing.sum(axis=1), cells.n_answers
    allowed = "" if max_missing is None else f"a share of {max_missing:g}"
    for i in np.flatnonzero(counts).tolist():
        n = int(counts[i])
        kind = "all_missing" if n == total else "missing_respondent"
        over = max_missing is not None and n / total > max_missing
        severity = "warning" if over else None
        text = f"of {total} answers are missing"
        yield cells.problem(kind, i, None, text, n, allowed, severity)


def _time_problems(cells: Cells, min_seconds: float | None) -> Iterator[Problem]:
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


def _longest_run(block: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the longest run of equal neighbours (n,) in the rows of a block (n, items)."""
    run = (~np.isnan(block[:, 0])).astype(np.int64)
    longest = run.copy()
    for before, here in zip(block.T[:-1], block.T[1:], strict=True):
        run = np.where(here == before, run + 1, ~np.isnan(here))
        longest = np.maximum(longest, run)
    return longest


def _line_problems(cells: Cells, items: int | None) -> Iterator[Problem]:
    for role, columns, block in cells.blocks():
        least = items or len(columns)
        if len(columns) < MIN_BLOCK:
            continue
        longest = _longest_run(block)
        for i in np.flatnonzero(longest >= least).tolist():
            text = f"items in a row have the same answer ({role})"
            n = int(longest[i])
            allowed = f"fewer than {least}"
            yield cells.problem("straight_lining", i, _span(columns), text, n, allowed)


def _duplicate_problems(cells: Cells) -> Iterator[Problem]:
    same = cells.same_as(np.ones(len(cells.table), dtype=bool))
    column = cells.codebook.respondent
    ids = cells.raw(column) if column and same["duplicate_respondent"] else []
    for i, first in same["duplicate_respondent"].items():
        text = f"stands in {cells.place(first)} too"
        yield cells.problem("duplicate_respondent", i, column, text, ids[i], "once")
    for i, first in same["duplicate_row"].items():
        text = f"has the same answers as {cells.place(first)}"
        yield cells.problem("duplicate_row", i, None, text)


def _item_problems(cells: Cells) -> Iterator[Problem]:
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


def _to_drop(
    cells: Cells,
    straight_lining: bool,
    min_seconds: float | None,
    max_missing: float | None,
    on_error: str,
) -> dict[int, list[str]]:
    """Return the positions of the respondents to drop, and why."""
    found: dict[str, NDArray[np.bool_]] = {}
    column = cells.codebook.duration
    if min_seconds is not None and column is not None:
        if not cells.has(column):
            raise DataError(f"min_seconds: column {column!r} is missing from the table, or doubled")
        found["too_fast"] = parse(cells.table[column], {}).values < min_seconds
    if straight_lining:
        blocks = [block for _, _, block in cells.blocks() if block.shape[1] >= MIN_BLOCK]
        whole = [_longest_run(block) == block.shape[1] for block in blocks]
        if whole:
            found["straight_lining"] = np.all(whole, axis=0)
    if max_missing is not None:
        gone = cells.missing
        if on_error == "missing":
            gone = np.isnan(cells.usable[:, : cells.n_answers])
        found["missing_respondent"] = gone.mean(axis=1) > max_missing
    reasons: dict[int, list[str]] = {}
    for reason, marked in found.items():
        for i in np.flatnonzero(marked).tolist():
            reasons.setdefault(i, []).append(reason)
    return reasons


def _drop_duplicates(cells: Cells, reasons: dict[int, list[str]]) -> None:
    # Among those who stay, so that a respondent is not lost for one who is dropped anyway.
    keep = np.ones(len(cells.table), dtype=bool)
    keep[list(reasons)] = False
    for kind, pairs in cells.same_as(keep).items():
        for i in pairs:
            reasons.setdefault(i, []).append(kind)


def _dropped(cells: Cells, reasons: dict[int, list[str]]) -> pd.DataFrame:
    import pandas as pd

    column = cells.codebook.respondent
    ids = cells.raw(column) if column and cells.has(column) else [None] * len(cells.table)
    rows = [(cells.rows[i], ids[i], "; ".join(reasons[i])) for i in sorted(reasons)]
    return pd.DataFrame(rows, columns=["row", "respondent", "reason"], dtype=object)


def _turn(cells: Cells) -> tuple[NDArray[np.float64], tuple[str, ...], list[str]]:
    """Return the answers with reverse items turned, all items turned by now, and notes."""
    book, done, final = cells.codebook, cells.turned, cells.usable
    for j, column in enumerate(cells.columns[: cells.n_answers]):
        item = book.item_of(column)
        if item in book.reverse and item not in done:
            final[:, j] = sum(book.bounds(item)) - final[:, j]
    told = []
    before = [item for item in book.reverse if item in done]
    if before:
        told.append(f"not turned again, the table says they are: {', '.join(before)}")
    strange = [item for item in done if item not in book.reverse]
    if strange:
        told.append(f"turned before, but no reverse items of the codebook: {', '.join(strange)}")
    if cells.texts:
        counts = ", ".join(f"{column} ({n})" for column, n in cells.texts)
        told.append(f"numbers that were written as text: {counts}")
    return final, (*book.reverse, *strange), told


def _changes(cells: Cells, keep: NDArray[np.bool_], final: NDArray[np.float64]) -> pd.DataFrame:
    """Return every change in the rows that stay: mapped, made missing, turned, in that order."""
    import pandas as pd

    found: list[tuple[int, int, Any, float, str]] = []
    usable = cells.usable
    for j, column in enumerate(cells.columns):
        gone = keep & (cells.flags[:, j] >= DECLARED)
        mapped = keep & cells.mapped[:, j]
        raw = cells.raw(column) if (gone | mapped).any() else []
        for i in np.flatnonzero(mapped).tolist():
            found.append((i, j, raw[i], float(cells.values[i, j]), "answer_label"))
        for i in np.flatnonzero(gone).tolist():
            before = float(cells.values[i, j]) if mapped[i] else raw[i]
            found.append((i, j, before, np.nan, FLAGS[cells.flags[i, j]][0]))
        moved = keep & ~np.isnan(usable[:, j]) & (usable[:, j] != final[:, j])
        for i in np.flatnonzero(moved).tolist():
            found.append((i, j, float(usable[i, j]), float(final[i, j]), "reversed"))
    found.sort(key=lambda change: change[:2])
    rows = [(cells.rows[i], cells.columns[j], *rest) for i, j, *rest in found]
    names = ["row", "column", "before", "after", "reason"]
    return pd.DataFrame(rows, columns=names, dtype=object)
