"""semopy beside cxstats and beside lavaan's committed numbers."""

import logging
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import MissingToolError
from tests.models.sem.test_lavaan import fitted, lavaan, number
from tests.references import data

# Of a standard error. semopy stops where a step changes F by less than 1e-13; that leaves about
# sqrt(n ftol) = 5e-6 standard errors at n = 301. Measured: 5.0e-6 (PoliticalDemocracy) at most.
ESTIMATE = 2e-5
# Of the standard error: both invert the expected information, so they differ as the estimates do.
# Measured: 1.8e-6 (ECSI-R) at most; 2.5e-6 for the observed one, which semopy differentiates
# numerically.
ERROR = 2e-5
# Off by the square of the estimates' error. Measured: 3.9e-11 at most.
CHISQ = 1e-8
# Functions of chi-square alone where the baseline is the same. Measured: 1e-13.
INDEX = 1e-10
MODELS = ["holzinger", "politicaldemocracy", "mobi_five", "mobi_ecsir"]
# One for every road through the translation: scales, labels, fixed values, moments, predictors.
ROADS = [
    "holzinger_std_lv", "holzinger_orthogonal", "holzinger_equal", "holzinger_second_order",
    "holzinger_cov", "mobi_five_cov", "mobi_five_fixed", "mimic", "mimic_outcome", "path_observed",
    "terminal", "fixed", "single_indicator",
]  # fmt: skip
FULL = """
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Complaints =~ CUSCO
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Expectation ~ Image
Quality ~ Expectation
Value ~ Expectation + Quality
Satisfaction ~ Image + Expectation + Quality + Value
Complaints ~ Satisfaction
Loyalty ~ Image + Satisfaction + Complaints
"""


def index(opinion, name, column="difference"):
    return opinion.indices.set_index("index").loc[name, column]


def quiet_fit(text, frame, **options):
    with pytest.warns(cx.ModelWarning):
        return cx.sem(text, frame, **options)


@pytest.mark.parametrize("case", [*MODELS, *ROADS])
def test_same_numbers(case):
    opinion = cx.second_opinion(fitted(case))
    rows = opinion.table
    assert opinion.converged
    assert opinion.agrees
    assert (rows["difference"].abs() / rows["se"]).max() < ESTIMATE
    assert (rows["se_difference"].abs() / rows["se"]).max() < ERROR
    assert abs(index(opinion, "chisq")) < CHISQ


@pytest.mark.parametrize("case", [*MODELS, *ROADS])
def test_beside_lavaan(case):
    """The column of semopy is what lavaan found, not a copy of ours."""
    rows = cx.second_opinion(fitted(case)).table
    both = rows.merge(lavaan("sem_estimates", case), on=["lhs", "op", "rhs"])
    assert len(both) == len(rows)
    gap = both["semopy"] - number(both["est"])
    assert (gap.abs() / both["se"]).max() < ESTIMATE
    gap = both["semopy_se"] / number(both["se_expected"]) - 1
    assert gap.abs().max() < ERROR


@pytest.mark.parametrize("case", MODELS)
def test_indices(case):
    fit = fitted(case)
    opinion = cx.second_opinion(fit)
    assert list(opinion.indices["index"]) == ["chisq", "df", "cfi", "tli", "rmsea"]
    assert index(opinion, "df") == 0
    assert abs(index(opinion, "cfi")) < INDEX
    assert abs(index(opinion, "tli")) < INDEX
    # n - 1 against n, and nothing else.
    ratio = index(opinion, "rmsea", "semopy") / index(opinion, "rmsea", "cxstats")
    assert ratio == pytest.approx(np.sqrt(fit.n / (fit.n - 1)), rel=1e-9)
    assert any("n − 1" in note.en for note in opinion.notes)


@pytest.mark.parametrize("case", ["politicaldemocracy", "mobi_ecsir"])
def test_observed_information(case):
    rows = cx.second_opinion(fitted(case, "observed")).table
    assert (rows["se_difference"].abs() / rows["se"]).max() < ERROR
    expected = cx.second_opinion(fitted(case)).table["semopy_se"]
    assert (rows["semopy_se"] / expected - 1).abs().max() > 0.01


def test_equal_labels_stay_equal():
    rows = cx.second_opinion(fitted("holzinger_equal")).table.set_index(["lhs", "op", "rhs"])
    for one, other in (
        (("visual", "=~", "x2"), ("visual", "=~", "x3")),
        (("x4", "~~", "x4"), ("x5", "~~", "x5")),
    ):
        assert rows.loc[one, "semopy"] == rows.loc[other, "semopy"]
        assert rows.loc[one, "semopy_se"] == rows.loc[other, "semopy_se"]


def test_moments_alone():
    """Without respondents semopy starts elsewhere and has to end in the same place."""
    alone, respondents = (cx.second_opinion(fitted(c)) for c in ("mobi_five_cov", "mobi_five"))
    assert alone.fit.sample.frame is None
    gap = (alone.table["semopy"] - respondents.table["semopy"]).abs() / alone.table["se"]
    assert 0 < gap.max() < 2 * ESTIMATE


def test_incomplete_cases_are_left_out():
    frame = data("holzinger")[0]
    frame = frame.assign(x1=frame["x1"].where(np.arange(len(frame)) >= 10))
    fit = cx.sem("visual =~ x1 + x2 + x3 + x4", frame)
    assert fit.sample.dropped == 10
    assert cx.second_opinion(fit).agrees


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("f =~ x1 + x2 + x3", {}),
        ("x4 ~ x1 + x2\nx7 ~ x4", {"fixed_x": False}),
        ("visual =~ x1 + x2 + x3\nx4 ~ x5\nx7 ~ visual + x4\nx1 ~~ x4", {}),
        ("visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9\nspeed ~ visual\nspeed ~~ x3", {}),
        ("visual =~ x1 + start(0.5)*x2 + x3 + x4", {}),
        ("图像 =~ x1 + x2 + x3 + x4", {}),
        ("a.b =~ x1 + x2 + x3\nx7 ~ -0.1*a.b + x4", {}),
    ],
    ids=["saturated", "free_x", "item_predictor", "latent_item", "start", "chinese", "negative"],
)
def test_odd_models(text, options):
    opinion = cx.second_opinion(cx.sem(text, data("holzinger")[0], **options))
    assert opinion.agrees, opinion


@pytest.mark.parametrize(
    "text",
    [
        "visual =~ x1 + x2 + x3\nx9 ~ visual + x4",
        "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9\nall =~ 1*visual + 1*speed + x4",
    ],
    ids=["outcome", "second_order"],
)
def test_latents_without_marker(text):
    """semopy's own search for starting values never ends there."""
    opinion = cx.second_opinion(cx.sem(text, data("holzinger")[0], std_lv=True))
    assert opinion.agrees
    assert any("without end" in note.en for note in opinion.notes)


def test_given_predictors_are_no_parameters():
    opinion = cx.second_opinion(fitted("mimic"))
    assert not (opinion.table["lhs"].isin(["sex", "ageyr"])).any()
    # semopy counts their three moments as explained.
    assert index(opinion, "df") == 3
    assert list(opinion.indices["index"]) == ["chisq", "df"]
    assert any("observed predictors" in note.en for note in opinion.notes)


@pytest.mark.parametrize("case", ["fixed", "holzinger_equal", "single_indicator"])
def test_other_baselines_are_not_compared(case):
    opinion = cx.second_opinion(fitted(case))
    assert list(opinion.indices["index"]) == ["chisq", "df", "rmsea"]
    assert any("baseline" in note.en for note in opinion.notes)


def test_wrong_indices_are_not_shown():
    opinion = cx.second_opinion(fitted("holzinger"))
    assert not {"aic", "bic", "gfi", "loglik"} & set(opinion.indices["index"])
    assert "AIC, BIC, GFI" in opinion.notes[0].en


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("holzinger_linear", "equations"),
        ("holzinger_nonlinear", "equations"),
        ("holzinger_bound_active", "bounds"),
        ("holzinger_groups", "several groups"),
        ("intercepts", "intercepts and means"),
        ("holzinger_means", "intercepts and means"),
    ],
)
def test_refused(case, message):
    with pytest.raises(cx.CxError, match=f"semopy cannot express {message}"):
        cx.second_opinion(fitted(case))


def test_refused_variable_without_arrow():
    fit = cx.sem("visual =~ x1 + x2 + x3\nx4 ~ visual\nx5 ~~ x4", data("holzinger")[0])
    with pytest.raises(cx.CxError, match=r"without any arrow \(x5\)"):
        cx.second_opinion(fit)


def test_full_ecsi_is_withheld_though_semopy_reports_success():
    fit = quiet_fit(FULL, data("mobi")[0])
    opinion = cx.second_opinion(fit)
    assert not fit.sound
    assert opinion.converged
    assert not opinion.agrees
    assert opinion.table[["estimate", "se", "difference", "se_difference"]].isna().all(axis=None)
    # A path of a variable on answers from 1 to 10.
    assert opinion.table["semopy_se"].max() > 10
    # The optimum was reached, so its test statistic is no secret; the estimates are withheld.
    assert index(opinion, "chisq", "cxstats") == pytest.approx(575.57, abs=0.01)
    assert index(opinion, "chisq", "semopy") == pytest.approx(575.57, abs=0.01)
    for text in (opinion.summary(), opinion.summary("zh")):
        assert "575.571" in text
    assert "withholds" in opinion.summary()
    assert "near-singular" in opinion.summary()


def test_not_identified():
    opinion = cx.second_opinion(quiet_fit("visual =~ x1 + x2", data("holzinger")[0]))
    assert opinion.converged
    assert opinion.table["estimate"].isna().all()
    assert "not identified" in opinion.summary()


def test_negative_variance():
    """semopy keeps it at zero: another solution, and it says so."""
    corr = [[1], [0.6, 1], [0.6, 0.3, 1], [0.5, 0.2, 0.3, 1]]
    moments = cx.Moments.from_correlation(["a", "b", "c", "d"], corr, n=200)
    opinion = cx.second_opinion(quiet_fit("f =~ a + b + c + d", moments))
    rows = opinion.table.set_index(["lhs", "op", "rhs"])
    assert rows.loc[("a", "~~", "a"), "estimate"] < -0.05
    assert rows.loc[("a", "~~", "a"), "semopy"] == pytest.approx(0, abs=1e-9)
    assert index(opinion, "chisq") > 0.01
    assert not opinion.agrees
    assert "do not agree" in opinion.summary()
    assert any("at or above zero" in note.en for note in opinion.notes)


def test_default_of_semopy_stops_short(monkeypatch):
    """The note on ftol: a hundredth of a standard error (measured .0092 to .0110)."""
    monkeypatch.setattr(sys.modules["cxstats.models.sem.second_opinion"], "FTOL", 1e-6)
    for case in MODELS:
        opinion = cx.second_opinion(fitted(case))
        assert 0.003 < (opinion.table["difference"].abs() / opinion.table["se"]).max() < 0.03
        assert opinion.converged
        assert not opinion.agrees


@pytest.mark.parametrize("column", ["difference", "se_difference"])
def test_one_odd_number_is_no_agreement(column):
    opinion = cx.second_opinion(fitted("holzinger"))
    table = opinion.table.copy()
    table.loc[3, column] = 0.01
    assert not replace(opinion, table=table).agrees
    name = f"{table.loc[3, 'lhs']} =~ {table.loc[3, 'rhs']}"
    assert name in replace(opinion, table=table).summary()


def test_chisq_decides_too():
    opinion = cx.second_opinion(fitted("holzinger"))
    indices = opinion.indices.assign(difference=[0.01, 0, 0, 0, 0])
    assert not replace(opinion, indices=indices).agrees


def test_words():
    opinion = cx.second_opinion(fitted("holzinger"))
    assert repr(opinion) == opinion.summary()
    assert "85.306 (df 24), semopy 85.306 (df 24)" in opinion.summary()
    assert "n = 301, 21 free parameters; semopy reports success" in opinion.summary()
    assert "The two programs agree" in opinion.summary()
    assert "两个程序一致" in opinion.summary("zh")
    assert "85.306（自由度 24）" in opinion.summary("zh")
    assert "<table" in opinion._repr_html_()
    assert list(opinion.table.columns) == [
        "lhs", "op", "rhs", "estimate", "semopy", "difference", "se", "semopy_se", "se_difference",
    ]  # fmt: skip
    with pytest.raises(cx.CxError, match="lang='de'"):
        opinion.summary("de")


def test_nothing_of_semopy_is_heard(capfd, caplog):
    root = logging.getLogger()
    before = (list(root.handlers), list(root.filters), root.level)
    with caplog.at_level(logging.DEBUG):
        # It logs that no loading is fixed.
        cx.second_opinion(fitted("holzinger_std_lv"))
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert before == (list(root.handlers), list(root.filters), root.level)


def test_errors_of_semopy_are_told(monkeypatch):
    import semopy

    def broken(*_, **__):
        raise np.linalg.LinAlgError("first line\nsecond line")

    monkeypatch.setattr(semopy.Model, "fit", broken)
    with pytest.raises(cx.CxError, match="semopy could not fit: first line second line"):
        cx.second_opinion(fitted("holzinger"))


def test_without_semopy(monkeypatch):
    monkeypatch.setitem(sys.modules, "semopy", None)
    with pytest.raises(MissingToolError, match="pip install semopy"):
        cx.second_opinion(fitted("holzinger"))


def test_syntax_stands_alone():
    """Whoever gives the text to semopy by hand gets the same numbers."""
    import semopy

    opinion = cx.second_opinion(fitted("politicaldemocracy"))
    model = semopy.Model(opinion.syntax)
    model.fit(data("politicaldemocracy")[0].astype(float), options={"ftol": 1e-13})
    theirs = model.inspect()
    free = theirs[theirs["Std. Err"] != "-"]
    ours = opinion.table["semopy"].sort_values().to_numpy()
    assert len(free) == len(ours)
    np.testing.assert_allclose(pd.to_numeric(free["Estimate"]).sort_values(), ours, atol=1e-4)
