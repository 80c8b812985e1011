"""The prose of notebooks in another language: a twin file of Markdown beside the collection.

The twin of ``notebooks/00_quickstart.ipynb`` is ``notebooks/zh/00_quickstart.md``, that of its
solutions ``notebooks/zh/solutions/00_quickstart.md``. Each cell of prose has a block there, under a
comment with the key of the English text that it translates. When the English text changes its key
changes, and a test names the translation that is stale.
"""

from __future__ import annotations

import hashlib
import re
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

from cxstats.core.errors import DataError
from cxstats.core.files import read_bytes
from cxstats.core.paths import SOLUTIONS
from cxstats.core.yaml_text import LARGEST

if TYPE_CHECKING:
    from nbformat import NotebookNode

BLOCK = re.compile(r"^<!-- ([0-9a-f]{8}) -->\n(.*?)(?=^<!-- [0-9a-f]{8} -->$|\Z)", re.M | re.S)


def key_of(source: str) -> str:
    """Return the key of a cell's English text: the first digits of its SHA-256.

    Examples
    --------
    >>> key_of("# Title") == key_of("# Title ")
    True
    """
    text = "\n".join(line.rstrip() for line in source.strip().splitlines())
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def twin_of(path: Path, lang: str) -> Path:
    """Return where the translation of a notebook stands.

    Examples
    --------
    >>> twin_of(Path("notebooks/solutions/00_quickstart.ipynb"), "zh").as_posix()
    'notebooks/zh/solutions/00_quickstart.md'
    """
    folder = path.parent
    if folder.name == SOLUTIONS:
        return folder.parent / lang / SOLUTIONS / f"{path.stem}.md"
    return folder / lang / f"{path.stem}.md"


def read_translation(path: Path, lang: str) -> dict[str, str]:
    """Return the translated prose of a notebook by the key of its English text; empty without one.

    Raises
    ------
    DataError
        If one text has two translations.
    """
    twin = twin_of(path, lang)
    if not twin.is_file():
        return {}
    blocks = BLOCK.findall(read_bytes(twin, LARGEST).decode("utf-8"))
    translations = {key: text.strip() for key, text in blocks}
    if len(translations) < len(blocks):
        keys = [key for key, _ in blocks]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DataError(f"{twin.name}: the block {twice} stands there twice")
    return translations


def prose_keys(notebook: NotebookNode) -> list[str]:
    """Return the keys of a notebook's prose, in order."""
    return [key_of(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"]


def translated(notebook: NotebookNode, path: Path, lang: str) -> NotebookNode:
    """Return a copy of a notebook with its prose in `lang`; what has no translation stays."""
    translations, copy = read_translation(path, lang), deepcopy(notebook)
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = translations.get(key_of(cell.source), cell.source)
    return copy


def to_translate(notebook: NotebookNode, path: Path, lang: str) -> str:
    """Return the blocks that the twin of a notebook lacks, in English, to be translated."""
    translations = read_translation(path, lang)
    cells = [cell.source.strip() for cell in notebook.cells if cell.cell_type == "markdown"]
    lacking = {key_of(text): text for text in cells if key_of(text) not in translations}
    return "\n".join(f"<!-- {key} -->\n{text}\n" for key, text in lacking.items())
