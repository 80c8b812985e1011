"""Event logs in XES (IEEE Std 1849), read as a stream and within bounds."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from cxstats.core.errors import DataError
from cxstats.core.language import Text, both, note_if
from cxstats.core.messages import excerpt
from cxstats.core.progress import long_work
from cxstats.operations.timestamps import texts_to_times

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 1_000_000_000  # bytes of the XML
MAX_RATIO = 250  # unpacked to packed, of what unpacks to more than SMALL bytes
SMALL = 10_000_000
DEEPEST = 50  # elements within each other
MOST_COLUMNS = 1_000
CHUNK = 1 << 20

CASE, ACTIVITY, TIME = "case:concept:name", "concept:name", "time:timestamp"
# Roles of an event log and the standard's attributes that hold them.
STANDARD = {
    "case": CASE,
    "activity": ACTIVITY,
    "start": TIME,
    "lifecycle": "lifecycle:transition",
    "resource": "org:resource",
}


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]


READ: dict[str, Callable[[str], Any]] = {
    "string": str,
    "date": str,  # put into times for whole columns
    "int": int,
    "float": float,
    "boolean": _boolean,
    "id": str,
}
NESTS = ("list", "container")
UNUSED = ("extension", "global", "classifier")
PARTS = (*UNUSED, "log attribute", "trace without events", "event outside a trace")


@long_work("read xes")
def read_xes(path: str | Path) -> pd.DataFrame:
    """Read an event log in XES into a table, one row per event.

    Parameters
    ----------
    path : str or Path
        An .xes file, or one packed with gzip.

    Returns
    -------
    pandas.DataFrame
        The attributes of events by their keys (``concept:name, time:timestamp, ...``) and those of
        their trace with ``case:`` before the key; an attribute within another as "outer/inner".
        Dates are times, in UTC where they state zones. Extensions, classifiers, default values
        (global) and attributes of the log are not read; ``attrs["notes"]`` says so.

    Raises
    ------
    DataError
        In one line: no XML or broken off, no log, a value that is not of its type, a trace without
        a name, events without a time or of mixed zones, a document type or entities (they are
        refused), more than 1 GB unpacked, a ratio of packing above 250, elements more than 50 deep.

    References
    ----------
    IEEE Std 1849-2016. IEEE standard for eXtensible Event Stream (XES).

    Examples
    --------
    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile(suffix=".xes") as file:
    ...     _ = file.write(b'<log><trace><string key="concept:name" value="7"/><event>'
    ...                    b'<string key="concept:name" value="call"/>'
    ...                    b'<date key="time:timestamp" value="2024-03-01T09:00:00+01:00"/>'
    ...                    b"</event></trace></log>")
    ...     file.flush()
    ...     table = read_xes(file.name)
    >>> table["case:concept:name"].tolist(), str(table["time:timestamp"].iloc[0])
    (['7'], '2024-03-01 08:00:00+00:00')
    """
    path = Path(path)
    builder = _Builder(path.name)
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.StartDoctypeDeclHandler = builder.refuse_doctype
    parser.EntityDeclHandler = builder.refuse_doctype
    builder.parser = parser
    try:
        for chunk in _chunks(path):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        message = expat.errors.messages.get(error.code, str(error))
        raise DataError(f"{path.name}, line {error.lineno}: no whole XML: {message}") from error
    return _table(builder)


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield the XML in pieces, unpacked, within the bounds."""
    try:
        packed = path.stat().st_size
        with path.open("rb") as file:
            is_packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream = gzip.GzipFile(fileobj=file) if is_packed else file
            size = 0
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > LARGEST:
                    raise DataError(f"{path.name}: more than {LARGEST / 1e6:,.0f} MB of XML")
                if size > max(SMALL, MAX_RATIO * packed):
                    raise DataError(
                        f"{path.name}: unpacks to more than {MAX_RATIO} times its size; unpack it "
                        "yourself if that is meant"
                    )
                yield chunk
    except (OSError, EOFError, zlib.error, ValueError) as error:
        if isinstance(error, DataError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path.name}: cannot be read: {reason}") from error


class _Builder:
    """Takes the elements of the file as they come and keeps rows of events."""

    parser: Any

    def __init__(self, name: str) -> None:
        self.name = name
        self.path: list[str] = []  # the elements that are open
        self.keys: list[str] = []  # of the attributes that are open
        self.trace: dict[str, Any] = {}
        self.event: dict[str, Any] | None = None
        self.rows: list[dict[str, Any]] = []
        self.dates: set[str] = set()
        self.columns: set[str] = set()
        self.ignored: Counter[str] = Counter()
        self.n_traces = self.n_in_trace = 0

    def error(self, what: str) -> DataError:
        return DataError(f"{self.name}, line {self.parser.CurrentLineNumber}: {what}")

    def refuse_doctype(self, *_: object) -> None:
        raise self.error("a document type or entity, which XES has none of and which is refused")

    def start(self, element: str, values: dict[str, str]) -> None:
        """Take the begin of an element."""
        tag = element.rpartition(":")[2]
        self.path.append(tag)
        if len(self.path) > DEEPEST:
            raise self.error(f"elements more than {DEEPEST} deep")
        if len(self.path) == 1 and tag != "log":
            raise self.error(f"the file holds {excerpt(tag)}, no XES log")
        if tag in UNUSED:
            self.ignored[tag] += 1
        elif tag == "trace":
            self.trace, self.n_in_trace = {}, 0
            self.n_traces += 1
        elif tag == "event":
            self.event = {}
            self.n_in_trace += 1
        elif tag in READ or tag in NESTS:
            self._attribute(tag, values)

    def _attribute(self, tag: str, values: dict[str, str]) -> None:
        key = values.get("key", "")
        self.keys.append(key)
        if "trace" not in self.path and "event" not in self.path:
            self.ignored["log attribute"] += not set(UNUSED) & set(self.path)
            return
        if tag in NESTS:
            return
        if not key or "value" not in values:
            raise self.error(f"an attribute ({tag}) without key or value")
        column = "/".join(key for key in self.keys if key)
        if self.event is None:
            column = f"case:{column}"
        row = self.trace if self.event is None else self.event
        row[self._free(column, row)] = self._value(tag, key, values["value"])
        if tag == "date":
            self.dates.add(column)

    def _free(self, column: str, row: dict[str, Any]) -> str:
        """Return the name of a column; that of a further one of the same key is numbered."""
        name, number = column, 2
        while name in row:
            name, number = f"{column} ({number})", number + 1
        self.columns.add(name)
        if len(self.columns) > MOST_COLUMNS:
            raise self.error(f"more than {MOST_COLUMNS} different attributes")
        return name

    def _value(self, tag: str, key: str, text: str) -> Any:
        try:
            return READ[tag](text)
        except (ValueError, KeyError) as error:
            raise self.error(f"attribute {excerpt(key)}: {excerpt(text)} is no {tag}") from error

    def end(self, element: str) -> None:
        """Take the end of an element."""
        tag = self.path.pop()
        if tag in READ or tag in NESTS:
            self.keys.pop()
        elif tag == "event":
            self._end_event()
        elif tag == "trace" and not self.n_in_trace:
            self.ignored["trace without events"] += 1

    def _end_event(self) -> None:
        event, self.event = self.event or {}, None
        if "trace" not in self.path:
            self.ignored["event outside a trace"] += 1
            return
        if CASE not in self.trace:
            raise self.error(
                f"trace {self.n_traces} has no concept:name before its events; allowed: one in each"
            )
        if ACTIVITY not in event:
            raise self.error("an event without concept:name")
        self.rows.append(self.trace | event)


def _table(builder: _Builder) -> pd.DataFrame:
    import pandas as pd

    if not builder.rows:
        raise DataError(f"{builder.name}: no events in any trace")
    table = pd.DataFrame(builder.rows)
    mixed = []
    for name in sorted(builder.dates & set(table.columns)):
        times = texts_to_times(table, name, blank=name != TIME, source=builder.name)
        table[name] = times.values
        mixed += [name] * times.mixed
    first = [name for name in (CASE, ACTIVITY, TIME) if name in table]
    table = table[[*first, *(name for name in table.columns if name not in first)]]
    table.attrs["notes"] = _notes(builder, mixed)
    return table


def _notes(builder: _Builder, mixed: list[str]) -> tuple[Text, ...]:
    words = {part: both(f"process.xes.{part}") for part in PARTS if builder.ignored[part]}
    parts = Text(
        ", ".join(f"{text.en} {builder.ignored[part]}" for part, text in words.items()),
        "、".join(f"{text.zh} {builder.ignored[part]}" for part, text in words.items()),
    )
    return (
        *note_if(bool(words), "process.note.xes.ignored", parts=parts),
        *note_if(bool(mixed), "process.note.zones", columns=", ".join(mixed)),
    )
