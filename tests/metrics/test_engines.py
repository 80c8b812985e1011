"""The same numbers from every engine, and clear words on input that cannot be used."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from cxstats import metrics
from cxstats.core.errors import CxError, DataError

SAME = 1e-12
ENGINES = {
    "polars": pl.from_pandas,
    "polars lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "duckdb": lambda frame: duckdb.connect().from_df(frame),
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "pandas arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
}
CALLS = {
    "nps": lambda t: metrics.nps(t, ["segment", "week"], column="score"),
    "nps weighted": lambda t: metrics.nps(t, "segment", column="score", weights="weight"),
    "nps one group": lambda t: metrics.nps(t, column="score"),
    "csat mean": lambda t: metrics.csat(t, "week", column="score", kind="mean", scale=(0, 10)),
    "csat weighted": lambda t: metrics.csat(
        t, "week", column="score", scale=(0, 10), weights="weight"
    ),
    "arpu": lambda t: metrics.arpu(t, "segment", column="revenue"),
    "arpu drawn": lambda t: metrics.arpu(
        t, "segment", column="revenue", interval="bca", n_resamples=200
    ),
    "rate": lambda t: metrics.rate(t, by="week", column="solved"),
}


def table(n=3_000, seed=3):
    generator = np.random.default_rng(seed)
    score = generator.integers(0, 11, n).astype(float)
    score[::37] = np.nan
    segment = generator.choice(["North", "South", "West"], n).astype(object)
    segment[::101] = None
    return pd.DataFrame(
        {
            "score": score,
            "segment": segment,
            "week": pd.Timestamp("2026-01-05")
            + pd.to_timedelta(7 * generator.integers(0, 4, n), "D"),
            "weight": generator.uniform(0.3, 2, n),
            "revenue": generator.lognormal(3, 1, n),
            "solved": generator.random(n) < 0.7,
        }
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("call", CALLS)
def test_every_engine_gives_the_numbers_of_pandas(engine, call):
    frame = table()
    expected, found = CALLS[call](frame), CALLS[call](ENGINES[engine](frame))
    by = list(expected.by)
    assert [tuple(map(str, row)) for row in found.table[by].to_numpy()] == [
        tuple(map(str, row)) for row in expected.table[by].to_numpy()
    ]
    rest = [name for name in expected.table if name not in by]
    assert list(found.table.columns) == [*by, *rest]
    assert np.allclose(
        found.table[rest].astype(float),
        expected.table[rest].astype(float),
        rtol=SAME,
        atol=SAME,
        equal_nan=True,
    )
    assert found.notes == expected.notes


def test_counts_by_hand():
    frame = table()
    found = metrics.nps(frame, ["segment", "week"], column="score").table
    row = found.iloc[5]
    part = frame[(frame["segment"] == row["segment"]) & (frame["week"] == row["week"])]
    assert row["promoters"] == (part["score"] >= 9).sum()
    assert row["detractors"] == (part["score"] <= 6).sum()
    assert row["n"] == part["score"].notna().sum()
    assert row["n_missing"] == part["score"].isna().sum()


def test_rows_without_a_group_and_without_an_answer_are_counted():
    frame = table()
    found = metrics.nps(frame, "segment", column="score")
    no_group = frame["segment"].isna() & frame["score"].notna()
    assert f"{no_group.sum()} answers are in no group" in " ".join(note.en for note in found.notes)
    assert found.n == frame["score"].notna().sum()
    assert found.table["n"].sum() + no_group.sum() == found.n


def test_groups_without_answers_stay_visible():
    found = metrics.nps([9, 3, None, None], list("aabb"))
    assert found.table["n"].to_list() == [2, 0]
    assert np.isnan(found.table["estimate"][1])
    assert "1 group has no answers" in " ".join(note.en for note in found.notes)


def test_one_column_of_every_kind():
    scores = [10, 9, 7, 3]
    for given in (
        np.array(scores),
        pd.Series(scores),
        pl.Series(scores),
        pa.chunked_array([scores]),
    ):
        assert metrics.nps(given).table["estimate"][0] == 25
    by = pd.Series(list("aabb"), name="region")
    assert metrics.nps(scores, by).by == ("region",)
    two = metrics.nps(scores, {"region": list("aabb"), "wave": [1, 2, 1, 2]})
    assert two.by == ("region", "wave")
    assert metrics.nps(pd.Series(scores, index=list("wxyz")), list("aabb")).by == ("group",)


def test_synthetic_frames_are_known():
    frame = table()
    frame.attrs["synthetic"] = True
    assert metrics.nps(frame, column="score").synthetic
    assert not metrics.nps(table(), column="score").synthetic


WRONG = {
    "off the scale": (11, "11 is off the scale; allowed: whole numbers from 0 to 10"),
    "below": (-1, "-1 is off the scale"),
    "between": (7.5, "7.5 is between two points"),
    "infinite": (np.inf, "inf is off the scale"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_answers_off_the_scale_are_named(wrong):
    value, said = WRONG[wrong]
    frame = pd.DataFrame({"score": [9.0, 8, value, 3, value], "group": list("aabbb")})
    frame.index = list("vwxyz")
    with pytest.raises(DataError, match=f"row 'x', column 'score': {said}"):
        metrics.nps(frame, "group", column="score")
    with pytest.raises(DataError, match=f"row 2, column 'scores': {said}"):
        metrics.nps(frame["score"].to_numpy())
    for engine in ("polars", "polars lazy", "pyarrow"):
        with pytest.raises(DataError, match=f"row 2, column 'score': {said}"):
            metrics.nps(ENGINES[engine](frame), "group", column="score")
    with pytest.raises(DataError, match=f"group 'b', column 'score': {said}"):
        metrics.nps(ENGINES["duckdb"](frame), "group", column="score")


def test_nan_in_polars_and_duckdb_is_missing():
    scores = pl.DataFrame({"score": [9.0, float("nan"), None, 3.0]})
    for given in (scores, scores.lazy(), duckdb.sql("select * from scores")):
        found = metrics.nps(given, column="score").table.iloc[0]
        assert (found["n"], found["n_missing"], found["estimate"]) == (2, 2, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_wrong_weights_are_named(engine):
    frame = table(50).assign(group="a")
    for value, said in ((-1.0, "-1"), (np.nan, "missing"), (np.inf, "inf")):
        frame.loc[7, "weight"] = value
        with pytest.raises(DataError, match=f"column 'weight': the weight is {said}; allowed"):
            metrics.nps(ENGINES[engine](frame), "group", column="score", weights="weight")
    frame["weight"] = 0.0
    with pytest.raises(DataError, match=r"weights of group \('a',\) add up to 0"):
        metrics.nps(ENGINES[engine](frame), "group", column="score", weights="weight")


def test_mixed_types_are_named():
    with pytest.raises(DataError, match="row 1, column 'scores': 'nine' is not a number"):
        metrics.nps([10, "nine", 3])
    with pytest.raises(
        DataError, match="row 0, column 'scores': '9' is text that reads as a number"
    ):
        metrics.nps(["9", "10"])
    with pytest.raises(DataError, match="holds true and false"):
        metrics.nps([True, False])
    texts = pd.DataFrame({"score": ["9", "x"]})
    for engine in ("polars", "polars lazy", "duckdb", "pyarrow"):
        with pytest.raises(DataError, match=r"column 'score' holds no numbers .*: '9'; allowed"):
            metrics.nps(ENGINES[engine](texts), column="score")
    with pytest.raises(DataError, match="2 is off the scale; allowed: whole numbers from 0 to 1"):
        metrics.churn_rate([0, 1, 2])


def test_nothing_to_count():
    for given in ([], [None, None], [np.nan]):
        with pytest.raises(DataError, match=r"no rows|no answers"):
            metrics.nps(given)
    empty = pd.DataFrame({"score": pd.Series([], dtype=float), "group": pd.Series([], dtype=str)})
    for engine in ("polars", "polars lazy", "duckdb", "pyarrow"):
        with pytest.raises(DataError, match="the table has no rows"):
            metrics.nps(ENGINES[engine](empty), column="score")
        with pytest.raises(DataError, match="the table has no rows"):
            metrics.nps(ENGINES[engine](empty), "group", column="score")
    with pytest.raises(DataError, match="no answers: promoters, passives and detractors are all 0"):
        metrics.nps_from_counts(0, 0, 0)
    with pytest.raises(DataError, match="no trials"):
        metrics.rate(0, 0)
    with pytest.raises(DataError, match="no answers: every count is 0"):
        metrics.csat_from_counts({5: 0})
    with pytest.raises(DataError, match="no row has a group in 'group'"):
        metrics.nps(pd.DataFrame({"score": [9], "group": [None]}), "group", column="score")


def test_wrong_columns_are_named():
    frame = table()
    with pytest.raises(DataError, match="column 'nps' is not in the table; columns: score"):
        metrics.nps(frame, column="nps")
    with pytest.raises(DataError, match="column 'region' is not in the table"):
        metrics.nps(ENGINES["duckdb"](frame), "region", column="score")
    with pytest.raises(DataError, match="column 'score' is asked for twice"):
        metrics.nps(frame, "score", column="score")
    for engine in ENGINES.values():
        with pytest.raises(CxError, match="name that of the answers with column="):
            metrics.nps(engine(frame))
    with pytest.raises(CxError, match="give the groups of these answers"):
        metrics.nps(frame["score"], "segment")
    with pytest.raises(DataError, match="has 2 values for 3 answers"):
        metrics.nps([1, 2, 3], weights=[1, 2])
    with pytest.raises(DataError, match="different row labels"):
        metrics.nps(pd.Series([1, 2]), pd.Series(["a", "b"], index=[5, 6]))
    with pytest.raises(DataError, match="5 is not a column of answers"):
        metrics.nps(5)
    with pytest.raises(DataError, match="of type 'dict' cannot be read"):
        metrics.nps({"score": [1]}, column="score")


@pytest.mark.parametrize("value", [-1, 2.5, np.nan, "3", True, None, np.inf])
def test_counts_that_are_none(value):
    with pytest.raises(DataError, match=r"'passives'.*is no count; allowed: 0, 1, 2"):
        metrics.nps_from_counts([5, 5], [3, value], [1, 1])
    with pytest.raises(DataError, match=r"is no count|no counts|not a column"):
        metrics.rate(value, 10)


def test_counts_that_do_not_fit():
    with pytest.raises(DataError, match="12 events of 10 trials"):
        metrics.rate(12, 10)
    with pytest.raises(DataError, match=r"group \('b',\): 12 events of 10"):
        metrics.rate({"a": 1, "b": 12}, {"a": 10, "b": 10})
    with pytest.raises(DataError, match="counts of different lengths"):
        metrics.nps_from_counts([1, 2], [1, 2, 3], [1, 2])
    with pytest.raises(DataError, match="'trials' is for other groups than 'events'"):
        metrics.rate({"a": 1, "b": 2}, {"a": 10, "c": 10})
    with pytest.raises(DataError, match=r"group \('a',\) stands twice"):
        metrics.rate([1, 2], [5, 5], by=["a", "a"])
    with pytest.raises(DataError, match="names 3 groups; there are 2 counts"):
        metrics.rate([1, 2], [5, 5], by=list("abc"))
    with pytest.raises(DataError, match="5 events of how many"):
        metrics.rate(5)
    with pytest.raises(DataError, match="counts of the answer 6; allowed: points from 1 to 5"):
        metrics.csat_from_counts({6: 3})


def test_counts_are_named_by_their_index():
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["segment", "wave"])
    found = metrics.rate(pd.Series([1, 2], index), pd.Series([5, 5], index))
    assert found.by == ("segment", "wave")
    assert found.table["wave"].to_list() == [1, 2]


def test_wrong_options_are_named():
    with pytest.raises(CxError, match="direction='easy'; allowed: 'effort'"):
        metrics.ces([1, 2], "easy")
    with pytest.raises(CxError, match="kind='box'; allowed: 'top_box'"):
        metrics.csat([1, 2], kind="box")
    with pytest.raises(CxError, match=r"scale=\(5, 1\)"):
        metrics.csat([1, 2], scale=(5, 1))
    with pytest.raises(CxError, match="interval='t'; allowed: 'wilson'"):
        metrics.csat([1, 2], interval="t")
    with pytest.raises(CxError, match="'bca' resamples answers"):
        metrics.csat_from_counts({5: 3, 4: 1}, kind="mean", interval="bca")
    with pytest.raises(DataError, match="-3 is not allowed; allowed: finite numbers from 0"):
        metrics.waiting_time([5.0, -3.0])
    with pytest.raises(DataError, match="costs add up to 0"):
        metrics.roi([1, 2], [0, 0])
    with pytest.raises(DataError, match="row 1, column 'gain': missing"):
        metrics.roi([1, np.nan], [1, 1])
    with pytest.raises(DataError, match=r"different lengths: {.mean.: 1, .sd.: 1, .n.: 2}"):
        metrics.mean_from_summary(1.0, 1.0, [5, 6])
    with pytest.raises(CxError, match="detractors up to 9"):
        metrics.Bands("wrong", (0, 10), 9, 9, "")
