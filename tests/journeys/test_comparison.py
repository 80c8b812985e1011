"""Old and new blueprint: added, removed, moved, changed."""

import numpy as np
import pytest
from scipy import stats

import cxstats as cx
from cxstats.journeys import blueprint
from cxstats.journeys.blueprint.analysis import Blueprint
from cxstats.stats.intervals import difference_interval, wilson_interval
from tests.journeys.blueprints import SMALL, large, small

OLD = cx.blueprint(SMALL)


def rows(new, *columns, old=OLD):
    return old.compare(cx.blueprint(new)).table[list(columns)].values.tolist()


def test_a_blueprint_does_not_differ_from_itself():
    for content in (SMALL, large()):
        one = cx.blueprint(content)
        result = one.compare(cx.blueprint(content))
        assert result.table.empty
        assert (result.totals["estimate"] == 0).all()
        assert "0 added, 0 removed, 0 moved, 0 changed" in result.summary()


def test_the_method_is_a_function_of_two():
    new = cx.blueprint(small(call={"time": 2}))
    assert Blueprint.compare(OLD, new).summary() == OLD.compare(new).summary()
    assert blueprint.compare(OLD, new).summary() == OLD.compare(new).summary()


def test_added_and_removed():
    new = small()
    new["elements"] = [e for e in new["elements"] if e["id"] != "letter"]
    new["elements"].append({"id": "kiosk", "layer": "support"})
    new["flows"] = [f for f in new["flows"] if f["to"] != "letter"]
    assert rows(new, "change", "item", "element", "target") == [
        ["added", "element", "kiosk", ""],
        ["removed", "element", "letter", ""],
        ["removed", "flow", "answer", "letter"],
    ]


def test_moved():
    layers = rows(small(look={"layer": "support"}), "change", "item", "text_before", "text_after")
    assert layers == [["moved", "layer", "backstage", "support"]]
    new = small(stages=["s", "t"], call={"stage": "s"}, look={"stage": "t"})
    stages = rows(new, "change", "item", "element", "text_before", "text_after")
    assert ["moved", "stage", "look", "", "t"] in stages


def test_moved_in_order():
    new = small()
    new["flows"][1] = {"from": "look", "to": "call"}
    new["flows"] = [f for f in new["flows"] if f.get("kind") != "failure"]
    old = small()
    old["flows"] = [f for f in old["flows"] if f.get("kind") != "failure"]
    table = rows(new, "change", "item", "element", "text_after", old=cx.blueprint(old))
    assert ["moved", "order", "look", "call; answer"] in table
    assert not any(row[1] == "order" and row[2] == "letter" for row in table)


def test_changed_numbers_have_intervals():
    new = small(answer={
        "wait": {"mean": 3, "sd": 2, "n": 30}, "time": 4,
        "name": {"en": "take the call", "zh": "x"},
        "failure": {"failed": 4, "n": 180, "cost": 60}, "owner": "Ann",
        "standard": [{"metric": "wait", "limit": 4}, {"metric": "solved", "limit": 0.9,
                                                      "direction": "least"}],
    })  # fmt: skip
    table = OLD.compare(cx.blueprint(new)).table.set_index(["item", "metric"])
    wait = table.loc[("wait", "")]
    assert wait[["before", "after", "estimate"]].tolist() == [6, 3, -3]
    welch = stats.ttest_ind_from_stats(3, 2, 30, 6, 3, 40, equal_var=False)
    df = (4 / 30 + 9 / 40) ** 2 / ((4 / 30) ** 2 / 29 + (9 / 40) ** 2 / 39)
    se = -3 / welch.statistic
    half = stats.t.ppf(0.975, df) * se
    assert wait[["ci_low", "ci_high"]].tolist() == pytest.approx([-3 - half, -3 + half])
    share = table.loc[("failure_share", "")]
    newcombe = difference_interval(
        *((k / n, *wilson_interval(k / n, n, 0.95)) for k, n in ((4, 180), (20, 200)))
    )
    assert share[["ci_low", "ci_high"]].tolist() == pytest.approx([float(x) for x in newcombe])
    assert ("time", "") not in table.index  # a planned time of the same length is no change
    assert table.loc[("standard", "wait"), ["before", "after"]].tolist() == [5, 4]
    assert table.loc[("standard", "solved"), "change"] == "added"
    assert table.loc[("standard", "failure_share"), "change"] == "removed"
    assert table.loc[("cost", ""), ["before", "after"]].tolist() == [50, 60]
    assert table.loc[("owner", ""), "text_after"] == "Ann"
    assert table.loc[("name", ""), "text_after"] == "take the call"


def test_planned_times_change_without_an_interval():
    row = OLD.compare(cx.blueprint(small(call={"time": 3}))).table.iloc[0]
    assert row[["change", "item", "before", "after"]].tolist() == ["changed", "time", 1, 3]
    assert np.isnan(row["ci_low"])


def test_units_are_turned_and_currencies_are_not():
    def in_seconds(content):
        for element in content["elements"]:
            for key in ("time", "wait"):
                value = element.get(key)
                if isinstance(value, dict):
                    element[key] = {**value, "mean": 60 * value["mean"], "sd": 60 * value["sd"]}
                elif value is not None:
                    element[key] = 60 * value
            for standard in element.get("standard", []):
                if standard["metric"] == "wait":
                    standard["limit"] *= 60
        return {**content, "unit": "second"}

    result = OLD.compare(cx.blueprint(in_seconds(small())))
    assert result.table.empty
    assert result.totals.set_index("measure").loc["lead_time", "before"] == 840
    assert any("turned into seconds" in note.en for note in result.notes)
    other = OLD.compare(cx.blueprint(small(currency="EUR", records={
        "failure": {"failed": 4, "n": 200, "cost": 1}})))  # fmt: skip
    assert "cost" not in set(other.table["item"])
    assert "expected_loss" not in set(other.totals["measure"])
    assert any("currencies differ" in note.en for note in other.notes)


def test_a_flow_that_changes_its_kind():
    new = small()
    new["flows"][2]["kind"] = "flow"
    table = rows(new, "change", "item", "element", "target", "text_before", "text_after")
    assert table == [["changed", "flow", "records", "look", "information", "flow"]]


def test_turning_the_comparison_round_turns_the_changes():
    new = cx.blueprint(small(call={"time": 3}, look={"layer": "support"}))
    there, back = OLD.compare(new).table, new.compare(OLD).table
    np.testing.assert_allclose(there["estimate"].astype(float), -back["estimate"].astype(float))
    assert there["text_before"].tolist() == back["text_after"].tolist()


def test_what_is_no_blueprint():
    with pytest.raises(cx.CxError, match=r"new is a 'dict'; allowed: what cx.blueprint returns"):
        OLD.compare(SMALL)
    with pytest.raises(cx.CxError, match=r"levels 0.95 and 0.9; allowed: one level for both"):
        OLD.compare(cx.blueprint(SMALL, level=0.9))


def test_the_chart_counts_changes_beyond_chance():
    times = {"mean": 1, "sd": 0.5, "n": 40}
    timed = {"call": {"time": times}, "look": {"time": times}}
    old = cx.blueprint(small(**timed))
    wait = {"answer": {"wait": {"mean": 2, "sd": 1, "n": 40}}}
    title = old.compare(cx.blueprint(small(**timed, **wait))).plot().figure.get_suptitle()
    assert title.replace("\n", " ") == "2 of 3 totals changed by more than chance explains"


def test_ids_with_separators_are_told():
    ids = ["a; b", "c -> d", "e"]
    elements = [{"id": name, "layer": "customer"} for name in ids]
    flows = [{"from": a, "to": b} for a, b in ((ids[0], ids[1]), (ids[1], ids[2]))]
    turned = [{"from": flow["to"], "to": flow["from"]} for flow in flows]
    result = cx.blueprint({"elements": elements, "flows": flows}).compare(
        cx.blueprint({"elements": elements, "flows": turned})
    )
    assert "c -> d, order: now before a; b" in result.summary()
    assert result.summary("zh")
