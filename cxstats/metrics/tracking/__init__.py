"""A metric over waves: control limits, change points, trend."""

from cxstats.metrics.tracking.waves import Track, track

__all__ = ["Track", "track"]
