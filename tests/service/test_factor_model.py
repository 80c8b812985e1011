import numpy as np
import pytest

import cxstats as cx
from cxstats.service.factor_model import fit_factors

# Estimates are taken to machine precision; what is left is rounding.
FITTED = 1e-8


def population(loadings, between, names, n=200):
    """Return moments of two factors that hold one half of the items each."""
    half = len(names) // 2
    factor = np.repeat([0, 1], half)
    corr = np.array([[1, between], [between, 1]])[np.ix_(factor, factor)] * np.outer(
        loadings, loadings
    )
    np.fill_diagonal(corr, 1)
    parts = {"x0 负责": names[:half], "f0": names[half:]}
    return cx.Moments.from_correlation(names, corr, n=n), parts


def test_names_can_be_any_text():
    names, loadings = ["负责 1", "a + b", "~ 1", "f0", "x0", "=~"], [0.9, 0.8, 0.7, 0.6, 0.5, 0.8]
    model = fit_factors(*population(loadings, 0.4, names))
    np.testing.assert_allclose(model.loadings, loadings, atol=FITTED)
    np.testing.assert_allclose(model.of("f0")[0], loadings[3:], atol=FITTED)
    assert model.loading("a + b") == pytest.approx(0.8, abs=FITTED)
    assert model.problems == ()


def test_a_factor_points_along_its_items():
    names = list("abcdef")
    model = fit_factors(*population([-0.3, 0.7, 0.8, 0.6, 0.7, 0.8], -0.4, names))
    np.testing.assert_allclose(model.loadings[:3], [-0.3, 0.7, 0.8], atol=FITTED)
    assert model.corr[0, 1] == pytest.approx(-0.4, abs=FITTED)
    assert model.corr[1, 0] == model.corr[0, 1]


def test_factors_that_correlate_above_one_are_named():
    model = fit_factors(*population([0.7] * 6, 1.05, list("abcdef")))
    assert model.problems[0].en.startswith("x0 负责 and f0 correlate 1.05: not two factors")


def test_two_items_that_nothing_holds_are_not_printed():
    model = fit_factors(*population([0.7] * 4, 0.01, list("abcd")))
    assert "hardly determine the factor model" in model.problems[0].en
    assert not model.proper("f0")


def test_no_maximum_is_said():
    r = [[1], [0.4, 1], [0.4, -0.3, 1]]
    model = fit_factors(cx.Moments.from_correlation(list("abc"), r, n=100), {"F": list("abc")})
    assert not model.converged
    assert [problem.en for problem in model.problems] == [
        "the factor model did not converge: omega, CR and AVE are not to be trusted",
    ]
