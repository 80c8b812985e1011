"""Every code block of the README and of the pages runs as it stands, in an empty folder."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cxstats.app.cli import app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("notebooks/pages/*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(language, code, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (language, code) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), 1)
]
# These run everything or wait for a person; what they do is tested elsewhere.
LONG = {"pip", "bash", "reproduce", "lab", "pytest"}


@pytest.mark.parametrize(("language", "code"), BLOCKS)
def test_block_runs(language, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if language == "python":
        exec(compile(code, "block", "exec"), {})
        return
    assert language == "sh", "a block says what it is: python or sh"
    for line in filter(None, map(str.strip, code.splitlines())):
        words = shlex.split(line, comments=True)
        assert words
        command = words[2:] if words[:2] == ["uv", "run"] else words
        if command[0] == "cxstats" and command[1] not in LONG:
            assert CliRunner().invoke(app, command[1:]).exit_code == 0, line
        else:
            assert LONG & set(command) or command[:2] == ["python", ".ci/environment.py"], line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_contributing_names_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = [word for word in re.findall(r"`([\w./-]+)`", text) if "/" in word or "." in word[:-1]]
    files = [path for path in paths if "/" in path and "NN_" not in path]
    assert len(files) > 60
    for path in files:
        assert (ROOT / path).exists() or (ROOT / "cxstats" / path).exists(), path
