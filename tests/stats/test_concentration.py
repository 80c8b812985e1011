"""Top shares and Gini: closed forms of known distributions, identities, CDNOW, coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import cxstats as cx
from cxstats.stats.concentration import customers_for, gini, top_share

CLOSED = 1e-9
BOOTSTRAP = 1e-3  # the reference resamples customers, and has three digits
# CDNOW, 23,570 customers: estimates and intervals computed apart from this package.
CDNOW = [
    (top_share, 0.2, 0.678, None),
    (top_share, 0.3, 0.780, (0.774, 0.786)),
    (customers_for, 0.7, 0.218, None),
]


@pytest.fixture(scope="module")
def spending():
    return cx.load_cdnow().groupby("customer")["spent"].sum().to_numpy()


@pytest.mark.parametrize(("measure", "share", "estimate", "limits"), CDNOW)
def test_cdnow(spending, measure, share, estimate, limits):
    result = measure(spending, share)
    assert result.n == 23_570
    assert round(result.estimate, 3) == estimate
    if limits:
        np.testing.assert_allclose(result.interval(), limits, atol=BOOTSTRAP)


def test_gini_of_cdnow(spending):
    result = gini(spending)
    assert round(result.estimate, 4) == 0.6346
    np.testing.assert_allclose(result.interval(), (0.626, 0.643), atol=BOOTSTRAP)


amounts = st.lists(st.floats(0, 1e6), min_size=2, max_size=40).filter(lambda x: sum(x) > 1e-3)


@given(amounts, st.floats(0.05, 0.95))
def test_identities(x, share):
    x = np.array(x)
    for measure in (lambda x: top_share(x, share), lambda x: customers_for(x, share), gini):
        once = measure(x)
        assert 0 <= once.estimate <= 1 + CLOSED
        assert measure(7 * x[::-1]).estimate == pytest.approx(once.estimate, abs=1e-7)
        assert measure(np.tile(x, 3)).estimate == pytest.approx(once.estimate, abs=1e-7)
    assert top_share(x, share).estimate >= share - CLOSED
    assert top_share(x, customers_for(x, share).estimate).estimate == pytest.approx(share, abs=1e-7)


def test_everybody_alike_and_one_with_all():
    assert gini([5] * 20).estimate == pytest.approx(0, abs=CLOSED)
    assert top_share([5] * 20, 0.3).estimate == pytest.approx(0.3)
    assert top_share([5] * 20, 0.3).se == pytest.approx(0, abs=CLOSED)
    assert gini([0] * 19 + [1]).estimate == pytest.approx(0.95)


@pytest.mark.parametrize("measure", [gini, lambda x: top_share(x, 0.3)])
def test_standard_error_is_that_of_the_jackknife(measure):
    x = stats.lognorm(1).rvs(400, random_state=3)
    leave_one_out = np.array([measure(np.delete(x, i)).estimate for i in range(len(x))])
    jackknife = np.sqrt((len(x) - 1) * leave_one_out.var())
    assert measure(x).se == pytest.approx(jackknife, rel=0.03)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1, -2], r"customer 2: -2.0; allowed: numbers of 0 or more"),
        ([np.nan, 2], "customer 1: nan"),
        ([0, 0], "no amount is above 0"),
    ],
)
def test_bad_amounts(x, message):
    for measure in (gini, lambda x: top_share(x, 0.3), lambda x: customers_for(x, 0.3)):
        with pytest.raises(cx.DataError, match=message):
            measure(x)


@pytest.mark.parametrize("share", [0, 1, 30, float("nan")])
def test_bad_shares(share):
    with pytest.raises(cx.DataError, match=r"top=.*allowed: a share above 0 and below 1"):
        top_share([1, 2], share)
    with pytest.raises(cx.DataError, match="share="):
        customers_for([1, 2], share)


# Distribution; truth of the top 30 %, of the customers for 70 %, of Gini; least coverage by n.
NORMAL = stats.norm()
POPULATIONS = [
    (stats.expon(), 0.3 * (1 - np.log(0.3)), None, 0.5, {100: 0.92, 1_000: 0.935}),
    (stats.lognorm(1), NORMAL.cdf(1 - NORMAL.ppf(0.7)), 1 - NORMAL.cdf(1 + NORMAL.ppf(0.3)),
     2 * NORMAL.cdf(1 / np.sqrt(2)) - 1, {100: 0.86, 1_000: 0.92}),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 1_000])
@pytest.mark.parametrize(("population", "top", "customers", "coefficient", "least"), POPULATIONS)
def test_coverage(population, top, customers, coefficient, least, n):
    generator = np.random.default_rng(5)
    truths = [(lambda x: top_share(x, 0.3), top), (gini, coefficient)]
    if customers:
        truths.append((lambda x: customers_for(x, 0.7), customers))
    held = np.zeros((4_000, len(truths)))
    for i in range(len(held)):
        x = population.rvs(n, random_state=generator)
        for j, (measure, truth) in enumerate(truths):
            low, high = measure(x).interval()
            held[i, j] = low <= truth <= high
    print(n, held.mean(axis=0))
    assert (held.mean(axis=0) > least[n]).all()
    assert (held.mean(axis=0) < 0.97).all()
