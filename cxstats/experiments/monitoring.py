"""A sequential plan meets its data: the test at every look, and when it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, p_text
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label
from cxstats.core.messages import no_column, row_name
from cxstats.core.result import Chart, Result
from cxstats.experiments.ab_tests import ab_test
from cxstats.experiments.boundaries import boundaries, is_rising, stagewise_p
from cxstats.experiments.outcomes import places_of_looks
from cxstats.experiments.result import (
    AbTest,
    distrust,
    distrust_title,
    in_units,
    points_scale,
    refuse_clusters,
    size_lines,
    size_notes,
)
from cxstats.experiments.sample_ratio_mismatch import SampleRatio
from cxstats.experiments.sequential import SequentialPlan, bound_text

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Monitoring(Result):
    """An experiment at each of its looks.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per look, of all data up to there: ``look, information, n, n_control, estimate, se,
        ci_low, ci_high`` (repeated confidence interval, ``estimate -+ boundary se``: holds at all
        looks together), ``statistic`` (z), ``boundary, spent, crossed``.
    decision : {"stop", "continue", "end"}
        A boundary was crossed; not yet; or the last look found nothing.
    stopped_at : int or None
        The look of the first crossing.
    p_value : float
        Stage-wise ordered, at the end of the experiment; NaN while it continues.
    plan : SequentialPlan
    tests : tuple of AbTest
        Each look by itself, without allowance for the others.
    level, n, synthetic
    notes : tuple of Text
        What a reader must know.
    """

    table: pd.DataFrame
    decision: str
    stopped_at: int | None
    p_value: float
    plan: SequentialPlan
    tests: tuple[AbTest, ...]
    level: float
    n: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("boundaries",)
    reference: ClassVar = (
        "Lan & DeMets (1983). Discrete sequential boundaries for clinical trials. Biometrika 70, "
        "659-663.\n"
        "Jennison & Turnbull (2000). Group sequential methods with applications to clinical "
        "trials. Chapman & Hall/CRC."
    )

    @property
    def sample_ratio(self) -> SampleRatio | None:
        """The groups' sizes at the last look against the plan."""
        return self.tests[-1].sample_ratio

    @property
    def trusted(self) -> bool:
        """False if visitors or answers were lost unequally."""
        return self.tests[-1].trusted

    def findings(self, lang: str) -> list[str]:
        """Return the decision and every look."""
        look = self.stopped_at or len(self.table)
        decision = label(
            f"experiment.monitor.{self.decision}", lang, look=look, p=p_text(self.p_value)
        )
        kind = self.tests[-1].kind
        scale = points_scale(kind)
        rows: Any = self.table
        lines = [
            "  "
            + label(
                "experiment.monitor.row",
                lang,
                look=row.look,
                n=format_number(row.n + row.n_control),
                difference=in_units(row.estimate, kind, lang),
                interval=interval_text(scale * row.ci_low, scale * row.ci_high),
                z=format_number(row.statistic, 3),
                boundary=bound_text(row.boundary),
            )
            for row in rows.itertuples()
        ]
        warning = distrust(self.trusted, lang)
        return [*warning, decision, *lines, *size_lines(self.sample_ratio, lang)]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return z by look between the boundaries, those of the looks to come too."""
        rows, planned = self.table, self.plan.table
        last = float(rows["information"].iloc[-1])
        ahead = planned[planned["information"] > last + 1e-9]
        if self.decision == "end":
            ahead = ahead.iloc[:0]
        keywords = {
            "source": label("metric.source", lang, n=format_number(self.n)),
            "synthetic": self.synthetic,
        }
        values = (
            [*rows["information"], *ahead["information"]],
            [*rows["boundary"], *ahead["boundary"]],
            rows["statistic"],
        )
        warning = distrust_title(self.trusted, lang)
        return Chart("stopping_boundaries", values, keywords | warning)


def tests_by_look(
    frame: Any,
    outcome: str | None,
    group: str | None,
    control: Any,
    look: str | None,
    metric: str,
    shares: Any,
    level: float,
) -> list[AbTest]:
    """Return an A/B test of all rows up to each look, in the order of the looks."""
    if outcome is None or group is None or look is None:
        raise CxError("a table needs outcome=, group=, control= and look=, names of its columns")
    table = as_pandas(frame)
    if look not in table.columns:
        raise DataError(no_column(look, table.columns))
    when = table[look]
    if when.isna().any():
        row = row_name(table.index, int(np.flatnonzero(when.isna())[0]))
        raise DataError(f"{row}, column {look!r}: missing; every row came in at some look")
    places = places_of_looks(when)
    return [
        ab_test(
            table[places <= place],
            outcome=outcome,
            group=group,
            control=control,
            metric=metric,
            shares=shares,
            level=level,
        )
        for place in np.unique(places)
    ]


def monitor(plan: SequentialPlan, tests: Sequence[AbTest], final: bool = False) -> Monitoring:
    """Test accumulated data at every look against the boundaries that its answers imply.

    Information is ``h = 1 / (1 / n + 1 / n_control)``, its share that of the planned answers; the
    error spent follows from the share, the boundary from that and from the information at all
    looks so far. Looks may therefore come earlier, later or more often than planned, as long as
    the results do not decide when.

    Parameters
    ----------
    plan : SequentialPlan
        Without a sample size in it, the looks are taken as those planned, in order.
    tests : sequence of AbTest
        One per look, of one variant, each of all data up to there.
    final : bool
        See `SequentialPlan.monitor`.

    Raises
    ------
    CxError, DataError
        If a look has several variants, or fewer answers than the one before.
    """
    import pandas as pd

    refuse_clusters("a sequential plan", tests=tests)
    if not tests:
        raise CxError("no looks; allowed: at least one AbTest, or a table")
    rows = pd.concat([_row(test, k) for k, test in enumerate(tests, 1)], ignore_index=True)
    size = 1 / (1 / rows["n"] + 1 / rows["n_control"]).to_numpy(float)
    share = _shares(plan, size, final)
    if not is_rising(size):
        raise DataError("each look needs more answers than the one before, and all of those")
    spent = plan.spend(share)
    bounds = boundaries(spent, size)
    z = rows["statistic"].to_numpy(float)
    crossed = np.abs(z) >= bounds
    half = np.where(np.isfinite(bounds), bounds, np.nan) * rows["se"].to_numpy(float)
    table = rows.assign(
        information=share,
        ci_low=rows["estimate"] - half,
        ci_high=rows["estimate"] + half,
        boundary=bounds,
        spent=spent,
        crossed=crossed,
    )
    first = int(np.argmax(crossed)) if crossed.any() else None
    decision = "stop" if first is not None else "end" if share[-1] >= 1 else "continue"
    p = np.nan
    if decision != "continue":
        last = len(z) - 1 if first is None else first
        p = stagewise_p(z[last], bounds[: last + 1], size[: last + 1])
    columns = ["look", "information", "n", "n_control", "estimate", "se", "ci_low", "ci_high"]
    return Monitoring(
        table=table[[*columns, "statistic", "boundary", "spent", "crossed"]],
        decision=decision,
        stopped_at=None if first is None else first + 1,
        p_value=p,
        plan=plan,
        tests=tuple(tests),
        level=plan.level,
        n=int(rows[["n", "n_control"]].iloc[-1].sum()),
        synthetic=tests[-1].synthetic,
        notes=(
            *_stopping_notes(first, len(z)),
            *tests[-1].metric.notes,
            *size_notes(tests[-1].sample_ratio),
        ),
    )


def _row(test: AbTest, look: int) -> pd.DataFrame:
    """Return one look: the test's z, which for t and Fisher's test is that of their p value."""
    import pandas as pd
    from scipy.special import ndtri

    if not isinstance(test, AbTest):
        raise CxError(f"look {look} is a {type(test).__name__}; allowed: AbTest, or one table")
    test.one_variant()
    row: Any = test.table.iloc[0]
    if not np.isfinite(row.p_value):
        raise DataError(f"look {look}: nothing varies, so there is no test; look later")
    z = -float(ndtri(max(row.p_value, 1e-300) / 2)) * np.sign(row.estimate)
    names = ["n", "n_control", "estimate", "se"]
    return pd.DataFrame([{"look": look, **{name: row[name] for name in names}, "statistic": z}])


def _shares(plan: SequentialPlan, size: Array, final: bool) -> Array:
    """Return the share of the planned information at each look."""
    if plan.n is None:
        if len(size) > plan.looks:
            raise CxError(f"{len(size)} looks; {plan.looks} are planned, and no sample size")
        share = plan.table["information"].to_numpy(float)[: len(size)].copy()
    else:
        share = size * (1 / plan.n[0] + 1 / plan.n[1])
        over = np.flatnonzero(share >= 1 - 1e-9)
        if len(over) and over[0] < len(size) - 1:
            raise CxError(
                f"look {over[0] + 1} has all planned answers, {plan.n[0]} and {plan.n[1]}: the "
                "error is spent, and there is no later look"
            )
        share = np.minimum(share, 1.0)
        share[over] = 1.0
    if final:
        share[-1] = 1.0
    return share


def _stopping_notes(first: int | None, looks: int) -> tuple[Text, ...]:
    """Return notes on an experiment that stopped at look `first`, counted from 0."""
    if first is None:
        return ()
    notes = [both("experiment.monitor.early")]
    if first < looks - 1:
        notes.append(both("experiment.monitor.after", count=looks - 1 - first))
    return tuple(notes)
