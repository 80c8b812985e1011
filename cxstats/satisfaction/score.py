"""``cx.weighted_score``: a weighted sum of scores, for one unit or for respondents.

``S_r = sum_k w_k x_rk``, ``sum_k w_k = 1``, and its mean over respondents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both, note_if
from cxstats.satisfaction.component_scores import ComponentScores, check_complete, read_scores
from cxstats.satisfaction.result import COMPLETE, WeightedScore
from cxstats.service.dimension_scores import OVERALL
from cxstats.stats.disclosure import check_min_cell
from cxstats.stats.group_comparison import compare_groups
from cxstats.stats.means import MeanOptions, Means, interval_notes
from cxstats.stats.sampling_design import Design, design_of
from cxstats.survey.answers import missing_code_notes
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ON_MISSING = ("refuse", "rescale", "drop")
ROUGH = 1_000  # resamples below which an interval's ends move visibly with the seed


@dataclass(frozen=True, slots=True)
class Options:
    """How a score is made and what is said of it; see `weighted_score`."""

    on_missing: str = "refuse"
    by: str | None = None
    interval: str = "t"
    design: Design | None = None
    cluster: str | None = None
    level: float = 0.95
    n_resamples: int = 5_000
    seed: int = 1
    min_cell: int | None = None

    def __post_init__(self) -> None:
        self.of_means()
        design_of(self.design, cluster=self.cluster)
        check_min_cell(self.min_cell)

    def of_means(self, frame: pd.DataFrame | None = None) -> MeanOptions:
        """Return how means get intervals: of the rows of a table, or of a simple sample."""
        design = design_of(self.design, cluster=self.cluster)
        rows = None if design is None or frame is None else design.read(frame)
        return MeanOptions(self.level, self.interval, self.n_resamples, self.seed, rows)

    @classmethod
    def of(cls, keywords: Mapping[str, Any]) -> Options:
        """Return options from keywords, among which `normalise` may be."""
        first, *others = (field.name for field in fields(cls))
        check_options(keywords, [first, "normalise", *others])
        return cls(**{name: value for name, value in keywords.items() if name != "normalise"})


def check_options(options: Iterable[str], allowed: Iterable[str]) -> None:
    """Raise if an option is unknown; the message lists the allowed ones.

    Examples
    --------
    >>> check_options(["lvl"], ["level", "seed"])
    Traceback (most recent call last):
    cxstats.core.errors.CxError: 'lvl' is no option; allowed: level, seed
    """
    names = list(allowed)
    for option in options:
        if option not in names:
            raise CxError(f"{option!r} is no option; allowed: {', '.join(names)}")


@by_codebook(sampling=("design", "cluster"))
def weighted_score(  # noqa: PLR0913  (keywords)
    scores: Any,
    weights: Any,
    *,
    on_missing: str = "refuse",
    normalise: bool = False,
    by: str | None = None,
    interval: str = "t",
    design: Design | None = None,
    cluster: str | None = None,
    min_cell: int | None = None,
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
    codebook: Any = None,
) -> WeightedScore:
    """Compute a weighted score, ``S_r = sum_k w_k x_rk``, and its mean over respondents.

    Parameters
    ----------
    scores : mapping or Series; array (k,) or (n, k); or a table
        The scores of one unit by component: a point, without an interval. Or respondents in rows:
        the columns that the weights name. All components in one unit, whichever it is.
    weights : mapping, Series or array (k,)
        Not negative, summing to 1 or to 100 within a millionth of it; exactly the components.
    on_missing : {"refuse", "rescale", "drop"}
        What to do where a score is missing: refuse and name it; divide by the weight of what is
        there, ``sum w x / sum w``, which takes the missing scores to be like the others; leave the
        respondent out. A component of weight 0 may be missing.
    normalise : bool
        Divide weights of any sum by it: ``sum w x / sum w``.
    by : str, optional
        Column of groups or waves to compare.
    interval : {"t", "hall", "bca"}
        Student's t, of differences Welch's, as the tests; t corrected for skewness, where answers
        pile up at an end; or bias-corrected and accelerated bootstrap. See `cxstats.servqual`.
    design : cxstats.Design, optional
        How respondents were sampled: weights, clusters, strata. The sampling weights go here alone:
        `weights` are those of the components.
    cluster : str, optional
        Column of clusters, short for ``design=cx.Design(cluster=...)``.
    min_cell : int, optional
        Groups with fewer respondents get no estimates, nor do those from which theirs could be
        computed (`cxstats.stats.disclosure`).
    level, n_resamples, seed
        Confidence level; resamples of respondents of "bca", and their seed.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes, direction, names and order of groups, and its sampling
        design unless one is named here (``design=None`` names none).

    Returns
    -------
    WeightedScore
        ``.table``: contributions ``mean(w_k x_rk)`` and their sum, with intervals.

    Raises
    ------
    CxError
        If weights are negative, do not sum up, or lack or invent a component.
    DataError
        If a score is missing (with "refuse"), not a number or infinite; names row and column.

    Notes
    -----
    Weights are taken as known: an interval is over respondents only. With "rescale" a respondent
    without a component has contribution 0 there and more elsewhere, so that contributions still
    add up to the score.

    Examples
    --------
    >>> import pandas as pd
    >>> weighted_score({"wait": 60, "staff": 80}, {"wait": 0.25, "staff": 0.75}).value
    75.0
    >>> frame = pd.DataFrame({"wait": [50, 70, 90, 60], "staff": [80, 60, 90, 70]})
    >>> result = weighted_score(frame, {"wait": 25, "staff": 75})
    >>> result.table["estimate"].round(4).tolist()
    [16.875, 56.25, 73.125]
    """
    options = Options(on_missing, by, interval, design, cluster, level, n_resamples, seed, min_cell)
    components, shares, notes = read_scores(scores, weights, normalise)
    weighting = "normalised" if normalise else "fixed"
    name = both("satisfaction.name")
    return score(components, shares, options, name, weighting, notes=notes)


def score(  # noqa: PLR0913  (keywords)
    components: ComponentScores,
    shares: Array,
    options: Options,
    name: Text,
    weighting: str,
    *,
    formula: str = "",
    reading: Text | None = None,
    notes: Sequence[Text] = (),
    bounds: tuple[float, float] | None = None,
) -> WeightedScore:
    """Compute a weighted score from a matrix and weights that sum to 1.

    No interval leaves `bounds`, between which the score and its contributions lie.
    """
    import pandas as pd

    if options.on_missing not in ON_MISSING:
        raise CxError(f"on_missing is {options.on_missing!r}; allowed: {', '.join(ON_MISSING)}")
    if components.single and options.by is not None:
        raise CxError(f"by={options.by!r}: one set of scores has no groups")
    if components.single and (options.design or options.cluster):
        raise CxError("one set of scores has no sampling design")
    if options.on_missing == "refuse":
        check_complete(components, shares)
    terms, covered = contributions(components.values, shares)
    if options.on_missing == "drop":
        terms[covered < COMPLETE] = np.nan
    used = np.asarray(~np.isnan(terms).any(axis=1))
    if not used.any():
        raise DataError("no respondent has the scores that the weights need; nothing is left")
    columns = np.column_stack([terms, terms.sum(axis=1)])
    names = [*components.names, OVERALL]
    of_means = replace(options.of_means(components.frame), bounds=bounds)
    means = Means.of(columns, of_means)
    groups = compare_groups(
        components.frame, options.by, columns, names, of_means, options.min_cell
    )
    return WeightedScore(
        table=_table(components, shares, means, of_means, used),
        scores=pd.Series(columns[:, -1], index=components.frame.index, name="score"),
        coverage=float(covered[used].mean()),
        least_coverage=float(covered[used].min()),
        groups=groups.means,
        comparisons=groups.pairs,
        omnibus=groups.omnibus,
        name=name,
        weights=weighting,
        n=int(used.sum()),
        n_left_out=int((~used).sum()),
        formula=formula,
        reading=reading,
        interval=options.interval,
        design=None if of_means.rows is None else of_means.rows.design,
        notes=(
            *notes,
            *_notes(components, used, covered, options),
            *sample_notes(name, means, of_means),
            *groups.notes,
        ),
        on_missing=options.on_missing,
        by=options.by,
        level=options.level,
        n_resamples=options.n_resamples,
        seed=options.seed,
        n_failed=0,
        synthetic=bool(components.frame.attrs.get("synthetic")),
    )


def contributions(values: Array, shares: Array) -> tuple[Array, Array]:
    """Return what each component adds to each score (n, k), and the weight that has data (n,).

    ``w_k x_rk / sum of the weights that respondent r has``; 0 where a score is missing, NaN in a
    row that has none.

    Examples
    --------
    >>> contributions(np.array([[10.0, 20.0], [np.nan, 20.0]]), np.array([0.4, 0.6]))
    (array([[ 4., 12.], [ 0., 20.]]), array([1. , 0.6]))
    """
    has = ~np.isnan(values)
    full = has[:, shares > 0].all(axis=1)
    covered = np.where(full, 1.0, has @ shares)
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where(has, values, 0) * shares / covered[:, None]
    terms[covered == 0] = np.nan
    return terms, covered


def sample_notes(name: Text, means: Means, options: MeanOptions) -> tuple[Text, ...]:
    """Say where the interval of the score covers less than it says, and what a design changes."""
    last = slice(len(means.n) - 1, None)
    design = () if options.rows is None else options.rows.notes()
    few = interval_notes([name], means.n[last], means.skewness[last], options.interval)
    return (*few, *design)


def _table(
    components: ComponentScores,
    shares: Array,
    means: Means,
    options: MeanOptions,
    used: NDArray[np.bool_],
) -> pd.DataFrame:
    import pandas as pd

    low, high = means.limits(options)
    values = np.where(used[:, None], components.values, np.nan)
    n = (~np.isnan(values)).sum(axis=0)
    return pd.DataFrame(
        {
            "weight": [*shares, shares.sum()],
            "mean": [*options.mean(values), np.nan],
            "estimate": means.mean,
            "ci_low": low,
            "ci_high": high,
            "se": means.se,
            "n": [*n, int(used.sum())],
        },
        index=pd.Index([*components.names, OVERALL], name="component"),
    )


def _notes(
    components: ComponentScores, used: NDArray[np.bool_], covered: Array, options: Options
) -> list[Text]:
    """Return what was left out, what was rescaled and what is rough."""
    n, n_used, single = len(used), int(used.sum()), components.single
    n_partial = int((covered[used] < COMPLETE).sum())
    least = f"{100 * covered[used].min():.0f}"
    rescaled = "satisfaction.note.rescaled.single" if single else "satisfaction.note.rescaled"
    dropped = options.on_missing == "drop"
    left_out = "satisfaction.note.dropped" if dropped else "satisfaction.note.empty"
    few = not single and n_used < 2
    drawn = options.interval == "bca" and not single and not few
    rough = drawn and options.n_resamples < ROUGH
    return [
        *note_if(n_partial > 0, rescaled, k=n_partial, n=n, least=least),
        *note_if(n_used < n, left_out, k=n - n_used, n=n),
        *note_if(single, "satisfaction.note.single"),
        *note_if(few, "satisfaction.note.one"),
        *note_if(rough, "satisfaction.note.rough", b=options.n_resamples),
        *missing_code_notes(dict(zip(components.names, components.values.T, strict=True))),
        *ungrouped_note(components.frame, options.by),
    ]


def ungrouped_note(frame: pd.DataFrame, by: str | None) -> list[Text]:
    """Return how many respondents are in no group, if any."""
    n = 0 if by is None else int(frame[by].isna().sum())
    return note_if(n > 0, "satisfaction.note.ungrouped", k=n, by=by)
