import numpy as np
import pytest

from cxstats.service.dimension_scores import Scores, answered_in_all
from cxstats.stats.hypothesis_tests import (
    adjust,
    mean_tests,
    paired_differences,
    signed_rank,
    wilcoxon,
)
from cxstats.stats.means import MeanOptions
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
    found = mean_tests(gaps[1], MeanOptions())
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
    found = adjust(mean_tests(gaps[1], MeanOptions()).p_value, method)
    for i, dimension in enumerate(DIMENSIONS):
        where = {"topic": "adjust", "dimension": dimension, "quantity": name}
        close(found[i], value(reference("paired"), **where), CLOSED)


def test_nothing_varies_nothing_is_inferred():
    values = np.array([[1.0, np.nan, 2.0], [1.0, np.nan, np.nan], [1.0, np.nan, np.nan]])
    found = mean_tests(values, MeanOptions())
    assert found.n.tolist() == [3, 0, 1]
    assert found.mean[0] == 1
    for field in ("ci_low", "ci_high", "t", "p_value", "effect_size", "effect_ci_low"):
        assert np.isnan(getattr(found, field)).all()


def test_wilcoxon_ranks_equal_means_alike():
    thirds = np.array([0.1 + 0.2, 0.3, -0.5, 0.7, 0.0, np.nan])
    assert thirds[0] != thirds[1]
    assert wilcoxon(thirds) == wilcoxon(np.array([0.3, 0.3, -0.5, 0.7]))
    assert np.isnan(wilcoxon(np.zeros(3)))


def test_paired_differences_are_those_of_scipy_and_statsmodels():
    from scipy.stats import ttest_rel
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(3)
    values = rng.normal(size=(40, 4)) + np.array([0.0, 0.2, 0.5, 0.5])
    values[:5, 1] = np.nan
    values[30:, 3] = np.nan
    table = paired_differences(values, list("abcd"), MeanOptions())
    assert [*zip(table["score"], table["other"], strict=True)] == [
        ("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")
    ]  # fmt: skip
    for row in table.itertuples():
        i, j = "abcd".index(row.score), "abcd".index(row.other)
        test = ttest_rel(values[:, i], values[:, j], nan_policy="omit")
        assert row.p_value == pytest.approx(float(test.pvalue))
        limits = test.confidence_interval(0.95)
        assert (row.ci_low, row.ci_high) == pytest.approx((limits.low, limits.high))
    holm = multipletests(table["p_value"], method="holm")[1]
    assert table["p_adjusted"].tolist() == pytest.approx(holm.tolist())
    assert table["n"].tolist() == [35, 40, 30, 35, 25, 30]


def test_paired_differences_of_one_column_or_equal_ones():
    x = np.array([[1.0], [2.0]])
    assert paired_differences(x, ["a"], MeanOptions()).empty
    equal = paired_differences(np.hstack([x, x + 1]), ["a", "b"], MeanOptions())
    assert equal["estimate"].tolist() == [-1.0]
    assert np.isnan(equal["p_value"]).all()


def test_more_pairs_than_stand_in_memory_together():
    values = np.random.default_rng(0).normal(size=(30, 8))
    names = list("abcdefgh")
    table = paired_differences(values, names, MeanOptions())
    assert len(table) == 28
    one = paired_differences(values[:, [2, 6]], ["c", "g"], MeanOptions())
    row = table[(table["score"] == "c") & (table["other"] == "g")]
    assert row["p_value"].tolist() == pytest.approx(one["p_value"].tolist())


@pytest.mark.parametrize("n", [2, 7, 60, 4_000])
def test_signed_ranks_of_counts_are_those_of_scipy(n):
    from scipy import stats

    differences = np.random.default_rng(n).integers(-3, 6, n) / 3
    nonzero = np.round(differences[differences != 0], 9)
    wanted = stats.wilcoxon(nonzero, correction=False, method="asymptotic").pvalue
    close(wilcoxon(differences), wanted, CLOSED)
    # The same value may come twice, as from two partitions.
    values, counts = np.unique(differences, return_counts=True)
    halves = np.concatenate([values, values]), np.concatenate([counts // 2, counts - counts // 2])
    close(signed_rank(*halves), wanted, CLOSED)
