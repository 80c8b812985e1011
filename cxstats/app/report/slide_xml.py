"""What python-pptx has no call for: written into the XML of shapes, cells and slides."""

from __future__ import annotations

from typing import Any

from cxstats.app.report.look import LINE, rgb, shortened

LONGEST_ALT = 1_000  # characters of an alternative text


def colour_of(colour: str) -> Any:
    """Return a colour as python-pptx takes it."""
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(rgb(colour))


def describe(shape: Any, text: str) -> None:
    """Give a picture, chart or table the words that stand for it."""
    properties = shape._element.xpath(".//p:cNvPr")[0]
    properties.set("descr", shortened(text, LONGEST_ALT))


def add_bullet(paragraph: Any) -> None:
    """Begin a paragraph with a dot, and let its other lines stand beside it."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls

    properties = paragraph._p.get_or_add_pPr()
    properties.set("marL", str(round(0.2 * 914_400)))
    properties.set("indent", str(-round(0.2 * 914_400)))
    properties.append(parse_xml(f'<a:buFont {nsdecls("a")} typeface="Arial"/>'))
    properties.append(parse_xml(f'<a:buChar {nsdecls("a")} char="•"/>'))


def take_style_away(table: Any) -> None:
    """Take the style of a table away: neither bands nor lines but ours."""
    properties = table._tbl.tblPr
    for child in list(properties):
        properties.remove(child)
    for name in ("bandRow", "firstRow"):
        properties.attrib.pop(name, None)
    properties.set("firstRow", "1")  # a reader of the screen calls it the head
    style = properties.makeelement(
        "{http://schemas.openxmlformats.org/drawingml/2006/main}tableStyleId", {}
    )
    style.text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # no style, no grid
    properties.append(style)


def add_rule_below(cell: Any) -> None:
    """Draw a thin line below a cell."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls

    rule = parse_xml(
        f'<a:lnB {nsdecls("a")} w="9525"><a:solidFill><a:srgbClr val="{rgb(LINE)}"/></a:solidFill>'
        "</a:lnB>"
    )
    cell._tc.get_or_add_tcPr().insert(0, rule)


def add_slide_number(slide: Any) -> None:
    """Add the number of a slide where its layout has a place for it."""
    from copy import deepcopy

    for shape in slide.slide_layout.placeholders:
        if shape._element.ph.get("type") == "sldNum":
            number = deepcopy(shape._element)
            taken = [int(i) for i in slide.shapes._spTree.xpath(".//p:cNvPr/@id")]
            number.xpath(".//p:cNvPr")[0].set("id", str(max(taken) + 1))
            slide.shapes._spTree.append(number)
