"""Formulas that were lost in print: values by hand, labelled as readings, what refuses."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.satisfaction import (
    architecture_decay,
    balance,
    blueprint_experience,
    channel_integration,
    collaboration,
    feedback_loop,
    fusion_score,
    personalisation,
    service_effectiveness,
    service_efficiency,
    service_satisfaction,
    synergy,
    synergy_weights,
    transformation_value,
)

FEW = {"n_resamples": 200}


def test_reconstructed_by_hand():
    assert channel_integration(5, 4, 3).table["estimate"].tolist() == pytest.approx([0.8, 0.3])
    assert feedback_loop(30, 50).table["estimate"].tolist() == pytest.approx([0.6])
    assert feedback_loop(30, 50, [4, 6, 8], 6).table["estimate"].iloc[1] == pytest.approx(0.3)
    assert service_effectiveness(80, 100, 0.9, 1.2, 2).table["estimate"].iloc[0] == pytest.approx(
        1.2
    )
    assert transformation_value(80, 70, 60, 40, [0.4, 0.3, 0.2, 0.1]).value == pytest.approx(61)
    assert blueprint_experience({"a": 8, "b": 9}, {"a": 0.4, "b": 0.6}).value == pytest.approx(8.6)
    assert fusion_score(0.8, 0.6, 0.4, [0.5, 0.3, 0.2]).value == pytest.approx(0.66)
    assert collaboration(42, 60, 100, 125).table["estimate"].tolist() == pytest.approx([0.7, 0.8])
    assert personalisation([1, 2], [3, 4]).table["estimate"].tolist() == pytest.approx([3, 11])
    csat = balance(3, 4, 2, 5, loyalty=lambda s, c: s * c, satisfaction=lambda t, p: p / t)
    # Reading 1: 4/3, 8/3, 40/3; reading 2: 1, 2, 10
    assert csat.table["estimate"].tolist() == pytest.approx([4 / 3, 8 / 3, 40 / 3, 1, 2, 10])


def test_synergy_takes_the_printed_weights():
    facts = cx.load_facts().set_index("id").loc["F079":"F082"]
    assert list(synergy_weights().values()) == facts["value"].tolist()
    names = list(synergy_weights())
    t, o, c = (dict(zip(names, x, strict=True)) for x in ((4, 3, 2, 1), (2, 3, 4, 5), (3, 3, 3, 3)))
    # means 3 3 3 3; minima 2 3 2 1: .6 + .75 + .5 + .2
    assert synergy(t, o, c).table["estimate"].tolist() == pytest.approx([3, 2.05])
    with pytest.raises(CxError, match="scores: 'x' has no weight"):
        synergy({"x": 1}, o, c)


def test_wilson_interval():
    from scipy.special import ndtri

    n, p, z = 50, 0.6, ndtri(0.975)
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    row = feedback_loop(30, 50).table.iloc[0]
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([centre - half, centre + half])
    scaled = service_effectiveness(30, 50, 0.9, 1.5, 2).table.iloc[0]
    assert scaled["ci_low"] == pytest.approx((centre - half) * 2 * 0.9 / 1.5)


def test_reconstructed_say_so_in_both_languages():
    found = [
        channel_integration(5, 4, 3),
        feedback_loop(30, 50, [4, 6, 8], 6),
        transformation_value(80, 70, 60, 40, [0.4, 0.3, 0.2, 0.1]),
        synergy(*[dict.fromkeys(synergy_weights(), 3)] * 3),
        fusion_score([0.8, 0.7], [0.6, 0.5], [0.4, 0.3], [0.5, 0.3, 0.2], **FEW),
        blueprint_experience({"a": 8, "b": 9}, {"a": 0.4, "b": 0.6}),
    ]
    for result in found:
        assert "RECONSTRUCTED" in str(result)
        assert "low confidence" in str(result)
        assert "重构" in result.summary("zh")


def test_weights_have_no_default():
    with pytest.raises(TypeError, match="weights"):
        transformation_value(80, 70, 60, 40)
    with pytest.raises(TypeError, match="betas"):
        fusion_score(1, 2, 3)
    with pytest.raises(TypeError, match="alpha"):
        service_effectiveness(80, 100, 0.9, 1.2)


def test_what_cannot_be_computed_refuses_and_says_why():
    with pytest.raises(CxError, match=r"24/7×用户咨询量.*adds a count.*automated-resolution rate"):
        service_efficiency(1000, 0.4)
    with pytest.raises(CxError, match="Threshold and action are lost"):
        architecture_decay()


BAD = {
    "channels is 1; allowed: whole numbers from 2": lambda: channel_integration(1, 1, 0),
    "integrated is 6; allowed: whole numbers from 0 to 5": lambda: channel_integration(5, 6, 3),
    "linked_pairs is 11; allowed: whole numbers from 0 to 10": lambda: channel_integration(
        5, 5, 11
    ),
    "implemented is 51": lambda: feedback_loop(51, 50),
    "collected is 0": lambda: feedback_loop(0, 0),
    "target is None": lambda: feedback_loop(30, 50, [1, 2]),
    r"closing_times is \[1\]; allowed: two or more": lambda: feedback_loop(30, 50, [1], 2),
    "allowed: csat from 0": lambda: service_effectiveness(80, 100, 0.9, 0, 1),
    "alpha is 'high'": lambda: service_effectiveness(80, 100, 0.9, 1, "high"),
    "weights are .*; allowed: 3, for cf, content": lambda: fusion_score(1, 2, 3, [0.5, 0.5]),
    "they sum to 1.2": lambda: fusion_score(1, 2, 3, [0.5, 0.5, 0.2]),
    "give planned_hours and actual_hours": lambda: collaboration(1, 2, 3),
    r"preference has the shape \(2,\)": lambda: personalisation([1, 2], [1]),
    "te is None": lambda: balance(None, 1, 1, 1, loyalty=max),
    "loyalty is None; allowed: a function of two numbers": lambda: balance(
        3, 4, 2, 5, loyalty=None
    ),
    r"loyalty\(1, 2\) is None; allowed: a number": lambda: balance(
        3, 4, 2, 5, loyalty=lambda *_: None
    ),
    "satisfaction is 1; allowed: a function": lambda: balance(
        3, 4, 2, 5, loyalty=max, satisfaction=1
    ),
    "preference: value 1 is 'x'; allowed: numbers": lambda: personalisation(["x"], ["y"]),
    "preference is empty": lambda: personalisation([], []),
    "preference is 'x'; allowed: a sequence": lambda: personalisation("x", "y"),
    "behaviour: value 2 is nan": lambda: personalisation([1, 2], [1, np.nan]),
    "closing_times: value 1 is 'x'": lambda: feedback_loop(3, 5, ["x", "y"], 3),
    "target is 'x'; with closing times": lambda: feedback_loop(3, 5, [1, 2], "x"),
    "target=3 needs closing_times": lambda: feedback_loop(3, 5, target=3),
    "row 0, column 'cost': 'x' is not a number": lambda: transformation_value(
        [80, 1], [70, 1], [60, 1], ["x", 1], [0.4, 0.3, 0.2, 0.1]
    ),
    "row 1, column 'cost': 'x' is not a number": lambda: transformation_value(
        [80, 1], [70, 1], [60, 1], [1, "x"], [0.4, 0.3, 0.2, 0.1]
    ),
    "weights: 'cost' has none": lambda: transformation_value(
        80, 70, 60, 40, {"experience": 0.5, "efficiency": 0.3, "business": 0.2}
    ),
    "level is 2": lambda: feedback_loop(30, 50, level=2),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input(message):
    with pytest.raises(CxError, match=message):
        BAD[message]()


def test_messages_name_the_columns_of_the_table():
    frame = pd.DataFrame({"a": [1.0, 2, 3], "b": [1, np.nan, 3], "c": 1.0, "y": 1.0})
    betas, words = [0.5, 0.3, 0.2], r"row 1, column 'b' \({}\): no score"
    with pytest.raises(DataError, match=words.format("efficiency")):
        transformation_value("a", "b", "c", "y", [0.4, 0.3, 0.2, 0.1], data=frame)
    with pytest.raises(DataError, match=words.format("interactivity")):
        service_satisfaction("a", "b", "c", *betas, data=frame)
    with pytest.raises(DataError, match=words.format("content")):
        fusion_score("a", "b", "c", betas, data=frame)


def test_groups_may_be_called_as_a_part_of_the_formula():
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": 1.0, "c": 1.0, "context": list("xxyy")})
    found = fusion_score("a", "b", "c", [1, 0, 0], data=frame, by="context", **FEW)
    assert found.groups["group"].unique().tolist() == ["x", "y"]
    assert found.value == 2.5


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_charts(lang):
    import matplotlib.pyplot as plt

    result = channel_integration(5, 4, 3)
    assert result.plot(lang=lang).get_figure().get_suptitle()
    assert "<pre>" in result._repr_html_()
    plt.close("all")
