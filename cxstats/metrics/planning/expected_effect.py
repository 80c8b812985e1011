"""What is compared: the two groups' expected metric, its variance, and the test's power."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite, sqrt
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.metrics.planning.power_of_tests import (
    means_power,
    nps_exact,
    proportions_power,
    shares_exact,
    smallest,
    z_power,
)
from cxstats.stats.intervals import normal_quantile, wilson_half_width

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SHARES = (
    "proportion", "csat", "churn", "retention", "repurchase", "participation", "resolution",
    "conversion", "click_through", "word_of_mouth", "automation", "error",
)  # fmt: skip
MEANS = ("mean", "ces", "arpu", "roi", "handling_time", "waiting_time", "satisfaction")
# Below, power is enumerated instead of approximated: answers (NPS), events expected (shares).
SMALL_NPS, FEW_EVENTS, LARGE = 60, 30, 20_000


@dataclass(frozen=True, slots=True)
class Group:
    """What is expected of one group.

    Attributes
    ----------
    value : float
        NPS as a difference of shares (-1 to 1), a share (0 to 1), or a mean (0 if only a difference
        is planned for).
    variance : float
        Variance of one answer.
    shares : pair of float
        Promoters and detractors, of NPS.
    """

    value: float
    variance: float
    shares: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A metric to plan for.

    Attributes
    ----------
    metric : str
        The name that was given.
    kind : {"nps", "share", "mean"}
    first : Group
    second : Group or None
        None for an interval of one group.
    notes : tuple of str
    """

    metric: str
    kind: str
    first: Group
    second: Group | None
    notes: tuple[str, ...]

    def power(self, n1: float, n2: float, alpha: float) -> float:
        """Return the power of the two-sided test of the two groups.

        Exact for small whole numbers of answers, else from a normal approximation (means: from
        the noncentral t distribution).
        """
        a, b = self.first, self.second
        assert b is not None  # only asked of two groups
        whole = float(n1).is_integer() and float(n2).is_integer()
        if whole and self.kind == "nps" and max(n1, n2) <= SMALL_NPS:
            return nps_exact(a.shares, b.shares, int(n1), int(n2), alpha)
        if whole and self.kind == "share" and self.rare(n1, n2) and max(n1, n2) <= LARGE:
            return shares_exact(a.value, b.value, int(n1), int(n2), alpha)
        return float(self.approximate_power(n1, n2, alpha))

    def rare(self, n1: float, n2: float) -> bool:
        """Tell whether few events, or few of the others, are expected in a group."""
        groups = [(self.first, n1)] + ([(self.second, n2)] if self.second is not None else [])
        return min(min(one.value, 1 - one.value) * n for one, n in groups) < FEW_EVENTS

    def approximate_power(self, n1: Any, n2: Any, alpha: float) -> Array:
        """Return the power for large samples; n may be arrays."""
        a, b = self.first, self.second
        assert b is not None
        if self.kind == "share":
            return proportions_power(a.value, b.value, n1, n2, alpha)
        if self.kind == "mean":
            sd = sqrt(a.variance), sqrt(b.variance)
            return means_power(a.value - b.value, sd, n1, n2, alpha)
        se = np.sqrt(a.variance / np.asarray(n1, float) + b.variance / np.asarray(n2, float))
        return z_power(a.value - b.value, se, se, alpha)

    def n_for_margin(self, margin: float, level: float) -> int:
        """Return the answers for an interval of half-width `margin` at most, as is expected.

        NPS: ``z^2 s^2 / d^2 - 3`` (adjusted Wald). Share: Wilson's interval. Mean: the t interval.
        """
        from scipy.special import stdtrit

        z, variance = normal_quantile(level), self.first.variance
        if self.kind == "nps":
            return max(1, ceil(z**2 * variance / margin**2 - 3 - 1e-9))
        if self.kind == "share":
            return smallest(lambda n: wilson_half_width(variance, n, z) <= margin, 1)
        tail = (1 + level) / 2
        return smallest(lambda n: stdtrit(n - 1, tail) * sqrt(variance / n) <= margin, 2)


def quantity(metric: str, first: Any, second: Any, difference: Any, sd: Any) -> Quantity:
    """Return what is planned for, checked.

    Raises
    ------
    CxError
        If the metric is unknown, or a value is missing, off its scale or of no effect.
    """
    kinds = {"nps": "nps", **dict.fromkeys(SHARES, "share"), **dict.fromkeys(MEANS, "mean")}
    # The names of `cxstats.metrics` are understood as well.
    short = metric.removesuffix("_rate") if isinstance(metric, str) else metric
    if short not in kinds:
        raise CxError(f"metric={metric!r}; allowed: {', '.join(kinds)}")
    metric, kind = short, kinds[short]
    if kind == "mean":
        return _mean(metric, first, second, difference, sd)
    for name, value in (("difference", difference), ("sd", sd)):
        if value is not None:
            raise CxError(f"{name} is for means; for {metric!r} give first and second")
    if first is None:
        what = "first=(promoters, detractors)" if kind == "nps" else "first=, the expected share"
        raise CxError(f"{metric!r} needs {what}")
    read = _nps if kind == "nps" else _share
    notes: list[str] = []
    groups = [None if one is None else read(one, name, notes)
              for name, one in (("first", first), ("second", second))]  # fmt: skip
    assert groups[0] is not None
    return Quantity(metric, kind, groups[0], groups[1], tuple(notes))


def _nps(given: Any, name: str, notes: list[str]) -> Group:
    """Read shares of promoters and detractors, or a score, of which the worst case is taken."""
    if isinstance(given, Real) and not isinstance(given, bool):
        score = float(given) / 100
        if not -1 < score < 1:
            raise CxError(f"{name}={given!r}; allowed: an NPS between -100 and 100")
        notes.append(
            f"{name}: the score {given:g} alone does not tell the variance; the largest that it "
            "can have is taken (no passives)"
        )
        return Group(score, 1 - score**2, ((1 + score) / 2, (1 - score) / 2))
    try:
        promoters, detractors = (float(share) for share in given)
    except (TypeError, ValueError) as error:
        raise CxError(
            f"{name}={given!r}; allowed: (promoters, detractors) as shares, or a score"
        ) from error
    if not (promoters >= 0 and detractors >= 0 and promoters + detractors <= 1 + 1e-12):
        raise CxError(f"{name}={given!r}; allowed: two shares from 0 whose sum is at most 1")
    variance = max(0.0, promoters + detractors - (promoters - detractors) ** 2)
    return Group(promoters - detractors, variance, (promoters, detractors))


def _share(given: Any, name: str, notes: list[str]) -> Group:
    share = _number(given, name)
    if not 0 <= share <= 1:
        raise CxError(f"{name}={given!r}; allowed: a share from 0 to 1")
    return Group(share, share * (1 - share))


def _mean(metric: str, first: Any, second: Any, difference: Any, sd: Any) -> Quantity:
    if sd is None:
        raise CxError(f"{metric!r} needs sd, the standard deviation of an answer, or one per group")
    pair = list(sd) if np.ndim(sd) == 1 else [sd, sd]
    spread = [_number(one, "sd") for one in pair]
    if len(spread) != 2 or min(spread) <= 0:
        raise CxError(f"sd={sd!r}; allowed: one number above 0, or two")
    if (first is None) != (second is None) or (first is not None and difference is not None):
        raise CxError("give the means of both groups, or their difference, and not both")
    if first is not None:
        values = _number(first, "first"), _number(second, "second")
    else:
        values = (0.0 if difference is None else _number(difference, "difference")), 0.0
    two = None
    if first is not None or difference is not None:
        two = Group(values[1], spread[1] ** 2)
    return Quantity(metric, "mean", Group(values[0], spread[0] ** 2), two, ())


def _number(given: Any, name: str) -> float:
    if isinstance(given, bool) or not isinstance(given, Real) or not isfinite(given):
        raise CxError(f"{name}={given!r}; allowed: a number")
    return float(given)
