"""Who sees what: coverage of stages by channels, access to records, information sharing.

References
----------
Squartini, Picciolo, Ruzzenenti & Garlaschelli (2013). Reciprocity of weighted networks. Scientific
Reports 3, 2729.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import LANGUAGES, Text, both, label, listed, note_if
from cxstats.core.messages import excerpt, listing, row_name
from cxstats.core.result import Chart, Result
from cxstats.journeys.journey_map import JourneyMap, as_number
from cxstats.journeys.read_map import plain_text
from cxstats.survey.read import read_survey

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

KINDS = ("coverage", "access", "sharing")
RECORD_MARKS = r"[;；、,，|\n]"
# What stands in a cell of a table of rights; upper and lower case alike.
YES = (
    "1", "x", "✓", "✔", "√", "y", "yes", "true", "r", "w", "rw", "read", "write", "是", "有", "读",
    "写", "读写",
)  # fmt: skip
NO = ("", "0", "-", "–", "n", "no", "false", "none", "否", "无")
DEPARTMENTS = ("department", "部门")
NUMBERED = re.compile(r"\D+?[ _]?(?P<number>\d+)(?:_(?:en|zh))?")
RECORDS = ("records", "record", "access", "信息", "记录", "数据访问权限", "访问权限")


@dataclass(frozen=True, eq=False, repr=False)
class ShareMatrix(Result):
    """A matrix of shares, from 0 to 1, with its margins.

    Attributes
    ----------
    table : pandas.DataFrame
        Rows and columns by their English names, then ``share``: for coverage the share of stages
        that a channel serves at all, for access the share of kinds of record that a department
        sees, for sharing the mean over the other departments. The diagonal of sharing is NaN.
    columns_served : pandas.DataFrame
        The same by column: ``column, share``.
    kind : {"coverage", "access", "sharing"}
        A cell is the share of a stage's touchpoints that a channel serves; 1 where a department
        sees a kind of record; the share of what a department (row) has that it shares with another
        (column).
    row_names, column_names : tuple of Text
    density : float
        Mean of the cells, without the diagonal of sharing.
    reciprocity : float
        Of sharing: ``sum min(s_ij, s_ji) / sum s_ij`` over i and j apart, 1 where all sharing is
        mutual; NaN elsewhere and where nothing is shared.
    source : Text
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    columns_served: pd.DataFrame
    kind: str
    row_names: tuple[Text, ...]
    column_names: tuple[Text, ...]
    density: float
    reciprocity: float
    source: Text
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("heatmap",)
    reference: ClassVar = (
        "Squartini, Picciolo, Ruzzenenti & Garlaschelli (2013). Reciprocity of weighted networks. "
        "Scientific Reports 3, 2729."
    )

    @property
    def values(self) -> Array:
        """The cells (rows, columns), without the margin."""
        return np.asarray(self.table.iloc[:, :-1].to_numpy(float))

    @property
    def row_shares(self) -> Array:
        """The margin of the rows."""
        return np.asarray(self.table["share"].to_numpy(float))

    def title(self, lang: str | None = None) -> str:
        """Return what the matrix shows."""
        return label(f"journey.matrix.{self.kind}", lang)

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with the names of its rows in `lang`; columns keep theirs."""
        import pandas as pd

        names = [name.get(lang) for name in self.row_names]
        return self.table.set_axis(pd.Index(names, name=self.table.index.name), axis=0)

    def translated(self, lang: str | None = None) -> dict[str, pd.DataFrame]:
        """Return the tables in `lang`."""
        names = [name.get(lang) for name in self.column_names]
        table = self.as_table(lang).set_axis([*names, "share"], axis=1)
        return {"table": table, "columns_served": self.columns_served.assign(column=names)}

    def sharing(self) -> ShareMatrix:
        """Return, of an access matrix, the share of a department's kinds of record others see.

        ``s_ij = |A_i and A_j| / |A_i|`` with A the kinds of record that a department sees. It is
        symmetric only where both see equally many.

        Raises
        ------
        CxError
            If this is no access matrix.
        """
        if self.kind != "access":
            raise CxError(f"a matrix of {self.kind} has no sharing; only that of access has")
        sees = self.values
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = sees @ sees.T / sees.sum(axis=1, keepdims=True)
        return _matrix("sharing", shares, self.row_names, self.row_names, self.source,
                       self.synthetic, (both("journey.note.from_access"),))  # fmt: skip

    def one_sided(self) -> pd.DataFrame:
        """Return the pairs that share unequally: ``first, second, given, received, difference``.

        Largest difference first; empty for coverage and access, and where all sharing is mutual.
        """
        import pandas as pd

        rows = []
        if self.kind == "sharing":
            names, values = [name.en for name in self.row_names], self.values
            for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
                given, received = float(values[i, j]), float(values[j, i])
                if abs(given - received) > 1e-9:
                    rows.append((names[i], names[j], given, received, given - received))
        columns = ["first", "second", "given", "received", "difference"]
        table = pd.DataFrame(rows, columns=columns)
        order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
        return table.loc[order].reset_index(drop=True)

    def findings(self, lang: str) -> list[str]:
        """Return the margins, and of sharing how mutual it is."""
        size = {"rows": len(self.row_names), "columns": len(self.column_names)}
        lines = [
            label(f"journey.matrix.head.{self.kind}", lang, **size,
                  density=format_percent(100 * self.density, 0, lang))
        ]  # fmt: skip
        for name, share in zip(self.row_names, self.row_shares, strict=True):
            text = format_percent(100 * share, 0, lang) if np.isfinite(share) else "–"
            row = label(f"journey.matrix.row.{self.kind}", lang, name=name.get(lang), share=text)
            lines.append(row)
        if self.kind == "sharing":
            lines.append(self.symmetry(lang))
        return lines

    def symmetry(self, lang: str) -> str:
        """Return whether sharing is mutual, in a sentence."""
        pairs = len(self.one_sided())
        if not np.isfinite(self.reciprocity):
            return label("journey.matrix.nothing", lang)
        key = "journey.matrix.one_sided" if pairs else "journey.matrix.mutual"
        return label(key, lang, k=pairs, value=format_number(self.reciprocity, 2))

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the matrix as a heat map."""
        return Chart("share_heatmap", (self,))


def coverage(journey_map: JourneyMap, synthetic: bool = False) -> ShareMatrix:
    """Return which share of the touchpoints of each stage each channel serves.

    A touchpoint that names no channel has those of its stage.

    Raises
    ------
    CxError
        If no touchpoint names a channel.
    """
    channels = list(
        dict.fromkeys(c for t in journey_map.touchpoints for c in journey_map.channels_of(t))
    )
    if not channels:
        raise CxError("no touchpoint names a channel, so there is no coverage of channels")
    values = np.zeros((len(channels), len(journey_map.stages)))
    sizes = np.zeros(len(journey_map.stages))
    silent = []
    for touchpoint in journey_map.touchpoints:
        sizes[touchpoint.stage] += 1
        for channel in set(journey_map.channels_of(touchpoint)):
            values[channels.index(channel), touchpoint.stage] += 1
        if not journey_map.channels_of(touchpoint):
            silent.append(touchpoint.name)
    names = Text(listed(n.en for n in silent).en, listed(n.zh for n in silent).zh)
    notes = note_if(bool(silent), "journey.note.no_channel", names=names)
    stages = tuple(stage.name for stage in journey_map.stages)
    source = journey_map.source if any(journey_map.source) else both("journey.source.map")
    return _matrix("coverage", values / sizes, tuple(channels), stages, source, synthetic,
                   tuple(notes))  # fmt: skip


def access_matrix(data: Any, *, source: str = "", synthetic: bool = False) -> ShareMatrix:
    """Return which kinds of record each department sees, with the shares of both.

    Parameters
    ----------
    data : table, path or mapping
        Two columns, ``department`` and ``records`` (or each with ``_en`` and ``_zh``), the records
        in a list with ";" between them, or one a column (``right_1``, ``right_2``); or a column of
        departments and one column a kind of record, whose cells are 1, x, ✓, yes, r, rw, 是 ... or
        empty, 0, -, no, 否 ...; or a mapping of department to a list of records.
    source : str
        Where the matrix comes from, for charts.
    synthetic : bool

    Returns
    -------
    ShareMatrix
        ``.sharing()`` is what departments share through it.

    Raises
    ------
    DataError
        Naming row, column and value of a cell that says neither yes nor no, and a department that
        stands twice.

    Examples
    --------
    >>> rights = access_matrix({"sales": ["basic", "sales"], "service": ["basic", "service"]})
    >>> rights.table["share"].round(2).tolist(), round(rights.density, 2)
    ([0.67, 0.67], 0.67)
    >>> rights.sharing().values[0, 1].item(), rights.sharing().reciprocity
    (0.5, 1.0)
    """
    if isinstance(data, Mapping):
        lists = [(Text(str(k), str(k)), _record_list(k, v)) for k, v in data.items()]
        return _of_lists(lists, source, synthetic)
    frame = _frame(data)
    department = _columns(frame, DEPARTMENTS)
    if not department:
        department = [str(frame.columns[0])]
    names = _names(frame, department)
    records = _columns(frame, RECORDS)
    if records:
        others = [c for c in frame.columns if c not in (*department, *records)]
        if others:
            raise DataError(f"column {excerpt(others[0])} is not known beside {records[0]!r}")
        return _of_lists(list(zip(names, _listed_records(frame, records), strict=True)), source,
                         synthetic)  # fmt: skip
    kinds = [column for column in frame.columns if column not in department]
    numbered = _numbered_records(frame, kinds)
    if numbered is not None:
        return _of_lists(list(zip(names, numbered, strict=True)), source, synthetic)
    if not kinds:
        raise DataError("no kinds of record: give a column 'records', or one column a kind")
    values = np.column_stack([_rights(frame, column) for column in kinds])
    columns = tuple(Text(str(c), str(c)) for c in kinds)
    return _matrix("access", values, names, columns, Text(source, source), synthetic)


def sharing_matrix(data: Any, *, source: str = "", synthetic: bool = False) -> ShareMatrix:
    """Return how much each department (row) shares with each other (column).

    Parameters
    ----------
    data : square table, path or mapping of mappings
        Shares from 0 to 1, of what a department has or of what was asked of it; the first column,
        or the index, names the departments, in the order of the columns or another. The diagonal is
        not read.
    source : str
        Where the matrix comes from, for charts.
    synthetic : bool

    Returns
    -------
    ShareMatrix
        With `reciprocity` and `one_sided`: it need not be symmetric.

    Raises
    ------
    DataError
        If it is not square, or naming row, column and value of a cell that is no share.

    Examples
    --------
    >>> shared = sharing_matrix({"sales": {"service": 0.8}, "service": {"sales": 0.2}})
    >>> round(shared.reciprocity, 2)
    0.4
    >>> shared.one_sided()["difference"].round(2).tolist()
    [0.6]
    """
    import pandas as pd

    if isinstance(data, Mapping):
        for name, row in data.items():
            if not isinstance(row, Mapping | pd.Series):
                raise CxError(
                    f"department {excerpt(name)} has {excerpt(row)}; allowed: a mapping of other "
                    "department to share"
                )
        frame = pd.DataFrame({name: pd.Series(row) for name, row in data.items()}).T
    else:
        frame = _frame(data)
        first = frame.columns[0]
        if not pd.api.types.is_numeric_dtype(frame[first]):
            frame = frame.set_index(first)
    rows, columns = [str(x) for x in frame.index], [str(x) for x in frame.columns]
    for names, what in ((rows, "row"), (columns, "column")):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(f"{what} {twice[0]!r} stands twice")
    if set(rows) != set(columns):
        odd = sorted(set(rows) ^ set(columns))[0]
        raise DataError(
            f"{odd!r} is a {'row' if odd in rows else 'column'} alone; allowed: the same "
            f"departments in rows ({listing(rows)}) and columns ({listing(columns)})"
        )
    if len(rows) < 2:
        raise DataError("one department alone shares with nobody; at least 2 are needed")
    frame = frame.set_axis(columns, axis=1)[rows]
    values = np.column_stack([_shares(frame, rows, name) for name in rows])
    departments = tuple(Text(name, name) for name in rows)
    return _matrix("sharing", values, departments, departments, Text(source, source), synthetic)


def _matrix(
    kind: str,
    values: Array,
    rows: tuple[Text, ...],
    columns: tuple[Text, ...],
    source: Text,
    synthetic: bool,
    notes: tuple[Text, ...] = (),
) -> ShareMatrix:
    import pandas as pd

    values, reciprocity = np.array(values, float), np.nan
    if kind == "sharing":
        np.fill_diagonal(values, np.nan)
        total = float(np.nansum(values))
        if total > 0:
            reciprocity = float(np.nansum(np.minimum(values, values.T))) / total
    counted = (values > 0).astype(float) if kind == "coverage" else values
    index = pd.Index([name.en for name in rows], name="row")
    table = pd.DataFrame(values, index=index, columns=[name.en for name in columns])
    table.insert(len(columns), "share", _means(counted, 1), allow_duplicates=True)
    margin = pd.DataFrame({"column": [n.en for n in columns], "share": _means(counted, 0)})
    return ShareMatrix(
        table=table, columns_served=margin, kind=kind, row_names=rows, column_names=columns,
        density=float(_means(values.ravel(), 0)), reciprocity=reciprocity, source=source,
        synthetic=synthetic, notes=notes,
    )  # fmt: skip


def _means(values: Array, axis: int) -> Any:
    """Return means over what is there; NaN where nothing is."""
    has = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(has, values, 0).sum(axis=axis) / has.sum(axis=axis)


def _frame(data: Any) -> pd.DataFrame:
    if isinstance(data, str | Path):
        return read_survey(data, header=1)
    return as_pandas(data)


def _columns(frame: pd.DataFrame, stems: Sequence[str]) -> list[str]:
    """Return the column of a stem, or its columns in both languages."""
    by_look = {str(c).strip().casefold(): str(c) for c in frame.columns}
    for stem in stems:
        if stem in by_look:
            return [by_look[stem]]
        pair = [by_look[k] for lang in LANGUAGES if (k := f"{stem}_{lang}") in by_look]
        if pair:
            return pair
    return []


def _names(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[Text, ...]:
    import pandas as pd

    names = []
    for i in range(len(frame)):
        cells = [frame[column].iloc[i] for column in (columns[0], columns[-1])]
        if any(pd.isna(cell) or not str(cell).strip() for cell in cells):
            raise DataError(f"{row_name(frame.index, i)}, column {columns[0]!r}: no name")
        name = Text(*(plain_text(cell) for cell in cells))
        if name in names:
            raise DataError(
                f"{row_name(frame.index, i)}, column {columns[0]!r}: {name.en!r} stands twice"
            )
        names.append(name)
    return tuple(names)


def _listed_records(frame: pd.DataFrame, columns: Sequence[str]) -> list[list[Text]]:
    import pandas as pd

    lists = []
    for i in range(len(frame)):
        cells = [frame[column].iloc[i] for column in (columns[0], columns[-1])]
        en, zh = ([] if pd.isna(cell) else _split(str(cell)) for cell in cells)
        if len(en) != len(zh):
            raise DataError(
                f"{row_name(frame.index, i)}: {len(en)} records in column {columns[0]!r}, "
                f"{len(zh)} in {columns[-1]!r}; allowed: equally many"
            )
        lists.append([Text(a, b) for a, b in zip(en, zh, strict=True)])
    return lists


def _numbered_records(frame: pd.DataFrame, columns: Sequence[Any]) -> list[list[Text]] | None:
    """Return the records of each department from columns such as right_1, right_2; else None.

    They hold names of records, where columns of single kinds hold yes and no.
    """
    import pandas as pd

    matches = [NUMBERED.fullmatch(str(column).strip()) for column in columns]
    cells = frame[list(columns)].stack()
    says_yes_or_no = any(str(cell).strip().casefold() in (*YES, *NO) for cell in cells.dropna())
    if not columns or None in matches or says_yes_or_no:
        return None
    by_number: dict[str, list[Any]] = {}
    for match, column in zip(matches, columns, strict=True):
        by_number.setdefault(match["number"], []).append(column)  # type: ignore[index]
    lists: list[list[Text]] = [[] for _ in range(len(frame))]
    for of_number in by_number.values():
        for i in range(len(frame)):
            pair = [frame[column].iloc[i] for column in (of_number[0], of_number[-1])]
            if not any(pd.isna(cell) for cell in pair):
                lists[i].append(Text(*(plain_text(cell) for cell in pair)))
    return lists


def _split(cell: str) -> list[str]:
    return [plain_text(part) for part in re.split(RECORD_MARKS, cell) if part.strip()]


def _record_list(department: object, records: Any) -> list[Text]:
    if isinstance(records, str) or not isinstance(records, list | tuple | set | frozenset):
        raise CxError(f"department {excerpt(department)} has {excerpt(records)}; allowed: a list")
    names = sorted(records) if isinstance(records, set | frozenset) else records
    return [Text(plain_text(name), plain_text(name)) for name in names]


def _of_lists(
    lists: Sequence[tuple[Text, list[Text]]], source: str, synthetic: bool
) -> ShareMatrix:
    kinds = list(dict.fromkeys(record for _, records in lists for record in records))
    if not kinds:
        raise DataError("no department has a record")
    values = np.array([[kind in records for kind in kinds] for _, records in lists], float)
    names = tuple(name for name, _ in lists)
    return _matrix("access", values, names, tuple(kinds), Text(source, source), synthetic)


def _rights(frame: pd.DataFrame, column: Any) -> Array:
    """Return 1 where a cell says yes, 0 where it says no."""
    import pandas as pd

    values = []
    for i, cell in enumerate(frame[column]):
        text = "" if pd.isna(cell) else str(cell).strip().casefold().removesuffix(".0")
        if text not in YES and text not in NO:
            raise DataError(
                f"{row_name(frame.index, i)}, column {str(column)!r}: {excerpt(cell)}; allowed: "
                f"{', '.join(YES[:9])}, 是 for yes; nothing, {', '.join(NO[1:8])}, 否 for no"
            )
        values.append(float(text in YES))
    return np.array(values)


def _shares(frame: pd.DataFrame, rows: Sequence[str], column: str) -> Array:
    values = []
    for name, cell in zip(rows, frame[column], strict=True):
        number = np.nan if name == column else as_number(cell)
        if name != column and (number is None or not 0 <= number <= 1):
            cell_text = "missing" if number is not None and np.isnan(number) else excerpt(cell)
            raise DataError(f"row {name!r}, column {column!r}: {cell_text}; allowed: 0 to 1")
        values.append(number)
    return np.array(values)
