"""The bootstrap, and what rests on resamples or permutations."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.moments import resampling_counts
from cxstats.models.pls.bootstrap import influence
from cxstats.models.pls.estimates import estimate, flattened, quantities
from tests.models.pls.models import CORP, EXTENDED, MOBI, SMALL, answers, corp, mobi

SCALE = (1, 10)


def everything(fit):
    return flattened(fit.estimates, fit.design)[0]


@pytest.mark.parametrize(("model", "data"), [(MOBI, mobi), (EXTENDED, corp)])
def test_a_replicate_is_a_fit_to_its_rows(model, data):
    frame = data().dropna()
    fit = cx.pls(model, frame)
    boot = fit.bootstrap(6, seed=11)
    assert len(boot.table) == len(quantities(fit.design)) == boot.replicates.shape[1]
    counts = np.concatenate([part for _, part in resampling_counts(fit.n, 6, 11)])
    for b in range(6):
        rows = frame.iloc[np.repeat(np.arange(fit.n), counts[b].astype(int))]
        expected = everything(cx.pls(model, rows.reset_index(drop=True)))
        np.testing.assert_allclose(boot.replicates[b], expected, atol=1e-8)


def test_the_table_is_made_of_the_replicates():
    boot = cx.pls(MOBI, mobi()).bootstrap(400, seed=2, level=0.9)
    rows = boot.table[boot.table["kind"].isin(["path", "total", "htmt", "r_squared"])]
    own = boot.replicates[:, rows.index]
    np.testing.assert_allclose(rows["se"], own.std(axis=0, ddof=1), atol=1e-12)
    np.testing.assert_allclose(rows["percentile_low"], np.quantile(own, 0.05, axis=0), atol=1e-12)
    np.testing.assert_allclose(rows["percentile_high"], np.quantile(own, 0.95, axis=0), atol=1e-12)
    paths = boot.of("path")
    np.testing.assert_allclose(paths["z"], paths["estimate"] / paths["se"])
    assert (paths["bca_low"] < paths["estimate"]).all()
    assert (paths["estimate"] < paths["bca_high"]).all()
    with pytest.raises(cx.CxError, match="kind is 'paths'; allowed: path, loading"):
        boot.of("paths")


def test_the_same_seed_gives_the_same_table():
    fit = cx.pls(SMALL, answers())
    one, same, other = (fit.bootstrap(100, seed=s).table for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert not one["se"].equals(other["se"])


def test_influence_is_the_slope_of_the_weight_of_a_case():
    fit = cx.pls(EXTENDED, corp(), missing="mean")
    found, x, step = influence(fit), fit.sample.matrix, 1e-5
    for case in (0, 100, 343):
        sides = []
        for sign in (1, -1):
            weight = np.full(fit.n, (1 - sign * step) / fit.n)
            weight[case] += sign * step
            centred = x - weight @ x
            cov = (centred * weight[:, None]).T @ centred
            sides.append(flattened(estimate(cov[None], fit.design, "path", False), fit.design)[0])
        slope = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(found[case], slope, atol=1e-3, rtol=1e-4)


def test_signs():
    """A weak formative construct turns round in some resamples; aligned, it does not."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(60, 3))
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    frame["y"] = 0.3 * (x[:, 0] - 0.8 * x[:, 1]) + generator.normal(size=60)
    fit = cx.pls("X <~ a + b + c ; y ~ X", frame)
    free, held = (fit.bootstrap(300, seed=1, signs=signs) for signs in ("none", "construct"))
    np.testing.assert_allclose(np.abs(free.replicates[:, 0]), np.abs(held.replicates[:, 0]))
    turned = [
        (boot.replicates[:, 0] * fit.paths["estimate"][0] < 0).mean() for boot in (free, held)
    ]
    print(turned)
    assert turned[0] > 0.02
    assert turned[1] < turned[0] / 3
    assert held.table["se"][0] < free.table["se"][0]
    with pytest.raises(cx.CxError, match="signs is 'both'; allowed: construct, none"):
        fit.bootstrap(10, signs="both")


def effort(n=300):
    """Return waiting time and ease, which form effort with opposite signs, and satisfaction."""
    rng = np.random.default_rng(2026)
    wait = rng.normal(size=n)
    ease = -0.3 * wait + np.sqrt(0.91) * rng.normal(size=n)
    composite = 0.6 * wait - 0.6 * ease
    sat = -0.5 * composite / composite.std() + np.sqrt(0.75) * rng.normal(size=n)
    items = [0.85 * sat + np.sqrt(1 - 0.85**2) * rng.normal(size=n) for _ in range(3)]
    return pd.DataFrame(
        {
            "wait": 10 + 4 * wait,
            "ease": 4 + ease,
            **dict(zip(("s1", "s2", "s3"), items, strict=True)),
        }
    )


EFFORT = "Effort <~ wait + ease ; Sat =~ s1 + s2 + s3 ; Sat ~ Effort"


def test_intervals_do_not_depend_on_which_way_round_an_item_is_stored():
    """The percentiles, by hand: those of the model with -wait, whose items point one way."""
    frame = effort()
    fits = [cx.pls(EFFORT, data) for data in (frame, frame.assign(wait=-frame["wait"]))]
    paths = [fit.inference.of("path").iloc[0] for fit in fits]
    columns = ["estimate", "percentile_low", "percentile_high"]
    np.testing.assert_allclose(paths[0][columns].astype(float), [-0.480, -0.574, -0.387], atol=5e-4)
    assert "Sat ~ Effort: -0.480 [-0.563, -0.374], p < .001" in fits[0].summary().replace("−", "-")
    np.testing.assert_allclose(paths[0]["se"], paths[1]["se"], rtol=1e-9)
    np.testing.assert_allclose(paths[0]["z"], -paths[1]["z"], rtol=1e-9)
    np.testing.assert_allclose(
        np.abs(fits[0].inference.replicates), np.abs(fits[1].inference.replicates), atol=1e-8
    )
    for one, other in zip(
        fits[0].inference.replicates.T, fits[1].inference.replicates.T, strict=True
    ):
        assert np.allclose(one, other, atol=1e-8) or np.allclose(one, -other, atol=1e-8)


@pytest.mark.parametrize("turned", [["CUSA1"], ["IMAG1", "IMAG2"], ["CUEX1", "CUSL1", "PERQ2"]])
@pytest.mark.parametrize("consistent", [False, True])
@pytest.mark.filterwarnings("ignore::cxstats.ModelWarning")
def test_standard_errors_do_not_depend_on_reversed_items(turned, consistent):
    """Half of the items of a reflective construct reversed, or some of several constructs."""
    frame = mobi()
    reverse = frame.assign(**{name: 11 - frame[name] for name in turned})
    one, other = (
        cx.pls(MOBI, data, consistent=consistent).bootstrap(100, seed=1).table
        for data in (frame, reverse)
    )
    np.testing.assert_allclose(np.abs(one["estimate"]), np.abs(other["estimate"]), atol=1e-8)
    np.testing.assert_allclose(one["se"], other["se"], atol=1e-7)
    length = [(t["ci_high"] - t["ci_low"]).to_numpy() for t in (one, other)]
    np.testing.assert_allclose(*length, atol=1e-7)


def test_lost_and_improper_replicates_are_counted():
    frame = answers(30)
    frame["l2"] = 0.0
    frame.loc[[0, 1], "l2"] = 1.0
    boot = cx.pls(SMALL, frame).bootstrap(300, seed=1)
    counts = np.concatenate([part for _, part in resampling_counts(30, 300, 1)])
    drawn = counts[:, :2].sum(axis=1)
    assert boot.n_failed == (drawn == 0).sum() > 0
    assert np.isfinite(boot.of("path")["se"]).all()
    assert "More than 5 %" in boot.summary()
    with pytest.warns(cx.ModelWarning, match="those of no constructs"):
        fit = cx.pls(MOBI, mobi(), consistent=True)
    assert fit.inference.n_improper > 500
    assert "corrected correlations" in fit.summary()


def test_groups():
    frame = answers(300)
    other = answers(300, seed=2)
    other["l1"], other["l2"] = -other["l1"], -other["l2"]
    both = pd.concat([frame, other], ignore_index=True)
    both["wave"] = ["one"] * 300 + ["two"] * 300
    found = cx.pls("l1 ~ q1", both).compare_groups("wave", 300, seed=1)
    row = found.table.iloc[0]
    expected = [part["l1"].corr(part["q1"]) for part in (frame, other)]
    np.testing.assert_allclose([row["estimate_1"], row["estimate_2"]], expected)
    assert row["p_value"] == pytest.approx(1 / 301)
    assert row["ci_low"] > 0
    assert "one" in found.summary()
    same = pd.concat([frame.assign(wave=1), frame.assign(wave=2)], ignore_index=True)
    none = cx.pls(SMALL, same).compare_groups("wave", 200, seed=1)
    assert none.table["p_value"].tolist() == [1.0]
    np.testing.assert_allclose(none.invariance["correlation"], 1)
    np.testing.assert_allclose(none.table["estimate"], 0, atol=1e-12)


def test_three_groups_are_compared_in_pairs():
    frame = mobi().assign(band=np.arange(250) % 3)
    fit = cx.pls(MOBI, frame)
    found = fit.compare_groups("band", 100, seed=3)
    assert len(found.table) == 3 * 12
    assert (found.table["p_adjusted"] >= found.table["p_value"]).all()
    alone = cx.pls(MOBI, frame[frame["band"] == 1]).paths["estimate"]
    own = found.table[(found.table["group_1"] == 1)]["estimate_1"]
    np.testing.assert_allclose(own, alone, atol=1e-8)
    pd.testing.assert_frame_equal(found.table, fit.compare_groups("band", 100, seed=3).table)


@pytest.mark.parametrize("kind", cx.pls(MOBI, mobi()).ipma("Loyalty", SCALE, n_resamples=50).kinds)
def test_a_map_of_constructs_has_the_names_that_it_is_told(kind):
    found = cx.pls(MOBI, mobi()).ipma("Loyalty", SCALE, n_resamples=50)
    ax = found.plot(kind, lang="zh", names={"Image": "企业形象", "Loyalty": "客户忠诚"})
    ax.figure.canvas.draw()
    shown = " ".join(text.get_text() for text in ax.figure.findobj(plt.Text))
    assert "企业形象" in shown
    assert "客户忠诚" in shown
    assert "Image" not in shown
    assert "Loyalty" not in shown
    assert "Satisfaction" in shown  # a name that is not told stays
    plt.close(ax.figure)


def test_map_of_importance_and_performance():
    """By hand, from rows: scores of rescaled items, and regressions among them."""
    fit = cx.pls(MOBI, mobi())
    found = fit.ipma("Loyalty", SCALE, n_resamples=200).table.set_index("construct")
    rescaled = (mobi()[list(fit.design.items)] - 1) / 9 * 100
    weights = fit.weights["weight"].to_numpy() / rescaled.std().to_numpy()
    scores = {}
    for j, name in enumerate(fit.design.constructs):
        block = fit.design.blocks[j]
        own = weights[block] / weights[block].sum()
        scores[name] = rescaled.iloc[:, block].to_numpy() @ own
    size = len(fit.design.constructs)
    paths = np.zeros((size, size))
    for j, causes in fit.design.causes.items():
        x = np.column_stack([scores[fit.design.constructs[k]] for k in causes])
        x = np.column_stack([x, np.ones(len(x))])
        y = scores[fit.design.constructs[j]]
        paths[j, causes] = np.linalg.lstsq(x, y, rcond=None)[0][:-1]
    total = np.linalg.inv(np.eye(size) - paths)
    for j, name in enumerate(fit.design.constructs[:-1]):
        assert found["importance"][name] == pytest.approx(total[-1, j], abs=1e-9)
        assert found["performance"][name] == pytest.approx(scores[name].mean(), abs=1e-9)
    assert (found["importance_ci_low"] < found["importance"]).all()
    assert (found["performance_ci_high"] > found["performance"]).all()
    wide = fit.ipma("Loyalty", dict.fromkeys(fit.design.items, SCALE), n_resamples=200)
    pd.testing.assert_frame_equal(wide.table.set_index("construct"), found)


def test_a_map_names_negative_weights():
    frame = answers()
    frame["q3"] = -frame["q3"]
    fit = cx.pls(SMALL, frame)
    found = fit.ipma("Loyalty", "observed", n_resamples=50)
    assert found.negative == ("q3",)
    assert "item q3 has a negative weight" in found.summary()


def test_prediction_of_noise_is_no_better_than_the_mean():
    generator = np.random.default_rng(1)
    noise = pd.DataFrame(generator.normal(size=(200, 5)), columns=answers().columns)
    found = cx.pls(SMALL, noise).predict(k=5, repetitions=3)
    assert (found.table["q2_predict"] < 0.02).all()
    clear = cx.pls(SMALL, answers()).predict(k=5, repetitions=3)
    assert (clear.table["q2_predict"] > 0.05).all()
    last = clear.comparison.set_index(["construct", "benchmark"]).loc[("all", "mean")]
    assert last["ci_high"] < 0
    pd.testing.assert_frame_equal(
        clear.table, cx.pls(SMALL, answers()).predict(k=5, repetitions=3).table
    )


REFUSED = {
    "k is 1; allowed: whole numbers from 2 to n = 200": lambda fit: fit.predict(k=1),
    "antecedents is 'all'; allowed: earliest, direct": lambda fit: fit.predict(antecedents="all"),
    "target is 'Quality'; allowed: Loyalty": lambda fit: fit.ipma("Quality", SCALE),
    "scale is 'codebook'; allowed": lambda fit: fit.ipma("Loyalty", "codebook"),
    r"scale is \(10, 1\)": lambda fit: fit.ipma("Loyalty", (10, 1)),
    "no ends for item 'q1'": lambda fit: fit.ipma("Loyalty", {}),
    "item 'q1' has the answer -?[0-9.]+, outside": lambda fit: fit.ipma("Loyalty", (0, 1)),
    "column 'wave' is not in the table": lambda fit: fit.compare_groups("wave"),
    "n_resamples is 0": lambda fit: fit.bootstrap(0),
    "level is 95": lambda fit: fit.bootstrap(10, level=95),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused(message):
    with pytest.raises(cx.CxError, match=message):
        REFUSED[message](cx.pls(SMALL, answers()))


def test_groups_that_are_too_few_or_small():
    frame = answers().assign(all=1, few=[1] * 5 + [2] * 195)
    fit = cx.pls(SMALL, frame)
    with pytest.raises(cx.DataError, match=r"'all' has 1 group\(s\)"):
        fit.compare_groups("all")
    with pytest.raises(cx.DataError, match="group 1 of 'few' has 5 complete cases"):
        fit.compare_groups("few")


def test_what_needs_respondents_says_so():
    fit = cx.pls(SMALL, cx.moments(answers()))
    for ask in (fit.bootstrap, fit.predict, lambda: fit.scores, lambda: fit.ipma("Loyalty", SCALE)):
        with pytest.raises(cx.CxError, match=r"fitted to moments alone.*pass the frame to cx\.pls"):
            ask()
    consistent = cx.pls(CORP, corp(), consistent=True)
    for ask in (consistent.predict, lambda: consistent.ipma("CUSL", (1, 7))):
        with pytest.raises(cx.CxError, match="fit without consistent=True"):
            ask()
