"""What a PLS path model needs of the data: moments, and respondents where there are any."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import is_pandas, is_too_large, note_of_sums, respondents
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text
from cxstats.core.moments import (
    Moments,
    Replicates,
    bootstrap_moments,
    moments,
    replicate_moments,
)
from cxstats.models.pls.stages import Respondents
from cxstats.models.sem.tokens import near
from cxstats.stats.sampling_design import Design, SampledRows
from cxstats.survey.answers import missing_code_notes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MISSING = ("listwise", "mean")


@dataclass(frozen=True, eq=False)
class Sample:
    """The data behind a PLS path model.

    Attributes
    ----------
    moments : Moments
        Of the items that are columns of the data, in the order of the design.
    frame : table or None
        The respondents; None if only moments were given.
    missing : str
        "listwise" or "mean".
    replaced : int
        Missing answers that were replaced by the mean of their item.
    rows : SampledRows or None
        How the respondents used were sampled; None for a simple random sample.
    kept : array (rows,) or None
        Which rows of the frame have a weight and the answers that are needed; None without `rows`.
    too_large : bool
        Whether the frame has more rows than are fetched without being asked for.
    """

    moments: Moments
    frame: Any
    missing: str
    replaced: int
    rows: SampledRows | None = None
    kept: NDArray[np.bool_] | None = None
    too_large: bool = False

    @property
    def has_rows(self) -> bool:
        """Whether there are respondents that may be read into memory."""
        return self.frame is not None and not self.too_large

    @property
    def n(self) -> int:
        """Respondents used."""
        return self.moments.n

    @cached_property
    def used(self) -> NDArray[np.bool_]:
        """Which rows of the frame are used, (rows,)."""
        if self.kept is not None:
            return self.kept
        raw = read_rows(self._frame("this"), self.moments.names)
        if self.missing == "mean":
            return np.ones(len(raw), bool)
        return np.asarray(~np.isnan(raw).any(axis=1))

    @cached_property
    def matrix(self) -> Array:
        """The rows used, (n, p), missing answers replaced if that was asked for."""
        raw = read_rows(self._frame("this"), self.moments.names)
        return filled(raw[self.used], self.rows)[0] if self.missing == "mean" else raw[self.used]

    @property
    def weights(self) -> Array:
        """Weights of the rows used, (n,), of mean 1."""
        return np.ones(self.n) if self.rows is None else self.rows.weights

    @property
    def df(self) -> int:
        """Degrees of freedom of an error: respondents less 1, or clusters less strata."""
        return self.n - 1 if self.rows is None else self.rows.df

    @property
    def drawn(self) -> float:
        """Cases drawn in a resample that varies less than the truth by 1 / n.

        Resamples of clusters are scaled to vary by the right amount: there it is `df`.
        """
        clustered = self.rows is not None and (
            self.rows.design.cluster is not None or self.rows.design.strata is not None
        )
        return self.df if clustered else self.n

    @property
    def notes(self) -> tuple[Text, ...]:
        """What a reader must know of the sampling design, or of a table that is too large."""
        if self.too_large:
            return (note_of_sums(self.frame),)
        return () if self.rows is None else self.rows.notes()

    def replicates(self, n_resamples: int, seed: int, normal: bool = False) -> Replicates:
        """Return the moments of resamples of the rows used, which keep the sampling design.

        With `normal` those of many respondents are drawn themselves, see `replicate_moments`.
        """
        if self.rows is None:
            draw = replicate_moments if normal else bootstrap_moments
            return draw(self.matrix, n_resamples, seed)
        return weighted_replicates(self.matrix, self.rows, n_resamples, seed)

    def respondents(self, weights: NDArray[np.floating | np.integer] | None = None) -> Respondents:
        """Return the rows used, with how often each is in each sample of a batch (B, n).

        Without `weights`, for a batch of one, with the weights of the sampling design.
        """
        if weights is None and self.rows is not None:
            weights = self.rows.weights[None]
        return Respondents(self.matrix, weights)

    @cached_property
    def missing_codes(self) -> tuple[Text, ...]:
        """Notes on values that look like missing codes; none without respondents."""
        if self.frame is None:
            return ()
        return tuple(missing_code_notes_of(self.frame, self.moments.names))

    def _frame(self, what: str) -> Any:
        if self.frame is None:
            raise CxError(
                f"the model was fitted to moments alone; {what} needs the respondents: pass the "
                "frame to cx.pls"
            )
        return self.frame

    def require_rows(self, what: str) -> None:
        """Raise if there are no respondents.

        Raises
        ------
        CxError
        """
        self._frame(what)


def read_sample(
    data: Any, items: tuple[str, ...], missing: str, design: Design | None = None
) -> Sample:
    """Take the moments of a model's items.

    Parameters
    ----------
    data : table or Moments
    items : tuple of str
    missing : {"listwise", "mean"}
        Leave out respondents with a missing answer, or put the mean of the item there.
    design : Design, optional
        How respondents were sampled. Means and covariances are weighted then, and a respondent
        whose weight is 0 is left out.

    Raises
    ------
    DataError, CxError
        If an item is not there, not numeric, constant or without any answer, or there are fewer
        than three respondents.
    """
    if missing not in MISSING:
        raise CxError(f"missing is {missing!r}; allowed: {', '.join(MISSING)}")
    if design is not None:
        sample = _designed_sample(data, items, missing, design)
    elif isinstance(data, Moments):
        sample = Sample(_select(data, items), None, missing, 0)
    else:
        _check_columns(data, items)
        sample = _filled_sample(data, items) if missing == "mean" else Sample(
            moments(data, items), data, missing, 0, too_large=is_too_large(data))  # fmt: skip
    _check_moments(sample.moments)
    return sample


def _select(published: Moments, items: tuple[str, ...]) -> Moments:
    for item in items:
        if item not in published.names:
            raise CxError(f"no item {item!r} in the moments; {near(item, published.names)}")
    return published.select(items)


def _filled_sample(data: Any, items: tuple[str, ...]) -> Sample:
    import pandas as pd

    values, replaced = filled(read_rows(data, items))
    return Sample(moments(pd.DataFrame(values, columns=list(items)), items), data, "mean", replaced)


def _designed_sample(data: Any, items: tuple[str, ...], missing: str, design: Design) -> Sample:
    """Take weighted moments."""
    if isinstance(data, np.ndarray):
        raise CxError("an array has no columns of a sampling design; pass a table")
    sampled = design.read(data)
    _check_columns(data, items)
    raw = read_rows(data, items)
    kept: NDArray[np.bool_] = sampled.weights > 0
    if missing == "listwise":
        kept = kept & ~np.isnan(raw).any(axis=1)
    if kept.sum() < 2:
        raise DataError(f"{kept.sum()} complete cases; at least 3 are needed")
    rows = sampled.take(np.flatnonzero(kept))
    values, replaced = filled(raw[kept], rows)
    return Sample(
        weighted_moments(items, values, rows.weights, int((~kept).sum())),
        data, missing, replaced, rows, kept,
    )  # fmt: skip


def weighted_moments(
    names: tuple[str, ...], values: Array, weights: Array, dropped: int = 0
) -> Moments:
    """Return weighted moments, ``cov = sum w (x - m)(x - m)' / sum w * n / (n - 1)``."""
    n = len(values)
    mean = weights @ values / weights.sum()
    centred = values - mean
    cov = (centred * weights[:, None]).T @ centred / weights.sum() * (n / (n - 1))
    return Moments(names, n, mean, (cov + cov.T) / 2, dropped)


def weighted_replicates(
    matrix: Array, rows: SampledRows, n_resamples: int, seed: int, of: NDArray[Any] | None = None
) -> Replicates:
    """Return the moments of resamples that keep a sampling design.

    Parameters
    ----------
    matrix : array (n, p)
    rows : SampledRows
        The design of all n rows.
    n_resamples, seed : int
    of : array (n,), optional
        Whether a row belongs to the group whose moments are wanted: the design is resampled as a
        whole, and a replicate that draws nobody of the group is NaN.
    """
    member = np.ones(len(matrix), bool) if of is None else np.asarray(of, bool)
    draws = (
        (first, weights[:, member]) for first, weights in rows.resampling_weights(n_resamples, seed)
    )
    return bootstrap_moments(matrix[member], n_resamples, seed, draws)


def read_rows(frame: Any, items: tuple[str, ...]) -> Array:
    """Return the answers (rows, p), NaN where one is missing."""
    return respondents(frame, items)[1]


def filled(values: Array, rows: SampledRows | None = None) -> tuple[Array, int]:
    """Return answers with the (weighted) mean of the item where one is missing, and how many."""
    gaps = np.isnan(values)
    if not gaps.any():
        return values, 0
    if rows is not None:
        return np.where(gaps, rows.mean(values), values), int(gaps.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(gaps, 0, values).sum(axis=0) / (~gaps).sum(axis=0)
    return np.where(gaps, mean, values), int(gaps.sum())


def _check_columns(data: Any, items: tuple[str, ...]) -> None:
    import narwhals as nw

    if isinstance(data, np.ndarray):
        return
    try:
        columns = (
            [str(name) for name in data.columns]
            if is_pandas(data)
            else nw.from_native(data).collect_schema().names()
        )
    except TypeError:
        return  # `blocks` names the type
    for item in items:
        if item not in columns:
            raise DataError(
                f"the model names {item!r}, which is no column of the data and no construct with "
                f"items; {near(item, columns)}"
            )


def _check_moments(sample: Moments) -> None:
    """Raise if no weights can be estimated from the moments."""
    for name, value, mean in zip(sample.names, np.diagonal(sample.cov), sample.mean, strict=True):
        if not np.isfinite(value):
            raise DataError(f"{name!r} has no variance: no answers, or infinite ones")
        if value <= 1e-12 * max(1.0, mean**2 if np.isfinite(mean) else 1.0):
            raise DataError(f"{name!r} is constant; a model needs answers that vary")
    if sample.n < 3:
        raise DataError(f"{sample.n} complete cases; at least 3 are needed")
