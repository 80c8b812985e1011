"""Importance-performance analysis: importances, quadrants, their certainty, bad input."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.core.moments import resampling_counts
from cxstats.priorities.importance import from_ipma, importance_performance
from cxstats.priorities.quadrants import cuts, on_the_line, quadrant_codes
from tests.references import data

ITEMS = ["PERQ1", "PERQ2", "PERQ3", "PERV1"]
DERIVED = ("correlation", "regression", "shapley", "johnson")
EXACT = 1e-9  # the same arithmetic in another order
# relaimpo's lmg of attitude, printed to four digits.
LMG = [0.3708, 0.0509, 0.1558, 0.1203, 0.0066, 0.0282]


def mobi():
    return cx.load_ecsi_mobile()[0].copy()


def found(frame=None, **options):
    given = {"outcome": "CUSA1", "scale": (1, 10), "n_resamples": 300} | options
    return importance_performance(mobi() if frame is None else frame, ITEMS, **given)


def toy(n=400, seed=1):
    """Four items, one in each quadrant; importance is stated, performance runs from 1 to 5."""
    generator = np.random.default_rng(seed)
    performance = {"a": 2.0, "b": 4.0, "c": 2.0, "d": 4.0}
    stated = {"a": 4.5, "b": 4.5, "c": 2.5, "d": 2.5}
    columns = {k: m + generator.uniform(-1, 1, n) for k, m in performance.items()}
    columns |= {f"{k}_stated": m + generator.uniform(-0.5, 0.5, n) for k, m in stated.items()}
    return pd.DataFrame(columns)


STATED = {name: f"{name}_stated" for name in "abcd"}


def test_importances_are_those_of_others():
    import statsmodels.api as sm

    frame = mobi()
    table = found().table
    own = frame[ITEMS].corrwith(frame["CUSA1"])
    np.testing.assert_allclose(table["importance"], own, rtol=EXACT)
    scores = (frame - frame.mean()) / frame.std()
    fit = sm.OLS(scores["CUSA1"], scores[ITEMS]).fit()
    table = found(importance="regression").table
    np.testing.assert_allclose(table["importance"], fit.params, rtol=1e-7)
    for kind in ("shapley", "johnson"):
        shares = found(importance=kind).table["importance"]
        assert shares.sum() == pytest.approx(fit.rsquared)
    attitude = data("attitude")[0]
    names = [name for name in attitude.columns if name != "rating"]
    table = importance_performance(
        attitude, names, outcome="rating", importance="shapley", n_resamples=50
    ).table
    np.testing.assert_allclose(table["importance"], LMG, atol=6e-5)


def test_performance_and_its_scale():
    frame = mobi()
    np.testing.assert_allclose(found(scale=None).table["performance"], frame[ITEMS].mean())
    table = found().table
    np.testing.assert_allclose(table["performance"], 100 * (frame[ITEMS].mean() - 1) / 9)
    error = 100 / 9 * frame[ITEMS].std() / np.sqrt(len(frame))
    np.testing.assert_allclose(table["performance_se"], error, rtol=0.1)  # 300 resamples: 4 %
    by_item = found(scale={**dict.fromkeys(ITEMS, (1, 10)), "PERV1": (0, 10)}).table
    assert by_item["performance"][3] == pytest.approx(10 * frame["PERV1"].mean())


@pytest.mark.parametrize("kind", DERIVED)
def test_replicates_are_analyses_of_resampled_rows(kind):
    frame = mobi()
    result = found(importance=kind, n_resamples=4, seed=3)
    counts = np.concatenate([part for _, part in resampling_counts(len(frame), 4, 3)])
    for b in range(4):
        rows = frame.iloc[np.repeat(np.arange(len(frame)), counts[b].astype(int))]
        own = found(rows.reset_index(drop=True), importance=kind, n_resamples=2).table
        expected = own[["performance", "importance"]]
        np.testing.assert_allclose(result.replicates[b], expected, rtol=1e-7, atol=1e-9)
    tails = np.quantile(result.replicates, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(result.table["importance_ci_low"], tails[0, :, 1])
    np.testing.assert_allclose(result.table["performance_ci_high"], tails[1, :, 0])
    for i, spread in enumerate(result.covariances):
        np.testing.assert_allclose(spread, np.cov(result.replicates[:, i].T))


def test_every_quadrant_and_its_certainty():
    result = importance_performance(
        toy(), list("abcd"), importance="stated", stated=STATED, n_resamples=300
    )
    assert result.table["quadrant"].tolist() == [
        "concentrate here",
        "keep up the good work",
        "low priority",
        "possible overkill",
    ]
    assert (result.table["certainty"] == 1).all()
    assert result.crosshairs_table()["same"].all()
    np.testing.assert_allclose(result.quadrant_shares(), np.eye(4))


def test_a_placement_on_the_line_is_a_coin_toss():
    """An item whose population stands on both lines falls in a quadrant in part of resamples."""
    frame = toy(2_000).assign(
        e=np.random.default_rng(5).uniform(2, 4, 2_000),
        e_stated=np.random.default_rng(6).uniform(3, 4, 2_000),
    )
    stated = STATED | {"e": "e_stated"}
    result = importance_performance(
        frame, list("abcde"), importance="stated", stated=stated, crosshairs=(3, 3.5)
    )
    shares = result.quadrant_shares().loc["e"]
    mean = frame[["e", "e_stated"]].mean()
    error = frame[["e", "e_stated"]].std() / np.sqrt(2_000)
    from scipy.stats import norm

    across, up = norm.cdf((mean.to_numpy() - [3, 3.5]) / error.to_numpy())
    expected = [(1 - across) * up, across * up, (1 - across) * (1 - up), across * (1 - up)]
    np.testing.assert_allclose(shares, expected, atol=0.03)
    assert result.table["certainty"][4] == shares[result.table["quadrant"][4]]


def test_crosshairs():
    x, y = np.array([1.0, 2, 6]), np.array([0.1, 0.2, 0.9])
    assert [float(cut) for cut in cuts("medians", x, y, (None, None))] == [2, 0.2]
    assert [float(cut) for cut in cuts("means", x, y, (None, None))] == [3, pytest.approx(0.4)]
    assert [float(cut) for cut in cuts("scale", x, y, (5, None))] == [5, pytest.approx(0.4)]
    assert [float(cut) for cut in cuts((4, 0.5), x, y, (5, None))] == [4, 0.5]
    same = np.full(3, 0.1)  # a mean of equal numbers may miss them by a rounding
    assert quadrant_codes(same, same, *cuts("means", same, same, (None, None))).tolist() == [1] * 3
    result = found(crosshairs=(60, 0.5))
    table = result.crosshairs_table()
    assert list(table.columns) == ["means", "medians", "scale", "given", "same"]
    assert table["given"].tolist() == result.table["quadrant"].tolist()
    assert (result.performance_cut, result.importance_cut) == (60, 0.5)
    assert table.loc["PERV1", "means"] == "low priority"
    assert "scale" not in found(scale=None).crosshairs_table()
    centred = found(crosshairs="scale")
    assert centred.performance_cut == 50
    assert centred.importance_cut == pytest.approx(centred.table["importance"].mean())
    assert any("importance has no scale" in note.en for note in centred.notes)
    stated = importance_performance(
        toy(), list("abcd"), importance="stated", stated=STATED, crosshairs="scale",
        scale=(1, 5), stated_scale=(1, 5), n_resamples=20,
    )  # fmt: skip
    assert stated.importance_cut == 3


def test_properties():
    frame, one = mobi(), found(scale=None).table
    shifted = found(frame.assign(**(frame[ITEMS] * 2 + 3)), scale=None).table
    for column in ("importance", "importance_ci_low", "quadrant", "certainty"):
        assert shifted[column].tolist() == pytest.approx(one[column].tolist())
    np.testing.assert_allclose(shifted["performance_ci_low"], 2 * one["performance_ci_low"] + 3)
    np.testing.assert_allclose(shifted["covariance"], 2 * one["covariance"])
    pd.testing.assert_frame_equal(one, found(pl.from_pandas(frame), scale=None).table)
    doubled = found(pd.concat([frame, frame], ignore_index=True), scale=None).table
    np.testing.assert_allclose(doubled["importance"], one["importance"])


def test_missing_answers_are_counted():
    frame = mobi().astype(float)
    frame.loc[[0, 7], "PERQ1"] = np.nan
    result = found(frame)
    assert (result.n, result.n_dropped) == (248, 2)
    assert "2 respondents with a missing answer were left out" in [n.en for n in result.notes]


def test_negative_importance_is_said():
    frame = mobi()
    result = found(frame.assign(PERV1=11 - frame["PERV1"]))
    assert any(n.en.startswith("PERV1: importance is negative") for n in result.notes)


def test_map_of_a_pls_model():
    model = """
        Quality =~ PERQ1 + PERQ2 + PERQ3 ; Image =~ IMAG1 + IMAG2 + IMAG3
        Value =~ PERV1 + PERV2 ; Satisfaction =~ CUSA1 + CUSA2 + CUSA3
        Satisfaction ~ Quality + Image + Value
    """
    ipma = cx.pls(model, mobi()).ipma("Satisfaction", scale=(1, 10), n_resamples=50)
    result = from_ipma(ipma)
    np.testing.assert_array_equal(result.table["importance"], ipma.table["importance"])
    np.testing.assert_array_equal(
        result.table["performance_ci_low"], ipma.table["performance_ci_low"]
    )
    assert result.performance_cut == pytest.approx(ipma.table["performance"].mean())
    spread = np.sqrt(np.diagonal(result.covariances, axis1=1, axis2=2))
    np.testing.assert_allclose(result.table[["performance_se", "importance_se"]], spread)
    np.testing.assert_allclose(result.quadrant_shares().sum(axis=1), 1)
    shares = result.quadrant_shares()
    own = [shares.loc[row.item, row.quadrant] for row in result.table.itertuples()]
    np.testing.assert_allclose(result.table["certainty"], own)
    assert list(result.crosshairs_table())[:3] == ["means", "medians", "scale"]
    assert from_ipma(ipma, "scale").performance_cut == 50
    for lang in ("en", "zh"):
        assert len(result.summary(lang).splitlines()) >= 5
        ours, theirs = (one.plot(lang=lang).get_figure() for one in (result, ipma))
        assert ours.get_suptitle() == theirs.get_suptitle() != ""
    with pytest.raises(CxError, match="crosshairs is 'median'"):
        from_ipma(ipma, "median")


@pytest.mark.parametrize("kind", DERIVED)
def test_resamples_without_variation_are_left_out(kind):
    """Of five respondents one answers differently: .8^5 = 33 % of resamples miss that one."""
    frame = pd.DataFrame({"a": [7.1, 7.1, 7.1, 7.1, 9.3], "b": [1.0, 5, 4, 8, 6]})
    frame["y"] = [3.3, 6.1, 5.2, 8.4, 8.1]
    result = importance_performance(
        frame, ["a", "b"], outcome="y", importance=kind, n_resamples=1_000
    )
    assert np.isfinite(result.replicates).all()
    if kind != "regression":  # which leaves out resamples of two answers, too
        assert 260 < result.n_failed < 400
    assert f"{result.n_failed} of 1000 resamples had a column without variation" in str(result)


def test_too_few_resamples_that_vary_are_refused():
    frame = pd.DataFrame({"a": [1.1, 1.1, 1.1, 7.3], "b": [2.1, 9.7, 2.1, 2.1]})
    frame["y"] = [3.3, 3.3, 8.9, 3.3]
    message = r"\d+ of 200 resamples have no importance by correlation.*4 respondents are too few"
    with pytest.raises(DataError, match=message):
        importance_performance(frame, ["a", "b"], outcome="y", n_resamples=200)


def test_the_chart_places_points_as_the_table():
    """A point a rounding below its cut is above it in the table and, so, in the chart."""
    cut = 0.1 + 0.2
    moved = on_the_line(np.array([0.3, 0.31, 0.3 - 1e-6]), cut)
    assert moved.tolist() == [cut, 0.31, 0.3 - 1e-6]
    same = pd.DataFrame({"a": [1.0, 2, 4], "b": [1.0, 2, 4], "c": [1.0, 2, 4]}) / 10
    stated = dict.fromkeys("abc", "a")
    result = importance_performance(
        same, list("abc"), importance="stated", stated=stated, n_resamples=50,
        crosshairs=tuple(np.nextafter([same["a"].mean()] * 2, 1).tolist()),
    )  # fmt: skip
    assert set(result.table["quadrant"]) == {"keep up the good work"}
    points = np.concatenate([dots.get_offsets() for dots in result.plot().collections])
    assert (points >= [result.performance_cut, result.importance_cut]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"importance": "guess"}, "importance is 'guess'; allowed: correlation, regression"),
        ({"outcome": None}, "importance by correlation needs an outcome"),
        ({"outcome": "PERQ1"}, "outcome 'PERQ1' is one of the items"),
        ({"outcome": "CUSA9"}, "column 'CUSA9' is not in the table"),
        ({"importance": "stated"}, "outcome is not used with stated importance"),
        ({"importance": "stated", "outcome": None}, "no column of importance for item 'PERQ1'"),
        ({"stated": {"PERQ1": "x"}}, "stated columns are not used with importance by correlation"),
        ({"crosshairs": "mean"}, r"crosshairs is 'mean'; allowed: means, medians, scale, or \(x"),
        ({"crosshairs": (1, np.nan)}, "crosshairs is"),
        ({"crosshairs": "scale", "scale": None}, r'crosshairs="scale" needs scale=\(low, high\)'),
        ({"scale": (1, 9)}, "row .*, column 'PERQ1': 10 is off the scale; allowed: 1 to 9"),
        ({"scale": (9, 1)}, "scale of 'PERQ1' is"),
        ({"level": 95}, "level is 95"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_options_that_are_refused(options, message):
    with pytest.raises(CxError, match=message):
        found(**options)


def test_data_that_are_refused():
    frame = mobi()
    with pytest.raises(CxError, match="one item, 'PERQ1'; a map needs at least 2"):
        importance_performance(frame, ["PERQ1"], outcome="CUSA1")
    with pytest.raises(CxError, match="'PERQ1' is given twice"):
        importance_performance(frame, ["PERQ1", "PERQ1"], outcome="CUSA1")
    with pytest.raises(DataError, match="'PERQ2': every respondent gave 4, so it has no corr"):
        found(frame.assign(PERQ2=4))
    with pytest.raises(DataError, match="does not exist: items determine one another"):
        found(frame.assign(PERQ2=frame["PERQ1"]), importance="regression")
    with pytest.raises(CxError, match="stated has 'z', which is not among the items"):
        importance_performance(
            toy(), list("abcd"), importance="stated", stated=STATED | {"z": "a_stated"}
        )
    with pytest.raises(DataError, match=r"column 'a_stated': 4\.\d+ is off the scale"):
        importance_performance(
            toy(), list("abcd"), importance="stated", stated=STATED, stated_scale=(1, 4)
        )
    wide = pd.DataFrame(np.random.default_rng(1).normal(size=(60, 22)))
    wide.columns = [f"x{i}" for i in range(22)]
    with pytest.raises(CxError, match="21 items; allowed for exact Shapley values: up to 20"):
        importance_performance(wide, list(wide)[:21], outcome="x21", importance="shapley")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_words_and_chart(lang):
    for kind in DERIVED:
        assert len(found(importance=kind, n_resamples=50).summary(lang).splitlines()) >= 6
    stated = importance_performance(
        toy(), list("abcd"), importance="stated", stated=STATED, n_resamples=50
    )
    lines = stated.summary(lang).splitlines()
    assert lines[6:] == [f"  * {note.get(lang)}" for note in stated.notes]
    words = {"en": "choice of crosshairs", "zh": "十字线的选择"}[lang]
    assert any(words in line for line in lines[6:])
    ax = stated.plot(lang=lang)
    words = ("Importance as stated", "自述重要性")[lang == "zh"]
    assert words in ax.get_ylabel()
    assert stated._repr_html_().startswith("<pre>")
    assert str(stated) == repr(stated) == stated.summary()
