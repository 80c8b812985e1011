"""Journeys with respondents: CS, bands, gaps, moments of truth, what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxstats as cx
from cxstats.journeys.weighted_stages import first_shares, stage_scores
from tests.gallery.journey import IDS, MAP, STAGES, WEIGHTS, answers, published

FAST = {"n_resamples": 200}
SCORES = answers()[list(IDS)]


def felt(frame=SCORES, **options):
    return cx.journey(MAP, frame, **{**FAST, "weights": WEIGHTS, **options})


# CS ---------------------------------------------------------------------------------------------


def test_cs_is_the_weighted_sum_of_stages_with_the_respondents_t_interval():
    result = felt()
    cs = 0.6 * SCORES[["shop", "pay"]].mean(axis=1) + 0.4 * SCORES[["help", "app"]].mean(axis=1)
    expected = stats.t.interval(0.95, len(cs) - 1, cs.mean(), stats.sem(cs))
    assert result.cs == pytest.approx(cs.mean(), abs=1e-12)
    limits = result.overall[["ci_low", "ci_high"]].to_numpy(float).ravel()
    np.testing.assert_allclose(limits, expected, rtol=1e-12)
    weighted = (result.stages["weight"] * result.stages["estimate"]).sum()
    assert weighted == pytest.approx(result.cs, abs=1e-12)


def test_weights_of_touchpoints_weigh_within_their_stage():
    result = felt(weights={"shop": 50, "pay": 10, "help": 10, "app": 30})
    cs = SCORES.to_numpy() @ [0.5, 0.1, 0.1, 0.3]
    assert result.cs == pytest.approx(cs.mean(), abs=1e-12)
    buying = SCORES[["shop", "pay"]].to_numpy() @ [5 / 6, 1 / 6]
    assert result.stages["estimate"].iloc[0] == pytest.approx(buying.mean(), abs=1e-12)
    assert result.stages["weight"].tolist() == pytest.approx([0.6, 0.4])


@pytest.mark.parametrize("names", [("Buying", "Using"), ("购买", "使用")])
def test_weights_go_by_either_name(names):
    assert felt(weights=dict(zip(names, (0.6, 0.4), strict=True))).cs == felt().cs


def test_no_weights_no_cs():
    result = felt(weights=None)
    assert np.isnan(result.cs)
    assert len(result.overall) == 0
    assert result.stages["estimate"].notna().all()
    assert felt(weights="equal").cs == pytest.approx(SCORES.to_numpy().mean())


def test_shifting_and_permuting():
    result, shifted = felt(scale=(1, 8)), felt(SCORES + 1, scale=(1, 8))
    assert shifted.cs == pytest.approx(result.cs + 1)
    assert shifted.touchpoint_level == pytest.approx(result.touchpoint_level, abs=1e-9)
    assert felt(SCORES.sample(frac=1, random_state=1)).cs == pytest.approx(result.cs)


GAPS = pd.DataFrame(
    {"shop": [4.0, np.nan, 6, 5], "pay": [2.0, 4, np.nan, 3], "help": [5.0, 5, np.nan, 6],
     "app": [7.0, 3, np.nan, 4]}
)  # fmt: skip


def test_missing_scores_are_rescaled_within_stages_then_over_them():
    cs = [0.6 * 3 + 0.4 * 6, 0.6 * 4 + 0.4 * 4, 6.0, 0.6 * 4 + 0.4 * 5]
    result = felt(GAPS)
    assert result.cs == pytest.approx(np.mean(cs))
    assert any("2 of 4 respondents lack a score" in note.en for note in result.notes)
    assert result.table["n"].tolist() == [3, 3, 3, 3]
    dropped = felt(GAPS, on_missing="drop")
    assert dropped.cs == pytest.approx((cs[0] + cs[3]) / 2)
    assert dropped.overall["n_left_out"].tolist() == [2]
    with pytest.raises(cx.DataError, match=r"row 1, touchpoint 'shop': no score \(and 1 more"):
        felt(GAPS, on_missing="refuse")


def test_a_touchpoint_of_weight_0_may_be_missing():
    weights = {"shop": 0, "pay": 60, "help": 40, "app": 0}
    frame = SCORES.assign(shop=np.where(np.arange(80) == 3, np.nan, SCORES["shop"]))
    assert felt(frame, weights=weights, on_missing="refuse").overall["n"].tolist() == [80]


# Bands and designs ------------------------------------------------------------------------------


def test_bands_lie_between_pointwise_and_bonferroni():
    result = felt(answers(40)[list(IDS)])
    k, table = len(IDS), result.table
    assert 0.95 < result.touchpoint_level < 1 - 0.05 / k
    assert (table["band_low"] < table["ci_low"]).all()
    assert (table["band_high"] > table["ci_high"]).all()
    q = stats.t.ppf((1 + result.touchpoint_level) / 2, 39)
    np.testing.assert_allclose(table["band_low"], table["estimate"] - q * table["se"])


def test_copies_of_a_touchpoint_have_the_band_of_one():
    same = pd.DataFrame(dict.fromkeys(IDS, SCORES["shop"]))
    assert felt(same).touchpoint_level == pytest.approx(0.95, abs=0.001)


def test_a_band_of_skewed_answers_says_so():
    frame = pd.DataFrame(
        np.tile([[7.0] * 4] * 7 + [[6.0] * 4] * 2 + [[1.0] * 4], (4, 1)), columns=IDS
    )
    words = "answers pile up at an end of the scale: there the 95 % band"
    assert any(words in note.en for note in felt(frame).notes)
    assert not any(words in note.en for note in felt(frame, interval="hall").notes)
    even = pd.DataFrame(np.tile([[3.0] * 4, [4.0] * 4, [5.0] * 4], (9, 1)), columns=IDS)
    assert not any(words in note.en for note in felt(even).notes)


@pytest.mark.parametrize("interval", ["hall", "bca"])
def test_the_band_is_the_interval_at_its_level(interval):
    result = felt(interval=interval, n_resamples=2_000)
    single = felt(interval=interval, n_resamples=2_000, level=result.touchpoint_level)
    np.testing.assert_allclose(result.table["band_low"], single.table["ci_low"])


def test_clusters_widen_and_copies_of_rows_do_not_narrow():
    twice = pd.concat([SCORES, SCORES]).assign(who=[*range(80)] * 2)
    once, clustered = felt(), felt(twice, cluster="who")
    np.testing.assert_allclose(clustered.table["se"], once.table["se"], rtol=1e-10)
    assert clustered.overall["se"].iloc[0] == pytest.approx(once.overall["se"].iloc[0])
    assert felt(twice).table["se"].max() < once.table["se"].min()


def test_sampling_weights_count_respondents():
    frame = SCORES.assign(w=1 + np.arange(80) % 2)
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    weighted = felt(frame, design=cx.Design(weights="w"))
    assert weighted.cs == pytest.approx(felt(repeated).cs)
    np.testing.assert_allclose(weighted.table["estimate"], felt(repeated).table["estimate"])


# Gaps and moments of truth ----------------------------------------------------------------------


def test_gaps_are_paired():
    frame = answers()
    result = felt(frame, expectations="E_{touchpoint}")
    difference = frame["pay"] - frame["E_pay"]
    expected = stats.t.interval(0.95, 79, difference.mean(), stats.sem(difference))
    row = result.table.set_index("id").loc["pay"]
    assert row["gap"] == pytest.approx(difference.mean())
    assert row["expected"] == pytest.approx(frame["E_pay"].mean())
    np.testing.assert_allclose([row["gap_ci_low"], row["gap_ci_high"]], expected)


def test_without_expectations_the_gap_is_to_the_top_of_the_scale():
    result = felt()
    np.testing.assert_allclose(result.table["gap"], result.table["estimate"] - 7)
    assert any("top of the scale" in note.en for note in result.notes)
    bare = cx.journey({"stages": STAGES}, SCORES, importance=dict.fromkeys(IDS, 1), **FAST)
    assert bare.table[["gap", "moment"]].isna().all().all()
    assert "moments" not in bare.kinds


def test_moments_with_given_importance_scale_the_gaps():
    importance = {"shop": 2, "pay": 1, "help": 0, "app": 3}
    table = felt(importance=importance).table
    weights = np.array([2, 1, 0, 3])
    np.testing.assert_allclose(table["moment"], -weights * table["gap"])
    np.testing.assert_allclose(table["moment_ci_low"], -weights * table["gap_ci_high"])
    assert table["first_share"].sum() == pytest.approx(1)
    assert table["first_share"].iloc[2] == 0


def test_moments_with_stated_importance_have_both_errors():
    frame = answers(4_000)
    result = felt(frame, importance="I_{touchpoint}", n_resamples=2_000)
    row = result.table.set_index("id").loc["shop"]
    gap, importance = 7 - frame["shop"], frame["I_shop"]
    assert row["moment"] == pytest.approx(gap.mean() * importance.mean())
    influence = gap * importance.mean() + importance * gap.mean()
    half = stats.t.ppf(0.975, 3_999) * stats.sem(influence)
    assert row["moment_ci_high"] - row["moment"] == pytest.approx(half, rel=1e-9)


def test_importance_is_the_weights_where_nothing_else_says_it():
    result = felt()
    assert result.importance_kind == "weights"
    assert result.table["importance"].tolist() == [0.3, 0.3, 0.2, 0.2]
    assert felt(weights="equal").importance_kind == ""


def test_moments_of_truth_come_in_order():
    table = felt(importance=dict.fromkeys(IDS, 1)).moments_of_truth()
    assert table["estimate"].is_monotonic_decreasing
    assert table["touchpoint"].iloc[0] == "Payment"
    assert table["first_share"].iloc[0] == table["first_share"].max() > 0.9


def test_two_equally_bad_touchpoints_are_each_first_in_half_of_the_samples():
    """Known truth: over samples the mean share of resamples is one half; a third one is never."""
    rng, shares = np.random.default_rng(3), []
    steps = {"scale": [0, 10], "stages": [{"name": "A", "touchpoints": ["x", "y", "z"]}]}
    for _ in range(200):
        frame = pd.DataFrame(rng.normal([5, 5, 8], 1, (60, 3)).clip(0, 10), columns=list("xyz"))
        result = cx.journey(steps, frame, importance=dict.fromkeys("xyz", 1), n_resamples=200)
        shares.append(result.table["first_share"])
    mean, error = np.mean(shares, axis=0), np.std(shares, axis=0) / np.sqrt(200)
    assert abs(mean[0] - 0.5) < 4 * error[0]
    assert mean[2] == 0
    # A share of resamples is as spread as it should be: about uniform where both are equal.
    assert np.std(shares, axis=0)[0] == pytest.approx(np.sqrt(1 / 12), rel=0.15)


def test_first_shares_ignore_columns_without_value():
    nothing = np.full((3, 2), np.nan)
    assert np.isnan(first_shares(nothing)).all()


def test_stage_scores_are_means_of_what_is_there():
    scores = np.array([[1.0, 3.0, 5.0], [np.nan, 3.0, np.nan]])
    out = stage_scores(scores, np.array([0, 0, 1]), np.ones(3))
    np.testing.assert_allclose(out, [[2, 5], [3, np.nan]])
    weighted = stage_scores(scores, np.array([0, 0, 1]), np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(weighted, out)


# Few answers ------------------------------------------------------------------------------------


def test_a_touchpoint_with_fewer_than_two_answers_is_named_and_not_first():
    frame = SCORES.assign(app=[1.0] + [np.nan] * 79)
    result = felt(frame, importance=dict.fromkeys(IDS, 1))
    row = result.table.set_index("id").loc["app"]
    assert row["n"] == 1
    assert row[["ci_low", "band_low", "se", "first_share"]].isna().all()
    assert any("fewer than 2 respondents scored App" in note.en for note in result.notes)
    assert result.table["first_share"].sum() == pytest.approx(1)
    result.plot("curve")


def test_a_touchpoint_without_answers():
    result = felt(SCORES.assign(app=np.nan), importance=dict.fromkeys(IDS, 1))
    assert result.table["estimate"].isna().tolist() == [False] * 3 + [True]
    for kind in result.kinds:
        result.plot(kind)
    assert "nan" not in result.summary()


def test_equal_answers_have_no_interval():
    result = felt(SCORES.assign(help=4.0))
    row = result.table.set_index("id").loc["help"]
    assert np.isnan(row["ci_low"])
    assert np.isnan(row["band_low"])
    assert any("same score to Help" in note.en for note in result.notes)


def test_two_respondents_and_one():
    assert felt(SCORES.head(2)).table["n"].tolist() == [2] * 4
    one = felt(SCORES.head(1), importance=dict.fromkeys(IDS, 1))
    assert one.overall["ci_low"].isna().all()
    for kind in one.kinds:
        one.plot(kind)


# Published means --------------------------------------------------------------------------------


def test_published_means_have_t_intervals():
    result = published()
    expected = stats.t.interval(0.95, 79, 5.1, 1.2 / np.sqrt(80))
    np.testing.assert_allclose(result.table.loc[0, ["ci_low", "ci_high"]].tolist(), expected)
    assert result.touchpoint_level == pytest.approx(0.95**0.5)
    assert result.table["ci_low"].isna().tolist() == [False, False, True, True]
    assert any("Help, App" in note.en for note in result.notes)
    assert result.cs == pytest.approx(0.3 * (5.1 + 3.4) + 0.2 * (4.4 + 5.0))
    assert result.overall["ci_low"].isna().all()


def test_a_map_without_scores():
    result = cx.journey(MAP)
    assert result.kinds == ("strip", "coverage")
    with pytest.raises(cx.CxError, match="no touchpoint has a score"):
        result.plot("curve")
    with pytest.raises(cx.CxError, match="no touchpoint has a score"):
        result.emotion_curve()
    with pytest.raises(cx.CxError, match="no importance, or no gap"):
        result.plot("moments")


# Forms of responses -----------------------------------------------------------------------------


def test_long_answers_are_those_in_columns():
    tall = SCORES.melt(ignore_index=False, var_name="point", value_name="value")
    tall = tall.rename_axis("who").reset_index().dropna()
    result = felt(tall, long=("who", "point", "value"))
    np.testing.assert_allclose(result.table["estimate"], felt().table["estimate"])
    assert result.cs == pytest.approx(felt().cs)
    clustered = tall.assign(branch=tall["who"] // 4)
    wide = SCORES.assign(branch=np.arange(80) // 4)
    assert felt(clustered, long=("who", "point", "value"), cluster="branch").cs == pytest.approx(
        felt(wide, cluster="branch").cs
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"point": "moon"}, "row 3, column 'point': 'moon' is no touchpoint; allowed: shop"),
        ({"who": None}, "row 3, column 'who': no respondent"),
        ({"value": 9.0}, "9 is off the scale"),
        ({"who": 2}, "row 3: respondent 2.0 has scored touchpoint 'shop' before"),
        ({"branch": 77}, "column 'branch': respondent 3.0 has several values"),
    ],
)
def test_long_answers_that_are_wrong(change, expected):
    tall = SCORES.melt(ignore_index=False, var_name="point", value_name="value")
    tall = tall.rename_axis("who").reset_index().astype({"who": float}).assign(branch=1)
    tall.loc[3, list(change)] = list(change.values())
    with pytest.raises(cx.DataError, match=expected):
        felt(tall, long=("who", "point", "value"), cluster="branch")


def test_a_codebook_lends_scale_direction_and_missing_codes():
    book = {
        "scale": [1, 7], "constructs": {"A": list(IDS)}, "missing": [-9], "best": "low",
        "weights": "w",
    }  # fmt: skip
    frame = answers()[[*IDS, "w"]]
    frame.loc[0, "app"] = -9
    result = cx.journey({"stages": STAGES}, frame, book, weights=WEIGHTS, **FAST)
    assert result.scale == (1, 7)
    assert result.table["n"].tolist() == [80, 80, 80, 79]
    assert result.design == cx.Design(weights="w")
    weighted = np.average(8 - frame["shop"], weights=frame["w"])
    assert result.table["estimate"].iloc[0] == pytest.approx(weighted)


def test_a_codebook_brings_expectations():
    book = cx.Codebook(
        scale=(1, 7), constructs={"A": list(IDS)}, perception="{item}", expectation="E_{item}"
    )
    result = cx.journey(MAP, answers(), book, **FAST)
    assert result.expectation_kind == "stated"
    assert result.table["expected"].iloc[0] == pytest.approx(answers()["E_shop"].mean())


def test_columns_go_by_name_too():
    frame = SCORES.rename(columns={"shop": "Shop", "pay": "支付"})
    np.testing.assert_allclose(felt(frame).table["estimate"], felt().table["estimate"])


@pytest.mark.parametrize(
    ("frame", "options", "expected"),
    [
        (SCORES.drop(columns=["pay", "app"]), {}, r"'pay', a touchpoint, is not in .*1 more"),
        (SCORES.assign(pay=9.0), {}, r"row 0, column 'pay': 9 is off the scale; allowed: 1 to 7 "),
        (SCORES.assign(pay="bad"), {}, "row 0, column 'pay': 'bad' is not a number"),
        (SCORES, {"weights": {"Buying": 60, "Using": 50}}, "they sum to 110; allowed: 1 or 100"),
        (SCORES, {"weights": {"Buying": -1, "Using": 2}}, "'Buying' has -1; allowed: numbers from"),
        (SCORES, {"weights": {"Buying": 100}}, "'Using' has none"),
        (SCORES, {"weights": {"Byuing": 100}}, "'Byuing' is neither stage nor touchpoint"),
        (SCORES, {"weights": {"Buying": 60, "购买": 40}}, "two of Buying, 购买 are one"),
        (SCORES, {"weights": "half"}, "weights='half'; allowed: 'equal'"),
        (SCORES, {"weights": 3}, "weights=3; allowed: a mapping"),
        (SCORES, {"importance": {"shop": 1}}, "importance: touchpoint 'pay' has none"),
        (SCORES, {"importance": {"moon": 1}}, "importance: 'moon' is no touchpoint"),
        (SCORES, {"importance": dict.fromkeys(IDS, -1)}, "'shop' has -1; allowed: numbers from 0"),
        (SCORES, {"importance": dict.fromkeys(IDS, 0)}, "importance: all are 0"),
        (SCORES, {"importance": dict.fromkeys(IDS, 10**400)}, "about 401 digits; allowed"),
        (SCORES, {"importance": "I"}, "importance='I'; allowed: a column by touchpoint, such as"),
        (SCORES, {"importance": "I_{touchpoint}"}, "column 'I_shop' is not in the table"),
        (SCORES, {"expectations": 9}, "'shop' has 9; allowed: 1 to 7"),
        (SCORES, {"scale": (7, 1)}, r"scale is \(7, 1\); allowed: lowest and highest"),
        (SCORES, {"on_missing": "fill"}, "on_missing is 'fill'; allowed: rescale, drop, refuse"),
        (SCORES, {"interval": "z"}, "interval='z'; allowed: 't', 'hall', 'bca'"),
        (SCORES, {"level": 95}, "level is 95; allowed"),
        (SCORES, {"n_resamples": 0}, "n_resamples is 0"),
        (SCORES, {"cluster": "shop", "interval": "bca"}, "beside a sampling design; allowed: 't'"),
        (SCORES, {"long": ("a", "b")}, "allowed: the columns of respondent, touchpoint and score"),
        (SCORES, {"long": 3}, "allowed: the columns of respondent, touchpoint and score"),
        (SCORES, {"codebook": {"scale": [1, 7], "constructs": {"A": ["q"]}}}, "none of the touch"),
        (SCORES.head(0), {}, "no rows"),
        (None, {"cluster": "branch"}, "design= is not used without responses"),
        (None, {"long": ("a", "b", "c")}, "long= is not used without responses"),
    ],
)  # fmt: skip
def test_what_is_refused(frame, options, expected):
    with pytest.raises(cx.CxError, match=expected):
        felt(frame, **options)


def test_weights_of_stages_and_touchpoints_do_not_go_together():
    stages = [{"name": "A", "weight": 1, "touchpoints": [{"name": "x", "weight": 1}]}]
    with pytest.raises(cx.DataError, match="weighs stages and touchpoints; allowed: one of them"):
        cx.journey({"stages": stages})


def test_weights_of_the_map():
    stages = [dict(stage, weight=w) for stage, w in zip(STAGES, (0.6, 0.4), strict=True)]
    result = cx.journey({**MAP, "stages": stages}, SCORES, **FAST)
    assert result.cs == felt().cs
    stages[1]["weight"] = 0.3
    with pytest.raises(cx.CxError, match=r"they sum to 0\.9; allowed: 1 or 100"):
        cx.journey({**MAP, "stages": stages}, SCORES, **FAST)


def test_polars_and_pandas_agree():
    import polars as pl

    other = felt(pl.from_pandas(SCORES))
    np.testing.assert_allclose(other.table["estimate"], felt().table["estimate"])
