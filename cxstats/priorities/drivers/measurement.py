"""How a method measures a sample: its importances, their replicates, and what noise would get.

`LinearMeasurement` takes correlations (Shapley values of R2, relative weights, betas),
`LogisticMeasurement` respondents (Shapley values of McFadden's R2). Both meet the same
interface, so that intervals, tests, ranks and groups are written once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.moments import Seed, bootstrap_moments, correlations
from cxstats.core.progress import tracked
from cxstats.priorities.drivers import importance_measures, influence_functions
from cxstats.priorities.drivers.coefficients import (
    INTERCEPT,
    Coefficients,
    linear_coefficients,
)
from cxstats.priorities.drivers.importance_measures import Regression, shapley_of, subset_weights
from cxstats.priorities.drivers.influence_functions import QuadraticForms, draws_of, noise_draws
from cxstats.priorities.drivers.logistic import SubsetFits, separated_columns
from cxstats.priorities.drivers.sample import Sample
from cxstats.priorities.drivers.shapley_sampling import FEW, PAIRS, Orders
from cxstats.stats.large_samples import is_large, normal_moments_of_design

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Measure = Callable[[Array], Array]

EXACT = 20  # drivers up to which all subsets are taken
# Drivers up to which resamples take all subsets, too: with more it costs less to take a few orders,
# which say how importances curve; the time then grows slowly.
EXACT_RESAMPLES = 12
MOST_LOGISTIC = 10  # drivers of a logistic analysis: 1,024 regressions
HELD = 4_000_000  # numbers held at once by a chunk of replicates
# A replicate's variance below this part of the sample's is rounding: it drew one value only.
STILL = 1e-12
NEARLY = 1e-6  # tolerance of a driver that a message names as determined by others
SMALL = 1e-9  # part of the largest eigenvalue below which one adds nothing to noise


def measure(sample: Sample, method: str, seed: int) -> LinearMeasurement | LogisticMeasurement:
    """Measure a sample by a method.

    Raises
    ------
    CxError
        If betas do not exist, naming the drivers that determine each other; if relative weights
        are asked of a group, or a logistic analysis of too many drivers.
    """
    if method == "logistic":
        return LogisticMeasurement.of(sample)
    return LinearMeasurement.of(sample, method, seed)


@dataclass(frozen=True, slots=True, eq=False)
class LinearMeasurement:
    """Importances that follow from correlations alone."""

    sample: Sample
    method: str
    orders: Orders | None
    statistics: Array
    regression: Regression
    coefficients: Coefficients
    sampling_se: Array | None
    forms: QuadraticForms | None
    seed: int

    @classmethod
    def of(cls, sample: Sample, method: str, seed: int) -> LinearMeasurement:
        """Measure a sample."""
        p = len(sample.drivers)
        _check_betas_exist(sample, method)
        _check_no_group(sample, method)
        sizes = sample.sizes if sample.grouped else None
        orders = None
        if method == "shapley" and p > EXACT:
            orders = Orders.draw(p, PAIRS, seed, sizes)
        fit = importance_measures.regression(sample.corr, sample.n)
        of_sample = _statistics(_function(method, orders, sizes), method, sample.corr)
        errors = None if orders is None else orders.errors(sample.corr)
        forms = _forms(sample, method, orders)
        coefficients = linear_coefficients(sample, fit)
        return cls(sample, method, orders, of_sample, fit, coefficients, errors, forms, seed)

    @property
    def adjusted(self) -> float:
        """R2 with the degrees of freedom taken off."""
        return self.regression.adjusted

    def replicates(self, n_resamples: int, seed: Seed) -> Array:
        """Return the statistics of all bootstrap replicates (B, 2 p + 1)."""
        sample, orders, method = self.sample, self.orders, self.method
        p, q = len(sample.drivers), len(sample.columns)
        corr, varies = _correlations(sample, _resampled_covariances(sample, n_resamples, seed))
        sizes = sample.sizes if sample.grouped else None
        few = None if orders is None else orders.first(FEW)
        if method == "shapley" and EXACT_RESAMPLES < p <= EXACT:
            few = Orders.draw(p, FEW, self.seed, sizes)
        function = _function(method, None, sizes) if few is None else self._by_few(few)
        exact = method == "shapley" and few is None
        step = max(1, HELD // (8 * 2**p)) if exact else max(1, HELD // (8 * (q + 1) ** 2))
        statistics = np.concatenate(
            [
                _statistics(function, method, corr[start:stop])
                for start, stop in tracked(n_resamples, step)
            ]
        )
        return np.where(varies[:, None], statistics, np.nan)

    def _by_few(self, few: Orders) -> Measure:
        """Return Shapley values of correlations near the sample's, from few orders.

        Few orders shift every replicate alike, and get its slope wrong: what all orders say of the
        sample and of its derivatives takes the place of both. Curvature alone is left to them.
        """
        sample, forms = self.sample, self.forms
        assert forms is not None
        shift = self.statistics[: len(sample.drivers)] - few.shapley(sample.corr)
        slope = forms.influence - few.forms(sample.corr, sample.effective_n).influence

        def measure_of(corr: Array) -> Array:
            values = few.shapley(corr) + shift + np.einsum("juv,...uv->...j", slope, corr)
            return np.asarray(values, float)

        return measure_of

    def less_optimism(self, replicates: Array) -> Array:
        """Return the replicates with R2 adjusted twice: for the sample's optimism and their own.

        R2 adds up the optimism of p drivers, which makes percentiles miss; of one importance it is
        small beside its standard error and there the skewness of the percentiles makes up for it.
        The R2 of one driver is such an importance, and has its interval.
        """
        if len(self.sample.drivers) == 1:
            return replicates
        n, q = self.sample.n / _design_effect(self.sample), sum(self.sample.ranks)
        adjusted = replicates.copy()
        factor = ((n - 1) / max(n - q - 1, 1)) ** 2
        adjusted[:, -1] = np.maximum(1 - (1 - replicates[:, -1]) * factor, 0)
        return adjusted

    def noise(self, seed: int) -> list[Array] | None:
        """Return draws of what each driver would get if it were noise; a beta has its t test."""
        if self.forms is None:
            return None
        form, sample = self.forms.noise, self.sample
        if sample.sampled is None or sample.z is None:
            by_rank = {
                rank: noise_draws(form, sample.corr, sample.n, seed, rank)
                for rank in sorted(set(sample.ranks))
            }
            return [by_rank[rank] for rank in sample.ranks]
        z, all_draws = sample.z, {}
        for likeness, rank in zip(likenesses(sample), sample.ranks, strict=True):
            if (likeness, rank) not in all_draws:
                spread = noise_covariance(sample, z, likeness)
                n = independent_values(sample, likeness)
                all_draws[likeness, rank] = noise_draws(form, n * spread, n, seed, rank)
        return [all_draws[key] for key in zip(likenesses(sample), sample.ranks, strict=True)]


def by_normal_limit(sample: Sample) -> bool:
    """Return whether a sample is so large that its moments are drawn from their normal limit.

    Under a sampling design clusters are counted, and groups, which share clusters, are resampled.
    """
    if sample.sampled is None:
        return is_large(sample.n)
    return is_large(sample.sampled.df) and not sample.where


def _resampled_covariances(sample: Sample, n_resamples: int, seed: Seed) -> Array:
    """Return the covariances of standardised answers in resamples (B, q + 1, q + 1)."""
    z, draws = sample.z, None
    assert z is not None
    if by_normal_limit(sample):
        return normal_moments_of_design(z, n_resamples, seed, sample.sampled).cov
    if sample.sampled is not None:
        draws = sample.draws(n_resamples, seed)
    return bootstrap_moments(z, n_resamples, seed, draws).cov


def _statistics(function: Measure, method: str, corr: Array) -> Array:
    """Return importances, their shares and R2 (..., 2 p + 1)."""
    importance = function(corr)
    sizes = np.abs(importance) if method == "regression" else importance
    total = sizes.sum(axis=-1, keepdims=True)
    r2 = importance_measures.full_r2(corr)[..., None] if method == "regression" else total
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([importance, sizes / total, r2], axis=-1)


def _function(method: str, orders: Orders | None, sizes: tuple[int, ...] | None) -> Measure:
    if orders is not None:
        return orders.shapley
    if method == "shapley":
        return lambda corr: importance_measures.shapley(corr, sizes)
    return {"johnson": importance_measures.johnson, "regression": importance_measures.betas}[method]


def _forms(sample: Sample, method: str, orders: Orders | None) -> QuadraticForms | None:
    """Return the forms of a measure of shares of R2."""
    n = sample.effective_n
    if method == "regression":
        return None
    if orders is not None:
        return orders.forms(sample.corr, n)
    if method == "johnson":
        return influence_functions.johnson_forms(sample.corr, n)
    return influence_functions.shapley_forms(sample.corr, n, sample.sizes)


def _correlations(sample: Sample, cov: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the correlations of replicates, and which of them have all drivers and the outcome.

    A column of a group that a replicate did not draw says nothing there; the group stays.
    """
    diagonal = np.diagonal(cov, axis1=1, axis2=2)
    moves = diagonal > STILL
    tops = [diagonal[:, at].max(axis=1) for at in sample.slices]
    varies = np.column_stack([*tops, diagonal[:, -1]]).min(axis=1) > STILL
    identity = np.eye(cov.shape[-1])
    safe = np.where(varies[:, None, None], cov, identity)
    if not moves[varies].all():
        pairs = moves[:, :, None] & moves[:, None, :]
        safe = np.where(varies[:, None, None] & ~pairs, identity, safe)
    return correlations(safe), varies


def _check_betas_exist(sample: Sample, method: str) -> None:
    if method == "regression" and np.isnan(importance_measures.betas(sample.corr)).any():
        tolerances = importance_measures.tolerances(sample.corr)
        pairs = zip(sample.columns, tolerances, strict=True)
        names = [name for name, tolerance in pairs if tolerance < NEARLY]
        raise CxError(
            f"{sample.where}drivers determine each other, so betas do not exist: "
            f"{', '.join(names)}; leave one out or take method='shapley'"
        )


def _check_no_group(sample: Sample, method: str) -> None:
    if method == "johnson" and sample.grouped:
        name = sample.drivers[int(np.argmax(np.array(sample.sizes) > 1))]
        raise CxError(
            f"driver {name!r} is a group of columns, whose relative weight would depend on how "
            "they are coded; take method='shapley'"
        )


def likenesses(sample: Sample) -> list[float]:
    """Return how alike the answers of one cluster are, for each driver (0 without clusters).

    The mean product of the standardised answers of two rows of a cluster: the intraclass
    correlation. A driver that is the same for a whole branch has 1. Of a group, the mean.
    """
    if sample.sampled is None or sample.sampled.rows.design.cluster is None:
        return [0.0] * len(sample.drivers)
    assert sample.z is not None
    weights = sample.weights[:, None]
    terms = np.concatenate([sample.z[:, :-1] * weights, weights], axis=1)
    sums = sample.sampled.cluster_sums(terms)
    pairs = (sums**2).sum(axis=0) - (terms**2).sum(axis=0)
    if not pairs[-1] > 0:
        return [0.0] * len(sample.drivers)
    alike = np.clip(pairs[:-1] / pairs[-1], 0.0, 1.0)
    return [round(float(alike[at].mean()), 3) for at in sample.slices]


def independent_values(sample: Sample, likeness: float) -> float:
    """Return how many independent values a column of that likeness within clusters holds."""
    assert sample.sampled is not None
    weights = sample.weights[:, None]
    together = float((sample.sampled.cluster_sums(weights) ** 2).sum() / (weights**2).sum())
    return sample.effective_n / (1 + (together - 1) * likeness)


def noise_covariance(sample: Sample, values: Array, likeness: float) -> Array:
    """Return the covariance of the means of noise times values (n, k), under the design.

    Noise u of variance 1 is independent of the values, but two rows of a cluster have u alike:
    ``sum over pairs of a cluster of w w' rho v v' / n^2``, with ``rho`` 1 of a row with itself and
    the likeness of two.
    """
    weighted = values * sample.weights[:, None]
    alone = weighted.T @ weighted
    if likeness > 0 and sample.sampled is not None:
        sums = sample.sampled.cluster_sums(weighted)
        alone = (1 - likeness) * alone + likeness * sums.T @ sums
    return np.asarray(alone / sample.n**2, float)


def _design_effect(sample: Sample) -> float:
    """Return by how much the design widens the correlation of a noise driver with the outcome."""
    if sample.sampled is None or sample.z is None:
        return 1.0
    effects = [
        sample.n * noise_covariance(sample, sample.z[:, -1:], likeness).item()
        for likeness in set(likenesses(sample))
    ]
    return float(np.mean(effects))


@dataclass(frozen=True, slots=True, eq=False)
class LogisticMeasurement:
    """Shapley values of McFadden's R2 of an outcome of 0 and 1."""

    sample: Sample
    fits: SubsetFits
    statistics: Array
    regression: Regression
    coefficients: Coefficients
    separated: tuple[str, ...]
    sampling_se: None = None

    @classmethod
    def of(cls, sample: Sample) -> LogisticMeasurement:
        """Measure a sample."""
        p = len(sample.drivers)
        if p > MOST_LOGISTIC:
            raise CxError(
                f"{p} drivers; method='logistic' fits a regression on every subset and takes up "
                f"to {MOST_LOGISTIC}: leave out or group some"
            )
        assert sample.z is not None
        assert sample.matrix is not None
        x = np.column_stack([np.ones(sample.n), sample.z[:, :-1]])
        y = sample.matrix[:, -1]
        fits = SubsetFits.of(x, y, sample.weights, sample.sizes)
        apart = separated_columns(x, y)
        names = (INTERCEPT, *sample.columns)
        separated = tuple(name for name, is_apart in zip(names, apart, strict=True) if is_apart)
        regression = importance_measures.regression(sample.corr, sample.n)
        return cls(
            sample, fits, _shares_of(fits.worths, p), regression,
            _logistic_coefficients(sample, fits, bool(separated)),
            tuple(name for name in separated if name != INTERCEPT),
        )  # fmt: skip

    @property
    def adjusted(self) -> float:
        """McFadden's adjusted R2, ``1 - (loglik - q) / loglik_0`` with q columns."""
        q = sum(self.sample.ranks)
        return float(1 - (self.fits.loglik[-1] - q) / self.fits.loglik[0])

    def replicates(self, n_resamples: int, seed: Seed) -> Array:
        """Return the statistics of all bootstrap replicates (B, 2 p + 1)."""
        draws = self.sample.draws(n_resamples, seed)
        worths = self.fits.replicates(draws, n_resamples)
        failed = ~np.isfinite(worths).all(axis=1)
        worths[failed] = 0.0
        statistics = _shares_of(worths, len(self.sample.drivers))
        statistics[failed] = np.nan
        return statistics

    def less_optimism(self, replicates: Array) -> Array:
        """Return the replicates with R2 less twice its optimism, ``tr(H^-1 V) / 2 / |loglik_0|``.

        Without a design that is McFadden's adjustment by one for each column. The R2 of one
        driver is its importance, and has its interval.
        """
        if len(self.sample.drivers) == 1:
            return replicates
        x, sample = self.fits.x, self.sample
        optimism = float(sum(sample.ranks))
        if sample.sampled is not None:
            *_, (_, _, residuals, hessian) = self.fits.chunks()
            scores = x * (residuals[-1] * sample.weights)[:, None]
            spread = sample.sampled.covariance(scores)
            optimism = float(np.trace(np.linalg.solve(hessian[-1], spread))) - 1
        adjusted = replicates.copy()
        adjusted[:, -1] = np.maximum(replicates[:, -1] + optimism / self.fits.loglik[0], 0)
        return adjusted

    def noise(self, seed: int) -> list[Array]:
        """Return draws of what each driver would get if it were noise.

        Entering after S, a column u of noise raises the log-likelihood by ``U_S^2 / (2 V_S)``, with
        the score ``U_S = sum w u (y - mu_S)`` and ``V_S = sum w mu_S (1 - mu_S)``: its importance
        is a sum of squares of normal variables, whose covariance over S is known.
        """
        sample, fits = self.sample, self.fits
        p, n = len(sample.drivers), sample.effective_n
        columns = influence_functions.subset_columns(sample.sizes)
        share = subset_weights(p + 1)[1][: 2**p] * (n - 1) / np.maximum(n - 1 - columns, 1)
        residuals = np.concatenate([residuals for _, _, residuals, _ in fits.chunks()]).T
        mu = fits.y[:, None] - residuals
        variances = sample.weights @ (mu * (1 - mu))
        scale = np.sqrt(share / (2 * np.maximum(variances, 1e-300) * -fits.loglik[0]))
        all_draws: dict[Any, Array] = {}
        keys = list(zip(likenesses(sample), sample.ranks, strict=True))
        for likeness, rank in set(keys):
            spread = noise_covariance(sample, residuals * scale, likeness) * sample.n**2
            weights = np.linalg.eigvalsh(spread)
            weights = weights[weights > SMALL * weights[-1]]
            values = sample.n * 1.0
            if sample.sampled is not None:
                values = independent_values(sample, likeness)
            all_draws[likeness, rank] = draws_of(values * weights, values, seed, rank)
        return [all_draws[key] for key in keys]


def _shares_of(worths: Array, p: int) -> Array:
    """Return Shapley values, shares and R2 (..., 2 p + 1) from the R2 of all subsets."""
    importance = shapley_of(worths.copy(), p)
    total = importance.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([importance, importance / total, total], axis=-1)


def _logistic_coefficients(sample: Sample, fits: SubsetFits, separated: bool) -> Coefficients:
    """Return the coefficients of all columns in the units of the answers.

    Errors are those of maximum likelihood, or of the design (``svyglm`` in R's survey package).
    """
    names, k = (INTERCEPT, *sample.columns), len(sample.columns) + 1
    unknown = Coefficients(names, np.full(k, np.nan), np.full((k, k), np.nan), np.inf)
    if separated or np.isnan(importance_measures.betas(sample.corr)).any():
        return unknown
    *_, (_, _, residuals, hessian) = fits.chunks()
    weights, n = sample.weights, sample.n
    spread = sample.sd[:-1] * np.sqrt((n - 1) / n)
    units = np.eye(k)
    units[1:, 1:] = np.diag(1 / spread)
    units[0, 1:] = -sample.mean[:-1] / spread
    inverse = np.linalg.inv(hessian[-1])
    df = np.inf
    if sample.sampled is not None:
        inverse = sample.sampled.covariance((fits.x * (residuals[-1] * weights)[:, None]) @ inverse)
        df = sample.df
    return Coefficients(names, units @ fits.b[-1], units @ inverse @ units.T, df)
