"""Cases of a model that were sampled with weights, clusters or strata.

The estimates maximise the weighted likelihood (pseudo-maximum likelihood, Skinner 1989); what
varies is the sum of scores over clusters, not over cases.

References
----------
Skinner (1989). Domain means, regression and multivariate analysis. In: Analysis of complex surveys,
59-87. Wiley.
Asparouhov & Muthen (2005). Multivariate statistical modeling with survey data. Proceedings of the
FCSM research conference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.moments import Seed
from cxstats.stats.sampling_design import SampledRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SampledCases:
    """The cases of a fit among the rows of a sample.

    Rows that are no cases (an answer is missing, a weight is 0, the group is another) stay in the
    sample: the cases are a domain of it, as in R's survey.

    Attributes
    ----------
    sampled : SampledRows
        The design of every row of the table.
    places : tuple of arrays (n_g,)
        Rows of the cases of each group.
    """

    sampled: SampledRows
    places: tuple[NDArray[np.intp], ...]

    @property
    def n(self) -> int:
        """Cases."""
        return sum(map(len, self.places))

    @property
    def weights(self) -> list[Array]:
        """Weights of the cases of each group, scaled to add up to the number of all cases."""
        total = sum(float(self.sampled.weights[rows].sum()) for rows in self.places)
        return [self.sampled.weights[rows] * (self.n / total) for rows in self.places]

    def mean_square(self, scores: Array) -> Array:
        """Return n times the covariance of the weighted mean of scores (n, k), (k, k).

        In place of the mean square of independent cases; `SampledRows.covariance` of the weighted
        scores over n.
        """
        return self.sampled.covariance(self._in_rows(scores)) / self.n

    def mean_squares(self, scores: Array) -> Array:
        """Return the diagonal of `mean_square` alone, (k,)."""
        return self.sampled.variances(self.sampled.cluster_sums(self._in_rows(scores))) / self.n

    def cluster_sums(self, influence: Array) -> Array:
        """Return weighted influences (n, k) summed over clusters, about the mean of the stratum."""
        sums, stratum = self.sampled.cluster_sums(self._in_rows(influence)), self.sampled.stratum
        means = np.zeros((stratum.max() + 1, sums.shape[1]))
        np.add.at(means, stratum, sums)
        centred: Array = sums - (means / self.sampled.clusters_by_stratum[:, None])[stratum]
        return centred

    def resamples(self, n_resamples: int, seed: Seed) -> Iterator[list[Array]]:
        """Yield resamples that keep the design: one at a time, weights (n_g,) of each group."""
        for _, weights in self.sampled.resampling_weights(n_resamples, seed):
            for resample in weights:
                yield [resample[rows] for rows in self.places]

    def _in_rows(self, scores: Array) -> Array:
        out = np.zeros((self.sampled.n, scores.shape[1]))
        out[np.concatenate(self.places)] = scores * np.concatenate(self.weights)[:, None]
        return out


def weighted_moments(matrix: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Return weighted moments of cases for a batch of weights; 0 where all weights are.

    All covariances come out of one product of the weights with the products of every pair of
    variables.

    Parameters
    ----------
    matrix : array (n, p)
        Cases, nothing missing.
    weights : array (b, n)
        From 0 upwards.

    Returns
    -------
    sizes, means, covariances : arrays (b,), (b, p), (b, p, p)
        Sums of weights, and moments with that divisor.
    """
    p = matrix.shape[1]
    row, column = np.tril_indices(p)
    sizes = weights.sum(axis=1)
    centre = weights.sum(axis=0) @ matrix / max(float(sizes.sum()), 1e-300)
    off = matrix - centre
    sums = weights @ np.concatenate([off, off[:, row] * off[:, column]], axis=1)
    share = np.where(sizes > 0, sizes, 1)[:, None]
    mean, flat = sums[:, :p] / share, sums[:, p:] / share
    cov = np.empty((len(weights), p, p))
    cov[:, row, column] = cov[:, column, row] = flat - mean[:, row] * mean[:, column]
    return sizes, mean + centre, cov
