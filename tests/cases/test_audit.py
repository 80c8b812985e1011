import json
from decimal import Decimal

import pytest

import cxstats as cx
from cxstats.cases.audit import audit
from cxstats.cases.checks import run_checks
from cxstats.cases.derive import derive
from cxstats.cases.facts import read_facts

# identifier, recomputed change in per cent to 4 decimals, points where a rate or an index
CHANGES = [
    ("F007", "-92.3077", None),
    ("F009", "-83.3333", None),
    ("F012", "-90.0000", None),
    ("F013", "22.6667", "17"),
    ("F014", "325.0000", "65"),
    ("F015", "-75.0000", "-30"),
    ("F035", "-84.9057", None),
    ("F042", "-66.6667", None),
    ("F046", "-68.0000", None),
    ("F052", "-67.8571", None),
    ("F067", "183.1325", "15.2"),
    ("F068", "242.8571", "5.1"),
    ("F069", "287.5000", None),
    ("F070", "870.7401", "1.5177"),
    ("F071", "228.9474", None),
    ("F072", "112.5000", "36"),
    ("F073", "-73.7500", "-0.59"),
    ("F074", "97.7778", "44"),
    ("F075", "280.4878", None),
    ("F076", "161.1111", "29"),
    ("F077", "135.8696", "12.5"),
    ("F078", "-45.6000", None),
    ("F108", "-80.0000", None),
    ("F109", "-98.0000", "-4.9"),
    ("F110", "33.3333", "20"),
    ("F111", "28.5714", "20"),
]
AGREE = ["F071", "F072", "F073", "F074", "F075", "F076", "F077", "F078", "F110", "F111"]
CONTRADICTED = ["F028", "F050", "F053"]
CHECKS = {
    "C01": (True, "100"),
    "C02": (True, "100"),
    "C03": (True, "100"),
    "C04": (True, "1"),
    "C05": (False, "9"),
    "C06": (None, "40"),
    "C07": (
        False,
        "−66.7 / −75.0; −62.5 / −68.0; −66.7 / −60.0; −70.0 / −67.9",
    ),
    "C08": (None, "60; 95"),
    "C09": (True, "8"),
    "C10": (True, "2"),
    "C11": (None, "4.75 → 8.50 (+78.9 %)"),
    "C12": (None, "3.04 → 2.63 (−13.7 %)"),
    "C13": (None, "48.7 %"),
    "C14": (None, "2018–2021"),
    "C15": (True, "5.3"),
}


@pytest.fixture(scope="module")
def result():
    return audit()


@pytest.fixture
def facts():
    return {fact.id: fact for fact in read_facts()}


def test_everything_is_accounted_for(result):
    assert [fact.fact.id for fact in result.facts] == [f"F{n:03d}" for n in range(1, 112)]
    assert [check.id for check in result.checks] == list(CHECKS)
    assert len(result.formulas) == 43
    assert len(result.source_errors) == 24
    assert (result.agree, result.disagree, result.unchecked) == (10, 3, 98)
    assert sum(result.counts.values()) == 111


@pytest.mark.parametrize(("name", "change", "points"), CHANGES)
def test_changes(result, name, change, points):
    fact = result.fact(name)
    assert round(fact.recomputed, 4) == Decimal(change)
    assert (fact.points and round(fact.points, 4)) == (points and Decimal(points))


def test_every_change_is_tested(result):
    changed = [fact.fact.id for fact in result.facts if fact.before is not None and fact.after]
    assert sorted({*[row[0] for row in CHANGES], *_steps_and_loads()}) == sorted(changed)


def _steps_and_loads():
    return [f"F{n:03d}" for n in range(42, 54) if n % 3 != 2]


def test_verdicts(result):
    assert [f.fact.id for f in result.facts if f.agrees is True] == AGREE
    assert [f.fact.id for f in result.facts if f.agrees is False] == CONTRADICTED
    assert result.fact("F028").recomputed == 9
    assert result.fact("F002").verdict == "stated"
    assert [f.fact.id for f in result.facts if f.verdict == "lost"] == ["F086", "F107"]


def test_effects_without_base_are_never_recomputed(result):
    effects = [fact for fact in result.facts if fact.fact.kind == "reported_effect"]
    assert len(effects) == 24
    assert all(fact.recomputed is None and fact.points is None for fact in effects)
    assert all(f.verdict == "as_reported" for f in effects if f.fact.id not in CONTRADICTED)


def test_derived_facts_are_ours(result, facts):
    ours = [fact.fact.id for fact in result.facts if fact.verdict == "derived"]
    assert ours == ["F007", "F010", "F011", "F067", "F068", "F069", "F070"]
    assert sorted(derive(facts)) == ours
    for name in ours:
        assert facts[name].before is facts[name].after is facts[name].value is None
        assert result.fact(name).published is None
    assert result.fact("F010").recomputed == 25000
    assert round(result.fact("F011").recomputed, 4) == Decimal("416.6667")


@pytest.mark.parametrize(("name", "expected"), CHECKS.items())
def test_checks(result, name, expected):
    check = next(check for check in result.checks if check.id == name)
    assert (check.agrees, check.recomputed) == expected


# Change one published number and the check that rests on it must turn over.
@pytest.mark.parametrize(
    ("check", "fact", "field", "value", "agrees"),
    [
        ("C01", "F021", "value", "27", False),
        ("C02", "F032", "value", "11", False),
        ("C03", "F036", "value", "24", False),
        ("C04", "F079", "value", "0.31", False),
        ("C05", "F028", "value", "9.0", True),
        ("C09", "F072", "printed_change", "112", False),
        ("C10", "F110", "printed_change", "33.4", False),
        ("C15", "F035", "before", "5", False),
    ],
)
def test_a_check_can_fail_and_can_hold(facts, check, fact, field, value, agrees):
    changed = {**facts, fact: _with(facts[fact], field, value)}
    found = {outcome.id: outcome for outcome in run_checks(changed)}
    assert found[check].agrees is agrees


def test_effort_within_its_causes_is_not_contradicted(facts):
    changed = facts | {
        "F050": _with(facts["F050"], "printed_change", "-67"),
        "F053": _with(facts["F053"], "printed_change", "-68"),
    }
    found = {outcome.id: outcome for outcome in run_checks(changed)}
    assert found["C07"].agrees is True
    assert found["C07"].contradictions == ()


def _with(fact, field, value):
    values = {name: getattr(fact, name) for name in fact.__slots__}
    return type(fact)(**{**values, field: Decimal(value)})


def test_points_come_first(result):
    assert result.fact("F072").change_text() == "+36 points (+113 %)"
    assert result.fact("F072").change_text("zh") == "+36 分（+113%）"
    assert result.fact("F074").change_text("zh") == "+44 个百分点（+98%）"
    assert result.fact("F075").change_text() == "+280 %"


def test_plain_form_is_json(result):
    data = json.loads(json.dumps(result.to_dict("zh"), ensure_ascii=False, allow_nan=False))
    assert {key: len(rows) for key, rows in data.items()} == {
        "facts": 111,
        "checks": 15,
        "formulas": 43,
        "source_errors": 24,
    }
    nps = next(row for row in data["facts"] if row["id"] == "F072")
    assert (nps["published"], nps["recomputed"], nps["points"]) == (113, 112.5, 36)
    assert nps["agrees"] is True
    assert nps["quantity"] == "净推荐值（NPS）"


def test_table_and_summary(result):
    assert len(result.table) == 111
    assert result.table["agrees"].sum() == 10
    summary = result.summary()
    assert summary.startswith("111 facts: 10 agree, 3 disagree, 98 cannot be checked")
    assert all(name in summary for name in CONTRADICTED)
    assert "10 项相符" in result.summary("zh")
    assert str(result) == summary
    assert "10 agree" in result._repr_html_()


def test_unknown_fact(result):
    with pytest.raises(KeyError, match="no fact 'F999'"):
        result.fact("F999")


def test_unknown_language(result):
    with pytest.raises(cx.CxError, match=r"lang='de'.*allowed: 'en', 'zh'"):
        result.summary("de")


def test_every_text_is_in_both_languages(result):
    for lang, other in (("en", "zh"), ("zh", "en")):
        for fact in result.facts:
            assert fact.reason.get(lang) != fact.reason.get(other)
            assert fact.fact.name(lang) != fact.fact.name(other)
        for check in result.checks:
            assert check.title.get(lang) != check.title.get(other)
            assert check.reason.get(lang) != check.reason.get(other)
