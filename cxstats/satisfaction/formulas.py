"""The satisfaction formulas of the case studies that were printed, or are fixed by what was.

Each function says which formula it is, where it stands and how much of it was printed; formulas
that are guesses are in `cxstats.satisfaction.reconstructed_formulas`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.cases.facts import Fact, read_facts
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both, note_if
from cxstats.core.messages import row_name
from cxstats.satisfaction.component_scores import (
    ComponentScores,
    as_mapping,
    formula_scores,
    is_named,
    read_scores,
)
from cxstats.satisfaction.formula_registry import published
from cxstats.satisfaction.result import Bounds, WeightedScore
from cxstats.satisfaction.score import Options, sample_notes, score
from cxstats.stats.means import Means

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CEM_WEIGHTS = ("F036", "F037", "F038", "F039", "F040", "F041")
# Facts that measure an indicator, in steps and seconds; the other four have none in print.
CEM_MEASURED = {"F036": "F042", "F037": "F043"}
CEM_LIMITS = (0.0, 100.0)
CEM_ON_MISSING = ("refuse", "bounds", "drop")


def formula_score(
    scores: Any,
    weights: Any,
    name: Text,
    identifier: str,
    options: Mapping[str, Any],
    notes: Sequence[Text] = (),
    reading: Text | None = None,
) -> WeightedScore:
    """Compute a weighted score under the name of a published formula."""
    score_options = Options.of(options)
    normalise = bool(options.get("normalise", False))
    components, shares, weight_notes = read_scores(scores, weights, normalise)
    return score(
        components, shares, score_options, name, "normalised" if normalise else "fixed",
        formula=identifier, reading=reading, notes=(*notes, *weight_notes),
    )  # fmt: skip


@published("A09", "reconstructed-high")
def service_satisfaction(
    quality: Any,
    interactivity: Any,
    personalisation: Any,
    alpha: float,
    beta: float,
    gamma: float,
    *,
    data: Any = None,
    **options: Any,
) -> WeightedScore:
    """Compute weighted satisfaction, ``S = alpha Q + beta I + gamma P``.

    Formula A09: document 000, 3.3 (3). The printed right-hand side is lost, but its symbols and
    their meaning are not (status: reconstructed, high confidence). That the weights sum to 1 is
    our assumption. `estimate_service_weights` estimates them.

    Parameters
    ----------
    quality, interactivity, personalisation : number, array (n,) or str
        Scores of one unit or of respondents, in one unit; with `data`, names of columns.
    alpha, beta, gamma : float
        Weights, not negative, summing to 1 or to 100.
    data : table, optional
        The table of the columns.
    **options
        ``on_missing, normalise, by, level, n_resamples, seed`` of `cxstats.weighted_score`.

    Examples
    --------
    >>> service_satisfaction(80, 70, 60, 0.5, 0.3, 0.2).value
    73.0
    """
    scores = formula_scores(
        data, quality=quality, interactivity=interactivity, personalisation=personalisation
    )
    weights = {"quality": alpha, "interactivity": beta, "personalisation": gamma}
    name, notes = both("satisfaction.name.A09"), [both("satisfaction.note.assumed")]
    return formula_score(scores, weights, name, "A09", options, notes)


@published("D05", "reconstructed-high")
def journey_satisfaction(stages: Any, weights: Any, **options: Any) -> WeightedScore:
    """Compute satisfaction over the customer journey, ``CS = sum_i W_i S_i``.

    Formula D05: document 004, 3.1.2 (3); over five stages from awareness to loyalty (status:
    reconstructed, high confidence). The weights are not printed.

    Parameters
    ----------
    stages : mapping, array or table
        The score of every stage; see `cxstats.weighted_score`.
    weights : mapping, Series or array
        The weight of every stage.
    **options
        Of `cxstats.weighted_score`.

    Examples
    --------
    >>> stages = {"aware": 70, "consider": 65, "buy": 80, "use": 75, "loyal": 60}
    >>> journey_satisfaction(stages, dict.fromkeys(stages, 0.2)).value
    70.0
    """
    return formula_score(stages, weights, both("satisfaction.name.D05"), "D05", options)


@published("D04", "words")
def overall_satisfaction(scores: Any, weights: Any, **options: Any) -> WeightedScore:
    """Compute a weighted mean, ``sum_i w_i x_i / sum_i w_i``, with weights of any sum.

    Formula D04: document 004, 2.2 (status: in words).

    Parameters
    ----------
    scores, weights, **options
        As in `cxstats.weighted_score`; `normalise` is always on.

    Examples
    --------
    >>> overall_satisfaction({"wait": 4, "staff": 5}, {"wait": 1, "staff": 3}).value
    4.75
    """
    options["normalise"] = True
    return formula_score(scores, weights, both("satisfaction.name.D04"), "D04", options)


@published("C03", "words")
def proposal_score(scores: Any, weights: Any, **options: Any) -> WeightedScore:
    """Compute the score of a proposal, ``sum_k w_k score_k``.

    Formula C03: document 002, 7 (2) 1; feasibility, customer value and expected benefit (status:
    in words). It has no weights, so there is no default.

    Parameters
    ----------
    scores, weights, **options
        As in `cxstats.weighted_score`; one row per judge, if there are several.

    Examples
    --------
    >>> scores = {"feasibility": 8, "customer value": 9, "benefit": 6}
    >>> weights = {"feasibility": 30, "customer value": 40, "benefit": 30}
    >>> round(proposal_score(scores, weights).value, 6)
    7.8
    """
    return formula_score(scores, weights, both("satisfaction.name.C03"), "C03", options)


def cem_weights() -> pd.DataFrame:
    """Return the six published weights of CEM, and what is measured in print.

    Read from the facts F036 to F041 (document 000, 6.2 (2) 2)).

    Returns
    -------
    pandas.DataFrame
        By fact: ``item_en, item_zh, weight`` (0 to 1), ``measured_by`` (the fact that measures the
        indicator, "" if none does). Measured means in steps and seconds: no indicator score on
        0-100 is published.

    Examples
    --------
    >>> weights = cem_weights()
    >>> weights["weight"].tolist()
    [0.25, 0.2, 0.2, 0.15, 0.1, 0.1]
    >>> round(weights.loc[weights["measured_by"] != "", "weight"].sum(), 2).item()
    0.45
    """
    import pandas as pd

    facts: dict[str, Fact] = {fact.id: fact for fact in read_facts()}
    rows = [
        {
            "item_en": facts[identifier].item.en,
            "item_zh": facts[identifier].item.zh,
            "weight": float(facts[identifier].value or 0) / 100,
            "measured_by": measured if (measured := CEM_MEASURED.get(identifier)) in facts else "",
        }
        for identifier in CEM_WEIGHTS
    ]
    return pd.DataFrame(rows, index=pd.Index(CEM_WEIGHTS, name="id"))


@published("A16", "reconstructed-high")
def cem(
    scores: Any, weights: Any = None, *, on_missing: str = "refuse", **options: Any
) -> WeightedScore | Bounds:
    """Compute the customer-experience score, ``CEM = sum_i w_i s_i``, s_i on 0-100.

    Formula A16: document 000, 6.2 (2) 2). Six weights are printed, .25 .20 .20 .15 .10 .10; the
    indicator scores are not (status: reconstructed, high confidence). In print, steps and load
    times stand behind 45 % of the weight (`cem_weights`), and even they are no scores on 0-100.

    Parameters
    ----------
    scores : mapping, Series or table
        By indicator, under the published names, English or Chinese; higher is better.
    weights : mapping, optional
        Other weights than the published ones.
    on_missing : {"refuse", "bounds", "drop"}
        Where an indicator has no score: refuse; return the `Bounds` between which CEM lies,
        whatever the missing scores are; leave the respondent out.
    **options
        Of `cxstats.weighted_score`; groups (`by`) not with "bounds".

    Returns
    -------
    WeightedScore, or Bounds with on_missing="bounds"
        Bounds also where nothing is missing; they coincide then.

    Raises
    ------
    DataError
        If a score is missing (with "refuse") or not on 0-100.
    CxError
        If an indicator is not known.

    Examples
    --------
    >>> found = cem({"number of steps": 80, "page-load speed": 90}, on_missing="bounds")
    >>> found.table["estimate"].round(2).tolist(), round(found.coverage, 2)
    ([38.0, 93.0], 0.45)
    """
    if on_missing not in CEM_ON_MISSING:
        raise CxError(f"on_missing is {on_missing!r}; allowed: {', '.join(CEM_ON_MISSING)}")
    if options.get("normalise"):
        raise CxError("normalise: the weights of CEM sum to 1")
    notes = note_if(weights is not None, "satisfaction.note.own_weights")
    weight_of = _published_weights(scores) if weights is None else as_mapping(weights, None)
    scores = _with_every_indicator(scores, list(weight_of))
    components, shares, weight_notes = read_scores(scores, weight_of)
    _check_limits(components)
    name = both("satisfaction.name.A16")
    if on_missing == "bounds":
        return _bounds(components, shares, name, options, (*notes, *weight_notes))
    options["on_missing"] = on_missing
    return formula_score(scores, weight_of, name, "A16", options, notes)


def _published_weights(scores: Any) -> dict[str, float]:
    """Return the published weights under English names, or Chinese ones if scores have those."""
    table = cem_weights()
    names = as_mapping(scores, None) if is_named(scores) else getattr(scores, "columns", ())
    chinese = bool(set(table["item_zh"]) & {str(name) for name in names})
    indicators = table["item_zh" if chinese else "item_en"]
    return dict(zip(indicators, table["weight"].tolist(), strict=True))


def _with_every_indicator(scores: Any, names: list[str]) -> Any:
    """Return scores with a missing one for every indicator that has none."""
    if is_named(scores):
        return {**dict.fromkeys(names, None), **as_mapping(scores, None)}
    if isinstance(scores, np.ndarray | list | tuple):
        raise CxError("CEM scores need names: give a mapping or a table")
    frame = as_pandas(scores)
    if not set(names) & set(frame.columns):
        raise DataError(f"the table has none of the indicators: {', '.join(names)}")
    attrs = dict(frame.attrs)
    frame = frame.assign(**{name: np.nan for name in names if name not in frame.columns})
    frame.attrs = attrs
    return frame


def _check_limits(components: ComponentScores) -> None:
    low, high = CEM_LIMITS
    off = np.argwhere((components.values < low) | (components.values > high))
    if len(off):
        row, place = off[0]
        where = "" if components.single else f"{row_name(components.frame.index, row)}, "
        raise DataError(
            f"{where}{components.names[place]!r}: {components.values[row, place]:g} is off the "
            f"scale; allowed: {low:g} to {high:g}"
        )


def _bounds(
    components: ComponentScores,
    shares: Array,
    name: Text,
    keywords: Mapping[str, Any],
    notes: Sequence[Text],
) -> Bounds:
    """Return the scores with every missing one at its lowest, and at its highest."""
    import pandas as pd

    if keywords.get("by") is not None:
        raise CxError("by: bounds are not compared between groups")
    options = Options.of(keywords)
    has_data = ~np.isnan(components.values)
    ends = [np.where(has_data, components.values, limit) @ shares for limit in CEM_LIMITS]
    of_means = replace(options.of_means(components.frame), bounds=CEM_LIMITS)
    means = Means.of(np.column_stack(ends), of_means)
    low, high = means.limits(of_means)
    n = len(components.values)
    table = pd.DataFrame(
        {"estimate": means.mean, "ci_low": low, "ci_high": high, "se": means.se, "n": n},
        index=pd.Index(["lowest", "highest"], name="bound"),
    )
    data_shares = has_data.mean(axis=0)
    return Bounds(
        table=table,
        components=pd.DataFrame(
            {"weight": shares, "has_data": data_shares},
            index=pd.Index(components.names, name="component"),
        ),
        coverage=float(data_shares @ shares),
        limits=CEM_LIMITS,
        name=name,
        formula="A16",
        n=n,
        level=options.level,
        n_resamples=options.n_resamples,
        seed=options.seed,
        synthetic=bool(components.frame.attrs.get("synthetic")),
        notes=(
            *notes,
            both("satisfaction.note.bounds"),
            *(() if components.single else sample_notes(name, means, of_means)),
            *note_if(components.single, "satisfaction.note.single"),
        ),
    )
