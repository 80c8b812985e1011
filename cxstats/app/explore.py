"""Sliders in JupyterLab: weights with live ranks, and the resamples of a bootstrap.

Without ipywidgets, and wherever a notebook is only read (nbconvert, the site), the same object
shows the chart and the table of the values that it was made with.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.charts.alt_text import alt_text
from cxstats.charts.style import display_width
from cxstats.core.display import table_html
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, check_lang, label, note_if
from cxstats.core.result import ROWS, Chart, Result
from cxstats.stats.bootstrap import percentile_limits, replicate_means

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STEPS = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)  # resamples
FEW = 20  # values below which a percentile interval of a mean is too narrow
DRAWS = 500  # weights drawn at each move of a slider: fast, and enough for a look
HIGHEST = 100  # of a slider
DPI = 90  # of a chart as it is shown; it has twice the pixels


class Explorer:
    """A result that is made anew whenever a slider moves.

    Attributes
    ----------
    result : Result
        What is shown now.
    values : dict of str to number
        Where the sliders stand.
    widget : ipywidgets.VBox or None
        Sliders, table and chart; None without ipywidgets.
    message : str
        Why the sliders' values make no result; "" where they do.
    """

    def __init__(
        self,
        make: Callable[[Mapping[str, float]], Result],
        values: Mapping[str, float],
        ends: Mapping[str, tuple[float, float]],
        names: Mapping[str, str],
        lang: str | None,
        kinds: Sequence[str] = (),
    ) -> None:
        self._make, self.values, self._lang = make, dict(values), check_lang(lang)
        self._kinds, self.message = kinds, ""
        self.result = make(self.values)
        self.widget = self._build(ends, names)

    def set(self, **values: float) -> Result:
        """Move sliders, as a hand would, and return the result."""
        unknown = [name for name in values if name not in self.values]
        if unknown:
            raise CxError(f"no slider {unknown[0]!r}; there are: {', '.join(self.values)}")
        for name, value in values.items():
            if self.widget is None:
                self._move(name, value)
            else:
                self.sliders[name].value = value
        return self.result

    def _move(self, name: str, value: float) -> None:
        """Make the result anew; where the values make none, the last one stays."""
        self.values[name] = value
        try:
            self.result, self.message = self._make(self.values), ""
        except CxError as error:
            self.message = str(error)

    def _build(self, ends: Mapping[str, tuple[float, float]], names: Mapping[str, str]) -> Any:
        """Return sliders above what they change; None without ipywidgets."""
        try:
            import ipywidgets
        except ImportError:
            self.sliders: dict[str, Any] = {}
            return None
        # One width for all names, so that the sliders stand below each other.
        width = 2 + max(map(display_width, names.values()), default=0)
        look: dict[str, Any] = {
            "style": {"description_width": f"{width}ch"},
            "layout": {"width": f"calc({width}ch + 24em)"},
        }
        self.sliders = {
            name: ipywidgets.IntSlider(
                int(value), int(ends[name][0]), int(ends[name][1]), description=names[name],
                continuous_update=False, **look,
            )
            for name, value in self.values.items()
        }  # fmt: skip
        html, chart = ipywidgets.HTML(), ipywidgets.Image(format="png")

        def refresh() -> None:
            html.value = f"<p>{escape(self.message)}</p>" if self.message else self._html()
            chart.value, width, _ = self._picture()
            chart.width = str(width)

        def moved(name: str) -> Callable[[Any], None]:
            def move(change: Any) -> None:
                self._move(name, change["new"])
                refresh()

            return move

        for name, slider in self.sliders.items():
            slider.observe(moved(name), names="value")
        refresh()
        return ipywidgets.VBox([*self.sliders.values(), chart, html])

    def _picture(self) -> tuple[bytes, int, str]:
        """Return the chart of the result as a picture, the width it is shown in, and its title."""
        import matplotlib.pyplot as plt

        kind = next((kind for kind in self._kinds if kind in self.result.kinds), None)
        figure: Any = self.result.plot(kind, lang=self._lang).figure
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=2 * DPI, bbox_inches="tight")
        title = alt_text(figure)
        plt.close(figure)
        return buffer.getvalue(), _pixels_wide(buffer.getvalue()) // 2, title

    def _html(self) -> str:
        """Return the summary and the tables of the result, in the language of the explorer."""
        table = self.result.translated(self._lang)["table"]
        level = getattr(self.result, "level", None)
        summary = escape(self.result.summary(self._lang))
        return f"<pre>{summary}</pre>\n{table_html(table, self._lang, ROWS, level, len(table))}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return the widget for who has one, and the chart and table for all others."""
        picture, width, title = self._picture()
        source = f"data:image/png;base64,{b64encode(picture).decode()}"
        image = f'<img src="{source}" width="{width}" alt="{escape(title)}"/>'
        bundle = {
            "text/plain": self.result.summary(self._lang),
            "text/html": f"{image}{self._html()}",
        }
        if self.widget is not None:
            live = self.widget._repr_mimebundle_()
            bundle = {**(live[0] if isinstance(live, tuple) else live), **bundle}
        return bundle


def explore_weights(
    scores: Any, weights: Mapping[str, float], *, lang: str | None = None, **options: Any
) -> Explorer:
    """Show ranks of units as weights move: a slider a criterion, from 0 to 100.

    The weights are the sliders' values over their sum. In JupyterLab the ranking, its chart and
    what would turn it follow each move; elsewhere they are those of `weights`.

    Parameters
    ----------
    scores : table, or array (units, k)
        As in `cxstats.weight_sensitivity`.
    weights : mapping of criterion to weight
        At the start: not negative; their sum is taken for the whole.
    lang : {"en", "zh"}, optional
        Language; without it, that of `cxstats.set_language`.
    **options
        Those of `cxstats.weight_sensitivity`; `n_draws` is 500 here, so that a move is quick.

    Returns
    -------
    Explorer
        With ``.result`` (a `WeightSensitivity`), ``.values``, ``.set(...)``.

    Raises
    ------
    CxError
        If the weights are no mapping, or all of them 0; as in `cxstats.weight_sensitivity`.

    Examples
    --------
    >>> import pandas as pd
    >>> branches = pd.DataFrame({"speed": [9, 5], "staff": [4, 7]}, index=["North", "South"])
    >>> explorer = explore_weights(branches, {"speed": 0.6, "staff": 0.4})
    >>> explorer.result.table["rank"].to_dict()
    {'North': 1, 'South': 2}
    >>> explorer.set(speed=20, staff=80).table["rank"].to_dict()
    {'South': 1, 'North': 2}
    """
    from cxstats.weighting.sensitivity import weight_sensitivity

    if not isinstance(weights, Mapping) or not weights:
        raise CxError("weights: allowed is a mapping of criterion to weight, such as {'speed': 1}")
    for name, weight in weights.items():
        if not isinstance(weight, Real) or isinstance(weight, bool) or not weight >= 0:
            raise CxError(f"weights: {name!r} has {weight!r}; allowed: numbers from 0 upwards")
    if all(weight == 0 for weight in weights.values()):
        raise CxError("weights: all are 0; at least one has to be above")
    options = {"n_draws": DRAWS, **options}

    def make(values: Mapping[str, float]) -> Result:
        total = sum(values.values())
        if not total > 0:
            raise CxError(label("explore.no_weight", lang))
        shares = {name: value / total for name, value in values.items()}
        return weight_sensitivity(scores, shares, **options)

    total = sum(weights.values())
    points = {str(name): round(HIGHEST * value / total) for name, value in weights.items()}
    ends, names = dict.fromkeys(points, (0, HIGHEST)), {name: name for name in points}
    # Of three criteria, who wins where; of others, what each weight does to the leader.
    return Explorer(make, points, ends, names, lang, ("simplex", "tornado"))


@dataclass(frozen=True, eq=False, repr=False)
class ResampledMean(Result):
    """The percentile interval of a mean as the number of bootstrap resamples grows.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per number of resamples, the first ones of the same draw: ``n_resamples, estimate,
        se, ci_low, ci_high``. `estimate` is the mean of the values, `se` the standard deviation of
        the resampled means.
    n, level, seed
        Values used; of the intervals; of the draw.
    synthetic : bool
        Whether the values are simulated.
    notes : tuple of Text
    """

    table: pd.DataFrame
    n: int
    level: float
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("resamples",)
    reference: ClassVar = "Efron & Tibshirani (1993). An introduction to the bootstrap, ch. 13, 19."

    def _interval(self, row: Any) -> str:
        return interval_text(row.ci_low, row.ci_high, 3)

    def findings(self, lang: str) -> list[str]:
        """Return the interval of all resamples, and of fewer."""
        rows: list[Any] = list(self.table.itertuples())
        last = rows[-1]
        head = label(
            "explore.mean.head", lang, n=format_number(self.n), mean=f"{last.estimate:.3f}",
            level=format_percent(100 * self.level, None, lang), seed=self.seed,
            b=format_number(last.n_resamples), interval=self._interval(last),
        )  # fmt: skip
        lines = [
            "  " + label("explore.mean.row", lang, b=format_number(row.n_resamples),
                         interval=self._interval(row))
            for row in rows[:-1]
        ]  # fmt: skip
        return [head, *lines]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the intervals, one below the other."""
        table, last = self.table, self.table.iloc[-1]
        level = format_percent(100 * self.level, None, lang)
        keywords = {
            "source": label("explore.mean.source", lang, n=format_number(self.n)),
            "axis": label("explore.mean.axis", lang), "level": self.level, "decimals": 3,
            "reference": round(float(last["estimate"]), 3), "synthetic": self.synthetic,
            "title": label("explore.mean.chart", lang, level=level, interval=self._interval(last)),
        }  # fmt: skip
        names = [
            label("explore.mean.name", lang, b=format_number(int(b))) for b in table["n_resamples"]
        ]
        limits = [table[name].to_numpy() for name in ("estimate", "ci_low", "ci_high")]
        return Chart("intervals", (names, *limits), keywords)


def explore_bootstrap(
    values: Any,
    n_resamples: int = 2_000,
    *,
    seed: int = 1,
    level: float = 0.95,
    lang: str | None = None,
) -> Explorer:
    """Show how the bootstrap interval of a mean depends on the number of resamples and the seed.

    Percentile limits of the first 20, 50, 100 ... resamples of one draw. In JupyterLab two sliders
    set the number and the seed.

    Parameters
    ----------
    values : sequence of numbers, or column
        Missing values are left out and counted.
    n_resamples : int
        From 20 to 10,000.
    seed : int
        From 1 to 100.
    level : float
        Of the intervals.
    lang : {"en", "zh"}, optional
        Language; without it, that of `cxstats.set_language`.

    Returns
    -------
    Explorer
        With ``.result`` (a `ResampledMean`), ``.values``, ``.set(...)``.

    Raises
    ------
    DataError
        If a value is no number, or fewer than two are.
    CxError
        If an option is out of range.

    Examples
    --------
    >>> explorer = explore_bootstrap([5, 7, 6, 4, 7, 6], 100)
    >>> explorer.result.table["n_resamples"].tolist()
    [20, 50, 100]
    >>> explorer.set(resamples=200).table["n_resamples"].tolist()
    [20, 50, 100, 200]
    """
    numbers, n_missing, synthetic = _numbers(values)
    ends = {"resamples": (STEPS[0], STEPS[-1]), "seed": (1, 100)}
    start = {"resamples": n_resamples, "seed": seed}
    for name, value in start.items():
        low, high = ends[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise CxError(f"{name}={value!r}; allowed: whole numbers from {low} to {high:,}")
    if not isinstance(level, float) or not 0 < level < 1:
        raise CxError(f"level={level!r}; allowed: between 0 and 1")
    notes = (
        *note_if(n_missing > 0, "explore.mean.missing", n=n_missing),
        *note_if(len(numbers) < FEW, "explore.mean.few", n=len(numbers)),
    )

    def make(values: Mapping[str, float]) -> Result:
        table = _resampled(numbers, int(values["resamples"]), int(values["seed"]), level)
        return ResampledMean(table, len(numbers), level, int(values["seed"]), synthetic, notes)

    names = {"resamples": label("explore.resamples", lang), "seed": label("explore.seed", lang)}
    return Explorer(make, start, ends, names, lang)


def _numbers(values: Any) -> tuple[Array, int, bool]:
    """Return the numbers among values, how many were missing, and whether they are simulated."""
    import pandas as pd

    from cxstats.survey.answers import numbers

    column = pd.Series(values, dtype=None if len(values) else float).rename("values")
    read = numbers(column.reset_index(drop=True).to_frame(), "values")
    answered = read[~np.isnan(read)]
    if len(answered) < 2:
        raise DataError(f"values: {len(answered)} numbers; a mean with an interval needs two")
    synthetic = bool(getattr(values, "attrs", {}).get("synthetic", False))
    return answered, int(np.isnan(read).sum()), synthetic


def _resampled(numbers: Array, n_resamples: int, seed: int, level: float) -> pd.DataFrame:
    """Return the intervals of the first resamples of a draw."""
    import pandas as pd

    means = replicate_means(numbers[:, None], n_resamples, seed)[:, 0]
    counts: Sequence[int] = [*(b for b in STEPS if b < n_resamples), n_resamples]
    rows = [
        (b, numbers.mean(), means[:b].std(ddof=1), *percentile_limits(means[:b], level))
        for b in counts
    ]
    return pd.DataFrame(rows, columns=["n_resamples", "estimate", "se", "ci_low", "ci_high"])


def _pixels_wide(png: bytes) -> int:
    """Return the width of a picture, which stands in its first chunk."""
    return int.from_bytes(png[16:20], "big")
