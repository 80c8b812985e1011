"""Moments of truth: how much the shortfall of each touchpoint matters, and which comes first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.language import Text, note_if
from cxstats.journeys.journey_map import JourneyMap
from cxstats.journeys.touchpoint_scores import TouchpointScores
from cxstats.journeys.weighted_stages import first_shares, replicate_weighted_means
from cxstats.stats.intervals import t_interval
from cxstats.stats.means import MeanOptions, Means
from cxstats.stats.sampling_design import SampledRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FEWEST = 2  # answers of a touchpoint that has an interval


@dataclass(frozen=True, slots=True, eq=False)
class MomentsOfTruth:
    """Moments of truth of k touchpoints: estimates, limits, how certain each is the first."""

    estimate: Array
    low: Array
    high: Array
    certainty: Array
    gap_low: Array
    gap_high: Array


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """How far scores stay from expectations, and how much it matters.

    Attributes
    ----------
    gaps : array (n, k)
        Score less expectation; NaN where either is missing.
    expected : array (k,)
        Mean expectation.
    importance : array (n, k), (k,) or None
    """

    gaps: Array
    expected: Array
    importance: Array | None
    expectation_kind: str
    importance_kind: str
    rows: SampledRows | None

    @classmethod
    def of(
        cls,
        journey_map: JourneyMap,
        scores: TouchpointScores,
        shares: Array | None,
        weighting: str,
    ) -> Gaps:
        """Return the gaps of respondents, or of one published row.

        Parameters
        ----------
        journey_map, scores
            The map and its scores; its best score stands for an expectation that is not stated.
        shares : array (k,) or None
            Weights of touchpoints, the importance where none is stated.
        weighting : str
            How they came about; equal ones are no importance.
        """
        k = scores.scores.shape[1]
        expectations, kind = scores.expectations, "stated"
        if expectations is None:
            top = np.nan if scores.scale is None else scores.scale[1]
            expectations, kind = np.full(k, top), "" if scores.scale is None else "top"
        importance, of = scores.importance, "given"
        stated = np.array([t.importance for t in journey_map.touchpoints])
        if importance is not None:
            of = "stated" if importance.ndim == 2 else "given"
        elif not np.isnan(stated).all():
            importance, of = stated, "map"
        elif shares is not None and weighting != "equal":
            importance, of = shares, "weights"
        else:
            of = ""
        rows = scores.rows or SampledRows.plain(len(scores.scores))
        expected = rows.mean(np.broadcast_to(expectations, scores.scores.shape))
        return cls(scores.scores - expectations, expected, importance, kind, of, scores.rows)

    def moments(self, options: MeanOptions) -> MomentsOfTruth:
        """Return importance times shortfall, ``I_j (E_j - P_j)``, with the limits of each."""
        k = self.gaps.shape[1]
        plain = replace(options, bounds=None)
        means = Means.of(self.gaps, plain)
        gap_low, gap_high = means.limits(plain)
        nothing = np.full(k, np.nan)
        if self.importance is None or np.isnan(self.gaps).all():
            return MomentsOfTruth(nothing, nothing, nothing, nothing, gap_low, gap_high)
        rows = self.rows or SampledRows.plain(len(self.gaps))
        enough = means.n >= FEWEST
        importance = self.importance
        if importance.ndim == 1:
            estimate = -importance * means.mean
            low, high = -importance * gap_high, -importance * gap_low
            # Of importance 0 the moment is 0, and certain.
            values, weigh = self.gaps, lambda drawn: -importance * drawn
        else:
            levels = rows.mean(importance)
            estimate = -levels * means.mean
            low, high = self._delta_limits(rows, levels, means, options.level)
            values = np.hstack([self.gaps, importance])
            weigh = lambda drawn: -drawn[:, :k] * drawn[:, k:]  # noqa: E731
        drawn = replicate_weighted_means(values, rows, options.n_resamples, options.seed)
        certainty = first_shares(np.where(enough, weigh(drawn), np.nan))
        certainty = np.where(np.isnan(estimate) | ~enough, np.nan, certainty)
        return MomentsOfTruth(estimate, low, high, certainty, gap_low, gap_high)

    def _delta_limits(
        self, rows: SampledRows, levels: Array, means: Means, level: float
    ) -> tuple[Array, Array]:
        """Return t limits of the product of two means, from the influence on both."""
        assert self.importance is not None
        influence = -levels * np.nan_to_num(rows.influence_of_mean(self.gaps))
        influence -= means.mean * np.nan_to_num(rows.influence_of_mean(self.importance))
        se = np.sqrt(rows.variances(rows.cluster_sums(influence)))
        if self.rows is None:  # n of n - 1 of those who answered, as in the gaps' own errors
            n, everyone = means.n, len(self.gaps)
            with np.errstate(invalid="ignore", divide="ignore"):
                se = se * np.sqrt(n / (n - 1) * (everyone - 1) / everyone)
        return t_interval(-levels * means.mean, se, means.df, level)

    def level_of_importance(self) -> Array:
        """Return the importance of each touchpoint (k,), NaN where it is not known."""
        if self.importance is None:
            return np.full(self.gaps.shape[1], np.nan)
        if self.importance.ndim == 1:
            return self.importance
        rows = self.rows or SampledRows.plain(len(self.importance))
        return rows.mean(self.importance)

    def notes(self) -> list[Text]:
        """Return what gaps are to, and what importance is."""
        return [
            *note_if(self.expectation_kind == "top", "journey.note.top"),
            *note_if(self.importance_kind == "weights", "journey.note.importance_weights"),
            *note_if(self.importance_kind in ("given", "map"), "journey.note.fixed"),
        ]
