"""The site in a real browser, opened from its folder: what a reader sees, presses and hears."""

import re
import shutil
from collections import defaultdict

import pytest

PLAYWRIGHT = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
AXE = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en")
PAGES = ("index", "notebooks/09_nps_csat_ces", "audit", "glossary", "reference_service")
# Colours are all that differs in the dark.
RULES = {
    "light": {"preload": False, "resultTypes": ["violations"]},
    "dark": {"preload": False, "resultTypes": ["violations"], "runOnly": ["color-contrast"]},
}
PHONE, DESK = (390, 800), (1280, 900)


@pytest.fixture(scope="module")
def browser():
    with PLAYWRIGHT.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, site):
    """Open pages; at the end none may have logged an error or asked for another machine."""
    contexts, complaints = [], defaultdict(list)

    def opened(lang, name, size=DESK, scheme="light"):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
        )
        contexts.append(context)

        def decide(route):
            if route.request.url.startswith(site.as_uri()):
                route.continue_()
            else:
                complaints["asked for"].append(route.request.url)
                route.abort()

        context.route("**/*", decide)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints["error"].append(str(error)))
        page.on(
            "console",
            lambda said: said.type == "error" and complaints["console"].append(said.text),
        )
        page.goto(f"{site.as_uri()}/{lang}/{name}.html")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_shuts_a_reader_out(open_page, lang, scheme):
    """The rules of axe-core, of which those with a serious or critical impact decide."""
    for name in PAGES:
        page = open_page(lang, name, scheme=scheme)
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        violations = AXE.Axe().run(page, options=RULES[scheme]).response["violations"]
        severe = {
            (rule["id"], node["html"][:120])
            for rule in violations
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        }
        assert not severe, name


def test_axe_would_find_something(open_page):
    page = open_page("en", "index")
    page.evaluate("document.querySelector('.card img').removeAttribute('alt')")
    found = AXE.Axe().run(page, options=RULES["light"]).response["violations"]
    assert "image-alt" in {rule["id"] for rule in found}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_no_page_scrolls_sideways(open_page, lang, size):
    for name in (*PAGES, "facts", "reference", "pages/tour", "pages/formulas", "search", "cite"):
        page = open_page(lang, name, size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name


def test_a_chart_on_a_phone_keeps_its_size_and_scrolls_by_itself(open_page):
    page = open_page("en", "notebooks/09_nps_csat_ces", PHONE)
    widths = page.evaluate(
        """[...document.querySelectorAll(".cell_output img")].map((image) => {
             let box = image.parentElement;
             while (box && getComputedStyle(box).overflowX !== "auto") box = box.parentElement;
             return [image.clientWidth, box ? box.clientWidth : 0];
           })"""
    )
    assert len(widths) > 3
    for chart, box in widths:
        assert chart >= 600
        assert 0 < box <= PHONE[0]


@pytest.mark.parametrize(
    ("lang", "words", "title"),
    [
        ("en", "detractors", "NPS"),
        ("zh", "推荐者", "净推荐值"),
        ("zh", "净推荐值的标准误", "术语表"),  # no entry of the index is as long
        ("zh", "SERVQUAL 差距", "SERVQUAL"),
    ],
)
def test_search_finds_a_page(open_page, lang, words, title):
    page = open_page(lang, "index")
    page.goto(page.url.replace("index.html", f"search.html?q={words}"))
    page.wait_for_selector("#search-results li a")
    titles = page.locator("#search-results li a").all_inner_texts()
    assert any(title in text for text in titles), titles


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_search_says_when_there_is_nothing(open_page, lang):
    page = open_page(lang, "index")
    page.goto(page.url.replace("index.html", "search.html?q=魑魅魍魉"))
    page.wait_for_function("document.querySelector('#search-results .search-summary').innerText")
    assert page.locator("#search-results li").count() == 0


def cells(page, column):
    rows = page.locator("table.sortable tbody tr:not([hidden])")
    return rows.locator(f"td:nth-child({column})").all_inner_texts()


def test_audit_sorts_and_filters(open_page):
    page = open_page("en", "audit")
    everything = cells(page, 1)
    head = page.locator("table.sortable th").first
    button = head.locator("button")
    button.focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert cells(page, 1) == sorted(everything)
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert cells(page, 1) == sorted(everything, reverse=True)
    box = page.get_by_label("Filter the rows")
    box.fill("NPS")
    rows = page.locator("table.sortable tbody tr:not([hidden])").all_inner_texts()
    assert 0 < len(rows) < len(everything)
    assert all("nps" in row.lower() for row in rows)
    box.fill("")
    assert len(cells(page, 1)) == len(everything)


def test_audit_sorts_numbers_as_numbers(open_page):
    page = open_page("en", "audit")
    page.locator("table.sortable th button").nth(2).click()
    numbers = [
        float(re.sub(r"[\s%+,]", "", text).replace("−", "-"))
        for text in cells(page, 3)
        if re.fullmatch(r"[+−]?[\d.,]+\s?%?", text)
    ]
    assert len(numbers) > 10
    assert numbers == sorted(numbers)


def test_the_switch_leads_to_the_same_page(open_page):
    for name in PAGES:
        page = open_page("en", name)
        page.locator("a.language:visible").first.click()
        assert page.url.endswith(f"/zh/{name}.html")
        assert page.locator("html").get_attribute("lang") == "zh-CN"
        page.locator("a.language:visible").first.click()
        assert page.url.endswith(f"/en/{name}.html")


def test_the_first_page_leads_to_the_language_of_the_reader(browser, site):
    for locale, lang in (("zh-CN", "zh"), ("de-DE", "en")):
        context = browser.new_context(locale=locale)
        page = context.new_page()
        page.goto(f"{site.as_uri()}/index.html")
        page.wait_for_url(f"**/{lang}/index.html")
        context.close()


def test_keyboard_reaches_doors_cards_and_the_way_past_the_menu(open_page):
    page = open_page("en", "index")
    page.keyboard.press("Tab")
    assert "skip" in page.evaluate("document.activeElement.innerText.toLowerCase()")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        kind = page.evaluate("document.activeElement.className")
        reached |= {kind} & {"door", "card"}
        if kind == "card":
            break
    assert reached == {"door", "card"}
    page.keyboard.press("Enter")
    page.wait_for_url("**/notebooks/*.html")


def test_a_phone_reaches_the_menu_and_the_other_language(open_page):
    page = open_page("en", "audit", PHONE)
    page.locator("button.primary-toggle").first.click()
    switch = page.locator("a.language:visible")
    switch.first.click()
    assert page.url.endswith("/zh/audit.html")
