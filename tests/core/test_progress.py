"""The progress bar of long work: on a terminal only, never among results."""

import time

import pytest

from cxstats.core import progress


@pytest.mark.parametrize("in_notebook", [False, True])
def test_nothing_is_written_where_a_bar_cannot_be_seen(in_notebook, monkeypatch, capsys):
    """Warnings are errors here; Rich warns in a notebook without ipywidgets."""
    monkeypatch.setattr("rich.console._is_jupyter", lambda: in_notebook)
    monkeypatch.setattr(progress, "find_spec", lambda name: None)
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    parts = []
    for start, stop in progress.tracked(3, 1):
        time.sleep(0.02)
        parts.append((start, stop))
    assert parts == [(0, 1), (1, 2), (2, 3)]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_bar(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # Rich takes the stream for a terminal then
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    for _ in progress.tracked(3, 1):
        time.sleep(0.02)
    assert "bootstrap" in capsys.readouterr().err
