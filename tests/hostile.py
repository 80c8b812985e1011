"""Read files as a user would, each in a child process, and say what came of it: a tool of tests.

``python -m tests.hostile FILE...`` prints a line of JSON for each: what it was (a result, an error
of the package, or anything else), the message, seconds, and megabytes, with those of the package.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

SECONDS = 30  # after which a child is stopped
ADDRESSES = 6 * 1024**3  # bytes of memory that a child may ask for


def use(path: Path) -> object:
    """Use a file by its ending: a codebook, a notebook, a facts file or a survey."""
    import cxstats as cx
    from cxstats.app.cli import main
    from cxstats.app.reproduce import read_notebook

    if path.suffix in {".yml", ".yaml"}:
        book = cx.Codebook.read(path)
        return repr(book), book.to_dict()
    if path.suffix == ".ipynb":
        return read_notebook(path)
    if path.name.startswith("facts"):
        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            status = main(["audit", str(path)])
        for line in errors.getvalue().splitlines():
            if not line.startswith("cxstats: error: "):
                raise AssertionError(f"a line of the command that is no error: {line!r}")
        with contextlib.suppress(cx.CxError):
            cx.audit(path)
        return status
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # on an encoding that had to be guessed
        frame = cx.read_survey(path)
    return frame.attrs["read_report"].summary(), len(frame)


def child(path: Path, out: int) -> None:
    """Use a file and write what came of it; the end of this process."""
    from cxstats.core.errors import CxError

    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    signal.alarm(SECONDS)
    try:
        use(path)
        kind, message = "result", ""
    except CxError as error:
        kind, message = "error", str(error)
    except BaseException as error:  # what no user should see
        kind, message = "traceback", f"{type(error).__name__}: {error!s:.300}"
    os.write(out, json.dumps({"kind": kind, "message": message[:5000]}).encode())
    os._exit(0)


def watch(path: Path) -> dict[str, object]:
    """Return what came of a file, with seconds and megabytes."""
    incoming, outgoing = os.pipe()
    start = time.perf_counter()
    process = os.fork()
    if not process:
        os.close(incoming)
        child(path, outgoing)
    os.close(outgoing)
    with os.fdopen(incoming, "rb") as stream:
        text = stream.read()
    _, status, usage = os.wait4(process, 0)
    found = json.loads(text) if text else {"kind": "killed", "message": f"status {status}"}
    # Seconds of the processor: others may use it, too.
    seconds = usage.ru_utime + usage.ru_stime
    megabytes = usage.ru_maxrss / 1024  # with those of the package
    return {
        "file": path.name, **found, "seconds": seconds, "megabytes": megabytes,
        "wall": time.perf_counter() - start,
    }  # fmt: skip


def main(paths: list[str]) -> None:
    """Import everything once, then watch each file."""
    import nbformat  # noqa: F401
    import openpyxl  # noqa: F401
    import pandas as pd
    import pyreadstat
    import yaml  # noqa: F401

    import cxstats as cx
    import cxstats.app.cli
    import cxstats.app.reproduce

    # What a first use loads shall be no cost of the first file.
    cx.read_survey, cx.audit, cx.Codebook  # noqa: B018
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "a.sav"))
        pyreadstat.write_sav(pd.DataFrame({"a": [1.0, 2.0]}), file)
        cx.read_survey(file)
    for path in paths:
        print(json.dumps(watch(Path(path))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
