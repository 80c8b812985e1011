"""Which writer makes which form, and the files of a report in their folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cxstats.core.errors import CxError
from cxstats.core.files import write_whole
from cxstats.core.progress import tracked

if TYPE_CHECKING:
    from cxstats.app.report.reporting import Report


def write(
    report: Report, path: Path, lang: str, template: str | os.PathLike[str] | None = None
) -> Path:
    """Write one form of a report, beside first and then put in place whole."""
    from cxstats.app.report.document import write_document
    from cxstats.app.report.html import write_html
    from cxstats.app.report.slides import write_slides
    from cxstats.app.report.workbook import write_workbook

    writers: dict[str, Callable[[Report, Path, str], None]] = {
        ".html": write_html,
        ".xlsx": write_workbook,
        ".pptx": lambda made, file, words: write_slides(made, file, words, template),
        ".docx": write_document,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise CxError(f"export({str(path)!r}): allowed endings: {', '.join(writers)}")
    if not path.parent.is_dir():
        raise CxError(f"export({str(path)!r}): no folder {str(path.parent)!r}")
    return write_whole(path, lambda file: writer(report, file, lang))


def write_all(
    report: Report,
    folder: Path,
    languages: Sequence[str],
    forms: Sequence[str],
    template: str | os.PathLike[str] | None = None,
) -> tuple[Path, ...]:
    """Write the forms of a report into a folder: ``report_en.html`` and so on."""
    make_folder(folder)
    wanted = [(lang, form) for lang in languages for form in forms]
    files = []
    for place, _ in tracked(len(wanted), 1, "files"):
        lang, form = wanted[place]
        files.append(write(report, folder / f"report_{lang}{form}", lang, template))
    return tuple(files)


def make_folder(folder: Path) -> None:
    """Make the folder of a report where there is none.

    Raises
    ------
    CxError
        If it cannot be made, such as where a file has its name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CxError(f"out={str(folder)!r}: cannot be a folder: {error.strerror}") from error
