"""Service blueprints: elements in layers, what flows between them, times, standards, failures."""

from cxstats.journeys.blueprint.analysis import Blueprint, blueprint
from cxstats.journeys.blueprint.comparison import BlueprintComparison, compare
from cxstats.journeys.blueprint.contact_scores import ContactScores, score

__all__ = [
    "Blueprint",
    "BlueprintComparison",
    "ContactScores",
    "blueprint",
    "compare",
    "score",
]
