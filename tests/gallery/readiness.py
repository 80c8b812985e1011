"""What a file allows."""

import cxstats as cx
from tests.app.test_readiness import orders, survey
from tests.gallery import Case

CASES = {
    "Readiness/survey": Case(lambda: cx.ready(*survey())),
    "Readiness/orders, drafted": Case(lambda: cx.ready(orders())),
}
