"""Charts of surveys: distributions, gaps, the zone of tolerance, discriminant validity.

Findings are tested on tables set by hand; drawn numbers against the table they come from.
"""

from dataclasses import replace
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from cxstats.charts import answer_shares, gaps, heatmap, likert, style
from cxstats.charts.likert import palette
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number
from cxstats.service.reliability import reliability
from cxstats.service.servqual import servperf, servqual
from cxstats.survey.codebook import Codebook

CONSTRUCTS = {"Tangibles": ["t1", "t2"], "Reliability": ["r1", "r2"], "Empathy": ["e1", "e2"]}
CHINESE = {"Tangibles": "有形性", "Reliability": "可靠性", "Empathy": "移情性", "t1": "设备"}
BOOK = Codebook(
    scale=(1, 7),
    constructs=CONSTRUCTS,
    perception="P_{item}",
    expectation="E_{item}",
    minimum="M_{item}",
    reverse=["e2"],
    labels={name: {"en": name, "zh": zh} for name, zh in CHINESE.items()},
)
NO_MINIMUM = Codebook(
    scale=(1, 7), constructs=CONSTRUCTS, perception="P_{item}", expectation="E_{item}"
)
QUICK = {"n_resamples": 200}


def responses(book=BOOK, n=80):
    rng = np.random.default_rng(3)
    base = rng.normal(size=n)
    centres = {"E": 5.8, "P": 5.0, "M": 4.0}
    frame = pd.DataFrame(
        {
            column: np.clip(np.round(centres[column[0]] + base + rng.normal(size=n)), 1, 7)
            for column in book.answer_columns
        }
    )
    frame.attrs["synthetic"] = True
    frame.attrs["reversed"] = ("e2",)
    return frame


FRAME = responses()
GAPS = servqual(FRAME, BOOK, **QUICK)
SCORES = servperf(FRAME, BOOK, **QUICK)
VALIDITY = reliability(FRAME, BOOK, **QUICK)
REAL = {"synthetic": False}


def draw(name, lang="en", real=False, **more):
    more = {"lang": lang, **more}
    change = REAL if real else {}
    match name:
        case "likert":
            return likert(
                FRAME, BOOK, synthetic=False if real else None, **{"source": "S1", **more}
            )
        case "servperf":
            return gaps.gap_dumbbell(replace(SCORES, **change), **more)
        case "htmt":
            return heatmap.htmt_heatmap(replace(VALIDITY, **change), **more)
    return replace(GAPS, **change).plot(name, **more)


ALL = ["likert", *GAPS.kinds, "servperf", "htmt"]


def texts(ax):
    ax.figure.canvas.draw()  # lays out, and warns of missing glyphs
    return [text.get_text() for text in ax.figure.findobj(plt.Text)]


def words(ax):
    """Return everything written, as one line."""
    return " ".join(texts(ax)).replace("\n", " ").replace("\u00a0", " ")


def title(ax):
    return ax.figure.get_suptitle().replace("\n", " ").replace("\u00a0", " ")


def dots(ax):
    """Return x, y and the face colour of every dot drawn one by one, in the order drawn."""
    found = [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_offsets())]
    return [(*map(float, c.get_offsets()[0]), to_hex(c.get_facecolor()[0])) for c in found]


# All charts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ALL)
def test_title_source_and_words(name, lang):
    ax = draw(name, lang, source="S1")
    shown = texts(ax)
    assert ax.figure.get_suptitle()
    assert any({"en": "Source: S1", "zh": "来源：S1"}[lang] in text for text in shown)
    words = {"en": "Tangibles", "zh": "有形性"} if name != "items" else {"en": "t1", "zh": "设备"}
    assert any(words[lang] in text for text in shown)
    assert draw(name, lang, title="Ours").figure.get_suptitle() == "Ours"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ALL)
def test_on_axes_of_the_caller(name, lang):
    _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    assert draw(name, lang, ax=ax, source="S1") is ax
    shown = texts(ax)
    assert ax.get_title(loc="left")
    assert not ax.figure.get_suptitle()
    assert any("S1" in text for text in shown)
    heading = ax.title if ax.title.get_text() else ax._left_title
    bottom = heading.get_window_extent().y0
    legend = ax.get_legend()
    if legend is not None:
        assert legend.get_window_extent().y1 <= bottom


@pytest.mark.parametrize("name", ALL)
def test_synthetic_data_are_marked(name):
    assert "SYNTHETIC DATA" in texts(draw(name))
    assert "合成数据" in texts(draw(name, "zh"))
    assert "SYNTHETIC DATA" not in texts(draw(name, real=True))


@pytest.mark.parametrize("name", ALL[1:])
def test_source_that_is_found(name):
    assert any("Source: simulated responses, n = 80" in text for text in texts(draw(name)))
    assert any("Source: survey, n = 80" in text for text in texts(draw(name, real=True)))
    assert any("来源：问卷调查，n = 80" in text for text in texts(draw(name, "zh", real=True)))


@pytest.mark.parametrize("name", ALL)
def test_words_do_not_collide(name):
    ax = draw(name, lang="zh")
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    unseen = [text for text in ax.get_xticklabels() if not low <= text.get_position()[0] <= high]
    boxes = [
        text.get_window_extent().padded(-1)
        for text in ax.findobj(plt.Text)
        if text.get_text().strip() and text.get_visible() and text not in unseen
    ]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])
    inside = ax.figure.bbox.padded(1)
    assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in boxes)


def test_settings_stay_as_they_were():
    before = dict(plt.rcParams)
    for name in ALL:
        draw(name, "zh")
    assert dict(plt.rcParams) == before


# Distributions --------------------------------------------------------------------------------

FIVE = Codebook(scale=(1, 5), constructs={"A": ["a", "b"]}, reverse=["b"])
COUNTED = pd.DataFrame(
    {"a": [1, 2, 3, 4, 4, 5, 5, 5, None, None], "b": [1, 1, 1, 1, 2, 3, 4, 5, 5, 5]}
)


def test_shares_are_of_answers_given_and_turned():
    table = answer_shares(COUNTED, FIVE)
    assert table.loc["a"].tolist() == [12.5, 12.5, 12.5, 25, 37.5, 8]
    assert table.loc["b"].tolist() == pytest.approx([30, 10, 10, 10, 40, 10])
    assert table[[1, 2, 3, 4, 5]].sum(axis=1).tolist() == pytest.approx([100, 100])
    done = COUNTED.copy()
    done.attrs["reversed"] = ["b"]
    table = answer_shares(done, FIVE)
    assert table.loc["b"].tolist() == pytest.approx([40, 10, 10, 10, 30, 10])


def bars(ax):
    """Return the bars of each row, top row first, as (left, width) from left to right."""
    rows = {}
    for bar in ax.patches:
        rows.setdefault(-bar.get_y(), []).append((bar.get_x(), bar.get_width()))
    return [sorted(rows[y]) for y in sorted(rows)]


@pytest.mark.parametrize("high", [2, 5, 6, 7, 10, 11])
def test_bars_are_the_table(high):
    book = Codebook(scale=(1, high), constructs={"A": ["a", "b"], "B": ["c"]})
    rng = np.random.default_rng(high)
    frame = pd.DataFrame(rng.integers(1, high + 1, (200, 3)), columns=list("abc"))
    ax = likert(frame, book, source="S")
    table = answer_shares(frame, book)
    values = list(range(1, high + 1))
    assert len(set(palette(high))) == high
    for row, (_, shares) in zip(bars(ax), table.iterrows(), strict=True):
        drawn = [share for share in shares[values] if share]
        assert [width for _, width in row] == pytest.approx(drawn)
        assert sum(width for _, width in row) == pytest.approx(100)
        below = shares[values[: high // 2]].sum()
        middle = shares[values[high // 2]] / 2 if high % 2 else 0
        assert row[0][0] == pytest.approx(-below - middle)
        assert all(a + w == pytest.approx(b) for (a, w), (b, _) in pairwise(row))
    assert [t.get_text()[0] for t in ax.get_legend().get_texts()] == [str(v)[0] for v in values]


def test_all_answers_alike_and_none_at_all():
    frame = pd.DataFrame({"a": [5.0] * 4, "b": [np.nan] * 4})
    ax = likert(frame, FIVE, source="S")
    assert bars(ax) == [[(0.0, 100.0)]]
    assert title(ax) == "“a”: 100 % answer 4 or 5"
    assert {"n = 4", "n = 0"} <= set(texts(ax))


@pytest.mark.parametrize(
    ("a", "b", "lang", "finding"),
    [
        ([5, 4, 4, 1], [5, 4, 1, 1], "en", "“a” is rated highest: 75 % answer 4 or 5"),
        ([5, 4, 4, 1], [5, 5, 5, 1], "en", "“b” is rated highest: 75 % answer 4 or 5"),
        ([5, 4, 4, 1], [4, 5, 4, 1], "en", "2 items are rated highest: 75 % answer 4 or 5 to each"),
        ([5, 4, 4, 1], [5, 4, 1, 1], "zh", "“a”评分最高：75% 选择 4 或 5"),
    ],
)
def test_likert_states_the_highest(a, b, lang, finding):
    book = Codebook(scale=(1, 5), constructs={"A": ["a", "b"]})
    ax = likert(pd.DataFrame({"a": a, "b": b}), book, source="S", lang=lang)
    assert title(ax) == finding


def test_top_answers_depend_on_the_scale():
    for high, words in ((3, "answer 3"), (7, "answer 6 or 7"), (10, "answer 8 to 10")):
        book = Codebook(scale=(1, high), constructs={"A": ["a"]})
        ax = likert(pd.DataFrame({"a": [high, high, 1, 1]}), book, source="S")
        assert title(ax) == f"“a”: 50 % {words}"


def test_likert_says_what_it_did():
    shown = words(likert(COUNTED, FIVE, source="S"))
    assert "their number stands at the right" in shown
    assert "n = 8" in shown
    assert "The middle answer (3) is split at 0" in shown
    assert "Worded in reverse and turned: b" in shown
    even = Codebook(scale=(1, 6), constructs={"A": ["a"]}, answers={"never": 1, "总是": 6})
    shown = texts(likert(pd.DataFrame({"a": [1, 6]}), even, source="S"))
    assert any("n = 2." in text for text in shown)
    assert not any("split" in text for text in shown)
    assert {"1 (never)", "6 (highest)"} <= set(shown)
    one = likert(FRAME, BOOK, "expectation", construct="Empathy", source="S")
    assert len(one.get_yticks()) == 2
    assert title(one).startswith("Expectations are highest for")
    assert len(draw("likert").get_yticks()) == 6 + 3  # items and headings


# Gaps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dimensions", "items"])
def test_dumbbells_are_the_table(kind):
    ax, table = draw(kind), GAPS.items if kind == "items" else GAPS.table
    order = table.drop(index="Overall", errors="ignore").sort_values("gap").index.tolist()
    order += ["Overall"] if kind == "dimensions" else []
    found = dots(ax)
    assert [x for x, _, _ in found[::2]] == pytest.approx(table.loc[order, "expectation"].tolist())
    assert [x for x, _, _ in found[1::2]] == pytest.approx(table.loc[order, "perception"].tolist())
    assert all(face == "#ffffff" for *_, face in found[::2])
    heights = [y for _, y, _ in found[::2]]
    assert all(a > b for a, b in pairwise(heights))
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert [name.replace("总体", "Overall") for name in names] == order
    row = table.loc[order[0]]
    gap, low, high = (format_number(row[name], 2) for name in ("gap", "ci_low", "ci_high"))
    assert f"{gap} [{low}, {high}]" in texts(ax)


def set_gaps(rows, **more):
    """Return a result whose dimensions have these gaps and intervals."""
    table = GAPS.table.copy()
    for name, (gap, low, high) in rows.items():
        table.loc[name, ["perception", "gap", "ci_low", "ci_high"]] = [4 + gap, gap, low, high]
        table.loc[name, "expectation"] = 4
    return replace(GAPS, table=table, **more)


NAN = float("nan")
SHORT, OVER, FLAT = (-1.08, -1.2, -0.96), (0.5, 0.3, 0.7), (-0.1, -0.3, 0.1)


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        (
            (SHORT, (-0.5, -0.7, -0.3), (-0.2, -0.3, -0.1)),
            "All 3 dimensions fall short of expectations, Tangibles most: −1.08 [−1.20, −0.96]",
        ),
        (
            (SHORT, (-2, -2.2, -1.8), FLAT),
            "2 of 3 dimensions fall short of expectations, Reliability most: −2.00 [−2.20, −1.80]",
        ),
        (
            (OVER, SHORT, (-3, NAN, NAN)),
            "Only Reliability falls short of expectations: −1.08 [−1.20, −0.96]",
        ),
        (
            (FLAT, OVER, FLAT),
            "Nothing falls short of expectations; Reliability exceeds them most: "
            "+0.50 [+0.30, +0.70]",
        ),
        (
            (FLAT, (0.2, -0.1, 0.5), FLAT),
            "No gap can be told from 0; the widest is Reliability: +0.20 [−0.10, +0.50]",
        ),
        (
            ((-0.2, NAN, NAN), (0.1, NAN, NAN), (NAN, NAN, NAN)),
            "Tangibles lies furthest from expectations: −0.20, without an interval",
        ),
    ],
)
def test_gaps_state_what_the_intervals_allow(rows, finding):
    result = set_gaps(dict(zip(CONSTRUCTS, rows, strict=True)))
    ax = result.plot()
    assert title(ax) == finding
    assert not any("nan" in text for text in texts(ax))
    texts(result.plot(lang="zh"))


def test_gaps_are_coloured_only_where_sure():
    result = set_gaps(dict(zip(CONSTRUCTS, (SHORT, FLAT, OVER), strict=True)))
    faces = [face for *_, face in dots(result.plot())[1::2]]
    assert faces[:3] == [style.BAD.lower(), style.NEUTRAL.lower(), style.GOOD.lower()]
    shown = texts(result.plot())
    assert {"below expectation", "above expectation", "no clear difference"} <= set(shown)
    missing = set_gaps({"Empathy": (NAN, NAN, NAN), "Tangibles": (-1, NAN, NAN)})
    shown = texts(missing.plot())
    assert {"no answers", "−1.00"} <= set(shown)
    assert any("A value without brackets has no interval" in text for text in shown)


def test_sign_of_a_rounded_limit_tells_the_side_and_a_rounded_gap_has_none():
    rows = {"Tangibles": (-0.15, -0.33, -0.004), "Empathy": (1e-15, -0.1, 0.001)}
    rows |= {"Assurance": (-0.003, -0.2, 0.004)}
    assert {
        "−0.15 [−0.33, −0.00]",
        "0.00 [−0.10, +0.00]",
        "0.00 [−0.20, +0.00]",
    } <= set(texts(set_gaps(rows).plot()))


def test_note_gives_n_level_and_weights():
    table = GAPS.table.assign(n=[80, 72, 80, 70])
    shown = words(replace(GAPS, table=table, level=0.9, weights="points").plot())
    assert "90 % t intervals, n = 70 to 80." in shown
    assert "Weights of the overall score: each respondent's own points" in shown
    assert "gap [90 % interval]" in shown
    assert "Weights" not in words(draw("items"))


def test_scores_have_an_interval_and_no_gap():
    ax, table = draw("servperf"), SCORES.table
    order = [*table.drop(index="Overall").sort_values("perception").index, "Overall"]
    assert [x for x, *_ in dots(ax)] == pytest.approx(table.loc[order, "perception"].tolist())
    ends = [line.get_xdata() for line in ax.get_lines()[: len(order)]]
    assert np.array(ends) == pytest.approx(table.loc[order, ["ci_low", "ci_high"]].to_numpy())
    assert "is rated lowest" in title(ax)
    assert "expectation" not in words(ax)


# Zone of tolerance ----------------------------------------------------------------------------


def set_zone(rows):
    """Return a result with these minimum, expectation, perception and width of the intervals."""
    zone = GAPS.zone.copy()
    for name, (low, high, p, width) in rows.items():
        values = {"minimum": low, "expectation": high, "perception": p}
        values |= {"adequacy": p - low, "superiority": p - high, "position": (p - low) / 2}
        for column in ("adequacy", "superiority", "position"):
            values[f"{column}_ci_low"] = values[column] - width
            values[f"{column}_ci_high"] = values[column] + width
        zone.loc[name, list(values)] = list(values.values())
    return replace(GAPS, zone=zone)


def test_bands_are_the_table():
    ax, zone = draw("zone"), GAPS.zone
    order = [*zone.drop(index="Overall").sort_values("adequacy").index, "Overall"]
    bands = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert np.array(bands) == pytest.approx(zone.loc[order, ["minimum", "expectation"]].to_numpy())
    assert [x for x, *_ in dots(ax)] == pytest.approx(zone.loc[order, "perception"].tolist())


IN, LOW, UP, UNSURE = (4, 6, 5, 0.2), (4, 6, 3, 0.2), (4, 6, 6.5, 0.2), (4, 6, 3.9, 0.2)


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        (
            (IN, (4, 6, 4.5, 0.1), IN),
            "All 3 dimensions lie inside the zone of tolerance; Reliability is closest to the "
            "minimum",
        ),
        ((IN, LOW, UP), "Reliability lies below the minimum level"),
        (
            (LOW, UNSURE, UP),
            "2 of 3 dimensions lie below the minimum level, Tangibles furthest",
        ),
        (
            (UP, IN, (4, 6, 6.9, 0.2)),
            "No dimension is below the minimum level; 2 of 3 exceed the expectation, Empathy most",
        ),
    ],
)
def test_zone_states_who_is_where(rows, finding):
    result = set_zone(dict(zip(CONSTRUCTS, rows, strict=True)))
    assert title(result.plot("zone")) == finding
    texts(result.plot("zone", lang="zh"))


def test_zone_is_hollow_where_unsure():
    result = set_zone(dict(zip(CONSTRUCTS, (LOW, UNSURE, UP), strict=True)))
    faces = [face for *_, face in dots(result.plot("zone"))[:3]]
    assert faces == [style.BAD.lower(), "#ffffff", style.GOOD.lower()]
    zone = GAPS.zone.assign(position=NAN)
    assert "no zone" in texts(replace(GAPS, zone=zone).plot("zone"))


# Scatter --------------------------------------------------------------------------------------


def test_scatter_has_equal_axes_and_names_the_worst():
    ax, items = draw("scatter"), GAPS.items
    points = np.vstack([np.asarray(c.get_offsets()) for c in ax.collections])
    order = [item for members in CONSTRUCTS.values() for item in members]
    assert points == pytest.approx(items.loc[order, ["expectation", "perception"]].to_numpy())
    assert ax.get_xlim() == ax.get_ylim()
    assert list(ax.get_xticks()) == list(ax.get_yticks())
    assert ax.get_aspect() == 1
    line = ax.get_lines()[0]
    assert list(line.get_xdata()) == list(line.get_ydata())
    shown = words(ax)
    worst = items["gap"].nsmallest(5)
    for item, gap in worst.items():
        assert f"{item}: {format_number(gap, 2)}" in shown
    rest = (set(items.index) - set(worst.index)).pop()
    assert f"{rest}: " not in shown


def test_scatter_names_stand_apart():
    tall = [0.1, 0.3, 0.1]
    tops = gaps.stack([0.5, 0.5, 0.02], tall, 0.9)
    assert tops == pytest.approx([0.5, 0.4, 0.1])
    assert gaps.stack([0.99, 0.98], [0.2, 0.2], 0.6) == pytest.approx([0.6, 0.4])
    items = GAPS.items.assign(expectation=6.0, perception=2.0, gap=-4.0)  # all on one spot
    labels = {item: f"A long name of an item, to be broken into lines: {item}" for item in "tre"}
    names = {f"{key}{i}": words for key, words in labels.items() for i in (1, 2)}
    book = replace(BOOK, labels=names)
    ax = replace(GAPS, items=items, codebook=book).plot("scatter")
    ax.figure.canvas.draw()
    boxes = [t.get_window_extent() for t in ax.texts if "A long name" in t.get_text()]
    boxes.append(ax.get_legend().get_window_extent())
    assert len(boxes) == 6
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])


# Discriminant validity ------------------------------------------------------------------------


def set_htmt(*rows, **more):
    """Return a result with these ratios and intervals of the three pairs."""
    table = VALIDITY.htmt.copy()
    table[["htmt", "ci_low", "ci_high"]] = rows
    return replace(VALIDITY, htmt=table, **more)


OK, HIGH, CLOSE = (0.5, 0.4, 0.61), (0.91, 0.83, 0.98), (0.93, 0.85, 1.0)


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        (
            (OK, OK, (0.62, 0.5, 0.7)),
            "All 3 pairs stay below 1, closest are Reliability and Empathy: HTMT .62 [.50, .70]",
        ),
        (
            (OK, HIGH, OK),
            "All 3 pairs stay below 1, but 1 exceed .85, most of all Tangibles and Empathy: "
            "HTMT .91 [.83, .98]",
        ),
        (
            (OK, CLOSE, HIGH),
            "HTMT of Tangibles and Empathy may be 1: .93 [.85, 1.00]",
        ),
        (
            ((1.02, 0.9, 1.2), CLOSE, HIGH),
            "HTMT may be 1 for 2 of 3 pairs, above all Tangibles and Reliability: 1.02 [.90, 1.20]",
        ),
        (
            ((0.9, NAN, NAN), (0.2, NAN, NAN), (NAN, NAN, NAN)),
            "1 of 2 pairs exceed .85, highest are Tangibles and Reliability: HTMT .90, "
            "without an interval",
        ),
    ],
)
def test_htmt_states_who_is_distinct(rows, finding):
    assert title(set_htmt(*rows).plot()) == finding
    texts(set_htmt(*rows).plot(lang="zh"))


def test_cells_are_the_table():
    ax = set_htmt(OK, CLOSE, HIGH).plot()
    shown = set(texts(ax))
    assert {".50", "[.40, .61]", ".93", "[.85, 1.00]", ".91", "[.83, .98]"} <= shown
    bold = {t.get_text() for t in ax.texts if t.get_fontweight() == "bold"} - {"SYNTHETIC DATA"}
    assert bold == {".93"}
    assert sum(bool(patch.get_hatch()) for patch in ax.patches) == 1
    frames = [p for p in ax.patches if to_hex(p.get_edgecolor()) == heatmap.FRAME.lower()]
    assert len(frames) == 2
    places = {t.get_text(): t.xy for t in ax.texts if hasattr(t, "xy")}
    assert places[".50"] == (0, 0)  # Reliability below Tangibles
    assert places[".93"] == (0, 1)  # Empathy below Tangibles
    assert places[".91"] == (1, 1)  # Empathy below Reliability


def test_htmt2_threshold_and_moments():
    result = set_htmt(OK, OK, OK)
    row = result.htmt.iloc[0]
    shown = words(result.plot(geometric=True, threshold=0.3))
    assert f"{row['htmt2']:.2f}".removeprefix("0") in shown
    assert "HTMT2" in shown
    assert "exceeds .30" in shown
    nothing = (0.5, NAN, NAN)
    shown = texts(set_htmt(nothing, nothing, nothing, n_resamples=0, synthetic=False).plot())
    assert any("there are no responses, so no intervals" in text for text in shown)
    assert any("correlations or covariances as given, n = 80" in text for text in shown)
    shown = texts(set_htmt(OK, OK, (NAN, NAN, NAN)).plot())
    assert "?" in shown
    assert any("does not vary" in text for text in shown)


# Bad input ------------------------------------------------------------------------------------

ONE = Codebook(scale=(1, 7), constructs={"A": ["a", "b", "c"]})
ALONE = pd.DataFrame(np.random.default_rng(1).integers(1, 8, (30, 3)), columns=list("abc"))
BAD = [
    (lambda: GAPS.plot("pie"), "kind='pie'.; allowed: 'dimensions', 'items', 'zone', 'scatter'"),
    (lambda: GAPS.plot("zone", lang="fr"), "lang='fr'"),
    (
        lambda: SCORES.plot("scatter"),
        "perceptions alone; allowed: 'dimensions', 'items', 'zone'",
    ),
    (lambda: gaps.gap_scatter(SCORES), "perceptions alone"),
    (
        lambda: gaps.zone_bands(servqual(FRAME, NO_MINIMUM, **QUICK)),
        "no minimum answers .*it has: expectation, perception",
    ),
    (
        lambda: servqual(FRAME, NO_MINIMUM, **QUICK).plot("zone"),
        "no minimum answers .*it has: expectation, perception",
    ),
    (
        lambda: servperf(ALONE, ONE, **QUICK).plot("zone"),
        "no minimum and expectation answers .*it has: score",
    ),
    (lambda: reliability(ALONE, ONE, **QUICK).plot(), "one construct has no pairs"),
    (lambda: VALIDITY.plot(threshold=85), "threshold=85 is not allowed"),
    (lambda: likert(FRAME, BOOK, construct="Price", source="S"), "construct 'Price'.*Empat"),
    (lambda: likert(FRAME, BOOK, "score", source="S"), "no 'score' answers"),
    (lambda: likert(FRAME, BOOK, source="S", lang="fr"), "lang='fr'"),
    (lambda: likert(ALONE + 0.5, ONE, source="S"), "off the scale|whole numbers"),
    (
        lambda: likert(ALONE.assign(b=4.5), ONE, source="S"),
        "column 'b': 4.5 is between two points; allowed: whol",
    ),
    (lambda: likert(ALONE.assign(b=9), ONE, source="S"), "column 'b': 9 is off the scale"),
    (lambda: likert(ALONE * np.nan, ONE, source="S"), "no answers to draw: a, b, c"),
    (lambda: likert(ALONE[["a", "b"]], ONE, source="S"), "column 'c' is not in the table"),
    (
        lambda: likert(ALONE, replace(ONE, scale=(0, 100)), source="S"),
        "scale 0 to 100 cannot be drawn; allowed: whole numbers, at most 11",
    ),
    (
        lambda: likert(
            ALONE,
            Codebook(scale={"A": (1, 7), "B": (1, 10)}, constructs={"A": ["a", "b"], "B": ["c"]}),
            source="S",
        ),
        "different scales .A 1 to 7, B 1 to 10.; choose one with construct=",
    ),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input_is_named(call, message):
    with pytest.raises((CxError, DataError), match=message):
        call()
