"""Which end of a scale is good, and what means no answer: said once, heard everywhere."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.survey.answers import answers, numbers
from cxstats.survey.codebook import as_codebook
from cxstats.survey.direction import best_by_labels, tone

CONSTRUCTS = {"A": ["a1", "a2", "a3"], "B": ["b1", "b2", "b3"]}


def responses(n=200, seed=3):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 2))
    x = np.repeat(factor, 3, axis=1) + 0.8 * rng.normal(size=(n, 6))
    frame = pd.DataFrame(x, columns=[*CONSTRUCTS["A"], *CONSTRUCTS["B"]])
    return (3 + frame).round().clip(1, 5)


# Texts for "no answer"


def test_a_text_code_is_no_answer_everywhere():
    frame = responses().astype(object)
    frame.loc[:4, "a1"] = "#NULL!"
    book = cx.Codebook(scale=(1, 5), constructs=CONSTRUCTS, missing=["#NULL!", -99])
    expected = responses()
    expected.loc[:4, "a1"] = np.nan
    np.testing.assert_array_equal(answers(frame, book), expected.to_numpy())
    report = cx.check(frame, book)
    assert report.counts["declared_missing"] == 5
    assert report.counts["not_a_number"] == 0
    table, changes = cx.clean(frame, book)
    np.testing.assert_array_equal(table["a1"], expected["a1"])
    assert (changes.changes["before"] == "#NULL!").sum() == 5
    plain = cx.Codebook(scale=(1, 5), constructs=CONSTRUCTS)
    own = cx.reliability(frame, book).table["alpha"]
    np.testing.assert_allclose(own, cx.reliability(expected, plain).table["alpha"], rtol=1e-12)
    off = cx.check(frame.assign(a2=9), book)
    problem = next(p for p in off.problems if p.kind == "out_of_range")
    assert "#NULL!" in problem.message.en


def test_a_text_code_survives_the_file(tmp_path):
    book = cx.Codebook(scale=(1, 5), constructs=CONSTRUCTS, missing=["#NULL!", -99], best="low")
    book.write(tmp_path / "book.yml")
    assert cx.Codebook.read(tmp_path / "book.yml") == book
    assert "best" not in cx.Codebook(scale=(1, 5), constructs=CONSTRUCTS).to_dict()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"missing": ["5"]}, "missing.*'5' is not allowed.*numbers, or texts"),
        ({"missing": [" "]}, "missing.*numbers, or texts such as '#NULL!'"),
        ({"missing": ["x"], "answers": {"x": 1}}, "answers.*'x' is not allowed.*missing"),
        ({"best": "up"}, "best.*'up' is not allowed.*'high' or 'low'"),
        ({"best": {"Z": "low"}}, "best.*'Z' is not allowed"),
        ({"scale": (5, 1)}, "scale.*say best: low"),
    ],
)
def test_bad_codebooks(change, message):
    with pytest.raises(cx.DataError, match=message):
        cx.Codebook(**({"scale": (1, 5), "constructs": CONSTRUCTS} | change))


def test_the_message_on_a_null_says_what_to_do():
    with pytest.raises(cx.DataError, match=r"'#NULL!' is not a number; if it means no answer"):
        numbers(pd.DataFrame({"a": [1, "#NULL!"]}), "a")
    with pytest.raises(cx.DataError, match=r"see cxstats\.check"):
        numbers(pd.DataFrame({"a": [1, "often"]}), "a")


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "sav"])
def test_read_survey_empties_what_means_no_answer(tmp_path, suffix):
    path = tmp_path / f"file.{suffix}"
    frame = pd.DataFrame({"a": [1, -99, 3], "b": [4, 5, 5], "c": ["x", "#NULL!", "y"]})
    if suffix == "csv":
        frame.astype(object).replace({-99: "#NULL!"}).to_csv(path, index=False)
    elif suffix == "xlsx":
        frame.to_excel(path, index=False)
    else:
        import pyreadstat

        pyreadstat.write_sav(frame, str(path))
    found = cx.read_survey(path, missing=[-99, "#NULL!"])
    np.testing.assert_array_equal(found["a"].to_numpy(float), [1, np.nan, 3])
    assert found["c"].isna().tolist() == [False, True, False]
    report = found.attrs["read_report"]
    assert report.missing == {"a": 1, "c": 1}
    assert found["b"].tolist() == [4, 5, 5]
    for wrong, message in (("#NULL!", "allowed: a list"), ([None], "missing holds None")):
        with pytest.raises(cx.CxError, match=message):
            cx.read_survey(path, missing=wrong)


# The good end of a scale


def test_best_low_counts_the_other_end():
    scores = responses()["a1"]
    turned = cx.csat(6 - scores, scale=(1, 5))
    found = cx.csat(scores, scale=(1, 5), best="low")
    columns = ["estimate", "ci_low", "ci_high", "n"]
    pd.testing.assert_frame_equal(found.table[columns], turned.table[columns])
    assert any("1 is the best answer and 5 the worst" in note.en for note in found.notes)
    assert any("1 为最好" in note.zh for note in found.notes)
    mean = cx.csat(scores, kind="mean", scale=(1, 5), best="low")
    assert mean.table["estimate"].iloc[0] == pytest.approx(scores.mean())
    counts = {point: int((scores == point).sum()) for point in range(1, 6)}
    counted = cx.csat_from_counts(counts, scale=(1, 5), best="low")
    pd.testing.assert_frame_equal(counted.table[columns[:1]], found.table[columns[:1]])


def test_ces_on_a_scale_where_1_is_very_easy():
    scores = responses()["a1"]
    found = cx.ces(scores, "ease", kind="top_box", scale=(1, 5), best="low")
    assert found.table["estimate"].iloc[0] == pytest.approx((scores == 1).mean())
    counts = {point: int((scores == point).sum()) for point in range(1, 6)}
    again = cx.ces_from_counts(counts, "ease", kind="top_box", scale=(1, 5), best="low")
    assert again.table["estimate"].iloc[0] == found.table["estimate"].iloc[0]
    usual = cx.ces(scores, "effort", kind="top_box", scale=(1, 5))
    assert usual.table["estimate"].iloc[0] == found.table["estimate"].iloc[0]
    assert not any("best answer" in note.en for note in usual.notes)


@pytest.mark.parametrize("best", ["up", None, True])
def test_bad_best(best):
    with pytest.raises(cx.CxError, match=r"best=.*allowed: 'high'.*or 'low'"):
        cx.csat([1, 2, 3], best=best)


def test_a_scale_written_the_other_way_round_is_refused_with_the_way_out():
    with pytest.raises(cx.CxError, match=r"scale=\(10, 1\).*say best='low'"):
        cx.csat([1, 2, 3], scale=(10, 1))


LABELS = {
    "english": ({1: "very satisfied", 5: "very dissatisfied"}, "low"),
    "chinese": ({1: "非常满意", 2: "满意", 5: "非常不满意"}, "low"),
    "usual": ({1.0: "not at all easy", 5.0: "very easy"}, "high"),
    "off the scale": ({1: "disagree", 5: "agree", 9: "poor"}, "high"),
    "unclear": ({1: "never", 5: "sometimes"}, None),
    "one": ({1: "good"}, None),
    "none": ({}, None),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_say_which_end_is_good(name):
    labels, best = LABELS[name]
    assert best_by_labels(labels, 1, 5) == best


def test_tone():
    assert [tone(text) for text in ("不错", "不好", "一般", "Good", "Unlikely")] == [
        1,
        -1,
        0,
        1,
        -1,
    ]


@pytest.fixture
def labelled(tmp_path):
    """Return a file of SPSS in which 1 is the best answer, as read."""
    import pyreadstat

    path = tmp_path / "labelled.sav"
    words = {1: "very satisfied", 2: "satisfied", 4: "dissatisfied", 5: "very dissatisfied"}
    frame = responses().astype(int)
    pyreadstat.write_sav(frame, str(path), variable_value_labels=dict.fromkeys(frame, words))
    return cx.read_survey(path)


def test_labels_of_the_file_speak_up(labelled):
    for data, options in ((labelled, {"column": "a1"}), (labelled["a1"], {})):
        found = cx.csat(data, scale=(1, 5), **options)
        (note,) = [n for n in found.notes if "the file labels 1" in n.en]
        assert '"very satisfied" and 5 as "very dissatisfied"' in note.en
        assert 'say best="low"' in note.en
        assert 'best="low"' in note.zh
        quiet = cx.csat(data, scale=(1, 5), best="low", **options)
        assert not any("the file labels" in n.en for n in quiet.notes)
    effort = cx.ces(labelled, "ease", column="a1", scale=(1, 5))
    assert any("the file labels" in n.en for n in effort.notes)


def test_check_compares_the_codebook_with_the_labels(labelled):
    book = cx.Codebook(scale=(1, 5), constructs=CONSTRUCTS)
    report = cx.check(labelled, book)
    assert report.counts["direction"] == 6
    message = next(p.message for p in report.problems if p.kind == "direction")
    assert "say best: low" in message.en
    assert "best: low" in message.zh
    low = cx.Codebook(scale=(1, 5), constructs=CONSTRUCTS, best="low")
    assert cx.check(labelled, low).counts["direction"] == 0
    half = cx.Codebook(scale=(1, 5), constructs=CONSTRUCTS, best={"A": "low"})
    assert cx.check(labelled, half).counts["direction"] == 3


def test_best_low_turns_the_answers_of_a_codebook():
    frame = responses()
    low = cx.Codebook(scale=(1, 5), constructs=CONSTRUCTS, best="low", reverse=["a3"])
    assert low.turned == ("a1", "a2", "b1", "b2", "b3")
    turned = 6 - frame
    turned["a3"] = frame["a3"]
    frame["a3"] = 6 - frame["a3"]
    turned["a3"] = frame["a3"]
    np.testing.assert_array_equal(answers(frame, low), turned[list(low.items)].to_numpy())
    table, _ = cx.clean(frame, low)
    np.testing.assert_array_equal(table[list(low.items)], turned[list(low.items)])
    np.testing.assert_array_equal(answers(table, low), turned[list(low.items)].to_numpy())
    book = cx.Codebook(scale=(1, 5), constructs=CONSTRUCTS)
    scored = cx.servperf(responses(), cx.Codebook(scale=(1, 5), constructs=CONSTRUCTS, best="low"))
    plain = cx.servperf(responses(), book)
    np.testing.assert_allclose(scored.table["estimate"], 6 - plain.table["estimate"], rtol=1e-12)


# What may stand for a codebook


def test_a_codebook_may_be_a_mapping_a_name_or_a_file(tmp_path):
    frame = responses()
    book = cx.Codebook(scale=(1, 5), constructs=CONSTRUCTS)
    whole = {"scale": (1, 5), "constructs": CONSTRUCTS}
    assert as_codebook(whole) == book
    book.write(tmp_path / "book.yml")
    assert as_codebook(str(tmp_path / "book.yml")) == book
    assert as_codebook("servqual").title
    assert cx.check(frame, whole).counts == cx.check(frame, book).counts
    assert cx.check(frame, "servqual").counts["missing_column"] > 0
    alphas = [cx.reliability(frame, b).table["alpha"].tolist() for b in (book, CONSTRUCTS, whole)]
    assert alphas[0] == alphas[1] == alphas[2]
    of_moments = cx.reliability(cx.moments(frame), CONSTRUCTS).table["alpha"]
    np.testing.assert_allclose(of_moments, alphas[0], rtol=1e-12)


CALLS = {
    "check": lambda book: cx.check(responses(), book),
    "clean": lambda book: cx.clean(responses(), book),
    "servqual": lambda book: cx.servqual(responses(), book),
    "servperf": lambda book: cx.servperf(responses(), book),
    "likert": lambda book: cx.charts.likert(responses(), book, source=""),
}


@pytest.mark.parametrize("name", CALLS)
def test_constructs_alone_do_not_say_the_scale(name):
    with pytest.raises(cx.CxError, match=r"give cx.Codebook\(scale="):
        CALLS[name](CONSTRUCTS)


@pytest.mark.parametrize("name", [*CALLS, "reliability", "weights"])
@pytest.mark.parametrize("wrong", [3, ["a1"], {"scale": (1, 5), "constructs": {}, "x": 1}])
def test_what_is_no_codebook_is_refused_in_words(name, wrong):
    calls = CALLS | {
        "reliability": lambda book: cx.reliability(responses(), book),
        "weights": lambda book: cx.weights(responses(), "points", codebook=book),
    }
    with pytest.raises(cx.CxError, match="codebook"):
        calls[name](wrong)
