"""Event logs: what is read, what is refused, what is said."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

from cxstats.core.errors import CxError, DataError
from cxstats.operations.event_log import event_log
from tests.operations.logs import ROLES, five, log


def changed(row, column, value):
    frame = five().astype({column: object})
    frame.loc[row, column] = value
    return frame


BAD = [
    (changed(3, "case", None), "row 3, column 'case': empty"),
    (changed(3, "case", " "), "row 3, column 'case': empty"),
    (changed(3, "case", 7), "row 3, column 'case': 7 is no text"),
    (changed(5, "activity", None), "row 5, column 'activity': empty"),
    (changed(2, "start", None), "row 2, column 'start': no time"),
    (changed(2, "end", "soon"), "row 2, column 'end': 'soon' is no time; allowed: ISO 8601"),
    (changed(2, "end", "03/01/2024 10:00"), "row 2, column 'end'.*is no time.*time_format"),
    (
        changed(1, "end", pd.Timestamp("2024-03-01 09:49")),
        "row 1: activity 'check' of case 'A' ends at 2024-03-01 09:49:00, before its start",
    ),
    (
        changed(1, "start", pd.Timestamp("2024-03-01 09:50", tz="UTC")),
        "column 'start' mixes time zones: row 1 .*row 0 none",
    ),
    (five(start=five()["start"].dt.tz_localize("UTC")), "mixed time zones: column 'start'"),
    (five(start=range(14)), "column 'start' holds numbers"),
    (changed(4, "error", "yes"), "row 4, column 'error': 'yes'; allowed: true and false"),
    (changed(4, "who", None), "row 4, column 'who': no resource"),
    (changed(4, "type", "loan"), "row 4, column 'type': case 'B' has 'loan' and 'card'"),
    (
        changed(4, "accepted", pd.Timestamp("2024-03-01 09:01")),
        "row 4, column 'accepted': case 'B' has two times of acceptance",
    ),
    (
        five(accepted=five()["accepted"] + pd.Timedelta("6min")),
        "row 3, column 'accepted': case 'B' was accepted at 2024-03-01 09:36:00, after",
    ),
    (five().drop(columns="who"), "resource: column 'who' is not in the table; columns: case"),
    (five().iloc[:0], "no rows"),
]


@pytest.mark.parametrize(("frame", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_input_is_named(frame, words):
    with pytest.raises(DataError, match=words):
        log(frame)


def test_bad_options_are_named():
    with pytest.raises(CxError, match="duplicates='some'; allowed: 'keep'"):
        log(duplicates="some")
    with pytest.raises(CxError, match="name the column of resources"):
        log(resource=None)
    with pytest.raises(DataError, match=r"'Robot' is not in column 'who'; there: 'Ann', 'Bob'"):
        log(automated=["Robot"])
    with pytest.raises(DataError, match="automated resource 3 is not in column 'who'"):
        log(automated=[np.int64(3)])
    with pytest.raises(DataError, match=r"automated resource \['a'\] is not in column 'who'"):
        log(automated=[["a"]])
    numbered = five(who=five()["who"].map({"Ann": 1, "Bot": 2, "Bob": 3}))
    with pytest.raises(DataError, match="resource '2' is not in column 'who'; there: 1, 2, 3;"):
        log(numbered, automated=["2"])
    with pytest.raises(DataError, match="type 'int' cannot be read"):
        event_log(3, case="a", activity="b", start="c")


def test_duplicates_are_counted_and_kept_dropped_or_refused():
    frame = pd.concat([five(), five().iloc[[4, 6, 6]]], ignore_index=True)
    kept = log(frame)
    assert (kept.n_duplicates, kept.n_events, kept.n_tied) == (3, 17, 0)
    assert "3 events repeat another in all columns (kept" in kept.notes[0].en
    dropped = log(frame, duplicates="drop")
    assert (dropped.n_duplicates, dropped.n_events) == (3, 14)
    pd.testing.assert_frame_equal(dropped.table, log().table)
    with pytest.raises(DataError, match="row 14: case 'B', activity 'check' repeats"):
        log(frame, duplicates="refuse")


def test_an_event_that_differs_in_one_column_is_a_tie_and_no_duplicate():
    frame = pd.concat([five(), five().iloc[[4]].assign(who="Ann")], ignore_index=True)
    assert (log(frame).n_duplicates, log(frame).n_tied) == (0, 1)


def test_events_out_of_order_are_sorted_and_counted():
    assert log().n_unordered == 0
    swapped = log(five().iloc[[1, 0, *range(2, 14)]])
    assert swapped.n_unordered == 1
    assert "1 events stood out of order" in swapped.notes[0].en
    pd.testing.assert_frame_equal(swapped.table, log().table)


def test_every_kind_of_table_gives_the_same_log():
    frame = five()
    polars = pl.from_pandas(frame)
    for table in (polars, polars.lazy(), polars.to_arrow(), duckdb.from_df(frame)):
        found = log(table).table
        for column in log().table:
            assert found[column].tolist() == log().table[column].tolist()


def test_texts_are_read_and_zones_put_into_one():
    text = five(start=five()["start"].astype(str), end=five()["end"].astype(str))
    pd.testing.assert_frame_equal(log(text).table, log().table)
    names = ["start", "end", "accepted"]
    local = five(**{name: five()[name].dt.strftime("%Y-%m-%dT%H:%M+08:00") for name in names})
    local.loc[0, "start"] = "2024-03-01T01:10Z"
    found = log(local)
    assert found.table["start"].dt.tz is not None
    assert found.table["start"].iloc[0] == pd.Timestamp("2024-03-01 01:10", tz="UTC")
    assert any("several zones" in note.en for note in found.notes)
    shape = "%d.%m.%Y %H:%M"
    german = five(**{name: five()[name].dt.strftime(shape) for name in names})
    pd.testing.assert_frame_equal(log(german, time_format=shape).table, log().table)
    with pytest.raises(DataError, match=r"'2024-03-01 09:10:00' is no time; allowed: the format"):
        log(five(**{name: five()[name].astype(str) for name in names}), time_format=shape[:8])


def test_flags_may_be_ones_and_noughts_or_a_column_of_their_own():
    frame = five(error=five()["error"].astype(int), bot=five()["who"] == "Bot")
    found = log(frame, automated="bot").table
    assert found["error"].tolist() == log().table["error"].tolist()
    assert found["automated"].tolist() == log().table["automated"].tolist()


def test_the_summary_says_what_the_log_holds():
    assert str(log()).startswith("Event log: 14 events of 5 cases, 3 activities, begun from 2024")
    assert "5 个案例" in log().summary("zh")
    frame = five()
    frame.attrs["synthetic"] = True
    assert "Synthetic data" in str(log(frame))
    assert "<pre>" in log()._repr_html_()
    roles = {key: ROLES[key] for key in ("case", "activity", "start")}
    assert "no end times" in event_log(five(), **roles).notes[0].en


def test_values_are_written_as_they_stand():
    frame = pd.DataFrame(
        {"id": [7, 7], "step": ["a", "b"], "from": pd.to_datetime(["2024-01-02"] * 2)}
    )
    frame["to"] = pd.to_datetime(["2024-01-03", "2024-01-01"])
    with pytest.raises(DataError, match=r"row 1: step 'b' of case 7 ends at"):
        event_log(frame, case="id", activity="step", start="from", end="to")


PLAIN = {"case": "id", "activity": "step", "start": "from"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"case": None}, "case is missing; allowed: the name of a column"),
        ({"end": "from"}, "start and end are both column 'from'"),
        ({"time_format": "%Q"}, "time_format='%Q' .*allowed: a format"),
        ({"time_format": "%d %d"}, "time_format='%d %d' .*allowed: a format"),
        ({"time_format": "mixed"}, "time_format='mixed'; allowed: a format"),
        ({"time_format": ""}, "time_format=''; allowed: a format"),
        ({"time_format": 5}, "time_format=5; allowed: a format"),
        ({"automated": 5}, "automated=5; allowed: a list of resources"),
    ],
)
def test_roles_and_formats_that_cannot_be(changed, message):
    frame = pd.DataFrame({"id": ["x"], "step": ["a"], "from": ["2024-01-02"]})
    with pytest.raises(CxError, match=message):
        event_log(frame, **PLAIN | changed)


def night(start, end, zone=None, **options):
    """A log of one activity; times as texts."""
    frame = pd.DataFrame({"id": ["x"], "step": ["a"], "from": [start], "to": [end], "zone": [zone]})
    return event_log(frame, **PLAIN, end="to", time_zone=zone, **options)


def hours(found):
    return ((found.table["end"] - found.table["start"]) / pd.Timedelta("1h")).tolist()


# Clocks in Berlin went back from 3:00 to 2:00 on 27 October 2024, forward on 31 March.
NIGHTS = [
    ("2024-10-27 01:30", "2024-10-27 03:30", 3, ""),
    ("2024-10-27 02:50", "2024-10-27 02:10", 1 / 3, "comes twice"),  # the end is the second 2:10
    ("2024-10-27 02:10", "2024-10-27 02:50", 2 / 3, "comes twice"),
    ("2024-03-31 01:30", "2024-03-31 03:30", 1, ""),
    ("2024-03-31 01:30", "2024-03-31 02:30", 1, "is skipped"),  # a clock not yet put forward
]


@pytest.mark.parametrize(("start", "end", "expected", "words"), NIGHTS)
def test_where_the_clock_hung_decides_over_a_change_of_clocks(start, end, expected, words):
    found = night(start, end, "Europe/Berlin")
    assert hours(found) == pytest.approx([expected])
    assert found.table["start"].iloc[0] == pd.Timestamp(start, tz="UTC").tz_localize(
        None
    ).tz_localize("Europe/Berlin", ambiguous=True)
    notes = [note for note in found.notes if "hour" in note.en]
    assert len(notes) == bool(words)
    assert all(words in note.en and "(row 0)" in note.en and "时钟" in note.zh for note in notes)
    assert "without a zone" not in found.summary()


def test_without_a_zone_times_are_taken_as_they_stand_and_it_is_said():
    found = night("2024-10-27 01:30", "2024-10-27 03:30")
    assert hours(found) == [2]
    assert "times without a zone, taken as they stand" in found.summary()
    assert "未注明时区" in found.summary("zh")


def test_clocks_of_several_zones_in_one_log():
    frame = pd.DataFrame({
        "id": ["x", "x"], "step": ["a", "b"], "zone": ["Europe/Berlin", "Asia/Shanghai"],
        "from": ["2024-03-01 09:00", "2024-03-01 17:00"],
    })  # fmt: skip
    found = event_log(frame, **PLAIN, time_zone="zone")
    starts = found.table["start"]
    assert (starts.iloc[1] - starts.iloc[0]) == pd.Timedelta("1h")
    assert any("several zones were put into UTC: from" in note.en for note in found.notes)
    with pytest.raises(
        CxError, match=r"row 1, column 'zone': 'Mars'; allowed: a name such as 'Eur"
    ):
        event_log(frame.replace("Asia/Shanghai", "Mars"), **PLAIN, time_zone="zone")


def test_zones_that_cannot_be():
    for zone in ("Berlin", "../etc/passwd", "", 5):
        with pytest.raises(CxError, match=f"time_zone={zone!r}; allowed: a name such as"):
            night("2024-03-01", "2024-03-02", zone)
    with pytest.raises(CxError, match="column 'from' states time zones; leave time_zone out"):
        night("2024-03-01T09:00Z", "2024-03-01T10:00Z", "Europe/Berlin")
