"""Statistics that several rooms share: intervals, tests, the bootstrap, coefficients, cut-offs."""
