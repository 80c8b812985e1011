"""Importance and performance: what to work on first, and how certain that placement is."""

from cxstats.priorities.importance.analysis import importance_performance
from cxstats.priorities.importance.result import ImportancePerformance, from_ipma

__all__ = ["ImportancePerformance", "from_ipma", "importance_performance"]
