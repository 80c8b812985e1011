"""Clean a table by its codebook: nothing guessed, nothing dropped in silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.display import in_words
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both, label, listed
from cxstats.core.result import Result
from cxstats.survey.answer_flags import (
    CODED,
    DECLARED,
    FLAG_KINDS,
    MIN_BLOCK,
    FlaggedAnswers,
    flag_answers,
)
from cxstats.survey.check import (
    cell_problems,
    check_limits,
    column_problems,
    first_of,
    longest_run,
    times_taken,
)
from cxstats.survey.codebook import Codebook, as_codebook
from cxstats.survey.group_names import merged

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

ON_ERROR = ("raise", "missing")
# Equal marks survive pandas.concat; how each file was read stays with its own table.
ATTRIBUTES_OF_A_FILE = ("read_report", "population")


@dataclass(frozen=True, eq=False, repr=False)
class CleanReport(Result):
    """Every change that cleaning made.

    Attributes
    ----------
    table : pandas.DataFrame
        The changes: ``row, column, before, after, reason``, one row for each change in the
        respondents that stay. ``reason`` is "reversed" or a kind of problem. A value that is the
        same after it was turned (the middle of the scale) is no change.
    dropped : pandas.DataFrame
        ``row, respondent, reason``, one row for each respondent who was dropped; several kinds of
        problem have "; " between them.
    reversed : tuple of str
        Items that stand turned in the cleaned table.
    n_before, n_after : int
        Respondents.
    notes : tuple of Text
        What else there is to know.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame
    reversed: tuple[str, ...]
    n_before: int
    n_after: int
    notes: tuple[Text, ...] = ()

    codes: ClassVar = {"reason": "survey.reason.{}"}

    @property
    def changes(self) -> pd.DataFrame:
        """The table of changes."""
        return self.table

    def translated(self, lang: str | None = None) -> dict[str, pd.DataFrame]:
        """Return the tables with reasons in words."""
        dropped = in_words(self.dropped, {"reason": "survey.kind.{}"}, lang)
        return {**super().translated(lang), "dropped": dropped}

    def findings(self, lang: str) -> list[str]:
        """Return how many values changed and why, and every respondent dropped."""
        size = {"before": self.n_before, "after": self.n_after}
        lines = [label("survey.clean.head", lang, **size, changes=len(self.table))]
        lines += [
            f"  {n:6d}  {label(f'survey.reason.{reason}', lang)}"
            for reason, n in self.table["reason"].value_counts(sort=False).items()
        ]
        if self.reversed:
            items = listed(self.reversed).get(lang)
            lines.append("  " + label("survey.clean.turned", lang, items=items))
        dropped = self.translated(lang)["dropped"]
        respondents = [
            label("survey.clean.dropped.row", lang, row=repr(row), reasons=reasons)
            for row, reasons in zip(dropped["row"], dropped["reason"], strict=True)
        ]
        head = label("survey.clean.dropped", lang)
        return [*lines, *first_of(head, respondents, len(respondents), lang)]


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
    codebook : Codebook, mapping of its keys, path, or name of one that ships
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
    codebook = as_codebook(codebook)
    check_limits(codebook, min_seconds, max_missing)
    if on_error not in ON_ERROR:
        allowed = ", ".join(map(repr, ON_ERROR))
        raise CxError(f"on_error={on_error!r} is not allowed; allowed: {allowed}")
    source = as_pandas(frame)
    answers = flag_answers(source, codebook)
    errors = [p.message.en for p in column_problems(answers) if p.severity == "error"]
    if errors:
        raise DataError(errors)
    reasons = _reasons_to_drop(answers, drop_straight_lining, min_seconds, max_missing, on_error)
    if drop_duplicates:
        _add_duplicates(answers, reasons)
    stays = np.array([position not in reasons for position in range(len(source))])
    if not stays.any():
        first = next(iter(reasons.values()))[0]
        raise DataError(f"all {len(source)} respondents would be dropped; the first for: {first}")
    if on_error == "raise":
        errors = [p.message.en for p in cell_problems(answers, stays) if p.severity == "error"]
        if errors:
            raise DataError(errors)
    values, turned = _turn(answers)
    report = CleanReport(
        _changes(answers, stays, values),
        _dropped(answers, reasons),
        turned,
        n_before=len(source),
        n_after=int(stays.sum()),
        notes=(*_turning_notes(answers), *_duration_notes(answers, min_seconds)),
    )
    return _cleaned(answers, stays, values, turned), report


def _reasons_to_drop(
    answers: FlaggedAnswers,
    straight_lining: bool,
    min_seconds: float | None,
    max_missing: float | None,
    on_error: str,
) -> dict[int, list[str]]:
    """Return the positions of the respondents to drop, and why."""
    marked: dict[str, NDArray[np.bool_]] = {}
    column = answers.codebook.duration
    if min_seconds is not None and column is not None:
        if not answers.has(column):
            raise DataError(f"min_seconds: column {column!r} is missing from the table, or doubled")
        marked["too_fast"] = times_taken(answers.raw(column))[0] < min_seconds
    if straight_lining:
        blocks = [block for _, _, block in answers.blocks() if block.shape[1] >= MIN_BLOCK]
        if blocks:
            straight = [longest_run(block) == block.shape[1] for block in blocks]
            marked["straight_lining"] = np.all(straight, axis=0)
    if max_missing is not None:
        missing = answers.missing
        if on_error == "missing":
            missing = np.isnan(answers.usable[:, : answers.n_answers])
        marked["missing_respondent"] = missing.mean(axis=1) > max_missing
    reasons: dict[int, list[str]] = {}
    for reason, rows in marked.items():
        for i in np.flatnonzero(rows).tolist():
            reasons.setdefault(i, []).append(reason)
    return reasons


def _add_duplicates(answers: FlaggedAnswers, reasons: dict[int, list[str]]) -> None:
    # Among those who stay, so that a respondent is not lost for one who is dropped anyway.
    stays = np.ones(len(answers.table), dtype=bool)
    stays[list(reasons)] = False
    for kind, pairs in answers.duplicates(stays).items():
        for i in pairs:
            reasons.setdefault(i, []).append(kind)


def _dropped(answers: FlaggedAnswers, reasons: dict[int, list[str]]) -> pd.DataFrame:
    import pandas as pd

    column = answers.codebook.respondent
    identifiers: list[Any] = [None] * len(answers.table)
    if column and answers.has(column):
        identifiers = answers.raw(column)
    rows = [(answers.rows[i], identifiers[i], "; ".join(reasons[i])) for i in sorted(reasons)]
    return pd.DataFrame(rows, columns=["row", "respondent", "reason"], dtype=object)


def _turn(answers: FlaggedAnswers) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the answers with reverse items turned, and all items that are turned by now."""
    book, values = answers.codebook, answers.usable
    to_turn = set(book.turned) - set(answers.turned)
    for j, column in enumerate(answers.columns):
        bounds = book.bounds_of(column)
        if bounds is not None and book.name_of(column) in to_turn:
            values[:, j] = sum(bounds) - values[:, j]
    return values, (*book.turned, *_turned_but_not_reverse(answers))


def _turned_but_not_reverse(answers: FlaggedAnswers) -> list[str]:
    return [item for item in answers.turned if item not in answers.codebook.turned]


def _turning_notes(answers: FlaggedAnswers) -> list[Text]:
    lists = {
        "turned_before": [item for item in answers.codebook.turned if item in answers.turned],
        "turned_not_reverse": _turned_but_not_reverse(answers),
        "numeric_texts": [f"{column} ({n})" for column, n in answers.numeric_texts],
    }
    return [
        both(f"survey.clean.note.{note}", names=listed(names))
        for note, names in lists.items()
        if names
    ]


def _duration_notes(answers: FlaggedAnswers, min_seconds: float | None) -> list[Text]:
    column = answers.codebook.duration
    if min_seconds is None or column is None:
        return []
    n = int(np.isnan(times_taken(answers.raw(column))[0]).sum())
    return [both("survey.clean.note.no_duration", n=n, column=repr(column))] if n else []


def _changes(
    answers: FlaggedAnswers, stays: NDArray[np.bool_], values: NDArray[np.float64]
) -> pd.DataFrame:
    """Return every change in the rows that stay: mapped, made missing, turned, in that order."""
    import pandas as pd

    changes: list[tuple[int, int, Any, float, str]] = []
    usable = answers.usable
    for j, column in enumerate(answers.columns):
        emptied = stays & (answers.flags[:, j] >= DECLARED)
        mapped = stays & answers.mapped[:, j]
        raw = answers.raw(column) if (emptied | mapped).any() else []
        for i in np.flatnonzero(mapped).tolist():
            changes.append((i, j, raw[i], float(answers.values[i, j]), "answer_label"))
        for i in np.flatnonzero(emptied).tolist():
            before = float(answers.values[i, j]) if mapped[i] else raw[i]
            changes.append((i, j, before, np.nan, FLAG_KINDS[answers.flags[i, j]]))
        turned = stays & ~np.isnan(usable[:, j]) & (usable[:, j] != values[:, j])
        for i in np.flatnonzero(turned).tolist():
            changes.append((i, j, float(usable[i, j]), float(values[i, j]), "reversed"))
    changes.sort(key=lambda change: change[:2])
    rows = [(answers.rows[i], answers.columns[j], *change) for i, j, *change in changes]
    rows += _merged_groups(answers, stays)
    names = ["row", "column", "before", "after", "reason"]
    return pd.DataFrame(rows, columns=names, dtype=object)


def _merged_groups(
    answers: FlaggedAnswers, stays: NDArray[np.bool_]
) -> list[tuple[Any, str, Any, Any, str]]:
    """Return the changes of group names that the codebook declares to mean another."""
    changes = []
    for column, said in answers.codebook.groups.items():
        if not said.get("same") or not answers.has(column):
            continue
        before = answers.raw(column)
        after = merged(answers.table[column], said["same"]).tolist()
        for i in np.flatnonzero(stays).tolist():
            if isinstance(before[i], str) and before[i] != after[i]:
                changes.append((answers.rows[i], column, before[i], after[i], "group_name"))
    return changes


def _cleaned(
    answers: FlaggedAnswers,
    stays: NDArray[np.bool_],
    values: NDArray[np.float64],
    turned: tuple[str, ...],
) -> pd.DataFrame:
    """Return the table of those who stay, with the values as its answers."""
    table = answers.table[stays].copy()
    for j, column in enumerate(answers.columns):
        table[column] = values[stays, j]
    attributes = answers.table.attrs.items()
    table.attrs = {key: value for key, value in attributes if key not in ATTRIBUTES_OF_A_FILE}
    for column, said in answers.codebook.groups.items():
        if said.get("same") and answers.has(column):
            table[column] = merged(table[column], said["same"])
    table.attrs["reversed"] = turned
    book = answers.codebook
    coded = tuple(column for column in answers.columns if book.answer_labels(column).codes)
    if coded:
        table.attrs[CODED] = coded
    return table
