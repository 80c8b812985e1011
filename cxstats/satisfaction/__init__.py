"""Satisfaction in one number: weighted scores, the formulas of the case studies, indices.

`FORMULAS` finds the function of a published formula by its identifier.
"""

from cxstats.satisfaction.emotion import Emotion, emotion
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
from cxstats.satisfaction.lost_formulas import architecture_decay, service_efficiency
from cxstats.satisfaction.ratios import (
    channel_integration,
    collaboration,
    feedback_loop,
    personalisation,
    service_effectiveness,
)
from cxstats.satisfaction.reconstructed import (
    balance,
    blueprint_experience,
    data_driven,
    fusion_score,
    synergy,
    synergy_weights,
    transformation_value,
)
from cxstats.satisfaction.reconstruction import Reconstructed
from cxstats.satisfaction.result import Bounds, WeightedScore
from cxstats.satisfaction.score import weighted_score
from cxstats.satisfaction.weight_regression import ServiceWeights, estimate_service_weights

__all__ = [
    "FORMULAS",
    "Bounds",
    "Emotion",
    "PublishedFormula",
    "Reconstructed",
    "ServiceWeights",
    "WeightedScore",
    "architecture_decay",
    "balance",
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
