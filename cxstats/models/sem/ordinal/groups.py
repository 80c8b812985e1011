"""Diagonally weighted least squares of ordered answers of several groups.

With thresholds equal over groups, a group's underlying variables may have another spread and its
latents other means, so thresholds are fitted beside the correlations: ``d_i (tau_ik - mu_i)`` and
``d_i d_j Sigma_ij``, with the scale d of each underlying variable one over its standard deviation
(delta parameterisation, Muthen & Asparouhov 2002). Scales are 1 in the first group, and everywhere
where thresholds are not equal.

References
----------
Muthen & Asparouhov (2002). Latent variable analysis with categorical outcomes: multiple-group and
growth modeling in Mplus. Mplus web notes 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.models.sem import structure as layout
from cxstats.models.sem.constraints import Reduction, complex_step
from cxstats.models.sem.model import Model
from cxstats.models.sem.optimizer import Optimum
from cxstats.models.sem.ordinal.moments import OrdinalMoments
from cxstats.models.sem.ordinal.wls import DeltaReduction, WeightedSquares
from cxstats.models.sem.structure import Structure

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ScaledReduction(DeltaReduction):
    """Parameters of groups as a function of the free ones, thresholds and scales among these.

    Attributes
    ----------
    item : array (m,)
        Item of each threshold.
    threshold_at : array (G, m)
        Place of each threshold among the free parameters; the same where groups have it equal.
    scale_at : array (G, p)
        Place of each scale; -1 where it is 1.
    start : array (q,)
        Thresholds of the sample and scales of 1, which the free parameters move; else 0.
    """

    item: Places
    threshold_at: Places
    scale_at: Places
    start: Array

    @classmethod
    def with_thresholds(
        cls, model: Model, moments: Sequence[OrdinalMoments], equal: bool
    ) -> ScaledReduction:
        """Return the reduction of a model of groups.

        Parameters
        ----------
        model : Model
        moments : sequence of OrdinalMoments
            Of the groups.
        equal : bool
            Whether thresholds are equal over groups, and scales free in all but the first.
        """
        plain, structure = Reduction.of(model), Structure.of(model)
        groups, q = len(moments), plain.matrix.shape[1]
        item = np.nonzero(moments[0].inner)[0]
        m, p = len(item), len(model.observed)
        sample = np.stack([group.thresholds for group in moments])
        if equal:
            threshold_at = np.tile(q + np.arange(m), (groups, 1))
            scale_at = np.arange(q + m - p, q + m + (groups - 1) * p).reshape(groups, p)
            scale_at[0] = -1
            start = np.concatenate([np.zeros(q), sample.mean(axis=0), np.ones((groups - 1) * p)])
        else:
            threshold_at = q + np.arange(groups * m).reshape(groups, m)
            scale_at = np.full((groups, p), -1)
            start = np.concatenate([np.zeros(q), sample.ravel()])
        matrix = np.hstack([plain.matrix, np.zeros((len(plain.matrix), len(start) - q))])
        return cls(
            model, plain.offset, matrix, plain.equations, plain.bounds, structure, item,
            threshold_at, scale_at, start,
        )  # fmt: skip

    def thresholds(self, phi: Array) -> Array:
        """Return the thresholds (..., G, m)."""
        return np.asarray((self.start + phi)[..., self.threshold_at])

    def scales(self, phi: Array) -> Array:
        """Return the scales (..., G, p)."""
        return np.where(self.scale_at < 0, 1, (self.start + phi)[..., self.scale_at])

    def variances(self, phi: Array) -> Array:
        """Return the variances of the underlying variables, (..., G, p)."""
        return np.asarray(1 / self.scales(phi) ** 2)


@dataclass(frozen=True, eq=False)
class GroupSquares(WeightedSquares):
    """``F = sum_g (n_g - 1) / N sum w (s - s(phi))^2`` over thresholds and correlations of groups.

    As in lavaan, groups count by n_g instead of n_g - 1 in errors and adjustments of the test.

    Attributes
    ----------
    weight, gamma : arrays (G (m + P),), (G (m + P), G (m + P))
        The share of a group times one over the diagonal of its Gamma, and its Gamma over the share.
    sizes : array (G,)
        Cases.
    observed : array (G, m + P)
        Thresholds and correlations of the sample.
    """

    sizes: Array
    observed: Array

    @classmethod
    def of(
        cls,
        reduction: ScaledReduction,
        moments: Sequence[OrdinalMoments],
        joint: Array | None = None,
    ) -> GroupSquares:
        """Return the sum of squares of a model of groups; `joint` is Gamma under a design."""
        from scipy.linalg import block_diag

        sizes = np.array([group.categories.size for group in moments])
        share = sizes / sizes.sum()
        pairs = zip(share, moments, strict=True)
        gamma = block_diag(*(m.joint_gamma / s for s, m in pairs)) if joint is None else joint
        return cls(
            reduction.structure, reduction, np.stack([group.corr for group in moments]),
            np.zeros((len(moments), len(reduction.model.observed))), share,
            1 / np.diagonal(gamma), gamma, sizes,
            np.stack([np.append(group.thresholds, group.rho) for group in moments]),
        )  # fmt: skip

    @property
    def scaled(self) -> ScaledReduction:
        """Its parameters."""
        assert isinstance(self.reduction, ScaledReduction)
        return self.reduction

    def expected(self, phi: Array) -> Array:
        """Return what the model expects of thresholds and correlations, (..., G (m + P))."""
        first, second = self.pairs
        model, scale = self.implied(phi), self.scaled.scales(phi)
        assert model.mu is not None  # groups have latent means
        item = self.scaled.item
        thresholds = scale[..., item] * (self.scaled.thresholds(phi) - model.mu[..., item])
        corr = model.sigma[..., first, second] * scale[..., first] * scale[..., second]
        both = np.concatenate([thresholds, corr], axis=-1)
        return both.reshape((*both.shape[:-2], -1))

    def gaps(self, phi: Array) -> Array:
        """Return the residuals, (..., G (m + P))."""
        return np.asarray(self.observed.ravel() - self.expected(phi))

    def slopes(self, phi: Array) -> Array:
        """Return the derivatives of what is expected, (G (m + P), q)."""
        return complex_step(self.expected, phi)

    def jacobian(self, phi: Array) -> Array:
        """Return the same: these are the moments that identify the model."""
        return self.slopes(phi)

    def units(self) -> Array:
        """Return ones: everything is in standard deviations."""
        return np.ones(self.observed.size)

    def chisq(self, optimum: Optimum, n: int) -> float:
        """Return the plain test of a fit: (n_g - 1) times the squares of each group."""
        return n * float(self.value(optimum.phi))

    @property
    def pulling(self) -> Array:
        """The weights of F, (G (m + P),)."""
        return self.weight * np.repeat(1 - 1 / self.sizes, self.observed.shape[1])

    def value(self, phi: Array) -> Array:
        """Return F, (...)."""
        return np.asarray((self.pulling * self.gaps(phi) ** 2).sum(axis=-1))

    def independence(self, n: int) -> tuple[float, Array]:
        """Return the plain test of the model in which nothing correlates, and its U Gamma."""
        m = len(self.scaled.item)
        here = np.tile(np.arange(self.observed.shape[1]) >= m, len(self.sizes))
        weight = self.weight[here]
        squares = (weight * self.observed.ravel()[here] ** 2).reshape(len(self.sizes), -1)
        chisq = float((self.sizes - 1) / self.share @ squares.sum(axis=1))
        return chisq, weight[:, None] * self.gamma[np.ix_(here, here)]

    def gradient(self, phi: Array) -> Array:
        """Return the derivatives of F, (..., q), for real or complex parameters."""
        scaled, (first, second) = self.scaled, self.pairs
        model, scale = self.implied(phi), scaled.scales(phi)
        assert model.mu is not None
        item, m = scaled.item, len(scaled.item)
        pull = (self.pulling * self.gaps(phi)).reshape((*phi.shape[:-1], *self.observed.shape))
        on_threshold, on_corr = pull[..., :m], pull[..., m:]
        by_item = np.equal.outer(item, np.arange(scale.shape[-1])).astype(float)
        # As in `wls`: the pulls of covariances beside the diagonal, and of means.
        s = np.zeros(model.sigma.shape, pull.dtype) + np.eye(scale.shape[-1])
        rise = on_corr * scale[..., first] * scale[..., second]
        s[..., first, second] += rise
        s[..., second, first] += rise
        fall = -(on_threshold @ by_item) * scale
        slope = layout.gradient(self.structure, model, np.eye(s.shape[-1]), s, fall)
        out = slope.reshape((*slope.shape[:-2], -1)) @ scaled.matrix
        tied = -2 * on_threshold * scale[..., item]
        for g, at in enumerate(scaled.threshold_at):
            out[..., at] += tied[..., g, :]
        distance = scaled.thresholds(phi) - model.mu[..., item]
        stretch = (on_threshold * distance) @ by_item
        off = np.zeros_like(s)
        off[..., first, second] = on_corr * model.sigma[..., first, second]
        off = off + off.swapaxes(-1, -2)
        stretch = -2 * (stretch + (off @ scale[..., None])[..., 0])
        free = scaled.scale_at >= 0
        out[..., scaled.scale_at[free]] += stretch[..., free]
        return np.asarray(out)


def group_rows(
    squares: GroupSquares, optimum: Optimum, covariance: Array, name_of: Callable[[int], Any]
) -> pd.DataFrame:
    """Return thresholds (``|``) and scales (``~*~``) as rows of a table, group after group.

    Columns ``lhs, op, rhs, label, group, estimate, se, std, std_se``; scales of 1 have no error.
    """
    import pandas as pd

    scaled, phi = squares.scaled, optimum.phi
    names, item = scaled.model.observed, scaled.item
    number = np.arange(len(item)) - np.searchsorted(item, item) + 1
    errors = np.sqrt(np.diagonal(covariance))
    standardised = complex_step(
        lambda point: (scaled.thresholds(point) * scaled.scales(point)[..., item]).reshape(
            (*point.shape[:-1], -1)
        ),
        phi,
    )
    std_se = np.sqrt(np.einsum("kq,qr,kr->k", standardised, covariance, standardised))
    thresholds, scales = scaled.thresholds(phi), scaled.scales(phi)
    rows: list[tuple[Any, ...]] = []
    for g in range(len(thresholds)):
        for k, i in enumerate(item):
            std = thresholds[g, k] * scales[g, i], std_se[g * len(item) + k]
            at = scaled.threshold_at[g, k]
            rows.append((names[i], "|", f"t{number[k]}", g, thresholds[g, k], errors[at], *std))
        for i, at in enumerate(scaled.scale_at[g]):
            se = errors[at] if at >= 0 else np.nan
            rows.append((names[i], "~*~", names[i], g, scales[g, i], se, 1.0, np.nan))
    columns = ["lhs", "op", "rhs", "group", "estimate", "se", "std", "std_se"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(label="", group=[name_of(g) for g in frame["group"]])
