from math import inf, nextafter

import numpy as np
import pytest

import cxstats as cx
from cxstats.stats.rules import DEFAULT, RULES

# Rule, value, English verdict: both sides of every boundary, and the boundary itself.
BOUNDARIES = [
    ("nunnally1994", 0.7, "too low", "acceptable", "acceptable"),
    ("george_mallery2003", 0.5, "unacceptable", "poor", "poor"),
    ("george_mallery2003", 0.6, "poor", "questionable", "questionable"),
    ("george_mallery2003", 0.7, "questionable", "acceptable", "acceptable"),
    ("george_mallery2003", 0.8, "acceptable", "good", "good"),
    ("george_mallery2003", 0.9, "good", "excellent", "excellent"),
    ("hair2019", 0.7, "too low", "acceptable", "acceptable"),
    ("hair2019", 0.95, "acceptable", "items may repeat each other", "items may repeat each other"),
    ("fornell_larcker1981", 0.5, "too low", "acceptable", "acceptable"),
    ("henseler2015", 0.85, "distinct", "close", "close"),
    ("henseler2015", 1.0, "close", "not distinct", "not distinct"),
    ("kline2011", 0.85, "distinct", "not distinct", "not distinct"),
    ("gold2001", 0.9, "distinct", "not distinct", "not distinct"),
    ("henseler2015_interval", 1.0, "distinct", "not distinct", "not distinct"),
    ("browne_cudeck1992", 0.05, "close fit", "close fit", "no close fit"),
    ("cheung_rensvold2002", 0.01, "holds", "broken", "broken"),
    ("meade2008", 0.002, "holds", "broken", "broken"),
    ("kutner2005", 10, "separate", "nearly determined by others", "nearly determined by others"),
    ("hair2019_vif", 5, "not critical", "critical collinearity", "critical collinearity"),
    (
        "saaty1980",
        0.1,
        "consistent enough",
        "consistent enough",
        "judgements contradict each other",
    ),
    ("kohavi2020", 0.001, "mismatch", "as planned", "as planned"),
    ("cochran1954", 5, "too few for chi-square", "enough", "enough"),
    ("cochran1954_share", 0.2, "dense enough", "dense enough", "sparse"),
]


@pytest.mark.parametrize(("name", "cut", "below", "at", "above"), BOUNDARIES)
def test_boundaries(name, cut, below, at, above):
    rule = RULES[name]
    values = (nextafter(cut, -inf), cut, nextafter(cut, inf))
    verdicts = [cx.verdict(value, rule.statistic, name).en for value in values]
    assert verdicts == [below, at, above]


def test_every_boundary_is_in_the_list():
    cuts = {(name, cut) for name, rule in RULES.items() for cut in rule.cuts}
    assert {(name, cut) for name, cut, *_ in BOUNDARIES} == cuts


@pytest.mark.parametrize("name", RULES)
def test_rules_are_cited_and_in_order(name):
    rule = RULES[name]
    assert any(character.isdigit() for character in rule.source)
    assert list(rule.cuts) == sorted(rule.cuts)
    assert len(rule.verdicts) == len(rule.cuts) + 1
    assert all(text.en and text.zh for text in rule.verdicts)
    assert rule.boundary in ("above", "below")


def test_every_statistic_has_a_usual_rule():
    assert {rule.statistic for rule in RULES.values()} == set(DEFAULT)
    assert all(RULES[name].statistic == statistic for statistic, name in DEFAULT.items())


def test_bands_of_an_array():
    values = np.array([[0.84, 0.85], [1.0, np.nan]])
    assert RULES["henseler2015"].band(values).tolist() == [[0, 1], [2, -1]]


def test_unknown_rules_are_named():
    assert cx.verdict(0.95, "alpha", "george_mallery2003").en == "excellent"
    assert cx.verdict(float("nan"), "ave").en == "–"
    with pytest.raises(cx.CxError, match="allowed: nunnally1994, george_mallery2003"):
        cx.verdict(0.7, "alpha", "henseler2015")
    with pytest.raises(cx.CxError, match="no rule for 'beta'"):
        cx.verdict(0.7, "beta")
