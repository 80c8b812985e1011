"""Tests and intervals in small samples: corrections against semTools, and what they do.

Simulated (2,000 normal samples of true factor models with 6, 9 and 15 items; share of tests that
reject at 5 %, of 95 % intervals that hold the truth; only proper solutions count):

======================  ======================  ======================  ======================
samples                 n = 50                  n = 100                 n = 200
======================  ======================  ======================  ======================
items                   6      9      15        6      9      15        6      9      15
chi-square              6.8    10.8   30.7      6.2    6.9    14.3      5.2    6.3    9.1
Swain                   5.3    6.3    7.8       5.5    4.6    6.6       4.8    5.4    6.2
Bartlett                4.8    4.4    4.4       5.2    3.8    5.0       4.5    4.9    5.3
loadings                95.9   95.7   93.7      95.0   94.7   94.6      95.1   94.4   94.6
covariances             92.0   91.0   92.0      92.6   92.6   93.7      93.7   94.2   94.0
latent variances        92.4   91.1   91.9      93.5   93.2   93.0      94.2   94.0   94.4
   logarithm            96.3   96.0   94.8      95.3   95.2   95.2      95.2   95.0   95.2
residual variances      92.9   92.4   89.7      93.8   93.8   92.4      94.5   94.3   93.9
   logarithm            95.9   95.4   94.3      95.5   95.5   94.8      95.8   95.5   94.8
correlations            88.8   89.5   91.6      93.4   92.8   93.4      94.4   93.4   93.5
   Fisher's z           94.8   93.2   93.8      95.1   94.0   94.5      94.5   93.9   94.2
standardised loadings   92.9   92.6   91.0      94.0   93.6   93.2      94.5   94.2   94.2
   Fisher's z           94.5   93.5   93.9      95.3   95.1   94.5      95.7   95.3   94.8
======================  ======================  ======================  ======================

So intervals hold within 93.5 to 96.5 %: of loadings from n = 50; of covariances, variances and
correlations from n = 200 (of correlations with 9 items at 93.4); by logarithm and Fisher's z from
n = 50 but for correlations with 9 items (93.2), then from 100.
"""

import numpy as np
import pytest

import cxstats as cx
from cxstats.models.sem.fit_indices import TOO_LARGE, bartlett_factor, cases_needed, swain_factor
from tests.models.sem.models import HOLZINGER, democracy, holzinger, quiet, written
from tests.models.sem.small_samples import SHAPES, simulated
from tests.references import data, reference

CASES = {
    "holzinger": ("holzinger", "holzinger"),
    "second_order": ("holzinger_second_order", "holzinger"),
    "politicaldemocracy": ("politicaldemocracy", "politicaldemocracy"),
    "mobi_five": ("mobi_five_plain", "mobi"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", ["swain", "bartlett"])
def test_corrections_are_those_of_semtools(case, method):
    rows = reference("sem_small_samples")
    row = rows[(rows["case"] == case) & (rows["method"] == method)].iloc[0]
    model, source = CASES[case]
    indices = cx.sem(written(model), data(source)[0]).fit_indices
    assert indices[f"chisq_{method}"] == pytest.approx(float(row["chisq"]), rel=1e-8)
    assert indices[f"p_{method}"] == pytest.approx(float(row["p"]), rel=1e-6)


def test_free_means_change_no_correction():
    """Free means are no parameters of the test; semTools counts them."""
    plain, means = (
        cx.sem(HOLZINGER, holzinger(), means=value).fit_indices for value in (False, True)
    )
    for name in ("chisq_swain", "chisq_bartlett"):
        assert plain[name] == pytest.approx(means[name], rel=1e-10)


def test_groups_of_one_size_are_corrected_one_by_one():
    frame = holzinger().groupby("school", as_index=False).head(145)
    both = cx.sem(HOLZINGER, frame, group="school").fit_indices
    alone = [cx.sem(HOLZINGER, part).fit_indices for _, part in frame.groupby("school")]
    for name in ("chisq_swain", "chisq_bartlett"):
        assert both[name] == pytest.approx(sum(one[name] for one in alone), rel=1e-8)


def test_what_there_is_nothing_to_correct_of():
    saturated = cx.sem("x1 ~ x2", holzinger()).fit_indices
    assert np.isnan(saturated["p_swain"])
    assert np.isnan(saturated["p_bartlett"])
    assert np.isnan(swain_factor(3, 0, 100))


# ---- notes


def test_small_samples_are_said_to_be_small():
    fit = cx.sem(written("politicaldemocracy"), democracy())
    text = fit.summary()
    assert "fewer than about 272 cases" in text
    assert "Bartlett's χ²(35) = 34.82, p = .477; Swain's χ² = 35.64, p = .438" in text
    assert ".transformed_intervals" in text
    assert "272" in fit.summary("zh")


def test_samples_that_are_large_enough_are_not():
    assert cx.sem(HOLZINGER, holzinger()).notes == ()
    assert cx.sem("f =~ x1 + x2 + x3", holzinger()).notes == ()
    assert any("400" in note.en for note in cx.sem(HOLZINGER, holzinger(), estimator="mlr").notes)


def test_ordered_answers_too():
    items = data("mobi")[0][["PERQ1", "PERQ3", "PERQ4", "PERQ7"]]
    frame = np.ceil(items / 2).clip(lower=2)
    fit = quiet("f =~ PERQ1 + PERQ3 + PERQ4 + PERQ7", frame, ordered=True)
    assert any("fewer than 500 cases" in note.en for note in fit.notes)


# ---- other intervals


def test_transformed_intervals_are_symmetric_on_their_scale():
    fit = cx.sem(HOLZINGER, holzinger())
    table, other = fit.table, fit.transformed_intervals
    variance = (table["op"] == "~~") & (table["lhs"] == table["rhs"])
    rows = other[variance]
    middle = np.sqrt(rows["ci_low"] * rows["ci_high"])
    np.testing.assert_allclose(middle, rows["estimate"], rtol=1e-12)
    np.testing.assert_allclose(
        other.loc[~variance, "ci_low"].dropna(), table.loc[~variance, "ci_low"].dropna()
    )
    loadings = other[other["op"] == "=~"]
    middle = (np.arctanh(loadings["std_ci_low"]) + np.arctanh(loadings["std_ci_high"])) / 2
    np.testing.assert_allclose(np.tanh(middle), loadings["std"], rtol=1e-10)
    assert (loadings["std_ci_high"] < 1).all()
    # In large samples they are those of the table.
    gap = (loadings["std_ci_high"] - loadings["std_ci_low"]) / (2 * 1.959964 * table["std_se"])
    assert gap.dropna().between(0.9, 1.05).all()


# ---- simulations


@pytest.mark.slow
@pytest.mark.parametrize("items", SHAPES)
@pytest.mark.parametrize("n", [50, 100, 200])
def test_the_corrected_tests_keep_their_level(items, n):
    """Limits are those of the table with three Monte-Carlo errors (0.5 of a point each)."""
    shares = simulated(items, n)
    assert shares["test"] > shares["swain"] > shares["bartlett"]
    assert 3.0 < shares["bartlett"] < 6.5
    assert 3.5 < shares["swain"] < (9.5 if items == 15 else 7.8)


@pytest.mark.slow
@pytest.mark.parametrize("items", SHAPES)
@pytest.mark.parametrize("n", [50, 100, 200, 400])
def test_the_note_comes_where_the_test_rejects_too_often(items, n):
    factors, each = SHAPES[items]
    free = 2 * items + factors * (factors - 1) // 2
    df = items * (items + 1) // 2 - free
    excess = (1 - bartlett_factor(items, factors, n)) * np.sqrt(df / 2)
    share = simulated(items, n)["test"]
    if excess > TOO_LARGE:
        assert share > 5.5  # 6.5 less two errors
    else:
        assert share < 7.5
    model = "\n".join(
        f"f{f} =~ " + " + ".join(f"f{f}i{j}" for j in range(each)) for f in range(factors)
    )
    names = [f"f{f}i{j}" for f in range(factors) for j in range(each)]
    r = np.full((items, items), 0.4) + 0.6 * np.eye(items)
    fit = quiet(model, cx.Moments.from_covariance(names, 2 * r, n=n))
    assert (n < cases_needed(fit, df)) == (excess > TOO_LARGE)


@pytest.mark.slow
@pytest.mark.parametrize("items", SHAPES)
@pytest.mark.parametrize("n", [50, 100, 200])
def test_intervals_hold_where_they_are_said_to(items, n):
    shares = simulated(items, n)
    assert 93.0 < shares["loading"] < 96.8
    for name in ("variance, log", "residual, log", "standardised loading, Fisher"):
        assert 93.3 < shares[name] < 97.0, name
    assert 92.3 < shares["correlation, Fisher"] < 96.5
    for name in ("correlation", "standardised loading"):
        assert abs(shares[f"{name}, Fisher"] - 95) < abs(shares[name] - 95) + 0.3
    if n == 200:
        for name in ("covariance", "variance", "residual", "correlation"):
            assert shares[name] > 92.6, name
    if n == 50:
        for name in ("covariance", "variance", "residual", "correlation"):
            assert shares[name] < 93.5, name
