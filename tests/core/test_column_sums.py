"""Sums of powers and counts of values by the engine, against numpy."""

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from cxstats.core.column_sums import column_sums
from cxstats.core.value_counts import distinct_values
from tests.core.engine_tables import ENGINES, as_engine

EXACT = 1e-12  # sums of some hundred numbers, in any order
N = 400


def columns():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "gap": (rng.integers(-12, 7, N) / 3),
            "far": 1e6 + rng.integers(0, 4, N) / 2,
            "same": np.full(N, 0.1),
            "group": rng.choice(["a", "b", "c"], N),
        }
    )
    frame.loc[rng.random(N) < 0.2, "gap"] = np.nan
    frame["empty"] = np.nan
    frame.loc[:4, "group"] = None
    return frame


@pytest.fixture
def table(request):
    spark = request.getfixturevalue("spark") if request.param == "spark" else None
    native = nw.from_native(as_engine(columns(), request.param, spark)).lazy()
    names = ("gap", "far", "same", "empty")
    return native.with_columns(
        *(nw.when(~nw.col(name).is_nan()).then(nw.col(name).cast(nw.Float64)) for name in names)
    )


@pytest.mark.parametrize("table", ENGINES, indirect=True)
@pytest.mark.parametrize("by", [None, "group"])
def test_powers_around_the_mean(table, by):
    names = ["gap", "far", "same", "empty"]
    sums = column_sums(table, dict.fromkeys(names, 3), by)
    frame = columns()
    parts = {None: frame} if by is None else dict(list(frame.groupby("group", dropna=False)))
    assert len(sums) == len(parts)
    for group, part in parts.items():
        result = sums[None if pd.isna(group) else group]
        assert result.rows == len(part)
        x = part[names]
        np.testing.assert_array_equal(result.n, x.count())
        np.testing.assert_allclose(result.mean, x.mean(), rtol=EXACT)
        off = x - x.mean()
        np.testing.assert_allclose(result.squares[:2], (off**2).sum()[:2], rtol=1e-10)
        cubes = (off**3).sum()[:2]
        np.testing.assert_allclose(result.cubes[:2], cubes, rtol=1e-9, atol=1e-9)
        assert result.squares[2] == result.cubes[2] == 0
        assert np.isnan([result.mean[3], result.squares[3], result.low[3]]).all()
        np.testing.assert_array_equal(result.low, x.min())
        np.testing.assert_array_equal(result.high, x.max())
        np.testing.assert_allclose(result.variance[:2], x.var()[:2], rtol=1e-10)


@pytest.mark.parametrize("table", ENGINES, indirect=True)
def test_values_and_how_often_they_occur(table):
    counts = distinct_values(table, ["gap", "empty"])
    wanted = columns()["gap"].round(9).value_counts().sort_index()
    values, n = counts["gap"]
    by_value = pd.Series(n).groupby(values.round(9)).sum()
    np.testing.assert_array_equal(by_value.index, wanted.index)
    np.testing.assert_array_equal(by_value, wanted)
    assert len(counts["empty"][0]) == 0
    assert distinct_values(table, ["gap"], most=5) is None
