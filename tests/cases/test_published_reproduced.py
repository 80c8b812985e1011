from decimal import Decimal

import pytest

import cxstats as cx


@pytest.mark.parametrize(
    ("published", "reproduced", "agrees"),
    [
        (113, 112.5, True),
        (112, 112.5, False),
        (229.0, 228.947, True),
        ("45.60", 45.6, True),
        ("45.60", 45.61, False),
        (Decimal("33.3"), Decimal("33.3333"), True),
        ("−", "−", True),
        ("given", "lost", False),
        (5, float("nan"), False),
        (True, True, True),
        (True, 1, False),
    ],
)
def test_agreement_at_the_printed_precision(published, reproduced, agrees):
    assert cx.compare({"x": published}, [reproduced]).table["agrees"].tolist() == [agrees]


def test_require_names_what_fails():
    comparison = cx.compare({"nps": 68, "csat": 92}, [67, 92])
    with pytest.raises(cx.ReproductionError, match=r"not reproduced: nps: published 68, .* 67"):
        comparison.require()
    assert list(comparison.table.columns) == ["published", "reproduced", "agrees"]


def test_lengths_must_match():
    with pytest.raises(cx.ReproductionError, match="2 published values, but 1 reproduced"):
        cx.compare({"a": 1, "b": 2}, [1])
