"""Provenance: which file, codebook and versions, when, and how to make the report again."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import pandas as pd

from cxstats.app.report.content import ReportTable, Section, Sentence
from cxstats.core.errors import CxError
from cxstats.core.language import Text, both

if TYPE_CHECKING:
    from cxstats.app.report.client import Client

LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels")
EPOCH = "SOURCE_DATE_EPOCH"  # reproducible-builds.org: the date of what is built again


def provenance(client: Client, analyses: Sequence[Section]) -> Section:
    """Return what a person needs to make the same report again."""
    from cxstats import __version__

    facts: dict[str, Text | str] = {
        "file": client.file,
        "sha256": client.sha256,
        "rows_read": str(len(client.frame)),
        "rows_used": str(len(client.answers)),
        "rows_dropped": str(len(client.changes.dropped)),
        "codebook": client.codebook.name,
        "codebook_sha256": _codebook_hash(client),
        "date": report_date().strftime("%Y-%m-%d %H:%M UTC"),
        "seed": str(client.seed),
        "cxstats": __version__,
        "python": platform.python_version(),
        **{library: version(library) for library in LIBRARIES},
        "command": command(client),
    }
    names = [both(f"report.provenance.{name}") for name in facts if name not in LIBRARIES]
    # Libraries are called the same in every language; they stand before the command.
    names[-1:-1] = [Text(library, library) for library in LIBRARIES]
    frame = pd.DataFrame({"detail": names, "value": list(facts.values())})
    table = ReportTable("provenance", both("report.table.provenance"), frame)
    return Section("provenance", sentences=(Sentence("report.provenance.how"),), tables=(table,))


def report_date() -> datetime:
    """Return the date of the report, in UTC: now, or what ``SOURCE_DATE_EPOCH`` says.

    Raises
    ------
    CxError
        If the variable holds no whole number of seconds.

    Examples
    --------
    >>> import os
    >>> os.environ["SOURCE_DATE_EPOCH"] = "0"
    >>> report_date().isoformat()
    '1970-01-01T00:00:00+00:00'
    >>> del os.environ["SOURCE_DATE_EPOCH"]
    """
    epoch = os.environ.get(EPOCH)
    if not epoch:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        raise CxError(f"{EPOCH}={epoch!r}; allowed: whole seconds since 1970-01-01") from None


def _codebook_hash(client: Client) -> str:
    """Return the SHA-256 of the codebook as `Codebook.write` writes it, options included."""
    import yaml

    text = yaml.safe_dump(client.codebook.to_dict(), allow_unicode=True, sort_keys=False, width=100)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def command(client: Client) -> str:
    """Return how to make the report again, with the codebook as it was used."""
    if client.seed != 1:
        targets = f", targets={dict(client.targets)!r}" if client.targets else ""
        return (
            f"cx.report({client.file!r}, 'codebook.yml'{targets}, min_cell={client.min_cell}, "
            f"seed={client.seed})"
        )
    command = ["cxstats", "report", client.file, "--codebook", "codebook.yml"]
    for name, value in client.targets.items():
        command += ["--target", f"{name}={value:g}"]
    command += ["--min-cell", str(client.min_cell)]
    return shlex.join(command)
