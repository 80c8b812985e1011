"""Priorities: what a cause weighs against what its remedy takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number, format_percent
from cxstats.core.language import label
from cxstats.priorities.importance.quadrants import (
    CHOICES,
    Crosshairs,
    check_crosshairs,
    cuts,
    on_the_line,
    quadrant_codes,
    quadrant_shares,
)
from cxstats.priorities.importance.result import PLACES, covariances, lines_note
from cxstats.priorities.pain_points.concentration import ranks
from cxstats.stats.bootstrap import percentile_limits

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cxstats.priorities.pain_points.causes import PainPoints

    Array = NDArray[np.float64]

# Top left, top right, bottom left, bottom right of impact (up) against effort (across).
QUADRANTS = ("quick win", "big bet", "fill-in", "time sink")


@dataclass(frozen=True, eq=False)
class Priority:
    """The priority matrix.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per cause, the best ratio first: ``cause, impact, effort, ratio`` (impact by
        effort), ``rank, rank_ci_low, rank_ci_high, quadrant, certainty, n``. Rank intervals and
        certainty (share of resamples in that quadrant, crosshairs anew in each) come from the
        tickets; numbers that the caller gave stay as they are. NaN where nothing varies.
    impact, effort : str
        "given", "share", "total" (of tickets) or "mean" (of tickets).
    crosshairs, effort_cut, impact_cut
        The choice, and where they stand.
    scale : (low, high) or None
    replicates : array (B, k, 2) or None
        Effort and impact in every resample.
    source : PainPoints
        Where the causes come from.
    notes : tuple of str
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
    notes: tuple[str, ...]

    def crosshairs_table(self) -> pd.DataFrame:
        """Return the quadrant of each cause under each choice of crosshairs.

        One column per choice, then ``same``: whether all agree.
        """
        import pandas as pd

        x, y = (self.table[name].to_numpy(float) for name in ("effort", "impact"))
        choices: dict[str, Crosshairs] = {
            name: name for name in CHOICES if name != "scale" or self.scale is not None
        }
        if not isinstance(self.crosshairs, str):
            choices["given"] = self.crosshairs
        centre = _centre(self.scale, self.impact, self.effort)
        columns = {
            name: [QUADRANTS[code] for code in quadrant_codes(x, y, *cuts(choice, x, y, centre))]
            for name, choice in choices.items()
            if name != "scale" or centre[0] is not None
        }
        found = pd.DataFrame(columns, index=pd.Index(self.table["cause"], name="cause"))
        found["same"] = found.nunique(axis=1) == 1
        return found

    def summary(self, lang: str = "en") -> str:
        """Return the causes in words, the best ratio of impact to effort first, then the notes."""
        lines = [label("priority.head", lang, k=len(self.table))]
        rows: Any = self.table
        for row in rows.itertuples():
            doubt = "" if np.isnan(row.certainty) else label(
                "ipa.certainty", lang, share=format_percent(100 * row.certainty, 0, lang)
            )  # fmt: skip
            place = QUADRANTS.index(row.quadrant)
            lines.append(
                label(
                    "priority.row", lang, rank=format_number(row.rank), name=row.cause,
                    impact=_short(row.impact), effort=_short(row.effort),
                    quadrant=label(f"priority.quadrant.{PLACES[place]}", lang) + doubt,
                )
            )  # fmt: skip
        moved = self.crosshairs_table().query("not same").index
        if len(moved):
            names = label("ipa.join", lang).join(map(str, moved))
            lines.append(label("ipa.moved", lang, names=names))
        return "\n".join([*lines, *(f"  * {note}" for note in self.notes)])

    def plot(self, ax: Axes | None = None, lang: str = "en", **options: Any) -> Axes:
        """Draw impact against effort; options are those of `cxstats.charts.quadrant_map`."""
        from cxstats.charts import quadrant_map

        table, drawn = self.table, self.replicates
        both = drawn is not None and "given" not in (self.impact, self.effort)
        given: dict[str, Any] = {
            "x_cut": self.effort_cut,
            "y_cut": self.impact_cut,
            "x_label": label(f"priority.effort.{self.effort}", lang),
            "y_label": label(f"priority.impact.{self.impact}", lang),
            "quadrants": [label(f"priority.quadrant.{place}", lang) for place in PLACES],
            "covariances": covariances(drawn) if drawn is not None and both else None,
            "certain": None if drawn is None else table["certainty"],
            "note": lines_note(self.crosshairs, drawn is not None, lang),
            "level": self.source.level,
            "source": self.source.source_text(lang),
            "synthetic": self.source.synthetic,
        }
        x = on_the_line(table["effort"].to_numpy(float), self.effort_cut)
        y = on_the_line(table["impact"].to_numpy(float), self.impact_cut)
        return quadrant_map(table["cause"], x, y, lang=lang, ax=ax, **given | options)

    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


def prioritise(
    points: PainPoints,
    impact: Mapping[str, float] | None,
    effort: Mapping[str, float] | None,
    crosshairs: Crosshairs,
    scale: tuple[float, float] | None,
) -> Priority:
    """Set impact against effort; see `PainPoints.priority`."""
    import pandas as pd

    check_crosshairs(crosshairs)
    _check_scale(scale)
    names = list(points.source.names[: points.source.named])
    if len(names) < 2:
        raise CxError(f"one cause, {names[0]!r}; a matrix needs at least 2")
    y, y_drawn, y_kind = _side(points, "impact", impact, scale, names)
    x, x_drawn, x_kind = _side(points, "effort", effort, scale, names)
    centre = _centre(scale, y_kind, x_kind)
    if crosshairs == "scale" and centre[0] is None:
        raise CxError('crosshairs="scale" needs scale=(low, high) and effort that is given')
    replicates, shares, rank_limits = None, np.full((len(names), 4), np.nan), None
    failed = 0
    if x_drawn is not None or y_drawn is not None:
        replicates, failed = _paired(x, y, x_drawn, y_drawn)
        shares = quadrant_shares(crosshairs, replicates[..., 0], replicates[..., 1], centre)
        own = ranks(replicates[..., 1] / replicates[..., 0])
        rank_limits = percentile_limits(own, points.level)
    x_cut, y_cut = cuts(crosshairs, x, y, centre)
    codes = quadrant_codes(x, y, x_cut, y_cut)
    table = pd.DataFrame(
        {
            "cause": names,
            "impact": y,
            "effort": x,
            "ratio": y / x,
            "rank": ranks(y / x),
            "rank_ci_low": np.nan if rank_limits is None else rank_limits[0],
            "rank_ci_high": np.nan if rank_limits is None else rank_limits[1],
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
        notes=_notes(points, y_kind, x_kind, replicates is not None, failed),
    )


def _side(
    points: PainPoints,
    side: str,
    given: Mapping[str, float] | None,
    scale: tuple[float, float] | None,
    names: list[str],
) -> tuple[Array, Array | None, str]:
    """Return the numbers of one side (k,), their replicates (B, k) or None, and their kind."""
    source, k = points.source, len(names)
    if given is not None:
        return _numbers(side, given, scale, names), None, "given"
    part = source.impact if side == "impact" else source.effort
    if part is not None:
        drawn = part.replicates[:, :k]
        if side == "effort" and not (part.estimate[:k] > 0).all():
            zero = names[int(np.argmin(part.estimate[:k]))]
            raise CxError(f"effort of {zero!r} is 0; allowed: above 0")
        return part.estimate[:k], drawn, "total" if side == "impact" else "mean"
    if side == "effort":
        raise CxError("effort is not known: give effort={cause: number}, or tickets with a column")
    own = None if source.replicates is None else source.replicates[:, :k]
    return source.shares[:k], own, "share"


def _numbers(
    side: str, given: Mapping[str, float], scale: tuple[float, float] | None, names: list[str]
) -> Array:
    """Return the numbers given by the caller, or refuse them, naming cause and value."""
    if not hasattr(given, "keys"):
        raise CxError(
            f"{side} is {given!r}; allowed: a number for each cause, {{cause: number}}; a column "
            f"of tickets is named in pain_points({side}=...)"
        )
    missing = [name for name in names if name not in given]
    unknown = [name for name in given.keys() if name not in names]  # noqa: SIM118  (a Series, too)
    if missing:
        raise CxError(f"{side} has no number for cause {missing[0]!r}")
    if unknown:
        raise CxError(f"{side} has {unknown[0]!r}, which is not among the causes")
    low, high = scale or (0, np.inf)
    values = []
    for name in names:
        try:
            value = float(given[name])
        except (TypeError, ValueError):
            value = float("nan")
        above = value > 0 if side == "effort" else value >= 0
        if not (low <= value <= high and above and np.isfinite(value)):
            allowed = f"{low:g} to {high:g}" if scale else "numbers from 0 upwards"
            more = ", above 0" if side == "effort" else ""
            raise CxError(f"{side} of {name!r} is {given[name]!r}; allowed: {allowed}{more}")
        values.append(value)
    return np.array(values)


def _check_scale(scale: tuple[float, float] | None) -> None:
    good = scale is None or (len(scale) == 2 and np.isfinite(scale).all() and scale[0] < scale[1])
    if not good:
        raise CxError(f"scale is {scale!r}; allowed: (low, high), low below high")


def _centre(
    scale: tuple[float, float] | None, impact: str, effort: str
) -> tuple[float | None, float | None]:
    """Return the centres of scale of effort and impact: only numbers that are given have one."""
    middle = None if scale is None else sum(scale) / 2
    return (middle if effort == "given" else None, middle if impact == "given" else None)


def _paired(x: Array, y: Array, x_drawn: Array | None, y_drawn: Array | None) -> tuple[Array, int]:
    """Return replicates (B, k, 2); what was given is the same in each. Counts what is left out."""
    drawn: Any = y_drawn if x_drawn is None else x_drawn
    across, up = (
        np.broadcast_to(fixed, drawn.shape) if own is None else own
        for fixed, own in ((x, x_drawn), (y, y_drawn))
    )
    pairs = np.stack([across, up], axis=-1)
    good = ~np.isnan(pairs).any(axis=(1, 2)) & (pairs[..., 0] > 0).all(axis=1)
    return pairs[good], int((~good).sum())


def _short(value: float) -> str:
    """Write a number of any size with three digits that count."""
    return format_number(float(f"{value:.3g}"))


def _notes(
    points: PainPoints, impact: str, effort: str, resampled: bool, failed: int
) -> tuple[str, ...]:
    notes = ["the choice of crosshairs decides the quadrants: see crosshairs_table()"]
    given = [side for side, kind in (("impact", impact), ("effort", effort)) if kind == "given"]
    if given:
        notes.append(f"{' and '.join(given)} as given, without uncertainty of its own")
    if not resampled:
        notes.append("nothing here was sampled, so quadrants and ranks have no certainty")
    if failed:
        notes.append(f"{failed} resamples without a ticket of some cause were left out")
    if points.rest is not None:
        notes.append(f"{points.rest} bundles other causes and has no place in the matrix")
    return tuple(notes)
