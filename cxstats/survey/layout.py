"""How respondents lie in a table: one row each, or several, which have to be brought into one."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple

from cxstats.survey.platforms import plain

if TYPE_CHECKING:
    import pandas as pd

ROLES = {plain(word): role for role, words in {
    "expectation": ("expectation", "expected", "expectations", "E", "importance", "Erwartung",
                    "attente", "期望", "期望值", "重要性"),
    "perception": ("perception", "perceived", "perceptions", "P", "performance", "actual",
                   "Wahrnehmung", "perçu", "感受", "感知", "实际", "实际感受", "体验", "满意度"),
    "minimum": ("minimum", "adequate", "最低", "最低要求", "可接受"),
}.items() for word in words}  # fmt: skip
FEW, LEAST = 8, 6  # columns of a long table at most, rows at least
LOOKED_AT = 1_000  # rows that tell most columns from one of roles


class Layout(NamedTuple):
    """How respondents lie: "wide", "long" or "rows_per_role", and the call that makes it wide."""

    name: str = "wide"
    call: str = ""


def find_layout(frame: pd.DataFrame) -> Layout:
    """Return how respondents lie in a table.

    "long": one row per respondent, item and (maybe) role, with one column of values;
    "rows_per_role": one row per respondent and role, named by a column such as 期望 and 感受.
    Only where the rows are told apart by just these columns.

    Examples
    --------
    >>> import pandas as pd
    >>> ids, items = [1, 1, 2, 2, 3, 3], ["t1", "t2"] * 3
    >>> long = pd.DataFrame({"id": ids, "item": items, "answer": [5, 4, 3, 5, 1, 2]})
    >>> find_layout(long).call
    "frame.pivot(index='id', columns='item', values='answer').reset_index()"
    """
    frame = frame.reset_index(drop=True)  # the index has a name, which a column may have too
    roles = [name for name in frame.columns if _is_role(frame[name])]
    if roles:
        layout = _rows_per_role(frame, roles[0])
        if layout.name != "wide":
            return layout
    if frame.shape[1] <= FEW and len(frame) >= LEAST:
        return _long(frame)
    return Layout()


def _is_role(column: pd.Series[Any]) -> bool:
    if len(column.head(LOOKED_AT).dropna().unique()) > 3:
        return False
    values = column.dropna().unique()
    return 2 <= len(values) <= 3 and all(
        isinstance(value, str) and plain(value) in ROLES for value in values
    )


def _rows_per_role(frame: pd.DataFrame, role: Any) -> Layout:
    """Return the layout of a table with a column of roles: wide, if no column names respondents."""
    n_roles = frame[role].nunique()
    for respondent in frame.columns:
        if respondent == role or frame[respondent].nunique() * n_roles != len(frame):
            continue
        if not frame.duplicated([respondent, role]).any():
            call = f"frame.pivot(index={respondent!r}, columns={role!r})"
            flat = "wide.columns = [f'{role} - {item}' for item, role in wide.columns]"
            return Layout("rows_per_role", f"wide = {call}; {flat}")
    return Layout()


def _long(frame: pd.DataFrame) -> Layout:
    """Return the layout of a table that may have a row for each answer."""
    roles = [name for name in frame.columns if _is_role(frame[name])]
    numbers = [name for name in frame.columns if frame[name].dtype.kind in "if"]
    keys = [name for name in frame.columns if frame[name].nunique() < len(frame)]
    for respondent, item in permutations([name for name in keys if name not in roles], 2):
        by = [respondent, item, *roles[:1]]
        values = [name for name in numbers if name not in by]
        if len(values) != 1 or not _crossed(frame, respondent, item, by):
            continue
        columns = [item, *roles[:1]] if roles else item
        call = f"frame.pivot(index={respondent!r}, columns={columns!r}, values={values[0]!r})"
        if roles:
            flat = "wide.columns = [f'{role} - {item}' for item, role in wide.columns]"
            return Layout("long", f"wide = {call}; {flat}")
        return Layout("long", f"{call}.reset_index()")
    return Layout()


def _crossed(frame: pd.DataFrame, respondent: Any, item: Any, by: list[Any]) -> bool:
    """Return whether every respondent has (nearly) every item, once, and items are texts."""
    if frame[item].dtype.kind not in "OUT" or frame.duplicated(by).any():
        return False
    n, k = frame[respondent].nunique(), frame[item].nunique()
    if n < 2 or k < 2 or (n < k and frame[respondent].dtype.kind not in "if"):
        return False
    pairs = len(frame.drop_duplicates([respondent, item]))
    each = frame.groupby(respondent)[item].nunique()
    return bool(pairs >= 0.9 * n * k and each.min() > 1 and n * k <= 1.1 * pairs)
