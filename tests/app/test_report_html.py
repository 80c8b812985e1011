"""A report as HTML: all of the content, nothing of another machine, nothing that runs."""

import base64
import re
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from cxstats.app.report import html, look
from cxstats.app.report.content import ReportChart
from cxstats.app.report.html import write_html
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
VOID = {"meta", "link", "img", "br", "hr", "input"}
# All that may stand in the page; a name of a client that became an element would be another.
ELEMENTS = re.findall(
    r"\w+",
    "html head meta title style body a p div header h1 h2 h3 nav ol ul li main section article "
    "strong figure img figcaption details summary table caption thead tbody tr th td dl dt dd bdi",
)  # fmt: skip


class Page(HTMLParser):
    """The elements, attributes and texts of a page, each element closed in its order."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.texts, self.tables = [], [], [], {}
        self.headings = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert len(attributes) == len(attrs)
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self.open.append((tag, attributes))
        if tag == "details":
            self.tables[attributes["id"]] = []
        if tag == "tr":
            self._table().append([])
        if tag in ("td", "th"):
            self._table()[-1].append("")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append([int(tag[1]), ""])

    def _table(self):
        return self.tables[next(a["id"] for tag, a in reversed(self.open) if tag == "details")]

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        inside = [tag for tag, _ in self.open]
        if "style" in inside:
            return
        self.texts.append(data)
        if "td" in inside or "th" in inside:
            self._table()[-1][-1] += data
        if inside and re.fullmatch("h[1-6]", inside[-1]):
            self.headings[-1][1] += data

    def text(self):
        return " ".join("".join(self.texts).split())

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(sample, lang):
    return Page(written(sample, ".html", lang).read_text(encoding="utf-8"))


def plain(text):
    return " ".join(look.legal(text).split())


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("sample", [bank, hostile])
def test_every_sentence_stands_in_the_page(sample, lang):
    text = page_of(sample, lang).text()
    made = sample()
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
@pytest.mark.parametrize("sample", [bank, hostile])
def test_every_number_of_every_table_stands_as_it_is_written(sample, lang):
    page, tables = page_of(sample, lang), sample().report_tables()
    assert len(tables) >= 4
    shown = [[[" ".join(cell.split()) for cell in row] for row in rows]
             for rows in page.tables.values()]  # fmt: skip
    for table in tables.values():
        text = table.written(lang)
        rows = [list(map(str, text.columns)), *text.to_numpy(str).tolist()]
        assert shown.count([[plain(cell) for cell in row] for row in rows]) == 1, table.key


@pytest.mark.parametrize("sample", [bank, hostile])
def test_the_findings_stand_in_the_order_of_the_report(sample):
    page = page_of(sample, "en")
    headlines = [text for level, text in page.headings if level == 3]
    findings = [f for section in sample().sections for f in section.findings]
    assert headlines == [look.shortened(f.headline.text("en")) for f in findings]
    assert all(len(headline) <= look.LONGEST_HEADING for headline in headlines)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("sample", [bank, hostile])
def test_a_screen_reader_finds_its_way(sample, lang):
    page = page_of(sample, lang)
    assert page.of("html") == [{"lang": look.LANGUAGE_TAGS[lang]}]
    for landmark in ("main", "nav", "header", "title"):
        assert len(page.of(landmark)) == 1
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(text.strip() for _, text in page.headings)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for attributes in page.of("a"):
        assert attributes["href"].removeprefix("#") in ids
    for _, attributes in page.elements:
        assert attributes.get("aria-labelledby", ids[0]) in ids
    assert len(page.of("caption")) == len(page.of("table"))
    assert {attributes.get("scope") for attributes in page.of("th")} == {"col", "row"}
    assert all(attributes["alt"] for attributes in page.of("img"))


def test_alt_texts_give_title_and_finding():
    for lang in LANGUAGES:
        alts = [attributes["alt"] for attributes in page_of(bank, lang).of("img")]
        findings = charted(bank())
        assert len(alts) == len(findings) >= 4
        for alt, finding in zip(alts, findings, strict=True):
            assert look.shortened(finding.headline.text(lang)) in alt
            assert finding.table is None or finding.table.title.get(lang) in alt


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("sample", [bank, hostile])
def test_nothing_is_loaded_and_nothing_runs(sample, lang):
    source = written(sample, ".html", lang).read_text(encoding="utf-8")
    page = Page(source)
    assert {tag for tag, _ in page.elements} <= {*ELEMENTS}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        assert attributes.get("src", "data:image/").startswith("data:image/")
        assert attributes.get("href", "#").startswith("#")
    policy = next(a["content"] for a in page.of("meta") if "Policy" in a.get("http-equiv", ""))
    assert policy.startswith("default-src 'none'")
    style = source[source.index("<style>") : source.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "<" not in style.removeprefix("<style>")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", source)


def test_charts_are_drawings_whose_letters_are_outlines():
    for attributes in page_of(bank, "zh").of("img"):
        kind, data = attributes["src"].split(";base64,")
        assert kind == "data:image/svg+xml"
        drawing = ElementTree.fromstring(base64.b64decode(data))
        names = {element.tag.rpartition("}")[2] for element in drawing.iter()}
        assert "text" not in names
        assert not names & {"script", "foreignObject", "image"}


def test_a_chart_of_very_many_marks_is_a_picture(monkeypatch, tmp_path):
    monkeypatch.setattr(html, "LARGEST_DRAWING", 1_000)
    write_html(bank(), tmp_path / "r.html", "en")
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    for attributes in page.of("img"):
        kind, data = attributes["src"].split(";base64,")
        assert kind == "data:image/png"
        assert base64.b64decode(data).startswith(b"\x89PNG")


def test_a_chart_that_the_data_do_not_allow_says_why(tmp_path):
    class Undrawable(ReportChart):
        def draw(self, lang):
            raise CxError("300 groups cannot be read")

    write_html(of_chart(Undrawable(bank())), tmp_path / "r.html", "en")
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "The chart could not be drawn: 300 groups cannot be read" in page.text()
    assert page.of("img") == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_synthetic_data_say_so_on_screen_and_on_every_sheet_of_paper(lang, tmp_path):
    mark = {
        "en": "Synthetic data: simulated, not measured.",
        "zh": "合成数据：模拟所得，并非实测。",
    }
    page = page_of(bank, lang)
    assert mark[lang] in page.text()
    source = written(bank, ".html", lang).read_text(encoding="utf-8")
    assert re.search(r"@top-right { content: \"", source)
    assert re.search(r"\.synthetic {\s+position: fixed", source)
    write_html(measured(bank()), tmp_path / "r.html", lang)
    source = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert mark[lang] not in source
    assert "@top-right" not in source


def test_the_same_report_gives_the_same_bytes(tmp_path):
    write_html(bank(), tmp_path / "again.html", "zh")
    assert (tmp_path / "again.html").read_bytes() == written(bank, ".html", "zh").read_bytes()


def test_long_names_are_cut_in_headings_and_whole_in_the_text():
    page = page_of(hostile, "en")
    assert any(text.endswith("…") for _, text in page.headings)
    assert LONG_NAME in page.text()
    assert any(HOSTILE[2] in cell for rows in page.tables.values() for row in rows for cell in row)


def test_names_from_right_to_left_keep_to_themselves():
    source = written(hostile, ".html", "en").read_text(encoding="utf-8")
    assert "<bdi>שלום עולם</bdi>" in source


def test_a_table_of_a_thousand_columns_and_too_many_rows(tmp_path):
    frame = pd.DataFrame(
        np.arange(3_000.0).reshape(3, 1_000), columns=[f"q{i}" for i in range(1_000)]
    )
    write_html(of_table(frame), tmp_path / "wide.html", "en")
    page = Page((tmp_path / "wide.html").read_text(encoding="utf-8"))
    assert [len(row) for row in page.tables["table-1"]] == [1_000] * 4
    assert page.tables["table-1"][3][999] == "2,999"
    write_html(of_table(pd.DataFrame({"n": range(1_234)})), tmp_path / "long.html", "zh")
    page = Page((tmp_path / "long.html").read_text(encoding="utf-8"))
    assert len(page.tables["table-1"]) == 1_001
    assert "另有 234 行" in page.text()


def test_what_no_file_can_hold_is_written_out(tmp_path):
    frame = pd.DataFrame({"name": ["\x00", "\ufffe", "a\nb"], "b\x08<i>": [1.5, 2, 3]})
    write_html(of_table(frame, "half \ud800"), tmp_path / "r.html", "en")
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    cells = [row[0] for row in page.tables["table-1"][1:]]
    assert cells == ["\\x00", "\\ufffe", "a b"]
    assert "half \\ud800" in page.text()
    assert page.tables["table-1"][0][1] == "b\\x08<i>"


def test_an_empty_table_stands(tmp_path):
    write_html(of_table(pd.DataFrame({"name": [], "n": []})), tmp_path / "r.html", "en")
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert len(page.tables["table-1"]) == 1
