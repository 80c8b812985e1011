"""Personal data stay out of a report: columns left out, identifiers numbered, comments masked.

What is personal is declared in the codebook (`personal`), or found by heading or form
(`cxstats.find_personal_data`, which says what it cannot find). What became of each column is
returned, for the account of the data in the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import DataError
from cxstats.core.language import Text, both, listed
from cxstats.core.messages import no_column
from cxstats.survey.personal_data import find_personal_data, mask_personal_data

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.survey.codebook import Codebook

MOSTLY = (
    0.5  # of the filled cells that hold personal data, and nothing else, make a personal column
)
LEFT_OUT, NUMBERED, MASKED = "left_out", "numbered", "masked"


@dataclass(frozen=True, slots=True, eq=False)
class PrivateTable:
    """A table without personal data, and what was done.

    Attributes
    ----------
    frame : pandas.DataFrame
        Rows and labels as before.
    codebook : Codebook
        Without the groups and other columns that were left out.
    table : pandas.DataFrame
        One row a column: ``column, kind`` ("declared" where the codebook alone says so),
        ``found_by`` ("codebook", "heading", "form"), ``n`` (cells), ``done`` ("left_out",
        "numbered", "masked").
    notes : tuple of Text
        The same in a sentence each.
    """

    frame: pd.DataFrame
    codebook: Codebook
    table: pd.DataFrame
    notes: tuple[Text, ...]


def without_personal_columns(
    frame: pd.DataFrame, codebook: Codebook, keep: Sequence[str] = ()
) -> PrivateTable:
    """Return a table and its codebook without what tells who a person is.

    A column that is personal is left out. One that says which rows belong together (respondent,
    cluster) holds numbers instead, the same for the same person. In a column of texts in which
    personal data stand here and there, such as a comment, these are masked: ``***``. Answers on a
    scale, weights and waves stay.

    Parameters
    ----------
    frame : pandas.DataFrame
    codebook : Codebook
    keep : sequence of str
        Columns that stay as they are, because the caller says so.

    Raises
    ------
    DataError
        If a column to keep is not in the table.

    Examples
    --------
    >>> import cxstats as cx
    >>> import pandas as pd
    >>> book = cx.Codebook(questions={"nps": {"kind": "nps", "column": "q1"}}, personal=["staff"])
    >>> frame = pd.DataFrame({
    ...     "q1": [9, 3], "手机号": ["13800138000", "13900139000"], "staff": ["Li", "Wu"],
    ...     "why": ["fine", "call fang@example.org, I waited"],
    ... })
    >>> private = without_personal_columns(frame, book)
    >>> private.frame.values.tolist()
    [[9, 'fine'], [3, 'call ***, I waited']]
    >>> private.table[["column", "done"]].values.tolist()
    [['手机号', 'left_out'], ['staff', 'left_out'], ['why', 'masked']]
    """
    import pandas as pd

    for name in keep:
        if name not in frame.columns:
            raise DataError(f"keep: {no_column(name, frame.columns)}")
    rows = _personal(frame, codebook, keep)
    done = {row["column"]: row["done"] for row in rows}
    private = frame.copy()
    masked = [name for name, what in done.items() if what == MASKED]
    if masked:
        texts = mask_personal_data(frame[masked])[0]
        for name in masked:
            private[name] = texts[name]
    for name, what in done.items():
        if what == NUMBERED:
            private[name] = _numbered(frame[name])
    out = [name for name, what in done.items() if what == LEFT_OUT]
    private = private.drop(columns=out)
    private.attrs = dict(frame.attrs)
    table = pd.DataFrame(rows, columns=["column", "kind", "found_by", "n", "done"])
    return PrivateTable(private, _without(codebook, out), table, tuple(_notes(done)))


def quotable(texts: Iterable[Any]) -> list[Any]:
    """Return texts with their personal data masked by kind, to be quoted in a report.

    Examples
    --------
    >>> quotable(["请打13800138000", "Mr Smith was kind"])
    ['请打[电话]', 'Mr [name] was kind']
    """
    masked = mask_personal_data(list(texts))[0]
    return list(masked)


def _personal(frame: pd.DataFrame, book: Codebook, keep: Sequence[str]) -> list[dict[str, Any]]:
    """Return what is personal in each column, in the order of the table, and what is done."""
    answers = {*book.answer_columns, *book.point_columns, *book.rated_columns}
    answers |= {name for name in (book.weights, book.wave_column, book.duration) if name}
    of_texts = {q.column for q in book.questions.values() if q.kind == "text"}
    together = {name for name in (book.respondent, book.cluster) if name}
    evidence = find_personal_data(frame[[n for n in frame.columns if n not in answers]]).table
    rows = []
    for name in frame.columns:
        if name in keep or name in answers:
            continue
        of_column = evidence[evidence["column"] == name]
        filled = int(frame[name].notna().sum())
        row: dict[str, Any] = {"column": name, "n": filled}
        if name in book.personal:
            row |= {"kind": "declared", "found_by": "codebook", "done": LEFT_OUT}
        elif len(of_column):
            largest = of_column.sort_values("n", ascending=False, kind="stable").iloc[0]
            row |= {"kind": largest["kind"], "found_by": largest["found_by"]}
            row["n"] = int(largest["n"])
            within = largest["found_by"] == "form" and _is_within_texts(frame[name], row["n"])
            row["done"] = MASKED if within or name in of_texts else LEFT_OUT
        else:
            continue
        if name in together:
            row["done"] = NUMBERED
        rows.append(row)
    return rows


def _is_within_texts(column: pd.Series[Any], n: int) -> bool:
    """Return whether cells are texts in which personal data stand, not these data alone."""
    cells = column.dropna()
    if n < MOSTLY * len(cells):
        return True
    texts = [text for text in quotable(cells) if isinstance(text, str) and "[" in text]
    left = [re.sub(r"\[[^\]]*\]|[\W\d_]", "", text) for text in texts]
    return sum(map(bool, left)) > MOSTLY * n


def _numbered(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a number for each person, in the order of their first row; missing stays missing."""
    import pandas as pd

    codes, _ = pd.factorize(column.astype(object))
    return pd.Series(codes + 1, column.index, dtype="Int64").where(codes >= 0)


def _without(book: Codebook, out: Sequence[str]) -> Codebook:
    """Return the codebook without columns that are left out."""
    gone = set(out)
    groups: Any = book.groups
    if isinstance(groups, Mapping):
        groups = {name: value for name, value in groups.items() if name not in gone}
    questions = {
        name: question
        for name, question in book.questions.items()
        if question.kind in ("nps", "csat", "ces", "rating") or not gone & set(question.all_columns)
    }
    return replace(
        book,
        personal=[name for name in book.personal if name not in gone],
        other=[name for name in book.other if name not in gone],
        groups=groups,
        questions=questions,
        strata=None if book.strata in gone else book.strata,
    )


def _notes(done: Mapping[str, str]) -> list[Text]:
    """Say what was done, a sentence for each way."""
    notes = []
    for what in (LEFT_OUT, NUMBERED, MASKED):
        names = [name for name, way in done.items() if way == what]
        if names:
            notes.append(both(f"privacy.note.{what}", names=listed(names)))
    return notes
