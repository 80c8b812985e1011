"""Layers and their order: what path diagrams and process maps share."""

from itertools import permutations

import numpy as np
import pytest

from cxstats.charts.layered_layout import (
    Passage,
    chains_of,
    count_crossings,
    depth_first_order,
    links_of,
    longest_paths,
    rows_of,
    uncrossed,
)


def random_graph(seed, k=9, edges=14):
    rng = np.random.default_rng(seed)
    names = [f"n{i}" for i in rng.permutation(k)]
    pairs = {tuple(rng.choice(names, 2, replace=False).tolist()) for _ in range(edges)}
    return names, sorted(pairs)


def layered(names, edges):
    order = depth_first_order(names, edges)
    layer = longest_paths(order, edges)
    rank = {name: i for i, name in enumerate(order)}
    down = {pair: pair if rank[pair[0]] < rank[pair[1]] else pair[::-1] for pair in edges}
    down = {pair: ends for pair, ends in down.items() if layer[ends[0]] < layer[ends[1]]}
    chains = chains_of(layer, down)
    return layer, chains, rows_of(names, layer, chains)


@pytest.mark.parametrize("seed", range(6))
def test_layers_are_longest_paths(seed):
    names, edges = random_graph(seed)
    order = depth_first_order(names, edges)
    layer = longest_paths(order, edges)
    rank = {name: i for i, name in enumerate(order)}
    forward = [(a, b) for a, b in edges if rank[a] < rank[b]]
    assert all(layer[a] < layer[b] for a, b in forward)
    for name in names:  # each has a predecessor just above it, unless it is a first one
        above = [layer[a] for a, b in forward if b == name]
        assert layer[name] == (max(above) + 1 if above else 0)


@pytest.mark.parametrize("seed", range(6))
def test_without_cycles_no_edge_points_backwards(seed):
    names, edges = random_graph(seed)
    edges = [(a, b) for a, b in edges if a < b]
    rank = {name: i for i, name in enumerate(depth_first_order(names, edges))}
    assert all(rank[a] < rank[b] for a, b in edges)


@pytest.mark.parametrize("seed", range(6))
def test_long_edges_hold_a_place_in_every_layer_they_pass(seed):
    names, edges = random_graph(seed)
    layer, chains, rows = layered(names, edges)
    at = {node: i for i, row in enumerate(rows) for node in row}
    assert len(at) == sum(map(len, rows)) == len(names) + sum(len(c) - 2 for c in chains.values())
    assert {name: at[name] for name in names} == layer
    for start, end in links_of(chains.values()):
        assert at[end] - at[start] == 1
    assert all(at[node] == node.layer for node in at if isinstance(node, Passage))


@pytest.mark.parametrize("seed", range(6))
def test_the_order_never_has_more_crossings_and_keeps_every_node(seed):
    names, edges = random_graph(seed)
    _, chains, rows = layered(names, edges)
    links = links_of(chains.values())
    ordered = uncrossed(rows, links)
    assert [set(row) for row in ordered] == [set(row) for row in rows]
    assert count_crossings(ordered, links) <= count_crossings(rows, links)
    assert ordered == uncrossed(rows, links)


def test_two_layers_get_the_fewest_crossings_there_are():
    links = [("a", "z"), ("b", "x"), ("c", "y"), ("b", "y")]
    best = min(
        count_crossings([left, right], links)
        for left in permutations("abc")
        for right in permutations("xyz")
    )
    assert count_crossings(uncrossed(["abc", "xyz"], links), links) == best == 0


def test_crossings_are_counted_in_pairs():
    links = [(a, b) for a in "ab" for b in "xyz"]
    assert count_crossings(["ab", "xyz"], links) == 3
