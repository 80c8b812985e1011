"""Models under a sampling design, against lavaan, its casewise scores, and R's survey."""

import warnings

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from tests.references import FOLDER, reference

FACTORS = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
MIMIC = "visual =~ x1 + x2 + x3\nvisual ~ x7 + x8\nx9 ~ visual + x7"
MODELS = {"factors": FACTORS, "mimic": MIMIC}
N = 301
EQUAL = {
    "none": (), "configural": (), "metric": ("loadings",), "scalar": ("loadings", "intercepts")
}  # fmt: skip
INDICES = {
    "chisq": "chisq", "df": "df", "cfi": "cfi", "logl": "loglik", "srmr": "srmr",
    "unrestricted.logl": "saturated_loglik", "baseline.chisq": "baseline_chisq",
}  # fmt: skip
SCALED = {
    "chisq.scaled": "chisq_scaled", "chisq.scaling.factor": "scaling",
    "baseline.chisq.scaling.factor": "baseline_scaling", "cfi.scaled": "cfi_scaled",
    "tli.scaled": "tli_scaled", "cfi.robust": "cfi_robust", "tli.robust": "tli_robust",
    "rmsea.robust": "rmsea_robust",
}  # fmt: skip


def answers(gaps=False):
    frame = pd.read_csv(FOLDER / "sem_design_data.csv")
    if gaps:
        frame = frame.assign(**{name: frame[f"gap_{name}"] for name in ("x4", "x6", "x9")})
    return frame


def design(case, step):
    """Return the design under which our factor C / (C - 1) is that of lavaan, or a known one."""
    cluster = None if case == "w" else "nested"
    strata = "school" if cluster and step != "none" else None
    return cx.Design("weight" if "w" in case else None, cluster, strata)


def fitted(model, case, data, step):
    return cx.sem(
        MODELS[model], answers(data == "fiml"), group=None if step == "none" else "school",
        equal=EQUAL[step], missing="fiml" if data == "fiml" else "listwise",
        design=design(case, step),
    )  # fmt: skip


def theirs(name, **where):
    table = reference(name)
    for key, wanted in where.items():
        table = table[table[key] == wanted]
    assert len(table)
    return table


CASES = [
    (model, case, data, step)
    for case in ("w", "c", "wc")
    for model, data, step in (
        ("factors", "complete", "none"), ("factors", "fiml", "none"), ("mimic", "complete", "none"),
        ("factors", "complete", "configural"), ("factors", "fiml", "configural"),
        ("factors", "complete", "metric"), ("factors", "complete", "scalar"),
    )
]  # fmt: skip


@pytest.mark.parametrize(("model", "case", "data", "step"), CASES)
def test_estimates_are_lavaans(model, case, data, step):
    fit = fitted(model, case, data, step)
    rows = theirs("sem_design_estimates", model=model, case=case, data=data, step=step)
    table = fit.table.assign(group=fit.table["group"].map({"Pasteur": 1, "Grant-White": 2, 1: 1}))
    merged = rows.merge(table, on=["lhs", "op", "rhs", "group"], how="inner")
    assert len(merged) == len(rows)
    np.testing.assert_allclose(merged["estimate"], merged["est"].astype(float), rtol=0, atol=1e-7)
    if step in ("none", "configural"):
        # lavaan has no n / (n - 1) where there are no clusters.
        factor = np.sqrt(N / (N - 1)) if case == "w" else 1.0
        ours = merged["se_y"].to_numpy()
        np.testing.assert_allclose(ours, factor * merged["se_x"].astype(float), rtol=2e-7)


@pytest.mark.parametrize(("model", "case", "data", "step"), CASES)
def test_indices_are_lavaans(model, case, data, step):
    fit = fitted(model, case, data, step)
    rows = theirs("sem_design_indices", model=model, case=case, data=data, step=step)
    values = dict(zip(rows["index"], rows["value"].astype(float), strict=True))
    for name, ours in INDICES.items():
        assert fit.fit_indices[ours] == pytest.approx(values[name], rel=1e-7, abs=1e-7), name
    if step not in ("none", "configural"):
        return
    factor = N / (N - 1) if case == "w" else 1.0
    for name, ours in SCALED.items():
        if name.endswith("robust") and case == "wc" and data == "fiml" and step == "configural":
            continue  # lavaan truncates the weighted sizes of groups to whole numbers here
        if factor == 1 or "scaling" in name:
            wanted = values[name] * factor
            assert fit.fit_indices[ours] == pytest.approx(wanted, rel=1e-6, abs=1e-7), name


@pytest.mark.parametrize("case", ["c", "wc"])
def test_equalities_and_clusters_in_several_groups(case):
    rows = theirs("sem_design_sandwich", case=case)
    fit = cx.sem(
        FACTORS, answers(), group="school", equal=EQUAL["scalar"], cluster="cluster",
        weights="weight" if case == "wc" else None,
    )  # fmt: skip
    table = fit.table.assign(group=fit.table["group"].map({"Pasteur": 1, "Grant-White": 2}))
    merged = rows.merge(table, on=["lhs", "op", "rhs", "group"], how="inner")
    assert len(merged) == len(rows)
    np.testing.assert_allclose(merged["se_y"], merged["se_x"].astype(float), rtol=1e-6)


@pytest.mark.parametrize("name", ["weights", "cluster", "strata"])
def test_a_regression_has_the_errors_of_survey(name):
    sampling = {
        "weights": cx.Design("weight"), "cluster": cx.Design("weight", "cluster"),
        "strata": cx.Design("weight", "cluster", "stratum"),
    }[name]  # fmt: skip
    rows = theirs("sem_design_survey", design=name).set_index("term")
    table = cx.sem("x4 ~ x1 + x2", answers(), design=sampling).table
    slopes = table[table["op"] == "~"].set_index("rhs")
    intercept = table[(table["op"] == "~1") & (table["lhs"] == "x4")].iloc[0]
    for term in ("x1", "x2"):
        assert slopes.loc[term, "estimate"] == pytest.approx(float(rows.loc[term, "est"]), rel=1e-9)
        assert slopes.loc[term, "se"] == pytest.approx(float(rows.loc[term, "se"]), rel=1e-8)
    assert intercept["se"] == pytest.approx(float(rows.loc["(Intercept)", "se"]), rel=1e-8)


def test_nested_models_are_compared_by_the_scaling_of_the_design():
    row = theirs("sem_design_difference", case="wc").iloc[0]
    fits = [fitted("factors", "wc", "complete", step) for step in ("configural", "metric")]
    # lavaan's meat of the metric model has no stratum means, which equalities leave: .5 % apart.
    test = fits[0].compare(fits[1])
    assert test.df == row["df"]
    assert test.chisq == pytest.approx(float(row["chisq"]), rel=0.02)
    with pytest.raises(cx.CxError, match="other sampling designs"):
        fits[0].compare(fitted("factors", "w", "complete", "metric"))
    with pytest.raises(cx.CxError, match="estimators"):
        fits[0].compare(cx.sem(FACTORS, answers(), group="school", equal=("loadings",)))


def test_whole_weights_are_repeated_rows():
    frame = answers().assign(weight=lambda rows: 1 + rows["x1"].round().astype(int) % 3)
    frame["person"] = range(len(frame))
    repeated = frame.loc[frame.index.repeat(frame["weight"])]
    for missing in ("listwise", "fiml"):
        one = cx.cfa(FACTORS, frame, weights="weight", missing=missing)
        other = cx.cfa(FACTORS, repeated, cluster="person", missing=missing)
        np.testing.assert_allclose(one.table["estimate"], other.table["estimate"], atol=1e-9)
        np.testing.assert_allclose(one.table["se"], other.table["se"], rtol=1e-8)
        ratio = len(repeated) / len(frame)
        chisq = "chisq_scaled"
        assert one.fit_indices["chisq"] * ratio == pytest.approx(other.fit_indices["chisq"])
        assert one.fit_indices[chisq] == pytest.approx(other.fit_indices[chisq], rel=1e-7)


def test_rows_of_weight_0_and_missing_answers_are_the_rest_of_a_domain():
    frame = answers()
    silent = frame.assign(x4=frame["x4"].where(frame.index % 7 != 0))
    void = frame.assign(weight=frame["weight"].where(frame.index % 7 != 0, 0.0))
    one, other = (cx.cfa(FACTORS, rows, weights="weight") for rows in (silent, void))
    assert one.n == other.n == 301 - 43
    assert one.sample.dropped == 43
    np.testing.assert_allclose(one.table["estimate"], other.table["estimate"], atol=1e-9)
    np.testing.assert_allclose(one.table["se"], other.table["se"], rtol=1e-8)


def test_modification_indices_follow_the_design():
    """Of rows repeated as clusters, they are those of the rows alone; the plain ones double."""
    frame = answers()
    twice = pd.concat([frame, frame]).assign(person=[*range(301), *range(301)])
    keys = ["lhs", "op", "rhs"]
    plain = cx.cfa(FACTORS, frame).modification_indices().set_index(keys)["mi"]
    naive = cx.cfa(FACTORS, twice).modification_indices().set_index(keys)["mi"]
    robust = cx.cfa(FACTORS, twice, cluster="person").modification_indices().set_index(keys)["mi"]
    alone = cx.cfa(FACTORS, frame.assign(one=1.0), weights="one").modification_indices()
    np.testing.assert_allclose(naive, 2 * plain[naive.index], rtol=1e-7)
    alone = alone.set_index(keys)["mi"]
    np.testing.assert_allclose(robust[alone.index], alone, rtol=1e-6)


def test_the_bootstrap_draws_clusters():
    fit = cx.cfa(FACTORS, answers(), weights="weight", cluster="cluster")
    boot = fit.bootstrap(600, seed=3)
    free = fit.table["se"].notna()
    ratio = boot.table["se"][free] / fit.table["se"][free]
    assert 0.9 < ratio.median() < 1.15
    again = cx.cfa(FACTORS, answers(), weights="weight", cluster="cluster", missing="fiml")
    other = again.bootstrap(50, seed=3)
    # Nothing is missing: the same resamples, fitted as patterns.
    np.testing.assert_allclose(other.replicates, boot.replicates[:50], rtol=0, atol=2e-3)
    assert np.isfinite(fit.bootstrap(100, seed=1, bollen_stine=True).bollen_stine_p)


def test_invariance_under_a_design():
    ladder = cx.invariance(FACTORS, answers(), "school", weights="weight", cluster="cluster")
    assert ladder.fits["metric"].estimator == "mlr"
    metric = ladder.table.set_index("step").loc["metric"]
    fits = ladder.fits
    assert metric["d_chisq"] == pytest.approx(fits["metric"].compare(fits["configural"]).chisq)
    plain = cx.invariance(FACTORS, answers(), "school", estimator="mlr")
    assert not np.allclose(ladder.releases["index"], plain.releases["index"], rtol=0.01)


def test_the_result_says_what_it_is():
    fit = cx.cfa(FACTORS, answers(), cluster="nested", weights="weight")
    assert fit.estimator == "mlr"
    assert any("MLR under the sampling design" in note.en for note in fit.notes)
    assert any("抽样设计" in note.zh for note in fit.notes)
    assert fit.residuals["z"].isna().all()
    table = cx.cfa(FACTORS, answers(), design=cx.Design("weight", "nested")).table
    pd.testing.assert_frame_equal(table, fit.table)


def test_refusals():
    frame = answers()
    with pytest.raises(cx.CxError, match="a sampling design needs the respondents"):
        cx.cfa(FACTORS, cx.moments(frame[[f"x{i}" for i in range(1, 10)]]), weights="weight")
    with pytest.raises(cx.CxError, match="'mlm' rests on independent cases"):
        cx.cfa(FACTORS, frame, weights="weight", estimator="mlm")
    with pytest.raises(cx.CxError, match="information= is not chosen"):
        cx.cfa(FACTORS, frame, weights="weight", information="observed")
    with pytest.raises(cx.CxError, match="means=False"):
        cx.cfa(FACTORS, frame, weights="weight", means=False)
    with pytest.raises(cx.DataError, match="did you mean 'weight'"):
        cx.cfa(FACTORS, frame, weights="weigth")
    with pytest.raises(cx.DataError, match=r"the weight is -1\.0; allowed"):
        cx.cfa(FACTORS, frame.assign(weight=-1.0), weights="weight")
    with pytest.raises(cx.DataError, match="9 cases with a weight above 0 for 9 variables"):
        cx.cfa(FACTORS, frame.assign(weight=(frame.index < 9) * 1.0), weights="weight")
    with pytest.raises(cx.CxError, match="sampling design"):
        cx.second_opinion(cx.cfa(FACTORS, frame, weights="weight"))


@pytest.mark.slow
def test_intervals_cover_in_clustered_samples():
    """40 branches of 15 customers, ICC .3, weights that follow the outcome's predictor."""
    model = "f =~ a + b + c\ny ~ f + x"
    truth = {("f", "b"): 0.8, ("f", "c"): 1.2, ("y", "f"): 0.5, ("y", "x"): 0.3}
    generator = np.random.default_rng(20261127)
    hits, rejected, runs = {"design": 0, "naive": 0}, {"design": 0, "naive": 0}, 500
    for _ in range(runs):
        frame = branches(generator, 40, 15)
        for name, options in (("design", {"cluster": "branch"}), ("naive", {"estimator": "mlr"})):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", cx.ModelWarning)
                fit = cx.sem(model, frame, **options)
            table = fit.table
            for row in table.itertuples():
                key = (row.lhs, row.rhs)
                if key in truth and row.op in ("=~", "~"):
                    hits[name] += row.ci_low <= truth[key] <= row.ci_high
            rejected[name] += fit.fit_indices["p_value_scaled"] < 0.05
    shares = {name: count / (runs * len(truth)) for name, count in hits.items()}
    assert 0.92 < shares["design"] < 0.965, shares
    assert shares["naive"] < 0.88, shares
    tests = {name: count / runs for name, count in rejected.items()}
    assert tests["design"] < 0.12 < tests["naive"], tests


def branches(generator, n_clusters, size):
    """Return clustered answers: 30 % of every variance lies between clusters."""
    n = n_clusters * size
    branch = np.repeat(np.arange(n_clusters), size)

    def normal():
        between = generator.normal(size=n_clusters)[branch]
        return np.sqrt(0.3) * between + np.sqrt(0.7) * generator.normal(size=n)

    f, x = normal(), normal()
    frame = {"a": f + normal(), "b": 0.8 * f + normal(), "c": 1.2 * f + normal()}
    return pd.DataFrame(frame | {"x": x, "y": 0.5 * f + 0.3 * x + normal(), "branch": branch})
