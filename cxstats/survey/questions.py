"""The questions of a questionnaire that belong to no construct: ratings, check-all, comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, cast

from cxstats.core.errors import DataError
from cxstats.core.language import LANGUAGES, check_lang
from cxstats.core.messages import excerpt, listing
from cxstats.survey.direction import BEST

# Kind of question -> its scale where the codebook says none; None: it has to say.
RATED: dict[str, tuple[int, int] | None] = {
    "nps": (0, 10), "csat": None, "ces": None, "rating": None,
}  # fmt: skip
KINDS = (*RATED, "choices", "text")
BLANKS = ("not_ticked", "missing")
# What a ticked and an unticked box hold where the codebook says nothing.
TICKED = (1, "1", "Yes", "TRUE", "True", "Checked", "Selected", "x", "X", "是", "选中", "√", "✓")
NOT_TICKED = (0, "0", "No", "FALSE", "False", "Unchecked", "Not selected", "否", "未选中")


@dataclass(frozen=True)
class Question:
    """One question outside the constructs.

    Parameters
    ----------
    kind : {"nps", "csat", "ces", "rating", "choices", "text"}
        Recommendation, satisfaction, effort, another rating, check-all-that-apply, a comment.
    column : str, optional
        Where the answer stands: a number, a comment, or all ticked options in one cell.
    columns : mapping of str to str, optional
        Of "choices" with one column an option: option to column.
    scale : (int, int), optional
        Lowest and highest answer of a rating; 0 to 10 for "nps".
    best : {"high", "low"}
        Which end is good; the answers of a rating whose best end is "low" are turned.
    answers : mapping of str to int
        Answer labels that stand for a number, beside those of the codebook.
    separator : str
        Between the options of one cell, such as ``";"``.
    options : sequence of str
        Options of one cell; without it, those that occur.
    ticked, not_ticked, not_offered : sequence
        What a column of one option holds where it was ticked, was not, or was not offered.
        Without `ticked`: 1, "Yes", "是" and the like, and the option's own name; without
        `not_ticked`: 0, "No", "否" and the like.
    blank : {"not_ticked", "missing"}
        What an empty cell means. In "not_ticked" a respondent with no option ticked counts as one
        who ticked none.
    label : str or mapping
        Words for the question: one text, or ``{"en": ..., "zh": ...}``.
    name : str
        Its name in the codebook.

    Examples
    --------
    >>> Question("nps", "recommend").scale
    (0, 10)
    """

    kind: str
    column: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    scale: Any = None
    best: str = "high"
    answers: Mapping[str, int] = field(default_factory=dict)
    separator: str = ";"
    options: Sequence[str] = ()
    ticked: Sequence[Any] = ()
    not_ticked: Sequence[Any] = ()
    not_offered: Sequence[Any] = ()
    blank: str = "not_ticked"
    label: Any = ""
    name: str = ""

    def __post_init__(self) -> None:
        key = f"questions.{self.name}" if self.name else "question"
        if self.kind not in KINDS:
            raise wrong(f"{key}.kind", self.kind, ", ".join(KINDS))
        self._check_columns(key)
        self._check_scale(key)
        if self.best not in BEST:
            raise wrong(f"{key}.best", self.best, "'high' or 'low'")
        if self.blank not in BLANKS:
            raise wrong(f"{key}.blank", self.blank, ", ".join(BLANKS))
        for name in ("options", "ticked", "not_ticked", "not_offered"):
            entries = getattr(self, name)
            if isinstance(entries, str) or not isinstance(entries, Sequence):
                raise wrong(f"{key}.{name}", entries, "a list")
            object.__setattr__(self, name, tuple(entries))
        if not isinstance(self.separator, str) or not self.separator:
            raise wrong(f"{key}.separator", self.separator, "text, such as ';'")
        object.__setattr__(self, "answers", checked_answers(f"{key}.answers", self.answers))
        check_label(f"{key}.label", self.label)

    def _check_columns(self, key: str) -> None:
        if not isinstance(self.columns, Mapping):
            raise wrong(f"{key}.columns", self.columns, "a mapping of option to column")
        if (self.column is None) == (not self.columns):
            raise wrong(key, self.name, "either 'column' or 'columns'")
        if self.columns and self.kind != "choices":
            raise wrong(f"{key}.columns", dict(self.columns), "'column'; only choices have several")
        for column in self.all_columns:
            if not is_name(column):
                raise wrong(key, column, "the name of a column")
        object.__setattr__(self, "columns", {str(k): v for k, v in self.columns.items()})

    def _check_scale(self, key: str) -> None:
        if self.kind not in RATED:
            if self.scale is not None:
                raise wrong(f"{key}.scale", self.scale, f"none with kind {self.kind!r}")
            return
        scale = self.scale if self.scale is not None else RATED[self.kind]
        if scale is None:
            raise DataError(f"codebook, key '{key}': 'scale' is missing, such as [1, 5]")
        object.__setattr__(self, "scale", pair(f"{key}.scale", scale))

    @property
    def all_columns(self) -> tuple[str, ...]:
        """Every column of the question."""
        return (self.column,) if self.column is not None else tuple(self.columns.values())

    @property
    def is_rated(self) -> bool:
        """Whether its answer is a number on a scale."""
        return self.kind in RATED

    def words(self, lang: str | None = None) -> str:
        """Return its label, or its name where there is none."""
        if isinstance(self.label, Mapping):
            return str(self.label.get(check_lang(lang)) or self.label.get("en") or self.name)
        return str(self.label or self.name)

    def to_dict(self) -> dict[str, Any]:
        """Return what the codebook says of it, without what is empty or usual."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "name"}
        usual = {"best": "high", "separator": ";", "blank": "not_ticked"}
        if self.kind == "nps":
            usual["scale"] = cast("Any", RATED["nps"])
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in plain.items()
            if value not in (None, (), {}, "") and value != usual.get(key)
        }


def as_questions(questions: Any) -> dict[str, Question]:
    """Return the questions that a codebook declares, checked.

    Raises
    ------
    DataError
        Naming the key that is wrong and what is allowed.
    """
    if not isinstance(questions, Mapping):
        raise wrong("questions", questions, "a mapping of name to question")
    allowed = [f.name for f in fields(Question) if f.name != "name"]
    checked = {}
    for name, entry in questions.items():
        if not isinstance(name, str) or not name.strip():
            raise wrong("questions", name, "names that are text")
        said = entry.to_dict() if isinstance(entry, Question) else entry
        if not isinstance(said, Mapping):
            raise wrong(f"questions.{name}", said, "a mapping, such as {kind: nps, column: q9}")
        for key in said:
            if key not in allowed:
                raise wrong(f"questions.{name}", key, listing(allowed))
        if "kind" not in said:
            raise DataError(f"codebook, key 'questions.{name}': 'kind' is missing")
        checked[name] = Question(**said, name=name)
    return checked


def wrong(key: str, value: object, allowed: str) -> DataError:
    """Return the error that names a key of a codebook, its value, and what is allowed."""
    return DataError(f"codebook, key {key!r}: {excerpt(value)} is not allowed; allowed: {allowed}")


def is_name(value: object) -> bool:
    """Return whether a value can name a column or be a key."""
    try:
        hash(value)
    except (TypeError, RecursionError):
        return False
    return True


def is_number(value: object) -> bool:
    """Return whether a value of a codebook is a number; true and false are none."""
    if isinstance(value, int) and value.bit_length() > 63:
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def pair(key: str, value: Any) -> tuple[float, float]:
    """Return the lowest and highest answer of a scale, checked."""
    import math

    is_pair = isinstance(value, list | tuple) and len(value) == 2
    if not (is_pair and all(map(is_number, value))):
        raise wrong(key, value, "two numbers, lowest and highest, such as [1, 7]")
    if not all(math.isfinite(number) for number in value):
        raise wrong(key, value, "two finite numbers")
    if not value[0] < value[1]:
        allowed = "the lowest number first, and another than the highest"
        hint = "; where the lowest is the best answer, say best: low" if value[0] > value[1] else ""
        raise wrong(key, value, allowed + hint)
    return (value[0], value[1])


def checked_answers(key: str, answers: Any) -> dict[str, Any]:
    """Return answer labels and their numbers, checked; labels as text."""
    if not isinstance(answers, Mapping):
        raise wrong(key, answers, "a mapping")
    for answer, number in answers.items():
        if isinstance(answer, bool):  # YAML reads a bare yes, no, on, off as true or false
            raise wrong(key, answer, "labels that are text: put yes, no, on, off in quotes")
        if not is_number(number):
            raise wrong(f"{key}.{answer}", number, "a number of the scale")
    return {str(answer): number for answer, number in answers.items()}


def check_label(key: str, text: Any) -> None:
    """Raise if a label is neither one text nor a text for each language."""
    if not isinstance(text, str | Mapping):
        raise wrong(key, text, "text, or a text for 'en' and 'zh'")
    if isinstance(text, Mapping) and not set(text) <= set(LANGUAGES):
        raise wrong(key, dict(text), "the languages 'en' and 'zh'")
    if isinstance(text, Mapping) and any(
        isinstance(words, Mapping | list | tuple | set) for words in text.values()
    ):
        raise wrong(key, dict(text), "text, or a text for 'en' and 'zh'")
