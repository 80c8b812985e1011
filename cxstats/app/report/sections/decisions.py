"""What there is to decide, ranked over the whole report, and a table of actions to fill in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from cxstats.app.report.content import Finding, ReportTable, Section
from cxstats.core.language import Text, both

MOST = 3
LEAST_CERTAINTY = 0.95
FIELDS = ("owner", "due", "kpi", "next_wave")


def ranked(sections: Iterable[Section]) -> list[Finding]:
    """Return the findings to act on, first those that are large and certain.

    Ranked by effect (in standard deviations of an answer) times certainty, among those beyond
    chance; the best of each chapter come before the second best of any, so that one chapter with
    many similar effects does not take all places.
    """
    queues = [
        sorted(
            (f for f in section.findings if f.advice and f.certainty >= LEAST_CERTAINTY),
            key=lambda finding: -finding.size * finding.certainty,
        )
        for section in sections
    ]
    order: list[Finding] = []
    for place in range(max(map(len, queues), default=0)):
        row = [queue[place] for queue in queues if len(queue) > place]
        order += sorted(row, key=lambda finding: -finding.size * finding.certainty)
    return order


def decisions(sections: Sequence[Section]) -> Section:
    """Return the findings that ask for a decision, three at most."""
    first = ranked(sections)[:MOST]
    if not first:
        return Section("decide", absent=(both("report.absent.no_decision"),))
    return Section("decide", findings=tuple(first))


def actions(sections: Sequence[Section]) -> Section:
    """Return what the findings advise, with empty fields for who does what until when."""
    advised = ranked(sections)[: 2 * MOST]
    texts = [f.advice.both() for f in advised if f.advice is not None]
    if not texts:
        return Section("actions", absent=(both("report.absent.no_decision"),))
    columns: dict[str, list[Text | str]] = {
        "action": [*texts],
        **{f: [""] * len(texts) for f in FIELDS},
    }
    table = ReportTable("actions", both("report.section.actions"), pd.DataFrame(columns))
    return Section("actions", tables=(table,))
