"""Robust errors and tests, groups and incomplete cases, against lavaan (sem_extensions.R)."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from tests.references import FOLDER, data, reference

# The references are good to 1e-10 (errors, factors) and better (sem_extensions.R says why).
ESTIMATE, ERROR, INDEX = 1e-7, 1e-7, 1e-7
DATA = {"politicaldemocracy": "politicaldemocracy", "mobi": "mobi", "holzinger": "holzinger"}
INDICES = {
    "chisq": "chisq", "df": "df", "cfi": "cfi", "tli": "tli", "rmsea": "rmsea", "srmr": "srmr",
    "logl": "loglik", "unrestricted.logl": "saturated_loglik", "aic": "aic", "bic": "bic",
    "baseline.chisq": "baseline_chisq", "rmsea.ci.lower": "rmsea_ci_low",
    "rmsea.ci.upper": "rmsea_ci_high",
}  # fmt: skip
SCALED = {
    "chisq.scaled": "chisq_scaled", "chisq.scaling.factor": "scaling",
    "pvalue.scaled": "p_value_scaled", "baseline.chisq.scaling.factor": "baseline_scaling",
    "cfi.scaled": "cfi_scaled", "tli.scaled": "tli_scaled",
}  # fmt: skip
# lavaan's rmsea.scaled takes df = tr(U Gamma); the robust one is common to both.
ROBUST = {
    "cfi.robust": "cfi_robust", "tli.robust": "tli_robust", "rmsea.robust": "rmsea_robust",
    "rmsea.ci.lower.robust": "rmsea_robust_ci_low", "rmsea.ci.upper.robust": "rmsea_robust_ci_high",
}  # fmt: skip


def model(name):
    return (FOLDER / "sem_models" / f"{name}.lav").read_text(encoding="utf-8")


def quiet(*given, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return cx.sem(*given, **options)


def rows(name, **where):
    table = reference(name)
    for key, value in where.items():
        table = table[table[key].astype(str).str.upper() == str(value).upper()]
    assert len(table), (name, where)
    return table


def number(column):
    return pd.to_numeric(column, errors="coerce").to_numpy(float)


def check_indices(fit, table, names):
    for index, value in zip(table["index"], number(table["value"]), strict=True):
        if index in names and not np.isnan(value):
            ours = fit.fit_indices[names[index]]
            assert ours == pytest.approx(value, rel=INDEX, abs=INDEX), index


def check_estimates(fit, table, errors="se"):
    ours = fit.table.copy()
    groups = {name: i + 1 for i, name in enumerate(fit.sample.groups)}
    ours["group"] = [groups.get(name, 1) for name in ours["group"]]
    ours.loc[ours["op"] == ":=", "group"] = 0
    theirs = table.copy()
    theirs.loc[theirs["op"] == ":=", "rhs"] = ours.loc[ours["op"] == ":=", "rhs"].to_numpy()
    both = ours.merge(theirs, on=["lhs", "op", "rhs", "group"], suffixes=("", "_r"))
    assert len(both) == len(theirs) or len(both) == len(ours)
    np.testing.assert_allclose(both["estimate"], number(both["est"]), rtol=0, atol=ESTIMATE)
    theirs_se = number(both[f"{errors}_r" if f"{errors}_r" in both else errors])
    # Observed predictors have no error in lavaan's fixed.x.
    known = theirs_se > 0
    np.testing.assert_allclose(both["se"][known], theirs_se[known], rtol=ERROR, atol=1e-9)


# ---- robust errors, complete data

CASES = ["holzinger", "holzinger_orthogonal", "politicaldemocracy", "mobi_five", "mobi_five_fixed",
         "mobi_ecsir"]  # fmt: skip


def frame_of(case):
    return data(next(value for key, value in DATA.items() if case.startswith(key)))[0]


@cache
def robust(case, estimator, means):
    return quiet(model(case), frame_of(case), estimator=estimator, means=means)


@pytest.mark.parametrize("means", [None, True])
@pytest.mark.parametrize("estimator", ["mlm", "mlr"])
@pytest.mark.parametrize("case", CASES)
def test_scaled_and_robust_indices(case, estimator, means):
    fit = robust(case, estimator, means)
    table = rows("sem_robust_indices", case=case, estimator=estimator, meanstructure=bool(means))
    check_indices(fit, table, INDICES | SCALED | ROBUST)


@pytest.mark.parametrize("estimator", ["mlm", "mlr"])
@pytest.mark.parametrize("case", CASES)
def test_robust_errors(case, estimator):
    fit = robust(case, estimator, True)
    check_estimates(fit, rows("sem_robust_estimates", case=case, estimator=estimator))


@pytest.mark.parametrize("means", [None, True])
def test_given_predictors_with_mlr(means):
    fit = quiet(model("mimic"), data("holzinger")[0], estimator="mlr", means=means)
    table = rows("sem_robust_indices", case="mimic", estimator="mlr", meanstructure=bool(means))
    check_indices(fit, table, {k: v for k, v in (INDICES | SCALED).items() if k != "tli.scaled"})


@pytest.mark.parametrize("estimator", ["mlm", "mlr"])
@pytest.mark.parametrize("restricted", ["holzinger_orthogonal", "mobi_five_fixed"])
def test_scaled_difference(restricted, estimator):
    full = {"holzinger_orthogonal": "holzinger", "mobi_five_fixed": "mobi_five"}[restricted]
    one, other = robust(restricted, estimator, None), robust(full, estimator, None)
    row = rows(
        "sem_robust_comparison",
        restricted=restricted,
        estimator=estimator,
        meanstructure=False,
        method="satorra.bentler.2001",
    ).iloc[0]
    if not str(row["chisq_diff"]):
        with pytest.raises(cx.CxError, match=r"its factor is -0"):
            one.compare(other)
        return
    found = one.compare(other)
    assert found.chisq == pytest.approx(float(row["chisq_diff"]), rel=1e-7)
    assert found.p_value == pytest.approx(float(row["p"]), rel=1e-6)


def test_robust_needs_respondents():
    moments = cx.moments(frame_of("holzinger")[[f"x{i}" for i in range(1, 10)]])
    with pytest.raises(cx.CxError, match="needs the respondents"):
        cx.cfa(model("holzinger"), moments, estimator="mlr")
    with pytest.raises(
        cx.CxError, match="estimator 'wls' is for ordered answers: pass ordered=True"
    ):
        cx.cfa(model("holzinger"), data("holzinger")[0], estimator="wls")


# ---- groups


def grouped(name):
    if name == "holzinger":
        return data("holzinger")[0], "school", model("holzinger")
    frame = data("mobi")[0]
    half = np.where(np.arange(len(frame)) % 2 == 0, 1, 2)
    return frame.assign(half=half), "half", model("mobi_five_plain")


@cache
def ladder(name, estimator):
    frame, by, text = grouped(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return cx.invariance(text, frame, by, estimator=estimator)


@pytest.mark.parametrize("estimator", ["ml", "mlm", "mlr"])
@pytest.mark.parametrize("name", ["holzinger", "mobi"])
def test_steps(name, estimator):
    found = ladder(name, estimator)
    names = INDICES if estimator == "ml" else INDICES | SCALED | ROBUST
    for step, fit in found.fits.items():
        table = rows("sem_groups_indices", data=name, step=step, estimator=estimator)
        check_indices(fit, table, names)
        if estimator != "mlm":
            table = rows("sem_groups_estimates", data=name, step=step, estimator=estimator)
            check_estimates(fit, table)
    tests = rows("sem_groups_comparison", data=name, estimator=estimator, method="default")
    ours = found.table.set_index("step")
    for row in tests.itertuples():
        assert ours.loc[row.restricted, "d_chisq"] == pytest.approx(float(row.chisq_diff), rel=1e-6)
        assert ours.loc[row.restricted, "d_p_value"] == pytest.approx(float(row.p), rel=1e-5)


@pytest.mark.parametrize("name", ["holzinger", "mobi"])
def test_releases(name):
    table = rows("sem_groups_score", data=name)
    table = table[table["lhs"] != "total"]
    ours = ladder(name, "ml").releases.set_index(["step", "lhs", "op", "rhs"])["index"]
    assert len(ours) == len(table)
    for row in table.itertuples():
        key = (row.step, row.lhs, row.op, row.rhs)
        assert ours[key] == pytest.approx(float(row.chisq), rel=1e-6, abs=1e-9)


def test_what_breaks_and_what_is_reached():
    found = ladder("holzinger", "ml")
    assert found.reached == "metric"
    assert "x3 ~1 (19.2)" in found.summary()
    assert "度量" in found.summary("zh")
    assert list(found.means["variable"]) == ["visual", "textual", "speed"]
    title = found.plot().figure.get_suptitle().replace("\n", " ")
    assert title.endswith("by the rule for CFI, metric invariance holds")
    frame, by, text = grouped("holzinger")
    strict = cx.invariance(text, frame, by, rule="meade2008")
    assert strict.reached == "configural"  # CFI falls by .0024


def test_equal_groups_are_invariant():
    """The same respondents twice: chi-square doubles, and no equality costs anything."""
    frame = data("holzinger")[0]
    twice = pd.concat([frame.assign(wave="a"), frame.assign(wave="b")])
    found = cx.invariance(model("holzinger"), twice, "wave")
    assert found.reached == "strict"
    np.testing.assert_allclose(found.table["d_chisq"][1:], 0, atol=1e-8)
    single = cx.cfa(model("holzinger"), frame).fit_indices["chisq"]
    assert found.table["chisq"][0] == pytest.approx(2 * single, rel=1e-9)
    np.testing.assert_allclose(found.means["estimate"], 0, atol=1e-7)


def test_groups_that_cannot_be_compared():
    frame, _, text = grouped("holzinger")
    with pytest.raises(cx.CxError, match="one group only"):
        cx.invariance(text, frame.assign(one=1), "one")
    with pytest.raises(cx.DataError, match="group 'b': 3 complete cases for 9 variables"):
        cx.invariance(text, frame.assign(g=["b"] * 3 + ["a"] * 298), "g")
    with pytest.raises(cx.DataError, match="group 'Grant-White': 'x5' is constant"):
        cx.invariance(text, frame.assign(x5=frame["x5"].where(frame["school"] == "Pasteur", 1.0)),
                      "school")  # fmt: skip
    with pytest.raises(cx.CxError, match="rule 'nonsense'"):
        cx.invariance(text, frame, "school", rule="nonsense")
    with pytest.raises(cx.CxError, match="equal has everything; allowed"):
        cx.sem(text, frame, group="school", equal=["everything"])


# ---- incomplete cases


@cache
def masked(name, mask):
    text = {"holzinger": "holzinger", "mobi": "mobi_five"}[name]
    columns = [c for c in data(name)[0] if c in model(text)]
    frame = data(name)[0][columns].astype(float).copy()
    table = rows("sem_missing_mar" if mask == "mar" else "sem_missing_mcar", data=name)
    if mask != "mar":
        table = table[
            number(table["share"])
            <= int(mask[4:]) / (1 if table["share"].astype(float).max() > 1 else 100)
        ]
    for row, column in zip(number(table["row"]).astype(int), table["column"], strict=True):
        frame.loc[frame.index[row - 1], column] = np.nan
    return frame, model(text)


MASKS = [
    (name, mask) for name in ("holzinger", "mobi") for mask in ("mcar05", "mcar10", "mcar20", "mar")
]


@pytest.mark.parametrize(("name", "mask"), MASKS)
def test_incomplete_cases(name, mask):
    frame, text = masked(name, mask)
    fit = quiet(text, frame, missing="fiml")
    table = rows("sem_missing_indices", data=name, mask=mask, estimator="ml")
    check_indices(fit, table, INDICES)
    check_estimates(fit, rows("sem_missing_estimates", data=name, mask=mask, se_type="observed"))


@pytest.mark.parametrize("name", ["holzinger", "mobi"])
def test_incomplete_cases_with_expected_errors(name):
    frame, text = masked(name, "mcar10")
    fit = quiet(text, frame, missing="fiml", information="expected")
    check_estimates(
        fit, rows("sem_missing_estimates", data=name, mask="mcar10", se_type="expected")
    )


@pytest.mark.parametrize("name", ["holzinger", "mobi"])
@pytest.mark.parametrize("mask", ["mcar10", "mar"])
def test_incomplete_cases_with_robust_errors(name, mask):
    frame, text = masked(name, mask)
    fit = quiet(text, frame, missing="fiml", estimator="mlr")
    check_estimates(fit, rows("sem_missing_estimates", data=name, mask=mask, se_type="mlr"))
    table = rows("sem_missing_indices", data=name, mask=mask, estimator="mlr")
    check_indices(fit, table, INDICES | SCALED | ROBUST)


def test_complete_cases_are_a_special_case():
    frame = data("holzinger")[0]
    one = cx.cfa(model("holzinger"), frame, missing="fiml", information="expected")
    other = cx.cfa(model("holzinger"), frame, means=True)
    for key in ("chisq", "loglik", "cfi", "srmr", "gfi"):
        assert one.fit_indices[key] == pytest.approx(other.fit_indices[key], rel=1e-9)
    np.testing.assert_allclose(one.table["se"], other.table["se"], rtol=1e-7)


def test_incomplete_bad_input():
    frame, text = masked("holzinger", "mcar10")
    with pytest.raises(cx.CxError, match="needs the respondents"):
        cx.cfa(text, cx.moments(frame), missing="fiml")
    with pytest.raises(cx.DataError, match="'x4' was answered by 0 cases"):
        cx.cfa(text, frame.assign(x4=np.nan), missing="fiml")
    gone = frame.assign(g=["a"] * 150 + ["b"] * 151)
    gone.loc[gone["g"] == "b", "x4"] = np.nan
    with pytest.raises(cx.DataError, match="group 'b': 'x4' was answered by 0 cases"):
        cx.cfa(text, gone, group="g", missing="fiml")
    with pytest.raises(cx.CxError, match="'mlm' needs complete cases"):
        cx.cfa(text, frame, missing="fiml", estimator="mlm")
    empty = pd.concat([frame, frame.iloc[:2] * np.nan])
    assert cx.cfa(text, empty, missing="fiml").sample.dropped == 2
    with pytest.raises(cx.CxError, match="Bollen-Stine test turns complete cases"):
        cx.cfa(text, frame, missing="fiml").bootstrap(100, bollen_stine=True)
