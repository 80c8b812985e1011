"""SERVQUAL of lazy tables: the numbers of pandas, from sums alone."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core import engines
from cxstats.core.value_counts import distinct_values
from cxstats.service import engine_scores
from tests.core.engine_tables import as_engine
from tests.core.test_engines_matrix import assert_equal, numbers

N = 300
ITEMS = ("x1", "x2", "x3", "y1", "y2", "z1")
LAZY = ["polars lazy", "duckdb", pytest.param("spark", marks=pytest.mark.spark)]
BOOK = cx.Codebook(
    scale=(1, 7),
    constructs={"X": ["x1", "x2", "x3"], "Y": ["y1", "y2"], "Z": ["z1"]},
    perception="{item}",
    expectation="E_{item}",
    minimum="M_{item}",
    importance={"X": "pX", "Y": "pY", "Z": "pZ"},
    missing=[-9],
    reverse=["x2"],
    groups={"branch": {"same": {"Nord": "North"}, "order": ["South", "North"]}},
)


def responses():
    rng = np.random.default_rng(17)
    factor = rng.normal(size=N)
    frame = pd.DataFrame(index=range(N))
    for item in ITEMS:
        perception = np.clip(np.rint(4.5 + factor + rng.normal(size=N)), 1, 7)
        expectation = np.clip(perception + rng.integers(-1, 3, N), 1, 7)
        minimum = np.clip(expectation - rng.integers(0, 4, N), 1, 7)
        roles = {"": perception, "E_": expectation, "M_": minimum}
        if item in BOOK.reverse:
            roles = {role: 8 - answers for role, answers in roles.items()}
        for role, answers in roles.items():
            name = f"{role}{item}"
            frame[name] = np.where(rng.random(N) < 0.07, np.nan, answers)
    frame.loc[frame.index % 40 == 0, "x1"] = -9
    frame[["pX", "pY", "pZ"]] = rng.multinomial(100, [0.5, 0.3, 0.2], N).astype(float)
    frame.loc[rng.random(N) < 0.1, "pY"] = np.nan
    frame["branch"] = rng.choice(["North", "Nord", "South", "East"], N)
    frame.loc[:3, "branch"] = None
    return frame


def two_samples():
    frame = responses()
    first = np.arange(N) % 2 == 0
    frame.loc[first, list(ITEMS)] = np.nan
    frame.loc[~first, [f"E_{item}" for item in ITEMS]] = np.nan
    return frame


CALLS = {
    "points by": (responses, lambda t: cx.servqual(t, BOOK, "points", by="branch", min_cell=5)),
    "fixed hall": (
        responses, lambda t: cx.servqual(t, BOOK, {"X": 50, "Y": 50, "Z": 0}, interval="hall")
    ),
    "two samples": (two_samples, lambda t: cx.servqual(t, BOOK, paired=False)),
    "servperf": (responses, lambda t: cx.servperf(t, BOOK, by="branch", level=0.9)),
}  # fmt: skip


@pytest.fixture(params=LAZY)
def lazy(request, monkeypatch):
    """Return how a frame becomes a lazy table that is too large to be fetched."""
    spark = request.getfixturevalue("spark") if request.param == "spark" else None
    monkeypatch.setattr(engines, "MOST_ROWS", 100)
    return lambda frame: as_engine(frame, request.param, spark)


@pytest.mark.parametrize("call", CALLS)
def test_numbers_and_notes_are_those_of_respondents(call, lazy):
    make, method = CALLS[call]
    result, wanted = method(lazy(make())), method(make())
    assert_equal(numbers(result), numbers(wanted))
    for lang in ("en", "zh"):
        notes = [note.get(lang) for note in result.notes]
        assert notes == [note.get(lang) for note in wanted.notes]
        assert result.findings(lang) == wanted.findings(lang)


def test_groups_stand_in_the_order_of_the_codebook(lazy):
    groups = cx.servqual(lazy(responses()), BOOK, by="branch").groups["group"]
    assert list(dict.fromkeys(groups)) == ["South", "North", "East"]


def test_bootstrap_becomes_its_normal_limit(lazy):
    result = cx.servqual(lazy(responses()), BOOK, interval="bca", seed=2)
    plain = cx.servqual(responses(), BOOK)
    assert any("normal limit of the bootstrap" in note.en for note in result.notes)
    # Limits of 5,000 draws lie within .06 of a standard error of 1.96 errors (Monte Carlo: .03).
    for table in ("table", "items"):
        drawn, exact = getattr(result, table), getattr(plain, table)
        reach = (drawn["ci_high"] - drawn["ci_low"]) / (2 * exact["se"])
        assert reach.between(1.84, 2.08).all()


def test_too_many_values_for_ranks(lazy, monkeypatch):
    def counted(table, names, steps):
        return distinct_values(table, names, most=200, steps=steps)

    monkeypatch.setattr(engine_scores, "distinct_values", counted)
    result, wanted = (
        cx.servqual(t, BOOK, "points").table["p_wilcoxon"] for t in (lazy(responses()), responses())
    )
    assert np.isnan(result["Overall"])
    np.testing.assert_allclose(result[:3], wanted[:3], rtol=1e-10)
    notes = cx.servqual(lazy(responses()), BOOK, "points").notes
    assert any("have no Wilcoxon test" in note.en for note in notes)


def test_scores_that_do_not_vary(lazy):
    frame = responses()
    for item in ("y1", "y2"):
        frame[f"E_{item}"] = 5.0
        frame[item] = 4.0
    result, wanted = (cx.servqual(t, BOOK) for t in (lazy(frame), frame))
    assert_equal(numbers(result), numbers(wanted))
    assert [note.en for note in result.notes] == [note.en for note in wanted.notes]
    assert any("does not vary" in note.en for note in result.notes)


def test_texts_are_answers_by_the_codebook(lazy):
    book = {
        "scale": (1, 3), "constructs": {"A": ["a", "b"]},
        "perception": "{item}", "expectation": "E_{item}",
        "answers": {"bad": 1, "fair": 2, "good": 3}, "missing": ["none"],
    }  # fmt: skip
    rng = np.random.default_rng(3)
    texts = pd.DataFrame(
        rng.choice(["bad", "fair", "good", "none"], (90, 4)), columns=["a", "b", "E_a", "E_b"]
    )
    assert_equal(numbers(cx.servqual(lazy(texts), book)), numbers(cx.servqual(texts, book)))


def _with(column, value):
    return responses().assign(**{column: responses()[column].where(responses().index != 7, value)})


FAULTS = {
    "off the scale": (lambda: _with("E_y1", 9), {}, r"column 'E_y1'.*9 is off the scale; allowed"),
    "no column": (
        lambda: responses().drop(columns="E_y1"), {}, "column 'E_y1' is not in the table"
    ),
    "no points": (
        lambda: responses().assign(pX=np.nan), {"weights": "points"}, "no respondent gave points"
    ),
    "points": (lambda: _with("pX", 500), {"weights": "points"}, "the points sum to .*allowed: 100"),
    "negative": (lambda: _with("pZ", -5), {"weights": "points"}, "points below 0; allowed: 0 to"),
    "no group": (responses, {"by": "shop"}, "column 'shop' is not in the table"),
    "two columns": (responses, {"by": ["branch"]}, r"by=\['branch'\]; allowed: the name of one"),
    "one group": (
        lambda: responses().assign(branch="East"), {"by": "branch"}, "has 1 group; at least 2"
    ),
    "no rows": (lambda: responses().iloc[:0], {}, "the table has no rows"),
    "two samples": (two_samples, {}, "nobody answered an item in both roles"),
    "one sample": (responses, {"paired": False}, "respondents answered in both roles"),
    "weights": (responses, {"weights": "equal"}, "weights='equal'; allowed: None, 'points'"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("engine", ["polars lazy", "duckdb"])
def test_what_is_wrong_is_named(fault, engine):
    make, options, message = FAULTS[fault]
    with pytest.raises(cx.CxError, match=message):
        cx.servqual(as_engine(make(), engine), BOOK, **options)


def test_a_design_needs_respondents(lazy):
    with pytest.raises(cx.DataError, match="needs every row in memory"):
        cx.servqual(lazy(responses()), BOOK, cluster="branch")
