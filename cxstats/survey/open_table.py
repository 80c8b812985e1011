"""Tables that stay in their engine: files larger than memory, and rows fetched when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxstats.core.engines import as_table, fetched, is_lazy
from cxstats.core.errors import CxError, DataError, MissingToolError
from cxstats.core.export import defused, is_formula
from cxstats.core.messages import excerpt, listing, no_column

if TYPE_CHECKING:
    import duckdb

# DuckDB's reader of each kind of file. Types of CSV are those that fit every cell of every file.
READERS = {
    ".parquet": "read_parquet([{files}])",
    ".csv": "read_csv([{files}], header=true, union_by_name=true, sample_size=-1)",
}
ALLOWED = "files that end in .parquet, .csv or .csv.gz, a folder of them, or a table of any engine"


def open_table(source: Any, columns: Sequence[str] | None = None, *, collect: bool = False) -> Any:
    r"""Open files of any size as one table that stays on disk, or fetch the rows of a lazy table.

    Files are read by DuckDB, which is in this process, needs no set-up and keeps memory bounded:
    methods stream or aggregate what they need. A method that needs the respondents themselves
    fetches up to 2 million rows of a lazy table by itself; beyond, ``collect=True`` here is how its
    user agrees to it.

    Parameters
    ----------
    source : str, path, sequence of these, or table
        A file, a pattern such as ``"answers/*.parquet"``, a folder of files, or several of them, as
        Parquet or CSV (comma, semicolon or tab; UTF-8; one row of names); or a table of any
        engine, such as one of Spark. For a client's CSV with titles, other encodings or two rows
        of names, use `cxstats.read_survey`.
    columns : sequence of str, optional
        Those to keep, in this order; all without it.
    collect : bool
        Whether to fetch the rows, whatever their number.

    Returns
    -------
    DuckDB relation, the same kind of table as `source`, or with ``collect=True`` pandas.DataFrame
        A name that a spreadsheet would run as a formula begins with an apostrophe, as in
        `cxstats.clean`.

    Raises
    ------
    DataError
        If no file is there, one cannot be read, or files differ in their columns or types (naming
        the file and the column); if a column is not in the table.
    MissingToolError
        Without DuckDB.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import cxstats as cx
    >>> folder = Path(tempfile.mkdtemp())
    >>> for i in range(3):
    ...     _ = (folder / f"{i}.csv").write_text("score,branch\n9,A\n10,B\n3,A\n")
    >>> answers = cx.open_table(folder / "*.csv")
    >>> cx.nps(answers, column="score").table["n"].tolist()
    [9]
    >>> cx.open_table(answers, ["score"], collect=True)["score"].sum().item()
    66
    """
    if not isinstance(collect, bool):
        raise CxError(f"collect={collect!r}; allowed: True, False")
    is_path = isinstance(source, str | Path)
    several = isinstance(source, list | tuple) and all(isinstance(x, str | Path) for x in source)
    table: Any = as_table(_relation([source] if is_path else source)
                          if is_path or several else source, ALLOWED)  # fmt: skip
    if columns is not None:
        if isinstance(columns, str):
            raise CxError(f"columns={columns!r}; allowed: a list of names")
        there = table.collect_schema().names()
        for name in columns:
            if name not in there:
                raise DataError(no_column(name, there))
        table = table.select(list(columns))
    if not collect:
        return table.to_native()
    return fetched(table) if is_lazy(table) else table.to_pandas()


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """Return the one connection of all tables, so that they can be joined."""
    try:
        import duckdb
    except ImportError as error:
        raise MissingToolError(
            "opening files as tables needs DuckDB: pip install duckdb pyarrow"
        ) from error
    return duckdb.connect()


def _relation(sources: Sequence[str | Path]) -> duckdb.DuckDBPyRelation:
    """Return files as one relation, its columns checked."""
    connection = _connection()
    files = [file for source in sources for file in _files(source)]
    kinds = sorted({_kind(file) for file in files})
    if len(kinds) > 1:
        raise DataError(f"{len(files)} files are of several kinds ({listing(kinds)}); allowed: one")
    reader = READERS[kinds[0]]
    _check_alike(connection, reader, files, types=kinds[0] == ".parquet")
    relation = _read(connection, reader, files)
    names = [defused(name) if is_formula(name) else name for name in relation.columns]
    if len(set(names)) < len(names):
        raise DataError(f"columns {listing(names)} are not distinct")
    pairs = zip(relation.columns, names, strict=True)
    return relation.project(", ".join(f"{_quoted(old)} as {_quoted(new)}" for old, new in pairs))


def _files(source: str | Path) -> list[str]:
    """Return the files that a path, a pattern or a folder stands for, in order."""
    path = Path(source)
    if path.is_file():
        files = [str(path)]
    elif path.is_dir():
        files = sorted(str(file) for file in path.iterdir() if _kind(str(file)) in READERS)
    else:
        files = sorted(file for file in glob(str(source), recursive=True) if Path(file).is_file())
    if not files:
        what = "holds no such file" if path.is_dir() else "is no file, and no pattern of files"
        raise DataError(f"{excerpt(str(source))} {what}; allowed: {ALLOWED}")
    for file in files:
        if _kind(file) not in READERS:
            raise DataError(f"{excerpt(file)} is of another kind; allowed: {ALLOWED}")
    return files


def _kind(file: str) -> str:
    name = file.lower()
    return ".csv" if name.endswith(".csv.gz") else Path(name).suffix


def _read(
    connection: duckdb.DuckDBPyConnection, reader: str, files: Sequence[str]
) -> duckdb.DuckDBPyRelation:
    import duckdb

    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    try:
        return connection.sql("select * from " + reader.format(files=quoted))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{listing(files)}: cannot be read: {reason}") from error


def _check_alike(
    connection: duckdb.DuckDBPyConnection, reader: str, files: Sequence[str], types: bool
) -> None:
    """Raise if a file has other columns than the first, or columns of another type."""
    reader = reader.replace("sample_size=-1", "sample_size=20480")  # names alone are looked at
    first: dict[str, str] = {}
    for file in files:
        relation = _read(connection, reader, [file])
        kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
        first = first or kinds
        for name in [*first, *kinds]:
            lacking = [f for f, has in ((file, kinds), (files[0], first)) if name not in has]
            if lacking:
                other = files[0] if lacking[0] == file else file
                raise DataError(
                    f"{excerpt(lacking[0])} has no column {name!r}, which {excerpt(other)} has; "
                    "allowed: files with the same columns"
                )
            if types and kinds[name] != first[name]:
                raise DataError(
                    f"{excerpt(file)}: column {name!r} holds {kinds[name]}, and {first[name]} in "
                    f"{excerpt(files[0])}; allowed: the same type in all files"
                )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
