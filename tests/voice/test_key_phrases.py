"""Key phrases: the formula, symmetry, chance, and no personal data."""

import numpy as np
import pytest
from scipy import stats

import cxstats as cx
from cxstats.voice.key_phrases import log_odds_ratio
from cxstats.voice.words import terms_of, word_runs
from tests.gallery.voice_aspects import hostile

TERMS = [
    ("房间不干净，很吵", {"房间", "不干净", "房间不干净", "吵"}),
    ("not clean, never again", {"not clean"}),
    ("Wi-Fi 2.4 GHz!", {"wi-fi", "ghz"}),
    ("front-desk 服务", {"front-desk", "服务", "front-desk 服务"}),
    ("👍👍", {"👍", "👍 👍"}),
    ("call 13800138000 Mr Smith", {"call", "mr"}),
    ("", set()),
    ("的 了 the", set()),
]


@pytest.mark.parametrize(("text", "terms"), TERMS)
def test_terms(text, terms):
    assert terms_of(text) == terms


def test_phrases_do_not_cross_punctuation():
    assert word_runs("dirty. room") == [["dirty"], ["room"]]
    assert "dirty room" not in terms_of("dirty. room")


def test_log_odds_ratio_is_that_of_the_papers():
    """Gart's with 1/2; Monroe's (equation 16 and 20) with a prior of the pooled shares."""
    d, se = log_odds_ratio(30, 10, 100, 80)
    assert d == pytest.approx(np.log(30.5 / 70.5) - np.log(10.5 / 70.5))
    assert se == pytest.approx(np.sqrt(1 / 30.5 + 1 / 70.5 + 1 / 10.5 + 1 / 70.5))
    d, _ = log_odds_ratio(30, 10, 100, 80, prior=50)
    a = 50 * 40 / 180
    first, second = (30 + a) / (150 - 30 - a), (10 + a) / (130 - 10 - a)
    assert d == pytest.approx(np.log(first / second))
    assert abs(log_odds_ratio(30, 10, 100, 80, 1e9)[0]) < 1e-5


def test_swapping_the_groups_turns_the_sign():
    bad, good = ["dirty room", "slow desk"] * 10, ["lovely room", "kind desk", "desk"] * 10
    first = cx.key_phrases(bad, good).table.set_index("phrase")
    second = cx.key_phrases(good, bad).table.set_index("phrase").loc[first.index]
    assert first["estimate"].to_numpy() == pytest.approx(-second["estimate"].to_numpy())
    assert first["count_1"].tolist() == second["count_2"].tolist()
    assert first["p_adjusted"].to_numpy() == pytest.approx(second["p_adjusted"].to_numpy())


def test_a_text_that_repeats_a_word_counts_once():
    table = cx.key_phrases(["dirty dirty dirty"] * 5, ["clean"] * 5).table.set_index("phrase")
    assert table.loc["dirty", "count_1"] == 5


def test_chance_is_seldom_significant():
    """Of 100 pairs of groups that do not differ, few have any adjusted p below .05."""
    rng = np.random.default_rng(4)
    words, hits = [f"{a}{b}x" for a in "abcde" for b in "fghij"], 0
    for _ in range(100):
        texts = [". ".join(w for w in words if rng.random() < 0.25) for _ in range(80)]
        table = cx.key_phrases(texts[:40], texts[40:], longest=1).table
        hits += bool((table["p_adjusted"] < 0.05).any())
    assert hits <= stats.binom.ppf(0.999, 100, 0.05)


@pytest.mark.slow
def test_intervals_cover():
    """Shares .3 against .15, 100 texts each: 5,000 samples."""
    rng = np.random.default_rng(5)
    truth = np.log(0.3 / 0.7) - np.log(0.15 / 0.85)
    d, se = log_odds_ratio(rng.binomial(100, 0.3, 5_000), rng.binomial(100, 0.15, 5_000), 100, 100)
    assert abs((np.abs(d - truth) <= 1.96 * se).mean() - 0.95) < 0.012


def test_no_personal_data_and_no_markup(tmp_path):
    result = cx.key_phrases(hostile(), ["bathroom 13800138000 =cmd()"] * 6)
    assert not result.table["phrase"].str.contains("138").any()
    assert "<script" not in result.export(tmp_path / "p.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"longest": 4}, "longest=4; allowed: 1, 2 or 3"),
        ({"least": 0}, "least=0; allowed"),
        ({"prior": -1}, "prior=-1; allowed: numbers above 0"),
        ({"level": 0.2}, "level is 0.2"),
        ({"against": []}, "there are no texts"),
        ({"against": [3j]}, "allowed: text, a number, or nothing"),
        ({"column": "t"}, "column='t', but texts is no table"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(cx.CxError, match=message):
        cx.key_phrases(["a b"], **options)
