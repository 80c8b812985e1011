"""Customer-experience statistics: audit, SERVQUAL, structural models, weighted satisfaction.

The public face. Names load on first use, so that ``import cxstats`` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> module that defines it; None for a module that is itself the public name.
_PUBLIC = {
    "ab_test": "cxstats.experiments.ab_tests",
    "ab_test_from_counts": "cxstats.experiments.ab_tests",
    "access_matrix": "cxstats.journeys.share_matrices",
    "agreement": "cxstats.voice.agreement",
    "ahp": "cxstats.weighting.ahp",
    "Audit": "cxstats.cases.audit",
    "all_weights": "cxstats.scorecards.all_weights",
    "attribution": "cxstats.customers.attribution",
    "aspects": "cxstats.voice.aspects",
    "audit": "cxstats.cases.audit",
    "blueprint": "cxstats.journeys.blueprint.analysis",
    "bootstrap_moments": "cxstats.core.moments",
    "case_table": "cxstats.cases.tables",
    "cases": None,
    "ces": "cxstats.metrics.csat_ces",
    "ces_from_counts": "cxstats.metrics.csat_ces",
    "cfa": "cxstats.models.sem.fit",
    "channel_matrix": "cxstats.scorecards.channels",
    "charts": None,
    "check": "cxstats.survey.check",
    "check_answer": "cxstats.app.exercises",
    "choices": "cxstats.metrics.choices",
    "churn_paths": "cxstats.customers.churn_paths",
    "cite": "cxstats.cases.facts",
    "Claims": "cxstats.cases.claims",
    "claims": "cxstats.cases.claims",
    "clean": "cxstats.survey.clean",
    "Codebook": "cxstats.survey.codebook",
    "cohorts": "cxstats.customers.cohorts",
    "compare": "cxstats.cases.published_reproduced",
    "Comparison": "cxstats.cases.published_reproduced",
    "conformance": "cxstats.journeys.conformance",
    "critical_path": "cxstats.operations.critical_paths",
    "csat": "cxstats.metrics.csat_ces",
    "csat_from_counts": "cxstats.metrics.csat_ces",
    "containment": "cxstats.operations.bot_containment",
    "concentration": "cxstats.customers.concentration",
    "CxError": "cxstats.core.errors",
    "DataError": "cxstats.core.errors",
    "Design": "cxstats.stats.sampling_design",
    "drivers": "cxstats.priorities.drivers.analysis",
    "earned_growth": "cxstats.customers.earned_growth",
    "erlang_c": "cxstats.operations.queues",
    "event_log": "cxstats.operations.event_log",
    "explore_bootstrap": "cxstats.app.explore",
    "explore_weights": "cxstats.app.explore",
    "fair_ranking": "cxstats.customers.fair_ranking",
    "feedback_register": "cxstats.voice.register",
    "find_incidents": "cxstats.journeys.incidents",
    "find_personal_data": "cxstats.survey.personal_data",
    "forecast_demand": "cxstats.operations.forecasts",
    "importance_performance": "cxstats.priorities.importance.analysis",
    "experiments": None,
    "journey": "cxstats.journeys.journey",
    "improvement_log": "cxstats.voice.improvements",
    "invariance": "cxstats.models.sem.invariance",
    "kano": "cxstats.priorities.kano.analysis",
    "kano_from_counts": "cxstats.priorities.kano.analysis",
    "lifetime_value": "cxstats.customers.lifetime_value",
    "load_bank_calls": "cxstats.datasets.loaders",
    "load_cdnow": "cxstats.datasets.loaders",
    "load_chinese_reviews": "cxstats.datasets.loaders",
    "load_clickstream": "cxstats.datasets.loaders",
    "load_corporate_reputation": "cxstats.datasets.loaders",
    "load_ecsi_mobile": "cxstats.datasets.loaders",
    "load_facts": "cxstats.cases.facts",
    "load_flights": "cxstats.datasets.loaders",
    "load_formulas": "cxstats.cases.files",
    "load_hotel_bookings": "cxstats.datasets.loaders",
    "load_housing": "cxstats.datasets.loaders",
    "load_insteval": "cxstats.datasets.loaders",
    "load_patient_experience": "cxstats.datasets.loaders",
    "load_source_errors": "cxstats.cases.files",
    "load_tables": "cxstats.cases.tables",
    "set_language": "cxstats.core.language",
    "loyalty_index": "cxstats.satisfaction.index",
    "key_phrases": "cxstats.voice.key_phrases",
    "mask_personal_data": "cxstats.survey.personal_data",
    "measured_journey": "cxstats.journeys.measured",
    "maturity_matrix": "cxstats.scorecards.maturity",
    "metrics": None,
    "movement": "cxstats.customers.movement",
    "ModelSyntaxError": "cxstats.core.errors",
    "ModelWarning": "cxstats.models.sem.result",
    "Moments": "cxstats.core.moments",
    "moments": "cxstats.survey.coding",
    "nps": "cxstats.metrics.net_promoter_score",
    "nps_from_counts": "cxstats.metrics.net_promoter_score",
    "nps_region": "cxstats.metrics.planning.region",
    "open_table": "cxstats.survey.open_table",
    "ordered_logit": "cxstats.priorities.ordered_logit.fit",
    "ordinal_reliability": "cxstats.models.sem.ordinal.reliability",
    "pain_points": "cxstats.priorities.pain_points.analysis",
    "payback": "cxstats.operations.paybacks",
    "penalty_reward": "cxstats.priorities.penalty_reward",
    "pls": "cxstats.models.pls.fit",
    "polychoric": "cxstats.models.sem.ordinal.polychoric",
    "power": "cxstats.metrics.planning.sample_sizes",
    "process": "cxstats.operations.process",
    "process_change": "cxstats.operations.before_after",
    "promise_kept": "cxstats.operations.promises",
    "rate": "cxstats.metrics.rates",
    "read_survey": "cxstats.survey.read",
    "read_xes": "cxstats.operations.xes",
    "rank_proposals": "cxstats.scorecards.proposals",
    "ready": "cxstats.app.report.readiness",
    "reliability": "cxstats.service.reliability",
    "report": "cxstats.app.report.reporting",
    "Report": "cxstats.app.report.reporting",
    "repurchase": "cxstats.customers.repurchase",
    "ReproductionError": "cxstats.core.errors",
    "rfm": "cxstats.customers.rfm",
    "rpa_saving": "cxstats.operations.automation",
    "sample_size": "cxstats.metrics.planning.sample_sizes",
    "satisfaction": None,
    "satisfaction_index": "cxstats.satisfaction.index",
    "saved_customer_value": "cxstats.customers.saved_value",
    "second_opinion": "cxstats.models.sem.second_opinion",
    "scorecard": "cxstats.scorecards.scorecard",
    "segments": "cxstats.customers.segments",
    "sem": "cxstats.models.sem.fit",
    "sentiment": "cxstats.voice.sentiment",
    "sentiment_model": "cxstats.voice.sentiment_model",
    "servperf": "cxstats.service.servqual",
    "servqual": "cxstats.service.servqual",
    "sharing_matrix": "cxstats.journeys.share_matrices",
    "simulate_churn": "cxstats.datasets.simulate_churn",
    "simulate_clickstream": "cxstats.datasets.simulate_clickstream",
    "simulate_client": "cxstats.datasets.simulate_client",
    "simulate_experience": "cxstats.datasets.simulate_experience",
    "simulate_feedback_register": "cxstats.datasets.simulate_feedback_register",
    "simulate_kano": "cxstats.datasets.simulate_kano",
    "simulate_loan_log": "cxstats.datasets.simulate_loan_log",
    "simulate_servqual": "cxstats.datasets.simulate_servqual",
    "staffing": "cxstats.operations.queues",
    "survival": "cxstats.customers.survival",
    "topics": "cxstats.voice.topics",
    "track": "cxstats.metrics.tracking.waves",
    "train_sentiment": "cxstats.voice.training",
    "training_effect": "cxstats.operations.training",
    "transactions": "cxstats.customers.transactions",
    "verdict": "cxstats.stats.rules",
    "weight_sensitivity": "cxstats.weighting.sensitivity",
    "weighted_score": "cxstats.satisfaction.score",
    "weights": "cxstats.weighting.methods",
    "write_table": "cxstats.core.export",
}

__all__ = [*_PUBLIC, "__version__"]  # noqa: PLE0604  (all are strings)

if TYPE_CHECKING:
    from cxstats import cases, charts, experiments, metrics, satisfaction
    from cxstats.app.exercises import check_answer
    from cxstats.app.explore import explore_bootstrap, explore_weights
    from cxstats.app.report.readiness import ready
    from cxstats.app.report.reporting import Report, report
    from cxstats.cases.audit import Audit, audit
    from cxstats.cases.claims import Claims, claims
    from cxstats.cases.facts import cite, load_facts
    from cxstats.cases.files import load_formulas, load_source_errors
    from cxstats.cases.published_reproduced import Comparison, compare
    from cxstats.cases.tables import case_table, load_tables
    from cxstats.core.errors import CxError, DataError, ModelSyntaxError, ReproductionError
    from cxstats.core.export import write_table
    from cxstats.core.language import set_language
    from cxstats.core.moments import Moments, bootstrap_moments
    from cxstats.customers.attribution import attribution
    from cxstats.customers.churn_paths import churn_paths
    from cxstats.customers.cohorts import cohorts
    from cxstats.customers.concentration import concentration
    from cxstats.customers.earned_growth import earned_growth
    from cxstats.customers.fair_ranking import fair_ranking
    from cxstats.customers.lifetime_value import lifetime_value
    from cxstats.customers.movement import movement
    from cxstats.customers.repurchase import repurchase
    from cxstats.customers.rfm import rfm
    from cxstats.customers.saved_value import saved_customer_value
    from cxstats.customers.segments import segments
    from cxstats.customers.survival import survival
    from cxstats.customers.transactions import transactions
    from cxstats.datasets.loaders import (
        load_bank_calls,
        load_cdnow,
        load_chinese_reviews,
        load_clickstream,
        load_corporate_reputation,
        load_ecsi_mobile,
        load_flights,
        load_hotel_bookings,
        load_housing,
        load_insteval,
        load_patient_experience,
    )
    from cxstats.datasets.simulate_churn import simulate_churn
    from cxstats.datasets.simulate_clickstream import simulate_clickstream
    from cxstats.datasets.simulate_client import simulate_client
    from cxstats.datasets.simulate_experience import simulate_experience
    from cxstats.datasets.simulate_feedback_register import simulate_feedback_register
    from cxstats.datasets.simulate_kano import simulate_kano
    from cxstats.datasets.simulate_loan_log import simulate_loan_log
    from cxstats.datasets.simulate_servqual import simulate_servqual
    from cxstats.experiments.ab_tests import ab_test, ab_test_from_counts
    from cxstats.journeys.blueprint.analysis import blueprint
    from cxstats.journeys.conformance import conformance
    from cxstats.journeys.incidents import find_incidents
    from cxstats.journeys.journey import journey
    from cxstats.journeys.measured import measured_journey
    from cxstats.journeys.share_matrices import access_matrix, sharing_matrix
    from cxstats.metrics.choices import choices
    from cxstats.metrics.csat_ces import ces, ces_from_counts, csat, csat_from_counts
    from cxstats.metrics.net_promoter_score import nps, nps_from_counts
    from cxstats.metrics.planning.region import nps_region
    from cxstats.metrics.planning.sample_sizes import power, sample_size
    from cxstats.metrics.rates import rate
    from cxstats.metrics.tracking.waves import track
    from cxstats.models.pls.fit import pls
    from cxstats.models.sem.fit import cfa, sem
    from cxstats.models.sem.invariance import invariance
    from cxstats.models.sem.ordinal.polychoric import polychoric
    from cxstats.models.sem.ordinal.reliability import ordinal_reliability
    from cxstats.models.sem.result import ModelWarning
    from cxstats.models.sem.second_opinion import second_opinion
    from cxstats.operations.automation import rpa_saving
    from cxstats.operations.before_after import process_change
    from cxstats.operations.bot_containment import containment
    from cxstats.operations.critical_paths import critical_path
    from cxstats.operations.event_log import event_log
    from cxstats.operations.forecasts import forecast_demand
    from cxstats.operations.paybacks import payback
    from cxstats.operations.process import process
    from cxstats.operations.promises import promise_kept
    from cxstats.operations.queues import erlang_c, staffing
    from cxstats.operations.training import training_effect
    from cxstats.operations.xes import read_xes as read_xes
    from cxstats.priorities.drivers.analysis import drivers
    from cxstats.priorities.importance.analysis import importance_performance
    from cxstats.priorities.kano.analysis import kano, kano_from_counts
    from cxstats.priorities.ordered_logit.fit import ordered_logit
    from cxstats.priorities.pain_points.analysis import pain_points
    from cxstats.priorities.penalty_reward import penalty_reward
    from cxstats.satisfaction.index import loyalty_index, satisfaction_index
    from cxstats.satisfaction.score import weighted_score
    from cxstats.scorecards.all_weights import all_weights
    from cxstats.scorecards.channels import channel_matrix
    from cxstats.scorecards.maturity import maturity_matrix
    from cxstats.scorecards.proposals import rank_proposals
    from cxstats.scorecards.scorecard import scorecard
    from cxstats.service.reliability import reliability
    from cxstats.service.servqual import servperf, servqual
    from cxstats.stats.rules import verdict
    from cxstats.stats.sampling_design import Design
    from cxstats.survey.check import check
    from cxstats.survey.clean import clean
    from cxstats.survey.codebook import Codebook
    from cxstats.survey.coding import moments
    from cxstats.survey.open_table import open_table
    from cxstats.survey.personal_data import find_personal_data, mask_personal_data
    from cxstats.survey.read import read_survey
    from cxstats.voice.agreement import agreement
    from cxstats.voice.aspects import aspects
    from cxstats.voice.improvements import improvement_log
    from cxstats.voice.key_phrases import key_phrases
    from cxstats.voice.register import feedback_register
    from cxstats.voice.sentiment import sentiment
    from cxstats.voice.sentiment_model import sentiment_model
    from cxstats.voice.topics import topics
    from cxstats.voice.training import train_sentiment
    from cxstats.weighting.ahp import ahp
    from cxstats.weighting.methods import weights
    from cxstats.weighting.sensitivity import weight_sensitivity


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'cxstats' has no attribute {name!r}")
    module = _PUBLIC[name]
    if module is None:
        return import_module(f"cxstats.{name}")
    value = getattr(import_module(module), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
