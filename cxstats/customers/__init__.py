"""Customers: purchases, lifetime value, channels."""
