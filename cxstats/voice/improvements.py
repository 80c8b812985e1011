"""What was changed because of feedback, and what became of the complaints it was meant for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.cells import as_labels, check_group_values
from cxstats.core.engines import as_pandas, is_synthetic
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, interval
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.messages import excerpt, listing, look, meant, no_column, row_name
from cxstats.core.result import Chart, Result
from cxstats.operations.timestamps import read_times
from cxstats.stats.intervals import check_level, proportion_interval
from cxstats.voice.closing_times import duration
from cxstats.voice.register import FeedbackRegister, check_register

if TYPE_CHECKING:
    import pandas as pd

HEADS = {
    "item": ("item", "id", "feedback id", "编号", "反馈编号", "工单号"),
    "date": ("date", "changed", "date of change", "日期", "改进日期", "上线日期", "实施日期"),
    "category": ("class", "category", "类别", "分类", "反馈类别"),
    "action": ("action", "improvement", "change", "measure", "改进", "改进措施", "措施"),
}
DAY = 86_400
FEWEST = 14  # days before and after a change
FEW = 10  # items before and after together


@dataclass(frozen=True, eq=False, repr=False)
class ImprovementLog(Result):
    """Changes, and the number of items of their class before and after.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per change: ``improvement, feedback_id, category, date, days`` (compared before, and
        as many after), ``n_before, n_after, estimate`` (rate after by rate before), ``ci_low,
        ci_high``, ``others`` (the same ratio of all other classes), ``adjusted, adjusted_low,
        adjusted_high`` (estimate by others), ``dispersion`` (of the daily counts).
    level : float
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("ratios",)
    reference: ClassVar = (
        "Wilson (1927). Probable inference, the law of succession, and statistical inference. "
        "Journal of the American Statistical Association 22, 209-212."
    )

    def findings(self, lang: str) -> list[str]:
        """Return the ratio of every change."""
        lines = [label("register.log.head", lang, n=len(self.table))]
        for _, row in self.table.iterrows():
            lines.append(
                "  " + label(
                    "register.log.row", lang, action=row["improvement"], category=row["category"],
                    date=f"{row['date']:%Y-%m-%d}", days=format_number(row["days"]),
                    before=format_number(row["n_before"]), after=format_number(row["n_after"]),
                    ratio=format_number(row["estimate"], 2),
                    interval=interval(row["ci_low"], row["ci_high"], 2),
                    adjusted=format_number(row["adjusted"], 2),
                    adjusted_interval=interval(row["adjusted_low"], row["adjusted_high"], 2),
                )
            )  # fmt: skip
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the ratios, those of other classes taken into account where there are any."""
        columns = ("adjusted", "adjusted_low", "adjusted_high")
        rows = self.table[np.isfinite(self.table["adjusted"].to_numpy(float))]
        if not len(rows):
            columns = ("estimate", "ci_low", "ci_high")
            rows = self.table[np.isfinite(self.table["estimate"].to_numpy(float))]
        if not len(rows):
            raise CxError("no change has a ratio: nothing came in before it")
        fewer = int((rows[columns[2]] < 1).sum())
        return Chart(
            "intervals",
            ([f"{row['improvement']} ({row['category']})" for _, row in rows.iterrows()],
             *(rows[name] for name in columns)),
            {
                "title": label("register.log.title", lang, k=fewer, n=len(rows)),
                "axis": label(f"register.log.axis.{columns[0]}", lang),
                "source": label("register.source", lang, n=format_number(
                    int((rows["n_before"] + rows["n_after"]).sum()))),
                "reference": 1.0,
                "level": self.level,
                "synthetic": self.synthetic,
            },
        )  # fmt: skip


def improvement_log(  # noqa: PLR0913  (one keyword for each column)
    frame: Any,
    register: FeedbackRegister,
    *,
    item: str | None = None,
    date: str | None = None,
    category: str | None = None,
    action: str | None = None,
    window: Any = "56 days",
    level: float = 0.95,
    time_format: str | None = None,
) -> ImprovementLog:
    """Count the items of a class before and after a change that was made because of one of them.

    ``ratio = (after / days) / (before / days)`` over equal windows on both sides of the day of the
    change, which itself is left out. Given both counts, the later one is binomial with the share
    ``ratio / (1 + ratio)``; the limits are Wilson's of that share, the counts divided by the
    dispersion of the daily counts where that is above 1. The adjusted ratio is divided by that of
    all other classes, whose error is taken into account on the log scale.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table or DuckDB relation
        One row per change.
    register : FeedbackRegister
        With classes.
    item, date, category, action : str
        Columns: number of the item in the register; day of the change; class of the items that
        it was meant for (without one, the class of its item); what was changed, in the caller's
        words. Where none is named, columns with usual English and Chinese heads are taken; `date`
        and one of `item` and `category` are needed.
    window : number of days, or text such as "56 days"
        Whole weeks compare best. Cut short by the ends of the register, the same on both sides.
    level : float
    time_format : str, optional
        Form of dates that are text; ISO 8601 without it.

    Returns
    -------
    ImprovementLog

    Raises
    ------
    CxError, DataError
        Naming column, row and value of an item or class that is not in the register, a day that is
        missing, or one with fewer than 14 days of the register on either side.

    Notes
    -----
    Before and after is no experiment: a season, a campaign, or a change made just after a peak
    (which falls by itself) moves the ratio, too. The adjusted ratio allows for what moves all
    classes alike, and for nothing else.

    Examples
    --------
    >>> import cxstats as cx, pandas as pd
    >>> register = cx.feedback_register(cx.simulate_feedback_register(52, seed=1))
    >>> changes = pd.DataFrame({"date": ["2024-07-29"], "class": ["delivery"]})
    >>> log = cx.improvement_log(changes, register)
    >>> log.table["ci_high"].item() < 1
    True
    """
    import pandas as pd

    check_level(level)
    register = check_register(register)
    if "category" not in register.data:
        raise CxError("the register has no classes; name their column: category=...")
    days = duration("window", window, "day")
    if days < FEWEST:
        raise CxError(f"window={excerpt(window)}; allowed: {FEWEST} days or more")
    table = as_pandas(frame)
    table = table.set_axis([str(name) for name in table.columns], axis=1)
    named = {"item": item, "date": date, "category": category, "action": action}
    columns = _columns(list(table.columns), named)
    changes = _changes(table, columns, register, time_format)
    rows = [_row(change, register, int(days), level) for change in changes]
    result = pd.DataFrame(rows)
    unadopted = _not_adopted(changes, register)
    twice = result["category"].duplicated(keep=False) & _overlapping(result)
    few = result["n_before"] + result["n_after"] < FEW
    notes = [
        *note_if(bool(unadopted), "register.note.not_adopted", items=listed(unadopted)),
        *note_if(bool(twice.any()), "register.note.overlap"),
        *note_if(bool(few.any()), "register.note.few_items", least=FEW),
        *note_if(bool(result["adjusted"].isna().any()), "register.note.no_others"),
        both("register.note.no_experiment"),
    ]
    synthetic = register.synthetic or is_synthetic(frame)
    return ImprovementLog(result, level, synthetic, tuple(notes))


def _columns(names: list[str], named: Mapping[str, str | None]) -> dict[str, str]:
    """Return the column of each role that the table has."""
    columns: dict[str, str] = {}
    for role, name in named.items():
        if name is not None:
            if str(name) not in names:
                raise DataError(no_column(name, names, f" ({role})"))
            columns[role] = str(name)
            continue
        usual = {look(head) for head in HEADS[role]}
        matches = [n for n in names if look(n) in usual and n not in named.values()]
        if len(matches) > 1:
            raise DataError(
                f"columns {listing(map(repr, matches))} could each be {role}; name one: "
                f"{role}={matches[0]!r}"
            )
        if matches:
            columns[role] = matches[0]
    for role, name in columns.items():
        if names.count(name) > 1:
            raise DataError(f"column {name!r} ({role}) stands twice in the table")
    if "date" not in columns or not {"item", "category"} & columns.keys():
        raise DataError(
            "an improvement needs date= and one of item= and category=; columns: "
            f"{listing(names, 30)}"
        )
    return columns


def _changes(
    table: pd.DataFrame,
    columns: Mapping[str, str],
    register: FeedbackRegister,
    time_format: str | None,
) -> list[dict[str, Any]]:
    """Return item, day, class and words of every change."""
    import pandas as pd

    days = read_times(table, columns["date"], time_format).values
    days = days.dt.tz_localize(None) if days.dt.tz is not None else days
    texts = {}
    for role, column in columns.items():
        if role != "date":
            check_group_values(table[column], column, role)
            texts[role] = as_labels(table[column])
    classes = sorted(register.data["category"].dropna().unique())
    of_item: dict[str, Any] = {}
    if "item" in register.data:
        of_item = dict(zip(register.data["item"], register.data["category"], strict=True))
    changes = []
    for i in range(len(table)):
        row = row_name(table.index, i)
        number, name = (
            texts[role].iloc[i] if role in texts else None for role in ("item", "category")
        )
        if name is None and number is not None:
            if number not in of_item:
                raise DataError(
                    f"{row}, column {columns['item']!r}: {excerpt(number)} is no item of the "
                    "register; allowed: its numbers, or a class in category="
                )
            name = of_item[number]
        if name not in classes or pd.isna(name):
            where = columns.get("category", columns.get("item"))
            hint = meant(name, classes) if name is not None else ""
            raise DataError(
                f"{row}, column {where!r}: class {excerpt(name)}{hint}; the register has "
                f"{listing(classes)}"
            )
        words = texts["action"].iloc[i] if "action" in texts else None
        day = pd.Timestamp(days.iloc[i]).normalize()
        _check_day(day, register, row, columns["date"])
        changes.append(
            {
                "improvement": words or number or name,
                "feedback_id": number or "",
                "category": name,
                "date": day,
            }
        )
    return changes


def _check_day(day: pd.Timestamp, register: FeedbackRegister, row: str, column: str) -> None:
    import pandas as pd

    span = pd.Timedelta(days=FEWEST)
    first, last = register.first.normalize() + span, register.until - span
    if not first <= day <= last:
        raise DataError(
            f"{row}, column {column!r}: {day:%Y-%m-%d}; allowed: {first:%Y-%m-%d} to "
            f"{last:%Y-%m-%d}, with {FEWEST} days of the register on either side"
        )


def _row(
    change: Mapping[str, Any], register: FeedbackRegister, days: int, level: float
) -> dict[str, Any]:
    """Return counts and ratios of one change."""
    import pandas as pd

    day = change["date"]
    one = pd.Timedelta(days=1)
    before = (day - register.first.normalize()) // one
    after = (register.until - (day + one)) // one
    days = min(days, int(before), int(after))
    dates, classes = register.data["date"], register.data["category"]
    place = np.floor((dates - day) / one).to_numpy()
    inside = ((place >= -days) & (place < 0)) | ((place > 0) & (place <= days))
    mine = (classes == change["category"]).to_numpy()
    others = classes.notna().to_numpy() & ~mine
    a, b, dispersion = _counts(place[inside & mine], days)
    ratio, low, high = _ratio(a, b, dispersion, level)
    x, y, scatter = _counts(place[inside & others], days)
    other = y / x if x else np.nan
    adjusted = (np.nan,) * 3
    if a and b and x and y:
        variance = dispersion * (1 / a + 1 / b), scatter * (1 / x + 1 / y)
        # The interval of the ratio itself, widened by the error of the others' on the log scale.
        wider = np.sqrt(1 + variance[1] / variance[0])
        value = ratio / other
        adjusted = (value, value * (low / ratio) ** wider, value * (high / ratio) ** wider)
    return {
        **change, "days": days, "n_before": a, "n_after": b, "estimate": ratio, "ci_low": low,
        "ci_high": high, "others": other, "adjusted": adjusted[0], "adjusted_low": adjusted[1],
        "adjusted_high": adjusted[2], "dispersion": dispersion,
    }  # fmt: skip


def _counts(place: Any, days: int) -> tuple[int, int, float]:
    """Return items before and after, and the dispersion of daily counts, at least 1.

    Pearson's chi-square of the days by its degrees of freedom, each side about its own mean.
    """
    sides = [np.bincount((-place[place < 0] - 1).astype(int), minlength=days),
             np.bincount((place[place > 0] - 1).astype(int), minlength=days)]  # fmt: skip
    n_before, n_after = (int(side.sum()) for side in sides)
    squares = sum(((s - s.mean()) ** 2).sum() / s.mean() for s in sides if s.any())
    df = sum(days - 1 for s in sides if s.any())
    return n_before, n_after, max(1.0, float(squares / df)) if df else 1.0


def _ratio(before: int, after: int, dispersion: float, level: float) -> tuple[float, float, float]:
    """Return the ratio of two counts with its interval; without items before, NaN or infinite."""
    n = before + after
    if not n:
        return (np.nan,) * 3
    low, high = proportion_interval(after / n, n / dispersion, level=level)
    with np.errstate(divide="ignore"):
        ratio, lower, upper = (
            float(np.divide(p, 1 - p)) for p in (np.float64(after / n), low, high)
        )
    return (ratio, lower, upper) if before else (np.nan, lower, np.nan)


def _not_adopted(changes: list[dict[str, Any]], register: FeedbackRegister) -> list[str]:
    """Return the items of changes that the register does not have as adopted."""
    data = register.data
    if "adopted" not in data or "item" not in data:
        return []
    adopted = set(data["item"][data["adopted"]])
    numbers = [change["feedback_id"] for change in changes]
    return [number for number in numbers if number and number not in adopted]


def _overlapping(result: pd.DataFrame) -> Any:
    """Return which changes have another one of the same class in their windows."""
    import pandas as pd

    same = result["category"].to_numpy()[:, None] == result["category"].to_numpy()[None, :]
    days = result["date"].to_numpy("datetime64[D]").astype(np.int64)
    near = np.abs(days[:, None] - days[None, :]) <= result["days"].to_numpy()[:, None]
    flags = (same & near & ~np.eye(len(result), dtype=bool)).any(axis=1)
    return pd.Series(flags, result.index)
