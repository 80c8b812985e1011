"""Transactions: who paid how much and when; read through any engine, checked, with a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.cells import as_floats, check_group_values
from cxstats.core.engines import (
    as_number,
    as_pandas,
    as_time,
    dotted_names_said,
    fetched,
    first_row,
    is_pandas,
    is_synthetic,
)
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import Text, both, label, listed
from cxstats.core.messages import excerpt, listing, no_column, row_name
from cxstats.core.progress import long_work
from cxstats.core.result import Result
from cxstats.operations.timestamps import read_times

if TYPE_CHECKING:
    import pandas as pd

ROLES = ("customer", "time", "amount", "channel", "product", "currency")
RULES = {
    "missing": ("drop", "refuse"),
    "duplicates": ("keep", "drop", "refuse"),
    "zeros": ("keep", "drop", "refuse"),
    "refunds": ("net", "drop", "refuse"),
    "future": ("refuse", "drop", "keep"),
}
# Dates that programs write where they have none: of spreadsheets, databases and clocks.
PLACEHOLDERS = ("1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01")
ISO_DAY = "%Y-%m-%d"
ENGINES = (
    "polars", "duckdb", "_duckdb", "pyarrow", "narwhals", "pyspark", "py4j", "ibis", "dask",
    "sqlframe",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Transactions(Result):
    """Checked transactions.

    Attributes
    ----------
    table : pandas.DataFrame
        The report, one row per check: ``problem`` ("missing_customer", "missing_time",
        "missing_amount", "missing_currency", "duplicate", "future", "zero", "refund",
        "placeholder"), ``n`` (rows that have it), ``share`` (of all rows read), ``amount`` (their
        money), ``action`` ("none" where no row has the problem; "keep", "drop", "net").
    data : narwhals DataFrame or LazyFrame
        One row per transaction that is used: ``customer, time, amount`` and, as far as named,
        ``channel, product``. Lazy where the table was.
    n : int
        Transactions used, refunds among them.
    n_customers : int
    n_refunds : int
        Transactions with a negative amount.
    first, last : pandas.Timestamp
        Day of the first and of the last transaction.
    total : float
        Sum of the amounts, refunds subtracted.
    currency : str
        The one currency of the amounts; empty where none was named, or several were converted.
    synthetic : bool
        Whether the transactions are simulated.
    notes : tuple of Text
    """

    table: pd.DataFrame
    data: Any
    n: int
    n_customers: int
    n_refunds: int
    first: pd.Timestamp
    last: pd.Timestamp
    total: float
    currency: str
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {
        "problem": "customers.problem.{}",
        "action": "customers.action.{}",
    }

    def findings(self, lang: str) -> list[str]:
        """Return what there is, and what the checks met."""
        lines = [
            label(
                "customers.transactions.head",
                lang,
                n=format_number(self.n),
                customers=format_number(self.n_customers),
                first=f"{self.first:%Y-%m-%d}",
                last=f"{self.last:%Y-%m-%d}",
                total=format_number(self.total, 2),
                currency=self.currency and f" {self.currency}",
            )
        ]
        for _, row in self.table[self.table["n"] > 0].iterrows():
            lines.append(
                label(
                    "customers.transactions.line",
                    lang,
                    problem=label(f"customers.problem.{row['problem']}", lang),
                    n=format_number(row["n"]),
                    share=format_percent(100 * row["share"], 2, lang),
                    action=label(f"customers.action.{row['action']}", lang),
                )
            )
        return lines


@long_work("transactions")
def transactions(  # noqa: PLR0913  (one keyword for each column, and one for each rule)
    frame: Any,
    *,
    customer: str | None = None,
    time: str | None = None,
    amount: str | None = None,
    channel: str | None = None,
    product: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    missing: str = "drop",
    duplicates: str = "keep",
    zeros: str = "keep",
    refunds: str = "net",
    future: str = "refuse",
    today: Any = None,
    time_format: str | None = None,
) -> Transactions:
    """Check a table of transactions, one row each, and state what is done with doubtful ones.

    A lazy table (Polars, DuckDB) stays lazy: its engine counts, and rows are never collected.

    Parameters
    ----------
    frame : pandas, Polars (eager or lazy), PyArrow table or DuckDB relation
    customer, time, amount : str
        Columns of who, when and how much. Columns of these names are taken where none is named.
    channel, product : str, optional
        Columns that are passed on.
    currency : str, optional
        Column of currencies. Several need `rates`.
    rates : mapping of str to float, optional
        What one unit of each currency is worth in the currency of the result.
    missing : {"drop", "refuse"}
        Rows without customer, time, amount or currency; blank text is missing, too.
    duplicates : {"keep", "drop", "refuse"}
        Rows that repeat an earlier one in every column of the table, not only in those named here.
        Two equal purchases on one day are possible, so they are counted and kept.
    zeros : {"keep", "drop", "refuse"}
        Amounts of 0. If kept, they count as purchases that bring nothing.
    refunds : {"net", "drop", "refuse"}
        Negative amounts. With "net" they lower what a customer spent in the period in which they
        fall; they never count as a purchase. With "drop" they are left out.
    future : {"refuse", "drop", "keep"}
        Times after `today`.
    today : date, optional
        The last day that can be; today's date without it.
    time_format : str, optional
        Form of times that are text, as ``"%d.%m.%Y"``. Without it ISO 8601; in a lazy table,
        ``"%Y-%m-%d"``. Days are those of the clock of the times: a column with a time zone is
        counted in it, and text with offsets is refused.

    Raises
    ------
    DataError
        If a column is missing or of the wrong kind, an amount is infinite, a row has what is
        refused, currencies lack a rate, or no row is left.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {
    ...         "who": ["a", "a", "b", "b", None],
    ...         "day": ["2024-01-03", "2024-02-01", "2024-01-20", "2024-01-22", "2024-02-02"],
    ...         "paid": [10.0, 0.0, 30.0, -5.0, 7.0],
    ...     }
    ... )
    >>> checked = transactions(frame, customer="who", time="day", amount="paid")
    >>> checked.n, checked.n_customers, checked.total
    (4, 2, 35.0)
    >>> checked.table.loc[checked.table["n"] > 0, ["problem", "n", "action"]].values.tolist()
    [['missing_customer', 1, 'drop'], ['zero', 1, 'keep'], ['refund', 1, 'net']]
    """
    rules = {
        "missing": missing,
        "duplicates": duplicates,
        "zeros": zeros,
        "refunds": refunds,
        "future": future,
    }
    for option, rule in rules.items():
        if rule not in RULES[option]:
            allowed = ", ".join(map(repr, RULES[option]))
            raise CxError(f"{option}={rule!r} is not allowed; allowed: {allowed}")
    names = dict(
        zip(ROLES, (customer or "customer", time or "time", amount or "amount", channel, product,
                    currency), strict=True)
    )  # fmt: skip
    columns = {role: str(name) for role, name in names.items() if name is not None}
    day = as_day("today", today)
    try:
        with dotted_names_said(frame):
            return _checked(frame, columns, rules, rates, day, time_format)
    except CxError:
        raise
    except Exception as error:
        # A lazy engine reads texts as times, or casts, only when it counts.
        if type(error).__module__.split(".")[0] not in ENGINES:
            raise
        raise DataError(
            f"the engine could not read the table: {str(error).splitlines()[0]}; columns used: "
            f"{listing(columns.values())}; texts in {columns['time']!r} are read in the form "
            f"{time_format or ISO_DAY!r}"
        ) from error


def _checked(
    frame: Any,
    columns: Mapping[str, str],
    rules: Mapping[str, str],
    rates: Mapping[str, float] | None,
    today: pd.Timestamp,
    time_format: str | None,
) -> Transactions:
    table = _table(frame, columns["amount"])
    _check_columns(table, columns)
    n_rows = _numbers(table, n=_count())["n"]
    if not n_rows:
        raise DataError("the table has no rows")
    unique = _unique(table)
    n_duplicates = n_rows - _numbers(unique, n=_count())["n"]
    if rules["duplicates"] == "drop" and n_duplicates:
        table = unique
    plain = _plain(table, columns, time_format)
    data, currency, notes = _in_one_currency(plain, columns, rates)
    conditions = _conditions(data, today)
    numbers = _counts(data, conditions)
    if numbers["n_infinite"]:
        place = _place(plain, conditions["infinite"], columns, "amount")
        raise DataError(f"{place}; allowed: finite numbers")
    report = _report(conditions, numbers, n_rows, n_duplicates, rules)
    _refuse(plain, conditions, columns, report, today)  # amounts as in the file, not converted
    for problem, action in zip(report["problem"], report["action"], strict=True):
        if action == "drop" and problem in conditions:
            data = data.filter(~_holds(conditions[problem]))
    data = data.select([role for role in columns if role != "currency"])
    synthetic = is_synthetic(frame)
    return _summary(data, report, currency, synthetic, notes)


def _table(frame: Any, amount: str) -> Any:
    """Return any table as Narwhals has it, names of columns as text."""
    import narwhals as nw

    if is_pandas(frame) and hasattr(frame, "columns"):
        names = [str(name) for name in frame.columns]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise DataError(f"column {twice[0]!r} stands twice in the table")
        # An index may bear the name of a column.
        frame = frame.set_axis(names, axis=1).rename_axis(index=[None] * frame.index.nlevels)
        if amount in names and _are_numbers(frame[amount]):
            frame = frame.assign(**{amount: as_floats(frame[amount])})
    try:
        return nw.from_native(frame)
    except TypeError as error:
        raise DataError(
            f"a table of type {type(frame).__name__!r} cannot be read; allowed: pandas, Polars, "
            "PyArrow, DuckDB relation"
        ) from error


def _are_numbers(column: pd.Series[Any]) -> bool:
    """Return whether a column of objects, or of categories, holds numbers alone."""
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    kind = pd.api.types.infer_dtype(column, skipna=True) if column.dtype == object else ""
    return kind in ("integer", "floating", "mixed-integer-float", "decimal")


def _check_columns(table: Any, columns: Mapping[str, str]) -> None:
    schema = table.collect_schema()
    taken: dict[str, str] = {}
    for role, name in columns.items():
        if name not in schema:
            raise DataError(no_column(name, schema.names(), f" ({role})"))
        if name in taken:
            raise DataError(f"column {name!r} is named as {taken[name]} and as {role}")
        taken[name] = role
    kind = schema[columns["amount"]]
    if not kind.is_numeric():
        name, example = columns["amount"], ""
        if hasattr(table, "row"):
            values = [x for x in table[name].to_list() if isinstance(x, str) and x.strip()]
            example = f", such as {excerpt(values[0])}" if values else ""
        raise DataError(f"column {name!r} (amount) holds {kind}{example}; allowed: numbers")


def _numbers(table: Any, **expressions: Any) -> dict[str, Any]:
    """Return aggregates of a table, computed by its engine in one pass."""
    import narwhals as nw

    row = table.select(**expressions)
    if isinstance(row, nw.LazyFrame):
        return {str(name): column.iloc[0] for name, column in fetched(row).items()}
    values: dict[str, Any] = row.rows(named=True)[0]
    return values


def _count() -> Any:
    import narwhals as nw

    return nw.len()


def _holds(condition: Any) -> Any:
    """Return a condition that is false, not missing, where a cell is missing."""
    import narwhals as nw

    return nw.when(condition).then(nw.lit(value=True)).otherwise(nw.lit(value=False))


def _unique(table: Any) -> Any:
    """Return the table with one of the rows that agree in every column."""
    import narwhals as nw

    schema = table.collect_schema()
    if isinstance(table, nw.LazyFrame):
        return table.unique()
    mixed = [name for name, kind in schema.items() if kind == nw.Object or kind.is_nested()]
    if not mixed:
        return table.unique(keep="first", maintain_order=True)
    # Cells that cannot be compared as they are, as lists or mixed types of pandas, are as text.
    frame = as_pandas(table.to_native())
    repeated = frame.assign(**{name: frame[name].map(repr) for name in mixed}).duplicated()
    return nw.from_native(frame[~repeated.to_numpy()])


def _plain(table: Any, columns: Mapping[str, str], time_format: str | None) -> Any:
    """Return the columns used, under the names of their roles; what is blank is missing."""
    import narwhals as nw

    expressions = {}
    for role, name in columns.items():
        kind = table.collect_schema()[name]
        if role == "amount":
            expressions[role] = as_number(name, kind).cast(nw.Float64)
        elif role == "time":
            table, expressions[role] = _time(table, name, kind, time_format)
        else:
            table, expressions[role] = _label(table, role, name, kind)
    return table.select(**expressions)


def _time(table: Any, name: str, kind: Any, time_format: str | None) -> tuple[Any, Any]:
    """Return the table and the expression of its times, on the clock of their zone."""
    import narwhals as nw

    if kind in (nw.String, nw.Object, nw.Categorical):
        return _with_times(table, name, time_format)
    if kind == nw.Date:
        return table, nw.col(name).cast(nw.Datetime("us"))
    if kind == nw.Datetime:
        return table, nw.col(name).dt.replace_time_zone(None)
    raise DataError(
        f"column {name!r} (time) holds {kind}; allowed: dates, times, or text such as '2024-03-01'"
    )


def _label(table: Any, role: str, name: str, kind: Any) -> tuple[Any, Any]:
    """Return the table and the expression of a customer, a channel, a product or a currency."""
    import narwhals as nw

    x = nw.col(name)
    if kind.is_nested() or (kind == nw.Object and not is_pandas(table.to_native())):
        raise DataError(f"column {name!r} ({role}) holds {kind}; allowed: text or numbers")
    native = table.to_native()
    if is_pandas(native):
        check_group_values(native[name], name, role)
    if kind == nw.Object:
        table, kind = _with_texts(table, name), nw.String()
    if kind in (nw.Categorical, nw.Enum):
        x, kind = x.cast(nw.String), nw.String()
    if kind == nw.String:
        return table, nw.when(x.str.strip_chars() != "").then(x)
    return table, as_number(name, kind) if kind.is_float() else x


def _with_texts(table: Any, name: str) -> Any:
    """Return a table of pandas whose column of mixed types is text; 12 and 12.0 are "12"."""
    import narwhals as nw
    import pandas as pd

    def text(cell: Any) -> str | None:
        if pd.api.types.is_scalar(cell) and pd.isna(cell):
            return None
        is_whole = isinstance(cell, float) and cell.is_integer()
        return str(int(cell) if is_whole else cell)

    frame = table.to_native()
    return nw.from_native(frame.assign(**{name: frame[name].map(text).astype("string")}))


def _with_times(table: Any, name: str, time_format: str | None) -> tuple[Any, Any]:
    """Return the table and the expression of its times, which are text."""
    import narwhals as nw
    import pandas as pd

    if isinstance(table, nw.LazyFrame):
        return table, nw.col(name).str.to_datetime(format=time_format or ISO_DAY)
    frame = as_pandas(table.select(name).to_native())
    read = read_times(frame, name, time_format, blank=True)
    if read.aware:
        raise DataError(
            f"column {name!r} (time) has text with offsets from UTC, such as "
            f"{excerpt(frame[name].dropna().iloc[0])}; its days depend on the clock; allowed: "
            "local times, or a column of times in one time zone"
        )
    times = read.values
    native = table.to_native()
    if is_pandas(native):
        table = nw.from_native(native.assign(**{name: times.to_numpy()}))
    else:
        moments = [None if pd.isna(x) else x.to_pydatetime() for x in times]
        values = nw.new_series(name, moments, nw.Datetime("us"), backend=table.implementation)
        table = table.with_columns(values)
    return table, nw.col(name)


def _in_one_currency(
    data: Any, columns: Mapping[str, str], rates: Mapping[str, float] | None
) -> tuple[Any, str, tuple[Text, ...]]:
    """Return the data with all amounts in one currency, its name, and what was converted."""
    import narwhals as nw

    if "currency" not in columns:
        if rates is not None:
            raise CxError("rates are of currencies: name their column, currency=...")
        return data, "", ()
    counts = data.filter(~nw.col("currency").is_null()).group_by("currency").agg(n=nw.len())
    counts = counts.collect() if isinstance(counts, nw.LazyFrame) else counts
    n_rows = {str(row["currency"]): row["n"] for row in counts.rows(named=True)}
    names = sorted(n_rows)
    if rates is None:
        if len(names) > 1:
            each = ", ".join(f"{excerpt(name)} ({n_rows[name]} rows)" for name in names[:6])
            example = ", ".join(f"{name!r}: 1.0" for name in names[:2])
            raise DataError(
                f"column {columns['currency']!r} holds {len(names)} currencies: {each}; amounts "
                f"of several are not added up: give what each is worth, rates={{{example}, ...}}"
            )
        return data, names[0] if names else "", ()
    for name in names:
        if name not in rates:
            raise DataError(
                f"column {columns['currency']!r}: no rate for {excerpt(name)} "
                f"({n_rows[name]} rows); rates are there for {listing(rates)}"
            )
        if not (np.isscalar(rates[name]) and np.isfinite(rates[name]) and rates[name] > 0):
            raise DataError(f"rate of {excerpt(name)}: {rates[name]!r}; allowed: above 0")
    factor = nw.lit(1.0)
    for name in names:
        factor = nw.when(nw.col("currency") == name).then(nw.lit(float(rates[name]))).otherwise(
            factor
        )  # fmt: skip
    written = listed(f"{name} × {format_number(rates[name])}" for name in names)
    note = both("customers.note.converted", rates=written)
    return data.with_columns(amount=nw.col("amount") * factor), "", (note,)


def _conditions(data: Any, today: pd.Timestamp) -> dict[str, Any]:
    """Return the expression of each problem, the first ones before those of complete rows."""
    import narwhals as nw

    names = data.collect_schema().names()
    needed = [role for role in ("customer", "time", "amount", "currency") if role in names]
    missing = {f"missing_{role}": nw.col(role).is_null() for role in needed}
    complete = ~nw.any_horizontal(*missing.values(), ignore_nulls=True)
    amount, time = nw.col("amount"), nw.col("time")
    end = (today.normalize() + np.timedelta64(1, "D")).to_pydatetime()
    days = [as_day("day", day).to_pydatetime() for day in PLACEHOLDERS]
    return {
        **missing,
        "infinite": complete & ((amount == np.inf) | (amount == -np.inf)),
        "future": complete & (time >= as_time(data, end)),
        "zero": complete & (amount == 0),
        "refund": complete & (amount < 0),
        "placeholder": complete & nw.any_horizontal(
            *(time == as_time(data, day) for day in days), ignore_nulls=True
        ),
    }  # fmt: skip


def _counts(data: Any, conditions: Mapping[str, Any]) -> dict[str, Any]:
    import narwhals as nw

    expressions: dict[str, Any] = {}
    for problem, condition in conditions.items():
        matches = nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))
        money = nw.when(condition).then(nw.col("amount")).otherwise(nw.lit(0.0))
        expressions |= {f"n_{problem}": matches.sum(), f"amount_{problem}": money.sum()}
    return _numbers(data, **expressions)


def _report(
    conditions: Mapping[str, Any],
    numbers: Mapping[str, Any],
    n_rows: int,
    n_duplicates: int,
    rules: Mapping[str, str],
) -> pd.DataFrame:
    """Return how many rows have each problem, and what is done with them."""
    import pandas as pd

    action_of = {
        "duplicate": rules["duplicates"],
        "future": rules["future"],
        "zero": rules["zeros"],
        "refund": rules["refunds"],
        "placeholder": "keep",
    }
    rows = []
    for problem in [name for name in conditions if name != "infinite"] + ["duplicate"]:
        is_duplicate = problem == "duplicate"
        n = n_duplicates if is_duplicate else int(numbers[f"n_{problem}"])
        has_money = not is_duplicate and problem != "missing_amount"
        money = float(numbers[f"amount_{problem}"] or 0) if has_money else np.nan
        action = action_of.get(problem, rules["missing"]) if n else "none"
        rows.append((problem, n, n / n_rows, money, action))
    return pd.DataFrame(rows, columns=["problem", "n", "share", "amount", "action"])


def _refuse(
    data: Any,
    conditions: Mapping[str, Any],
    columns: Mapping[str, str],
    report: pd.DataFrame,
    today: pd.Timestamp,
) -> None:
    """Raise for what the rules refuse, naming the first row."""
    problems = []
    for problem, n, action in report[["problem", "n", "action"]].itertuples(index=False):
        if action != "refuse":
            continue
        if problem == "duplicate":
            problems.append(
                f"{n} rows repeat another in every column; allowed: none, or duplicates='keep' "
                "or 'drop'"
            )
            continue
        role = problem.removeprefix("missing_")
        role = {"future": "time", "zero": "amount", "refund": "amount"}.get(role, role)
        option = {"zero": "zeros", "refund": "refunds", "future": "future"}.get(problem, "missing")
        others = ", ".join(repr(rule) for rule in RULES[option] if rule != "refuse")
        limit = {
            "future": f"up to {today:%Y-%m-%d} (today=)",
            "zero": "amounts other than 0",
            "refund": "0 or more",
        }.get(problem, "no blank")
        place = _place(data, conditions[problem], columns, role)
        problems.append(f"{place}; allowed: {limit}, or {option}={others}; such rows: {n}")
    if problems:
        raise DataError(problems)


def _place(data: Any, condition: Any, columns: Mapping[str, str], role: str) -> str:
    """Return row, column and value of the first row that meets a condition."""
    import pandas as pd

    native = data.to_native()
    if is_pandas(native):
        mask = data.select(x=_holds(condition))["x"].to_numpy().astype(bool)
        position = int(np.flatnonzero(mask)[0])
        row, value = row_name(native.index, position), native[role].iloc[position]
    else:
        number, cells = first_row(data, condition, [role])
        row = "a row" if number is None else f"row {number} (counted from 0)"
        value = cells[role]
    value = value.item() if isinstance(value, np.generic) else value
    is_time = hasattr(value, "strftime")
    written = (
        "blank" if pd.isna(value) else f"{value:%Y-%m-%d %H:%M}" if is_time else excerpt(value)
    )
    return f"{row}, column {columns[role]!r}: {written}"


def _summary(
    data: Any, report: pd.DataFrame, currency: str, synthetic: bool, notes: tuple[Text, ...]
) -> Transactions:
    import narwhals as nw
    import pandas as pd

    refund = nw.when(nw.col("amount") < 0).then(nw.lit(1)).otherwise(nw.lit(0))
    numbers = _numbers(
        data,
        n=_count(),
        n_customers=nw.col("customer").n_unique(),
        n_refunds=refund.sum(),
        first=nw.col("time").min(),
        last=nw.col("time").max(),
        total=nw.col("amount").sum(),
    )
    if not numbers["n"]:
        raise DataError(
            "no transaction is left after the checks: "
            + "; ".join(
                f"{row.n} rows with {row.problem}: {row.action}"
                for row in report[report["n"] > 0].itertuples()
            )
        )
    n = report.set_index("problem")["n"].where(report.set_index("problem")["action"] == "keep", 0)
    n["refund"] = int(numbers["n_refunds"])
    for problem in ("refund", "duplicate", "placeholder"):
        if n[problem]:
            notes += (both(f"customers.note.{problem}", n=format_number(int(n[problem]))),)
    return Transactions(
        table=report,
        data=data,
        n=int(numbers["n"]),
        n_customers=int(numbers["n_customers"]),
        n_refunds=int(numbers["n_refunds"]),
        first=pd.Timestamp(numbers["first"]).normalize(),
        last=pd.Timestamp(numbers["last"]).normalize(),
        total=float(numbers["total"]),
        currency=currency,
        synthetic=synthetic,
        notes=notes,
    )


def as_day(name: str, day: Any) -> pd.Timestamp:
    """Return a day as pandas has it; today's without one."""
    import pandas as pd

    if day is None:
        return pd.Timestamp.now().normalize()
    try:
        stamp = pd.Timestamp(day)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}={excerpt(day)}; allowed: a date, such as '2024-03-31'") from error
    if pd.isna(stamp) or isinstance(day, (int, float)):
        raise DataError(f"{name}={excerpt(day)}; allowed: a date, such as '2024-03-31'")
    return stamp.tz_localize(None).normalize()
