"""Values against R, statsmodels and the printed example; identities; both doors; comparison."""

import inspect
import re
from operator import attrgetter

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.weightstats import ttest_ind

import cxstats as cx
from cxstats import charts, metrics
from cxstats.core.errors import CxError
from cxstats.core.language import catalogue, check_lang
from cxstats.metrics.comparison import welch_f
from cxstats.metrics.nps_intervals import nps_interval
from cxstats.stats.intervals import proportion_interval
from tests.references import reference, value

CLOSED = 1e-12  # the same closed form, in other words
R_SHARE = 1e-9  # R's Clopper-Pearson and Wilson in double precision
R_SCORE = 1e-4  # points of NPS; R's optimize stops at 1e-8 of a share
R_BCA = 0.5  # 200,000 against 20,000 resamples of seven skewed numbers, in quarters of a unit
# The three groups of metrics.R, and the weights of the first.
G1 = [12.5, 0, 33, 7.25, 18, 2, 54]
G2, G3 = [8, 9.5, 11, 40, 3], [1, 5, 2.5, 8, 0, 4]
W1 = [1, 2, 0.5, 1.5, 3, 1, 0.25]
COUNTS = [(162, 108, 54), (50, 30, 20), (12, 36, 2), (3, 4, 9)]
SHARES = [(30, 200), (0, 20), (20, 20), (7, 19)]
COLUMNS = ["estimate", "se", "ci_low", "ci_high", "n"]


def r(case, name="value"):
    table = reference("metrics")
    return value(table, case=case, name=name)


def answers(promoters, passives, detractors):
    """Write answers that fall into the bands in these numbers, over all points of each band."""
    parts = (np.resize([9, 10], promoters), np.resize([7, 8], passives))
    return np.concatenate([*parts, np.resize(np.arange(7), detractors)])


def only(metric):
    assert len(metric.table) == 1
    return metric.table.iloc[0]


def random_table(n=400, seed=0):
    generator = np.random.default_rng(seed)
    columns = {"score": generator.integers(0, 11, n), "group": generator.choice(list("abc"), n)}
    return pd.DataFrame(columns | {"weight": generator.uniform(0.2, 3, n)})


def test_printed_example():
    row = only(metrics.nps_from_counts(promoters=162, passives=108, detractors=54))
    assert row["estimate"] == pytest.approx(100 / 3, abs=CLOSED)
    assert float(metrics.nps_variance(1 / 2, 1 / 6)) == pytest.approx(0.5556, abs=5e-5)
    assert row["se"] == pytest.approx(4.14, abs=5e-3)
    assert row[["promoter_share", "passive_share", "detractor_share"]].to_list() == pytest.approx(
        [1 / 2, 1 / 3, 1 / 6]
    )


@pytest.mark.parametrize("counts", COUNTS)
def test_nps_intervals_as_in_r(counts):
    case = "nps_{}_{}_{}".format(*counts)
    for method, head, within in (("adjusted_wald", "adjusted", 1e-9), ("score", "score", R_SCORE)):
        row = only(metrics.nps_from_counts(*counts, interval=method))
        assert row["ci_low"] == pytest.approx(r(case, f"{head}_low"), abs=within)
        assert row["ci_high"] == pytest.approx(r(case, f"{head}_high"), abs=within)


@pytest.mark.parametrize("counts", COUNTS)
def test_two_doors_of_nps_agree(counts):
    scores, counted = metrics.nps(answers(*counts)), metrics.nps_from_counts(*counts)
    same = [name for name in counted.table if name in scores.table]
    assert {*COLUMNS, "promoters", "passives", "detractors"} <= set(same)
    pd.testing.assert_frame_equal(scores.table[same], counted.table[same], rtol=CLOSED)


@pytest.mark.parametrize("interval", ["adjusted_wald", "wald", "score"])
def test_everyone_alike(interval):
    for counts, score in (((80, 0, 0), 100), ((0, 80, 0), 0), ((0, 0, 80), -100)):
        row = only(metrics.nps_from_counts(*counts, interval=interval))
        assert row["estimate"] == score
        assert row["se"] == 0
        assert -100 <= row["ci_low"] <= score <= row["ci_high"] <= 100
        assert (row["ci_high"] - row["ci_low"] > 1) == (interval != "wald")


def test_nps_turns_round_with_its_counts():
    for interval in ("adjusted_wald", "wald", "score"):
        one = only(metrics.nps_from_counts(50, 30, 20, interval=interval))
        other = only(metrics.nps_from_counts(20, 30, 50, interval=interval))
        assert one["estimate"] == -other["estimate"]
        assert one["ci_low"] == pytest.approx(-other["ci_high"], abs=1e-10)


def test_duplicating_the_sample_keeps_the_score_and_halves_the_variance():
    one, four = (only(metrics.nps(np.tile(answers(50, 30, 20), k))) for k in (1, 4))
    assert four["estimate"] == one["estimate"]
    assert four["se"] == pytest.approx(one["se"] / 2, rel=CLOSED)


def test_order_of_rows_does_not_matter():
    table = random_table()
    mixed = table.sample(frac=1, random_state=1)
    options = {"by": "group", "column": "score", "weights": "weight"}
    one, other = metrics.nps(table, **options), metrics.nps(mixed, **options)
    pd.testing.assert_frame_equal(one.table, other.table, rtol=CLOSED)


def test_other_bands_only_when_named():
    five = metrics.nps([5, 5, 4, 3, 1], bands="five_point")
    assert only(five)[["promoters", "passives", "detractors"]].to_list() == [2, 1, 2]
    own = metrics.Bands("own", (0, 10), 5, 8, "a company's handbook")
    row = only(metrics.nps([8, 7, 6, 5], bands=own))
    assert row[["promoters", "passives", "detractors"]].to_list() == [1, 2, 1]
    for given in ({"scale": (1, 5)}, {"bands": "six_point"}):
        with pytest.raises(CxError, match="'five_point' \\(1-5\\)"):
            metrics.nps([5, 4], **given)


def test_an_unused_scale_is_doubted():
    assert "answers run from 1 to 5 only" in metrics.nps(np.resize([1, 2, 3, 4, 5], 40)).notes[0].en
    assert not metrics.nps(np.resize([1, 9], 40)).notes


@pytest.mark.parametrize(("events", "trials"), SHARES)
def test_share_intervals_as_in_r_and_statsmodels(events, trials):
    names = {"wilson": ("wilson", "wilson"), "clopper_pearson": ("cp", "beta")}
    for interval, (head, method) in names.items():
        row = only(metrics.rate(events, trials, interval=interval))
        case = f"share_{events}_{trials}"
        limits = (row["ci_low"], row["ci_high"])
        assert limits == pytest.approx(
            (r(case, f"{head}_low"), r(case, f"{head}_high")), abs=R_SHARE
        )
        assert limits == pytest.approx(
            proportion_confint(events, trials, method=method), abs=R_SHARE
        )
        assert row["se"] == pytest.approx(np.sqrt(row["estimate"] * (1 - row["estimate"]) / trials))


def test_two_doors_of_rates_agree():
    outcomes = np.repeat([1, 0], [30, 170])
    for given in (outcomes, outcomes.astype(bool), pd.Series(outcomes.astype(bool), dtype=object)):
        raw = only(metrics.churn_rate(given))
        assert raw[COLUMNS].to_list() == only(metrics.churn_rate(30, 200))[COLUMNS].to_list()


def test_rates_say_what_they_count():
    assert "reconstructed" in metrics.word_of_mouth_rate(30, 120).notes[0].en
    assert "independent" in metrics.click_through_rate(30, 1200).notes[0].en
    assert not metrics.retention_rate(30, 120).notes
    churn, kept = metrics.churn_rate(30, 120), metrics.retention_rate(90, 120)
    assert only(churn)["ci_low"] == pytest.approx(1 - only(kept)["ci_high"], rel=CLOSED)
    for name in metrics.RATES:
        found = getattr(metrics, name)(30, 120)
        assert found.name == name
        assert only(found)["estimate"] == 0.25


@pytest.mark.parametrize("kind", ["top_box", "top_two_box", "mean"])
def test_two_doors_of_csat_and_ces_agree(kind):
    counts = {1: 3, 2: 5, 3: 20, 4: 60, 5: 42}
    scores = np.repeat(list(counts), list(counts.values()))
    raw = metrics.csat(scores, kind=kind)
    counted = metrics.csat_from_counts(counts, kind=kind)
    pd.testing.assert_frame_equal(
        raw.table[counted.table.columns], counted.table, check_exact=False, rtol=CLOSED
    )
    expected = {"top_box": 42 / 130, "top_two_box": 102 / 130, "mean": scores.mean()}
    assert only(raw)["estimate"] == pytest.approx(expected[kind], rel=CLOSED)
    for direction in ("effort", "ease"):
        scale = {"kind": kind, "scale": (1, 5)}
        one = only(metrics.ces(scores, direction, **scale))
        two = only(metrics.ces_from_counts(counts, direction, **scale))
        assert one[COLUMNS].to_list() == pytest.approx(two[COLUMNS].to_list(), rel=CLOSED)


def test_effort_and_ease_mirror_each_other():
    scores = np.array([1, 2, 2, 3, 5, 7, 7])
    for kind in ("top_box", "top_two_box"):
        effort = only(metrics.ces(scores, "effort", kind=kind))
        ease = only(metrics.ces(8 - scores, "ease", kind=kind))
        assert effort["estimate"] == ease["estimate"] > 0


def test_means_as_in_r():
    row = only(metrics.mean(G1))
    for name in ("estimate", "ci_low", "ci_high"):
        assert row[name] == pytest.approx(r("mean", name), abs=1e-9)
    summary = metrics.mean_from_summary(np.mean(G1), np.std(G1, ddof=1), len(G1))
    assert only(summary)[COLUMNS].to_list() == pytest.approx(row[COLUMNS].to_list(), rel=1e-12)
    drawn = only(metrics.arpu(G1, interval="bca", n_resamples=20_000))
    assert drawn["ci_low"] == pytest.approx(r("bca_mean", "ci_low"), abs=R_BCA)
    assert drawn["ci_high"] == pytest.approx(r("bca_mean", "ci_high"), abs=R_BCA)


def test_means_shift_and_scale():
    one = only(metrics.mean(G1))
    for shift, scale in ((1e9, 1.0), (0.0, 1e-3), (-5.0, 7.0)):
        moved = only(metrics.mean(scale * np.array(G1) + shift))
        assert moved["se"] == pytest.approx(scale * one["se"], rel=1e-7)
        assert moved["estimate"] == pytest.approx(scale * one["estimate"] + shift, rel=CLOSED)


def test_weighted_mean_as_in_r_and_statsmodels():
    row = only(metrics.mean(G1, weights=W1))
    for name, column in (("estimate", "estimate"), ("se", "se"), ("kish", "n_kish")):
        assert row[column] == pytest.approx(r("weighted_mean", name), rel=1e-9)
    fit = sm.WLS(G1, np.ones(7), weights=W1).fit(cov_type="HC1")
    assert row["se"] == pytest.approx(fit.bse[0], rel=1e-10)


def test_weighted_nps_and_share_have_linearised_errors():
    table = random_table()
    given = {"column": "score", "weights": "weight"}
    value_of = np.select([table["score"] >= 9, table["score"] <= 6], [1.0, -1.0], 0.0)
    pairs = [
        (metrics.nps(table, **given), value_of, 100),
        (metrics.csat(table, scale=(0, 10), kind="top_box", **given), table["score"] == 10, 1),
    ]
    for metric, values, unit in pairs:
        v = np.asarray(values, float)
        fit = sm.WLS(v, np.ones(len(v)), weights=table["weight"]).fit(cov_type="HC0")
        row = only(metric)
        assert row["estimate"] == pytest.approx(unit * fit.params[0], rel=1e-10)
        assert row["se"] == pytest.approx(unit * fit.bse[0], rel=1e-10)
        variance = np.average((v - fit.params[0]) ** 2, weights=table["weight"])
        assert row["deff"] == pytest.approx(max(1, fit.bse[0] ** 2 / variance * len(v)), rel=1e-9)
        w = table["weight"]
        assert row["n_kish"] == pytest.approx(w.sum() ** 2 / (w**2).sum(), rel=1e-10)


def test_weights_of_one_change_nothing_and_their_size_neither():
    table = random_table().assign(one=1.0)
    table["tenfold"] = 10 * table["weight"]

    def found(weights, **more):
        return metrics.nps(table, "group", column="score", weights=weights, **more).table

    for name in COLUMNS:
        assert np.allclose(found("one")[name], found(None)[name], rtol=1e-11)
        assert np.allclose(found("tenfold")[name], found("weight")[name], rtol=1e-11)
    assert np.allclose(found("one")["deff"], 1)


def test_everyone_alike_with_weights_uses_kish():
    row = only(metrics.nps([10, 9, 10, 9], weights=[1, 1, 1, 5]))
    low, high = nps_interval(1.0, 0.0, 64 / 28)
    assert row["n_effective"] == pytest.approx(64 / 28)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((100 * low, 100 * high))


def test_groups_are_the_subsets():
    table = random_table()
    whole = metrics.nps(table, "group", column="score").table.set_index("group")
    for group, part in table.groupby("group"):
        alone = only(metrics.nps(part["score"]))
        assert whole.loc[group, COLUMNS].to_list() == alone[COLUMNS].to_list()


def test_roi():
    gain, cost = np.array([120.0, 80, 150, 90, 60]), np.array([60.0, 50, 70, 60, 55])
    found = metrics.roi(gain, cost, interval="delta")
    ratio = gain.sum() / cost.sum()
    # The delta method as a regression through the origin with weights 1 / cost, HC1.
    fit = sm.WLS(gain, cost, weights=1 / cost).fit(cov_type="HC1")
    assert only(found)["estimate"] == pytest.approx(ratio - 1, rel=CLOSED)
    assert only(found)["se"] == pytest.approx(fit.bse[0], rel=1e-10)
    drawn = only(metrics.roi(gain, cost))
    assert drawn["ci_low"] < drawn["estimate"] < drawn["ci_high"]
    assert np.isnan(only(metrics.roi(150, 100))["ci_low"])
    total = only(metrics.roi(gain, 295.0, interval="delta"))
    assert total["se"] == pytest.approx(np.sqrt(5) * gain.std(ddof=1) / 295, rel=CLOSED)


def test_skewed_money_is_said_to_be():
    revenue = np.random.default_rng(1).pareto(1.5, 60)
    assert "skewed" in metrics.arpu(revenue).notes[0].en
    assert not metrics.arpu(np.random.default_rng(1).normal(10, 1, 60)).notes


def test_means_without_variation_have_no_interval():
    found = metrics.mean([4.1, 4.1, 4.1, 5], ["a", "a", "a", "b"])
    assert found.table["ci_low"].isna().all()
    assert "do not vary" in found.notes[0].en


def test_small_cells_are_suppressed():
    scores = [9, 9, 3, 10, 1, 9, 9, 3, 2, None]
    table = pd.DataFrame({"score": scores, "group": list("aaabbccccd")})
    result = metrics.nps(table, "group", column="score", min_cell=3)
    assert result.table["suppressed"].to_list() == [True, True, False, False]
    hidden = result.table[result.table["suppressed"]].drop(columns=["group", "suppressed"])
    assert hidden.isna().all(axis=None)
    assert result.table["n"].to_list()[2:] == [4, 0]
    assert "2 groups are not shown: they have fewer than 3 answers" in result.summary("en")
    assert "未显示" in result.summary("zh")
    assert "a: not shown" in result.summary()
    assert "d: no estimate, n = 0" in result.summary()
    # Pairs of hidden groups are not compared either.
    with pytest.raises(cx.CxError, match=r"at least|two groups"):
        result.compare()


# ---- comparison -----------------------------------------------------------------------------


def test_two_shares_as_in_r_and_statsmodels():
    found = metrics.rate([30, 45], [140, 150], by=["before", "after"]).compare()
    row = found.table.iloc[0]
    assert (row["group"], row["other"]) == ("after", "before")
    assert row["estimate"] == pytest.approx(45 / 150 - 30 / 140)
    assert row["relative"] == pytest.approx((45 / 150) / (30 / 140) - 1)
    assert row["p_value"] == pytest.approx(r("two_shares", "p_value"), abs=1e-10)
    low, high = confint_proportions_2indep(45, 150, 30, 140, method="newcomb", compare="diff")
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high), abs=1e-10)
    small = metrics.rate([0, 3], [12, 10]).compare().table.iloc[0]
    assert small["test"] == "Fisher"
    assert small["p_value"] == pytest.approx(r("two_shares_small", "p_value"), abs=1e-10)


def test_several_shares_as_in_r():
    found = metrics.rate({"a": 45, "b": 30, "c": 60}, {"a": 150, "b": 140, "c": 160}).compare()
    test = found.omnibus.iloc[0]
    assert test["statistic"] == pytest.approx(r("several_shares", "statistic"), abs=1e-9)
    assert test["p_value"] == pytest.approx(r("several_shares", "p_value"), abs=1e-10)


def test_means_compared_as_in_r_and_statsmodels():
    values, groups = [*G1, *G2, *G3], ["a"] * 7 + ["b"] * 5 + ["c"] * 6
    found = metrics.mean(values, groups).compare("a")
    row = found.table.iloc[0]
    assert (row["group"], row["other"]) == ("b", "a")
    for name in ("statistic", "df", "p_value", "ci_low", "ci_high"):
        assert row[name] == pytest.approx(r("two_means", name), abs=1e-8)
    assert row["p_value"] == pytest.approx(ttest_ind(G2, G1, usevar="unequal")[1], abs=1e-10)
    test = found.omnibus.iloc[0]
    for name in ("statistic", "df_2", "p_value"):
        assert test[name] == pytest.approx(r("several_means", name), abs=1e-8)
    two = welch_f(np.array([1.0, 3.0]), np.array([0.5, 0.7]), np.array([9.0, 12.0]))
    assert two[0] == pytest.approx(4 / (0.25 + 0.49))  # of two groups F is t squared


def test_nps_compared():
    found = metrics.nps_from_counts([50, 60], [30, 30], [20, 10], by=["2025", "2026"]).compare()
    row = found.table.iloc[0]
    assert row["estimate"] == pytest.approx(20)
    shares = [(50.375 / 101.5, 20.375 / 101.5), (60.375 / 101.5, 10.375 / 101.5)]
    spread = sum((p + d - (p - d) ** 2) / 101.5 for p, d in shares)
    gap = shares[1][0] - shares[1][1] - shares[0][0] + shares[0][1]
    assert row["statistic"] == pytest.approx(gap / np.sqrt(spread))
    assert found.omnibus["statistic"][0] == pytest.approx(row["statistic"] ** 2)
    limits = metrics.nps_from_counts([50, 60], [30, 30], [20, 10]).table
    down = np.hypot(50 - limits["ci_low"][1], limits["ci_high"][0] - 30)
    assert row["ci_low"] == pytest.approx(20 - down)


def test_alike_groups_compare_without_breaking():
    nps = metrics.nps_from_counts([50, 60], [0, 0], [0, 0]).compare().table.iloc[0]
    assert nps["estimate"] == 0
    assert nps["ci_low"] < 0 < nps["ci_high"]
    assert nps["p_value"] > 0.5
    share = metrics.rate([0, 0], [50, 60]).compare()
    assert share.table["p_value"][0] == 1
    means = metrics.mean([1.0, 1.0, 2.0, 2.0], list("aabb")).compare()
    assert np.isnan(means.table["p_value"][0])


def test_pairs_references_and_waves():
    generator = np.random.default_rng(1)
    table = pd.DataFrame({"score": generator.integers(0, 11, 600)})
    table["segment"], table["wave"] = np.resize(list("abc"), 600), np.repeat([1, 2], 300)
    by_segment = metrics.nps(table, "segment", column="score")
    assert list(by_segment.compare().table["group"]) == ["b", "c", "c"]
    assert list(by_segment.compare("b").table["group"]) == ["a", "c"]
    both = metrics.nps(table, ["segment", "wave"], column="score")
    within = both.compare(1, within="segment")
    assert list(within.table["group"]) == [("a", 2), ("b", 2), ("c", 2)]
    assert list(within.table["other"]) == [("a", 1), ("b", 1), ("c", 1)]
    assert len(both.compare(within="wave").table) == 6
    p = within.table["p_value"].to_numpy()
    assert within.table["p_adjusted"].max() <= 1
    assert within.table["p_adjusted"].min() == pytest.approx(min(1, 3 * p.min()))
    assert (both.compare(adjust=None).table["p_adjusted"] == both.compare().table["p_value"]).all()


def test_compare_refuses():
    with pytest.raises(CxError, match="1 group with an estimate"):
        metrics.nps([1, 2, 3]).compare()
    found = metrics.nps([1, 2, 9, 10], list("aabb"))
    with pytest.raises(CxError, match=r"reference='z' is not a group .*; groups: 'a', 'b'"):
        found.compare("z")
    with pytest.raises(CxError, match="adjust='bonferroni'; allowed: 'holm'"):
        found.compare(adjust="bonferroni")
    with pytest.raises(CxError, match="within='wave'; allowed"):
        found.compare(within="wave")
    many = metrics.rate([1] * 500, [2] * 500)
    with pytest.raises(CxError, match="too many to compare; name a reference"):
        many.compare()


# ---- the result -----------------------------------------------------------------------------


def test_results_speak_both_languages():
    table = random_table()
    for metric in (
        metrics.nps(table, "group", column="score"),
        metrics.nps(table, "group", column="score", weights="weight"),
        metrics.csat(table, "group", column="score", scale=(0, 10)),
        metrics.ces(table, "ease", "group", column="score", scale=(0, 10)),
        metrics.arpu(table, "group", column="score"),
        metrics.roi([3, 4, 5], [1, 2, 3]),
        metrics.rate(3, 10, name="our own"),
    ):
        for lang in ("en", "zh"):
            assert "metric." not in metric.summary(check_lang(lang))
            if len(metric.table) > 1:
                assert "metric." not in metric.compare().summary(lang)
        assert metric._repr_html_().startswith("<pre>")
        assert repr(metric) == metric.summary()


def test_summary_reads_as_it_should():
    text = metrics.nps_from_counts(162, 108, 54).summary()
    assert "NPS: 33.3 [24.9, 41.1], n = 324 (50.0 % promoters" in text
    change = metrics.rate([30, 45], [100, 100], by=["a", "b"]).compare().summary()
    assert "b against a: +15 points (+50.0 %) [1.6, 27.7], p = .028" in change


def test_intervals_draw():
    table = random_table()
    axes = metrics.csat(table, "group", column="score", scale=(0, 10)).plot()
    assert axes.get_xlabel() == "Satisfaction (CSAT), two best answers (%)"
    assert metrics.nps(table, "group", column="score").compare().plot(lang="en").has_data()


@pytest.mark.skipif(not hasattr(charts, "nps_bars"), reason="the chart is not there yet")
def test_nps_draws():
    table = random_table()
    for lang in ("en", "zh"):
        assert metrics.nps(table, "group", column="score").plot(lang=lang).has_data()


def test_min_and_level_options():
    for given, said in (({"level": 1.0}, "level is 1.0"), ({"min_cell": 0}, "min_cell=0")):
        with pytest.raises(CxError, match=said):
            metrics.nps([9, 3], **given)
    for given in ({"interval": "wilson"},):
        with pytest.raises(CxError, match="interval='wilson'; allowed: 'auto', 'adjusted_wald'"):
            metrics.nps([9, 3], **given)
    narrow, wide = (only(metrics.nps([9, 3, 8], level=level)) for level in (0.8, 0.99))
    assert wide["ci_low"] < narrow["ci_low"] < narrow["ci_high"] < wide["ci_high"]


def test_effective_sizes_need_not_be_whole():
    low, high = proportion_interval(0.3, 41.7)
    assert 0 < low < 0.3 < high < 1


def test_options_that_a_note_names_are_options_of_the_functions_that_it_names():
    """A note travels through many doors, so it says which function takes what it advises."""
    advice = re.compile(r"\b(\w+)=\S* \(?of ((?:(?: and | or |, )?cx\.[\w.]+)+)")
    named = [
        (key, option, function)
        for key, text in catalogue().items()
        for option, functions in advice.findall(text.en)
        for function in re.findall(r"cx\.([\w.]*\w)", functions)
    ]
    assert {"metric.note.skewed", "metric.note.only_ones"} <= {key for key, *_ in named}
    for key, option, function in named:
        assert option in inspect.signature(attrgetter(function)(cx)).parameters, key
