"""Exercises: every one has a solution that the check calls right, and mistakes that it explains."""

import re

import pytest

from cxstats.app.exercises import check_answer, exercises
from cxstats.app.parameters import with_settings
from cxstats.app.reproduce import (
    differences,
    find_notebooks,
    find_solutions,
    output_text,
    read_notebook,
    run_notebooks,
)
from cxstats.app.translations import translated
from cxstats.core.errors import CxError
from cxstats.core.paths import collection_folder

CALL = re.compile(r'check_answer\("([\d.]+)"')
SOLUTIONS = find_solutions()


def checked(path):
    """Return the exercises that a notebook asks for."""
    return CALL.findall("\n".join(cell.source for cell in read_notebook(path).cells))


def verdicts(notebook):
    """Return what each check says: the last line of its cell."""
    shown = [output_text(cell) for cell in notebook.cells if "check_answer" in cell.source]
    return [text.splitlines()[-1] for text in shown]


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_solutions_are_right(path):
    assert sorted(checked(path)) == sorted(checked(path.parents[1] / path.name))
    (run,) = run_notebooks([path])
    assert run.error == ""
    assert verdicts(run.notebook)
    assert set(verdicts(run.notebook)) == {"Right."}
    assert differences(read_notebook(path), run.notebook) == []


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_solutions_run_in_chinese(path):
    """As the site shows them."""
    zh = {"lang": "zh"}
    (run,) = run_notebooks(
        [path], prepare=lambda b, p: with_settings(translated(b, p, "zh"), zh, p)
    )
    assert run.error == ""
    assert set(verdicts(run.notebook)) == {"正确。"}


def test_every_exercise_is_asked_once_and_solved():
    asked = [key for path in find_notebooks(collection_folder()) for key in checked(path)]
    solved = [key for path in SOLUTIONS for key in checked(path)]
    assert sorted(asked) == sorted(solved) == sorted(exercises())


@pytest.mark.parametrize("key", exercises())
def test_check_tells_right_from_wrong(key):
    exercise = exercises()[key]
    right = exercise.answer.split("|")[0]
    assert check_answer(key, right) == "Right."
    assert check_answer(key, right, "zh") == "正确。"
    assert check_answer(key).startswith("Not answered yet")
    assert exercise.hint.en
    assert exercise.hint.zh
    assert exercise.mistakes
    for wrong, why in exercise.mistakes.items():
        assert why.en, wrong
        assert why.zh, wrong
        assert check_answer(key, wrong) == f"Not yet: {why.en}"
        assert check_answer(key, wrong, "zh") == f"还不对：{why.zh}"
    for strange in (None, "", [1, 2], float("nan"), object()):
        assert exercise.hint.en in check_answer(key, strange)


def test_unknown_exercise():
    with pytest.raises(CxError, match=r"'99.1' is no exercise"):
        check_answer("99.1", 1)
