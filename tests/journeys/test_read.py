"""Reading blueprints: what is allowed, in every form, and what is said of what is not."""

import copy
import re

import numpy as np
import pandas as pd
import pytest
import yaml

import cxstats as cx
from cxstats.core.paths import data_folder
from cxstats.journeys.blueprint.read import SHIPPED
from tests.journeys.blueprints import SMALL, small


def write(tmp_path, content, name="b.yml"):
    path = tmp_path / name
    text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def problems(content):
    with pytest.raises(cx.DataError) as error:
        cx.blueprint(content)
    return error.value.problems


def test_a_file_and_a_mapping_say_the_same(tmp_path):
    read = cx.blueprint(write(tmp_path, SMALL))
    assert read.specification == cx.blueprint(SMALL).specification


BAD_ELEMENTS = [
    ({"layer": "middle"}, r"layer: 'middle' is not allowed; allowed: 'evidence', 'customer'"),
    ({"layer": None}, r"key 'layer' is missing"),
    ({"layer": ["frontstage", "backstage"]}, r"one layer; an element in two is two elements"),
    ({"time": -1}, r"time: -1 is not allowed; allowed: numbers from 0 upwards"),
    ({"wait": {"mean": -0.5}}, r"wait.mean: -0.5 is not allowed"),
    ({"time": "5"}, r"time: '5' is not allowed; allowed: numbers from 0 upwards"),
    ({"time": "5 min"}, r"time: '5 min' is not allowed"),
    ({"time": True}, r"time: True is not allowed"),
    ({"time": float("nan")}, r"time: nan is not allowed"),
    ({"time": float("inf")}, r"time: inf is not allowed"),
    ({"time": 10**400}, r"time: a number of about 401 digits is not allowed"),
    ({"time": {"mean": 5, "sd": -1}}, r"time.sd: -1 is not allowed"),
    ({"time": {"mean": 5, "n": 0}}, r"time.n: 0 is not allowed; allowed: whole numbers from 1"),
    ({"time": {"mean": 5, "n": 2.5}}, r"time.n: 2.5 is not allowed; allowed: whole numbers"),
    ({"time": {"sd": 1}}, r"time: key 'mean' is missing"),
    ({"time": {"mean": 5, "low": 1}}, r"key 'low' is not known; allowed: mean, sd, n"),
    ({"time": [1, -2]}, r"time, value 2: -2 is not allowed"),
    ({"time": []}, r"time: \[\] is not allowed; allowed: a list of measured numbers"),
    ({"failure": 0.1}, r"failure: 0.1 is not allowed; allowed: a mapping of failed and n"),
    ({"failure": {"failed": 5, "n": 3}}, r"failure.failed: 5 is not allowed; allowed: at most n"),
    ({"failure": {"failed": 5}}, r"failure: 'failed' without 'n'"),
    ({"failure": {"failed": 0.5, "n": 3}}, r"failure.failed: 0.5 is not allowed"),
    ({"failure": {"share": 1.2}}, r"failure.share: 1.2 is not allowed; allowed: numbers from 0 to"),
    ({"failure": {"share": 2, "failed": 1, "n": 9}}, r"'share' beside 'failed'"),
    ({"failure": {"n": 9}}, r"failure: 'failed' is missing"),
    ({"failure": {"share": 0.1, "cost": -5}}, r"failure.cost: -5 is not allowed"),
    ({"failure": {"share": 0.1, "costs": 5}}, r"key 'costs' is not known; did you mean 'cost'\?"),
    ({"standard": 5}, r"standard: 5 is not allowed; allowed: a mapping of metric, limit"),
    ({"standard": {"metric": "wait"}}, r"standard: key 'limit' is missing"),
    ({"standard": {"metric": "wait", "limit": -1}}, r"standard.limit: -1 is not allowed"),
    ({"standard": {"metric": "failure_share", "limit": 5}}, r"standard.limit: 5 is not allowed"),
    ({"standard": {"metric": "x", "limit": 5}}, r"standard.direction: None is not allowed"),
    ({"standard": {"metric": "x", "limit": 5, "direction": "up"}}, r"'most' or 'least'"),
    ({"standard": {"metric": "wait", "limit": 5, "value": 3}}, r"a value of 'wait', which is"),
    ({"standard": {"metric": ["x"], "limit": 5}}, r"standard.metric: \['x'\] is not allowed"),
    ({"standard": [{"metric": "wait", "limit": 5}] * 2}, r"standard: 'wait' is limited twice"),
    ({"standard": {"metric": "x", "limit": 1, "direction": "most",
                   "value": {"count": 9, "n": 3}}}, r"standard.value.count: 9 is not allowed"),
    ({"name": ["x"]}, r"name: \['x'\] is not allowed; allowed: a text, or one for 'en'"),
    ({"name": {"de": "x"}}, r"name: \{'de': 'x'\} is not allowed"),
    ({"after_sale": "yes"}, r"after_sale: 'yes' is not allowed; allowed: true, false, 1, 0"),
    ({"colour": "red"}, r"key 'colour' is not known; allowed: id, layer"),
    ({"ownr": "x"}, r"key 'ownr' is not known; did you mean 'owner'\?"),
    ({"id": ""}, r"id: '' is not allowed"),
    ({"id": None}, r"key 'id' is missing"),
    ({"id": ["x"]}, r"id: \['x'\] is not allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), BAD_ELEMENTS)
def test_a_bad_element_is_named(change, message):
    said = problems(small(records=change))
    assert any(re.search(message, problem) for problem in said), said
    assert all("element 4" in p or "flow" in p for p in said)


BAD_FLOWS = [
    ({"from": "call", "to": "anwer"}, r"to: 'anwer' is not an element; did you mean 'answer'\?"),
    ({"from": "call"}, r"key 'to' is missing"),
    ({"from": "call", "to": "call"}, r"a flow from 'call' to itself"),
    ({"from": "call", "to": "answer"}, r"of kind 'flow' stands in flow 1 too"),
    ({"from": "call", "to": "look", "kind": "goods"}, r"kind: 'goods' is not allowed; allowed: "),
    ({"from": "call", "to": "look", "kind": ["flow"]}, r"kind: \['flow'\] is not allowed"),
    ({"from": "call", "to": "look", "share": 1}, r"key 'share' is not known; allowed: from, to"),
    ("call -> look", r"flow: 'call -> look' is not allowed; allowed: a mapping"),
    ({"from": "look", "to": "call"}, r"go in a circle: .*'call' -> 'answer' -> 'look'"),
]


@pytest.mark.parametrize(("flow", "message"), BAD_FLOWS)
def test_a_bad_flow_is_named(flow, message):
    content = small()
    content["flows"].append(flow)
    (said,) = problems(content)
    assert re.search(message, said), said
    assert "flow 6" in said or "circle" in said


BAD_HEADS = [
    ({"unit": "minutes"}, r"unit: 'minutes' is not allowed; allowed: 'second', 'minute'"),
    ({"unit": None}, r"key 'unit' is missing, that of all times"),
    ({"unit": 60}, r"unit: 60 is not allowed"),
    ({"units": "minute"}, r"key 'units' is not known; did you mean 'unit'\?"),
    ({"synthetic": "perhaps"}, r"synthetic: 'perhaps' is not allowed; allowed: true, false"),
    ({"stages": 3}, r"stages: 3 is not allowed"),
    ({"stages": ["a", "a"]}, r"stages: 'a' stands there twice"),
    ({"elements": "x"}, r"elements: 'x' is not allowed; allowed: a list"),
    ({"elements": []}, r"there are none; at least one is needed"),
    ({"flows": {"from": "a"}}, r"flows: \{'from': 'a'\} is not allowed; allowed: a list"),
    ({"elements": [5]}, r"element 1, element: 5 is not allowed; allowed: a mapping"),
]


@pytest.mark.parametrize(("change", "message"), BAD_HEADS)
def test_a_bad_head_is_named(change, message):
    said = problems({**small(), **change})
    assert any(re.search(message, problem) for problem in said), said


def test_a_doubled_id_and_an_element_in_two_layers():
    content = small()
    content["elements"] += [
        {"id": "call", "layer": "customer"},
        {"id": "look", "layer": "support"},
    ]
    said = problems(content)
    assert said[0] == "element 6, id: 'call' is doubled; it stands in element 1 too"
    assert "'look' is in two layers, 'backstage' and 'support'; an element is in one" in said[1]


def test_every_problem_is_listed_with_its_line(tmp_path):
    text = (
        "unit: week\n"
        "elements:\n"
        "  - {id: a, layer: customer, time: -2}\n"
        "  - id: b\n"
        "    layer: nowhere\n"
        "flows:\n"
        "  - {from: a, to: c}\n"
    )
    with pytest.raises(cx.DataError, match=r"\(and 3 more\)$") as error:
        cx.blueprint(write(tmp_path, text))
    places = [problem.split(": ")[0] for problem in error.value.problems]
    assert places[:2] == ["b.yml, line 3 ('a'), time", "b.yml, line 4 ('b'), layer"]
    assert places[2] == "b.yml, line 7, to"
    assert "the blueprint, unit" in places[3]


def test_files_that_are_none(tmp_path):
    with pytest.raises(cx.DataError, match=r"b\.yml: not YAML at line 2"):
        cx.blueprint(write(tmp_path, "a: [1"))
    with pytest.raises(cx.DataError, match="a blueprint is a mapping of keys"):
        cx.blueprint(write(tmp_path, "- 1"))
    with pytest.raises(cx.DataError, match="a blueprint is a mapping of keys"):
        cx.blueprint(write(tmp_path, ""))
    with pytest.raises(cx.DataError, match="key 'unit' stands twice"):
        cx.blueprint(write(tmp_path, "unit: day\nunit: hour"))
    with pytest.raises(cx.DataError, match="blueprints that ship: bank_branch, synthetic_"):
        cx.blueprint("no such file.yml")
    with pytest.raises(cx.DataError, match="cannot be read"):
        cx.blueprint(5)


def test_options_do_not_go_with_a_file():
    with pytest.raises(cx.CxError, match="unit beside a file or mapping, which says it itself"):
        cx.blueprint(SMALL, unit="day")
    with pytest.raises(cx.CxError, match="flows beside a file or mapping"):
        cx.blueprint("bank_branch", pd.DataFrame({"from": ["a"], "to": ["b"]}))
    with pytest.raises(cx.CxError, match="level is 95"):
        cx.blueprint(SMALL, level=95)


ELEMENTS = pd.DataFrame({
    "id": ["call", "answer", "look", "records", "letter"],
    "layer": ["customer", "frontstage", "backstage", "support", "evidence"],
    "name_en": ["call", "answer", "look up", "records", "letter"],
    "name_zh": ["来电", "接听", "查询", "档案", "信函"],
    "time": [1, 4, 3, np.nan, np.nan], "time_sd": [np.nan, 1, np.nan, np.nan, np.nan],
    "time_n": [np.nan, 40, np.nan, np.nan, np.nan],
    "wait": [np.nan, 6, np.nan, np.nan, np.nan], "wait_sd": [np.nan, 3, np.nan, np.nan, np.nan],
    "wait_n": [np.nan, 40, np.nan, np.nan, np.nan],
    "failed": [np.nan, 20, np.nan, 4, np.nan], "failure_n": [np.nan, 200, np.nan, 200, np.nan],
    "failure_cost": [np.nan, 50, np.nan, 400, np.nan],
    "standard_metric": [None, "wait", None, None, None],
    "standard_limit": [np.nan, 5, np.nan, np.nan, np.nan],
})  # fmt: skip
FLOWS = pd.DataFrame(SMALL["flows"])


def of_table(**options):
    return cx.blueprint(ELEMENTS, FLOWS, unit="minute", currency="CNY", **options)


def test_tables_say_the_same_as_a_file():
    content = small(answer={"standard": {"metric": "wait", "limit": 5}})
    mapped, tabled = cx.blueprint(content), of_table(title=SMALL["title"])
    assert repr(tabled.specification) == repr(mapped.specification)  # NaN differs from NaN
    pd.testing.assert_frame_equal(tabled.table, mapped.table)


def test_columns_in_any_order_mean_the_same():
    turned = cx.blueprint(ELEMENTS[ELEMENTS.columns[::-1]], FLOWS, unit="minute", currency="CNY")
    assert repr(turned.specification) == repr(of_table().specification)


def test_csv_and_excel_files(tmp_path):
    expected = repr(of_table().specification)
    ELEMENTS.to_csv(tmp_path / "e.csv", index=False)
    FLOWS.to_csv(tmp_path / "f.csv", index=False)
    options = {"unit": "minute", "currency": "CNY"}
    read = cx.blueprint(tmp_path / "e.csv", tmp_path / "f.csv", **options)
    assert repr(read.specification) == expected
    with pd.ExcelWriter(tmp_path / "b.xlsx") as book:
        ELEMENTS.to_excel(book, sheet_name="elements", index=False)
        FLOWS.to_excel(book, sheet_name="flows", index=False)
    assert repr(cx.blueprint(tmp_path / "b.xlsx", **options).specification) == expected
    with pd.ExcelWriter(tmp_path / "alone.xlsx") as book:
        ELEMENTS.to_excel(book, sheet_name="elements", index=False)
    assert len(cx.blueprint(tmp_path / "alone.xlsx", **options).flows) == 0


def test_a_bad_cell_is_named_by_its_row(tmp_path):
    bad = ELEMENTS.assign(time=[1, -4, 3, np.nan, np.nan])
    with pytest.raises(cx.DataError, match=r"^elements, row 1 \('answer'\), time.mean: -4.0 is"):
        cx.blueprint(bad, FLOWS, unit="minute")
    bad.to_csv(tmp_path / "e.csv", index=False)
    with pytest.raises(cx.DataError, match=r"^elements, row 3 \('answer'\)"):
        cx.blueprint(tmp_path / "e.csv", FLOWS, unit="minute")
    with pytest.raises(cx.DataError, match="elements: column 'tme' is not known; did you mean 'ti"):
        cx.blueprint(ELEMENTS.rename(columns={"time": "tme"}), FLOWS, unit="minute")
    with pytest.raises(cx.DataError, match="flows: column 'source' is not known"):
        cx.blueprint(ELEMENTS, FLOWS.rename(columns={"from": "source"}), unit="minute")
    with pytest.raises(cx.DataError, match="column 'time' stands there twice"):
        cx.blueprint(pd.concat([ELEMENTS, ELEMENTS[["time"]]], axis=1), unit="minute")
    with pytest.raises(cx.DataError, match="the table has no rows"):
        cx.blueprint(ELEMENTS.iloc[:0])


def test_whole_numbers_name_elements_in_every_form():
    elements = pd.DataFrame({"id": [1, 2], "layer": ["customer", "frontstage"]})
    flows = pd.DataFrame({"from": [1.0], "to": [2]})
    assert cx.blueprint(elements, flows).flows.iloc[0].tolist() == ["1", "2", "flow"]


def test_measurements_are_summarised():
    one = cx.blueprint(small(call={"time": [1.0, 2.0, 6.0]})).table.iloc[0]
    low, high = 3 - 4.302653 * np.sqrt(7 / 3), 3 + 4.302653 * np.sqrt(7 / 3)  # t of 2 df
    assert one["time"] == 3
    assert one["time_ci_low"] == max(low, 0)
    assert one["time_ci_high"] == pytest.approx(high, rel=1e-6)


def test_the_input_is_not_changed():
    content, elements = copy.deepcopy(SMALL), ELEMENTS.copy()
    cx.blueprint(content)
    of_table()
    assert content == SMALL
    pd.testing.assert_frame_equal(elements, ELEMENTS)


def test_what_ships_is_listed_and_read():
    names = sorted(path.stem for path in (data_folder() / "blueprints").glob("*.yml"))
    assert names == sorted(SHIPPED)
    for name in names:
        assert cx.blueprint(name).synthetic == name.startswith("synthetic_")


def test_the_bank_branch_is_as_printed():
    bank = cx.blueprint("bank_branch")
    printed = {
        "customer": ["观察环境", "提交需求"],
        "frontstage": ["接待客户", "解答问题"],
        "backstage": ["订单处理", "资金调拨"],
        "support": ["办公设备", "信息系统"],
    }
    table = bank.as_table("zh")
    assert table.groupby("layer", sort=False)["name"].apply(list).to_dict() == printed
    numbers = table.select_dtypes("number").drop(columns=["start", "slack"], errors="ignore")
    assert numbers.isna().all(axis=None)
    for empty in (bank.flows, bank.critical_path, bank.totals, bank.standards):
        assert len(empty) == 0
    assert not any(any(e.owner) or any(e.sign) for e in bank.specification.elements)


def test_other_tables_are_read_too():
    import polars as pl

    options = {"unit": "minute", "currency": "CNY"}
    read = cx.blueprint(pl.from_pandas(ELEMENTS), pl.from_pandas(FLOWS), **options)
    assert repr(read.specification) == repr(of_table().specification)
    assert len(cx.blueprint(ELEMENTS, FLOWS.iloc[:0], **options).flows) == 0


def test_flags_in_tables():
    for true in (True, 1, 1.0, "TRUE", "true"):
        elements = pd.DataFrame({"id": ["a"], "layer": ["frontstage"], "after_sale": [true]})
        assert cx.blueprint(elements).table["after_sale"].tolist() == [True]


def test_numbers_and_files_have_bounds():
    for huge in (1e60, 10**80, -1e200):
        (said,) = problems(small(call={"time": huge}))
        assert "is not allowed; allowed: numbers from 0 upwards below 1e+60" in said
    most = {"mean": 9e59, "sd": 9e59, "n": 2}
    result = cx.blueprint(small(call={"time": most}, answer={"wait": most, "time": most},
                                look={"time": most}))  # fmt: skip
    assert result.lead_time.ci_high > 3.6e60
    assert result.summary()
    with pytest.raises(cx.DataError, match="1,001 elements; allowed: 1,000"):
        cx.blueprint({"elements": [{"id": i, "layer": "customer"} for i in range(1_001)]})
    with pytest.raises(cx.DataError, match="5,001 flows; allowed: 5,000"):
        cx.blueprint(small(flows=[{"from": "call", "to": "answer"}] * 5_001))


def test_an_element_that_is_not_there():
    with pytest.raises(cx.CxError, match="'x' is not an element; elements: call, answer"):
        cx.blueprint(SMALL).name_of("x")


NASTY = [
    None, "", " ", "x", "=1+1", "\x00", "\u202e", 0, -1, 1e308, 10**400, float("nan"), True, [], {},
    [None], [[]], {"en": None}, {"mean": None}, {1: 2}, {None: None}, pd.NaT, pd.NA, object(),
    np.float64(3), np.array([1, 2]), pd.Timestamp("2024-01-01"), {"a"}, b"x", ("a", "b"), 1j,
]  # fmt: skip


def spots(value, way=()):
    """Return the ways to every value of a mapping, itself included."""
    yield way
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in entries if isinstance(value, dict | list) else ():
        yield from spots(entry, (*way, key)) if isinstance(entry, dict | list) else [(*way, key)]


def put(content, way, value):
    content = copy.deepcopy(content)
    place = content
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value
    return content


def refusal(*tables, **options):
    """Return what is said against a blueprint; empty where it is read and summarised."""
    try:
        result = cx.blueprint(*tables, **options)
    except cx.CxError as error:
        return str(error)
    assert result.summary()
    assert result.summary("zh")
    return ""


def test_nothing_but_our_errors_reaches_a_user():
    for way in list(spots(SMALL))[1:]:
        for value in NASTY:
            message = refusal(put(SMALL, way, value))
            assert len(message) < 2_000
            assert "\x00" not in message


def test_nothing_but_our_errors_comes_of_tables():
    for column in ELEMENTS.columns:
        for value in NASTY:
            cells = ELEMENTS[column].astype(object).tolist()
            cells[1] = value
            frame = ELEMENTS.assign(**{column: pd.Series(cells, dtype=object)})
            assert len(refusal(frame, FLOWS, unit="minute")) < 2_000


def test_a_mapping_that_contains_itself():
    content = copy.deepcopy(SMALL)
    content["elements"].append(content)
    with pytest.raises(cx.DataError, match="nested deeper than 20 levels"):
        cx.blueprint(content)
