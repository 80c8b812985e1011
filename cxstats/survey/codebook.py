"""The questionnaire as data: written once, read by cleaning, scoring, reliability and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.files import read_bytes, write_text_whole
from cxstats.core.language import LANGUAGES, Text, check_lang
from cxstats.core.messages import excerpt, listing
from cxstats.core.moments import Moments
from cxstats.core.paths import data_folder
from cxstats.core.yaml_text import LARGEST, parse_yaml
from cxstats.stats.sampling_design import Design
from cxstats.survey.answer_labels import AnswerLabels
from cxstats.survey.codebook_checks import CHECKS, ROLES, ROW_COLUMNS
from cxstats.survey.questions import (
    Question,
)

if TYPE_CHECKING:
    from cxstats.survey.draft import CodebookDraft

# Short names of the questionnaires that ship in data/codebooks.
SHIPPED = (
    "servqual", "servperf", "ecsi_mobile", "corporate_reputation", "experience",
    "synthetic_bank_client",
)  # fmt: skip


@dataclass(frozen=True)
class Codebook:
    """What a questionnaire asks, on which scale, and where the answers stand.

    Parameters
    ----------
    scale : (int, int) or mapping of str to (int, int)
        Lowest and highest answer. A mapping gives a scale to single constructs under their
        names, with ``"default"`` for the others.
    constructs : mapping of str to sequence of str
        The items of every construct (dimension), in order. An item belongs to one construct.
    perception, expectation, minimum : str or mapping of str to str, optional
        Column of an item's answer, with ``{item}`` where the item's name stands, such as
        ``"P_{item}"``; where no pattern fits, the column of every item. Leave all three out for a
        questionnaire with one answer per item; its columns are the items.
    importance : str or mapping of str to str, optional
        Column of the points a respondent gives to a construct: a template with
        ``{construct}``, or a column for every construct.
    reverse : sequence of str
        Items worded against the direction of their construct; ``low + high - answer`` turns
        them.
    labels : mapping of str to (str or mapping)
        Words for an item or construct: one text, or ``{"en": ..., "zh": ...}``.
    answers : mapping of str to int
        Answer labels that stand for a number, such as ``{"非常同意": 7}``. No label is mapped
        that is not declared here; letter case, full-width forms and spaces do not matter. A label
        that reads as a number is a code (``{1: 5, 2: 4}`` where 1 was shown as 5), in whatever form
        the cell holds it. Under the name of a construct, a mapping of its own labels.
    missing : sequence of int or str
        Numbers and texts that mean "no answer", such as ``[-99, "#NULL!"]`` (SPSS writes the
        latter for its empty cells).
    respondent, duration : str, optional
        Column with the respondent's identifier; column with the time taken, in seconds.
    other : sequence of str
        Columns that belong to the file and are no answers: branch, wave, age.
    title : str or mapping
        Name of the questionnaire.
    best : {"high", "low"} or mapping of str to these
        Which end of the scale is good; "low" where 1 is the best answer. Answers are then turned,
        ``low + high - answer``, so that high is good everywhere (items in `reverse` are not, since
        they are worded the other way round). A mapping says it of single constructs; the others
        have "high".
    questions : mapping of str to Question or mapping
        Questions outside the constructs: recommendation, overall satisfaction, effort, other
        ratings, check-all-that-apply, comments; see `cxstats.survey.questions.Question`.
    groups : sequence of str, or mapping of str to mapping
        Columns that compare respondents: branch, channel. A mapping may say for each column which
        written values mean another (``{"same": {"beijing ": "Beijing"}}``) and in which order they
        stand (``{"order": [...]}``).
    wave : str or mapping, optional
        The column of time; or ``{"column": ..., "order": [...]}`` where its values do not say it.
    weights, cluster, strata : str, optional
        Columns of the sampling design: weights, sampled units (such as households), strata.
    personal : sequence of str
        Columns that tell who a person is.

    Raises
    ------
    DataError
        Naming the key that is wrong and what is allowed.

    Examples
    --------
    >>> book = Codebook(
    ...     scale=(1, 7),
    ...     constructs={"Tangibles": ["t1", "t2"], "Empathy": ["m1", "m2", "m3"]},
    ...     perception="P_{item}",
    ...     expectation="E_{item}",
    ...     reverse=["m3"],
    ... )
    >>> book.columns("expectation")
    ('E_t1', 'E_t2', 'E_m1', 'E_m2', 'E_m3')
    >>> book.construct_of("m3")
    'Empathy'
    """

    scale: Any = None
    constructs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    perception: Any = None
    expectation: Any = None
    minimum: Any = None
    importance: Any = None
    reverse: Sequence[str] = ()
    labels: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    missing: Sequence[float | str] = ()
    respondent: str | None = None
    duration: str | None = None
    other: Sequence[str] = ()
    title: Any = ""
    best: Any = "high"
    questions: Mapping[str, Any] = field(default_factory=dict)
    groups: Any = ()
    wave: Any = None
    weights: str | None = None
    cluster: str | None = None
    strata: str | None = None
    personal: Sequence[str] = ()

    def __post_init__(self) -> None:
        for check in CHECKS:
            check(self)

    @property
    def items(self) -> tuple[str, ...]:
        """All items, construct by construct."""
        return tuple(item for items in self.constructs.values() for item in items)

    @property
    def roles(self) -> tuple[str, ...]:
        """Which answers an item has: "score" alone, or some of expectation, perception, minimum."""
        return tuple(role for role in ROLES if getattr(self, role)) or ("score",)

    def column(self, item: str, role: str | None = None) -> str:
        """Return the column of an item's answer in a role; without `role`, the main one."""
        role = role or ("perception" if "perception" in self.roles else self.roles[0])
        if role not in self.roles:
            raise DataError(
                f"codebook: no {role!r} answers in this questionnaire; it has: "
                f"{', '.join(self.roles)}"
            )
        if role == "score":
            return item
        pattern = getattr(self, role)
        return str(pattern[item] if isinstance(pattern, Mapping) else pattern.format(item=item))

    def columns(self, role: str | None = None, construct: str | None = None) -> tuple[str, ...]:
        """Return the answer columns of a role, of all items or of one construct."""
        if construct is not None and construct not in self.constructs:
            raise DataError(
                f"codebook: {construct!r} is not a construct; constructs: "
                f"{listing(self.constructs)}"
            )
        items = self.items if construct is None else self.constructs[construct]
        return tuple(self.column(item, role) for item in items)

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Every column that holds an answer to an item, in all roles."""
        return tuple(column for role in self.roles for column in self.columns(role))

    @property
    def point_columns(self) -> tuple[str, ...]:
        """The columns of the points, one per construct; empty without `importance`."""
        if isinstance(self.importance, str):
            return tuple(self.importance.format(construct=name) for name in self.constructs)
        return tuple(self.importance[name] for name in self.constructs) if self.importance else ()

    @property
    def rated_columns(self) -> tuple[str, ...]:
        """The columns of the rated questions outside the constructs."""
        return tuple(q.all_columns[0] for q in self.questions.values() if q.is_rated)

    @property
    def group_columns(self) -> tuple[str, ...]:
        """The columns that compare respondents."""
        return tuple(self.groups)

    @property
    def wave_column(self) -> str | None:
        """The column of time."""
        column = self.wave["column"] if isinstance(self.wave, Mapping) else self.wave
        return cast("str | None", column)

    @property
    def wave_order(self) -> tuple[Any, ...] | None:
        """The waves in their order, where the codebook says it."""
        return tuple(self.wave["order"]) if isinstance(self.wave, Mapping) else None

    @property
    def design(self) -> Design | None:
        """How respondents were sampled; None where the codebook names no such column."""
        if self.weights is self.cluster is self.strata is None:
            return None
        return Design(weights=self.weights, cluster=self.cluster, strata=self.strata)

    @property
    def all_columns(self) -> tuple[str, ...]:
        """Every column that the codebook declares."""
        first = [column for column in (self.respondent, self.duration) if column is not None]
        columns = (*first, *self._answered_columns, *self._describing_columns)
        return tuple(dict.fromkeys(columns))

    @property
    def _answered_columns(self) -> tuple[str, ...]:
        """Every column that holds an answer; each stands for one thing."""
        asked = [column for question in self.questions.values() for column in question.all_columns]
        return (*self.answer_columns, *self.point_columns, *asked)

    @property
    def _describing_columns(self) -> tuple[str, ...]:
        """Every column that says something of the respondent; one may do so in two ways."""
        single = [getattr(self, key) for key in ROW_COLUMNS]
        columns = (*single, self.wave_column, *self.groups, *self.personal, *self.other)
        return tuple(column for column in columns if column is not None)

    def question(self, kind: str, name: str | None = None) -> Question:
        """Return the question of a kind, by its name where there are several.

        Raises
        ------
        DataError
            If there is none, or several and no name.
        """
        names = [key for key, question in self.questions.items() if question.kind == kind]
        if name is not None and name in names:
            return self.questions[name]  # type: ignore[no-any-return]
        if name is None and len(names) == 1:
            return self.questions[names[0]]  # type: ignore[no-any-return]
        if not names:
            raise DataError(
                f"codebook: no question of kind {kind!r}; declare it, such as questions: "
                f"{{{kind}: {{kind: {kind}, column: ...}}}}, or name the column"
            )
        raise DataError(
            f"codebook: {len(names)} questions are of kind {kind!r}; name one of: {listing(names)}"
        )

    def construct_of(self, item: str) -> str:
        """Return the construct that an item belongs to."""
        if item not in self._owners:
            raise DataError(
                f"codebook: {excerpt(item)} is not an item; items: {listing(self.items)}"
            )
        return self._owners[item]

    def item_of(self, column: str) -> str:
        """Return the item whose answer stands in a column."""
        if column not in self._items_by_column:
            raise DataError(f"codebook: {excerpt(column)} is not an answer column")
        return self._items_by_column[column]

    def name_of(self, column: str) -> str:
        """Return the item, or the question, whose answer stands in a column."""
        return self._questions_by_column.get(column) or self.item_of(column)

    def bounds_of(self, column: str) -> tuple[float, float] | None:
        """Return the lowest and highest answer of a column; None of points."""
        if column in self._questions_by_column:
            low, high = self.questions[self._questions_by_column[column]].scale
            return low, high
        return self.bounds(self._items_by_column[column]) if self.is_item(column) else None

    def is_item(self, column: str) -> bool:
        """Return whether a column holds the answers to an item."""
        return column in self._items_by_column

    def answer_labels(self, column: str) -> AnswerLabels:
        """Return the labels that stand for numbers in a column."""
        if column in self._questions_by_column:
            return self._labels_of_questions[self._questions_by_column[column]]
        if not self.is_item(column):
            return self._labels_of_all
        construct = self.construct_of(self._items_by_column[column])
        return self._labels_of_constructs.get(construct, self._labels_of_all)

    @cached_property
    def _labels_of_all(self) -> AnswerLabels:
        return AnswerLabels(self._plain_answers)

    @property
    def _plain_answers(self) -> dict[str, Any]:
        return {key: n for key, n in self.answers.items() if not isinstance(n, Mapping)}

    @cached_property
    def _labels_of_constructs(self) -> dict[str, AnswerLabels]:
        return {
            name: AnswerLabels({**self._plain_answers, **labels})
            for name, labels in self.answers.items()
            if isinstance(labels, Mapping)
        }

    @cached_property
    def _labels_of_questions(self) -> dict[str, AnswerLabels]:
        return {
            name: AnswerLabels({**self._plain_answers, **question.answers})
            if question.answers else self._labels_of_all
            for name, question in self.questions.items()
        }  # fmt: skip

    @cached_property
    def _questions_by_column(self) -> dict[str, str]:
        rated = {name: question for name, question in self.questions.items() if question.is_rated}
        return {question.all_columns[0]: name for name, question in rated.items()}

    @cached_property
    def _owners(self) -> dict[str, str]:
        return {item: name for name, items in self.constructs.items() for item in items}

    @cached_property
    def _items_by_column(self) -> dict[str, str]:
        return {self.column(item, role): item for role in self.roles for item in self.items}

    def bounds(self, item: str) -> tuple[float, float]:
        """Return the lowest and highest answer of an item."""
        if not isinstance(self.scale, Mapping):
            return self.scale[0], self.scale[1]
        low, high = self.scale.get(self.construct_of(item), self.scale.get("default"))
        return low, high

    def best_end(self, item: str) -> str:
        """Return which end of the scale of an item's construct is good, "high" or "low"."""
        if isinstance(self.best, str):
            return self.best
        return str(self.best.get(self.construct_of(item), "high"))

    @property
    def turned(self) -> tuple[str, ...]:
        """Items and questions whose answers are turned: high is good and all items go one way."""
        reverse = set(self.reverse)
        items = [i for i in self.items if (i in reverse) != (self.best_end(i) == "low")]
        return (*items, *(name for name, q in self.questions.items() if q.best == "low"))

    @property
    def missing_numbers(self) -> tuple[float, ...]:
        """The numbers that mean "no answer"."""
        return tuple(code for code in self.missing if not isinstance(code, str))

    @property
    def missing_texts(self) -> tuple[str, ...]:
        """The texts that mean "no answer"."""
        return tuple(code for code in self.missing if isinstance(code, str))

    def label(self, name: str, lang: str | None = None) -> str:
        """Return the label of an item or construct, or its name where there is none."""
        lang = check_lang(lang)
        label = self.labels.get(name, name)
        return label if isinstance(label, str) else str(label.get(lang) or label.get("en") or name)

    @property
    def name(self) -> Text:
        """The title in both languages."""
        if isinstance(self.title, str):
            return Text(self.title, self.title)
        return Text(*(self.title.get(lang, "") for lang in LANGUAGES))

    def to_dict(self) -> dict[str, Any]:
        """Return the codebook as plain lists and dictionaries, without what is empty."""
        plain = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        if plain["best"] == "high":
            del plain["best"]
        if not any(self.groups.values()):
            plain["groups"] = list(self.groups)
        return {key: value for key, value in plain.items() if value not in (None, [], {}, "")}

    def write(self, path: str | Path) -> None:
        """Write the codebook as YAML, in UTF-8."""
        import yaml

        text = yaml.safe_dump(self.to_dict(), allow_unicode=True, sort_keys=False, width=100)
        write_text_whole(path, text)

    @classmethod
    def read(cls, path: str | Path) -> Codebook:
        """Read a codebook from YAML, or one that ships by its name.

        Parameters
        ----------
        path : str or Path
            A file; or "servqual" (22 items, expectations and perceptions), "servperf" or
            "ecsi_mobile".

        Raises
        ------
        DataError
            If the file cannot be read or a key is wrong; the message names file and key.
        """
        file = data_folder() / "codebooks" / f"{path}.yml" if path in SHIPPED else Path(path)
        try:
            source = read_bytes(file, LARGEST)
        except DataError as error:
            raise DataError(f"{error}; codebooks that ship: {', '.join(SHIPPED)}") from error
        content = parse_yaml(source, file.name)
        if not isinstance(content, dict):
            raise DataError(f"{file.name}: a codebook is a mapping of keys, such as 'scale'")
        allowed = [f.name for f in fields(cls)]
        unknown = [key for key in content if key not in allowed]
        if unknown:
            raise DataError(
                f"{file.name}: key {excerpt(unknown[0])} is not known; "
                f"allowed: {', '.join(allowed)}"
            )
        needed = () if content.get("questions") else ("scale", "constructs")
        absent = [key for key in needed if key not in content]
        if absent:
            raise DataError(f"{file.name}: key {absent[0]!r} is missing")
        try:
            return cls(**content)
        except DataError as error:
            raise DataError(f"{file.name}, {error}") from error

    @classmethod
    def draft(cls, frame: Any, lang: str | None = None) -> CodebookDraft:
        """Propose a codebook for a table, with the evidence of every line.

        Nothing is asserted: a person corrects the draft (`CodebookDraft.write`, YAML with a comment
        on every line). What is uncertain is marked; a column that fits nothing goes to `other`.
        Rows that are totals are not looked at.

        Parameters
        ----------
        frame : table
            As `cxstats.read_survey` reads it: question texts and value labels of the file are used.
        lang : {"en", "zh"}, optional
            Language of proposed names and comments.

        Returns
        -------
        CodebookDraft
            Methods take it as ``codebook=``; ``.codebook`` is the codebook alone.

        Raises
        ------
        DataError
            If no column looks like an answer, or a column stands twice.

        Examples
        --------
        >>> import pandas as pd
        >>> answers = {"staff_1": [5, 4, 1], "staff_2": [4, 5, 2], "branch": ["A", "B", "A"]}
        >>> draft = Codebook.draft(pd.DataFrame(answers))
        >>> draft.codebook.constructs, draft.codebook.scale
        ({'staff': ('staff_1', 'staff_2')}, (1, 5))
        """
        from cxstats.survey.draft import draft

        return draft(frame, lang)


def as_codebook(codebook: Any, frame: Any = None) -> Codebook:
    """Return the codebook that a method was given, whatever form it has.

    Parameters
    ----------
    codebook : Codebook, CodebookDraft, mapping or str
        A mapping with the keys of a codebook; the name of one that ships, or the path of a file;
        with `frame`, also a mapping of constructs to their items alone.
    frame : table, optional
        Given by a method that needs no scale: that of a mapping of constructs is then what was
        answered.

    Raises
    ------
    CxError
        If it is none of these, or constructs alone do not say what the method needs.

    Examples
    --------
    >>> as_codebook({"scale": (1, 5), "constructs": {"A": ["a1", "a2"]}}).items
    ('a1', 'a2')
    >>> as_codebook("servqual").roles
    ('expectation', 'perception')
    """
    from cxstats.survey.draft import CodebookDraft

    if isinstance(codebook, CodebookDraft):
        return codebook.codebook
    if isinstance(codebook, Codebook):
        return codebook
    if isinstance(codebook, str | Path):
        return Codebook.read(codebook)
    if isinstance(codebook, Mapping):
        if {"scale", "constructs"} <= set(codebook) or "questions" in codebook:
            unknown = [key for key in codebook if key not in {f.name for f in fields(Codebook)}]
            if unknown:
                raise CxError(f"codebook: key {excerpt(unknown[0])} is not known")
            return Codebook(**codebook)
        if frame is not None and codebook:
            return _of_constructs(codebook, frame)
        raise CxError(
            "a mapping of constructs does not say the scale of the answers, which is needed here; "
            "give cx.Codebook(scale=(1, 7), constructs={...})"
        )
    raise CxError(
        f"codebook is {excerpt(codebook)}; allowed: cx.Codebook(scale=(1, 7), constructs={{...}}), "
        f"the path of a file, or one of {', '.join(SHIPPED)}"
    )


def _of_constructs(constructs: Mapping[Any, Any], frame: Any) -> Codebook:
    """Return the codebook of constructs whose scale is the range of their answers."""
    from cxstats.survey.answers import numbers

    book = Codebook(scale=(0.0, 1.0), constructs=constructs)
    if isinstance(frame, Moments):
        return book
    answers = [numbers(as_pandas(frame), item) for item in book.items]
    ends = [end for values in answers for end in (min_max(values))]
    if not ends:
        raise DataError(f"no item has an answer: {listing(book.items)}")
    low, high = min(ends), max(ends)
    return replace(book, scale=(float(low), float(high) if high > low else float(low) + 1.0))


def min_max(values: Any) -> tuple[float, ...]:
    """Return the least and the largest of values (n,); nothing where all are missing."""
    answered = values[values == values]  # noqa: PLR0124  (NaN differs from itself)
    return (float(answered.min()), float(answered.max())) if len(answered) else ()


def has_points(low: float, high: float) -> bool:
    """Return whether a scale has points: [1, 7] has, [0.0, 100.0] is continuous.

    Examples
    --------
    >>> has_points(1, 7), has_points(0.0, 100.0)
    (True, False)
    """
    return isinstance(low, int) and isinstance(high, int)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Question):
        return _plain(value.to_dict())
    return value
