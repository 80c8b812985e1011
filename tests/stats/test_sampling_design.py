"""Weights, clusters and strata: against R's survey package, by properties, by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.stats.sampling_design import SampledRows, design_of
from tests.references import FOLDER, data

DESIGNS = {
    "weights": cx.Design(weights="w"),
    "cluster": cx.Design(cluster="cluster"),
    "weights_cluster": cx.Design(weights="w", cluster="cluster"),
    "all": cx.Design(weights="w", cluster="cluster", strata="school"),
}


def schools():
    """Return Holzinger and Swineford's pupils with the design of `sampling_design.R`."""
    frame = data("holzinger")[0].reset_index(drop=True)
    frame["w"] = 1 + frame["agemo"] / 4
    frame["cluster"] = frame["ageyr"] * 100 + frame["agemo"]
    frame["missing_x1"] = frame["x1"].where(frame["id"] % 7 != 0)
    return frame


def reference():
    return pd.read_csv(FOLDER / "sampling_design.csv").set_index(["design", "what"])


@pytest.mark.parametrize("name", DESIGNS)
class TestAgainstSurvey:
    def test_means(self, name):
        frame, expected = schools(), reference().loc[name]
        columns = ["x1", "x2", "x3", "missing_x1"]
        rows = DESIGNS[name].read(frame)
        values = frame[columns].to_numpy(float)
        errors = np.sqrt(np.diag(rows.covariance(rows.influence_of_mean(values))))
        np.testing.assert_allclose(rows.mean(values), expected.loc[columns, "estimate"], rtol=1e-12)
        np.testing.assert_allclose(errors, expected.loc[columns, "se"], rtol=1e-11)
        assert rows.df == expected.loc["x1", "df"]

    def test_groups_are_domains(self, name):
        frame, expected = schools(), reference().loc[name]
        by_sex = np.column_stack([frame["x1"].where(frame["sex"] == sex) for sex in (1, 2)])
        rows = DESIGNS[name].read(frame)
        errors = np.sqrt(np.diag(rows.covariance(rows.influence_of_mean(by_sex))))
        wanted = expected.loc[["x1_sex1", "x1_sex2"]]
        np.testing.assert_allclose(rows.mean(by_sex), wanted["estimate"], rtol=1e-12)
        np.testing.assert_allclose(errors, wanted["se"], rtol=1e-11)

    def test_a_ratio_and_a_regression(self, name):
        frame, expected = schools(), reference().loc[name]
        rows = DESIGNS[name].read(frame)
        x1, x2, x3 = frame[["x1", "x2", "x3"]].to_numpy(float).T
        ratio = (rows.weights @ x1) / (rows.weights @ x2)
        influence = rows.weights * (x1 - ratio * x2) / (rows.weights @ x2)
        se = np.sqrt(rows.covariance(influence[:, None]))[0, 0]
        np.testing.assert_allclose([ratio, se], expected.loc["x1/x2", ["estimate", "se"]], 1e-11)
        X = np.column_stack([np.ones(len(frame)), x2, x3])
        bread = np.linalg.inv(X.T @ (rows.weights[:, None] * X))
        beta = bread @ X.T @ (rows.weights * x1)
        influence = (rows.weights * (x1 - X @ beta))[:, None] * X @ bread
        wanted = expected.loc[["beta_(Intercept)", "beta_x2", "beta_x3"]]
        np.testing.assert_allclose(beta, wanted["estimate"], rtol=1e-10)
        errors = np.sqrt(np.diag(rows.covariance(influence)))
        np.testing.assert_allclose(errors, wanted["se"], rtol=1e-10)

    def test_replicates_vary_by_the_linearised_error(self, name):
        frame = schools()
        values = frame[["x1", "x2"]].to_numpy(float)
        rows = DESIGNS[name].read(frame)
        replicates = np.concatenate(
            [w @ values / w.sum(1)[:, None] for _, w in rows.resampling_weights(4000, 1)]
        )
        errors = np.sqrt(np.diag(rows.covariance(rows.influence_of_mean(values))))
        np.testing.assert_allclose(replicates.std(axis=0), errors, rtol=0.05)
        assert len(replicates) == 4000


def test_without_design_the_error_is_that_of_a_simple_sample():
    values = np.random.default_rng(1).normal(size=(40, 2))
    rows = SampledRows.of(40)
    expected = np.cov(values, rowvar=False) / 40
    np.testing.assert_allclose(rows.covariance(rows.influence_of_mean(values)), expected, 1e-12)


def test_order_scale_and_names_do_not_matter():
    frame = schools()
    design = DESIGNS["all"]
    turned = frame.sample(frac=1, random_state=3)
    turned = turned.assign(w=turned["w"] * 7, cluster="c" + turned["cluster"].astype(str))
    covariances = []
    for table in (frame, turned):
        rows = design.read(table)
        covariances.append(rows.covariance(rows.influence_of_mean(table[["x1", "x2"]].to_numpy())))
    np.testing.assert_allclose(*covariances, rtol=1e-12)


def test_the_same_number_of_a_cluster_in_two_strata_is_two_clusters():
    rows = SampledRows.of(8, cluster=[1, 1, 2, 2, 1, 1, 2, 2], strata=[1, 1, 1, 1, 2, 2, 2, 2])
    assert (rows.n_clusters, rows.df) == (4, 2)


def test_take_keeps_what_is_asked_for():
    rows = SampledRows.of(6, [1, 1, 2, 2, 3, 3], [0, 0, 1, 1, 2, 2])
    some = rows.take(np.array([True, True, True, True, False, False]))
    assert (some.n, some.n_clusters) == (4, 2)
    assert some.weights.mean() == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w": -1}, r"row 0, column 'w': the weight is -1; allowed: finite numbers from 0"),
        ({"w": np.nan}, r"row 0, column 'w': the weight is missing"),
        ({"w": "x"}, r"row 0, column 'w': the weight is 'x'"),
        ({"cluster": None}, r"row 0, column 'cluster': no cluster"),
        ({"school": None}, r"row 0, column 'school': no stratum"),
    ],
)
def test_a_wrong_row_is_named(change, message):
    frame = schools().astype(dict.fromkeys(change, object))
    for column, value in change.items():
        frame.loc[0, column] = value
    with pytest.raises(cx.DataError, match=message):
        DESIGNS["all"].read(frame)


def test_errors_name_what_is_allowed():
    frame = schools()
    with pytest.raises(cx.DataError, match=r"column 'schol', of the design, .*mean 'school'"):
        cx.Design(strata="schol").read(frame)
    with pytest.raises(cx.DataError, match="1 strata of column 'alone' have one cluster each"):
        cx.Design(strata="alone").read(frame.assign(alone=np.arange(len(frame)) == 0))
    with pytest.raises(cx.DataError, match="all rows are one cluster"):
        cx.Design(cluster="one").read(frame.assign(one=1))
    with pytest.raises(cx.DataError, match="add up to 0"):
        cx.Design(weights="zero").read(frame.assign(zero=0))
    with pytest.raises(cx.CxError, match="these are moments"):
        cx.Design(weights="w").read(cx.moments(frame[["x1", "x2"]]))
    with pytest.raises(cx.CxError, match="names no column"):
        cx.Design().read(frame)
    with pytest.raises(cx.CxError, match="weights=1; allowed: the name of a column"):
        cx.Design(weights=1)
    with pytest.raises(cx.CxError, match="weights= beside design="):
        design_of(cx.Design(cluster="c"), weights="w")
    with pytest.raises(cx.CxError, match=r"design='w'; allowed: cx\.Design"):
        design_of("w")


def test_notes_say_what_the_design_costs():
    rows = cx.Design(weights="w", cluster="sex").read(schools())
    english = " ".join(note.en for note in rows.notes())
    assert "2 units" in english
    assert "few" in english


@pytest.mark.slow
def test_clustered_means_are_covered():
    """Forty clusters of 10, intraclass correlation .36: the t interval of the mean."""
    from scipy import stats

    rng, hits = np.random.default_rng(5), 0
    for _ in range(2000):
        codes = np.repeat(np.arange(40), 10)
        y = 0.6 * rng.normal(size=40)[codes] + 0.8 * rng.normal(size=400)
        rows = SampledRows.of(400, cluster=codes)
        se = np.sqrt(rows.covariance(rows.influence_of_mean(y[:, None]))[0, 0])
        hits += abs(y.mean()) < stats.t.ppf(0.975, rows.df) * se
    assert 0.935 < hits / 2000 < 0.965
