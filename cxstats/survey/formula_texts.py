"""Texts of a client's table that a spreadsheet would run: where they are, and the mark against it.

Which texts those are says `cxstats.core.export.is_formula`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.export import defused, is_formula

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def formula_texts(
    frame: pd.DataFrame,
) -> Iterator[tuple[str | None, NDArray[np.bool_], list[str]]]:
    """Yield the columns in which such texts stand: name, rows (n,) and the texts in them.

    The labels of rows come last, under the name None.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"q1": [1, 2, 3], "comment": ["=1+1", "-5", "- late"]})
    >>> [(name, texts) for name, _, texts in formula_texts(frame)]
    [('comment', ['=1+1', '- late'])]
    """
    for j in text_columns(frame):
        column = frame.iloc[:, j]
        mask = runs(column)
        if mask is not None:
            yield str(frame.columns[j]), mask, column[mask].tolist()
    for level in range(frame.index.nlevels):
        labels = frame.index.get_level_values(level).to_series()
        mask = runs(labels)
        if mask is not None:
            yield None, mask, labels[mask].tolist()


def text_columns(frame: pd.DataFrame) -> list[int]:
    """Return the places of the columns in which a text can stand."""
    return [j for j, dtype in enumerate(frame.dtypes) if _holds_texts(dtype)]


def _holds_texts(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in "OTU"


def runs(column: pd.Series[Any]) -> NDArray[np.bool_] | None:
    """Return which cells of a column (n,) a spreadsheet would run; None if it runs none.

    Each different text is looked at once.
    """
    import pandas as pd

    if not _holds_texts(column.dtype):
        return None
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, cells = column.cat.codes.to_numpy(), column.cat.categories.tolist()
    else:
        try:
            codes, unique = pd.factorize(column)
            cells = unique.tolist()
        except TypeError:  # a list or the like in a cell
            codes, cells = np.arange(len(column)), column.astype(object).tolist()
    dangerous = np.array([isinstance(cell, str) and is_formula(cell) for cell in cells] + [False])
    mask = dangerous[codes]  # a missing cell has the code -1, and takes the last
    return mask if mask.any() else None


def marked(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column with the mark in front of each text that a spreadsheet would run.

    Examples
    --------
    >>> import pandas as pd
    >>> marked(pd.Series(["=1+1", "fine", None])).tolist()[:2]
    ["'=1+1", 'fine']
    """
    import pandas as pd

    mask = runs(column)
    if isinstance(column.dtype, pd.CategoricalDtype):
        # Also the categories that no cell has: a table of counts would have them.
        names = [defused(c) if isinstance(c, str) else c for c in column.cat.categories]
        if len(set(names)) == len(names):
            renamed: pd.Series[Any] = column.cat.rename_categories(names)
            return renamed
        column = column.astype(object)
    if mask is None:
        return column
    cells = column.astype(object).to_numpy().copy()
    cells[mask] = [defused(text) for text in cells[mask]]
    dtype: Any = object if column.dtype == object else column.dtype
    texts: pd.Series[Any] = pd.Series(cells, index=column.index, name=column.name, dtype=dtype)
    return texts
