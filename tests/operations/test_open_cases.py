"""Cases that have not ended: refused, left out, or kept up to the log's last time."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.operations.censoring import censored_estimates
from cxstats.stats.survival import kaplan_meier_weights
from tests.references import FOLDER

ROLES = {"case": "case", "activity": "activity", "start": "start", "end": "end"}
SHARES = {"median": 0.5, "p90": 0.9}


def six(**change):
    """Three cases of two activities; the second of B has not ended, the log's last time is 15."""
    frame = pd.DataFrame({
        "case": list("AABBCC"), "activity": ["check", "decide"] * 3,
        "start": [0, 2, 1, 5, 6, 9], "end": [1, 4, 3, None, 8, 15],
    })  # fmt: skip
    for name in ("start", "end"):
        frame[name] = pd.Timestamp("2024-03-01") + pd.to_timedelta(frame[name], unit="h")
    return frame.assign(**change)


def log(frame=None, **options):
    return cx.event_log(six() if frame is None else frame, **{**ROLES, **options})


def test_an_activity_without_an_end_is_refused_with_what_may_be_done():
    words = (
        r"row 3, column 'end': no time: activity 'decide' of case 'B' has not ended; allowed: ends "
        r"in all rows, or open_ends='leave out' \(without these cases\) or 'censored'"
    )
    for frame in (six(), six(end=six()["end"].astype(object).where(lambda x: x.notna(), " "))):
        with pytest.raises(cx.DataError, match=words):
            log(frame)
    with pytest.raises(cx.CxError, match="open_ends='drop'; allowed: 'refuse', 'leave out', 'cens"):
        log(open_ends="drop")
    soon = six(end=six()["end"].astype(object).where(lambda x: x.notna(), "soon"))
    with pytest.raises(cx.DataError, match="row 3, column 'end': 'soon' is no time"):
        log(soon, open_ends="censored")


def test_left_out_with_their_case():
    found = log(open_ends="leave out")
    pd.testing.assert_frame_equal(found.table, log(six().query("case != 'B'")).table)
    assert "1 of 3 cases have not ended and were left out with their 2 events" in found.notes[0].en
    with pytest.raises(cx.DataError, match="all 3 cases are open"):
        log(six(end=pd.NaT), open_ends="leave out")


def test_kept_up_to_the_last_time():
    found = log(open_ends="censored")
    assert found.table["open"].tolist() == [False, False, False, True, False, False]
    assert found.table["end"].iloc[3] == pd.Timestamp("2024-03-01 15:00")
    cases = cx.process(found, n_resamples=200).cases
    assert cases["open"].tolist() == [False, True, False]
    assert cases["lead_time"].tolist() == [4, 14, 9]
    assert cases["handling_time"].tolist() == [3, 12, 8]
    assert cases["waiting_time"].tolist() == [1, 2, 1]


def test_zones_and_texts():
    zoned = six()
    for name in ("start", "end"):
        zoned[name] = zoned[name].dt.tz_localize("Asia/Shanghai")
    assert log(zoned, open_ends="censored").table["end"].iloc[3].hour == 7
    texts = six().astype({"start": str, "end": object})
    texts["end"] = [None if pd.isna(value) else str(value) for value in six()["end"]]
    pd.testing.assert_frame_equal(
        log(texts, open_ends="censored").table.astype({"case": object, "activity": object}),
        log(open_ends="censored").table.astype({"case": object, "activity": object}),
    )


def test_a_case_without_its_closing_activity_is_open():
    frame = six().drop(3).reset_index(drop=True)
    with pytest.raises(cx.DataError, match="case 'B' has no closing activity, and 0 others; allow"):
        log(frame, closing="decide")
    assert log(frame, closing=["decide"], open_ends="leave out").cases.tolist() == ["A", "C"]
    found = cx.process(log(frame, closing="decide", open_ends="censored"), n_resamples=200).cases
    assert found.loc["B", ["lead_time", "handling_time", "waiting_time"]].tolist() == [14, 2, 12]
    with pytest.raises(cx.DataError, match="closing='pay': not in column 'activity'; there: 'che"):
        log(closing="pay")
    assert log(six(end=six()["start"]), closing=["check"]).arrays.open_cases is None


def test_means_and_medians_are_those_of_survival():
    """R's package survival, on 20 cases with ties."""
    reference = pd.read_csv(FOLDER / "open_cases.csv").set_index("longest")
    days = np.array([1.5, 2, 2, 3.25, 3.25, 4, 5, 5, 6.5, 7, 8, 9.75, 9.75, 11, 12, 14, 15.5, 17,
                     20, 26])  # fmt: skip
    ended = np.array([1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0], bool)
    shuffled = np.random.default_rng(1).permutation(20)
    for name in ("open", "ended"):
        done = ended.copy()
        done[-1] = name == "ended"
        found = censored_estimates(
            days[shuffled, None], days[shuffled], done[shuffled], SHARES, (0.95, 200, 1)
        )[0]
        for statistic in ("mean", "median", "p90"):
            expected = reference.loc[name, statistic]
            assert found[statistic].estimate == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_weights_are_the_inverse_of_the_chance_to_be_seen_ended():
    rng = np.random.default_rng(2)
    ended = rng.random(50) < 0.6
    ended[-1] = True
    weights = kaplan_meier_weights(np.ones((1, 50)), ended)[0]
    at_risk = np.arange(50, 0, -1)
    still_seen = np.cumprod(np.where(ended, 1, 1 - 1 / at_risk))  # of the censoring
    assert weights == pytest.approx(ended / (50 * still_seen))
    assert weights.sum() == pytest.approx(1)


def test_without_open_cases_it_is_the_mean():
    values = np.random.default_rng(3).gamma(2, 1, (40, 2))
    found = censored_estimates(values, values[:, 0], np.ones(40, bool), SHARES, (0.95, 200, 1))
    assert [each["mean"].estimate for each in found] == pytest.approx(values.mean(axis=0).tolist())


def drawn(rng, n):
    """A log of n cases, begun over 100 days, seen until then; true mean lead time 20, handling 5.

    Handling is a quarter of the lead time on average, more in some cases.
    """
    begin = rng.uniform(0, 100, n)
    lead = rng.exponential(20, n)
    share = rng.choice([0.05, 0.45], n)
    ends = np.column_stack([begin + share * lead, begin + lead])
    starts = np.column_stack([begin, begin + lead])  # worked on at once, then closed in a moment
    frame = pd.DataFrame({
        "case": np.repeat(np.arange(n), 2), "activity": ["work", "close"] * n,
        "start": starts.ravel(), "end": ends.ravel(),
    })  # fmt: skip
    frame = frame[frame["start"] <= 100]
    frame["end"] = frame["end"].where(frame["end"] <= 100)
    for name in ("start", "end"):
        frame[name] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame[name], unit="D")
    return frame.reset_index(drop=True)


def test_leaving_out_open_cases_favours_short_ones():
    """4,000 cases: true means 20 and 5 days; left out, they are shorter than chance explains."""
    frame = drawn(np.random.default_rng(4), 4000)
    found = {}
    for choice in ("leave out", "censored"):
        events = log(frame, open_ends=choice, closing="close")
        table = cx.process(events, unit="day", n_resamples=200).table
        found[choice] = table.set_index(["measure", "statistic"])["estimate"]
    assert found["leave out"]["lead_time", "mean"] < 17
    assert found["leave out"]["handling_time", "mean"] < 4.4
    assert found["censored"]["lead_time", "mean"] == pytest.approx(20, abs=0.9)
    assert found["censored"]["handling_time", "mean"] == pytest.approx(5, abs=0.4)
    assert found["censored"]["lead_time", "median"] == pytest.approx(20 * np.log(2), abs=0.8)


@pytest.mark.slow
def test_intervals_of_censored_times_cover():
    """500 logs of 150 cases; a coverage of 95 % has a standard error of 1 point."""
    rng, inside = np.random.default_rng(5), np.zeros(3)
    for _ in range(500):
        begin, lead = rng.uniform(0, 100, 150), rng.exponential(20, 150)
        handling = rng.choice([0.05, 0.45], 150) * lead
        ended = begin + lead <= 100
        seen = np.where(ended, lead, 100 - begin)
        values = np.column_stack([seen, np.minimum(handling, seen)])
        found = censored_estimates(values, seen, ended, SHARES, (0.95, 400, 1))
        pairs = [
            (found[0]["mean"], 20),
            (found[1]["mean"], 5),
            (found[0]["median"], 20 * np.log(2)),
        ]
        inside += [each.ci_low <= truth <= each.ci_high for each, truth in pairs]
    assert ((inside / 500 > 0.91) & (inside / 500 < 0.98)).all(), inside / 500


def test_notes_say_which_figures_leave_them_out():
    found = cx.process(log(open_ends="censored"), n_resamples=200)
    notes = " ".join(note.en for note in found.notes)
    assert "allow for the 1 of 3 cases that have not ended (Kaplan-Meier); rates" in notes
    assert "means are restricted to that time, and too short" in notes
    assert "尚未结束" in found.summary("zh")
    methods = found.table.set_index("measure")["method"]
    assert set(methods.loc[["lead_time", "handling_time"]]) == {"Kaplan-Meier, bootstrap"}


def test_times_of_open_cases_are_not_compared():
    flagged = six(error=[False, True] * 3)
    logs = [log(flagged, error="error", open_ends=choice) for choice in ("censored", "leave out")]
    found = cx.process_change(*logs, n_resamples=200)
    assert found.table["measure"].tolist() == ["error_rate"]
    assert any("times are not compared" in note.en for note in found.notes)
    with pytest.raises(cx.CxError, match="nothing to compare"):
        cx.process_change(log(open_ends="censored"), log(open_ends="leave out"))
