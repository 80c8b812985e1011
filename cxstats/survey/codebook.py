"""The questionnaire as data: written once, read by cleaning, scoring, reliability and charts."""

from __future__ import annotations

import math
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.files import read_bytes, write_text_whole
from cxstats.core.language import LANGUAGES, Text, check_lang
from cxstats.core.messages import excerpt, listing
from cxstats.core.moments import Moments
from cxstats.core.paths import data_folder
from cxstats.survey.columns import is_number
from cxstats.survey.direction import BEST

ROLES = ("expectation", "perception", "minimum")
# What a file may hold: more than any questionnaire has, less than a machine can bear.
LARGEST = 10_000_000  # bytes
DEEPEST = 20  # levels of lists and mappings
MOST_VALUES = 500_000  # with what aliases repeat
MISSING_ALLOWED = "numbers, or texts such as '#NULL!'"
ROW_COLUMNS = ("respondent", "duration")
# Short names of the questionnaires that ship in data/codebooks.
SHIPPED = ("servqual", "servperf", "ecsi_mobile", "corporate_reputation", "experience")


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
    perception, expectation, minimum : str, optional
        Column of an item's answer, with ``{item}`` where the item's name stands, such as
        ``"P_{item}"``. Leave all three out for a questionnaire with one answer per item; its
        columns are the items.
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
        that is not declared here.
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

    scale: Any
    constructs: Mapping[str, Sequence[str]]
    perception: str | None = None
    expectation: str | None = None
    minimum: str | None = None
    importance: Any = None
    reverse: Sequence[str] = ()
    labels: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, int] = field(default_factory=dict)
    missing: Sequence[float | str] = ()
    respondent: str | None = None
    duration: str | None = None
    other: Sequence[str] = ()
    title: Any = ""
    best: Any = "high"

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
        return item if role == "score" else str(getattr(self, role)).format(item=item)

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
        """Every column that holds an answer, in all roles."""
        return tuple(column for role in self.roles for column in self.columns(role))

    @property
    def point_columns(self) -> tuple[str, ...]:
        """The columns of the points, one per construct; empty without `importance`."""
        if isinstance(self.importance, str):
            return tuple(self.importance.format(construct=name) for name in self.constructs)
        return tuple(self.importance[name] for name in self.constructs) if self.importance else ()

    @property
    def all_columns(self) -> tuple[str, ...]:
        """Every column that the codebook declares."""
        single = [name for name in (self.respondent, self.duration) if name]
        return (*single, *self.answer_columns, *self.point_columns, *self.other)

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
        """The items whose answers are turned, so that high is good and all items go one way."""
        reverse = set(self.reverse)
        return tuple(
            item for item in self.items if (item in reverse) != (self.best_end(item) == "low")
        )

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
        import yaml

        file = data_folder() / "codebooks" / f"{path}.yml" if path in SHIPPED else Path(path)
        try:
            source = read_bytes(file, LARGEST)
        except DataError as error:
            raise DataError(f"{error}; codebooks that ship: {', '.join(SHIPPED)}") from error
        try:
            content = _load(source.decode("utf-8-sig"), file.name)
        except UnicodeDecodeError as error:
            raise DataError(f"{file.name}: not UTF-8 at byte {error.start}") from error
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            raise DataError(f"{file.name}: not YAML{where}") from error
        except DataError:
            raise
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
            # A date of month 13, a number of 5,000 digits, a word marked as a number.
            why = str(error).split(";")[0]
            raise DataError(f"{file.name}: a value cannot be read: {why}") from error
        if not isinstance(content, dict):
            raise DataError(f"{file.name}: a codebook is a mapping of keys, such as 'scale'")
        allowed = [f.name for f in fields(cls)]
        unknown = [key for key in content if key not in allowed]
        if unknown:
            raise DataError(
                f"{file.name}: key {excerpt(unknown[0])} is not known; "
                f"allowed: {', '.join(allowed)}"
            )
        absent = [key for key in ("scale", "constructs") if key not in content]
        if absent:
            raise DataError(f"{file.name}: key {absent[0]!r} is missing")
        try:
            return cls(**content)
        except DataError as error:
            raise DataError(f"{file.name}, {error}") from error


def as_codebook(codebook: Any, frame: Any = None) -> Codebook:
    """Return the codebook that a method was given, whatever form it has.

    Parameters
    ----------
    codebook : Codebook, mapping or str
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
    if isinstance(codebook, Codebook):
        return codebook
    if isinstance(codebook, str | Path):
        return Codebook.read(codebook)
    if isinstance(codebook, Mapping):
        if {"scale", "constructs"} <= set(codebook):
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


def _load(text: str, name: str) -> Any:
    import yaml

    safe_loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    _refuse_unbounded(text, name, safe_loader)

    class Loader(safe_loader):  # type: ignore[misc]
        """YAML in which a key stands once; PyYAML keeps the last of two in silence."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = set()
            for key_node, _ in node.value:
                line = key_node.start_mark.line + 1
                key = self.construct_object(key_node, deep=True)
                if not _is_name(key):
                    raise DataError(f"{name}, line {line}: a list or mapping cannot be a key")
                if key in keys:
                    raise DataError(f"{name}, line {line}: key {excerpt(key)} stands twice")
                keys.add(key)
            return super().construct_mapping(node, deep)

    return yaml.load(text, Loader)


def _refuse_unbounded(text: str, name: str, loader: Any) -> None:
    """Raise if the file is too deep, or holds too much once its aliases are written out.

    Reads the marks of the file alone, so it takes no more room than the text.
    """
    import yaml

    opened: list[tuple[str | None, int]] = []  # anchor of each open list or mapping, and its place
    sizes: dict[str, int] = {}  # values below an anchor, aliases written out
    n = 0
    for event in yaml.parse(text, loader):
        anchor = getattr(event, "anchor", None)
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            if anchor in [open_anchor for open_anchor, _ in opened]:
                raise DataError(f"{name}, line {line}: {excerpt(anchor)} contains itself")
            n += sizes.get(anchor or "", 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((anchor, n))
            n += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, start = opened.pop()
            sizes |= {anchor: n - start} if anchor else {}
        elif isinstance(event, yaml.ScalarEvent):
            n += 1
            sizes |= {anchor: 1} if anchor else {}
        if len(opened) > DEEPEST:
            raise DataError(f"{name}, line {line}: nested deeper than {DEEPEST} levels")
        if n > MOST_VALUES:
            raise DataError(
                f"{name}, line {line}: more than {MOST_VALUES:,} values, aliases written out"
            )


def _is_name(value: object) -> bool:
    """Return whether a value can name a column or be a key."""
    try:
        hash(value)
    except (TypeError, RecursionError):
        return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def _set(book: Codebook, name: str, value: Any) -> None:
    object.__setattr__(book, name, value)


def _wrong(key: str, value: object, allowed: str) -> DataError:
    return DataError(f"codebook, key {key!r}: {excerpt(value)} is not allowed; allowed: {allowed}")


def _is_number(value: object) -> bool:
    if isinstance(value, int) and value.bit_length() > 63:
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def _constructs(book: Codebook) -> None:
    constructs = book.constructs
    if not isinstance(constructs, Mapping) or not constructs:
        raise _wrong("constructs", constructs, "a mapping of construct to items, at least one")
    owner: dict[str, str] = {}
    for name, items in constructs.items():
        if not isinstance(name, str) or not name.strip():
            raise _wrong("constructs", name, "names that are text")
        if name == "Overall":
            raise _wrong("constructs", name, "another name; results call the overall score so")
        key = f"constructs.{name}"
        if isinstance(items, str) or not isinstance(items, Sequence) or not items:
            raise _wrong(key, items, "a list of items, at least one")
        for item in items:
            if not isinstance(item, str) or not item.strip():
                raise _wrong(key, item, "items that are text")
            if item in owner:
                raise _wrong(key, item, f"an item once; it stands in {excerpt(owner[item])} too")
            owner[item] = name
    _set(book, "constructs", {name: tuple(items) for name, items in constructs.items()})


def _pair(key: str, value: Any) -> tuple[float, float]:
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    if not (is_pair and all(map(_is_number, value))):
        raise _wrong(key, value, "two numbers, lowest and highest, such as [1, 7]")
    if not all(math.isfinite(number) for number in value):
        raise _wrong(key, value, "two finite numbers")
    if not value[0] < value[1]:
        allowed = "the lowest number first, and another than the highest"
        hint = "; where the lowest is the best answer, say best: low" if value[0] > value[1] else ""
        raise _wrong(key, value, allowed + hint)
    return (value[0], value[1])


def _scale(book: Codebook) -> None:
    if not isinstance(book.scale, Mapping):
        _set(book, "scale", _pair("scale", book.scale))
        return
    pairs = {name: _pair(f"scale.{name!s:.60}", value) for name, value in book.scale.items()}
    names = ("default", *book.constructs)
    for name in pairs:
        if name not in names:
            raise _wrong("scale", name, listing(names))
    if "default" not in pairs:
        for name in book.constructs:
            if name not in pairs:
                raise DataError(f"codebook, key 'scale': {name!r} has none, and no 'default'")
    _set(book, "scale", pairs)


def _fields_in(key: str, template: object) -> set[str]:
    if not isinstance(template, str):
        raise _wrong(key, template, "text")
    try:
        pieces = [piece for piece in string.Formatter().parse(template) if piece[1] is not None]
    except ValueError as error:
        raise _wrong(key, template, "text with {item}") from error
    for _, name, form, conversion in pieces:
        if form or conversion:
            raise _wrong(key, template, f"{{{name}}} alone, without a form after ':' or '!'")
    return {str(name) for _, name, _, _ in pieces}


def _templates(book: Codebook) -> None:
    roles = [role for role in ROLES if getattr(book, role) is not None]
    for role in roles:
        if _fields_in(role, getattr(book, role)) != {"item"}:
            raise _wrong(role, getattr(book, role), "text with {item}, such as 'P_{item}'")
    if roles and "perception" not in roles:
        raise DataError(f"codebook, key 'perception': missing, but {roles[0]!r} is there")


def _importance(book: Codebook) -> None:
    importance = book.importance
    if importance is None:
        return
    if isinstance(importance, Mapping):
        if set(importance) != set(book.constructs):
            allowed = f"a column for each of {excerpt(list(book.constructs))}"
            raise _wrong("importance", dict(importance), allowed)
        for name, column in importance.items():
            if not _is_name(column):
                raise _wrong(f"importance.{name}", column, "the name of a column")
        _set(book, "importance", dict(importance))
    elif _fields_in("importance", importance) != {"construct"}:
        allowed = "text with {construct}, or a column for each construct"
        raise _wrong("importance", importance, allowed)


def _item_lists(book: Codebook) -> None:
    items = set(book.items)
    for key in ("reverse", "other", "missing"):
        entries = getattr(book, key)
        if isinstance(entries, str) or not isinstance(entries, Sequence):
            raise _wrong(key, entries, "a list")
        before = set()
        for entry in entries:
            if not _is_name(entry):
                raise _wrong(key, entry, "names" if key != "missing" else MISSING_ALLOWED)
            if key == "reverse" and entry not in items:
                raise _wrong(key, entry, f"items: {listing(book.items)}")
            if key == "missing" and not _is_missing_code(entry):
                raise _wrong(key, entry, MISSING_ALLOWED)
            if entry in before:
                raise _wrong(key, entry, "each once")
            before.add(entry)
        _set(book, key, tuple(entries))


def _is_missing_code(entry: object) -> bool:
    """Return whether an entry is a finite number, or a text that is no number itself."""
    if isinstance(entry, str):
        return bool(entry.strip()) and not is_number(entry)
    return _is_number(entry) and math.isfinite(cast("float", entry))


def _best(book: Codebook) -> None:
    allowed = "'high' or 'low', or a mapping of construct to these"
    ends = book.best.values() if isinstance(book.best, Mapping) else [book.best]
    for end in ends:
        if not isinstance(end, str) or end not in BEST:
            raise _wrong("best", end, allowed)
    if isinstance(book.best, Mapping):
        for name in book.best:
            if name not in book.constructs:
                raise _wrong("best", name, listing(book.constructs))
        _set(book, "best", dict(book.best))


def _labels(book: Codebook) -> None:
    if not isinstance(book.labels, Mapping):
        raise _wrong("labels", book.labels, "a mapping")
    if not isinstance(book.title, str | Mapping):
        raise _wrong("title", book.title, "text, or a text for 'en' and 'zh'")
    if isinstance(book.title, Mapping):
        for lang, text in book.title.items():
            if lang not in LANGUAGES or not isinstance(text, str):
                raise _wrong("title", book.title, "text, or a text for 'en' and 'zh'")
        _set(book, "title", dict(book.title))
    names = {*book.items, *book.constructs}
    for name, text in book.labels.items():
        if name not in names:
            raise _wrong("labels", name, "names of items and constructs")
        if not isinstance(text, str | Mapping):
            raise _wrong(f"labels.{name}", text, "text, or a text for 'en' and 'zh'")
        if isinstance(text, Mapping) and not set(text) <= set(LANGUAGES):
            raise _wrong(f"labels.{name}", dict(text), "the languages 'en' and 'zh'")
        if isinstance(text, Mapping) and any(
            isinstance(words, Mapping | list | tuple | set) for words in text.values()
        ):
            raise _wrong(f"labels.{name}", dict(text), "text, or a text for 'en' and 'zh'")
    _set(book, "labels", dict(book.labels))


def _answers(book: Codebook) -> None:
    if not isinstance(book.answers, Mapping):
        raise _wrong("answers", book.answers, "a mapping")
    for answer, number in book.answers.items():
        if isinstance(answer, bool):  # YAML reads a bare yes, no, on, off as true or false
            raise _wrong("answers", answer, "labels that are text: put yes, no, on, off in quotes")
        if not _is_number(number):
            raise _wrong(f"answers.{answer}", number, "a number of the scale")
        if str(answer) in book.missing:
            raise _wrong("answers", answer, "texts that are not among the missing ones too")
    _set(book, "answers", {str(answer): number for answer, number in book.answers.items()})


def _columns(book: Codebook) -> None:
    for key in ("respondent", "duration"):
        if not _is_name(getattr(book, key)):
            raise _wrong(key, getattr(book, key), "the name of a column")
    for column, n in Counter(book.all_columns).items():
        if n > 1:
            raise DataError(f"codebook: column {excerpt(column)} is declared twice")


# In this order: later ones read what earlier ones have put into form.
CHECKS = (
    _constructs, _scale, _templates, _importance, _item_lists, _best, _labels, _answers, _columns,
)  # fmt: skip
