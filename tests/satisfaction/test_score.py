"""Weighted scores: what must hold, bad input, missing scores, groups."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.satisfaction import satisfaction_index, weighted_score
from cxstats.service.dimension_scores import OVERALL
from tests.references import paired, reference, value

FEW = {"n_resamples": 200}
WEIGHTS = {"wait": 0.2, "staff": 0.5, "price": 0.3}
# Sums of products in another order differ in their last digits.
EXACT = 1e-12


def respondents(n: int = 120, seed: int = 3) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(n, 1))
    answers = np.clip(np.round(7 + 1.5 * common + generator.normal(size=(n, 3))), 1, 10)
    frame = pd.DataFrame(answers, columns=list(WEIGHTS))
    frame["branch"] = np.where(np.arange(n) % 3, "North", "South")
    return frame


def overall(result):
    return result.table.loc[OVERALL]


def test_hand_computed():
    result = weighted_score(pd.DataFrame({"a": [2, 4], "b": [10, 20]}), {"a": 0.5, "b": 0.5}, **FEW)
    assert result.scores.tolist() == [6, 12]
    assert result.table["estimate"].tolist() == [1.5, 7.5, 9]
    assert result.table["mean"].tolist()[:2] == [3, 15]
    # sd of 6 and 12 is sqrt(18), over sqrt(2)
    assert overall(result)["se"] == pytest.approx(3)


def test_equal_weights_are_the_mean():
    frame = respondents()
    found = weighted_score(frame, dict.fromkeys(WEIGHTS, 1 / 3), **FEW)
    expected = frame[list(WEIGHTS)].mean(axis=1)
    np.testing.assert_allclose(found.scores, expected, rtol=EXACT)


def test_weight_on_one_item_is_that_item():
    frame = respondents()
    found = weighted_score(frame, {"wait": 0, "staff": 1, "price": 0}, **FEW)
    np.testing.assert_allclose(found.scores, frame["staff"], rtol=EXACT)
    assert found.table.loc["wait", "estimate"] == 0
    assert np.isnan(found.table.loc["wait", "ci_low"])  # 0 times a score does not vary


def test_shift_and_scale():
    frame = respondents()
    moved = frame.assign(**{name: 10 * frame[name] + 5 for name in WEIGHTS})
    one, other = weighted_score(frame, WEIGHTS, **FEW), weighted_score(moved, WEIGHTS, **FEW)
    columns = ["estimate", "ci_low", "ci_high"]
    np.testing.assert_allclose(overall(other)[columns], 10 * overall(one)[columns] + 5, rtol=EXACT)
    assert overall(other)["se"] == pytest.approx(10 * overall(one)["se"])


def test_contributions_add_up():
    result = weighted_score(respondents(), WEIGHTS, **FEW)
    assert result.contributions["estimate"].sum() == pytest.approx(result.value, abs=EXACT)
    np.testing.assert_allclose(
        result.contributions["estimate"],
        result.contributions["weight"] * result.contributions["mean"],
    )


def test_permuted_respondents_and_weights():
    frame = respondents()
    turned = weighted_score(frame[::-1], dict(reversed(WEIGHTS.items())), **FEW)
    plain = weighted_score(frame, WEIGHTS, **FEW)
    assert turned.value == pytest.approx(plain.value, abs=EXACT)
    assert overall(turned)["se"] == pytest.approx(overall(plain)["se"])


def test_doubled_sample():
    frame = respondents()
    one = weighted_score(frame, WEIGHTS, **FEW)
    two = weighted_score(pd.concat([frame, frame]), WEIGHTS, **FEW)
    n = len(frame)
    ratio = np.sqrt((n - 1) / (2 * n - 1))  # sums of squares double, divisors do not
    assert overall(two)["se"] == pytest.approx(ratio * overall(one)["se"])
    assert two.value == pytest.approx(one.value, abs=EXACT)


def test_weights_of_a_hundred_points_are_said():
    points = {name: 100 * weight for name, weight in WEIGHTS.items()}
    found = weighted_score(respondents(), points, **FEW)
    np.testing.assert_allclose(found.scores, weighted_score(respondents(), WEIGHTS, **FEW).scores)
    assert any("points of 100" in note.en for note in found.notes)


def test_normalise_divides_and_says_so():
    found = weighted_score({"a": 4, "b": 5}, {"a": 1, "b": 3}, normalise=True)
    assert found.value == 4.75
    assert any("summed to 4" in note.en for note in found.notes)


@pytest.mark.parametrize(
    "read",
    [
        pl.from_pandas,
        lambda frame: pl.from_pandas(frame).lazy(),
        lambda frame: pl.from_pandas(frame).to_arrow(),
        lambda frame: duckdb.sql("select * from frame"),
    ],
    ids=["polars", "lazy", "arrow", "duckdb"],
)
def test_any_table(read):
    frame = respondents(30)
    found = weighted_score(read(frame), WEIGHTS, by="branch", **FEW)
    pd.testing.assert_frame_equal(
        found.table, weighted_score(frame, WEIGHTS, by="branch", **FEW).table
    )


def test_arrays_and_series():
    frame = respondents()
    array = weighted_score(frame[list(WEIGHTS)].to_numpy(), list(WEIGHTS.values()), **FEW)
    named = weighted_score(frame, pd.Series(WEIGHTS), **FEW)
    np.testing.assert_array_equal(array.scores, named.scores)
    one = weighted_score(pd.Series({"a": 2.0, "b": 4.0}), {"b": 0.25, "a": 0.75})
    assert one.value == weighted_score([2, 4], [0.75, 0.25]).value == 2.5


def test_one_unit_has_no_interval_and_says_why():
    result = weighted_score({"a": 2, "b": 4}, {"a": 0.5, "b": 0.5})
    assert result.table[["ci_low", "ci_high", "se"]].isna().all(axis=None)
    assert any("no respondents: no interval" in note.en for note in result.notes)
    assert "[" not in str(result)
    alone = weighted_score(pd.DataFrame({"a": [2], "b": [4]}), {"a": 0.5, "b": 0.5}, by=None)
    assert [note.en for note in alone.notes] == ["one respondent: no interval"]


def missing():
    return pd.DataFrame(
        {"a": [1.0, 2.0, np.nan, np.nan], "b": [3.0, np.nan, 5.0, np.nan]}, list("wxyz")
    )


def test_missing_is_refused_by_row_and_column():
    with pytest.raises(DataError, match=r"row 'y', column 'a': no score \(and 3 more\)|row 'x'"):
        weighted_score(missing(), {"a": 0.25, "b": 0.75})
    with pytest.raises(DataError, match="component 'b': no score; on_missing='rescale'"):
        weighted_score({"a": 1, "b": None}, {"a": 0.25, "b": 0.75})


def test_missing_is_rescaled_and_said():
    result = weighted_score(missing(), {"a": 0.25, "b": 0.75}, on_missing="rescale", **FEW)
    np.testing.assert_allclose(result.scores, [2.5, 2, 5, np.nan])
    assert (result.n, result.n_left_out) == (3, 1)
    assert result.least_coverage == 0.25
    assert result.coverage == pytest.approx((1 + 0.25 + 0.75) / 3)
    assert result.contributions["estimate"].sum() == pytest.approx(result.value)
    assert any("2 of 4" in note.en and "at least 25 %" in note.en for note in result.notes)
    assert any("1 of 4 respondents have no score at all" in note.en for note in result.notes)
    assert "25 % at least" in str(result)


def test_missing_is_dropped_and_said():
    result = weighted_score(missing(), {"a": 0.25, "b": 0.75}, on_missing="drop", **FEW)
    np.testing.assert_allclose(result.scores, [2.5, np.nan, np.nan, np.nan])
    assert (result.n, result.n_left_out, result.least_coverage) == (1, 3, 1)
    assert any("3 of 4" in note.en for note in result.notes)


def test_missing_without_weight_does_not_matter():
    found = weighted_score(missing()[:2], {"a": 1, "b": 0}, **FEW)
    assert found.scores.tolist() == [1, 2]


def test_one_unit_rescaled():
    found = weighted_score({"a": 1, "b": None}, {"a": 0.25, "b": 0.75}, on_missing="rescale")
    assert (found.value, found.coverage) == (1, 0.25)
    assert any("25 % of the weight" in note.en for note in found.notes)


def test_groups():
    frame = respondents()
    result = weighted_score(frame, WEIGHTS, by="branch", **FEW)
    means = result.groups[result.groups["score"] == OVERALL].set_index("group")["estimate"]
    scores = frame[list(WEIGHTS)] @ pd.Series(WEIGHTS)
    pd.testing.assert_series_equal(means, scores.groupby(frame["branch"]).mean(), check_names=False)
    pair = result.comparisons[result.comparisons["score"] == OVERALL].iloc[0]
    assert pair["estimate"] == pytest.approx(means["North"] - means["South"])
    # One pair of one score: nothing to adjust; the three contributions are adjusted together.
    assert pair["p_adjusted"] == pair["p_value"]
    assert "by branch differ" in str(result)


def test_ungrouped_are_counted():
    frame = respondents()
    frame.loc[:4, "branch"] = None
    result = weighted_score(frame, WEIGHTS, by="branch", **FEW)
    assert result.n == len(frame)
    assert any("5 respondents have no branch" in note.en for note in result.notes)


BAD = {
    "they sum to 0.9; allowed: 1 or 100": ({"a": 0.5, "b": 0.4}, {}),
    "'b' has -0.5; allowed: numbers from 0": ({"a": 1.5, "b": -0.5}, {}),
    "'b' has nan": ({"a": 1, "b": np.nan}, {}),
    "'b' has '0.5'": ({"a": 0.5, "b": "0.5"}, {}),
    "'b' has True": ({"a": 0, "b": True}, {}),
    "weights: column 'c' is not in the table; columns: a, b": ({"a": 0.5, "c": 0.5}, {}),
    "weights are empty": ({}, {}),
    "all are 0": ({"a": 0, "b": 0}, {"normalise": True}),
    r"weights have the shape \(3,\)": ([0.2, 0.3, 0.5], {}),
    "weights are 'equal'": ("equal", {}),
    "weights are missing; give a mapping": (None, {}),
    "two of 1, '1' are one name": ({1: 0.5, "1": 0.5}, {}),
    "on_missing is 'ignore'; allowed: refuse, rescale, drop": (
        {"a": 0.5, "b": 0.5},
        {"on_missing": "ignore"},
    ),
    "level is 95": ({"a": 0.5, "b": 0.5}, {"level": 95}),
    "n_resamples is 0": ({"a": 0.5, "b": 0.5}, {"n_resamples": 0}),
    "column 'town' is not in the table": ({"a": 0.5, "b": 0.5}, {"by": "town"}),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_weights_and_options(message):
    weights, options = BAD[message]
    with pytest.raises(CxError, match=message):
        weighted_score(pd.DataFrame({"a": [1, 2], "b": [3, 4]}), weights, **options)


BAD_UNITS = {
    "scores: 'c' has no weight; weights are for: a, b": ({"a": 1, "b": 2, "c": 3}, {}),
    "weights: 'b' is no score; scores are: a": ({"a": 1}, {}),
    "scores: 'b' has 'good'; allowed: numbers": ({"a": 1, "b": "good"}, {}),
    "scores: 'b' has .*timedelta64": ({"a": 1, "b": np.timedelta64(3, "D")}, {}),
    "scores: 'b' has inf": ({"a": 1, "b": np.inf}, {}),
    "one set of scores has no groups": ({"a": 1, "b": 2}, {"by": "town"}),
}


@pytest.mark.parametrize("message", BAD_UNITS)
def test_bad_units(message):
    scores, options = BAD_UNITS[message]
    with pytest.raises(CxError, match=message):
        weighted_score(scores, {"a": 0.5, "b": 0.5}, **options)


def test_bad_tables_and_arrays():
    weights = {"a": 0.5, "b": 0.5}
    with pytest.raises(DataError, match="row 1, column 'b': 'x' is not a number"):
        weighted_score(pd.DataFrame({"a": [1, 2], "b": [3, "x"]}), weights)
    with pytest.raises(DataError, match="the table has no rows"):
        weighted_score(pd.DataFrame({"a": [], "b": []}), weights)
    with pytest.raises(CxError, match="whose columns have no names"):
        weighted_score(np.ones((3, 2)), weights)
    with pytest.raises(DataError, match=r"the shape \(2, 2, 2\)"):
        weighted_score(np.ones((2, 2, 2)), [0.5, 0.5])
    with pytest.raises(DataError, match="row 0, column 2: inf"):
        weighted_score(np.array([[1, np.inf]]), [0.5, 0.5])
    with pytest.raises(DataError, match="no array of numbers"):
        weighted_score([["x", 1]], [0.5, 0.5])
    with pytest.raises(CxError, match="'a' is named twice"):
        weighted_score(pd.Series([1, 2], ["a", "a"]), weights)
    with pytest.raises(CxError, match="is called 'Overall'"):
        weighted_score({OVERALL: 1}, {OVERALL: 1})
    with pytest.raises(DataError, match="nothing is left"):
        weighted_score(missing()[3:], weights, on_missing="rescale")


def test_dates_are_no_scores():
    frame = pd.DataFrame({"a": pd.date_range("2024-01-01", periods=20), "b": range(20)})
    with pytest.raises(DataError, match=r"row 0, column 'a': '2024-01-01.*is a date; allowed: num"):
        weighted_score(frame, {"a": 0.5, "b": 0.5}, **FEW)
    with pytest.raises(DataError, match="it holds dates or times passed; allowed: numbers"):
        weighted_score(frame["a"].to_numpy()[:, None], [1], **FEW)


def test_columns_may_be_called_by_numbers():
    frame = pd.DataFrame([[1, 2], [3, 4.0]])
    found = weighted_score(frame, {0: 0.25, 1: 0.75}, **FEW)
    assert found.scores.tolist() == [1.75, 3.75]
    assert found.table.index.tolist() == ["0", "1", OVERALL]
    assert weighted_score(frame, [0.25, 0.75], **FEW).value == found.value
    frame.loc[1, 0] = np.nan
    with pytest.raises(DataError, match="row 1, column '0': no score"):
        weighted_score(frame, {0: 0.25, 1: 0.75}, **FEW)


def test_chart_of_weights_without_data_does_not_say_published():
    import matplotlib.pyplot as plt

    frame = pd.DataFrame({"a": [1.0, 2.0], "b": np.nan})
    result = weighted_score(frame, {"a": 0.25, "b": 0.75}, on_missing="rescale", **FEW)
    ax = result.plot("weights")
    assert ax.get_figure().get_suptitle() == "25 % of the weight has data"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["data given", "no data"]
    plt.close("all")


def test_synthetic_is_said():
    frame = respondents()
    frame.attrs["synthetic"] = True
    result = weighted_score(frame, WEIGHTS, **FEW)
    assert result.synthetic
    assert "Synthetic data" in str(result)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", ["contributions", "groups", "weights"])
def test_charts(kind, lang):
    import matplotlib.pyplot as plt

    result = weighted_score(respondents(), WEIGHTS, by="branch", **FEW)
    assert result.plot(kind, lang=lang).get_figure().get_suptitle()
    assert "<pre>" in result._repr_html_()
    plt.close("all")


def test_charts_that_cannot_be_drawn():
    result = weighted_score({"a": 1, "b": 2}, {"a": 0.5, "b": 0.5})
    for kind in ("pie", "groups"):
        with pytest.raises(CxError, match=f"kind='{kind}'.*allowed: 'contributions', 'weights'"):
            result.plot(kind)
    with pytest.raises(CxError, match="no groups to draw; give by= the column"):
        result.plot("groups")
    groups = weighted_score(respondents(), WEIGHTS, by="branch", **FEW)
    with pytest.raises(CxError, match="allowed: 'contributions', 'groups', 'weights'"):
        groups.plot("pie")


def test_design_as_r():
    """A score of equal weights is the overall gap of `scores_design.R`."""
    frame, _ = paired()
    frame = frame.assign(w=1 + frame["id"] % 5, cluster=frame["id"] % 17)
    frame["stratum"] = frame["cluster"] % 2
    names = ["tangibles", "reliability", "responsiveness", "assurance", "empathy"]
    for name in names:
        p, e = (
            frame[[c for c in frame.columns if c.startswith(f"{role}_{name}_")]] for role in "PE"
        )
        frame[name] = p.mean(axis=1) - e.mean(axis=1)
    frame.loc[frame["id"] % 11 == 0, "tangibles"] = np.nan
    design = cx.Design(weights="w", cluster="cluster", strata="stratum")
    result = weighted_score(
        frame, dict.fromkeys(names, 0.2), on_missing="drop", by="group3", design=design
    )
    r = reference("scores_design")
    where = {"design": "all", "score": "Overall"}
    row = overall(result)
    for column, what in (
        ("estimate", "mean"),
        ("se", "se"),
        ("ci_low", "low"),
        ("ci_high", "high"),
    ):
        assert row[column] == pytest.approx(value(r, what=what, **where), rel=1e-10, abs=1e-12)
    pairs = result.comparisons[result.comparisons["score"] == OVERALL]
    for pair in pairs.to_dict("records"):
        what = f"g3 {pair['group']} {pair['other']} se"
        se = value(r, what=what, **where)
        assert pair["estimate"] / pair["t"] == pytest.approx(se, rel=1e-10)
    assert any("errors follow the design" in note.en for note in result.notes)


def test_design_needs_respondents_and_weights_that_are_not_estimated():
    with pytest.raises(CxError, match="one set of scores has no sampling design"):
        weighted_score({"a": 1, "b": 2}, {"a": 0.5, "b": 0.5}, cluster="branch")
    frame = respondents()
    with pytest.raises(CxError, match="estimated from a simple sample"):
        satisfaction_index(frame, list(WEIGHTS), weights="factor", cluster="branch")
    with pytest.raises(CxError, match="leave interval= out"):
        satisfaction_index(frame, list(WEIGHTS), weights="factor", interval="hall")


def test_an_index_stays_between_0_and_100():
    frame = pd.DataFrame({"a": [10, 10, 9], "b": [10, 10, 10], "branch": ["x", "x", "y"]})
    for interval in ("t", "hall", "bca"):
        row = overall(satisfaction_index(frame, ["a", "b"], interval=interval, n_resamples=50))
        assert 0 <= row["ci_low"] < row["ci_high"] <= 100
    notes = satisfaction_index(frame, ["a", "b"]).notes
    assert any("fewer than 20 answers: Satisfaction index" in note.en for note in notes)


def test_a_missing_code_among_bare_scores_is_noted():
    import pandas as pd

    import cxstats as cx

    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.integers(1, 8, (120, 4)).astype(float), columns=list("abcd"))
    frame["a"] += 0.1 * frame["b"]
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    coded = frame.copy()
    coded.loc[:2, "b"] = -99
    from cxstats.satisfaction.emotion_regression import emotion
    from cxstats.satisfaction.service_weights import estimate_service_weights

    for call in (
        lambda data: cx.weighted_score(data, weights, n_resamples=100),
        lambda data: emotion(data, "a", "b", "c", n_resamples=100),
        lambda data: estimate_service_weights(data, "a", "b", "c", "d", n_resamples=100),
    ):
        notes = [note.en for note in call(coded).notes]
        assert (
            sum("column 'b' has the value" in note and "in 3 rows" in note for note in notes) == 1
        )
        assert not any("has the value" in note.en for note in call(frame).notes)
