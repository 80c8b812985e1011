"""Coverage, access and sharing as shares."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.paths import data_folder
from tests.gallery.journey import MAP

TABLES = data_folder() / "cases" / "tables"
NAN = np.nan
SHARED = pd.DataFrame(
    [[NAN, 0.8, 0.3], [0.2, NAN, 0.5], [0.6, 0.5, NAN]], index=list("abc"), columns=list("abc")
)


def test_coverage_is_the_share_of_a_stage_s_touchpoints():
    matrix = cx.journey(MAP).coverage()
    assert [name.zh for name in matrix.row_names] == ["网点", "网站", "电话"]
    np.testing.assert_allclose(matrix.values, [[1, 0], [0.5, 0], [0, 0.5]])
    assert matrix.row_shares.tolist() == [0.5, 0.5, 0.5]
    assert matrix.columns_served["share"].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert any("no channel is named for App" in note.en for note in matrix.notes)


def test_coverage_needs_a_channel():
    source = {"stages": [{"name": "A", "touchpoints": ["x"]}]}
    journey = cx.journey(source)
    assert journey.kinds == ("strip",)
    with pytest.raises(cx.CxError, match="no touchpoint names a channel"):
        journey.coverage()
    with pytest.raises(cx.CxError, match="no touchpoint names a channel"):
        journey.plot("coverage")


def test_the_access_matrix_of_the_case_study():
    matrix = cx.access_matrix(TABLES / "access_matrix.csv")
    assert len(matrix.row_names) == 4
    assert [name.zh for name in matrix.column_names][:2] == ["客户基本信息", "市场活动"]
    np.testing.assert_allclose(matrix.values, np.hstack([np.ones((4, 1)), np.eye(4)]))
    assert matrix.row_shares.tolist() == pytest.approx([0.4] * 4)
    assert matrix.columns_served["share"].tolist() == [1, 0.25, 0.25, 0.25, 0.25]
    shared = matrix.sharing()
    assert shared.row_shares.tolist() == [0.5] * 4
    assert shared.reciprocity == 1
    assert len(shared.one_sided()) == 0


def test_three_forms_of_access_are_one():
    lists = cx.access_matrix({"sales": ["basic", "sales"], "service": ["basic"]})
    table = pd.DataFrame(
        {"部门": ["sales", "service"], "basic": ["RW", "x"], "sales": ["是", None]}
    )
    joined = pd.DataFrame(
        {"Department": ["sales", "service"], "records": ["basic; sales", "basic"]}
    )
    for other in (table, joined):
        np.testing.assert_array_equal(cx.access_matrix(other).values, lists.values)
    assert lists.density == 0.75
    # Sales shares half of what it has; service all.
    assert lists.sharing().values[0, 1] == 0.5
    assert lists.sharing().values[1, 0] == 1
    assert lists.sharing().one_sided()["difference"].tolist() == [-0.5]


def test_a_department_without_records_shares_nothing_that_is_known():
    matrix = cx.access_matrix({"sales": ["basic"], "legal": []}).sharing()
    assert np.isnan(matrix.values[1, 0])
    matrix.plot()
    assert "nan" not in matrix.summary()


def test_sharing_need_not_be_symmetric():
    matrix = cx.sharing_matrix(SHARED)
    mutual = 2 * (0.2 + 0.3 + 0.5)
    assert matrix.reciprocity == pytest.approx(mutual / 2.9)
    assert matrix.density == pytest.approx(2.9 / 6)
    pairs = matrix.one_sided()
    assert pairs[["first", "second"]].to_numpy().tolist() == [["a", "b"], ["a", "c"]]
    assert pairs["difference"].tolist() == pytest.approx([0.6, -0.3])
    assert "not mutual in 2 pairs" in matrix.summary("en")
    turned = cx.sharing_matrix(SHARED.T)
    assert turned.reciprocity == pytest.approx(matrix.reciprocity)
    np.testing.assert_allclose(turned.row_shares, matrix.columns_served["share"])


def test_sharing_from_other_forms():
    first = SHARED.reset_index(names="department")
    np.testing.assert_allclose(cx.sharing_matrix(first).values, SHARED.to_numpy())
    shuffled = cx.sharing_matrix(SHARED[["c", "a", "b"]])
    np.testing.assert_allclose(shuffled.values, SHARED.to_numpy())


def test_nothing_shared():
    matrix = cx.sharing_matrix({"a": {"b": 0}, "b": {"a": 0}})
    assert np.isnan(matrix.reciprocity)
    assert "Nothing is shared." in matrix.summary("en")
    matrix.plot()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (pd.DataFrame({"department": ["a"], "x": ["maybe"]}), "row 0, column 'x': 'maybe'"),
        (pd.DataFrame({"department": ["a", "a"], "x": [1, 0]}), "row 1, column 'department': 'a'"),
        (pd.DataFrame({"department": ["a", None], "x": [1, 0]}), "row 1, column 'department': no"),
        (pd.DataFrame({"department": ["a"]}), "no kinds of record"),
        (pd.DataFrame({"department": ["a"], "records": ["x"], "y": [1]}), "'y' is not known"),
        (pd.DataFrame({"department": ["a"], "records_en": ["x; y"], "records_zh": ["甲"]}),
         "row 0: 2 records in column 'records_en', 1 in 'records_zh'"),
        ({"a": "basic"}, "department 'a' has 'basic'; allowed: a list"),
        ({"a": []}, "no department has a record"),
    ],
)  # fmt: skip
def test_access_that_is_refused(data, expected):
    with pytest.raises(cx.CxError, match=expected):
        cx.access_matrix(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"a": {"b": 2}, "b": {"a": 0}}, "row 'a', column 'b': 2"),
        ({"a": {"b": -0.1}, "b": {"a": 0}}, "row 'a', column 'b': -0.1"),
        ({"a": {"b": 0.5, "c": 0.1}, "b": {"a": 0.5}}, "'c' is a column alone"),
        ({"a": {"b": 0.5}, "b": {"a": 0.5}, "c": {"a": 0.1, "b": 0.1}}, "'c' is a row alone"),
        ({"a": ["b"], "b": ["a"]}, "department 'a' has \\['b'\\]; allowed: a mapping"),
        (SHARED.head(2), "'c' is a column alone"),
        (SHARED.assign(b=[0.8, NAN, NAN]), "row 'c', column 'b': missing; allowed: 0 to 1"),
        (SHARED.assign(b=["all", None, 1]), "row 'a', column 'b': 'all'; allowed: 0 to 1"),
        (pd.DataFrame({"a": [0.5]}, index=["a"]), "one department alone"),
    ],
)
def test_sharing_that_is_refused(data, expected):
    with pytest.raises(cx.CxError, match=expected):
        cx.sharing_matrix(data)


def test_only_access_has_sharing():
    with pytest.raises(cx.CxError, match="a matrix of coverage has no sharing"):
        cx.journey(MAP).coverage().sharing()
