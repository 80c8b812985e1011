"""Texts that say a time, in the order that a reader puts them in."""

import itertools

import pytest

import cxstats as cx
from cxstats.core.order_of_waves import in_order, order_of_texts, same_time

# Each list is in order, as a person reads it.
IN_ORDER = """
    JAN, feb, March, Sept
    Sept. 2024, Oct. 2024, Jan 2025
    Nov-24, Dec-24, Jan-25
    Nov'24, Dec'24, Jan'25
    Nov 24, Dec 24, Jan 25
    09/2024, 10/2024, 01/2025
    2024/9, 2024/10, 2025/1
    202409, 202410, 202501
    九月, 十月, 十一月, 十二月
    9月, 10月, 11月
    ２０２４年９月, 2024年10月, 二〇二五年一月
    24年11月, 24年12月, 25年1月
    2024Q3, 2024-Q4, Q1 2025
    Q3'24, Q4'24, 1Q25
    FY24 Q3, FY24 Q4, FY25 Q1
    3rd quarter 2024, 4th quarter 2024, 1st quarter 2025
    2024年第三季度, 2024年四季度, 2025年第1季度
    2023年下半年, 2024年上半年, 2024年下半年
    2H23, 1H24, 2H24
    2024-W48, 2024-W52, 2025-W01
    Week 9 2024, Week 10 2024, wk 1 2025
    2024年第9周, 2024年第10周
    第九周, 第十周, 第十一周
    w9, w10, w11
    周一, 周二, 周三, 周四, 周五
    星期六, 星期日
    Tues, weds, Thursday
    13/12/2024, 01/01/2025, 05/01/2025
    12/13/2024, 01/05/2025, 02/01/2025
    24.12.2024, 01.02.2025
    24/11/01, 24/12/01, 25/01/01
    30 Dec 2024, 5 Jan 2025, 1 Feb 2025
    2024年9月1日, 2024年10月1日
    2024-09-01 08:00, 2024-09-01 17:00, 2024-09-02 08:00
    5 Jan, 12 Jan, 3 Feb
    1月5日, 1月12日, 2月1日
    Wave 2, Wave 9, Wave 10
    第2波, 第3波, 第十波, 第十一波
    Wave One, Wave Two, Wave Ten
    First wave, Second wave, Third wave
    Phase I, Phase II, Phase IV, Phase IX
    Phase A, Phase B, Phase C
    Day -7, Day 0, Day 7
    T-1, T0, T1
    Wave 1 2024, Wave 2 2024, Wave 1 2025
    2022/23, 2023/24, 2024/25
    Baseline, Wave 1, Wave 2, Wave 10
    Baseline, Midline, Endline
    before launch, after launch
    pre-test, post-test
    上线前, 上线后
    改进前, 改进中, 改进后
    前, 中, 后
    18-24, 25-34, 100-110
""".strip().splitlines()
UNCLEAR = """
    launch, growth, rest
    Spring, Winter, Summer
    Jan, Fevr
    Q1 2024, Jan 2025
    Q1, Q2 2024
    3 days ago, 2 days ago
    3天前, 2天前
    2 weeks before, 1 week before
    before, pre, after
    before A, after B
    pilot, Wave 1, Wave 2
    Wave 1 of 9, Wave 2 of 8
    Jan (n = 5), Feb (n = 4)
    13th month, Jan
""".strip().splitlines()
TWO_ORDERS = """
    03/04/2024, 04/03/2024, 05/05/2024
    01/02/03, 02/01/04, 03/03/02
    Nov, Dec, Jan
    Fri, Sat, Sun, Mon
    Q4, Q1
    W51, W52, W1
    30 Dec, 5 Jan
    Nov 12, Feb 13, Jan 30
    Nov, November
    Oct 2024, 2024-10
""".strip().splitlines()


def texts(line):
    return line.strip().split(", ")


@pytest.mark.parametrize("line", IN_ORDER)
def test_texts_are_in_the_order_of_time(line):
    expected = texts(line)
    for shuffled in itertools.islice(itertools.permutations(expected), 6):
        order = order_of_texts(shuffled)
        assert sorted(shuffled, key=dict(zip(shuffled, order.places, strict=True)).get) == expected
        assert in_order(shuffled) == expected


@pytest.mark.parametrize("line", UNCLEAR)
def test_what_has_no_clear_order_is_not_given_one(line):
    assert order_of_texts(texts(line)) is None
    assert in_order(texts(line)) == sorted(texts(line))  # a table can have that of the alphabet


@pytest.mark.parametrize("line", TWO_ORDERS)
def test_two_orders_are_not_chosen_from(line):
    with pytest.raises(cx.CxError, match=r"order differs|order is not clear|are the same time"):
        order_of_texts(texts(line))


@pytest.mark.parametrize(
    ("line", "unit", "distances"),
    [
        ("Oct 2024, Nov 2024, Feb 2025", "month", [1, 3]),
        ("Q3 2024, Q1 2025, Q2 2025", "quarter", [2, 1]),
        ("2023H2, 2024H1, 2025H1", "half", [1, 2]),
        ("2020-W52, 2020-W53, 2021-W01", "week", [1, 1]),  # 2020 had 53 weeks
        ("2024-W52, 2025-W01, 2025-W03", "week", [1, 2]),  # 2024 had 52
        ("2024-01-01, 2024-01-31, 2024-04-30", "30 days", [1, 3]),
        ("Wave 1, Wave 2, Wave 5", "wave", [1, 3]),
    ],
)
def test_distances_are_those_of_the_calendar(line, unit, distances):
    order = order_of_texts(texts(line))
    assert order.unit == unit
    steps = [b - a for a, b in itertools.pairwise(order.places)]
    assert steps == pytest.approx(distances)


@pytest.mark.parametrize(
    ("line", "remark"),
    [
        ("Nov, Dec, Jan, Feb", "year_end"),
        ("Sep, Dec, Mar, Jun", "year_end"),
        ("Fri, Sat, Sun, Mon", "year_end"),
        ("W51, W52, W1", "year_end"),
        ("30 Dec, 5 Jan", "year_end"),
        ("Apr, May, Jun, Jul, Aug, Sep, Oct, Nov, Dec, Jan, Feb, Mar", "year_end"),
        ("Jan, Feb, Mar", ""),
        ("Jan, Mar, Sep", ""),
    ],
)
def test_a_list_says_where_the_year_begins(line, remark):
    order = order_of_texts(texts(line), listed=True)
    assert list(order.places) == sorted(order.places)
    assert order.remark == remark


def test_a_list_in_the_order_of_the_alphabet_is_no_order_of_months():
    order = order_of_texts(["Apr", "Feb", "Jan", "Mar"], listed=True)
    assert order.places == (4, 2, 1, 3)


def test_what_is_taken_for_granted_is_said():
    assert order_of_texts(["Jan", "Mar", "Sep"]).remark == "one_year"
    assert order_of_texts(["01/11/2024", "01/12/2024", "01/01/2025"]).remark == "day_first"
    assert order_of_texts(["11/01/2024", "12/01/2024", "01/01/2025"]).remark == "month_first"
    assert order_of_texts(["Nov 24", "Dec 24", "Jan 25"]).remark == "years"
    assert order_of_texts(["Jan 12", "Jan 19", "Jan 26"]).remark == "two_readings"
    assert order_of_texts(["13/01/2025", "01/02/2025"]).remark == ""


def test_texts_that_say_the_same_time():
    for text, other in [("Nov 2024", "2024-11"), ("Q1 2025", "2025年第一季度"),
                        ("第10周", "第十周"), ("jan", "January"),
                        ("5 Jan 2024", "2024-01-05")]:  # fmt: skip
        assert same_time(text, other)
    for text, other in [("Nov 2024", "Nov 2023"), ("Wave 1", "Wave 2"), ("a", "b"), ("", "Jan")]:
        assert not same_time(text, other)


@pytest.mark.parametrize("text", ["", " ", "十十", "第十十波", "9" * 79, "-", "₂", "2024-13-45",
                                  "99999-01-01", "W99 2024", "Q9 2024", "\x00"])  # fmt: skip
@pytest.mark.parametrize("other", ["Jan", "Q1 2024", "2024-01-01", "w1"])
def test_odd_texts_do_not_break(text, other):
    order = order_of_texts([text, other])
    assert order is None or order.unit == "wave"  # by their numbers, and on no calendar
