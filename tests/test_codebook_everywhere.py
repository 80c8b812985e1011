"""Every method that takes a frame takes ``codebook=``: raw answers give what cleaned ones give."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest

import cxstats as cx
from cxstats.core.errors import CxError
from cxstats.satisfaction import emotion, estimate_service_weights
from tests.survey.test_coding import as_engine

# Why a public function whose first argument could be a table has no codebook.
WITHOUT = {
    "write_table": "it writes what it is given",
    "access_matrix": "rights of departments are no answers",
    "sharing_matrix": "shares of information are no answers",
    "event_log": "a log of a process holds no answers",
    "transactions": "purchases are no answers",
    "churn_paths": "events of customers are no answers",
    "survival": "times until an event are no answers",
    "feedback_register": "a register of feedback holds no answers",
    "improvement_log": "changes are no answers",
    "agreement": "ratings of raters are no answers of respondents",
    "find_personal_data": "it looks for persons, whatever was asked",
    "mask_personal_data": "it looks for persons, whatever was asked",
    "containment": "a log of contacts holds no answers",
    "forecast_demand": "counts of contacts by time are no answers",
    "promise_kept": "promises and what became of them are no answers",
    "maturity_matrix": "maturity scores of judges are no answers of respondents",
    "all_weights": "options by criteria, lent no scale; weight_sensitivity takes a codebook",
    "explore_bootstrap": "values of one column, as cleaning gives them",
    "ahp": "judgements of pairs are no table of respondents",
}
FRAMES = ("frame", "data", "scores", "events", "values")
ALL = ["x1", "x2", "x3", "y1", "y2", "y3", "z"]
BOOK = cx.Codebook(
    scale=(1, 7),
    constructs={"X": ["x1", "x2", "x3"], "Y": ["y1", "y2", "y3"]},
    reverse=["x3"],
    best={"Y": "low"},
    answers={"完全同意": 7, "Fully disagree": 1, "9": 4},
    missing=[-99],
    questions={"overall": {"kind": "rating", "column": "z", "scale": [1, 7], "best": "low"}},
    groups={"g": {"same": {"b ": "B"}, "order": ["B", "A"]}},
    respondent="id",
    weights="w",
)
MODEL = "X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nY ~ X"


def raw(n=240, seed=5):
    """Return answers as a file has them: texts, codes, missing codes, against their direction."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 1))
    answers = np.clip(np.rint(4 + 1.1 * factor + rng.normal(size=(n, 7))), 1, 7)
    frame = pd.DataFrame(answers, columns=ALL)
    for name in ("x3", "y1", "y2", "y3", "z"):
        frame[name] = 8 - frame[name]
    frame["x1"] = frame["x1"].map(lambda x: {7: "完全同意 ", 1: "FULLY disagree"}.get(x, f"{x:g}"))
    frame["x2"] = frame["x2"].replace(4, 9)
    frame.loc[[3, 50], "y2"] = -99
    frame["g"] = np.where(rng.random(n) < 0.5, "A", np.where(rng.random(n) < 0.3, "b ", "B"))
    frame["w"] = rng.uniform(0.4, 2, n).round(2)
    frame["id"] = [f"R{i}" for i in range(n)]
    return frame


QUICK = {"n_resamples": 60}
METHODS = {
    "drivers": lambda f, **o: cx.drivers(f, "z", ["x1", "x2", "x3"], by="g", **QUICK, **o),
    "ordered_logit": lambda f, **o: cx.ordered_logit(f, "z", ["x1", "y1"], **o),
    "penalty_reward": lambda f, **o: cx.penalty_reward(
        f, "z", ["x1", "x2"], low=2, high=6, **QUICK, **o
    ),
    "importance_performance": lambda f, **o: cx.importance_performance(
        f, ["x1", "x2", "x3"], outcome="z", **QUICK, **o
    ),
    "sem": lambda f, **o: cx.sem(MODEL, f, **o),
    "cfa": lambda f, **o: cx.cfa("X =~ x1 + x2 + x3", f, group="g", **o),
    "ordered": lambda f, **o: cx.cfa("Y =~ y1 + y2 + y3", f, ordered=True, **o),
    "invariance": lambda f, **o: cx.invariance("X =~ x1 + x2 + x3", f, "g", **o),
    "pls": lambda f, **o: cx.pls(MODEL, f, **QUICK, **o),
    "ordinal_reliability": lambda f, **o: cx.ordinal_reliability("X =~ x1 + x2 + x3", f, **o),
    "ab_test": lambda f, **o: cx.ab_test(
        f, outcome="z", group="g", control="A", metric="mean", **o
    ),
    "reliability": lambda f, codebook=BOOK, **o: cx.reliability(f, codebook, **QUICK, **o),
    "moments": lambda f, codebook=None, **o: cx.moments(f, ALL, codebook=codebook, **o),
}
# Methods without weights of their own, or whose weights are those of items.
PLAIN = {
    "polychoric": lambda f, **o: cx.polychoric(f, ["x1", "x2", "x3"], **o),
    "satisfaction_index": lambda f, **o: cx.satisfaction_index(f, ["x1", "x2"], by="g", **o),
    "weighted_score": lambda f, **o: cx.weighted_score(
        f, {"x1": 0.5, "x2": 0.5}, on_missing="drop", **o
    ),
    "emotion": lambda f, **o: emotion(f, "z", "x1", "x2", **QUICK, **o),
    "fair_ranking": lambda f, **o: cx.fair_ranking(f, "z", "x3", "g", n_draws=500, **o),
    "service": lambda f, **o: estimate_service_weights(f, "z", "x1", "x2", "x3", **QUICK, **o),
    "regression": lambda f, **o: cx.weights(
        f, "regression", outcome="z", drivers=["x1", "x2"], negative="zero", **QUICK, **o
    ),
    "shapley": lambda f, **o: cx.weights(
        f, "shapley", outcome="z", drivers=["x1", "x2"], **QUICK, **o
    ),
    "servperf": lambda f, codebook=BOOK, **o: cx.servperf(f, codebook, by="g", **QUICK, **o),
}


def public_functions():
    for name in cx._PUBLIC:
        function = getattr(cx, name)
        if inspect.isfunction(function):
            yield name, inspect.signature(function).parameters


def test_every_method_of_a_frame_takes_a_codebook():
    lacking = []
    for name, parameters in public_functions():
        first = next(iter(parameters), "")
        takes_frame = first in FRAMES or "frame" in parameters or "data" in parameters
        passes_on = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        if takes_frame and "codebook" not in parameters and not passes_on:
            lacking.append(name)
    assert sorted(set(lacking) - set(WITHOUT)) == []


def test_the_reasons_are_of_methods_that_have_none():
    parameters = dict(public_functions())
    assert [name for name in WITHOUT if "codebook" in parameters[name]] == []


def table_of(result):
    if isinstance(result, cx.Moments):
        return pd.DataFrame(result.cov, result.names, result.names)
    return result.table


def assert_same(result, expected):
    left, right = table_of(result), table_of(expected)
    pd.testing.assert_frame_equal(left, right, rtol=1e-6, atol=1e-8, check_categorical=False)


@pytest.fixture(scope="module")
def cleaned():
    table, _ = cx.clean(raw(), BOOK)
    table["g"] = table["g"].astype(pd.CategoricalDtype(["B", "A"], ordered=True))
    return table


@pytest.mark.filterwarnings("ignore::cxstats.ModelWarning")
@pytest.mark.parametrize("name", METHODS)
def test_raw_answers_give_what_cleaned_ones_give(name, cleaned):
    method = METHODS[name]
    more = {"scale": (1, 7)} if name in ("penalty_reward", "importance_performance") else {}
    expected = method(cleaned, weights="w", **more)
    assert_same(method(raw(), codebook=BOOK), expected)
    assert_same(method(cleaned, codebook=BOOK), expected)
    for engine in ("polars", "duckdb"):
        assert_same(method(as_engine(raw(), engine), codebook=BOOK), expected)
    unweighted = method(
        cleaned, **({"codebook": BOOK, "weights": None} if name == "reliability" else {}), **more
    )
    assert_same(method(raw(), codebook=BOOK, weights=None), unweighted)
    assert not np.allclose(
        table_of(unweighted).select_dtypes("number").fillna(0).to_numpy(float).sum(),
        table_of(expected).select_dtypes("number").fillna(0).to_numpy(float).sum(), rtol=1e-9,
    )  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_raw_answers_give_what_cleaned_ones_give_without_weights(name, cleaned):
    method = PLAIN[name]
    takes = name in ("satisfaction_index", "weighted_score", "servperf")
    more = {"design": cx.Design(weights="w")} if takes else {}
    if name == "satisfaction_index":
        more["scale"] = (1, 7)
    expected = method(cleaned, **more)
    result = method(raw(), codebook=BOOK)
    assert_same(result, expected)
    assert_same(method(as_engine(raw(), "polars"), codebook=BOOK), expected)
    said = any("the sampling design; they are left out" in note.en for note in result.notes)
    assert said is not takes


GROUPED = {
    "drivers": lambda f: cx.drivers(f, "z", ["x1", "x2"], by="g", codebook=BOOK, **QUICK),
    "servperf": lambda f: cx.servperf(f, BOOK, by="g", **QUICK),
    "index": lambda f: cx.satisfaction_index(f, ["x1", "x2"], by="g", codebook=BOOK),
}


@pytest.mark.parametrize("engine", ["pandas", "polars", "duckdb"])
@pytest.mark.parametrize("name", GROUPED)
def test_groups_have_their_declared_names_and_order(name, engine):
    result = GROUPED[name](as_engine(raw(), engine))
    assert list(dict.fromkeys(result.groups["group"])) == ["B", "A"]


def test_moments_take_no_weights_of_a_codebook(cleaned):
    moments = cx.moments(cleaned, ALL)
    assert cx.reliability(moments, BOOK).design is None
    assert cx.sem(MODEL, moments, codebook=BOOK).n == moments.n
    with pytest.raises(CxError, match="needs the respondents"):
        cx.sem(MODEL, moments, weights="w", codebook=BOOK)


def test_methods_that_refuse_a_design_say_how_to_leave_it_out():
    frame = raw()
    with pytest.raises(CxError, match="left out by weights=None"):
        cx.pain_points(frame, "g", codebook=BOOK)
    result = cx.pain_points(frame, "g", codebook=BOOK, weights=None)
    assert sorted(result.table["cause"]) == ["A", "B"]


def test_kano_reads_its_pairs_of_questions():
    rng = np.random.default_rng(2)
    codes = rng.integers(1, 6, (60, 2))
    words = np.array(["喜欢", "理应如此", "无所谓", "可以忍受", "不喜欢"])
    names = ["App_functional", "App_dysfunctional"]
    frame = pd.DataFrame(words[codes - 1], columns=names)
    book = cx.Codebook(
        questions={n: {"kind": "rating", "column": n, "scale": [1, 5]} for n in names},
        answers={word: i + 1 for i, word in enumerate(words)},
    )
    expected = cx.kano(pd.DataFrame(codes, columns=names), ["App"], **QUICK)
    assert_same(cx.kano(frame, ["App"], codebook=book, **QUICK), expected)


def test_shares_of_answers_are_weighted(cleaned):
    from cxstats.charts import answer_shares, likert

    shares = answer_shares(raw(), BOOK)
    x1 = cleaned["x1"]
    for value in range(1, 8):
        share = 100 * cleaned["w"][x1 == value].sum() / cleaned["w"].sum()
        assert shares.loc["x1", value] == pytest.approx(share)
    plain = answer_shares(raw(), BOOK, design=None)
    assert plain.loc["x1", 7] == pytest.approx(100 * (x1 == 7).mean())
    axes = likert(raw(), BOOK, source="test")
    assert any(
        "weighted by w" in text.get_text()
        for text in axes.figure.findobj()
        if hasattr(text, "get_text")
    )


def test_lazy_tables_are_not_collected_by_metrics(monkeypatch):
    frame = as_engine(raw(), "lazy")
    rows = []
    collect = pl.LazyFrame.collect

    def counted(self, *args, **kwargs):
        result = collect(self, *args, **kwargs)
        rows.append(len(result))
        return result

    monkeypatch.setattr(pl.LazyFrame, "collect", counted)
    book = cx.Codebook(
        questions={"z": {"kind": "csat", "column": "z", "scale": [1, 7]},
                   "x": {"kind": "csat", "column": "x1", "scale": [1, 7]}},
        answers=BOOK.answers,
    )  # fmt: skip
    cx.csat(frame, by="g", column="z", codebook=book)
    cx.csat(frame, by="g", column="x", codebook=book)
    assert rows
    assert max(rows) < 10


def test_experiments_read_by_the_codebook(cleaned):
    options = {"outcome": "z", "group": "g", "control": "A"}
    for method, more in (
        (cx.experiments.cuped, {"covariates": "x1"}),
        (cx.experiments.always_valid, {"tuned_at": 200, "metric": "mean", "start": 20}),
    ):
        frame, expected = raw(), method(cleaned, **options, **more)
        assert_same(method(frame, codebook=BOOK, **options, **more, **NO_DESIGN[method]), expected)
        lazy = method(
            as_engine(frame, "polars"), codebook=BOOK, **options, **more, **NO_DESIGN[method]
        )
        assert_same(lazy, expected)
    with pytest.raises(CxError, match="out by design=None"):
        cx.experiments.cuped(raw(), codebook=BOOK, covariates="x1", **options)
    always = cx.experiments.always_valid(
        raw(), codebook=BOOK, tuned_at=200, metric="mean", **options
    )
    assert any("'w' of the codebook" in note.en for note in always.notes)


NO_DESIGN = {
    cx.experiments.cuped: {"design": None},
    cx.experiments.always_valid: {"cluster": None},
}
NEAR = {
    "column of a metric": lambda f: cx.csat(f, column="Z", scale=(1, 7)),
    "of groups": lambda f: cx.csat(f, by="G", column="z", scale=(1, 7)),
    "of a model": lambda f: cx.sem("X =~ x1 + x2 + Y3", f),
    "of its groups": lambda f: cx.sem("X =~ y1 + y2 + y3", f, group="G"),
    "of ordered answers": lambda f: cx.sem("X =~ y1 + y2 + y3", f, group="G", ordered=True),
    "of pls": lambda f: cx.pls("X =~ y1 + Y2 ; Y =~ y3 ; Y ~ X", f),
    "of drivers": lambda f: cx.drivers(f, "Z", ["y1", "y2"]),
    "of a driver": lambda f: cx.drivers(f, "z", ["Y1", "y2"]),
    "of penalties": lambda f: cx.penalty_reward(f, "z", ["Y1"], low=2, high=6),
    "of importance": lambda f: cx.importance_performance(f, ["Y1", "y2"], outcome="z"),
    "of causes": lambda f: cx.pain_points(f, "G"),
    "of kano": lambda f: cx.kano(f, {"A": ("Y1", "y2")}),
    "of an index": lambda f: cx.satisfaction_index(f, ["Y1", "y2"]),
    "of a score": lambda f: cx.weighted_score(f, {"Y1": 0.5, "y2": 0.5}),
    "of an experiment": lambda f: cx.ab_test(f, outcome="Z", group="g", control="A"),
    "of weights": lambda f: cx.csat(f, column="z", scale=(1, 7), weights="W"),
    "of moments": lambda f: cx.moments(f, ["Y1", "y2"]),
    "of polychoric": lambda f: cx.polychoric(f, ["Y1", "y2"]),
    "of choices": lambda f: cx.choices(f, {"kind": "choices", "column": "Z"}),
    "by of servperf": lambda f: cx.servperf(f, BOOK, by="G"),
    "of a service score": lambda f: estimate_service_weights(f, "Z", "y1", "y2", "y3"),
    "control": lambda f: cx.ab_test(f, outcome="z", group="g", control="a", metric="mean"),
    "reference": lambda f: cx.csat(f, by="g", column="z", scale=(1, 7)).compare("b"),
    "baseline": lambda f: cx.track(
        cx.csat(
            f.assign(g=["May 2024", "June 2024", "July 2024"] * 80),
            by="g",
            column="z",
            scale=(1, 7),
        ),
        baseline=["Jully 2024"],
    ),
}


@pytest.mark.parametrize("name", NEAR)
def test_what_looks_alike_is_offered(name):
    """Names in the other case stand for all that differ in what is hardly seen."""
    with pytest.raises(CxError, match=r"which has '|did you mean '"):
        NEAR[name](raw())


STRAY = {name: call for name, call in METHODS.items() if name not in ("moments", "invariance")} | {
    "csat": lambda f, **o: cx.csat(f, column="x1", scale=(1, 7), **o),
    "moments": lambda f, **o: cx.moments(f, ALL, **o),
    "invariance": METHODS["invariance"],
}


@pytest.mark.parametrize("name", STRAY)
def test_a_stray_text_is_named_with_its_row(name):
    frame = raw().set_index(np.arange(240) + 2)
    for column in ("x1", "y1", "z"):
        frame[column] = frame[column].astype(object)
    columns = {"x1": "x1", "y1": "y1", "z": "z"}
    for column in columns:
        frame.loc[9, column] = "often"
    message = (
        r"row 9 \(respondent 'R7'\), column '(x1|y1|z)': 'often' is not a number; allowed: 1 to 7"
    )
    with pytest.raises(CxError, match=message):
        STRAY[name](frame, codebook=BOOK)
