"""The share of positive texts, with an interval that carries the errors of the classifier.

Three estimates, by what is known of these errors:

- from labels of the client's own texts (`prediction_powered_share`): right whatever the classifier
  does, as long as the labelled texts were drawn at random;
- from error rates of texts of the same kind (`corrected_share`): right where they hold;
- from error rates of other kinds of texts (`transported_share`): three kinds stand for all others,
  so the interval is wide.

References
----------
Angelopoulos, Bates, Fannjiang, Jordan & Zrnic (2023). Prediction-powered inference. Science 382,
669-674.
Angelopoulos, Duchi & Zrnic (2023). PPI++: efficient prediction-powered inference. arXiv
2311.01453.
Rogan & Gladen (1978). Estimating prevalence from the results of a screening test. American Journal
of Epidemiology 107(1), 71-76.
Higgins, Thompson & Spiegelhalter (2009). A re-evaluation of random-effects meta-analysis. JRSS A
172(1), 137-159: the prediction interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.stats.intervals import normal_quantile, wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST_YOUDEN = 0.05  # sensitivity less false positives, below which calls tell nothing


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How often a classifier calls texts positive.

    Attributes
    ----------
    sensitivity : float
        Share of positive texts that it calls positive.
    n_positive : float
        Texts behind it.
    false_positive_rate : float
        Share of negative texts that it calls positive.
    n_negative : float
    """

    sensitivity: float
    n_positive: float
    false_positive_rate: float
    n_negative: float


@dataclass(frozen=True, slots=True)
class ShareEstimate:
    """A share with its interval; NaN where there is none.

    Attributes
    ----------
    estimate, se, low, high : float
    """

    estimate: float
    se: float
    low: float
    high: float


NO_ESTIMATE = ShareEstimate(*[float("nan")] * 4)


def prediction_powered_share(
    labels: Array, labelled: Array, unlabelled: Array, level: float = 0.95
) -> ShareEstimate:
    """Return the share of positive texts from some labels and the predictions of all texts.

    ``mean(y) + lambda (mean(f of unlabelled) - mean(f of labelled))`` with the lambda of least
    variance (PPI++), ``cov(y, f) / (var(f) (1 + n/N))``, kept within 0 and 1. Useless predictions
    get lambda 0, and the share is that of the labels alone. The interval is Wilson's at the
    effective size ``p (1 - p) / se^2``.

    Parameters
    ----------
    labels : array (n,)
        1 positive, 0 negative, of texts drawn at random.
    labelled : array (n,)
        Predictions of these texts, 0 to 1: of any classifier that did not see these labels.
    unlabelled : array (N,)
        Predictions of the other texts; may be empty.
    level : float

    Examples
    --------
    >>> y = np.array([1.0] * 60 + [0.0] * 40)
    >>> share = prediction_powered_share(y, y, np.array([1.0] * 500 + [0.0] * 500))
    >>> round(share.estimate, 3), round(share.low, 3), round(share.high, 3)
    (0.513, 0.483, 0.542)
    """
    n, others = len(labels), len(unlabelled)
    if n < 2:
        return NO_ESTIMATE
    power = _power(labels, labelled, unlabelled)
    # Two degrees of freedom go to the mean and to lambda.
    residual = np.var(labels - power * labelled) * n / max(n - 2, 1)
    variance = residual / n
    estimate = labels.mean()
    if power > 0:
        estimate += power * (unlabelled.mean() - labelled.mean())
        variance += power**2 * np.var(unlabelled) / others
    return _wilson_of(float(np.clip(estimate, 0, 1)), float(np.sqrt(variance)), n, level)


def _power(labels: Array, labelled: Array, unlabelled: Array) -> float:
    """Return lambda."""
    n, others = len(labels), len(unlabelled)
    variance = np.var(np.concatenate([labelled, unlabelled]))
    if not others or variance <= 0:
        return 0.0
    covariance = np.mean((labels - labels.mean()) * (labelled - labelled.mean()))
    return float(np.clip(covariance / (variance * (1 + n / others)), 0, 1))


def _wilson_of(share: float, se: float, n: float, level: float) -> ShareEstimate:
    """Return Wilson's interval of a share at the size that its standard error stands for."""
    variance = share * (1 - share)
    size = variance / se**2 if se > 0 and variance > 0 else n
    low, high = wilson_interval(share, size, level)
    return ShareEstimate(share, se, float(low), float(high))


def corrected_share(
    classified: float, n: int, rates: ErrorRates, level: float = 0.95
) -> ShareEstimate:
    """Return the share of positive texts behind the share that is called positive.

    ``(q - false positives) / (sensitivity - false positives)``, cut to 0 and 1; its standard error
    carries the sampling of the texts and of both rates (delta method).

    Parameters
    ----------
    classified : float
        Share of texts called positive, q.
    n : int
        Texts.
    rates : ErrorRates
        Of texts of the same kind.
    level : float

    Examples
    --------
    >>> rates = ErrorRates(0.9, 1000, 0.2, 1000)
    >>> share = corrected_share(0.55, 2000, rates)
    >>> round(share.estimate, 3), round(share.low, 3), round(share.high, 3)
    (0.5, 0.462, 0.538)
    """
    a, b = rates.sensitivity, rates.false_positive_rate
    youden = a - b
    if not n > 0 or not youden > LEAST_YOUDEN:
        return NO_ESTIMATE
    share = float(np.clip((classified - b) / youden, 0, 1))
    variance = (
        _smooth_variance(classified, n)
        + share**2 * _smooth_variance(a, rates.n_positive)
        + (1 - share) ** 2 * _smooth_variance(b, rates.n_negative)
    )
    se = float(np.sqrt(variance)) / youden
    reach = normal_quantile(level) * se
    return ShareEstimate(share, se, max(share - reach, 0.0), min(share + reach, 1.0))


def transported_share(
    classified: float, n: int, rates: Sequence[ErrorRates], level: float = 0.95
) -> ShareEstimate:
    """Return the share of positive texts of a kind that none of the error rates are of.

    The shares that each kind's rates give are taken for a sample of kinds; the interval is that of
    a prediction for one more: ``mean -+ t (k - 1) sqrt(s^2 (1 + 1/k) + v)``, cut to 0 and 1, with v
    from the sampling of the texts. With k = 3 kinds, t is 4.3.

    Parameters
    ----------
    classified : float
        Share of texts called positive.
    n : int
        Texts.
    rates : sequence of ErrorRates (k,)
        Each of a kind of texts that the classifier was not trained on.
    level : float

    Examples
    --------
    >>> rates = [ErrorRates(a, 900, b, 900) for a, b in ((0.8, 0.2), (0.7, 0.3), (0.75, 0.2))]
    >>> share = transported_share(0.5, 1000, rates)
    >>> round(share.estimate, 2), round(share.low, 2), round(share.high, 2)
    (0.52, 0.33, 0.7)
    """
    from scipy.special import stdtrit

    shares = [corrected_share(classified, n, rate, level) for rate in rates]
    estimates = np.array([share.estimate for share in shares])
    k = len(shares)
    if k < 2 or not np.isfinite(estimates).all():
        return NO_ESTIMATE
    youden = np.array([rate.sensitivity - rate.false_positive_rate for rate in rates])
    sampling = _smooth_variance(classified, n) * np.mean(1 / youden**2)
    se = float(np.sqrt(np.var(estimates, ddof=1) * (1 + 1 / k) + sampling))
    reach = float(stdtrit(k - 1, (1 + level) / 2)) * se
    mean = float(estimates.mean())
    return ShareEstimate(mean, se, max(mean - reach, 0.0), min(mean + reach, 1.0))


def _smooth_variance(share: float, n: float) -> float:
    """Return the variance of a share, one success and one failure added so that it is not 0."""
    smooth = (share * n + 1) / (n + 2)
    return smooth * (1 - smooth) / n
