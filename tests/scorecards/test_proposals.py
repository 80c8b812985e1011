"""Proposals by judges: Kendall's W against R and print, certainty against simulated truth."""

from functools import lru_cache

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.stats
import statsmodels.formula.api as smf

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.scorecards import agreement
from cxstats.scorecards.additive import fit_additive, rank_limits
from cxstats.scorecards.agreement import concordance, kendall_w, outlying, ranks_of
from tests.gallery.scorecard import WEIGHTS, judged
from tests.references import reference, value

LEVEL = 0.95
RUNS = 600
# Four standard errors of a share of .05 in 600 runs.
SLACK = 4 * np.sqrt(0.05 * 0.95 / RUNS)


def rankings(case):
    table = reference("concordance")
    rows = table[(table["case"] == case) & table["measure"].str.startswith("x_")]
    places = rows["measure"].str.split("_", expand=True)[[1, 2]].astype(int).to_numpy()
    values = np.zeros(places.max(axis=0))
    values[tuple((places - 1).T)] = rows["value"].astype(float)
    return values


def long(values, **columns):
    m, k = np.shape(values)
    return pd.DataFrame({
        "judge": np.repeat([f"J{i}" for i in range(m)], k),
        "proposal": np.tile([f"P{j}" for j in range(k)], m), "x": np.ravel(values), **columns,
    })  # fmt: skip


@pytest.mark.parametrize("case", ["executives", "similarity", "scores"])
def test_concordance_is_that_of_friedman_in_r(case):
    table = reference("concordance")
    result = concordance(ranks_of(-rankings(case)), LEVEL, 99, seed=1)
    for name, ours in (("W", result.w), ("chi2", result.chi2), ("p_value", result.p_value)):
        assert ours == pytest.approx(value(table, case=case, measure=name), rel=1e-10)


@pytest.mark.parametrize(("case", "printed"), [("executives", 0.16), ("similarity", 0.828)])
def test_concordance_is_as_printed(case, printed):
    result = cx.rank_proposals(long(rankings(case)), scale="ranks", n_resamples=99)
    decimals = 2 if case == "executives" else 3
    assert round(result.agreement["estimate"].iloc[0], decimals) == printed


def test_extremes_of_concordance():
    order = np.arange(1.0, 6)
    assert kendall_w(np.tile(order, (4, 1))) == pytest.approx(1)
    assert kendall_w(np.array([order, order[::-1]])) == pytest.approx(0)
    assert np.isnan(kendall_w(np.full((3, 4), 2.5)))


def test_the_permutation_test_is_exact_for_few_orders():
    # Three judges on three objects: W = 1 in 6 of the 216 sets of orders.
    ranks = np.tile([1.0, 2, 3], (3, 1))
    result = concordance(ranks, LEVEL, 99, seed=1)
    assert result.exact
    assert result.p_permutation == pytest.approx(6 / 216)
    sampled = agreement._permuted(np.tile(np.arange(1.0, 7), (2, 1)), 1.0, 9_999, 1)
    assert sampled == (pytest.approx(1 / 720), True)
    many, exact = agreement._permuted(rankings("executives"), kendall_w(rankings("executives")),
                                      4_000, 1)  # fmt: skip
    assert not exact
    # 720^2 orders of the second and third judge, enumerated once: .8226.
    assert many == pytest.approx(enumerated(rankings("executives")), abs=0.025)


def enumerated(ranks):
    from itertools import permutations

    orders = np.array(list(permutations(range(1, 7))), float)
    sums = ranks[0] + orders[:, None] + orders[None]
    between = ((sums - 10.5) ** 2).sum(axis=-1)
    return (between >= ((ranks.sum(axis=0) - 10.5) ** 2).sum() - 1e-9).mean()


def test_means_and_errors_are_those_of_statsmodels():
    rng = np.random.default_rng(2)
    values = rng.normal(5, 1, (5, 4)) + np.arange(4) + 2 * np.arange(5)[:, None]
    values[[0, 2], [1, 3]] = np.nan
    fit = fit_additive(values)
    frame = long(values).dropna()
    model = smf.ols("x ~ C(proposal, Treatment('P0')) + C(judge, Sum)", frame).fit()
    difference = fit.means[1:] - fit.means[0]
    assert difference == pytest.approx(model.params.iloc[1:4].to_numpy())
    variance = fit.covariance
    errors = np.sqrt(np.diag(variance)[1:] + variance[0, 0] - 2 * variance[0, 1:])
    assert errors == pytest.approx(model.bse.iloc[1:4].to_numpy())
    assert fit.df == model.df_resid


def test_intervals_are_tukeys():
    values = np.random.default_rng(3).normal([0, 1, 3], 1, (6, 3))
    fit = fit_additive(values)
    _, half, _ = fit.pairs(LEVEL)
    residual = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
    q = scipy.stats.studentized_range.ppf(LEVEL, 3, 10)
    assert half[0, 1] == pytest.approx(q * np.sqrt((residual**2).sum() / 10 / 6))


def test_a_severe_judge_harms_nobody():
    values = np.array([[9.0, 7, np.nan], [8, 6.5, 5], [9, 7, 6], [5, np.nan, 2], [9, 7, 5.5]])
    means = fit_additive(values).means
    kinder = values.copy()
    kinder[3] += 4
    other = fit_additive(kinder).means
    assert np.diff(means) == pytest.approx(np.diff(other))
    plain = fit_additive(values, centre=False)
    assert plain.means == pytest.approx(np.nanmean(values, axis=0))
    assert fit_additive(kinder).severity[3] - fit_additive(values).severity[3] == pytest.approx(3.2)


def test_the_winner_and_the_outlier_are_named():
    result = cx.rank_proposals(judged(), weights=WEIGHTS, n_resamples=200)
    assert result.judges.index[result.judges["outlying"]].tolist() == ["J7"]
    agreeing = cx.rank_proposals(judged().query("judge != 'J7'"), weights=WEIGHTS, n_resamples=200)
    assert not agreeing.judges["outlying"].any()
    assert agreeing.table.index[0] == "P0"
    assert agreeing.agreement["estimate"].iloc[0] > 0.8


def test_ranks_are_turned():
    values = np.array([[9.0, 7, 1], [8, 6, 5], [9, 4, 3], [8, 9, 2]])
    scores = cx.rank_proposals(long(ranks_of(-values)), n_resamples=99)
    ranks = cx.rank_proposals(long(ranks_of(values)), scale="ranks", n_resamples=99)
    assert scores.table.index.tolist() == ranks.table.index.tolist() == ["P0", "P1", "P2"]
    same = ["rank", "rank_low", "rank_high", "top_share", "se"]
    pd.testing.assert_frame_equal(scores.table[same], ranks.table[same])
    assert ranks.table["estimate"].tolist() == pytest.approx([1.25, 1.75, 3])
    assert (ranks.table["ci_low"] < ranks.table["estimate"]).all()
    assert ranks.pairs["difference"].iloc[0] < 0


def test_weights_are_given_or_asked_for():
    with pytest.raises(CxError, match=r"weights=None; allowed: a weight for each of feasibility"):
        cx.rank_proposals(judged())
    equal = cx.rank_proposals(judged(), weights="equal", n_resamples=50)
    thirds = cx.rank_proposals(judged(), weights=dict.fromkeys(WEIGHTS, 1 / 3), n_resamples=50)
    assert equal.table["estimate"].tolist() == pytest.approx(thirds.table["estimate"].tolist())
    assert any("Equal weights" in note.en for note in equal.notes)


@pytest.mark.parametrize("engine", [
    pl.from_pandas, lambda f: f.convert_dtypes(),
    lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
    lambda f: f.astype({"judge": "category", "proposal": "category"}),
    lambda f: f.set_axis([0] * len(f)), lambda f: f.rename(columns={"value": "estimate"}),
])  # fmt: skip
def test_every_kind_of_table_says_the_same(engine):
    frame = judged()[["judge", "proposal", "value"]]
    expected = cx.rank_proposals(frame, n_resamples=50).table
    pd.testing.assert_frame_equal(cx.rank_proposals(engine(frame), n_resamples=50).table, expected)


@pytest.mark.parametrize(("change", "message"), [
    (lambda f: f.drop(columns="judge"), "column 'judge' is not in the table"),
    (lambda f: f.assign(x="a"), "column 'x': 'a' is not a number"),
    (lambda f: f.assign(x=np.inf), r"column 'x': np.float64\(inf\) is not a number"),
    (lambda f: f.assign(x=np.nan), "proposal 'P0' has no judgement"),
    (lambda f: f.assign(judge=None), "row 0, column 'judge': no name"),
    (lambda f: f.assign(judge="J"), "column 'judge': 1 different; allowed: 2"),
    (lambda f: pd.concat([f, f.iloc[:1]], ignore_index=True),
     "row 12: judge 'J0' judges proposal 'P0' a second time, after row 0"),
    (lambda f: f[:0], "the table has no rows"),
    (lambda f: f[(f["judge"].isin(["J0", "J1"])) == (f["proposal"].isin(["P0"]))],
     "judges fall into sets that have no object in common"),
    (lambda f: f[f["judge"].isin(["J0", "J1"]) & f["proposal"].isin(["P0", "P1"])][:3],
     "leave nothing to judge the noise by"),
    (lambda f: f.drop(columns="x"), r"criteria is \[\]"),
])  # fmt: skip
def test_what_is_wrong_is_named(change, message):
    frame = long(np.random.default_rng(1).normal(size=(4, 3)))
    with pytest.raises(CxError, match=message):
        cx.rank_proposals(change(frame), n_resamples=20)


def test_options_are_checked():
    for options in ({"scale": "x"}, {"top": 0}, {"level": 1}, {"n_resamples": 0}, {"seed": -1}):
        with pytest.raises(CxError, match=next(iter(options))):
            cx.rank_proposals(long([[1, 2], [2, 3], [2, 4]]), **options)
    with pytest.raises(DataError, match="column 'y'"):
        cx.rank_proposals(long([[1, 2], [2, 3]]), "y")


def test_constant_judgements_name_nobody():
    result = cx.rank_proposals(long(np.full((4, 3), 7.0)), n_resamples=50)
    assert result.winner is None
    assert len(result.contenders) == 3
    assert np.isnan(result.agreement["estimate"].iloc[0])


@pytest.fixture
def fast(monkeypatch):
    """Compute each quantile of the studentized range once."""
    ppf = scipy.stats.studentized_range.ppf

    class Cached:
        def __init__(self):
            self.ppf = lru_cache(None)(ppf)

    monkeypatch.setattr(scipy.stats, "studentized_range", Cached())


@pytest.mark.slow
@pytest.mark.parametrize("m", [5, 10, 20])
@pytest.mark.parametrize("worth", [[0] * 6, [1, 1, 1, 0, 0, 0], [2, 1.5, 1, 0.5, 0, 0]])
def test_noise_names_no_winner_and_ranks_are_covered(m, worth, fast):
    rng = np.random.default_rng(m)
    worth = np.array(worth, float)
    better, worse = ((worth[:, None] < worth).sum(1), (worth[:, None] > worth).sum(1))
    winners = wrong = outliers = 0
    for _ in range(RUNS):
        noise = rng.normal(0, 0.5, (m, 1)) + rng.normal(size=(m, 6))
        values = np.clip(np.rint(3 + worth - worth.mean() + noise), 1, 5)
        difference, _, clear = fit_additive(values).pairs(LEVEL)
        low, high = rank_limits(clear, difference)
        winners += bool((high == 1).any())
        wrong += bool(((low > 1 + better) | (high < 6 - worse)).any())
        outliers += bool(outlying(values, LEVEL).any())
    print(m, worth, winners / RUNS, wrong / RUNS, outliers / RUNS)
    assert wrong / RUNS <= 0.05 + SLACK
    assert outliers / RUNS <= 0.05 + SLACK
    if (worth == worth.max()).sum() > 1:
        assert winners / RUNS <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("m", [5, 10, 20])
@pytest.mark.parametrize("slope", [0, 0.7, 1.5])
def test_the_interval_of_concordance_covers(m, slope):
    rng = np.random.default_rng(m)
    worth = np.linspace(-slope, slope, 6)
    many = 4_000
    r = (many * kendall_w(ranks_of(rng.normal(worth, 1, (many, 6)))) - 1) / (many - 1)
    truth = ((m - 1) * r + 1) / m
    covered = 0
    for _ in range(RUNS):
        low, high = agreement._limits(ranks_of(rng.normal(worth, 1, (m, 6))), LEVEL)
        covered += low <= truth <= high
    print(m, slope, covered / RUNS)
    assert covered / RUNS >= LEVEL - SLACK
