"""The measured journey, incidents on it, and its conformance to the designed path."""

import pandas as pd

import cxstats as cx
from tests.gallery import Case
from tests.journeys.logs import COLUMNS, simulated
from tests.journeys.test_conformance import PATH, visits
from tests.journeys.test_conformance import conform as conformance_of
from tests.journeys.test_measured import STAGES
from tests.journeys.test_measured import journey as journey_of
from tests.journeys.test_measured import visits as clicks_of

QUICK = {"n_permutations": 19}
EVENTS = ("home", "product_view", "add_to_cart", "shipping_details", "payment_details", "purchase")
LABELS = (*EVENTS, "desktop", "mobile", "platform", "all sessions", *STAGES, *PATH, "blog")
SHOP = {"optional": "product_view", "others": "ignore", "unfinished": True}


def _without_users():
    frame = clicks_of()
    frame["kind"] = frame["kind"].where(frame["visit"] != "c2")
    return journey_of(frame, by="kind", user=None, order="strict")


CASES = {
    "MeasuredJourney/shop": Case(lambda: simulated(60), labels=LABELS),
    "MeasuredJourney/faulty": Case(_without_users, labels=LABELS),
    "MeasuredJourney/one user": Case(
        lambda: journey_of(clicks_of().assign(who="A")), labels=LABELS
    ),
    "Incidents/shop": Case(lambda: simulated(800, seed=11).incidents(**QUICK), labels=LABELS),
    "Incidents/none": Case(
        lambda: simulated(60, incidents=()).incidents(every="3 days", **QUICK), labels=LABELS
    ),
    "Incidents/faulty": Case(
        lambda: simulated(800, seed=11, by=None).incidents(most=1, least=15, **QUICK),
        labels=LABELS,
    ),
    "Conformance/shop": Case(
        lambda: cx.conformance(cx.simulate_clickstream(60, 2), EVENTS[2:0:-1], **COLUMNS, **SHOP),
        labels=LABELS,
    ),
    "Conformance/faulty": Case(
        lambda: conformance_of(pd.concat([visits(), visits()]), user=None), labels=LABELS
    ),
}
