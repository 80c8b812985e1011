"""A thousand unsound models, three hundred sound ones, two thousand broken texts."""

import resource
import time
import warnings
from collections import Counter

import pytest

import cxstats as cx
from tests.models.sem.generators import UNSOUND, mutated, sound, unsound
from tests.models.sem.models import holzinger

SECONDS, MEGABYTES = 5, 500


def outcome(case):
    """Return "refused", "flagged" or "clean", after all that a reader would see was made."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        try:
            fit = cx.sem(case.model, case.frame, **case.options)
        except cx.CxError:
            return "refused"
    fit.summary("zh")
    fit._repr_html_()
    return "flagged" if fit.problems else "clean"


def test_every_kind_of_unsound_model_is_refused_or_flagged():
    for i in range(len(UNSOUND)):
        assert outcome(unsound(i)) != "clean", unsound(i).kind


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_no_unsound_model_is_printed_as_sound(part):
    clean = []
    for i in range(100 * part, 100 * (part + 1)):
        case = unsound(i)
        if outcome(case) == "clean":
            clean.append((i, case.kind, case.options))
    assert clean == []


@pytest.mark.slow
def test_sound_models_are_left_alone():
    outcomes = Counter(outcome(sound(i)) for i in range(300))
    assert outcomes["clean"] >= 297, outcomes


def check_text(i):
    """Fit a broken text: a fit, or an error of one line (and the caret below it)."""
    options = {"group": "school"} if i % 7 == 0 else {"missing": "fiml"} if i % 11 == 0 else {}
    text = mutated(i)
    said = ""
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        try:
            cx.sem(text, holzinger(), **options).summary()
        except cx.CxError as error:
            said = str(error)
    assert time.process_time() - started < SECONDS, text
    assert len(said.split("\n")) <= 3, text
    assert len(said) < 3_000, text


def test_some_broken_texts():
    for i in range(60):
        check_text(i)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_broken_texts_fit_or_are_refused_in_a_line(part):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for i in range(200 * part, 200 * (part + 1)):
        check_text(i)
    # The peak of the process moves by no more than one fit may take.
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MEGABYTES
