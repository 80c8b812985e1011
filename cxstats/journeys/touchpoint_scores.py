"""Respondents' scores of the touchpoints of a map, as matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text
from cxstats.core.messages import excerpt, listing, no_column, row_name
from cxstats.journeys.journey_map import JourneyMap, as_number
from cxstats.stats.sampling_design import Design, SampledRows
from cxstats.survey.answers import answers, missing_code_notes, numbers
from cxstats.survey.codebook import Codebook, as_codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FIELD = "{touchpoint}"  # where the id of a touchpoint stands in the name of a column


@dataclass(frozen=True, slots=True, eq=False)
class TouchpointScores:
    """What n respondents said of the k touchpoints of a map.

    Attributes
    ----------
    scores : array (n, k)
        NaN where there is no answer.
    expectations : array (n, k) or (k,), or None
        Of respondents, or the same for everybody; None where nobody knows them.
    importance : array (n, k) or (k,), or None
        As respondents state it, or one number for each touchpoint.
    scale : (low, high) or None
    index : pandas.Index
        The respondents.
    rows : SampledRows or None
        Design of the respondents.
    synthetic : bool
    notes : tuple of Text
    """

    scores: Array
    expectations: Array | None
    importance: Array | None
    scale: tuple[float, float] | None
    index: Any = None
    rows: SampledRows | None = None
    synthetic: bool = False
    notes: tuple[Text, ...] = field(default=())


def read_scores(
    journey_map: JourneyMap,
    responses: Any,
    codebook: Any = None,
    *,
    scale: tuple[float, float] | None = None,
    expectations: Any = None,
    importance: Any = None,
    long: Sequence[str] | None = None,
    design: Design | None = None,
) -> TouchpointScores:
    """Return the scores of a table of respondents; see `cxstats.journey` for the options.

    Raises
    ------
    DataError
        Naming row, column and value: a touchpoint without a column, a score that is no number or
        off its scale.
    """
    frame = as_pandas(responses)
    synthetic = bool(frame.attrs.get("synthetic"))
    if long is not None:
        frame = _wide(frame, long, journey_map, design)
    book = None if codebook is None else as_codebook(codebook)
    if book is not None and not set(journey_map.ids) & set(book.items):
        raise CxError(
            f"codebook: none of the touchpoints is an item: {listing(journey_map.ids)}; items: "
            f"{listing(book.items)}"
        )
    if book is not None and design is None:
        design = book.design
    if book is None:
        columns = _score_columns(journey_map, frame)
        scores = _matrix(frame, columns, scale)
    else:
        role = "perception" if "perception" in book.roles else None
        scores = _of_items(journey_map, frame, book, role)
        scale = scale or _common_scale(journey_map, book)
        if expectations is None and "expectation" in book.roles:
            expectations = dict(
                zip(journey_map.ids, _of_items(journey_map, frame, book, "expectation").T,
                    strict=True)
            )  # fmt: skip
    notes = [] if scale else missing_code_notes(dict(zip(journey_map.ids, scores.T, strict=True)))
    stated = _values(journey_map, frame, "importance", importance, None)
    expected = _values(journey_map, frame, "expectations", expectations, scale)
    return TouchpointScores(
        scores=scores,
        expectations=expected,
        importance=stated,
        scale=scale,
        index=frame.index,
        rows=None if design is None else design.read(frame),
        synthetic=synthetic,
        notes=tuple(notes),
    )


def _score_columns(journey_map: JourneyMap, frame: pd.DataFrame) -> list[str]:
    """Return the column of each touchpoint: its id, or its name in either language."""
    columns, problems, id_of = [], [], journey_map.id_of
    for touchpoint in journey_map.touchpoints:
        candidates = (touchpoint.id, *touchpoint.name)
        column = next((name for name in candidates if name in frame.columns
                       and id_of.get(name) == touchpoint.id), None)  # fmt: skip
        if column is None:
            problems.append(no_column(touchpoint.id, frame.columns, ", a touchpoint,"))
        columns.append(str(column))
    if problems:
        raise DataError(problems)
    return columns


def _matrix(
    frame: pd.DataFrame, columns: Sequence[str], scale: tuple[float, float] | None
) -> Array:
    values = np.column_stack([numbers(frame, name) for name in columns])
    if scale is not None:
        off = np.argwhere((values < scale[0]) | (values > scale[1]))
        if len(off):
            row, place = off[0]
            more = f" (and {len(off) - 1} more scores)" if len(off) > 1 else ""
            raise DataError(
                f"{row_name(frame.index, row)}, column {columns[place]!r}: "
                f"{values[row, place]:g} is off the scale; allowed: {scale[0]:g} to "
                f"{scale[1]:g}{more}"
            )
    return values


def _of_items(
    journey_map: JourneyMap, frame: pd.DataFrame, book: Codebook, role: str | None
) -> Array:
    """Return the answers to the items that are touchpoints, as the codebook reads them."""
    absent = [name for name in journey_map.ids if name not in book.items]
    if absent:
        raise CxError(
            f"codebook: touchpoint {absent[0]!r} is no item; items: {listing(book.items)}"
        )
    places = [book.items.index(name) for name in journey_map.ids]
    return np.asarray(answers(frame, book, role)[:, places], float)


def _common_scale(journey_map: JourneyMap, book: Codebook) -> tuple[float, float]:
    scales = {book.bounds(name): name for name in journey_map.ids}
    if len(scales) > 1:
        (first, a), (second, b), *_ = scales.items()
        raise CxError(
            f"codebook: touchpoint {a!r} is scored from {first[0]:g} to {first[1]:g}, {b!r} from "
            f"{second[0]:g} to {second[1]:g}; one curve needs one scale"
        )
    low, high = next(iter(scales))
    return float(low), float(high)


def _values(
    journey_map: JourneyMap,
    frame: pd.DataFrame,
    what: str,
    entry: Any,
    scale: tuple[float, float] | None,
) -> Array | None:
    """Return columns (n, k), or one number for each touchpoint (k,)."""
    if entry is None:
        return None
    by_id = of_touchpoints(journey_map, what, entry)
    columns = [by_id[name] for name in journey_map.ids]
    arrays, constant = [], True
    for name, value in zip(journey_map.ids, columns, strict=True):
        if isinstance(value, str):
            constant = False
            values = _matrix(frame, [value], scale)[:, 0]
            if what == "importance" and (values < 0).any():
                row = int(np.flatnonzero(values < 0)[0])
                raise DataError(
                    f"{row_name(frame.index, row)}, column {value!r}: importance {values[row]:g}; "
                    "allowed: numbers from 0 upwards"
                )
        elif isinstance(value, np.ndarray):
            constant, values = False, value
        else:
            values = np.full(len(frame), checked_number(what, name, value, scale))
        arrays.append(values)
    matrix = np.column_stack(arrays)
    if what == "importance" and not (matrix > 0).any() and not np.isnan(matrix).any():
        raise CxError("importance: all are 0; at least one must be larger")
    return matrix[0] if constant else matrix


def of_touchpoints(journey_map: JourneyMap, what: str, entry: Any) -> dict[str, Any]:
    """Return an option by touchpoint, from one number, a template or a mapping by id or name.

    Raises
    ------
    CxError
        Naming the option and the touchpoint that is not known, or that has nothing.
    """
    ids = journey_map.ids
    if isinstance(entry, str):
        if FIELD not in entry:
            raise CxError(
                f"{what}={entry!r}; allowed: a column by touchpoint, such as 'E_{FIELD}', or a "
                "mapping of touchpoint to column or number"
            )
        return {name: entry.replace(FIELD, name) for name in ids}
    if isinstance(entry, Real) and not isinstance(entry, bool):
        return dict.fromkeys(ids, entry)
    entry = entry.to_dict() if hasattr(entry, "to_dict") else entry
    if not isinstance(entry, Mapping):
        raise CxError(f"{what}={excerpt(entry)}; allowed: a mapping of touchpoint to value")
    id_of = journey_map.id_of
    by_id = {}
    for name, value in entry.items():
        if name not in id_of:
            raise CxError(f"{what}: {excerpt(name)} is no touchpoint; allowed: {listing(ids)}")
        if id_of[name] in by_id:
            raise CxError(f"{what}: touchpoint {id_of[name]!r} is named twice")
        by_id[id_of[name]] = value
    absent = [name for name in ids if name not in by_id]
    if absent:
        raise CxError(f"{what}: touchpoint {absent[0]!r} has none; give every touchpoint one")
    return by_id


def checked_number(
    what: str, name: str, value: Any, scale: tuple[float, float] | None = None
) -> float:
    """Return a number of a touchpoint: within the scale, or from 0 upwards."""
    low, high = scale or (-np.inf if what == "expectations" else 0.0, np.inf)
    number = as_number(value)
    if number is None or not low <= number <= high or np.isinf(number):
        allowed = f"{low:g} to {high:g}" if scale else "numbers from 0 upwards, or a column"
        raise CxError(f"{what}: touchpoint {name!r} has {excerpt(value)}; allowed: {allowed}")
    return number


def _wide(
    frame: pd.DataFrame, long: Sequence[str], journey_map: JourneyMap, design: Design | None
) -> pd.DataFrame:
    """Return one row a respondent from one row an answer."""
    import pandas as pd

    if not isinstance(long, list | tuple) or len(long) != 3:
        raise CxError(f"long={long!r}; allowed: the columns of respondent, touchpoint and score")
    respondent, touchpoint, score = long
    for name in (*long, *(design.columns if design else ())):
        if name not in frame.columns:
            raise DataError(no_column(name, frame.columns))
    values = pd.Series(numbers(frame, score), index=frame.index)
    id_of = journey_map.id_of
    unknown = np.flatnonzero(~frame[touchpoint].isin(list(id_of)).to_numpy(bool))
    if len(unknown):
        raise DataError(
            f"{row_name(frame.index, unknown[0])}, column {touchpoint!r}: "
            f"{_label(frame[touchpoint].iloc[unknown[0]])} is no touchpoint; allowed: "
            f"{listing(journey_map.ids)}"
        )
    lost = np.flatnonzero(frame[respondent].isna().to_numpy(bool))
    if len(lost):
        raise DataError(
            f"{row_name(frame.index, lost[0])}, column {respondent!r}: no respondent; every answer "
            "needs one"
        )
    ids = frame[touchpoint].map(id_of)
    twice = np.flatnonzero(pd.DataFrame({"r": frame[respondent], "t": ids}).duplicated().to_numpy())
    if len(twice):
        raise DataError(
            f"{row_name(frame.index, twice[0])}: respondent "
            f"{_label(frame[respondent].iloc[twice[0]])} has scored touchpoint "
            f"{ids.iloc[twice[0]]!r} before; allowed: once"
        )
    table = pd.DataFrame({"r": frame[respondent], "t": ids, "score": values})
    wide = table.pivot(index="r", columns="t", values="score").reindex(columns=journey_map.ids)
    for name in dict.fromkeys(design.columns if design else ()):
        by_respondent = frame.groupby(respondent, sort=False)[name]
        varies = by_respondent.nunique(dropna=False) > 1
        if varies.any():
            raise DataError(
                f"column {name!r}: respondent {_label(varies.idxmax())} has several values; "
                "allowed: one for each respondent"
            )
        wide[name] = by_respondent.first()
    return wide.rename_axis(index=None, columns=None)


def _label(value: Any) -> str:
    """Return a cell as a person writes it."""
    return excerpt(value.item() if hasattr(value, "item") else value)
