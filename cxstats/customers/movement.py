"""Movement of customers between segments or tiers from one period to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.customers.rfm import RFM, segment_name
from cxstats.stats.intervals import check_level, normal_quantile, proportion_interval

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

INTERVALS = ("wilson", "multinomial")
ABSENT = "absent"  # a customer who did not buy in the period
FEW = 30  # customers of a segment below which its row says little
MOST_SEGMENTS = 100
LIKE = 0.95  # months of 28 and 31 days are unlike, too
STAYED = ["n", "n_stayed", "estimate", "ci_low", "ci_high"]


@dataclass(frozen=True, eq=False, repr=False)
class Movement(Result):
    """How customers moved between segments.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per pair: ``segment_before, segment_after, n`` (customers of the segment before),
        ``n_moved``, ``estimate`` (their share of it), ``ci_low, ci_high``. "absent" are customers
        who are in one period alone.
    stationary : pandas.DataFrame
        Of the customers who are in both periods: ``segment, before, after`` (shares in each),
        ``estimate`` (share in the long run, if they went on moving like this), ``ci_low,
        ci_high``. NaN where the long run depends on where customers begin, or the data do not say
        how customers leave a segment.
    stayed : pandas.DataFrame
        ``n`` (customers who are in both periods), ``n_stayed, estimate, ci_low, ci_high``: who is
        in the same segment.
    level : float
    interval : str
        "wilson" (each share by itself) or "multinomial" (all shares of a segment at once).
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    stationary: pd.DataFrame
    stayed: pd.DataFrame
    level: float
    interval: str
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {
        "segment": "customers.segment.{}",
        "segment_before": "customers.segment.{}",
        "segment_after": "customers.segment.{}",
    }
    kinds: ClassVar = ("heatmap",)
    reference: ClassVar = (
        "Goodman (1965). On simultaneous confidence intervals for multinomial proportions. "
        "Technometrics 7, 247-254. Kemeny & Snell (1960). Finite Markov chains. Van Nostrand."
    )

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the matrix of movement."""
        rows, columns = (
            list(dict.fromkeys(self.table[f"segment_{when}"])) for when in ("before", "after")
        )
        grids = [
            self.table.pivot(index="segment_before", columns="segment_after", values=name)
            .reindex(index=rows, columns=columns)
            .to_numpy(float)
            for name in ("estimate", "ci_low", "ci_high")
        ]
        sizes = self.table.drop_duplicates("segment_before").set_index("segment_before")["n"]
        names = [
            label("customers.cohorts.row", lang, cohort=segment_name(name, lang),
                  n=format_number(sizes[name]))
            for name in rows
        ]  # fmt: skip
        at_once = label("customers.movement.at_once", lang)
        return Chart(
            "rate_heatmap",
            (*grids, names, [segment_name(name, lang) for name in columns]),
            {
                "axis": label("customers.movement.axis", lang),
                "title": self._sentence("customers.movement.title", lang),
                "source": label("customers.source", lang, n=format_number(int(sizes.sum()))),
                "level": self.level,
                "note": at_once if self.interval == "multinomial" else "",
                "synthetic": self.synthetic,
            },
        )

    def _sentence(self, key: str, lang: str) -> str:
        row = self.stayed.iloc[0]
        return label(
            key,
            lang,
            n=format_number(int(row["n"])),
            share=format_percent(100 * row["estimate"], 1, lang),
            interval=interval(100 * row["ci_low"], 100 * row["ci_high"], 1),
        )

    def findings(self, lang: str) -> list[str]:
        """Return how many stayed, and each segment's share now and in the long run."""
        lines = [self._sentence("customers.movement.head", lang)]
        for _, row in self.stationary.iterrows():
            has_limit = np.isfinite(row["estimate"])
            key = "customers.movement.line" if has_limit else "customers.movement.line.without"
            values = {
                "segment": segment_name(row["segment"], lang),
                "before": format_percent(100 * row["before"], 1, lang),
                "after": format_percent(100 * row["after"], 1, lang),
            }
            if has_limit:
                values["share"] = format_percent(100 * row["estimate"], 1, lang)
                values["interval"] = interval(100 * row["ci_low"], 100 * row["ci_high"], 1)
            lines.append(label(key, lang, **values))
        return lines


@long_work("movement")
def movement(
    before: RFM | Any,
    after: RFM | Any,
    *,
    order: Sequence[str] | None = None,
    interval: str = "wilson",
    level: float = 0.95,
) -> Movement:
    """Return how customers moved between segments or tiers from one period to the next.

    Formula: with n_ij customers who went from i to j, ``p_ij = n_ij / n_i``. The long-run shares
    are the stationary ones, ``w = w P``; their covariance is that of the delta method,
    ``w_i^2 / n_i * Z' (diag(p_i) - p_i p_i') Z`` added over i, with the fundamental matrix
    ``Z = (I - P + 1 w)^-1``; intervals are symmetric on the scale of log-odds. That customers go
    on moving like this, whatever their history, is an assumption.

    Parameters
    ----------
    before, after : RFM, or mapping or pandas.Series of segment by customer
        The two periods. A customer who is in one alone is "absent" in the other.
    order : sequence of str, optional
        Names of all segments in their order; without it, that of the rules, or the alphabet's.
    interval : {"wilson", "multinomial"}
        Of the shares in a row: each by itself, or all of a row at once (Goodman's: Wilson's at the
        level 1 - (1 - level) / k).
    level : float

    Raises
    ------
    DataError
        If no customer is in both periods, a customer is there twice or has no segment, or `order`
        lacks a segment.

    Examples
    --------
    >>> old = {"a": "gold", "b": "gold", "c": "basic", "d": "basic"}
    >>> new = {"a": "gold", "b": "basic", "c": "basic", "d": "basic"}
    >>> movement(old, new).table[["n", "n_moved", "estimate"]].values.tolist()
    [[2.0, 2.0, 1.0], [2.0, 0.0, 0.0], [2.0, 1.0, 0.5], [2.0, 1.0, 0.5]]
    """
    import pandas as pd

    check_level(level)
    if interval not in INTERVALS:
        allowed = ", ".join(map(repr, INTERVALS))
        raise CxError(f"interval={interval!r} is not allowed; allowed: {allowed}")
    old, new = _segments_of(before, "before"), _segments_of(after, "after")
    n_both = int(old.index.isin(new.index).sum())
    if not n_both:
        raise DataError("no customer is in both periods; are the names written alike?")
    names = _order(before, after, old, new, order)
    pairs = pd.concat([old.rename("x"), new.rename("y")], axis=1, join="outer")
    pairs = pairs.astype(object).where(pairs.notna(), ABSENT)
    states = [*names, ABSENT] if len(pairs) > n_both else names
    counts = pd.crosstab(pairs["x"], pairs["y"]).reindex(index=states, columns=states).fillna(0)
    matrix = counts.to_numpy(float)
    both_periods = matrix[: len(names), : len(names)]
    limit = _stationary(both_periods, level)
    stayed = int(np.trace(both_periods))
    low, high = proportion_interval(stayed / n_both, n_both, level=level)
    stayed_row = (n_both, stayed, stayed / n_both, float(low), float(high))
    n_before = both_periods.sum(axis=1)
    n_few = int(((n_before > 0) & (n_before < FEW)).sum())
    notes = (
        *_notes_of_periods(before, after),
        both("customers.note.markov"),
        *note_if(len(states) > len(names), "customers.note.absent_segment"),
        *note_if(limit is None, "customers.note.no_limit"),
        *note_if(n_few > 0, "customers.note.few_in_segment", n=n_few, least=FEW),
    )
    return Movement(
        table=_table(matrix, states, interval, level),
        stationary=_shares(both_periods, names, limit),
        stayed=pd.DataFrame([stayed_row], columns=STAYED),
        level=level,
        interval=interval,
        synthetic=any(getattr(period, "synthetic", False) for period in (before, after)),
        notes=notes,
    )


def _segments_of(period: Any, name: str) -> pd.Series[Any]:
    """Return the segment of each customer of a period."""
    import pandas as pd

    if isinstance(period, RFM):
        if "segment" not in period.customers:
            raise DataError(f"{name}: the RFM has no segments (segments=None)")
        return period.customers.set_index("customer")["segment"].astype(object)
    if not isinstance(period, (Mapping, pd.Series)):
        raise DataError(
            f"{name}: {type(period).__name__}; allowed: what cx.rfm returned, or a mapping or "
            "pandas.Series of segment by customer"
        )
    series = pd.Series(dict(period) if isinstance(period, Mapping) else period, dtype=object)
    if not len(series):
        raise DataError(f"{name}: no customers")
    if not series.index.is_unique:
        twice = series.index[series.index.duplicated()].tolist()[0]
        raise DataError(f"{name}: customer {excerpt(twice)} is there twice")
    missing = series.isna().to_numpy()
    if missing.any():
        customer = series.index[missing].tolist()[0]
        raise DataError(f"{name}: customer {excerpt(customer)} has no segment")
    texts = series.map(str)
    if (texts == ABSENT).any():
        raise DataError(f"{name}: {ABSENT!r} stands for customers of one period; name it otherwise")
    return texts


def _notes_of_periods(before: Any, after: Any) -> list[Text]:
    """Return what makes two RFM results hard to compare."""
    periods = [period for period in (before, after) if isinstance(period, RFM)]
    if not periods:
        return []
    days = [(period.date - period.since).days + 1 for period in periods]
    is_relative = any(period.scoring == "quantile" for period in periods)
    is_unlike = min(days) < LIKE * max(days)
    return [
        *note_if(is_unlike, "customers.note.unlike_periods", before=days[0], after=days[-1]),
        *note_if(is_relative, "customers.note.relative"),
    ]


def _order(
    before: Any,
    after: Any,
    old: pd.Series[Any],
    new: pd.Series[Any],
    order: Sequence[str] | None,
) -> list[str]:
    """Return the names of all segments in order."""
    present = set(old) | set(new)
    if order is not None:
        names = [str(name) for name in order]
        missing = sorted(present - set(names))
        if missing or len(set(names)) < len(names):
            raise DataError(
                f"order={excerpt(list(order))} lacks segment {missing[0]!r}"
                if missing
                else f"order={excerpt(list(order))} has a segment twice"
            )
    elif isinstance(before, RFM) and isinstance(after, RFM):
        rules = [*before.table["segment"], *after.table["segment"]]
        names = [name for name in dict.fromkeys(rules) if name in present]
    else:
        names = sorted(present)
    if len(names) > MOST_SEGMENTS:
        raise DataError(f"{len(names)} segments; allowed: at most {MOST_SEGMENTS}")
    return names


def _table(matrix: Floats, states: Sequence[str], interval: str, level: float) -> pd.DataFrame:
    import pandas as pd

    k = len(states)
    n = np.repeat(matrix.sum(axis=1), k)
    moved = matrix.ravel()
    share = np.divide(moved, n, out=np.full(len(n), np.nan), where=n > 0)
    each = level if interval == "wilson" else 1 - (1 - level) / k
    low, high = proportion_interval(share, n, level=each)
    table = pd.DataFrame(
        {
            "segment_before": np.repeat(states, k),
            "segment_after": np.tile(states, k),
            "n": n.astype(int),
            "n_moved": moved.astype(int),
            "estimate": share,
            "ci_low": low,
            "ci_high": high,
        }
    )
    # Nobody is absent from both periods; and perhaps nobody from the first, or from the second.
    arrive, leave = (matrix.sum(axis=axis)[-1] > 0 for axis in (1, 0))
    before, after = table["segment_before"] != ABSENT, table["segment_after"] != ABSENT
    possible: pd.DataFrame = table[(before | (after & arrive)) & (after | (before & leave))]
    return possible.reset_index(drop=True)


def _stationary(counts: Floats, level: float) -> tuple[Floats, Floats, Floats] | None:
    """Return the long-run shares with their limits; None where they are not determined."""
    n = counts.sum(axis=1)
    inside = (n > 0) | (counts.sum(axis=0) > 0)
    if (n[inside] == 0).any():
        return None
    counts, n = counts[np.ix_(inside, inside)], n[inside]
    k, p = len(n), counts / n[:, None]
    if (np.abs(np.linalg.eigvals(p) - 1) < 1e-9).sum() != 1:
        return None
    system = np.vstack([np.eye(k) - p.T, np.ones(k)])
    w = np.linalg.lstsq(system, np.append(np.zeros(k), 1.0), rcond=None)[0].clip(0, 1)
    fundamental = np.linalg.inv(np.eye(k) - p + np.outer(np.ones(k), w))
    variance = np.zeros(k)
    for share, size, row in zip(w, n, p, strict=True):
        covariance = np.diag(row) - np.outer(row, row)
        variance += share**2 / size * np.einsum("ij,ik,kj->j", fundamental, covariance, fundamental)
    shares, low, high = (np.zeros(len(inside)) for _ in range(3))
    inner = (w > 0) & (w < 1)
    odds = np.log(w[inner] / (1 - w[inner]))
    reach = normal_quantile(level) * np.sqrt(variance[inner]) / (w[inner] * (1 - w[inner]))
    ends = [w.copy(), w.copy()]
    for end, side in zip(ends, (-reach, reach), strict=True):
        end[inner] = 1 / (1 + np.exp(-(odds + side)))
    shares[inside], low[inside], high[inside] = w, *ends
    return shares, low, high


def _shares(
    counts: Floats, names: Sequence[str], limit: tuple[Floats, Floats, Floats] | None
) -> pd.DataFrame:
    import pandas as pd

    total = counts.sum()
    shares, low, high = limit or (np.full(len(names), np.nan),) * 3
    return pd.DataFrame(
        {
            "segment": list(names),
            "before": counts.sum(axis=1) / total,
            "after": counts.sum(axis=0) / total,
            "estimate": shares,
            "ci_low": low,
            "ci_high": high,
        }
    )
