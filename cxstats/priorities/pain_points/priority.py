"""Priorities: what a cause weighs against what its remedy takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import Text, both, label
from cxstats.core.result import Chart, Result
from cxstats.priorities.pain_points.concentration import ranks
from cxstats.priorities.quadrants import (
    Centre,
    Crosshairs,
    check_crosshairs,
    covariances,
    crosshairs_table,
    cuts,
    lines_note,
    moved_points,
    on_the_line,
    quadrant_codes,
    quadrant_shares,
)
from cxstats.stats.bootstrap import percentile_limits

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.priorities.pain_points.analysis import PainPoints

    Array = NDArray[np.float64]

Scale = tuple[float, float]

# Top left, top right, bottom left, bottom right of impact (up) against effort (across).
QUADRANTS = ("quick win", "big bet", "fill-in", "time sink")


@dataclass(frozen=True, eq=False, repr=False)
class Priority(Result):
    """The priority matrix.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per cause, the best ratio first: ``cause, impact, effort, ratio`` (impact by
        effort), ``rank, rank_ci_low, rank_ci_high, quadrant, certainty, n``. Rank intervals and
        certainty (share of resamples in that quadrant, crosshairs anew in each) come from the
        records; numbers that the caller gave stay as they are. NaN where nothing varies.
    impact, effort : str
        "given", "share", "total" (of records) or "mean" (of records).
    crosshairs, effort_cut, impact_cut
        The choice, and where they stand.
    scale : (low, high) or None
    replicates : array (B, k, 2) or None
        Effort and impact in every resample.
    source : PainPoints
        Where the causes come from.
    notes : tuple of Text
    """

    table: pd.DataFrame
    impact: str
    effort: str
    crosshairs: Crosshairs
    effort_cut: float
    impact_cut: float
    scale: tuple[float, float] | None
    replicates: Array | None
    source: PainPoints
    notes: tuple[Text, ...]

    kinds: ClassVar = ("matrix",)
    codes: ClassVar = {"quadrant": "priority.quadrant.{}"}

    @property
    def level(self) -> float:
        """Level of the intervals."""
        return self.source.level

    @property
    def synthetic(self) -> bool:
        """Whether the records are simulated."""
        return self.source.synthetic

    def crosshairs_table(self) -> pd.DataFrame:
        """Return the quadrant of each cause under each choice of crosshairs.

        One column per choice, then ``same``: whether all agree.
        """
        centre = _centre(self.scale, self.impact, self.effort)
        axes = ("effort", "impact")
        return crosshairs_table(self.table, axes, self.crosshairs, centre, QUADRANTS)

    def findings(self, lang: str) -> list[str]:
        """Return the causes, the best ratio of impact to effort first."""
        lines = [label("priority.head", lang, k=len(self.table))]
        rows: Any = self.table
        for row in rows.itertuples():
            quadrant = label(f"priority.quadrant.{row.quadrant}", lang)
            if np.isfinite(row.certainty):
                share = format_percent(100 * row.certainty, 0, lang)
                quadrant += label("ipa.certainty", lang, share=share)
            lines.append(
                label(
                    "priority.row", lang, rank=format_number(row.rank), name=row.cause,
                    impact=_short(row.impact), effort=_short(row.effort), quadrant=quadrant,
                )
            )  # fmt: skip
        return [*lines, *moved_points(self.crosshairs_table(), lang)]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return impact against effort, in quadrants."""
        drawn, sampled = self.replicates, "given" not in (self.impact, self.effort)
        common: dict[str, Any] = {
            "x_cut": self.effort_cut,
            "y_cut": self.impact_cut,
            "x_label": label(f"priority.effort.{self.effort}", lang),
            "y_label": label(f"priority.impact.{self.impact}", lang),
            "quadrants": [label(f"priority.quadrant.{name}", lang) for name in QUADRANTS],
            "covariances": covariances(drawn) if drawn is not None and sampled else None,
            "certain": None if drawn is None else self.table["certainty"],
            "note": lines_note(self.crosshairs, drawn is not None, lang),
            "level": self.level,
            "source": self.source.source_text(lang),
            "synthetic": self.synthetic,
        }
        x = on_the_line(self.table["effort"].to_numpy(float), self.effort_cut)
        y = on_the_line(self.table["impact"].to_numpy(float), self.impact_cut)
        return Chart("quadrant_map", (self.table["cause"], x, y), common)


def prioritise(
    points: PainPoints,
    impact: Mapping[str, float] | None,
    effort: Mapping[str, float] | None,
    crosshairs: Crosshairs,
    scale: Scale | None,
) -> Priority:
    """Place causes by impact and effort; see `PainPoints.priority`."""
    import pandas as pd

    check_crosshairs(crosshairs)
    _check_scale(scale)
    names = list(points.causes.names[: points.causes.n_named])
    if len(names) < 2:
        raise CxError(f"one cause, {names[0]!r}; a matrix needs at least 2")
    y, y_drawn, y_kind = _coordinate(points, "impact", impact, scale, names)
    x, x_drawn, x_kind = _coordinate(points, "effort", effort, scale, names)
    centre = _centre(scale, y_kind, x_kind)
    if crosshairs == "scale" and centre[0] is None:
        raise CxError('crosshairs="scale" needs scale=(low, high) and effort that is given')
    replicates, shares = None, np.full((len(names), 4), np.nan)
    rank_low = rank_high = np.full(len(names), np.nan)
    n_failed = 0
    if x_drawn is not None or y_drawn is not None:
        replicates, n_failed = _paired(x, y, x_drawn, y_drawn)
        shares = quadrant_shares(crosshairs, replicates[..., 0], replicates[..., 1], centre)
        drawn_ranks = ranks(replicates[..., 1] / replicates[..., 0])
        rank_low, rank_high = percentile_limits(drawn_ranks, points.level)
    x_cut, y_cut = cuts(crosshairs, x, y, centre)
    codes = quadrant_codes(x, y, x_cut, y_cut)
    table = pd.DataFrame(
        {
            "cause": names,
            "impact": y,
            "effort": x,
            "ratio": y / x,
            "rank": ranks(y / x),
            "rank_ci_low": rank_low,
            "rank_ci_high": rank_high,
            "quadrant": [QUADRANTS[code] for code in codes],
            "certainty": shares[np.arange(len(names)), codes],
            "n": points.n,
        }
    )
    order = table["rank"].argsort(kind="stable").to_numpy()
    return Priority(
        table=table.iloc[order].reset_index(drop=True),
        impact=y_kind,
        effort=x_kind,
        crosshairs=crosshairs,
        effort_cut=float(x_cut),
        impact_cut=float(y_cut),
        scale=scale,
        replicates=None if replicates is None else replicates[:, order],
        source=points,
        notes=_notes(points, y_kind, x_kind, replicates is not None, n_failed),
    )


def _coordinate(
    points: PainPoints,
    side: str,
    stated: Mapping[str, float] | None,
    scale: Scale | None,
    names: list[str],
) -> tuple[Array, Array | None, str]:
    """Return the numbers of one side (k,), their replicates (B, k) or None, and their kind."""
    causes, k = points.causes, len(names)
    if stated is not None:
        return _stated(side, stated, scale, names), None, "given"
    amount = causes.impact if side == "impact" else causes.effort
    if amount is not None:
        if side == "effort" and not (amount.estimate[:k] > 0).all():
            zero = names[int(np.argmin(amount.estimate[:k]))]
            raise CxError(f"effort of {zero!r} is 0; allowed: above 0")
        kind = "total" if side == "impact" else "mean"
        return amount.estimate[:k], amount.replicates[:, :k], kind
    if side == "effort":
        raise CxError("effort is not known: give effort={cause: number}, or records with a column")
    drawn = None if causes.replicates is None else causes.replicates[:, :k]
    return causes.shares[:k], drawn, "share"


def _stated(side: str, stated: Mapping[str, float], scale: Scale | None, names: list[str]) -> Array:
    """Return the caller's numbers in the order of the causes.

    Raises
    ------
    CxError
        Naming cause and value of one that is missing, unknown or not allowed.
    """
    if not hasattr(stated, "keys"):
        raise CxError(
            f"{side} is {stated!r}; allowed: a number for each cause, {{cause: number}}; a column "
            f"of records is named in pain_points({side}=...)"
        )
    missing = [name for name in names if name not in stated]
    unknown = [name for name in stated.keys() if name not in names]  # noqa: SIM118  (a Series, too)
    if missing:
        raise CxError(f"{side} has no number for cause {missing[0]!r}")
    if unknown:
        raise CxError(f"{side} has {unknown[0]!r}, which is not among the causes")
    low, high = scale or (0, np.inf)
    allowed = f"{low:g} to {high:g}" if scale else "numbers from 0 upwards"
    if side == "effort":
        allowed += ", above 0"
    values = []
    for name in names:
        try:
            value = float(stated[name])
        except (TypeError, ValueError):
            value = float("nan")
        usable = np.isfinite(value) and (value > 0 if side == "effort" else value >= 0)
        if not (usable and low <= value <= high):
            raise CxError(f"{side} of {name!r} is {stated[name]!r}; allowed: {allowed}")
        values.append(value)
    return np.array(values)


def _check_scale(scale: Scale | None) -> None:
    pair = scale is None or (len(scale) == 2 and np.isfinite(scale).all() and scale[0] < scale[1])
    if not pair:
        raise CxError(f"scale is {scale!r}; allowed: (low, high), low below high")


def _centre(scale: Scale | None, impact: str, effort: str) -> Centre:
    """Return the centres of scale of effort and impact: only numbers that are given have one."""
    middle = None if scale is None else sum(scale) / 2
    return (middle if effort == "given" else None, middle if impact == "given" else None)


def _paired(x: Array, y: Array, x_drawn: Array | None, y_drawn: Array | None) -> tuple[Array, int]:
    """Return replicates (B, k, 2) and how many are left out; what was given stays as it is."""
    (shape, *_) = [drawn.shape for drawn in (y_drawn, x_drawn) if drawn is not None]
    across, up = (
        np.broadcast_to(fixed, shape) if drawn is None else drawn
        for fixed, drawn in ((x, x_drawn), (y, y_drawn))
    )
    pairs = np.stack([across, up], axis=-1)
    defined = ~np.isnan(pairs).any(axis=(1, 2)) & (pairs[..., 0] > 0).all(axis=1)
    return pairs[defined], int((~defined).sum())


def _short(value: float) -> str:
    """Return a number of any size with three digits that count."""
    return format_number(float(f"{value:.3g}"))


def _notes(
    points: PainPoints, impact: str, effort: str, resampled: bool, n_failed: int
) -> tuple[Text, ...]:
    """Return what decides, what has no uncertainty and what was left out."""
    notes = [both("ipa.note.crosshairs")]
    kinds = {"impact": impact, "effort": effort}
    sides = [both(f"priority.side.{side}") for side, kind in kinds.items() if kind == "given"]
    if sides:
        names = Text(" and ".join(side.en for side in sides), "与".join(side.zh for side in sides))
        notes.append(both("priority.note.given", sides=names))
    if not resampled:
        notes.append(both("priority.note.not_sampled"))
    if n_failed:
        notes.append(both("priority.note.failed", k=n_failed))
    if points.other is not None:
        notes.append(both("priority.note.bundle", name=points.other))
    return tuple(notes)
