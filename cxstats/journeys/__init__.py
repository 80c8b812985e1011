"""Journeys of customers.

- `cxstats.journeys.click_log`, `measured`: stages reached, drop-off and times from a log of clicks
- `cxstats.journeys.incidents`: which step failed, when and for whom
- `cxstats.journeys.conformance`: a log against the path that was designed
"""
