"""Files of SPSS and Stata, with their labels and declared missing values."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import DataError
from cxstats.core.files import read_bytes
from cxstats.core.language import both
from cxstats.survey.report import ReadReport
from cxstats.survey.workbook import LARGEST, MAX_CELLS

if TYPE_CHECKING:
    import pandas as pd

SPSS, STATA = (".sav", ".zsav"), (".dta",)
TOO_MANY = (
    f"at most {MAX_CELLS:,} cells are read: read a larger file with pyreadstat and pass on the "
    "columns that are needed"
)
UNCOUNTED = 50_000_000  # bytes that an SPSS file may unpack to without saying how many rows it has
# How a Stata file begins: from release 117 on in words, before with the number of the release.
_STATA_HEADS = (b"<stata_dta>", *(bytes([release]) for release in range(0x68, 0x75)))


def read_spss(
    file: Path, head: bytes, codes: frozenset[Any] = frozenset()
) -> tuple[pd.DataFrame, ReadReport]:
    """Return the table of a .sav or .zsav file: codes as they are, declared missing ones missing.

    Raises
    ------
    DataError
        If the file is protected, damaged, or none of SPSS.
    """
    import pyreadstat

    if b"ENCRYPTEDSAV" in head[:64]:
        raise DataError(f"{file.name}: protected by a password; save it without one")
    if not head.startswith((b"$FL2", b"$FL3")):
        raise DataError(f"{file.name}: not an SPSS file")
    try:
        most = _rows_that_fit(file)
        frame, meta = pyreadstat.read_sav(str(file), user_missing=True, row_limit=most)
    except DataError:
        raise
    except Exception as error:  # a damaged file fails in many ways, none for the user
        raise DataError(f"{file.name}: a damaged SPSS file") from error
    if len(frame) == most:
        raise DataError(f"{file.name}: {len(frame):,} rows or more; {TOO_MANY}")
    return _with_report(frame, meta, file.name, "spss", {}, codes)


def read_stata(
    file: Path, head: bytes, codes: frozenset[Any] = frozenset()
) -> tuple[pd.DataFrame, ReadReport]:
    """Return the table of a .dta file: codes as they are, ``.a`` to ``.z`` missing.

    Raises
    ------
    DataError
        If the file is damaged or none of Stata.
    """
    import pyreadstat

    if not head.startswith(_STATA_HEADS):
        raise DataError(f"{file.name}: not a Stata file")
    try:
        _, sizes = pyreadstat.read_dta(str(file), metadataonly=True)
        if int(sizes.number_rows or 0) * int(sizes.number_columns or 1) > MAX_CELLS:
            raise DataError(f"{file.name}: {sizes.number_rows:,} rows; {TOO_MANY}")
        frame, _ = pyreadstat.read_dta(str(file))
        # With letters of missing values, pyreadstat 1.3 reads the plain one as any number.
        letters, meta = pyreadstat.read_dta(str(file), user_missing=True)
    except DataError:
        raise
    except Exception as error:  # a damaged file fails in many ways, none for the user
        raise DataError(f"{file.name}: a damaged Stata file") from error
    declared = {
        column: int(letters[column].isin(values).sum())
        for column, values in meta.missing_user_values.items()
    }
    return _with_report(frame, meta, file.name, "stata", declared, codes)


def _rows_that_fit(file: Path) -> int:
    """Return one row more than fit; raise if an SPSS file says it has more, or does not say.

    A file of a few kilobytes can unpack to anything: what it says is looked at first.
    """
    import pyreadstat

    _, meta = pyreadstat.read_sav(str(file), metadataonly=True)
    widths = meta.variable_storage_width.values()
    cells = max(1, sum(max(1, -(-int(width) // 8)) for width in widths))  # of 8 bytes
    most, rows = MAX_CELLS // cells + 1, meta.number_rows
    if rows is not None and rows >= most:
        raise DataError(f"{file.name}: {rows:,} rows of {cells:,} cells; {TOO_MANY}")
    if rows is None or rows < 0:
        unpacked = _unpacked_spss(file)
        if unpacked > UNCOUNTED:
            raise DataError(
                f"{file.name}: does not say how many rows it has, and unpacks to "
                f"{unpacked / 1e6:,.0f} MB; allowed: {UNCOUNTED / 1e6:,.0f} MB; save it again with "
                "SPSS"
            )
    return most


def _unpacked_spss(file: Path) -> int:
    """Return the bytes that the blocks of a .zsav unpack to; of another, those of the file.

    The data begin with their own place in the file, the place of the list of blocks, and its size.
    """
    data = read_bytes(file, LARGEST)
    if not data.startswith(b"$FL3"):
        return len(data)
    for order in "<>":
        mark = struct.pack(f"{order}ii", 999, 0)
        at = data.find(mark)
        while at >= 0:
            head = data[at + 8 : at + 32]
            if len(head) == 24:
                place, start, size = struct.unpack(f"{order}qqq", head)
                if place == at + 8:
                    blocks = data[start + 24 : start + size]
                    table_end = len(blocks) // 24 * 24
                    sizes = struct.iter_unpack(f"{order}qqii", blocks[:table_end])
                    return sum(max(0, unpacked) for _, _, unpacked, _ in sizes)
            at = data.find(mark, at + 1)
    return len(data) * 1_000  # the most that the packing can do


def _with_report(
    frame: pd.DataFrame,
    meta: Any,
    name: str,
    platform: str,
    letters: dict[str, int],
    codes: frozenset[Any],
) -> tuple[pd.DataFrame, ReadReport]:
    missing = {column: count for column, count in letters.items() if count}
    for column in frame:
        series = frame[column]
        if series.dtype.kind not in "iufMm":
            frame[column] = series = series.astype(object).mask(series.isin([""]))
        declared = series.isin(list(codes))
        ranges: list[Any] = meta.missing_ranges.get(str(column), [])
        for limits in ranges:
            low, high = limits["lo"], limits["hi"]
            declared |= series.eq(low) if low == high else series.between(low, high)
        if declared.any():
            missing[str(column)] = int(declared.sum())
            frame[column] = series.mask(declared)
    frame.index = frame.index + 1
    frame.index.name = "row"
    labels = {key: dict(table) for key, table in meta.variable_value_labels.items()}
    questions = {key: text for key, text in meta.column_names_to_labels.items() if text}
    notes = [
        both("survey.read.note.declared_missing", column=repr(column), n=count)
        for column, count in missing.items()
    ]
    in_small_letters = {str(column).casefold(): str(column) for column in frame}
    sets = {
        str(key).removeprefix("$"): tuple(
            in_small_letters.get(column.casefold(), column) for column in said["variable_list"]
        )
        for key, said in (getattr(meta, "mr_sets", None) or {}).items()
        if said["is_dichotomy"]
    }
    report = ReadReport(
        name,
        "",
        encoding=str(meta.file_encoding or ""),
        header=(),
        platform=platform,
        notes=tuple(notes),
        questions=questions,
        value_labels=labels,
        missing=missing,
        choice_sets=sets,
    )
    return frame, report
