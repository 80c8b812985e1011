"""Simulated Kano questionnaires. Synthetic: the loader's name, the frame and every chart say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.progress import long_work

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CATEGORIES = ("M", "O", "A", "I", "R", "Q")
# Invented shares of M, O, A, I, R, Q in the population.
FEATURES: dict[str, tuple[float, ...]] = {
    "App": (0.08, 0.17, 0.46, 0.25, 0.03, 0.01),
    "Hotline": (0.28, 0.37, 0.21, 0.12, 0.01, 0.01),
    "Refund": (0.52, 0.20, 0.07, 0.18, 0.01, 0.02),
    "Newsletter": (0.02, 0.03, 0.12, 0.56, 0.24, 0.03),
}
# The pairs of answers (functional, dysfunctional), 1 like to 5 dislike, that stand for a category
# in the table of Kano et al. (1984); one is drawn with equal chance.
PAIRS: dict[str, tuple[tuple[int, int], ...]] = {
    "M": ((2, 5), (3, 5), (4, 5)),
    "O": ((1, 5),),
    "A": ((1, 2), (1, 3), (1, 4)),
    "I": tuple((f, d) for f in (2, 3, 4) for d in (2, 3, 4)),
    "R": ((2, 1), (3, 1), (4, 1), (5, 1), (5, 2), (5, 3), (5, 4)),
    "Q": ((1, 1), (5, 5)),
}


@long_work("simulate kano")
def simulate_kano(
    n: int,
    seed: int,
    *,
    features: Mapping[str, Sequence[float]] = FEATURES,
    segments: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
    missing: float = 0.0,
) -> pd.DataFrame:
    """Simulate answers to pairs of Kano questions whose population is known exactly. Synthetic.

    A respondent's category for a feature is drawn from the feature's shares, independently of
    other features; then one of the pairs of answers that stand for it, with equal chance.

    Parameters
    ----------
    n : int
        Respondents, from 1.
    seed : int
        The same seed gives the same answers; from 0.
    features : mapping of feature to six shares
        Shares of M, O, A, I, R, Q, which sum to 1.
    segments : mapping of segment to mapping of feature to six shares, optional
        Adds a column ``segment`` with groups of equal chance; features that a segment names have
        its shares instead.
    missing : float
        Share of answers that are missing completely at random.

    Returns
    -------
    pandas.DataFrame
        Columns ``<feature>_functional`` and ``<feature>_dysfunctional``, 1 (like) to 5 (dislike).
        ``attrs["synthetic"]`` is True; ``attrs["population"]`` holds by feature ``shares`` (six),
        ``better``, ``worse``, and ``functional`` and ``dysfunctional`` (means of the continuous
        scores), all of the population of all segments.

    Raises
    ------
    CxError
        If shares are not six, are negative or do not sum to 1, or an option is out of range.

    Examples
    --------
    >>> answers = simulate_kano(100, seed=1)
    >>> answers.shape, answers.attrs["synthetic"]
    ((100, 8), True)
    >>> round(answers.attrs["population"]["better"]["App"], 4)
    0.6562
    """
    import pandas as pd

    for name, value, least in (("n", n, 1), ("seed", seed, 0)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise CxError(f"{name} is {value!r}; allowed: whole numbers from {least} upwards")
    if not 0 <= missing < 1:
        raise CxError(f"missing is {missing!r}; allowed: 0 to below 1")
    base = {name: _shares(name, shares) for name, shares in features.items()}
    populations = [base]
    for segment, changes in (segments or {}).items():
        unknown = [name for name in changes if name not in base]
        if unknown:
            raise CxError(
                f"segment {segment!r}: no feature {unknown[0]!r}; there are: {list(base)}"
            )
        populations.append(base | {name: _shares(name, s) for name, s in changes.items()})
    populations = populations[1:] or populations
    generator = np.random.default_rng(seed)
    member = generator.integers(0, len(populations), n)
    columns: dict[str, Any] = {}
    for name in base:
        drawn = _draw(generator, np.stack([shares[name] for shares in populations])[member])
        drawn = np.where(generator.random(drawn.shape) < missing, np.nan, drawn)
        columns |= {f"{name}_functional": drawn[:, 0], f"{name}_dysfunctional": drawn[:, 1]}
    frame = pd.DataFrame(columns)
    if segments:
        frame["segment"] = np.array(list(segments), object)[member]
    mean = {name: np.mean([shares[name] for shares in populations], axis=0) for name in base}
    frame.attrs |= {"synthetic": True, "population": _population(mean)}
    return frame


def _shares(name: str, shares: Sequence[float]) -> Array:
    array = np.asarray(shares, float)
    if array.shape != (6,) or not (array >= 0).all() or abs(array.sum() - 1) > 1e-9:
        raise CxError(
            f"feature {name!r}: {shares!r}; allowed: six shares of {', '.join(CATEGORIES)} from 0 "
            "upwards that sum to 1"
        )
    return array


def _draw(generator: np.random.Generator, shares: Array) -> Array:
    """Draw a pair of answers (n, 2) from every row of shares (n, 6)."""
    sizes = np.array([len(PAIRS[letter]) for letter in CATEGORIES])
    pairs = np.array([pair for letter in CATEGORIES for pair in PAIRS[letter]], float)
    u = generator.random((len(shares), 1))
    category = np.minimum((u > np.cumsum(shares, axis=1)).sum(1), len(CATEGORIES) - 1)
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    drawn: Array = pairs[start[category] + generator.integers(0, sizes[category])]
    return drawn


def _population(shares: Mapping[str, Array]) -> dict[str, dict[str, Any]]:
    """Return shares, coefficients and mean scores of the population."""
    points = {"functional": (4, 2, 0, -1, -2), "dysfunctional": (-2, -1, 0, 2, 4)}
    population: dict[str, dict[str, Any]] = {"shares": {}, "better": {}, "worse": {}}
    for name, (m, o, a, i, r, q) in shares.items():
        by_category = zip(CATEGORIES, map(float, (m, o, a, i, r, q)), strict=True)
        population["shares"][name] = dict(by_category)
        population["better"][name] = float((a + o) / (m + o + a + i))
        population["worse"][name] = float(-(o + m) / (m + o + a + i))
    for side, (question, score) in enumerate(points.items()):
        means = [np.mean([score[pair[side] - 1] for pair in PAIRS[c]]) for c in CATEGORIES]
        population[question] = {name: float(share @ means) for name, share in shares.items()}
    return population
