"""What chapters share: findings that may not come about, names in a row, sure pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cxstats.app.report.wording import reason
from cxstats.core.errors import CxError
from cxstats.core.language import Text, both
from cxstats.stats.means import MeanOptions

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.app.report.client import Client
    from cxstats.app.report.content import Finding, ReportTable


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
    except NoFinding as none:
        absent.append(none.text)
    except CxError as error:
        absent.append(both("report.absent.failed", name=name, why=reason(error)))


def estimate_cells(
    table: ReportTable, row: int, limits: tuple[str, str, str], **form: Any
) -> dict[str, Any]:
    """Return estimate and limits of a row as numbers of a sentence."""
    names = ("estimate", "low", "high")
    return {
        name: table.cell(row, column, **form) for name, column in zip(names, limits, strict=True)
    }


def told_apart(pairs: pd.DataFrame, name: Any, alpha: float) -> set[Any]:
    """Return from which others a score differs beyond chance (`paired_differences`)."""
    sure = pairs[pairs["p_adjusted"] <= alpha]
    firsts = sure.loc[sure["other"] == name, "score"]
    return {*firsts, *sure.loc[sure["score"] == name, "other"]}


def design_options(client: Client, bounds: tuple[float, float]) -> MeanOptions:
    """Return how means of the client's respondents are tested, under the codebook's design."""
    design = client.codebook.design
    rows = None if design is None else design.read(client.answers)
    return MeanOptions(rows=rows, bounds=bounds)
