"""A report as a document of Word: all of the content, fields that hold, and readable by ear."""

import re
import zipfile
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from docx import Document
from docx.oxml.ns import qn

from cxstats.app.report import look
from cxstats.app.report.content import ReportChart
from cxstats.app.report.document import MOST_ROWS, write_document
from cxstats.core.errors import CxError
from tests.app.report_samples import (
    HOSTILE,
    LONG_NAME,
    bank,
    charted,
    hostile,
    measured,
    of_chart,
    of_table,
    written,
)

LANGUAGES = ("en", "zh")
CASES = [(sample, lang) for sample in (bank, hostile) for lang in LANGUAGES]
MARK = {"en": "Synthetic data: simulated, not measured.", "zh": "合成数据：模拟所得，并非实测。"}


def document_of(sample, lang):
    return Document(written(sample, ".docx", lang))


def text_of(element):
    return "".join(text.text or "" for text in element.iter(qn("w:t")))


def paragraphs_of(document):
    return [text_of(paragraph) for paragraph in document.element.body.iter(qn("w:p"))]


def tables_of(document):
    return [
        [[text_of(cell) for cell in row.iter(qn("w:tc"))] for row in table.iter(qn("w:tr"))]
        for table in document.element.body.iter(qn("w:tbl"))
    ]


def plain(text):
    return " ".join(look.legal(text).split())


def joined(document):
    return "\n".join(" ".join(text.split()) for text in paragraphs_of(document))


@pytest.mark.parametrize(("sample", "lang"), CASES)
def test_every_sentence_stands_in_the_document(sample, lang):
    text, made = joined(document_of(sample, lang)), sample()
    for section in made.sections:
        for sentence in section.all_sentences():
            assert plain(sentence.text(lang)) in text, sentence.key
        for reason in section.absent:
            assert plain(reason.get(lang)) in text
        for finding in section.findings:
            for caveat in finding.caveats:
                assert plain(caveat.get(lang)) in text
            assert plain(finding.method.get(lang)) in text
            if finding.n is not None:
                assert f"n = {finding.n.write(lang)}" in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_table_stands_as_it_is_written(lang):
    tables = [[[" ".join(c.split()) for c in row] for row in rows]
              for rows in tables_of(document_of(bank, lang))]  # fmt: skip
    for table in bank().report_tables().values():
        text = table.written(lang)
        rows = [list(map(str, text.columns)), *text.to_numpy(str).tolist()]
        assert tables.count([[plain(cell) for cell in row] for row in rows]) == 1, table.key


def test_every_number_of_a_hostile_report_stands_once_per_table():
    cells = [cell for rows in tables_of(document_of(hostile, "en")) for row in rows for cell in row]
    for table in hostile().report_tables().values():
        for cell in table.written("en").to_numpy(str).ravel():
            assert plain(cell) in map(plain, cells)


@pytest.mark.parametrize(("sample", "lang"), CASES)
def test_pictures_have_alternative_texts(sample, lang):
    document = document_of(sample, lang)
    pictures = list(document.element.body.iter(qn("wp:docPr")))
    findings = charted(sample())
    assert len(pictures) == len(findings) > 1
    for picture, finding in zip(pictures, findings, strict=True):
        assert look.shortened(finding.headline.text(lang)) in picture.get("descr")
        assert picture.get("title")
    assert len({picture.get("id") for picture in pictures}) == len(pictures)


@pytest.mark.parametrize(("sample", "lang"), CASES)
def test_headings_skip_no_level_and_are_short(sample, lang):
    document = document_of(sample, lang)
    headings = [p for p in document.paragraphs if p.style.name.startswith("Heading")]
    levels = [int(p.style.name[-1]) for p in headings]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(0 < len(p.text) <= look.LONGEST_HEADING for p in headings)
    assert [p.style.name for p in document.paragraphs[:2]] == ["Title", "Subtitle"]
    findings = [f for section in sample().sections for f in section.findings]
    assert [p.text for p in headings if p.style.name == "Heading 2"] == [
        look.shortened(finding.headline.text(lang)) for finding in findings
    ]


@pytest.mark.parametrize(("sample", "lang"), CASES)
def test_heads_of_tables_are_marked_and_no_row_is_split(sample, lang):
    tables = document_of(sample, lang).tables
    assert len(tables) >= 4
    for table in tables:
        head, *rows = table._tbl.tr_lst
        assert head.trPr.find(qn("w:tblHeader")) is not None
        assert all(row.trPr is None or row.trPr.find(qn("w:tblHeader")) is None for row in rows)
        for row in (head, *rows):
            longest = max(len(text_of(cell)) for cell in row.iter(qn("w:tc")))
            assert (row.trPr.find(qn("w:cantSplit")) is not None) == (longest <= 600)
        properties = table._tbl.tblPr
        assert properties.find(qn("w:tblLook")).get(qn("w:firstRow")) == "1"
        assert properties.find(qn("w:tblCaption")).get(qn("w:val"))
        assert table.style.name == "Report Table"


@pytest.mark.parametrize(("sample", "lang"), CASES)
def test_tables_fit_their_pages(sample, lang):
    document = document_of(sample, lang)
    widths, across = [], []
    for child in document.element.body.iterchildren():
        if child.tag == qn("w:tbl"):
            widths[-1:] = [max([*widths[-1:], int(child.tblPr.find(qn("w:tblW")).get(qn("w:w")))])]
        if child.tag == qn("w:sectPr") or child.find(f".//{qn('w:sectPr')}") is not None:
            across += widths[-1:]
            widths = []
    rooms = [(s.page_width - s.left_margin - s.right_margin) / 635 for s in document.sections]
    assert len(across) == len(rooms) == 2
    assert all(width <= room + 1 for width, room in zip(across, rooms, strict=True))


@pytest.mark.parametrize(("sample", "lang"), CASES)
def test_title_language_and_fonts_are_set(sample, lang):
    document = document_of(sample, lang)
    properties = document.core_properties
    assert properties.title == look.shortened(sample().title(lang), 250)
    assert properties.language == look.LANGUAGE_TAGS[lang]
    assert properties.author == "cxstats"
    defaults = document.styles.element.find(qn("w:docDefaults"))
    language = next(defaults.iter(qn("w:lang")))
    assert language.get(qn("w:eastAsia")) == "zh-CN"
    assert language.get(qn("w:val")).startswith("en")
    fonts = list(document.styles.element.iter(qn("w:rFonts")))
    assert [font.get(qn("w:eastAsia")) for font in fonts] == [look.CHINESE_FONT]
    assert fonts[0].get(qn("w:ascii")) == look.LATIN_FONT
    assert not list(document.element.body.iter(qn("w:rFonts")))


def fields_of(document):
    """Return code and result of every field of the body, in order; of nested ones too."""
    fields, open_fields = [], []
    for element in document.element.body.iter(
        qn("w:fldChar"), qn("w:instrText"), qn("w:t"), qn("w:bookmarkStart"), qn("w:bookmarkEnd")
    ):
        if element.tag == qn("w:fldChar"):
            kind = element.get(qn("w:fldCharType"))
            if kind == "begin":
                open_fields.append({"code": "", "result": "", "shows": False})
            elif kind == "separate":
                open_fields[-1]["shows"] = True
            else:
                fields.append(open_fields.pop())
        elif element.tag == qn("w:instrText"):
            open_fields[-1]["code"] += element.text
        elif element.tag == qn("w:t") and open_fields and open_fields[-1]["shows"]:
            open_fields[-1]["result"] += element.text or ""
    assert open_fields == []
    return [(field["code"].strip(), field["result"]) for field in fields]


@pytest.mark.parametrize(("sample", "lang"), CASES)
def test_figures_and_tables_are_numbered_by_fields_in_their_order(sample, lang):
    document = document_of(sample, lang)
    fields = fields_of(document)
    names = {"en": ("Figure", "Table"), "zh": ("图", "表")}[lang]
    pictures = list(document.element.body.iter(qn("wp:docPr")))
    for name, count in zip(names, (len(pictures), len(document.tables)), strict=True):
        numbers = [result for code, result in fields if code == f"SEQ {name} \\* ARABIC"]
        assert numbers == [str(i + 1) for i in range(count)]
    captions = [p.text for p in document.paragraphs if p.style.name == "Caption"]
    begins = {"en": r"(Figure|Table) \d+: \S", "zh": r"[图表] \d+：\S"}[lang]
    assert len(captions) == len(pictures) + len(document.tables)
    assert all(re.match(begins, caption) for caption in captions)


@pytest.mark.parametrize(("sample", "lang"), CASES)
def test_links_and_references_lead_somewhere(sample, lang):
    document = document_of(sample, lang)
    body = document.element.body
    starts = list(body.iter(qn("w:bookmarkStart")))
    names = [mark.get(qn("w:name")) for mark in starts]
    assert len(names) == len(set(names))
    assert all(len(name) <= 40 for name in names)
    ids = [mark.get(qn("w:id")) for mark in starts]
    assert ids == [mark.get(qn("w:id")) for mark in body.iter(qn("w:bookmarkEnd"))]
    assert len(ids) == len(set(ids))
    links = [link.get(qn("w:anchor")) for link in body.iter(qn("w:hyperlink"))]
    assert links
    assert set(links) <= set(names)
    references = [(c.split()[1], result) for c, result in fields_of(document) if c[:3] == "REF"]
    assert references
    for name, result in references:
        assert name in names
        assert name.rpartition("_")[2] == result  # the number that the caption has, tested above


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_contents_hold_the_chapters_before_word_updates_them(lang):
    document = document_of(bank, lang)
    lines = [p for p in document.paragraphs if p.style.name == "toc 1"]
    chapters = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    listed = [text_of(line._p) for line in lines]
    assert listed == chapters[2:]  # what is to decide and the scorecard stand before them
    contents = [result for code, result in fields_of(document) if code.startswith("TOC ")]
    assert contents == ["".join(listed)]
    settings = document.settings.element
    assert settings.find(qn("w:updateFields")) is None  # Word would ask before it opens the file


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_page_says_what_to_decide(lang):
    document = document_of(bank, lang)
    first = []
    for paragraph in document.paragraphs:
        if paragraph.paragraph_format.page_break_before:
            break
        first.append(paragraph.text)
    decide = bank().section("decide")
    assert len(decide.findings) >= 2
    for finding in decide.findings:
        assert finding.headline.text(lang) in first
        assert any(finding.advice.text(lang) in text for text in first)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_says_its_number_and_that_data_are_synthetic(lang, tmp_path):
    document = document_of(bank, lang)
    assert len(document.sections) == 2
    for section in document.sections:
        assert MARK[lang] in [p.text for p in section.header.paragraphs]
        codes = [c.text.strip() for c in section.footer._element.iter(qn("w:instrText"))]
        assert codes == ["PAGE", "NUMPAGES"]
        assert not section.different_first_page_header_footer
    write_document(measured(bank()), tmp_path / "r.docx", lang)
    document = Document(tmp_path / "r.docx")
    assert MARK[lang] not in [p.text for p in document.sections[0].header.paragraphs]


@pytest.mark.parametrize(("sample", "lang"), CASES)
def test_the_file_is_whole_and_refers_to_nothing_outside(sample, lang):
    with zipfile.ZipFile(written(sample, ".docx", lang)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                ElementTree.fromstring(archive.read(name))
            if name.endswith(".rels"):
                assert b'TargetMode="External"' not in archive.read(name)
            assert "vba" not in name.lower()


# The order in which Word wants properties; it does not open a file that has another.
ORDER = {
    "w:pPr": "pStyle keepNext keepLines pageBreakBefore widowControl numPr pBdr shd tabs spacing "
             "ind contextualSpacing jc outlineLvl rPr sectPr",
    "w:tblPr": "tblStyle tblW tblInd tblBorders tblLayout tblCellMar tblLook tblCaption "
               "tblDescription",
    "w:tcPr": "tcW tcBorders shd vAlign",
    "w:style": "name basedOn next link uiPriority semiHidden unhideWhenUsed qFormat rsid pPr rPr "
               "tblPr trPr tcPr tblStylePr",
}  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
def test_properties_stand_in_the_order_of_the_format(lang):
    document = document_of(bank, lang)
    for root in (document.element, document.styles.element):
        for tag, order in ORDER.items():
            places = {qn(f"w:{name}"): i for i, name in enumerate(order.split())}
            for element in root.iter(qn(tag)):
                order_of = [places[child.tag] for child in element if child.tag in places]
                assert order_of == sorted(order_of), ElementTree.tostring(element)[:300]


def test_long_names_are_cut_in_headings_and_whole_once():
    document = document_of(hostile, "en")
    texts = paragraphs_of(document)
    assert any(LONG_NAME in text for text in texts)
    cells = [cell for rows in tables_of(document) for row in rows for cell in row]
    assert cells.count(HOSTILE[2]) == 1
    assert look.shortened(HOSTILE[2]) in cells
    assert "bell \\x07 and \\x1b[2J" in cells


def test_a_table_of_a_thousand_columns_and_too_many_rows(tmp_path):
    columns = [f"q{i}" for i in range(1_000)]
    frame = pd.DataFrame(np.arange(3_000.0).reshape(3, 1_000), columns=columns)
    frame.insert(0, "name", ["a", "b", "c"])
    write_document(of_table(frame), tmp_path / "wide.docx", "en")
    document = Document(tmp_path / "wide.docx")
    heads = [rows[0] for rows in tables_of(document)]
    assert all(head[0] == "name" for head in heads)
    assert [name for head in heads for name in head[1:]] == columns[:59]
    assert "941 more columns are in the workbook of this report." in joined(document)
    write_document(of_table(pd.DataFrame({"n": range(1_234)})), tmp_path / "long.docx", "zh")
    document = Document(tmp_path / "long.docx")
    assert len(document.tables[0]._tbl.tr_lst) == MOST_ROWS + 1
    assert "另有 1,034 行" in joined(document)


def test_what_no_file_can_hold_is_written_out(tmp_path):
    frame = pd.DataFrame({"name": ["\x00", "\ufffe", "a\nb"], "h" * 9_000 + "\x08": [1.5, 2, 3]})
    write_document(of_table(frame, "half \ud800"), tmp_path / "r.docx", "en")
    document = Document(tmp_path / "r.docx")
    rows = tables_of(document)[0]
    assert [row[0] for row in rows] == ["name", "\\x00", "\\ufffe", "a b"]
    assert rows[0][1] == "h" * 79 + "…"
    assert "half \\ud800" in joined(document)
    assert "h" * 9_000 + "\\x08" in joined(document)


def test_a_chart_that_the_data_do_not_allow_says_why(tmp_path):
    class Undrawable(ReportChart):
        def draw(self, lang):
            raise CxError("300 groups cannot be read")

    write_document(of_chart(Undrawable(bank())), tmp_path / "r.docx", "en")
    document = Document(tmp_path / "r.docx")
    assert "The chart could not be drawn: 300 groups cannot be read" in joined(document)


def test_an_empty_table_stands(tmp_path):
    write_document(of_table(pd.DataFrame({"name": [], "n": []})), tmp_path / "r.docx", "en")
    assert tables_of(Document(tmp_path / "r.docx")) == [[["name", "n"]]]


def test_the_date_can_be_set(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    write_document(of_table(pd.DataFrame({"n": [1]})), tmp_path / "r.docx", "en")
    created = Document(tmp_path / "r.docx").core_properties.created
    assert created.isoformat().startswith("2023-11-14T22:13:20")
