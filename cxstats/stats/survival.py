"""Time until an event that some cases have not had yet: curves, medians, means, log-rank tests.

A case is a time and whether the event ended it. A case without the event is censored: it was seen
without the event up to its time. All of it holds if censoring tells nothing about the event.

References
----------
Kaplan & Meier (1958). Nonparametric estimation from incomplete observations. JASA 53, 457-481.
Kalbfleisch & Prentice (2002). The statistical analysis of failure time data, 2nd ed., ch. 1.
Therneau & Grambsch (2000). Modeling survival data, ch. 2 (clusters).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.stats.intervals import normal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.intp]

TRANSFORMS = ("log-log", "plain")
ROUNDING = 1e-12  # a curve that reaches a share but for rounding has reached it
CELLS = 4_000_000  # cells of a table of clusters by times that are held at once


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalCurve:
    """A Kaplan-Meier curve, one entry for each time at which a case had the event or was censored.

    Attributes (each an array (k,))
    -------------------------------
    time : rising; the curve is 1 before the first event
    n_at_risk : cases that were seen up to this time
    n_events, n_censored : cases that end at this time
    estimate : share without the event after this time
    se : its standard error
    ci_low, ci_high : pointwise interval; NaN where the curve is 1 or 0
    """

    time: Array
    n_at_risk: Array
    n_events: Array
    n_censored: Array
    estimate: Array
    se: Array
    ci_low: Array
    ci_high: Array

    def quantile(self, share: float = 0.5) -> tuple[float, float, float]:
        """Return the time by which a share has had the event, and its interval.

        ``t = min(t: S(t) <= 1 - share)``; the limits are the times at which the limits of the
        curve reach ``1 - share``. NaN where they do not.

        Parameters
        ----------
        share : float
            Between 0 and 1; 0.5 for the median.

        References
        ----------
        Brookmeyer & Crowley (1982). A confidence interval for the median survival time.
        Biometrics 38, 29-41.

        Examples
        --------
        >>> survival_curve(np.array([1.0, 2, 3, 4]), np.ones(4, bool)).quantile()[0]
        2.0
        """
        target = 1 - share + ROUNDING
        times = []
        for curve in (self.estimate, self.ci_low, self.ci_high):
            places = np.flatnonzero(curve <= target)
            times.append(float(self.time[places[0]]) if len(places) else np.nan)
        return times[0], times[1], times[2]

    def at(self, times: Any) -> Array:
        """Return the curve (m,) at some times (m,); NaN after the last one unless it is 0 there.

        Examples
        --------
        >>> survival_curve(np.array([1.0, 2]), np.array([True, False])).at([0.5, 1, 2, 3]).tolist()
        [1.0, 0.5, 0.5, nan]
        """
        times = np.asarray(times, float)
        values = np.append(1.0, self.estimate)[np.searchsorted(self.time, times, side="right")]
        unknown = (times > self.time[-1]) & (self.estimate[-1] > 0)
        return np.where(unknown, np.nan, values)


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """The mean time without the event within a horizon.

    Attributes
    ----------
    estimate, se : float
        In the unit of the times; NaN where the curve ends before the horizon.
    """

    estimate: float
    se: float


@dataclass(frozen=True, slots=True, eq=False)
class LogRank:
    """A test of the same curve in k groups.

    Attributes
    ----------
    statistic, p_value : float
        Chi-square; NaN where fewer than two groups have an event to be expected.
    df : int
    observed, expected : array (k,)
        Events of each group; those expected if all curves are the same.
    """

    statistic: float
    df: int
    p_value: float
    observed: Array
    expected: Array


@dataclass(frozen=True, slots=True)
class RateRatio:
    """How much more often the event happens to those exposed, at the same time since the start.

    Attributes
    ----------
    estimate : float
        The ratio of the rates; 0 or infinite where one side has no event.
    se_log : float
        Standard error of its logarithm, by clusters; NaN where the estimate is 0 or infinite.
    z, p_value : float
        Score test of a ratio of 1, by clusters.
    p_exact : float
        Of a ratio of 1, where no cluster has more than one event: twice the smaller tail of the
        number of exposed events, a sum of independent ones with chances ``n1_j / (n1_j + n0_j)``.
        It keeps its level with few events, where the score test rejects too often.
    observed, expected : float
        Events of the exposed; those expected with a ratio of 1.
    """

    estimate: float
    se_log: float
    z: float
    p_value: float
    p_exact: float
    observed: float
    expected: float


def kaplan_meier_weights(counts: Array, ended: NDArray[np.bool_]) -> Array:
    """Return the steps of the Kaplan-Meier curve at cases in order of their times.

    ``w_i = S(t_i-) d_i / n_i`` with ``n_i`` cases at risk. It is also ``d_i / (n G(t_i-))``, ``G``
    the curve of the censoring: each ended case stands for those like it that are still open, so
    that the weights serve every quantity that is known once a case has ended, handling as well as
    lead time (of which Kaplan and Meier's curve itself would be wrong, since a case that is worked
    on much is censored at much work).

    Parameters
    ----------
    counts : array (b, n)
        How often each case is there; ended ones before open ones of the same time.
    ended : boolean array (n,)

    Returns
    -------
    array (b, n)
        Sums to 1 less what is left where the longest is open.

    References
    ----------
    Kaplan & Meier (1958). Nonparametric estimation from incomplete observations. JASA 53, 457-481.
    Bang & Tsiatis (2000). Estimating medical costs with censored data. Biometrika 87, 329-343.

    Examples
    --------
    >>> kaplan_meier_weights(np.ones((1, 4)), np.array([True, False, True, True])).round(3).tolist()
    [[0.25, 0.0, 0.375, 0.375]]
    """
    at_risk = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    survival, hazard = _product_limit(np.where(ended, counts, 0), at_risk)
    before = np.concatenate([np.ones((len(counts), 1)), survival[:, :-1]], axis=1)
    return before * hazard


def _product_limit(events: Array, at_risk: Array) -> tuple[Array, Array]:
    """Return the product-limit curve and its hazards along the last axis."""
    hazard: Array = np.zeros(events.shape)
    np.divide(events, at_risk, out=hazard, where=at_risk > 0)
    return np.asarray(np.cumprod(1 - hazard, axis=-1)), hazard


def survival_curve(
    time: Array,
    event: NDArray[np.bool_],
    level: float = 0.95,
    transform: str = "log-log",
    clusters: Codes | None = None,
) -> SurvivalCurve:
    """Return the Kaplan-Meier curve with pointwise intervals.

    ``S(t) = prod_{t_j <= t} (1 - d_j / n_j)``; its variance is Greenwood's,
    ``S^2 sum d_j / (n_j (n_j - d_j))``, or the sum over clusters of the squared sums of the
    influences of their cases (which without clusters is Greenwood's to the digit).

    Parameters
    ----------
    time : array (n,)
        Not negative.
    event : boolean array (n,)
        Whether the case had the event; False where it is censored.
    level : float
        Of each interval, at its time.
    transform : {"log-log", "plain"}
        On which scale the interval is symmetric: that of ``log(-log S)``, whose limits stay
        within 0 and 1 and which keeps its level with few cases, or that of S, cut at 0 and 1.
    clusters : integer array (n,), optional
        From 0: cases of one cluster, such as contracts of one customer, may be alike. Few clusters
        (below about 30) make the intervals too short.

    Raises
    ------
    CxError
        If there is no such transform.

    References
    ----------
    Greenwood (1926). The natural duration of cancer. Reports on public health 33.
    Borgan & Liestol (1990). A note on confidence intervals and bands for the survival function
    based on transformations. Scandinavian Journal of Statistics 17, 35-41.

    Examples
    --------
    >>> curve = survival_curve(np.array([1.0, 2, 2, 3]), np.array([True, True, False, True]))
    >>> curve.estimate.tolist(), curve.n_at_risk.tolist(), curve.se.round(4).tolist()[:2]
    ([0.75, 0.5, 0.0], [4.0, 3.0, 1.0], [0.2165, 0.25])
    """
    if transform not in TRANSFORMS:
        raise CxError(f"transform={transform!r}; allowed: {', '.join(map(repr, TRANSFORMS))}")
    times, place, n_events, at_risk = _counts(time, event)
    estimate, _ = _product_limit(n_events, at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        if clusters is None:
            terms = np.where(at_risk > n_events, n_events / (at_risk * (at_risk - n_events)), 0)
            log_se = np.sqrt(np.cumsum(terms))
        else:
            squares = np.zeros(len(times))
            for steps in _influences(place, event, clusters, n_events, at_risk):
                squares += (np.cumsum(steps, axis=1) ** 2).sum(axis=0)
            log_se = np.sqrt(squares)
        se = np.where(estimate > 0, estimate * log_se, np.nan)
        inside = (estimate > 0) & (estimate < 1)
        s = np.where(inside, estimate, np.nan)
        z = normal_quantile(level)
        if transform == "plain":
            low, high = np.maximum(s - z * se, 0), np.minimum(s + z * se, 1)
        else:
            # log S is negative, so the sign of the error turns.
            low, high = (s ** np.exp(sign * z * log_se / np.log(s)) for sign in (-1, 1))
    ends = np.bincount(place, minlength=len(times)).astype(float)
    return SurvivalCurve(times, at_risk, n_events, ends - n_events, estimate, se, low, high)


def restricted_mean(
    time: Array, event: NDArray[np.bool_], until: float, clusters: Codes | None = None
) -> RestrictedMean:
    """Return the mean time without the event up to a horizon: the area below the curve.

    The variance is ``sum A_j^2 d_j / (n_j (n_j - d_j))`` with ``A_j`` the area from ``t_j`` to the
    horizon, or by clusters as in `survival_curve`.

    Parameters
    ----------
    time, event, clusters
        As in `survival_curve`.
    until : float
        The horizon. Groups are compared at the same one.

    References
    ----------
    Royston & Parmar (2013). Restricted mean survival time. BMC Medical Research Methodology 13:152.

    Examples
    --------
    >>> restricted_mean(np.array([1.0, 2, 3, 4]), np.ones(4, bool), 4).estimate
    2.5
    """
    times, place, n_events, at_risk = _counts(time, event)
    estimate, _ = _product_limit(n_events, at_risk)
    if until > times[-1] and estimate[-1] > 0:
        return RestrictedMean(np.nan, np.nan)
    ends = np.minimum(np.append(times[1:], max(until, times[-1])), until)
    widths = np.maximum(ends - times, 0)
    areas = np.cumsum((estimate * widths)[::-1])[::-1]
    mean = float(min(times[0], until) + areas[0])
    areas = np.where(times <= until, areas, 0)
    if clusters is None:
        left = at_risk - n_events
        terms = np.divide(n_events, at_risk * left, out=np.zeros(len(times)), where=left > 0)
        return RestrictedMean(mean, float(np.sqrt((areas**2 * terms).sum())))
    variance = sum(
        float(((steps @ areas) ** 2).sum())
        for steps in _influences(place, event, clusters, n_events, at_risk)
    )
    return RestrictedMean(mean, float(np.sqrt(variance)))


def logrank_test(
    time: Array,
    event: NDArray[np.bool_],
    groups: Codes,
    strata: Codes | None = None,
    clusters: Codes | None = None,
) -> LogRank:
    """Test whether groups have the same curve.

    ``(O - E)' V^- (O - E)`` with the hypergeometric variance V, added up over strata; with
    clusters V is that of the sums of the cases' scores by cluster. It is most powerful where one
    hazard is a multiple of the other, and can miss curves that cross.

    Parameters
    ----------
    time, event, clusters
        As in `survival_curve`.
    groups : integer array (n,)
        From 0 to k - 1.
    strata : integer array (n,), optional
        Cases are compared within a stratum only.

    References
    ----------
    Mantel (1966). Evaluation of survival data. Cancer Chemotherapy Reports 50, 163-170.
    Lin & Wei (1989). The robust inference for the Cox proportional hazards model. JASA 84,
    1074-1078 (clusters).

    Examples
    --------
    >>> time, groups = np.array([1.0, 2, 3, 4, 5, 6]), np.array([0, 0, 0, 1, 1, 1])
    >>> test = logrank_test(time, np.ones(6, bool), groups)
    >>> round(test.statistic, 4), test.df, test.observed.tolist()
    (5.0517, 1, [3.0, 3.0])
    """
    from scipy.special import chdtrc

    k = int(groups.max()) + 1
    strata = np.zeros(len(time), np.intp) if strata is None else strata
    observed, expected, variance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    scores = np.zeros((len(time), k))
    for stratum in np.unique(strata):
        rows = strata == stratum
        sums = _logrank_sums(time[rows], event[rows], groups[rows], k)
        observed += sums[0]
        expected += sums[1]
        variance += sums[2]
        scores[rows] = sums[3]
    if clusters is not None:
        by_cluster = np.zeros((int(clusters.max()) + 1, k))
        np.add.at(by_cluster, clusters, scores)
        variance = by_cluster.T @ by_cluster
    compared = np.flatnonzero(expected > 0)
    df = max(len(compared) - 1, 0)
    if not df:
        return LogRank(np.nan, 0, np.nan, observed, expected)
    tested = compared[:-1]  # the differences of all groups add up to 0
    difference = (observed - expected)[tested]
    inverse = np.linalg.pinv(variance[np.ix_(tested, tested)], hermitian=True)
    statistic = float(difference @ inverse @ difference)
    return LogRank(statistic, df, float(chdtrc(df, statistic)), observed, expected)


def rate_ratio(
    start: Array,
    stop: Array,
    event: NDArray[np.bool_],
    exposed: NDArray[np.bool_],
    clusters: Codes,
) -> RateRatio:
    """Return the ratio of rates of an exposure that comes and goes: Cox's regression on it alone.

    ``sum_j (e_j - p_j) = 0`` over events, with ``e_j`` whether the case is exposed, and
    ``p_j = r n1_j / (r n1_j + n0_j)`` of ``n1_j`` exposed and ``n0_j`` others at risk at the time.

    Parameters
    ----------
    start, stop : arrays (n,)
        Spells, open at the start and closed at the stop.
    event : boolean array (n,)
        Whether the spell ends with the event.
    exposed : boolean array (n,)
        Whether it is one of exposure.
    clusters : integer array (n,)
        Whose spell it is; from 0.

    References
    ----------
    Cox (1972). Regression models and life-tables. JRSS B 34, 187-220 (ties as Breslow has them).
    Lin & Wei (1989). The robust inference for the Cox proportional hazards model. JASA 84,
    1074-1078.

    Examples
    --------
    >>> ratio = rate_ratio(np.zeros(4), np.array([1.0, 2, 3, 4]), np.ones(4, bool),
    ...                    np.array([True, False, True, False]), np.arange(4))
    >>> round(ratio.estimate, 3), ratio.observed, round(ratio.expected, 3)
    (2.562, 2.0, 1.333)
    """
    from scipy.special import ndtr

    times, d = np.unique(stop[event], return_counts=True)

    def at_risk(rows: NDArray[np.bool_]) -> Array:
        begun = np.searchsorted(np.sort(start[rows]), times, side="left")
        ended = np.searchsorted(np.sort(stop[rows]), times, side="left")
        return np.asarray(begun - ended, float)

    n1, n0 = at_risk(exposed), at_risk(~exposed)
    observed = float((event & exposed).sum())
    expected = float((d * n1 / (n1 + n0)).sum()) if len(times) else 0.0

    def scores(ratio: float) -> tuple[Array, float]:
        """Return the scores of the clusters, and the information, at a ratio."""
        risk = ratio * n1 + n0
        p = ratio * n1 / risk
        at_event = np.where(
            event, exposed - p[np.searchsorted(times, stop).clip(max=len(p) - 1)], 0
        )
        sums = [np.append(0.0, np.cumsum(d * weight / risk * (e - p)))
                for e, weight in ((0, 1.0), (1, ratio))]  # fmt: skip
        ends = [np.searchsorted(times, edge, side="right") for edge in (start, stop)]
        drift = np.where(exposed, sums[1][ends[1]] - sums[1][ends[0]],
                         sums[0][ends[1]] - sums[0][ends[0]])  # fmt: skip
        return np.bincount(clusters, at_event - drift).astype(float), float((d * p * (1 - p)).sum())

    if not 0 < expected < d.sum() or not (n1 * n0).any():
        return RateRatio(np.nan, np.nan, np.nan, np.nan, np.nan, observed, expected)
    u, _ = scores(1.0)
    z = float(u.sum() / np.sqrt((u**2).sum())) if u.any() else 0.0
    p_value = 2 * float(ndtr(-abs(z)))
    p_exact = _exact_p(np.repeat(n1 / (n1 + n0), d), int(observed))
    forced = float(d[n0 == 0].sum())  # events at which all at risk are exposed
    if observed <= forced or observed >= forced + d[(n0 > 0) & (n1 > 0)].sum():
        edge = 0.0 if observed <= forced else np.inf
        return RateRatio(edge, np.nan, z, p_value, p_exact, observed, expected)
    low, high = -30.0, 30.0  # the score falls with the logarithm of the ratio
    for _ in range(80):
        middle = (low + high) / 2
        r = np.exp(middle)
        if observed > (d * r * n1 / (r * n1 + n0)).sum():
            low = middle
        else:
            high = middle
    ratio = float(np.exp((low + high) / 2))
    u, information = scores(ratio)
    se = float(np.sqrt((u**2).sum()) / information)
    return RateRatio(ratio, se, z, p_value, p_exact, observed, expected)


def _exact_p(chances: Array, observed: int) -> float:
    """Return twice the smaller tail of a count of independent events, both with the count itself.

    Examples
    --------
    >>> round(_exact_p(np.full(10, 0.5), 2), 6)  # of the binomial distribution: 2 * 56 / 1024
    0.109375
    """
    law = np.ones(1)
    for chance in chances:
        law = np.append(law * (1 - chance), 0.0) + np.append(0.0, law * chance)
    return float(min(1.0, 2 * min(law[: observed + 1].sum(), law[observed:].sum())))


def _logrank_sums(
    time: Array, event: NDArray[np.bool_], groups: Codes, k: int
) -> tuple[Array, Array, Array, Array]:
    """Return observed, expected (k,), variance (k, k) and the scores of cases (n, k)."""
    times, place, n_events, at_risk = _counts(time, event)
    leaving = np.zeros((len(times), k))
    np.add.at(leaving, (place, groups), 1)
    shares = np.cumsum(leaving[::-1], axis=0)[::-1] / at_risk[:, None]
    observed = np.bincount(groups[event], minlength=k).astype(float)
    expected = n_events @ shares
    spread = n_events * (at_risk - n_events) / np.maximum(at_risk - 1, 1)
    variance = np.diag(spread @ shares) - (shares * spread[:, None]).T @ shares
    hazard = n_events / at_risk
    member = np.eye(k)[groups]
    cumulated = np.cumsum(hazard)[place, None], np.cumsum(hazard[:, None] * shares, axis=0)[place]
    scores = event[:, None] * (member - shares[place]) - (member * cumulated[0] - cumulated[1])
    return observed, expected, variance, scores


def _counts(time: Array, event: NDArray[np.bool_]) -> tuple[Array, Codes, Array, Array]:
    """Return distinct times (k,), the place of each case (n,), events and cases at risk (k,)."""
    times, place = np.unique(time, return_inverse=True)
    n_events = np.bincount(place[event], minlength=len(times)).astype(float)
    leaving = np.bincount(place, minlength=len(times)).astype(float)
    return times, place, n_events, np.cumsum(leaving[::-1])[::-1]


def _influences(
    place: Codes, event: NDArray[np.bool_], clusters: Codes, n_events: Array, n: Array
) -> Iterator[Array]:
    """Yield influences of clusters on each step of log S, some clusters (G, k) at a time.

    ``-(dN_g - Y_g d / n) / (n - d)``; 0 where the curve falls to 0, whose logarithm has no error.
    """
    left = n - n_events
    factor = np.divide(-1.0, left, out=np.zeros(len(n)), where=left > 0)
    chunk = max(1, min(CELLS // len(n), int(clusters.max()) + 1))
    order = np.argsort(clusters, kind="stable")
    for start in range(0, int(clusters.max()) + 1, chunk):
        first, last = np.searchsorted(clusters[order], (start, start + chunk))
        rows = order[first:last]
        index = (clusters[rows] - start, place[rows])
        events, leaving = np.zeros((2, chunk, len(n)))
        np.add.at(events, index, event[rows])
        np.add.at(leaving, index, 1)
        at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
        yield (events - at_risk * (n_events / n)) * factor
