"""What a codebook may say: each key checked and put into form, in the order of `CHECKS`."""

from __future__ import annotations

import math
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from cxstats.core.errors import DataError
from cxstats.core.language import LANGUAGES
from cxstats.core.messages import excerpt, listing
from cxstats.survey.columns import is_number as reads_as_number
from cxstats.survey.direction import BEST
from cxstats.survey.questions import (
    as_questions,
    check_label,
    checked_answers,
    is_name,
    is_number,
    pair,
    wrong,
)

if TYPE_CHECKING:
    from cxstats.survey.codebook import Codebook

ROLES = ("expectation", "perception", "minimum")
MISSING_ALLOWED = "numbers, or texts such as '#NULL!'"
# Keys that name one column each.
ROW_COLUMNS = ("respondent", "duration", "weights", "cluster", "strata")


def _set(book: Codebook, name: str, value: Any) -> None:
    object.__setattr__(book, name, value)


def _constructs(book: Codebook) -> None:
    constructs = book.constructs
    if not isinstance(constructs, Mapping) or not (constructs or book.questions):
        raise wrong("constructs", constructs, "a mapping of construct to items, at least one")
    owner: dict[str, str] = {}
    for name, items in constructs.items():
        if not isinstance(name, str) or not name.strip():
            raise wrong("constructs", name, "names that are text")
        if name == "Overall":
            raise wrong("constructs", name, "another name; results call the overall score so")
        key = f"constructs.{name}"
        if isinstance(items, str) or not isinstance(items, Sequence) or not items:
            raise wrong(key, items, "a list of items, at least one")
        for item in items:
            if not isinstance(item, str) or not item.strip():
                raise wrong(key, item, "items that are text")
            if item in owner:
                raise wrong(key, item, f"an item once; it stands in {excerpt(owner[item])} too")
            owner[item] = name
    _set(book, "constructs", {name: tuple(items) for name, items in constructs.items()})


def _scale(book: Codebook) -> None:
    if book.scale is None and not book.constructs:
        return
    if not isinstance(book.scale, Mapping):
        _set(book, "scale", pair("scale", book.scale))
        return
    pairs = {name: pair(f"scale.{name!s:.60}", value) for name, value in book.scale.items()}
    names = ("default", *book.constructs)
    for name in pairs:
        if name not in names:
            raise wrong("scale", name, listing(names))
    if "default" not in pairs:
        for name in book.constructs:
            if name not in pairs:
                raise DataError(f"codebook, key 'scale': {name!r} has none, and no 'default'")
    _set(book, "scale", pairs)


def _fields_in(key: str, template: object) -> set[str]:
    if not isinstance(template, str):
        raise wrong(key, template, "text")
    try:
        pieces = [piece for piece in string.Formatter().parse(template) if piece[1] is not None]
    except ValueError as error:
        raise wrong(key, template, "text with {item}") from error
    for _, name, form, conversion in pieces:
        if form or conversion:
            raise wrong(key, template, f"{{{name}}} alone, without a form after ':' or '!'")
    return {str(name) for _, name, _, _ in pieces}


def _templates(book: Codebook) -> None:
    roles = [role for role in ROLES if getattr(book, role) is not None]
    for role in roles:
        if isinstance(getattr(book, role), Mapping):
            _set(book, role, _columns_of_items(role, getattr(book, role), book.items))
        elif _fields_in(role, getattr(book, role)) != {"item"}:
            raise wrong(role, getattr(book, role), "text with {item}, such as 'P_{item}'")
    if roles and "perception" not in roles:
        raise DataError(f"codebook, key 'perception': missing, but {roles[0]!r} is there")


def _columns_of_items(role: str, columns: Any, items: Sequence[str]) -> dict[str, str]:
    """Return the column of every item in a role, checked."""
    for item, column in columns.items():
        if item not in items:
            raise wrong(role, item, f"items: {listing(items)}")
        if not isinstance(column, str) or not column.strip():
            raise wrong(f"{role}.{item}", column, "the name of a column")
    for item in items:
        if item not in columns:
            raise DataError(f"codebook, key {role!r}: item {excerpt(item)} has no column")
    return dict(columns)


def _importance(book: Codebook) -> None:
    importance = book.importance
    if importance is None:
        return
    if isinstance(importance, Mapping):
        if set(importance) != set(book.constructs):
            allowed = f"a column for each of {excerpt(list(book.constructs))}"
            raise wrong("importance", dict(importance), allowed)
        for name, column in importance.items():
            if not is_name(column):
                raise wrong(f"importance.{name}", column, "the name of a column")
        _set(book, "importance", dict(importance))
    elif _fields_in("importance", importance) != {"construct"}:
        allowed = "text with {construct}, or a column for each construct"
        raise wrong("importance", importance, allowed)


def _item_lists(book: Codebook) -> None:
    items = set(book.items)
    for key in ("reverse", "other", "missing", "personal"):
        entries = getattr(book, key)
        if isinstance(entries, str) or not isinstance(entries, Sequence):
            raise wrong(key, entries, "a list")
        before = set()
        for entry in entries:
            if not is_name(entry):
                raise wrong(key, entry, "names" if key != "missing" else MISSING_ALLOWED)
            if key == "reverse" and entry not in items:
                raise wrong(key, entry, f"items: {listing(book.items)}")
            if key == "missing" and not _is_missing_code(entry):
                raise wrong(key, entry, MISSING_ALLOWED)
            if entry in before:
                raise wrong(key, entry, "each once")
            before.add(entry)
        _set(book, key, tuple(entries))


def _is_missing_code(entry: object) -> bool:
    """Return whether an entry is a finite number, or a text that is no number itself."""
    if isinstance(entry, str):
        return bool(entry.strip()) and not reads_as_number(entry)
    return is_number(entry) and math.isfinite(cast("float", entry))


def _best(book: Codebook) -> None:
    allowed = "'high' or 'low', or a mapping of construct to these"
    ends = book.best.values() if isinstance(book.best, Mapping) else [book.best]
    for end in ends:
        if not isinstance(end, str) or end not in BEST:
            raise wrong("best", end, allowed)
    if isinstance(book.best, Mapping):
        for name in book.best:
            if name not in book.constructs:
                raise wrong("best", name, listing(book.constructs))
        _set(book, "best", dict(book.best))


def _labels(book: Codebook) -> None:
    if not isinstance(book.labels, Mapping):
        raise wrong("labels", book.labels, "a mapping")
    if not isinstance(book.title, str | Mapping):
        raise wrong("title", book.title, "text, or a text for 'en' and 'zh'")
    if isinstance(book.title, Mapping):
        for lang, text in book.title.items():
            if lang not in LANGUAGES or not isinstance(text, str):
                raise wrong("title", book.title, "text, or a text for 'en' and 'zh'")
        _set(book, "title", dict(book.title))
    names = {*book.items, *book.constructs}
    for name, text in book.labels.items():
        if name not in names:
            raise wrong("labels", name, "names of items and constructs")
        check_label(f"labels.{name}", text)
    _set(book, "labels", dict(book.labels))


def _answers(book: Codebook) -> None:
    if not isinstance(book.answers, Mapping):
        raise wrong("answers", book.answers, "a mapping")
    nested = {key: entry for key, entry in book.answers.items() if isinstance(entry, Mapping)}
    for name in nested:
        if name not in book.constructs:
            raise wrong("answers", name, f"a number, or labels of a construct: "
                        f"{listing(book.constructs)}")  # fmt: skip
    single = {key: entry for key, entry in book.answers.items() if key not in nested}
    answers = checked_answers("answers", single)
    constructs = {key: checked_answers(f"answers.{key}", nested[key]) for key in nested}
    asked = [question.answers for question in book.questions.values()]
    for answer in (key for labels in (answers, *constructs.values(), *asked) for key in labels):
        if answer in book.missing:
            raise wrong("answers", answer, "texts that are not among the missing ones too")
    _set(book, "answers", {**answers, **constructs})


def _questions(book: Codebook) -> None:
    _set(book, "questions", as_questions(book.questions))
    for name in book.questions:
        if name in book.constructs or name in book.items:
            raise wrong("questions", name, "names of their own, not those of constructs or items")


def _groups(book: Codebook) -> None:
    groups = book.groups if book.groups is not None else ()
    if isinstance(groups, str) or not isinstance(groups, Sequence | Mapping):
        raise wrong(
            "groups", groups, "a list of columns, or a mapping of column to 'same', 'order'"
        )
    checked = {}
    for column in groups:
        if not is_name(column):
            raise wrong("groups", column, "the name of a column")
        said = groups[column] if isinstance(groups, Mapping) else {}
        if said is None:
            said = {}
        if not isinstance(said, Mapping) or not set(said) <= {"same", "order"}:
            raise wrong(f"groups.{column}", said, "'same' (written value: value), 'order' (a list)")
        if not isinstance(said.get("same", {}), Mapping):
            raise wrong(f"groups.{column}.same", said["same"], "a mapping of value to value")
        _check_order(f"groups.{column}.order", said.get("order", ()))
        checked[column] = {key: _plain_values(entry) for key, entry in said.items() if entry}
    _set(book, "groups", checked)


def _plain_values(entry: Any) -> Any:
    return dict(entry) if isinstance(entry, Mapping) else list(entry)


def _check_order(key: str, order: Any) -> None:
    """Raise if an order is no list of values, each once."""
    if isinstance(order, str) or not isinstance(order, Sequence):
        raise wrong(key, order, "a list")
    values = [value for value in order if is_name(value)]
    if len(set(values)) < len(order):
        raise wrong(key, order, "each value once")


def _wave(book: Codebook) -> None:
    wave = book.wave
    if isinstance(wave, Mapping):
        if set(wave) != {"column", "order"} or not is_name(wave["column"]):
            raise wrong("wave", wave, "a column, or {column: ..., order: [...]}")
        _check_order("wave.order", wave["order"])
        _set(book, "wave", {"column": wave["column"], "order": list(wave["order"])})
    elif not is_name(wave):
        raise wrong("wave", wave, "the name of a column")


def _columns(book: Codebook) -> None:
    for key in ROW_COLUMNS:
        if not is_name(getattr(book, key)):
            raise wrong(key, getattr(book, key), "the name of a column")
    answered, describing = book._answered_columns, book._describing_columns
    old = [c for c in (book.respondent, book.duration, *book.other) if c is not None]
    for column, n in Counter((*answered, *old)).items():
        if n > 1:
            raise DataError(f"codebook: column {excerpt(column)} is declared twice")
    for column in set(answered) & set(describing):
        raise DataError(f"codebook: column {excerpt(column)} is declared twice")


# In this order: later ones read what earlier ones have put into form.
CHECKS = (
    _constructs, _scale, _templates, _importance, _item_lists, _best, _labels, _questions, _answers,
    _groups, _wave, _columns,
)  # fmt: skip
