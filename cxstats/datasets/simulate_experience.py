"""A simulated survey of six experience elements whose structural model is known exactly.

Synthetic: the loader's name and the frame say so. The elements are those that case study 003
names; it prints no equation and no number. The model is formula E05 of ``data/cases``; every
number in the tables below is invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.paths import data_folder
from cxstats.core.progress import long_work
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# The truth. Construct -> item -> standardised loading, mean, standard deviation.
ITEMS: dict[str, dict[str, tuple[float, float, float]]] = {
    "Product": {"p1": (0.84, 5.8, 0.62), "p2": (0.78, 5.6, 0.66), "p3": (0.72, 5.5, 0.70)},
    "Service": {"s1": (0.86, 5.4, 0.68), "s2": (0.82, 5.3, 0.70), "s3": (0.76, 5.7, 0.60)},
    "Brand": {"b1": (0.80, 5.9, 0.60), "b2": (0.85, 5.6, 0.64), "b3": (0.70, 5.5, 0.68)},
    "Touchpoint": {"t1": (0.78, 5.5, 0.66), "t2": (0.74, 5.3, 0.70), "t3": (0.80, 5.2, 0.70)},
    "Emotion": {"e1": (0.88, 5.6, 0.62), "e2": (0.80, 5.4, 0.68), "e3": (0.84, 5.5, 0.64)},
    "Value": {"v1": (0.86, 5.5, 0.66), "v2": (0.74, 5.6, 0.62), "v3": (0.70, 5.3, 0.70)},
    "Satisfaction": {"c1": (0.90, 5.7, 0.64), "c2": (0.82, 5.5, 0.66), "c3": (0.86, 5.6, 0.66)},
    "Loyalty": {"l1": (0.88, 5.6, 0.70), "l2": (0.75, 5.3, 0.70), "l3": (0.83, 5.7, 0.68)},
}
# Correlations of the five elements that depend on no other.
CORRELATIONS: dict[tuple[str, str], float] = {
    ("Product", "Service"): 0.45,
    ("Product", "Brand"): 0.40,
    ("Product", "Touchpoint"): 0.30,
    ("Product", "Value"): 0.50,
    ("Service", "Brand"): 0.35,
    ("Service", "Touchpoint"): 0.55,
    ("Service", "Value"): 0.40,
    ("Brand", "Touchpoint"): 0.30,
    ("Brand", "Value"): 0.35,
    ("Touchpoint", "Value"): 0.30,
}
# Outcome -> predictor -> standardised path; every predictor stands above as outcome or is one of
# the five. Brand has no effect of its own on satisfaction, though it correlates with it.
PATHS: dict[str, dict[str, float]] = {
    "Emotion": {"Touchpoint": 0.35, "Service": 0.30},
    "Satisfaction": {
        "Product": 0.25,
        "Service": 0.30,
        "Brand": 0.0,
        "Touchpoint": 0.10,
        "Emotion": 0.20,
        "Value": 0.15,
    },
    "Loyalty": {"Satisfaction": 0.55, "Emotion": 0.20},
}
ANSWERS = ("continuous", "five_point")
# Every mean lies six standard deviations or more inside.
CONTINUOUS_SCALE = (1.0, 10.0)
# Where continuous responses are cut into 1 to 5; `skew` moves all four down by this many steps.
THRESHOLDS = (4.6, 5.2, 5.8, 6.4)
STEP = 0.6
MOST_SKEW = 2.0
# What ``population["describes"]`` says.
DESCRIBES = {
    "continuous": "the answers",
    "five_point": "the continuous responses behind the answers, before they were cut into 1 to 5",
}


def _model() -> str:
    measured = [f"{name} =~ {' + '.join(items)}" for name, items in ITEMS.items()]
    explained = [f"{name} ~ {' + '.join(by)}" for name, by in PATHS.items()]
    return "\n".join([*measured, *explained])


# The model in lavaan's syntax. It holds exactly; so does the larger one without the line of
# Emotion, in which all six elements correlate freely.
EXPERIENCE_MODEL = _model()


@long_work("simulate experience")
def simulate_experience(
    n: int = 500,
    seed: int = 1,
    *,
    answers: str = "continuous",
    skew: float = 0.0,
    missing: float = 0.0,
) -> tuple[pd.DataFrame, Codebook]:
    """Simulate a survey from a structural model that is known exactly. Synthetic data.

    Latents of variance 1 follow ``eta = B eta + zeta``, an answer is
    ``x = mean + sd (l eta + sqrt(1 - l^2) e)``, all normal: three items for each of six
    experience elements, satisfaction and loyalty. The model is
    `cxstats.datasets.EXPERIENCE_MODEL`, and `cxstats.datasets.experience_truth` a table of its
    parameters. Case study 003 names the elements; items, words and numbers are our own.

    Parameters
    ----------
    n : int
        Respondents, from 1.
    seed : int
        The same seed gives the same responses, whichever `answers`; from 0.
    answers : {"continuous", "five_point"}
        "continuous": not rounded and not held to a scale, so that the linear normal model holds
        exactly; around 5.5 on a scale from 1 to 10, of which one answer in a billion falls
        outside. "five_point": the same responses cut at four thresholds, common to all items,
        into 1 to 5, which the linear normal model fits only roughly.
    skew : float
        With five points: how many steps of 0.6 (about one standard deviation) all thresholds
        move down, from -2 to 2. At 0 the answers centre on 3; above 0 they pile up at the top, as
        in satisfaction surveys; at 1 the skewness of every item is negative.
    missing : float
        Share of answers that are missing completely at random, from 0 to below 1.

    Returns
    -------
    responses : pandas.DataFrame (n, 25)
        ``respondent`` and 24 answers. ``attrs["synthetic"]`` is True, ``attrs["answers"]``,
        ``attrs["skew"]``, ``attrs["missing"]`` and ``attrs["seed"]`` are as given, and
        ``attrs["population"]`` holds the exact values as plain dictionaries (a matrix is
        ``pandas.DataFrame(population["covariance"])``):

        - ``describes``: what the values are those of. With five points, of the continuous
          responses behind the answers, not of the answers;
        - by item: ``loadings``, ``loadings_std``, ``mean``, ``residual_variance``;
        - by "outcome ~ predictor": ``paths``, ``total_effects``, ``indirect_effects``, and the
          same with ``_std``;
        - ``r_squared`` by item and outcome, ``disturbance`` (residual variance) by outcome;
        - matrices: ``latent_covariance``, ``latent_correlation`` and ``covariance`` (that of the
          items implied by the model);
        - with five points, ``thresholds``, and ``shares`` of the answers 1 to 5 by item, which
          are exact for the answers themselves.

        Values without ``_std`` have the metric of the first item of each construct, whose loading
        is 1, as in lavaan.
    codebook : Codebook
        With the scale (1, 5), or (1.0, 10.0) for continuous answers.

    Raises
    ------
    CxError
        If an argument is out of range, or `skew` is given for continuous answers.

    Examples
    --------
    >>> responses, codebook = simulate_experience(200, seed=1)
    >>> responses.shape, responses.attrs["synthetic"]
    ((200, 25), True)
    >>> population = responses.attrs["population"]
    >>> population["paths_std"]["Satisfaction ~ Service"]
    0.3
    >>> round(population["r_squared"]["Emotion"], 4)
    0.328
    >>> five, _ = simulate_experience(200, seed=1, answers="five_point", skew=1.0)
    >>> [round(share, 3) for share in five.attrs["population"]["shares"]["c1"]]
    [0.004, 0.039, 0.174, 0.345, 0.438]
    """
    import pandas as pd

    _check(n, seed, answers, skew, missing)
    truth = _truth()
    generator = np.random.default_rng(seed)
    latent = generator.standard_normal((n, len(truth.latents)))
    latent = latent @ np.linalg.cholesky(truth.latent_corr).T
    noise = generator.standard_normal((n, len(truth.items)))
    unique = np.sqrt(1 - truth.loading**2)
    scores = truth.loading * latent[:, truth.owner] + unique * noise
    values: Array = truth.mean + truth.sd * scores
    population = _plain(truth) | {"describes": DESCRIBES[answers]}
    book = Codebook.read(data_folder() / "codebooks" / "experience.yml")
    if answers == "five_point":
        thresholds = np.array(THRESHOLDS) - skew * STEP
        values = 1 + np.searchsorted(thresholds, values).astype(float)
        population |= {"thresholds": thresholds.tolist(), "shares": _shares(truth, thresholds)}
    else:
        book = replace(book, scale=CONTINUOUS_SCALE)
    values[generator.random(values.shape) < missing] = np.nan
    frame = pd.DataFrame(values, columns=truth.items)
    frame.insert(0, "respondent", np.arange(1, n + 1))
    frame.attrs |= {
        "synthetic": True,
        "seed": int(seed),
        "answers": answers,
        "skew": float(skew),
        "missing": float(missing),
        "population": population,
    }
    return frame, replace(book, respondent="respondent")


def experience_truth() -> pd.DataFrame:
    """Return the true value of every parameter of `EXPERIENCE_MODEL`, one a row.

    Returns
    -------
    pandas.DataFrame
        Columns ``lhs, op, rhs`` as in the table of a fit, ``true`` (the metric of the first item
        of each construct) and ``true_std``. Of the continuous responses.

    Examples
    --------
    >>> truth = experience_truth()
    >>> truth[truth["op"] == "~"].round(3).head(2)
            lhs op         rhs   true  true_std
    24  Emotion  ~  Touchpoint  0.371      0.35
    25  Emotion  ~     Service  0.280      0.30

    Beside a fit: ``fit.table.merge(experience_truth(), on=["lhs", "op", "rhs"])``.
    """
    import pandas as pd

    truth = _truth()
    scale = truth.latent_sd
    at = {name: k for k, name in enumerate(truth.latents)}
    rows: list[tuple[str, str, str, float, float]] = []
    for item, owner, raw, std in zip(
        truth.items, truth.owner, truth.raw_loading, truth.loading, strict=True
    ):
        rows.append((truth.latents[owner], "=~", item, raw, std))
    for outcome, by in PATHS.items():
        for name, path in by.items():
            rows.append((outcome, "~", name, path * scale[at[outcome]] / scale[at[name]], path))
    for item, sd, loading in zip(truth.items, truth.sd, truth.loading, strict=True):
        rows.append((item, "~~", item, sd**2 * (1 - loading**2), 1 - loading**2))
    for name in truth.latents:
        unexplained = 1 - truth.r_squared[at[name]]
        rows.append((name, "~~", name, scale[at[name]] ** 2 * unexplained, unexplained))
    for (a, b), r in CORRELATIONS.items():
        rows.append((a, "~~", b, r * scale[at[a]] * scale[at[b]], r))
    return pd.DataFrame(rows, columns=["lhs", "op", "rhs", "true", "true_std"])


@dataclass(frozen=True, slots=True)
class _Truth:
    """The tables above as arrays, and what follows from them.

    Attributes
    ----------
    latents : tuple of str
        The k latents.
    items : tuple of str
        The p items.
    owner : array (p,)
        Place of the latent that an item measures.
    loading, mean, sd : array (p,)
        Standardised loading; mean; standard deviation.
    paths : array (k, k)
        Standardised paths, outcome in rows.
    latent_corr : array (k, k)
        Correlations of the latents.
    r_squared : array (k,)
        Share of a latent's variance that its predictors explain; 0 without predictors.
    """

    latents: tuple[str, ...]
    items: tuple[str, ...]
    owner: NDArray[np.intp]
    loading: Array
    mean: Array
    sd: Array
    paths: Array
    latent_corr: Array
    r_squared: Array

    @property
    def latent_sd(self) -> Array:
        """Standard deviations of the latents (k,) in the metric of their first items."""
        return (self.loading * self.sd)[np.unique(self.owner, return_index=True)[1]]

    @property
    def raw_loading(self) -> Array:
        """Loadings (p,), those of first items 1."""
        return self.loading * self.sd / self.latent_sd[self.owner]

    @property
    def covariance(self) -> Array:
        """Implied covariances of the items (p, p): ``D (L R L' + diag(1 - l^2)) D``."""
        common = np.outer(self.loading, self.loading)
        common *= self.latent_corr[np.ix_(self.owner, self.owner)]
        np.fill_diagonal(common, 1.0)
        implied: Array = common * np.outer(self.sd, self.sd)
        return implied

    @property
    def total_effects(self) -> Array:
        """Standardised total effects (k, k): ``(I - B)^-1 - I``."""
        identity = np.eye(len(self.paths))
        return np.linalg.inv(identity - self.paths) - identity


@cache
def _truth() -> _Truth:
    table = np.array([row for items in ITEMS.values() for row in items.values()])
    latent_corr, paths, r_squared = _structure(tuple(ITEMS), CORRELATIONS, PATHS)
    return _Truth(
        latents=tuple(ITEMS),
        items=tuple(item for items in ITEMS.values() for item in items),
        owner=np.repeat(np.arange(len(ITEMS)), [len(items) for items in ITEMS.values()]),
        loading=table[:, 0],
        mean=table[:, 1],
        sd=table[:, 2],
        paths=paths,
        latent_corr=latent_corr,
        r_squared=r_squared,
    )


def _structure(
    names: tuple[str, ...],
    correlations: Mapping[tuple[str, str], float],
    paths: Mapping[str, Mapping[str, float]],
) -> tuple[Array, Array, Array]:
    """Return correlations (k, k), paths (k, k) and R squared (k,) of standardised latents.

    One outcome after the other: ``r = R b`` with what came before, ``R^2 = b' R b``.
    """
    at = {name: k for k, name in enumerate(names)}
    corr, slopes, explained = np.eye(len(names)), np.zeros((len(names),) * 2), np.zeros(len(names))
    for (a, b), r in correlations.items():
        corr[at[a], at[b]] = corr[at[b], at[a]] = r
    for outcome, by in paths.items():
        k = at[outcome]
        slopes[k, [at[name] for name in by]] = list(by.values())
        correlations_of_k = corr @ slopes[k]
        explained[k] = slopes[k] @ correlations_of_k
        before = [at[name] for name in names if name not in paths]
        before += [at[name] for name in list(paths)[: list(paths).index(outcome)]]
        corr[k, before] = corr[before, k] = correlations_of_k[before]
    return corr, slopes, explained


def _plain(truth: _Truth) -> dict[str, Any]:
    """Return the population as dictionaries of floats, which copy, compare and go into JSON."""
    latents, items, scale = truth.latents, truth.items, truth.latent_sd

    def by(names: tuple[str, ...], values: Array) -> dict[str, float]:
        return dict(zip(names, values.tolist(), strict=True))

    def matrix(names: tuple[str, ...], values: Array) -> dict[str, dict[str, float]]:
        return {name: by(names, row) for name, row in zip(names, values, strict=True)}

    # How many ways lead from one latent (column) to another (row); with a path of 0 too.
    drawn = np.array([[x in PATHS.get(y, ()) for x in latents] for y in latents], float)
    ways = np.linalg.inv(np.eye(len(latents)) - drawn) - np.eye(len(latents))

    def effects(values: Array) -> dict[str, float]:
        return {
            f"{latents[i]} ~ {latents[j]}": float(values[i, j]) for i, j in np.argwhere(ways > 0.5)
        }

    total, ratio = truth.total_effects, np.outer(scale, 1 / scale)
    explained = by(latents, truth.r_squared)
    unexplained = by(latents, scale**2 * (1 - truth.r_squared))
    paths = {f"{y} ~ {x}": path for y, slopes in PATHS.items() for x, path in slopes.items()}
    raw = effects(truth.paths * ratio)
    return {
        "loadings": by(items, truth.raw_loading),
        "loadings_std": by(items, truth.loading),
        "mean": by(items, truth.mean),
        "residual_variance": by(items, truth.sd**2 * (1 - truth.loading**2)),
        "paths": {name: raw[name] for name in paths},
        "paths_std": paths,
        "total_effects": effects(total * ratio),
        "total_effects_std": effects(total),
        "indirect_effects": effects((total - truth.paths) * ratio),
        "indirect_effects_std": effects(total - truth.paths),
        "r_squared": by(items, truth.loading**2) | {name: explained[name] for name in PATHS},
        "disturbance": {name: unexplained[name] for name in PATHS},
        "latent_covariance": matrix(latents, truth.latent_corr * np.outer(scale, scale)),
        "latent_correlation": matrix(latents, truth.latent_corr),
        "covariance": matrix(items, truth.covariance),
    }


def _shares(truth: _Truth, thresholds: Array) -> dict[str, list[float]]:
    """Return the chances of the answers 1 to 5 by item: ``Phi((t - mean) / sd)``, differenced."""
    from scipy.special import ndtr

    below = ndtr((thresholds - truth.mean[:, None]) / truth.sd[:, None])
    shares = np.diff(below, axis=1, prepend=0.0, append=1.0)
    return dict(zip(truth.items, shares.tolist(), strict=True))


def _check(n: int, seed: int, answers: str, skew: float, missing: float) -> None:
    for name, count, least in (("n", n, 1), ("seed", seed, 0)):
        if isinstance(count, bool) or not isinstance(count, Integral) or count < least:
            raise CxError(f"{name} is {count!r}; allowed: whole numbers from {least} upwards")
    if answers not in ANSWERS:
        raise CxError(f"answers is {answers!r}; allowed: {', '.join(ANSWERS)}")
    for name, value in (("skew", skew), ("missing", missing)):
        if isinstance(value, bool) or not isinstance(value, Real):
            raise CxError(f"{name} is {value!r}; allowed: a number")
    if not -MOST_SKEW <= skew <= MOST_SKEW:
        raise CxError(f"skew is {skew!r}; allowed: from {-MOST_SKEW:g} to {MOST_SKEW:g}")
    if answers == "continuous" and skew != 0:
        raise CxError(
            f"skew is {skew!r}; allowed with answers='continuous': 0 (thresholds move only with "
            "answers='five_point')"
        )
    if not 0 <= missing < 1:
        raise CxError(f"missing is {missing!r}; allowed: a share from 0 to below 1")
