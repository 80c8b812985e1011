"""Items that are centred but not standardised, against the algorithm of R's plspm."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.moments import resampling_counts
from cxstats.models.pls.estimates import flattened
from cxstats.models.pls.predict import cross_validated, targets
from tests.models.pls.models import MOBI, answers, mobi
from tests.models.pls.test_bootstrap import everything
from tests.models.pls.test_properties import CHAIN, common_factors
from tests.references import reference

MIXED = MOBI.replace("Quality      =~", "Quality <~").replace("Expectation  =~", "Expectation <~")
CASES = {
    "unscaled_path": (MOBI, {"scaled": False}),
    "unscaled_centroid": (MOBI, {"scaled": False, "scheme": "centroid"}),
    "unscaled_factorial": (MOBI, {"scaled": False, "scheme": "factorial"}),
    "unscaled_mixed": (MIXED, {"scaled": False}),
    "unscaled_consistent": (MOBI, {"scaled": False, "consistent": True}),
    "scaled_path": (MOBI, {}),
    "scaled_mixed": (MIXED, {}),
    "scaled_consistent": (MOBI, {"consistent": True}),
}


@pytest.mark.filterwarnings("ignore::cxstats.ModelWarning")  # MOBI, corrected, is improper
@pytest.mark.parametrize("case", CASES)
def test_the_algorithm_on_rows_in_r(case):
    model, options = CASES[case]
    fit = cx.pls(model, mobi(), n_resamples=0, **options)
    rows = reference("pls")
    rows = rows[rows["case"] == case]
    # R's plspm divides by n where this package divides by n - 1.
    scale = np.sqrt((fit.n - 1) / fit.n) if "scaled" in options else 1.0
    found = {
        "weight": fit.weights["weight"] / scale,
        "loading": fit.loadings["loading"],
        "r_squared": fit.r_squared["r_squared"],
        "rho_a": fit.quality["rho_a"].dropna(),
        "ave": fit.quality["ave"].dropna(),
        "fit": fit.fit_indices["estimate"],
    }
    for kind, values in found.items():
        expected = pd.to_numeric(rows.loc[rows["kind"] == kind, "value"])
        np.testing.assert_allclose(values, expected, atol=1e-10, err_msg=kind)
    paths = rows[rows["kind"] == "path"].set_index(["lhs", "rhs"])["value"].astype(float)
    own = fit.paths.set_index(["lhs", "rhs"])["estimate"]
    np.testing.assert_allclose(own, paths.loc[own.index], atol=1e-10)


def test_standardised_items_have_the_same_solution_either_way():
    frame = mobi()
    standardised = (frame - frame.mean()) / frame.std()
    one, other = cx.pls(MOBI, standardised, scaled=False), cx.pls(MOBI, frame)
    np.testing.assert_allclose(everything(one), everything(other), atol=1e-9)
    assert not np.allclose(everything(cx.pls(MOBI, frame, scaled=False)), everything(other))


def test_units_matter_within_a_block_only():
    """One unit for all items of a construct changes its weights, not its score."""
    frame = answers()
    model = "Quality =~ q1 + q2 + q3 ; Loyalty =~ l1 + l2 ; Loyalty ~ Quality"
    fits = [
        cx.pls(model, data, scaled=False)
        for data in (
            frame,
            frame.assign(**{item: 10 * frame[item] for item in ("q1", "q2", "q3")}),
            frame.assign(q1=10 * frame["q1"]),
        )
    ]
    scores = [fit.scores["Quality"] for fit in fits]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-9)
    np.testing.assert_allclose(
        fits[0].weights["weight"][:3], 10 * fits[1].weights["weight"][:3], atol=1e-9
    )
    assert scores[2].corr(frame["q1"]) > 0.99  # the item with the most variance takes all


def test_consistent_pls_recovers_unstandardised_factors():
    population, loadings, paths = common_factors()
    sd = np.array([1, 2, 0.5, 3, 1, 1, 0.7, 1.5, 2])
    scaled = cx.Moments.from_covariance(
        population.names, population.cov * np.outer(sd, sd), n=population.n
    )
    fit = cx.pls(CHAIN, scaled, scaled=False, consistent=True)
    np.testing.assert_allclose(fit.loadings["loading"], loadings, atol=1e-9)
    found = fit.paths.set_index(["lhs", "rhs"])["estimate"]
    for pair, value in paths.items():
        assert found[pair] == pytest.approx(value, abs=1e-9)


def test_scores_are_sums_of_centred_items():
    fit = cx.pls(MIXED, mobi(), scaled=False)
    centred = mobi()[list(fit.design.items)] - mobi()[list(fit.design.items)].mean()
    scores = centred.to_numpy() @ (fit.design.member * fit.weights["weight"].to_numpy()[:, None])
    np.testing.assert_allclose(fit.scores, scores, atol=1e-9)
    np.testing.assert_allclose(fit.scores.std(ddof=1), 1, atol=1e-9)
    assert "not divided by their standard deviations" in fit.summary()
    formative = fit.table[fit.table["op"] == "<~"].set_index("rhs")
    sd = mobi()[list(formative.index)].std()
    np.testing.assert_allclose(formative["std"], formative["estimate"] * sd)


def test_a_replicate_is_an_unscaled_fit_to_its_rows():
    frame = mobi()
    fit = cx.pls(MIXED, frame, scaled=False)
    boot = fit.bootstrap(4, seed=11)
    counts = np.concatenate([part for _, part in resampling_counts(fit.n, 4, 11)])
    for b in range(4):
        rows = frame.iloc[np.repeat(np.arange(fit.n), counts[b].astype(int))]
        own = cx.pls(MIXED, rows.reset_index(drop=True), scaled=False)
        np.testing.assert_allclose(boot.replicates[b], everything(own), atol=1e-8)


def test_influence_of_a_case_on_an_unscaled_fit():
    from cxstats.models.pls.bootstrap import influence

    fit = cx.pls(MIXED, mobi(), scaled=False)
    found, x, step = influence(fit), fit.sample.matrix, 1e-5
    for case in (0, 100):
        sides = []
        for sign in (1, -1):
            weight = np.full(fit.n, (1 - sign * step) / fit.n)
            weight[case] += sign * step
            centred = x - weight @ x
            # The divisor of weights' units is that of the sample.
            cov = (centred * weight[:, None]).T @ centred * (fit.n / (fit.n - 1))
            sides.append(flattened(fit.reestimate(cov[None], tolerance=1e-12), fit.design)[0])
        slope = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(found[case], slope, atol=1e-3, rtol=1e-3)


def test_an_unscaled_model_predicts_from_its_own_scores():
    """By hand, from the fit to the training respondents."""
    frame = mobi()
    model = "Image =~ IMAG1 + IMAG2 + IMAG3 ; Sat =~ CUSA1 + CUSA2 + CUSA3 ; Sat ~ Image"
    fit = cx.pls(model, frame, scaled=False)
    folds = (np.arange(fit.n) % 5)[None]
    errors = cross_validated(fit, folds)["pls"][0]
    training, held_out = frame[folds[0] != 2], frame[folds[0] == 2]
    own = cx.pls(model, training, scaled=False)
    weights = own.weights.set_index("item")["weight"]
    image = ["IMAG1", "IMAG2", "IMAG3"]
    score = (held_out[image] - training[image].mean()) @ weights[image] * own.paths["estimate"][0]
    items = [fit.design.items[i] for i in targets(fit.design)]
    loading = own.loadings.set_index("item")["loading"][items]
    sd, mean = training[items].std().to_numpy(), training[items].mean().to_numpy()
    predicted = mean + np.outer(score, loading.to_numpy() * sd)
    np.testing.assert_allclose(errors[folds[0] == 2], held_out[items] - predicted, atol=1e-8)


def test_groups_and_maps_of_an_unscaled_model():
    frame = mobi().assign(half=np.arange(250) % 2)
    fit = cx.pls(MOBI, frame, scaled=False)
    groups = fit.compare_groups("half", 50)
    own = [cx.pls(MOBI, frame[frame["half"] == h], scaled=False) for h in (0, 1)]
    np.testing.assert_allclose(groups.table["estimate_1"], own[0].paths["estimate"], atol=1e-8)
    composites = [
        frame[list(fit.design.items)].to_numpy()
        @ (fit.design.member * part.weights["weight"].to_numpy()[:, None])
        for part in own
    ]
    names = list(fit.design.constructs)
    for row in groups.invariance.itertuples():
        j = names.index(row.construct)
        expected = np.corrcoef(composites[0][:, j], composites[1][:, j])[0, 1]
        assert row.correlation == pytest.approx(expected, abs=1e-8)
    found = fit.ipma("Loyalty", (1, 10), n_resamples=50).table.set_index("construct")
    weights = fit.weights.set_index("item")["weight"][["IMAG1", "IMAG2", "IMAG3", "IMAG4", "IMAG5"]]
    image = (frame[weights.index] - 1) / 9 * 100
    assert found["performance"]["Image"] == pytest.approx(
        (image @ weights / weights.sum()).mean(), abs=1e-9
    )
