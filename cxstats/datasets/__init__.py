"""Real data from the packages that ship them, and simulators whose truth is known."""

from cxstats.datasets.real import load_corporate_reputation, load_ecsi_mobile
from cxstats.datasets.synthetic import simulate_servqual

__all__ = ["load_corporate_reputation", "load_ecsi_mobile", "simulate_servqual"]
