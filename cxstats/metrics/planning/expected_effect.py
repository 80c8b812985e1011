"""The effect that is planned for: both groups' expected metric, its variance, the test's power."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite, sqrt
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.language import Text, both
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
KINDS = {"nps": "nps", **dict.fromkeys(SHARES, "share"), **dict.fromkeys(MEANS, "mean")}
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
class ExpectedEffect:
    """A metric of one group, or of two that are compared.

    Attributes
    ----------
    metric : str
        As it was named.
    kind : {"nps", "share", "mean"}
    first : Group
    second : Group or None
        None for an interval of one group.
    notes : tuple of Text
        What was assumed.
    """

    metric: str
    kind: str
    first: Group
    second: Group | None
    notes: tuple[Text, ...]

    def power(self, n1: float, n2: float, alpha: float) -> float:
        """Return the power of the two-sided test of the two groups.

        Exact for small whole numbers of answers, else from a normal approximation (means: from
        the noncentral t distribution).
        """
        a, b = self.first, self.second
        assert b is not None  # only asked of two groups
        integers = float(n1).is_integer() and float(n2).is_integer()
        if integers and self.kind == "nps" and max(n1, n2) <= SMALL_NPS:
            return nps_exact(a.shares, b.shares, int(n1), int(n2), alpha)
        if integers and self.kind == "share" and self.rare(n1, n2) and max(n1, n2) <= LARGE:
            return shares_exact(a.value, b.value, int(n1), int(n2), alpha)
        return float(self.approximate_power(n1, n2, alpha))

    def rare(self, n1: float, n2: float) -> bool:
        """Return whether few events, or few of the others, are expected in a group."""
        groups = [(self.first, n1)] + ([(self.second, n2)] if self.second is not None else [])
        return min(min(group.value, 1 - group.value) * n for group, n in groups) < FEW_EVENTS

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
        cumulative = (1 + level) / 2
        return smallest(lambda n: stdtrit(n - 1, cumulative) * sqrt(variance / n) <= margin, 2)


def expected_effect(
    metric: str, first: Any, second: Any, difference: Any, sd: Any
) -> ExpectedEffect:
    """Return what is planned for, checked.

    Raises
    ------
    CxError
        If the metric is unknown, or a value is missing, off its scale or of no effect.
    """
    # The names of `cxstats.metrics` are understood as well.
    name = metric.removesuffix("_rate") if isinstance(metric, str) else metric
    kind = KINDS.get(name)
    if kind is None:
        raise CxError(f"metric={metric!r}; allowed: {', '.join(KINDS)}")
    if kind == "mean":
        return _means(name, first, second, difference, sd)
    for option, value in (("difference", difference), ("sd", sd)):
        if value is not None:
            raise CxError(f"{option} is for means; for {name!r} give first and second")
    if first is None:
        value = "first=(promoters, detractors)" if kind == "nps" else "first=, the expected share"
        raise CxError(f"{name!r} needs {value}")
    read = _nps_group if kind == "nps" else _share_group
    notes: list[Text] = []
    groups = [
        None if value is None else read(value, argument, notes)
        for argument, value in (("first", first), ("second", second))
    ]
    assert groups[0] is not None
    return ExpectedEffect(name, kind, groups[0], groups[1], tuple(notes))


def _nps_group(value: Any, argument: str, notes: list[Text]) -> Group:
    """Return a group from its shares, or from a score, of which the worst case is taken."""
    if isinstance(value, Real) and not isinstance(value, bool):
        score = float(value) / 100
        if not -1 < score < 1:
            raise CxError(f"{argument}={value!r}; allowed: an NPS between -100 and 100")
        group = both(f"planning.group.{argument}")
        notes.append(both("planning.note.variance", group=group, score=f"{value:g}"))
        return Group(score, 1 - score**2, ((1 + score) / 2, (1 - score) / 2))
    try:
        promoters, detractors = (float(share) for share in value)
    except (TypeError, ValueError) as error:
        raise CxError(
            f"{argument}={value!r}; allowed: (promoters, detractors) as shares, or a score"
        ) from error
    if not (promoters >= 0 and detractors >= 0 and promoters + detractors <= 1 + 1e-12):
        raise CxError(f"{argument}={value!r}; allowed: two shares from 0 whose sum is at most 1")
    variance = max(0.0, promoters + detractors - (promoters - detractors) ** 2)
    return Group(promoters - detractors, variance, (promoters, detractors))


def _share_group(value: Any, argument: str, notes: list[Text]) -> Group:
    share = _number(value, argument)
    if not 0 <= share <= 1:
        raise CxError(f"{argument}={value!r}; allowed: a share from 0 to 1")
    return Group(share, share * (1 - share))


def _means(metric: str, first: Any, second: Any, difference: Any, sd: Any) -> ExpectedEffect:
    if sd is None:
        raise CxError(f"{metric!r} needs sd, the standard deviation of an answer, or one per group")
    pair = list(sd) if np.ndim(sd) == 1 else [sd, sd]
    sds = [_number(value, "sd") for value in pair]
    if len(sds) != 2 or min(sds) <= 0:
        raise CxError(f"sd={sd!r}; allowed: one number above 0, or two")
    if (first is None) != (second is None) or (first is not None and difference is not None):
        raise CxError("give the means of both groups, or their difference, and not both")
    if first is not None:
        values = _number(first, "first"), _number(second, "second")
    else:
        values = (0.0 if difference is None else _number(difference, "difference")), 0.0
    compared = None
    if first is not None or difference is not None:
        compared = Group(values[1], sds[1] ** 2)
    return ExpectedEffect(metric, "mean", Group(values[0], sds[0] ** 2), compared, ())


def _number(value: Any, argument: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value):
        raise CxError(f"{argument}={value!r}; allowed: a number")
    return float(value)
