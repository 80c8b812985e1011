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

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, both, check_lang, label
from cxstats.core.result import Chart, Result
from cxstats.service.dimension_scores import (
    OVERALL,
    Scores,
    answered_in_all,
    difference_reliability,
    respondent_weights,
    zone_of_tolerance,
)
from cxstats.stats.group_comparison import compare_groups
from cxstats.stats.hypothesis_tests import MeanTests, adjust, difference_tests, mean_tests
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
CONSTANT = 1e-9  # range of scores that are the same for everybody, but for rounding
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


@by_codebook(_group_columns, sampling=("design", "cluster"), in_memory=True)
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
    frame : pandas, Polars, PyArrow table or DuckDB relation
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
    data = as_pandas(frame)
    if not isinstance(paired, bool):
        raise CxError(f"paired={paired!r}; allowed: True, False")
    if not paired:
        return _of_two_samples(data, codebook, weights, by, design_of(design, cluster=cluster),
                               {"level": level, "interval": interval, "n_resamples": n_resamples,
                                "seed": seed})  # fmt: skip
    roles = answered_in_all(data, codebook, ("expectation", "perception"))
    _check_pairs(data, codebook, roles["perception"])
    scored = Scores(data, codebook, roles["perception"] - roles["expectation"], roles)
    options = _options(scored, "gap", design_of(design, cluster=cluster), level, interval)
    options = replace(options, n_resamples=n_resamples, seed=seed)
    return _analyse(scored, "gap", weights, by, options, seed, min_cell)


def _check_pairs(frame: pd.DataFrame, codebook: Codebook, both_roles: Array) -> None:
    """Raise if there are answers in either role and none in both."""
    if not np.isnan(both_roles).all():
        return
    expectation, perception = (
        (~np.isnan(answers(frame, codebook, role))).any(axis=1).sum()
        for role in ("expectation", "perception")
    )
    if expectation and perception:
        raise DataError(
            f"nobody answered an item in both roles ({expectation} respondents gave expectations, "
            f"{perception} perceptions), and a gap of respondents needs both: if these are "
            "different people, say paired=False; if each has two rows, put them into one first"
        )


def _of_two_samples(
    frame: pd.DataFrame,
    codebook: Codebook,
    weights: str | Mapping[str, float] | None,
    by: str | None,
    design: Design | None,
    settings: dict[str, Any],
) -> Servqual:
    """Return the gaps of two samples, one of which gave expectations, the other perceptions."""
    import pandas as pd

    if by is not None:
        raise CxError("by= compares gaps of respondents; with paired=False there are none")
    if isinstance(weights, str) and weights == "points":
        raise CxError(
            "weights='points' needs both roles of a respondent; with paired=False allowed: None, "
            "or a mapping"
        )
    roles = {role: answers(frame, codebook, role) for role in ("expectation", "perception")}
    samples = {role: (~np.isnan(values)).any(axis=1) for role, values in roles.items()}
    twice = int((samples["expectation"] & samples["perception"]).sum())
    if twice:
        raise DataError(
            f"{twice} respondents answered in both roles; paired=False is for two samples of "
            "different people: leave it out, or leave these respondents out"
        )
    few = [role for role, there in samples.items() if there.sum() < 2]
    if few:
        raise DataError(f"fewer than two respondents gave a {few[0]}; nothing can be estimated")
    either = np.where(np.isnan(roles["perception"]), roles["expectation"], roles["perception"])
    scored = Scores(frame, codebook, either, roles)
    options = _options(scored, "gap", design, settings["level"], settings["interval"])
    options = replace(options, n_resamples=settings["n_resamples"], seed=settings["seed"])
    shares, scheme = respondent_weights(frame, codebook, weights)
    scores = {role: np.column_stack([scored.with_overall(values, shares), values])
              for role, values in roles.items()}  # fmt: skip
    tests, means = difference_tests(scores["perception"], scores["expectation"], options)
    k = len(codebook.constructs)
    tables = []
    for columns, names, family in (
        (slice(0, k + 1), pd.Index([*codebook.constructs, OVERALL], name="score"), k),
        (slice(k + 1, None), pd.Index(codebook.items, name="item"), None),
    ):
        of_roles = {role: options.mean(values[:, columns]) for role, values in scores.items()}
        table = _table(tests, columns, names, "gap", of_roles, family)
        table = table.drop(columns=OF_PAIRS)
        for role, of_role in zip(("perception", "expectation"), means, strict=True):
            table[f"n_{role}"] = of_role.n[columns].astype(int)
        tables.append(table)
    tables[0]["weight"] = [*options.mean(shares), np.nan]
    least = replace(tests, n=np.minimum(*(mean.n for mean in means)))
    sizes = {role: int(there.sum()) for role, there in samples.items()}
    return Servqual(
        table=tables[0],
        items=tables[1],
        zone=None,
        groups=None,
        comparisons=None,
        omnibus=None,
        measure="gap",
        paired=False,
        n_respondents=sum(sizes.values()),
        weights=scheme,
        by=None,
        level=options.level,
        n_resamples=options.n_resamples,
        seed=settings["seed"],
        codebook=codebook,
        synthetic=bool(frame.attrs.get("synthetic")),
        interval=options.interval,
        design=design,
        notes=(
            both("servqual.note.independent", **sizes),
            *_notes(scored, scored.with_overall(either, shares)[:, k], None, options),
            *_interval_notes(scored, least, list(tables[0].index), options.interval),
            *_design_notes(options, "difference"),
        ),
    )


@by_codebook(_group_columns, sampling=("design", "cluster"), in_memory=True)
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
    data = as_pandas(frame)
    role = "perception" if "perception" in codebook.roles else codebook.roles[0]
    perception = answers(data, codebook, role)
    scored = Scores(data, codebook, perception, {"perception": perception})
    options = _options(scored, "perception", design_of(design, cluster=cluster), level, interval)
    options = replace(options, n_resamples=n_resamples, seed=seed)
    return _analyse(scored, "perception", weights, by, options, seed, min_cell)


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
        role = "perception" if "perception" in book.roles else book.roles[0]
        values = answers(data, book, role)
    shares, _ = respondent_weights(data, book, weights)
    scores = Scores(data, book, values, {}).with_overall(values, shares)
    return pd.DataFrame(scores, index=data.index, columns=[*book.constructs, OVERALL])


def _options(
    scored: Scores, measure: str, design: Design | None, level: float, interval: str
) -> MeanOptions:
    """Return how intervals are made; no score leaves its scale."""
    ends = np.array([scored.codebook.bounds(item) for item in scored.codebook.items], float)
    low, high = ends[:, 0].min(), ends[:, 1].max()
    if measure == "gap":
        width = float((ends[:, 1] - ends[:, 0]).max())
        low, high = -width, width
    rows = None if design is None else design.read(scored.frame)
    return MeanOptions(level, interval, rows=rows, bounds=(low, high))


def _analyse(
    scored: Scores,
    measure: str,
    weights: str | Mapping[str, float] | None,
    by: str | None,
    options: MeanOptions,
    seed: int,
    min_cell: int | None,
) -> Servqual:
    import pandas as pd

    book = scored.codebook
    shares, scheme = respondent_weights(scored.frame, book, weights)
    scores = scored.with_overall(scored.measure, shares)
    columns = np.column_stack([scores, scored.measure])
    if (~np.isnan(columns)).sum(axis=0).max() < 2:
        raise DataError("fewer than two respondents answered; nothing can be estimated")
    k = len(book.constructs)
    names = pd.Index([*book.constructs, OVERALL], name="score")
    tests = mean_tests(columns, options)
    means = {role: options.mean(scored.with_overall(x, shares)) for role, x in scored.roles.items()}
    table = _table(tests, slice(0, k + 1), names, measure, means, family=k)
    table["weight"] = [*options.mean(shares), np.nan]
    if measure == "gap":
        table = table.join(difference_reliability(scored, shares, options.rows))
    item_means = {role: options.mean(x) for role, x in scored.roles.items()}
    items = pd.Index(book.items, name="item")
    groups = compare_groups(scored.frame, by, scores, list(names), options, min_cell)
    zone = zone_of_tolerance(scored, shares, options)
    return Servqual(
        table=table,
        items=_table(tests, slice(k + 1, None), items, measure, item_means),
        zone=zone,
        groups=groups.means,
        comparisons=groups.pairs,
        omnibus=None if groups.omnibus is None else groups.omnibus.rename_axis("score"),
        measure=measure,
        paired=True,
        n_respondents=len(scored.frame),
        weights=scheme,
        by=by,
        level=options.level,
        n_resamples=options.n_resamples,
        seed=seed,
        codebook=book,
        synthetic=bool(scored.frame.attrs.get("synthetic")),
        interval=options.interval,
        design=None if options.rows is None else options.rows.design,
        notes=(
            *_notes(scored, scores[:, k], by, options),
            *_constant(scored, measure, dict(zip(names, scores.T, strict=True))),
            *_constant_zone(scored, zone),
            *_interval_notes(scored, tests, list(names), options.interval),
            *groups.notes,
            *_design_notes(options, measure),
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


def _constant(scored: Scores, measure: str, scores: Mapping[str, Array]) -> list[Text]:
    """Say which scores are the same for everybody; items only where their dimension varies."""
    book = scored.codebook
    constant = [name for name, values in scores.items() if _same(values)]
    of_constant = {item for name in constant for item in book.constructs.get(name, ())}
    constant += [
        item
        for item, values in zip(book.items, scored.measure.T, strict=True)
        if item not in of_constant and _same(values)
    ]
    if not constant:
        return []
    joined = _joined([_named(book, name) for name in constant])
    return [both(f"servqual.note.constant.{measure}", names=joined)]


def _same(values: Array) -> bool:
    """Return whether all who have a score, at least two, have the same one."""
    values = values[~np.isnan(values)]
    return len(values) > 1 and bool(np.ptp(values) < CONSTANT)


def _constant_zone(scored: Scores, zone: pd.DataFrame | None) -> list[Text]:
    """Say which distances to the minimum or the expectation are the same for everybody."""
    if zone is None:
        return []
    notes = []
    for distance in ("adequacy", "superiority"):
        alike = zone.index[(zone["n"] > 1) & zone[f"{distance}_p_value"].isna()]
        if len(alike):
            names = _joined([_named(scored.codebook, str(name)) for name in alike])
            notes.append(both(f"servqual.note.constant.{distance}", names=names))
    return notes


def _interval_notes(
    scored: Scores, tests: MeanTests, names: list[str], interval: str
) -> tuple[Text, ...]:
    """Name the scores whose interval is known to cover less than it says."""
    k = len(names)
    texts = [_named(scored.codebook, name) for name in names]
    return interval_notes(texts, tests.n[:k], tests.skewness[:k], interval)


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


def _notes(
    scored: Scores, overall: Array, by: str | None, options: MeanOptions
) -> tuple[Text, ...]:
    """Say what was left out, what was turned and what is rough."""
    ungrouped = int(scored.frame[by].isna().sum()) if by is not None else 0
    no_overall = int(np.isnan(overall).sum())
    incomplete = int(np.isnan(scored.measure).any(axis=1).sum())
    turned = sorted(set(scored.codebook.turned) - set(scored.frame.attrs.get("reversed", ())))
    notes = []
    if options.interval == "bca" and options.n_resamples < ROUGH:
        b, least = options.n_resamples, format_number(ROUGH)
        notes.append(both("servqual.note.rough", b=b, least=least))
    if ungrouped:
        notes.append(both("servqual.note.ungrouped", n=ungrouped, by=by))
    if no_overall:
        notes.append(both("servqual.note.no_overall", k=no_overall, n=len(overall)))
    if incomplete:
        notes.append(both("servqual.note.incomplete", n=incomplete))
    if turned:
        notes.append(both("servqual.note.turned", items=", ".join(turned)))
    return tuple(notes)
