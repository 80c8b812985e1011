"""Models that reach an optimum which is no sound solution: what is given, and how it is marked."""

from functools import cache

import numpy as np
import pytest

import cxstats as cx
from tests.models.sem.models import HOLZINGER, holzinger, quiet, written
from tests.references import data, reference

DROPPED = {
    "Value ~ Expectation + Quality": "Value ~ Quality",
    "Satisfaction ~ Image + Expectation + Quality + Value": "Satisfaction ~ Quality + Value",
}
INDICES = {
    "chisq": "chisq", "df": "df", "cfi": "cfi", "tli": "tli", "rmsea": "rmsea", "srmr": "srmr",
    "p_value": "pvalue", "loglik": "logl", "aic": "aic", "bic": "bic",
}  # fmt: skip


@cache
def ecsi(reduced=False, **options):
    """Return the fit of the full ECSI model, or of one without three of its paths."""
    text = written("mobi_ecsi")
    for path, shorter in DROPPED.items() if reduced else ():
        assert path in text
        text = text.replace(path, shorter)
    return quiet(text, cx.load_ecsi_mobile()[0], **options)


def expected(model):
    rows = reference("sem_unsound")
    rows = rows[rows["model"] == model]
    return dict(zip(rows["index"], rows["value"], strict=True))


def test_a_near_singular_model_has_the_fit_indices_of_lavaan():
    fit, values = ecsi(), expected("full")
    assert {problem.kind for problem in fit.problems if problem.fatal} == {"near_singular"}
    for name, theirs in INDICES.items():
        assert fit.fit_indices[name] == pytest.approx(float(values[theirs]), rel=1e-8), name
    r_squared = fit.r_squared.set_index("variable")["r_squared"]
    theirs = {name[3:]: float(v) for name, v in values.items() if name.startswith("r2_") and v}
    assert len(theirs) == len(r_squared)
    for name, share in theirs.items():
        assert r_squared[name] == pytest.approx(share, abs=1e-6), name


def test_it_is_marked_wherever_it_is_read():
    fit = ecsi()
    assert fit.unsound_optimum
    assert not fit.sound
    assert fit.table["estimate"].isna().all()
    assert fit.unsound_table["estimate"].notna().all()
    assert "Of an unsound solution: χ²(241) = 575.57" in fit.summary()
    assert "No estimates are given: the solution is unsound" in fit.summary()
    assert "不健全解的结果：χ²(241) = 575.57" in fit.summary("zh")
    assert "Of an unsound solution" in fit._repr_html_()
    assert {"unsound_fit_indices", "unsound_r_squared"} < set(fit.tables())
    for lang in ("en", "zh"):
        assert fit.notes[0].get(lang) in fit.summary(lang)
    with pytest.raises(cx.CxError, match="near-singular"):
        _ = fit.latent_correlations


def test_it_is_compared_with_the_model_that_its_message_advises():
    full, reduced, values = ecsi(), ecsi(reduced=True), expected("comparison")
    for test in (full.compare(reduced), reduced.compare(full), cx.compare(full, reduced)):
        assert test.df == int(float(values["df"])) == 3
        assert test.chisq == pytest.approx(float(values["chisq"]), abs=1e-6)
        assert test.p_value == pytest.approx(float(values["pvalue"]), abs=1e-6)
        assert "freer model reached its optimum, but its solution is unsound" in test.summary()
        assert "不健全" in test.summary("zh")


@pytest.mark.parametrize("options", [{"estimator": "mlr"}, {"missing": "fiml"}])
def test_the_same_of_other_estimators(options):
    fit = ecsi(**options)
    assert fit.unsound_optimum
    assert fit.fit_indices["chisq"] == pytest.approx(575.5712820, abs=1e-6)
    if "estimator" in options:
        assert np.isfinite(fit.fit_indices["cfi_robust"])
        assert np.isfinite(fit.compare(ecsi(reduced=True, **options)).p_value)


@pytest.mark.parametrize(
    "text", ["f =~ x1 + x2", "x1 ~ 1*x2\nx2 ~ 1*x1", HOLZINGER + "\nvisual ~~ 0*visual + 5*speed"]
)
def test_without_an_optimum_there_is_nothing(text):
    fit = quiet(text, holzinger())
    assert not fit.sound
    assert not fit.unsound_optimum
    assert np.isnan(fit.fit_indices["chisq"])
    assert fit.r_squared["r_squared"].isna().all()
    assert fit.notes == ()
    with pytest.raises(cx.CxError, match="no comparison"):
        fit.compare(cx.sem(HOLZINGER, holzinger()))


def test_sound_models_are_not_marked():
    fit = cx.sem(HOLZINGER, holzinger())
    assert not fit.unsound_optimum
    assert set(fit.tables()) == {"table", "fit_indices", "r_squared"}
    assert fit.compare(cx.sem(HOLZINGER, holzinger(), orthogonal=True)).notes == ()


# ---- cx.compare


def test_two_fits_are_compared_by_their_own_test():
    free, strict = (cx.sem(HOLZINGER, holzinger(), orthogonal=value) for value in (False, True))
    assert cx.compare(free, strict).summary() == free.compare(strict).summary()
    assert cx.compare(free, strict).df == 3


@pytest.mark.parametrize("other", [5, "f =~ x1", holzinger(), {"chisq": 85.3}])
def test_a_fit_is_compared_with_fits_only(other):
    with pytest.raises(cx.CxError, match=r"allowed: a fit of cx\.sem"):
        cx.compare(cx.sem(HOLZINGER, holzinger()), other)


def test_groups_of_a_metric():
    frame = holzinger().assign(score=holzinger()["x1"].round())
    metric = cx.csat(frame, "school", column="score", scale=(0, 9))
    assert cx.compare(metric).table.equals(metric.compare().table)
    assert len(cx.compare(metric, "Pasteur").table) == 1


def test_what_has_no_comparison_says_what_has():
    frame = data("mobi")[0]
    fit = quiet_pls(frame)
    with pytest.raises(cx.CxError, match=r"compare_groups\(by\)"):
        cx.compare(fit, fit)
    for thing in (cx.polychoric(frame[["CUSA1", "CUSA2"]]), 5, frame, [1, 2]):
        with pytest.raises(cx.CxError, match=f"a {type(thing).__name__} cannot be compared"):
            cx.compare(thing, thing)


def quiet_pls(frame):
    model = "Now =~ CUSA1 + CUSA2 + CUSA3\nLater =~ CUSL1 + CUSL3\nLater ~ Now"
    return cx.pls(model, frame, n_resamples=0)
