"""Simulated questionnaires. Synthetic: the loader's name, the frame and every chart say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.progress import long_work
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Means of the normal variables behind the answers, in steps of the scale, before rounding.
EXPECTED = {
    "Tangibles": 5.5,
    "Reliability": 6.3,
    "Responsiveness": 6.0,
    "Assurance": 6.1,
    "Empathy": 5.7,
}
PERCEIVED = {
    "Tangibles": 5.4,
    "Reliability": 5.1,
    "Responsiveness": 5.2,
    "Assurance": 5.6,
    "Empathy": 4.9,
}
LOADINGS = {
    "Tangibles": 0.70,
    "Reliability": 0.80,
    "Responsiveness": 0.78,
    "Assurance": 0.75,
    "Empathy": 0.78,
}
POINTS = {
    "Tangibles": 11,
    "Reliability": 32,
    "Responsiveness": 22,
    "Assurance": 19,
    "Empathy": 16,
}
MINIMUM_BELOW = 1.2
# Terms of the Hermite series of a rounded normal pair: enough for 12 digits up to |rho| = 0.9.
TERMS = 250


@long_work("simulate servqual")
def simulate_servqual(  # noqa: PLR0913
    n: int,
    seed: int,
    *,
    expected: Mapping[str, float] = EXPECTED,
    perceived: Mapping[str, float] = PERCEIVED,
    loadings: Mapping[str, float] = LOADINGS,
    factor_corr: float = 0.5,
    role_corr: float = 0.4,
    points: Mapping[str, float] = POINTS,
    minimum: bool = False,
    branches: Mapping[str, float] | None = None,
    missing: float = 0.0,
) -> tuple[pd.DataFrame, Codebook]:
    """Simulate SERVQUAL answers whose population is known exactly. Synthetic data.

    An answer is a normal variable, rounded and held to the scale from 1 to 7:
    ``x = mu + l f + sqrt(1 - l^2) e``, with a factor f for every dimension and role. Rounding
    moves means and correlations; the truth in ``frame.attrs["population"]`` is that of the
    rounded answers, computed, not simulated.

    Parameters
    ----------
    n : int
        Respondents.
    seed : int
        The same seed gives the same answers.
    expected, perceived : mapping of dimension to float
        Means before rounding.
    loadings : mapping of dimension to float
        Loadings before rounding, between 0 and 0.95; equal within a dimension.
    factor_corr : float
        Correlation of dimensions within a role.
    role_corr : float
        Correlation of a dimension's expectation with its perception; of different dimensions,
        ``role_corr * factor_corr``.
    points : mapping of dimension to float
        Mean points of the 100 that a respondent allots, independent of the answers.
    minimum : bool
        Whether a minimum level is asked too; its mean lies 1.2 below the expectation.
    branches : mapping of str to float, optional
        Adds a column ``branch`` with groups of equal chance, and shifts their perceptions.
    missing : float
        Share of answers that are missing completely at random.

    Returns
    -------
    responses : pandas.DataFrame
        ``attrs["synthetic"]`` is True; ``attrs["population"]`` holds ``gap`` (by dimension,
        "Overall" and "Overall (points)"), ``effect_size`` (d_z of the gaps), ``expectation``,
        ``perception``, ``alpha`` (by dimension and role), ``htmt`` (of perceptions, by pair
        "A ~ B"), ``reliability`` (of the gap), ``minimum`` where it is asked, and ``gap_<branch>``
        with `branches`; all but the last are those of a branch whose shift is 0.
    codebook : Codebook

    Raises
    ------
    CxError
        If a dimension is unknown, or a value is out of range.

    Examples
    --------
    >>> responses, codebook = simulate_servqual(100, seed=1)
    >>> responses.shape, responses.attrs["synthetic"]
    ((100, 50), True)
    >>> round(responses.attrs["population"]["gap"]["Reliability"], 4)
    -1.0789
    """
    import pandas as pd

    book = Codebook.read("servqual")
    names = list(book.constructs)
    truths = {"expected": expected, "perceived": perceived, "loadings": loadings, "points": points}
    values = {key: _check(key, mapping, names) for key, mapping in truths.items()}
    if n < 1 or not 0 <= missing < 1 or not all(0 <= r < 1 for r in (factor_corr, role_corr)):
        raise CxError("n from 1; missing, factor_corr and role_corr from 0 to below 1")
    if values["loadings"].max() > 0.95 or values["loadings"].min() < 0:
        raise CxError("loadings are allowed from 0 to 0.95")
    generator = np.random.default_rng(seed)
    means = {"E": values["expected"], "P": values["perceived"]}
    if minimum:
        means["M"] = values["expected"] - MINIMUM_BELOW
        book = replace(book, minimum="M_{item}")
    shift = np.zeros(n)
    branch = None
    if branches:
        branch = generator.choice(list(branches), n)
        shift = np.array([branches[name] for name in branch])
    sizes = [len(items) for items in book.constructs.values()]
    factors = draw_factors(generator, n, len(names), list(means), factor_corr, role_corr)
    columns: dict[str, Any] = {"respondent": np.arange(1, n + 1)}
    for k, (role, mean) in enumerate(means.items()):
        level = np.repeat(mean, sizes) + (shift[:, None] if role == "P" else 0)
        loading = np.repeat(values["loadings"], sizes)
        noise = generator.standard_normal((n, len(loading)))
        latent = level + loading * np.repeat(factors[:, k], sizes, axis=1)
        latent += np.sqrt(1 - loading**2) * noise
        answer = np.clip(np.floor(latent + 0.5), 1, 7)
        answer[generator.random(answer.shape) < missing] = np.nan
        columns |= dict(zip((f"{role}_{item}" for item in book.items), answer.T, strict=True))
    shares = generator.dirichlet(values["points"] / values["points"].sum() * 25, n)
    allotted = generator.multinomial(100, shares).astype(float)
    columns |= dict(zip(book.point_columns, allotted.T, strict=True))
    if branch is not None:
        columns["branch"] = branch
    frame = pd.DataFrame(columns)
    others = ("branch",) if branch is not None else ()
    frame.attrs["synthetic"] = True
    population = _population(values, names, sizes, factor_corr, role_corr)
    if minimum:
        population["minimum"] = _means(names, means["M"])
    for name, amount in (branches or {}).items():
        shifted = _means(names, values["perceived"] + amount)
        gaps = {key: shifted[key] - population["expectation"][key] for key in names}
        population[f"gap_{name}"] = gaps | {"Overall": sum(gaps.values()) / len(gaps)}
    frame.attrs["population"] = population
    return frame, replace(book, respondent="respondent", other=others)


def _check(key: str, values: Mapping[str, float], names: list[str]) -> Array:
    if set(values) != set(names):
        raise CxError(f"{key}: dimensions {sorted(values)}; allowed: exactly {', '.join(names)}")
    return np.array([float(values[name]) for name in names])


def draw_factors(
    generator: np.random.Generator,
    n: int,
    k: int,
    roles: list[str],
    factor_corr: float,
    role_corr: float,
) -> Array:
    """Draw factors (n, roles, k): correlation = that of the roles times that of the dimensions."""
    across = np.full((len(roles), len(roles)), role_corr) + (1 - role_corr) * np.eye(len(roles))
    within = np.full((k, k), factor_corr) + (1 - factor_corr) * np.eye(k)
    drawn = generator.standard_normal((n, len(roles), k))
    drawn = np.einsum("ij,njk->nik", np.linalg.cholesky(across), drawn)
    factors: Array = drawn @ np.linalg.cholesky(within).T
    return factors


def _means(names: list[str], levels: Array) -> dict[str, float]:
    return {name: _rounded(float(level)).mean for name, level in zip(names, levels, strict=True)}


def _population(
    values: Mapping[str, Array],
    names: list[str],
    sizes: list[int],
    factor_corr: float,
    role_corr: float,
) -> dict[str, dict[str, float]]:
    """Compute means, alphas, HTMT and reliability of gaps of the rounded answers."""
    expected = [_rounded(float(mean)) for mean in values["expected"]]
    perceived = [_rounded(float(mean)) for mean in values["perceived"]]
    loading = values["loadings"]
    gap = np.array([p.mean - e.mean for e, p in zip(expected, perceived, strict=True)])
    share = values["points"] / values["points"].sum()
    population: dict[str, dict[str, float]] = {
        "expectation": _means(names, values["expected"]),
        "perception": _means(names, values["perceived"]),
        "effect_size": {},
        "gap": {name: float(gap[i]) for i, name in enumerate(names)},
        "alpha": {},
        "htmt": _htmt(perceived, loading, names, factor_corr),
        "reliability": {},
    }
    population["gap"] |= {"Overall": float(gap.mean()), "Overall (points)": float(share @ gap)}
    for i, name in enumerate(names):
        answers, k = {"E": expected[i], "P": perceived[i]}, sizes[i]
        covariance = {role: x.covariance(x, loading[i] ** 2) for role, x in answers.items()}
        across = expected[i].covariance(perceived[i], role_corr * loading[i] ** 2)
        total = {role: x.variance + (k - 1) * covariance[role] for role, x in answers.items()}
        alpha = {role: k * covariance[role] / total[role] for role in answers}
        population["alpha"] |= {f"{name} ({role})": alpha[role] for role in answers}
        variance = {role: total[role] / k for role in answers}  # of the mean of the items
        error = sum(variance[role] * (1 - alpha[role]) for role in answers)
        gap_variance = variance["E"] + variance["P"] - 2 * across
        population["reliability"][name] = 1 - error / gap_variance
        population["effect_size"][name] = float(gap[i] / np.sqrt(gap_variance))
    return population


def _htmt(
    perceived: list[_Rounded], loading: Array, names: list[str], factor_corr: float
) -> dict[str, float]:
    """Return the heterotrait-monotrait ratio of the perceptions, by pair of dimensions."""
    pairs = zip(perceived, loading, strict=True)
    within = [x.covariance(x, weight**2) / x.variance for x, weight in pairs]
    ratios = {}
    for i, p in enumerate(perceived):
        for j, q in enumerate(perceived[:i]):
            r = p.covariance(q, factor_corr * loading[i] * loading[j])
            r /= np.sqrt(p.variance * q.variance)
            ratios[f"{names[j]} ~ {names[i]}"] = float(r / np.sqrt(within[i] * within[j]))
    return ratios


@cache
def _rounded(mean: float) -> _Rounded:
    return _Rounded(mean)


class _Rounded:
    """A normal variable with variance 1, rounded and held to 1..7: its exact moments.

    The answer is 1 plus the number of thresholds passed. With Hermite coefficients
    ``a_m = sum_t phi(t) He_{m-1}(t) / sqrt(m!)`` over thresholds t, the covariance of two such
    answers with correlation r behind them is ``sum_m a_m b_m r^m`` (Mehler).
    """

    def __init__(self, mean: float) -> None:
        from scipy.special import ndtr

        t = np.arange(1.5, 7) - mean
        passed = ndtr(-t)
        self.mean = float(1 + passed.sum())
        pairs = np.minimum.outer(passed, passed) - np.outer(passed, passed)
        self.variance = float(pairs.sum())
        self.a = _hermite(t)

    def covariance(self, other: _Rounded, r: float) -> float:
        """Return the covariance with another answer; r correlates the variables behind them."""
        return float((self.a * other.a) @ r ** np.arange(1, TERMS + 1))


def _hermite(t: Array) -> Array:
    """Return the coefficients a_1 .. a_TERMS, with Hermite functions scaled as they grow."""
    density = np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
    before, now = np.zeros_like(t), density  # He_{m-1}(t) phi(t) / sqrt((m-1)!), m = 1
    coefficients = []
    for m in range(1, TERMS + 1):
        coefficients.append(now.sum() / np.sqrt(m))
        before, now = now, (t * now - np.sqrt(m - 1) * before) / np.sqrt(m)
    return np.array(coefficients)
