"""Names of any length leave room for the chart."""

import warnings
from io import BytesIO

import matplotlib.pyplot as plt
import pytest

from cxstats.charts.row_names import LONGEST_NAME, shorten


@pytest.fixture
def figure():
    figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
    ax.barh([0, 1, 2], [1, 2, 3], label="l" * 5_000)
    ax.set_yticks([0, 1, 2], ["x" * 10_000, "two\nlines", "\n".join("abcdefgh")])
    ax.legend()
    figure.suptitle("bell \x07 and " + "t" * 5_000)
    yield figure
    plt.close(figure)


def test_long_names_are_cut_and_control_characters_written_out(figure):
    shorten(figure)
    ax = figure.axes[0]
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names[0].startswith("xxx")
    assert "…" in names[0]
    assert len(names[0]) == LONGEST_NAME
    assert names[1:] == ["two\nlines", "a\nb\nc\nd…"]
    assert len(ax.get_legend().get_texts()[0].get_text()) == LONGEST_NAME
    assert figure.get_suptitle().startswith("bell \\x07 and ttt")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns where names leave the axes no room
        figure.savefig(BytesIO(), bbox_inches="tight")


def test_short_names_stay_as_they_are(figure):
    ax = figure.axes[0]
    ax.set_yticks([0, 1], ["Beijing", "上海"])
    ax.get_legend().remove()
    figure.suptitle("A title")
    formatter = ax.yaxis.get_major_formatter()
    shorten(figure)
    assert ax.yaxis.get_major_formatter() is formatter
    assert figure.get_suptitle() == "A title"
