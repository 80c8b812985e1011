"""Penalty-reward contrast: against statsmodels, against a known truth, and on bad input."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from cxstats.core.errors import CxError, DataError
from cxstats.core.moments import resampling_counts
from cxstats.priorities.penalty_reward import asymmetry, penalty_reward
from cxstats.stats.bootstrap import bca

# What a low and a high answer are worth: the population of `sample`.
TRUTH = {"clean": (-1.5, 0.1), "warm": (-0.1, 1.5), "fast": (-1.0, 1.0), "logo": (0.0, 0.0)}
EXPECTED = ["basic", "excitement", "performance", "not told apart"]
NAMES = list(TRUTH)
EXACT = 1e-9  # the same arithmetic in another order


def sample(n=2_000, seed=1):
    """Correlated drivers from 1 to 5; the outcome's spread depends on one of them."""
    generator = np.random.default_rng(seed)
    mixed = np.linalg.cholesky(0.4 + 0.6 * np.eye(4))
    x = np.digitize(generator.normal(size=(n, 4)) @ mixed.T, [-1.2, -0.4, 0.4, 1.2]) + 1
    y = 6 + generator.normal(size=n) * (1 + 0.5 * (x[:, 0] <= 2))
    for answers, (low, high) in zip(x.T, TRUTH.values(), strict=True):
        y = y + low * (answers <= 2) + high * (answers >= 4)
    return pd.DataFrame(x, columns=NAMES).assign(overall=y)


def found(frame, **options):
    given = {"low": 2, "high": 4, "n_resamples": 400} | options
    return penalty_reward(frame, "overall", NAMES, **given)


def dummies(frame):
    x = frame[NAMES]
    return pd.concat([(x <= 2).add_suffix("-"), (x >= 4).add_suffix("+")], axis=1).astype(float)


def test_statsmodels_agrees():
    import statsmodels.api as sm

    frame = sample(300)
    fit = sm.OLS(frame["overall"], sm.add_constant(dummies(frame))).fit()
    robust = fit.get_robustcov_results("HC3", use_t=True)
    result = found(frame)
    table = result.table
    for column, values in (("", fit.params), ("_se", robust.bse), ("_p_value", robust.pvalues)):
        own = np.concatenate([table[f"penalty{column}"], table[f"reward{column}"]])
        np.testing.assert_allclose(own, np.asarray(values)[1:], rtol=EXACT, atol=EXACT)
    test = robust.t_test(np.eye(9)[1:5] + np.eye(9)[5:])  # penalty plus reward
    np.testing.assert_allclose(table["contrast"], test.effect, atol=EXACT)
    np.testing.assert_allclose(table["contrast_se"], test.sd, rtol=EXACT)
    np.testing.assert_allclose(table["contrast_p_value"], test.pvalue, rtol=EXACT)
    assert result.r_squared == pytest.approx(fit.rsquared)
    assert result.adj_r_squared == pytest.approx(fit.rsquared_adj)
    assert result.intercept == pytest.approx(fit.params["const"])
    linear = sm.OLS(frame["overall"], sm.add_constant(frame[NAMES])).fit()
    assert result.linear_r_squared == pytest.approx(linear.rsquared)


def test_the_interval_is_that_of_regressions_on_resampled_rows():
    frame, b = sample(150), 60
    x = np.column_stack([np.ones(150), dummies(frame)])
    counts = np.concatenate([part for _, part in resampling_counts(150, b, 5)])
    slopes = []
    for row in counts:
        rows = np.repeat(np.arange(150), row.astype(int))
        slopes.append(np.linalg.lstsq(x[rows], frame["overall"].to_numpy()[rows], rcond=None)[0])
    y = frame["overall"].to_numpy()
    estimate = np.linalg.lstsq(x, y, rcond=None)[0]
    influence = (x * (y - x @ estimate)[:, None]) @ np.linalg.inv(x.T @ x)
    low, high = bca(np.array(slopes), estimate, influence, 0.9)
    table = found(frame, n_resamples=b, seed=5, level=0.9).table
    np.testing.assert_allclose(table["penalty_ci_low"], low[1:5], atol=1e-8)
    np.testing.assert_allclose(table["reward_ci_high"], high[5:], atol=1e-8)


def test_known_truth_is_found():
    result = found(sample())
    table = result.table.set_index("driver")
    assert table["category"].tolist() == EXPECTED
    for name, (low, high) in TRUTH.items():
        for part, true in (("penalty", low), ("reward", high), ("contrast", low + high)):
            assert abs(table.loc[name, part] - true) < 4 * table.loc[name, f"{part}_se"]


def test_few_respondents_are_not_told_apart():
    assert set(found(sample(60)).table["category"]) >= {"not told apart"}


def test_turning_a_scale_swaps_penalty_and_reward():
    frame = sample(300)
    one, other = found(frame).table, found(frame.assign(clean=6 - frame["clean"])).table
    for part in ("", "_se", "_p_value", "_ci_low", "_ci_high"):
        assert one.loc[0, f"penalty{part}"] == pytest.approx(other.loc[0, f"reward{part}"])


def test_units_order_and_shift():
    frame = sample(300)
    one = found(frame).table
    scaled = found(frame.assign(overall=3 + 10 * frame["overall"])).table
    np.testing.assert_allclose(scaled["reward_ci_low"], 10 * one["reward_ci_low"], atol=1e-8)
    np.testing.assert_allclose(scaled["asymmetry"], one["asymmetry"], atol=1e-8)
    assert scaled["category"].equals(one["category"])
    mixed = found(frame.sample(frac=1, random_state=1)).table
    np.testing.assert_allclose(mixed["penalty"], one["penalty"], atol=EXACT)
    np.testing.assert_allclose(mixed["reward_se"], one["reward_se"], rtol=EXACT)
    other = penalty_reward(frame, "overall", NAMES[::-1], low=2, high=4, n_resamples=400).table
    pd.testing.assert_frame_equal(
        other.set_index("driver").loc[NAMES], one.set_index("driver"), rtol=1e-7
    )


def test_cuts():
    frame = sample(500)
    table = found(frame, low="end", high="end", scale=(1, 5)).table
    assert (table["low_cut"] == 1).all()
    assert (table["high_cut"] == 5).all()
    assert table["n_low"].tolist() == [(frame[name] == 1).sum() for name in NAMES]
    assert (table[["n_low", "n_middle", "n_high"]].sum(axis=1) == 500).all()
    table = found(frame, low="quintile", high="quintile").table
    for row in table.itertuples():
        assert row.n_low >= 100
        assert row.n_high >= 100
        assert (frame[row.driver] < row.low_cut).sum() < 100
        assert (frame[row.driver] > row.high_cut).sum() < 100
    by_driver = {"clean": 1, "warm": 2, "fast": "end", "logo": "decile"}
    table = found(frame, low=by_driver, scale=dict.fromkeys(NAMES, (1, 5))).table
    assert table["low_cut"].tolist()[:3] == [1, 2, 1]


def test_asymmetry_is_minus_one_to_one():
    values = asymmetry(np.array([-1.0, 0, -1, 0.5]), np.array([0.0, 2, 3, -0.5]))
    np.testing.assert_allclose(values, [-1, 1, 0.5, np.nan])
    table = found(sample(300)).table
    assert table["asymmetry_ci_low"].ge(-1).all()
    assert table["asymmetry_ci_high"].le(1).all()


def test_missing_answers_are_counted_and_tables_of_any_kind_are_read():
    frame = sample(300).astype(float)
    frame.loc[[3, 4], "warm"] = np.nan
    frame.loc[4, "overall"] = np.nan
    result = found(frame)
    assert (result.n, result.n_dropped) == (298, 2)
    assert "2 respondents with a missing answer were left out" in [n.en for n in result.notes]
    pd.testing.assert_frame_equal(result.table, found(frame.drop(index=[3, 4])).table)
    pd.testing.assert_frame_equal(result.table, found(pl.from_pandas(frame)).table)


def test_small_cells_and_lost_resamples_are_said():
    frame = sample(200)
    frame["logo"] = [1, 1] + [3] * 100 + [5] * 98
    result = found(frame)
    assert result.n_failed > 0
    notes = [note.en for note in result.notes]
    assert any(note.startswith(f"{result.n_failed} of 400 resamples") for note in notes)
    assert "logo: small cells (low 2), so rough intervals" in notes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": None}, "low is missing: the cut decides the categories; allowed: a number"),
        ({"low": "half"}, "low is 'half'; allowed: a number, 'end', 'tercile'"),
        ({"low": "end"}, r'low="end" needs scale=\(low, high\)'),
        ({"low": 4, "high": 4}, "'clean': answers up to 4 are low and from 4 high"),
        ({"low": 0}, "'clean': 0 respondents are low .*at least 2"),
        ({"low": 2, "high": 3}, "'clean': 0 respondents are middle"),
        ({"low": {"clean": 1}}, "low has no cut for driver 'warm'"),
        ({"scale": (1, 4)}, "row 0, column 'clean': 5 is off the scale; allowed: 1 to 4"),
        ({"scale": (5, 1)}, r"scale of 'clean' is \(5, 1\); allowed: \(low, high\)"),
        ({"scale": {"clean": (1, 5)}}, "scale has no ends for 'warm'"),
        ({"level": 2}, "level is 2"),
        ({"n_resamples": 0}, "n_resamples is 0"),
    ],
)
def test_options_that_are_refused(options, message):
    frame = sample(100)
    frame.loc[0, "clean"] = 5
    with pytest.raises(CxError, match=message):
        found(frame, **options)


def test_data_that_are_refused():
    frame = sample(100)
    with pytest.raises(DataError, match="column 'speed' is not in the table"):
        penalty_reward(frame, "overall", ["speed"], low=2, high=4)
    with pytest.raises(CxError, match="outcome 'clean' is one of the drivers"):
        penalty_reward(frame, "clean", ["clean"], low=2, high=4)
    with pytest.raises(CxError, match="drivers: 'warm' is given twice"):
        penalty_reward(frame, "overall", ["warm", "warm"], low=2, high=4)
    with pytest.raises(CxError, match="drivers is 'warm'"):
        penalty_reward(frame, "overall", "warm", low=2, high=4)
    with pytest.raises(DataError, match="'copy': who is low follows from the cells"):
        penalty_reward(frame.assign(copy=frame["warm"]), "overall", ["warm", "copy"], low=2, high=4)
    with pytest.raises(DataError, match="'overall': every respondent gave 7"):
        found(frame.assign(overall=7))
    with pytest.raises(DataError, match="row 1, column 'warm': 'good' is not a number"):
        found(frame.assign(warm=["3", *["good"] * 99]).replace({"3": 3}))
    with pytest.raises(DataError, match="0 of 100 rows have an answer in all of"):
        found(frame.assign(warm=np.nan))
    few = pd.DataFrame({"a": [1, 1, 3, 3, 5, 5], "b": [1, 3, 5, 5, 3, 1], "overall": range(6)})
    with pytest.raises(DataError, match="at least"):
        penalty_reward(few.iloc[:5], "overall", ["a", "b"], low=1, high=5)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_words_and_chart(lang):
    frame = sample(300)
    frame.attrs["synthetic"] = True
    result = found(frame)
    assert result.synthetic
    lines = result.summary(lang).splitlines()
    assert ("Synthetic data", "合成数据")[lang == "zh"] in lines[1]
    assert lines[6:] == [f"  * {note.get(lang)}" for note in result.notes]
    assert any("HC3" in line for line in lines[6:])
    ax = result.plot(lang=lang)
    assert len(ax.collections) == 8
    assert result._repr_html_().startswith("<pre>")
    assert str(result) == repr(result) == result.summary()
