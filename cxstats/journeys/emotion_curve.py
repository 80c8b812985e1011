"""The emotion curve: how customers feel along a journey, touchpoint by touchpoint.

It has two doors: means of respondents' scores, through `cxstats.journey`, and counts or shares of
texts with a good word for a touchpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.messages import excerpt, listing
from cxstats.core.result import Chart, Result
from cxstats.journeys.journey_map import JourneyMap, as_number
from cxstats.journeys.read_map import read_map
from cxstats.stats.intervals import check_level, wilson_interval
from cxstats.stats.simultaneous import sidak_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Texts below which the share of a touchpoint is too rough to read.
FEW_TEXTS = 10


@dataclass(frozen=True, eq=False, repr=False)
class EmotionCurve(Result):
    """Scores, or shares of positive texts, along a journey.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per touchpoint in the order of the journey: ``stage, touchpoint, estimate``, its own
        interval ``ci_low, ci_high``, the band ``band_low, band_high`` that holds for all
        touchpoints at once, and ``n``. NaN where nobody scored or wrote.
    kind : {"score", "share"}
        Mean scores, or shares from 0 to 1.
    journey_map : JourneyMap
    neutral : float or None
        Where the mood is neither good nor bad: the middle of the scale, or one half.
    level, single_level : float
        Confidence level of each interval and of the band as a whole; the level of a single
        interval at which the band holds.
    method : str
        How the band is made: "covariance" of the respondents' scores, or "sidak", where nothing is
        known of the correlation.
    n : float
        Respondents, or mentions in texts.
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    kind: str
    journey_map: JourneyMap
    neutral: float | None
    level: float
    single_level: float
    method: str
    n: float
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("curve",)
    reference: ClassVar = (
        "Montiel Olea & Plagborg-Møller (2019). Simultaneous confidence bands: Theory, "
        "implementation, and an application to SVARs. Journal of Applied Econometrics 34(1), 1-17."
    )

    def names(self, lang: str | None = None) -> list[str]:
        """Return the touchpoints in a language."""
        return [touchpoint.name.get(lang) for touchpoint in self.journey_map.touchpoints]

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with stages and touchpoints in `lang`."""
        return in_language(self.table, self.journey_map, lang)

    def value_text(self, value: float, lang: str) -> str:
        """Write a point of the curve."""
        if self.kind == "share":
            return format_percent(100 * value, 0, lang)
        return format_number(value, 2)

    def limits_text(self, low: float, high: float) -> str:
        """Write an interval of the curve; shares in per cent."""
        return interval(100 * low, 100 * high, 0) if self.kind == "share" else interval(low, high)

    @property
    def lowest(self) -> int | None:
        """Row of the lowest point; None where there are no points."""
        values = self.table["estimate"].to_numpy(float)
        return None if np.isnan(values).all() else int(np.nanargmin(values))

    @property
    def level_with_lowest(self) -> list[int]:
        """Rows that may be lower: their band is missing, or reaches into that of the lowest."""
        at = self.lowest
        if at is None:
            return []
        low, high = (self.table[f"band_{end}"].to_numpy(float) for end in ("low", "high"))
        estimate = self.table["estimate"].to_numpy(float)
        top = high[at] if np.isfinite(high[at]) else np.inf
        rivals = ~np.isnan(estimate) & ~(low > top)
        return [i for i in np.flatnonzero(rivals).tolist() if i != at]

    def finding(self, lang: str) -> str:
        """Return where the curve is lowest, in a sentence."""
        at = self.lowest
        if at is None:
            return label("journey.curve.empty", lang)
        rivals = self.level_with_lowest
        key = f"journey.curve.lowest.rivals.{self.kind}"
        if self.table["band_low"].isna().all():
            key = f"journey.curve.lowest.only.{self.kind}"
        elif not rivals:
            key = f"journey.curve.lowest.{self.kind}"
        value = self.value_text(float(self.table["estimate"].iloc[at]), lang)
        return label(key, lang, name=self.names(lang)[at], value=value,
                     k=len(rivals))  # fmt: skip

    def findings(self, lang: str) -> list[str]:
        """Return the lowest point and every touchpoint with its interval and band."""
        level = format_percent(100 * self.level, None, lang)
        lines = [label(f"journey.curve.head.{self.kind}", lang, level=level), self.finding(lang)]
        rows: Any = self.as_table(lang)
        for row in rows.itertuples():
            has_estimate = np.isfinite(row.estimate)
            lines.append(
                label(
                    "journey.curve.row" if has_estimate else "journey.curve.row.empty", lang,
                    stage=row.stage, name=row.touchpoint,
                    value=self.value_text(row.estimate, lang) if has_estimate else "",
                    interval=self.limits_text(row.ci_low, row.ci_high),
                    band=self.limits_text(row.band_low, row.band_high), n=format_number(row.n),
                )
            )  # fmt: skip
        return lines

    def source_text(self, lang: str) -> str:
        """Return where the points come from, for a chart."""
        if self.kind == "share":
            return label("journey.source.texts", lang, n=format_number(self.n))
        return scores_source(self.journey_map, self.n, self.synthetic, lang)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the curve with its band."""
        return Chart("emotion_curve", (self,))


def scores_source(journey_map: JourneyMap, n: float, synthetic: bool, lang: str) -> str:
    """Return where scores come from: what the map says, the respondents, or the map alone."""
    named = journey_map.source.get(lang)
    if named or not n:
        return named or label("journey.source.map", lang)
    key = "chart.survey.simulated" if synthetic else "chart.survey.own"
    return label(key, lang, n=format_number(n))


def in_language(table: pd.DataFrame, journey_map: JourneyMap, lang: str | None) -> pd.DataFrame:
    """Return a table of touchpoints with its texts in `lang`."""
    points = journey_map.touchpoints
    texts = {
        "stage": [journey_map.stages[t.stage].name.get(lang) for t in points],
        "touchpoint": [t.name.get(lang) for t in points],
        "channel": [joined(journey_map.channels_of(t), lang) for t in points],
    }
    return table.assign(**{name: texts[name] for name in texts if name in table.columns})


def joined(texts: tuple[Text, ...], lang: str | None = None) -> str:
    """Return texts in one line."""
    from cxstats.core.language import check_lang

    return ("；" if check_lang(lang) == "zh" else "; ").join(text.get(lang) for text in texts)


def emotion_curve_from_counts(
    journey: Any,
    positive: Mapping[str, float],
    n: Any,
    *,
    level: float = 0.95,
    synthetic: bool = False,
) -> EmotionCurve:
    """Return the emotion curve from how many texts name a touchpoint, and how many are positive.

    The share ``p = positive / n`` of each touchpoint has Wilson's interval. The band is Wilson's at
    the level ``level^(1/k)`` (Sidak), since one text may name several touchpoints and their
    correlation is not known: it holds for independent touchpoints, and more often for others.

    Parameters
    ----------
    journey : Journey, JourneyMap or what `cxstats.journey` reads
        Stages and touchpoints in order.
    positive : mapping or Series of touchpoint to number
        Texts with a good word for it, from 0 to n; they may be weighted sums.
    n : mapping or Series of touchpoint to number, or one number
        Texts that name it.
    level : float
    synthetic : bool
        Whether the texts are made up.

    Returns
    -------
    EmotionCurve
        Touchpoints that are not named have no point.

    Raises
    ------
    CxError
        If a touchpoint is not one of the journey, or a number is not allowed.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22.
    Sidak (1967). Rectangular confidence regions for the means of multivariate normal distributions.
    JASA 62, 626-633.

    Examples
    --------
    >>> stages = [{"name": "buy", "touchpoints": ["shop", "pay"]}]
    >>> curve = emotion_curve_from_counts({"stages": stages}, {"shop": 40, "pay": 15}, 50)
    >>> curve.table[["estimate", "ci_low", "band_low"]].round(2).to_numpy().tolist()
    [[0.8, 0.67, 0.65], [0.3, 0.19, 0.18]]
    """
    journey_map = journey if isinstance(journey, JourneyMap) else _map_of(journey)
    check_level(level)
    positives = _by_touchpoint("positive", positive, journey_map)
    totals = _totals(n, journey_map, positives)
    for name, count in positives.items():
        if name not in totals:
            raise CxError(f"n: touchpoint {name!r} has none; it is how many texts name it")
        if count > totals[name]:
            raise CxError(
                f"positive: touchpoint {name!r} has {count:g} of n = {totals[name]:g} texts; "
                "allowed: at most n"
            )
    for name, total in totals.items():
        if name not in positives and total > 0:
            raise CxError(f"positive: touchpoint {name!r} has none, but n is {total:g}; give 0")
    counts = np.array([totals.get(name, 0.0) for name in journey_map.ids])
    good = np.array([positives.get(name, 0.0) for name in journey_map.ids])
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = good / counts
    single = sidak_level(int((counts > 0).sum()), level)
    return EmotionCurve(
        table=_table(journey_map, shares, counts, level, single),
        kind="share",
        journey_map=journey_map,
        neutral=0.5,
        level=level,
        single_level=single,
        method="sidak",
        n=float(counts.sum()),
        synthetic=synthetic,
        notes=_share_notes(journey_map, counts),
    )


def emotion_curve_from_shares(
    journey: Any,
    shares: Mapping[str, float],
    n: Any,
    *,
    level: float = 0.95,
    synthetic: bool = False,
) -> EmotionCurve:
    """Return the emotion curve from shares of positive texts (0 to 1) and their number.

    As `emotion_curve_from_counts`, with ``positive = share * n``.

    Examples
    --------
    >>> stages = [{"name": "buy", "touchpoints": ["shop", "pay"]}]
    >>> curve = emotion_curve_from_shares({"stages": stages}, {"shop": 0.8, "pay": 0.3}, 50)
    >>> curve.table["estimate"].tolist()
    [0.8, 0.3]
    """
    journey_map = journey if isinstance(journey, JourneyMap) else _map_of(journey)
    by_id = _by_touchpoint("shares", shares, journey_map)
    for name, share in by_id.items():
        if share > 1:
            raise CxError(f"shares: touchpoint {name!r} has {share:g}; allowed: 0 to 1")
    totals = _totals(n, journey_map, by_id)
    positive = {name: share * totals.get(name, 0.0) for name, share in by_id.items()}
    return emotion_curve_from_counts(journey_map, positive, totals, level=level,
                                     synthetic=synthetic)  # fmt: skip


def _map_of(journey: Any) -> JourneyMap:
    inner = getattr(journey, "journey_map", None)
    return inner if isinstance(inner, JourneyMap) else read_map(journey)


def _totals(n: Any, journey_map: JourneyMap, names: Mapping[str, float]) -> dict[str, float]:
    if as_number(n) is not None:
        return _by_touchpoint("n", dict.fromkeys(names, n), journey_map)
    return _by_touchpoint("n", n, journey_map)


def _by_touchpoint(what: str, entry: Any, journey_map: JourneyMap) -> dict[str, float]:
    """Return numbers from 0 upwards by the id of their touchpoint; not every one needs any."""
    entry = entry.to_dict() if hasattr(entry, "to_dict") else entry
    if not isinstance(entry, Mapping):
        raise CxError(f"{what}={excerpt(entry)}; allowed: a mapping of touchpoint to number")
    id_of = journey_map.id_of
    numbers: dict[str, float] = {}
    for name, value in entry.items():
        if name not in id_of:
            allowed = listing(journey_map.ids)
            raise CxError(f"{what}: {excerpt(name)} is no touchpoint; allowed: {allowed}")
        number = as_number(value)
        if number is None or not 0 <= number < np.inf:
            raise CxError(
                f"{what}: touchpoint {name!r} has {excerpt(value)}; allowed: numbers from 0 upwards"
            )
        if id_of[name] in numbers:
            raise CxError(f"{what}: touchpoint {id_of[name]!r} is named twice")
        numbers[id_of[name]] = number
    return numbers


def _table(
    journey_map: JourneyMap, shares: Array, counts: Array, level: float, single: float
) -> pd.DataFrame:
    import pandas as pd

    low, high = wilson_interval(shares, counts, level)
    band_low, band_high = wilson_interval(shares, counts, single)
    points = journey_map.touchpoints
    return pd.DataFrame(
        {
            "stage": [journey_map.stages[t.stage].name.en for t in points],
            "touchpoint": [t.name.en for t in points],
            "estimate": shares,
            "ci_low": low,
            "ci_high": high,
            "band_low": band_low,
            "band_high": band_high,
            "n": counts,
        }
    )


def _share_notes(journey_map: JourneyMap, counts: Array) -> tuple[Text, ...]:
    def names(chosen: NDArray[np.bool_]) -> Text:
        points = [t for t, keep in zip(journey_map.touchpoints, chosen, strict=True) if keep]
        return Text(listed(t.name.en for t in points).en, listed(t.name.zh for t in points).zh)

    few, empty = (counts > 0) & (counts < FEW_TEXTS), counts == 0
    return (
        both("journey.note.sidak"),
        *note_if(bool(few.any()), "journey.note.few_texts", names=names(few), least=FEW_TEXTS),
        *note_if(bool(empty.any()), "journey.note.no_texts", names=names(empty)),
    )
