"""Charts that state their finding, in English and Chinese.

Every function takes ``lang="en" | "zh"`` and ``ax=None``, needs a ``source`` line, writes the
finding as its title and returns the axes. A result asks for its chart by name, through `draw`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cxstats.charts.audit_verdicts import verdicts
from cxstats.charts.before_after import before_after, before_after_panels
from cxstats.charts.contact_chain import contact_chain
from cxstats.charts.control_chart import control_chart
from cxstats.charts.driver_bars import driver_bars
from cxstats.charts.emotion_curve import emotion_curve
from cxstats.charts.fonts import MissingFontWarning, drawable
from cxstats.charts.forecast import forecast
from cxstats.charts.funnel import funnel
from cxstats.charts.gaps import gap_dumbbell, gap_scatter, zone_bands
from cxstats.charts.heatmap import htmt_heatmap
from cxstats.charts.incident_rates import incident_rates
from cxstats.charts.interval_pairs import interval_pairs
from cxstats.charts.intervals import intervals
from cxstats.charts.journey_strip import journey_strip
from cxstats.charts.kano import kano_plane
from cxstats.charts.league_table import league_table
from cxstats.charts.likert import answer_shares, likert
from cxstats.charts.lorenz_curve import lorenz_curve
from cxstats.charts.maturity_heatmap import maturity_heatmap
from cxstats.charts.monitoring import confidence_band, power_by_day, stopping_boundaries
from cxstats.charts.nps_bars import nps_bars
from cxstats.charts.nps_region import nps_region
from cxstats.charts.path_diagrams.diagram import path_diagram
from cxstats.charts.plan_bars import plan_bars
from cxstats.charts.power_curve import power_curve
from cxstats.charts.process_map import process_map
from cxstats.charts.quadrants import ipma_map, quadrant_map
from cxstats.charts.rate_heatmap import rate_heatmap
from cxstats.charts.reported_effects import reported_effects
from cxstats.charts.scorecard import target_bars
from cxstats.charts.segment_criteria import segment_criteria
from cxstats.charts.segment_profiles import segment_profiles
from cxstats.charts.segment_shares import segment_shares
from cxstats.charts.service_blueprint import service_blueprint
from cxstats.charts.share_heatmap import share_heatmap
from cxstats.charts.shares import pareto, shares, weights
from cxstats.charts.simplex import weight_simplex
from cxstats.charts.staffing import agents_by_slot, staffing_curve
from cxstats.charts.style import theme
from cxstats.charts.survival_curves import survival_curves
from cxstats.charts.tornado import tornado
from cxstats.charts.trajectory import trajectory
from cxstats.charts.weekly_counts import weekly_counts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxstats.core.result import Result

__all__ = [
    "MissingFontWarning",
    "agents_by_slot",
    "answer_shares",
    "before_after",
    "before_after_panels",
    "confidence_band",
    "contact_chain",
    "control_chart",
    "driver_bars",
    "emotion_curve",
    "forecast",
    "funnel",
    "gap_dumbbell",
    "gap_scatter",
    "htmt_heatmap",
    "incident_rates",
    "interval_pairs",
    "intervals",
    "ipma_map",
    "journey_strip",
    "kano_plane",
    "league_table",
    "likert",
    "lorenz_curve",
    "maturity_heatmap",
    "nps_bars",
    "nps_region",
    "pareto",
    "path_diagram",
    "plan_bars",
    "power_by_day",
    "power_curve",
    "process_map",
    "quadrant_map",
    "rate_heatmap",
    "reported_effects",
    "segment_criteria",
    "segment_profiles",
    "segment_shares",
    "service_blueprint",
    "share_heatmap",
    "shares",
    "staffing_curve",
    "stopping_boundaries",
    "survival_curves",
    "target_bars",
    "theme",
    "tornado",
    "trajectory",
    "verdicts",
    "weekly_counts",
    "weight_simplex",
    "weights",
    "zone_bands",
]

# What a result can ask for by name.
CHARTS = {
    name: chart
    for name in __all__
    if callable(chart := globals()[name])
    and name not in ("MissingFontWarning", "answer_shares", "theme")
}


def draw(result: Result, kind: str, ax: Axes | None, lang: str, options: Mapping[str, Any]) -> Axes:
    """Draw a result as `kind`: the one door from the methods to the charts.

    A caller's `options` come before the result's own. Without a Chinese font the chart is in
    English, title and all.
    """
    lang = drawable(lang)
    chart = result.chart(kind, lang, options)
    keywords = {**chart.options, **options}
    for name in chart.taken:
        keywords.pop(name, None)
    axes: Axes = CHARTS[chart.name](*chart.values, ax=ax, lang=lang, **keywords)
    return axes
