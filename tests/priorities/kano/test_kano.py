"""Kano analysis: published rows, another program, properties, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxstats.core.errors import CxError, DataError
from cxstats.datasets.simulate_kano import PAIRS, simulate_kano
from cxstats.priorities.kano import evaluation_table, kano, kano_from_counts
from cxstats.priorities.kano.counts import categories, fong_critical, resampled
from cxstats.priorities.kano.evaluation import ANSWERS, CATEGORIES
from cxstats.priorities.kano.mean_scores import quadrant
from cxstats.priorities.kano.segments import compare
from tests.references import reference, value

# The README of the R package stp25kano (2024-05-11): counts M, O, A, I, R, Q; largest category;
# M>O>A>I; total and category strength in per cent; CS+; CS-; Fong's difference and critical value.
PUBLISHED = {
    "Service app": ([95, 123, 45, 33, 0, 0], "O", "O", 89, 9, 0.568, -0.736, 28, 19.4, True),
    "Excellent service": ([101, 54, 54, 81, 3, 3], "M", "M", 71, 7, 0.372, -0.534, 20, 18.5, True),
    "Hotline": ([15, 24, 121, 124, 6, 6], "I", "A", 54, 1, 0.511, -0.137, 3, 19.8, False),
    "Loan machine": ([65, 87, 93, 51, 0, 0], "A", "O", 83, 2, 0.608, -0.514, 6, 18.5, False),
    "Ready-to-use return": (
        [9, 18, 83, 177, 6, 3], "I", "I", 37, 32, 0.352, -0.094, 94, 19.9, True,
    ),
}  # fmt: skip
COUNTS = {name: row[0] for name, row in PUBLISHED.items()}
NAMES = ["App", "Hotline", "Refund", "Newsletter"]
# R and we sum in another order.
TOLERANCE = 1e-9
# Noncentral chi-square: scipy's inverse stops at about this.
INVERSE = 1e-6


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    return simulate_kano(240, seed=3)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_rows(name):
    row = kano_from_counts(COUNTS).table.loc[name]
    _, largest, ranked, total, strength, better, worse, gap, critical, significant = PUBLISHED[name]
    assert (row["by_count"], row["by_hierarchy"], row["category"]) == (largest, ranked, ranked)
    assert round(100 * row["total_strength"]) == total
    assert round(100 * row["category_strength"]) == strength
    assert round(row["better"], 3) == better
    assert round(row["worse"], 3) == worse
    assert row["fong_difference"] == gap
    assert round(row["fong_critical"], 1) == critical
    assert row["fong_significant"] == significant
    assert row["n"] == 296


@pytest.mark.parametrize("close", [0.05, 0.06])
def test_both_margins_of_the_source_give_the_published_categories(close):
    """The package's text says 5 points, its code 6; the rows do not tell them apart."""
    found = kano_from_counts(COUNTS, close=close).table["by_hierarchy"]
    assert found.tolist() == [row[2] for row in PUBLISHED.values()]


def test_sums_rule_by_hand():
    """Hotline: O + A + M = 160 > 136; Loan machine: 245 > 51; Return: 110 < 186."""
    found = kano_from_counts(COUNTS, rule="sums").table["category"]
    assert found[["Hotline", "Loan machine", "Ready-to-use return"]].tolist() == ["A", "A", "I"]


def test_ties_go_by_the_hierarchy():
    counts = np.array([[5, 5, 5, 5, 5, 5], [0, 0, 5, 5, 0, 0], [0, 0, 0, 0, 4, 4]])
    for rule in ("count", "hierarchy"):
        assert [CATEGORIES[i] for i in categories(counts, rule)] == ["M", "A", "R"]
    # O + A + M = I + R + Q is not larger, so the rest decides.
    assert CATEGORIES[categories(counts, "sums")[0]] == "I"
    assert categories(np.zeros(6)) == -1


def test_margin_includes_its_end():
    counts = np.array([0, 45, 50, 5, 0, 0])
    assert CATEGORIES[categories(counts, "hierarchy", 0.05)] == "O"
    assert CATEGORIES[categories(counts, "hierarchy", 0.049)] == "A"


@pytest.mark.parametrize("name", PUBLISHED)
def test_intervals_and_exact_test_as_in_r(name):
    known = reference("kano")
    row = kano_from_counts(COUNTS).table.loc[name]
    for measure in ("better", "worse", "total_strength"):
        low, high = row[f"{measure}_ci_low"], row[f"{measure}_ci_high"]
        if measure == "worse":
            low, high = -high, -low
        for end, found in (("low", low), ("high", high)):
            expected = value(known, topic="wilson", feature=name, quantity=f"{measure}_{end}")
            assert found == pytest.approx(expected, abs=TOLERANCE)
    expected = value(known, topic="leading", feature=name, quantity="p")
    assert row["p_value"] == pytest.approx(expected, abs=TOLERANCE)


def test_comparison_as_in_r():
    known = reference("kano")
    split = np.array([[COUNTS["Hotline"]], [COUNTS["Loan machine"]]], float)
    found = compare(["pair"], split, 0.95, 2_000, 1).loc["pair"]
    pairs = {"chi2": "chi2", "df": "df", "p_value": "p", "g": "g", "p_g": "p_g", "cramers_v": "v"}
    for ours, theirs in pairs.items():
        expected = value(known, topic="compare", quantity=theirs)
        assert found[ours] == pytest.approx(expected, rel=TOLERANCE)
    for ours, theirs in (("ci_low", "v_low"), ("ci_high", "v_high")):
        expected = value(known, topic="compare", quantity=theirs)
        assert found[ours] == pytest.approx(expected, rel=INVERSE)
    assert found["sparse"]  # 4 of 12 expected counts are 3
    assert found["p_permutation"] == pytest.approx(1 / 2_001)
    assert found["p_adjusted"] == found["p_permutation"]


def test_table_is_that_of_the_source():
    cells = evaluation_table("kano1984").cells
    assert ["".join(row) for row in cells] == ["QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ"]
    for name in ("kano1984", "pouliot1993"):
        places = evaluation_table(name).places
        assert places.shape == (5, 5)
        # Swapping the questions turns one-dimensional and the one-sided answers to reverse.
        assert CATEGORIES[places[4, 0]] == "R"
    changed = np.argwhere(evaluation_table("pouliot1993").places != evaluation_table().places)
    assert [(ANSWERS[i], ANSWERS[j]) for i, j in changed] == [("must_be",) * 2, ("live_with",) * 2]


def test_simulated_pairs_are_those_of_the_table():
    cells = evaluation_table().cells
    assert sum(len(pairs) for pairs in PAIRS.values()) == 25
    for letter, pairs in PAIRS.items():
        assert {cells[f - 1][d - 1] for f, d in pairs} == {letter}


def test_every_pair_of_answers_is_counted_once():
    pairs = [(f, d) for f in range(1, 6) for d in range(1, 6)]
    frame = pd.DataFrame(pairs, columns=["x_functional", "x_dysfunctional"])
    row = kano(frame, ["x"]).table.loc["x"]
    assert row[list(CATEGORIES)].tolist() == [3, 1, 3, 9, 7, 2]
    pouliot = kano(frame, ["x"], table="pouliot1993").table.loc["x"]
    assert pouliot[list(CATEGORIES)].tolist() == [3, 1, 3, 7, 7, 4]


def test_reversed_questions_are_reverse(answers):
    """Whoever wants a feature does not want its absence: A, O and M turn into R."""
    asked = {name: (f"{name}_functional", f"{name}_dysfunctional") for name in NAMES}
    turned = {name: pair[::-1] for name, pair in asked.items()}
    before, after = kano(answers, asked).table, kano(answers, turned).table
    wanted = before["M"] + before["O"] + before["A"]
    assert (after["R"] >= wanted).all()
    assert after.loc["Hotline", "category"] == "R"
    assert (after["Q"] == before["Q"]).all()


def test_order_of_rows_changes_nothing(answers):
    mixed = answers.sample(frac=1, random_state=5)
    pd.testing.assert_frame_equal(kano(mixed, NAMES).table, kano(answers, NAMES).table)


def test_duplicated_sample(answers):
    once = kano(answers, NAMES).table
    twice = kano(pd.concat([answers, answers], ignore_index=True), NAMES).table
    for column in ("better", "worse", "total_strength", "category_strength"):
        np.testing.assert_allclose(twice[column], once[column], atol=1e-15)
        narrower = twice[f"{column}_ci_high"] - twice[f"{column}_ci_low"]
        assert (narrower < once[f"{column}_ci_high"] - once[f"{column}_ci_low"]).all()
    # A difference grows by 2, its critical value by the root of 2.
    np.testing.assert_allclose(twice["fong_critical"], np.sqrt(2) * once["fong_critical"])


def test_codes_do_not_matter(answers):
    expected = kano(answers, NAMES).table
    back = kano(6 - answers, NAMES, codes=(5, 4, 3, 2, 1)).table
    pd.testing.assert_frame_equal(back, expected)
    words = ("I like it", "I expect it", "neutral", "I can live with it", "I dislike it")
    told = answers.replace(dict(zip(range(1, 6), words, strict=True)))
    pd.testing.assert_frame_equal(kano(told, NAMES, codes=words).table, expected)
    half = answers.copy()
    columns = [name for name in half if name.endswith("_dysfunctional")]
    half[columns] = 6 - half[columns]
    found = kano(half, NAMES, dysfunctional_codes=(5, 4, 3, 2, 1)).table
    pd.testing.assert_frame_equal(found, expected)


def test_two_doors_agree(answers):
    raw = kano(answers, NAMES)
    counted = kano_from_counts(raw.table[list(CATEGORIES)])
    pd.testing.assert_frame_equal(raw.table, counted.table)
    pd.testing.assert_frame_equal(raw.shares, counted.shares)
    assert counted.continuous is None
    by_letter = kano_from_counts({"x": dict(zip(CATEGORIES, COUNTS["Hotline"], strict=True))})
    assert by_letter.table.loc["x", "better"] == pytest.approx(145 / 284)


@pytest.mark.parametrize("kind", ["polars", "arrow", "duckdb"])
def test_any_table(answers, kind):
    import duckdb
    import polars as pl

    table = {
        "polars": lambda: pl.from_pandas(answers).lazy(),
        "arrow": lambda: pl.from_pandas(answers).to_arrow(),
        "duckdb": lambda: duckdb.from_df(answers),
    }[kind]()
    pd.testing.assert_frame_equal(kano(table, NAMES).table, kano(answers, NAMES).table)


def test_shares_sum_to_one_and_hold_wilson(answers):
    from statsmodels.stats.proportion import proportion_confint

    shares = kano(answers, NAMES).shares
    np.testing.assert_allclose(shares.groupby("feature")["estimate"].sum(), 1)
    low, high = proportion_confint(shares["count"], shares["n"], method="wilson")
    np.testing.assert_allclose(shares["ci_low"], low, atol=1e-15)
    np.testing.assert_allclose(shares["ci_high"], high, atol=1e-15)


def test_resamples_are_multinomial():
    counts = np.array([[30.0, 20, 25, 15, 6, 4]])
    draws = resampled(counts, 40_000, 1)[:, 0]
    assert (draws.sum(1) == 100).all()
    np.testing.assert_allclose(draws.mean(0), counts[0], atol=0.12)  # five standard errors
    p = counts[0] / 100
    np.testing.assert_allclose(np.cov(draws.T), 100 * (np.diag(p) - np.outer(p, p)), atol=0.8)


def test_certainty_follows_the_gap():
    sure = kano_from_counts({"x": [10, 10, 150, 30, 0, 0]}, rule="count").table.loc["x"]
    even = kano_from_counts({"x": [0, 100, 100, 0, 0, 0]}, rule="count").table.loc["x"]
    assert sure["certainty"] == 1
    # Half of the resamples have more O, and ties (a chance of 5.6 %) count for O.
    assert even["certainty"] == pytest.approx(0.528, abs=0.05)
    again = kano_from_counts({"x": [0, 100, 100, 0, 0, 0]}, rule="count").table.loc["x"]
    assert again["certainty"] == even["certainty"]


def test_fong_has_its_symmetry():
    counts = np.array([95, 123, 45, 33, 0, 0])
    assert fong_critical(counts) == fong_critical(counts[[1, 0, 2, 3, 4, 5]])


def test_nobody_in_the_base():
    row = kano_from_counts({"x": [0, 0, 0, 0, 10, 2]}).table.loc["x"]
    assert np.isnan(row[["better", "worse", "better_ci_low", "worse_ci_high"]].astype(float)).all()
    assert row["category"] == "R"
    assert "–" in kano_from_counts({"x": [0, 0, 0, 0, 10, 2]}).summary()


def test_no_negative_zero():
    row = kano_from_counts({"x": [0, 0, 6, 4, 0, 0]}).table.loc["x"]
    assert not np.signbit(row[["worse", "worse_ci_high"]].astype(float)).any()


def test_continuous_by_hand():
    frame = pd.DataFrame({"x_functional": [1, 2, 3, 4, 5], "x_dysfunctional": [5, 5, 4, 3, 1]})
    row = kano(frame, ["x"]).continuous.loc["x"]
    assert row["functional"] == pytest.approx((4 + 2 + 0 - 1 - 2) / 5)
    assert row["dysfunctional"] == pytest.approx((4 + 4 + 2 + 0 - 2) / 5)
    assert row["category"] == "I"
    assert row["functional_se"] == pytest.approx(np.std([4, 2, 0, -1, -2], ddof=1) / np.sqrt(5))


def test_continuous_interval_is_that_of_scipy(answers):
    from scipy.stats import bootstrap

    row = kano(answers, ["App"], n_resamples=20_000).continuous.loc["App"]
    scores = np.array([np.nan, 4, 2, 0, -1, -2])[answers["App_functional"].astype(int)]
    found = bootstrap((scores,), np.mean, n_resamples=20_000, rng=np.random.default_rng(1))
    limits = [row["functional_ci_low"], row["functional_ci_high"]]
    # Both ends move by about .005 with the seed.
    np.testing.assert_allclose(limits, found.confidence_interval, atol=0.02)


def test_quadrants_meet_at_two():
    pairs = [(2, 2), (2, 1.99), (1.99, 2), (1.99, 1.99), (-0.1, 1), (-0.1, -0.1), (np.nan, 1)]
    found = [quadrant(np.float64(f), np.float64(d)).item() for f, d in pairs]
    assert [CATEGORIES[i] if i >= 0 else None for i in found] == [
        "O",
        "A",
        "M",
        "I",
        "I",
        "R",
        None,
    ]


def test_segments():
    other = {"App": (0.5, 0.1, 0.1, 0.3, 0, 0)}
    frame = simulate_kano(400, 2, segments={"new": {}, "old": other})
    frame.loc[:4, "segment"] = None
    result = kano(frame, NAMES, by="segment")
    p = result.comparisons["p_adjusted"]
    assert p["App"] < 0.001
    assert (p.drop("App") > 0.05).all()
    assert result.groups.loc[0, ["feature", "group", "category"]].tolist() == ["App", "new", "A"]
    whole = result.groups.groupby("feature")[list(CATEGORIES)].sum()
    kept = kano(frame.dropna(), NAMES).table[list(CATEGORIES)]
    pd.testing.assert_frame_equal(whole.loc[NAMES], kept)
    assert any("5 respondents have no segment" in note.en for note in result.notes)
    assert "App differs by segment" in result.summary()


def test_comparison_without_difference_holds_its_level():
    generator = np.random.default_rng(4)
    split = generator.multinomial(150, (0.3, 0.3, 0.2, 0.1, 0.05, 0.05), (2, 400)).astype(float)
    found = compare([f"f{i}" for i in range(400)], split, 0.95, 199, 1)
    # 400 tests at 5 %: a standard error of 1.1 points.
    assert abs((found["p_permutation"] <= 0.05).mean() - 0.05) < 0.035
    assert (found["ci_low"] == 0).mean() > 0.9


def test_comparison_with_empty_margins():
    split = np.array([[[10, 0, 0, 0, 0, 0]], [[12, 0, 0, 0, 0, 0]]], float)
    row = compare(["x"], split, 0.95, 99, 1).loc["x"]
    assert np.isnan(row[["chi2", "p_adjusted", "cramers_v"]].astype(float)).all()
    assert row["n"] == 22


def test_missing_answers_are_counted(answers):
    frame = answers.copy()
    frame.loc[[0, 1], "App_functional"] = np.nan
    frame.loc[[1, 2], "App_dysfunctional"] = np.nan
    result = kano(frame, NAMES)
    assert result.table["n"].tolist() == [237, 240, 240, 240]
    assert result.continuous["n"].tolist() == [237, 240, 240, 240]
    assert any("App (3)" in note.en for note in result.notes)


def test_notes():
    given = {
        "odd": [10, 10, 10, 60, 0, 10],
        "mixed": [5, 40, 42, 13, 0, 0],
        "clear": [5, 5, 80, 10, 0, 0],
    }
    notes = [note.en for note in kano_from_counts(given, n_resamples=200).notes]
    assert any("200 resamples is rough" in note for note in notes)
    assert any("check wording and coding: odd (10 %)" in note for note in notes)
    assert any(note.startswith("mixed") and note.endswith(": mixed") for note in notes)
    assert any("A by count, O by M>O>A>I, A by sums" in note for note in notes)
    assert not any("clear" in note for note in notes)


def test_few_respondents_are_said(answers):
    alone = kano(answers.head(1), ["App"])
    assert np.isnan(alone.table.loc["App", "certainty"])
    assert alone.table.loc["App", ["category_strength_ci_low"]].isna().all()
    assert np.isnan(alone.continuous.loc["App", "certainty"])
    assert "certainty –" in alone.summary()
    for lang, words in (("en", "fewer than 30 answers"), ("zh", "回答不足 30 份")):
        assert words in alone.summary(lang)
    given = {"scarce": [5, 5, 10, 9, 0, 0], "plenty": [5, 5, 10, 10, 0, 0]}
    found = kano_from_counts(given)
    notes = [note.en for note in found.notes]
    assert next(note for note in notes if "fewer than" in note).endswith(": scarce (29)")
    assert found.table["certainty"].notna().all()
    split = answers.assign(segment=["new"] * 12 + ["old"] * (len(answers) - 12))
    notes = [note.en for note in kano(split, ["App"], by="segment").notes]
    assert any(note.endswith(": segment new (12)") for note in notes)


def test_importance(answers):
    frame = answers.assign(stated=np.arange(len(answers)) % 9 + 1.0)
    row = kano(frame, ["App"], importance={"App": "stated"}).table.loc["App"]
    assert row["importance"] == pytest.approx(frame["stated"].mean())
    assert row["importance_ci_low"] < row["importance"] < row["importance_ci_high"]
    assert row["importance_n"] == 240


def test_population_is_that_of_the_simulation():
    frame = simulate_kano(50_000, 7)
    truth = frame.attrs["population"]
    result = kano(frame, NAMES, n_resamples=100)
    for name in NAMES:
        for measure in ("better", "worse"):
            # Five standard errors of 50,000 respondents, here and below.
            assert result.table.loc[name, measure] == pytest.approx(truth[measure][name], abs=0.012)
        for score in ("functional", "dysfunctional"):
            found = result.continuous.loc[name, score]
            assert found == pytest.approx(truth[score][name], abs=0.05)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_words_and_charts(answers, lang):
    result = kano(answers, NAMES)
    assert result.synthetic
    assert len(result.summary(lang).splitlines()) >= 6
    assert repr(result) == result.summary()
    assert "<table" in result._repr_html_()
    for options, name in (({"feature": "Hotline"}, "Hotline"), ({}, "App")):
        figure = result.plot("counts", lang=lang, **options).get_figure()
        assert name in figure.get_suptitle()
    assert result.plot(lang=lang).get_figure() is not None


PAIR = {"App": ("App_functional", "App_dysfunctional")}
BAD_OPTIONS = [
    ({"rule": "mode"}, "rule is 'mode'; allowed: 'hierarchy', 'count', 'sums'"),
    ({"method": "wald"}, "method is 'wald'; allowed: 'wilson', 'bootstrap'"),
    ({"close": 5}, "close is 5; allowed: 0 to below 1"),
    ({"level": 95}, "level is 95; allowed: 0.5 to below 1"),
    ({"n_resamples": 0}, "n_resamples is 0"),
    ({"seed": -1}, "seed is -1"),
    ({"codes": (1, 2, 3, 4)}, "codes is .*allowed: five different numbers or texts, for like"),
    ({"codes": (1, 2, 3, 4, 4)}, "five different"),
    ({"codes": (1, 2, 3, 4, "x")}, "five different"),
    ({"codes": (1, 2, 3, 4, float("nan"))}, "five different"),
    ({"codes": "12345"}, "five different"),
    ({"dysfunctional_codes": (1, 2)}, "dysfunctional_codes is"),
    ({"table": "berger"}, "table is 'berger'; allowed: 'kano1984', 'pouliot1993', or 5 rows"),
    ({"table": ["QAAAO"] * 4}, "allowed: 5 rows"),
    ({"table": [*["QAAAO"] * 4, "RRRR"]}, "row 'dislike': 'RRRR'; allowed: 5 categories"),
    ({"table": [*["QAAAO"] * 4, "RRXRR"]}, "row 'dislike', column 'neutral': 'X'; allowed: M, O"),
    ({"by": "region"}, "column 'region' is not in the table"),
    ({"by": 3}, "by=3; allowed: the name of one column"),
    ({"importance": {"Ap": "x"}}, "importance is .* allowed: a column for each of"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS)
def test_bad_options(answers, options, message):
    with pytest.raises(CxError, match=message):
        kano(answers, PAIR, **options)


BAD_FEATURES = [
    ([], "features is \\[\\]; allowed"),
    ("App", "features is 'App'; allowed"),
    (["App", "App"], "names one twice"),
    ([1], "features has 1; allowed: names as texts, or a mapping"),
    (["App", None], "features has None; allowed"),
    ({"App": "App_functional"}, "feature 'App': 'App_functional'; allowed: two different columns"),
    ({"App": ("a", "a")}, "allowed: two different columns"),
    (["Nothing"], "column 'Nothing_functional' is not in the table"),
]


@pytest.mark.parametrize(("features", "message"), BAD_FEATURES)
def test_bad_features(answers, features, message):
    with pytest.raises(CxError, match=message):
        kano(answers, features)


def test_bad_pattern(answers):
    with pytest.raises(CxError, match="functional is 'App'; allowed: a column name with"):
        kano(answers, ["App"], functional="App")


def test_bad_answers(answers):
    frame = answers.copy()
    frame.loc[[7, 9], "App_functional"] = 6
    message = (
        r"row 7, column 'App_functional': 6 is no answer; allowed: 1, 2, 3, 4, 5 \(like to "
        r"dislike\) \(and 1 more in this column\)"
    )
    with pytest.raises(DataError, match=message):
        kano(frame, PAIR)
    frame["App_functional"] = frame["App_functional"].astype(object)
    frame.loc[7, "App_functional"] = "fine"
    message = (
        r"row 7, column 'App_functional': 'fine' is a text, and answers are looked for as 1, 2, 3, "
        r"4, 5; say how they are coded with codes=\[five texts.*texts there: \['fine'\]"
    )
    with pytest.raises(DataError, match=message):
        kano(frame, PAIR)
    words = ("a", "b", "c", "d", "e")
    with pytest.raises(DataError, match=r"row 0, column 'App_functional': .* is no answer"):
        kano(answers, PAIR, codes=words)
    with pytest.raises(DataError, match="column 'nowhere' is not in the table"):
        kano(answers, {"App": ("nowhere", "App_functional")}, codes=words)
    frame = answers.assign(App_functional=np.nan)
    with pytest.raises(DataError, match="nobody answered both questions of feature 'App'"):
        kano(frame, PAIR)
    with pytest.raises(DataError, match="column 'one' has 1 group; at least 2"):
        kano(answers.assign(one="x"), PAIR, by="one")


BAD_COUNTS = [
    ({"x": [1, 2, 3, 4, 5]}, "feature 'x': .* allowed: six counts, of M, O, A, I, R, Q"),
    ({"x": [1, 2, 3, 4, 5, -1]}, "feature 'x', category 'Q': -1; allowed: counts"),
    ({"x": [1, 2.5, 3, 4, 5, 1]}, "category 'O': 2.5; allowed"),
    ({"x": [True, 2, 3, 4, 5, 1]}, "category 'M': True; allowed"),
    ({"x": [1, 2, float("nan"), 4, 5, 1]}, "category 'A': nan; allowed"),
    ({"x": [0] * 6}, "feature 'x' has no answers"),
    ({"x": {"M": 1}}, "feature 'x' has 'M'; allowed: exactly M, O, A, I, R, Q"),
    ({}, "allowed: at least one"),
    (pd.DataFrame({"M": [1]}), "column 'O' is not in the table"),
]


@pytest.mark.parametrize(("counts", "message"), BAD_COUNTS)
def test_bad_counts(counts, message):
    with pytest.raises(DataError, match=message):
        kano_from_counts(counts)


def test_bad_charts():
    result = kano_from_counts(COUNTS)
    with pytest.raises(CxError, match=r"plot\(kind='pie'\); allowed: 'plane', 'counts'"):
        result.plot("pie")
    with pytest.raises(CxError, match="feature is 'App'; allowed: 'Service app'"):
        result.plot("counts", feature="App")
    with pytest.raises(CxError, match="there is nothing to place"):
        kano_from_counts({"x": [0, 0, 0, 0, 3, 0]}).plot()


BAD_SIMULATIONS = [
    ({"n": 0}, "n is 0; allowed"),
    ({"seed": -1}, "seed is -1"),
    ({"missing": 1}, "missing is 1"),
    ({"features": {"x": (0.5, 0.5)}}, "feature 'x': .* six shares"),
    ({"features": {"x": (0.5, 0.6, 0, 0, 0, 0)}}, "that sum to 1"),
    ({"segments": {"s": {"x": (1, 0, 0, 0, 0, 0)}}}, "segment 's': no feature 'x'"),
]


@pytest.mark.parametrize(("options", "message"), BAD_SIMULATIONS)
def test_bad_simulations(options, message):
    with pytest.raises(CxError, match=message):
        simulate_kano(**{"n": 10, "seed": 1} | options)


def test_the_summary_says_where_hierarchy_and_largest_count_disagree():
    """The published loan machine: attractive by count, one-dimensional by the hierarchy."""
    result = kano_from_counts({"Loan": [65, 87, 93, 51, 0, 0], "Clear": [200, 10, 5, 5, 0, 0]})
    (line,) = [line for line in result.summary().splitlines() if "disagree" in line]
    assert (
        "on 1 of 2 features: Loan (one-dimensional (O) by M>O>A>I, attractive (A) by count)" in line
    )
    assert "不一致" in result.summary("zh")
    assert "disagree" not in kano_from_counts({"Clear": [200, 10, 5, 5, 0, 0]}).summary()


def test_a_missing_code_in_stated_importance_is_noted(answers):
    frame = answers.assign(stated=np.arange(len(answers)) % 9 + 1.0)
    frame.loc[:2, "stated"] = -99
    result = kano(frame, PAIR, importance=dict.fromkeys(PAIR, "stated"), n_resamples=100)
    assert any("missing code" in note.en for note in result.notes)
