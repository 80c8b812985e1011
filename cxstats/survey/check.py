"""Check a table against its codebook: every problem, with row, column, value and what is allowed.

One function a kind of problem; `check` lists what they yield.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both, label, listed
from cxstats.core.result import Result
from cxstats.survey.answer_flags import (
    DECLARED,
    FINE,
    FLAG_KINDS,
    MIN_BLOCK,
    NEGATIVE,
    NOT_A_NUMBER,
    FlaggedAnswers,
    flag_answers,
)
from cxstats.survey.choices import read_ticks, wrong_cells
from cxstats.survey.codebook import Codebook, as_codebook, has_points
from cxstats.survey.direction import best_by_labels, labelled_ends, value_labels
from cxstats.survey.durations import seconds
from cxstats.survey.group_names import alike
from cxstats.survey.personal_data import find_personal_data

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# Kind of problem -> how bad it is. An "error" is a value that no analysis can use, a "warning"
# a doubt that the analyst decides on, a "note" something to know.
KINDS = {
    "missing_column": "error",
    "duplicated_column": "error",
    "undeclared_column": "note",
    "not_a_number": "error",
    "infinite": "error",
    "out_of_range": "error",
    "not_on_scale": "error",
    "not_a_tick": "error",
    "answer_label": "note",
    "alike_groups": "warning",
    "declared_missing": "note",
    "points_not_100": "warning",
    "all_missing": "warning",
    "missing_respondent": "note",
    "too_fast": "warning",
    "straight_lining": "warning",
    "duplicate_respondent": "warning",
    "duplicate_row": "warning",
    "missing_item": "note",
    "constant_item": "warning",
    "direction": "warning",
    "personal_data": "warning",
}
SEVERITIES = ("error", "warning", "note")
COLUMNS = ("kind", "severity", "row", "column", "value", "allowed", "message")
POINTS_TOLERANCE = 0.02  # three times 33.33 is meant as 100
SHOWN = 20  # problems or respondents in a summary; the table has them all
LONGEST_VALUE = 80  # characters of a value in a message
NOTHING = Text("", "")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing in a table that is not as the codebook says.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    severity : {"error", "warning", "note"}
    row : object
        The label of the row in the table's index; None for a problem of a column.
    column : str or None
        The column, "first ... last" for a block of columns; None for a problem of a row.
    value : object
        What stands there.
    allowed : Text
        What may stand there; empty where that says nothing.
    sentence : str
        Key of its sentence in the catalogue, without ``survey.problem.``.
    number : int or None
        The number of the row, where the index has its label twice.
    respondent : object
        The identifier in this row, where the codebook names its column.
    details : mapping
        What the sentence needs beyond place and value.
    """

    kind: str
    severity: str
    row: Any
    column: str | None
    value: Any = None
    allowed: Text = NOTHING
    sentence: str = ""
    number: int | None = None
    respondent: Any = None
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> Text:
        """All of it in a sentence, in both languages."""
        key = self.sentence or self.kind
        values = {"place": self._place(), "value": _written(self.value), **self.details}
        text = both(f"survey.problem.{key}", **values)
        if self.allowed != NOTHING:
            text = both("survey.allowed", text=text, allowed=self.allowed)
        if self.respondent is None:
            return text
        return both("survey.respondent", text=text, respondent=_written(self.respondent))

    def _place(self) -> Text:
        column = both("survey.place.column", column=repr(self.column))
        if self.row is None:
            return column
        row = row_name(self.row, self.number)
        return row if self.column is None else both("survey.place.cell", row=row, column=column)


def row_name(row: Any, number: int | None = None) -> Text:
    """Name a row by its label, and by its number where the label does not say which."""
    if number is None:
        return both("survey.place.row", row=repr(row))
    return both("survey.place.row.number", row=repr(row), number=number)


def _written(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


@dataclass(frozen=True, eq=False, repr=False)
class CheckReport(Result):
    """Every problem of a table, none left out.

    Attributes
    ----------
    problems : tuple of Problem
        Columns first, then cells row by row, then respondents, then items.
    n_rows, n_answers : int
        Respondents, and answer columns that could be read.
    """

    problems: tuple[Problem, ...]
    n_rows: int
    n_answers: int

    codes: ClassVar = {"kind": "survey.kind.{}", "severity": "survey.severity.{}"}

    @property
    def table(self) -> pd.DataFrame:
        """The problems, one row each: ``kind, severity, row, column, value, allowed, message``.

        Kind and severity are codes; what is allowed and the message are in English, whatever the
        language that is set. `as_table` gives them in another.
        """
        return self.as_table("en")

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with its texts in `lang`; its codes stay."""
        import pandas as pd

        def cell(problem: Problem, column: str) -> Any:
            value = getattr(problem, column)
            return value.get(lang) if isinstance(value, Text) else value

        columns = {
            name: pd.Series([cell(problem, name) for problem in self.problems], dtype=object)
            for name in COLUMNS
        }
        return pd.DataFrame(columns)

    @property
    def counts(self) -> dict[str, int]:
        """How many problems there are of each kind."""
        counts = Counter(problem.kind for problem in self.problems)
        return {kind: counts[kind] for kind in KINDS}

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep a value from being used."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings and notes may remain."""
        return not self.errors

    def findings(self, lang: str) -> list[str]:
        """Return the counts of each kind, and the first messages of errors and warnings."""
        severities = Counter(problem.severity for problem in self.problems)
        size = {"rows": self.n_rows, "columns": self.n_answers}
        lines = [label("survey.check.head", lang, **size, **{s: severities[s] for s in SEVERITIES})]
        counts = Counter((problem.severity, problem.kind) for problem in self.problems)
        lines += [
            label(
                "survey.check.count",
                lang,
                n=f"{n:8d}",
                severity=label(f"survey.severity.{severity}", lang),
                kind=label(f"survey.kind.{kind}", lang),
            )
            for (severity, kind), n in sorted(counts.items(), key=_by_severity)
        ]
        for severity in SEVERITIES[:2]:
            problems = [p for p in self.problems if p.severity == severity]
            messages = [p.message.get(lang) for p in problems[:SHOWN]]
            head = label(f"survey.severity.{severity}", lang)
            lines += first_of(head, messages, len(problems), lang)
        return lines


def _by_severity(entry: tuple[tuple[str, str], int]) -> tuple[int, int]:
    (severity, kind), _ = entry
    return SEVERITIES.index(severity), list(KINDS).index(kind)


def first_of(head: str, lines: list[str], n: int, lang: str) -> list[str]:
    """Return a heading, the first lines below it, and how many of `n` are left out."""
    if not n:
        return []
    more = [label("survey.more", lang, n=n - SHOWN)] if n > SHOWN else []
    below = [f"  {line}" for line in [*lines[:SHOWN], *more]]
    return [label("survey.list", lang, head=head), *below]


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
    codebook : Codebook, mapping of its keys, path, or name of one that ships
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
    >>> print(report.problems[1].message.zh)
    行 1，列 's1'：9 超出量表范围；允许：1 到 7 的整数
    """
    codebook = as_codebook(codebook)
    check_limits(codebook, min_seconds, max_missing)
    least = straight_line_items
    if least is not None and not (isinstance(least, int) and least >= MIN_BLOCK):
        raise CxError(
            f"straight_line_items={least!r} is not allowed; allowed: whole numbers from {MIN_BLOCK}"
        )
    answers = flag_answers(as_pandas(frame), codebook)
    problems = (
        *column_problems(answers),
        *cell_problems(answers),
        *_choice_problems(answers),
        *_label_problems(answers),
        *_group_problems(answers),
        *_point_problems(answers),
        *_missing_problems(answers, max_missing),
        *_time_problems(answers, min_seconds),
        *_line_problems(answers, straight_line_items),
        *_duplicate_problems(answers),
        *_item_problems(answers),
        *_direction_problems(answers),
        *_personal_problems(answers),
    )
    return CheckReport(problems, len(answers.table), answers.n_answers)


def check_limits(codebook: Codebook, min_seconds: float | None, max_missing: float | None) -> None:
    """Raise if a limit of time or of missing answers cannot be applied."""
    if min_seconds is not None:
        if not (isinstance(min_seconds, Real) and 0 <= min_seconds < np.inf):
            raise CxError(f"min_seconds={min_seconds!r} is not allowed; allowed: seconds from 0 on")
        if codebook.duration is None:
            raise DataError("min_seconds needs the time taken: the codebook has no 'duration'")
    if max_missing is not None and not (isinstance(max_missing, Real) and 0 <= max_missing <= 1):
        raise CxError(f"max_missing={max_missing!r} is not allowed; allowed: a share from 0 to 1")


def _problem(
    answers: FlaggedAnswers,
    kind: str,
    position: int | None = None,
    column: str | None = None,
    value: Any = None,
    allowed: Text = NOTHING,
    *,
    severity: str | None = None,
    sentence: str = "",
    **details: object,
) -> Problem:
    """Return a problem of a row, by its position, of a column or of a cell."""
    row, number, respondent = None, None, None
    if position is not None:
        row, number = answers.rows[position], _number_of(answers, position)
        if answers.respondents and column != answers.codebook.respondent:
            respondent = _identifier(answers.respondents[position])
    severity = severity or KINDS[kind]
    return Problem(
        kind, severity, row, column, value, allowed, sentence, number, respondent, details
    )


def _identifier(value: Any) -> Any:
    """Return an identifier, whole numbers as such; None where there is none."""
    if value is None or value != value or value == "":  # noqa: PLR0124  (NaN differs from itself)
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number_of(answers: FlaggedAnswers, position: int) -> int | None:
    return None if answers.table.index.is_unique else position + 1


def _span(columns: tuple[str, ...]) -> str:
    return columns[0] if len(columns) == 1 else f"{columns[0]} ... {columns[-1]}"


def column_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the columns that are missing, doubled or not declared."""
    names, book = list(answers.table.columns), answers.codebook
    for column in book.all_columns:
        if column not in names:
            # Only the answers are needed by every analysis.
            severity = "error" if column in book.answer_columns else "warning"
            yield _problem(answers, "missing_column", column=column, severity=severity)
    for column in dict.fromkeys(names):
        count = names.count(column)
        if count > 1:
            severity = "error" if column in book.all_columns else "warning"
            yield _problem(
                answers, "duplicated_column", column=column, severity=severity, count=count
            )
        if column not in book.all_columns:
            yield _problem(answers, "undeclared_column", column=column)


def cell_problems(
    answers: FlaggedAnswers, among: NDArray[np.bool_] | None = None
) -> Iterator[Problem]:
    """Yield answers that are no number, off the scale or declared codes, `among` rows."""
    odd = answers.flags >= DECLARED
    if among is not None:
        odd &= among[:, None]
    touched = np.flatnonzero(odd.any(axis=0)).tolist()
    raw = {j: answers.raw(answers.columns[j]) for j in touched}
    allowed = {j: _allowed(answers, answers.columns[j]) for j in touched}
    for i, j in zip(*(place.tolist() for place in np.nonzero(odd)), strict=True):
        cell = (i, answers.columns[j], raw[j][i], allowed[j])
        flag = answers.flags[i, j]
        severity = "error" if flag >= NOT_A_NUMBER else None
        sentence = "negative_points" if flag == NEGATIVE else ""
        yield _problem(answers, FLAG_KINDS[flag], *cell, severity=severity, sentence=sentence)


def _choice_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the cells of check-all-that-apply that say neither ticked nor not ticked."""
    book = answers.codebook
    for question in book.questions.values():
        if question.kind == "choices" and all(map(answers.has, question.all_columns)):
            ticks = read_ticks(answers.table, question, book.missing)
            for i, column, value, allowed in wrong_cells(answers.table, question, ticks):
                yield _problem(answers, "not_a_tick", i, column, value, allowed)


def _allowed(answers: FlaggedAnswers, column: str) -> Text:
    """Return what may stand in a column."""
    book = answers.codebook
    bounds = book.bounds_of(column)
    if bounds is None:
        return both("survey.allowed.points")
    low, high = bounds
    kind = "whole" if has_points(low, high) else "numbers"
    allowed = both(f"survey.allowed.{kind}", low=f"{low:g}", high=f"{high:g}")
    if not book.missing:
        return allowed
    codes = listed(code if isinstance(code, str) else f"{code:g}" for code in book.missing)
    return both("survey.allowed.codes", allowed=allowed, codes=codes)


def _point_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the respondents whose points do not sum to 100."""
    points, flags = answers.usable[:, answers.points], answers.flags[:, answers.points]
    if not points.size:
        return
    sums = np.nansum(points, axis=1)
    not_100 = np.abs(sums - 100) > POINTS_TOLERANCE
    not_100 &= (flags == FINE).any(axis=1) & (flags < NOT_A_NUMBER).all(axis=1)
    span, allowed = _span(answers.columns[answers.points]), both("survey.allowed.sum")
    for i in np.flatnonzero(not_100).tolist():
        yield _problem(answers, "points_not_100", i, span, float(sums[i]), allowed)


def _missing_problems(answers: FlaggedAnswers, max_missing: float | None) -> Iterator[Problem]:
    """Yield the respondents with answers missing, or all."""
    counts, total = answers.missing.sum(axis=1), answers.n_answers
    allowed = NOTHING
    if max_missing is not None:
        allowed = both("survey.allowed.share", share=f"{max_missing:g}")
    for i in np.flatnonzero(counts).tolist():
        n = int(counts[i])
        kind = "all_missing" if n == total else "missing_respondent"
        over = max_missing is not None and n / total > max_missing
        severity = "warning" if over else None
        yield _problem(
            answers, kind, i, None, n, allowed,
            severity=severity, sentence="missing_answers", total=total,
        )  # fmt: skip


def _time_problems(answers: FlaggedAnswers, min_seconds: float | None) -> Iterator[Problem]:
    """Yield the times taken that cannot be read or are too short."""
    column = answers.codebook.duration
    if column is None or not answers.has(column):
        return
    raw = answers.raw(column)
    times, bad = times_taken(raw)
    allowed = both("survey.allowed.seconds")
    for i in np.flatnonzero(bad).tolist():
        yield _problem(answers, "not_a_number", i, column, raw[i], allowed, severity="warning")
    if min_seconds:
        allowed = both("survey.allowed.seconds_from", least=f"{min_seconds:g}")
    else:
        allowed = both("survey.allowed.seconds_positive")
    fast = (times <= 0) | (times < (min_seconds or 0))
    for i in np.flatnonzero(fast).tolist():
        yield _problem(answers, "too_fast", i, column, float(times[i]), allowed)


def times_taken(cells: list[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return times taken in seconds (n,), NaN where there is none, and which cannot be read."""
    import pandas as pd

    times = np.array([seconds(cell) for cell in cells], float)
    filled = np.array([cell is not None and cell != "" for cell in cells]) & ~pd.isna(cells)
    return times, np.isnan(times) & filled


def _personal_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the columns that tell who a person is; never what stands there."""
    table = answers.table.drop(columns=list(dict.fromkeys(answers.columns)))
    table = table.loc[:, ~table.columns.duplicated()]
    for row in find_personal_data(table).table.itertuples() if table.shape[1] else ():
        kind = both(f"survey.personal.{row.kind}")
        yield _problem(answers, "personal_data", None, str(row.column), n=row.n, what=kind)


def longest_run(block: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the longest run of equal neighbours (n,) in the rows of a block (n, items).

    Examples
    --------
    >>> longest_run(np.array([[3.0, 3.0, 1.0], [1.0, np.nan, 2.0]])).tolist()
    [2, 1]
    """
    run = (~np.isnan(block[:, 0])).astype(np.int64)
    longest = run.copy()
    for before, here in zip(block.T[:-1], block.T[1:], strict=True):
        run = np.where(here == before, run + 1, ~np.isnan(here))
        longest = np.maximum(longest, run)
    return longest


def _line_problems(answers: FlaggedAnswers, items: int | None) -> Iterator[Problem]:
    """Yield the respondents who gave one answer many times in a row."""
    for role, columns, block in answers.blocks():
        if len(columns) < MIN_BLOCK:
            continue
        least = items or len(columns)
        longest, allowed = longest_run(block), both("survey.allowed.fewer", n=least)
        name = both(f"survey.role.{role}")
        for i in np.flatnonzero(longest >= least).tolist():
            run = int(longest[i])
            yield _problem(answers, "straight_lining", i, _span(columns), run, allowed, role=name)


def _duplicate_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the respondents who stand twice, by identifier or by answers."""
    duplicates = answers.duplicates(np.ones(len(answers.table), dtype=bool))
    column = answers.codebook.respondent
    identifiers = answers.raw(column) if column and duplicates["duplicate_respondent"] else []
    once = both("survey.allowed.once")

    def place(position: int) -> Text:
        return row_name(answers.rows[position], _number_of(answers, position))

    for i, earlier in duplicates["duplicate_respondent"].items():
        yield _problem(
            answers, "duplicate_respondent", i, column, identifiers[i], once, other=place(earlier)
        )
    for i, earlier in duplicates["duplicate_row"].items():
        yield _problem(answers, "duplicate_row", i, other=place(earlier))


def _item_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the items with answers missing, or with one answer only."""
    usable, missing, n = answers.usable, answers.missing.sum(axis=0), len(answers.table)
    allowed = both("survey.allowed.two_answers")
    for j, column in enumerate(answers.columns[: answers.n_answers]):
        if missing[j]:
            severity = "warning" if missing[j] == n else None
            count = int(missing[j])
            yield _problem(answers, "missing_item", None, column, count, severity=severity, total=n)
        item = usable[~np.isnan(usable[:, j]), j]
        if len(item) > 1 and (item == item[0]).all():
            answer = float(item[0])
            yield _problem(
                answers, "constant_item", None, column, answer, allowed, answer=f"{answer:g}"
            )


def _label_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield how many answers of a column are labels."""
    for j, n in enumerate(answers.mapped.sum(axis=0).tolist()):
        if n:
            yield _problem(answers, "answer_label", None, answers.columns[j], n)


def _group_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the groups whose names differ in what is hardly seen, and how to make them one."""
    book = answers.codebook
    for column in (*book.groups, *([book.wave_column] if book.wave_column else [])):
        if not answers.has(column):
            continue
        same = book.groups.get(column, {}).get("same", {})
        for (first, n_first), (second, n_second) in alike(answers.table[column], same):
            allowed = NOTHING
            if column in book.groups:
                allowed = both("survey.allowed.same", column=column, first=first, second=second)
            yield _problem(
                answers, "alike_groups", None, column, None, allowed,
                first=repr(first), second=repr(second), n_first=n_first, n_second=n_second,
            )  # fmt: skip


def _direction_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the items whose labels call the other end of the scale good.

    Labels are those of the file (SPSS) or, without them, the answer labels of the codebook.
    """
    book = answers.codebook
    for column in answers.columns:
        bounds = book.bounds_of(column)
        if bounds is None:
            continue
        item, declared = book.name_of(column), book.answer_labels(column)
        labels = {declared.codes.get(code, code): text
                  for code, text in value_labels(answers.table, column).items()}  # fmt: skip
        labels = labels or {number: text for text, number in declared.labels.items()}
        said, ends = best_by_labels(labels, *bounds), labelled_ends(labels, *bounds)
        read = "low" if item in book.turned and item not in answers.turned else "high"
        if item in book.reverse or said in (None, read) or ends is None:
            continue
        (low, first), (high, last) = ends
        yield _problem(
            answers, "direction", None, column, None, low=f"{low:g}", high=f"{high:g}",
            first=first, last=last, best=said,
        )  # fmt: skip
