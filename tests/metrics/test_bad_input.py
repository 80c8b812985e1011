"""Input that once ended in a traceback or in a wrong number, and what is said now."""

import datetime as dt
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from cxstats import metrics
from cxstats.core.errors import CxError, DataError

MINUTES = pd.DataFrame({"t": pd.to_timedelta([3, 4, None, 5], unit="min")})
DURATIONS = {
    "pandas": MINUTES,
    "objects": pd.DataFrame({"t": MINUTES["t"].astype(object)}),
    "pandas arrow": MINUTES.convert_dtypes(dtype_backend="pyarrow"),
    "polars": pl.from_pandas(MINUTES),
    "polars lazy": pl.from_pandas(MINUTES).lazy(),
    "pyarrow": pa.Table.from_pandas(MINUTES),
}


@pytest.mark.parametrize("engine", DURATIONS)
def test_durations_need_a_unit(engine):
    frame = DURATIONS[engine]
    for door in (metrics.mean, metrics.handling_time, metrics.waiting_time, metrics.nps):
        with pytest.raises(
            DataError, match=r"column 't' holds no numbers .*unit= one of 's', 'min'"
        ):
            door(frame, column="t")
    for unit, expected in (("s", 240), ("min", 4), ("h", 4 / 60), ("d", 4 / 1440)):
        row = metrics.handling_time(frame, column="t", unit=unit).table.iloc[0]
        assert row["estimate"] == pytest.approx(expected, rel=1e-12)
        assert (row["n"], row["n_missing"]) == (3, 1)


def test_units_are_of_durations():
    with pytest.raises(CxError, match="unit='hours'; allowed: 's', 'min', 'h', 'd'"):
        metrics.waiting_time(MINUTES["t"], unit="hours")
    with pytest.raises(DataError, match="unit='h' is for durations, and column 'scores' holds"):
        metrics.waiting_time([3.0, 4.0], unit="h")
    assert metrics.waiting_time(MINUTES["t"], list("abba"), unit="min").table["n"].to_list() == [
        2,
        1,
    ]
    with pytest.raises(DataError, match="row 0, column 'scores': -1 is not allowed"):
        metrics.waiting_time(pd.to_timedelta([-1], unit="s"), unit="s")


def test_dates_are_no_numbers():
    days = pd.Series(pd.to_datetime(["2026-01-05", "2026-01-06"]))
    for given in (days, days.astype(object), days.dt.date, days.dt.to_period("D")):
        with pytest.raises(
            DataError, match=r"row 0, column 'scores' holds no numbers.*'2026-01-05"
        ):
            metrics.mean(given)
    with pytest.raises(DataError, match=r"row 0, column '\(weights\)' holds no numbers"):
        metrics.mean([9, 8], weights=days)
    with pytest.raises(DataError, match=r"row 1, column 'scores' holds no numbers \(date\)"):
        metrics.mean([9, dt.date(2026, 1, 5)])
    for engine in (pl.from_pandas, pa.Table.from_pandas):
        with pytest.raises(DataError, match="column 'day' holds no numbers"):
            metrics.mean(engine(days.rename("day").to_frame()), column="day")


def test_complex_scores_are_no_numbers():
    for given in (np.array([9 + 1j, 3]), [9 + 1j, 3], pd.Series([9 + 1j, 3], dtype=object)):
        with pytest.raises(DataError, match=r"row 0, column 'scores' holds no numbers \(complex\)"):
            metrics.nps(given)


# ---- names of groups ------------------------------------------------------------------------

OUTPUT = ("n", "estimate", "se", "ci_low", "ci_high", "n_missing", "promoters", "passive_share")
INTERNAL = ("__len", "__n", "__v", "__min", "__row", "by0", "wrong", "len", "suppressed", "deff")
ENGINES = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "polars lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "duckdb": lambda frame: duckdb.connect().from_df(frame),
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_groups_with_names_of_the_result_are_refused(engine):
    for name in OUTPUT:
        frame = pd.DataFrame({"score": [9, 9, 3, 1], name: list("aabb")})
        said = f"column of groups '{name}' has the name of a column of the result"
        with pytest.raises(CxError, match=said):
            metrics.nps(ENGINES[engine](frame), name, column="score")
    with pytest.raises(CxError, match="groups 'events' has the name of a column of the result"):
        metrics.rate([1, 2], [3, 4], by={"events": ["a", "b"]})
    with pytest.raises(CxError, match="groups 'sd' has the name"):
        metrics.mean([1, 2], by={"sd": ["a", "b"]})


@pytest.mark.parametrize("engine", ENGINES)
def test_groups_may_have_any_other_name(engine):
    for name in INTERNAL:
        frame = pd.DataFrame({"score": [9, 9, 3, 1], name: list("aabb")})
        found = metrics.nps(ENGINES[engine](frame), name, column="score")
        assert found.table[name].to_list() == ["a", "b"]
        assert found.table["estimate"].to_list() == [100, -100]
        frame["score"] = [9, 9, 3, 11]
        with pytest.raises(DataError, match="11 is off the scale"):
            metrics.nps(ENGINES[engine](frame), name, column="score")
        mean = metrics.mean(ENGINES[engine](frame), name, column="score")
        assert mean.table["estimate"].to_list() == [9, 7]


def test_columns_on_their_own_keep_their_names_apart():
    with pytest.raises(CxError, match=r"cannot be called '\(weights\)' here"):
        metrics.nps([9, 3], pd.Series(["a", "b"], name="(weights)"), weights=[1, 2])
    with pytest.raises(CxError, match="cannot be called 'scores' here"):
        metrics.nps([9, 3], {"scores": ["a", "b"], "group": ["c", "d"]})


def test_groups_are_no_lists():
    frame = pd.DataFrame({"score": [9, 3], "g": [["a"], ["b"]]}, index=["x", "y"])
    with pytest.raises(DataError, match=r"row 'x', column 'g': \['a'\] is no group"):
        metrics.nps(frame, "g", column="score")
    for engine in ("polars", "pyarrow"):
        with pytest.raises(DataError, match=r"column 'g' holds List.*one group per row"):
            metrics.nps(ENGINES[engine](frame), "g", column="score")


def test_coded_groups_are_sorted_as_text():
    frame = pd.DataFrame({"score": [9, 1, 9, 10], "g": ["south", "east", "west", "north"]})
    expected = ["east", "north", "south", "west"]
    coded = pl.from_pandas(frame).with_columns(pl.col("g").cast(pl.Categorical))
    dictionary = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    for given in (
        coded,
        coded.lazy(),
        coded.to_arrow(),
        frame.assign(g=frame["g"].astype(pd.ArrowDtype(pa.string())).astype(dictionary)),
    ):
        assert metrics.nps(given, "g", column="score").table["g"].to_list() == expected
    enum = coded.with_columns(pl.col("g").cast(pl.String).cast(pl.Enum(frame["g"].to_list())))
    own = frame.astype({"g": pd.CategoricalDtype(frame["g"])})
    for given in (enum, own):  # an order that somebody gave is kept
        found = metrics.nps(given, "g", column="score").table["g"]
        assert found.to_list() == frame["g"].to_list()


# ---- columns and counts ---------------------------------------------------------------------


def test_one_column_of_more_kinds():
    for given in (
        pd.Categorical([10, 9, 7, 3]),
        pd.array([10, 9, 7, 3], dtype="Int64"),
        pd.Index([10, 9, 7, 3]),
        pa.array([10, 9, 7, 3]),
        pa.array([Decimal(one) for one in (10, 9, 7, 3)], pa.decimal128(5, 2)),
    ):
        assert metrics.nps(given).table["estimate"][0] == 25
        assert metrics.mean([1.0, 2, 3, 4], weights=given).table["estimate"][0] == 61 / 29
    groups = metrics.nps([10, 3], pa.array(["b", "a"])).table["group"]
    assert groups.to_list() == ["a", "b"]
    with pytest.raises(CxError, match="name that of the answers with column="):
        metrics.nps(pa.table({"score": [9]}))


@pytest.mark.parametrize("digits", [(5, 2), (38, 20), (38, 36)])
def test_decimals_are_numbers(digits):
    kind = pa.decimal128(*digits)
    column = pa.array([Decimal(9), Decimal(3), None, Decimal("7")], kind)
    weight = pa.array([Decimal(1), Decimal(2), Decimal(1), Decimal("1")], kind)
    table = pa.table({"score": column, "w": weight})
    for given in (table, table.to_pandas(types_mapper=pd.ArrowDtype), duckdb.from_arrow(table)):
        assert metrics.nps(given, column="score").table["estimate"][0] == 0
        row = metrics.mean(given, column="score", weights="w").table.iloc[0]
        assert row["estimate"] == pytest.approx(22 / 4)
        drawn = metrics.mean(given, column="score", interval="bca", n_resamples=100).table
        assert 3 <= drawn["ci_low"][0] <= drawn["ci_high"][0] <= 9


def test_counts_are_called_counts():
    with pytest.raises(DataError, match="'promoters': '5' is no count; allowed: 0, 1, 2"):
        metrics.nps_from_counts("5", 2, 3)
    for large in (10**20, 1e300):
        with pytest.raises(
            DataError, match=r"'promoters': .* is too large; allowed: up to 2\*\*53"
        ):
            metrics.nps_from_counts(large, 1, 1)
    assert metrics.nps_from_counts(2**53, 1, 1).n == 2**53 + 2


def test_figures_that_are_none():
    with pytest.raises(DataError, match="'mean': 'a'; allowed: finite numbers"):
        metrics.mean_from_summary("a", 1, 3)
    with pytest.raises(DataError, match=r"'sd', group \('b',\): -1; allowed: finite .* from 0 up"):
        metrics.mean_from_summary([1, 2], [1, -1], [3, 4], by=["a", "b"])
    for wrong in (np.nan, np.inf, None, True, 1j):
        with pytest.raises(DataError, match=r"'mean': .*; allowed: finite numbers"):
            metrics.mean_from_summary(wrong, 1, 3)


def test_mappings_are_matched_by_their_keys():
    one = metrics.nps_from_counts({"a": 5, "b": 2}, {"b": 3, "a": 1}, {"b": 9, "a": 0}).table
    assert one["group"].to_list() == ["a", "b"]
    assert one[["promoters", "passives", "detractors"]].to_numpy().tolist() == [
        [5, 1, 0],
        [2, 3, 9],
    ]
    series = metrics.rate(pd.Series({"x": 1, "y": 2}), pd.Series({"y": 4, "x": 5})).table
    assert series["estimate"].to_list() == [1 / 5, 2 / 4]
    told = metrics.mean_from_summary({"a": 1, "b": 2}, {"b": 0.5, "a": 0.25}, {"b": 9, "a": 7})
    assert told.table["sd"].to_list() == pytest.approx([0.25, 0.5])
    assert told.table[["estimate", "n"]].set_index("n")["estimate"].to_dict() == {7: 1, 9: 2}
    with pytest.raises(DataError, match="'trials' is for other groups than 'events'"):
        metrics.rate({"a": 1, "b": 2}, {"a": 10, "c": 10})


def test_costs_of_nothing_have_no_bootstrap():
    found = metrics.roi([1, 2, 3, 4], [0, 0, 0, 5])
    row = found.table.iloc[0]
    assert row["estimate"] == 1
    assert np.isnan(row["ci_low"])
    assert np.isnan(row["ci_high"])
    assert "some resamples have no costs" in found.notes[0].en
    with pytest.raises(DataError, match=r"column 'gain' holds no numbers \(complex\)"):
        metrics.roi([1j, 2], [1, 1])
    with pytest.raises(DataError, match=r"column 'cost' holds no numbers \(date\)"):
        metrics.roi([1, 2], [dt.date(2026, 1, 1)] * 2)
    assert metrics.roi(pa.array([3, 5]), pd.array([2, 2])).table["estimate"][0] == 1


# ---- intervals ------------------------------------------------------------------------------


def test_an_interval_holds_its_estimate():
    row = metrics.nps([9], interval="adjusted_wald").table.iloc[0]
    assert row["ci_high"] == row["estimate"] == 100
    assert row["ci_low"] == pytest.approx(-48.5, abs=0.05)
    n = 12
    for p in range(n + 1):
        d = np.arange(n - p + 1)
        table = metrics.nps_from_counts(p + 0 * d, n - p - d, d).table
        assert (table["ci_low"] <= table["estimate"]).all()
        assert (table["estimate"] <= table["ci_high"]).all()


def test_shares_that_are_none_are_refused():
    for call, said in (
        (lambda: metrics.proportion_interval(1.5, 10), "share has 1.5; allowed: shares from 0"),
        (lambda: metrics.proportion_interval([0.5, -0.1], 10), "share has -0.1"),
        (lambda: metrics.proportion_interval(0.5, -3), "n has -3; allowed: 0 upwards"),
        (lambda: metrics.proportion_interval("half", 3), "share and n: .*; allowed: numbers"),
        (lambda: metrics.proportion_interval(0.5, 10, level=95), "level is 95"),
        (lambda: metrics.nps_interval(0.8, 0.5, 10), "promoters and detractors add up to 1.3"),
        (lambda: metrics.nps_interval(0.5, 0.2, 10, level=2), "level is 2"),
        (lambda: metrics.nps_variance(2, 3), "promoters has 2; allowed: shares from 0 to 1"),
        (lambda: metrics.nps_variance(0.2, -0.3), "detractors has -0.3"),
    ):
        with pytest.raises(CxError, match=said):
            call()
    assert np.isnan(metrics.proportion_interval(np.nan, 0)[0])
    assert metrics.proportion_interval(1 + 1e-15, 10)[1] == 1


def test_shares_have_no_dust():
    weights = [0.1, 0.2, 0.3, 0.7, 1.1, 0.15]
    for scores in ([9, 10, 9, 3, 0, 1], [9, 10, 9, 10, 9, 9], [0, 0, 1, 2, 3, 4], [7] * 6):
        for given in (weights, np.array(weights) / 7, None):
            row = metrics.nps(scores, weights=given).table.iloc[0]
            for who, low, high in (("promoter", 9, 10), ("passive", 7, 8), ("detractor", 0, 6)):
                part = np.array([low <= score <= high for score in scores])
                share = np.average(part, weights=given)
                assert row[f"{who}_share"] == pytest.approx(share, rel=1e-9)
                assert (row[f"{who}_share"] == 0) == (not part.any())
    for n in range(1, 60):
        assert metrics.nps_from_counts(n, 0, 49).table["passive_share"][0] == 0


# ---- what is said of results ----------------------------------------------------------------


def test_an_assumed_scale_is_said():
    (note,) = metrics.csat([1, 2, 3, 4, 5]).notes
    assert note.en == "no scale was given: 1 to 5 is assumed"
    assert not metrics.csat([1, 2, 3, 4, 5], scale=(1, 5)).notes
    for found in (
        metrics.ces([1, 2, 3], "ease"),
        metrics.ces([1, 2, 3], "ease", kind="top_box"),
        metrics.ces_from_counts({3: 2, 4: 1}, "effort"),
        metrics.ces_from_counts({3: 2, 4: 1}, "effort", kind="top_box"),
    ):
        assert found.notes[0].en == "no scale was given: 1 to 7 is assumed"
    assert "假定为 1 至 5" in metrics.csat_from_counts({3: 2}).summary("zh")


def test_test_and_interval_at_the_margin():
    counts = {"by": ["a", "b"]}
    found = []
    for promoters in range(60, 91):  # somewhere on the way one of the two leaves out 0 first
        rest = [98 - promoters, 8]
        compared = metrics.nps_from_counts([promoters, 90], rest, [2, 2], **counts).compare()
        row = compared.table.iloc[0]
        apart = row["ci_low"] > 0 or row["ci_high"] < 0
        said = any("p value and interval disagree" in note.en for note in compared.notes)
        assert said == (apart != (row["p_value"] < 0.05))
        found.append(said)
    assert 0 < sum(found) < 5
    alike = metrics.rate([5, 50], [100, 100]).compare()
    assert not alike.notes


def test_no_change_relative_to_a_base_that_may_be_0():
    near = metrics.mean_from_summary([0.3, -2.0], [5.0, 5.0], [40, 40], by=["a", "b"]).compare()
    assert np.isnan(near.table["relative"][0])
    assert "%" not in near.summary().splitlines()[1]
    clear = metrics.mean_from_summary([10.0, 12.0], [5.0, 5.0], [40, 40]).compare()
    assert clear.table["relative"][0] == pytest.approx(0.2)
    score = metrics.nps_from_counts([21, 40], [60, 60], [19, 5]).compare()
    assert np.isnan(score.table["relative"][0])
    share = metrics.rate([1, 20], [100, 100], interval="wald").compare()
    assert share.table["relative"][0] == pytest.approx(19)
