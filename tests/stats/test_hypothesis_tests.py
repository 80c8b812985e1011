import numpy as np
import pytest

from cxstats.service.dimension_scores import Scores, answered_in_all
from cxstats.stats.hypothesis_tests import adjust, mean_tests, wilcoxon
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
