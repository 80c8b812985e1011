"""Sums instead of rows: of partitions, of patterns, of tables too large to be fetched."""

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core import engine_sums, engines
from cxstats.core.accumulate import Sums
from cxstats.core.engine_sums import pattern_sums
from cxstats.core.pattern_moments import PatternMoments
from cxstats.core.value_counts import value_counts
from cxstats.survey.answers import missing_code_notes, missing_code_notes_of
from tests.core.engine_tables import ENGINES, as_engine
from tests.core.test_engines_matrix import BOOK, ITEMS, MODEL, answers

EXACT = 1e-12  # sums of a few thousand numbers in double precision, in any order


@pytest.fixture(scope="module")
def frame():
    return answers()


@pytest.fixture
def table(request, frame):
    engine = request.param
    spark = request.getfixturevalue("spark") if engine == "spark" else None
    return as_engine(frame, engine, spark)


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_sums_of_parts_add_up(offset):
    rng = np.random.default_rng(2)
    x = np.round(rng.normal(size=(3, 900)), 3) + offset
    w = rng.uniform(0, 2, 900)
    whole, merged = Sums.empty(3), Sums.empty(3)
    whole.add(x, w, "abc")
    for part in np.array_split(np.arange(900), [5, 5, 300]):  # one is empty
        sums = Sums.empty(3)
        sums.add(x[:, part], w[part], "abc")
        merged.merge(sums)
    wanted = np.cov(x - offset, aweights=w, ddof=0) * 900 / 899
    # Differences from 10^9 are exact to 10^-7.
    tolerance = EXACT if offset == 0 else 1e-7
    for sums in (whole, merged):
        np.testing.assert_allclose(sums.covariance()[1], wanted, rtol=tolerance)
    np.testing.assert_allclose(merged.covariance()[0], whole.covariance()[0], rtol=EXACT)
    assert merged.n == whole.n == 900


@pytest.mark.parametrize("table", ENGINES, indirect=True)
def test_patterns_of_missing_answers(table, frame):
    columns = ["holed", "x2", "holed2"]
    numbers = frame[columns].astype(float)
    _, sums = pattern_sums(table, columns, "group")
    for (group, present), part in sums.items():
        rows = (frame["group"] == group) & (numbers.notna().to_numpy() == np.array(present)).all(
            axis=1
        )
        cells = numbers.loc[rows, [c for c, has in zip(columns, present, strict=True) if has]]
        assert part.n == len(cells)
        np.testing.assert_allclose(part.origin + part.mean, cells.mean(), rtol=EXACT)
        np.testing.assert_allclose(part.cross, cells.cov() * (len(cells) - 1), rtol=1e-10)
    assert len(sums) == 8


@pytest.mark.parametrize("table", ENGINES, indirect=True)
def test_moments_of_any_variables_from_one_pass(table, frame):
    patterns = PatternMoments.of(table, [*ITEMS, "holed", "holed2"])
    assert patterns.n == len(frame)
    for columns in (["x1", "holed2"], ["holed", "holed2"], ["y2"]):
        wanted = cx.moments(frame, columns)
        result = patterns.select(columns)
        assert (result.n, result.dropped) == (wanted.n, wanted.dropped)
        np.testing.assert_allclose(result.cov, wanted.cov, rtol=EXACT)


@pytest.mark.parametrize("table", ENGINES, indirect=True)
def test_counts_of_values(table, frame):
    counted = value_counts(table, ["x1", "holed"], [7, 1, 99])
    for name in ("x1", "holed"):
        others = frame.loc[~frame[name].isin([1, 7, 99]), name]
        wanted = [(frame[name] == value).sum() for value in (7, 1, 99)]
        assert counted[name].counts.tolist() == wanted
        assert (counted[name].low, counted[name].high) == (others.min(), others.max())


@pytest.mark.parametrize("table", ["duckdb"], indirect=True)
def test_missing_codes_are_counted_by_the_engine(table, frame):
    coded = frame.assign(x1=frame["x1"].where(frame.index % 50 != 0, -99), x2=frame["x2"] - 9)
    lazy = as_engine(coded, "duckdb")
    columns = ["x1", "x2", "x3"]
    wanted = missing_code_notes({name: coded[name].to_numpy() for name in columns})
    assert missing_code_notes_of(lazy, columns) == wanted
    assert len(wanted) == 1
    assert missing_code_notes_of(table, columns) == []


def test_too_many_patterns(frame, monkeypatch):
    monkeypatch.setattr(engine_sums, "MOST_PATTERNS", 3)
    with pytest.raises(cx.DataError, match="more than 3 patterns of missing answers"):
        pattern_sums(frame, ["holed", "x2", "holed2"])


@pytest.fixture(params=["polars lazy", "duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def large(request, frame, monkeypatch):
    """Return a table that is too large to be fetched."""
    spark = request.getfixturevalue("spark") if request.param == "spark" else None
    table = as_engine(frame, request.param, spark)
    monkeypatch.setattr(engines, "MOST_ROWS", 100)
    return table


def test_models_of_a_large_table(large, frame):
    for result, wanted in (
        (cx.sem(MODEL, large), cx.sem(MODEL, frame)),
        (cx.sem(MODEL, large, group="group"), cx.sem(MODEL, frame, group="group")),
        (cx.sem("X =~ holed + x2 + x3 + holed2", large, missing="fiml"),
         cx.sem("X =~ holed + x2 + x3 + holed2", frame, missing="fiml")),
    ):  # fmt: skip
        assert [note.en for note in result.notes] == [note.en for note in wanted.notes]
        np.testing.assert_allclose(
            result.table["estimate"], wanted.table["estimate"], rtol=1e-9, atol=1e-9
        )
    fit = cx.sem(MODEL, large)
    with pytest.raises(cx.DataError, match="at most 100 rows are fetched"):
        fit.bootstrap(50)
    path = cx.pls(MODEL, large)
    wanted = cx.pls(MODEL, frame, n_resamples=20)
    pd.testing.assert_frame_equal(path.paths, wanted.paths, rtol=1e-9)
    np.testing.assert_allclose(path.table["estimate"], wanted.table["estimate"], rtol=1e-9)
    assert path.table["se"].isna().all()
    assert [note.en[:23] for note in path.notes] == ["The table has 600 rows,"]


def test_reliability_of_a_large_table(large, frame):
    frame = frame.assign(x3=8 - frame["x3"])
    large = engines.as_table(large).with_columns(x3=8 - nw.col("x3")).to_native()
    book = cx.Codebook(scale=(1, 7), constructs={"X": ["holed", "x2", "x3"], "Y": ITEMS[3:]},
                       reverse=["x3"])  # fmt: skip
    result, wanted = cx.reliability(large, book), cx.reliability(frame, book, n_resamples=50)
    columns = ["alpha", "alpha_ci_low", "alpha_ci_high", "omega", "cr", "ave", "n", "n_model"]
    np.testing.assert_allclose(
        result.table[columns].to_numpy(float), wanted.table[columns].to_numpy(float), rtol=1e-8
    )
    np.testing.assert_allclose(
        result.htmt["htmt"].to_numpy(float), wanted.htmt["htmt"].to_numpy(float), rtol=1e-9
    )
    assert result.table["alpha_boot_low"].isna().all()
    assert result.notes[0].en.startswith("The table has 600 rows, more than are fetched from")
    assert [note.en for note in result.notes[1:]] == [note.en for note in wanted.notes]
    with pytest.raises(cx.DataError, match="has 600; without being asked"):
        cx.reliability(large, book, weights="w")


def test_drivers_of_a_large_table(large, frame):
    result = cx.drivers(large, "score", ["x1", "x2", "holed"])
    wanted = cx.drivers(cx.moments(frame, ["x1", "x2", "holed", "score"]), "score",
                        ["x1", "x2", "holed"])  # fmt: skip
    pd.testing.assert_frame_equal(result.table, wanted.table, rtol=1e-9)
    assert any("The table has 600 rows" in note.en for note in result.notes)
    with pytest.raises(cx.DataError, match="has 600; without being asked"):
        cx.drivers(large, "score", ["x1", "x2"], by="group")


def test_a_method_that_needs_respondents_says_so(large):
    with pytest.raises(cx.DataError, match=r"cx\.open_table\(table, columns=\[\.\.\.\], collect=T"):
        cx.servqual(large, BOOK, cluster="branch")
    wanted = cx.servqual(answers(), BOOK, cluster="branch").table
    columns = [*BOOK.columns("perception"), *BOOK.columns("expectation"), "branch"]
    rows = cx.open_table(large, columns, collect=True)
    result = cx.servqual(rows, BOOK, cluster="branch").table
    pd.testing.assert_frame_equal(result, wanted, rtol=1e-10)


def test_times_of_a_session_come_on_its_clock(monkeypatch):
    """As SQLFrame gives them: a day that was cut off bears the time zone of the session."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("set TimeZone = 'Asia/Shanghai'")
    days = connection.sql("select cast('2024-03-05 00:00:00+08' as timestamptz) as day")
    monkeypatch.setattr(engines, "engine_of", lambda table: "sqlframe")
    frame = engines.fetched(nw.from_native(days))
    assert frame["day"].tolist() == [pd.Timestamp("2024-03-05")]
