"""Reconstructed formulas that set counts and amounts against each other.

As in `cxstats.satisfaction.reconstructed`: readings of a lost right-hand side, said to be so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.language import both
from cxstats.satisfaction.formula_registry import published
from cxstats.satisfaction.reconstruction import (
    Reconstructed,
    check_count,
    check_numbers,
    check_sequence,
    is_number,
    points,
    share,
)
from cxstats.stats.intervals import normal_quantile

SYNERGY_WEIGHTS = ("F079", "F080", "F081", "F082")


@published("A03", "reconstructed-low")
def personalisation(preference: Sequence[float], behaviour: Sequence[float]) -> Reconstructed:
    """Compute personalisation in both readings, with and without a second factor.

    ``sum_j Preference_j`` and ``sum_j Preference_j Behaviour_j``. Formula A03: document 000, 2.1
    (3): the sum of preferences is printed, the text names behaviour too (status: reconstructed,
    low confidence).

    Parameters
    ----------
    preference, behaviour : sequences (m,)

    Examples
    --------
    >>> personalisation([0.5, 1.0], [1.0, 0.2]).table["estimate"].tolist()
    [1.5, 0.7]
    """
    one = check_sequence("preference", preference)
    other = check_sequence("behaviour", behaviour)
    if one.shape != other.shape:
        raise CxError(
            f"preference has the shape {one.shape}, behaviour {other.shape}; allowed: (m,) for both"
        )
    rows = [
        ("preference alone", "Σ Preference_j", one.sum()),
        ("with behaviour", "Σ Preference_j · Behaviour_j", (one * other).sum()),
    ]
    return points("A03", rows)


@published("A06", "reconstructed-low")
def channel_integration(channels: int, integrated: int, linked_pairs: int) -> Reconstructed:
    """Compute channel integration in both readings.

    ``integrated channels / all channels``, and, stricter, ``linked pairs / (k (k - 1) / 2)``.
    Formula A06: document 000, 2.3 (1) (status: reconstructed, low confidence).

    Parameters
    ----------
    channels : int
        All k channels, at least two.
    integrated : int
        Channels that are joined to another.
    linked_pairs : int
        Pairs of channels between which a customer can move without telling the story again.

    Examples
    --------
    >>> channel_integration(5, 4, 3).table["estimate"].tolist()
    [0.8, 0.3]
    """
    check_count("channels", channels, 2, np.inf)
    check_count("integrated", integrated, 0, channels)
    pairs = channels * (channels - 1) // 2
    check_count("linked_pairs", linked_pairs, 0, pairs)
    rows = [
        ("channels", "integrated / all", integrated / channels),
        ("pairs", "linked pairs / [k(k − 1)/2]", linked_pairs / pairs),
    ]
    return points("A06", rows, [both("satisfaction.note.census")])


@published("A07", "reconstructed-low")
def feedback_loop(
    implemented: int,
    collected: int,
    closing_times: Sequence[float] | None = None,
    target: float | None = None,
    *,
    level: float = 0.95,
) -> Reconstructed:
    """Compute the strength of the feedback loop, without and with its speed.

    ``L = implemented / collected``, with Wilson's interval; and ``L t0 / (t0 + mean t)``, whose
    interval is the delta method's on the log scale with L and t independent. Formula A07: document
    000, 2.3 (3) (status: reconstructed, low confidence).

    Parameters
    ----------
    implemented, collected : int
        Pieces of feedback.
    closing_times : sequence of float, optional
        Times from collecting to closing, in the unit of the target; at least two.
    target : float, optional
        Target t0; needed with closing times.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22.

    Examples
    --------
    >>> found = feedback_loop(30, 50, closing_times=[4, 6, 8], target=6)
    >>> found.table["estimate"].round(4).tolist()
    [0.6, 0.3]
    """
    import pandas as pd

    plain = share(
        "A07", "implemented / collected", level, implemented=implemented, collected=collected
    )
    if closing_times is None and target is None:
        return plain
    if closing_times is None:
        raise CxError(f"target={target!r} needs closing_times, which it is compared with")
    times = check_sequence("closing_times", closing_times)
    if len(times) < 2 or (times < 0).any():
        raise CxError(f"closing_times is {closing_times!r}; allowed: two or more, from 0 upwards")
    if not is_number(target) or target is None or target <= 0:
        raise CxError(f"target is {target!r}; with closing times a number above 0 is needed")
    speed = target / (target + times.mean())
    value = implemented / collected * speed
    row: dict[str, Any] = {
        "formula": "L · τ₀ / (τ₀ + τ̄)", "estimate": value, "ci_low": np.nan, "ci_high": np.nan,
        "n": collected,
    }  # fmt: skip
    if value > 0:
        spread = times.var(ddof=1) / len(times) / (target + times.mean()) ** 2
        se = np.sqrt((1 - implemented / collected) / implemented + spread)
        z = normal_quantile(level)
        row |= {"ci_low": value * np.exp(-z * se), "ci_high": value * np.exp(z * se)}
    table = pd.concat([plain.table, pd.DataFrame([row], index=["with speed"])])
    return Reconstructed(table, "A07", plain.remarks, level)


@published("A15", "reconstructed-low")
def service_effectiveness(
    solved: int, requests: int, csat: float, relative_cost: float, alpha: float, *,
    level: float = 0.95,
) -> Reconstructed:  # fmt: skip
    """Compute service effectiveness, ``alpha (solved / requests CSAT) / relative cost``.

    Formula A15: document 000, 6.2 (2) 1) (status: reconstructed, low confidence). The three values
    of alpha, for one channel, two linked and all merged, are lost: give your own.

    Parameters
    ----------
    solved, requests : int
        Requests solved, and all.
    csat : float
        Satisfaction, on whatever scale the index shall have.
    relative_cost : float
        Cost or time, relative to a base; above 0.
    alpha : float
        Coefficient of channel synergy; above 0.

    Examples
    --------
    >>> service_effectiveness(80, 100, 0.9, 1.2, alpha=1.0).table["estimate"].round(4).tolist()
    [0.6]
    """
    check_numbers(csat=csat, relative_cost=relative_cost, alpha=alpha)
    if relative_cost <= 0 or alpha <= 0 or csat < 0:
        raise CxError(
            f"csat={csat!r}, relative_cost={relative_cost!r}, alpha={alpha!r}; allowed: csat from "
            "0, the others above 0"
        )
    words = "α · (solved / requests · CSAT) / cost"
    table = share("A15", words, level, solved=solved, requests=requests).table.copy()
    table[["estimate", "ci_low", "ci_high"]] *= alpha * csat / relative_cost
    table.index = ["index"]
    return Reconstructed(table, "A15", (both("satisfaction.note.A15"),), level)


@published("D08", "reconstructed-low")
def collaboration(
    on_time: int, tasks: int, planned_hours: float | None = None,
    actual_hours: float | None = None, *, level: float = 0.95,
) -> Reconstructed:  # fmt: skip
    """Compute the efficiency of collaboration between departments.

    Tasks of several departments closed on time over all of them, with Wilson's interval; with
    hours also ``planned / actual``. Formula D08: document 004, 3.3.2 (3) (status: reconstructed,
    low confidence).

    Parameters
    ----------
    on_time, tasks : int
        Tasks that need more than one department.
    planned_hours, actual_hours : float, optional
        The other reading.

    Examples
    --------
    >>> collaboration(42, 60, 100, 125).table["estimate"].tolist()
    [0.7, 0.8]
    """
    import pandas as pd

    found = share("D08", "on time / all", level, on_time=on_time, tasks=tasks)
    if planned_hours is None and actual_hours is None:
        return found
    if planned_hours is None or actual_hours is None:
        raise CxError("hours: give planned_hours and actual_hours, or neither")
    check_numbers(planned_hours=planned_hours, actual_hours=actual_hours)
    if planned_hours < 0 or actual_hours <= 0:
        raise CxError(
            f"planned_hours={planned_hours!r}, actual_hours={actual_hours!r}; allowed: above 0"
        )
    row = ("hours", "planned / actual", planned_hours / actual_hours)
    both_rows = pd.concat([found.table, points("D08", [row]).table])
    return Reconstructed(both_rows, "D08", found.remarks, level)
