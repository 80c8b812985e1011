"""``cx.satisfaction_index``: an index from 0 to 100 in the form of the ACSI.

``I = sum_i w_i (mean_i - low) / (high - low) * 100``, ``sum_i w_i = 1``
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import signature
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both
from cxstats.satisfaction.formula_registry import published
from cxstats.satisfaction.index_weights import (
    Index,
    compare_estimated,
    factor_index,
    intervals_of,
    pls_index,
    totalled,
)
from cxstats.satisfaction.inputs import (
    Given,
    as_mapping,
    from_frame,
    is_series,
    refuse_missing,
    weight_shares,
)
from cxstats.satisfaction.result import WeightedScore
from cxstats.satisfaction.score import ROUGH, Options, check_options, score
from cxstats.service.dimension_scores import OVERALL
from cxstats.stats.group_comparison import compare_groups
from cxstats.survey.answers import as_pandas

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.pls.result import PlsFit

    Array = NDArray[np.float64]

Scale = tuple[float, float] | Mapping[str, tuple[float, float]]
WAYS = ("equal", "pls", "factor")


@published("E01", "reconstructed-low")
def satisfaction_index(  # noqa: PLR0913  (keywords)
    frame: Any,
    items: Sequence[str],
    *,
    scale: Scale = (1, 10),
    weights: Any = "equal",
    fit: PlsFit | None = None,
    construct: str | None = None,
    on_missing: str = "drop",
    by: str | None = None,
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
) -> WeightedScore:
    """Compute a satisfaction index, ``sum_i w_i (mean_i - low) / (high - low) * 100``.

    The form of the American Customer Satisfaction Index. Formula E01 of the case studies (document
    003, part 3) names a satisfaction and a loyalty index and no more: that they have this form is
    our reading (status: reconstructed, low confidence).

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table or DuckDB relation
        Respondents in rows.
    items : sequence of str
        The columns of the index.
    scale : (low, high) or mapping of item to (low, high)
        The ends of the answer scale.
    weights : "equal", "pls", "factor", mapping, Series or array (k,)
        Equal; fixed, summing to 1 or to 100; the unstandardised outer weights of a PLS construct
        (as in the ACSI: give `fit` and `construct`); those of regression factor scores of a
        one-factor model, ``lambda_i / theta_i``, fitted to the items by maximum likelihood.
    fit, construct : PlsFit, str
        A fit of `cxstats.models.pls` to the same table, and the construct whose items these are.
    on_missing : {"drop", "refuse", "rescale"}
        See `cxstats.weighted_score`; estimated weights need complete answers ("rescale" is
        refused).
    by : str, optional
        Column of groups or waves. They are compared with the same weights, those of all groups.
    level, n_resamples, seed
        Confidence level, bootstrap resamples of respondents, their seed.

    Returns
    -------
    WeightedScore
        BCa intervals; where weights come from "pls" or "factor", percentile intervals in which they
        are estimated anew in every resample, and ``.table`` has ``weight_ci_low, weight_ci_high``.

    Raises
    ------
    DataError
        If an answer is missing (with "refuse"), no number or off the scale; names row and column.
    CxError
        If weights or options are wrong, or the model behind the weights has no proper solution.

    Notes
    -----
    An index of unequal weights says what the items have in common only as far as the model that
    gave the weights holds; with items that correlate alike, equal weights give nearly the same.
    The omnibus test of groups takes weights as known.

    References
    ----------
    Fornell, Johnson, Anderson, Cha & Bryant (1996). The American Customer Satisfaction Index:
    nature, purpose, and findings. Journal of Marketing 60(4), 7-18.

    Examples
    --------
    >>> import cxstats as cx
    >>> responses, _ = cx.load_ecsi_mobile()
    >>> items = ["CUSA1", "CUSA2", "CUSA3"]
    >>> round(satisfaction_index(responses, items, n_resamples=1000).value, 2)
    71.97
    """
    return _index(
        as_pandas(frame), items, scale, weights, (fit, construct),
        Options(on_missing, by, level, n_resamples, seed), both("satisfaction.name.index"),
    )  # fmt: skip


def loyalty_index(frame: Any, items: Sequence[str], **options: Any) -> WeightedScore:
    """Compute a loyalty index: as `satisfaction_index`, of items that ask for loyalty.

    Formula E01 of the case studies (document 003, part 3), reconstructed with low confidence.

    Examples
    --------
    >>> import cxstats as cx
    >>> responses, _ = cx.load_ecsi_mobile()
    >>> found = loyalty_index(responses, ["CUSL1", "CUSL2", "CUSL3"], n_resamples=1000)
    >>> round(found.value, 2)
    63.36
    """
    check_options(options, list(signature(satisfaction_index).parameters)[2:])
    found: WeightedScore = satisfaction_index(frame, items, **options)
    return replace(found, name=both("satisfaction.name.loyalty"))


def _index(
    frame: pd.DataFrame,
    items: Sequence[str],
    scale: Scale,
    weights: Any,
    model: tuple[PlsFit | None, str | None],
    options: Options,
    name: Text,
) -> WeightedScore:
    if isinstance(items, str) or not items or len(set(items)) < len(items):
        raise CxError(f"items are {items!r}; allowed: the names of different columns")
    if isinstance(weights, str) and weights not in WAYS:
        raise CxError(
            f"weights={weights!r}; allowed: {', '.join(WAYS)}, or a mapping of item to weight"
        )
    if model != (None, None) and not (isinstance(weights, str) and weights == "pls"):
        raise CxError(f"fit and construct go with weights='pls', not with weights={weights!r}")
    items = [str(item) for item in items]  # columns may be called 0, 1, 2
    if isinstance(scale, Mapping):
        scale = {str(item): pair for item, pair in scale.items()}
    raw = from_frame(frame, items, "items")
    low, width = ends(scale, items)
    given = Given(raw.names, 100 * (_on_scale(raw, low, width) - low) / width, frame)
    remarks: list[Text] = []
    if not isinstance(weights, str):
        mapping = as_mapping(weights, None if _named(weights) else items)
        shares, remarks = weight_shares(mapping, items, normalise=False)
        remarks.append(both("satisfaction.note.fixed"))
        words = "fixed"
    elif weights == "equal":
        shares, words = np.full(len(items), 1 / len(items)), "equal"
    else:
        return _estimated(raw, given, (low, width), weights, model, options, name)
    return score(
        given, shares, options, name, words, formula="E01",
        reading=both("satisfaction.reading.E01"), remarks=remarks,
    )  # fmt: skip


def _named(weights: Any) -> bool:
    return isinstance(weights, Mapping) or is_series(weights)


def ends(scale: Scale, items: Sequence[str]) -> tuple[Array, Array]:
    """Return the lower end and the width of every item's scale, (k,), (k,)."""
    if isinstance(scale, Mapping):
        for item in items:
            if item not in scale:
                raise CxError(f"scale: {item!r} has no ends; give (low, high)")
        pairs: list[Any] = [scale[item] for item in items]
    else:
        pairs = [scale] * len(items)
    for item, pair in zip(items, pairs, strict=True):
        if not _is_scale(pair):
            where = f"scale of {item!r}" if isinstance(scale, Mapping) else "scale"
            raise CxError(
                f"{where} is {pair!r}; allowed: (low, high), finite numbers, low below high"
            )
    limits = np.array([tuple(pair) for pair in pairs], float)
    return limits[:, 0], limits[:, 1] - limits[:, 0]


def _is_scale(pair: Any) -> bool:
    if not isinstance(pair, tuple | list | np.ndarray) or len(pair) != 2:
        return False
    real = all(isinstance(end, Real) and not isinstance(end, bool | np.bool_) for end in pair)
    return real and bool(np.isfinite(np.array(pair, float)).all() and pair[0] < pair[1])


def _on_scale(raw: Given, low: Array, width: Array) -> Array:
    off = np.argwhere((raw.values < low) | (raw.values > low + width))
    if len(off):
        row, place = off[0]
        raise DataError(
            f"row {raw.frame.index[row]!r}, column {raw.names[place]!r}: "
            f"{raw.values[row, place]:g} is off the scale; allowed: {low[place]:g} to "
            f"{low[place] + width[place]:g}"
        )
    return raw.values


def _estimated(
    raw: Given,
    given: Given,
    ends: tuple[Array, Array],
    weights: str,
    model: tuple[PlsFit | None, str | None],
    options: Options,
    name: Text,
) -> WeightedScore:
    """Compute an index with weights from a model, estimated anew in every resample."""
    if options.on_missing == "rescale":
        raise CxError(f"weights={weights!r} need complete answers; allowed: 'drop', 'refuse'")
    if options.on_missing == "refuse":
        refuse_missing(raw, np.ones(len(raw.names)))
    kept = np.asarray(~np.isnan(raw.values).any(axis=1))
    if weights == "pls":
        kept, index = _from_pls(raw, ends, kept, model)
    else:
        index = factor_index(raw.values[kept], raw.names, *ends)
    k = len(raw.names)
    values = np.where(kept[:, None], given.values, np.nan)
    found = intervals_of(index, options.level, options.n_resamples, options.seed)
    own, se, low, high, failed = found
    # The fixed-weight result has everything but the intervals that know of the weights.
    plain = replace(options, by=None, n_resamples=1, on_missing="drop")
    result = score(
        Given(given.names, values, given.frame), own[k + 1 :], plain, name, weights,
        formula="E01", reading=both("satisfaction.reading.E01"),
    )  # fmt: skip
    table = result.table.assign(ci_low=low[: k + 1], ci_high=high[: k + 1], se=se[: k + 1])
    for column, limits in (("weight_ci_low", low), ("weight_ci_high", high)):
        table[column] = [*limits[k + 1 :], np.nan]
    groups = _groups(index, given, kept, values * own[k + 1 :], options)
    return replace(
        result, table=table, groups=groups.means, comparisons=groups.pairs,
        omnibus=groups.omnibus, by=options.by, on_missing=options.on_missing,
        n_resamples=options.n_resamples, n_failed=failed,
        remarks=_remarks(own[k + 1 :], kept, failed, weights, raw, options),
    )  # fmt: skip


def _from_pls(
    raw: Given,
    ends: tuple[Array, Array],
    kept: NDArray[np.bool_],
    model: tuple[PlsFit | None, str | None],
) -> tuple[NDArray[np.bool_], Index]:
    """Return which rows a PLS fit used, and its index."""
    fit, construct = model
    if fit is None or construct is None:
        raise CxError("weights='pls' need fit=cx.pls(model, frame) and construct=its name")
    names = fit.design.constructs
    if construct not in names:
        raise CxError(f"construct is {construct!r}; allowed: {', '.join(names)}")
    own = fit.design.items[fit.design.blocks[names.index(construct)]]
    if sorted(own) != sorted(raw.names):
        raise CxError(f"items are {', '.join(raw.names)}; {construct!r} has {', '.join(own)}")
    places = np.array([fit.design.items.index(name) for name in raw.names])
    fit.require_sound("index")
    fit.sample.require_rows("an index")
    if fit.sample.missing != "listwise":
        raise CxError("the fit has missing='mean'; weights='pls' need missing='listwise'")
    same = fit.sample.kept.shape == kept.shape and np.array_equal(
        raw.values[fit.sample.kept], fit.sample.matrix[:, places]
    )
    if not same:
        raise CxError("fit was made from other respondents than those of the table")
    return fit.sample.kept, pls_index(fit, places, *ends)


def _groups(
    index: Index, given: Given, kept: NDArray[np.bool_], terms: Array, options: Options
) -> Any:
    groups = compare_groups(
        given.frame, options.by, totalled(terms), [*given.names, OVERALL], options.level,
        1, options.seed,
    )  # fmt: skip
    if options.by is None or groups.means is None:
        return groups
    labels = given.frame[options.by][kept]
    members = {
        group: np.flatnonzero((labels == group).to_numpy(bool, na_value=False))
        for group in dict.fromkeys(groups.means["group"])
    }
    return compare_estimated(
        index, members, groups, options.level, options.n_resamples, options.seed
    )


def _remarks(
    shares: Array,
    kept: NDArray[np.bool_],
    failed: int,
    weights: str,
    raw: Given,
    options: Options,
) -> tuple[Text, ...]:
    remarks = [both(f"satisfaction.note.{weights}")]
    for item, weight in zip(raw.names, shares, strict=True):
        if weight < 0:
            remarks.append(both("satisfaction.note.negative", item=item, weight=f"{weight:.3f}"))
    if not kept.all():
        k, n = int((~kept).sum()), len(kept)
        remarks.append(both("satisfaction.note.dropped", k=k, n=n))
    if failed:
        remarks.append(both("satisfaction.note.failed", k=failed, b=options.n_resamples))
    if options.n_resamples < ROUGH:
        remarks.append(both("satisfaction.note.rough", b=options.n_resamples))
    alone = 0 if options.by is None else int(raw.frame[options.by].isna().sum())
    if alone:
        remarks.append(both("satisfaction.note.ungrouped", k=alone, by=options.by))
    return tuple(remarks)
