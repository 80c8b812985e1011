import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.stats.weights import check_weights
from cxstats.weighting import weights
from tests.references import data, reference
from tests.weighting.examples import TUS, XU, ZAVADSKAS, drivers, table

ROUNDING = 1e-10
MIXED = {"price": "cost", "area": "benefit", "distance": "cost", "quality": "benefit"}
COSTLY = dict.fromkeys(TUS, "benefit") | {"a": "cost"}
MODEL = """
    Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
    Quality =~ PERQ1 + PERQ2 + PERQ3
    Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    Quality ~ Image
    Satisfaction ~ Image + Quality
"""


def points(n=80, seed=0):
    generator = np.random.default_rng(seed)
    return pd.DataFrame(100 * generator.dirichlet([8, 5, 3], n), columns=["a", "b", "c"])


def expected(case, quantity):
    rows = reference("weighting")
    rows = rows[(rows["case"] == case) & (rows["quantity"] == quantity)]
    return rows["value"].astype(float).to_numpy()


# Points


def test_points_are_means_of_shares():
    frame = points()
    found = weights(frame, "points", columns=["a", "b", "c"])
    np.testing.assert_allclose(found.table["weight"], frame.mean() / 100, atol=ROUNDING)
    assert found.table["estimate"].equals(found.table["weight"])
    se = frame.std() / 100 / np.sqrt(len(frame))
    half = (found.table["ci_high"] - found.table["ci_low"]) / 2
    np.testing.assert_allclose(half, 1.96 * se, rtol=0.08)  # BCa against the normal interval
    np.testing.assert_allclose(found.table["se"], se, rtol=0.05)


def test_geometric_mean_of_points_by_scipy():
    from scipy.stats import gmean

    frame = points()
    found = weights(frame, "points", columns=["a", "b", "c"], mean="geometric")
    centre = gmean(frame, axis=0)
    np.testing.assert_allclose(found.table["weight"], centre / centre.sum(), atol=ROUNDING)
    # The ratio of two components does not depend on the third.
    two = frame[["a", "b"]].div(frame[["a", "b"]].sum(axis=1), axis=0) * 100
    part = weights(two, "points", columns=["a", "b"], mean="geometric")
    assert part["a"] / part["b"] == pytest.approx(found["a"] / found["b"])


def test_points_of_the_questionnaire():
    frame, book = cx.simulate_servqual(60, seed=1)
    found = weights(frame, "points", codebook=book, n_resamples=200)
    overall = cx.servqual(frame, book, weights="points", n_resamples=100).table["weight"]
    np.testing.assert_allclose(found.table["weight"], overall[:-1], atol=ROUNDING)
    assert found.synthetic
    assert any("200 resamples are rough" in note.en for note in found.notes)


def test_missing_points_are_counted():
    frame = points()
    frame.loc[3, "b"] = np.nan
    found = weights(frame, "points", columns={"Speed": "a", "Staff": "b", "Price": "c"})
    assert list(found) == ["Speed", "Staff", "Price"]
    assert found.n == 79
    assert any("1 of 80 respondents lack points" in note.en for note in found.notes)


# Entropy and CRITIC


def test_entropy_as_published():
    found = weights(ZAVADSKAS, "entropy", directions="benefit")
    assert [round(w, 4) for w in found.values()] == [0.1146, 0.1981, 0.4185, 0.2689]
    found = weights(XU, "entropy", directions="benefit")
    assert [round(w, 4) for w in found.values()] == [0.4630, 0.3992, 0.1378, 0.0]


def test_critic_as_published():
    found = weights(TUS, "critic", directions="benefit")
    assert [round(w, 3) for w in found.values()] == [0.157, 0.249, 0.168, 0.121, 0.154, 0.151]


AS_R = [
    (ZAVADSKAS, "entropy", "benefit", "zavadskas"),
    (ZAVADSKAS, "entropy", MIXED, "zavadskas cost"),
    (ZAVADSKAS, "critic", MIXED, "zavadskas cost"),
    (TUS, "critic", "benefit", "tus"),
    (TUS, "critic", COSTLY, "tus cost"),
]


@pytest.mark.parametrize(("frame", "method", "directions", "case"), AS_R)
def test_objective_weights_as_r(frame, method, directions, case):
    found = weights(frame, method, directions=directions)
    np.testing.assert_allclose(list(found.values()), expected(case, method), atol=ROUNDING)


@pytest.mark.parametrize("method", ["entropy", "critic"])
def test_order_and_units_do_not_matter(method):
    frame = table()
    ways = {"c1": "benefit", "c2": "cost", "c3": "benefit", "c4": "cost"}
    one = weights(frame, method, directions=ways)
    scaled = frame * [1, 10, 0.1, 1000]
    scaled = scaled.sample(frac=1, random_state=1)[["c3", "c1", "c4", "c2"]]
    other = weights(scaled, method, directions=ways)
    for name in frame:
        assert other[name] == pytest.approx(one[name], abs=ROUNDING)
    low, high = one.table["leave_one_out_min"], one.table["leave_one_out_max"]
    again = [weights(frame.drop(unit), method, directions=ways)["c1"] for unit in frame.index]
    assert (low.iloc[0], high.iloc[0]) == pytest.approx((min(again), max(again)))


def test_critic_takes_any_origin_and_entropy_does_not():
    frame = table()
    shifted = frame + 100
    one, other = (weights(x, "critic", directions="benefit") for x in (frame, shifted))
    assert one.as_dict() == pytest.approx(other.as_dict())
    one, other = (weights(x, "entropy", directions="benefit") for x in (frame, shifted))
    assert abs(one["c1"] - other["c1"]) > 0.001


# Models


@pytest.mark.parametrize("standardised", [True, False])
def test_regression_as_r(standardised):
    frame, _ = data("attitude")
    found = weights(
        frame, "regression", outcome="rating", drivers=["complaints", "learning", "raises"],
        standardised=standardised, negative="zero", n_resamples=200,
    )  # fmt: skip
    case = expected("attitude", "regression" if standardised else "regression raw")
    shares = np.maximum(case, 0) / np.maximum(case, 0).sum()
    np.testing.assert_allclose(list(found.values()), shares, atol=ROUNDING)


def test_negative_coefficients_are_refused_or_said():
    frame = drivers(slopes=(0.6, 0.4, -0.3))
    with pytest.raises(DataError, match=r"negative coefficients: d3 -0\.\d+; a weight is 0"):
        weights(frame, "regression", outcome="overall")
    found = weights(frame, "regression", outcome="overall", negative="zero", n_resamples=300)
    assert found["d3"] == 0
    assert any("set to 0: d3 -0." in note.en for note in found.notes)
    assert found.table.loc["d3", "beta"] < 0


def test_regression_recovers_the_slopes():
    found = weights(drivers(20_000), "regression", outcome="overall", n_resamples=300)
    np.testing.assert_allclose(list(found.values()), [0.5, 0.3, 0.2], atol=0.03)
    assert (found.table["ci_low"] < [0.5, 0.3, 0.2]).all()
    assert (found.table["ci_high"] > [0.5, 0.3, 0.2]).all()


@pytest.mark.parametrize("method", ["regression", "shapley", "johnson"])
def test_units_of_answers_do_not_matter(method):
    frame = drivers()
    one = weights(frame, method, outcome="overall", n_resamples=200)
    scaled = (frame * [3, 0.1, 20, 5] + 7)[["d2", "overall", "d3", "d1"]]
    other = weights(scaled, method, outcome="overall", n_resamples=200)
    for column in ("weight", "ci_low", "ci_high"):
        np.testing.assert_allclose(
            other.table.loc[one.table.index, column], one.table[column], atol=1e-9
        )


def test_shares_are_those_of_the_drivers_room():
    pytest.importorskip("cxstats.priorities.drivers.importance_measures")
    from cxstats.priorities.drivers.importance_measures import johnson, shapley

    frame = drivers()
    corr = np.corrcoef(frame.to_numpy().T)
    for method, function in (("shapley", shapley), ("johnson", johnson)):
        found = weights(frame, method, outcome="overall", n_resamples=200)
        part = function(corr)
        np.testing.assert_allclose(list(found.values()), part / part.sum(), atol=ROUNDING)


def test_moments_give_no_interval():
    frame = drivers()
    own = cx.moments(frame)
    found = weights(own, "shapley", outcome="overall")
    both = weights(frame, "shapley", outcome="overall", n_resamples=200)
    assert found.as_dict() == pytest.approx(both.as_dict())
    assert found.table["ci_low"].isna().all()
    assert any("no interval" in note.en for note in found.notes)


@pytest.mark.parametrize("kind", ["polars", "duckdb"])
def test_any_table(kind):
    frame = drivers()
    other = pl.from_pandas(frame) if kind == "polars" else duckdb.from_df(frame)
    options = {"outcome": "overall", "drivers": ["d1", "d2", "d3"], "n_resamples": 200}
    one, found = (weights(x, "regression", **options) for x in (frame, other))
    assert found.as_dict() == pytest.approx(one.as_dict())


def test_pls_outer_weights_and_effects():
    frame, _ = cx.load_ecsi_mobile()
    fit = cx.pls(MODEL, frame)
    outer = fit.weights.set_index("item")["weight"][["CUSA1", "CUSA2", "CUSA3"]]
    found = weights(fit, "pls", construct="Satisfaction", n_resamples=200)
    np.testing.assert_allclose(list(found.values()), outer / outer.sum(), atol=ROUNDING)
    raw = weights(fit, "pls", construct="Satisfaction", standardised=False, n_resamples=200)
    sd = frame[["CUSA1", "CUSA2", "CUSA3"]].std()
    np.testing.assert_allclose(list(raw.values()), (outer / sd) / (outer / sd).sum(), atol=ROUNDING)
    effects = fit.effects.set_index(["lhs", "rhs"]).loc["Satisfaction", "total"]
    total = weights(fit, "pls", target="Satisfaction", n_resamples=200)
    assert total["Image"] == pytest.approx(effects["Image"] / effects.sum())
    assert "total effects on Satisfaction" in [note.en for note in total.notes]
    assert total.basis.zh == "对 Satisfaction 的总效应"
    direct = weights(fit, "pls", target="Satisfaction", effects="direct", n_resamples=200)
    assert direct["Image"] < total["Image"]
    for one in (found, raw, total, direct):
        assert (one.table["ci_low"] < one.table["weight"]).all()
        assert (one.table["ci_high"] > one.table["weight"]).all()


# The result


def test_is_a_mapping_that_weighs():
    found = weights(points(), "points", columns=["a", "b", "c"])
    assert check_weights(found, ["a", "b", "c"]) == pytest.approx(found.as_dict())
    assert dict(found) == found.as_dict()
    assert len(found) == 3
    assert sum(found.values()) == pytest.approx(1)
    assert found.table.index.name == "component"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_summary_and_chart(lang):
    found = weights(points(), "points", columns=["a", "b", "c"])
    assert {"en": "  a: ", "zh": "  a："}[lang] in found.summary(lang)
    found.plot(lang=lang)
    assert "<pre>" in found._repr_html_()
    bare = weights(ZAVADSKAS, "entropy", directions="benefit")
    assert "interval" in bare.summary()
    bare.plot(lang=lang)


# Bad input

FRAME = points()
BAD = [
    (FRAME, "weight", {}, "method is 'weight'; allowed: points, ahp"),
    (FRAME, "points", {"column": ["a"]}, "'column' is no option of 'points'; there are: columns"),
    (FRAME, "points", {}, "name the columns"),
    (FRAME, "points", {"columns": ["a", "b"]}, "row 0: the points sum to .*; allowed: 100, 0.5"),
    (FRAME, "points", {"columns": ["a", "d"]}, "column 'd' is not in the table"),
    (FRAME, "points", {"columns": "a"}, "columns is 'a'; allowed: a list"),
    (FRAME, "points", {"columns": list("abc"), "mean": "median"}, "mean is 'median'; allowed"),
    (FRAME.assign(a=-1.0), "points", {"columns": list("abc")}, "row 0, column 'a': -1 points"),
    (FRAME, "entropy", {}, "method 'entropy' needs directions"),
    (FRAME, "entropy", {"directions": "up"}, "directions: 'a' has 'up'; allowed: benefit, cost"),
    (FRAME, "entropy", {"directions": ["benefit"] * 3}, "directions is .*; allowed: benefit, cost"),
    (FRAME, "entropy", {"directions": None}, "directions is None; allowed: benefit, cost"),
    (FRAME, "entropy", {"columns": "abc", "directions": "benefit"},
     "columns is 'abc'; allowed: a list of columns"),
    (FRAME, "critic", {"columns": ["a", "a"], "directions": "benefit"}, "'a' is named twice"),
    (FRAME[["a"]].assign(b=FRAME["a"]), "critic", {"directions": "benefit"},
     "'a', 'b' correlate with 1: they do not conflict"),
    (FRAME[["a"]].assign(b=3 * FRAME["a"] + 0.1), "critic", {"directions": "benefit"},
     "'a', 'b' correlate with 1"),
    (FRAME.set_axis(range(3), axis=1), "entropy", {"directions": dict.fromkeys(range(4), "cost")},
     "directions: 3 is no criterion; there are: 0, 1, 2"),
    (FRAME.assign(a=pd.Timestamp("2024-01-01")), "entropy", {"directions": "cost"},
     "row 0, column 'a': '2024-01-01 00:00:00' is a date"),
    (FRAME, "critic", {"directions": {"a": "cost"}}, "directions: 'b' has None"),
    (FRAME.assign(b=5), "critic", {"directions": "cost"}, "column 'b' is 5 for every unit"),
    (FRAME.assign(b=0), "entropy", {"directions": "cost"}, "row 0, column 'b': 0; .* above 0"),
    (FRAME.assign(b=-3), "entropy", {"directions": "benefit"}, "column 'b': -3; .* 0 upwards"),
    (FRAME.assign(b=np.nan), "critic", {"directions": "cost"}, "row 0, column 'b': no value"),
    (FRAME, "regression", {"outcome": "z"}, "column 'z' is not in the table"),
    (FRAME, "shapley", {}, "method 'shapley' needs outcome"),
    (FRAME, "regression", {"outcome": "a", "drivers": ["a"]}, "'a' is the outcome and a driver"),
    (FRAME, "regression", {"outcome": "a", "drivers": "b"}, "drivers is 'b'; allowed: a list"),
    (FRAME.assign(d=FRAME["b"]), "regression", {"outcome": "a", "drivers": ["b", "d"]},
     "the drivers determine each other"),
    (FRAME.assign(d=1), "johnson", {"outcome": "a", "drivers": ["b", "d"]},
     "column 'd' is constant"),
    (FRAME, "pls", {"construct": "A"}, "needs a fit of cxstats.models.pls, not 'DataFrame'"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "method", "options", "message"), BAD)
def test_bad_input(frame, method, options, message):
    with pytest.raises(CxError, match=message):
        weights(frame, method, **options)


def test_critic_weighs_a_twin_where_others_conflict():
    frame = table()
    found = weights(frame.assign(c5=frame["c1"]), "critic", directions="benefit")
    assert found["c5"] == pytest.approx(found["c1"])
    assert sum(found.values()) == pytest.approx(1)


def test_zero_points_have_no_logarithm():
    frame = pd.DataFrame({"a": [50, 100], "b": [50, 0]})
    with pytest.raises(DataError, match="row 1, column 'b': 0 points; it has no logarithm"):
        weights(frame, "points", columns=["a", "b"], mean="geometric")
    assert weights(frame, "points", columns=["a", "b"])["a"] == 0.75


def test_bad_questions_to_pls():
    fit = cx.pls(MODEL, cx.load_ecsi_mobile()[0])
    with pytest.raises(CxError, match="construct is 'X'; allowed: Image"):
        weights(fit, "pls", construct="X")
    with pytest.raises(CxError, match="target is 'Image'; allowed: Quality, Satisfaction"):
        weights(fit, "pls", target="Image")
    with pytest.raises(CxError, match="give construct="):
        weights(fit, "pls")
