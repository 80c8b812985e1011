"""Customers: who buys, how often and how unevenly, who comes back, and what they are worth.

- ``transactions``, ``rfm``, ``movement``, ``concentration``, ``cohorts``
- ``lifetime_value``, ``repurchase``, ``attribution``: BG/NBD, who buys again, credit of channels
- ``survival``, ``churn_paths``: how long until an event, what comes before leaving
"""
