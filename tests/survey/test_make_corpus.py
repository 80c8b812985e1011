"""The corpus is what its script writes, and its table of cases is complete."""

import pytest

from tests.survey import make_corpus

CORPUS = make_corpus.FOLDER
BINARY = (".xlsx", ".sav", ".dta")  # their bytes depend on the libraries that write them
NAMES = sorted(file.stem for file in CORPUS.glob("*.json"))


def test_the_corpus_is_what_the_script_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(make_corpus, "FOLDER", tmp_path)
    make_corpus.main()
    written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    committed = {file.name: file.read_bytes() for file in CORPUS.iterdir()}
    assert written.keys() == committed.keys() - {"README.md"}
    changed = [name for name in written if written[name] != committed[name]]
    assert [name for name in changed if not name.endswith(BINARY)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_case_is_described(name):
    assert f"\n| `{name}` | " in (CORPUS / "README.md").read_text(encoding="utf-8")


def test_no_case_is_described_that_is_not_there():
    lines = (CORPUS / "README.md").read_text(encoding="utf-8").splitlines()
    described = [line.split("`")[1] for line in lines if line.startswith("| `")]
    keys = {"platform", "header", "title", "point_out", "layout"}
    keys |= {"questions", "numbered", "options", "doubt"}
    assert sorted(set(described) - keys) == NAMES
