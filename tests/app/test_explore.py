"""Sliders without a kernel: a move changes what is shown; without ipywidgets all is still shown."""

import builtins
import re
from base64 import b64decode
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from nbformat import v4
from PIL import Image

import cxstats as cx
from cxstats.app.reproduce import WIDGET, normalise, output_text
from cxstats.core.errors import CxError

BRANCHES = pd.DataFrame(
    {"speed": [9.0, 5, 6], "staff": [4.0, 7, 6], "price": [5.0, 5, 6]},
    index=["North", "South", "East"],
)
WEIGHTS = {"speed": 0.6, "staff": 0.3, "price": 0.1}


@pytest.fixture
def without_widgets(monkeypatch):
    real = builtins.__import__

    def refuse(name, *arguments, **options):
        if name == "ipywidgets":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)


def ranks(explorer):
    """Return the ranks, from the scores themselves."""
    weights = np.array(list(explorer.values.values()), float)
    scores = BRANCHES.to_numpy() @ (weights / weights.sum())
    order = BRANCHES.index[np.argsort(-scores)].tolist()
    table = explorer.result.table
    assert table.index.tolist() == order
    assert table["score"].to_numpy() == pytest.approx(np.sort(scores)[::-1])
    return table["rank"].to_dict()


def test_a_slider_changes_the_ranks():
    explorer = cx.explore_weights(BRANCHES, WEIGHTS)
    assert explorer.values == {"speed": 60, "staff": 30, "price": 10}
    assert ranks(explorer) == {"North": 1, "East": 2, "South": 3}
    *sliders, chart, table = explorer.widget.children
    before = chart.value, table.value
    sliders[0].value = 5  # what a hand does
    assert explorer.values["speed"] == 5
    assert ranks(explorer)["North"] == 3
    assert chart.value != before[0]
    assert table.value != before[1]
    sliders[0].value = 60
    assert (chart.value[:8], table.value) == (b"\x89PNG\r\n\x1a\n", before[1])


def test_all_sliders_at_zero_keep_what_was_shown():
    explorer = cx.explore_weights(BRANCHES, WEIGHTS)
    for name in WEIGHTS:
        explorer.set(**{name: 0})
    assert "At least one weight" in explorer.message
    assert "At least one weight" in explorer.widget.children[-1].value
    assert explorer.set(staff=50).table["rank"]["South"] == 1
    assert explorer.message == ""


def test_without_ipywidgets(without_widgets):
    explorer = cx.explore_weights(BRANCHES, WEIGHTS, lang="zh")
    assert explorer.widget is None
    bundle = explorer._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "North" in bundle["text/plain"]
    assert "名次" in bundle["text/html"]
    assert "rank<" not in bundle["text/html"]
    picture = re.search(
        r'<img src="data:image/png;base64,([^"]+)" width="(\d+)" alt="([^"]+)"/>',
        bundle["text/html"],
    )
    with Image.open(BytesIO(b64decode(picture[1]))) as image:
        assert image.width // 2 == int(picture[2])
    assert "North" in picture[3]
    assert explorer.set(speed=5).table["rank"]["North"] == 3


def test_a_notebook_that_is_read_shows_chart_and_table():
    """As `reproduce` and nbconvert have it: a picture and a table, no empty widget."""
    from nbconvert import HTMLExporter

    code = "import cxstats as cx\ncx.explore_bootstrap([5, 7, 6, 4, 7, 6], 50)"
    book = v4.new_notebook(cells=[v4.new_code_cell(code)])
    NotebookClient(book, kernel_name="python3").execute()
    assert WIDGET in book.cells[0].outputs[-1].data
    normalise(book)
    assert WIDGET not in book.cells[0].outputs[-1].data
    picture = re.search('base64,[^"]+', book.cells[0].outputs[-1].data["text/html"])[0]
    assert picture not in output_text(book.cells[0])  # fonts differ between machines
    page = HTMLExporter().from_notebook_node(book)[0]
    assert "data:image/png;base64," in page
    assert re.search("50 resamples", page)


@pytest.mark.parametrize(
    ("scores", "weights", "match"),
    [
        (BRANCHES, {}, "allowed is a mapping"),
        (BRANCHES, [1, 2, 3], "allowed is a mapping"),
        (BRANCHES, dict.fromkeys(BRANCHES, 0), "all are 0"),
        (BRANCHES, {"speed": 1.5, "staff": -0.5, "price": 0}, "'staff' has -0.5"),
        (BRANCHES, {"speed": 0.5, "staff": 0.5}, "price"),
        (BRANCHES, {"speed": "a", "staff": 1, "price": 1}, "'speed' has 'a'"),
    ],
)
def test_wrong_weights_are_said_at_once(scores, weights, match):
    with pytest.raises(CxError, match=match):
        cx.explore_weights(scores, weights)


def test_no_such_slider():
    with pytest.raises(CxError, match="no slider 'price2'; there are: speed, staff, price"):
        cx.explore_weights(BRANCHES, WEIGHTS).set(price2=1)


# ------------------------------------------------------------------ the bootstrap


def test_fewer_resamples_are_the_first_of_all():
    values = np.random.default_rng(1).normal(5, 2, 200)
    explorer = cx.explore_bootstrap(values, 1_000, seed=3)
    table = explorer.result.table.set_index("n_resamples")
    assert table.index.tolist() == [20, 50, 100, 200, 500, 1_000]
    few = cx.explore_bootstrap(values, 100, seed=3).result.table.set_index("n_resamples")
    assert few.loc[50].equals(table.loc[50])
    assert table["estimate"].to_numpy() == pytest.approx(values.mean())
    # The standard error of a mean, which the bootstrap estimates with an error of 2 % at B = 1,000.
    assert table.loc[1_000, "se"] == pytest.approx(values.std() / np.sqrt(200), rel=0.08)
    first = explorer.result.table
    explorer.set(seed=4)
    assert not explorer.result.table.equals(first)
    assert explorer.set(seed=3).table.equals(first)


@pytest.mark.parametrize(
    ("values", "options", "match"),
    [
        ([1, "a", 2], {}, "'a'"), ([1], {}, "needs two"), ([], {}, "needs two"),
        ([1, np.inf, 2], {}, "inf"), ([1, 2], {"n_resamples": 5}, "from 20 to 10,000"),
        ([1, 2], {"seed": 0}, "seed=0"), ([1, 2], {"level": 95}, "level=95"),
    ],
)  # fmt: skip
def test_wrong_values(values, options, match):
    with pytest.raises(CxError, match=match):
        cx.explore_bootstrap(values, **options)
