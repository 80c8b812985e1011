"""Tables as people read them: heads in words, p values and degrees of freedom as they are written.

The kind of a column decides how its numbers are written, here and in every exported file. The
numbers of a result stay unrounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from math import floor, isfinite, log10
from sys import float_info
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.formats import format_number, format_percent, p_value_text
from cxstats.core.language import catalogue, check_lang, label

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

DEGREES_OF_FREEDOM = re.compile(r"(^|_)df(_|$)")
P_VALUE = re.compile(r"(^|_)p(_|$)|^p_(value|adjusted|fdr|wilcoxon)")
LIMITS = re.compile(r"(.*?)_?low$")
MOST_DECIMALS = 3
ROUNDING = 1e-12  # relative; 49.00000000000001 degrees of freedom are 49
HUGE = 1e15  # from here on a float has no digit after the point


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is shown.

    Attributes
    ----------
    kind : {"text", "whole", "number", "df", "p", "flag", "date"}
        What its cells are; degrees of freedom are whole, or have one place.
    decimals : int
        Decimal places of a number.
    """

    kind: str
    decimals: int = 0

    def decimals_of(self, value: float) -> int:
        """Return the decimals of a cell: more where those of its column leave one digit of it.

        Examples
        --------
        >>> import pandas as pd
        >>> hours = column_of(pd.Series([25000.0, 2.5, 0.833]), "estimate")
        >>> [hours.write(value, "en") for value in (25000.0, 2.5, 0.833)]
        ['25,000', '2.50', '0.833']
        """
        if self.kind == "p":
            return MOST_DECIMALS
        if self.kind == "df":
            return 0 if _is_whole(value) else 1
        if self.kind != "number" or not isfinite(value) or value == 0:
            return self.decimals
        size = floor(log10(abs(value)))
        if self.decimals + size > 0:
            return self.decimals
        return int(np.clip(MOST_DECIMALS - 1 - size, self.decimals, MOST_DECIMALS))

    def excel_format(self, value: Any) -> str:
        """Return the number format of a cell in a spreadsheet."""
        if self.kind == "date":
            return "yyyy-mm-dd"
        if self.kind in ("whole", "number", "df", "p") and _is_number(value):
            decimals = self.decimals_of(float(value))
            return "#,##0" + ("." + "0" * decimals if decimals else "")
        return "General"

    def write(self, value: Any, lang: str) -> str:
        """Return a cell as text; empty where there is no value."""
        if _is_missing(value):
            return ""
        if self.kind in ("whole", "number", "df", "p") and _is_number(value):
            return self._number(float(value))
        if self.kind == "flag":
            return label("table.yes" if value else "table.no", lang)
        if self.kind == "date":
            return str(value).removesuffix(" 00:00:00")
        return _cell_text(value, lang)

    def _number(self, value: float) -> str:
        return p_value_text(value) if self.kind == "p" else _finite(value, self.decimals_of(value))


def _is_number(value: Any) -> bool:
    """Return whether a cell is a number; a whole number that no float holds is a text."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return False
    return not isinstance(value, int) or abs(value) <= float_info.max


def _is_whole(number: float) -> bool:
    return isfinite(number) and abs(number - round(number)) <= ROUNDING * abs(number)


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return value is None or (np.ndim(value) == 0 and bool(pd.isna(value)))


def _finite(value: float, decimals: int) -> str:
    if not isfinite(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.3g}" if abs(value) >= HUGE else format_number(value, decimals)


def _cell_text(value: Any, lang: str) -> str:
    if hasattr(value, "get") and hasattr(value, "en"):  # a Text of both languages
        return str(value.get(lang))
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(_cell_text(item, lang) for item in value)
    return str(value)


def column_of(values: pd.Series[Any], name: str) -> Column:
    """Return how a column is shown, from its type and, for p values, its name.

    Examples
    --------
    >>> import pandas as pd
    >>> column_of(pd.Series([199.0, 18.0]), "df")
    Column(kind='whole', decimals=0)
    >>> column_of(pd.Series([0.04321]), "p_value").write(0.00001, "en")
    '< .001'
    """
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return Column("date")
    cells = [value for value in values.tolist() if not _is_missing(value)]
    if cells and all(isinstance(value, (bool, np.bool_)) for value in cells):
        return Column("flag")
    if not cells or not all(map(_is_number, cells)):
        return Column("text")
    return _number_column(np.abs([float(value) for value in cells if isfinite(value)]), name)


def _number_column(numbers: NDArray[np.float64], name: str) -> Column:
    if P_VALUE.search(name) and (numbers <= 1).all():
        return Column("p")
    if all(map(_is_whole, numbers)):
        return Column("whole")
    if DEGREES_OF_FREEDOM.search(name):
        return Column("df")
    size = floor(log10(numbers.max())) if numbers.max() > 0 else 0
    return Column("number", int(np.clip(MOST_DECIMALS - size, 0, MOST_DECIMALS)))


def head_of(name: object, lang: str | None = None) -> str:
    """Return the head of a column: its words in the catalogue, or its name without underscores.

    Examples
    --------
    >>> head_of("p_value"), head_of("my_column")
    ('p', 'my column')
    """
    key = f"column.{name}"
    return label(key, lang) if key in catalogue() else str(name).replace("_", " ")


def in_words(
    table: pd.DataFrame, codes: Mapping[str, str], lang: str | None = None
) -> pd.DataFrame:
    """Return a table with its codes in words; a code that the catalogue lacks stays.

    Parameters
    ----------
    table : pandas.DataFrame
        A cell may hold several codes, with "; " between them.
    codes : mapping of str to str
        Column, or name of the index, to the key of its words, ``{}`` where the code stands.
    lang : {"en", "zh"}, optional
        Language of the words.

    Examples
    --------
    >>> import pandas as pd
    >>> in_words(pd.DataFrame({"verdict": ["lost"]}), {"verdict": "verdict.{}"}, "zh").iloc[0, 0]
    '缺失'
    """
    texts, between = catalogue(), label("table.between", lang)

    @cache
    def words(cell: Any, key: str) -> Any:
        if not isinstance(cell, str):
            return cell
        keys = {code: key.format(code) for code in cell.split("; ")}
        return between.join(label(k, lang) if k in texts else code for code, k in keys.items())

    in_columns = table.assign(
        **{
            column: [words(cell, key) for cell in table[column]]
            for column, key in codes.items()
            if column in table.columns
        }
    )
    of_index = codes.get(str(table.index.name))
    return in_columns.rename(index=lambda cell: words(cell, of_index)) if of_index else in_columns


def with_index(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its index as columns, where the index says something."""
    import pandas as pd

    plain = isinstance(table.index, pd.RangeIndex) and table.index.name is None
    if plain:
        return table
    index = table.index.to_frame(index=False)
    index.columns = [
        name if name is not None else "" for name in table.index.names
    ]  # an index without a name has no head
    fresh = [name for name in index.columns if name not in table.columns]
    return pd.concat([index[fresh], table.reset_index(drop=True)], axis=1)


def display_table(
    table: pd.DataFrame, lang: str | None = None, level: float | None = None
) -> pd.DataFrame:
    """Return a table of text: heads in words, limits of an interval in one cell.

    Parameters
    ----------
    table : pandas.DataFrame
        The table of a result; columns ``x_low`` and ``x_high`` that stand side by side are the
        limits of an interval.
    lang : {"en", "zh"}, optional
        Language of the heads.
    level : float, optional
        Level of the intervals, for their heads.

    Returns
    -------
    pandas.DataFrame
        Text in every cell, one row for each of the table.

    Examples
    --------
    >>> import pandas as pd
    >>> raw = pd.DataFrame({"estimate": [0.123456], "ci_low": [0.1], "ci_high": [0.2]})
    >>> display_table(raw).iloc[0].tolist()
    ['0.123', '[0.100, 0.200]']
    """
    import pandas as pd

    lang = check_lang(lang)
    table = with_index(table)
    columns: list[tuple[str, list[str]]] = []
    high: str | None = None  # the upper limit that the column before has taken in
    for position, name in enumerate(map(str, table.columns)):
        if name == high:
            continue
        cells, stem = table.iloc[:, position], LIMITS.fullmatch(name)
        high = f"{name.removesuffix('low')}high" if stem else None
        pair = stem and list(map(str, table.columns[position + 1 : position + 2])) == [high]
        if pair:
            uppers = table.iloc[:, position + 1]
            head = _interval_head(name, lang, level)
            columns.append((head, _intervals(cells, uppers, lang)))
            continue
        high, style = None, column_of(cells, name)
        columns.append((head_of(name, lang), [style.write(value, lang) for value in cells]))
    frame = pd.DataFrame(dict(enumerate(cells for _, cells in columns)), index=range(len(table)))
    frame.columns = pd.Index([head for head, _ in columns])
    return frame


def _interval_head(name: str, lang: str, level: float | None) -> str:
    stem = name.removesuffix("low").removesuffix("_")
    head = head_of(stem or "range", lang)
    if level is None or not stem:  # "low" and "high" alone are ends of any kind
        return head
    return label("column.interval", lang, name=head, level=format_percent(100 * level, None, lang))


def _intervals(lows: pd.Series[Any], highs: pd.Series[Any], lang: str) -> list[str]:
    styles = [column_of(side, "") for side in (lows, highs)]
    widest = max(styles, key=lambda style: style.decimals)
    pairs = zip(lows, highs, strict=True)
    return [
        "" if _is_missing(low) and _is_missing(high)
        else f"[{widest.write(low, lang) or '–'}, {widest.write(high, lang) or '–'}]"
        for low, high in pairs
    ]  # fmt: skip


def numeric_heads(table: pd.DataFrame) -> list[bool]:
    """Return, for each column of a display table, whether its cells are numbers."""
    pattern = re.compile(r"[\s\[<>=−\-+.,\d\]∞–]*%?")
    return [
        any(cells) and all(pattern.fullmatch(cell) for cell in cells)
        for cells in (table.iloc[:, j].tolist() for j in range(table.shape[1]))
    ]


def table_html(
    table: pd.DataFrame,
    lang: str | None = None,
    rows: int | None = None,
    level: float | None = None,
    n_rows: int | None = None,
) -> str:
    """Return a table as HTML: numbers to the right, words to the left, everything escaped.

    Of `rows` rows at most; `n_rows` says how many there are, where `table` has the first only.
    """
    text = display_table(table if rows is None else table.iloc[:rows], lang, level)
    sides = ["right" if numeric else "left" for numeric in numeric_heads(text)]
    head = "".join(
        f'<th style="text-align: {side}">{escape(str(name))}</th>'
        for name, side in zip(text.columns, sides, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(
            f'<td style="text-align: {side}">{escape(cell)}</td>'
            for cell, side in zip(row, sides, strict=True)
        )
        + "</tr>"
        for row in text.itertuples(index=False, name=None)
    )
    more = (len(table) if n_rows is None else n_rows) - len(text)
    below = f"\n<p>{escape(label('table.more', lang, n=format_number(more)))}</p>" if more else ""
    return (
        f'<table border="0" class="dataframe">\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table>{below}"
    )
