"""Charts that state their finding, in English and Chinese.

Every function takes ``lang="en" | "zh"`` and ``ax=None``, needs a ``source`` line, writes the
finding as its title and returns the axes.
"""

from cxstats.charts.audited import verdicts
from cxstats.charts.change import before_after
from cxstats.charts.effects import reported_effects
from cxstats.charts.fonts import MissingFontWarning
from cxstats.charts.gaps import gap_dumbbell, zone_bands
from cxstats.charts.heatmap import htmt_heatmap
from cxstats.charts.intervals import intervals
from cxstats.charts.likert import answer_shares, likert
from cxstats.charts.look import theme
from cxstats.charts.over_time import trajectory
from cxstats.charts.parts import pareto, shares, weights
from cxstats.charts.paths.diagram import path_diagram
from cxstats.charts.scatter import gap_scatter

__all__ = [
    "MissingFontWarning",
    "answer_shares",
    "before_after",
    "gap_dumbbell",
    "gap_scatter",
    "htmt_heatmap",
    "intervals",
    "likert",
    "pareto",
    "path_diagram",
    "reported_effects",
    "shares",
    "theme",
    "trajectory",
    "verdicts",
    "weights",
    "zone_bands",
]
