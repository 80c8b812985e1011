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

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both, note_if
from cxstats.core.messages import row_name
from cxstats.satisfaction.component_scores import (
    ComponentScores,
    as_mapping,
    check_complete,
    from_frame,
    is_named,
    weight_shares,
)
from cxstats.satisfaction.formula_registry import published
from cxstats.satisfaction.index_weights import (
    EstimatedIndex,
    bootstrap_intervals,
    compare_estimated,
    factor_index,
    pls_index,
    with_total,
)
from cxstats.satisfaction.result import WeightedScore
from cxstats.satisfaction.score import ROUGH, Options, check_options, score, ungrouped_note
from cxstats.service.dimension_scores import OVERALL
from cxstats.stats.disclosure import suppression_notes
from cxstats.stats.group_comparison import Groups, compare_groups, hidden_groups
from cxstats.stats.sampling_design import Design
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cxstats.models.pls.result import PlsFit

    Array = NDArray[np.float64]

Scale = tuple[float, float] | Mapping[str, tuple[float, float]]
INDEX_LIMITS = (0.0, 100.0)
HIDDEN = object()  # the group that all hidden ones make together
WEIGHTINGS = ("equal", "pls", "factor")


@published("E01", "reconstructed-low")
@by_codebook(scales="items", sampling=("design", "cluster"), in_memory=True)
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
    interval: str = "t",
    design: Design | None = None,
    cluster: str | None = None,
    min_cell: int | None = None,
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
    codebook: Any = None,
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
    interval, design, cluster
        See `cxstats.weighted_score`; weights from "pls" or "factor" take none of them, since their
        intervals are bootstrap ones of a simple sample.
    min_cell : int, optional
        See `cxstats.weighted_score`.
    level, n_resamples, seed
        Confidence level; bootstrap resamples of respondents, their seed.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes, direction, scale, names and order of groups, and its
        sampling design unless one is named here (``design=None`` names none).

    Returns
    -------
    WeightedScore
        Intervals within 0 to 100; where weights come from "pls" or "factor", percentile intervals
        in which they are estimated anew in every resample, and ``.table`` has ``weight_ci_low,
        weight_ci_high``.

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
    table = as_pandas(frame)
    options = Options(on_missing, by, interval, design, cluster, level, n_resamples, seed, min_cell)
    columns = _check_items(items)
    _check_weighting(weights, fit, construct)
    answers = from_frame(table, columns, "items")
    low, width = scale_ends(scale, columns)
    _check_on_scale(answers, low, width)
    components = replace(answers, values=100 * (answers.values - low) / width)
    if isinstance(weights, str) and weights != "equal":
        ends = low, width
        return _estimated(answers, components, ends, weights, (fit, construct), options)
    shares, weighting, notes = _fixed_shares(weights, columns)
    return score(
        components, shares, options, both("satisfaction.name.index"), weighting, formula="E01",
        reading=both("satisfaction.reading.E01"), notes=notes,
        bounds=INDEX_LIMITS,
    )  # fmt: skip


def loyalty_index(frame: Any, items: Sequence[str], **options: Any) -> WeightedScore:
    """Compute a loyalty index: as `satisfaction_index`, of items that ask for loyalty.

    Formula E01 of the case studies (document 003, part 3), reconstructed with low confidence.

    Examples
    --------
    >>> import cxstats as cx
    >>> responses, _ = cx.load_ecsi_mobile()
    >>> index = loyalty_index(responses, ["CUSL1", "CUSL2", "CUSL3"], n_resamples=1000)
    >>> round(index.value, 2)
    63.36
    """
    check_options(options, list(signature(satisfaction_index).parameters)[2:])
    index: WeightedScore = satisfaction_index(frame, items, **options)
    return replace(index, name=both("satisfaction.name.loyalty"))


def _check_items(items: Sequence[str]) -> list[str]:
    """Return the names of the items as text: columns may be called 0, 1, 2."""
    if isinstance(items, str) or not items or len(set(items)) < len(items):
        raise CxError(f"items are {items!r}; allowed: the names of different columns")
    return [str(item) for item in items]


def _check_weighting(weights: Any, fit: PlsFit | None, construct: str | None) -> None:
    """Raise if the weights are unknown, or a fit comes with weights that need none."""
    if isinstance(weights, str) and weights not in WEIGHTINGS:
        raise CxError(
            f"weights={weights!r}; allowed: {', '.join(WEIGHTINGS)}, or a mapping of item to weight"
        )
    needs_fit = isinstance(weights, str) and weights == "pls"
    if (fit is not None or construct is not None) and not needs_fit:
        raise CxError(f"fit and construct go with weights='pls', not with weights={weights!r}")


def _fixed_shares(weights: Any, items: list[str]) -> tuple[Array, str, list[Text]]:
    """Return weights (k,) that sum to 1, what they are called, and what was done to them."""
    if isinstance(weights, str):
        return np.full(len(items), 1 / len(items)), "equal", []
    weight_of = as_mapping(weights, None if is_named(weights) else items)
    shares, notes = weight_shares(weight_of, items, normalise=False)
    return shares, "fixed", [*notes, both("satisfaction.note.fixed")]


def scale_ends(scale: Scale, items: Sequence[str]) -> tuple[Array, Array]:
    """Return the lower end and the width of every item's scale, (k,), (k,)."""
    if isinstance(scale, Mapping):
        scale = {str(item): pair for item, pair in scale.items()}
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
    numbers = all(isinstance(end, Real) and not isinstance(end, bool | np.bool_) for end in pair)
    return numbers and bool(np.isfinite(np.array(pair, float)).all() and pair[0] < pair[1])


def _check_on_scale(answers: ComponentScores, low: Array, width: Array) -> None:
    """Raise if an answer is off its scale, naming row and column."""
    off = np.argwhere((answers.values < low) | (answers.values > low + width))
    if len(off):
        row, place = off[0]
        raise DataError(
            f"{row_name(answers.frame.index, row)}, column {answers.names[place]!r}: "
            f"{answers.values[row, place]:g} is off the scale; allowed: {low[place]:g} to "
            f"{low[place] + width[place]:g}"
        )


def _estimated(
    answers: ComponentScores,
    components: ComponentScores,
    ends: tuple[Array, Array],
    weighting: str,
    model: tuple[PlsFit | None, str | None],
    options: Options,
) -> WeightedScore:
    """Compute an index with weights from a model, estimated anew in every resample."""
    if options.on_missing == "rescale":
        raise CxError(f"weights={weighting!r} need complete answers; allowed: 'drop', 'refuse'")
    _check_simple(weighting, options)
    k = len(answers.names)
    if options.on_missing == "refuse":
        check_complete(answers, np.ones(k))
    complete = np.asarray(~np.isnan(answers.values).any(axis=1))
    if weighting == "pls":
        complete, index = _from_pls(answers, ends, complete, model)
    else:
        index = factor_index(answers.values[complete], answers.names, *ends)
    values = np.where(complete[:, None], components.values, np.nan)
    fitted = bootstrap_intervals(index, options.level, options.n_resamples, options.seed)
    shares = fitted.estimate[k + 1 :]
    # The fixed-weight result has everything but the intervals that know of the weights.
    fixed = replace(options, by=None, n_resamples=1, on_missing="drop")
    result = score(
        replace(components, values=values), shares, fixed, both("satisfaction.name.index"),
        weighting, formula="E01", reading=both("satisfaction.reading.E01"),
    )  # fmt: skip
    totals = slice(k + 1)
    table = result.table.assign(
        ci_low=fitted.low[totals], ci_high=fitted.high[totals], se=fitted.se[totals]
    )
    for column, limits in (("weight_ci_low", fitted.low), ("weight_ci_high", fitted.high)):
        table[column] = [*limits[k + 1 :], np.nan]
    groups = _groups(index, components, complete, values * shares, options)
    return replace(
        result, table=table, groups=groups.means, comparisons=groups.pairs,
        omnibus=groups.omnibus, by=options.by, on_missing=options.on_missing,
        n_resamples=options.n_resamples, n_failed=fitted.n_failed, interval="percentile",
        notes=(
            *_notes(shares, complete, fitted.n_failed, weighting, answers, options),
            *suppression_notes(np.ones(len(hidden_groups(groups.means)), bool), options.min_cell),
        ),
    )  # fmt: skip


def _check_simple(weighting: str, options: Options) -> None:
    """Raise if estimated weights are asked for under a design, or with another interval."""
    if options.design is not None or options.cluster is not None:
        raise CxError(
            f"weights={weighting!r} are estimated from a simple sample; under a sampling design "
            "take weights='equal' or fixed ones"
        )
    if options.interval != "t":
        raise CxError(
            f"interval={options.interval!r}: weights={weighting!r} have bootstrap intervals, which "
            "know that the weights are estimates; leave interval= out"
        )


def _from_pls(
    answers: ComponentScores,
    ends: tuple[Array, Array],
    complete: NDArray[np.bool_],
    model: tuple[PlsFit | None, str | None],
) -> tuple[NDArray[np.bool_], EstimatedIndex]:
    """Return which rows a PLS fit used, and its index."""
    fit, construct = model
    if fit is None or construct is None:
        raise CxError("weights='pls' need fit=cx.pls(model, frame) and construct=its name")
    fit.require_one_stage("an index")
    constructs = fit.design.constructs
    if construct not in constructs:
        raise CxError(f"construct is {construct!r}; allowed: {', '.join(constructs)}")
    items = fit.design.items[fit.design.blocks[constructs.index(construct)]]
    if sorted(items) != sorted(answers.names):
        raise CxError(f"items are {', '.join(answers.names)}; {construct!r} has {', '.join(items)}")
    places = np.array([fit.design.items.index(name) for name in answers.names])
    fit.require_sound("index")
    fit.sample.require_rows("an index")
    if fit.sample.missing != "listwise":
        raise CxError("the fit has missing='mean'; weights='pls' need missing='listwise'")
    used = fit.sample.used
    same = used.shape == complete.shape and np.array_equal(
        answers.values[used], fit.sample.matrix[:, places]
    )
    if not same:
        raise CxError("fit was made from other respondents than those of the table")
    return used, pls_index(fit, places, *ends)


def _groups(
    index: EstimatedIndex,
    components: ComponentScores,
    complete: NDArray[np.bool_],
    terms: Array,
    options: Options,
) -> Groups:
    groups = compare_groups(
        components.frame, options.by, with_total(terms), [*components.names, OVERALL],
        options.of_means(), options.min_cell,
    )  # fmt: skip
    if options.by is None or groups.means is None:
        return groups
    labels = components.frame[options.by][complete]
    members = {
        group: np.flatnonzero((labels == group).to_numpy(bool, na_value=False))
        for group in dict.fromkeys(groups.means["group"])
    }
    hidden = hidden_groups(groups.means)
    if hidden:  # weights are those of all groups; the hidden ones are drawn as one
        together = np.sort(np.concatenate([members.pop(group) for group in hidden]))
        members |= {HIDDEN: together} if len(together) > 1 else {}
    return compare_estimated(
        index, members, groups, options.level, options.n_resamples, options.seed
    )


def _notes(
    shares: Array,
    complete: NDArray[np.bool_],
    n_failed: int,
    weighting: str,
    answers: ComponentScores,
    options: Options,
) -> tuple[Text, ...]:
    n, n_left_out, b = len(complete), int((~complete).sum()), options.n_resamples
    negative = [
        both("satisfaction.note.negative", item=item, weight=f"{weight:.3f}")
        for item, weight in zip(answers.names, shares, strict=True)
        if weight < 0
    ]
    return (
        both(f"satisfaction.note.{weighting}"),
        *negative,
        *note_if(n_left_out > 0, "satisfaction.note.dropped", k=n_left_out, n=n),
        *note_if(n_failed > 0, "satisfaction.note.failed", k=n_failed, b=b),
        *note_if(b < ROUGH, "satisfaction.note.rough", b=b),
        *ungrouped_note(answers.frame, options.by),
    )
