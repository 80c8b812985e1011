"""What a report says, before it has a form: sentences, tables, charts, findings, sections.

A number in a sentence is a `Cell`, so it comes from a table of the report; nothing else in a
sentence may hold a digit but names that are the client's own. The four writers (`html`, `workbook`,
`slides`, `document`) read these objects and compute nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from cxstats.core.formats import format_number, format_percent, p_value_text
from cxstats.core.language import Text, label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from cxstats.core.result import Result

NO_TEXT = Text("", "")
DPI = 200  # of a chart as a picture
CHART_INCHES = (8.0, 4.5)


@dataclass(frozen=True, eq=False)
class ReportTable:
    """A table of the report.

    Attributes
    ----------
    key : str
        Its name in the report, unique: "nps", "nps_by_branch".
    title : Text
        What it shows.
    frame : pandas.DataFrame
        Rows by number; numbers unrounded, texts as str or `Text`. The heads of columns are in the
        catalogue (``column.*``) where it has them; else they are the client's own.
    codes : mapping of str to str
        Columns of codes, as in `cxstats.core.result.Result`.
    level : float or None
        Of its intervals.
    percent : tuple of str
        Columns of shares from 0 to 1 that are shown per cent.
    bars : tuple of str
        Columns that a workbook shows with bars in their cells.
    result, name : Result, str
        Where the table is one of a result: that result, which has its texts in both languages, and
        the table's name there.
    """

    key: str
    title: Text
    frame: pd.DataFrame
    codes: Mapping[str, str] = field(default_factory=dict)
    level: float | None = None
    percent: tuple[str, ...] = ()
    bars: tuple[str, ...] = ()
    result: Result | None = None
    name: str = "table"

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", self.frame.reset_index(drop=True))

    @classmethod
    def of(
        cls, key: str, title: Text, result: Result, name: str = "table", **options: Any
    ) -> ReportTable:
        """Return a table of a result, with the labels of its rows as columns."""
        from cxstats.core.display import with_index

        frame = with_index(result.tables()[name])
        level = getattr(result, "level", None)
        return cls(key, title, frame, level=level, result=result, name=name, **options)

    def cell(self, row: int, column: str, form: str = "number", decimals: int = 2) -> Cell:
        """Return a number of this table for a sentence."""
        return Cell(self, row, column, form, decimals)

    def translated(self, lang: str) -> pd.DataFrame:
        """Return the frame with texts and codes in words of `lang`; numbers as they are."""
        from cxstats.core.display import in_words, with_index

        if self.result is not None:
            return with_index(self.result.translated(lang)[self.name]).reset_index(drop=True)
        texts = self.frame.map(lambda cell: cell.get(lang) if isinstance(cell, Text) else cell)
        return in_words(texts, self.codes, lang)

    def head(self, column: str, lang: str) -> str:
        """Return the head of a column; shares say that they are per cent."""
        from cxstats.core.display import head_of

        words = head_of(column, lang)
        return label("report.head.percent", lang, head=words) if column in self.percent else words

    def written(self, lang: str) -> pd.DataFrame:
        """Return the table as people read it, all cells as text."""
        from cxstats.core.display import display_table, head_of

        frame = self.translated(lang)
        for column in self.percent:
            frame[column] = 100 * frame[column].astype(float)
        heads = {head_of(column, lang): self.head(column, lang) for column in self.percent}
        return display_table(frame, lang, self.level).rename(columns=heads)


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A number of a sentence: where it stands, and how it is written.

    Attributes
    ----------
    table, row, column : ReportTable, int, str
        Where it stands.
    form : {"number", "signed", "percent", "points", "whole", "p"}
        A number with `decimals` places; with its sign; a share as per cent; a difference of shares
        in points; a count; a p value.
    decimals : int
        Decimal places, of a percentage too.
    """

    table: ReportTable
    row: int
    column: str
    form: str = "number"
    decimals: int = 2

    @property
    def value(self) -> float:
        """The number, unrounded."""
        return float(self.table.frame[self.column].iloc[self.row])

    def write(self, lang: str) -> str:
        """Return the number as the sentence has it."""
        if self.form == "percent":
            return format_percent(100 * self.value, self.decimals, lang)
        if self.form == "points":
            points = format_number(100 * self.value, self.decimals, sign=True)
            return label("report.points", lang, points=points)
        if self.form == "p":
            return p_value_text(self.value)
        if self.form == "whole":
            return format_number(round(self.value))
        return format_number(self.value, self.decimals, sign=self.form == "signed")


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """What a sentence says of an order: `higher` lies above `lower` in `measure`.

    It is what tests hold against the truth of simulated clients.
    """

    measure: str
    higher: str
    lower: str


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """A sentence of the report, in both languages.

    Attributes
    ----------
    key : str
        In the catalogue; its text holds no digit.
    values : mapping of str to Cell, Text or str
        What stands in its braces: numbers as cells, names in words.
    claims : tuple of Claim
        The orders that it asserts.
    """

    key: str
    values: Mapping[str, Cell | Text | str] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()

    def text(self, lang: str) -> str:
        """Return the sentence in `lang`."""
        values = {name: _word(value, lang) for name, value in self.values.items()}
        text = label(self.key, lang, **values)
        none = _limits("–", lang).replace(" ", " ?")
        return re.sub(none, label("report.no_interval", lang), text)

    def cells(self) -> Iterator[Cell]:
        """Yield the numbers of the sentence."""
        return (value for value in self.values.values() if isinstance(value, Cell))

    def both(self) -> Text:
        """Return the sentence in both languages."""
        return Text(self.text("en"), self.text("zh"))


def _limits(limit: str, lang: str) -> str:
    """Return how sentences write an interval."""
    return label("report.interval", lang, low=limit, high=limit)


def _word(value: Cell | Text | str, lang: str) -> str:
    if isinstance(value, Cell):
        return value.write(lang)
    return value.get(lang) if isinstance(value, Text) else value


@dataclass(frozen=True, eq=False)
class NativeChart:
    """What a chart of Excel or PowerPoint shows: columns of a table, so that it can be edited.

    Attributes
    ----------
    kind : {"bar", "column", "line", "stacked"}
        Lying bars, standing ones, a line over waves, lying bars that add up to a whole.
    table : ReportTable
        Where the numbers stand.
    names : str
        Its column of categories.
    values : tuple of str
        Its columns of numbers, a series each; their heads are the legend.
    low, high : str, optional
        Columns of an interval, drawn as error bars of the first series where the form can.
    percent : bool
        Whether the numbers are shares from 0 to 1, with an axis in per cent.
    rows : tuple of int, optional
        Which rows are drawn, in this order; all without it.
    """

    kind: str
    table: ReportTable
    names: str
    values: tuple[str, ...]
    low: str | None = None
    high: str | None = None
    percent: bool = False
    rows: tuple[int, ...] | None = None

    def data(self, lang: str) -> pd.DataFrame:
        """Return names and numbers of the chart, heads and names in `lang`."""
        frame = self.table.translated(lang)
        frame = frame if self.rows is None else frame.iloc[list(self.rows)]
        frame = frame[[self.names, *self.values]]
        return frame.rename(columns={c: self.table.head(c, lang) for c in frame.columns})


@dataclass(frozen=True, eq=False)
class ReportChart:
    """A chart: of a result, and natively of a table where Office can draw it.

    Attributes
    ----------
    result : Result
        What draws it.
    kind : str, optional
        One of its kinds.
    options : mapping
        Of the chart.
    native : NativeChart, optional
        The same as a chart of Excel and PowerPoint.
    pictures : dict
        What was drawn already, by language, form and resolution.
    """

    result: Result
    kind: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    native: NativeChart | None = None
    pictures: dict[tuple[str, str, int], bytes] = field(default_factory=dict, repr=False)

    def draw(self, lang: str) -> Figure:
        """Draw the chart on a figure of its own."""
        from matplotlib.figure import Figure

        from cxstats.charts.row_names import shorten

        figure = self.result.plot(self.kind, lang=lang, **self.options).get_figure(root=True)
        if not isinstance(figure, Figure):
            raise AssertionError("a chart without a figure")
        shorten(figure)
        return figure

    def picture(self, lang: str, form: str = "png", dpi: int = DPI) -> bytes:
        """Return the chart as the bytes of a picture, "png" or "svg"; drawn once for all forms."""
        key = (lang, form, dpi)
        if key not in self.pictures:
            self.pictures[key] = self._picture(lang, form, dpi)
        return self.pictures[key]

    def _picture(self, lang: str, form: str, dpi: int) -> bytes:
        import matplotlib.pyplot as plt

        figure, buffer = self.draw(lang), BytesIO()
        options: dict[str, Any] = {"dpi": dpi, "bbox_inches": "tight", "facecolor": "white"}
        if form == "svg":
            options["metadata"] = {"Date": None}
        salt = plt.rcParams["svg.hashsalt"]
        plt.rcParams["svg.hashsalt"] = "cxstats"  # the same chart gives the same bytes
        try:
            figure.savefig(buffer, format=form, **options)
        finally:
            plt.rcParams["svg.hashsalt"] = salt
            plt.close(figure)
        return buffer.getvalue()


@dataclass(frozen=True, eq=False)
class Finding:
    """One thing that the data say: a headline, what supports it, and how far it holds.

    Attributes
    ----------
    headline : Sentence
        What was found; the title of its slide, the caption's claim.
    details : tuple of Sentence
        What else belongs to it.
    advice : Sentence, optional
        What there is to decide, if it is among the first findings.
    n : Cell, optional
        Respondents behind it.
    method : Text
        How it was computed.
    caveats : tuple of Text
        What a reader must know.
    table : ReportTable, optional
        What the finding shows.
    chart : ReportChart, optional
    tables : tuple of ReportTable
        What it rests on besides, such as the comparisons of all pairs.
    size : float
        How large the effect is, in standard deviations of an answer, so that findings compare.
    certainty : float
        1 less the adjusted p value of the effect; 0 where nothing was tested.
    """

    headline: Sentence
    details: tuple[Sentence, ...] = ()
    advice: Sentence | None = None
    n: Cell | None = None
    method: Text = NO_TEXT
    caveats: tuple[Text, ...] = ()
    table: ReportTable | None = None
    chart: ReportChart | None = None
    tables: tuple[ReportTable, ...] = ()
    size: float = 0.0
    certainty: float = 0.0

    def __post_init__(self) -> None:
        from cxstats.app.report.wording import without_code

        object.__setattr__(self, "caveats", tuple(map(without_code, self.caveats)))

    def sentences(self) -> Iterator[Sentence]:
        """Yield every sentence of the finding."""
        yield self.headline
        yield from self.details
        if self.advice is not None:
            yield self.advice


@dataclass(frozen=True, eq=False)
class Indicator:
    """A number of the scorecard.

    Attributes
    ----------
    key : str
        Name of the question or construct in the codebook; targets are given by it.
    name : Text
    unit : {"points", "percent", "answers"}
        NPS points; shares, shown per cent; the unit of the answers.
    estimate, low, high, n : Cell
    better : {"high", "low"}
        Which direction is good.
    """

    key: str
    name: Text
    unit: str
    estimate: Cell
    low: Cell
    high: Cell
    n: Cell
    better: str = "high"


@dataclass(frozen=True, eq=False)
class Section:
    """A chapter of the report.

    Attributes
    ----------
    key : str
        "metrics", "gaps", ...; its title is ``report.section.KEY`` in the catalogue.
    findings : tuple of Finding
    sentences : tuple of Sentence
        What is said before the findings, or instead of them.
    tables : tuple of ReportTable
        Tables that belong to no finding.
    absent : tuple of Text
        Why the chapter, or a part of it, is missing: what the file does not hold.
    indicators : tuple of Indicator
        What it gives to the scorecard.
    """

    key: str
    findings: tuple[Finding, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    tables: tuple[ReportTable, ...] = ()
    absent: tuple[Text, ...] = ()
    indicators: tuple[Indicator, ...] = ()

    def title(self, lang: str) -> str:
        """Return the heading of the chapter."""
        return label(f"report.section.{self.key}", lang)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show but the reasons."""
        return not (self.findings or self.sentences or self.tables)

    def all_sentences(self) -> Iterator[Sentence]:
        """Yield every sentence of the chapter."""
        yield from self.sentences
        for finding in self.findings:
            yield from finding.sentences()

    def all_tables(self) -> Iterator[ReportTable]:
        """Yield every table of the chapter once, those of findings first."""
        tables = [finding.table for finding in self.findings if finding.table is not None]
        charts = [finding.chart for finding in self.findings if finding.chart is not None]
        tables += [chart.native.table for chart in charts if chart.native is not None]
        tables += [table for finding in self.findings for table in finding.tables]
        tables += [cell.table for sentence in self.all_sentences() for cell in sentence.cells()]
        yield from dict.fromkeys([*tables, *self.tables])
