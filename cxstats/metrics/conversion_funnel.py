"""A funnel: how many reach each stage, and the share that goes on from each to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import label
from cxstats.core.result import Chart, Result
from cxstats.metrics.counts import read_counts
from cxstats.metrics.result import LEVEL
from cxstats.stats.intervals import check_level, proportion_interval

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Funnel(Result):
    """Stages with the conversion of each step.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per stage: ``stage, n`` (who reached it), ``share`` (of the first stage),
        ``estimate, se, ci_low, ci_high`` (share of the stage before that went on to this one, with
        Wilson's interval; NaN of the first, and after a stage that nobody reached), ``n_before``.
    n : int
        Who reached the first stage.
    level : float
        Of the intervals.
    synthetic : bool
        Whether the counts are simulated.
    """

    table: pd.DataFrame
    n: int
    level: float
    synthetic: bool

    kinds: ClassVar = ("stages",)
    reference: ClassVar = (
        "Wilson (1927). Probable inference, the law of succession, and statistical inference. "
        "Journal of the American Statistical Association 22, 209-212."
    )

    def findings(self, lang: str) -> list[str]:
        """Return the stages, each with its share of the first and the conversion to it."""
        level = format_percent(100 * self.level, None, lang)
        lines = [
            label(
                "metric.funnel.head", lang, stages=len(self.table), n=format_number(self.n),
                level=level,
            )
        ]  # fmt: skip
        rows: Any = self.table
        for row in rows.itertuples():
            values = {
                "stage": row.stage,
                "n": format_number(row.n),
                "share": format_percent(100 * row.share, 1, lang),
            }
            key = "stage"
            if not np.isnan(row.estimate):
                key = "step"
                values["step"] = format_percent(100 * row.estimate, 1, lang)
                values["interval"] = interval_text(100 * row.ci_low, 100 * row.ci_high, 1)
            lines.append("  " + label(f"metric.funnel.{key}", lang, **values))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the funnel."""
        keywords = {
            "source": label("metric.source", lang, n=format_number(self.n)),
            "level": self.level,
            "synthetic": self.synthetic,
        }
        return Chart("funnel", (self.table["stage"], self.table["n"]), keywords)


def funnel(
    stages: Iterable[Any], counts: Any, *, level: float = LEVEL, synthetic: bool = False
) -> Funnel:
    """Compute the conversion of each step of a funnel, ``p = after / before``, from counts.

    Parameters
    ----------
    stages : names
        From the first to the last, at least two.
    counts : whole numbers, or mapping of stage to whole number
        Who reached each stage. Everyone in a stage was in the one before, so counts do not rise.
    level : float
        Of Wilson's intervals.
    synthetic : bool
        Whether the counts are simulated.

    Returns
    -------
    Funnel

    Raises
    ------
    DataError
        If there are fewer than two stages, one stands twice, a count is no whole number or rises,
        or nobody is in the first stage; naming stage and count.

    Notes
    -----
    People are taken as independent. A step's interval is of those who reached the stage before it.
    Counts do not say whose they are: for visits of the same people give the outcomes of a step, one
    row per visit, to `cxstats.conversion_rate` with ``cluster=``, the person.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22.

    Examples
    --------
    >>> shop = funnel(["visit", "basket", "order"], [1000, 300, 120])
    >>> shop.table[["share", "estimate"]].round(2).to_numpy().tolist()[1:]
    [[0.3, 0.3], [0.12, 0.4]]
    """
    import pandas as pd

    check_level(level)
    names = [stages] if isinstance(stages, str) else list(stages)
    if len(names) < 2:
        raise DataError(f"{len(names)} stages; a step needs at least 2")
    if isinstance(counts, Mapping):
        if set(counts) != set(names):
            raise DataError(f"counts are of {list(counts)}, and stages are {names}")
        counts = [counts[name] for name in names]
    n = read_counts({"counts": counts}, {"stage": names}).values["counts"]
    if not n[0]:
        raise DataError(f"nobody is in the first stage, {names[0]!r}; allowed: 1 or more")
    for (first, a), (second, b) in pairwise(zip(names, n.tolist(), strict=True)):
        if b > a:
            raise DataError(
                f"stage {second!r} has {b}, more than {a} of {first!r} before it; allowed: counts "
                "that do not rise"
            )
    before = np.concatenate([[np.nan], n[:-1]])
    with np.errstate(invalid="ignore"):
        step = np.where(before > 0, n / np.maximum(before, 1), np.nan)
        se = np.sqrt(step * (1 - step) / np.maximum(before, 1))
    low, high = proportion_interval(step, before, level=level)
    columns = {"stage": names, "n": n, "share": n / n[0], "estimate": step, "se": se}
    table = pd.DataFrame({**columns, "ci_low": low, "ci_high": high, "n_before": before})
    return Funnel(table, int(n[0]), level, synthetic)
