"""What the tables of SERVQUAL are made of, from sums that the engine of a lazy table adds up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, note_if
from cxstats.core.moments import LARGE
from cxstats.core.value_counts import MOST_VALUES
from cxstats.service.dimension_scores import (
    OVERALL,
    ZONE,
    position,
    reliability_table,
    zone_table,
)
from cxstats.service.engine_scores import EngineScores
from cxstats.service.servqual_summary import (
    CONSTANT,
    Summary,
    check_sizes,
    refuse_two_samples,
    scored_role,
    turned_items,
)
from cxstats.stats.disclosure import check_min_cell
from cxstats.stats.group_comparison import Groups, compare_means
from cxstats.stats.hypothesis_tests import MeanTests, difference_tests_from, mean_tests_from
from cxstats.stats.intervals import fieller_interval
from cxstats.stats.large_samples import is_large
from cxstats.stats.means import MeanOptions, Means
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def summary_of_sums(
    frame: Any,
    book: Codebook,
    measure: str,
    weights: str | Mapping[str, float] | None,
    by: str | None,
    options: MeanOptions,
    min_cell: int | None,
) -> Summary:
    """Return the summary of a lazy table, whose engine adds everything up."""
    gap = measure == "gap"
    roles = ("expectation", "perception") if gap else (scored_role(book),)
    check_min_cell(min_cell)
    scores = EngineScores.of(frame, book, roles, weights, by=by)
    scores = scores.with_difference("measure", roles[-1], roles[0] if gap else None)
    scores = scores.with_complete(roles[-1])
    names, k = scores.names("measure"), scores.k
    of_roles = [name for role in roles for name in scores.names(role)]
    of_shares = [f"{kind}_{d}" for kind in ("share", "square") for d in range(k)]
    powers = {**dict.fromkeys(names, 3), **dict.fromkeys(("complete", *of_roles, *of_shares), 1)}
    sums = scores.sums(powers)
    tested = sums.select(names)
    if not sums.rows:
        raise DataError("the table has no rows")
    if gap and not tested.n.any():
        answered = EngineScores.of(frame, book, roles, weights, jointly=False).answered()
        refuse_two_samples(answered["expectation"], answered["perception"])
    if tested.n.max() < 2:
        raise DataError("fewer than two respondents answered; nothing can be estimated")
    p = scores.signed_ranks(names) if gap else np.full(len(names), np.nan)
    tests = mean_tests_from(Means.of_sums(tested, options), options, p)
    reliability = None
    if gap:
        squares = sums.select([f"square_{d}" for d in range(k)]).mean
        variance = float(tested.variance[k]) if tested.n[k] > 2 else 0.0
        reliability = reliability_table(book, scores.variances_of_differences(), squares, variance)
    groups, ungrouped = _groups_of_sums(scores, options, min_cell)
    zone, zone_p = _zone_of_sums(frame, book, weights, options)
    return Summary(
        codebook=book,
        measure=measure,
        scheme=scores.scheme,
        by=by,
        synthetic=False,
        n=sums.rows,
        tests=tests,
        means={role: sums.select(scores.names(role)).mean for role in roles},
        shares=sums.select([f"share_{d}" for d in range(k)]).mean,
        without_overall=sums.rows - int(tested.n[k]),
        incomplete=sums.rows - int(sums.select(["complete"]).n[0]),
        ungrouped=ungrouped,
        constant=(tested.n > 1) & (tested.high - tested.low < CONSTANT),
        turned=turned_items(book, ()),
        reliability=reliability,
        zone=zone,
        groups=groups,
        notes=_sums_notes(options, tests, [(p, tests.t), *zone_p] if gap else []),
    )


def _sums_notes(
    options: MeanOptions,
    tests: MeanTests,
    p_wilcoxon: Sequence[tuple[Array, Array]],
) -> tuple[Text, ...]:
    """Say what sums cannot give."""
    drawn = options.interval == "bca" and not is_large(tests.n[tests.n > 0].min(initial=np.inf))
    lacking = any((np.isnan(p) & np.isfinite(t)).any() for p, t in p_wilcoxon)
    return (
        *note_if(drawn, "servqual.note.drawn", least=format_number(LARGE)),
        *note_if(lacking, "servqual.note.no_wilcoxon", most=format_number(MOST_VALUES)),
    )


def _groups_of_sums(
    scores: EngineScores, options: MeanOptions, min_cell: int | None
) -> tuple[Groups, int]:
    """Return the groups compared, and how many respondents are in none."""
    if scores.by is None:
        return Groups(), 0
    sums = scores.by_group(scores.names("measure", items=False))
    ungrouped = sums.pop(None, None)
    parts = list(sums.values())
    groups = compare_means(
        list(sums),
        np.array([part.n for part in parts]),
        lambda i, chosen: Means.of_sums(parts[i], chosen),
        scores.by,
        [*scores.codebook.constructs, OVERALL],
        options,
        min_cell,
    )
    return groups, 0 if ungrouped is None else ungrouped.rows


def _zone_of_sums(
    frame: Any,
    book: Codebook,
    weights: str | Mapping[str, float] | None,
    options: MeanOptions,
) -> tuple[pd.DataFrame | None, list[tuple[Array, Array]]]:
    """Return the zone of tolerance from sums, and p values of Wilcoxon's tests beside t."""
    if not {"minimum", "expectation"} <= set(book.roles):
        return None, []
    scores = EngineScores.of(frame, book, ZONE, weights)
    distances = {
        "adequacy": ("perception", "minimum"),
        "superiority": ("perception", "expectation"),
        "width": ("expectation", "minimum"),
    }
    for name, (first, second) in distances.items():
        scores = scores.with_difference(name, first, second)
    columns = {name: scores.names(name, items=False) for name in (*distances, *ZONE)}
    powers = {column: 3 if name in distances else 1 for name in columns for column in columns[name]}
    sums = scores.sums(powers)
    means = {name: Means.of_sums(sums.select(columns[name]), options) for name in distances}
    ranks = scores.signed_ranks([*columns["adequacy"], *columns["superiority"]])
    p_wilcoxon = np.split(ranks, 2)
    tests = {
        name: mean_tests_from(means[name], options, p)
        for name, p in zip(("adequacy", "superiority"), p_wilcoxon, strict=True)
    }
    above, within, width = (means[name] for name in distances)
    aa, both_ways, bb = (np.nan_to_num(x.se) ** 2 for x in (above, within, width))
    covariances = np.stack([aa, (aa + bb - both_ways) / 2, bb])
    ends = fieller_interval(above.mean, width.mean, covariances, above.df, options.level)
    role_means = {role: sums.select(columns[role]).mean for role in ZONE}
    table = zone_table(book, role_means, tests, (position(above.mean, width.mean), *ends))
    t = (tests[name].t for name in ("adequacy", "superiority"))
    return table, list(zip(p_wilcoxon, t, strict=True))


def summary_of_two_sums(
    frame: Any,
    book: Codebook,
    measure: str,
    weights: str | Mapping[str, float] | None,
    by: str | None,
    options: MeanOptions,
    min_cell: int | None,
) -> Summary:
    """Return the summary of two samples in one lazy table."""
    roles = ("expectation", "perception")
    scores = EngineScores.of(frame, book, roles, weights, by=by, jointly=False)
    answered = scores.answered()
    twice = answered.pop("both")
    check_sizes(answered, twice)
    names = [name for role in roles for name in scores.names(role)]
    scores = scores.with_complete("perception")
    of_shares = [f"share_{d}" for d in range(scores.k)]
    powers = {**dict.fromkeys(names, 3), **dict.fromkeys(("complete", *of_shares), 1)}
    sums = scores.sums(powers)
    complete = int(sums.select(["complete"]).n[0])
    complete += int(scores.with_complete("expectation").sums({"complete": 1}).n[0])
    by_role = {role: sums.select(scores.names(role)) for role in roles}
    perception, expectation = (
        Means.of_sums(by_role[role], replace(options, seed=[*np.ravel(options.seed).tolist(), i]))
        for i, role in enumerate(("perception", "expectation"))
    )
    tests = difference_tests_from((perception, expectation), options)
    return Summary(
        codebook=book,
        measure=measure,
        scheme=scores.scheme,
        by=by,
        synthetic=False,
        n=sums.rows,
        tests=tests,
        means={role: part.mean for role, part in by_role.items()},
        shares=sums.select(of_shares).mean,
        without_overall=sums.rows - int(tests.n[scores.k]),
        incomplete=sums.rows - complete,
        ungrouped=0,
        constant=np.zeros(len(tests.n), bool),
        turned=turned_items(book, ()),
        of_roles={"perception": perception.n, "expectation": expectation.n},
        sizes=answered,
        notes=_sums_notes(options, tests, []),
    )
