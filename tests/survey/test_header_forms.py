"""Headers in the forms that clients give them, made at random: every combination has to be read.

Titles of one or two cells, blank rows below them, one or two rows of header, groups merged, with
blanks to their right or repeated, single columns beside them, answers in numbers, words or both.
"""

import csv
import random
from dataclasses import dataclass

import openpyxl
import pytest

import cxstats as cx

ITEMS = {
    "zh": ["设施整洁", "员工礼貌", "按时完成", "记录准确", "理解需求", "解答专业"],
    "en": ["Clean premises", "Polite staff", "On time", "Accurate records", "Needs", "Experts"],
}
ANSWERS = {
    "zh": ["非常不同意", "不同意", "一般", "同意", "非常同意"],
    "en": ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"],
}
BEFORE = {"zh": ["编号", "分行", "月份"], "en": ["ID", "Branch", "Month"]}
BEHIND = {"zh": ["NPS", "电话", "意见"], "en": ["NPS", "Phone", "Comments"]}
ROLES = {"zh": ["期望", "感受"], "en": ["Expectation", "Perception"]}
TITLES = ["客户满意度调查", "Customer survey 2024", "Q1"]
ANSWERED = ["numbers", "words", "both"]
HEADERS = ["single", "merged", "blank to the right", "repeated", "pairs in one row"]


@dataclass
class Form:
    """A table as a client writes it, and the names that its columns should get."""

    rows: list
    names: list
    n: int
    merged: list
    width: int


def made(seed):
    rng = random.Random(seed)
    lang, header, answered = rng.choice(["zh", "en"]), rng.choice(HEADERS), rng.choice(ANSWERED)
    items = ITEMS[lang][: rng.randint(2, 6)]
    before = [i for i in range(3) if rng.random() < 0.7]
    behind = [i for i in range(3) if rng.random() < 0.7]
    roles = [""] if header == "single" else ROLES[lang]
    rows = _titles(rng)
    n_titles, k, m = len(rows), len(before), len(items)
    left, right = [BEFORE[lang][i] for i in before], [BEHIND[lang][i] for i in behind]
    merged = []
    if header in ("single", "pairs in one row"):
        labels = [*items, *(items if len(roles) == 2 else [])]
        rows.append([*left, *labels, *right])
        numbered = [f"{item}.1" for item in items] if len(roles) == 2 else []
        names = [*left, *items, *numbered, *right]
    else:
        fill = roles[0] if header == "repeated" else ""
        fills = [[role, *[role if fill else ""] * (m - 1)] for role in roles]
        rows.append([*left, *fills[0], *fills[1], *right])
        rows.append([*[""] * k, *items, *items, *[""] * len(right)])
        names = [*left, *(f"{role} - {item}" for role in roles for item in items), *right]
        if header == "merged":
            merged = [(n_titles + 1, k + 1 + q * m, k + (q + 1) * m) for q in range(2)]
    n = rng.randint(8, 40)
    for i in range(n):
        first = [i + 1, rng.choice(["A", "B", "北京分行"]), rng.choice(["1月", "2月", "Jan"])]
        answers = [_answer(rng, lang, answered) for _ in range(m * len(roles))]
        last = [rng.randint(0, 10), f"138{rng.randint(0, 10**8):08d}", rng.choice(["好", "", "ok"])]
        rows.append([*(first[j] for j in before), *answers, *(last[j] for j in behind)])
    return Form(rows, names, n, merged, len(names))


def _titles(rng):
    rows = []
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        more = [rng.choice(["2024年3月", "制表人：王"])] if rng.random() < 0.3 else []
        rows.append([rng.choice(TITLES), *more])
    return [*rows, []] if rows and rng.random() < 0.4 else rows


def _answer(rng, lang, answered):
    point = rng.randint(1, 5)
    in_words = answered == "words" or (answered == "both" and rng.random() < 0.5)
    return ANSWERS[lang][point - 1] if in_words else point


def written(form, path):
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            filled = [[*row, *[""] * (form.width - len(row))] for row in form.rows]
            csv.writer(file).writerows(filled)
        return path
    book = openpyxl.Workbook()
    for i, row in enumerate(form.rows, 1):
        for j, cell in enumerate(row, 1):
            if cell != "":
                book.active.cell(i, j, cell)
    for row, first, last in form.merged:
        book.active.merge_cells(start_row=row, end_row=row, start_column=first, end_column=last)
    book.save(path)
    return path


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("start", range(0, 300, 50))
def test_headers_of_every_form_are_read_as_meant(tmp_path, suffix, start):
    misread = []
    for seed in range(start, start + 50):
        form = made(seed)
        frame = cx.read_survey(written(form, tmp_path / f"{seed}{suffix}"))
        if list(frame.columns) != form.names or len(frame) != form.n:
            misread.append((seed, list(frame.columns), form.names))
    assert not misread
