"""Every page of text in Chinese: nothing missing or stale; the same numbers, code and links."""

import io
import re
import tokenize
from collections import Counter
from pathlib import Path

import pytest

from cxstats.app.translations import key_of, page_twin
from cxstats.core.paths import collection_folder
from tests.page_in_chinese import Texts, in_chinese

PAGES = sorted((collection_folder() / "pages").glob("*.md"))
# By a command, with its texts.
WRITTEN = {
    page: Path(__file__).parents[1] / command / "page_texts.csv"
    for page, command in {"speed": "benchmarks", "coverage": "coverage"}.items()
}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")
NUMBER = re.compile(
    r"(?<![\w.])(\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)\s*(million|万|亿)?(?![a-zA-Z_\d])|"
    r"\b(January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
TIMES = {"million": 1e6, "万": 1e4, "亿": 1e8, "": 1.0}
MONTHS = NUMBER.pattern.split(r"\b(")[1].split(")")[0].split("|")


def in_both(path):
    return [file.read_text(encoding="utf-8") for file in (path, page_twin(path, "zh"))]


def numbers(text):
    """Count the numbers of prose and tables, months among them, whatever unit they are in."""
    prose = re.sub(r"`[^`]+`|<!--.*?-->", " ", LINK.sub("] ", BLOCK.sub("", text)))
    return Counter(
        float(MONTHS.index(month) + 1)
        if month
        else round(float(digits.replace(",", "")) * TIMES[unit], 6)
        for digits, unit, month in NUMBER.findall(prose)
    )


def code(text):
    """Return the blocks of code without their comments."""
    return [
        (language, _without_comments(language, block)) for language, block in BLOCK.findall(text)
    ]


def _without_comments(language, block):
    if language != "python":
        return [line.partition("#")[0].split() for line in block.splitlines()]
    tokens = tokenize.generate_tokens(io.StringIO(block).readline)
    return [token.string for token in tokens if token.type not in (tokenize.COMMENT, tokenize.NL)]


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def path(request):
    return request.param


def test_translation_is_of_the_text_as_it_is(path):
    english, chinese = in_both(path)
    key = re.match(r"<!-- ([0-9a-f]{8}) -->\n", chinese)
    assert key, f"{page_twin(path, 'zh')} does not begin with the key of the English text"
    assert key[1] == key_of(english), (
        f"{path.name} changed: translate it anew, then put <!-- {key_of(english)} --> on top"
    )


def test_no_translation_is_of_a_page_that_is_gone():
    twins = {path.name for path in page_twin(PAGES[0], "zh").parent.glob("*.md")}
    assert twins == {path.name for path in PAGES}


def test_numbers_are_the_same(path):
    english, chinese = in_both(path)
    if path.stem == "formulas":  # some formulas are words; their numbers belong to the case studies
        return
    assert numbers(english) == numbers(chinese)


def test_code_is_the_same(path):
    english, chinese = in_both(path)
    assert code(english) == code(chinese)
    indented = [re.findall(r"^    .+$", BLOCK.sub("", text), re.M) for text in (english, chinese)]
    assert indented[0] == indented[1]
    spans = [
        Counter(" ".join(span.split()) for span in re.findall(r"`[^`]+`", BLOCK.sub("", text)))
        for text in (english, chinese)
    ]
    assert spans[0] == spans[1]


def test_headings_tables_and_links_are_the_same(path):
    english, chinese = in_both(path)
    for marks in (r"^#+ ", r"^- ", r"^\|---", r"!\["):
        counts = [re.findall(marks, BLOCK.sub("", text), re.M) for text in (english, chinese)]
        assert counts[0] == counts[1]
    rows = [[line.count("|") for line in text.splitlines() if line.startswith("|")]
            for text in (english, chinese)]  # fmt: skip
    assert rows[0] == rows[1]
    leads = [
        Counter((file.parent / target).resolve() for target in LINK.findall(text))
        for file, text in zip((path, page_twin(path, "zh")), (english, chinese), strict=True)
    ]
    site = {target for target in leads[0] if target.parent == path.parent.resolve()}
    # A link between pages leads to the page of the same language.
    twins = Counter({page_twin(t, "zh") if t in site else t: n for t, n in leads[0].items()})
    assert leads[1] == twins
    assert all(target.exists() for target in leads[1])


def test_prose_is_chinese(path):
    """No line of prose, heading or head of a table stayed English."""
    chinese = BLOCK.sub("", in_both(path)[1])
    plain = re.sub(r"`[^`\n]+`|<!--.*?-->|\]\([^)]*\)", "", chinese)
    for line in plain.splitlines():
        if line.startswith("    "):
            continue
        versions = len(re.findall(r" \d+\.\d", line)) > 2
        if len(re.findall(r"\b[A-Za-z]{3,}\b", line)) > 4 and not versions:
            assert re.search("[\u4e00-\u9fff]", line), line


@pytest.mark.parametrize(("page", "texts"), WRITTEN.items())
def test_page_of_a_command_has_the_figures_of_the_run(page, texts):
    english, chinese = in_both(collection_folder() / "pages" / f"{page}.md")
    assert chinese.partition("\n")[2] == in_chinese(english, Texts(texts)), (
        f"run tests.{texts.parent.name}"
    )


def test_every_size_that_is_measured_has_chinese():
    """The command would stop after its minutes of work."""
    source = (WRITTEN["speed"].parent / "sizes.py").read_text(encoding="utf-8")
    names = re.findall(r"(?:measured\(\s*|name = )f?\"([^\"]+)\"", source)
    assert len(names) > 12
    speed = Texts(WRITTEN["speed"])
    for name in names:
        speed.chinese(re.sub(r"\{[^}]+\}", "7", name).strip())


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.csv"
    rows = ["en,zh", "Speed,速度", "work,任务", '"n = {n}, at most",最多 {n}', "a fit,拟合"]
    path.write_text("\n".join([*rows, '"in {*what}, done",完成：{what}']), encoding="utf-8")
    return Texts(path)


def test_in_chinese(texts):
    page = (
        "# Speed\n\nin one,\ntwo, done\n\n| work | n = 5, at most |\n|---|---|\n| a fit, 3 | 2 |\n"
    )
    chinese = "# 速度\n\n完成：one, two\n\n| 任务 | 最多 5 |\n|---|---|\n| 拟合，3 | 2 |\n"
    assert in_chinese(page, texts) == chinese


def test_a_text_without_chinese_is_named(texts):
    with pytest.raises(KeyError, match="no Chinese for 'a bootstrap'"):
        in_chinese("| a fit, a bootstrap | 2 |", texts)


def test_numbers_count_units_and_months():
    english = "1.5 million answers of 3, November 2026, 5 % and `x=4`; 1,000 F21 .85"
    assert numbers(english) == numbers("2026 年 11 月，150 万份回答中的 3 份，5%；1,000，.85")
    assert numbers("12") != numbers("13")
