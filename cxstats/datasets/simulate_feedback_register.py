"""A simulated register of customer feedback, from coming in to closing. Synthetic, truth known."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.progress import long_work

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Items of a class: share of all, median hours until an item that comes by app is closed.
CLASSES = {
    "delivery": (0.30, 120.0),
    "billing": (0.25, 200.0),
    "app fault": (0.25, 320.0),
    "staff": (0.20, 80.0),
}
# Channel: share of all, factor of the times.
CHANNELS = {"app": (0.5, 1.0), "phone": (0.3, 0.6), "store": (0.2, 1.5)}
OWNERS = ("team A", "team B", "team C")
CUSTOMER_SIGMA, ITEM_SIGMA = 0.5, 0.9  # of the logarithm of times
ANSWERED_BY = 0.3  # median time to the answer, by that to closing
ANSWERED, ADOPTED, REOPENED = 0.98, 0.25, 0.08
OUTBREAK = ("app fault", 40, 43, 3.0)  # class, first week, week it ends before, factor
IMPROVEMENT = ("delivery", 30, 0.5)  # class, week, factor
KAPPA = 0.7
START = "2024-01-01"  # a Monday
HOURS = 168  # of a week


@long_work("simulate feedback register")
def simulate_feedback_register(
    n_weeks: int = 52,
    per_week: float = 40.0,
    seed: int = 1,
    *,
    n_customers: int = 1_200,
    outbreak: bool = True,
    improvement: bool = True,
) -> pd.DataFrame:
    """Simulate a register of customer feedback as it stands after some weeks. Synthetic data.

    Items come in as a Poisson process. The hours of an item until it is closed are
    ``exp(log m + u + e)``, m the median of its class and channel, u the customer's part (normal,
    standard deviation 0.5) and e the item's (0.9); an answer takes 0.3 times the hours until
    closing (2 % of the items are closed without one). What would happen after the last week has not
    happened yet: such items are open. Some customers write much more than others.

    Parameters
    ----------
    n_weeks : int
        From 2024-01-01 on.
    per_week : float
        Mean number of items.
    seed : int
        The same seed gives the same register.
    n_customers : int
    outbreak : bool
        Whether three times as many items of class "app fault" come in from week 40 to the end of
        week 42 (weeks are counted from 0).
    improvement : bool
        Whether only half as many items of class "delivery" come in from week 30 on.

    Returns
    -------
    pandas.DataFrame
        One row per item: ``id, date, channel, customer, text, class, owner, answered, closed,
        adopted, reopened, second_class``. The last is what a second rater says, who agrees with the
        first beyond chance with a kappa of 0.7. ``attrs["synthetic"]`` is True;
        ``attrs["population"]`` holds ``median_hours`` (by class and channel), ``sigma`` (of the
        logarithm of all times), ``adopted`` (share of closed items), ``reopened``, ``outbreak``,
        ``improvement``, ``kappa`` and ``until``, the end of the last week.

    Raises
    ------
    CxError
        If a number is out of range.

    Examples
    --------
    >>> register = simulate_feedback_register(8, seed=1)
    >>> register.attrs["synthetic"], register["closed"].isna().any().item()
    (True, True)
    """
    import pandas as pd

    _check(n_weeks, per_week, seed, n_customers)
    rng = np.random.default_rng(seed)
    week, of_class = _arrivals(rng, n_weeks, per_week, outbreak, improvement)
    n = len(week)
    start = week + rng.random(n)
    order = np.argsort(start)
    start, of_class = start[order], of_class[order]
    activity = rng.gamma(0.5, 1.0, n_customers)
    customer = rng.choice(n_customers, n, p=activity / activity.sum())
    channel = rng.choice(len(CHANNELS), n, p=[share for share, _ in CHANNELS.values()])
    medians = np.array([hours for _, hours in CLASSES.values()])[of_class]
    medians = medians * np.array([factor for _, factor in CHANNELS.values()])[channel]
    customer_effect = rng.normal(0, CUSTOMER_SIGMA, n_customers)[customer]
    hours = medians * np.exp(customer_effect + rng.normal(0, ITEM_SIGMA, n))
    arrival = start * HOURS
    closed = _times(arrival + hours, n_weeks)
    answered = _times(arrival + ANSWERED_BY * hours, n_weeks)
    answered[rng.random(n) >= ANSWERED] = np.datetime64("NaT")
    is_closed = ~np.isnat(closed)
    names = np.array(list(CLASSES), object)
    agrees = rng.random(n) < KAPPA
    chance = rng.permutation(of_class)  # the same marginal shares, so that kappa is KAPPA
    frame = pd.DataFrame(
        {
            "id": [f"F{i:05d}" for i in range(1, n + 1)],
            "date": _times(arrival, n_weeks),
            "channel": np.array(list(CHANNELS), object)[channel],
            "customer": [f"C{i:04d}" for i in customer],
            "text": [f"synthetic feedback about {names[i]}" for i in of_class],
            "class": names[of_class],
            "owner": np.array(OWNERS, object)[rng.integers(0, len(OWNERS), n)],
            "answered": answered,
            "closed": closed,
            "adopted": is_closed & (rng.random(n) < ADOPTED),
            "reopened": (is_closed & (rng.random(n) < REOPENED)).astype(int),
            "second_class": names[np.where(agrees, of_class, chance)],
        }
    )
    population = {
        "median_hours": {
            name: {way: hours * factor for way, (_, factor) in CHANNELS.items()}
            for name, (_, hours) in CLASSES.items()
        },
        "sigma": float(np.hypot(CUSTOMER_SIGMA, ITEM_SIGMA)),
        "adopted": ADOPTED,
        "reopened": REOPENED,
        "outbreak": OUTBREAK if outbreak else None,
        "improvement": IMPROVEMENT if improvement else None,
        "kappa": KAPPA,
        "until": str(np.datetime64(START) + np.timedelta64(7 * n_weeks, "D")),
    }
    frame.attrs.update(synthetic=True, seed=seed, population=population)
    return frame


def _check(n_weeks: Any, per_week: Any, seed: Any, n_customers: Any) -> None:
    least_of = {"n_weeks": (n_weeks, 1), "seed": (seed, 0), "n_customers": (n_customers, 1)}
    for name, (value, least) in least_of.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise CxError(f"{name}={value!r}; allowed: whole numbers from {least} upwards")
    if (
        isinstance(per_week, bool)
        or not isinstance(per_week, Real)
        or not 1 <= float(per_week) < 1e5
    ):
        raise CxError(f"per_week={per_week!r}; allowed: 1 to below 100,000")


def _arrivals(
    rng: np.random.Generator, n_weeks: int, per_week: float, outbreak: bool, improvement: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return week and class of every item, in order of class."""
    mean = np.outer(np.ones(n_weeks), [per_week * share for share, _ in CLASSES.values()])
    names = list(CLASSES)
    if outbreak:
        name, first, end, factor = OUTBREAK
        mean[first:end, names.index(name)] *= factor
    if improvement:
        name, first, factor = IMPROVEMENT
        mean[first:, names.index(name)] *= factor
    counts = rng.poisson(mean)
    week, of_class = (
        np.repeat(places.ravel(), counts.ravel()) for places in np.indices(counts.shape)
    )
    return week, of_class


def _times(hours: Array, n_weeks: int) -> NDArray[np.datetime64]:
    """Return times to the second; none for what lies after the last week."""
    seconds = np.floor(hours * 3600).astype(np.int64)
    times = np.datetime64(START, "us") + seconds.astype("timedelta64[s]").astype("timedelta64[us]")
    return np.where(hours < n_weeks * HOURS, times, np.datetime64("NaT"))
