"""Real data from the packages that ship them, and simulators whose truth is known."""

from cxstats.datasets.client_workbook import write_client_workbook
from cxstats.datasets.loaders import (
    load_bank_calls,
    load_cdnow,
    load_clickstream,
    load_corporate_reputation,
    load_ecsi_mobile,
    load_flights,
    load_hotel_bookings,
    load_patient_experience,
)
from cxstats.datasets.simulate_experience import EXPERIENCE_MODEL, experience_truth
from cxstats.datasets.simulate_loan_log import loan_truth

__all__ = [
    "EXPERIENCE_MODEL",
    "experience_truth",
    "load_bank_calls",
    "load_cdnow",
    "load_clickstream",
    "load_corporate_reputation",
    "load_ecsi_mobile",
    "load_flights",
    "load_hotel_bookings",
    "load_patient_experience",
    "loan_truth",
    "write_client_workbook",
]
