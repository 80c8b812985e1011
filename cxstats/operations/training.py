"""What a training changed: paired skills before and after, with or without a control group.

References
----------
Cumming (2012). Understanding the new statistics, ch. 11: d_av.
Algina & Keselman (2003). Approximate confidence intervals for effect sizes. Educational and
Psychological Measurement 63, 537-553.
Hedges (1981). Distribution theory for Glass's estimator of effect size. Journal of Educational
Statistics 6, 107-128: the correction J.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import is_synthetic
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, p_text
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.metrics.answers import one_column
from cxstats.stats.hypothesis_tests import difference_tests, mean_tests
from cxstats.stats.intervals import (
    check_level,
    fieller_interval,
    noncentral_interval,
    proportion_interval,
)
from cxstats.stats.means import MeanOptions
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

AT_TOP = 0.15  # share of scores at the top of the scale from which there is little room to improve
FEW = 20


@dataclass(frozen=True, eq=False, repr=False)
class TrainingEffect(Result):
    """The change of a skill.

    Attributes
    ----------
    table : pandas.DataFrame
        ``measure, estimate, ci_low, ci_high, p_value, n``: the means ``before, after``, their
        ``difference``, its share of the mean before (``relative``), the effect sizes ``d_z`` and
        ``g_av``, the share who ``improved``; with a control group ``control`` (its difference) and
        ``net`` (the difference less that of the control group).
    n, n_missing : int
        Pairs, and persons who lack one of both scores.
    level : float
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    n: int
    n_missing: int
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {"measure": "training.measure.{}"}
    kinds: ClassVar = ("difference",)
    reference: ClassVar = (
        "Cumming (2012). Understanding the new statistics. Routledge. Algina & Keselman (2003). "
        "Approximate confidence intervals for effect sizes. Educational and Psychological "
        "Measurement 63, 537-553."
    )

    def row(self, measure: str) -> Any:
        """Return the row of a measure.

        Raises
        ------
        CxError
            If there is none.
        """
        rows = self.table[self.table["measure"] == measure]
        if rows.empty:
            allowed = ", ".join(map(repr, self.table["measure"]))
            raise CxError(f"measure={measure!r}; allowed: {allowed}")
        return rows.iloc[0]

    def findings(self, lang: str) -> list[str]:
        """Return each measure with its interval."""
        level = format_percent(100 * self.level, None, lang)
        lines = [label("training.head", lang, n=format_number(self.n), level=level)]
        for _, row in self.table.iterrows():
            measure = row["measure"]
            percent = measure in ("relative", "improved")
            scale, digits = (100, 1) if percent else (1, 2)
            value = format_number(scale * row["estimate"], digits)
            if percent:
                value = format_percent(scale * row["estimate"], digits, lang)
            limits = interval_text(scale * row["ci_low"], scale * row["ci_high"], digits)
            name = label(f"training.measure.{measure}", lang)
            text = label(
                "chart.entry", lang, name=name, value=f"{value} {limits}".removesuffix(" –")
            )
            if not np.isnan(row["p_value"]):
                text += label("training.p", lang, p=p_text(row["p_value"]))
            lines.append("  " + text)
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the differences against no change."""
        rows = self.table[self.table["measure"].isin(["difference", "control", "net"])]
        names = [label(f"training.measure.{name}", lang) for name in rows["measure"]]
        last = rows.iloc[len(rows) - 1]
        key = "clear" if last["ci_low"] > 0 or last["ci_high"] < 0 else "open"
        return Chart(
            "intervals",
            (names, *(rows[name] for name in ("estimate", "ci_low", "ci_high"))),
            {
                "source": label("metric.source", lang, n=format_number(self.n)),
                "axis": label("training.axis", lang),
                "level": self.level,
                "title": label(
                    f"training.title.{key}", lang, name=names[-1][:1].upper() + names[-1][1:],
                    value=format_number(last["estimate"], 2, sign=True),
                    interval=interval_text(last["ci_low"], last["ci_high"]),
                ),
                "synthetic": self.synthetic,
            },
        )  # fmt: skip


@long_work("training effect")
def training_effect(
    before: Any,
    after: Any,
    *,
    control: tuple[Any, Any] | None = None,
    scale: tuple[float, float] | None = None,
    level: float = 0.95,
) -> TrainingEffect:
    """Compute what a training changed, from the scores of the same persons before and after it.

    ``difference = mean(after - before)`` with Student's t; ``relative = difference / mean before``
    (formulas A13 and D07 of `cxstats.load_formulas`) with Fieller's interval;
    ``d_z = difference / sd(after - before)``; ``g_av = J difference / sqrt((s1^2 + s2^2) / 2)``,
    ``J = 1 - 3 / (4 (n - 1) - 1)``, with limits from the noncentral t distribution. With a control
    group ``net = difference - difference of the control group``, with Welch's t.

    Parameters
    ----------
    before, after : columns of numbers
        One row a person, in the same order (or with the same row labels).
    control : (before, after), optional
        The same of persons who were not trained.
    scale : (low, high), optional
        Ends of the scale of the scores, which are checked against it; a note says where there was
        little room to improve.
    level : float

    Returns
    -------
    TrainingEffect

    Raises
    ------
    DataError
        Naming column, row and value of a score that is no number or is off the scale, or if there
        are fewer than two pairs.

    Notes
    -----
    Without a control group the difference is also what time, practice at the test and regression to
    the mean do: those who are trained because they scored low score higher the next time, trained
    or not. Persons without one of both scores are left out. With fewer than 20 pairs a t interval
    of skewed scores covers less than it says.

    References
    ----------
    Cumming (2012). Understanding the new statistics, ch. 11. Algina & Keselman (2003). Approximate
    confidence intervals for effect sizes. Educational and Psychological Measurement 63, 537-553.

    Examples
    --------
    >>> effect = training_effect([52, 61, 58, 66, 63], [70, 78, 81, 85, 86])
    >>> effect.row("difference")[["estimate", "ci_low", "ci_high"]].astype(float).round(1).tolist()
    [20.0, 16.5, 23.5]
    >>> round(float(effect.row("relative")["estimate"]), 3)
    0.333
    """
    import pandas as pd

    check_level(level)
    limits = _scale(scale)
    first, second, lost = _pairs(before, after, limits, "")
    options = MeanOptions(level)
    values = np.column_stack([first, second, second - first])
    tests = mean_tests(values, options)
    rows: list[list[Any]] = [
        [
            name,
            tests.mean[i],
            tests.ci_low[i],
            tests.ci_high[i],
            np.nan if i < 2 else tests.p_value[i],
        ]
        for i, name in enumerate(("before", "after", "difference"))
    ]
    rows += [
        _relative(first, second, level),
        ["d_z", tests.effect_size[2], tests.effect_ci_low[2], tests.effect_ci_high[2], np.nan],
        _average_effect(first, second, level),
        _improved(first, second, level),
    ]
    table_n = [len(first)] * len(rows)
    if control is not None:
        if not isinstance(control, (tuple, list)) or len(control) != 2:
            raise CxError("control has to be (before, after); allowed: two columns of numbers")
        base, again, lost_control = _pairs(*control, limits, "control ")
        lost += lost_control
        rows += _net(second - first, again - base, options)
        table_n += [len(base), len(first) + len(base)]
    columns = ["measure", "estimate", "ci_low", "ci_high", "p_value"]
    table = pd.DataFrame(rows, columns=columns)
    table["n"] = table_n
    notes = (
        *note_if(control is None, "training.note.control"),
        *note_if(control is not None, "training.note.parallel"),
        *note_if(lost > 0, "training.note.missing", n=lost),
        *note_if(len(first) < FEW, "training.note.few", n=len(first)),
        *_ceiling(first, limits),
        *note_if(not np.ptp(second - first) > 0, "training.note.flat"),
    )
    synthetic = any(is_synthetic(x) for x in (before, after))
    return TrainingEffect(table, len(first), lost, level, synthetic, notes)


def _scale(scale: Any) -> tuple[float, float] | None:
    if scale is None:
        return None
    real = isinstance(scale, (tuple, list)) and len(scale) == 2
    if not real or not all(isinstance(end, (int, float, np.number)) for end in scale):
        raise CxError(f"scale={excerpt(scale)}; allowed: (low, high) such as (0, 100)")
    low, high = map(float, scale)
    if not low < high:
        raise CxError(f"scale={excerpt(scale)}; allowed: low below high")
    return low, high


def _pairs(
    before: Any, after: Any, scale: tuple[float, float] | None, who: str
) -> tuple[Array, Array, int]:
    """Return the scores of those who have both, and how many lack one."""
    import pandas as pd

    columns = {}
    for name, values in (("before", before), ("after", after)):
        column = one_column(values)
        if column is None:
            raise DataError(f"{who}{name} has several columns; allowed: one column of numbers")
        columns[f"{who}{name}"] = column
    first, second = columns.values()
    if len(first) != len(second):
        raise DataError(
            f"{len(first)} scores {who}before and {len(second)} after; allowed: the same persons"
        )
    if not first.index.equals(second.index):
        if first.index.has_duplicates or set(first.index) != set(second.index):
            raise DataError(
                f"scores {who}before and after have different row labels; allowed: the same persons"
            )
        second = second.reindex(first.index)
    frame = pd.DataFrame({name: column.array for name, column in zip(columns, (first, second))},  # noqa: B905
                         index=first.index)  # fmt: skip
    scores = [numbers(frame, name) for name in frame.columns]
    for name, values in zip(frame.columns, scores, strict=True):
        if scale is not None:
            off = np.flatnonzero((values < scale[0]) | (values > scale[1]))
            if len(off):
                raise DataError(
                    f"row {excerpt(frame.index[off[0]])}, column {name!r}: {values[off[0]]:g}; "
                    f"allowed: {scale[0]:g} to {scale[1]:g}"
                )
    complete = ~np.isnan(scores[0]) & ~np.isnan(scores[1])
    if complete.sum() < 2:
        raise DataError(f"{who}{int(complete.sum())} pairs of scores; allowed: 2 or more")
    return scores[0][complete], scores[1][complete], int((~complete).sum())


def _relative(first: Array, second: Array, level: float) -> list[Any]:
    """Return the difference as a share of the mean before, with Fieller's limits."""
    n, base = len(first), first.mean()
    if not base > 0:
        return ["relative", np.nan, np.nan, np.nan, np.nan]
    matrix = np.cov(second, first) / n
    covariances = np.array([[matrix[0, 0]], [matrix[0, 1]], [matrix[1, 1]]])
    low, high = fieller_interval(
        np.array([second.mean()]), np.array([base]), covariances, np.array([n - 1.0]), level
    )
    return ["relative", second.mean() / base - 1, low[0] - 1, high[0] - 1, np.nan]


def _average_effect(first: Array, second: Array, level: float) -> list[Any]:
    """Return Hedges' g_av with Algina and Keselman's limits."""
    n, difference = len(first), second - first
    spread = np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
    sd = difference.std(ddof=1)
    if not (sd > 0 and spread > 0):
        return ["g_av", np.nan, np.nan, np.nan, np.nan]
    correction = 1 - 3 / (4 * (n - 1) - 1)
    t = difference.mean() / (sd / np.sqrt(n))
    low, high = noncentral_interval(np.array([t]), np.array([n - 1.0]), level)
    unit = correction * sd / np.sqrt(n) / spread
    return ["g_av", t * unit, low[0] * unit, high[0] * unit, np.nan]


def _improved(first: Array, second: Array, level: float) -> list[Any]:
    share = float((second > first).mean())
    low, high = proportion_interval(share, len(first), level=level)
    return ["improved", share, float(low), float(high), np.nan]


def _net(trained: Array, control: Array, options: MeanOptions) -> list[list[Any]]:
    """Return the difference of the control group, and what is left of the trained group's."""
    alone = mean_tests(control[:, None], options)
    padded = np.full((len(trained) + len(control), 2), np.nan)
    padded[: len(trained), 0], padded[len(trained) :, 1] = trained, control
    tests, _ = difference_tests(padded[:, :1], padded[:, 1:], options)
    return [
        ["control", alone.mean[0], alone.ci_low[0], alone.ci_high[0], alone.p_value[0]],
        ["net", tests.mean[0], tests.ci_low[0], tests.ci_high[0], tests.p_value[0]],
    ]


def _ceiling(first: Array, scale: tuple[float, float] | None) -> list[Text]:
    if scale is None:
        return []
    share = float((first >= scale[1]).mean())
    text = format_number(100 * share, 0)
    return [both("training.note.ceiling", share=text)] if share >= AT_TOP else []
