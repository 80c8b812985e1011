"""Customer-experience statistics: audit, SERVQUAL, structural models, weighted satisfaction.

The public face. Names load on first use, so that ``import cxstats`` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> module that defines it; None for a module that is itself the public name.
_PUBLIC = {
    "Audit": "cxstats.cases",
    "Comparison": "cxstats.cases",
    "CxError": "cxstats.errors",
    "DataError": "cxstats.errors",
    "ReproductionError": "cxstats.errors",
    "audit": "cxstats.cases",
    "cases": None,
    "cite": "cxstats.cases",
    "charts": None,
    "compare": "cxstats.cases",
    "load_facts": "cxstats.cases",
    "load_formulas": "cxstats.cases",
    "load_source_errors": "cxstats.cases",
    "load_tables": "cxstats.cases",
}

__all__ = [*_PUBLIC, "__version__"]  # noqa: PLE0604  (all are strings)

if TYPE_CHECKING:
    from cxstats import cases, charts
    from cxstats.cases import (
        Audit,
        Comparison,
        audit,
        cite,
        compare,
        load_facts,
        load_formulas,
        load_source_errors,
        load_tables,
    )
    from cxstats.errors import CxError, DataError, ReproductionError


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'cxstats' has no attribute {name!r}")
    module = _PUBLIC[name]
    if module is None:
        return import_module(f"cxstats.{name}")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)
