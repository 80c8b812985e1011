"""Full information maximum likelihood: every case counts with the answers it gave.

Cases with the same answers missing form a pattern. Of a pattern only its moments enter. With
``W = Sigma^-1`` of all variables, that of the variables present, zero elsewhere, is
``W - W E (E'W E)^-1 E'W``, E picking what is absent: a matrix as large as what is missing is
inverted for each pattern, and what patterns ask of Sigma is added up group by group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.accumulate import Sums
from cxstats.core.errors import DataError
from cxstats.models.sem import structure as layout
from cxstats.models.sem.likelihood import Likelihood, Point, log_determinants
from cxstats.models.sem.sampled_cases import weighted_moments
from cxstats.models.sem.structure import Implied, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Places = NDArray[np.intp]

# The saturated moments are those of EM, whose steps shrink by a constant factor; it is
# accelerated, and stops when nothing moves by more than this share of a standard deviation.
STILL, MOST_STEPS = 1e-13, 5_000
# Patterns whose products are held in memory at once, in numbers.
AT_ONCE = 4_000_000
# A variable that the others explain but for this share is left to the inverses of each pattern,
# which lose no digits to it.
REDUNDANT = 1e-6


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

    @cached_property
    def by_absent(self) -> list[tuple[Places, Places]]:
        """Patterns (b,) that lack the same number m of answers, and which these are (b, m)."""
        count = (~self.present).sum(axis=1)
        alike = []
        for m in np.unique(count[count > 0]):
            members = np.flatnonzero(count == m)
            alike.append((members, np.nonzero(~self.present[members])[1].reshape(-1, m)))
        return alike

    @cached_property
    def varied(self) -> NDArray[np.bool_]:
        """Patterns (J,) whose cases differ in some sample."""
        varied = np.asarray(self.cov.any(axis=(-1, -2))).reshape((-1, len(self.group)))
        return np.asarray(varied.any(axis=0))

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
    cases = [_cases_by_pattern(matrix) for matrix in matrices]
    for present, g in zip(patterns.present, patterns.group, strict=True):
        members = cases[g][_code(present)]
        answers = np.where(present, matrices[g][members], 0.0)
        moments.append(weighted_moments(answers, weights[g][:, members]))
    n, mean, cov = (np.stack(arrays, axis=1) for arrays in zip(*moments, strict=True))
    return replace(patterns, n=n, mean=mean, cov=cov)


def _code(present: NDArray[np.bool_]) -> bytes:
    return np.packbits(present).tobytes()


def _cases_by_pattern(matrix: Array) -> dict[bytes, Places]:
    """Return the cases (rows) of every pattern of answers."""
    packed = np.packbits(~np.isnan(matrix), axis=1)
    whole = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}")[:, 0]
    codes, which, counts = np.unique(whole, return_inverse=True, return_counts=True)
    rows = np.split(np.argsort(which, kind="stable"), np.cumsum(counts)[:-1])
    return {code.tobytes(): members for code, members in zip(codes, rows, strict=True)}


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
        """Return the model of every group at free parameters."""
        model = self.implied(phi)
        return PatternPoint(self, phi, model, layout.inverted(model))

    def inverses(self, sigma: Array, group: int) -> Iterator[tuple[Places, Array]]:
        """Yield places of patterns of a group (b,), and their ``Sigma^-1`` (b, p, p).

        Parameters
        ----------
        sigma : array (p, p)
            Implied covariances of the group.
        """
        places = np.flatnonzero(self.patterns.group == group)
        step = max(1, AT_ONCE // (len(sigma) + 2 * self.structure.unit.shape[1]) ** 2)
        for first in range(0, len(places), step):
            at = places[first : first + step]
            present = self.patterns.present[at]
            yield at, _inverted(_padded(sigma, present), present)

    def information_of_group(
        self, phi: Array, group: int, rows: Places, columns: Places
    ) -> tuple[Array, Array]:
        """Return the information between parameters of a group (r, k), and that of k of them."""
        return self.information_of_model(self.implied(phi).block(group), group, rows, columns)

    def information_of_model(
        self, model: Implied, group: int, rows: Places, columns: Places
    ) -> tuple[Array, Array]:
        """Return the same of implied moments of the group."""
        structure = self.structure
        v, a, b = layout.pool(model), structure.a[columns], structure.b[columns]
        size = structure.weight[columns] ** 2
        block, own = np.zeros((len(rows), len(columns))), np.zeros(len(columns))
        total = np.zeros((v.shape[1], v.shape[1]))
        for at, inverse in self.inverses(model.sigma, group):
            h = np.moveaxis(v.T @ inverse @ v, 0, -1)
            weighted = h * self.weights[at]
            block += _products(structure, h, weighted, rows, columns)
            own += (h[a, a] * weighted[b, b] + h[a, b] * weighted[a, b]).sum(axis=1) * size
            total += weighted.sum(axis=-1)
        s = layout.mean_weights(structure, model)
        aa = total[structure.a[rows][:, None], a]
        return block + aa * np.outer(s[rows], s[columns]), own + total[a, a] * s[columns] ** 2

    def by_pattern(
        self, phi: Array, group: int, matrix: Array
    ) -> Iterator[tuple[Places, Array, NDArray[np.bool_]]]:
        """Yield the cases of each pattern of a group, its ``Sigma^-1`` and what it answered."""
        cases, sigma = _cases_by_pattern(matrix), self.implied(phi).sigma[group]
        for at, inverses in self.inverses(sigma, group):
            for j, inverse in zip(at, inverses, strict=True):
                present = self.patterns.present[j]
                yield cases[_code(present)], inverse, present

    def reduced(self, slope: Array) -> Array:
        """Return derivatives by free parameters (..., q), from weighted ones of each group."""
        out: Array = slope.reshape((*slope.shape[:-2], -1)) @ self.reduction.matrix
        return out

    def congruent_weighted(self, per_group: Array) -> Array:
        """Return second derivatives by free parameters, from weighted ones of each group."""
        return replace(self, share=np.ones(self.n_groups)).congruent(per_group)

    @property
    def members(self) -> Array:
        """Which patterns are of each group (J, G)."""
        return np.equal.outer(self.patterns.group, np.arange(self.n_groups)).astype(float)


@dataclass(frozen=True, eq=False)
class PatternPoint(Point):
    """The model of every group at some values of its parameters, seen by patterns."""

    @cached_property
    def value_and_slope(self) -> tuple[Array, Array]:
        """F and its gradient."""
        value, slope = self._value_and_slopes()
        return value, _of_patterns(self.likelihood).reduced(slope)

    def full_gradient(self) -> Array:
        """Return the derivatives of F by every parameter, (..., G, T)."""
        return self._value_and_slopes()[1]

    def _value_and_slopes(self) -> tuple[Array, Array]:
        """Return F (...) and its derivatives by every parameter (..., G, T).

        With W the inverse of a pattern, S its covariances and d its deviation from the implied
        means, F rises by ``W - W (S + d d') W`` with Sigma and by ``-2 W d`` with the means.
        """
        value, rise, fall = self._pulls()
        # `layout.gradient` asks for W - W S W = rise and W d = fall, which W = I leads to.
        unit = np.eye(rise.shape[-1])
        structure = self.likelihood.structure
        return value, layout.gradient(structure, self.model, unit, unit - rise, fall)

    def _pulls(self) -> tuple[Array, Array, Array]:
        """Return F (...), its rise with Sigma (..., G, p, p) and with the means (..., G, p)."""
        likelihood, model = _of_patterns(self.likelihood), self.model
        assert model.mu is not None  # patterns always have means
        variance = np.diagonal(model.sigma, axis1=-2, axis2=-1)
        explained = variance * np.diagonal(self.inverse, axis1=-2, axis2=-1)
        log_det = log_determinants(model.sigma)
        invertible = np.isfinite(log_det) & (explained < 1 / REDUNDANT).all(axis=-1)
        regular = np.asarray(invertible.all(axis=-1))
        if not regular.any():
            return _pulls_by_inverses(likelihood, model)
        if not regular.all():
            return self._mixed_pulls(regular)
        patterns, weights = likelihood.patterns, likelihood.weights
        sums = completed(patterns, weights, self.inverse, model.mu)
        by_group = weights @ likelihood.members
        value = (log_det * by_group).sum(axis=-1) + sums.rest
        value = value + np.einsum("...gij,...gij->...", self.inverse, sums.second)
        rise = by_group[..., None, None] * self.inverse - self.inverse @ sums.second @ self.inverse
        return value, rise, (self.inverse @ sums.first[..., None])[..., 0]

    def _mixed_pulls(self, regular: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
        likelihood = _of_patterns(self.likelihood)
        p = self.model.sigma.shape[-1]
        groups = (len(regular), likelihood.n_groups)
        out = np.empty(len(regular)), np.empty((*groups, p, p)), np.empty((*groups, p))
        for rows in (regular, ~regular):
            part = PatternPoint(
                likelihood.take(rows), self.phi[rows], self.model.block(rows), self.inverse[rows]
            )._pulls()
            for array, values in zip(out, part, strict=True):
                array[rows] = values
        return out

    @cached_property
    def hessian(self) -> Array:
        """The second derivatives of F, (..., q, q)."""
        if self.model.sigma.ndim > 3:
            samples = range(len(self.model.sigma))
            return np.stack([self._of_sample(b).hessian for b in samples])
        likelihood, structure = _of_patterns(self.likelihood), self.likelihood.structure
        _, rise, fall = self._pulls()
        active = likelihood.reduction.active
        out = []
        for g in range(likelihood.n_groups):
            model = self.model.block(g)
            v = layout.pool(model)
            linear = layout.second_of_moments(structure, model, v.T @ rise[g] @ v, v.T @ fall[g])
            out.append(linear[np.ix_(active, active)] + self._quadratic(g, v, active))
        return likelihood.congruent_weighted(np.stack(out))

    def _quadratic(self, group: int, v: Array, active: Places) -> Array:
        """Return the part of the second derivatives that holds products of slopes, (A, A)."""
        likelihood, structure = _of_patterns(self.likelihood), self.likelihood.structure
        patterns, model = likelihood.patterns, self.model.block(group)
        assert model.mu is not None  # patterns always have means
        s = layout.mean_weights(structure, model)
        a, b, w = structure.a[active], structure.b[active], structure.weight[active]
        out, total = np.zeros((len(active), len(active))), np.zeros((v.shape[1], v.shape[1]))
        mixed = np.zeros_like(out)
        for at, inverse in likelihood.inverses(model.sigma, group):
            off = np.where(patterns.present[at], patterns.mean[at] - model.mu, 0)
            turned = inverse @ v
            pull = np.einsum("jpn,jp->nj", turned, off)
            h = np.moveaxis(v.T @ turned, 0, -1)
            r = 2 * pull[:, None] * pull - h
            varied = np.flatnonzero(patterns.varied[at])
            inner = turned[varied]
            r[..., varied] += 2 * np.moveaxis(
                inner.swapaxes(1, 2) @ patterns.cov[at][varied] @ inner, 0, -1
            )
            weights = likelihood.weights[at]
            out += _products(structure, h, r * weights, active, active)
            out += _products(structure, r * weights, h, active, active)
            total += h @ weights
            bent = np.array([(h[j] @ (pull[i] * weights)) for i, j in zip(a, b, strict=True)])
            plain = np.array([(h[i] @ (pull[j] * weights)) for i, j in zip(a, b, strict=True)])
            mixed += (bent + plain)[:, a]
        slope = mixed * w[:, None] * s[active]
        of_means = total[a[:, None], a] * np.outer(s[active], s[active]) + slope + slope.T
        return out + 2 * of_means

    @cached_property
    def information(self) -> Array:
        """The expected information of one case, (..., q, q)."""
        if self.model.sigma.ndim > 3:
            samples = range(len(self.model.sigma))
            return np.stack([self._of_sample(b).information for b in samples])
        likelihood = _of_patterns(self.likelihood)
        active = likelihood.reduction.active
        blocks = [
            likelihood.information_of_model(self.model.block(g), g, active, active)[0]
            for g in range(likelihood.n_groups)
        ]
        return likelihood.congruent_weighted(np.stack(blocks))

    def _of_sample(self, which: int) -> PatternPoint:
        likelihood = _of_patterns(self.likelihood).take(which)
        model = self.model.block(which)
        return PatternPoint(likelihood, self.phi[which], model, self.inverse[which])


def _of_patterns(likelihood: Likelihood) -> PatternLikelihood:
    assert isinstance(likelihood, PatternLikelihood)
    return likelihood


def _products(
    structure: Structure, first: Array, second: Array, rows: Places, columns: Places
) -> Array:
    """Return ``w_k w_l sum_j (f_akal s_bkbl + f_akbl s_bkal)`` of products (N, N, J), (r, k).

    A row is a look-up in one product of matrices (N, J) and (J, N).
    """
    a, b, w = structure.a[columns], structure.b[columns], structure.weight
    out = np.zeros((len(rows), len(columns)))
    for i, k in enumerate(rows):
        if w[k] != 0:
            product = first[structure.a[k]] @ second[structure.b[k]].T
            out[i] = w[k] * (product[a, b] + product[b, a])
    out *= w[columns]
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Completed:
    """Sums over patterns, what is absent filled in by what is present.

    Attributes
    ----------
    rest : array (...)
        What makes F of ``log|Sigma| + tr(W second)``: the sum of ``log|E'W E| - m``, m answers
        being absent.
    first, second : arrays (..., G, p), (..., G, p, p)
        Weighted sums of deviations from the means, and of their expected products.
    """

    rest: Array
    first: Array
    second: Array


def completed(patterns: Patterns, weights: Array, inverse: Array, mu: Array) -> Completed:
    """Return the expected sums of complete data: the E step of Dempster, Laird & Rubin (1977).

    Parameters
    ----------
    patterns : Patterns
    weights : array (..., J)
    inverse, mu : arrays (..., G, p, p), (..., G, p)
        ``Sigma^-1`` and means of the groups.
    """
    group, n_groups = patterns.group, inverse.shape[-3]
    off = np.where(patterns.present, patterns.mean - mu[..., group, :], 0)
    rest, second = np.zeros_like(weights), np.zeros(inverse.shape)
    members = np.equal.outer(np.arange(n_groups), group)
    for g, of_group in enumerate(members):
        varied = np.flatnonzero(of_group & patterns.varied)
        second[..., g, :, :] = np.einsum(
            "...j,...jik->...ik", weights[..., varied], patterns.cov[..., varied, :, :]
        )
    for which, absent in patterns.by_absent:
        at, weight = group[which], weights[..., which]
        rows, columns = absent[:, :, None], absent[:, None, :]
        block = inverse[..., at[:, None, None], rows, columns]
        # tr(W second) counts each absent answer as one.
        rest[..., which] = weight * (np.linalg.slogdet(block)[1] - absent.shape[1])
        left = layout.inverse_of(block)
        fill = -left @ inverse[..., at[:, None], absent, :]
        off[..., which[:, None], absent] = (fill @ off[..., which, :, None])[..., 0]
        added = weight[..., None, None] * left
        varied = np.flatnonzero(patterns.varied[which])
        if len(varied):
            of_varied = fill[..., varied, :, :]
            moved = of_varied @ patterns.cov[..., which[varied], :, :]
            moved *= weight[..., varied, None, None]
            added[..., varied, :, :] += moved @ of_varied.swapaxes(-1, -2)
            every = np.arange(inverse.shape[-1])
            blocks = at[varied][:, None, None]
            _add(second, (blocks, rows[varied], every), moved)
            _add(second, (blocks, every[:, None], columns[varied]), moved.swapaxes(-1, -2))
        _add(second, (at[:, None, None], rows, columns), added)
    weighted = off * weights[..., None]
    for g, of_group in enumerate(members):
        here = np.flatnonzero(of_group)
        second[..., g, :, :] += weighted[..., here, :].swapaxes(-1, -2) @ off[..., here, :]
    first = members.astype(float) @ weighted
    return Completed(rest.sum(axis=-1), first, second)


def _add(sums: Array, places: Any, values: Array) -> None:
    np.add.at(sums, (..., *places), values)


def _pulls_by_inverses(likelihood: PatternLikelihood, model: Implied) -> tuple[Array, Array, Array]:
    """Return the same where Sigma is (nearly) singular, from the inverse of every pattern."""
    patterns, weights = likelihood.patterns, likelihood.weights
    present, drawn = patterns.present, weights > 0
    sigma = _padded(model.sigma[..., patterns.group, :, :], present)
    inverse = np.where(drawn[..., None, None], _inverted(sigma, present), 0)
    assert model.mu is not None  # patterns always have means
    off = np.where(present, patterns.mean - model.mu[..., patterns.group, :], 0)
    about = inverse @ (patterns.cov + off[..., :, None] * off[..., None, :])
    value = log_determinants(sigma) + np.trace(about, axis1=-2, axis2=-1)
    value = np.where(drawn, np.where(np.isnan(value), np.inf, value), 0) * weights
    pull = (inverse @ off[..., None])[..., 0]
    members, shape = likelihood.members.T, inverse.shape
    rise = (inverse - about @ inverse) * weights[..., None, None]
    rise = (members @ rise.reshape((*shape[:-2], -1))).reshape((*shape[:-3], -1, *shape[-2:]))
    return value.sum(axis=-1), rise, members @ (pull * weights[..., None])


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
    members = replace(patterns.chunk(rows), group=np.zeros(rows.sum(), np.intp))
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
    shares = patterns.n / patterns.n.sum()
    sums = completed(patterns, shares, layout.inverse_of(cov)[None], mean[None])
    moved = sums.first[0]
    out = sums.second[0] - np.outer(moved, moved)
    return mean + moved, (out + out.T) / 2


def _value(patterns: Patterns, mean: Array, cov: Array) -> float:
    """Return F of unrestricted moments."""
    log_det = float(log_determinants(cov))
    if not np.isfinite(log_det):
        return float("inf")
    inverse, shares = layout.inverse_of(cov), patterns.n / patterns.n.sum()
    sums = completed(patterns, shares, inverse[None], mean[None])
    return float(log_det + sums.rest + (inverse * sums.second[0]).sum())


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
