"""Pain points: which causes weigh most, how concentrated they are, what to do first."""

from cxstats.priorities.pain_points.analysis import PainPoints, pain_points
from cxstats.priorities.pain_points.concentration import (
    effective_number,
    gini,
    herfindahl,
    top_share,
)
from cxstats.priorities.pain_points.priority import Priority

__all__ = [
    "PainPoints",
    "Priority",
    "effective_number",
    "gini",
    "herfindahl",
    "pain_points",
    "top_share",
]
