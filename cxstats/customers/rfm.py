"""RFM: how recently, how often and for how much each customer bought; scores and segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, catalogue, label, note_if
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.customers.customer_sums import check_transactions, customer_sums, period_of
from cxstats.customers.scores import Scores, cut_scores, quantile_scores
from cxstats.customers.segment_rules import DIMENSIONS, SegmentRules, segment_rules
from cxstats.customers.transactions import Transactions
from cxstats.stats.intervals import check_level, proportion_interval

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MONETARY = ("total", "mean")
COLUMNS = {"recency": "recency_days", "frequency": "n_purchases", "monetary": "monetary"}
CERTAIN = 0.95  # a score this certain is called clear
FEW = 100  # customers below which quantiles say little


@dataclass(frozen=True, eq=False, repr=False)
class RFM(Result):
    """Recency, frequency and amount of customers, with scores and segments.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per segment, in the order of the rules: ``segment, n`` (customers), ``estimate``
        (share of customers) with ``ci_low, ci_high``, ``amount`` (what they spent),
        ``amount_share`` (of all that was spent), ``recency_mean, frequency_mean, monetary_mean``,
        ``clear_share`` (customers whose three scores all have a certainty of at least .95).
    customers : pandas.DataFrame
        One row per customer: ``customer, recency_days, n_purchases, monetary``,
        ``recency_score, frequency_score, monetary_score`` (1 is lowest, least recent), the
        ``_certainty`` of each, ``segment``. There may be millions, so `export` leaves them out;
        ``cx.write_table(result.customers, path)`` writes them.
    scores : pandas.DataFrame
        What each score means: ``dimension, score, n`` (customers), ``lowest, highest`` (values).
    date : pandas.Timestamp
        The day up to which recency counts.
    since : pandas.Timestamp
        First day of the period.
    level : float
    purchase, monetary, scoring : str
        What was counted, added up, and how it was scored.
    source : str
        Where the rules of segments come from.
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    customers: pd.DataFrame
    scores: pd.DataFrame
    date: pd.Timestamp
    since: pd.Timestamp
    level: float
    purchase: str
    monetary: str
    scoring: str
    source: str
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {
        "segment": "customers.segment.{}",
        "dimension": "customers.dimension.{}",
    }
    reference: ClassVar = (
        "Hughes (1994). Strategic database marketing. Probus. Ha & Park (1998). Application of "
        "data mining tools to hotel data mart on the Intranet for database marketing. Expert "
        "Systems with Applications 15(1), 1-31."
    )
    kinds: ClassVar = ("segments",)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that documents have room for: all but `customers`."""
        return {"table": self.table, "scores": self.scores}

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the segments' shares of customers beside their shares of what was spent."""
        return Chart("segment_shares", (self,))

    def findings(self, lang: str) -> list[str]:
        """Return what was counted, and each segment's share of customers and of spending."""
        head = label(
            "customers.rfm.head",
            lang,
            n=format_number(len(self.customers)),
            since=f"{self.since:%Y-%m-%d}",
            date=f"{self.date:%Y-%m-%d}",
            purchase=label(f"customers.purchase.{self.purchase}", lang),
            monetary=label(f"customers.monetary.{self.monetary}", lang),
        )
        lines = [
            label(
                "customers.rfm.line",
                lang,
                segment=segment_name(row["segment"], lang),
                share=format_percent(100 * row["estimate"], 1, lang),
                interval=interval(100 * row["ci_low"], 100 * row["ci_high"], 1),
                amount=format_percent(100 * row["amount_share"], 1, lang)
                if np.isfinite(row["amount_share"])
                else "–",
            )
            for _, row in self.table.iterrows()
        ]
        return [head, *lines, *self._certainty(lang)]

    def _certainty(self, lang: str) -> list[str]:
        """Return how many customers have clear scores; nothing where the cuts are fixed."""
        if self.scoring == "cuts":
            return []
        names = [f"{name}_certainty" for name in DIMENSIONS]
        share = float((self.customers[names] >= CERTAIN).all(axis=1).mean())
        text = format_percent(100 * share, 1, lang)
        level = format_percent(100 * CERTAIN, 0, lang)
        return [label("customers.rfm.clear", lang, share=text, level=level)]


def segment_name(segment: object, lang: str) -> str:
    """Return a segment in words; a user's own stays as it is."""
    key = f"customers.segment.{segment}"
    return label(key, lang) if key in catalogue() else str(segment)


@long_work("rfm")
def rfm(  # noqa: PLR0913  (one keyword for each definition)
    transactions: Transactions,
    date: Any = None,
    *,
    since: Any = None,
    purchase: str = "day",
    monetary: str = "total",
    bins: int = 5,
    cuts: Mapping[str, Sequence[float]] | None = None,
    segments: Any = "grid",
    level: float = 0.95,
) -> RFM:
    """Score customers by how recently, how often and for how much they bought.

    Recency is the number of days from a customer's last purchase to `date`; fewer days score
    higher. Frequency is the number of purchases from `since` to `date`. Refunds lower the amount
    and are no purchase.

    Parameters
    ----------
    transactions : Transactions
        What `cxstats.transactions` returned.
    date : date, optional
        Last day that counts; without it, the day of the last transaction.
    since : date, optional
        First day that counts; without it, the day of the first transaction.
    purchase : {"day", "transaction"}
        Whether several transactions of one day are one purchase, or each is one.
    monetary : {"total", "mean"}
        What was spent in the period, or the mean per purchase.
    bins : int
        Scores by quantile run from 1 to `bins`; see `cxstats.customers.scores.quantile_scores` for
        ties and for the certainty of a score.
    cuts : mapping, optional
        Fixed cuts instead of quantiles for "recency" (days), "frequency" and "monetary", all three,
        in ascending order; a value on a cut is below it. Of recency, too, ``[30, 90]`` makes three
        scores, of which up to 30 days is the highest.
    segments : str, table or None
        Rules; see `cxstats.customers.segment_rules.segment_rules`. None for no segments.
    level : float
        Of the intervals of the shares of customers (Wilson's; cuts and rules taken as fixed).

    Raises
    ------
    DataError
        If nobody bought in the period, or the rules do not fit the scores.

    Examples
    --------
    >>> from cxstats.customers.transactions import transactions
    >>> from cxstats.datasets import load_cdnow
    >>> purchases = transactions(load_cdnow(), customer="customer", time="date", amount="spent")
    >>> result = rfm(purchases)
    >>> result.customers[["recency_days", "n_purchases", "monetary"]].to_numpy()[0].tolist()
    [545.0, 1.0, 11.77]
    """
    check_transactions(transactions)
    check_level(level)
    if monetary not in MONETARY:
        raise CxError(f"monetary={monetary!r} is not allowed; allowed: 'total', 'mean'")
    first, last = period_of(transactions, since, date)
    sums, n_without = customer_sums(transactions, first, last, purchase)
    spent = sums["amount"].to_numpy(float)
    frequency = sums["n"].to_numpy()
    values = {
        "recency": (last - sums["last"]).dt.days.to_numpy(),
        "frequency": frequency,
        "monetary": spent if monetary == "total" else spent / frequency,
    }
    scores = _scores(values, bins, cuts)
    rules = None
    if segments is not None:
        rules = segment_rules(segments, [scores[name].bins for name in DIMENSIONS])
    customers = _customers(sums["customer"], values, scores, rules)
    return RFM(
        table=_segments(customers, spent, rules, level),
        customers=customers,
        scores=_meanings(values, scores),
        date=last,
        since=first,
        level=level,
        purchase=purchase,
        monetary=monetary,
        scoring="quantile" if cuts is None else "cuts",
        source=rules.source if rules else "",
        synthetic=transactions.synthetic,
        notes=_notes(transactions, scores, cuts, n_without, spent, segments),
    )


def _scores(
    values: Mapping[str, NDArray[Any]], bins: int, cuts: Mapping[str, Sequence[float]] | None
) -> dict[str, Scores]:
    if cuts is None:
        signs = {"recency": -1}
        return {n: quantile_scores(signs.get(n, 1) * x, bins) for n, x in values.items()}
    if not isinstance(cuts, Mapping) or set(cuts) != set(DIMENSIONS):
        raise CxError(
            f"cuts={cuts!r}; allowed: a mapping with the cuts of 'recency', 'frequency' and "
            "'monetary'"
        )
    scores = {n: cut_scores(x, cuts[n], n) for n, x in values.items()}
    days = scores["recency"]  # few days are the best
    return {**scores, "recency": Scores(days.bins + 1 - days.score, days.certainty, days.bins)}


def _customers(
    names: pd.Series[Any],
    values: Mapping[str, NDArray[Any]],
    scores: Mapping[str, Scores],
    rules: SegmentRules | None,
) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {"customer": names.to_numpy()}
    columns |= {COLUMNS[name]: x for name, x in values.items()}
    columns |= {f"{name}_score": scores[name].score for name in DIMENSIONS}
    columns |= {f"{name}_certainty": scores[name].certainty for name in DIMENSIONS}
    if rules is not None:
        place = rules.places[tuple(scores[name].score - 1 for name in DIMENSIONS)]
        columns["segment"] = np.array(rules.names, object)[place]
    return pd.DataFrame(columns)


def _segments(
    customers: pd.DataFrame, spent: NDArray[np.float64], rules: SegmentRules | None, level: float
) -> pd.DataFrame:
    """Return the row of each segment; one of all customers where there are no rules."""
    import pandas as pd

    n_all, total = len(customers), spent.sum()
    certain = np.all([customers[f"{n}_certainty"] >= CERTAIN for n in DIMENSIONS], axis=0)
    names = rules.names if rules else ("all",)
    segment = customers["segment"].to_numpy() if rules else np.full(n_all, "all", object)
    rows = []
    for name in names:
        inside = segment == name
        n = int(inside.sum())
        low, high = proportion_interval(n / n_all, n_all, level=level)
        amount = float(spent[inside].sum())
        means = [
            float(customers.loc[inside, COLUMNS[dimension]].mean()) if n else np.nan
            for dimension in DIMENSIONS
        ]
        share = amount / total if total > 0 else np.nan
        clear = float(certain[inside].mean()) if n else np.nan
        rows.append((name, n, n / n_all, float(low), float(high), amount, share, *means, clear))
    heads = ["segment", "n", "estimate", "ci_low", "ci_high", "amount", "amount_share"]
    means_heads = [f"{name}_mean" for name in DIMENSIONS]
    return pd.DataFrame(rows, columns=[*heads, *means_heads, "clear_share"])


def _meanings(values: Mapping[str, NDArray[Any]], scores: Mapping[str, Scores]) -> pd.DataFrame:
    """Return which values each score stands for; scores that nobody has, with no values."""
    import pandas as pd

    rows = []
    for name in DIMENSIONS:
        for score in range(scores[name].bins, 0, -1):
            x = values[name][scores[name].score == score]
            ends = (float(x.min()), float(x.max())) if len(x) else (np.nan, np.nan)
            rows.append((name, score, len(x), *ends))
    return pd.DataFrame(rows, columns=["dimension", "score", "n", "lowest", "highest"])


def _notes(
    transactions: Transactions,
    scores: Mapping[str, Scores],
    cuts: object,
    n_without: int,
    spent: NDArray[np.float64],
    segments: object,
) -> tuple[Text, ...]:
    notes: list[Text] = []
    n, below = len(spent), int((spent < 0).sum())
    for name in DIMENSIONS:
        score = scores[name]
        absent = sorted(set(range(1, score.bins + 1)) - set(score.score.tolist()))
        dimension = both(f"customers.dimension.{name}")
        numbers = ", ".join(map(str, absent[:10])) + (" …" if len(absent) > 10 else "")
        key = "customers.note.absent" if cuts is None else "customers.note.absent_cuts"
        notes += note_if(bool(absent), key, dimension=dimension, scores=numbers)
    notes += note_if(cuts is not None, "customers.note.fixed")
    notes += note_if(cuts is None and n < FEW, "customers.note.few", n=n, least=FEW)
    notes += note_if(n_without > 0, "customers.note.refunds_only", n=format_number(n_without))
    notes += note_if(below > 0, "customers.note.below_zero", n=format_number(below))
    notes += note_if(segments == "grid" if isinstance(segments, str) else False,
                     "customers.note.grid")  # fmt: skip
    return (*transactions.notes, *notes)
