"""Kano analysis: which features must be there, which pay off, which delight."""

from cxstats.priorities.kano.analysis import kano, kano_from_counts
from cxstats.priorities.kano.evaluation import Evaluation, evaluation_table
from cxstats.priorities.kano.result import Kano

__all__ = ["Evaluation", "Kano", "evaluation_table", "kano", "kano_from_counts"]
