"""Customer-experience statistics: audit, SERVQUAL, structural models, weighted satisfaction.

The public face. Names load on first use, so that ``import cxstats`` stays fast.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> module that defines it; None for a module that is itself the public name.
_PUBLIC = {
    "Audit": "cxstats.cases",
    "Codebook": "cxstats.survey",
    "Comparison": "cxstats.cases",
    "CxError": "cxstats.errors",
    "DataError": "cxstats.errors",
    "ModelSyntaxError": "cxstats.errors",
    "ModelWarning": "cxstats.sem.result",
    "Moments": "cxstats.moments",
    "ReproductionError": "cxstats.errors",
    "audit": "cxstats.cases",
    "cases": None,
    "cfa": "cxstats.sem.fit",
    "check": "cxstats.survey",
    "cite": "cxstats.cases",
    "clean": "cxstats.survey",
    "charts": None,
    "bootstrap_moments": "cxstats.moments",
    "compare": "cxstats.cases",
    "invariance": "cxstats.sem.invariance",
    "load_corporate_reputation": "cxstats.datasets",
    "load_ecsi_mobile": "cxstats.datasets",
    "load_facts": "cxstats.cases",
    "load_formulas": "cxstats.cases",
    "load_source_errors": "cxstats.cases",
    "load_tables": "cxstats.cases",
    "moments": "cxstats.moments",
    "ordinal_reliability": "cxstats.sem.ordinal_reliability",
    "pls": "cxstats.pls.fit",
    "polychoric": "cxstats.sem.polychoric",
    "read_survey": "cxstats.survey",
    "reliability": "cxstats.reliability",
    "second_opinion": "cxstats.sem.opinion",
    "sem": "cxstats.sem.fit",
    "servperf": "cxstats.servqual",
    "servqual": "cxstats.servqual",
    "simulate_experience": "cxstats.datasets",
    "simulate_servqual": "cxstats.datasets",
    "verdict": "cxstats.rules",
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
    from cxstats.datasets import (
        load_corporate_reputation,
        load_ecsi_mobile,
        simulate_experience,
        simulate_servqual,
    )
    from cxstats.errors import CxError, DataError, ModelSyntaxError, ReproductionError
    from cxstats.moments import Moments, bootstrap_moments, moments
    from cxstats.pls.fit import pls
    from cxstats.reliability import reliability
    from cxstats.rules import verdict
    from cxstats.sem.fit import cfa, sem
    from cxstats.sem.invariance import invariance
    from cxstats.sem.opinion import second_opinion
    from cxstats.sem.ordinal_reliability import ordinal_reliability
    from cxstats.sem.polychoric import polychoric
    from cxstats.sem.result import ModelWarning
    from cxstats.servqual import servperf, servqual
    from cxstats.survey import Codebook, check, clean, read_survey


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'cxstats' has no attribute {name!r}")
    module = _PUBLIC[name]
    if module is None:
        return import_module(f"cxstats.{name}")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Some functions share the name of their module: ``cx.servqual`` is the function.

    Importing a submodule would put the module under that name; this keeps the function there.
    ``from cxstats.servqual import ...`` finds the module as usual.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and _PUBLIC.get(name)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
