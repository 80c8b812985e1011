"""How well probabilities of two classes agree with labels, each measure with its interval.

- accuracy: share of texts on the right side of .5; Wilson's interval.
- F1: ``2 TP / (2 TP + FP + FN)`` of the positive class; linearised as a ratio of means.
- AUC: probability that a positive text has the higher one, ties half; DeLong's variance.
- Brier score: mean of ``(p - y)^2``.
- ECE: expected calibration error, the mean over `BINS` bins of equal size of
  ``|mean p - mean y|``. It is biased upwards in small samples and has no interval here.

Errors of texts of one group (copies, one author) count together.

References
----------
DeLong, DeLong & Clarke-Pearson (1988). Comparing the areas under two or more correlated receiver
operating characteristic curves. Biometrics 44, 837-845.
Guo, Pleiss, Sun & Weinberger (2017). On calibration of modern neural networks. ICML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.stats.intervals import normal_quantile, wilson_interval

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

BINS = 15


def classification_metrics(
    labels: ArrayLike,
    probabilities: ArrayLike,
    groups: NDArray[np.int64] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return accuracy, F1, AUC, Brier score and calibration error.

    Parameters
    ----------
    labels : array (n,)
        1 positive, 0 negative; both must be there.
    probabilities : array (n,)
        Of positive.
    groups : array (n,), optional
        Whole numbers from 0.
    level : float

    Returns
    -------
    pandas.DataFrame (5, 4)
        ``metric, estimate, ci_low, ci_high``.

    Examples
    --------
    >>> y, p = np.array([1.0, 1, 0, 0, 1, 0]), np.array([0.9, 0.6, 0.3, 0.7, 0.8, 0.1])
    >>> classification_metrics(y, p).set_index("metric")["estimate"].round(3).to_dict()
    {'accuracy': 0.833, 'f1': 0.857, 'auc': 0.889, 'brier': 0.133, 'ece': 0.3}
    """
    import pandas as pd

    y, p = np.asarray(labels, float), np.asarray(probabilities, float)
    accuracy, right = _accuracy(y, p)
    f1, of_f1 = _f1(y, p)
    auc, of_auc = _auc(y, p)
    loss = (p - y) ** 2
    z = normal_quantile(level)
    rows = [("accuracy", accuracy, *_wilson(accuracy, _error(right, groups), len(y), level))]
    measures = (("f1", f1, of_f1), ("auc", auc, of_auc), ("brier", loss.mean(), loss - loss.mean()))
    for name, value, influence in measures:
        reach = z * _error(influence, groups)
        rows.append((name, value, max(value - reach, 0), min(value + reach, 1)))
    rows.append(("ece", calibration_error(y, p), np.nan, np.nan))
    return pd.DataFrame(rows, columns=["metric", "estimate", "ci_low", "ci_high"])


def calibration_error(labels: Array, probabilities: Array, bins: int = BINS) -> float:
    """Return the expected calibration error over bins of equal size."""
    order = np.argsort(probabilities, kind="stable")
    gaps = (np.asarray(probabilities, float) - labels)[order]
    parts = np.array_split(gaps, min(bins, len(gaps)))
    return float(sum(abs(part.sum()) for part in parts) / len(gaps))


def _accuracy(y: Array, p: Array) -> tuple[float, Array]:
    right = ((p >= 0.5) == (y == 1)).astype(float)
    return float(right.mean()), right - right.mean()


def _f1(y: Array, p: Array) -> tuple[float, Array]:
    called = p >= 0.5
    hits, total = 2.0 * (called & (y == 1)), called + y
    f1 = float(hits.sum() / max(total.sum(), 1))
    return f1, (hits - f1 * total) / max(float(total.mean()), 1e-12)


def _auc(y: Array, p: Array) -> tuple[float, Array]:
    """Return the AUC and the influence of each text."""
    from scipy.stats import rankdata

    n, positive = len(y), y == 1
    n1 = int(positive.sum())
    among_all, placed = rankdata(p), np.empty(n)
    for side, others in ((positive, n - n1), (~positive, n1)):
        placed[side] = (among_all[side] - rankdata(p[side])) / max(others, 1)
    placed[~positive] = 1 - placed[~positive]  # negatives: share of positives above
    auc = float(placed[positive].mean())
    weight = np.where(positive, n / max(n1, 1), n / max(n - n1, 1))
    return auc, (placed - auc) * weight


def _error(influence: Array, groups: NDArray[np.int64] | None) -> float:
    """Return the standard error of a mean from the influences of texts or of their groups."""
    n = len(influence)
    sums = influence if groups is None else np.bincount(groups, influence)
    return float(np.sqrt(np.sum(sums**2))) / n


def _wilson(share: float, se: float, n: int, level: float) -> tuple[float, float]:
    size = share * (1 - share) / se**2 if se > 0 else n
    low, high = wilson_interval(share, size, level)
    return float(low), float(high)
