"""The ordered logit against ordinal::clm, statsmodels and simulations with known truth."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime

import cxstats as cx
from cxstats.priorities.ordered_logit.effects import average_shares
from cxstats.priorities.ordered_logit.likelihood import (
    Rows,
    category_shares,
    log_likelihoods,
    scores,
)
from tests.references import reference

EXPLAINED_BY = ["Infl", "Type", "Cont"]
SLOPES, CUTS = np.array([0.8, -0.5]), np.array([-1.0, 0.4])


@pytest.fixture(scope="module")
def clm():
    table = reference("ordered_logit").set_index("name")
    return table.assign(se=pd.to_numeric(table["se"]))


@pytest.fixture(scope="module")
def tenants():
    return cx.load_housing()


@pytest.fixture(scope="module")
def fit(tenants):
    return cx.ordered_logit(tenants, "Sat", EXPLAINED_BY)


def sample(n, seed, slopes=SLOPES):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.integers(0, 2, n)])
    shares = category_shares(x, slopes, CUTS)
    y = (rng.random(n)[:, None] > np.cumsum(shares, axis=1)).sum(axis=1)
    return pd.DataFrame({"x": x[:, 0], "yes": x[:, 1].astype(bool), "y": y + 1})


def test_housing_is_what_clm_gives(fit, clm):
    names = ["InflMedium", "InflHigh", "TypeApartment", "TypeAtrium", "TypeTerrace", "ContHigh"]
    cuts = ["Low|Medium", "Medium|High"]
    assert fit.table["estimate"].tolist() == pytest.approx(clm.loc[names, "value"], abs=1e-9)
    assert fit.table["se"].tolist() == pytest.approx(clm.loc[names, "se"], abs=1e-9)
    assert fit.cuts["estimate"].tolist() == pytest.approx(clm.loc[cuts, "value"], abs=1e-9)
    assert fit.cuts["se"].tolist() == pytest.approx(clm.loc[cuts, "se"], abs=1e-9)
    assert fit.deviance == pytest.approx(clm.loc["deviance", "value"], abs=1e-7)
    assert -2 * fit.null_log_likelihood == pytest.approx(clm.loc["null_deviance", "value"])


def test_housing_has_the_published_digits(fit):
    assert fit.table["estimate"].round(4).tolist() == [
        0.5664, 1.2888, -0.5724, -0.3662, -1.0910, 0.3603
    ]  # fmt: skip
    assert fit.cuts["estimate"].round(4).tolist() == [-0.4961, 0.6907]
    assert round(fit.deviance, 3) == 3479.149


def test_brant_is_that_of_separate_logits(fit, clm):
    tests = fit.proportional_odds.set_index("term")["chi2"]
    for term in EXPLAINED_BY:
        assert tests[term] == pytest.approx(clm.loc[f"brant.{term}", "value"], abs=1e-7)
    assert tests[""] == pytest.approx(clm.loc["brant", "value"], abs=1e-7)


def test_shares_are_averages_of_the_predictions_of_clm(fit, clm):
    rows = fit.effects[fit.effects["term"] == "Infl"]
    for row in rows.itertuples():
        expected = clm.loc[f"share.{row.level}.{row.category}", "value"]
        assert row.share == pytest.approx(expected, abs=1e-9)


def test_statsmodels_agrees(tenants, fit):
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    dummies = pd.get_dummies(tenants[EXPLAINED_BY].astype(object), dtype=float)
    chosen = ["Infl_Medium", "Infl_High", "Type_Apartment", "Type_Atrium", "Type_Terrace",
              "Cont_High"]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = OrderedModel(tenants["Sat"], dummies[chosen], distr="logit").fit(
            method="bfgs", disp=False, gtol=1e-8
        )
    assert fit.table["estimate"].tolist() == pytest.approx(other.params[:6].tolist(), abs=1e-5)
    assert fit.table["se"].tolist() == pytest.approx(other.bse[:6].tolist(), rel=1e-3)
    assert fit.log_likelihood == pytest.approx(other.llf, abs=1e-7)


def test_counts_are_repeated_rows(tenants, fit):
    cells = tenants.groupby(["Sat", *EXPLAINED_BY], observed=False).size().rename("n").reset_index()
    by_cell = cx.ordered_logit(cells, "Sat", EXPLAINED_BY, counts="n")
    pd.testing.assert_frame_equal(by_cell.table, fit.table)
    pd.testing.assert_frame_equal(by_cell.effects, fit.effects)
    assert by_cell.n == fit.n == 1681


def test_two_categories_are_a_logit():
    import statsmodels.api as sm

    frame = sample(300, 4)
    frame["high"] = frame["y"] == 3
    fit = cx.ordered_logit(frame, "high", ["x", "yes"])
    design = sm.add_constant(frame[["x", "yes"]].astype(float))
    logit = sm.Logit(frame["high"].astype(float), design).fit(disp=False)
    assert fit.table["estimate"].tolist() == pytest.approx(logit.params[1:].tolist(), abs=1e-7)
    assert fit.table["se"].tolist() == pytest.approx(logit.bse[1:].tolist(), abs=1e-7)
    assert fit.proportional_odds is None


def test_derivatives():
    frame = sample(40, 1)
    rows = Rows(frame[["x", "yes"]].to_numpy(float), frame["y"].to_numpy() - 1, np.ones(40), 3)
    at = np.array([0.3, -0.2, -0.7, 0.9])

    def total(parameters):
        shares = category_shares(rows.x, parameters[:2], parameters[2:])
        return np.log(shares[np.arange(40), rows.y]).sum()

    assert scores(rows, at).sum(axis=0) == pytest.approx(approx_fprime(at, total), abs=1e-4)
    bands = np.array([[1, 1, 0], [0, 0, 1]])
    _, slope = average_shares(rows.x, rows.weight, at[:2], at[2:], bands)
    for band in (0, 1):
        numeric = approx_fprime(
            at,
            lambda p, band=band: average_shares(rows.x, rows.weight, p[:2], p[2:], bands)[0][band],
        )
        assert slope[band] == pytest.approx(numeric, abs=1e-6)


def test_log_likelihood_keeps_its_digits_far_out():
    upper, lower = np.array([-40.0, 41.0, np.inf]), np.array([-41.0, 40.0, 800.0])
    low = -41 + np.log(np.e - 1)
    assert log_likelihoods(upper, lower) == pytest.approx([low, low, -800], rel=1e-12)


def test_turning_the_outcome_turns_the_signs():
    frame = sample(500, 2)
    fit = cx.ordered_logit(frame, "y", ["x", "yes"])
    turned = cx.ordered_logit(frame, "y", ["x", "yes"], order=[3, 2, 1])
    assert turned.table["estimate"].tolist() == pytest.approx(
        (-fit.table["estimate"]).tolist(), abs=1e-8
    )
    assert turned.log_likelihood == pytest.approx(fit.log_likelihood)


def test_bands_add_up_and_differences_sum_to_nothing(fit, tenants):
    sums = fit.effects.groupby(["term", "level"])[["share", "difference"]].sum()
    assert sums["share"].tolist() == pytest.approx([1.0] * len(sums))
    assert sums["difference"].abs().max() < 1e-12
    banded = cx.ordered_logit(tenants, "Sat", EXPLAINED_BY,
                              bands={"not high": ["Low", "Medium"], "high": ["High"]})  # fmt: skip
    high = fit.effects.query("category == 'High'")["difference"].to_numpy()
    assert banded.effects.query("category == 'high'")["difference"].to_numpy() == pytest.approx(
        high
    )
    assert banded.effects.query("category == 'not high'")["difference"].to_numpy() == pytest.approx(
        -high
    )


def test_base_changes_the_reference_only(tenants, fit):
    other = cx.ordered_logit(tenants, "Sat", EXPLAINED_BY, base={"Type": "Terrace"})
    assert other.log_likelihood == pytest.approx(fit.log_likelihood)
    tower = other.table.set_index("column").loc["Type = Tower", "estimate"]
    assert tower == pytest.approx(1.0910146590, abs=1e-8)


def test_predictions(tenants, fit):
    shares = fit.predict(tenants)
    assert shares.sum(axis=1).to_numpy() == pytest.approx(np.ones(len(tenants)))
    assert shares.mean().to_numpy() == pytest.approx(
        tenants["Sat"].value_counts(normalize=True, sort=False).to_numpy(), abs=0.002
    )
    new = tenants.head(2).assign(Infl=[None, "High"])
    assert fit.predict(new).isna().all(axis=1).tolist() == [True, False]
    with pytest.raises(cx.DataError, match=r"'Infl', row .*'none at all' is no level.*Low"):
        fit.predict(tenants.head(1).assign(Infl="none at all"))


def test_clusters_widen_errors_of_repeated_respondents():
    frame = sample(200, 5)
    frame["who"] = np.arange(200)
    plain = cx.ordered_logit(frame, "y", ["x", "yes"])
    thrice = pd.concat([frame] * 3, ignore_index=True)
    clustered = cx.ordered_logit(thrice, "y", ["x", "yes"], cluster="who")
    ignoring = cx.ordered_logit(thrice, "y", ["x", "yes"])
    ratio = clustered.table["se"].to_numpy() / plain.table["se"].to_numpy()
    assert ratio == pytest.approx([1, 1], abs=0.12)
    assert (ignoring.table["se"] * np.sqrt(3)).to_numpy() == pytest.approx(
        plain.table["se"].to_numpy()
    )
    assert any("抽样设计" in note.zh for note in clustered.notes)


def test_weights_of_whole_numbers_move_estimates_as_repeated_rows():
    frame = sample(150, 6)
    frame["w"] = np.random.default_rng(1).integers(1, 4, 150)
    weighted = cx.ordered_logit(frame, "y", ["x", "yes"], weights="w")
    counted = cx.ordered_logit(frame, "y", ["x", "yes"], counts="w")
    assert weighted.table["estimate"].tolist() == pytest.approx(
        counted.table["estimate"].tolist(), abs=1e-8
    )


@pytest.mark.parametrize("engine", ["polars", "duckdb", "pyarrow"])
def test_engines(engine, tenants, fit):
    frame = tenants.astype(str)
    if engine == "polars":
        polars = pytest.importorskip("polars")
        table = polars.from_pandas(frame)
    elif engine == "duckdb":
        duckdb = pytest.importorskip("duckdb")
        table = duckdb.from_df(frame)
    else:
        pyarrow = pytest.importorskip("pyarrow")
        table = pyarrow.Table.from_pandas(frame)
    other = cx.ordered_logit(
        table, "Sat", EXPLAINED_BY, order=["Low", "Medium", "High"],
        base={"Infl": "Low", "Type": "Tower", "Cont": "Low"},
    )  # fmt: skip
    assert other.deviance == pytest.approx(fit.deviance, abs=1e-8)


BAD = {
    "words without an order": (
        lambda f: {"data": f.assign(y=f["y"].map({1: "low", 2: "mid", 3: "high"}))},
        r"column 'y' holds words .*without an order; say it by order=",
    ),
    "not in the order": (
        lambda f: {"data": f, "order": [1, 2]},
        r"column 'y', row .*: 3\.0 is not in the order; allowed: 1, 2",
    ),
    "one answer": (lambda f: {"data": f.assign(y=2)}, r"'y' does not vary"),
    "many values": (lambda f: {"data": f.assign(y=np.arange(len(f)))}, r"80 different values"),
    "no such column": (lambda f: {"data": f.drop(columns="x")}, r"'x'"),
    "constant": (lambda f: {"data": f.assign(x=1.0)}, r"column 'x' does not vary"),
    "a copy": (
        lambda f: {"data": f.assign(z=2 * f["x"]), "explained_by": ["x", "yes", "z"]},
        r"'z' follows from the columns before it",
    ),
    "told apart": (
        lambda f: {"data": f.assign(x=10.0 * f["y"])},
        r"no finite solution",
    ),
    "no answers": (lambda f: {"data": f.assign(x=np.nan)}, r"no respondent has answered all"),
    "half a count": (
        lambda f: {"data": f.assign(n=0.5), "counts": "n"},
        r"column 'n', row .*: 0\.5 is no count",
    ),
    "counts and weights": (
        lambda f: {"data": f.assign(n=1), "counts": "n", "weights": "n"},
        r"exclude each other",
    ),
    "unknown base": (
        lambda f: {"data": f.assign(k="a").assign(k=lambda g: np.where(g["x"] > 0, "a", "b")),
                   "explained_by": ["k"], "base": {"k": "c"}},
        r"base\['k'\] is 'c'; allowed: a, b",
    ),
    "empty band": (lambda f: {"data": f, "bands": {"high": [9]}}, r"no answer is in the band"),
    "two bands": (
        lambda f: {"data": f, "bands": {"a": [1, 2], "b": [2]}},
        r"'2' is in two bands",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    change, message = BAD[case]
    options = {"outcome": "y", "explained_by": ["x", "yes"], **change(sample(80, 3))}
    with pytest.raises(cx.CxError, match=message):
        cx.ordered_logit(**options)


def test_a_slope_that_differs_over_cuts_is_noted():
    rng = np.random.default_rng(8)
    x = rng.normal(size=3000)
    above_low = rng.random(3000) < 1 / (1 + np.exp(-0.5 - 1.5 * x))
    top = above_low & (rng.random(3000) < 0.4)
    frame = pd.DataFrame({"x": x, "y": 1 + above_low + top})
    fit = cx.ordered_logit(frame, "y", ["x"])
    assert fit.proportional_odds["p_value"].iloc[-1] < 1e-6
    assert any("in doubt for: x" in note.en for note in fit.notes)


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 400])
def test_coverage(n):
    """95 % intervals of slopes, cuts and changes of shares; Brant's test under the null."""
    rng = np.random.default_rng(n)
    big = sample(200_000, 99)
    x = big[["x", "yes"]].to_numpy(float)
    shares = [category_shares(np.column_stack([x[:, 0], np.full(len(x), value)]), SLOPES, CUTS)
              .mean(axis=0) for value in (0, 1)]  # fmt: skip
    truth = shares[1] - shares[0]
    hits, rejected, runs = np.zeros(7), 0, 2000
    for _ in range(runs):
        fit = cx.ordered_logit(sample(n, rng.integers(1 << 40)), "y", ["x", "yes"])
        for place, (table, true) in enumerate(((fit.table, SLOPES), (fit.cuts, CUTS))):
            inside = (table["ci_low"] <= true) & (table["ci_high"] >= true)
            hits[2 * place : 2 * place + 2] += inside
        moved = fit.effects.query("term == 'yes' and level == '1'")
        hits[4:] += ((moved["difference_ci_low"] <= truth)
                     & (moved["difference_ci_high"] >= truth)).to_numpy()  # fmt: skip
        rejected += fit.proportional_odds["p_value"].iloc[-1] < 0.05
    print(n, (hits / runs).round(4).tolist(), rejected / runs)
    covered = hits / runs
    assert (covered > 0.935).all()
    # The share in the middle hardly changes here: its first derivative is near 0, so that the delta
    # method is too wide.
    assert (np.delete(covered, 5) < 0.967).all()
    assert rejected / runs < 0.07


def _strangers():
    rng = np.random.default_rng(4)
    speed, region = rng.normal(size=150), rng.choice(list("ab"), 150)
    answer = np.clip(np.rint(3 + speed + rng.normal(size=150)), 1, 5)
    return pd.DataFrame({"answer": answer, "speed": speed, "region": region, "who": 0})


@pytest.mark.parametrize(
    "change",
    [lambda f: f.convert_dtypes(dtype_backend="pyarrow"), lambda f: f.astype(object),
     lambda f: f.assign(speed=pd.arrays.SparseArray(f["speed"]))],
    ids=["arrow", "objects", "sparse"],
)  # fmt: skip
def test_kinds_of_columns_change_nothing(change):
    frame = _strangers()
    tables = [cx.ordered_logit(f, "answer", ["speed", "region"]).table
              for f in (frame, change(frame))]  # fmt: skip
    pd.testing.assert_frame_equal(*tables, check_dtype=False)


def test_a_level_that_is_missing_leaves_its_row_out():
    frame = _strangers()
    frame["region"] = frame["region"].astype(object).where(frame.index != 3, pd.NA)
    assert cx.ordered_logit(frame, "answer", ["speed", "region"]).n_left_out == 1


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"speed": 1e300}, {}, r"column 'speed', row 3: 1e\+300; allowed: up to 1e\+100 in size"),
        ({"speed": 1j}, {}, "row 3, column 'speed': 1j is not a number"),
        ({"speed": 10**400}, {}, "row 3, column 'speed': a number of about 401 digits is not"),
        ({"region": "\ud800"}, {}, "row 3, column 'region': .* is no level"),
        ({"who": [1]}, {"cluster": "who"}, r"row 3, column 'who': \[1\] is no cluster"),
        ({"who": 1e9}, {"counts": "who"}, "'who' adds up to 1,000,000,000; allowed: up to 10,000"),
        ({}, {"seed": -1}, "seed is -1; allowed: whole numbers from 0"),
        ({}, {"seed": None}, "seed is None; allowed: whole numbers from 0"),
    ],
)
def test_odd_cells_and_options_are_named(change, options, message):
    frame = _strangers()
    for column, value in change.items():
        cells = frame[column].astype(object).tolist()
        cells[3] = value
        frame[column] = pd.Series(cells, dtype=object)
    with pytest.raises(cx.CxError, match=message):
        cx.ordered_logit(frame, "answer", ["speed", "region"], **options)
