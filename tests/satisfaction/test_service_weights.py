"""Weights of satisfaction, estimated: against scipy and statsmodels, and what cannot be fitted."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from cxstats.core.errors import CxError, DataError
from cxstats.satisfaction import estimate_service_weights
from cxstats.satisfaction.service_weights import simplex_least_squares

FEW = {"n_resamples": 200}


def drawn(weights, n: int = 300, seed: int = 4, noise: float = 5.0, level: float = 0.0):
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(n, 1))
    x = 70 + 8 * common + 8 * generator.normal(size=(n, 3))
    s = level + x @ weights + noise * generator.normal(size=n)
    return pd.DataFrame(np.column_stack([s, x]), columns=["S", "Q", "I", "P"])


@pytest.mark.parametrize("weights", [(0.5, 0.3, 0.2), (0.9, 0.3, -0.2), (1.4, -0.2, -0.2)])
@pytest.mark.parametrize("intercept", [True, False])
def test_constrained_weights_are_scipys(weights, intercept):
    frame = drawn(weights)
    found = estimate_service_weights(frame, "S", "Q", "I", "P", intercept=intercept, **FEW)
    data = frame - frame.mean() if intercept else frame
    s, x = data["S"].to_numpy(), data[["Q", "I", "P"]].to_numpy()
    theirs = minimize(
        lambda w: ((s - x @ w) ** 2).mean(),
        np.full(3, 1 / 3),
        jac=lambda w: -2 * x.T @ (s - x @ w) / len(s),
        bounds=[(0, 1)] * 3,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda _: np.ones(3)},
        options={"ftol": 1e-15, "maxiter": 500},
    )
    ours = np.array(list(found.of().values()))
    # SLSQP stops within about 1e-6 of its optimum.
    np.testing.assert_allclose(ours, theirs.x, atol=1e-5)
    assert ((s - x @ ours) ** 2).mean() <= theirs.fun + 1e-9


@pytest.mark.parametrize("intercept", [True, False])
def test_free_weights_are_statsmodels(intercept):
    import statsmodels.api as sm

    frame = drawn((0.5, 0.3, 0.2))
    found = estimate_service_weights(frame, "S", "Q", "I", "P", intercept=intercept, **FEW)
    x = frame[["Q", "I", "P"]]
    theirs = sm.OLS(frame["S"], sm.add_constant(x) if intercept else x).fit()
    ours = list(found.of("ols").values())
    np.testing.assert_allclose(ours, theirs.params[["Q", "I", "P"]], rtol=1e-8)
    if intercept:
        assert found.r_squared["ols"] == pytest.approx(theirs.rsquared)
        se = found.table.query("method == 'ols' and weight in ['alpha', 'beta', 'gamma']")["se"]
        # 200 resamples: a standard error within a fifth of the one from theory
        np.testing.assert_allclose(se, theirs.bse[["Q", "I", "P"]], rtol=0.2)


def test_free_weights_with_a_sum_of_one_inside_are_the_constrained_ones():
    frame = drawn((0.5, 0.3, 0.2), noise=1e-6)
    found = estimate_service_weights(frame, "S", "Q", "I", "P", **FEW)
    np.testing.assert_allclose(list(found.of().values()), [0.5, 0.3, 0.2], atol=1e-6)
    assert sum(found.of().values()) == pytest.approx(1)


def test_weights_at_the_edge_are_said():
    found = estimate_service_weights(drawn((0.7, 0.3, 0)), "S", "Q", "I", "P", **FEW)
    assert any("weight of P is 0 in" in note.en for note in found.notes)
    assert "R²" in str(found)
    assert "非负" in found.summary("zh")


def test_simplex_of_a_batch():
    generator = np.random.default_rng(6)
    roots = generator.normal(size=(300, 4, 4))
    a, b = roots @ roots.swapaxes(1, 2), generator.normal(size=(300, 4))
    w = simplex_least_squares(a, b)
    assert (w >= 0).all()
    np.testing.assert_allclose(w.sum(axis=1), 1)
    # Kuhn and Tucker: the slope is the same where a weight is positive, and not lower elsewhere.
    slope = (a @ w[..., None])[..., 0] - b
    least = np.where(w > 0, slope, np.inf).min(axis=1, keepdims=True)
    assert (slope >= least - 1e-8).all()
    assert (np.abs(np.where(w > 1e-9, slope - least, 0)) < 1e-7).all()


def test_estimation_refuses():
    frame = drawn((0.5, 0.3, 0.2), 20)
    with pytest.raises(CxError, match="one column twice"):
        estimate_service_weights(frame, "S", "Q", "Q", "P")
    with pytest.raises(DataError, match=r"column 'P' \(personalisation\) is constant"):
        estimate_service_weights(frame.assign(P=1), "S", "Q", "I", "P")
    with pytest.raises(DataError, match="repeats the others"):
        estimate_service_weights(frame.assign(P=frame["Q"]), "S", "Q", "I", "P")
    with pytest.raises(DataError, match="3 respondents have all four answers"):
        estimate_service_weights(frame[:3], "S", "Q", "I", "P")
    found = estimate_service_weights(frame, "S", "Q", "I", "P", **FEW)
    with pytest.raises(CxError, match="method is 'ridge'"):
        found.of("ridge")
    frame.loc[0, "Q"] = np.nan
    found = estimate_service_weights(frame, "S", "Q", "I", "P", **FEW)
    assert (found.n, found.n_left_out) == (19, 1)
    assert any("1 of 20" in note.en for note in found.notes)


def test_a_constant_answer_is_named_with_its_role():
    with pytest.raises(DataError, match=r"column 'S' \(satisfaction\) is constant"):
        estimate_service_weights(drawn([0.5, 0.3, 0.2], 20).assign(S=1), "S", "Q", "I", "P")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_charts(lang):
    import matplotlib.pyplot as plt

    result = estimate_service_weights(drawn((0.5, 0.3, 0.2)), "S", "Q", "I", "P", **FEW)
    assert result.plot(lang=lang).get_figure().get_suptitle()
    assert "<pre>" in result._repr_html_()
    plt.close("all")


def test_a_resample_of_one_respondent_alone_is_left_out():
    """Of five respondents, a resample draws one five times now and then: it has no spread."""
    rng = np.random.default_rng(0)
    x = 70 + 8 * rng.normal(size=(5, 1)) + 8 * rng.normal(size=(5, 3))
    y = x @ (0.5, 0.3, 0.2) + 5 * rng.normal(size=5)
    frame = pd.DataFrame(np.column_stack([y, x]), columns=list("SQIP"))
    table = estimate_service_weights(frame, *"SQIP", n_resamples=5_000).table
    assert np.isfinite(table[["estimate", "ci_low", "ci_high"]]).all(axis=None)
