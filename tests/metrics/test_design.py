"""Metrics under clusters, strata and weights: against R's survey, by properties, by simulation."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats import metrics
from tests.references import FOLDER, data

DESIGNS = {
    "cluster": cx.Design(cluster="cluster"),
    "weights_cluster": cx.Design(weights="w", cluster="cluster"),
    "strata": cx.Design(strata="school"),
    "all": cx.Design(weights="w", cluster="cluster", strata="school"),
}
PARTS = ("a", "b", "c")


def schools():
    """Return Holzinger and Swineford's pupils with the answers of `metrics_design.R`."""
    frame = data("holzinger")[0].reset_index(drop=True)
    frame["w"] = 1 + frame["agemo"] / 4
    frame["cluster"] = frame["ageyr"] * 100 + frame["agemo"]
    score = np.clip(np.floor(frame["x1"] * 1.7), 0, 10)
    frame["score"] = score.where(frame["id"] % 11 != 0)
    frame["top"] = (frame["score"] >= 9).astype(float).where(frame["score"].notna())
    frame["part"] = np.where(frame["x2"] < 5.5, "a", np.where(frame["x2"] < 7, "b", "c"))
    return frame


COMPUTE = {
    "nps": lambda frame, by, **options: metrics.nps(frame, by, column="score", **options),
    "top": lambda frame, by, **options: metrics.rate(
        frame, None, by, column="top", interval="clopper_pearson", **options
    ),
    "score": lambda frame, by, **options: metrics.mean(frame, by, column="score", **options),
}


@pytest.fixture(scope="module")
def reference():
    table = pd.read_csv(FOLDER / "metrics_design.csv")
    return table.set_index(["design", "metric", "what"]).sort_index()


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("metric", COMPUTE)
class TestAgainstSurvey:
    def test_all_rows(self, reference, name, metric):
        expected = reference.loc[name, metric]["value"]
        row = COMPUTE[metric](schools(), None, design=DESIGNS[name]).table.iloc[0]
        for what in ("estimate", "se"):
            assert row[what] == pytest.approx(expected[what], rel=1e-10), what

    def test_groups_and_their_covariances(self, reference, name, metric):
        expected = reference.loc[name, metric]["value"]
        found = COMPUTE[metric](schools(), "part", design=DESIGNS[name])
        covariance = found.covariance.matrix(np.arange(3))
        size = np.abs(covariance).max()
        for i, part in enumerate(PARTS):
            row = found.table.iloc[i]
            assert row["estimate"] == pytest.approx(expected[f"estimate_{part}"], rel=1e-10)
            assert row["df"] == expected[f"df_{part}"]
            assert row["se"] ** 2 == pytest.approx(expected[f"cov_{part}{part}"], rel=1e-10)
            for j in range(i, 3):
                value = expected[f"cov_{part}{PARTS[j]}"]
                assert covariance[i, j] == pytest.approx(value, abs=1e-11 * size)
                pair = found.covariance.of_pairs([i], [j])[0]
                assert pair == pytest.approx(value, abs=1e-11 * size)

    def test_difference_and_test_of_all(self, reference, name, metric):
        expected = reference.loc[name, metric]["value"]
        found = COMPUTE[metric](schools(), "part", design=DESIGNS[name]).compare("a", adjust=None)
        row = found.table.iloc[0]
        assert row["group"] == "b"
        assert row["estimate"] == pytest.approx(expected["contrast_b_a"], rel=1e-10)
        assert row["se"] == pytest.approx(expected["contrast_se_b_a"], rel=1e-10)
        assert row["statistic"] == pytest.approx(expected["t_b_a"], rel=1e-10)
        # Welch's degrees of freedom are taken where they are fewer.
        assert row["df"] <= expected["t_df_b_a"]
        if row["df"] == expected["t_df_b_a"]:
            assert row["p_value"] == pytest.approx(expected["t_p_b_a"], rel=1e-9)
        every = found.omnibus.iloc[0]
        assert every["statistic"] == pytest.approx(expected["F"], rel=1e-9)
        assert every["df_2"] == expected["F_df"]
        assert every["p_value"] == pytest.approx(expected["F_p"], rel=1e-8)


@pytest.mark.parametrize("name", DESIGNS)
def test_interval_of_a_share_is_that_of_korn_and_graubard(reference, name):
    expected = reference.loc[name, "top"]["value"]
    table = COMPUTE["top"](schools(), "part", design=DESIGNS[name]).table
    compared = 0
    for part, row in zip(PARTS, table.to_dict("records"), strict=True):
        if row["deff"] > 1.05:  # below, survey takes more answers than there are; here never
            assert row["ci_low"] == pytest.approx(expected[f"low_{part}"], rel=1e-9)
            assert row["ci_high"] == pytest.approx(expected[f"high_{part}"], rel=1e-9)
            compared += 1
        else:
            assert row["ci_low"] <= expected[f"low_{part}"] + 1e-12
    print(name, compared)


def visits(seed=1, customers=60, visits_each=5):
    """Return visits of customers who differ, with a wave, a region and a weight each."""
    generator = np.random.default_rng(seed)
    customer = np.repeat(np.arange(customers), visits_each)
    mood = generator.normal(size=customers)[customer]
    n = len(customer)
    return pd.DataFrame(
        {
            "customer": customer,
            "region": customer % 3,
            "wave": np.tile(np.arange(visits_each), customers),
            "weight": generator.uniform(0.5, 2, n),
            "score": np.clip(np.round(7 + 1.5 * mood + generator.normal(size=n)), 0, 10),
        }
    )


@pytest.mark.parametrize("engine", ["polars", "polars lazy", "duckdb", "pyarrow"])
def test_every_engine_adds_up_the_same_clusters(engine):
    import duckdb
    import polars as pl
    import pyarrow as pa

    frame = visits()
    frame.loc[frame.index % 13 == 0, "score"] = np.nan
    table = {
        "polars": pl.from_pandas,
        "polars lazy": lambda f: pl.from_pandas(f).lazy(),
        "duckdb": duckdb.from_df,
        "pyarrow": pa.Table.from_pandas,
    }[engine](frame)
    design = cx.Design(weights="weight", cluster="customer", strata="region")
    ours, theirs = (
        cx.nps(t, "wave", column="score", design=design).compare() for t in (frame, table)
    )
    pd.testing.assert_frame_equal(ours.table, theirs.table, check_dtype=False, rtol=1e-10)
    pd.testing.assert_frame_equal(
        ours.metric.table, theirs.metric.table, check_dtype=False, rtol=1e-10
    )


def test_columns_of_one_list_are_those_of_a_table():
    frame = visits()
    named = cx.nps(frame, "wave", column="score", cluster="customer", strata="region")
    lists = cx.nps(
        frame["score"], frame["wave"], cluster=frame["customer"], strata=list(frame["region"])
    )
    pd.testing.assert_frame_equal(named.table, lists.table)


def test_equal_rows_of_a_cluster_count_once():
    """Every customer's answer five times over is worth one answer each."""
    once = visits(visits_each=1)
    often = pd.concat([once] * 5, ignore_index=True)
    for compute in (cx.csat, cx.nps):
        options = {"column": "score", "scale": (0, 10)}
        one = compute(once, **options, cluster="customer").table.iloc[0]
        five = compute(often, **options, cluster="customer").table.iloc[0]
        assert five["se"] == pytest.approx(one["se"], rel=1e-12)
        assert five["n_effective"] == pytest.approx(one["n_effective"], rel=1e-12)
        assert five["ci_low"] == pytest.approx(one["ci_low"], abs=0.5)
        alone = compute(often, **options).table.iloc[0]
        assert alone["se"] < 0.5 * five["se"]


def test_a_group_of_one_cluster_has_no_interval_and_says_so():
    frame = visits()
    frame["kind"] = np.where(frame["customer"] == 7, "one", "other")
    found = cx.nps(frame, "kind", column="score", cluster="customer")
    one = found.table.iloc[0]
    assert one["n_clusters"] == 1
    assert np.isnan(one["ci_low"])
    assert any("no more clusters than strata" in note.en for note in found.notes)
    few = cx.nps(frame[frame["customer"] < 8], column="score", cluster="customer")
    assert any("fewer than 10 clusters" in note.en for note in few.notes)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"cluster": "nobody"}, "'nobody' is not in the table"),
        ({"cluster": 3}, "cluster=3; of a table"),
        ({"design": "customer"}, "design='customer'; allowed"),
        ({"design": cx.Design(cluster="customer"), "cluster": "customer"}, "beside design="),
        ({"cluster": "gap"}, "row 4, column 'gap': no cluster"),
        ({"cluster": "same"}, "all rows are one cluster"),
        ({"cluster": "customer", "strata": "own"}, "60 strata .* have one cluster each"),
    ],
)
def test_a_design_that_is_none_is_named(options, match):
    frame = visits().assign(same=1)
    frame["own"] = frame["customer"]
    frame["gap"] = frame["customer"].where(frame.index != 4).astype(object)
    with pytest.raises(cx.CxError, match=match):
        cx.nps(frame, column="score", **options)


def test_counts_have_no_clusters():
    with pytest.raises(cx.CxError, match="cluster, strata and design are for outcomes"):
        cx.rate(3, 10, cluster="customer")


def test_bca_draws_whole_clusters():
    frame = visits()
    rows = metrics.mean(frame, column="score", interval="bca", n_resamples=2000).table.iloc[0]
    options = {"column": "score", "cluster": "customer"}
    drawn = metrics.mean(frame, **options, interval="bca", n_resamples=2000).table.iloc[0]
    t = metrics.mean(frame, **options).table.iloc[0]
    width = drawn["ci_high"] - drawn["ci_low"]
    assert width == pytest.approx(t["ci_high"] - t["ci_low"], rel=0.1)
    assert width > 1.5 * (rows["ci_high"] - rows["ci_low"])
    with pytest.raises(cx.CxError, match="does not keep to strata"):
        metrics.mean(frame, **options, strata="region", interval="bca")


def test_return_on_clusters():
    """As the ratio that the design's own influence gives."""
    frame = visits()
    gain, cost = frame["score"] + 1, frame["weight"]
    found = metrics.roi(gain, cost, cluster=frame["customer"], interval="delta").table.iloc[0]
    rows = cx.Design(cluster="customer").read(frame)
    ratio = gain.sum() / cost.sum()
    influence = ((gain - ratio * cost) / cost.sum()).to_numpy()[:, None]
    assert found["se"] == pytest.approx(np.sqrt(rows.covariance(influence)[0, 0]), rel=1e-12)
    drawn = metrics.roi(gain, cost, cluster=frame["customer"], n_resamples=2000).table.iloc[0]
    assert drawn["ci_high"] - drawn["ci_low"] == pytest.approx(
        found["ci_high"] - found["ci_low"], rel=0.1
    )


def test_a_panel_is_tracked_by_what_changes():
    """Customers who answer in every wave: what they have in common is in no signal."""
    frame = visits(customers=200, visits_each=8)
    panel, rows = (
        cx.track(cx.nps(frame, "wave", column="score", **options))
        for options in ({"cluster": "customer"}, {})
    )
    for each in (panel, rows):
        assert each.table["centre"].iloc[0] == pytest.approx(rows.table["centre"].iloc[0])
    width = (panel.table["limit_high"] - panel.table["limit_low"]).mean()
    assert width < 0.9 * (rows.table["limit_high"] - rows.table["limit_low"]).mean()
    # The slope is a contrast of waves, with its variance by the covariances of them all.
    covariance = panel.metric.covariance.matrix(np.arange(8))
    centred = np.arange(8) - 3.5
    of_slope = centred / (centred @ centred)
    sampling = np.sqrt(of_slope @ covariance @ of_slope)
    assert panel.trend["se"].iloc[0] / np.sqrt(max(1, panel.trend["scatter"].iloc[0])) == (
        pytest.approx(sampling, rel=0.05)  # variances of waves are pooled
    )


def test_small_waves_of_extreme_shares_are_noted():
    generator = np.random.default_rng(4)
    counts = generator.multinomial(20, (0.02, 0.08, 0.9), 12)
    found = cx.track(metrics.nps_from_counts(*counts.T, by={"wave": list(range(12))}))
    assert any("up to three times as often" in note.en for note in found.notes)
    large = metrics.nps_from_counts(*(20 * counts).T, by={"wave": list(range(12))})
    assert not any("three times" in note.en for note in cx.track(large).notes)


@pytest.mark.slow
@pytest.mark.parametrize(("customers", "each"), [(50, 4), (20, 10), (10, 20)])
def test_clustered_intervals_cover(customers, each):
    """Several rows per customer, intraclass correlation about .36."""
    generator = np.random.default_rng(7)
    samples = 3_000
    mood = generator.normal(size=(samples, customers, 1))
    noise = generator.normal(size=(samples, customers, each))
    latent = np.sqrt(0.45) * mood + np.sqrt(0.55) * noise
    score = np.where(latent > 0, 10, np.where(latent > -0.85, 7, 3)).ravel()
    sample = np.repeat(np.arange(samples), customers * each)
    customer = np.tile(np.repeat(np.arange(customers), each), samples)
    # One call for all samples, a stratum each: no sample lends clusters to another.
    frame = pd.DataFrame({"score": score, "sample": sample, "customer": customer})
    from scipy.special import ndtr

    truth = {"nps": 100 * (0.5 - ndtr(-0.85)), "share": 0.5, "mean": 10 * 0.5}
    truth["mean"] += 7 * (0.5 - ndtr(-0.85)) + 3 * ndtr(-0.85)
    options = {"column": "score", "cluster": "customer", "strata": "sample"}
    found = {
        "nps": metrics.nps(frame, "sample", **options),
        "share": cx.csat(frame, "sample", scale=(0, 10), kind="top_box", **options),
        "exact": cx.csat(
            frame, "sample", scale=(0, 10), kind="top_box", interval="clopper_pearson", **options
        ),
        "mean": metrics.mean(frame, "sample", **options),
    }
    truth["exact"] = truth["share"]
    for name, metric in found.items():
        table = metric.table
        covered = ((table["ci_low"] <= truth[name]) & (truth[name] <= table["ci_high"])).mean()
        print(f"\n{customers} x {each}, {name}: covered {covered:.4f}")
        # The exact interval and that of few answers are wider than they need to be.
        assert 0.935 <= covered <= (0.965 if name in ("share", "mean") else 0.985)
    alone = metrics.nps(frame, "sample", column="score").table
    covered = ((alone["ci_low"] <= truth["nps"]) & (truth["nps"] <= alone["ci_high"])).mean()
    assert covered < 0.9  # so the test can fail


@pytest.mark.slow
@pytest.mark.parametrize(("n", "sd"), [(50, 1.5), (200, 1.5), (50, 1.0), (200, 1.0)])
def test_intervals_of_uneven_weights_cover(n, sd):
    """Log-normal weights that have nothing to do with the answers."""
    generator = np.random.default_rng(11)
    samples = 4_000
    weight = np.exp(sd * generator.normal(size=samples * n))
    draw = generator.random(samples * n)
    sample = np.repeat(np.arange(samples), n)
    score = np.where(draw < 0.5, 10, np.where(draw < 0.8, 7, 3))
    for name, found, truth in (
        ("nps", metrics.nps(score, sample, weights=weight), 30.0),
        ("csat 90 %", metrics.rate(draw < 0.9, None, sample, weights=weight), 0.9),
        ("csat 50 %", metrics.rate(draw < 0.5, None, sample, weights=weight), 0.5),
    ):
        table = found.table
        covered = ((table["ci_low"] <= truth) & (truth <= table["ci_high"])).mean()
        print(f"\nn = {n}, sd {sd}, {name}: covered {covered:.3f}")
        assert covered >= 0.935, name


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["panel", "arms"])
def test_tests_of_clustered_groups_hold_their_level(kind):
    """Without a difference: two waves of the same 30 customers, or two arms of 15 users each."""
    generator = np.random.default_rng(13)
    samples, customers, each = 1_500, 30, 8
    shape = (samples, customers, each)
    mood = generator.normal(size=(samples, customers, 1))
    latent = np.sqrt(0.45) * mood + np.sqrt(0.55) * generator.normal(size=shape)
    wave = np.broadcast_to(np.arange(each) % 2, shape)
    if kind == "arms":
        wave = np.broadcast_to((np.arange(customers) % 2)[None, :, None], shape)
    frame = pd.DataFrame(
        {
            "score": np.where(latent > 0, 10, np.where(latent > -0.85, 7, 3)).ravel(),
            "sample": np.repeat(np.arange(samples), customers * each),
            "customer": np.tile(np.repeat(np.arange(customers), each), samples),
            "group": wave.ravel(),
        }
    )
    options = {"column": "score", "cluster": "customer", "strata": "sample"}
    by = ["sample", "group"]
    for name, found in (
        ("nps", metrics.nps(frame, by, **options)),
        ("share", cx.csat(frame, by, scale=(0, 10), kind="top_box", **options)),
        ("mean", metrics.mean(frame, by, **options)),
    ):
        table = found.compare(0, within="sample", adjust=None).table
        rejected = (table["p_value"] < 0.05).mean()
        covered = ((table["ci_low"] <= 0) & (table["ci_high"] >= 0)).mean()
        print(f"\n{kind}, {name}: rejected {rejected:.3f}, covered {covered:.3f}")
        assert 0.03 <= rejected <= 0.067  # three standard errors of 1,500 samples
        assert 0.93 <= covered <= 0.975
    alone = metrics.nps(frame, by, column="score").compare(0, within="sample", adjust=None).table
    rejected = (alone["p_value"] < 0.05).mean()
    # So the test can fail: rows taken as independent are wrong in opposite directions.
    assert rejected < 0.02 if kind == "panel" else rejected > 0.15
