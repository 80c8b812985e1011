import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog, minimize

from cxstats.core.errors import CxError, DataError
from cxstats.weighting import weight_sensitivity, weights
from cxstats.weighting.swaps import least_moved, nearest, single_weight
from cxstats.weighting.uncertainty import draw_weights, rescaled
from tests.references import reference
from tests.weighting.examples import ALTERNATIVES, CRITERIA, GIVEN, table

ROUNDING = 1e-10
SOLVER = 1e-6  # what scipy's general solver reaches
W = np.array(list(GIVEN.values()))


def published(**options):
    return weight_sensitivity(ALTERNATIVES, GIVEN, **options)


def random_pairs(k=5, n=60, seed=3):
    generator = np.random.default_rng(seed)
    w = generator.dirichlet(np.ones(k))
    d = generator.normal(size=(n, k))
    return w, np.where((d @ w)[:, None] >= 0, d, -d)


def test_preferences_as_published():
    """Triantaphyllou & Sanchez print .3162 for A1, first of the four."""
    found = published()
    assert list(found.table.index) == ["A1", "A2", "A3", "A4"]
    assert found.table["rank"].tolist() == [1, 2, 3, 4]
    assert found.table.loc["A1", "score"] == pytest.approx(0.3162, abs=0.0001)


def test_single_changes_as_r():
    rows = reference("weighting")
    rows = rows[rows["quantity"] == "single"]
    changes = published().changes.set_index(["higher", "lower", "criterion"])
    known = changes.dropna()
    assert len(known) == len(rows) > 10
    for row in rows.itertuples():
        higher, lower = row.case.split("-")
        at = known.loc[(higher, lower, f"C{row.name}"), "weight_at_swap"]
        assert at == pytest.approx(float(row.value), abs=ROUNDING)


def test_single_changes_agree_with_the_formula_of_the_paper():
    """Their delta is made before weights are scaled again: w' = (w - delta) / (1 - delta)."""
    rows = reference("weighting")
    rows = rows[rows["quantity"] == "delta"]
    changes = published().changes.set_index(["higher", "lower", "criterion"])["weight_at_swap"]
    compared = 0
    for row in rows.itertuples():
        higher, lower = row.case.split("-")
        delta, k = float(row.value), int(row.name) - 1
        at = changes[higher, lower, CRITERIA[k]]
        if np.isfinite(at):
            assert at == pytest.approx((W[k] - delta) / (1 - delta), abs=ROUNDING)
            compared += 1
    assert compared > 10


def test_shortest_changes_as_quadprog():
    rows = reference("weighting")
    rows = rows[rows["quantity"] == "distance"]
    pairs = published().swaps.set_index(["higher", "lower"])
    assert pairs.loc[("A1", "A4"), "dominated"]
    assert len(rows) == 5
    for row in rows.itertuples():
        found = pairs.loc[tuple(row.case.split("-")), "distance"]
        assert found == pytest.approx(float(row.value), abs=1e-9)


def test_changes_really_tie_the_two():
    for seed in range(5):
        w, d = random_pairs(seed=seed)
        single = single_weight(w, d)
        for pair, k in np.argwhere(np.isfinite(single)):
            assert d[pair] @ rescaled(w, k, single[pair, k]) == pytest.approx(0, abs=ROUNDING)
        for function in (least_moved, nearest):
            size, at = function(w, d)
            known = np.isfinite(size)
            assert (known == (d.min(axis=1) <= 0)).all()
            np.testing.assert_allclose((at * d)[known].sum(axis=1), 0, atol=ROUNDING)
            np.testing.assert_allclose(at[known].sum(axis=1), 1, atol=ROUNDING)
            assert at[known].min() >= -1e-12


def test_least_moved_is_the_linear_programme():
    w, d = random_pairs(k=4, n=25)
    moved, at = least_moved(w, d)
    np.testing.assert_allclose(np.abs(at - w).sum(axis=1) / 2, moved, atol=ROUNDING)
    eye = np.eye(4)
    for one, found in zip(d, moved, strict=True):
        if np.isnan(found):
            continue
        # variables: u, then s >= |u - w|
        bounds = np.block([[eye, -eye], [-eye, -eye]]), np.concatenate([w, -w])
        equal = np.array([[*one, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0]])
        best = linprog([0] * 4 + [0.5] * 4, *bounds, equal, [0, 1])
        assert found == pytest.approx(best.fun, abs=1e-9)


def test_nearest_is_the_quadratic_programme():
    w, d = random_pairs(k=4, n=15, seed=8)
    length, _ = nearest(w, d)
    for one, found in zip(d, length, strict=True):
        if np.isnan(found):
            continue
        best = minimize(
            lambda u: ((u - w) ** 2).sum(), np.full(4, 0.25), method="SLSQP", bounds=[(0, 1)] * 4,
            constraints=[{"type": "eq", "fun": lambda u, d=one: d @ u},
                         {"type": "eq", "fun": lambda u: u.sum() - 1}],
            options={"ftol": 1e-15, "maxiter": 500},
        )  # fmt: skip
        assert found == pytest.approx(np.sqrt(best.fun), abs=SOLVER)


def test_order_of_units_and_criteria_does_not_matter():
    frame = table()
    given = dict(zip(frame, [0.4, 0.3, 0.2, 0.1], strict=True))
    one = weight_sensitivity(frame, given)
    turned = frame.sample(frac=1, random_state=2)[["c3", "c1", "c4", "c2"]]
    other = weight_sensitivity(turned, given)
    columns = ["score", "rank", "dominated_by", "moved"]
    pd.testing.assert_frame_equal(one.table[columns], other.table[columns], atol=1e-9)
    columns = ["higher", "lower", "criterion", "change", "moved", "distance"]
    pd.testing.assert_frame_equal(one.swaps[columns], other.swaps[columns], atol=1e-8)


def test_changes_do_not_depend_on_the_scale_of_scores():
    one, other = published(), weight_sensitivity(25 * ALTERNATIVES + 40, GIVEN)
    columns = ["change", "relative", "moved", "distance", "dominated", "reversed_any"]
    pd.testing.assert_frame_equal(one.swaps[columns], other.swaps[columns], atol=1e-9)


def test_one_who_is_dominated_is_never_first():
    frame = table(6)
    frame.loc["worse"] = frame.loc["u1"] - 0.5
    given = dict.fromkeys(frame, 0.25)
    found = weight_sensitivity(frame, given, concentration=3)
    row = found.table.loc["worse"]
    assert row["first_share"] == row["first_share_any"] == 0
    assert row["dominated_by"] >= 1
    pair = found.swaps[(found.swaps["higher"] == "u1") & (found.swaps["lower"] == "worse")].iloc[0]
    assert pair["dominated"]
    assert pair["reversed"] == pair["reversed_any"] == 0
    assert np.isnan(pair[["change", "moved", "distance"]].to_numpy(float)).all()


def test_equal_units_share_every_rank():
    frame = pd.DataFrame([[3, 5, 4], [3, 5, 4], [1, 2, 3]], list("ABC"), ["x", "y", "z"])
    found = weight_sensitivity(frame, [0.3, 0.3, 0.4], concentration=20)
    assert found.table["rank"].tolist() == [1, 1, 3]
    assert found.table["first_share"].tolist() == [1, 1, 0]
    pair = found.swaps.iloc[0]
    assert not pair["dominated"]
    assert pair["moved"] == pair["distance"] == pair["change"] == 0
    assert "tie with these weights" in found.summary()


def test_tie_by_a_weight_of_zero_is_still_dominance():
    frame = pd.DataFrame([[3, 5], [3, 6]], list("AB"), ["x", "y"])
    found = weight_sensitivity(frame, [1, 0])
    assert found.table["rank"].to_dict() == {"A": 1, "B": 1}
    assert found.table["dominated_by"].to_dict() == {"A": 1, "B": 0}
    assert found.swaps.loc[0, ["higher", "lower"]].tolist() == ["B", "A"]
    found.plot("tornado")


def test_dirichlet_has_the_weights_as_mean():
    n, c = 200_000, 40
    drawn = draw_weights(W, c, n, seed=5)
    se = np.sqrt(W * (1 - W) / (c + 1))
    np.testing.assert_allclose(drawn.mean(axis=0), W, atol=5 * se.max() / np.sqrt(n))
    np.testing.assert_allclose(drawn.std(axis=0), se, rtol=0.01)
    assert (draw_weights(np.array([0.6, 0.4, 0]), 10, 100, 1)[:, 2] == 0).all()


def test_share_of_all_weights_is_an_area():
    """Two criteria, lines that cross at .6 and .9: first with .4 of all weights, .3, .1."""
    frame = pd.DataFrame([[10, 0], [6, 6], [1, 7]], list("ABC"), ["x", "y"], float)
    # A > B where x > .6; B > C where 5 x > 1 - x, x > 1/6
    found = weight_sensitivity(frame, [0.7, 0.3], n_draws=100_000)
    shares = found.table["first_share_any"][["A", "B", "C"]]
    np.testing.assert_allclose(shares, [0.4, 0.6 - 1 / 6, 1 / 6], atol=0.006)
    assert found.swaps.loc[0, "weight_at_swap"] == pytest.approx(0.6)
    expected = found.acceptability.assign(mean=lambda t: t["rank"] * t["share_any"])
    np.testing.assert_allclose(
        expected.groupby("unit")["mean"].sum()[["A", "B", "C"]],
        found.table["expected_rank_any"][["A", "B", "C"]],
    )


def test_certain_weights_change_nothing():
    found = published(concentration=1e9)
    assert found.table["first_share"].tolist() == [1, 0, 0, 0]
    np.testing.assert_allclose(found.table["expected_rank"], found.table["rank"])
    np.testing.assert_allclose(found.table["score_ci_low"], found.table["score"], rtol=1e-3)


def test_concentration_from_the_intervals_of_weights():
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(100 * generator.dirichlet([8, 5, 3, 4], 50), columns=CRITERIA)
    given = weights(frame, "points", columns=CRITERIA)
    found = weight_sensitivity(ALTERNATIVES, given)
    se = found.draws.std(axis=0)
    assert (se**2).sum() == pytest.approx((given.table["se"] ** 2).sum(), rel=0.05)
    assert found.ranges["low"].tolist() == given.table["ci_low"].tolist()
    assert any("from the standard errors" in note.en for note in found.notes)
    wide = weight_sensitivity(ALTERNATIVES, given, concentration=2, change=0.2)
    assert wide.concentration == 2
    assert wide.ranges.loc["C1", "high"] == pytest.approx(given["C1"] + 0.2)


def test_nothing_is_assumed_where_nothing_is_said():
    found = published()
    assert found.table["first_share"].isna().all()
    assert np.isnan(found.concentration)
    assert found.table["first_share_any"].sum() == pytest.approx(1)


def test_tornado():
    found = published(change=0.15).tornado("A2")
    assert found["swing"].is_monotonic_decreasing
    row = found.set_index("criterion").loc["C1"]
    others = W[1:] / W[1:].sum()
    high = np.array([W[0] + 0.15, *((1 - W[0] - 0.15) * others)])
    assert row["score_high"] == pytest.approx(ALTERNATIVES.loc["A2"] @ high)
    assert row["base"] == pytest.approx(ALTERNATIVES.loc["A2"] @ W)
    assert row["rank_high"] == 1 + (ALTERNATIVES @ high > ALTERNATIVES.loc["A2"] @ high).sum()


def test_simplex_names_the_winner():
    frame = ALTERNATIVES[CRITERIA[:3]]
    found = weight_sensitivity(frame, [0.4, 0.3, 0.3])
    grid = found.simplex(20)
    assert len(grid) == 231
    best = (grid[CRITERIA[:3]].to_numpy() @ frame.to_numpy().T).argmax(axis=1)
    assert grid["winner"].tolist() == frame.index[best].tolist()
    shares = grid["winner"].value_counts(normalize=True)
    for unit, share in shares.items():
        assert share == pytest.approx(found.table.loc[unit, "first_share_any"], abs=0.06)


def test_arrays_columns_of_names_and_weights_that_sum_to_100():
    one = published()
    named = ALTERNATIVES.rename_axis("branch").reset_index()
    hundred = {name: 100 * w for name, w in GIVEN.items()}
    other = weight_sensitivity(named, hundred, units="branch")
    pd.testing.assert_frame_equal(one.table, other.table)
    bare = weight_sensitivity(ALTERNATIVES.to_numpy(), GIVEN)
    assert bare.table.index[0] == "unit 1"
    np.testing.assert_allclose(bare.table["score"], one.table["score"])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_summary_and_charts(lang):
    frame = ALTERNATIVES[CRITERIA[:3]]
    for c in (None, 40):
        found = weight_sensitivity(frame, [0.4, 0.3, 0.3], concentration=c)
        assert "A1" in found.summary(lang)
        for kind in ("ranks", "tornado", "simplex"):
            found.plot(kind, lang=lang)
    assert "A3" in found.plot("tornado", unit="A3", lang=lang).get_xlabel()
    assert "A1" in found.plot("tornado", lang=lang).get_xlabel()
    assert "<pre>" in found._repr_html_()
    sure = frame.assign(C1=[9, 1, 2, 0], C2=[9, 1, 2, 0], C3=[9, 1, 2, 0])
    assert weight_sensitivity(sure, [0.4, 0.3, 0.3]).summary(lang)


BAD = [
    ({"C1": 0.5, "C2": 0.5}, {}, "weights: 'C3' has none"),
    (GIVEN | {"C9": 0}, {}, "weights: 'C9' is not known; allowed: C1, C2, C3, C4"),
    (GIVEN | {"C1": 0.5}, {}, "weights: they sum to 1.17"),
    (GIVEN | {"C1": -0.1}, {}, "weights: 'C1' has -0.1; allowed: numbers from 0 upwards"),
    ([0.5, 0.5], {}, "2 weights for 4 criteria"),
    (GIVEN, {"concentration": 0}, "concentration is 0; allowed: 0.1 upwards"),
    (GIVEN, {"change": 2}, "change is 2; allowed: above 0, at most 1"),
    (GIVEN, {"n_draws": 0}, "n_draws is 0; allowed: whole numbers"),
    (GIVEN, {"level": 2}, "level is 2"),
    (GIVEN, {"units": "branch"}, "column 'branch' is not in the table"),
]


@pytest.mark.parametrize(("given", "options", "message"), BAD)
def test_bad_options(given, options, message):
    with pytest.raises(CxError, match=message):
        weight_sensitivity(ALTERNATIVES, given, **options)


def test_bad_scores():
    gap = ALTERNATIVES.copy()
    gap.loc["A2", "C3"] = np.nan
    with pytest.raises(DataError, match="row 'A2', column 'C3': no score"):
        weight_sensitivity(gap, GIVEN)
    twice = pd.concat([ALTERNATIVES, ALTERNATIVES.head(1)])
    with pytest.raises(DataError, match="unit 'A1' stands twice"):
        weight_sensitivity(twice, GIVEN)
    with pytest.raises(DataError, match="column 'C1': 'high' is not a number"):
        weight_sensitivity(ALTERNATIVES.assign(C1="high"), GIVEN)
    with pytest.raises(CxError, match="no unit 'A9'; there are: A1"):
        published().tornado("A9")
    with pytest.raises(CxError, match="4 criteria; a triangle"):
        published().plot("simplex")
    with pytest.raises(CxError, match="4 criteria; a triangle of weights shows exactly 3"):
        published().simplex()
    with pytest.raises(CxError, match=r"plot\(kind='pie'\); allowed: 'ranks', 'tornado'"):
        published().plot("pie")
