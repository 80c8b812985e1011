"""Whether a target is met, for all that is known of the noise: numbers in, numbers out.

A value is taken to differ from its target when the two-sided p value of "the truth is the target"
is at most 1 - level. For one value that is the same as: the target is outside the interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cxstats.stats.intervals import normal_quantile, proportion_interval, t_interval

MET, MISSED, UNCLEAR = "met", "missed", "unclear"
MET_REPORTED, MISSED_REPORTED = "met_as_reported", "missed_as_reported"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value with what is known of its noise.

    Attributes
    ----------
    estimate : float
        NaN where nothing was measured.
    low, high : float
        Interval; NaN where no noise is known.
    n : float
        Answers or trials; NaN where that is not known.
    method : {"exact", "t", "normal", "interval", ""}
        Where the interval comes from; empty without one.
    se, df : float
        Of "t" and "normal".
    """

    estimate: float
    low: float = np.nan
    high: float = np.nan
    n: float = np.nan
    method: str = ""
    se: float = np.nan
    df: float = np.inf

    @property
    def has_interval(self) -> bool:
        """Whether something is known of the noise."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))


def of_counts(events: int, trials: int, level: float) -> Measurement:
    """Return a share with Clopper and Pearson's interval.

    The exact interval, since a verdict must be wrong in at most ``1 - level`` of all cases at each
    share and number of trials. Wilson's covers as stated on average only: with the truth at the
    target it is wrong in up to 15 % at n = 30, 14 % at n = 100, 8 % at n = 400 (shares near 0 or
    1); the exact one in at most 5 %, and 2.7, 3.6 and 4.2 % on average over all shares.

    Examples
    --------
    >>> share = of_counts(45, 50, 0.95)
    >>> round(share.low, 4), round(share.high, 4)
    (0.7819, 0.9667)
    """
    low, high = proportion_interval(events / trials, trials, "clopper_pearson", level)
    return Measurement(events / trials, float(low), float(high), trials, "exact")


def of_nps(estimate: float, low: float, high: float, n: float) -> Measurement:
    """Return an NPS whose interval is wider by half a step of the score at either end.

    The score moves in steps of ``100 / n``. Without this correction for continuity its interval is
    wrong in up to 6 % of all cases with the truth at the target, for some n and shares.

    Examples
    --------
    >>> score = of_nps(30.0, 14.0, 44.0, 100)
    >>> score.low, score.high
    (13.5, 44.5)
    """
    half = 50 / n
    return Measurement(estimate, max(low - half, -100.0), min(high + half, 100.0), n, "interval")


def of_error(estimate: float, se: float, n: float, level: float) -> Measurement:
    """Return a mean with Student's interval, n - 1 degrees of freedom; normal without n.

    Examples
    --------
    >>> mean = of_error(4.2, 0.1, 25, 0.95)
    >>> round(mean.low, 3), round(mean.high, 3)
    (3.994, 4.406)
    """
    df = n - 1 if np.isfinite(n) else np.inf
    if np.isfinite(df):
        low, high = t_interval(np.array(estimate), np.array(se), np.array(df), level)
        return Measurement(estimate, float(low), float(high), n, "t", se, df)
    half = normal_quantile(level) * se
    return Measurement(estimate, estimate - half, estimate + half, n, "normal", se)


def p_value(measured: Measurement, target: float, level: float) -> float:
    """Return the two-sided p value of "the truth is the target"; NaN where no noise is known.

    Of counts: twice the smaller binomial tail. Of a mean: Student's t. Of an interval alone:
    normal, with the standard error that the side of the interval towards the target amounts to, so
    that ``p < 1 - level`` if and only if the target is outside the interval.

    Parameters
    ----------
    measured : Measurement
    target : float
    level : float
        Of the interval.

    Examples
    --------
    >>> round(p_value(of_counts(45, 50, 0.95), 0.7819, 0.95), 3)
    0.05
    >>> round(p_value(Measurement(30.0, 20.0, 38.0, method="interval"), 20.0, 0.95), 3)
    0.05
    """
    from scipy import stats

    if not measured.has_interval:
        return float("nan")
    distance = measured.estimate - target
    if measured.method == "exact":
        events = round(measured.estimate * measured.n)
        tails = (
            stats.binom.cdf(events, measured.n, target),
            stats.binom.sf(events - 1, measured.n, target),
        )
        return float(min(1.0, 2 * min(tails)))
    if measured.method in ("t", "normal"):
        return float(2 * stats.t.sf(abs(distance / measured.se), measured.df))
    side = measured.estimate - measured.low if distance > 0 else measured.high - measured.estimate
    if distance == 0:
        return 1.0
    if side <= 0:
        return 0.0
    return float(2 * stats.norm.sf(normal_quantile(level) * abs(distance) / side))


def verdict(measured: Measurement, target: float, direction: str, p: float, level: float) -> str:
    """Return the verdict on one value.

    Parameters
    ----------
    measured : Measurement
    target : float
        NaN where there is none.
    direction : {"higher", "lower"}
        Which side of the target is good; the target itself is.
    p : float
        Of `p_value`, adjusted or not.
    level : float

    Returns
    -------
    {"met", "missed", "unclear", "met_as_reported", "missed_as_reported", "no_target", "no_actual"}

    Examples
    --------
    >>> share = of_counts(45, 50, 0.95)
    >>> [verdict(share, t, "higher", p_value(share, t, 0.95), 0.95) for t in (0.7, 0.85, 0.98)]
    ['met', 'unclear', 'missed']
    """
    if not np.isfinite(measured.estimate):
        return "no_actual"
    if not np.isfinite(target):
        return "no_target"
    good = measured.estimate >= target if direction == "higher" else measured.estimate <= target
    if not measured.has_interval:
        return MET_REPORTED if good else MISSED_REPORTED
    if p >= 1 - level - 1e-12:
        return UNCLEAR
    return MET if good else MISSED
