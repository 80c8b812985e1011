"""Moments of any of a set of variables, listwise, from one pass over a table.

Which cases are complete depends on the variables that are asked for. The sums of each pattern of
missing answers hold them all: those of the patterns that are complete on the variables are merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.accumulate import Sums
from cxstats.core.engine_sums import pattern_sums
from cxstats.core.moments import Moments

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class PatternMoments:
    """Sums of each pattern of missing answers.

    Attributes
    ----------
    names : tuple of str
        The p variables.
    sums : mapping of (bool, ...) to Sums
        By which of the p answers are there; over these answers only.
    """

    names: tuple[str, ...]
    sums: Mapping[tuple[bool, ...], Sums]

    @classmethod
    def of(cls, frame: Any, names: Sequence[str]) -> PatternMoments:
        """Read a table of any size and engine, once.

        Raises
        ------
        DataError
            As `cxstats.core.engine_sums.pattern_sums`.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"a": [1.0, 2.0, 6.0], "b": [2.0, None, 4.0]})
        >>> patterns = PatternMoments.of(frame, ["a", "b"])
        >>> patterns.n, patterns.select(["a"]).n, patterns.select(["a", "b"]).n
        (3, 3, 2)
        """
        read, sums = pattern_sums(frame, names)
        return cls(read, {present: part for (_, present), part in sums.items()})

    @property
    def n(self) -> int:
        """Rows of the table."""
        return sum(part.n + part.dropped for part in self.sums.values())

    def select(self, names: Sequence[str]) -> Moments:
        """Return the moments of the cases that are complete on some of the variables.

        Raises
        ------
        DataError
            If there are fewer than two.
        """
        at = [self.names.index(name) for name in names]
        total = Sums.empty(len(at))
        for present, part in self.sums.items():
            if all(present[i] for i in at):
                total.merge(_of(part, np.cumsum(present)[at] - 1))
        total.dropped = self.n - total.n
        mean, cov = total.covariance()
        return Moments(tuple(names), total.n, mean, cov, total.dropped)


def _of(part: Sums, at: NDArray[np.intp]) -> Sums:
    """Return the sums of some variables of a pattern."""
    cross = part.cross[np.ix_(at, at)]
    return replace(part, origin=part.origin[at], mean=part.mean[at], cross=cross)
