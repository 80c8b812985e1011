"""Every interval whose coverage is measured, in the order of the table."""

from tests.coverage import customers, metrics, models, others, scores

INTERVALS = [
    *metrics.INTERVALS,
    *scores.INTERVALS,
    *models.INTERVALS,
    *others.INTERVALS,
    *customers.INTERVALS,
]
