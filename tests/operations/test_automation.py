"""Time saved by automation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxstats.core.errors import CxError
from cxstats.operations.automation import rpa_saving


def row(result, name="total"):
    return result.table.set_index("quantity").loc[name]


def test_the_published_example():
    result = rpa_saving(10_000, before=3, after=0.5)
    assert row(result)["estimate"] == 25_000
    assert row(result, "hours")["estimate"] == pytest.approx(416.6667, abs=5e-5)
    assert row(result, "per_case")["estimate"] == 2.5
    assert result.method == "none"
    assert result.table[["ci_low", "ci_high", "se"]].isna().all().all()
    assert "no uncertainty" in result.summary()
    assert "25,000.00 minutes\n" in result.summary()


def test_two_samples_give_welchs_interval():
    rng = np.random.default_rng(1)
    a, b = rng.gamma(4, 0.75, 30), rng.gamma(2, 0.25, 45)
    result = rpa_saving(200, a, b)
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert row(result, "per_case")[["ci_low", "ci_high"]].tolist() == pytest.approx(expected)
    assert row(result)["ci_low"] == pytest.approx(200 * expected.low)
    same = rpa_saving(
        200, a.mean(), b.mean(), before_sd=a.std(ddof=1), before_n=30, after_sd=b.std(ddof=1),
        after_n=45,
    )  # fmt: skip
    np.testing.assert_allclose(
        same.table.iloc[:, 2:].astype(float), result.table.iloc[:, 2:].astype(float)
    )


def test_a_counted_volume_alone():
    found = row(rpa_saving(400, 3, 1, volume="poisson"))
    assert found["se"] == pytest.approx(2 * 20)
    assert found["ci_high"] - found["estimate"] == pytest.approx(1.959964 * 40)


def test_delta_and_simulation_agree():
    given = {"before_sd": 1.2, "before_n": 60, "after_sd": 0.2, "after_n": 60, "volume": "poisson"}
    delta = row(rpa_saving(900, 3, 0.5, **given))
    drawn = row(rpa_saving(900, 3, 0.5, method="simulation", n_resamples=200_000, **given))
    # Monte Carlo error of a 2.5 % point with 200,000 draws: under 1 % of the half width.
    half = (delta["ci_high"] - delta["ci_low"]) / 2
    for end in ("ci_low", "ci_high"):
        assert abs(drawn[end] - delta[end]) < 0.02 * half


def test_the_variance_of_a_product_is_exact():
    rng = np.random.default_rng(2)
    size = 400_000
    given = {"before_sd": 2.0, "before_n": 400, "after_sd": 1.0, "after_n": 400}
    found = row(rpa_saving(50, 3, 0.5, n_se=6.0, **given))["se"]
    times = rng.normal(2.5, np.hypot(0.1, 0.05), size)
    assert found == pytest.approx((rng.normal(50, 6, size) * times).std(), rel=0.006)


def test_the_interval_covers():
    """2,000 studies; a coverage of 95 % has a standard error of half a point."""
    rng, inside = np.random.default_rng(4), 0
    for _ in range(2000):
        a, b = rng.gamma(4, 0.75, 40), rng.gamma(2, 0.25, 40)
        n = rng.poisson(500)
        found = row(rpa_saving(n, a, b, volume="poisson"))
        inside += found["ci_low"] <= 500 * 2.5 <= found["ci_high"]
    assert 0.935 <= inside / 2000 <= 0.965


BAD = [
    ({"n": -1}, "n=-1; allowed: numbers from 0"),
    ({"before": -3}, "before=-3; allowed"),
    ({"before": np.float64(-3)}, r"before=-3\.0; allowed"),
    ({"n": None}, "n=None; allowed: numbers from 0"),
    ({"n": 10**400}, "allowed: numbers from 0 to 1e60"),
    ({"n_se": 1e200}, r"n_se=1e\+200; allowed: numbers from 0 to 1e60"),
    ({"before": [1.0, "two"]}, "before: time 1 is 'two'; allowed: numbers from 0"),
    ({"after_sd": 1, "after_n": float("inf")}, "after_n=inf; allowed: whole numbers from 2"),
    ({"after_sd": 1, "after_n": "x"}, "after_n='x'; allowed: whole numbers from 2"),
    ({"unit": []}, r"unit=\[\]; allowed: 'second'"),
    ({"before": "long"}, "before='long'; allowed"),
    ({"before": [1.0]}, "before has 1 times"),
    ({"before": [1.0, -2.0]}, "before: time 1 is -2"),
    ({"before": [1.0, 2.0], "before_sd": 1}, "before is a sample"),
    ({"after_sd": 1}, "after_sd=1 and after_n=None; allowed: both or neither"),
    ({"after_sd": 1, "after_n": 1}, "after_n=1; allowed: whole numbers from 2"),
    ({"volume": "normal"}, "volume='normal'; allowed: 'fixed', 'poisson'"),
    ({"volume": "poisson", "n_se": 3}, "allowed: one"),
    ({"method": "guess"}, "method='guess'; allowed"),
    ({"unit": "moment"}, "unit='moment'; allowed"),
    ({"period": "era"}, "period='era'; allowed"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_bad_input_is_named(change, words):
    with pytest.raises(CxError, match=words):
        rpa_saving(**{"n": 10, "before": 3, "after": 1, **change})


def test_summary_and_chart_in_chinese():
    result = rpa_saving(100, 3, 1, before_sd=1, before_n=30)
    assert "每天 100 个案例" in result.summary("zh")
    assert "the time after, " not in result.notes[0].en
    assert "the volume, the time after" in result.notes[0].en
    assert result.plot(lang="zh").get_xlabel().startswith("节省时间")


def test_sizes_that_are_none_and_volumes_beyond_counting():
    with pytest.raises(CxError, match="before_n=nan; allowed: whole numbers from 2"):
        rpa_saving(10, 3, 0.5, before_sd=1, before_n=float("nan"))
    huge = rpa_saving(1e30, 3, 0.5, volume="poisson", method="simulation")
    assert huge.table.set_index("quantity").loc["total", "ci_low"] == pytest.approx(2.5e30)


def test_small_spreads_keep_their_degrees_of_freedom():
    """Welch's df does not depend on the unit of the times."""
    given = {"before_n": 20, "after_n": 30}
    usual = row(rpa_saving(10, 3, 1, before_sd=1.0, after_sd=0.5, **given))
    tiny = row(rpa_saving(10, 3, 1, before_sd=1e-100, after_sd=0.5e-100, **given))
    first, second = 1 / 20, 0.25 / 30
    expected = (first + second) ** 2 / (first**2 / 19 + second**2 / 29)
    assert usual["df"] == pytest.approx(expected)
    assert tiny["df"] == pytest.approx(expected)


def test_a_share_saved_never_exceeds_all_of_it():
    """Three times each: the interval by the difference reached 100.2 %."""
    found = row(rpa_saving(100, [3, 2, 4], [0.5, 0.4, 0.3]), "share")
    assert found["estimate"] == pytest.approx(1 - 0.4 / 3)
    variances = np.array([1 / 3 / 3**2, 0.01 / 3 / 0.4**2])
    df = variances.sum() ** 2 / (variances**2 / 2).sum()
    reach = stats.t.ppf(0.975, df) * variances.sum() ** 0.5
    limits = 1 - 0.4 / 3 * np.exp([reach, -reach])
    assert found[["ci_low", "ci_high"]].tolist() == pytest.approx(limits.tolist())
    assert found["ci_high"] < 1
    drawn = rpa_saving(100, [3, 2, 4], [0.5, 0.4, 0.3], method="simulation", n_resamples=50_000)
    assert row(drawn, "share")["ci_high"] < 1
    rng = np.random.default_rng(6)
    samples = rng.gamma(4, 0.75, 60), rng.gamma(2, 0.2, 60)
    given, drawn = (
        row(rpa_saving(9, *samples, method=method, n_resamples=100_000), "share")
        for method in ("delta", "simulation")
    )
    for end in ("ci_low", "ci_high"):  # Monte Carlo error: under 1 % of the half width
        assert drawn[end] == pytest.approx(given[end], abs=0.02 * given["se"] * 1.96)


def test_a_share_of_nothing_has_no_interval():
    for method in ("delta", "simulation"):
        all_saved = row(rpa_saving(9, [3, 2, 4], [0.0, 0.0], method=method), "share")
        assert all_saved["estimate"] == 1
        assert np.isnan(all_saved["ci_high"])
        none_before = row(rpa_saving(9, [0.0, 0.0], [1.0, 2.0], method=method), "share")
        assert np.isnan(none_before["estimate"])


@pytest.mark.slow
@pytest.mark.parametrize("size", [3, 5, 10, 40])
def test_the_share_is_covered(size):
    """4,000 studies of gamma times; a coverage of 95 % has a standard error of 0.35 points."""
    rng, below, above = np.random.default_rng(5), 0, 0
    for _ in range(4000):
        found = row(rpa_saving(9, rng.gamma(4, 0.75, size), rng.gamma(2, 0.2, size)), "share")
        below += found["ci_high"] < 1 - 0.4 / 3
        above += found["ci_low"] > 1 - 0.4 / 3
    assert 0.93 <= 1 - (below + above) / 4000 <= 0.97
    assert max(below, above) / 4000 < 0.045  # neither tail alone


def test_durations_are_put_into_the_unit():
    plain = rpa_saving(100, [3, 2, 4], [0.5, 0.4, 0.3]).table
    spans = [pd.Timedelta("3min"), np.timedelta64(120, "s"), "00:04:00"]
    for before in (spans, pd.Series(pd.to_timedelta([3, 2, 4], unit="min"))):
        pd.testing.assert_frame_equal(rpa_saving(100, before, ["30s", 0.4, "0.3分钟"]).table, plain)
    hours = rpa_saving(100, "3min", "30 s", unit="hour", before_sd="1min", before_n=9)
    assert row(hours, "per_case")["estimate"] == pytest.approx(2.5 / 60)
    assert row(hours, "per_case")["se"] == pytest.approx(1 / 60 / 3)
    for bad in ("3", "three", pd.NaT):
        with pytest.raises(CxError, match=r"before: time 1 is .*durations such as '3min'"):
            rpa_saving(100, [1, bad], 1)
    with pytest.raises(CxError, match=r"before=-3\.0; allowed"):
        rpa_saving(100, "-3min", 1)
