"""Write environment.yml and postBuild from pyproject.toml, with the versions that uv resolved here.

uv resolves as of the date in pyproject.toml, so the versions are the same on every machine.
conda and Binder bring Python and JupyterLab; all that computes comes as pip finds it, in the files
that uv installs too, since conda's channels lack some packages and some versions of others.
Run: uv run python .ci/environment.py
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
GROUPS = ("notebooks", "tests")
FROM_CONDA = {"jupyterlab"}  # Binder lays its own; pip must not put another one over it
NOTE = "Written from pyproject.toml by .ci/environment.py; a test fails when the two differ."


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _requirements() -> dict[str, str]:
    """Return what the project and its groups ask for, by name."""
    project = _project()
    wanted = list(project["project"]["dependencies"])
    for group in GROUPS:
        wanted += project["dependency-groups"][group]
    return {re.match(r"[\w.-]+", requirement).group(): requirement for requirement in wanted}


def _alone() -> list[str]:
    """Return the packages that are installed without what they depend on."""
    metadata = _project()["tool"]["uv"]["dependency-metadata"]
    return sorted(entry["name"] for entry in metadata if not entry["requires-dist"])


def environment() -> str:
    """Return the text of environment.yml."""
    # Binder reads one version here; it is the lowest that the project takes.
    python = _project()["project"]["requires-python"].replace(">=", "=")
    requirements = _requirements()
    names = sorted(set(requirements) - FROM_CONDA - set(_alone()))
    lines = [
        f"# {NOTE}",
        "name: cxstats",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python{python}",
        "  - pip",
        *(f"  - {requirements[name]}" for name in sorted(FROM_CONDA)),
        "  - pip:",
        *(f"      - {name}=={version(name)}" for name in names),
        "      - -e .",
    ]
    return "\n".join(lines) + "\n"


def post_build() -> str:
    """Return the text of postBuild, which Binder runs after environment.yml."""
    packages = " ".join(f"{name}=={version(name)}" for name in _alone())
    return (
        f"#!/bin/bash\n# {NOTE}\n"
        "# Only data files of these packages are read; what they depend on is not installed.\n"
        "# Binder runs this by itself; with conda: conda run -n cxstats bash postBuild\n"
        f"set -euo pipefail\npython -m pip install --no-cache-dir --no-deps {packages}\n"
    )


if __name__ == "__main__":
    (ROOT / "environment.yml").write_text(environment(), encoding="utf-8")
    script = ROOT / "postBuild"
    script.write_text(post_build(), encoding="utf-8")
    script.chmod(0o755)
