"""The tables of the sources in both languages, with section and the headings of the print."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from typing import TYPE_CHECKING

from cxstats.cases.files import case_folder, read_rows, source_titles
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import LANGUAGES, Text, both, check_lang, label, listed

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("table", "list")  # printed as a table; an enumeration of the text, set as a table here
NOTHING = "–"  # where the source prints nothing
BILINGUAL = ("section", "title", "note")


@dataclass(frozen=True, slots=True)
class Head:
    """The heading of a column: ``printed`` in the source, or ours."""

    column: str
    text: Text
    printed: bool


@dataclass(frozen=True, eq=False, repr=False)
class CaseTable:
    """A table of a source document.

    In a notebook it shows both languages, that of the reader first.

    Attributes
    ----------
    id, source : str
        Its name, and the number of the document.
    section, title, note : Text
        Where it stands, what it shows, and what a reader must know.
    kind : {"table", "list"}
        Printed as a table, or an enumeration of the text that is set as a table here.
    unit : str
        Unit of its numbers, or empty.
    heads : tuple of Head
        One for each column.
    cells : pandas.DataFrame
        As in the file: texts in two columns with ``_en`` and ``_zh``, numbers and codes in one.
    """

    id: str
    source: str
    section: Text
    title: Text
    note: Text
    kind: str
    unit: str
    heads: tuple[Head, ...]
    cells: pd.DataFrame

    def frame(self, lang: str | None = None) -> pd.DataFrame:
        """Return the table in one language, with its headings.

        Parameters
        ----------
        lang : {"en", "zh"}, optional
            Language; without it, that of `cxstats.set_language`.

        Examples
        --------
        >>> case_table("journey").frame("zh").columns.tolist()
        ['阶段', '服务接触点', '顾客痛点', '期望满足的服务']
        """
        import pandas as pd

        lang = check_lang(lang)
        columns = [self._column(head.column, lang) for head in self.heads]
        frame = pd.DataFrame(dict(enumerate(columns)))
        frame.columns = pd.Index([head.text.get(lang) for head in self.heads])
        frame.attrs.update(self._place(lang))
        return frame

    def place(self, lang: str | None = None) -> str:
        """Return document and section, for reading."""
        section = self.section.get(lang)
        return label("chart.source.document", lang, source=self.source, section=section)

    @property
    def notes(self) -> tuple[Text, ...]:
        """What a reader must know: the note, and which headings are ours."""
        ours = [head.text for head in self.heads if not head.printed]
        if self.kind == "list":
            of_heads = [both("case_table.list")]
        else:
            names = Text(listed(h.en for h in ours).en, listed(h.zh for h in ours).zh)
            of_heads = [both("case_table.our_heads", heads=names)] if ours else []
        return (*((self.note,) if self.note.en else ()), *of_heads)

    def __repr__(self) -> str:
        head = f"{self.title.get()} ({self.place()})"
        notes = [f"  * {note.get()}" for note in self.notes]
        return "\n".join([head, self.frame().to_string(index=False), *notes])

    def _repr_html_(self) -> str:
        first, second = sorted(LANGUAGES, key=lambda lang: lang != check_lang())
        frames = self.frame(first), self.frame(second)
        head = "".join(
            f"<th style='text-align: left'>{_pair(a, b)}</th>"
            for a, b in zip(frames[0].columns, frames[1].columns, strict=True)
        )
        rows = "\n".join(
            "<tr>"
            + "".join(
                f"<td style='text-align: left'>{_pair(a, b)}</td>"
                for a, b in zip(*cells, strict=True)
            )
            + "</tr>"
            for cells in zip(
                *(frame.itertuples(index=False, name=None) for frame in frames), strict=True
            )
        )
        notes = "".join(f"<li>{_pair(n.get(first), n.get(second))}</li>" for n in self.notes)
        below = f"\n<ul>{notes}</ul>" if notes else ""
        return (
            f"<p><b>{_pair(self.title.get(first), self.title.get(second), ' ')}</b><br>"
            f"{_pair(self.place(first), self.place(second), ' ')}</p>\n"
            f'<table border="0" class="dataframe">\n<thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{rows}\n</tbody>\n</table>{below}"
        )

    def _column(self, name: str, lang: str) -> list[object]:
        if f"{name}_{lang}" in self.cells:
            return [cell or NOTHING for cell in self.cells[f"{name}_{lang}"]]
        if name == "better":
            return [_directions(cell, lang) for cell in self.cells[name]]
        return [NOTHING if cell == "" else cell for cell in self.cells[name].tolist()]

    def _place(self, lang: str) -> dict[str, str]:
        texts = {name: getattr(self, name).get(lang) for name in BILINGUAL}
        return {"source": self.source, "kind": self.kind, "unit": self.unit, **texts}


def _pair(first: object, second: object, between: str = "<br>") -> str:
    """Return words in HTML with those of the other language, smaller, where they differ."""
    main, other = (escape(_written(cell)) for cell in (first, second))
    small = f"{between}<small style='opacity: .7'>{other}</small>"
    return main if main == other else main + small


def _written(cell: object) -> str:
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def _directions(codes: str, lang: str) -> str:
    return " / ".join(label(f"fact.better.{code}", lang) for code in codes.split(" / "))


@cache
def _index() -> dict[str, dict[str, str]]:
    texts = tuple(f"{name}_{lang}" for name in BILINGUAL for lang in LANGUAGES)
    path = case_folder() / "tables.csv"
    rows = read_rows(path, ("id", "source", "kind", "unit", *texts))
    problems = [
        f"{path.name}, row {line}, column {column!r}: {row[column]!r} is not known; "
        f"allowed: {', '.join(allowed)}"
        for line, row in rows
        for column, allowed in (("kind", KINDS), ("source", tuple(source_titles())))
        if row[column] not in allowed
    ]
    if problems:
        raise DataError(problems)
    return {row["id"]: row for _, row in rows}


@cache
def _heads() -> dict[str, tuple[Head, ...]]:
    path = case_folder() / "table_columns.csv"
    heads: dict[str, list[Head]] = {name: [] for name in _index()}
    for _, row in read_rows(path, ("table", "column", "head_en", "head_zh", "printed")):
        text = Text(row["head_en"], row["head_zh"])
        heads[row["table"]].append(Head(row["column"], text, row["printed"] == "yes"))
    return {name: tuple(columns) for name, columns in heads.items()}


def case_table(name: str) -> CaseTable:
    """Return a table of the sources, to be shown in both languages.

    Parameters
    ----------
    name : str
        Its ``id`` in ``data/cases/tables.csv``.

    Raises
    ------
    CxError
        If there is no such table.

    Examples
    --------
    >>> table = case_table("access_matrix")
    >>> table.place()
    'document 004, 3.3.2 (2)'
    >>> table.frame().iloc[0].tolist()
    ['marketing', 'basic customer data', 'campaigns']
    """
    if name not in _index():
        raise CxError(f"no table {name!r}; allowed: {', '.join(_index())}")
    entry = _index()[name]
    texts = {text: Text(entry[f"{text}_en"], entry[f"{text}_zh"]) for text in BILINGUAL}
    return CaseTable(
        id=name,
        source=entry["source"],
        kind=entry["kind"],
        unit=entry["unit"],
        heads=_heads()[name],
        cells=_cells(name),
        **texts,
    )


def load_tables(lang: str | None = None) -> dict[str, pd.DataFrame]:
    """Load the tables of the sources.

    Parameters
    ----------
    lang : {"en", "zh"}, optional
        One language, with the headings of the print; without it, both: texts in two columns with
        ``_en`` and ``_zh``.

    Returns
    -------
    dict of str to pandas.DataFrame
        By table name. ``frame.attrs`` holds ``source``, ``kind`` ("table" as printed, "list" for
        an enumeration of the text), ``unit``, and ``section``, ``title`` and ``note``, with
        ``_en`` and ``_zh`` where no language is asked for.

    Examples
    --------
    >>> tables = load_tables()
    >>> list(tables["servqual_dimensions"]["dimension_zh"])
    ['有形性', '可靠性', '响应性', '保证性', '移情性']
    >>> tables["journey"].attrs["section_en"]
    '3.1.2 (2)'
    >>> load_tables("zh")["process_results"].columns.tolist()
    ['项目', '单位', '优化前', '优化后', '数值编号']
    """
    if lang is not None:
        return {name: case_table(name).frame(lang) for name in _index()}
    tables = {name: _cells(name) for name in _index()}
    for name, frame in tables.items():
        frame.attrs.update({key: text for key, text in _index()[name].items() if key != "id"})
    return tables


def _cells(name: str) -> pd.DataFrame:
    import pandas as pd

    path = case_folder() / "tables" / f"{name}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for column in frame:
        numbers = pd.to_numeric(frame[column], errors="coerce")
        if numbers.notna().all():
            frame[column] = numbers
    return frame
