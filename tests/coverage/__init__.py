"""How often the package's 95 % intervals hold the truth, at the sizes that CX research has.

One command makes the table, and dates it:

    uv run python -m tests.coverage                    # all, some forty minutes on two idle cores
    uv run python -m tests.coverage --only "NPS" --samples 200   # some, not written

`coverage.csv` is the table; `test_table.py` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

SIZES = (5, 10, 20, 50, 100, 200)
FROM_20, FROM_50 = SIZES[2:], SIZES[3:]
FAST, SLOW = 1000, 120  # resamples of a bootstrap; samples of a cell that takes long
# Words by which a result says that an interval, or the whole result, is not to be trusted at its n.
SAID = re.compile(
    r"cover|holds? the truth|too (small|narrow|short|few|often)|rough|not to be trusted|unsound"
    r"|few(er than)? (cases|clusters|\d)"
)


class Interval(NamedTuple):
    """An interval of the package and a population in which its truth is known.

    Attributes
    ----------
    name : str
        What is estimated, and by which method.
    limits : function of (generator, n)
        Draws a sample and returns the result, the low limits and the high limits.
    truth : number or array
        What the limits should hold, in their order.
    sizes : tuple of int
        Sizes that the method is for.
    samples : int
        Of the table; fewer where an interval takes long.
    """

    name: str
    limits: Callable[[np.random.Generator, int], tuple[Any, Any, Any]]
    truth: Any
    sizes: tuple[int, ...] = SIZES
    samples: int = 300


def says(result: Any) -> bool:
    """Return whether a result says itself that it is not to be trusted."""
    texts = [*getattr(result, "problems", ()), *getattr(result, "notes", ())]
    return any(SAID.search(getattr(text, "en", None) or str(text)) for text in texts)


def columns(table: Any, rows: Any = slice(None), stem: str = "ci") -> tuple[Any, Any]:
    """Return the limits of some rows of a table."""
    chosen = table.loc[rows]
    low, high = f"{stem}_low", f"{stem}_high"
    return np.atleast_1d(chosen[low]).astype(float), np.atleast_1d(chosen[high]).astype(float)


def values(mapping: Mapping[str, float], keys: Any) -> np.ndarray:
    """Return the values of some keys, in their order."""
    return np.array([mapping[key] for key in keys], float)
