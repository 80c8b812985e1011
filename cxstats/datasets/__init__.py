"""Real data from the packages that ship them, and simulators whose truth is known."""

from cxstats.datasets.experience import EXPERIENCE_MODEL, experience_truth, simulate_experience
from cxstats.datasets.kano import simulate_kano
from cxstats.datasets.process import loan_truth, simulate_loan_log
from cxstats.datasets.real import load_corporate_reputation, load_ecsi_mobile
from cxstats.datasets.synthetic import simulate_servqual

__all__ = [
    "EXPERIENCE_MODEL",
    "experience_truth",
    "load_corporate_reputation",
    "load_ecsi_mobile",
    "loan_truth",
    "simulate_experience",
    "simulate_kano",
    "simulate_loan_log",
    "simulate_servqual",
]
