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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import (
    SPARK,
    STREAMED,
    as_pandas,
    as_table,
    engine_of,
    is_lazy,
    is_too_large,
)
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, both, check_lang, label
from cxstats.core.result import Chart, Result
from cxstats.service.dimension_scores import (
    OVERALL,
    Scores,
    answered_in_all,
    respondent_weights,
)
from cxstats.service.engine_summary import summary_of_sums, summary_of_two_sums
from cxstats.service.servqual_summary import (
    Summary,
    refuse_two_samples,
    scored_role,
    summary_of_respondents,
    summary_of_two_samples,
)
from cxstats.stats.hypothesis_tests import (
    MeanTests,
    adjust,
)
from cxstats.stats.means import MeanOptions, interval_notes, method_name
from cxstats.stats.sampling_design import Design, design_of
from cxstats.survey.answers import answers
from cxstats.survey.codebook import Codebook, as_codebook
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVEL, N_RESAMPLES, SEED = 0.95, 5_000, 1
ROUGH = 1_000  # resamples below which an interval's ends move visibly with the seed
# Columns that a gap of two samples does not have.
OF_PAIRS = ["effect_size", "effect_ci_low", "effect_ci_high", "p_wilcoxon"]
CHARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "dimensions": ("gap_dumbbell", {}),
    "items": ("gap_dumbbell", {"items": True}),
    "zone": ("zone_bands", {}),
    "scatter": ("gap_scatter", {}),
}


@dataclass(frozen=True, eq=False, repr=False)
class Servqual(Result):
    """Gaps, or SERVPERF scores, with intervals and tests.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per dimension, then "Overall": ``expectation, perception, estimate, gap, ci_low,
        ci_high, t, p_value, p_adjusted, effect_size, n`` and, further right, ``se, df, p_fdr,
        p_wilcoxon, effect_ci_low, effect_ci_high, weight, reliability, alpha_gap,
        n_reliability``. The estimate is
        the gap (of SERVPERF, the perception). Intervals are those of the t test unless `interval`
        says otherwise; ``effect_size`` is d_z with its noncentral t interval (under a design that
        of the delta method, and there is no ``p_wilcoxon``); ``p_adjusted`` is Holm's and
        ``p_fdr`` Benjamini and Hochberg's, over the dimensions (Overall is one test of its own and
        is not adjusted);
        ``reliability`` is that of the difference score, from the ``n_reliability`` respondents
        who answered every item of the dimension.
    items : pandas.DataFrame
        The same by item, without weight and reliability; adjusted over all items.
    zone : pandas.DataFrame or None
        Zone of tolerance, where the questionnaire asks for a minimum level.
    groups, comparisons, omnibus : pandas.DataFrame or None
        Scores by group, all pairs of groups, and a test of all groups at once, with `by`.
    measure : str
        "gap" or "perception" (SERVPERF).
    paired : bool
        Whether a gap is that of each respondent. Of two samples the tables have no ``effect_size``,
        ``p_wilcoxon`` and ``reliability``, but ``n_perception`` and ``n_expectation``.
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
    interval, design
        Kind of interval and design of the sample.
    notes : tuple of Text
        What a reader must know: the missing rule, respondents left out, what was turned, which
        intervals are known to cover less than they say.
    """

    table: pd.DataFrame
    items: pd.DataFrame
    zone: pd.DataFrame | None
    groups: pd.DataFrame | None
    comparisons: pd.DataFrame | None
    omnibus: pd.DataFrame | None
    measure: str
    paired: bool
    n_respondents: int
    weights: str
    by: str | None
    level: float
    n_resamples: int
    seed: int
    codebook: Codebook
    synthetic: bool
    interval: str
    design: Design | None
    notes: tuple[Text, ...]

    reference: ClassVar = (
        "Parasuraman, A., Zeithaml, V. A., & Berry, L. L. (1988). SERVQUAL: A multiple-item scale "
        "for measuring consumer perceptions of service quality. Journal of Retailing, 64(1), "
        "12-40.\n"
        "Cronin, J. J., & Taylor, S. A. (1992). Measuring service quality: A reexamination and "
        "extension. Journal of Marketing, 56(3), 55-68."
    )

    def title(self, lang: str | None = None) -> str:
        """Return what was scored: SERVQUAL or SERVPERF."""
        return label(f"title.Servqual.{self.measure}", lang)

    def name(self, score: str, lang: str | None = None) -> str:
        """Return the name of a dimension, an item or the overall score."""
        lang = check_lang(lang)
        if score == OVERALL:
            return label("servqual.overall", lang)
        return self.codebook.label(score, lang)

    def translated(self, lang: str | None = None) -> dict[str, pd.DataFrame]:
        """Return `tables` as people read them: scores by their names in `lang`."""
        names = {score: self.name(score, lang) for score in (*self.codebook.constructs, OVERALL)}
        tables = {key: table.replace({"score": names}) for key, table in self.tables().items()}
        return {
            key: table.rename(index=names) if table.index.name == "score" else table
            for key, table in tables.items()
        }

    def findings(self, lang: str) -> list[str]:
        """Return the dimensions with interval and test, and the groups that differ."""
        head = label(
            f"servqual.head.{self.measure}", lang,
            n=self.n_respondents,
            level=format_percent(100 * self.level, None, lang),
            method=method_name(self.interval, self.n_resamples, self.seed).get(lang),
            weights=label(f"servqual.weights.{self.weights}", lang),
        )  # fmt: skip
        scores = [self._score_line(str(score), row, lang) for score, row in self.table.iterrows()]
        return [head, *scores, *self._group_lines(lang)]

    def _score_line(self, score: str, row: pd.Series[Any], lang: str) -> str:
        values = {
            "name": self.name(score, lang),
            "estimate": format_number(
                row["estimate"], 2, self.measure == "gap" and row["estimate"] != 0
            ),
            "interval": interval(row["ci_low"], row["ci_high"]),
            "n": f"{row['n']:.0f}",
        }
        if self.measure == "gap":
            values["p"] = p_text(row["p_adjusted"])
        if not self.paired:
            values |= {name: f"{row[name]:.0f}" for name in ("n_perception", "n_expectation")}
            return label("servqual.row.gap.independent", lang, **values)
        if self.measure == "gap":
            sizes = {"d": row["effect_size"], "r": row["reliability"]}
            values |= {name: format_number(size, 2) for name, size in sizes.items()}
        return label(f"servqual.row.{self.measure}", lang, **values)

    def _group_lines(self, lang: str) -> list[str]:
        if self.comparisons is None:
            return []
        differ = self.comparisons[self.comparisons["p_adjusted"] < 1 - self.level]
        counts = {"n": len(self.comparisons), "k": len(differ)}
        return [label("servqual.groups", lang, by=self.by, **counts)] + [
            label(
                "servqual.groups.row", lang,
                name=self.name(row["score"], lang),
                group=row["group"],
                other=row["other"],
                estimate=format_number(row["estimate"], 2, sign=True),
                interval=interval(row["ci_low"], row["ci_high"]),
            )
            for _, row in differ.iterrows()
        ]  # fmt: skip

    @property
    def kinds(self) -> tuple[str, ...]:
        """What `plot` can draw with the roles that the questionnaire asks for."""
        return tuple(kind for kind in CHARTS if not self.why_not(kind))

    def why_not(self, kind: str) -> str:
        """Return why the result cannot be drawn as a zone or a scatter; empty if it can."""
        if kind == "zone" and self.zone is None:
            roles = self.codebook.roles
            lacking = [role for role in ("minimum", "expectation") if role not in roles]
            return (
                f"no zone of tolerance: the codebook has no {' and '.join(lacking)} answers (such "
                f"as minimum: 'M_{{item}}'); it has: {', '.join(roles)}"
            )
        if kind == "scatter" and self.measure != "gap":
            return "a scatter needs expectations, and this result has perceptions alone"
        return ""

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return gaps by dimension or item, the zone of tolerance, or answers against another."""
        chart, settings = CHARTS[kind]
        return Chart(chart, (self,), settings)


def _group_columns(book: Codebook, arguments: Mapping[str, Any]) -> list[str]:
    """Return the column of groups; answers are read by role."""
    return [name for name in [arguments.get("by")] if name is not None]


def _needs_respondents(arguments: Mapping[str, Any]) -> bool:
    """Return whether the respondents of a lazy table are fetched, as far as that is allowed."""
    has_design = any(arguments.get(name) is not None for name in ("design", "cluster"))
    return has_design or not _comes_from_sums(arguments["frame"], arguments.get("interval", "t"))


def _comes_from_sums(frame: Any, interval: str) -> bool:
    """Return whether everything comes from sums that the engine of a lazy table adds up.

    Engines whose planners take long over hundreds of sums give rows instead while there are few;
    so does any, where these are to be resampled.
    """
    if not is_lazy(frame):
        return False
    adds_up = engine_of(as_table(frame)) in (*STREAMED, *SPARK)
    return (adds_up and interval != "bca") or is_too_large(frame)


@by_codebook(_group_columns, sampling=("design", "cluster"), in_memory=_needs_respondents)
def servqual(  # noqa: PLR0913  (keywords)
    frame: Any,
    codebook: Codebook,
    weights: str | Mapping[str, float] | None = None,
    *,
    by: str | None = None,
    paired: bool = True,
    interval: str = "t",
    design: Design | None = None,
    cluster: str | None = None,
    min_cell: int | None = None,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> Servqual:
    """Compute SERVQUAL gaps, ``G = P - E``, with intervals, tests and their reliability.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table or DuckDB relation, or a lazy table of Spark, Ibis, Dask
        The responses, one row per respondent; see `cxstats.check` and `cxstats.clean`.
    codebook : Codebook
        A questionnaire with perceptions and expectations. It also lends names and order of groups,
        and its sampling design unless one is named here (``design=None`` names none).
    weights : None, "points" or mapping of dimension to weight
        How dimensions enter the overall score: equally; by the 100 points that each respondent
        allots (``sum_k w_rk g_rk``, then averaged, which is not the mean gaps weighted by mean
        points when points vary with gaps); or by fixed weights that sum to 1 or to 100.
    by : str, optional
        Column of groups or waves to compare.
    paired : bool
        False where other people gave the expectations than the perceptions: the gap of a score is
        the difference of two means then, with Welch's t, ``se^2 = s_P^2 / n_P + s_E^2 / n_E``. It
        has no groups, no points and no zone of tolerance.
    interval : {"t", "hall", "bca"}
        That of the tests, Student's and Welch's t, so that an interval and the p value beside it
        agree; t corrected for skewness (Hall 1992), which covers better where answers pile up at
        an end of the scale; or bias-corrected and accelerated bootstrap, which covers less with
        fewer than 50 answers.
    design : cxstats.Design, optional
        How respondents were sampled: weights, clusters, strata. Errors are then linearised ones,
        those of R's survey package, with t of the design's degrees of freedom; groups are domains.
        Sampling weights go here alone: `weights` are those of the dimensions.
    cluster : str, optional
        Column of clusters, short for ``design=cx.Design(cluster=...)``.
    min_cell : int, optional
        Groups with fewer respondents at some score get no estimates, which the notes say.
    level : float
        Confidence level.
    n_resamples, seed : int
        Resamples of respondents of "bca", and their seed.

    Returns
    -------
    Servqual

    Raises
    ------
    DataError
        Naming row, column, value and what is allowed; or if the questionnaire has no
        expectations, fewer than two respondents answered, nobody did in both roles, or (with
        ``paired=False``) somebody did.
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

    From 100,000 respondents on, means of "bca" are drawn from their normal limit instead of from
    resamples (`cxstats.stats.large_samples`), which a note says.

    Of a lazy table of Polars, DuckDB or Spark only sums and counts of values leave the engine
    (`cxstats.service.engine_scores`), with the numbers of a table in memory; of other engines past
    2 million rows. There "bca" draws every mean from its normal limit past that size, a score of
    more than a million different values has no Wilcoxon test, and a design needs the rows. No one
    warns of an item that was turned before: a lazy table keeps no mark of it.

    Examples
    --------
    >>> import cxstats as cx
    >>> responses, codebook = cx.simulate_servqual(300, seed=1)
    >>> result = cx.servqual(responses, codebook, weights="points")
    >>> result.table.loc["Reliability", ["expectation", "perception", "gap"]].round(1).tolist()
    [6.2, 5.1, -1.1]
    """
    codebook = as_codebook(codebook)
    if "expectation" not in codebook.roles:
        raise DataError(
            "this questionnaire has no expectations, so there is no gap; cxstats.servperf scores "
            "perceptions alone"
        )
    if not isinstance(paired, bool):
        raise CxError(f"paired={paired!r}; allowed: True, False")
    if not paired:
        _check_two_samples(weights, by)
    options = _options(codebook, "gap", level, interval, n_resamples, seed)
    chosen = design_of(design, cluster=cluster)
    if chosen is None and _comes_from_sums(frame, interval):
        summary = summary_of_sums if paired else summary_of_two_sums
        return _result(summary(frame, codebook, "gap", weights, by, options, min_cell), options)
    data = as_pandas(frame)
    if chosen is not None:
        options = replace(options, rows=chosen.read(data))
    if not paired:
        return _result(summary_of_two_samples(data, codebook, weights, options), options)
    roles = answered_in_all(data, codebook, ("expectation", "perception"))
    if np.isnan(roles["perception"]).all():
        counts = (
            int((~np.isnan(answers(data, codebook, role))).any(axis=1).sum())
            for role in ("expectation", "perception")
        )
        refuse_two_samples(*counts)
    scored = Scores(data, codebook, roles["perception"] - roles["expectation"], roles)
    return _result(summary_of_respondents(scored, "gap", weights, by, options, min_cell), options)


def _check_two_samples(weights: str | Mapping[str, float] | None, by: str | None) -> None:
    """Raise for what needs the gaps of respondents."""
    if by is not None:
        raise CxError("by= compares gaps of respondents; with paired=False there are none")
    if isinstance(weights, str) and weights == "points":
        raise CxError(
            "weights='points' needs both roles of a respondent; with paired=False allowed: None, "
            "or a mapping"
        )


@by_codebook(_group_columns, sampling=("design", "cluster"), in_memory=_needs_respondents)
def servperf(  # noqa: PLR0913  (keywords)
    frame: Any,
    codebook: Codebook,
    weights: str | Mapping[str, float] | None = None,
    *,
    by: str | None = None,
    interval: str = "t",
    design: Design | None = None,
    cluster: str | None = None,
    min_cell: int | None = None,
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
    ['estimate', 'perception', 'ci_low', 'ci_high']
    """
    codebook = as_codebook(codebook)
    options = _options(codebook, "perception", level, interval, n_resamples, seed)
    chosen = design_of(design, cluster=cluster)
    if chosen is None and _comes_from_sums(frame, interval):
        summary = summary_of_sums(frame, codebook, "perception", weights, by, options, min_cell)
        return _result(summary, options)
    data = as_pandas(frame)
    if chosen is not None:
        options = replace(options, rows=chosen.read(data))
    perception = answers(data, codebook, scored_role(codebook))
    scored = Scores(data, codebook, perception, {"perception": perception})
    return _result(
        summary_of_respondents(scored, "perception", weights, by, options, min_cell), options
    )


def respondent_scores(
    frame: Any,
    codebook: Codebook,
    weights: str | Mapping[str, float] | None = None,
    *,
    measure: str | None = None,
) -> pd.DataFrame:
    """Return the score of every respondent on every dimension, and the overall one.

    They are what `servqual` and `servperf` test.

    Parameters
    ----------
    frame, codebook, weights
        As `servqual`.
    measure : {"gap", "perception"}, optional
        Without it gaps, where the questionnaire has expectations.

    Returns
    -------
    pandas.DataFrame
        Columns: the dimensions and "Overall"; NaN where nothing was answered.

    Examples
    --------
    >>> import pandas as pd
    >>> book = Codebook(scale=(1, 7), constructs={"A": ["a1", "a2"], "B": ["b1"]})
    >>> frame = pd.DataFrame({"a1": [5, 6], "a2": [7, None], "b1": [None, 2]})
    >>> respondent_scores(frame, book).to_dict("list")
    {'A': [6.0, 6.0], 'B': [nan, 2.0], 'Overall': [nan, 4.0]}
    """
    import pandas as pd

    data, book = as_pandas(frame), as_codebook(codebook)
    if measure is None:
        measure = "gap" if "expectation" in book.roles else "perception"
    if measure == "gap":
        roles = answered_in_all(data, book, ("expectation", "perception"))
        values = roles["perception"] - roles["expectation"]
    else:
        values = answers(data, book, scored_role(book))
    shares, _ = respondent_weights(data, book, weights)
    scores = Scores(data, book, values, {}).with_overall(values, shares)
    return pd.DataFrame(scores, index=data.index, columns=[*book.constructs, OVERALL])


def _options(
    book: Codebook, measure: str, level: float, interval: str, n_resamples: int, seed: int
) -> MeanOptions:
    """Return how intervals are made; no score leaves its scale."""
    ends = np.array([book.bounds(item) for item in book.items], float)
    low, high = ends[:, 0].min(), ends[:, 1].max()
    if measure == "gap":
        width = float((ends[:, 1] - ends[:, 0]).max())
        low, high = -width, width
    return MeanOptions(level, interval, n_resamples, seed, bounds=(low, high))


def _result(summary: Summary, options: MeanOptions) -> Servqual:
    """Set a summary out as a result."""
    import pandas as pd

    book, measure, tests = summary.codebook, summary.measure, summary.tests
    k = len(book.constructs)
    tables = []
    for columns, names, family in (
        (slice(0, k + 1), pd.Index(summary.names[: k + 1], name="score"), k),
        (slice(k + 1, None), pd.Index(book.items, name="item"), None),
    ):
        means = {role: values[columns] for role, values in summary.means.items()}
        table = _table(tests, columns, names, measure, means, family)
        if summary.of_roles is not None:
            table = table.drop(columns=OF_PAIRS)
            for role, n in summary.of_roles.items():
                table[f"n_{role}"] = n[columns].astype(int)
        tables.append(table)
    tables[0]["weight"] = [*summary.shares, np.nan]
    if summary.reliability is not None:
        tables[0] = tables[0].join(summary.reliability)
    groups, paired = summary.groups, summary.sizes is None
    return Servqual(
        table=tables[0],
        items=tables[1],
        zone=summary.zone,
        groups=groups.means,
        comparisons=groups.pairs,
        omnibus=None if groups.omnibus is None else groups.omnibus.rename_axis("score"),
        measure=measure,
        paired=paired,
        n_respondents=summary.n if summary.sizes is None else sum(summary.sizes.values()),
        weights=summary.scheme,
        by=summary.by,
        level=options.level,
        n_resamples=options.n_resamples,
        seed=options.seed,  # type: ignore[arg-type]
        codebook=book,
        synthetic=summary.synthetic,
        interval=options.interval,
        design=None if options.rows is None else options.rows.design,
        notes=(
            *summary.notes,
            *(
                ()
                if summary.sizes is None
                else (both("servqual.note.independent", **summary.sizes),)
            ),
            *_notes(summary, options),
            *_constant(summary),
            *_constant_zone(book, summary.zone),
            *_interval_notes(summary, options.interval),
            *groups.notes,
            *_design_notes(options, measure if paired else "difference"),
        ),
    )


def _table(
    tests: MeanTests,
    columns: slice,
    names: pd.Index[str],
    measure: str,
    means: Mapping[str, Array],
    family: int | None = None,
) -> pd.DataFrame:
    """Set tests out as a table; the first `family` rows (all without it) are adjusted together."""
    import pandas as pd

    statistics = {name: getattr(tests, name)[columns] for name in MeanTests.__slots__}
    n = statistics["n"].astype(int)
    estimate = {"estimate": statistics["mean"], measure: statistics["mean"]}
    limits = {name: statistics[name] for name in ("ci_low", "ci_high")}
    if measure == "perception":
        spread = {"se": statistics["se"], "sd": statistics["sd"]}
        return pd.DataFrame({**estimate, **limits, "n": n, **spread}, index=names)
    p = statistics["p_value"]
    holm, fdr = (
        np.concatenate([adjust(p[:family], method), p[len(p) if family is None else family :]])
        for method in ("holm", "fdr_bh")
    )
    table = {
        **means,
        **estimate,
        **limits,
        "t": statistics["t"],
        "p_value": p,
        "p_adjusted": holm,
        "effect_size": statistics["effect_size"],
        "n": n,
        "se": statistics["se"],
        "df": statistics["df"],
        "p_fdr": fdr,
        "p_wilcoxon": statistics["p_wilcoxon"],
        "effect_ci_low": statistics["effect_ci_low"],
        "effect_ci_high": statistics["effect_ci_high"],
    }
    return pd.DataFrame(table, index=names)


def _constant(summary: Summary) -> list[Text]:
    """Say which scores are the same for everybody; items only where their dimension varies."""
    book, n_scores = summary.codebook, len(summary.codebook.constructs) + 1
    constant = [name for name, same in zip(summary.names, summary.constant, strict=True) if same]
    scores = {name for name in summary.names[:n_scores] if name in constant}
    of_constant = {item for name in scores for item in book.constructs.get(name, ())}
    constant = [name for name in constant if name in scores or name not in of_constant]
    if not constant:
        return []
    joined = _joined([_named(book, name) for name in constant])
    return [both(f"servqual.note.constant.{summary.measure}", names=joined)]


def _constant_zone(book: Codebook, zone: pd.DataFrame | None) -> list[Text]:
    """Say which distances to the minimum or the expectation are the same for everybody."""
    if zone is None:
        return []
    notes = []
    for distance in ("adequacy", "superiority"):
        alike = zone.index[(zone["n"] > 1) & zone[f"{distance}_p_value"].isna()]
        if len(alike):
            names = _joined([_named(book, str(name)) for name in alike])
            notes.append(both(f"servqual.note.constant.{distance}", names=names))
    return notes


def _interval_notes(summary: Summary, interval: str) -> tuple[Text, ...]:
    """Name the scores whose interval is known to cover less than it says."""
    book, k = summary.codebook, len(summary.codebook.constructs) + 1
    n = summary.tests.n
    if summary.of_roles is not None:
        n = np.min(list(summary.of_roles.values()), axis=0)
    texts = [_named(book, name) for name in summary.names[:k]]
    return interval_notes(texts, n[:k], summary.tests.skewness[:k], interval)


def _design_notes(options: MeanOptions, measure: str) -> tuple[Text, ...]:
    """Say what a design changes."""
    if options.rows is None:
        return ()
    gap = (both("servqual.note.design"),) if measure == "gap" else ()
    return (*options.rows.notes(), *gap)


def _named(book: Codebook, score: str) -> Text:
    """Return the name of a dimension, an item or the overall score in both languages."""
    if score == OVERALL:
        return both("servqual.overall")
    return Text(book.label(score, "en"), book.label(score, "zh"))


def _joined(names: list[Text]) -> Text:
    return Text(", ".join(name.en for name in names), "、".join(name.zh for name in names))


def _notes(summary: Summary, options: MeanOptions) -> tuple[Text, ...]:
    """Say what was left out, what was turned and what is rough."""
    notes = []
    if options.interval == "bca" and options.n_resamples < ROUGH:
        b, least = options.n_resamples, format_number(ROUGH)
        notes.append(both("servqual.note.rough", b=b, least=least))
    if summary.ungrouped:
        notes.append(both("servqual.note.ungrouped", n=summary.ungrouped, by=summary.by))
    if summary.without_overall:
        k = summary.without_overall
        notes.append(both("servqual.note.no_overall", k=k, n=summary.n))
    if summary.incomplete:
        notes.append(both("servqual.note.incomplete", n=summary.incomplete))
    if summary.turned:
        notes.append(both("servqual.note.turned", items=", ".join(summary.turned)))
    return tuple(notes)
