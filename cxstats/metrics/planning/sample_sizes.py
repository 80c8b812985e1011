"""Sample sizes and power for every metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import Text, both, label
from cxstats.core.result import Chart, Result
from cxstats.metrics.planning.expected_effect import SMALL_NPS, ExpectedEffect, expected_effect
from cxstats.metrics.planning.power_of_tests import smallest
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd

POINTS = {"nps": 100.0, "share": 100.0, "mean": 1.0}


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Result):
    """A sample size, or a power, with what it rests on.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per group: ``group, value, sd, n`` (``value`` in the metric's unit: NPS from -100 to
        100, shares from 0 to 1).
    metric : str
    kind : {"nps", "share", "mean"}
    n : tuple of int
        Answers in each group.
    power : float
        Power of the two-sided test at `n`; NaN for a plan of an interval.
    target : float
        The power asked for; NaN if the power was asked.
    margin : float
        Half-width asked for, in the metric's unit; NaN for a comparison.
    difference : float
        Between the groups, in the metric's unit.
    level, ratio, design_effect, tests
        As in `sample_size`.
    effect : ExpectedEffect
        What is compared.
    notes : tuple of Text
        What was assumed.
    """

    table: pd.DataFrame
    metric: str
    kind: str
    n: tuple[int, ...]
    power: float
    target: float
    margin: float
    difference: float
    level: float
    ratio: float
    design_effect: float
    tests: int
    effect: ExpectedEffect
    notes: tuple[Text, ...]

    codes: ClassVar = {"group": "planning.group.{}"}

    @property
    def kinds(self) -> tuple[str, ...]:
        """What `plot` can draw; a plan of an interval has no power."""
        return ("power",) if len(self.n) == 2 else ()

    @property
    def curve(self) -> pd.DataFrame:
        """Power by answers in the first group: ``n, power``; a plan of an interval has none."""
        import pandas as pd

        self._require_comparison()
        top = max(4 * self.n[0], 40)
        n1 = np.unique([*np.geomspace(max(4, self.n[0] / 20), top, 60).round(), self.n[0]])
        pairs = [(float(n), float(max(2, ceil(n * self.ratio)))) for n in n1]
        power = [
            self.effect.power(a / self.design_effect, b / self.design_effect, self._alpha)
            for a, b in pairs
        ]
        return pd.DataFrame({"n": n1.astype(int), "power": power})

    @property
    def _alpha(self) -> float:
        return (1 - self.level) / self.tests

    def _require_comparison(self) -> None:
        if len(self.n) < 2:
            raise CxError("this plan is for an interval of one group, which has no power")

    def findings(self, lang: str) -> list[str]:
        """Return the plan in words."""
        scale = 100 if self.kind == "share" else 1
        values = {
            "metric": label(f"planning.metric.{self.metric}", lang),
            "level": format_percent(100 * self.level, None, lang),
            "unit": label(f"planning.unit.{self.kind}", lang),
        }
        if len(self.n) == 1:
            margin, n = format_number(self.margin * scale), format_number(self.n[0])
            return [label("planning.margin", lang, n=n, margin=margin, **values)]
        return [
            label(
                "planning.compare",
                lang,
                n1=format_number(self.n[0]),
                n2=format_number(self.n[1]),
                power=format_percent(100 * self.power, 1, lang),
                difference=format_number(self.difference * scale, sign=True),
                **values,
            )
        ]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the power by sample size."""
        curve = self.curve
        level = format_percent(100 * self.level, None, lang)
        keywords = {
            "chosen": self.n[0],
            "reached": self.power,
            "target": None if np.isnan(self.target) else self.target,
            "source": label("planning.source", lang, level=level),
            "subject": self.findings(lang)[0],
        }
        return Chart("power_curve", (curve["n"], curve["power"]), keywords)


def sample_size(  # noqa: PLR0913  (keywords of a plan)
    metric: str,
    *,
    first: Any = None,
    second: Any = None,
    difference: float | None = None,
    sd: Any = None,
    margin: float | None = None,
    power: float = 0.8,
    level: float = 0.95,
    ratio: float = 1.0,
    design_effect: float = 1.0,
    tests: int = 1,
) -> Plan:
    """Return how many answers are needed, for an interval or for a comparison of two groups.

    Parameters
    ----------
    metric : str
        "nps"; a share ("proportion", "csat", "churn", "conversion", ...); or a mean ("mean", "ces",
        "arpu", "handling_time", "satisfaction").
    first, second : expected values
        NPS: ``(promoters, detractors)`` as shares, or a score, for which the largest variance
        that it can have is taken. Share: 0 to 1. Mean: the means, or `difference` instead.
    difference : float, optional
        Of two means.
    sd : float or pair
        Standard deviation of one answer (means only).
    margin : float, optional
        Half-width of the interval of one group, in the metric's unit: points of NPS, shares from
        0 to 1. Without it two groups are compared.
    power : float
        Chance that the test finds the difference.
    level : float
        Confidence level; the two-sided test is at ``1 - level``.
    ratio : float
        Answers in the second group for one in the first.
    design_effect : float
        Factor by which weighting or clustering inflates variances.
    tests : int
        Comparisons that are made; the error is divided by it (Bonferroni).

    Returns
    -------
    Plan

    Raises
    ------
    CxError
        Naming the argument, its value and what is allowed.

    Notes
    -----
    Interval: NPS ``n = z^2 s^2 / d^2 - 3`` with ``s^2 = p + d - (p - d)^2``; a share by Wilson's
    interval, a mean by the t interval, each of the expected width. Comparison: NPS
    ``n = (s1^2 + s2^2) (z_a + z_b)^2 / d^2``, with both groups' variances; shares by the pooled z
    test; means by Welch's t test. With up to 60 answers per group (NPS), or fewer than 30
    events expected in one (shares), the power is enumerated exactly for the tests of
    `Metric.compare`; it then rises in small steps, not smoothly. With a `design_effect` it
    cannot be, and a small sample is remarked on.

    Examples
    --------
    >>> sample_size("nps", first=(0.50, 0.20), second=(0.60, 0.15)).n
    (404, 404)
    >>> sample_size("csat", first=0.7, margin=0.03).n
    (894,)
    """
    _check(level, ratio, design_effect, tests)
    check_power(power)
    if margin is None:
        effect = expected_effect(metric, first, second, difference, sd)
        _check_comparison(effect)
        return _plan_comparison(effect, power, level, ratio, design_effect, tests)
    if second is not None or difference is not None:
        raise CxError("margin is for one group; leave out second and difference")
    if not isinstance(margin, Real) or isinstance(margin, bool) or not margin > 0:
        raise CxError(f"margin={margin!r}; allowed: a number above 0")
    # The width of a mean's interval depends on its spread alone.
    effect = expected_effect(metric, first if sd is None else None, None, None, sd)
    unit = POINTS["nps"] if effect.kind == "nps" else 1.0
    n = ceil(effect.n_for_margin(margin / unit, 1 - (1 - level) / tests) * design_effect)
    return _plan(effect, (n,), level, 1.0, design_effect, tests, margin=float(margin))


def _plan_comparison(
    effect: ExpectedEffect,
    power: float,
    level: float,
    ratio: float,
    design_effect: float,
    tests: int,
) -> Plan:
    """Return the plan with the smallest groups whose test has the power."""
    alpha = (1 - level) / tests

    def enough(n: int) -> bool:
        n2 = ceil(n * ratio)
        return effect.power(n / design_effect, n2 / design_effect, alpha) >= power - 1e-12

    start = max(2, ceil(2 / ratio))
    n1 = smallest(enough, ceil(start * design_effect))
    return _plan(effect, (n1, ceil(n1 * ratio)), level, ratio, design_effect, tests, target=power)


def power(  # noqa: PLR0913  (keywords of a plan)
    metric: str,
    n: Any,
    *,
    first: Any = None,
    second: Any = None,
    difference: float | None = None,
    sd: Any = None,
    level: float = 0.95,
    design_effect: float = 1.0,
    tests: int = 1,
) -> Plan:
    """Return the chance that a comparison of two groups finds the difference that there is.

    Parameters
    ----------
    metric, first, second, difference, sd, level, design_effect, tests
        As in `sample_size`.
    n : int or pair of int
        Answers in each group.

    Returns
    -------
    Plan
        With ``.power`` and ``.curve``.

    Raises
    ------
    CxError
        Naming the argument, its value and what is allowed.

    Examples
    --------
    >>> round(power("nps", 213, first=(0.50, 0.20), second=(0.60, 0.15)).power, 2)
    0.53
    """
    effect = expected_effect(metric, first, second, difference, sd)
    _check_comparison(effect)
    pair = list(n) if np.ndim(n) == 1 else [n, n]
    integers = all(isinstance(x, int | np.integer) and not isinstance(x, bool) for x in pair)
    if len(pair) != 2 or not integers or min(pair) < 2:
        raise CxError(f"n={n!r}; allowed: a whole number from 2 upwards, or two of them")
    _check(level, 1.0, design_effect, tests)
    sizes, ratio = (int(pair[0]), int(pair[1])), pair[1] / pair[0]
    return _plan(effect, sizes, level, ratio, design_effect, tests)


def _check_comparison(effect: ExpectedEffect) -> None:
    """Raise if there are no two groups, or nothing that a test could find."""
    if effect.second is None:
        raise CxError("a comparison needs first and second (or difference); an interval, margin")
    if effect.first.value == effect.second.value:
        raise CxError("the groups do not differ, so there is no difference to find")
    if effect.first.variance + effect.second.variance == 0:
        raise CxError("neither group varies (all answers alike), so nothing is left to chance")


def check_power(power: float) -> None:
    """Raise if a power is not above 0.05 to below 1."""
    if not isinstance(power, Real) or not 0.05 < power < 1:
        raise CxError(f"power={power!r}; allowed: above 0.05 to below 1, such as 0.8")


def _check(level: float, ratio: float, design_effect: float, tests: int) -> None:
    check_level(level)
    for name, value in (("ratio", ratio), ("design_effect", design_effect)):
        if not isinstance(value, Real) or isinstance(value, bool) or not 0 < value < float("inf"):
            raise CxError(f"{name}={value!r}; allowed: a number above 0")
    if not isinstance(tests, int) or isinstance(tests, bool) or tests < 1:
        raise CxError(f"tests={tests!r}; allowed: a whole number from 1 upwards")


def _plan(
    effect: ExpectedEffect,
    n: tuple[int, ...],
    level: float,
    ratio: float,
    design_effect: float,
    tests: int,
    target: float = float("nan"),
    margin: float = float("nan"),
) -> Plan:
    import pandas as pd

    unit = POINTS["nps"] if effect.kind == "nps" else 1.0
    groups = [effect.first] if len(n) == 1 else [effect.first, effect.second]
    rows = [
        {
            "group": name,
            "value": float("nan") if len(n) == 1 and effect.kind == "mean" else unit * group.value,
            "sd": unit * group.variance**0.5,
            "n": size,
        }
        for name, group, size in zip(("first", "second"), groups, n, strict=False)
        if group is not None
    ]
    reached, difference = float("nan"), float("nan")
    if len(n) == 2:
        effective = n[0] / design_effect, n[1] / design_effect
        reached = effect.power(*effective, (1 - level) / tests)
        assert effect.second is not None
        difference = unit * (effect.second.value - effect.first.value)
    notes = list(effect.notes)
    small = {
        "nps": n[0] <= SMALL_NPS,
        "share": effect.rare(n[0], n[-1]),
        "mean": False,
    }[effect.kind]
    if design_effect != 1 and small:
        notes.append(both("planning.note.rough"))
    return Plan(
        table=pd.DataFrame(rows),
        metric=effect.metric,
        kind=effect.kind,
        n=n,
        power=reached,
        target=target,
        margin=margin,
        difference=difference,
        level=level,
        ratio=ratio,
        design_effect=design_effect,
        tests=tests,
        notes=tuple(notes),
        effect=effect,
    )
