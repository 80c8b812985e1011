"""A report as slides: headlines are titles, charts hold the table's numbers, nothing overflows."""

import io
import math
import unicodedata
import zipfile

import numpy as np
import openpyxl
import pytest
from pptx import Presentation
from pptx.util import Emu, Inches

from cxstats.app.report.fitted_text import cut_to_lines, fit_table, fit_text
from cxstats.app.report.native_charts import drawn_rows
from cxstats.app.report.reporting import Report
from cxstats.app.report.slides import write_slides
from cxstats.core.errors import DataError
from cxstats.core.language import label
from tests.app.report_clients import HOSTILE, hostile, simulated

TOLERANCE = 1e-12
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
EMU = 914_400


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("client")


@pytest.fixture(scope="module", params=["en", "zh"])
def written(request, folder):
    """Return a report, the slides of it, and their language."""
    report, path = simulated(folder), folder / f"report_{request.param}.pptx"
    write_slides(report, path, request.param)
    return report, Presentation(path), request.param


@pytest.fixture(scope="module", params=["en", "zh"])
def broken(request, folder):
    """Return the slides of a hostile report, and the bytes of their file."""
    path = folder / f"hostile_{request.param}.pptx"
    write_slides(hostile(), path, request.param)
    return Presentation(path), path, request.param


def findings_of(report):
    return [f for s in report.sections if s.key != "decide" for f in s.findings]


def title_of(slide):
    return slide.shapes.title.text_frame.text


def slide_of(deck, headline):
    (slide,) = [slide for slide in deck.slides if title_of(slide) == headline]
    return slide


def charts_of(slide):
    return [shape.chart for shape in slide.shapes if shape.has_chart]


def notes_of(slide):
    return slide.notes_slide.notes_text_frame.text


def test_every_headline_is_the_title_of_a_slide(written):
    report, deck, lang = written
    findings = findings_of(report)
    assert len(findings) >= 6
    titles = [title_of(slide) for slide in deck.slides]
    for finding in findings:
        assert titles.count(finding.headline.text(lang)) == 1
    for section in ("decide", "scorecard", "actions"):
        assert report.section(section).title(lang) in titles
    assert titles[0] == report.title(lang)
    assert all(titles)


def test_titles_are_placeholders_of_titles(written):
    _, deck, _ = written
    for slide in deck.slides:
        assert slide.shapes.title._element.ph.get("type") in ("title", "ctrTitle")
    assert Emu(deck.slide_width).inches == pytest.approx(
        16 / 9 * Emu(deck.slide_height).inches, rel=1e-3
    )


def test_slide_of_decisions_has_headlines_and_advice(written):
    report, deck, lang = written
    slide = slide_of(deck, report.section("decide").title(lang))
    texts = [p.text for s in slide.shapes if s.has_text_frame for p in s.text_frame.paragraphs]
    assert report.section("decide").findings
    for finding in report.section("decide").findings:
        assert {finding.headline.text(lang), finding.advice.text(lang)} <= set(texts)


def test_charts_hold_the_numbers_of_the_table(written):
    report, deck, lang = written
    kinds = set()
    for finding in findings_of(report):
        if finding.chart is None:
            continue
        native = finding.chart.native
        (chart,) = charts_of(slide_of(deck, finding.headline.text(lang)))
        check_chart(chart, native, lang)
        kinds.add(native.kind)
    assert kinds == {"bar", "line", "stacked"}


def assert_begins(drawn, name):
    """A name stands on a chart as it is, or cut where it is long."""
    assert drawn == name or (drawn.endswith("…") and name.startswith(drawn[:-1].rstrip()))


def check_chart(chart, native, lang):
    """Compare a chart, and the sheet behind it, with what it is to show."""
    data, frame = native.data(lang), drawn_rows(native)
    blob = chart.part.chart_workbook.xlsx_part.blob
    sheet = openpyxl.load_workbook(io.BytesIO(blob)).active
    for j, series in enumerate(chart.plots[0].series):
        expected = data.iloc[:, j + 1].astype(float).to_numpy()
        np.testing.assert_allclose(np.array(series.values, float), expected, rtol=TOLERANCE)
        behind = [sheet.cell(i + 2, j + 2).value for i in range(len(data))]
        np.testing.assert_allclose(np.array(behind, float), expected, rtol=TOLERANCE)
        assert_begins(series.name, data.columns[j + 1])
    if native.kind != "stacked":
        for drawn, name in zip(chart.plots[0].categories, data.iloc[:, 0], strict=True):
            assert_begins(drawn, str(name))
    bars = chart._chartSpace.findall(f".//{C}errBars")
    assert len(bars) == bool(native.low)
    if native.low:
        estimate = frame[native.values[0]].astype(float).to_numpy()
        for side, sign, column in (("minus", -1, native.low), ("plus", 1, native.high)):
            arms = [float(v.text) for v in bars[0].findall(f"{C}{side}//{C}v")]
            ends = estimate + sign * np.array(arms)
            np.testing.assert_allclose(ends, frame[column].astype(float), rtol=1e-9)
            place = bars[0].find(f"{C}{side}//{C}f").text.replace("$", "").split("!")[1]
            behind = [cell.value for row in sheet[place] for cell in row]
            np.testing.assert_allclose(behind, arms, rtol=TOLERANCE)
    if native.percent:
        assert "%" in chart.value_axis.tick_labels.number_format


def test_notes_hold_n_method_caveats_and_details(written):
    report, deck, lang = written
    caveats = 0
    for finding in findings_of(report):
        notes = notes_of(slide_of(deck, finding.headline.text(lang)))
        assert finding.method.get(lang) in notes
        for text in [
            *(c.get(lang) for c in finding.caveats),
            *(s.text(lang) for s in finding.details),
        ]:
            assert text in notes
        caveats += len(finding.caveats)
        if finding.n is not None:
            assert label("report.office.answers", lang, n=finding.n.write(lang)) in notes
        elif finding.chart is not None and finding.chart.native is not None:
            rows = drawn_rows(finding.chart.native)
            if "n" not in rows:
                continue
            for name, n in zip(rows[finding.chart.native.names], rows["n"], strict=True):
                assert label("report.office.answers.of", lang, name=name, n=f"{n:.0f}") in notes
    assert caveats


def test_pictures_charts_and_tables_are_described(written, broken):
    for deck in (written[1], broken[0]):
        described = 0
        for slide in deck.slides:
            for shape in slide.shapes:
                if shape.has_chart or shape.has_table or shape.shape_type == 13:
                    words = shape._element.xpath(".//p:cNvPr")[0].get("descr")
                    assert words
                    assert len(words) <= 1_000
                    described += 1
        assert described > 10


def test_finding_without_a_native_chart_has_a_picture(folder):
    report = simulated(folder)
    finding = next(f for f in findings_of(report) if f.chart is not None)
    bare = [f for f in findings_of(report) if f is not finding][:1]
    from dataclasses import replace

    drawn = replace(finding, chart=replace(finding.chart, native=None))
    sections = [
        replace(report.section("metrics"), findings=(drawn, *bare)),
        report.section("decide"),
    ]
    path = folder / "picture.pptx"
    write_slides(Report(report.name, tuple(sections), report.client, (), ()), path, "en")
    slide = slide_of(Presentation(path), finding.headline.text("en"))
    (picture,) = [shape for shape in slide.shapes if shape.shape_type == 13]
    pixels = picture.image.size[0]
    assert pixels / 200 == pytest.approx(8, abs=4)  # drawn at 200 dots an inch
    assert picture.width / picture.height == pytest.approx(pixels / picture.image.size[1], rel=0.01)


# Fit


def estimated_lines(text, size, width):
    """Estimate the lines of a text by letters of usual widths: independent of our own measure."""
    wide = sum(
        1.0 if unicodedata.east_asian_width(c) in "WF" else 0.47 for c in text
    ) * size / 72  # fmt: skip
    return max(math.ceil(wide / width), 1)


def check_fit(slide):
    """Check that no shape leaves its slide, and that texts and tables fit their shapes."""
    presentation = slide.part.package.presentation_part.presentation
    for shape in slide.shapes:
        left, top = shape.left, shape.top
        assert left >= 0
        assert top >= 0
        assert left + shape.width <= presentation.slide_width + 1
        assert top + shape.height <= presentation.slide_height + 1
        if shape.has_text_frame and not shape._element.xpath(".//a:fld"):
            height = sum(
                estimated_lines(p.text, p.runs[0].font.size.pt, shape.width / EMU - 0.2)
                * p.runs[0].font.size.pt * 1.2 / 72
                for p in shape.text_frame.paragraphs if p.runs
            )  # fmt: skip
            assert height <= shape.height / EMU + 0.02, shape.text_frame.text
        if shape.has_table:
            columns = [column.width / EMU for column in shape.table.columns]
            assert sum(columns) * EMU <= shape.width + 100
            tall = 0.0
            for row in shape.table.rows:
                for cell, width in zip(row.cells, columns, strict=True):
                    (paragraph,) = cell.text_frame.paragraphs
                    run = paragraph.runs[0]
                    # An empty cell is as high as the type at its end.
                    end = int(paragraph._p.find(f"{A}endParaRPr").get("sz")) / 100
                    assert end == run.font.size.pt
                    lines = estimated_lines(run.text, run.font.size.pt, width - 0.2)
                    assert lines * run.font.size.pt * 1.15 / 72 <= row.height / EMU, run.text
                tall += row.height
            assert top + tall <= presentation.slide_height


def test_nothing_leaves_a_slide_or_its_shape(written, broken):
    for deck in (written[1], broken[0]):
        for slide in deck.slides:
            check_fit(slide)


def test_shapes_of_a_slide_do_not_lie_over_each_other(written):
    report, deck, lang = written
    headlines = {finding.headline.text(lang) for finding in findings_of(report)}
    for slide in deck.slides:
        if title_of(slide) not in headlines:
            continue
        boxes = [
            (s.left, s.top, s.left + s.width, s.top + s.height) for s in slide.shapes
            if not s._element.xpath(".//a:fld")
        ]  # fmt: skip
        for i, a in enumerate(boxes):
            for b in boxes[i + 1 :]:
                across = min(a[2], b[2]) - max(a[0], b[0])
                down = min(a[3], b[3]) - max(a[1], b[1])
                assert across <= 0 or down <= Inches(0.02), title_of(slide)


@pytest.mark.parametrize("text", [t for t in HOSTILE if t.strip()])
def test_text_is_cut_where_the_smallest_type_is_too_large(text):
    fitted = fit_text([text] * 3, 3.0, 0.8, (20, 14, 10), bold=True)
    assert fitted.height <= 0.8
    assert fitted.is_cut == any(p.endswith("…") for p in fitted.paragraphs)
    assert len(cut_to_lines("word " * 500, 2, 3.0, 12)) < 200


def test_type_shrinks_before_text_is_cut():
    short, long = "A headline.", "A headline that is longer than its place allows for. " * 3
    sizes = [fit_text([text], 6.0, 0.9, (28, 20, 14)).size for text in (short, long)]
    assert sizes == [28, 14]


def test_table_loses_columns_at_the_right_only_when_it_must():
    rows = [[f"column {j}" for j in range(40)], [f"{j}.5" for j in range(40)]]
    fitted = fit_table(rows, [True] * 40, 12.0, (14, 10))
    assert sum(fitted.widths) <= 12.0
    assert fitted.is_cut
    assert fitted.rows[1][-1] == "…"
    narrow = fit_table([row[:4] for row in rows], [True] * 4, 12.0, (14, 10))
    assert not narrow.is_cut
    assert narrow.size == 14


# Hostile content


def test_hostile_texts_do_nothing(broken):
    deck, path, _ = broken
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                content = archive.read(name).decode("utf-8")
                assert "<script>" not in content
                assert "TargetMode" not in content
    sheets = 0
    for slide in deck.slides:
        for chart in charts_of(slide):
            book = openpyxl.load_workbook(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))
            kinds = {cell.data_type for row in book.active for cell in row}
            assert "f" not in kinds
            texts = {cell.value for row in book.active for cell in row}
            assert "group 7" in texts or {"=1+1", "{=1+1}", "@SUM(A1)"} <= texts
            sheets += 1
    assert sheets == len(HOSTILE) + 1


def test_hostile_headlines_are_cut_and_whole_in_the_notes(broken):
    deck, _, lang = broken
    long = [slide for slide in deck.slides if title_of(slide).endswith("…")]
    assert len(long) >= 4
    assert any("x" * 10_000 in notes_of(slide) for slide in long)
    assert any("字" * 10_000 in notes_of(slide) for slide in long)
    assert {label("report.section.decide", lang)} <= {title_of(slide) for slide in deck.slides}


def test_large_tables_take_few_slides_and_say_what_is_left(broken):
    deck, _, _ = broken
    assert len(deck.slides) < 90
    texts = [s.text_frame.text for slide in deck.slides for s in slide.shapes if s.has_text_frame]
    assert any(("table" in t and "long" in t) or "“long”" in t for t in texts if t.startswith("…"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_synthetic_data_say_so_on_every_slide(folder, lang):
    for synthetic in (True, False):
        path = folder / f"synthetic_{lang}_{synthetic}.pptx"
        write_slides(simulated(folder, synthetic), path, lang)
        marked = [
            any(label("result.synthetic", lang) in s.text_frame.text for s in slide.shapes
                if s.has_text_frame)
            for slide in Presentation(path).slides
        ]  # fmt: skip
        assert all(marked) if synthetic else not any(marked)


def test_fonts_of_both_scripts_are_named(written):
    _, deck, lang = written
    for slide in deck.slides:
        for properties in slide._element.iter(f"{A}rPr"):
            if properties.getparent().tag.endswith("}fld"):
                continue
            assert properties.find(f"{A}ea").get("typeface") == "Microsoft YaHei"
            assert properties.find(f"{A}latin").get("typeface")
            assert properties.get("lang").startswith(lang)


# The client's template


def template(path, change=None):
    """Write a presentation of a client with two slides of its own; return its path."""
    deck = Presentation()
    for layout in (0, 1):
        slide = deck.slides.add_slide(deck.slide_layouts[layout])
        slide.shapes.title.text = "The client's old slide"
    if change is not None:
        change(deck)
    deck.save(path)
    return path


def test_template_keeps_its_layouts_and_loses_its_slides(folder, tmp_path):
    report, path = simulated(folder), tmp_path / "out.pptx"
    write_slides(report, path, "zh", template(tmp_path / "look.pptx"))
    deck = Presentation(path)
    titles = [title_of(slide) for slide in deck.slides]
    assert "The client's old slide" not in titles
    assert {f.headline.text("zh") for f in findings_of(report)} <= set(titles)
    assert len(deck.slide_layouts) == 11
    assert deck.slide_width == Presentation(tmp_path / "look.pptx").slide_width
    for slide in deck.slides:
        check_fit(slide)
        for shape in slide.placeholders:  # none is left empty
            assert shape.text_frame.text
    with zipfile.ZipFile(path) as archive:
        parts = archive.namelist()
        assert len([p for p in parts if p.startswith("ppt/slides/slide")]) == len(titles)
        assert len(parts) == len(set(parts))


def test_sections_of_the_template_go_with_its_slides(folder, tmp_path):
    from pptx.oxml import parse_xml

    def with_sections(deck):
        numbers = "".join(f'<p14:sldId id="{slide.slide_id}"/>' for slide in deck.slides)
        deck.part._element.append(parse_xml(
            '<p:extLst xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main">'
            '<p:ext uri="{521415D9-36F7-43E2-AB2F-B90AF26B5E84}"><p14:sectionLst '
            'xmlns:p14="http://schemas.microsoft.com/office/powerpoint/2010/main"><p14:section '
            'name="s" id="{6F3B1E9A-0000-4000-8000-000000000000}"><p14:sldIdLst>' + numbers +
            "</p14:sldIdLst></p14:section></p14:sectionLst></p:ext></p:extLst>"
        ))  # fmt: skip

    path = template(tmp_path / "look.pptx", with_sections)
    assert b"sectionLst" in zipfile.ZipFile(path).read("ppt/presentation.xml")
    write_slides(simulated(folder), tmp_path / "out.pptx", "en", path)
    with zipfile.ZipFile(tmp_path / "out.pptx") as archive:
        assert b"sectionLst" not in archive.read("ppt/presentation.xml")


def without_titles(deck):
    for layout in deck.slide_layouts:
        for shape in list(layout.placeholders):
            if shape._element.ph.get("type") in ("title", "ctrTitle"):
                shape._element.getparent().remove(shape._element)


def tiny(deck):
    deck.slide_width, deck.slide_height = Inches(3), Inches(2)


def linked(deck):
    run = deck.slides[0].shapes.title.text_frame.paragraphs[0].runs[0]
    run.hyperlink.address = "https://example.org/x"


def packed(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def with_member(path, name, content):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path


UNUSABLE = {
    "no layout": (
        lambda p: template(p / "a.pptx", without_titles), "none of its 11 layouts has a title"),
    "tiny": (lambda p: template(p / "a.pptx", tiny), "none of its 11 layouts has a title"),
    "link": (lambda p: template(p / "a.pptx", linked), "links to 'https://example.org/x'"),
    "macros by name": (
        lambda p: template(p / "a.pptx").rename(p / "a.pptm"), "ends in '.pptm'; allowed: .pptx"),
    "macros": (
        lambda p: with_member(template(p / "a.pptx"), "ppt/vbaProject.bin", b"x"), "which runs"),
    "bomb": (
        lambda p: with_member(template(p / "a.pptx"), "ppt/media/a.xml", b"0" * 20_000_000),
        "times its size; allowed: 200 times"),
    "no zip": (lambda p: packed(p / "a.pptx", {}), "is no presentation"),
    "a workbook": (
        lambda p: packed(p / "a.pptx", {"[Content_Types].xml": "<Types/>", "xl/a.xml": "<a/>"}),
        "is no presentation"),
    "broken": (
        lambda p: packed(p / "a.pptx", {"[Content_Types].xml": "<a", "ppt/presentation.xml": "<"}),
        "no presentation that can be read"),
    "text": (lambda p: (p / "a.pptx").write_text("hello") and p / "a.pptx", "is no .pptx"),
    "missing": (lambda p: p / "none.pptx", "none.pptx: cannot be read"),
    "folder": (lambda p: (p / "b.pptx").mkdir() or p / "b.pptx", "b.pptx: cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNUSABLE)
def test_template_that_cannot_be_used(folder, tmp_path, case):
    make, message = UNUSABLE[case]
    path = make(tmp_path)
    with pytest.raises(DataError, match=message) as error:
        write_slides(simulated(folder), tmp_path / "out.pptx", "en", path)
    assert path.name in str(error.value)
    assert not (tmp_path / "out.pptx").exists()
