"""Experiments: A/B tests of a fixed horizon, sequential and Bayesian, and what they take."""

from cxstats.experiments.ab_tests import ab_test, ab_test_from_counts
from cxstats.experiments.bayes import BayesianAb, bayesian_ab
from cxstats.experiments.confidence_sequence import ConfidenceSequence, always_valid
from cxstats.experiments.cuped_adjustment import Cuped, cuped
from cxstats.experiments.experiment_duration import Duration, duration
from cxstats.experiments.lift import lift_interval
from cxstats.experiments.monitoring import Monitoring
from cxstats.experiments.result import AbTest
from cxstats.experiments.sample_ratio_mismatch import SampleRatio, sample_ratio
from cxstats.experiments.sequential import SequentialPlan, sequential_plan

__all__ = [
    "AbTest",
    "BayesianAb",
    "ConfidenceSequence",
    "Cuped",
    "Duration",
    "Monitoring",
    "SampleRatio",
    "SequentialPlan",
    "ab_test",
    "ab_test_from_counts",
    "always_valid",
    "bayesian_ab",
    "cuped",
    "duration",
    "lift_interval",
    "sample_ratio",
    "sequential_plan",
]
