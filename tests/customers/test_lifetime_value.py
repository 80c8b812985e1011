"""Lifetime value: published values, the models' equations by other ways, coverage, bad input."""

from importlib.metadata import files

import numpy as np
import pandas as pd
import pytest
from scipy import special
from scipy.integrate import quad

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.customers import bg_nbd, gamma_gamma
from cxstats.customers.bg_nbd import Histories

# Published with four digits (Fader, Hardie & Lee 2005; lifetimes' documentation of CDNOW).
DIGITS = 6e-4
CDNOW = (0.2426, 4.414, 0.793, 2.426)
TRUTH = (0.7, 6.0, 0.8, 2.5)
SPEND = (6.0, 4.0, 15.0)


def example(name):
    return next(f for f in files("lifetimes") if str(f).endswith(name)).locate()


def cdnow_summary():
    frame = pd.read_csv(example("cdnow_customers_summary_with_transactions.csv"))
    columns = {"x": "frequency", "t_x": "recency", "T": "age", "zbar": "money", "ID": "customer"}
    return frame.rename(columns=columns)


def cdnow_purchases():
    names = ["id", "customer", "date", "items", "spent"]
    frame = pd.read_csv(example("CDNOW_sample.txt"), sep=r"\s+", header=None, names=names)
    return frame.assign(date=pd.to_datetime(frame["date"].astype(str)))


def simulated(n, rng):
    """Return a summary of n customers with known parameters."""
    histories = bg_nbd.simulate(TRUTH, rng.uniform(26, 52, n), rng)
    x = histories.frequency
    p, q, v = SPEND
    nu = rng.gamma(q, 1 / v, n)
    money = rng.gamma(p * np.maximum(x, 1)) / nu / np.maximum(x, 1)
    columns = {"frequency": x, "recency": histories.recency, "age": histories.age}
    return pd.DataFrame(columns | {"money": np.where(x > 0, money, 0)}), histories


@pytest.fixture(scope="module")
def published():
    return cx.lifetime_value(cdnow_summary(), 52)


def test_parameters_are_those_published(published):
    estimates = published.parameters["estimate"].to_numpy()
    np.testing.assert_allclose(estimates[:4], CDNOW, rtol=DIGITS)
    np.testing.assert_allclose(estimates[4:], (6.25, 3.74, 15.45), rtol=2e-3)
    assert round(published.log_likelihood, 2) == -9582.43
    assert published.n_again == 946
    spend = published.table.set_index("quantity").loc["spend", "estimate"]
    assert round(spend, 2) == 35.17


def test_a_customer_is_as_published():
    history = Histories(*np.array([[26.0], [30.857], [31.0]]))
    fit = bg_nbd.fit(Histories(*cdnow_summary()[["frequency", "recency", "age"]].to_numpy(float).T))
    assert round(bg_nbd.expected(fit.parameters, history, 52)[0], 2) == 25.76
    assert round(bg_nbd.alive(fit.parameters, history)[0], 5) == 0.96885


def test_purchases_and_their_summary_agree():
    options = {"time": "date", "amount": "spent", "holdout_from": "1997-10-01"}
    result = cx.lifetime_value(cdnow_purchases(), 39, end="1998-06-30", **options)
    estimates = result.parameters["estimate"].to_numpy()[:4]
    np.testing.assert_allclose(estimates, CDNOW, rtol=DIGITS)
    summary = cdnow_summary()
    # Its times are rounded to two digits.
    np.testing.assert_allclose(result.customers["recency"], summary["recency"], atol=0.006)
    assert (result.customers["frequency"] == summary["frequency"]).all()
    np.testing.assert_allclose(result.customers["money"].fillna(0), summary["money"], atol=0.006)
    total = result.holdout.iloc[-1]
    assert total["group"] == "all"
    after = cdnow_purchases().query("date >= '1997-10-01'")
    assert total["actual"] == len(after.drop_duplicates(["customer", "date"]))
    # The forecast is short, which its interval says: known of this model and these customers.
    assert total["ci_high"] < total["actual"]
    assert any("留出期" in note.zh for note in result.notes)


def test_rows_and_units_do_not_matter():
    purchases = cdnow_purchases().head(3000)
    options = {"time": "date", "amount": "spent"}
    weeks = cx.lifetime_value(purchases, 10, **options)
    days = cx.lifetime_value(purchases.sample(frac=1, random_state=1), 70, unit="day", **options)
    columns = ["estimate", "ci_low", "ci_high"]
    np.testing.assert_allclose(weeks.table[columns], days.table[columns], rtol=1e-4)
    dollars = purchases.assign(spent=100 * purchases["spent"])
    cents = cx.lifetime_value(dollars, 10, **options).table.set_index("quantity")
    ratio = cents["estimate"] / weeks.table.set_index("quantity")["estimate"]
    np.testing.assert_allclose(ratio, [1, 1, 1, 100, 100, 100], rtol=1e-5)


def expected_by_integral(parameters, x, age, time):
    r, alpha, a, b = parameters

    def mean(p):
        return -np.expm1(-(r + x) * np.log1p(p * time / (alpha + age))) / p if p else 0.0

    # The density may have poles at both ends: u = p^a, then u = (1 - p)^c, take them away.
    middle, c, total = a / (a + b + x), b + x, special.beta(a, b + x)
    below = quad(
        lambda u: mean(u ** (1 / a)) * (1 - u ** (1 / a)) ** (c - 1) / a / total, 0, middle**a
    )
    above = quad(lambda u: mean(1 - u ** (1 / c)) * (1 - u ** (1 / c)) ** (a - 1) / c / total,
                 0, (1 - middle) ** c)  # fmt: skip
    return below[0] + above[0]


@pytest.mark.parametrize("a", [0.3, 0.99999, 1, 1.00001, 1.7, 8])
@pytest.mark.parametrize("x", [0, 1, 5, 400])
def test_expectation_is_the_integral_over_customers(a, x):
    for b, r in ((0.5, 0.2), (2.5, 3.0), (1 - min(a, 0.9), 0.7)):
        parameters = (r, 4.0, a, b)
        histories = Histories(*np.array([[x], [20.0 * (x > 0)], [30.0]], float))
        value = bg_nbd.expected_if_alive(parameters, histories, 25.0)[0]
        assert value == pytest.approx(expected_by_integral(parameters, x, 30.0, 25.0), rel=1e-6)


def test_expectation_is_the_mean_of_futures():
    rng = np.random.default_rng(3)
    parameters, n = (0.7, 6.0, 0.8, 2.5), 400_000
    histories = Histories(np.full(n, 4.0), np.full(n, 25.0), np.full(n, 30.0))
    draws = bg_nbd.draw_purchases(parameters, histories, 20.0, rng)
    expected = bg_nbd.expected(parameters, histories, 20.0)[0]
    assert draws.mean() == pytest.approx(expected, abs=4 * draws.std() / n**0.5)
    # And of customers who happened to have such a history.
    again = bg_nbd.simulate(parameters, np.full(n, 30.0), rng)
    longer = bg_nbd.simulate(parameters, np.full(n, 50.0), rng)
    growth = longer.frequency.mean() - again.frequency.mean()
    mean = bg_nbd.expected(parameters, again, 20.0).mean()
    assert mean == pytest.approx(growth, abs=0.02)


@pytest.mark.parametrize("model", ["bg_nbd", "gamma_gamma"])
def test_gradients_are_derivatives(model):
    summary, histories = simulated(300, np.random.default_rng(1))
    again = summary[summary["frequency"] > 0]

    def value(logs):
        if model == "bg_nbd":
            return bg_nbd.log_likelihood(logs, histories, np.ones(300))
        return gamma_gamma.log_likelihood(
            logs, again["frequency"].to_numpy(), again["money"].to_numpy()
        )

    logs = np.log(TRUTH if model == "bg_nbd" else SPEND) + 0.2
    for j, step in enumerate(1e-6 * np.eye(len(logs))):
        slope = (value(logs + step)[0] - value(logs - step)[0]) / 2e-6
        assert value(logs)[1][j] == pytest.approx(slope, rel=1e-5, abs=1e-3)


@pytest.mark.parametrize("model", [bg_nbd, gamma_gamma])
def test_a_first_search_on_a_part_ends_at_the_same_maximum(model, monkeypatch):
    summary, histories = simulated(60_000, np.random.default_rng(6))
    again = summary[summary["frequency"] > 0]
    cases = (histories,)
    if model is gamma_gamma:
        cases = again["frequency"].to_numpy(), again["money"].to_numpy()
    monkeypatch.setattr(model, "PILOT", 5_000)
    by_part = model.fit(*cases)
    monkeypatch.setattr(model, "PILOT", 10**9)
    np.testing.assert_allclose(by_part.logs, model.fit(*cases).logs, rtol=0, atol=1e-7)


def test_the_order_of_customers_does_not_matter():
    _, histories = simulated(500, np.random.default_rng(7))
    order = np.random.default_rng(8).permutation(500)
    logs = np.log(TRUTH)
    value, slopes = bg_nbd.log_likelihood(logs, histories, np.ones(500))
    again, slopes_again = bg_nbd.log_likelihood(logs, histories.of(order), np.ones(500))
    assert again == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(slopes_again, slopes, rtol=1e-9)
    distinct, counts, place = histories.distinct()
    for name in ("frequency", "recency", "age"):
        column = getattr(histories, name)
        np.testing.assert_array_equal(getattr(distinct, name)[place], column)
    assert counts.sum() == 500
    twice = bg_nbd.Histories(*np.repeat([histories.frequency, histories.recency,
                                         histories.age], 2, axis=1)).distinct()  # fmt: skip
    np.testing.assert_array_equal(twice[1], 2 * counts)


def test_discounted_value_is_the_sum_of_small_steps():
    summary, histories = simulated(400, np.random.default_rng(2))
    plain = cx.lifetime_value(summary, 104)
    result = cx.lifetime_value(summary, 104, discount=0.3, margin=0.5)
    fit = bg_nbd.fit(histories)
    edges = np.linspace(0, 104, 1041)
    totals = np.array([bg_nbd.expected(fit.parameters, histories, t) for t in edges])
    middle = (edges[1:] + edges[:-1]) / 2
    discounted = (np.diff(totals, axis=0) * 1.3 ** (-middle * 7 / 365.25)[:, None]).sum(axis=0)
    np.testing.assert_allclose(
        result.customers["clv"], 0.5 * discounted * result.customers["spend"], rtol=1e-4
    )
    assert (result.customers["clv"] < 0.5 * plain.customers["clv"]).all()


def test_nobody_stops_says_so():
    rng = np.random.default_rng(2)
    histories = bg_nbd.simulate((2.0, 10.0, 1e-4, 1.0), rng.uniform(20, 40, 200), rng)
    frame = pd.DataFrame({n: getattr(histories, n) for n in ("frequency", "recency", "age")})
    result = cx.lifetime_value(frame, 26)
    assert any("not to be trusted" in note.en for note in result.notes)
    rows = result.parameters.set_index("parameter")
    assert np.isnan(rows.loc["a", "ci_low"])
    # Poisson purchases with gamma rates: what such customers buy, exactly.
    poisson = (2 + histories.frequency) / (10 + histories.age) * 26
    assert result.table["estimate"][0] == pytest.approx(poisson.sum(), rel=0.05)


PURCHASES = pd.DataFrame(
    {"customer": list("aabbccddeeff"), "time": [0, 5, 1, 6, 0, 9, 2, 8, 3, 7, 1, 4],
     "amount": [10.0, 12, 9, 30, 8, 15, 11, 14, 20, 21, 9, 13]}
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            {"amount": -5.0},
            {},
            r"'amount', row 0: -5\.0 \(12 such rows\); .*0 or more; take refunds",
        ),
        ({"amount": np.nan}, {}, "'amount', row .*allowed: numbers"),
        ({"amount": 7.0}, {}, "1 different amounts.*amount=None"),
        ({"customer": None}, {}, "'customer', row .*12 such rows.*a customer in every row"),
        (
            {"customer": "same"},
            {},
            "1 of 1 customers bought again before the end .*allowed: at least 5",
        ),
        ({"time": "soon"}, {}, "'time', row .*'soon'.*dates such as"),
        ({"time": 3}, {}, r"0 of 0 customers \(6 more bought first at its end\) bought again"),
        ({}, {"amount": "price"}, "price"),
        ({}, {"horizon": 0}, "horizon=0; allowed: a number above 0"),
        ({}, {"margin": 1.5}, "margin=1.5; allowed: a number above 0 and at most 1"),
        ({}, {"discount": -0.1}, "discount=-0.1; allowed: a number 0 or more"),
        ({}, {"unit": "hour"}, "unit='hour'; allowed: 'day', 'week'"),
        ({}, {"end": 5}, "'time', row .*no later than end=5"),
        ({}, {"holdout_from": 20}, "holdout_from=20; allowed: a time after the first"),
        ({}, {"holdout_from": "1997-10-01"}, "holdout_from='1997-10-01'; allowed: a number"),
        ({}, {"level": 95}, "level is 95"),
    ],
)
def test_bad_purchases(change, options, message):
    with pytest.raises(CxError, match=message):
        cx.lifetime_value(PURCHASES.assign(**change), **({"horizon": 4} | options))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("frequency", 1.5, "whole numbers: purchases after the first"),
        ("frequency", -1, "numbers of 0 or more"),
        ("recency", 99, "no later than the age"),
        ("recency", 0, "above 0 where frequency is above 0"),
        ("age", 0, "times above 0"),
        ("money", -1, "means of 0 or more"),
    ],
)
def test_bad_summary(column, value, message):
    frame = pd.DataFrame({"frequency": 2, "recency": 5.0, "age": 9.0, "money": 4.0},
                         index=range(10)).assign(**{column: value})  # fmt: skip
    with pytest.raises(DataError, match=f"'{column}', row .*{message}"):
        cx.lifetime_value(frame, 4)


def test_a_column_twice():
    twice = pd.concat([PURCHASES, PURCHASES[["amount"]]], axis=1)
    with pytest.raises(DataError, match="'amount' stands 2 times"):
        cx.lifetime_value(twice, 4)


def test_an_end_that_is_no_time():
    dated = PURCHASES.assign(
        time=pd.Timestamp("2025-01-01") + pd.to_timedelta(PURCHASES["time"], "D")
    )
    with pytest.raises(CxError, match="end=NaT; allowed: a date"):
        cx.lifetime_value(dated, 4, end=pd.NaT)


def test_what_is_not_determined_has_no_interval():
    rng = np.random.default_rng(0)
    recency, money = rng.uniform(1, 5, 50), rng.gamma(2, 5, 50)
    frame = pd.DataFrame({"frequency": 1, "recency": recency, "age": 10.0, "money": money})
    result = cx.lifetime_value(frame, 10)
    assert "alpha" in result.notes[0].en
    for text in (result.summary(), result.summary("zh"), result._repr_html_()):
        assert "nan" not in text.lower().replace("finan", "")


def covered(n, runs, seed):
    """Return coverage of parameters, total purchases and value, and the share at the edge."""
    rng = np.random.default_rng(seed)
    hits, edges = [], 0
    truth = np.array([*TRUTH, *SPEND])
    for _ in range(runs):
        summary, histories = simulated(n, rng)
        result = cx.lifetime_value(summary, 26)
        low, high = (result.parameters[name].to_numpy() for name in ("ci_low", "ci_high"))
        edges += bool(np.isnan(low).any())
        expected = bg_nbd.expected(TRUTH, histories, 26.0)
        spend = gamma_gamma.expected_spend(SPEND, histories.frequency, summary["money"].to_numpy())
        totals = result.table.set_index("quantity")
        row = [*((low <= truth) & (truth <= high)).astype(float)]
        row = [np.nan if np.isnan(a) else hit for a, hit in zip(low, row, strict=True)]
        alive = bg_nbd.alive(TRUTH, histories).sum()
        for name, value in (("purchases", expected.sum()), ("alive", alive),
                            ("value", (spend * expected).sum())):  # fmt: skip
            limits = totals.loc[name, ["ci_low", "ci_high"]].to_numpy(float)
            row.append(np.nan if np.isnan(limits).any() else limits[0] <= value <= limits[1])
        hits.append(row)
    return np.nanmean(np.array(hits, float), axis=0), edges / runs


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 1_000, 5_000])
def test_coverage(n):
    runs = 300
    shares, edge = covered(n, runs, n)
    noise = 3 * (0.95 * 0.05 / runs) ** 0.5
    lowest = 0.95 - noise - (0.03 if n < 1_000 else 0)
    print(n, shares.round(3), edge)
    assert (shares[[0, 1, 4, 5, 6, 7, 9]] > lowest).all(), shares
    if n >= 1_000:
        assert edge < 0.02
        assert (shares > lowest).all(), shares
