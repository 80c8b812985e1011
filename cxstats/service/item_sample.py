"""The items of constructs as answers or as moments, and what is known of each choice of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas, is_too_large, note_of_sums
from cxstats.core.errors import DataError
from cxstats.core.language import Text, both
from cxstats.core.moments import Moments, bootstrap_moments, moments
from cxstats.core.pattern_moments import PatternMoments
from cxstats.stats.sampling_design import Design, SampledRows
from cxstats.survey.answers import answers
from cxstats.survey.codebook import Codebook
from cxstats.survey.coding import coded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Variance, relative to the squared mean, below which an item does not vary.
CONSTANT = 1e-12
LISTED = 4  # items that a message names


@dataclass(frozen=True, eq=False)
class ItemSample:
    """The items of all constructs, as answers or as moments."""

    constructs: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]
    answers: Array | None
    published: Moments | PatternMoments | None
    synthetic: bool
    codebook: Codebook
    rows: SampledRows | None
    notes: tuple[Text, ...] = ()
    counts: dict[tuple[str, ...], int] = field(default_factory=dict)
    samples: dict[tuple[str, ...], Moments] = field(default_factory=dict)

    @classmethod
    def of(
        cls, data: Any, codebook: Codebook, role: str | None, design: Design | None
    ) -> ItemSample:
        """Return the items of a table, or of moments.

        Raises
        ------
        CxError
            If moments come with a sampling design, which needs respondents.
        """
        constructs = {
            name: tuple(codebook.column(item, role) for item in items)
            for name, items in codebook.constructs.items()
        }
        names = tuple(column for columns in constructs.values() for column in columns)
        if isinstance(data, Moments):
            if design is not None:
                design.read(data)  # raises: moments have no respondents
            return cls(constructs, names, None, data.select(names), False, codebook, None)
        if design is None and is_too_large(data):
            sums = PatternMoments.of(coded(data, codebook, names), names)
            note = note_of_sums(data)
            return cls(constructs, names, None, sums, False, codebook, None, (note,))
        frame = as_pandas(data, [*names, *(design.columns if design else ())])
        synthetic = bool(frame.attrs.get("synthetic"))
        rows = None if design is None else design.read(frame)
        values = np.asfortranarray(answers(frame, codebook, role))  # read by columns
        return cls(constructs, names, values, None, synthetic, codebook, rows)

    def label(self, construct: str) -> Text:
        """Return the name of a construct in both languages."""
        return Text(self.codebook.label(construct, "en"), self.codebook.label(construct, "zh"))

    def varies(self, item: str) -> bool:
        """Return whether an item varies among all who answered it."""
        return self.varying([item]) == (item,)

    def complete(self, names: Sequence[str]) -> Array:
        """Return the cases that are complete on `names`."""
        columns, has = self.columns(names), self.answered(names)
        return columns if has.all() else columns[has]

    def answered(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Return who answered all of `names`."""
        assert self.answers is not None
        has = np.ones(len(self.answers), bool)
        for name in names:
            has &= ~np.isnan(self.answers[:, self.names.index(name)])
        return has

    def n_complete(self, names: Sequence[str]) -> int:
        """Return how many answered all of `names`."""
        key = tuple(names)
        if key not in self.counts:
            self.counts[key] = int(self.answered(key).sum())
        return self.counts[key]

    def columns(self, names: Sequence[str]) -> Array:
        """Return the answers to `names` of all respondents."""
        assert self.answers is not None
        return self.answers.T[[self.names.index(name) for name in names]].T

    def weights(self, names: Sequence[str]) -> Array:
        """Return the weights of the cases that are complete on `names`."""
        has = self.answered(names)
        return np.ones(has.sum()) if self.rows is None else self.rows.weights[has]

    def sampled(self, names: Sequence[str]) -> tuple[Array, SampledRows]:
        """Return answers and design of all rows; a row that is not complete has no weight."""
        if self.rows is None:
            return self.complete(names), SampledRows.plain(self.n_complete(names))
        has = self.answered(names)
        return np.where(has[:, None], self.columns(names), 0), self.rows.weighted(has)

    def df(self, names: Sequence[str]) -> float:
        """Return the degrees of freedom of an error: cases, or clusters less strata."""
        if self.rows is None:
            return self.n_complete(names) - 1.0
        has = self.answered(names)
        return float(self.rows.df_of(self.rows.clusters_with(has[:, None]))[0])

    def covariances(self, names: Sequence[str], n_resamples: int, seed: int) -> Array:
        """Return bootstrap replicates of the covariances (B, p, p), which keep the design."""
        if self.rows is None:
            return bootstrap_moments(self.complete(names), n_resamples, seed).cov
        has = self.answered(names)
        draws = ((i, w[:, has]) for i, w in self.rows.resampling_weights(n_resamples, seed))
        return bootstrap_moments(self.complete(names), n_resamples, seed, draws).cov

    def too_few(self, names: Sequence[str]) -> Text | None:
        """Return why there are no moments of `names`; None if there are."""
        if self.published is not None or (n := self.n_complete(names)) >= 2:
            return None
        more = len(names) > LISTED
        listed = Text(
            ", ".join(names[:LISTED]) + " ..." * more, "、".join(names[:LISTED]) + "等" * more
        )
        return both("reliability.problem.cases", n=n, items=listed)

    def varying(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the items that vary among the cases that are complete on what is returned.

        Without an item that is constant other cases may be complete, so this goes in rounds.
        """
        names = tuple(names)
        while names and not self.too_few(names):
            sample = self.moments(names)
            floor = CONSTANT * np.maximum(1.0, np.nan_to_num(sample.mean) ** 2)
            varies = np.diag(sample.cov) > floor
            if varies.all():
                break
            names = tuple(name for name, keep in zip(names, varies, strict=True) if keep)
        return names

    def moments(self, names: Sequence[str]) -> Moments:
        """Return the moments of the cases that are complete on `names`."""
        if self.published is not None:
            return self.published.select(names)
        if reason := self.too_few(names):
            raise DataError(reason.en)
        key = tuple(names)
        if key not in self.samples:
            self.samples[key] = self._moments(key)
        return self.samples[key]

    def _moments(self, names: tuple[str, ...]) -> Moments:
        answered = self.complete(names)
        if self.rows is None:
            plain: Moments = moments(answered, columns=names)
            return plain
        weights = self.weights(names)
        (cov,) = bootstrap_moments(answered, 1, 0, [(0, weights[None])]).cov
        return Moments(names, len(answered), weights @ answered / weights.sum(), cov)
