"""Check a table against its codebook: every problem, with row, column, value and what is allowed.

One function a kind of problem; `check` lists what they yield.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.display import in_words
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.export import is_formula
from cxstats.core.language import Text, both, label, listed
from cxstats.core.progress import long_work
from cxstats.core.result import Result
from cxstats.survey.answer_flags import (
    FINE,
    FLAG_KINDS,
    MIN_BLOCK,
    NEGATIVE,
    NOT_A_NUMBER,
    Block,
    FlaggedAnswers,
    flag_answers,
)
from cxstats.survey.choices import read_ticks, wrong_cells
from cxstats.survey.codebook import Codebook, as_codebook, has_points
from cxstats.survey.columns import date_forms
from cxstats.survey.direction import best_by_labels, labelled_ends, value_labels
from cxstats.survey.durations import seconds
from cxstats.survey.formula_texts import formula_texts
from cxstats.survey.group_names import alike
from cxstats.survey.personal_data import find_personal_data, masked_text
from cxstats.survey.problems import (
    NOTHING,
    Group,
    InCells,
    InRows,
    Listed,
    Problem,
    Problems,
    row_name,
)

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
    "mixed_dates": "warning",
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
    "formula_text": "warning",
}
SEVERITIES = ("error", "warning", "note")
COLUMNS = ("kind", "severity", "row", "column", "value", "allowed", "message")
POINTS_TOLERANCE = 0.02  # three times 33.33 is meant as 100
SHOWN = 20  # problems or respondents in a summary; the table has them all
TABLE_AT_MOST = 1_000_000  # problems that `table` holds; `problems` has them all


@dataclass(frozen=True, eq=False, repr=False)
class CheckReport(Result):
    """Every problem of a table, none left out.

    Attributes
    ----------
    problems : sequence of Problem
        Columns first, then cells row by row, then respondents, then items. Used as a tuple;
        each is built when it is asked for, since of a large table there are millions.
    n_rows, n_answers : int
        Respondents, and answer columns that could be read.
    """

    problems: Problems
    n_rows: int
    n_answers: int

    codes: ClassVar = {"kind": "survey.kind.{}", "severity": "survey.severity.{}"}

    @property
    def table(self) -> pd.DataFrame:
        """The problems, one row each: ``kind, severity, row, column, value, allowed, message``.

        At most the first million of them; `problems` has them all.

        Kind and severity are codes; what is allowed and the message are in English, whatever the
        language that is set. `as_table` gives them in another.
        """
        return self.as_table("en")

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with its texts in `lang`; its codes stay."""
        return self._rows(TABLE_AT_MOST, lang)

    def first_rows(self, n: int) -> tuple[pd.DataFrame, int]:
        """Return the first problems as people read them, and how many there are."""
        return in_words(self._rows(n, None), self.codes), len(self.problems)

    def _rows(self, n: int, lang: str | None) -> pd.DataFrame:
        import pandas as pd

        def cell(problem: Problem, column: str) -> Any:
            value = getattr(problem, column)
            return value.get(lang) if isinstance(value, Text) else value

        rows = [[cell(problem, name) for name in COLUMNS] for problem in islice(self.problems, n)]
        columns = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
        return pd.DataFrame(
            {
                name: pd.Series(list(cells), dtype=object)
                for name, cells in zip(COLUMNS, columns, strict=True)
            }
        )

    @property
    def counts(self) -> dict[str, int]:
        """How many problems there are of each kind."""
        counts: Counter[str] = Counter()
        for (_, kind), n in self.problems.counts.items():
            counts[kind] += n
        return {kind: counts[kind] for kind in KINDS}

    @property
    def errors(self) -> Problems:
        """The problems that keep a value from being used."""
        return self.problems.of("error")

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings and notes may remain."""
        return not self.errors

    def findings(self, lang: str) -> list[str]:
        """Return the counts of each kind, and the first messages of errors and warnings."""
        counts, severities = self.problems.counts, Counter[str]()
        for (severity, _), n in counts.items():
            severities[severity] += n
        size = {"rows": self.n_rows, "columns": self.n_answers}
        lines = [label("survey.check.head", lang, **size, **{s: severities[s] for s in SEVERITIES})]
        lines += [
            label(
                "survey.check.count",
                lang,
                n=f"{n:8d}",
                severity=label(f"survey.severity.{severity}", lang),
                kind=label(f"survey.kind.{kind}", lang),
            )
            for (severity, kind), n in sorted(counts.items(), key=_by_severity)
            if n
        ]
        for severity in SEVERITIES[:2]:
            problems = self.problems.of(severity)
            messages = [p.message.get(lang) for p in islice(problems, SHOWN)]
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


@long_work("check")
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
    # What a group builds later must not come from the table, which may change until then.
    still = answers.without_table()
    groups: list[Group] = [
        Listed(tuple(column_problems(answers))),
        cell_problems(still),
        Listed(tuple(_choice_problems(answers))),
        Listed(tuple(_label_problems(answers))),
        Listed(tuple(_group_problems(answers))),
        Listed(tuple(_date_problems(answers))),
        *_point_problems(still),
        *_missing_problems(still, max_missing),
        Listed(tuple(_time_problems(answers, min_seconds))),
        *_line_problems(still, straight_line_items),
        *_duplicate_problems(answers),
        Listed(tuple(_item_problems(answers))),
        Listed(tuple(_direction_problems(answers))),
        Listed(tuple(_personal_problems(answers))),
        Listed(tuple(_name_problems(answers))),
        *_formula_problems(answers),
    ]
    return CheckReport(Problems(groups), len(answers.table), answers.n_answers)


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
    return position + 1 if answers.labels_repeat else None


def _span(columns: tuple[str, ...]) -> str:
    return columns[0] if len(columns) == 1 else f"{columns[0]} ... {columns[-1]}"


def column_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the columns that are missing, doubled or not declared."""
    counts, book = answers.name_counts, answers.codebook
    declared, needed = dict.fromkeys(book.all_columns), set(book.answer_columns)
    for column in declared:
        if column not in counts:
            # Only the answers are needed by every analysis.
            severity = "error" if column in needed else "warning"
            yield _problem(answers, "missing_column", column=column, severity=severity)
    for column, count in counts.items():
        if count > 1:
            severity = "error" if column in declared else "warning"
            yield _problem(
                answers, "duplicated_column", column=column, severity=severity, count=count
            )
        if column not in declared:
            yield _problem(answers, "undeclared_column", column=column)


def cell_problems(answers: FlaggedAnswers, among: NDArray[np.bool_] | None = None) -> InCells:
    """Return answers that are no number, off the scale or declared codes, `among` rows."""
    allowed: dict[int, Text] = {}

    def build(i: int, j: int) -> Problem:
        if j not in allowed:
            allowed[j] = _allowed(answers, answers.columns[j])
        cell = (i, answers.columns[j], answers.cell(i, j), allowed[j])
        flag = answers.flags[i, j]
        severity = "error" if flag >= NOT_A_NUMBER else None
        sentence = "negative_points" if flag == NEGATIVE else ""
        return _problem(answers, FLAG_KINDS[flag], *cell, severity=severity, sentence=sentence)

    return InCells.among(answers, build, among)


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


def _point_problems(answers: FlaggedAnswers) -> Iterator[InRows]:
    """Yield the respondents whose points do not sum to 100."""
    points = answers.usable(columns=answers.points)
    flags = answers.flags[:, answers.points]
    if not points.size:
        return
    sums = np.nansum(points, axis=1)
    not_100 = np.abs(sums - 100) > POINTS_TOLERANCE
    not_100 &= (flags == FINE).any(axis=1) & (flags < NOT_A_NUMBER).all(axis=1)
    span, allowed = _span(answers.columns[answers.points]), both("survey.allowed.sum")

    def build(i: int) -> Problem:
        return _problem(answers, "points_not_100", i, span, float(sums[i]), allowed)

    yield InRows(np.flatnonzero(not_100), build, [("warning", "points_not_100")])


def _missing_problems(answers: FlaggedAnswers, max_missing: float | None) -> Iterator[InRows]:
    """Yield the respondents with answers missing, or all."""
    counts, total = answers.missing.sum(axis=1), answers.n_answers
    allowed = NOTHING
    if max_missing is not None:
        allowed = both("survey.allowed.share", share=f"{max_missing:g}")
    rows = np.flatnonzero(counts)
    over = counts[rows] / total > (np.inf if max_missing is None else max_missing)
    all_missing = counts[rows] == total
    kinds = [
        ("note", "missing_respondent"), ("warning", "missing_respondent"),
        ("warning", "all_missing"),
    ]  # fmt: skip
    codes = np.where(all_missing, 2, over.astype(np.intp))
    over_limit = np.zeros(len(counts), bool)
    over_limit[rows[over]] = True

    def build(i: int) -> Problem:
        n = int(counts[i])
        kind = "all_missing" if n == total else "missing_respondent"
        severity = "warning" if over_limit[i] else None
        return _problem(
            answers, kind, i, None, n, allowed,
            severity=severity, sentence="missing_answers", total=total,
        )  # fmt: skip

    yield InRows(rows, build, kinds, codes)


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


def _name_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the names of columns that a spreadsheet would run."""
    for name in answers.name_counts:
        if isinstance(name, str) and is_formula(name):
            yield _problem(answers, "formula_text", column=name, sentence="formula_name")


def _formula_problems(answers: FlaggedAnswers) -> Iterator[InRows]:
    """Yield the texts that a spreadsheet would run, in any column and in the labels of rows."""
    still = answers.without_table()
    for name, mask, cells in formula_texts(answers.table):
        texts = dict(zip(np.flatnonzero(mask).tolist(), cells, strict=True))

        def build(i: int, name: str | None = name, texts: dict[int, str] = texts) -> Problem:
            # What tells who a person is stands in no message.
            value = masked_text(texts[i], name or "")
            return _problem(still, "formula_text", i, name, value)

        yield InRows(np.flatnonzero(mask), build, [("warning", "formula_text")])


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


def longest_runs(answers: FlaggedAnswers, block: Block) -> NDArray[np.int64]:
    """Return the longest run (n,) of equal answers of each respondent in a block."""
    return np.concatenate([longest_run(answers.as_given(block, rows)) for rows in answers.slices()])


def _line_problems(answers: FlaggedAnswers, items: int | None) -> Iterator[InRows]:
    """Yield the respondents who gave one answer many times in a row."""
    for block in answers.blocks:
        if len(block.columns) < MIN_BLOCK:
            continue
        least = items or len(block.columns)
        longest, allowed = longest_runs(answers, block), both("survey.allowed.fewer", n=least)
        name, span = both(f"survey.role.{block.role}"), _span(block.columns)

        def build(
            i: int, runs: Any = longest, allowed: Text = allowed, role: Text = name,
            span: str = span,
        ) -> Problem:  # fmt: skip
            run = int(runs[i])
            return _problem(answers, "straight_lining", i, span, run, allowed, role=role)

        yield InRows(np.flatnonzero(longest >= least), build, [("warning", "straight_lining")])


def _duplicate_problems(answers: FlaggedAnswers) -> Iterator[InRows]:
    """Yield the respondents who stand twice, by identifier or by answers."""
    duplicates = answers.duplicates(np.ones(len(answers.table), dtype=bool))
    column = answers.codebook.respondent
    respondents, rows = duplicates["duplicate_respondent"], duplicates["duplicate_row"]
    identifiers = answers.raw(column) if column and respondents else []
    once = both("survey.allowed.once")
    still = answers.without_table()

    def place(position: int) -> Text:
        return row_name(still.rows[position], _number_of(still, position))

    def respondent(i: int) -> Problem:
        other = place(respondents[i])
        return _problem(still, "duplicate_respondent", i, column, identifiers[i], once, other=other)

    def row(i: int) -> Problem:
        return _problem(still, "duplicate_row", i, other=place(rows[i]))

    for pairs, build in ((respondents, respondent), (rows, row)):
        kind = [("warning", f"duplicate_{build.__name__}")]
        yield InRows(np.fromiter(pairs, np.intp, len(pairs)), build, kind)


def _item_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the items with answers missing, or with one answer only."""
    missing, n = answers.missing.sum(axis=0), len(answers.table)
    allowed = both("survey.allowed.two_answers")
    for j, column in enumerate(answers.columns[: answers.n_answers]):
        if missing[j]:
            severity = "warning" if missing[j] == n else None
            count = int(missing[j])
            yield _problem(answers, "missing_item", None, column, count, severity=severity, total=n)
        item = answers.usable(columns=j)
        item = item[~np.isnan(item)]
        if len(item) > 1 and (item == item[0]).all():
            answer = float(item[0])
            yield _problem(
                answers, "constant_item", None, column, answer, allowed, answer=f"{answer:g}"
            )


def _label_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield how many answers of a column are labels."""
    for j, column in enumerate(answers.columns):
        n = int(np.count_nonzero(answers.mapped[:, j]))
        if n:
            yield _problem(answers, "answer_label", None, column, n)


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


def _date_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the columns in which dates are written in several forms."""
    table = answers.table
    for column, count in answers.name_counts.items():
        if count > 1 or column in answers.columns or table[column].dtype.kind not in "OUT":
            continue
        forms = date_forms(table[column].tolist())
        if len(forms) > 1:
            written = listed(
                both("survey.dates.form", mark=repr(mark), n=n) if mark
                else both("survey.dates.date", n=n) for mark, n in forms.most_common()
            )  # fmt: skip
            yield _problem(answers, "mixed_dates", None, str(column), forms=written)


def _direction_problems(answers: FlaggedAnswers) -> Iterator[Problem]:
    """Yield the items whose labels call the other end of the scale good.

    Labels are those of the file (SPSS) or, without them, the answer labels of the codebook.
    """
    book = answers.codebook
    turned, turned_before, reverse = set(book.turned), set(answers.turned), set(book.reverse)
    for column in answers.columns:
        bounds = book.bounds_of(column)
        if bounds is None:
            continue
        item, declared = book.name_of(column), book.answer_labels(column)
        labels = {declared.codes.get(code, code): text
                  for code, text in value_labels(answers.table, column).items()}  # fmt: skip
        labels = labels or {number: text for text, number in declared.labels.items()}
        said, ends = best_by_labels(labels, *bounds), labelled_ends(labels, *bounds)
        read = "low" if item in turned and item not in turned_before else "high"
        if item in reverse or said in (None, read) or ends is None:
            continue
        (low, first), (high, last) = ends
        yield _problem(
            answers, "direction", None, column, None, low=f"{low:g}", high=f"{high:g}",
            first=first, last=last, best=said,
        )  # fmt: skip
