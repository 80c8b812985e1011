"""The bootstrap by FIML: refits of the very same resamples, by lavaan and by ourselves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.moments import resampling_counts
from cxstats.models.sem.missing import redrawn
from tests.models.sem.models import quiet
from tests.models.sem.test_design import FACTORS, answers
from tests.references import FOLDER, reference

MEDIATION = "x6 ~ a*x1\nx4 ~ b*x6 + c*x1\nab := a*b"
MODELS = {"factors": FACTORS, "mediation": MEDIATION}
KEYS = ["lhs", "op", "rhs"]
# A replicate stops within a thousandth of a standard error of its optimum (test_bootstrap.py).
DISTANCE = 2e-3


@pytest.mark.parametrize("model", MODELS)
def test_resamples_are_refitted_as_lavaan_does(model):
    frame = answers(gaps=True)
    counts = pd.read_csv(FOLDER / "sem_bootstrap_counts.csv")
    fit = cx.sem(MODELS[model], frame, missing="fiml", estimator="mlr")
    boot = fit.bootstrap(len(counts.columns), seed=1)
    theirs = reference("sem_bootstrap")
    for b, name in enumerate(counts):
        rows = theirs[(theirs["model"] == model) & (theirs["resample"] == name)]
        again = frame.loc[frame.index.repeat(counts[name])]
        refit = cx.sem(MODELS[model], again, missing="fiml").table
        table = refit[KEYS].assign(ours=refit["estimate"], replicate=boot.replicates[b])
        merged = rows.merge(table, on=KEYS)
        assert len(merged) == len(table)
        np.testing.assert_allclose(merged["ours"], merged["est"].astype(float), rtol=0, atol=1e-6)
        free = fit.table["se"].notna().to_numpy()
        gap = (table["replicate"] - table["ours"]).abs().to_numpy()[free]
        assert (gap < DISTANCE * fit.table["se"][free]).all()


def test_groups_equalities_and_bounds():
    frame = answers(gaps=True)
    fit = cx.cfa(FACTORS, frame, missing="fiml", group="school", equal=("loadings",))
    boot = fit.bootstrap(3, seed=5)
    groups = [frame[frame["school"] == name] for name in fit.sample.groups]
    drawn = [next(resampling_counts(len(rows), 3, [5, g]))[1] for g, rows in enumerate(groups)]
    for b in range(3):
        again = pd.concat(
            [
                rows.loc[rows.index.repeat(counts[b].astype(int))]
                for rows, counts in zip(groups, drawn, strict=True)
            ]
        )
        refit = quiet(FACTORS, again, missing="fiml", group="school", equal=("loadings",))
        free = fit.table["se"].notna().to_numpy()
        gap = np.abs(boot.replicates[b] - refit.table["estimate"])[free]
        assert (gap < DISTANCE * fit.table["se"][free]).all()
    bound = cx.sem(MEDIATION + "\na > 0.05", frame, missing="fiml").bootstrap(20, seed=5)
    at = bound.table.index[bound.table["label"] == "a"][0]
    assert bound.n_failed == 0
    assert (bound.replicates[:, at] > 0.05 - 1e-6).all()


def test_patterns_weighted_anew_are_those_of_repeated_rows():
    """Value and gradient of a batch, also where a pattern is never drawn."""
    frame = answers(gaps=True)
    fit = cx.cfa(FACTORS, frame, missing="fiml")
    likelihood, matrices = fit.likelihood, fit.sample.matrices()
    counts = np.ones((2, len(frame)))
    counts[1, np.isnan(matrices[0][:, 3])] = 0  # nobody who left x4 out
    patterns = redrawn(likelihood.patterns, matrices, [counts])
    assert (patterns.n[1] == 0).any()
    phi = np.tile(fit.optimum.phi + 0.01, (2, 1))
    batch = replace(
        likelihood, cov=patterns.cov, mean=patterns.mean, patterns=patterns, share=np.ones((2, 1))
    )
    other = cx.cfa(FACTORS, frame[frame["x4"].notna()], missing="fiml").likelihood
    value, slope = batch.evaluate(phi)
    for b, alone in enumerate((likelihood, other)):
        one = alone.at(phi[b])
        np.testing.assert_allclose(value[b], one.value_and_slope[0], rtol=1e-12)
        np.testing.assert_allclose(slope[b], one.value_and_slope[1], atol=1e-11)
        np.testing.assert_allclose(slope[b], alone.evaluate(phi[b])[1], atol=1e-11)
        np.testing.assert_allclose(batch.hessian(phi)[b], alone.hessian(phi[b]), atol=1e-9)


def test_a_variable_that_a_resample_did_not_answer_fails_and_is_counted():
    frame = answers()[["x1", "x2", "x3", "x4"]].head(60).copy()
    frame.loc[4:, "x4"] = np.nan
    fit = quiet("x2 ~ x1\nx4 ~ x2", frame, missing="fiml")
    boot = fit.bootstrap(300, seed=2)
    assert 0 < boot.n_failed < 300
    assert np.isnan(boot.replicates).all(axis=1).sum() == boot.n_failed
    assert any("no solution" in note.en for note in boot.notes)


@pytest.mark.slow
def test_errors_are_those_of_repeated_samples():
    """The indirect effect, answers missing at random given x: bootstrap, MLR and the truth."""
    generator = np.random.default_rng(20261127)
    model, runs, n = "m ~ a*x\ny ~ b*m + c*x\nab := a*b", 250, 150
    estimates, errors, robust, hits = [], [], [], 0
    for _ in range(runs):
        x = generator.normal(size=n)
        m = 0.4 * x + generator.standard_t(6, size=n)
        y = 0.4 * m + 0.2 * x + generator.normal(size=n)
        frame = pd.DataFrame({"x": x, "m": m, "y": y})
        frame.loc[generator.random(n) < 1 / (1 + np.exp(1 - x)), "m"] = np.nan
        fit = quiet(model, frame, missing="fiml", estimator="mlr")
        row = fit.bootstrap(300, seed=1).table.iloc[-1]
        estimates.append(row["estimate"])
        errors.append(row["se"])
        robust.append(fit.table["se"].iloc[-1])
        hits += row["ci_low"] <= 0.16 <= row["ci_high"]
    spread = np.std(estimates, ddof=1)
    assert np.mean(errors) == pytest.approx(spread, rel=0.12)
    assert np.mean(errors) == pytest.approx(np.mean(robust), rel=0.08)
    assert 0.91 < hits / runs < 0.98
