"""SERVQUAL with inference: gaps, SERVPERF, the zone of tolerance, groups and waves.

A respondent's score on a dimension is the mean of the gaps (perception minus expectation) of
the items that the respondent answered in both roles; the overall score is the mean, or the
weighted mean, of the dimension scores of a respondent who has them all.

References
----------
Parasuraman, Zeithaml & Berry (1988). SERVQUAL: a multiple-item scale for measuring consumer
perceptions of service quality. Journal of Retailing 64(1), 12-40.
Cronin & Taylor (1992). Measuring service quality. Journal of Marketing 56(3), 55-68.
Peter, Churchill & Brown (1993). Caution in the use of difference scores. J. Consumer Research 19.
Parasuraman, Zeithaml & Berry (1994). Alternative scales for measuring service quality. Journal of
Retailing 70(3), 201-230.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError
from cxstats.service.dimension_scores import (
    Scores,
    answered_in_all,
    column_means,
    difference_reliability,
    respondent_weights,
    zone_of_tolerance,
)
from cxstats.stats.group_comparison import compare_groups
from cxstats.stats.hypothesis_tests import MeanTests, adjust, mean_tests
from cxstats.survey.answers import answers, as_pandas
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

OVERALL = "Overall"
LEVEL, N_RESAMPLES, SEED = 0.95, 5_000, 1
ROUGH = 1_000  # resamples below which an interval's ends move visibly with the seed


@dataclass(frozen=True, eq=False)
class Servqual:
    """Gaps, or SERVPERF scores, with intervals and tests.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per dimension, then "Overall": ``expectation, perception, gap, ci_low, ci_high, t,
        p_value, p_adjusted, effect_size, n`` and, further right, ``se, df, p_fdr, p_wilcoxon,
        effect_ci_low, effect_ci_high, weight, reliability, alpha_gap``. Intervals are BCa
        bootstrap; ``effect_size`` is d_z with its noncentral t interval; ``p_adjusted`` is
        Holm's and ``p_fdr`` Benjamini and Hochberg's, over the dimensions (Overall is one test
        of its own and is not adjusted); ``reliability`` is that of the difference score.
    items : pandas.DataFrame
        The same by item, without weight and reliability; adjusted over all items.
    zone : pandas.DataFrame or None
        Zone of tolerance, where the questionnaire asks for a minimum level.
    groups, comparisons, omnibus : pandas.DataFrame or None
        Scores by group, all pairs of groups, and a test of all groups at once, with `by`.
    measure : str
        "gap" or "perception" (SERVPERF).
    n_respondents : int
        Rows of the table.
    weights : str
        "equal", "points" or "fixed". The column ``weight`` holds the means over all respondents
        that have weights.
    by, level, n_resamples, seed
        As given.
    codebook : Codebook
        The questionnaire.
    synthetic : bool
        Whether the responses were simulated.
    notes : tuple of str
        What a reader must know: the missing rule, respondents left out, what was turned.
    """

    table: pd.DataFrame
    items: pd.DataFrame
    zone: pd.DataFrame | None
    groups: pd.DataFrame | None
    comparisons: pd.DataFrame | None
    omnibus: pd.DataFrame | None
    measure: str
    n_respondents: int
    weights: str
    by: str | None
    level: float
    n_resamples: int
    seed: int
    codebook: Codebook
    synthetic: bool
    notes: tuple[str, ...]

    def summary(self, lang: str = "en") -> str:
        """Return the findings in a few lines, formatted."""
        from cxstats.service.summaries import servqual_summary

        return servqual_summary(self, lang)

    def plot(
        self, kind: str = "dimensions", ax: Axes | None = None, lang: str = "en", **options: Any
    ) -> Axes:
        """Draw the result.

        Parameters
        ----------
        kind : {"dimensions", "items", "zone", "scatter"}
            Gap dumbbell by dimension or item, zone-of-tolerance bands, or expectation against
            perception.
        ax, lang, **options
            Passed to the chart.
        """
        from cxstats.charts.gaps import draw

        return draw(self, kind, ax=ax, lang=lang, **options)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from cxstats.core.formats import as_html

        return as_html(self.summary(), self.table)


def servqual(
    frame: Any,
    codebook: Codebook,
    weights: str | Mapping[str, float] | None = None,
    *,
    by: str | None = None,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> Servqual:
    """Compute SERVQUAL gaps, ``G = P - E``, with intervals, tests and their reliability.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table or DuckDB relation
        The responses, one row per respondent; see `cxstats.check` and `cxstats.clean`.
    codebook : Codebook
        A questionnaire with perceptions and expectations.
    weights : None, "points" or mapping of dimension to weight
        How dimensions enter the overall score: equally; by the 100 points that each respondent
        allots (``sum_k w_rk g_rk``, then averaged, which is not the mean gaps weighted by mean
        points when points vary with gaps); or by fixed weights that sum to 1 or to 100.
    by : str, optional
        Column of groups or waves to compare.
    level : float
        Confidence level.
    n_resamples : int
        Bootstrap resamples of respondents.
    seed : int
        Seed of the resamples; the same seed gives the same table.

    Returns
    -------
    Servqual

    Raises
    ------
    DataError
        Naming row, column, value and what is allowed; or if the questionnaire has no
        expectations, or fewer than two respondents answered.
    CxError
        If weights or options are wrong. (A DataError is one, too.)

    Notes
    -----
    Missing answers: an item counts for a respondent only when answered in both roles; a dimension
    score is the mean of those items; the overall score needs every dimension. ``n`` is stated in
    every row. Reliability of the difference score, at the level of dimension scores,

        ``r_D = (s_P^2 r_PP + s_E^2 r_EE - 2 r_PE s_P s_E) / (s_P^2 + s_E^2 - 2 r_PE s_P s_E)``

    with Cronbach's alphas as ``r_PP`` and ``r_EE``, over respondents who answered every item of
    the dimension; beside it ``alpha_gap``, alpha of the item gaps. It assumes that errors of P and
    E are uncorrelated; asked side by side in one sitting they are not quite.

    Examples
    --------
    >>> import cxstats as cx
    >>> responses, codebook = cx.simulate_servqual(300, seed=1)
    >>> result = cx.servqual(responses, codebook, weights="points")
    >>> result.table.loc["Reliability", ["expectation", "perception", "gap"]].round(1).tolist()
    [6.2, 5.1, -1.1]
    """
    if "expectation" not in codebook.roles:
        raise DataError(
            "this questionnaire has no expectations, so there is no gap; cxstats.servperf scores "
            "perceptions alone"
        )
    data = as_pandas(frame)
    roles = answered_in_all(data, codebook, ("expectation", "perception"))
    scored = Scores(data, codebook, roles["perception"] - roles["expectation"], roles)
    return _result(scored, "gap", weights, by, level, n_resamples, seed)


def servperf(
    frame: Any,
    codebook: Codebook,
    weights: str | Mapping[str, float] | None = None,
    *,
    by: str | None = None,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> Servqual:
    """Compute SERVPERF: perceptions alone, ``SERVPERF = sum_k w_k P_k``.

    Parameters, errors and result as `servqual`; the tables have no ``expectation`` and ``gap``,
    and no test against zero, which no answer on the scale can be.

    Examples
    --------
    >>> import cxstats as cx
    >>> responses, codebook = cx.simulate_servqual(300, seed=1)
    >>> result = cx.servperf(responses, codebook)
    >>> list(result.table.columns)[:4]
    ['perception', 'ci_low', 'ci_high', 'n']
    """
    data = as_pandas(frame)
    role = "perception" if "perception" in codebook.roles else codebook.roles[0]
    perception = answers(data, codebook, role)
    scored = Scores(data, codebook, perception, {"perception": perception})
    return _result(scored, "perception", weights, by, level, n_resamples, seed)


def _result(
    scored: Scores,
    measure: str,
    weights: str | Mapping[str, float] | None,
    by: str | None,
    level: float,
    n_resamples: int,
    seed: int,
) -> Servqual:
    book = scored.codebook
    shares, words = respondent_weights(scored.frame, book, weights)
    columns = np.column_stack([scored.with_overall(scored.measure, shares), scored.measure])
    if (~np.isnan(columns)).sum(axis=0).max() < 2:
        raise DataError("fewer than two respondents answered; nothing can be estimated")
    k = len(book.constructs)
    rows = [*book.constructs, OVERALL]
    tests = mean_tests(columns, level, n_resamples, seed)
    roles = {role: column_means(scored.with_overall(x, shares)) for role, x in scored.roles.items()}
    table = _table(tests, slice(0, k + 1), rows, measure, roles, family=k)
    table["weight"] = [*column_means(shares), np.nan]
    if measure == "gap":
        table = table.join(difference_reliability(scored, shares))
    by_item = {role: column_means(x) for role, x in scored.roles.items()}
    groups = compare_groups(scored.frame, by, columns[:, : k + 1], rows, level, n_resamples, seed)
    return Servqual(
        table=table,
        items=_table(tests, slice(k + 1, None), list(book.items), measure, by_item),
        zone=zone_of_tolerance(scored, shares, level, n_resamples, seed),
        groups=groups.means,
        comparisons=groups.pairs,
        omnibus=groups.omnibus,
        measure=measure,
        n_respondents=len(scored.frame),
        weights=words,
        by=by,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        codebook=book,
        synthetic=bool(scored.frame.attrs.get("synthetic")),
        notes=_notes(scored, columns[:, k], by, n_resamples),
    )


def _table(
    tests: MeanTests,
    part: slice,
    rows: list[str],
    measure: str,
    roles: Mapping[str, Array],
    family: int | None = None,
) -> pd.DataFrame:
    """Set tests out as a table; the first `family` rows (all without it) are adjusted together."""
    import pandas as pd

    found = {field: getattr(tests, field)[part] for field in MeanTests.__slots__}
    n = found["n"].astype(int)
    if measure == "perception":
        head = {"perception": found["mean"], "ci_low": found["ci_low"], "ci_high": found["ci_high"]}
        return pd.DataFrame({**head, "n": n, "se": found["se"], "sd": found["sd"]}, index=rows)
    p = found["p_value"]
    holm, fdr = (
        np.concatenate([adjust(p[:family], method), p[len(p) if family is None else family :]])
        for method in ("holm", "fdr_bh")
    )
    columns = {
        **roles,
        "gap": found["mean"],
        "ci_low": found["ci_low"],
        "ci_high": found["ci_high"],
        "t": found["t"],
        "p_value": p,
        "p_adjusted": holm,
        "effect_size": found["effect_size"],
        "n": n,
        "se": found["se"],
        "df": found["df"],
        "p_fdr": fdr,
        "p_wilcoxon": found["p_wilcoxon"],
        "effect_ci_low": found["effect_ci_low"],
        "effect_ci_high": found["effect_ci_high"],
    }
    return pd.DataFrame(columns, index=rows)


def _notes(scored: Scores, overall: Array, by: str | None, n_resamples: int) -> tuple[str, ...]:
    """Say what was left out, what was turned and what is rough."""
    notes = []
    if n_resamples < ROUGH:
        notes.append(f"intervals from {n_resamples} resamples are rough; take {ROUGH:,} or more")
    alone = int(scored.frame[by].isna().sum()) if by is not None else 0
    if alone:
        notes.append(f"{alone} respondents have no {by!r} and are in no group")
    without = int(np.isnan(overall).sum())
    if without:
        notes.append(
            f"{without} of {len(overall)} respondents lack a dimension (or points) and are not in "
            "the overall score"
        )
    one = int(np.isnan(scored.measure).any(axis=1).sum())
    if one:
        notes.append(
            f"{one} respondents have a missing answer; an item counts when answered in every role, "
            "a dimension is the mean of the items that count"
        )
    turned = set(scored.codebook.reverse) - set(scored.frame.attrs.get("reversed", ()))
    if turned:
        notes.append(f"reverse items turned here: {', '.join(sorted(turned))}")
    return tuple(notes)
