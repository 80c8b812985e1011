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
        The finding. Without it: the change of the first series.
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
    periods = [str(period) for period in periods]
    times = [middle(period) for period in periods]
    if not series or any(a >= b for a, b in pairwise(times)):
        raise CxError("periods must be in order of time, each once, with at least one series")
    words = [""] * len(periods) if stages is None else [str(stage) for stage in stages]
    if len(words) != len(periods):
        raise CxError(f"{len(words)} stages for {len(periods)} periods; one for each")
    numbers = {
        name: style.check_values(periods, values, f"values of {name!r}")[1]
        for name, values in series.items()
    }
    lang = drawable(lang)
    with style.theme(lang):
        own = axes is None
        panels = list(axes) if axes is not None else _panels(len(numbers))
        if len(panels) != len(numbers):
            raise CxError(f"{len(panels)} axes for {len(numbers)} series; one for each")
        for ax, (name, values) in zip(panels, numbers.items(), strict=True):
            change = (changes or {}).get(name, "")
            heading = label("chart.trajectory.title", lang, name=name, change=change)
            _panel(ax, times, values, style.capital(heading if change else name))
        ticks = [
            f"{period}\n{style.fold(stage, 15)}" if stage else str(period)
            for period, stage in zip(periods, words, strict=True)
        ]
        crowded = len(ticks) > 7
        panels[-1].tick_params(axis="x", rotation=45 * crowded, labelsize=8 if crowded else 10)
        panels[-1].set_xticks(times, ticks)  # type: ignore[arg-type]
        first = next(iter(numbers))
        span = {"first": periods[0], "last": periods[-1], "change": (changes or {}).get(first, "")}
        key = "chart.trajectory.finding" if span["change"] else "chart.trajectory.span"
        finding = title or style.capital(label(key, lang, name=first, **span))
        if own:
            note = label("chart.own_scale.panels", lang) if len(panels) > 1 else ""
            style.finish(panels[-1], own, finding, source, lang, note)
        else:
            for ax, name in zip(panels, numbers, strict=True):
                style.finish(ax, own, name, source, lang)
        if synthetic:
            style.stamp(panels[0], label("chart.synthetic", lang))
        return panels


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
