"""Survival: as R, forms of input, dates, notes, bad input."""

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.stats.hypothesis_tests import adjust
from tests.gallery.customers_retention import contracts
from tests.references import lung, reference

CLOSED = 1e-10


def test_curves_tests_and_means_are_those_of_r():
    table = reference("survival")
    r = {what: rows.set_index("time")["value"] for what, rows in table.groupby("what")}
    whole = cx.survival(lung(), "weeks", "died", unit="week", horizon=60)
    assert whole.table["estimate"].to_numpy() == pytest.approx(r["estimate"].to_numpy(), abs=CLOSED)
    median, mean = whole.averages.to_dict("records")
    assert [median[k] for k in ("estimate", "ci_low", "ci_high")] == [45, 41, 52]
    assert mean["estimate"] == pytest.approx(r["rmean"][60], rel=CLOSED)
    half = 1.959963984540054 * r["rmean.se"][60]
    assert mean["ci_high"] - mean["estimate"] == pytest.approx(half, rel=1e-9)
    groups = cx.survival(lung(), "weeks", "died", by="sex")
    assert groups.statistic == pytest.approx(r["logrank"][1], rel=CLOSED)
    stratified = cx.survival(lung(), "weeks", "died", by="sex", strata="active")
    assert stratified.statistic == pytest.approx(r["logrank.strata"][1], rel=CLOSED)
    clustered = cx.survival(lung(), "weeks", "died", by="sex", cluster="hospital")
    assert clustered.statistic == pytest.approx(r["logrank.cluster"][1], rel=CLOSED)
    assert any("only 18 clusters" in note.en for note in clustered.notes)


def test_pairs_are_the_tests_of_two_groups_adjusted():
    frame = contracts(300, ("a", "b", "c"))
    pairs = cx.survival(frame, "weeks", "left", by="channel", cluster="customer").pairs
    for _, row in pairs.iterrows():
        two = frame[frame["channel"].isin([row["group_1"], row["group_2"]])]
        alone = cx.survival(two, "weeks", "left", by="channel", cluster="customer")
        assert alone.p_value == pytest.approx(row["p_value"], rel=1e-12)
        assert alone.pairs is None
    assert pairs["p_adjusted"].to_numpy() == pytest.approx(adjust(pairs["p_value"].to_numpy()))


FORMS = {
    "nullable": lambda f: f.convert_dtypes(),
    "arrow dtypes": lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
    "categories, one index": lambda f: f.astype({"channel": "category"}).set_index(
        np.zeros(len(f), int)
    ),
    "texts": lambda f: f.assign(weeks=f["weeks"].astype(str), left=f["left"].astype(int)),
    "names of ours": lambda f: f.rename(columns={"weeks": "time", "left": "estimate"}),
    "shared": lambda f: f.copy(deep=False).assign(channel=f["channel"].astype("str")),
    "polars": pl.from_pandas,
    "polars lazy": lambda f: pl.from_pandas(f).lazy(),
    "pyarrow": pa.Table.from_pandas,
    "duckdb": duckdb.from_df,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same(form):
    columns = ("time", "estimate") if form == "names of ours" else ("weeks", "left")
    options = {"by": "channel", "cluster": "customer"}
    expected = cx.survival(contracts(), "weeks", "left", **options)
    result = cx.survival(FORMS[form](contracts()), *columns, **options)
    for name in ("table", "averages"):
        pd.testing.assert_frame_equal(getattr(result, name), getattr(expected, name))
    assert result.p_value == pytest.approx(expected.p_value, rel=1e-12)


def test_dates_are_durations():
    frame = contracts(60)
    rng = np.random.default_rng(1)
    until = pd.Timestamp("2025-06-30")
    days = (7 * frame["weeks"]).astype(int)
    begun = until - pd.to_timedelta(days + np.where(frame["left"], rng.integers(0, 9, 60), 0), "D")
    ended = (begun + pd.to_timedelta(days, "D")).where(frame["left"])
    dated = pd.DataFrame({"begun": begun, "ended": ended, "channel": frame["channel"]})
    expected = cx.survival(frame, "weeks", "left", by="channel", unit="week")
    keys = {"start": "begun", "end": "ended", "until": "2025-06-30", "unit": "week"}
    texts = dated.assign(
        **{k: dated[k].dt.strftime("%Y-%m-%d").fillna("") for k in ("begun", "ended")}
    )
    zoned = dated.assign(**{k: dated[k].dt.tz_localize("UTC") for k in ("begun", "ended")})
    for form in (dated, texts, pl.from_pandas(dated), dated.convert_dtypes(), zoned):
        result = cx.survival(form, by="channel", **keys)
        pd.testing.assert_frame_equal(result.table, expected.table)
    # Who left after the last moment observed had not left yet.
    dated = dated[dated["begun"] <= "2025-06-01"]
    early = cx.survival(dated, **keys | {"until": date(2025, 6, 1)})
    assert early.n_events == int((dated["ended"] <= "2025-06-01").sum())


def test_times_of_day_are_seen_until_the_end_of_the_last_day():
    frame = pd.DataFrame({"a": ["2025-01-01 12:00", "2025-01-02 18:00"], "b": [None, None]})
    curve = cx.survival(frame, start="a", end="b", until="2025-01-02").table
    assert curve["time"].tolist() == [0.25, 1.5]


def test_groups_stand_in_their_order():
    frame = contracts(200, ("10", "9", "2"))
    kinds = {
        "texts": (frame["channel"], ["10", "2", "9"]),
        "numbers": (frame["channel"].astype(int), ["2", "9", "10"]),
        "ordered": (pd.Categorical(frame["channel"], ["9", "x", "10", "2"], ordered=True),
                    ["9", "10", "2"]),
    }  # fmt: skip
    for channel, order in kinds.values():
        result = cx.survival(frame.assign(channel=channel), "weeks", "left", by="channel")
        assert list(result.curves) == order


def test_rows_without_a_group_are_left_out():
    frame = contracts(50)
    frame.loc[:3, "channel"] = [None, np.nan, "", " "]
    result = cx.survival(frame, "weeks", "left", by="channel")
    assert result.n == 46
    assert result.notes[0].en == "4 rows without a group are left out"
    assert list(result.curves) == ["mail", "shop"]


def notes(frame, **options):
    return " ".join(n.en for n in cx.survival(frame, "weeks", "left", **options).notes)


def test_notes_say_what_bites():
    frame = contracts(120)
    assert "median is not reached" not in notes(frame)
    assert "as soon as the others" in notes(frame)
    assert "as soon as the others" not in notes(frame.assign(left=True))
    rare = frame.assign(left=frame.index % 15 == 0)
    assert "median is not reached: " in notes(rare)
    assert "fewer than 10 events" in notes(rare)
    assert "more than 80 % of the cases" in notes(rare)
    rng = np.random.default_rng(1)
    early, late = rng.uniform(0, 30, 100), rng.uniform(12, 18, 100)
    crossing = pd.DataFrame(
        {"weeks": np.concatenate([early, late]), "left": True, "g": np.repeat(["a", "b"], 100)}
    )
    assert "curves cross (a × b)" in notes(crossing, by="g")
    assert "curves cross" not in notes(frame, by="channel")


def test_curves_that_are_the_same_seldom_cross():
    rng = np.random.default_rng(2)
    crossed = 0
    for _ in range(200):
        frame = pd.DataFrame({"weeks": rng.exponential(10, 100), "left": rng.random(100) < 0.7,
                              "g": np.repeat(["a", "b"], 50)})  # fmt: skip
        crossed += "curves cross" in notes(frame, by="g")
    assert crossed <= 10


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_few_rows(rows):
    for left in (True, False):
        frame = contracts(10).head(rows).assign(left=left)
        result = cx.survival(frame, "weeks", "left", by="channel")
        assert result.n == rows
        result.summary()
        result.at(1)


def test_at_is_a_step():
    result = cx.survival(pd.DataFrame({"t": [2, 4, 6], "e": [1, 1, 0]}), "t", "e")
    assert [result.at(t)["estimate"].item() for t in (0, 2, 5, 6)] == pytest.approx(
        [1, 2 / 3, 1 / 3, 1 / 3]
    )
    assert result.at(7)["estimate"].isna().all()


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"duration": "week"}, "'week' is not in the table"),
        ({}, {"duration": None}, "duration=None, event='left'; allowed: two columns"),
        ({}, {"event": None}, "event=None; allowed: two columns"),
        ({}, {"start": "weeks"}, "duration and event, or start, end and the moment until"),
        ({"weeks": -1.0}, {}, "'weeks', row 2: -1.0; allowed: times of 0 or more"),
        ({"weeks": np.nan}, {}, "'weeks', row 2: nan; allowed: numbers"),
        ({"weeks": np.inf}, {}, "'weeks', row 2: inf; allowed: numbers"),
        ({"left": 2}, {}, "'left', row 2: 2; allowed: 0"),
        ({"left": None}, {}, "'left', row 2: .*; allowed: numbers"),
        ({"customer": None}, {"cluster": "customer"}, "'customer', row 2: .*; allowed: a value"),
        ({}, {"by": "weeks"}, "'weeks' has .* groups; allowed: at most 14"),
        ({}, {"unit": "hour"}, "unit='hour'; allowed: 'day'"),
        ({}, {"transform": "log"}, "transform='log'; allowed: 'log-log', 'plain'"),
        ({}, {"horizon": 99}, "horizon=99; allowed: above 0, at most"),
        ({}, {"horizon": "x"}, "horizon='x'; allowed: above 0"),
        ({}, {"name": 3}, "name=3; allowed: a text"),
        ({}, {"level": 95}, "level is 95; allowed"),
    ],
)
def test_bad_input(change, options, message):
    frame = contracts(60).astype({"left": object, "customer": object})
    for column, value in change.items():
        frame.loc[2, column] = value
    with pytest.raises(CxError, match=message):
        cx.survival(frame, **{"duration": "weeks", "event": "left", **options})


@pytest.mark.parametrize(
    ("a", "b", "until", "message"),
    [
        ("2025-01-01", "2024-12-01", "2025-03-01", "'b', row 0: .*; allowed: no earlier than 'a'"),
        ("2025-04-01", None, "2025-03-01", "'a', row 0: .*; allowed: no later than until="),
        (None, None, "2025-03-01", "'a'"),
        ("2025-01-01", "soon", "2025-03-01", "'b'.*soon"),
        ("2025-01-01", None, 7, "until=7; allowed: a date"),
        ("2025-01-01", None, "soon", "until='soon'; allowed: a date"),
        ("2025-01-01", None, None, "until=None; allowed: two columns and a date"),
        (5, None, "2025-03-01", "'a' holds numbers"),
    ],
)
def test_bad_dates(a, b, until, message):
    with pytest.raises(CxError, match=message):
        cx.survival(pd.DataFrame({"a": [a], "b": [b]}), start="a", end="b", until=until)


def test_what_is_no_table():
    for frame in ([1], "x.csv", None):
        with pytest.raises(DataError, match="cannot be read; allowed: pandas"):
            cx.survival(frame, "a", "b")
    with pytest.raises(DataError, match="no rows"):
        cx.survival(contracts().head(0), "weeks", "left")
    with pytest.raises(DataError, match="'channel' has no group in any row"):
        cx.survival(contracts().assign(channel=None), "weeks", "left", by="channel")
