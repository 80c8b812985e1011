"""Earned growth: by hand, identities, bounds, engines, coverage, bad input."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from tests.customers.test_transactions import ENGINES
from tests.gallery.customers_value import YEARS, origins, two_years

OLD, NEW = ("2023-01-01", "2023-12-31"), ("2024-01-01", "2024-12-31")
ROWS = [
    # Customers of 2023: a and b stay (b sends goods back), c is lost.
    ("a", "2023-02-01", 100.0, "shop"), ("a", "2024-02-01", 130.0, "shop"),
    ("b", "2023-03-01", 60.0, "shop"), ("b", "2023-04-01", -10.0, "shop"),
    ("b", "2024-03-01", -5.0, "shop"),
    ("c", "2023-12-31", 50.0, "shop"),
    # New in 2024: d by referral, e by search, f unknown; g bought in 2022 and returns.
    ("d", "2024-01-01", 40.0, "referral"), ("d", "2024-09-01", 10.0, "search"),
    ("e", "2024-05-01", 30.0, "search"), ("f", "2024-06-01", 15.0, None),
    ("g", "2022-06-01", 70.0, "shop"), ("g", "2024-12-31", 25.0, "search"),
    # Refunds alone of purchases from before; and after both periods.
    ("h", "2024-07-01", -8.0, "shop"), ("a", "2025-01-01", 999.0, "shop"),
]  # fmt: skip
FRAME = pd.DataFrame(ROWS, columns=["customer", "time", "amount", "channel"])


def checked(frame=FRAME):
    return cx.transactions(frame, channel="channel" if "channel" in frame else None)


def by_measure(result):
    return result.table.set_index("measure")


def test_by_hand():
    result = cx.earned_growth(checked(), OLD, NEW, origin="channel", n_resamples=100)
    table = by_measure(result)
    base = 100 + 60 - 10 + 50
    assert table.loc["retention", "estimate"] == pytest.approx((130 - 5) / base)
    ends = table.loc["earned_new", ["lowest", "highest"]].tolist()
    assert ends == pytest.approx([50 / base, 65 / base])
    ends = table.loc["earned_growth", ["lowest", "highest"]].tolist()
    assert ends == pytest.approx([(125 + 50) / base - 1, (125 + 65) / base - 1])
    assert table.loc["bought_new", ["lowest", "highest"]].tolist() == pytest.approx(
        [30 / base, 45 / base]
    )
    assert table.loc["returned", "estimate"] == pytest.approx(25 / base)
    growth = (125 + 50 + 30 + 15 + 25) / base - 1
    assert table.loc["growth", "estimate"] == pytest.approx(growth)
    assert np.isnan(table.loc["earned_growth", "estimate"])
    assert (result.n, result.n_before, result.n_lost) == (7, 3, 2)
    sources = result.sources.set_index("source")
    assert sources["n"].to_dict() == {
        "retained": 1, "earned": 1, "bought": 1, "unknown": 1, "returned": 1
    }  # fmt: skip
    assert sources.loc["retained", ["before", "after"]].tolist() == [200, 125]
    notes = " ".join(note.en for note in result.notes)
    for words in ("not known how 1 new customers came", "return (1) count", "refunds alone"):
        assert words in notes


def test_growth_is_the_sum_of_its_sources():
    result = cx.earned_growth(
        cx.transactions(two_years(), channel="channel"), *YEARS, origin="channel", n_resamples=50
    )
    share = by_measure(result)["estimate"]
    assert share["growth"] == pytest.approx(
        share["earned_growth"] + share["bought_new"] + share["returned"]
    )
    assert share["earned_growth"] == pytest.approx(share["retention"] + share["earned_new"] - 1)
    if np.isfinite(result.earned_share):
        assert result.earned_share == pytest.approx(share["earned_growth"] / share["growth"])


def test_a_mapping_is_as_good_as_the_channel():
    data = cx.transactions(two_years(), channel="channel")
    first = cx.earned_growth(data, *YEARS, origin="channel", n_resamples=50)
    for origin in (origins(), origins().to_dict()):
        again = cx.earned_growth(data, *YEARS, origin=origin, n_resamples=50)
        pd.testing.assert_frame_equal(again.table, first.table)
    other = cx.earned_growth(
        data, *YEARS, origin="channel", earned=["search", "fair"], n_resamples=50
    )
    swapped = by_measure(other)["estimate"]
    assert swapped["earned_new"] == pytest.approx(by_measure(first)["estimate"]["bought_new"])


@pytest.mark.parametrize("engine", list(ENGINES)[1:])
def test_engines_agree(engine):
    frame = FRAME.assign(time=pd.to_datetime(FRAME["time"]))
    first, second = (
        cx.earned_growth(
            cx.transactions(table, channel="channel"), OLD, NEW, origin="channel", n_resamples=60
        )
        for table in (frame, ENGINES[engine](frame))
    )
    pd.testing.assert_frame_equal(first.table, second.table, check_dtype=False, rtol=1e-12)
    pd.testing.assert_frame_equal(first.sources, second.sources, check_dtype=False)


def test_without_origins_there_are_bounds():
    result = cx.earned_growth(checked(), OLD, NEW, n_resamples=100)
    row = by_measure(result).loc["earned_growth"]
    assert row[["lowest", "highest"]].tolist() == pytest.approx([125 / 200 - 1, 220 / 200 - 1])
    assert row["ci_low"] <= row["lowest"]
    assert row["ci_high"] >= row["highest"]
    assert np.isnan(result.earned_share)


def test_first_purchases_of_one_moment_have_one_origin_or_none():
    rows = [("a", "2023-02-01", 100.0, "shop"), ("d", "2024-02-01", 10.0, "search"),
            ("d", "2024-02-01", 10.0, "referral"), ("e", "2024-02-01", 10.0, "search"),
            ("e", "2024-02-01", 10.0, "fair"), ("f", "2024-02-01", 10.0, "referral")]  # fmt: skip
    data = checked(pd.DataFrame(rows, columns=FRAME.columns))
    result = cx.earned_growth(data, OLD, NEW, origin="channel", n_resamples=20)
    assert result.sources.set_index("source")["after"].tolist() == [0, 10, 20, 20, 0]


def test_a_copy_of_all_customers_changes_no_estimate():
    twice = pd.concat([FRAME, FRAME.assign(customer=FRAME["customer"] + "2")])
    first, second = (
        cx.earned_growth(checked(frame), OLD, NEW, origin="channel", n_resamples=20)
        for frame in (FRAME, twice)
    )
    for name in ("lowest", "highest"):
        np.testing.assert_allclose(first.table[name], second.table[name])


def test_notes_of_periods():
    result = cx.earned_growth(checked(), OLD, ("2024-01-01", "2024-06-30"), n_resamples=20)
    assert any("365 and 182 days" in note.en for note in result.notes)
    assert not any("begin with the earlier period" in note.en for note in result.notes)
    late = checked(FRAME[FRAME["time"] >= "2023"])
    result = cx.earned_growth(late, OLD, NEW, n_resamples=20)
    assert any("begin with the earlier period" in note.en for note in result.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"before": "2023"}, "before='2023'; allowed: first and last day"),
        ({"before": ("2023-12-31", "2023-01-01")}, "before ends on 2023-01-01 and begins on"),
        ({"after": ("2024-01-01", "soon")}, "after='soon'; allowed: a date"),
        ({"after": ("2023-12-31", "2024-12-31")}, "after begins on 2023-12-31, before ends on"),
        ({"before": ("2020-01-01", "2020-12-31")}, "no transaction from 2020-01-01 to 2020-12-31"),
        ({"after": ("2026-01-01", "2026-12-31")}, "no transaction from 2026-01-01"),
        ({"origin": "product"}, "origin='product'; allowed: 'channel'"),
        ({"origin": 5}, "origin is a int; allowed: a mapping or Series"),
        ({"origin": {"z": "referral"}}, "origin has none of the 3 new customers, such as 'd'"),
        ({"origin": pd.Series(["x", "y"], ["d", "d"])}, "customer 'd' is there twice"),
        ({"earned": []}, r"earned=\[\]; allowed: words"),
        ({"earned": [""]}, r"earned=\[''\]"),
        ({"level": 2}, "level"),
        ({"n_resamples": 0}, "n_resamples is 0"),
        ({"transactions": FRAME}, "DataFrame instead of checked transactions"),
    ],
)
def test_bad_input(options, message):
    arguments = {"transactions": checked(), "before": OLD, "after": NEW, "n_resamples": 20}
    with pytest.raises(CxError, match=message):
        cx.earned_growth(**(arguments | options))


def test_a_word_that_nobody_came_by_is_noted():
    result = cx.earned_growth(checked(), OLD, NEW, origin={"d": "friend"}, n_resamples=20)
    assert by_measure(result).loc["earned_new", "lowest"] == 0
    assert any("none came by referral" in note.en for note in result.notes)


def test_no_revenue_before_is_no_base():
    free = FRAME.assign(amount=FRAME["amount"].where(FRAME["time"] >= "2024", 0.0))
    with pytest.raises(DataError, match="revenue from 2023-01-01 to 2023-12-31 is 0; allowed"):
        cx.earned_growth(checked(free), OLD, NEW, n_resamples=20)
