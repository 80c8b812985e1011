"""A simulated clickstream of a shop with built-in incidents. Synthetic data with known truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.progress import long_work

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

# Event of each stage, share of the sessions in the stage before that reach it, mean seconds from
# one of its events to the next event.
STAGES = (
    ("home", 1.0, 40.0),
    ("product_view", 0.85, 60.0),
    ("add_to_cart", 0.40, 45.0),
    ("shipping_details", 0.75, 90.0),
    ("payment_details", 0.80, 120.0),
    ("purchase", 0.85, 30.0),
)
EVENTS = tuple(stage[0] for stage in STAGES)
PLATFORMS = {"desktop": 0.55, "mobile": 0.45}
VIEWS = 2.5  # mean products that are viewed in a session that views any
SECONDS_SIGMA = 0.8  # of the lognormal times
DAYS = 180
REGISTERED = 120  # days over which users appear, so that traffic grows


@dataclass(frozen=True, slots=True)
class Incident:
    """A span of days in which a stage is reached less often.

    Attributes
    ----------
    stage : str
        The event that is reached less often from the stage before it.
    first_day, end_day : int
        From the beginning of one day to the beginning of the other, counted from 0.
    platform : str or None
        For whom; None for all.
    rate : float
        Share that reaches it meanwhile.
    """

    stage: str
    first_day: int
    end_day: int
    platform: str | None
    rate: float


INCIDENTS = (
    Incident("payment_details", 75, 100, "mobile", 0.35),
    Incident("purchase", 140, 155, None, 0.40),
)


@long_work("simulate clickstream")
def simulate_clickstream(
    n_users: int = 600,
    seed: int = 1,
    *,
    sessions: tuple[int, int] = (3, 9),
    concentration: float | None = 10.0,
    incidents: Sequence[Incident] = INCIDENTS,
) -> pd.DataFrame:
    """Simulate the clicks of users of a shop, several sessions each. Synthetic data.

    A session passes the stages in order and ends where it does not reach the next. Of user u the
    chance to pass a step with population rate p is drawn from Beta(p c, (1 - p) c), one for each
    step, so that sessions of a user are alike (their intraclass correlation is 1 / (1 + c)) and the
    rates of all sessions are p exactly. In an incident the odds of each user change by the same
    factor; `rate` is the rate of a user at the mean.

    Parameters
    ----------
    n_users : int
    seed : int
        The same seed gives the same log.
    sessions : pair of int
        Fewest and most sessions of a user; each number between them is as frequent as any other.
    concentration : float or None
        c, above 0; None for users that do not differ.
    incidents : sequence of Incident
        What is built in; empty for a log without incidents.

    Returns
    -------
    pandas.DataFrame
        One row per event: ``user_id, session_id, event, timestamp, platform``. Users appear over
        the first 120 of 180 days. ``attrs["synthetic"]`` is True; ``attrs["population"]`` holds
        ``rates`` (of the sessions in the stage before, outside of incidents), ``seconds`` (mean
        time in a stage, of sessions that go on) and ``incidents``.

    Examples
    --------
    >>> clicks = simulate_clickstream(50, seed=1)
    >>> clicks.attrs["synthetic"], clicks["user_id"].nunique(), clicks["event"].nunique()
    (True, 50, 6)
    """
    import pandas as pd

    _check(n_users, seed, sessions, concentration, incidents)
    rng = np.random.default_rng(seed)
    n_sessions = rng.integers(sessions[0], sessions[1] + 1, n_users)
    user = np.repeat(np.arange(n_users), n_sessions)
    registered = rng.uniform(0, REGISTERED, n_users)
    start = registered[user] + rng.random(len(user)) * (DAYS - registered[user])
    order = np.lexsort((start, user))
    start = start[order]
    platform = rng.choice(len(PLATFORMS), n_users, p=list(PLATFORMS.values()))[user]
    reached = _reached(rng, user, start, platform, concentration, incidents)
    session, stage = _events(rng, reached)
    seconds = np.array([stage[2] for stage in STAGES])[stage]
    noise = rng.normal(-(SECONDS_SIGMA**2) / 2, SECONDS_SIGMA, len(stage))
    gaps = np.round(seconds * np.exp(noise) * 1e6).astype(np.int64)
    ends = np.cumsum(gaps)
    first = np.r_[True, session[1:] != session[:-1]]
    elapsed = ends - gaps - (ends - gaps)[first][session]
    times = np.round(start * 86_400e6).astype(np.int64)[session] + elapsed
    frame = pd.DataFrame(
        {
            "user_id": np.array([f"U{i:06d}" for i in range(n_users)], object)[user[session]],
            "session_id": np.array([f"S{i:08d}" for i in range(len(user))], object)[session],
            "event": np.array(EVENTS, object)[stage],
            "timestamp": np.datetime64("2024-01-01", "us") + times.astype("timedelta64[us]"),
            "platform": np.array(list(PLATFORMS), object)[platform[session]],
        }
    )
    views = [VIEWS if name == "product_view" else 1.0 for name in EVENTS]
    population = {
        "rates": {name: rate for name, rate, _ in STAGES[1:]},
        "seconds": {s[0]: s[2] * n for s, n in zip(STAGES[:-1], views[:-1], strict=True)},
        "incidents": [asdict(incident) for incident in incidents],
    }
    frame.attrs.update(synthetic=True, seed=seed, population=population)
    return frame


def _check(
    n_users: Any, seed: Any, sessions: Any, concentration: Any, incidents: Sequence[Incident]
) -> None:
    fewest, most = sessions if isinstance(sessions, tuple) and len(sessions) == 2 else (0, 0)
    numbers = {"n_users": (n_users, 1), "seed": (seed, 0), "sessions": (fewest, 1)}
    for name, (value, least) in numbers.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            shape = " (a pair of them)" if name == "sessions" else ""
            said = sessions if name == "sessions" else value
            raise CxError(f"{name}={said!r}; allowed: whole numbers from {least} upwards{shape}")
    if not isinstance(most, Integral) or most < fewest:
        raise CxError(f"sessions={sessions!r}; allowed: the fewest, then the most")
    if concentration is not None and not (
        isinstance(concentration, Real) and float(concentration) > 0
    ):
        raise CxError(f"concentration={concentration!r}; allowed: above 0, or None")
    for incident in incidents:
        if incident.stage not in EVENTS[1:]:
            allowed = ", ".join(map(repr, EVENTS[1:]))
            raise CxError(f"incident at stage {incident.stage!r}; allowed: {allowed}")
        if incident.platform not in (None, *PLATFORMS):
            allowed = ", ".join(map(repr, PLATFORMS))
            raise CxError(f"incident on {incident.platform!r}; allowed: {allowed}, None")
        if not 0 < incident.rate < 1:
            raise CxError(f"incident with rate {incident.rate!r}; allowed: above 0 to below 1")


def _reached(
    rng: np.random.Generator,
    user: NDArray[np.int64],
    start: NDArray[np.float64],
    platform: NDArray[np.int64],
    concentration: float | None,
    incidents: Sequence[Incident],
) -> NDArray[np.int64]:
    """Return the place of the last stage of each session (sessions,)."""
    reached = np.zeros(len(user), np.int64)
    going = np.ones(len(user), bool)
    for name, rate, _ in STAGES[1:]:
        chance = np.full(user.max() + 1, rate)
        if concentration is not None:
            chance = rng.beta(rate * concentration, (1 - rate) * concentration, len(chance))
        p = chance[user]
        for incident in incidents:
            if incident.stage == name:
                inside = (start >= incident.first_day) & (start < incident.end_day)
                if incident.platform is not None:
                    inside &= platform == list(PLATFORMS).index(incident.platform)
                odds = incident.rate / (1 - incident.rate) / (rate / (1 - rate))
                p = np.where(inside, p * odds / (1 - p + p * odds), p)
        going &= rng.random(len(user)) < p
        reached += going
    return reached


def _events(
    rng: np.random.Generator, reached: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return session and stage of every event, in order."""
    times = (np.arange(len(STAGES)) <= reached[:, None]).astype(np.int64)
    times[:, EVENTS.index("product_view")] *= rng.geometric(1 / VIEWS, len(reached))
    flat = times.ravel()
    session = np.repeat(np.repeat(np.arange(len(reached)), len(STAGES)), flat)
    stage = np.repeat(np.tile(np.arange(len(STAGES)), len(reached)), flat)
    return session, stage
