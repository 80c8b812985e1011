"""What long work needs: one thread where matrices are small, and a bar after two seconds.

`tracked` counts the steps of a loop. `long_work` stands around a whole public call: it shows that
work goes on where no steps can be counted, and closes what loops within it opened, however the
call ends. There is one bar at a time; work within other work is a line of it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from importlib.util import find_spec
from threading import RLock, Timer
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
    began, line = time.monotonic(), None
    try:
        for start in range(0, total, step):
            stop = min(start + step, total)
            yield start, stop
            if line is None and time.monotonic() - began > PATIENCE and stop < total:
                line = _Line(task_name, total)
            if line is not None:
                line.update(stop)
    finally:
        if line is not None:
            line.close()


@contextmanager
def long_work(task_name: str) -> Iterator[None]:
    """Show a moving bar while something lasts longer than two seconds; also a decorator.

    Within other such work it does nothing.

    Examples
    --------
    >>> with long_work("fit"):
    ...     sum(range(3))
    3
    """
    if _AT_WORK or not _may_be_seen():
        yield
        return
    watch = _Watch(task_name)
    _AT_WORK.append(watch)
    try:
        yield
    finally:
        _AT_WORK.remove(watch)
        watch.end()


class _Line:
    """A line of the bar. The first line opens the bar, and closes it."""

    def __init__(self, task_name: str, total: int | None) -> None:
        with _LOCK:
            self.is_first = not _BARS
            if self.is_first:
                _BARS.append(_start_bar())
            self.bar = _BARS[0]
            self.task = self.bar.add_task(task_name, total=total)

    def update(self, completed: int) -> None:
        self.bar.update(self.task, completed=completed)

    def close(self) -> None:
        with _LOCK:
            if self.is_first:
                self.bar.stop()
                _BARS.remove(self.bar)
            else:
                self.bar.remove_task(self.task)


class _Watch:
    """A line that appears by itself after two seconds, unless the work has ended."""

    def __init__(self, task_name: str) -> None:
        self.task_name, self.ended = task_name, False
        self.line: _Line | None = None
        self.timer = Timer(PATIENCE, self.show)
        self.timer.daemon = True
        self.timer.start()

    def show(self) -> None:
        with _LOCK:
            if not self.ended:
                self.line = _Line(self.task_name, None)

    def end(self) -> None:
        self.timer.cancel()
        with _LOCK:
            self.ended = True
            if self.line is not None:
                self.line.close()


# The bar that is seen now, and the work that watches over it.
_BARS: list[Any] = []
_AT_WORK: list[_Watch] = []
_LOCK = RLock()


def _may_be_seen() -> bool:
    """Return whether a bar might be seen here; no thread need be started where it cannot."""
    if QUIET in os.environ:
        return False
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    return is_terminal or "ipykernel" in sys.modules or "FORCE_COLOR" in os.environ


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
