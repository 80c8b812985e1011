"""Answer labels: the texts and codes of a file that stand for a number of the scale."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.messages import look
from cxstats.survey.columns import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AnswerLabels:
    """Labels that stand for numbers, and the numbers themselves where a file has other codes.

    A text is looked up as it stands; where that is no label, by its look: letter case, full-width
    forms, kinds of spaces and spaces at the ends do not matter. A label that reads as a number
    (``{1: 5, 2: 4}``) is a code: it stands for cells that hold this number in any form, 1, 1.0, "1"
    or "1.0".

    Parameters
    ----------
    labels : mapping of str to float

    Examples
    --------
    >>> labels = AnswerLabels({"非常同意": 7, "Strongly agree": 7, "9": -1})
    >>> labels.number("strongly  agree "), labels.number("9.0"), labels.number("agree")
    (7.0, -1.0, None)
    """

    def __init__(self, labels: Mapping[str, float] | None = None) -> None:
        self.labels = dict(labels or {})

    def __bool__(self) -> bool:
        return bool(self.labels)

    @cached_property
    def _by_look(self) -> dict[str, float | None]:
        """Number by look; None where two labels that look alike stand for different numbers."""
        numbers: dict[str, float | None] = {}
        for text, number in self.labels.items():
            key = look(text)
            numbers[key] = number if numbers.get(key, number) == number else None
        return numbers

    @cached_property
    def codes(self) -> dict[float, float]:
        """Code and number of the labels that read as numbers."""
        return {
            float(text): float(number) for text, number in self.labels.items() if is_number(text)
        }

    def number(self, text: str) -> float | None:
        """Return the number that a text stands for; None where it is no label."""
        if text in self.labels:
            return float(self.labels[text])
        if not self.labels:
            return None
        number = self._by_look.get(look(text))
        if number is None and self.codes and (value := as_number(text)) is not None:
            number = self.codes.get(value)
        return None if number is None else float(number)

    def of_codes(self, values: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return numbers (n,) with codes replaced, and which of them were codes (n,)."""
        numbers, mapped = np.array(values, np.float64), np.zeros(len(values), bool)
        for code, number in self.codes.items():
            is_code = values == code
            numbers[is_code], mapped = number, mapped | is_code
        return numbers, mapped


def as_number(text: str) -> float | None:
    """Return the number that a text is, also in full-width digits; None where it is none.

    Examples
    --------
    >>> as_number("５"), as_number(" 4.0"), as_number("4分")
    (5.0, 4.0, None)
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return float(plain) if is_number(plain) else None
