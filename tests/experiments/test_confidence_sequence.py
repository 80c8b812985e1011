"""Confidence sequences: the paper's formula, its dual p value, and error under peeking."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from cxstats.core.errors import CxError, DataError
from cxstats.experiments import ab_test, always_valid, sequential_plan
from cxstats.experiments.confidence_sequence import accumulate, mixture_factor, mixture_p
from tests.references import close

GIVEN = {"outcome": "y", "group": "arm", "control": "old", "tuned_at": 1000}


def frame(n=3000, shares=(0.10, 0.16), seed=1):
    draw = np.random.default_rng(seed)
    new = draw.random(n) < 0.5
    y = draw.random(n) < np.where(new, shares[1], shares[0])
    return pd.DataFrame(
        {"arm": np.where(new, "new", "old"), "y": y * 1, "day": np.arange(n) // 100}
    )


def test_width_is_the_papers():
    """As printed by Waudby-Smith and others (2024), theorem 2.2."""
    alpha, tuned = 0.05, 800
    rho2 = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / tuned
    t = np.array([50.0, 800, 20_000])
    paper = np.sqrt(2 * (t * rho2 + 1) / (t**2 * rho2) * np.log(np.sqrt(t * rho2 + 1) / alpha))
    close(mixture_factor(t, tuned, alpha) / np.sqrt(t), paper, 1e-12)


def test_narrowest_where_it_is_tuned():
    factors = [float(mixture_factor(1000, tuned, 0.05)) for tuned in (300, 1000, 3000)]
    assert min(factors) == factors[1]
    # The rule is near the true optimum, not at it
    best = min(float(mixture_factor(1000, tuned, 0.05)) for tuned in range(300, 3000, 5))
    assert factors[1] < 1.001 * best


def test_p_is_the_inverse_of_the_mixture_likelihood_ratio():
    """Johari and others (2017), by integrating the likelihood ratio over the normal mixture."""
    n, z, tuned, alpha = 700, 2.9, 1000, 0.05
    c = -2 * np.log(alpha) + np.log1p(-2 * np.log(alpha))
    tau = np.sqrt(c / tuned)  # in units of the standard deviation of an answer

    def ratio(theta):
        shift = theta * np.sqrt(n)
        return np.exp(z * shift - shift**2 / 2) * stats.norm.pdf(theta, 0, tau)

    mixture = integrate.quad(ratio, -1, 1, points=[z / np.sqrt(n)], epsabs=1e-12)[0]
    close(mixture_p([z], [n], tuned, alpha), [1 / mixture], 1e-8)


def test_p_and_interval_agree():
    found = always_valid(frame(), **GIVEN)
    table = found.table
    left_out = ((table["ci_low"] > 0) | (table["ci_high"] < 0)).cummax()
    assert (left_out == (table["p_value"] <= 0.05)).all()
    assert found.decided_at == table["look"][left_out].iloc[0]
    assert (table["p_value"].diff().dropna() <= 0).all()


def test_sums_are_those_of_the_rows_so_far():
    rows = frame(500)
    y, old, day = rows["y"].to_numpy(float), rows["arm"] == "old", rows["day"].to_numpy()
    looks = accumulate(y, old.to_numpy(), day)
    assert looks["look"].tolist() == [0, 1, 2, 3, 4]
    part = rows[rows["day"] <= 2]
    plain = ab_test(part, outcome="y", group="arm", control="old", metric="mean").table.iloc[0]
    for name in ("estimate", "se"):
        close(looks.loc[2, name], plain[name], 1e-12)


def test_looks_by_column_rows_and_tests():
    rows = frame(1000)
    every = always_valid(rows, **GIVEN)
    daily = always_valid(rows.sample(frac=1, random_state=1), **GIVEN, look="day")
    close(every.table["estimate"].iloc[-1], daily.table["estimate"].iloc[-1], 1e-12)
    tests = [
        ab_test(rows[rows["day"] <= day], outcome="y", group="arm", control="old", metric="mean")
        for day in daily.table["look"]
    ]
    listed = always_valid(tests, tuned_at=1000)
    columns = ["estimate", "se", "ci_low"]
    close(listed.table[columns].to_numpy(), daily.table[columns].to_numpy(), 1e-9)
    swapped = always_valid(rows, **GIVEN | {"control": "new"})
    close(swapped.table["ci_low"], -every.table["ci_high"], 1e-12)


def test_texts_and_pictures():
    clear, open_ = always_valid(frame(), **GIVEN), always_valid(frame(shares=(0.1, 0.1)), **GIVEN)
    assert clear.decided_at is not None
    assert open_.decided_at is None
    for found in (clear, open_):
        for lang in ("en", "zh"):
            assert found.summary(lang)
            found.plot(lang=lang)
        assert "early looks" in " ".join(note.en for note in found.notes)
        assert "<table" in found._repr_html_()


def test_bad_input():
    rows = frame(300)
    with pytest.raises(CxError, match="tuned_at=0"):
        always_valid(rows, **GIVEN | {"tuned_at": 0})
    with pytest.raises(DataError, match="no look has 1000 answers"):
        always_valid(rows, **GIVEN, start=1000)
    with pytest.raises(DataError, match="control='B' is not a group"):
        always_valid(rows, **GIVEN | {"control": "B"})
    with pytest.raises(CxError, match="3 groups"):
        always_valid(rows.assign(arm=rows["arm"].where(rows["day"] > 0, "third")), **GIVEN)
    with pytest.raises(DataError, match="row 0, column 'y': 3 is off the scale; allowed: 0 and 1"):
        always_valid(rows.assign(y=3), **GIVEN)
    with pytest.raises(DataError, match="row 0, column 'y': 12 is off the scale; allowed: whole"):
        always_valid(rows.assign(y=12), **GIVEN, metric="nps")
    with pytest.raises(CxError, match="metric='median'"):
        always_valid(rows, **GIVEN, metric="median")
    with pytest.raises(DataError, match="column 'hour' is not in the table"):
        always_valid(rows, **GIVEN, look="hour")
    with pytest.raises(CxError, match="a table needs"):
        always_valid(rows, tuned_at=100)
    with pytest.raises(CxError, match="no looks"):
        always_valid([], tuned_at=100)
    with pytest.raises(CxError, match="look 1 is a int"):
        always_valid([3], tuned_at=100)


def test_looks_named_by_text_are_in_the_order_of_time():
    """Week 10 comes after week 9: as with numbers, and unclear texts are refused."""
    generator = np.random.default_rng(4)
    rows = pd.DataFrame({"y": generator.integers(0, 2, 1200), "arm": ["old", "new"] * 600})
    rows["week"] = np.repeat([8, 9, 10], 400)
    rows["text"] = "Week " + rows["week"].astype(str)
    number, text = (always_valid(rows, look=look, **GIVEN).table for look in ("week", "text"))
    pd.testing.assert_frame_equal(number.drop(columns="look"), text.drop(columns="look"))
    assert text["look"].tolist() == ["Week 8", "Week 9", "Week 10"]
    columns = {name: GIVEN[name] for name in ("outcome", "group", "control")}
    monitored = sequential_plan(3).monitor(rows, look="text", **columns).table
    assert (monitored["n"] + monitored["n_control"]).tolist() == [400, 800, 1200]
    rows["text"] = rows["week"].map({8: "launch", 9: "growth", 10: "rest"})
    with pytest.raises(DataError, match="'text' is text whose order in time is not clear"):
        always_valid(rows, look="text", **GIVEN)
