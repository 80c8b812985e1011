"""What long work needs: one thread where matrices are small, and a bar after two seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache
from importlib.util import find_spec
from typing import Any

# Seconds of silence before a bar appears.
PATIENCE = 2.0
# Environment variable: where it is set no bar is shown.
QUIET = "CXSTATS_NO_PROGRESS"


def quiet_linear_algebra() -> AbstractContextManager[object]:
    """Keep the linear-algebra libraries to one thread: on small matrices more of them only wait."""
    limits: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limits


def single_thread() -> AbstractContextManager[object]:
    """Keep every library to one thread: many small fits spend more time in waiting than in work."""
    import sklearn.cluster  # noqa: F401  (its OpenMP has to be there to be found)
    from threadpoolctl import ThreadpoolController

    limits: AbstractContextManager[object] = ThreadpoolController().limit(limits=1)
    return limits


@cache
def _controller() -> Any:
    import scipy.linalg  # noqa: F401  (its own library has to be there to be found)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def tracked(total: int, step: int, task_name: str = "bootstrap") -> Iterator[tuple[int, int]]:
    """Yield parts (start, stop) of a total, with a progress bar above two seconds.

    Examples
    --------
    >>> list(tracked(5, 2))
    [(0, 2), (2, 4), (4, 5)]
    """
    began, bar, task = time.monotonic(), None, None
    try:
        for start in range(0, total, step):
            stop = min(start + step, total)
            yield start, stop
            if bar is None and time.monotonic() - began > PATIENCE and stop < total:
                bar = _start_bar()
                task = bar.add_task(task_name, total=total)
            if bar is not None and task is not None:
                bar.update(task, completed=stop)
    finally:
        if bar is not None:
            bar.stop()


def _start_bar() -> Any:
    """Return a progress bar that is seen on a terminal, or in a notebook that has ipywidgets.

    Elsewhere Rich would write a warning among the results, and only where the machine is slow.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    in_notebook = console.is_jupyter and find_spec("ipywidgets") is not None
    # An executed page would hold a bar only where the machine was slow.
    visible = (console.is_terminal or in_notebook) and QUIET not in os.environ
    bar = Progress(console=console, transient=True, disable=not visible)
    bar.start()
    return bar
