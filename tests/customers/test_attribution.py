"""Attribution: hand-made paths, every path of the chain enumerated, coverage, bad input."""

from importlib.metadata import PackageNotFoundError, files
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.customers.channel_chain import removal_effects

FEW = {"n_resamples": 50}
REFERENCE = Path(__file__).parent.parent / "reference"
DIGITS = 1e-11  # the reference has twelve


def frame(rows):
    return pd.DataFrame(rows, columns=["path", "conversions", "losses", "value"])


PATHS = frame(
    [
        ("a > b > c", 10, 5, 100.0),
        ("a", 2, 30, 30.0),
        ("c > c > a", 7, 7, 7.0),
        ("b", 0, 12, 0.0),
        ("b > a > b > c", 1, 0, 40.0),
    ]
)


def test_touches_by_hand():
    result = cx.attribution(PATHS, value="value", **FEW)
    table = result.table.set_index(["method", "channel"])
    expected = {
        "first": {"a": 12, "b": 1, "c": 7},
        "last": {"a": 9, "b": 0, "c": 11},
        "linear": {
            "a": 10 / 3 + 2 + 7 / 3 + 1 / 4,
            "b": 10 / 3 + 1 / 2,
            "c": 10 / 3 + 14 / 3 + 1 / 4,
        },
    }
    for method, credits in expected.items():
        assert table.loc[method]["estimate"].to_dict() == pytest.approx(credits)
    assert table.loc["last"]["credit"].to_dict() == pytest.approx({"a": 37, "b": 0, "c": 140})
    for method in ("first", "last", "linear", "markov"):
        assert table.loc[method]["estimate"].sum() == pytest.approx(20)
        assert table.loc[method]["share"].sum() == pytest.approx(1)
        assert table.loc[method]["credit"].sum() == pytest.approx(177)


def chances(transitions, absent, steps=400):
    """Return the chance of conversion, by steps of the chain; who reaches `absent` is lost."""
    k = len(transitions) - 1
    shares = transitions / np.maximum(transitions.sum(axis=1, keepdims=True), 1)
    state, won = shares[0, :k].copy(), 0.0
    for _ in range(steps):
        if absent is not None:
            state[absent] = 0
        won += state @ shares[1:, k]
        state = state @ shares[1:, :k]
    return won


@pytest.mark.parametrize("seed", range(5))
def test_removal_is_what_the_chain_without_the_channel_loses(seed):
    rng = np.random.default_rng(seed)
    k = 6
    counts = rng.poisson(3, (k + 1, k + 2)).astype(float)
    counts[0, k:] = 0
    counts[1:, k + 1] += 3
    effects = removal_effects(counts[None])
    total = chances(counts, None)
    assert effects.conversion[0] == pytest.approx(total)
    for c in range(k):
        assert effects.removal[0, c] == pytest.approx(1 - chances(counts, c) / total)


def test_removal_is_the_sum_over_every_path():
    """Without loops the paths of a chain can all be listed."""
    shares = {"s": {"a": 0.5, "b": 0.3, "c": 0.2}, "a": {"b": 0.4, "c": 0.1, "+": 0.2, "-": 0.3},
              "b": {"c": 0.5, "+": 0.1, "-": 0.4}, "c": {"+": 0.6, "-": 0.4}}  # fmt: skip
    total, without = 0.0, dict.fromkeys("abc", 0.0)
    for uses in product((False, True), repeat=3):
        states = ["s", *(c for c, used in zip("abc", uses, strict=True) if used), "+"]
        chance = np.prod([shares[i].get(j, 0) for i, j in pairwise(states)])
        total += chance
        for c in set("abc") - set(states):
            without[c] += chance
    order = ["a", "b", "c", "+", "-"]
    counts = np.array([[[shares[i].get(j, 0) for j in order] for i in "sabc"]])
    effects = removal_effects(counts)
    assert effects.conversion[0] == pytest.approx(total)
    expected = [1 - without[c] / total for c in "abc"]
    np.testing.assert_allclose(effects.removal[0], expected)


def test_reference_of_another_package_and_of_exact_fractions():
    """First, last and linear contact by ChannelAttribution, the chain by fractions."""
    paths = pd.read_csv(REFERENCE / "attribution_paths.csv")
    reference = pd.read_csv(REFERENCE / "attribution.csv", keep_default_na=False)
    result = cx.attribution(paths, value="value", **FEW)
    table = result.table.set_index(["method", "channel"])
    effects = result.effects.set_index("channel")["estimate"]
    for row in reference.itertuples():
        number = float(row.conversions)
        if row.method == "conversion":
            assert result.conversion == pytest.approx(number, rel=DIGITS)
        elif row.method == "removal":
            assert effects[row.channel] == pytest.approx(number, rel=DIGITS)
        else:
            ours = table.loc[(row.method, row.channel)]
            assert ours["estimate"] == pytest.approx(number, rel=DIGITS)
            assert ours["credit"] == pytest.approx(float(row.value), rel=DIGITS)
    assert len(reference) == 5 * 5 + 1


def test_the_paths_of_channelattribution():
    """Its data are read where it is installed (GPL, compiled: no dependency of ours)."""
    try:
        shipped = [f for f in files("channelattribution") or () if f.name == "Data.csv"]
    except PackageNotFoundError:
        shipped = []
    if not shipped:
        pytest.skip("channelattribution is not installed")
    result = cx.attribution(
        pd.read_csv(shipped[0].locate(), sep=";"), conversions="total_conversions",
        losses="total_null", value="total_conversion_value", n_resamples=100,
    )  # fmt: skip
    assert (result.n, result.n_conversions) == (88_387, 19_785)
    assert round(result.conversion, 5) == 0.22385
    table = result.table.set_index(["method", "channel"])
    touches = {"alpha": (6308, 8447, 7574.72), "iota": (4606, 3355, 3857.10),
               "eta": (3164, 4167, 3539.95)}  # fmt: skip
    for channel, credits in touches.items():
        ours = [table.loc[(m, channel), "estimate"] for m in ("first", "last", "linear")]
        assert np.round(ours, 2).tolist() == list(credits)
    # By removal, exactly; the package simulates and prints 563.5.
    epsilon = table.loc[("markov", "epsilon")]
    assert round(epsilon["estimate"], 1) == 599.6
    assert epsilon["ci_low"] < 599.6 < epsilon["ci_high"]
    # A08: credit less cost of each period, discounted; the shares of all channels are 1.
    channels = sorted(result.of("last")["channel"])
    options = {"retention": 0.8, "discount": 0.1, "periods": 3}
    values = result.channel_values(dict.fromkeys(channels, 0.0), **options)
    factor = sum((0.8 / 1.1) ** t for t in (1, 2, 3))
    np.testing.assert_allclose(values["clv"], values["credit"] * factor)
    assert values["share"].sum() == pytest.approx(1)


def test_chance_of_conversion_is_the_share_that_converts():
    # Of a chain with the paths' own transitions: each path ends once.
    result = cx.attribution(PATHS, **FEW)
    assert result.conversion == pytest.approx(20 / 74)
    assert (result.n, result.n_conversions) == (74, 20)


def test_forms_of_paths_are_one():
    plain = cx.attribution(PATHS, **FEW)
    lists = PATHS.assign(path=[text.split(" > ") for text in PATHS["path"]])
    dotted = PATHS.assign(path=PATHS["path"].str.replace(" > ", "."))
    doubled = pd.concat([PATHS.assign(conversions=PATHS["conversions"] // 2, losses=0),
                         PATHS.assign(conversions=-(-PATHS["conversions"] // 2))])  # fmt: skip
    for other, options in ((lists, {}), (dotted, {"separator": "."}),
                           (doubled.sample(frac=1, random_state=2), {})):  # fmt: skip
        again = cx.attribution(other, **options, **FEW)
        np.testing.assert_allclose(again.table["estimate"], plain.table["estimate"])
    # A contact repeated at once changes no chance of a chain of first order.
    repeated = PATHS.assign(path=PATHS["path"].str.replace("a", "a > a"))
    again = cx.attribution(repeated, **FEW)
    np.testing.assert_allclose(again.effects["estimate"], plain.effects["estimate"])


def test_errors_of_counts_are_binomial():
    result = cx.attribution(PATHS, n_resamples=4_000, seed=3)
    first = result.table.query("method == 'first'").set_index("channel")
    share = 12 / 74
    # 4,000 resamples: the error of a standard deviation is about 1.1 per cent of it.
    assert first.loc["a", "se"] == pytest.approx((74 * share * (1 - share)) ** 0.5, rel=0.05)


def test_channel_values_by_hand():
    result = cx.attribution(PATHS, value="value", **FEW)
    costs = {"a": 7, "b": 0, "c": 40}
    frame = result.channel_values(costs, retention=0.5, discount=0.25, periods=2, method="last")
    factor = 0.4 + 0.16
    assert frame.set_index("channel")["clv"].to_dict() == pytest.approx(
        {"a": 30 * factor, "b": 0, "c": 100 * factor}
    )
    assert frame["share"].sum() == pytest.approx(1)
    assert frame.attrs["status"] == "reconstructed-low"
    with pytest.raises(CxError, match="no cost of 'c'"):
        result.channel_values({"a": 1, "b": 1}, retention=1, discount=0, periods=1)
    with pytest.raises(CxError, match=r"retention is 1\.2; allowed: numbers from 0 to 1"):
        result.channel_values(costs, retention=1.2, discount=0, periods=1)
    with pytest.raises(CxError, match="periods=0"):
        result.channel_values(costs, retention=1, discount=0, periods=0)
    with pytest.raises(CxError, match="no value; pass value="):
        cx.attribution(PATHS, **FEW).channel_values(costs, retention=1, discount=0, periods=1)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"conversions": -1}, {}, "'conversions', row 0: -1 .*whole numbers"),
        ({"conversions": 1.5}, {}, "'conversions', row 0: 1.5"),
        ({"conversions": "many"}, {}, "'conversions', row 0: 'many'.*numbers"),
        ({"conversions": 0}, {}, "no path converts"),
        ({"path": "a >> b"}, {}, "'path', row 0: 'a >> b'; allowed: channels with '>'"),
        ({"path": None}, {}, "'path', row 0: .*channels with"),
        ({"value": 5.0}, {"value": "value"}, "'value', row 3: 5.0; allowed: 0 where no customer"),
        ({}, {"losses": "lost"}, "lost"),
        ({}, {"separator": ""}, "separator is empty"),
        ({}, {"n_resamples": 0}, "n_resamples is 0"),
    ],
)
def test_bad_paths(change, options, message):
    with pytest.raises((CxError, DataError), match=message):
        cx.attribution(PATHS.assign(**change), **(FEW | options))


def test_no_losses_column_names_the_option():
    with pytest.raises(DataError, match="losses=None all paths end in conversion"):
        cx.attribution(PATHS.drop(columns="losses"))


@pytest.mark.slow
def test_coverage():
    rng = np.random.default_rng(1)
    shares = np.array([[0.5, 0.3, 0.2, 0, 0], [0.1, 0.3, 0.1, 0.2, 0.3], [0.2, 0, 0.3, 0.1, 0.4],
                       [0.1, 0.1, 0, 0.4, 0.4]])  # fmt: skip
    truth = removal_effects(shares[None]).removal[0]
    hits, runs, n = [], 300, 1_000
    for _ in range(runs):
        paths = []
        for _ in range(n):
            state, path = 0, []
            while (state := rng.choice(5, p=shares[state]) + 1) <= 3:
                path.append("abc"[state - 1])
            paths.append((path, int(state == 4), int(state == 5)))
        data = pd.DataFrame(paths, columns=["path", "conversions", "losses"])
        effects = cx.attribution(data, n_resamples=300).effects
        hits.append((effects["ci_low"] <= truth) & (truth <= effects["ci_high"]))
    coverage = np.mean(hits, axis=0)
    print(coverage)
    assert (coverage > 0.95 - 3 * (0.95 * 0.05 / runs) ** 0.5).all(), coverage
