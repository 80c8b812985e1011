"""Every notebook's prose in Chinese, and that of solutions: nothing missing, stale or doubled."""

import nbformat
import pytest

from cxstats.app.reproduce import find_notebooks, find_solutions, read_notebook
from cxstats.app.site.collection import page_name
from cxstats.app.translations import (
    key_of,
    prose_keys,
    read_translation,
    to_translate,
    translated,
    twin_of,
)
from cxstats.core.errors import DataError


@pytest.fixture(params=[*find_notebooks(), *find_solutions()], ids=page_name)
def path(request):
    return request.param


def test_nothing_is_missing_or_stale(path):
    notebook = read_notebook(path)
    lacking = to_translate(notebook, path, "zh")
    assert lacking == "", f"{twin_of(path, 'zh')} lacks:\n{lacking}"
    stale = set(read_translation(path, "zh")) - set(prose_keys(notebook))
    assert not stale, f"{twin_of(path, 'zh')}: blocks of texts that are no longer there: {stale}"


def test_translation_keeps_numbers_code_and_links(path):
    """What is in code, every link's target and heading level are those of the English text."""
    import re

    translations = read_translation(path, "zh")
    for cell in read_notebook(path).cells:
        if cell.cell_type == "markdown":
            english, chinese = cell.source, translations[key_of(cell.source)]
            for pattern in (r"`[^`\n]+`", r"\]\(([^)]+)\)", r"^#+ ", r"<code>.*?</code>"):
                marks = [sorted(re.findall(pattern, text, re.M)) for text in (english, chinese)]
                assert marks[0] == marks[1], chinese
            assert re.search("[\u4e00-\u9fff]", chinese), chinese


def small(*texts):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in texts])


def test_a_changed_text_is_missing_and_stays_english(tmp_path):
    path, notebook = tmp_path / "00_a.ipynb", small("# One", "Two.")
    twin = twin_of(path, "zh")
    twin.parent.mkdir()
    twin.write_text(to_translate(notebook, path, "zh").replace("Two.", "二。"), encoding="utf-8")
    assert to_translate(notebook, path, "zh") == ""
    assert [cell.source for cell in translated(notebook, path, "zh").cells] == ["# One", "二。"]
    changed = small("# One", "Three.")
    assert "Three." in to_translate(changed, path, "zh")
    assert translated(changed, path, "zh").cells[1].source == "Three."
    assert notebook.cells[1].source == "Two."


def test_a_doubled_block_is_an_error(tmp_path):
    path = tmp_path / "00_a.ipynb"
    twin = twin_of(path, "zh")
    twin.parent.mkdir()
    block = f"<!-- {key_of('# One')} -->\n# 一\n"
    twin.write_text(block + block, encoding="utf-8")
    with pytest.raises(DataError, match="stands there twice"):
        read_translation(path, "zh")
