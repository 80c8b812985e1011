"""Derivatives of the likelihood, against complex steps of formulas written down again."""

from dataclasses import replace

import numpy as np
import pytest

import cxstats as cx
from cxstats.models.sem import structure as layout
from cxstats.models.sem.robust import casewise_scores
from tests.models.sem.models import HOLZINGER, PATHS, discrepancy, holzinger, likelihood_of, ram

# Complex steps subtract nothing; what is left is the rounding of inverses, condition about 1e3.
DERIVATIVE = 1e-9
TINY = 1e-30
# Every kind of parameter: options of `likelihood_of`.
MODELS = {
    "factors": (HOLZINGER, {}),
    "variances one": (HOLZINGER, {"std_lv": True}),
    "means": (HOLZINGER + "\nvisual ~ 1\nx1 ~ 0*1", {}),
    "groups": (HOLZINGER.replace("x2", "c(a, a)*x2").replace("x5", "c(b, d)*x5"), {"groups": 2}),
    "paths": (PATHS, {}),
    "paths, means, groups": (PATHS, {"groups": 3, "means": True}),
    "residuals covary": (HOLZINGER + "\nx1 ~~ x2\nx3 ~~ x9\nx4 ~~ x3", {}),
    "observed core": ("f =~ x1 + x2 + x3\nf ~ z + w\ny ~ f + z\nx1 ~ w", {}),
    "given, means": ("f =~ x1 + x2 + x3\nf ~ z + w\ny ~ f + z\nx1 ~ w", {"means": True}),
    "free predictors": ("y ~ z + w\nv ~ y + w", {"fixed_x": False, "means": True}),
    "item and cause": ("f =~ x1 + x2 + x3\ny ~ x1\nx1 ~~ z\nz ~~ x2", {}),
    "loop": ("y ~ z + w\nw ~ y + v", {}),
    "second order": (HOLZINGER + "\ng =~ visual + textual + speed", {"means": True}),
    "equal and linear": (PATHS + "a1 ~~ e*a1\na2 ~~ e*a2\np == 2*q - r", {}),
}
POINTS = range(2)


@pytest.fixture(params=MODELS)
def model(request):
    text, options = MODELS[request.param]
    return text, options


def steps(function, point):
    """Return derivatives (q, ...) of a function that takes complex points."""
    return np.stack([function(point + 1j * TINY * e).imag / TINY for e in np.eye(len(point))])


def slope(likelihood, phi):
    """Return the gradient of F at a complex point."""
    implied = likelihood.implied(phi)
    cov, gap = likelihood.cov, None
    if likelihood.mean is not None:
        gap = likelihood.mean - implied.mu
        cov = cov + gap[..., :, None] * gap[..., None, :]
    inverse = layout.inverted(implied)
    return likelihood.reduced(layout.gradient(likelihood.structure, implied, inverse, cov, gap))


@pytest.mark.parametrize("seed", POINTS)
def test_implied_moments_and_value(model, seed):
    likelihood, phi = likelihood_of(model[0], seed, **model[1])
    found, x = likelihood.implied(phi), likelihood.reduction.all(phi)
    for g in range(len(likelihood.share)):
        sigma, mu, _ = ram(likelihood.reduction.model, x, g)
        np.testing.assert_allclose(found.sigma[g], sigma, rtol=0, atol=1e-10)
        if found.mu is not None:
            np.testing.assert_allclose(found.mu[g], mu, rtol=0, atol=1e-10)
    value = likelihood.evaluate(phi)[0]
    assert value == pytest.approx(discrepancy(likelihood, phi), rel=1e-10)


@pytest.mark.parametrize("seed", POINTS)
def test_gradient_and_hessian(model, seed):
    likelihood, phi = likelihood_of(model[0], seed, **model[1])
    gradient = likelihood.evaluate(phi)[1]
    exact = steps(lambda point: discrepancy(likelihood, point), phi)
    np.testing.assert_allclose(gradient, exact, rtol=DERIVATIVE, atol=DERIVATIVE)
    hessian = likelihood.hessian(phi)
    exact = steps(lambda point: slope(likelihood, point), phi)
    np.testing.assert_allclose(hessian, exact, rtol=DERIVATIVE, atol=DERIVATIVE)


def test_information_is_half_the_hessian_where_the_model_is_true(model):
    likelihood, phi = likelihood_of(model[0], 5, **model[1])
    implied = likelihood.implied(phi)
    true = replace(likelihood, cov=implied.sigma, mean=implied.mu)
    np.testing.assert_allclose(
        true.information(phi), true.hessian(phi) / 2, rtol=DERIVATIVE, atol=DERIVATIVE
    )


def test_jacobian(model):
    likelihood, phi = likelihood_of(model[0], 6, **model[1])

    def moments(point):
        found = likelihood.implied(point)
        row, column = np.tril_indices(found.sigma.shape[-1])
        parts = [found.sigma[:, row, column]]
        parts += [] if found.mu is None else [found.mu]
        return np.concatenate(parts, axis=-1).ravel()

    exact = steps(moments, phi).T
    np.testing.assert_allclose(likelihood.jacobian(phi), exact, rtol=DERIVATIVE, atol=DERIVATIVE)


def test_scores_of_cases(model):
    likelihood, phi = likelihood_of(model[0], 7, **model[1])
    generator = np.random.default_rng(8)
    p, means = likelihood.cov.shape[-1], likelihood.mean is not None
    matrices = [generator.normal(size=(4, p)) for _ in likelihood.share]

    def logs(point):
        found, x = [], likelihood.reduction.all(point)
        for g, matrix in enumerate(matrices):
            sigma, mu, _ = ram(likelihood.reduction.model, x, g)
            gap = matrix - (mu if means else matrix.mean(axis=0))
            distance = np.einsum("ij,jk,ik->i", gap, np.linalg.inv(sigma), gap)
            found.append(-(np.log(np.linalg.det(sigma)) + distance) / 2)
        return np.concatenate(found)

    found = casewise_scores(likelihood, phi, matrices)
    np.testing.assert_allclose(found, steps(logs, phi).T, rtol=DERIVATIVE, atol=1e-8)


@pytest.mark.parametrize("options", [{}, {"means": True}, {"group": "school"}])
def test_scores_sum_to_zero_at_the_optimum(options):
    fit = cx.sem(HOLZINGER, holzinger(), **options)
    scores = casewise_scores(fit.likelihood, fit.optimum.phi, fit.sample.matrices())
    assert len(scores) == fit.n
    assert np.abs(scores.sum(axis=0)).max() < 1e-8 * np.abs(scores).sum(axis=0).max()
