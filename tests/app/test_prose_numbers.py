"""Every number in the prose of a notebook stands in what the notebook shows, computes or declares.

A number is traced when an output or the code of the notebook, or of its solutions, holds it or a
value that rounds to it (as a share or in per cent). Small whole numbers and years are not traced:
they count things in the sentence. What comes from elsewhere is named here, with where it is from.
"""

import re

import numpy as np
import pytest

from cxstats.app.reproduce import find_notebooks, output_text, read_notebook
from cxstats.app.translations import key_of, read_translation
from cxstats.core.paths import collection_folder

NUMBER = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d+)?(\.\d+)?")
PICTURE = re.compile(r"base64,[\w+/=]+")
# Formulas, code, targets of links, numbers of documents and notebooks, years.
NOT_TRACED = re.compile(
    r"\$.*?\$|`[^`]*`|<code>.*?</code>|\]\([^)]*\)|[Dd]ocuments? \d+|文档 ?\d+|[Nn]otebooks? \d+"
    r"|笔记本 ?\d+|第 ?\d+ ?本|\b(19|20)\d\d\b|\*\*(Exercise|练习) [\d.]+",
    re.DOTALL,
)
SMALL = 20
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


def numbers(text):
    """Yield each number of a text: as written, its value, and half a unit of its last digit."""
    for match in NUMBER.finditer(text):
        if match[0]:
            decimals = len(match[2]) - 1 if match[2] else 0
            yield match[0], float(match[0].replace(",", "")), 0.5 * 10.0**-decimals


def shown_values(path):
    """Return the numbers in the code and the outputs of a notebook and of its solutions."""
    texts = []
    for file in (path, path.parent / "solutions" / path.name):
        if file.is_file():
            for cell in read_notebook(file).cells:
                if cell.cell_type == "code":
                    texts += [cell.source, PICTURE.sub("", output_text(cell))]
    return np.array([value for text in texts for _, value, _ in numbers(text)])


def untraced(prose, values, elsewhere):
    """Return the numbers of a text that no value rounds to."""
    lost = []
    for written, value, half in numbers(NOT_TRACED.sub(" ", prose)):
        counts_things = value <= SMALL and value.is_integer()
        if counts_things or written in elsewhere:
            continue
        shares = np.concatenate([values, 100 * values])
        if not np.any(np.abs(shares - value) <= half * (1 + 1e-9)):
            lost.append(written)
    return lost


def test_each_number_of_the_prose_is_traced(path):
    values, elsewhere = shown_values(path), ELSEWHERE.get(path.stem, {})
    chinese = read_translation(path, "zh")
    for cell in read_notebook(path).cells:
        if cell.cell_type == "markdown":
            for prose in (cell.source, chinese[key_of(cell.source)]):
                assert untraced(prose, values, elsewhere) == [], prose


def test_each_number_from_elsewhere_is_needed():
    for stem, reasons in ELSEWHERE.items():
        path = collection_folder() / f"{stem}.ipynb"
        prose = "\n".join(c.source for c in read_notebook(path).cells if c.cell_type == "markdown")
        lost = untraced(prose, shown_values(path), {})
        assert set(reasons) <= set(lost), stem
        assert all(reasons.values())


def test_a_number_that_is_nowhere_is_found():
    values = np.array([0.1234, 1_500.0, 39.96])
    assert untraced("12.3 %, .12, 1,500 and 40", values, {}) == []
    assert untraced("12.4 %, .13 and 1,501", values, {}) == ["12.4", ".13", "1,501"]
    assert untraced("344 people, 2 of them", values, {"344": "the paper"}) == []
