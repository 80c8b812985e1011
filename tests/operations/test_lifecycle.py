"""Start and complete in two rows."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.operations.case_times import case_times

ROLES = {"case": "case", "activity": "activity", "start": "time"}
WORDS = ("start", "complete")


def rows(*events, words=WORDS):
    """A log from (case, activity, word, minutes since nine)."""
    frame = pd.DataFrame(events, columns=["case", "activity", "life", "time"])
    frame["time"] = pd.Timestamp("2024-03-01 09:00") + pd.to_timedelta(frame["time"], unit="min")
    frame["life"] = frame["life"].replace(dict(zip(WORDS, words, strict=True)))
    return frame


def two_steps(words=WORDS):
    """Three cases: check from 9 to 10, decide from 11 to 12."""
    events = [
        (case, activity, word, begin + span)
        for case in (1, 2, 3)
        for activity, begin in (("check", 0), ("decide", 120))
        for word, span in (("start", 0), ("complete", 60))
    ]
    return rows(*events, words=words)


def log(frame, **options):
    return cx.event_log(frame, **{**ROLES, "lifecycle": "life", **options})


WORDINGS = [
    WORDS,
    ("START", " Completed "),
    ("开始", "完成"),
    ("begin", "end"),
    ("ｓｔａｒｔ", "结束"),
]


@pytest.mark.parametrize("words", WORDINGS)
def test_start_and_complete_in_two_rows_are_one_activity(words):
    found = log(two_steps(words))
    times = case_times(found) / 3600
    assert found.n_events == 6
    assert times["handling_time"].tolist() == [2.0] * 3
    assert times["waiting_time"].tolist() == [1.0] * 3
    assert found.variants()["variant"].tolist() == ["check → decide"]
    assert found.rework()["estimate"].iloc[0] == 0
    assert found.notes == ()


def test_it_is_the_log_with_start_and_end_in_one_row():
    frame = two_steps()
    wide = frame.pivot(index=["case", "activity"], columns="life", values="time").reset_index()
    of_wide = cx.event_log(wide, case="case", activity="activity", start="start", end="complete")
    of_rows = log(frame.sample(frac=1, random_state=1)).table
    pd.testing.assert_frame_equal(
        of_rows.astype({"activity": object}), of_wide.table.astype({"activity": object})
    )


def test_instances_open_at_once_are_paired_first_in_first_out():
    found = log(
        rows(
            ("A", "x", "start", 0), ("A", "x", "start", 10), ("A", "x", "complete", 30),
            ("A", "y", "start", 15), ("B", "x", "start", 12), ("A", "x", "complete", 50),
            ("B", "x", "complete", 13), ("A", "y", "complete", 16),
        )
    ).table  # fmt: skip
    spans = ((found["end"] - found["start"]) / pd.Timedelta("1min")).tolist()
    assert list(zip(found["case"], found["activity"], spans, strict=True)) == [
        ("A", "x", 30.0), ("A", "x", 40.0), ("A", "y", 1.0), ("B", "x", 1.0),
    ]  # fmt: skip


def test_what_takes_no_time_is_paired_in_either_order():
    for events in (("start", "complete"), ("complete", "start")):
        found = log(rows(*((1, "x", word, 5) for word in events)))
        assert (found.n_events, case_times(found)["handling_time"].sum()) == (1, 0)


def pairs_one_by_one(frame):
    """The same with a queue, row by row."""
    spans, queues = [], {}
    for row in frame.sort_values("time", kind="stable").itertuples():
        queue = queues.setdefault((row.case, row.activity), [])
        if row.life == "start":
            queue.append(row.time)
        elif queue:
            spans.append((row.case, row.activity, queue.pop(0), row.time))
    return sorted(spans)


def test_pairs_are_those_of_a_queue():
    rng = np.random.default_rng(1)
    for _ in range(20):
        n = 60
        frame = pd.DataFrame({
            "case": rng.integers(0, 3, n), "activity": rng.choice(["a", "b"], n),
            "life": rng.choice(["start", "complete"], n), "time": pd.Timestamp("2024-01-01"),
        })  # fmt: skip
        frame["time"] += pd.to_timedelta(rng.permutation(n), unit="min")
        opened = frame[frame["life"] == "start"].assign(life="complete", time="2025-01-01")
        frame = pd.concat([frame, opened.astype(frame.dtypes)], ignore_index=True)
        found = log(frame, open_ends="censored").table
        got = sorted(found[["case", "activity", "start", "end"]].itertuples(index=False, name=None))
        every = pairs_one_by_one(frame)
        ended = [pair for pair in got if pair in every]
        assert ended == every
        assert len(got) == (frame["life"] == "start").sum()


def test_other_steps_are_counted_and_not_used():
    frame = rows(
        (1, "x", "schedule", 0), (1, "x", "start", 5), (1, "x", "suspend", 10),
        (1, "x", "resume", 20), (1, "x", "complete", 25), (1, "y", "withdraw", 26),
        (1, "z", "start", 30), (1, "z", "ate_abort", 40),
    )  # fmt: skip
    found = log(frame)
    assert case_times(found)["handling_time"].tolist() == [30 * 60]
    assert "schedule 1, suspend 1, resume 1, withdraw 1" in found.notes[0].en
    assert "1 activities ended by an abort" in found.notes[1].en
    assert "schedule 1" in found.notes[0].zh


def test_an_activity_that_never_starts_is_a_moment():
    found = log(rows((1, "x", "start", 0), (1, "x", "complete", 5), (1, "sent", "complete", 9)))
    assert found.table["end"].iloc[1] == found.table["start"].iloc[1]
    assert "1 events of activities that never start in this log are moments" in found.notes[0].en
    alone = log(rows((1, "x", "complete", 0), (1, "y", "complete", 9)))
    assert not alone.has_ends


def test_flags_count_from_either_row():
    frame = two_steps().assign(error=[False, True] + [False] * 10)
    assert log(frame, error="error").table["error"].tolist() == [True] + [False] * 5


def test_unpaired_rows_are_named():
    frame = two_steps()
    with pytest.raises(cx.DataError, match=r"row 1, column 'life': 'complete' without a start"):
        log(frame.drop(0))
    left = log(frame.drop(0), open_ends="leave out")
    assert left.n_events == 5
    assert "1 completions without a start were left out (row 1)" in left.notes[0].en
    with pytest.raises(
        cx.DataError, match=r"row 2, no completion: activity 'decide' of case 1 has"
    ):
        log(frame.drop(3))
    assert log(frame.drop(3), open_ends="leave out").n_cases == 2


def test_words_that_are_not_known_are_named_and_can_be_added():
    frame = two_steps(("begonnen", "fertig"))
    with pytest.raises(
        cx.DataError, match=r"row 0, column 'life': 'begonnen' \(and 11 more rows\)"
    ):
        log(frame)
    words = {"Begonnen": "start", "fertig": "complete"}
    assert log(frame, lifecycle_words=words).n_events == 6
    with pytest.raises(cx.CxError, match="'fertig' means 'finish'; allowed: 'start', 'complete'"):
        log(frame, lifecycle_words={"fertig": "finish"})
    with pytest.raises(cx.CxError, match="lifecycle_words='x'; allowed"):
        log(frame, lifecycle_words="x")
    with pytest.raises(cx.DataError, match="row 3, column 'life': empty"):
        log(two_steps().assign(life=lambda f: f["life"].where(f.index != 3)))
    with pytest.raises(cx.CxError, match="end and lifecycle both say"):
        log(two_steps(), end="time")


def test_a_log_in_which_everything_comes_twice_says_so():
    frame = two_steps()
    named = cx.event_log(frame, **ROLES)
    assert any("event_log(..., lifecycle='life') pairs them" in note.en for note in named.notes)
    unnamed = cx.event_log(frame.drop(columns="life"), **ROLES)
    assert any("comes twice in a row" in note.en for note in unnamed.notes)
    assert any("连续出现两次" in note.zh for note in unnamed.notes)
    once = frame[frame["life"] == "start"]
    assert not any("lifecycle" in note.en for note in cx.event_log(once, **ROLES).notes)
    same = pd.concat([once, once])  # every row twice: repeats, no lifecycle
    assert not any("lifecycle" in note.en for note in cx.event_log(same, **ROLES).notes)


def test_a_cell_of_the_lifecycle_reaches_no_terminal():
    frame = two_steps(("\x1b[2J", "complete"))
    with pytest.raises(cx.DataError) as caught:
        log(frame)
    assert "\x1b" not in str(caught.value)


def test_a_completion_in_an_hour_that_comes_twice_is_the_second_where_the_first_is_early():
    frame = rows((1, "x", "start", 0), (1, "x", "complete", 0), (1, "y", "complete", 0))
    frame["time"] = ["2024-10-27 02:50", "2024-10-27 02:10", "2024-10-27 02:30"]
    found = log(frame, time_zone="Europe/Berlin")
    spans = ((found.table["end"] - found.table["start"]) / pd.Timedelta("1min")).tolist()
    assert sorted(spans) == [0, 20]
    assert any("(row 0, row 1, row 2)" in note.en for note in found.notes)
    with pytest.raises(cx.DataError, match="row 1, column 'life': 'complete' without a start"):
        log(frame)
