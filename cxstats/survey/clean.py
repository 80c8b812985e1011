"""Check a table against its codebook, and clean it: nothing guessed, nothing dropped in silence.

Both doors start from `Cells`: every answer as a number, and beside it a flag that says what is
wrong with it.
"""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.survey.answers import as_pandas
from cxstats.survey.codebook import Codebook
from cxstats.survey.detect import parse
from cxstats.survey.problems import (
    cell_problems,
    column_problems,
    duplicate_problems,
    item_problems,
    line_problems,
    longest_run,
    missing_problems,
    point_problems,
    time_problems,
)
from cxstats.survey.report import (
    DECLARED,
    FLAGS,
    MIN_BLOCK,
    Cells,
    CheckReport,
    CleanReport,
    find_cells,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["CheckReport", "CleanReport", "check", "clean"]


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
        *column_problems(cells),
        *cell_problems(cells),
        *point_problems(cells),
        *missing_problems(cells, max_missing),
        *time_problems(cells, min_seconds),
        *line_problems(cells, straight_line_items),
        *duplicate_problems(cells),
        *item_problems(cells),
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
    broken = [p.message for p in column_problems(cells) if p.severity == "error"]
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
        wrong = [p.message for p in cell_problems(cells, keep) if p.severity == "error"]
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
        whole = [longest_run(block) == block.shape[1] for block in blocks]
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
