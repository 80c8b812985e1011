"""The site without a browser: links, pictures, formulas, languages; nothing asks for a network."""

import re
from itertools import pairwise
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
from lxml import html

from cxstats.app.reproduce import Run, find_notebooks, read_notebook
from cxstats.app.site import sources
from cxstats.app.site.builder import build_site
from cxstats.app.site.chinese_search import index_terms
from cxstats.app.site.plain_pages import write_site
from cxstats.core.errors import ReproductionError

OUTSIDE = re.compile(r"^(?:[a-z][a-z+.-]*:|//)")
# What a browser fetches by itself; a reader decides about <a>.
FETCHED = (
    "//img/@src | //script/@src | //link/@href | //iframe/@src | //source/@src | //object/@data"
    "| //video/@src | //audio/@src | //embed/@src | //@srcset | //form/@action"
)


@pytest.fixture(scope="module")
def pages(site):
    paths = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    assert len(paths) > 80
    return {path: html.parse(path).getroot() for path in paths}


def targets(page):
    return {*page.xpath("//@id"), *page.xpath("//a/@name"), ""}


def test_every_link_leads_somewhere(pages):
    anchors = {path.resolve(): targets(page) for path, page in pages.items()}
    broken = []
    for path, page in pages.items():
        for link in page.xpath(f"//a/@href | {FETCHED}"):
            if OUTSIDE.match(link):
                continue
            name, anchor = urldefrag(link)
            file = (path.parent / unquote(name.partition("?")[0])).resolve() if name else path
            if not file.is_file():
                broken.append(f"{path.name}: {link}")
            elif file.suffix == ".html" and unquote(anchor) not in anchors[file.resolve()]:
                broken.append(f"{path.name}: {link} (no such anchor)")
    assert not broken


def test_nothing_is_fetched_from_elsewhere(pages, site):
    for path, page in pages.items():
        assert not [link for link in page.xpath(FETCHED) if OUTSIDE.match(link)], path
        kinds = {link.split(":")[0] for link in page.xpath("//a/@href") if OUTSIDE.match(link)}
        assert kinds <= {"https", "http", "mailto"}, path
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", style.read_text("utf-8")), (
            style
        )


def test_every_picture_has_words(pages):
    for path, page in pages.items():
        for picture in page.xpath("//article//img"):
            words = picture.get("alt", "").strip()
            assert words, path
            assert not words.endswith(".png"), path


def test_formulas_are_mathml(pages, site):
    glossary = pages[site / "en" / "glossary.html"]
    assert len(glossary.xpath("//div[@class='formula']/*[local-name()='math']")) > 20
    for path, page in pages.items():
        prose = page.xpath("//article//text()[not(ancestor::pre) and not(ancestor::code)]")
        assert not re.search(r"\$\$|\\frac|\\\(", "".join(prose)), path


@pytest.mark.parametrize(
    ("lang", "heads"),
    [
        ("en", {"Parameters", "Returns", "Raises", "Examples", "Notes"}),
        ("zh", {"参数", "返回", "引发的错误", "示例", "备注"}),
    ],
)
def test_reference_has_its_headings_in_the_language_of_the_page(pages, site, lang, heads):
    page = pages[site / lang / "reference_service.html"]
    names = page.xpath(
        "//dl[contains(@class, 'field-list')]/dt/text() | //p[@class='rubric']/text()"
    )
    assert {name.strip() for name in names} == heads
    says = [text for text in page.xpath("//article//p/text()") if "名称与说明为英文" in text]
    assert len(says) == (lang == "zh")


def test_no_mark_of_markdown_is_left(pages):
    for path, page in pages.items():
        prose = page.xpath("//article//text()[not(ancestor::pre) and not(ancestor::code)]")
        assert not re.search(r"\]\([^)]*\.(md|html)|\*\*\w", "".join(prose)), path


def test_language_of_every_page_is_said(pages, site):
    for path, page in pages.items():
        folder = path.relative_to(site).parts[0]
        expected = {"en": "en", "zh": "zh-CN"}.get(folder, "en")
        assert page.get("lang") == expected, path


def test_pages_are_the_same_in_both_languages(pages, site):
    by_language = [
        {path.relative_to(site / lang) for path in pages if site / lang in path.parents}
        for lang in ("en", "zh")
    ]
    assert by_language[0] == by_language[1]


def test_headings_step_down_one_level_at_a_time(pages):
    for path, page in pages.items():
        levels = [int(head.tag[1]) for head in page.xpath("//main//*[re:test(name(), '^h[1-6]$')]",
                  namespaces={"re": "http://exslt.org/regular-expressions"})]  # fmt: skip
        assert levels.count(1) == 1, path
        assert all(b - a <= 1 for a, b in pairwise(levels)), (path, levels)


def test_no_english_of_the_theme_on_chinese_pages(pages, site):
    for name in ("index", "audit", "search", "notebooks/00_quickstart"):
        page = pages[site / "zh" / f"{name}.html"]
        words = page.xpath("//header//*/@aria-label | //header//*/@title | //@placeholder")
        words += page.xpath("//button//text() | //nav/@aria-label")
        english = {w.strip() for w in words if re.search("[A-Za-z]{3}", w)} - {"cxstats", "Ctrl"}
        assert not {w for w in english if not re.search("[\u4e00-\u9fff]", w)}, name


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_solutions_are_pages_below_their_notebook_and_no_cards(pages, site, lang):
    lesson = pages[site / lang / "notebooks" / "25_first_lesson.html"]
    assert "solutions/25_first_lesson.html" in lesson.xpath("//article//a/@href")
    solutions = pages[site / lang / "notebooks" / "solutions" / "25_first_lesson.html"]
    assert "../25_first_lesson.html" in solutions.xpath("//article//a/@href")
    cards = pages[site / lang / "index.html"].xpath("//div[@class='gallery']//a/@href")
    assert len(cards) == len(find_notebooks())
    assert not [card for card in cards if "solutions" in card]


def test_nothing_but_pages_ships(site):
    assert {path.name for path in site.iterdir()} == {"index.html", "en", "zh"}
    assert not list(site.rglob("*.ipynb"))
    assert not list(site.rglob(".doctrees"))


def test_terms_of_chinese_search():
    assert index_terms("cxstats：净推荐值") == [
        "cxstats", "净", "推", "荐", "值", "净推", "推荐", "荐值",
    ]  # fmt: skip
    assert index_terms("") == []


def only(*texts):
    """A collection of one notebook."""
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    return {"en": {"00_one": nbformat.v4.new_notebook(cells=cells)}}


@pytest.fixture
def _bare(monkeypatch):
    """The least that a site needs beside its notebooks."""
    monkeypatch.setattr(sources, "PAGES", ())
    monkeypatch.setattr(sources, "reference_pages", lambda lang: {"reference": "# Reference\n"})
    monkeypatch.setattr(sources, "glossary_page", lambda lang: "# Glossary\n")
    monkeypatch.setattr(sources, "linked", lambda text, *_: text)
    monkeypatch.setattr(sources, "_audit_page", lambda lang: "# Audit\n")
    monkeypatch.setattr(sources, "_facts_page", lambda lang: "# Facts\n")
    monkeypatch.setattr(sources, "_changes_page", lambda lang: "# Changes\n")


@pytest.mark.usefixtures("_bare")
@pytest.mark.parametrize(
    "link",
    ["[gone](99_gone.ipynb)", "[gone](00_one.ipynb#no-such-section)", "![gone](gone.png)"],
)
def test_a_link_that_leads_nowhere_is_an_error(tmp_path, link):
    folder = tmp_path / "site"
    assert build_site(only("# One\n\nText."), folder).is_file()
    with pytest.raises(ReproductionError, match=r"site: 1 problems; the first: .*00_one"):
        build_site(only("# One\n\nText.", link), folder)
    assert (folder / "en" / "index.html").is_file(), "the site that stood there stays"


def test_links_lead_to_notebooks_and_to_their_solutions():
    text = "[Two](02_two.ipynb#part) and [solutions](solutions/02_two.ipynb)."
    two, solved = "../notebooks/02_two.ipynb#part", "../notebooks/solutions/02_two.ipynb"
    assert sources._links(text, "../") == f"[Two]({two}) and [solutions]({solved})."


def test_plain_pages_ask_for_nothing(tmp_path):
    """The pages of ``cxstats reproduce NOTEBOOK``: no script, nothing from elsewhere."""
    names = ("05_servqual_gaps", "24_formulas_of_the_sources")
    paths = [path for path in find_notebooks() if path.stem in names]
    runs = [Run(path, read_notebook(path), "", b"") for path in paths]
    write_site(runs, tmp_path)
    written = sorted(tmp_path.rglob("*.html"))
    assert len(written) == 3
    for path in written:
        text, page = path.read_text(encoding="utf-8"), html.parse(path).getroot()
        assert "<script" not in text.lower()
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", text)
        assert all(link.startswith("data:") for link in page.xpath(FETCHED)), path
        assert not page.xpath("//@*[starts-with(name(), 'on')]"), path
