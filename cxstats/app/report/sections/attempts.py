"""What chapters share: findings that may not come about, names in a row, sure pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import CxError
from cxstats.core.language import Text, both

if TYPE_CHECKING:
    from cxstats.app.report.content import Finding, ReportTable

ALPHA = 0.05  # of the adjusted p values on which a report claims an order


class NoFinding(Exception):
    """There is nothing to say; `text` says why."""

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(text.en)


def attempt(
    findings: list[Finding], absent: list[Text], name: Text, build: Callable[[], Finding]
) -> None:
    """Append the finding of `build`, or why the data do not allow it; a bug still raises."""
    try:
        findings.append(build())
    except NoFinding as reason:
        absent.append(reason.text)
    except CxError as error:
        absent.append(both("report.absent.failed", name=name, why=str(error)))


def estimate_cells(
    table: ReportTable, row: int, limits: tuple[str, str, str], **form: Any
) -> dict[str, Any]:
    """Return estimate and limits of a row as numbers of a sentence."""
    names = ("estimate", "low", "high")
    return {
        name: table.cell(row, column, **form) for name, column in zip(names, limits, strict=True)
    }
