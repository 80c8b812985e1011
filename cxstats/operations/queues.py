"""Queues of a contact centre: waiting, service level, staffing by interval, simulated days."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.cells import is_number, is_whole_number
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt
from cxstats.core.moments import check_resamples
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.operations.queue_models import SteadyState, impatient_queue, patient_queue
from cxstats.operations.queue_simulation import QueueDay, SimulatedCalls, simulate_days
from cxstats.operations.timestamps import SECONDS, check_unit, in_units
from cxstats.stats.intervals import check_level, t_interval

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PERIODS = {**SECONDS, "quarter_hour": 900, "half_hour": 1800}
MOST_AGENTS = 1_000_000
DRAWS = 100  # rates that stand for an uncertain one: the middles of as many equal shares
MOST_CELLS = 60_000_000  # calls of all simulated days
SHOWN = 12  # rows of a summary
MEASURES = (
    "occupancy", "p_wait", "service_level", "mean_wait", "abandonment", "queue_length",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CallType:
    """What every queue of a call type has: times in seconds.

    Attributes
    ----------
    handling_time, target : float
    patience : float or None
    rate_cv : float
    """

    handling_time: float
    target: float
    patience: float | None
    rate_cv: float

    @property
    def model(self) -> str:
        """Which model is meant: "erlang_c", or "erlang_a" where calls hang up."""
        return "erlang_c" if self.patience is None else "erlang_a"

    def state(self, rate: float, agents: int) -> SteadyState:
        """Return the steady state at a rate of calls a second."""
        if self.patience is None:
            return patient_queue(rate, self.handling_time, agents, self.target)
        return impatient_queue(rate, self.handling_time, agents, self.target, self.patience)

    def states(self, rate: float, agents: int) -> tuple[Array, list[SteadyState]]:
        """Return rates (k,) that are equally likely, and the state at each."""
        rates = np.array([rate])
        if self.rate_cv > 0:
            from scipy.special import gammaincinv

            shape = self.rate_cv**-2
            middles = (np.arange(DRAWS) + 0.5) / DRAWS
            rates = rate * gammaincinv(shape, middles) / shape
        return rates, [self.state(value, agents) for value in rates]

    def measures(self, rate: float, agents: int, goal: float | None) -> dict[str, float]:
        """Return the measures of calls, and the chance that the day reaches the goal.

        With an uncertain rate each measure is the mean over calls: busy days have more of them.
        """
        rates, states = self.states(rate, agents)
        weights = rates / rates.sum() if rates.sum() > 0 else np.full(len(rates), 1 / len(rates))
        columns = {name: np.array([getattr(state, name) for state in states]) for name in MEASURES}
        by_call = ("p_wait", "service_level", "mean_wait", "abandonment")
        with np.errstate(invalid="ignore"):
            row = {
                name: float(values @ weights if name in by_call else values.mean())
                for name, values in columns.items()
            }
        if goal is not None and self.rate_cv > 0:
            row["goal_chance"] = float((columns["service_level"] >= goal).mean())
        return row


@dataclass(frozen=True, eq=False, repr=False)
class Queue(Result):
    """A queue with one or several numbers of agents.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per number of agents: ``agents, load`` (erlangs), ``occupancy, p_wait,
        service_level, mean_wait`` (seconds), ``abandonment, queue_length``.
    calls : CallType
    rate : float
        Calls a second.
    model : {"erlang_c", "erlang_a"}
    notes : tuple of Text
    """

    table: pd.DataFrame
    calls: CallType
    rate: float
    model: str
    notes: tuple[Text, ...]

    reference: ClassVar = (
        "Gans, Koole & Mandelbaum (2003). Telephone call centers: tutorial, review, and research "
        "prospects. Manufacturing & Service Operations Management 5, 79-141."
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """A curve, of several numbers of agents."""
        return ("agents",) if len(self.table) > 1 else ()

    def findings(self, lang: str) -> list[str]:
        """Return load and, for each number of agents, who waits and how long."""
        lines = [_head(self.calls, self.rate, self.model, lang)]
        for _, row in self.table.iloc[:SHOWN].iterrows():
            lines.append("  " + _line(row, self.model, lang))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the service level over the number of agents."""
        return Chart(
            "staffing_curve",
            (self.table["agents"], self.table["service_level"], self.table["occupancy"]),
            {
                "source": _head(self.calls, self.rate, self.model, lang),
                "target": format_number(self.calls.target),
            },
        )


def _head(calls: CallType, rate: float, model: str, lang: str) -> str:
    patience = ""
    if calls.patience is not None:
        patience = label("queue.patience", lang, patience=format_number(calls.patience, 0))
    return label(
        "queue.head", lang, model=label(f"queue.model.{model}", lang),
        load=format_number(rate * calls.handling_time, 1), rate=format_number(3600 * rate, 1),
        handling=format_number(calls.handling_time, 0), patience=patience,
    )  # fmt: skip


def _line(row: Any, model: str, lang: str) -> str:
    values = {
        "agents": format_number(row["agents"]),
        "target": format_percent(100 * row["service_level"], 1, lang),
        "wait": _seconds(row["mean_wait"]),
        "share": format_percent(100 * row["p_wait"], 1, lang),
        "occupancy": format_percent(100 * row["occupancy"], 1, lang),
    }
    text = label("queue.line", lang, **values)
    if model == "erlang_a":
        lost = format_percent(100 * row["abandonment"], 1, lang)
        text += label("queue.line.abandonment", lang, share=lost)
    return text


def _seconds(value: float) -> str:
    return format_number(value, 1) if np.isfinite(value) else "∞"


def erlang_c(
    rate: float,
    handling_time: Any,
    agents: int | Sequence[int],
    *,
    target: Any = 20,
    patience: Any = None,
    rate_cv: float = 0.0,
    per: str = "hour",
    unit: str = "second",
) -> Queue:
    """Compute who waits, and how long, with a number of agents: Erlang C, or Erlang A.

    With the load ``a = rate x handling time`` in erlangs and n agents, all calls wait that find
    every agent busy, ``P(wait) = C(n, a)``; the share answered within t is
    ``1 - C e^(-(n - a) t / s)``, the mean wait ``C s / (n - a)``, occupancy ``a / n``. With
    `patience` waiting calls hang up after an exponential time of that mean (Erlang A, exact).

    Parameters
    ----------
    rate : float
        Calls per `per`.
    handling_time : number or duration
        Mean time of a call with its after-work, in `unit`, or such as "4min".
    agents : int or sequence of int
    target : number or duration
        Time to answer, in `unit`.
    patience : number or duration, optional
        Mean time until a waiting call hangs up. Without it nobody does, and agents have to be more
        than the load.
    rate_cv : float
        How uncertain the rate is: the relative standard deviation of a day's demand, such as
        `Forecast.cv`. Measures are then averages over a gamma distribution of the rate.
    per : {"second", "minute", "quarter_hour", "half_hour", "hour", "day"}
    unit : {"second", "minute", "hour", "day"}
        Of `handling_time`, `target` and `patience`.

    Returns
    -------
    Queue
        Times in seconds.

    Raises
    ------
    CxError
        Naming the argument, its value and what is allowed; if agents are no more than the load and
        nobody hangs up, with the least number that will do.

    Notes
    -----
    The formulas are of a steady state: arrivals at random (Poisson) at one rate, exponential
    handling times, first come first served, and an interval that is long beside a call.

    References
    ----------
    Gans, Koole & Mandelbaum (2003). Telephone call centers: tutorial, review, and research
    prospects. Manufacturing & Service Operations Management 5, 79-141.

    Examples
    --------
    >>> erlang_c(96, 300, [10, 12], target=20).table["p_wait"].round(3).tolist()
    [0.409, 0.14]
    >>> round(erlang_c(96, 300, 7, patience=150).table["abandonment"].item(), 3)
    0.232
    """
    import pandas as pd

    calls = _call_type(handling_time, target, patience, rate_cv, unit)
    per_second = _rate(rate, per)
    several = np.ndim(agents) == 1 and not isinstance(agents, str)
    numbers: list[Any] = list(agents) if several else [agents]  # type: ignore[arg-type]
    load = per_second * calls.handling_time
    rows = []
    for number in numbers:
        _check_agents(number)
        if calls.patience is None and load >= number:
            raise CxError(
                f"agents={number} with a load of {load:.4g} erlangs: the queue would only grow; "
                f"allowed: {int(load) + 1} or more, or patience= (callers who hang up)"
            )
        rows.append(
            {"agents": int(number), "load": load, **calls.measures(per_second, number, None)}
        )
    if not rows:
        raise CxError("agents is empty; allowed: at least one whole number")
    return Queue(
        table=pd.DataFrame(rows),
        calls=calls,
        rate=per_second,
        model=calls.model,
        notes=_notes(calls),
    )


def _notes(calls: CallType) -> tuple[Text, ...]:
    share = format_number(100 * calls.rate_cv, 1)
    return (
        *note_if(calls.rate_cv > 0, "queue.note.uncertain", cv=share),
        *note_if(calls.patience is None, "queue.note.patient"),
        both("queue.note.steady"),
    )


def _positive(name: str, value: Any, *, zero: bool = False, most: float = 1e12) -> float:
    if not is_number(value) or not (0 <= value <= most if zero else 0 < value <= most):
        allowed = "0 or more" if zero else "numbers above 0"
        raise CxError(f"{name}={excerpt(value)}; allowed: {allowed}, up to {most:g}")
    return float(value)


def _call_type(handling_time: Any, target: Any, patience: Any, cv: Any, unit: str) -> CallType:
    seconds = check_unit(unit)

    def time(name: str, value: Any, zero: bool = False) -> float:
        return seconds * _positive(name, in_units(value, seconds), zero=zero)

    return CallType(
        time("handling_time", handling_time),
        time("target", target, zero=True),
        None if patience is None else time("patience", patience),
        _positive("rate_cv", cv, zero=True, most=2),
    )


def _rate(rate: Any, per: str) -> float:
    if per not in PERIODS:
        raise CxError(f"per={per!r}; allowed: {', '.join(map(repr, PERIODS))}")
    return _positive("rate", rate, zero=True) / PERIODS[per]


def _check_agents(number: Any) -> None:
    if not is_whole_number(number) or not 1 <= number <= MOST_AGENTS:
        raise CxError(f"agents={excerpt(number)}; allowed: whole numbers from 1 to {MOST_AGENTS:,}")


@dataclass(frozen=True, eq=False, repr=False)
class Staffing(Result):
    """The smallest numbers of agents that reach a service level.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per interval: ``slot, rate`` (calls per interval), ``load`` (erlangs), ``agents,
        scheduled`` (agents over one less the shrinkage, rounded up), ``occupancy, p_wait,
        service_level, mean_wait, abandonment, queue_length``; with an uncertain rate
        ``goal_chance``, the share of days on which the interval reaches the goal.
    calls : CallType
    goal : float
    per : str
        Length of an interval.
    notes : tuple of Text
    """

    table: pd.DataFrame
    calls: CallType
    goal: float
    per: str
    notes: tuple[Text, ...]

    reference: ClassVar = Queue.reference
    kinds: ClassVar = ("day",)

    def findings(self, lang: str) -> list[str]:
        """Return the goal, hours of agents, and the interval that needs most."""
        hours = float(self.table["agents"].sum()) * PERIODS[self.per] / 3600
        place = int(self.table["agents"].argmax())
        slot, most = str(self.table["slot"].tolist()[place]), self.table.iloc[place]
        low, high = int(self.table["agents"].min()), int(self.table["agents"].max())
        return [
            label("queue.staffing.head", lang, goal=format_percent(100 * self.goal, 0, lang),
                  target=format_number(self.calls.target), n=len(self.table)),
            label("queue.staffing.hours", lang, hours=format_number(hours, 1),
                  low=format_number(low), high=format_number(high)),
            label("queue.staffing.most", lang, slot=slot,
                  line=_line(most, self.calls.model, lang)),
        ]  # fmt: skip

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return agents by interval."""
        return Chart(
            "agents_by_slot",
            (self.table["slot"].astype(str), self.table["agents"], self.table["load"]),
            {"source": self.findings(lang)[0]},
        )

    def simulate(
        self,
        n_days: int = 200,
        *,
        handling_cv: float = 1.0,
        level: float = 0.95,
        seed: int = 1,
    ) -> QueueDays:
        """Simulate days with these agents, and the demand as uncertain as it was said to be.

        Unlike the formulas, a simulation carries a queue from one interval into the next, begins
        the day empty and allows for handling times of another spread.

        Parameters
        ----------
        n_days : int
        handling_cv : float
            Relative standard deviation of handling times: exponential at 1, log-normal otherwise.
        level : float
            Of the intervals, over simulated days.
        seed : int

        Returns
        -------
        QueueDays

        Raises
        ------
        CxError
            Naming the option and what is allowed; or if there are too many calls to simulate.
        """
        check_level(level)
        check_resamples(n_days, seed)
        if n_days < 2:
            raise CxError(f"n_days={n_days}; allowed: 2 or more")
        _positive("handling_cv", handling_cv, most=10)
        total = float(self.table["rate"].sum()) * n_days
        if total > MOST_CELLS:
            raise CxError(f"{total:,.0f} calls to simulate; allowed: up to {MOST_CELLS:,}")
        width = float(PERIODS[self.per])
        patience = np.inf if self.calls.patience is None else self.calls.patience
        day = QueueDay(
            self.table["rate"].to_numpy(float) / width, self.table["agents"].to_numpy(np.int64),
            width, self.calls.handling_time, handling_cv, patience, self.calls.rate_cv,
        )  # fmt: skip
        simulated = simulate_days(day, n_days, np.random.default_rng(seed))
        slots = [str(slot) for slot in self.table["slot"]]
        table = _simulated_table(simulated, slots, width, self.calls.target, level)
        return QueueDays(table, self.goal, self.calls.target, n_days, level, seed, True, ())


@long_work("staffing")
def staffing(  # noqa: PLR0913  (keywords of a public function)
    rates: Any,
    handling_time: Any,
    *,
    service_level: float = 0.8,
    target: Any = 20,
    patience: Any = None,
    rate_cv: float = 0.0,
    most_occupancy: float = 1.0,
    shrinkage: float = 0.0,
    per: str = "half_hour",
    unit: str = "second",
) -> Staffing:
    """Compute the smallest number of agents that reaches a service level, by interval of the day.

    Parameters
    ----------
    rates : number, sequence or pandas.Series of numbers
        Calls in each interval; a Series names the intervals by its index, such as
        `Forecast.rates` with slots of the length `per`.
    handling_time, target, patience, rate_cv, unit
        As in `cxstats.erlang_c`.
    service_level : float
        Share of all calls to be answered within the target; with an uncertain rate, of the calls
        of all days.
    most_occupancy : float
        Share of their time that agents may be busy at the most.
    shrinkage : float
        Share of paid time that is not spent on calls (breaks, training, absence).
    per : {"second", "minute", "quarter_hour", "half_hour", "hour", "day"}
        Length of an interval.

    Returns
    -------
    Staffing

    Raises
    ------
    CxError, DataError
        Naming the option or interval, its value and what is allowed.

    Notes
    -----
    As in `cxstats.erlang_c`, each interval is taken as a steady state of its own:
    `Staffing.simulate` tests that, with the queue carried on from one interval to the next.

    Examples
    --------
    >>> plan = staffing([48, 120], "5min", service_level=0.8, target=20)
    >>> plan.table[["load", "agents", "service_level"]].round(3).values.tolist()
    [[8.0, 12.0, 0.893], [20.0, 25.0, 0.85]]
    """
    import pandas as pd

    calls = _call_type(handling_time, target, patience, rate_cv, unit)
    for name, value in (("service_level", service_level), ("most_occupancy", most_occupancy)):
        _positive(name, value, most=1)
    if service_level == 1:
        raise CxError(
            "service_level=1; allowed: below 1, since no number of agents is always enough"
        )
    if _positive("shrinkage", shrinkage, zero=True, most=0.95) and shrinkage == 1:
        raise CxError("shrinkage=1; allowed: below 1")
    series = _rates(rates)
    _rate(0, per)  # checks the period
    rows = []
    for slot, rate in series.items():
        per_second = float(rate) / PERIODS[per]
        load = per_second * calls.handling_time
        measured = partial(calls.measures, per_second, goal=service_level)
        agents = _fewest(measured, load, service_level, most_occupancy)
        measures = calls.measures(per_second, agents, service_level)
        scheduled = int(np.ceil(round(agents / (1 - shrinkage), 9)))
        rows.append({"slot": slot, "rate": float(rate), "load": load, "agents": agents,
                     "scheduled": scheduled, **measures})  # fmt: skip
    return Staffing(pd.DataFrame(rows), calls, float(service_level), per, _notes(calls))


def _rates(rates: Any) -> pd.Series[Any]:
    """Return calls by interval, checked."""
    import pandas as pd

    from cxstats.survey.answers import numbers

    if is_number(rates):
        rates = [rates]
    if not isinstance(rates, (pd.Series, list, tuple, np.ndarray, range)) or np.ndim(rates) != 1:
        raise DataError(f"rates={excerpt(rates)}; allowed: a number, a list or a Series of numbers")
    series = rates if isinstance(rates, pd.Series) else pd.Series(
        list(rates), index=range(1, len(rates) + 1)
    )  # fmt: skip
    if series.empty:
        raise DataError("rates is empty; allowed: at least one number")
    values = numbers(pd.DataFrame({"rates": series.to_numpy()}, index=series.index), "rates")
    wrong = np.flatnonzero(~(values >= 0))
    if len(wrong):
        slot = series.index[wrong[0]]
        raise DataError(f"rates, interval {slot!r}: {values[wrong[0]]:g}; allowed: 0 or more")
    return pd.Series(values, series.index)


def _fewest(
    measures: Callable[..., dict[str, float]], load: float, goal: float, most_occupancy: float
) -> int:
    """Return the smallest number of agents: doubled until it is enough, then halved in between."""

    def enough(agents: int) -> bool:
        row = measures(agents)
        return row["service_level"] >= goal and row["occupancy"] <= most_occupancy

    if load == 0 or enough(1):
        return 1
    low, step = 1, max(1, int(load))
    while not enough(low + step):
        low += step
        step *= 2
        if low + step > MOST_AGENTS:
            raise CxError(
                f"a load of {load:,.4g} erlangs needs more than {low:,} agents; allowed: up to "
                f"{MOST_AGENTS:,}"
            )
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@dataclass(frozen=True, eq=False, repr=False)
class QueueDays(Result):
    """Simulated days of a queue.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per interval and one for the whole day ("day"): ``slot, estimate`` (share of calls
        answered within the target), ``se, ci_low, ci_high, abandonment, mean_wait`` (seconds, of
        all calls), ``n`` (calls).
    goal, target : float
    n_days : int
    level : float
    seed : int
    synthetic : bool
        True: no number here was measured.
    notes : tuple of Text
    """

    table: pd.DataFrame
    goal: float
    target: float
    n_days: int
    level: float
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {"slot": "queue.slot.{}"}
    kinds: ClassVar = ("slots",)
    reference: ClassVar = (
        "Kiefer & Wolfowitz (1955). On the theory of queues with many servers. Transactions of the "
        "American Mathematical Society 78, 1-18."
    )

    def findings(self, lang: str) -> list[str]:
        """Return the service level of the day, and in how many intervals it is below the goal."""
        row = self.table.iloc[-1]
        slots = self.table.iloc[:-1]
        return [
            label("queue.days.head", lang, n=format_number(self.n_days),
                  calls=format_number(int(row["n"]))),
            label("queue.days.level", lang, target=format_number(self.target),
                  value=format_percent(100 * row["estimate"], 1, lang),
                  interval=interval(100 * row["ci_low"], 100 * row["ci_high"], 1),
                  share=format_percent(100 * row["abandonment"], 1, lang),
                  wait=format_number(row["mean_wait"], 1)),
            label("queue.days.short", lang, k=int((slots["ci_high"] < self.goal).sum()),
                  n=len(slots), goal=format_percent(100 * self.goal, 0, lang)),
        ]  # fmt: skip

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the service level by interval against the goal."""
        rows = self.table[self.table["estimate"].notna()]
        names = [
            label("queue.slot.day", lang) if slot == "day" else str(slot) for slot in rows["slot"]
        ]
        return Chart(
            "intervals",
            (names, *(100 * rows[name] for name in ("estimate", "ci_low", "ci_high"))),
            {
                "source": self.findings(lang)[0],
                "axis": label("queue.days.axis", lang, target=format_number(self.target)),
                "reference": 100 * self.goal,
                "decimals": 1,
                "level": self.level,
                "title": self.findings(lang)[2],
                "synthetic": True,
            },
        )


def _simulated_table(
    calls: SimulatedCalls, slots: list[str], width: float, target: float, level: float
) -> pd.DataFrame:
    """Return ratios over simulated days: answered in time, hung up, and waited, by calls."""
    import pandas as pd

    there = ~np.isnan(calls.arrival)
    number = np.where(there, np.nan_to_num(calls.arrival) // width, -1).astype(int)
    number = np.minimum(number, len(slots) - 1)
    in_time = calls.answered & (calls.wait <= target)
    rows = []
    for k, slot in enumerate([*slots, "day"]):
        chosen = there if slot == "day" and k == len(slots) else number == k
        n = chosen.sum(axis=1).astype(float)
        level_limits = _ratio((in_time & chosen).sum(axis=1).astype(float), n, level)
        lost = float((~calls.answered & chosen).sum()) / max(n.sum(), 1)
        waited = float(np.where(chosen, calls.wait, 0).sum()) / max(n.sum(), 1)
        rows.append([slot, *level_limits, lost, waited, int(n.sum())])
    names = ["slot", "estimate", "se", "ci_low", "ci_high", "abandonment", "mean_wait", "n"]
    return pd.DataFrame(rows, columns=names)


def _ratio(events: Array, n: Array, level: float) -> tuple[float, float, float, float]:
    """Return a ratio of sums over days with its linearised error and t limits within 0 and 1."""
    if not n.sum():
        return (np.nan,) * 4
    share = float(events.sum() / n.sum())
    residual = (events - share * n) / n.mean()
    se = float(residual.std(ddof=1) / np.sqrt(len(n)))
    low, high = t_interval(np.array([share]), np.array([se]), np.array([len(n) - 1.0]), level)
    return share, se, float(np.clip(low[0], 0, 1)), float(np.clip(high[0], 0, 1))
