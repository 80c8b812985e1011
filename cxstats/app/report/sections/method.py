"""Method: what was computed in each chapter, where it was published, and what the words mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cxstats.app.report.content import Finding, ReportTable, Section, Sentence
from cxstats.core.language import both

if TYPE_CHECKING:
    from cxstats.app.report.client import Client
    from cxstats.core.result import Result

LEVEL = 0.95


def method(client: Client, analyses: Sequence[Section]) -> Section:
    """Return every method that was used, once, and how the sentences of the report are made."""
    rows: dict[str, dict[str, object]] = {}
    for section in analyses:
        for finding in section.findings:
            if finding.method.en and finding.method.en not in rows:
                rows[finding.method.en] = {
                    "chapter": both(f"report.section.{section.key}"),
                    "method": finding.method,
                    "reference": " ".join(dict.fromkeys(_references(finding))),
                }
    values = {"level": LEVEL, "threshold": client.alpha, "min_cell": client.min_cell}
    settings = pd.DataFrame([{**values, "seed": client.seed}])
    title = both("report.table.settings")
    chosen = ReportTable("settings", title, settings, percent=("level",))
    cells = {
        "level": chosen.cell(0, "level", "percent", 0),
        "min_cell": chosen.cell(0, "min_cell", "whole"),
        "seed": chosen.cell(0, "seed", "whole"),
    }
    sentences = [
        Sentence("report.method.level", {"level": cells["level"]}),
        Sentence("report.method.apart"),
        Sentence("report.method.family", {"threshold": chosen.cell(0, "threshold", decimals=4)}),
        Sentence("report.method.association"),
        Sentence("report.method.min_cell", {"min_cell": cells["min_cell"]}),
        Sentence("report.method.decide"),
        Sentence("report.method.seed", {"seed": cells["seed"]}),
    ]
    if client.codebook.design is not None:
        sentences.append(Sentence("report.method.design"))
    tables = [chosen]
    if rows:
        frame = pd.DataFrame(list(rows.values()))
        tables.insert(0, ReportTable("methods", both("report.table.methods"), frame))
    return Section("method", sentences=tuple(sentences), tables=tuple(tables))


def _references(finding: Finding) -> Iterator[str]:
    """Yield where the methods behind a finding were published."""
    results: list[Result | None] = [table.result for table in _tables(finding)]
    if finding.chart is not None:
        results.append(finding.chart.result)
    for result in results:
        if result is not None:
            yield from result.cite("en").split("\n")[:-1]  # the last line cites the package


def _tables(finding: Finding) -> list[ReportTable]:
    return [*([] if finding.table is None else [finding.table]), *finding.tables]
