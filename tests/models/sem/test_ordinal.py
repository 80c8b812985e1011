"""Ordered answers: polychoric correlations, WLSMV and reliability, against lavaan and by law."""

import itertools
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxstats as cx
from cxstats.models.sem.ordinal.bivariate_normal import normal_cdf2, normal_pdf2, normal_pdf2_slope
from cxstats.models.sem.ordinal.reliability import ordinal_alpha, ordinal_omega
from tests.models.sem.models import quiet, truth, written
from tests.references import close, data, reference

# The references are polished to 1e-11 (sem_extensions.R); thresholds and correlations to 1e-13.
MOMENT, GAMMA, ESTIMATE, ERROR, INDEX = 1e-10, 1e-9, 1e-9, 1e-9, 1e-9
CASES = {
    "holzinger": ("holzinger", "holzinger"),
    "holzinger_orthogonal": ("holzinger_orthogonal", "holzinger"),
    "holzinger_binary": ("holzinger", "holzinger_binary"),
    "mobi_five": ("mobi_five", "mobi"),
    "mobi_five_fixed": ("mobi_five_fixed", "mobi"),
}
INDICES = {
    "npar": "n_parameters", "chisq": "chisq", "df": "df", "chisq.scaled": "chisq_scaled",
    "chisq.scaling.factor": "scaling", "shift.parameter": "shift",
    "pvalue.scaled": "p_value_scaled", "baseline.chisq": "baseline_chisq",
    "baseline.df": "baseline_df", "baseline.chisq.scaled": "baseline_chisq_scaled",
    "baseline.chisq.scaling.factor": "baseline_scaling", "cfi": "cfi", "tli": "tli",
    "cfi.scaled": "cfi_scaled", "tli.scaled": "tli_scaled", "rmsea": "rmsea",
    "rmsea.ci.lower": "rmsea_ci_low", "rmsea.ci.upper": "rmsea_ci_high",
    "rmsea.scaled": "rmsea_scaled", "rmsea.ci.lower.scaled": "rmsea_scaled_ci_low",
    "rmsea.ci.upper.scaled": "rmsea_scaled_ci_high", "rmsea.pvalue.scaled": "rmsea_scaled_p",
    "srmr": "srmr",
}  # fmt: skip
ONE = "f =~ a + b + c + d"
TWO = "f =~ a + b + c\ng =~ d + e + h\ng ~ p*f\ntwice := 2*p"


@cache
def answers(name):
    if name == "mobi":
        return np.ceil(data("mobi")[0] / 2)
    cuts = reference("sem_ordinal_cuts").set_index("variable").astype(float)
    frame = data("holzinger")[0]
    cut = {
        item: 1 + np.searchsorted(row.to_numpy(), frame[item].to_numpy())
        for item, row in cuts.iterrows()
    }
    items = pd.DataFrame(cut)
    return items if name == "holzinger" else 1 + (items > 2).astype(int)


@cache
def fitted(case):
    model, name = CASES[case]
    return quiet(written(model), answers(name), ordered=True)


def made(n=400, seed=1, cuts=(-1.0, 0.0, 1.0), names="abcd", share=0.5):
    """Return answers to items that one factor explains by `share`."""
    generator = np.random.default_rng(seed)
    factor, own = generator.normal(size=(n, 1)), generator.normal(size=(n, len(names)))
    hidden = np.sqrt(share) * factor + np.sqrt(1 - share) * own
    return pd.DataFrame(
        1 + np.searchsorted(cuts, hidden.ravel()).reshape(hidden.shape), columns=list(names)
    )


def table_of(counts):
    """Return the cases of a two-way table."""
    counts = np.array(counts)
    a, b = np.indices(counts.shape)
    return pd.DataFrame({"a": np.repeat(a, counts.ravel()), "b": np.repeat(b, counts.ravel())})


def rho_of(counts):
    return float(cx.polychoric(table_of(counts)).corr.loc["a", "b"])


def number(column):
    return pd.to_numeric(column, errors="coerce").to_numpy(float)


# ------------------------------------------------------------------------ bivariate normal


@pytest.mark.parametrize("rho", [-0.999, -0.6, 0.0, 0.3, 0.95])
def test_bivariate_normal_against_quadrature(rho):
    points = np.array([-3.0, -0.7, 0.0, 0.4, 2.5])
    h, k = map(np.ravel, np.meshgrid(points, points))
    s = np.sqrt(1 - rho**2)
    node, weight = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(-9, h, 401)  # 400 panels for each point, narrower than s
    half = np.diff(edges, axis=0)[..., None] / 2
    x = edges[:-1, :, None] + half * (1 + node)
    inner = stats.norm.pdf(x) * stats.norm.cdf((k[:, None] - rho * x) / s)
    expected = (inner * weight * half).sum(axis=(0, 2))
    np.testing.assert_allclose(normal_cdf2(h, k, np.array(rho)), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.5])
def test_bivariate_normal_is_symmetric_and_sums_up(rho):
    h, k = np.random.default_rng(0).normal(size=(2, 50))
    r, opposite = np.array(rho), np.array(-rho)
    np.testing.assert_allclose(normal_cdf2(h, k, r), normal_cdf2(k, h, r), atol=1e-15)
    whole = normal_cdf2(h, k, r) + normal_cdf2(h, -k, opposite)
    np.testing.assert_allclose(whole, stats.norm.cdf(h), atol=1e-15)
    assert normal_cdf2(np.array(-0.0), np.array(0.0), r) == pytest.approx(
        0.25 + np.arcsin(rho) / (2 * np.pi), abs=1e-16
    )


def test_densities_are_derivatives():
    h, k = np.random.default_rng(1).normal(size=(2, 30))
    rho, step = np.array(0.4), 1e-6
    rise = (normal_cdf2(h, k, rho + step) - normal_cdf2(h, k, rho - step)) / (2 * step)
    np.testing.assert_allclose(normal_pdf2(h, k, rho), rise, atol=1e-9)
    logs = [np.log(normal_pdf2(h, k, rho + d)) for d in (step, -step)]
    slope = (logs[0] - logs[1]) / (2 * step)
    np.testing.assert_allclose(normal_pdf2_slope(h, k, rho), slope, rtol=1e-7, atol=1e-8)
    exact = stats.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]]).pdf(np.stack([h, k], axis=1))
    np.testing.assert_allclose(normal_pdf2(h, k, rho), exact, rtol=1e-13)


# ------------------------------------------------------------------------ against lavaan


@pytest.mark.parametrize("name", ["holzinger", "holzinger_binary", "mobi"])
def test_thresholds_correlations_and_gamma(name):
    table = reference("sem_ordinal_moments")
    table = table[table["data"] == name]
    found = cx.polychoric(answers(name), list(dict.fromkeys(table["lhs"][table["op"] == "|"])))
    for column in ("lhs", "op", "rhs"):
        assert list(found.table[column]) == list(table[column])
    np.testing.assert_allclose(found.table["estimate"], number(table["value"]), rtol=0, atol=MOMENT)
    gamma = np.concatenate([np.diagonal(part) for part in found.moments.gamma])
    np.testing.assert_allclose(gamma, number(table["gamma"]), rtol=GAMMA)


@pytest.mark.parametrize(
    "row", list(reference("sem_ordinal_tables").itertuples()), ids=lambda r: r.name
)
def test_tables(row):
    counts = [[int(cell) for cell in line.split()] for line in row.counts.split("/")]
    assert rho_of(counts) == pytest.approx(float(row.rho), abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_estimates(case):
    ours = fitted(case).table
    theirs = reference("sem_ordinal_estimates")
    theirs = theirs[(theirs["case"] == case) & ~theirs["op"].isin(["~1", "~*~"])].copy()
    theirs.loc[theirs["op"] == ":=", "rhs"] = ours.loc[ours["op"] == ":=", "rhs"].to_numpy()
    both = ours.merge(
        theirs, on=["lhs", "op", "rhs"], how="outer", suffixes=("", "_r"), indicator=True
    )
    assert (both["_merge"] == "both").all()
    assert len(both) == len(ours)
    np.testing.assert_allclose(both["estimate"], number(both["est"]), rtol=0, atol=ESTIMATE)
    np.testing.assert_allclose(both["std"], number(both["std_all"]), rtol=0, atol=ESTIMATE)
    np.testing.assert_allclose(
        both["std_se"].fillna(0), number(both["std_all_se"]), rtol=ERROR, atol=1e-10
    )
    # Residual variances are fixed in lavaan; ours have the error of the standardised ones.
    own = (
        (both["op"] == "~~")
        & (both["lhs"] == both["rhs"])
        & both["lhs"].isin(fitted(case).model.observed)
    )
    np.testing.assert_allclose(both["se"][~own].fillna(0), number(both["se_r"])[~own], rtol=ERROR)
    np.testing.assert_allclose(both["se"][own], both["std_se"][own], rtol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_fit_indices(case):
    table = reference("sem_ordinal_indices")
    table = table[table["case"] == case].set_index("index")["value"]
    for theirs, ours in INDICES.items():
        found = fitted(case).fit_indices[ours]
        assert found == pytest.approx(float(table[theirs]), rel=INDEX, abs=1e-12), theirs


@pytest.mark.parametrize(
    "row", list(reference("sem_ordinal_comparison").itertuples()), ids=lambda r: r.full
)
def test_comparison(row):
    one, two = fitted(row.restricted), fitted(row.full)
    for found in (one.compare(two), two.compare(one)):
        assert found.chisq == pytest.approx(float(row.chisq_diff), rel=INDEX)
        assert found.df == int(row.df_diff)
        assert found.p_value == pytest.approx(float(row.p), rel=1e-8)


@pytest.mark.parametrize("case", ["holzinger", "mobi_five"])
def test_reliability(case):
    table = cx.ordinal_reliability(fitted(case)).table
    theirs = reference("sem_ordinal_reliability")
    theirs = theirs[theirs["case"] == case]
    names = {
        "alpha": "semtools_alpha_ord",
        "omega": "semtools_omega",
        "omega_sample": "comprelsem_omega",
    }
    for ours, name in names.items():
        rows = theirs[theirs["coefficient"] == name].set_index("construct")["value"].astype(float)
        assert set(rows.index) == set(table.index)
        close(table[ours], rows[table.index], 1e-10)


# ------------------------------------------------------------------------ by law


def test_tetrachoric_of_medians():
    """Cut in the middle, rho = sin(2 pi (p - 1/4)) (Sheppard 1899)."""
    assert rho_of([[40, 10], [10, 40]]) == pytest.approx(np.sin(2 * np.pi * 0.15), abs=1e-13)


def test_the_correlation_is_the_likeliest():
    """No rho on a grid beats it, by the likelihood written down with scipy's own function."""
    counts = np.array([[20, 10, 5], [8, 25, 12], [2, 9, 30]])
    n = counts.sum()
    ends = [stats.norm.ppf(np.cumsum(counts.sum(axis=i))[:-1] / n) for i in (1, 0)]
    edges = [np.concatenate([[-8], end, [8]]) for end in ends]

    def loglik(rho):
        joint = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]], abseps=1e-12, releps=1e-12)
        corner = np.array([[joint.cdf([x, y]) for y in edges[1]] for x in edges[0]])
        return (counts * np.log(np.diff(np.diff(corner, axis=0), axis=1))).sum()

    best = rho_of(counts)
    around = [loglik(best + d) for d in (-0.02, -0.005, 0.0, 0.005, 0.02)]
    assert int(np.argmax(around)) == 2


def test_one_case_against_the_others_counts():
    """A single case in the far corner keeps the correlation from 1; no rho on a grid beats it."""
    counts = np.array([[100, 1, 1], [2, 100, 1], [0, 1, 100]])
    best = rho_of(counts)
    n = counts.sum()
    ends = [np.append(stats.norm.ppf(np.cumsum(counts.sum(axis=i))[:-1] / n), 40.0) for i in (1, 0)]

    def loglik(rho):
        corner = normal_cdf2(ends[0][:, None], ends[1][None, :], np.array(rho))
        cells = np.diff(np.diff(np.pad(corner, ((1, 0), (1, 0))), axis=0), axis=1)
        return (counts * np.log(np.maximum(cells, 1e-16))).sum()

    grid = np.concatenate([np.linspace(-0.9, 0.999, 400), best + np.array([-1e-4, 1e-4])])
    assert 0.9 < best < 0.999
    assert loglik(best) > max(map(loglik, grid))


def test_turning_an_item_turns_its_correlations():
    frame = made()
    turned = frame.assign(a=5 - frame["a"])
    one, two = cx.polychoric(frame), cx.polychoric(turned)
    np.testing.assert_allclose(two.corr.loc["a", "b":], -one.corr.loc["a", "b":], atol=1e-13)
    np.testing.assert_allclose(two.corr.loc["b":, "b":], one.corr.loc["b":, "b":], atol=1e-13)
    np.testing.assert_allclose(two.thresholds.loc["a"], -one.thresholds.loc["a"][::-1], atol=1e-14)
    np.testing.assert_allclose(two.table["se"][12:], one.table["se"][12:], rtol=1e-9)


def test_order_of_rows_numbers_of_categories_and_copies_do_not_matter():
    frame = made()
    one = cx.polychoric(frame)
    mixed = cx.polychoric(frame.sample(frac=1, random_state=0))
    np.testing.assert_allclose(mixed.corr, one.corr, atol=1e-14)
    wide = cx.polychoric(frame**2 * 10 - 3)  # other numbers, the same order
    np.testing.assert_allclose(wide.corr, one.corr, atol=1e-14)
    twice = cx.polychoric(pd.concat([frame, frame]))
    np.testing.assert_allclose(twice.corr, one.corr, atol=1e-13)
    np.testing.assert_allclose(twice.moments.gamma[1], one.moments.gamma[1], rtol=1e-9)


def test_items_one_by_one_are_as_all_at_once():
    """Items with fewer categories than others stand in the same arrays."""
    frame = made().assign(b=lambda f: (f["b"] > 2).astype(int), d=lambda f: np.minimum(f["d"], 3))
    whole = cx.polychoric(frame)
    for a, b in itertools.combinations(frame, 2):
        pair = cx.polychoric(frame, [a, b])
        assert pair.corr.loc[a, b] == pytest.approx(whole.corr.loc[a, b], abs=1e-13)
        assert pair.table["se"].iloc[-1] == pytest.approx(
            float(whole.table.query("op == '~~' and lhs == @a and rhs == @b")["se"].iloc[0])
        )
    assert whole.thresholds.notna().sum(axis=1).tolist() == [3, 1, 3, 2]


def test_fit_follows_its_items():
    """Turning an item turns its loading; the order of items in the model does not matter."""
    frame = made(names="abcdeh")
    one = quiet(TWO, frame, ordered=True)
    turned = quiet(TWO, frame.assign(b=5 - frame["b"]), ordered=True)
    index = one.fit_indices
    assert turned.fit_indices["chisq_scaled"] == pytest.approx(index["chisq_scaled"], rel=1e-9)
    key = one.table["rhs"].eq("b") & one.table["op"].eq("=~")
    np.testing.assert_allclose(turned.table["std"][key], -one.table["std"][key], atol=1e-9)
    other = quiet("g =~ h + e + d\nf =~ c + a + b\ng ~ f", frame, ordered=True)
    assert other.fit_indices["chisq_scaled"] == pytest.approx(index["chisq_scaled"], rel=1e-8)
    scaled = quiet(TWO, frame, ordered=True, std_lv=True)
    both = one.table.merge(scaled.table, on=["lhs", "op", "rhs"])
    np.testing.assert_allclose(both["std_x"], both["std_y"], atol=1e-9)
    np.testing.assert_allclose(both["std_se_x"].fillna(0), both["std_se_y"].fillna(0), atol=1e-9)


def test_equal_loadings_and_definitions():
    frame = made(names="abcdeh")
    fit = quiet(
        "f =~ a + l*b + l*c\ng =~ d + m*e + k*h\ng ~ f\nm == k\ntwice := 2*l", frame, ordered=True
    )
    table = fit.table.set_index(fit.table["lhs"] + fit.table["op"] + fit.table["rhs"])["estimate"]
    assert table["f=~b"] == pytest.approx(table["f=~c"], abs=1e-12)
    assert table["g=~e"] == pytest.approx(table["g=~h"], abs=1e-9)
    row = fit.table[fit.table["op"] == ":="].iloc[0]
    loading = fit.table[fit.table["label"] == "l"].iloc[0]
    assert row["estimate"] == pytest.approx(2 * loading["estimate"])
    assert row["se"] == pytest.approx(2 * loading["se"])
    assert fit.fit_indices["df"] == quiet(TWO, frame, ordered=True).fit_indices["df"] + 2


def test_three_items_fit_exactly():
    fit = quiet("f =~ a + b + c", made(), ordered=True)
    assert fit.fit_indices["df"] == 0
    assert fit.fit_indices["chisq"] == pytest.approx(0, abs=1e-18)
    assert np.isnan(fit.fit_indices["p_value_scaled"])
    assert "no degrees of freedom" in fit.summary()


@pytest.mark.parametrize("cuts", [(-0.5,), (0.3, 1.2), (-1.5, -0.8, -0.2, 0.6)])
def test_known_population(cuts):
    """At n = 20,000 every estimate lies within four standard errors of the truth."""
    model, _, sigma = truth()
    sd = np.sqrt(np.diag(sigma))
    hidden = np.random.default_rng(7).multivariate_normal(
        np.zeros(9), sigma / np.outer(sd, sd), 20_000
    )
    frame = pd.DataFrame(
        np.searchsorted(cuts, hidden.ravel()).reshape(hidden.shape), columns=model.observed
    )
    fit = quiet(model.text, frame, ordered=True)
    rows = fit.table[~fit.table["op"].isin(["|", ":="])]
    population = cx.sem(
        model.text, cx.Moments.from_covariance(list(model.observed), sigma, n=10**6)
    ).table["std"][: len(rows)]
    off = (rows["std"] - population.to_numpy()) / rows["std_se"]
    known = rows["std_se"] > 1e-9  # what is 1 by definition has none, or rounding
    assert known.sum() == 23
    assert (off.abs()[known] < 4).all()
    thresholds = fit.table[fit.table["op"] == "|"]
    assert ((thresholds["estimate"] - np.tile(cuts, 9)).abs() / thresholds["se"] < 4).all()
    assert fit.fit_indices["p_value_scaled"] > 1e-4


@cache
def samples():
    """Return fits to 200 samples of 300 from a population of the model."""
    return [quiet(ONE, made(300, seed, (-0.2, 0.9)), ordered=True) for seed in range(200)]


def test_standard_errors_are_those_of_the_simulation():
    loadings = np.array([fit.table["std"].iloc[1:4] for fit in samples()], float)
    errors = np.array([fit.table["std_se"].iloc[1:4] for fit in samples()], float)
    # The standard deviation of 200 replicates is itself known to 5 %; three of those.
    np.testing.assert_allclose(errors.mean(axis=0), loadings.std(axis=0), rtol=0.15)


def test_scaled_test_is_chi_square_in_the_simulation():
    test = np.array([fit.fit_indices["chisq_scaled"] for fit in samples()])
    # Mean 2 and standard deviation 2 with two degrees of freedom; four standard errors.
    assert test.mean() == pytest.approx(2, abs=4 * 2 / np.sqrt(200))
    assert (test > stats.chi2.ppf(0.95, 2)).mean() == pytest.approx(0.05, abs=0.06)


def test_residual_z_is_standard_normal_in_the_simulation():
    z = np.array([fit.residuals["z"] for fit in samples()])
    np.testing.assert_allclose(z.std(axis=0), 1, atol=0.2)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=4 / np.sqrt(200))


def test_omega_of_known_answers():
    """Without thresholds' loss: many categories make omega that of the underlying variables."""
    loadings = np.array([0.8, 0.7, 0.6])
    corr = np.outer(loadings, loadings)
    np.fill_diagonal(corr, 1)
    fine = np.tile(np.linspace(-4, 4, 401), (3, 1))
    expected = loadings.sum() ** 2 / corr.sum()
    assert ordinal_omega(loadings, fine, corr) == pytest.approx(expected, abs=3e-5)
    assert ordinal_omega(loadings, np.zeros((3, 1)), corr) < expected
    assert ordinal_alpha(corr) == pytest.approx(3 / 2 * (1 - 3 / corr.sum()))


def test_omega_is_the_squared_correlation_of_sum_and_true_sum():
    """By simulation: omega is var(E[sum | factor]) / var(sum)."""
    generator = np.random.default_rng(3)
    loadings, cuts = np.array([0.8, 0.6, 0.7]), np.array([-0.3, 1.0])
    factor = generator.normal(size=400_000)
    own = generator.normal(size=(len(factor), 3)) * np.sqrt(1 - loadings**2)
    total = (
        np.searchsorted(cuts, (factor[:, None] * loadings + own).ravel()).reshape(-1, 3).sum(axis=1)
    )
    above = stats.norm.sf(
        (cuts - factor[:, None, None] * loadings[:, None]) / np.sqrt(1 - loadings**2)[:, None]
    )
    expected = above.sum(axis=(1, 2)).var() / total.var()
    corr = np.outer(loadings, loadings)
    np.fill_diagonal(corr, 1)
    assert ordinal_omega(loadings, np.tile(cuts, (3, 1)), corr) == pytest.approx(expected, abs=3e-3)


# ------------------------------------------------------------------------ what is said


def test_problems_of_tables():
    found = cx.polychoric(table_of([[30, 0], [25, 45]]))
    assert [problem.kind for problem in found.problems] == ["empty_cells"]
    assert "a × b" in found.summary()
    for counts, rho in (([[30, 0], [0, 40]], 1.0), ([[0, 30], [40, 0]], -1.0)):
        found = cx.polychoric(table_of(counts))
        assert found.corr.loc["a", "b"] == rho
        assert {"empty_cells", "perfect"} == {problem.kind for problem in found.problems}
        assert np.isnan(found.table["se"].iloc[-1])
    assert rho_of([[30, 0, 0], [0, 20, 0], [0, 0, 25]]) == 1.0
    rare = cx.polychoric(table_of([[30, 10, 1], [12, 48, 3]]))
    assert "b = 2" in str(rare.problems[0])


def test_indefinite_correlations_are_named():
    frame = made(12, 5, cuts=(0.0,), names="abcdefgh")
    kinds = {problem.kind for problem in cx.polychoric(frame).problems}
    assert "indefinite" in kinds or "perfect" in kinds


def test_problems_of_a_fit_warn():
    frame = made(cuts=(-0.3, 0.6))
    frame.loc[:3, "a"] = 9
    frame.loc[:3, "b":] = [[1, 2, 3], [3, 1, 1], [2, 3, 2], [1, 1, 3]]  # few cells stay empty
    with pytest.warns(cx.ModelWarning, match="a = 9"):
        fit = cx.sem(ONE, frame, ordered=True)
    assert fit.sound
    assert "rare_category" in {problem.kind for problem in fit.problems}


def test_negative_residual_variance_is_named():
    generator = np.random.default_rng(0)
    corr = np.array([[1, 0.8, 0.7, 0.3], [0.8, 1, 0.4, 0.3], [0.7, 0.4, 1, 0.3], [0.3] * 3 + [1]])
    hidden = generator.multivariate_normal(np.zeros(4), corr, 2000)
    frame = pd.DataFrame(
        np.searchsorted([-0.5, 0.5], hidden.ravel()).reshape(-1, 4), columns=list("abcd")
    )
    with pytest.warns(cx.ModelWarning, match="negative variance.*a ~~ a"):
        fit = cx.sem(ONE, frame, ordered=True)
    assert fit.table.set_index(["lhs", "op", "rhs"]).loc[("a", "~~", "a"), "estimate"] < 0


def test_unidentified_model_gives_no_numbers():
    with pytest.warns(cx.ModelWarning, match="not identified"):
        fit = cx.sem("f =~ a + b", made(cuts=(0.0,)), ordered=True)
    assert not fit.sound
    assert fit.table["estimate"].isna().all()
    assert np.isnan(fit.fit_indices["chisq_scaled"])
    assert "No numbers are given" in fit.summary()
    with pytest.raises(cx.CxError, match="no residuals"):
        _ = fit.residuals


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_words_and_charts(lang):
    fit = quiet(TWO, made(names="abcdeh"), ordered=True)
    assert "WLSMV" in fit.summary(lang)
    assert repr(fit) == fit.summary()
    assert "<table" in fit._repr_html_()
    assert fit.plot(lang=lang) is not None
    found = cx.polychoric(made())
    assert "400" in found.summary(lang)
    assert found.plot(lang=lang) is not None
    assert "<table" in found._repr_html_()
    table = cx.ordinal_reliability(fit)
    assert "alpha" in repr(table)
    assert table.summary(lang)
    assert table.plot(lang=lang) is not None
    import matplotlib.pyplot as plt

    plt.close("all")


def test_r_squared_and_residuals():
    fit = fitted("holzinger")
    squared = fit.r_squared.set_index("variable")["r_squared"]
    std = fit.table[fit.table["op"] == "=~"].set_index("rhs")["std"]
    np.testing.assert_allclose(squared[std.index], std**2, atol=1e-12)
    rows = fit.residuals
    assert len(rows) == 36
    srmr = np.sqrt((rows["raw"] ** 2).sum() / 45)
    assert srmr == pytest.approx(fit.fit_indices["srmr"], rel=1e-12)


def test_reliability_of_constructs_and_codebook():
    frame = made(names="abcdeh")
    constructs = {"F": ["a", "b", "c"], "G": ["d", "e", "h"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        one = cx.ordinal_reliability(constructs | {"single": ["a"]}, frame)
        two = cx.ordinal_reliability(cx.Codebook(scale=(1, 4), constructs=constructs), frame)
        three = cx.ordinal_reliability("F =~ a + b + c\nG =~ d + e + h", frame)
    assert list(one.table.index) == ["F", "G"]
    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_frame_equal(one.table, three.table)
    # Four categories lose some of what two thirds of three items know.
    assert (one.table["omega"] < one.table["alpha"]).all()


# ------------------------------------------------------------------------ bad input


def changed(value):
    frame = made().astype(float)
    frame.loc[3, "b"] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "match"),
    [
        (made().assign(b=2), "'b' is constant .all complete cases answer 2."),
        (changed(2.5), "'b' has the answer 2.5; ordered answers are whole numbers"),
        (changed(np.inf), "'b' has the answer inf"),
        (made().assign(b=range(400)), "'b' has 400 different answers and looks continuous"),
        (made().head(4), "4 complete cases for 4 items"),
        (made().assign(b="often"), "'b' is not numeric"),
        (made().drop(columns="b"), "the model names 'b', which is no column"),
        (made().assign(b=lambda f: f["a"]), "a and b have a polychoric correlation of 1"),
    ],
)
def test_bad_answers(frame, match):
    with pytest.raises(cx.DataError, match=match):
        quiet(ONE, frame, ordered=True)


def test_missing_answers_are_left_out_and_counted():
    frame = made().astype(float)
    frame.loc[[3, 5], "b"] = np.nan
    frame.loc[5, "c"] = np.nan
    fit = quiet(ONE, frame, ordered=True)
    assert (fit.n, fit.sample.dropped) == (398, 2)
    kept = quiet(ONE, frame.dropna(), ordered=True)
    np.testing.assert_allclose(fit.table["estimate"], kept.table["estimate"], atol=1e-12)
    assert "2 left out" in fit.summary()
    assert cx.polychoric(frame).dropped == 2


@pytest.mark.parametrize(
    ("model", "options", "match"),
    [
        (ONE, {"ordered": ["a", "b"]}, "c, d not in ordered="),
        (ONE, {"ordered": ["a", "b", "c", "d", "z"]}, "z is no observed variable of the model"),
        (ONE, {"ordered": "a"}, "ordered='a'; allowed: True, or a list"),
        (ONE, {"ordered": []}, "a, b, c, d not in ordered="),
        (ONE, {"means": True}, "means=True does not go with ordered"),
        (ONE, {"missing": "fiml"}, "missing='fiml' does not go with ordered"),
        (ONE, {"estimator": "mlr"}, "estimator='mlr' does not go with ordered"),
        (ONE, {"information": "observed"}, "information='observed' does not go with ordered"),
        (ONE, {"equal": ["loadings"]}, "equal=.'loadings'. does not go with one group"),
        (ONE, {"equal": ["residuals"]}, "allowed of ordered answers: thresholds, loadings"),
        ("f =~ a + b + c\nf ~ d", {}, "d: with ordered answers an observed variable cannot"),
        (ONE + "\na ~ 1", {}, "the model has an intercept .a ~ 1."),
        (ONE + "\na ~~ 0.5*a", {}, "a ~~ a: with ordered answers a residual variance"),
        (ONE + "\na ~~ v*a", {}, "a ~~ a: with ordered answers a residual variance"),
        ("f =~ a + u*b + v*c + d\nu*v == 1", {}, "constraints have to be linear"),
        ("f =~ a + u*b + c + d\nu > 0.1", {}, "constraints have to be linear"),
        ("f =~ a + b + c\ng =~ d\ng ~ f", {}, "g has one item, d: with ordered answers"),
        ("a ~~ b", {}, "no latent variable"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_ordered_answers(model, options, match):
    with pytest.raises(cx.CxError, match=match):
        quiet(model, made(), **({"ordered": True} | options))


def test_moments_and_methods_that_need_another_estimator_are_refused():
    frame = made()
    moments = cx.moments(frame)
    with pytest.raises(cx.CxError, match="need the respondents, not Moments"):
        quiet(ONE, moments, ordered=True)
    with pytest.raises(cx.CxError, match="need the respondents, not Moments"):
        cx.polychoric(moments)
    fit, plain = quiet(ONE, frame, ordered=True), quiet(ONE, frame)
    with pytest.raises(cx.CxError, match="modification indices are not computed"):
        fit.modification_indices()
    with pytest.raises(cx.CxError, match="no bootstrap"):
        fit.bootstrap()
    with pytest.raises(cx.CxError, match="estimators 'wlsmv' and 'ml'"):
        fit.compare(plain)
    with pytest.raises(cx.CxError, match="semopy cannot express ordered answers"):
        cx.second_opinion(fit)
    with pytest.raises(cx.CxError, match="as many degrees of freedom"):
        fit.compare(fit)
    with pytest.raises(cx.CxError, match="at least two"):
        cx.polychoric(frame, ["a"])
    with pytest.raises(cx.CxError, match="pass the frame"):
        cx.ordinal_reliability({"f": ["a", "b", "c"]})
    with pytest.raises(cx.CxError, match="no construct with two items"):
        cx.ordinal_reliability({"f": ["a"]}, frame)


def test_single_item_with_a_fixed_variance():
    """A latent that is its item: the correlation with it is the item's own."""
    fit = quiet("f =~ a + b + c\ng =~ d\ng ~~ 1*g", made(), ordered=True)
    table = fit.table.set_index(["lhs", "op", "rhs"])
    assert table.loc[("d", "~~", "d"), "estimate"] == pytest.approx(0, abs=1e-14)
    plain = quiet("f =~ a + b + c + d", made(), ordered=True)
    assert fit.fit_indices["chisq_scaled"] == pytest.approx(plain.fit_indices["chisq_scaled"])


def test_an_item_may_be_an_outcome():
    fit = quiet("f =~ a + b + c\nd ~ f", made(), ordered=True)
    other = quiet("f =~ a + b + c + d", made(), ordered=True)
    assert fit.fit_indices["chisq"] == pytest.approx(other.fit_indices["chisq"], rel=1e-9)
