"""Where slides get their look: a plain one of ours, or the client's own ``.pptx``."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from cxstats.app.report.look import ACCENT, CHINESE_FONT, INK, LATIN_FONT, SEQUENCE, rgb
from cxstats.core.errors import DataError
from cxstats.core.files import read_bytes
from cxstats.core.messages import excerpt

EMU = 914_400  # of an inch
LARGEST, UNPACKED = 100_000_000, 400_000_000  # bytes of a template
SMALL, MOST_TIMES = 1_000_000, 200  # a larger part may unpack to so many times its size
MOST_PARTS = 5_000
ACTIVE = re.compile(
    r"vbaProject|activeX|macroEnabled|/embeddings/.*\.(?:exe|js|vbs)$", re.IGNORECASE
)
EXTERNAL = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*\bTargetMode\s*=\s*[\"']External[\"'][^>]*>")
TARGET = re.compile(rb"\bTarget\s*=\s*[\"']([^\"']*)[\"']")
NARROWEST, LOWEST = 5.0, 2.4  # inches that the content of a slide needs
HOUSE_WIDTH, HOUSE_HEIGHT = 13.333, 7.5
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"


@dataclass(frozen=True)
class Area:
    """A place on a slide, in inches."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.top + self.height

    def emu(self) -> tuple[int, int, int, int]:
        """Return left, top, width and height in the unit of Office."""
        left, top, width, height = (
            round(EMU * side) for side in (self.left, self.top, self.width, self.height)
        )
        return left, top, width, height

    def split(self, share: float, gap: float = 0.3) -> tuple[Area, Area]:
        """Return the left part, of a share of the width, and the right one."""
        left = (self.width - gap) * share
        beside = Area(self.left + left + gap, self.top, self.width - gap - left, self.height)
        return Area(self.left, self.top, left, self.height), beside

    def below(self, height: float) -> Area:
        """Return what is left below a height."""
        return Area(self.left, self.top + height, self.width, max(self.height - height, 0.0))

    def first(self, height: float) -> Area:
        """Return the upper part."""
        return Area(self.left, self.top, self.width, min(height, self.height))


@dataclass(frozen=True)
class Template:
    """A presentation without slides, and where things stand on them.

    Attributes
    ----------
    presentation : pptx.Presentation
    first, page : SlideLayout
        Of the first slide, and of all others.
    title, content, foot : Area
        Of a page: its title, what it shows, the line of source and mark below.
    title_size : float
        Largest type of a title, in points.
    is_house : bool
        Whether it is ours; a client's template keeps its fonts.
    """

    presentation: Any
    first: Any
    page: Any
    title: Area
    content: Area
    foot: Area
    title_size: float
    is_house: bool


def house_template() -> Template:
    """Return our own look: 16:9, white, headlines at the left."""
    from pptx import Presentation

    presentation: Any = Presentation()
    presentation.slide_width, presentation.slide_height = (
        round(EMU * HOUSE_WIDTH), round(EMU * HOUSE_HEIGHT),
    )  # fmt: skip
    first, page = presentation.slide_layouts[0], presentation.slide_layouts[5]
    for layout in list(presentation.slide_layouts):
        if layout not in (first, page):
            presentation.slide_layouts.remove(layout)
    title = Area(0.6, 0.62, 12.13, 1.0)
    content = Area(0.6, 1.75, 12.13, 5.05)
    foot = Area(0.6, 6.95, 11.0, 0.32)
    places = {"title": title, "body": content, "dt": Area(9.6, 6.95, 1.0, 0.32),
              "ftr": Area(0.6, 6.95, 8.0, 0.32),
              "sldNum": Area(11.73, 6.95, 1.0, 0.32)}  # fmt: skip
    master = presentation.slide_master
    for shape in master.placeholders:
        _place(shape, places[shape._element.ph.get("type")])
    for shape in first.placeholders:
        kind = shape._element.ph.get("type")
        if kind == "ctrTitle":
            _place(shape, Area(0.9, 2.1, 11.5, 1.6))
        elif kind == "subTitle":
            _place(shape, Area(0.9, 3.9, 11.5, 1.5))
    _dress(presentation, master)
    return Template(presentation, first, page, title, content, foot, 26, True)


def _place(shape: Any, area: Area) -> None:
    shape.left, shape.top, shape.width, shape.height = area.emu()


def _dress(presentation: Any, master: Any) -> None:
    """Set fonts, colours and alignment of our own look."""
    from pptx.oxml import parse_xml

    _set_theme(master)
    style = master._element.find(f".//{P}titleStyle/{A}lvl1pPr")
    style.set("algn", "l")
    style.find(f"{A}defRPr").set("sz", "2600")
    style.find(f"{A}defRPr").set("b", "1")
    for layout in [master, *presentation.slide_layouts]:
        for shape in layout.placeholders:
            kind = shape._element.ph.get("type")
            if kind in ("title", "ctrTitle"):
                shape._element.txBody.bodyPr.set("anchor", "b" if kind == "ctrTitle" else "t")
            for level in shape._element.iter(f"{A}lvl1pPr") if kind == "subTitle" else ():
                level.set("algn", "l")
    for properties in master._element.iter(f"{A}defRPr"):
        if properties.get("sz") == "1200":  # of date, footer and number
            properties.set("sz", "1000")
    band = (
        f'<p:sp xmlns:p="{P[1:-1]}" xmlns:a="{A[1:-1]}"><p:nvSpPr><p:cNvPr id="90" name="Band"/>'
        '<p:cNvSpPr/><p:nvPr userDrawn="1"/></p:nvSpPr><p:spPr><a:xfrm><a:off x="0" y="0"/>'
        f'<a:ext cx="{presentation.slide_width}" cy="{round(0.12 * EMU)}"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:solidFill><a:schemeClr val="accent1"/>'
        "</a:solidFill><a:ln><a:noFill/></a:ln></p:spPr></p:sp>"
    )
    master.shapes._spTree.append(parse_xml(band))


def _set_theme(master: Any) -> None:
    """Set the fonts and colours that charts, tables and texts of our own look go by."""
    from lxml import etree
    from pptx.opc.constants import RELATIONSHIP_TYPE

    part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme = etree.fromstring(part.blob)
    for family in theme.iter(f"{A}majorFont", f"{A}minorFont"):
        family.find(f"{A}latin").set("typeface", LATIN_FONT)
        family.find(f"{A}ea").set("typeface", CHINESE_FONT)
        for font in family.iter(f"{A}font"):
            if font.get("script") == "Hans":
                font.set("typeface", CHINESE_FONT)
    scheme = next(theme.iter(f"{A}clrScheme"))
    named = {"dk1": INK, "dk2": ACCENT, **{f"accent{i}": SEQUENCE[i - 1] for i in range(1, 7)}}
    for name, colour in named.items():
        slot = scheme.find(f"{A}{name}")
        for child in list(slot):
            slot.remove(child)
        etree.SubElement(slot, f"{A}srgbClr").set("val", rgb(colour))
    part._blob = etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)


def client_template(path: Path) -> Template:
    """Return a client's own presentation: its masters and layouts, without its slides.

    Its layouts are chosen by the kinds of their placeholders: for the first slide one with a
    centred title, for the others one with a title and nothing else, or as little as there is.

    Parameters
    ----------
    path : Path
        A ``.pptx``.

    Raises
    ------
    DataError
        If it is no presentation, is larger than allowed, holds macros or links to elsewhere, or
        has no layout with a title and room below it; the message says which.
    """
    from pptx import Presentation

    name = path.name
    if path.suffix.lower() != ".pptx":
        raise DataError(f"template {name}: ends in {excerpt(path.suffix)}; allowed: .pptx")
    content = read_bytes(path, LARGEST)
    _refuse_unsafe(content, name)
    try:
        presentation: Any = Presentation(BytesIO(content))
        _without_slides(presentation)
        layouts = [
            layout for master in presentation.slide_masters for layout in master.slide_layouts
        ]
        pages = [
            (layout, place) for layout in layouts if (place := _title_of(layout, presentation))
        ]
    except DataError:
        raise
    except Exception as error:  # broken XML fails in many ways, none of them for the user
        raise DataError(f"template {name}: is no presentation that can be read") from error
    if not pages:
        raise DataError(
            f"template {name}: none of its {len(layouts)} layouts has a title above room of at "
            f"least {NARROWEST} by {LOWEST} inches; allowed: a layout with a title at the top"
        )
    page, title = min(pages, key=lambda pair: len(_contents(pair[0])))
    centred = [layout for layout in layouts if "ctrTitle" in _kinds(layout)]
    first = centred[0] if centred else page
    room = _room(page, presentation, title)
    foot = Area(room.left, room.bottom - 0.32, room.width * 0.85, 0.32)
    content_area = Area(room.left, room.top, room.width, room.height - 0.4)
    size = min(_title_size(page), 28.0)
    return Template(presentation, first, page, title, content_area, foot, size, False)


def _refuse_unsafe(content: bytes, name: str) -> None:
    """Raise if a template is no zip, unpacks to too much, runs something or links to elsewhere."""
    try:
        archive = zipfile.ZipFile(BytesIO(content))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DataError(
            f"template {name}: is no .pptx, or has a password; save it as .pptx without one"
        ) from error
    total = sum(member.file_size for member in members)
    if total > UNPACKED or len(members) > MOST_PARTS:
        raise DataError(
            f"template {name}: unpacks to {total / 1e6:,.0f} MB in {len(members):,} parts; "
            f"allowed: {UNPACKED / 1e6:,.0f} MB in {MOST_PARTS:,}"
        )
    for member in members:
        ratio = member.file_size / max(member.compress_size, 1)
        if member.file_size > SMALL and ratio > MOST_TIMES:
            raise DataError(
                f"template {name}: {excerpt(member.filename)} unpacks to {ratio:,.0f} times its "
                f"size; allowed: {MOST_TIMES} times"
            )
        if ACTIVE.search(member.filename):
            raise DataError(
                f"template {name}: holds {excerpt(member.filename)}, which runs; save it as .pptx "
                "without macros"
            )
    names = {member.filename for member in members}
    if not {"[Content_Types].xml", "ppt/presentation.xml"} <= names:
        raise DataError(f"template {name}: is no presentation; allowed: .pptx")
    try:
        if b"macroEnabled" in archive.read("[Content_Types].xml"):
            raise DataError(f"template {name}: holds macros; save it as .pptx without macros")
        for member in members:
            if member.filename.endswith(".rels"):
                _refuse_links(archive.read(member), member.filename, name)
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError, EOFError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"template {name}: cannot be unpacked") from error


def _refuse_links(relations: bytes, part: str, name: str) -> None:
    links = EXTERNAL.findall(relations)
    if links:
        target = TARGET.search(links[0])
        where = target[1].decode("utf-8", "replace") if target else ""
        raise DataError(
            f"template {name}: {excerpt(part)} links to {excerpt(where)}; allowed: no links to "
            "other files or pages; remove them and save it again"
        )


def _without_slides(presentation: Any) -> None:
    """Remove the slides, and what counts them."""
    slides = presentation.slides._sldIdLst
    for slide in list(slides):
        presentation.part.drop_rel(slide.rId)
        slides.remove(slide)
    root = presentation.part._element
    for shows in root.findall(f"{P}custShowLst"):
        root.remove(shows)
    for extension in root.findall(f"{P}extLst/{P}ext"):
        if any(child.tag.endswith("}sectionLst") for child in extension):
            extension.getparent().remove(extension)
    for extensions in root.findall(f"{P}extLst"):
        if not len(extensions):
            root.remove(extensions)


def _kinds(layout: Any) -> list[str]:
    return [shape._element.ph.get("type", "obj") for shape in layout.placeholders]


def _contents(layout: Any) -> list[str]:
    """Return the kinds of placeholders that would stay empty."""
    return [
        kind for kind in _kinds(layout) if kind not in ("title", "ctrTitle", "dt", "ftr", "sldNum")
    ]


def _title_of(layout: Any, presentation: Any) -> Area | None:
    """Return the place of the title of a layout that a page can have; None where there is none."""
    titles = [s for s in layout.placeholders if s._element.ph.get("type") == "title"]
    if not titles or titles[0].width is None:
        return None
    title = _area(titles[0])
    room = _room(layout, presentation, title)
    fits = room.width >= NARROWEST and room.height >= LOWEST + 0.4
    return title if fits and title.height >= 0.35 else None


def _area(shape: Any) -> Area:
    return Area(*(side / EMU for side in (shape.left, shape.top, shape.width, shape.height)))


def _room(layout: Any, presentation: Any, title: Area) -> Area:
    """Return the room below a title: of the placeholder for content, else down to the footer."""
    width, height = presentation.slide_width / EMU, presentation.slide_height / EMU
    shapes = [s for s in layout.placeholders if s.width is not None]
    bodies = [_area(s) for s in shapes if s._element.ph.get("type", "obj") in ("obj", "body")]
    below = [area for area in bodies if area.top >= title.bottom - 0.05]
    if len(below) == 1 and below[0].width > 0.6 * width and below[0].height >= LOWEST + 0.4:
        left, top = max(below[0].left, 0.0), below[0].top
        right, bottom = min(below[0].right, width), min(below[0].bottom, height)
        return Area(left, top, right - left, bottom - top)
    feet = [_area(s).top for s in shapes if s._element.ph.get("type") in ("dt", "ftr", "sldNum")]
    bottom = min([height * 0.95, *(top for top in feet if top > height / 2)])
    top = title.bottom + 0.1
    left, right = max(title.left, 0.0), min(title.right, width)
    return Area(left, top, right - left, max(bottom - top, 0.0))


def _title_size(layout: Any) -> float:
    """Return the size of the type of titles, in points."""
    title = next(s for s in layout.placeholders if s._element.ph.get("type") == "title")
    sizes = [properties.get("sz") for properties in title._element.iter(f"{A}defRPr")]
    master = layout.slide_master._element
    sizes += [p.get("sz") for p in master.iterfind(f".//{P}titleStyle/{A}lvl1pPr/{A}defRPr")]
    return next((int(size) / 100 for size in sizes if size), 28.0)
