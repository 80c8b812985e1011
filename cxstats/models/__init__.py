"""Structural models: covariance-based (sem) and partial least squares (pls)."""
