"""What a facts file may not be: each problem is named with file, row, column and value."""

import csv
import re

import pytest

import cxstats as cx
from cxstats.cases import read_facts
from cxstats.cases.facts import COLUMNS, KINDS
from cxstats.cases.files import case_folder, read_formulas, read_rows, source_titles, units
from cxstats.cases.own_figures import template

GOOD = {
    "id": "X1",
    "kind": "before_after",
    "quantity_en": "response time",
    "unit": "minute",
    "before": "5",
    "after": "2",
    "printed_change": "-60",
    "better": "down",
}


def write(path, *rows, columns=COLUMNS, encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "client.csv"


def test_own_figures_are_audited(file):
    rows = [GOOD, GOOD | {"id": "X2", "printed_change": "-61"}]
    result = cx.audit(write(file, *rows, encoding="utf-8-sig"))
    assert [fact.agrees for fact in result.facts] == [True, False]
    assert "printed: −61 %" in result.facts[1].reason.en
    assert result.checks == result.formulas == result.source_errors == ()
    assert cx.load_facts(file)["before"].tolist() == [5, 5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": "furlong"}, r"client.csv, row 3, column 'unit': 'furlong' .*allowed: '%'"),
        ({"kind": "guess"}, r"row 3, column 'kind': 'guess'"),
        ({"better": "more"}, r"row 3, column 'better': 'more'"),
        ({"before": "five"}, r"row 3, column 'before': 'five' is not a number"),
        ({"before": "1,250"}, r"row 3, column 'before': '1,250' is not a number"),
        ({"after": "33.3%"}, r"row 3, column 'after': '33.3%' is not a number"),
        ({"after": "NaN"}, r"row 3, column 'after': 'NaN' is not a number"),
        ({"after": "１２"}, r"row 3, column 'after': '１２' is not a number"),
        ({"after": "1.2.3"}, r"row 3, column 'after': '1.2.3' is not a number"),
        ({"after": ""}, r"row 3, column 'after': empty, but a 'before_after' fact needs it"),
        ({"before": "1" * 16}, r"row 3, column 'before': '1{16}' is not a number; .*15 digits"),
        ({"quantity_en": ""}, r"row 3, columns 'quantity_en' and 'quantity_zh': both empty"),
        ({"id": "X1"}, r"row 3, column 'id': 'X1' stands in row 2 too"),
        ({"id": " "}, r"row 3, column 'id': empty"),
        ({"kind": "derived"}, r"row 3, column 'kind': derived facts are computed"),
    ],
)
def test_bad_cells_are_named(file, change, message):
    write(file, GOOD, GOOD | {"id": "X2"} | change)
    with pytest.raises(cx.DataError, match=message):
        cx.audit(file)


def test_all_problems_are_kept(file):
    write(file, GOOD | {"unit": "furlong", "before": "x"}, GOOD | {"id": "X2", "better": "?"})
    with pytest.raises(cx.DataError, match="and 2 more") as caught:
        read_facts(file)
    assert len(caught.value.problems) == 3


def test_missing_columns_are_named_in_one_line(file):
    file.write_text("id,kpi,befor\nX1,speed,3\n", encoding="utf-8")
    with pytest.raises(cx.DataError) as caught:
        cx.audit(file)
    missing, unknown = caught.value.problems
    assert "columns missing: before, after, printed change; needed: id, quantity, b" in missing
    assert "column 'befor' is not known; nearest: 'before'" in unknown
    with pytest.raises(cx.DataError, match=r"columns missing: 'b', 'd'; needed: a, b, c, d"):
        read_rows(write(file, {"a": "1", "c": "2"}, columns=["a", "c"]), ["a", "b", "c", "d"])


FIVE = [
    "id,quantity,before,after,printed change",
    "编号,指标,改造前,改造后,变化幅度",
    "ID,Indicator,Value before,value_after,Published Change",
    "　编号,指标名称,之前,之后,印出变化",
]


@pytest.mark.parametrize("head", FIVE)
def test_five_columns_suffice_in_either_language(file, head):
    file.write_text(f"{head}\nX1,推荐值,32,68,113\nX2,time,5,2,-61 %\n", encoding="utf-8")
    result = cx.audit(file)
    assert [fact.verdict for fact in result.facts] == ["agrees", "contradicted"]
    assert result.facts[0].fact.name("zh") == "推荐值"
    assert cx.load_facts(file)["printed_change"].tolist() == [113, -61]


# before, after, printed change -> verdict, what the reason says
CHANGES = [
    ("32", "68", "+113 %", "agrees", "Recomputed: 112.5 %."),
    ("32", "68", "112 %", "contradicted", "printed: 112 %."),  # half up, not half to even
    ("200", "109", "−45.5％", "agrees", "−45.5 %"),
    ("45%", "89 %", "+44 pp", "agrees", "Recomputed: 44 points."),
    ("45%", "89%", "44个百分点", "agrees", "44 points"),
    ("45%", "89%", "+43 points", "contradicted", "printed: 43 points"),
    ("45%", "89%", "+44 %", "contradicted", "printed: 44 %, which is the change in points"),
    ("100", "55", "45 %", "contradicted", "the sign is the other way"),
    ("100", "55", "下降45%", "agrees", "−45 %"),
    ("100", "55", "45% ↓", None, "'45% ↓' is not a number"),
    ("17", "50", "×3", "agrees", "Recomputed: ×2.9412."),
    ("17", "50", "2.9x", "agrees", "×2.9"),
    ("17", "50", "3倍", "agrees", "×2.9"),
    ("17", "50", "增长3倍", None, "'增长3倍' is not a number"),  # to 3 times, or by 3 times?
    ("17", "50", "×4", "contradicted", "printed: ×4"),
    ("100", "141", "≥ 40%", "agrees", "41 %"),
    ("100", "141", "约40%", "recomputed", "how near"),
    ("", "", "-18%", "as_reported", "no base"),
    ("0", "20", "+20 points", "agrees", "20 points"),
    ("1,250", "20", "", None, "'1,250' is not a number"),
    ("5", "", "", None, "column 'after': empty"),
]


@pytest.mark.parametrize(("before", "after", "change", "verdict", "reason"), CHANGES)
def test_changes_as_people_print_them(file, before, after, change, verdict, reason):
    row = {"id": "X1", "quantity": "q", "before": before, "after": after, "printed change": change}
    write(file, row, columns=list(row))
    if verdict is None:
        with pytest.raises(cx.DataError, match=re.escape(reason)):
            cx.audit(file)
        return
    fact = cx.audit(file).facts[0]
    assert (fact.verdict, reason in fact.reason.en) == (verdict, True)


def test_heads_that_mean_the_same_are_named(file):
    file.write_text("id,编号,quantity,before,after,change\nX1,X1,q,1,2,100\n", encoding="utf-8")
    with pytest.raises(cx.DataError, match="column 'id' stands there twice: 'id', '编号'"):
        cx.audit(file)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_template_is_a_file_that_is_audited(file, lang):
    file.write_text(template(lang), encoding="utf-8")
    result = cx.audit(file)
    assert [fact.agrees for fact in result.facts] == [True, True, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "client.csv: the file is empty"),
        (";".join(COLUMNS) + "\n", "separated by ';'; allowed: commas"),
        ("\t".join(COLUMNS) + "\n", "separated by '.t'; allowed: commas"),
        ("PK\x03\x04", "an Excel workbook, not CSV"),
        (",".join(COLUMNS) + "\n", "no rows below its header"),
        (",".join((*COLUMNS, "colour")) + "\n", "column 'colour' is not known"),
        (",".join((*COLUMNS, "id")) + "\n", "column 'id' stands there twice: 'id', 'id'"),
        (",".join(COLUMNS) + "\nX1,a\n", "row 2: 2 cells where the header has"),
        (",".join(COLUMNS) + '\n"X1', "row 2: not CSV: "),
    ],
)
def test_broken_files(file, text, message):
    file.write_text(text, encoding="utf-8")
    with pytest.raises(cx.DataError, match=message):
        cx.audit(file)


def test_other_encodings(file):
    file.write_bytes(b"id,kind\n" + "编号".encode("gb18030"))
    with pytest.raises(cx.DataError, match="row 2: not UTF-8 at byte 8"):
        cx.audit(file)


def test_no_file(tmp_path):
    with pytest.raises(cx.DataError, match=r"none.csv: cannot be read: No such file"):
        cx.audit(tmp_path / "none.csv")
    with pytest.raises(cx.DataError, match="cannot be read: Is a directory"):
        cx.audit(tmp_path)


def test_published_files_hold_nothing_derived():
    header = (case_folder() / "facts.csv").read_text(encoding="utf-8").split("\n", 1)[0]
    assert header.split(",") == list(COLUMNS)
    for fact in read_facts():
        if fact.derived:
            assert fact.before is fact.after is fact.value is fact.printed_change is None


def test_rows_of_empty_cells_are_no_facts(file):
    write(file, GOOD)
    with file.open("a", encoding="utf-8") as handle:
        handle.write("," * (len(COLUMNS) - 1) + "\n")
    assert len(read_facts(file)) == 1


def test_a_file_in_chinese_alone(file):
    write(file, GOOD | {"quantity_en": "", "quantity_zh": "响应时间"})
    assert read_facts(file)[0].name("en") == "响应时间"


# before, after, printed change, unit -> what the audit says
UNUSUAL = [
    (
        {"before": "0", "after": "20", "unit": "NPS points", "printed_change": ""},
        None,
        "+20 points",
    ),
    (
        {"before": "-10", "after": "20", "unit": "NPS points", "printed_change": "300"},
        None,
        "+30 points",
    ),
    (
        {"before": "0.001", "after": "0.004", "unit": "%", "printed_change": "300"},
        True,
        "+0.003 points (+300 %)",
    ),
    (
        {"before": "0.3", "after": "0.25", "unit": "weight", "printed_change": "-17"},
        True,
        "−5 points (−17 %)",
    ),
    ({"before": "100", "after": "145", "printed_change": "40", "qualifier": ">="}, True, "+45 %"),
    ({"before": "100", "after": "139", "printed_change": "40", "qualifier": ">="}, False, "+39 %"),
    ({"before": "100", "after": "59", "printed_change": "-40", "qualifier": ">"}, True, "−41 %"),
    ({"before": "100", "after": "141", "printed_change": "40", "qualifier": "~"}, None, "+41 %"),
]


@pytest.mark.parametrize(("change", "agrees", "text"), UNUSUAL)
def test_unusual_bases_units_and_qualifiers(file, change, agrees, text):
    fact = cx.audit(write(file, GOOD | change)).facts[0]
    assert fact.agrees is agrees
    assert fact.change_text() == text


def test_facts_say_where_they_stand():
    for fact in read_facts():
        assert fact.source in source_titles()
        assert fact.section.en
        assert fact.section.zh
        assert fact.kind in KINDS
        assert bool(fact.note.en) == bool(fact.note.zh)


def test_printed_precision_is_kept():
    facts = {fact.id: fact for fact in read_facts()}
    assert str(facts["F078"].printed_change) == "-45.6"
    assert str(facts["F049"].before) == "3.0"


def test_formulas_and_errors():
    names = [formula.id for formula in read_formulas()]
    expected = [f"A{n:02d}" for n in range(1, 23)] + [f"B{n:02d}" for n in range(1, 4)]
    expected += [f"C{n:02d}" for n in range(1, 5)] + [f"D{n:02d}" for n in range(1, 10)]
    assert names == expected + [f"E{n:02d}" for n in range(1, 6)]
    formulas = cx.load_formulas().set_index("id")
    assert formulas.loc["D06", "status"] == "given, invalid"
    assert formulas.loc["A19", "status"] == "lost"
    assert len(cx.load_source_errors()) == 24


def test_errors_name_sections_of_documents():
    errors = cx.load_source_errors().set_index("id")
    assert list(errors.index) == [f"S{n:02d}" for n in range(1, 25)]
    assert {s for cell in errors["source"] for s in cell.split("; ")} <= set(source_titles())
    assert not (errors == "").any(axis=None)


def test_units_have_a_measure():
    assert {unit.measure for unit in units().values()} == {
        "amount",
        "rate",
        "fraction",
        "index",
        "lost",
    }
    assert all(fact.unit.name in units() for fact in read_facts())
