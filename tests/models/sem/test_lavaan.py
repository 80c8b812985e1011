"""Against lavaan: every case of tests/reference/sem.R, polished to gradients of 1e-14."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from tests.references import FOLDER, data, reference

# The references are good to 1e-12, observed errors and those of the standardised solution to 1e-9
# (sem.R says why); what is left is rounding in information matrices with condition 1e4.
ESTIMATE, ERROR, INDEX = 1e-7, 1e-7, 1e-8
# lavaan takes second derivatives of F, not of the Lagrangian, under an equation that is curved.
CURVED = "holzinger_nonlinear"
CASES = reference("sem_cases").set_index("case")
INDICES = {
    "npar": "n_parameters", "chisq": "chisq", "df": "df", "pvalue": "p_value",
    "baseline.chisq": "baseline_chisq", "baseline.df": "baseline_df", "cfi": "cfi", "tli": "tli",
    "rmsea": "rmsea", "rmsea.ci.lower": "rmsea_ci_low", "rmsea.ci.upper": "rmsea_ci_high",
    "rmsea.pvalue": "rmsea_p", "srmr": "srmr", "gfi": "gfi", "logl": "loglik",
    "unrestricted.logl": "saturated_loglik", "aic": "aic", "bic": "bic", "bic2": "bic_adjusted",
    "ntotal": "n",
}  # fmt: skip


@cache
def fitted(case, information="expected"):
    row = CASES.loc[case]
    text = (FOLDER / "sem_models" / f"{row['model']}.lav").read_text(encoding="utf-8")
    frame = data(row["data"])[0]
    options = {"std_lv": row["std_lv"] in (True, "TRUE"), "information": information}
    if row["meanstructure"] == "TRUE":
        options["means"] = True
    if row["group"]:
        options["group"] = row["group"]
    if row["input"] == "cov":
        columns = [name for name in frame if name in text]
        frame = cx.moments(frame, columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return getattr(cx, row["function"])(text, frame, **options)


def lavaan(name, case):
    table = reference(name)
    return table[table["case"] == case]


def number(column):
    return pd.to_numeric(column, errors="coerce").to_numpy(float)


@cache
def beside(case, information="expected"):
    """Return our table and lavaan's, row by row."""
    fit = fitted(case, information)
    theirs = lavaan("sem_estimates", case).copy()
    ours = fit.table.copy()
    groups = {name: i + 1 for i, name in enumerate(fit.sample.groups)}
    place = [groups.get(name, 1) for name in ours["group"]]
    ours["group"] = np.where(ours["op"] == ":=", 0, place)
    theirs.loc[theirs["op"] == ":=", "rhs"] = ours.loc[ours["op"] == ":=", "rhs"].to_numpy()
    both = ours.merge(theirs, on=["lhs", "op", "rhs", "group"], how="outer", indicator=True)
    assert (both["_merge"] == "both").all(), both[both["_merge"] != "both"]
    assert len(both) == len(ours)
    return both


@pytest.mark.parametrize("case", CASES.index)
def test_estimates(case):
    both = beside(case)
    np.testing.assert_allclose(both["estimate"], number(both["est"]), rtol=0, atol=ESTIMATE)
    np.testing.assert_allclose(both["std"], number(both["std_all"]), rtol=0, atol=ESTIMATE)


@pytest.mark.parametrize("information", ["expected", "observed"])
@pytest.mark.parametrize("case", CASES.index)
def test_standard_errors(case, information):
    if (case, information) == (CURVED, "observed"):
        pytest.skip("lavaan leaves the bend of the equation out")
    both = beside(case, information)
    # Fixed parameters have no error: lavaan writes 0.
    ours = both["se"].fillna(0)
    np.testing.assert_allclose(ours, number(both[f"se_{information}"]), rtol=ERROR, atol=1e-8)


@pytest.mark.parametrize("case", CASES.index)
def test_standardised_errors_and_intervals(case):
    both = beside(case)
    theirs = number(both["std_all_se"])
    np.testing.assert_allclose(both["std_se"].fillna(0), theirs, rtol=1e-6, atol=1e-7)
    free = both["se"].notna()
    for ours, column in (
        ("z", "z"),
        ("p_value", "p"),
        ("ci_low", "ci_low"),
        ("ci_high", "ci_high"),
    ):
        name = f"{ours}_x" if f"{ours}_x" in both else ours
        other = f"{column}_y" if f"{column}_y" in both else column
        np.testing.assert_allclose(
            both.loc[free, name], number(both.loc[free, other]), rtol=1e-6, atol=1e-7
        )


@pytest.mark.parametrize("case", CASES.index)
def test_fit_indices(case):
    found = fitted(case).fit_indices
    table = lavaan("sem_indices", case)
    for index, value in zip(table["index"], number(table["value"]), strict=True):
        if index in INDICES:
            assert found[INDICES[index]] == pytest.approx(value, rel=INDEX, abs=INDEX), index


@pytest.mark.parametrize("case", CASES.index)
def test_r_squared(case):
    fit = fitted(case)
    groups = {name: i + 1 for i, name in enumerate(fit.sample.groups)}
    ours = {
        (row.variable, groups.get(row.group, 1)): row.r_squared
        for row in fit.r_squared.itertuples()
    }
    table = lavaan("sem_rsquare", case)
    assert len(ours) == len(table)
    for row in table.itertuples():
        assert ours[row.variable, int(row.group)] == pytest.approx(float(row.value), abs=1e-7)


@pytest.mark.parametrize("case", ["holzinger", "politicaldemocracy", "mobi_five", "path_observed"])
def test_modification_indices(case):
    ours = fitted(case).modification_indices()
    theirs = lavaan("sem_modification", case)
    theirs = {(r.lhs, r.op, r.rhs): r for r in theirs.itertuples() if float(r.mi) > 0}
    for row in ours.itertuples():
        other = theirs.pop((row.lhs, row.op, row.rhs))
        assert row.mi == pytest.approx(float(other.mi), rel=1e-6)
        assert row.epc == pytest.approx(float(other.epc), rel=1e-6)
        assert row.std_epc == pytest.approx(float(other.sepc_all), rel=1e-6)
    # What only lavaan lists are paths into observed predictors.
    given = {p.lhs for p in fitted(case).model.parameters if p.exogenous}
    assert {lhs for lhs, _, _ in theirs} <= given


@pytest.mark.parametrize("case", ["holzinger", "politicaldemocracy", "mobi_five", "path_observed"])
def test_residuals(case):
    ours = fitted(case).residuals.set_index(["row", "column"])
    for row in lavaan("sem_residuals", case).itertuples():
        key = (
            (row.row, row.column) if (row.row, row.column) in ours.index else (row.column, row.row)
        )
        found = ours.loc[key]
        assert found["raw"] == pytest.approx(float(row.raw), abs=1e-7)
        assert found["cor"] == pytest.approx(float(row.cor), abs=1e-7)
        if not np.isnan(found["z"]) and float(row.raw) != 0:
            assert found["z"] == pytest.approx(float(row.z_raw), rel=1e-6)


def test_comparison():
    for row in reference("sem_comparison").itertuples():
        found = fitted(row.restricted).compare(fitted(row.full))
        assert found.chisq == pytest.approx(float(row.chisq_diff), abs=1e-7)
        assert found.df == int(row.df_diff)
        assert found.p_value == pytest.approx(float(row.p), rel=1e-6)


def test_bollen_stine():
    """Two bootstraps of 2,000: each has a Monte-Carlo error of .011."""
    theirs = reference("sem_bollen_stine").iloc[0]
    ours = fitted("politicaldemocracy").bootstrap(2_000, seed=1, bollen_stine=True)
    assert ours.bollen_stine_p == pytest.approx(float(theirs["p"]), abs=4 * np.sqrt(2) * 0.011)
