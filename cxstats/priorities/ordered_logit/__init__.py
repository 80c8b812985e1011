"""Ordered logit: which answers go with which circumstances, and how many more are satisfied."""

from cxstats.priorities.ordered_logit.fit import ordered_logit
from cxstats.priorities.ordered_logit.result import OrderedLogit

__all__ = ["OrderedLogit", "ordered_logit"]
