"""What a column holds: numbers, texts and how often each stands there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.survey.answer_labels import as_number

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A column of n rows.

    Attributes
    ----------
    name : str
    place : int
        Which column of the table it is, from 0.
    question : str
        Text of its question; empty where the file has none.
    labels : mapping
        Code to label, where the file has value labels (SPSS).
    numbers : array (n,)
        Its numbers, those written as text too; NaN elsewhere.
    texts : dict of str to int
        Texts that are no numbers, and how often each stands there.
    codes : array (n,)
        Which of `texts` a row has; -1 for none.
    is_time : bool
        Whether it holds dates or times.
    n_texts : int
        How many of its numbers are written as text.
    """

    name: str
    place: int
    question: str
    labels: Mapping[Any, str]
    numbers: NDArray[np.float64]
    texts: dict[str, int]
    codes: NDArray[np.intp]
    is_time: bool = False
    n_texts: int = 0
    values: NDArray[np.float64] = field(default_factory=lambda: np.array([]))
    counts: NDArray[np.intp] = field(default_factory=lambda: np.array([], np.intp))

    @property
    def heading(self) -> str:
        """Name and question in small letters."""
        return f"{self.name}\n{self.question}".casefold()

    @property
    def n_numbers(self) -> int:
        """How many cells are numbers."""
        return int(self.counts.sum())

    @property
    def n_filled(self) -> int:
        """How many cells hold something."""
        return self.n_numbers + sum(self.texts.values())

    @property
    def n_distinct(self) -> int:
        """How many different values there are."""
        return len(self.values) + len(self.texts)

    @property
    def is_numeric(self) -> bool:
        """Whether nearly all cells are numbers."""
        return self.n_numbers > 0 and self.n_numbers >= 0.9 * self.n_filled


def cells_of(
    column: pd.Series[Any], place: int, question: str = "", labels: Mapping[Any, str] | None = None
) -> Cells:
    """Return what a column holds.

    Examples
    --------
    >>> import pandas as pd
    >>> cells = cells_of(pd.Series(["5", "４", "good", None]), 0)
    >>> cells.numbers.tolist(), cells.texts
    ([5.0, 4.0, nan, nan], {'good': 1})
    """
    name, kind = str(column.name), column.dtype.kind
    none = np.full(len(column), -1, np.intp)
    if kind in "iuf":
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        return _cells(name, place, question, labels, numbers, {}, none)
    raw = column.astype(object).to_numpy().copy()
    raw[column.isna().to_numpy(bool)] = None
    texts: dict[str, int] = {}
    seen: dict[tuple[type, Any], tuple[float, int]] = {}
    numbers, codes = np.full(len(raw), np.nan), none
    is_time, n_texts = kind in "mM", 0
    for i, cell in enumerate(raw.tolist()):
        if cell is None or cell == "":
            continue
        key = (cell.__class__, cell if isinstance(cell, str | Real) else str(cell))
        if key not in seen:
            is_time |= isinstance(cell, date)
            number = _number(cell)
            seen[key] = number, -1 if number == number else len(texts)  # noqa: PLR0124  (NaN)
            if seen[key][1] >= 0:
                texts.setdefault(str(cell), 0)
        numbers[i], code = seen[key]
        n_texts += code < 0 and isinstance(cell, str)
        if code >= 0:
            codes[i] = code
            texts[str(cell)] += 1
    return _cells(name, place, question, labels, numbers, texts, codes, is_time, n_texts)


def _number(cell: Any) -> float:
    if isinstance(cell, str):
        number = as_number(cell)
        return np.nan if number is None else number
    if isinstance(cell, bool) or not isinstance(cell, Real):
        return np.nan
    return float(cell)


def _cells(  # noqa: PLR0913, PLR0917
    name: str,
    place: int,
    question: str,
    labels: Mapping[Any, str] | None,
    numbers: NDArray[np.float64],
    texts: dict[str, int],
    codes: NDArray[np.intp],
    is_time: bool = False,
    n_texts: int = 0,
) -> Cells:
    values, counts = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
    return Cells(
        name, place, question, labels or {}, numbers, texts, codes, is_time, n_texts, values, counts
    )


def all_texts(columns: list[Cells]) -> Counter[str]:
    """Return every text of some columns, and how often it stands there."""
    total: Counter[str] = Counter()
    for cells in columns:
        total.update(cells.texts)
    return total
