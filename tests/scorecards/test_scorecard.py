"""Verdicts on targets: right where the answer is known, careful where it is not."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml
from scipy import stats

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.core.paths import data_folder
from cxstats.metrics import nps_from_counts
from cxstats.scorecards.indicators import SHIPPED
from cxstats.scorecards.verdicts import Measurement, of_counts, of_error, of_nps, p_value
from cxstats.stats.intervals import proportion_interval

ALPHA = 0.05
SIZES = (30, 100, 400)
COLUMNS = ("estimate", "ci_low", "ci_high", "n")


def card(*indicators, **head):
    return {"branches": [{"name": "b", "indicators": list(indicators)}], **head}


def one(**keys):
    return cx.scorecard(card({"name": "x", **keys})).table.iloc[0]


@pytest.mark.parametrize("n", SIZES)
def test_a_share_at_its_target_is_judged_in_at_most_five_per_cent(n):
    """Exactly: binomial probabilities of all counts that are called met or missed."""
    counts = np.arange(n + 1)
    low, high = proportion_interval(counts / n, np.full(n + 1, n), "clopper_pearson")
    targets = np.linspace(0.005, 0.995, 199)
    outside = (targets[:, None] < low) | (targets[:, None] > high)
    wrong = (stats.binom.pmf(counts, n, targets[:, None]) * outside).sum(axis=1)
    assert wrong.max() <= ALPHA
    assert wrong.max() > 0.04  # no wider than it must be


def test_p_values_agree_with_the_intervals():
    for events in range(51):
        share = of_counts(events, 50, 0.95)
        for target in (0.1, 0.5, 0.77, 0.9):
            outside = not share.low <= target <= share.high
            assert (p_value(share, target, 0.95) < ALPHA) == outside, (events, target)
    for measured in (of_error(4, 0.2, 20, 0.9), of_error(4, 0.2, np.nan, 0.9),
                     Measurement(4, 3.5, 5, method="interval")):  # fmt: skip
        for end, step in ((measured.low, -1e-6), (measured.high, 1e-6)):
            assert p_value(measured, end + step, 0.9) < 0.1 < p_value(measured, end - step, 0.9)


def test_p_value_of_a_share_is_twice_the_exact_tail():
    tail = stats.binomtest(45, 50, 0.8, alternative="greater").pvalue
    assert p_value(of_counts(45, 50, 0.95), 0.8, 0.95) == pytest.approx(2 * tail, rel=1e-12)


def test_p_value_of_a_mean_is_that_of_the_t_test():
    values = np.array([4.0, 5, 3, 4, 6, 2, 5, 5])
    row = one(actual=values.mean(), sd=values.std(ddof=1), n=8, target=3)
    assert row["p_value"] == pytest.approx(stats.ttest_1samp(values, 3).pvalue, rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("n", SIZES)
def test_means_and_scores_at_their_target_are_judged_in_five_per_cent(n):
    rng = np.random.default_rng(n)
    runs = 10_000
    samples = rng.normal(5, 2, (runs, n))
    errors = samples.std(axis=1, ddof=1) / np.sqrt(n)
    means = [
        p_value(of_error(mean, se, n, 0.95), 5, 0.95) < ALPHA
        for mean, se in zip(samples.mean(axis=1), errors, strict=True)
    ]
    # Two standard errors of the simulation above the promise.
    limit = ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / runs)
    print(n, np.mean(means))
    assert np.mean(means) <= limit
    for shares in ([0.6, 0.2, 0.2], [0.3, 0.4, 0.3], [0.5, 0.4, 0.1]):
        counts = rng.multinomial(n, shares, runs)
        table = nps_from_counts(*counts.T, by={"run": np.arange(runs)}).table
        target = 100 * (shares[0] - shares[2])
        scores = [of_nps(*row) for row in zip(*(table[c] for c in COLUMNS), strict=True)]
        wrong = [score.low > target + 1e-9 or score.high < target - 1e-9 for score in scores]
        print(n, shares, np.mean(wrong))
        assert np.mean(wrong) <= limit


@pytest.mark.parametrize(
    ("target", "direction", "expected"),
    [(0.7, "higher", "met"), (0.85, "higher", "unclear"), (0.98, "higher", "missed"),
     (0.7, "lower", "missed"), (0.85, "lower", "unclear"), (0.98, "lower", "met")],
)  # fmt: skip
def test_the_direction_turns_the_verdict(target, direction, expected):
    row = one(events=45, trials=50, target=target, direction=direction)
    assert row["verdict"] == expected


def test_without_noise_the_number_decides_and_says_so():
    result = cx.scorecard(card(
        {"name": "a", "actual": 5, "target": 5}, {"name": "b", "actual": 4.9, "target": 5},
        {"name": "c", "actual": 4.9, "target": 5, "direction": "lower"},
        {"name": "d", "actual": 4.9}, {"name": "e", "target": 1},
    ))  # fmt: skip
    assert result.table["verdict"].tolist() == [
        "met_as_reported", "missed_as_reported", "met_as_reported", "no_target", "no_actual",
    ]  # fmt: skip
    assert result.branches.iloc[-1][["n_met", "n_missed", "n_reported"]].tolist() == [0, 0, 3]
    assert result.table["p_value"].isna().all()


def test_holm_judges_fewer():
    indicators = [
        {"name": str(i), "actual": 10, "se": 1, "target": 10 - z} for i, z in enumerate((2.1, 4))
    ]
    plain, holm = (cx.scorecard(card(*indicators), adjust=a) for a in (None, "holm"))
    assert plain.table["verdict"].tolist() == ["met", "met"]
    assert holm.table["p_adjusted"].iloc[1] == pytest.approx(2 * plain.table["p_value"].iloc[1])
    p = 2 * stats.norm.sf([1.99, 2.1])
    indicators = [{"name": str(z), "actual": z, "se": 1, "target": 0} for z in (1.99, 2.1)]
    assert max(p) < ALPHA < 2 * min(p) < 0.1
    holm = cx.scorecard(card(*indicators), adjust="holm")
    assert holm.table["verdict"].tolist() == ["unclear", "unclear"]


def test_results_of_cxstats_bring_their_interval():
    metric = cx.nps_from_counts(50, 30, 20)
    row = one(result=metric, target=10)
    # Half a step of the score, 100 / n, is added at either end.
    estimate, low, high = metric.table.iloc[0][["estimate", "ci_low", "ci_high"]]
    assert row[["estimate", "ci_low", "ci_high", "n"]].tolist() == [
        estimate, low - 0.5, high + 0.5, 100,
    ]  # fmt: skip
    assert row["verdict"] == "met"
    csat = cx.csat_from_counts({1: 5, 2: 5, 3: 10, 4: 30, 5: 50})
    events = int(csat.table["events"].iloc[0])
    exact, given = one(events=events, trials=100, target=0.7), one(result=csat, target=0.7)
    assert given[["ci_low", "p_value"]].tolist() == exact[["ci_low", "p_value"]].tolist()
    assert one(promoters=50, passives=30, detractors=20, target=10)["ci_low"] == row["ci_low"]


def test_the_last_wave_of_a_track_counts():
    counts = [[50, 30, 20], [55, 30, 15], [70, 20, 10]]
    metric = nps_from_counts(*np.transpose(counts), by={"wave": [1, 2, 3]})
    track = cx.track(metric)
    row = one(result=track, target=30)
    assert row["estimate"] == 60
    assert row["trend"] == track.trend["estimate"].iloc[0]
    with pytest.raises(DataError, match=r"'result': '3 rows'; allowed: a result of one row"):
        one(result=metric)


def test_the_bank_has_changes_and_nothing_else():
    result = cx.scorecard("bank_results")
    assert set(result.table["verdict"]) == {"no_target"}
    assert result.kinds == ("changes",)
    # Table 25 of the source, as printed: per cent, half up.
    printed = [229, 113, -74, 98, 280, 161, 136, -45.6]
    relative = 100 * result.table["relative"]
    decimals = [0] * 7 + [1]
    rounded = [float(np.floor(abs(x) * 10**d + 0.5 + 1e-9) / 10**d * np.sign(x))
               for x, d in zip(relative, decimals, strict=True)]  # fmt: skip
    # The printed 280 is 280.49 and -73.75 is -74: all as the audit has them.
    assert rounded == printed


def test_the_form_has_the_names_of_the_case_table():
    result = cx.scorecard("innovation_kpis")
    rows = pd.read_csv(data_folder() / "cases" / "tables" / "kpi_tree.csv", dtype=str)
    assert result.as_table("zh")["indicator"].tolist() == rows["indicator_zh"].tolist()
    assert result.as_table("zh")["branch"].tolist() == rows["branch_zh"].tolist()
    assert result.table["indicator"].tolist() == rows["indicator_en"].tolist()
    assert set(result.table["verdict"]) == {"no_actual"}
    assert result.kinds == ()


def test_gaps_are_listed():
    keys = {"name": "x", "actual": 1, "target": 1, "next_review": "2026-11-26"}
    result = cx.scorecard(card(keys, {"name": "y", "weight": 1}), as_of="2026-11-27")
    assert result.gaps["lack"].tolist() == [
        "no_noise", "no_owner", "overdue", "no_weight",
        "no_target", "no_actual", "no_owner", "no_review",
    ]  # fmt: skip
    same = cx.scorecard(card({**keys, "owner": "me"}), as_of=datetime.date(2026, 11, 26))
    assert same.gaps["lack"].tolist() == ["no_noise"]
    assert any("as_of" in note.en for note in cx.scorecard(card(keys)).notes)


def test_weights_give_shares_of_verdicts():
    met, unclear = ({"actual": 5, "se": 1, "target": target} for target in (0, 5))
    tree = {"branches": [
        {"name": "a", "weight": 0.75, "indicators": [
            {"name": "1", "weight": 60, **met}, {"name": "2", "weight": 40, **unclear}]},
        {"name": "b", "weight": 0.25, "indicators": [{"name": "3", "weight": 1, **unclear}]},
    ]}  # fmt: skip
    branches = cx.scorecard(tree).branches
    assert branches["met_share"].tolist() == pytest.approx([0.6, 0, 0.45])
    assert branches["unclear_share"].tolist() == pytest.approx([0.4, 1, 0.55])
    del tree["branches"][1]["weight"]
    assert np.isnan(cx.scorecard(tree).branches["met_share"].iloc[-1])
    tree["branches"][0]["indicators"][0]["weight"] = 50
    with pytest.raises(DataError, match=r"branch 'a': weights: they sum to 90; allowed: 1 or 100"):
        cx.scorecard(tree)


@pytest.mark.parametrize("engine", [
    lambda frame: frame, pl.from_pandas, lambda frame: frame.convert_dtypes(),
    lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    lambda frame: frame.set_axis([0, 0]),
])  # fmt: skip
def test_a_table_says_the_same_as_a_tree(engine):
    frame = pd.DataFrame({
        "branch": ["a", "b"], "indicator": ["x", "y"], "target": [0.5, 4], "events": [40, None],
        "trials": [50, None], "actual": [None, 5.0], "se": [None, 0.1],
        "next_review": [pd.Timestamp("2026-01-01"), None],
    })  # fmt: skip
    table = cx.scorecard(engine(frame), as_of="2026-06-01").table
    assert table["verdict"].tolist() == ["met", "met"]
    assert table["next_review"].tolist() == ["2026-01-01", ""]
    assert table["ci_low"].iloc[0] == of_counts(40, 50, 0.95).low


@pytest.mark.parametrize("name", SHIPPED)
def test_files_and_mappings_say_the_same(name, tmp_path):
    content = yaml.safe_load((data_folder() / "scorecards" / f"{name}.yml").read_text("utf-8"))
    pd.testing.assert_frame_equal(cx.scorecard(content).table, cx.scorecard(name).table)
    assert cx.scorecard(name).synthetic == name.startswith("synthetic_")
    assert cx.scorecard(name).export(tmp_path / "card.xlsx").exists()


@pytest.mark.parametrize(("keys", "message"), [
    ({"target": "5"}, r"branch 'b', indicator 1, 'target': '5'; allowed: a number"),
    ({"target": float("inf")}, r"'target': inf; allowed: a number"),
    ({"target": True}, r"'target': True; allowed: a number"),
    ({"events": 5, "trials": 4}, r"'events': 5.0; allowed: at most trials \(4\)"),
    ({"events": 1.5, "trials": 4}, r"'events': 1.5; allowed: a whole number"),
    ({"events": -1, "trials": 4}, r"'events': -1; allowed: numbers from 0"),
    ({"events": 0, "trials": 0}, r"'events': 0.0; allowed: at most trials"),
    ({"events": 3}, r"'events' without 'trials'"),
    ({"events": 3, "trials": 4, "target": 75}, r"'target': 75.0; allowed: a share from 0 to 1"),
    ({"events": 3, "trials": 4, "actual": 0.75}, r"'actual' beside 'events'"),
    ({"actual": 1, "low": 2, "high": 3}, r"'actual': 1.0; allowed: from low \(2\) to high \(3\)"),
    ({"actual": 1, "low": 0}, r"allowed: low and high"),
    ({"actual": 1, "sd": 2}, r"sd and n"),
    ({"actual": 1, "se": 2, "n": 1}, r"'n': 1.0; allowed: 2 at least"),
    ({"direction": "up"}, r"'direction': 'up'; allowed: 'higher' or 'lower'"),
    ({"next_review": "soon"}, r"'next_review': 'soon'; allowed: a day"),
    ({"fact": "F999"}, r"'fact': 'F999'; allowed: a published quantity"),
    ({"goal": 3}, r"key 'goal' is not known"),
    ({"result": 3}, r"'result': 'int'; allowed: a result of cxstats"),
    ({"promoters": 1, "passives": 0, "detractors": 0}, r"two answers at least"),
    ({"weight": -1}, r"'weight': -1; allowed: numbers from 0"),
    ({"owner": ["a"]}, r"'owner': \['a'\]; allowed: a text"),
])  # fmt: skip
def test_what_is_wrong_is_named(keys, message):
    with pytest.raises(DataError, match=message):
        one(**keys)


@pytest.mark.parametrize(("tree", "message"), [
    ({}, "no indicator; at least one"),
    ({"branches": 3}, r"the scorecard, 'branches': 3; allowed: a list"),
    ({"branches": [3]}, r"branch 1, 'branches': 3; allowed: mappings"),
    (card({"target": 1}), r"'name': None; allowed: a text"),
    (card({"name": "x"}, {"name": "x"}), r"branch 'b': indicator 'x' stands twice"),
    (pd.DataFrame({"x": [1]}), r"column 'x' is not known"),
    (pd.DataFrame({"branch": ["x"]}), r"column 'indicator' is not in the table"),
    (pd.DataFrame({"indicator": []}), "the table has no rows"),
    (pd.DataFrame({"indicator": ["x"], "target": ["y"]}, [7]), r"row 7, 'target': 'y'"),
    ("no_such_card", r"scorecards that ship: bank_results"),
    (3, "cannot be read"),
])  # fmt: skip
def test_wrong_trees_are_named(tree, message):
    with pytest.raises(DataError, match=message):
        cx.scorecard(tree)


def test_options_are_checked():
    for options, message in (
        ({"adjust": "bonferroni"}, r"adjust='bonferroni'; allowed: None, 'holm'"),
        ({"as_of": "today"}, r"as_of='today'; allowed: a day"),
        ({"level": 2}, "level"),
    ):
        with pytest.raises(CxError, match=message):
            cx.scorecard("bank_results", **options)


def test_all_problems_are_named_at_once():
    with pytest.raises(DataError) as error:
        cx.scorecard(card({"name": "x", "target": "a", "weight": "b"}))
    assert len(error.value.problems) == 2


def test_answers_without_spread_have_no_known_noise():
    assert one(actual=5, sd=0, n=10, target=4)["verdict"] == "met_as_reported"
