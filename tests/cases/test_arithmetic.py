from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxstats.cases.arithmetic import agrees, percent_change, printed_decimals, round_half_up
from cxstats.core.errors import CxError

# before, after, printed: the two printed tables, typed from the documents.
PRINTED = [
    ("380", "1250", "229"),
    ("32", "68", "113"),
    ("0.8", "0.21", "-74"),
    ("45", "89", "98"),
    ("82", "312", "280"),
    ("18", "47", "161"),
    ("9.2", "21.7", "136"),
    ("125", "68", "-45.6"),
    ("60", "80", "33.3"),
    ("70", "90", "28.6"),
]
amounts = st.decimals("0.01", "100000", places=2)


@pytest.mark.parametrize(("before", "after", "printed"), PRINTED)
def test_printed_changes_reproduce(before, after, printed):
    change = percent_change(Decimal(before), Decimal(after))
    assert agrees(Decimal(printed), change)
    step = Decimal(1).scaleb(-printed_decimals(Decimal(printed)))
    assert not agrees(Decimal(printed) + step, change)
    assert not agrees(Decimal(printed) - step, change)


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        ("112.5", 0, "113"),
        ("-112.5", 0, "-113"),
        ("113.5", 0, "114"),
        ("0.25", 1, "0.3"),
        ("2.675", 2, "2.68"),
        ("112.4999", 0, "112"),
    ],
)
def test_halves_round_away_from_zero(value, decimals, expected):
    assert round_half_up(Decimal(value), decimals) == Decimal(expected)


def test_half_up_is_not_what_python_does():
    assert round(112.5) == 112
    assert agrees(Decimal("113"), Decimal("112.5"))
    assert not agrees(Decimal("112"), Decimal("112.5"))


@given(amounts, amounts)
def test_change_equals_exact_fraction(before, after):
    exact = (Fraction(after) - Fraction(before)) / Fraction(before) * 100
    # 50 significant digits, so only the last of them can be off.
    assert abs(Fraction(percent_change(before, after)) - exact) <= abs(exact) / 10**49


@given(amounts, amounts, st.integers(1, 1000))
def test_change_does_not_depend_on_the_unit(before, after, factor):
    change = percent_change(before, after)
    assert round_half_up(percent_change(before * factor, after * factor), 30) == round_half_up(
        change, 30
    )


@given(amounts, amounts)
def test_change_there_and_back(before, after):
    there, back = percent_change(before, after), percent_change(after, before)
    product = (1 + Fraction(there) / 100) * (1 + Fraction(back) / 100)
    assert abs(product - 1) < Fraction(1, 10**40)


def test_zero_before_is_refused():
    with pytest.raises(CxError, match="value before is 0"):
        percent_change(Decimal(0), Decimal(5))
