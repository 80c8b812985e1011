"""The evaluation table: which category a pair of answers stands for. It is data, not code."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.cells import cells_of
from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import excerpt, row_name
from cxstats.core.paths import PACKAGE
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

# In the order of M>O>A>I, which settles ties; reverse and questionable come last.
CATEGORIES = ("M", "O", "A", "I", "R", "Q")
ANSWERS = ("like", "must_be", "neutral", "live_with", "dislike")
SOURCES = {
    "kano1984": (
        "Kano, Seraku, Takahashi & Tsuji (1984). Attractive quality and must-be quality. Journal "
        "of the Japanese Society for Quality Control 14(2), 39-48; in the form of Berger et al. "
        "(1993). Kano's methods for understanding customer-defined quality. Center for Quality "
        "Management Journal 2(4), 3-36"
    ),
    "pouliot1993": (
        "Pouliot (1993). Theoretical issues of Kano's methods, in Berger et al. (1993), Center for "
        "Quality Management Journal 2(4), 28-36: twice 'must be' and twice 'live with' contradict "
        "themselves and are questionable"
    ),
}


@dataclass(frozen=True)
class Evaluation:
    """An evaluation table.

    Attributes
    ----------
    name : str
        "kano1984", "pouliot1993" or "own".
    cells : tuple of five tuples of five str
        Categories; rows are answers to the functional question (the feature is there), columns
        answers to the dysfunctional one (it is not), both from like to dislike.
    source : str
        Where the table stands.
    """

    name: str
    cells: tuple[tuple[str, ...], ...]
    source: str

    @property
    def places(self) -> Whole:
        """Places in `CATEGORIES` (5, 5)."""
        return np.array([[CATEGORIES.index(cell) for cell in row] for row in self.cells])

    def classify(self, functional: Whole, dysfunctional: Whole) -> Whole:
        """Return places in `CATEGORIES` of pairs of answers 0 to 4; -1 where one is -1."""
        places = self.places[functional, dysfunctional]
        return np.where((functional < 0) | (dysfunctional < 0), -1, places)


def evaluation_table(table: Any = "kano1984") -> Evaluation:
    """Return an evaluation table by its name, or one that a study brings, checked.

    Parameters
    ----------
    table : {"kano1984", "pouliot1993"} or 5 by 5 categories
        Own ones are rows of five letters, or a frame; rows are functional answers, columns
        dysfunctional ones, both from like to dislike.

    Raises
    ------
    CxError
        If the name is unknown, there are not 25 cells, or a cell is no category.

    Examples
    --------
    >>> evaluation_table().cells[0]
    ('Q', 'A', 'A', 'A', 'O')
    >>> evaluation_table(["QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ"]).name
    'own'
    """
    if isinstance(table, Evaluation):
        return table
    if isinstance(table, str):
        if table not in SOURCES:
            raise CxError(
                f"table is {table!r}; allowed: {', '.join(map(repr, SOURCES))}, or 5 rows of 5 "
                "categories"
            )
        return _published()[table]
    rows = table.to_numpy().tolist() if hasattr(table, "to_numpy") else table
    if not isinstance(rows, Sequence | np.ndarray) or len(rows) != 5:
        raise CxError(f"table is {table!r}; allowed: 5 rows (like to dislike) of 5 categories")
    cells = []
    for answer, row in zip(ANSWERS, rows, strict=True):
        if not isinstance(row, Sequence | np.ndarray) or len(row) != 5:
            raise CxError(f"table, row {answer!r}: {row!r}; allowed: 5 categories, like to dislike")
        for column, cell in zip(ANSWERS, row, strict=True):
            if cell not in CATEGORIES:
                raise CxError(
                    f"table, row {answer!r}, column {column!r}: {cell!r}; allowed: "
                    f"{', '.join(CATEGORIES)}"
                )
        cells.append(tuple(str(cell) for cell in row))
    return Evaluation("own", tuple(cells), "own table")


@cache
def _published() -> Mapping[str, Evaluation]:
    with (PACKAGE / "priorities" / "kano" / "evaluation_tables.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        rows = list(csv.DictReader(file))
    return {
        name: Evaluation(
            name,
            tuple(tuple(r[answer] for answer in ANSWERS) for r in rows if r["table"] == name),
            source,
        )
        for name, source in SOURCES.items()
    }


def check_codes(codes: Sequence[Any], what: str = "codes") -> tuple[Any, ...]:
    """Return the five codes from like to dislike, all numbers or all texts.

    Raises
    ------
    CxError
        If they are not five, or not different.
    """
    five = () if isinstance(codes, str) or not isinstance(codes, Sequence) else tuple(codes)
    texts = [isinstance(code, str) for code in five]
    plain = all(isinstance(c, str) or (isinstance(c, Real) and isfinite(c)) for c in five)
    if len(five) != 5 or len(set(five)) != 5 or not plain or any(texts) != all(texts):
        raise CxError(
            f"{what} is {codes!r}; allowed: five different numbers or texts, for "
            f"{', '.join(ANSWERS)}, in this order"
        )
    return five


def coded(frame: pd.DataFrame, column: str, codes: tuple[Any, ...]) -> Whole:
    """Return answers as 0 (like) to 4 (dislike), -1 where missing.

    Raises
    ------
    DataError
        Naming row, column and value of an answer that is none of the codes.
    """
    if not isinstance(codes[0], str):
        _refuse_texts(frame, column, codes)
        values = numbers(frame, column)
        missing = np.isnan(values)
    elif column not in frame.columns or frame[column].ndim > 1:
        numbers(frame, column)  # raises, naming the column
    else:
        missing = frame[column].isna().to_numpy()
        values = frame[column].astype(object).to_numpy()
    answers = np.full(len(frame), -1)
    for place, code in enumerate(codes):
        answers[~missing & np.asarray(values == code, bool)] = place
    unknown = np.flatnonzero((answers < 0) & ~missing)
    if len(unknown):
        value = values[unknown[0]]
        text = f"{value:g}" if isinstance(value, float) else repr(value)
        more = f" (and {len(unknown) - 1} more in this column)" if len(unknown) > 1 else ""
        raise DataError(
            f"{row_name(frame.index, unknown[0])}, column {column!r}: {text} is no answer; "
            f"allowed: {', '.join(map(str, codes))} (like to dislike){more}"
        )
    return answers


def _refuse_texts(frame: pd.DataFrame, column: str, codes: tuple[Any, ...]) -> None:
    """Raise if answers are words where codes are numbers, naming the option that says which."""
    if column not in frame.columns or frame[column].ndim > 1:
        return  # said by `numbers`
    texts = np.flatnonzero(cells_of(frame[column], str))
    if not len(texts):
        return
    values = frame[column].astype(object).to_numpy()
    different = list(dict.fromkeys(values[i] for i in texts))
    raise DataError(
        f"{row_name(frame.index, texts[0])}, column {column!r}: {excerpt(values[texts[0]])} is a "
        f"text, and answers are looked for as {', '.join(map(str, codes))}; say how they are coded "
        f"with codes=[five texts, for {', '.join(ANSWERS)}]; texts there: {excerpt(different)}"
    )
