"""A metric over waves: control limits, change points, trend."""

from cxstats.metrics.tracking.track import Track, track

__all__ = ["Track", "track"]
