"""Answers by their codebook: the one way in which every method reads a table.

`coded` turns columns into numbers: labels and codes into numbers, missing codes into missing
answers, low-is-best and reverse items turned, the scale checked, names of groups merged.
`by_codebook` makes a method do so with the columns that its arguments name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from inspect import BoundArguments, signature
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numpy as np

from cxstats.core import moments as core_moments
from cxstats.core.engines import (
    as_number,
    as_pandas,
    dotted_names_said,
    fetched,
    first_row,
    is_lazy,
    is_too_large,
)
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both, listed
from cxstats.core.moments import Moments
from cxstats.core.order_of_waves import in_order
from cxstats.core.progress import long_work
from cxstats.stats.sampling_design import Design
from cxstats.survey.answer_flags import CODED, FINE, NOT_A_NUMBER, Parsed, flags_of, parse
from cxstats.survey.answers import (
    READ,
    answers_of,
    labels_of,
    respondent_name,
    turned_before,
    turns,
    wrong_answer,
)
from cxstats.survey.codebook import Codebook, as_codebook, has_points
from cxstats.survey.group_names import merged

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

SAMPLING = ("weights", "cluster", "strata", "design")


def coded(table: Any, codebook: Any, columns: Iterable[str] | None = None) -> Any:
    """Return a table whose columns hold what the codebook says that they mean.

    Answers become numbers as in `cxstats.clean`, and names of groups that mean another become that
    one. Columns that the codebook does not declare stay as they are, and so do those that `clean`
    or this function has read already. pandas keeps the mark of this (``attrs``), other engines do
    not: give them what was read from the file.

    Parameters
    ----------
    table : pandas, Polars (eager or lazy), PyArrow table or DuckDB relation
        It is never changed. Rows of a lazy one are not collected: its engine counts answers off
        the scale and lists the different texts.
    codebook : Codebook, mapping of its keys, path, or name of one that ships
    columns : iterable of str, optional
        Those to read; without it, every declared one that stands in the table.

    Raises
    ------
    DataError
        Naming row, respondent, column and value of an answer that is not allowed, and what is.

    Examples
    --------
    >>> import pandas as pd
    >>> book = {"scale": (1, 5), "constructs": {"A": ["a"]}, "answers": {"good": 5}, "best": "low",
    ...         "missing": [-9]}
    >>> coded(pd.DataFrame({"a": ["good", 2, -9], "b": ["x", "y", "z"]}), book)["a"].tolist()
    [1.0, 4.0, nan]
    """
    import pandas as pd

    book = as_codebook(codebook)
    wanted = tuple(dict.fromkeys(book.all_columns if columns is None else columns))
    if isinstance(table, pd.DataFrame):
        return _coded_frame(table, book, wanted)
    return _coded_table(table, book, wanted)


def _coded_frame(frame: pd.DataFrame, book: Codebook, columns: Sequence[str]) -> pd.DataFrame:
    result = frame.copy(deep=False)
    answered = {*book.answer_columns, *book.point_columns, *book.rated_columns}
    there = list(frame.columns)
    columns = [column for column in columns if there.count(column) == 1]
    for column in columns:
        if column in answered:
            result[column] = answers_of(frame, book, column)
        elif column in (*book.group_columns, book.wave_column):
            result[column] = _named_groups(frame[column], book, column)
    # A new mapping: that of a copy is the one of the frame itself.
    read = tuple(dict.fromkeys((*frame.attrs.get(READ, ()), *columns)))
    result.attrs = {**frame.attrs, READ: read, **_marks(frame, book, read)}
    return result


def _marks(frame: pd.DataFrame, book: Codebook, read: Sequence[str]) -> dict[Hashable, Any]:
    """Return the marks that `cxstats.clean` leaves of what is done."""
    unread = [column for column in book.answer_columns if column not in read]
    waiting = {book.item_of(column) for column in unread if column in frame.columns}
    there = {book.name_of(column) for column in read if book.bounds_of(column)}
    before = turned_before(frame)
    turned = [name for name in book.turned if name in there and name not in waiting]
    codes = [column for column in read if book.answer_labels(column).codes]
    return {
        "reversed": tuple(dict.fromkeys((*before, *turned))),
        CODED: tuple(dict.fromkeys((*frame.attrs.get(CODED, ()), *codes))),
    }


def group_order(book: Codebook | None, column: str) -> tuple[Any, ...]:
    """Return the order in which the codebook says that the groups of a column stand."""
    if book is None:
        return ()
    order = tuple(book.groups.get(column, {}).get("order", ()))
    return order or ((book.wave_order or ()) if column == book.wave_column else ())


def _named_groups(series: pd.Series[Any], book: Codebook, column: str) -> pd.Series[Any]:
    """Return groups under their declared names; as ordered categories, where they have an order."""
    same = book.groups.get(column, {}).get("same")
    series = merged(series, same) if same else series
    return as_ordered(series, group_order(book, column))


def as_ordered(series: pd.Series[Any], order: Sequence[Any]) -> pd.Series[Any]:
    """Return groups as ordered categories; those that no order names come last."""
    import pandas as pd

    if not order:
        return series
    there = list(series.dropna().unique())
    others = in_order(group for group in there if group not in order)
    categories = [*(group for group in order if group in there), *others]
    kind = pd.CategoricalDtype(categories, ordered=True)
    return series.astype(object).astype(kind)


def _coded_table(native: Any, book: Codebook, columns: Sequence[str]) -> Any:
    """Return the table of another engine with its columns read, by its own expressions."""
    import narwhals as nw

    try:
        table: Any = nw.from_native(native)
        schema = table.collect_schema()
    except TypeError:
        return native  # the method says what it takes
    answered = {*book.answer_columns, *book.point_columns, *book.rated_columns}
    expressions: dict[str, Any] = {}
    checks: dict[str, Any] = {}
    for column in (column for column in columns if column in schema.names()):
        kind, same = schema[column], book.groups.get(column, {}).get("same")
        if column in answered and kind.is_numeric():
            expressions[column], checks[column] = _of_numbers(book, column, kind)
        elif column in answered:
            expressions[column] = _of_texts(table, book, column, kind)
        elif same:
            expressions[column] = _renamed(column, kind, same)
    _check_scales(table, book, checks)
    if not expressions:
        return native
    return table.with_columns(*(x.alias(name) for name, x in expressions.items())).to_native()


def _of_numbers(book: Codebook, column: str, kind: Any) -> tuple[Any, Any]:
    """Return the answers of a column of numbers as an expression, and whether one is wrong."""
    import narwhals as nw

    cell = as_number(column, kind).cast(nw.Float64)
    x = cell
    for code, number in labels_of(book, column).codes.items():
        x = nw.when(cell == code).then(nw.lit(number)).otherwise(x)
    if book.missing_numbers:
        x = nw.when(~x.is_in([float(code) for code in book.missing_numbers])).then(x)
    bounds = book.bounds_of(column)
    low, high = bounds or (0, np.inf)
    wrong = (x < low) | (x > high) | (x == np.inf)
    if bounds and has_points(low, high):
        wrong = wrong | (x > x.floor())
    return _turned(x, book, column), wrong


def _turned(x: Any, book: Codebook, column: str) -> Any:
    if not turns(book, column):
        return x
    low, high = book.bounds_of(column) or (0, 0)
    return low + high - x


def _check_scales(table: Any, book: Codebook, checks: Mapping[str, Any]) -> None:
    """Raise for the first answer off its scale; one pass of the engine for all columns."""
    import narwhals as nw

    if not checks:
        return
    names = [f"wrong{i}" for i in range(len(checks))]
    counts = (
        nw.when(wrong).then(nw.lit(1)).otherwise(nw.lit(0)).sum().alias(name)
        for name, wrong in zip(names, checks.values(), strict=True)
    )
    totals = fetched(table.lazy().select(*counts))
    for name, (column, wrong) in zip(names, checks.items(), strict=True):
        count = totals[name].iloc[0]
        if count and count == count:  # noqa: PLR0124  (no rows: the sum may be missing)
            _raise_first(table, book, column, wrong, int(count))


def _raise_first(table: Any, book: Codebook, column: str, wrong: Any, count: int) -> None:
    """Raise for the first row whose answer is wrong."""
    import pandas as pd

    names = table.collect_schema().names()
    respondent = [name for name in (book.respondent,) if name in names and name != column]
    row, cells = first_row(table, wrong, [column, *cast("list[str]", respondent)])
    value = cells[column]
    parsed = parse(pd.Series([value], dtype=object), labels_of(book, column), book.missing_texts)
    flag = flags_of(parsed, book.bounds_of(column), book.missing_numbers)[0]
    who = respondent_name(cells[respondent[0]]) if respondent else ""
    where = (f"row {row}" if row is not None else "") + who
    raise DataError(wrong_answer(book, column, where, value, flag, count))


def _of_texts(table: Any, book: Codebook, column: str, kind: Any) -> Any:
    """Return the answers of a column of texts as an expression: its different texts are read."""
    import narwhals as nw
    import pandas as pd

    if kind not in (nw.String, nw.Categorical, nw.Enum):
        raise DataError(f"column {column!r} holds {kind}; allowed: numbers, or declared answers")
    cell = nw.col(column).cast(nw.String)
    different = fetched(table.lazy().select(cell.alias("text")).unique())
    texts = pd.Series([text for text in different["text"] if isinstance(text, str)], dtype=object)
    parsed = parse(texts, labels_of(book, column), book.missing_texts)
    flags = flags_of(parsed, book.bounds_of(column), book.missing_numbers)
    wrong = texts[flags >= NOT_A_NUMBER].tolist()
    if wrong:
        condition = cell.is_in(wrong)
        counted = fetched(table.lazy().filter(condition).select(nw.len().alias("n")))
        _raise_first(table, book, column, condition, int(counted["n"].iloc[0]))
    return _turned(_looked_up(cell, texts, parsed, flags), book, column)


def _looked_up(cell: Any, texts: pd.Series[Any], parsed: Parsed, flags: NDArray[np.int8]) -> Any:
    """Return the number of each text as an expression; null where it is no answer."""
    import narwhals as nw

    x = nw.when(cell.is_null()).then(nw.lit(None, nw.Float64)).otherwise(nw.lit(None, nw.Float64))
    fine = flags == FINE
    for number in np.unique(parsed.values[fine]):
        its_texts = texts[fine & (parsed.values == number)].tolist()
        x = nw.when(cell.is_in(its_texts)).then(nw.lit(float(number))).otherwise(x)
    return x


def _renamed(column: str, kind: Any, same: Mapping[Any, Any]) -> Any:
    """Return groups under their declared names, as an expression."""
    import narwhals as nw

    coded_texts = kind in (nw.Categorical, nw.Enum)
    cell = nw.col(column).cast(nw.String) if coded_texts else nw.col(column)
    x = cell
    for written, name in same.items():
        x = nw.when(cell == written).then(nw.lit(name)).otherwise(x)
    return x


def by_codebook(
    columns: Callable[[Codebook, Mapping[str, Any]], Iterable[str]] | None = None,
    *,
    frame: str | None = None,
    question: str | None = None,
    scales: str | None = None,
    sampling: Sequence[str] = SAMPLING,
    constructs: bool = False,
    in_memory: bool | Callable[[Mapping[str, Any]], bool] = False,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a method with ``codebook=`` read its table by that codebook.

    The columns that its other arguments name are read by `coded`; and where the caller names no
    sampling design (no `weights`, `cluster`, `strata`, `design`, not even None), the method gets
    that of the codebook. A result says in its notes which columns of the design the method left
    out, since it has no argument for them. The method gets the codebook itself as a `Codebook`.
    With or without a codebook, a call of more than two seconds shows a bar.

    Parameters
    ----------
    columns : callable (codebook, arguments), optional
        The columns that are read, where the arguments do not name them.
    frame : str, optional
        The argument with the table; without it, the first.
    question : str, optional
        The kind of question that a metric is of. Its `column` may then be the name of a question,
        or be left out where there is one of that kind; its `scale`, and which end of it is good
        (high, once it is read), are the codebook's.
    scales : str, optional
        The argument with the columns whose `scale` is the codebook's unless it is named.
    sampling : sequence of str
        The arguments of the method that say how respondents were sampled.
    constructs : bool
        Whether a mapping of constructs to their items, without a scale, will do.
    in_memory : bool, or callable (arguments) -> bool
        Whether the method takes the table into memory and compares groups: then as pandas, which
        keeps their declared order. A callable is asked for lazy tables alone; others are in memory.

    Examples
    --------
    >>> import pandas as pd
    >>> @by_codebook()
    ... def total(frame, column, *, weights=None, codebook=None):
    ...     return float(frame[column].sum()), weights
    >>> book = {"scale": (1, 5), "constructs": {"A": ["a"]}, "best": "low", "weights": "w"}
    >>> frame = pd.DataFrame({"a": [1, 2], "w": [1, 1]})
    >>> total(frame, "a", codebook=book), total(frame, "a", weights=None, codebook=book)
    ((9.0, 'w'), (9.0, None))
    """

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        form, task_name = signature(method), method.__name__.replace("_", " ")

        table = frame or next(iter(form.parameters))

        @wraps(method)
        def read_by_codebook(*args: P.args, **kwargs: P.kwargs) -> R:
            with long_work(task_name):
                try:
                    bound = form.bind(*args, **kwargs)
                except TypeError:
                    return method(*args, **kwargs)  # which says what is lacking
                with dotted_names_said(bound.arguments.get(table)):
                    if bound.arguments.get("codebook") is None:
                        return method(*args, **kwargs)
                    return with_codebook(bound)

        def with_codebook(bound: BoundArguments) -> R:
            arguments = bound.arguments
            data = arguments.get(table)
            book = as_codebook(arguments["codebook"], data if constructs else None)
            has = [name for name in sampling if name in form.parameters]
            left_out: tuple[str, ...] = ()
            has_rows = not isinstance(data, Moments | Mapping)
            if book.design and has_rows and not any(name in arguments for name in has):
                arguments |= _lent(book.design, has)
                left_out = _left_out(book.design, has)
            arguments["codebook"] = book
            if question is not None:
                _ask(question, book, arguments, form.parameters)
            if scales is not None and arguments.get("scale") is None:
                arguments |= _scales(book, arguments.get(scales))
            names = columns(book, arguments) if columns else _columns_named(arguments, table)
            if has_rows:
                if _in_memory(in_memory, data, arguments):
                    named = _columns_named(arguments, table)
                    data = as_pandas(data, [*book.all_columns, *named, *_designed(arguments)])
                arguments[table] = _read(data, book, names)
            result = method(*bound.args, **bound.kwargs)
            labelled = getattr(result, "labelled", None)  # where a result names columns
            return cast("R", _with_note(labelled(book) if labelled else result, left_out))

        return read_by_codebook

    return decorate


def _in_memory(
    in_memory: bool | Callable[[Mapping[str, Any]], bool], data: Any, arguments: Mapping[str, Any]
) -> bool:
    """Return whether a table is to be fetched before it is read."""
    if callable(in_memory) and is_lazy(data):
        return in_memory(arguments) and not is_too_large(data)
    return bool(in_memory) and not is_too_large(data)


def _read(data: Any, book: Codebook, columns: Iterable[str]) -> Any:
    """Return a table as it is read."""
    named = any(hasattr(type(data), name) for name in ("columns", "column_names", "collect"))
    if isinstance(data, list | tuple) or (hasattr(type(data), "__array__") and not named):
        raise CxError(
            f"codebook= reads the columns of a table by their names, and a {type(data).__name__} "
            "has none: give the table, and name the column"
        )
    return coded(data, book, [name for name in columns if name in book.all_columns])


def _ask(kind: str, book: Codebook, arguments: dict[str, Any], allowed: Iterable[str]) -> None:
    """Put the column of a question, its scale and its good end among a metric's arguments."""
    name = arguments.get("column")
    if name is None:
        column = book.question(kind).column
    else:
        column = book.questions[name].column if name in book.questions else name
    arguments["column"] = column
    if not isinstance(column, str) or (bounds := book.bounds_of(column)) is None:
        return
    if "low" in allowed:
        for end, bound in zip(("low", "high"), bounds, strict=True):
            arguments.setdefault(end, bound)
    if "scale" in allowed and arguments.get("scale") is None:
        arguments["scale"] = bounds
    if "direction" in allowed and arguments.get("direction") is None:
        arguments["direction"] = "ease"
    if "best" in allowed and turns(book, column):
        arguments["best"] = "high"


def _scales(book: Codebook, columns: Any) -> dict[str, Any]:
    """Return the scale of every column as a method's argument; nothing unless all have one."""
    ends = {column: book.bounds_of(column) for column in _texts(columns)}
    return {"scale": ends} if ends and all(ends.values()) else {}


def notes_of_turning(book: Codebook | None, column: str | None) -> list[Text]:
    """Return the note on a mean of answers that the codebook turns."""
    if book is None or column is None or not turns(book, column):
        return []
    low, high = book.bounds_of(column) or (0, 0)
    ends = {"low": f"{low:g}", "high": f"{high:g}"}
    return [both("survey.note.turned", column=repr(column), **ends)]


def _columns_named(arguments: Mapping[str, Any], table: str) -> Iterable[str]:
    """Yield every text among the arguments; of a model the words of its syntax."""
    for name, value in arguments.items():
        if name == "model" and isinstance(value, str):
            yield from re.findall(r"[\w.]+", value)
        elif name not in (table, "codebook"):
            yield from _texts(value)


def _designed(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of a sampling design among the arguments."""
    design = arguments.get("design")
    return design.columns if isinstance(design, Design) else ()


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple | set):
        for entry in value:
            yield from _texts(entry)


def _lent(design: Design, names: Sequence[str]) -> dict[str, Any]:
    """Return a sampling design as those arguments of a method that stand for it."""
    if "design" in names:
        return {"design": design}
    return {name: getattr(design, name) for name in names if getattr(design, name)}


def _left_out(design: Design, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a design that a method has no argument for."""
    if "design" in names:
        return ()
    design_columns = ("weights", "cluster", "strata")
    columns = (getattr(design, part) for part in design_columns if part not in names)
    return tuple(column for column in columns if column is not None)


def _with_note(result: Any, left_out: Sequence[str]) -> Any:
    """Return a result that says which columns of a sampling design were left out."""
    if not left_out or "notes" not in getattr(result, "__dataclass_fields__", ()):
        return result
    note = both("survey.note.no_design", columns=listed([repr(name) for name in left_out]))
    return replace(result, notes=(*result.notes, note))


def _moment_columns(book: Codebook, arguments: Mapping[str, Any]) -> Sequence[str]:
    """Return the columns that `moments` reads: the items, where none are named."""
    named: Sequence[str] | None = arguments.get("columns")
    by = arguments.get("by")
    return [*(book.columns() if named is None else named), *([by] if by is not None else [])]


@by_codebook(_moment_columns)
def moments(
    frame: Any,
    columns: Sequence[str] | None = None,
    by: str | None = None,
    weights: str | None = None,
    *,
    codebook: Any = None,
) -> Any:
    """Compute n, means and covariances in one pass over the data; see `cxstats.core.moments`.

    Parameters
    ----------
    frame, columns, by, weights
        As `cxstats.core.moments.moments`.
    codebook : Codebook, mapping, path or name, optional
        Its items are the columns where none are named. It lends labels, missing codes, direction,
        names of groups, and its weights unless they are named here (``weights=None`` names none).
        Clusters and strata change errors only, which moments have not.

    Returns
    -------
    Moments, or dict of group to Moments with `by`

    Examples
    --------
    >>> import pandas as pd
    >>> book = {"scale": (1, 5), "constructs": {"A": ["x", "y"]}, "reverse": ["y"]}
    >>> m = moments(pd.DataFrame({"x": [1, 2, 5], "y": [5, 3, 2]}), codebook=book)
    >>> m.names, m.mean.round(3).tolist()
    (('x', 'y'), [2.667, 2.667])
    """
    if columns is None and codebook is not None:
        columns = codebook.columns()
    return core_moments.moments(frame, columns, by, weights)
