"""Alignments against exhaustive search, and what a log's conformance says."""

from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.journeys.alignment import AT_ONCE, Path, align
from tests.journeys.logs import COLUMNS

NAMES = {"user": "who", "session": "visit", "time": "at", "event": "what"}
PATH = ["home", "add", "ship", "pay"]


@cache
def common(first, second):
    """Return the length of the longest common subsequence, by its definition."""
    if not first or not second:
        return 0
    if first[-1] == second[-1]:
        return common(first[:-1], second[:-1]) + 1
    return max(common(first[:-1], second), common(first, second[:-1]))


def every_run(path, longest):
    """Return every sequence of activities that a path allows, with what it skips for nothing.

    A step is done once, or up to `longest` times if it may repeat, or not at all if optional.
    """
    choices = []
    for j in range(path.matches.shape[1]):
        events = np.flatnonzero(path.matches[:, j]).tolist()
        most = longest if path.repeated[j] else 1
        runs = [run for n in range(1, most + 1) for run in product(events, repeat=n)]
        # A step that is skipped costs 1, once, unless it is optional.
        choices.append([(run, 0) for run in runs] + [((), 0 if path.optional[j] else 1)])
    prefixes = range(1 if path.unfinished else len(choices), len(choices) + 1)
    for size in [0, *prefixes] if path.unfinished else prefixes:
        for chosen in product(*choices[:size]):
            yield sum((run for run, _ in chosen), ()), sum(cost for _, cost in chosen)


def exhaustive(sequence, runs):
    """Return the fewest insertions and skips that turn a run of the path into a sequence.

    Steps that are skipped are left out of the run beforehand, so all of a run has to be there.
    """
    return min(
        skipped + len(sequence) - len(run)
        for run, skipped in runs
        if len(run) <= len(sequence) and common(run, sequence) == len(run)
    )


@pytest.mark.parametrize("unfinished", [False, True])
def test_costs_are_those_of_exhaustive_search(unfinished):
    rng = np.random.default_rng(1)
    for _ in range(25):
        k, activities = rng.integers(1, 4), rng.integers(2, 4)
        matches = rng.random((activities, k)) < 0.4
        matches[rng.integers(0, activities, k), np.arange(k)] = True
        path = Path(matches, rng.random(k) < 0.3, rng.random(k) < 0.3, unfinished)
        runs = list(every_run(path, 5))
        length = rng.integers(0, 6, 12)
        activity = rng.integers(0, activities, length.sum())
        aligned = align(activity, length, path)
        ends = np.cumsum(length)
        for i, (end, n) in enumerate(zip(ends, length, strict=True)):
            sequence = tuple(activity[end - n : end].tolist())
            assert aligned.cost[i] == exhaustive(sequence, runs), (sequence, path)
            moves = aligned.skipped[i].sum() + aligned.inserted[end - n : end].sum()
            assert moves == aligned.cost[i]


def test_batches_do_not_matter(monkeypatch):
    rng = np.random.default_rng(2)
    path = Path(rng.random((5, 4)) < 0.4, np.zeros(4, bool), np.array([False, True, False, False]))
    length = rng.integers(0, 30, 200)
    activity = rng.integers(0, 5, length.sum())
    together = align(activity, length, path)
    monkeypatch.setattr("cxstats.journeys.alignment.AT_ONCE", 300)
    apart = align(activity, length, path)
    assert AT_ONCE > 300
    for name in ("cost", "skipped", "inserted"):
        np.testing.assert_array_equal(getattr(together, name), getattr(apart, name))


# Minutes of each event; user of each session. Written down with their alignments below.
VISITS = {
    ("u1", "s1"): [("home", 0), ("add", 1), ("ship", 2), ("pay", 4)],
    ("u1", "s2"): [("home", 0), ("ship", 3), ("pay", 4)],
    ("u2", "s3"): [("home", 0), ("help", 1), ("add", 2), ("ship", 9), ("pay", 10)],
    ("u3", "s4"): [("home", 0), ("ship", 1), ("add", 2), ("pay", 3)],
    ("u3", "s5"): [("home", 0), ("add", 1)],
}


def visits():
    rows = [
        {"who": who, "visit": visit, "what": event, "at": pd.Timestamp(2024, 3, 1, 9, minute)}
        for (who, visit), events in VISITS.items()
        for event, minute in events
    ]
    return pd.DataFrame(rows)


def conform(frame=None, path=PATH, **options):
    return cx.conformance(visits() if frame is None else frame, path, **{**NAMES, **options})


def moves(result):
    return {(row.deviation, row.event): (row.n, row.moves) for row in result.table.itertuples()}


def test_a_small_log_by_hand():
    result = conform()
    assert result.cost.tolist() == [0, 1, 1, 2, 2]
    assert result.conforming == 1 / 5
    fitness = result.overall.set_index("measure")["estimate"]["fitness"]
    assert fitness == pytest.approx(1 - (0 + 1 / 7 + 1 / 9 + 2 / 8 + 2 / 6) / 5)
    # s2 skips the basket; s3 asks for help; of s4 the events that match as late as possible stay;
    # s5 stops.
    assert moves(result) == {
        ("skipped", "ship"): (2, 2),
        ("skipped", "add"): (1, 1),
        ("skipped", "pay"): (1, 1),
        ("inserted", "help"): (1, 1),
        ("inserted", "ship"): (1, 1),
    }


def test_what_may_be_left_out_repeat_or_end_is_no_deviation():
    assert conform(optional=["add"]).cost.tolist() == [0, 0, 1, 1, 2]
    assert conform(others="ignore").cost.tolist() == [0, 1, 0, 2, 2]
    assert conform(unfinished=True).cost.tolist() == [0, 1, 1, 2, 0]
    assert conform(path=["home", ("add", "ship"), "pay"], repeated="add").conforming == 3 / 5
    assert conform(path=["home", "add", "ship", "add", "pay"], optional="add").cost.tolist() == [
        0, 0, 1, 0, 2,
    ]  # fmt: skip


def test_shares_and_durations_are_those_of_the_metrics():
    clicks = cx.simulate_clickstream(150, seed=2, sessions=(1, 20))
    path = ["home", "product_view", "add_to_cart", "shipping_details", "payment_details",
            "purchase"]  # fmt: skip
    result = cx.conformance(clicks, path, **COLUMNS, repeated="product_view")
    sessions = clicks.groupby("session_id").agg(
        user=("user_id", "first"), events=("event", set), start=("timestamp", "min"),
        end=("timestamp", "max"),
    )  # fmt: skip
    # Sessions of the simulator pass the steps in order and stop: they lack what they lack.
    lacks = sessions["events"].map(lambda events: "add_to_cart" not in events)
    row = result.table[result.table["event"] == "add_to_cart"].iloc[0]
    share = cx.rate(lacks.to_numpy(), cluster=sessions["user"].to_numpy()).table.iloc[0]
    for name in ("estimate", "se", "ci_low", "ci_high"):
        assert row[name] == pytest.approx(share[name])
    minutes = (sessions["end"] - sessions["start"]).dt.total_seconds() / 60
    difference = minutes[lacks].mean() - minutes[~lacks].mean()
    assert row["difference"] == pytest.approx(difference)
    assert row["difference_ci_low"] < difference < row["difference_ci_high"]


def test_adjusted_differences_are_what_each_deviation_adds():
    """Help takes 5 minutes, a second payment 2, and those who ask for help pay twice more often."""
    rng = np.random.default_rng(3)
    rows = []
    for number in range(400):
        asks = rng.random() < 0.4
        twice = rng.random() < (0.7 if asks else 0.1)
        events = [("home", 3.0), *([("help", 5.0)] * asks), ("add", 2.0), ("pay", 2.0)]
        events += [("pay", 0.0)] if twice else []
        at = rng.normal(10, 1)  # of the first step, so that durations scatter
        for event, minutes in events:
            rows.append({"who": number // 4, "visit": number, "what": event, "at": at})
            at += minutes + (rng.normal(0, 0.1) if event == "home" else 0)
    frame = pd.DataFrame(rows)
    frame["at"] = pd.Timestamp("2024-03-01") + pd.to_timedelta(frame["at"].round(6), unit="min")
    frame[["who", "visit"]] = frame[["who", "visit"]].astype(str)
    table = conform(frame, ["home", "add", "pay"]).table.set_index("event")
    for event, minutes in (("help", 5), ("pay", 2)):
        row = table.loc[event]
        assert row["adjusted"] == pytest.approx(minutes, abs=0.06)
        assert row["adjusted_ci_low"] < minutes < row["adjusted_ci_high"]
        assert row["difference"] > minutes + 0.5  # what comes with it counts there, too


def test_deviations_that_always_come_together_have_no_adjusted_difference():
    frame = pd.concat([visits().assign(visit=lambda f, i=i: f["visit"] + str(i),
                                       who=str(i)) for i in range(12)])  # fmt: skip
    earlier = pd.to_timedelta(frame["who"].astype(int), unit="s")  # so that durations scatter
    frame["at"] = frame["at"].where(frame["what"] != "home", frame["at"] - earlier)
    table = conform(frame[frame["visit"].str[:2].isin(["s1", "s5"])]).table
    assert len(table) == 2
    assert table["difference"].notna().all()
    assert table["adjusted"].isna().all()


def test_an_event_log_with_customers_is_clustered_by_them():
    log = cx.event_log(visits(), case="visit", activity="what", start="at", customer="who")
    pd.testing.assert_frame_equal(cx.conformance(log, PATH).overall, conform().overall)
    alone = conform(visits().assign(who="u1"))
    assert alone.overall[["se", "ci_low", "ci_high"]].isna().all(axis=None)


def test_a_log_that_conforms_has_no_deviation_to_draw():
    result = conform(visits()[lambda f: f["visit"].isin(["s1"])])
    assert (result.conforming, len(result.table)) == (1.0, 0)
    with pytest.raises(cx.CxError, match="no deviation to draw"):
        result.plot()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": ["home", "buy"]}, "path: 'buy' is not in the log; there: add, help, home"),
        ({"path": "home"}, "path='home'; allowed: a list of events"),
        ({"path": []}, r"path=\[\]; allowed"),
        ({"path": ["home", ()]}, "a step without event is not in the log"),
        ({"optional": ["help"]}, "optional: 'help' is no step of the path"),
        ({"repeated": "x"}, "repeated: 'x' is no step of the path"),
        ({"optional": PATH}, "every step of the path is optional"),
        ({"path": ["home", [["add"]]]}, r"path: \['add'\] is not in the log"),
        ({"optional": 3}, "optional: 3 is no step of the path"),
        ({"event": None}, "event is missing; allowed: the name of a column"),
        ({"others": "drop"}, "others='drop'; allowed: 'insert', 'ignore'"),
        ({"unfinished": 1}, "unfinished=1; allowed: True, False"),
        ({"unit": "week"}, "unit='week'"),
        ({"session": "none"}, "column 'none' is not in the table"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(cx.CxError, match=message):
        conform(**options)


def test_a_session_of_two_users_is_named():
    frame = visits()
    frame.loc[1, "who"] = "u9"
    with pytest.raises(cx.DataError, match=r"column 'who': case 's1' has 'u9' and 'u1'"):
        conform(frame)
