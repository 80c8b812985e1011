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
    "ab_test": "cxstats.experiments",
    "ab_test_from_counts": "cxstats.experiments",
    "ahp": "cxstats.weighting",
    "Audit": "cxstats.cases",
    "audit": "cxstats.cases",
    "bootstrap_moments": "cxstats.moments",
    "cases": None,
    "ces": "cxstats.metrics",
    "ces_from_counts": "cxstats.metrics",
    "cfa": "cxstats.sem.fit",
    "charts": None,
    "check": "cxstats.survey",
    "cite": "cxstats.cases",
    "clean": "cxstats.survey",
    "Codebook": "cxstats.survey",
    "compare": "cxstats.cases",
    "Comparison": "cxstats.cases",
    "csat": "cxstats.metrics",
    "csat_from_counts": "cxstats.metrics",
    "CxError": "cxstats.errors",
    "DataError": "cxstats.errors",
    "drivers": "cxstats.drivers",
    "event_log": "cxstats.process",
    "importance_performance": "cxstats.importance",
    "experiments": None,
    "invariance": "cxstats.sem.invariance",
    "kano": "cxstats.kano",
    "kano_from_counts": "cxstats.kano",
    "load_corporate_reputation": "cxstats.datasets",
    "load_ecsi_mobile": "cxstats.datasets",
    "load_facts": "cxstats.cases",
    "load_formulas": "cxstats.cases",
    "load_source_errors": "cxstats.cases",
    "load_tables": "cxstats.cases",
    "loyalty_index": "cxstats.satisfaction",
    "metrics": None,
    "ModelSyntaxError": "cxstats.errors",
    "ModelWarning": "cxstats.sem.result",
    "Moments": "cxstats.moments",
    "moments": "cxstats.moments",
    "nps": "cxstats.metrics",
    "nps_from_counts": "cxstats.metrics",
    "nps_region": "cxstats.planning",
    "ordinal_reliability": "cxstats.sem.ordinal_reliability",
    "pain_points": "cxstats.pain",
    "penalty_reward": "cxstats.drivers.penalty",
    "pls": "cxstats.pls.fit",
    "polychoric": "cxstats.sem.polychoric",
    "power": "cxstats.planning",
    "process": "cxstats.process",
    "process_change": "cxstats.process",
    "rate": "cxstats.metrics",
    "read_survey": "cxstats.survey",
    "reliability": "cxstats.reliability",
    "ReproductionError": "cxstats.errors",
    "rpa_saving": "cxstats.process",
    "sample_size": "cxstats.planning",
    "satisfaction": None,
    "satisfaction_index": "cxstats.satisfaction",
    "second_opinion": "cxstats.sem.opinion",
    "sem": "cxstats.sem.fit",
    "servperf": "cxstats.servqual",
    "servqual": "cxstats.servqual",
    "simulate_experience": "cxstats.datasets",
    "simulate_kano": "cxstats.datasets",
    "simulate_loan_log": "cxstats.datasets",
    "simulate_servqual": "cxstats.datasets",
    "track": "cxstats.tracking",
    "verdict": "cxstats.rules",
    "weight_sensitivity": "cxstats.weighting",
    "weighted_score": "cxstats.satisfaction",
    "weights": "cxstats.weighting",
}

__all__ = [*_PUBLIC, "__version__"]  # noqa: PLE0604  (all are strings)

if TYPE_CHECKING:
    from cxstats import cases, charts, experiments, metrics, satisfaction
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
        simulate_kano,
        simulate_loan_log,
        simulate_servqual,
    )
    from cxstats.drivers import drivers
    from cxstats.drivers.penalty import penalty_reward
    from cxstats.errors import CxError, DataError, ModelSyntaxError, ReproductionError
    from cxstats.experiments import ab_test, ab_test_from_counts
    from cxstats.importance import importance_performance
    from cxstats.kano import kano, kano_from_counts
    from cxstats.metrics import (
        ces,
        ces_from_counts,
        csat,
        csat_from_counts,
        nps,
        nps_from_counts,
        rate,
    )
    from cxstats.moments import Moments, bootstrap_moments, moments
    from cxstats.pain import pain_points
    from cxstats.planning import nps_region, power, sample_size
    from cxstats.pls.fit import pls
    from cxstats.process import event_log, process, process_change, rpa_saving
    from cxstats.reliability import reliability
    from cxstats.rules import verdict
    from cxstats.satisfaction import loyalty_index, satisfaction_index, weighted_score
    from cxstats.sem.fit import cfa, sem
    from cxstats.sem.invariance import invariance
    from cxstats.sem.opinion import second_opinion
    from cxstats.sem.ordinal_reliability import ordinal_reliability
    from cxstats.sem.polychoric import polychoric
    from cxstats.sem.result import ModelWarning
    from cxstats.servqual import servperf, servqual
    from cxstats.survey import Codebook, check, clean, read_survey
    from cxstats.tracking import track
    from cxstats.weighting import ahp, weight_sensitivity, weights


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
