"""The tables of the sources: both languages, headings, and a notebook that shows each."""

import re

import nbformat
import pytest

import cxstats as cx
from cxstats.app.reproduce import find_notebooks
from cxstats.cases.facts import read_facts
from cxstats.cases.files import case_folder, source_titles
from cxstats.cases.tables import KINDS

CHINESE = re.compile(r"[\u4e00-\u9fff]")
TABLES = sorted(path.stem for path in (case_folder() / "tables").glob("*.csv"))


@pytest.fixture(params=TABLES)
def table(request):
    return cx.case_table(request.param)


def test_every_file_is_in_the_index():
    assert sorted(cx.load_tables()) == TABLES


def test_says_where_it_stands(table):
    assert table.source in source_titles()
    assert table.kind in KINDS
    assert table.section.en
    assert table.section.zh
    assert not CHINESE.search(table.title.en + table.section.en + table.note.en)
    assert CHINESE.search(table.title.zh)
    assert bool(table.note.en) == bool(table.note.zh)
    if table.kind == "list":
        assert not any(head.printed for head in table.heads)


def test_every_column_has_a_head_and_both_languages(table):
    columns = [re.sub("_(en|zh)$", "", column) for column in table.cells]
    assert [head.column for head in table.heads] == list(dict.fromkeys(columns))
    for column in table.cells:
        if column.endswith("_en"):
            english, chinese = table.cells[column], table.cells[f"{column[:-3]}_zh"]
            assert not english.str.contains(CHINESE).any()
            assert ((english == "") == (chinese == "")).all()
    for lang in ("en", "zh"):
        frame = table.frame(lang)
        assert frame.shape == (len(table.cells), len(table.heads))
        assert frame.columns.is_unique
        assert not (frame == "").any(axis=None)
        assert frame.attrs["title"] == table.title.get(lang)


def test_facts_that_a_table_names_are_of_its_document(table):
    facts = {fact.id: fact for fact in read_facts()}
    for column in table.cells.columns.intersection(["fact", "facts"]):
        for name in ", ".join(table.cells[column]).split(", "):
            assert not name or facts[name].source == table.source, name


def test_numbers_are_those_of_the_facts():
    facts = {fact.id: fact for fact in read_facts()}
    tables = cx.load_tables()
    for name in ("process_results", "training_results"):
        for _, row in tables[name].iterrows():
            fact = facts[row["fact"]]
            before, after = (row.filter(regex=f"^{side}").iloc[0] for side in ("before", "after"))
            assert (float(fact.before), float(fact.after)) == (before, after)
            if name == "training_results":
                assert float(fact.printed_change) == row["printed_change_percent"]
    tiers = [float(facts[f"F{n:03d}"].value) for n in (30, 31, 32)]
    assert tables["service_tiers"]["share_percent"].tolist() == tiers
    pains = tables["bank_pain_points"]
    assert [float(facts[name].value) for name in pains["fact"]] == pains["share_percent"].tolist()
    weights = [float(facts[f"F{n:03d}"].value) for n in range(79, 83)]
    assert tables["synergy_matrix"]["weight"].tolist() == weights


# Table, its rows, and a cell as it is printed under its heading.
PRINTED = [
    ("blueprint_bank", 8, 0, "层次", "客户任务层"),
    ("blueprint_bank", 8, 5, "描述", "资金调拨，确保业务顺利进行"),
    ("access_matrix", 4, 0, "数据访问权限（一）", "客户基本信息"),
    ("component_lists", 28, 27, "组成部分", "弱链接"),
    ("journey", 5, 0, "阶段", "认知阶段"),
    ("touchpoints", 6, 2, "服务", "服务传递"),
    ("process_results", 2, 1, "优化后", 0.1),
    ("training_results", 2, 0, "技能提升比例", 33.3),
    ("ecommerce_case", 4, 2, "取得成效", "客户反馈满意度+40%，平均响应时间−50%"),
    ("service_tiers", 3, 2, "处理量占比", 10),
    ("synergy_matrix", 4, 0, "协同权重", 0.3),
]


@pytest.mark.parametrize(("name", "rows", "row", "head", "cell"), PRINTED)
def test_cells_and_headings_as_printed(name, rows, row, head, cell):
    frame = cx.load_tables("zh")[name]
    assert len(frame) == rows
    assert frame[head].iloc[row] == cell


def test_seven_lists_of_components():
    lists = cx.load_tables()["component_lists"].groupby("list")["no"]
    assert lists.max().tolist() == [4, 3, 4, 3, 4, 5, 5]
    assert all(list(numbers) == list(range(1, len(numbers) + 1)) for _, numbers in lists)


def test_shows_both_languages_that_of_the_reader_first():
    table = cx.case_table("blueprint_bank")
    html = table._repr_html_()
    assert html.index("observe surroundings") < html.index("观察环境")
    assert "document 004, 2.1 (6)" in html
    assert "文献 004" in html
    cx.set_language("zh")
    try:
        html = table._repr_html_()
        assert html.index("观察环境") < html.index("observe surroundings")
        assert repr(table).startswith("银行网点服务蓝图")
    finally:
        cx.set_language("en")


def test_what_is_printed_nowhere_is_a_dash_and_text_is_escaped():
    from dataclasses import replace

    table = cx.case_table("blueprint_history")
    assert table.frame("en").iloc[2, 1] == "–"
    marked = replace(table, title=table.title._replace(en="<script>"))
    assert "<script>" not in marked._repr_html_()


def test_no_such_table():
    with pytest.raises(cx.CxError, match=r"no table .nonsense.; allowed: .*journey"):
        cx.case_table("nonsense")


def pages_of_notebooks():
    """Return what the committed notebooks show as HTML, one text a notebook."""
    for path in find_notebooks():
        cells = nbformat.read(path, as_version=4).cells
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        yield "\n".join(output.get("data", {}).get("text/html", "") for output in outputs)


def test_a_notebook_shows_every_table_with_its_section_in_both_languages():
    pages = "\n".join(pages_of_notebooks())
    assert [name for name in TABLES if cx.case_table(name)._repr_html_() not in pages] == []
