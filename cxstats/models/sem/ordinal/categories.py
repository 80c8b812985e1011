"""Ordered answers as categories, and their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import respondents
from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import no_column
from cxstats.core.moments import Moments
from cxstats.models.sem.sample import columns_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.intp]

# More different answers than that are hardly categories.
MOST_CATEGORIES = 20
# Numbers in a part of the cases that is worked on at once.
CHUNK = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """Complete cases of ordered answers.

    Attributes
    ----------
    names : tuple of str
        The p items.
    values : tuple of arrays
        The answers that occur, in rising order.
    codes : array (n, p)
        Which of them each case gave, from 0.
    dropped : int
        Cases left out because an answer was missing.
    weights : array (n,) or None
        Weights of the cases, where they were sampled with any; they add up to n over all groups.
    rows : array (n,) or None
        Their rows in the table.
    """

    names: tuple[str, ...]
    values: tuple[Array, ...]
    codes: Codes
    dropped: int
    weights: Array | None = None
    rows: Codes | None = None

    @property
    def size(self) -> float:
        """Sum of the weights; cases, without any."""
        return float(self.n if self.weights is None else self.weights.sum())

    @property
    def n(self) -> int:
        """Cases."""
        return len(self.codes)

    @property
    def sizes(self) -> Codes:
        """How many categories each item has, (p,)."""
        return np.array([len(answers) for answers in self.values])

    @property
    def pairs(self) -> tuple[Codes, Codes]:
        """Places of the first and second item of the P pairs: 1-2, 1-3, ..., 2-3, ..."""
        return np.triu_indices(len(self.names), 1)

    def counts(self) -> Array:
        """Return how often each category was given, (p, K); zero where an item has fewer."""
        most = int(self.sizes.max())
        counts = [np.bincount(column, self.weights, most) for column in self.codes.T]
        return np.array(counts, float)

    def tables(self) -> Array:
        """Return the table of every pair of items, (P, K, K)."""
        p, most = len(self.names), int(self.sizes.max())
        crossed = np.zeros((p * most, p * most))
        shift = np.arange(p) * most
        at = 0
        for chunk in self.chunks(p * most):
            marks = np.zeros((len(chunk), p * most))
            np.put_along_axis(marks, chunk + shift, 1.0, axis=1)
            rows = slice(at, at + len(chunk))
            weighted = marks if self.weights is None else marks * self.weights[rows, None]
            crossed += weighted.T @ marks
            at += len(chunk)
        first, second = self.pairs
        tables: Array = crossed.reshape(p, most, p, most)[first, :, second, :]
        return tables

    def chunks(self, width: int) -> list[Codes]:
        """Return the cases in chunks that make no large array of `width` columns."""
        rows = max(1, CHUNK // max(width, 1))
        return [self.codes[i : i + rows] for i in range(0, self.n, rows)]


def read_categories(
    data: Any, columns: Sequence[str] | None, void: NDArray[np.bool_] | None = None
) -> Categories:
    """Return the complete cases of ordered answers of a table.

    Ordered categories of pandas are taken in the order of their type, text among them. Rows that
    are `void` (n,) are left out, whatever they hold.

    Raises
    ------
    DataError, CxError
        If a column is not there, its answers are not whole numbers, all the same, or so many that
        they look continuous; if there are no more cases than items.
    """
    names, values, _ = _answers(data, columns, None)
    values = values if void is None else np.where(void[:, None], np.nan, values)
    return _categories(names, values)


def read_groups(
    data: Any, columns: Sequence[str], group: str, void: NDArray[np.bool_] | None = None
) -> dict[Any, Categories]:
    """Return the complete cases of every group, in the order of their first row.

    Raises
    ------
    DataError, CxError
        Those of `read_categories`; also if a category does not occur in a group, or `group` is no
        column.
    """
    import pandas as pd

    available = columns_of(data)
    if available is not None and group not in available:
        raise DataError(no_column(group, available, ", of the groups,"))
    names, values, keys = _answers(data, columns, group)
    values = values if void is None else np.where(void[:, None], np.nan, values)
    belongs = ~pd.isna(keys)
    pooled = _categories(names, values[belongs])
    complete = ~np.isnan(values).any(axis=1) & belongs
    out = {}
    for key in pd.unique(keys[belongs]):
        codes = pooled.codes[keys[complete] == key]
        if len(codes) <= len(names):
            raise DataError(
                f"group {key!r}: {len(codes)} complete cases for {len(names)} items; there must be "
                "more cases than items"
            )
        for name, levels, column in zip(names, pooled.values, codes.T, strict=True):
            absent = np.setdiff1d(np.arange(len(levels)), column)
            if len(absent):
                raise DataError(
                    f"group {key!r}: nobody answered {name} = {levels[absent[0]]:g}, which others "
                    "did; merge it with the category beside it in all groups"
                )
        dropped, rows = int((keys == key).sum()) - len(codes), np.flatnonzero(complete)
        of_group = rows[keys[complete] == key]
        out[key] = Categories(names, pooled.values, codes, dropped, rows=of_group)
    return out


def _answers(
    data: Any, columns: Sequence[str] | None, by: str | None
) -> tuple[tuple[str, ...], Array, Any]:
    """Return names, answers (n, p) and groups."""
    if isinstance(data, Moments | Mapping):
        raise CxError("ordered answers need the respondents, not Moments: pass the frame")
    return respondents(_in_numbers(data, columns, by), columns, by)


def _in_numbers(data: Any, columns: Sequence[str] | None, by: str | None) -> Any:
    """Return a table of pandas with ordered categories as numbers: their own, or 1, 2, ..."""
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        return data
    changed = {}
    for name in data.columns if columns is None else [c for c in columns if c in data.columns]:
        kind = data[name].dtype if list(data.columns).count(name) == 1 else None
        if name == by or not isinstance(kind, pd.CategoricalDtype):
            continue
        if not kind.ordered:
            raise DataError(
                f"{name!r} has categories without an order; say which is lowest: "
                "pd.Categorical(answers, categories=[...], ordered=True)"
            )
        numeric = pd.api.types.is_numeric_dtype(kind.categories)
        own = (
            kind.categories.to_numpy(float) if numeric else np.arange(1.0, len(kind.categories) + 1)
        )
        codes = data[name].cat.codes.to_numpy()
        changed[name] = np.where(codes < 0, np.nan, own[codes])
    return data.assign(**changed) if changed else data


def _categories(names: tuple[str, ...], values: Array) -> Categories:
    """Return the complete cases among answers (n, p), checked."""
    if len(names) < 2:
        raise CxError(f"{len(names)} item; correlations need at least two")
    complete = ~np.isnan(values).any(axis=1)
    for name, column in zip(names, values.T, strict=True):
        _check_whole(name, column[~np.isnan(column)])
    cases = values[complete]
    if len(cases) <= len(names):
        raise DataError(
            f"{len(cases)} complete cases for {len(names)} items; there must be more cases than "
            f"items ({len(values) - len(cases)} were left out because an answer was missing)"
        )
    levels, codes = [], np.empty(cases.shape, np.intp)
    for j, (name, column) in enumerate(zip(names, cases.T, strict=True)):
        level, codes[:, j] = np.unique(column, return_inverse=True)
        if len(level) == 1:
            raise DataError(
                f"{name!r} is constant (all complete cases answer {level[0]:g}); a correlation "
                "needs answers that vary"
            )
        levels.append(level)
    rows = np.flatnonzero(complete)
    return Categories(names, tuple(levels), codes, len(values) - len(cases), rows=rows)


def _check_whole(name: str, answers: Array) -> None:
    odd = answers[~np.isfinite(answers) | (answers != np.round(answers))]
    if len(odd):
        raise DataError(
            f"{name!r} has the answer {odd[0]:g}; ordered answers are whole numbers, one for each "
            "category"
        )
    different = len(np.unique(answers))
    if different > MOST_CATEGORIES:
        raise DataError(
            f"{name!r} has {different} different answers and looks continuous; allowed: at most "
            f"{MOST_CATEGORIES} categories (without ordered= the model takes it as it is)"
        )
