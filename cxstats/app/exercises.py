"""Exercises of the notebooks: the check of an answer says that it is right, or what is wrong."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.language import Text, check_lang, label
from cxstats.core.paths import data_folder


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise with its answer.

    Attributes
    ----------
    key : str
        Number of the notebook and of the exercise: "09.1".
    answer : str
        A number as text, or words; of several right words any, with "|" between.
    tolerance : float
        How far a number may be off.
    hint : Text
        What to do, for who is wrong.
    mistakes : mapping of str to Text
        Wrong answers that people give, and what is wrong with each.
    """

    key: str
    answer: str
    tolerance: float
    hint: Text
    mistakes: dict[str, Text]

    def is_right(self, answer: Any) -> bool:
        """Return whether an answer is right."""
        return _same(answer, self.answer, self.tolerance)

    def advice(self, answer: Any) -> Text:
        """Return what is wrong with an answer, or the hint where that is not known."""
        for wrong, why in self.mistakes.items():
            if _same(answer, wrong, self.tolerance):
                return why
        return self.hint


def _same(answer: Any, expected: str, tolerance: float) -> bool:
    number = _as_number(expected)
    if number is None:
        text = str(answer).strip().casefold()
        return text in {word.strip().casefold() for word in expected.split("|")}
    value = _as_number(answer)
    return value is not None and abs(value - number) <= tolerance


def _as_number(value: Any) -> float | None:
    """Return a number, also one that is written; None for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


@cache
def exercises() -> dict[str, Exercise]:
    """Return every exercise by its key, from ``data/exercises.csv``."""
    path = data_folder() / "exercises.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row["key"]: _exercise(row) for row in csv.DictReader(file)}


def _exercise(row: dict[str, str]) -> Exercise:
    wrong = [part.strip() for part in row["mistakes"].split("|") if part.strip()]
    why = [[part.strip() for part in row[f"why_{lang}"].split("|")] for lang in ("en", "zh")]
    mistakes = {w: Text(en, zh) for w, en, zh in zip(wrong, *why, strict=True)}
    hint = Text(row["hint_en"], row["hint_zh"])
    return Exercise(row["key"], row["answer"], float(row["tolerance"] or 0), hint, mistakes)


class Verdict(str):
    """What the check of an answer says; a notebook shows it without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def check_answer(key: str, answer: Any = ..., lang: str | None = None) -> Verdict:
    """Check the answer to an exercise of a notebook.

    Parameters
    ----------
    key : str
        Number of the notebook and of the exercise, such as ``"25.1"``.
    answer : number, text or ``...``
        ``...`` stands where nobody has answered yet.
    lang : {"en", "zh"}, optional

    Returns
    -------
    Verdict
        "Right.", or what is wrong.

    Raises
    ------
    CxError
        If there is no such exercise.

    Examples
    --------
    >>> check_answer("25.1", 40)
    Right.
    >>> check_answer("25.1", 0.4)
    Not yet: The NPS is in points from −100 to 100, so the difference of shares is times 100.
    """
    lang = check_lang(lang)
    if key not in exercises():
        raise CxError(f"{key!r} is no exercise; exercises: {', '.join(exercises())}")
    if answer is ...:
        return Verdict(label("exercise.open", lang))
    if isinstance(answer, np.generic):
        answer = answer.item()
    exercise = exercises()[key]
    if exercise.is_right(answer):
        return Verdict(label("exercise.right", lang))
    return Verdict(label("exercise.wrong", lang, why=exercise.advice(answer).get(lang)))
