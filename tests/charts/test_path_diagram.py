"""The path diagram: what it says, and that nothing in it covers anything else."""

from functools import cache
from itertools import combinations
from math import pi

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Ellipse, FancyArrowPatch

from cxstats.charts import path_diagram, style
from cxstats.charts.path_diagrams.layout import Box, Graph, columns
from cxstats.charts.path_diagrams.routes import bent, clip, passes, points, route
from cxstats.core.errors import CxError

NAN = float("nan")


def table(syntax, **more):
    """Return parameters from lines such as ``a =~ x1 0.8, x2 0.7`` and ``b ~ a 0.5 p0.2``.

    Without a p-value it is 0.0001, with ``p?`` missing; numbers are standardised estimates.
    """
    rows = []
    for line in syntax.strip().splitlines():
        lhs, op, rest = line.split(maxsplit=2)
        for term in rest.split(","):
            rhs, value, *p = term.split()
            p = p[0][1:] if p else "0.0001"
            rows.append(
                {
                    "lhs": lhs,
                    "op": op,
                    "rhs": rhs,
                    "label": "",
                    "group": 1,
                    "estimate": 1.3 * float(value),
                    "se": 0.1,
                    "z": 2.0,
                    "p_value": NAN if p == "?" else float(p),
                    "ci_low": 0.1,
                    "ci_high": 0.2,
                    "std": float(value),
                }
            )
    return pd.DataFrame(rows).assign(**more)


ECSI = table("""
Image =~ imag1 0.74 p?, imag2 0.60, imag3 0.58, imag4 0.77, imag5 0.75
Expectation =~ expe1 0.77 p?, expe2 0.69, expe3 0.61
Quality =~ qual1 0.80 p?, qual2 0.64, qual3 0.78, qual4 0.77, qual5 0.76, qual6 0.78, qual7 0.79
Value =~ val1 0.90 p?, val2 0.94
Satisfaction =~ sat1 0.80 p?, sat2 0.85, sat3 0.85
Loyalty =~ loy1 0.81 p?, loy2 0.42 p0.08, loy3 0.86
Expectation ~ Image 0.51
Quality ~ Image 0.33, Expectation 0.56
Value ~ Quality 0.63
Satisfaction ~ Quality 0.66, Value 0.24 p0.004, Expectation -0.05 p0.51
Loyalty ~ Satisfaction 0.68
""")
ECSI_R2 = {
    "Expectation": 0.26,
    "Quality": 0.60,
    "Value": 0.40,
    "Satisfaction": 0.78,
    "Loyalty": 0.46,
}
CFA = table("""
visual =~ x1 0.77 p?, x2 0.42, x3 0.58
textual =~ x4 0.85 p?, x5 0.86, x6 0.84
speed =~ x7 0.57 p?, x8 0.72, x9 0.67
visual ~~ textual 0.46, speed 0.47
textual ~~ speed 0.28 p0.2
x1 ~~ x1 0.4
""")
DEMOCRACY = table("""
ind60 =~ x1 0.92 p?, x2 0.97, x3 0.87
dem60 =~ y1 0.85 p?, y2 0.72, y3 0.72, y4 0.85
dem65 =~ y5 0.81 p?, y6 0.75, y7 0.82, y8 0.83
dem60 ~ ind60 0.45
dem65 ~ ind60 0.18 p0.009, dem60 0.89
y1 ~~ y5 0.30 p0.08
y2 ~~ y4 0.27 p0.06, y6 0.36 p0.002
y3 ~~ y7 0.19 p0.2
y4 ~~ y8 0.11 p0.4
y6 ~~ y8 0.34 p0.02
""")
MIMIC = table("""
Service =~ s1 0.8 p?, s2 0.75, s3 0.7
Loyalty =~ l1 0.82 p?, l2 0.64, l3 0.7
Service ~ age 0.21 p0.01, income -0.32, tenure 0.04 p0.6
Loyalty ~ Service 0.6, age 0.11 p0.03
""")
SECOND = table("""
Ability =~ Visual 0.87 p?, Textual 0.53, Speed 0.54
Visual =~ x1 0.77 p?, x2 0.42, x3 0.58
Textual =~ x4 0.85 p?, x5 0.86, x6 0.84
Speed =~ x7 0.57 p?, x8 0.72, x9 0.67
""")
OBSERVED = table("""
m ~ x 0.5, w 0.2 p0.3
y ~ m 0.4, x -0.3 p0.02
x ~~ w 0.25 p?
""")
CYCLE = table("""
A =~ a1 0.8 p?, a2 0.7
B =~ b1 0.8 p?, b2 0.7
C =~ c1 0.8 p?, c2 0.7, c3 0.6
A ~ C 0.3
B ~ A 0.4, C -0.25
C ~ B 0.35
""")
ONE = table("Trust =~ t1 0.9 p?, t2 0.8, t3 0.75, t4 0.3 p0.2")
EXOGENOUS = table("""
Price =~ p1 0.8 p?, p2 0.7, p3 0.75
Service =~ s1 0.8 p?, s2 0.7, s3 0.75
Product =~ d1 0.8 p?, d2 0.7, d3 0.75
Satisfaction =~ a1 0.8 p?, a2 0.7, a3 0.6
Loyalty =~ l1 0.8 p?, l2 0.7
Complaints =~ c1 0.8 p?, c2 0.7
Satisfaction ~ Price 0.3, Service 0.45, Product 0.12 p0.2
Loyalty ~ Satisfaction 0.7
Complaints ~ Satisfaction -0.5
Price ~~ Service 0.4, Product 0.35
Service ~~ Product 0.5
Loyalty ~~ Complaints -0.2 p0.04
""")


def twelve():
    lines = [
        f"L{i} =~ " + ", ".join(f"i{i}{j} {0.9 - 0.05 * j}" for j in range(1, 4 + i % 2))
        for i in range(1, 13)
    ]
    paths = {
        5: [1, 2],
        6: [2, 3],
        7: [3, 4],
        8: [5, 6],
        9: [6, 7],
        10: [8, 9],
        11: [9, 1],
        12: [10, 11],
    }
    lines += [
        f"L{end} ~ " + ", ".join(f"L{s} {0.3 + 0.03 * s - 0.4 * (s == 3):.2f}" for s in starts)
        for end, starts in paths.items()
    ]
    return table("\n".join(lines))


TWELVE = twelve()
BIFACTOR = table("""
General =~ x1 0.5 p?, x2 0.4, x3 0.5, x4 0.6, x5 0.6, x6 0.5
First =~ x1 0.5 p?, x2 0.4, x3 0.3
Second =~ x4 0.5 p?, x5 0.4, x6 0.3
""")
FACTORS = ("Tangibles", "Reliability", "Responsiveness", "Assurance", "Empathy")


def five(more=""):
    """Return five factors of four items, all ten correlations between them, and more."""
    lines = [
        f"{factor} =~ " + ", ".join(f"x{4 * k + j} {0.85 - 0.06 * j}" for j in range(1, 5))
        for k, factor in enumerate(FACTORS)
    ]
    pairs = enumerate(combinations(FACTORS, 2))
    lines += [f"{a} ~~ {b} {0.2 + 0.05 * i:.2f}" for i, (a, b) in pairs]
    return table("\n".join(lines) + more)


FIVE = five()
FIVE_CAUSES = five("""
Satisfaction =~ c1 0.9 p?, c2 0.8, c3 0.85
Loyalty =~ l1 0.9 p?, l2 0.12 p0.3, l3 0.83
Satisfaction ~ Tangibles 0.1 p0.2, Reliability 0.4, Responsiveness 0.2, Assurance -0.12, Empathy 0.2
Loyalty ~ Satisfaction 0.6, Reliability 0.12 p0.2
""")
MODELS = {
    "five": FIVE,
    "five causes": FIVE_CAUSES,
    "ecsi": ECSI,
    "cfa": CFA,
    "democracy": DEMOCRACY,
    "mimic": MIMIC,
    "second": SECOND,
    "observed": OBSERVED,
    "cycle": CYCLE,
    "one": ONE,
    "exogenous": EXOGENOUS,
    "twelve": TWELVE,
    "bifactor": BIFACTOR,
}
NAMES = {
    **{"Image": "企业形象", "Expectation": "顾客期望", "Quality": "感知质量", "Value": "感知价值"},
    **{"Satisfaction": "顾客满意", "Loyalty": "顾客忠诚", "qual3": "服务人员的态度"},
}
QUESTIONS = {
    **{f"x{i}": f"how far question {i} of the questionnaire is met by the firm" for i in range(21)},
    **{"c1": "satisfied over all", "l2": "would recommend it to friends and colleagues"},
}


def draw(name="ecsi", **more):
    r2 = {"r_squared": ECSI_R2} if str(name) == "ecsi" else {}
    model = MODELS[name] if isinstance(name, str) else name
    return path_diagram(model, **{"source": "S1", **r2, **more})


def names_of(name, lang="en"):
    """Return long names for the five factors, and Chinese ones for others in Chinese."""
    return QUESTIONS if name.startswith("five") else NAMES if lang == "zh" else None


@cache
def picture(name, lang="en"):
    """Return a chart to look at, drawn once for all tests."""
    return draw(name, lang=lang, names=names_of(name, lang))


def texts(ax):
    ax.figure.canvas.draw()  # lays out, and warns of missing glyphs
    return [text.get_text() for text in ax.figure.findobj(plt.Text)]


def words(ax):
    """Return everything written, as one line."""
    return " ".join(texts(ax)).replace("\n", " ")


def title(ax):
    return ax.figure.get_suptitle().replace("\n", " ")


def boxes(ax):
    """Return the patches of constructs and items by name."""
    found = {str(patch.get_gid()): patch for patch in ax.patches}
    return {gid[5:]: patch for gid, patch in found.items() if gid.startswith("box: ")}


def arrows(ax, *kinds):
    """Return the arrows of these kinds by (start, end)."""
    found = {}
    for patch in ax.patches:
        kind, _, ends = str(patch.get_gid()).partition(": ")
        if isinstance(patch, FancyArrowPatch) and kind in kinds:
            found[tuple(ends.split(" > "))] = patch
    return found


def way(ax, arrow):
    """Return points along the middle of an arrow, on the screen."""
    return ax.transData.transform(points(arrow._path_original.vertices))


def inner(patch, spots, pad=0.0):
    """Return whether a shape holds any of the spots, on the screen."""
    box = patch.get_window_extent()
    reach = np.abs(spots - [(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2])
    reach = reach / (box.width / 2 + pad, box.height / 2 + pad)
    if isinstance(patch, Ellipse):
        return bool(((reach**2).sum(axis=1) < 1).any())
    return bool((reach < 1).all(axis=1).any())


# Nothing covers anything ----------------------------------------------------------------------

BOTH = [*((name, "en") for name in MODELS), *((name, "zh") for name in list(MODELS)[:5])]


@pytest.mark.parametrize(("name", "lang"), BOTH)
def test_words_stand_clear_of_each_other_and_of_boxes(name, lang):
    ax = picture(name, lang)
    ax.figure.canvas.draw()
    extents = [(text.get_text(), text.get_window_extent()) for text in ax.texts]
    for i, (words, box) in enumerate(extents):
        for other, place in extents[i + 1 :]:
            assert not box.overlaps(place), f"{words!r} covers {other!r}"
    for words, box in extents:
        corners = box.corners()
        for variable, patch in boxes(ax).items():
            if inner(patch, np.array([[(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]])):
                frame = patch.get_window_extent().padded(1)
                assert all(frame.contains(*corner) for corner in corners), (words, variable)
            else:
                grid = np.array(
                    [[x, y] for x in np.linspace(box.x0, box.x1, 9) for y in (box.y0, box.y1)]
                )
                assert not inner(patch, grid), f"{words!r} covers {variable}"
    inside = ax.figure.bbox
    assert all(inside.contains(*corner) for _, box in extents for corner in box.corners())


@pytest.mark.parametrize(("name", "lang"), BOTH)
def test_arrows_run_around_what_they_do_not_join(name, lang):
    ax = picture(name, lang)
    ax.figure.canvas.draw()
    found = arrows(ax, "path", "higher", "arc", "item", "cross", "residual")
    assert found
    for ends, arrow in found.items():
        spots = way(ax, arrow)
        for variable, patch in boxes(ax).items():
            if variable not in ends:
                assert not inner(patch, spots), f"{ends} runs through {variable}"


@pytest.mark.parametrize("name", MODELS)
def test_boxes_do_not_overlap(name):
    ax = picture(name)
    ax.figure.canvas.draw()
    found = [(variable, patch.get_window_extent()) for variable, patch in boxes(ax).items()]
    for i, (variable, box) in enumerate(found):
        for other, place in found[i + 1 :]:
            assert not box.overlaps(place), f"{variable} and {other}"


@pytest.mark.parametrize("name", MODELS)
def test_a_page_is_wide_enough_for_the_smallest_text(name):
    """On a page of 780 pixels no text is smaller than 7.5; the factors have long names."""
    figure = picture(name).figure
    figure.canvas.draw()
    on_page = min(1.0, 780 / (figure.get_figwidth() * 100)) * 100 / 72
    assert min(text.get_size() for text in picture(name).texts) * on_page >= 7.5


@pytest.mark.parametrize("name", ["five", "five causes"])
def test_many_correlations_stand_in_a_table(name):
    ax = picture(name)
    assert not arrows(ax, "arc")
    shown = texts(ax)
    assert "Correlations" in shown
    assert {f"{0.2 + 0.05 * i:.2f}***" for i in range(10)} <= set(shown)
    assert "Table: correlations of constructs" in words(ax)
    assert "Curves with two heads" not in words(ax)
    # Row 2 and column 1 are the first and the second construct of the picture.
    place = {text.get_text(): text.get_position() for text in ax.texts}
    rows = {name[0]: name[1:].strip() for name in place if name[1:].strip() in FACTORS}
    (value,) = [
        row["std"]
        for _, row in FIVE[FIVE["op"] == "~~"].iterrows()
        if {row["lhs"], row["rhs"]} == {rows["1"], rows["2"]}
    ]
    cells = [
        n for n, (x, y) in place.items() if (x, y) == (place["1"][0], place[f"2  {rows['2']}"][1])
    ]
    assert cells == [f"{value:.2f}***"]


def test_few_correlations_are_drawn():
    assert len(arrows(picture("exogenous"), "arc")) == 4
    assert "Correlations" not in texts(picture("exogenous"))


def test_ellipses_stay_undistorted():
    ax = draw()
    ax.figure.canvas.draw()
    box, patch = boxes(ax)["Image"].get_window_extent(), boxes(ax)["Image"]
    assert box.width / box.height == pytest.approx(patch.width / patch.height, rel=0.01)


# The same places in every language ------------------------------------------------------------


def centres(ax):
    """Return the centres of constructs and items, in inches of the layout."""
    return {
        name: tuple(patch.get_extents().transformed(ax.transData.inverted()).get_points().mean(0))
        for name, patch in boxes(ax).items()
    }


@pytest.mark.parametrize("name", MODELS)
def test_a_model_stands_in_the_same_places_in_every_language(name):
    english, chinese = picture(name), draw(name, lang="zh", names=names_of(name))
    places = centres(chinese)
    assert set(places) == set(boxes(english))
    for box, place in centres(english).items():
        assert place == pytest.approx(places[box], abs=1e-6), box
    ways = [arrows(ax, "path", "higher", "arc", "item", "residual") for ax in (english, chinese)]
    for ends, arrow in ways[0].items():
        other = ways[1][ends]._path_original.vertices
        assert arrow._path_original.vertices == pytest.approx(other), ends


ENGLISH_NAMES = {
    **{"Image": "Corporate image of the firm", "Expectation": "What customers expect"},
    **{"Quality": "Quality as perceived", "Value": "Value for money", "Loyalty": "Loyalty"},
    "qual3": "how polite the staff is",
}


@pytest.mark.parametrize("name", ["ecsi", "exogenous", "mimic", "cycle", "twelve"])
def test_names_of_any_length_leave_the_arrangement_as_it_is(name):
    nodes = [variable for variable in boxes(picture(name)) if variable[0].isupper()]
    other = dict.fromkeys(nodes, "名称") | {"qual3": "态度"}
    longer = {variable: f"The {variable} of this firm" for variable in nodes} | ENGLISH_NAMES
    drawn = [draw(name, names=other, lang="zh"), draw(name, names=longer)]
    columns_of, sides_of = zip(*(arrangement(name, centres(ax)) for ax in drawn), strict=True)
    assert columns_of[0] == columns_of[1]
    assert sides_of[0] == sides_of[1]


def arrangement(name, places):
    """Return the constructs of each column from the top, and the side of the items of each."""
    measured = MODELS[name][MODELS[name]["op"] == "=~"]
    home = {item: node for node, item in zip(measured["lhs"], measured["rhs"], strict=True)}
    columns_of, sides = {}, {}
    nodes = set(places) - set(home)
    # A model that is too wide stands in rows.
    levels = [len({round(places[node][axis], 6) for node in nodes}) for axis in (0, 1)]
    across = 0 if levels[0] < levels[1] else 1
    for node in sorted(nodes, key=lambda node: -places[node][1 - across]):
        columns_of.setdefault(round(places[node][across], 6), []).append(node)
        offsets = [np.subtract(places[i], places[node]) for i in home if home[i] == node]
        if offsets:
            dx, dy = np.mean(offsets, axis=0)
            sides[node] = (abs(dx) > abs(dy), np.sign(dx if abs(dx) > abs(dy) else dy))
    return [columns_of[x] for x in sorted(columns_of)], sides


def test_no_dash_stands_where_a_minus_would():
    ax = draw("one")
    ax.figure.canvas.draw()
    assert len(ax.texts) > 4
    for text in ax.texts:
        if text.get_text()[0].isdigit():
            plate = text.get_bbox_patch().get_window_extent()
            size = text.get_size() * ax.figure.dpi / 72
            free = text.get_window_extent().x0 - plate.x0
            assert free >= (0.6 if text.get_text() == "0.30" else 0.3) * size  # t4 is dashed


# What is drawn --------------------------------------------------------------------------------


def test_every_parameter_is_an_arrow():
    ax = draw("democracy")
    measured = DEMOCRACY[DEMOCRACY["op"] == "=~"]
    assert set(arrows(ax, "item")) == set(zip(measured["lhs"], measured["rhs"], strict=True))
    assert set(arrows(ax, "path")) == {
        ("ind60", "dem60"),
        ("ind60", "dem65"),
        ("dem60", "dem65"),
    }
    listed = words(ax).partition("Not drawn")[2]
    assert len(arrows(ax, "residual")) + listed.count("–") == 6
    kinds = {name: isinstance(patch, Ellipse) for name, patch in boxes(ax).items()}
    assert {name for name, latent in kinds.items() if latent} == {"ind60", "dem60", "dem65"}
    assert len(kinds) == 14


def test_arcs_of_the_same_questions_asked_twice_lie_within_each_other():
    ax = draw("democracy")
    ax.figure.canvas.draw()
    arcs = {frozenset(ends): ends for ends in arrows(ax, "residual")}
    centre = {
        name: np.mean(patch.get_extents().get_points(), 0) for name, patch in boxes(ax).items()
    }
    spans = [sorted(float(centre[end][0]) for end in ends) for ends in arcs]
    nested = [sorted(float(centre[f"y{i + step}"][0]) for step in (0, 4)) for i in (1, 2, 3, 4)]
    assert all(span in spans for span in nested)
    nested.sort()
    assert [high for _, high in nested] == sorted((high for _, high in nested), reverse=True)
    # y2 and y4, y6 and y8 each stand astride of y3 and y7: that cannot be undone.
    assert sum(a < c < b < d or c < a < d < b for i, (a, b) in enumerate(spans)
               for c, d in spans[:i]) == 2  # fmt: skip


def test_width_colour_and_dashes_tell_the_coefficient():
    found = arrows(draw(), "path")
    one, other = found["Quality", "Satisfaction"], found["Image", "Quality"]
    assert one.get_linewidth() / other.get_linewidth() == pytest.approx(0.66 / 0.33)
    assert to_hex(one.get_edgecolor()) == style.GOOD.lower()
    assert one.get_linestyle() == "-"
    faint = found["Expectation", "Satisfaction"]
    assert to_hex(faint.get_edgecolor()) == style.NEUTRAL.lower()
    assert faint.get_linestyle() != "-"
    found = arrows(draw("mimic"), "path")
    assert to_hex(found["income", "Service"].get_edgecolor()) == style.BAD.lower()


def test_numbers_have_the_stars_of_their_p_values():
    shown = texts(draw())
    assert {"0.66***", "0.24**", "−0.05", "0.42", "R² 0.78"} <= set(shown)
    assert "R² 0.26" in shown
    shown = words(draw())
    assert "* p < 0.05, ** p < 0.01, *** p < 0.001" in shown
    assert "not significant (p ≥ 0.05)" in shown
    shown = texts(draw(alpha=0.001))
    assert {"0.66*", "0.24"} <= set(shown)
    assert "* p < 0.001." in words(draw(alpha=0.001))
    assert "0.86***" in texts(draw(standardised=False))  # 1.3 × 0.66
    assert "Numbers are not standardised" in words(draw(standardised=False))


def test_without_p_values_nothing_is_significant():
    ax = draw(ECSI.assign(p_value=NAN))
    assert title(ax) == "Largest path: from Satisfaction to Loyalty (0.68), without a p-value"
    assert not any("*" in text for text in texts(ax))
    assert "significant" not in words(ax)
    colours = {to_hex(arrow.get_edgecolor()) for arrow in arrows(ax, "path").values()}
    assert colours == {style.NEUTRAL.lower()}


def test_many_covariances_of_items_are_listed():
    names = [f"x{i}" for i in range(1, 10)]
    extra = [
        f"{a} ~~ {b} 0.1"
        for a, b in zip(names[:-1] + names[:-2], names[1:] + names[2:], strict=True)
    ]
    ax = draw(pd.concat([CFA, table("\n".join(extra))]))
    assert not arrows(ax, "residual")
    assert "Not drawn: correlations of residuals x1–x2 0.10, x2–x3 0.10" in words(ax)


def test_names_are_shown():
    shown = words(draw(names=NAMES, lang="zh"))
    assert "感知质量" in shown
    assert "qual1" in shown
    assert "Quality" not in shown
    long = {"qual1": "the overall quality of the services of the provider " * 2}
    assert any(text.endswith("…") for text in texts(draw(names=long)))


# Words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "lang", "more", "finding"),
    [
        ("ecsi", "en", {}, "Largest path to Satisfaction: from Quality (0.66); R² 0.78"),
        ("ecsi", "zh", {"names": NAMES}, "指向顾客满意的最大路径来自感知质量（0.66）；R² 0.78"),
        ("ecsi", "en", {"r_squared": None}, "One path to Loyalty: from Satisfaction (0.68)"),
        (
            "ecsi",
            "en",
            {"r_squared": {"Quality": 0.9}},
            "Largest path to Quality: from Expectation (0.56); R² 0.90",
        ),
        ("ecsi", "en", {"alpha": 1e-5}, "No path can be told from 0"),
        ("cfa", "en", {}, "3 factors; loadings from 0.42 to 0.86"),
        ("cfa", "zh", {}, "3 个因子；载荷 0.42 至 0.86"),
        ("one", "en", {}, "One factor; loadings from 0.30 to 0.90"),
        (
            "second",
            "en",
            {},
            "Ability stands behind 3 factors; their loadings on it run from 0.53 to 0.87",
        ),
        ("ecsi", "en", {"title": "Ours"}, "Ours"),
    ],
)
def test_title_states_the_finding(name, lang, more, finding):
    assert title(draw(name, lang=lang, **more)) == finding


def test_correlations_alone():
    ax = draw(table("a ~~ b 0.4, c -0.6\nb ~~ c 0.1 p0.3"))
    assert title(ax) == "Largest correlation: a and c, −0.60"
    assert len(arrows(ax, "arc")) == 3


@pytest.mark.parametrize(("name", "lang"), BOTH)
def test_source(name, lang):
    source = {"en": "Source: S1", "zh": "来源：S1"}[lang]
    assert any(source in text for text in texts(picture(name, lang)))


def test_synthetic_data_are_marked():
    assert "SYNTHETIC DATA" in texts(draw(synthetic=True))
    assert "合成数据" in texts(draw(synthetic=True, lang="zh"))
    assert "SYNTHETIC DATA" not in texts(draw())


def test_fit_without_a_solution():
    broken = ECSI.assign(std=NAN, p_value=NAN)
    ax = draw(broken, note="Stopped after 500 iterations.", r_squared=ECSI_R2)
    assert title(ax) == "The model has no solution; only its structure is shown"
    shown = words(ax)
    assert "NO SOLUTION" in texts(ax)
    assert "Stopped after 500 iterations. The estimation found no solution" in shown
    assert not any("0." in text for text in [t.get_text() for t in ax.texts])
    assert len(arrows(ax, "path")) == 8
    assert "SYNTHETIC DATA · NO SOLUTION" in texts(draw(broken, synthetic=True))
    partly = ECSI.assign(std=ECSI["std"].where(ECSI["lhs"] != "Value"))
    assert not {"0.90", "0.63***"} & set(texts(draw(partly)))
    assert "0.66***" in texts(draw(partly))


def test_groups():
    both = pd.concat([CFA.assign(group="men"), CFA.assign(group="women", std=CFA["std"] / 2)])
    assert "Group shown: men, one of 2." in words(draw(both))
    ax = draw(both, group="women")
    assert "Group shown: women, one of 2." in words(ax)
    assert title(ax) == "3 factors; loadings from 0.21 to 0.43"
    assert "Group shown" not in words(draw(CFA))
    assert "Group shown" not in words(draw(CFA.drop(columns="group")))


@pytest.mark.parametrize("name", ["ecsi", "cfa"])
def test_on_axes_of_the_caller(name):
    _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    assert draw(name, ax=ax) is ax
    assert ax.get_title(loc="left")
    assert not ax.figure.get_suptitle()
    ax.figure.canvas.draw()
    heading = ax._left_title.get_window_extent()
    assert ax.get_legend().get_window_extent().y1 <= heading.y0
    sizes = {text.get_size() for text in ax.texts if text.get_text() == "Image"}
    assert all(size < 10 for size in sizes)


def test_settings_stay_as_they_were():
    before = dict(plt.rcParams)
    draw(lang="zh")
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        (ECSI.drop(columns=["std", "op"]), {}, "no column op, std; needed: lhs, op, rhs"),
        (ECSI.iloc[:0], {}, "table of parameters is empty"),
        (ECSI.assign(op="~1"), {}, "no loading, path or covariance to draw"),
        (ECSI, {"group": "men"}, r"group='men' is not in the table of parameters; allowed: 1"),
        (ECSI.drop(columns="group"), {"group": 1}, "group=1, but .* no column group"),
        (ECSI, {"alpha": 5}, "alpha=5 is not allowed; allowed: between 0 and 1"),
    ],
)
def test_bad_input_is_named(model, more, message):
    with pytest.raises(CxError, match=message):
        draw(model, **more)


# Geometry -------------------------------------------------------------------------------------


def test_layers_are_the_longest_ways():
    edges = ECSI[ECSI["op"] == "~"]
    pairs = list(zip(edges["rhs"], edges["lhs"], strict=True))
    names = ["Loyalty", "Value", "Image", "Quality", "Satisfaction", "Expectation"]
    level, _ = columns(Graph(dict.fromkeys(names, (1.0, 0.5)), tuple(pairs)))
    assert sorted(names, key=level.get) == [
        *["Image", "Expectation", "Quality", "Value", "Satisfaction", "Loyalty"]
    ]
    cycle = (("a", "b"), ("b", "c"), ("c", "a"))
    level, _ = columns(Graph(dict.fromkeys("abc", (1.0, 0.5)), cycle))
    assert sorted(level.values()) == [0, 1, 2]


def test_columns_are_ordered_without_a_needless_crossing():
    edges = (("a", "z"), ("b", "x"), ("c", "y"))
    _, (left, right) = columns(Graph(dict.fromkeys("abcxyz", (1.0, 0.5)), edges))
    assert [{"a": "z", "b": "x", "c": "y"}[name] for name in left] == right


@pytest.mark.parametrize("angle", np.linspace(0, pi, 5))
def test_route_goes_around(angle):
    far = 4 * np.array([np.cos(angle), np.sin(angle)])
    start, end = Box(0, 0, 1, 0.6, True), Box(*far, 1, 0.6, True)
    other = Box(*(far / 2), 1, 0.6, True)
    assert passes(clip(bent(start, end, 0), start, end), [other])
    curve = route(start, end, [other], [], [])
    assert not passes(curve, [other])
    straight = route(start, end, [], [], [])
    assert straight[1] == pytest.approx((straight[0] + straight[2]) / 2)


def test_there_and_back_do_not_meet():
    found = arrows(picture("cycle"), "path")
    there, back = (way(picture("cycle"), found[ends]) for ends in (("B", "C"), ("C", "B")))
    apart = np.linalg.norm(there[20:40, None] - back[None], axis=2).min(axis=1)
    assert (apart > 8).all()
