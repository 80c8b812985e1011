"""The order of waves: dates on the calendar, numbers as they are, text only where it is safe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import CxError
from cxstats.core.language import Text, both

if TYPE_CHECKING:
    import pandas as pd


def ordered(
    table: pd.DataFrame, time: str, segments: Sequence[str]
) -> tuple[pd.DataFrame, list[Text]]:
    """Return the waves in order, dates as such, and what to remark on.

    Raises
    ------
    CxError
        If waves are of mixed kinds, or text that does not sort as its numbers do.
    """
    import pandas as pd

    table = table[table[time].notna()].copy()
    waves = table[time]
    if isinstance(waves.dtype, pd.PeriodDtype):
        table[time] = waves.dt.to_timestamp()
    elif waves.dtype == object or pd.api.types.is_string_dtype(waves):
        kinds = sorted({type(wave).__name__ for wave in waves})
        if waves.map(lambda wave: isinstance(wave, date)).all():
            table[time] = pd.to_datetime(waves)
        elif len(kinds) > 1:
            raise CxError(f"column {time!r} holds {' and '.join(kinds)}; allowed: one kind of wave")
        elif kinds == ["str"]:
            _check_text(sorted(set(waves)), time)
    remarks = []
    whole = pd.api.types.is_integer_dtype(table[time])
    if whole and table[time].between(190001, 210012).all() and (table[time] % 100 <= 12).all():
        remarks.append(both("tracking.note.months", column=time))
    return table.sort_values([*segments, time], kind="stable", ignore_index=True), remarks


def _check_text(waves: list[str], time: str) -> None:
    """Refuse text that sorts otherwise than the numbers in it."""

    def natural(wave: str) -> list[Any]:
        return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", wave)]

    try:
        right = sorted(waves, key=natural)
    except TypeError:
        return  # no common form, so the order of text is as good as any
    for found, meant in zip(waves, right, strict=True):
        if found != meant:
            raise CxError(
                f"column {time!r} is text and would sort {found!r} before {meant!r}; allowed: "
                "dates, numbers, or text of equal width such as '2024-09'"
            )


def checked(
    waves: pd.Series[Any],
    dated: bool,
    baseline: Sequence[Any] | None,
    annotations: Mapping[Any, str] | None,
) -> tuple[list[Any] | None, dict[Any, str]]:
    """Return the waves of the baseline and the notes, which have to be there."""
    import pandas as pd

    def one(wave: Any) -> Any:
        if not dated:
            return wave
        return wave.to_timestamp() if isinstance(wave, pd.Period) else pd.Timestamp(wave)

    if baseline is not None and (isinstance(baseline, str) or not hasattr(baseline, "__iter__")):
        raise CxError(f"baseline={baseline!r}; allowed: a list of waves")
    if annotations is not None and not isinstance(annotations, Mapping):
        raise CxError(f"annotations={annotations!r}; allowed: a mapping of wave to words")
    there = set(waves)
    chosen = None if baseline is None else [one(wave) for wave in baseline]
    words = {one(wave): text for wave, text in (annotations or {}).items()}
    for name, given in (("baseline", chosen or []), ("annotations", words)):
        for wave in given:
            if wave not in there:
                listed = [repr(known) for known in dict.fromkeys(waves)]
                shown = ", ".join(listed[:20]) + (", ..." if len(listed) > 20 else "")
                raise CxError(f"{name}: {wave!r} is not a wave; there are: {shown}")
    return chosen, words
