"""Every indicator of the report in one table, against its target where there is one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxstats.app.report.content import Indicator, ReportTable, Section, Sentence
from cxstats.core.language import Text, both

if TYPE_CHECKING:
    from cxstats.app.report.client import Client

CODES = {"verdict": "report.verdict.{}"}


def scorecard(client: Client, sections: Iterable[Section]) -> Section:
    """Return the indicators of all sections; a target is met or missed if its interval says so."""
    indicators = [indicator for section in sections for indicator in section.indicators]
    if not indicators:
        return Section("scorecard", absent=(both("report.absent.no_indicators"),))
    table = ReportTable(
        "scorecard",
        both("report.section.scorecard"),
        pd.DataFrame([_row(client, indicator) for indicator in indicators]),
        CODES,
        level=0.95,
    )
    return Section("scorecard", sentences=tuple(_verdicts(table)), tables=(table,))


def _row(client: Client, indicator: Indicator) -> dict[str, Any]:
    scale = 100.0 if indicator.unit == "percent" else 1.0
    target = client.targets.get(indicator.key, np.nan)
    cells = (indicator.estimate, indicator.low, indicator.high)
    estimate, low, high = (scale * cell.value for cell in cells)
    return {
        "indicator": indicator.name,
        "unit": both(f"report.unit.{indicator.unit}"),
        "estimate": estimate,
        "ci_low": low,
        "ci_high": high,
        "n": indicator.n.value,
        "target_value": scale * target,
        "verdict": _verdict(scale * target, low, high, indicator.better),
    }


def _verdict(target: float, low: float, high: float, better: str) -> str:
    """Return whether a target is met, as far as the interval tells."""
    if np.isnan(target):
        return "none"
    if not (np.isfinite(low) and np.isfinite(high)) or low <= target <= high:
        return "unclear"
    above = low > target
    return "met" if above == (better == "high") else "missed"


def _verdicts(table: ReportTable) -> list[Sentence]:
    """Return a sentence for every target."""
    sentences = []
    for row, verdict in enumerate(table.frame["verdict"]):
        if verdict != "none":
            name: Text = table.frame["indicator"].iloc[row]
            values = {
                column: table.cell(row, column, decimals=1)
                for column in ("estimate", "ci_low", "ci_high", "target_value")
            }
            percent = table.frame["unit"].iloc[row] == both("report.unit.percent")
            key = f"report.scorecard.{verdict}{'.percent' if percent else ''}"
            sentences.append(Sentence(key, {"name": name, **values}))
    return sentences
