"""Customers: lifetime value, who buys again, and what channels are credited with."""
