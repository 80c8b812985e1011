"""A/B tests of a fixed horizon: second opinions, properties, bad input."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from cxstats.core.errors import CxError, DataError
from cxstats.experiments import (
    ab_test,
    ab_test_from_counts,
    always_valid,
    lift_interval,
    sample_ratio,
)
from cxstats.metrics import mean
from tests.references import close, reference, value

R = 1e-9  # R's own tolerance is 1e-12; roots of uniroot are not used here
REFERENCE = reference("experiments")


def rows(control, treatment):
    """Return a frame of outcomes from (events, n) of both groups."""
    parts = [
        pd.DataFrame({"arm": arm, "y": np.arange(n) < events})
        for arm, (events, n) in (("old", control), ("new", treatment))
    ]
    return pd.concat(parts, ignore_index=True).astype({"y": int})


def made():
    """Return the sample of experiments.R."""
    i = np.arange(60)
    group = np.array(["a", "b", "c"])[i % 3]
    x1, x2 = (7 * i) % 23, (11 * i) % 17 + i % 5
    y = 3 * x1 - 2 * x2 + (13 * i) % 19 + 4 * (group == "b") - 2 * (group == "c")
    return pd.DataFrame({"group": group, "x1": x1, "x2": x2, "y": y})


def test_proportions_against_statsmodels_and_r():
    test = ab_test_from_counts(control=(83, 1000), treatment=(127, 1000))
    row = test.table.iloc[0]
    low, high = confint_proportions_2indep(127, 1000, 83, 1000, method="newcomb")
    z, p = proportions_ztest([127, 83], [1000, 1000])
    close(row[["ci_low", "ci_high"]].tolist(), [low, high], 1e-12)
    close([row["statistic"], row["p_value"]], [z, p], 1e-12)
    close(row["estimate"], value(REFERENCE, case="shares", name="estimate"), R)
    close(row["p_value"], value(REFERENCE, case="shares", name="p_value"), R)


def test_raw_and_counts_are_one():
    counts = ab_test_from_counts(control=(40, 400), treatment=(64, 410)).table
    raw = ab_test(rows((40, 400), (64, 410)), outcome="y", group="arm", control="old").table
    columns = ["estimate", "ci_low", "ci_high", "se", "p_value", "lift", "lift_low", "lift_high"]
    close(raw[columns].to_numpy(), counts[columns].to_numpy(), 1e-13)


def test_means_against_r_and_from_summaries():
    frame = made()
    test = ab_test(frame, outcome="y", group="group", control="a", metric="mean")
    row = test.table.set_index("variant").loc["b"]
    names = {"estimate": "estimate", "ci_low": "low", "ci_high": "high", "df": "df", "se": "se"}
    for ours, theirs in names.items():
        close(row[ours], value(REFERENCE, case="welch", name=theirs), R)
    told = frame.groupby("group")["y"].agg(["mean", "std", "size"])
    given = {
        ("control" if name == "a" else name): (float(m), float(s), int(n))
        for name, (m, s, n) in zip(told.index, told.to_numpy(), strict=True)
    }
    counted = ab_test_from_counts(metric="mean", **given).table.set_index("variant")
    close(counted.loc["b", "ci_low"], row["ci_low"], 1e-11)


def test_nps_difference_is_that_of_its_counts():
    answers = np.repeat([10, 7, 3, 9, 8, 0], [50, 30, 20, 60, 25, 15])
    arm = np.repeat(["old", "new"], 100)
    frame = pd.DataFrame({"score": answers, "arm": arm})
    test = ab_test(frame, outcome="score", group="arm", control="old", metric="nps")
    assert test.table["estimate"].iloc[0] == pytest.approx(45 - 30)
    counted = ab_test_from_counts(metric="nps", control=(50, 30, 20), treatment=(60, 25, 15))
    columns = ["estimate", "ci_low", "ci_high", "p_value"]
    close(test.table[columns].to_numpy(), counted.table[columns].to_numpy(), 1e-12)

    # z by hand, with 3/8 of a promoter and of a detractor added to each group
    def moved(p, d, n):
        p, d, n = (p + 0.375) / (n + 1.5), (d + 0.375) / (n + 1.5), n + 1.5
        return p - d, (p + d - (p - d) ** 2) / n

    (new, v), (old, w) = moved(60, 15, 100), moved(50, 20, 100)
    p = 2 * stats.norm.sf((new - old) / np.sqrt(v + w))
    assert test.table["p_value"].iloc[0] == pytest.approx(p, abs=1e-12)


def test_lift_is_fiellers_for_symmetric_limits():
    z = stats.norm.ppf(0.975)
    first, second = z * np.sqrt(0.8), z * np.sqrt(0.5)
    found = lift_interval((12, 12 - first, 12 + first), (10, 10 - second, 10 + second))
    expected = [value(REFERENCE, case="fieller", name=end) for end in ("low", "high")]
    close(found[0], 0.2, 1e-12)
    close(found[1:], expected, R)


def test_lift_at_the_edges():
    none = ab_test_from_counts(control=(20, 200), treatment=(0, 200)).table.iloc[0]
    assert none["lift"] == none["lift_low"] == -1
    assert -1 < none["lift_high"] < 0
    unknown = ab_test_from_counts(control=(0, 200), treatment=(9, 200)).table.iloc[0]
    assert np.isnan(unknown[["lift", "lift_low", "lift_high"]].to_numpy(float)).all()
    assert unknown["test"] == "Fisher"


def test_swapping_turns_the_sign():
    one = ab_test_from_counts(control=(83, 1000), treatment=(127, 1100)).table.iloc[0]
    two = ab_test_from_counts(control=(127, 1100), treatment=(83, 1000)).table.iloc[0]
    close(one["estimate"], -two["estimate"], 1e-13)
    close([one["ci_low"], one["ci_high"]], [-two["ci_high"], -two["ci_low"]], 1e-13)
    close(one["p_value"], two["p_value"], 1e-13)
    for a, b in (("lift", "lift"), ("lift_low", "lift_high"), ("lift_high", "lift_low")):
        close(1 + one[a], 1 / (1 + two[b]), 1e-12)


def test_order_and_names_do_not_matter():
    frame = rows((40, 400), (64, 410))
    shuffled = frame.sample(frac=1, random_state=1).assign(
        arm=lambda f: f["arm"].map({"old": "Z", "new": "A"})
    )
    a = ab_test(frame, outcome="y", group="arm", control="old").table
    b = ab_test(shuffled, outcome="y", group="arm", control="Z").table
    columns = ["estimate", "ci_low", "ci_high", "p_value"]
    close(a[columns].to_numpy(), b[columns].to_numpy(), 1e-13)


def test_every_engine():
    import duckdb
    import polars as pl

    frame = rows((40, 400), (64, 410))
    given = {"outcome": "y", "group": "arm", "control": "old"}
    expected = ab_test(frame, **given).table["p_value"].iloc[0]
    for table in (pl.from_pandas(frame), pl.from_pandas(frame).lazy(), duckdb.from_df(frame)):
        assert ab_test(table, **given).table["p_value"].iloc[0] == pytest.approx(expected)


def test_several_variants_are_adjusted_after_holm():
    test = ab_test_from_counts(control=(100, 1000), b=(130, 1000), c=(140, 1000), d=(101, 1000))
    p = test.table["p_value"].to_numpy()
    order = np.argsort(p)
    expected = np.empty(3)
    expected[order] = np.maximum.accumulate(p[order] * [3, 2, 1]).clip(max=1)
    close(test.table["p_adjusted"], expected, 1e-13)
    assert "adjusted after Holm" in " ".join(note.en for note in test.notes)
    with pytest.raises(CxError, match="3 variants"):
        test.posterior()
    assert test.posterior("c").probability > 0.99


def test_sample_ratio_against_r():
    found = sample_ratio({"control": 821_588, "treatment": 815_482})
    close(found.statistic, value(REFERENCE, case="srm", name="statistic"), R)
    close(found.p_value, value(REFERENCE, case="srm", name="p_value"), 1e-12)
    assert found.mismatch
    three = sample_ratio({"a": 920, "b": 480, "c": 610}, {"a": 2, "b": 1, "c": 1})
    close(three.p_value, value(REFERENCE, case="srm3", name="p_value"), 1e-9)
    swapped = sample_ratio({"c": 610, "a": 920, "b": 480}, {"a": 0.5, "c": 0.25, "b": 0.25})
    close(swapped.p_value, three.p_value, 1e-12)


def test_a_mismatch_is_said_first():
    test = ab_test(rows((400, 4400), (450, 4000)), outcome="y", group="arm", control="old")
    assert not test.trusted
    assert test.summary().startswith("NOT TO BE TRUSTED")
    assert "SAMPLE RATIO MISMATCH" in test.summary()
    assert "不可信" in test.summary("zh")
    assert test.plot().figure.get_suptitle().startswith("NOT TO BE")
    planned = ab_test(
        rows((400, 4400), (450, 4000)), outcome="y", group="arm", control="old",
        shares={"old": 11, "new": 10},
    )  # fmt: skip
    assert planned.trusted
    assert "as planned" in planned.summary()
    unchecked = ab_test_from_counts(control=(1, 10), treatment=(2, 50), shares=None)
    assert "not checked" in unchecked.summary()


def test_missing_answers_are_counted_and_tested():
    frame = rows((100, 1000), (100, 1000)).astype({"y": float})
    frame.loc[frame.index[:300], "y"] = np.nan
    test = ab_test(frame, outcome="y", group="arm", control="old")
    assert test.sample_ratio.p_value == pytest.approx(1)  # assigned as planned
    assert not test.trusted
    assert any("300 rows have no answer" in note.en for note in test.notes)
    assert any("missing in other shares" in note.en for note in test.notes)


def test_texts_and_pictures():
    test = ab_test_from_counts(control=(83, 1000), treatment=(127, 1000), name="conversion_rate")
    for lang in ("en", "zh"):
        assert "treatment" in test.summary(lang)
        test.plot(lang=lang)
        test.plot("lift", lang=lang)
        test.sample_ratio.plot(lang=lang)
    assert "<table" in test._repr_html_()
    assert repr(test) == test.summary()
    with pytest.raises(CxError, match=r"kind='both'.*'difference', 'lift'"):
        test.plot("both")
    nothing = ab_test_from_counts(metric="nps", control=(30, 40, 30), treatment=(50, 30, 20))
    assert nothing.kinds == ("difference",)
    with pytest.raises(CxError, match="no lift relative to a control that is not above 0"):
        nothing.plot("lift")


def test_bad_tables():
    frame = rows((40, 400), (64, 400))
    given = {"outcome": "y", "group": "arm", "control": "old"}
    with pytest.raises(DataError, match="control='B' is not a group of 'arm'; groups: 'new'"):
        ab_test(frame, **given | {"control": "B"})
    with pytest.raises(DataError, match="column 'arm' has one group, 'old'"):
        ab_test(frame[frame["arm"] == "old"], **given)
    with pytest.raises(DataError, match="column 'bought' is not in the table"):
        ab_test(frame, **given | {"outcome": "bought"})
    with pytest.raises(DataError, match="column 'variant' is not in the table"):
        ab_test(frame, **given | {"group": "variant"})
    with pytest.raises(CxError, match="metric='median'; allowed: 'proportion', 'mean', 'nps'"):
        ab_test(frame, **given, metric="median")
    with pytest.raises(DataError, match="row 0, column 'y': 11 is off the scale"):
        ab_test(frame.assign(y=11), **given, metric="nps")
    with pytest.raises(DataError, match="2 is off the scale"):
        ab_test(frame.assign(y=2), **given)
    empty = frame.astype({"y": float})
    empty.loc[empty["arm"] == "new", "y"] = np.nan
    with pytest.raises(DataError, match="group 'new' is empty"):
        ab_test(empty, **given)
    with pytest.raises(DataError, match="shares has none for group 'new'"):
        ab_test(frame, **given, shares={"old": 1})


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"treatment": (1, 2)}, "no group named control"),
        ({"control": (1, 2)}, "has one group, 'control'"),
        ({"control": (-3, 20), "b": (1, 20)}, "'control'.*: -3 is no count"),
        ({"control": (3, 20), "b": (21, 20)}, "'b'.*: 21 events of 20 trials"),
        ({"control": (0, 0), "b": (1, 20)}, "group 'control' is empty"),
        ({"control": 3, "b": (1, 20)}, r"control=3; allowed for 'proportion': \(events, n\)"),
        ({"control": (1.5, 20), "b": (1, 20)}, "1.5 is no count"),
    ],
)
def test_bad_counts(groups, message):
    with pytest.raises(DataError, match=message):
        ab_test_from_counts(**groups)


def test_bad_nps_counts_and_sizes():
    with pytest.raises(DataError, match="promoters, passives, detractors"):
        ab_test_from_counts(metric="nps", control=(1, 2), treatment=(3, 4))
    with pytest.raises(DataError, match="group 'b': -1 is no count"):
        sample_ratio({"a": 1, "b": -1})
    with pytest.raises(DataError, match="at least 2 groups"):
        sample_ratio({"a": 1})
    with pytest.raises(DataError, match="every count is 0"):
        sample_ratio({"a": 0, "b": 0})
    with pytest.raises(DataError, match="group 'b': 0; allowed: numbers above 0"):
        sample_ratio({"a": 1, "b": 2}, {"a": 1, "b": 0})
    with pytest.raises(DataError, match="shares names group 'c'"):
        sample_ratio({"a": 1, "b": 2}, {"a": 1, "b": 1, "c": 1})
    with pytest.raises(DataError, match="shares='even'"):
        sample_ratio({"a": 1, "b": 2}, "even")
    assert "rough" in sample_ratio({"a": 2, "b": 3}).summary()


@pytest.mark.parametrize("names", [(0, 1), (False, True), (2.5, 3.5), ("对照", "新版")])
def test_groups_of_any_kind(names):
    frame = rows((40, 400), (64, 410))
    frame["arm"] = [names[0] if one == "old" else names[1] for one in frame["arm"]]
    given = {"outcome": "y", "group": "arm", "control": names[0]}
    expected = ab_test_from_counts(control=(40, 400), treatment=(64, 410)).table["lift_low"]
    for table in (frame, frame.astype({"arm": "category"})):
        test = ab_test(table, **given)
        close(test.table["lift_low"], expected, 1e-12)
        assert test.table["variant"].tolist() == [names[1]]
        assert test.posterior().n == 810


def test_groups_with_names_of_the_result_are_refused():
    frame = rows((40, 400), (64, 410))
    for name, metric in (("n", "proportion"), ("events", "proportion"), ("sd", "mean")):
        with pytest.raises(CxError, match=f"column of groups '{name}' has the name of a column of"):
            ab_test(
                frame.rename(columns={"arm": name}),
                outcome="y",
                group=name,
                control="old",
                metric=metric,
            )
    for name in ("variant", "control", "lift", "__n", "group"):
        renamed = frame.rename(columns={"arm": name})
        assert ab_test(renamed, outcome="y", group=name, control="old").table["n"][0] == 410


def test_figures_that_are_no_numbers():
    with pytest.raises(DataError, match=r"'mean', group \('control',\): '5'; allowed: finite"):
        ab_test_from_counts(metric="mean", control=("5", 1, 100), treatment=("x", 1, 100))
    with pytest.raises(DataError, match=r"'sd', group \('treatment',\): -1; allowed: .* from 0"):
        ab_test_from_counts(metric="mean", control=(5, 1, 100), treatment=(6, -1, 100))
    with pytest.raises(DataError, match=r"'events', group \('treatment',\): '5' is no count"):
        ab_test_from_counts(control=(5, 100), treatment=("5", 100))


def test_planned_shares_sum_to_one():
    counts = {"a": 50, "b": 50}
    for shares, total in (({"a": 0.9, "b": 0.4}, "1.3"), ({"a": 0.2, "b": 0.2}, "0.4")):
        with pytest.raises(DataError, match=f"shares add up to {total}; allowed: .* sum to 1"):
            sample_ratio(counts, shares)
    thirds = {"a": 0.33, "b": 0.33, "c": 0.33}
    assert sample_ratio(counts | {"c": 50}, thirds).p_value == pytest.approx(1)
    assert sample_ratio(counts, {"a": 50, "b": 50}).statistic == 0


def test_outcomes_and_groups_that_are_neither():
    frame = rows((40, 400), (64, 410))
    days = frame.assign(y=pd.Timestamp("2026-01-05"))
    listed = frame.assign(arm=[[one] for one in frame["arm"]])
    for test, more in ((ab_test, {}), (always_valid, {"tuned_at": 500})):
        plan = {"group": "arm", "control": "old", **more}
        with pytest.raises(DataError, match=r"row 0, column 'y' holds no numbers \(datetime\)"):
            test(days, outcome="y", metric="mean", **plan)
        with pytest.raises(DataError, match=r"row 0, column 'arm': \['old'\] is no group"):
            test(listed, outcome="y", **plan)


def test_the_interval_that_a_note_advises_is_taken():
    """One order of 100,000 among 1,000 visitors: the note, and then what it advises."""
    generator = np.random.default_rng(3)
    revenue = np.where(generator.random(2000) < 0.1, generator.gamma(2, 40, 2000), 0)
    revenue[1700] = 100_000
    frame = pd.DataFrame({"revenue": revenue, "shown": ["old"] * 1000 + ["new"] * 1000})
    options = {"outcome": "revenue", "group": "shown", "control": "old", "metric": "mean"}
    advised = [note.en for note in ab_test(frame, **options).notes if "interval=" in note.en]
    assert any("cx.ab_test" in note for note in advised)
    drawn = ab_test(frame, interval="bca", n_resamples=2000, seed=4, **options)
    assert not any("interval=" in note.en for note in drawn.notes)
    means = mean(frame, "shown", column="revenue", interval="bca", n_resamples=2000, seed=4)
    pd.testing.assert_frame_equal(drawn.metric.table, means.table)
    assert drawn.table["ci_high"][0] == means.compare("old").table["ci_high"][0]
    with pytest.raises(CxError, match="interval='hall'; allowed"):
        ab_test(frame, interval="hall", **options)
