"""Cost and benefit of a project over time: net present value, payback, and how sure they are.

References
----------
Brealey, Myers & Allen (2020). Principles of corporate finance, 13th ed., ch. 5: net present value
and payback. Hertz (1964). Risk analysis in capital investment. Harvard Business Review 42, 95-106.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.cells import is_whole_number
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt
from cxstats.core.moments import check_resamples
from cxstats.core.result import Chart, Result
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level
from cxstats.stats.stated_amounts import StatedAmount, check_distribution, stated_amount

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

INPUTS = ("investment", "benefit", "running_cost", "growth", "discount")
MOST_PERIODS = 1_000


@dataclass(frozen=True, eq=False, repr=False)
class Payback(Result):
    """Net present value and payback of a project.

    Attributes
    ----------
    table : pandas.DataFrame
        ``quantity, estimate, ci_low, ci_high``: net present value (``npv``), return on all costs
        (``roi``), ``payback`` and ``discounted_payback`` in periods, and ``p_payback,
        p_discounted_payback, p_npv``, the shares of draws that pay back within the horizon and
        that are worth more than they cost. With uncertain inputs the estimate is the mean (of
        payback: the median) of the draws, and the limits hold `level` of them. NaN: not within the
        horizon.
    flows : pandas.DataFrame
        ``period, flow, cumulative, discounted``: with every input at its most likely value.
    inputs : pandas.DataFrame
        ``driver, low, high``: the net present value with one input at its low and at its high value
        and the others at their most likely.
    base : float
        The net present value with every input at its most likely value.
    draws : array (n_draws,) or None
        Net present values.
    horizon : int
    distribution, level, n_draws, seed
        As passed.
    notes : tuple of Text
    """

    table: pd.DataFrame
    flows: pd.DataFrame
    inputs: pd.DataFrame
    base: float
    draws: Array | None
    horizon: int
    distribution: str
    level: float
    n_draws: int
    seed: int
    notes: tuple[Text, ...]

    codes: ClassVar = {"quantity": "payback.quantity.{}", "driver": "payback.input.{}"}
    reference: ClassVar = (
        "Hertz (1964). Risk analysis in capital investment. Harvard Business Review 42, 95-106."
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each input moves, where one is uncertain."""
        return () if self.inputs.empty else ("inputs",)

    def value(self, quantity: str) -> float:
        """Return the estimate of a quantity.

        Raises
        ------
        CxError
            If there is none.
        """
        rows = self.table[self.table["quantity"] == quantity]
        if rows.empty:
            allowed = ", ".join(map(repr, self.table["quantity"]))
            raise CxError(f"quantity={quantity!r}; allowed: {allowed}")
        return float(rows["estimate"].iloc[0])

    def findings(self, lang: str) -> list[str]:
        """Return each quantity, and which input matters most."""
        lines = [label("payback.head", lang, n=self.horizon)]
        for row in self.table.to_dict("records"):
            name = label(f"payback.quantity.{row['quantity']}", lang)
            lines.append("  " + label("chart.entry", lang, name=name, value=self._text(row, lang)))
        if not self.inputs.empty:
            spans = (self.inputs["high"] - self.inputs["low"]).abs()
            first = label(f"payback.input.{self.inputs['driver'].iloc[int(spans.argmax())]}", lang)
            lines.append(label("payback.most", lang, name=first))
        return lines

    def _text(self, row: Mapping[Any, Any], lang: str) -> str:
        estimate, low, high = row["estimate"], row["ci_low"], row["ci_high"]
        if row["quantity"].startswith("p_"):
            return format_percent(100 * estimate, 1, lang)
        if row["quantity"] == "roi":
            limits = interval_text(100 * low, 100 * high, 1)
            return f"{format_percent(100 * estimate, 1, lang)} {limits}".removesuffix(" –")
        if np.isnan(estimate):
            return label("payback.never", lang, n=self.horizon)
        digits = 2 if "payback" in row["quantity"] else 0
        if np.isnan(high) and not np.isnan(low):
            value = format_number(estimate, digits)
            return label("payback.open", lang, value=value, low=format_number(low, digits))
        limits = interval_text(low, high, digits)
        return f"{format_number(estimate, digits)} {limits}".removesuffix(" –")

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return what each uncertain input moves."""
        if self.inputs.empty:
            raise CxError(
                "every input is certain; allowed: at least one as (low, most likely, high)"
            )
        names = [label(f"payback.input.{name}", lang) for name in self.inputs["driver"]]
        return Chart(
            "tornado",
            (names, self.inputs["low"], self.inputs["high"], self.base),
            {
                "axis": label("payback.axis", lang),
                "decimals": 0,
                "low_words": label("payback.low", lang),
                "high_words": label("payback.high", lang),
                "source": label("payback.head", lang, n=self.horizon),
            },
        )


def payback(  # noqa: PLR0913  (each input of a business case)
    investment: Any,
    benefit: Any,
    running_cost: Any = 0,
    *,
    horizon: int,
    discount: Any = 0.0,
    growth: Any = 0.0,
    distribution: str = "pert",
    level: float = 0.9,
    n_draws: int = 10_000,
    seed: int = 1,
) -> Payback:
    """Compute when a project has paid back what it cost, and what it is worth.

    ``NPV = -I + sum_t (B (1 + g)^(t-1) - C) / (1 + r)^t`` over periods t = 1, ..., horizon, flows
    at the ends of periods; payback is when the flows added up (of discounted payback: discounted)
    reach 0, linear within a period. ``ROI = (benefits - costs) / costs``, costs being investment
    and running costs, without discounting; of a sample of projects see `cxstats.metrics.roi`.

    Parameters
    ----------
    investment, benefit, running_cost : number or (low, most likely, high)
        Spent at the start; gained and spent in each period.
    horizon : int
        Periods that are counted.
    discount, growth : number or (low, most likely, high)
        Rate of interest, and growth of the benefit, each per period; above -1.
    distribution : {"pert", "triangular"}
        Of an uncertain input between its low and its high.
    level : float
        Share of the draws between the limits.
    n_draws, seed : int
        Of the simulation.

    Returns
    -------
    Payback

    Raises
    ------
    CxError
        Naming the input, its value and what is allowed.

    Notes
    -----
    Inputs are drawn independently, each once for the whole horizon. The limits say how uncertain
    the result is if the stated ranges are right; they are no confidence interval.

    References
    ----------
    Hertz (1964). Risk analysis in capital investment. Harvard Business Review 42, 95-106.

    Examples
    --------
    >>> case = payback(1000, 400, 50, horizon=5, discount=0.1)
    >>> round(case.value("npv"), 2), round(case.value("payback"), 3)
    (326.78, 2.857)
    """
    check_distribution(distribution)
    check_level(level)
    check_resamples(n_draws, seed)
    if not is_whole_number(horizon) or not 1 <= horizon <= MOST_PERIODS:
        raise CxError(
            f"horizon={excerpt(horizon)}; allowed: whole numbers from 1 to {MOST_PERIODS}"
        )
    stated = (investment, benefit, running_cost, growth, discount)
    amounts = {
        name: stated_amount(name, value, -1.0 if name in ("growth", "discount") else 0.0)
        for name, value in zip(INPUTS, stated, strict=True)
    }
    if amounts["discount"].low <= -1:
        raise CxError(f"discount={excerpt(discount)}; allowed: above -1")
    modes = {name: np.array([amount.mode]) for name, amount in amounts.items()}
    flows = _flows(modes, horizon)
    base = float(_present_value(flows, modes["discount"])[0])
    uncertain = [name for name, amount in amounts.items() if amount.uncertain]
    draws, values = None, modes
    if uncertain:
        rng = np.random.default_rng(seed)
        values = {name: a.draw(rng, n_draws, distribution) for name, a in amounts.items()}
    quantities = _quantities(values, horizon)
    if uncertain:
        draws = quantities["npv"]
    return Payback(
        table=_table(quantities, level),
        flows=_flow_table(flows[0], float(modes["discount"][0])),
        inputs=_inputs(amounts, uncertain, horizon),
        base=base,
        draws=draws,
        horizon=int(horizon),
        distribution=distribution,
        level=level,
        n_draws=n_draws,
        seed=seed,
        notes=(
            *note_if(bool(uncertain), "payback.note.draws", n=format_number(n_draws), seed=seed,
                     level=format_number(100 * level)),
            both("payback.note.certain") if not uncertain else both("payback.note.ranges"),
        ),
    )  # fmt: skip


def _flows(values: Mapping[str, Array], horizon: int) -> Array:
    """Return flows (draws, horizon + 1); the first is the investment."""
    periods = np.arange(horizon)
    gained = values["benefit"][:, None] * (1 + values["growth"][:, None]) ** periods
    later = gained - values["running_cost"][:, None]
    return np.concatenate([-values["investment"][:, None], later], axis=1)


def _factors(discount: Array, periods: int) -> Array:
    return np.asarray((1 + discount[:, None]) ** -np.arange(periods, dtype=float))


def _present_value(flows: Array, discount: Array) -> Array:
    return np.asarray((flows * _factors(discount, flows.shape[1])).sum(axis=1))


def _crossing(flows: Array) -> Array:
    """Return when flows added up reach 0 and NaN where they do not; linear within a period."""
    total = np.cumsum(flows, axis=1)
    reached = total >= 0
    first = reached.argmax(axis=1)
    rows = np.arange(len(flows))
    before = total[rows, np.maximum(first - 1, 0)]
    gained = flows[rows, first]
    with np.errstate(invalid="ignore", divide="ignore"):
        within = np.where(first > 0, -before / gained, 0.0)
    return np.where(reached.any(axis=1), np.maximum(first - 1, 0) + within, np.nan)


def _quantities(values: Mapping[str, Array], horizon: int) -> dict[str, Array]:
    flows = _flows(values, horizon)
    discounted = flows * _factors(values["discount"], horizon + 1)
    costs = values["investment"] + horizon * values["running_cost"]
    gains = flows.sum(axis=1) + costs
    with np.errstate(invalid="ignore", divide="ignore"):
        roi = np.where(costs > 0, (gains - costs) / costs, np.nan)
    return {
        "npv": discounted.sum(axis=1),
        "roi": roi,
        "payback": _crossing(flows),
        "discounted_payback": _crossing(discounted),
    }


def _table(quantities: Mapping[str, Array], level: float) -> pd.DataFrame:
    import pandas as pd

    rows: list[list[Any]] = []
    for name, values in quantities.items():
        of_time = "payback" in name
        # A draw that does not pay back lies beyond every one that does.
        ranked = np.where(np.isnan(values), np.inf, values) if of_time else values
        estimate = _rank(ranked, 0.5) if of_time else float(values.mean())
        low, high = np.nan, np.nan
        if len(values) > 1 and of_time:
            low, high = (_rank(ranked, q) for q in ((1 - level) / 2, (1 + level) / 2))
        elif len(values) > 1:
            low, high = (float(limit) for limit in percentile_limits(values, level))
        rows.append([name, estimate, low, high])
    for name in ("payback", "discounted_payback"):
        share = float((~np.isnan(quantities[name])).mean())
        rows.append([f"p_{name}", share, np.nan, np.nan])
    rows.append(["p_npv", float((quantities["npv"] > 0).mean()), np.nan, np.nan])
    return pd.DataFrame(rows, columns=["quantity", "estimate", "ci_low", "ci_high"])


def _rank(values: Array, q: float) -> float:
    """Return a quantile that is one of the values; NaN for one that is not within the horizon."""
    value = float(np.quantile(values, q, method="inverted_cdf"))
    return value if np.isfinite(value) else np.nan


def _flow_table(flows: Array, discount: float) -> pd.DataFrame:
    import pandas as pd

    discounted = flows * _factors(np.array([discount]), len(flows))[0]
    return pd.DataFrame(
        {"period": np.arange(len(flows)), "flow": flows, "cumulative": np.cumsum(flows),
         "discounted": np.cumsum(discounted)}
    )  # fmt: skip


def _inputs(
    amounts: Mapping[str, StatedAmount], uncertain: list[str], horizon: int
) -> pd.DataFrame:
    """Return the net present value with one input at a time at its ends."""
    import pandas as pd

    rows = []
    for name in uncertain:
        ends = []
        for end in (amounts[name].low, amounts[name].high):
            values = {other: np.array([a.mode]) for other, a in amounts.items()}
            values[name] = np.array([end])
            ends.append(float(_present_value(_flows(values, horizon), values["discount"])[0]))
        rows.append([name, *ends])
    return pd.DataFrame(rows, columns=["driver", "low", "high"])
