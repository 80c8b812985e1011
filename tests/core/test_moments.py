import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxstats as cx
from cxstats.core import accumulate
from cxstats.core import engines as blocks
from cxstats.core import moments as core_moments
from cxstats.core.moments import (
    bootstrap_moments,
    normal_moments,
    replicate_moments,
    resampling_counts,
)

# Sums of up to 10^4 numbers in double precision, in any order.
EXACT = 1e-12


@pytest.fixture(scope="module")
def frame():
    generator = np.random.default_rng(3)
    part = generator.integers(1, 8, (5_003, 4)).astype("int8")
    table = pd.DataFrame(part, columns=list("abcd"))
    table["x"] = generator.normal(size=len(table))
    table["wave"] = generator.choice(["2023", "2024"], len(table))
    table["w"] = generator.uniform(0, 3, len(table))
    return table


def engines(frame):
    import duckdb
    import polars as pl
    import pyarrow as pa

    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    return {
        "pandas": frame,
        "polars": pl.from_arrow(arrow),
        "polars lazy": pl.from_arrow(arrow).lazy(),
        "pyarrow": arrow,
        "duckdb": duckdb.from_arrow(arrow),
    }


ENGINES = ["pandas", "polars", "polars lazy", "pyarrow", "duckdb"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("columns", [list("abcd"), ["a", "x"]])
def test_every_engine_gives_what_pandas_gives(frame, engine, columns, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 2_000)  # several blocks
    found = cx.moments(engines(frame)[engine], columns)
    np.testing.assert_allclose(found.mean, frame[columns].mean(), rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(found.cov, frame[columns].cov(), rtol=EXACT, atol=EXACT)
    assert (found.n, found.dropped, found.names) == (len(frame), 0, tuple(columns))


@pytest.mark.parametrize("columns", [list("abcd"), ["a", "x"]])
@pytest.mark.parametrize("weights", [None, "w"])
def test_how_many_threads_add_up_changes_no_number(frame, columns, weights, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 2_000)
    holed = frame.assign(x=frame["x"].mask(frame["a"] == 7))
    results = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(core_moments, "THREADS", threads)
        results.append(cx.moments(holed, columns, weights=weights))
    assert results[0].dropped == (0 if "x" not in columns else (frame["a"] == 7).sum())
    for other in results[1:]:
        assert (other.n, other.dropped) == (results[0].n, results[0].dropped)
        np.testing.assert_array_equal(other.mean, results[0].mean)
        np.testing.assert_array_equal(other.cov, results[0].cov)


def test_what_is_wrong_with_a_late_block_is_said(frame, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 2_000)
    infinite = frame[["a", "x"]].copy()
    infinite.loc[len(frame) - 2, "x"] = np.inf
    with pytest.raises(cx.DataError, match="'x' has an infinite value"):
        cx.moments(infinite)


@pytest.mark.parametrize("kind", ["int8", "int16", "int64"])
def test_whole_numbers_are_multiplied_some_cases_at_once(kind, monkeypatch):
    answers = np.random.default_rng(5).integers(-90, 90, (3, 1_000)).astype(kind)
    assert (answers.astype(float) @ answers.T.astype(float)).max() < accumulate.EXACT
    for cases in (1, 7, 999, 1_000, 5_000):
        monkeypatch.setattr(accumulate, "CASES", cases)
        middle, sums, products = accumulate._small_integers(answers)
        off = answers.astype(np.int64) - middle
        np.testing.assert_array_equal(sums, off.sum(axis=1))
        np.testing.assert_array_equal(products, off @ off.T)
    monkeypatch.setattr(accumulate, "CASES", 1_000)
    monkeypatch.setattr(accumulate, "EXACT", int(products.diagonal().max()))
    assert accumulate._small_integers(answers) is None


@pytest.mark.parametrize("engine", ENGINES)
def test_groups(frame, engine):
    found = cx.moments(engines(frame)[engine], ["a", "x"], by="wave")
    assert list(found) == ["2023", "2024"]
    for wave, part in frame.groupby("wave"):
        np.testing.assert_allclose(found[wave].cov, part[["a", "x"]].cov(), rtol=EXACT, atol=EXACT)
        assert found[wave].n == len(part)


@pytest.mark.parametrize("engine", ENGINES)
def test_missing_answers_are_dropped_listwise_and_counted(frame, engine):
    holed = frame[["a", "x", "wave"]].astype({"a": "float64"})
    holed.loc[[0, 7, 9], "a"] = np.nan
    holed.loc[[7, 20], "x"] = np.nan
    holed.loc[30, "wave"] = None
    complete = holed.dropna(subset=["a", "x"])
    found = cx.moments(engines(holed)[engine], ["a", "x"])
    assert (found.n, found.dropped) == (len(complete), 4)
    np.testing.assert_allclose(found.cov, complete[["a", "x"]].cov(), rtol=EXACT, atol=EXACT)
    groups = cx.moments(engines(holed)[engine], ["a", "x"], by="wave")
    assert sum(m.n for m in groups.values()) == len(complete) - 1
    assert all(m.dropped >= 1 for m in groups.values())


def test_nullable_and_boolean_columns():
    frame = pd.DataFrame({"a": pd.array([1, 2, None, 5], "Int64"), "b": [True, False, True, True]})
    found = cx.moments(frame)
    assert (found.n, found.dropped) == (3, 1)
    np.testing.assert_allclose(found.mean, [8 / 3, 2 / 3])


def test_unusual_columns():
    frame = pd.DataFrame({"a": pd.array([True, None, False, True], "boolean"), "b": [1, 2, 3, 5]})
    assert cx.moments(frame).n == 3
    assert cx.moments(pd.DataFrame(np.eye(3))).names == ("0", "1", "2")
    doubled = pd.DataFrame([[1, 2, 3], [4, 5, 9]], columns=["a", "x", "x"])
    assert cx.moments(doubled, ["a"]).n == 2
    large = pd.DataFrame({"a": np.array([2**63 + 2048, 2**63], np.uint64)})
    assert cx.moments(large).cov[0, 0] == pytest.approx(2048**2 / 2)
    days = pd.to_datetime(["2024-01-01"] * 2 + ["2024-02-01"] * 2)
    waves = cx.moments(pd.DataFrame({"a": [1, 2, 3, 5], "day": days}), by="day")
    assert list(waves) == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-01")]


def test_weights(frame):
    found = cx.moments(frame, ["a", "x"], weights="w")
    w = frame["w"].to_numpy()
    expected = np.cov(frame[["a", "x"]].T, aweights=w, ddof=0) * len(w) / (len(w) - 1)
    np.testing.assert_allclose(found.cov, expected, rtol=1e-11, atol=1e-11)
    doubled = cx.moments(frame.assign(w=2 * w), ["a", "x"], weights="w")
    np.testing.assert_allclose(found.cov, doubled.cov, rtol=EXACT, atol=EXACT)
    equal = cx.moments(frame.assign(w=1.0), ["a", "x"], weights="w")
    np.testing.assert_allclose(equal.cov, frame[["a", "x"]].cov(), rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("dtype", ["int64", "float64"])
@pytest.mark.parametrize("offset", [0, 10**6, 10**9])
def test_large_means_do_not_swallow_small_deviations(frame, offset, dtype, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 2_000)
    items = frame[list("abcd")].astype(dtype)
    found = cx.moments(items + offset)
    # The offset and the answers are exact, so nothing but the last digits may be lost.
    np.testing.assert_allclose(found.cov, items.cov(), rtol=1e-9, atol=1e-9)


def test_sorted_data_and_outliers():
    values = np.sort(np.random.default_rng(0).normal(size=30_000)) * 1e3 + 1e8
    values[-1] = 1e10
    found = cx.moments(values[:, None])
    np.testing.assert_allclose(found.cov[0, 0], np.var(values, ddof=1), rtol=1e-12)


def test_large_integers_fall_back_to_double_precision():
    values = np.random.default_rng(0).integers(0, 2**31, (5_000, 2))
    found = cx.moments(values)
    np.testing.assert_allclose(found.cov, np.cov(values.T), rtol=1e-12)


@given(st.permutations(range(12)))
def test_row_order_never_matters(order):
    values = np.arange(24.0).reshape(12, 2) ** 1.5
    one, other = cx.moments(values), cx.moments(values[list(order)])
    np.testing.assert_allclose(one.cov, other.cov, rtol=1e-13)


BAD = [
    (
        lambda: cx.moments(pd.DataFrame({"a": [1, 2], "w": [1, np.inf]}), weights="w"),
        cx.DataError,
        "a weight is inf",
    ),
    (
        lambda: cx.moments(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])),
        cx.DataError,
        "'a' stands twice",
    ),
    (lambda: cx.Moments.from_covariance([], [], 9), cx.CxError, "no names"),
    (lambda: cx.Moments.from_covariance(["a"], [["x"]], 9), cx.CxError, "is not numbers"),
    (lambda: cx.Moments.from_covariance(["a"], [[1]], None), cx.CxError, "n is None"),
    (lambda: cx.moments([1, 2]), cx.DataError, "type 'list' cannot be read"),
    (lambda: cx.moments(np.zeros(3)), cx.DataError, r"shape \(3,\)"),
    (
        lambda: cx.moments(pd.DataFrame({"a": [1, 2]}), ["b"]),
        cx.DataError,
        "'b' is not in the table",
    ),
    (lambda: cx.moments(pd.DataFrame({"a": ["x", "y"]})), cx.DataError, "row 0 has 'x'"),
    (lambda: cx.moments(pd.DataFrame({"a": [1, 2]}), ["a", "a"]), cx.DataError, "asked for twice"),
    (lambda: cx.moments(pd.DataFrame({"a": []}, dtype=float)), cx.DataError, "the table is empty"),
    (lambda: cx.moments(pd.DataFrame({"a": [1.0]})), cx.DataError, "1 complete cases"),
    (lambda: cx.moments(pd.DataFrame({"a": [1, np.inf]})), cx.DataError, "'a' has an infinite"),
    (
        lambda: cx.moments(pd.DataFrame({"a": [1, 2], "w": [1, -1]}), weights="w"),
        cx.DataError,
        "a weight is -1",
    ),
    (lambda: cx.moments(pd.DataFrame({"g": ["x"]}), by="g"), cx.DataError, "no columns"),
    (lambda: cx.Moments.from_covariance(["a", "b"], [[1], [2, 3, 4]], 9), cx.CxError, r"\[1, 3\]"),
    (lambda: cx.Moments.from_covariance(["a"], [[-1]], 9), cx.CxError, "variance of 'a' is -1"),
    (lambda: cx.Moments.from_covariance(["a"], [[1]], 1), cx.CxError, "n is 1"),
    (
        lambda: cx.Moments.from_covariance(["a", "b"], [[1, 0.2], [0.3, 1]], 9),
        cx.CxError,
        "not symmetric",
    ),
    (
        lambda: cx.Moments.from_correlation(list("abc"), [[1], [0.9, 1], [0.9, -0.9, 1]], 9),
        cx.CxError,
        "smallest eigenvalue",
    ),
    (lambda: cx.Moments.from_correlation(["a"], [[0.9]], 9), cx.CxError, "'a' with itself is 0.9"),
    (lambda: cx.Moments.from_correlation(["a"], [[1]], 9, sd=[0]), cx.CxError, "larger than 0"),
    (
        lambda: cx.Moments.from_covariance(["a", "a"], np.eye(2), 9),
        cx.CxError,
        "'a' is named twice",
    ),
    (lambda: cx.bootstrap_moments([[1.0], [np.nan]], 5, 1), cx.CxError, "nothing missing"),
    (lambda: cx.bootstrap_moments([[1.0], [2.0]], 0, 1), cx.CxError, "n_resamples is 0"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_moments_are_frozen_and_selectable():
    m = cx.Moments.from_correlation(list("abc"), [[1], [0.5, 1], [0.2, 0.3, 1]], 50, sd=[1, 2, 3])
    assert m.select(["c", "a"]).cov[0, 1] == pytest.approx(0.2 * 3)
    with pytest.raises(ValueError, match="read-only"):
        m.cov[0, 0] = 9
    with pytest.raises(cx.CxError, match="no variable 'z'; there are: a, b, c"):
        m.select(["z"])
    assert m.table.loc["b", "sd"] == 2


def test_replicates_are_those_of_drawn_samples():
    data = np.random.default_rng(1).normal(size=(40, 3)) + 1e6
    found = bootstrap_moments(data, 25, seed=7)
    ((_, counts),) = resampling_counts(40, 25, 7)
    for i, count in enumerate(counts.astype(int)):
        drawn = np.repeat(data, count, axis=0)
        np.testing.assert_allclose(found.mean[i], drawn.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.cov[i], np.cov(drawn.T), rtol=1e-8, atol=1e-9)


def test_chunks_and_seed_do_not_show(monkeypatch):
    data = np.random.default_rng(1).normal(size=(60, 3))
    whole = bootstrap_moments(data, 50, seed=7)
    module = sys.modules["cxstats.core.moments"]  # ``cx.moments`` is the function
    monkeypatch.setattr(module, "PRODUCTS", 200)
    monkeypatch.setattr(module, "GATHERED", 700)
    monkeypatch.setattr(module, "ROWS", 7)
    np.testing.assert_allclose(
        bootstrap_moments(data, 50, seed=7).cov, whole.cov, rtol=1e-10, atol=1e-12
    )
    assert not np.allclose(bootstrap_moments(data, 50, seed=8).cov, whole.cov)


@settings(max_examples=20)
@given(st.integers(2, 60), st.integers(1, 40), st.integers(0, 1000))
def test_every_resample_has_n_cases(n, b, seed):
    parts = list(resampling_counts(n, b, seed))
    counts = np.concatenate([part for _, part in parts])
    assert counts.shape == (b, n)
    assert (counts.sum(axis=1) == n).all()


def answers_of_many(n, seed):
    """Skewed answers from 1 to 10, one that is 0 or 1, and one that does not vary."""
    generator = np.random.default_rng(seed)
    factor = generator.normal(size=(n, 1))
    answers = np.round(7.5 + 1.5 * factor - 0.5 * factor**2 + generator.normal(size=(n, 3)))
    pair = (factor > 1) + np.zeros((n, 1))
    return np.concatenate([np.clip(answers, 1, 10), pair, np.full((n, 1), 4.0)], axis=1)


def test_normal_moments_vary_as_those_of_resampled_cases():
    """4,000 replicates each: a standard deviation has an error of 1.1 %, a correlation of .016."""
    data = answers_of_many(3_000, 4)
    resampled, drawn = (call(data, 4_000, 1) for call in (bootstrap_moments, normal_moments))
    row, column = np.tril_indices(4)
    sets = [
        np.concatenate([r.mean[:, :4], r.cov[:, row, column]], axis=1) for r in (resampled, drawn)
    ]
    spread = [values.std(axis=0) for values in sets]
    np.testing.assert_allclose(spread[1], spread[0], rtol=0.07)
    assert np.mean(spread[1] / spread[0]) == pytest.approx(1, abs=0.02)
    gap = (sets[1].mean(axis=0) - sets[0].mean(axis=0)) / spread[0]
    assert np.abs(gap).max() < 0.1
    apart = np.corrcoef(sets[1].T) - np.corrcoef(sets[0].T)
    assert np.abs(apart).max() < 0.1
    assert np.abs(drawn.cov[:, 4]).max() < 1e-12
    np.testing.assert_allclose(drawn.mean[:, 4], 4, rtol=1e-12)
    assert (drawn.cov == drawn.cov.swapaxes(1, 2)).all()


def test_normal_moments_against_theory():
    """Normal variables: var(s_jk) = (s_jj s_kk + s_jk^2) / n, uncorrelated with the means."""
    sigma = np.array([[4.0, 1.2], [1.2, 1.0]])
    data = np.random.default_rng(0).multivariate_normal([5, 100], sigma, 50_000)
    drawn = normal_moments(data, 20_000, seed=3)
    expected = np.sqrt((np.outer(np.diag(sigma), np.diag(sigma)) + sigma**2) / 50_000)
    np.testing.assert_allclose(drawn.cov.std(axis=0), expected, rtol=0.03)
    np.testing.assert_allclose(drawn.mean.std(axis=0), np.sqrt(np.diag(sigma) / 5e4), rtol=0.03)
    assert abs(np.corrcoef(drawn.mean[:, 0], drawn.cov[:, 0, 0])[0, 1]) < 0.05
    np.testing.assert_allclose(drawn.cov.mean(axis=0), np.cov(data.T), rtol=1e-3)


def test_many_cases_have_their_moments_drawn(monkeypatch):
    data = answers_of_many(400, 2)
    assert not replicate_moments(data, 5, 1).normal
    monkeypatch.setattr(sys.modules["cxstats.core.moments"], "LARGE", 399)
    found, expected = replicate_moments(data, 5, [1, 0]), normal_moments(data, 5, [1, 0])
    assert found.normal
    np.testing.assert_array_equal(found.cov, expected.cov)
    np.testing.assert_array_equal(normal_moments(data, 3, [1, 0]).mean, expected.mean[:3])
    with pytest.raises(cx.CxError, match="nothing missing"):
        normal_moments([[1.0], [np.nan]], 5, 1)
    with pytest.raises(cx.CxError, match="n_resamples is 0"):
        normal_moments(data, 0, 1)


@pytest.mark.parametrize("kind", ["plain", "weighted", "integers"])
def test_moments_of_many_groups_are_those_of_each(kind, monkeypatch):
    """Small and large groups, over several blocks, with gaps and rows without a group."""
    generator = np.random.default_rng(4)
    n = 9_000
    frame = pd.DataFrame(generator.integers(1, 8, (n, 3)), columns=list("abc")) + 1_000
    frame["g"] = np.where(
        generator.random(n) < 0.4, "big", generator.integers(0, 900, n).astype(str)
    )
    weights = None
    if kind != "integers":
        frame[["a", "b"]] = frame[["a", "b"]].mask(generator.random((n, 2)) < 0.05)
        frame["g"] = frame["g"].mask(generator.random(n) < 0.02)
    if kind == "weighted":
        frame["w"], weights = generator.lognormal(size=n), "w"
    monkeypatch.setattr(blocks, "BLOCK", 6_000)
    grouped = cx.moments(frame, list("abc"), by="g", weights=weights)
    assert set(grouped) == set(frame["g"].dropna())
    for group, ours in grouped.items():
        rows = frame[frame["g"] == group].drop(columns="g")
        if ours.notes:
            assert len(rows.dropna()) < 2
            continue
        alone = cx.moments(rows, list("abc"), weights=weights)
        assert (ours.n, ours.dropped - int(frame["g"].isna().sum())) == (alone.n, alone.dropped)
        np.testing.assert_allclose(ours.mean, alone.mean, rtol=1e-13)
        np.testing.assert_allclose(ours.cov, alone.cov, rtol=1e-9, atol=1e-10)


def test_groups_of_many_are_sorted_once_a_block(monkeypatch):
    """The work is one sort for a block, not a mask for each group."""
    sorts = []
    plain = np.argsort
    monkeypatch.setattr(np, "argsort", lambda *a, **k: sorts.append(1) or plain(*a, **k))
    frame = pd.DataFrame({"x": np.arange(6_000.0), "g": np.arange(6_000) // 3})
    assert len(cx.moments(frame, by="g")) == 2_000
    assert len(sorts) == 1


def test_a_group_of_one_case_is_empty_and_says_so():
    frame = pd.DataFrame({"a": [1, 2, 3.0, 5], "g": ["x", "x", "y", "z"], "w": [1, 2, 1, 0]})
    grouped = cx.moments(frame, ["a"], by="g")
    assert grouped["x"].n == 2
    assert not grouped["x"].notes
    assert grouped["x"].cov[0, 0] == pytest.approx(0.5)
    empty = grouped["y"]
    assert empty.n == 1
    assert np.isnan(empty.mean).all()
    assert np.isnan(empty.cov).all()
    assert "group 'y': 1 complete cases" in empty.notes[0].en
    assert "“y”组" in empty.notes[0].zh
    twice = pd.concat([frame, frame[frame["g"] == "z"]])
    weighted = cx.moments(twice, ["a"], by="g", weights="w")
    assert "add up to 0" in weighted["z"].notes[0].en
    with pytest.raises(cx.DataError, match="group 'y': 1 complete cases"):
        cx.sem("a ~~ a", frame, group="g")
