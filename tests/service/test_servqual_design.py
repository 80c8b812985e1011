"""SERVQUAL under weights, clusters and strata: against R's survey package and by properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxstats as cx
from cxstats.stats.group_comparison import compare_groups
from cxstats.stats.hypothesis_tests import mean_tests
from cxstats.stats.means import MeanOptions
from tests.references import FOLDER, paired

R = 1e-10
DIMENSIONS = ["tangibles", "reliability", "responsiveness", "assurance", "empathy"]
NAMES = [*DIMENSIONS, "Overall"]
DESIGNS = {
    "weights": cx.Design(weights="w"),
    "cluster": cx.Design(cluster="cluster"),
    "all": cx.Design(weights="w", cluster="cluster", strata="stratum"),
}


def sampled():
    """Return the answers of paired_data.csv with the design of `scores_design.R`."""
    frame, book = paired()
    frame = frame.reset_index(drop=True)
    frame = frame.assign(w=1 + frame["id"] % 5, cluster=frame["id"] % 17)
    return frame.assign(stratum=frame["cluster"] % 2), book


def with_gaps():
    """Return the same, where some answered nothing on tangibles."""
    frame, book = sampled()
    tangibles = [c for c in frame.columns if c.startswith("P_tangibles")]
    frame[tangibles] = frame[tangibles].astype(float)
    frame.loc[frame["id"] % 11 == 0, tangibles] = np.nan
    return frame, book


def reference(design, score):
    table = pd.read_csv(FOLDER / "scores_design.csv")
    table = table[(table["design"] == design) & (table["score"] == score)]
    return table.set_index("what")["value"].astype(float)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("score", NAMES)
class TestAgainstSurvey:
    def test_gaps(self, design, score):
        row = cx.servqual(*with_gaps(), design=DESIGNS[design]).table.loc[score]
        r = reference(design, score)
        columns = ["estimate", "se", "df", "ci_low", "ci_high", "effect_size"]
        wanted = r[["mean", "se", "df", "low", "high", "d"]]
        np.testing.assert_allclose(row[columns].astype(float), wanted, rtol=R, atol=R)
        half = (row["effect_ci_high"] - row["effect_ci_low"]) / 2
        np.testing.assert_allclose(half, r["d_se"] * stats.t.ppf(0.975, r["df"]), rtol=R)
        p = 2 * stats.t.sf(abs(r["mean"] / r["se"]), r["df"])
        np.testing.assert_allclose(row["p_value"], p, rtol=1e-9)
        assert np.isnan(row["p_wilcoxon"])

    @pytest.mark.parametrize("by", ["group2", "group3"])
    def test_groups_are_domains(self, design, score, by):
        result = cx.servqual(*with_gaps(), by=by, design=DESIGNS[design])
        r, g = reference(design, score), f"g{by[-1]}"
        for row in result.groups[result.groups["score"] == score].to_dict("records"):
            mean, se, df = r[[f"{g} {row['group']} {what}" for what in ("mean", "se", "df")]]
            half = se * stats.t.ppf(0.975, df)
            found = [row["estimate"], row["se"], (row["ci_high"] - row["ci_low"]) / 2]
            np.testing.assert_allclose(found, [mean, se, half], rtol=R, atol=R)
        pairs = result.comparisons
        for row in pairs[pairs["score"] == score].to_dict("records"):
            pair = f"{g} {row['group']} {row['other']}"
            difference, se, df = r[[f"{pair} {what}" for what in ("difference", "se", "df")]]
            found = [row["estimate"], row["estimate"] / row["t"], row["df"]]
            np.testing.assert_allclose(found, [difference, se, df], rtol=R, atol=R)
            assert (row["ci_low"] * row["ci_high"] > 0) == (row["p_value"] < 0.05)
        omnibus = result.omnibus.loc[score]
        np.testing.assert_allclose(omnibus[["f", "p_value"]], r[[f"{g} F", f"{g} p"]], rtol=1e-9)


@pytest.mark.parametrize("design", DESIGNS)
def test_position_in_the_zone_as_fieller(design):
    frame, _ = sampled()
    e, p, a = (
        frame[[c for c in frame.columns if c.startswith(name)]].mean(axis=1)
        for name in ("E_empathy", "P_empathy", "E_assurance")
    )
    table = frame[["w", "cluster", "stratum"]].assign(E_x=e, P_x=p, M_x=a - 1)
    book = cx.Codebook(
        scale=(0.0, 9.0), constructs={"x": ["x"]}, perception="P_{item}",
        expectation="E_{item}", minimum="M_{item}", other=["w", "cluster", "stratum"],
    )  # fmt: skip
    row = cx.servqual(table, book, design=DESIGNS[design]).zone.loc["x"]
    wanted = reference(design, "zone")[["position", "low", "high"]]
    found = row[["position", "position_ci_low", "position_ci_high"]].astype(float)
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize("score", DIMENSIONS[1:])
def test_reliability_of_the_gap_from_weighted_moments(score):
    row = cx.servqual(*sampled(), design=DESIGNS["weights"]).table.loc[score]
    wanted = reference("weights", score)[["r_D", "alpha_gap"]]
    np.testing.assert_allclose(row[["reliability", "alpha_gap"]].astype(float), wanted, rtol=R)


def test_equal_weights_are_no_weights():
    frame, book = sampled()
    plain = cx.servqual(frame, book, by="group2").table.drop(columns="p_wilcoxon")
    weighted = cx.servqual(frame.assign(w=3), book, by="group2", design=DESIGNS["weights"])
    same = plain.columns.drop(["effect_ci_low", "effect_ci_high"])
    pd.testing.assert_frame_equal(weighted.table[same], plain[same], check_dtype=False)


def test_cluster_is_short_for_a_design():
    frame, book = sampled()
    short = cx.servperf(frame, book, cluster="cluster")
    pd.testing.assert_frame_equal(
        short.table, cx.servperf(frame, book, design=DESIGNS["cluster"]).table
    )
    assert short.design == DESIGNS["cluster"]
    assert any("17 clusters are few" in note.en for note in short.notes)


def test_what_goes_with_no_design_is_refused():
    frame, book = sampled()
    with pytest.raises(cx.CxError, match="interval='bca' beside a sampling design; allowed: 't'"):
        cx.servqual(frame, book, interval="bca", cluster="cluster")
    with pytest.raises(cx.CxError, match="cluster= beside design="):
        cx.servqual(frame, book, design=DESIGNS["all"], cluster="cluster")
    with pytest.raises(cx.DataError, match="column 'branch', of the design, is not in the table"):
        cx.servqual(frame, book, cluster="branch")


@pytest.mark.slow
def test_clusters_cover():
    """Twenty visits of each of 30 customers whose visits resemble each other, groups cut across."""
    covered = {"plain": [], "cluster": [], "difference": []}
    for seed in range(1_000):
        generator = np.random.default_rng(seed)
        customer = np.repeat(np.arange(30), 20)
        x = generator.normal(size=30)[customer] + generator.normal(size=600)
        frame = pd.DataFrame({"customer": customer, "group": generator.integers(0, 2, 600)})
        options = MeanOptions(rows=cx.Design(cluster="customer").read(frame))
        scores = np.column_stack([x, x])
        for name, chosen in (("plain", replace(options, rows=None)), ("cluster", options)):
            found = mean_tests(scores, chosen)
            covered[name].append(found.ci_low[0] < 0 < found.ci_high[0])
        pair = compare_groups(frame, "group", scores, ["A", "Overall"], options).pairs.iloc[0]
        covered["difference"].append(pair["ci_low"] < 0 < pair["ci_high"])
    shares = {name: float(np.mean(hits)) for name, hits in covered.items()}
    print(shares)
    assert shares["plain"] < 0.7
    assert 0.93 < shares["cluster"] < 0.97
    assert 0.93 < shares["difference"] < 0.97


def test_a_distance_that_is_the_same_for_everybody_is_said():
    frame, book = cx.simulate_servqual(40, seed=1, minimum=True)
    for item in book.constructs["Tangibles"]:
        frame[f"P_{item}"] = 5
        frame[f"M_{item}"] = 4
    result = cx.servqual(frame, book)
    assert np.isnan(result.zone.loc["Tangibles", "adequacy_ci_low"])
    (note,) = [note for note in result.notes if "distance to the minimum" in note.en]
    assert "Tangibles" in note.en
    assert "有形性" in note.zh
