"""Full information maximum likelihood: every case counts with the answers it gave.

Cases with the same answers missing form a pattern. Of a pattern only its moments enter, so a model
is fitted to J patterns as it is to G groups; what a pattern lacks is a zero row in its
``Sigma^-1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.accumulate import Sums
from cxstats.core.errors import DataError
from cxstats.models.sem import structure as layout
from cxstats.models.sem.likelihood import Likelihood, Point, log_determinants
from cxstats.models.sem.sampled_cases import weighted_moments
from cxstats.models.sem.structure import Implied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# The saturated moments are those of EM, whose steps shrink by a constant factor; it is
# accelerated, and stops when nothing moves by more than this share of a standard deviation.
STILL, MOST_STEPS = 1e-13, 5_000
# Patterns whose second derivatives are held in memory at once.
AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Patterns:
    """Moments of J patterns of missing answers.

    Attributes
    ----------
    present : array (J, p)
        Which answers the cases of a pattern gave.
    group : array (J,)
        Group of each pattern.
    n : array (..., J)
        Cases, or the sum of their weights; leading axes are those of a batch of samples.
    mean, cov : arrays (..., J, p), (..., J, p, p)
        Moments with divisor n; zero where nothing was answered.
    """

    present: NDArray[np.bool_]
    group: NDArray[np.intp]
    n: Array
    mean: Array
    cov: Array

    @property
    def n_values(self) -> float:
        """Answers in all."""
        return float((self.present.sum(axis=1) * self.n).sum())

    def chunk(self, rows: slice | NDArray[np.bool_]) -> Patterns:
        """Return some of the patterns."""
        return Patterns(
            self.present[rows], self.group[rows], self.n[..., rows], self.mean[..., rows, :],
            self.cov[..., rows, :, :],
        )  # fmt: skip


def find_patterns(matrices: list[Array], weights: list[Array] | None = None) -> Patterns:
    """Sort the cases of every group by what is missing.

    Parameters
    ----------
    matrices : list of array (n_g, p)
        Answers with NaN; a case without any answer is left out.
    weights : list of array (n_g,), optional
        Weights of the cases, above 0.
    """
    patterns = []
    for g, matrix in enumerate(matrices):
        answered = ~np.isnan(matrix)
        kinds = np.unique(answered[answered.any(axis=1)], axis=0)
        patterns += [(present, g) for present in kinds[::-1]]
    present, group = zip(*patterns, strict=True)
    weights = [np.ones(len(matrix)) for matrix in matrices] if weights is None else weights
    nothing = np.empty(0)
    patterns_of = Patterns(np.array(present), np.array(group), nothing, nothing, nothing)
    drawn = redrawn(patterns_of, matrices, [weight[None] for weight in weights])
    return replace(drawn, n=drawn.n[0], mean=drawn.mean[0], cov=drawn.cov[0])


def patterns_of_sums(sums: Mapping[tuple[int, tuple[bool, ...]], Sums]) -> Patterns:
    """Return the patterns whose sums an engine added up, by group and which answers are there.

    They come in the order of `find_patterns`; those without any answer are left out.
    """
    keys = [(g, present) for g, present in sums if any(present)]
    keys = sorted(keys, key=lambda key: (key[0], [not there for there in key[1]]))
    present = np.array([pattern for _, pattern in keys], bool)
    j, p = present.shape
    n, mean, cov = np.zeros(j), np.zeros((j, p)), np.zeros((j, p, p))
    for i, key in enumerate(keys):
        part = sums[key]
        at = np.flatnonzero(present[i])
        n[i], mean[i, at] = part.weight, part.origin + part.mean
        cov[i][np.ix_(at, at)] = part.cross / part.weight
    return Patterns(present, np.array([g for g, _ in keys], np.intp), n, mean, cov)


def redrawn(patterns: Patterns, matrices: list[Array], weights: list[Array]) -> Patterns:
    """Return the same patterns under other weights of the cases, as a batch of samples.

    Parameters
    ----------
    patterns : Patterns
        Those of the cases.
    matrices : list of array (n_g, p)
        The cases.
    weights : list of array (b, n_g)
        Their weights in each of b samples.
    """
    moments = []
    for present, g in zip(patterns.present, patterns.group, strict=True):
        members = (~np.isnan(matrices[g]) == present).all(axis=1)
        answers = np.where(present, matrices[g][members], 0.0)
        moments.append(weighted_moments(answers, weights[g][:, members]))
    n, mean, cov = (np.stack(arrays, axis=1) for arrays in zip(*moments, strict=True))
    return replace(patterns, n=n, mean=mean, cov=cov)


@dataclass(frozen=True, eq=False)
class PatternLikelihood(Likelihood):
    """The likelihood of patterns.

    Attributes
    ----------
    cov, mean : arrays (J, p, p), (J, p)
        Moments of the patterns.
    share : array (G,)
        Share of the groups in the cases.
    patterns : Patterns
    unrestricted : tuple of arrays (G, p, p), (G, p)
        Maximum-likelihood covariances and means of the groups.
    """

    patterns: Patterns
    unrestricted: tuple[Array, Array]

    @property
    def moments(self) -> tuple[Array, Array | None]:
        """Unrestricted covariances and means of the groups."""
        return self.unrestricted

    @property
    def weights(self) -> Array:
        """Share in the cases of each pattern."""
        shares: Array = self.patterns.n / self.patterns.n.sum(axis=-1, keepdims=True)
        return shares

    def take(self, which: Any) -> PatternLikelihood:
        """Return the likelihood of some samples of a batch: places, a slice, or one number."""
        patterns = replace(
            self.patterns, n=self.patterns.n[which], mean=self.patterns.mean[which],
            cov=self.patterns.cov[which],
        )  # fmt: skip
        return replace(
            self, cov=patterns.cov, mean=patterns.mean, share=self.share[which], patterns=patterns
        )

    def at(self, phi: Array) -> Point:
        """Return the model at free parameters, repeated for every pattern."""
        model = spread(self.implied(phi), self.patterns)
        return Point(self, model, _inverted(model.sigma, self.patterns.present))

    def evaluate(self, phi: Array) -> tuple[Array, Array]:
        """Return F and its gradient: the patterns of a group are added up before the chain rule.

        With W the inverse of a pattern, S its covariances and d its deviation from the implied
        means, F rises by ``W - W (S + d d') W`` with Sigma and by ``-2 W d`` with the means.
        """
        model = self.implied(phi)
        patterns, weights = self.patterns, self.weights
        present, drawn = patterns.present, weights > 0
        sigma = _padded(model.sigma[..., patterns.group, :, :], present)
        inverse = np.where(drawn[..., None, None], _inverted(sigma, present), 0)
        assert model.mu is not None  # patterns always have means
        off = np.where(present, patterns.mean - model.mu[..., patterns.group, :], 0)
        about = inverse @ (patterns.cov + off[..., :, None] * off[..., None, :])
        value = log_determinants(sigma) + np.trace(about, axis1=-2, axis2=-1)
        value = np.where(drawn, np.where(np.isnan(value), np.inf, value), 0) * weights
        pull = (inverse @ off[..., None])[..., 0]
        members = self._members.T
        shape = inverse.shape
        rise = (inverse - about @ inverse) * weights[..., None, None]
        rise = (members @ rise.reshape((*shape[:-2], -1))).reshape((*shape[:-3], -1, *shape[-2:]))
        fall = members @ (pull * weights[..., None])
        # `layout.gradient` asks for W - W S W = rise and W d = fall, which W = I leads to.
        unit = np.eye(shape[-1])
        slope = layout.gradient(self.structure, model, unit, unit - rise, fall)
        out: Array = slope.reshape((*slope.shape[:-2], -1)) @ self.reduction.matrix
        return value.sum(axis=-1), out

    def hessian(self, phi: Array) -> Array:
        """Return the second derivatives of F, some patterns at a time to save memory."""
        out: Array = np.zeros(())
        total = self.patterns.n.sum(axis=-1)
        samples = int(np.prod(self.patterns.n.shape[:-1]))
        step = max(1, AT_ONCE // samples)
        for first in range(0, len(self.patterns.group), step):
            patterns = self.patterns.chunk(slice(first, first + step))
            chunk = replace(self, cov=patterns.cov, mean=patterns.mean, patterns=patterns)
            share = np.asarray(patterns.n.sum(axis=-1) / total)[..., None, None]
            out = out + np.where(share > 0, share * chunk.at(phi).hessian(), 0)
        return out

    def reduced(self, slope: Array) -> Array:
        """Return derivatives by free parameters (..., q)."""
        by_group = np.moveaxis(slope * self.weights[..., None], -2, -1) @ self._members
        out: Array = np.moveaxis(by_group, -1, -2).reshape((*slope.shape[:-2], -1))
        return out @ self.reduction.matrix

    def congruent(self, per_group: Array) -> Array:
        """Return second derivatives by free parameters."""
        weighted = per_group * self.weights[..., None, None]
        t = self.structure.matrix.size
        out: Array = np.zeros(())
        for g in range(self.n_groups):
            matrix = self.reduction.matrix[g * t : (g + 1) * t]
            total = weighted[..., self.patterns.group == g, :, :].sum(axis=-3)
            out = out + matrix.T @ total @ matrix
        return out

    @property
    def _members(self) -> Array:
        return np.equal.outer(self.patterns.group, np.arange(self.n_groups)).astype(float)


def spread(model: Implied, patterns: Patterns) -> Implied:
    """Return the implied moments of every pattern; Sigma is an identity where answers lack."""
    values: dict[str, Any] = {}
    for field in fields(Implied):
        value = getattr(model, field.name)
        if value is not None:
            axis = value.ndim - (1 if field.name in ("theta", "shift", "mu") else 2) - 1
            value = np.take(value, patterns.group, axis=axis)
        values[field.name] = value
    values["sigma"] = _padded(values["sigma"], patterns.present)
    if values["mu"] is not None:
        values["mu"] = np.where(patterns.present, values["mu"], 0)
    return Implied(**values | {"theta": None})


def _padded(sigma: Array, present: NDArray[np.bool_]) -> Array:
    both = present[:, :, None] & present[:, None, :]
    return np.where(both, sigma, np.eye(sigma.shape[-1]))


def _inverted(padded: Array, present: NDArray[np.bool_]) -> Array:
    both = present[:, :, None] & present[:, None, :]
    return np.where(both, layout.inverse_of(padded), 0)


def saturated_moments(patterns: Patterns, group: int) -> tuple[Array, Array, float]:
    """Return means (p,), covariances (p, p) and F of the saturated model of a group.

    EM (Dempster, Laird & Rubin 1977) on the moments of the patterns, squared steps (SQUAREM,
    Varadhan & Roland 2008) where they raise the likelihood.

    Raises
    ------
    DataError
        If a variable has fewer than two answers, or the likelihood has no maximum.
    """
    rows = patterns.group == group
    members = patterns.chunk(rows)
    answers = members.present.T @ members.n
    if (answers < 2).any():
        raise DataError(f"variable {int(np.argmin(answers)) + 1} of the model has no answers")
    mean = (members.mean * members.n[:, None]).sum(axis=0) / answers
    off = np.where(members.present, members.mean - mean, 0)
    squares = members.n[:, None] * (np.diagonal(members.cov, axis1=1, axis2=2) + off**2)
    point = (mean, np.diag(squares.sum(axis=0) / answers))
    scale = np.sqrt(np.diagonal(point[1]))
    for _ in range(MOST_STEPS):
        first = _em(members, *point)
        second = _em(members, *first)
        if _distance(first, second, scale) < STILL:
            return (*second, _value(members, *second))
        jump = _squared(point, first, second)
        point = jump if _value(members, *jump) <= _value(members, *second) else second
    raise DataError("the saturated moments did not settle: too few answers in common")


def _distance(a: tuple[Array, Array], b: tuple[Array, Array], scale: Array) -> float:
    mean = np.abs((a[0] - b[0]) / scale).max()
    return float(max(mean, np.abs((a[1] - b[1]) / np.outer(scale, scale)).max()))


def _squared(
    a: tuple[Array, Array], b: tuple[Array, Array], c: tuple[Array, Array]
) -> tuple[Array, Array]:
    first = np.concatenate([(y - x).ravel() for x, y in zip(a, b, strict=True)])
    bend = np.concatenate([(z - 2 * y + x).ravel() for x, y, z in zip(a, b, c, strict=True)])
    size = min(-float(np.linalg.norm(first)) / max(float(np.linalg.norm(bend)), 1e-300), -1.0)
    moments = [
        x - 2 * size * (y - x) + size**2 * (z - 2 * y + x) for x, y, z in zip(a, b, c, strict=True)
    ]
    return moments[0], moments[1]


def _em(patterns: Patterns, mean: Array, cov: Array) -> tuple[Array, Array]:
    """Return the moments after one step of EM: those of the expected sums of complete data."""
    present, n = patterns.present, patterns.n
    inverse = _inverted(_padded(cov, present), present)
    fill = np.where(present[:, None, :], cov @ inverse, 0)  # regression of all on what is there
    filled = mean + (fill @ (patterns.mean - np.where(present, mean, 0))[..., None])[..., 0]
    left = cov - fill @ cov
    spread_of = fill @ patterns.cov @ fill.swapaxes(1, 2) + left
    total = n.sum()
    new = (n[:, None] * filled).sum(axis=0) / total
    off = filled - new
    out = (n[:, None, None] * (spread_of + off[:, :, None] * off[:, None, :])).sum(axis=0) / total
    return new, (out + out.T) / 2


def _value(patterns: Patterns, mean: Array, cov: Array) -> float:
    """Return F of unrestricted moments."""
    log_det = log_determinants(_padded(cov, patterns.present))
    if not np.isfinite(log_det).all():
        return float("inf")
    inverse = _inverted(_padded(cov, patterns.present), patterns.present)
    off = np.where(patterns.present, patterns.mean - mean, 0)
    about = patterns.cov + off[:, :, None] * off[:, None, :]
    value = log_det + np.einsum("jik,jik->j", inverse, about)
    return float((value * patterns.n).sum() / patterns.n.sum())


def baseline_value(patterns: Patterns, group: int) -> float:
    """Return F of independent variables: each with the moments of its own answers."""
    rows = patterns.group == group
    present, n = patterns.present[rows], patterns.n[rows]
    answers = present.T @ n
    mean = (patterns.mean[rows] * n[:, None]).sum(axis=0) / answers
    off = np.where(present, patterns.mean[rows] - mean, 0)
    squares = n[:, None] * (np.diagonal(patterns.cov[rows], axis1=1, axis2=2) + off**2)
    variance = squares.sum(axis=0) / answers
    return float((answers * (np.log(variance) + 1)).sum() / n.sum())


def of_patterns(
    likelihood: Likelihood, patterns: Patterns, unrestricted: tuple[Array, Array]
) -> PatternLikelihood:
    """Return the likelihood of a model for patterns instead of complete cases."""
    return PatternLikelihood(
        likelihood.structure, likelihood.reduction, patterns.cov, patterns.mean, likelihood.share,
        patterns, unrestricted,
    )  # fmt: skip
