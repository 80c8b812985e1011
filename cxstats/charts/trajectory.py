"""Values over time, on a time axis where distances are true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


ORDER = "periods must be in order of time, each once, with at least one series"


def trajectory(  # noqa: PLR0913
    periods: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    source: str,
    stages: Sequence[str] | None = None,
    title: str | None = None,
    changes: Mapping[str, str] | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    axes: Sequence[Axes] | None = None,
) -> list[Axes]:
    """Draw one panel per series over the same true time axis, each on its own scale from 0.

    Parameters
    ----------
    periods : sequence of str
        Years ("2019"), quarters ("2019Q1"), months ("2019-03") or days ("2019-03-31"), in
        order. A point stands in the middle of its period.
    series : mapping of str to sequence of float
        Values by name (with the unit); one for each period.
    source : str
        Where the data come from.
    stages : sequence of str, optional
        What was in force in each period, written under it.
    title : str, optional
        The finding. Without it: the change of a single series, or how many of several rose and
        fell from the first to the last period.
    changes : mapping of str to str, optional
        The change from first to last by series, written beside its name.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    axes : sequence of Axes, optional
        One for each series; a new figure without it.

    Returns
    -------
    list of Axes
        One for each series.

    Raises
    ------
    CxError
        If a period cannot be read, periods are not in order, or lengths do not match.
    """
    periods, times, stages = _check_periods(periods, stages)
    if not series:
        raise CxError(ORDER)
    numbers = {
        name: style.check_values(periods, values, f"values of {name!r}")[1]
        for name, values in series.items()
    }
    change_of = {name: (changes or {}).get(name, "") for name in numbers}
    lang = drawable(lang)
    with style.theme(lang):
        panels = list(axes) if axes is not None else _panels(len(numbers))
        if len(panels) != len(numbers):
            raise CxError(f"{len(panels)} axes for {len(numbers)} series; one for each")
        for ax, (name, values) in zip(panels, numbers.items(), strict=True):
            change = change_of[name]
            heading = label("chart.entry", lang, name=name, value=change) if change else name
            _panel(ax, times, values, style.capital(heading))
        _name_periods(panels[-1], times, periods, stages)
        if axes is None:
            finding = title or _title(periods, numbers, change_of, lang)
            note = label("chart.own_scale.panels", lang) if len(panels) > 1 else ""
            style.finish(panels[-1], True, finding, source, lang, note)
        else:
            for ax, name in zip(panels, numbers, strict=True):
                style.finish(ax, False, name, source, lang)
        if synthetic:
            style.stamp(panels[0], label("chart.synthetic", lang))
        return panels


def _check_periods(
    periods: Sequence[str], stages: Sequence[str] | None
) -> tuple[list[str], list[pd.Timestamp], list[str]]:
    """Return the periods, their middles, and what was in force in each (or nothing)."""
    names = [str(period) for period in periods]
    times = [middle(name) for name in names]
    if any(a >= b for a, b in pairwise(times)):
        raise CxError(ORDER)
    stages = [""] * len(names) if stages is None else [str(stage) for stage in stages]
    if len(stages) != len(names):
        raise CxError(f"{len(stages)} stages for {len(names)} periods; one for each")
    return names, times, stages


def _name_periods(
    ax: Axes, times: Sequence[Any], periods: Sequence[str], stages: Sequence[str]
) -> None:
    ticks = [
        f"{period}\n{style.fold(stage, 15)}" if stage else period
        for period, stage in zip(periods, stages, strict=True)
    ]
    crowded = len(ticks) > 7
    ax.tick_params(axis="x", rotation=45 * crowded, labelsize=8 if crowded else 10)
    ax.set_xticks(times, ticks)


def _title(
    periods: Sequence[str],
    numbers: Mapping[str, Sequence[float]],
    change_of: Mapping[str, str],
    lang: str,
) -> str:
    """Return how many of several series rose or fell; of one, its change or what is shown."""
    if len(numbers) > 1:
        rises = sum(values[-1] > values[0] for values in numbers.values())
        falls = sum(values[-1] < values[0] for values in numbers.values())
        counts = {"n": len(numbers), "rises": rises, "falls": falls}
        way = "rise" if rises == len(numbers) else "fall" if falls == len(numbers) else "mixed"
        return label(f"chart.trajectory.{way}", lang,
                     first=periods[0], last=periods[-1], **counts)  # fmt: skip
    name, change = next(iter(change_of.items()))
    key = "finding" if change else "span"
    span = {"first": periods[0], "last": periods[-1], "change": change}
    return style.capital(label(f"chart.trajectory.{key}", lang, name=name, **span))


def middle(period: str) -> pd.Timestamp:
    """Return the moment in the middle of a period.

    Raises
    ------
    CxError
        If `period` is not a year, quarter, month or day.

    Examples
    --------
    >>> middle("2019Q1").date().isoformat()
    '2019-02-14'
    """
    import pandas as pd

    allowed = "2019, 2019Q1, 2019-03 or 2019-03-31"
    try:
        span = pd.Period(period)
    except ValueError as error:
        raise CxError(f"period {period!r} cannot be read; allowed: {allowed}") from error
    if not isinstance(span, pd.Period):
        raise CxError(f"period {period!r} cannot be read; allowed: {allowed}")
    return span.start_time + (span.end_time - span.start_time) / 2


def _panels(n: int) -> list[Axes]:
    _, axes = plt.subplots(
        n, 1, sharex=True, figsize=(8, 1.2 + 1.75 * n), layout="constrained", squeeze=False
    )
    return list(axes[:, 0])


def _panel(ax: Axes, times: list[Any], values: list[float], heading: str) -> None:
    ax.plot(times, values, "o-", color=style.GOOD, linewidth=1.8, markersize=6)
    for time, value in zip(times, values, strict=True):
        ax.annotate(
            format_number(value),
            (time, value),
            (0, 7),
            textcoords="offset points",
            ha="center",
        )
    ax.set_ylim(0, max(values) * 1.28 or 1)
    ax.margins(x=0.09)
    ax.set_title(heading, loc="left", size=10)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
