"""What a file allows: every call that is offered runs, and what is missing is said in words."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.app.cli import main
from cxstats.app.report.readiness import ANALYSES, PER_DRIVER


def survey(n=160, seed=3):
    """Return a questionnaire with all kinds of questions, and its codebook."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 1))
    items = [f"{name}{i}" for name in ("wait", "staff") for i in (1, 2, 3)]
    frame = pd.DataFrame(
        np.clip(np.rint(4 + factor + rng.normal(size=(n, 6))), 1, 7), columns=items
    )
    frame["recommend"] = np.clip(np.rint(6 + 2 * factor[:, 0] + rng.normal(size=n)), 0, 10)
    frame["overall"] = np.clip(np.rint(3 + factor[:, 0] + rng.normal(size=n) / 2), 1, 5)
    frame["effort"] = rng.integers(1, 8, n)
    frame["speed"] = rng.integers(1, 6, n)
    frame["used"] = rng.choice(["App", "Phone", "App;Phone"], n)
    frame["branch"] = rng.choice(["North", "South"], n)
    frame["wave"] = np.tile(["2024 Q1", "2024 Q2", "2024 Q3", "2024 Q4"], n // 4)
    frame["w"] = rng.uniform(0.5, 2, n).round(2)
    good = ["The staff was very friendly", "I had to wait for an hour", "The app is fast and easy"]
    frame["comment"] = [f"{good[i % 3]}, visit number {i}." for i in range(n)]
    frame["chat_functional"], frame["chat_dysfunctional"] = rng.integers(1, 6, (2, n))
    book = {
        "scale": (1, 7),
        "constructs": {"Wait": items[:3], "Staff": items[3:]},
        "questions": {
            "nps": {"kind": "nps", "column": "recommend"},
            "overall": {"kind": "csat", "column": "overall", "scale": [1, 5]},
            "effort": {"kind": "ces", "column": "effort", "scale": [1, 7]},
            "speed": {"kind": "rating", "column": "speed", "scale": [1, 5]},
            "used": {"kind": "choices", "column": "used"},
            "why": {"kind": "text", "column": "comment"},
        },
        "groups": ["branch"],
        "wave": "wave",
        "weights": "w",
    }
    return frame, book


def orders(n=400, seed=1):
    rng = np.random.default_rng(seed)
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D")
    return pd.DataFrame(
        {
            "客户编号": rng.integers(1, 120, n),
            "订单日期": days.strftime("%Y-%m-%d"),
            "订单金额": rng.gamma(2, 30, n).round(2),
        }
    )


def events():
    log = cx.simulate_loan_log(60, seed=1)
    return log if isinstance(log, pd.DataFrame) else log.table


def experiment():
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {"variant": rng.choice(["A", "B"], 300), "converted": rng.integers(0, 2, 300)}
    )


def register():
    return cx.simulate_feedback_register(60, seed=1)


FILES = {
    "survey": survey,
    "orders": lambda: (orders(), None),
    "events": lambda: (events(), None),
    "experiment": lambda: (experiment(), None),
    "register": lambda: (register(), None),
    "servqual": lambda: cx.simulate_servqual(80, seed=1),
}
MODEL = {"cfa": "Wait =~ wait1 + wait2 + wait3", "sem": "{}\nStaff =~ staff1 + staff2 + staff3",
         "pls": "{}\nStaff =~ staff1 + staff2 + staff3\nStaff ~ Wait"}  # fmt: skip
MODEL = {key: text.format(MODEL["cfa"]) for key, text in MODEL.items()}
QUICK = {"drivers", "penalty_reward", "importance_performance", "kano", "reliability", "pls"}


@pytest.mark.parametrize("name", FILES)
def test_every_call_that_is_offered_runs(name):
    frame, book = FILES[name]()
    result = cx.ready(frame, book)
    if name != "servqual":  # of its weights and importances are many columns
        assert result.table["possible"].any()
    for row in result.table[result.table["possible"]].itertuples():
        if row.analysis in ("cfa", "sem", "pls") and name != "survey":
            continue
        call = row.call
        if row.analysis in QUICK:
            call = call[:-1] + ", n_resamples=60)"
        names = {
            "cx": cx,
            "frame": frame,
            "codebook": book,
            "weights": {"wait1": 0.5, "staff1": 0.5},
        }
        names["model"] = MODEL.get(row.analysis)
        names["stages"] = list(dict.fromkeys(frame[row.columns_used.split(", ")[1]]))[:2] if (
            row.analysis == "journey"
        ) else None  # fmt: skip
        if row.analysis in ("drivers", "kano", "penalty_reward", "importance_performance"):
            call = call[:-1] + ", weights=None)" if row.analysis != "kano" else call
        assert eval(call, names) is not None, row.call


def test_a_survey_allows_these():
    frame, book = survey()
    result = cx.ready(frame, book)
    lacking = [analysis.key for analysis in ANALYSES if not result.is_possible(analysis.key)]
    assert lacking == [
        "servqual", "register", "journey", "process", "rfm", "cohorts", "lifetime_value", "ab_test",
    ]  # fmt: skip
    assert result.kind == "survey"
    assert not result.draft
    assert not result.notes
    assert "each item has one answer" in result.needs["servqual"].missing[0].en


@pytest.mark.parametrize(
    ("left_out", "key", "said"),
    [
        (["nps"], "nps", "no question of recommendation"),
        (["overall"], "csat", "no question of overall satisfaction"),
        (["effort"], "ces", "no question of effort"),
        (["used"], "choices", "no question that allows several options"),
        (["nps", "overall", "effort", "speed"], "drivers", "no overall rating to explain"),
        (["nps", "overall", "effort", "speed"], "by_group", "no overall rating to compare"),
    ],
)
def test_what_is_missing_is_said(left_out, key, said):
    frame, book = survey()
    book["questions"] = {n: q for n, q in book["questions"].items() if n not in left_out}
    missing = cx.ready(frame, book).needs[key].missing
    assert any(said in text.en for text in missing)
    assert all(text.zh and text.zh != text.en for text in missing)


def test_groups_waves_and_weights():
    frame, book = survey()
    for key, analysis in (("groups", "by_group"), ("wave", "track"), ("weights", "design")):
        less = {name: value for name, value in book.items() if name != key}
        assert cx.ready(frame, book).is_possible(analysis)
        assert not cx.ready(frame, less).is_possible(analysis)
    two = frame[frame["wave"].isin(["2024 Q1", "2024 Q2"])]
    assert "2 waves; at least 3 are needed" in cx.ready(two, book).summary("en")


def test_few_rows_are_said():
    frame, book = survey()
    few = cx.ready(frame.head(40), book)
    caution = few.table.set_index("analysis")["caution"]
    assert f"fewer than {PER_DRIVER} an item" in caution["drivers"]
    assert "n = 40: below 200" in caution["sem"]
    assert "below 1,000" not in caution["nps"]
    none = cx.ready(frame.head(5), book)
    assert not none.is_possible("sem")
    assert "rows hold all 6 items" in none.needs["sem"].missing[0].en


@pytest.mark.parametrize(
    ("name", "kind", "possible", "call"),
    [
        ("orders", "transactions", ["rfm", "cohorts", "lifetime_value"], "cx.transactions"),
        ("events", "events", ["journey", "process"], "cx.event_log"),
        ("register", "register", ["register"], "cx.feedback_register"),
    ],
)
def test_files_that_are_no_survey(name, kind, possible, call):
    result = cx.ready(FILES[name]()[0])
    assert result.kind == kind
    assert all(result.is_possible(key) for key in possible)
    assert not any(result.is_possible(key) for key in ("nps", "servqual", "drivers", "by_group"))
    assert call in result.notes[0].en
    assert result.needs["nps"].missing[0].en == "no answers to questions of a survey"


def test_transactions_lack_amounts():
    frame = orders().drop(columns="订单金额")
    result = cx.ready(frame)
    assert "no column of amounts" in [text.en for text in result.needs["rfm"].missing]
    once = orders().drop_duplicates("客户编号")
    assert "every customer stands in one row" in cx.ready(once).needs["cohorts"].missing[0].en


@pytest.mark.parametrize("load", ["load_cdnow", "load_clickstream"])
def test_real_logs(load):
    result = cx.ready(getattr(cx, load)())
    assert result.kind == {"load_cdnow": "transactions", "load_clickstream": "events"}[load]


def test_a_draft_is_said_to_be_one():
    frame, _ = survey()
    result = cx.ready(frame)
    assert result.draft
    assert "rests on a draft" in result.notes[0].en
    assert result.is_possible("nps")
    assert result.kind == "survey"


def test_columns_of_the_codebook_that_are_not_there():
    frame, book = survey()
    result = cx.ready(frame.drop(columns=["recommend", "wait1"]), book)
    assert "2 columns of the codebook are not in the file" in result.notes[0].en
    assert not result.is_possible("nps")
    assert not result.is_possible("servperf")


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [None, None]}),
        pd.DataFrame({"a": ["x"], "b": [True]}),
        pd.DataFrame({0: [1, 2], 1: [3.5, np.inf]}),
        pd.DataFrame({"time": [pd.NaT, pd.NaT], "customer": [[1], {2}], "amount": ["x", 3]}),
        pd.DataFrame({"a": [1, 2], "b": [1, 2]}, index=[0, 0]),
        pd.DataFrame({"score": pd.array([1, None, 5], "Int64")}),
    ],
)
def test_odd_tables_have_an_answer(frame):
    for lang in ("en", "zh"):
        assert cx.ready(frame, lang=lang).summary(lang)


def test_command(tmp_path, capsys):
    path = tmp_path / "orders.csv"
    orders().to_csv(path, index=False)
    assert main(["ready", str(path), "--lang", "zh"]) == 0
    out = capsys.readouterr().out
    assert "客户交易记录" in out
    assert "没有金额列" not in out
    assert main(["ready", str(tmp_path / "no.csv")]) == 2
    assert "no.csv" in capsys.readouterr().err
    cx.set_language("en")
