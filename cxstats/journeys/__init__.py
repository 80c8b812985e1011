"""Journeys of customers, as drawn and as measured.

- ``blueprint``: service blueprints: layers, flows, the critical path, standards, failures
- ``click_log``, ``measured``: stages reached, drop-off and times from a log of clicks
- ``incidents``: which step failed, when and for whom
- ``conformance``: a log against the path that was designed
"""
