"""Formulas that were printed, or are fixed by what was: status as in the file, values by hand."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.satisfaction import (
    FORMULAS,
    cem,
    cem_weights,
    journey_satisfaction,
    overall_satisfaction,
    proposal_score,
    service_satisfaction,
)

FEW = {"n_resamples": 200}
# Formulas that other rooms compute, or that hold nothing to compute.
ELSEWHERE = {
    "A04": "metrics",
    "A05": "a concept",
    "A08": "customers",
    "A10": "process",
    "A11": "process",
    "A12": "cases: change in per cent",
    "A13": "cases: change in per cent",
    "A14": "cases: change in per cent",
    "A20": "metrics and process",
    "A21": "cases: change in per cent",
    "B01": "metrics",
    "B02": "metrics",
    "B03": "metrics",
    "C01": "metrics",
    "C02": "metrics",
    "C04": "process",
    "D03": "a union of layers",
    "D07": "cases: change in per cent",
    "D09": "servqual",
    "E02": "metrics",
    "E03": "customers",
    "E04": "customers",
    "E05": "sem",
}


def test_every_formula_has_its_function_and_status():
    table = cx.load_formulas().set_index("id")
    assert set(table.index) == set(FORMULAS) | set(ELSEWHERE)
    assert not set(FORMULAS) & set(ELSEWHERE)
    for identifier, entry in FORMULAS.items():
        assert entry.id == identifier
        assert entry.status == table.loc[identifier, "status"], identifier
        words = " ".join(entry.function.__doc__.split())
        source = table.loc[identifier, "source"]
        assert f"ormula {identifier}" in words or identifier in words
        assert f"document {source}" in words, identifier
        word = {
            "given": "given",
            "words": "in words",
            "given, invalid": "given, but invalid",
            "lost": "lost",
        }.get(entry.status, "reconstructed")
        assert word in words, identifier


def test_service_satisfaction_by_hand():
    assert service_satisfaction(80, 70, 60, 0.5, 0.3, 0.2).value == pytest.approx(73)
    several = service_satisfaction([80, 60], [70, 50], [60, 40], 50, 30, 20, **FEW)
    assert several.scores.tolist() == pytest.approx([73, 53])
    frame = pd.DataFrame({"q": [80, 60, 70, 90], "i": 50, "p": 50, "wave": [1, 1, 2, 2]})
    found = service_satisfaction("q", "i", "p", 0.5, 0.3, 0.2, data=frame, by="wave", **FEW)
    assert found.value == pytest.approx(62.5)
    assert found.groups["group"].unique().tolist() == [1, 2]
    assert "A09: S = αQ + βI + γP" in str(found)
    assert any("our assumption" in note.en for note in found.notes)


def test_service_satisfaction_refuses():
    with pytest.raises(CxError, match=r"they sum to 1.1"):
        service_satisfaction(80, 70, 60, 0.5, 0.3, 0.3)
    with pytest.raises(CxError, match=r"shapes quality \(2,\), interactivity \(\)"):
        service_satisfaction([80, 60], 70, 60, 0.5, 0.3, 0.2)
    with pytest.raises(CxError, match="quality='q' names a column; give data"):
        service_satisfaction("q", 70, 60, 0.5, 0.3, 0.2)
    with pytest.raises(CxError, match="quality=1; with data, the name"):
        service_satisfaction(1, "i", "p", 0.5, 0.3, 0.2, data=pd.DataFrame({"i": [1], "p": [1]}))
    with pytest.raises(CxError, match="allowed: on_missing, normalise, by"):
        service_satisfaction(80, 70, 60, 0.5, 0.3, 0.2, resamples=10)


def test_journey_overall_and_proposal_by_hand():
    stages = {"aware": 70, "consider": 65, "buy": 80, "use": 75, "loyal": 60}
    weights = dict(zip(stages, (0.1, 0.2, 0.3, 0.3, 0.1), strict=True))
    # 7 + 13 + 24 + 22.5 + 6
    assert journey_satisfaction(stages, weights).value == pytest.approx(72.5)
    assert overall_satisfaction({"a": 4, "b": 5}, {"a": 2, "b": 6}).value == pytest.approx(4.75)
    assert proposal_score({"a": 8, "b": 9}, {"a": 40, "b": 60}).value == pytest.approx(8.6)


def test_cem_weights_are_those_of_the_facts():
    facts = cx.load_facts().set_index("id").loc["F036":"F041"]
    weights = cem_weights()
    np.testing.assert_allclose(weights["weight"], facts["value"] / 100)
    assert weights["item_en"].tolist() == facts["item_en"].tolist()
    # Printed figures stand behind steps and load times only.
    measured = weights[weights["measured_by"] != ""]
    assert measured.index.tolist() == ["F036", "F037"]
    assert measured["weight"].sum() == pytest.approx(0.45)


def full(value: float) -> dict:
    return dict.fromkeys(cem_weights()["item_en"], value)


def test_cem_by_hand():
    assert cem(full(60)).value == pytest.approx(60)
    scores = dict(zip(full(0), (80, 90, 70, 60, 50, 40), strict=True))
    # 20 + 18 + 14 + 9 + 5 + 4
    assert cem(scores).value == pytest.approx(70)
    chinese = dict(zip(cem_weights()["item_zh"], scores.values(), strict=True))
    assert cem(chinese).value == pytest.approx(70)


def test_cem_with_some_scores_refuses_or_bounds():
    some = {"number of steps": 80, "page-load speed": 90}
    with pytest.raises(DataError, match=r"'ease of finding functions': no score \(and 3 more\)"):
        cem(some)
    found = cem(some, on_missing="bounds")
    # .25 * 80 + .20 * 90 = 38; the other 55 % of the weight at 0 and at 100
    assert found.table["estimate"].tolist() == pytest.approx([38, 93])
    assert found.coverage == pytest.approx(0.45)
    assert "data for 45 % of the weight" in str(found)
    assert found.table[["ci_low", "ci_high"]].isna().all(axis=None)


def test_bounds_close_when_nothing_is_missing_and_hold_every_completion():
    closed = cem(full(60), on_missing="bounds")
    assert closed.table["estimate"].tolist() == pytest.approx([60, 60])
    some = {"number of steps": 80, "error rate": 10}
    low, high = cem(some, on_missing="bounds").table["estimate"]
    generator = np.random.default_rng(1)
    for _ in range(50):
        rest = dict(zip(full(0), generator.uniform(0, 100, 6), strict=True))
        assert low <= cem({**rest, **some}).value <= high


def test_bounds_of_respondents():
    generator = np.random.default_rng(2)
    frame = pd.DataFrame(generator.uniform(0, 100, (60, 6)), columns=list(full(0)))
    frame.loc[:19, "error rate"] = np.nan
    frame = frame.drop(columns="personalisation match")
    found = cem(frame, on_missing="bounds", **FEW)
    low, high = found.table["estimate"]
    # 15 % of the weight lacks a third of the answers, 10 % all of them
    assert high - low == pytest.approx(100 * (0.15 / 3 + 0.10))
    assert found.coverage == pytest.approx(1 - 0.15 / 3 - 0.10)
    assert (found.table["ci_low"] < found.table["estimate"]).all()
    assert found.n == 60
    with pytest.raises(DataError, match="nothing is left"):
        cem(frame, on_missing="drop")


def test_cem_refuses():
    with pytest.raises(CxError, match="scores: 'speed' has no weight"):
        cem({**full(60), "speed": 1})
    with pytest.raises(DataError, match="'error rate': 101 is off the scale; allowed: 0 to 100"):
        cem({**full(60), "error rate": 101})
    with pytest.raises(CxError, match="on_missing is 'rescale'"):
        cem(full(60), on_missing="rescale")
    with pytest.raises(DataError, match="none of the indicators"):
        cem(pd.DataFrame({"x": [1]}), on_missing="bounds")
    with pytest.raises(CxError, match="bounds are not compared between groups"):
        cem(full(60), on_missing="bounds", by="x")
    with pytest.raises(CxError, match="need names"):
        cem([1, 2, 3])
    own = cem({"x": 50, "y": 70}, {"x": 0.5, "y": 0.5})
    assert own.value == 60
    assert "the weights are not the published ones" in [note.en for note in own.notes]


def test_unknown_options_are_named():
    with pytest.raises(
        CxError, match="'bananas' is no option; allowed: on_missing, normalise, by, interval"
    ):
        cem(full(60), on_missing="bounds", bananas=1)
    with pytest.raises(CxError, match="'lvl' is no option; allowed: on_missing, normalise"):
        proposal_score({"a": 1}, {"a": 1}, lvl=0.9)
    with pytest.raises(TypeError, match="weights"):
        proposal_score({"a": 1})


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_charts_of_bounds(lang):
    import matplotlib.pyplot as plt

    result = cem({"number of steps": 80}, on_missing="bounds")
    assert result.plot(lang=lang).get_figure().get_suptitle()
    assert "<pre>" in result._repr_html_()
    plt.close("all")


def test_bounds_speak_of_data_given_and_not_of_published():
    import matplotlib.pyplot as plt

    bounds = cem({"number of steps": 80}, on_missing="bounds")
    for lang, words in (("en", ["data given", "no data"]), ("zh", ["有数据", "无数据"])):
        shown = bounds.plot(lang=lang).get_legend().get_texts()
        assert [text.get_text() for text in shown] == words
    shown = bounds.plot(legend=("asked", "not asked")).get_legend().get_texts()
    assert [text.get_text() for text in shown] == ["asked", "not asked"]
    published = cx.charts.weights(["a"], [1], has_data=[True], source="S").get_legend().get_texts()
    assert published[0].get_text() == "data published"
    with pytest.raises(CxError, match="legend is 'ab'; allowed: two texts"):
        bounds.plot(legend="ab")
    with pytest.raises(CxError, match="give has_data, a flag for each"):
        cx.charts.weights(["a"], [1], legend=("x", "y"), source="S")
    plt.close("all")
