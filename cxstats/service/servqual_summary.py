"""What the tables of SERVQUAL are made of: tests, means and counts, from respondents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.language import Text
from cxstats.service.dimension_scores import (
    OVERALL,
    Scores,
    difference_reliability,
    respondent_weights,
    zone_of_tolerance,
)
from cxstats.stats.group_comparison import Groups, compare_groups
from cxstats.stats.hypothesis_tests import MeanTests, difference_tests, mean_tests
from cxstats.stats.means import MeanOptions
from cxstats.survey.answers import answers
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CONSTANT = 1e-9  # range of scores that are the same for everybody, but for rounding


@dataclass(frozen=True, eq=False)
class Summary:
    """What the tables and notes are made of, whether from respondents or from sums.

    Scores are the k dimensions, the overall score and the items.

    Attributes
    ----------
    codebook : Codebook
    measure, scheme, by, synthetic
        As of `Servqual`.
    n : int
        Respondents.
    tests : MeanTests
        Of all scores.
    means : mapping of role to array (scores,)
    shares : array (k,)
        Mean weights.
    without_overall, incomplete, ungrouped : int
        Respondents without an overall score, with a missing answer, without a group.
    constant : array of bool (scores,)
        Which scores are the same for everybody.
    turned : tuple of str
        Items that were turned here.
    reliability, zone, groups
        Tables.
    of_roles : mapping of role to array (scores,), optional
        Of two samples: how many have each score.
    sizes : mapping of role to int, optional
        Of two samples: respondents.
    notes : tuple of Text
    """

    codebook: Codebook
    measure: str
    scheme: str
    by: str | None
    synthetic: bool
    n: int
    tests: MeanTests
    means: Mapping[str, Array]
    shares: Array
    without_overall: int
    incomplete: int
    ungrouped: int
    constant: NDArray[np.bool_]
    turned: tuple[str, ...]
    reliability: pd.DataFrame | None = None
    zone: pd.DataFrame | None = None
    groups: Groups = field(default_factory=Groups)
    of_roles: Mapping[str, Array] | None = None
    sizes: Mapping[str, int] | None = None
    notes: tuple[Text, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of all scores."""
        return [*self.codebook.constructs, OVERALL, *self.codebook.items]


def summary_of_respondents(
    scored: Scores,
    measure: str,
    weights: str | Mapping[str, float] | None,
    by: str | None,
    options: MeanOptions,
    min_cell: int | None,
) -> Summary:
    """Return the summary of respondents."""
    book = scored.codebook
    shares, scheme = respondent_weights(scored.frame, book, weights)
    scores = scored.with_overall(scored.measure, shares)
    columns = np.column_stack([scores, scored.measure])
    if (~np.isnan(columns)).sum(axis=0).max() < 2:
        raise DataError("fewer than two respondents answered; nothing can be estimated")
    k = len(book.constructs)
    means = {
        role: options.mean(np.column_stack([scored.with_overall(x, shares), x]))
        for role, x in scored.roles.items()
    }
    names = [*book.constructs, OVERALL]
    groups = compare_groups(scored.frame, by, scores, names, options, min_cell)
    gap = measure == "gap"
    return Summary(
        codebook=book,
        measure=measure,
        scheme=scheme,
        by=by,
        synthetic=bool(scored.frame.attrs.get("synthetic")),
        n=len(scored.frame),
        tests=mean_tests(columns, options),
        means=means,
        shares=options.mean(shares),
        without_overall=int(np.isnan(scores[:, k]).sum()),
        incomplete=int(np.isnan(scored.measure).any(axis=1).sum()),
        ungrouped=int(scored.frame[by].isna().sum()) if by is not None else 0,
        constant=np.array([_same(values) for values in columns.T]),
        turned=turned_items(book, scored.frame.attrs.get("reversed", ())),
        reliability=difference_reliability(scored, shares, options.rows) if gap else None,
        zone=zone_of_tolerance(scored, shares, options),
        groups=groups,
    )


def summary_of_two_samples(
    frame: pd.DataFrame,
    codebook: Codebook,
    weights: str | Mapping[str, float] | None,
    options: MeanOptions,
) -> Summary:
    """Return the summary of two samples, one of which gave expectations, the other perceptions."""
    roles = {role: answers(frame, codebook, role) for role in ("expectation", "perception")}
    samples = {role: (~np.isnan(values)).any(axis=1) for role, values in roles.items()}
    twice = int((samples["expectation"] & samples["perception"]).sum())
    sizes = {role: int(there.sum()) for role, there in samples.items()}
    check_sizes(sizes, twice)
    either = np.where(np.isnan(roles["perception"]), roles["expectation"], roles["perception"])
    scored = Scores(frame, codebook, either, roles)
    shares, scheme = respondent_weights(frame, codebook, weights)
    scores = {role: np.column_stack([scored.with_overall(values, shares), values])
              for role, values in roles.items()}  # fmt: skip
    tests, means = difference_tests(scores["perception"], scores["expectation"], options)
    overall = scored.with_overall(either, shares)[:, len(codebook.constructs)]
    return Summary(
        codebook=codebook,
        measure="gap",
        scheme=scheme,
        by=None,
        synthetic=bool(frame.attrs.get("synthetic")),
        n=len(frame),
        tests=tests,
        means={role: options.mean(values) for role, values in scores.items()},
        shares=options.mean(shares),
        without_overall=int(np.isnan(overall).sum()),
        incomplete=int(np.isnan(either).any(axis=1).sum()),
        ungrouped=0,
        constant=np.zeros(len(tests.n), bool),
        turned=turned_items(codebook, frame.attrs.get("reversed", ())),
        of_roles={"perception": means[0].n, "expectation": means[1].n},
        sizes=sizes,
    )


def check_sizes(sizes: Mapping[str, int], twice: int) -> None:
    """Raise if respondents are in both of two samples, or a sample has fewer than two."""
    if twice:
        raise DataError(
            f"{twice} respondents answered in both roles; paired=False is for two samples of "
            "different people: leave it out, or leave these respondents out"
        )
    few = [role for role, size in sizes.items() if size < 2]
    if few:
        raise DataError(f"fewer than two respondents gave a {few[0]}; nothing can be estimated")


def turned_items(book: Codebook, before: Iterable[str]) -> tuple[str, ...]:
    """Return the items that were turned here, not before."""
    return tuple(sorted(set(book.turned) - set(before)))


def refuse_two_samples(expectation: int, perception: int) -> None:
    """Raise if there are answers in either role and none in both."""
    if expectation and perception:
        raise DataError(
            f"nobody answered an item in both roles ({expectation} respondents gave expectations, "
            f"{perception} perceptions), and a gap of respondents needs both: if these are "
            "different people, say paired=False; if each has two rows, put them into one first"
        )


def scored_role(book: Codebook) -> str:
    """Return the role that SERVPERF scores."""
    return "perception" if "perception" in book.roles else book.roles[0]


def _same(values: Array) -> bool:
    """Return whether all who have a score, at least two, have the same one."""
    values = values[~np.isnan(values)]
    return len(values) > 1 and bool(np.ptp(values) < CONSTANT)
