"""Models of a published matrix of correlations: what their standard errors are."""

import numpy as np
import pytest

import cxstats as cx
from tests.models.sem.models import HOLZINGER, ITEMS, holzinger, quiet

LOADINGS = np.array([0.85, 0.85, 0.84])
ONE = np.outer(LOADINGS, LOADINGS) + np.diag(1 - LOADINGS**2)


def published(corr, names, n=301, sd=None):
    return cx.Moments.from_correlation(names, corr, n=n, sd=sd)


def test_errors_of_loadings_are_those_of_correlations():
    """Closed form and 20,000 simulated matrices: .0235; as covariances .0489."""
    fit = cx.sem("t =~ a + b + c", published(ONE, list("abc")), std_lv=True)
    np.testing.assert_allclose(fit.table["se"][:3], 0.0235, atol=5e-4)
    np.testing.assert_allclose(fit.table["se"][:3], fit.table["std_se"][:3], rtol=2e-3)
    assert "taken as correlations" in fit.summary()
    assert "视为相关系数" in fit.summary("zh")


@pytest.mark.parametrize("options", [{}, {"std_lv": True}, {"orthogonal": True}])
def test_standardised_errors_do_not_change(options):
    frame = holzinger()[list(ITEMS)]
    plain = cx.sem(HOLZINGER, cx.moments(frame), **options)
    fit = cx.sem(HOLZINGER, published(frame.corr(), ITEMS), **options)
    np.testing.assert_allclose(fit.table["std_se"], plain.table["std_se"], rtol=1e-5)
    assert fit.fit_indices["chisq"] == pytest.approx(plain.fit_indices["chisq"], rel=1e-9)
    loadings = (fit.table["op"] == "=~") & fit.table["se"].notna()
    assert (fit.table["se"] < plain.table["se"])[loadings].any()


def test_errors_of_simulated_matrices():
    """Of every kind of parameter, with markers: correlations of 400 samples, seed 5."""
    text = "f =~ a + b + c\ng =~ d + e + h\ng ~ f"
    corr = np.full((6, 6), 0.35) + 0.2 * np.kron(np.eye(2), np.ones((3, 3))) + 0.45 * np.eye(6)
    names, n = list("abcdeh"), 400
    fit = cx.sem(text, published(corr, names, n))
    root = np.linalg.cholesky(corr)
    samples = np.random.default_rng(5).normal(size=(400, n, 6)) @ root.T
    estimates = [
        cx.sem(text, published(np.corrcoef(sample.T), names, n)).optimum.phi for sample in samples
    ]
    errors = np.sqrt(np.diagonal(fit.covariance))
    np.testing.assert_allclose(errors, np.std(estimates, axis=0), rtol=0.15)


@pytest.mark.parametrize(
    "text",
    [
        "f =~ 1*x1 + 1*x2 + 1*x3 + x4",
        "f =~ x1 + a*x2 + a*x3 + x4",
        "f =~ x1 + x2 + x3; x1 ~~ .5*x1",
    ],
)
def test_a_model_that_is_not_free_of_scale_says_so(text):
    frame = holzinger()[["x1", "x2", "x3", "x4"]]
    moments = published(frame.corr(), list(frame))
    fit = quiet(text, moments)
    assert "not free of scale" in fit.summary()
    assert "依赖量纲" in fit.summary("zh")
    with_sd = quiet(text, published(frame.corr(), list(frame), sd=frame.std()))
    assert with_sd.notes == ()
    np.testing.assert_allclose(with_sd.table["se"], quiet(text, cx.moments(frame)).table["se"])


def test_covariances_and_respondents_are_left_alone():
    frame = holzinger()[list(ITEMS)]
    unit = (frame - frame.mean()) / frame.std()
    assert cx.sem(HOLZINGER, unit).notes == ()
    assert cx.sem(HOLZINGER, cx.moments(frame)).notes == ()
