"""What a fit has to be, whatever the data: invariances, constraints, honesty."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import cxstats as cx
from cxstats.core.moments import resampling_counts
from cxstats.models.sem.model import build
from cxstats.models.sem.standardised_solution import all_quantities
from cxstats.models.sem.syntax import parse
from tests.models.sem.models import (
    HOLZINGER,
    ITEMS,
    PATHS,
    TRUTH,
    democracy,
    holzinger,
    quiet,
    ram,
    truth,
    written,
)
from tests.references import data

# Two searches that both stop where a step would lower F by less than 1e-22 of itself.
SAME = 1e-7


def chisq(fit):
    return fit.fit_indices["chisq"]


def by_name(fit, column):
    """Return a column of the table by parameter, whatever the order of writing."""
    rows = fit.table
    names = zip(rows["lhs"], rows["op"], rows["rhs"], rows["group"], strict=True)
    keys = [(min(a, b), op, max(a, b), g) if op == "~~" else (a, op, b, g) for a, op, b, g in names]
    return pd.Series(rows[column].to_numpy(), pd.MultiIndex.from_tuples(keys)).sort_index()


@pytest.mark.parametrize("text", [HOLZINGER, HOLZINGER + "\nspeed ~ visual + textual"])
def test_marker_or_variance(text):
    marker, unit = cx.sem(text, holzinger()), cx.sem(text, holzinger(), std_lv=True)
    assert chisq(marker) == pytest.approx(chisq(unit), rel=1e-10)
    np.testing.assert_allclose(marker.table["std"], unit.table["std"], rtol=0, atol=SAME)
    np.testing.assert_allclose(marker.table["std_se"], unit.table["std_se"], rtol=SAME, atol=1e-8)
    assert marker.fit_indices["df"] == unit.fit_indices["df"]


@pytest.mark.parametrize("factor", [-1.0, 3.0, 1e-3, 1e4])
def test_scale_of_an_item(factor):
    frame = holzinger()
    plain, scaled = (cx.sem(HOLZINGER, f) for f in (frame, frame.assign(x2=factor * frame["x2"])))
    assert chisq(scaled) == pytest.approx(chisq(plain), rel=1e-9)
    power = pd.Series(0, plain.table.index)
    power[plain.table["rhs"] == "x2"] = np.where(plain.table["op"] == "~~", 2, 1)[
        plain.table["rhs"] == "x2"
    ]
    expected = plain.table["estimate"] * factor**power
    np.testing.assert_allclose(scaled.table["estimate"], expected, rtol=SAME, atol=0)
    expected = plain.table["se"] * np.abs(factor) ** power
    np.testing.assert_allclose(scaled.table["se"], expected, rtol=SAME, atol=0)


def test_small_units_keep_their_errors_and_their_diagnosis():
    frame = holzinger()
    small = frame.assign(**{name: 1e-5 * frame[name] for name in ITEMS})
    one, other = cx.sem(HOLZINGER, frame), cx.sem(HOLZINGER, small)
    np.testing.assert_allclose(other.table["z"], one.table["z"], rtol=1e-6)
    corr = [[1], [0.9, 1], [0.9, 0.7, 1], [0.5, 0.4, 0.4, 1]]
    for sd in (1, 1e-5):
        data = cx.Moments.from_correlation(list("abcd"), corr, 100, sd=[sd] * 4)
        with pytest.warns(cx.ModelWarning, match=r"negative variance .*a ~~ a"):
            cx.sem("f =~ a + b + c + d", data)


@pytest.mark.parametrize("options", [{}, {"std_lv": True}, {"means": True}])
def test_scales_that_are_worlds_apart(options):
    frame, units = holzinger(), [1e-6, 1e6, 1, 1e6, 1e-6, 1, 1e3, 1e-6, 1e6]
    scaled = frame.assign(**{n: frame[n] * u for n, u in zip(ITEMS, units, strict=True)})
    one, other = cx.sem(HOLZINGER, frame, **options), cx.sem(HOLZINGER, scaled, **options)
    assert other.sound
    assert chisq(other) == pytest.approx(chisq(one), rel=1e-8)
    np.testing.assert_allclose(other.table["z"], one.table["z"], rtol=1e-6)


def test_order_of_rows_and_of_items():
    frame = holzinger()
    plain = cx.sem(HOLZINGER, frame)
    shuffled = cx.sem(HOLZINGER, frame.sample(frac=1, random_state=1))
    np.testing.assert_allclose(shuffled.table["estimate"], plain.table["estimate"], atol=SAME)
    text = "speed =~ x9 + x7 + x8\nvisual =~ x3 + x1 + x2\ntextual =~ x6 + x5 + x4"
    turned = cx.sem(text, frame)
    assert chisq(turned) == pytest.approx(chisq(plain), rel=1e-10)
    found, expected = by_name(turned, "std"), by_name(plain, "std")
    pd.testing.assert_series_equal(found, expected, rtol=0, atol=SAME, check_names=False)


@pytest.mark.parametrize("shift", [-50.0, 1e4])
def test_means_do_not_matter_until_they_are_modelled(shift):
    frame = holzinger()
    moved = frame.assign(**{name: frame[name] + shift for name in ITEMS})
    for options in ({}, {"means": True}):
        one, other = cx.sem(HOLZINGER, frame, **options), cx.sem(HOLZINGER, moved, **options)
        assert chisq(other) == pytest.approx(chisq(one), rel=1e-8)
        step = np.where((one.table["op"] == "~1") & one.table["lhs"].isin(ITEMS), shift, 0)
        expected = one.table["estimate"] + step
        np.testing.assert_allclose(other.table["estimate"], expected, rtol=1e-7, atol=1e-7)


def test_large_means_are_not_constant():
    frame = holzinger()
    moved = frame.assign(**{name: frame[name] + 1e7 for name in ITEMS})
    assert chisq(cx.sem(HOLZINGER, moved)) == pytest.approx(chisq(cx.sem(HOLZINGER, frame)), 1e-6)


def test_doubled_sample():
    frame = holzinger()
    one, two = cx.sem(HOLZINGER, frame), cx.sem(HOLZINGER, pd.concat([frame, frame]))
    assert chisq(two) == pytest.approx(2 * chisq(one), rel=1e-10)
    np.testing.assert_allclose(two.table["estimate"], one.table["estimate"], rtol=0, atol=SAME)
    np.testing.assert_allclose(two.table["se"], one.table["se"] / np.sqrt(2), rtol=SAME)
    assert two.fit_indices["loglik"] == pytest.approx(2 * one.fit_indices["loglik"], rel=1e-10)


@pytest.mark.parametrize("options", [{}, {"information": "observed"}])
def test_a_true_covariance_matrix_gives_back_its_parameters(options):
    model, x, sigma = truth()
    fit = cx.sem(PATHS, cx.Moments.from_covariance(model.observed, sigma, 500), **options)
    assert chisq(fit) < 1e-9
    # Moments are unbiased: with the divisor n the estimates of covariances are (n - 1)/n of them.
    shrunk = np.where([p.op == "~~" for p in model.parameters], 499 / 500, 1) * x
    np.testing.assert_allclose(fit.table["estimate"][: len(x)], shrunk, rtol=0, atol=1e-8)
    assert fit.fit_indices["cfi"] == 1
    assert fit.fit_indices["rmsea"] == 0
    assert fit.fit_indices["p_value"] == pytest.approx(1)
    assert fit.residuals["raw"].abs().max() < 1e-9


def test_true_moments_of_groups_and_means():
    model, x, sigma = truth()
    means = {"north": np.zeros(9), "south": np.arange(9.0)}
    moments = {
        key: cx.Moments.from_covariance(model.observed, sigma * 500 / 499, 500, mean)
        for key, mean in means.items()
    }
    fit = cx.sem(PATHS.replace("p*A", "c(p, p2)*A"), moments)
    assert (chisq(fit), fit.fit_indices["df"]) == (pytest.approx(0, abs=1e-9), 50)
    rows = fit.table[fit.table["op"] == "~1"].set_index(["lhs", "group"])["estimate"]
    assert rows["c3", "south"] == pytest.approx(8)
    for group in means:
        own = fit.table[(fit.table["group"] == group) & (fit.table["op"] != "~1")]
        np.testing.assert_allclose(own["estimate"], x, rtol=0, atol=1e-8)


# Resamples of a nearly singular model, on which Newton steps from one start led nowhere.
# Chi-square by lavaan 0.6-14, good to 1e-3.
@pytest.mark.parametrize(
    ("which", "value"),
    [
        (31, 733.057), (258, 1017.811), (43, 916.399), (145, 903.505), (153, 894.841),
        (218, 779.387),
    ],
)  # fmt: skip
def test_search_arrives_where_others_do(which, value):
    frame = data("mobi")[0]
    counts = next(counts for _, counts in resampling_counts(250, 300, 2))[which]
    rows = frame.iloc[np.repeat(np.arange(250), counts.astype(int))]
    fit = quiet(written("mobi_ecsir"), rows)
    assert fit.converged
    assert 250 * (fit.optimum.value - fit.likelihood.saturated()) <= value + 2e-3


def test_a_worse_optimum_is_not_passed_off_as_sound():
    """On this resample lavaan finds 795.374; the search ends at another, singular, maximum."""
    counts = next(counts for _, counts in resampling_counts(250, 300, 2))[111]
    frame = data("mobi")[0].iloc[np.repeat(np.arange(250), counts.astype(int))]
    fit = quiet(written("mobi_ecsir"), frame)
    value = 250 * (fit.optimum.value - fit.likelihood.saturated())
    assert value <= 795.376 or not fit.sound


# ---- doors


def test_moments_alone_and_any_table():
    import polars as pl

    frame = holzinger()
    plain = cx.sem(HOLZINGER, frame)
    others = (
        cx.moments(frame, ITEMS),
        cx.moments(frame, ["x9", *ITEMS[:8], "ageyr"]),
        pl.from_pandas(frame),
        pl.from_pandas(frame).lazy(),
        frame[list(ITEMS)].to_numpy(),
    )
    for other in others:
        fit = cx.sem(HOLZINGER, other)
        pd.testing.assert_frame_equal(fit.table, plain.table, rtol=0, atol=1e-9)
        assert fit.fit_indices == pytest.approx(plain.fit_indices, rel=1e-9)
    groups = cx.sem(HOLZINGER, cx.moments(frame, ITEMS, by="school"))
    whole = cx.sem(HOLZINGER, frame, group="school")
    assert chisq(groups) == pytest.approx(chisq(whole), rel=1e-10)


def test_missing_answers_are_left_out_and_counted():
    frame = holzinger()
    frame = frame.assign(
        x1=frame["x1"].where(frame.index > 9), x5=frame["x5"].where(frame.index % 50 > 0)
    )
    fit = cx.sem(HOLZINGER, frame)
    complete = frame.dropna(subset=list(ITEMS))
    assert (fit.n, fit.sample.dropped) == (len(complete), len(frame) - len(complete))
    assert chisq(fit) == pytest.approx(chisq(cx.sem(HOLZINGER, complete)), rel=1e-12)
    assert "286 complete cases (15 left out)" in fit.summary()


def test_cases_without_a_group_are_counted_once():
    frame = holzinger().assign(wave=["a"] * 101 + ["b"] * 100 + [None] * 100)
    fit = quiet(HOLZINGER, frame, group="wave")
    assert (fit.n, fit.sample.dropped) == (201, 100)


def test_whole_numbers_and_booleans_are_numbers():
    frame = holzinger()
    frame = frame.assign(
        x1=frame["x1"] > 5,
        x2=frame["x2"].round().astype("int8"),
        x3=frame["x3"].round().astype("Int64"),
    )
    plain = frame.assign(**{name: frame[name].astype(float) for name in ITEMS})
    assert chisq(cx.sem(HOLZINGER, frame)) == pytest.approx(chisq(cx.sem(HOLZINGER, plain)))


# ---- groups, labels, constraints


def test_groups_without_constraint_are_separate_fits():
    frame = holzinger()
    fit = cx.sem(HOLZINGER, frame, group="school")
    parts = {key: cx.sem(HOLZINGER, part, means=True) for key, part in frame.groupby("school")}
    assert fit.sample.groups == ("Pasteur", "Grant-White")
    for key, part in parts.items():
        own = fit.table[fit.table["group"] == key]
        for column in ("estimate", "se", "std", "std_se"):
            np.testing.assert_allclose(own[column], part.table[column], rtol=1e-6, atol=1e-7)
    for index in ("chisq", "df", "baseline_chisq", "loglik", "n_parameters"):
        total = sum(part.fit_indices[index] for part in parts.values())
        assert fit.fit_indices[index] == pytest.approx(total, rel=1e-9), index


def test_a_label_across_groups_makes_equal():
    frame = holzinger()
    free = cx.sem(HOLZINGER, frame, group="school")
    text = HOLZINGER.replace("x2", "c(v, v)*x2")
    fit = cx.sem(text, frame, group="school")
    values = fit.table.loc[fit.table["label"] == "v", ["estimate", "se"]]
    assert len(values) == 2
    assert np.ptp(values["estimate"]) == 0
    assert np.ptp(values["se"]) < 1e-12
    assert fit.fit_indices["df"] == free.fit_indices["df"] + 1
    assert fit.compare(free).df == 1


def test_one_group_is_no_group():
    frame = holzinger().assign(wave="only")
    one, plain = cx.sem(HOLZINGER, frame, group="wave"), cx.sem(HOLZINGER, frame)
    pd.testing.assert_frame_equal(one.table, plain.table)


def labelled(extra):
    text = HOLZINGER.replace("x2", "a*x2").replace("x3", "b*x3").replace("x5", "d*x5")
    return text + "\n" + extra


def test_linear_equation_is_a_label():
    frame = holzinger()
    by_label = cx.sem(HOLZINGER.replace("x2", "a*x2").replace("x3", "a*x3"), frame)
    for extra in ("a == b", "b - a == 0", "2*a == b + a", "s := a + b\ns == 2*a"):
        fit = cx.sem(labelled(extra), frame)
        assert fit.fit_indices["df"] == 25
        assert chisq(fit) == pytest.approx(chisq(by_label), rel=1e-10)
        found = fit.table[fit.table["op"] != ":="]
        for column in ("estimate", "se", "std_se"):
            np.testing.assert_allclose(found[column], by_label.table[column], rtol=1e-6, atol=1e-8)


def test_an_equation_fixes():
    fixed = cx.sem(HOLZINGER.replace("x2", "0.6*x2"), holzinger())
    fit = cx.sem(labelled("a == 0.6"), holzinger())
    assert fit.fit_indices["df"] == 25
    np.testing.assert_allclose(fit.table["estimate"], fixed.table["estimate"], atol=SAME)
    np.testing.assert_allclose(fit.table["se"], fixed.table["se"], rtol=SAME, atol=1e-8)


def test_a_bound_that_does_not_bind_changes_nothing():
    free = cx.sem(HOLZINGER, holzinger())
    for extra in ("a > 0", "a < 5", "a > 0; a < 1; a*b > 0.1"):
        fit = cx.sem(labelled(extra), holzinger())
        assert fit.fit_indices["df"] == 24
        for column in ("estimate", "se"):
            np.testing.assert_allclose(fit.table[column], free.table[column], rtol=SAME, atol=1e-8)


def test_a_bound_that_binds_is_an_equation():
    equal, fit = (cx.sem(labelled(f"a {op} 0.3"), holzinger()) for op in ("==", "<"))
    assert fit.table["estimate"][1] <= 0.3 + 1e-9
    np.testing.assert_allclose(fit.table["estimate"], equal.table["estimate"], atol=SAME)
    assert chisq(fit) == pytest.approx(chisq(equal), rel=1e-9)
    two = cx.sem(labelled("a < 0.5; b < 0.6; a + b < 1.05"), holzinger())
    a, b = two.table["estimate"][1:3]
    assert (a, b) <= (0.5 + 1e-9, 0.6 + 1e-9)
    assert a + b == pytest.approx(1.05, abs=1e-9)


@pytest.mark.parametrize(
    ("equation", "gap"),
    [
        ("a*b == 0.5", lambda a, b: a * b - 0.5),
        ("a^2 + b^2 == 1.2", lambda a, b: a**2 + b**2 - 1.2),
        ("log(a) == -b", lambda a, b: np.log(a) + b),
        ("p := a*b; p == exp(-a)", lambda a, b: a * b - np.exp(-a)),
    ],
)
def test_an_equation_that_is_curved_holds(equation, gap):
    free, fit = cx.sem(labelled(""), holzinger()), cx.sem(labelled(equation), holzinger())
    assert abs(gap(*fit.table["estimate"][1:3])) < 1e-8
    assert fit.fit_indices["df"] == 25
    assert 0 < chisq(fit) - chisq(free) < 60
    # No feasible point nearby is better: slide along the equation by every other parameter.
    assert fit.compare(free).df == 1


def test_an_absolute_value_is_not_linear():
    frame = holzinger()
    frame = frame.assign(x2=-frame["x2"])
    square, fit = (cx.sem(labelled(e), frame) for e in ("a^2 == 0.36", "abs(a) == 0.6"))
    assert square.table["estimate"][1] == pytest.approx(-0.6)
    assert fit.table["estimate"][1] == pytest.approx(-0.6)


@pytest.mark.parametrize("information", ["expected", "observed"])
def test_errors_of_defined_and_standardised_parameters(information):
    text = PATHS + "odd := exp(p) / (1 + q^2) - sqrt(r)"
    _, _, sigma = truth()
    answers = np.random.default_rng(3).multivariate_normal(np.zeros(9), sigma, 400)
    model = truth()[0]
    frame = pd.DataFrame(answers, columns=list(model.observed))
    fit = cx.sem(text, frame, information=information)
    phi, k = fit.optimum.phi, len(fit.table)

    def central(i):
        step = np.eye(len(phi))[i] * 1e-5
        up, down = (all_quantities(fit.likelihood, phi + s) for s in (step, -step))
        return (up - down) / 2e-5

    slopes = np.stack([central(i) for i in range(len(phi))])
    se = np.sqrt(np.einsum("qk,qr,rk->k", slopes, fit.covariance, slopes))
    np.testing.assert_allclose(fit.table["se"].fillna(0), se[:k], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(fit.table["std_se"].fillna(0), se[k:], rtol=1e-6, atol=1e-8)
    p, q, r = (fit.table.set_index("label")["estimate"][name] for name in "pqr")
    odd = fit.table.set_index("lhs")["estimate"]["odd"]
    assert odd == pytest.approx(np.exp(p) / (1 + q**2) - np.sqrt(r), rel=1e-12)


def test_predictors_given_or_not():
    text = "visual =~ x1 + x2 + x3\nvisual ~ x4 + x7\nx9 ~ visual + x7"
    given, free = (cx.sem(text, holzinger(), fixed_x=x) for x in (True, False))
    assert chisq(given) == pytest.approx(chisq(free), rel=1e-9)
    assert given.fit_indices["df"] == free.fit_indices["df"]
    assert free.fit_indices["n_parameters"] == given.fit_indices["n_parameters"] + 3
    both = [by_name(fit, "estimate") for fit in (given, free)]
    np.testing.assert_allclose(*both, rtol=0, atol=SAME)
    errors = [by_name(fit, "se") for fit in (given, free)]
    known = errors[0].notna()
    np.testing.assert_allclose(errors[0][known], errors[1][known], rtol=SAME)
    assert (~known).sum() == 4  # the marker and three moments of the predictors


def test_observed_and_expected_information_meet():
    model, _, sigma = truth()
    moments = cx.Moments.from_covariance(model.observed, sigma, 500)
    one, other = (cx.sem(PATHS, moments, information=i).table for i in ("expected", "observed"))
    np.testing.assert_allclose(one["se"], other["se"], rtol=1e-7)
    # In a sample of n they differ by a share of about 1/sqrt(n), .4 % here.
    answers = np.random.default_rng(1).multivariate_normal(np.zeros(9), sigma, 60_000)
    moments = cx.moments(pd.DataFrame(answers, columns=list(model.observed)))
    one, other = (cx.sem(PATHS, moments, information=i).table for i in ("expected", "observed"))
    ratio = (one["se"] / other["se"]).dropna()
    assert 0 < (ratio - 1).abs().max() < 0.015


# ---- what a fit says


def test_regression_is_least_squares():
    frame = holzinger()
    fit = cx.sem("x9 ~ x1 + x4 + x7", frame, means=True)
    x = np.column_stack([frame[["x1", "x4", "x7"]], np.ones(len(frame))])
    beta, rest, *_ = np.linalg.lstsq(x, frame["x9"], rcond=None)
    own = fit.table.iloc[[0, 1, 2]]
    intercept = fit.table[(fit.table["op"] == "~1") & (fit.table["lhs"] == "x9")]
    np.testing.assert_allclose(own["estimate"], beta[:3], rtol=1e-9)
    assert intercept["estimate"].item() == pytest.approx(beta[3])
    errors = np.sqrt(rest / len(frame) * np.diag(np.linalg.inv(x.T @ x)))
    np.testing.assert_allclose(own["se"], errors[:3], rtol=1e-9)
    total = ((frame["x9"] - frame["x9"].mean()) ** 2).sum()
    assert fit.r_squared["r_squared"].item() == pytest.approx(1 - rest.item() / total)
    assert fit.r_squared["variable"].item() == "x9"


def test_indices_of_a_saturated_model():
    fit = cx.sem("f =~ x1 + x2 + x3", holzinger())
    found = fit.fit_indices
    assert (found["df"], found["n_parameters"]) == (0, 6)
    assert np.isnan([found["p_value"], found["rmsea_p"]]).all()
    expected = {"chisq": 0, "cfi": 1, "tli": 1, "rmsea": 0, "srmr": 0, "gfi": 1}
    assert {key: found[key] for key in expected} == pytest.approx(expected, abs=1e-9)
    assert (found["rmsea_ci_low"], found["rmsea_ci_high"]) == (0, 0)
    assert found["loglik"] == pytest.approx(found["saturated_loglik"])
    assert "cannot be tested" in fit.summary()
    assert "自由度为零" in fit.summary("zh")
    # The residuals are nothing, and nothing has no error.
    assert fit.residuals["raw"].abs().max() < 1e-9
    assert fit.residuals["z"].isna().all()


def test_log_likelihood_is_that_of_the_density():
    from scipy.stats import multivariate_normal

    frame = holzinger()
    for options in ({"means": True}, {}):
        fit = cx.sem(HOLZINGER, frame, **options)
        sigma = fit.likelihood.implied(fit.optimum.phi).sigma[0]
        density = multivariate_normal(frame[list(ITEMS)].mean(), sigma)
        expected = density.logpdf(frame[list(ITEMS)]).sum()
        assert fit.fit_indices["loglik"] == pytest.approx(expected, rel=1e-10)


def test_one_item_is_its_variance():
    fit = cx.sem("x1 ~~ x1", holzinger())
    assert fit.table["estimate"].item() == pytest.approx(holzinger()["x1"].var(ddof=0))
    assert fit.table["se"].item() == pytest.approx(holzinger()["x1"].var(ddof=0) * np.sqrt(2 / 301))


def test_comparison_is_symmetrical():
    frame = holzinger()
    free, strict = (cx.sem(HOLZINGER, frame, orthogonal=o) for o in (False, True))
    one, other = free.compare(strict), strict.compare(free)
    assert (one.chisq, one.df, one.p_value) == (other.chisq, other.df, other.p_value)
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.df == 3
    assert one.chisq == pytest.approx(chisq(strict) - chisq(free))
    assert "Δχ²(3) = 68.2" in one.summary()
    assert "似然比检验" in one.summary("zh")


def test_comparison_refuses():
    frame = holzinger()
    fit = cx.sem(HOLZINGER, frame)
    refused = {
        r"other variables \(x9\)": quiet(HOLZINGER.replace(" + x9", ""), frame),
        r"30\d cases against 30\d": cx.sem(HOLZINGER + "\nx1 ~~ x2", frame[:300]),
        "means=True": cx.sem(HOLZINGER, frame, means=True, orthogonal=True),
        "as many degrees": cx.sem(HOLZINGER, frame, std_lv=True),
    }
    for message, other in refused.items():
        for one, two in ((fit, other), (other, fit)):
            with pytest.raises(cx.CxError, match=message):
                one.compare(two)
    worse = quiet("g =~ " + " + ".join(ITEMS) + "\nx1 ~~ x2 + x3\nx7 ~~ x8", frame)
    with pytest.raises(cx.CxError, match=r"fits better .* not nested"):
        cx.sem(HOLZINGER.replace("x2", "1*x2"), frame).compare(worse)
    with pytest.raises(cx.CxError, match="no comparison: not identified"):
        fit.compare(quiet("f =~ x1 + x2", frame))


def test_comparison_refuses_other_data():
    frame = holzinger()
    one = cx.sem(HOLZINGER, frame)
    other = quiet(HOLZINGER + "\nx1 ~~ x2", frame.sample(len(frame), replace=True, random_state=1))
    with pytest.raises(cx.CxError, match="other data"):
        one.compare(other)


def test_modification_index_is_the_fall_of_chi_square():
    """Near the truth: one residual covariance of .03 left out, of which no sample error hides."""
    model, _, _ = truth(PATHS + "a1 ~~ b1", TRUTH | {"a1 ~~ b1": 0.03})
    sigma = truth(PATHS + "a1 ~~ b1", TRUTH | {"a1 ~~ b1": 0.03})[2]
    moments = cx.Moments.from_covariance(model.observed, sigma, 2_000)
    fit, freed = (cx.sem(text, moments) for text in (PATHS, PATHS + "a1 ~~ b1"))
    top = fit.modification_indices().iloc[0]
    assert (top["lhs"], top["op"], top["rhs"]) == ("a1", "~~", "b1")
    assert top["mi"] == pytest.approx(chisq(fit) - chisq(freed), rel=0.03)
    assert top["epc"] == pytest.approx(0.03, rel=0.03)


def test_expected_changes_have_the_sign_of_the_freed_parameter():
    frame = holzinger()
    fit = cx.sem(HOLZINGER, frame)
    table = fit.modification_indices(minimum=3.84)
    assert (table["mi"] >= 3.84).all()
    assert table["mi"].is_monotonic_decreasing
    assert len(table) >= 8
    for row in table.itertuples():
        freed = quiet(f"{HOLZINGER}\n{row.lhs} {row.op} {row.rhs}", frame)
        own = freed.table[(freed.table["lhs"] == row.lhs) & (freed.table["rhs"] == row.rhs)]
        assert np.sign(own["estimate"].item()) == np.sign(row.epc), row
        assert chisq(fit) - chisq(freed) == pytest.approx(row.mi, rel=0.35), row
        std = own["std"].item()
        assert np.sign(std) == np.sign(row.std_epc)


def test_residuals_are_those_of_the_written_formula():
    fit = cx.sem(written("politicaldemocracy"), democracy())
    sigma = ram(fit.model, fit.likelihood.reduction.all(fit.optimum.phi))[0]
    cov = democracy()[list(fit.model.observed)].cov().to_numpy() * 74 / 75
    at = {name: i for i, name in enumerate(fit.model.observed)}
    for row in fit.residuals.itertuples():
        i, j = at[row.row], at[row.column]
        assert row.raw == pytest.approx(cov[i, j] - sigma[i, j], abs=1e-10)
    assert len(fit.residuals) == 11 * 12 / 2


def test_explained_shares_of_latents():
    fit = cx.sem(PATHS, cx.Moments.from_covariance(truth()[0].observed, truth()[2], 500))
    model, x, _ = truth()
    total = ram(model, x)[2]
    names = (*model.observed, *model.latents)
    own = {p.lhs: x[i] for i, p in enumerate(model.parameters) if p.op == "~~" and p.lhs == p.rhs}
    for row in fit.r_squared.itertuples():
        i = names.index(row.variable)
        assert row.r_squared == pytest.approx(1 - own[row.variable] / total[i, i], abs=1e-8)
    assert set(fit.r_squared["variable"]) == {*model.observed, "B", "C"}


def test_level():
    wide, narrow = (cx.sem(HOLZINGER, holzinger(), level=v).table for v in (0.99, 0.9))
    for table, quantile in ((wide, 2.5758293035489), (narrow, 1.6448536269515)):
        np.testing.assert_allclose(
            table["ci_high"] - table["estimate"], quantile * table["se"], rtol=1e-9
        )


def test_summary_in_both_languages():
    text = written("politicaldemocracy").replace("ind60", "ind60")
    fit = cx.sem(text, democracy())
    english, chinese = fit.summary(), fit.summary("zh")
    assert "75 complete cases (0 left out), 31 free parameters" in english
    assert "χ²(35) = 38.1" in english
    assert "dem65 ~ dem60: 0.837" in english
    assert "75 个完整样本" in chinese
    assert "dem65 ~ dem60: 0.837" in chinese
    assert repr(fit) == english
    with pytest.raises(cx.CxError, match="de"):
        fit.summary("de")


def test_html_escapes_names():
    bad = "<script>alert(1)</script>"
    frame = holzinger().assign(wave=np.where(np.arange(301) % 2, bad, "b & c"))
    fit = cx.sem(HOLZINGER + "\nspeed ~ visual", frame, group="wave")
    html = fit._repr_html_()
    assert bad in repr(fit)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "b &amp; c" in html


def test_plot_of_what_is_sound_and_what_is_not():
    assert isinstance(cx.sem(HOLZINGER, holzinger()).plot(), Axes)
    unsound = quiet("f =~ x1 + x2", holzinger())
    axes = unsound.plot(lang="zh")
    assert isinstance(axes, Axes)
    texts = [text.get_text() for text in axes.figure.findobj() if hasattr(text, "get_text")]
    assert any("无可用解" in text for text in texts)


def test_mobi_full_ecsi_is_diagnosed_not_reported():
    """Ill-conditioned as CB-SEM: lavaan does not converge, semopy says success."""
    measurement = written("mobi_ecsir").split("Expectation ~")[0]
    text = (
        measurement
        + """Complaints =~ CUSCO
    Expectation ~ Image
    Quality ~ Expectation
    Value ~ Expectation + Quality
    Satisfaction ~ Image + Expectation + Quality + Value
    Complaints ~ Satisfaction
    Loyalty ~ Image + Satisfaction + Complaints"""
    )
    with pytest.warns(cx.ModelWarning) as caught:
        fit = cx.sem(text, data("mobi")[0])
    said = [str(warning.message) for warning in caught]
    assert any("near-singular" in message for message in said)
    assert any("collinear predictors Expectation, Quality" in message for message in said)
    assert not fit.sound
    numbers = fit.table.drop(columns=["lhs", "op", "rhs", "label", "group"])
    assert numbers.isna().all(axis=None)
    assert fit.unsound_table["estimate"].notna().all()
    assert fit.fit_indices["df"] == 241  # chi-square is given, marked: see test_unsound.py
    assert "No estimates are given" in fit.summary()
    assert "故不给出估计值" in fit.summary("zh")
    for action in (
        fit.bootstrap,
        fit.modification_indices,
        lambda: fit.residuals,
        lambda: fit.latent_correlations,
        fit.factor_scores,
    ):
        with pytest.raises(cx.CxError, match="near-singular"):
            action()
    assert isinstance(fit.plot(), Axes)


@pytest.mark.parametrize(
    ("equal", "expected", "df"),
    [
        (["loadings"], 124.044, 54),  # lavaan 0.6-14, std.lv = TRUE
        (["loadings", "intercepts"], 164.103, 60),
        (["loadings", "intercepts", "residuals"], 181.511, 69),
        (["intercepts"], 155.846, 54),
        (["residuals"], 132.685, 57),
    ],
)
def test_latent_variances_are_free_where_loadings_carry_their_unit(equal, expected, df):
    options = {"group": "school", "equal": equal}
    unit = cx.sem(HOLZINGER, holzinger(), std_lv=True, **options)
    assert chisq(unit) == pytest.approx(expected, abs=5e-4)
    assert unit.fit_indices["df"] == df
    assert chisq(unit) == pytest.approx(chisq(cx.sem(HOLZINGER, holzinger(), **options)), rel=1e-9)


@pytest.mark.parametrize(
    ("text", "free"),
    [
        (HOLZINGER + "\ng =~ visual + textual + speed", {"visual", "textual", "speed", "g"}),
        # Loadings that differ, or are nothing, carry no unit; a variance that is written stays.
        ("f =~ c(a, b)*x1 + c(d, e)*x2 + c(h, i)*x3 + 0*x4", set()),
        ("f =~ c(a, b)*x1 + c(d, e)*x2 + x3 + x4", {"f"}),
        ("f =~ x1 + x2 + x3 + x4\nf ~~ 1*f", set()),
    ],
)
def test_which_latent_variances_equal_loadings_free(text, free):
    model = build(parse(text), n_groups=2, std_lv=True, equal=["loadings"])
    variances = [p for p in model.parameters if p.lhs == p.rhs and p.lhs in model.latents]
    assert {p.lhs for p in variances if p.fixed is None} == free
    assert all(p.group == 1 for p in variances if p.fixed is None)


@pytest.mark.parametrize("turned", [False, True])
def test_latents_of_the_third_order_in_any_order(turned):
    rng = np.random.default_rng(1)
    n, top = 800, rng.normal(size=800)
    lines, items = ["top =~ s0 + s1 + s2"], {}
    for k in range(3):
        second = 0.8 * top + 0.6 * rng.normal(size=n)
        lines.append(f"s{k} =~ f{k}0 + f{k}1 + f{k}2")
        for j in range(3):
            first = 0.8 * second + 0.6 * rng.normal(size=n)
            lines.append(f"f{k}{j} =~ " + " + ".join(f"i{k}{j}{i}" for i in range(3)))
            items |= {f"i{k}{j}{i}": first + 0.7 * rng.normal(size=n) for i in range(3)}
    lines = lines[::-1] if turned else lines
    fit = quiet("\n".join(lines), pd.DataFrame(items))
    assert fit.sound
    assert fit.fit_indices["p_bartlett"] > 0.001
