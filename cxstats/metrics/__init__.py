"""Metrics of customer experience, each with its uncertainty: NPS, CSAT, CES, rates, money, time.

Two doors each: answers (one column, or a table in any engine) and counts.
"""

from cxstats.metrics.choices import Choices, choices
from cxstats.metrics.comparison import MetricComparison
from cxstats.metrics.conversion_funnel import Funnel, funnel
from cxstats.metrics.csat_ces import ces, ces_from_counts, csat, csat_from_counts
from cxstats.metrics.means import (
    arpu,
    handling_time,
    mean,
    mean_from_summary,
    waiting_time,
)
from cxstats.metrics.net_promoter_score import nps, nps_from_counts
from cxstats.metrics.nps_bands import BANDS, Bands
from cxstats.metrics.nps_intervals import nps_interval, nps_variance
from cxstats.metrics.rates import (
    RATES,
    churn_rate,
    click_through_rate,
    conversion_rate,
    participation_rate,
    rate,
    repurchase_rate,
    resolution_rate,
    retention_rate,
    word_of_mouth_rate,
)
from cxstats.metrics.result import Metric
from cxstats.metrics.return_on_investment import roi
from cxstats.stats.intervals import proportion_interval

__all__ = [
    "BANDS",
    "RATES",
    "Bands",
    "Choices",
    "Funnel",
    "Metric",
    "MetricComparison",
    "arpu",
    "ces",
    "ces_from_counts",
    "choices",
    "churn_rate",
    "click_through_rate",
    "conversion_rate",
    "csat",
    "csat_from_counts",
    "funnel",
    "handling_time",
    "mean",
    "mean_from_summary",
    "nps",
    "nps_from_counts",
    "nps_interval",
    "nps_variance",
    "participation_rate",
    "proportion_interval",
    "rate",
    "repurchase_rate",
    "resolution_rate",
    "retention_rate",
    "roi",
    "waiting_time",
    "word_of_mouth_rate",
]
