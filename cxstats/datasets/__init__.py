"""Real data from the packages that ship them, and simulators whose truth is known."""

from cxstats.datasets.experience import EXPERIENCE_MODEL, experience_truth, simulate_experience
from cxstats.datasets.real import load_corporate_reputation, load_ecsi_mobile
from cxstats.datasets.synthetic import simulate_servqual

__all__ = [
    "EXPERIENCE_MODEL",
    "experience_truth",
    "load_corporate_reputation",
    "load_ecsi_mobile",
    "simulate_experience",
    "simulate_servqual",
]
