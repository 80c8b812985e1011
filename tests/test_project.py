"""What holds for the project as a whole: its files, its public face, its set-up."""

import ast
import csv
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import cxstats
from cxstats.core.language import catalogue

ROOT = Path(__file__).parent.parent
TOP_LEVEL = {
    ".ci",
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "cxstats",
    "data",
    "environment.yml",
    "notebooks",
    "postBuild",
    "pyproject.toml",
    "tests",
}


def tracked():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "text"), [("environment.yml", "environment"), ("postBuild", "post_build")]
)
def test_environment_does_not_drift(name, text):
    written = getattr(load(ROOT / ".ci" / "environment.py"), text)()
    assert (ROOT / name).read_text(encoding="utf-8") == written, (
        f"{name} differs from pyproject.toml as installed: run .ci/environment.py"
    )


def test_environment_is_as_binder_reads_it():
    """The rules of repo2docker's documentation, and that no telemetry client comes along."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    assert environment["channels"] == ["conda-forge"]
    assert "pip" in conda, "without it, pip's section fails"
    assert [line for line in conda if re.fullmatch(r"python=3\.\d+", line)], "one minor version"
    assert pip["pip"][-1] == "-e ."
    assert not any("retentioneering" in line for line in pip["pip"])
    script = ROOT / "postBuild"
    assert script.read_text(encoding="utf-8").startswith("#!/bin/bash\n")
    assert "set -e" in script.read_text(encoding="utf-8"), "errors would be ignored"
    assert script.stat().st_mode & 0o111, "Binder runs it as a program"
    # Any of these would be read in place of environment.yml.
    assert not [
        n for n in ("Dockerfile", "binder", ".binder", "runtime.txt") if (ROOT / n).exists()
    ]


def test_top_level_is_as_agreed():
    assert {line.split("/")[0] for line in tracked()} <= TOP_LEVEL


def test_no_lock_file_and_no_registry_address():
    for line in tracked():
        assert not line.endswith(".lock")
        text = (ROOT / line).read_bytes()
        assert not re.search(rb"https?://[^ \"]+/(simple/?[\"' ]|packages/[0-9a-f]{2}/)", text), (
            line
        )


def test_version_is_one():
    assert f"version: {cxstats.__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {cxstats.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_public_names_load():
    for name in cxstats.__all__:
        assert getattr(cxstats, name) is not None
        assert name in dir(cxstats)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = cxstats.nonsense


def test_import_is_light():
    code = "import sys, json, cxstats; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    heavy = {"numpy", "pandas", "matplotlib", "scipy", "narwhals", "rich", "typer", "nbformat"}
    assert heavy.isdisjoint(modules)


# The rooms from the ground up; a room imports only those on floors below it.
FLOORS = [
    {"core"},
    {"stats"},
    {"survey"},
    {"datasets", "models"},
    {"service", "metrics"},
    {"operations"},
    {"priorities", "experiments", "journeys", "customers", "voice"},
    {"weighting", "cases"},
    {"satisfaction", "scorecards"},
    {"charts"},
    {"app"},
]


def imports_of(path):
    """Return the modules of cxstats that a file imports, inside functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = [
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node not in typing:
            if node.module == "cxstats":
                yield from (f"cxstats.{alias.name}" for alias in node.names)
            elif node.module.startswith("cxstats."):
                yield node.module


DOOR = "cxstats/core/result.py imports cxstats.charts"  # a result asks there for its chart


def test_every_import_goes_down_a_floor():
    level = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
    wrong = []
    for path in (ROOT / "cxstats").rglob("*.py"):
        parts = path.relative_to(ROOT / "cxstats").with_suffix("").parts
        if parts[0] == "__init__":
            continue
        for module in imports_of(path):
            room = module.split(".")[1]
            if room != parts[0] and level.get(room, -1) >= level[parts[0]]:
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == [DOOR]


def test_labels_are_complete_and_used():
    texts = catalogue()
    keys = []
    for path in (ROOT / "cxstats" / "core" / "texts").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            keys += [row["key"] for row in csv.DictReader(file)]
    assert len(keys) == len(set(keys)) == len(texts)
    for key, text in texts.items():
        assert text.en, key
        assert text.zh, key
        names = [sorted(re.findall(r"{(\w+)}", words)) for words in text]
        assert names[0] == names[1], key
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "cxstats").rglob("*.py"))
    literals = set(re.findall(r"""["']([a-z_]+\.(?:[\w.]|{[^}]*})+)["']""", code))
    pattern = re.compile("|".join(re.sub(r"{[^}]*}", ".*", literal) for literal in literals))
    assert [key for key in keys if not pattern.fullmatch(key)] == []


def test_readme_names_the_two_commands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "pip install uv && uv run cxstats reproduce" in readme
    assert "pip install uv && uv run pytest" in readme
