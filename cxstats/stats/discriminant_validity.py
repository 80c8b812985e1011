"""Whether two constructs are two: verdicts on pairs, by named and cited rules.

References
----------
Fornell & Larcker (1981). Journal of Marketing Research 18, 39-50. Gold, Malhotra & Segars (2001).
Journal of Management Information Systems 18, 185-214. Kline (2011). Principles and practice of
structural equation modeling, 3rd ed. Henseler, Ringle & Sarstedt (2015). JAMS 43, 115-135. Franke &
Sarstedt (2019). Internet Research 29, 430-447.
"""

from __future__ import annotations

from cxstats.stats.rules import RULES

STRICT, LENIENT, ONE = RULES["kline2011"], RULES["gold2001"], RULES["henseler2015_interval"]


def htmt_failures(ratio: float, high: float = float("nan")) -> tuple[str, ...]:
    """Return the names of the rules by which a heterotrait-monotrait ratio is too high.

    Of the estimate the most lenient rule that fails; of the interval, if it reaches 1 or, where
    the estimate is below it, .90.

    Parameters
    ----------
    ratio : float
        The estimate; NaN fails no rule.
    high : float
        The upper limit of its interval; NaN where there is none.

    Examples
    --------
    >>> htmt_failures(0.95, 1.02), htmt_failures(0.87, 0.89), htmt_failures(0.7, 0.93)
    (('gold2001', 'henseler2015_interval'), ('kline2011',), ('franke_sarstedt2019',))
    >>> htmt_failures(0.7, 0.8)
    ()
    """
    failures = []
    if LENIENT.band(ratio) > 0:
        failures.append("gold2001")
    elif STRICT.band(ratio) > 0:
        failures.append("kline2011")
    if ONE.band(high) > 0:
        failures.append("henseler2015_interval")
    elif LENIENT.band(ratio) == 0 and LENIENT.band(high) > 0:
        failures.append("franke_sarstedt2019")
    return tuple(failures)


def fornell_larcker_failures(correlation: float, *extracted: float) -> tuple[int, ...]:
    """Return which of two constructs share more variance with the other than with their items.

    Those with an average variance extracted below the squared correlation (Fornell & Larcker
    1981); NaN fails not.

    Examples
    --------
    >>> fornell_larcker_failures(0.8, 0.5, 0.7), fornell_larcker_failures(0.8, float("nan"), 0.6)
    ((0,), (1,))
    """
    return tuple(i for i, ave in enumerate(extracted) if ave < correlation**2)
