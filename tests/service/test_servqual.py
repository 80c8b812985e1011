import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import cxstats as cx
from cxstats.service.servqual import respondent_scores
from tests.references import close, paired, reference, value

CLOSED = 1e-12
# Published worked example (12manage): gaps by dimension and the unweighted overall.
WORKED = {
    "Tangibles": -0.65,
    "Reliability": -1.10,
    "Responsiveness": -0.83,
    "Assurance": -0.70,
    "Empathy": -1.01,
}
WORKED_OVERALL = -0.858
COLUMNS = [
    *("expectation", "perception", "estimate", "gap", "ci_low", "ci_high"),
    *("t", "p_value", "p_adjusted", "effect_size", "n"),
]


def book(**more):
    return cx.Codebook(
        scale=(1, 7),
        constructs={"A": ["a1", "a2"], "B": ["b1"]},
        perception="P_{item}",
        expectation="E_{item}",
        **more,
    )


def frame(n=30, seed=0):
    generator = np.random.default_rng(seed)
    names = [f"{role}_{item}" for role in "PE" for item in ("a1", "a2", "b1")]
    return pd.DataFrame(generator.integers(1, 8, (n, 6)), columns=names)


def worked_example():
    """Build answers of 100 respondents whose mean gaps are exactly those of the example."""
    shipped = cx.Codebook.read("servqual")
    columns = {}
    for dimension, items in shipped.constructs.items():
        below = round(-100 * WORKED[dimension])
        fall = np.full(100, below // 100) + (np.arange(100) < below % 100)
        for item in items:
            columns[f"E_{item}"] = np.full(100, 6)
            columns[f"P_{item}"] = 6 - fall
    return pd.DataFrame(columns), shipped


def test_worked_example_as_published():
    table = cx.servqual(*worked_example(), n_resamples=200).table
    for dimension, gap in WORKED.items():
        assert round(table.loc[dimension, "gap"], 2) == gap
    assert round(table.loc["Overall", "gap"], 3) == WORKED_OVERALL


def test_table_has_the_columns_promised():
    result = cx.servqual(frame(), book(), n_resamples=100)
    assert list(result.table.columns)[:11] == COLUMNS
    assert list(result.items.columns)[:11] == COLUMNS
    pd.testing.assert_series_equal(result.table["estimate"], result.table["gap"], check_names=False)
    assert list(result.table.index) == ["A", "B", "Overall"]
    assert list(result.items.index) == ["a1", "a2", "b1"]
    assert result.zone is result.groups is result.comparisons is None


def test_gap_is_perception_less_expectation():
    data = frame().astype(float)
    data.loc[0, "P_a1"] = np.nan
    data.loc[1, ["E_a1", "E_a2"]] = np.nan
    table = cx.servqual(data, book(), n_resamples=100).table
    np.testing.assert_allclose(table["gap"], table["perception"] - table["expectation"], atol=1e-12)
    assert table["n"].tolist() == [29, 30, 29]
    p, e = data[["P_a1", "P_a2"]], data[["E_a1", "E_a2"]]
    by_hand = (p - e.to_numpy()).mean(axis=1).mean()  # pandas skips what is missing
    assert table.loc["A", "gap"] == pytest.approx(by_hand)


def test_tests_as_r_and_family_of_dimensions():
    data, codebook = paired()
    table = cx.servqual(data, codebook, n_resamples=100).table
    for dimension in codebook.constructs:
        where = {"dimension": dimension}
        for topic, quantity, column in (
            ("t", "t", "t"),
            ("t", "p", "p_value"),
            ("adjust", "t_p_holm", "p_adjusted"),
            ("adjust", "t_p_BH", "p_fdr"),
        ):
            expected = value(reference("paired"), topic=topic, quantity=quantity, **where)
            close(table.loc[dimension, column], expected, CLOSED)
    assert table.loc["Overall", "p_adjusted"] == table.loc["Overall", "p_value"]


def test_reliability_of_the_difference_as_r():
    data, codebook = paired()
    table = cx.servqual(data, codebook, n_resamples=2).table
    expected = reference("difference_reliability")
    for dimension in [*codebook.constructs, "Overall"]:
        name = "all" if dimension == "Overall" else dimension
        row = expected[expected["dimension"] == name].set_index("quantity")["value"].astype(float)
        close(table.loc[dimension, "alpha_gap"], row["alpha_gap"], CLOSED)
        if dimension != "Overall":
            close(table.loc[dimension, "reliability"], row["r_D"], CLOSED)


def test_reliability_of_the_overall_gap():
    data, codebook = cx.simulate_servqual(120, seed=4)
    names = list(codebook.constructs)
    one = {name: float(name == "Reliability") for name in names}
    table = cx.servqual(data, codebook, weights=one, n_resamples=2).table
    assert table.loc["Overall", "reliability"] == pytest.approx(
        table.loc["Reliability", "reliability"]
    )
    equal = cx.servqual(data, codebook, n_resamples=2).table["reliability"]
    assert equal["Overall"] > equal.drop("Overall").max()


def test_declared_codes_are_missing_with_and_without_cleaning():
    codebook = cx.Codebook(scale=(1, 9), constructs={"A": ["a", "b"]}, missing=[9])
    data = pd.DataFrame({"a": [1, 2, 3, 9, 9], "b": [2, 2, 3, 9, 4]})
    raw = cx.servperf(data, codebook, n_resamples=20).table
    cleaned = cx.servperf(cx.clean(data, codebook)[0], codebook, n_resamples=20).table
    pd.testing.assert_frame_equal(raw, cleaned)
    assert raw.loc["A", "perception"] == 2.625
    assert raw.loc["A", "n"] == 4


def test_waves_cleaned_apart_and_joined_are_turned_once():
    codebook = cx.Codebook(
        scale=(1, 7), constructs={"A": ["a", "b"]}, reverse=["b"], other=["wave"]
    )
    generator = np.random.default_rng(0)
    a = generator.integers(1, 8, 60)
    data = pd.DataFrame({"a": a, "b": 8 - np.clip(a + generator.integers(-1, 2, 60), 1, 7)})
    waves = [data[:30].assign(wave=1), data[30:].assign(wave=2)]
    for i, wave in enumerate(waves):
        wave.attrs["read_report"] = i  # what reading leaves differs between files
    joined = pd.concat([cx.clean(wave, codebook)[0] for wave in waves])
    expected = cx.servperf(cx.clean(data.assign(wave=1), codebook)[0], codebook, n_resamples=20)
    found = cx.servperf(joined, codebook, n_resamples=20)
    pd.testing.assert_frame_equal(found.table, expected.table)
    joined.attrs = {}  # what merges and other programs do
    with pytest.warns(UserWarning, match="'b' was turned here and goes against its construct"):
        cx.servperf(joined, codebook, n_resamples=20)


def test_groups_of_equal_answers_do_not_differ():
    data = frame(40)
    for role, answer in (("P", (4, 4, 3)), ("E", (6, 6, 6))):
        for item, value_ in zip(("a1", "a2", "b1"), answer, strict=True):
            data[f"{role}_{item}"] = value_
    data["n"] = ["x"] * 33 + ["y"] * 7
    result = cx.servqual(data, book(), by="n", n_resamples=20)
    assert result.comparisons["p_value"].isna().all()
    assert set(result.groups["group"]) == {"x", "y"}
    assert result.groups["n"].tolist() == [33] * 3 + [7] * 3


def test_a_gap_that_is_the_same_for_everybody_is_said():
    rng = np.random.default_rng(1)
    expectation = rng.integers(3, 8, (30, 3)).astype(float)
    frame = pd.DataFrame(expectation, columns=["E_a1", "E_a2", "E_b1"])
    frame["P_a1"], frame["P_a2"] = frame["E_a1"] - 1, frame["E_a2"] - 1
    frame["P_b1"] = rng.integers(1, 8, 30)
    result = cx.servqual(frame, book(), n_resamples=1_000)
    assert result.table.loc["A", "estimate"] == -1
    assert np.isnan(result.table.loc["A", ["ci_low", "p_value", "effect_size"]].astype(float)).all()
    constant = [note for note in result.notes if "does not vary" in note.en]
    assert [": A; so" in note.en for note in constant] == [True]
    assert "没有变异" in result.summary("zh")
    # One item, one respondent less, a perception that is the same for all.
    frame.loc[0, "P_a2"] += 1
    note, skewed = cx.servqual(frame, book()).notes
    assert ": a1; so" in note.en
    assert skewed.en.startswith("answers pile up at an end of the scale: A;")
    frame[["P_a1", "P_a2"]] = 5
    (note,) = cx.servperf(frame, book()).notes
    assert "the score does not vary" in note.en


def test_who_is_in_no_group_is_said():
    data = frame(30).assign(branch=["a"] * 14 + ["b"] * 13 + [None] * 3)
    result = cx.servqual(data, book(), by="branch", interval="bca", n_resamples=20)
    assert any("3 respondents have no 'branch'" in note.en for note in result.notes)
    assert any("20 resamples are rough" in note.en for note in result.notes)


def test_zone_without_width_has_no_interval():
    codebook = cx.Codebook(
        scale=(1, 7),
        constructs={"A": ["a"]},
        perception="P_{item}",
        expectation="E_{item}",
        minimum="M_{item}",
    )
    data = pd.DataFrame(
        {"P_a": [5, 4, 6, 3, 5, 4], "E_a": [6, 5, 6, 5, 6, 6], "M_a": [5, 5, 6, 5, 6, 6]}
    )
    zone = cx.servqual(data, codebook, n_resamples=200).zone
    assert zone.loc["A", ["position_ci_low", "position_ci_high"]].isna().all()


def test_own_points_are_not_mean_points():
    """Two respondents who weigh opposite: the mean of weighted gaps is not the weighted mean."""
    codebook = book(importance="W_{construct}")
    data = pd.DataFrame(
        {
            "P_a1": [1, 5, 3],
            "P_a2": [1, 5, 3],
            "P_b1": [5, 1, 3],
            "E_a1": [5, 5, 5],
            "E_a2": [5, 5, 5],
            "E_b1": [5, 5, 5],
            "W_A": [90, 10, 50],
            "W_B": [10, 90, 50],
        }
    )
    overall = cx.servqual(data, codebook, weights="points", n_resamples=50).table.loc["Overall"]
    by_hand = np.mean([0.9 * -4 + 0.1 * 0, 0.1 * 0 + 0.9 * -4, 0.5 * -2 + 0.5 * -2])
    assert overall["gap"] == pytest.approx(by_hand)
    means = cx.servqual(data, codebook, weights={"A": 50, "B": 50}, n_resamples=50).table
    assert means.loc["Overall", "gap"] == pytest.approx(-2)
    assert overall["gap"] != pytest.approx(-2)
    np.testing.assert_allclose(means["weight"][:2], [0.5, 0.5])


def test_points_that_do_not_vary_are_fixed_weights():
    data, codebook = cx.simulate_servqual(60, seed=1)
    fixed = dict(zip(codebook.constructs, (10, 30, 25, 20, 15), strict=True))
    for column, points in zip(codebook.point_columns, fixed.values(), strict=True):
        data[column] = points
    own = cx.servqual(data, codebook, weights="points", n_resamples=50).table
    given = cx.servqual(data, codebook, weights=fixed, n_resamples=50).table
    pd.testing.assert_frame_equal(own, given)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 3))
def test_shifting_permuting_duplicating(seed, shift):
    data = frame(seed=seed).clip(1, 4)
    codebook = book()

    def table(answers):
        return cx.servqual(answers, codebook, n_resamples=10).table

    one = table(data)
    same = ["gap", "t", "p_value", "effect_size", "reliability"]
    pd.testing.assert_frame_equal(table(data + shift)[same], one[same])
    shuffled = data.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(table(shuffled)[same], one[same])
    twice = table(pd.concat([data, data], ignore_index=True))
    pd.testing.assert_series_equal(twice["gap"], one["gap"])
    pd.testing.assert_series_equal(twice["reliability"], one["reliability"])
    swapped = data.rename(columns=lambda c: {"P": "E", "E": "P"}[c[0]] + c[1:])
    pd.testing.assert_series_equal(table(swapped)["gap"], -one["gap"])


def test_same_seed_same_table():
    data, codebook = frame(), book()
    one, two = (
        cx.servqual(data, codebook, interval="bca", n_resamples=200, seed=5) for _ in range(2)
    )
    pd.testing.assert_frame_equal(one.table, two.table)
    other = cx.servqual(data, codebook, interval="bca", n_resamples=200, seed=6)
    assert not one.table["ci_low"].equals(other.table["ci_low"])
    assert (other.seed, other.n_resamples, other.level) == (6, 200, 0.95)


def test_reverse_items_are_turned_once():
    data = frame(300)  # random answers: enough for a correlation near 0
    turned = data.assign(P_a2=8 - data["P_a2"], E_a2=8 - data["E_a2"])
    declared = book(reverse=["a2"])
    expected = cx.servqual(data, book(), n_resamples=20).table
    here = cx.servqual(turned, declared, n_resamples=20)
    pd.testing.assert_frame_equal(here.table, expected)
    assert any("reverse items turned here: a2" in note.en for note in here.notes)
    cleaned, _ = cx.clean(turned, declared)
    after = cx.servqual(cleaned, declared, n_resamples=20)
    pd.testing.assert_frame_equal(after.table, expected)
    assert not any("turned" in note.en for note in after.notes)


@pytest.mark.parametrize("engine", ["polars", "pyarrow", "duckdb"])
def test_any_table(engine):
    import duckdb
    import polars as pl
    import pyarrow as pa

    data = frame()
    arrow = pa.Table.from_pandas(data)
    made = {
        "polars": pl.from_arrow(arrow).lazy(),
        "pyarrow": arrow,
        "duckdb": duckdb.from_arrow(arrow),
    }[engine]
    expected = cx.servqual(data, book(), n_resamples=20).table
    pd.testing.assert_frame_equal(cx.servqual(made, book(), n_resamples=20).table, expected)


def test_zone_of_tolerance():
    data, codebook = cx.simulate_servqual(150, seed=3, minimum=True)
    zone = cx.servqual(data, codebook, n_resamples=200).zone
    assert list(zone.index) == [*codebook.constructs, "Overall"]
    np.testing.assert_allclose(zone["adequacy"], zone["perception"] - zone["minimum"])
    np.testing.assert_allclose(zone["superiority"], zone["perception"] - zone["expectation"])
    width = zone["expectation"] - zone["minimum"]
    np.testing.assert_allclose(zone["position"], zone["adequacy"] / width)
    for name in ("adequacy", "superiority"):
        assert (zone[f"{name}_p_adjusted"] >= zone[f"{name}_p_value"]).all()
        assert zone.loc["Overall", f"{name}_p_adjusted"] == zone.loc["Overall", f"{name}_p_value"]
    assert (zone["position_ci_low"] < zone["position"]).all()
    assert (zone["position"] < zone["position_ci_high"]).all()


def test_groups_and_waves():
    shifts = {"North": 0.0, "South": -0.8, "West": 0.0}
    data, codebook = cx.simulate_servqual(600, seed=2, branches=shifts)
    result = cx.servqual(data, codebook, by="branch", n_resamples=300)
    assert len(result.groups) == 3 * 6
    assert len(result.comparisons) == 3 * 6
    pairs = result.comparisons.set_index(["group", "other", "score"])
    assert pairs.loc[("North", "South", "Overall"), "p_adjusted"] < 0.001
    assert pairs.loc[("North", "West", "Overall"), "p_adjusted"] > 0.05
    assert (result.comparisons["p_adjusted"] >= result.comparisons["p_value"]).all()
    assert "South" in result.summary()
    assert "branch" in result.summary("zh")


def test_servperf():
    codebook = cx.Codebook.read("servperf")
    data, _ = cx.simulate_servqual(80, seed=1)
    data = data[[c for c in data.columns if c.startswith("P_")]].rename(columns=lambda c: c[2:])
    result = cx.servperf(data, codebook, n_resamples=50)
    np.testing.assert_allclose(
        result.table.loc["Tangibles", "perception"],
        data[list(codebook.constructs["Tangibles"])].mean(axis=1).mean(),
    )
    assert "t" not in result.table.columns
    assert "SERVPERF" in result.summary()
    with pytest.raises(cx.DataError, match=r"no expectations.*cxstats.servperf"):
        cx.servqual(data, codebook)


def test_synthetic_data_are_named_so():
    data, codebook = cx.simulate_servqual(50, seed=1)
    result = cx.servqual(data, codebook, n_resamples=50)
    assert result.synthetic
    assert "Synthetic data" in result.summary()
    assert "合成数据" in result.summary("zh")
    assert "<pre>" in result._repr_html_()
    assert not cx.servqual(frame(), book(), n_resamples=50).synthetic


def test_tables_name_scores_in_the_language_of_the_reader():
    shifts = {"North": 0.0, "South": -0.8}
    result = cx.servqual(
        *cx.simulate_servqual(60, seed=1, branches=shifts), by="branch", n_resamples=50
    )
    english, chinese = result.translated("en"), result.translated("zh")
    assert list(english["table"].index) == list(result.table.index)
    assert list(chinese["table"].index)[-2:] == ["移情性", "总体"]
    assert set(chinese["comparisons"]["score"]) == set(chinese["table"].index)
    assert list(chinese["items"].index) == list(result.items.index)
    np.testing.assert_array_equal(chinese["table"], result.table)


def test_cannot_be_drawn_without_the_answers():
    result = cx.servperf(cx.simulate_servqual(60, seed=1)[0], cx.Codebook.read("servqual"))
    assert result.kinds == ("dimensions", "items")
    with pytest.raises(cx.CxError, match=r"a scatter needs expectations.*; allowed: 'dimensions'"):
        result.plot("scatter")
    with pytest.raises(cx.CxError, match="no zone of tolerance: the codebook has no minimum"):
        result.plot("zone")


def test_one_item_dimension_has_no_reliability():
    table = cx.servqual(frame(), book(), n_resamples=20).table
    assert np.isnan(table.loc["B", "reliability"])


OPTIONS = [
    ({"n_resamples": -5}, "n_resamples is -5"),
    ({"n_resamples": 1e3}, "n_resamples is 1000.0"),
    ({"seed": -1}, "seed is -1"),
    ({"seed": None}, "seed is None"),
    ({"level": "0.95"}, "level is '0.95'"),
    ({"by": ["a"]}, r"by=\['a'\]; allowed: the name of one column"),
    ({"weights": 5}, "weights=5; allowed"),
    ({"weights": {"A": "50", "B": "50"}}, "'A' has '50'"),
]


@pytest.mark.parametrize(("option", "message"), OPTIONS)
def test_bad_options_are_named(option, message):
    with pytest.raises(cx.CxError, match=message):
        cx.servqual(frame(), book(), **{"n_resamples": 10, **option})


BAD = [
    (lambda: (frame().astype(float).replace({"P_a1": {1.0: 1.5}}), book()), "1.5 is between two"),
    (lambda: (frame().assign(P_a1=True), book()), "'P_a1' holds true and false"),
    (lambda: (pd.concat([frame(), frame()["P_a1"]], axis=1), book()), "'P_a1' stands twice"),
    (lambda: (frame().drop(columns="E_b1"), book()), "column 'E_b1' is not in the table"),
    (lambda: (frame().replace({"P_a1": {1: 8}}), book()), "column 'P_a1': 8 is off the scale"),
    (
        lambda: (frame().astype({"P_a1": object}).replace({"P_a1": {1: "x"}}), book()),
        "column 'P_a1': 'x' is not a number",
    ),
    (lambda: (frame()[:0], book()), "the table has no rows"),
    (lambda: (frame()[:1], book()), "fewer than two respondents"),
    (lambda: (frame().astype(float) * np.nan, book()), "fewer than two respondents"),
    (lambda: ("text", book()), "a table of type 'str' cannot be read"),
    (lambda: (frame(), book(), "points"), "the codebook declares no 'importance'"),
    (lambda: (frame(), book(), "equal"), "weights='equal'; allowed: None, 'points'"),
    (lambda: (frame(), book(), {"A": 1}), "'B' has none; give 0"),
    (lambda: (frame(), book(), {"A": 0.5, "B": 0.4}), "they sum to 0.9; allowed: 1 or 100"),
    (lambda: (frame(), book(), {"A": 1.5, "B": -0.5}), "'B' has -0.5"),
    (lambda: (frame(), book(), {"A": 0.5, "C": 0.5}), "'C' is not known; allowed: A, B"),
    (
        lambda: (frame().assign(W_A=60, W_B=30), book(importance="W_{construct}"), "points"),
        "row 0: the points sum to 90; allowed: 100",
    ),
    (
        lambda: (frame().assign(W_A=160, W_B=-60), book(importance="W_{construct}"), "points"),
        "row 0: points below 0",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(cx.CxError, match=message):
        cx.servqual(*arguments(), n_resamples=10)


def two_samples(n=40, others=30):
    """Return a frame in which the last `others` people gave the expectations."""
    data = frame(n + others).astype(float)
    data.loc[: n - 1, ["E_a1", "E_a2", "E_b1"]] = np.nan
    data.loc[n:, ["P_a1", "P_a2", "P_b1"]] = np.nan
    return data


def test_two_samples_are_told_from_nobody():
    with pytest.raises(cx.DataError, match=r"nobody answered an item in both roles \(30 .* 40 .*"):
        cx.servqual(two_samples(), book())


@pytest.mark.parametrize("level", [0.95, 0.9])
def test_gap_of_two_samples_against_scipy(level):
    """Welch's t of scipy, for items, dimensions and the overall score."""
    data = two_samples()
    result = cx.servqual(data, book(), paired=False, level=level)
    scores = {
        role: data[[f"{role}_a1", f"{role}_a2", f"{role}_b1"]]
        .dropna()
        .set_axis(["a1", "a2", "b1"], axis=1)
        for role in "PE"
    }
    for columns in scores.values():
        columns["A"], columns["B"] = columns[["a1", "a2"]].mean(axis=1), columns["b1"]
        columns["Overall"] = columns[["A", "B"]].mean(axis=1)
    rows = pd.concat([result.table, result.items])
    for name, row in rows.iterrows():
        theirs = stats.ttest_ind(scores["P"][name], scores["E"][name], equal_var=False)
        limits = theirs.confidence_interval(level)
        expected = [theirs.statistic, theirs.pvalue, theirs.df, limits.low, limits.high]
        assert row[["t", "p_value", "df", "ci_low", "ci_high"]].tolist() == pytest.approx(expected)
        assert row["gap"] == pytest.approx(scores["P"][name].mean() - scores["E"][name].mean())
        assert row[["n_perception", "n_expectation"]].tolist() == [40, 30]
    assert not {"effect_size", "p_wilcoxon", "reliability"} & set(result.table.columns)
    assert any("two samples: 40" in note.en and "两个独立样本" in note.zh for note in result.notes)


def test_bootstrap_of_two_samples_is_near_welch():
    data = two_samples(150, 150)
    t, bca = (
        cx.servqual(data, book(), paired=False, interval=interval, n_resamples=2000)
        for interval in ("t", "bca")
    )
    np.testing.assert_allclose(bca.table["ci_low"], t.table["ci_low"], atol=0.06)
    np.testing.assert_allclose(bca.table["ci_high"], t.table["ci_high"], atol=0.06)


def test_what_two_samples_cannot_have():
    data = two_samples().assign(group="a")
    for option, message in (
        ({"by": "group"}, "by= compares gaps of respondents"),
        ({"weights": "points"}, "weights='points' needs both roles"),
        ({"paired": "no"}, "paired='no'; allowed: True, False"),
    ):
        with pytest.raises(cx.CxError, match=message):
            cx.servqual(data, book(), **{"paired": False, **option})
    data.loc[0, "E_a1"] = 5
    with pytest.raises(cx.DataError, match="1 respondents answered in both roles; paired=False"):
        cx.servqual(data, book(), paired=False)
    with pytest.raises(cx.DataError, match="fewer than two respondents gave a perception"):
        cx.servqual(two_samples().iloc[39:], book(), paired=False)


def test_small_groups_are_suppressed_and_said():
    responses, book = cx.simulate_servqual(200, seed=4)
    responses["branch"] = ["East"] * 40 + ["North"] * 100 + ["South"] * 52 + ["West"] * 8
    full = cx.servqual(responses, book, by="branch")
    hidden = cx.servqual(responses, book, by="branch", min_cell=10)
    small = hidden.groups["group"].isin(["East", "West"])  # East, or West would be all less it
    assert hidden.groups["suppressed"].tolist() == small.tolist()
    numbers = ["estimate", "ci_low", "ci_high", "se", "n"]
    assert hidden.groups.loc[small, numbers].isna().all(axis=None)
    shown = full.groups["group"].isin(["North", "South"])
    pd.testing.assert_frame_equal(
        hidden.groups.loc[~small, numbers], full.groups.loc[shown, numbers], check_dtype=False
    )
    assert set(hidden.comparisons["group"]) | set(hidden.comparisons["other"]) == {"North", "South"}
    assert "2 groups are not shown: they have fewer than 10 answers" in hidden.summary("en")
    one = cx.servperf(responses, book, by="branch", min_cell=95)
    assert one.comparisons is None
    assert one.groups["suppressed"].sum() == 18
    none = cx.servperf(responses, book, by="branch", min_cell=1_000)
    assert none.groups["estimate"].isna().all()
    assert "suppressed" not in full.groups
    with pytest.raises(cx.CxError, match="min_cell=0; allowed: a whole number from 1, or None"):
        cx.servqual(responses, book, by="branch", min_cell=0)


def test_items_whose_sum_does_not_vary_have_no_reliability():
    """Two items that make up for each other; no warning of NumPy's reaches the user."""
    book = cx.Codebook(
        scale=(1, 5), constructs={"A": ["a", "b"]}, perception="P_{item}", expectation="E_{item}"
    )
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.integers(1, 6, (30, 2)), columns=["P_a", "P_b"])
    data["E_a"] = [4, 5] * 15
    data["E_b"] = 9 - data["E_a"]
    table = cx.servqual(data, book).table
    assert table["reliability"].isna().all()
    assert table["gap"].notna().all()


@pytest.mark.parametrize("weights", [None, "points"])
def test_scores_of_respondents_are_those_that_servqual_tests(weights):
    responses, codebook = cx.simulate_servqual(80, seed=4)
    responses.loc[:5, "P_t1"] = np.nan
    scores = respondent_scores(responses, codebook, weights)
    table = cx.servqual(responses, codebook, weights).table
    assert list(scores) == list(table.index)
    assert scores.mean().tolist() == pytest.approx(table["estimate"].tolist())
    assert scores.notna().sum().tolist() == table["n"].tolist()


def test_perceptions_of_respondents_are_those_that_servperf_tests():
    responses, codebook = cx.simulate_servqual(80, seed=4)
    scores = respondent_scores(responses, codebook, measure="perception")
    table = cx.servperf(responses, codebook).table
    assert scores.mean().tolist() == pytest.approx(table["estimate"].tolist())
