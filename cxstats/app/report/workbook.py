"""A report as an Excel workbook: what to decide, every table with real numbers, native charts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxstats.app.report.content import Finding, NativeChart, ReportTable, Section
from cxstats.app.report.look import (
    ACCENT,
    CHINESE_FONT,
    INK,
    LATIN_FONT,
    MUTED,
    PAPER,
    SHADE,
    WARNING,
    legal,
    shortened,
)
from cxstats.app.report.native_charts import (
    BAR,
    GRID,
    axis_limits,
    colours,
    has_labels,
    interval_arms,
    number_format,
)
from cxstats.charts.style import BAD, GOOD, PALE, display_width
from cxstats.core.display import column_of
from cxstats.core.export import LONGEST_CELL, SHEET_NAME, fill_sheet
from cxstats.core.formats import format_percent
from cxstats.core.language import label
from cxstats.core.messages import cut

if TYPE_CHECKING:
    from cxstats.app.report.reporting import Report

ILLEGAL = re.compile(r"[\[\]:*?/\\']")  # in names of sheets; an apostrophe at the ends
RESERVED = "history"  # Excel keeps this name of a sheet for itself
HEAD_ROW = 4  # from 0: title, finding, way back and the mark of synthetic data stand above
WIDEST, WIDEST_HEAD = 48, 16  # characters of a column; a longer head takes several lines
CHART_ROWS, CHART_PIXELS = 22, (760, 420)
LONGEST_CATEGORY = 60  # characters of a name in a chart
FINDING_HEADS = ("finding", "advice", "details", "n", "method", "caveats")
FINDING_WIDTHS = (15, 42, 34, 34, 10, 30, 30)
NEGATIVE_BAR = "#F0B48C"  # of the bars in cells


def write_workbook(report: Report, path: Path, lang: str) -> None:
    """Write a report as ``.xlsx``: what to decide, contents, findings, and a sheet a table.

    Numbers are unrounded, shares from 0 to 1 in a percent format; no text is a formula or a link.
    What Excel can draw is a chart of its own on the sheet of its table.

    Parameters
    ----------
    report : Report
    path : Path
    lang : {"en", "zh"}

    Raises
    ------
    DataError
        If a sheet cannot hold a table.
    OSError
        If the file cannot be written.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_format_properties": {"font_name": CHINESE_FONT if lang == "zh" else LATIN_FONT},
    }
    try:
        with xlsxwriter.Workbook(str(path), options) as book:
            _Workbook(book, report, lang).write()
    except FileCreateError as error:  # it hides that the disk is full
        raise error.args[0] from error


def sheet_name(title: str, taken: set[str]) -> str:
    """Return a name that Excel takes for a sheet, unlike those that are taken; it is then taken.

    At most 31 characters as Excel counts them (16 bits each), without brackets, slashes and other
    signs that it forbids, unlike every other in more than case. Of a longer one the middle goes.

    Examples
    --------
    >>> taken = set()
    >>> sheet_name("NPS: by [branch]", taken), sheet_name("nps  by branch", taken)
    ('NPS by branch', 'nps by branch (2)')
    """
    name = " ".join(ILLEGAL.sub(" ", legal(title)).split()) or "_"
    number, end = 1, ""
    while True:
        candidate = _fitting(name, SHEET_NAME - len(end)) + end
        if candidate.casefold() not in {*taken, RESERVED}:
            taken.add(candidate.casefold())
            return candidate
        number += 1
        end = f" ({number})"


def _fitting(name: str, most: int) -> str:
    """Return a name of at most `most` units of 16 bits."""
    length = most
    while len((candidate := cut(name, length)).encode("utf-16-le")) > 2 * most:
        length -= 1
    return candidate


class _Workbook:
    """Writes a report into a workbook of XlsxWriter."""

    def __init__(self, book: Any, report: Report, lang: str) -> None:
        self.book, self.report, self.lang = book, report, lang
        self.tables = report.report_tables()
        fixed = [label(key, lang) for key in ("report.section.decide", "report.office.contents",
                                              "report.office.findings")]  # fmt: skip
        taken: set[str] = set()
        self.decide, self.contents, self.findings = (sheet_name(name, taken) for name in fixed)
        self.names = {
            key: sheet_name(table.title.get(lang), taken) for key, table in self.tables.items()
        }
        wrapped = {"text_wrap": True, "valign": "top"}
        self.formats = {
            "title": book.add_format({"bold": True, "font_size": 14, "font_color": ACCENT}),
            "heading": book.add_format({"bold": True, "font_size": 12, "font_color": ACCENT}),
            "mark": book.add_format({"bold": True, "font_color": WARNING}),
            "muted": book.add_format({"font_color": MUTED}),
            "link": book.add_format({"font_color": ACCENT, "underline": 1}),
            "text": book.add_format(wrapped),
            "strong": book.add_format({**wrapped, "bold": True}),
            "whole": book.add_format({**wrapped, "num_format": "#,##0", "align": "center"}),
            "column": book.add_format({"indent": 1}),
            "head": book.add_format(
                {**wrapped, "bold": True, "bottom": 1, "bg_color": SHADE, "font_color": INK}
            ),
            "number_head": book.add_format(
                {
                    **wrapped,
                    "bold": True,
                    "bottom": 1,
                    "bg_color": SHADE,
                    "font_color": INK,
                    "align": "right",
                }
            ),
        }

    def write(self) -> None:
        """Write every sheet."""
        title = self._legal(self.report.title(self.lang))
        self.book.set_properties({"title": shortened(title, 255), "author": "cxstats"})
        self._decide()
        self._contents()
        self._findings()
        for section, table in self._in_order():
            self._table(section, table)

    def _in_order(self) -> Iterator[tuple[Section, ReportTable]]:
        """Yield every table once, with the chapter that shows it; what to decide repeats others."""
        seen: set[str] = set()
        sections = self.report.sections
        for section in sorted(sections, key=lambda section: section.key == "decide"):
            for table in section.all_tables():
                if table.key not in seen:
                    seen.add(table.key)
                    yield section, table

    def _legal(self, text: str) -> str:
        return cut(legal(text), LONGEST_CELL)

    def _sheet(self, name: str, title: str) -> Any:
        """Add a sheet with its title, the mark of synthetic data, and a page that prints whole."""
        sheet = self.book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&R&P / &N")
        sheet.write_string(0, 0, self._legal(title), self.formats["title"])
        if self.report.synthetic:
            mark = label("result.synthetic", self.lang)
            sheet.write_string(1, 0, mark, self.formats["mark"])
            sheet.set_header(f"&L{mark}")
        return sheet

    def _link(self, sheet: Any, row: int, column: int, name: str, text: str) -> None:
        sheet.write_url(row, column, f"internal:'{name}'!A1", self.formats["link"], text)

    def _heads(self, sheet: Any, row: int, keys: Iterable[str]) -> None:
        for j, key in enumerate(keys):
            head = label(f"report.office.head.{key}", self.lang)
            sheet.write_string(row, j, head, self.formats["head"])

    def _decide(self) -> None:
        lang, section = self.lang, self.report.section("decide")
        sheet = self._sheet(self.decide, self.report.title(lang))
        n = f"{len(self.report.client.answers):,}"
        head = label(
            "report.head", lang, name=self.report.name.get(lang), file=self.report.client.file, n=n
        )
        sheet.write_string(2, 0, self._legal(head), self.formats["muted"])
        sheet.write_string(3, 0, section.title(lang), self.formats["heading"])
        self._finding_rows(sheet, HEAD_ROW, [section])
        self._link(sheet, 2, 5, self.contents, label("report.office.contents", lang))
        sheet.activate()

    def _findings(self) -> None:
        sections = [section for section in self.report.sections if section.key != "decide"]
        sheet = self._sheet(self.findings, label("report.office.findings", self.lang))
        self._link(sheet, 2, 0, self.contents, label("report.office.back", self.lang))
        last = self._finding_rows(sheet, HEAD_ROW, sections)
        sheet.autofilter(HEAD_ROW, 0, max(last - 1, HEAD_ROW), len(FINDING_HEADS))

    def _finding_rows(self, sheet: Any, top: int, sections: Iterable[Section]) -> int:
        """Write the findings, sentences and reasons of chapters; return the next row."""
        self._heads(sheet, top, ("chapter", *FINDING_HEADS))
        row = top + 1
        for section in sections:
            chapter = section.title(self.lang)
            for finding in section.findings:
                self._finding(sheet, row, chapter, finding)
                row += 1
            lines = [sentence.text(self.lang) for sentence in section.sentences]
            for line in [*lines, *(reason.get(self.lang) for reason in section.absent)]:
                sheet.write_string(row, 0, chapter, self.formats["text"])
                sheet.write_string(row, 1, self._legal(line), self.formats["text"])
                sheet.set_row(row, _height({1: line}))
                row += 1
        for j, width in enumerate(FINDING_WIDTHS):
            sheet.set_column(j, j, width)
        sheet.freeze_panes(top + 1, 0)
        sheet.repeat_rows(top)
        return row

    def _finding(self, sheet: Any, row: int, chapter: str, finding: Finding) -> None:
        lang, text = self.lang, self.formats["text"]
        caveats = _lines(caveat.get(lang) for caveat in finding.caveats)
        cells = {
            0: chapter,
            1: self._legal(finding.headline.text(lang)),
            2: "" if finding.advice is None else self._legal(finding.advice.text(lang)),
            3: _lines(sentence.text(lang) for sentence in finding.details),
            5: self._legal(finding.method.get(lang)),
            6: caveats,
        }
        for j, cell in cells.items():
            sheet.write_string(row, j, cell, self.formats["strong"] if j == 1 else text)
        if finding.n is not None and isfinite(finding.n.value):
            sheet.write_number(row, 4, finding.n.value, self.formats["whole"])
        sheet.set_row(row, _height(cells))

    def _contents(self) -> None:
        lang, client = self.lang, self.report.client
        sheet = self._sheet(self.contents, label("report.office.contents", lang))
        lines = [
            label("report.office.file", lang, file=client.file),
            label("report.office.hash", lang, hash=client.sha256),
            label("report.office.seed", lang, seed=client.seed),
        ]
        for section in self.report.sections:
            if section.key == "provenance":
                lines += [sentence.text(lang) for sentence in section.sentences]
        for row, line in enumerate(lines, start=2):
            sheet.write_string(row, 0, self._legal(line), self.formats["muted"])
        top = 3 + len(lines)
        self._heads(sheet, top, ("sheet", "title", "chapter", "rows"))
        fixed = [(self.decide, "report.section.decide"), (self.findings, "report.office.findings")]
        for row, (name, key) in enumerate(fixed, start=top + 1):
            self._link(sheet, row, 0, name, name)
            sheet.write_string(row, 1, label(key, lang), self.formats["text"])
        for row, (section, table) in enumerate(self._in_order(), start=top + 1 + len(fixed)):
            self._link(sheet, row, 0, self.names[table.key], self.names[table.key])
            sheet.write_string(row, 1, self._legal(table.title.get(lang)), self.formats["text"])
            sheet.write_string(row, 2, section.title(lang), self.formats["text"])
            sheet.write_number(row, 3, len(table.frame), self.formats["whole"])
        for j, width in enumerate((36, 60, 26, 10)):
            sheet.set_column(j, j, width)
        sheet.freeze_panes(top + 1, 0)
        sheet.repeat_rows(top)

    def _table(self, section: Section, table: ReportTable) -> None:
        lang, top = self.lang, HEAD_ROW
        sheet = self._sheet(self.names[table.key], table.title.get(lang))
        above = [section.title(lang)]
        if table.level is not None:
            level = format_percent(100 * table.level, None, lang)
            above.append(label("report.office.level", lang, level=level))
        sheet.write_string(2, 0, " · ".join(above), self.formats["muted"])
        self._link(sheet, 3, 0, self.contents, label("report.office.back", lang))
        frame = self._cells(table.translated(lang))
        heads = [self._legal(table.head(str(column), lang)) for column in frame.columns]
        fill_sheet(self.book, sheet, frame, heads, lang, top=top, shares=table.percent)
        for j, head in enumerate(heads):
            width, is_text = _width(frame.iloc[:, j], head, lang)
            sheet.write_string(top, j, head, self.formats["head" if is_text else "number_head"])
            sheet.set_column(j, j, width, self.formats["column"] if is_text else None)
        sheet.freeze_panes(top + 1, 0)
        sheet.repeat_rows(top)
        sheet.set_row(top, 15.5 * max(map(_head_lines, heads), default=1))
        self._bars(sheet, table, frame)
        last = self._charts(sheet, table, frame)
        sheet.print_area(0, 0, last, max(frame.shape[1] - 1, 7))

    def _cells(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a table of numbers, dates, and texts that a file can hold."""

        def cell(value: Any) -> Any:
            if isinstance(value, (bool, np.bool_)):
                return label("table.yes" if value else "table.no", self.lang)
            return self._legal(value) if isinstance(value, str) else value

        return frame.astype(object).map(cell)

    def _bars(self, sheet: Any, table: ReportTable, frame: pd.DataFrame) -> None:
        """Show columns with bars in their cells; where numbers lie on both sides of 0, in colours.

        Bars of the first kind of Excel, which other programs read without complaint, have no
        negative side.
        """
        columns = list(map(str, frame.columns))
        for column in table.bars:
            if column not in columns or len(frame) < 2:
                continue
            j = columns.index(column)
            numbers = pd.to_numeric(frame.iloc[:, j], errors="coerce")
            if (numbers < 0).any():
                scale = {"type": "3_color_scale", "min_color": NEGATIVE_BAR, "mid_color": PAPER,
                         "max_color": BAR, "mid_type": "num", "mid_value": 0}  # fmt: skip
            else:
                scale = {"type": "data_bar", "bar_color": BAR, "min_type": "num", "min_value": 0}
            sheet.conditional_format(HEAD_ROW + 1, j, HEAD_ROW + len(frame), j, scale)

    def _charts(self, sheet: Any, table: ReportTable, frame: pd.DataFrame) -> int:
        """Draw the native charts of a table below it, each under its finding; return the last row.

        One chart is drawn once, whatever number of findings show it.
        """
        row = HEAD_ROW + len(frame) + 2
        column = frame.shape[1] + 1  # where the data stand that are no run of rows of the table
        drawn: list[NativeChart] = []
        for finding in _all_findings(self.report):
            native = finding.chart.native if finding.chart is not None else None
            if native is None or native.table.key != table.key or native in drawn:
                continue
            drawn.append(native)
            places, column = self._data(sheet, native, frame, column)
            self._chart(sheet, row, native, places, finding)
            row += CHART_ROWS
        return row

    def _data(
        self, sheet: Any, native: NativeChart, frame: pd.DataFrame, column: int
    ) -> tuple[_Places, int]:
        """Return where the data of a chart stand, and the next column that is free.

        The chart shows cells of the table where they are a run of rows. Else its rows stand in
        their order beside the table; so do the arms of its intervals, which no table has.
        """
        places = _places(native, frame)
        beside = pd.DataFrame(index=range(len(native.data(self.lang))))
        heads = []
        if places is None:
            data = self._cells(native.data(self.lang))
            heads = list(map(self._legal, map(str, data.columns)))
            beside = data.set_axis([str(j) for j in range(data.shape[1])], axis=1)
            values = tuple(range(column + 1, column + data.shape[1]))
            places = _Places(column, values, 0, len(data) - 1)
        if native.low and native.high:
            at = column + beside.shape[1]
            places.arms = (at, at + 1)
            places.arm_rows = (HEAD_ROW + 1, HEAD_ROW + len(beside))
            heads += [label(f"report.office.arm.{side}", self.lang) for side in ("low", "high")]
            arms = dict(enumerate(interval_arms(native), start=beside.shape[1]))
            beside = beside.assign(**{str(j): arm for j, arm in arms.items()})
        if not heads:
            return places, column
        title = label("report.office.chart_data", self.lang)
        sheet.write_string(HEAD_ROW - 1, column, title, self.formats["muted"])
        shares = list(map(str, beside.columns)) if native.percent else []
        side = _Beside(sheet, column)
        fill_sheet(self.book, side, beside, heads, self.lang, top=HEAD_ROW, shares=shares)
        return places, column + beside.shape[1] + 1

    def _chart(
        self, sheet: Any, row: int, native: NativeChart, places: _Places, finding: Finding
    ) -> None:
        kinds: dict[str, dict[str, str]] = {
            "bar": {"type": "bar"}, "column": {"type": "column"}, "line": {"type": "line"},
            "stacked": {"type": "bar", "subtype": "stacked"},
        }  # fmt: skip
        chart = self.book.add_chart(kinds[native.kind])
        name, (first, last) = sheet.get_name(), places.rows(HEAD_ROW)
        number = number_format(native)
        for place, (column, colour) in enumerate(
            zip(places.values, colours(native.values), strict=True)
        ):
            series: dict[str, Any] = {
                "name": [name, HEAD_ROW, column],
                "categories": [name, first, places.names, last, places.names],
                "values": [name, first, column, last, column],
                "fill": {"color": colour},
                "line": {"color": colour, "width": 2.25 if native.kind == "line" else 0.75},
                "data_labels": {"value": has_labels(native), "num_format": number},
                "gap": 60,
            }
            if native.kind == "stacked":
                ink = "#FFFFFF" if colour in (GOOD, BAD) else INK
                series["data_labels"] |= {"position": "center", "font": {"color": ink}}
            if native.kind == "line":
                series["marker"] = {"type": "circle", "size": 7, "fill": {"color": colour}}
                series["data_labels"] |= {"position": "right"}
            if place == 0 and native.low and native.high:
                # Bars end where the interval begins to be drawn, so their numbers stand inside.
                if native.kind in ("bar", "column"):
                    series["fill"] = {"color": BAR}
                    series["data_labels"] |= {"position": "inside_base"}
                series["y_error_bars"] = _error_bars(name, places)
            chart.add_series(series)
        chart.set_title({
            "name": _no_place(shortened(finding.headline.text(self.lang))), "overlay": False,
            "name_font": {"size": 11, "bold": True, "color": INK},
        })  # fmt: skip
        lying = native.kind in ("bar", "stacked")
        categories: dict[str, Any] = {
            "reverse": lying,
            "label_position": "low",
            "line": {"color": PALE},
        }
        grid = {"visible": True, "line": {"color": GRID}}
        values: dict[str, Any] = {
            "num_format": number,
            "major_gridlines": grid,
            "line": {"none": True},
        }
        categories["major_gridlines"] = {"visible": False}
        if lying:
            values["label_position"] = "high"  # the order of names is turned, and the axis with it
        if len(native.data(self.lang)) == 1:
            categories["visible"] = False  # the title says what it is
        limits = axis_limits(native)
        if limits is not None:
            values["min"], values["max"] = limits
        chart.set_x_axis(values if lying else categories)
        chart.set_y_axis(categories if lying else values)
        chart.set_legend({"position": "bottom"} if len(native.values) > 1 else {"none": True})
        height = CHART_PIXELS[1] if len(native.data(self.lang)) > 1 else CHART_PIXELS[1] // 2
        chart.set_size({"width": CHART_PIXELS[0], "height": height})
        alt = shortened(
            f"{native.table.title.get(self.lang)}: {finding.headline.text(self.lang)}", 500
        )
        sheet.insert_chart(row, 0, chart, {"description": alt, "object_position": 2})


class _Places:
    """Where the names and numbers of a chart stand on its sheet: columns, and a run of rows."""

    def __init__(self, names: int, values: tuple[int, ...], first: int, last: int) -> None:
        self.names, self.values, self.first, self.last = names, values, first, last
        self.arms: tuple[int, ...] = ()
        self.arm_rows = (0, 0)

    def rows(self, head: int) -> tuple[int, int]:
        """Return the first and last row on the sheet, from 0."""
        return head + 1 + self.first, head + 1 + self.last


class _Beside:
    """A sheet whose columns are counted from a place at the right of its table."""

    def __init__(self, sheet: Any, column: int) -> None:
        self._sheet, self._column = sheet, column

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._sheet, name)
        return lambda row, column, *values: method(row, column + self._column, *values)

    def set_column(self, first: int, last: int, width: float) -> None:
        """Set the width of columns."""
        self._sheet.set_column(first + self._column, last + self._column, min(width, WIDEST_HEAD))


def _places(native: NativeChart, frame: pd.DataFrame) -> _Places | None:
    """Return where a chart's numbers stand in its table; None where they are no run of rows."""
    rows = range(len(frame)) if native.rows is None else native.rows
    if list(rows) != list(range(rows[0], rows[0] + len(rows))):
        return None
    columns = list(map(str, frame.columns))
    names = columns.index(native.names)
    if any(len(str(cell)) > LONGEST_CATEGORY for cell in frame.iloc[:, names]):
        return None
    values = tuple(columns.index(value) for value in native.values)
    return _Places(names, values, rows[0], rows[-1])


def _error_bars(name: str, places: _Places) -> dict[str, Any]:
    """Return the error bars of a series, from the arms beside the table."""
    from xlsxwriter.utility import xl_range_formula

    first, last = places.arm_rows
    minus, plus = (xl_range_formula(name, first, arm, last, arm) for arm in places.arms)
    return {"type": "custom", "minus_values": minus, "plus_values": plus,
            "line": {"color": INK, "width": 1.25}}  # fmt: skip


def _no_place(title: str) -> str:
    """Return a title that XlsxWriter does not take for the place of one, such as "Wow!A1"."""
    return title.replace("!", "!\u200b")


def _all_findings(report: Report) -> Iterator[Finding]:
    for section in report.sections:
        if section.key != "decide":  # its findings stand in their chapters too
            yield from section.findings


def _lines(texts: Iterable[str]) -> str:
    return cut("\n".join(map(legal, texts)), LONGEST_CELL)


def _height(cells: dict[int, str]) -> float:
    """Return the height in points of a row of texts that are broken in their columns."""
    lines = [
        sum(-(-max(display_width(line), 1) // (FINDING_WIDTHS[j] - 2)) for line in text.split("\n"))
        for j, text in cells.items()
    ]
    return min(15.5 * max(lines) + 3, 400.0)


def _head_lines(head: str) -> int:
    return min(-(-display_width(head) // (WIDEST_HEAD - 3)), 4)


def _width(cells: pd.Series[Any], head: str, lang: str) -> tuple[float, bool]:
    """Return the width of a column, whose long head takes several lines, and if it holds texts."""
    style = column_of(cells, str(cells.name))
    texts: Sequence[str] = [style.write(cell, lang)[:WIDEST] for cell in cells]
    widest = max(map(display_width, texts), default=0)
    width = max(min(widest + 2, WIDEST), min(display_width(head) + 2, WIDEST_HEAD), 9)
    return width, style.kind == "text"
