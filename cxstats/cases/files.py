"""Read the files under ``data/cases``, and raise for what is not as it should be.

Every file is CSV in UTF-8, so that a person can read it in a browser. Problems are reported
with file, row (the line number, the header being row 1) and column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cxstats.core.errors import DataError
from cxstats.core.files import read_bytes
from cxstats.core.language import LANGUAGES, Text
from cxstats.core.paths import data_folder

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 20_000_000  # bytes of a file of figures
FORMULA_STATUS = (
    "given",
    "given, invalid",
    "words",
    "reconstructed-high",
    "reconstructed-low",
    "lost",
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, and what kind of quantity it measures: an amount, a rate or an index."""

    name: str
    text: Text
    measure: str


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula of the sources and how much of it survives (``status``)."""

    id: str
    source: str
    section: Text
    name: Text
    as_printed: str
    formula: Text
    status: str
    note: Text


@dataclass(frozen=True, slots=True)
class SourceError:
    """Something a source document gets wrong, with its correction."""

    id: str
    source: str
    section: Text
    claim: Text
    correction: Text


def case_folder() -> Path:
    """Return the folder of the published case studies."""
    return data_folder() / "cases"


def read_rows(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a CSV file into (line number, row) pairs.

    Parameters
    ----------
    path : Path
        The file; UTF-8, with or without a byte-order mark.
    columns : sequence of str
        Columns that must be there. Others are refused, so that a misspelt one is not lost.

    Raises
    ------
    DataError
        If the file is missing, is not UTF-8, lacks a column, has one that is not known or
        twice, has a row that is too long or too short, or has no rows.
    """
    header, lines = csv_lines(path)
    if len(header) == 1 and len(columns) > 1:
        separator = next((c for c in (";", "\t", "|") if c in header[0]), None)
        if separator:
            raise DataError(f"{path.name}: separated by {separator!r}; allowed: commas")
    missing = ", ".join(repr(name) for name in columns if name not in header)
    problems = [
        f"{path.name}, row 1: columns missing: {missing}; needed: {', '.join(columns)}"
    ] * bool(missing)
    problems += [
        f"{path.name}, row 1: column {name!r} is not known; allowed: {', '.join(columns)}"
        for name in header
        if name not in columns
    ]
    problems += [
        f"{path.name}, row 1: column {name!r} stands there twice"
        for name in sorted(set(header))
        if header.count(name) > 1
    ]
    problems += [
        f"{path.name}, row {line}: {len(cells)} cells where the header has {len(header)}"
        for line, cells in lines
        if len(cells) != len(header)
    ]
    if not lines and not problems:
        problems.append(f"{path.name}: the file has no rows below its header")
    if problems:
        raise DataError(problems)
    return [(line, dict(zip(header, cells, strict=True))) for line, cells in lines]


def csv_lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and the numbered rows of a CSV file; rows of empty cells are left out."""
    content = read_bytes(path, LARGEST)
    if not content.strip():
        raise DataError(f"{path.name}: the file is empty")
    if content.startswith(b"PK\x03\x04"):
        raise DataError(f"{path.name}: an Excel workbook, not CSV; save it as CSV in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path.name}, row {row}: not UTF-8 at byte {error.start}; save the file as UTF-8"
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        return header, [(reader.line_num, cells) for cells in reader if any(cells)]
    except csv.Error as error:
        raise DataError(f"{path.name}, row {reader.line_num}: not CSV: {error}") from error


@cache
def units() -> dict[str, Unit]:
    """Return the units that a fact may have, by name."""
    rows = read_rows(case_folder() / "units.csv", ("unit", "unit_en", "unit_zh", "measure"))
    return {
        row["unit"]: Unit(row["unit"], Text(row["unit_en"], row["unit_zh"]), row["measure"])
        for _, row in rows
    }


@cache
def source_titles() -> dict[str, Text]:
    """Return the titles of the source documents by their number."""
    columns = ("source", "title_en", "title_zh", "state_en", "state_zh")
    rows = read_rows(case_folder() / "sources.csv", columns)
    return {row["source"]: Text(row["title_en"], row["title_zh"]) for _, row in rows}


@cache
def read_formulas() -> tuple[Formula, ...]:
    """Return every formula of the sources, with its status."""
    path = case_folder() / "formulas.csv"
    texts = ("section", "name", "formula", "note")
    bilingual = tuple(f"{name}_{lang}" for name in texts for lang in LANGUAGES)
    rows = read_rows(path, ("id", "source", "as_printed", "status", *bilingual))
    unknown = [
        f"{path.name}, row {line}, column 'status': {row['status']!r} is not known; "
        f"allowed: {', '.join(FORMULA_STATUS)}"
        for line, row in rows
        if row["status"] not in FORMULA_STATUS
    ]
    if unknown:
        raise DataError(unknown)
    return tuple(
        Formula(
            id=row["id"],
            source=row["source"],
            section=Text(row["section_en"], row["section_zh"]),
            name=Text(row["name_en"], row["name_zh"]),
            as_printed=row["as_printed"],
            formula=Text(row["formula_en"], row["formula_zh"]),
            status=row["status"],
            note=Text(row["note_en"], row["note_zh"]),
        )
        for _, row in rows
    )


@cache
def read_source_errors() -> tuple[SourceError, ...]:
    """Return what the sources get wrong, each with its correction."""
    texts = ("section", "claim", "correction")
    bilingual = tuple(f"{name}_{lang}" for name in texts for lang in LANGUAGES)
    rows = read_rows(case_folder() / "source_errors.csv", ("id", "source", *bilingual))
    return tuple(
        SourceError(
            id=row["id"],
            source=row["source"],
            section=Text(row["section_en"], row["section_zh"]),
            claim=Text(row["claim_en"], row["claim_zh"]),
            correction=Text(row["correction_en"], row["correction_zh"]),
        )
        for _, row in rows
    )


def load_formulas() -> pd.DataFrame:
    """Load the formulas of the sources, one row each, with their status.

    ``given``: the right-hand side is printed; ``given, invalid``: printed, but cannot be
    computed; ``words``: defined in words; ``reconstructed-high``: the right-hand side is lost
    but fixed by the printed symbols, weights or a worked table; ``reconstructed-low``: only a
    guess, to be labelled as such wherever it is used; ``lost``: not usable.

    Returns
    -------
    pandas.DataFrame
        ``id, source, as_printed, status``; ``section, name, formula, note`` with ``_en``, ``_zh``.

    Examples
    --------
    >>> load_formulas().set_index("id").loc["D06", "status"]
    'given, invalid'
    """
    read_formulas()  # validates
    return _frame("formulas.csv")


def load_source_errors() -> pd.DataFrame:
    """Load the errors of the source documents, with their corrections.

    Examples
    --------
    >>> len(load_source_errors())
    24
    """
    return _frame("source_errors.csv")


def _frame(name: str) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(case_folder() / name, dtype=str, keep_default_na=False)
