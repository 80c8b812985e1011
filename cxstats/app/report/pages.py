"""A report as pages that are read from first to last: what stands in which chapter, and once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cxstats.app.report.content import Finding, ReportChart, ReportTable, Section
from cxstats.core.errors import CxError
from cxstats.core.language import Text, label

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.app.report.reporting import Report

EXECUTIVE = "decide"
GAP = "\x1f"  # where a value would stand
# Their reasons stand in their place, since every reader looks for them there.
IN_PLACE = (EXECUTIVE, "scorecard", "actions")


@dataclass(frozen=True, eq=False)
class Entry:
    """A finding in its chapter.

    Attributes
    ----------
    finding : Finding
    number : int
        From 1, through the whole report; of its place in links.
    tables : tuple of ReportTable
        Its tables that no finding before it has.
    """

    finding: Finding
    number: int
    tables: tuple[ReportTable, ...]


@dataclass(frozen=True, eq=False)
class Chapter:
    """A chapter as it is read.

    Attributes
    ----------
    section : Section
    entries : tuple of Entry
        Its findings; those of the executive page stand in their chapters too.
    tables : tuple of ReportTable
        The chapter's tables that belong to no finding.
    """

    section: Section
    entries: tuple[Entry, ...]
    tables: tuple[ReportTable, ...]


def chapters(report: Report) -> list[Chapter]:
    """Return the chapters that say something, each table in one place."""
    homes = _homes(report.sections)
    numbers: dict[int, int] = {}
    made: list[Chapter] = []
    for section in _executive_last(report.sections):
        entries = []
        for finding in section.findings:
            number = numbers.setdefault(id(finding), len(numbers) + 1)
            place = (section.key, id(finding))
            tables = tuple(t for t in tables_of(finding) if homes[t.key] == place)
            entries.append(Entry(finding, number, tables))
        others = [t for t in section.all_tables() if homes[t.key] == (section.key, 0)]
        made.append(Chapter(section, tuple(entries), tuple(others)))
    order = [section.key for section in report.sections]
    made.sort(key=lambda chapter: order.index(chapter.section.key))
    return [c for c in made if not c.section.is_empty or c.section.key in IN_PLACE]


def _executive_last(sections: Iterable[Section]) -> list[Section]:
    """Return the sections with the executive page last: what it shows belongs to the others."""
    return sorted(sections, key=lambda section: section.key == EXECUTIVE)


def _homes(sections: Iterable[Section]) -> dict[str, tuple[str, int]]:
    """Return where each table stands: its chapter, and its finding's identity or 0."""
    homes: dict[str, tuple[str, int]] = {}
    ordered = _executive_last(sections)
    for section in ordered:
        for finding in section.findings:
            for table in tables_of(finding):
                homes.setdefault(table.key, (section.key, id(finding)))
        for table in section.tables:
            homes.setdefault(table.key, (section.key, 0))
    for section in ordered:
        for table in section.all_tables():
            homes.setdefault(table.key, (section.key, 0))
    return homes


def tables_of(finding: Finding) -> Iterator[ReportTable]:
    """Yield the tables that a finding names, what it shows first."""
    tables = [] if finding.table is None else [finding.table]
    if finding.chart is not None and finding.chart.native is not None:
        tables.append(finding.chart.native.table)
    yield from {table.key: table for table in (*tables, *finding.tables)}.values()


def left_out(report: Report) -> list[tuple[Section, Text]]:
    """Return the chapters that the file has nothing for, each with a reason."""
    return [
        (section, reason)
        for section in report.sections
        if section.is_empty and section.key not in IN_PLACE
        for reason in section.absent
    ]


def chart_title(finding: Finding, lang: str) -> str:
    """Return what a chart shows: the title of its finding's table, or of its result."""
    if finding.table is not None:
        return finding.table.title.get(lang)
    return "" if finding.chart is None else finding.chart.result.title(lang)


def advice(finding: Finding, lang: str) -> tuple[str, str]:
    """Return what comes before the advice of a finding, and the advice."""
    if finding.advice is None:
        return "", ""
    before, _ = split_label("report.pages.advice", lang, "advice")
    return before, finding.advice.text(lang)


def basis(finding: Finding, lang: str) -> str:
    """Return how many answers are behind a finding, and by which method it was computed."""
    values = {}
    if finding.n is not None:
        values["n"] = finding.n.write(lang)
    if finding.method.get(lang):
        values["method"] = finding.method.get(lang)
    return label(f"report.pages.{'_'.join(values)}", lang, **values) if values else ""


def split_label(key: str, lang: str, *names: str) -> list[str]:
    """Return the pieces of a label around its values, which stand in this order in any language."""
    return label(key, lang, **dict.fromkeys(names, GAP)).split(GAP)


def picture(chart: ReportChart, lang: str, form: str, dpi: int) -> bytes | CxError:
    """Return a chart as a picture, or why the data allow none."""
    import warnings

    with warnings.catch_warnings():
        # A letter of a client's name that no font has becomes a box, as on any page.
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        try:
            return chart.picture(lang, form, dpi)
        except CxError as error:
            return error


@dataclass(frozen=True, eq=False)
class WrittenTable:
    """A table as text, no longer and no wider than a page can hold.

    Attributes
    ----------
    text : pandas.DataFrame
        The cells; heads may be the same.
    numeric : list of bool
        Which columns stand to the right.
    fields : list of bool
        Which columns are empty, for a person to fill in.
    notes : list of str
        What is left to the workbook.
    """

    text: pd.DataFrame
    numeric: list[bool]
    fields: list[bool]
    notes: list[str]

    @cached_property
    def heads(self) -> list[str]:
        """The heads of the columns."""
        return list(map(str, self.text.columns))

    @cached_property
    def rows(self) -> list[tuple[str, ...]]:
        """The cells, row by row."""
        return list(self.text.itertuples(index=False, name=None))

    @property
    def labels_rows(self) -> bool:
        """Whether the first column names the rows."""
        return (
            bool(self.numeric) and not self.numeric[0] and bool((self.text.iloc[:, 0] != "").all())
        )


def written(table: ReportTable, lang: str, most_rows: int, most_columns: int) -> WrittenTable:
    """Return a table as people read it, cut where a page cannot hold it."""
    from cxstats.core.display import numeric_heads
    from cxstats.core.formats import format_number

    text = table.written(lang)
    notes = [
        label(key, lang, n=format_number(size - most))
        for key, size, most in (
            ("report.pages.more_rows", len(text), most_rows),
            ("report.pages.more_columns", text.shape[1], most_columns),
        )
        if size > most
    ]
    text = text.iloc[:most_rows, :most_columns]
    empty = {table.head(c, lang) for c in table.frame.columns if (table.frame[c] == "").all()}
    fields = [len(text) > 0 and head in empty for head in text.columns]
    return WrittenTable(text, numeric_heads(text), fields, notes)
