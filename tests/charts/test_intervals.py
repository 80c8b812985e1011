"""Estimates with their intervals."""

from itertools import pairwise

import numpy as np
import pytest

from cxstats.charts import intervals
from cxstats.core.errors import CxError

NAMES, VALUES = ["A", "B", "C"], [0.5, -0.7, 0.1]
LOW, HIGH = [0.2, -0.9, -0.1], [0.8, -0.5, 0.3]


def titled(ax):
    return ax.figure.get_suptitle()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_title_names_the_largest_that_is_clear_of_the_reference(lang):
    ax = intervals(NAMES, VALUES, LOW, HIGH, source="test", lang=lang)
    assert "B" in titled(ax)
    assert "−0.70" in titled(ax)
    assert "2" in titled(ax)


def test_a_dot_is_hollow_where_the_interval_includes_the_reference():
    ax = intervals(NAMES, VALUES, LOW, HIGH, source="test")
    faces = [dot.get_facecolor()[0].tolist() for dot in ax.collections]
    assert [face == [1, 1, 1, 1] for face in faces] == [False, False, True]


def test_none_is_clear_and_an_interval_may_be_missing():
    ax = intervals(["A"], [0.5], [np.nan], [np.nan], source="test")
    assert "no interval" in " ".join(text.get_text() for text in ax.texts)
    ax = intervals(NAMES[2:] * 2, [0.1, 0.1], [-1, -1], [1, 1], source="test", reference=0.5)
    assert titled(ax) == "None of 2 intervals leaves out 0.5"


def test_bad_input_is_named():
    with pytest.raises(CxError, match="2 lower"):
        intervals(NAMES, VALUES, LOW[:2], HIGH, source="test")
    with pytest.raises(CxError, match="'B' has nan"):
        intervals(NAMES, [0.5, np.nan, 0.1], LOW, HIGH, source="test")


def test_the_note_explains_hollow_dots_only_where_there_are_some():
    def below(n):
        ax = intervals(NAMES[:n], VALUES[:n], LOW[:n], HIGH[:n], source="test")
        return ax.figure.get_supxlabel()

    assert "Hollow" in below(3)
    assert "Hollow" not in below(2)


def test_an_estimate_that_rounds_to_zero_has_no_sign():
    ax = intervals(["A", "B"], [-0.001, 0.4], [-0.2, -0.001], [0.1, 0.6], source="test")
    assert [text.get_text() for text in ax.texts] == ["0.00  [−0.20, 0.10]", "0.40  [−0.00, 0.60]"]


def test_long_names_do_not_touch():
    name = "a name of a row that takes up three lines, since it says all that there is to be said"
    ax = intervals([f"{i} {name}" for i in range(6)], [1] * 6, [0.5] * 6, [2] * 6, source="test")
    ax.figure.canvas.draw()
    boxes = [tick.get_window_extent() for tick in ax.get_yticklabels()]
    assert all(lower.y1 < upper.y0 for upper, lower in pairwise(boxes))


def test_ranks_have_whole_numbers_on_their_axis():
    ax = intervals(NAMES[:2], [1, 2], [1, 1], [2, 2], decimals=0, reference=1, source="test")
    assert all(float(tick).is_integer() for tick in ax.get_xticks())
