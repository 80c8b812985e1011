"""Scores of contact points and the bottleneck."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxstats as cx
from tests.journeys.blueprints import SMALL, small

BLUEPRINT = cx.blueprint(SMALL)


def answers(n=60, seed=1, **means):
    """Return scores 1 to 5 of respondents who differ in how high they score everything."""
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 0.6, n)
    return pd.DataFrame({
        name: np.clip(np.round(rng.normal(mean, 0.8, n) + level), 1, 5)
        for name, mean in means.items()
    })  # fmt: skip


def test_means_and_intervals_are_those_of_scipy():
    frame = answers(call=4, answer=3, look=3.5)
    table = BLUEPRINT.score(frame, (1, 5)).table.set_index("element")
    for name in frame:
        expected = stats.ttest_1samp(frame[name], 0).confidence_interval(0.95)
        assert table.loc[name, "estimate"] == pytest.approx(frame[name].mean())
        limits = table.loc[name, ["ci_low", "ci_high"]].tolist()
        assert limits == pytest.approx([expected.low, expected.high])


@pytest.mark.parametrize("gap", [0.0, 0.2, 0.4, 0.8])
def test_the_bottleneck_is_that_of_paired_tests(gap):
    frame = answers(call=3, answer=3 + gap, look=3.3)
    result = BLUEPRINT.score(frame, (1, 5))
    out = set()
    for name in frame:
        p = [stats.ttest_rel(frame[name], frame[other], alternative="greater").pvalue
             for other in frame if other != name]  # fmt: skip
        if min(p) < 0.05 / 2:
            out.add(name)
    assert set(result.bottleneck) == set(frame) - out


def test_one_that_is_lowest_for_certain():
    result = BLUEPRINT.score(answers(call=4.2, answer=2.5, look=4), (1, 5))
    assert result.bottleneck == ("answer",)
    assert "The bottleneck is answer" in result.summary()
    assert "瓶颈环节是“接听”" in result.summary("zh")


def test_scores_that_do_not_tell():
    result = BLUEPRINT.score(answers(n=8, call=3, answer=3, look=3), (1, 5))
    assert len(result.bottleneck) == 3
    assert "do not tell which contact point" in result.summary()
    alone = BLUEPRINT.score(answers(answer=3), (1, 5))
    assert alone.bottleneck == ("answer",)


def test_answers_that_do_not_vary():
    """All put them two points apart: certain from 6 respondents on, since 1/2^5 is above 2.5 %."""
    for n, candidates in ((5, 3), (6, 1)):
        frame = pd.DataFrame({"call": [5] * n, "answer": [2] * n, "look": [4] * n})
        assert len(BLUEPRINT.score(frame, (1, 5)).bottleneck) == candidates
    equal = pd.DataFrame({"call": [3] * 50, "answer": [3] * 50})
    assert len(BLUEPRINT.score(equal, (1, 5)).bottleneck) == 2


def test_respondents_who_skip_a_point_are_not_dropped():
    frame = answers(call=4, answer=3)
    frame.loc[:29, "call"] = np.nan
    frame.loc[50:, "answer"] = np.nan
    table = BLUEPRINT.score(frame, (1, 5)).table.set_index("element")
    assert table["n"].to_dict() == {"call": 30, "answer": 50}
    assert table.loc["answer", "estimate"] == pytest.approx(frame["answer"].mean())


def test_groups_without_a_respondent_in_common_are_welchs():
    frame = answers(n=80, call=3.6, answer=3)
    frame.loc[:39, "call"] = np.nan
    frame.loc[40:, "answer"] = np.nan
    p = stats.ttest_ind(frame["call"].dropna(), frame["answer"].dropna(), equal_var=False,
                        alternative="greater").pvalue  # fmt: skip
    assert p < 0.04
    assert BLUEPRINT.score(frame, (1, 5)).bottleneck == ("answer",)


def test_internal_data_are_weighed_in():
    frame = answers(call=4, answer=3)
    weights = {"feedback": 3, "internal": 1}
    internal = {"call": 1.0, "answer": 5.0}
    result = BLUEPRINT.score(frame, (1, 5), internal=internal, weights=weights)
    table = result.table.set_index("element")
    assert result.weights == {"feedback": 0.75, "internal": 0.25}
    expected = 0.75 * frame["call"].mean() + 0.25
    assert table.loc["call", "estimate"] == pytest.approx(expected)
    plain = BLUEPRINT.score(frame, (1, 5)).table.set_index("element")
    width = [t["ci_high"] - t["ci_low"] for t in (table, plain)]
    np.testing.assert_allclose(width[0].astype(float), 0.75 * width[1].astype(float))
    assert any("taken as exact" in note.en for note in result.notes)


def test_the_six_steps():
    result = BLUEPRINT.score(answers(call=4, answer=2), (1, 5))
    steps = result.steps.set_index("step")
    assert steps["done"].tolist() == [False, True, True, True, False, True]
    content = small(customer="caller", answer={"improvement": "call back"})
    done = cx.blueprint(content).score(answers(call=4, answer=2), (1, 5)).steps
    assert done["done"].all()
    assert done["n"].tolist() == [1, 1, 3, 2, 1, 2]


def test_frontstage_without_scores_is_named():
    result = BLUEPRINT.score(answers(call=4), (1, 5))
    assert any("frontstage elements without scores" in note.en for note in result.notes)


BAD = [
    ({"call": [1, 6]}, {}, r"feedback, row 1, column 'call': 6 is not allowed; allowed: num"),
    ({"call": [1, "x"]}, {}, r"feedback, row 1, column 'call': 'x' is not allowed"),
    ({"call": [True, False]}, {}, r"column 'call': True is not allowed"),
    ({"call": [None, None]}, {}, r"column 'call': no answers"),
    ({"cal": [1, 2]}, {}, r"no column of feedback is an element; elements: call"),
    ({"call": [1, 2], "age": [3, 4]}, {}, r"column 'age' is not an element"),
    ({"call": [1, 2]}, {"scale": (5, 1)}, r"scale=\(5, 1\); allowed: lowest and highest"),
    ({"call": [1, 2]}, {"scale": "15"}, r"scale='15'; allowed"),
    ({"call": [1, 2]}, {"weights": {"feedback": 1}}, r"weights without internal"),
    ({"call": [1, 2]}, {"internal": {"call": 3}}, r"weights=None; allowed: \{'feedback'"),
    ({"call": [1, 2]}, {"internal": {"answer": 3}}, r"a mapping with a score of each of call"),
    ({"call": [1, 2]}, {"internal": {"call": 9}}, r"internal: 'call' has 9; allowed: numbers from"),
    ({"call": [1, 2]}, {"internal": {"call": 3}, "weights": {"feedback": 0, "internal": 1}},
     r"above 0; the source prints none"),
    ({"call": [1, 2]}, {"level": 2}, r"level is 2"),
    ({"call": [1, 2]}, {"interval": "z"}, r"interval='z'; allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "options", "message"), BAD)
def test_bad_input_is_named(frame, options, message):
    with pytest.raises(cx.CxError, match=message):
        BLUEPRINT.score(pd.DataFrame(frame), **{"scale": (1, 5), **options})


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 30, 100])
@pytest.mark.parametrize("spread", [0.0, 0.15, 0.5])
def test_the_lowest_is_among_the_candidates(n, spread):
    """The truly lowest of five contact points is left out in at most 5 % of samples."""
    from cxstats.journeys.blueprint.contact_scores import may_be_lowest
    from cxstats.stats.means import MeanOptions, Means

    rng = np.random.default_rng(4)
    centres = 3.2 + spread * np.arange(5)  # of answers before they are rounded to 1 to 5
    held, samples = 0, 3_000
    for _ in range(samples):
        latent = rng.normal(centres, 0.7, (n, 5)) + rng.normal(0, 0.6, (n, 1))
        means = Means.of(np.clip(np.round(latent), 1, 5), MeanOptions())
        held += may_be_lowest(means, means.mean, 1.0, 0.95)[0]
    assert held / samples >= 0.945
