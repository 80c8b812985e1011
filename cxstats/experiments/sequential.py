"""Group-sequential plans: how often to look, how high the boundary, how many answers.

References
----------
Lan & DeMets (1983). Discrete sequential boundaries for clinical trials. Biometrika 70, 659-663.
Jennison & Turnbull (2000). Group sequential methods with applications to clinical trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isnan
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import Text, label
from cxstats.core.result import Chart, Result
from cxstats.experiments.boundaries import (
    SPENDING,
    boundaries,
    crossing,
    drift_for,
    is_rising,
)
from cxstats.metrics.planning.sample_sizes import Plan, check_power
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.experiments.monitoring import Monitoring

    Array = NDArray[np.float64]

MOST_LOOKS = 200


@dataclass(frozen=True, eq=False, repr=False)
class SequentialPlan(Result):
    """Looks, boundaries and what they cost.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per look: ``look, information`` (share of the final answers), ``boundary`` (of
        ``|z|``), ``p_nominal`` (the p value that it is), ``spent`` (error up to there),
        ``stopped`` (chance to have stopped by then if the difference is the planned one) and, with
        a `plan`, ``n_first, n_second`` (answers of both groups by then).
    spending : str
    level, power : float
        Of the whole test, and the power it keeps.
    inflation : float
        Answers at the last look, as a multiple of those of a test without looks.
    expected : float
        Answers expected if the difference is the planned one, as a share of the last look's.
    alpha : float
        Two-sided error of the whole test.
    plan : Plan or None
        The sample size without looks.
    n : tuple of int or None
        Answers of both groups at the last look.
    notes : tuple of Text
    """

    table: pd.DataFrame
    spending: str
    level: float
    power: float
    inflation: float
    expected: float
    alpha: float
    plan: Plan | None
    n: tuple[int, int] | None
    notes: tuple[Text, ...] = ()

    kinds: ClassVar = ("boundaries",)
    reference: ClassVar = (
        "Lan & DeMets (1983). Discrete sequential boundaries for clinical trials. Biometrika 70, "
        "659-663.\n"
        "Jennison & Turnbull (2000). Group sequential methods with applications to clinical "
        "trials. Chapman & Hall/CRC."
    )

    @property
    def looks(self) -> int:
        """How many looks are planned."""
        return len(self.table)

    def spend(self, information: Any) -> Array:
        """Return the error spent up to shares of information (0 to 1)."""
        return SPENDING[self.spending](information, self.alpha)

    def monitor(  # noqa: PLR0913  (keywords of a public function)
        self,
        data: Any,
        *,
        outcome: str | None = None,
        group: str | None = None,
        control: Any = None,
        look: str | None = None,
        metric: str = "proportion",
        cluster: str | None = None,
        shares: Any = "equal",
        final: bool = False,
    ) -> Monitoring:
        """Test accumulated data at every look; see `cxstats.experiments.monitoring.monitor`.

        Parameters
        ----------
        data : table, or sequence of AbTest
            Rows with a column `look`, which are accumulated in its order; or one A/B test for each
            look, each of all data up to there.
        outcome, group, control, metric, shares
            As in `cxstats.ab_test`, of a table.
        cluster
            Refused: rows are units that come once, since units that come back make one look depend
            on the next in a way that boundaries do not know.
        look : str
            Column that says at which look a row came in: numbers or dates, in order.
        final : bool
            Whether the last look is the end, although fewer answers came in than planned: all that
            is left of the error is spent then. To be decided without looking at the results.

        Returns
        -------
        Monitoring
        """
        from cxstats.experiments.monitoring import monitor, tests_by_look
        from cxstats.experiments.result import refuse_clusters

        refuse_clusters("a sequential plan", cluster)
        if isinstance(data, (list, tuple)):
            tests = list(data)
        else:
            tests = tests_by_look(data, outcome, group, control, look, metric, shares, self.level)
        return monitor(self, tests, final)

    def findings(self, lang: str) -> list[str]:
        """Return what the looks cost, and the boundary of each."""
        heading = label(
            "experiment.sequential.head",
            lang,
            looks=self.looks,
            spending=label(f"experiment.spending.{self.spending}", lang),
            alpha=f"{self.alpha:.3g}",
            power=format_percent(100 * self.power, None, lang),
            inflation=format_number(self.inflation, 3),
            expected=format_percent(100 * self.expected, 0, lang),
        )
        rows: Any = self.table
        return [heading, *(f"  {self._row(row, lang)}" for row in rows.itertuples())]

    def _row(self, row: Any, lang: str) -> str:
        values = {
            "look": str(row.look),
            "information": format_percent(100 * row.information, 0, lang),
            "boundary": bound_text(row.boundary),
            "p": "–" if row.p_nominal == 0 else f"{row.p_nominal:.2g}",
        }
        if self.n is None:
            return label("experiment.sequential.row", lang, **values)
        sizes = {"n1": format_number(row.n_first), "n2": format_number(row.n_second)}
        return label("experiment.sequential.row.n", lang, **values, **sizes)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the boundaries."""
        source = label("experiment.sequential.source", lang, alpha=f"{self.alpha:.3g}")
        rows = self.table
        values: tuple[Any, ...] = (rows["information"], rows["boundary"], [])
        return Chart("stopping_boundaries", values, {"source": source})


def bound_text(bound: float) -> str:
    """Return a boundary as text; a dash where there is none."""
    return format_number(bound, 3) if np.isfinite(bound) else "–"


def sequential_plan(
    looks: int | Sequence[float],
    *,
    spending: str = "obrien_fleming",
    level: float | None = None,
    power: float = 0.8,
    plan: Plan | None = None,
) -> SequentialPlan:
    """Plan an experiment that may stop at one of several looks.

    The error of the two-sided test is spent over the looks (Lan & DeMets 1983), so that the chance
    of any false finding is ``1 - level`` over all of them together. Boundaries come from recursive
    numerical integration; the looks that are held may differ from those planned in time and
    number (`SequentialPlan.monitor` takes the answers that there are).

    Parameters
    ----------
    looks : int, or sequence of float
        How many, equally spaced; or the shares of the final answers at which to look, rising to 1.
    spending : {"obrien_fleming", "pocock"}
        ``"obrien_fleming"``: hard to stop early, hardly any cost; ``"pocock"``: nearly equal
        boundaries, more answers in all, fewer if the difference is large.
    level : float, optional
        0.95, or that of `plan`.
    power : float
        That the plan keeps; that of `plan` if there is one.
    plan : Plan, optional
        Of `cxstats.sample_size`, of two groups: the answers without looks.

    Returns
    -------
    SequentialPlan

    Raises
    ------
    CxError
        Naming the argument, its value and what is allowed.

    Notes
    -----
    Symmetric two-sided boundaries, no stopping for futility. Each z is taken as normal, which wants
    some 10 events and non-events per group at the first look.

    Examples
    --------
    >>> plan = sequential_plan(5)
    >>> plan.table["boundary"].round(3).tolist()
    [4.877, 3.357, 2.68, 2.29, 2.031]
    >>> round(plan.inflation, 3), round(plan.expected, 2)
    (1.025, 0.8)
    """
    import pandas as pd

    if plan is not None:
        level, power = _of_plan(plan, level)
    level = 0.95 if level is None else level
    check_level(level)
    check_power(power)
    if spending not in SPENDING:
        raise CxError(f"spending={spending!r}; allowed: {', '.join(map(repr, SPENDING))}")
    t = _information(looks)
    alpha = (1 - level) / (plan.tests if plan else 1)
    spent = SPENDING[spending](t, alpha)
    bounds = boundaries(spent, t)
    drift = drift_for(power, bounds, t)
    single_drift = drift_for(power, boundaries([alpha], [1.0]), [1.0])
    stopped = np.cumsum(np.sum(crossing(bounds, t, drift), axis=0))
    stopped_before = np.append(0.0, stopped[:-1])
    inflation = float((drift / single_drift) ** 2)
    expected = float((np.diff(t, prepend=0.0) * (1 - stopped_before)).sum())
    table = pd.DataFrame(
        {
            "look": np.arange(1, len(t) + 1),
            "information": t,
            "boundary": bounds,
            "p_nominal": _nominal(bounds),
            "spent": spent,
            "stopped": stopped,
        }
    )
    n = None
    if plan is not None:
        n = ceil(plan.n[0] * inflation), ceil(plan.n[1] * inflation)
        for name, size in zip(("n_first", "n_second"), n, strict=True):
            table[name] = np.ceil(t * size - 1e-9).astype(int)
    return SequentialPlan(table, spending, level, float(power), inflation, expected, alpha, plan, n)


def _nominal(bounds: Array) -> Array:
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(-bounds))


def _of_plan(plan: Plan, level: float | None) -> tuple[float, float]:
    if not isinstance(plan, Plan) or len(plan.n) != 2:
        raise CxError(f"plan={type(plan).__name__}; allowed: a sample_size of two groups")
    if level is not None and level != plan.level:
        raise CxError(f"level={level!r}, but the plan has {plan.level!r}; give one of them")
    return plan.level, plan.power if isnan(plan.target) else plan.target


def _information(looks: int | Sequence[float]) -> Array:
    allowed = f"1 to {MOST_LOOKS} looks, or shares that rise above 0 to 1, as in [0.25, 0.5, 1]"
    if isinstance(looks, (bool, str)):
        raise CxError(f"looks={looks!r}; allowed: {allowed}")
    if isinstance(looks, (int, np.integer)):
        if not 1 <= looks <= MOST_LOOKS:
            raise CxError(f"looks={looks!r}; allowed: {allowed}")
        return np.arange(1, looks + 1) / looks
    try:
        t = np.asarray(looks, float)
    except (TypeError, ValueError) as error:
        raise CxError(f"looks={looks!r}; allowed: {allowed}") from error
    shares = t.ndim == 1 and 1 <= len(t) <= MOST_LOOKS and np.isfinite(t).all()
    if not shares or t[0] <= 0 or not is_rising(t) or abs(t[-1] - 1) > 1e-12:
        raise CxError(f"looks={looks!r}; allowed: {allowed}")
    return t
