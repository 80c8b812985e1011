"""What an NPS that was published without counts can mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label
from cxstats.core.result import Chart, Result
from cxstats.metrics.nps_intervals import ADDED, adjusted_shares, nps_variance
from cxstats.metrics.planning.expected_effect import ExpectedEffect, expected_effect
from cxstats.metrics.planning.power_of_tests import smallest
from cxstats.metrics.planning.sample_sizes import check_power
from cxstats.stats.intervals import check_level, normal_quantile

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class NpsRegion(Result):
    """All shares that a published score allows, and what a change would take.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per score: ``score, promoters_low, promoters_high, detractors_low, detractors_high,
        passives_low, passives_high, variance_low, variance_high`` (shares from 0 to 1, variance of
        the -1, 0, +1 score).
    needed : pandas.DataFrame or None
        For two scores, one row per case of ``variance`` ("smallest", "largest"): ``n_significant``,
        answers per wave from which the change is significant by the test of `Metric.compare` if
        shares come out like this, and ``n_power``, answers per wave to find it with the power
        asked for. In the largest case the change is also as small as rounding allows.
    scores : tuple of float
    rounding : float
        Half the last printed digit, in points.
    level, power : float
    """

    table: pd.DataFrame
    needed: pd.DataFrame | None
    scores: tuple[float, ...]
    rounding: float
    level: float
    power: float

    kinds: ClassVar = ("region",)
    codes: ClassVar = {"variance": "planning.variance.{}"}
    reference: ClassVar = (
        'Rocks (2016). Interval estimation for the "Net Promoter Score". The American Statistician '
        "70(4), 365-372."
    )

    def interval(self, n: int) -> pd.DataFrame:
        """Return the narrowest and the widest interval that `n` answers can give to each score.

        Wald's, with the smallest and the largest variance: ``score, narrow_low, narrow_high,
        wide_low, wide_high``, in points. A score of 100 or -100 has no width.
        """
        import pandas as pd

        if not isinstance(n, int) or n < 1:
            raise CxError(f"n={n!r}; allowed: a whole number from 1 upwards")
        z = 100 * normal_quantile(self.level) / n**0.5
        half = {side: z * self.table[f"variance_{side}"] ** 0.5 for side in ("low", "high")}
        score = self.table["score"]
        return pd.DataFrame(
            {
                "score": score,
                "narrow_low": (score - half["low"]).clip(lower=-100),
                "narrow_high": (score + half["low"]).clip(upper=100),
                "wide_low": (score - half["high"]).clip(lower=-100),
                "wide_high": (score + half["high"]).clip(upper=100),
            }
        )

    def findings(self, lang: str) -> list[str]:
        """Return what the scores allow."""
        rows: Any = self.table
        lines = [
            label(
                "planning.region.row",
                lang,
                score=format_number(row.score),
                promoters=_span(row.promoters_low, row.promoters_high, lang),
                detractors=_span(row.detractors_low, row.detractors_high, lang),
            )
            for row in rows.itertuples()
        ]
        if self.needed is not None:
            needed: Any = self.needed.set_index("variance")
            lines.append(
                label(
                    "planning.region.needed",
                    lang,
                    first=format_number(self.scores[0]),
                    second=format_number(self.scores[1]),
                    level=format_percent(100 * self.level, None, lang),
                    low=format_number(needed.loc["smallest", "n_significant"]),
                    high=format_number(needed.loc["largest", "n_significant"]),
                    power=format_percent(100 * self.power, None, lang),
                    low_power=format_number(needed.loc["smallest", "n_power"]),
                    high_power=format_number(needed.loc["largest", "n_power"]),
                )
            )
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the shares that are possible."""
        source = label("planning.region.source", lang)
        return Chart("nps_region", (self.scores,), {"rounding": self.rounding, "source": source})


def _span(low: float, high: float, lang: str) -> str:
    """Return a range of shares as text, in per cent."""
    ends = [format_number(100 * share, 1).removesuffix(".0") for share in (low, high)]
    return label("planning.region.span", lang, low=ends[0], high=ends[1])


def nps_region(
    score: float,
    second: float | None = None,
    *,
    rounding: float = 0.5,
    level: float = 0.95,
    power: float = 0.8,
) -> NpsRegion:
    """Return all shares of promoters and detractors that a published NPS allows.

    A score s, as printed, is compatible with every ``p - d`` within `rounding` of it and
    ``p, d >= 0, p + d <= 1``. The variance of an answer, ``p + d - (p - d)^2``, lies between
    ``|s| - s^2`` (only promoters or only detractors beside passives) and ``1 - s^2`` (no passives).
    Two waves of n each differ significantly from about ``n = z^2 (v1 + v2) / (s2 - s1)^2``
    upwards; ``needed`` has it exactly.

    Parameters
    ----------
    score : float
        NPS as printed, -100 to 100.
    second : float, optional
        A later score.
    rounding : float
        Half the last printed digit, in points; 0 takes the score as exact.
    level, power : float
        Of the test of the change.

    Returns
    -------
    NpsRegion

    Raises
    ------
    CxError
        If a score is off the scale or both are equal.

    Examples
    --------
    >>> region = nps_region(32, 68)
    >>> region.needed.round(2).values.tolist()
    [['smallest', 17, 33], ['largest', 47, 93]]
    >>> region.table.loc[1, ["promoters_low", "promoters_high"]].round(4).tolist()
    [0.675, 0.8425]
    """
    import pandas as pd

    check_level(level)
    check_power(power)
    if isinstance(rounding, bool) or not isinstance(rounding, Real) or not 0 <= rounding <= 10:
        raise CxError(f"rounding={rounding!r}; allowed: 0 to 10 points")
    scores = (score,) if second is None else (score, second)
    for argument, value in zip(("score", "second"), scores, strict=False):
        if isinstance(value, bool) or not isinstance(value, Real) or not -100 <= value <= 100:
            raise CxError(f"{argument}={value!r}; allowed: an NPS from -100 to 100")
    table = pd.DataFrame([_row(float(value), float(rounding)) for value in scores])
    needed = None if second is None else _needed(scores, float(rounding), level, power)
    printed = tuple(float(value) for value in scores)
    return NpsRegion(table, needed, printed, float(rounding), level, float(power))


def _row(score: float, rounding: float) -> dict[str, float]:
    low, high = max(-1.0, (score - rounding) / 100), min(1.0, (score + rounding) / 100)
    nearest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    # |s| - s^2 is largest at one half, so its smallest value is at an end of the range, or at 0.
    smallest = 0.0 if nearest == 0 else min(abs(s) - s**2 for s in (low, high))
    return {
        "score": score,
        "promoters_low": max(low, 0.0),
        "promoters_high": (1 + high) / 2,
        "detractors_low": max(-high, 0.0),
        "detractors_high": (1 - low) / 2,
        "passives_low": 0.0,
        "passives_high": 1 - nearest,
        "variance_low": smallest,
        "variance_high": 1 - nearest**2,
    }


def _needed(scores: tuple[float, ...], rounding: float, level: float, power: float) -> pd.DataFrame:
    """Return the answers per wave that a change takes, at best and at worst.

    At worst the two scores are as near to each other as rounding allows, and nobody is passive.
    """
    import pandas as pd

    first, second = (score / 100 for score in scores)
    if first == second:
        raise CxError(f"both scores are {scores[0]!r}, so there is no change to test")
    nearer = np.sign(second - first) * min(rounding / 100, abs(second - first) / 4)
    cases = {
        "smallest": [(max(s, 0.0), max(-s, 0.0)) for s in (first, second)],
        "largest": [((1 + s) / 2, (1 - s) / 2) for s in (first + nearer, second - nearer)],
    }
    rows = []
    for name, (a, b) in cases.items():
        effect = expected_effect("nps", a, b, None, None)
        significant = smallest(partial(_significant, a, b, 1 - level), 2)
        powerful = smallest(partial(_powerful, effect, 1 - level, power), 2)
        rows.append({"variance": name, "n_significant": significant, "n_power": powerful})
    return pd.DataFrame(rows)


def _powerful(effect: ExpectedEffect, alpha: float, power: float, n: int) -> bool:
    return effect.power(n, n, alpha) >= power


def _significant(
    first: tuple[float, float], second: tuple[float, float], alpha: float, n: int
) -> bool:
    """Return whether the test of `Metric.compare` rejects if shares come out as they are."""
    from scipy.special import ndtr

    adjusted = [adjusted_shares(*shares, n, ADDED / 2) for shares in (first, second)]
    variance = sum(float(nps_variance(p, d)) / float(total) for p, d, total in adjusted)
    (p1, d1, _), (p2, d2, _) = adjusted
    return float(2 * ndtr(-abs(p2 - d2 - p1 + d1) / variance**0.5)) < alpha
