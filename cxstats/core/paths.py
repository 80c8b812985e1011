"""Where the project's files are: in a checkout, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent.parent


def data_folder() -> Path:
    """Return the folder that holds ``cases/``, installed or in a checkout."""
    installed = PACKAGE / "data"
    return installed if installed.is_dir() else PACKAGE.parent / "data"
