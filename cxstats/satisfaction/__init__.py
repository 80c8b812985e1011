"""Satisfaction in one number: weighted scores, the formulas of the case studies, indices.

`FORMULAS` finds the function of a published formula by its identifier.
"""

from cxstats.satisfaction.balance_paths import BalancePaths, balance_paths
from cxstats.satisfaction.emotion_regression import Emotion, emotion
from cxstats.satisfaction.formula_registry import FORMULAS, PublishedFormula
from cxstats.satisfaction.formulas import (
    cem,
    cem_weights,
    journey_satisfaction,
    overall_satisfaction,
    proposal_score,
    service_satisfaction,
)
from cxstats.satisfaction.index import loyalty_index, satisfaction_index
from cxstats.satisfaction.reconstructed_formulas import (
    architecture_decay,
    balance,
    blueprint_experience,
    channel_integration,
    collaboration,
    data_driven,
    feedback_loop,
    fusion_score,
    personalisation,
    service_effectiveness,
    service_efficiency,
    synergy,
    synergy_weights,
    transformation_value,
)
from cxstats.satisfaction.result import Bounds, Reconstructed, WeightedScore
from cxstats.satisfaction.score import weighted_score
from cxstats.satisfaction.service_weights import ServiceWeights, estimate_service_weights

__all__ = [
    "FORMULAS",
    "BalancePaths",
    "Bounds",
    "Emotion",
    "PublishedFormula",
    "Reconstructed",
    "ServiceWeights",
    "WeightedScore",
    "architecture_decay",
    "balance",
    "balance_paths",
    "blueprint_experience",
    "cem",
    "cem_weights",
    "channel_integration",
    "collaboration",
    "data_driven",
    "emotion",
    "estimate_service_weights",
    "feedback_loop",
    "fusion_score",
    "journey_satisfaction",
    "loyalty_index",
    "overall_satisfaction",
    "personalisation",
    "proposal_score",
    "satisfaction_index",
    "service_effectiveness",
    "service_efficiency",
    "service_satisfaction",
    "synergy",
    "synergy_weights",
    "transformation_value",
    "weighted_score",
]
