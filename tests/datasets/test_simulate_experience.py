"""The simulated experience survey: its population is exact, its answers come from it."""

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxstats as cx
from cxstats.core.paths import data_folder
from cxstats.datasets import EXPERIENCE_MODEL, experience_truth
from cxstats.datasets.simulate_experience import CORRELATIONS, ITEMS, PATHS, THRESHOLDS

CLOSED = 1e-12
# Iterations stop at a relative step of about 1e-10.
FITTED = 1e-8
# By chance, a sound simulator fails a test about once in a thousand seeds; the seed is fixed.
RARE = 0.001
FREE = "\n".join(
    line for line in EXPERIENCE_MODEL.splitlines() if not line.startswith("Emotion ~ ")
)
# By hand from the paths: sums over the ways that lead from one to the other, of products.
BY_HAND = {
    "Emotion ~ Touchpoint": 0.35,
    "Satisfaction ~ Service": 0.30 + 0.30 * 0.20,
    "Satisfaction ~ Touchpoint": 0.10 + 0.35 * 0.20,
    "Satisfaction ~ Brand": 0.0,
    "Loyalty ~ Product": 0.25 * 0.55,
    "Loyalty ~ Service": 0.30 * 0.55 + 0.30 * 0.20 * 0.55 + 0.30 * 0.20,
    "Loyalty ~ Brand": 0.0,
    "Loyalty ~ Touchpoint": 0.10 * 0.55 + 0.35 * 0.20 * 0.55 + 0.35 * 0.20,
    "Loyalty ~ Emotion": 0.20 + 0.20 * 0.55,
    "Loyalty ~ Value": 0.15 * 0.55,
}
ROWS = ["lhs", "op", "rhs"]


def population(**options):
    return cx.simulate_experience(5, **options)[0].attrs["population"]


def matrix(name, **options):
    return pd.DataFrame(population(**options)[name])


def exact_moments(n=1_000):
    """Return moments whose covariances with divisor n, which are fitted, are the implied ones."""
    cov = matrix("covariance")
    return cx.Moments.from_covariance(list(cov), cov.to_numpy() * n / (n - 1), n)


def compared(fit):
    table = fit.table.merge(experience_truth(), on=ROWS, how="left", validate="one_to_one")
    assert len(table) == len(fit.table)
    return table


def test_covariance_is_that_of_the_structural_equations():
    """L (I - B)^-1 Psi (I - B)^-T L' + Theta from the raw parameters gives the implied matrix."""
    truth = experience_truth().set_index(ROWS)["true"]
    names, items = list(ITEMS), [item for one in ITEMS.values() for item in one]
    loading = pd.DataFrame(0.0, items, names)
    paths, psi, theta = (pd.DataFrame(0.0, n, n) for n in (names, names, items))
    for (lhs, op, rhs), value in truth.items():
        if op == "=~":
            loading.loc[rhs, lhs] = value
        elif op == "~":
            paths.loc[lhs, rhs] = value
        else:
            into = theta if lhs in items else psi
            into.loc[lhs, rhs] = into.loc[rhs, lhs] = value
    spread = np.linalg.inv(np.eye(8) - paths)
    latent = spread @ psi.to_numpy() @ spread.T
    implied = loading.to_numpy() @ latent @ loading.to_numpy().T + theta.to_numpy()
    np.testing.assert_allclose(latent, matrix("latent_covariance"), atol=CLOSED)
    np.testing.assert_allclose(implied, matrix("covariance"), atol=CLOSED)


def test_latents_have_the_correlations_and_paths_of_the_tables():
    corr = matrix("latent_correlation")
    np.testing.assert_allclose(np.diag(corr), 1, atol=CLOSED)
    np.testing.assert_allclose(corr, corr.T, atol=CLOSED)
    assert np.linalg.eigvalsh(corr)[0] > 0.1
    for (one, other), r in CORRELATIONS.items():
        assert corr.loc[one, other] == r
    squared = population()["r_squared"]
    for outcome, paths in PATHS.items():  # the normal equations give the paths back
        by = list(paths)
        slopes = np.linalg.solve(corr.loc[by, by], corr.loc[by, outcome])
        np.testing.assert_allclose(slopes, list(paths.values()), atol=CLOSED)
        assert squared[outcome] == pytest.approx(slopes @ corr.loc[by, outcome], abs=CLOSED)
    assert squared["Emotion"] == pytest.approx(0.35**2 + 0.30**2 + 2 * 0.35 * 0.30 * 0.55)


def test_raw_and_standardised_values_agree():
    found = population()
    spread = np.sqrt(pd.Series(np.diag(matrix("latent_covariance")), list(ITEMS)))
    sd = np.sqrt(pd.Series(np.diag(matrix("covariance")), list(found["mean"])))
    for kind in ("paths", "total_effects", "indirect_effects"):
        assert found[kind].keys() == found[f"{kind}_std"].keys()
        for key, value in found[kind].items():
            outcome, predictor = key.split(" ~ ")
            std = value * spread[predictor] / spread[outcome]
            assert found[f"{kind}_std"][key] == pytest.approx(std, abs=CLOSED)
    for construct, items in ITEMS.items():
        assert found["loadings"][next(iter(items))] == 1
        for item, (std, mean, deviation) in items.items():
            assert sd[item] == pytest.approx(deviation, abs=CLOSED)
            assert found["mean"][item] == mean
            raw = found["loadings"][item]
            assert raw * spread[construct] / sd[item] == pytest.approx(std, abs=CLOSED)
            left = sd[item] ** 2 * (1 - found["r_squared"][item])
            assert found["residual_variance"][item] == pytest.approx(left, abs=CLOSED)
    for outcome, left in found["disturbance"].items():
        share = 1 - found["r_squared"][outcome]
        assert left == pytest.approx(share * spread[outcome] ** 2, abs=CLOSED)


def test_effects_are_sums_over_the_ways_between_two():
    found = population()
    for key, value in BY_HAND.items():
        assert found["total_effects_std"][key] == pytest.approx(value, abs=CLOSED)
        direct = found["paths_std"].get(key, 0.0)
        assert found["indirect_effects_std"][key] == pytest.approx(value - direct, abs=CLOSED)
    assert len(found["total_effects"]) == 2 + 6 + 7
    sizes = {abs(path) for path in PATHS["Satisfaction"].values()}
    assert 0.0 in sizes
    assert len(sizes) == 6


@pytest.mark.parametrize("model", [EXPERIENCE_MODEL, FREE])
def test_exact_covariances_give_the_truth_back(model):
    fit = cx.sem(model, exact_moments())
    assert fit.problems == ()
    assert fit.fit_indices["chisq"] == pytest.approx(0, abs=FITTED)
    assert fit.fit_indices["df"] == (232 if model is EXPERIENCE_MODEL else 229)
    table = compared(fit)
    known = table.dropna(subset="true")
    if model is EXPERIENCE_MODEL:
        assert len(known) == len(table) == 76 == len(experience_truth())
    else:  # where Emotion is no outcome, its moments are the implied ones
        latent = matrix("latent_covariance")
        known = known[(known["lhs"] != "Emotion") | (known["op"] != "~~")]
        free = table[(table["op"] == "~~") & (table[["lhs", "rhs"]] == "Emotion").any(axis=1)]
        assert len(free) == 6
        for row in free.itertuples():
            assert row.estimate == pytest.approx(latent.loc[row.lhs, row.rhs], abs=FITTED)
    np.testing.assert_allclose(known["estimate"], known["true"], atol=FITTED)
    np.testing.assert_allclose(known["std"], known["true_std"], atol=FITTED)
    squared = fit.r_squared.set_index("variable")["r_squared"]
    found = population()["r_squared"]
    outcomes = [name for name in squared.index if name in found]
    assert len(outcomes) == len(squared)
    np.testing.assert_allclose(squared, [found[name] for name in outcomes], atol=FITTED)


def test_defined_effects_of_a_fit_are_those_of_the_population():
    model = EXPERIENCE_MODEL.replace("Touchpoint + Service", "a*Touchpoint + Service")
    model = model.replace("Touchpoint + Emotion + Value", "b*Touchpoint + c*Emotion + Value")
    model = model.replace("Satisfaction + Emotion", "d*Satisfaction + e*Emotion")
    model += "\ntotal := b*d + a*c*d + a*e"
    table = cx.sem(model, exact_moments()).table.set_index("lhs")
    found = population()
    for column, kind in (("estimate", "total_effects"), ("std", "total_effects_std")):
        value = table.loc["total", column]
        assert value == pytest.approx(found[kind]["Loyalty ~ Touchpoint"], abs=FITTED)


def test_a_large_sample_has_the_means_and_covariances_of_the_population():
    """Under normality Cov(s_ij, s_kl) = (S_ik S_jl + S_il S_jk) / (n - 1), jointly chi-square."""
    n = 200_000
    data = cx.simulate_experience(n, seed=1)[0].drop(columns="respondent")
    sigma, mean = matrix("covariance").loc[list(data), list(data)].to_numpy(), population()["mean"]
    cov = data.cov().to_numpy()
    variance = (np.outer(np.diag(sigma), np.diag(sigma)) + sigma**2) / (n - 1)
    assert np.abs((cov - sigma) / np.sqrt(variance)).max() < stats.norm.isf(RARE / 2 / 300)
    off = np.linalg.solve(sigma, cov - sigma)
    assert RARE < stats.chi2.sf((n - 1) / 2 * np.trace(off @ off), 300) < 1 - RARE
    away = data.mean().to_numpy() - [mean[item] for item in data]
    distance = n * away @ np.linalg.solve(sigma, away)
    assert RARE < stats.chi2.sf(distance, 24) < 1 - RARE


def test_answers_are_normal_and_not_rounded():
    data = cx.simulate_experience(200_000, seed=3)[0].drop(columns="respondent")
    n = len(data)
    assert (data.nunique() == n).all()
    largest = stats.norm.isf(RARE / 2 / 24)
    assert np.abs(stats.skew(data)).max() < largest * np.sqrt(6 / n)
    assert np.abs(stats.kurtosis(data)).max() < largest * np.sqrt(24 / n)


def test_a_fit_recovers_the_truth():
    fit = cx.sem(EXPERIENCE_MODEL, cx.simulate_experience(20_000, seed=1)[0])
    assert fit.problems == ()
    assert fit.fit_indices["p_value"] > RARE
    table = compared(fit)
    free = table[table["se"].notna()]
    assert len(free) == 68
    assert (np.abs(free["estimate"] - free["true"]) < 4 * free["se"]).all()
    std = table[table["std_se"].notna()]
    assert (np.abs(std["std"] - std["true_std"]) < 4 * std["std_se"]).all()


def test_marks_and_codebook():
    data, book = cx.simulate_experience()
    assert data.shape == (500, 25)
    assert data["respondent"].tolist() == list(range(1, 501))
    marks = {key: value for key, value in data.attrs.items() if key != "population"}
    assert marks == {
        "synthetic": True, "seed": 1, "answers": "continuous", "skew": 0.0, "missing": 0.0,
    }  # fmt: skip
    assert data.attrs["population"]["describes"] == "the answers"
    assert {name: list(items) for name, items in book.constructs.items()} == {
        name: list(items) for name, items in ITEMS.items()
    }
    assert list(data) == list(book.all_columns)
    assert book.bounds("p1") == (1.0, 10.0)
    assert cx.check(data, book).problems == ()
    assert cx.reliability(data, book).synthetic


def test_every_item_and_construct_has_words_in_both_languages():
    book = cx.Codebook.read(data_folder() / "codebooks" / "experience.yml")
    assert book.scale == (1, 5)
    for lang in ("en", "zh"):
        words = [book.label(name, lang) for name in (*book.constructs, *book.items)]
        assert len(set(words)) == 32
        assert not set(words) & set(book.items)
    elements = cx.load_tables()["experience_elements"]
    shown = dict(zip(elements["element_en"].str.title(), elements["element_zh"], strict=True))
    assert list(shown) == list(book.constructs)[:6]
    assert {name: book.label(name, "zh") for name in shown} == shown


def test_population_survives_json_copies_and_concatenation():
    data, _ = cx.simulate_experience(10, answers="five_point")
    assert json.loads(json.dumps(data.attrs)) == data.attrs
    assert pd.concat([data.head(5), data.tail(5)]).attrs == data.attrs
    data.attrs["population"]["mean"]["p1"] = 0.0
    assert population()["mean"]["p1"] == 5.8


def test_no_mean_is_near_an_end_of_the_scale():
    for items in ITEMS.values():
        for _, mean, sd in items.values():
            assert min(mean - 1, 10 - mean) >= 6 * sd


def test_same_seed_same_responses():
    first, again = (cx.simulate_experience(50, seed=4)[0] for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = cx.simulate_experience(50, seed=5)[0]
    assert not np.isclose(first.iloc[:, 1:], other.iloc[:, 1:]).any()


@pytest.mark.parametrize("skew", [0.0, 0.75, -0.5])
def test_five_points_are_the_same_responses_cut(skew):
    data = cx.simulate_experience(400, seed=6)[0].iloc[:, 1:]
    five, book = cx.simulate_experience(400, seed=6, answers="five_point", skew=skew)
    cuts = [cut - skew * 0.6 for cut in THRESHOLDS]
    passed = sum((data > cut).astype(float) for cut in cuts)
    np.testing.assert_array_equal(five.iloc[:, 1:], 1 + passed)
    found = five.attrs["population"]
    np.testing.assert_allclose(found["thresholds"], cuts, atol=CLOSED)
    assert found["describes"].startswith("the continuous responses behind the answers")
    assert found["covariance"] == population()["covariance"]
    assert book.bounds("p1") == (1, 5)
    assert cx.check(five, book).problems == ()


def test_shares_of_five_points_are_exact_and_skew_moves_them_up():
    n = 200_000
    data, _ = cx.simulate_experience(n, seed=7, answers="five_point", skew=1.0)
    for item, shares in data.attrs["population"]["shares"].items():
        counted = data[item].value_counts().reindex([1.0, 2.0, 3.0, 4.0, 5.0], fill_value=0)
        assert sum(shares) == pytest.approx(1, abs=CLOSED)
        assert stats.chisquare(counted, n * np.array(shares)).pvalue > RARE / 24
    assert (stats.skew(data.drop(columns="respondent")) < 0).all()
    tops = [
        population(answers="five_point", skew=skew)["shares"]["c1"][-1]
        for skew in (-2, -1, 0, 1, 2)
    ]
    assert all(low < high for low, high in pairwise(tops))


@pytest.mark.parametrize("answers", ["continuous", "five_point"])
def test_missing_answers_are_missing_at_random(answers):
    whole = cx.simulate_experience(2_000, seed=8, answers=answers)[0].iloc[:, 1:]
    holed = cx.simulate_experience(2_000, seed=8, answers=answers, missing=0.1)[0].iloc[:, 1:]
    gone = holed.isna().to_numpy()
    np.testing.assert_array_equal(holed.to_numpy()[~gone], whole.to_numpy()[~gone])
    assert stats.binomtest(int(gone.sum()), gone.size, 0.1).pvalue > RARE
    r = np.corrcoef(gone.ravel(), whole.to_numpy().ravel())[0, 1]
    assert abs(r) < stats.norm.isf(RARE / 2) / np.sqrt(gone.size)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, r"n is 0; allowed: whole numbers from 1 upwards"),
        ({"n": 2.5}, r"n is 2\.5; allowed: whole numbers from 1"),
        ({"n": True}, r"n is True; allowed: whole numbers from 1"),
        ({"seed": -1}, r"seed is -1; allowed: whole numbers from 0 upwards"),
        ({"seed": "1"}, r"seed is '1'; allowed: whole numbers from 0"),
        ({"answers": "likert"}, r"answers is 'likert'; allowed: continuous, five_point"),
        ({"answers": ["x"]}, r"answers is \['x'\]; allowed: continuous, five_point"),
        ({"skew": 2.5, "answers": "five_point"}, r"skew is 2\.5; allowed: from -2 to 2"),
        ({"skew": float("nan"), "answers": "five_point"}, r"skew is nan; allowed: from -2 to 2"),
        ({"skew": "much"}, r"skew is 'much'; allowed: a number"),
        ({"skew": 0.5}, r"skew is 0\.5; allowed with answers='continuous': 0"),
        ({"missing": 1}, r"missing is 1; allowed: a share from 0 to below 1"),
        ({"missing": -0.1}, r"missing is -0\.1; allowed: a share from 0 to below 1"),
        ({"missing": None}, r"missing is None; allowed: a number"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(cx.CxError, match=message):
        cx.simulate_experience(**options)
