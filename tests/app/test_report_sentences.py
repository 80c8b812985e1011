"""What a report says: numbers from its tables, no causes, orders that are true."""

import re
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from cxstats.app.report import reporting
from cxstats.app.report.client import open_client
from cxstats.app.report.content import Cell, ReportTable, Section
from cxstats.app.report.sections.provenance import command, report_date
from cxstats.core.errors import CxError
from cxstats.core.language import Text, catalogue
from tests.app.clients_with_truth import COMMENTS, DIMENSIONS, Truth, answers, codebook

LANGUAGES = ("en", "zh")
CAUSES = {
    "en": re.compile(
        r"\b(causes?d?|because of|leads? to|raises?|due to|drives|results? in|thanks to|"
        r"improves|reduces)\b"
    ),
    "zh": re.compile("导致|引起|促使|造成|使得|归因于|提升了|降低了"),
}
BROKEN = 1e-9  # relative; a written number is the table's, but for its rounding
MOST_FALSE = 0.05  # of the claims


def written(tmp_path, frame, book, **options):
    """Return the report of a table."""
    path = tmp_path / "client 7.csv"
    frame.to_csv(path, index=False)
    return reporting.report(path, book, **options)


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """Return a report with every chapter, of a file with faults and labels with digits."""
    rng = np.random.default_rng(5)
    frame = answers(Truth.drawn(rng, equal=False), 260, rng)
    frame = frame.astype({"P_care_a": object, "recommend": object})
    frame.loc[3, "P_care_a"] = "often 3"
    frame.loc[9, "recommend"] = 42
    frame.loc[250:, "branch"] = "Kiosk 24"  # ten respondents
    frame.loc[255:, "branch"] = "Kiosk 7"  # hidden
    frame.loc[20:40, "E_trust_b"] = np.nan
    frame.loc[5, "comment"] = "price: call 13800138000"
    frame = pd.concat([frame, frame.iloc[[7]]], ignore_index=True)
    book = codebook()
    book["questions"]["desk"]["label"] = {"en": "Desk 3", "zh": "3 号柜台"}
    folder = tmp_path_factory.mktemp("rich")
    return written(folder, frame, book, targets={"nps": 20, "Care": -0.2})


def client_words(report):
    """Return all that is the client's own and may hold digits."""
    client = report.client
    book, frame = client.codebook, client.answers
    names = [*book.questions, *book.constructs, *book.items, *map(str, frame.columns)]
    texts = {text for name in names for text in client.name(name)}
    texts_of_file = frame.select_dtypes(exclude="number")
    cells = {str(cell) for column in texts_of_file for cell in texts_of_file[column].dropna()}
    cells |= {str(wave) for wave in frame["wave"].unique()}
    return sorted({*texts, *cells, client.file}, key=len, reverse=True)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_digit_is_of_a_cell_or_of_the_client(rich, lang):
    own = client_words(rich)
    n = 0
    for section in rich.sections:
        for sentence in section.all_sentences():
            n += 1
            template = re.sub(r"{\w+}", "", catalogue()[sentence.key].get(lang))
            assert not re.search(r"\d", template), sentence.key
            for value in sentence.values.values():
                if not isinstance(value, Cell):
                    text = value.get(lang) if isinstance(value, Text) else value
                    for word in own:
                        text = text.replace(word, "")
                    assert not re.search(r"\d", text), (sentence.key, value)
            for cell in sentence.cells():
                assert cell.write(lang) in sentence.text(lang)
    assert n > 60


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_number_is_that_of_a_table(rich, lang):
    tables = rich.report_tables()
    cells = [
        cell
        for section in rich.sections
        for sentence in section.all_sentences()
        for cell in sentence.cells()
    ]
    assert len(cells) > 100
    for cell in cells:
        assert tables[cell.table.key] is cell.table
        assert 0 <= cell.row < len(cell.table.frame)
        value = float(cell.table.frame[cell.column].iloc[cell.row])
        number = re.search(r"[−-]?[\d.,]+", cell.write(lang))
        shown = float(number.group().replace("−", "-").replace(",", ""))
        scale = 100.0 if cell.form in ("percent", "points") else 1.0
        decimals = 0 if cell.form == "whole" else cell.decimals
        half = 0.5 * 10.0**-decimals
        assert abs(shown - scale * value) <= half * (1 + BROKEN) + BROKEN, cell


def test_tables_have_keys_of_their_own(rich):
    tables = [table for section in rich.sections for table in section.all_tables()]
    by_key = {}
    for table in tables:
        assert by_key.setdefault(table.key, table) is table, table.key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_tables_can_be_read(rich, lang):
    for table in rich.report_tables().values():
        frame = table.written(lang)
        assert len(frame) == len(table.frame)
        heads = {str(head) for head in frame.columns}
        assert not any("_" in head for head in heads - set(client_words(rich))), table.key


def test_every_chapter_is_there(rich):
    keys = [section.key for section in rich.sections]
    assert keys == [
        "decide", "scorecard", "metrics", "gaps", "drivers", "journeys", "words", "actions",
        "quality", "method", "provenance",
    ]  # fmt: skip
    assert [section.key for section in rich.sections if section.is_empty] == []


def test_no_sentence_speaks_of_causes():
    texts = {key: text for key, text in catalogue().items() if key.startswith("report.")}
    assert len(texts) > 150
    for key, text in texts.items():
        for lang in LANGUAGES:
            assert not CAUSES[lang].search(text.get(lang).lower()), (key, text.get(lang))


def test_what_is_hidden_is_nowhere(rich):
    for section in rich.sections:
        for lang in LANGUAGES:
            said = " ".join(sentence.text(lang) for sentence in section.all_sentences())
            assert "13800138000" not in said
    small = rich.report_tables()["gap_by_branch"].frame
    hidden = small[small["group"] == "Kiosk 7"]
    assert len(hidden) == 5
    assert hidden["estimate"].isna().all()


def test_quality_counts_what_was_wrong(rich):
    tables = rich.report_tables()
    assert tables["rows"].frame.iloc[0].to_dict() == {
        "file_rows": 261, "left_out": 0, "doubled": 1, "used": 260
    }  # fmt: skip
    unusable = tables["unusable"].frame.set_index("column")["n"].to_dict()
    assert unusable == {"P_care_a": 1, "recommend": 1}
    first = tables["unusable_first"].frame
    assert first[["row", "column"]].to_numpy().tolist() == [["5", "P_care_a"], ["11", "recommend"]]
    missing = tables["missing"].frame.set_index("column")["n_missing"]
    assert missing["E_trust_b"] == 21
    small = tables["small_cells"].frame
    assert small[["groups", "small", "min_cell"]].iloc[0].tolist() == [6, 2, 10]


def test_a_file_with_one_column_says_what_is_missing(tmp_path):
    frame = pd.DataFrame({"recommend": [9, 10, 3, 8, 7] * 10})
    book = {"questions": {"nps": {"kind": "nps", "column": "recommend"}}}
    made = written(tmp_path, frame, book)
    for key in ("gaps", "drivers", "journeys", "words"):
        section = made.section(key)
        assert section.is_empty
        assert section.absent
        assert all(reason.en and reason.zh for reason in section.absent)


def test_one_answer_an_item_gives_means(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"a{i}": rng.integers(1, 6, 80) for i in range(3)})
    frame["b0"], frame["b1"] = rng.integers(3, 6, 80), rng.integers(3, 6, 80)
    book = {"scale": [1, 5], "constructs": {"A": ["a0", "a1", "a2"], "B": ["b0", "b1"]}}
    made = written(tmp_path, frame, book)
    section = made.section("gaps")
    headline = section.findings[0].headline
    assert headline.key == "report.gaps.lowest.perception"
    assert headline.text("en").startswith("A has the lowest mean: ")
    table = section.findings[0].table.frame
    answered = made.client.answers[["a0", "a1", "a2"]]
    assert table["estimate"].iloc[0] == pytest.approx(answered.mean(axis=1).mean())
    assert [indicator.key for indicator in section.indicators] == ["A", "B"]


def test_a_chapter_that_fails_says_why_and_a_bug_raises(tmp_path, monkeypatch):
    def gaps(client):
        raise CxError("the data do not allow it")

    def drivers(client):
        raise KeyError("a bug")

    frame = pd.DataFrame({"recommend": [9, 10, 3, 8, 7] * 10})
    book = {"questions": {"nps": {"kind": "nps", "column": "recommend"}}}
    monkeypatch.setattr(reporting, "ANALYSES", (*reporting.ANALYSES[:1], gaps))
    section = written(tmp_path, frame, book).section("gaps")
    assert "the data do not allow it" in section.absent[0].en
    monkeypatch.setattr(reporting, "ANALYSES", (drivers,))
    with pytest.raises(KeyError):
        written(tmp_path, frame, book)


def test_orders_are_stated_at_a_level_for_all_tables():
    """Benjamini and Bogomolov by hand: of four families the two smallest pass, so alpha / 2."""

    def family(key, *p_values):
        table = pd.DataFrame({"p_adjusted": p_values})
        return Section(key, tables=(ReportTable(key, Text(key, key), table),))

    families = [family("a", 0.9, 0.001), family("b", 0.02), family("c", 0.04), family("d", np.nan)]
    assert reporting.threshold([*families, family("e", 0.3)]) == pytest.approx(0.05 * 2 / 4)
    assert reporting.threshold([family("a", 0.5), family("b", 0.6)]) == pytest.approx(0.05 / 2)
    assert reporting.threshold([]) == 0.05


def test_no_order_is_stated_above_the_limit(rich):
    limit = rich.report_tables()["settings"].frame["threshold"].iloc[0]
    assert 0 < limit < 0.05
    pairs = rich.report_tables()["gap_scores"].frame
    sure = pairs.iloc[:4]["p_adjusted"] <= limit
    claims = {c.measure for s in rich.sections for c in claims_of_section(s)}
    assert {name for name in DIMENSIONS if name in claims} == {
        name for name, is_sure in zip(DIMENSIONS, sure, strict=True) if is_sure
    }


def test_the_date_can_be_set(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert report_date().isoformat() == "1970-01-02T00:00:00+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(CxError, match="SOURCE_DATE_EPOCH='yesterday'; allowed: whole seconds"):
        report_date()


def test_the_command_has_the_options(rich):
    assert command(rich.client) == (
        "cxstats report 'client 7.csv' --codebook codebook.yml --target nps=20 "
        "--target Care=-0.2 --min-cell 10"
    )


def simulated(tmp_path, n_clients, n=300, seed=0):
    """Return how many claims the reports of simulated clients make, and how many are false."""
    counts, clients_wrong = Counter(), 0
    path = tmp_path / "client.csv"
    for number in range(n_clients):
        rng = np.random.default_rng([seed, number])
        truth = Truth.drawn(rng, equal=number % 2 == 0)
        answers(truth, n, rng).to_csv(path, index=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sections = reporting.analyse(open_client(path, codebook()))
        claims = {
            claim.measure + claim.higher + claim.lower: claim
            for section in sections
            for claim in claims_of_section(section)
        }
        wrong = [claim for claim in claims.values() if not truth.holds(claim)]
        counts["claims"] += len(claims)
        counts["wrong"] += len(wrong)
        counts["of equal clients"] += len(claims) * (number % 2 == 0)
        counts.update({f"wrong: {claim.measure.split(':')[0]}": 1 for claim in wrong})
        clients_wrong += bool(wrong)
    counts["clients with a false claim"] = clients_wrong
    return counts


def claims_of_section(section: Section):
    """Return the claims of a chapter."""
    return [claim for sentence in section.all_sentences() for claim in sentence.claims]


def test_few_claims_are_false(tmp_path):
    counts = simulated(tmp_path, 20)
    assert counts["claims"] > 120
    assert counts["wrong"] <= MOST_FALSE * counts["claims"]


@pytest.mark.slow
def test_few_claims_of_many_clients_are_false(tmp_path):
    counts = simulated(tmp_path, 200, seed=1)
    print(dict(counts))
    assert counts["claims"] > 1_200
    assert counts["wrong"] <= MOST_FALSE * counts["claims"]


def test_the_comments_name_one_aspect_each():
    from cxstats.voice.aspects import aspects

    result = aspects(list(COMMENTS.values()))
    named = {a.name.en: m for a, m in zip(result.aspects, result.mentions.T, strict=True)}
    for place, name in enumerate(COMMENTS):
        assert named[name].tolist() == [i == place for i in range(len(COMMENTS))]
    assert sum(m.sum() for m in named.values()) == len(COMMENTS)
