"""Write files so that what stands there is never lost: beside them first, then in their place."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from cxstats.core.errors import DataError, WriteError


def read_bytes(path: Path, most: int) -> bytes:
    """Return the bytes of a file that is no larger than `most`.

    Raises
    ------
    DataError
        In one line with the name of the file, if it cannot be read, is a folder or is larger.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        raise DataError(f"{path.name}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # a path with NUL
        raise DataError(f"{path.name}: cannot be read: {error}") from error
    if len(content) > most:
        raise DataError(f"{path.name}: larger than {most / 1e6:,.0f} MB, the most that is read")
    return content


def write_whole(
    path: str | os.PathLike[str], write: Callable[[Path], object], replaces: bytes | None = None
) -> Path:
    """Write a file beside `path` and put it in place whole.

    A full disk, a kill or an error of `write` leave what stood at `path` as it was. A link stays
    a link, and a file keeps its mode. What is no file (a device) is written directly.

    Parameters
    ----------
    path : str or path
        Where the file shall stand.
    write : callable
        Called with the path to write to.
    replaces : bytes, optional
        What may be replaced: if something else stands there when the new file is ready, it stays.

    Raises
    ------
    WriteError
        Naming the file, if it cannot be written or was changed meanwhile.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_whole(folder / "a.txt", lambda file: file.write_text("one")).read_text()
    'one'
    """
    path = Path(path)
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            write(target)
        else:
            _write_beside(path, target, write, replaces)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


def write_text_whole(path: str | os.PathLike[str], text: str) -> Path:
    """Write a text in UTF-8 as `write_whole` does."""
    return write_whole(path, lambda file: file.write_text(text, encoding="utf-8"))


def _write_beside(
    path: Path, target: Path, write: Callable[[Path], object], replaces: bytes | None
) -> None:
    # The ending is that of the target: writers tell the format by it.
    handle, name = tempfile.mkstemp(suffix=target.suffix, prefix=".", dir=target.parent)
    os.close(handle)
    beside = Path(name)
    try:
        write(beside)
        beside.chmod(_mode(target))
        if replaces is not None and (not target.exists() or target.read_bytes() != replaces):
            raise WriteError(f"{path}: changed meanwhile; it was left as it is")
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """Return the mode of the file that is replaced, or that of a file written directly."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
