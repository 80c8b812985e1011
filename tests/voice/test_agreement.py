"""Agreement of raters: published values, psych's kappa, identities, refusals, coverage."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa

import cxstats as cx
from tests.survey.test_coding import as_engine

NAN = np.nan
# Four coders, twelve units: Krippendorff (2011), Computing Krippendorff's alpha-reliability.
CODERS = pd.DataFrame(
    {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        "C": [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    }
)
PSYCH = pd.read_csv(Path(__file__).parents[1] / "reference" / "agreement.csv")
TABLES = {
    "three": np.array([[53, 11, 1], [5, 14, 6], [2, 5, 3]]),
    "five": np.array([[12, 4, 1, 0, 0], [3, 15, 6, 1, 0], [1, 5, 18, 5, 1], [0, 1, 4, 14, 4],
                      [0, 0, 2, 3, 10]]),
}  # fmt: skip
FLEISS = np.array(  # The worked example of textbooks: ten items, 14 raters, kappa .210
    [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
     [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]]
)  # fmt: skip


def pairs(table):
    """Return one row per item of a table of two raters."""
    i, j = np.indices(table.shape)
    return pd.DataFrame(
        {"a": np.repeat(i.ravel(), table.ravel()), "b": np.repeat(j.ravel(), table.ravel())}
    )


@pytest.mark.parametrize(
    ("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_the_published_one(scale, alpha):
    result = cx.agreement(CODERS, kind="krippendorff", scale=scale, n_resamples=50)
    assert round(result.coefficient["estimate"], 3) == alpha
    assert (result.n, result.n_left_out, result.n_raters) == (11, 1, 4)


@pytest.mark.parametrize(
    "row", list(PSYCH.itertuples()), ids=lambda row: f"{row.table}-{row.weights}"
)
def test_kappa_is_that_of_psych(row):
    weights = None if row.weights == "none" else row.weights
    kappa = cx.agreement(pairs(TABLES[row.table]), weights=weights, n_resamples=2).coefficient
    assert kappa["estimate"] == pytest.approx(row.kappa, abs=1e-11)
    if weights is None:
        assert kappa["se"] ** 2 == pytest.approx(row.variance, rel=1e-8)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
@pytest.mark.parametrize("name", TABLES)
def test_the_error_of_kappa_is_that_of_the_delta_method(name, weights):
    """Numerical derivatives of kappa by the shares of the cells; Fleiss et al. are that."""
    table = TABLES[name].astype(float)
    k, n = len(table), table.sum()
    distance = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / (k - 1)
    agree = np.eye(k) if weights is None else 1 - distance ** (1 if weights == "linear" else 2)

    def kappa(p):
        p = p / p.sum()
        chance = (agree * np.outer(p.sum(axis=1), p.sum(axis=0))).sum()
        return ((agree * p).sum() - chance) / (1 - chance)

    p, step = table / n, 1e-6
    slopes = np.array(
        [(kappa(p + step * d) - kappa(p - step * d)) / (2 * step)
         for d in np.eye(k * k).reshape(-1, k, k)]
    )  # fmt: skip
    variance = (p.ravel() @ slopes**2 - (p.ravel() @ slopes) ** 2) / n
    result = cx.agreement(pairs(TABLES[name]), weights=weights, n_resamples=2).coefficient
    assert result["se"] == pytest.approx(np.sqrt(variance), rel=1e-6)


def test_fleiss_kappa_is_that_of_the_textbook_and_of_statsmodels():
    rows = [np.repeat(np.arange(5), counts) for counts in FLEISS]
    result = cx.agreement(pd.DataFrame(rows), kind="fleiss", n_resamples=2)
    assert result.coefficient["estimate"] == pytest.approx(fleiss_kappa(FLEISS), abs=1e-12)
    assert round(result.coefficient["estimate"], 3) == 0.210


def test_identities():
    """Two raters: classes by 2 n_jj / (n_j. + n_.j); raters changed over; classes renamed."""
    frame = pairs(TABLES["three"])
    result = cx.agreement(frame, n_resamples=2).table
    table = TABLES["three"]
    by_hand = 2 * np.diag(table) / (table.sum(axis=0) + table.sum(axis=1))
    np.testing.assert_allclose(result["estimate"][2:], by_hand)
    assert result["estimate"][0] == pytest.approx(np.trace(table) / table.sum())
    again = cx.agreement(frame[["b", "a"]].replace({0: 9}), n_resamples=2).table
    assert again["estimate"][1] == pytest.approx(result["estimate"][1])
    # With two classes and many items, alpha, Fleiss' and weighted kappas come together.
    two = pd.concat([pairs(np.array([[40, 10], [10, 40]]))] * 50)
    values = [
        cx.agreement(two, n_resamples=2, **options).coefficient["estimate"]
        for options in ({}, {"kind": "fleiss"}, {"weights": "quadratic"}, {"kind": "krippendorff"})
    ]
    np.testing.assert_allclose(values, 0.6, atol=1e-4)


def test_full_agreement_has_no_interval_and_no_error():
    result = cx.agreement(pd.DataFrame({"a": list("aabb"), "b": list("aabb")}), n_resamples=20)
    assert result.table["estimate"].tolist() == [1.0] * 4
    assert result.coefficient[["ci_low", "ci_high"]].isna().all()
    assert 0 < result.table["ci_low"][0] < 1  # Wilson's


def test_texts_have_an_order_where_it_counts():
    frame = pd.DataFrame({"a": ["low", "mid", "high", "low"], "b": ["low", "high", "high", "mid"]})
    order = ["low", "mid", "high"]
    expected = cx.agreement(frame.map(order.index), weights="linear", n_resamples=2).table
    ordered = frame.astype(pd.CategoricalDtype(order, ordered=True))
    for table, options in ((frame, {"order": order}), (ordered, {})):
        result = cx.agreement(table, weights="linear", n_resamples=2, **options).table
        np.testing.assert_allclose(result["estimate"], expected["estimate"])


@pytest.mark.parametrize("engine", ["polars", "pyarrow", "duckdb"])
def test_every_engine_gives_the_same(engine):
    frame = pairs(TABLES["three"])
    result = cx.agreement(as_engine(frame, engine), n_resamples=20)
    pd.testing.assert_frame_equal(result.table, cx.agreement(frame, n_resamples=20).table)


def test_a_prevalent_class_is_noted():
    frame = pairs(np.array([[90, 4], [4, 2]]))
    notes = [note.en for note in cx.agreement(frame, n_resamples=2).notes]
    assert any("nearly all ratings are 0" in note for note in notes)
    assert not cx.agreement(pairs(np.array([[50, 4], [4, 42]])), n_resamples=2).notes


AB = pd.DataFrame({"a": list("xyx"), "b": list("xyy"), "c": [1, 2, 3]})


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (AB, {}, "3 raters .a, b, c.; allowed: exactly 2"),
        (AB, {"raters": ["a"]}, "1 raters"),
        (AB, {"raters": ["a", "z"]}, "column 'z' .a rater. is not in the table"),
        (AB, {"raters": ["a", "a"]}, "column 'a' stands twice"),
        (AB, {"raters": ["a", "c"]}, "texts and numbers, such as 1"),
        (AB, {"raters": ["a", "b"], "kind": "kappa"}, "kind='kappa'; allowed: 'cohen'"),
        (AB, {"raters": ["a", "b"], "weights": "linear"}, "texts: x, y; say their order"),
        (AB, {"raters": ["a", "b"], "kind": "fleiss", "weights": "linear"}, "for kind='cohen'"),
        (AB, {"raters": ["a", "b"], "scale": "ordinal"}, "is for kind='krippendorff'"),
        (AB, {"raters": ["a", "b"], "order": ["x"]}, "row 1, column 'a': 'y'; allowed, by order="),
        (AB, {"raters": ["a", "b"], "order": ["x", "y"], "kind": "krippendorff",
              "scale": "interval"}, "needs numbers; the classes are x, y"),
        (AB.assign(b=None), {"raters": ["a", "b"]}, "0 items with all ratings"),
        (AB.assign(b="x", a="x"), {"raters": ["a", "b"]}, "all ratings are 'x'"),
        (AB.assign(a=np.inf, b=1.0), {"raters": ["a", "b"]}, "column 'a': inf; allowed: finite"),
        (AB.assign(a=[[1], [2], [3]]), {"raters": ["a", "b"]}, "row 0, column 'a'"),
        (AB, {"raters": ["a", "b"], "order": 5}, "order=5; allowed: a list of the classes"),
        (pd.DataFrame({"a": [1, dt.date(2024, 1, 1)], "b": 1}), {}, "classes of several kinds"),
        (AB.iloc[:0], {"raters": ["a", "b"]}, "no rows"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(frame, options, message):
    with pytest.raises(cx.CxError, match=message):
        cx.agreement(frame, **options)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cohen", "krippendorff"])
@pytest.mark.parametrize("n", [50, 200])
def test_intervals_cover(kind, n):
    rng = np.random.default_rng(n)
    shares, kappa, covered, n_tables = [0.4, 0.3, 0.2, 0.1], 0.7, 0, 400
    for seed in range(n_tables):
        first = rng.choice(4, n, p=shares)
        second = np.where(rng.random(n) < kappa, first, rng.choice(4, n, p=shares))
        frame = pd.DataFrame({"a": first, "b": second})
        row = cx.agreement(frame, kind=kind, n_resamples=300, seed=seed).coefficient
        covered += row["ci_low"] <= kappa <= row["ci_high"]
    assert covered / n_tables > 0.95 - 3 * np.sqrt(0.95 * 0.05 / n_tables) - 0.01
