"""Rule tables: which scores of recency, frequency and amount make which segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import excerpt
from cxstats.core.paths import data_folder

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

DIMENSIONS = ("recency", "frequency", "monetary")
LIMITS = tuple(f"{name}_{end}" for name in DIMENSIONS for end in ("low", "high"))


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """Segments by their scores.

    Attributes
    ----------
    names : tuple of str
        In the order of the table.
    places : integer array (bins of recency, of frequency, of amount)
        Which segment each combination of scores belongs to.
    source : str
        Where the rules come from; empty for a user's own.
    """

    names: tuple[str, ...]
    places: NDArray[np.int64]
    source: str


def segment_rules(rules: Any, bins: Sequence[int]) -> SegmentRules:
    """Return rules for scores from 1 to `bins` of recency, frequency and amount.

    Parameters
    ----------
    rules : str or table
        A scheme of ``data/segments/rfm.csv`` ("grid", "eight"), or a table with a row a rule:
        ``segment`` and the lowest and highest scores, ``recency_low, recency_high`` and so on, as
        far as they matter. A segment may have several rows.
    bins : sequence of 3 int

    Raises
    ------
    DataError
        If a column or score is not as expected, or a combination of scores has no segment or two.
    """
    table, source = _table(rules)
    if isinstance(rules, str):
        n_scores = [int(table[f"{name}_high"].max()) for name in DIMENSIONS]
        if n_scores != list(bins):
            scores, there = (" x ".join(map(str, n)) for n in (n_scores, bins))
            raise DataError(
                f"segments={rules!r} are rules for {scores} scores, and there are {there}; "
                "allowed: a table of rules, or segments=None"
            )
    names = tuple(dict.fromkeys(str(name) for name in table["segment"]))
    places = np.full(tuple(bins), -1)
    for i, row in enumerate(table.to_dict("records")):
        ranges = []
        for name, top in zip(DIMENSIONS, bins, strict=True):
            low, high = _score(row, f"{name}_low", 1, i), _score(row, f"{name}_high", top, i)
            if not 1 <= low <= high <= top:
                raise DataError(
                    f"segment {row['segment']!r}: {name} {low} to {high}; allowed: scores of 1 to "
                    f"{top}, the low one first"
                )
            ranges.append(range(low - 1, high))
        for cell in product(*ranges):
            if places[cell] >= 0:
                first = names[places[cell]]
                raise DataError(
                    f"{_combination(cell)} belongs to {first!r} and to {row['segment']!r}; "
                    "allowed: one segment"
                )
            places[cell] = names.index(str(row["segment"]))
    empty = np.argwhere(places < 0)
    if len(empty):
        raise DataError(
            f"{_combination(empty[0])} belongs to no segment (nor do {len(empty) - 1} other "
            "combinations of scores)"
        )
    return SegmentRules(names, places, source)


def _table(rules: Any) -> tuple[pd.DataFrame, str]:
    import pandas as pd

    if not isinstance(rules, str):
        try:
            table = pd.DataFrame(rules)
        except (TypeError, ValueError) as error:
            raise DataError(f"rules of segments: {excerpt(rules)}; allowed: a table") from error
        if "segment" not in table or table["segment"].isna().any():
            raise DataError("rules of segments need a column 'segment' without blanks")
        extra = [name for name in table if name not in ("segment", *LIMITS, "source", "scheme")]
        if extra:
            raise DataError(
                f"rules of segments: column {excerpt(extra[0])} is not known; allowed: segment, "
                + ", ".join(LIMITS)
            )
        return table, ""
    table = pd.read_csv(data_folder() / "segments" / "rfm.csv", encoding="utf-8")
    schemes = list(dict.fromkeys(table["scheme"]))
    if rules not in schemes:
        allowed = ", ".join(map(repr, schemes))
        raise CxError(f"segments={rules!r} is not allowed; allowed: {allowed}, or a table of rules")
    table = table[table["scheme"] == rules]
    return table, str(table["source"].iloc[0])


def _score(row: Mapping[Any, Any], column: str, default: int, i: int) -> int:
    import pandas as pd

    value = row.get(column, default)
    number = default if pd.isna(value) else value
    if isinstance(number, str) or int(number) != number:
        raise DataError(f"rule {i + 1}: {column} is {excerpt(value)}; allowed: a whole number")
    return int(number)


def _combination(cell: Sequence[int]) -> str:
    scores = ", ".join(f"{n} {s + 1}" for n, s in zip(DIMENSIONS, cell, strict=True))
    return f"the combination {scores}"
