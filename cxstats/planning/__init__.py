"""How many answers: sample sizes, power, and what a score without counts can mean."""

from cxstats.planning.plan import Plan, power, sample_size
from cxstats.planning.region import NpsRegion, nps_region

__all__ = ["NpsRegion", "Plan", "nps_region", "power", "sample_size"]
