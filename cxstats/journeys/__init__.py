"""Journeys of customers, as drawn and as measured.

- ``blueprint``: service blueprints: layers, flows, the critical path, standards, failures
- ``journey``: a map of stages and touchpoints, with the respondents' scores; ``emotion_curve``
- ``share_matrices``: coverage, access and information sharing
- ``click_log``, ``measured``: stages reached, drop-off and times from a log of clicks
- ``incidents``: which step failed, when and for whom
- ``conformance``: a log against the path that was designed
"""
