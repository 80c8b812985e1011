"""Sample sizes, power and regions: published values, statsmodels, and simulation."""

from math import ceil, sqrt

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import (
    power_proportions_2indep,
    proportion_confint,
    samplesize_proportions_2indep_onetail,
)

import cxstats as cx

LOW, HIGH = (0.50, 0.20), (0.60, 0.15)  # NPS 30 and 45
SIMULATED = 40_000
POINTS = 0.02  # what a simulated power may differ by


def test_nps_sample_size_is_the_published_one():
    """Rocks' intervals, both groups' variances: NPS 30 against 45 takes 404 in each group."""
    assert cx.sample_size("nps", first=LOW, second=HIGH).n == (404, 404)
    # One group's variance in place of both gives 213, which finds it half of the time.
    assert cx.power("nps", 213, first=LOW, second=HIGH).power == pytest.approx(0.53, abs=0.01)


def test_margin_of_nps_is_the_adjusted_wald_formula():
    z = stats.norm.ppf(0.975)
    variance = 0.5 + 0.2 - 0.3**2
    expected = ceil(z**2 * variance / 0.05**2 - 3)
    assert cx.sample_size("nps", first=LOW, margin=5).n == (expected,)


@pytest.mark.parametrize(("share", "margin"), [(0.7, 0.03), (0.05, 0.01), (0.5, 0.1)])
def test_margin_of_a_share_is_the_smallest_n(share, margin):
    n = cx.sample_size("csat", first=share, margin=margin).n[0]

    def half(n):
        low, high = proportion_confint(share * n, n, method="wilson")
        return (high - low) / 2

    assert half(n) <= margin < half(n - 1)


def test_margin_of_a_mean_is_the_smallest_n():
    n = cx.sample_size("arpu", sd=12, margin=1).n[0]

    def half(n):
        return stats.t.ppf(0.975, n - 1) * 12 / sqrt(n)

    assert half(n) <= 1 < half(n - 1)


@pytest.mark.parametrize(("first", "second", "ratio"), [(0.10, 0.12, 1), (0.3, 0.2, 2)])
def test_shares_against_statsmodels(first, second, ratio):
    plan = cx.sample_size("conversion", first=first, second=second, ratio=ratio)
    theirs = samplesize_proportions_2indep_onetail(
        first - second, second, 0.8, ratio=ratio, alpha=0.05, alternative="two-sided"
    )
    assert abs(plan.n[0] - theirs) <= 1
    power = power_proportions_2indep(first - second, second, plan.n[0], ratio, 0.05).power
    assert plan.power == pytest.approx(power, abs=1e-6)


def test_means_against_statsmodels():
    plan = cx.sample_size("ces", difference=0.5, sd=1.3)
    theirs = TTestIndPower().solve_power(effect_size=0.5 / 1.3, power=0.8, alpha=0.05)
    assert plan.n == (ceil(theirs), ceil(theirs))
    power = TTestIndPower().power(0.5 / 1.3, plan.n[0], 0.05)
    assert plan.power == pytest.approx(power, abs=1e-9)


def _nps_draws(generator, shares, n):
    promoters, detractors = shares
    counts = generator.multinomial(n, [promoters, detractors, 1 - sum(shares)], SIMULATED) / n
    score = counts[:, 0] - counts[:, 1]
    return score, counts[:, 0] + counts[:, 1] - score**2


@pytest.mark.parametrize("n", [150, 404])
def test_power_of_nps_is_what_simulation_finds(n):
    generator = np.random.default_rng(7)
    (a, va), (b, vb) = (_nps_draws(generator, shares, n) for shares in (LOW, HIGH))
    found = np.mean(np.abs(b - a) > stats.norm.ppf(0.975) * np.sqrt((va + vb) / n))
    assert cx.power("nps", n, first=LOW, second=HIGH).power == pytest.approx(found, abs=POINTS)


def test_power_of_shares_is_what_simulation_finds():
    generator = np.random.default_rng(8)
    n1, n2 = 300, 600
    a, b = generator.binomial(n1, 0.2, SIMULATED), generator.binomial(n2, 0.28, SIMULATED)
    pooled = (a + b) / (n1 + n2)
    se = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    found = np.mean(np.abs(a / n1 - b / n2) > stats.norm.ppf(0.975) * se)
    plan = cx.power("churn", (n1, n2), first=0.2, second=0.28)
    assert plan.power == pytest.approx(found, abs=POINTS)


def test_power_of_means_is_what_simulation_finds():
    generator = np.random.default_rng(9)
    a, b = generator.normal(0, 1, (SIMULATED, 15)), generator.normal(0.8, 2, (SIMULATED, 40))
    p = stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue
    plan = cx.power("mean", (15, 40), difference=0.8, sd=(1, 2))
    assert plan.power == pytest.approx(np.mean(p < 0.05), abs=POINTS)


def test_power_rises_and_reaches_the_target_at_n():
    plan = cx.sample_size("nps", first=LOW, second=HIGH, power=0.9, ratio=2, design_effect=1.5)
    assert plan.power >= 0.9 > cx.power(
        "nps", (plan.n[0] - 1, 2 * (plan.n[0] - 1)), first=LOW, second=HIGH, design_effect=1.5
    ).power  # fmt: skip
    assert plan.n[1] == 2 * plan.n[0]
    assert (np.diff(plan.curve["power"]) >= 0).all()


def test_a_score_alone_takes_the_largest_variance():
    plan = cx.sample_size("nps", first=30, second=45)
    assert plan.n[0] > 404
    assert any("largest" in note.en for note in plan.notes)
    assert cx.sample_size("nps", first=(0.65, 0.35), second=(0.725, 0.275)).n == plan.n


def test_more_tests_and_rare_events_are_said():
    one = cx.sample_size("nps", first=LOW, second=HIGH)
    assert cx.sample_size("nps", first=LOW, second=HIGH, tests=3).n > one.n
    small = {"first": 0.02, "second": 0.2, "design_effect": 1.5}
    assert any("rough" in note.en for note in cx.power("churn_rate", 50, **small).notes)


REGION = cx.nps_region(32, 68)


def test_region_holds_every_share_that_rounds_to_the_score():
    p, d = np.meshgrid(np.linspace(0, 1, 501), np.linspace(0, 1, 501))
    for row in REGION.table.itertuples():
        fits = (p + d <= 1) & (np.abs(100 * (p - d) - row.score) <= 0.5)
        variance = (p + d - (p - d) ** 2)[fits]
        assert row.variance_low <= variance.min() + 1e-12
        assert row.variance_high >= variance.max() - 1e-12
        assert variance.min() - row.variance_low < 0.01 > row.variance_high - variance.max()
        assert p[fits].min() - row.promoters_low < 0.003 > row.promoters_high - p[fits].max()
        assert d[fits].min() - row.detractors_low < 0.003 > row.detractors_high - d[fits].max()


def test_change_is_significant_from_the_n_that_is_said():
    """By the package's own test; of rounded scores, the nearest: 32.5 and 67.5."""
    whole = cx.nps_region(0, 40, rounding=0).needed.set_index("variance")["n_significant"]
    for n in (20, 30, 40, 50, 60):  # tenths are whole numbers of answers
        wide = cx.nps_from_counts([n // 2, 7 * n // 10], [0, 0], [n // 2, 3 * n // 10])
        assert (wide.compare().table["p_value"][0] < 0.05) == (n >= whole["largest"])
    largest = REGION.needed.set_index("variance").loc["largest"]
    n = int(largest["n_significant"])
    shares = {"first": (0.6625, 0.3375), "second": (0.8375, 0.1625)}
    enough = int(largest["n_power"])
    assert cx.power("nps", enough, **shares).power >= 0.8 > cx.power("nps", n, **shares).power
    # The large-sample formula z^2 (v1 + v2) / d^2 gives 41 and 14 for scores as printed.
    assert 43 <= n <= 50
    assert 14 <= REGION.needed["n_significant"][0] <= 20


def test_exact_power_of_nps_adds_up_the_package_s_own_test():
    n, first, second = 4, (0.2, 0.6), (0.9, 0.05)
    power = 0.0
    every = [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]
    for a in every:
        for b in every:
            waves = cx.nps_from_counts([a[0], b[0]], [n - sum(a), n - sum(b)], [a[1], b[1]])
            if waves.compare().table["p_value"][0] < 0.05:
                weight = 1.0
                for (i, j), (p, d) in ((a, first), (b, second)):
                    weight *= stats.multinomial.pmf([i, j, n - i - j], n, [p, d, 1 - p - d])
                power += weight
    assert cx.power("nps", n, first=first, second=second).power == pytest.approx(power, abs=1e-6)


def test_exact_power_of_shares_adds_up_the_package_s_own_test():
    n, m, first, second = 6, 9, 0.1, 0.8
    power = 0.0
    for x in range(n + 1):
        for y in range(m + 1):
            if cx.rate([x, y], [n, m]).compare().table["p_value"][0] < 0.05:
                power += stats.binom.pmf(x, n, first) * stats.binom.pmf(y, m, second)
    plan = cx.power("proportion", (n, m), first=first, second=second)
    assert plan.power == pytest.approx(power, abs=1e-6)


def test_symmetry_and_limits_of_regions():
    for a, b in ((40, -40), (0, 0)):
        one, other = cx.nps_region(a).table.iloc[0], cx.nps_region(b).table.iloc[0]
        assert one["promoters_high"] == pytest.approx(other["detractors_high"])
        assert one["variance_high"] == pytest.approx(other["variance_high"])
    top = cx.nps_region(100, rounding=0)
    assert top.table.iloc[0]["variance_high"] == 0
    assert top.interval(50).iloc[0]["wide_low"] == 100


def test_summaries_in_both_languages():
    for lang, word in (("en", "answers"), ("zh", "回答")):
        assert word in cx.sample_size("nps", first=LOW, second=HIGH).summary(lang)
        assert word in cx.sample_size("csat", first=0.7, margin=0.03).summary(lang)
    assert "47" in REGION.summary()
    assert "推荐者" in REGION.summary("zh")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cx.sample_size("nsp", first=LOW, second=HIGH), "metric='nsp'; allowed: nps"),
        (lambda: cx.sample_size("nps", first=(0.8, 0.4), second=HIGH), "sum is at most 1"),
        (lambda: cx.sample_size("nps", first=LOW), "needs first and second"),
        (lambda: cx.sample_size("nps", first=LOW, second=LOW), "do not differ"),
        (lambda: cx.sample_size("nps", first=120, second=HIGH), "between -100 and 100"),
        (lambda: cx.sample_size("csat", first=1.2, second=0.4), "a share from 0 to 1"),
        (lambda: cx.sample_size("csat", first=0.3, margin=-1), "margin=-1"),
        (lambda: cx.sample_size("csat", first=0.3, second=0.3 + 1e-9), "ten thousand million"),
        (lambda: cx.sample_size("arpu", difference=3), "needs sd"),
        (lambda: cx.sample_size("arpu", difference=3, sd=0), "above 0"),
        (lambda: cx.sample_size("nps", first=LOW, second=HIGH, power=1), "power=1"),
        (lambda: cx.sample_size("nps", first=LOW, second=HIGH, ratio=0), "ratio=0"),
        (lambda: cx.power("nps", 1.5, first=LOW, second=HIGH), "n=1.5"),
        (lambda: cx.power("nps", 50, first=(1, 0), second=(0, 1)), "neither group varies"),
        (lambda: cx.nps_region(168), "-100 to 100"),
        (lambda: cx.nps_region(32, 32), "no change to test"),
        (lambda: REGION.interval(0), "n=0"),
        (lambda: cx.sample_size("csat", first=0.3, margin=0.1).curve, "no power"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(cx.CxError, match=message):
        call()
