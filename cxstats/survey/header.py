"""Where the header of a table is: found by evidence, never assumed to be the first row.

A header is a row that is about as wide as the table, and unlike the rows below it: text above
numbers, texts that do not come again. Above it may stand titles, in it one to three rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, NamedTuple

from cxstats.core.errors import DataError
from cxstats.core.language import Text, both, listed
from cxstats.core.messages import excerpt
from cxstats.survey.columns import is_number
from cxstats.survey.platforms import (
    Platform,
    is_import_row,
    is_old_qualtrics,
    is_plain_label,
    plain,
    recognise,
)

LOOKED_AT = 40  # rows that tell what a column holds
DEEPEST = 3  # rows of a header
HIGHEST = 30  # rows among which the header is looked for
WIDE = 0.5  # share of the widest row that a header fills
# Share of columns of numbers above which a row has text, and how many there are at least.
SURE, DOUBTFUL, ENOUGH = 0.75, 0.3, 2
# What stands in a cell instead of an answer: no evidence of a header.
NO_ANSWERS = {plain(word) for word in (
    "NA", "N/A", "n.a.", "null", "#NULL!", "none", "nan", "missing", "k. A.", "sin respuesta", "",
    "空", "跳过", "无", "缺失", "未答",
)}  # fmt: skip


class Record(NamedTuple):
    """One row of a file: its number (the first row is 1) and its cells."""

    number: int
    cells: list[Any]


class Merge(NamedTuple):
    """Cells of a row of a worksheet that are merged: the row, the first and the last column."""

    row: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Header:
    """The names of columns, the rows that they took, and what else those rows say.

    Attributes
    ----------
    names : tuple of str
        One a column; empty where there is none.
    rows : tuple of int
        Numbers of the rows of the header in the file.
    titles : tuple of int
        Numbers of the rows above it.
    texts : tuple of str
        The question behind each name; empty where there is none.
    platform : Platform
        What wrote the file, and by which headings that was seen.
    notes : tuple of Text
    doubts : tuple of Text
        What may be otherwise, for a warning.
    """

    names: tuple[str, ...]
    rows: tuple[int, ...]
    titles: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    platform: Platform = field(default_factory=Platform)
    notes: tuple[Text, ...] = ()
    doubts: tuple[Text, ...] = ()


def find_header(
    records: Sequence[Record],
    merges: Sequence[Merge] = (),
    rows: Sequence[int] | None = None,
) -> Header:
    """Find the header of a table.

    Parameters
    ----------
    records : sequence of Record
        The rows that hold something, of any lengths.
    merges : sequence of Merge
        Merged cells, where the file knows of them.
    rows : sequence of int, optional
        Numbers of the rows of the header, where a person says so.

    Raises
    ------
    DataError
        If a row that was asked for is not there.

    Examples
    --------
    >>> rows = [["Survey 2024"], ["id", "q1"], ["a", "5"], ["b", "4"]]
    >>> header = find_header([Record(i, row) for i, row in enumerate(rows, 1)])
    >>> header.names, header.rows, header.titles
    (('id', 'q1'), (2,), (1,))
    """
    table = _Table(records, merges)
    if rows is not None:
        places = _asked(table, rows)
        return _build(table, places, ())
    places = [_first(table)]
    while places[0] and len(places) < DEEPEST and table.is_groups(places[0] - 1, places[0]):
        places.insert(0, places[0] - 1)
    doubts: list[Text] = []
    while len(places) < DEEPEST and places[-1] + 1 < len(table.rows):
        below = places[-1] + 1
        if not _continues(table, places, below):
            share = table.contrast(below)
            if share >= DOUBTFUL and len(table.numeric(below)) >= ENOUGH:
                doubts.append(both("survey.read.doubt.header", row=table.numbers[below]))
            break
        places.append(below)
    return _build(table, places, tuple(doubts))


class _Table:
    """The rows of a file as texts of one width, and what its columns hold."""

    def __init__(self, records: Sequence[Record], merges: Sequence[Merge]) -> None:
        self.numbers = [record.number for record in records[: HIGHEST + LOOKED_AT]]
        head = [record.cells for record in records[: HIGHEST + LOOKED_AT]]
        self.widths = [len(cells) for cells in head]
        self.width = max(self.widths, default=0)
        self.cells = [[*cells, *[None] * (self.width - len(cells))] for cells in head]
        self.rows = [[text_of(cell) for cell in cells] for cells in self.cells]
        at = {number: i for i, number in enumerate(self.numbers)}
        self.merges = [merge._replace(row=at[merge.row]) for merge in merges if merge.row in at]

    def filled(self, row: int) -> int:
        return sum(map(bool, self.rows[row]))

    def below(self, row: int) -> list[list[Any]]:
        return self.cells[row + 1 : row + 1 + LOOKED_AT]

    def numeric(self, row: int) -> list[int]:
        """Return the columns that hold numbers or dates in most cells below a row.

        Further rows of the header may stand there, and the header again.
        """
        columns = []
        for j in range(self.width):
            cells = [cells[j] for cells in self.below(row)]
            cells = [
                cell for cell in cells
                if plain(text_of(cell)) not in NO_ANSWERS and text_of(cell) != self.rows[row][j]
            ]  # fmt: skip
            measured = [is_measured(cell) for cell in cells]
            start = next((i for i, is_one in enumerate(measured) if is_one), DEEPEST)
            measured = measured[start:] if start < DEEPEST else []
            if measured and 5 * sum(measured) >= 4 * len(measured):
                columns.append(j)
        return columns

    def contrast(self, row: int, distinct: bool = True) -> float:
        """Return in which share of the columns of numbers a row has text; 0 for an empty few.

        A word that comes again and again ("refused") is an answer, not the name of a column.
        """
        numeric = self.numeric(row)
        columns = [j for j in numeric if self.rows[row][j]]
        texts = [self.rows[row][j] for j in columns if not is_measured(self.cells[row][j])]
        headings = [text for text in texts if plain(text) not in NO_ANSWERS]
        if 2 * len(columns) < len(numeric) or (distinct and 2 * len(set(headings)) < len(headings)):
            return 0.0
        return len(headings) / len(columns) if columns else 0.0

    def is_data(self, row: int) -> bool:
        """Return whether a row has numbers in most columns of numbers that it fills."""
        columns = [j for j in self.numeric(row) if self.rows[row][j]]
        measured = sum(is_measured(self.cells[row][j]) for j in columns)
        return len(columns) >= ENOUGH and 2 * measured > len(columns)

    def recurs(self, row: int) -> bool:
        """Return whether a row's texts come again below it, as answers do and headings do not."""
        again = checked = 0
        for j in range(self.width):
            column = [text_of(cells[j]) for cells in self.below(row)]
            if self.rows[row][j] and len(set(column)) < len(column):
                checked += 1
                again += self.rows[row][j] in column
        return checked == 0 or 5 * again >= checked

    def is_groups(self, row: int, below: int) -> bool:
        """Return whether a row has headings for several columns of the row below it each."""
        merges = [m for m in self.merges if m.row == row]
        if any(m.last - m.first + 1 >= 0.8 * self.width > 2 for m in merges):
            return False  # a title over the table
        filled = [j for j, text in enumerate(self.rows[row]) if text]
        gaps = [
            j for j, text in enumerate(self.rows[row])
            if not text and self.rows[below][j] and filled and j > filled[0]
        ]  # fmt: skip
        labels = [text for text in self.rows[below] if text]
        repeated = len(set(labels)) < len(labels)
        headings = [self.rows[row][j] for j in filled]
        if repeated and len(set(headings)) < len(headings) and not self.is_data(below):
            pairs = [
                pair for pair in zip(self.rows[row], self.rows[below], strict=True) if any(pair)
            ]
            if len(set(pairs)) == len(pairs):
                return True
        if not gaps or len(filled) < 2 or self.is_data(below):
            return False
        vertical = any(self.rows[row][j] and not self.rows[below][j] for j in range(self.width))
        return bool(merges) or repeated or vertical


def text_of(cell: Any) -> str:
    """Return a cell of a header as text; a date as ISO, a whole number without decimals."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return str(cell)


def is_measured(cell: Any) -> bool:
    """Return whether a cell is a number, a date or a time: nothing that names a column."""
    if isinstance(cell, bool):
        return False
    if isinstance(cell, int | float | date | time):
        return True
    text = text_of(cell).strip()
    return (
        text.startswith("=")
        or is_number(text)
        or is_number(text.replace(",", "."))
        or _looks_like_date(text)
    )


def _looks_like_date(text: str) -> bool:
    digits = sum(c.isdigit() for c in text)
    marks = sum(c in "-/:.年月日时分秒T " for c in text)
    return digits >= 5 and marks >= 2 and digits + marks >= 0.9 * len(text)


def _first(table: _Table) -> int:
    """Return the first row of text above numbers; without numbers, the first of usual width."""
    rows = range(min(len(table.rows), HIGHEST))
    for i in rows:
        if table.is_data(i):
            break
        if table.contrast(i) >= SURE and len(table.numeric(i)) >= ENOUGH:
            return i
    widest = max((table.filled(i) for i in rows), default=0)
    for i in rows:
        merged = any(m.row == i and m.last - m.first + 1 >= 0.8 * widest > 2 for m in table.merges)
        if table.filled(i) >= max(WIDE * widest, min(2, widest)) and not merged:
            # A row of numbers below a narrow one of text is the first respondent.
            texts = [k for k in range(i) if table.contrast(k) >= SURE > table.contrast(i)]
            return texts[-1] if texts else i
    return 0


def _continues(table: _Table, places: list[int], row: int) -> bool:
    """Return whether a row belongs to the header above it."""
    above = places[-1]
    if is_import_row(table.rows[above]) or _is_old(table, places):
        return False
    # The questions of Qualtrics stand between names and ids.
    ids = table.rows[row + 1 : row + 2]
    next_to_ids = len(places) == 1 and ids and is_import_row(ids[0])
    if next_to_ids or is_import_row(table.rows[row]):
        return True
    pair = table.rows[above], table.rows[row]
    if is_old_qualtrics(*pair) or _is_surveymonkey(*pair):
        return True
    groups = table.is_groups(above, row)
    contrast = table.contrast(row, distinct=not groups)
    numeric = table.numeric(row)
    # Below headings of one row the second is empty: then only its texts say what it is.
    if len(numeric) >= ENOUGH and (not groups or any(table.rows[row][j] for j in numeric)):
        return contrast >= SURE and (groups or table.contrast(above) >= SURE)
    return groups and not table.recurs(row)


def _is_old(table: _Table, places: list[int]) -> bool:
    return len(places) > 1 and is_old_qualtrics(table.rows[places[0]], table.rows[places[1]])


def _is_surveymonkey(first: list[str], second: list[str]) -> bool:
    pairs = list(zip(first, second, strict=True))
    labels_of_own_columns = [
        label for name, label in pairs if recognise([name]).name == "surveymonkey"
    ]
    unnamed = [label for name, label in pairs if not name]
    plain_label = any(label and is_plain_label(label) for label in second)
    return bool(
        first[0]
        and is_plain_label(second[0])
        and any(second)
        and all(unnamed)
        and not any(labels_of_own_columns)
        and (plain_label or (labels_of_own_columns and unnamed))
        and not any(is_number(label) for label in second)
    )


def _asked(table: _Table, rows: Sequence[int]) -> list[int]:
    places = []
    for row in rows:
        if row not in table.numbers:
            raise DataError(
                f"header={excerpt(list(rows) if len(rows) > 1 else row)}: there is no such row "
                f"among the first {len(table.numbers)} that hold something; rows count from 1"
            )
        places.append(table.numbers.index(row))
    return places


def _build(table: _Table, places: list[int], doubts: tuple[Text, ...]) -> Header:
    """Return the header that some rows make."""
    rows = tuple(table.numbers[i] for i in places)
    titles = tuple(table.numbers[: places[0]])
    notes = []
    if titles:
        texts = [next(filter(None, table.rows[i])) for i in range(places[0])]
        notes.append(both("survey.read.note.titles", n=len(titles), text=excerpt(texts[0])))
    cells = [table.rows[i] for i in places]
    if is_import_row(cells[-1]) and len(places) > 1:
        names, texts = cells[0], cells[1] if len(cells) > 2 else []
        platform = Platform("qualtrics", ("ImportId",))
        notes.append(both("survey.read.note.qualtrics"))
    elif _is_old(table, places):
        names, texts = cells[0], cells[1]
        platform = Platform("qualtrics_legacy", tuple(cells[1][:3]))
        notes.append(both("survey.read.note.qualtrics_old"))
    elif len(places) == 2 and _is_surveymonkey(*cells):
        names, texts, note = _surveymonkey(*cells)
        own_headings = recognise(cells[0]).evidence
        platform = Platform("surveymonkey", own_headings or tuple(filter(None, cells[1]))[:1])
        notes.append(note)
    else:
        names, texts, more = _joined(table, places)
        platform, notes = recognise(names), [*notes, *more]
        if platform.name:
            notes.append(
                both(
                    f"survey.read.note.platform.{platform.name}",
                    headings=listed(map(repr, platform.evidence[:3])),
                )
            )
    width = max(table.widths[i] for i in places)
    return Header(
        tuple(names[:width]), rows, titles, tuple(texts[:width]), platform, tuple(notes), doubts
    )


def _joined(table: _Table, places: list[int]) -> tuple[list[str], list[str], list[Text]]:
    """Return names from rows of groups and labels, or names and their questions."""
    if len(places) == 1:
        return table.rows[places[0]], [], []
    levels = []
    for i, above in enumerate(places[:-1]):
        grouped = table.is_groups(above, places[i + 1]) or any(
            merge.row == above for merge in table.merges
        )
        levels.append(_to_the_right(table, above) if grouped else table.rows[above])
    grouped = any(levels[i] != table.rows[above] for i, above in enumerate(places[:-1]))
    last = table.rows[places[-1]]
    rows = listed(table.numbers[i] for i in places)
    if not grouped:
        # A row of names, and below it what they mean: the question, or the unit.
        names = table.rows[places[0]]
        texts = [" - ".join(filter(None, parts)) for parts in zip(*levels[1:], last, strict=True)]
        note = both("survey.read.note.names_and_texts", rows=rows)
        return names, texts, [note]
    header_cells = zip(*(table.rows[i] for i in places), strict=True)
    names = [
        " - ".join(dict.fromkeys(filter(None, parts))) if any(cells) else ""
        for parts, cells in zip(zip(*levels, last, strict=True), header_cells, strict=True)
    ]
    example = next((name for name in names if " - " in name), names[0])
    return names, [], [both("survey.read.note.groups", rows=rows, example=excerpt(example))]


def _to_the_right(table: _Table, row: int) -> list[str]:
    """Return a row of groups with each heading over all of its columns."""
    ends = {m.first: m.last for m in table.merges if m.row == row}
    names, heading, last = [], "", -1
    for j, text in enumerate(table.rows[row]):
        if text:
            heading, last = text, ends.get(j, table.width if not ends else j)
        names.append(heading if j <= last else "")
    return names


def _surveymonkey(first: list[str], second: list[str]) -> tuple[list[str], list[str], Text]:
    names: list[str] = []
    questions: list[str] = []
    question = ""
    for above, label in zip(first, second, strict=True):
        question = above or question
        name = question if is_plain_label(label) else f"{question} - {label}"
        if name in names and label:
            name = f"{question} - {label}"
        names.append(name)
        questions.append(question)
    n = sum(not is_plain_label(label) for label in second)
    return names, questions, both("survey.read.note.surveymonkey", n=n)


def numbered(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return names of which none stands twice, and those that got a number: ``q``, ``q.1``.

    Examples
    --------
    >>> numbered(["q", "q", "q.1", ""])
    (['q', 'q.2', 'q.1', ''], ['q.2'])
    """
    taken, counts, unique, new = set(names), Counter[str](), [], []
    for name in names:
        counts[name] += 1
        if not name or counts[name] == 1:
            unique.append(name)
            continue
        number = counts[name] - 1
        while f"{name}.{number}" in taken:
            number += 1
        unique.append(f"{name}.{number}")
        taken.add(unique[-1])
        new.append(unique[-1])
    return unique, new


def is_repeated(names: Sequence[str], rows: Mapping[int, Sequence[str]]) -> list[int]:
    """Return the numbers of rows that say the names again, as each page of a print-out does."""
    filled = [(j, name) for j, name in enumerate(names) if name]
    return [
        number
        for number, cells in rows.items()
        if len(filled) > 1 and all(j < len(cells) and cells[j] == name for j, name in filled)
    ]
