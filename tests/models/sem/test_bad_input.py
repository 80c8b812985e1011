"""What cannot be fitted is refused or said, by name; nothing is reported that is no solution."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.language import catalogue
from cxstats.models.sem.problems import Problem
from tests.models.sem.models import HOLZINGER, ITEMS, holzinger, quiet

THREE = "f =~ x1 + p*x2 + x3"
MEGABYTE = 1_000_000
BARE = cx.Moments.from_correlation(["x1", "x2", "x3"], [[1], [0.5, 1], [0.4, 0.3, 1]], 100)


@pytest.fixture(scope="module")
def frame():
    table = holzinger()
    return table.assign(
        copy=table["x1"],
        sum=table["x1"] + table["x2"],
        constant=3.0,
        words="good",
        infinite=np.where(np.arange(301) == 5, np.inf, table["x3"]),
        empty=np.nan,
        day=pd.Timestamp("2024-01-01"),
        wave=["a"] * 298 + ["b"] * 3,
    )


# Model, error, what the message has to say, and options.
REFUSED = [
    # the text
    (None, cx.CxError, "a model is of type NoneType; allowed: str", {}),
    (["f =~ x1"], cx.CxError, "of type list", {}),
    ("", cx.ModelSyntaxError, "empty model", {}),
    ("f =- x1 + x2", cx.ModelSyntaxError, r"column 3: unknown operator '=-'; .*'=~'", {}),
    ("f =~", cx.ModelSyntaxError, "nothing stands after '=~': an indicator is missing", {}),
    (THREE + "\na := " + "(" * MEGABYTE, cx.ModelSyntaxError, "'\\(' is never closed", {}),
    # expressions that are none
    (THREE + "\na := __import__('os')", cx.ModelSyntaxError, "unknown function '__import__'", {}),
    (THREE + "\na := open(p)", cx.ModelSyntaxError, "unknown function 'open'; allowed: exp", {}),
    (THREE + "\na := p.__class__", cx.ModelSyntaxError, r"no label .*'p\.__class__'", {}),
    (THREE + "\na := lambda: 1", cx.ModelSyntaxError, "line 2", {}),
    (THREE + "\na := p; import os", cx.ModelSyntaxError, "without operator", {}),
    (THREE + "\na := nobody", cx.ModelSyntaxError, "'nobody'; there are: p", {}),
    # columns
    ("f =~ x1 + x2 + x33", cx.DataError, "names 'x33', which is no column .*mean 'x3'?", {}),
    ("f =~ x1 + x2 + x3\ng ~ f", cx.DataError, "names 'g', which is no column", {}),
    ("f =~ x1 + x2 + satisfaction", cx.DataError, "'satisfaction'.*There are: id, sex", {}),
    ("f =~ x1 + copy + x3", cx.DataError, "x1, copy repeat each other exactly", {}),
    ("f =~ x1 + x2 + sum", cx.DataError, "x1, x2, sum repeat each other exactly", {}),
    ("f =~ x1 + x2 + constant", cx.DataError, "'constant' is constant", {}),
    ("f =~ x1 + x2 + words", cx.DataError, "'words' is not numeric .*row 0 has 'good'", {}),
    ("f =~ x1 + x2 + day", cx.DataError, "'day' is not numeric", {}),
    ("f =~ x1 + x2 + infinite", cx.DataError, "'infinite' has an infinite value", {}),
    ("f =~ x1 + x2 + empty", cx.DataError, "0 complete cases .301 have a missing", {}),
    # groups
    (HOLZINGER, cx.DataError, "'schol', of the groups, is .* mean 'school'", {"group": "schol"}),
    (HOLZINGER, cx.DataError, "column 3, of the groups, is not in the table", {"group": 3}),
    (HOLZINGER, cx.DataError, "group 'b': ", {"group": "wave"}),
    (HOLZINGER, cx.DataError, "'empty'", {"group": "empty"}),
    ("f =~ x1 + c(a, b)*x2 + x3", cx.CxError, "line 1: f =~ x2 has 2 labels for 1 group", {}),
    ("f =~ x1 + c(1, 2, 3)*x2 + x3", cx.CxError, "3 values for 2 groups", {"group": "school"}),
    # options
    (HOLZINGER, cx.CxError, "information is 'robust'; allowed: expected, observed",
     {"information": "robust"}),
    (HOLZINGER, cx.CxError, "level is 95; allowed", {"level": 95}),
    (HOLZINGER, cx.CxError, "level is None", {"level": None}),
    # equations
    (THREE + "\np == 1; p == 2", cx.CxError, "p == 2 cannot hold beside the other", {}),
    (THREE + "\np == p + 1", cx.CxError, r"p == p \+ 1 cannot hold", {}),
    (THREE.replace("p*", "p*1*") + "\np == 2", cx.CxError, "p == 2 cannot hold", {}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "error", "message", "options"), REFUSED)
def test_refused(frame, model, error, message, options):
    with pytest.raises(error, match=message):
        cx.sem(model, frame, **options)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "type 'NoneType' cannot be read; allowed: pandas"),
        ("answers.csv", "type 'str' cannot be read"),
        ({"a": [1, 2]}, "type 'dict' cannot be read"),
        (np.zeros(9), r"array of shape \(9,\)"),
        (holzinger().head(0), "the table is empty"),
        (holzinger().head(3), "3 complete cases for 3 variables; there must be more"),
        (pd.concat([holzinger().head(2)] * 50), "repeat each other exactly"),
        (holzinger()[["x1", "x2", "x3", "x1"]], "'x1' stands twice"),
        (BARE.select(["x1", "x2"]), "names 'x3', which is no variable of the data"),
        ({}, "no groups|empty"),
    ],
)
def test_refused_data(data, message):
    with pytest.raises(cx.CxError, match=message):
        cx.sem("f =~ x1 + x2 + x3", data)


def test_a_message_is_a_sentence(frame):
    with pytest.raises(cx.DataError, match=r"of the data[.;] There are"):
        cx.sem("f =~ x1 + x2 + satisfaction", frame)


def test_moments_that_do_not_do():
    with pytest.raises(cx.CxError, match="the model has intercepts, but the moments have no mean"):
        cx.sem("f =~ x1 + x2 + x3", BARE, means=True)
    with pytest.raises(cx.CxError, match="no mean"):
        cx.sem("f =~ x1 + x2 + x3", {"a": BARE, "b": BARE})
    with pytest.raises(cx.CxError, match="group='wave' names a column, but the data are moments"):
        cx.sem("f =~ x1 + x2 + x3", BARE, group="wave")
    with pytest.raises(cx.CxError, match="moments alone; a bootstrap needs the respondents"):
        cx.sem("f =~ x1 + x2 + x3", BARE).bootstrap(10)


def test_a_column_that_is_not_used_does_not_matter(frame):
    plain = cx.sem(HOLZINGER, frame[list(ITEMS)])
    pd.testing.assert_frame_equal(cx.sem(HOLZINGER, frame).table, plain.table)


def test_texts_of_a_megabyte(frame):
    plain = cx.sem(THREE, frame).table["estimate"]
    comment = cx.sem("#" + "x" * MEGABYTE + "\n" + THREE, frame).table["estimate"]
    np.testing.assert_array_equal(comment, plain)
    deep = "(" * (MEGABYTE // 4) + "p" + ")" * (MEGABYTE // 4)
    assert cx.sem(f"{THREE}\na := {deep}", frame).table["estimate"].iloc[-1] == plain[1]
    with pytest.raises(cx.DataError, match="which is no column"):
        cx.sem("f =~ " + "x" * MEGABYTE, frame)


@pytest.mark.parametrize("expression", ["1/0", "log(-p)", "sqrt(0 - 1)", "0/(p - p)"])
@pytest.mark.filterwarnings("ignore::cxstats.ModelWarning")
def test_definitions_without_value_have_none(frame, expression):
    fit = cx.sem(f"{THREE}\na := {expression}", frame)
    assert fit.sound
    assert fit.table["estimate"].isna().tolist() == [False] * 7 + [True]
    fit.summary()


@pytest.mark.parametrize("expression", ["exp(1e9)", "p^9^9^9^9 + exp(2000*p)"])
@pytest.mark.filterwarnings("ignore::cxstats.ModelWarning")
def test_definitions_that_overflow_can_be_shown(frame, expression):
    fit = cx.sem(f"{THREE}\na := {expression}", frame)
    assert "a:" in fit.summary()
    assert fit._repr_html_()


# ---- models with no solution


def unsound(model, data, **options):
    """Fit a model that has no solution; return what is said."""
    with pytest.warns(cx.ModelWarning) as caught:
        fit = cx.sem(model, data, **options)
    assert not fit.sound
    assert fit.table["estimate"].isna().all()
    assert np.isfinite(fit.fit_indices["chisq"]) == fit.unsound_optimum
    assert ("No estimates" if fit.unsound_optimum else "No numbers are given") in repr(fit)
    return " ".join(str(warning.message) for warning in caught)


NO_SOLUTION = {
    "two items": ("f =~ x1 + x2", "not identified: 1 more free .*f =~ x2"),
    "each on the other": ("x1 ~ x2\nx2 ~ x1", "not identified: 1 more free .*x1 ~ x2, x2 ~ x1"),
    "error of a cause": ("f =~ x1 + x2 + x3\nx4 ~ f\nf ~~ x4", "these parameters apart.*f ~~ x4"),
    "two factors, same items": (
        "A =~ x1 + x2 + x3 + x4 + x5 + x6\nB =~ x1 + x2 + x3 + x4 + x5 + x6",
        r"not identified.*\(2 too many\): A =~ x2",
    ),
    "no scale": ("f =~ NA*x1 + x2 + x3 + x4", "not identified.*f =~ x1.*f ~~ f"),
    "loop": ("x1 ~ 1*x2\nx2 ~ 1*x1", "loop of paths that feeds on itself"),
    "loop of latents": (HOLZINGER + "\nvisual ~ 1*speed\nspeed ~ 1*visual", "loop of paths"),
    "loop of two and a half": ("x1 ~ 2*x2\nx2 ~ 0.5*x1", "loop of paths"),
    "improper by hand": (
        HOLZINGER + "\nvisual ~~ 0*visual\nvisual ~~ 5*speed",
        "fixed values that contradict",
    ),
}


@pytest.mark.parametrize("case", NO_SOLUTION)
def test_no_solution(frame, case):
    model, message = NO_SOLUTION[case]
    assert re.search(message, unsound(model, frame))


@pytest.mark.parametrize(
    "model",
    [
        "x1 ~~ -1*x1\nx2 ~~ x2",
        "f =~ x1 + x2 + x3\nx1 ~~ -100*x1\nx2 ~~ -100*x2\nx3 ~~ -100*x3\nf ~~ -3*f",
    ],
)
def test_fixed_values_that_are_no_covariances(frame, model):
    unsound(model, frame)


@pytest.mark.parametrize(
    "model",
    [
        "x1 ~~ 1.3*x1\nx2 ~~ 1.4*x2\nx1 ~~ 0.4*x2",
        "f =~ 1*x1\nf ~~ 0.4*f\nx1 ~~ 0.9*x1\nx2 ~ 1*f\nx2 ~~ 1*x2",
    ],
)
def test_a_model_without_free_parameters_can_be_tested(frame, model):
    fit = cx.sem(model, frame)
    sigma = [[1.3, 0.4], [0.4, 1.4]]
    cov = frame[["x1", "x2"]].cov().to_numpy() * 300 / 301
    logs = np.linalg.slogdet(sigma)[1] - np.linalg.slogdet(cov)[1]
    expected = 301 * (logs + np.trace(np.linalg.solve(sigma, cov)) - 2)
    assert (fit.fit_indices["df"], fit.fit_indices["n_parameters"]) == (3, 0)
    assert fit.fit_indices["chisq"] == pytest.approx(expected)
    assert fit.table["se"].isna().all()
    assert "χ²(3)" in fit.summary()


def refused_or_unsound(model, data):
    """Return what is said about a model that has no solution; either way of saying it will do."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fit = cx.sem(model, data)
        except cx.CxError as error:
            return str(error)
    return "" if fit.sound else "; ".join(str(one.message) for one in caught)


def test_bounds_that_exclude_each_other(frame):
    assert refused_or_unsound(HOLZINGER.replace("x2", "a*x2") + "\na > 2; a < 1", frame)
    assert refused_or_unsound(HOLZINGER.replace("x2", "a*x2") + "\na^2 == -1", frame)


@pytest.mark.parametrize(
    ("modifier", "condition"),
    [
        ("a*1*x2", "a > 2"),
        ("a*x2", "1/(a - a) < 1"),
        ("a*x2", "log(a) == log(0 - 1)"),
        ("a*x2", "sqrt(a - 2) == 1"),
    ],
)
def test_conditions_that_cannot_hold(frame, modifier, condition):
    model = HOLZINGER.replace("x2", modifier) + "\n" + condition
    assert refused_or_unsound(model, frame)


# ---- starts, scales, few cases: an optimum, or a word about it


CHISQ = 85.3055217697925  # of HOLZINGER, by lavaan


@pytest.mark.parametrize(
    "extra",
    [
        "x1 ~~ start(-5)*x1",
        "x1 ~~ start(1e6)*x1",
        "x1 ~~ start(1e-12)*x1",
        "visual ~~ start(-5)*visual",
        "visual ~~ start(1e6)*textual",
        "\n".join(f"{item} ~~ start(-5)*{item}" for item in ITEMS),
        "visual ~~ start(0)*visual",
    ],
)
def test_starts_that_are_no_covariances(frame, extra):
    fit = quiet(f"{HOLZINGER}\n{extra}", frame)
    if fit.sound:
        assert fit.fit_indices["chisq"] == pytest.approx(CHISQ, rel=1e-9)
    else:
        assert "not converged" in repr(fit)


@pytest.mark.parametrize("start", ["1e6", "-1e6", "1e300", "0"])
def test_starts_of_a_loading(frame, start):
    fit = quiet(HOLZINGER.replace("x2", f"start({start})*x2"), frame)
    if fit.sound:
        assert fit.fit_indices["chisq"] == pytest.approx(CHISQ, rel=1e-9)
    else:
        assert "not identified" not in repr(fit)


def test_one_case_more_than_variables(frame):
    """Ten cases, nine variables: whatever is said, it is no table of 24 numbers."""
    assert "not converged" in unsound(HOLZINGER, frame.head(10))


# ---- solutions that data cannot have


def correlated(names, *rows, n=100):
    return cx.Moments.from_correlation(list(names), rows, n)


def test_heywood_case_is_named():
    data = correlated("abcd", [1], [0.9, 1], [0.9, 0.7, 1], [0.5, 0.4, 0.4, 1])
    with pytest.warns(cx.ModelWarning, match=r"negative variance -0\.147 \(a ~~ a\)"):
        fit = cx.sem("f =~ a + b + c + d", data)
    assert fit.sound  # a solution, with a warning
    assert fit.table["estimate"].notna().all()
    assert [problem.kind for problem in fit.problems] == ["negative_variance"]
    assert "方差为负" in fit.summary("zh")
    bound = cx.sem("f =~ a + b + c + d\na ~~ v*a\nv > 0", data)
    assert bound.problems == ()
    assert bound.table.set_index("label")["estimate"]["v"] == pytest.approx(0, abs=1e-9)
    assert bound.fit_indices["chisq"] > fit.fit_indices["chisq"]


def test_heywood_case_without_degrees_of_freedom():
    data = correlated("abc", [1], [0.8, 1], [0.8, 0.3, 1])
    message = unsound("f =~ a + b + c", data)
    assert "negative variance -1.12 (a ~~ a)" in message


@pytest.mark.filterwarnings("ignore::cxstats.ModelWarning")
def test_two_names_of_one_factor():
    generator = np.random.default_rng(1)
    factor = generator.normal(size=(100, 1))
    answers = pd.DataFrame(factor + generator.normal(size=(100, 8)), columns=list("abcdefyz"))
    answers["z"] = generator.normal(size=100)
    model = "One =~ a + b + c\nTwo =~ d + e + f"
    with pytest.warns(cx.ModelWarning, match="correlation 1.* between One, Two: not two latents"):
        fit = cx.sem(model, answers)
    assert [problem.names for problem in fit.problems] == [("One", "Two")]
    with pytest.warns(cx.ModelWarning, match="(collinear|correlation).* One, Two"):
        cx.sem(model + "\ny ~ One + Two", answers)


def test_two_names_of_exactly_one_factor():
    """The population: the correlation is 1, so the effects of the two cannot be told apart."""
    corr = np.full((7, 7), 0.5) + 0.5 * np.eye(7)
    data = cx.Moments.from_correlation(list("abcdefy"), corr, 500)
    message = unsound("One =~ a + b + c\nTwo =~ d + e + f\ny ~ One + Two", data)
    assert "near-singular" in message or "not converged" in message
    assert "collinear predictors One, Two" in message


def test_a_latent_that_mixes_others():
    corr = np.eye(6)
    for i, j, r in ((0, 1, 0.6), (2, 3, 0.6), (4, 5, 0.6)):
        corr[i, j] = corr[j, i] = r
    for block, r in (((0, 2), 0.4), ((0, 4), 0.4), ((2, 4), -0.2)):
        i, j = block
        corr[i : i + 2, j : j + 2] = r
        corr[j : j + 2, i : i + 2] = r
    data = cx.Moments.from_correlation(list("abcdef"), corr, 300)
    with pytest.warns(cx.ModelWarning, match="are those of no variables .smallest eigenvalue -0"):
        fit = cx.sem("A =~ a + b\nB =~ c + d\nC =~ e + f", data)
    assert [problem.kind for problem in fit.problems] == ["not_positive"]


def test_answers_without_a_factor():
    noise = np.random.default_rng(2).normal(size=(400, 6))
    frame = pd.DataFrame(noise, columns=list("abcdef"))
    fit = quiet("A =~ a + b + c\nB =~ d + e + f", frame)
    assert fit.problems
    assert not fit.sound or fit.fit_indices["chisq"] < 30


def test_doubled_rows_are_no_reason_to_refuse(frame):
    fit = cx.sem(HOLZINGER, pd.concat([frame, frame]))
    assert fit.fit_indices["chisq"] == pytest.approx(2 * CHISQ, rel=1e-9)


def test_problems_are_said_in_both_languages():
    prefix = "sem.problem."
    kinds = {key.removeprefix(prefix) for key in catalogue() if key.startswith(prefix)} - {"head"}
    assert kinds > Problem.fatal_kinds
    for kind in kinds:
        problem = Problem(kind, ("Image", "Trust"), 1.5)
        english, chinese = problem.message
        assert str(problem) == english
        assert re.search("[\u4e00-\u9fff]", chinese)
        assert not re.search("[\u4e00-\u9fff]", english)
        assert ("Image, Trust" in english) == ("Image、Trust" in chinese)
        assert ("1.5" in english) == ("1.5" in chinese)


def test_problems_follow_the_language_that_is_set():
    fit = quiet("f =~ x1 + x2", holzinger())
    cx.set_language("zh")
    try:
        assert str(fit.problems[0]).startswith("不可识别")
        with pytest.raises(cx.CxError, match="no bootstrap: not identified"):
            fit.bootstrap()
    finally:
        cx.set_language("en")


def test_fit_and_explained_variance_are_exported_beside_the_table():
    tables = cx.sem(HOLZINGER, holzinger()).tables()
    assert list(tables) == ["table", "fit_indices", "r_squared"]
    assert dict(tables["fit_indices"].to_numpy())["df"] == 24
