"""The value of a customer who is saved from leaving, and what an offer may cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt
from cxstats.core.result import Chart, Result
from cxstats.customers import bg_nbd, gamma_gamma
from cxstats.customers.bg_nbd import Histories
from cxstats.customers.lifetime_value import (
    LifetimeValue,
    check_number,
    force_of_interest,
    frequency_groups,
    group_name,
)
from cxstats.customers.maximum_likelihood import Array, delta_interval, jacobian

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEHAVIOURS = ("resumed", "active")
QUANTITIES = ("saved_value", "break_even_cost", "profit", "break_even_success")
FEW = 1_000  # customers below which intervals are short; see `saved_customer_value`


@dataclass(frozen=True, eq=False, repr=False)
class SavedCustomerValue(Result):
    """What saving customers is worth.

    Attributes
    ----------
    table : pandas.DataFrame
        ``segment`` ("all", or "worthwhile": those for whom the offer brings more than it costs),
        ``quantity, n, estimate, ci_low, ci_high``: "saved_value" (mean value of a customer who had
        stopped and is saved), then, for each customer who gets the offer, "break_even_cost" (what
        the offer may cost) and "profit" (what it brings less its cost), and "break_even_success"
        (the success rate from which the offer pays; above 1 it never does).
    customers : pandas.DataFrame
        One row a customer: ``customer, alive, clv`` (as now), ``saved_value`` (if he had stopped
        and is saved; NaN for who bought once), ``gain`` (expected, of an offer that always works)
        with its interval, ``break_even_cost, break_even_success, profit``.
    groups : pandas.DataFrame
        By purchases after the first: ``group, n, estimate`` (mean break-even cost) with its
        interval.
    n : int
        Customers who get the offer.
    cost, success, behaviour
        As passed.
    horizon, unit, level
        Those of the lifetime value.
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    customers: pd.DataFrame
    groups: pd.DataFrame
    n: int
    cost: float
    success: float
    behaviour: str
    horizon: float
    unit: str
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("groups",)
    codes: ClassVar = {"segment": "saved.segment.{}", "quantity": "saved.quantity.{}"}
    reference: ClassVar = LifetimeValue.reference

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that documents have room for: all but `customers`."""
        return {"table": self.table, "groups": self.groups}

    def _head(self, lang: str) -> str:
        return label(
            "saved.head", lang, n=format_number(self.n), cost=format_number(self.cost, 2),
            success=format_percent(100 * self.success, 1, lang),
            horizon=format_number(self.horizon), unit=label(f"lifetime.unit.{self.unit}", lang),
            level=format_percent(100 * self.level, None, lang),
        )  # fmt: skip

    def findings(self, lang: str) -> list[str]:
        """Return value, break-even cost and rate, and profit, of all and of whom it pays for."""
        lines = [self._head(lang)]
        for segment, rows in self.table.groupby("segment", sort=False):
            name = label(f"saved.segment.{segment}", lang)
            n = format_number(int(rows["n"].iloc[0]))
            lines.append(label("saved.line.segment", lang, name=name, n=n))
            for _, row in rows.iterrows():
                values = row[["estimate", "ci_low", "ci_high"]].astype(float)
                if row["quantity"] == "break_even_success" and values["estimate"] > 1:
                    lines.append(label("saved.row.never", lang))
                    continue
                if row["quantity"] == "break_even_success":
                    text = format_percent(100 * values["estimate"], 1, lang)
                    limits = interval(100 * values["ci_low"], 100 * values["ci_high"], 1)
                else:
                    text = format_number(values["estimate"], 2)
                    limits = interval(values["ci_low"], values["ci_high"])
                quantity = label(f"saved.quantity.{row['quantity']}", lang)
                lines.append(
                    label("saved.row", lang, name=quantity, value=text, interval=limits)
                )  # fmt: skip
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return what the offer may cost by purchases before, against what it costs."""
        values = [self.groups[name].to_numpy(float) for name in ("estimate", "ci_low", "ci_high")]
        pays = int((values[0] > self.cost).sum())
        title = label("saved.title", lang, k=pays, n=len(self.groups),
                      cost=format_number(self.cost, 2))  # fmt: skip
        return Chart(
            "intervals",
            ([group_name(group, lang) for group in self.groups["group"]], *values),
            {
                "source": self._head(lang),
                "axis": label("saved.axis", lang),
                "title": title,
                "reference": self.cost,
                "level": self.level,
                "synthetic": self.synthetic,
            },
        )


def saved_customer_value(
    value: LifetimeValue,
    cost: float,
    *,
    success: float = 1.0,
    behaviour: str = "resumed",
    customers: Iterable[Any] | None = None,
) -> SavedCustomerValue:
    """Return the value of customers who are saved from leaving, and when an offer pays.

    ``gain = (1 - P) V``, with P the probability that the customer is still active, and V the
    discounted margin over the horizon of one who had stopped and is saved. It is what the customer
    is worth if certain to be active, less what he is worth now: who is active gains nothing.
    ``profit = success * gain - cost`` for a customer who gets the offer; it is 0 at the break-even
    cost ``success * gain``, and at the break-even success rate ``cost / gain``.

    Parameters
    ----------
    value : LifetimeValue
        What `cxstats.lifetime_value` returned, with money.
    cost : float
        Of the offer, for each customer who gets it, whether it works or not; 0 or more.
    success : float
        Share of the customers who had stopped whom the offer brings back; above 0, at most 1.
    behaviour : {"resumed", "active"}
        How a saved customer goes on: "resumed", as he bought before he stopped
        (`cxstats.customers.bg_nbd.discounted_if_resumed`); "active", like a customer with the same
        record who never stopped, so that ``gain = clv / P - clv``, `at_stake` of the lifetime
        value.
    customers : iterable, optional
        Those who get the offer; without it, all.

    Raises
    ------
    CxError, DataError
        If there is no value, a number is out of its limits, a customer is not there, or no customer
        bought again.

    Notes
    -----
    Intervals are those of expected values, by the delta method as in `cxstats.lifetime_value`, at
    its level; `success` and `cost` are taken as fixed. In BG/NBD nobody stops before a second
    purchase, so customers who bought once gain nothing, whatever the offer.

    Coverage of 95 %, 300 samples of customers who follow the model, together with the totals of the
    lifetime value: 94 % with 100 customers, 95 % with 400 and with 1,000.

    References
    ----------
    Fader, Hardie & Lee (2005). Marketing Science 24(2), 275-284.

    Examples
    --------
    >>> from cxstats.customers.lifetime_value import lifetime_value
    >>> rng = np.random.default_rng(5)
    >>> histories = bg_nbd.simulate((0.8, 8, 0.9, 2.5), rng.uniform(26, 39, 2_000), rng)
    >>> summary = pd.DataFrame({"frequency": histories.frequency, "recency": histories.recency,
    ...                         "age": histories.age, "money": rng.gamma(6, 5, 2_000)})
    >>> result = saved_customer_value(lifetime_value(summary, horizon=26), 5.0, success=0.3)
    >>> everyone = result.table[result.table["segment"] == "all"].set_index("quantity")["estimate"]
    >>> bool(np.isclose(everyone["profit"], everyone["break_even_cost"] - 5))
    True
    """
    if not isinstance(value, LifetimeValue):
        raise CxError(f"value is a {type(value).__name__}; allowed: what cx.lifetime_value returns")
    if "clv" not in value.customers or not np.isfinite(value.customers["clv"]).all():
        raise CxError(
            "this lifetime value has no money, or its mean spend does not exist; allowed: a result "
            "with clv, see its notes"
        )
    check_number("cost", cost, 0, np.inf)
    check_number("success", success, 0, 1, open_low=True)
    if behaviour not in BEHAVIOURS:
        raise CxError(f"behaviour={excerpt(behaviour)}; allowed: 'resumed', 'active'")
    chosen = _chosen(value.customers, customers)
    x = chosen["frequency"].to_numpy(float)
    if not (x > 0).any():
        raise DataError(
            f"none of the {len(x)} customers bought again; allowed: at least one, since the model "
            "lets nobody stop before a second purchase"
        )
    estimates = _Gains(value, chosen, behaviour)
    worthwhile = success * estimates.gain > cost
    segments = [("all", np.ones(len(x), bool)), ("worthwhile", worthwhile)]
    return SavedCustomerValue(
        table=estimates.table(segments, float(cost), success),
        customers=estimates.customer_table(chosen, float(cost), success),
        groups=estimates.groups(x, success),
        n=len(x),
        cost=float(cost),
        success=float(success),
        behaviour=behaviour,
        horizon=value.horizon,
        unit=value.unit,
        level=value.level,
        synthetic=value.synthetic,
        notes=(
            *note_if(not worthwhile.any(), "saved.note.never"),
            *note_if(bool(worthwhile.any()), "saved.note.chosen"),
            *note_if(not estimates.is_determined, "lifetime.note.alive"),
            *note_if(bool((x == 0).any()), "saved.note.once", n=format_number(int((x == 0).sum()))),
            both(f"saved.note.{behaviour}"),
            *note_if(value.n < FEW, "saved.note.few", n=value.n, few=format_number(FEW)),
            both("saved.note.success"),
            both("lifetime.note.expected"),
        ),
    )


def _chosen(frame: pd.DataFrame, customers: Iterable[Any] | None) -> pd.DataFrame:
    """Return the rows of customers, in the order of the lifetime value."""
    if customers is None:
        return frame
    if isinstance(customers, str):
        raise CxError(f"customers={customers!r}; allowed: a list of customers")
    names = pd.Index(list(customers))
    if not len(names):
        raise CxError("customers is empty; allowed: at least one, or None for all")
    missing = names[~names.isin(frame["customer"])]
    if len(missing):
        raise DataError(
            f"customer {excerpt(missing.tolist()[0])} is not in the lifetime value; it has "
            f"{len(frame)}, such as {excerpt(frame['customer'].tolist()[0])}"
        )
    return frame[frame["customer"].isin(names)]


class _Gains:
    """The expected gain of each customer who is saved, with its derivatives by the parameters."""

    def __init__(self, value: LifetimeValue, customers: pd.DataFrame, behaviour: str) -> None:
        self.level, self.covariance = value.level, value.covariance
        self.margin, self.behaviour = value.margin, behaviour
        self.horizon, self.force = value.horizon, force_of_interest(value.discount, value.unit)
        x, recency, age = (
            customers[name].to_numpy(float) for name in ("frequency", "recency", "age")
        )
        self.x, self.money = x, np.where(x > 0, customers["money"].to_numpy(float), 0.0)
        self.histories = Histories(x, recency, age)
        # What a saved customer buys depends on these alone.
        resumed, active = Histories(x, recency, recency), Histories(x, 0 * age, age)
        self.kinds, _, self.place = (resumed if behaviour == "resumed" else active).distinct()
        logs = np.log(value.parameters["estimate"].to_numpy(float))
        limits = value.parameters[["ci_low", "ci_high"]].iloc[2:4]
        self.is_determined = not bool(limits.isna().to_numpy().all())
        self.stopped, self.gain = self._numbers(logs)
        self.stopped_slopes, self.gain_slopes = jacobian(self._numbers, logs)
        if not self.is_determined:
            self.gain_slopes = np.full_like(self.gain_slopes, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.saved = np.where(x > 0, self.gain / self.stopped, np.nan)

    def _numbers(self, logs: Array) -> Array:
        """Return the probability of having stopped, and the gain, of each customer (2, n)."""
        parameters = np.exp(logs)
        counts, amounts = parameters[:4], parameters[4:]
        if self.behaviour == "resumed":
            purchases = bg_nbd.discounted_if_resumed(counts, self.kinds, self.horizon, self.force)
        else:
            purchases = bg_nbd.discounted_if_alive(counts, self.kinds, self.horizon, self.force)
        spend = gamma_gamma.expected_spend(amounts, self.x, self.money)
        stopped = 1 - bg_nbd.alive(counts, self.histories)
        worth = self.margin * spend * purchases[self.place]
        return np.stack([stopped, np.where(self.x > 0, stopped * worth, 0.0)])

    def _mean_gain(self, rows: NDArray[np.bool_]) -> Array:
        """Return the mean gain of some customers with its limits (3,)."""
        slopes = self.gain_slopes[rows].mean(axis=0)
        return self._limits(float(self.gain[rows].mean()), slopes)

    def _limits(self, estimate: float, slopes: Array) -> Array:
        _, low, high = delta_interval(
            np.array([estimate]), slopes[None, :], self.covariance, self.level
        )
        return np.array([estimate, low[0], high[0]])

    def table(
        self, segments: list[tuple[str, NDArray[np.bool_]]], cost: float, success: float
    ) -> pd.DataFrame:
        rows = []
        for segment, members in segments:
            n = int(members.sum())
            if not n:
                continue
            gain = self._mean_gain(members)
            stopped = self.stopped[members].mean()
            saved = gain[0] / stopped
            slopes = self.gain_slopes[members].mean(axis=0) / stopped
            slopes = slopes - saved * self.stopped_slopes[members].mean(axis=0) / stopped
            numbers = {
                "saved_value": self._limits(saved, slopes),
                "break_even_cost": success * gain,
                "profit": success * gain - cost,
                "break_even_success": cost / gain[[0, 2, 1]],
            }
            rows += [[segment, name, n, *numbers[name]] for name in QUANTITIES]
        heads = ["segment", "quantity", "n", "estimate", "ci_low", "ci_high"]
        return pd.DataFrame(rows, columns=heads)

    def customer_table(self, customers: pd.DataFrame, cost: float, success: float) -> pd.DataFrame:
        _, low, high = delta_interval(self.gain, self.gain_slopes, self.covariance, self.level)
        with np.errstate(divide="ignore"):
            rate = np.divide(cost, self.gain, out=np.full(len(low), np.nan), where=self.gain > 0)
        return pd.DataFrame(
            {
                "customer": customers["customer"].to_numpy(),
                "alive": customers["alive"].to_numpy(),
                "clv": customers["clv"].to_numpy(),
                "saved_value": self.saved,
                "gain": self.gain,
                "gain_ci_low": low,
                "gain_ci_high": high,
                "break_even_cost": success * self.gain,
                "break_even_success": rate,
                "profit": success * self.gain - cost,
            }
        )

    def groups(self, x: Array, success: float) -> pd.DataFrame:
        rows = [
            [name, int(members.sum()), *(success * self._mean_gain(members))]
            for name, members in frequency_groups(x)
        ]
        return pd.DataFrame(rows, columns=["group", "n", "estimate", "ci_low", "ci_high"])
