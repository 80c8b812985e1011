"""Key drivers: which of many scores an outcome depends on most, with intervals."""

from cxstats.drivers.fit import drivers
from cxstats.drivers.result import Drivers

__all__ = ["Drivers", "drivers"]
