"""Columns as numbers: what is none is refused by column, row, value and what is allowed."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import DataError
from cxstats.survey.answers import missing_codes, numbers

DAYS = pd.date_range("2024-01-01", periods=3)
NO_NUMBERS = {
    "date": (DAYS, "row 0, column 'a': '2024-01-01 00:00:00' is a date; allowed: numbers"),
    "zone": (DAYS.tz_localize("UTC"), r"row 0, column 'a': '2024-01-01 00:00:00\+00:00' is a date"),
    "first missing": (
        [pd.NaT, *DAYS[1:]],
        "row 1, column 'a': '2024-01-02 00:00:00' is a date; allowed: numbers",
    ),
    "all missing": ([pd.NaT] * 3, "column 'a' has the type datetime64.*; allowed: numbers"),
    "period": (pd.period_range("2024-01", periods=3), "row 0, column 'a': '.*' is a date"),
    "time passed": (DAYS - DAYS[0], "row 0, column 'a': '0 days.*' is a time passed; allowed: num"),
    "complex": (np.array([1j, 2, 3]), "row 0, column 'a': '1j' is a complex number"),
    "objects": (list(DAYS.date), r"row 0, column 'a': datetime.date\(2024, 1, 1\) is not a number"),
    "categories": (pd.Categorical(DAYS), "row 0, column 'a': Timestamp.* is not a number"),
}


@pytest.mark.parametrize("case", NO_NUMBERS)
def test_what_is_no_number_is_refused(case):
    values, message = NO_NUMBERS[case]
    with pytest.raises(DataError, match=message):
        numbers(pd.DataFrame({"a": values}), "a")


def test_drivers_refuse_a_date():
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(generator.normal(size=(30, 2)), columns=["y", "x"])
    frame["day"] = pd.date_range("2024-01-01", periods=30)
    with pytest.raises(DataError, match="row 0, column 'day': '2024-01-01 00:00:00' is a date"):
        cx.drivers(frame, "y", ["x", "day"])


def test_numbers_of_every_kind_are_read():
    frame = pd.DataFrame({"a": pd.array([1, None, 3], "Int64"), "b": pd.Categorical([1, 2, 3])})
    np.testing.assert_array_equal(numbers(frame, "a"), [1, np.nan, 3])
    np.testing.assert_array_equal(numbers(frame, "b"), [1, 2, 3])


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([1, 2, 7, -99, -99], {-99: 2}),
        ([1, 5, 99, 98, np.nan], {98: 1, 99: 1}),
        ([0, 1, 1, -9], {-9: 1}),
        ([1, 7, -99, 999], {-99: 1, 999: 1}),
        ([18, 42, 95, 99], {}),  # years
        ([0, 10, 7, 8, 9], {}),  # a scale with 9 on it
        ([0, 50, 100, 99], {}),
        ([1, 2, 3, 250], {}),  # far out, but no code
        ([4, 4, -99], {}),  # nothing to be far from
        ([1, 7, 9], {}),
        ([1, 2, 7], {}),  # of seven points
        ([np.nan, np.nan], {}),
    ],
)
def test_values_that_look_like_missing_codes(values, codes):
    assert missing_codes(np.array(values, float)) == codes
