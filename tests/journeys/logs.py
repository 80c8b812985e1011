"""Logs of clicks that several tests use."""

import dataclasses

import numpy as np

import cxstats as cx

SHOP = {
    "view": ["product_view"],
    "cart": ["add_to_cart", "cart"],
    "shipping": "shipping_details",
    "payment": "payment_details",
    "purchase": "purchase",
}
COLUMNS = {"user": "user_id", "session": "session_id", "time": "timestamp", "event": "event"}


def shop(**options):
    """Return the journey of the clickstream that retentioneering ships."""
    return cx.measured_journey(cx.load_clickstream(), SHOP, **COLUMNS, **options)


def simulated(n_users=600, seed=1, by="platform", **options):
    """Return the journey of a simulated clickstream."""
    clicks = cx.simulate_clickstream(n_users, seed, **options)
    return cx.measured_journey(clicks, list(dict.fromkeys(clicks.event)), **COLUMNS, by=by)


def with_dates_of_others(journey, rng):
    """Return a journey in which users with as many sessions have exchanged the dates of these.

    Nothing depends on time then, and what a user does in his sessions stays together.
    """
    table = journey.sessions.table
    user = table["user"].to_numpy()
    n = np.bincount(user)
    other = np.empty(len(n), int)
    for size in np.unique(n):
        members = np.flatnonzero(n == size)
        other[members] = rng.permutation(members)
    by_user = np.argsort(user, kind="stable")  # sessions of a user in the order of their dates
    first = np.r_[0, np.cumsum(n)[:-1]]
    place = np.empty(len(user), int)
    place[by_user] = np.arange(len(user)) - np.repeat(first, n)
    start = table["start"].to_numpy()[by_user[first[other[user]] + place]]
    return with_starts(journey, start)


def with_starts(journey, start):
    """Return a journey whose sessions began at other times."""
    order = np.argsort(start, kind="stable")
    sessions = journey.sessions
    table = sessions.table.assign(start=start).iloc[order].reset_index(drop=True)
    arrays = {
        name: getattr(sessions, name)[order] for name in ("first", "last", "seconds", "final")
    }
    return dataclasses.replace(
        journey, sessions=dataclasses.replace(sessions, table=table, **arrays)
    )
