"""The process map: what is drawn, what is left out, and that nothing overlaps."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.patches import FancyBboxPatch, PathPatch

import cxstats as cx
from cxstats.charts.process_layout import END, START, _improved, lay_out
from cxstats.charts.process_map import duration_text, process_map
from cxstats.core.errors import CxError
from cxstats.datasets.simulate_loan_log import simulate_loan_log
from cxstats.operations.event_log import event_log
from cxstats.operations.process import process
from tests.operations.logs import LOAN, five, log

LOANS = event_log(simulate_loan_log(400, seed=1), **LOAN)


def words(ax):
    return [text.get_text() for text in ax.texts]


def below(ax):
    return ax.figure.get_supxlabel().replace("\n", " ")


def kinds(ax, kind):
    return [patch for patch in ax.patches if type(patch) is kind]


def test_boxes_and_arrows_show_the_graph():
    ax = process_map(log(), min_share=0)
    shown = words(ax)
    assert {"call", "check", "solve", "start", "end"} <= set(shown)
    assert "n = 6 · 10 min" in shown
    assert "3 · 30 min" in shown  # call to check: 0, 30 and 60 minutes
    assert "1 · 90 min" in shown  # the loop on call
    assert len(kinds(ax, FancyBboxPatch)) == 3
    assert len(kinds(ax, PathPatch)) == 5 + 1 + 2  # transitions, one start, two ends
    assert "Left out" not in below(ax)


def test_rare_arrows_are_left_out_and_counted():
    ax = process_map(log(), min_share=0.5)
    # Two transitions of 9, the loops, have fewer than 2.5; so has call to solve.
    assert "Left out: 3 rare arrows with 33.3 % of all transitions." in below(ax)
    few = process_map(LOANS, max_activities=3)
    assert len(kinds(few, FancyBboxPatch)) == 3
    assert "Left out: 6 rare activities (" in below(few)
    assert "Refer to committee" in below(few)


def test_rare_activities_stay_on_request_and_the_rest_is_named():
    """The clickstream's errors are its rarest events, and what a reader looks for."""
    clicks = event_log(
        cx.load_clickstream(), case="session_id", activity="event", start="timestamp"
    )
    errors = {"checkout_bug", "payment_error"}
    plain = process_map(clicks)
    assert not errors & set(words(plain))
    assert "Left out: 4 rare activities (checkout_bug, compare, error_page, payment_error)" in (
        below(plain).replace("\n", " ")
    )
    both = process_map(clicks, keep=sorted(errors))
    assert errors <= set(words(both))
    assert "Left out: 2 rare activities (compare, error_page)" in below(both).replace("\n", " ")
    one = process_map(clicks, keep="checkout_bug", lang="zh")
    assert "checkout_bug" in words(one)
    n_arrows = len(kinds(plain, PathPatch))
    assert len(kinds(both, PathPatch)) >= n_arrows + 2  # none stands alone


def test_every_activity_keeps_its_strongest_arrows():
    ax = process_map(LOANS, min_share=0.9)
    shown = words(ax)
    graph = LOANS.graph("second")
    count = graph.edges["Check documents", "Request documents"]["count"]
    assert any(text.startswith(f"{count} · ") for text in shown)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_title_is_the_longest_wait(lang):
    names = {"Assess risk": "风险评估"} if lang == "zh" else None
    ax = process_map(LOANS, lang=lang, names=names)
    top = LOANS.bottlenecks().iloc[0]
    title = ax.figure.get_suptitle()
    assert f"{100 * top['share']:.0f}" in title
    assert ("风险评估" if lang == "zh" else "Assess risk") in title
    assert any(("合成数据" if lang == "zh" else "SYNTHETIC DATA") in text for text in words(ax))


def test_a_result_is_drawn_as_its_log_and_without_ends_it_says_so():
    result = process(log(), n_resamples=50)
    assert words(result.plot()) == words(process_map(log()))
    plain = event_log(five(), case="case", activity="activity", start="start")
    assert "waiting and handling together" in below(process_map(plain))


def test_bad_options_are_named():
    with pytest.raises(CxError, match="min_share=1; allowed"):
        process_map(log(), min_share=1)
    with pytest.raises(CxError, match="max_activities=1; allowed"):
        process_map(log(), max_activities=1)
    with pytest.raises(CxError, match="keep: 'cal' is not in the log; there: call, check"):
        process_map(log(), keep="cal")
    with pytest.raises(CxError, match="keep=3; allowed: an activity"):
        process_map(log(), keep=3)
    with pytest.raises(CxError, match="one activity has nothing"):
        process_map(log(five()[five()["case"] == "C"], automated=[]))


def random_edges(seed, k=13, arrows=34):
    rng = np.random.default_rng(seed)
    names = [f"step {i}" for i in range(k)]
    edges = {(names[i], names[i + 1]): int(rng.integers(50, 200)) for i in range(k - 1)}
    while len(edges) < arrows:
        a, b = rng.integers(0, k, 2)
        edges.setdefault((names[a], names[b]), int(rng.integers(1, 60)))
    edges |= {(START, names[0]): 100, (names[-1], END): 100}
    sizes = {**dict.fromkeys(names, (2.0, 0.5)), START: (0.3, 0.3), END: (0.3, 0.3)}
    return sizes, edges


@pytest.mark.parametrize("seed", range(8))
def test_boxes_never_overlap_and_arrows_pass_no_box(seed):
    sizes, edges = random_edges(seed)
    layout = lay_out(sizes, edges)
    for a, b in combinations(sizes, 2):
        gap = np.abs(np.subtract(layout.places[a], layout.places[b]))
        reach = np.add(sizes[a], sizes[b]) / 2
        assert (gap >= reach - 1e-9).any(), (a, b)
    for pair, points in layout.routes.items():
        for x, y in points[1:-1] if pair[0] != pair[1] else []:
            for name, (px, py) in layout.places.items():
                w, h = sizes[name]
                assert abs(x - px) > w / 2 or abs(y - py) > h / 2, (pair, name)
    for pair, (x, y) in layout.labels.items():
        for name, (px, py) in layout.places.items():
            assert abs(x - px) > sizes[name][0] / 2 or abs(y - py) > sizes[name][1] / 2, pair


@pytest.mark.parametrize("seed", range(3))
def test_the_same_counts_give_the_same_layout(seed):
    sizes, edges = random_edges(seed)
    mixed = dict(sorted(edges.items(), key=str))
    first, second = lay_out(sizes, edges), lay_out(sizes, mixed)
    assert first.places == second.places
    assert first.labels == second.labels


def test_arrows_that_go_back_are_few_and_marked():
    flow = {("a", "b"): 9, ("b", "c"): 9, ("c", "a"): 2}
    assert _improved(["c", "b", "a"], flow) == ["a", "b", "c"]
    sizes = dict.fromkeys(["c", "b", "a", START, END], (2.0, 0.5))
    layout = lay_out(sizes, {**flow, (START, "a"): 9, ("c", END): 9})
    assert layout.back == {("c", "a")}
    heights = [layout.places[name][1] for name in (START, "a", "b", "c", END)]
    assert heights == sorted(heights, reverse=True)


def test_times_are_written_in_the_unit_that_fits():
    assert [duration_text(s) for s in (0, 90, 600, 3 * 3600, 36 * 3600, 9 * 86400)] == [
        "0 s", "90 s", "10 min", "3.0 h", "36 h", "9.0 d",
    ]  # fmt: skip
