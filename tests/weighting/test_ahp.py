import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxstats.core.errors import CxError, DataError
from cxstats.stats.rules import RULES
from cxstats.weighting import ahp, weights
from tests.references import reference, value
from tests.weighting.examples import DRINKS, DRINKS_ORDER, HOUSE, HOUSE_NAMES

ROUNDING = 1e-10


def test_house_as_published():
    found = ahp(HOUSE, HOUSE_NAMES)
    printed = [0.173, 0.054, 0.188, 0.018, 0.031, 0.036, 0.167, 0.333]
    # Saaty prints .018 for .0175
    np.testing.assert_allclose(found.table["weight"], printed, atol=0.00051)
    assert round(found.lambda_max, 3) == 9.669
    assert round(found.consistency_index, 3) == 0.238
    assert round(found.consistency_ratio, 3) == 0.169
    assert found.verdict.en == "judgements contradict each other"


def test_worst_judgement_of_the_house_as_published():
    """Saaty (2003) finds neighbourhood to condition, replaces 6 by 1/2 and gets 8.811."""
    worst = ahp(HOUSE, HOUSE_NAMES).contradictions.iloc[0]
    assert (worst["first"], worst["second"]) == ("neighbourhood", "condition")
    assert worst["implied"] == pytest.approx(0.5, abs=0.05)
    changed = [row[:] for row in HOUSE]
    changed[2][6], changed[6][2] = "1/2", "2"
    assert ahp(changed, HOUSE_NAMES).lambda_max == pytest.approx(8.811, abs=0.001)


def test_drinks_as_published():
    found = ahp(DRINKS, DRINKS_ORDER)
    printed = [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327]
    np.testing.assert_allclose(found.table["weight"], printed, atol=0.00051)
    assert round(found.consistency_ratio, 3) == 0.022
    assert found.verdict.en == "consistent enough"


@pytest.mark.parametrize("case", ["house", "drinks"])
def test_as_r(case):
    found = ahp(HOUSE, HOUSE_NAMES) if case == "house" else ahp(DRINKS, DRINKS_ORDER)
    rows = reference("weighting")
    rows = rows[rows["case"] == case]
    for column, quantity in (("weight", "weight"), ("geometric", "geometric")):
        expected = rows[rows["quantity"] == quantity]["value"].astype(float)
        np.testing.assert_allclose(found.table[column], expected, atol=ROUNDING)
    assert found.lambda_max == pytest.approx(value(rows, quantity="lambda"), abs=ROUNDING)


def test_implied_judgement_as_r():
    worst = ahp(HOUSE, HOUSE_NAMES).contradictions.iloc[0]
    expected = value(reference("weighting"), case="house", quantity="implied")
    assert worst["implied"] == pytest.approx(expected, abs=ROUNDING)


@given(st.lists(st.floats(1, 2.9), min_size=3, max_size=8))
@settings(max_examples=25, deadline=None)
def test_consistent_judgements_give_their_weights(sizes):
    w = np.array(sizes) / sum(sizes)
    found = ahp(np.divide.outer(w, w))
    np.testing.assert_allclose(found.table["weight"], w, atol=ROUNDING)
    np.testing.assert_allclose(found.table["geometric"], w, atol=ROUNDING)
    assert found.consistency_ratio == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(found.contradictions["ratio"], 1, atol=1e-8)
    np.testing.assert_allclose(found.contradictions["implied"], found.contradictions["judgement"])


def test_order_of_components_does_not_matter():
    order = [3, 1, 7, 0, 2, 6, 5, 4]
    turned = [[HOUSE[i][j] for j in order] for i in order]
    one = ahp(HOUSE, HOUSE_NAMES)
    other = ahp(turned, [HOUSE_NAMES[i] for i in order])
    for name in HOUSE_NAMES:
        assert other[name] == pytest.approx(one[name], abs=ROUNDING)


def test_ways_to_write_the_same_judgements():
    full = [[1, 3, 5], [1 / 3, 1, 3], [0.2, 1 / 3, 1]]
    names = ["a", "b", "c"]
    expected = ahp(full, names).as_dict()
    frame = pd.DataFrame(full, index=names, columns=names)
    upper = frame.where(np.triu(np.ones((3, 3), bool)))
    rounded = pd.DataFrame([[1, 3, 5], [0.33, 1, 3], [0.2, 0.33, 1]], index=names, columns=names)
    for way in (
        frame, upper, rounded, np.array(full), [[1, 3, 5], [1, 3], [1]], [[3, 5], [3]],
        {("a", "b"): 3, ("c", "a"): "1/5", ("b", "c"): 3},
    ):  # fmt: skip
        found = ahp(way, names)
        assert found.as_dict() == pytest.approx(expected)
    assert any("up to rounding" in note.en for note in ahp(rounded).notes)
    assert ahp([[4]], ["a", "b"]).as_dict() == pytest.approx({"a": 0.8, "b": 0.2})


def test_judges_are_aggregated_by_geometric_means():
    judges = {"Ann": {("a", "b"): 2, ("a", "c"): 4, ("b", "c"): 2}}
    judges |= {"Bo": {("b", "a"): 2, ("a", "c"): 4, ("c", "b"): "1/8"}}
    found = ahp(judges)
    assert found.judgements.loc["a", "b"] == pytest.approx(1)
    assert found.judgements.loc["b", "c"] == pytest.approx(4)
    assert list(found.judges.index) == ["Ann", "Bo"]
    assert found.judges.loc["Ann", "a"] == pytest.approx(4 / 7)
    assert found.n == 2
    assert "2 judges are rough" in found.notes[0].en
    assert (found.table["ci_low"] <= found.table["weight"]).all()
    assert weights(judges, "ahp").as_dict() == found.as_dict()
    assert ahp(list(judges.values()), ["a", "b", "c"]).as_dict() == pytest.approx(found.as_dict())


def test_equal_judges_have_no_spread():
    one = {("a", "b"): 2, ("a", "c"): 5, ("b", "c"): 2}
    found = ahp([one] * 12, n_resamples=200)
    np.testing.assert_allclose(found.table["ci_low"], found.table["weight"], atol=ROUNDING)
    assert found.as_dict() == pytest.approx(ahp(one).as_dict())


def test_rule_is_cited_and_takes_the_boundary():
    assert "Saaty (1980)" in RULES["saaty1980"].source
    assert RULES["saaty1980"].boundary == "below"
    assert RULES["saaty1980"].band([0.10, np.nextafter(0.10, 1)]).tolist() == [0, 1]


def test_more_components_than_random_indices():
    w = np.linspace(1, 3, 16)
    found = ahp(np.divide.outer(w, w))
    assert np.isnan(found.consistency_ratio)
    assert found.verdict.en == "–"
    assert "–" in found.summary()


BAD = [
    ([[1, 2], [2, 1]], "row 'x1', column 'x2' is 2, row 'x2', column 'x1' is 2; allowed: one the"),
    ([[1, 0], [5, 1]], "row 'x1', column 'x2': 0; allowed: 1/9 to 9"),
    ([[1, -2], [5, 1]], "row 'x1', column 'x2': -2; allowed: 1/9 to 9"),
    ([[1, 12], [1 / 12, 1]], "row 'x1', column 'x2': 12; allowed: 1/9 to 9"),
    ({("a", "b"): "1/12"}, "row 'a', column 'b': 0.0833333; allowed: 1/9 to 9"),
    ([[2, 3], [1 / 3, 1]], "row 'x1', column 'x1': 2; allowed: 1"),
    ([[1, "much"], [1 / 3, 1]], "row 'x1', column 'x2': 'much' is no judgement"),
    ([[1, 2, 3], [1, 2]], r"rows of lengths \[3, 2\]; allowed: a full square matrix"),
    ([[3, 5], [3]], "row 'x1', column 'x1': 3; allowed: 1"),
    ({("a", "b"): 2, ("b", "c"): 3}, "'a' and 'c' are not compared"),
    ({("a", "b", "c"): 2}, "is no pair"),
    ({}, "the mapping is empty"),
    ({"Ann": {("a", "b"): 2}, "Bo": {("a", "c"): 2}}, "judge 'Bo': .*'c'"),
    ({"Ann": {("a", "b"): 2}, "Bo": {("a", "b"): 11}}, "judge 'Bo': row 'a', column 'b': 11"),
    (pd.DataFrame([[1, 2], [0.5, 1]], columns=list("ab")), "rows and columns differ"),
    (pd.DataFrame([[1, 2], [0.5, 1]], list("aa"), list("aa")), "component 'a' is named twice"),
    (pl.DataFrame({"a": [1, 2, 3], "b": [1, 2, 3]}), "3 rows and 2 columns"),
    (None, "judgements are None; allowed: a square table"),
    (5, "judgements are 5; allowed"),
    ([1, 2], r"judgements are \[1, 2\]; allowed"),
    ({"Ann": None}, "judge 'Ann': judgements are None"),
]


@pytest.mark.parametrize(("judgements", "message"), BAD)
def test_bad_judgements(judgements, message):
    with pytest.raises(DataError, match=message):
        ahp(judgements)


def test_names_are_those_of_all_components():
    matrix = [[1, 4], [0.25, 1]]
    with pytest.raises(DataError, match="names: component 'a' is named twice"):
        ahp(matrix, ["a", "a"])
    with pytest.raises(DataError, match="names is 'ab'; allowed: a list of components"):
        ahp(matrix, "ab")
    assert dict(ahp(matrix, [0, 1])) == pytest.approx({"0": 0.8, "1": 0.2})


def test_a_table_without_row_names_is_read_by_rows():
    frame = pl.DataFrame({"a": [1.0, 0.25], "b": [4.0, 1.0]})
    assert dict(ahp(frame)) == pytest.approx({"a": 0.8, "b": 0.2})
    assert dict(ahp([frame, frame], n_resamples=100)) == pytest.approx({"a": 0.8, "b": 0.2})


def test_bad_options():
    with pytest.raises(CxError, match="rule 'mine' is not one for ahp_cr; allowed: saaty1980"):
        ahp({("a", "b"): 2}, rule="mine")
    with pytest.raises(DataError, match="'c' is not known; allowed: a, b"):
        ahp({("a", "c"): 2}, ["a", "b"])
