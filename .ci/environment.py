"""Write environment.yml from pyproject.toml, with the versions that uv resolved here.

uv resolves as of the date in pyproject.toml, so the versions are the same on every machine.
Run: uv run python .ci/environment.py
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
GROUPS = ("notebooks", "tests")
# Not on conda-forge: conda's pip section installs them.
PIP_ONLY = {"axe-playwright-python", "playwright", "retentioneering", "semopy", "zhplot"}


def environment() -> str:
    """Return the text of environment.yml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(project["project"]["dependencies"])
    for group in GROUPS:
        wanted += project["dependency-groups"][group]
    names = sorted({re.match(r"[\w.-]+", requirement).group() for requirement in wanted})
    # Binder reads one version here; it is the lowest that the project takes.
    python = project["project"]["requires-python"].replace(">=", "=")
    lines = [
        "# Written from pyproject.toml by .ci/environment.py; a test fails when the two differ.",
        "name: cxstats",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python{python}",
        "  - pip",
    ]
    lines += [f"  - {name}={version(name)}" for name in names if name not in PIP_ONLY]
    lines += ["  - pip:"]
    lines += [f"      - {name}=={version(name)}" for name in names if name in PIP_ONLY]
    return "\n".join([*lines, "      - -e ."]) + "\n"


if __name__ == "__main__":
    (ROOT / "environment.yml").write_text(environment(), encoding="utf-8")
