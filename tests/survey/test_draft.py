"""Drafts of codebooks: what is proposed, against files whose questionnaire is known."""

import difflib

import numpy as np
import openpyxl
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import DataError
from cxstats.survey.codebook import Codebook
from cxstats.survey.report import ReadReport

DIMENSIONS = {
    "有形性": ["设备先进", "环境整洁舒适", "员工仪表得体"],
    "可靠性": ["按承诺办理业务", "第一次就办对", "记录准确无误"],
    "响应性": ["及时响应请求", "排队等待时间短", "员工乐意帮助"],
    "保证性": ["员工值得信赖", "交易安全放心", "员工专业知识足够"],
    "移情性": ["关心每位客户", "营业时间方便", "理解我的特殊需求"],
}
CHINESE_ITEMS = [item for items in DIMENSIONS.values() for item in items]
AGREE = ("非常不同意", "不同意", "比较不同意", "一般", "比较同意", "同意", "非常同意")
SATISFIED = (
    "Very dissatisfied", "Dissatisfied", "Neither satisfied nor dissatisfied", "Satisfied",
    "Very satisfied",
)  # fmt: skip
ENGLISH_ITEMS = [
    "modern equipment", "clean premises", "neat staff", "good forms", "keeps promises",
    "first time right", "reliable records", "accurate bills", "prompt service", "fast response",
    "willing to help", "never too busy", "trustworthy staff", "safe transactions", "polite staff",
    "competent staff", "individual attention", "personal care", "convenient hours",
    "understands needs",
]  # fmt: skip
MOST_EDITED = 5  # lines of a draft that a person corrects


def answers(k, per, low, high, mean, seed, n=300):
    """Return answers (n, k * per) to k constructs: factors correlate .25, loadings are .8."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    factors = 0.5 * common + np.sqrt(0.75) * rng.normal(size=(n, k))
    scores = 0.8 * np.repeat(factors, per, axis=1) + 0.6 * rng.normal(size=(n, k * per))
    return np.clip(np.rint(mean + (high - low) / 5.5 * scores), low, high).astype(int)


EXPECTED, PERCEIVED = (answers(5, 4, 1, 7, mean, seed) for mean, seed in ((5.8, 1), (4.6, 2)))
FIVE = answers(5, 4, 1, 5, 3.2, 3)


def client_workbook(path, seed, items=CHINESE_ITEMS):
    """Write a client's workbook and return what it holds."""
    rng = np.random.default_rng(seed)
    expected, perceived = answers(5, 3, 1, 7, 5.8, seed), answers(5, 3, 1, 7, 4.6, seed + 1)
    n = len(expected)
    recommend = np.clip(np.rint(1.5 * perceived.mean(axis=1) + rng.normal(size=n)), 0, 10)
    branches = rng.choice(
        ["城东支行", "城西支行", "高新支行", "城东支行 "], n, p=[0.4, 0.3, 0.28, 0.02]
    )
    months = rng.choice([f"{month}月" for month in range(1, 13)], n)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["2024年客户满意度调查结果"])
    sheet.append(["编号", "网点", "月份", "联系电话", "期望", *[None] * 14, "感受", *[None] * 14,
                  "您向朋友推荐我们的可能性（0-10分）", "意见与建议"])  # fmt: skip
    sheet.append([None] * 4 + 2 * items)
    for row, first, last in ((1, 1, 36), (2, 5, 19), (2, 20, 34)):
        sheet.merge_cells(start_row=row, start_column=first, end_row=row, end_column=last)
    empty = rng.random((n, 15)) < 0.01
    for i in range(n):
        comment = f"第{i}条：排队时间有点长，希望多开窗口" if rng.random() < 0.4 else None
        sheet.append([
            f"K{i + 1:04d}", branches[i], months[i], 13_800_000_000 + int(rng.integers(10**8)),
            *(None if empty[i, j] else AGREE[x - 1] for j, x in enumerate(expected[i])),
            *(AGREE[x - 1] for x in perceived[i]), int(recommend[i]), comment,
        ])  # fmt: skip
    sheet.append(["合计", *[None] * 33, int(recommend.sum()), None])
    book.save(path)
    return {"expected": np.where(empty, np.nan, expected), "perceived": perceived,
            "recommend": recommend, "branches": [b.strip() for b in branches]}  # fmt: skip


@pytest.mark.parametrize("seed", [1, 20, 300])
def test_from_a_clients_workbook_to_clean_answers_in_three_calls(tmp_path, seed):
    truth = client_workbook(tmp_path / "client.xlsx", seed)
    frame = cx.read_survey(tmp_path / "client.xlsx", leave_out=["total"])
    draft = cx.Codebook.draft(frame, lang="zh")
    table, report = cx.clean(frame, draft)

    # No line needs a correction: the draft is what the questionnaire says.
    assert edited_lines(draft, DIMENSIONS) == 0
    assert draft.codebook.constructs == {n: tuple(items) for n, items in DIMENSIONS.items()}
    assert draft.codebook.scale == (1, 7)
    columns = [[f"{role} - {item}" for item in CHINESE_ITEMS] for role in ("期望", "感受")]
    assert [list(draft.codebook.columns(r)) for r in ("expectation", "perception")] == columns
    np.testing.assert_array_equal(table[columns[0]], truth["expected"])
    np.testing.assert_array_equal(table[columns[1]], truth["perceived"])
    assert table["网点"].tolist() == truth["branches"]
    assert len(table) == report.n_after == 300

    book = draft.codebook
    assert (book.respondent, book.personal, book.group_columns) == (
        "编号",
        ("联系电话",),
        ("网点",),
    )
    assert book.wave_order == tuple(f"{month}月" for month in range(1, 13))
    assert book.question("text").column == "意见与建议"
    recommendation = table[book.question("nps").column]
    assert recommendation.tolist() == truth["recommend"].tolist()
    net = 100 * (np.mean(truth["recommend"] >= 9) - np.mean(truth["recommend"] <= 6))
    assert cx.nps(recommendation).table["estimate"].iloc[0] == pytest.approx(net)
    gaps = cx.servqual(table, draft).table["estimate"]
    complete = ~np.isnan(truth["expected"])
    for j, name in enumerate(DIMENSIONS):
        at = slice(3 * j, 3 * j + 3)
        gap = (truth["perceived"] - truth["expected"])[:, at]
        assert gaps[name] == pytest.approx(np.nanmean(np.nanmean(gap, axis=1)), abs=0.01)
    assert complete.mean() > 0.98


def test_items_that_name_nothing_need_a_line_a_construct(tmp_path):
    """Correlations give the constructs; their five names are what a person writes."""
    items = [f"第{i}题" for i in range(1, 16)]
    client_workbook(tmp_path / "client.xlsx", 1, items)
    draft = cx.Codebook.draft(cx.read_survey(tmp_path / "client.xlsx", leave_out=["total"]), "zh")
    true = {name: items[3 * j : 3 * j + 3] for j, name in enumerate(DIMENSIONS)}
    assert list(draft.codebook.constructs) == [f"维度 {j}" for j in range(1, 6)]
    assert list(map(list, draft.codebook.constructs.values())) == list(true.values())
    assert edited_lines(draft, true) == MOST_EDITED


def edited_lines(draft, constructs):
    """Return how many lines of a draft differ from the codebook that is true."""
    true = Codebook(**{**draft.codebook.to_dict(), "constructs": constructs})
    text = type(draft)(true, draft.columns, draft.comments).to_yaml("zh").split("\n")[2:]
    text, before = (
        [line.partition("  #")[0] for line in lines]
        for lines in (text, draft.to_yaml("zh").split("\n")[2:])
    )
    return sum(line[:2] == "+ " for line in difflib.ndiff(before, text))


def test_a_total_row_that_was_not_left_out_changes_nothing(tmp_path):
    client_workbook(tmp_path / "client.xlsx", 1)
    with pytest.warns(UserWarning, match="total"):
        frame = cx.read_survey(tmp_path / "client.xlsx")
    without = cx.read_survey(tmp_path / "client.xlsx", leave_out=["total"])
    assert cx.Codebook.draft(frame).codebook == cx.Codebook.draft(without).codebook


PAIRS = {
    "E1, P1": ("E{}", "P{}", [str(i) for i in range(1, 21)]),
    "Q1_E, Q1_P": ("{}_E", "{}_P", [f"Q{i}" for i in range(1, 21)]),
    "Expected: ...": ("Expected: {}", "Perceived: {}", ENGLISH_ITEMS),
    "Expectation - ...": ("Expectation - {}", "Perception - {}", ENGLISH_ITEMS),
    "..._imp": ("{}_imp", "{}_perf", [item.replace(" ", "_") for item in ENGLISH_ITEMS]),
    "sentences": ("How important is {}?", "How satisfied are you with {}?", ENGLISH_ITEMS),
    "期望": ("期望{}", "感受{}", [f"第{i}项" for i in range(1, 21)]),
    "（期望）": ("{}（期望）", "{}（实际感受）", ENGLISH_ITEMS),
    "重要程度": ("{}的重要程度", "{}的满意程度", ENGLISH_ITEMS),
    "doubled": ("{}", "{}.1", ENGLISH_ITEMS),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("side_by_side", [False, True])
def test_pairs_of_columns_are_expectation_and_perception(name, side_by_side):
    first, second, items = PAIRS[name]
    columns = {first.format(item): EXPECTED[:, i] for i, item in enumerate(items)}
    columns |= {second.format(item): PERCEIVED[:, i] for i, item in enumerate(items)}
    frame = pd.DataFrame(columns)
    if side_by_side:
        frame = frame[[form.format(item) for item in items for form in (first, second)]]
    book = cx.Codebook.draft(frame).codebook
    assert set(book.columns("expectation")) == {first.format(item) for item in items}
    assert set(book.columns("perception")) == {second.format(item) for item in items}
    for item in book.items:  # the two columns of an item belong together
        i = items.index(book.column(item, "expectation").removeprefix(first.split("{")[0])
                        .removesuffix(first.split("}")[1]))  # fmt: skip
        assert book.column(item, "perception") == second.format(items[i])
    four = [set(range(4 * j, 4 * j + 4)) for j in range(5)]
    places = {first.format(item): i for i, item in enumerate(items)}
    groups = [{places[c] for c in book.columns("expectation", name)} for name in book.constructs]
    assert sorted(map(sorted, groups)) == sorted(map(sorted, four))
    assert book.scale == (1, 7)


def test_constructs_with_the_letters_e_and_p_are_no_roles():
    frame, true = cx.simulate_experience(300, answers="five_point")
    book = cx.Codebook.draft(frame).codebook
    assert book.roles == ("score",)
    assert sorted(map(sorted, book.constructs.values())) == sorted(
        map(sorted, true.constructs.values())
    )


def prefixed():
    rng = np.random.default_rng(5)
    names = [f"{stem}{i}" for stem in ("tan", "rel", "res", "ass", "emp") for i in range(1, 5)]
    frame = pd.DataFrame(FIVE, columns=names)
    frame["rel2"] = 6 - frame["rel2"]
    frame.loc[:5, "tan1"] = 99
    overall = FIVE.mean(axis=1)
    frame["overall_satisfaction"] = np.clip(np.rint(overall + rng.normal(size=300)), 1, 5)
    frame["likely to recommend"] = np.clip(np.rint(2 * overall + rng.normal(size=300)), 0, 10)
    frame["how easy was it?"] = rng.integers(1, 8, 300)
    frame["age"], frame["gender"] = rng.integers(18, 80, 300), rng.integers(1, 3, 300)
    frame["weight"] = rng.gamma(5, 0.2, 300)
    frame["duration (seconds)"] = rng.integers(40, 900, 300)
    frame["month"] = rng.choice(["Jan", "Feb", "Mar", "Apr"], 300)
    frame["branch"] = rng.choice(["North", "South", "north "], 300, p=[0.5, 0.45, 0.05])
    return frame.assign(empty=np.nan, id=range(1, 301))


def test_one_answer_an_item_and_everything_around_it():
    draft = cx.Codebook.draft(prefixed())
    book = draft.codebook
    assert [len(items) for items in book.constructs.values()] == [4] * 5
    assert (book.scale, book.reverse, book.missing) == ((1, 5), ("rel2",), (99,))
    assert {name: (q.kind, q.scale) for name, q in book.questions.items()} == {
        "nps": ("nps", (0, 10)), "csat": ("csat", (1, 5)), "ces": ("ces", (1, 7)),
    }  # fmt: skip
    assert (book.weights, book.duration, book.respondent) == ("weight", "duration (seconds)", "id")
    assert book.wave_order == ("Jan", "Feb", "Mar", "Apr")
    assert book.groups == {"gender": {}, "branch": {"same": {"north ": "North"}}}
    assert book.other == ("empty", "age")
    doubtful = {path for path, (_, doubt) in draft.comments.items() if doubt}
    assert ("reverse", "rel2") in doubtful
    assert sorted(draft.table["column"]) == sorted(prefixed().columns)


def test_a_code_that_is_an_answer_elsewhere_is_not_declared_missing(tmp_path):
    import pyreadstat

    frame = pd.DataFrame(FIVE[:, :4].astype(float), columns=["s1", "s2", "s3", "s4"])
    frame.loc[:4, "s1"] = 9.0
    frame["recommend"] = (np.arange(300) % 11).astype(float)
    labels = {1: "very dissatisfied", 5: "very satisfied", 9: "don't know"}
    pyreadstat.write_sav(
        frame,
        str(tmp_path / "a.sav"),
        variable_value_labels={f"s{i}": labels for i in (1, 2, 3, 4)},
    )
    draft = cx.Codebook.draft(cx.read_survey(tmp_path / "a.sav"))
    assert draft.codebook.missing == ()
    assert draft.comments["constructs", "s", "s1"][1]
    assert "9 means no answer here" in draft.comments["constructs", "s", "s1"][0].en


def spss(tmp_path, frame, questions, labels):
    import pyreadstat

    pyreadstat.write_sav(
        frame.astype(float), str(tmp_path / "a.sav"), column_labels=questions,
        variable_value_labels=labels,
    )  # fmt: skip
    return cx.read_survey(tmp_path / "a.sav")


def test_roles_by_question_texts_and_scales_by_value_labels(tmp_path):
    columns = {f"Q1_{i + 1}": EXPECTED[:, i] for i in range(20)}
    columns |= {f"Q2_{i + 1}": PERCEIVED[:, i] for i in range(20)}
    columns["sex"] = np.arange(300) % 2 + 1
    columns["m1"], columns["m2"] = np.arange(300) % 2, np.arange(300) % 3 == 0
    questions = {f"Q1_{i}": f"Expected: {t}" for i, t in enumerate(ENGLISH_ITEMS, 1)}
    questions |= {f"Q2_{i}": f"Perceived: {t}" for i, t in enumerate(ENGLISH_ITEMS, 1)}
    questions |= {"sex": "Gender", "m1": "Which do you use? - App", "m2": "Which do you use? - Web"}
    ends = {1: "strongly disagree", 7: "strongly agree"}
    labels = {name: ends for name in columns if name.startswith("Q")}
    labels |= {"sex": {1: "male", 2: "female"}}
    book = cx.Codebook.draft(spss(tmp_path, pd.DataFrame(columns), questions, labels)).codebook
    assert book.columns("expectation") == tuple(f"Q1_{i}" for i in range(1, 21))
    assert book.columns("perception") == tuple(f"Q2_{i}" for i in range(1, 21))
    assert (book.scale, book.best, book.group_columns) == ((1, 7), "high", ("sex",))
    assert book.question("choices").columns == {"App": "m1", "Web": "m2"}


def best_low_labels():
    words = [f"{6 - x} - {SATISFIED[x - 1]}" for x in range(1, 6)]
    return pd.DataFrame({f"s{j}": [words[x - 1] for x in FIVE[:, j]] for j in range(4)})


def best_low_heading():
    suffix = "（1=非常满意，5=非常不满意）"
    return pd.DataFrame({f"服务{j}{suffix}": 6 - FIVE[:, j] for j in range(4)})


def best_low_recommendation():
    frame = pd.DataFrame({f"s{j}": 6 - FIVE[:, j] for j in range(4)})
    return frame.assign(recommend=np.clip(np.rint(2 * FIVE[:, :4].mean(axis=1)), 0, 10))


@pytest.mark.parametrize("make", [best_low_labels, best_low_heading, best_low_recommendation])
def test_the_lowest_answer_can_be_the_best(make):
    frame = make()
    draft = cx.Codebook.draft(frame)
    assert draft.codebook.best == "low"
    assert draft.codebook.scale == (1, 5)
    table, _ = cx.clean(frame, draft)
    np.testing.assert_array_equal(table[list(draft.codebook.answer_columns)], FIVE[:, :4])


def test_the_lowest_answer_is_the_best_by_value_labels(tmp_path):
    frame = pd.DataFrame({f"s{j}": 6 - FIVE[:, j] for j in range(4)})
    labels = dict(enumerate(map(str.lower, SATISFIED[::-1]), 1))
    book = cx.Codebook.draft(spss(tmp_path, frame, {}, {f"s{j}": labels for j in range(4)}))
    assert (book.codebook.best, book.codebook.scale) == ("low", (1, 5))


WORDED = {
    "satisfied": SATISFIED,
    "agree": ("Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"),
    "满意": ("非常不满意", "不满意", "一般", "满意", "非常满意"),
    "不太满意": ("很不满意", "不太满意", "一般", "比较满意", "很满意"),
    "frequency": ("never", "rarely", "sometimes", "often", "always"),
    "频率": ("从不", "很少", "有时", "经常", "总是"),
    "one pole": ("not at all important", "slightly important", "moderately important",
                 "very important", "extremely important"),
    "ease": ("Very difficult", "Difficult", "Neutral", "Easy", "Very easy"),
    "分": ("1分", "2分", "3分", "4分", "5分"),
    "full width": ("１", "２", "３", "４", "５"),
    "number and words": ("1 - poor", "2", "3", "4", "5 - excellent"),
    "括号": ("非常不同意（1分）", "不同意（2分）", "一般（3分）", "同意（4分）", "非常同意（5分）"),
    "stars": ("★☆☆☆☆", "★★☆☆☆", "★★★☆☆", "★★★★☆", "★★★★★"),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDED)
def test_answers_in_words_become_their_numbers(name):
    frame = pd.DataFrame({f"s{j}": [WORDED[name][x - 1] for x in FIVE[:, j]] for j in range(4)})
    frame.loc[7, "s0"] = "Don't know"
    draft = cx.Codebook.draft(frame)
    assert (draft.codebook.scale, draft.codebook.best) == ((1, 5), "high")
    assert draft.codebook.missing == ("Don't know",)
    true = FIVE[:, :4].astype(float)
    true[7, 0] = np.nan
    np.testing.assert_array_equal(cx.clean(frame, draft)[0], true)


def test_labels_that_nobody_chose_keep_their_place():
    agree = np.array(AGREE)
    high = np.maximum(EXPECTED[:, :4], 3)
    frame = pd.DataFrame(agree[high - 1], columns=["s1", "s2", "s3", "s4"])
    draft = cx.Codebook.draft(frame)
    assert draft.codebook.scale == (1, 7)
    np.testing.assert_array_equal(cx.clean(frame, draft)[0], high)
    assert draft.comments["scale",][1]


def test_the_same_word_on_two_scales_has_two_numbers():
    seven = ("非常不满意", "不满意", "比较不满意", "一般", "比较满意", "满意", "非常满意")
    frame = pd.DataFrame(
        {f"服务{j}": [WORDED["不太满意"][x - 1] for x in FIVE[:, j]] for j in range(4)}
    )
    for j in range(4):
        frame[f"产品{j}"] = [seven[x - 1] for x in PERCEIVED[:, j]]
    table, _ = cx.clean(frame, cx.Codebook.draft(frame))
    np.testing.assert_array_equal(table.iloc[:, :4], FIVE[:, :4])
    np.testing.assert_array_equal(table.iloc[:, 4:], PERCEIVED[:, :4])


def test_check_all_that_apply_in_columns_and_in_a_cell():
    rng = np.random.default_rng(1)
    options = np.array(["网点", "手机银行", "电话"])
    ticks = rng.random((300, 3)) < 0.5
    frame = pd.DataFrame({f"Q5 - {o}": np.where(ticks[:, i], "选中", None)
                          for i, o in enumerate(options)})  # fmt: skip
    frame["Which? [App]"], frame["Which? [Web]"] = ticks[:, 0].astype(int), ticks[:, 1].astype(int)
    frame["渠道"] = ["┋".join(options[row]) or None for row in ticks]
    book = cx.Codebook.draft(frame).codebook
    assert dict(book.questions["Q5"].columns) == {o: f"Q5 - {o}" for o in options}
    assert dict(book.questions["Which?"].columns) == {"App": "Which? [App]", "Web": "Which? [Web]"}
    assert (book.questions["渠道"].column, book.questions["渠道"].separator) == ("渠道", "┋")


def test_what_platforms_add_is_recognised():
    frame = pd.DataFrame({
        "序号": range(1, 61), "提交答卷时间": ["2024/3/5 10:00:33"] * 60,
        "所用时间": [f"{60 + i}秒" for i in range(60)], "来自IP": ["198.51.100.1(浙江)"] * 60,
        "4、您的姓名：—姓名：": ["王某", "李某", "赵某", "陈某"] * 15,
        "您推荐的可能性": np.arange(60) % 11,
        "NPS_GROUP": np.array(["Detractor", "Passive", "Promoter"])[np.arange(60) % 3],
    })  # fmt: skip
    book = cx.Codebook.draft(frame).codebook
    assert (book.respondent, book.duration) == ("序号", "所用时间")
    assert set(book.personal) == {"来自IP", "4、您的姓名：—姓名："}
    assert list(book.questions) == ["nps"]
    assert "NPS_GROUP" in book.other


def test_sets_that_a_file_declares_are_questions():
    ticks = np.random.default_rng(1).integers(0, 2, (60, 3))
    frame = pd.DataFrame(ticks, columns=["app", "web", "desk"])
    frame.attrs["read_report"] = ReadReport("a.sav", "sav", choice_sets={"use": ("app", "web")})
    book = cx.Codebook.draft(frame.assign(s1=FIVE[:60, 0], s2=FIVE[:60, 1])).codebook
    assert dict(book.questions["use"].columns) == {"app": "app", "web": "web"}
    assert book.group_columns == ("desk",)


@pytest.mark.parametrize("cell", [[1, 2], {"a": 1}, 1j, 10**30, float("inf"), b"5", True])
def test_cells_of_any_kind_do_not_stop_a_draft(cell):
    frame = pd.DataFrame(FIVE[:60, :4], columns=["s1", "s2", "s3", "s4"]).astype(object)
    frame["odd"] = [cell] * 60
    frame.at[3, "s1"] = cell
    draft = cx.Codebook.draft(frame)
    assert (draft.codebook.scale, draft.codebook.items) == ((1, 5), ("s1", "s2", "s3", "s4"))


REAL = {  # constructs that names tell: those with two items or more
    "ecsi": (cx.load_ecsi_mobile, 6),
    "corporate reputation": (cx.load_corporate_reputation, 7),
}


@pytest.mark.parametrize("name", REAL)
def test_constructs_of_real_data_by_their_names(name):
    load, n = REAL[name]
    frame, true = load()
    book = cx.Codebook.draft(frame).codebook
    proposed = {frozenset(items) for items in book.constructs.values()}
    assert sum(frozenset(items) in proposed for items in true.constructs.values()) == n
    assert all(book.bounds(i) == true.bounds(i) for i in true.items if i in book.items)
    assert book.reverse == ()


def test_simulated_servqual_is_drafted_as_it_is():
    frame, true = cx.simulate_servqual(300, seed=1)
    book = cx.Codebook.draft(frame).codebook
    assert list(book.constructs.values()) == list(true.constructs.values())
    assert (book.perception, book.expectation) == (true.perception, true.expectation)
    assert book.point_columns == true.point_columns
    assert (book.respondent, book.scale) == ("respondent", (1, 7))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_written_reads_as_what_was_drafted(tmp_path, lang):
    draft = cx.Codebook.draft(prefixed())
    path = draft.write(tmp_path / "book.yml", lang)
    assert Codebook.read(path).to_dict() == draft.codebook.to_dict()
    text = path.read_text(encoding="utf-8")
    check = {"en": "# check: ", "zh": "# 请核对："}[lang]
    assert text.count(check) == draft.n_doubtful > 0
    scale = next(line for line in text.split("\n") if line.startswith("scale"))
    assert "20" in scale


@pytest.mark.parametrize(
    "heading",
    ["a: b", "#1 staff", "line\nbreak", "'quoted\"", "- dash", "{item}", "no", "x" * 1_500],
)
def test_headings_that_yaml_would_misread(tmp_path, heading):
    frame = pd.DataFrame(FIVE[:, :4], columns=["s1", "s2", "s3", heading])
    frame[f"{heading} group"] = np.where(np.arange(300) % 3, "a ", "A")
    draft = cx.Codebook.draft(frame)
    path = draft.write(tmp_path / "book.yml")
    assert Codebook.read(path).to_dict() == draft.codebook.to_dict()
    assert not cx.check(frame, draft).errors


def test_strays_are_named_and_left():
    frame = pd.DataFrame(FIVE[:, :4], columns=["s1", "s2", "s3", "s4"]).astype(object)
    frame.loc[3, "s2"], frame.loc[4, "s3"] = 55, "abc"
    draft = cx.Codebook.draft(frame)
    assert draft.codebook.scale == (1, 5)
    assert "'55'" in draft.comments["constructs", "s", "s2"][0].en
    assert "'abc'" in draft.comments["constructs", "s", "s3"][0].en


def test_a_table_without_answers_is_refused_in_one_line():
    frame = pd.DataFrame({"branch": ["a", "b"] * 20})
    with pytest.raises(DataError, match="no column of 1 looks like an answer"):
        cx.Codebook.draft(frame)
    with pytest.raises(DataError, match="'q' stands in the table twice"):
        cx.Codebook.draft(pd.DataFrame([[1, 2]], columns=["q", "q"]))
    with pytest.raises(DataError, match="no rows"):
        cx.Codebook.draft(pd.DataFrame({"q": []}))


def test_thousands_of_columns_stay_linear():
    """Twice the columns take about twice the steps: counted, not timed."""
    import sys

    def steps(p):
        count = 0

        def tracer(frame, event, _):
            nonlocal count
            count += "draft" in frame.f_code.co_filename and event == "call"

        names = [f"c{i // 5}_{i % 5}" for i in range(p)]
        wide = pd.DataFrame(np.tile(FIVE[:40], (1, p // 20)), columns=names)
        sys.setprofile(tracer)
        try:
            cx.Codebook.draft(wide)
        finally:
            sys.setprofile(None)
        return count

    assert steps(400) < 2.3 * steps(200)
