"""The simulated client: its population is true, and its workbook gives the answers back."""

import time
import warnings
from collections import Counter

import numpy as np
import openpyxl
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, WriteError
from cxstats.datasets import write_client_workbook

LARGE = 150_000
STANDARD_ERRORS = 4.5  # of about 60 estimates together; a mistake of .02 steps is 5 of them


@pytest.fixture(scope="module")
def large():
    return cx.simulate_client(LARGE, seed=3)


def columns(book):
    """Return the columns that name groups, as the codebook has them: branch, channel, wave."""
    branch, channel, _ = book.group_columns
    return branch, channel, book.wave_column


def within(estimates, truths, errors):
    """Return the largest distance from the truth, in standard errors."""
    names = list(truths)
    distance = estimates.loc[names].to_numpy(float) - np.array([truths[name] for name in names])
    return np.abs(distance / errors.loc[names].to_numpy(float)).max()


def test_gaps_are_those_of_the_population(large):
    frame, book = large
    population = frame.attrs["population"]
    branch, _, wave = columns(book)
    table = cx.servqual(frame, book).table
    assert within(table["estimate"], population["gap"], table["se"]) < STANDARD_ERRORS
    for column, truths in (
        (wave, population["gap_by_wave"]),
        (branch, population["gap_by_branch"]),
    ):
        for name, truth in truths.items():
            group = frame[frame[column] == name]
            if len(group) > 100:
                table = cx.servqual(group, book).table
                assert within(table["estimate"], truth, table["se"]) < STANDARD_ERRORS


def test_metrics_are_those_of_the_population_where_they_are_weighted(large):
    frame, book = large
    population = frame.attrs["population"]
    branch, channel, wave = columns(book)

    def far(metric, by, truths, scale=1):
        table = metric.table.assign(key=metric.table[by] if by else "all").set_index("key")
        truths = truths if by else {"all": truths}
        small = [name for name in truths if name in table.index and table.loc[name, "n"] < 50]
        truths = {name: value for name, value in truths.items() if name not in small}
        return within(table["estimate"], truths, table["se"])

    nps = {by: cx.nps(frame, by=by, codebook=book) for by in (None, branch, wave)}
    assert far(nps[None], None, population["nps"]) < STANDARD_ERRORS
    assert far(nps[branch], branch, population["nps_by_branch"]) < STANDARD_ERRORS
    assert far(nps[wave], wave, population["nps_by_wave"]) < STANDARD_ERRORS
    csat = {by: cx.csat(frame, by=by, codebook=book) for by in (None, wave)}
    assert far(csat[None], None, population["satisfied"]) < STANDARD_ERRORS
    assert far(csat[wave], wave, population["satisfied_by_wave"]) < STANDARD_ERRORS
    ease = cx.ces(frame, by=channel, kind="mean", direction="ease", codebook=book)
    assert far(ease, channel, population["ease_by_channel"]) < STANDARD_ERRORS
    unweighted = cx.nps(frame[book.question("nps").column])
    assert population["nps"] - unweighted.table["estimate"][0] > 4


def test_drivers_come_in_their_true_order(large):
    frame, book = large
    scores = pd.DataFrame(
        {
            name: frame[list(book.columns("perception", name))].mean(axis=1)
            for name in book.constructs
        }
    )
    scores["y"] = frame[book.question("csat").column]
    drivers = cx.drivers(scores, "y", list(book.constructs), n_resamples=20).table
    order = drivers["estimate"].sort_values(ascending=False).index.tolist()
    effects = frame.attrs["population"]["drivers"]
    assert order == list(effects) == sorted(effects, key=lambda name: -effects[name])


def test_services_and_comments_have_their_shares(large):
    frame, book = large
    population = frame.attrs["population"]
    table = cx.choices(frame, codebook=book, weights=None).table.set_index("option")
    assert within(table["estimate"], population["services"], table["se"]) < STANDARD_ERRORS
    comments = frame[book.question("text").column].dropna()
    contact = comments.str.contains("1380000|@")
    assert contact.sum() == population["n_with_contact"] > 0
    masked, _ = cx.mask_personal_data(comments[contact].head(200))
    assert not masked.str.contains("1380000|@example").any()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("n", [100, 420, 5_000])
def test_form(n, lang):
    frame, book = cx.simulate_client(n, seed=2, lang=lang)
    assert frame.shape == (n, 60)
    assert list(frame.columns) == [c for c in frame.columns if c in book.all_columns]
    assert frame.attrs["synthetic"] is True
    branch = frame[book.group_columns[0]].value_counts()
    assert len(branch) == 6
    assert branch.min() == 7
    assert branch.nunique() == 6
    assert set(frame[book.wave_column]) == set(book.wave_order)
    assert frame[book.weights].sum() == pytest.approx(n, rel=0.25)
    assert not cx.check(frame, book).errors


def test_languages_hold_the_same_answers():
    chinese, book = cx.simulate_client(150, seed=4)
    english, other = cx.simulate_client(150, seed=4, lang="en")
    for a, b in zip(book.answer_columns, other.answer_columns, strict=True):
        assert chinese[a].equals(english[b].rename(a))
    assert cx.simulate_client(150, seed=4)[0].equals(chinese)
    assert not cx.simulate_client(150, seed=5)[0].equals(chinese)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"n": 99}, "n=99.*100"), ({"n": 4.5}, "n=4.5"), ({"n": True}, "n=True"),
        ({"n": 2_000_000}, "1,000,000"), ({"seed": -1}, "seed=-1"), ({"seed": "a"}, "seed='a'"),
        ({"lang": "fr"}, "fr"),
    ],
)  # fmt: skip
def test_what_is_out_of_range(arguments, match):
    with pytest.raises(CxError, match=match):
        cx.simulate_client(**arguments)


def test_a_hundred_thousand_are_simulated_in_seconds():
    start = time.perf_counter()
    cx.simulate_client(100_000)
    print(f"simulate_client(100_000): {time.perf_counter() - start:.1f} s")


# ------------------------------------------------------------------ the workbook


@pytest.fixture(scope="module", params=["zh", "en"])
def client(request, tmp_path_factory):
    """Return the workbook, what was planted in it, and the answers behind it."""
    file = tmp_path_factory.mktemp("client") / f"client_{request.param}.xlsx"
    faults = write_client_workbook(file, seed=11, lang=request.param)
    return file, faults, *cx.simulate_client(seed=11, lang=request.param)


def read(file, **options):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "client_.*no respondents are still", UserWarning)
        return cx.read_survey(file, **options)


def test_clean_gives_back_the_simulated_answers(client):
    """All but what is off the scale, and a comment that is marked, is as it was simulated."""
    file, faults, simulated, book = client
    responses = read(file, leave_out=["total"], dates="ymd")
    cleaned, _ = cx.clean(responses, book, drop_duplicates=True, on_error="missing")
    assert list(cleaned.columns) == list(simulated.columns)
    expected = simulated.set_axis(cleaned.index)
    for fault in faults[faults["kind"] == "out_of_range"].itertuples():
        assert np.isnan(cleaned.at[fault.row, fault.column])
        expected.loc[fault.row, fault.column] = np.nan
    for fault in faults[faults["kind"] == "formula_text"].itertuples():
        assert cleaned.at[fault.row, fault.column] == "'" + fault.written
        expected.loc[fault.row, fault.column] = "'" + fault.written
    for fault in faults[faults["kind"] == "mixed_date"].itertuples():
        assert cleaned.at[fault.row, fault.column].normalize() == fault.simulated
        cleaned.loc[fault.row, fault.column] = fault.simulated
    for column in simulated:
        a, b = cleaned[column], expected[column]
        assert (a.isna() == b.isna()).all(), column
        assert (a[a.notna()] == b[b.notna()]).all(), column


def test_every_fault_is_reported(client):
    file, faults, _, book = client
    raw = read(file)
    pointed_out = raw.attrs["read_report"].pointed_out
    rows = {kind: group["row"].tolist() for kind, group in faults.groupby("kind")}
    assert pointed_out == {"total": tuple(rows["total"]), "hidden": tuple(rows["hidden"])}
    responses = read(file, leave_out=["total"])
    problems = list(cx.check(responses, book).problems)
    counts = Counter(problem.kind for problem in problems)
    off = {(p.row, p.column): p.value for p in problems if p.kind == "out_of_range"}
    planted = faults[faults["kind"] == "out_of_range"]
    assert off == {(f.row, f.column): f.written for f in planted.itertuples()}
    assert [p.row for p in problems if p.kind == "duplicate_respondent"] == rows[
        "duplicate_respondent"
    ]
    assert [p.row for p in problems if p.kind == "formula_text"] == rows["formula_text"]
    labels = sum(p.value for p in problems if p.kind == "answer_label")
    assert labels == len(rows["answer_label"])
    (dates,) = (p.message.en for p in problems if p.kind == "mixed_dates")
    assert f"dates of Excel ({len(responses) - len(rows['mixed_date'])})" in dates
    assert counts["alike_groups"] == 0  # the codebook says what they mean, and clean lists them
    _, changes = cx.clean(responses, book, drop_duplicates=True, on_error="missing")
    assert changes.counts["group_name"] == len(rows["alike_group"])
    assert changes.counts["answer_label"] == len(rows["answer_label"])
    note = next(note.en for note in changes.notes if "written as text" in note.en)
    assert note.count("(1)") == len(rows["numeric_text"])


def test_alike_branches_are_offered_where_the_codebook_says_nothing(client):
    from dataclasses import replace

    file, faults, _, book = client
    branch = book.group_columns[0]
    silent = replace(book, groups=list(book.group_columns))
    responses = read(file, leave_out=["total"])
    pairs = [p for p in cx.check(responses, silent).problems if p.kind == "alike_groups"]
    assert {p.column for p in pairs} == {branch}
    written = set(faults.loc[faults["kind"] == "alike_group", "written"])
    assert {p.details["first"] for p in pairs} == set(map(repr, written))


def test_the_file_says_that_it_is_synthetic(client):
    file, _, _, _ = client
    book = openpyxl.load_workbook(file)
    sheet, notes = book.worksheets
    words = ("合成", "模拟") if "zh" in file.name else ("ynthetic", "simulated")
    assert all(word in str(sheet["A1"].value) for word in words)
    assert all(word in sheet.title for word in words)
    assert words[0] in str(notes["A1"].value) + str(notes["A2"].value)
    assert len(sheet.merged_cells.ranges) == 2
    assert [r for r, d in sheet.row_dimensions.items() if d.hidden]
    formulas = [c for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    assert formulas == []


def test_a_workbook_cannot_be_written_anywhere(tmp_path):
    with pytest.raises(CxError, match=r"ends in \.xlsx"):
        write_client_workbook(tmp_path / "client.csv", 100)
    with pytest.raises((WriteError, CxError), match="client"):
        write_client_workbook(tmp_path / "none" / "client.xlsx", 100)
