"""Two proportions, the Bayesian view: beta posteriors, and what follows from them by quadrature.

References
----------
Gelman et al. (2013). Bayesian data analysis, 3rd ed., section 2.4.
Takahasi & Mori (1974). Double exponential formulas for numerical integration. Publications of RIMS
9, 721-741.
Stucchio (2015). Bayesian A/B testing at VWO, on expected loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label
from cxstats.core.result import Chart, Result
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Beta = tuple[float, float]
STEP, REACH = 1 / 32, 3.4  # of the double exponential rule: 2e-16 of the interval left out


@cache
def _rule() -> tuple[Array, Array, Array]:
    """Return nodes u, 1 - u and weights of the double exponential rule on 0 to 1."""
    t = np.arange(-REACH, REACH + STEP / 2, STEP)
    s = np.pi / 2 * np.sinh(t)
    u, v = 1 / (1 + np.exp(-2 * s)), 1 / (1 + np.exp(2 * s))
    weights = STEP * np.pi * np.cosh(t) * u * v
    return u, v, weights / weights.sum()


def _quantiles(beta: Beta, low: float, high: float) -> tuple[Array, Array, float, float]:
    """Return x of a beta distribution at nodes between low and high.

    Also the weights of the nodes, and the probability below low and above high.
    """
    from scipy.special import betainc, betaincc, betainccinv, betaincinv

    before, after = float(betainc(*beta, low)), float(betaincc(*beta, high))
    u, v, weights = _rule()
    inside = max(1 - before - after, 0.0)
    u, v = before + inside * u, after + inside * v
    x = np.where(
        u <= v, betaincinv(*beta, np.minimum(u, 0.5)), betainccinv(*beta, np.minimum(v, 0.5))
    )
    return x, inside * weights, before, after


def _variance(beta: Beta) -> float:
    a, b = beta
    return a * b / ((a + b) ** 2 * (a + b + 1))


def below(first: Beta, second: Beta, shift: float = 0.0) -> float:
    """Return ``P(first - second <= shift)`` of two independent beta variables.

    ``integral of F1(Q2(u) + shift) du`` over 0 to 1, with F the distribution function and Q the
    quantiles of the narrower of both, over which the integrand is smooth.

    Parameters
    ----------
    first, second : (a, b), each above 0
    shift : float

    Examples
    --------
    >>> round(below((1, 1), (1, 1), 0.5), 12)
    0.875
    """
    from scipy.special import betainc, betaincc

    # Where one variable cannot reach the other's range, the integrand is 0 or 1: cut off there.
    if _variance(second) <= _variance(first):
        x, weights, _, after = _quantiles(second, max(0.0, -shift), min(1.0, 1 - shift))
        return float(weights @ betainc(*first, np.clip(x + shift, 0, 1))) + after
    x, weights, before, _ = _quantiles(first, max(0.0, shift), min(1.0, 1 + shift))
    return float(weights @ betaincc(*second, np.clip(x - shift, 0, 1))) + before


def expected_gain(first: Beta, second: Beta) -> float:
    """Return ``E max(first - second, 0)``.

    ``m1 P(X1' > X2) - m2 P(X1 > X2')``, with m the means and X' of one more success.

    Examples
    --------
    >>> round(expected_gain((1, 1), (1, 1)), 12)
    0.166666666667
    """
    (a, b), (c, d) = first, second
    gain = a / (a + b) * below(second, (a + 1, b)) - c / (c + d) * below((c + 1, d), first)
    return max(gain, 0.0)


def credible_interval(first: Beta, second: Beta, level: float) -> tuple[float, float]:
    """Return the equal-tailed interval of ``first - second``."""
    from scipy.optimize import brentq

    tails = (1 - level) / 2, (1 + level) / 2
    low, high = (
        float(brentq(lambda d, p=p: below(first, second, d) - p, -1, 1, xtol=1e-13)) for p in tails
    )
    return low, high


@dataclass(frozen=True, eq=False, repr=False)
class BayesianAb(Result):
    """The posterior of two proportions.

    Attributes
    ----------
    table : pandas.DataFrame
        One row: ``estimate`` (posterior mean of treatment less control), ``se`` (posterior standard
        deviation), ``ci_low, ci_high`` (equal-tailed credible interval), ``probability``
        (treatment above control), ``loss_treatment, loss_control`` (expected loss of choosing
        each, in shares), ``n, n_control``.
    control, treatment : pair of float
        The beta posteriors.
    prior : pair of float
    level : float
    notes : tuple of Text
        How to read the probability.
    """

    table: pd.DataFrame
    control: Beta
    treatment: Beta
    prior: Beta
    level: float
    notes: tuple[Text, ...]

    kinds: ClassVar = ("difference",)
    reference: ClassVar = (
        "Gelman et al. (2013). Bayesian data analysis, 3rd ed. Chapman & Hall/CRC.\n"
        "Stucchio (2015). Bayesian A/B testing at VWO."
    )

    @property
    def probability(self) -> float:
        """Probability that the treatment's proportion is above the control's."""
        return float(self.table["probability"].iloc[0])

    @property
    def n(self) -> int:
        """Trials of both groups."""
        return int(self.table["n"].iloc[0] + self.table["n_control"].iloc[0])

    def findings(self, lang: str) -> list[str]:
        """Return probability, interval and expected losses, in percentage points."""
        row: Any = self.table.iloc[0]
        return [
            label(
                "experiment.bayes",
                lang,
                probability=format_percent(100 * row.probability, 1, lang),
                difference=format_number(100 * row.estimate, 2, sign=True),
                interval=interval_text(100 * row.ci_low, 100 * row.ci_high),
                level=format_percent(100 * self.level, None, lang),
                treatment=format_number(100 * row.loss_treatment, 3),
                control=format_number(100 * row.loss_control, 3),
                a=format_number(self.prior[0]),
                b=format_number(self.prior[1]),
            )
        ]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the difference on its credible interval, in percentage points."""
        row: Any = self.table.iloc[0]
        probability = format_percent(100 * row.probability, 1, lang)
        keywords = {
            "source": label("metric.source", lang, n=format_number(self.n)),
            "axis": label("experiment.bayes.axis", lang),
            "level": self.level,
            "title": label("experiment.bayes.title", lang, probability=probability),
        }
        difference = [[100 * row[name]] for name in ("estimate", "ci_low", "ci_high")]
        names = [label("experiment.bayes.name", lang)]
        return Chart("intervals", (names, *difference), keywords)


def bayesian_ab(
    *,
    control: Sequence[int],
    treatment: Sequence[int],
    prior: Sequence[float] = (1.0, 1.0),
    level: float = 0.95,
) -> BayesianAb:
    """Compare two proportions by their posteriors, ``Beta(a + events, b + n - events)``.

    Everything is exact up to quadrature (about 1e-13); nothing is simulated. The expected loss of
    choosing the treatment is ``E max(control - treatment, 0)``: what is given up, on average, if
    the choice is wrong.

    Parameters
    ----------
    control, treatment : (events, n)
    prior : (a, b)
        Beta prior of both proportions, independent; uniform without it. A prior with
        ``a / (a + b)`` at the usual rate and ``a + b`` at the visitors it is worth pulls small
        experiments towards no difference; the uniform does not.
    level : float
        Of the credible interval.

    Returns
    -------
    BayesianAb

    Raises
    ------
    DataError
        If a count is negative or no whole number, or there are more events than trials.
    CxError
        If the prior or the level is wrong.

    Notes
    -----
    Trials are independent: counts do not say which visits are of one person, so the posterior of
    such counts is too narrow; give one trial per person, or see `cxstats.ab_test` with
    ``cluster=``.

    The probability is one of the model with its prior; it is no error rate. A rule that stops at
    the first day on which it exceeds 95 % has a higher chance of a false finding than 5 %.

    Examples
    --------
    >>> view = bayesian_ab(control=(83, 1000), treatment=(127, 1000))
    >>> round(view.probability, 4), view.table["loss_treatment"].round(6).iloc[0].item()
    (0.9993, 2e-06)
    """
    import pandas as pd

    check_level(level)
    a, b = _prior(prior)
    posteriors, sizes = [], []
    for name, counts in (("control", control), ("treatment", treatment)):
        events, n = _events(name, counts)
        posteriors.append((a + events, b + n - events))
        sizes.append(n)
    old, new = posteriors
    low, high = credible_interval(new, old, level)
    row = {
        "estimate": new[0] / sum(new) - old[0] / sum(old),
        "ci_low": low,
        "ci_high": high,
        "se": (_variance(new) + _variance(old)) ** 0.5,
        "probability": below(old, new),
        "loss_treatment": expected_gain(old, new),
        "loss_control": expected_gain(new, old),
        "n": sizes[1],
        "n_control": sizes[0],
    }
    notes = (both("experiment.bayes.note"),)
    return BayesianAb(pd.DataFrame([row]), old, new, (a, b), level, notes)


def _prior(prior: Sequence[float]) -> Beta:
    good = isinstance(prior, Sequence) and not isinstance(prior, str) and len(prior) == 2
    if not good or not all(
        isinstance(x, Real) and not isinstance(x, bool) and isfinite(x) and x > 0 for x in prior
    ):
        raise CxError(f"prior={prior!r}; allowed: (a, b) of a beta distribution, both above 0")
    return float(prior[0]), float(prior[1])


def _events(name: str, counts: Sequence[int]) -> tuple[int, int]:
    if isinstance(counts, str) or not isinstance(counts, Sequence) or len(counts) != 2:
        raise DataError(f"{name}={counts!r}; allowed: (events, n)")
    for count in counts:
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
            raise DataError(f"{name}={counts!r}: {count!r} is no count; allowed: 0, 1, 2, ...")
    if counts[0] > counts[1]:
        events, n = counts
        raise DataError(f"{name}: {events} events of {n} trials; allowed: no more events")
    return int(counts[0]), int(counts[1])
