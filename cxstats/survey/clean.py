"""Clean a table by its codebook: nothing guessed, nothing dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from cxstats.core.display import in_words
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.export import defused, is_formula
from cxstats.core.language import Text, both, label, listed
from cxstats.core.progress import long_work
from cxstats.core.result import Result
from cxstats.survey.answer_flags import (
    CODED,
    DECLARED,
    FINE,
    FLAG_KINDS,
    MIN_BLOCK,
    Cells,
    FlaggedAnswers,
    flag_answers,
)
from cxstats.survey.check import (
    cell_problems,
    check_limits,
    column_problems,
    first_of,
    longest_runs,
    times_taken,
)
from cxstats.survey.codebook import Codebook, as_codebook
from cxstats.survey.formula_texts import marked, runs, text_columns
from cxstats.survey.group_names import merged

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

ON_ERROR = ("raise", "missing")
# Equal marks survive pandas.concat; how each file was read stays with its own table.
ATTRIBUTES_OF_A_FILE = ("read_report", "population")
MESSAGES = 10_000  # that an error holds; what else is wrong it counts
CHANGES = ["row", "column", "before", "after", "reason"]


class ChangedText(NamedTuple):
    """A text beside the answers that was changed, and why."""

    row: Any
    column: str | None
    before: str
    after: str
    reason: str


@dataclass(frozen=True, eq=False)
class Changes:
    """What cleaning did to cells; a table of it is built when it is asked for.

    Reversed items alone change most of their cells, so that a list of the changes of a large table
    is larger than the table.

    Attributes
    ----------
    answers : FlaggedAnswers
        Before.
    stays : array (n,)
        Which respondents stay.
    sums : array (k,)
        What an answer and its turned one sum to; NaN where nothing is turned.
    texts : list of ChangedText
        Texts beside the answers.
    """

    answers: FlaggedAnswers
    stays: NDArray[np.bool_]
    sums: NDArray[np.float64]
    texts: list[ChangedText]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many changes there are for each reason."""
        counts: Counter[str] = Counter()
        for j in range(len(self.answers.columns)):
            flags = self.answers.flags[self.stays, j]
            numbers = np.bincount(flags, minlength=len(FLAG_KINDS)).tolist()
            counts["answer_label"] += int(np.count_nonzero(self.answers.mapped[self.stays, j]))
            for flag in range(DECLARED, len(FLAG_KINDS)):
                counts[FLAG_KINDS[flag]] += numbers[flag]
            if not np.isnan(self.sums[j]):
                usable = self.answers.usable(self.stays, j)
                counts["reversed"] += int(
                    np.count_nonzero(~np.isnan(usable) & (2 * usable != self.sums[j]))
                )
        counts.update(change.reason for change in self.texts)
        return {reason: n for reason, n in counts.items() if n}

    @property
    def n(self) -> int:
        """How many changes there are."""
        return sum(self.counts.values())

    def table(self, first: int | None = None) -> pd.DataFrame:
        """Return all changes: mapped, made missing, turned, row by row; then texts marked.

        With `first`, no more than needed to have so many, if there are.
        """
        import pandas as pd

        pieces: list[tuple[NDArray[Any], ...]] = []
        for rows in self.answers.slices():
            pieces.append(self._changes_in(rows))
            if first is not None and sum(len(piece[0]) for piece in pieces) >= first:
                break
        i, j, step, after = (np.concatenate(each) for each in zip(*pieces, strict=True))
        reasons = ["answer_label", "reversed", *FLAG_KINDS[DECLARED:]]
        flags = self.answers.flags[i, j]
        codes = np.where(step == 0, 0, np.where(step == 2, 1, flags - DECLARED + 2)).astype(np.int8)
        labels = pd.Index(self.answers.rows, dtype=_dtype_of_labels(self.answers.rows))
        table = pd.DataFrame(
            {
                "row": labels.take(i),
                "column": pd.Series(np.array(self.answers.columns, object)[j], dtype=object),
                "before": pd.Series(self._before(i, j, step), dtype=object),
                "after": after,
                "reason": pd.Series(np.array(reasons, object)[codes], dtype=object),
            }
        )
        if not self.texts:
            return table
        more = pd.DataFrame(self.texts, columns=CHANGES, dtype=object)
        return pd.concat([table.astype(object), more], ignore_index=True)

    def _changes_in(self, rows: slice) -> tuple[NDArray[Any], ...]:
        """Return rows, columns, steps (0 mapped, 1 emptied, 2 turned) and values after, in order.

        Of some rows, which fit in memory.
        """
        answers, stays = self.answers, self.stays[rows, None]
        usable = answers.usable(rows)
        turned = self.sums - usable
        steps = np.stack(
            [
                answers.mapped[rows] & stays,
                (answers.flags[rows] >= DECLARED) & stays,
                ~np.isnan(turned) & (turned != usable) & stays,
            ],
            axis=2,
        )
        i, j, step = np.nonzero(steps)
        after = np.where(step == 2, turned[i, j], np.nan)
        after = np.where(step == 0, answers.values[rows][i, j], after)
        i += rows.start
        small = np.int16 if len(answers.columns) < 2**15 else np.int32
        return i.astype(np.int32), j.astype(small), step.astype(np.int8), after

    def _before(self, i: Any, j: Any, step: Any) -> NDArray[Any]:
        """Return what stood there: a raw cell, or the number that was mapped or turned."""
        import pandas as pd

        answers = self.answers
        # Equal numbers share one object.
        codes, numbers = pd.factorize(answers.values[i, j])
        before = np.append(numbers.astype(object), np.nan)[codes]
        raw = np.flatnonzero((step == 0) | ((step == 1) & ~answers.mapped[i, j]))
        for column in np.unique(j[raw]).tolist():
            among = raw[j[raw] == column]
            cells = answers.cells[column]
            if isinstance(cells, Cells):
                distinct = np.empty(len(cells.distinct), object)
                distinct[:] = cells.distinct
                before[among] = distinct[cells.codes[i[among]]]
            elif cells is int:
                before[among] = answers.values[i[among], column].astype(np.int64).astype(object)
        return before


def _dtype_of_labels(rows: list[Any]) -> Any:
    """Return the type in which labels of rows stay as they are."""
    return np.int64 if all(type(row) is int and abs(row) < 2**63 for row in rows) else object


@dataclass(frozen=True, eq=False, repr=False)
class CleanReport(Result):
    """Every change that cleaning made.

    Attributes
    ----------
    changed : Changes
        What `table` and `counts` are made from.
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

    changed: Changes
    dropped: pd.DataFrame
    reversed: tuple[str, ...]
    n_before: int
    n_after: int
    notes: tuple[Text, ...] = ()

    codes: ClassVar = {"reason": "survey.reason.{}"}

    @cached_property
    def table(self) -> pd.DataFrame:
        """The changes: ``row, column, before, after, reason``, in the respondents that stay.

        ``reason`` is "reversed" or a kind of problem. A value that is the same after it was turned
        (the middle of the scale) is no change. The table is built when it is first asked for. What
        stood there before stands here: a text that a spreadsheet would run, too. `export`
        writes it as text.
        """
        return self.changed.table()

    @property
    def changes(self) -> pd.DataFrame:
        """The table of changes."""
        return self.table

    @property
    def counts(self) -> dict[str, int]:
        """How many changes there are for each reason."""
        return self.changed.counts

    def translated(self, lang: str | None = None) -> dict[str, pd.DataFrame]:
        """Return the tables with reasons in words."""
        return {**super().translated(lang), "dropped": self._dropped_in_words(lang)}

    def _dropped_in_words(self, lang: str | None) -> pd.DataFrame:
        return in_words(self.dropped, {"reason": "survey.kind.{}"}, lang)

    def first_rows(self, n: int) -> tuple[pd.DataFrame, int]:
        """Return the first changes as people read them, and how many there are."""
        return in_words(self.changed.table(n), self.codes), self.changed.n

    def findings(self, lang: str) -> list[str]:
        """Return how many values changed and why, and every respondent dropped."""
        size = {"before": self.n_before, "after": self.n_after}
        lines = [label("survey.clean.head", lang, **size, changes=self.changed.n)]
        lines += [
            f"  {n:6d}  {label(f'survey.reason.{reason}', lang)}"
            for reason, n in self.counts.items()
        ]
        if self.reversed:
            items = listed(self.reversed).get(lang)
            lines.append("  " + label("survey.clean.turned", lang, items=items))
        dropped = self._dropped_in_words(lang)
        respondents = [
            label("survey.clean.dropped.row", lang, row=repr(row), reasons=reasons)
            for row, reasons in zip(dropped["row"], dropped["reason"], strict=True)
        ]
        head = label("survey.clean.dropped", lang)
        return [*lines, *first_of(head, respondents, len(respondents), lang)]


@long_work("clean")
def clean(
    frame: Any,
    codebook: Codebook,
    *,
    drop_duplicates: bool = False,
    drop_straight_lining: bool = False,
    min_seconds: float | None = None,
    max_missing: float | None = None,
    on_error: str = "raise",
    mark_formulas: bool = True,
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
    mark_formulas : bool
        Put an apostrophe in front of each text that a spreadsheet would run (``=1+1`` becomes
        ``'=1+1``), so that nothing runs however the table is written. This is done in columns that
        are no answers, in their names (where the codebook does not declare these) and in the
        labels of rows. With False texts stay as they are; `cxstats.write_table` writes them safely.

    Returns
    -------
    table : pandas.DataFrame
        Answers and points as floats, NaN where missing; the order of the columns as it was; all
        else too, apart from texts that were marked.
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
        wrong = cell_problems(answers, stays).of("error")
        errors = [problem.message.en for problem in islice(wrong, MESSAGES)]
        if errors:
            raise DataError(errors, more=wrong.counts.total() - len(errors))
    sums, turned = _sums(answers), (*codebook.turned, *_turned_but_not_reverse(answers))
    table = _cleaned(answers, stays, sums)
    table.attrs["reversed"] = turned
    coded = tuple(name for name in answers.columns if codebook.answer_labels(name).codes)
    table.attrs |= {CODED: coded} if coded else {}
    texts = _merge_groups(table, codebook)
    texts += _mark(table, answers) if mark_formulas else []
    report = CleanReport(
        Changes(answers.without_table(), stays, sums, texts),
        _dropped(answers, reasons),
        turned,
        n_before=len(source),
        n_after=int(stays.sum()),
        notes=(
            *_turning_notes(answers),
            *_duration_notes(answers, min_seconds),
            *_name_notes(answers, mark_formulas),
        ),
    )
    return table, report


def _reasons_to_drop(
    answers: FlaggedAnswers,
    straight_lining: bool,
    min_seconds: float | None,
    max_missing: float | None,
    on_error: str,
) -> dict[int, list[str]]:
    """Return the positions of the respondents to drop, and why."""
    reasons_by_row: dict[str, NDArray[np.bool_]] = {}
    column = answers.codebook.duration
    if min_seconds is not None and column is not None:
        if not answers.has(column):
            raise DataError(f"min_seconds: column {column!r} is missing from the table, or doubled")
        reasons_by_row["too_fast"] = times_taken(answers.raw(column))[0] < min_seconds
    if straight_lining:
        blocks = [block for block in answers.blocks if len(block.places) >= MIN_BLOCK]
        if blocks:
            straight = [longest_runs(answers, b) == len(b.places) for b in blocks]
            reasons_by_row["straight_lining"] = np.all(straight, axis=0)
    if max_missing is not None:
        missing = answers.missing
        if on_error == "missing":
            missing = answers.flags[:, : answers.n_answers] != FINE
        reasons_by_row["missing_respondent"] = missing.mean(axis=1) > max_missing
    reasons: dict[int, list[str]] = {}
    for reason, rows in reasons_by_row.items():
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


def _sums(answers: FlaggedAnswers) -> NDArray[np.float64]:
    """Return what an answer and its turned one sum to (k,); NaN where nothing is turned."""
    book, sums = answers.codebook, np.full(len(answers.columns), np.nan)
    turn = set(book.turned) - set(answers.turned)
    for j, column in enumerate(answers.columns):
        bounds = book.bounds_of(column)
        if bounds is not None and book.name_of(column) in turn:
            sums[j] = sum(bounds)
    return sums


def _turned_but_not_reverse(answers: FlaggedAnswers) -> list[str]:
    turned = set(answers.codebook.turned)
    return [item for item in answers.turned if item not in turned]


def _turning_notes(answers: FlaggedAnswers) -> list[Text]:
    before = set(answers.turned)
    lists = {
        "turned_before": [item for item in answers.codebook.turned if item in before],
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


def _cleaned(
    answers: FlaggedAnswers, stays: NDArray[np.bool_], sums: NDArray[np.float64]
) -> pd.DataFrame:
    """Return the table of those who stay, with answers usable and turned."""
    import pandas as pd

    source, place = answers.table, {column: j for j, column in enumerate(answers.columns)}
    names, index = source.columns, source.index[stays]
    columns: dict[int, Any] = {}
    for position, name in enumerate(names):
        if name in place:
            j = place[name]
            values = answers.usable(stays, j)
            columns[position] = values if np.isnan(sums[j]) else sums[j] - values
        else:
            columns[position] = source.iloc[:, position][stays]
    table = pd.DataFrame(columns, index=index, copy=False)
    table.columns = names
    attributes = source.attrs.items()
    table.attrs = {key: value for key, value in attributes if key not in ATTRIBUTES_OF_A_FILE}
    return table


def _merge_groups(table: pd.DataFrame, codebook: Codebook) -> list[ChangedText]:
    """Give groups the names that the codebook declares, in place, and list the changes."""
    changes = []
    for column, said in codebook.groups.items():
        if not said.get("same") or column not in table.columns:
            continue
        before, same = table[column], said["same"]
        table[column] = merged(before, same)
        hits = before.isin(list(same)).to_numpy(bool)
        for row, name in zip(table.index[hits], before[hits], strict=True):
            changes.append(ChangedText(row, column, name, same[name], "group_name"))
    return changes


def _mark(table: pd.DataFrame, answers: FlaggedAnswers) -> list[ChangedText]:
    """Put a mark in front of texts that a spreadsheet would run, in place, and list them."""
    changes: list[ChangedText] = []
    for j in text_columns(table):
        column, name = table.iloc[:, j], table.columns[j]
        after: Any = marked(column)  # a whole column, of which pandas' types do not tell
        if after is not column:
            table.isetitem(j, after)
            changes += _listed(column, after, str(name))
    index = table.index
    levels = [index.get_level_values(k).to_series() for k in range(index.nlevels)]
    if any(runs(level) is not None for level in levels):
        changes += [change for level in levels for change in _listed(level, marked(level), None)]
        table.index = _as_index(list(map(marked, levels)), list(index.names))
    names = [_safe_name(name) for name in table.index.names]
    changes += _names_listed(list(table.index.names), names)
    table.index.names = names
    names = _safe_names(list(table.columns), set(answers.codebook.all_columns))
    changes += _names_listed(list(table.columns), names)
    table.columns = table.columns if names == list(table.columns) else names
    return changes


def _listed(before: pd.Series[Any], after: pd.Series[Any], column: str | None) -> list[ChangedText]:
    mask = runs(before)
    if mask is None:
        return []
    places = zip(before.index[mask], before[mask], after[mask], strict=True)
    return [ChangedText(row, column, str(a), str(b), "formula_text") for row, a, b in places]


def _names_listed(before: Sequence[Any], after: Sequence[Any]) -> list[ChangedText]:
    pairs = zip(before, after, strict=True)
    return [ChangedText(None, str(a), str(a), str(b), "formula_name") for a, b in pairs if a != b]


def _as_index(levels: list[pd.Series[Any]], names: list[Any]) -> pd.Index[Any]:
    import pandas as pd

    if len(levels) == 1:
        index: pd.Index[Any] = pd.Index(levels[0].array, name=names[0])
        return index
    return pd.MultiIndex.from_arrays([level.array for level in levels], names=names)


def _safe_name(name: Any) -> Any:
    return defused(name) if isinstance(name, str) else name


def _safe_names(names: list[Any], declared: set[Any]) -> list[Any]:
    """Return names of columns with marks; one that the codebook declares must stay as it is."""
    taken, safe = set(names), []
    for name in names:
        new = name if name in declared else _safe_name(name)
        while new != name and new in taken:
            new = defused("=")[0] + new
        taken.add(new)
        safe.append(new)
    return safe


def _name_notes(answers: FlaggedAnswers, mark_formulas: bool) -> list[Text]:
    """Return a note on declared names that a spreadsheet would run."""
    names = [
        repr(name) for name in answers.codebook.all_columns
        if mark_formulas and name in answers.name_counts and is_formula(name)
    ]  # fmt: skip
    return [both("survey.clean.note.formula_names", names=listed(names))] if names else []
