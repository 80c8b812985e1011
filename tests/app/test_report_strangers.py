"""Reports of files that nobody expected: each ends in a report or in one error that helps."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.app.report.client import open_client
from cxstats.app.report.reporting import Report, analyse
from cxstats.app.report.wording import without_code
from cxstats.core.language import Text, both

ITEMS = [f"q{i}" for i in range(6)]
# What no sentence may hold: no number, a count of one with a plural, an option of a function.
BROKEN = re.compile(
    r"(?<!\w)(nan|None|NaN|NaT|inf|<NA>)(?!\w)|[(（ ]–[;；,)） ]|(?<=[(（])\d+\.0(?=[)）])|"
    r"(?<![\w.,])1 (groups|respondents|rows|answers|waves|columns|values)\b|\b[a-z_]+="
)
ENGLISH = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]{2,}){3}")


@pytest.fixture
def frame():
    rng = np.random.default_rng(3)
    mood = rng.normal(size=120)
    columns = {q: np.clip(np.round(3.2 + mood + rng.normal(size=120)), 1, 5) for q in ITEMS}
    return pd.DataFrame(columns).assign(
        site=rng.choice(["a", "b", "c"], 120),
        wave=rng.choice(["2026Q1", "2026Q2", "2026Q3"], 120),
        rec=rng.integers(0, 11, 120),
        sat=rng.integers(1, 8, 120),
        easy=rng.integers(1, 6, 120),
    )


@pytest.fixture
def book():
    return {
        "scale": [1, 5],
        "constructs": {"Care": ITEMS[:3], "Speed": ITEMS[3:]},
        "questions": {
            "nps": {"kind": "nps", "column": "rec"},
            "pleased": {"kind": "csat", "column": "sat", "scale": [1, 7]},
            "effort": {"kind": "ces", "column": "easy", "scale": [1, 5], "best": "low"},
        },
        "groups": ["site"],
        "wave": "wave",
    }


@pytest.fixture
def made(tmp_path):
    def make(frame, book, **options):
        path = tmp_path / "client.csv"
        frame.to_csv(path, index=False)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            client = open_client(path, book, **options)
            return Report(both("report.section.gaps"), analyse(client), client, (), client.doubts)

    return make


def texts(report, lang):
    for section in report.sections:
        yield from (reason.get(lang) for reason in section.absent)
        yield from (sentence.text(lang) for sentence in section.all_sentences())
        for finding in section.findings:
            yield finding.method.get(lang)
            yield from (caveat.get(lang) for caveat in finding.caveats)


def assert_readable(report):
    for lang in ("en", "zh"):
        broken = [text for text in texts(report, lang) if BROKEN.search(text)]
        assert broken == []
    assert [text for text in texts(report, "zh") if ENGLISH.search(text)] == []


CHANGES = {
    "one respondent": lambda f: f.head(1),
    "two respondents": lambda f: f.head(2),
    "all below the smallest cell": lambda f: f.head(9),
    "twelve respondents": lambda f: f.head(12),
    "all answers equal": lambda f: f.assign(**dict.fromkeys([*ITEMS, "rec", "sat", "easy"], 4)),
    "a constant question": lambda f: f.assign(sat=5, rec=9),
    "a question without answers": lambda f: f.assign(sat=np.nan),
    "a wave without answers": lambda f: f.assign(rec=f["rec"].where(f["wave"] != "2026Q2")),
    "a group without answers": lambda f: f.assign(sat=f["sat"].where(f["site"] != "a")),
    "no group at all": lambda f: f.assign(site=np.nan),
    "no wave at all": lambda f: f.assign(wave=np.nan),
    "one wave": lambda f: f.assign(wave=2026),
    "a group a respondent": lambda f: f.assign(site=[f"g{i}" for i in range(len(f))]),
    "groups that are numbers with gaps": lambda f: f.assign(
        site=f["site"].map({"a": 1, "b": 2, "c": np.nan})
    ),
    "waves without an order": lambda f: f.assign(
        wave=f["wave"].map({"2026Q1": "pear", "2026Q2": "fig", "2026Q3": "plum"})
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_unusual_answers_end_in_a_report(change, frame, book, made):
    assert_readable(made(change(frame), book))


@pytest.mark.parametrize(
    "column", ["estimate", "n", "score", "group", "p_adjusted", "p_value", "suppressed", "Overall"]
)
def test_groups_called_as_columns_of_results(column, frame, book, made):
    report = made(frame.rename(columns={"site": column}), book | {"groups": [column]})
    assert_readable(report)
    assert report.section("gaps").findings


def test_waves_that_are_groups_are_compared_once(frame, book, made):
    report = made(frame, book | {"groups": ["site", "wave"]})
    tables = [t for s in report.sections for t in s.all_tables()]
    by_key = {}
    for table in tables:
        assert by_key.setdefault(table.key, table) is table
    assert report.client.codebook.group_columns == ("site",)


def test_an_interval_without_zero_that_is_not_told_apart_is_explained(frame, book, made):
    """Three waves, two comparisons: p = .03 becomes .07, while the interval stays above zero."""
    promoters = {"2026Q1": 20, "2026Q2": 22, "2026Q3": 29}
    waves = np.repeat(list(promoters), 40)
    answers = [10 if i < promoters[wave] else 0 for wave in promoters for i in range(40)]
    report = made(frame.assign(wave=waves, rec=answers), book)
    sentences = [f.headline for f in report.section("metrics").findings]
    (allowed,) = [s for s in sentences if s.key == "report.waves.allowed"]
    assert "leaves zero out, but the test allows for every comparison" in allowed.text("en")
    assert "单看这一区间并不含零" in allowed.text("zh")


def test_groups_with_one_value_are_not_said_to_run_from_it_to_it(frame, book, made):
    report = made(frame.assign(sat=[6, 7] * 60), book)
    found = [f.headline.key for f in report.section("metrics").findings]
    assert "report.groups.equal" in found


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"pleased": 75}, "pleased=75; allowed: a number from 0 to 1; a share of 75 % is 0.75"),
        ({"pleased": np.nan}, "pleased=nan; allowed: a number from 0 to 1"),
        ({"nps": 400}, "nps=400; allowed: a number from -100 to 100"),
        ({"effort": 6}, "effort=6; allowed: a number from 1 to 5"),
        ({"Care": -1}, "Care=-1; allowed: a number from 1 to 5"),
        ({"Care": "4"}, "Care='4'; allowed: a number from 1 to 5"),
    ],
)
def test_targets_outside_of_what_a_metric_can_be(targets, message, frame, book, made):
    with pytest.raises(cx.CxError, match=re.escape(message)):
        made(frame, book, targets=targets)


def test_shares_of_the_scorecard_say_per_cent(frame, book, made):
    report = made(frame, book, targets={"pleased": 0.99, "nps": 99})
    share, points = sorted(
        (s.text("en") for s in report.section("scorecard").sentences), key=lambda s: "NPS" in s
    )
    assert "the target of 99.0 % is missed" in share
    assert "the target of 99.0 is missed" in points


@pytest.mark.parametrize("option", ["groups", "wave", "weights"])
def test_a_column_that_is_not_there_is_an_error_at_once(option, frame, book, made):
    value = ["nope"] if option == "groups" else "nope"
    with pytest.raises(
        cx.CxError, match=f"{option}: column 'nope' is not in the file; allowed: q0"
    ):
        made(frame, book, **{option: value})


@pytest.mark.parametrize(
    ("weight", "message"),
    [(0, "add up to 0"), (-1, "row 2, column 'w': the weight is -1"), (np.nan, "is missing")],
)
def test_wrong_weights_are_an_error_at_once(weight, message, frame, book, made):
    with pytest.raises(cx.DataError, match=message):
        made(frame.assign(w=weight), book, weights="w")


@pytest.mark.parametrize("forms", [[], ["pdf"], ".pdf", ""])
def test_forms_that_there_are_not(forms, frame, book, tmp_path):
    frame.to_csv(tmp_path / "client.csv", index=False)
    with pytest.raises(cx.CxError, match=r"allowed: some of \.html, \.xlsx, \.pptx, \.docx"):
        cx.report(tmp_path / "client.csv", book, forms=forms, out=tmp_path / "made")


@pytest.mark.parametrize("template", ["none.pptx", "client.csv"])
def test_a_wrong_template_is_told_before_the_work(template, frame, book, tmp_path, monkeypatch):
    frame.to_csv(tmp_path / "client.csv", index=False)
    monkeypatch.setattr("cxstats.app.report.reporting.open_client", None)
    with pytest.raises(cx.CxError, match=re.escape(template)):
        cx.report(tmp_path / "client.csv", book, out=tmp_path, template=tmp_path / template)


def test_forms_without_the_dot(frame, book, tmp_path):
    frame.head(30).to_csv(tmp_path / "client.csv", index=False)
    few = {"questions": {"pleased": book["questions"]["pleased"]}}
    made = cx.report(tmp_path / "client.csv", few, forms="HTML", out=tmp_path / "made")
    assert [path.name for path in made.files] == ["report_en.html"]


@pytest.mark.parametrize(
    ("note", "plain"),
    [
        ("few; in 91 % of samples; interval='hall' covers there", "few; in 91 % of samples"),
        ('1.5 times as much; limits="laney" allows for it', "1.5 times as much"),
        ("rows: partial (2); leave_out=['partial'] leaves them out", "rows: partial (2)"),
        ("A first. With adjust='holm' it is. A last.", "A first. A last."),
        ("one row: wide = frame.pivot(index='a'); wide.columns = ['b']", "one row"),
        ("about 0.5; group a=b is small", "about 0.5; group a=b is small"),
        ("interval='hall'", "interval='hall'"),
        ("", ""),
    ],
)
def test_caveats_name_no_options(note, plain):
    assert without_code(Text(note, note)) == Text(plain, plain)
