"""Where weights come from, and how much they matter."""

from cxstats.weighting.ahp import Ahp, ahp
from cxstats.weighting.methods import weights
from cxstats.weighting.result import Weights
from cxstats.weighting.sensitivity import WeightSensitivity, weight_sensitivity

__all__ = ["Ahp", "WeightSensitivity", "Weights", "ahp", "weight_sensitivity", "weights"]
