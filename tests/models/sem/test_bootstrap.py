"""The bootstrap against refits of the very same resamples, the jackknife and theory."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.formats import p_text
from cxstats.core.moments import resampling_counts
from cxstats.models.sem.bootstrap import _influence
from cxstats.models.sem.standardised_solution import all_quantities
from tests.models.sem.models import (
    HOLZINGER,
    ITEMS,
    PATHS,
    democracy,
    holzinger,
    quiet,
    ram,
    truth,
    written,
)
from tests.references import data

# A replicate stops within a thousandth of a standard error of its optimum; a tenth of that again
# for the straight line by which the distance is judged.
DISTANCE = 2e-3
REGRESSION = HOLZINGER + "\nspeed ~ a*visual\ntextual ~ b*visual\nboth := a*b"
LABELLED = HOLZINGER.replace("x2", "a*x2").replace("x3", "b*x3")


def population(n, seed):
    model, _, sigma = truth()
    answers = np.random.default_rng(seed).multivariate_normal(np.zeros(9), sigma, n)
    return pd.DataFrame(answers, columns=list(model.observed))


def resamples(frame, count, seed):
    """Yield the rows of each resample."""
    for _, counts in resampling_counts(len(frame), count, seed):
        for one in counts:
            yield frame.iloc[np.repeat(np.arange(len(frame)), one.astype(int))]


@pytest.mark.parametrize(
    ("text", "frame", "options", "failed"),
    [
        (REGRESSION, holzinger, {}, 0),
        (REGRESSION, holzinger, {"std_lv": True, "means": True}, 0),
        ("visual =~ x1 + x2 + x3\nvisual ~ x4 + x7\nx9 ~ visual + x7", holzinger, {}, 0),
        (written("politicaldemocracy"), democracy, {}, 0),
        (HOLZINGER.replace("x2", "v*x2").replace("x3", "v*x3"), holzinger, {}, 0),
        (LABELLED + "\na == 2*b - 0.9", holzinger, {}, 0),
    ],
)
def test_replicates_are_fits_of_the_resamples(text, frame, options, failed):
    frame = frame()
    fit = cx.sem(text, frame, **options)
    found = fit.bootstrap(12, seed=4)
    assert found.replicates.shape == (12, len(fit.table))
    assert found.n_failed == failed
    se = fit.table["se"].fillna(1)
    for own, rows in zip(found.replicates, resamples(frame, 12, 4), strict=True):
        direct = quiet(text, rows, **options)
        expected = direct.unsound_table["estimate"]
        assert (np.abs(own - expected) / se).max() < DISTANCE


def test_groups_are_resampled_within():
    frame = holzinger()
    # Without the visual items, which leave a resample of Pasteur without a solution.
    text = HOLZINGER.split("\n", 1)[1].replace("x5", "c(a, a)*x5")
    fit = cx.sem(text, frame, group="school")
    found = fit.bootstrap(8, seed=4)
    assert found.n_failed == 0
    parts = [frame[frame["school"] == name] for name in fit.sample.groups]
    drawn = zip(*(resamples(part, 8, [4, g]) for g, part in enumerate(parts)), strict=True)
    for own, both in zip(found.replicates, drawn, strict=True):
        assert [len(part) for part in both] == [156, 145]
        direct = quiet(text, pd.concat(both), group="school")
        assert direct.sample.groups == fit.sample.groups
        expected = direct.unsound_table["estimate"]
        assert (np.abs(own - expected) / fit.table["se"].fillna(1)).max() < DISTANCE
    twin = fit.table.index[fit.table["label"] == "a"]
    assert np.ptp(found.replicates[:, twin], axis=1).max() == 0


def test_the_seed_is_the_result():
    fit = cx.sem(REGRESSION, holzinger())
    one, same, other = (fit.bootstrap(60, seed=seed, bollen_stine=True) for seed in (7, 7, 8))
    pd.testing.assert_frame_equal(one.table, same.table, check_exact=True)
    np.testing.assert_array_equal(one.replicates, same.replicates)
    assert one.bollen_stine_p == same.bollen_stine_p
    free = fit.table["se"].notna()
    assert (one.table["ci_low"] != other.table["ci_low"])[free].all()
    assert (one.n_resamples, one.seed, one.level) == (60, 7, 0.95)
    # The first replicates of more are the same: a chunk of fits does not change a fit.
    more = fit.bootstrap(300, seed=7).replicates[:60]
    np.testing.assert_allclose(more, one.replicates, rtol=0, atol=1e-9)


def test_the_order_of_rows_is_the_only_order():
    """The resamples are those of the rows, whatever table they come in."""
    import polars as pl

    frame = holzinger()
    for other in (pl.from_pandas(frame), frame.set_index(frame.index[::-1])):
        found, expected = (cx.sem(REGRESSION, f).bootstrap(20) for f in (other, frame))
        pd.testing.assert_frame_equal(found.table, expected.table, rtol=1e-9)


def test_table():
    fit = cx.sem(REGRESSION, holzinger())
    found = fit.bootstrap(400, level=0.9)
    table, drawn = found.table, found.replicates
    assert list(table.columns) == [
        "lhs", "op", "rhs", "label", "group",
        "estimate", "se", "ci_low", "ci_high", "bca_low", "bca_high",
        "std", "std_se", "std_ci_low", "std_ci_high", "std_bca_low", "std_bca_high",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(table[["lhs", "op", "rhs", "label", "group"]], fit.rows)
    for column in ("estimate", "std"):
        np.testing.assert_allclose(table[column], fit.table[column], rtol=1e-12)
    free = fit.table["se"].notna().to_numpy()
    assert (
        table.loc[~free, ["se", "ci_low", "ci_high", "bca_low", "bca_high"]].isna().all(axis=None)
    )
    low, high = np.quantile(drawn[:, free], [0.05, 0.95], axis=0)
    np.testing.assert_allclose(table["ci_low"][free], low, rtol=1e-12)
    np.testing.assert_allclose(table["ci_high"][free], high, rtol=1e-12)
    np.testing.assert_allclose(table["se"][free], drawn[:, free].std(axis=0, ddof=1), rtol=1e-12)
    both = table.set_index("lhs").loc["both"]
    a, b = (drawn[:, np.flatnonzero(fit.table["label"] == name)[0]] for name in "ab")
    product = drawn[:, np.flatnonzero(fit.table["lhs"] == "both")[0]]
    np.testing.assert_allclose(product, a * b, rtol=1e-12)
    assert both["ci_low"] == pytest.approx(np.quantile(a * b, 0.05))
    # What is standardised moves although it is fixed: a marker's loading, a latent's variance not.
    marker = table[(table["rhs"] == "x1") & (table["op"] == "=~")]
    assert (marker["std_ci_low"] < marker["std"]).all()
    assert (marker["std"] < marker["std_ci_high"]).all()


def test_bca_limits_are_quantiles_of_the_replicates():
    """Written again from Efron (1987), with the jackknife-free influence of the code."""
    from scipy.stats import norm

    fit = cx.sem(REGRESSION, holzinger())
    found = fit.bootstrap(500, seed=2)
    influence = np.concatenate(list(_influence(fit, fit.sample.matrices())))
    for j in np.flatnonzero(fit.table["se"].notna()):
        draws, estimate, own = found.replicates[:, j], fit.table["estimate"][j], influence[:, j]
        a = (own**3).sum() / (6 * (own**2).sum() ** 1.5)
        z0 = norm.ppf((draws < estimate).mean())
        levels = [
            norm.cdf(z0 + (z0 + norm.ppf(q)) / (1 - a * (z0 + norm.ppf(q)))) for q in (0.025, 0.975)
        ]
        expected = np.quantile(draws, levels)
        np.testing.assert_allclose(found.table.loc[j, ["bca_low", "bca_high"]].astype(float),
                                   expected, rtol=1e-9)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (PATHS, {}),
        (PATHS, {"std_lv": True, "means": True}),
        (PATHS.replace("c2", "0.9*c2") + "r == q - 0.1", {}),
        ("A =~ a1 + a2 + a3\nA ~ b1 + b2\nc1 ~ A + b1", {}),
    ],
)
def test_influence_is_that_of_leaving_one_out(text, options):
    frame = population(400, 1)
    fit = quiet(text, frame, **options)
    assert fit.sound
    rows = np.arange(0, 400, 16)
    influence = np.concatenate(list(_influence(fit, fit.sample.matrices())))[rows]
    whole = all_quantities(fit.likelihood, fit.optimum.phi)
    left = np.empty_like(influence)
    for k, i in enumerate(rows):
        one = quiet(text, frame.drop(index=i), **options)
        left[k] = whole - all_quantities(one.likelihood, one.optimum.phi)
    moving = np.ptp(left, axis=0) > 1e-9
    assert moving.sum() > 20
    for j in np.flatnonzero(moving):
        own, theirs = influence[:, j], left[:, j]
        assert np.corrcoef(own, theirs)[0, 1] > 0.99, j
        # Leaving one out is larger by its leverage, a share of 1/n.
        assert own.std() == pytest.approx(theirs.std(), rel=0.05), j
        skew = [(x**3).sum() / (x**2).sum() ** 1.5 for x in (own, theirs)]
        assert skew[0] == pytest.approx(skew[1], abs=0.05), j
    assert np.abs(influence[:, ~moving]).max() < 1e-9


def test_influence_of_groups():
    frame = pd.concat(
        [population(60, 2).assign(wave="a"), population(45, 3).assign(wave="b")], ignore_index=True
    )
    text = "A =~ a1 + c(v, v)*a2 + a3"
    fit = quiet(text, frame, group="wave")
    influence = np.concatenate(list(_influence(fit, fit.sample.matrices())))
    whole = all_quantities(fit.likelihood, fit.optimum.phi)
    rows = [*range(0, 60, 5), *range(60, 105, 5)]
    left = []
    for i in rows:
        one = quiet(text, frame.drop(index=i), group="wave")
        left.append(whole - all_quantities(one.likelihood, one.optimum.phi))
    left = np.array(left)
    for j in np.flatnonzero(np.ptp(left, axis=0) > 1e-9):
        assert np.corrcoef(influence[rows, j], left[:, j])[0, 1] > 0.985, j


def test_errors_near_those_of_theory():
    """Normal answers, n = 3,000: a replicate's error of 1.6 %, a sample's of 2 % or so."""
    fit = cx.sem(PATHS, population(3_000, 5))
    table = fit.bootstrap(2_000).table
    for column in ("se", "std_se"):
        ratio = (table[column] / fit.table[column]).dropna()
        assert ratio.mean() == pytest.approx(1, abs=0.02), column
        assert (ratio - 1).abs().max() < 0.1, column
    free = fit.table["se"].notna()
    for ours, theory in (("ci_low", "ci_low"), ("bca_high", "ci_high"), ("bca_low", "ci_low")):
        gap = ((table[ours] - fit.table[theory]) / fit.table["se"])[free]
        assert gap.abs().max() < 0.3, ours


def test_bollen_stine():
    """Of a true model as of chi-square, n large and normal; of a wrong one near nothing."""
    frame = population(600, 0)
    true = cx.sem(PATHS, frame)
    found = true.bootstrap(600, bollen_stine=True)
    assert found.bollen_stine_p == pytest.approx(true.fit_indices["p_value"], abs=0.06)
    assert found.bollen_stine_p > 0.05
    assert f"Bollen–Stine test: {p_text(found.bollen_stine_p)}." in found.summary()
    wrong = cx.sem("f =~ " + " + ".join(frame), frame)
    assert wrong.bootstrap(200, bollen_stine=True).bollen_stine_p < 0.01
    assert np.isnan(true.bootstrap(10).bollen_stine_p)
    assert "Bollen" not in true.bootstrap(10).summary()


@pytest.mark.parametrize("options", [{"means": True}, {"group": "wave"}])
def test_bollen_stine_with_means(options):
    frame = population(400, 11)
    frame["wave"] = np.where(np.arange(400) % 2, "a", "b")
    text = PATHS.split("B ~")[0] + "a1 ~ m*1\na2 ~ m*1"
    fit = quiet(text, frame, **options)
    p = fit.bootstrap(400, bollen_stine=True).bollen_stine_p
    assert p == pytest.approx(fit.fit_indices["p_value"], abs=0.12)


def test_failures_are_counted_and_said():
    """ECSI-R on 250 respondents: lavaan loses 7 to 10 % of the resamples."""
    fit = quiet(written("mobi_ecsir"), data("mobi")[0])
    found = fit.bootstrap(300, seed=1)
    none = np.isnan(found.replicates).all(axis=1)
    assert found.n_failed == none.sum()
    assert not np.isnan(found.replicates[~none]).any()
    assert 0.02 < found.n_failed / 300 < 0.1
    improper = 0
    k = len(fit.model.parameters)
    own = [i for i, p in enumerate(fit.model.parameters) if p.op == "~~" and p.lhs == p.rhs]
    for replicate in found.replicates[~none]:
        total = ram(fit.model, replicate[:k])[2][len(fit.model.observed) :]
        latent = total[:, len(fit.model.observed) :]
        bad = (replicate[own] < 0).any() or np.linalg.eigvalsh(latent)[0] <= 0
        improper += bad
    assert found.n_improper == improper > 30
    text = f"300 resamples (seed 1); {found.n_failed} without a solution, {improper} with"
    assert text in found.summary()
    assert f"{found.n_failed} 次无解，{improper} 次为不恰当解" in found.summary("zh")
    lost = found.n_failed > 15
    assert ("More than 5 %" in found.summary()) == lost
    assert bool(found.notes) == lost
    # The intervals are those of the rest.
    j = int(np.flatnonzero(fit.table["label"] == "h")[0])
    expected = np.quantile(found.replicates[~none, j], [0.025, 0.975])
    np.testing.assert_allclose(found.table.loc[j, ["ci_low", "ci_high"]].astype(float), expected)


def test_a_replicate_that_counts_is_an_optimum():
    fit = quiet(written("mobi_ecsir"), data("mobi")[0])
    counts = [one for _, part in resampling_counts(250, 300, 2) for one in part]
    matrix = fit.sample.matrices()[0]
    reduction, k = fit.likelihood.reduction, len(fit.model.parameters)
    short = []
    for own, count in zip(fit.bootstrap(300, seed=2).replicates, counts, strict=True):
        if np.isnan(own).any():
            continue
        cov = np.cov(np.repeat(matrix, count.astype(int), axis=0), rowvar=False, ddof=0)
        phi = np.linalg.lstsq(reduction.matrix, own[:k] - reduction.offset, rcond=None)[0]
        point = replace(fit.likelihood, cov=cov[None]).at(phi)
        slope, hessian = point.value_and_slope[1], point.hessian
        scale = np.sqrt(np.abs(np.diag(hessian)))
        assert np.linalg.eigvalsh(hessian / np.outer(scale, scale))[0] > 0
        short.append(np.sqrt(slope @ np.linalg.solve(hessian, slope) * 250 / 2))
    assert sum(distance > DISTANCE for distance in short) == 0, max(short)


@pytest.mark.parametrize(
    ("extra", "holds"),
    [
        ("a > 0.6", lambda a, b: a >= 0.6 - 1e-9),
        ("a < 0.6; b < a + 0.1", lambda a, b: a <= 0.6 + 1e-9 and b <= a + 0.1 + 1e-9),
        ("a*b == 0.4", lambda a, b: abs(a * b - 0.4) < 1e-8),
        ("a^2 + b^2 == 1; a > 0.5", lambda a, b: abs(a**2 + b**2 - 1) < 1e-8 and a >= 0.5 - 1e-9),
    ],
)
def test_bounds_and_curved_equations_hold_in_every_replicate(extra, holds):
    frame = holzinger()
    fit = cx.sem(f"{LABELLED}\n{extra}", frame)
    found = fit.bootstrap(5, seed=3)
    assert found.n_failed == 0
    for own, rows in zip(found.replicates, resamples(frame, 5, 3), strict=True):
        assert holds(own[1], own[2])
        direct = quiet(f"{LABELLED}\n{extra}", rows).table["estimate"]
        np.testing.assert_allclose(own, direct, rtol=0, atol=1e-6)


def test_labels_and_linear_equations_hold_in_every_replicate():
    text = HOLZINGER.replace("x2", "a*x2").replace("x3", "a*x3").replace("x5", "d*x5")
    fit = cx.sem(text + "\nd == 2*a - 0.2\ns := a + d", holzinger())
    drawn = fit.bootstrap(50).replicates
    np.testing.assert_array_equal(drawn[:, 1], drawn[:, 2])
    np.testing.assert_allclose(drawn[:, 4], 2 * drawn[:, 1] - 0.2, rtol=1e-12)
    np.testing.assert_allclose(drawn[:, -1], drawn[:, 1] + drawn[:, 4], rtol=1e-12)


def test_small_units_keep_their_intervals():
    small = holzinger()
    small = small.assign(**{name: 1e-6 * small[name] for name in ITEMS})
    found = cx.sem(HOLZINGER, small).bootstrap(30).table
    expected = cx.sem(HOLZINGER, holzinger()).bootstrap(30).table
    variances = found["op"] == "~~"
    for column in ("se", "ci_low", "bca_high"):
        np.testing.assert_allclose(
            found[column][variances], 1e-12 * expected[column][variances], rtol=1e-5
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_resamples": 0}, "n_resamples is 0; allowed: whole numbers from 1"),
        ({"n_resamples": 99.5}, "n_resamples is 99.5"),
        ({"n_resamples": True}, "n_resamples is True"),
        ({"n_resamples": "100"}, "n_resamples is '100'"),
        ({"seed": -1}, "seed is -1; allowed: whole numbers from 0"),
        ({"seed": None}, "seed is None"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"level": 95}, "level is 95; allowed"),
        ({"level": 1.0}, "level is 1.0"),
    ],
)
def test_refused(options, message):
    fit = cx.sem("f =~ x1 + x2 + x3", holzinger())
    with pytest.raises(cx.CxError, match=message):
        fit.bootstrap(**{"n_resamples": 10} | options)


def test_refused_without_respondents_or_solution():
    frame = holzinger()
    with pytest.raises(cx.CxError, match="moments alone; a bootstrap needs the respondents"):
        cx.sem(HOLZINGER, cx.moments(frame, ITEMS)).bootstrap(10)
    with pytest.raises(cx.CxError, match="moments alone"):
        cx.sem(HOLZINGER, cx.moments(frame, ITEMS, by="school")).bootstrap(10)
    with pytest.raises(cx.CxError, match="no bootstrap: not identified: 1 more free"):
        quiet("f =~ x1 + x2", frame).bootstrap(10)


@pytest.mark.filterwarnings("ignore:none. no finite number:cxstats.models.sem.result.ModelWarning")
def test_few_resamples_and_undefined_values():
    fit = cx.sem("f =~ x1 + p*x2 + x3\nnone := log(p - 5)", holzinger())
    assert fit.bootstrap(1).table[["se", "ci_low", "bca_low"]].isna().all(axis=None)
    found = fit.bootstrap(30)
    assert found.n_failed == 0
    assert np.isnan(found.replicates[:, -1]).all()
    assert found.table.iloc[-1][["estimate", "se", "ci_low", "bca_low"]].isna().all()
    assert found.table["se"].notna().sum() == 6


def test_missing_answers_are_not_drawn():
    frame = holzinger()
    holed = frame.assign(x1=frame["x1"].where(np.arange(301) >= 20))
    one, other = (cx.sem(HOLZINGER, f).bootstrap(20) for f in (holed, frame.iloc[20:]))
    pd.testing.assert_frame_equal(one.table, other.table, rtol=1e-9)


def test_summary_is_shown_and_escaped():
    bad = "<b>x</b>"
    frame = holzinger().assign(wave=np.where(np.arange(301) % 2, bad, "w"))
    found = quiet(HOLZINGER, frame, group="wave").bootstrap(5)
    assert repr(found) == found.summary()
    html = found._repr_html_()
    assert bad not in html
    assert "&lt;b&gt;" in html
    with pytest.raises(cx.CxError, match="de"):
        found.summary("de")


@pytest.mark.parametrize("fit", [cx.sem, cx.pls])
def test_of_many_respondents_moments_are_drawn(fit, monkeypatch):
    """With the limit at 1,500: intervals within the noise of 2,000 replicates, and a note."""
    import sys

    frame = population(1_600, 9)
    model = fit("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", frame)
    resampled = model.bootstrap(2_000)
    monkeypatch.setattr(sys.modules["cxstats.core.moments"], "LARGE", 1_500)
    drawn = model.bootstrap(2_000)
    assert not resampled.notes
    assert "drawn from the normal distribution" in drawn.notes[0].en
    assert "1,600" in drawn.notes[0].en
    assert "正态分布" in drawn.summary("zh")
    free = resampled.table["se"].notna()
    for column in ("ci_low", "ci_high", "bca_low", "bca_high"):
        gap = ((drawn.table[column] - resampled.table[column]) / resampled.table["se"])[free]
        assert gap.abs().max() < 0.4, column
        assert gap.abs().mean() < 0.15, column
    ratio = (drawn.table["se"] / resampled.table["se"])[free]
    assert ratio.mean() == pytest.approx(1, abs=0.03)
    if fit is cx.sem:
        grouped = frame.assign(half=np.arange(1_600) % 2)
        assert not cx.sem("A =~ a1 + a2 + a3", grouped, group="half").bootstrap(5).notes


@pytest.mark.slow
def test_drawn_moments_at_the_limit(monkeypatch):
    """n = 100,000, skewed answers: as near to resampled cases as those are to each other."""
    import sys

    generator = np.random.default_rng(0)
    factors = generator.normal(size=(100_000, 5))
    for j in range(1, 5):
        factors[:, j] = 0.6 * factors[:, j - 1] + 0.8 * factors[:, j]
    x = 0.75 * np.repeat(factors, 4, axis=1) + 0.6 * generator.normal(size=(100_000, 20))
    names = [f"q{i}" for i in range(20)]
    frame = pd.DataFrame(np.clip(np.round(7.5 + 2 * x - 0.3 * x**2), 1, 10), columns=names)
    text = "\n".join(f"F{j} =~ " + " + ".join(names[4 * j : 4 * j + 4]) for j in range(5))
    fit = cx.sem(text + "".join(f"\nF{j} ~ F{j - 1}" for j in range(1, 5)), frame)
    first, second = (fit.bootstrap(2_000, seed=seed).table for seed in (1, 2))
    monkeypatch.setattr(sys.modules["cxstats.core.moments"], "LARGE", 99_999)
    drawn = fit.bootstrap(2_000, seed=1).table
    free = first["se"].notna()
    for prefix in ("", "std_"):
        ratio = (drawn[f"{prefix}se"] / first[f"{prefix}se"])[free]
        assert ratio.mean() == pytest.approx(1, abs=0.015)
        assert ratio.std() < 0.035
        for limit in ("ci_low", "ci_high", "bca_low", "bca_high"):
            column = f"{prefix}{limit}"
            apart, noise = (
                ((other[column] - first[column]) / first[f"{prefix}se"])[free]
                for other in (drawn, second)
            )
            assert abs(apart.mean()) < 0.06, column
            assert apart.std() < 1.5 * noise.std(), column
