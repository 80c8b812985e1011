"""Errors and intervals of reliability coefficients: against lavaan and survey, by coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.moments import moments
from cxstats.service.coefficient_errors import (
    COEFFICIENTS,
    alpha_error,
    estimates,
    factor_errors,
    share_limits,
)
from cxstats.service.factor_model import fit_factors
from cxstats.service.reliability import ROBUST
from tests.references import FOLDER, HOLZINGER, data

FITTED = 1e-8
ITEMS = [item for items in HOLZINGER.values() for item in items]


def holzinger():
    frame, book = data("holzinger")
    frame = frame.reset_index(drop=True)
    frame["w"] = 1 + frame["agemo"] / 4
    return frame.assign(cluster=frame["ageyr"] * 100 + frame["agemo"]), book


def reference(kind):
    return pd.read_csv(FOLDER / "factor_errors.csv").set_index(["kind", "what"]).loc[kind]


@pytest.mark.parametrize(("kind", "normal"), [("ML", True), ("MLM", False)])
@pytest.mark.parametrize("name", HOLZINGER)
def test_errors_as_lavaan(kind, normal, name):
    answers = holzinger()[0][ITEMS].to_numpy(float)
    model = fit_factors(moments(answers, columns=ITEMS), HOLZINGER)
    wanted = reference(kind).loc[[f"{coefficient}_{name}" for coefficient in COEFFICIENTS]]
    np.testing.assert_allclose(estimates(model, name), wanted["estimate"], rtol=FITTED)
    errors = factor_errors(model, None if normal else answers)[name]
    # The variance of lavaan's influences has the divisor n, that of R's survey and ours n - 1.
    scale = 1.0 if normal else np.sqrt(300 / 301)
    np.testing.assert_allclose(errors * scale, wanted["se"], rtol=FITTED)


@pytest.mark.parametrize("name", HOLZINGER)
def test_alpha_under_a_design_as_survey(name):
    frame, _ = holzinger()
    design = cx.Design(weights="w", cluster="cluster", strata="school")
    answers = frame[list(HOLZINGER[name])].to_numpy(float)
    found = alpha_error(answers, design.read(frame))
    np.testing.assert_allclose(found, reference("design").loc[f"alpha_{name}"], rtol=1e-7)


def test_whole_weights_are_repeated_rows():
    frame, book = holzinger()
    frame["w"] = 1 + frame["id"] % 3
    repeated = frame.loc[frame.index.repeat(frame["w"])].reset_index(drop=True)
    weighted = cx.reliability(frame, book, n_resamples=20, weights="w")
    several = cx.reliability(repeated, book, n_resamples=20)
    same = ["alpha", "omega", "cr", "ave", "alpha_std"]
    np.testing.assert_allclose(weighted.table[same], several.table[same], rtol=1e-8)
    items = ["loading", "item_rest", "alpha_if_dropped"]
    np.testing.assert_allclose(weighted.items[items], several.items[items], rtol=1e-7)
    np.testing.assert_allclose(weighted.htmt["htmt"], several.htmt["htmt"], rtol=1e-10)
    assert weighted.table["n"].tolist() == [301] * 3


def test_repeated_rows_as_clusters_tell_nothing_new():
    """Each answer twice, as one cluster of two: the errors are those of the single answers."""
    frame, book = holzinger()
    frame = frame.assign(customer=np.arange(len(frame)))
    twice = pd.concat([frame, frame], ignore_index=True)
    once = cx.reliability(frame, book, n_resamples=20, cluster="customer").table
    clustered = cx.reliability(twice, book, n_resamples=20, cluster="customer").table
    limits = [column for column in once.columns if "_ci_" in column]
    np.testing.assert_allclose(clustered[limits], once[limits], rtol=1e-7)


def test_a_design_is_said_and_missing_answers_are_a_domain():
    frame, book = holzinger()
    frame.loc[:30, "x1"] = np.nan
    found = cx.reliability(frame, book, n_resamples=50, weights="w", cluster="cluster")
    assert "delta method under the design" in found.summary()
    assert "抽样设计下的 delta 法" in found.summary("zh")
    assert any("errors follow the design" in note.en for note in found.notes)
    row = found.table.loc["visual"]
    assert row["alpha_ci_low"] < row["alpha"] < row["alpha_ci_high"]
    assert row["n"] == 270
    boot = row["alpha_boot_high"] - row["alpha_boot_low"]
    assert boot == pytest.approx(row["alpha_ci_high"] - row["alpha_ci_low"], rel=0.4)


def test_moments_have_no_design():
    m = cx.Moments.from_correlation(["a", "b", "c"], [[1], [0.5, 1], [0.5, 0.5, 1]], n=100)
    book = cx.Codebook(scale=(1, 7), constructs={"A": ["a", "b", "c"]})
    row = cx.reliability(m, book).table.loc["A"]
    assert row["omega_ci_low"] < row["omega"] < row["omega_ci_high"] < 1
    with pytest.raises(cx.CxError, match="a sampling design needs the respondents"):
        cx.reliability(m, book, cluster="branch")


@pytest.mark.slow
def test_intervals_cover_from_20_cases_on():
    """Omega, CR, AVE of two constructs; perceptions, and expectations that pile up at the top."""
    population, book = cx.simulate_servqual(150_000, 99)
    two = {name: list(book.constructs[name]) for name in ("Tangibles", "Empathy")}
    items = [item for of_construct in two.values() for item in of_construct]

    def fitted(frame, role):
        answers = frame[[f"{role}_{item}" for item in items]].to_numpy(float)
        return fit_factors(moments(answers, columns=items), two), answers

    models = {role: fitted(population, role)[0] for role in "PE"}
    truth = {(role, name): estimates(models[role], name) for role in "PE" for name in two}
    for n in (20, 50, 200):
        hits = []
        for seed in range(500):
            frame, _ = cx.simulate_servqual(n, seed)
            for role in "PE":
                model, answers = fitted(frame, role)
                errors = factor_errors(model, answers if n >= ROBUST else None)
                for name in filter(model.proper, two):
                    low, high = share_limits(estimates(model, name), errors[name], n - 1, 0.95)
                    hits.append((low <= truth[role, name]) & (truth[role, name] <= high))
        shares = np.mean(hits, axis=0)
        print(n, shares.round(3))
        assert (shares > 0.925).all()
        assert (shares < 0.98).all()
