"""Real data from the packages that ship them, and simulators whose truth is known."""

from cxstats.datasets.real import load_corporate_reputation, load_ecsi_mobile
from cxstats.datasets.simulate_experience import (
    EXPERIENCE_MODEL,
    experience_truth,
    simulate_experience,
)
from cxstats.datasets.simulate_kano import simulate_kano
from cxstats.datasets.simulate_loan_log import loan_truth, simulate_loan_log
from cxstats.datasets.simulate_servqual import simulate_servqual

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
