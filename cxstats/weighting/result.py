"""Weights with their intervals, usable wherever a mapping of component to weight is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number, format_percent, interval
from cxstats.core.language import label
from cxstats.stats.bootstrap import percentile_limits

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ROUGH = 1_000  # resamples below which an interval's ends move visibly with the seed


@dataclass(frozen=True, eq=False)
class Weights(Mapping[str, float]):
    """Weights of components: a mapping of name to weight that also carries its uncertainty.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per component (the index): ``weight, ci_low, ci_high, se, n, method``, then what
        the method adds. Weights are not negative and sum to 1. Intervals are NaN where nothing
        was sampled.
    method : str
        "points", "ahp", "entropy", "critic", "regression", "pls", "shapley" or "johnson".
    what : str
        What the weights are of, in the words of the method.
    n : int
        Respondents, units or judges behind them.
    level, n_resamples, seed
        The bootstrap behind the intervals; ``n_resamples`` is 0 without one.
    synthetic : bool
        Whether the data were simulated.
    notes : tuple of str
        What was left out, what is rough.
    """

    table: pd.DataFrame
    method: str
    what: str
    n: int
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> float:
        return self.as_dict()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.table)

    def as_dict(self) -> dict[str, float]:
        """Return component to weight, as `cxstats.weighted_score` takes it."""
        return {str(name): float(weight) for name, weight in self.table["weight"].items()}

    def summary(self, lang: str = "en") -> str:
        """Return the weights in words, the largest first."""
        head = label(
            "weighting.head", lang, method=label(f"weighting.method.{self.method}", lang), n=self.n
        )
        lines = [head] + ([label("servqual.synthetic", lang)] if self.synthetic else [])
        if self.n_resamples:
            lines.append(
                label(
                    "weighting.bootstrap", lang, b=format_number(self.n_resamples), seed=self.seed,
                    level=format_percent(100 * self.level, None, lang),
                )
            )  # fmt: skip
        rows = self.table.sort_values("weight", ascending=False, kind="stable")
        for name, row in rows.iterrows():
            words = format_percent(100 * row["weight"], 1, lang)
            limits = interval(100 * row["ci_low"], 100 * row["ci_high"], 1)
            lines.append(f"  {name}: {words}" + (f" {limits}" if limits != "–" else ""))
        return "\n".join([*lines, *(f"  * {note}" for note in self.notes)])

    def plot(self, ax: Axes | None = None, lang: str = "en", **options: Any) -> Axes:
        """Draw the weights with their intervals, against the equal weight.

        Options are those of `cxstats.charts.intervals`.
        """
        from cxstats.charts import intervals

        rows = self.table.sort_values("weight", ascending=False, kind="stable")
        method = label(f"weighting.method.{self.method}", lang)
        top = str(rows.index[0])
        given: dict[str, Any] = {
            "source": label("weighting.source", lang, method=method, n=self.n),
            "axis": label("weighting.axis", lang),
            "title": label(
                "weighting.title", lang, name=top,
                weight=format_percent(100 * self[top], 0, lang),
                equal=format_percent(100 / len(self), 0, lang),
            ),
            "reference": round(100 / len(self), 1),
            "decimals": 1,
            "level": self.level,
            "synthetic": self.synthetic,
        }  # fmt: skip
        numbers = (100 * rows[name] for name in ("weight", "ci_low", "ci_high"))
        return intervals(map(str, rows.index), *numbers, lang=lang, ax=ax, **given | options)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


def weight_table(
    names: Sequence[str],
    weight: Array,
    method: str,
    n: int,
    limits: tuple[Array, Array] | None = None,
    replicates: Array | None = None,
    **more: Any,
) -> pd.DataFrame:
    """Set weights out as the table of a `Weights`, one row per component."""
    import pandas as pd

    none = np.full(len(names), np.nan)
    low, high = limits if limits is not None else (none, none)
    known = replicates is not None and len(replicates) > 1
    se = np.std(replicates, axis=0, ddof=1) if known and replicates is not None else none
    columns = {"weight": weight, "ci_low": low, "ci_high": high, "se": se, "n": n}
    table = pd.DataFrame(columns | {"method": method} | more, index=list(names))
    return table.rename_axis("component")


def percentiles(replicates: Array, level: float) -> tuple[Array, Array]:
    """Return percentile intervals of the columns of replicates (B, k); NaN without replicates."""
    if len(replicates) < 2:
        none = np.full(replicates.shape[1], np.nan)
        return none, none
    low, high = percentile_limits(replicates, level)
    return low, high


def check_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Refuse a value that is not one of those allowed, naming the option.

    Examples
    --------
    >>> check_choice("mean", "median", ["arithmetic", "geometric"])
    Traceback (most recent call last):
    cxstats.core.errors.CxError: mean is 'median'; allowed: arithmetic, geometric
    """
    if value not in allowed:
        raise CxError(f"{name} is {value!r}; allowed: {', '.join(allowed)}")
