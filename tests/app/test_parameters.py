"""Values for a notebook's parameters cell: set as data, refused in a line, never written back."""

import nbformat
import pytest

from cxstats.app.parameters import settings_of, with_settings
from cxstats.core.errors import CxError
from tests.app.test_cli import notebook, run

CELL = """# the client's
file = None  # path
codebook_file: str = "servqual"
n, m = 1, 2
level = (
    0.95
)
"text"
lang = "en"  # or "zh": 语言"""


def parameterised(path, source=CELL, *more):
    """Write a notebook whose first code cell is tagged."""
    notebook(path, source, *more)
    book = nbformat.read(path, as_version=4)
    book.cells[1].metadata["tags"] = ["parameters"]
    nbformat.write(book, path)
    return path


def assigned(settings, source=CELL):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    book.cells[0].metadata["tags"] = ["parameters"]
    return with_settings(book, settings, "n.ipynb").cells[0].source


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x=3", 3), ("x=-0.5", -0.5), ("x=None", None), ("x=True", True), ("x='3'", "3"),
        ("x=[1, 'a']", [1, "a"]), ("x={'a': (1, 2)}", {"a": (1, 2)}), ("x=网点", "网点"),
        ("x=007", "007"), ("x=1e999", "1e999"), ("x=a=b", "a=b"), ("x=", ""), ("x={1}", "{1}"),
        ("x=2024-10-11", "2024-10-11"), ("x=print(1)", "print(1)"),
        ("x=" + "(" * 5000, "(" * 5000),
        ("x='\\d'", "\\d"), ("x=b'1'", "b'1'"), ("x=nan", "nan"), ("x=\0", "\0"),
    ],
)  # fmt: skip
def test_a_value_is_a_literal_or_a_text(tmp_path, text, value):
    assert settings_of([text], tmp_path) == {"x": value}
    namespace = {}
    exec(assigned({"x": value}, "x = 0"), namespace)
    assert namespace["x"] == value
    assert type(namespace["x"]) is type(value)


def test_all_but_the_values_stays(tmp_path):
    source = assigned({"lang": "zh", "file": "/a/'b.xlsx", "level": 0.9, "codebook_file": None})
    expected = CELL.replace("file = None", 'file = "/a/\'b.xlsx"').replace("    0.95", "    0.9")
    expected = expected.replace('str = "servqual"', "str = None").replace('"en"  #', "'zh'  #")
    assert source == expected


def test_places_are_those_of_characters():
    """A Chinese text before a value on its line moves bytes, not characters."""
    source = 'a = "网点"; b = 1; c = "渠道"'
    assert assigned({"b": 2, "c": "x"}, source) == "a = \"网点\"; b = 2; c = 'x'"


def test_a_file_is_found_where_the_caller_stands(tmp_path, monkeypatch):
    (tmp_path / "client data.xlsx").write_text("x")
    settings = settings_of(["file=client data.xlsx", "codebook_file=servqual"], tmp_path)
    expected = {"file": str(tmp_path / "client data.xlsx"), "codebook_file": "servqual"}
    assert settings == expected


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["file=absent.xlsx"], r"--set file: 'absent.xlsx' is no file; paths begin in"),
        (["file=absent"], "--set file: 'absent' is no file"),
        (["file="], "--set file: '' is no file"),
        (["codebook_file=c.yml"], "--set codebook_file: 'c.yml' is no file"),
        (["file"], "--set 'file'; allowed: NAME=VALUE"),
        (["a b=1"], "allowed: NAME=VALUE"),
        (["x=1", "x=2"], "--set x: given twice"),
    ],
)
def test_what_cannot_be_set(tmp_path, texts, message):
    with pytest.raises(CxError, match=message):
        settings_of(texts, tmp_path)


def test_a_name_that_is_not_there_lists_those_that_are():
    with pytest.raises(CxError, match=r"no parameter 'lan'; it has: file, codebook_file, level, l"):
        assigned({"lan": "zh"})
    with pytest.raises(CxError, match="it has: none"):
        assigned({"lan": "zh"}, "print(1)")
    with pytest.raises(CxError, match="not Python"):
        assigned({"lan": "zh"}, "%matplotlib inline\nlan = 1")
    plain = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    with pytest.raises(CxError, match="no cell is tagged 'parameters'"):
        with_settings(plain, {"x": 2}, "n.ipynb")


def cells_for(settings):
    cells = [
        nbformat.v4.new_code_cell('file = None\nlang = "en"'),
        nbformat.v4.new_markdown_cell("of the sample"),
        nbformat.v4.new_markdown_cell("of both"),
        nbformat.v4.new_markdown_cell("# The study"),
    ]
    cells[0].metadata["tags"], cells[1].metadata["tags"] = ["parameters"], ["sample"]
    cells[3].metadata["client"] = {"en": "# The file", "zh": "# 文件"}
    book = with_settings(nbformat.v4.new_notebook(cells=cells), settings, "n.ipynb")
    return [cell.source for cell in book.cells[1:]]


def test_with_a_file_nothing_is_said_of_the_sample():
    assert cells_for({"file": "a.csv"}) == ["of both", "# The file"]
    assert cells_for({"file": "a.csv", "lang": "zh"}) == ["of both", "# 文件"]
    assert cells_for({"lang": "zh"}) == ["of the sample", "of both", "# The study"]
    assert cells_for({"file": None}) == ["of the sample", "of both", "# The study"]


def test_reproduce_sets_and_leaves_the_notebook(capsys, tmp_path, monkeypatch):
    """It runs in its own folder; the path is that of the caller's."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "client.csv").write_text("a\n1\n")
    monkeypatch.chdir(tmp_path / "here")
    path = parameterised(tmp_path / "n.ipynb", CELL, "print(open(file).read(), lang)")
    before = path.read_bytes()
    options = ["--output", str(tmp_path / "site"), "--set", "file=client.csv", "--lang", "zh"]
    status, out, _ = run(capsys, "reproduce", str(path), *options)
    assert (status, out.startswith("1 of 1")) == (0, True)
    assert path.read_bytes() == before
    copy = nbformat.read(tmp_path / "site" / "notebooks" / "n.ipynb", as_version=4)
    assert copy.cells[-1].outputs[0].text == "a\n1\n zh\n"


@pytest.mark.parametrize("option", ["--update", "--check"])
def test_neither_update_nor_check(capsys, tmp_path, option):
    path = parameterised(tmp_path / "n.ipynb")
    before = path.read_bytes()
    for given in (["--set", "n=1"], ["--lang", "zh"]):
        status, _, err = run(capsys, "reproduce", str(path), option, *given)
        assert status == 2
        assert "neither --update nor --check" in err
    assert path.read_bytes() == before


def test_bad_settings_are_one_line(capsys, tmp_path):
    path = parameterised(tmp_path / "n.ipynb")
    site = ["--output", str(tmp_path / "site")]
    status, _, err = run(capsys, "reproduce", str(path), *site, "--set", "fil=3")
    assert (status, err.count("\n")) == (2, 1)
    assert "n.ipynb has no parameter 'fil'; it has: file, codebook_file, level, lang" in err
    status, _, err = run(capsys, "reproduce", str(path), "--lang", "zh", "--set", "lang=en")
    assert (status, "differ" in err) == (2, True)
    parameterised(tmp_path / "m.ipynb")
    status, _, err = run(capsys, "reproduce", str(tmp_path), "--set", "n=1")
    assert (status, "one notebook; name it" in err) == (2, True)


@pytest.mark.parametrize("name", ["09", "09_nps_csat_ces", "09_nps_csat_ces.ipynb"])
def test_a_notebook_of_the_collection_is_found_by_its_name(name, tmp_path, monkeypatch):
    from pathlib import Path

    from cxstats.app.reproduce import find_notebooks

    monkeypatch.chdir(tmp_path)
    (path,) = find_notebooks(Path(name))
    assert path.name == "09_nps_csat_ces.ipynb"
    with pytest.raises(CxError, match="no such folder"):
        find_notebooks(Path("9"))
