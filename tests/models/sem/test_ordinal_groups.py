"""Ordered answers of several groups, against lavaan (sem_extensions.R) and simulations."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.models.sem.constraints import complex_step
from tests.references import FOLDER, data, reference

EQUAL = {
    "configural": (), "thresholds": ("thresholds",), "loadings": ("loadings",),
    "both": ("thresholds", "loadings"),
}  # fmt: skip
INDICES = {
    "chisq": "chisq", "df": "df", "chisq.scaled": "chisq_scaled", "shift.parameter": "shift",
    "chisq.scaling.factor": "scaling", "cfi.scaled": "cfi_scaled", "tli.scaled": "tli_scaled",
    "rmsea": "rmsea", "rmsea.scaled": "rmsea_scaled", "srmr": "srmr",
    "rmsea.ci.lower.scaled": "rmsea_scaled_ci_low", "rmsea.ci.upper.scaled": "rmsea_scaled_ci_high",
    "baseline.chisq": "baseline_chisq", "baseline.chisq.scaled": "baseline_chisq_scaled",
    "npar": "n_parameters", "pvalue.scaled": "p_value_scaled",
}  # fmt: skip
CASES = [(model, step) for model in ("holzinger", "holzinger_orthogonal") for step in EQUAL]
ONE = "f =~ a + b + c + d"


@cache
def items():
    frame, cuts = data("holzinger")[0], reference("sem_ordinal_cuts").set_index("variable")
    coded = {
        name: 1 + (frame[name].to_numpy()[:, None] > cuts.loc[name].to_numpy(float)).sum(axis=1)
        for name in cuts.index
    }
    return pd.DataFrame(coded).assign(school=frame["school"].to_numpy())


def quiet(build):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return build()


@cache
def fitted(model, step):
    text = (FOLDER / "sem_models" / f"{model}.lav").read_text(encoding="utf-8")
    return quiet(lambda: cx.cfa(text, items(), ordered=True, group="school", equal=EQUAL[step]))


@pytest.mark.parametrize(("model", "step"), CASES)
def test_estimates_are_lavaans(model, step):
    rows = reference("sem_ordinal_groups_estimates")
    rows = rows[(rows["model"] == model) & (rows["step"] == step)]
    table = fitted(model, step).table
    table = table.assign(group=table["group"].map({"Pasteur": 1, "Grant-White": 2}))
    merged = rows.merge(table, on=["lhs", "op", "rhs", "group"], suffixes=("_lavaan", ""))
    # Intercepts of items, which are 0, are the only rows that are left out.
    assert len(merged) == len(table) == len(rows) - 18
    np.testing.assert_allclose(merged["estimate"], merged["est"].astype(float), rtol=0, atol=1e-9)
    theirs = merged["se_lavaan"].astype(float)
    estimated = theirs > 0
    np.testing.assert_allclose(merged["se"][estimated], theirs[estimated], rtol=1e-8)
    # Residual variances are what is left of the others; lavaan gives them no error.
    free = merged["se"].notna() & ~estimated
    assert set(merged["op"][free]) == {"~~"}


@pytest.mark.parametrize(("model", "step"), CASES)
def test_indices_are_lavaans(model, step):
    rows = reference("sem_ordinal_groups_indices")
    rows = rows[(rows["model"] == model) & (rows["step"] == step) & (rows["value"] != "")]
    values = dict(zip(rows["index"], rows["value"].astype(float), strict=True))
    ours = fitted(model, step).fit_indices
    for name, key in INDICES.items():
        assert ours[key] == pytest.approx(values[name], rel=1e-7, abs=1e-10), name


def test_differences_are_lavaans():
    for row in reference("sem_ordinal_groups_comparison").itertuples():
        free, strict = fitted("holzinger", row.full), fitted("holzinger", row.restricted)
        test = strict.compare(free)
        assert test.df == row.df_diff
        assert test.chisq == pytest.approx(float(row.chisq_diff), rel=1e-6)
        assert test.p_value == pytest.approx(float(row.p), rel=1e-4)


@pytest.mark.parametrize("step", EQUAL)
def test_derivatives(step):
    squares = fitted("holzinger", step).squares
    optimum = fitted("holzinger", step).optimum
    phi = optimum.phi + 0.03 * np.random.default_rng(0).normal(size=len(optimum.phi))
    plain = -2 * squares.slopes(phi).T @ (squares.pulling * squares.gaps(phi))
    np.testing.assert_allclose(squares.gradient(phi), plain, atol=1e-12)
    by_steps = complex_step(lambda point: squares.value(point)[..., None], phi)[0]
    np.testing.assert_allclose(squares.gradient(phi), by_steps, atol=1e-12)
    np.testing.assert_allclose(squares.evaluate(phi)[0], squares.value(phi))


def test_invariance_of_ordered_answers():
    text = (FOLDER / "sem_models" / "holzinger.lav").read_text(encoding="utf-8")
    ladder = quiet(lambda: cx.invariance(text, items(), "school", ordered=True))
    assert list(ladder.table["step"]) == ["configural", "thresholds"]
    last = ladder.table.iloc[1]
    assert last["d_chisq"] == pytest.approx(70.4027829068283, rel=1e-6)
    assert last["d_df"] == 30
    assert last["cfi"] == fitted("holzinger", "both").fit_indices["cfi_scaled"]
    assert list(ladder.means["variable"]) == ["visual", "textual", "speed"]
    assert "scaled and shifted" in ladder.summary("en")
    assert "阈值" in ladder.summary("zh")
    with pytest.raises(cx.CxError, match="needs group="):
        cx.invariance(text, items(), ordered=True)


def test_ordered_categories_of_pandas_are_taken_in_their_order():
    frame = items()
    words = ["never", "seldom", "sometimes", "often", "always"]
    names = [f"x{i}" for i in range(1, 10)]
    named = frame.copy()
    for name in names:
        answers = frame[name].map(dict(enumerate(words, start=1)))
        named[name] = pd.Categorical(answers, categories=words, ordered=True)
    text = (FOLDER / "sem_models" / "holzinger.lav").read_text(encoding="utf-8")
    one = quiet(lambda: cx.cfa(text, named, ordered=True, group="school"))
    pd.testing.assert_frame_equal(one.table, fitted("holzinger", "configural").table)
    pd.testing.assert_frame_equal(
        cx.polychoric(named[names]).table, cx.polychoric(frame[names]).table
    )
    named.loc[3, "x2"] = np.nan
    named["x1"] = pd.Categorical(frame["x1"], ordered=True)
    assert quiet(lambda: cx.cfa(text, named, ordered=True)).sample.dropped == 1
    named["x1"] = pd.Categorical(frame["x1"].map(dict(enumerate(words, start=1))))
    with pytest.raises(cx.DataError, match="'x1' has categories without an order"):
        cx.cfa(text, named, ordered=True)


def test_bad_input():
    frame = items()
    text = (FOLDER / "sem_models" / "holzinger.lav").read_text(encoding="utf-8")
    gone = frame[(frame["school"] == "Pasteur") | (frame["x1"] < 5)]
    with pytest.raises(cx.DataError, match="group 'Grant-White': nobody answered x1 = 5"):
        cx.cfa(text, gone, ordered=True, group="school")
    with pytest.raises(cx.DataError, match="column 'shcool', of the groups, is not in the table"):
        cx.cfa(text, frame, ordered=True, group="shcool")
    few = pd.concat([frame[frame["school"] == "Pasteur"], frame.tail(5)])
    with pytest.raises(cx.DataError, match="group 'Grant-White': 5 complete cases for 9 items"):
        cx.cfa(text, few, ordered=True, group="school")
    fit = fitted("holzinger", "both")
    with pytest.raises(cx.CxError, match="several groups: fit the one in question alone"):
        cx.ordinal_reliability(fit)
    with pytest.raises(cx.CxError, match="no bootstrap of ordered answers"):
        fit.bootstrap(10)
    assert len(fit.residuals) == 72
    assert set(fit.residuals["group"]) == {"Pasteur", "Grant-White"}


@pytest.mark.slow
def test_means_and_spreads_of_groups_are_found():
    """Two groups, the same thresholds and loadings, other mean and spread of the latent."""
    generator = np.random.default_rng(20261127)
    loadings, cuts = np.array([0.8, 0.7, 0.9, 0.75]), np.array([-1.2, -0.3, 0.5, 1.3])
    runs, hits, rejected, found = 300, 0, 0, []
    for _ in range(runs):
        groups = []
        for name, mean, sd in (("first", 0.0, 1.0), ("second", 0.5, 1.4)):
            f = mean + sd * generator.normal(size=500)
            answers = f[:, None] * loadings
            answers = answers + np.sqrt(1 - loadings**2) * generator.normal(size=(500, 4))
            codes = 1 + (answers[..., None] > cuts).sum(axis=-1)
            groups.append(pd.DataFrame(codes, columns=list("abcd")).assign(group=name))
        frame = pd.concat(groups, ignore_index=True)
        options = {"ordered": True, "group": "group", "equal": ("thresholds", "loadings")}
        fit = quiet(lambda f=frame, o=options: cx.cfa(ONE, f, **o))
        row = fit.table[(fit.table["op"] == "~1") & (fit.table["group"] == "second")].iloc[0]
        truth = 0.5 * loadings[0]  # the marker is the first item, whose loading is .8
        hits += row["ci_low"] <= truth <= row["ci_high"]
        rejected += fit.fit_indices["p_value_scaled"] < 0.05
        found.append(row["estimate"])
    assert np.mean(found) == pytest.approx(0.4, abs=4 * np.std(found) / np.sqrt(runs))
    assert 0.92 < hits / runs < 0.98
    assert 0.02 < rejected / runs < 0.09


@cache
def sampled_items():
    frame = pd.read_csv(FOLDER / "sem_design_data.csv")
    return frame.assign(**{name: items()[name] for name in items() if name.startswith("x")})


@pytest.mark.parametrize("case", ["one", "groups"])
def test_weighted_ordered_answers_are_lavaans(case):
    options = {"group": "school", "equal": EQUAL["both"]} if case == "groups" else {}
    text = (FOLDER / "sem_models" / "holzinger.lav").read_text(encoding="utf-8")
    frame = sampled_items().assign(weight=lambda rows: rows["weight"] / rows["weight"].mean())
    fit = quiet(lambda: cx.cfa(text, frame, ordered=True, weights="weight", **options))
    rows = reference("sem_ordinal_weights")
    rows = rows[rows["case"] == case]
    table = fit.table.assign(group=fit.table["group"].map({"Pasteur": 1, "Grant-White": 2, 1: 1}))
    estimates = rows[rows["lhs"] != "index"]
    merged = estimates.merge(table, on=["lhs", "op", "rhs", "group"], suffixes=("_lavaan", ""))
    assert len(merged) == len(estimates)
    # lavaan's point is good to 1e-5, its correlations to 1e-7.
    np.testing.assert_allclose(merged["estimate"], merged["est"].astype(float), atol=2e-5)
    # Of G groups lavaan divides by n - G, where a design has n - 1: so do the weights of the test.
    n, groups = 301, 1 if case == "one" else 2
    ratio = merged["se"] / merged["se_lavaan"].astype(float)
    np.testing.assert_allclose(ratio, np.sqrt((n - groups) / (n - 1)), rtol=1e-5)
    values = rows[rows["lhs"] == "index"].set_index("rhs")["est"].astype(float)
    chisq = values["chisq"] * (n - 1) / (n - groups)
    assert fit.fit_indices["chisq"] == pytest.approx(chisq, rel=1e-5)
    assert fit.fit_indices["scaling"] == pytest.approx(values["chisq.scaling.factor"], rel=1e-5)
    if case == "one":
        assert fit.fit_indices["chisq_scaled"] == pytest.approx(values["chisq.scaled"], rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"group": "school", "equal": EQUAL["both"]}])
def test_whole_weights_of_ordered_answers_are_repeated_rows(options):
    """And clusters that lie in one group, or in both."""
    text = (FOLDER / "sem_models" / "holzinger.lav").read_text(encoding="utf-8")
    frame = sampled_items().assign(weight=lambda rows: 1 + rows["x1"] % 3, person=range(301))
    repeated = frame.loc[frame.index.repeat(frame["weight"])]
    for cluster in ("person", "cluster"):
        sampling = {} if cluster == "person" else {"cluster": "cluster"}
        one, other = (
            quiet(lambda f=f, o=o: cx.cfa(text, f, ordered=True, **o, **options))
            for f, o in (
                (frame, {"weights": "weight"} | sampling),
                (repeated, {"cluster": cluster}),
            )
        )
        # Groups count by n_g - 1, as in lavaan, which repeated rows move.
        near = (1e-4, 1e-3) if options else (1e-8, 1e-7)
        np.testing.assert_allclose(
            one.table["estimate"], other.table["estimate"], rtol=0, atol=near[0]
        )
        np.testing.assert_allclose(one.table["se"], other.table["se"], rtol=near[1])
    void = frame.assign(weight=frame["weight"].where(frame.index % 7 != 0, 0))
    assert quiet(lambda: cx.cfa(text, void, ordered=True, weights="weight")).n == 301 - 43
    fit = quiet(lambda: cx.cfa(text, frame, ordered=True, weights="weight", **options))
    assert any("sampling design" in note.en for note in fit.notes)
    plain = quiet(lambda: cx.cfa(text, frame, ordered=True, **options))
    with pytest.raises(cx.CxError, match="other sampling designs"):
        fit.compare(plain)
