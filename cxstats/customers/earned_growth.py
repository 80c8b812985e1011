"""Earned growth: how much revenue grew through customers who stayed and whom others referred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.messages import excerpt, listing
from cxstats.core.moments import check_resamples, resampling_counts
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.customers.customer_sums import check_transactions, within
from cxstats.customers.transactions import Transactions, as_day
from cxstats.stats.bootstrap import bca
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# What a customer's revenue of the later period counts as.
SOURCES = ("retained", "earned", "bought", "unknown", "returned")
MEASURES = ("retention", "earned_new", "earned_growth", "bought_new", "returned", "growth")
LIKE = 0.95  # months of 28 and 31 days are unlike, too
FEW = 400  # customers below which the interval is short; see `earned_growth`


@dataclass(frozen=True, eq=False, repr=False)
class EarnedGrowth(Result):
    """Growth of revenue between two periods, and how much of it is earned.

    Attributes
    ----------
    table : pandas.DataFrame
        ``measure, lowest, highest, estimate, ci_low, ci_high``, as shares of the earlier period's
        revenue: "retention" (net revenue retention), "earned_new" (revenue of customers who came
        by referral), "earned_growth" (their sum less 1), "bought_new" (of other new customers),
        "returned" (of customers from before the earlier period), "growth" (of all revenue). Where
        it is not known how new customers came, `lowest` and `highest` are the bounds, `estimate`
        is NaN, and the interval holds both bounds. There is no interval (NaN) where no resample
        differs, as of one customer, or where nobody returned.
    sources : pandas.DataFrame
        ``source, n`` (customers with purchases in the later period), ``before, after`` (revenue):
        "retained" (customers of the earlier period), "earned", "bought", "unknown", "returned".
    earned_share : float
        Earned growth divided by growth; NaN where revenue did not clearly grow, or where there are
        bounds alone.
    n : int
        Customers of both periods together.
    n_before, n_lost : int
        Customers of the earlier period; those of them without a purchase in the later one.
    before, after : tuple of pandas.Timestamp
        First and last day of each period.
    level, n_resamples, seed
        As passed.
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    sources: pd.DataFrame
    earned_share: float
    n: int
    n_before: int
    n_lost: int
    before: tuple[pd.Timestamp, pd.Timestamp]
    after: tuple[pd.Timestamp, pd.Timestamp]
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("growth",)
    codes: ClassVar = {"measure": "earned.measure.{}", "source": "earned.source.{}"}
    reference: ClassVar = (
        "Reichheld, Darnell & Burns (2021). Net Promoter 3.0. Harvard Business Review 99(6), "
        "80-89. Reichheld, Darnell & Burns (2021). Winning on purpose. Harvard Business Review "
        "Press."
    )

    def _head(self, lang: str) -> str:
        days = [f"{day:%Y-%m-%d}" for day in (*self.before, *self.after)]
        names = dict(zip(("b1", "b2", "a1", "a2"), days, strict=True))
        level = format_percent(100 * self.level, None, lang)
        return label("earned.head", lang, n=format_number(self.n), level=level, **names)

    def findings(self, lang: str) -> list[str]:
        """Return each measure with its interval, and the customers who were lost."""
        lines = [self._head(lang)]
        for _, row in self.table.iterrows():
            name = label(f"earned.measure.{row['measure']}", lang)
            limits = interval(100 * row["ci_low"], 100 * row["ci_high"], 1)
            key = "earned.row" if np.isfinite(row["estimate"]) else "earned.row.bounds"
            ends = {end: format_percent(100 * row[end], 1, lang) for end in ("lowest", "highest")}
            lines.append(label(key, lang, name=name, interval=limits, **ends))
        if self.earned_share >= 0:
            share = format_percent(100 * self.earned_share, 0, lang)
            lines.append(label("earned.share", lang, share=share))
        lost = format_percent(100 * self.n_lost / self.n_before, 1, lang)
        lines.append(
            label("earned.lost", lang, n=format_number(self.n_before), share=lost,
                  lost=format_number(self.n_lost))
        )  # fmt: skip
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return what the revenue of the later period adds and takes, in per cent of the earlier.

        Of what is between bounds both ends are drawn, with the interval of both.
        """
        rows = []
        for _, row in self.table.iterrows():
            less = 1.0 if row["measure"] == "retention" else 0.0
            name = label(f"earned.chart.{row['measure']}", lang)
            limits = 100 * (row["ci_low"] - less), 100 * (row["ci_high"] - less)
            if np.isfinite(row["estimate"]):
                rows.append((name, 100 * (row["estimate"] - less), *limits))
                continue
            for end in ("lowest", "highest"):
                bound = label(f"earned.bound.{end}", lang, name=name)
                rows.append((bound, 100 * (row[end] - less), *limits))
        is_earned = self.table["measure"] == "earned_growth"
        lowest, highest = self.table.loc[is_earned, ["lowest", "highest"]].to_numpy(float)[0]
        key = "earned.title" if lowest == highest else "earned.title.bounds"
        growth = self.table["estimate"].to_numpy(float)[-1]
        title = label(
            key, lang, growth=format_percent(100 * growth, 1, lang),
            lowest=format_percent(100 * lowest, 1, lang),
            highest=format_percent(100 * highest, 1, lang),
        )  # fmt: skip
        return Chart(
            "intervals",
            tuple(map(list, zip(*rows, strict=True))),
            {
                "source": self._head(lang),
                "axis": label("earned.axis", lang),
                "title": title,
                "level": self.level,
                "decimals": 1,
                "synthetic": self.synthetic,
            },
        )


@long_work("earned growth")
def earned_growth(
    transactions: Transactions,
    before: Sequence[Any],
    after: Sequence[Any],
    *,
    origin: Mapping[Any, Any] | pd.Series[Any] | str | None = None,
    earned: str | Sequence[str] = "referral",
    level: float = 0.95,
    n_resamples: int = 1_000,
    seed: int = 1,
) -> EarnedGrowth:
    """Return earned growth: net revenue retention plus earned new customers, less 1.

    ``earned growth = (A + E) / B - 1``, with B the revenue of the earlier period, A the revenue of
    the same customers in the later period, and E that of new customers who came by referral.

    Customers are those with a purchase in the earlier period (refunds are none); their refunds
    lower B and A. New customers have no purchase before the later period. Who bought before the
    earlier period alone and buys again is "returned", and neither earned nor new.

    Parameters
    ----------
    transactions : Transactions
        What `cxstats.transactions` returned, of both periods and, to tell new customers from those
        who return, of the time before.
    before, after : pair of dates
        First and last day of the earlier and of the later period; of equal length, and a year
        apart where seasons matter.
    origin : mapping, Series, str or None
        How each new customer came: a mapping from customer to a word; or ``"channel"`` for the
        channel of the first purchase in the later period (``channel=`` of `cxstats.transactions`).
        A customer who is not in it, or without a word, or whose first purchases at one moment have
        several channels of which only some are earned, is unknown. Without `origin` all are.
    earned : str or sequence of str
        The words that are earned; all others are bought.
    level : float
        Of the intervals.
    n_resamples, seed : int
        Of bootstrap intervals (BCa) over customers, who are taken as a random sample.

    Raises
    ------
    CxError, DataError
        If a period cannot be read, ends before it begins, or they overlap; if a period has no
        purchase or revenue; if no new customer is in `origin`.

    Notes
    -----
    Coverage of 95 % for retention, earned growth and growth of all revenue, 300 samples of
    customers with lognormal amounts (sigma .8): 92 % with 50 customers, 93 % with 100, 95 % with
    400. With fewer than 400 the intervals are short, and a note says so.

    Earned growth is arithmetic on revenue: it does not say that referrals caused the growth.

    References
    ----------
    Reichheld, Darnell & Burns (2021). Net Promoter 3.0. Harvard Business Review 99(6), 80-89.
    Efron (1987). Better bootstrap confidence intervals. JASA 82, 171-185.

    Examples
    --------
    >>> from cxstats.customers.transactions import transactions
    >>> frame = pd.DataFrame({
    ...     "customer": ["a", "b", "a", "c", "d"],
    ...     "time": ["2023-02-01", "2023-05-01", "2024-03-01", "2024-03-02", "2024-06-01"],
    ...     "amount": [60.0, 40.0, 90.0, 20.0, 10.0],
    ... })
    >>> result = earned_growth(
    ...     transactions(frame), ("2023-01-01", "2023-12-31"), ("2024-01-01", "2024-12-31"),
    ...     origin={"c": "referral", "d": "advertising"}, n_resamples=100,
    ... )
    >>> result.table.set_index("measure")["estimate"].round(2).to_dict()  # doctest: +ELLIPSIS
    {'retention': 0.9, 'earned_new': 0.2, 'earned_growth': 0.1, 'bought_new': 0.1, ...}
    """
    check_transactions(transactions)
    check_level(level)
    check_resamples(n_resamples, seed)
    first, second = _period("before", before), _period("after", after)
    if second[0] <= first[1]:
        raise CxError(
            f"after begins on {second[0]:%Y-%m-%d}, before ends on {first[1]:%Y-%m-%d}; allowed: "
            "a later period that begins after the earlier one ends"
        )
    customers, n_without = _customers(transactions, first, second)
    is_new = ((customers["source"] == "new") & (customers["n_after"] > 0)).to_numpy()
    customers.loc[is_new, "source"] = _origins(
        transactions, customers.index[is_new], second, origin, _words(earned)
    )
    total = float(customers["before"].sum())
    if not total > 0:
        raise DataError(
            f"revenue from {first[0]:%Y-%m-%d} to {first[1]:%Y-%m-%d} is {total:g}; allowed: above "
            "0, since growth is a share of it"
        )
    terms = np.column_stack(
        [customers["before"], *(customers["after"].where(customers["source"] == s, 0.0)
                                for s in SOURCES)]
    ).astype(float)  # fmt: skip
    table = _table(terms, level, n_resamples, seed)
    estimate, low = (table.set_index("measure")[name] for name in ("estimate", "ci_low"))
    grew = bool(low["growth"] > 0)
    days = [(end - start).days + 1 for start, end in (first, second)]
    is_before = customers["n_before"] > 0
    n_of = customers["source"].value_counts()
    n, n_unknown, n_returned = len(customers), n_of.get("unknown", 0), n_of.get("returned", 0)
    return EarnedGrowth(
        table=table,
        sources=_sources(customers),
        earned_share=float(estimate["earned_growth"] / estimate["growth"]) if grew else np.nan,
        n=n,
        n_before=int(is_before.sum()),
        n_lost=int((is_before & (customers["n_after"] == 0)).sum()),
        before=first,
        after=second,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=transactions.synthetic,
        notes=(
            *transactions.notes,
            *note_if(n_unknown > 0, "earned.note.unknown", n=format_number(n_unknown)),
            *note_if("bought" in n_of and "earned" not in n_of, "earned.note.none",
                     words=listed(_words(earned))),
            *note_if(min(days) < LIKE * max(days), "earned.note.unlike", before=days[0],
                     after=days[1]),
            *note_if(transactions.first >= first[0], "earned.note.no_history"),
            *note_if(n_returned > 0, "earned.note.returned", n=format_number(n_returned)),
            *note_if(not grew, "earned.note.no_growth"),
            *note_if(n_without > 0, "customers.note.refunds_only", n=format_number(n_without)),
            *note_if(n < FEW, "earned.note.few", n=n, few=FEW),
            both("earned.note.cause"),
        ),
    )  # fmt: skip


def _period(name: str, days: Any) -> tuple[pd.Timestamp, pd.Timestamp]:
    is_pair = isinstance(days, (list, tuple, pd.Index, np.ndarray)) and len(days) == 2
    if not is_pair or any(day is None for day in days):
        raise CxError(
            f"{name}={excerpt(days)}; allowed: first and last day, such as ('2023-01-01', "
            "'2023-12-31')"
        )
    first, last = as_day(name, days[0]), as_day(name, days[1])
    if last < first:
        raise CxError(f"{name} ends on {last:%Y-%m-%d} and begins on {first:%Y-%m-%d}")
    return first, last


def _sums(transactions: Transactions, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Return revenue and number of purchases of each customer in a period, by the engine."""
    import narwhals as nw

    amount = nw.col("amount")
    is_purchase = nw.when(amount >= 0).then(nw.lit(1)).otherwise(nw.lit(0))
    data = within(transactions, first, last).with_columns(is_purchase=is_purchase)
    sums = data.group_by("customer").agg(revenue=amount.sum(), n=nw.col("is_purchase").sum())
    try:
        return as_pandas(sums.to_native()).set_index("customer").astype(float)
    except DataError as error:
        raise DataError(
            f"no transaction from {first:%Y-%m-%d} to {last:%Y-%m-%d}; transactions run from "
            f"{transactions.first:%Y-%m-%d} to {transactions.last:%Y-%m-%d}"
        ) from error


def _customers(
    transactions: Transactions,
    first: tuple[pd.Timestamp, pd.Timestamp],
    second: tuple[pd.Timestamp, pd.Timestamp],
) -> tuple[pd.DataFrame, int]:
    """Return revenue and source of each customer, and how many have refunds alone.

    The columns are ``before, n_before, after, n_after, source``: "retained", "returned" or "new".
    """
    sums = [_sums(transactions, *period) for period in (first, second)]
    sums[0].columns = pd.Index(["before", "n_before"])
    sums[1].columns = pd.Index(["after", "n_after"])
    frame = sums[0].join(sums[1], how="outer").fillna(0.0)
    is_before = frame["n_before"] > 0
    # Refunds of the earlier period for purchases from before it are not its revenue.
    frame["before"] = frame["before"].where(is_before, 0.0)
    bought = is_before | (frame["n_after"] > 0)
    frame = frame[bought].sort_index()
    earlier = _bought_until(transactions, second[0] - np.timedelta64(1, "D"))
    frame["source"] = np.select(
        [frame["n_before"] > 0, frame.index.isin(earlier)], ["retained", "returned"], "new"
    )
    return frame, int((~bought).sum())


def _bought_until(transactions: Transactions, last: pd.Timestamp) -> pd.Index[Any]:
    """Return the customers with a purchase up to a day."""
    import narwhals as nw

    data = within(transactions, transactions.first, last).filter(nw.col("amount") >= 0)
    try:
        customers = as_pandas(data.select("customer").unique().to_native())
    except DataError:  # none
        return pd.Index([])
    bought: pd.Index[Any] = pd.Index(customers["customer"])
    return bought


def _words(earned: str | Sequence[str]) -> tuple[str, ...]:
    words = tuple(str(x).strip() for x in ([earned] if isinstance(earned, str) else earned))
    if not words or not all(words):
        raise CxError(f"earned={excerpt(earned)}; allowed: words for new customers who are earned")
    return words


def _origins(
    transactions: Transactions,
    new: pd.Index[Any],
    period: tuple[pd.Timestamp, pd.Timestamp],
    origin: Any,
    earned: tuple[str, ...],
) -> NDArray[Any]:
    """Return "earned", "bought" or "unknown" for each new customer."""
    if origin is None or not len(new):
        return np.full(len(new), "unknown", object)
    if isinstance(origin, str):
        words = _first_channels(transactions, new, period, origin, earned)
    elif isinstance(origin, (Mapping, pd.Series)):
        words = pd.Series(origin, dtype=object)
        if not words.index.is_unique:
            twice = words.index[words.index.duplicated()].tolist()[0]
            raise DataError(f"origin: customer {excerpt(twice)} is there twice; allowed: once")
    else:
        raise CxError(
            f"origin is a {type(origin).__name__}; allowed: a mapping or Series from customer to "
            "how he came, 'channel', or None"
        )
    if len(words) and not new.isin(words.index).any():
        raise DataError(
            f"origin has none of the {len(new)} new customers, such as {excerpt(new.tolist()[0])}; "
            f"it has {listing(words.index.tolist(), 3)}"
        )
    words = words.reindex(new)
    texts = words.map(lambda word: "" if pd.isna(word) else str(word).strip())
    return np.select([texts == "", texts.isin(earned)], ["unknown", "earned"], "bought")


def _first_channels(
    transactions: Transactions,
    new: pd.Index[Any],
    period: tuple[pd.Timestamp, pd.Timestamp],
    origin: str,
    earned: tuple[str, ...],
) -> pd.Series[Any]:
    """Return the channel of the first purchase of each new customer; missing where it is not one.

    Channels at one moment are one if all of them are earned, or none is.
    """
    import narwhals as nw

    if origin != "channel" or "channel" not in transactions.data.collect_schema().names():
        raise CxError(
            f"origin={excerpt(origin)}; allowed: 'channel', with transactions that were read with "
            "channel=..., or a mapping from customer to how he came"
        )
    data = within(transactions, *period).filter(nw.col("amount") >= 0)
    moments = data.group_by("customer").agg(first=nw.col("time").min())
    rows = data.join(moments, on="customer", how="inner")
    rows = rows.filter(nw.col("time") == nw.col("first")).select("customer", "channel").unique()
    frame = as_pandas(rows.to_native())
    frame = frame[frame["customer"].isin(new)]
    texts = frame["channel"].map(lambda word: "" if pd.isna(word) else str(word).strip())
    kinds = np.select([texts == "", texts.isin(earned)], [0, 1], 2)
    groups = frame.assign(channel=texts.to_numpy(), kind=kinds).groupby("customer")
    clear = groups["kind"].nunique() == 1
    return groups["channel"].first().where(clear)


def _table(terms: Array, level: float, n_resamples: int, seed: int) -> pd.DataFrame:
    """Return the measures with their intervals.

    Parameters
    ----------
    terms : array (n, 6)
        Revenue before, and after as retained, earned, bought, unknown and returned.
    level, n_resamples, seed
        Of the intervals.
    """
    sums = np.empty((n_resamples, terms.shape[1]))
    for start, counts in resampling_counts(len(terms), n_resamples, seed):
        sums[start : start + len(counts)] = counts @ terms
    weights = _weights()
    estimates = terms.sum(axis=0) @ weights / terms[:, 0].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        replicates = np.where(sums[:, :1] > 0, sums @ weights / sums[:, :1], np.nan)
    influence = (terms @ weights - terms[:, :1] * estimates) / terms[:, 0].sum()
    low, high = bca(replicates, estimates, influence, level)
    less = np.array([measure in ("earned_growth", "growth") for measure in MEASURES], float)
    lowest, highest = (estimates[half] - less for half in (slice(None, 6), slice(6, None)))
    same = lowest == highest
    return pd.DataFrame(
        {
            "measure": MEASURES,
            "lowest": lowest,
            "highest": highest,
            "estimate": np.where(same, lowest, np.nan),
            "ci_low": low[:6] - less,
            "ci_high": high[6:] - less,
        }
    )


def _weights() -> Array:
    """Return which revenue each measure adds up (6, 12): at its lowest, then at its highest.

    At the lowest no unknown customer counts as earned, or as bought.
    """
    retained, earned, bought, unknown, returned = np.eye(6)[1:]
    growth = retained + earned + bought + unknown + returned
    return np.column_stack([
        retained, earned, retained + earned, bought, returned, growth,
        retained, earned + unknown, retained + earned + unknown, bought + unknown, returned, growth,
    ])  # fmt: skip


def _sources(customers: pd.DataFrame) -> pd.DataFrame:
    bought = customers[customers["n_after"] > 0].groupby("source").size()
    sums = customers.groupby("source")[["before", "after"]].sum()
    return pd.DataFrame(
        {
            "source": SOURCES,
            "n": bought.reindex(SOURCES).fillna(0).astype(np.int64).to_numpy(),
            "before": sums["before"].reindex(SOURCES).fillna(0.0).to_numpy(),
            "after": sums["after"].reindex(SOURCES).fillna(0.0).to_numpy(),
        }
    )
