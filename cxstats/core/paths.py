"""Where the project's files are: in a checkout, or inside the installed package."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
SOLUTIONS = "solutions"  # the folder of the collection with the solutions to its exercises


def data_folder() -> Path:
    """Return the folder that holds ``cases/``, installed or in a checkout."""
    installed = PACKAGE / "data"
    return installed if installed.is_dir() else PACKAGE.parent / "data"


def is_installed() -> bool:
    """Return whether this is the package as its wheel installs it, not a checkout."""
    return (PACKAGE / "notebooks").is_dir()


def collection_folder() -> Path:
    """Return the folder of the notebooks, installed or in a checkout."""
    return (PACKAGE if is_installed() else PACKAGE.parent) / "notebooks"


def cache_folder() -> Path:
    """Return the user's folder for files that can be made again; it need not exist.

    ``CXSTATS_CACHE`` names another one.
    """
    chosen = os.environ.get("CXSTATS_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "cxstats" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "cxstats"
    folder = os.environ.get("XDG_CACHE_HOME")
    return (Path(folder) if folder else Path.home() / ".cache") / "cxstats"
