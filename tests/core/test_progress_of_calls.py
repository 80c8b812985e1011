"""Public calls that may last long show a bar, give the same with it, and close it in any case."""

import gc
import inspect
import threading
import time

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core import progress

MODEL = "F =~ a + b + c\nG =~ d + e + f\nG ~ F"


class Bar:
    """A bar that only remembers what it was told."""

    def __init__(self):
        self.stopped, self.names, self.counted = False, [], []

    def add_task(self, name, total):
        self.names.append((name, total))
        return len(self.names) - 1

    def update(self, task, completed):
        self.counted.append((task, completed))

    def remove_task(self, task):
        pass

    def stop(self):
        self.stopped = True


@pytest.fixture
def bars(monkeypatch):
    """Return the bars that were opened; every call shows one at once."""
    opened = []

    def start():
        opened.append(Bar())
        return opened[-1]

    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_may_be_seen", lambda: True)
    monkeypatch.setattr(progress, "_start_bar", start)
    # In place of a thread that waits: the bar appears at once, also on a busy machine.
    monkeypatch.setattr(progress, "Timer", AtOnce)
    return opened


class AtOnce:
    def __init__(self, seconds, function):
        assert seconds == progress.PATIENCE
        self.function = function

    def start(self):
        self.function()

    def cancel(self):
        pass


def answers(n=240):
    rng = np.random.default_rng(1)
    common = rng.normal(size=(n, 1))
    values = np.clip(np.round(3 + common + rng.normal(size=(n, 6))), 1, 5)
    return pd.DataFrame(values, columns=list("abcdef")).assign(g=np.arange(n) % 3)


def incomplete():
    frame = answers()
    frame.loc[::7, "a"] = np.nan
    return frame


def csv_file(folder):
    answers().to_csv(folder / "a.csv", index=False)
    return cx.read_survey(folder / "a.csv")


def rated():
    return cx.simulate_servqual(300, seed=1)


BOOK = {"scale": (1, 5), "constructs": {"F": list("abc"), "G": list("def")}}
CALLS = {
    "sem": lambda _: cx.sem(MODEL, incomplete(), missing="fiml").table,
    "sem of ordered answers": lambda _: cx.sem(MODEL, answers(), ordered=True).table,
    "invariance": lambda _: cx.invariance("F =~ a + b + c + d", answers(), "g").table,
    "modification indices": lambda _: cx.sem(MODEL, answers()).modification_indices(),
    "servqual": lambda _: cx.servqual(*rated()).table,
    "reliability": lambda _: cx.reliability(answers(), BOOK).table,
    "pls": lambda _: cx.pls("F =~ a + b + c\nG =~ d + e + f\nG ~ F", answers()).table,
    "drivers": lambda _: cx.drivers(answers(), "a", ["b", "c", "d"]).table,
    "check": lambda _: cx.check(answers(), cx.Codebook(**BOOK)).table,
    "clean": lambda _: cx.clean(answers(), cx.Codebook(**BOOK))[0],
    "reading": csv_file,
}


@pytest.mark.parametrize("name", CALLS)
def test_a_long_call_shows_a_bar_and_gives_the_same(name, bars, monkeypatch, tmp_path):
    with_bar = CALLS[name](tmp_path)
    assert bars
    assert bars[-1].names[0][0] == name.split(" of ", maxsplit=1)[0]
    assert all(bar.stopped for bar in bars)
    assert not progress._BARS
    assert not progress._AT_WORK
    monkeypatch.setattr(progress, "_may_be_seen", lambda: False)
    monkeypatch.setattr(progress, "PATIENCE", 1e9)
    n = len(bars)
    pd.testing.assert_frame_equal(with_bar, CALLS[name](tmp_path))
    assert len(bars) == n


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_call_closes_its_bar(error, bars, monkeypatch):
    def stopped(*_):
        raise error

    monkeypatch.setattr("cxstats.models.sem.fit.maximise", stopped)
    with pytest.raises(error):
        cx.sem(MODEL, answers())
    assert [bar.stopped for bar in bars] == [True]
    assert not progress._BARS
    assert not progress._AT_WORK


def test_loops_within_a_call_are_lines_of_its_bar(bars):
    with progress.long_work("call"):
        assert list(progress.tracked(3, 1, "loop")) == [(0, 1), (1, 2), (2, 3)]
        with progress.long_work("inner"):
            pass
    assert len(bars) == 1
    assert bars[0].names == [("call", None), ("loop", 3)]
    assert bars[0].counted == [(1, 1), (1, 2), (1, 3)]
    assert bars[0].stopped


def test_an_interrupted_loop_is_closed(bars):
    def interrupted():
        for _, stop in progress.tracked(9, 1):
            if stop == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    gc.collect()
    assert [bar.stopped for bar in bars] == [True]


def test_a_short_call_shows_nothing(bars, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 60.0)
    monkeypatch.setattr(progress, "Timer", threading.Timer)
    before = threading.active_count()
    with progress.long_work("call"):
        pass
    assert not bars
    for _ in range(100):  # the thread that waited ends
        if threading.active_count() <= before:
            break
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_a_waiting_thread_shows_the_bar(bars, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    monkeypatch.setattr(progress, "Timer", threading.Timer)
    with progress.long_work("call"):
        for _ in range(500):
            if bars:
                break
            time.sleep(0.02)
    assert bars[0].names == [("call", None)]
    assert bars[0].stopped


def test_no_thread_is_started_where_nobody_looks(monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv(progress.QUIET, "1")
    before = threading.active_count()
    with progress.long_work("call"):
        assert threading.active_count() == before


# Public calls that take no data of respondents, customers or cases, by why they are never long.
SHORT = {
    "a few numbers that were typed in": (
        "ab_test_from_counts ahp all_weights ces_from_counts channel_matrix csat_from_counts "
        "erlang_c kano_from_counts maturity_matrix nps_from_counts nps_region payback power "
        "rank_proposals rpa_saving sample_size saved_customer_value scorecard verdict weights "
        "access_matrix sharing_matrix agreement critical_path loyalty_index improvement_log"
    ),
    "a file of the package": (
        "case_table cite claims load_facts load_formulas load_source_errors load_tables "
        "load_bank_calls load_cdnow load_chinese_reviews load_clickstream "
        "load_corporate_reputation load_ecsi_mobile load_flights load_hotel_bookings "
        "load_housing load_insteval load_patient_experience"
    ),
    "a step of calls that are watched": "bootstrap_moments ordinal_reliability",
    "bars of their own": "read_survey ready report",
    "no work": ("check_answer compare explore_bootstrap explore_weights open_table set_language"),
}


def test_every_other_public_call_is_watched():
    unwatched = {
        name
        for name in cx.__all__
        if inspect.isfunction(getattr(cx, name)) and not hasattr(getattr(cx, name), "__wrapped__")
    }
    assert unwatched == {name for names in SHORT.values() for name in names.split()}
