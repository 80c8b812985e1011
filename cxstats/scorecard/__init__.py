"""Scorecard: targets, maturity and proposals, as management reads them."""
