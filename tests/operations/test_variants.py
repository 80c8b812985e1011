"""Variants, rework and the graph: by hand and against group-by."""

import numpy as np
import pandas as pd
import pytest

from cxstats.datasets.simulate_loan_log import simulate_loan_log
from cxstats.operations.event_log import event_log
from tests.operations.logs import LOAN, five, log


@pytest.fixture(scope="module")
def loans():
    return simulate_loan_log(800, seed=9)


def test_variants_by_hand():
    found = log().variants(unit="minute")
    assert found["variant"].tolist() == [
        "call → check → solve",
        "call",
        "call → call → solve",
        "call → check → check → solve",
    ]
    assert found["n"].tolist() == [2, 1, 1, 1]
    assert found["cumulative"].tolist() == pytest.approx([0.4, 0.6, 0.8, 1])
    assert found["lead_mean"].tolist() == pytest.approx([75, 15, 180, 140])
    assert found["lead_median"].tolist() == pytest.approx([75, 15, 180, 140])
    assert found["example"].tolist() == ["A", "C", "D", "B"]


def test_variants_against_joined_texts(loans):
    found = event_log(loans, **LOAN).variants()
    joined = loans.groupby("case")["activity"].agg(" → ".join).value_counts()
    assert found.set_index("variant")["n"].to_dict() == joined.to_dict()
    assert found["cumulative"].iloc[-1] == pytest.approx(1)


def test_a_collision_of_hashes_is_found_and_never_merges(monkeypatch):
    """With a generator whose first words are all alike, sequences of one length collide."""
    real, seeds = np.random.default_rng, []

    class Poor:
        def integers(self, *args):
            return np.ones(args[2], np.uint64)

    def poor(seed):
        seeds.append(seed)
        return Poor() if seed == 0 else real(seed)

    expected = log().variants()
    monkeypatch.setattr(np.random, "default_rng", poor)
    pd.testing.assert_frame_equal(log().variants(), expected)
    assert seeds == [0, 1]


def test_rework_by_hand():
    found = log().rework().set_index("activity")
    assert found["n"].to_dict() == {"any": 5, "call": 5, "check": 3, "solve": 4}
    assert found["repeats"].to_dict() == {"any": 2, "call": 1, "check": 1, "solve": 0}
    assert found["direct_repeats"].to_dict() == {"any": 2, "call": 1, "check": 1, "solve": 0}
    assert found["estimate"].to_dict() == pytest.approx(
        {"any": 0.4, "call": 0.2, "check": 1 / 3, "solve": 0}
    )
    assert found.loc["any", "handling_time"] == pytest.approx(20 / 60)


def test_the_graph_by_hand():
    graph = log().graph(unit="minute")
    counts = {(a, b): d["count"] for a, b, d in graph.edges(data=True)}
    assert counts == {
        ("call", "check"): 3,
        ("check", "solve"): 3,
        ("check", "check"): 1,
        ("call", "call"): 1,
        ("call", "solve"): 1,
    }
    assert graph.edges["call", "check"]["wait_mean"] == 30
    assert graph.edges["call", "check"]["wait_median"] == 30
    node = graph.nodes["call"]
    assert (node["count"], node["cases"], node["starts"], node["ends"]) == (6, 5, 5, 1)
    assert (node["handling_mean"], node["handling_median"]) == pytest.approx((65 / 6, 10))
    assert graph.graph["opening"] == {"call": 7}


def test_the_graph_against_shifted_columns(loans):
    graph = event_log(loans, **LOAN).graph()
    after = loans["activity"].shift(-1).where(loans["case"] == loans["case"].shift(-1))
    gap = (loans["start"].shift(-1) - loans["end"]) / pd.Timedelta("1h")
    expected = gap.groupby([loans["activity"], after]).agg(["size", "median"])
    assert len(expected) == graph.number_of_edges()
    for (a, b), row in expected.iterrows():
        assert graph.edges[a, b]["count"] == row["size"]
        assert graph.edges[a, b]["wait_median"] == pytest.approx(row["median"])


def test_flow_is_kept_in_every_activity(loans):
    """What comes in, with starts, is what goes out, with ends, is the count."""
    graph = event_log(loans, **LOAN).graph()
    for name, data in graph.nodes(data=True):
        into = sum(d["count"] for *_, d in graph.in_edges(name, data=True)) + data["starts"]
        out = sum(d["count"] for *_, d in graph.out_edges(name, data=True)) + data["ends"]
        assert into == out == data["count"]


def test_a_single_event_has_one_variant_and_no_edge():
    lonely = event_log(five().iloc[[0]], case="case", activity="activity", start="start")
    assert lonely.graph().number_of_edges() == 0
    assert lonely.variants()["n"].tolist() == [1]
