"""``cxstats.ready``: which analyses the columns of a file allow, and what the others lack.

One `Analysis` says how its method is called and, by `needs`, which columns it takes, what is
missing, and whether there are fewer rows than its method was tried with. Nothing is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from cxstats.app.report.file_evidence import Evidence, comments, evidence_of, n_different
from cxstats.core.engines import as_pandas
from cxstats.core.errors import DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both, check_lang, label
from cxstats.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.survey.codebook import Codebook
    from cxstats.survey.questions import Question

FRAME, BOOK = "frame", "codebook"
PER_DRIVER = 10  # complete answers a driver, below which we say so; a convention
FEWEST_WAVES = 3
OUTCOMES = ("csat", "nps", "rating", "ces")  # questions that drivers explain, the usual one first


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A file with what its columns are: what every analysis looks at.

    Attributes
    ----------
    frame : pandas.DataFrame
    book : Codebook or None
        None where no column is an answer.
    evidence : Evidence
    texts : tuple of str
        Columns of comments.
    """

    frame: pd.DataFrame
    book: Codebook | None
    evidence: Evidence
    texts: tuple[str, ...]

    def questions(self, kind: str) -> list[Question]:
        """Return the questions of a kind whose columns are in the file."""
        asked = () if self.book is None else self.book.questions.values()
        return [q for q in asked if q.kind == kind and self.has(*q.all_columns)]

    def constructs(self, least: int) -> dict[str, tuple[str, ...]]:
        """Return the constructs of at least so many items, with their columns in the main role."""
        if self.book is None:
            return {}
        columns = {name: self.book.columns(construct=name) for name in self.book.constructs}
        return {
            n: items for n, items in columns.items() if len(items) >= least and self.has(*items)
        }

    def has(self, *columns: str) -> bool:
        """Return whether all columns are in the file."""
        return all(column in self.frame.columns for column in columns)

    def n(self, *columns: str) -> int:
        """Return the rows in which all columns hold something."""
        return int(self.frame[list(columns)].notna().all(axis=1).sum())

    @property
    def outcome(self) -> Question | None:
        """The overall rating that others may explain."""
        return next((q for kind in OUTCOMES for q in self.questions(kind)), None)

    @property
    def items(self) -> tuple[str, ...]:
        """The rated columns of constructs; without constructs the ratings beside the outcome."""
        items = tuple(column for columns in self.constructs(1).values() for column in columns)
        outcome = self.outcome
        others = [q.all_columns[0] for q in self.questions("rating") if q is not outcome]
        return items or tuple(others)

    @property
    def groups(self) -> list[str]:
        """The columns that group respondents into two or more groups."""
        names = () if self.book is None else self.book.group_columns
        return [name for name in names if self.has(name) and n_different(self.frame, name) > 1]


@dataclass(frozen=True, slots=True)
class Need:
    """What an analysis takes and lacks.

    Attributes
    ----------
    columns : tuple of str
        Columns that it uses.
    call : str
        The call, with `frame` and `codebook` for the file and its codebook.
    missing : tuple of Text
        What is missing; nothing where the analysis is possible.
    cautions : tuple of Text
        Where there are few rows, and what a person has to say beside the file.
    """

    columns: tuple[str, ...] = ()
    call: str = ""
    missing: tuple[Text, ...] = ()
    cautions: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """An analysis by its key in the texts, its function, and what it needs."""

    key: str
    function: str
    needs: Callable[[Columns], Need]
    of_survey: bool = False  # whether it needs answers to questions

    def need(self, columns: Columns) -> Need:
        """Return what it takes and lacks."""
        if self.of_survey and columns.book is None:
            return _lacks("survey")
        return self.needs(columns)


@dataclass(frozen=True, eq=False, repr=False)
class Readiness(Result):
    """Which analyses a file allows.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per analysis: ``analysis`` (its key), ``possible``, ``call`` (with `frame` and
        `codebook`; where something is missing, the function alone), ``missing``, ``caution``,
        ``columns_used``.
    needs : mapping of str to Need
        By the key of the analysis.
    kind : {"survey", "transactions", "events", "register", "other"}
        What the file holds.
    n : int
        Rows.
    draft : bool
        Whether the codebook was drafted from the file, so that all of this rests on a guess.
    notes : tuple of Text
    """

    needs: Mapping[str, Need]
    kind: str
    n: int
    draft: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {"analysis": "ready.analysis.{}"}

    @property
    def table(self) -> pd.DataFrame:
        """The analyses, texts in English."""
        return self.as_table("en")

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return the analyses with what is missing in `lang`."""
        import pandas as pd

        lang = check_lang(lang)
        rows = [
            {
                "analysis": analysis.key,
                "possible": not need.missing,
                "call": need.call or f"cx.{analysis.function}",
                "missing": _joined(need.missing, lang),
                "caution": _joined(need.cautions, lang),
                "columns_used": ", ".join(need.columns),
            }
            for analysis in ANALYSES
            for need in [self.needs[analysis.key]]
        ]
        return pd.DataFrame(rows)

    def is_possible(self, key: str) -> bool:
        """Return whether an analysis, by its key, has all that it needs."""
        return not self.needs[key].missing

    def findings(self, lang: str) -> list[str]:
        """Return what the file is, what can be done with it, and what cannot, and why."""
        possible = [a for a in ANALYSES if self.is_possible(a.key)]
        lines = [
            label(f"ready.head.{self.kind}", lang, n=format_number(self.n)),
            label("ready.possible", lang, k=len(possible), n=len(ANALYSES)),
        ]
        lines += [self._line("ready.row", a, self.needs[a.key].cautions, lang) for a in possible]
        lacking = [a for a in ANALYSES if a not in possible]
        lines.append(label("ready.impossible", lang, k=len(lacking)))
        lines += [self._line("ready.row", a, self.needs[a.key].missing, lang) for a in lacking]
        return lines

    def _line(self, key: str, analysis: Analysis, texts: Iterable[Text], lang: str) -> str:
        name = label(f"ready.analysis.{analysis.key}", lang)
        said = _joined(texts, lang)
        return "  " + (label(key, lang, name=name, text=said) if said else name)


def ready(
    file: Any, codebook: Any = None, *, lang: str | None = None, sheet: str | None = None
) -> Readiness:
    """Say which analyses a file allows, and what the others lack.

    Parameters
    ----------
    file : path, or table
        A file that `cxstats.read_survey` reads, or a table.
    codebook : Codebook, mapping, path or name, optional
        Without it one is drafted; the answer rests on the draft then, which a note says.
    lang : {"en", "zh"}, optional
        Language of the names that a draft proposes.
    sheet : str, optional
        Of a workbook.

    Returns
    -------
    Readiness

    Raises
    ------
    DataError, CxError
        If the file or the codebook cannot be read.

    Notes
    -----
    Cells that hold something are counted as answers: `cxstats.check` says whether they are.
    Customers, times, amounts, events and arms of an experiment are taken from the usual headings in
    English and Chinese. A rare heading is not recognised: name the column in the method's call.

    Examples
    --------
    >>> import cxstats as cx
    >>> purchases = cx.load_cdnow()
    >>> result = ready(purchases)
    >>> result.kind, result.is_possible("rfm"), result.is_possible("nps")
    ('transactions', True, False)
    """
    from cxstats.survey.codebook import as_codebook

    lang = check_lang(lang)
    frame = _read(file, sheet)
    evidence = evidence_of(frame)
    drafted = codebook is None
    book = _drafted(frame, evidence, lang) if drafted else as_codebook(codebook, frame)
    asked = [] if book is None else [q for q in book.questions.values() if q.kind == "text"]
    texts = tuple(q.all_columns[0] for q in asked if q.all_columns[0] in frame.columns)
    columns = Columns(frame, book, evidence, texts or comments(frame))
    kind = "survey" if book is not None else evidence.kind or "other"
    needs = {analysis.key: analysis.need(columns) for analysis in ANALYSES}
    notes = [both("ready.note.draft")] if drafted and book is not None else []
    if book is not None:
        absent = [name for name in book.all_columns if name not in frame.columns]
        if absent:
            notes.append(both("ready.note.absent", names=", ".join(absent[:12]), k=len(absent)))
    elif evidence.kind:
        notes.append(both(f"ready.note.{evidence.kind}"))
    return Readiness(needs, kind, len(frame), drafted and book is not None, tuple(notes))


def _read(file: Any, sheet: str | None) -> pd.DataFrame:
    import warnings

    from cxstats.survey.read import read_survey

    if not isinstance(file, str | Path):
        return as_pandas(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `cxstats.check` says what is doubtful
        return read_survey(file, sheet=sheet)


def _drafted(frame: pd.DataFrame, evidence: Evidence, lang: str) -> Codebook | None:
    """Return a codebook drafted from the file; None where it is no questionnaire."""
    from cxstats.survey.codebook import Codebook

    try:
        book = Codebook.draft(frame, lang).codebook
    except DataError:
        return None
    # Quantities and codes of a log may look like ratings: several questions make a questionnaire.
    n_asked = len(book.items) + len(book.questions)
    in_logs = {column for columns in evidence.roles.values() for column in columns}
    n_real = sum(not set(q.all_columns) <= in_logs for q in book.questions.values())
    if evidence.kind and len(book.items) + n_real < 3:
        return None
    return book if n_asked else None


def _joined(texts: Iterable[Text], lang: str) -> str:
    return ("；" if lang == "zh" else "; ").join(text.get(lang) for text in texts)


# ---- what each analysis needs -----------------------------------------------------------------


def _lacks(name: str, **values: Any) -> Need:
    return Need(missing=(both(f"ready.missing.{name}", **values),))


def _few(n: int, least: int) -> tuple[Text, ...]:
    """Say that there are fewer rows than the method was tried with."""
    return (both("ready.caution.few", n=format_number(n), least=least),) if n < least else ()


def _said(name: str) -> tuple[Text, ...]:
    """Say what a person has to say beside the file."""
    return (both(f"ready.caution.{name}"),)


def _rated(kind: str, function: str) -> Callable[[Columns], Need]:
    """Return the needs of a metric of one question."""

    def needs(columns: Columns) -> Need:
        from cxstats.stats.means import ENOUGH

        asked = columns.questions(kind)
        if not asked:
            return _lacks(kind)
        names = tuple(question.all_columns[0] for question in asked)
        if not (n := columns.n(names[0])):
            return _lacks("answers", column=names[0])
        call = f"cx.{function}({FRAME}, column={names[0]!r}, codebook={BOOK})"
        return Need(names, call, cautions=_few(n, ENOUGH["t"]))

    return needs


def _choices(columns: Columns) -> Need:
    asked = columns.questions("choices")
    if not asked:
        return _lacks("choices")
    names = tuple(name for question in asked for name in question.all_columns)
    return Need(names, f"cx.choices({FRAME}, {asked[0].name!r}, codebook={BOOK})")


def _metric_call(columns: Columns, by: str) -> tuple[str, str] | None:
    """Return the column of a metric and its call by a column of groups or waves."""
    question = columns.outcome
    if question is None:
        return None
    function = {"rating": "csat"}.get(question.kind, question.kind)
    column = question.all_columns[0]
    return column, f"cx.{function}({FRAME}, column={column!r}, by={by!r}, codebook={BOOK})"


def _by_group(columns: Columns) -> Need:
    if not columns.groups:
        return _lacks("groups")
    metric = _metric_call(columns, columns.groups[0])
    if metric is None:
        return _lacks("metric")
    column, call = metric
    sizes = columns.frame.loc[columns.frame[column].notna(), columns.groups[0]].value_counts()
    smallest = int(sizes.min()) if len(sizes) else 0
    from cxstats.app.report.client import MIN_CELL

    hidden = (
        (both("ready.caution.small_group", n=smallest, least=MIN_CELL),)
        if smallest < MIN_CELL
        else ()
    )
    return Need((column, *columns.groups), call, cautions=hidden)


def _track(columns: Columns) -> Need:
    wave = None if columns.book is None else columns.book.wave_column
    if wave is None or not columns.has(wave):
        return _lacks("wave")
    n_waves = n_different(columns.frame, wave)
    if n_waves < FEWEST_WAVES:
        return _lacks("waves", n=n_waves, least=FEWEST_WAVES)
    metric = _metric_call(columns, wave)
    if metric is None:
        return _lacks("metric")
    return Need((metric[0], wave), f"cx.track({metric[1]})")


def _servqual(columns: Columns) -> Need:
    book = columns.book
    if book is None or not book.constructs:
        return _lacks("items", least=1)
    if not {"perception", "expectation"} <= set(book.roles):
        return _lacks("expectation")
    return _dimensions(columns, ("expectation", "perception"), "servqual")


def _servperf(columns: Columns) -> Need:
    book = columns.book
    if book is None or not book.constructs:
        return _lacks("items", least=1)
    return _dimensions(columns, (book.roles[0],), "servperf")


def _dimensions(columns: Columns, roles: tuple[str, ...], function: str) -> Need:
    from cxstats.stats.means import ENOUGH

    assert columns.book is not None
    if function == "servperf" and "perception" in columns.book.roles:
        roles = ("perception",)
    names = tuple(column for role in roles for column in columns.book.columns(role))
    absent = [name for name in names if not columns.has(name)]
    if absent:
        return _lacks("column", column=absent[0], k=len(absent))
    return Need(names, f"cx.{function}({FRAME}, {BOOK})",
                cautions=_few(columns.n(*names), ENOUGH["t"]))  # fmt: skip


def _reliability(columns: Columns) -> Need:
    from cxstats.service.reliability import ENOUGH

    constructs = columns.constructs(2)
    if not constructs:
        return _lacks("items", least=2)
    names = tuple(column for items in constructs.values() for column in items)
    call = f"cx.reliability({FRAME}, {BOOK})"
    return Need(names, call, cautions=_few(columns.n(*names), ENOUGH))


def _explained(columns: Columns, least: int) -> tuple[Question, tuple[str, ...]] | Need:
    """Return an outcome and the items that may explain it; what is missing otherwise."""
    outcome, items = columns.outcome, columns.items
    missing = []
    if outcome is None:
        missing.append(both("ready.missing.outcome"))
    elif len(items) >= least:
        n = columns.n(outcome.all_columns[0], *items)
        if n > len(items) + 2:
            return outcome, items
        missing.append(both("ready.missing.rows", n=n, k=len(items)))
    if len(items) < least:
        missing.append(both("ready.missing.drivers", n=len(items), least=least))
    return Need(missing=tuple(missing))


def _drivers(columns: Columns) -> Need:
    explained = _explained(columns, 2)
    if isinstance(explained, Need):
        return explained
    outcome, items = explained
    n = columns.n(outcome.all_columns[0], *items)
    few = n < PER_DRIVER * len(items)
    cautions = (both("ready.caution.per_driver", n=n, k=len(items), least=PER_DRIVER),)
    column = outcome.all_columns[0]
    call = f"cx.drivers({FRAME}, {column!r}, {list(items)!r}, codebook={BOOK})"
    return Need((column, *items), call, cautions=cautions if few else ())


def _importance_performance(columns: Columns) -> Need:
    explained = _explained(columns, 3)
    if isinstance(explained, Need):
        return explained
    outcome, items = explained
    column = outcome.all_columns[0]
    call = (
        f"cx.importance_performance({FRAME}, {list(items)!r}, outcome={column!r}, codebook={BOOK})"
    )
    return Need((column, *items), call)


def _penalty_reward(columns: Columns) -> Need:
    explained = _explained(columns, 2)
    if isinstance(explained, Need):
        return explained
    from cxstats.priorities.penalty_reward import SMALL

    outcome, items = explained
    column = outcome.all_columns[0]
    ends = "low='end', high='end'"
    call = f"cx.penalty_reward({FRAME}, {column!r}, {list(items)!r}, {ends}, codebook={BOOK})"
    n = columns.n(column, *items)
    return Need((column, *items), call, cautions=_few(n, 4 * SMALL))


def _kano(columns: Columns) -> Need:
    from cxstats.priorities.kano.analysis import FEW

    pairs = columns.evidence.kano
    if not pairs:
        return _lacks("kano")
    names = tuple(name for pair in pairs.values() for name in pair)
    return Need(names, f"cx.kano({FRAME}, {dict(pairs)!r})", cautions=_few(columns.n(*names), FEW))


def _factors(
    least_constructs: int, least_items: int, function: str, key: str
) -> Callable[[Columns], Need]:
    """Return the needs of a model of constructs."""

    def needs(columns: Columns) -> Need:
        constructs = columns.constructs(least_items)
        if len(constructs) < least_constructs:
            return _lacks("constructs", n=len(constructs), k=least_items, least=least_constructs)
        names = tuple(column for items in constructs.values() for column in items)
        n = columns.n(*names)
        if n <= len(names):
            return _lacks("rows", n=n, k=len(names))
        return Need(names, f"cx.{function}(model, {FRAME}, codebook={BOOK})",
                    cautions=(*_few(n, _tried(function)), *_said(key)))  # fmt: skip

    return needs


def _tried(function: str) -> int:
    """Return the rows from which the method's intervals are known to hold."""
    if function == "pls":
        from cxstats.models.pls.intervals import TRIED_HTMT

        return TRIED_HTMT
    from cxstats.models.sem.small_samples import INTERVALS

    return INTERVALS


def _index(columns: Columns) -> Need:
    constructs = columns.constructs(1)
    if not constructs:
        return _lacks("items", least=1)
    items = max(constructs.values(), key=len)
    call = f"cx.satisfaction_index({FRAME}, {list(items)!r}, codebook={BOOK})"
    return Need(tuple(items), call, cautions=_said("which_items"))


def _weighted_score(columns: Columns) -> Need:
    items = columns.items
    if len(items) < 2:
        return _lacks("drivers", n=len(items), least=2)
    points = () if columns.book is None else columns.book.point_columns
    if points and columns.has(*points):
        return Need((*items, *points), f"cx.servperf({FRAME}, {BOOK}, weights='points')")
    call = f"cx.weighted_score({FRAME}, weights, codebook={BOOK})"
    return Need(items, call, cautions=_said("weights"))


def _design(columns: Columns) -> Need:
    book = columns.book
    keys = () if book is None else (book.weights, book.cluster, book.strata)
    names = tuple(name for name in keys if name is not None and columns.has(name))
    if not names:
        return _lacks("design")
    assert book is not None
    design = {"weights": book.weights, "cluster": book.cluster, "strata": book.strata}
    options = ", ".join(f"{key}={name!r}" for key, name in design.items() if name in names)
    return Need(names, f"cx.Design({options})")


def _texts(function: str, least: int, needs_lang: bool = False) -> Callable[[Columns], Need]:
    """Return the needs of an analysis of comments."""

    def needs(columns: Columns) -> Need:
        if not columns.texts:
            return _lacks("text")
        column = columns.texts[0]
        n = n_different(columns.frame, column)
        if function == "topics" and n < least:
            return _lacks("texts", n=n, least=least)
        call = f"cx.{function}({FRAME}, column={column!r})"
        if function == "mask_personal_data":
            call = f"cx.mask_personal_data({FRAME})"
        return Need(columns.texts, call, cautions=_few(n, least))

    return needs


def _role_needs(roles: Mapping[str, tuple[str, ...]], columns: Columns) -> Need:
    """Return the columns of roles (each the first of its alternatives), or what is missing."""
    chosen, missing = [], []
    for name, alternatives in roles.items():
        column = next(filter(None, (columns.evidence.first(role) for role in alternatives)), None)
        if column is None:
            missing.append(both(f"ready.missing.{name}"))
        else:
            chosen.append(column)
    return Need(tuple(chosen), missing=tuple(missing))


def _register(columns: Columns) -> Need:
    need = _role_needs(
        {"feedback": ("feedback",), "time": ("time",), "closed": ("closed",)}, columns
    )
    if need.missing:
        return need
    text, time, _ = need.columns
    return Need(need.columns, f"cx.feedback_register({FRAME}, date={time!r}, text={text!r})")


def _journey(columns: Columns) -> Need:
    roles = {
        "session": ("session", "case", "customer"),
        "event": ("event",),
        "time": ("time", "start"),
    }
    need = _role_needs(roles, columns)
    if need.missing:
        return need
    session, event, time = need.columns
    call = (
        f"cx.measured_journey({FRAME}, stages, session={session!r}, event={event!r}, time={time!r})"
    )
    return Need(need.columns, call, cautions=_said("stages"))


def _process(columns: Columns) -> Need:
    roles = {"case": ("case", "session"), "event": ("event",), "time": ("start", "time")}
    need = _role_needs(roles, columns)
    if need.missing:
        return need
    case, event, time = need.columns
    end = columns.evidence.first("end")
    named = f"case={case!r}, activity={event!r}, start={time!r}"
    named += f", end={end!r}" if end else ""
    call = f"cx.process(cx.event_log({FRAME}, {named}))"
    used = (*need.columns, *([end] if end else []))
    return Need(used, call, cautions=() if end else _said("no_end"))


def _purchases(function: str, least: int) -> Callable[[Columns], Need]:
    """Return the needs of an analysis of transactions; few are customers."""

    def needs(columns: Columns) -> Need:
        roles = {"customer": ("customer",), "time": ("time",), "amount": ("amount",)}
        need = _role_needs(roles, columns)
        if need.missing:
            return need
        customer, time, amount = need.columns
        n = n_different(columns.frame, customer)
        if n == len(columns.frame) and function != "rfm":
            return _lacks("again")
        named = f"customer={customer!r}, time={time!r}, amount={amount!r}"
        call = f"cx.{function}(cx.transactions({FRAME}, {named}))"
        if function == "lifetime_value":
            call = f"cx.lifetime_value({FRAME}, 52, {named})"
        few = (both("ready.caution.customers", n=format_number(n), least=least),)
        return Need(need.columns, call, cautions=few if n < least else ())

    return needs


def _experiment(columns: Columns) -> Need:
    need = _role_needs({"arm": ("arm",), "converted": ("converted",)}, columns)
    outcome = columns.evidence.first("converted")
    if outcome is None and columns.outcome is not None:
        outcome = columns.outcome.all_columns[0]
    arm = columns.evidence.first("arm")
    if arm is None:
        return _lacks("arm")
    if outcome is None:
        return Need(missing=need.missing)
    metric = "proportion" if n_different(columns.frame, outcome) == 2 else "mean"
    control = sorted(map(str, columns.frame[arm].dropna().unique()))[0]
    named = f"outcome={outcome!r}, group={arm!r}, control={control!r}, metric={metric!r}"
    call = f"cx.ab_test({FRAME}, {named})"
    return Need((outcome, arm), call, cautions=_said("random"))


def _analyses() -> tuple[Analysis, ...]:
    """Return all analyses, in the order of a report."""
    from cxstats.customers.cohorts import FEW as FEW_OF_COHORTS
    from cxstats.customers.lifetime_value import FEW as FEW_OF_VALUES
    from cxstats.customers.rfm import FEW as FEW_OF_RFM
    from cxstats.voice.adaptation import LEAST
    from cxstats.voice.topics import FEWEST_TEXTS

    return (
        Analysis("nps", "nps", _rated("nps", "nps"), True),
        Analysis("csat", "csat", _rated("csat", "csat"), True),
        Analysis("ces", "ces", _rated("ces", "ces"), True),
        Analysis("rating", "csat", _rated("rating", "csat"), True),
        Analysis("choices", "choices", _choices, True),
        Analysis("by_group", "nps", _by_group, True),
        Analysis("track", "track", _track, True),
        Analysis("servqual", "servqual", _servqual, True),
        Analysis("servperf", "servperf", _servperf, True),
        Analysis("reliability", "reliability", _reliability, True),
        Analysis("drivers", "drivers", _drivers, True),
        Analysis("importance_performance", "importance_performance", _importance_performance, True),
        Analysis("penalty_reward", "penalty_reward", _penalty_reward, True),
        Analysis("kano", "kano", _kano),
        Analysis("cfa", "cfa", _factors(1, 3, "cfa", "items_of"), True),
        Analysis("sem", "sem", _factors(2, 2, "sem", "paths"), True),
        Analysis("pls", "pls", _factors(2, 1, "pls", "paths"), True),
        Analysis("satisfaction_index", "satisfaction_index", _index, True),
        Analysis("weighted_score", "weighted_score", _weighted_score, True),
        Analysis("design", "Design", _design, True),
        Analysis("sentiment", "sentiment", _texts("sentiment", LEAST)),
        Analysis("aspects", "aspects", _texts("aspects", FEWEST_TEXTS)),
        Analysis("topics", "topics", _texts("topics", FEWEST_TEXTS)),
        Analysis("masks", "mask_personal_data", _texts("mask_personal_data", 0)),
        Analysis("register", "feedback_register", _register),
        Analysis("journey", "measured_journey", _journey),
        Analysis("process", "process", _process),
        Analysis("rfm", "rfm", _purchases("rfm", FEW_OF_RFM)),
        Analysis("cohorts", "cohorts", _purchases("cohorts", FEW_OF_COHORTS)),
        Analysis("lifetime_value", "lifetime_value", _purchases("lifetime_value", FEW_OF_VALUES)),
        Analysis("ab_test", "ab_test", _experiment),
    )


ANALYSES = _analyses()
