"""Every formula of the sources is computed in a notebook, refused with a reason, or lost."""

import ast
from functools import cache, reduce

import pytest

import cxstats as cx
from cxstats.app.reproduce import find_notebooks, read_notebook
from cxstats.cases import formula_uses
from cxstats.cases.formula_uses import read_formula_uses
from cxstats.satisfaction import FORMULAS
from tests.cases.formula_page import pages

USES = read_formula_uses()
COMPUTED = [use for use in USES if use.use == "computed"]


@cache
def calls(notebook):
    """Return the functions below ``cx.`` that the code of a notebook calls."""
    (path,) = [path for path in find_notebooks() if path.stem == notebook]
    cells = [cell.source for cell in read_notebook(path).cells if cell.cell_type == "code"]
    tree = ast.parse("\n".join(cells))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {name.removeprefix("cx.") for name in called if name.startswith("cx.")}


def test_each_formula_has_one_fate():
    assert len(USES) == 43
    counts = {kind: sum(use.use == kind for use in USES) for kind in formula_uses.USES}
    assert counts == {"computed": 39, "refused": 3, "lost": 1}
    assert [use.id for use in USES if use.use == "lost"] == ["A19"]
    printed = cx.load_formulas().set_index("id")["status"]
    assert all((printed[use.id] == "lost") == (use.use == "lost") for use in USES)


@pytest.mark.parametrize("use", COMPUTED, ids=lambda use: use.id)
def test_what_is_computed_is_called_in_its_notebook(use):
    assert callable(reduce(getattr, use.function.split("."), cx))
    assert use.function in calls(use.notebook)


def test_the_registered_function_is_the_one_named():
    """Those of `satisfaction` that are written for a formula; A01 has a reading with data, too."""
    named = {use.id: use.function.rpartition(".")[2] for use in USES}
    registered = {name: entry.function.__name__ for name, entry in FORMULAS.items()}
    differing = {name for name in registered if named[name] not in ("", registered[name])}
    assert differing == {"A01"}


@pytest.mark.parametrize(("path", "text"), pages().items(), ids=("en", "zh"))
def test_the_page_is_fresh(path, text):
    assert path.read_text(encoding="utf-8") == text, "run python -m tests.cases.formula_page"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A02,computed,satisfaction.data_driven,,,", "row 3: function and notebook belong"),
        ("A02,refused,,,,", "row 3: a reason belongs"),
        ("A01,lost,,,gone,缺失", "row 3, column 'id': 'A01'"),
        ("A02,guessed,,,x,x", "row 3, column 'use': 'guessed'; allowed: computed, refused, lost"),
    ],
)
def test_bad_rows_are_named(tmp_path, monkeypatch, row, message):
    lines = ["id,use,function,notebook,reason_en,reason_zh", "A01,lost,,,gone,缺失", row]
    (tmp_path / "formula_uses.csv").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(formula_uses, "case_folder", lambda: tmp_path)
    read_formula_uses.cache_clear()
    with pytest.raises(cx.DataError, match=message):
        read_formula_uses()
    read_formula_uses.cache_clear()
