"""Promises: on time, as booked, right the first time; how often, and how late.

References
----------
Woodruff (1952). Confidence intervals for medians and other position measures. JASA 47, 635-646.
Manski (1989). Anatomy of the selection problem. Journal of Human Resources 24, 343-360: bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.cells import cells_of, is_number
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt, no_column, row_name
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.metrics.rates import rate
from cxstats.metrics.result import LEVEL, Metric
from cxstats.operations.timestamps import check_unit, in_units, quoted, read_times
from cxstats.stats.disclosure import without_hidden
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MISSING = ("left_out", "broken")
MATCHES = ("by_then", "equal")
QUANTILES = (0.5, 0.9, 0.95)
# Columns of the table that the rate is computed from.
OUTCOME, LATE, CLUSTER = "(kept)", "(late)", "(cluster)"
DATE = re.compile(r"\s*\d{4}-\d\d-\d\d")


@dataclass(frozen=True, eq=False, repr=False)
class PromiseKept(Result):
    """How often a promise was kept.

    Attributes
    ----------
    table : pandas.DataFrame
        That of a `cxstats.metrics.Metric` (the columns of `by`, ``estimate, se, ci_low, ci_high, n,
        events, n_missing``, with clusters ``n_effective, deff, n_clusters, df``), then ``bound_low,
        bound_high``: the share if every missing outcome were a broken or a kept promise.
    lateness : pandas.DataFrame or None
        The columns of `by`, ``quantile, estimate, ci_low, ci_high, n``: how late, in `unit`; below
        0 is early. None where the data do not say how late.
    metric : Metric
        The share, with `Metric.compare` for groups.
    rule : {"outcome", "by_then", "equal"}
        How an outcome was judged.
    tolerance : float
        Lateness up to which a promise is kept, in `unit`.
    unit : str
        Of lateness; empty for columns of numbers.
    missing : {"left_out", "broken"}
    n_missing : int
        Promises without an outcome.
    n_unpromised : int
        Rows without a promise, which are in no number.
    level : float
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    lateness: pd.DataFrame | None
    metric: Metric
    rule: str
    tolerance: float
    unit: str
    missing: str
    n_missing: int
    n_unpromised: int
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    reference: ClassVar = (
        "Woodruff (1952). Confidence intervals for medians and other position measures. Journal of "
        "the American Statistical Association 47, 635-646."
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The shares, and how late where the data say it."""
        return ("groups",) if self.lateness is None else ("groups", "lateness")

    def _rule(self, lang: str) -> str:
        values = {"tolerance": format_number(self.tolerance), "unit": _unit_text(self.unit, lang)}
        return label(f"promise.rule.{self.rule}", lang, **values)

    def findings(self, lang: str) -> list[str]:
        """Return the rule, the shares, what missing outcomes could change, and how late."""
        lines = [label("promise.head", lang, rule=self._rule(lang)), *self.metric.findings(lang)]
        if self.n_missing:
            lines += self._bounds(lang)
        if self.lateness is None or self.metric.by:
            return lines
        rows: Any = self.lateness
        for row in rows.itertuples():
            values = {
                "quantile": format_percent(100 * row.quantile, None, lang),
                "value": format_number(row.estimate, 1),
                "interval": interval(row.ci_low, row.ci_high, 1),
                "unit": _unit_text(self.unit, lang),
            }
            lines.append("  " + label("promise.quantile", lang, **values))
        return lines

    def _bounds(self, lang: str) -> list[str]:
        missing, n = self.n_missing, self.metric.n
        total = n if self.missing == "broken" else n + missing
        values = {
            "n": format_number(missing),
            "share": format_percent(100 * missing / total, 1, lang),
        }
        lines = [label(f"promise.missing.{self.missing}", lang, **values)]
        if not self.metric.by and self.table["bound_low"].notna().all():
            row = self.table.iloc[0]
            ends = (format_percent(100 * row[f"bound_{end}"], 1, lang) for end in ("low", "high"))
            lines.append(label("promise.bounds", lang, **dict(zip(("low", "high"), ends))))  # noqa: B905
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the shares as dots on intervals, or the quantiles of lateness."""
        if kind == "groups" or self.lateness is None:
            return self.metric.chart(kind, lang, options)
        rows = self.lateness[self.lateness["estimate"].notna()]
        groups = rows[list(self.metric.by)].astype(str).agg(" / ".join, axis=1)

        def of_group(text: str, group: str) -> str:
            return label("chart.entry", lang, name=group, value=text) if self.metric.by else text

        quantiles = [format_percent(100 * quantile, None, lang) for quantile in rows["quantile"]]
        names = [
            of_group(label("promise.chart.row", lang, quantile=quantile), group)
            for group, quantile in zip(groups, quantiles, strict=True)
        ]
        last = rows.iloc[len(rows) - 1]
        values = {"unit": _unit_text(self.unit, lang), "quantile": quantiles[-1]}
        finding = label(
            "promise.chart.title", lang, value=format_number(last["estimate"], 1), **values
        )
        return Chart(
            "intervals",
            (names, *(rows[name] for name in ("estimate", "ci_low", "ci_high"))),
            {
                "source": label("metric.source", lang, n=format_number(self.metric.n)),
                "level": self.level,
                "axis": label("promise.chart.axis", lang, unit=values["unit"]),
                "reference": self.tolerance,
                "decimals": 1,
                "title": of_group(finding, groups.iloc[len(rows) - 1]),
                "synthetic": self.synthetic,
            },
        )


@long_work("promise kept")
def promise_kept(  # noqa: PLR0913  (keywords of a public function)
    frame: Any,
    *,
    kept: str | None = None,
    promised: str | None = None,
    actual: str | None = None,
    lateness: str | None = None,
    tolerance: Any = None,
    unit: str = "minute",
    match: str | None = None,
    by: str | Sequence[str] | None = None,
    cluster: str | Sequence[str] | None = None,
    missing: str = "left_out",
    quantiles: Sequence[float] = QUANTILES,
    interval: str = "wilson",
    level: float = LEVEL,
    min_cell: int | None = None,
) -> PromiseKept:
    """Compute how often a promise was kept, ``kept / promised``, and how late it was.

    Kept is what came at most `tolerance` late, ``actual - promised <= tolerance``; or what is equal
    to what was promised, ``actual = promised``. The interval is Wilson's; with `cluster` on the
    effective number of promises of the design, since one bad day breaks many promises at once.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow or DuckDB table
        One row per promise.
    kept : str, optional
        Column of outcomes, 0 and 1 (or false and true). Allowed: this, or `lateness`, or `promised`
        with `actual`.
    promised, actual : str, optional
        Columns of times (or texts in ISO 8601), of numbers (such as days needed), or of texts (such
        as the room that was booked and the room that the guest got).
    lateness : str, optional
        Column of numbers: actual less promised. Its unit is not converted: say it with `unit`.
    tolerance : number or duration, optional
        In `unit`, or such as "15 min"; 0 without it. Not with outcomes or equality.
    unit : {"second", "minute", "hour", "day"}
        Of `lateness`, of the lateness computed from times, and of `tolerance`. Lateness of
        `promised` and `actual` that are numbers is in the unit of the columns.
    match : {"by_then", "equal"}, optional
        How `actual` is compared; without it, times and numbers "by_then", other texts "equal". Say
        "equal" of codes that are numbers, such as numbers of rooms.
    by : str or sequence of str, optional
        Columns of groups.
    cluster : str or sequence of str, optional
        Column of the day, branch, courier or customer that promises share; several columns make
        one unit (year, month and day).
    missing : {"left_out", "broken"}
        What a promise without an outcome is (a flight that was cancelled): left out of the share,
        or broken. Either way they are counted, and ``bound_low, bound_high`` say what the share
        would be if all of them were broken or kept. Rows without a promise are in no number.
    quantiles : sequence of float
        Of lateness, over the promises with an outcome.
    interval, level, min_cell
        As in `cxstats.rate`.

    Returns
    -------
    PromiseKept

    Raises
    ------
    CxError, DataError
        Naming the option, or column, row and value, and what is allowed.

    Notes
    -----
    Limits of a quantile are Woodruff's: the quantiles at the limits of the interval of the share
    of promises up to it. They are rough where fewer than 5 rows lie beyond the quantile.

    References
    ----------
    Woodruff (1952). Confidence intervals for medians and other position measures. JASA 47.
    Manski (1989). Anatomy of the selection problem. Journal of Human Resources 24: bounds.

    Examples
    --------
    >>> import pandas as pd
    >>> visits = pd.DataFrame({"late": [-5, 0, 3, 20, 45, None], "day": [1, 1, 2, 2, 3, 3]})
    >>> result = promise_kept(visits, lateness="late", tolerance=15, cluster="day")
    >>> result.table[["estimate", "n", "n_missing", "bound_low", "bound_high"]].iloc[0].tolist()
    [0.6, 5.0, 1.0, 0.5, 0.6666666666666666]
    >>> rooms = pd.DataFrame({"booked": ["A", "B", "C", "A"], "used": ["A", "B", "D", "A"]})
    >>> promise_kept(rooms, promised="booked", actual="used").table["estimate"].tolist()
    [0.75]
    """
    _check_options(match, missing, quantiles)
    data = as_pandas(frame)
    groups = [by] if isinstance(by, str) else list(by or [])
    units = [cluster] if isinstance(cluster, str) else list(cluster or [])
    source = _check_source(kept, promised, actual, lateness)
    _check_columns(data, [*source, *groups, *units])
    for name in groups:
        if name in ("quantile", "bound_low", "bound_high"):
            raise CxError(
                f"the column of groups {name!r} is called as one of the result; rename it"
            )
    judged = _judge(data, source, kept, lateness, tolerance, unit, match)
    table = _rows(data, judged, groups, units)
    if table.empty:
        raise DataError(f"column {promised!r}: no row has a promise; allowed: at least one")
    if table[OUTCOME].isna().all() and missing == "left_out":
        raise DataError(
            "no promise has an outcome: every one is missing; allowed: at least one, or "
            "missing='broken'"
        )
    options: dict[str, Any] = {
        "name": "promise_kept", "interval": interval, "level": level, "min_cell": min_cell,
        "cluster": CLUSTER if units else None, "column": OUTCOME, "by": groups or None,
    }  # fmt: skip
    filled = table.fillna({OUTCOME: 0.0}) if missing == "broken" else table
    metric = rate(filled, **options)
    return PromiseKept(
        table=_with_bounds(metric, table, groups, missing),
        lateness=None if judged.late is None else _quantiles(table, quantiles, options, metric),
        metric=metric,
        rule=judged.rule,
        tolerance=judged.tolerance,
        unit=judged.unit,
        missing=missing,
        n_missing=int(table[OUTCOME].isna().sum()),
        n_unpromised=int((~judged.has_promise).sum()),
        level=level,
        synthetic=bool(data.attrs.get("synthetic")),
        notes=_notes(metric, table, judged),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """Outcomes: 1 kept, 0 broken, NaN missing; lateness where there is one; who had a promise."""

    outcome: Array
    late: Array | None
    has_promise: NDArray[np.bool_]
    rule: str
    tolerance: float = 0.0
    unit: str = ""


def _rows(data: pd.DataFrame, judged: _Judged, groups: list[str], units: list[str]) -> pd.DataFrame:
    """Return the promises: outcome, lateness, groups and cluster."""
    import pandas as pd

    columns: dict[str, Any] = {OUTCOME: judged.outcome}
    columns[LATE] = np.full(len(data), np.nan) if judged.late is None else judged.late
    columns |= {name: data[name].array for name in groups}
    if units:
        columns[CLUSTER] = _clusters(data, units)
    table = pd.DataFrame(columns, index=data.index)[judged.has_promise]
    table.attrs = dict(data.attrs)
    return table


def _check_options(match: str | None, missing: str, quantiles: Sequence[float]) -> None:
    if match is not None and match not in MATCHES:
        raise CxError(f"match={match!r}; allowed: {', '.join(map(repr, MATCHES))}")
    if missing not in MISSING:
        raise CxError(f"missing={missing!r}; allowed: {', '.join(map(repr, MISSING))}")
    for q in quantiles:
        if isinstance(q, bool) or not isinstance(q, (int, float, np.number)) or not 0 < q < 1:
            raise CxError(f"quantiles has {excerpt(q)}; allowed: numbers above 0 and below 1")


def _check_source(*names: str | None) -> list[str]:
    """Return the columns that say the outcome; raise unless one way of saying it is used."""
    kept, promised, actual, lateness = names
    ways = [kept is not None, lateness is not None, promised is not None or actual is not None]
    if sum(ways) != 1 or (promised is None) != (actual is None):
        passed = dict(zip(("kept", "promised", "actual", "lateness"), names, strict=True))
        stated = ", ".join(f"{name}={value!r}" for name, value in passed.items() if value)
        raise CxError(
            f"{stated or 'no column of outcomes'}; allowed: kept=, or lateness=, or promised= "
            "with actual="
        )
    return [name for name in names if name is not None]


def _check_columns(data: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        count = int((data.columns == name).sum())
        if not count:
            raise DataError(no_column(name, data.columns))
        if count > 1:
            raise DataError(f"column {name!r} stands {count} times in the table; allowed: once")
        if name in (OUTCOME, LATE, CLUSTER):
            raise DataError(f"a column cannot be called {name!r} here; rename it")


def _judge(
    data: pd.DataFrame,
    source: list[str],
    kept: str | None,
    lateness: str | None,
    tolerance: Any,
    unit: str,
    match: str | None,
) -> _Judged:
    seconds = check_unit(unit)
    everyone = np.ones(len(data), bool)
    if kept is not None:
        _refuse_tolerance(tolerance, "with kept=")
        return _Judged(_outcomes(data, kept), None, everyone, "outcome")
    if lateness is not None:
        late, shown = numbers(data, lateness), unit
    else:
        rule = match or _match_of(data, source)
        if rule == "equal":
            _refuse_tolerance(tolerance, "of what is equal or not")
            return _equal(data, *source)
        late, everyone, shown = _differences(data, source, seconds, unit)
    most = _tolerance(tolerance, seconds, shown)
    with np.errstate(invalid="ignore"):
        outcome = np.where(np.isnan(late), np.nan, (late <= most).astype(float))
    return _Judged(outcome, late, everyone, "by_then", most, shown)


def _outcomes(data: pd.DataFrame, name: str) -> Array:
    """Return a column of 0 and 1, or false and true, as numbers."""
    column = data[name]
    if str(column.dtype) in ("bool", "boolean", "bool[pyarrow]"):
        return np.asarray(
            column.astype("boolean").astype("Float64").to_numpy(float, na_value=np.nan)
        )
    flags = cells_of(column.dropna(), bool, np.bool_)
    if len(flags) and flags.all():
        column = column.astype("boolean").astype("Float64")
        return np.asarray(column.to_numpy(float, na_value=np.nan))
    values = numbers(data, name)
    wrong = np.flatnonzero(~np.isnan(values) & (values != 0) & (values != 1))
    if len(wrong):
        raise DataError(
            f"column {name!r}, {row_name(data.index, wrong[0])}: {quoted(column.iloc[wrong[0]])}; "
            "allowed: 0 and 1, false and true"
        )
    return np.asarray(values)


def _refuse_tolerance(tolerance: Any, why: str) -> None:
    if tolerance is not None:
        raise CxError(f"tolerance={excerpt(tolerance)} {why}; allowed: none")


def _tolerance(tolerance: Any, seconds: int, unit: str) -> float:
    if tolerance is None:
        return 0.0
    value = in_units(tolerance, seconds)
    if not is_number(value) or not 0 <= value < np.inf or (not unit and value is not tolerance):
        of = "a number in the unit of the columns" if not unit else "such as 15 or '15 min'"
        raise CxError(f"tolerance={excerpt(tolerance)}; allowed: 0 or more, {of}")
    return float(value)


def _match_of(data: pd.DataFrame, names: Sequence[str]) -> str:
    """Return how two columns are compared: "equal" for texts that are no dates."""
    return "by_then" if all(_kind(data[name]) != "text" for name in names) else "equal"


def _kind(column: pd.Series[Any]) -> str:
    """Return "time", "number" or "text"; of texts the first one decides whether they are times."""
    import pandas as pd

    kind = column.dtype
    if pd.api.types.is_datetime64_any_dtype(kind) or str(kind).startswith(("timestamp", "date")):
        return "time"
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
        return "number"
    first = next((value for value in column if not pd.isna(value)), "")
    if hasattr(first, "year"):
        return "time"
    if isinstance(first, (int, float, np.number)) and not isinstance(first, (bool, np.bool_)):
        return "number"
    return "time" if isinstance(first, str) and DATE.match(first) else "text"


def _equal(data: pd.DataFrame, promised: str, actual: str) -> _Judged:
    """Judge by equality of texts without spaces at their ends; numbers equal as numbers."""
    import pandas as pd

    columns = []
    for name in (promised, actual):
        column = data[name]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            column = column.astype(object).map(lambda value: str(value).strip(), na_action="ignore")
        columns.append(column.astype(object).reset_index(drop=True))
    left, right = columns
    missing = right.isna() | (right == "")
    same = (left == right).fillna(False).to_numpy(bool)
    outcome = np.where(missing.to_numpy(bool), np.nan, same.astype(float))
    has_promise = ~(left.isna() | (left == "")).to_numpy(bool)
    return _Judged(outcome, None, has_promise, "equal")


def _differences(
    data: pd.DataFrame, names: Sequence[str], seconds: int, unit: str
) -> tuple[Array, NDArray[np.bool_], str]:
    """Return actual less promised, which rows have a promise, and the unit."""
    kinds = [_kind(data[name]) for name in names]
    if set(kinds) == {"number"}:
        promise, outcome = (numbers(data, name) for name in names)
        return outcome - promise, ~np.isnan(promise), ""
    if set(kinds) != {"time"}:
        pairs = ", ".join(
            f"{name!r} holds {kind}s" for name, kind in zip(names, kinds, strict=True)
        )
        raise DataError(f"{pairs}; allowed: both times, or both numbers; or match='equal'")
    times = [read_times(data, name, blank=True) for name in names]
    if times[0].aware != times[1].aware:
        aware = names[0] if times[0].aware else names[1]
        raise DataError(f"column {aware!r} alone states time zones; allowed: both or neither")
    missing = [column.values.isna().to_numpy() for column in times]
    late = (times[1].microseconds - times[0].microseconds) / (1e6 * seconds)
    return np.where(missing[0] | missing[1], np.nan, late), ~missing[0], unit


def _clusters(data: pd.DataFrame, names: Sequence[str]) -> Any:
    """Return the unit of every row; missing where one of its columns is."""
    if len(names) == 1:
        missing = np.flatnonzero(data[names[0]].isna().to_numpy(bool))
        if len(missing):
            raise DataError(
                f"column {names[0]!r}, {row_name(data.index, missing[0])}: no cluster; give every "
                "promise one"
            )
        return data[names[0]].array
    codes = data.groupby(list(names), observed=True, dropna=True).ngroup()
    lost = np.flatnonzero(codes.to_numpy() < 0)
    if len(lost):
        raise DataError(
            f"columns {', '.join(map(repr, names))}, {row_name(data.index, lost[0])}: no cluster; "
            "give every promise one"
        )
    return codes.array


def _with_bounds(
    metric: Metric, table: pd.DataFrame, groups: list[str], missing: str
) -> pd.DataFrame:
    """Return the table of the share with missing outcomes, and the bounds that they leave."""
    shares = metric.table.copy()
    if missing == "broken":
        lost = table[OUTCOME].isna().groupby(_keys(table, groups).to_numpy()).sum().to_dict()
        shares["n_missing"] = [int(lost.get(key, 0)) for key in _keys(shares, groups)]
    if metric.min_cell is not None:
        hidden = shares["suppressed"].to_numpy(bool)
        shares = without_hidden(shares, hidden, [*groups, "suppressed"], flag=False)
    total = shares["n"] + (0 if missing == "broken" else shares["n_missing"])
    with np.errstate(invalid="ignore", divide="ignore"):
        shares["bound_low"] = (shares["events"] / total).astype(float)
        shares["bound_high"] = ((shares["events"] + shares["n_missing"]) / total).astype(float)
    return shares


def _quantiles(
    table: pd.DataFrame, quantiles: Sequence[float], options: Mapping[str, Any], metric: Metric
) -> pd.DataFrame:
    """Return quantiles of lateness by group with Woodruff's limits; hidden groups have none."""
    import pandas as pd

    groups = list(options["by"] or [])
    rows = table[table[LATE].notna()]
    if rows.empty:
        return pd.DataFrame(columns=[*groups, "quantile", "estimate", "ci_low", "ci_high", "n"])
    sorted_by_group = {
        key: np.sort(values.to_numpy(float)) for key, values in _by_group(rows, groups)
    }
    parts = []
    for q in sorted(quantiles):
        limits = {key: _rank(values, q) for key, values in sorted_by_group.items()}
        limit = _keys(rows, groups).map(limits).to_numpy(float)
        below = rows.assign(**{OUTCOME: (rows[LATE].to_numpy(float) <= limit).astype(float)})
        share = rate(below, **options).table
        keys = _keys(share, groups)
        low, high = (share[f"ci_{end}"] - share["estimate"] + q for end in ("low", "high"))
        part = share[[*groups, "n"]].copy()
        part["quantile"] = q
        part["estimate"] = keys.map(limits).to_numpy(float)
        for name, tails in (("ci_low", low), ("ci_high", high)):
            part[name] = [
                _rank(sorted_by_group[key], tail) if key in sorted_by_group else np.nan
                for key, tail in zip(keys, tails, strict=True)
            ]
        none = share["estimate"].isna()  # of a hidden group, or of one without an outcome
        part.loc[none, ["estimate", "ci_low", "ci_high"]] = np.nan
        if metric.min_cell is not None:
            secret = _keys(metric.table, groups)[metric.table["suppressed"].to_numpy(bool)]
            hidden = (keys.isin(list(secret)) | share["suppressed"]).to_numpy(bool)
            part = without_hidden(part, hidden, [*groups, "quantile"], flag=False)
        parts.append(part[[*groups, "quantile", "estimate", "ci_low", "ci_high", "n"]])
    joined = pd.concat(parts)
    return joined.sort_index(kind="stable").reset_index(drop=True)


def _rank(values: Array, q: float) -> float:
    """Return the smallest value up to which a share q of the sorted values lies."""
    if np.isnan(q) or not len(values):
        return np.nan
    place = int(np.ceil(round(q * len(values), 9))) - 1
    return float(values[min(max(place, 0), len(values) - 1)])


def _keys(table: pd.DataFrame, groups: list[str]) -> pd.Series[Any]:
    """Return the group of every row as one value; None without groups."""
    import pandas as pd

    if not groups:
        return pd.Series([0] * len(table), table.index)
    if len(groups) == 1:
        return table[groups[0]].astype(object)
    rows = zip(*(table[name].astype(object) for name in groups), strict=True)
    return pd.Series(list(rows), table.index, dtype=object)


def _by_group(rows: pd.DataFrame, groups: list[str]) -> Iterable[tuple[Any, pd.Series[Any]]]:
    keys = _keys(rows, groups)
    return rows[LATE].groupby(keys.to_numpy(), sort=False, dropna=True)


def _notes(metric: Metric, table: pd.DataFrame, judged: _Judged) -> tuple[Text, ...]:
    """Return the notes of the share, in words of promises, and those on promises."""
    lost = int((~judged.has_promise).sum())
    notes = [note for note in metric.notes if note not in _of_respondents(metric)]
    if metric.clusters is None:
        notes.append(both("promise.note.independent"))
    else:
        units = format_number(int(metric.clusters.units.sum()))
        rows = format_number(int(metric.clusters.rows.sum()))
        notes.append(both("promise.note.clusters", n=rows, clusters=units))
    notes += note_if(lost > 0, "promise.note.unpromised", n=format_number(lost))
    if judged.late is not None:
        early = int((table[LATE] < 0).sum())
        notes += note_if(early > 0, "promise.note.early", n=format_number(early))
    return tuple(notes)


def _of_respondents(metric: Metric) -> list[Text]:
    """Return the notes that speak of respondents and their answers; promises have their words."""
    missing = format_number(metric.n_missing)
    notes = note_if(metric.n_missing > 0, "metric.note.missing", count=missing)
    if metric.clusters is not None:
        units = int(metric.clusters.units.sum())
        values = {
            "n": format_number(int(metric.clusters.rows.sum())),
            "clusters": format_number(units),
            "df": format_number(units - len(metric.clusters.units)),
        }
        notes.append(both("design.note.used", **values))
    return notes


def _unit_text(unit: str, lang: str) -> str:
    return label(f"promise.unit.{unit or 'none'}", lang)
