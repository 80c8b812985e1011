"""A client's file as a report uses it: read, checked, cleaned, and what was done on the way."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from cxstats.app.report.privacy import without_personal_columns
from cxstats.core.errors import CxError
from cxstats.core.language import Text, both
from cxstats.core.messages import excerpt, listing
from cxstats.stats.disclosure import check_min_cell

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.survey.check import CheckReport
    from cxstats.survey.clean import CleanReport
    from cxstats.survey.codebook import Codebook
    from cxstats.survey.report import ReadReport

T = TypeVar("T")

ALPHA = 0.05
MIN_CELL = 10  # respondents below which a cell is hidden
SYNTHETIC = ("synthetic", "simulated", "合成", "模拟")
LONG_SHEET = 15  # answers from which nobody else gives the same ones by chance
NO_RESPONDENTS = ("total", "preview", "test")  # kinds of rows that a report leaves out


@dataclass(frozen=True, eq=False)
class Client:
    """A client's file, ready for analysis.

    Attributes
    ----------
    file : str
        Its name, without the folder.
    sha256 : str
        Of its bytes.
    codebook : Codebook
        With the groups, wave and weights that were asked for, without personal columns.
    frame : pandas.DataFrame
        As read, without rows that are no respondents and without personal data.
    answers : pandas.DataFrame
        Cleaned: numbers, and what could not be used is missing.
    reading, problems, changes : ReadReport, CheckReport, CleanReport
        What was found in the file, what was wrong with it, what was changed.
    personal : pandas.DataFrame
        Which columns were left out, numbered or masked; see
        `cxstats.app.report.privacy.PrivateTable`.
    doubts : tuple of Text
        What may have been read otherwise than it was meant.
    targets : mapping of str to float
        By the name of a question or construct.
    min_cell : int
        Respondents below which a cell is hidden.
    seed : int
        Of everything that is drawn.
    alpha : float
        Adjusted p value up to which an order is stated.
    results : dict
        What was computed already; see `once`.
    """

    file: str
    sha256: str
    codebook: Codebook
    frame: pd.DataFrame
    answers: pd.DataFrame
    reading: ReadReport
    problems: CheckReport
    changes: CleanReport
    personal: pd.DataFrame
    doubts: tuple[Text, ...]
    targets: Mapping[str, float]
    min_cell: int
    seed: int
    alpha: float = ALPHA
    results: dict[Any, Any] = field(default_factory=dict)

    def once(self, key: tuple[Any, ...], build: Callable[[], T]) -> T:
        """Return what `build` computes, computed once for this file under this key."""
        if key not in self.results:
            self.results[key] = build()
        return cast("T", self.results[key])

    @property
    def synthetic(self) -> bool:
        """Whether the answers are simulated: the title of the codebook says so."""
        return any(word in str(self.codebook.title).lower() for word in SYNTHETIC)

    def name(self, name: str) -> Text:
        """Return the words of the codebook for a question, construct, item or column."""
        question = self.codebook.questions.get(name)
        words = question.label if question is not None and question.label else None
        if isinstance(words, Mapping):
            other = next(iter(words.values()))
            return Text(str(words.get("en", other)), str(words.get("zh", other)))
        if words:
            return Text(words, words)
        if question is not None and name not in self.codebook.labels and question.kind == "nps":
            return both("metric.name.nps")
        return Text(self.codebook.label(name, "en"), self.codebook.label(name, "zh"))


def open_client(  # noqa: PLR0913  (what a person says of a file)
    file: str | Path,
    codebook: Any,
    *,
    sheet: str | None = None,
    groups: Sequence[str] | None = None,
    wave: str | None = None,
    weights: str | None = None,
    targets: Mapping[str, float] | None = None,
    min_cell: int = MIN_CELL,
    leave_out: Sequence[str] = NO_RESPONDENTS,
    keep: Sequence[str] = (),
    seed: int = 1,
) -> Client:
    """Read, check and clean a client's file.

    Rows that are no respondents are left out and doubled respondents are dropped (without a column
    of respondents only where a sheet has 15 answers or more); a value that cannot be used becomes
    missing. The report lists all of it.

    Parameters
    ----------
    file : path
    codebook : Codebook, mapping of its keys, path, or name of one that ships
    sheet : str, optional
        Of a workbook.
    groups, wave, weights : optional
        Columns, in place of the codebook's.
    targets : mapping of str to float, optional
        By the name of a question or construct, in the unit of its metric (shares from 0 to 1).
    min_cell : int
        Respondents below which a cell is hidden.
    leave_out : sequence of str
        Kinds of rows that are no respondents, as in `cxstats.read_survey`.
    keep : sequence of str
        Columns that stay although they tell who a person is.
    seed : int

    Raises
    ------
    DataError, CxError
        Where the file cannot be read, the codebook does not fit, or an option is wrong.
    """
    from cxstats.survey.check import check
    from cxstats.survey.clean import clean
    from cxstats.survey.codebook import as_codebook
    from cxstats.survey.read import read_survey

    check_min_cell(min_cell)
    path = Path(file)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")  # what is doubtful stands in the report
        frame = read_survey(path, sheet=sheet, leave_out=leave_out)
    reading = frame.attrs["read_report"]
    book = _asked(as_codebook(codebook, frame), groups, wave, weights)
    _check_columns(frame, groups=groups, wave=wave, weights=weights)
    _check_targets(targets or {}, book)
    private = without_personal_columns(frame, book, keep)
    frame, book = private.frame, private.codebook
    problems = check(frame, book)
    answers, changes = clean(frame, book, drop_duplicates=_tells_doubles(book), on_error="missing")
    if book.design is not None:
        book.design.read(answers)  # a wrong weight is an error now, not in every chapter
    return Client(
        path.name,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        book,
        frame,
        answers,
        reading,
        problems,
        changes,
        private.table,
        (*reading.doubts, *private.notes),
        dict(targets or {}),
        min_cell,
        seed,
    )


def _asked(
    book: Codebook, groups: Sequence[str] | None, wave: str | None, weights: str | None
) -> Codebook:
    """Return the codebook with the columns that were named in place of its own."""
    asked: dict[str, Any] = {}
    if groups is not None:
        declared = book.groups if isinstance(book.groups, Mapping) else {}
        names = [groups] if isinstance(groups, str) else list(groups)
        asked["groups"] = {name: declared.get(name, {}) for name in names}
    if wave is not None:
        asked["wave"] = wave
    if weights is not None:
        asked["weights"] = weights
    book = replace(book, **asked) if asked else book
    if book.wave_column not in book.group_columns:
        return book
    labels = book.groups if isinstance(book.groups, Mapping) else {}
    compared = [name for name in book.group_columns if name != book.wave_column]  # compared once
    return replace(book, groups={name: labels.get(name, {}) for name in compared})


def _check_columns(
    frame: pd.DataFrame, *, groups: Sequence[str] | None, wave: str | None, weights: str | None
) -> None:
    """Raise for a column that was named and is not in the file."""
    named = [groups] if isinstance(groups, str) else list(groups or ())
    options = [*(("groups", name) for name in named), ("wave", wave), ("weights", weights)]
    for option, name in options:
        if name is not None and name not in frame:
            raise CxError(
                f"{option}: column {excerpt(name)} is not in the file; allowed: "
                f"{listing(frame.columns)}"
            )


def _tells_doubles(book: Codebook) -> bool:
    """Return whether two rows that are alike are one respondent: by identifier, or by length.

    Without an identifier equal answers are chance where questions are few: of 80 respondents who
    answer five items from 1 to 7 at random, some two or three are alike.
    """
    return book.respondent is not None or len(book.answer_columns) >= LONG_SHEET


def _check_targets(targets: Mapping[str, float], book: Codebook) -> None:
    rated = [name for name, question in book.questions.items() if question.is_rated]
    allowed = [*rated, *book.constructs]
    for name, value in targets.items():
        if name not in allowed:
            raise CxError(
                f"targets: {excerpt(name)} is no rated question or construct; allowed: "
                f"{', '.join(allowed)}"
            )
        low, high = _range(name, book)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            share = (low, high) == (0, 1) and number and 1 < value <= 100
            hint = f"; a share of {value:g} % is {value / 100:g}" if share else ""
            limits = "a number" if np.isinf(high) else f"a number from {low:g} to {high:g}"
            raise CxError(f"targets: {name}={excerpt(value)}; allowed: {limits}{hint}")


def _range(name: str, book: Codebook) -> tuple[float, float]:
    """Return the lowest and highest value that a metric or a mean score can have."""
    if name in book.questions:
        question = book.questions[name]
        if question.kind == "nps":
            return -100, 100
        scale = book.bounds_of(str(question.column)) or (-np.inf, np.inf)
        return (0, 1) if question.kind == "csat" else scale
    bounds = [book.bounds(item) for item in book.constructs[name]]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    return (low - high, high - low) if book.expectation else (low, high)
