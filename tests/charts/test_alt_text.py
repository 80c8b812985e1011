"""Charts of a notebook: sharp on every screen, as large as ever, with words."""

from base64 import b64decode
from io import BytesIO

import pytest
from matplotlib import pyplot as plt
from nbclient import NotebookClient
from nbformat import v4
from PIL import Image

from cxstats.charts.alt_text import alt_text

DRAW = "import cxstats as cx\ncx.charts.intervals(['A', 'B'], [1, 2], [0, 1], [2, 3], source='S');"
SETTINGS = "%config InlineBackend.print_figure_kwargs = {'dpi': 50, 'bbox_inches': None}"


def outputs(*cells):
    """Return the data and metadata of the pictures that a notebook of these cells shows."""
    book = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    NotebookClient(book, kernel_name="python3").execute()
    shown = [output for cell in book.cells for output in cell.outputs if "data" in output]
    return [
        (Image.open(BytesIO(b64decode(output.data["image/png"]))), output.metadata["image/png"])
        for output in shown
        if "image/png" in output.data
    ]


def test_a_chart_has_twice_the_pixels_of_its_place_and_its_finding_in_words():
    # The second is drawn without `cxstats`, after it; the third has nothing to show.
    plain = "import matplotlib.pyplot as plt\n_ = plt.subplots(figsize=(4, 3))[1].set_title('C')"
    pictures = outputs(DRAW, plain, "_ = plt.figure()")
    assert [metadata["alt"] for _, metadata in pictures] == [
        "B is largest (2.00); 1 of 2 intervals leave out 0",
        "C",
    ]
    for picture, metadata in pictures:
        assert abs(picture.width - 2 * metadata["width"]) <= 1
        assert "height" not in metadata  # which would distort what a phone makes narrower
    assert 850 < pictures[0][1]["width"] < 950  # nine inches of a hundred pixels


def test_the_settings_of_a_notebook_hold():
    ((picture, metadata),) = outputs(SETTINGS, DRAW)
    assert (metadata["width"], picture.width) == (450, 900)


def test_vector_graphics_stay_what_they_are():
    assert not outputs("%config InlineBackend.figure_formats = ['svg']", DRAW)


@pytest.mark.parametrize(("title", "words"), [("", "b × a"), ("One\nline", "One line")])
def test_words_of_a_chart(title, words):
    figure, ax = plt.subplots()
    ax.set(xlabel="a", ylabel="b", title=title)
    assert alt_text(figure) == words
    plt.close(figure)
