"""Data quality: which rows and values of the file were used, and what was not as it should be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxstats.app.report.content import Finding, ReportTable, Section, Sentence
from cxstats.core.language import Text, both, listed
from cxstats.survey.answer_flags import NOT_A_NUMBER
from cxstats.survey.personal_data import masked_text

if TYPE_CHECKING:
    from cxstats.app.report.client import Client

FIRST = 5  # values and rows that are shown
LOOKED_AT = 1_000  # problems among which the first of respondents that stay are looked for
LONGEST = 60  # characters of a value


def quality(client: Client, analyses: Sequence[Section]) -> Section:
    """Return what was read, left out, dropped, could not be used, and is missing."""
    findings = [
        _rows(client),
        *_left_out(client),
        *_unusable(client),
        *_missing(client),
        *_lines(client),
        *_personal(client),
        *_small_cells(client),
    ]
    return Section("quality", tuple(findings))


def _rows(client: Client) -> Finding:
    """Return how many rows the file has, and how many were analysed; what is doubtful beside it."""
    left_out = sum(len(rows) for rows in client.reading.left_out.values())
    row = {
        "file_rows": len(client.frame) + left_out,
        "left_out": left_out,
        "doubled": len(client.changes.dropped),
        "used": len(client.answers),
    }
    table = ReportTable("rows", both("report.table.rows"), pd.DataFrame([row]))
    cells = {name: table.cell(0, name, "whole") for name in row}
    pointed_out = {k: rows for k, rows in client.reading.pointed_out.items() if rows}
    caveats = [
        both(
            "survey.read.pointed_out", n=len(rows), kind=both(f"survey.rows.{kind}"),
            rows=_first(rows),
        )
        for kind, rows in pointed_out.items()
    ]  # fmt: skip
    return Finding(
        Sentence("report.quality.rows", cells),
        n=cells["used"],
        caveats=tuple(dict.fromkeys((*client.doubts, *caveats, *client.changes.notes))),
        table=table,
    )


def _first(rows: Sequence[Any]) -> Text:
    """Return the first rows of many as a list."""
    return listed([*rows[:FIRST], *(["…"] if len(rows) > FIRST else [])])


def _left_out(client: Client) -> Iterator[Finding]:
    """Yield which rows are not analysed, and why; rows by their number in the file."""
    frame_rows = [
        {"reason": both(f"survey.rows.{kind}"), "n": len(rows), "row": _first(rows)}
        for kind, rows in client.reading.left_out.items()
    ]
    dropped = client.changes.dropped
    for reason, rows in dropped.groupby("reason", sort=False)["row"]:
        kinds = listed(both(f"survey.kind.{kind}") for kind in str(reason).split("; "))
        frame_rows.append({"reason": kinds, "n": len(rows), "row": _first(rows.tolist())})
    if frame_rows:
        table = ReportTable(
            "rows_left_out", both("report.table.rows_left_out"), pd.DataFrame(frame_rows)
        )
        largest = int(table.frame["n"].argmax())
        cells = {
            "reason": table.frame["reason"].iloc[largest], "n": table.cell(largest, "n", "whole")
        }  # fmt: skip
        yield Finding(Sentence("report.quality.left_out", cells), table=table)


def _unusable(client: Client) -> Iterator[Finding]:
    """Yield how many values could not be used, by column, and the first of them."""
    changed = client.changes.changed
    flags = changed.answers.flags[changed.stays]
    counts = (flags >= NOT_A_NUMBER).sum(axis=0)
    rows = [
        {"column": str(column), "n": int(n), "share": n / len(flags)}
        for column, n in zip(changed.answers.columns, counts, strict=True)
        if n
    ]
    if not rows:
        return
    rows.sort(key=lambda row: -int(row["n"]))
    table = ReportTable(
        "unusable", both("report.table.unusable"), pd.DataFrame(rows), percent=("share",)
    )
    total = pd.DataFrame([{"n": int(counts.sum()), "columns": len(rows)}])
    totals = ReportTable("unusable_total", both("report.table.unusable_total"), total)
    cells: dict[str, Any] = {c: totals.cell(0, c, "whole") for c in ("n", "columns")}
    worst = {"column": rows[0]["column"], "n": table.cell(0, "n", "whole")}
    yield Finding(
        Sentence("report.quality.unusable", cells),
        (Sentence("report.quality.unusable.worst", worst),),
        table=table,
        tables=(_first_values(client),),
    )


def _first_values(client: Client) -> ReportTable:
    """Return the first values that could not be used: row and column as in the file."""
    dropped = set(client.changes.dropped["row"])
    errors = islice(client.problems.errors, LOOKED_AT)
    stays = (p for p in errors if p.row is not None and p.row not in dropped)
    rows = [
        {
            "row": str(problem.row),
            "column": str(problem.column),
            "value": masked_text(str(problem.value), str(problem.column))[:LONGEST],
            "allowed": problem.allowed,
        }
        for problem in islice(stays, FIRST)
    ]
    frame = pd.DataFrame(rows, columns=["row", "column", "value", "allowed"])
    return ReportTable("unusable_first", both("report.table.unusable_first"), frame)


def _missing(client: Client) -> Iterator[Finding]:
    """Yield the share of missing answers of every column that was asked for."""
    book, answers = client.codebook, client.answers
    columns = [c for c in (*book.answer_columns, *book.rated_columns) if c in answers]
    if not columns:
        return
    n_missing = np.array([int(answers[column].isna().sum()) for column in columns])
    frame = pd.DataFrame(
        {
            "column": list(map(str, columns)),
            "label": [client.name(book.name_of(column)) for column in columns],
            "n_missing": n_missing,
            "share": n_missing / len(answers),
        }
    )
    frame = frame.sort_values("n_missing", ascending=False, kind="stable")
    table = ReportTable(
        "missing", both("report.table.missing"), frame, percent=("share",), bars=("share",)
    )
    if n_missing.any():
        cells: dict[str, Any] = {
            "name": table.frame["label"].iloc[0], "share": table.cell(0, "share", "percent", 1)
        }  # fmt: skip
        yield Finding(Sentence("report.quality.missing", cells), table=table)
    else:
        yield Finding(Sentence("report.quality.complete"), table=table)


def _lines(client: Client) -> Iterator[Finding]:
    """Yield how many gave one answer throughout; they stay."""
    kinds = client.problems.counts
    rows = [
        {"reason": both(f"survey.kind.{kind}"), "n": kinds[kind]}
        for kind in ("straight_lining", "too_fast")
        if kinds[kind]
    ]
    if rows:
        table = ReportTable("suspect", both("report.table.suspect"), pd.DataFrame(rows))
        cells: dict[str, Any] = {
            "reason": table.frame["reason"].iloc[0],
            "n": table.cell(0, "n", "whole"),
        }
        yield Finding(Sentence("report.quality.suspect", cells), table=table)


def _personal(client: Client) -> Iterator[Finding]:
    """Yield which columns hold personal data, and what was done with them before all else."""
    rows = [
        {
            "column": str(row["column"]),
            "kind": both(_kind(str(row["kind"]))),
            "n": int(row["n"]),
            "done": both(f"report.personal.{row['done']}"),
        }
        for _, row in client.personal.iterrows()
    ]
    if rows:
        table = ReportTable("personal", both("report.table.personal"), pd.DataFrame(rows))
        values = {"names": listed(row["column"] for row in rows)}
        yield Finding(Sentence("report.quality.personal", values), table=table)


def _kind(kind: str) -> str:
    """Return the key of a kind of personal data in the catalogue."""
    return "report.personal.declared" if kind == "declared" else f"survey.personal.{kind}"


def _small_cells(client: Client) -> Iterator[Finding]:
    """Yield how many groups are too small to be shown."""
    book = client.codebook
    columns = dict.fromkeys((*book.group_columns, book.wave_column))
    rows = []
    for column in columns:
        if column is None or column not in client.answers:
            continue
        sizes = client.answers[column].value_counts()
        rows.append(
            {
                "column": client.name(column),
                "groups": len(sizes),
                "small": int((sizes < client.min_cell).sum()),
                "min_cell": client.min_cell,
            }
        )
    if rows:
        table = ReportTable("small_cells", both("report.table.small_cells"), pd.DataFrame(rows))
        small = [i for i, row in enumerate(rows) if row["small"]]
        sentences = [
            Sentence(
                "report.quality.small",
                {
                    "column": table.frame["column"].iloc[i],
                    **{c: table.cell(i, c, "whole") for c in ("groups", "small", "min_cell")},
                },
            )
            for i in small
        ]
        least = {"min_cell": table.cell(0, "min_cell", "whole")}
        headline = sentences[0] if sentences else Sentence("report.quality.no_small", least)
        yield Finding(headline, tuple(sentences[1:]), table=table)
