"""Plans of tasks: critical path, slack, what parallel work saves, and how sure the end is.

References
----------
Kelley & Walker (1959). Critical-path planning and scheduling. Proceedings of the Eastern Joint
Computer Conference 16, 160-173. Malcolm, Roseboom, Clark & Fazar (1959). Application of a technique
for research and development program evaluation. Operations Research 7, 646-669: PERT.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.messages import excerpt, listing, meant, no_column
from cxstats.core.moments import check_resamples
from cxstats.core.result import Chart, Result
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level
from cxstats.stats.stated_amounts import StatedAmount, check_distribution, stated_amount

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TINY = 1e-9  # relative to the end: slack below it is rounding
MOST_TASKS = 2_000


@dataclass(frozen=True, slots=True)
class Task:
    """A task: how long it takes, and which tasks have to be done before it begins."""

    name: str
    duration: StatedAmount
    after: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class CriticalPath(Result):
    """When each task can begin and end, and which ones the end depends on.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per task, in an order in which they can be done: ``task, duration`` (its mean),
        ``start, finish`` (the earliest), ``latest_start, latest_finish, slack, is_critical``; with
        uncertain durations ``probability``, that the task is critical.
    end : pandas.DataFrame
        ``quantity, estimate, ci_low, ci_high``: the end of the plan, of all tasks one after the
        other, and the time that parallel work saves. With uncertain durations the estimate is the
        mean and the limits hold `level` of the draws; without, they are NaN.
    tasks : tuple of Task
    draws : array (n_draws,) or None
        Ends of the simulated plans.
    distribution, level, n_draws, seed
        As passed.
    notes : tuple of Text
    """

    table: pd.DataFrame
    end: pd.DataFrame
    tasks: tuple[Task, ...]
    draws: Array | None
    distribution: str
    level: float
    n_draws: int
    seed: int
    notes: tuple[Text, ...]

    codes: ClassVar = {"quantity": "plan.quantity.{}"}
    kinds: ClassVar = ("slack",)
    reference: ClassVar = (
        "Kelley & Walker (1959). Critical-path planning and scheduling. Proceedings of the Eastern "
        "Joint Computer Conference 16, 160-173. Malcolm, Roseboom, Clark & Fazar (1959). "
        "Application of a technique for research and development program evaluation. Operations "
        "Research 7, 646-669."
    )

    @property
    def critical_tasks(self) -> list[str]:
        """Tasks without slack, in order."""
        names: list[str] = self.table.loc[self.table["is_critical"], "task"].tolist()
        return names

    def chance(self, deadline: float) -> float:
        """Return the share of the simulated plans that end by a deadline.

        Raises
        ------
        CxError
            If no duration is uncertain.
        """
        if self.draws is None:
            raise CxError(
                "every duration is certain; allowed: durations as (low, most likely, high)"
            )
        return float((self.draws <= deadline).mean())

    def parallel(self, first: str, second: str) -> CriticalPath:
        """Return the plan in which `second` no longer waits for `first`.

        What `first` itself waits for, `second` waits for in its place. With the same seed both
        plans have the same draws of each task, so that ``draws`` can be subtracted.

        Raises
        ------
        CxError
            If there are no such tasks, or `second` does not wait for `first`.
        """
        by_name = {task.name: task for task in self.tasks}
        for name in (first, second):
            if name not in by_name:
                raise CxError(f"no task {name!r}{meant(name, by_name)}; tasks: {listing(by_name)}")
        if first not in by_name[second].after:
            raise CxError(
                f"{second!r} does not wait for {first!r}; it waits for: "
                f"{listing(by_name[second].after) or 'nothing'}"
            )
        after = [name for name in by_name[second].after if name != first]
        after += [name for name in by_name[first].after if name not in after]
        tasks = [
            replace(task, after=tuple(after)) if task.name == second else task
            for task in self.tasks
        ]
        return _solve(tasks, self.distribution, self.level, self.n_draws, self.seed)

    def findings(self, lang: str) -> list[str]:
        """Return the end, the critical path, and what parallel work saves."""
        rows = self.end.set_index("quantity")
        path = " → ".join(self.critical_tasks)
        lines = [
            label("plan.head", lang, n=len(self.table), value=self._amount(rows.loc["end"])),
            label("plan.path", lang, path=path),
            label("plan.saved", lang, value=self._amount(rows.loc["saved"]),
                  total=self._amount(rows.loc["sequential"])),
        ]  # fmt: skip
        if self.draws is not None:
            often = self.table.sort_values("probability", ascending=False, kind="stable").iloc[:5]
            tasks = [
                f"{task} {format_percent(100 * p, 0, lang)}"
                for task, p in zip(often["task"], often["probability"], strict=True)
            ]
            lines.append(label("plan.critical", lang, tasks=listed(tasks).get(lang)))
        return lines

    def _amount(self, row: Any) -> str:
        value = format_number(row["estimate"], 1)
        if np.isnan(row["ci_low"]):
            return value
        return f"{value} {interval_text(row['ci_low'], row['ci_high'], 1)}"

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return each task over time, with its slack."""
        probability = self.table.get("probability", self.table["is_critical"].astype(float))
        return Chart(
            "plan_bars",
            (self.table["task"], self.table["start"], self.table["finish"], self.table["slack"]),
            {
                "critical": probability.tolist(),
                "simulated": self.draws is not None,
                "title": self.findings(lang)[0],
                "source": label("plan.source", lang, n=len(self.table)),
            },
        )


def critical_path(
    tasks: Any,
    *,
    distribution: str = "pert",
    level: float = 0.9,
    n_draws: int = 10_000,
    seed: int = 1,
) -> CriticalPath:
    """Compute when the tasks of a plan can begin and end, and which ones decide its end.

    Forward, ``start = max finish of the tasks before``, ``finish = start + duration``; backward,
    ``latest finish = min latest start of the tasks after``; ``slack = latest start - start``, which
    is 0 on the critical path. With uncertain durations the plan is computed for their means, and
    for each of `n_draws` draws of all durations.

    Parameters
    ----------
    tasks : mapping, or table
        ``{"name": duration}`` or ``{"name": (duration, ["task before", ...])}``, a duration being a
        number or (low, most likely, high). A table has columns ``task``, ``duration`` (or ``low,
        mode, high``) and ``after``, with names separated by ";" or a list in each cell.
    distribution : {"pert", "triangular"}
        Of an uncertain duration between its low and its high.
    level : float
        Share of the draws between the limits.
    n_draws, seed : int
        Of the simulation.

    Returns
    -------
    CriticalPath

    Raises
    ------
    CxError, DataError
        Naming the task: a duration that is no number from 0, a task before it that is not in the
        plan, tasks that wait for each other in a circle (all of them).

    Notes
    -----
    Durations are drawn independently; where one cause makes several tasks late, the end is less
    sure than it says. The plan of the means ends too early: a task that waits for several waits
    for the slowest of them. People are not counted: tasks in parallel need as many hands.

    References
    ----------
    Malcolm, Roseboom, Clark & Fazar (1959). Application of a technique for research and development
    program evaluation. Operations Research 7, 646-669.

    Examples
    --------
    >>> plan = critical_path({"apply": 1, "check": (3, ["apply"]), "score": (2, ["apply"]),
    ...                       "decide": (1, ["check", "score"])})
    >>> plan.critical_tasks, plan.end["estimate"].tolist()
    (['apply', 'check', 'decide'], [5.0, 7.0, 2.0])
    """
    check_distribution(distribution)
    check_level(level)
    check_resamples(n_draws, seed)
    return _solve(_read(tasks), distribution, level, n_draws, seed)


def _read(tasks: Any) -> list[Task]:
    if isinstance(tasks, Mapping):
        rows = [(name, *_parts(value)) for name, value in tasks.items()]
    else:
        rows = list(_rows(as_pandas(tasks)))
    if not rows:
        raise DataError("a plan without tasks; allowed: at least one")
    if len(rows) > MOST_TASKS:
        raise DataError(f"{len(rows):,} tasks; allowed: up to {MOST_TASKS:,}")
    plan = []
    for name, duration, after in rows:
        if not isinstance(name, str) or not name.strip():
            raise DataError(f"task {excerpt(name)}; allowed: a name")
        plan.append(Task(name, stated_amount(f"duration of {name!r}", duration, 0.0), tuple(after)))
    names = [task.name for task in plan]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"task {twice!r} stands twice in the plan; allowed: once")
    for task in plan:
        for before in task.after:
            if before not in names:
                raise DataError(
                    f"task {task.name!r} waits for {excerpt(before)}, which is no task of the plan"
                    f"{meant(before, names)}"
                )
    return plan


def _parts(value: Any) -> tuple[Any, list[str]]:
    """Return duration and predecessors of a value of a mapping."""
    if isinstance(value, (tuple, list)) and len(value) == 2:
        duration, after = value
        if isinstance(after, str):
            return duration, [after]
        if not isinstance(after, Iterable):
            raise DataError(f"tasks before: {excerpt(after)}; allowed: a list of names")
        return duration, list(dict.fromkeys(after))
    return value, []


def _rows(frame: pd.DataFrame) -> Iterable[tuple[Any, Any, list[str]]]:
    import pandas as pd

    ranged = "duration" not in frame.columns
    for name in ("task", *(("low", "mode", "high") if ranged else ("duration",))):
        if name not in frame.columns:
            more = ", with 'duration' or 'low', 'mode' and 'high'" if ranged else ""
            raise DataError(no_column(name, frame.columns) + more)
    for row in frame.to_dict("records"):
        duration = (row["low"], row["mode"], row["high"]) if ranged else row["duration"]
        after = row.get("after")
        if isinstance(after, str):
            after = [name.strip() for name in after.split(";") if name.strip()]
        elif not isinstance(after, (list, tuple, np.ndarray)):
            if after is not None and not pd.isna(after):
                raise DataError(
                    f"task {excerpt(row['task'])}, column 'after': {excerpt(after)}; allowed: "
                    "names separated by ';'"
                )
            after = []
        yield row["task"], duration, list(dict.fromkeys(after))


def _order(tasks: list[Task]) -> list[int]:
    """Return places of the tasks in an order in which they can be done.

    Raises
    ------
    DataError
        Naming the tasks that wait for each other.
    """
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(task.name for task in tasks)
    graph.add_edges_from((before, task.name) for task in tasks for before in task.after)
    place = {task.name: i for i, task in enumerate(tasks)}
    try:
        names = nx.lexicographical_topological_sort(graph, key=place.__getitem__)
        return [place[name] for name in names]
    except nx.NetworkXUnfeasible:
        circle = [edge[0] for edge in nx.find_cycle(graph)]
        raise DataError(
            f"tasks wait for each other in a circle: {' → '.join([*circle, circle[0]])}; allowed: "
            "none that waits for itself"
        ) from None


def _schedule(durations: Array, before: list[list[int]]) -> tuple[Array, Array, Array]:
    """Return earliest start, latest start (n, draws) and end (draws,); tasks are in order."""
    n, size = durations.shape
    start = np.zeros((n, size))
    for i, places in enumerate(before):
        if places:
            start[i] = (start[places] + durations[places]).max(axis=0)
    end = (start + durations).max(axis=0)
    latest_finish = np.tile(end, (n, 1))
    for i in range(n - 1, -1, -1):
        for j in before[i]:
            latest_finish[j] = np.minimum(latest_finish[j], latest_finish[i] - durations[i])
    return start, latest_finish - durations, end


def _solve(
    tasks: list[Task], distribution: str, level: float, n_draws: int, seed: int
) -> CriticalPath:
    import pandas as pd

    order = _order(tasks)
    place = {tasks[i].name: k for k, i in enumerate(order)}
    before = [[place[name] for name in tasks[i].after] for i in order]
    means = np.array([[tasks[i].duration.mean(distribution)] for i in order])
    start, latest, end = _schedule(means, before)
    slack = np.where(latest - start > TINY * max(end[0], 1), latest - start, 0.0)
    columns = {
        "task": [tasks[i].name for i in order],
        "duration": means[:, 0],
        "start": start[:, 0],
        "finish": (start + means)[:, 0],
        "latest_start": (start + slack)[:, 0],
        "latest_finish": (start + slack + means)[:, 0],
        "slack": slack[:, 0],
        "is_critical": slack[:, 0] == 0,
    }
    draws, amounts = None, [(end[0],), (means.sum(),), (means.sum() - end[0],)]
    uncertain = any(task.duration.uncertain for task in tasks)
    if uncertain:
        rng = np.random.default_rng(seed)
        # By the order in which tasks were stated, so that a change of the plan keeps its draws.
        stated = np.array([task.duration.draw(rng, n_draws, distribution) for task in tasks])
        durations = stated[order]
        start, latest, draws = _schedule(durations, before)
        columns["probability"] = (latest - start <= TINY * np.maximum(draws, 1)).mean(axis=1)
        total = durations.sum(axis=0)
        amounts = [(x.mean(), *percentile_limits(x, level)) for x in (draws, total, total - draws)]
    rows = [
        [name, *(*amount, np.nan, np.nan)[:3]]
        for name, amount in zip(("end", "sequential", "saved"), amounts, strict=True)
    ]
    late = draws is not None and draws.mean() > 1.02 * end[0]
    notes = [
        *note_if(uncertain, "plan.note.draws", n=format_number(n_draws), seed=seed),
        *note_if(late, "plan.note.means", value=format_number(end[0], 1)),
        both("plan.note.hands"),
    ]
    names = ["quantity", "estimate", "ci_low", "ci_high"]
    return CriticalPath(
        pd.DataFrame(columns), pd.DataFrame(rows, columns=names), tuple(tasks), draws,
        distribution, level, n_draws, seed, tuple(notes),
    )  # fmt: skip
