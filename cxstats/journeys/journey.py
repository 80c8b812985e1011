"""``cx.journey``: a journey map with what respondents felt along it.

``CS = sum_i W_i S_i`` over the stages i, with ``S_i`` the score of a stage and ``sum_i W_i = 1``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.messages import listing, row_name
from cxstats.core.moments import Seed
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.journeys.emotion_curve import (
    EmotionCurve,
    emotion_curve_from_counts,
    emotion_curve_from_shares,
    in_language,
    joined,
    scores_source,
)
from cxstats.journeys.journey_map import JourneyMap
from cxstats.journeys.moments_of_truth import FEWEST, Gaps, MomentsOfTruth
from cxstats.journeys.read_map import check_scale, read_map
from cxstats.journeys.share_matrices import ShareMatrix, coverage
from cxstats.journeys.touchpoint_scores import (
    TouchpointScores,
    checked_number,
    of_touchpoints,
    read_scores,
)
from cxstats.journeys.weighted_stages import (
    stage_scores,
    weighted_means,
)
from cxstats.stats.intervals import t_interval
from cxstats.stats.means import MeanOptions, Means, interval_notes
from cxstats.stats.sampling_design import Design, SampledRows, design_of
from cxstats.stats.simultaneous import sidak_level, simultaneous_level
from cxstats.stats.weights import check_weights

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ON_MISSING = ("rescale", "drop", "refuse")
OVERALL = "CS"
# Skewness of a mean above which a band of t intervals holds less often than it says: it reaches
# further into the tails than a single interval (tests/journeys/test_coverage.py, run by -m slow).
SKEWED = 0.1
WEIGHTED = ("estimate", "ci_low", "ci_high", "band_low", "band_high", "se", "n")


@dataclass(frozen=True, eq=False, repr=False)
class Journey(Result):
    """A journey: its map and, where there are scores, how customers feel along it.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per touchpoint in order: ``stage, touchpoint, id, channel, weight``; mean score
        ``estimate`` with its own interval ``ci_low, ci_high``, the band ``band_low, band_high``
        that holds for all touchpoints at once, ``se, n``; ``expected`` and ``gap`` (score less
        expectation) with its interval; ``importance``, ``moment`` (importance times how far the
        score stays below the expectation) with its interval, and ``first_share``, the share of
        resamples in which its moment is the largest. NaN where something is not known.
    stages : pandas.DataFrame
        The same of stages: ``stage, weight, estimate, ci_low, ci_high, band_low, band_high, se,
        n``.
    overall : pandas.DataFrame
        ``score, estimate, ci_low, ci_high, se, n, n_left_out`` of CS; no row where no weights are
        given.
    journey_map : JourneyMap
    scale : (low, high) or None
    expectation_kind : {"stated", "top", ""}
        What a gap is to: expectations, or the top of the scale.
    importance_kind : {"stated", "given", "map", "weights", ""}
        Of respondents, of the caller, of the map, or the weights.
    on_missing, interval, level, n_resamples, seed, design
        As passed.
    touchpoint_level, stage_level : float
        Levels of single intervals at which the bands hold.
    n : int
        Respondents.
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    stages: pd.DataFrame
    overall: pd.DataFrame
    journey_map: JourneyMap
    scale: tuple[float, float] | None
    expectation_kind: str
    importance_kind: str
    on_missing: str
    interval: str
    level: float
    touchpoint_level: float
    stage_level: float
    n_resamples: int
    seed: Seed
    design: Design | None
    n: int
    synthetic: bool
    notes: tuple[Text, ...]

    reference: ClassVar = (
        "Lemon & Verhoef (2016). Understanding customer experience throughout the customer "
        "journey. Journal of Marketing 80(6), 69-96."
    )
    codes: ClassVar = {"score": "journey.score.{}"}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The strip; with scores the curve, with importance the moments, with channels coverage."""
        return tuple(kind for kind in ("strip", "curve", "moments", "coverage")
                     if not self.why_not(kind))  # fmt: skip

    def why_not(self, kind: str) -> str:
        """Return why there is no chart of a kind that other journeys have."""
        lacking = {
            "curve": (self.table["estimate"], "no touchpoint has a score; give responses"),
            "moments": (self.table["moment"], "no importance, or no gap; give importance="),
        }
        if kind in lacking:
            values, reason = lacking[kind]
            return reason if values.isna().all() else ""
        channels = any(map(self.journey_map.channels_of, self.journey_map.touchpoints))
        return "no touchpoint names a channel" if kind == "coverage" and not channels else ""

    @property
    def cs(self) -> float:
        """CS; NaN where no weights are given."""
        return float(self.overall["estimate"].iloc[0]) if len(self.overall) else float("nan")

    def title(self, lang: str | None = None) -> str:
        """Return the name of the journey."""
        return self.journey_map.name.get(lang) or super().title(lang)

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with stages, touchpoints and channels in `lang`."""
        return in_language(self.table, self.journey_map, lang)

    def translated(self, lang: str | None = None) -> dict[str, pd.DataFrame]:
        """Return the tables in `lang`."""
        names = [stage.name.get(lang) for stage in self.journey_map.stages]
        return {**super().translated(lang), "stages": self.stages.assign(stage=names)}

    def emotion_curve(self) -> EmotionCurve:
        """Return the curve of the mean scores, with its band.

        Raises
        ------
        CxError
            If no touchpoint has a score.
        """
        if self.why_not("curve"):
            raise CxError(self.why_not("curve"))
        columns = ["stage", "touchpoint", *WEIGHTED]
        return EmotionCurve(
            table=self.table[columns].drop(columns="se"),
            kind="score",
            journey_map=self.journey_map,
            neutral=None if self.scale is None else sum(self.scale) / 2,
            level=self.level,
            single_level=self.touchpoint_level,
            method="covariance" if self.n else "sidak",
            n=self.n,
            synthetic=self.synthetic,
            notes=tuple(n for n in self.notes if n not in self._moment_notes),
        )

    @property
    def _moment_notes(self) -> tuple[Text, ...]:
        keys = [f"journey.note.{name}" for name in ("top", "importance_weights", "fixed")]
        return tuple(both(key) for key in keys)

    def emotion_curve_from_counts(self, positive: Any, n: Any, **options: Any) -> EmotionCurve:
        """Return the curve of counted positive texts; see `emotion_curve_from_counts`."""
        return emotion_curve_from_counts(self.journey_map, positive, n, **options)

    def emotion_curve_from_shares(self, shares: Any, n: Any, **options: Any) -> EmotionCurve:
        """Return the curve of shares of positive texts; see `emotion_curve_from_shares`."""
        return emotion_curve_from_shares(self.journey_map, shares, n, **options)

    def coverage(self) -> ShareMatrix:
        """Return which share of the touchpoints of each stage each channel serves."""
        return coverage(self.journey_map, False)

    def moments_of_truth(self) -> pd.DataFrame:
        """Return the touchpoints by their moment, the largest first.

        ``rank, stage, touchpoint, importance, gap, estimate`` (the moment) ``, ci_low, ci_high,
        first_share, n``.
        """
        columns = ["stage", "touchpoint", "importance", "gap", "moment", "moment_ci_low",
                   "moment_ci_high", "first_share", "n"]  # fmt: skip
        rows = self.table[columns].dropna(subset=["moment"])
        rows = rows.sort_values("moment", ascending=False, kind="stable").reset_index(drop=True)
        rows = rows.rename(columns=lambda name: name.removeprefix("moment_"))
        rows = rows.rename(columns={"moment": "estimate"})
        rows.insert(0, "rank", np.arange(1, len(rows) + 1))
        return rows

    def findings(self, lang: str) -> list[str]:
        """Return CS, the stages, the lowest touchpoint and the first moment of truth."""
        size = {"stages": len(self.stages), "touchpoints": len(self.table)}
        level = format_percent(100 * self.level, None, lang)
        key = "journey.head.n" if self.n else "journey.head"
        lines = [label(key, lang, title=self.title(lang), n=format_number(self.n), level=level,
                       **size)]  # fmt: skip
        if len(self.overall):
            row = self.overall.iloc[0]
            limits = interval(row["ci_low"], row["ci_high"])
            value = format_number(row["estimate"], 2)
            key = "journey.cs" if np.isfinite(row["ci_low"]) else "journey.cs.point"
            lines.append(label(key, lang, value=value, interval=limits,
                               n=format_number(row["n"])))  # fmt: skip
        lines += [self._stage_line(i, lang) for i in range(len(self.stages))]
        if not self.why_not("curve"):
            lines.append(self.emotion_curve().finding(lang))
        if not self.why_not("moments"):
            lines.append(self._first_moment(lang))
        return lines

    def _stage_line(self, place: int, lang: str) -> str:
        row, stage = self.stages.iloc[place], self.journey_map.stages[place]
        points = joined(tuple(t.name for t in self.journey_map.of_stage(place)), lang)
        values = {"stage": stage.name.get(lang), "touchpoints": points}
        if np.isnan(row["estimate"]):
            return label("journey.stage", lang, **values)
        values["value"] = format_number(row["estimate"], 2)
        if np.isfinite(row["ci_low"]):
            values["value"] += f" {interval(row['ci_low'], row['ci_high'])}"
        if np.isfinite(row["weight"]):
            values["weight"] = format_number(row["weight"], 3)
            return label("journey.stage.weighted", lang, **values)
        return label("journey.stage.score", lang, **values)

    def _first_moment(self, lang: str) -> str:
        at = int(np.nanargmax(self.table["moment"].to_numpy(float)))
        row, name = self.table.iloc[at], self.journey_map.touchpoints[at].name
        key = "journey.first" if np.isfinite(row["first_share"]) else "journey.first.only"
        return label(
            key, lang, name=name.get(lang), value=format_number(row["moment"], 2),
            interval=interval(row["moment_ci_low"], row["moment_ci_high"]),
            share=format_percent(100 * row["first_share"], 0, lang)
            if np.isfinite(row["first_share"]) else "",
        )  # fmt: skip

    def source_text(self, lang: str) -> str:
        """Return where the numbers come from, for a chart."""
        return scores_source(self.journey_map, self.n, self.synthetic, lang)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the strip, the curve, the moments of truth or the coverage."""
        if kind == "strip":
            return Chart("journey_strip", (self,))
        if kind == "curve":
            return self.emotion_curve().chart("curve", lang, options)
        if kind == "coverage":
            return self.coverage().chart("heatmap", lang, options)
        order = self.table["moment"].dropna().sort_values(ascending=False, kind="stable").index
        rows = self.table.loc[order]
        names = [self.journey_map.touchpoints[i].name.get(lang) for i in order]
        first = rows["first_share"].iloc[0]
        return Chart(
            "intervals", (names, rows["moment"], rows["moment_ci_low"], rows["moment_ci_high"]),
            {"level": self.level, "axis": label("journey.moments.axis", lang),
             "title": label("journey.moments.title", lang, name=names[0],
                            share=format_percent(100 * first, 0, lang))
             if np.isfinite(first) else label("journey.moments.title.only", lang, name=names[0]),
             "source": self.source_text(lang), "synthetic": self.synthetic},
        )  # fmt: skip


@long_work("journey")
def journey(  # noqa: PLR0913  (options of a method)
    data: Any,
    responses: Any = None,
    codebook: Any = None,
    weights: Any = None,
    importance: Any = None,
    *,
    expectations: Any = None,
    scale: Sequence[float] | None = None,
    long: Sequence[str] | None = None,
    on_missing: str = "rescale",
    interval: str = "t",
    design: Design | None = None,
    cluster: str | None = None,
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
) -> Journey:
    """Read a journey map and, with respondents, estimate how customers feel along it.

    ``CS = sum_i W_i S_i``; the emotion curve, with a band that holds for all touchpoints at once;
    moments of truth, ``importance * (expectation - score)``, with how certain it is that a
    touchpoint comes first; which channels serve which stages.

    Parameters
    ----------
    data : path, mapping, table or JourneyMap
        YAML or a mapping with ``title, source, scale, stages``; a stage has ``name, touchpoints``
        and may have ``action, channel, pain, expectation, evidence, weight``; a touchpoint is a
        name, or has ``name`` and may have ``id``, the same descriptions, ``events`` (activities of
        an event log), ``score, sd, n`` (published), ``importance, weight``. A text is one text,
        ``{"en": ..., "zh": ...}``, or a list. Or a table (a CSV or Excel file, a frame) of one row
        a touchpoint with these columns and ``stage``, texts also with ``_en`` and ``_zh``; or of
        one row a stage, where ``touchpoints`` lists them. Without a stage, every touchpoint is a
        stage of its own: a chain of contact points.
    responses : table, optional
        Respondents in rows. The column of a touchpoint is called by its id or, where no other
        touchpoint has it, its name. High scores are good.
    codebook : Codebook, mapping or path, optional
        Whose items are the touchpoints: scale, direction, missing codes, columns of perceptions and
        expectations, sampling design.
    weights : mapping of stage or of touchpoint to number, or "equal", optional
        W, from 0 upwards, with a sum of 1 or 100; without it those of the map. Weights of
        touchpoints also weigh them within their stage. No weights, no CS. Sampling weights go to
        `design`.
    importance : mapping of touchpoint to number or to column, or "...{touchpoint}...", optional
        Importance as stated by respondents (columns), or decided or estimated elsewhere (numbers,
        such as shares of `cxstats.drivers`), which are then taken as known. It is not computed
        here. Without it that of the map, or else the weights.
    expectations : number, mapping of touchpoint to column or number, or "...{touchpoint}..."
        What was expected, on the scale of the scores. Without it the top of the scale.
    scale : (low, high), optional
        Lowest and highest score; without it that of the codebook or of the map.
    long : (respondent, touchpoint, score), optional
        Columns of responses that have one row an answer.
    on_missing : {"rescale", "drop", "refuse"}
        What CS does with a respondent who lacks scores: average over what is there, first within
        a stage, then over stages with their weights divided by the sum of those that are there,
        which takes the missing ones to be like the others; leave the respondent out of CS; refuse.
        Touchpoints and stages always use every answer they have.
    interval : {"t", "hall", "bca"}
        Of means; the band is the same interval at the level at which all hold together.
    design : cxstats.Design, optional
        How respondents were sampled: weights, clusters, strata.
    cluster : str, optional
        Column of clusters, short for ``design=cx.Design(cluster=...)``.
    level, n_resamples, seed
        Confidence level; resamples of respondents and their seed.

    Returns
    -------
    Journey

    Raises
    ------
    DataError
        With every problem of the map; or naming row, column and value of a wrong score.
    CxError
        If an option does not fit.

    Notes
    -----
    The band comes from the covariance of the touchpoints' means: the single level at which
    intervals hold together with `level`, by multivariate t (sup-t). Published means (``score, sd,
    n``) without respondents have t intervals, and Sidak's band, since their correlation is not
    known; their CS has no interval. Weights are taken as known. ``first_share`` is a share of
    resamples: of two touchpoints that are equally bad, each has about one half on average.

    In our simulation of twelve touchpoints on seven points, bands of 95 % held all truths at n =
    20, 50, 200 in 94, 95, 95 % of samples with even answers; where answers piled up at the top, in
    90, 92, 94 %, and with ``interval="hall"`` in 94 and 95 % (n = 20, 50).

    Examples
    --------
    >>> import pandas as pd
    >>> steps = [{"name": "buy", "touchpoints": ["shop", "pay"]},
    ...          {"name": "use", "touchpoints": ["app"]}]
    >>> answers = pd.DataFrame({"shop": [5, 6, 7, 5], "pay": [3, 2, 4, 3], "app": [6, 5, 7, 6]})
    >>> felt = journey({"stages": steps}, answers, weights={"buy": 60, "use": 40}, scale=(1, 7))
    >>> felt.table["estimate"].tolist(), round(felt.cs, 2)
    ([5.75, 3.0, 6.0], 5.03)
    >>> felt.moments_of_truth()["touchpoint"].iloc[0]
    'pay'
    """
    if on_missing not in ON_MISSING:
        raise CxError(f"on_missing is {on_missing!r}; allowed: {', '.join(ON_MISSING)}")
    whole_design = design_of(design, cluster=cluster)
    options = MeanOptions(level, interval, n_resamples, seed)
    journey_map = read_map(data)
    limits = journey_map.scale if scale is None else check_scale(scale)
    shares, weighting = _weights(journey_map, weights)
    if responses is None:
        _refuse_unused(codebook=codebook, long=long, design=whole_design)
        published = _published(journey_map, limits, expectations, importance)
        return _of_published(journey_map, published, shares, weighting, options)
    scores = read_scores(journey_map, responses, codebook, scale=limits, expectations=expectations,
                         importance=importance, long=long, design=whole_design)  # fmt: skip
    options = replace(options, rows=scores.rows, bounds=scores.scale)
    return _of_respondents(journey_map, scores, shares, weighting, on_missing, options)


def _refuse_unused(**entries: Any) -> None:
    for name, entry in entries.items():
        if entry is not None:
            raise CxError(f"{name}= is not used without responses; leave it out")


def _weights(journey_map: JourneyMap, weights: Any) -> tuple[Array | None, str]:
    """Return the weights of touchpoints (k,), which sum to 1, and where they come from."""
    kind = "given"
    stage_names = [stage.name.en for stage in journey_map.stages]
    sizes = np.bincount([t.stage for t in journey_map.touchpoints], minlength=len(stage_names))
    if weights is None:
        kind = "map"
        of_stages = {s.name.en: s.weight for s in journey_map.stages if not np.isnan(s.weight)}
        of_points = {t.id: t.weight for t in journey_map.touchpoints if not np.isnan(t.weight)}
        if of_stages and of_points:
            raise DataError("the map weighs stages and touchpoints; allowed: one of them")
        weights = of_stages or of_points
        if not weights:
            return None, ""
    elif isinstance(weights, str):
        if weights != "equal":
            raise CxError(f"weights={weights!r}; allowed: 'equal', or a mapping of stage to weight")
        kind, weights = "equal", {name: 1 / len(stage_names) for name in stage_names}
    weights = weights.to_dict() if hasattr(weights, "to_dict") else weights
    if not isinstance(weights, Mapping):
        raise CxError(f"weights={weights!r}; allowed: a mapping of stage or touchpoint to weight")
    name_of = {name: s.name.en for s in journey_map.stages for name in s.name}
    id_of, points = journey_map.id_of, journey_map.touchpoints
    if all(name in name_of for name in weights):
        by_stage = check_weights(_renamed(weights, name_of), stage_names)
        shares = [by_stage[stage_names[t.stage]] / sizes[t.stage] for t in points]
    elif all(name in id_of for name in weights):
        by_point = check_weights(_renamed(weights, id_of), journey_map.ids)
        shares = [by_point[t.id] for t in points]
    else:
        odd = next(name for name in weights if name not in name_of and name not in id_of)
        odd = odd if odd is not None else next(iter(weights))
        raise CxError(
            f"weights: {odd!r} is neither stage nor touchpoint; allowed: {listing(stage_names)}; "
            f"or {listing(journey_map.ids)}"
        )
    return np.array(shares, float), kind


def _renamed(weights: Mapping[str, Any], name_of: Mapping[str, str]) -> dict[str, Any]:
    renamed = {name_of[name]: value for name, value in weights.items()}
    if len(renamed) < len(weights):
        raise CxError(f"weights: two of {listing(weights)} are one")
    return renamed


def _published(
    journey_map: JourneyMap,
    scale: tuple[float, float] | None,
    expectations: Any,
    importance: Any,
) -> TouchpointScores:
    """Return published means as scores of one row; options can only be numbers."""

    def of_option(what: str, entry: Any, ends: tuple[float, float] | None) -> Array | None:
        if entry is None:
            return None
        by_id = of_touchpoints(journey_map, what, entry)
        return np.array([checked_number(what, t, by_id[t], ends) for t in journey_map.ids])

    expected = of_option("expectations", expectations, scale)
    stated = of_option("importance", importance, None)
    means = np.array([[t.score for t in journey_map.touchpoints]])
    return TouchpointScores(means, expected, stated, scale)


def _of_respondents(
    journey_map: JourneyMap,
    scores: TouchpointScores,
    shares: Array | None,
    weighting: str,
    on_missing: str,
    options: MeanOptions,
) -> Journey:
    stage = np.array([t.stage for t in journey_map.touchpoints], np.intp)
    within = np.ones(len(stage)) if shares is None else shares
    by_stage = stage_scores(scores.scores, stage, within)
    points, stages = Means.of(scores.scores, options), Means.of(by_stage, options)
    point_limits, point_level = _bands(scores.scores, points, options)
    stage_limits, stage_level = _bands(by_stage, stages, options)
    if on_missing == "refuse" and shares is not None:
        _refuse_missing(journey_map, scores, shares)
    overall, left_out, cs_notes = _overall(scores.scores, by_stage, stage, shares, on_missing,
                                           options)  # fmt: skip
    gaps = Gaps.of(journey_map, scores, shares, weighting)
    moments = gaps.moments(options)
    names = [t.name for t in journey_map.touchpoints]
    few = points.n < FEWEST
    skewed = options.interval == "t" and bool((np.abs(points.skewness) > SKEWED).any())
    return Journey(
        table=_point_table(journey_map, shares, _estimates(points, options, point_limits), gaps,
                           moments),
        stages=_stage_table(journey_map, shares, _estimates(stages, options, stage_limits)),
        overall=_overall_table(overall, left_out, options),
        journey_map=journey_map, scale=scores.scale, expectation_kind=gaps.expectation_kind,
        importance_kind=gaps.importance_kind, on_missing=on_missing, interval=options.interval,
        level=options.level, touchpoint_level=point_level, stage_level=stage_level,
        n_resamples=options.n_resamples, seed=options.seed,
        design=None if scores.rows is None else scores.rows.design, n=len(scores.scores),
        synthetic=scores.synthetic,
        notes=(
            *scores.notes, *cs_notes, *gaps.notes(),
            *note_if(bool(few.any()), "journey.note.few", names=_named(names, few)),
            *note_if(bool((np.isnan(points.se) & ~few).any()), "journey.note.constant",
                     names=_named(names, np.isnan(points.se) & ~few)),
            *note_if(skewed, "journey.note.band_skewed"),
            *interval_notes(names, points.n, points.skewness, options.interval),
            *(() if scores.rows is None else scores.rows.notes()),
        ),
    )  # fmt: skip


def _bands(values: Array, means: Means, options: MeanOptions) -> tuple[tuple[Array, Array], float]:
    """Return limits (k,), (k,) that hold for all columns at once, and the level of each."""
    rows = options.rows if options.rows is not None else SampledRows.plain(len(values))
    varies = np.isfinite(means.se)
    influence = np.where(varies, np.nan_to_num(rows.influence_of_mean(values)), 0)
    covariances = (
        rows.covariance(influence) if rows.n_clusters > 1 else np.zeros((len(varies),) * 2)
    )
    level = simultaneous_level(covariances, means.df, options.level, options.seed)
    return means.limits(replace(options, level=level)), level


def _estimates(means: Means, options: MeanOptions, band: tuple[Array, Array]) -> dict[str, Array]:
    low, high = means.limits(options)
    columns = (means.mean, low, high, *band, means.se, means.n)
    return dict(zip(WEIGHTED, columns, strict=True))


def _overall(
    scores: Array,
    by_stage: Array,
    stage: NDArray[np.intp],
    shares: Array | None,
    on_missing: str,
    options: MeanOptions,
) -> tuple[Means | None, int, list[Text]]:
    """Return the mean of the respondents' CS, how many are left out, and what to say of gaps."""
    if shares is None:
        return None, 0, []
    weights = np.bincount(stage, shares, minlength=by_stage.shape[1]).astype(float)
    incomplete = (np.isnan(scores) & (shares > 0)).any(axis=1)
    cs = weighted_means(by_stage, weights)
    if on_missing == "drop":
        cs[incomplete] = np.nan
    means = Means.of(cs[:, None], options)
    left_out, some = int(np.isnan(cs).sum()), int(incomplete.sum())
    notes = note_if(some > 0, f"journey.note.{on_missing}", n=some, total=len(cs))
    return means, left_out, notes


def _refuse_missing(journey_map: JourneyMap, scores: TouchpointScores, shares: Array) -> None:
    rows, places = np.nonzero(np.isnan(scores.scores) & (shares > 0))
    if len(rows):
        others = len(set(rows.tolist())) - 1
        more = f" (and {others} more respondents lack one)" if others else ""
        raise DataError(
            f"{row_name(scores.index, rows[0])}, touchpoint {journey_map.ids[places[0]]!r}: no "
            f"score{more}; on_missing='rescale' or 'drop' goes on without it"
        )


def _overall_table(means: Means | None, left_out: int, options: MeanOptions) -> pd.DataFrame:
    import pandas as pd

    columns = ["score", "estimate", "ci_low", "ci_high", "se", "n", "n_left_out"]
    if means is None:
        return pd.DataFrame(columns=columns)
    low, high = means.limits(options)
    row = [OVERALL, means.mean[0], low[0], high[0], means.se[0], means.n[0], left_out]
    return pd.DataFrame([row], columns=columns)


def _of_published(
    journey_map: JourneyMap,
    published: TouchpointScores,
    shares: Array | None,
    weighting: str,
    options: MeanOptions,
) -> Journey:
    """Return the journey of a map alone: published means where it has any."""
    stage = np.array([t.stage for t in journey_map.touchpoints], np.intp)
    means, scale, level = published.scores[0], published.scale, options.level
    sd, n = (np.array([getattr(t, name) for t in journey_map.touchpoints]) for name in ("sd", "n"))
    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.where(n >= FEWEST, sd / np.sqrt(n), np.nan)
    single = sidak_level(int(np.isfinite(se).sum()), level)

    def limits(at: float) -> list[Array]:
        ends = t_interval(means, se, n - 1, at)
        return [np.clip(end, *scale) if scale else end for end in ends]

    columns = (means, *limits(level), *limits(single), se, n)
    within = np.ones(len(stage)) if shares is None else shares
    by_stage = stage_scores(published.scores, stage, within)[0]
    nothing = np.full(len(by_stage), np.nan)
    cs = _published_cs(by_stage, stage, shares, np.isnan(means))
    gaps = Gaps.of(journey_map, published, shares, weighting)
    moment = -gaps.level_of_importance() * gaps.gaps[0]
    empty = np.full(len(stage), np.nan)
    names = [t.name for t in journey_map.touchpoints]
    scored = ~np.isnan(means)
    bare = scored & np.isnan(se)
    return Journey(
        table=_point_table(journey_map, shares, dict(zip(WEIGHTED, columns, strict=True)), gaps,
                           MomentsOfTruth(moment, empty, empty, empty, empty, empty)),
        stages=_stage_table(journey_map, shares, dict(zip(
            WEIGHTED, (by_stage, *[nothing] * 6), strict=True))),
        overall=cs, journey_map=journey_map, scale=scale, expectation_kind=gaps.expectation_kind,
        importance_kind=gaps.importance_kind, on_missing="refuse", interval="t", level=level,
        touchpoint_level=single, stage_level=level, n_resamples=options.n_resamples,
        seed=options.seed, design=None, n=0, synthetic=False,
        notes=(
            *note_if(bool(scored.any()), "journey.note.published"),
            *note_if(bool(bare.any()), "journey.note.no_error", names=_named(names, bare)),
            *(gaps.notes() if scored.any() else ()),
        ),
    )  # fmt: skip


def _published_cs(
    by_stage: Array, stage: NDArray[np.intp], shares: Array | None, missing: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return CS of published means, a point; no row where a touchpoint that counts has none."""
    import pandas as pd

    table = _overall_table(None, 0, MeanOptions())
    if shares is None or missing[shares > 0].any():
        return table
    weights = np.bincount(stage, shares, minlength=len(by_stage)).astype(float)
    row = [OVERALL, float(weighted_means(by_stage[None], weights)[0]), *[np.nan] * 4, 0]
    return pd.DataFrame([row], columns=table.columns)


def _point_table(
    journey_map: JourneyMap,
    shares: Array | None,
    estimates: Mapping[str, Array],
    gaps: Gaps,
    moments: MomentsOfTruth,
) -> pd.DataFrame:
    import pandas as pd

    points = journey_map.touchpoints
    rows = gaps.rows or SampledRows.plain(len(gaps.gaps))
    return pd.DataFrame(
        {
            "stage": [journey_map.stages[t.stage].name.en for t in points],
            "touchpoint": [t.name.en for t in points],
            "id": list(journey_map.ids),
            "channel": [joined(journey_map.channels_of(t), "en") for t in points],
            "weight": np.nan if shares is None else shares,
            **estimates,
            "expected": gaps.expected,
            "gap": rows.mean(gaps.gaps),
            "gap_ci_low": moments.gap_low,
            "gap_ci_high": moments.gap_high,
            "importance": gaps.level_of_importance(),
            "moment": moments.estimate,
            "moment_ci_low": moments.low,
            "moment_ci_high": moments.high,
            "first_share": moments.certainty,
        }
    )


def _stage_table(
    journey_map: JourneyMap, shares: Array | None, estimates: Mapping[str, Array]
) -> pd.DataFrame:
    import pandas as pd

    stage = [t.stage for t in journey_map.touchpoints]
    weights = np.nan if shares is None else np.bincount(stage, shares)
    names = [s.name.en for s in journey_map.stages]
    return pd.DataFrame({"stage": names, "weight": weights, **estimates})


def _named(names: Sequence[Text], chosen: NDArray[np.bool_]) -> Text:
    some = [name for name, keep in zip(names, chosen, strict=True) if keep]
    return Text(listed(n.en for n in some).en, listed(n.zh for n in some).zh)
