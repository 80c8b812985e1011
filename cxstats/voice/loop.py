"""The loop back to the customer: the way from feedback to adoption, open items, reopening."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt, listing, meant
from cxstats.core.result import Chart, Result
from cxstats.operations.timestamps import SECONDS, check_unit
from cxstats.stats.intervals import check_level, normal_quantile
from cxstats.voice.closing_times import ItemTimes, duration, item_times, read_promise
from cxstats.voice.register import (
    GROUPS,
    FeedbackRegister,
    check_by,
    check_register,
    customer_codes,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.metrics.result import Metric

STAGES = ("collected", "answered", "closed", "adopted")
AGES = (1.0, 3.0, 7.0, 14.0, 30.0, 90.0)  # days


@dataclass(frozen=True, eq=False, repr=False)
class FeedbackFunnel(Result):
    """The way of feedback from coming in to adoption.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per stage, each of the items that passed all before it: ``stage, n`` (so far),
        ``share`` (of all so far, however long they have had), ``estimate, se, ci_low, ci_high``
        (share of all within the time `within`), ``passed_on, passed_on_low, passed_on_high`` (share
        of those at the stage before that go on within the same time), ``n_young`` (items that are
        not at the stage and younger than `within`).
    strength : pandas.DataFrame
        Strength of the loop, formula A07: ``quantity`` ("strength": adopted within the time over
        collected; "with_speed": that times ``t0 / (t0 + t)``), ``estimate, se, ci_low,
        ci_high, n``.
        The second row is there with a target only.
    within : float
        In `unit`.
    target : float or None
        t0, in `unit`.
    unit, n, level, synthetic
        As passed; items.
    notes : tuple of Text
    """

    table: pd.DataFrame
    strength: pd.DataFrame
    within: float
    target: float | None
    unit: str
    n: int
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("stages",)
    codes: ClassVar = {"stage": "register.stage.{}", "quantity": "register.quantity.{}"}
    reference: ClassVar = (
        "Kaplan & Meier (1958). Nonparametric estimation from incomplete observations. Journal of "
        "the American Statistical Association 53, 457-481."
    )

    def _values(self, lang: str) -> dict[str, str]:
        return {
            "within": format_number(self.within),
            "unit": label(f"register.unit.{self.unit}", lang),
            "n": format_number(self.n),
        }

    def findings(self, lang: str) -> list[str]:
        """Return the share that reaches each stage, and the strength of the loop."""
        level = format_percent(100 * self.level, None, lang)
        lines = [label("register.funnel.head", lang, level=level, **self._values(lang))]
        for _, row in self.table.iloc[1:].iterrows():
            lines.append(
                "  " + label(
                    "register.funnel.row", lang,
                    stage=label(f"register.stage.{row['stage']}", lang),
                    share=format_percent(100 * row["estimate"], 1, lang),
                    interval=interval(100 * row["ci_low"], 100 * row["ci_high"], 1),
                    step=format_percent(100 * row["passed_on"], 1, lang),
                    so_far=format_percent(100 * row["share"], 1, lang),
                )
            )  # fmt: skip
        for _, row in self.strength.iterrows():
            lines.append(
                "  " + label(
                    "register.funnel.strength", lang,
                    quantity=label(f"register.quantity.{row['quantity']}", lang),
                    value=format_number(row["estimate"], 3),
                    interval=interval(row["ci_low"], row["ci_high"], 3),
                )
            )  # fmt: skip
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the share of each stage with its interval."""
        rows = self.table.iloc[1:]
        rows = rows[rows["estimate"].notna()]
        if not len(rows):
            raise CxError("no item is as old as `within`: nothing can be told yet")
        last = rows.iloc[-1]
        share = format_percent(100 * last["estimate"], 0, lang)
        names = [label(f"register.stage.{name}", lang) for name in rows["stage"]]
        stage = label(f"register.stage.{last['stage']}", lang)
        values = self._values(lang)
        return Chart(
            "intervals",
            (names, *(100 * rows[name] for name in ("estimate", "ci_low", "ci_high"))),
            {
                "title": label("register.funnel.title", lang, share=share, stage=stage, **values),
                "axis": label("register.funnel.axis", lang, **values),
                "source": label("register.source", lang, n=values["n"]),
                "level": self.level,
                "decimals": 1,
                "synthetic": self.synthetic,
            },
        )


def feedback_funnel(
    register: FeedbackRegister,
    within: Any = "30 days",
    *,
    target: Any = None,
    unit: str = "day",
    level: float = 0.95,
) -> FeedbackFunnel:
    """Estimate which share of the feedback is answered, closed and adopted within a time.

    A stage counts the items that passed all stages before it, so an item closed without an answer
    leaves the loop at the answer. Shares are ``1 - S(within)``, S by Kaplan and Meier, of the time
    from coming in (of a step: from the stage before); items younger than that count for as long as
    they have been seen. An adoption without a time of its own is taken to be known at closing.

    Formula A07, "strength of the feedback loop" (document 000, 2.3 (3); status: reconstructed, low
    confidence), is ``L = implemented / collected``, with speed ``L t0 / (t0 + t)``, t the mean time
    until closing. Here L is the share adopted within the time and t the area below Kaplan and
    Meier's curve up to it, so that open items count; where all are closed within the time, both are
    those of `cxstats.satisfaction.feedback_loop`. The interval is the delta method's on the log
    scale with L and t independent.

    Parameters
    ----------
    register : FeedbackRegister
    within : number of units, or text such as "30 days"
    target : the same, optional
        Target t0 of the time until closing.
    unit : {"second", "minute", "hour", "day"}
    level : float

    Returns
    -------
    FeedbackFunnel

    Raises
    ------
    CxError
        If the register has none of the stages, or an option is wrong.

    Examples
    --------
    >>> import cxstats as cx
    >>> register = cx.feedback_register(cx.simulate_feedback_register(20, seed=1))
    >>> funnel = register.funnel("30 days", target="10 days")
    >>> funnel.table["stage"].tolist()
    ['collected', 'answered', 'closed', 'adopted']
    """
    import pandas as pd

    check_level(level)
    register = check_register(register)
    seconds = check_unit(unit)
    horizon = duration("within", within, unit)
    target = None if target is None else duration("target", target, unit)
    stages = [name for name in STAGES[1:] if name in register.data]
    if not stages:
        raise CxError("the register has no column answered, closed or adopted")
    times = _times_of_stages(register, stages)
    clusters = customer_codes(register.data)
    n = register.n
    blank = dict.fromkeys(("passed_on", "passed_on_low", "passed_on_high"), np.nan)
    rows: list[dict[str, Any]] = [
        {"stage": STAGES[0], "n": n, "share": 1.0, "estimate": 1.0, "se": 0.0, "ci_low": 1.0,
         "ci_high": 1.0, **blank, "n_young": 0}
    ]  # fmt: skip
    for before, after in pairwise(times):
        of_all = _until(times[0], after, register, seconds, clusters)
        estimate, se, low, high = of_all.share_by(horizon, level)
        at_stage = before.notna().to_numpy()
        step, _, step_low, step_high = (
            _until(before, after, register, seconds, clusters)
            .take(at_stage)
            .share_by(horizon, level)
            if at_stage.any()
            else (np.nan,) * 4
        )
        reached = int(after.notna().sum())
        rows.append(
            {
                "stage": after.name, "n": reached, "share": reached / n, "estimate": estimate,
                "se": se, "ci_low": low, "ci_high": high, "passed_on": step,
                "passed_on_low": step_low, "passed_on_high": step_high,
                "n_young": int((~of_all.event & (of_all.time < horizon)).sum()),
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    notes = [
        *note_if(bool(table["estimate"].isna().any()), "register.note.not_reached"),
        *note_if(
            "adopted" in stages and "adopted_at" not in register.data, "register.note.adopted_at"
        ),
        both("register.note.reconstructed"),
    ]
    return FeedbackFunnel(
        table=table,
        strength=_strength(register, table, horizon, target, unit, level),
        within=horizon,
        target=target,
        unit=unit,
        n=n,
        level=level,
        synthetic=register.synthetic,
        notes=tuple(notes),
    )


def _times_of_stages(register: FeedbackRegister, stages: Iterable[str]) -> list[pd.Series]:
    """Return when each item came in and when it had passed each stage and all before; or NaT."""
    import pandas as pd

    data = register.data
    times = [data["date"].rename(STAGES[0])]
    for stage in stages:
        if stage != "adopted":
            time = data[stage]
        elif "adopted_at" in data:
            time = data["adopted_at"]
        else:  # decided by the stage before it, whenever that was
            time = times[-1].where(data["adopted"])
        both_at = pd.concat([times[-1], time], axis=1)
        times.append(both_at.max(axis=1).where(both_at.notna().all(axis=1)).rename(stage))
    return times


def _until(
    start: pd.Series,
    end: pd.Series,
    register: FeedbackRegister,
    seconds: int,
    clusters: NDArray[np.intp] | None,
) -> ItemTimes:
    """Return times between two stages; NaN where an item is not at the first."""
    span = (end.fillna(register.until) - start).dt.total_seconds().to_numpy() / seconds
    return ItemTimes(np.maximum(span, 0), end.notna().to_numpy(), clusters)


def _strength(
    register: FeedbackRegister,
    table: pd.DataFrame,
    horizon: float,
    target: float | None,
    unit: str,
    level: float,
) -> pd.DataFrame:
    """Return the strength of the loop, and that with its speed where there is a target."""
    import pandas as pd

    columns = ["quantity", "estimate", "se", "ci_low", "ci_high", "n"]
    if table["stage"].iloc[-1] != "adopted":
        return pd.DataFrame([], columns=columns)
    share, error = table["estimate"].iloc[-1], table["se"].iloc[-1]
    limits = table["ci_low"].iloc[-1], table["ci_high"].iloc[-1]
    rows = [("strength", share, error, *limits, register.n)]
    if target is not None and "closed" in register.data:
        items = item_times(register, "closed", unit)
        mean = items.mean_until(horizon)
        value = share * target / (target + mean.estimate)
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.sqrt((error / share) ** 2 + (mean.se / (target + mean.estimate)) ** 2)
        reach = np.exp(normal_quantile(level) * relative)
        low, high = (value / reach, value * reach) if value > 0 else (np.nan, np.nan)
        rows.append(("with_speed", value, value * relative, low, high, register.n))
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True, eq=False, repr=False)
class OpenItems(Result):
    """Open items by their age. All are counted, so there is no interval.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per class of age (and group): the column of `by`, ``days_open`` ("3–7"), ``n``,
        ``share`` (of the open items of the group), and with promises ``n_overdue``.
    n, n_open : int
        Items, and open ones.
    oldest : float
        Age of the oldest open item, in days; NaN without one.
    by : str or None
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    n: int
    n_open: int
    oldest: float
    by: str | None
    synthetic: bool
    notes: tuple[Text, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The bars of age, where an item is open."""
        return ("ages",) if self.n_open else ()

    def findings(self, lang: str) -> list[str]:
        """Return how many items of each age are open."""
        head = label(
            "register.open.head", lang, n=format_number(self.n_open), of=format_number(self.n),
            oldest=format_number(self.oldest, 1),
        )  # fmt: skip
        if not self.n_open:
            return [label("register.open.none", lang, of=format_number(self.n))]
        lines = [head]
        for _, row in self.table[self.table["n"] > 0].iterrows():
            key = ".overdue" if "n_overdue" in self.table else ""
            values = {"age": row["days_open"], "n": format_number(row["n"])}
            if "n_overdue" in self.table:
                values["overdue"] = format_number(row["n_overdue"])
            line = label(f"register.open.row{key}", lang, **values)
            if self.by is not None:
                line = label("register.open.group", lang, group=row[self.by], row=line)
            lines.append(f"  {line}")
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the open items by their age."""
        counts = self.table.groupby("days_open", sort=False)["n"].sum()
        most = str(counts.idxmax())
        names = [label("register.open.age", lang, age=age) for age in counts.index]
        return Chart(
            "shares",
            (names, counts.to_list()),
            {
                "title": label(
                    "register.open.title", lang, age=most, n=format_number(self.n_open),
                    share=format_percent(100 * counts[most] / self.n_open, 0, lang),
                ),
                "source": label("register.source", lang, n=format_number(self.n)),
                "synthetic": self.synthetic,
            },
        )  # fmt: skip


def open_items(
    register: FeedbackRegister,
    *,
    by: str | None = None,
    ages: Iterable[float] = AGES,
    promise: Mapping[str, Any] | None = None,
    promise_by: str = "category",
) -> OpenItems:
    """Count the items that are open when the register is drawn up, by their age.

    Parameters
    ----------
    register : FeedbackRegister
    by : {"category", "channel", "owner"}, optional
    ages : numbers
        Rising bounds of the classes, in days; a class holds its lower bound.
    promise : mapping of str to number of hours or text, optional
        As in `promises_kept`: counts open items that are past it.
    promise_by : {"category", "channel", "owner"}
        What the keys of `promise` are values of.

    Returns
    -------
    OpenItems

    Raises
    ------
    CxError
        If the bounds do not rise, or `by` is no column of the register.

    Examples
    --------
    >>> import cxstats as cx
    >>> register = cx.feedback_register(cx.simulate_feedback_register(20, seed=1))
    >>> register.open_items(ages=[7]).table["days_open"].tolist()
    ['0–7', '7+']
    """
    import pandas as pd

    register = check_register(register)
    check_by(register, by)
    try:
        bounds = np.array(list(ages), float)
    except (TypeError, ValueError):
        bounds = np.zeros(0)
    if not len(bounds) or not (np.diff(bounds, prepend=0.0) > 0).all() or np.isinf(bounds).any():
        raise CxError(f"ages={excerpt(ages)}; allowed: rising numbers of days above 0")
    data = register.data
    if "closed" in data:
        data = data[data["closed"].isna()]
    age = (register.until - data["date"]).dt.total_seconds().to_numpy() / SECONDS["day"]
    edges = [f"{low:g}–{high:g}" for low, high in pairwise([0.0, *bounds])]
    names = [*edges, f"{bounds[-1]:g}+"]
    frame = pd.DataFrame(
        {"days_open": pd.Categorical(np.array(names)[np.digitize(age, bounds)], names), "open": 1}
    )
    keys = ["days_open"]
    if by is not None:
        frame[by] = data[by].fillna("–").to_numpy()
        keys = [by, "days_open"]
    if promise is not None:
        check_by(register, promise_by)
        limits = read_promise(promise, "hour")
        groups = sorted(register.data[promise_by].dropna().unique())
        odd = [group for group in limits if group not in groups]
        if odd:
            hint = meant(odd[0], groups)
            raise CxError(
                f"promise for {excerpt(odd[0])}{hint}; {promise_by} has {listing(groups)}"
            )
        limit = data[promise_by].map(limits).to_numpy(float)
        frame["overdue"] = age * (SECONDS["day"] / SECONDS["hour"]) > limit
    grouped = frame.groupby(keys, observed=False)
    table = grouped["open"].sum().rename("n").reset_index()
    total = len(data) if by is None else table.groupby(by)["n"].transform("sum")
    table["share"] = table["n"] / np.maximum(total, 1)
    if promise is not None:
        table["n_overdue"] = grouped["overdue"].sum().to_numpy()
    table["days_open"] = table["days_open"].astype(str)
    oldest = float(age.max()) if len(age) else np.nan
    notes = note_if("closed" not in register.data, "register.note.no_closed")
    return OpenItems(table, register.n, len(data), oldest, by, register.synthetic, (*notes,))


def reopening_rate(
    register: FeedbackRegister, by: str | None = None, *, level: float = 0.95
) -> Metric:
    """Compute the share of items once closed that were opened again.

    Limits are Wilson's, by customers where some have several items. Items closed a short while ago
    may still come back, so the newest make the rate too low.

    Parameters
    ----------
    register : FeedbackRegister
    by : {"category", "channel", "owner"}, optional
    level : float

    Returns
    -------
    Metric

    Raises
    ------
    CxError
        If the register does not say what was opened again, or no item was ever closed.

    Examples
    --------
    >>> import cxstats as cx
    >>> register = cx.feedback_register(cx.simulate_feedback_register(20, seed=1))
    >>> register.reopening().unit
    'share'
    """
    from cxstats.metrics.rates import rate

    check_level(level)
    register = check_register(register)
    check_by(register, by, GROUPS)
    if "reopened" not in register.data:
        raise CxError("the register has no column of reopenings; name it: reopened=...")
    data = register.data
    again = data["reopened"] > 0
    ended = again | data["closed"].notna() if "closed" in data else again
    if not ended.any():
        raise CxError("no item was closed yet")
    frame = data[ended].assign(again=again[ended].astype(int))
    clusters = customer_codes(frame)
    if clusters is not None:
        frame = frame.assign(who=clusters)
    frame = frame[["again", *([by] if by else []), *(["who"] if clusters is not None else [])]]
    frame.attrs["synthetic"] = register.synthetic
    result = rate(
        frame, by=by, column="again", cluster=None if clusters is None else "who",
        name="reopening_rate", level=level,
    )  # fmt: skip
    return replace(result, notes=(*result.notes, both("register.note.reopening")))
