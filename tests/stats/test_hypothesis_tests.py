import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxstats as cx
from cxstats.service.dimension_scores import Scores, answered_in_all
from cxstats.stats.bootstrap import bca, bootstrap_means
from cxstats.stats.group_comparison import compare_groups
from cxstats.stats.hypothesis_tests import adjust, mean_tests, wilcoxon
from cxstats.stats.intervals import noncentral_interval
from tests.references import close, paired, reference, value

CLOSED = 1e-12
# R's noncentral t and scipy's differ in the ninth digit; R's root was found to 1e-12.
NONCENTRAL = 1e-8
DIMENSIONS = ["tangibles", "reliability", "responsiveness", "assurance", "empathy"]


@pytest.fixture(scope="module")
def gaps():
    frame, book = paired()
    roles = answered_in_all(frame, book, ("expectation", "perception"))
    scored = Scores(frame, book, roles["perception"] - roles["expectation"], roles)
    return frame, scored.by_dimension(scored.measure)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_paired_tests_as_r(gaps, dimension):
    found = mean_tests(gaps[1], 0.95, 100, 1)
    i, table = DIMENSIONS.index(dimension), reference("paired")
    for topic, quantity, number in (
        ("describe", "mean_gap", found.mean),
        ("describe", "sd_gap", found.sd),
        ("t", "t", found.t),
        ("t", "df", found.df),
        ("t", "p", found.p_value),
        ("wilcoxon", "p_nocorrect", found.p_wilcoxon),
        ("d", "dz", found.effect_size),
    ):
        where = {"topic": topic, "dimension": dimension, "quantity": quantity}
        close(number[i], value(table, **where), 1e-11 if quantity == "p_nocorrect" else CLOSED)
    for quantity, number in (
        ("dz_ci_low", found.effect_ci_low),
        ("dz_ci_high", found.effect_ci_high),
    ):
        where = {"topic": "d", "dimension": dimension, "quantity": quantity}
        close(number[i], value(table, **where), NONCENTRAL)


@pytest.mark.parametrize(("method", "name"), [("holm", "t_p_holm"), ("fdr_bh", "t_p_BH")])
def test_adjusted_p_as_r(gaps, method, name):
    found = adjust(mean_tests(gaps[1], 0.95, 100, 1).p_value, method)
    for i, dimension in enumerate(DIMENSIONS):
        where = {"topic": "adjust", "dimension": dimension, "quantity": name}
        close(found[i], value(reference("paired"), **where), CLOSED)


def test_groups_as_r(gaps):
    frame, scores = gaps
    table = reference("paired")
    scores = np.column_stack([scores, scores.mean(axis=1)])
    names = [*DIMENSIONS, "Overall"]
    two = compare_groups(frame, "group2", scores, names, 0.95, 200, 1).pairs.set_index("score")
    three = compare_groups(frame, "group3", scores, names, 0.95, 200, 1).omnibus
    for dimension in DIMENSIONS:
        where = {"topic": "groups2", "dimension": dimension}
        for quantity, column in (("welch_t", "t"), ("welch_df", "df"), ("welch_p", "p_value")):
            close(two.loc[dimension, column], value(table, quantity=quantity, **where), 1e-11)
        where["topic"] = "groups3"
        for quantity, column in (("welch_F", "f"), ("welch_df2", "df_2"), ("welch_p", "p_value")):
            close(three.loc[dimension, column], value(table, quantity=quantity, **where), 1e-11)


def test_bca_as_scipy():
    generator = np.random.default_rng(2)
    values = np.column_stack([generator.exponential(size=120), generator.normal(size=120)])
    low, high = bootstrap_means(values, 0.95, 40_000, seed=1)
    for i in range(2):
        peer = stats.bootstrap(
            (values[:, i],), np.mean, n_resamples=40_000, method="BCa", vectorized=True, rng=1
        )
        # Two independent sets of 40,000 resamples: Monte-Carlo error of a 2.5 % quantile.
        error = 4 * peer.standard_error * np.sqrt(0.025 * 0.975 / 40_000) / 0.058
        assert low[i] == pytest.approx(peer.confidence_interval.low, abs=error)
        assert high[i] == pytest.approx(peer.confidence_interval.high, abs=error)


def test_bca_is_percentile_for_a_symmetric_sample():
    half = np.abs(np.random.default_rng(0).normal(size=100))
    values = np.concatenate([half, -half])[:, None]
    replicates = np.random.default_rng(1).normal(size=(20_001, 1))
    replicates -= np.median(replicates)
    low, high = bca(replicates, np.zeros(1), values / 200, 0.9)
    assert low[0] == pytest.approx(np.quantile(replicates, 0.05), abs=1e-3)
    assert high[0] == pytest.approx(np.quantile(replicates, 0.95), abs=1e-3)


def test_bca_counts_the_replicates_that_exist():
    values = np.full((60, 1), np.nan)
    values[:3, 0] = [1.0, 2.0, 4.0]
    replicates = np.full((4, 1), np.nan)
    replicates[:3, 0] = [1.0, 2.0, 3.0]
    replicates = np.tile(replicates, (500, 1))
    low, high = bca(replicates, np.array([2.0]), np.nan_to_num(values - 2.0), 0.5)
    assert low[0] < 2.0 < high[0]


def test_nothing_varies_nothing_is_inferred():
    values = np.array([[1.0, np.nan, 2.0], [1.0, np.nan, np.nan], [1.0, np.nan, np.nan]])
    found = mean_tests(values, 0.95, 50, 1)
    assert found.n.tolist() == [3, 0, 1]
    assert found.mean[0] == 1
    for field in ("ci_low", "ci_high", "t", "p_value", "effect_size", "effect_ci_low"):
        assert np.isnan(getattr(found, field)).all()


def test_wilcoxon_ranks_equal_means_alike():
    thirds = np.array([0.1 + 0.2, 0.3, -0.5, 0.7, 0.0, np.nan])
    assert thirds[0] != thirds[1]
    assert wilcoxon(thirds) == wilcoxon(np.array([0.3, 0.3, -0.5, 0.7]))
    assert np.isnan(wilcoxon(np.zeros(3)))


def test_noncentral_interval_contains_its_t():
    low, high = noncentral_interval(np.array([0.0, 3.0, np.nan]), np.array([10.0, 50.0, 5.0]), 0.95)
    assert low[0] == pytest.approx(-high[0], rel=1e-8)
    assert low[1] < 3 < high[1]
    assert np.isnan(low[2])
    np.testing.assert_allclose(stats.nct.sf(3, 50, low[1]), 0.025, rtol=1e-6)


BAD = [
    ("nowhere", "column 'nowhere' is not in the table"),
    ("one", "column 'one' has 1 group; at least 2"),
    ("alone", "group 'b': 1 respondents with 'A'; at least 2"),
]


@pytest.mark.parametrize(("by", "message"), BAD)
def test_bad_groups_are_named(by, message):
    frame = pd.DataFrame({"one": ["a"] * 4, "alone": ["a", "a", "a", "b"]})
    with pytest.raises(cx.DataError, match=message):
        compare_groups(frame, by, np.arange(8.0).reshape(4, 2), ["A", "Overall"], 0.95, 10, 1)
