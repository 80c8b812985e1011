"""PLS under weights, clusters and strata."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.models.pls.bootstrap import influence
from cxstats.models.pls.sample import weighted_replicates
from tests.models.pls.models import MOBI, SMALL, answers, mobi
from tests.models.pls.test_bootstrap import everything
from tests.references import reference


def designed():
    """Return MOBI with the columns of `pls.R`."""
    row = np.arange(1, 251)
    cluster = np.ceil(row / 5)
    return mobi().assign(w=1 + row % 4, g=cluster, h=cluster % 2, one=1)


@pytest.mark.parametrize("options", [{}, {"consistent": True}, {"scheme": "centroid"}])
@pytest.mark.parametrize("missing", ["listwise", "mean"])
def test_whole_weights_are_repeated_rows(options, missing):
    frame = answers(100).assign(w=np.arange(100) % 4)
    frame.loc[[5, 50], "q1"] = np.nan
    repeated = frame.loc[np.repeat(frame.index, frame["w"])].reset_index(drop=True)
    weighted = cx.pls(SMALL, frame, weights="w", missing=missing, **options)
    expected = cx.pls(SMALL, repeated, missing=missing, **options)
    np.testing.assert_allclose(everything(weighted), everything(expected), atol=1e-9)
    assert weighted.n == (frame["w"] > 0).sum() - (2 if missing == "listwise" else 0)
    assert weighted.dropped == 100 - weighted.n
    assert len(weighted.scores) == weighted.n
    scores = weighted.scores["Quality"].to_numpy()
    np.testing.assert_allclose(np.average(scores, weights=weighted.sample.weights), 0, atol=1e-9)
    np.testing.assert_allclose(
        weighted.fit_indices["estimate"], expected.fit_indices["estimate"], atol=1e-9
    )


@pytest.mark.filterwarnings("ignore::cxstats.ModelWarning")  # MOBI, corrected, is improper
@pytest.mark.parametrize("case", ["weighted_path", "weighted_consistent"])
def test_weighted_estimates_of_the_algorithm_in_r(case):
    consistent = case.endswith("consistent")
    fit = cx.pls(MOBI, designed(), weights="w", consistent=consistent, n_resamples=0)
    rows = reference("pls")
    rows = rows[rows["case"] == case]
    for kind, values in (
        ("weight", fit.weights["weight"]),
        ("loading", fit.loadings["loading"]),
        ("r_squared", fit.r_squared["r_squared"]),
        ("fit", fit.fit_indices["estimate"]),
    ):
        expected = pd.to_numeric(rows.loc[rows["kind"] == kind, "value"])
        np.testing.assert_allclose(values, expected, atol=1e-10, err_msg=kind)


DESIGNS = {
    "weights": cx.Design(weights="w"),
    "cluster": cx.Design(weights="one", cluster="g"),
    "all": cx.Design(weights="w", cluster="g", strata="h"),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_the_error_of_a_path_is_that_of_survey(name):
    """Of two items the path is a correlation; R's survey has its error by the delta method."""
    rows = reference("pls").set_index(["case", "kind", "lhs"])["value"]
    fit = cx.pls("CUSA1 ~ IMAG1", designed(), design=DESIGNS[name], n_resamples=4000)
    path = fit.table.iloc[0]
    expected = float(rows[name, "correlation", "estimate"])
    assert path["estimate"] == pytest.approx(expected, abs=1e-10)
    assert path["estimate"] == pytest.approx(float(rows[name, "svyglm", "estimate"]), abs=1e-10)
    se = float(rows[name, "correlation", "se"])
    sums, sampled = influence(fit)[:, 0] / fit.n, fit.sample.rows
    sizes = sampled.clusters_by_stratum
    scale = (sizes / (sizes - 1))[sampled.stratum]
    assert np.sqrt((scale * sums**2).sum()) == pytest.approx(se, rel=2e-5)
    # Resamples have the linearised error but for what is of order 1 / n.
    assert path["se"] == pytest.approx(se, rel=0.06)


def test_keywords_and_the_design_are_the_same():
    frame = designed()
    one = cx.pls(SMALL, answers(250).assign(w=frame["w"], g=frame["g"]), weights="w", cluster="g")
    other = cx.pls(
        SMALL, answers(250).assign(w=frame["w"], g=frame["g"]),
        design=cx.Design(weights="w", cluster="g"),
    )  # fmt: skip
    pd.testing.assert_frame_equal(one.table, other.table)
    assert "250 respondents in 50 units" in one.summary()


def test_clusters_that_repeat_respondents_count_once():
    """Everybody four times, a cluster each: the errors of the respondents themselves."""
    frame = answers(120).assign(g=np.arange(120))
    repeated = pd.concat([frame] * 4, ignore_index=True)
    clustered = cx.pls(SMALL, repeated, cluster="g", n_resamples=2000).table
    simple = cx.pls(SMALL, frame, n_resamples=2000).table
    np.testing.assert_allclose(clustered["estimate"], simple["estimate"], atol=1e-9)
    np.testing.assert_allclose(clustered["se"], simple["se"], rtol=0.12)
    naive = cx.pls(SMALL, repeated, n_resamples=500).table
    assert (naive["se"] < 0.6 * clustered["se"]).all()


def test_replicates_of_a_group_are_its_weighted_moments():
    rng = np.random.default_rng(1)
    x, member = rng.normal(size=(60, 3)), np.arange(60) % 3 == 0
    rows = cx.Design(weights="w", cluster="g").read(
        pd.DataFrame({"w": rng.uniform(1, 2, 60), "g": np.arange(60) // 4})
    )
    found = weighted_replicates(x, rows, 5, 3, of=member)
    drawn = np.concatenate([w for _, w in rows.resampling_weights(5, 3)])
    for b in range(5):
        expected = np.cov(x[member].T, aweights=drawn[b][member], ddof=0) * (20 / 19)
        np.testing.assert_allclose(found.cov[b], expected, atol=1e-12)
        mean = np.average(x[member], axis=0, weights=drawn[b][member])
        np.testing.assert_allclose(found.mean[b], mean, atol=1e-12)


def test_groups_under_a_design():
    """Groups that share clusters, weighted; without a test of invariance, and said so."""
    frame = designed().assign(half=np.arange(250) % 2)
    fit = cx.pls("CUSA1 ~ IMAG1", frame, weights="w", cluster="g")
    found = fit.compare_groups("half", 400)
    row = found.table.iloc[0]
    for k, name in ((0, "estimate_1"), (1, "estimate_2")):
        own = frame[frame["half"] == k]
        expected = np.cov(own["IMAG1"], own["CUSA1"], aweights=own["w"])
        r = expected[0, 1] / np.sqrt(expected[0, 0] * expected[1, 1])
        assert row[name] == pytest.approx(r, abs=1e-9)
    assert 0 < row["p_value"] <= 1
    assert (row["p_value"] < 0.05) == (row["ci_low"] > 0 or row["ci_high"] < 0)
    assert found.invariance["p_value"].isna().all()
    assert "resamples of the sampling design" in found.summary()
    assert "not tested" in found.summary()


def test_maps_under_a_design():
    """Whole weights are repeated rows; the interval is that of the clusters."""
    frame = designed()
    repeated = frame.loc[np.repeat(frame.index, frame["w"])]
    fit = cx.pls(MOBI, frame, weights="w", cluster="g")
    columns = ["importance", "performance", "std_total"]
    found, expected = (
        f.ipma("Loyalty", (1, 10), n_resamples=100) for f in (fit, cx.pls(MOBI, repeated))
    )
    np.testing.assert_allclose(found.table[columns], expected.table[columns], atol=1e-8)
    assert any("in 50 units" in note.en for note in found.notes)


REFUSED = {
    "folds that keep a sampling design": lambda f: cx.pls(SMALL, f, weights="w").predict(),
    "these are moments": lambda f: cx.pls(SMALL, cx.moments(f[list(answers())]), weights="w"),
    "an array has no columns": lambda f: cx.pls("b ~ a", f.to_numpy(), cluster="g"),
    "column 'v', of the design, is not in the table": lambda f: cx.pls(SMALL, f, weights="v"),
    "weights= beside design=": lambda f: cx.pls(SMALL, f, weights="w", design=cx.Design("w")),
    "the weight is -1": lambda f: cx.pls(SMALL, f.assign(w=-1), weights="w"),
    "0 complete cases": lambda f: cx.pls(SMALL, f.assign(q1=np.nan), weights="w"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused(message):
    with pytest.raises(cx.CxError, match=message):
        REFUSED[message](answers(40).assign(w=1.0, g=1))


@pytest.mark.slow
def test_coverage_of_clustered_samples():
    """40 clusters of 10 that share half of the variance: intervals hold, naive ones do not."""
    corr = 0.36 * np.ones((5, 5))
    corr[:3, :3] = corr[3:, 3:] = 0.6
    np.fill_diagonal(corr, 1)
    items = list(answers())
    truth = cx.pls(SMALL, cx.Moments.from_correlation(items, corr, n=1000)).paths["estimate"][0]
    root, generator, hits = np.linalg.cholesky(corr), np.random.default_rng(8), np.zeros(2)
    for sample in range(300):
        shared = np.repeat(generator.normal(size=(40, 5)) @ root.T, 10, axis=0)
        x = np.sqrt(0.5) * shared + np.sqrt(0.5) * generator.normal(size=(400, 5)) @ root.T
        frame = pd.DataFrame(x, columns=items).assign(g=np.repeat(np.arange(40), 10))
        for k, options in enumerate(({"cluster": "g"}, {})):
            fit = cx.pls(SMALL, frame, n_resamples=400, seed=sample, **options)
            row = fit.table[fit.table["op"] == "~"].iloc[0]
            hits[k] += row["ci_low"] <= truth <= row["ci_high"]
    print(hits / 300)
    assert hits[0] / 300 > 0.91  # three Monte-Carlo errors are 3.8 points
    assert hits[1] / 300 < 0.85
