"""Every number in the prose of a notebook stands in what the notebook shows, computes or declares.

What comes from elsewhere is named here, with where it is from. When outputs change, the numbers of
the prose follow.
"""

import numpy as np
import pytest
from nbformat import v4

from cxstats.app.prose_numbers import follow_outputs, shown_values, untraced, with_new_numbers
from cxstats.app.reproduce import find_notebooks, read_notebook
from cxstats.app.translations import BLOCK, key_of, read_translation
from cxstats.core.paths import collection_folder

# By notebook: a number of its prose, and where it comes from.
ELSEWHERE: dict[str, dict[str, str]] = {
    "02_bank_transformation": {"6.2": "a section of document 000"},
    "07_engines_compared": {
        "0.00007": "estimates of lavaan 0.6-14 by default, less those polished to the maximum",
        ".43": "lavaan, sem(..., test='bollen.stine', bootstrap=1000): .434 with seed 1",
    },
    "15_voice_of_customers": {
        "96": "coverage by trade: docstring of cx.sentiment, tests/voice/test_sentiment_model.py",
        "3,000": "draws for that coverage, in the same docstring",
    },
}


@pytest.fixture(params=find_notebooks(), ids=lambda path: path.stem)
def path(request):
    return request.param


def values_of(path):
    """Return the numbers in the code and the outputs of a notebook and of its solutions."""
    files = [path, path.parent / "solutions" / path.name]
    return np.concatenate([shown_values(read_notebook(file)) for file in files if file.is_file()])


def test_each_number_of_the_prose_is_traced(path):
    values, elsewhere = values_of(path), ELSEWHERE.get(path.stem, {})
    chinese = read_translation(path, "zh")
    for cell in read_notebook(path).cells:
        if cell.cell_type == "markdown":
            for prose in (cell.source, chinese[key_of(cell.source)]):
                assert set(untraced(prose, values)) <= set(elsewhere), prose


def test_each_number_from_elsewhere_is_needed():
    for stem, reasons in ELSEWHERE.items():
        path = collection_folder() / f"{stem}.ipynb"
        prose = "\n".join(c.source for c in read_notebook(path).cells if c.cell_type == "markdown")
        assert set(reasons) <= set(untraced(prose, values_of(path))), stem
        assert all(reasons.values())


def test_a_number_that_is_nowhere_is_found():
    values = np.array([0.1234, 1_500.0, 39.96])
    assert untraced("12.3 %, .12, 1,500 and 40", values) == []
    assert untraced("12.4 %, .13 and 1,501", values) == ["12.4", ".13", "1,501"]


def notebook_of(prose, *outputs, code="cx.nps(answers)"):
    """Return a notebook: a cell of code for each output, then the prose."""
    cells = [
        v4.new_code_cell(code, outputs=[v4.new_output("stream", name="stdout", text=text)])
        for text in outputs
    ]
    return v4.new_notebook(cells=[*cells, v4.new_markdown_cell(prose)])


def followed(prose, before, after, chinese=None):
    fresh = notebook_of(prose, *after)
    translations = {key_of(prose): chinese} if chinese else {}
    result = follow_outputs(notebook_of(prose, *before), fresh, translations)
    return fresh.cells[-1].source, result


@pytest.mark.parametrize(
    ("prose", "before", "after", "expected"),
    [
        ("The score is 41.", "NPS 41", "NPS 43", "The score is 43."),
        ("A p of .037.", "p = 0.0372", "p = 0.0412", "A p of .041."),
        ("37.2 % stay.", "share 0.3721", "share 0.4", "40.0 % stay."),
        ("1,500 rows, 21.5 of them.", "1500 21.5", "2750 21.5", "2,750 rows, 21.5 of them."),
        ("In 2020 `n = 41`, 3 of 41.", "41 3 2020", "44 3 2021", "In 2020 `n = 41`, 3 of 44."),
        ("It is 41.", "NPS 41.2", "NPS 41.4", "It is 41."),  # rounds as before
        ("A loss of −41.5.", "-41.5", "-38.2", "A loss of −38.2."),
    ],
)
def test_numbers_follow_the_outputs(prose, before, after, expected):
    text, result = followed(prose, [before], [after])
    assert text == expected
    assert result.lost == []
    assert len(result.changes) == (text != prose)


def test_the_nearest_cell_before_is_the_source():
    text, _ = followed("It is 41.5.", ["a 41.5", "b 41.5"], ["a 30.1", "b 44.4"])
    assert text == "It is 44.4."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("price 41.5 quality 39.1", "quality 43.0 price 40.2"),  # a ranking that turned over
        ("41.5", "43.1 44.9"),  # another count of numbers
        ("41.5 41.5", "41.7 44.9"),  # two places, two values
        ("41.5", "-41.5"),  # the sentence says the contrary now
    ],
)
def test_what_cannot_be_told_is_left_to_a_person(before, after):
    text, result = followed("It is 41.5.", [before], [after])
    assert text == "It is 41.5."
    assert result.changes == []
    assert result.lost == ["cell 2: 41.5"]


def test_both_languages_follow_and_the_twin_keeps_its_other_blocks():
    prose, chinese = "The score is 41.", "得分为 41。"
    new, result = followed(prose, ["NPS 41"], ["NPS 43"], chinese)
    twin = f"<!-- {key_of('other')} -->\n别的 41\n\n<!-- {key_of(prose)} -->\n{chinese}\n"
    blocks = dict(BLOCK.findall(with_new_numbers(twin, result)))
    assert blocks == {key_of("other"): "别的 41\n\n", key_of(new): "得分为 43。\n"}


def test_the_same_outputs_change_nothing(path):
    notebook = read_notebook(path)
    translations = read_translation(path, "zh")
    result = follow_outputs(read_notebook(path), notebook, translations)
    assert (result.changes, result.lost, result.blocks) == ([], [], {})
    assert notebook == read_notebook(path)
