"""The doors of the analysis of causes: tickets, counts, shares. Each ends as a `Source`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.stats.bootstrap import bca, replicate_means
from cxstats.survey.answers import as_pandas, numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


TINY = 1e-9  # of rounding, as a share of the whole


@dataclass(frozen=True, slots=True, eq=False)
class Ticketed:
    """A quantity of tickets by cause.

    Attributes
    ----------
    values : array (n, k)
        What enters the means: 0, or NaN, where a ticket has another cause.
    estimate : array (k,)
        Mean over the tickets that are not NaN, times `factor`.
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
class Source:
    """Causes, the largest first and a bundle of others last.

    Attributes
    ----------
    names : tuple of str
    named : int
        How many are causes of their own: all but the bundle.
    shares : array (k,)
        Of the whole, summing to 1.
    counts : array (k,) or None
    n : float
        NaN where it is not known.
    replicates : array (B, k) or None
        Shares in every resample.
    impact, effort : Ticketed or None
    dropped : int
    synthetic : bool
    notes : tuple of str
    """

    names: tuple[str, ...]
    named: int
    shares: Array
    counts: Array | None
    n: float
    replicates: Array | None
    impact: Ticketed | None = None
    effort: Ticketed | None = None
    dropped: int = 0
    synthetic: bool = False
    notes: tuple[str, ...] = field(default=())

    def extra(self, level: float) -> dict[str, Array]:
        """Return the columns of impact and effort, where the tickets have them."""
        columns: dict[str, Array] = {}
        for name, part in (("impact", self.impact), ("effort", self.effort)):
            if part is None:
                continue
            low, high = part.limits(level)
            columns |= {name: part.estimate, f"{name}_ci_low": low, f"{name}_ci_high": high}
            if name == "impact":
                columns["impact_share"] = part.estimate / part.estimate.sum()
        return columns


def from_tickets(
    frame: Any,
    cause: str | None,
    impact: str | None,
    effort: str | None,
    rest: str | None,
    n_resamples: int,
    seed: int,
) -> Source:
    """Count tickets by cause; with columns of impact or effort, resample the tickets themselves."""
    import pandas as pd

    if isinstance(frame, (Mapping, pd.Series)):
        raise CxError('causes are given without tickets: say given="counts" or given="shares"')
    if cause is None:
        raise CxError("cause is missing: name the column that holds the cause of a ticket")
    data = as_pandas(frame)
    if cause not in data.columns:
        raise DataError(f"column {cause!r} is not in the table; columns: {_listed(data.columns)}")
    words = data[cause]
    if words.ndim > 1:
        raise DataError(f"column {cause!r} stands twice in the table")
    words = words.astype(object).where(words.notna(), "").map(str).str.strip()
    words = words.where(words != "")
    amounts = {name: _amounts(data, name) for name in (impact, effort) if name is not None}
    kept = words.notna().to_numpy(bool)
    for values in amounts.values():
        kept = kept & ~np.isnan(values)
    if not kept.any():
        raise DataError(f"column {cause!r}: no ticket has a cause and all numbers")
    counted = words[kept].value_counts()
    names, counts, named = _ordered(
        [str(name) for name in counted.index], np.asarray(counted, float), rest
    )
    common: dict[str, Any] = {
        "dropped": int((~kept).sum()),
        "synthetic": bool(data.attrs.get("synthetic")),
    }
    if not amounts:
        return _counted(names, named, counts, n_resamples, seed, **common)
    own = np.array(words[kept])[:, None] == np.array(names, object)
    n, terms = len(own), {"count": own.astype(float)}
    if impact is not None:
        terms["impact"] = own * amounts[impact][kept, None]
    if effort is not None:
        terms["effort"] = np.where(own, amounts[effort][kept, None], np.nan)
    replicates = replicate_means(np.column_stack(list(terms.values())), n_resamples, seed)
    drawn = dict(zip(terms, np.split(replicates, len(terms), axis=1), strict=True))

    def ticketed(name: str, factor: float) -> Ticketed | None:
        if name not in terms:
            return None
        mean = np.nanmean(terms[name], axis=0)
        return Ticketed(terms[name], mean * factor, drawn[name] * factor, factor)

    return Source(
        names, named, counts / n, counts, n, drawn["count"],
        ticketed("impact", float(n)), ticketed("effort", 1.0), **common,
    )  # fmt: skip


def from_counts(data: Any, rest: str | None, n_resamples: int, seed: int) -> Source:
    """Take counts of tickets by cause."""
    names, values = _given(data, "counts")
    for name, value in zip(names, values, strict=True):
        if value != int(value):
            raise DataError(f"count of {name!r} is {value:g}; allowed: whole numbers from 0")
    ordered, counts, named = _ordered(names, values, rest)
    return _counted(ordered, named, counts, n_resamples, seed)


def from_shares(
    data: Any, rest: str | None, n: int | None, rounding: float, n_resamples: int, seed: int
) -> Source:
    """Take shares of causes that sum to 1 or to 100, or to less where `rest` takes what is left."""
    names, values = _given(data, "shares")
    if isinstance(rounding, bool) or not isinstance(rounding, Real) or not rounding >= 0:
        raise CxError(f"rounding is {rounding!r}; allowed: numbers from 0 upwards")
    total, slack = values.sum(), float(rounding) * len(values)
    whole = 1.0 if total <= 1 + slack + TINY else 100.0
    missing, fills, notes = whole - total, rest is not None and rest not in names, []
    if abs(missing) <= slack + TINY * whole:
        if fills:
            raise DataError(f"shares sum to {total:g}, so that nothing is left for {rest!r}")
        if abs(missing) > TINY * whole:
            notes.append(f"shares sum to {total:g} of {whole:g} by rounding; divided by their sum")
    elif fills and missing > 0:
        names, values = [*names, str(rest)], np.append(values, missing)
        notes.append(f"{rest} is what is left of {whole:g}: {missing:g}")
    else:
        raise DataError(
            f"shares sum to {total:g}; allowed: 1 or 100, or less with rest= to name what is "
            "left, or rounding= if they were rounded in print"
        )
    ordered, shares, named = _ordered(names, values / values.sum(), rest)
    if n is None:
        return Source(ordered, named, shares, None, float("nan"), None, notes=tuple(notes))
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise CxError(f"n is {n!r}; allowed: whole numbers from 1 upwards")
    return _counted(ordered, named, shares * n, n_resamples, seed, notes=tuple(notes))


def _counted(
    names: tuple[str, ...], named: int, counts: Array, n_resamples: int, seed: int, **rest: Any
) -> Source:
    """Resample counts. To draw n tickets and count their causes is one multinomial draw."""
    n = round(float(counts.sum()))
    shares = counts / counts.sum()
    drawn = np.random.default_rng(seed).multinomial(n, shares, n_resamples) / n
    return Source(names, named, shares, counts, n, drawn, **rest)


def _given(data: Any, what: str) -> tuple[list[str], Array]:
    """Return names and numbers of a mapping or Series, or refuse what cannot be read."""
    import pandas as pd

    if not isinstance(data, (Mapping, pd.Series)):
        kind = type(data).__name__
        raise DataError(f'given="{what}" with {kind!r}; allowed: a mapping or Series of causes')
    pairs = [(str(name), value) for name, value in data.items()]
    names = [name for name, _ in pairs]
    for name, value in pairs:
        if names.count(name) > 1:
            raise DataError(f"cause {name!r} is there twice")
        number = _number(value)
        if not (np.isfinite(number) and number >= 0):
            raise DataError(f"{what} of {name!r} is {value!r}; allowed: numbers from 0 upwards")
    values = np.array([_number(value) for _, value in pairs])
    if not len(values) or not values.sum() > 0:
        raise DataError(f"{what}: {len(values)} causes that sum to 0; nothing can be ranked")
    return names, values


def _number(value: Any) -> float:
    """Return a number as float; NaN for text, truth values and what is no number."""
    from decimal import Decimal

    good = isinstance(value, (Real, Decimal)) and not isinstance(value, (bool, np.bool_))
    return float(value) if good else float("nan")


def _ordered(
    names: list[str], values: Array, rest: str | None
) -> tuple[tuple[str, ...], Array, int]:
    """Sort causes, the largest first, ties in the order given, the bundle of others last."""
    if rest is not None and rest not in names:
        raise CxError(f"rest={rest!r} is not among the causes: {_listed(names)}")
    order = sorted(range(len(names)), key=lambda i: (names[i] == rest, -values[i]))
    named = len(names) - (rest in names)
    if not named:
        raise DataError(f"{rest!r} is the only cause")
    return tuple(names[i] for i in order), values[order], named


def _amounts(frame: pd.DataFrame, name: str) -> Array:
    values: Array = numbers(frame, name)
    bad = np.flatnonzero(values < 0)
    if len(bad):
        raise DataError(
            f"row {frame.index[bad[0]]!r}, column {name!r}: {values[bad[0]]:g} is negative; "
            "allowed: numbers from 0 upwards"
        )
    return values


def _listed(names: Any) -> str:
    return ", ".join(map(str, list(names)[:30]))
