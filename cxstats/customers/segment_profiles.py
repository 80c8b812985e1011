"""Profiles of segments: means against all others, names made from them, typical members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.language import Text, both, catalogue, listed
from cxstats.customers.rfm import COLUMNS
from cxstats.stats.means import MeanOptions, Means

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.survey.codebook import Codebook

    Array = NDArray[np.float64]

# A difference of half a standard deviation is called medium: Cohen (1988), Statistical power
# analysis for the behavioral sciences.
NAMED = 0.5
IN_A_NAME = 2  # columns; more only where two segments would have the same name
INTERVAL = "hall"


def labels_of(columns: Sequence[str], codebook: Codebook | None) -> dict[str, Text]:
    """Return what columns are called: by the codebook, by the heads of RFM, or as they are."""
    texts = catalogue()
    labels = {}
    for name in columns:
        label = Text(name, name)
        if codebook is not None:
            label = Text(codebook.label(name, "en"), codebook.label(name, "zh"))
        if label == (name, name) and name in COLUMNS.values():  # of `cxstats.rfm`
            label = texts[f"column.{name}"]
        labels[name] = label
    return labels


def profiles(
    values: Array, points: Array, segment: NDArray[np.intp], columns: Sequence[str], level: float
) -> pd.DataFrame:
    """Compare the means of each segment with those of all other rows.

    ``standardised = (mean - mean of the others) / pooled sd``, of the analysed values, which may be
    logarithms; means and their differences are in the units of the client.

    Parameters
    ----------
    values, points : arrays (n, p)
        In the units of the client, and as analysed.
    segment : array (n,)
        From 1.
    columns : sequence of p str
    level : float

    Returns
    -------
    pandas.DataFrame
        ``segment, column, n, estimate, se, ci_low, ci_high, rest, difference, difference_low,
        difference_high, standardised``.
    """
    import pandas as pd

    options = MeanOptions(level=level, interval=INTERVAL)
    tables = []
    for number in np.unique(segment):
        inside = segment == number
        members = Means.of(values[inside], options)
        low, high = members.limits(options)
        columns_of = {
            "segment": number,
            "column": list(columns),
            "n": int(inside.sum()),
            "estimate": members.mean,
            "se": members.se,
            "ci_low": low,
            "ci_high": high,
        }
        missing = np.full(len(columns), np.nan)
        more = dict.fromkeys(("rest", "difference", "difference_low", "difference_high"), missing)
        if not inside.all():
            others = Means.of(values[~inside], options)
            difference = members - others
            ends = difference.limits(options, difference=True)
            more = dict(zip(more, (others.mean, difference.mean, *ends), strict=True))
        more["standardised"] = _standardised(points, inside)
        tables.append(pd.DataFrame({**columns_of, **more}))
    return pd.concat(tables, ignore_index=True)


def _standardised(points: Array, inside: NDArray[np.bool_]) -> Array:
    """Return Cohen's d of each column, (p,)."""
    if inside.all():
        return np.full(points.shape[1], np.nan)
    groups = (points[inside], points[~inside])
    squares = sum(((g - g.mean(axis=0)) ** 2).sum(axis=0) for g in groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(squares / max(len(points) - 2, 1))
        return np.asarray((groups[0].mean(axis=0) - groups[1].mean(axis=0)) / sd)


def segment_names(table: pd.DataFrame, labels: Mapping[str, Text]) -> dict[int, Text]:
    """Name each segment by the columns in which it differs most from all others.

    "high amount, low recency": the two largest standardised differences of at least .5; more
    columns, then the number of the segment, where two would have the same name.

    Parameters
    ----------
    table : pandas.DataFrame
        What `profiles` returned.
    labels : mapping of str to Text
        What columns are called.
    """
    terms: dict[int, list[Text]] = {}
    for number, rows in table.groupby("segment"):
        ordered = rows.sort_values("standardised", key=lambda d: -d.abs(), kind="stable")
        ordered = ordered[ordered["standardised"].abs() >= NAMED]
        terms[int(str(number))] = [
            both(f"segments.name.{'high' if row['standardised'] > 0 else 'low'}",
                 column=labels[row["column"]])
            for _, row in ordered.iterrows()
        ]  # fmt: skip
    if len(terms) == 1:
        return dict.fromkeys(terms, both("segments.name.all"))
    sizes = dict.fromkeys(terms, IN_A_NAME)
    for _ in range(max(map(len, terms.values())) + 1):
        names = {number: _joined(terms[number][: sizes[number]]) for number in terms}
        doubled = [number for number in terms if list(names.values()).count(names[number]) > 1]
        for number in doubled:
            sizes[number] += 1
    numbered = {
        number: both("segments.name.numbered", name=names[number], number=number)
        for number in doubled
    }
    return {**names, **numbered}


def _joined(terms: Sequence[Text]) -> Text:
    return listed(terms) if terms else both("segments.name.average")


def typical_members(points: Array, segment: NDArray[np.intp]) -> dict[int, int]:
    """Return for each segment the row whose squared distances to its members add up to least.

    It is the member nearest to the mean of the segment.

    Examples
    --------
    >>> typical_members(np.array([[0.0], [1.0], [5.0], [9.0]]), np.array([1, 1, 1, 2]))
    {1: 1, 2: 3}
    """
    rows = {}
    for number in np.unique(segment):
        members = np.flatnonzero(segment == number)
        centre = points[members].mean(axis=0)
        distances = ((points[members] - centre) ** 2).sum(axis=1)
        rows[int(number)] = int(members[np.argmin(distances)])
    return rows


def is_text(values: Any) -> bool:
    """Return whether a column describes by words (shares) rather than by numbers (means)."""
    import pandas as pd

    kind = values.dtype
    return bool(pd.api.types.is_bool_dtype(kind) or not pd.api.types.is_numeric_dtype(kind))
