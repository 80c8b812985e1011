"""Names of groups that look alike, such as "Beijing" and "beijing "."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from cxstats.core.cells import cells_of
from cxstats.core.messages import look

if TYPE_CHECKING:
    import pandas as pd

ALIKE = 0.85  # share of characters in common, from which names of four or more look alike
MOST_NAMES = 300  # of a column whose names are compared in pairs


def alike(column: pd.Series[Any], same: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield pairs of groups that look alike, each a name and its number of rows, the rarer first.

    They are alike if they differ in spaces, width or case alone, or if names of four characters
    or more share 85 % of them; "Branch 1" and "Branch 2" are not, since their numbers differ.

    Parameters
    ----------
    column : pandas.Series
    same : mapping
        Names that are known to mean another; these are no doubt any more.

    Examples
    --------
    >>> import pandas as pd
    >>> list(alike(pd.Series(["Beijing", "Beijing", "beijing ", "Shanghai"]), {}))
    [(('beijing ', 1), ('Beijing', 2))]
    """
    counts = column[cells_of(column, str)].value_counts()
    names = [name for name in counts.index if name not in same]
    first_of_look: dict[str, str] = {}
    distinct = []
    for name in names:
        first = first_of_look.setdefault(look(name), name)
        if first == name:
            distinct.append(name)
        else:
            yield (name, int(counts[name])), (first, int(counts[first]))
    for i, name in enumerate(distinct[:MOST_NAMES]):
        for rarer in distinct[i + 1 : MOST_NAMES]:
            if _similar(look(name), look(rarer)):
                yield (rarer, int(counts[rarer])), (name, int(counts[name]))


def _similar(a: str, b: str) -> bool:
    """Return whether two names look alike and do not differ in digits."""
    if min(len(a), len(b)) < 4 or _digits(a) != _digits(b):
        return False
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    return matcher.real_quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


def _digits(text: str) -> str:
    """Return the numbers in a name, those in Chinese too: 第一季度 and 第二季度 are two."""
    return "".join(mark for mark in text if unicodedata.numeric(mark, None) is not None)


def merged(column: pd.Series[Any], same: Mapping[Any, Any]) -> pd.Series[Any]:
    """Return a column of groups with the names that mean another replaced."""
    names, means_another = column.astype(object), column.isin(list(same)).to_numpy(bool)
    return names.mask(means_another, names.map(dict(same)))
