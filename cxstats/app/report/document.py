"""A report as a document of Word: a first page for the board, the chapters, further tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxstats.app.report import look
from cxstats.app.report.content import DPI, Finding, ReportTable
from cxstats.app.report.pages import (
    EXECUTIVE,
    Chapter,
    Entry,
    WrittenTable,
    advice,
    basis,
    chapters,
    chart_title,
    left_out,
    picture,
    split_label,
    written,
)
from cxstats.charts.style import display_width
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    from cxstats.app.report.reporting import Report

BEFORE_CONTENTS = (EXECUTIVE, "scorecard")  # what a board reads, on the first page as a rule
MOST_ROWS, MOST_COLUMNS = 200, 60
BODY_ROWS = 12  # a longer table stands behind the chapters
# Millimetres of an A4 page within its margins; the tables behind the chapters lie across.
WIDTH, ACROSS = 166.0, 257.0
TALLEST = 105.0  # of a chart
PER_LETTER, PADDING = 1.63, 3.2  # of a table: a Latin letter of 8 points, and beside a cell's text
WIDEST = 42  # letters of a column before its texts are broken
LEAST = 8  # letters of a column of texts
LONGEST_WHOLE = 600  # characters of a cell in a row that no page may break
LONGEST_HEAD = 80  # characters of a head, which comes again on every page
TWIPS = 56.693  # in a millimetre
TABLE_STYLE = "Report Table"


def write_document(report: Report, path: Path, lang: str) -> None:
    """Write a report as a document of Word.

    The first page says what to decide and holds the scorecard. Figures and tables are numbered by
    fields, so that Word goes on counting where a person adds one. A table that is too long or too
    wide for the text stands behind the chapters, across the page, with its columns in several parts
    where they need it. What a page cannot hold, more than `MOST_ROWS` rows or `MOST_COLUMNS`
    columns, is left to the workbook, and the document says so. A text of more than `LONGEST_WHOLE`
    characters stands whole the first time, and is cut after that.

    The contents are links to the chapters. Word adds their page numbers when a person updates
    the field; a file that asked for it when it is opened would be met by a warning of Word.

    Parameters
    ----------
    report : Report
    path : Path
        Where the file stands; see `cxstats.core.files.write_whole`.
    lang : {"en", "zh"}
    """
    from cxstats.app.report.document_styles import blank_document

    archive = BytesIO()  # python-docx leaves a broken file open where the disk is full
    _Writer(report, lang, blank_document(report, lang)).document().save(archive)
    path.write_bytes(archive.getvalue())


@dataclass(eq=False)
class _Grid:
    """A table of the document: its parts, side by side columns that fit a page, and its number."""

    table: ReportTable
    text: WrittenTable
    in_body: bool
    parts: list[list[int]]
    widths: list[float]
    number: int = 0


@dataclass(eq=False)
class _Writer:
    """Writes the chapters into a document, and counts its figures, tables and bookmarks."""

    report: Report
    lang: str
    file: Any  # a docx.document.Document
    figures: int = 0
    marks: int = 0
    grids: dict[str, _Grid] = field(default_factory=dict)
    long_texts: set[str] = field(default_factory=set)

    def document(self) -> Any:
        shown = chapters(self.report)
        self._measure(shown)
        self._title()
        first = [chapter for chapter in shown if chapter.section.key in BEFORE_CONTENTS]
        others = [chapter for chapter in shown if chapter not in first]
        for chapter in first:
            self._chapter(chapter, others)
        self._contents(others)
        for chapter in others:
            self._chapter(chapter)
        self._left_out()
        self._further_tables()
        return self.file

    # What stands where

    def _measure(self, shown: list[Chapter]) -> None:
        """Break every table into parts that fit, and number them in the order of the pages."""
        for chapter in shown:
            tables = [table for entry in chapter.entries for table in entry.tables]
            for table in (*tables, *chapter.tables):
                self.grids[table.key] = self._grid(table, table in chapter.tables)
        number = 1
        for grid in sorted(self.grids.values(), key=lambda grid: not grid.in_body):
            grid.number = number
            number += len(grid.parts)

    def _grid(self, table: ReportTable, of_chapter: bool) -> _Grid:
        text = self._abridged(written(table, self.lang, MOST_ROWS, MOST_COLUMNS))
        widths = _narrowed(text, _widths(text), WIDTH)
        in_body = sum(widths) <= WIDTH and (of_chapter or len(text.text) <= BODY_ROWS)
        if in_body:
            return _Grid(table, text, True, [list(range(len(widths)))], _filled(text, widths))
        widths = _narrowed(text, _widths(text), ACROSS)
        return _Grid(table, text, False, _parts(widths, text.labels_rows), widths)

    def _once(self, text: str, most: int = LONGEST_WHOLE) -> str:
        """Return a text that is long as it is the first time, and cut after that."""
        if len(text) <= most or text not in self.long_texts:
            self.long_texts.add(text)
            return text
        return look.shortened(text)

    def _abridged(self, table: WrittenTable) -> WrittenTable:
        """Return a table whose long texts do not come on page after page."""
        heads = [look.shortened(head, LONGEST_HEAD) for head in table.heads]
        notes = [self._once(head) for head in table.heads if len(head) > LONGEST_HEAD]
        text = table.text.map(self._once).set_axis(heads, axis=1)
        return replace(table, text=text, notes=[*table.notes, *notes])

    # Paragraphs

    def _paragraph(self, text: str, style: str | None = None) -> Any:
        return self.file.add_paragraph(look.legal(text), style)

    def _heading(self, text: str, level: int, mark: str) -> None:
        heading = self.file.add_heading("", level)
        with self._bookmark(heading, mark):
            heading.add_run(look.shortened(text))

    def _bookmark(self, paragraph: Any, name: str) -> _Bookmark:
        self.marks += 1
        return _Bookmark(paragraph, self.marks, name)

    def _caption(self, key: str, number: int, title: str, mark: str) -> Any:
        """Write "Figure 1: title" with a number that Word counts."""
        before, between, after = split_label(key, self.lang, "number", "title")
        caption = self.file.add_paragraph(style="Caption")
        caption.add_run(before)
        with self._bookmark(caption, mark):
            add_field(caption, f"SEQ {before.strip()} \\* ARABIC", str(number))
        caption.add_run(f"{between}{look.shortened(title)}{after}")
        return caption

    def _link(self, paragraph: Any, text: str, mark: str) -> None:
        from docx.oxml.ns import qn
        from docx.oxml.parser import OxmlElement
        from docx.shared import RGBColor

        link = OxmlElement("w:hyperlink")
        link.set(qn("w:anchor"), mark)
        link.set(qn("w:history"), "1")
        run = paragraph.add_run(look.legal(text))
        run.font.underline, run.font.color.rgb = True, RGBColor.from_string(look.rgb(look.ACCENT))
        link.append(run._r)
        paragraph._p.append(link)

    # Chapters

    def _title(self) -> None:
        n = format_number(len(self.report.client.answers))
        self.file.add_paragraph(look.shortened(self.report.name.get(self.lang)), "Title")
        source = label("report.pages.source", self.lang, n=n, file=self.report.client.file)
        self._paragraph(source, "Subtitle")

    def _contents(self, shown: list[Chapter]) -> None:
        """Write the contents as a field that holds links already."""
        entries = [(c.section.title(self.lang), c.section.key) for c in shown]
        if left_out(self.report):
            entries.append((label("report.pages.left_out", self.lang), "left_out"))
        if self._further():
            entries.append((label("report.pages.appendix", self.lang), "appendix"))
        heading = self._paragraph(label("report.pages.contents", self.lang), "TOC Heading")
        heading.paragraph_format.page_break_before = True
        for i, (title, mark) in enumerate(entries):
            line = self.file.add_paragraph(style="toc 1")
            if i == 0:
                begin_field(line, 'TOC \\o "1-1" \\h \\z \\u')
            self._link(line, title, bookmark_name(mark))
            if i == len(entries) - 1:
                end_field(line)

    def _chapter(self, chapter: Chapter, others: Iterable[Chapter] = ()) -> None:
        section = chapter.section
        self._heading(section.title(self.lang), 1, bookmark_name(section.key))
        for sentence in section.sentences:
            self._paragraph(sentence.text(self.lang))
        for entry in chapter.entries:
            if section.key == EXECUTIVE:
                self._decision(entry, others)
            else:
                self._finding(entry)
        for table in chapter.tables:
            self._show(table)
        self._absent(chapter)

    def _absent(self, chapter: Chapter) -> None:
        reasons = [reason.get(self.lang) for reason in chapter.section.absent]
        if reasons and not chapter.section.is_empty:
            self._paragraph(
                label("report.pages.partly", self.lang), "Note"
            ).paragraph_format.keep_with_next = True
        for reason in reasons:
            self._paragraph(reason, None if chapter.section.is_empty else "Note List")

    def _decision(self, entry: Entry, others: Iterable[Chapter]) -> None:
        """Write a finding on the executive page, with a link to its chapter."""
        self._said(entry.finding, "decision", entry.number)
        for chapter in others:
            if any(other.finding is entry.finding for other in chapter.entries):
                title = chapter.section.title(self.lang)
                text = label("report.pages.details", self.lang, chapter=title)
                self._link(
                    self.file.add_paragraph(style="Note"),
                    text,
                    bookmark_name("finding", entry.number),
                )
                return

    def _said(self, finding: Finding, kind: str, number: int) -> None:
        headline = finding.headline.text(self.lang)
        self._heading(headline, 2, bookmark_name(kind, number))
        if len(headline) > look.LONGEST_HEADING:
            self._paragraph(self._once(headline))
        drawn = kind == "finding" and finding.chart is not None
        for detail in finding.details:
            paragraph = self._paragraph(detail.text(self.lang))
            paragraph.paragraph_format.keep_with_next = drawn  # with the chart
        if finding.advice is not None:
            before, advised = advice(finding, self.lang)
            paragraph = self.file.add_paragraph(style="Advice")
            paragraph.add_run(before).bold = True
            paragraph.add_run(look.legal(advised))
            paragraph.paragraph_format.keep_with_next = drawn

    def _finding(self, entry: Entry) -> None:
        finding = entry.finding
        self._said(finding, "finding", entry.number)
        self._chart(finding)
        for table in entry.tables:
            self._show(table)
        if finding.table is not None and finding.table not in entry.tables:
            self._see(finding.table)
        if text := basis(finding, self.lang):
            self._paragraph(text, "Note")
        if finding.caveats:
            self._paragraph(
                label("report.pages.caveats", self.lang), "Note"
            ).paragraph_format.keep_with_next = True
        for caveat in finding.caveats:
            self._paragraph(caveat.get(self.lang), "Note List")

    def _chart(self, finding: Finding) -> None:
        from docx.shared import Mm

        if finding.chart is None:
            return
        image = picture(finding.chart, self.lang, "png", DPI)
        if isinstance(image, CxError):
            self._paragraph(label("report.pages.no_chart", self.lang, why=str(image)), "Note")
            return
        self.figures += 1
        paragraph = self.file.add_paragraph(style="Picture")
        drawn = paragraph.add_run().add_picture(BytesIO(image))
        scale = min(1.0, Mm(WIDTH) / drawn.width, Mm(TALLEST) / drawn.height)
        drawn.width, drawn.height = round(drawn.width * scale), round(drawn.height * scale)
        title = look.shortened(chart_title(finding, self.lang))
        headline = look.shortened(finding.headline.text(self.lang))
        properties = drawn._inline.docPr
        properties.set(
            "descr", label("report.pages.alt", self.lang, title=title, headline=headline)
        )
        properties.set("title", title)
        mark = bookmark_name("figure", self.figures)
        self._caption("report.pages.figure", self.figures, title, mark)

    def _left_out(self) -> None:
        reasons = left_out(self.report)
        if not reasons:
            return
        self._heading(label("report.pages.left_out", self.lang), 1, bookmark_name("left_out"))
        for section, reason in reasons:
            paragraph = self.file.add_paragraph()
            before, between, _ = split_label("report.pages.reason", self.lang, "chapter", "reason")
            paragraph.add_run(f"{before}{section.title(self.lang)}{between}").bold = True
            paragraph.add_run(look.legal(reason.get(self.lang)))

    # Tables

    def _further(self) -> list[_Grid]:
        return [grid for grid in self.grids.values() if not grid.in_body]

    def _show(self, table: ReportTable) -> None:
        """Write a table, or where it stands."""
        grid = self.grids[table.key]
        if grid.in_body:
            self._table(grid)
        else:
            self._see(table)

    def _see(self, table: ReportTable) -> None:
        if table.key not in self.grids:
            return
        number = self.grids[table.key].number
        before, between, after = split_label("report.pages.see_table", self.lang, "number", "title")
        paragraph = self.file.add_paragraph(before, "Note")
        add_field(paragraph, f"REF {bookmark_name('table', number)} \\h", str(number))
        paragraph.add_run(f"{between}{look.shortened(table.title.get(self.lang))}{after}")

    def _further_tables(self) -> None:
        from cxstats.app.report.document_styles import turn_across

        if not self._further():
            return
        turn_across(self.file)
        self._heading(label("report.pages.appendix", self.lang), 1, bookmark_name("appendix"))
        for grid in self._further():
            self._table(grid)

    def _table(self, grid: _Grid) -> None:
        from cxstats.app.report.document_styles import table_element

        title = grid.table.title.get(self.lang)
        for i, columns in enumerate(grid.parts):
            caption = title
            if len(grid.parts) > 1:
                caption = label("report.pages.columns", self.lang, title=look.shortened(title, 120),
                                part=str(i + 1), n=str(len(grid.parts)))  # fmt: skip
            number = grid.number + i
            mark = bookmark_name("table", number)
            paragraph = self._caption("report.pages.table", number, caption, mark)
            paragraph.paragraph_format.keep_with_next = True
            if i == 0 and len(title) > look.LONGEST_HEADING:
                self._paragraph(self._once(title), "Note")
            element = table_element(grid.text, columns, grid.widths, look.shortened(title))
            after = self.file.add_paragraph(style="After Table")
            after._p.addprevious(element)
        for note in grid.text.notes:
            self._paragraph(note, "Note")


def _widths(table: WrittenTable) -> list[float]:
    """Return the width of each column in millimetres, texts broken where they are long."""
    widths = []
    for j, head in enumerate(table.heads):
        cells = [display_width(row[j]) for row in table.rows]
        word = max((display_width(word) for word in head.split()), default=0)
        letters = max([*cells, min(word, WIDEST)], default=0)
        if not table.numeric[j]:
            letters = min(letters, WIDEST)
        if display_width(head) > len(head):  # Chinese heads break anywhere
            letters = max(min(letters, WIDEST), 4)
        widths.append(PER_LETTER * min(letters, 2 * WIDEST) + PADDING)
    return widths


def _narrowed(table: WrittenTable, widths: list[float], width: float) -> list[float]:
    """Break texts into more lines where a table is wider than the page and that makes it fit."""
    words = []
    for j in range(len(widths)):
        texts = [] if table.numeric[j] else [row[j] for row in table.rows]
        longest = [LEAST, *(display_width(word) for text in texts for word in text.split())]
        least = PER_LETTER * min(max(longest), WIDEST / 2) + PADDING
        words.append(widths[j] if table.numeric[j] else min(widths[j], least))
    spare, excess = sum(widths) - sum(words), sum(widths) - width
    if not 0 < excess <= spare:
        return widths
    share = excess / spare
    return [wide - share * (wide - word) for wide, word in zip(widths, words, strict=True)]


def _filled(table: WrittenTable, widths: list[float]) -> list[float]:
    """Give the room that is left to columns that a person fills in."""
    blank = [j for j, is_field in enumerate(table.fields) if is_field]
    more = (WIDTH - sum(widths)) / len(blank) if blank else 0.0
    return [width + (more if j in blank else 0.0) for j, width in enumerate(widths)]


def _parts(widths: list[float], labels_rows: bool) -> list[list[int]]:
    """Return the columns of each part of a table, the labels of its rows in every part.

    Examples
    --------
    >>> _parts([100, 100, 100, 100], labels_rows=True)
    [[0, 1], [0, 2], [0, 3]]
    """
    always = [0] if labels_rows else []
    parts: list[list[int]] = [[*always]]
    for j in range(len(always), len(widths)):
        full = sum(widths[i] for i in parts[-1]) + widths[j] > ACROSS
        if full and len(parts[-1]) > len(always):
            parts.append([*always])
        parts[-1].append(j)
    return parts


def bookmark_name(*pieces: object) -> str:
    """Return the name of a place in the document.

    Examples
    --------
    >>> bookmark_name("table", 3)
    'cx_table_3'
    """
    return "_".join(map(str, ("cx", *pieces)))


class _Bookmark:
    """Marks what is written into a paragraph within its block."""

    def __init__(self, paragraph: Any, number: int, name: str) -> None:
        self.paragraph, self.number, self.name = paragraph, number, name

    def _mark(self, tag: str, **attributes: str) -> None:
        from docx.oxml.ns import qn
        from docx.oxml.parser import OxmlElement

        mark = OxmlElement(tag)
        for key, value in {"id": str(self.number), **attributes}.items():
            mark.set(qn(f"w:{key}"), value)
        self.paragraph._p.append(mark)

    def __enter__(self) -> None:
        self._mark("w:bookmarkStart", name=self.name)

    def __exit__(self, *_: object) -> None:
        self._mark("w:bookmarkEnd")


def add_field(paragraph: Any, code: str, result: str) -> None:
    """Write a field that Word computes anew, with what it shows until then."""
    begin_field(paragraph, code)
    paragraph.add_run(result)
    end_field(paragraph)


def begin_field(paragraph: Any, code: str) -> None:
    """Begin a field; what is written before `end_field` is what it shows."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    _mark_field(paragraph, "begin")
    instruction = OxmlElement("w:instrText")
    instruction.set(qn("xml:space"), "preserve")
    instruction.text = f" {code} "
    paragraph.add_run()._r.append(instruction)
    _mark_field(paragraph, "separate")


def end_field(paragraph: Any) -> None:
    """End a field."""
    _mark_field(paragraph, "end")


def _mark_field(paragraph: Any, kind: str) -> None:
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    mark = OxmlElement("w:fldChar")
    mark.set(qn("w:fldCharType"), kind)
    paragraph.add_run()._r.append(mark)
