"""What every chart has in common: both languages, title, source, named axes, marks, settings."""

import re
from dataclasses import replace
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.charts import CHARTS
from cxstats.stats.survival import survival_curve
from tests.charts import test_path_diagram as paths
from tests.charts import test_process_map as processes
from tests.charts import test_survey_charts as surveys
from tests.gallery import build
from tests.gallery import customers_rfm as customers
from tests.gallery.journey import MAP, answers
from tests.gallery.scorecard import maturity
from tests.journeys.blueprints import SMALL
from tests.journeys.logs import simulated

BLUEPRINT = cx.blueprint(SMALL)
NAN = float("nan")
NAMES = ["Service 1", "Price", "App (new)"]  # the user's own words, the same in both languages
ESTIMATES, LOW, HIGH = [0.5, -0.7, 0.1], [0.2, -0.9, -0.1], [0.8, -0.5, 0.3]
CHANGES = pd.DataFrame(
    {
        "indicator": NAMES,
        "before": [380, 0.8, 125],
        "after": [1250, 0.9, 68],
        "change": ["+229 %", "+0.1", "−45.6 %"],
        "better": ["up", "down", ""],
    }
)
WAVES = {
    "waves": ["W1", "W2", "W3", "W4"],
    "estimates": [30, 32, 28, 60],
    "ci_low": [20, 25, 20, 50],
    "ci_high": [40, 39, 36, 70],
    "centre": [30] * 4,
    "lower": [20] * 4,
    "upper": [40] * 4,
}
PLS = """
    Service      =~ CUEX1 + CUEX2 + CUEX3;   Price   =~ PERV1 + PERV2
    Satisfaction =~ CUSA1 + CUSA2 + CUSA3;   Satisfaction ~ Service + Price
"""
SHARES = ([0.5, 0.7, 0.3], [0.3, 0.2, 0.35], [0.2, 0.1, 0.35])

CURVES = [
    survival_curve(np.arange(1.0, 9) * factor, np.arange(8) % 3 > 0) for factor in (1, 1.5, 2)
]


@cache
def ipma():
    answers, _ = cx.load_ecsi_mobile()
    return cx.pls(PLS, answers).ipma("Satisfaction", scale=(1, 10), n_resamples=50, seed=1)


@cache
def felt():
    return cx.journey(MAP, answers(), weights="equal", n_resamples=50)


DRAWS = {
    "agents_by_slot": lambda **o: cx.charts.agents_by_slot(NAMES, [4, 9, 6], [2.5, 7, 4], **o),
    "before_after": lambda **o: cx.charts.before_after(CHANGES, **o),
    "before_after_panels": lambda **o: cx.charts.before_after_panels(
        NAMES, [10, 55, 32], [5, 64, 68], units=["min", "%", ""], better=["down", "up", "up"], **o
    ),
    "confidence_band": lambda **o: cx.charts.confidence_band(
        [100, 200, 300], [2, 2, 2], [-3, -1, 0.5], [7, 5, 3.5], axis="Points", **o
    ),
    "contact_chain": lambda **o: cx.charts.contact_chain(
        NAMES,
        places=["frontstage", "backstage", "after_sale"],
        modes=["A", "B", "C"],
        scores=[4, 3.5, 2],
        ci_low=[3.5, NAN, 1.5],
        ci_high=[4.5, NAN, 2.5],
        scale=(1, 5),
        marked=[False, False, True],
        **o,
    ),
    "control_chart": lambda **o: cx.charts.control_chart(
        **WAVES, changes=[3], axis="NPS", time="wave", **o
    ),
    "driver_bars": lambda **o: cx.charts.driver_bars(
        NAMES, [0.2, 0.7, 0.1], [0.1, 0.5, -0.02], [0.3, 0.8, 0.2], r_squared=0.62, **o
    ),
    "forecast": lambda **o: cx.charts.forecast(
        pd.date_range("2026-03-02", periods=4),
        [100, 120, 90, NAN],
        [105, 110, 100, 102],
        [90, 95, 95, 80],
        [120, 125, 120, 130],
        axis="Calls",
        **o,
    ),
    "funnel": lambda **o: cx.charts.funnel(NAMES, [1000, 400, 300], **o),
    "interval_pairs": lambda **o: cx.charts.interval_pairs(
        NAMES,
        np.column_stack([ESTIMATES, LOW, HIGH]),
        np.column_stack([[0.1, -0.2, 0.4], [NAN, -0.5, 0.2], [NAN, 0.1, 0.6]]),
        labels=("A", "B"),
        axis="b",
        **o,
    ),
    "intervals": lambda **o: cx.charts.intervals(NAMES, ESTIMATES, LOW, HIGH, axis="b", **o),
    "ipma_map": lambda **o: cx.charts.ipma_map(ipma(), **o),
    "kano_plane": lambda **o: cx.charts.kano_plane(
        NAMES, [0.57, 0.37, 0.51], [0.74, 0.53, 0.14], ["O", "M", "A"], **o
    ),
    "lorenz_curve": lambda **o: cx.charts.lorenz_curve(cx.concentration(customers.clean()), **o),
    "league_table": lambda **o: cx.charts.league_table(
        NAMES,
        [40, 9, 30],
        [4.2, 4.4, 3.1],
        [4.1, 4.0, 3.2],
        [3.9, 3.5, 2.9],
        [4.3, 4.5, 3.5],
        ["above", "open", "below"],
        average=3.7,
        axis="rating",
        **o,
    ),
    "nps_bars": lambda **o: cx.charts.nps_bars(
        NAMES, *SHARES, [30, 60, -5], [22, 53, -14], [38, 67, 4], n=[400, 500, 300], **o
    ),
    "nps_region": lambda **o: cx.charts.nps_region([32, 68], **o),
    "pareto": lambda **o: cx.charts.pareto(NAMES, [50, 30, 20], **o),
    "path_diagram": lambda **o: cx.charts.path_diagram(paths.CFA, **o),
    "plan_bars": lambda **o: cx.charts.plan_bars(NAMES, [0, 2, 2], [2, 5, 4], [0, 0, 1], **o),
    "power_by_day": lambda **o: cx.charts.power_by_day([1, 7, 14], [0.2, 0.6, 0.8], chosen=7, **o),
    "power_curve": lambda **o: cx.charts.power_curve(
        [100, 200, 400], [0.3, 0.55, 0.8], chosen=200, target=0.8, **o
    ),
    "process_map": lambda **o: cx.charts.process_map(processes.log(), **o),
    "quadrant_map": lambda **o: cx.charts.quadrant_map(
        NAMES, [2, 4, 2.5], [4.5, 4, 2], x_cut=3, y_cut=3, x_label="x", y_label="y", **o
    ),
    "rate_heatmap": lambda **o: cx.charts.rate_heatmap(
        [[0.5, 0.2], [0.1, NAN]],
        [[0.4, 0.1], [0, NAN]],
        [[0.6, 0.3], [0.3, NAN]],
        NAMES[:2],
        ["1", "2"],
        axis="Q",
        **o,
    ),
    "reported_effects": lambda **o: cx.charts.reported_effects(NAMES, [40, -18, -71], **o),
    "shares": lambda **o: cx.charts.shares(NAMES, [50, 30, 20], **o),
    "staffing_curve": lambda **o: cx.charts.staffing_curve(
        [9, 10, 11], [0.5, 0.7, 0.85], [0.9, 0.8, 0.7], **o
    ),
    "stopping_boundaries": lambda **o: cx.charts.stopping_boundaries(
        [0.25, 0.5, 1], [4.05, 2.86, 2.02], [1.0, -3.1], **o
    ),
    "survival_curves": lambda **o: cx.charts.survival_curves(
        dict(zip(NAMES, CURVES, strict=True)), axis="t", **o
    ),
    "tornado": lambda **o: cx.charts.tornado(
        NAMES, [70, 78, 76], [79, 74, 77], 75, axis="NPS", **o
    ),
    "weekly_counts": lambda **o: cx.charts.weekly_counts(
        pd.date_range("2024-01-01", periods=10, freq="7D"),
        [3, 5, 4, 4, 6, 2, 14, 5, 4, 3],
        [4.0] * 10,
        [10] * 10,
        [False] * 6 + [True] + [False] * 3,
        n_baseline=5,
        **o,
    ),
    "trajectory": lambda **o: cx.charts.trajectory(["2019", "2020"], {"NPS": [8.3, 12.7]}, **o),
    "weight_simplex": lambda **o: cx.charts.weight_simplex(
        [[90, 50, 50], [50, 90, 50], [50, 50, 90]],
        [0.5, 0.3, 0.2],
        units=NAMES,
        criteria=list("abc"),
        **o,
    ),
    "weights": lambda **o: cx.charts.weights(NAMES, [50, 30, 20], **o),
    # Of a result, which brings its source and says itself whether it is synthetic.
    "emotion_curve": lambda **o: cx.charts.emotion_curve(felt().emotion_curve(), **o),
    "gap_dumbbell": lambda **o: cx.charts.gap_dumbbell(surveys.GAPS, **o),
    "gap_scatter": lambda **o: cx.charts.gap_scatter(surveys.GAPS, **o),
    "htmt_heatmap": lambda **o: cx.charts.htmt_heatmap(surveys.VALIDITY, **o),
    "incident_rates": lambda **o: cx.charts.incident_rates(
        simulated(60).incidents(every="3 days", n_permutations=19), **o
    ),
    "journey_strip": lambda **o: cx.charts.journey_strip(felt(), **o),
    "likert": lambda **o: cx.charts.likert(surveys.FRAME, surveys.BOOK, **o),
    "segment_criteria": lambda **o: cx.charts.segment_criteria(build("Segmentation/clean"), **o),
    "segment_profiles": lambda **o: cx.charts.segment_profiles(build("Segmentation/clean"), **o),
    "segment_shares": lambda **o: cx.charts.segment_shares(cx.rfm(customers.clean()), **o),
    "service_blueprint": lambda **o: cx.charts.service_blueprint(BLUEPRINT, **o),
    "share_heatmap": lambda **o: cx.charts.share_heatmap(felt().coverage(), **o),
    "maturity_heatmap": lambda **o: cx.charts.maturity_heatmap(
        cx.maturity_matrix(maturity(), judge="judge"), **o
    ),
    "target_bars": lambda **o: cx.charts.target_bars(cx.scorecard("synthetic_service_team"), **o),
    "verdicts": lambda source=None, **o: cx.charts.verdicts(cx.audit(), **o),
    "zone_bands": lambda **o: cx.charts.zone_bands(surveys.GAPS, **o),
}
EACH = pytest.mark.parametrize("name", sorted(DRAWS))
LANGS = pytest.mark.parametrize("lang", ["en", "zh"])
CHINESE = re.compile(r"[\u3400-\u9fff\uff01-\uff5e\u3001\u3002]")
# A Latin word or a digit beside a Chinese character, with no space between them.
CROWDED = re.compile(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9%)][\u4e00-\u9fff]")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][:;,?!(]|[:;,?!)][\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def draw(name, lang="en", **options):
    """Return the axes of a chart, all of them."""
    axes = DRAWS[name](source="S1", lang=lang, **options)
    return list(np.ravel(axes))


def texts(figure):
    figure.canvas.draw()  # lays out, and warns of missing glyphs
    return [text.get_text() for text in figure.findobj(plt.Text) if text.get_text()]


def test_every_chart_is_here():
    assert set(DRAWS) == set(CHARTS)


@LANGS
@EACH
def test_title_and_source_are_in_the_language(name, lang):
    figure = draw(name, lang)[0].figure
    title, shown = figure.get_suptitle(), texts(figure)
    assert title
    assert bool(CHINESE.search(title)) == (lang == "zh")
    source = {"en": "Source: ", "zh": "来源："}[lang]
    assert any(source in text for text in shown)
    if lang == "en" and name != "verdicts":
        assert not [text for text in shown if CHINESE.search(text)]


@EACH
def test_chinese_and_latin_stand_apart(name):
    figure = draw(name, "zh")[0].figure
    for text in texts(figure):
        joined = text.replace("\n", "")  # a line may break where a space would stand
        if name not in ("verdicts", "maturity_heatmap"):  # the cases' own names
            assert not CROWDED.search(text), text
            assert not HALF_WIDTH.search(joined), text


@LANGS
@EACH
def test_axes_with_numbers_are_named(name, lang):
    for ax in draw(name, lang):
        ax.figure.canvas.draw()
        for axis in (ax.xaxis, ax.yaxis):
            numbers = [
                tick
                for tick in axis.get_ticklabels()
                if re.fullmatch(r"[−\d.,]+", tick.get_text()) and ax.axison
            ]
            if len(numbers) > 1 and name != "trajectory":  # whose periods say what they are
                assert axis.get_label_text(), name


@EACH
def test_a_title_of_the_callers_is_kept(name):
    assert draw(name, title="Ours")[0].figure.get_suptitle() == "Ours"


@EACH
def test_settings_stay_as_they_were(name):
    before = dict(plt.rcParams)
    draw(name, "zh")
    assert dict(plt.rcParams) == before


@LANGS
@pytest.mark.parametrize("name", sorted({*DRAWS} - {"before_after_panels", "trajectory"}))
def test_on_axes_of_the_caller(name, lang):
    figure, ax = plt.subplots(layout="constrained", figsize=(12, 9))
    assert draw(name, lang, ax=ax) == [ax]
    texts(figure)
    assert ax.get_title(loc="left")
    assert not figure.get_suptitle()


RESULTS = {
    "emotion_curve", "journey_strip", "share_heatmap", "ipma_map", "gap_dumbbell", "gap_scatter",
    "htmt_heatmap", "zone_bands", "process_map", "service_blueprint", "lorenz_curve",
    "segment_shares", "segment_criteria", "segment_profiles", "incident_rates", "target_bars",
    "maturity_heatmap",
}  # fmt: skip
UNMARKED = {"verdicts", "reported_effects"}  # of published figures, never of simulated ones


@LANGS
@pytest.mark.parametrize("name", sorted({*DRAWS} - RESULTS - UNMARKED))
def test_synthetic_data_are_marked(name, lang):
    mark = {"en": "SYNTHETIC DATA", "zh": "合成数据"}[lang]
    assert mark in texts(draw(name, lang, synthetic=True)[0].figure)
    assert mark not in texts(draw(name, lang, synthetic=False)[0].figure)


@LANGS
def test_a_synthetic_result_is_marked(lang):
    mark = {"en": "SYNTHETIC DATA", "zh": "合成数据"}[lang]
    for kind in surveys.GAPS.kinds:
        for result in (surveys.GAPS, replace(surveys.GAPS, synthetic=False)):
            shown = texts(result.plot(kind, lang=lang).figure)
            assert (mark in shown) == result.synthetic


@LANGS
def test_notes_speak_of_what_is_drawn(lang):
    looks = ([0.5, 1.0], [2.8, 2.0])
    words = {"en": ("Filled dots", "Dashed"), "zh": ("实心点", "虚线")}[lang]

    def below(axes):
        return axes.figure.get_supxlabel()

    options = {"source": "S", "lang": lang}
    assert words[0] not in below(cx.charts.stopping_boundaries(*looks, [], **options))
    assert words[0] in below(cx.charts.stopping_boundaries(*looks, [1.0], **options))
    band = ([100, 200], [2, 2], [-3, -1], [7, 5])
    assert words[1] not in below(cx.charts.confidence_band(*band, axis="d", **options))
    band = ([100, 200], [2, 2], [-3, 1], [7, 3])
    assert words[1] in below(cx.charts.confidence_band(*band, axis="d", **options))
