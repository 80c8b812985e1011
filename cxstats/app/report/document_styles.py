"""How a report looks in Word: page, styles, header and footer, and a table as an element."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cxstats.app.report import look
from cxstats.app.report.document import (
    LONGEST_WHOLE,
    TABLE_STYLE,
    TWIPS,
    add_field,
)
from cxstats.app.report.pages import WrittenTable, split_label
from cxstats.core.language import label

if TYPE_CHECKING:
    from cxstats.app.report.reporting import Report

A4 = (210, 297)  # millimetres
MARGINS = {"top": 24, "bottom": 20, "left": 22, "right": 22}
CELL_MARGIN = 80  # twips
FILL_IN = 11  # millimetres: the height of a row with fields to fill in
# Style: size in points, bold, colour, space before and after, kept with the next paragraph.
STYLES: dict[str, tuple[float, bool, str, float, float, bool]] = {
    "Title": (24, True, look.INK, 0, 2, False),
    "Subtitle": (11, False, look.MUTED, 0, 8, False),
    "Heading 1": (17, True, look.ACCENT, 18, 6, True),
    "Heading 2": (12.5, True, look.INK, 12, 3, True),
    "TOC Heading": (17, True, look.ACCENT, 0, 6, True),
    "toc 1": (11, False, look.INK, 0, 3, False),
    "Advice": (10.5, False, look.INK, 4, 6, False),
    "Picture": (10.5, False, look.INK, 6, 2, True),
    "Caption": (9, False, look.MUTED, 6, 3, False),
    "Note": (8.5, False, look.MUTED, 3, 2, False),
    "Note List": (8.5, False, look.MUTED, 0, 1, False),
    "Table Text": (8, False, look.INK, 1, 1, False),
    "After Table": (4, False, look.INK, 0, 2, False),
    "Header": (8.5, False, look.MUTED, 0, 0, False),
    "Footer": (8.5, False, look.MUTED, 0, 0, False),
    "Synthetic": (9, True, look.WARNING, 0, 0, False),
}


def blank_document(report: Report, lang: str) -> Any:
    """Return a document without a text, with the styles, header and footer of a report."""
    from docx import Document
    from docx.shared import Mm

    file = Document()
    _properties(file, report, lang)
    _fonts(file, lang)
    for name, look_of in STYLES.items():
        _style(file, name, look_of)
    _borders(file)
    _table_style(file)
    section = file.sections[0]
    section.page_width, section.page_height = map(Mm, A4)
    for side, margin in MARGINS.items():
        setattr(section, f"{side}_margin", Mm(margin))
    _header_and_footer(section, report, lang)
    return file


def turn_across(file: Any) -> None:
    """Begin pages that lie across."""
    from docx.enum.section import WD_ORIENT, WD_SECTION
    from docx.shared import Mm

    section = file.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = map(Mm, reversed(A4))
    section.left_margin = section.right_margin = Mm(20)


def _element(tag: str, **attributes: object) -> Any:
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    element = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        element.set(qn(f"w:{name}"), str(value))
    return element


def _properties(file: Any, report: Report, lang: str) -> None:
    properties = file.core_properties
    properties.title = look.shortened(report.title(lang), 250)  # Word allows 255
    properties.subject = look.shortened(report.client.file, 250)
    properties.author = properties.last_modified_by = "cxstats"
    properties.language = look.LANGUAGE_TAGS[lang]
    properties.comments = label("result.synthetic", lang) if report.synthetic else ""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    properties.created = properties.modified = now.replace(tzinfo=None)


def _fonts(file: Any, lang: str) -> None:
    """Name the fonts of both scripts and the language in the defaults of the document."""
    from docx.oxml.ns import qn

    defaults = file.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault"))
    run = defaults.find(qn("w:rPr"))
    for tag in ("w:rFonts", "w:lang"):
        for old in run.findall(qn(tag)):
            run.remove(old)
    run.insert(0, _font_element(lang))
    latin = "en-GB" if lang == "en" else "en-US"
    run.append(_element("lang", val=latin, eastAsia="zh-CN", bidi="ar-SA"))
    for setting in file.settings.element.iter(qn("w:compatSetting")):
        if setting.get(qn("w:name")) == "compatibilityMode":
            setting.set(qn("w:val"), "15")  # of Word since 2013; below it says "Compatibility Mode"
    themes = file.settings.element.find(qn("w:themeFontLang"))
    if themes is not None:
        themes.set(qn("w:eastAsia"), "zh-CN")
    for style in file.styles.element.findall(qn("w:style")):
        for fonts in style.iter(qn("w:rFonts")):
            fonts.getparent().remove(fonts)  # theirs are of the theme, which knows no Chinese


def _font_element(lang: str) -> Any:
    names = dict.fromkeys(("ascii", "hAnsi", "cs"), look.LATIN_FONT)
    # Quotation marks and dashes belong to both scripts; in Chinese they are as wide as a letter.
    hint = {"hint": "eastAsia"} if lang == "zh" else {}
    return _element("rFonts", **hint, **names, eastAsia=look.CHINESE_FONT)


def _style(file: Any, name: str, of: tuple[float, bool, str, float, float, bool]) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    size, bold, colour, before, after, keeps = of
    if name in [style.name for style in file.styles]:
        style = file.styles[name]
    else:
        is_word_s = name == "toc 1"
        style = file.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH, builtin=is_word_s)
        style.base_style = file.styles["List Bullet" if name == "Note List" else "Normal"]
    for spaced in style.element.get_or_add_rPr().findall(qn("w:spacing")):
        spaced.getparent().remove(spaced)  # letters further apart, in titles of the template
    style.font.size, style.font.bold, style.font.italic = Pt(size), bold, False
    style.font.color.rgb = RGBColor.from_string(look.rgb(colour))
    spacing = style.paragraph_format
    spacing.space_before, spacing.space_after = Pt(before), Pt(after)
    spacing.keep_with_next = keeps
    style.quick_style = True


def _borders(file: Any) -> None:
    """Rule off the title and the advice; set the body."""
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt

    normal = file.styles["Normal"]
    normal.font.size = Pt(10.5)
    normal.paragraph_format.space_after = Pt(4)
    normal.paragraph_format.line_spacing = 1.15
    accent = {"val": "single", "color": look.rgb(look.ACCENT)}
    for name, side, width in (("Title", "bottom", 12), ("Advice", "left", 18)):
        properties = file.styles[name].element.get_or_add_pPr()
        for old in properties.findall(qn("w:pBdr")):
            properties.remove(old)
        border = _element("pBdr")
        border.append(_element(side, **accent, sz=width, space=6))
        following = properties.find(qn("w:spacing"))
        following.addprevious(border)
    file.styles["Advice"].paragraph_format.left_indent = Mm(3)
    contents = file.styles["TOC Heading"].element.get_or_add_pPr()
    for level in contents.findall(qn("w:outlineLvl")):
        contents.remove(level)
    contents.append(_element("outlineLvl", val=9))  # no chapter
    for name in ("Table Text", "After Table"):
        file.styles[name].paragraph_format.line_spacing = 1.0


def _table_style(file: Any) -> None:
    """Add the style of tables: rules between rows, a shaded head."""
    from docx.enum.style import WD_STYLE_TYPE

    style = file.styles.add_style(TABLE_STYLE, WD_STYLE_TYPE.TABLE)
    style.base_style = file.styles["Normal Table"]
    table = _element("tblPr")
    borders = _element("tblBorders")
    rule = {"val": "single", "sz": 4, "space": 0, "color": look.rgb(look.LINE)}
    for side in ("top", "bottom", "insideH"):
        borders.append(_element(side, **rule))
    table.append(borders)
    margins = _element("tblCellMar")
    for side in ("left", "right"):
        margins.append(_element(side, w=CELL_MARGIN, type="dxa"))
    table.append(margins)
    head = _element("tblStylePr", type="firstRow")
    letters = _element("rPr")
    letters.append(_element("b"))
    head.append(letters)
    cells = _element("tcPr")
    edges = _element("tcBorders")
    edges.append(_element("bottom", val="single", sz=10, space=0, color=look.rgb(look.ACCENT)))
    cells.append(edges)
    cells.append(_element("shd", val="clear", color="auto", fill=look.rgb(look.SHADE)))
    head.append(cells)
    for element in (table, head):
        style.element.append(element)


def _header_and_footer(section: Any, report: Report, lang: str) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    top = section.header.paragraphs[0]
    top.text = look.shortened(report.name.get(lang), 80)
    if report.synthetic:
        section.header.add_paragraph(label("result.synthetic", lang), "Synthetic")
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    before, between, after = split_label("report.pages.page", lang, "page", "pages")
    foot.add_run(before)
    add_field(foot, "PAGE", "1")
    foot.add_run(between)
    add_field(foot, "NUMPAGES", "1")
    foot.add_run(after)


def table_element(table: WrittenTable, columns: list[int], widths: list[float], title: str) -> Any:
    """Return columns of a table as an element of Word; its head comes again on every page."""
    grid = _element("tblGrid")
    for j in columns:
        grid.append(_element("gridCol", w=round(widths[j] * TWIPS)))
    element = _element("tbl")
    element.append(_table_properties(table, columns, widths, title))
    element.append(grid)
    element.append(_row(table, columns, widths, table.heads, is_head=True))
    for row in table.rows:
        element.append(_row(table, columns, widths, row))
    return element


def _table_properties(
    table: WrittenTable, columns: list[int], widths: list[float], title: str
) -> Any:
    properties = _element("tblPr")
    properties.append(_element("tblStyle", val=TABLE_STYLE.replace(" ", "")))
    properties.append(
        _element("tblW", w=round(sum(widths[j] for j in columns) * TWIPS), type="dxa")
    )
    properties.append(_element("tblInd", w=CELL_MARGIN, type="dxa"))
    properties.append(_element("tblLayout", type="fixed"))
    first = int(table.labels_rows)
    flags = {"firstRow": 1, "lastRow": 0, "firstColumn": first, "lastColumn": 0, "noHBand": 1}
    properties.append(_element("tblLook", val="0420" if not first else "04A0", **flags, noVBand=1))
    properties.append(_element("tblCaption", val=title))
    properties.append(_element("tblDescription", val=title))
    return properties


def _row(
    table: WrittenTable,
    columns: list[int],
    widths: list[float],
    cells: list[str] | tuple[str, ...],
    is_head: bool = False,
) -> Any:
    row, properties = _element("tr"), _element("trPr")
    if max(len(cells[j]) for j in columns) <= LONGEST_WHOLE:
        properties.append(_element("cantSplit"))
    if not is_head and any(table.fields[j] for j in columns):
        properties.append(_element("trHeight", val=round(FILL_IN * TWIPS), hRule="atLeast"))
    if is_head:
        properties.append(_element("tblHeader"))
    row.append(properties)
    for j in columns:
        cell, of_cell = _element("tc"), _element("tcPr")
        of_cell.append(_element("tcW", w=round(widths[j] * TWIPS), type="dxa"))
        if is_head:
            of_cell.append(_element("vAlign", val="bottom"))
        cell.append(of_cell)
        cell.append(_cell_paragraph(cells[j], table.numeric[j], is_head))
        row.append(cell)
    return row


def _cell_paragraph(text: str, numeric: bool, is_head: bool) -> Any:
    from docx.oxml.ns import qn

    paragraph, properties = _element("p"), _element("pPr")
    properties.append(_element("pStyle", val="TableText"))
    if numeric:
        properties.append(_element("jc", val="right"))
    paragraph.append(properties)
    if text:
        run, words = _element("r"), _element("t")
        if is_head:  # the style's bold is not every program's
            letters = _element("rPr")
            letters.append(_element("b"))
            run.append(letters)
        words.text = look.legal(text)
        words.set(qn("xml:space"), "preserve")
        run.append(words)
        paragraph.append(run)
    return paragraph
