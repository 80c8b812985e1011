"""Forecasts of demand: exponential smoothing against the same day of the season before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.cells import is_whole_number
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.operations.demand_days import DemandDays, closed_days, read_demand
from cxstats.operations.smoothing import (
    Predictive,
    SmoothingForm,
    choose_form,
    seasonal_naive,
    smooth,
)
from cxstats.stats.intervals import check_level, proportion_interval
from cxstats.stats.serial_means import ENOUGH, serial_means

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

METHODS = ("smoothing", "seasonal_naive")
LOSSES = ("mae", "mape", "mase", "pinball")
ORIGINS = 40
SEASONS = 3  # before the first origin
LONGEST_SEASON = 60  # seasonal states of the model
SLOT_DAYS = 20  # open days whose course within the day is averaged
DRAWN = 60  # periods in the chart before the forecast


@dataclass(frozen=True, eq=False, repr=False)
class Forecast(Result):
    """A forecast of demand, with what its method achieved on the past.

    Attributes
    ----------
    table : pandas.DataFrame
        ``method, measure, estimate, ci_low, ci_high, p_value, n``: mean absolute error, MAPE, MASE,
        pinball loss and coverage of the prediction intervals of each method over the rolling
        origins, and the difference of the losses (smoothing less seasonal naive). `n` is origins.
    ahead : pandas.DataFrame
        ``time, step, predicted, prediction_low, prediction_high``: the periods after the last.
    errors : pandas.DataFrame
        ``time, step, actual, predicted, prediction_low, prediction_high, naive``: one row per
        origin and step.
    slots : pandas.DataFrame or None
        ``slot, share, n``: the share of a day's demand in each slot of it.
    form : SmoothingForm
    season, horizon : int
    level : float
    n : int
        Periods with demand.
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    ahead: pd.DataFrame
    errors: pd.DataFrame
    slots: pd.DataFrame | None
    form: SmoothingForm
    season: int
    horizon: int
    level: float
    n: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("course",)
    codes: ClassVar = {"method": "forecast.method.{}", "measure": "forecast.measure.{}"}
    reference: ClassVar = (
        "Hyndman, Koehler, Ord & Snyder (2008). Forecasting with exponential smoothing. Springer. "
        "Diebold & Mariano (1995). Comparing predictive accuracy. Journal of Business & Economic "
        "Statistics 13, 253-263."
    )

    def value(self, method: str, measure: str) -> Any:
        """Return a row of the table.

        Raises
        ------
        CxError
            If there is none.
        """
        rows = self.table[(self.table["method"] == method) & (self.table["measure"] == measure)]
        if rows.empty:
            allowed = ", ".join(sorted({*self.table["method"]} | {*self.table["measure"]}))
            raise CxError(f"no row of {method!r} and {measure!r}; allowed: {allowed}")
        return rows.iloc[0]

    def rates(self, step: int = 1) -> pd.Series[Any]:
        """Return the demand predicted for each slot of a day ahead, ``share x predicted``.

        Raises
        ------
        CxError
            If the data were not finer than a day, or the forecast does not reach so far.
        """
        if self.slots is None:
            raise CxError(
                "the forecast has no slots: say slot='30min' with a table finer than a day"
            )
        if step not in set(self.ahead["step"]):
            raise CxError(f"step={excerpt(step)}; allowed: 1 to {self.horizon}")
        total = float(self.ahead.loc[self.ahead["step"] == step, "predicted"].iloc[0])
        rates: pd.Series[Any] = self.slots.set_index("slot")["share"] * total
        return rates.rename("rate")

    def cv(self, step: int = 1) -> float:
        """Return how uncertain a day's demand is: the forecast's relative standard deviation."""
        if step not in set(self.ahead["step"]):
            raise CxError(f"step={excerpt(step)}; allowed: 1 to {self.horizon}")
        row = self.ahead[self.ahead["step"] == step].iloc[0]
        from cxstats.stats.intervals import normal_quantile

        width = (row["prediction_high"] - row["prediction_low"]) / 2
        return float(width / normal_quantile(self.level) / row["predicted"])

    def findings(self, lang: str) -> list[str]:
        """Return the model, both errors, their difference, coverage, and the next period."""
        lines = [
            label("forecast.head", lang, n=format_number(self.n), season=self.season,
                  form=self._form(lang)),
            label("forecast.origins", lang, n=len(self.errors["origin"].unique()),
                  horizon=self.horizon),
        ]  # fmt: skip
        for method in METHODS:
            row = self.value(method, "mae")
            lines.append(
                "  "
                + label("forecast.error", lang, method=label(f"forecast.method.{method}", lang),
                        mae=f"{format_number(row['estimate'], 1)} "
                        f"{interval(row['ci_low'], row['ci_high'], 1)}",
                        mape=self._percent(method, "mape", lang),
                        mase=format_number(self.value(method, "mase")["estimate"], 2),
                        coverage=self._percent(method, "coverage", lang))
            )  # fmt: skip
        lines.append(self._verdict(lang))
        first = self.ahead.iloc[0]
        lines.append(
            label("forecast.next", lang, time=_time_text(first["time"]),
                  value=format_number(first["predicted"], 0),
                  interval=interval(first["prediction_low"], first["prediction_high"], 0),
                  level=format_percent(100 * self.level, None, lang))
        )  # fmt: skip
        return lines

    def _form(self, lang: str) -> str:
        keys = (
            ("logarithm", "plain")[not self.form.logarithm],
            ("trend", "level")[not self.form.trend],
        )
        return "".join(label(f"forecast.form.{key}", lang) for key in keys)

    def _percent(self, method: str, measure: str, lang: str) -> str:
        row = self.value(method, measure)
        if np.isnan(row["estimate"]):
            return "–"
        limits = interval(100 * row["ci_low"], 100 * row["ci_high"], 1)
        return f"{format_percent(100 * row['estimate'], 1, lang)} {limits}"

    def _verdict(self, lang: str) -> str:
        row = self.value("difference", "mae")
        naive = self.value("seasonal_naive", "mae")["estimate"]
        key = "better" if row["ci_high"] < 0 else "worse" if row["ci_low"] > 0 else "open"
        return label(
            f"forecast.verdict.{key}", lang,
            difference=format_number(row["estimate"], 1, sign=True),
            interval=interval(row["ci_low"], row["ci_high"], 1),
            share=format_percent(100 * abs(row["estimate"]) / naive, 0, lang) if naive else "–",
            p=p_text(row["p_value"]),
        )  # fmt: skip

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the course of demand: one step ahead on the past, then the forecast."""
        past = self.errors[self.errors["step"] == 1].iloc[-DRAWN:]
        times = [*past["time"], *self.ahead["time"]]
        columns = ["predicted", "prediction_low", "prediction_high"]
        ahead = [np.concatenate([past[name], self.ahead[name]]) for name in columns]
        actual = np.concatenate([past["actual"], np.full(len(self.ahead), np.nan)])
        errors = [self._percent(method, "mape", lang).split(" [")[0] for method in METHODS]
        key = "forecast.title" if "–" not in errors else "forecast.title.mase"
        if "–" in errors:
            errors = [format_number(self.value(m, "mase")["estimate"], 2) for m in METHODS]
        return Chart(
            "forecast",
            (times, actual, *ahead),
            {
                "source": label("forecast.source", lang, n=format_number(self.n)),
                "axis": label("forecast.axis", lang),
                "level": self.level,
                "title": label(key, lang, smoothing=errors[0], naive=errors[1]),
                "synthetic": self.synthetic,
            },
        )


@long_work("forecast demand")
def forecast_demand(  # noqa: PLR0913  (keywords of a public function)
    data: Any,
    *,
    time: str | None = None,
    count: str | None = None,
    horizon: int = 1,
    season: int | None = None,
    origins: int = ORIGINS,
    closed: Iterable[Any] | None = None,
    gaps: str = "closed",
    slot: str | None = None,
    level: float = 0.95,
) -> Forecast:
    """Forecast demand by exponential smoothing, and measure it against the season before.

    The model is ETS with additive errors, an additive season, no trend or a damped one, of demand
    or of its logarithm (then seasons and errors are shares), chosen by AICc on the periods before
    the first origin. At each of the last `origins` periods it is fitted anew to all periods before
    and forecasts `horizon` of them; so does the seasonal naive forecast, which repeats the season
    before. Losses of an origin are averaged over its steps:

    ``MAE = mean |y - f|``, ``MAPE = mean |y - f| / y``, ``MASE = MAE / mean |y_t - y_(t-m)|`` over
    the periods before the first origin, pinball loss ``max(q (y - f_q), (q - 1) (y - f_q))`` over
    the quantiles of the ends and the middle of the prediction interval. Their intervals, and those
    of the differences (the test of Diebold and Mariano), allow for the dependence of origins.

    Parameters
    ----------
    data : table, or pandas.Series with dates, or list of numbers
        A table (any engine) with `time`: one row per day, per interval of the day, or per call. A
        Series with a DatetimeIndex likewise. A list: periods in order of time, NaN for one without
        demand; it needs `season`.
    time : str, optional
        Column of times of a table (no zone, or one zone).
    count : str, optional
        Column of numbers from 0, added up by day; without it, each row counts 1.
    horizon : int
        Periods ahead.
    season : int, optional
        Periods of a season, up to 60; without it the number of open weekdays, so that a week of
        five days has 5. 1 for none.
    origins : int
        Last periods that are forecast from what came before them, at least 12.
    closed : list of dates, optional
        Days that are or will be closed, such as holidays: their demand is not used, and they are
        not forecast.
    gaps : {"closed", "zero"}
        What a missing day of an open weekday is. Weekdays that are open on less than half of their
        dates are not part of the week. With "zero" every weekday that occurs is.
    slot : str, optional
        Such as "30min": the share of each part of the day, over the last 20 open days; for tables
        finer than a day.
    level : float
        Of prediction intervals and of confidence intervals.

    Returns
    -------
    Forecast

    Raises
    ------
    CxError, DataError
        Naming the option, or column, row and value, and what is allowed; if there are fewer than 3
        seasons before the first origin, or nothing varies.

    Notes
    -----
    A closed or missing day keeps its place in the week: for the fit it takes the value of the
    season before, and it is never scored. Days that lack some of their intervals, where most days
    have the same number, are taken as missing. A prediction interval leaves out that parameters
    are estimates and that the model may be wrong; the table has its coverage at the rolling
    origins, whose interval takes origins as independent.

    References
    ----------
    Hyndman, Koehler, Ord & Snyder (2008). Forecasting with exponential smoothing. Springer.
    Hyndman & Koehler (2006). Another look at measures of forecast accuracy. International Journal
    of Forecasting 22, 679-688.
    Diebold & Mariano (1995). Comparing predictive accuracy. JBES 13, 253-263.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> week = np.tile([120, 100, 95, 90, 110], 16)
    >>> calls = forecast_demand(rng.poisson(week), season=5, origins=15)
    >>> calls.value("difference", "mae")[["estimate", "ci_high"]].astype(float).round(1).tolist()
    [-5.3, 0.4]
    """
    check_level(level)
    for name, value, least in (("horizon", horizon, 1), ("origins", origins, ENOUGH)):
        _check_whole(name, value, least)
    holidays = closed_days(closed)
    demand = read_demand(data, time, count, holidays, gaps)
    m = _season(season, demand)
    filled, has_demand = _filled(demand.values, m)
    targets = _origins(has_demand, origins, horizon, m)
    form = choose_form(filled[: targets[0]], m)
    errors, losses = _roll(filled, has_demand, targets, form, horizon, level)
    errors["time"] = demand.days[errors.pop("place").to_numpy()]
    ahead = smooth(filled, form, horizon)
    return Forecast(
        table=_accuracy(losses, level),
        ahead=_table_of(ahead, demand.next_days(horizon, holidays), level),
        errors=errors[["origin", "time", *errors.columns.drop(["origin", "time"])]],
        slots=None if slot is None else _slots(demand, slot),
        form=form,
        season=m,
        horizon=horizon,
        level=level,
        n=int(has_demand.sum()),
        synthetic=demand.synthetic,
        notes=_notes(demand, has_demand, losses),
    )


def _check_whole(name: str, value: Any, least: int) -> None:
    if not is_whole_number(value) or value < least:
        raise CxError(f"{name}={excerpt(value)}; allowed: whole numbers from {least} upwards")


def _season(season: int | None, demand: DemandDays) -> int:
    if season is None:
        if not demand.weekdays:
            raise CxError("season=None with a series without dates; allowed: a number of periods")
        return len(demand.weekdays)
    _check_whole("season", season, 1)
    if season > LONGEST_SEASON:
        raise CxError(f"season={season}; allowed: 1 to {LONGEST_SEASON}")
    return int(season)


def _filled(values: Array, season: int) -> tuple[Array, NDArray[np.bool_]]:
    """Return demand without gaps, each the value of the season before, and where demand is.

    Periods before the first of a whole season with demand are left out by the caller's rule: a gap
    in the first season takes the mean of that season.
    """
    has_demand = ~np.isnan(values)
    if not has_demand.any():
        raise DataError("no period has demand; allowed: at least one number")
    filled = values.copy()
    first = filled[:season]
    mean = np.nanmean(first) if (~np.isnan(first)).any() else np.nanmean(values)
    filled[:season] = np.where(np.isnan(first), mean, first)
    for i in range(season, len(filled)):
        if np.isnan(filled[i]):
            filled[i] = filled[i - season]
    return filled, has_demand


def _origins(has_demand: NDArray[np.bool_], origins: int, horizon: int, season: int) -> list[int]:
    """Return the first periods that are forecast, one per origin, in order."""
    last = len(has_demand) - horizon
    # Each has demand at every step that is scored; a closed day is no origin's first step.
    places = [i for i in range(last + 1) if i < len(has_demand) and has_demand[i]][-origins:]
    least = SEASONS * season + 2
    enough = len(places) == origins and places[0] >= least
    if not enough:
        raise DataError(
            f"{int(has_demand.sum())} periods with demand; origins={origins}, horizon={horizon} "
            f"and a season of {season} need at least {origins + horizon - 1 + least}"
        )
    return places


def _roll(
    filled: Array,
    has_demand: NDArray[np.bool_],
    targets: list[int],
    form: SmoothingForm,
    horizon: int,
    level: float,
) -> tuple[pd.DataFrame, dict[str, Array]]:
    """Return forecasts of every origin and step, and losses (origins, 2) by measure."""
    import pandas as pd

    season = form.season
    before = filled[: targets[0]]
    scale = float(np.abs(before[season:] - before[:-season]).mean())
    tails = ((1 - level) / 2, 0.5, (1 + level) / 2)
    rows, losses = [], {name: np.empty((len(targets), 2)) for name in (*LOSSES, "coverage")}
    for number, start in enumerate(targets):
        places = np.arange(start, start + horizon)
        scored = has_demand[places]
        actual = filled[places]
        quantiles = [
            np.array([predictive.quantile(q) for q in tails])
            for predictive in (
                smooth(filled[:start], form, horizon),
                seasonal_naive(filled[:start], season, horizon),
            )
        ]
        for column, curves in enumerate(quantiles):
            for name, loss in _losses(actual[scored], curves[:, scored], tails, scale).items():
                losses[name][number, column] = loss
        low, middle, high = quantiles[0]
        block = {
            "origin": number + 1, "place": places, "step": places - start + 1,
            "actual": np.where(scored, actual, np.nan), "predicted": middle,
            "prediction_low": low, "prediction_high": high, "naive": quantiles[1][1],
        }  # fmt: skip
        rows.append(pd.DataFrame(block))
    return pd.concat(rows, ignore_index=True), losses


def _losses(
    actual: Array, curves: Array, tails: tuple[float, ...], scale: float
) -> dict[str, float]:
    """Return the losses of an origin, averaged over its steps."""
    low, middle, high = curves
    error = np.abs(actual - middle)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(actual > 0, error / actual, np.nan).mean()
        scaled = error.mean() / scale if scale > 0 else np.nan
    over = actual - curves
    q = np.array(tails)[:, None]
    pinball = np.maximum(q * over, (q - 1) * over).mean()
    inside = ((low <= actual) & (actual <= high)).mean()
    values = (error.mean(), relative, scaled, pinball, inside)
    return dict(zip((*LOSSES, "coverage"), map(float, values), strict=True))


def _accuracy(losses: dict[str, Array], level: float) -> pd.DataFrame:
    """Return every measure of both methods, and the differences of the losses."""
    import pandas as pd

    rows = []
    n = len(losses["mae"])
    for measure in LOSSES:
        both_methods = losses[measure]
        columns = np.column_stack([both_methods, both_methods[:, 0] - both_methods[:, 1]])
        means = serial_means(columns)
        low, high = means.limits(level)
        low[:2] = np.maximum(low[:2], 0)
        p = means.p_values()
        for i, method in enumerate((*METHODS, "difference")):
            p_value = p[i] if method == "difference" else np.nan
            rows.append([method, measure, means.mean[i], low[i], high[i], p_value, n])
    for i, method in enumerate(METHODS):
        share = float(losses["coverage"][:, i].mean())
        low, high = proportion_interval(share, n, level=level)
        rows.append([method, "coverage", share, float(low), float(high), np.nan, n])
    names = ["method", "measure", "estimate", "ci_low", "ci_high", "p_value", "n"]
    table = pd.DataFrame(rows, columns=names)
    order = {name: i for i, name in enumerate((*METHODS, "difference"))}
    return table.sort_values(
        "method", key=lambda names: names.map(order), kind="stable"
    ).reset_index(drop=True)


def _table_of(ahead: Predictive, days: Any, level: float) -> pd.DataFrame:
    import pandas as pd

    low, middle, high = (ahead.quantile(q) for q in ((1 - level) / 2, 0.5, (1 + level) / 2))
    columns = {"time": days, "step": np.arange(1, len(middle) + 1), "predicted": middle}
    return pd.DataFrame({**columns, "prediction_low": low, "prediction_high": high})


def _slots(demand: DemandDays, slot: str) -> pd.DataFrame:
    """Return the share of a day's demand in each slot, over the last open days."""
    import pandas as pd

    if demand.rows is None:
        raise CxError(f"slot={slot!r} needs a table finer than a day; this one has a row a day")
    try:
        width = pd.Timedelta(slot)
    except (ValueError, TypeError) as error:
        raise CxError(f"slot={excerpt(slot)}; allowed: a part of a day such as '30min'") from error
    if isinstance(slot, (int, float)) or not pd.Timedelta(0) < width <= pd.Timedelta("12h"):
        raise CxError(f"slot={excerpt(slot)}; allowed: a part of a day such as '30min'")
    usable = demand.days[~np.isnan(demand.values)][-SLOT_DAYS:]
    day = demand.rows["time"].dt.normalize()
    rows = demand.rows[day.isin(usable)]
    start = (rows["time"] - rows["time"].dt.normalize()) // width * width
    added = rows["value"].groupby(start).sum()
    names = [f"{at.components.hours:02d}:{at.components.minutes:02d}" for at in added.index]
    total = float(added.sum())
    if total == 0:
        raise DataError(f"no demand on the last {len(usable)} days; slots have no shares")
    return pd.DataFrame({"slot": names, "share": added.to_numpy() / total, "n": len(usable)})


def _notes(
    demand: DemandDays, has_demand: NDArray[np.bool_], losses: dict[str, Array]
) -> tuple[Text, ...]:
    gaps = int((~has_demand).sum()) - demand.n_partial
    weekdays = len(demand.weekdays)
    coverage = losses["coverage"][:, 0]
    return (
        *note_if(0 < weekdays < 7, "forecast.note.week", n=weekdays),
        *note_if(gaps > 0, "forecast.note.gaps", n=gaps),
        *note_if(demand.n_partial > 0, "forecast.note.partial", n=demand.n_partial),
        *note_if(demand.n_rare > 0, "forecast.note.rare", n=demand.n_rare),
        *note_if(demand.n_zero > 0, "forecast.note.zero", n=demand.n_zero),
        *note_if(bool(np.isnan(losses["mape"]).any()), "forecast.note.mape"),
        *note_if(bool(coverage.mean() < 0.85), "forecast.note.narrow"),
        both("forecast.note.origins"),
    )


def _time_text(time: Any) -> str:
    return str(time.date()) if hasattr(time, "date") else str(time)
