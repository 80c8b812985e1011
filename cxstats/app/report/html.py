"""A report as one page of HTML that asks nothing of any other machine and runs nothing."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

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
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    from jinja2 import Environment

    from cxstats.app.report.reporting import Report

TEMPLATE = "report.html"
LARGEST_DRAWING = 400_000  # bytes of an SVG; a chart of more marks is smaller as pixels
MOST_ROWS, MOST_COLUMNS = 1_000, 1_000
OPEN_ROWS, OPEN_COLUMNS = 30, 12  # a larger table of a chapter is folded
PRINT_ROWS, PRINT_COLUMNS = 60, 16  # a larger table stays folded on paper
LONGEST_CELL = 300  # characters
LONGEST_WORD = 24  # characters; a longer one may break anywhere, so that its column is not wider
# Hebrew, Arabic and their like: kept to themselves, so that they do not turn the numbers around.
_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff"
RIGHT_TO_LEFT = re.compile(f"[{_RIGHT}][{_RIGHT}\\s]*")


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart of the page: its picture as a link that holds it, or why there is none."""

    source: str
    alt: str
    caption: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of the page."""

    anchor: str
    title: str
    table: WrittenTable
    is_open: bool
    is_printed: bool
    classes: list[Markup]


def write_html(report: Report, path: Path, lang: str) -> None:
    """Write a report as one file of HTML.

    Charts are drawings within the file (pictures, where a drawing would be too large), letters as
    outlines, so that no font is needed. The file holds no script, and a browser is told to load
    nothing. Tables are folded; on paper they are open, but for those of more than `PRINT_ROWS`
    rows or `PRINT_COLUMNS` columns. A table of more than `MOST_ROWS` rows is cut, and says so.

    Parameters
    ----------
    report : Report
    path : Path
        Where the file stands; see `cxstats.core.files.write_whole`.
    lang : {"en", "zh"}
    """
    page = _Page(report, lang)
    path.write_text(page.html(), encoding="utf-8", newline="\n")


class _Page:
    """The page while it is made: its anchors, and the number of its figures."""

    def __init__(self, report: Report, lang: str) -> None:
        self.report, self.lang = report, lang
        self.chapters = chapters(report)
        self.figures = 0
        self.anchors = {key: f"table-{i}" for i, key in enumerate(report.report_tables(), start=1)}

    def html(self) -> str:
        report, lang = self.report, self.lang
        return environment().get_template(TEMPLATE).render(
            page=self,
            advice=lambda finding: advice(finding, lang),
            basis=lambda finding: basis(finding, lang),
            lang=look.LANGUAGE_TAGS[lang],
            look=look,
            label=lambda key, **values: label(key, lang, **values),
            title=report.title(lang),
            name=report.name.get(lang),
            source=label("report.pages.source", lang, n=format_number(len(report.client.answers)),
                         file=report.client.file),
            synthetic=label("result.synthetic", lang) if report.synthetic else "",
            left_out=[(section.title(lang), why.get(lang)) for section, why in left_out(report)],
            page_of=self.page_of(),
        )  # fmt: skip

    def page_of(self) -> Markup:
        """Return the words of the page number as a value of CSS."""
        counters = [Markup(" counter(page) "), Markup(" counter(pages) "), Markup()]
        pieces = split_label("report.pages.page", self.lang, "page", "pages")
        return Markup().join(
            css_text(piece) + counter for piece, counter in zip(pieces, counters, strict=True)
        )

    def is_executive(self, chapter: Chapter) -> bool:
        return chapter.section.key == EXECUTIVE

    def chapter_of(self, finding: Finding) -> Chapter | None:
        """Return the chapter that has the whole of a finding of the executive page."""
        return next(
            (c for c in self.chapters if not self.is_executive(c)
             and any(entry.finding is finding for entry in c.entries)), None,
        )  # fmt: skip

    def figure(self, finding: Finding) -> Figure | None:
        if finding.chart is None:
            return None
        drawing: bytes | CxError = picture(finding.chart, self.lang, "svg", DPI)
        kind = "svg+xml"
        if isinstance(drawing, bytes) and len(drawing) > LARGEST_DRAWING:
            drawing, kind = picture(finding.chart, self.lang, "png", DPI), "png"
        if isinstance(drawing, CxError):
            return Figure("", "", "", label("report.pages.no_chart", self.lang, why=str(drawing)))
        self.figures += 1
        title = look.shortened(chart_title(finding, self.lang))
        headline = look.shortened(finding.headline.text(self.lang))
        return Figure(
            f"data:image/{kind};base64,{b64encode(drawing).decode()}",
            label("report.pages.alt", self.lang, title=title, headline=headline),
            label("report.pages.figure", self.lang, number=self.figures, title=title),
        )

    def grid(self, table: ReportTable, opens: bool = False) -> Grid:
        text = written(table, self.lang, MOST_ROWS, MOST_COLUMNS)
        rows, columns = text.text.shape
        return Grid(
            self.anchors[table.key],
            table.title.get(self.lang),
            text,
            opens and rows <= OPEN_ROWS and columns <= OPEN_COLUMNS,
            rows <= PRINT_ROWS and columns <= PRINT_COLUMNS,
            [_class(text, j) for j in range(columns)],
        )

    def elsewhere(self, entry: Entry) -> list[tuple[str, str]]:
        """Return anchor and title of the table that a finding shows, if it stands elsewhere."""
        table = entry.finding.table
        if table is None or table in entry.tables:
            return []
        return [(self.anchors[table.key], table.title.get(self.lang))]


def _class(table: WrittenTable, column: int) -> Markup:
    """Return how the cells of a column stand: numbers, long words, or fields to fill in."""
    cells = [row[column] for row in table.rows]
    if table.numeric[column]:
        return Markup(' class="number"')
    if table.fields[column]:
        return Markup(' class="blank"')
    longest = max((len(word) for cell in cells for word in cell.split()), default=0)
    return Markup(' class="long"') if longest > LONGEST_WORD else Markup()


def environment() -> Environment:
    """Return what fills the template; every value is escaped, and legal in a page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_legal,
    )
    made.filters |= {
        "shortened": look.shortened,
        "words": words,
        "cell": cell,
        "css_text": css_text,
    }
    return made


def _legal(value: Any) -> Any:
    return look.legal(value) if type(value) is str else value


def words(text: str) -> Markup:
    """Return text for the page, with names that run from right to left kept to themselves.

    Examples
    --------
    >>> words("a < b")
    Markup('a &lt; b')
    >>> words("\u05d0\u05d1 (5)") == "<bdi>\u05d0\u05d1 </bdi>(5)"
    True
    """
    return Markup(RIGHT_TO_LEFT.sub(lambda run: f"<bdi>{run[0]}</bdi>", escape(look.legal(text))))


def cell(text: str) -> Markup:
    """Return a cell of a table; a long one scrolls, so that its row stays low."""
    if len(text) <= LONGEST_CELL:
        return words(text)
    return Markup('<div class="whole" tabindex="0">{}</div>').format(words(text))


def css_text(text: str) -> Markup:
    r"""Return text as a string of CSS, in which nothing can end the string or the style.

    Examples
    --------
    >>> print(css_text('a "b" </style>'))
    "a \22 b\22  \3c \2f style\3e "
    """
    marks = (c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in look.legal(text))
    return Markup('"{}"').format(Markup("".join(marks)))
