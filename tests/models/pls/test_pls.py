"""What users meet: refusals, problems, words, tables and charts."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.models.pls.design import read_design
from tests.models.pls.models import CORP, EXTENDED, MOBI, SMALL, answers, corp, mobi

# Model: line of the error (0 where it has none) and the message.
REFUSED = {
    "f =~ a + b\nf ~~ f": (2, "PLS has no covariances"),
    "f =~ a + b\ny ~ 1 + f": (2, "'y ~ 1': PLS has no intercepts"),
    "f =~ 1*a + b\ny ~ f": (1, "'f =~ a' has a fixed value; PLS takes labels only"),
    "f =~ a + b\ny ~ start(0.5)*f": (2, "'y ~ f' has a starting value"),
    "f =~ a + b\ny ~ c(p, q)*f": (2, "has labels for groups; see compare_groups"),
    "f =~ a + b\ny ~ p*f\nz ~ p*f": (3, "'z ~ f' shares a label with 'y ~ f'"),
    "f =~ a + b\ny ~ p*f\np > 0": (0, r"line 3: a constraint \(>\)"),
    "f =~ a\nf <~ b\ny ~ f": (2, r"'f' is both reflective \(=~\) and formative \(<~\)"),
    "f =~ a + b\ng =~ b + c\ng ~ f": (2, "item 'b' belongs to 'f' and 'g'; allowed: one"),
    "f =~ a + b\ng =~ f + c\ng ~ f": (3, "'f' is a dimension of 'g', and stands in a path too"),
    "f =~ a\ng =~ f\nh =~ g + b\ny ~ h": (2, "'f' is in 'g', and that in 'h'; allowed: .*second"),
    "f =~ a\ng =~ b\nh =~ f\nk =~ f\ny ~ h + k": (4, "item 'f' belongs to 'h' and 'k'"),
    "y ~ a + b + c + a:b:c": (1, "'a:b:c' is a product of 3; allowed: two constructs, as in a:b"),
    "y ~ a + a:b": (1, r"'a:b' stands without 'b'.* write 'y ~ a \+ b \+ a:b'"),
    "y ~ a + b\na:b ~ y": (2, "'a:b': an interaction stands on the right of '~' only"),
    "f =~ a:b + c\ny ~ f": (1, "'a:b': an interaction stands on the right of '~' only"),
    "y ~ a:b*x": (1, "'a:b': an interaction stands on the right of '~' only"),
    "X =~ a + b\nY ~ Z + X*Z": (0, r"'X' is in no path.* a label; .* 'Y ~ X \+ Z \+ X:Z'"),
    "y ~ a + y:a": (1, "'y:a' has 'y' in it, which it explains; allowed: predictors"),
    "group: 1\ny ~ a": (1, "blocks"),
    "y ~ a\nlevel: within": (2, "blocks"),
    "f =~ a + b\ny ~ f + a": (2, "'a' is an item, and stands in a path too"),
    "f =~ a + b\ng =~ c + d": (0, "no path between constructs"),
    "f =~ a + b\ng =~ c + d\ny ~ f": (0, "construct 'g' is in no path"),
    "f =~ a\ng =~ b\nh =~ c\ng ~ f + h\nh ~ g": (0, "circle: (g → h → g|h → g → h); PLS needs"),
}


def test_too_many_chains():
    names = [f"x{i}" for i in range(18)]
    dense = "\n".join(f"{y} ~ {' + '.join(names[:i])}" for i, y in enumerate(names) if i)
    with pytest.raises(cx.CxError, match="more than 10000 chains of paths"):
        read_design(dense)


@pytest.mark.parametrize("model", REFUSED)
def test_models_that_are_refused(model):
    line, message = REFUSED[model]
    with pytest.raises(cx.CxError, match=message) as caught:
        read_design(model)
    assert getattr(caught.value, "line", 0) == line


def test_sem_refuses_composites():
    with pytest.raises(cx.ModelSyntaxError, match=r"line 2, column 6: .*composites are for cx.pls"):
        cx.sem("f =~ q1 + q2\ng <~ l1 + l2\ng ~ f", answers())


OPTIONS = {
    "scheme is 'pca'; allowed: path, centroid, factorial": {"scheme": "pca"},
    "missing is 'drop'; allowed: listwise, mean": {"missing": "drop"},
    "level is 95": {"level": 95},
    "n_resamples is -1": {"n_resamples": -1},
    "seed is 0.5": {"seed": 0.5},
}


@pytest.mark.parametrize("message", OPTIONS)
def test_options_that_are_refused(message):
    with pytest.raises(cx.CxError, match=message):
        cx.pls(SMALL, answers(), **OPTIONS[message])


DATA = {
    "names 'l2', which is no column of the data.*there are: q1": lambda f: f.drop(columns="l2"),
    "'q1' is constant": lambda f: f.assign(q1=3.0),
    "'q1' is not numeric.*row 0 has 'high'": lambda f: f.assign(q1="high"),
    "infinite": lambda f: f.assign(q1=np.inf),
    "fewer than 2|complete|no cases": lambda f: f.head(1),
    "2 complete cases; at least 3": lambda f: f.head(2),
}


@pytest.mark.parametrize("message", DATA)
def test_data_that_are_refused(message):
    with pytest.raises(cx.DataError, match=message):
        cx.pls(SMALL, DATA[message](answers()))


def test_moments_without_an_item():
    with pytest.raises(cx.CxError, match="no item 'l2' in the moments; there are: q1, q2, q3, l1"):
        cx.pls(SMALL, cx.moments(answers(), ["q1", "q2", "q3", "l1"]))


def test_formative_items_that_repeat_each_other():
    frame = answers().assign(sum=lambda f: f["q1"] + f["q2"])
    model = "Quality <~ q1 + q2 + sum ; l1 ~ Quality"
    with pytest.warns(cx.ModelWarning, match="items of Quality repeat each other exactly"):
        fit = cx.pls(model, frame)
    assert not fit.sound
    assert fit.table["estimate"].isna().all()
    assert fit.effects["total"].isna().all()
    assert "No numbers are given" in fit.summary()
    with pytest.raises(cx.CxError, match="no bootstrap: the items of Quality"):
        fit.bootstrap(10)
    fit.plot()


def test_predictors_that_repeat_each_other():
    frame = answers().assign(copy=lambda f: 2 * f["q1"])
    with pytest.warns(cx.ModelWarning, match="predictors of the first repeat"):
        fit = cx.pls("l1 ~ q1 + copy", frame)
    assert not fit.sound


def test_reliability_that_cannot_be():
    corr = [[1], [0.1, 1], [0.6, 0.6, 1], [0.5, 0.5, 0.5, 1]]
    data = cx.Moments.from_correlation(["a", "b", "c", "d"], corr, n=100)
    with pytest.warns(cx.ModelWarning, match="rho_A of f is .*above 1|beyond 1|AVE of f"):
        fit = cx.pls("f =~ a + b ; g =~ c + d ; g ~ f", data, consistent=True)
    assert fit.problems
    corr = [[1], [-0.3, 1], [0.3, 0.2, 1]]
    data = cx.Moments.from_correlation(["a", "b", "y"], corr, n=100)
    with pytest.warns(cx.ModelWarning, match="rho_A of f is -.*do not measure one thing"):
        fit = cx.pls("f =~ a + b ; y ~ f", data, consistent=True)
    assert not fit.sound


def test_collinearity_and_negative_weights_are_named():
    frame = answers()
    frame["twin"] = frame["q1"] + 0.2 * frame["l2"]
    fit = cx.pls("Q <~ q1 + twin + q2 ; l1 ~ Q", frame)
    kinds = {problem.kind: problem for problem in fit.problems}
    assert kinds["negative_weight"].names == ("q1",)
    assert kinds["vif_outer"].value >= 5
    kinds = {problem.kind for problem in cx.pls("l1 ~ q1 + twin", frame).problems}
    assert kinds == {"vif_inner"}


def test_the_table():
    table = cx.pls(EXTENDED, corp(), missing="mean", n_resamples=200).table
    assert list(table.columns) == [
        "lhs", "op", "rhs", "label", "group", "estimate", "se", "z", "p_value", "ci_low",
        "ci_high", "std", "n",
    ]  # fmt: skip
    assert table["op"].drop_duplicates().tolist() == ["<~", "=~", "~"]
    assert (table["op"] == "<~").sum() == 21
    moving = table[(table["rhs"] != "cusa") | (table["op"] == "~")]
    assert (moving["ci_low"] < moving["ci_high"]).all()
    assert moving[["se", "z", "p_value"]].notna().all(axis=None)


def test_tables_of_quality():
    fit = cx.pls(MOBI, mobi())
    crossed = fit.cross_loadings
    for row in fit.loadings.itertuples():
        assert crossed.loc[row.item, row.construct] == pytest.approx(row.loading, abs=1e-12)
        assert row.communality == pytest.approx(row.loading**2)
    square = fit.fornell_larcker
    np.testing.assert_allclose(np.diag(square) ** 2, fit.quality["ave"])
    assert square.loc["Loyalty", "Image"] == pytest.approx(
        fit.scores.corr().loc["Loyalty", "Image"]
    )


def test_words_in_both_languages():
    fit = cx.pls(CORP, corp(), missing="mean")
    english, chinese = fit.summary(), fit.summary("zh")
    assert "CUSL ~ CUSA: 0.504 [" in english
    assert "11 missing answers were replaced" in english
    assert "路径加权方案" in chinese
    assert repr(fit) == english
    assert "<table" in fit._repr_html_()
    frame = corp().assign(half=np.arange(344) % 2)
    others = [
        fit.bootstrap(50), fit.predict(5, 1), fit.ipma("CUSL", (1, 7), n_resamples=50),
        cx.pls(CORP, frame).compare_groups("half", 50),
    ]  # fmt: skip
    for other in others:
        assert other.summary("zh") != other.summary() == repr(other)
        assert "<table" in other._repr_html_()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_charts(lang):
    fit = cx.pls(EXTENDED, corp(), missing="mean", n_resamples=100)
    texts = " ".join(text.get_text() for text in fit.plot(lang=lang).figure.texts)
    assert "QUAL" in texts or lang == "zh"
    assert ("cusa", "cusa") not in zip(fit.table["lhs"], fit.table["rhs"], strict=True)
    frame = corp().assign(half=np.arange(344) % 2)
    others = [
        fit.bootstrap(50), fit.predict(5, 1), fit.ipma("CUSL", (1, 7), n_resamples=50),
        cx.pls(CORP, frame).compare_groups("half", 50),
    ]  # fmt: skip
    for other in others:
        drawn = other.plot(lang=lang)
        assert drawn.get_xlabel() or drawn.figure.texts


def test_codes_are_read_in_words():
    fit = cx.pls(EXTENDED, corp(), missing="mean", n_resamples=20)
    modes = fit.translated("zh")["quality"]["mode"]
    assert set(modes) == {"反映型（A）", "形成型（B）", "单题项"}
    assert set(fit.quality["mode"]) == {"A", "B", "single"}
    kinds = fit.inference.translated("en")["table"]["kind"]
    assert {"path", "total effect", "R²"} <= set(kinds)
    compared = fit.predict(5, 1).translated("en")["comparison"]
    assert set(compared["benchmark"]) == {"mean", "linear model"}
    assert compared["construct"].iloc[-1] == "all items"


def test_simulated_data_say_so():
    frame = answers()
    frame.attrs["synthetic"] = True
    fit = cx.pls(SMALL, frame)
    assert fit.synthetic
    assert fit.bootstrap(20).synthetic


def test_the_name_is_the_function():
    from cxstats.models.pls.fit import pls

    assert cx.pls is pls


def test_pairs_that_are_not_distinct_are_named_by_rule():
    fit = cx.pls(MOBI, mobi(), n_resamples=100)
    by_rule = {}
    for problem in fit.problems:
        by_rule.setdefault(problem.kind, set()).add(frozenset(problem.names))
    ratios = {frozenset((r.first, r.second)): r.htmt for r in fit.htmt.itertuples()}
    assert by_rule["htmt_90"] == {pair for pair, ratio in ratios.items() if ratio >= 0.9}
    assert by_rule["htmt_85"] == {pair for pair, ratio in ratios.items() if 0.85 <= ratio < 0.9}
    table = fit.fornell_larcker
    expected = {
        frozenset((one, other))
        for one in table
        for other in table
        if one != other and abs(table.loc[one, other]) > table.loc[one, one]
    }
    assert by_rule.get("fornell_larcker", set()) == expected
    assert expected
    assert "Gold, Malhotra & Segars" in fit.summary()
    assert "Fornell" in fit.summary("zh")


def two_dimensions(n=300):
    rng = np.random.default_rng(7)
    factors = rng.normal(size=(n, 3))
    factors[:, 1] += factors[:, 0]
    factors[:, 2] += factors[:, 0] * factors[:, 1]
    items = factors[:, [0, 0, 1, 1, 2, 2]] + 0.5 * rng.normal(size=(n, 6))
    return pd.DataFrame(items, columns=["a1", "a2", "b1", "b2", "y1", "y2"])


FIRST_STAGE = "A =~ a1 + a2\nB =~ b1 + b2\nY =~ y1 + y2\nY ~ A + B"


def test_an_item_of_two_constructs_is_refused_with_the_way_to_a_higher_order():
    model = FIRST_STAGE.replace("Y ~ A + B", "H =~ a1 + a2 + b1 + b2\nY ~ H")
    with pytest.raises(cx.CxError, match=r"a higher-order construct, written 'H =~ A \+ B'"):
        cx.pls(model, two_dimensions())


def test_a_missing_code_among_the_answers_is_noted():
    frame = answers()
    frame = (frame - frame.min()).round()
    assert not any("missing code" in note.en for note in cx.pls(SMALL, frame, n_resamples=0).notes)
    frame.loc[:5, "q1"] = -99
    for missing in ("listwise", "mean"):
        fit = cx.pls(SMALL, frame, missing=missing, n_resamples=0)
        (note,) = [note for note in fit.notes if "missing code" in note.en]
        assert "column 'q1' has the value -99 in 6 rows" in note.en.replace("\u2212", "-")
        assert "6 行" in note.zh
    assert cx.pls(SMALL, cx.moments(frame), n_resamples=0).notes == ()
