"""From counts of M, O, A, I, R, Q to categories, coefficients and their uncertainty.

Every function takes counts ``(..., 6)`` in the order of `CATEGORIES`, so that a published table,
one sample and a batch of resamples are the same call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.priorities.kano.evaluation import CATEGORIES
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.hypothesis_tests import adjust
from cxstats.stats.intervals import wilson_interval

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Whole = NDArray[np.int64]

M, O, A, I, R, Q = range(6)  # noqa: E741  (the field's letters)
RULES = ("hierarchy", "count", "sums")
INTERVALS = ("wilson", "bootstrap")
# Shares that differ by less are taken as equal: the margin stated with the published rows.
CLOSE = 0.05
# Mixed, after Lee & Newcomb (1997): category strength up to 6 points, total strength from 60 %.
MIXED_STRENGTH, MIXED_TOTAL = 0.06, 0.60
FONG = 1.65
EPS = 1e-9


def categories(counts: Array, rule: str = "hierarchy", close: float = CLOSE) -> Whole:
    """Return the category of features, as places in `CATEGORIES`.

    Parameters
    ----------
    counts : array (..., 6)
        Counts of M, O, A, I, R, Q.
    rule : {"hierarchy", "count", "sums"}
        "count": the largest count. "hierarchy": the first in M>O>A>I (then R, Q) among those
        whose share is within `close` of the largest. "sums": if O + A + M > I + R + Q, the largest
        of O, A, M, else of I, R, Q. Equal counts are settled by M>O>A>I>R>Q in all three.
    close : float
        Largest difference of shares that counts as none, for "hierarchy".

    Returns
    -------
    array (...)
        -1 where nobody answered.

    Notes
    -----
    Matzler et al. state the order for categories that come out equal and leave open how close is
    equal. "sums" is Berger et al.'s. The two differ: in the example below "sums" gives A.

    References
    ----------
    Berger et al. (1993). Center for Quality Management Journal 2(4), 3-36.
    Matzler, Hinterhuber, Bailom & Sauerwein (1996). How to delight your customers. Journal of
    Product & Brand Management 5(2), 6-18.

    Examples
    --------
    >>> import numpy as np
    >>> loan = np.array([65, 87, 93, 51, 0, 0])
    >>> [CATEGORIES[categories(loan, rule)] for rule in RULES]
    ['O', 'A', 'A']
    """
    if rule not in RULES:
        raise CxError(f"rule is {rule!r}; allowed: {', '.join(map(repr, RULES))}")
    counts = np.asarray(counts, float)
    if rule == "sums":
        wanted = counts[..., [M, O, A]].sum(-1) > counts[..., [I, R, Q]].sum(-1)
        side = np.array([True, True, True, False, False, False])
        counts = np.where(side == wanted[..., None], counts, -1)
    margin = close * counts.sum(-1, keepdims=True) if rule == "hierarchy" else 0.0
    # argmax finds the first, and the order of the categories is that of the hierarchy.
    first = np.argmax(counts >= counts.max(-1, keepdims=True) - margin - EPS, axis=-1)
    return np.where(counts.max(-1) > 0, first, -1)


def better(counts: Array) -> Array:
    """Return CS+ (better), ``(A + O) / (A + O + M + I)``; NaN where that is 0 / 0.

    References
    ----------
    Berger et al. (1993). Center for Quality Management Journal 2(4), 3-36 (Timko's coefficients).
    """
    return _ratio(counts[..., [A, O]].sum(-1), counts[..., :4].sum(-1))


def worse(counts: Array) -> Array:
    """Return CS- (worse), ``-(O + M) / (A + O + M + I)``, from -1 to 0."""
    return 0 - _ratio(counts[..., [O, M]].sum(-1), counts[..., :4].sum(-1))


def leading(counts: Array) -> tuple[Whole, Whole]:
    """Return the largest and second largest of M, O, A, I, R; equal ones in this order."""
    order = np.argsort(-np.asarray(counts)[..., :5], axis=-1, kind="stable")
    return order[..., 0], order[..., 1]


def fong_critical(counts: Array) -> Array:
    """Return the critical difference of Fong's test of the two leading categories.

    ``1.65 sqrt((a + b) (2 n - a - b) / (2 n))``, a and b the two largest counts without Q, n all
    answers; the leading category stands out if ``a - b`` is not below it.

    Notes
    -----
    1.65 is meant as a two-sided test at 10 %. The formula takes a and b as independent, though one
    grows at the cost of the other: the variance of ``a - b`` is ``a + b`` when their chances are
    equal, so the critical value is too small by the factor ``sqrt(1 - (a + b) / (2 n))``. Of
    samples of 300 with two categories at 40 % each, it found 21 % significant. It is given as
    published; `leading_p` keeps its level.

    References
    ----------
    Fong (1996). Using the self-stated importance questionnaire to interpret Kano questionnaire
    results. Center for Quality Management Journal 5, 21-24.

    Examples
    --------
    >>> import numpy as np
    >>> fong_critical(np.array([95, 123, 45, 33, 0, 0])).round(1).item()
    19.4
    """
    counts = np.asarray(counts, float)
    n = counts.sum(-1)
    pair = np.sort(counts[..., :5], axis=-1)[..., -2:].sum(-1)
    return np.asarray(FONG * np.sqrt(_ratio(pair * (2 * n - pair), 2 * n)))


def leading_p(counts: Array) -> Array:
    """Return the exact p value that the two leading categories (without Q) are equally likely.

    Given ``a + b``, a is binomial with chance 1/2 (a sign test), two-sided. That the pair was
    picked because it leads needs no correction: where a third category is close behind, the gap of
    the leading two is smaller still, and the test is cautious. At 5 %, samples of 300 with two
    categories at 40 % each gave 4.2 %, with four at 25 % each 0.4 %.

    Examples
    --------
    >>> import numpy as np
    >>> leading_p(np.array([5, 9, 1, 0, 0, 3])).round(4).item()  # binom.test(9, 14) in R
    0.424
    """
    from scipy.stats import binom

    b, a = np.moveaxis(np.sort(np.asarray(counts, float)[..., :5], axis=-1)[..., -2:], -1, 0)
    p = np.minimum(1, 2 * binom.cdf(b, a + b, 0.5))
    return np.where(a + b > 0, p, np.nan)


def resampled(counts: Array, n_resamples: int, seed: int) -> Array:
    """Return counts of bootstrap resamples (B, k, 6) of k features.

    Respondents drawn with replacement give multinomial counts, so nothing else of them is needed:
    raw answers and published counts have the same resamples, whatever the order of the rows.
    """
    n = counts.sum(-1)
    drawn = np.zeros((n_resamples, *counts.shape))
    for j in np.flatnonzero(n):
        generator = np.random.default_rng([seed, int(j)])
        drawn[:, j] = generator.multinomial(int(n[j]), counts[j] / n[j], n_resamples)
    return drawn


def feature_table(
    names: list[str],
    counts: Array,
    *,
    rule: str,
    close: float,
    interval: str,
    level: float,
    n_resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return one row per feature; see `Kano.table`."""
    import pandas as pd

    n, base = counts.sum(-1), counts[:, :4].sum(-1)
    draws = resampled(counts, n_resamples, seed)
    draws[:, n < 2] = np.nan  # whoever is alone is in every resample: that says nothing
    first, second = leading(counts)
    rows = np.arange(len(names))
    decided = categories(counts, rule, close)
    columns: dict[str, Any] = {"n": n.astype(int)}
    columns |= {letter: counts[:, i].astype(int) for i, letter in enumerate(CATEGORIES)}
    columns |= {"category": _letters(decided)}
    columns |= {f"by_{name}": _letters(categories(counts, name, close)) for name in RULES}
    same = categories(draws, rule, close) == decided
    columns["certainty"] = np.where(n > 1, same.mean(0), np.nan)
    coefficients = {"better": ([A, O], base, 1), "worse": ([O, M], base, -1)}
    coefficients["total_strength"] = ([M, O, A], n, 1)
    for name, (letters, total, sign) in coefficients.items():
        p = _ratio(counts[:, letters].sum(-1), total)
        limits = sorted_limits(wilson_interval(p, total, level), sign)
        if interval == "bootstrap":
            of = draws[..., :4].sum(-1) if name != "total_strength" else draws.sum(-1)
            low, high = percentile_limits(_ratio(draws[..., letters].sum(-1), of), level)
            limits = sorted_limits((low, high), sign)
        columns |= {name: 0 + sign * p, f"{name}_ci_low": limits[0], f"{name}_ci_high": limits[1]}
        columns[f"{name}_se"] = np.sqrt(_ratio(p * (1 - p), total))
    difference = counts[rows, first] - counts[rows, second]
    spread = _ratio(draws[:, rows, first] - draws[:, rows, second], draws.sum(-1))
    low, high = percentile_limits(spread, level)
    strength = _ratio(difference, n)
    columns |= {"category_strength": strength, "category_strength_ci_low": low}
    columns |= {"category_strength_ci_high": high}
    critical = fong_critical(counts)
    columns |= {"fong_difference": difference, "fong_critical": critical}
    columns["fong_significant"] = (difference >= critical) & (n > 0)
    p = leading_p(counts)
    columns |= {"p_value": p, "p_adjusted": adjust(p)}
    total = columns["total_strength"]
    columns["mixed"] = (strength <= MIXED_STRENGTH + EPS) & (total >= MIXED_TOTAL - EPS)
    return pd.DataFrame(columns, index=pd.Index(names, name="feature"))


def share_table(names: list[str], counts: Array, level: float) -> pd.DataFrame:
    """Return one row per feature and category: share with Wilson interval."""
    import pandas as pd

    n = np.repeat(counts.sum(-1), 6)
    k = counts.ravel()
    share = _ratio(k, n)
    low, high = wilson_interval(share, n, level)
    columns: dict[str, Any] = {"feature": np.repeat(np.array(names, object), 6)}
    columns |= {"category": list(CATEGORIES) * len(names), "count": k.astype(int)}
    columns |= {"estimate": share, "ci_low": low, "ci_high": high}
    columns |= {"se": np.sqrt(_ratio(share * (1 - share), n)), "n": n.astype(int)}
    return pd.DataFrame(columns)


def sorted_limits(limits: tuple[Array, Array], sign: int) -> tuple[Array, Array]:
    """Return limits of the estimate, or of its negative."""
    return limits if sign > 0 else (0 - limits[1], 0 - limits[0])  # never a negative zero


def _letters(places: Whole) -> list[str | None]:
    return [CATEGORIES[place] if place >= 0 else None for place in places]


def _ratio(above: Any, below: Any) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.true_divide(above, below), float)
