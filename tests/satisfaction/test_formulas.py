"""The formulas of the case studies: values by hand, status as in the file, what refuses."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.satisfaction import (
    FORMULAS,
    architecture_decay,
    balance,
    blueprint_experience,
    cem,
    cem_weights,
    channel_integration,
    collaboration,
    emotion,
    estimate_service_weights,
    feedback_loop,
    fusion_score,
    journey_satisfaction,
    overall_satisfaction,
    personalisation,
    proposal_score,
    service_effectiveness,
    service_efficiency,
    service_satisfaction,
    synergy,
    synergy_weights,
    transformation_value,
)
from cxstats.satisfaction.weight_regression import simplex_least_squares

FEW = {"n_resamples": 200}
# Formulas that other rooms compute, or that hold nothing to compute.
ELSEWHERE = {
    "A04": "metrics",
    "A05": "a concept",
    "A08": "customers",
    "A10": "process",
    "A11": "process",
    "A12": "cases: change in per cent",
    "A13": "cases: change in per cent",
    "A14": "cases: change in per cent",
    "A20": "metrics and process",
    "A21": "cases: change in per cent",
    "B01": "metrics",
    "B02": "metrics",
    "B03": "metrics",
    "C01": "metrics",
    "C02": "metrics",
    "C04": "process",
    "D03": "a union of layers",
    "D07": "cases: change in per cent",
    "D09": "servqual",
    "E02": "metrics",
    "E03": "customers",
    "E04": "customers",
    "E05": "sem",
}


def test_every_formula_has_its_function_and_status():
    table = cx.load_formulas().set_index("id")
    assert set(table.index) == set(FORMULAS) | set(ELSEWHERE)
    assert not set(FORMULAS) & set(ELSEWHERE)
    for identifier, entry in FORMULAS.items():
        assert entry.id == identifier
        assert entry.status == table.loc[identifier, "status"], identifier
        words = " ".join(entry.function.__doc__.split())
        source = table.loc[identifier, "source"]
        assert f"ormula {identifier}" in words or identifier in words
        assert f"document {source}" in words, identifier
        word = {
            "given": "given",
            "words": "in words",
            "given, invalid": "given, but invalid",
            "lost": "lost",
        }.get(entry.status, "reconstructed")
        assert word in words, identifier


# -- given, in words, or reconstructed with confidence ---------------------------------------------


def test_service_satisfaction_by_hand():
    assert service_satisfaction(80, 70, 60, 0.5, 0.3, 0.2).value == pytest.approx(73)
    several = service_satisfaction([80, 60], [70, 50], [60, 40], 50, 30, 20, **FEW)
    assert several.scores.tolist() == pytest.approx([73, 53])
    frame = pd.DataFrame({"q": [80, 60, 70, 90], "i": 50, "p": 50, "wave": [1, 1, 2, 2]})
    found = service_satisfaction("q", "i", "p", 0.5, 0.3, 0.2, data=frame, by="wave", **FEW)
    assert found.value == pytest.approx(62.5)
    assert found.groups["group"].unique().tolist() == [1, 2]
    assert "A09: S = αQ + βI + γP" in str(found)
    assert any("our assumption" in note for note in found.notes)


def test_service_satisfaction_refuses():
    with pytest.raises(CxError, match=r"they sum to 1.1"):
        service_satisfaction(80, 70, 60, 0.5, 0.3, 0.3)
    with pytest.raises(CxError, match=r"shapes quality \(2,\), interactivity \(\)"):
        service_satisfaction([80, 60], 70, 60, 0.5, 0.3, 0.2)
    with pytest.raises(CxError, match="quality='q' names a column; give data"):
        service_satisfaction("q", 70, 60, 0.5, 0.3, 0.2)
    with pytest.raises(CxError, match="quality=1; with data, the name"):
        service_satisfaction(1, "i", "p", 0.5, 0.3, 0.2, data=pd.DataFrame({"i": [1], "p": [1]}))
    with pytest.raises(CxError, match="allowed: on_missing, normalise, by"):
        service_satisfaction(80, 70, 60, 0.5, 0.3, 0.2, resamples=10)


def test_journey_overall_and_proposal_by_hand():
    stages = {"aware": 70, "consider": 65, "buy": 80, "use": 75, "loyal": 60}
    weights = dict(zip(stages, (0.1, 0.2, 0.3, 0.3, 0.1), strict=True))
    # 7 + 13 + 24 + 22.5 + 6
    assert journey_satisfaction(stages, weights).value == pytest.approx(72.5)
    assert overall_satisfaction({"a": 4, "b": 5}, {"a": 2, "b": 6}).value == pytest.approx(4.75)
    assert proposal_score({"a": 8, "b": 9}, {"a": 40, "b": 60}).value == pytest.approx(8.6)
    assert blueprint_experience({"a": 8, "b": 9}, {"a": 0.4, "b": 0.6}).value == pytest.approx(8.6)


# -- CEM ------------------------------------------------------------------------------------------


def test_cem_weights_are_those_of_the_facts():
    facts = cx.load_facts().set_index("id").loc["F036":"F041"]
    weights = cem_weights()
    np.testing.assert_allclose(weights["weight"], facts["value"] / 100)
    assert weights["item_en"].tolist() == facts["item_en"].tolist()
    # Printed figures stand behind steps and load times only.
    measured = weights[weights["measured_by"] != ""]
    assert measured.index.tolist() == ["F036", "F037"]
    assert measured["weight"].sum() == pytest.approx(0.45)


def full(value: float) -> dict:
    return dict.fromkeys(cem_weights()["item_en"], value)


def test_cem_by_hand():
    assert cem(full(60)).value == pytest.approx(60)
    scores = dict(zip(full(0), (80, 90, 70, 60, 50, 40), strict=True))
    # 20 + 18 + 14 + 9 + 5 + 4
    assert cem(scores).value == pytest.approx(70)
    chinese = dict(zip(cem_weights()["item_zh"], scores.values(), strict=True))
    assert cem(chinese).value == pytest.approx(70)


def test_cem_with_some_scores_refuses_or_bounds():
    some = {"number of steps": 80, "page-load speed": 90}
    with pytest.raises(DataError, match=r"'ease of finding functions': no score \(and 3 more\)"):
        cem(some)
    found = cem(some, on_missing="bounds")
    # .25 * 80 + .20 * 90 = 38; the other 55 % of the weight at 0 and at 100
    assert found.table["estimate"].tolist() == pytest.approx([38, 93])
    assert found.coverage == pytest.approx(0.45)
    assert "data for 45 % of the weight" in str(found)
    assert found.table[["ci_low", "ci_high"]].isna().all(axis=None)


def test_bounds_close_when_nothing_is_missing_and_hold_every_completion():
    closed = cem(full(60), on_missing="bounds")
    assert closed.table["estimate"].tolist() == pytest.approx([60, 60])
    some = {"number of steps": 80, "error rate": 10}
    low, high = cem(some, on_missing="bounds").table["estimate"]
    generator = np.random.default_rng(1)
    for _ in range(50):
        rest = dict(zip(full(0), generator.uniform(0, 100, 6), strict=True))
        assert low <= cem({**rest, **some}).value <= high


def test_bounds_of_respondents():
    generator = np.random.default_rng(2)
    frame = pd.DataFrame(generator.uniform(0, 100, (60, 6)), columns=list(full(0)))
    frame.loc[:19, "error rate"] = np.nan
    frame = frame.drop(columns="personalisation match")
    found = cem(frame, on_missing="bounds", **FEW)
    low, high = found.table["estimate"]
    # 15 % of the weight lacks a third of the answers, 10 % all of them
    assert high - low == pytest.approx(100 * (0.15 / 3 + 0.10))
    assert found.coverage == pytest.approx(1 - 0.15 / 3 - 0.10)
    assert (found.table["ci_low"] < found.table["estimate"]).all()
    assert found.n == 60
    with pytest.raises(DataError, match="nothing is left"):
        cem(frame, on_missing="drop")


def test_cem_refuses():
    with pytest.raises(CxError, match="scores: 'speed' has no weight"):
        cem({**full(60), "speed": 1})
    with pytest.raises(DataError, match="'error rate': 101 is off the scale; allowed: 0 to 100"):
        cem({**full(60), "error rate": 101})
    with pytest.raises(CxError, match="on_missing is 'rescale'"):
        cem(full(60), on_missing="rescale")
    with pytest.raises(DataError, match="none of the indicators"):
        cem(pd.DataFrame({"x": [1]}), on_missing="bounds")
    with pytest.raises(CxError, match="bounds are not compared between groups"):
        cem(full(60), on_missing="bounds", by="x")
    with pytest.raises(CxError, match="need names"):
        cem([1, 2, 3])
    own = cem({"x": 50, "y": 70}, {"x": 0.5, "y": 0.5})
    assert own.value == 60
    assert "the weights are not the published ones" in own.notes


# -- weights estimated ----------------------------------------------------------------------------


def drawn(weights, n: int = 300, seed: int = 4, noise: float = 5.0, level: float = 0.0):
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(n, 1))
    x = 70 + 8 * common + 8 * generator.normal(size=(n, 3))
    s = level + x @ weights + noise * generator.normal(size=n)
    return pd.DataFrame(np.column_stack([s, x]), columns=["S", "Q", "I", "P"])


@pytest.mark.parametrize("weights", [(0.5, 0.3, 0.2), (0.9, 0.3, -0.2), (1.4, -0.2, -0.2)])
@pytest.mark.parametrize("intercept", [True, False])
def test_constrained_weights_are_scipys(weights, intercept):
    frame = drawn(weights)
    found = estimate_service_weights(frame, "S", "Q", "I", "P", intercept=intercept, **FEW)
    data = frame - frame.mean() if intercept else frame
    s, x = data["S"].to_numpy(), data[["Q", "I", "P"]].to_numpy()
    theirs = minimize(
        lambda w: ((s - x @ w) ** 2).mean(),
        np.full(3, 1 / 3),
        jac=lambda w: -2 * x.T @ (s - x @ w) / len(s),
        bounds=[(0, 1)] * 3,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda _: np.ones(3)},
        options={"ftol": 1e-15, "maxiter": 500},
    )
    ours = np.array(list(found.of().values()))
    # SLSQP stops within about 1e-6 of its optimum.
    np.testing.assert_allclose(ours, theirs.x, atol=1e-5)
    assert ((s - x @ ours) ** 2).mean() <= theirs.fun + 1e-9


@pytest.mark.parametrize("intercept", [True, False])
def test_free_weights_are_statsmodels(intercept):
    import statsmodels.api as sm

    frame = drawn((0.5, 0.3, 0.2))
    found = estimate_service_weights(frame, "S", "Q", "I", "P", intercept=intercept, **FEW)
    x = frame[["Q", "I", "P"]]
    theirs = sm.OLS(frame["S"], sm.add_constant(x) if intercept else x).fit()
    ours = list(found.of("ols").values())
    np.testing.assert_allclose(ours, theirs.params[["Q", "I", "P"]], rtol=1e-8)
    if intercept:
        assert found.r_squared["ols"] == pytest.approx(theirs.rsquared)
        se = found.table.query("method == 'ols' and weight in ['alpha', 'beta', 'gamma']")["se"]
        # 200 resamples: a standard error within a fifth of the one from theory
        np.testing.assert_allclose(se, theirs.bse[["Q", "I", "P"]], rtol=0.2)


def test_free_weights_with_a_sum_of_one_inside_are_the_constrained_ones():
    frame = drawn((0.5, 0.3, 0.2), noise=1e-6)
    found = estimate_service_weights(frame, "S", "Q", "I", "P", **FEW)
    np.testing.assert_allclose(list(found.of().values()), [0.5, 0.3, 0.2], atol=1e-6)
    assert sum(found.of().values()) == pytest.approx(1)


def test_weights_at_the_edge_are_said():
    found = estimate_service_weights(drawn((0.7, 0.3, 0)), "S", "Q", "I", "P", **FEW)
    assert any("weight of P is 0 in" in note for note in found.notes)
    assert "R²" in str(found)
    assert "非负" in found.summary("zh")


def test_simplex_of_a_batch():
    generator = np.random.default_rng(6)
    roots = generator.normal(size=(300, 4, 4))
    a, b = roots @ roots.swapaxes(1, 2), generator.normal(size=(300, 4))
    w = simplex_least_squares(a, b)
    assert (w >= 0).all()
    np.testing.assert_allclose(w.sum(axis=1), 1)
    # Kuhn and Tucker: the slope is the same where a weight is positive, and not lower elsewhere.
    slope = (a @ w[..., None])[..., 0] - b
    least = np.where(w > 0, slope, np.inf).min(axis=1, keepdims=True)
    assert (slope >= least - 1e-8).all()
    assert (np.abs(np.where(w > 1e-9, slope - least, 0)) < 1e-7).all()


def test_estimation_refuses():
    frame = drawn((0.5, 0.3, 0.2), 20)
    with pytest.raises(CxError, match="one column twice"):
        estimate_service_weights(frame, "S", "Q", "Q", "P")
    with pytest.raises(DataError, match=r"column 'P' \(personalisation\) is constant"):
        estimate_service_weights(frame.assign(P=1), "S", "Q", "I", "P")
    with pytest.raises(DataError, match="repeats the others"):
        estimate_service_weights(frame.assign(P=frame["Q"]), "S", "Q", "I", "P")
    with pytest.raises(DataError, match="3 respondents have all four answers"):
        estimate_service_weights(frame[:3], "S", "Q", "I", "P")
    found = estimate_service_weights(frame, "S", "Q", "I", "P", **FEW)
    with pytest.raises(CxError, match="method is 'ridge'"):
        found.of("ridge")
    frame.loc[0, "Q"] = np.nan
    found = estimate_service_weights(frame, "S", "Q", "I", "P", **FEW)
    assert (found.n, found.n_left_out) == (19, 1)
    assert any("1 of 20" in note for note in found.notes)


def test_messages_name_the_columns_of_the_table():
    frame = pd.DataFrame({"a": [1.0, 2, 3], "b": [1, np.nan, 3], "c": 1.0, "y": 1.0})
    betas, words = [0.5, 0.3, 0.2], r"row 1, column 'b' \({}\): no score"
    with pytest.raises(DataError, match=words.format("efficiency")):
        transformation_value("a", "b", "c", "y", [0.4, 0.3, 0.2, 0.1], data=frame)
    with pytest.raises(DataError, match=words.format("interactivity")):
        service_satisfaction("a", "b", "c", *betas, data=frame)
    with pytest.raises(DataError, match=words.format("content")):
        fusion_score("a", "b", "c", betas, data=frame)
    with pytest.raises(DataError, match=r"column 'S' \(satisfaction\) is constant"):
        estimate_service_weights(drawn(betas, 20).assign(S=1), "S", "Q", "I", "P")


def test_groups_may_be_called_as_a_part_of_the_formula():
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": 1.0, "c": 1.0, "context": list("xxyy")})
    found = fusion_score("a", "b", "c", [1, 0, 0], data=frame, by="context", **FEW)
    assert found.groups["group"].unique().tolist() == ["x", "y"]
    assert found.value == 2.5


# -- emotion --------------------------------------------------------------------------------------


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
    assert any("1 of 40" in note for note in found.notes)
    assert any("300 resamples are rough" in note for note in found.notes)
    assert "linear is our choice" in str(found)
    assert "D02: Emotion = f(Cognition, Behaviour)" in str(found)
    assert "cognition (thinks)" in str(found)
    assert "认知 (thinks)" in found.summary("zh")
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


# -- reconstructed --------------------------------------------------------------------------------


def test_reconstructed_by_hand():
    assert channel_integration(5, 4, 3).table["estimate"].tolist() == pytest.approx([0.8, 0.3])
    assert feedback_loop(30, 50).table["estimate"].tolist() == pytest.approx([0.6])
    assert feedback_loop(30, 50, [4, 6, 8], 6).table["estimate"].iloc[1] == pytest.approx(0.3)
    assert service_effectiveness(80, 100, 0.9, 1.2, 2).table["estimate"].iloc[0] == pytest.approx(
        1.2
    )
    assert transformation_value(80, 70, 60, 40, [0.4, 0.3, 0.2, 0.1]).value == pytest.approx(61)
    assert fusion_score(0.8, 0.6, 0.4, [0.5, 0.3, 0.2]).value == pytest.approx(0.66)
    assert collaboration(42, 60, 100, 125).table["estimate"].tolist() == pytest.approx([0.7, 0.8])
    assert personalisation([1, 2], [3, 4]).table["estimate"].tolist() == pytest.approx([3, 11])
    csat = balance(3, 4, 2, 5, loyalty=lambda s, c: s * c, satisfaction=lambda t, p: p / t)
    # Reading 1: 4/3, 8/3, 40/3; reading 2: 1, 2, 10
    assert csat.table["estimate"].tolist() == pytest.approx([4 / 3, 8 / 3, 40 / 3, 1, 2, 10])


def test_synergy_takes_the_printed_weights():
    facts = cx.load_facts().set_index("id").loc["F079":"F082"]
    assert list(synergy_weights().values()) == facts["value"].tolist()
    names = list(synergy_weights())
    t, o, c = (dict(zip(names, x, strict=True)) for x in ((4, 3, 2, 1), (2, 3, 4, 5), (3, 3, 3, 3)))
    # means 3 3 3 3; minima 2 3 2 1: .6 + .75 + .5 + .2
    assert synergy(t, o, c).table["estimate"].tolist() == pytest.approx([3, 2.05])
    with pytest.raises(CxError, match="scores: 'x' has no weight"):
        synergy({"x": 1}, o, c)


def test_wilson_interval():
    from scipy.special import ndtri

    n, p, z = 50, 0.6, ndtri(0.975)
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    row = feedback_loop(30, 50).table.iloc[0]
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([centre - half, centre + half])
    scaled = service_effectiveness(30, 50, 0.9, 1.5, 2).table.iloc[0]
    assert scaled["ci_low"] == pytest.approx((centre - half) * 2 * 0.9 / 1.5)


def test_reconstructed_say_so_in_both_languages():
    found = [
        channel_integration(5, 4, 3),
        feedback_loop(30, 50, [4, 6, 8], 6),
        transformation_value(80, 70, 60, 40, [0.4, 0.3, 0.2, 0.1]),
        synergy(*[dict.fromkeys(synergy_weights(), 3)] * 3),
        fusion_score([0.8, 0.7], [0.6, 0.5], [0.4, 0.3], [0.5, 0.3, 0.2], **FEW),
        blueprint_experience({"a": 8, "b": 9}, {"a": 0.4, "b": 0.6}),
    ]
    for result in found:
        assert "RECONSTRUCTED" in str(result)
        assert "low confidence" in str(result)
        assert "重构" in result.summary("zh")


def test_weights_have_no_default():
    with pytest.raises(TypeError, match="weights"):
        transformation_value(80, 70, 60, 40)
    with pytest.raises(TypeError, match="betas"):
        fusion_score(1, 2, 3)
    with pytest.raises(TypeError, match="weights"):
        proposal_score({"a": 1})
    with pytest.raises(TypeError, match="alpha"):
        service_effectiveness(80, 100, 0.9, 1.2)


def test_what_cannot_be_computed_refuses_and_says_why():
    with pytest.raises(CxError, match=r"24/7×用户咨询量.*adds a count.*automated-resolution rate"):
        service_efficiency(1000, 0.4)
    with pytest.raises(CxError, match="Threshold and action are lost"):
        architecture_decay()


BAD = {
    "channels is 1; allowed: whole numbers from 2": lambda: channel_integration(1, 1, 0),
    "integrated is 6; allowed: whole numbers from 0 to 5": lambda: channel_integration(5, 6, 3),
    "linked_pairs is 11; allowed: whole numbers from 0 to 10": lambda: channel_integration(
        5, 5, 11
    ),
    "implemented is 51": lambda: feedback_loop(51, 50),
    "collected is 0": lambda: feedback_loop(0, 0),
    "target is None": lambda: feedback_loop(30, 50, [1, 2]),
    r"closing_times is \[1\]; allowed: two or more": lambda: feedback_loop(30, 50, [1], 2),
    "allowed: csat from 0": lambda: service_effectiveness(80, 100, 0.9, 0, 1),
    "alpha is 'high'": lambda: service_effectiveness(80, 100, 0.9, 1, "high"),
    "weights are .*; allowed: 3, for cf, content": lambda: fusion_score(1, 2, 3, [0.5, 0.5]),
    "they sum to 1.2": lambda: fusion_score(1, 2, 3, [0.5, 0.5, 0.2]),
    "give planned_hours and actual_hours": lambda: collaboration(1, 2, 3),
    r"preference has the shape \(2,\)": lambda: personalisation([1, 2], [1]),
    "te is None": lambda: balance(None, 1, 1, 1, loyalty=max),
    "loyalty is None; allowed: a function of two numbers": lambda: balance(
        3, 4, 2, 5, loyalty=None
    ),
    r"loyalty\(1, 2\) is None; allowed: a number": lambda: balance(
        3, 4, 2, 5, loyalty=lambda *_: None
    ),
    "satisfaction is 1; allowed: a function": lambda: balance(
        3, 4, 2, 5, loyalty=max, satisfaction=1
    ),
    "preference: value 1 is 'x'; allowed: numbers": lambda: personalisation(["x"], ["y"]),
    "preference is empty": lambda: personalisation([], []),
    "preference is 'x'; allowed: a sequence": lambda: personalisation("x", "y"),
    "behaviour: value 2 is nan": lambda: personalisation([1, 2], [1, np.nan]),
    "closing_times: value 1 is 'x'": lambda: feedback_loop(3, 5, ["x", "y"], 3),
    "target is 'x'; with closing times": lambda: feedback_loop(3, 5, [1, 2], "x"),
    "target=3 needs closing_times": lambda: feedback_loop(3, 5, target=3),
    "row 0, column 'cost': 'x' is not a number": lambda: transformation_value(
        [80, 1], [70, 1], [60, 1], ["x", 1], [0.4, 0.3, 0.2, 0.1]
    ),
    "row 1, column 'cost': 'x' is not a number": lambda: transformation_value(
        [80, 1], [70, 1], [60, 1], [1, "x"], [0.4, 0.3, 0.2, 0.1]
    ),
    "weights: 'cost' has none": lambda: transformation_value(
        80, 70, 60, 40, {"experience": 0.5, "efficiency": 0.3, "business": 0.2}
    ),
    "'bananas' is no option; allowed: on_missing, normalise, by, level": lambda: cem(
        full(60), on_missing="bounds", bananas=1
    ),
    "'lvl' is no option; allowed: on_missing, normalise": lambda: proposal_score(
        {"a": 1}, {"a": 1}, lvl=0.9
    ),
    "level is 2": lambda: feedback_loop(30, 50, level=2),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input(message):
    with pytest.raises(CxError, match=message):
        BAD[message]()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_charts(lang):
    import matplotlib.pyplot as plt

    bounds = cem({"number of steps": 80}, on_missing="bounds")
    found = estimate_service_weights(drawn((0.5, 0.3, 0.2)), "S", "Q", "I", "P", **FEW)
    felt = emotion(feelings(), "feels", "thinks", "does", **FEW)
    for result in (bounds, found, felt, channel_integration(5, 4, 3)):
        assert result.plot(lang=lang).get_figure().get_suptitle()
        assert "<pre>" in result._repr_html_()
    plt.close("all")


def test_bounds_speak_of_data_given_and_not_of_published():
    import matplotlib.pyplot as plt

    bounds = cem({"number of steps": 80}, on_missing="bounds")
    for lang, words in (("en", ["data given", "no data"]), ("zh", ["有数据", "无数据"])):
        shown = bounds.plot(lang=lang).get_legend().get_texts()
        assert [text.get_text() for text in shown] == words
    shown = bounds.plot(legend=("asked", "not asked")).get_legend().get_texts()
    assert [text.get_text() for text in shown] == ["asked", "not asked"]
    published = cx.charts.weights(["a"], [1], known=[True], source="S").get_legend().get_texts()
    assert published[0].get_text() == "data published"
    with pytest.raises(CxError, match="legend is 'ab'; allowed: two texts"):
        bounds.plot(legend="ab")
    with pytest.raises(CxError, match="give known, a flag for each weight"):
        cx.charts.weights(["a"], [1], legend=("x", "y"), source="S")
    plt.close("all")
