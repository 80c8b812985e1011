"""Emotion on cognition and behaviour: against statsmodels, in other units, at the truth."""

import numpy as np
import pandas as pd
import pytest

from cxstats.core.errors import CxError, DataError
from cxstats.satisfaction import emotion

FEW = {"n_resamples": 200}


def feelings(n: int = 200, seed: int = 5, b0: float = 1.0, b1: float = 0.6, b2: float = 0.2):
    generator = np.random.default_rng(seed)
    x = 5 + 0.6 * generator.normal(size=(n, 1)) + 0.8 * generator.normal(size=(n, 2))
    frame = pd.DataFrame(x, columns=["thinks", "does"])
    spread = 0.4 * np.exp(0.3 * (x[:, 0] - 5))
    return frame.assign(feels=b0 + x @ [b1, b2] + spread * generator.normal(size=n))


def test_emotion_is_statsmodels():
    import statsmodels.api as sm

    frame = feelings()
    found = emotion(frame, "feels", "thinks", "does")
    x = sm.add_constant(frame[["thinks", "does"]])
    theirs = sm.OLS(frame["feels"], x).fit()
    np.testing.assert_allclose(found.table["estimate"], theirs.params, rtol=1e-9)
    assert found.r_squared == pytest.approx(theirs.rsquared)
    # The bootstrap of cases estimates what White's standard errors (HC3) do.
    np.testing.assert_allclose(found.table["se"], theirs.get_robustcov_results("HC3").bse, rtol=0.1)
    z = (frame - frame.mean()) / frame.std()
    beta = sm.OLS(z["feels"], z[["thinks", "does"]]).fit().params
    np.testing.assert_allclose(found.table["beta"].iloc[1:], beta, rtol=1e-9)


def test_emotion_in_other_units():
    frame, options = feelings(), {"n_resamples": 200, "seed": 2}
    one = emotion(frame, "feels", "thinks", "does", **options).table
    scaled = frame.assign(thinks=10 * frame["thinks"] - 3, feels=2 * frame["feels"])
    other = emotion(scaled, "feels", "thinks", "does", **options).table
    columns = ["estimate", "ci_low", "ci_high", "se"]
    np.testing.assert_allclose(other.loc["cognition", columns], one.loc["cognition", columns] / 5)
    np.testing.assert_allclose(other.loc["behaviour", columns], 2 * one.loc["behaviour", columns])
    np.testing.assert_allclose(other["beta"], one["beta"])


def test_emotion_finds_the_truth():
    truth = [1.0, 0.6, 0.2]
    found = emotion(feelings(20_000), "feels", "thinks", "does", n_resamples=100)
    np.testing.assert_allclose(found.table["estimate"], truth, atol=0.05)
    hits = []
    for seed in range(200):
        table = emotion(feelings(100, seed), "feels", "thinks", "does", n_resamples=300).table
        hits.append((table["ci_low"] <= truth) & (truth <= table["ci_high"]))
    # 200 samples: 95 % give or take four standard errors of 1.5 points
    assert (np.mean(hits, axis=0) > 0.89).all()


def test_emotion_says_what_it_is_and_left_out():
    frame = feelings(40)
    frame.loc[3, "does"] = np.nan
    found = emotion(frame, "feels", "thinks", "does", n_resamples=300)
    assert (found.n, found.n_left_out) == (39, 1)
    assert any("1 of 40" in note.en for note in found.notes)
    assert any("300 resamples are rough" in note.en for note in found.notes)
    assert "linear is our choice" in str(found)
    assert "D02: Emotion = f(Cognition, Behaviour)" in str(found)
    assert "cognition (thinks)" in str(found)
    assert "认知（thinks）" in found.summary("zh")
    frame.attrs["synthetic"] = True
    assert emotion(frame, "feels", "thinks", "does", **FEW).synthetic


def test_emotion_refuses():
    frame = feelings(20)
    with pytest.raises(CxError, match="'feels', 'does', 'does': one column twice"):
        emotion(frame, "feels", "does", "does")
    with pytest.raises(DataError, match=r"column 'does' \(behaviour\) is constant"):
        emotion(frame.assign(does=1), "feels", "thinks", "does")
    with pytest.raises(DataError, match="one of 'thinks', 'does' repeats the others"):
        emotion(frame.assign(does=2 * frame["thinks"]), "feels", "thinks", "does")
    with pytest.raises(DataError, match="3 respondents have all three answers; at least 4"):
        emotion(frame[:3], "feels", "thinks", "does")
    with pytest.raises(DataError, match="column 'acts' is not in the table"):
        emotion(frame, "feels", "thinks", "acts")
    with pytest.raises(CxError, match="level is 95"):
        emotion(frame, "feels", "thinks", "does", level=95)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_charts(lang):
    import matplotlib.pyplot as plt

    result = emotion(feelings(), "feels", "thinks", "does", **FEW)
    assert result.plot(lang=lang).get_figure().get_suptitle()
    assert "<pre>" in result._repr_html_()
    plt.close("all")
