"""Execute every notebook in parallel, and name the cell where one breaks.

A notebook runs in its own kernel, in the environment that runs this code and in its own
folder. Notebooks are found by pattern, so none can rot outside a run.
"""

from __future__ import annotations

import asyncio
import difflib
import os
import re
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cxstats.core.errors import CxError, DataError, MissingToolError, ReproductionError
from cxstats.core.files import read_bytes, write_whole
from cxstats.core.messages import printable
from cxstats.core.paths import SOLUTIONS, collection_folder
from cxstats.core.progress import QUIET

if TYPE_CHECKING:
    from nbformat import NotebookNode

LARGEST = 200_000_000  # bytes of a notebook
START_TIMEOUT = 120  # seconds; the first kernel on a cold machine compiles its libraries
CELL_TIMEOUT = 600  # seconds; a notebook is for reading along, not for long computations

# The forms of an output that hold text.
TEXT_FORMS = {"text/plain", "text/html", "text/markdown", "text/latex"}
PICTURE = re.compile(r"data:image/png;base64,[\w+/=]+")  # in a page, beside its table
WIDGET = "application/vnd.jupyter.widget-view+json"
# What differs between machines and runs: addresses, temporary files, identifiers of styled tables.
MACHINE_DETAILS = (
    (r"\bat 0x[0-9a-fA-F]+", "at 0x…"),
    # From the begin of a word only: tried at each letter of a long word, it would take its square.
    (r"(?<!\S)\S*ipykernel_\d+[/\\]\d+\.py", "<cell>"),
    (r"\bT_[0-9a-f]{5,}", "T_…"),
)

Progress = Callable[["Run"], None]
Prepare = Callable[["NotebookNode", Path], "NotebookNode"]


@dataclass(frozen=True, slots=True)
class Run:
    """One executed notebook.

    Attributes
    ----------
    path : Path
        The notebook as found.
    notebook : NotebookNode
        The executed copy, as far as it came.
    error : str
        Empty, or "cell 3: ZeroDivisionError: division by zero".
    source : bytes
        The file as it was when the run began.
    """

    path: Path
    notebook: NotebookNode
    error: str
    source: bytes = b""

    @property
    def title(self) -> str:
        """The notebook's first heading, or its file name."""
        for cell in self.notebook.cells:
            heading = re.search(r"^# +(.+)$", cell.source, re.MULTILINE)
            if cell.cell_type == "markdown" and heading:
                return heading.group(1).strip()
        return self.path.stem


def find_notebooks(folder: Path | None = None, output: Path | None = None) -> list[Path]:
    """Return the notebooks under `folder`, or under the collection that is nearest.

    Parameters
    ----------
    folder : Path, optional
        A folder, or one notebook; also its name in the collection ("09_nps_csat_ces") or the number
        that its name begins with ("09"). Without it: ``notebooks/`` in the working directory, or
        beside the package. Hidden folders (``.venv``, ``.ipynb_checkpoints``) and those of
        solutions, which tests execute, are passed over.
    output : Path, optional
        A folder to pass over: where the executed copies go.

    Raises
    ------
    CxError
        If there is no such folder or it holds no notebook.
    """
    folder = notebook_folder() if folder is None else _by_name(folder)
    # The methods of Path raise where a name is too long.
    if folder.suffix == ".ipynb" and os.path.isfile(folder):
        return [folder]
    if not os.path.isdir(folder):
        raise CxError(f"{folder}: no such folder; name the one that holds the notebooks")
    excluded = output.resolve() if output else None
    paths = sorted(
        path
        for path in folder.rglob("*.ipynb")
        if not any(map(_is_passed_over, path.relative_to(folder).parts))
        and excluded not in path.resolve().parents
    )
    if not paths:
        raise CxError(f"{folder}: no notebook in this folder")
    return paths


def find_solutions() -> list[Path]:
    """Return the solutions to the exercises of the collection, in the order of its notebooks."""
    return sorted((notebook_folder() / SOLUTIONS).glob("*.ipynb"))


def _is_passed_over(name: str) -> bool:
    return name.startswith(".") or name == SOLUTIONS


def _by_name(folder: Path) -> Path:
    """Return the notebook of the collection that a name or number means; else the path itself."""
    if os.path.exists(folder) or len(folder.parts) != 1:
        return folder
    name = folder.name.removesuffix(".ipynb")
    try:
        paths = sorted(notebook_folder().glob("*.ipynb"))
    except OSError:
        return folder
    meant = [path for path in paths if name in (path.stem, path.stem.split("_")[0])]
    return meant[0] if len(meant) == 1 else folder


def notebook_folder() -> Path:
    """Return the folder of the collection: in the working directory, in the checkout, installed."""
    local = Path("notebooks")
    return local if local.is_dir() else collection_folder()


def run_notebooks(
    paths: Sequence[Path],
    workers: int | None = None,
    progress: Progress | None = None,
    prepare: Prepare | None = None,
) -> list[Run]:
    """Execute notebooks in parallel, each in its own kernel.

    Parameters
    ----------
    paths : sequence of Path
        The notebooks; the files are not changed.
    workers : int, optional
        How many run at once; without it, one per core.
    progress : callable, optional
        Called with each finished `Run`.
    prepare : callable, optional
        Changes each notebook, of whose path it is told, before any is executed.

    Returns
    -------
    list of Run
        In the order of `paths`. A cell that raises ends its notebook, not the run.

    Raises
    ------
    MissingToolError
        If the notebook tools are not installed.
    ReproductionError
        If a file is not a notebook; nothing is executed then.
    """
    _require_tools()
    # Lists the machine's fonts once: a kernel that has to do it says so among its outputs.
    import matplotlib.font_manager  # noqa: F401

    sources = [_read_bytes(path) for path in paths]
    notebooks = [
        (path, source, parse_notebook(source, path))
        for path, source in zip(paths, sources, strict=True)
    ]
    if prepare:
        notebooks = [(path, source, prepare(book, path)) for path, source, book in notebooks]
    return asyncio.run(_run_all(notebooks, workers or _cores(), progress))


def _cores() -> int:
    return os.cpu_count() or 1


async def _run_all(
    notebooks: Sequence[tuple[Path, bytes, NotebookNode]],
    workers: int,
    progress: Progress | None,
) -> list[Run]:
    slots = asyncio.Semaphore(workers)
    # Kernels share the cores. Threads that wait for each other on a busy core double the time.
    threads = str(max(1, _cores() // min(workers, len(notebooks))))
    env = {"OMP_NUM_THREADS": threads, **os.environ, QUIET: "1"}

    async def run_in_turn(path: Path, source: bytes, notebook: NotebookNode) -> Run:
        async with slots:
            run = await _run_notebook(path, source, notebook, env)
        if progress:
            progress(run)
        return run

    return list(await asyncio.gather(*(run_in_turn(*notebook) for notebook in notebooks)))


async def _run_notebook(
    path: Path, source: bytes, notebook: NotebookNode, env: dict[str, str]
) -> Run:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    current = 1

    def count_cell(cell: NotebookNode, cell_index: int) -> None:
        nonlocal current
        current = cell_index + 1

    with TemporaryDirectory(prefix="cxstats-") as sockets:
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            startup_timeout=START_TIMEOUT,
            kernel_name="python3",
            record_timing=False,
            on_cell_start=count_cell,
            config=Config({"KernelManager": _transport(sockets)}),
            resources={"metadata": {"path": str(path.parent.resolve())}},
        )
        error = ""
        try:
            await client.async_execute(env=env)
        except CellExecutionError as failure:
            value = str(failure.evalue).strip().split("\n")[0]
            error = f"cell {current}: {failure.ename}: {value}"
        except CellTimeoutError:
            error = f"cell {current}: took longer than {CELL_TIMEOUT} s"
        except DeadKernelError:
            error = f"cell {current}: the kernel died (out of memory?)"
        except RuntimeError as failure:
            error = f"cell {current}: the kernel failed: {failure}"
        except AssertionError as failure:
            # What nbclient raises when Ctrl-C stops it while a kernel is starting.
            raise asyncio.CancelledError from failure
    return Run(path, normalise(notebook), error, source)


def _transport(folder: str) -> dict[str, str]:
    """Return settings to reach the kernel by socket files of this user, where there are any."""
    if os.name == "nt":
        return {"transport": "tcp"}
    return {"transport": "ipc", "ip": f"{folder}/kernel"}


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook file.

    Raises
    ------
    ReproductionError
        If the file cannot be read as a notebook.
    """
    return parse_notebook(_read_bytes(path), path)


def _read_bytes(path: Path) -> bytes:
    try:
        return read_bytes(path, LARGEST)
    except DataError as error:
        raise ReproductionError(f"{path.parent / str(error)}") from error


def parse_notebook(source: bytes, path: Path) -> NotebookNode:
    """Return the notebook that the bytes of a file are; `path` names it.

    Raises
    ------
    ReproductionError
        If they are no notebook.
    """
    import nbformat
    from jsonschema import ValidationError

    wrong = (ValueError, KeyError, AttributeError, TypeError, RecursionError, ValidationError)
    try:
        notebook: NotebookNode = nbformat.reads(source.decode("utf-8-sig"), as_version=4)
        nbformat.validate(notebook)
    except wrong as error:
        why = printable(" ".join(str(error).split()))
        raise ReproductionError(f"{path}: not a notebook: {why:.60}") from error
    return notebook


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Make two runs of the same notebook equal where nothing of substance differs.

    Drops what depends on the machine (kernel and language versions, memory addresses, paths of
    temporary files, generated identifiers) and sliders, beside which their chart and table stand;
    joins the pieces in which a stream arrived, and numbers the cells in order.
    """
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    count = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        count += 1
        if cell.execution_count is not None:
            cell.execution_count = count
        cell.outputs = _join_streams(cell.outputs)
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
            if "text" in output:
                output.text = _mask_machine(output.text)
            if len(output.get("data", {})) > 1:  # a widget shows nothing where no kernel runs
                output.data.pop(WIDGET, None)
            for form in TEXT_FORMS & output.get("data", {}).keys():
                output.data[form] = _mask_machine(output.data[form])
    return notebook


def _join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if output.output_type == "stream" and last and last.get("name") == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _mask_machine(text: str) -> str:
    for pattern, replacement in MACHINE_DETAILS:
        text = re.sub(pattern, replacement, text)
    return text


def differences(committed: NotebookNode, fresh: NotebookNode) -> list[str]:
    """Return where the text that a notebook shows differs from a fresh run, cell by cell.

    Numbers and words are compared as shown, in plain text and in tables; pictures are not, since
    fonts differ between machines.
    """
    changes = []
    pairs = zip(committed.cells, fresh.cells, strict=True)
    for number, (old, new) in enumerate(pairs, 1):
        before, after = output_text(old), output_text(new)
        if before != after:
            lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
            was = next((line[2:].strip() for line in lines if line[:2] == "- "), "nothing")
            now = next((line[2:].strip() for line in lines if line[:2] == "+ "), "nothing")
            changes.append(f"cell {number}: committed {was!r}, now {now!r}")
    return changes


def output_text(cell: NotebookNode) -> str:
    """Return the text of a cell's outputs, as a reader sees it."""
    if cell.cell_type != "code":
        return ""
    texts = []
    for output in cell.outputs:
        texts += [output.get("text", ""), output.get("ename", "")]
        texts += [output.data[form] for form in sorted(TEXT_FORMS & output.get("data", {}).keys())]
    return "\n".join(PICTURE.sub("picture", _mask_machine(text)) for text in texts if text)


def write_notebook(notebook: NotebookNode, path: Path, replaces: bytes | None = None) -> None:
    """Write a notebook as its readers expect it: one space of indent, UTF-8, a last newline.

    Raises
    ------
    WriteError
        If it cannot be written, or if `replaces` is not what stands there; nothing changes then.
    """
    import nbformat

    path.parent.mkdir(parents=True, exist_ok=True)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    drawn = [output.data for output in outputs if "image/png" in output.get("data", {})]
    with ThreadPoolExecutor(_cores()) as threads:
        pictures = list(threads.map(_with_palette, [data["image/png"] for data in drawn]))
    for data, picture in zip(drawn, pictures, strict=True):
        data["image/png"] = picture
    text = nbformat.writes(notebook, indent=1) + "\n"
    write_whole(path, lambda file: file.write_text(text, encoding="utf-8"), replaces)


def _with_palette(png: str) -> str:
    """Return a chart of at most 256 colours: it looks the same, and takes a third of the space."""
    from base64 import b64decode, b64encode
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    with Image.open(BytesIO(b64decode(png))) as picture:
        if picture.mode == "P":
            return png
        # `optimize` of Pillow takes eight times as long, for a tenth of the space.
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG")
    return b64encode(buffer.getvalue()).decode()


def _require_tools() -> None:
    try:
        import ipykernel  # noqa: F401
        import nbclient  # noqa: F401
        import nbconvert  # noqa: F401
    except ImportError as error:
        raise MissingToolError(
            f"{error.name} is not installed; run this in a checkout with 'uv run cxstats ...', "
            f"or install it: {Path(sys.executable).name} -m pip install jupyterlab nbclient"
        ) from error
