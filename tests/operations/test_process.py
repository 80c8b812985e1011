"""The performance of a process: by hand, by group-by, by properties and by simulated truth."""

import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from cxstats.core.errors import CxError, DataError
from cxstats.datasets.simulate_loan_log import CONTACTS, loan_truth, simulate_loan_log
from cxstats.operations.estimates import clustered_rate, means, poisson_rate, quantile
from cxstats.operations.event_log import event_log
from cxstats.operations.process import process
from cxstats.operations.rates import first_contact
from tests.operations.logs import LOAN, five, log

EXACT = 1e-12  # the same arithmetic in another order
QUICK = {"n_resamples": 300}


def rows(result):
    return result.table.set_index(["measure", "statistic"])


def test_five_cases_by_hand():
    result = process(log(), contact="call", unit="minute", **QUICK)
    assert result.cases["lead_time"].tolist() == [100, 140, 15, 180, 50]
    assert result.cases["handling_time"].tolist() == [60, 60, 15, 50, 30]
    assert result.cases["waiting_time"].tolist() == [40, 80, 0, 130, 20]
    assert result.cases["first_contact"].tolist() == [1, 1, 1, 0, 1]
    table = rows(result)
    expected = {
        ("lead_time", "mean"): 97,
        ("lead_time", "median"): 100,
        ("handling_time", "mean"): 43,
        ("waiting_time", "mean"): 54,
        ("first_contact_resolution", "rate"): 4 / 5,
        ("automation_rate", "rate"): 4 / 14,
        ("error_rate", "rate"): 2 / 14,
        ("manual_rate", "rate"): 3 / 14,
        ("error_or_manual_rate", "rate"): 4 / 14,  # D's solve has both and counts once
        ("rework_rate", "rate"): 2 / 5,
        # 10+20+10+20+15+10+10+30+10+10 minutes of people
        ("throughput", "rate"): 5 / (145 / 60),
    }
    for key, value in expected.items():
        assert table.loc[key, "estimate"] == pytest.approx(value, rel=EXACT), key


def test_hot_spots_by_hand():
    spots = process(log(), contact="call", unit="minute", **QUICK).hot_spots
    spots = spots.set_index(["kind", "measure"])["estimate"]
    assert spots["card"].to_dict() == pytest.approx(
        {
            "share": 0.6,
            "handling_time": 50,
            "lead_time": 290 / 3,
            "work_share": 150 / 215,
            "first_contact_resolution": 1,
        }
    )
    assert spots["loan"].to_dict() == pytest.approx(
        {
            "share": 0.4,
            "handling_time": 32.5,
            "lead_time": 97.5,
            "work_share": 65 / 215,
            "first_contact_resolution": 0.5,
        }
    )


def test_activities_at_the_same_time_are_no_waiting():
    frame = pd.DataFrame(
        {
            "case": [1, 1, 1],
            "what": ["a", "b", "c"],
            "from": pd.to_datetime(["2024-01-01 00:00", "2024-01-01 00:10", "2024-01-01 01:10"]),
            "to": pd.to_datetime(["2024-01-01 01:00", "2024-01-01 00:20", "2024-01-01 01:20"]),
        }
    )
    result = process(
        event_log(frame, case="case", activity="what", start="from", end="to"), unit="minute"
    )
    # From 0 to 80 minutes; a covers b; nothing runs from 60 to 70.
    times = result.cases.loc[1, ["lead_time", "handling_time", "waiting_time"]]
    assert times.tolist() == [80, 80, 10]
    assert any("ran at once" in note.en for note in result.notes)


def test_without_end_times_there_is_only_a_lead_time():
    result = process(event_log(five(), case="case", activity="activity", start="start"))
    assert set(result.table["measure"]) == {"lead_time", "throughput", "rework_rate"}
    assert np.isnan(rows(result).loc[("throughput", "rate"), "estimate"])
    assert set(result.bottlenecks["measure"]) == {"elapsed"}


def test_repeats_are_found_within_a_window_and_across_cases_of_a_customer():
    assert first_contact(log(), "call", window="99min").solved[3] == 1  # D calls again after 100
    assert first_contact(log(), "call", window="100min").solved[3] == 0
    found = first_contact(log(), "call", window="120min")
    # The log ends at minute 270, so the windows from 35, 60 and 130 are over; that of E (130) is.
    assert (found.open, found.solved.tolist()) == (0, [1, 1, 1, 0, 1])
    assert first_contact(log(), "call", window="3h").open == 1
    assert np.isnan(first_contact(log(), "call", window="3h").solved[4])
    people = five(customer=five()["case"].map({"A": 1, "B": 2, "C": 3, "D": 4, "E": 1}))
    assert first_contact(log(people, customer="customer"), "call").solved.tolist() == [
        0,
        1,
        1,
        0,
        1,
    ]
    # E is of another ticket type than A: no repeat of the same matter.
    other = people.assign(type=people["type"].where(people["case"] != "E", "transfer"))
    assert first_contact(log(other, customer="customer"), "call").solved[0] == 1
    assert first_contact(log(), "call", resolved="solve").solved.tolist() == [1, 1, 0, 0, 1]
    assert first_contact(log(), ["check"]).no_contact == 2


@pytest.fixture(scope="module")
def loans():
    return simulate_loan_log(1500, seed=3)


def test_group_by_as_a_second_opinion(loans):
    result = process(event_log(loans, **LOAN), contact=list(CONTACTS), **QUICK)
    shuffled = loans.sample(frac=1, random_state=1).sort_values(["case", "start"])
    hour = pd.Timedelta("1h")
    groups = shuffled.assign(work=(shuffled["end"] - shuffled["start"]) / hour).groupby("case")
    lead = (groups["end"].max() - groups["accepted"].first()) / hour
    table = rows(result)
    assert table.loc[("lead_time", "mean"), "estimate"] == pytest.approx(lead.mean(), rel=EXACT)
    assert table.loc[("lead_time", "p90"), "estimate"] == pytest.approx(lead.quantile(0.9))
    work = groups["work"].sum()
    assert table.loc[("handling_time", "median"), "estimate"] == pytest.approx(work.median())
    waiting = lead - work
    assert table.loc[("waiting_time", "mean"), "estimate"] == pytest.approx(waiting.mean())
    contacts = shuffled["activity"].isin(CONTACTS).groupby(shuffled["case"]).sum()
    found = table.loc[("first_contact_resolution", "rate"), "estimate"]
    assert found == pytest.approx((contacts == 1).mean(), rel=EXACT)
    for name, column in (("automation", "automated"), ("error", "error"), ("manual", "manual")):
        rate = table.loc[(f"{name}_rate", "rate"), "estimate"]
        assert rate == pytest.approx(loans[column].mean(), rel=EXACT)


def test_shifted_and_permuted_logs_give_the_same_numbers(loans):
    first = process(event_log(loans, **LOAN), contact=list(CONTACTS), **QUICK)
    names = ["start", "end", "accepted"]
    shifted = loans.assign(**{name: loans[name] + pd.Timedelta("400 days") for name in names})
    mixed = loans.sample(frac=1, random_state=2)
    for frame in (shifted, mixed):
        again = process(event_log(frame, **LOAN), contact=list(CONTACTS), **QUICK)
        pd.testing.assert_frame_equal(first.table, again.table, rtol=1e-12)
        pd.testing.assert_frame_equal(first.bottlenecks, again.bottlenecks, rtol=1e-12)
        pd.testing.assert_frame_equal(first.variants, again.variants, rtol=1e-12)


def test_parts_add_up_to_the_whole(loans):
    half = loans["case"] < "L0000701"
    whole, *parts = (
        process(event_log(f, **LOAN), unit="day", **QUICK)
        for f in (loans, loans[half], loans[~half])
    )
    for measure in ("lead_time", "handling_time"):
        sums = [rows(p).loc[(measure, "mean"), ["estimate", "n"]].prod() for p in (whole, *parts)]
        assert sums[0] == pytest.approx(sums[1] + sums[2], rel=EXACT)
    counts = [p.variants.set_index("variant")["n"] for p in parts]
    total = counts[0].add(counts[1], fill_value=0)
    assert total.to_dict() == whole.variants.set_index("variant")["n"].to_dict()


def test_units_scale_times_only():
    days, hours = (rows(process(log(), unit=unit, **QUICK)) for unit in ("day", "hour"))
    columns = ["estimate", "ci_low", "ci_high", "se"]
    for key in days.index:
        factor = 24 if key[0].endswith("time") else 1
        np.testing.assert_allclose(
            hours.loc[key, columns].astype(float), factor * days.loc[key, columns].astype(float)
        )


@pytest.mark.parametrize("redesigned", [False, True])
def test_the_truth_is_recovered(redesigned):
    frame = simulate_loan_log(20_000, seed=5, redesigned=redesigned)
    truth = loan_truth(redesigned)
    result = process(event_log(frame, **LOAN), contact=list(CONTACTS), **QUICK)
    table = result.table[result.table["statistic"].isin(["mean", "rate"])].set_index("measure")
    for name, row in table.iterrows():
        assert abs(row["estimate"] - truth[name]) < 3.5 * row["se"], name
    spots = result.hot_spots.set_index(["kind", "measure"])
    for kind in ("personal", "car", "mortgage"):
        for measure in ("share", "work_share"):
            row = spots.loc[(kind, measure)]
            width = (row["ci_high"] - row["ci_low"]) / 2
            assert abs(row["estimate"] - truth[f"{measure}:{kind}"]) < 1.8 * width
    for _, row in result.bottlenecks.iterrows():
        value = truth[f"{row['measure']}:{row['activity']}"]
        assert abs(row["estimate"] - value) < 3.5 * row["se"], row["activity"]
    assert truth["lead_time"] == pytest.approx(12 if redesigned else 120)
    assert truth["automation_rate"] == pytest.approx(0.85 if redesigned else 0.2)
    assert truth["manual_rate"] == pytest.approx(0.10 if redesigned else 0.4)


def test_one_event_a_case_gives_wilsons_interval():
    hits = np.arange(40) < 7
    found = clustered_rate(hits, np.arange(40), 0.95)
    expected = proportion_confint(7, 40, method="wilson")
    assert (found.ci_low, found.ci_high) == pytest.approx(expected, rel=1e-12)
    none = clustered_rate(np.zeros(40, bool), np.arange(40) // 4, 0.95)
    assert none.ci_high == pytest.approx(proportion_confint(0, 10, method="wilson")[1])


def test_copies_within_a_case_add_nothing():
    rng = np.random.default_rng(1)
    hits = rng.random(60) < 0.3
    one = clustered_rate(hits, np.arange(60), 0.95)
    four = clustered_rate(np.repeat(hits, 4), np.repeat(np.arange(60), 4), 0.95)
    assert four.se == pytest.approx(one.se, rel=1e-12)
    # As wide but for the t quantile of 59 degrees of freedom against 239.
    assert four.ci_high - four.ci_low == pytest.approx(one.ci_high - one.ci_low, rel=0.03)
    assert four.ci_high - four.ci_low > one.ci_high - one.ci_low


def test_quantiles_agree_with_scipy():
    values = np.random.default_rng(2).lognormal(size=83)
    for share in (0.5, 0.9):
        found = quantile(values, share, 0.9)
        expected = stats.quantile_test(values, p=share).confidence_interval(0.9)
        assert (found.ci_low, found.ci_high) == (expected.low, expected.high)
        assert found.estimate == pytest.approx(np.quantile(values, share))
    assert np.isnan(quantile(values[:5], 0.5, 0.95).ci_low)
    assert np.isfinite(quantile(values[:6], 0.5, 0.95).ci_low)


def test_very_many_cases_take_students_interval(monkeypatch):
    values = np.random.default_rng(3).gamma(2, size=(500, 1))
    drawn = means(values, 0.95, 2000, 1)[0]
    monkeypatch.setattr(sys.modules["cxstats.operations.estimates"], "DRAWS", 1000)
    found = means(values, 0.95, 2000, 1)[0]
    expected = stats.ttest_1samp(values[:, 0], 0).confidence_interval(0.95)
    assert found.method == "t"
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(expected))
    assert (found.ci_high - found.ci_low) == pytest.approx(drawn.ci_high - drawn.ci_low, rel=0.05)


def test_staff_hours_that_were_paid():
    row = rows(process(log(), staff_hours=4, **QUICK)).loc[("throughput", "rate")]
    assert row["estimate"] == 1.25
    # Exact Poisson limits of 5 events: 1.6235 and 11.6683 (Garwood's table).
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((1.6235 / 4, 11.6683 / 4), rel=1e-4)
    assert poisson_rate(0, 1, 0.95).ci_high == pytest.approx(3.6889, rel=1e-4)


def test_bad_options_are_named():
    with pytest.raises(DataError, match="activity 'phone' is not in the log; there: 'call'"):
        process(log(), contact="phone")
    with pytest.raises(CxError, match="window='often'; allowed"):
        process(log(), contact="call", window="often")
    with pytest.raises(CxError, match="name the contact activity"):
        process(log(), window="7 days")
    with pytest.raises(CxError, match="unit='week'; allowed: 'second'"):
        process(log(), unit="week")
    with pytest.raises(CxError, match="staff_hours=-2; allowed"):
        process(log(), staff_hours=-2)
    with pytest.raises(CxError, match="type 'DataFrame'"):
        process(five())
    with pytest.raises(CxError, match="n_cases=0; allowed"):
        simulate_loan_log(0, 1)


def test_a_single_case_has_estimates_and_no_intervals():
    frame = five()[five()["case"] == "A"]
    result = process(log(frame), contact="call", unit="minute", **QUICK)
    means_ = result.table[result.table["statistic"] == "mean"]
    assert means_["estimate"].tolist() == [100, 60, 40]
    assert means_[["ci_low", "ci_high", "se"]].isna().all().all()
    assert result.summary()


def test_summaries_in_both_languages(loans):
    result = process(event_log(loans, **LOAN), contact=list(CONTACTS), **QUICK)
    assert "Automation rate:" in str(result)
    assert "Most time goes into waiting before Assess risk" in result.summary()
    assert "自动化率" in result.summary("zh")
    assert "Synthetic data" in result.summary()
    assert "<table" in result._repr_html_()
    ax = result.plot("bottlenecks", lang="zh")
    assert len(ax.get_yticklabels()) == 9
    with pytest.raises(CxError, match=r"kind='pie'\); allowed: 'map', 'bottlenecks'"):
        result.plot("pie")


def test_the_chart_of_bottlenecks_draws_what_its_title_says():
    """Waits by hand, before check: 30 + 60 + 10 + 0 of 485 minutes; before call: 65."""
    ax = process(log(), unit="minute", **QUICK).plot("bottlenecks")
    names = [text.get_text() for text in ax.get_yticklabels()]
    dots = [float(one.get_offsets()[0][0]) for one in ax.collections]
    waits = {"call": 10 + 5 + 0 + 10 + 10 + 90, "check": 30 + 60 + 10 + 0, "solve": 45}
    assert names == ["call", "check", "solve"]
    assert dots == pytest.approx([100 * waits[name] / 485 for name in names])
    figure = ax.get_figure()
    words = [text.get_text() for text in [*figure.findobj(Text)]]
    assert any("waiting is before call: 26 % of the lead time" in text for text in words)
    assert "Share of the lead time" in ax.get_xlabel()


def test_bottlenecks_without_ends_are_not_called_waiting():
    plain = event_log(five(), case="case", activity="activity", start="start")
    ax = process(plain, **QUICK).plot("bottlenecks")
    words = " ".join(text.get_text() for text in ax.get_figure().findobj(Text))
    assert "Most time passes before" in words
    assert "wait" not in words


def test_without_waits_there_is_no_chart_of_them():
    frame = five().groupby("case").head(1)
    single = event_log(frame, case="case", activity="activity", start="start", end="end")
    with pytest.raises(CxError, match="there is no wait to draw"):
        process(single, **QUICK).plot("bottlenecks")


def test_one_case_is_said_and_bad_contacts_are_named():
    one = log(five().iloc[:3])
    notes = [note.en for note in process(one, **QUICK).notes]
    assert any("1 case: most intervals need at least 2" in note for note in notes)
    for contact, words in ((3, "contact=3"), ([], r"contact=\[\]")):
        with pytest.raises(CxError, match=words + "; allowed: an activity, or a list"):
            process(log(), contact=contact)
    with pytest.raises(CxError, match=r"staff_hours=-3\.0; allowed"):
        process(log(), staff_hours=np.float64(-3))
    with pytest.raises(CxError, match="window=nan; allowed: a span"):
        process(log(), contact="call", window=np.float64("nan"))


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 400])
def test_coverage_of_clustered_rates_and_times(n):
    """Over 2,000 logs; the bounds are 3.5 standard errors of a simulated coverage of 95 %."""
    truth, inside = loan_truth(), dict.fromkeys(["automated", "error", "manual", "lead"], 0)
    names = {"automated": "automation_rate", "error": "error_rate", "manual": "manual_rate"}
    runs = 2000
    big = simulate_loan_log(n * runs, seed=11)
    number = big["case"].str[1:].astype(int).to_numpy() - 1
    for _, part in big.groupby(number // n):
        case = part["case"].factorize()[0]
        for column, name in names.items():
            found = clustered_rate(part[column].to_numpy(), case, 0.95)
            inside[column] += found.ci_low <= truth[name] <= found.ci_high
        lead = part.groupby("case")["end"].max() - part.groupby("case")["accepted"].first()
        hours = (lead / pd.Timedelta("1h")).to_numpy()[:, None]
        found = means(hours, 0.95, 1000, 1)[0]
        inside["lead"] += found.ci_low <= truth["lead_time"] <= found.ci_high
    for name, count in inside.items():
        print(f"n = {n}, {name}: {count / runs:.3f}")
        assert 0.933 <= count / runs <= 0.967, name


def test_a_log_in_chinese_differs_in_names_alone():
    english, chinese = (simulate_loan_log(50, seed=3, lang=lang) for lang in ("en", "zh"))
    named = ["activity", "resource", "department"]
    assert chinese.drop(columns=named).equals(english.drop(columns=named))
    for column in ("activity", "department"):
        pairs = set(zip(english[column], chinese[column], strict=True))
        assert len(pairs) == english[column].nunique() == chinese[column].nunique()
        assert not chinese[column].str.contains("[A-Za-z]").any()
    with pytest.raises(CxError, match="lang"):
        simulate_loan_log(5, seed=1, lang="de")
