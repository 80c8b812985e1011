"""Paths before leaving: by hand, planted and false ones, forms of input, bad input."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import binom

import cxstats as cx
from cxstats.core.errors import CxError, DataError

EVENTS = cx.simulate_churn(600, 3)


@pytest.fixture(scope="module")
def result():
    return cx.churn_paths(EVENTS, leaves="leaves")


def test_the_planted_path_is_found_and_its_ratio_covered(result):
    top = result.table.iloc[0]
    assert top["path"] == "complaint > call"
    assert top["p_adjusted"] < 0.01
    assert top["ci_low"] < 5 < top["ci_high"]
    assert result.synthetic
    assert "association" in result.notes[0].en


def test_counts_are_those_of_a_loop(result):
    """Observed and expected of every path, by looking at each leaving in turn."""
    begun = EVENTS.groupby("customer")["time"].transform("min")
    frame = EVENTS.assign(age=EVENTS["time"] - begun)
    out = frame[frame["event"] == "leaves"].set_index("customer")["age"]
    end = EVENTS["time"].max() - begun.groupby(EVENTS["customer"]).first()
    stop = out.reindex(end.index).fillna(end)
    said = frame[frame["event"] != "leaves"]
    histories = {c: (g["age"].to_numpy(), g["event"].tolist()) for c, g in said.groupby("customer")}

    def path_at(customer, age, length):
        ages, names = histories[customer]
        last = names[: int((ages < age).sum())][-length:]
        return " > ".join(last) if len(last) == length else ""

    counts = {path: [0, 0.0] for path in result.table["path"]}
    for leaver, age in out.items():
        there = stop.index[stop >= age]
        for length in (1, 2):
            paths = [path_at(c, age, length) for c in there]
            for path, count in counts.items():
                if path.count(" > ") == length - 1:
                    count[0] += path_at(leaver, age, length) == path
                    count[1] += paths.count(path) / len(there)
    for _, row in result.table.iterrows():
        observed, expected = counts[row["path"]]
        assert row["n"] == observed
        assert row["expected"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [{"leaves": "leaves"}, {"inactivity": 40, "until": 180.0}])
def test_false_paths_are_found_in_five_per_cent(rule):
    false, runs = 0, 100
    for seed in range(runs):
        frame = cx.simulate_churn(300, 5000 + seed, paths={})
        if "inactivity" in rule:
            frame = frame[frame["event"] != "leaves"]
        false += len(cx.churn_paths(frame, **rule).clear) > 0
    print(rule, false / runs)
    assert false / runs <= 0.05 + 1.64 * (0.05 * 0.95 / runs) ** 0.5


def dated(frame):
    return frame.assign(time=pd.Timestamp("2025-01-01") + pd.to_timedelta(frame["time"], "D"))


@pytest.mark.slow
def test_a_planted_path_is_found_and_its_ratio_covered_as_often_as_it_should():
    found, covered, runs = 0, 0, 40
    for seed in range(runs):
        result = cx.churn_paths(cx.simulate_churn(300, 7000 + seed), leaves="leaves")
        row = result.table.set_index("path").loc["complaint > call"]
        found += row["p_adjusted"] < 0.05
        covered += row["ci_low"] < 5 < row["ci_high"]
    print(found, covered)
    assert found >= 36
    assert covered >= binom.ppf(0.01, runs, 0.95)


FORMS = {
    "nullable": lambda f: f.convert_dtypes(),
    "arrow dtypes": lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
    "categories, one index": lambda f: f.astype({"event": "category"}).set_index(
        np.zeros(len(f), int)
    ),
    "dates": dated,
    "zones": lambda f: dated(f).assign(time=dated(f)["time"].dt.tz_localize("Asia/Shanghai")),
    "polars lazy": lambda f: pl.from_pandas(f).lazy(),
    "duckdb": duckdb.from_df,
    "rows in another order": lambda f: f.sample(frac=1, random_state=1),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same(form, result):
    table = cx.churn_paths(FORMS[form](EVENTS), leaves="leaves").table
    pd.testing.assert_frame_equal(table, result.table, rtol=1e-6)


def test_what_comes_after_leaving_does_not_count(result):
    back = EVENTS[EVENTS["event"] == "leaves"].assign(event="visit")
    more = pd.concat([EVENTS, back.assign(time=back["time"] + 0.01)])
    more = more[more["time"] <= EVENTS["time"].max()]
    table = cx.churn_paths(more, leaves="leaves").table
    pd.testing.assert_frame_equal(table, result.table, rtol=1e-6)


def test_a_last_event_before_silence_is_the_leaver_s_path():
    """Whoever has event b goes silent, and nobody else."""
    rng = np.random.default_rng(1)
    rows = []
    for i in range(200):
        times = np.cumsum(rng.exponential(5, 40))
        for t in times[times < 100]:
            name = "b" if rng.random() < 0.05 else rng.choice(["a", "c"])
            rows.append((i, t, name))
            if name == "b":
                break
    frame = pd.DataFrame(rows, columns=["customer", "time", "event"])
    table = cx.churn_paths(frame, inactivity=30, until=100, longest=1).table
    row = table.iloc[0]
    assert row["path"] == "b"
    assert row["n"] > 0.9 * table["n"].sum()


def pauses(long, seed=2):
    """Return events of customers none of whom leaves, who wait longer after events "long"."""
    rng, rows = np.random.default_rng(seed), []
    for customer in range(300):
        time = rng.uniform(0, 20)
        while time < 180:
            name = rng.choice(["a", "b", "long"])
            rows.append((customer, time, name))
            time += rng.exponential(long if name == "long" else 10)
    return pd.DataFrame(rows, columns=["customer", "time", "event"])


@pytest.mark.parametrize(("long", "inactivity", "clear"), [(10, 25, False), (25, 25, True)])
def test_longer_pauses_look_like_leaving_and_the_note_says_so(long, inactivity, clear):
    result = cx.churn_paths(pauses(long), inactivity=inactivity, until=180, longest=1)
    assert ("long" in list(result.clear["path"])) == clear
    assert "longer pauses" in result.summary("en")
    assert "间隔" in result.summary("zh")


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"leaves": None}, "name leaves, .* or inactivity"),
        ({}, {"inactivity": 3}, "name leaves, .* or inactivity"),
        ({}, {"leaves": "leave"}, "leaves='leave' is no event of column 'event'; did you mean"),
        ({}, {"leaves": None, "inactivity": 0}, "inactivity=0; allowed: a number above 0"),
        ({}, {"longest": 9}, "longest=9; allowed: 1 to 5"),
        ({}, {"adjustment": "none"}, "adjustment='none'; allowed: 'holm', 'fdr_bh'"),
        ({}, {"until": 5}, "'time', row .*; allowed: no later than until=5"),
        ({}, {"until": "soon"}, "until='soon'; allowed: a number"),
        ({}, {"event": "what"}, "'what' is not in the table"),
        ({"time": np.nan}, {}, "'time', row 3: nan; allowed: numbers"),
        ({"customer": None}, {}, "'customer', row 3: .*; allowed: a customer"),
        ({"event": " "}, {}, "'event', row 3: ' '; allowed: an event"),
    ],
)
def test_bad_input(change, options, message):
    frame = EVENTS.astype({"customer": object})
    for name, value in change.items():
        frame.loc[3, name] = value
    with pytest.raises(CxError, match=message):
        cx.churn_paths(frame, **{"leaves": "leaves", **options})


def test_too_few_leave():
    with pytest.raises(DataError, match="customers leave; allowed: at least 10"):
        cx.churn_paths(EVENTS[EVENTS["customer"] < 12], leaves="leaves")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n=0; allowed: a whole number from 1"),
        ({"seed": -1}, "seed=-1; allowed: a whole number from 0"),
        ({"rate": 0}, "rate=0; allowed: a number above 0"),
        ({"events": {"a": 0.5}}, "allowed: shares of 0 or more that sum to 1"),
        ({"paths": {("x",): 2.0}}, "path .*'x'.*; allowed: a tuple of visit"),
        ({"paths": {("call",): -2.0}}, "ratio of .*=-2.0; allowed"),
    ],
)
def test_simulator_refuses(options, message):
    with pytest.raises(CxError, match=message):
        cx.simulate_churn(**{"n": 10, "seed": 1, **options})
