"""A report as PowerPoint slides: a finding a slide, its headline the title, charts to edit."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxstats.app.report.content import Cell, Finding, ReportChart, ReportTable, Section
from cxstats.app.report.fitted_text import (
    FONTS,
    MARGIN_X,
    MARGIN_Y,
    FittedTable,
    cut_to_lines,
    fit_table,
    fit_text,
    lines_of,
)
from cxstats.app.report.look import (
    ACCENT,
    CHINESE_FONT,
    INK,
    LANGUAGE_TAGS,
    LATIN_FONT,
    MUTED,
    PAPER,
    SHADE,
    WARNING,
    legal,
    shortened,
)
from cxstats.app.report.native_charts import category_names, chart_description, drawn_rows
from cxstats.app.report.slide_xml import (
    add_bullet,
    add_rule_below,
    add_slide_number,
    colour_of,
    describe,
    take_style_away,
)
from cxstats.charts.measured_text import inches, line_height
from cxstats.core.display import numeric_heads
from cxstats.core.language import Text, label

if TYPE_CHECKING:
    from cxstats.app.report.reporting import Report
    from cxstats.app.report.slide_templates import Area

TITLE_SIZES = (28, 26, 24, 22, 20, 18, 16, 14)
TEXT_SIZES = (16, 14, 13, 12, 11)
TABLE_SIZES = (16, 14, 13, 12, 11, 10)
SMALL_TABLE_SIZES = (12, 11, 10, 9)
SMALL_TABLE = 8  # rows of a table that stands beside its chart
MOST_PAGES = 3  # slides of a table; the workbook has all of it
ACCOUNTS = ("quality", "method", "provenance")  # chapters that say how it was done
MOST_ROWS = 100  # that are measured: more than MOST_PAGES slides can have
NOTE_ROWS, LONGEST_NOTE = 60, 20_000  # of a table, and characters, in the notes of a slide
INSET = 0.1  # inches that a box keeps between its edge and its text
CAPTION, TABLE_GAP = 0.4, 0.25  # inches above and below a table that shares its slide
VERDICTS = {"met": ACCENT, "missed": WARNING}


def write_slides(
    report: Report, path: Path, lang: str, template: str | os.PathLike[str] | None = None
) -> None:
    """Write a report as ``.pptx``.

    A finding is a slide: its headline is the title, beside its chart stand the details and a small
    table; its notes hold n, method, what to know, and all that was cut. What PowerPoint can draw is
    a chart of its own, with the numbers of the table behind it; other charts are pictures.

    Parameters
    ----------
    report : Report
    path : Path
    lang : {"en", "zh"}
    template : path, optional
        The client's own ``.pptx``. Its masters, layouts and fonts stay, its slides go.

    Raises
    ------
    DataError
        If the template cannot be used.
    OSError
        If the file cannot be written.
    """
    from cxstats.app.report.slide_templates import client_template, house_template

    look = house_template() if template is None else client_template(Path(template))
    deck = _Deck(report, lang, look)
    deck.fill()
    archive = BytesIO()  # a disk that is full leaves no half a file open
    look.presentation.save(archive)
    path.write_bytes(archive.getvalue())


class _Deck:
    """Puts the chapters of a report on slides."""

    def __init__(self, report: Report, lang: str, look: Any) -> None:
        self.report, self.lang, self.look = report, lang, look
        self.slides = look.presentation.slides

    def fill(self) -> None:
        """Add every slide."""
        properties = self.look.presentation.core_properties
        properties.title = shortened(self.report.title(self.lang), 200)
        properties.author, properties.language = "cxstats", LANGUAGE_TAGS[self.lang]
        self._first()
        sections = self.report.sections
        for section in sections:
            if section.key == "decide":
                self._decide(section)
            elif section.key not in ACCOUNTS:
                self._chapter(section)
        self._absent([s for s in sections if s.key != "decide"])
        for section in sections:
            if section.key in ACCOUNTS:
                self._chapter(section)
        notes = [note.get(self.lang) for note in self.report.notes]
        self._texts(label("report.office.notes", self.lang), notes)

    # Slides

    def _first(self) -> None:
        slide = self.slides.add_slide(self.look.first)
        client = self.report.client
        title = slide.shapes.title
        whole = self.report.title(self.lang)
        is_cut = self._write_title(title, whole, (40, 36, 32, *TITLE_SIZES))
        n = f"{len(client.answers):,}"
        name = self.report.name.get(self.lang)
        lines = [label("report.head", self.lang, name=name, file=client.file, n=n)]
        if self.report.synthetic:
            lines.append(label("result.synthetic", self.lang))
        others = [s for s in slide.placeholders if s.shape_id != title.shape_id]
        subtitle = next(
            (s for s in others if s._element.ph.get("type") in ("subTitle", "body")), None
        )
        for other in others:
            if other is not subtitle:
                other._element.getparent().remove(other._element)
        if subtitle is None or subtitle.width is None:
            area = self.look.content
            self._box(slide, area, lines, TEXT_SIZES)
        else:
            width, height = subtitle.width / 914_400, subtitle.height / 914_400
            fitted = fit_text(lines, width - 0.3, height - 0.2, (20, 18, *TEXT_SIZES))
            self._fill(subtitle.text_frame, fitted.paragraphs, fitted.size)
            if self.report.synthetic:
                self._colour_last(subtitle.text_frame, WARNING)
        self._notes(slide, [whole, *lines] if is_cut else lines)
        self._foot(slide, "")

    def _page(self, title: str, notes: Sequence[str] = (), method: str = "") -> Any:
        """Add a slide with a title, its line of source and method, its number, and notes."""
        slide = self.slides.add_slide(self.look.page)
        heading = slide.shapes.title
        for shape in list(slide.placeholders):
            if shape.shape_id != heading.shape_id:
                shape._element.getparent().remove(shape._element)
        is_cut = self._write_title(heading, title, TITLE_SIZES)
        self._notes(slide, [title, *notes] if is_cut else notes)
        source = label("report.office.source", self.lang, file=self.report.client.file)
        self._foot(slide, " · ".join(filter(None, (source, method))))
        return slide

    def _decide(self, section: Section) -> None:
        lang, area = self.lang, self.look.content
        lines = [finding.headline.text(lang) for finding in section.findings]
        advice = [f.advice.text(lang) if f.advice else "" for f in section.findings]
        notes = [part for pair in zip(lines, advice, strict=True) for part in pair if part]
        slide = self._page(section.title(lang), notes)
        if not lines:
            self._box(slide, area, [reason.get(lang) for reason in section.absent], TEXT_SIZES)
            return
        tall = min(area.height / len(lines), 1.75)
        for place, (headline, step) in enumerate(zip(lines, advice, strict=True)):
            row = area.below(place * tall).first(tall - 0.2)
            self._card(slide, row, place + 1, headline, step)

    def _card(self, slide: Any, row: Area, number: int, headline: str, advice: str) -> None:
        """Add a finding to decide on: its number, its headline, and what to do."""
        card = slide.shapes.add_textbox(*row.emu())
        card.fill.solid()
        card.fill.fore_color.rgb = colour_of(SHADE)
        bar = slide.shapes.add_textbox(*replace(row, width=0.75).emu())
        self._theme_fill(bar)
        self._fill(bar.text_frame, [str(number)], 28, bold=True, colour=PAPER, centred=True)
        text = replace(row, left=row.left + 0.9, width=row.width - 1.1)
        head = 0.58 if advice else 1.0
        space = text.height * head - INSET
        wide = text.width - 2 * INSET
        upper = fit_text([headline], wide, space, (20, 18, *TEXT_SIZES), bold=True)
        lower = fit_text([advice], wide, text.height - INSET - upper.height - 0.12, TEXT_SIZES)
        box = slide.shapes.add_textbox(*text.emu())
        frame = box.text_frame
        self._fill(frame, upper.paragraphs, upper.size, bold=True, middle=True)
        if advice:
            self._fill(frame, lower.paragraphs, lower.size, more=True, middle=True)

    def _chapter(self, section: Section) -> None:
        """Add the slides of a chapter: its sentences and tables, then a finding a slide."""
        sentences = [sentence.text(self.lang) for sentence in section.sentences]
        title = section.title(self.lang)
        if len(section.tables) == 1:
            self._table_pages(title, section.tables[0], sentences)
        else:
            self._texts(title, sentences)
            self._many_tables(section)
        for finding in section.findings:
            self._finding(finding)

    def _many_tables(self, section: Section) -> None:
        """Add the tables of a chapter: small ones share a slide, large ones have their own."""
        title, groups = section.title(self.lang), self._groups(section.tables)
        shared = [group for group in groups if len(group[0].frame) <= SMALL_TABLE]
        number = 0
        for group in groups:
            if group not in shared:
                self._table_pages(self._titled(section, group[0]), group[0], ())
                continue
            number += 1
            notes: list[str] = []
            for table in group:
                notes += [table.title.get(self.lang), *self._written_rows(table)]
            slide = self._page(self._numbered(title, number, len(shared)), notes)
            area = self.look.content
            for table in group:
                caption = [table.title.get(self.lang)]
                self._box(slide, area.first(CAPTION), caption, (14, 12, 11), ACCENT)
                area = area.below(CAPTION)
                fitted = self._fit(self._rows(table, table.written(self.lang)), area.width)
                area = area.below(self._draw_table(slide, fitted, area, table) + TABLE_GAP)

    def _groups(self, tables: Iterable[ReportTable]) -> list[list[ReportTable]]:
        """Return the tables of each slide."""
        groups: list[list[ReportTable]] = []
        room = 0.0
        for table in tables:
            tall = self.look.content.height
            if len(table.frame) <= SMALL_TABLE:
                fitted = self._fit(
                    self._rows(table, table.written(self.lang)), self.look.content.width
                )
                tall = CAPTION + sum(fitted.heights) + TABLE_GAP
            if tall > room:
                groups.append([])
                room = self.look.content.height
            groups[-1].append(table)
            room -= tall
        return groups

    def _titled(self, section: Section, table: ReportTable) -> str:
        chapter, title = section.title(self.lang), table.title.get(self.lang)
        if chapter == title:
            return title
        return label("export.caption", self.lang, title=chapter, name=title)

    def _finding(self, finding: Finding) -> None:
        lang, area = self.lang, self.look.content
        slide = self._page(finding.headline.text(lang), method=finding.method.get(lang))
        details = [sentence.text(lang) for sentence in finding.details]
        advice = "" if finding.advice is None else finding.advice.text(lang)
        if advice:
            details.append(label("report.office.note.advice", lang, text=advice))
        grid = self._small_table(finding)
        notes = self._finding_notes(finding, details)
        chart = finding.chart
        if chart is None:
            upper = self._number(slide, finding, area)
            area = area.below(upper)
            table = finding.table
            if table is not None:
                grid = grid or self._rows(table, table.written(lang).iloc[:MOST_ROWS])
                fitted = self._fit(grid, area.width)
                fit, tall = self._rows_in(fitted, area.height * (0.7 if details else 0.9))
                self._draw_table(slide, fitted, area, table, fit)
                area = area.below(tall)
                area = area.below(self._more(slide, area, table, len(table.frame) - len(fit)) + 0.2)
            self._bullets(slide, area, details)
        elif chart.native is not None and len(drawn_rows(chart.native)) == 1:
            upper = area.first(min(2.4, 0.5 * area.height))
            self._chart(slide, chart, upper, finding)
            area = area.below(upper.height + 0.2)
            if grid is not None:
                fitted = self._fit(grid, area.width)
                area = area.below(self._draw_table(slide, fitted, area, finding.table) + 0.25)
            self._bullets(slide, area, details)
        else:
            beside = details or grid is not None
            left, right = area.split(0.6 if area.width > 10 else 0.54) if beside else (area, area)
            self._chart(slide, chart, left, finding)
            if grid is not None:
                fitted = self._fit(grid, right.width, SMALL_TABLE_SIZES)
                room = right if not details else right.first(right.height * 0.65)
                right = right.below(self._draw_table(slide, fitted, room, finding.table) + 0.25)
            self._bullets(slide, right, details)
        self._notes(slide, notes)  # they hold whatever was cut

    def _number(self, slide: Any, finding: Finding, area: Area) -> float:
        """Write the number of a finding large, with its interval; return the height."""
        values = finding.headline.values
        cells = [values.get(name) for name in ("estimate", "low", "high")]
        estimate, low, high = (c.write(self.lang) if isinstance(c, Cell) else "" for c in cells)
        if not estimate:
            return 0.0
        tall = min(1.5, 0.35 * area.height)
        box = slide.shapes.add_textbox(*area.first(tall).emu())
        self._fill(box.text_frame, [estimate], 54 if tall > 1.3 else 32, bold=True, colour=ACCENT)
        if low and high:
            text = label("report.office.interval", self.lang, low=low, high=high)
            self._fill(box.text_frame, [text], 14, more=True, colour=MUTED)
        return tall + 0.1

    def _texts(self, title: str, paragraphs: Sequence[str]) -> None:
        """Add slides of text, as many as it needs."""
        area, size = self.look.content, 16
        width = area.width - 2 * INSET - 0.25
        pages: list[list[str]] = []
        used = area.height + 1.0
        for paragraph in filter(None, map(legal, paragraphs)):
            room = int((area.height - 2 * INSET) / line_height(size))
            text = cut_to_lines(paragraph[:4_000], room, width, size)
            tall = line_height(size, lines_of(text, width, size)) + 0.4 * size / 72
            if used + tall > area.height - 2 * INSET and (not pages or pages[-1]):
                pages.append([])
                used = 0.0
            pages[-1].append(text)
            used += tall
        for number, texts in enumerate(pages, start=1):
            slide = self._page(self._numbered(title, number, len(pages)), paragraphs)
            self._bullets(slide, area, texts)

    def _numbered(self, title: str, page: int, pages: int) -> str:
        if pages == 1:
            return title
        return label("report.office.continued", self.lang, title=title, page=page, pages=pages)

    def _absent(self, sections: Iterable[Section]) -> None:
        """Say what the file does not allow, chapter by chapter."""
        between = {"en": ": ", "zh": "："}[self.lang]
        reasons = [
            f"{section.title(self.lang)}{between}{reason.get(self.lang)}"
            for section in sections
            for reason in section.absent
        ]
        self._texts(label("report.office.absent", self.lang), reasons)

    def _table_pages(self, title: str, table: ReportTable, sentences: Sequence[str]) -> None:
        """Add slides of a table; sentences stand below where they fit, else on slides of theirs."""
        area = self.look.content
        written = table.written(self.lang)
        fitted = self._fit(self._rows(table, written.iloc[:MOST_ROWS]), area.width, roomy=True)
        all_pages = fitted.pages(area.height - 0.35)
        pages = all_pages[:MOST_PAGES]
        left = len(written) - sum(map(len, pages))
        notes = [table.title.get(self.lang), *self._written_rows(table)]
        for number, rows in enumerate(pages, start=1):
            slide = self._page(self._numbered(title, number, len(pages)), notes)
            tall = self._draw_table(slide, fitted, area, table, rows)
            rest = area.below(tall + 0.2)
            if number < len(pages):
                continue
            self._more(slide, area.below(tall), table, left)
            if sentences:
                fits = fit_text(sentences, rest.width - 0.45, rest.height - 0.2, TEXT_SIZES)
                if left or fits.is_cut:
                    self._texts(title, sentences)
                else:
                    self._bullets(slide, rest, list(sentences))

    def _rows_in(self, fitted: FittedTable, height: float) -> tuple[range, float]:
        """Return the first rows of a table that fit a height, and how high they are with heads."""
        rows = fitted.pages(height)[0]
        return rows, fitted.heights[0] + sum(fitted.heights[row] for row in rows)

    def _more(self, slide: Any, area: Area, table: ReportTable, n_rows: int) -> float:
        """Say below a table how many more rows there are; return the height of the line."""
        if not n_rows:
            return 0.0
        n, name = f"{n_rows:,}", shortened(table.title.get(self.lang))
        line = label("report.office.more_rows", self.lang, n=n, name=name)
        self._box(slide, area.first(0.35), [line], (11, 10), MUTED)
        return 0.35

    # What stands on a slide

    def _chart(self, slide: Any, chart: ReportChart, area: Area, finding: Finding) -> None:
        headline = finding.headline.text(self.lang)
        if chart.native is None:
            self._picture(slide, chart, area, headline)
            return
        from cxstats.app.report.slide_charts import add_chart

        words = {_word(value, self.lang) for value in finding.headline.values.values()}
        emphasis = frozenset(words & set(category_names(chart.native, self.lang)))
        shape = add_chart(
            slide.shapes, chart.native, area.emu(), self.lang, emphasis, self.look.is_house
        )
        describe(shape, chart_description(chart.native, headline, self.lang))

    def _picture(self, slide: Any, chart: ReportChart, area: Area, headline: str) -> None:
        picture = slide.shapes.add_picture(BytesIO(chart.picture(self.lang)), *area.emu()[:2])
        scale = min(area.width * 914_400 / picture.width, area.height * 914_400 / picture.height)
        picture.width, picture.height = int(picture.width * scale), int(picture.height * scale)
        picture.left = round(area.left * 914_400 + (area.width * 914_400 - picture.width) / 2)
        values = " ".join(line.strip() for line in chart.result.findings(self.lang))
        describe(
            picture, label("report.office.alt.picture", self.lang, title=headline, values=values)
        )

    def _bullets(self, slide: Any, area: Area, paragraphs: Sequence[str]) -> None:
        """Write paragraphs with bullets, where there is room; the notes have them in any case."""
        if not paragraphs or area.height < 0.4:
            return
        fitted = fit_text(
            paragraphs,
            area.width - 2 * INSET - 0.25,
            area.height - 2 * INSET,
            TEXT_SIZES,
        )
        box = slide.shapes.add_textbox(*area.first(fitted.height + 2 * INSET + 0.05).emu())
        self._fill(box.text_frame, fitted.paragraphs, fitted.size, bullets=True)

    def _box(
        self,
        slide: Any,
        area: Area,
        paragraphs: Sequence[str],
        sizes: Sequence[float],
        colour: str = INK,
    ) -> None:
        fitted = fit_text(
            paragraphs, area.width - 2 * INSET, area.height - INSET, sizes
        )  # fmt: skip
        box = slide.shapes.add_textbox(*area.emu())
        self._fill(box.text_frame, fitted.paragraphs, fitted.size, colour=colour)

    def _rows(self, table: ReportTable, written: Any) -> tuple[list[list[str]], list[bool]]:
        rows = [
            list(map(str, written.columns)),
            *map(list, written.itertuples(index=False, name=None)),
        ]
        return rows, numeric_heads(written)

    def _small_table(self, finding: Finding) -> tuple[list[list[str]], list[bool]] | None:
        """Return the table beside a chart: names, numbers, intervals, n; None where it is large."""
        native = finding.chart.native if finding.chart is not None else None
        table = finding.table if native is None else native.table
        rows = 0 if table is None else len(table.frame if native is None else drawn_rows(native))
        if table is None or rows > SMALL_TABLE:
            return None
        frame = table.translated(self.lang)
        columns = list(frame.columns)
        if native is not None:
            wanted = [native.names, *native.values, native.low, native.high, "ci_low", "ci_high"]
            if "n" in columns:
                wanted.append("n")
            columns = [c for c in dict.fromkeys(filter(None, wanted)) if c in columns]
            if native.rows is not None:
                frame = frame.iloc[list(native.rows)]
        shares = tuple(column for column in table.percent if column in columns)
        short = replace(table, frame=frame[columns], codes={}, result=None, percent=shares)
        return self._rows(short, short.written(self.lang))

    def _fit(
        self,
        grid: tuple[list[list[str]], list[bool]],
        width: float,
        sizes: Sequence[float] = TABLE_SIZES,
        roomy: bool = False,
    ) -> FittedTable:
        return fit_table(*grid, width, sizes, roomy)

    def _draw_table(
        self,
        slide: Any,
        fitted: FittedTable,
        area: Area,
        table: ReportTable | None,
        rows: Iterable[int] | None = None,
    ) -> float:
        """Add a table, as many rows of it as fit; return its height."""
        numbers = [0]
        used = fitted.heights[0]
        for row in range(1, len(fitted.rows)) if rows is None else rows:
            used += fitted.heights[row]
            if used > area.height and len(numbers) > 1:
                used -= fitted.heights[row]
                break
            numbers.append(row)
        place = replace(area, width=sum(fitted.widths), height=used).emu()
        frame = slide.shapes.add_table(len(numbers), len(fitted.widths), *place)
        grid = frame.table
        take_style_away(grid)
        for column, width in zip(grid.columns, fitted.widths, strict=True):
            column.width = round(914_400 * width)
        for i, number in enumerate(numbers):
            grid.rows[i].height = round(914_400 * fitted.heights[number])
            for j, text in enumerate(fitted.rows[number]):
                self._cell(grid.cell(i, j), text, fitted, i == 0, fitted.numeric[j])
        if table is not None:
            self._verdicts(grid, table, numbers)
            title = table.title.get(self.lang)
            values = "; ".join(" · ".join(fitted.rows[number]) for number in numbers)
            describe(frame, label("report.office.alt.table", self.lang, title=title,
                                   rows=len(numbers) - 1, values=values))  # fmt: skip
        return used

    def _verdicts(self, grid: Any, table: ReportTable, numbers: Sequence[int]) -> None:
        """Colour what met its target, and what missed it; the words say it too."""
        columns = list(table.written(self.lang).columns)
        if "verdict" not in table.frame or "verdict" not in table.codes:
            return
        j = columns.index(table.head("verdict", self.lang))
        for i, number in enumerate(numbers[1:], start=1):
            colour = VERDICTS.get(table.frame["verdict"].iloc[number - 1])
            if colour and j < len(grid.columns):
                for run in grid.cell(i, j).text_frame.paragraphs[0].runs:
                    run.font.color.rgb, run.font.bold = colour_of(colour), True

    def _cell(
        self, cell: Any, text: str, fitted: FittedTable, is_head: bool, numeric: bool
    ) -> None:
        from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
        from pptx.util import Inches

        cell.margin_left = cell.margin_right = Inches(MARGIN_X)
        cell.margin_top = cell.margin_bottom = Inches(MARGIN_Y)
        cell.vertical_anchor = MSO_ANCHOR.MIDDLE
        if is_head:
            cell.fill.solid()
            cell.fill.fore_color.rgb = colour_of(SHADE)
        else:
            cell.fill.background()
        add_rule_below(cell)
        paragraph = cell.text_frame.paragraphs[0]
        paragraph.alignment = PP_ALIGN.RIGHT if numeric else PP_ALIGN.LEFT
        self._run(paragraph, text, fitted.size, is_head, INK)
        # An empty cell is as high as the type at its end, which would else be large.
        end = paragraph._p.get_or_add_endParaRPr()
        end.set("sz", str(round(100 * fitted.size)))

    # Texts

    def _write_title(self, shape: Any, text: str, sizes: Sequence[float]) -> bool:
        """Write a title in the type that fits its place; return whether it was cut."""
        width, height = shape.width / 914_400 - 2 * INSET, shape.height / 914_400 - INSET
        usual = [
            size for size in sizes if size <= self.look.title_size or sizes[0] > TITLE_SIZES[0]
        ]
        fitted = fit_text([text], width, height, usual or (14,), bold=True)
        frame = shape.text_frame
        frame.word_wrap = True
        paragraph = frame.paragraphs[0]
        self._run(paragraph, " ".join(fitted.paragraphs), fitted.size, self.look.is_house, None)
        return fitted.is_cut

    def _fill(  # noqa: PLR0913  (how a text looks)
        self,
        frame: Any,
        paragraphs: Iterable[str],
        size: float,
        *,
        bold: bool = False,
        colour: str = INK,
        bullets: bool = False,
        more: bool = False,
        centred: bool = False,
        middle: bool = False,
    ) -> None:
        """Write paragraphs into a box; with `more`, below what stands there."""
        from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE, PP_ALIGN
        from pptx.util import Pt

        frame.word_wrap = True
        frame.auto_size = MSO_AUTO_SIZE.NONE
        if centred or middle:
            frame.vertical_anchor = MSO_ANCHOR.MIDDLE
        for place, text in enumerate(paragraphs):
            first = place == 0 and not more
            paragraph = frame.paragraphs[0] if first else frame.add_paragraph()
            if centred:
                paragraph.alignment = PP_ALIGN.CENTER
            if bullets:
                add_bullet(paragraph)
            if not first:
                paragraph.space_before = Pt(0.35 * size)
            self._run(paragraph, text, size, bold, colour)

    def _run(self, paragraph: Any, text: str, size: float, bold: bool, colour: str | None) -> None:
        from pptx.oxml import parse_xml
        from pptx.oxml.ns import nsdecls
        from pptx.util import Pt

        run = paragraph.add_run()
        run.text = legal(text)
        run.font.size = Pt(size)
        if bold:
            run.font.bold = True
        if colour is not None:
            run.font.color.rgb = colour_of(colour)
        properties = run._r.get_or_add_rPr()
        properties.set("lang", LANGUAGE_TAGS[self.lang])
        if self.look.is_house:
            run.font.name = LATIN_FONT
        if self.look.is_house or self.lang == "zh":
            properties.append(parse_xml(f'<a:ea {nsdecls("a")} typeface="{CHINESE_FONT}"/>'))

    def _colour_last(self, frame: Any, colour: str) -> None:
        for run in frame.paragraphs[-1].runs:
            run.font.color.rgb = colour_of(colour)
            run.font.bold = True

    def _theme_fill(self, shape: Any) -> None:
        from pptx.enum.dml import MSO_THEME_COLOR

        shape.fill.solid()
        shape.fill.fore_color.theme_color = MSO_THEME_COLOR.ACCENT_1

    def _foot(self, slide: Any, source: str) -> None:
        """Write the source, and the mark of synthetic data, and number the slide."""
        area = self.look.foot
        mark = label("result.synthetic", self.lang) if self.report.synthetic else ""
        size = 10
        space = area.width - 2 * INSET - (inches(f"{mark}   ", size, FONTS, True) if mark else 0)
        line = cut_to_lines(legal(source), 1, max(space, 0.5), size) if source else ""
        if line or mark:
            box = slide.shapes.add_textbox(*area.emu())
            frame = box.text_frame
            frame.word_wrap = True
            frame.margin_top = frame.margin_bottom = 0
            paragraph = frame.paragraphs[0]
            if mark:
                self._run(paragraph, f"{mark}   ", size, True, WARNING)
            if line:
                self._run(paragraph, line, size, False, MUTED)
        add_slide_number(slide)

    # Notes

    def _notes(self, slide: Any, lines: Iterable[str]) -> None:
        text = "\n".join(map(legal, filter(None, lines)))
        if text:
            slide.notes_slide.notes_text_frame.text = text[:LONGEST_NOTE]

    def _finding_notes(self, finding: Finding, details: Sequence[str]) -> list[str]:
        """Return what a speaker must know: all of the finding, its n, method and caveats."""
        lang = self.lang

        def note(key: str, text: str) -> list[str]:
            return [label(f"report.office.note.{key}", lang, text=text)] if text else []

        lines = [*note("finding", finding.headline.text(lang)), *details]
        lines += [label("report.office.answers", lang, n=n) for n in self._answers(finding)]
        lines += note("method", finding.method.get(lang))
        lines += [line for text in finding.caveats for line in note("caveat", text.get(lang))]
        if finding.table is not None:
            lines += note("table", finding.table.title.get(lang))
            lines += self._written_rows(finding.table)
        return lines

    def _answers(self, finding: Finding) -> list[str]:
        """Return how many answers a finding rests on, in all or for each row of its chart."""
        if finding.n is not None:
            return [finding.n.write(self.lang)]
        native = finding.chart.native if finding.chart is not None else None
        if native is None or "n" not in native.table.frame:
            return []
        names = category_names(native, self.lang)
        numbers = drawn_rows(native)["n"]
        pairs = [
            label("report.office.answers.of", self.lang, name=name, n=f"{n:,.0f}")
            for name, n in zip(names, numbers, strict=True)
            if isfinite(n)
        ]
        return ["; ".join(pairs)]

    def _written_rows(self, table: ReportTable) -> list[str]:
        """Return a table as lines of text, so that what a slide cuts is not lost."""
        written = table.written(self.lang)
        heads = list(map(str, written.columns))[:NOTE_ROWS]
        rows = written.iloc[:NOTE_ROWS, :NOTE_ROWS].itertuples(index=False, name=None)
        return [" | ".join(heads), *(" | ".join(map(str, row)) for row in rows)]


def _word(value: Any, lang: str) -> str:
    if isinstance(value, Text):
        return value.get(lang)
    return value if isinstance(value, str) else ""
