"""Files of SPSS and Stata, with their labels and declared missing values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import DataError
from cxstats.core.language import both
from cxstats.survey.report import ReadReport

if TYPE_CHECKING:
    import pandas as pd

SPSS, STATA = (".sav", ".zsav"), (".dta",)
# How a Stata file begins: from release 117 on in words, before with the number of the release.
_STATA_HEADS = (b"<stata_dta>", *(bytes([release]) for release in range(0x68, 0x75)))


def read_spss(file: Path, head: bytes) -> tuple[pd.DataFrame, ReadReport]:
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
        frame, meta = pyreadstat.read_sav(str(file), user_missing=True)
    except Exception as error:  # a damaged file fails in many ways, none for the user
        raise DataError(f"{file.name}: a damaged SPSS file") from error
    return _with_report(frame, meta, file.name, "spss", {})


def read_stata(file: Path, head: bytes) -> tuple[pd.DataFrame, ReadReport]:
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
        frame, _ = pyreadstat.read_dta(str(file))
        # With letters of missing values, pyreadstat 1.3 reads the plain one as any number.
        letters, meta = pyreadstat.read_dta(str(file), user_missing=True)
    except Exception as error:  # a damaged file fails in many ways, none for the user
        raise DataError(f"{file.name}: a damaged Stata file") from error
    declared = {
        column: int(letters[column].isin(values).sum())
        for column, values in meta.missing_user_values.items()
    }
    return _with_report(frame, meta, file.name, "stata", declared)


def _with_report(
    frame: pd.DataFrame, meta: Any, name: str, platform: str, letters: dict[str, int]
) -> tuple[pd.DataFrame, ReadReport]:
    missing = {column: count for column, count in letters.items() if count}
    for column in frame:
        series = frame[column]
        if series.dtype.kind not in "iufMm":
            frame[column] = series = series.astype(object).mask(series.isin([""]))
        declared = series.isin([])
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
    )
    return frame, report
