"""A copy of the collection for a person to work in: nothing that was edited is ever replaced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cxstats.core.errors import CxError
from cxstats.core.files import write_whole
from cxstats.core.paths import collection_folder

FOLDER = "cxstats-notebooks"


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of the files of the collection.

    Attributes
    ----------
    folder : Path
    written : tuple of Path
        Those that were not there before.
    edited : tuple of Path
        Those that were there and differ; they stay as they are.
    """

    folder: Path
    written: tuple[Path, ...]
    edited: tuple[Path, ...]


def copy_collection(folder: Path) -> Copied:
    """Copy notebooks, translations and pages into a folder, beside what stands there.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Raises
    ------
    CxError
        If the folder cannot be made or written to.
    """
    source = collection_folder()
    written, edited = [], []
    try:
        for file in _files(source):
            target = folder / file.relative_to(source)
            content = file.read_bytes()
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                write_whole(target, partial(_put, content))
                written.append(target)
            elif target.read_bytes() != content:
                edited.append(target)
    except OSError as error:
        raise CxError(f"{folder}: cannot be written: {error.strerror}") from error
    return Copied(folder, tuple(written), tuple(edited))


def _put(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _files(source: Path) -> Iterator[Path]:
    """Yield the files of the collection, without what editors and systems leave behind."""
    for path in sorted(source.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(source).parts)
        if path.is_file() and not hidden:
            yield path
