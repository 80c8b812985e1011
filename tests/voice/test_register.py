"""Reading the register: heads, engines, checks, refusals; the simulator and its truth."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from tests.gallery.voice_register import faulty_frame
from tests.survey.test_coding import as_engine

ENGINES = ("pandas", "polars", "lazy", "pyarrow", "duckdb")
CHINESE = {
    "id": "编号", "date": "反馈日期", "channel": "渠道", "customer": "客户编号", "text": "反馈内容",
    "class": "类别", "owner": "负责人", "answered": "回复时间", "closed": "关闭时间",
    "adopted": "是否采纳", "reopened": "重开次数",
}  # fmt: skip


@pytest.fixture(scope="module")
def frame():
    return cx.simulate_feedback_register(10, seed=3)


def counts(register):
    return register.table.set_index("problem")["n"].to_dict()


def test_every_check_sees_its_row():
    """Counted by hand from `faulty_frame`."""
    register = cx.feedback_register(faulty_frame(), until="2024-04-01")
    assert counts(register) == {
        "missing_date": 1, "after_until": 1, "duplicate": 1, "conflict": 1, "missing_item": 1,
        "missing_customer": 1, "missing_category": 1, "missing_channel": 1, "missing_owner": 1,
        "missing_text": 1, "answered_before_date": 1, "answered_after_until": 1,
        "closed_before_date": 1, "closed_after_until": 1, "answered_after_closed": 2,
        "closed_not_answered": 1, "adopted_not_closed": 1, "reopened_twice": 1, "reopened_open": 1,
    }  # fmt: skip
    assert register.n == 12 - 6
    assert "text" not in register.data
    assert register.data["item"].tolist() == ["1", "2", "3", "6", None, "9"]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same(frame, engine):
    expected = cx.feedback_register(frame).times("closed", by="channel").table
    register = cx.feedback_register(as_engine(frame, engine))
    pd.testing.assert_frame_equal(register.times("closed", by="channel").table, expected)


def test_chinese_heads_and_words_are_read(frame):
    chinese = frame.rename(columns=CHINESE).assign(
        是否采纳=frame["adopted"].map({True: "是", False: "否"}),
        关闭时间=frame["closed"].dt.strftime("%Y-%m-%d %H:%M:%S"),
    )
    register, expected = cx.feedback_register(chinese), cx.feedback_register(frame)
    pd.testing.assert_frame_equal(register.data, expected.data)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.convert_dtypes(),
        lambda f: f.astype({"class": "category", "channel": "category"}),
        lambda f: f.set_index(pd.Index([0] * len(f))),
        lambda f: f.astype({"reopened": float, "adopted": float}),
        lambda f: f.astype({"date": "datetime64[ns]", "closed": "datetime64[s]"}),
        lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
        lambda f: f.assign(date=f["date"].dt.tz_localize("UTC"), closed=f["closed"].dt.tz_localize(
            "UTC").dt.tz_convert("Asia/Shanghai"), answered=f["answered"].dt.tz_localize("UTC")),
    ],
)  # fmt: skip
def test_forms_of_columns_do_not_matter(frame, change):
    pd.testing.assert_frame_equal(
        cx.feedback_register(change(frame)).data, cx.feedback_register(frame).data
    )


def test_an_earlier_day_gives_the_register_as_it_stood():
    """The first 10 weeks of 20, looked at from the end of week 10, whatever came later."""
    late = cx.simulate_feedback_register(20, seed=4)
    day = pd.Timestamp("2024-03-11")
    register = cx.feedback_register(late, until=day)
    assert register.n == (late["date"] <= day).sum()
    assert register.data["closed"].max() <= day
    assert register.n_open == ((late["date"] <= day) & ~(late["closed"] <= day)).sum()
    adopted = register.data["adopted"]
    assert not (adopted & register.data["closed"].isna()).any()


def test_adoption_may_be_a_time():
    frame = pd.DataFrame(
        {"date": ["2024-01-01"] * 3, "closed": ["2024-01-02"] * 3,
         "adopted": ["2024-01-05", None, "2024-02-01"]}
    )  # fmt: skip
    register = cx.feedback_register(frame, until="2024-01-10")
    assert register.data["adopted"].tolist() == [True, False, False]


PLAIN = pd.DataFrame(
    {
        "id": [1, 1],
        "date": ["2024-01-02", "2024-01-03"],
        "closed": ["2024-01-01", None],
        "adopted": ["no", "perhaps"],
        "reopened": [0, -1],
    }
)


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (PLAIN[["id"]], {}, "no column says when an item came in; name it: date="),
        (PLAIN, {"date": "dat"}, "column 'dat' .date. is not in the table; did you mean 'date'"),
        (PLAIN, {"date": "date", "owner": "date"}, "column 'date' is named as date and as owner"),
        (PLAIN.assign(received="2024-01-01"), {}, "'date', 'received' could each be date"),
        (PLAIN, {}, "row 1, column 'adopted': 'perhaps'; allowed: yes or no"),
        (PLAIN.assign(adopted="no"), {}, "row 1, column 'reopened': -1; allowed"),
        (PLAIN[["date", "closed"]], {"impossible": "refuse"},
         "row 0, column 'closed': 2024-01-01 00:00, before the item came in .2024-01-02 00:00"),
        (PLAIN[["id", "date"]], {"duplicates": "refuse"},
         "row 1, column 'id': '1' is the number of an earlier row"),
        (PLAIN[["date"]], {"until": "2023-01-01"}, "no item is left .* 2 rows with after_until"),
        (PLAIN[["date"]], {"today": "2024-01-02"}, "row 1, column 'date': 2024-01-03"),
        (PLAIN[["date"]], {"until": 5}, "until=5; allowed: a time"),
        (PLAIN[["date"]].assign(date=[1, 2]), {}, "column 'date' holds numbers"),
        (PLAIN[["date"]].assign(date="soon"), {}, "'date'"),
        (PLAIN[["date"]].assign(date=None), {}, "'date' .date. is blank in every row"),
        (PLAIN[["date"]].iloc[:0], {}, "no rows"),
        (PLAIN[["date"]].assign(owner=[["a"], ["b"]]), {}, "row 0, column 'owner'"),
        (PLAIN[["date", "date"]], {}, "stands twice"),
        (PLAIN, {"duplicates": "merge"}, "duplicates='merge' is not allowed"),
        ({"date": []}, {}, "type 'dict' cannot be read"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(frame, options, message):
    with pytest.raises(cx.CxError, match=message):
        cx.feedback_register(frame, **options)


def test_items_are_not_exported(tmp_path):
    register = cx.feedback_register(cx.simulate_feedback_register(3, seed=1))
    assert set(register.tables()) == {"table"}
    path = register.export(tmp_path / "register.html")
    assert "C0" not in path.read_text(encoding="utf-8")


def test_the_simulator_keeps_its_truth():
    frame = cx.simulate_feedback_register(52, 2_000, seed=5, n_customers=50_000)
    truth = frame.attrs["population"]
    hours = (frame["closed"] - frame["date"]).dt.total_seconds() / 3600
    early = frame["date"] < "2024-06-01"  # all but a few are closed by the end
    medians = [
        truth["median_hours"][a][b] for a, b in zip(frame["class"], frame["channel"], strict=True)
    ]
    relative = (hours / medians)[early].fillna(np.inf)
    assert relative.median() == pytest.approx(1, abs=0.025)  # 4 standard errors, as below
    cells = relative.groupby([frame["class"], frame["channel"]]).median()
    assert len(cells) == 12
    np.testing.assert_allclose(cells, 1, atol=0.12)
    spread = np.log(relative.quantile(0.75) / relative.quantile(0.25)) / 1.349
    assert spread == pytest.approx(truth["sigma"], rel=0.03)
    week = (frame["date"] - pd.Timestamp("2024-01-01")).dt.days // 7
    weekly = frame.groupby([week, "class"]).size().unstack()
    fault = weekly["app fault"]
    assert fault.loc[40:42].mean() / fault.loc[:39].mean() == pytest.approx(3, rel=0.05)
    delivery = weekly["delivery"]
    assert delivery.loc[30:].mean() / delivery.loc[:29].mean() == pytest.approx(0.5, rel=0.05)
    kappa = cx.agreement(frame, ["class", "second_class"], n_resamples=2).coefficient
    assert kappa["estimate"] == pytest.approx(truth["kappa"], abs=0.01)
    with pytest.raises(cx.CxError, match="n_weeks=0; allowed: whole numbers from 1"):
        cx.simulate_feedback_register(0)
