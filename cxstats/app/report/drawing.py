"""A chart of a table of the report: estimates with their intervals, names in either language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.app.report.content import Cell, NativeChart, ReportChart, ReportTable, Sentence
from cxstats.core.formats import format_number
from cxstats.core.language import Text, check_lang, label
from cxstats.core.result import Chart, Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class TableChart(Result):
    """Rows of a report's table as dots on their intervals.

    The charts of the methods name rows as columns of the file; this one has the words of the
    codebook, in the language of the page.

    Attributes
    ----------
    source_table : ReportTable
    names : str
        Its column of names.
    limits : (str, str, str)
        Its columns of estimate, lower and upper limit.
    rows : tuple of int
        Which rows, from the top.
    axis : Text
        What is measured.
    title_sentence : Sentence
        The finding.
    n : Cell
        Answers behind it.
    reference_value : float
        Where the line stands.
    origin : Result or None
        The result behind the table, which knows where its method was published.
    synthetic : bool
    """

    source_table: ReportTable
    names: str
    limits: tuple[str, str, str]
    rows: tuple[int, ...]
    axis: Text
    title_sentence: Sentence
    n: Cell
    reference_value: float
    origin: Result | None
    synthetic: bool

    kinds: ClassVar = ("intervals",)

    @property
    def table(self) -> pd.DataFrame:
        """The rows that are drawn."""
        return self.source_table.frame.iloc[list(self.rows)]

    def title(self, lang: str | None = None) -> str:
        """Return the title of the table."""
        return self.source_table.title.get(lang)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the rows with intervals; shares in per cent."""
        frame = self.source_table.translated(lang).iloc[list(self.rows)]
        scale = 100.0 if self.limits[0] in self.source_table.percent else 1.0
        values = (scale * frame[column].to_numpy(float) for column in self.limits)
        common = {
            "source": label("metric.source", lang, n=format_number(self.n.value)),
            "level": self.source_table.level or 0.95,
            "reference": round(scale * self.reference_value, 2),
            "axis": self.axis.get(lang),
            "decimals": 2 if scale == 1.0 else 0,
            "title": self.title_sentence.text(lang),
            "synthetic": self.synthetic,
        }
        return Chart("intervals", (frame[self.names].astype(str).tolist(), *values), common)

    def cite(self, lang: str | None = None) -> str:
        """Return where the method behind the table was published."""
        return super().cite(lang) if self.origin is None else self.origin.cite(lang)


@dataclass(frozen=True, eq=False, repr=False)
class NamedChart(Result):
    """A result that is drawn with the words of the codebook in place of columns.

    Attributes
    ----------
    drawn_as : str
        The kind of chart.
    in_language : callable (lang)
        Returns the result with names in a language.
    """

    drawn_as: str
    in_language: Callable[[str], Result]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The one kind."""
        return (self.drawn_as,)

    def title(self, lang: str | None = None) -> str:
        """Return the title of the result."""
        return self.in_language(check_lang(lang)).title(lang)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the chart of the result."""
        return self.in_language(lang).chart(kind, lang, options)

    def cite(self, lang: str | None = None) -> str:
        """Return where the method was published."""
        return self.in_language(check_lang(lang)).cite(lang)


def interval_chart(  # noqa: PLR0913  (what a chart needs)
    table: ReportTable,
    names: str,
    limits: tuple[str, str, str],
    *,
    headline: Sentence,
    n: Cell,
    axis: Text,
    origin: Result | None,
    synthetic: bool,
    reference: float = 0.0,
    rows: tuple[int, ...] | None = None,
    kind: str = "bar",
) -> ReportChart:
    """Return a chart of a table, drawn by us and natively; rows without an estimate are left out.

    Parameters are those of `TableChart` and `NativeChart`.
    """
    places = range(len(table.frame)) if rows is None else rows
    drawn = tuple(i for i in places if np.isfinite(float(table.frame[limits[0]].iloc[i])))
    percent = limits[0] in table.percent
    native = NativeChart(kind, table, names, limits[:1], *limits[1:], percent=percent, rows=drawn)
    result = TableChart(
        table, names, limits, drawn, axis, headline, n, reference, origin, synthetic
    )
    return ReportChart(result, native=native)
