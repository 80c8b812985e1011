"""A simulated loan process, before and after its redesign. Synthetic data with known truth.

The published case gives the mean time (5 days, then half a day), the automation rate (20 %, then
85 %) and the rate of manual intervention (40 %, then 10 %), and nothing else. Those six numbers
are the population means here; steps, times, loops and errors are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.language import check_lang
from cxstats.core.progress import long_work

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Name, department, mean minutes, and weights of: wait before it, manual work, error, intervention.
STEPS = (
    ("Submit application", "Branch", 15, 0.3, 0.9, 0.6, 0.5),
    ("Check documents", "Back office", 30, 1.2, 1.1, 1.6, 1.4),
    ("Request documents", "Branch", 10, 1.5, 0.9, 0.4, 0.8),
    ("Check credit record", "Back office", 20, 0.8, 0.8, 0.5, 0.6),
    ("Assess risk", "Risk", 60, 2.0, 1.1, 1.3, 1.2),
    ("Refer to committee", "Risk", 90, 4.0, 1.1, 0.7, 1.6),
    ("Approve", "Management", 15, 1.8, 1.1, 0.5, 0.9),
    ("Sign contract", "Legal", 30, 1.0, 1.1, 0.8, 0.9),
    ("Pay out", "Finance", 10, 0.6, 0.9, 0.6, 0.5),
)
CHINESE = {
    "Submit application": "提交申请",
    "Check documents": "审核材料",
    "Request documents": "补充材料",
    "Check credit record": "查询征信",
    "Assess risk": "评估风险",
    "Refer to committee": "提交审贷会",
    "Approve": "审批",
    "Sign contract": "签订合同",
    "Pay out": "放款",
    "Branch": "网点",
    "Back office": "运营中心",
    "Risk": "风险管理部",
    "Management": "管理层",
    "Legal": "法务部",
    "Finance": "财务部",
}
CONTACTS = ("Submit application", "Request documents")
CHECK, REQUEST, COMMITTEE = 1, 2, 5
KINDS = {"personal": (0.60, 0.7), "car": (0.25, 1.2), "mortgage": (0.15, 0.28 / 0.15)}
DURATION_SIGMA, WAIT_SHAPE = 0.5, 1.2
DAY = 24.0


@dataclass(frozen=True, slots=True)
class Design:
    """Population values: hours, probabilities and rates."""

    lead: float
    automation: float
    manual: float
    error: float
    incomplete: float  # chance that documents are asked for (again)
    committee: float  # chance that a case goes to the committee
    speed: float  # durations are divided by it


BEFORE = Design(5 * DAY, 0.20, 0.40, 0.08, 0.35, 0.30, 1.0)
AFTER = Design(0.5 * DAY, 0.85, 0.10, 0.02, 0.10, 0.10, 3.0)


def _visits(design: Design) -> Array:
    """Return the expected visits of every step in a case."""
    visits = np.ones(len(STEPS))
    visits[REQUEST] = design.incomplete / (1 - design.incomplete)
    visits[CHECK] += visits[REQUEST]
    visits[COMMITTEE] = design.committee
    return visits


def _population(design: Design) -> dict[str, Array]:
    """Return per step: mean hours of work and of wait, chances of each flag."""
    visits = _visits(design)
    columns = np.array([step[2:] for step in STEPS], float).T
    hours = columns[0] / 60 / design.speed
    total = (visits * hours).sum()

    def scaled(weights: Array, rate: float) -> Array:
        chances = weights * (rate * visits.sum() / (visits * weights).sum())
        assert chances.max() <= 1
        return np.asarray(chances)

    return {
        "visits": visits,
        "handling": hours,
        "waiting": columns[1] * (design.lead - total) / (visits * columns[1]).sum(),
        "manual_work": scaled(columns[2], 1 - design.automation),
        "error": scaled(columns[3], design.error),
        "manual": scaled(columns[4], design.manual),
    }


def loan_truth(redesigned: bool = False) -> dict[str, float]:
    """Return the population values behind `simulate_loan_log`, computed from its design.

    Parameters
    ----------
    redesigned : bool
        After the redesign.

    Returns
    -------
    dict
        Means per case in hours (``lead_time, handling_time, waiting_time``), ``events`` per case,
        rates of events (``automation_rate, error_rate, manual_rate, error_or_manual_rate``), of
        cases (``first_contact_resolution, rework_rate``), ``throughput`` in cases per hour of
        staff, ``share:<kind>`` and ``work_share:<kind>`` of ticket types,
        ``waiting:<activity>`` (mean hours before it) and ``handling:<activity>``.

    Examples
    --------
    >>> truth = loan_truth()
    >>> [round(truth[name], 4) for name in ("lead_time", "automation_rate", "manual_rate")]
    [120.0, 0.2, 0.4]
    """
    design = AFTER if redesigned else BEFORE
    steps = _population(design)
    visits = steps["visits"]

    def rate(chances: Array) -> float:
        return float((visits * chances).sum() / visits.sum())

    handling = float((visits * steps["handling"]).sum())
    waiting = float((visits * steps["waiting"]).sum())
    either = steps["error"] + steps["manual"] - steps["error"] * steps["manual"]
    truth = {
        "lead_time": handling + waiting,
        "handling_time": handling,
        "waiting_time": waiting,
        "events": float(visits.sum()),
        "automation_rate": rate(1 - steps["manual_work"]),
        "error_rate": rate(steps["error"]),
        "manual_rate": rate(steps["manual"]),
        "error_or_manual_rate": rate(either),
        "first_contact_resolution": 1 - design.incomplete,
        "rework_rate": design.incomplete,
        "throughput": 1 / float((visits * steps["handling"] * steps["manual_work"]).sum()),
    }
    for kind, (share, factor) in KINDS.items():
        truth |= {f"share:{kind}": share, f"work_share:{kind}": share * factor}
    for i, step in enumerate(STEPS):
        for name in ("waiting", "handling"):
            truth[f"{name}:{step[0]}"] = float(steps[name][i])
    return truth


@long_work("simulate loan log")
def simulate_loan_log(
    n_cases: int, seed: int, redesigned: bool = False, lang: str = "en"
) -> pd.DataFrame:
    """Simulate an event log of loan applications. Synthetic data.

    An application is accepted at a uniform time of 90 days. Its documents are checked; with some
    chance they are incomplete, are asked for and checked again, as often as that happens
    (a geometric number of rounds); some cases go to a committee. Durations are lognormal (longer
    for mortgages), waits gamma, everything independent. Calendars and queues are left out.

    Parameters
    ----------
    n_cases : int
    seed : int
        The same seed gives the same log.
    redesigned : bool
        After the redesign; the chances and times are others, the steps the same.
    lang : {"en", "zh"}
        Language of the names of activities and departments; the numbers are the same.

    Returns
    -------
    pandas.DataFrame
        One row per event: ``case, activity, start, end, resource, department, automated, error,
        manual, kind, accepted``; automated work has the resource "System".
        ``attrs["synthetic"]`` is True, ``attrs["population"]`` what `loan_truth` returns,
        its activities by their English names.

    Examples
    --------
    >>> log = simulate_loan_log(100, seed=1)
    >>> log.attrs["synthetic"], log["case"].nunique(), log["department"].nunique()
    (True, 100, 6)
    """
    import pandas as pd

    for name, value, least in (("n_cases", n_cases, 1), ("seed", seed, 0)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise CxError(f"{name}={value!r}; allowed: whole numbers from {least} upwards")
    chinese = check_lang(lang) == "zh"
    design = AFTER if redesigned else BEFORE
    rng, steps = np.random.default_rng(seed), _population(design)
    case, step = _paths(n_cases, design, rng)
    size = len(case)
    kind = rng.choice(len(KINDS), n_cases, p=[share for share, _ in KINDS.values()])
    factor = np.array([factor for _, factor in KINDS.values()])[kind][case]
    noise = rng.normal(-(DURATION_SIGMA**2) / 2, DURATION_SIGMA, size)
    worked = steps["handling"][step] * factor * np.exp(noise)
    waited = steps["waiting"][step] * rng.gamma(WAIT_SHAPE, 1 / WAIT_SHAPE, size)
    accepted = np.sort(rng.uniform(0, 90 * DAY, n_cases))
    # Whole microseconds, added up exactly, so that an end never passes the next start.
    wait, work = (np.round(hours * 3.6e9).astype(np.int64) for hours in (waited, worked))
    ended = np.cumsum(wait + work)
    first = np.r_[True, case[1:] != case[:-1]]
    before = (ended - wait - work)[first][case]
    opened = np.round(accepted * 3.6e9).astype(np.int64)[case]
    end = opened + ended - before
    automated = rng.random(size) >= steps["manual_work"][step]
    names, departments = (np.array([step[i] for step in STEPS], object) for i in (0, 1))
    if chinese:
        names, departments = (
            np.array([CHINESE[name] for name in each], object) for each in (names, departments)
        )
    staff = pd.Series(departments[step] + " " + (rng.integers(1, 6, size)).astype(str))
    origin = np.datetime64("2024-01-01", "us")
    frame = pd.DataFrame(
        {
            "case": [f"L{number:07d}" for number in range(1, n_cases + 1)],
            "kind": np.array(list(KINDS), object)[kind],
        }
    ).iloc[case].reset_index(drop=True)  # fmt: skip
    frame = frame.assign(
        activity=names[step],
        start=origin + (end - work).astype("timedelta64[us]"),
        end=origin + end.astype("timedelta64[us]"),
        resource=staff.where(~automated, "System"),
        department=departments[step],
        automated=automated,
        error=rng.random(size) < steps["error"][step],
        manual=rng.random(size) < steps["manual"][step],
        accepted=origin + opened.astype("timedelta64[us]"),
    )
    frame.attrs.update(synthetic=True, population=loan_truth(redesigned))
    return frame


def _paths(
    n_cases: int, design: Design, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return case and step of every event, by case and in order."""
    rounds = rng.geometric(1 - design.incomplete, n_cases) - 1
    committee = rng.random(n_cases) < design.committee
    times = np.ones((n_cases, len(STEPS)), np.int64)
    times[:, COMMITTEE] = committee
    # The loop stands as 2 k events behind the first check: request, check, request, check ...
    times[:, REQUEST] = 2 * rounds
    flat = times.ravel()
    case = np.repeat(np.repeat(np.arange(n_cases), len(STEPS)), flat)
    step = np.repeat(np.tile(np.arange(len(STEPS)), n_cases), flat)
    starts = np.repeat(np.cumsum(flat) - flat, flat)
    again = (step == REQUEST) & ((np.arange(len(step)) - starts) % 2 == 1)
    step[again] = CHECK
    return case, step
