"""Time saved by automation: cases times the fall of the time per case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number, interval
from cxstats.core.language import label
from cxstats.core.moments import check_resamples
from cxstats.operations.timestamps import check_unit, shown
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

COUNTABLE = 1e15  # volumes above this are drawn from the normal distribution
LARGEST = 1e60  # squares of two such numbers and their product are floats still
NOTHING_GIVEN = "no uncertainty: none was given for the times and the volume, so this is a point"


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its standard error and degrees of freedom; a standard error of 0: none given."""

    value: float
    se: float = 0.0
    df: float = np.inf
    n: int = 0


@dataclass(frozen=True, eq=False)
class Saving:
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
        As given; resamples and seed matter for the simulation only.
    notes : tuple of str
    """

    table: pd.DataFrame
    n: float
    method: str
    period: str
    level: float
    n_resamples: int
    seed: int
    notes: tuple[str, ...]

    def summary(self, lang: str = "en") -> str:
        """Return the saving in a few lines."""
        lines = [label("process.saving.head", lang, n=format_number(self.n),
                       period=_period(self.period, lang))]  # fmt: skip
        for _, row in self.table.iterrows():
            quantity, measured = row["quantity"], row["unit"]
            share = measured == "share"
            scale = 100 if share else 1
            value = format_number(scale * row["estimate"], 2)
            ends = interval(scale * row["ci_low"], scale * row["ci_high"])
            unit = "%" if share else label(f"process.unit.{measured}", lang)
            name = label(f"process.saving.{quantity}", lang)
            line = label("process.saving.row", lang, name=name, value=value, unit=unit)
            lines.append(line + ("" if self.method == "none" else f" {ends}"))
        return "\n".join([*lines, *(f"  * {note}" for note in self.notes)])

    def plot(self, ax: Axes | None = None, lang: str = "en", **options: Any) -> Axes:
        """Draw the time saved in all with its interval."""
        from cxstats.charts.intervals import intervals

        row = self.table.set_index("quantity").loc[["hours"]]
        unit = label("process.unit.hour", lang)
        given: dict[str, Any] = {
            "source": label("process.saving.head", lang, n=format_number(self.n),
                            period=_period(self.period, lang)),
            "level": self.level, "lang": lang, "ax": ax,
            "axis": label("process.saving.axis", lang, unit=unit), **options,
        }  # fmt: skip
        name = label("process.saving.total", lang)
        value, low, high = (row[key].astype(float) for key in ("estimate", "ci_low", "ci_high"))
        return intervals([name], value, low, high, **given)

    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


def rpa_saving(  # noqa: PLR0913  (each input with its uncertainty)
    n: float,
    before: float | Iterable[float],
    after: float | Iterable[float],
    *,
    unit: str = "minute",
    period: str = "day",
    before_sd: float | None = None,
    before_n: int | None = None,
    after_sd: float | None = None,
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

    Parameters
    ----------
    n : float
        Cases per period.
    before, after : float, or sample of at least two times
        Mean time per case, or measured times.
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
        By formula, or by drawing the means from t and the volume from a Poisson (with `n_se`: a
        normal) distribution; the interval is then that of percentiles.
    level, n_resamples, seed
        Of the interval, and of the simulation.

    Returns
    -------
    Saving
        Without any uncertainty given: the point alone, and a note that says so.

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

    >>> found = rpa_saving(10_000, 3, 0.5, before_sd=1.2, before_n=50, after_sd=0.2, after_n=50,
    ...                    volume="poisson")
    >>> found.table.loc[2, ["estimate", "ci_low", "ci_high"]].astype(float).round(1).tolist()
    [416.7, 358.6, 474.8]
    """
    seconds = check_unit(unit)
    check_level(level)
    check_resamples(n_resamples, seed)
    if n is None:
        raise CxError("n=None; allowed: numbers from 0 upwards")
    _check(n=n, n_se=n_se)
    if period not in ("day", "week", "month", "year"):
        raise CxError(f"period={period!r}; allowed: 'day', 'week', 'month', 'year'")
    if volume not in ("fixed", "poisson"):
        raise CxError(f"volume={volume!r}; allowed: 'fixed', 'poisson'")
    if method not in ("delta", "simulation"):
        raise CxError(f"method={method!r}; allowed: 'delta', 'simulation'")
    if n_se is not None and volume == "poisson":
        raise CxError("n_se and volume='poisson' both say how uncertain n is; allowed: one")
    n = float(n)
    old = _mean("before", before, before_sd, before_n)
    new = _mean("after", after, after_sd, after_n)
    spread = n_se if n_se is not None else n**0.5 if volume == "poisson" else 0.0
    certain = old.se == new.se == spread == 0
    chosen = "none" if certain else method
    if chosen == "simulation":
        drawn = _simulate(n, spread, volume, old, new, n_resamples, seed)
    else:
        drawn = None
    rows = _quantities(n, spread, old, new)
    table = _set_out(rows, drawn, level, unit, seconds, certain)
    return Saving(
        table, n, chosen, period, level, n_resamples, seed, _notes(certain, spread, old, new)
    )


def _mean(name: str, times: Any, sd: float | None, n: int | None) -> Mean:
    if isinstance(times, (int, float, np.number)):
        _check(**{name: times, f"{name}_sd": sd})
        if (sd is None) != (n is None):
            given = f"{name}_sd={shown(sd)} and {name}_n={shown(n)}"
            raise CxError(f"{given}; allowed: both or neither")
        if sd is None or n is None:
            return Mean(float(times))
        if not _is_number(n) or n < 2 or n != int(n):
            raise CxError(f"{name}_n={shown(n)}; allowed: whole numbers from 2 upwards")
        return Mean(float(times), float(sd) / float(n) ** 0.5, float(n) - 1, int(n))
    if sd is not None or n is not None:
        raise CxError(f"{name} is a sample; {name}_sd and {name}_n are computed from it")
    if isinstance(times, str) or not isinstance(times, Iterable):
        raise CxError(f"{name}={shown(times)}; allowed: a number or a sample of times")
    sample = list(times)
    if len(sample) < 2:
        raise CxError(f"{name} has {len(sample)} times; allowed: a number or at least 2 times")
    for place, one in enumerate(sample):
        if not _is_number(one):
            raise CxError(f"{name}: time {place} is {shown(one)}; allowed: numbers from 0 upwards")
    values, n = np.array(sample, float), len(sample)
    return Mean(float(values.mean()), float(values.std(ddof=1)) / n**0.5, n - 1, n)


def _poisson(generator: np.random.Generator, n: float, size: int) -> Array:
    """Draw volumes; beyond what numpy can count they are normal to many digits."""
    if n > COUNTABLE:
        return np.asarray(generator.normal(n, n**0.5, size))
    return generator.poisson(n, size).astype(float)


def _check(**numbers: Any) -> None:
    for name, value in numbers.items():
        if value is None:
            continue
        if not _is_number(value):
            too_large = isinstance(value, (int, float, np.integer, np.floating)) and value > LARGEST
            large = " to 1e60" if too_large else " upwards"
            raise CxError(f"{name}={shown(value)}; allowed: numbers from 0{large}")


def _is_number(value: Any) -> bool:
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return bool(real and 0 <= value <= LARGEST)


def _quantities(n: float, spread: float, old: Mean, new: Mean) -> list[tuple[float, float, float]]:
    """Return estimate, standard error and df of: saved per case, in all, share of the time."""
    gain = old.value - new.value
    own = old.se**2 + new.se**2
    # As shares of the variance: fourth powers of small numbers would vanish.
    df = 1 / sum((m.se**2 / own) ** 2 / m.df for m in (old, new) if m.se > 0) if own > 0 else np.inf
    moving, counting = (n**2 + spread**2) * own, gain**2 * spread**2
    part = (moving / (moving + counting)) ** 2 if moving > 0 else 0.0
    both = df / part if part > 0 else np.inf
    share = gain / old.value if old.value > 0 else np.nan
    ratio = new.value / old.value if old.value > 0 else np.nan
    relative = np.hypot(new.se, ratio * old.se) / old.value if old.value > 0 else np.nan
    return [
        (gain, own**0.5, df),
        (n * gain, (moving + counting) ** 0.5, both),
        (share, float(relative), df),
    ]


def _simulate(
    n: float, spread: float, volume: str, old: Mean, new: Mean, size: int, seed: int
) -> list[Array]:
    generator = np.random.default_rng(seed)

    def draw(mean: Mean) -> Array:
        if mean.se == 0:
            return np.full(size, mean.value)
        noise = generator.standard_t(mean.df, size)
        return np.asarray(mean.value + mean.se * noise)

    first, second = draw(old), draw(new)
    count = np.full(size, float(n))
    if spread > 0:
        poisson = volume == "poisson"
        count = _poisson(generator, n, size) if poisson else generator.normal(n, spread, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (first - second) / np.where(first > 0, first, np.nan)
    return [first - second, count * (first - second), share]


def _set_out(
    rows: list[tuple[float, float, float]],
    drawn: list[Array] | None,
    level: float,
    unit: str,
    seconds: int,
    certain: bool,
) -> pd.DataFrame:
    import pandas as pd
    from scipy.special import ndtri, stdtrit

    tail = (1 + level) / 2
    found = []
    for j, (estimate, exact, df) in enumerate(rows):
        se = exact
        reach = se * (stdtrit(df, tail) if np.isfinite(df) else ndtri(tail))
        low, high = estimate - reach, estimate + reach
        if drawn is not None:
            low, high = percentile_limits(drawn[j], level)
            se = float(np.nanstd(drawn[j], ddof=1))
        if certain or se == 0:
            low = high = se = np.nan
        found.append([estimate, low, high, se, df])
    each, total, share = found
    hours = [value * seconds / 3600 for value in total[:4]] + total[4:]
    head = [("per_case", unit), ("total", unit), ("hours", "hour"), ("share", "share")]
    columns = ["quantity", "unit", "estimate", "ci_low", "ci_high", "se", "df"]
    body = [[*names, *row] for names, row in zip(head, [each, total, hours, share], strict=True)]
    return pd.DataFrame(body, columns=columns)


def _notes(certain: bool, spread: float, old: Mean, new: Mean) -> tuple[str, ...]:
    if certain:
        return (NOTHING_GIVEN,)
    parts = {"the volume": spread, "the time before": old.se, "the time after": new.se}
    fixed = [name for name, se in parts.items() if se == 0]
    if not fixed:
        return ()
    return (f"taken as known without error: {', '.join(fixed)}; the interval is too short for it",)


def _period(period: str, lang: str) -> str:
    return label(f"process.period.{period}", lang)
