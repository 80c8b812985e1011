"""Scorecards: indicators against targets, maturity, linked channels, ranked proposals."""
