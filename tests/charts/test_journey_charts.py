"""Charts of journeys: nothing overlaps or leaves the figure, and both languages have one layout."""

from functools import cache
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.charts.measured_text import broken, inches
from cxstats.charts.style import theme
from tests.gallery.journey import IDS, MAP, answers

LANGS = pytest.mark.parametrize("lang", ["en", "zh"])
KINDS = ("strip", "curve", "coverage", "moments")
EN = "The customer hands in the application online, uploads proof of income and waits for the bank"
ZH = (
    "客户在网上银行提交贷款申请并上传收入证明材料以及身份证明，随后等待银行的审批（最长五个工作日）"
)
NAMES = [
    ("Hotline", "服务热线"),
    ("Website", "官方网站"),
    ("Customer service representative", "客服代表"),
    ("App notification", "手机应用的消息推送通知"),
    ("Donaudampfschiffahrtsgesellschaft", "店"),
]
STAGES = [
    ("Awareness", "认知"),
    ("Consideration", "比较与考虑"),
    ("Onboarding and first use", "开户"),
    ("Loyalty", "忠诚与推荐"),
]
CHANNELS = [("telephone", "电话"), ("web", "网站"), ("branch", "网点"), ("mobile app", "手机应用")]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def both(pair, more=""):
    return {"en": pair[0] + more, "zh": pair[1] + more}


@cache
def large():
    """Return a journey of 12 stages with 60 touchpoints and long texts."""
    stages = []
    for i in range(12):
        points = [
            {"id": f"t{i}{j}", "name": both(NAMES[j], f" {i + 1}"),
             "channel": [both(CHANNELS[(i + j) % 4])],
             "pain": both((EN[: 20 + 8 * j], ZH[: 8 + (7 * i + 9 * j) % 40]))}
            for j in range(5)
        ]  # fmt: skip
        stages.append({"name": both(STAGES[i % 4], f" {i + 1}"), "touchpoints": points,
                       "action": both((EN, ZH)),
                       "expectation": [both((EN[:30], ZH[:30]))]})  # fmt: skip
    rng = np.random.default_rng(1)
    ids = [point["id"] for stage in stages for point in stage["touchpoints"]]
    scores = (4 + np.sin(np.arange(60) / 6) + rng.normal(0, 1, (80, 60))).round().clip(1, 7)
    frame = pd.DataFrame(scores, columns=ids)
    return cx.journey(
        {"title": both(("Loan", "贷款")), "scale": [1, 7], "stages": stages}, frame,
        weights="equal", importance=dict(zip(ids, rng.random(60), strict=True)), n_resamples=50,
    )  # fmt: skip


def texts(figure):
    figure.canvas.draw()
    inside = []
    for text in figure.findobj(plt.Text):
        ax = text.axes
        unseen = False
        if ax is not None and text in [*ax.get_xticklabels(), *ax.get_yticklabels()]:
            x, y = text.get_position()
            horizontal = text in ax.get_xticklabels()
            low, high = sorted(ax.get_xlim() if horizontal else ax.get_ylim())
            unseen = not low <= (x if horizontal else y) <= high
        if text.get_text().strip() and text.get_visible() and not unseen:
            inside.append(text)
    return inside


def assert_clear(figure):
    boxes = [(t.get_text(), t.get_window_extent().padded(-1.5)) for t in texts(figure)]
    for (one, a), (other, b) in combinations(boxes, 2):
        assert not a.overlaps(b), f"{one!r} covers {other!r}"
    room = figure.bbox.padded(1)
    for text, box in boxes:
        assert room.x0 <= box.x0 < box.x1 <= room.x1, text
        assert room.y0 <= box.y0 < box.y1 <= room.y1, text


@LANGS
@pytest.mark.parametrize("kind", KINDS[:3])
def test_60_touchpoints_in_12_stages_do_not_overlap(kind, lang):
    assert_clear(large().plot(kind, lang=lang).figure)


@LANGS
@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_small_journey_does_not_overlap(kind, lang):
    result = cx.journey(MAP, answers(), weights="equal", importance=dict.fromkeys(IDS, 1))
    assert_clear(result.plot(kind, lang=lang).figure)


@LANGS
def test_matrices_do_not_overlap(lang):
    kinds = [f"kind of record number {i} with a long name" for i in range(30)]
    departments = {f"department {i} of the firm": kinds[i : i + 9] for i in range(20)}
    rights = cx.access_matrix(departments)
    assert_clear(rights.plot(lang=lang).figure)
    assert_clear(rights.sharing().plot(lang=lang).figure)


@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize("result", [large, lambda: cx.journey(MAP, answers(), weights="equal")])
def test_both_languages_have_one_layout(kind, result):
    figures = [result().plot(kind, lang=lang).figure for lang in ("en", "zh")]
    sizes = [tuple(figure.get_size_inches()) for figure in figures]
    assert sizes[0] == sizes[1]
    patches = [[p.get_path().get_extents(p.get_patch_transform()).bounds for p in f.axes[0].patches]
               for f in figures]  # fmt: skip
    if kind == "strip":  # heads of stages and rows stand where they stood
        tops = [sorted({round(y, 6) for x, y, *_ in ends if x == 0}) for ends in patches]
        assert tops[0] == tops[1]
        assert len(tops[0]) > 3


@pytest.mark.parametrize("end", ["png", "svg"])
@pytest.mark.parametrize("kind", KINDS)
def test_can_be_written(kind, end, tmp_path):
    file = tmp_path / f"chart.{end}"
    large().plot(kind, lang="zh").figure.savefig(file)
    assert file.stat().st_size > 10_000


def test_the_curve_has_a_gap_where_nothing_is_known():
    curve = cx.journey(MAP).emotion_curve_from_counts(
        {"shop": 9, "help": 30}, {"shop": 10, "help": 50}
    )
    ax = curve.plot()
    heights = ax.lines[0].get_ydata()
    assert np.isnan(np.asarray(heights, float)).tolist() == [False, True, False, True]
    ax.figure.canvas.draw()


def test_the_note_says_what_a_matrix_holds():
    notes = {
        cx.journey(MAP).coverage(): "a stage's touchpoints",
        cx.access_matrix({"a": ["x"], "b": ["y", "x"]}): "sees a kind of record",
    }
    for matrix, words in notes.items():
        assert words in matrix.plot().figure.get_supxlabel()


def test_the_title_of_sharing_names_the_least_mutual_pair():
    matrix = cx.sharing_matrix({"a": {"b": 0.1}, "b": {"a": 0.7}})
    assert matrix.plot().figure.get_suptitle() == "B gives 70 % to a and gets 10 %"


def test_lines_are_no_wider_than_they_may_be():
    with theme("zh"):
        for text in (EN, ZH, "Donaudampfschiffahrtsgesellschaft" * 2, "a", ""):
            for lang in ("en", "zh"):
                lines = broken(text, 0.9, 9, lang)
                assert "".join(lines).replace(" ", "") == text.replace(" ", "")
                marks = 0.13  # a closing mark may stand beyond the line's end
                assert all(inches(line, 9, lang) <= 0.9 + marks for line in lines)
                assert not any(line.startswith(("，", "）", "。")) for line in lines)


def test_text_of_a_client_is_not_a_formula():
    source = {"stages": [{"name": "$x$", "touchpoints": ["cost $5 or $6", "b"]}]}
    for kind in ("strip",):
        figure = cx.journey(source).plot(kind).figure
        assert any(text.get_text() == "$x$" for text in texts(figure))
