"""Time saved by automation: cases times the fall of the time per case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.cells import is_number
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label
from cxstats.core.moments import check_resamples
from cxstats.core.result import Chart, Result
from cxstats.operations.timestamps import check_unit, in_units, quoted
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Durations = float | str | timedelta | Iterable[float | str | timedelta]

COUNTABLE = 1e15  # volumes above this are drawn from the normal distribution
LARGEST = 1e60  # squares of two such numbers and their product are floats still
CHOICES = {
    "period": ("day", "week", "month", "year"),
    "volume": ("fixed", "poisson"),
    "method": ("delta", "simulation"),
}


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its standard error and degrees of freedom; a standard error of 0: unknown."""

    value: float
    se: float = 0.0
    df: float = np.inf
    n: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class Saving(Result):
    """Time saved.

    Attributes
    ----------
    table : pandas.DataFrame
        ``quantity, unit, estimate, ci_low, ci_high, se, df``: time saved per case, in all, in
        hours, and as a share of the time before.
    n : float
        Cases per period.
    method : {"none", "delta", "simulation"}
        Where the interval comes from.
    period : str
    level, n_resamples, seed
        As passed; resamples and seed matter for the simulation only.
    notes : tuple of Text
        What the interval leaves out.
    """

    table: pd.DataFrame
    n: float
    method: str
    period: str
    level: float
    n_resamples: int
    seed: int
    notes: tuple[Text, ...]

    kinds: ClassVar = ("total",)
    codes: ClassVar = {"quantity": "process.saving.{}", "unit": "process.unit.{}"}
    reference: ClassVar = "Goodman (1960). On the exact variance of products. JASA 55, 708-713."

    def _head(self, lang: str) -> str:
        period = label(f"process.period.{self.period}", lang)
        return label("process.saving.head", lang, n=format_number(self.n), period=period)

    def findings(self, lang: str) -> list[str]:
        """Return the saving."""
        return [self._head(lang), *(self._line(row, lang) for _, row in self.table.iterrows())]

    def _line(self, row: pd.Series[Any], lang: str) -> str:
        name = label(f"process.saving.{row['quantity']}", lang)
        if row["unit"] == "share":
            value = format_percent(100 * row["estimate"], 2, lang)
            limits = interval(100 * row["ci_low"], 100 * row["ci_high"])
        else:
            unit = label(f"process.unit.{row['unit']}", lang)
            value = f"{format_number(row['estimate'], 2)} {unit}"
            limits = interval(row["ci_low"], row["ci_high"])
        if self.method == "none":
            return label("process.saving.row", lang, name=name, value=value)
        return label("process.saving.row.interval", lang, name=name, value=value, interval=limits)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the time saved in all, in hours, with its interval."""
        total = self.table[self.table["quantity"] == "hours"]
        columns = [total[name].astype(float) for name in ("estimate", "ci_low", "ci_high")]
        unit = label("process.unit.hour", lang)
        return Chart(
            "intervals",
            ([label("process.saving.total", lang)], *columns),
            {
                "source": self._head(lang),
                "axis": label("process.saving.axis", lang, unit=unit),
                "level": self.level,
            },
        )


def rpa_saving(  # noqa: PLR0913  (each input with its uncertainty)
    n: float,
    before: Durations,
    after: Durations,
    *,
    unit: str = "minute",
    period: str = "day",
    before_sd: float | str | timedelta | None = None,
    before_n: int | None = None,
    after_sd: float | str | timedelta | None = None,
    after_n: int | None = None,
    volume: str = "fixed",
    n_se: float | None = None,
    method: str = "delta",
    level: float = 0.95,
    n_resamples: int = 20_000,
    seed: int = 1,
) -> Saving:
    """Compute the time saved, ``n (t0 - t1)``, with the uncertainty of what it is made of.

    ``var = (t0 - t1)^2 var(n) + (n^2 + var(n)) (var(t0) + var(t1))``, exact for independent
    inputs; the interval is Student's at Welch and Satterthwaite's degrees of freedom.

    The share saved is ``1 - r``, ``r = t1/t0``; its interval is ``1 - r exp(+-t se(log r))`` with
    ``se(log r)^2 = var(t0)/t0^2 + var(t1)/t1^2`` and the degrees of freedom of these two terms. It
    never exceeds 100 %. Fieller's interval covers as well (with 10 times each, skewed: 96 against
    93 %; 5: 97 against 93 %) but has no lower end in up to half of the samples of three.

    Parameters
    ----------
    n : float
        Cases per period.
    before, after : float, or sample of at least two times
        Mean time per case, or measured times: numbers in `unit`, or durations (Timedelta, "3min",
        "00:03:00", "3分钟"), which are put into `unit`.
    unit : {"second", "minute", "hour", "day"}
        Of the times.
    period : {"day", "week", "month", "year"}
        What `n` counts over; for the words alone.
    before_sd, before_n, after_sd, after_n : optional
        Standard deviation and number of measured times behind a mean.
    volume : {"fixed", "poisson"}
        "poisson": `n` is one period's count, so its variance is `n`.
    n_se : float, optional
        Standard error of `n`, instead of `volume`.
    method : {"delta", "simulation"}
        By formula, or by drawing the means from t (for the share: their logarithms) and the
        volume from a Poisson (with `n_se`: a normal) distribution; the interval is then that of
        percentiles.
    level, n_resamples, seed
        Of the interval, and of the simulation.

    Returns
    -------
    Saving
        Without any uncertainty of its inputs: the point alone, and a note that says so.

    Raises
    ------
    CxError
        Naming the input that is no number, negative or incomplete.

    Notes
    -----
    The interval is that of the expected saving per period. It assumes that a case takes the time
    of the measured ones and that no work moves elsewhere (exceptions, upkeep of the robots).

    Examples
    --------
    The published example gives no uncertainty:

    >>> rpa_saving(10_000, before=3, after=0.5).table["estimate"].round(2).tolist()
    [2.5, 25000.0, 416.67, 0.83]

    Measured on 50 cases each, with the day's volume a count:

    >>> saving = rpa_saving(10_000, 3, 0.5, before_sd=1.2, before_n=50, after_sd=0.2, after_n=50,
    ...                     volume="poisson")
    >>> saving.table.loc[2, ["estimate", "ci_low", "ci_high"]].astype(float).round(1).tolist()
    [416.7, 358.6, 474.8]
    """
    seconds = check_unit(unit)
    check_level(level)
    check_resamples(n_resamples, seed)
    if n is None:
        raise CxError("n=None; allowed: numbers from 0 upwards")
    _check_numbers(n=n, n_se=n_se)
    _check_choices(period=period, volume=volume, method=method)
    if n_se is not None and volume == "poisson":
        raise CxError("n_se and volume='poisson' both say how uncertain n is; allowed: one")
    n = float(n)
    old = _mean("before", in_units(before, seconds), in_units(before_sd, seconds), before_n)
    new = _mean("after", in_units(after, seconds), in_units(after_sd, seconds), after_n)
    volume_se = n_se if n_se is not None else n**0.5 if volume == "poisson" else 0.0
    if old.se == new.se == volume_se == 0:
        method = "none"
    quantities = _quantities(n, volume_se, old, new)
    if method == "simulation":
        draws = _simulate(n, volume_se, volume, old, new, n_resamples, seed)
        limits = [_drawn_limits(values, level) for values in draws]
    else:
        limits = [_t_limits(*quantity, level) for quantity in quantities[:2]]
        limits.append(_share_limits(*quantities[2], level))
    return Saving(
        table=_table(quantities, limits, unit, seconds),
        n=n,
        method=method,
        period=period,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        notes=_notes(volume_se, old, new),
    )


def _check_choices(**choices: str) -> None:
    for name, value in choices.items():
        if value not in CHOICES[name]:
            allowed = ", ".join(map(repr, CHOICES[name]))
            raise CxError(f"{name}={value!r}; allowed: {allowed}")


def _mean(name: str, times: Any, sd: float | None, n: int | None) -> Mean:
    if isinstance(times, (int, float, np.number)):
        return _mean_of_summary(name, times, sd, n)
    if sd is not None or n is not None:
        raise CxError(f"{name} is a sample; {name}_sd and {name}_n are computed from it")
    if isinstance(times, str) or not isinstance(times, Iterable):
        raise CxError(
            f"{name}={quoted(times)}; allowed: a number, a duration such as '3min', or a sample of "
            "times"
        )
    sample = list(times)
    if len(sample) < 2:
        raise CxError(f"{name} has {len(sample)} times; allowed: a number or at least 2 times")
    for place, time in enumerate(sample):
        if not _is_number(time):
            raise CxError(
                f"{name}: time {place} is {quoted(time)}; allowed: numbers from 0 upwards, or "
                "durations such as '3min'"
            )
    values, size = np.array(sample, float), len(sample)
    return Mean(float(values.mean()), float(values.std(ddof=1)) / size**0.5, size - 1, size)


def _mean_of_summary(name: str, mean: Any, sd: float | None, n: int | None) -> Mean:
    _check_numbers(**{name: mean, f"{name}_sd": sd})
    if (sd is None) != (n is None):
        pair = f"{name}_sd={quoted(sd)} and {name}_n={quoted(n)}"
        raise CxError(f"{pair}; allowed: both or neither")
    if sd is None or n is None:
        return Mean(float(mean))
    if not _is_number(n) or n < 2 or n != int(n):
        raise CxError(f"{name}_n={quoted(n)}; allowed: whole numbers from 2 upwards")
    return Mean(float(mean), float(sd) / float(n) ** 0.5, float(n) - 1, int(n))


def _poisson(generator: np.random.Generator, n: float, size: int) -> Array:
    """Draw volumes; beyond what numpy can count they are normal to many digits."""
    if n > COUNTABLE:
        return np.asarray(generator.normal(n, n**0.5, size))
    return generator.poisson(n, size).astype(float)


def _check_numbers(**numbers: Any) -> None:
    for name, value in numbers.items():
        if value is None:
            continue
        if not _is_number(value):
            too_large = isinstance(value, (int, float, np.integer, np.floating)) and value > LARGEST
            large = " to 1e60" if too_large else " upwards"
            raise CxError(f"{name}={quoted(value)}; allowed: numbers from 0{large}")


def _is_number(value: Any) -> bool:
    return bool(is_number(value) and 0 <= value <= LARGEST)


def _quantities(
    n: float, volume_se: float, old: Mean, new: Mean
) -> list[tuple[float, float, float]]:
    """Return estimate, standard error and df of: saved per case, in all, share of the time."""
    gain = old.value - new.value
    variance = old.se**2 + new.se**2
    df = np.inf
    if variance > 0:
        # As shares of the variance: fourth powers of small numbers would vanish.
        shares = [(mean.se**2 / variance, mean.df) for mean in (old, new) if mean.se > 0]
        df = 1 / sum(share**2 / mean_df for share, mean_df in shares)
    from_times, from_volume = (n**2 + volume_se**2) * variance, gain**2 * volume_se**2
    weight = (from_times / (from_times + from_volume)) ** 2 if from_times > 0 else 0.0
    df_of_total = df / weight if weight > 0 else np.inf
    return [
        (gain, variance**0.5, df),
        (n * gain, (from_times + from_volume) ** 0.5, df_of_total),
        _share(old, new),
    ]


def _share(old: Mean, new: Mean) -> tuple[float, float, float]:
    """Return the share saved, its standard error, and the df of the logarithm of the ratio."""
    if not old.value > 0:
        return np.nan, np.nan, np.inf
    ratio = new.value / old.value
    terms = [((mean.se / mean.value) ** 2, mean.df) for mean in (old, new) if mean.value > 0]
    variance = sum(term for term, _ in terms)
    weights = [((term / variance) ** 2, df) for term, df in terms if term > 0]
    df = 1 / sum(weight / df for weight, df in weights) if weights else np.inf
    return 1 - ratio, ratio * variance**0.5, df


def _simulate(
    n: float, volume_se: float, volume: str, old: Mean, new: Mean, size: int, seed: int
) -> list[Array]:
    generator = np.random.default_rng(seed)

    def draw(mean: Mean) -> Array:
        return np.zeros(size) if mean.se == 0 else generator.standard_t(mean.df, size)

    noises = draw(old), draw(new)
    first, second = (
        mean.value + mean.se * noise for mean, noise in zip((old, new), noises, strict=True)
    )
    count = np.full(size, float(n))
    if volume_se > 0:
        poisson = volume == "poisson"
        count = _poisson(generator, n, size) if poisson else generator.normal(n, volume_se, size)
    if old.value == 0 or new.value == 0:
        share = np.full(size, 1 - new.value / old.value if old.value else np.nan)
    else:  # on logarithms, where a time stays above 0 and the share below 100 %
        logarithm = new.se / new.value * noises[1] - old.se / old.value * noises[0]
        with np.errstate(over="ignore"):
            share = 1 - new.value / old.value * np.exp(logarithm)
    return [first - second, count * (first - second), share]


Limits = tuple[float, float, float]  # low, high, standard error


def _t_limits(estimate: float, se: float, df: float, level: float) -> Limits:
    """Return Student's limits and the standard error; NaN where nothing is uncertain."""
    from scipy.special import ndtri, stdtrit

    if se == 0:
        return (np.nan,) * 3
    tail = (1 + level) / 2
    half = se * (stdtrit(df, tail) if np.isfinite(df) else ndtri(tail))
    return estimate - half, estimate + half, se


def _share_limits(share: float, se: float, df: float, level: float) -> Limits:
    """Return the limits of ``1 - r`` from Student's on ``log r``; NaN where nothing is uncertain.

    The standard error is the one of the share, ``r se(log r)``.
    """
    if np.isnan(share) or se == 0:
        return (np.nan,) * 3
    low, high, _ = _t_limits(0.0, se / (1 - share), df, level)
    with np.errstate(over="ignore"):
        limits = 1 - (1 - share) * np.exp([high, low])
    return float(limits[0]), float(limits[1]), se


def _drawn_limits(values: Array, level: float) -> Limits:
    """Return percentile limits and the standard error of draws; NaN where they are all alike."""
    if np.isnan(values).any() or not np.ptp(values) > 0:
        return (np.nan,) * 3
    return (*percentile_limits(values, level), float(np.std(values, ddof=1)))


def _table(
    quantities: list[tuple[float, float, float]], limits: list[Limits], unit: str, seconds: int
) -> pd.DataFrame:
    import pandas as pd

    per_case, total, share = (
        # Without an error there are no degrees of freedom of it either.
        [estimate, *ends, np.nan if np.isnan(ends[2]) else df]
        for (estimate, _, df), ends in zip(quantities, limits, strict=True)
    )
    hours = [value * seconds / 3600 for value in total[:4]] + total[4:]
    rows = [
        ["per_case", unit, *per_case],
        ["total", unit, *total],
        ["hours", "hour", *hours],
        ["share", "share", *share],
    ]
    columns = ["quantity", "unit", "estimate", "ci_low", "ci_high", "se", "df"]
    return pd.DataFrame(rows, columns=columns)


def _notes(volume_se: float, old: Mean, new: Mean) -> tuple[Text, ...]:
    errors = {"volume": volume_se, "before": old.se, "after": new.se}
    exact = [both(f"process.saving.input.{name}") for name, se in errors.items() if se == 0]
    if len(exact) == len(errors):
        return (both("process.note.saving.none"),)
    if not exact:
        return ()
    inputs = Text(", ".join(name.en for name in exact), "、".join(name.zh for name in exact))
    return (both("process.note.saving.exact", inputs=inputs),)
