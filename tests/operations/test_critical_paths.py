"""Plans: textbook values, every schedule by brute force, simulated ends, faults that are named."""

import re

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError
from cxstats.stats.stated_amounts import StatedAmount

# A textbook's network: A-C-E-G-H is critical with 15 (Heizer, Render & Munson, Operations
# Management, ch. 3: Milwaukee Paper Manufacturing).
MILWAUKEE = {
    "A": 2, "B": 3, "C": (2, ["A"]), "D": (4, ["A", "B"]), "E": (4, ["C"]), "F": (3, ["C"]),
    "G": (5, ["D", "E"]), "H": (2, ["F", "G"]),
}  # fmt: skip
TIMES = {  # task: optimistic, most likely, pessimistic (the same chapter)
    "A": (1, 2, 3), "B": (2, 3, 4), "C": ((1, 2, 3), ["A"]), "D": ((2, 4, 6), ["A", "B"]),
    "E": ((1, 4, 7), ["C"]), "F": ((1, 2, 9), ["C"]), "G": ((3, 4, 11), ["D", "E"]),
    "H": ((1, 2, 3), ["F", "G"]),
}  # fmt: skip


def test_a_textbook():
    plan = cx.critical_path(MILWAUKEE)
    assert plan.critical_tasks == ["A", "C", "E", "G", "H"]
    assert plan.end["estimate"].tolist() == [15, 25, 10]
    rows = plan.table.set_index("task")
    assert rows["slack"].to_dict() == {
        "A": 0, "B": 1, "C": 0, "D": 1, "E": 0, "F": 6, "G": 0, "H": 0
    }  # fmt: skip
    assert rows.loc["F", ["start", "finish", "latest_start", "latest_finish"]].tolist() == [
        4, 7, 10, 13
    ]  # fmt: skip


def test_the_same_textbook_with_uncertain_times():
    """Means as above; done by 16 weeks with .715 in the book, by the normal distribution."""
    plan = cx.critical_path(TIMES, n_draws=40_000)
    assert plan.table.set_index("task")["duration"].round(9).to_dict() == {
        "A": 2, "B": 3, "C": 2, "D": 4, "E": 4, "F": 3, "G": 5, "H": 2
    }  # fmt: skip
    assert plan.chance(16) == pytest.approx(0.715, abs=0.06)  # two paths and no normal tails
    assert plan.end["estimate"].iloc[0] > 15
    probability = plan.table.set_index("task")["probability"]
    assert probability["H"] == 1
    assert probability["G"] == pytest.approx(1, abs=0.02)
    assert probability["A"] + probability["B"] == pytest.approx(1)  # a plan begins with either


@pytest.mark.parametrize("seed", range(8))
def test_the_end_is_the_longest_path(seed):
    """Random plans; networkx adds up the longest chain of tasks."""
    rng = np.random.default_rng(seed)
    graph = nx.DiGraph()
    plan, durations = {}, rng.integers(0, 9, 12)
    for i, duration in enumerate(durations):
        before = [f"t{j}" for j in range(i) if rng.random() < 0.25]
        plan[f"t{i}"] = (int(duration), before)
        graph.add_node(f"t{i}")
        graph.add_edges_from((name, f"t{i}", {"weight": int(durations[int(name[1:])])})
                             for name in before)  # fmt: skip
    for i in range(12):
        graph.add_edge(f"t{i}", "end", weight=int(durations[i]))
    items = list(plan.items())
    rng.shuffle(items)
    result = cx.critical_path(dict(items))
    assert result.end["estimate"].iloc[0] == nx.dag_longest_path_length(graph)
    rows = result.table.set_index("task")
    longest = [name for name in nx.dag_longest_path(graph) if name != "end"]
    assert rows.loc[longest, "is_critical"].all()
    assert (rows["slack"] >= 0).all()


def test_two_equal_tasks_in_parallel():
    """The later of two independent uniform-like times: each is critical half of the time."""
    plan = cx.critical_path(
        {"A": (0, 0.5, 1), "B": (0, 0.5, 1)}, distribution="triangular", n_draws=40_000
    )
    assert plan.table["probability"].tolist() == pytest.approx([0.5, 0.5], abs=0.015)
    x = np.random.default_rng(9).triangular(0, 0.5, 1, (2, 400_000))
    assert plan.end["estimate"].iloc[0] == pytest.approx(x.max(axis=0).mean(), abs=0.005)
    assert plan.end["ci_low"].iloc[0] == pytest.approx(np.quantile(x.max(axis=0), 0.05), abs=0.01)
    assert "too early" in plan.summary()


@pytest.mark.parametrize("distribution", ["pert", "triangular"])
def test_draws_have_their_mean_and_limits(distribution):
    amount = StatedAmount(2, 3, 10)
    x = amount.draw(np.random.default_rng(1), 200_000, distribution)
    assert x.mean() == pytest.approx(amount.mean(distribution), abs=0.02)
    assert x.min() >= 2
    assert x.max() <= 10
    if distribution == "pert":  # its variance: (mean - low) (high - mean) / 7
        assert x.var() == pytest.approx(2 * 6 / 7, rel=0.02)


def test_parallel_work_on_the_same_draws():
    plan = cx.critical_path({"A": (1, 2, 3), "B": ((2, 3, 4), ["A"]), "C": (1, ["B"])})
    apart = plan.parallel("A", "B")
    assert apart.end["estimate"].iloc[0] < plan.end["estimate"].iloc[0] - 1.5
    saved = plan.draws - apart.draws
    assert (saved >= 0).all()
    # A and B took a + b + 1, and take max(a, b) + 1: what is saved is the shorter of them.
    assert saved.mean() == pytest.approx(2, abs=0.02)
    with pytest.raises(CxError, match="'C' does not wait for 'A'; it waits for: B"):
        plan.parallel("A", "C")
    with pytest.raises(CxError, match="no task 'D'"):
        plan.parallel("D", "C")


def test_the_same_plan_as_a_table():
    names = list(MILWAUKEE)
    parts = [value if isinstance(value, tuple) else (value, []) for value in MILWAUKEE.values()]
    frame = pd.DataFrame(
        {
            "task": names,
            "duration": [p[0] for p in parts],
            "after": ["; ".join(p[1]) for p in parts],
        }
    )
    expected = cx.critical_path(MILWAUKEE).table
    for table in (
        frame, frame.assign(after=[p[1] for p in parts]), frame.replace({"after": {"": None}}),
        frame.convert_dtypes(), frame.set_index(np.zeros(8)),
    ):  # fmt: skip
        pd.testing.assert_frame_equal(cx.critical_path(table).table, expected)
    ranged = frame.assign(low=frame["duration"], mode=frame["duration"], high=frame["duration"])
    ranged = ranged.drop(columns="duration")
    pd.testing.assert_frame_equal(cx.critical_path(ranged).table, expected)


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({}, "a plan without tasks"),
        ({"A": -1}, "duration of 'A'=-1; allowed: a number or (low, most likely, high), 0 or more"),
        ({"A": "two"}, "duration of 'A'='two'"),
        ({"A": True}, "duration of 'A'=True"),
        ({"A": np.nan}, "duration of 'A'=nan"),
        ({"A": (3, 2, 4)}, "allowed: low <= most likely <= high"),
        ({"A": (1, ["B"])}, "task 'A' waits for 'B', which is no task of the plan"),
        ({"Check": 1, "A": (1, ["check"])}, "waits for 'check', which is no task of the plan; did"),
        ({"A": (1, ["A"])}, "in a circle: A → A"),
        ({"A": (1, ["C"]), "B": (1, ["A"]), "C": (1, ["B"])}, "tasks wait for each other in a"),
        ({"A": (1, 7)}, "tasks before: 7; allowed: a list of names"),
        ({7: 1}, "task 7; allowed: a name"),
        (pd.DataFrame({"task": ["A"]}), "column 'low' is not in the table"),
        (pd.DataFrame({"task": ["A", "A"], "duration": [1, 2]}), "task 'A' stands twice"),
        (pd.DataFrame({"task": ["A"], "duration": [1], "after": [3]}), "column 'after': 3"),
        (pd.DataFrame({"task": [None], "duration": [1]}), "task None; allowed: a name"),
    ],
)
def test_bad_plans_are_named(tasks, message):
    with pytest.raises(CxError, match=re.escape(message)):
        cx.critical_path(tasks)


def test_bad_options_are_named():
    plan = cx.critical_path({"A": 1})
    with pytest.raises(CxError, match="every duration is certain"):
        plan.chance(3)
    with pytest.raises(CxError, match="distribution='normal'; allowed"):
        cx.critical_path({"A": 1}, distribution="normal")
    with pytest.raises(CxError, match="n_resamples is 0"):
        cx.critical_path({"A": 1}, n_draws=0)
