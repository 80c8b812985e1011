"""The bootstrap of a model: all replicates fitted at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, p_text
from cxstats.core.language import Text, both, label
from cxstats.core.moments import check_resamples, replicate_moments, resampling_counts
from cxstats.core.progress import quiet_linear_algebra, tracked
from cxstats.core.result import Chart, Result
from cxstats.models.fitted_model import bootstrap_chart
from cxstats.models.sem.batch_search import CHUNK, Attempt, maximise_batch
from cxstats.models.sem.constraints import complex_step
from cxstats.models.sem.likelihood import Likelihood, log_determinants
from cxstats.models.sem.missing import PatternLikelihood, redrawn
from cxstats.models.sem.optimizer import maximise, tangent
from cxstats.models.sem.robust import score_blocks
from cxstats.models.sem.sampled_cases import weighted_moments
from cxstats.models.sem.standard_errors import inverse_scaled
from cxstats.models.sem.standardised_solution import all_quantities
from cxstats.stats.bootstrap import bca, normal_note, percentile_limits
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.sem.result import SemFit

    Array = NDArray[np.float64]

# Numbers of a batch of incomplete cases, whose patterns have a matrix each.
NUMBERS = 500_000
# Rounds from the solution of the sample, then from the start of a fresh search.
ROUNDS = (80, 250)
# Share of replicates without a solution above which their loss is said to matter.
LOST = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class SemBootstrap(Result):
    """Bootstrap of a structural equation model.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per parameter: ``lhs, op, rhs, label, group, estimate, se, ci_low, ci_high``
        (percentile), ``bca_low, bca_high``, and the same of the standardised solution with the
        prefix ``std``: ``std, std_se, std_ci_low, std_ci_high, std_bca_low, std_bca_high``.
    n_resamples : int
        Replicates drawn.
    n_failed : int
        Replicates without a solution; they are in no interval.
    n_improper : int
        Replicates whose solution has a negative variance or latent covariances that are not
        positive definite; they are in the intervals, as in lavaan.
    bollen_stine_p : float
        Share of replicates, drawn from data turned to fit the model exactly, with a chi-square
        at least as large as the sample's; NaN if not asked for.
    replicates : array (B, k)
        Estimates of every row of `table`, NaN where a replicate failed.
    level, seed
        What was asked for.
    n : int
        Respondents.
    synthetic : bool
        Whether they are simulated.
    notes : tuple of Text
        What makes the intervals doubtful.
    """

    table: pd.DataFrame
    n_resamples: int
    n_failed: int
    n_improper: int
    bollen_stine_p: float
    replicates: Array
    level: float
    seed: int
    n: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar[tuple[str, ...]] = ("paths",)
    reference: ClassVar[str] = (
        "Efron (1987). Better bootstrap confidence intervals. Journal of the American Statistical "
        "Association 82, 171-185. Bollen & Stine (1992). Bootstrapping goodness-of-fit measures "
        "in structural equation models. Sociological Methods & Research 21, 205-229."
    )

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return standardised paths and defined parameters (else loadings) with intervals.

        Percentile intervals.
        """
        rows = self.table[self.table["op"].isin(["~", ":="])]
        rows = rows if len(rows) else self.table[self.table["op"] == "=~"]
        names = [
            lhs if op == ":=" else f"{rhs} → {lhs}" if op == "~" else f"{lhs} → {rhs}"
            for lhs, op, rhs in zip(rows["lhs"], rows["op"], rows["rhs"], strict=True)
        ]
        limits = rows["std"], rows["std_ci_low"], rows["std_ci_high"]
        return bootstrap_chart(self, names, *limits, lang)

    def findings(self, lang: str) -> list[str]:
        """Return how many replicates there are, and how many have no solution."""
        lines = [
            label(
                "sem.bootstrap.head",
                lang,
                b=format_number(self.n_resamples),
                seed=self.seed,
                failed=format_number(self.n_failed),
                improper=format_number(self.n_improper),
            )
        ]
        if not np.isnan(self.bollen_stine_p):
            lines.append(label("sem.bootstrap.stine", lang, p=p_text(self.bollen_stine_p)))
        return lines


def bootstrap(
    fit: SemFit, n_resamples: int, seed: int, level: float, bollen_stine: bool
) -> SemBootstrap:
    """Draw replicates of a fit's sample and fit the model to each; see `SemFit.bootstrap`."""
    check_resamples(n_resamples, seed)
    check_level(level)
    fit.require_sound("bootstrap")
    if bollen_stine and fit.sample.patterns is not None:
        raise CxError(
            "the Bollen-Stine test turns complete cases: leave bollen_stine out, or take "
            "missing='listwise'"
        )
    matrices = fit.sample.matrices()
    with quiet_linear_algebra():
        if fit.sample.patterns is None:
            drawn, normal = _drawn(fit, matrices, n_resamples, seed)
            samples: Iterable[Likelihood] = [drawn]
        else:
            normal = False
            samples = _redrawn(fit, matrices, n_resamples, seed)
        phi, _, converged = _fitted(fit, samples)
        values = all_quantities(fit.likelihood, phi)
        improper = converged & _improper(fit.likelihood, phi)
        values[~converged] = np.nan
        stine = _bollen_stine(fit, drawn) if bollen_stine else float("nan")
        table = _table(fit, values, _influence(fit, matrices), level)
    failed = int((~converged).sum())
    notes = [normal_note(fit.n)] if normal else []
    if failed > LOST * n_resamples:
        notes.append(both("sem.bootstrap.lost"))
    half = values.shape[1] // 2
    return SemBootstrap(
        table, n_resamples, failed, int(improper.sum()), stine, values[:, :half], level, seed,
        fit.n, fit.synthetic, tuple(notes),
    )  # fmt: skip


def _drawn(
    fit: SemFit, matrices: list[Array], n_resamples: int, seed: int
) -> tuple[Likelihood, bool]:
    """Return the likelihood of all replicates of complete cases, and if moments were drawn."""
    cases, sizes = fit.sample.cases, fit.sample.sizes
    if cases is not None:
        replicates = [np.empty((n_resamples, *shape)) for shape in _shapes(fit)]
        for first, weights in _weights(fit, n_resamples, seed, CHUNK):
            rows = slice(first, first + len(weights[0]))
            for g, matrix in enumerate(matrices):
                moments = weighted_moments(matrix, weights[g])
                for array, of_group in zip(replicates, moments, strict=True):
                    array[rows, g] = of_group
        share = replicates[0] / replicates[0].sum(axis=1, keepdims=True)
        return replace(fit.likelihood, cov=replicates[2], mean=replicates[1], share=share), False
    draws = [
        replicate_moments(matrix, n_resamples, seed if len(matrices) == 1 else [seed, g])
        for g, matrix in enumerate(matrices)
    ]
    shrink = (sizes - 1) / sizes
    cov = np.stack([draw.cov for draw in draws], axis=1) * shrink[:, None, None]
    mean = np.stack([draw.mean for draw in draws], axis=1)
    modelled = fit.likelihood.mean is not None
    likelihood = replace(fit.likelihood, cov=cov, mean=mean if modelled else None)
    return likelihood, any(draw.normal for draw in draws)


def _shapes(fit: SemFit) -> list[tuple[int, ...]]:
    """Return the shapes of sizes, means and covariances of one sample."""
    groups, p = fit.sample.mean.shape
    return [(groups,), (groups, p), (groups, p, p)]


def _weights(
    fit: SemFit, n_resamples: int, seed: int, step: int
) -> Iterator[tuple[int, list[Array]]]:
    """Yield resamples in chunks: the first, and weights (b, n_g) of the cases of each group."""
    resamples: Iterator[Any]
    if fit.sample.cases is not None:
        resamples = fit.sample.cases.resamples(n_resamples, seed)
    else:
        sizes = [int(size) for size in fit.sample.sizes]
        single_group = len(sizes) == 1
        drawn = [
            resampling_counts(size, n_resamples, seed if single_group else [seed, g])
            for g, size in enumerate(sizes)
        ]
        resamples = zip(
            *((row for _, counts in chunks for row in counts) for chunks in drawn), strict=True
        )
    for start, stop in tracked(n_resamples, step):
        chunk = zip(*islice(resamples, stop - start), strict=True)
        yield start, [np.stack(of_group) for of_group in chunk]


def _redrawn(
    fit: SemFit, matrices: list[Array], n_resamples: int, seed: int
) -> Iterator[Likelihood]:
    """Yield the likelihoods of replicates of incomplete cases: their patterns, weighted anew."""
    likelihood = fit.likelihood
    assert isinstance(likelihood, PatternLikelihood)
    patterns = likelihood.patterns
    step = max(1, min(CHUNK, NUMBERS // patterns.cov.size))
    matrices = [matrix[~np.isnan(matrix).all(axis=1)] for matrix in matrices]
    for _, weights in _weights(fit, n_resamples, seed, step):
        chunk = redrawn(patterns, matrices, weights)
        sizes = np.stack([weight.sum(axis=1) for weight in weights], axis=1)
        share = sizes / sizes.sum(axis=1, keepdims=True)
        yield replace(likelihood, cov=chunk.cov, mean=chunk.mean, share=share, patterns=chunk)


def _fitted(fit: SemFit, samples: Iterable[Likelihood]) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Fit every replicate, in chunks."""
    reduction = fit.likelihood.reduction
    results = []
    attempts = _attempts(fit)
    for chunk in samples:
        if reduction.equations or reduction.bounds:
            results.append(_one_by_one(chunk, fit.optimum.phi))
        else:
            results.append(maximise_batch(chunk, attempts, fit.n))
    phi, value, converged = (np.concatenate(arrays) for arrays in zip(*results, strict=True))
    return phi, value, converged


def _attempts(fit: SemFit) -> list[Attempt]:
    first = Attempt(fit.optimum.phi, inverse_scaled(fit.optimum.hessian), ROUNDS[0])
    again = inverse_scaled(2 * fit.likelihood.information(fit.start))
    if not np.isfinite(again).all():
        return [first]
    return [first, Attempt(fit.start, again, ROUNDS[1])]


def _one_by_one(likelihood: Likelihood, start: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Fit replicates of a model with bounds or equations that are not linear."""
    optima = [
        maximise(likelihood.take(b).at(start))
        for first, last in tracked(len(likelihood.cov), CHUNK)
        for b in range(first, last)
    ]
    return (
        np.stack([optimum.phi for optimum in optima]),
        np.array([optimum.value for optimum in optima]),
        np.array([optimum.converged for optimum in optima]),
    )


def _improper(likelihood: Likelihood, phi: Array) -> NDArray[np.bool_]:
    """Return which solutions have a negative variance or improper latent covariances."""
    model = likelihood.reduction.model
    x = likelihood.reduction.all(phi)
    variances = [i for i, p in enumerate(model.parameters) if p.op == "~~" and p.lhs == p.rhs]
    negative = np.any(x[:, variances] < 0, axis=1)
    at = [i for i, name in enumerate(likelihood.structure.core) if name in model.latents]
    total = likelihood.implied(phi).total[..., at, :][..., at]
    improper: NDArray[np.bool_] = negative | ~np.all(np.isfinite(log_determinants(total)), axis=-1)
    return improper


def _bollen_stine(fit: SemFit, drawn: Likelihood) -> float:
    """Return the p value of Bollen & Stine (1992).

    Turning the data by ``S^-1/2 Sigma^1/2`` makes the model true in the sample; the replicate
    covariances of turned data are the turned replicate covariances.
    """
    likelihood = fit.likelihood
    implied = fit.optimum.point.model
    pairs = zip(likelihood.cov, implied.sigma, strict=True)
    turn = np.stack([_power(s, -0.5) @ _power(sigma, 0.5) for s, sigma in pairs])
    turned = turn.swapaxes(-1, -2) @ drawn.cov @ turn
    moved = None
    if drawn.mean is not None and implied.mu is not None:
        moved = ((drawn.mean - fit.sample.mean)[..., None, :] @ turn)[..., 0, :] + implied.mu
    replicates = replace(drawn, cov=turned, mean=moved)
    _, value, converged = _fitted(fit, [replicates])
    saturated = replicates.saturated()
    chisq = fit.n * (value - saturated)[converged]
    return float(np.mean(chisq >= fit.fit_indices["chisq"])) if len(chisq) else float("nan")


def _power(matrix: Array, exponent: float) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    out: Array = (vectors * values**exponent) @ vectors.T
    return out


def _influence(fit: SemFit, matrices: list[Array]) -> Iterator[Array]:
    """Return the influence of each case on each quantity, (n, k) in blocks; of clusters by design.

    The score of a case over the second derivatives; by the chain rule for everything else.
    """
    likelihood, phi = fit.likelihood, fit.optimum.phi
    along = tangent(fit.optimum.binding)
    inverse = along @ inverse_scaled(along.T @ fit.optimum.hessian @ along) @ along.T
    slopes = complex_step(lambda point: all_quantities(likelihood, point), phi)
    turn = 2 / fit.n * inverse @ slopes.T
    blocks = (scores @ turn for scores in score_blocks(likelihood, phi, matrices))
    if fit.sample.cases is None:
        return blocks
    return iter([fit.sample.cases.cluster_sums(np.concatenate(list(blocks)))])


def _table(fit: SemFit, values: Array, influence: Iterable[Array], level: float) -> pd.DataFrame:
    """Return intervals of every row of the fit's table."""
    estimate = fit.optimum.point.quantities
    usable = values[~np.isnan(values).all(axis=1)]
    moving: Any = np.zeros(len(estimate), bool)
    se, low, high = (np.full(len(estimate), np.nan) for _ in range(3))
    if len(usable) > 1:
        moving = np.ptp(usable, axis=0) > 1e-10 * np.abs(usable).max(axis=0)
        se[moving] = usable[:, moving].std(axis=0, ddof=1)
        low[moving], high[moving] = percentile_limits(usable[:, moving], level)
    bca_low, bca_high = bca(usable, estimate, influence, level)
    bca_low[~moving] = bca_high[~moving] = np.nan
    columns: dict[str, Any] = {}
    half = len(estimate) // 2
    for prefix, rows in (("", slice(0, half)), ("std", slice(half, None))):
        dash = f"{prefix}_" if prefix else ""
        columns |= {
            prefix or "estimate": estimate[rows],
            f"{dash}se": se[rows],
            f"{dash}ci_low": low[rows],
            f"{dash}ci_high": high[rows],
            f"{dash}bca_low": bca_low[rows],
            f"{dash}bca_high": bca_high[rows],
        }
    return fit.rows.assign(**columns)
