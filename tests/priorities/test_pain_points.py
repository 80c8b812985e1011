"""Causes of trouble: both doors, concentration, priorities, bad input."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.priorities.pain_points import (
    effective_number,
    gini,
    herfindahl,
    pain_points,
    top_share,
)
from cxstats.priorities.pain_points.concentration import vital_few

COUNTS = {"delay": 162, "silos": 148, "match": 114, "complex": 91, "generic": 46, "other": 38}


def bank(lang="en"):
    """The published shares of what drove customers of Bank A away."""
    facts = cx.load_facts()
    return facts[facts["id"].between("F021", "F025")].set_index(f"item_{lang}")["value"]


def tickets(n=500, seed=1):
    generator = np.random.default_rng(seed)
    names = np.array(["delay", "silos", "match", "generic"])
    frame = pd.DataFrame({"cause": generator.choice(names, n, p=[0.4, 0.3, 0.2, 0.1])})
    frame["cost"] = generator.gamma(2, 10, n)
    frame["hours"] = generator.gamma(3, 1, n) * (1 + 2 * (frame["cause"] == "delay"))
    return frame


def english(result):
    return [note.en for note in result.notes]


def measure(result, name):
    return result.concentration.set_index("measure").loc[name]


def test_two_groups_have_the_printed_gini():
    """30 % of customers, 70 % of revenue: .7 - .3 = .40."""
    assert gini([0.7, 0.3], sizes=[0.3, 0.7]).item() == pytest.approx(0.40)
    assert gini([0.3, 0.7], sizes=[0.7, 0.3]).item() == pytest.approx(0.40)


def test_concentration_is_what_its_definition_says():
    generator = np.random.default_rng(1)
    shares = generator.dirichlet(np.ones(6), 20)
    for s in shares:
        apart = np.abs(s[:, None] - s).sum() / (2 * 6)  # mean difference over twice the mean
        assert gini(s).item() == pytest.approx(apart)
    np.testing.assert_allclose(herfindahl(shares), [(s @ s) for s in shares])
    np.testing.assert_allclose(gini(100 * shares), gini(shares))
    np.testing.assert_allclose(top_share(shares, 6), 1)
    even = np.full(5, 0.2)
    assert [herfindahl(even).item(), gini(even).item()] == pytest.approx([0.2, 0])
    assert effective_number(even).item() == pytest.approx(5)
    one = np.eye(4)[0]
    assert [herfindahl(one).item(), gini(one).item()] == pytest.approx([1, 3 / 4])
    # Splitting every cause in two equal halves doubles their number and leaves Gini alone.
    halves = np.repeat(shares / 2, 2, axis=1)
    np.testing.assert_allclose(effective_number(halves), 2 * effective_number(shares))
    np.testing.assert_allclose(gini(halves), gini(shares))


def test_the_vital_few_are_the_fewest_that_reach_the_rule():
    assert vital_few([0.1, 0.2, 0.3, 0.4], 0.7).tolist() == [False, False, True, True]
    assert vital_few(np.full(5, 0.2), 0.8).sum() == 4
    assert vital_few([0.5, 0.5], 0.5).tolist() == [True, False]


def test_where_most_causes_are_needed_there_are_no_vital_few():
    bank_a = pain_points(bank(), kind="shares")
    assert not bank_a.few
    assert "one of the vital few" not in bank_a.summary()
    assert "There are no vital few: more than half of the causes" in bank_a.summary()
    assert "关键少数" in bank_a.summary("zh")
    assert "属关键少数" not in bank_a.summary("zh")
    steep = pain_points({"a": 70, "b": 15, "c": 10, "d": 5}, kind="shares")
    assert steep.few  # two of four are half, not more
    assert steep.summary().count("one of the vital few") == 2
    assert "no vital few" not in steep.summary()
    assert "不存在" not in steep.summary("zh")
    # The bundle is no cause: two of three named ones are more than half.
    assert not pain_points({"a": 50, "b": 30, "c": 10, "more": 10}, kind="shares", other="more").few


def test_few_records_and_the_coverage_of_concentration_are_said_in_the_summary():
    few = pain_points({"a": 60, "b": 36, "c": 4}, kind="counts")
    note = {"en": "intervals of concentration cover too little", "zh": "集中度的区间覆盖率偏低"}
    assert "  * " + note["en"] in few.summary("en")
    assert note["zh"] in few.summary("zh").splitlines()[-1]
    many = pain_points({"a": 600, "b": 360, "c": 40}, kind="counts").summary()
    assert "intervals of concentration" not in many


def test_published_shares_have_no_interval():
    result = pain_points(bank(), kind="shares")
    table = result.table
    assert table["cause"].tolist()[:2] == ["channel silos", "response delay"]
    np.testing.assert_allclose(table["cumulative"], [0.28, 0.53, 0.75, 0.90, 1.0])
    assert table["vital"].tolist() == [True] * 4 + [False]
    unknown = ["count", "ci_low", "ci_high", "n", "vital_certainty", "rank_ci_low"]
    assert table[unknown].isna().all(axis=None)
    assert "shares without the number of records have no interval" in english(result)
    assert "[" not in result.summary()
    squares = 0.28**2 + 0.25**2 + 0.22**2 + 0.15**2 + 0.10**2
    assert measure(result, "herfindahl")["estimate"] == pytest.approx(squares)
    assert measure(result, "effective_causes")["estimate"] == pytest.approx(1 / squares)
    assert measure(result, "top_share")["estimate"] == pytest.approx(0.75)
    assert measure(result, "vital_few")["estimate"] == 4
    assert result.concentration[["ci_low", "ci_high"]].isna().all(axis=None)
    fractions = pain_points(bank() / 100, kind="shares").table
    pd.testing.assert_frame_equal(fractions, table)
    exact = {name: Decimal(str(value)) for name, value in bank().items()}
    pd.testing.assert_frame_equal(pain_points(exact, kind="shares").table, table)


def test_intervals_are_goodmans_and_sison_and_glaz():
    from statsmodels.stats.proportion import multinomial_proportions_confint

    for method in ("goodman", "sison-glaz"):
        result = pain_points(COUNTS, kind="counts", interval=method, level=0.9)
        own = result.table[["ci_low", "ci_high"]]
        expected = multinomial_proportions_confint(list(COUNTS.values()), 0.1, method)
        np.testing.assert_allclose(own, expected)
        assert result.interval == method
    # By hand: Goodman's limits solve n (p - pi)^2 = chi2 pi (1 - pi).
    from scipy.stats import chi2

    table = pain_points(COUNTS, kind="counts").table
    limit = chi2.ppf(1 - 0.05 / 6, 1)
    for side in ("ci_low", "ci_high"):
        miss = 599 * (table["estimate"] - table[side]) ** 2
        np.testing.assert_allclose(miss, limit * table[side] * (1 - table[side]))


def test_the_doors_agree():
    frame = tickets()
    counts = frame["cause"].value_counts()
    one = pain_points(frame, "cause")
    other = pain_points(counts, kind="counts")
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.concentration, other.concentration)
    third = pain_points(counts / 500, kind="shares", n=500)
    pd.testing.assert_frame_equal(one.table, third.table, check_dtype=False)
    mixed = pain_points(frame.sample(frac=1, random_state=1), "cause")
    pd.testing.assert_frame_equal(one.table, mixed.table)
    pd.testing.assert_frame_equal(one.table, pain_points(pl.from_pandas(frame), "cause").table)


def test_twice_the_tickets_have_the_same_shares_and_shorter_intervals():
    one = pain_points(COUNTS, kind="counts")
    two = pain_points({name: 4 * n for name, n in COUNTS.items()}, kind="counts")
    np.testing.assert_allclose(one.table["estimate"], two.table["estimate"])
    for a, b in ((one.table, two.table), (one.concentration[:4], two.concentration[:4])):
        ratio = (a["ci_high"] - a["ci_low"]) / (b["ci_high"] - b["ci_low"])
        assert ratio.between(1.8, 2.2).all()


def test_ranks_of_close_causes_are_open():
    table = pain_points({"a": 101, "b": 100, "c": 10}, kind="counts").table
    assert table["rank"].tolist() == [1, 2, 3]
    assert table["rank_ci_low"].tolist() == [1, 1, 3]
    assert table["rank_ci_high"].tolist() == [2, 2, 3]
    assert table["vital_certainty"].tolist()[2] == 0
    tied = pain_points({"a": 5, "b": 5}, kind="counts").table
    assert tied["rank"].tolist() == [1, 1]


def test_the_interval_of_concentration_holds_the_truth():
    """300 samples of 400 tickets: 95 % is covered to within four standard errors, or nearly."""
    p = np.array([0.4, 0.2, 0.15, 0.1, 0.05, 0.05, 0.03, 0.02])
    truth = [herfindahl(p), effective_number(p), gini(p), top_share(p, 3)]
    hits = []
    for seed in range(300):
        counts = np.random.default_rng(seed).multinomial(400, p)
        given = {f"c{i}": int(count) for i, count in enumerate(counts)}
        found = pain_points(given, kind="counts", n_resamples=400, seed=seed).concentration
        low, high = found["ci_low"][:4], found["ci_high"][:4]
        hits.append((low <= truth) & (truth <= high))
    assert (np.mean(hits, axis=0) > 0.90).all()
    assert (np.mean(hits, axis=0) < 0.99).all()


def test_a_bundle_of_others():
    result = pain_points(COUNTS | {"other": 300}, kind="counts", other="other")
    table = result.table
    assert table["cause"].iloc[-1] == "other"
    assert not table["vital"].iloc[-1]
    assert table.iloc[-1][["rank", "vital_certainty"]].isna().all()
    assert measure(result, "top_share")["estimate"] == pytest.approx((162 + 148 + 114) / 861)
    assert any("the named causes together do not reach 80 %" in note for note in english(result))
    filled = pain_points(bank().iloc[:3], kind="shares", other="elsewhere")
    assert filled.table["estimate"].tolist() == pytest.approx([0.28, 0.25, 0.22, 0.25])
    assert "elsewhere is what is left of 100: 25" in english(filled)


def test_rounded_shares():
    thirds = {"a": 33, "b": 33, "c": 33}
    with pytest.raises(DataError, match="shares sum to 99; allowed: 1 or 100, or less with other="):
        pain_points(thirds, kind="shares")
    result = pain_points(thirds, kind="shares", rounding=0.5)
    assert result.table["estimate"].tolist() == pytest.approx([1 / 3] * 3)
    assert "shares sum to 99 of 100 by rounding; divided by their sum" in english(result)
    with pytest.raises(DataError, match="shares sum to 98"):
        pain_points({"a": 49, "b": 49}, kind="shares", rounding=0.5)


def test_impact_and_effort_of_tickets():
    frame = tickets()
    frame.loc[0, "cause"], frame.loc[1, "cost"], frame.loc[2, "cause"] = None, np.nan, " "
    result = pain_points(frame, "cause", impact="cost", effort="hours")
    assert (result.n, result.n_dropped) == (497, 3)
    kept = frame.iloc[3:]
    table = result.table.set_index("cause")
    own = kept.groupby("cause")
    np.testing.assert_allclose(table["impact"], own["cost"].sum()[table.index])
    np.testing.assert_allclose(table["effort"], own["hours"].mean()[table.index])
    assert table["impact_share"].sum() == pytest.approx(1)
    # The standard error of a total is sqrt(n) times the deviation of cost within a cause or 0.
    for cause in table.index:
        deviation = np.where(kept["cause"] == cause, kept["cost"], 0).std() * np.sqrt(497)
        width = table.loc[cause, "impact_ci_high"] - table.loc[cause, "impact_ci_low"]
        assert width == pytest.approx(2 * 1.96 * deviation, rel=0.08)


def test_priorities():
    points = pain_points(bank(), kind="shares")
    effort = dict(zip(points.table["cause"], [8, 3, 5, 4, 2], strict=True))
    found = points.priority(effort=effort)
    assert found.table["cause"].tolist()[0] == "response delay"
    assert found.table["ratio"].tolist()[0] == pytest.approx(0.25 / 3)
    places = found.table.set_index("cause")["quadrant"]
    assert places["response delay"] == "quick win"
    assert places["channel silos"] == "big bet"
    assert places["no personalisation"] == "fill-in"
    assert (found.effort_cut, found.impact_cut) == (pytest.approx(4.4), pytest.approx(0.2))
    assert found.table["certainty"].isna().all()
    assert "nothing here was sampled, so quadrants and ranks have no certainty" in english(found)
    moved = found.crosshairs_table()
    assert not moved.loc["complex operation", "same"]
    given = points.priority(
        impact=dict.fromkeys(effort, 3), effort=effort, scale=(1, 9), crosshairs="scale"
    )
    assert (given.effort_cut, given.impact_cut) == (5, 5)
    assert set(given.table["quadrant"]) == {"fill-in", "time sink"}
    assert "scale" in given.crosshairs_table()
    pair = points.priority(effort=effort, crosshairs=(3.5, 0.2)).crosshairs_table()
    assert pair.loc["complex operation", "given"] == "time sink"


def test_priorities_of_tickets_have_certainty():
    points = pain_points(tickets(), "cause", impact="cost", effort="hours")
    found = points.priority()
    table = found.table.set_index("cause")
    assert (found.impact, found.effort) == ("total", "mean")
    assert table.loc["delay", "quadrant"] == "big bet"
    assert table.loc["delay", "certainty"] == 1
    assert table.loc["generic", "quadrant"] == "fill-in"
    assert (table["rank_ci_low"] <= table["rank"]).all()
    assert (table["rank"] <= table["rank_ci_high"]).all()
    half = pain_points(COUNTS, kind="counts", other="other").priority(
        effort=dict.fromkeys([n for n in COUNTS if n != "other"], 1.0)
    )
    assert half.table["certainty"].between(0, 1).all()
    assert len(half.table) == 5
    shares = pain_points(COUNTS, kind="counts", other="other").table.set_index("cause")
    ranks = half.table.set_index("cause")["rank_ci_high"]
    assert ranks.to_dict() == shares["rank_ci_high"].drop("other").to_dict()


def test_a_cause_without_a_ticket_in_a_resample_is_left_out_and_said():
    frame = tickets(60)
    frame["cause"] = ["rare", *["delay"] * 30, *["silos"] * 29]
    found = pain_points(frame, "cause", effort="hours", n_resamples=500).priority()
    assert any(
        note.endswith("without a record of some cause were left out") for note in english(found)
    )
    assert found.table["certainty"].notna().all()


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (COUNTS, {}, 'say kind="counts" or kind="shares"'),
        (COUNTS, {"kind": "numbers"}, "kind is 'numbers'; allowed: counts, shares"),
        (COUNTS, {"kind": "counts", "cause": "x"}, "cause='x' is not used with counts"),
        (COUNTS, {"kind": "counts", "n": 5}, "n=5 is not used with counts"),
        ({"a": -1, "b": 2}, {"kind": "counts"}, "counts of 'a' is -1; allowed: numbers from 0"),
        ({"a": 1.5, "b": 2}, {"kind": "counts"}, "count of 'a' is 1.5; allowed: whole numbers"),
        ({"a": "many"}, {"kind": "counts"}, "counts of 'a' is 'many'"),
        ({"a": True}, {"kind": "counts"}, "counts of 'a' is True"),
        ({"a": 0, "b": 0}, {"kind": "counts"}, "2 causes that sum to 0"),
        ({}, {"kind": "counts"}, "0 causes"),
        ({"a": np.nan}, {"kind": "shares"}, "shares of 'a' is nan"),
        ({"a": 0.5, "b": 0.4}, {"kind": "shares"}, "shares sum to 0.9; allowed: 1 or 100"),
        ({"a": 70, "b": 40}, {"kind": "shares", "other": "other"}, "shares sum to 110"),
        ({"a": 60, "b": 40}, {"kind": "shares", "other": "other"}, "nothing is left for 'other'"),
        ({"a": 60, "b": 40}, {"kind": "shares", "n": 0}, "n is 0"),
        ({"a": 60, "b": 40}, {"kind": "shares", "rounding": -1}, "rounding is -1"),
        ({"a": 60}, {"kind": "counts", "other": "b"}, "other='b' is not among the causes: a"),
        ({"a": 60}, {"kind": "counts", "other": "a"}, "'a' is the only cause"),
        (COUNTS, {"kind": "counts", "rule": 80}, "rule is 80; allowed: a share"),
        ({"a": 60, "b": 40}, {"kind": "shares", "rule": "x"}, "rule is 'x'; allowed: a share"),
        (COUNTS, {"kind": "counts", "rule": True}, "rule is True"),
        (COUNTS, {"kind": "counts", "top": 0}, "top is 0"),
        (COUNTS, {"kind": "counts", "interval": "wald"}, "interval is 'wald'; allowed: goodman"),
        (COUNTS, {"kind": "counts", "level": 0}, "level is 0"),
        ([1, 2], {"kind": "counts"}, "kind=\"counts\" with 'list'; allowed: a mapping or Series"),
        (pd.Series([1, 2], ["a", "a"]), {"kind": "counts"}, "cause 'a' is there twice"),
        (tickets(), {}, "cause is missing: name the column"),
        (tickets(), {"cause": "reason"}, "column 'reason' is not in the table; columns: cause"),
        (tickets(), {"cause": "cause", "impact": "x"}, "column 'x' is not in the table"),
        (tickets(), {"cause": "cause", "n": 5}, "n=5 is not used with records"),
        (
            tickets().assign(cost=-1),
            {"cause": "cause", "impact": "cost"},
            "row 0, column 'cost': -1",
        ),
        (tickets().assign(cause=None), {"cause": "cause"}, "'cause': no record has a cause"),
    ],
)
def test_bad_input(data, options, message):
    with pytest.raises(CxError, match=message):
        pain_points(data, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "effort is not known: give effort="),
        ({"effort": "days"}, r"effort is 'days'; allowed: .* named in pain_points\(effort="),
        ({"effort": COUNTS, "impact": 3}, "impact is 3; allowed: a number for each cause"),
        ({"effort": {"delay": 1}}, "effort has no number for cause 'silos'"),
        ({"effort": COUNTS | {"x": 1}}, "effort has 'x', which is not among the causes"),
        ({"effort": COUNTS | {"delay": 0}}, "effort of 'delay' is 0; allowed: .*above 0"),
        ({"effort": COUNTS | {"delay": "high"}}, "effort of 'delay' is 'high'"),
        ({"effort": COUNTS, "impact": COUNTS | {"delay": -1}}, "impact of 'delay' is -1"),
        ({"effort": COUNTS, "scale": (1, 10)}, "effort of 'delay' is 162; allowed: 1 to 10"),
        ({"effort": COUNTS, "scale": (10, 1)}, r"scale is \(10, 1\)"),
        ({"effort": COUNTS, "crosshairs": "scale"}, 'crosshairs="scale" needs scale='),
        ({"effort": COUNTS, "crosshairs": "middle"}, "crosshairs is 'middle'"),
    ],
)
def test_bad_priorities(options, message):
    with pytest.raises(CxError, match=message):
        pain_points(COUNTS, kind="counts").priority(**options)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_words_and_charts(lang):
    points = pain_points(bank(lang), kind="shares")
    assert len(points.summary(lang).splitlines()) == 13
    matrix = points.priority(effort=dict.fromkeys(points.table["cause"], 2))
    for result in (points, matrix):
        assert result.notes
        notes = "\n".join(f"  * {note.get(lang)}" for note in result.notes)
        assert result.summary(lang).endswith(notes)
    ax = points.plot(lang=lang, source="Bank A")
    assert len(ax.patches) == 5
    effort = dict(zip(points.table["cause"], [8, 3, 5, 4, 2], strict=True))
    with pytest.raises(CxError, match=r"kind='priority'\): effort is not known, so take .priority"):
        points.plot("priority", lang=lang)
    ax = points.priority(effort=effort).plot(lang=lang)
    assert ("Effort" if lang == "en" else "投入") in ax.get_xlabel()
    frame = tickets()
    frame.attrs["synthetic"] = True
    found = pain_points(frame, "cause", impact="cost", effort="hours")
    assert found.synthetic
    found.plot(lang=lang)
    matrix = found.priority(crosshairs="medians").plot(lang=lang).get_figure()
    figure = found.plot("priority", lang=lang, crosshairs="medians").get_figure()
    assert figure.get_suptitle() == matrix.get_suptitle() != ""
    assert figure.get_supxlabel() == matrix.get_supxlabel()
    for result in (found, found.priority()):
        assert result._repr_html_().startswith("<pre>")
        assert str(result) == repr(result) == result.summary()
        assert "[" not in result.summary(lang).splitlines()[0]
    with pytest.raises(CxError, match=r"plot\(kind='pie'\); allowed: 'pareto'"):
        points.plot("pie")
