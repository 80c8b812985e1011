"""Numbers from readings of formulas that are lost in print, labelled so wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number, format_percent, interval
from cxstats.core.language import Text, both, label
from cxstats.satisfaction.formula_registry import formula, origin
from cxstats.stats.intervals import check_level, wilson_interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Reconstructed:
    """Numbers from readings of a formula that is lost in print.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per reading or quantity: ``formula, estimate, ci_low, ci_high, n``.
    formula : str
        Identifier of the published formula.
    remarks : tuple of Text
        What a reader must know.
    level : float
        Of the intervals.
    """

    table: pd.DataFrame
    formula: str
    remarks: tuple[Text, ...]
    level: float

    @property
    def reconstructed(self) -> bool:
        """Always True: this is a reading of ours."""
        return True

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, in English."""
        return tuple(remark.en for remark in self.remarks)

    def summary(self, lang: str = "en") -> str:
        """Return what was printed, how it is read, and the numbers."""
        lines = [
            label(
                "satisfaction.reconstructed.head", lang, name=formula(self.formula).name.get(lang)
            ),
            label("satisfaction.formula", lang, origin=origin(self.formula).get(lang)),
        ]
        level = format_percent(100 * self.level, None, lang)
        for reading, row in self.table.iterrows():
            limits = interval(row["ci_low"], row["ci_high"], 3)
            shown = f" {limits} ({level})" if np.isfinite(row["ci_low"]) else ""
            value = format_number(row["estimate"], 3)
            lines.append(f"  {reading} = {row['formula']}: {value}{shown}")
        return "\n".join([*lines, *(f"  * {remark.get(lang)}" for remark in self.remarks)])

    def plot(self, ax: Axes | None = None, lang: str = "en", **options: Any) -> Axes:
        """Draw the readings beside each other; see `cxstats.charts.intervals`."""
        from cxstats.charts import intervals

        rows, name = self.table, formula(self.formula).name.get(lang)
        given = {
            "source": label("satisfaction.source.reconstructed", lang, id=self.formula),
            "title": label("satisfaction.reconstructed.head", lang, name=name),
            "axis": name,
            **options,
        }
        return intervals(
            [str(row) for row in rows.index], rows["estimate"], rows["ci_low"], rows["ci_high"],
            level=self.level, lang=lang, ax=ax, **given,
        )  # fmt: skip

    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


def points(
    identifier: str, rows: Sequence[tuple[str, str, float]], remarks: Sequence[Text] = ()
) -> Reconstructed:
    """Return numbers that follow from their inputs, without a sample."""
    import pandas as pd

    names, words, values = zip(*rows, strict=True)
    table = pd.DataFrame(
        {
            "formula": words,
            "estimate": np.array(values, float),
            "ci_low": np.nan,
            "ci_high": np.nan,
            "n": np.nan,
        },
        index=list(names),
    )
    remarks = (*remarks, both("satisfaction.note.exact"))
    return Reconstructed(table, identifier, remarks, 0.95)


def share(identifier: str, words: str, level: float, **counts: int) -> Reconstructed:
    """Return a share with Wilson's interval, of the first of two counts in the second."""
    import pandas as pd

    check_level(level)
    (first, part), (second, whole) = counts.items()
    check_count(second, whole, 1, np.inf)
    check_count(first, part, 0, whole)
    low, high = map(float, wilson_interval(part / whole, whole, level))
    table = pd.DataFrame(
        {
            "formula": [words],
            "estimate": [part / whole],
            "ci_low": [low],
            "ci_high": [high],
            "n": [whole],
        },
        index=["share"],
    )
    return Reconstructed(table, identifier, (), level)


def check_count(name: str, value: Any, low: float, high: float) -> None:
    """Refuse what is no whole number from low to high."""
    whole = isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer()
    if not whole or not low <= value <= high:
        top = "" if np.isinf(high) else f" to {high:g}"
        raise CxError(
            f"{name} is {value!r}; allowed: whole numbers from {low:g}{top or ' upwards'}"
        )


def check_numbers(**values: Any) -> None:
    """Refuse what is no finite number, by its name."""
    for name, value in values.items():
        if not is_number(value):
            raise CxError(f"{name} is {value!r}; allowed: a number")


def is_number(value: object) -> bool:
    """Return whether a value is a finite number; True and False are none."""
    real = isinstance(value, Real) and not isinstance(value, bool | np.timedelta64)
    return real and bool(np.isfinite(float(value)))  # type: ignore[arg-type]


def check_sequence(name: str, values: Any) -> NDArray[np.float64]:
    """Return numbers (m,), m of at least 1; refuses what is none, naming its place.

    Examples
    --------
    >>> check_sequence("times", [1, "x"])
    Traceback (most recent call last):
    cxstats.core.errors.CxError: times: value 2 is 'x'; allowed: numbers
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise CxError(f"{name} is {values!r}; allowed: a sequence of numbers")
    found = list(values)
    if not found:
        raise CxError(f"{name} is empty; at least one number is needed")
    for place, value in enumerate(found, 1):
        if not is_number(value):
            raise CxError(f"{name}: value {place} is {value!r}; allowed: numbers")
    return np.array(found, float)
