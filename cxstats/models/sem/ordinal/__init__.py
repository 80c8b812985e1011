"""Models of ordered answers: thresholds, polychoric correlations, WLSMV."""
