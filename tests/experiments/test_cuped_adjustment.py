"""CUPED against regression, in simulation, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from cxstats.core.errors import CxError, DataError
from cxstats.experiments import ab_test, cuped
from tests.experiments.test_ab_tests import made
from tests.references import close, reference, value

REFERENCE = reference("experiments")
GIVEN = {"outcome": "y", "group": "group", "control": "a"}


def experiment(n, rho, effect=0.0, seed=1):
    """Return an experiment whose covariate correlates with the outcome by rho within groups."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=n)
    y = rho * x + np.sqrt(1 - rho**2) * draw.normal(size=n)
    group = draw.permutation(np.repeat(["a", "b"], n // 2))
    return pd.DataFrame({"group": group, "x": x, "y": y + effect * (group == "b")})


def test_differences_are_those_of_ancova():
    found = cuped(made(), **GIVEN, covariates=["x1", "x2"])
    table = found.table.set_index("variant")
    for name in ("b", "c"):
        close(table.loc[name, "estimate"], value(REFERENCE, case="ancova", name=name), 1e-10)
    expected = [value(REFERENCE, case="ancova", name=f"theta{i}") for i in (1, 2)]
    close(found.covariates["theta"], expected, 1e-10)


def test_errors_are_those_of_ancova_when_variances_are_equal():
    """Ours have a variance per group; mirrored residuals make these equal."""
    x = np.tile(np.arange(10.0), 2) + np.repeat([0, 0.5], 10)
    residual = np.tile(np.array([1, -2, 3, -1, 0, 2, -3, 1, -2, 1.0]), 2)
    group = np.repeat(["a", "b"], 10)
    frame = pd.DataFrame({"group": group, "x": x, "y": 2 * x + residual + (group == "b")})
    row = cuped(frame, **GIVEN, covariates="x").table.iloc[0]
    theirs = smf.ols("y ~ group + x", frame).fit()
    close(row["estimate"], theirs.params["group[T.b]"], 1e-12)
    close(row["se"], theirs.bse["group[T.b]"], 1e-12)
    close(row["df"], theirs.df_resid, 1e-12)
    close(row["p_value"], theirs.pvalues["group[T.b]"], 1e-12)


def test_unadjusted_columns_are_welchs():
    row = cuped(made(), **GIVEN, covariates="x1").table.iloc[0]
    plain = ab_test(made(), outcome="y", group="group", control="a", metric="mean").table.iloc[0]
    columns = {"unadjusted": "estimate", "unadjusted_se": "se", "unadjusted_low": "ci_low"}
    for ours, theirs in columns.items():
        close(row[ours], plain[theirs], 1e-12)


def test_shift_and_scale():
    one = cuped(made(), **GIVEN, covariates=["x1", "x2"])
    moved = made().assign(x1=lambda f: 5 - 3 * f["x1"], y=lambda f: 10 + 2 * f["y"])
    two = cuped(moved, **GIVEN, covariates=["x2", "x1"])
    for column in ("estimate", "se", "ci_low"):
        close(two.table[column], 2 * one.table[column], 1e-10)
    close(two.table["p_value"], one.table["p_value"], 1e-10)


def test_swapping_turns_the_sign():
    frame = experiment(400, 0.6, 0.2)
    one = cuped(frame, **GIVEN, covariates="x").table.iloc[0]
    two = cuped(frame, **GIVEN | {"control": "b"}, covariates="x").table.iloc[0]
    close([one["estimate"], one["ci_low"]], [-two["estimate"], -two["ci_high"]], 1e-12)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_variance_falls_by_the_squared_correlation(rho):
    found = cuped(experiment(40_000, rho), **GIVEN, covariates="x")
    assert found.r_squared == pytest.approx(rho**2, abs=0.012)
    assert found.table["variance_reduction"].iloc[0] == pytest.approx(rho**2, abs=0.012)


def test_units_without_history_stay():
    frame = experiment(2000, 0.7, 0.1)
    frame.loc[frame.sample(frac=0.2, random_state=2).index, "x"] = np.nan
    found = cuped(frame, **GIVEN, covariates="x")
    assert found.n == 2000
    assert found.covariates["covariate"].tolist() == ["x", "x (missing)"]
    assert any("400 units have no x" in note.en for note in found.notes)
    assert "x（缺失标记）" in found.summary("zh")
    filled = frame.assign(m=frame["x"].isna() * 1.0, x=frame["x"].fillna(frame["x"].mean()))
    theirs = smf.ols("y ~ group + x + m", filled).fit()
    close(found.table["estimate"].iloc[0], theirs.params["group[T.b]"], 1e-10)


def test_proportion_and_nps_are_read_as_their_means():
    draw = np.random.default_rng(3)
    frame = experiment(1000, 0.5)
    frame["bought"], frame["score"] = draw.random(1000) < 0.3, draw.integers(0, 11, 1000)
    share = cuped(frame, **GIVEN | {"outcome": "bought"}, covariates="x", metric="proportion")
    plain = ab_test(frame, outcome="bought", group="group", control="a").table
    close(share.table["unadjusted"], plain["estimate"], 1e-12)
    nps = cuped(frame, **GIVEN | {"outcome": "score"}, covariates="x", metric="nps")
    plain = ab_test(frame, outcome="score", group="group", control="a", metric="nps").table
    close(nps.table["unadjusted"], plain["estimate"], 1e-10)
    for lang in ("en", "zh"):
        assert share.summary(lang) != nps.summary(lang)
        nps.plot(lang=lang)
    assert "<table" in nps._repr_html_()


def test_a_covariate_that_the_treatment_moved_is_refused():
    frame = experiment(2000, 0.5).assign(x=lambda f: f["x"] + 0.5 * (f["group"] == "b"))
    with pytest.raises(DataError, match=r"covariate 'x' differs between the groups \(p < .001"):
        cuped(frame, **GIVEN, covariates="x")
    noted = cuped(frame, **GIVEN, covariates="x", imbalance="note")
    assert any("covariate x differs" in note.en for note in noted.notes)


def test_bad_input():
    frame = experiment(100, 0.5)
    with pytest.raises(DataError, match="column 'before' is not in the table"):
        cuped(frame, **GIVEN, covariates="before")
    with pytest.raises(DataError, match="covariate 'one' does not vary"):
        cuped(frame.assign(one=1), **GIVEN, covariates="one")
    with pytest.raises(DataError, match="covariate 'twice' repeats"):
        cuped(frame.assign(twice=2 * frame["x"] + 1), **GIVEN, covariates=["x", "twice"])
    with pytest.raises(DataError, match="covariate 'none' has no values"):
        cuped(frame.assign(none=np.nan), **GIVEN, covariates="none")
    with pytest.raises(DataError, match="control='z' is not a group"):
        cuped(frame, **GIVEN | {"control": "z"}, covariates="x")
    with pytest.raises(DataError, match="is not a number"):
        cuped(frame.assign(x="high"), **GIVEN, covariates="x")
    with pytest.raises(CxError, match="not the outcome"):
        cuped(frame, **GIVEN, covariates=["x", "y"])
    with pytest.raises(CxError, match="at least one"):
        cuped(frame, **GIVEN, covariates=[])
    with pytest.raises(CxError, match="imbalance='ignore'"):
        cuped(frame, **GIVEN, covariates="x", imbalance="ignore")
    with pytest.raises(DataError, match="too few for a variance"):
        cuped(frame.groupby("group").head(1), **GIVEN, covariates="x")
    gone = frame.assign(y=frame["y"].mask(frame["group"] == "b"))
    with pytest.raises(DataError, match="group 'b' is empty"):
        cuped(gone, **GIVEN, covariates="x")
