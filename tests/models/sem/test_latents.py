"""Correlations of latents and scores of respondents, against lavaan and simulations."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.models.sem.small_samples import fisher_limits
from tests.models.sem.models import HOLZINGER, PATHS, holzinger, quiet, truth, written
from tests.references import data, reference

EQUAL = ("loadings", "intercepts")
CASES = {
    "holzinger": ("holzinger", "holzinger", {}),
    "means": ("holzinger", "holzinger", {"means": True}),
    "groups": ("holzinger", "holzinger", {"group": "school", "equal": EQUAL}),
    "second_order": ("holzinger_second_order", "holzinger", {}),
    "politicaldemocracy": ("politicaldemocracy", "politicaldemocracy", {}),
    "mimic": ("mimic", "holzinger", {}),
    "mobi_five": ("mobi_five_plain", "mobi", {}),
    "fiml_mar": ("holzinger", "mar", {"missing": "fiml"}),
    "fiml_groups": ("holzinger", "mcar20", {"missing": "fiml", "group": "school"}),
}


def holed(mask):
    """Return Holzinger's answers with some deleted; see tests/reference/README.md."""
    frame = holzinger().copy()
    cells = reference("sem_missing_mar" if mask == "mar" else "sem_missing_mcar")
    cells = cells[cells["data"] == "holzinger"]
    for row, column in zip(cells["row"], cells["column"], strict=True):
        frame.loc[frame.index[int(row) - 1], column] = np.nan
    return frame


@cache
def fit(case):
    model, source, options = CASES[case]
    frame = holed(source) if source in ("mar", "mcar20") else data(source)[0]
    return cx.sem(written(model), frame, **options)


@pytest.mark.parametrize("case", CASES)
def test_correlations_are_those_of_lavaan(case):
    expected = reference("sem_latent_correlations")
    expected = expected[expected["case"] == case].reset_index(drop=True)
    found = fit(case).latent_correlations
    assert list(found["first"]) == list(expected["first"])
    assert list(found["second"]) == list(expected["second"])
    assert list(map(str, found["group"])) == list(map(str, expected["group"]))
    np.testing.assert_allclose(found["estimate"], expected["estimate"].astype(float), atol=1e-10)
    np.testing.assert_allclose(found["se"], expected["se"].astype(float), atol=1e-6)
    inside = found[["ci_low", "ci_high"]].to_numpy()
    assert (np.abs(inside) < 1).all()
    assert (found["ci_low"] < found["estimate"]).all()
    assert (found["estimate"] < found["ci_high"]).all()


def test_correlations_are_the_standardised_covariances_of_the_table():
    fitted = fit("holzinger")
    rows = fitted.table[(fitted.table["op"] == "~~") & (fitted.table["lhs"] != fitted.table["rhs"])]
    found = fitted.latent_correlations
    np.testing.assert_allclose(found["estimate"], rows["std"], rtol=1e-12)
    np.testing.assert_allclose(found["se"], rows["std_se"], rtol=1e-10)


@pytest.mark.parametrize("method", ["regression", "bartlett"])
@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_lavaan(case, method):
    expected = reference("sem_factor_scores")
    expected = expected[(expected["case"] == case) & (expected["method"] == method)]
    scores = fit(case).factor_scores(method)
    assert len(expected) > 20
    for latent, rows in expected.groupby("latent"):
        if method == "bartlett" and latent == "ability":  # lavaan gives zeros for it
            assert (pd.to_numeric(rows["score"]) == 0).all()
            continue
        found = scores[latent].to_numpy()[rows["row"].astype(int) - 1]
        # Without an answer to any item of it, a latent has no Bartlett score.
        np.testing.assert_allclose(found, pd.to_numeric(rows["score"]), atol=1e-8)


@pytest.mark.parametrize("case", ["holzinger", "groups", "mobi_five", "politicaldemocracy"])
@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_determinacy_from_the_matrices_of_lavaan(case, method):
    expected = reference("sem_determinacy")
    expected = expected[(expected["case"] == case) & (expected["method"] == method)]
    found = fit(case).score_determinacy(method)
    assert list(found["latent"]) == list(expected["latent"])
    np.testing.assert_allclose(
        found["determinacy"], expected["determinacy"].astype(float), atol=1e-9
    )
    np.testing.assert_allclose(found["reliability"], found["determinacy"] ** 2)


def population(n=40_000, seed=1):
    """Return answers to a model of paths, and the latents that made them."""
    model, x, _ = truth()
    value = dict(zip(map(str, model.parameters), x, strict=True))
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n) * np.sqrt(value["A ~~ A"])
    b = value["B ~ A"] * a + rng.normal(size=n) * np.sqrt(value["B ~~ B"])
    c = value["C ~ B"] * b + value["C ~ A"] * a + rng.normal(size=n) * np.sqrt(value["C ~~ C"])
    latents = {"A": a, "B": b, "C": c}
    items = {
        name: value[f"{name[0].upper()} =~ {name}"] * latents[name[0].upper()]
        + rng.normal(size=n) * np.sqrt(value[f"{name} ~~ {name}"])
        for name in model.observed
    }
    return pd.DataFrame(items), latents


def test_scores_go_with_the_latents_as_the_determinacy_says():
    frame, latents = population()
    fitted = cx.sem(PATHS, frame)
    for method in ("regression", "bartlett"):
        scores = fitted.factor_scores(method)
        table = fitted.score_determinacy(method).set_index("latent")["determinacy"]
        for name, values in latents.items():
            assert np.corrcoef(scores[name], values)[0, 1] == pytest.approx(table[name], abs=0.01)
            slope = np.polyfit(values, scores[name], 1)[0]
            if method == "bartlett":  # unbiased given the latent
                assert slope == pytest.approx(1, abs=0.02)
        if method == "regression":  # the expected latent, given the answers
            for name, values in latents.items():
                assert np.polyfit(scores[name], values, 1)[0] == pytest.approx(1, abs=0.02)


def test_bartlett_scores_of_a_second_order_latent_are_unbiased():
    rng = np.random.default_rng(3)
    n = 40_000
    g = rng.normal(size=n)
    items = {}
    for k, loading in enumerate((0.8, 0.6, 0.7)):
        first = loading * g + 0.6 * rng.normal(size=n)
        items |= {f"i{k}{j}": first + 0.7 * rng.normal(size=n) for j in range(3)}
    model = "\n".join(f"f{k} =~ i{k}0 + i{k}1 + i{k}2" for k in range(3))
    fitted = cx.sem(model + "\ng =~ NA*f0 + f1 + f2\ng ~~ 1*g", pd.DataFrame(items))
    scores = fitted.factor_scores("bartlett")["g"]
    assert abs(np.polyfit(g, scores, 1)[0]) == pytest.approx(1, abs=0.02)
    table = fitted.score_determinacy("bartlett").set_index("latent")["determinacy"]
    assert abs(np.corrcoef(g, scores)[0, 1]) == pytest.approx(table["g"], abs=0.01)


def test_respondents_keep_their_index_and_those_left_out_have_none():
    frame = holzinger().set_index(pd.Index([f"r{i}" for i in range(301)]))
    frame.loc["r5", "x1"] = np.nan
    scores = cx.sem(HOLZINGER, frame).factor_scores()
    assert list(scores.index) == list(frame.index)
    assert scores.loc["r5"].isna().all()
    assert scores.drop(index="r5").notna().all().all()
    frame.loc["r7", [f"x{i}" for i in range(1, 10)]] = np.nan
    kept = cx.sem(HOLZINGER, frame, missing="fiml").factor_scores()
    assert kept.loc["r5"].notna().all()
    assert kept.loc["r7"].isna().all()


@pytest.mark.parametrize("case", ["holzinger", "groups", "mimic"])
def test_standardised_scores_are_in_standard_deviations_of_the_latent(case):
    fitted = fit(case)
    scores, plain = fitted.factor_scores(standardised=True), fitted.factor_scores()
    reliability = fitted.score_determinacy().set_index(["group", "latent"])["reliability"]
    by = holzinger()["school"] if case == "groups" else pd.Series(1, index=scores.index)
    for group, rows in scores.groupby(by.to_numpy()):
        assert (rows.var(ddof=0) / reliability[group]).between(0.85, 1.15).all()
        ratio = plain.loc[rows.index].std() / rows.std()
        assert np.allclose(np.corrcoef(plain.loc[rows.index, "visual"], rows["visual"])[0, 1], 1)
        assert (ratio > 0).all()


def test_tables_of_other_kinds_have_scores_too():
    polars = pytest.importorskip("polars")
    expected = fit("holzinger").factor_scores()
    frame = holzinger()[[f"x{i}" for i in range(1, 10)]]
    for table in (polars.from_pandas(frame), frame.to_numpy()):
        found = cx.sem(HOLZINGER, table).factor_scores()
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_limits_of_correlations_near_one():
    """artanh r has no error there: plain limits, cut at 1, instead of everything there is."""
    low, high = fisher_limits(np.array([0.99, 0.5, 1.2]), np.array([0.05, 0.1, 0.1]), 1.96)
    np.testing.assert_allclose(low, [0.892, np.tanh(np.arctanh(0.5) - 0.196 / 0.75), np.nan])
    np.testing.assert_allclose(high, [1, np.tanh(np.arctanh(0.5) + 0.196 / 0.75), np.nan])


def test_what_has_no_scores_says_why():
    moments = cx.moments(holzinger(), [f"x{i}" for i in range(1, 10)])
    with pytest.raises(cx.CxError, match="moments alone"):
        cx.sem(HOLZINGER, moments).factor_scores()
    with pytest.raises(cx.CxError, match="allowed: regression, bartlett"):
        fit("holzinger").factor_scores("sum")
    with pytest.raises(cx.CxError, match="no latents"):
        cx.sem("x1 ~ x4", holzinger()).factor_scores()
    with pytest.raises(cx.CxError, match="not identified"):
        quiet("f =~ x1 + x2", holzinger()).factor_scores()
    assert cx.sem("x1 ~ x4", holzinger()).latent_correlations.empty
