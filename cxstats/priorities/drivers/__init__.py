"""Key drivers: which of many scores an outcome depends on most, with intervals."""

from cxstats.priorities.drivers.analysis import drivers
from cxstats.priorities.drivers.result import Drivers

__all__ = ["Drivers", "drivers"]
