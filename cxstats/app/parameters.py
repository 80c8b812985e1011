"""Values for the parameters cell of a notebook, from the command line.

The values replace those that are assigned in the cell tagged ``parameters``, so that the executed
copy reads as if a person had edited the cell; papermill would add a second cell below it, and a
reader would see both the default and what overrides it. A value stands in the code as a literal and
is never run.
"""

from __future__ import annotations

import ast
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import CxError
from cxstats.core.messages import excerpt, listing

if TYPE_CHECKING:
    from nbformat import NotebookNode

PARAMETERS = "parameters"  # tag of the cell
SAMPLE = "sample"  # tag of cells that speak of the sample; left out where a file is named
CLIENT = "client"  # in the metadata of a text cell: what it says of a client's file, by language
FILE = "file"  # the parameter that names a client's file
ENDINGS = {
    ".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xls", ".sav", ".zsav", ".dta", ".yml", ".yaml",
}  # fmt: skip
PLAIN = (str, bool, int, float, type(None))


def settings_of(texts: Sequence[str], folder: Path) -> dict[str, Any]:
    """Return parameters and their values from texts such as "file=client.xlsx".

    Parameters
    ----------
    texts : sequence of str
        "NAME=VALUE". A value that is a Python literal (a number, None, True, a text in quotation
        marks, a list, tuple or dictionary of these) is that; any other is a text.
    folder : Path
        Where relative paths begin. A text that is the path of a file there becomes a whole path,
        since a notebook runs in a folder of its own.

    Raises
    ------
    CxError
        If a text has another form, a name comes twice, or a value is the path of no file: that of
        `file`, and any that ends like a data file or a codebook.

    Examples
    --------
    >>> settings_of(["seed=3", "level=0.9", "by=branch", "cuts=[6, 9]"], Path("."))
    {'seed': 3, 'level': 0.9, 'by': 'branch', 'cuts': [6, 9]}
    """
    settings: dict[str, Any] = {}
    for text in texts:
        name, mark, written = text.partition("=")
        name = name.strip()
        if not mark or not name.isidentifier():
            raise CxError(f"--set {excerpt(text)}; allowed: NAME=VALUE, such as file=client.xlsx")
        if name in settings:
            raise CxError(f"--set {name}: given twice; one value is allowed")
        value = _value(written)
        settings[name] = _path(name, value, folder) if isinstance(value, str) else value
    return settings


def _value(text: str) -> Any:
    """Return the literal that a text is, or the text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on a backslash in a text
            value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return value if _is_plain(value) else text


def _is_plain(value: Any) -> bool:
    """Return whether a value is written in code as it is: 1e999 would be `inf`, which is none."""
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, [*value, *value.values()]))
    return isinstance(value, PLAIN) and not (isinstance(value, float) and not math.isfinite(value))


def _path(name: str, value: str, folder: Path) -> str:
    """Return a text, or the whole path of the file that it names."""
    try:
        path = os.path.abspath(os.path.join(folder, os.path.expanduser(value)))
        is_file = os.path.isfile(path)
    except ValueError:  # NUL
        is_file = False
    if is_file and value.strip():
        return path
    if name == FILE or Path(value).suffix.lower() in ENDINGS:
        raise CxError(f"--set {name}: {excerpt(value)} is no file; paths begin in {folder}")
    return value


def with_settings(notebook: NotebookNode, settings: Mapping[str, Any], name: str) -> NotebookNode:
    """Return a notebook with values set in its parameters cell, and without what is then untrue.

    Where `file` is set to a file, cells tagged ``sample`` are left out, since they speak of the
    sample; a text cell whose metadata hold, under ``client``, a text for each language says that
    text instead of its own.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    settings : mapping of str to plain value
    name : str
        Of the notebook, for messages.

    Raises
    ------
    CxError
        If the notebook has no parameters cell, the cell is not code that can be read, or a name is
        not assigned in it; the message lists those that are.
    """
    cells = [cell for cell in notebook.cells if PARAMETERS in _tags(cell)]
    if not cells:
        raise CxError(f"{name}: no cell is tagged {PARAMETERS!r}, so nothing can be set")
    for cell in cells[:1]:
        cell.source = _assigned(cell.source, settings, name)
    if settings.get(FILE) is None:
        return notebook
    notebook.cells = [cell for cell in notebook.cells if SAMPLE not in _tags(cell)]
    for cell in notebook.cells:
        texts = cell.metadata.get(CLIENT)
        if cell.cell_type == "markdown" and isinstance(texts, Mapping):
            cell.source = texts.get(settings.get("lang")) or texts.get("en") or cell.source
    return notebook


def has_parameters(notebook: NotebookNode) -> bool:
    """Return whether a notebook has a parameters cell."""
    return any(PARAMETERS in _tags(cell) for cell in notebook.cells)


def _tags(cell: NotebookNode) -> Sequence[str]:
    return cell.metadata.get("tags", [])  # type: ignore[no-any-return]


def _assigned(source: str, settings: Mapping[str, Any], name: str) -> str:
    """Return code with other values assigned; all else, its comments too, stays."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        raise CxError(f"{name}: the parameters cell is not Python that can be read") from error
    values = {}
    for statement in statements:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        if len(targets) == 1 and isinstance(targets[0], ast.Name):
            values[targets[0].id] = value  # of two assignments the last counts
    unknown = [key for key in settings if key not in values]
    if unknown:
        raise CxError(
            f"{name} has no parameter {unknown[0]!r}; it has: {listing(values) or 'none'}"
        )
    lines = source.encode().splitlines(keepends=True)  # ast counts bytes
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    code = source.encode()
    # From the end, so that places before it stay.
    for key in sorted(settings, key=lambda key: -_start(values[key], starts)):
        node = values[key]
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        # A value in brackets keeps them: (1) becomes (2).
        code = code[: _start(node, starts)] + repr(settings[key]).encode() + code[end:]
    return code.decode()


def _start(node: ast.expr, starts: Sequence[int]) -> int:
    return starts[node.lineno - 1] + node.col_offset
