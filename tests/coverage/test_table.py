"""The dated table of coverage: every cell holds, or the result says that it does not."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import cxstats as cx
from tests.coverage import Interval
from tests.coverage.__main__ import ALLOWED, HEADS, OFTEN, PAGE, TABLE, measure, page
from tests.coverage.intervals import INTERVALS

ERRORS = 3  # Monte-Carlo errors by which a cell may be off

ROWS = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))


def number(row, name):
    return float(row[name])


def test_the_table_is_of_today_s_intervals():
    cells = {(row["interval"], int(row["n"])) for row in ROWS}
    assert cells == {(x.name, n) for x in INTERVALS for n in x.sizes}
    assert set(ROWS[0]) == set(HEADS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['interval']}, n = {row['n']}")
def test_a_cell_holds_or_the_result_says_so(row):
    if number(row, "refused") >= OFTEN or number(row, "said") >= OFTEN:
        return
    # More than it says is no fault of an interval, though a cost; the page has it in bold.
    assert number(row, "coverage") >= ALLOWED[0] - ERRORS * number(row, "error")


def test_the_page_is_that_of_the_table():
    assert PAGE.read_text(encoding="utf-8") == page(ROWS)


def test_measure_counts():
    def limits(rng, n):
        if n == 10:
            raise cx.DataError("too few")
        low = rng.uniform(-1, 1)
        return object(), low, low + 1

    interval = Interval("made up", limits, 0.0)
    row = measure(interval, 20, 400)
    assert number(row, "coverage") == pytest.approx(50, abs=8)
    assert number(row, "low") + number(row, "high") == pytest.approx(50, abs=8)
    assert np.isnan(number(measure(interval, 10, 5), "coverage"))
    assert measure(interval, 10, 5)["refused"] == "100"
