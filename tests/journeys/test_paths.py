"""Paths through flows, against networkx on random graphs."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from cxstats.journeys.blueprint.paths import critical_path, find_cycle, topological_order
from tests.journeys.blueprints import random_graph

ROUNDING = 1e-12  # sums of the same numbers in another order
SEEDS = range(1_000)


def longest(durations, edges):
    """Return the longest path by networkx: durations are weights of the edges to their nodes."""
    graph = nx.DiGraph()
    graph.add_nodes_from(durations)
    graph.add_weighted_edges_from((a, b, durations[b]) for a, b in edges)
    graph.add_weighted_edges_from(("start", node, durations[node]) for node in durations)
    return nx.dag_longest_path_length(graph)


def test_the_critical_path_is_that_of_networkx_on_1000_graphs():
    for seed in SEEDS:
        durations, edges = random_graph(np.random.default_rng(seed))
        result = critical_path(durations, edges)
        assert result.length == pytest.approx(longest(durations, edges), rel=ROUNDING)
        assert sum(durations[node] for node in result.path) == pytest.approx(result.length)
        assert set(pairwise(result.path)) <= set(edges)
        assert all(result.slack[node] == 0 for node in result.path)


def test_slack_is_what_a_node_can_take_longer():
    for seed in range(100):
        durations, edges = random_graph(np.random.default_rng(seed))
        result = critical_path(durations, edges)
        for node, slack in list(result.slack.items())[:5]:
            longer = {**durations, node: durations[node] + slack}
            assert critical_path(longer, edges).length == pytest.approx(result.length)
            longer[node] += 0.5
            assert critical_path(longer, edges).length == pytest.approx(result.length + 0.5)


def test_starts_are_the_longest_ways_before():
    for seed in range(100):
        durations, edges = random_graph(np.random.default_rng(seed))
        graph = nx.DiGraph(edges)
        graph.add_nodes_from(durations)
        result = critical_path(durations, edges)
        for node in list(durations)[:5]:
            before = nx.ancestors(graph, node)
            inside = [pair for pair in edges if set(pair) <= before]
            expected = longest({n: durations[n] for n in before}, inside) if before else 0
            assert result.start[node] == pytest.approx(expected, abs=ROUNDING)


def test_circles_are_those_of_networkx():
    for seed in range(300):
        rng = np.random.default_rng(seed)
        durations, edges = random_graph(rng)
        if edges and seed % 2:
            i, j = rng.integers(0, len(edges), 2)
            edges = [*edges, (edges[i][1], edges[j][0])]
        edges = [pair for pair in dict.fromkeys(edges) if pair[0] != pair[1]]
        cycle = find_cycle(edges)
        assert bool(cycle) != nx.is_directed_acyclic_graph(nx.DiGraph(edges))
        if cycle:
            assert cycle[0] == cycle[-1]
            assert len(set(cycle)) == len(cycle) - 1
            assert set(pairwise(cycle)) <= set(edges)
        else:
            order = topological_order(list(durations), edges)
            rank = {node: i for i, node in enumerate(order)}
            assert len(order) == len(durations)
            assert all(rank[a] < rank[b] for a, b in edges)


def test_of_equal_ways_the_first_in_the_file_is_taken():
    edges = [("a", "c"), ("a", "b"), ("b", "d"), ("c", "d")]
    assert critical_path(dict.fromkeys("abcd", 1.0), edges).path == ("a", "b", "d")
    assert critical_path(dict.fromkeys("acbd", 1.0), edges).path == ("a", "c", "d")


def test_a_blueprint_without_flows_has_no_path():
    assert critical_path({}, []).path == ()
    assert find_cycle([]) == []


def test_long_chains_do_not_recurse():
    names = [f"n{i}" for i in range(5_000)]
    edges = list(pairwise(names))
    assert critical_path(dict.fromkeys(names, 1.0), edges).length == 5_000
    assert len(find_cycle([*edges, (names[-1], names[0])])) == 5_001
