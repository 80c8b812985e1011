"""Customers: transactions, RFM, movement, concentration, cohorts."""
