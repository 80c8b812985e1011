"""`drivers` as a user meets it: tables, groups, doors for data, bad input."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import cxstats as cx
from cxstats.priorities.drivers import drivers
from cxstats.priorities.drivers.importance_measures import shapley

ITEMS = ["IMAG1", "IMAG2", "CUEX1", "PERQ1", "PERQ2", "PERV1"]
COLUMNS = ["estimate", "ci_low", "ci_high", "share"]


@pytest.fixture(scope="module")
def mobi():
    return cx.load_ecsi_mobile()[0].astype(float)


@pytest.fixture(scope="module")
def result(mobi):
    return drivers(mobi, "CUSA1", ITEMS, n_resamples=400)


def simulated(n, seed, p=4, effect=0.5):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, p)) + generator.normal(size=(n, 1))
    x[:, -1] = generator.normal(size=n)
    y = effect * x[:, 0] + 0.3 * x[:, 1] + generator.normal(size=n)
    names = [*(f"x{i}" for i in range(p - 1)), "noise"]
    return pd.DataFrame(np.column_stack([x, y]), columns=[*names, "y"]), names


def test_table(result):
    table = result.table
    assert list(table.index) == ITEMS
    assert set(COLUMNS) <= set(table.columns)
    assert table["estimate"].sum() == pytest.approx(result.r_squared)
    assert table["share"].sum() == pytest.approx(1)
    assert (table["ci_low"] <= table["estimate"]).all()
    assert (table["estimate"] <= table["ci_high"]).all()
    assert table["first_share"].sum() == pytest.approx(1)
    assert sorted(table["rank"]) == [1, 2, 3, 4, 5, 6]
    assert (table["rank_ci_low"] <= table["rank"]).all()
    assert (table["rank"] <= table["rank_ci_high"]).all()
    low, high = result.r_squared_ci
    assert low < result.adjusted_r_squared < high
    assert result.n == 250


def test_the_same_seed_gives_the_same_table(mobi, result):
    again = drivers(mobi, "CUSA1", ITEMS, n_resamples=400)
    pd.testing.assert_frame_equal(again.table, result.table)
    other = drivers(mobi, "CUSA1", ITEMS, n_resamples=400, seed=2)
    assert (other.table["ci_low"] != result.table["ci_low"]).any()
    assert (other.table["estimate"] == result.table["estimate"]).all()


def test_doors(mobi, result):
    for table in (pl.DataFrame(mobi), pl.LazyFrame(mobi)):
        found = drivers(table, "CUSA1", ITEMS, n_resamples=400).table
        pd.testing.assert_frame_equal(found, result.table)


@pytest.mark.parametrize("method", ["shapley", "johnson", "regression"])
def test_moments_give_estimates_and_normal_intervals(mobi, method):
    given = drivers(cx.moments(mobi, [*ITEMS, "CUSA1"]), "CUSA1", ITEMS, method)
    table = drivers(mobi, "CUSA1", ITEMS, method, n_resamples=1_000).table
    np.testing.assert_allclose(given.table["estimate"], table["estimate"], rtol=1e-9)
    assert given.n_resamples == 0
    assert "normal answers" in " ".join(note.en for note in given.notes)
    assert given.table["first_share"].isna().all()
    # Survey answers are not normal: widths agree roughly, not closely.
    ratio = given.table["se"] / table["se"]
    assert ratio.between(0.5, 1.6).all(), ratio


def test_scale_and_shift_change_nothing(mobi, result):
    moved = mobi * np.linspace(0.1, 5, mobi.shape[1]) - 3
    found = drivers(moved, "CUSA1", ITEMS, n_resamples=400).table
    np.testing.assert_allclose(found[COLUMNS], result.table[COLUMNS], rtol=1e-8)


def test_shuffled_drivers_and_rows(mobi, result):
    turned = drivers(mobi, "CUSA1", ITEMS[::-1], n_resamples=400).table.loc[ITEMS]
    np.testing.assert_allclose(turned["estimate"], result.table["estimate"], rtol=1e-9)
    np.testing.assert_allclose(turned["ci_high"], result.table["ci_high"], rtol=1e-9)
    rows = drivers(mobi.sample(frac=1, random_state=1), "CUSA1", ITEMS, n_resamples=50).table
    np.testing.assert_allclose(rows["estimate"], result.table["estimate"], rtol=1e-9)


@pytest.mark.parametrize("method", ["shapley", "johnson"])
def test_noise_is_not_told_apart_and_drivers_are(method):
    frame, names = simulated(400, 3)
    found = drivers(frame, "y", names, method, n_resamples=400)
    assert found.table.loc["noise", "ci_low"] == 0
    assert found.table.loc["noise", "share_ci_low"] == 0
    assert found.table.loc["noise", "p_value"] > 0.05
    assert found.table.loc["noise", "ci_high"] > 0
    assert (found.table.loc[["x0", "x1"], "ci_low"] > 0).all()
    assert (found.table.loc[["x0", "x1"], "estimate"] > found.noise).all()


def test_two_regressors_by_hand():
    # r1 = .6, r2 = .4, r12 = .5: R2 = .28 / .75; Shapley .5 (r1^2 + R2 - r2^2).
    m = cx.Moments.from_correlation(["a", "b", "y"], [[1], [0.5, 1], [0.6, 0.4, 1]], n=100)
    table = drivers(m, "y", ["a", "b"]).table
    r2 = 0.28 / 0.75
    np.testing.assert_allclose(
        table["estimate"], [(0.36 + r2 - 0.16) / 2, (0.16 + r2 - 0.36) / 2], rtol=1e-12
    )


def test_one_driver_is_the_squared_correlation():
    m = cx.Moments.from_correlation(["a", "y"], [[1], [0.6, 1]], n=100)
    table = drivers(m, "y", ["a"]).table
    assert table["estimate"].tolist() == pytest.approx([0.36])
    assert table[["share", "share_ci_low", "share_ci_high"]].to_numpy().tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("method", ["shapley", "johnson"])
@pytest.mark.parametrize("effect", [0.0, 0.6])
def test_one_driver_and_r2_have_one_interval(method, effect):
    generator = np.random.default_rng(4)
    x = generator.normal(size=200)
    frame = pd.DataFrame({"x": x, "y": effect * x + generator.normal(size=200)})
    for data in (frame, cx.moments(frame)):
        found = drivers(data, "y", ["x"], method, n_resamples=200)
        limits = found.table.loc["x", ["ci_low", "ci_high"]].tolist()
        assert list(found.r_squared_ci) == limits
        assert (limits[0] == 0) == (effect == 0)


def test_r2_of_a_matrix_has_an_interval_where_the_adjusted_one_is_below_0():
    rows = [[1], [0, 1], [0.1, 0.02, 1]]
    m = cx.Moments.from_correlation(["a", "b", "y"], rows, n=50)
    found = drivers(m, "y", ["a", "b"])
    assert found.adjusted_r_squared < 0
    assert found.r_squared_ci[0] == 0
    assert found.r_squared_ci[1] > found.r_squared


def uneven(n, seed):
    """A driver without effect, the spread of the outcome growing with it, and a real driver."""
    generator = np.random.default_rng(seed)
    x, z = generator.normal(size=(2, n))
    y = z + 1.5 * np.abs(x) * generator.normal(size=n)
    return pd.DataFrame({"x": x, "z": z, "y": y})


def test_the_p_value_of_a_beta_is_that_of_its_interval():
    """By hand: the bootstrap error as it is expanded for the interval, on n - p - 1."""
    from scipy import stats

    frame = uneven(200, 1)
    table = drivers(frame, "y", ["x", "z"], "regression").table
    t = table["estimate"] / (table["se"] * np.sqrt(200 / 197))
    np.testing.assert_allclose(table["p_value"], 2 * stats.t.sf(abs(t), 197), rtol=1e-12)


def test_p_and_interval_of_a_beta_agree_and_hold_their_level():
    """Least squares, which assumes one spread, errs more than twice as often as it says."""
    rejected, least_squares, apart = [], [], []
    for seed in range(300):
        frame = uneven(200, seed)
        row = drivers(frame, "y", ["x", "z"], "regression", n_resamples=400).table.loc["x"]
        rejected.append(row["p_value"] < 0.05)
        least_squares.append(row["beta_p_value"] < 0.05)
        apart.append(rejected[-1] != (row["ci_low"] > 0 or row["ci_high"] < 0))
    # Four standard errors of 300 samples at 5 % are five points.
    assert np.mean(rejected) < 0.10
    assert np.mean(least_squares) > 0.15
    assert np.mean(apart) < 0.03  # percentiles of 400 resamples are no t interval


def test_groups_differ_where_they_do():
    first, names = simulated(500, 1, effect=1.2)
    second, _ = simulated(500, 2, effect=0.0)
    frame = pd.concat([first, second], ignore_index=True)
    frame["branch"] = ["North"] * 500 + ["South"] * 500
    frame.loc[0, "branch"] = None
    result = drivers(frame, "y", names, by="branch", n_resamples=400)
    rows = result.comparisons.set_index("driver")
    own = shapley(np.corrcoef(first.to_numpy()[1:].T))
    groups = result.groups.set_index(["group", "driver"])["estimate"]
    np.testing.assert_allclose(groups["North"], own, rtol=1e-9)
    np.testing.assert_allclose(
        rows["estimate"], groups["North"].to_numpy() - groups["South"].to_numpy(), rtol=1e-12
    )
    assert rows.loc["x0", "ci_low"] > 0
    assert rows.loc["x0", "p_adjusted"] < 0.001
    assert rows.loc["noise", "ci_low"] < 0 < rows.loc["noise", "ci_high"]
    assert "1 cases have no 'branch'" in " ".join(note.en for note in result.notes)
    assert "branch" in result.summary()
    assert "branch" in result.summary("zh")


def test_equal_groups_do_not_differ():
    frame, names = simulated(300, 1)
    both = pd.concat([frame, frame], ignore_index=True)
    both["wave"] = [1] * 300 + [2] * 300
    rows = drivers(both, "y", names, by="wave", n_resamples=400).comparisons
    np.testing.assert_allclose(rows["estimate"], 0, atol=1e-12)
    # Groups have resamples of their own, so the intervals are not of length 0.
    assert (rows["ci_low"] < 0).all()
    assert (rows["ci_high"] > 0).all()


def test_missing_answers_are_counted(mobi):
    holes = mobi.copy()
    holes.loc[:9, "PERQ1"] = np.nan
    holes.loc[5:14, "CUSA1"] = np.nan
    found = drivers(holes, "CUSA1", ITEMS, n_resamples=50)
    assert (found.n, found.n_dropped) == (235, 15)
    assert "15 respondents with a missing answer were left out" in [n.en for n in found.notes]


def test_a_driver_that_repeats_another_is_said(mobi):
    twice = mobi.assign(again=2 * mobi["PERQ1"] + 1)
    found = drivers(twice, "CUSA1", [*ITEMS, "again"], n_resamples=200)
    assert found.table.loc["again", "estimate"] == pytest.approx(
        found.table.loc["PERQ1", "estimate"]
    )
    assert found.r_squared == pytest.approx(drivers(mobi, "CUSA1", ITEMS, n_resamples=50).r_squared)
    assert any("PERQ1, again" in note.en for note in found.notes)
    with pytest.raises(cx.CxError, match=r"PERQ1, again; leave one out"):
        drivers(twice, "CUSA1", [*ITEMS, "again"], "regression")


def test_a_copy_takes_from_the_others_and_that_is_said(mobi):
    """As the docstring says: .083 alone, .115 for the pair, the others 7 to 15 % less."""
    items = ["PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7", "PERV1", "PERV2"]
    one = drivers(mobi, "CUSA1", items, n_resamples=50).table["estimate"]
    found = drivers(mobi.assign(again=mobi["PERQ4"]), "CUSA1", [*items, "again"], n_resamples=50)
    pair = found.table["estimate"]
    assert pair["PERQ4"] == pytest.approx(pair["again"])
    assert (round(one["PERQ4"], 3), round(pair[["PERQ4", "again"]].sum(), 3)) == (0.083, 0.115)
    others = [name for name in items if name != "PERQ4"]
    lost = 1 - pair[others] / one[others]
    assert (round(lost.min(), 2), round(lost.max(), 2)) == (0.07, 0.15)
    assert any(
        "more than without the repetition (and the others less)" in n.en for n in found.notes
    )


def test_a_driver_close_to_another_is_said(mobi):
    near = mobi.assign(near=mobi["PERQ1"] + np.random.default_rng(1).normal(0, 0.1, len(mobi)))
    found = drivers(near, "CUSA1", [*ITEMS, "near"], n_resamples=50)
    assert any("nearly determined" in note.en and "near (VIF" in note.en for note in found.notes)


def test_resamples_without_variation_are_counted():
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(generator.normal(size=(30, 3)), columns=["a", "b", "y"])
    frame["rare"] = [1.0] + [0.0] * 29
    found = drivers(frame, "y", ["a", "b", "rare"], n_resamples=500)
    # The one case is left out of a resample with probability (29 / 30)^30 = .362.
    assert 130 < found.n_failed < 230
    assert any("without variation" in note.en for note in found.notes)
    assert np.isfinite(found.table["ci_high"]).all()


def test_many_drivers_are_sampled_and_say_so():
    generator = np.random.default_rng(1)
    x = generator.normal(size=(300, 24)) + generator.normal(size=(300, 1))
    names = [f"x{i}" for i in range(23)]
    frame = pd.DataFrame(x, columns=[*names, "y"])
    found = drivers(frame, "y", names, n_resamples=100)
    assert "sampling_se" in found.table
    assert any("1,000 sampled orders" in note.en for note in found.notes)
    assert found.table["estimate"].sum() == pytest.approx(found.r_squared, abs=1e-8)
    fewer = drivers(frame, "y", names[:12], n_resamples=50)
    assert "sampling_se" not in fewer.table
    own = drivers(cx.moments(frame), "y", names)
    np.testing.assert_allclose(own.table["estimate"], found.table["estimate"], rtol=1e-9)
    assert own.table["se"].gt(0).all()


def test_words(result, mobi):
    assert result.summary().startswith("Drivers of CUSA1 by Shapley values")
    assert "R²" in result.summary("zh")
    assert "<table" in result._repr_html_()
    assert str(result) == repr(result) == result.summary()
    regression = drivers(mobi, "CUSA1", ITEMS, "regression", n_resamples=50)
    assert "beta" in regression.summary()
    assert any("rough" in note.en for note in regression.notes)


def test_synthetic_is_kept(mobi):
    frame, names = simulated(100, 1)
    frame.attrs["synthetic"] = True
    found = drivers(frame, "y", names, n_resamples=50)
    assert found.synthetic
    assert "Synthetic" in found.summary()


BAD = [
    ({"outcome": "nothing"}, "column 'nothing' is not in the table"),
    ({"drivers": ["IMAG1", "IMAG1"]}, "driver 'IMAG1' is named twice"),
    ({"drivers": ["IMAG1", "CUSA1"]}, "'CUSA1' is the outcome"),
    ({"drivers": []}, "drivers is empty"),
    ({"drivers": "IMAG1"}, "allowed: a list of names"),
    ({"outcome": 3}, "outcome is 3"),
    ({"method": "magic"}, "method is 'magic'; allowed: 'shapley'"),
    ({"level": 2}, "level is 2"),
    ({"n_resamples": 0}, "n_resamples is 0"),
    ({"seed": -1}, "seed is -1"),
    ({"by": "region"}, "column 'region' is not in the table"),
    ({"by": 3}, "by=3"),
    ({"low": 3}, "'low' is no option of method 'shapley'"),
    ({"method": "penalty-reward"}, "low is missing"),
    ({"method": "penalty-reward", "lowest": 3}, "'lowest' is no option of method 'penalty-reward'"),
    ({"by": "IMAG3", "method": "penalty-reward"}, "by='IMAG3' is no option"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_options(mobi, change, message):
    given = {"outcome": "CUSA1", "drivers": ["IMAG1", "IMAG2"]} | change
    with pytest.raises(cx.CxError, match=message.replace("(", r"\(")):
        drivers(mobi, **given)


def test_bad_data(mobi):
    with pytest.raises(cx.DataError, match="column 'IMAG1' does not vary"):
        drivers(mobi.assign(IMAG1=4.1), "CUSA1", ITEMS)
    with pytest.raises(cx.DataError, match="column 'CUSA1' does not vary"):
        drivers(mobi.assign(CUSA1=7), "CUSA1", ITEMS)
    with pytest.raises(cx.DataError, match="7 complete cases for 6 drivers; at least 9"):
        drivers(mobi.head(7), "CUSA1", ITEMS)
    with pytest.raises(cx.DataError, match="0 complete cases"):
        drivers(mobi.assign(IMAG1=np.nan), "CUSA1", ITEMS)
    words = mobi.astype(object)
    words.loc[3, "IMAG1"] = "good"
    with pytest.raises(cx.DataError, match="row 3, column 'IMAG1': 'good' is not a number"):
        drivers(words, "CUSA1", ITEMS)
    with pytest.raises(cx.DataError, match="has 1 group"):
        drivers(mobi.assign(one=1), "CUSA1", ITEMS, by="one")
    with pytest.raises(cx.DataError, match="group 'b': 3 complete cases"):
        drivers(mobi.assign(g=["a"] * 247 + ["b"] * 3), "CUSA1", ITEMS, by="g")


def test_bad_moments(mobi):
    m = cx.moments(mobi, [*ITEMS, "CUSA1"])
    with pytest.raises(cx.CxError, match="by='g' needs respondents"):
        drivers(m, "CUSA1", ITEMS, by="g")
    with pytest.raises(cx.CxError, match="needs respondents"):
        drivers(m, "CUSA1", ITEMS, "penalty-reward")
    with pytest.raises(cx.CxError, match="no variable 'x'"):
        drivers(m, "CUSA1", ["x"])
    still = cx.Moments(("a", "y"), 50, np.zeros(2), np.diag([0.0, 1.0]))
    with pytest.raises(cx.DataError, match="column 'a' does not vary"):
        drivers(still, "y", ["a"])


def test_penalty_reward_is_passed_on(mobi):
    found = drivers(mobi, "CUSA1", ITEMS[:2], "penalty-reward", low=5, high=9, n_resamples=100)
    assert type(found).__name__ == "PenaltyReward"
    assert found.table["driver"].tolist() == ITEMS[:2]


@pytest.mark.parametrize("method", ["shapley", "regression"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_charts(mobi, method, lang):
    import matplotlib.pyplot as plt

    ax = drivers(mobi, "CUSA1", ITEMS, method, n_resamples=100).plot(lang=lang)
    assert len(ax.get_yticks()) == len(ITEMS)
    plt.close("all")


def correlated(n=2_000, seed=3):
    """Return five drivers that correlate .6; d and e have the coefficient 0."""
    rng = np.random.default_rng(seed)
    x = np.sqrt(0.6) * rng.normal(size=(n, 1)) + np.sqrt(0.4) * rng.normal(size=(n, 5))
    frame = pd.DataFrame(x, columns=list("abcde"))
    frame["y"] = frame[["a", "b", "c"]].sum(axis=1) + 2 * rng.normal(size=n)
    return frame


@pytest.mark.parametrize("method", ["shapley", "johnson"])
def test_a_driver_that_matters_only_through_others_is_named(method):
    frame = correlated()
    found = cx.drivers(frame, "y", list("abcde"), method)
    (note,) = [note for note in found.notes if "only through others" in note.en]
    low = found.table["beta"] - 1.96 * found.table["beta_se"]
    high = found.table["beta"] + 1.96 * found.table["beta_se"]
    contains = found.table.index[(low < 0) & (high > 0)]
    assert set("abc").isdisjoint(contains)
    assert len(contains) >= 1
    for name in "abcde":
        assert (f"{name} (β" in note.en) == (name in contains)
    assert (found.table["p_value"] < 0.05).all()
    assert "仅经由其他驱动因素而重要" in found.summary("zh")
    assert not any("through" in n.en for n in cx.drivers(frame, "y", list("abc"), method).notes)
    assert not any(
        "through" in n.en for n in cx.drivers(frame, "y", list("abcde"), "regression").notes
    )


def test_a_binary_outcome_is_one_of_a_linear_probability_model():
    frame = correlated(500)
    for low, high in ((0, 1), (1, 2)):
        frame["churn"] = np.where(frame["y"] > 1, high, low)
        (note,) = [
            n for n in cx.drivers(frame, "churn", ["a", "b"]).notes if "linear probability" in n.en
        ]
        assert f"churn has two values, {low} and {high}" in note.en
        assert "线性概率模型" in note.zh
    assert not any("linear" in n.en for n in cx.drivers(frame, "y", ["a", "b"]).notes)


@pytest.mark.parametrize("code", [-99, 999, -9])
@pytest.mark.parametrize("column", ["a", "y"])
def test_a_missing_code_among_the_answers_is_noted(code, column):
    frame = (correlated(250) + 4).round().clip(1, 7)
    assert not any("missing code" in n.en for n in cx.drivers(frame, "y", list("abcde")).notes)
    frame.loc[:5, column] = code
    notes = [n for n in cx.drivers(frame, "y", list("abcde")).notes if "missing code" in n.en]
    assert len(notes) == 1
    text = notes[0].en.replace("\u2212", "-")
    assert f"column '{column}' has the value {code} in 6 rows" in text


def pairs_of(weights, seed, n=200):
    """Return the drivers compared with each other; they correlate .5 and have these betas."""
    rng = np.random.default_rng(seed)
    x = 0.7 * rng.normal(size=(n, len(weights))) + 0.7 * rng.normal(size=(n, 1))
    frame = pd.DataFrame(x, columns=list("abcd")[: len(weights)])
    frame["y"] = x @ np.array(weights) + rng.normal(size=n)
    return cx.drivers(frame, "y", list(frame.columns[:-1]), n_resamples=300, seed=seed)


def test_drivers_are_compared_with_each_other():
    result = pairs_of([0.6, 0.3, 0.0], 1)
    pairs, shares = result.pairs, result.table["share"]
    assert pairs[["driver", "other"]].to_numpy().tolist() == [["a", "b"], ["a", "c"], ["b", "c"]]
    for row in pairs.itertuples():
        assert row.estimate == pytest.approx(shares[row.driver] - shares[row.other])
        assert row.ci_low < row.ci_high
        assert row.p_adjusted >= row.p_value
    assert pairs["p_adjusted"].iloc[1] < 0.001


def test_betas_and_published_matrices_have_no_pairs():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["a", "b", "y"])
    assert cx.drivers(frame, "y", ["a", "b"], "regression", n_resamples=50).pairs is None
    assert cx.drivers(cx.moments(frame), "y", ["a", "b"]).pairs is None
    assert cx.drivers(frame, "y", ["a"], n_resamples=50).pairs is None


@pytest.mark.slow
@pytest.mark.parametrize("weights", [(0.4, 0.4, 0.4, 0.4), (0.6, 0.6, 0.0, 0.0)])
def test_equal_drivers_are_seldom_told_apart(weights):
    wrong = 0
    for seed in range(400):
        pairs = pairs_of(weights, seed).pairs
        sure = pairs[pairs["p_adjusted"] < 0.05]
        levels = dict(zip("abcd", weights, strict=True))
        higher = [r.driver if r.estimate > 0 else r.other for r in sure.itertuples()]
        lower = [r.other if r.estimate > 0 else r.driver for r in sure.itertuples()]
        wrong += any(levels[a] <= levels[b] for a, b in zip(higher, lower, strict=True))
    # Two standard errors of 400 samples above 5 %.
    assert wrong / 400 < 0.072
