"""Rankings under given weights, and the tables of units and of pairs of units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.weighting.swaps import least_moved, nearest, single_weight
from cxstats.weighting.uncertainty import Acceptability

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def ranking(totals: Array, then: Array) -> NDArray[np.intp]:
    """Return the places of units from the best to the worst, ties in the order of `then`.

    With the sum of the scores as `then`, a unit that dominates another stands before it also
    where the weights make them tie.

    Examples
    --------
    >>> ranking(np.array([0.1 + 0.2, 0.5, 0.3]), np.array([1.0, 1.0, 2.0])).tolist()
    [1, 2, 0]
    """
    return np.lexsort((-_snapped(then), -_snapped(totals)))


def _snapped(totals: Array) -> Array:
    """Round scores at twelve digits of the largest, so that sums that are equal do tie."""
    size = np.abs(totals).max()
    return totals if size == 0 else np.asarray(np.round(totals / size, 12) * size)


def pair_tables(
    frame: pd.DataFrame, w: Array, near: Acceptability | None,
    wide: Acceptability,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Return the table of pairs, and that of pairs by criteria; units come best first."""
    import pandas as pd

    x, names = frame.to_numpy(float), list(frame.columns)
    first, second = np.triu_indices(len(x), 1)
    d = x[first] - x[second]
    lead = d @ w
    # A tie that differs in its last bits is one; the lead must not be negative.
    lead = np.where(lead <= 1e-12 * np.abs(x @ w).max(), 0, lead)
    better = (d >= 0).all(axis=1) & (d > 0).any(axis=1)
    value = np.where(better[:, None], np.nan, single_weight(w, d))
    value = np.where((lead == 0)[:, None] & ~better[:, None], w, value)
    change = value - w
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(w > 0, change / w, np.nan)
    moved, _ = least_moved(w, d)
    distance, _ = nearest(w, d)
    pair = np.arange(len(d))
    best, by_share = _smallest(change), _smallest(relative)
    can_tie, can_tie_share = best >= 0, by_share >= 0
    pairs = pd.DataFrame(
        {
            "higher": frame.index[first],
            "lower": frame.index[second],
            "neighbours": second - first == 1,
            "lead": lead,
            "criterion": _named(names, best),
            "weight": np.where(can_tie, w[best], np.nan),
            "weight_at_swap": np.where(can_tie, value[pair, best], np.nan),
            "change": np.where(can_tie, change[pair, best], np.nan),
            "relative": np.where(can_tie, relative[pair, best], np.nan),
            "criterion_relative": _named(names, by_share),
            "smallest_relative": np.where(can_tie_share, relative[pair, by_share], np.nan),
            "moved": np.where(better, np.nan, moved),
            "distance": np.where(better, np.nan, distance),
            "dominated": better,
            "reversed": np.nan if near is None else near.above[second, first],
            "reversed_any": wide.above[second, first],
        }
    )
    k = len(w)
    changes = pd.DataFrame(
        {
            "higher": np.repeat(frame.index[first], k),
            "lower": np.repeat(frame.index[second], k),
            "criterion": names * len(d),
            "weight": np.tile(w, len(d)),
            "weight_at_swap": value.ravel(),
            "change": change.ravel(),
            "relative": relative.ravel(),
        }
    )
    return pairs, changes


def _named(names: list[str], places: NDArray[np.intp]) -> list[str | None]:
    return [names[k] if k >= 0 else None for k in places]


def _smallest(values: Array) -> NDArray[np.intp]:
    """Return the place of the smallest absolute value in each row; -1 where all are NaN."""
    size = np.where(np.isnan(values), np.inf, np.abs(values))
    place = size.argmin(axis=1)
    return np.where(np.isfinite(size.min(axis=1)), place, -1)


def unit_table(
    frame: pd.DataFrame, w: Array, near: Acceptability | None,
    wide: Acceptability, pairs: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    """Return one row per unit, the best first."""
    import pandas as pd

    x = frame.to_numpy(float)
    totals = _snapped(x @ w)
    empty = np.full(len(x), np.nan)
    of_draws = {
        name: empty if near is None else getattr(near, source)
        for name, source in (
            ("score_ci_low", "score_low"), ("score_ci_high", "score_high"),
            ("expected_rank", "expected"), ("rank_low", "rank_low"), ("rank_high", "rank_high"),
        )
    }  # fmt: skip
    table = pd.DataFrame(
        {
            "score": x @ w,
            "rank": 1 + (totals[None, :] > totals[:, None]).sum(axis=1),
            **of_draws,
            "first_share": empty if near is None else near.ranks[:, 0],
            "first_share_any": wide.ranks[:, 0],
            "expected_rank_any": wide.expected,
        },
        index=frame.index,
    )
    below = pairs[pairs["dominated"]].groupby("lower").size()
    table["dominated_by"] = below.reindex(frame.index, fill_value=0)
    either = pd.concat([pairs.set_index(side)["moved"] for side in ("higher", "lower")])
    table["moved"] = either.groupby(level=0).min().reindex(frame.index)
    return table.rename_axis("unit")
