"""How long an experiment takes: planned answers over daily traffic."""

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
from cxstats.experiments.sequential import SequentialPlan
from cxstats.metrics.planning.sample_sizes import Plan

if TYPE_CHECKING:
    import pandas as pd

WEEK = 7
LONG = 8 * WEEK  # beyond this cookies are lost and seasons change


@dataclass(frozen=True, eq=False, repr=False)
class Duration(Result):
    """Days that a plan takes.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per scenario, "planned" or, of a sequential plan, "at most" and "expected" (if the
        difference is the planned one): ``scenario, answers, visitors, days, weeks,
        answers_by_then``.
    plan : Plan or SequentialPlan
    days : int
        Days to the (last) look.
    per_day, traffic, answering : float
        Visitors a day, the share that enters the experiment, the share of those that answers.
    whole_weeks : bool
    variants : int
    notes : tuple of Text
        Whether that is very long or very short.
    """

    table: pd.DataFrame
    plan: Plan | SequentialPlan
    days: int
    per_day: float
    traffic: float
    answering: float
    whole_weeks: bool
    variants: int
    notes: tuple[Text, ...]

    kinds: ClassVar = ("power",)
    codes: ClassVar = {"scenario": "experiment.scenario.{}"}
    reference: ClassVar = (
        "Kohavi, Tang & Xu (2020). Trustworthy online controlled experiments. Cambridge University "
        "Press."
    )

    @property
    def curve(self) -> pd.DataFrame:
        """Power by day of the test without looks: ``day, n, power``, to twice the duration."""
        import pandas as pd

        plan = self.sample_size
        day = np.arange(1, 2 * self.days + 1)
        answers = day * self.per_day * self.traffic * self.answering
        n = answers / (1 + self.variants * plan.ratio)
        enough = n >= 2
        effective = n[enough] / plan.design_effect
        alpha = (1 - plan.level) / plan.tests
        power = plan.effect.approximate_power(effective, effective * plan.ratio, alpha)
        return pd.DataFrame({"day": day[enough], "n": n[enough], "power": power})

    @property
    def sample_size(self) -> Plan:
        """The plan of the test without looks."""
        plan = self.plan.plan if isinstance(self.plan, SequentialPlan) else self.plan
        assert plan is not None  # a sequential plan without one is refused
        return plan

    def findings(self, lang: str) -> list[str]:
        """Return the days in words."""
        rows: Any = self.table.assign(key=self.table["scenario"].str.replace(" ", "_"))
        return [
            label(
                f"experiment.duration.{row.key}",
                lang,
                days=format_number(row.days),
                answers=format_number(row.answers),
                visitors=format_number(row.visitors),
                per_day=format_number(self.per_day),
                traffic=format_percent(100 * self.traffic, None, lang),
            )
            for row in rows.itertuples()
        ]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the power by day."""
        curve, plan = self.curve, self.sample_size
        level = format_percent(100 * plan.level, None, lang)
        keywords = {
            "source": label("planning.source", lang, level=level),
            "chosen": self.days,
            "target": None if np.isnan(plan.target) else plan.target,
        }
        return Chart("power_by_day", (curve["day"], curve["power"]), keywords)


def duration(
    plan: Plan | SequentialPlan,
    per_day: float,
    *,
    traffic: float = 1.0,
    answering: float = 1.0,
    whole_weeks: bool = True,
    variants: int = 1,
) -> Duration:
    """Return the days that an experiment takes, ``answers / (per_day traffic answering)``.

    Parameters
    ----------
    plan : Plan or SequentialPlan
        Of `cxstats.sample_size` for two groups, or of `cxstats.sequential_plan` with one; its first
        group is the control.
    per_day : float
        Visitors a day who are new to the experiment; one who comes back counts once.
    traffic : float
        Share of them that enters the experiment, all groups together.
    answering : float
        Share of those that has an outcome: 1 for conversion, the response rate for a survey.
    whole_weeks : bool
        Whether to end after whole weeks, so that every weekday weighs the same.
    variants : int
        Groups beside the control, each of the second group's size; plan with
        ``sample_size(..., tests=variants)`` then.

    Returns
    -------
    Duration

    Raises
    ------
    CxError
        Naming the argument, its value and what is allowed.

    Examples
    --------
    >>> from cxstats.metrics.planning import sample_size
    >>> plan = sample_size("conversion", first=0.021, second=0.025)
    >>> test = duration(plan, per_day=3000)
    >>> plan.n, test.days, duration(plan, per_day=3000, whole_weeks=False).days
    ((22046, 22046), 21, 15)
    """
    import pandas as pd

    sizes = _sizes(plan)
    _check(per_day, traffic, answering, variants)
    rate = per_day * traffic * answering
    rows: list[dict[str, Any]] = []
    for scenario, (first, second) in sizes.items():
        answers = first + variants * second
        days = ceil(answers / rate - 1e-9)
        days = WEEK * ceil(days / WEEK) if whole_weeks else days
        rows.append(
            {
                "scenario": scenario,
                "answers": answers,
                "visitors": ceil(answers / answering - 1e-9),
                "days": days,
                "weeks": days / WEEK,
                "answers_by_then": days * rate,
            }
        )
    longest = max(row["days"] for row in rows)
    notes = [both("experiment.duration.long")] if longest > LONG else []
    if longest < WEEK:
        notes.append(both("experiment.duration.short"))
    return Duration(
        table=pd.DataFrame(rows),
        plan=plan,
        days=longest,
        per_day=float(per_day),
        traffic=float(traffic),
        answering=float(answering),
        whole_weeks=whole_weeks,
        variants=variants,
        notes=tuple(notes),
    )


def _check(per_day: float, traffic: float, answering: float, variants: int) -> None:
    """Raise if an option is not allowed."""
    for name, value, top in (
        ("per_day", per_day, np.inf), ("traffic", traffic, 1.0), ("answering", answering, 1.0),
    ):  # fmt: skip
        within = isinstance(value, Real) and not isinstance(value, bool) and 0 < value <= top
        if not within or not np.isfinite(value):
            allowed = "a number above 0" if np.isinf(top) else "a share above 0, at most 1"
            raise CxError(f"{name}={value!r}; allowed: {allowed}")
    if isinstance(variants, bool) or not isinstance(variants, int) or variants < 1:
        raise CxError(f"variants={variants!r}; allowed: a whole number from 1 upwards")


def _sizes(plan: Any) -> dict[str, tuple[int, int]]:
    if isinstance(plan, SequentialPlan):
        if plan.n is None:
            raise CxError("the sequential plan has no sample size: sequential_plan(..., plan=...)")
        first, second = plan.n
        expected = ceil(first * plan.expected), ceil(second * plan.expected)
        return {"at most": plan.n, "expected": expected}
    if not isinstance(plan, Plan) or len(plan.n) != 2:
        raise CxError(f"plan={type(plan).__name__}; allowed: a plan of two groups")
    return {"planned": (plan.n[0], plan.n[1])}
