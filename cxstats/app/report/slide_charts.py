"""Charts of PowerPoint itself, which people can edit: with their data, intervals and axes."""

from __future__ import annotations

from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING, Any

from pptx.chart.data import CategoryChartData
from pptx.chart.xlsx import CategoryWorkbookWriter
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_LEGEND_POSITION, XL_MARKER_STYLE
from pptx.enum.chart import XL_TICK_LABEL_POSITION as LABELS
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls
from pptx.util import Pt

from cxstats.app.report.look import CHINESE_FONT, INK, LATIN_FONT, MUTED, legal, rgb, shortened
from cxstats.app.report.native_charts import (
    BAR,
    GRID,
    NPS_COLOURS,
    axis_format,
    axis_limits,
    category_names,
    colours,
    has_labels,
    interval_arms,
    number_format,
)
from cxstats.charts.style import ink_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cxstats.app.report.content import NativeChart

KINDS = {
    "bar": XL_CHART_TYPE.BAR_CLUSTERED,
    "column": XL_CHART_TYPE.COLUMN_CLUSTERED,
    "line": XL_CHART_TYPE.LINE_MARKERS,
    "stacked": XL_CHART_TYPE.BAR_STACKED,
}
ACCENTS = tuple(getattr(MSO_THEME_COLOR, f"ACCENT_{i}") for i in range(1, 7))
LONGEST_NAME, LONGEST_SLANTED = 36, 22  # characters of a name; of one below standing columns
MANY = 12  # categories from which on type is smaller
EMPHASIS = "#4A9BCB"  # of the bars that the headline names
PALER, DARKER = 0.6, 0.3  # how much brighter than the template's colour
ARM_HEADS = ("below", "above")  # of the columns of error bars, in the data behind a chart


class _Data(CategoryChartData):
    """The data of a chart, with the arms of its intervals; in the sheet behind it nothing runs."""

    def __init__(self, number_format: str, arms: tuple[list[float], list[float]] | None) -> None:
        super().__init__(number_format)
        self.arms = arms
        self.writer = _Writer(self)

    @property
    def _workbook_writer(self) -> _Writer:
        return self.writer


class _Writer(CategoryWorkbookWriter):
    """Writes the sheet behind a chart; texts stay texts."""

    @contextmanager
    def _open_worksheet(self, xlsx_file: Any) -> Iterator[tuple[Any, Any]]:
        from xlsxwriter import Workbook

        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with Workbook(xlsx_file, options) as workbook:
            yield workbook, workbook.add_worksheet()

    def _populate_worksheet(self, workbook: Any, worksheet: Any) -> None:
        super()._populate_worksheet(workbook, worksheet)
        for j, (head, arm) in enumerate(zip(ARM_HEADS, self._chart_data.arms or (), strict=False)):
            column = 1 + len(self._chart_data) + j
            worksheet.write_string(0, column, head)
            worksheet.write_column(1, column, arm)

    def arm_ref(self, j: int) -> str:
        """Return where the arms of a side stand."""
        letter = self._column_reference(2 + len(self._chart_data) + j)
        return f"Sheet1!${letter}$2:${letter}${len(self._chart_data.categories) + 1}"


def add_chart(
    shapes: Any,
    native: NativeChart,
    place: tuple[int, int, int, int],
    lang: str,
    emphasis: frozenset[str] = frozenset(),
    is_house: bool = True,
) -> Any:
    """Add a chart of PowerPoint to a slide and return its frame.

    Parameters
    ----------
    shapes : SlideShapes
    native : NativeChart
    place : tuple of int
        Left, top, width, height.
    lang : {"en", "zh"}
    emphasis : frozenset of str
        Categories that the headline names; their bars are darker.
    is_house : bool
        Whether fonts are ours; else they are those of the template.
    """
    with_arms = bool(native.low and native.high)
    arms = interval_arms(native) if with_arms else None
    data = _Data(number_format(native), arms)
    names = category_names(native, lang)
    longest = LONGEST_NAME if native.kind in ("bar", "stacked") else LONGEST_SLANTED
    data.categories = [shortened(name, longest) or " " for name in names]
    frame = native.data(lang)
    for j in range(1, frame.shape[1]):
        numbers = [float(n) if isfinite(n) else None for n in frame.iloc[:, j].astype(float)]
        data.add_series(shortened(str(frame.columns[j]), LONGEST_NAME), numbers)
    frame_shape = shapes.add_chart(KINDS[native.kind], *place, data)
    chart = frame_shape.chart
    _fonts(chart, len(names), is_house)
    _axes(chart, native, len(names))
    chart.has_title = False
    chart.has_legend = len(native.values) > 1
    if chart.has_legend:
        chart.legend.position = XL_LEGEND_POSITION.BOTTOM
        chart.legend.include_in_layout = False
    _series(chart, native, names, emphasis, is_house)
    if arms is not None:
        _error_bars(chart, native.kind, data, arms)
    return frame_shape


def _fonts(chart: Any, n_names: int, is_house: bool) -> None:
    chart.font.size = Pt(12 if n_names <= MANY else 9 if n_names <= 2 * MANY else 8)
    chart.font.color.rgb = RGBColor.from_string(rgb(INK))
    properties = chart.font._element
    if is_house:
        chart.font.name = LATIN_FONT
    east_asian = parse_xml(f'<a:ea {nsdecls("a")} typeface="{CHINESE_FONT}"/>')
    latin = properties.find("{http://schemas.openxmlformats.org/drawingml/2006/main}latin")
    if latin is not None:
        latin.addnext(east_asian)
    else:
        properties.append(east_asian)


def _axes(chart: Any, native: NativeChart, n_names: int) -> None:
    names, values = chart.category_axis, chart.value_axis
    lying = native.kind in ("bar", "stacked")
    names.has_major_gridlines = False
    names.tick_label_position = LABELS.LOW
    names.format.line.color.rgb = RGBColor.from_string(rgb(GRID))
    names.reverse_order = lying  # lying bars would begin at the bottom
    if n_names == 1:
        names.tick_label_position = LABELS.NONE  # the headline says what it is
    values.has_major_gridlines = True
    values.major_gridlines.format.line.color.rgb = RGBColor.from_string(rgb(GRID))
    values.format.line.fill.background()
    values.tick_labels.number_format = axis_format(native)
    values.tick_labels.number_format_is_linked = False
    values.tick_labels.font.color.rgb = RGBColor.from_string(rgb(MUTED))
    if lying:
        values.tick_label_position = LABELS.HIGH  # the axis has turned with the order of names
    limits = axis_limits(native)
    if limits is not None:
        values.minimum_scale, values.maximum_scale = limits


def _series(
    chart: Any, native: NativeChart, names: list[str], emphasis: frozenset[str], is_house: bool
) -> None:
    plot = chart.plots[0]
    if native.kind != "line":
        plot.gap_width = 55
    plot.has_data_labels = has_labels(native)
    if plot.has_data_labels:
        labels = plot.data_labels
        labels.number_format, labels.number_format_is_linked = number_format(native), False
        labels.show_value = True
        if native.kind == "line":
            labels.position = XL_LABEL_POSITION.RIGHT
        elif native.kind == "stacked":
            labels.position = XL_LABEL_POSITION.CENTER
        elif native.low:
            labels.position = XL_LABEL_POSITION.INSIDE_BASE
    hues = colours(native.values)
    for place, (series, column, colour) in enumerate(
        zip(plot.series, native.values, hues, strict=True)
    ):
        theme = ACCENTS[place % len(ACCENTS)]
        fixed = RGBColor.from_string(rgb(colour)) if column in NPS_COLOURS else None
        if native.kind == "line":
            series.smooth = False
            series.format.line.width = Pt(2.5)
            _paint(series.format.line.color, theme, fixed)
            series.marker.style, series.marker.size = XL_MARKER_STYLE.CIRCLE, 9
            series.marker.format.fill.solid()
            _paint(series.marker.format.fill.fore_color, theme, fixed)
            _paint(series.marker.format.line.color, theme, fixed)
            continue
        series.format.fill.solid()
        _paint(series.format.fill.fore_color, theme, fixed)
        series.invert_if_negative = False
        if native.kind == "stacked":
            if plot.has_data_labels:
                labels = series.data_labels
                labels.show_value = True
                labels.number_format = number_format(native)
                labels.number_format_is_linked = False
                labels.position = XL_LABEL_POSITION.CENTER
                ink = ink_on(colour)
                labels.font.size = Pt(12)
                labels.font.color.rgb = RGBColor.from_string(
                    "FFFFFF" if ink == "white" else rgb(ink)
                )
            continue
        if len(native.values) == 1:
            _shade(series.format.fill.fore_color, BAR, PALER, is_house)
            for i, name in enumerate(names):
                if name in emphasis:
                    fill = series.points[i].format.fill
                    fill.solid()
                    fill.fore_color.theme_color = theme
                    _shade(fill.fore_color, EMPHASIS, DARKER, is_house)


def _shade(colour: Any, fixed: str, brightness: float, is_house: bool) -> None:
    """Make a bar pale enough for a number on it: in our colour, or the template's brighter."""
    if is_house:
        colour.rgb = RGBColor.from_string(rgb(fixed))
    else:
        colour.brightness = brightness


def _paint(colour: Any, theme: Any, fixed: Any) -> None:
    if fixed is not None:
        colour.rgb = fixed
    else:
        colour.theme_color = theme


def _error_bars(chart: Any, kind: str, data: _Data, arms: tuple[list[float], list[float]]) -> None:
    """Draw intervals: error bars of the first series, of the arms in the sheet behind the chart."""
    below, above = (_reference(data.writer.arm_ref(j), arm) for j, arm in enumerate(arms))
    direction = '<c:errDir val="y"/>' if kind == "line" else ""  # bars have one direction alone
    bars = parse_xml(
        f"<c:errBars {nsdecls('c', 'a')}>{direction}"
        '<c:errBarType val="both"/><c:errValType val="cust"/><c:noEndCap val="0"/>'
        f"<c:plus>{above}</c:plus><c:minus>{below}</c:minus>"
        f'<c:spPr><a:ln w="15875"><a:solidFill><a:srgbClr val="{rgb(INK)}"/></a:solidFill></a:ln>'
        "</c:spPr></c:errBars>"
    )
    series = chart.plots[0].series[0]._element
    series.find("{http://schemas.openxmlformats.org/drawingml/2006/chart}cat").addprevious(bars)


def _reference(place: str, numbers: list[float]) -> str:
    points = "".join(f'<c:pt idx="{i}"><c:v>{n!r}</c:v></c:pt>' for i, n in enumerate(numbers))
    return (
        f"<c:numRef><c:f>{legal(place)}</c:f><c:numCache><c:formatCode>General</c:formatCode>"
        f'<c:ptCount val="{len(numbers)}"/>{points}</c:numCache></c:numRef>'
    )
