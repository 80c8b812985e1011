"""SERVQUAL and SERVPERF scores, the reliability of a questionnaire."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case

DIMENSIONS = ("Tangibles", "Reliability", "Responsiveness", "Assurance", "Empathy")
QUICK = {"n_resamples": 100}


def _gaps():
    return cx.servqual(
        *cx.simulate_servqual(120, seed=2, minimum=True), weights="points", n_resamples=1_000
    )


def _few_faulty():
    """Return answers of groups that differ: some missing, an item in reverse, one without gaps."""
    rng = np.random.default_rng(1)
    branch = np.where(np.arange(60) < 30, "North", "South").astype(object)
    frame = pd.DataFrame({"branch": branch})
    for item in ("tan1", "tan2"):
        frame[f"E_{item}"] = rng.integers(5, 8, 60).astype(float)
        frame[f"P_{item}"] = frame[f"E_{item}"] - rng.integers(0, 3, 60) - 2 * (branch == "South")
        frame[f"P_{item}"] = frame[f"P_{item}"].clip(1, 7)
    frame[["E_tan2", "P_tan2"]] = 8 - frame[["E_tan2", "P_tan2"]]
    frame["E_emp1"] = frame["P_emp1"] = 6.0
    frame.loc[::9, "P_tan1"] = np.nan
    frame.loc[3, "branch"] = None
    book = cx.Codebook(
        scale=(1, 7),
        constructs={"Tangibles": ["tan1", "tan2"], "Empathy": ["emp1"]},
        perception="P_{item}",
        expectation="E_{item}",
        reverse=["tan2"],
        other=["branch"],
    )
    return frame, book


def _gaps_faulty():
    frame, book = _few_faulty()
    return cx.servqual(frame, book, by="branch", **QUICK)


def _gaps_of_a_design():
    shifts = {"North": 0.0, "South": -0.5}
    frame, book = cx.simulate_servqual(90, seed=2, minimum=True, branches=shifts)
    frame["team"] = np.arange(90) % 12
    frame["weight"] = 1 + np.arange(90) % 3
    design = cx.Design(weights="weight", cluster="team")
    return cx.servqual(frame, book, by="branch", design=design)


def _gaps_of_two_samples():
    frame, book = cx.simulate_servqual(90, seed=8)
    frame = frame.astype(float)
    columns = {role: [book.column(item, role) for item in book.items] for role in book.roles}
    frame.loc[:54, columns["expectation"]] = np.nan
    frame.loc[55:, columns["perception"]] = np.nan
    return cx.servqual(frame, book, paired=False)


def _scores():
    frame, book = cx.simulate_servqual(80, seed=1)
    return cx.servperf(frame, book, **QUICK)


def _reliability():
    return cx.reliability(*cx.simulate_servqual(150, seed=1), **QUICK)


def _reliability_of_a_design():
    frame, book = cx.simulate_servqual(150, seed=1)
    frame = frame.assign(team=np.arange(150) % 40)
    return cx.reliability(frame, book, cluster="team", **QUICK)


def _answers(columns, n=60):
    rng = np.random.default_rng(4)
    answers = rng.integers(1, 8, (n, len(columns))) // 2 + rng.integers(0, 4, (n, 1))
    return pd.DataFrame(answers, columns=list(columns), dtype=float)


def _items_faulty():
    frame = _answers("abcdefg")
    frame["b"] = 7 - frame["b"]
    frame["d"] = 4.0
    frame.loc[::6, "f"] = np.nan
    book = cx.Codebook(
        scale=(0, 10), constructs={"One": ["a"], "Two": ["b", "c", "e"], "Three": ["d", "f", "g"]}
    )
    return cx.reliability(frame, book, **QUICK)


def _never_together():
    frame = _answers("abcdef")
    frame.loc[:30, ["a", "b", "c"]] = frame.loc[31:, ["d", "e", "f"]] = np.nan
    book = cx.Codebook(scale=(0, 10), constructs={"Two": list("abc"), "Three": list("def")})
    return cx.reliability(frame, book, **QUICK)


def _repeated():
    frame = _answers("abcdef")
    frame["e"] = frame["d"]
    book = cx.Codebook(scale=(0, 10), constructs={"Two": list("abc"), "Three": list("def")})
    return cx.reliability(frame, book, **QUICK)


def _matrix(corr, constructs):
    names = [item for items in constructs.values() for item in items]
    moments = cx.Moments.from_correlation(names, corr, n=100)
    return cx.reliability(moments, cx.Codebook(scale=(1, 7), constructs=constructs))


def _improper():
    return _matrix([[1], [0.8, 1], [0.8, 0.6, 1], [0.3] * 3 + [1], [0.3] * 3 + [0.5, 1]],
                   {"Two": list("abc"), "Three": list("de")})  # fmt: skip


def _one_factor():
    corr = np.full((6, 6), 0.55)
    corr[:3, :3] = corr[3:, 3:] = 0.5
    np.fill_diagonal(corr, 1)
    return _matrix(corr, {"Two": list("abc"), "Three": list("def")})


CONSTRUCTS = ("One", "Two", "Three", *"abcdefg")
CASES = {
    "Servqual/gaps": Case(_gaps, labels=DIMENSIONS),
    "Servqual/faulty": Case(
        _gaps_faulty,
        labels=("Tangibles", "Empathy", "North", "South", "branch", "tan1", "tan2", "emp1"),
    ),
    "Servqual/under a design": Case(
        _gaps_of_a_design, labels=(*DIMENSIONS, "North", "South", "branch", "weight")
    ),
    "Servqual/two samples": Case(_gaps_of_two_samples, labels=DIMENSIONS),
    "Servqual/perceptions": Case(_scores, labels=DIMENSIONS),
    "Reliability/one survey": Case(_reliability, labels=DIMENSIONS),
    "Reliability/under a design": Case(_reliability_of_a_design, labels=DIMENSIONS),
    "Reliability/faulty items": Case(_items_faulty, labels=CONSTRUCTS),
    "Reliability/never answered together": Case(_never_together, labels=CONSTRUCTS),
    "Reliability/items that repeat": Case(_repeated, labels=CONSTRUCTS),
    "Reliability/improper": Case(_improper, labels=CONSTRUCTS),
    "Reliability/one factor": Case(_one_factor, labels=CONSTRUCTS),
}
