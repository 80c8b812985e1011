"""Service blueprints and contact chains: nothing overlaps, both languages stand alike."""

from itertools import combinations, pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Circle

import cxstats as cx
from cxstats.charts.blueprint_layout import Arrow, columns_of, lay_out
from cxstats.charts.contact_chain import contact_chain
from cxstats.charts.inch_text import InchText, folded
from cxstats.charts.service_blueprint import _layout, service_blueprint
from tests.journeys.blueprints import SMALL, large, small

LARGE = cx.blueprint(large())
LANGS = pytest.mark.parametrize("lang", ["en", "zh"])
KINDS = pytest.mark.parametrize("four", [False, True], ids=["five", "four"])
SHAPES = ("box",) * 5


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def written(ax):
    """Return the words of the drawing and their boxes in pixels."""
    ax.figure.canvas.draw()
    texts = [text for text in ax.texts if isinstance(text, InchText) and text.get_text()]
    return [(text.get_text(), text.get_window_extent()) for text in texts]


def assert_apart(ax):
    for (one, first), (other, second) in combinations(written(ax), 2):
        # Letters lie inside the line that a text takes.
        assert not first.shrunk(0.98, 0.75).overlaps(second.shrunk(0.98, 0.75)), (one, other)


@LANGS
@KINDS
def test_words_of_60_elements_in_12_stages_do_not_overlap(lang, four):
    ax = service_blueprint(LARGE, four_layers=four, lang=lang)
    assert_apart(ax)
    inside = ax.get_window_extent()
    for words, box in written(ax):
        assert inside.x0 - 1 <= box.x0, words
        assert box.x1 <= inside.x1 + 1, words


@LANGS
def test_words_stay_inside_their_boxes(lang):
    ax = service_blueprint(LARGE, lang=lang)
    layout, *_ = _layout(LARGE, *bands_of(LARGE))
    ax.figure.canvas.draw()
    for text in (t for t in ax.texts if isinstance(t, InchText)):
        x, y = text.get_position()
        home = [
            b for b in layout.boxes.values() if abs(b[0] - x) < 1e-9 and abs(b[1] - y) < b[3] / 2
        ]
        if not home or text.get_text() in "FW":
            continue
        cx_, cy_, w, h = home[0]
        low, high = ax.transData.transform([(cx_ - w / 2, cy_ - h / 2), (cx_ + w / 2, cy_ + h / 2)])
        box = text.get_window_extent()
        assert low[0] <= box.x0, text
        assert box.x1 <= high[0], text
        assert low[1] <= box.y0 + 2, text
        assert box.y1 - 2 <= high[1], text


def bands_of(result, four=False):
    from cxstats.charts.service_blueprint import FOUR
    from cxstats.charts.service_blueprint import SHAPES as ALL
    from cxstats.journeys.blueprint.elements import LAYERS

    layers = FOUR if four else LAYERS
    place = {"evidence": "frontstage"} if four else {}
    layer = {e.id: e.layer for e in result.specification.elements}
    bands = {name: layers.index(place.get(layer[name], layer[name])) for name in result.order}
    return bands, ALL[four], len(layers)


def crosses(a, b, box):
    """Return whether an upright or level piece of a route enters a box."""
    x, y, w, h = box
    (x0, x1), (y0, y1) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    edge = 1e-6
    return (
        x0 < x + w / 2 - edge and x1 > x - w / 2 + edge
        and y0 < y + h / 2 - edge and y1 > y - h / 2 + edge
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
@KINDS
def test_arrows_pass_no_box_and_share_no_track(seed, four):
    n_stages = (1, 4, 12)[seed % 3]
    result = cx.blueprint(large(n=20 + 5 * (seed % 9), n_stages=n_stages, seed=seed))
    layout, arrows, _ = _layout(result, *bands_of(result, four))
    pieces = []
    for arrow, route in zip(arrows, layout.routes, strict=True):
        for a, b in pairwise(route):
            assert a[0] == pytest.approx(b[0]) or a[1] == pytest.approx(b[1])
            for name, box in layout.boxes.items():
                # A diamond's arrows leave it inside of its frame.
                if name not in (arrow.source, arrow.target) or not four:
                    assert not crosses(a, b, box), (arrow, name)
        pieces += [(arrow, *sorted((tuple(route[1]), tuple(route[2]))))] if len(route) > 2 else []
    for (one, a, b), (other, c, d) in combinations(pieces, 2):
        if a[0] == pytest.approx(b[0]) and c[0] == pytest.approx(d[0]):
            alike = abs(a[0] - c[0]) < 1e-6 and a[1] < d[1] - 1e-6 and c[1] < b[1] - 1e-6
            assert not alike, (one, other)


@pytest.mark.parametrize("seed", range(6))
@KINDS
def test_boxes_do_not_overlap(seed, four):
    result = cx.blueprint(large(n=60, n_stages=(3, 12)[seed % 2], seed=seed))
    layout, *_ = _layout(result, *bands_of(result, four))
    assert set(layout.boxes) == set(result.table["element"])
    for (_, a), (_, b) in combinations(layout.boxes.items(), 2):
        assert abs(a[0] - b[0]) >= (a[2] + b[2]) / 2 or abs(a[1] - b[1]) >= (a[3] + b[3]) / 2
    for name, (_, y, _, h) in layout.boxes.items():
        top, bottom = layout.bands[bands_of(result, four)[0][name]]
        assert bottom < y - h / 2
        assert y + h / 2 < top


@KINDS
def test_both_languages_have_the_same_layout(four):
    first, second = (service_blueprint(LARGE, four_layers=four, lang=x) for x in ("en", "zh"))
    assert first.get_xlim() == second.get_xlim()
    assert first.get_ylim() == second.get_ylim()
    for one, other in zip(first.patches, second.patches, strict=True):
        a, b = (p.get_path().transformed(p.get_patch_transform()).vertices for p in (one, other))
        np.testing.assert_allclose(a, b)
    for one, other in zip(first.lines, second.lines, strict=True):
        np.testing.assert_allclose(one.get_xydata(), other.get_xydata())


@KINDS
@LANGS
@pytest.mark.parametrize("ending", ["svg", "png"])
def test_is_written_to_files(tmp_path, four, lang, ending):
    ax = service_blueprint(cx.blueprint(SMALL), four_layers=four, lang=lang)
    path = tmp_path / f"b.{ending}"
    ax.figure.savefig(path, dpi=50)
    assert path.stat().st_size > 5_000


def test_marks_and_lines_are_those_of_the_blueprint():
    ax = service_blueprint(cx.blueprint(SMALL))
    words = [text for text, _ in written(ax)]
    assert words.count("F") == 2  # answer and records
    assert words.count("W") == 1
    assert len([patch for patch in ax.patches if isinstance(patch, Circle)]) == 3
    for line in ("line of interaction", "line of visibility", "line of internal\ninteraction"):
        assert line in words
    assert "fails 10 %" in words
    assert "6 min wait + 4 min" in words
    four = [text for text, _ in written(service_blueprint(cx.blueprint(SMALL), four_layers=True))]
    assert "line of visibility" not in four
    assert "Customer tasks" in four


def test_the_title_is_the_finding():
    title = service_blueprint(cx.blueprint(SMALL)).figure.get_suptitle().replace("\n", " ")
    assert title.startswith("The critical path takes 14 minutes, 43 % of it waiting; ")
    assert title.endswith("; 1 of 2 standards are missed")
    bank = service_blueprint(cx.blueprint("bank_branch"), lang="zh").figure.get_suptitle()
    assert bank == "4 个层次、8 个要素；未给出顺序"


def test_a_synthetic_blueprint_is_marked_on_every_chart():
    result = cx.blueprint("synthetic_account_opening")
    for kind in result.kinds:
        figure = result.plot(kind).figure
        assert "SYNTHETIC DATA" in [text.get_text() for text in figure.findobj(plt.Text)]
    for other in (result.compare(result), result.score(_scores(), (1, 5))):
        for kind in other.kinds:
            figure = other.plot(kind).figure
            assert "SYNTHETIC DATA" in [text.get_text() for text in figure.findobj(plt.Text)]
    plain = cx.blueprint("bank_branch").plot().figure
    assert "SYNTHETIC DATA" not in [text.get_text() for text in plain.findobj(plt.Text)]


def _scores():
    import pandas as pd

    return pd.DataFrame({"greet": [4, 5, 4, 3], "advise": [2, 3, 4, 3]})


def test_words_shrink_with_the_callers_axes():
    sizes = []
    for inches in ((14, 8), (7, 4)):
        _, ax = plt.subplots(figsize=inches)
        assert service_blueprint(LARGE, ax=ax) is ax
        written(ax)
        sizes.append([t.get_fontsize() for t in ax.texts if isinstance(t, InchText)])
    np.testing.assert_allclose(np.divide(*sizes), 2, rtol=0.35)  # letters fall on whole pixels
    assert max(sizes[1]) < 4
    _, ax = plt.subplots(figsize=(14, 8))
    assert_apart(service_blueprint(LARGE, ax=ax))


def test_hostile_names_are_only_drawn():
    names = ["$x^2$", "<b>&amp;</b>", "W" * 300, "一" * 300, r"\frac{1}{2}", "a_b^c"]
    elements = [{"id": f"e{i}", "layer": "customer", "name": n} for i, n in enumerate(names)]
    result = cx.blueprint({"elements": elements})
    ax = service_blueprint(result)
    assert_apart(ax)
    assert "$x^2$" in [text.get_text() for text in ax.texts]


def test_too_many_columns_are_refused():
    elements = [{"id": f"e{i}", "layer": "customer"} for i in range(101)]
    flows = [{"from": f"e{i}", "to": f"e{i + 1}"} for i in range(100)]
    result = cx.blueprint({"elements": elements, "flows": flows})
    with pytest.raises(cx.CxError, match="the flows need 101 columns; allowed: 100; give elements"):
        result.plot()


def test_columns_follow_the_flows():
    bands = {"a": 0, "b": 1, "c": 2, "d": 0, "e": 3, "f": 1}
    none = dict.fromkeys(bands)
    flows = [("a", "b"), ("b", "c"), ("c", "d")]
    columns = columns_of(bands, none, flows, [("e", "d")])
    assert columns == {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1, "f": 1}
    assert columns_of(bands, {**none, "a": 3, "e": 1}, flows)["b"] == 3


def test_parallel_arrows_stand_apart():
    boxes = {"a": (1.5, 0.5), "b": (1.5, 0.5)}
    arrows = [Arrow("a", "b", "flow"), Arrow("b", "a", "failure"), Arrow("a", "b", "information")]
    layout = lay_out(boxes, {"a": 0, "b": 1}, {"a": 0, "b": 0}, arrows, 5, SHAPES)
    xs = [route[0][0] for route in layout.routes]
    assert len({round(x, 6) for x in xs}) == 3


def test_words_are_broken_where_they_are_too_long():
    assert folded("x" * 30, 1.0, 10, 2) == ["xxxxxxxxxxxx", "xxxxxxxxxxx…"]
    assert "".join(folded("人脸识别核验身份并补充上传", 0.5, 10)) == "人脸识别核验身份并补充上传"


NAMES = ["greet", "advise", "check"]


@LANGS
def test_the_words_of_a_chain_do_not_overlap(lang):
    assert_apart(LARGE.plot("chain", lang=lang))
    scored = {"scores": [4, 3, 2], "ci_low": [3.5, 2.5, 1.5], "ci_high": [4.5, 3.5, 2.5]}
    modes = ["面对面服务与远程协助以及自助服务终端"] * 3
    assert_apart(contact_chain(NAMES, modes=modes, **scored, scale=(1, 5), source="S", lang=lang))


def test_a_chain_of_texts_has_the_same_layout_in_both_languages():
    first, second = (LARGE.plot("chain", lang=lang) for lang in ("en", "zh"))
    assert first.get_ylim() == second.get_ylim()
    for one, other in zip(first.patches, second.patches, strict=True):
        np.testing.assert_allclose(one.get_path().vertices, other.get_path().vertices)


def test_a_chain_names_its_lowest_score():
    options = {"scale": (1, 5), "source": "S"}
    title = contact_chain(NAMES, scores=[4, 3, 2], **options).figure.get_suptitle()
    assert title == "Check scores lowest: 2.00"
    equal = contact_chain(NAMES, scores=[2, 3, 2], **options).figure.get_suptitle()
    assert equal == "3 contacts, from greet to check"


BAD = [
    ({"places": ["frontstage"]}, "places has 1 values for 3 names; one for each"),
    ({"places": ["x"] * 3}, "places: 'x' is not known; allowed: 'frontstage', 'backstage'"),
    ({"scores": [1, 2, 3]}, "scale=None beside scores"),
    ({"scores": [1, 2, 9], "scale": (1, 5)}, "scores: 'check' has 9; allowed: 1 to 5"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_chains(options, message):
    with pytest.raises(cx.CxError, match=message):
        contact_chain(NAMES, source="S", **options)
    with pytest.raises(cx.CxError, match="there is no step to draw"):
        contact_chain([], source="S")


def test_a_blueprint_without_contacts_has_no_chain():
    result = cx.blueprint(small(elements=[{"id": "a", "layer": "customer"}], flows=[]))
    assert "chain" not in result.kinds
    with pytest.raises(cx.CxError, match="no element is frontstage or backstage"):
        result.plot("chain")


def test_a_chain_takes_no_table_in_place_of_its_steps():
    for names in (cx.load_tables()["touchpoints"], "needs analysis"):
        with pytest.raises(cx.CxError, match=r"names is a (table|text); allowed: the steps in a"):
            cx.charts.contact_chain(names, source="x")
