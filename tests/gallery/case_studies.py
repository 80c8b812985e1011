"""The audit of published figures, and published values beside reproduced ones."""

import tempfile
from functools import cache
from pathlib import Path

import cxstats as cx
from cxstats.cases.claims import NO_DATA, Claims, Estimate, read_claims
from cxstats.cases.facts import COLUMNS
from tests.gallery import Case

ROW = {
    "id": "X1",
    "quantity_en": "complaints",
    "kind": "before_after",
    "unit": "count",
    "before": "40",
    "after": "30",
    "printed_change": "-25",
    "printed_change_unit": "%",
    "better": "down",
}


@cache
def _audit(*changes):
    rows = [{**ROW, "id": f"X{i}", **dict(change)} for i, change in enumerate(changes, 1)]
    lines = [",".join(COLUMNS), *(",".join(row.get(c, "") for c in COLUMNS) for row in rows)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "facts.csv")
        file.write_text("\n".join(lines), encoding="utf-8")
        return cx.audit(file)


WRONG = (("printed_change", "-30"),)
BASE_OF_ZERO = (("before", "0"), ("unit", "%"), ("printed_change", "75"))
LOST = (("kind", "lost"), ("before", ""), ("after", ""), ("printed_change", ""))
EFFECT = (("kind", "reported_effect"), ("before", ""), ("after", ""), ("qualifier", "~"))


def _claims_of_missing_data():
    unsure = Estimate(0.69, -0.2, 0.99, 7)
    return Claims(read_claims(), (NO_DATA, *[unsure] * (len(read_claims()) - 1)), 0.9)


CASES = {
    "Audit/case studies": Case(cx.audit),
    "Audit/one figure": Case(lambda: _audit(()), labels=("complaints",)),
    "Audit/faulty": Case(lambda: _audit(WRONG, BASE_OF_ZERO, LOST, EFFECT), labels=("complaints",)),
    "Claims/sources": Case(cx.claims),
    "Claims/faulty": Case(_claims_of_missing_data),
    "Claims/nothing": Case(lambda: Claims(read_claims()[:2], (NO_DATA, NO_DATA), 0.95)),
    "Comparison/agrees": Case(lambda: cx.compare({"NPS": 113, "CSAT": "45.60"}, [112.5, 45.6])),
    "Comparison/faulty": Case(
        lambda: cx.compare({"NPS": 68, "CSAT": "45.60", "CES": "−"}, [67, float("nan"), "−"])
    ),
}
