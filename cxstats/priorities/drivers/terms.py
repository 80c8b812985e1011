"""What counts as one driver: a column, the dummies of a nominal column, or a group by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.cells import as_floats, cells_of, check_group_values
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both, listed
from cxstats.core.messages import excerpt
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MANY = 12  # levels of a nominal driver above which a note asks whether it is one
SINGULAR = 1e-10


@dataclass(frozen=True, slots=True)
class Term:
    """A driver by name, and the columns of the table that make it up."""

    name: str
    columns: tuple[str, ...]


def read_terms(outcome: str, drivers: Any) -> tuple[Term, ...]:
    """Return the drivers, groups among them.

    Parameters
    ----------
    outcome : str
    drivers : sequence of (str, sequence of str, or mapping of name to these), or mapping
        A list of columns is a group under their names joined by " + "; a mapping names it.

    Raises
    ------
    CxError
        If there is no name, a column stands twice, or the outcome is among them.

    Examples
    --------
    >>> [term.name for term in read_terms("y", ["q", ["north", "south"], {"age": ["a", "b"]}])]
    ['q', 'north + south', 'age']
    """
    if not isinstance(outcome, str):
        raise CxError(f"outcome is {excerpt(outcome)}; allowed: the name of one column")
    if isinstance(drivers, str) or not isinstance(drivers, Sequence | Mapping):
        raise _no_names(drivers)
    terms = tuple(_each(drivers))
    if not terms:
        raise CxError("drivers is empty; allowed: at least one name")
    for names in (
        [column for term in terms for column in term.columns],
        [term.name for term in terms],
    ):
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise CxError(f"driver {twice[0]!r} is named twice")
        if outcome in names:
            raise CxError(f"{outcome!r} is the outcome and cannot be a driver of itself")
    return terms


def _each(drivers: Any) -> Iterator[Term]:
    if isinstance(drivers, Mapping):
        for name, columns in drivers.items():
            members = [columns] if isinstance(columns, str) else columns
            if not isinstance(name, str):
                raise _no_names(drivers)
            yield Term(name, _members(members, drivers))
        return
    for entry in drivers:
        if isinstance(entry, str):
            yield Term(entry, (entry,))
        elif isinstance(entry, Mapping):
            yield from _each(entry)
        else:
            members = _members(entry, drivers)
            yield Term(" + ".join(members), members)


def _members(columns: Any, drivers: Any) -> tuple[str, ...]:
    is_list = isinstance(columns, Sequence) and not isinstance(columns, str)
    if not is_list or not columns or not all(isinstance(name, str) for name in columns):
        raise _no_names(drivers)
    return tuple(columns)


def _no_names(drivers: Any) -> CxError:
    return CxError(
        f"drivers is {excerpt(drivers)}; allowed: a list of names of columns, in it a list of "
        'columns for a group, or {"region": ["north", "south"]} to name it'
    )


@dataclass(frozen=True, slots=True, eq=False)
class TermColumns:
    """The columns of a driver as numbers.

    Attributes
    ----------
    names : tuple of str
        Of the columns; a dummy is "region = South".
    values : array (n, g)
        NaN where there is no answer.
    notes : tuple of Text
        The reference of dummies; too many levels.
    """

    names: tuple[str, ...]
    values: Array
    notes: tuple[Text, ...] = ()


def read_columns(frame: pd.DataFrame, term: Term, rows: NDArray[np.bool_]) -> TermColumns:
    """Return the columns of a driver, nominal ones as dummies, for all rows of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
    term : Term
    rows : array (n,)
        The rows whose levels count: a level that none of them has gets no dummy.
    """
    columns_read = [_read_column(frame, name, rows) for name in term.columns]
    return TermColumns(
        tuple(name for part in columns_read for name in part.names),
        np.column_stack([part.values for part in columns_read]),
        tuple(note for part in columns_read for note in part.notes),
    )


def _read_column(frame: pd.DataFrame, name: str, rows: NDArray[np.bool_]) -> TermColumns:
    kind = nominal_kind(frame, name)
    if kind is None:
        return TermColumns((name,), numbers(frame, name)[:, None])
    column = frame[name]
    missing = column.isna().to_numpy(bool)
    if kind == "boolean":
        pairs = zip(column, missing, strict=True)
        flags = [np.nan if gap else float(value) for value, gap in pairs]
        return TermColumns((name,), np.array(flags)[:, None])
    levels = levels_of(column, rows)
    if len(levels) < 2:
        raise DataError(f"column {name!r} does not vary, so it explains nothing")
    values = column.astype(object).to_numpy(object)
    dummies = np.column_stack([values == level for level in levels[1:]]).astype(float)
    dummies[missing] = np.nan
    notes = [both("drivers.note.reference", name=name, level=str(levels[0]))]
    if len(levels) > MANY:
        notes.append(both("drivers.note.levels", name=name, k=len(levels)))
    return TermColumns(tuple(f"{name} = {level}" for level in levels[1:]), dummies, tuple(notes))


def answered(frame: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Return which rows have an answer in a column (n,)."""
    if nominal_kind(frame, name) is None:
        return np.asarray(~np.isnan(numbers(frame, name)))
    return frame[name].notna().to_numpy(bool)


def nominal_kind(frame: pd.DataFrame, name: str) -> str | None:
    """Return "boolean" or "levels" for a column that is nominal by its type, else None.

    Texts are levels where none of them reads as a number. Categories of pandas are, unless they
    are numbers in an order.
    """
    import pandas as pd

    if name not in frame.columns or frame[name].ndim > 1:
        return None  # said by `numbers`
    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        of_numbers = pd.api.types.is_numeric_dtype(column.cat.categories.dtype)
        return None if of_numbers and column.cat.ordered else "levels"
    answered = column.dropna()
    if not len(answered):
        return None
    if str(column.dtype) in ("bool", "boolean") or cells_of(answered, bool, np.bool_).all():
        return "boolean"
    if not cells_of(answered, str).all():
        return None
    check_group_values(answered, name, "level")
    return "levels" if np.isnan(as_floats(answered)).all() else None


def levels_of(column: pd.Series[Any], rows: NDArray[np.bool_]) -> list[Any]:
    """Return the levels that some of the rows have: by category, or in alphabetical order."""
    import pandas as pd

    present = set(column[rows].dropna())
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [level for level in column.cat.categories if level in present]
    return sorted(present)


def rank_of(corr: Array) -> int:
    """Return how many of the columns of a group say something of their own."""
    return int((np.linalg.eigvalsh(corr) > SINGULAR).sum())


def independent(corr: Array) -> NDArray[np.bool_]:
    """Return which columns those before them do not determine (g,), of their correlations.

    Examples
    --------
    >>> independent(np.array([[1, -1, 0.2], [-1, 1, -0.2], [0.2, -0.2, 1]])).tolist()
    [True, False, True]
    """
    left = np.array(corr, float)
    own = np.zeros(len(left), bool)
    for j in range(len(left)):
        own[j] = left[j, j] > SINGULAR
        if own[j]:
            left -= np.outer(left[:, j], left[j]) / left[j, j]
    return own


def without_determined(part: TermColumns, name: str, corr: Array) -> TermColumns:
    """Return the columns of a driver less those that its others determine, and say which."""
    own = independent(corr)
    if own.all():
        return part
    lost = [column for column, is_own in zip(part.names, own, strict=True) if not is_own]
    names = tuple(column for column, is_own in zip(part.names, own, strict=True) if is_own)
    note = both("drivers.note.determined", name=name, names=listed(lost))
    return TermColumns(names, part.values[:, own], (*part.notes, note))
