"""The synergy matrix: both readings, weights, layers and judges."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats

import cxstats as cx
from cxstats.core.errors import CxError
from cxstats.satisfaction.reconstructed_formulas import synergy, synergy_weights
from cxstats.scorecards.maturity import LAYERS
from tests.gallery.scorecard import FACTORS, maturity

RUNS = 400


def test_readings_are_those_of_the_formula():
    frame = maturity(1)
    result = cx.maturity_matrix(frame)
    names = dict(zip(FACTORS, synergy_weights(), strict=True))
    layers = [
        dict(zip(map(names.get, frame["factor"]), frame[layer], strict=True)) for layer in LAYERS
    ]
    expected = synergy(*layers).table["estimate"]
    assert result.readings["estimate"].tolist() == pytest.approx(expected.tolist())
    assert list(result.weights.values()) == pytest.approx(list(synergy_weights().values()))
    assert np.isnan(result.readings["ci_low"]).all()
    assert result.weakest is None


def test_intervals_are_students_over_judges():
    frame = maturity(6)
    result = cx.maturity_matrix(frame, judge="judge")
    w = frame["factor"].map(result.weights)
    per_judge = (frame[list(LAYERS)].min(axis=1) * w).groupby(frame["judge"]).sum()
    low, high = stats.t.interval(0.95, 5, per_judge.mean(), per_judge.sem())
    row = result.readings.loc["min"]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))


def test_the_range_over_weights_is_reached_and_never_left():
    frame = maturity(4)
    result = cx.maturity_matrix(frame, judge="judge")
    rng = np.random.default_rng(1)
    for w in [*np.eye(4), *rng.dirichlet(np.ones(4), 20)]:
        other = cx.maturity_matrix(frame, dict(zip(FACTORS, w, strict=True)), judge="judge")
        for name in ("readings", "layers"):
            ours, theirs = getattr(result, name), getattr(other, name)["estimate"]
            assert (theirs >= ours["lowest"] - 1e-9).all()
            assert (theirs <= ours["highest"] + 1e-9).all()
    assert result.by_weights().table.index.tolist()[-1] == "culture"


def test_chinese_names_and_polars_say_the_same():
    frame = maturity(3)
    expected = cx.maturity_matrix(frame, judge="judge").table
    names = cx.maturity_matrix(frame, judge="judge").names
    chinese = frame.assign(factor=[names[name].zh for name in frame["factor"]])
    arrow = frame.convert_dtypes(dtype_backend="pyarrow")
    doubled = frame.set_axis([0] * 12)
    for other in (chinese, pl.from_pandas(frame), frame.convert_dtypes(), arrow, doubled):
        pd.testing.assert_frame_equal(cx.maturity_matrix(other, judge="judge").table, expected)


@pytest.mark.parametrize(("change", "message"), [
    (lambda f: f.assign(culture=6), "row 0, column 'culture': 6; allowed: 1 to 5, see scale"),
    (lambda f: f.assign(culture=np.nan), "row 0, column 'culture': no score"),
    (lambda f: f.assign(culture="high"), "column 'culture': 'high' is not a number"),
    (lambda f: f.drop(columns="culture"), "column 'culture' is not in the table"),
    (lambda f: f[:-1], "judge 'J1' has not scored factor 'open ecosystem'"),
    (lambda f: pd.concat([f, f[-1:]]), "row 7: factor 'open ecosystem' is scored twice by 'J1'"),
    (lambda f: f.assign(factor="x"), "column 'factor': 1 factors; allowed: 2"),
    (lambda f: f.replace("agile iteration", "y"), "weights: printed are those of data-driven"),
    (lambda f: f[:0], "no rows"),
])  # fmt: skip
def test_what_is_wrong_is_named(change, message):
    with pytest.raises(CxError, match=message):
        cx.maturity_matrix(change(maturity(2)), judge="judge")


def test_options_are_checked():
    with pytest.raises(CxError, match="scored twice; name the judges' column"):
        cx.maturity_matrix(maturity(2))
    with pytest.raises(CxError, match=r"scale=\(5, 1\); allowed"):
        cx.maturity_matrix(maturity(1), scale=(5, 1))
    with pytest.raises(CxError, match="they sum to"):
        cx.maturity_matrix(maturity(1), dict.fromkeys(FACTORS, 0.125))


@pytest.mark.slow
@pytest.mark.parametrize("m", [3, 5, 10])
def test_layers_alike_name_no_weakest(m):
    rng = np.random.default_rng(m)
    frame = maturity(m)
    named = 0
    for _ in range(RUNS):
        for layer in LAYERS:
            frame[layer] = np.clip(np.rint(rng.normal(3, 1, len(frame))), 1, 5)
        named += cx.maturity_matrix(frame, judge="judge").weakest is not None
    print(m, named / RUNS)
    assert named / RUNS <= 0.05
