"""Every kind of result once on clean and once on faulty input, for the tests that all must pass.

One module a room; each has ``CASES``, a mapping of "ClassName/what it is" to a `Case`. A case is
built when a test needs it, once a session.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Case:
    """One result.

    build : makes it, from 300 rows or fewer (or from counts).
    labels : the user's own words that its summary repeats; they may be of the other language.
    """

    build: Callable[[], Any]
    labels: tuple[str, ...] = ()


@cache
def cases() -> dict[str, Case]:
    """Return the cases of all rooms."""
    gallery: dict[str, Case] = {}
    for module in pkgutil.iter_modules(__path__):
        gallery |= importlib.import_module(f"{__name__}.{module.name}").CASES
    return gallery


@cache
def build(name: str) -> Any:
    """Return the result of a case."""
    return cases()[name].build()
