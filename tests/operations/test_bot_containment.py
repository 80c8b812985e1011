"""Containment: by hand, by brute force, coverage by customers, faults that are named."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

import cxstats as cx
from cxstats.core.errors import CxError

OPTIONS = {"customer": "who", "time": "when", "handled": "bot"}
N_SAMPLES = 200


def log(n=300, seed=1, days=60):
    rng = np.random.default_rng(seed)
    when = pd.Timestamp("2026-03-01") + pd.to_timedelta(rng.uniform(0, days, n).round(1), "D")
    frame = pd.DataFrame({"who": rng.integers(0, n // 3, n), "when": when})
    return frame.assign(bot=(rng.random(n) < 0.6).astype(int), topic=rng.choice(list("xy"), n))


@pytest.mark.parametrize("topic", [None, "topic"])
def test_by_brute_force(topic):
    frame = log()
    window = pd.Timedelta("7 days")
    observed = frame["when"] <= frame["when"].max() - window
    contained = []
    for row in frame[observed].itertuples():
        later = frame[(frame["who"] == row.who) & (frame["when"] > row.when)]
        later = later[later["when"] <= row.when + window]
        if topic:
            later = later[later["topic"] == row.topic]
        contained.append(bool(row.bot) and later.empty)
    result = cx.containment(frame, topic=topic, **OPTIONS)
    expected = [int(observed.sum()), int(frame.loc[observed, "bot"].sum()), sum(contained)]
    assert result.table["n"].tolist() == expected
    assert result.n_unobserved == int((~observed).sum())
    assert result.table["share"].iloc[2] == expected[2] / expected[0]
    assert result.table["estimate"].iloc[2] == expected[2] / expected[1]


def test_intervals_are_those_of_a_clustered_rate():
    frame = log()
    result = cx.containment(frame, **OPTIONS)
    observed = frame[frame["when"] <= frame["when"].max() - pd.Timedelta("7D")]
    share = cx.rate(observed, column="bot", cluster="who").table.iloc[0]
    row = result.table.iloc[1]
    assert [row["share_low"], row["share_high"]] == [share["ci_low"], share["ci_high"]]
    assert [row["ci_low"], row["se"]] == [share["ci_low"], share["se"]]


def test_forms_of_the_same_log():
    frame = log(60)
    expected = cx.containment(frame, **OPTIONS).table
    for other in (
        frame.sample(frac=1, random_state=1), frame.assign(bot=frame["bot"].astype(bool)),
        frame.assign(when=frame["when"].astype(str)), pl.from_pandas(frame),
        frame.set_index(np.zeros(60)), frame.convert_dtypes(dtype_backend="pyarrow"),
        frame.assign(when=frame["when"].dt.tz_localize("UTC"), who=frame["who"].astype(str)),
    ):  # fmt: skip
        pd.testing.assert_frame_equal(cx.containment(other, **OPTIONS).table, expected)


def test_contacts_at_one_time_are_no_repeats():
    frame = pd.DataFrame(
        {"who": [1, 1, 2, 3], "when": pd.to_datetime(["2026-03-01"] * 3 + ["2026-04-01"]), "bot": 1}
    )
    assert cx.containment(frame, **OPTIONS).table["n"].tolist() == [3, 3, 3]


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"bot": 2}, {}, "column 'bot', row 0: 2; allowed: 0 and 1, false and true"),
        ({"bot": None}, {}, "column 'bot', row 0: None"),
        ({"who": np.nan}, {}, "column 'who', row 0: missing"),
        ({"when": "soon"}, {}, "row 0, column 'when'"),
        ({}, {"window": "a week"}, "window='a week'; allowed: a span of time"),
        ({}, {"window": None}, "window=None; allowed"),
        ({}, {"window": "1000 days"}, "every contact is within 1000 days of the last one"),
        ({}, {"topic": "theme"}, "column 'theme' is not in the table"),
        ({}, {"customer": "whom"}, "column 'whom' is not in the table"),
    ],
)
def test_bad_input_is_named(change, options, message):
    with pytest.raises(CxError, match=re.escape(message)):
        cx.containment(log(30).assign(**change), **(OPTIONS | options))


@pytest.mark.slow
def test_coverage_by_customers():
    """Customers differ in how often the bot handles them; 120 of them with 1 to 9 contacts."""
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(N_SAMPLES):
        who = np.repeat(np.arange(120), rng.integers(1, 10, 120))
        bot = rng.random(len(who)) < rng.beta(1, 1, 120)[who]
        when = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.uniform(0, 300, len(who)), "D")
        row = cx.containment(
            pd.DataFrame({"who": who, "when": when, "bot": bot}), window="1 day", **OPTIONS
        ).table.iloc[1]
        hits += row["ci_low"] <= 0.5 <= row["ci_high"]
    assert abs(hits / N_SAMPLES - 0.95) < 3 * (0.95 * 0.05 / N_SAMPLES) ** 0.5
