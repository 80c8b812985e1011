"""A log of five cases, worked by hand."""

import pandas as pd

from cxstats.operations.event_log import event_log

# Minutes since 2024-03-01 09:00. Case A: accepted 0, call 10-20, check 50-80, solve 80-100.
EVENTS = [
    ("A", "call", 10, 20, "Ann", False, False, "card", 0),
    ("A", "check", 50, 80, "Bot", False, False, "card", 0),
    ("A", "solve", 80, 100, "Ann", False, True, "card", 0),
    ("B", "call", 35, 45, "Ann", False, False, "card", 30),
    ("B", "check", 105, 125, "Bot", True, False, "card", 30),
    ("B", "check", 135, 145, "Bot", False, False, "card", 30),
    ("B", "solve", 150, 170, "Bob", False, False, "card", 30),
    ("C", "call", 60, 75, "Bob", False, False, "loan", 60),
    ("D", "call", 100, 110, "Ann", False, False, "loan", 90),
    ("D", "call", 200, 210, "Bob", False, True, "loan", 90),
    ("D", "solve", 240, 270, "Bob", True, True, "loan", 90),
    ("E", "call", 130, 140, "Bob", False, False, "card", 120),
    ("E", "check", 140, 150, "Bot", False, False, "card", 120),
    ("E", "solve", 160, 170, "Ann", False, False, "card", 120),
]
NAMES = ["case", "activity", "start", "end", "who", "error", "manual", "type", "accepted"]
ROLES = {
    "case": "case",
    "activity": "activity",
    "start": "start",
    "end": "end",
    "resource": "who",
    "automated": ["Bot"],
    "error": "error",
    "manual": "manual",
    "kind": "type",
    "accepted": "accepted",
}


def five(**change):
    frame = pd.DataFrame(EVENTS, columns=NAMES)
    for name in ("start", "end", "accepted"):
        frame[name] = pd.Timestamp("2024-03-01 09:00") + pd.to_timedelta(frame[name], unit="min")
    return frame.assign(**change)


def log(frame=None, **change):
    return event_log(five() if frame is None else frame, **{**ROLES, **change})


LOAN = {
    "case": "case",
    "activity": "activity",
    "start": "start",
    "end": "end",
    "resource": "resource",
    "automated": ["System"],
    "error": "error",
    "manual": "manual",
    "kind": "kind",
    "accepted": "accepted",
}
