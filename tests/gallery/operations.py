"""Event logs, what a process achieves, before and after a change, time saved."""

import pandas as pd

import cxstats as cx
from cxstats.datasets.simulate_loan_log import CONTACTS
from tests.gallery import Case
from tests.operations.logs import LOAN, five, log

QUICK = {"n_resamples": 200}
PLAIN = {"case": "case", "activity": "activity", "start": "start"}


def _loans(seed=1, redesigned=False):
    return cx.event_log(cx.simulate_loan_log(30, seed, redesigned), **LOAN)


def _unordered():
    """A log with repeats, ties, events out of order and times in several zones, without ends."""
    frame = pd.concat([five(), five().iloc[[4, 6, 6]]], ignore_index=True)
    frame = pd.concat([frame, frame.iloc[[5]].assign(who="Ann")], ignore_index=True).iloc[::-1]
    frame["start"] = frame["start"].dt.strftime("%Y-%m-%dT%H:%M+08:00")
    frame.iloc[0, frame.columns.get_loc("start")] = "2024-03-01T01:55Z"
    return cx.event_log(frame, **PLAIN, resource="who")


def _overlapping():
    frame = five().assign(end=five()["end"] + pd.Timedelta("15min"))
    return log(frame, automated=None, accepted=None, error=None, manual=None)


def _two_rows():
    """Start and complete in two rows, one of them missing, on clocks that went back that night."""
    begun = five().assign(life="start", time=five()["start"])
    ended = five().assign(life="complete", time=five()["end"]).drop(10)
    rows = pd.concat([begun, ended], ignore_index=True)
    rows["time"] = (rows["time"] + pd.Timedelta(days=239, hours=16)).dt.strftime("%Y-%m-%d %H:%M")
    return cx.event_log(
        rows, case="case", activity="activity", start="time", lifecycle="life", kind="type",
        time_zone="Europe/Berlin", open_ends="censored",
    )  # fmt: skip


def _with_open_cases():
    frame = cx.simulate_loan_log(60, 3)
    frame = frame[frame["start"] <= frame["start"].quantile(0.7)]
    return cx.event_log(
        frame.assign(end=frame["end"].where(frame["end"] <= frame["start"].max())),
        **{**LOAN, "open_ends": "censored"},
    )


LABELS = tuple(_loans().activities)

CASES = {
    "EventLog/loans": Case(_loans),
    "EventLog/faulty": Case(_unordered),
    "EventLog/lifecycle": Case(_two_rows),
    "EventLog/every activity twice": Case(
        lambda: cx.event_log(pd.concat([five(), five().assign(who="Bot")]), **PLAIN)
    ),
    "Process/loans": Case(
        lambda: cx.process(_loans(), contact=list(CONTACTS), window="7 days", unit="day", **QUICK),
        labels=LABELS,
    ),
    "Process/faulty": Case(
        lambda: cx.process(_overlapping(), contact="check", window="3h", **QUICK)
    ),
    "Process/without ends": Case(lambda: cx.process(_unordered(), **QUICK)),
    "Process/open cases": Case(
        lambda: cx.process(_with_open_cases(), contact=list(CONTACTS), unit="day", **QUICK)
    ),
    "Process/faulty open cases": Case(lambda: cx.process(_two_rows(), **QUICK)),
    "Process/one case": Case(
        lambda: cx.process(log(five().iloc[:3]), staff_hours=4, contact="call", **QUICK)
    ),
    "ProcessChange/loans": Case(
        lambda: cx.process_change(
            _loans(), _loans(2, redesigned=True), contact=list(CONTACTS), unit="day", **QUICK
        )
    ),
    "ProcessChange/faulty": Case(
        lambda: cx.process_change(
            log(), cx.event_log(five().replace("check", "look"), **PLAIN, error="error"), **QUICK
        )
    ),
    "Saving/measured": Case(
        lambda: cx.rpa_saving(
            900, 3, 0.5, before_sd=1.2, before_n=60, after_sd=0.2, after_n=60, volume="poisson",
            method="simulation", n_resamples=1000,
        )
    ),
    "Saving/faulty": Case(lambda: cx.rpa_saving(10_000, before=3, after=0.5)),
    "Saving/one input uncertain": Case(
        lambda: cx.rpa_saving(10_000, 3, 0.5, before_sd=1.2, before_n=50, unit="hour")
    ),
}  # fmt: skip
