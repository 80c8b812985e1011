"""How many answers: sample sizes, power, and what a score without counts can mean."""

from cxstats.metrics.planning.region import NpsRegion, nps_region
from cxstats.metrics.planning.sample_sizes import Plan, power, sample_size

__all__ = ["NpsRegion", "Plan", "nps_region", "power", "sample_size"]
