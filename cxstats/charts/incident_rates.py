"""Rates of steps over time as shades, with the incidents framed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.dates import AutoDateLocator, DateFormatter, date2num
from matplotlib.patches import Rectangle

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from cxstats.journeys.incidents import Incidents

BLOCKS = 30  # spans of time that are drawn
FEWEST = 5  # sessions below which a block has no shade
SHADES = LinearSegmentedColormap.from_list("", [style.BAD, "#FFFFFF", style.GOOD])
ROWS = 12  # series that fit


def incident_rates(
    result: Incidents,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw, for each step and group with an incident, the rate over time.

    The shade of a block is its rate less that of the whole row; a frame is the window of an
    incident. Without incidents, the rows are the steps of all sessions.

    Parameters
    ----------
    result : Incidents
        What `cxstats.find_incidents` returned.
    source : str, optional
        Where the log comes from; without it, how many windows were looked at.
    title : str, optional
        The finding. Without it: the first incident, and how many there are.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.
    """
    lang = drawable(lang)
    keys = ["step", "by", "group"]
    series = [rows for _, rows in result.rates.groupby(keys, sort=False, dropna=False)][:ROWS]
    blocks = [_blocks(rows) for rows in series]
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.2, 1.9 + 0.78 * len(blocks))
        spread = max(
            [0.1, *(float(b["difference"].abs().max()) for b in blocks if b["rate"].notna().any())]
        )
        norm = TwoSlopeNorm(0, -spread, spread)
        for place, block in enumerate(blocks):
            _row(ax, place, block, norm)
        _frames(ax, result, blocks, lang)
        names = [_name(rows.iloc[0], lang) for rows in series]
        ax.set_yticks(range(len(blocks)), names, size=9)
        ax.set(ylim=(len(blocks) - 0.4, -0.68))
        first = blocks[0]
        ax.set_xlim(date2num(first["start"].iloc[0]), date2num(first["end"].iloc[-1]))
        # Numbers, since matplotlib knows the names of months in one language only.
        days = (first["end"].iloc[-1] - first["start"].iloc[0]).days
        ax.xaxis.set_major_locator(AutoDateLocator(maxticks=7))
        ax.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d" if days > 3 else "%m-%d %H:%M"))
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=False)
        ax.spines[["left", "top", "right"]].set_visible(False)
        note = label("incidents.chart.note", lang, least=FEWEST)
        where = source or label("incidents.source", lang, n=format_number(result.n_windows))
        heading = title or _title(result, lang)
        return style.finish(ax, standalone, heading, where, lang, note, result.synthetic)


def _blocks(rows: pd.DataFrame) -> pd.DataFrame:
    """Return some bins of a series at a time: ``start, end, rate, n, difference``."""
    span = rows["start"].iloc[1] - rows["start"].iloc[0]
    size = -(-len(rows) // BLOCKS)
    number = np.arange(len(rows)) // size
    goes_on = rows["rate"].fillna(0) * rows["n"]
    blocks = rows.assign(goes_on=goes_on, end=rows["start"] + span).groupby(number)
    table = blocks.agg(
        start=("start", "min"), end=("end", "max"), n=("n", "sum"), goes_on=("goes_on", "sum")
    )
    enough = table["n"] >= FEWEST
    table["rate"] = (table["goes_on"] / table["n"].clip(lower=1)).where(enough)
    table["difference"] = table["rate"] - goes_on.sum() / max(rows["n"].sum(), 1)
    return table


def _row(ax: Axes, place: int, block: pd.DataFrame, norm: Any) -> None:
    cells: Any = block.itertuples()
    for cell in cells:
        left, right = date2num(cell.start), date2num(cell.end)
        blank = np.isnan(cell.rate)
        shade = style.PALE if blank else SHADES(norm(cell.difference))
        ax.add_patch(
            Rectangle((left, place - 0.22), right - left, 0.56, facecolor=shade,
                      edgecolor="white", lw=0.8, alpha=0.35 if blank else 1)
        )  # fmt: skip
        if not blank:
            text = format_number(100 * cell.rate, 0)
            ax.text((left + right) / 2, place + 0.06, text, size=7.5, ha="center", va="center",
                    color=style.ink_on(shade))  # fmt: skip


def _frames(ax: Axes, result: Incidents, blocks: list[pd.DataFrame], lang: str) -> None:
    """Frame the incidents, each with its rate above it."""
    series: Any = result.rates.itertuples()
    keys = list(dict.fromkeys(map(_key, series)))
    rows: Any = result.table.itertuples()
    for row in rows:
        place = keys.index(_key(row))
        if place >= len(blocks):
            continue
        left, right = date2num(row.start), date2num(row.end)
        ax.add_patch(
            Rectangle((left, place - 0.26), right - left, 0.64, fill=False, edgecolor=style.INK,
                      lw=1.8, zorder=4)
        )  # fmt: skip
        rate = format_percent(100 * row.rate_inside, 0, lang)
        text = label("incidents.chart.rate", lang, rate=rate, n=format_number(row.n_inside))
        block = blocks[place]
        middle = (date2num(block["start"].iloc[0]) + date2num(block["end"].iloc[-1])) / 2
        late = (left + right) / 2 > middle
        ax.text(right if late else left, place - 0.31, text, size=8, weight="bold",
                ha="right" if late else "left", va="bottom")  # fmt: skip


def _key(row: Any) -> tuple[Any, ...]:
    """Return step, column and group of a row; None where it is of all sessions."""
    everyone = row.by is None or row.by != row.by
    return (row.step, None, None) if everyone else (row.step, row.by, row.group)


def _name(row: pd.Series[Any], lang: str) -> str:
    group = label("incidents.all", lang)
    if row["by"] is not None and row["by"] == row["by"]:
        group = label("incidents.group", lang, by=row["by"], group=row["group"])
    return f"{style.fold(str(row['step']), 30)}\n{style.fold(group, 30)}"


def _title(result: Incidents, lang: str) -> str:
    if result.table.empty:
        return label("incidents.title.none", lang)
    row = result.table.iloc[0]
    key = "one" if len(result.table) == 1 else "several"
    return label(
        f"incidents.title.{key}", lang, n=len(result.table), step=row["step"],
        inside=format_percent(100 * row["rate_inside"], 0, lang),
        outside=format_percent(100 * row["rate_outside"], 0, lang),
        start=f"{row['start']:%Y-%m-%d}", end=f"{row['end']:%Y-%m-%d}",
    )  # fmt: skip
