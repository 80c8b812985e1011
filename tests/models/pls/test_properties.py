"""What has to hold for any data, and populations whose parameters are known."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.moments import correlations
from cxstats.models.pls.algorithm import SCHEMES, find_weights
from cxstats.models.pls.design import read_design
from cxstats.models.pls.estimates import estimate, flattened
from tests.models.pls.models import CORP, EXTENDED, MOBI, SMALL, answers, corp, mobi

ROUNDING = 1e-10
CHAIN = """
    A =~ a1 + a2 + a3
    B =~ b1 + b2 + b3
    C =~ c1 + c2 + c3
    B ~ A
    C ~ A + B
"""


def everything(fit):
    return flattened(fit.estimates, fit.design)[0]


def common_factors():
    """Covariances of a common-factor model: loadings, paths and what they imply."""
    loadings = np.array([0.9, 0.8, 0.7, 0.6, 0.8, 0.7, 0.5, 0.9, 0.8])
    paths = {("B", "A"): 0.5, ("C", "A"): 0.3, ("C", "B"): 0.4}
    factors = np.array([[1, 0.5, 0.5], [0.5, 1, 0.55], [0.5, 0.55, 1]])
    member = np.kron(np.eye(3), np.ones((3, 1)))
    corr = (member * loadings[:, None]) @ factors @ (member * loadings[:, None]).T
    np.fill_diagonal(corr, 1)
    items = read_design(CHAIN).items
    return cx.Moments.from_correlation(items, corr, n=500), loadings, paths


@pytest.mark.parametrize("scheme", SCHEMES)
def test_consistent_pls_recovers_a_common_factor_model(scheme):
    population, loadings, paths = common_factors()
    fit = cx.pls(CHAIN, population, scheme=scheme, consistent=True)
    np.testing.assert_allclose(fit.loadings["loading"], loadings, atol=ROUNDING)
    found = fit.paths.set_index(["lhs", "rhs"])["estimate"]
    for pair, value in paths.items():
        assert found[pair] == pytest.approx(value, abs=ROUNDING)
    plain = cx.pls(CHAIN, population, scheme=scheme)
    assert plain.paths["estimate"][0] < 0.45  # error in the items weakens it


@pytest.mark.parametrize("scheme", SCHEMES)
def test_mode_b_recovers_composites(scheme):
    """Blocks that are related through one composite each, by weights that are known."""
    generator = np.random.default_rng(2)
    within = [correlations(_random_covariance(generator, k)) for k in (3, 4)]
    weights = [np.array([0.5, 0.4, 0.3]), np.array([0.6, 0.1, 0.3, 0.5])]
    weights = [w / np.sqrt(w @ r @ w) for w, r in zip(weights, within, strict=True)]
    across = 0.6 * np.outer(within[0] @ weights[0], within[1] @ weights[1])
    corr = np.block([[within[0], across], [across.T, within[1]]])
    model = "A <~ a1 + a2 + a3 ; B <~ b1 + b2 + b3 + b4 ; B ~ A"
    population = cx.Moments.from_correlation(read_design(model).items, corr, n=500)
    fit = cx.pls(model, population, scheme=scheme)
    np.testing.assert_allclose(fit.weights["weight"], np.concatenate(weights), atol=1e-9)
    assert fit.paths["estimate"][0] == pytest.approx(0.6, abs=1e-9)


def _random_covariance(generator, k):
    x = generator.normal(size=(20, k)) + generator.normal(size=(20, 1))
    return np.cov(x.T)


def test_one_predictor_of_single_items_is_a_correlation():
    frame = answers()
    fit = cx.pls("l1 ~ q1", frame)
    assert fit.paths["estimate"][0] == pytest.approx(frame.corr().loc["l1", "q1"], abs=ROUNDING)
    assert fit.design.modes == ("single", "single")


@pytest.mark.parametrize("model", [MOBI, MOBI.replace("Quality      =~", "Quality <~")])
def test_units_and_order_do_not_matter(model):
    frame = mobi()
    before = everything(cx.pls(model, frame))
    scaled = frame * np.arange(1, 25) + 100 * np.arange(24)
    np.testing.assert_allclose(everything(cx.pls(model, scaled)), before, atol=1e-9)
    shuffled = frame.sample(frac=1, random_state=1)
    np.testing.assert_allclose(everything(cx.pls(model, shuffled)), before, atol=1e-9)


def test_order_of_constructs_does_not_matter():
    lines = MOBI.strip().splitlines()
    turned = "\n".join([*lines[6::-1], *lines[:6:-1]])
    one, other = (cx.pls(model, mobi()).paths for model in (MOBI, turned))
    columns = ["estimate", "f_squared", "vif"]
    one, other = (table.set_index(["lhs", "rhs"])[columns] for table in (one, other))
    pd.testing.assert_frame_equal(one, other.loc[one.index], atol=1e-9, rtol=0)


def test_total_effects():
    fit = cx.pls(MOBI, mobi())
    paths = fit.estimates.paths[0]
    eye = np.eye(len(paths))
    expected = np.linalg.inv(eye - paths) - eye
    np.testing.assert_allclose(fit.estimates.total[0], expected, atol=ROUNDING)
    specific = fit.specific_effects.groupby(["lhs", "rhs"])["estimate"].sum()
    for row in fit.effects.itertuples():
        assert row.total == pytest.approx(row.direct + row.indirect, abs=ROUNDING)
        if (row.lhs, row.rhs) in specific:
            assert specific[row.lhs, row.rhs] == pytest.approx(row.indirect, abs=ROUNDING)
        else:
            assert row.indirect == pytest.approx(0, abs=ROUNDING)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("consistent", [False, True])
def test_a_batch_is_its_matrices_one_by_one(scheme, consistent):
    design = read_design(EXTENDED)
    rows = corp()[list(design.items)].dropna().to_numpy(float)
    cov = cx.bootstrap_moments(rows, 12, seed=4).cov
    together = flattened(estimate(cov, design, scheme, consistent), design)
    for b in range(12):
        alone = flattened(estimate(cov[[b]], design, scheme, consistent), design)[0]
        np.testing.assert_allclose(together[b], alone, atol=1e-9)


def test_the_weights_are_a_fixed_point():
    """One more round by the definitions, on rows, gives the same weights."""
    fit = cx.pls(EXTENDED, corp(), missing="mean")
    x = fit.sample.matrix
    x = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    scores, weights = fit.scores, fit.weights["weight"].to_numpy()
    np.testing.assert_allclose(scores.std(ddof=1), 1, atol=ROUNDING)
    for j, name in enumerate(fit.design.constructs):
        proxy = np.zeros(len(x))
        causes = [fit.design.constructs[k] for k in fit.design.causes.get(j, [])]
        if causes:
            own = scores[causes].to_numpy()
            proxy += own @ np.linalg.lstsq(own, scores[name].to_numpy(), rcond=None)[0]
        for path in fit.design.paths:
            if path.start == j:
                effect = scores[fit.design.constructs[path.end]]
                proxy += effect.to_numpy() * effect.corr(scores[name])
        block = x[:, fit.design.blocks[j]]
        if fit.design.modes[j] == "B":
            fresh = np.linalg.lstsq(block, proxy, rcond=None)[0]
        else:
            fresh = block.T @ proxy
        fresh /= (block @ fresh).std(ddof=1)
        np.testing.assert_allclose(weights[fit.design.blocks[j]], fresh, atol=1e-9)


def test_htmt_from_sums_of_blocks():
    design = read_design(MOBI)
    corr = correlations(cx.moments(mobi(), design.items).cov)
    size, sums = design.member.sum(axis=0), design.member.T @ np.abs(corr) @ design.member
    within = np.where(size > 1, (np.diagonal(sums) - size) / np.maximum(size * (size - 1), 1), 1)
    expected = sums / np.outer(size, size) / np.sqrt(np.outer(within, within))
    np.fill_diagonal(expected, np.nan)
    actual = cx.pls(MOBI, mobi()).estimates.htmt[0]
    np.testing.assert_allclose(actual, expected, atol=1e-12)


def test_signs_follow_the_sum_of_the_items():
    frame = mobi()
    turned = frame.assign(**{name: 11 - frame[name] for name in ("CUSA1", "CUSA2", "CUSA3")})
    one, other = cx.pls(MOBI, frame).paths, cx.pls(MOBI, turned).paths
    flips = (one["lhs"] == "Satisfaction") ^ (one["rhs"] == "Satisfaction")
    np.testing.assert_allclose(other["estimate"], one["estimate"] * np.where(flips, -1, 1))
    odd = frame.assign(CUSA1=11 - frame["CUSA1"])
    problems = {problem.kind: problem.names for problem in cx.pls(MOBI, odd).problems}
    assert problems["negative_loading"] == ("CUSA1",)


def test_missing_answers():
    frame = answers()
    frame.loc[[3, 7], "q1"] = np.nan
    left = cx.pls(SMALL, frame)
    assert (left.n, left.dropped, len(left.scores)) == (198, 2, 198)
    assert 3 not in left.scores.index
    np.testing.assert_allclose(everything(left), everything(cx.pls(SMALL, frame.dropna())))
    filled = cx.pls(SMALL, frame, missing="mean")
    assert (filled.n, filled.dropped, filled.sample.replaced) == (200, 0, 2)
    expected = everything(cx.pls(SMALL, frame.fillna(frame.mean())))
    np.testing.assert_allclose(everything(filled), expected, atol=ROUNDING)
    assert "2 missing answers" in filled.summary()


def test_any_table():
    import duckdb
    import polars as pl

    frame = answers()
    frame.loc[3, "q1"] = np.nan
    expected = cx.pls(SMALL, frame)
    table = pl.from_pandas(frame)
    for data in (table, table.lazy(), table.to_arrow(), duckdb.sql("select * from frame")):
        fit = cx.pls(SMALL, data)
        np.testing.assert_allclose(everything(fit), everything(expected), atol=ROUNDING)
        np.testing.assert_allclose(fit.scores, expected.scores, atol=ROUNDING)
    alone = cx.pls(SMALL, cx.moments(frame))
    np.testing.assert_allclose(everything(alone), everything(expected), atol=ROUNDING)
    assert alone.inference is None
    assert alone.table["se"].isna().all()
    assert "no intervals" in alone.summary()


def test_a_resample_without_solution_is_nan():
    design = read_design(SMALL)
    corr = correlations(answers().cov().to_numpy())
    broken = corr.copy()
    broken[0] = broken[:, 0] = np.nan
    found = find_weights(np.stack([corr, broken, corr]), design)
    assert found.converged.tolist() == [True, False, True]
    np.testing.assert_array_equal(found.weights[0], found.weights[2])
    assert np.isnan(found.weights[1]).all()


def test_defined_parameters():
    model = CORP.replace("CUSA ~ COMP + LIKE", "CUSA ~ COMP + a*LIKE").replace("+ CUSA", "+ b*CUSA")
    fit = cx.pls(model + "\nindirect := a*b\ntwice := 2*indirect", corp(), missing="mean")
    rows = fit.table.set_index("lhs").loc[["indirect", "twice"]]
    specific = fit.specific_effects.set_index("chain")["estimate"]["LIKE → CUSA → CUSL"]
    np.testing.assert_allclose(rows["estimate"], [specific, 2 * specific], atol=ROUNDING)
    assert (rows["ci_low"] < rows["estimate"]).all()
    np.testing.assert_allclose(rows["ci_low"]["twice"], 2 * rows["ci_low"]["indirect"])
