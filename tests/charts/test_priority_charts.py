"""Charts of drivers and priorities: finding, positions, marks, and labels that stand apart."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Ellipse

from cxstats.charts import driver_bars, kano_plane, quadrant_map, style, tornado, weight_simplex
from cxstats.charts.simplex import area, region
from cxstats.core.errors import CxError

NAMES = {"en": ["App", "Hotline", "Branch"], "zh": ["手机银行", "热线", "网点"]}
LONG = {
    "en": "Complaint handling speed and follow-up",
    "zh": "手机银行应用稳定性与响应速度（含登录与转账环节）",
}
SHARES, LOW, HIGH = [0.2, 0.7, 0.1], [0.1, 0.5, -0.02], [0.3, 0.8, 0.2]
SCORES = [[90, 50, 50], [50, 90, 50], [50, 50, 90]]


def draw(name, lang="en", **more):
    names = more.pop("names", NAMES[lang])
    more = {"source": "S1", "lang": lang, **more}
    match name:
        case "drivers":
            return driver_bars(names, SHARES, LOW, HIGH, r_squared=0.62, **more)
        case "quadrants":
            return quadrant_map(
                names, [2, 4, 2.5], [4.5, 4, 2],
                **{"x_cut": 3, "y_cut": 3, "x_label": "x", "y_label": "y", **more},
            )  # fmt: skip
        case "kano":
            better, worse = more.pop("better", [0.568, 0.372, 0.511]), [0.736, 0.534, 0.137]
            kinds = more.pop("kinds", ["O", "M", "A"])
            return kano_plane(names, better, more.pop("worse", worse), kinds, **more)
        case "simplex":
            weights = more.pop("weights", [0.5, 0.3, 0.2])
            scores = more.pop("scores", SCORES)
            return weight_simplex(scores, weights, units=names, criteria=list("abc"), **more)
        case "tornado":
            return tornado(names, [70, 78, 76], [79, 74, 77], 75, **more)
    raise AssertionError(name)


TITLES = {
    "drivers": {
        "en": "Hotline comes first with 70.0 % of the explained variance; "
        "1 of 3 drivers cannot be told from 0",
        "zh": "热线居首，占已解释方差的 70.0%；3 个驱动因素中有 1 个无法与 0 区分",
    },
    "quadrants": {
        "en": "Fix first: App (“Concentrate here”)",
        "zh": "应首先改进：手机银行（优先改进区）",
    },
    "kano": {
        "en": "Must be right: Hotline; the more the better: App; can delight: Branch",
        "zh": "必须做好：热线；越多越好：手机银行；可带来惊喜：网点",
    },
    # Three units, each best on one criterion by as much: a third of all weights for each.
    "simplex": {
        "en": "App wins with the weights used, and with 33 % of all possible weights",
        "zh": "手机银行在所用权重下胜出，并在全部可能权重的 33% 中胜出",
    },
    "tornado": {
        "en": "App moves the result most, from 70.00 to 79.00",
        "zh": "手机银行对结果影响最大：70.00 至 79.00",
    },
}
LANGS = pytest.mark.parametrize("lang", ["en", "zh"])
EACH = pytest.mark.parametrize("name", TITLES)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def titled(ax):
    return ax.figure.get_suptitle().replace("\n", " ")


def texts(ax):
    ax.figure.canvas.draw()  # lays out, and warns of missing glyphs
    return [text.get_text() for text in ax.figure.findobj(plt.Text)]


@LANGS
@EACH
def test_title_and_source(name, lang):
    ax = draw(name, lang)
    shown = texts(ax)
    title = ax.figure.get_suptitle()
    assert title.replace("\n", " " if lang == "en" else "") == TITLES[name][lang]
    assert any({"en": "Source: S1", "zh": "来源：S1"}[lang] in text for text in shown)
    assert draw(name, lang, title="Mine").figure.get_suptitle() == "Mine"


@LANGS
@EACH
def test_on_axes_of_the_caller(name, lang):
    figure, axes = plt.subplots(2, 2, figsize=(14, 10), layout="constrained")
    assert draw(name, lang, ax=axes[0, 1]) is axes[0, 1]
    shown = texts(axes[0, 1])
    assert axes[0, 1].get_title(loc="left")
    assert not figure.get_suptitle()
    assert any("S1" in text for text in shown)


@EACH
def test_synthetic_data_are_marked(name):
    assert "SYNTHETIC DATA" in texts(draw(name, synthetic=True))
    assert "合成数据" in texts(draw(name, "zh", synthetic=True))
    assert "SYNTHETIC DATA" not in texts(draw(name))


@EACH
def test_the_same_call_gives_the_same_picture(name):
    pictures = []
    for _ in range(2):
        figure = draw(name).figure
        figure.canvas.draw()
        pictures.append(np.asarray(figure.canvas.buffer_rgba()).copy())
    np.testing.assert_array_equal(*pictures)


# Driver bars


def test_bars_stand_in_order_and_are_hollow_where_the_interval_includes_0():
    ax = draw("drivers")
    bars = list(ax.patches)
    assert [bar.get_width() for bar in bars] == pytest.approx([70, 20, 10])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Hotline", "App", "Branch"]
    assert [to_hex(bar.get_facecolor()) == "#ffffff" for bar in bars] == [False, False, True]
    ends = [line.get_segments()[0][:, 0] for line in ax.collections]
    np.testing.assert_allclose(ends, [[50, 80], [10, 30], [-2, 20]])
    words = texts(ax)
    assert "70.0 %  [50.0, 80.0]" in words
    assert any("R² = 0.62" in text and "95 % intervals" in text for text in words)


def test_drivers_without_intervals_are_hollow_and_said_so():
    nan = [np.nan] * 3
    ax = driver_bars(list("abc"), SHARES, nan, nan, source="S", level=0.9)
    assert all(to_hex(bar.get_facecolor()) == "#ffffff" for bar in ax.patches)
    assert sum("no interval" in text for text in texts(ax)) == 3
    assert titled(ax) == "None of 3 drivers can be told from 0"
    assert any("90 % intervals" in text for text in texts(ax))


def test_an_order_that_may_be_chance_is_said_so():
    words = "order may be chance"
    ax = driver_bars(list("ab"), [0.55, 0.45], [0.4, 0.3], [0.7, 0.6], source="S")
    assert any(words in text.replace("\n", " ") for text in texts(ax))
    ax = driver_bars(list("ab"), [0.8, 0.2], [0.7, 0.1], [0.9, 0.3], source="S")
    assert not any(words in text.replace("\n", " ") for text in texts(ax))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"low": [0.1, 0.2]}, "2 lower"),
        ({"shares": [20, 70, 10]}, "'App' has 20; allowed: parts of 1"),
        ({"shares": [0.2, np.nan, 0.1]}, "'Hotline' has nan"),
        ({"low": [0.4, 0.5, 0.0]}, r"'App' has \[0.4, 0.3\]"),
        ({"r_squared": 1.2}, "r_squared=1.2"),
        ({"level": 95}, "level is 95"),
        ({"names": []}, "0 names"),
    ],
)
def test_bad_drivers_are_named(change, message):
    given = {"names": NAMES["en"], "shares": SHARES, "low": LOW, "high": HIGH, **change}
    with pytest.raises(CxError, match=message):
        driver_bars(**given, source="S")


# Quadrant map


def points_of(ax):
    return np.array([dots.get_offsets()[0] for dots in ax.collections if len(dots.get_offsets())])


def hollow(ax):
    dots = [one for one in ax.collections if len(one.get_sizes()) == 1 and len(one.get_offsets())]
    return [to_hex(one.get_facecolor()[0]) == "#ffffff" for one in dots]


def test_points_lie_where_the_data_are_and_have_the_colour_of_their_quadrant():
    ax = draw("quadrants")
    np.testing.assert_allclose(points_of(ax)[:3], [[2, 4.5], [4, 4], [2.5, 2]])
    colours = [to_hex(dots.get_facecolor()[0]).upper() for dots in ax.collections[:3]]
    assert colours == [style.BAD, style.GOOD, style.NEUTRAL]
    words = texts(ax)
    for quadrant in ("Concentrate here", "Keep up the good work", "Low priority"):
        assert quadrant in words
    assert {"优先改进区", "继续保持区", "低优先区", "过度投入区"} <= set(
        texts(draw("quadrants", "zh"))
    )


def test_ellipses_have_the_radius_of_chi_square_with_2_degrees_of_freedom():
    # Independent estimates with standard errors .1 and .3; chi-square(2) at .95 is 5.9915.
    shapes = np.array([np.diag([0.01, 0.09])] * 3)
    ax = draw("quadrants", covariances=shapes)
    ellipse = next(patch for patch in ax.patches if isinstance(patch, Ellipse))
    box = ellipse.get_window_extent()
    box = box.transformed(ax.transData.inverted())
    assert [box.width, box.height] == pytest.approx(
        [2 * 5.9915**0.5 * 0.1, 2 * 5.9915**0.5 * 0.3], rel=2e-3
    )


def test_a_point_is_certain_where_its_ellipse_crosses_no_line():
    # .5 from the line: 2.4477 standard errors of .2 reach .4895, of .21 they reach .5140.
    shapes = [np.diag([0.2**2, 0.01]), np.diag([0.01, 0.01]), np.diag([0.21**2, 0.01])]
    ax = quadrant_map(list("abc"), [2.5, 2.5, 2.5], [5, 4, 4.5], x_cut=3, y_cut=3, x_label="x",
                      y_label="y", source="S", covariances=shapes)  # fmt: skip
    assert hollow(ax) == [False, False, True]
    expected = "Fix first: a and b (“Concentrate here”); 1 more lies there without certainty"
    assert titled(ax) == expected
    nan = [np.full((2, 2), np.nan)] * 3
    ax = draw("quadrants", covariances=nan)
    assert hollow(ax) == [True] * 3
    assert titled(ax) == "App lies in “Concentrate here”, but not with certainty"
    assert not any(isinstance(patch, Ellipse) for patch in ax.patches)


def test_given_shares_decide_who_is_certain():
    ax = draw("quadrants", certain=[0.95, 0.94, 1])
    assert hollow(ax) == [False, True, False]
    assert any("less than 95 % of resamples" in text for text in texts(ax))


def test_points_on_the_lines_count_as_high():
    ax = quadrant_map(list("abcd"), [3, 3, 2, 3], [3, 4, 3, 2], x_cut=3, y_cut=3, x_label="x",
                      y_label="y", source="S", quadrants=["p", "q", "r", "s"])  # fmt: skip
    assert titled(ax) == "Fix first: c (“p”)"
    assert any("A point on a line counts as high" in text for text in texts(ax))


def test_every_quadrant_can_be_seen_though_all_points_lie_in_one():
    ax = draw("quadrants", x_cut=9, y_cut=9, quadrants="effort")
    assert ax.get_xlim()[1] > 9 + 0.2 * 7
    assert ax.get_ylim()[1] > 9 + 0.2 * 7
    assert titled(ax) == "Nothing lies in “Quick wins”"


def test_quadrants_by_name_and_the_size_of_points():
    places = {("low", "high"): "A1", ("high", "high"): "B1", ("low", "low"): "C1"}
    ax = draw("quadrants", quadrants={**places, ("high", "low"): "D1"}, sizes=[1, 2, 4],
              note="Areas: tickets.")  # fmt: skip
    assert {"A1", "B1", "C1", "D1"} <= set(texts(ax))
    areas = sorted(dots.get_sizes()[0] for dots in ax.collections[:3])
    assert areas == pytest.approx([105, 210, 420])
    assert any("Areas: tickets." in text for text in texts(ax))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_cut": np.nan}, "x_cut=nan"),
        ({"quadrants": ["a", "b"]}, "2 quadrants are named; allowed: 4"),
        ({"quadrants": "swot"}, "quadrants='swot'"),
        ({"quadrants": {("low", "high"): "a"}}, "quadrants has the keys"),
        ({"covariances": np.eye(2)}, r"shape \(2, 2\); allowed: \(3, 2, 2\)"),
        ({"covariances": [[[1, 2], [2, 1]]] * 3}, "'App' has .*; allowed: symmetric"),
        ({"certain": [0.9, 1.1, 1]}, "certain: 'Hotline' has 1.1"),
        ({"certain": [0.9]}, "3 names, but 1 certain"),
        ({"sizes": [1, -1, 1]}, "sizes: 'Hotline' has -1"),
        ({"level": 0}, "level is 0"),
    ],
)
def test_bad_quadrants_are_named(change, message):
    with pytest.raises(CxError, match=message):
        draw("quadrants", **change)


# Labels that stand apart


def crowd(lang, seed, n=25):
    """Return long names and points in a few clusters of near-identical ones."""
    rng = np.random.default_rng(seed)
    middles = rng.uniform(size=(5, 2))
    points = middles[rng.integers(5, size=n)] + rng.normal(0, 0.015, (n, 2))
    return [f"{LONG[lang]} {i}" for i in range(n)], points


def label_boxes(ax, names):
    """Return the boxes of the points' names, after folding, in the order of the names."""
    ax.figure.canvas.draw()
    plain = {"".join(text.get_text().split()): text for text in ax.texts}
    found = [plain["".join(name.split())] for name in names]
    return [text.get_window_extent() for text in found], found


def assert_apart(ax, names, points, others):
    boxes, _ = label_boxes(ax, names)
    corners = [text.get_window_extent() for text in ax.texts if text.get_text() in others]
    assert len(corners) == 4
    assert not [pair for pair in combinations(range(len(boxes)), 2)
                if boxes[pair[0]].overlaps(boxes[pair[1]])]  # fmt: skip
    assert not any(box.overlaps(corner) for box in boxes for corner in corners)
    places = ax.transData.transform(points)
    assert not any(box.contains(*place) for box in boxes for place in places)
    inside = ax.bbox
    assert all(inside.containsx(box.x0) and inside.containsx(box.x1) for box in boxes)
    assert all(inside.containsy(box.y0) and inside.containsy(box.y1) for box in boxes)


@LANGS
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_25_long_names_collide_with_nothing(lang, seed):
    names, points = crowd(lang, seed)
    shapes = np.array([np.diag([0.0004, 0.0009])] * 25)
    ax = quadrant_map(names, *points.T, x_cut=0.5, y_cut=0.5, x_label="x", y_label="y",
                      covariances=shapes, source="S", lang=lang,
                      quadrants=["q1", "q2", "q3", "q4"])  # fmt: skip
    assert_apart(ax, names, points, {"q1", "q2", "q3", "q4"})


def test_25_attributes_collide_with_nothing():
    names, points = crowd("en", 4)
    points = points.clip(0, 1)
    ax = kano_plane(names, points[:, 1], points[:, 0], ["M", "O", "A", "I", "R"] * 5, source="S")
    assert_apart(ax, names, points, {"attractive", "one-dimensional", "must-be", "indifferent"})


def test_names_stay_apart_when_the_figure_changes():
    names, points = crowd("en", 5, 12)
    ax = quadrant_map(names, *points.T, x_cut=0.5, y_cut=0.5, x_label="x", y_label="y",
                      source="S", quadrants=["q1", "q2", "q3", "q4"])  # fmt: skip
    before, _ = label_boxes(ax, names)
    ax.figure.set_size_inches(14, 9)
    ax.figure.set_dpi(70)
    assert_apart(ax, names, points, {"q1", "q2", "q3", "q4"})
    after, _ = label_boxes(ax, names)
    assert before[0].bounds != after[0].bounds


def test_names_without_room_are_counted():
    _, ax = plt.subplots(figsize=(3, 2.4), layout="constrained")
    names, points = crowd("en", 6)
    quadrant_map(
        names, *points.T, x_cut=0.5, y_cut=0.5, x_label="x", y_label="y", source="S", ax=ax
    )
    shown = texts(ax)
    counted = next(text for text in shown if "without room for a name" in text)
    drawn = {"".join(text.split()) for text in shown}
    missing = sum("".join(name.split()) not in drawn for name in names)
    assert counted == f"{missing} without room for a name"


# Kano plane


def test_attributes_lie_at_their_coefficients():
    ci = [[0.5, 0.6], [0.3, 0.4], [np.nan, np.nan]]
    ax = draw("kano", better_ci=ci, worse_ci=[[0.7, 0.8]] * 3)
    points = points_of(ax)[:3]
    np.testing.assert_allclose(points, [[0.736, 0.568], [0.534, 0.372], [0.137, 0.511]])
    lines = [line.get_xydata().tolist() for line in ax.get_lines()]
    assert [[0.7, 0.568], [0.8, 0.568]] in lines
    assert [[0.736, 0.5], [0.736, 0.6]] in lines
    assert any("95 % intervals" in text for text in texts(ax))


def test_categories_have_their_own_colours_and_only_those_used_are_listed():
    ax = draw("kano", kinds=["I", "I", "R"])
    first, second, third = (to_hex(dots.get_facecolor()[0]) for dots in ax.collections[:3])
    assert first == second != third
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["indifferent", "reverse"]
    assert titled(ax) == "None of 3 attributes is one that customers ask for"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"worse": [-0.736, 0.5, 0.1]}, "worse: 'App' has -0.736; .*without its minus sign"),
        ({"better": [56.8, 0.5, 0.1]}, "better: 'App' has 56.8; allowed: from 0 to 1"),
        ({"kinds": ["O", "X", "A"]}, "'Hotline' has 'X'; allowed: M, O, A, I, R, Q"),
        ({"kinds": ["O"]}, "3 names, but 1 categories"),
        ({"better_ci": [0.1, 0.2]}, r"better_ci has shape \(2,\)"),
        ({"worse_ci": [[0.8, 0.7]] * 3}, r"worse_ci: 'App' has \[0.8, 0.7\]"),
    ],
)
def test_bad_attributes_are_named(change, message):
    with pytest.raises(CxError, match=message):
        draw("kano", **change)


# Weight simplex


def test_regions_are_exact_and_fill_the_triangle():
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(9, 3))
    areas = [area(region(scores, i)) for i in range(9)]
    assert sum(areas) == pytest.approx(1)
    weights = rng.dirichlet([1, 1, 1], 200_000)  # uniform on the triangle
    won = np.bincount((weights @ scores.T).argmax(1), minlength=9) / 200_000
    np.testing.assert_allclose(areas, won, atol=4 * 0.5 / 200_000**0.5)


def test_legend_has_the_shares_of_area_and_of_draws():
    # b wins where the first weight is under one half: three quarters of the triangle.
    draws = [[0.9, 0.1, 0], [0.8, 0.1, 0.1], [0.7, 0.1, 0.2], [0.1, 0.5, 0.4]]
    ax = draw("simplex", names=["a", "b", "c"], scores=[[1, 0, 0], [0, 1, 1], [0, 0, 0]],
              weights=[0.6, 0.2, 0.2], draws=draws)  # fmt: skip
    words = [text.get_text().replace("\u00a0", " ") for text in ax.get_legend().get_texts()]
    assert words[:2] == ["b: 75 % (draws: 25 %)", "a: 25 % (draws: 75 %)"]
    assert words[2:] == ["4 drawn weights", "weights used: 60 / 20 / 20 %"]
    expected = "A wins with the weights used, and with 25 % of all possible weights"
    assert titled(ax) == expected
    assert any("Never first: c." in text for text in texts(ax))
    star = ax.collections[-1].get_offsets()[0]
    np.testing.assert_allclose(star, [0.2 + 0.1, 0.2 * 3**0.5 / 2])


def test_ties_and_units_that_always_win():
    ax = draw("simplex", weights=[1 / 3, 1 / 3, 1 / 3])
    assert titled(ax) == "App, Hotline and Branch tie with the weights used"
    ax = draw("simplex", scores=[[9, 9, 9], [1, 1, 1], [9, 9, 9]])
    assert titled(ax) == "App / Branch wins whatever the weights"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": [0.5, 0.3, 0.3]}, "sum to 1.1; allowed: .* sum to 1"),
        ({"weights": [1.2, -0.1, -0.1]}, "1.2, -0.1, -0.1 sum to 1"),
        ({"weights": [0.5, 0.5]}, r"weights has shape \(2,\)"),
        ({"draws": [[0.2, 0.3, 0.5], [1, 1, 1]]}, "draws row 1: 1, 1, 1 sum to 3"),
        ({"scores": [[1, 2, 3]]}, "3 units, but 1 rows"),
        ({"scores": [[1, 2]] * 3}, r"scores has shape \(3, 2\)"),
        ({"scores": [[1, 2, 3], [1, np.nan, 3], [1, 2, 3]]}, "'Hotline' has nan on 'b'"),
    ],
)
def test_bad_weights_are_named(change, message):
    with pytest.raises(CxError, match=message):
        draw("simplex", **change)


# Tornado


def test_bars_run_from_the_base_to_both_ends():
    ax = draw("tornado", low_words="halved", high_words="doubled")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["App", "Hotline", "Branch"]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert {start for start, _ in ends} == {75}
    assert [end for _, end in ends] == [70, 79, 78, 74, 77, 76]
    colours = {to_hex(bar.get_facecolor()).upper() for bar in ax.patches}
    assert colours == {style.GOOD, style.SEQUENCE[1]}
    shown = texts(ax)
    assert {"70.00", "79.00", "74.00", "78.00", "76.00 / 77.00", "halved", "doubled"} <= set(shown)
    assert any("A narrow bar within a wide one" in text for text in shown)
    # The ends of App: the low value at the left of its bar, the high one at the right.
    sides = {text.get_text(): text.get_ha() for text in ax.texts}
    assert (sides["70.00"], sides["79.00"]) == ("right", "left")
    assert (sides["74.00"], sides["78.00"]) == ("right", "left")


def test_a_tornado_that_does_not_turn():
    ax = tornado(["a", "b"], [5, 5], [5, 5], 5, source="S")
    texts(ax)
    assert titled(ax) == "No input moves the result"
    ax = tornado(["a"], [4], [5], 5, source="S", decimals=0)
    assert titled(ax) == "A moves the result from 4 to 5"


def test_bad_inputs_are_named():
    with pytest.raises(CxError, match="3 names, but 2 low results"):
        tornado(list("abc"), [1, 2], [1, 2, 3], 1, source="S")
    with pytest.raises(CxError, match="high results: 'b' has None"):
        tornado(list("ab"), [1, 2], [1, None], 1, source="S")
    with pytest.raises(CxError, match="base=nan"):
        tornado(list("ab"), [1, 2], [1, 2], np.nan, source="S")


def test_ellipses_of_shares_end_at_zero():
    covariances = np.array([np.eye(2)] * 3)
    places = list("abc"), [3, 4, 5], [0.5, 1, 2]
    options = {"x_cut": 4, "y_cut": 1, "x_label": "x", "y_label": "share", "source": "S"}
    free = quadrant_map(*places, covariances=covariances, **options)
    cut = quadrant_map(*places, covariances=covariances, lowest=(-np.inf, 0), **options)
    assert free.get_ylim()[0] < -1
    assert cut.get_ylim()[0] == 0
    assert cut.get_xlim() == free.get_xlim()
