"""Causes of trouble, read from records, counts or shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both
from cxstats.core.messages import no_column, row_name
from cxstats.stats.bootstrap import bca, replicate_means
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

TINY = 1e-9  # of rounding, as a share of the total
MOST_LISTED = 30  # names that a message lists


@dataclass(frozen=True, slots=True, eq=False)
class Amount:
    """What records cost or take, by cause.

    Attributes
    ----------
    values : array (n, k)
        What enters the means: 0, or NaN, where a record has another cause.
    estimate : array (k,)
        Mean over the records that are not NaN, times `factor`.
    replicates : array (B, k)
        The same in every resample.
    factor : float
        n for a total, 1 for a mean.
    """

    values: Array
    estimate: Array
    replicates: Array
    factor: float

    def limits(self, level: float) -> tuple[Array, Array]:
        """Return BCa intervals (k,), (k,)."""
        has = ~np.isnan(self.values)
        mean = self.estimate / self.factor
        influence = np.where(has, (self.values - mean) / has.sum(axis=0), 0)
        return bca(self.replicates, self.estimate, influence, level)


@dataclass(frozen=True, slots=True, eq=False)
class Causes:
    """Causes, the largest first and a bundle of others last.

    Attributes
    ----------
    names : tuple of str
    n_named : int
        How many are causes by name: all but the bundle.
    shares : array (k,)
        Of the total, summing to 1.
    counts : array (k,) or None
    n : float
        Records; NaN where it is not known.
    replicates : array (B, k) or None
        Shares in every resample.
    impact, effort : Amount or None
    n_dropped : int
    synthetic : bool
    notes : tuple of Text
    """

    names: tuple[str, ...]
    n_named: int
    shares: Array
    counts: Array | None
    n: float
    replicates: Array | None
    impact: Amount | None = None
    effort: Amount | None = None
    n_dropped: int = 0
    synthetic: bool = False
    notes: tuple[Text, ...] = ()

    def amounts(self, level: float) -> dict[str, Array]:
        """Return the columns of impact and effort, where the records have them."""
        columns: dict[str, Array] = {}
        for name, amount in (("impact", self.impact), ("effort", self.effort)):
            if amount is None:
                continue
            low, high = amount.limits(level)
            columns |= {name: amount.estimate, f"{name}_ci_low": low, f"{name}_ci_high": high}
            if name == "impact":
                columns["impact_share"] = amount.estimate / amount.estimate.sum()
        return columns


def from_records(
    frame: Any,
    cause: str | None,
    impact: str | None,
    effort: str | None,
    other: str | None,
    n_resamples: int,
    seed: int,
) -> Causes:
    """Count records by cause; with columns of impact or effort, resample the records themselves."""
    import pandas as pd

    if isinstance(frame, (Mapping, pd.Series)):
        raise CxError('causes come without records: say kind="counts" or kind="shares"')
    if cause is None:
        raise CxError("cause is missing: name the column that holds the cause of a record")
    data = as_pandas(frame)
    entries = _entries(data, cause)
    amounts = {name: _not_negative(data, name) for name in (impact, effort) if name is not None}
    complete = entries.notna().to_numpy(bool)
    for values in amounts.values():
        complete = complete & ~np.isnan(values)
    if not complete.any():
        raise DataError(f"column {cause!r}: no record has a cause and all numbers")
    tally = entries[complete].value_counts()
    names, counts, n_named = _ordered([str(name) for name in tally.index],
                                      np.asarray(tally, float), other)  # fmt: skip
    common: dict[str, Any] = {
        "n_dropped": int((~complete).sum()),
        "synthetic": bool(data.attrs.get("synthetic")),
    }
    if not amounts:
        return _from_counts(names, n_named, counts, n_resamples, seed, **common)
    belongs = np.array(entries[complete])[:, None] == np.array(names, object)
    terms = {"count": belongs.astype(float)}
    if impact is not None:
        terms["impact"] = belongs * amounts[impact][complete, None]
    if effort is not None:
        terms["effort"] = np.where(belongs, amounts[effort][complete, None], np.nan)
    return _from_terms(names, n_named, counts, terms, n_resamples, seed, **common)


def from_counts(data: Any, other: str | None, n_resamples: int, seed: int) -> Causes:
    """Return causes with their counts of records."""
    names, values = _pairs(data, "counts")
    for name, value in zip(names, values, strict=True):
        if value != int(value):
            raise DataError(f"count of {name!r} is {value:g}; allowed: whole numbers from 0")
    ordered, counts, n_named = _ordered(names, values, other)
    return _from_counts(ordered, n_named, counts, n_resamples, seed)


def from_shares(
    data: Any, other: str | None, n: int | None, rounding: float, n_resamples: int, seed: int
) -> Causes:
    """Return causes with shares that sum to 1 or 100, or less where `other` takes what is left."""
    names, values = _pairs(data, "shares")
    if isinstance(rounding, bool) or not isinstance(rounding, Real) or not rounding >= 0:
        raise CxError(f"rounding is {rounding!r}; allowed: numbers from 0 upwards")
    names, values, notes = _completed(names, values, other, float(rounding) * len(values))
    ordered, shares, n_named = _ordered(names, values / values.sum(), other)
    if n is None:
        return Causes(ordered, n_named, shares, None, float("nan"), None, notes=notes)
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise CxError(f"n is {n!r}; allowed: whole numbers from 1 upwards")
    return _from_counts(ordered, n_named, shares * n, n_resamples, seed, notes=notes)


def _completed(
    names: list[str], values: Array, other: str | None, slack: float
) -> tuple[list[str], Array, tuple[Text, ...]]:
    """Return shares that sum to 1 or 100 but for rounding, with what was done to them.

    Raises
    ------
    DataError
        If they sum to anything else.
    """
    total = values.sum()
    expected = 1.0 if total <= 1 + slack + TINY else 100.0
    missing, fills = expected - total, other is not None and other not in names
    if abs(missing) <= slack + TINY * expected:
        if fills:
            raise DataError(f"shares sum to {total:g}, so that nothing is left for {other!r}")
        if abs(missing) <= TINY * expected:
            return names, values, ()
        sums = {"total": f"{total:g}", "expected": f"{expected:g}"}
        return names, values, (both("pain.note.rounding", **sums),)
    if fills and missing > 0:
        note = both("pain.note.filled", other=other, expected=f"{expected:g}",
                    missing=f"{missing:g}")  # fmt: skip
        return [*names, str(other)], np.append(values, missing), (note,)
    raise DataError(
        f"shares sum to {total:g}; allowed: 1 or 100, or less with other= to name what is "
        "left, or rounding= if they were rounded in print"
    )


def _from_counts(
    names: tuple[str, ...], n_named: int, counts: Array, n_resamples: int, seed: int, **more: Any
) -> Causes:
    """Resample counts. To draw n records and count their causes is one multinomial draw."""
    n = round(float(counts.sum()))
    shares = counts / counts.sum()
    drawn = np.random.default_rng(seed).multinomial(n, shares, n_resamples) / n
    return Causes(names, n_named, shares, counts, n, drawn, **more)


def _from_terms(
    names: tuple[str, ...],
    n_named: int,
    counts: Array,
    terms: dict[str, Array],
    n_resamples: int,
    seed: int,
    **more: Any,
) -> Causes:
    """Resample records with their amounts, terms of means (n, k) each."""
    n = len(terms["count"])
    replicates = replicate_means(np.column_stack(list(terms.values())), n_resamples, seed)
    drawn = dict(zip(terms, np.split(replicates, len(terms), axis=1), strict=True))

    def amount(name: str, factor: float) -> Amount | None:
        if name not in terms:
            return None
        mean = np.nanmean(terms[name], axis=0)
        return Amount(terms[name], mean * factor, drawn[name] * factor, factor)

    return Causes(
        names, n_named, counts / n, counts, n, drawn["count"],
        amount("impact", float(n)), amount("effort", 1.0), **more,
    )  # fmt: skip


def _entries(data: pd.DataFrame, cause: str) -> pd.Series[Any]:
    """Return the causes as texts without spaces around them, missing where there is none."""
    if cause not in data.columns:
        raise DataError(no_column(cause, data.columns))
    entries = data[cause]
    if entries.ndim > 1:
        raise DataError(f"column {cause!r} stands twice in the table")
    texts = entries.astype(object).where(entries.notna(), "").map(str).str.strip()
    return texts.where(texts != "")


def _pairs(data: Any, kind: str) -> tuple[list[str], Array]:
    """Return names and numbers of a mapping or Series."""
    import pandas as pd

    if not isinstance(data, (Mapping, pd.Series)):
        name = type(data).__name__
        raise DataError(f'kind="{kind}" with {name!r}; allowed: a mapping or Series of causes')
    pairs = [(str(name), value) for name, value in data.items()]
    names = [name for name, _ in pairs]
    for name, value in pairs:
        if names.count(name) > 1:
            raise DataError(f"cause {name!r} is there twice")
        number = _number(value)
        if not (np.isfinite(number) and number >= 0):
            raise DataError(f"{kind} of {name!r} is {value!r}; allowed: numbers from 0 upwards")
    values = np.array([_number(value) for _, value in pairs])
    if not len(values) or not values.sum() > 0:
        raise DataError(f"{kind}: {len(values)} causes that sum to 0; nothing can be ranked")
    return names, values


def _number(value: Any) -> float:
    """Return a number as float; NaN for text, truth values and what is no number."""
    from decimal import Decimal

    numeric = isinstance(value, (Real, Decimal)) and not isinstance(value, (bool, np.bool_))
    return float(value) if numeric else float("nan")


def _ordered(
    names: list[str], values: Array, other: str | None
) -> tuple[tuple[str, ...], Array, int]:
    """Sort causes, the largest first, ties in the order of the data, the bundle of others last."""
    if other is not None and other not in names:
        raise CxError(f"other={other!r} is not among the causes: {_listed(names)}")
    order = sorted(range(len(names)), key=lambda i: (names[i] == other, -values[i]))
    n_named = len(names) - (other in names)
    if not n_named:
        raise DataError(f"{other!r} is the only cause")
    return tuple(names[i] for i in order), values[order], n_named


def _not_negative(frame: pd.DataFrame, name: str) -> Array:
    values: Array = numbers(frame, name)
    negative = np.flatnonzero(values < 0)
    if len(negative):
        raise DataError(
            f"{row_name(frame.index, negative[0])}, column {name!r}: {values[negative[0]]:g} is "
            "negative; allowed: numbers from 0 upwards"
        )
    return values


def _listed(names: Any) -> str:
    return ", ".join(map(str, list(names)[:MOST_LISTED]))
