"""The algebra of many samples at once against that of one p x p matrix after the other."""

from dataclasses import replace

import numpy as np
import pytest

from cxstats.core.moments import bootstrap_moments
from cxstats.models.sem import batch_search
from cxstats.models.sem.simple_structure import Layout, SimpleStructure
from cxstats.models.sem.structure import Structure
from tests.models.sem.models import HOLZINGER, holzinger, quiet, written
from tests.references import data

# Two ways to the same number, with residual variances down to a ten-thousandth of the variance.
ROUNDING = 1e-6
SAMPLES = 600
SECOND_ORDER = written("holzinger_second_order")
EQUAL = HOLZINGER.replace("x2", "a*x2").replace("x3", "a*x3").replace("x5", "b*x5") + "\nb == 2*a"


def batch(fit, seed):
    """Return resamples of a fit's sample, and points that scatter far around its solution."""
    cov = bootstrap_moments(fit.sample.matrices()[0], SAMPLES, seed).cov[:, None]
    likelihood = replace(fit.likelihood, cov=cov)
    generator = np.random.default_rng(seed)
    reduction = likelihood.reduction
    scatter = generator.choice([0.1, 0.5, 1], size=(SAMPLES, 1))
    phi = fit.optimum.phi * (1 + scatter * generator.normal(size=(SAMPLES, len(fit.optimum.phi))))
    residual = likelihood.structure.diagonal
    free = [int(np.flatnonzero(reduction.matrix[row])[0]) for row in residual]
    turned = generator.random((SAMPLES, len(free))) < 0.08
    size = -generator.choice([1e-6, 1e-3, 0.1, 1], size=turned.shape)
    phi[:, free] *= np.where(turned, size, 1)
    return likelihood, phi


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        (written("mobi_five"), lambda: data("mobi")[0]),
        (written("mobi_ecsir"), lambda: data("mobi")[0]),
        (HOLZINGER, holzinger),
        (SECOND_ORDER, holzinger),
        (EQUAL, holzinger),
    ],
)
def test_value_and_gradient_are_those_of_the_whole_matrix(text, frame):
    fit = quiet(text, frame())
    likelihood, phi = batch(fit, 3)
    simple = SimpleStructure.of(likelihood)
    assert simple is not None
    value, slope = simple.evaluate(phi)
    expected, expected_slope = likelihood.evaluate(phi)
    proper = np.isfinite(expected)
    x = likelihood.reduction.all(phi)[:, likelihood.structure.diagonal]
    assert 50 < proper.sum() < SAMPLES - 50
    assert (x[proper] < 0).any(axis=1).sum() > 20
    np.testing.assert_array_equal(np.isfinite(value), proper)
    np.testing.assert_allclose(value[proper], expected[proper], rtol=ROUNDING)
    largest = np.abs(expected_slope[proper]).max(axis=1, keepdims=True)
    gap = np.abs(slope[proper] - expected_slope[proper]) / largest
    assert gap.max() < ROUNDING


def test_groups_are_added_up():
    fit = quiet(HOLZINGER, holzinger())
    likelihood, phi = batch(fit, 5)
    share = np.array([0.3, 0.7])
    pair = replace(likelihood, cov=likelihood.cov[:, [0, 0]], share=share)
    second = np.roll(likelihood.cov[:, 0], 1, axis=0)
    pair.cov[:, 1] = second
    reduction = replace(
        likelihood.reduction,
        offset=np.tile(likelihood.reduction.offset, 2),
        matrix=np.tile(likelihood.reduction.matrix, (2, 1)),
    )
    pair = replace(pair, reduction=reduction)
    value, slope = SimpleStructure.of(pair).evaluate(phi)
    expected, expected_slope = pair.evaluate(phi)
    proper = np.isfinite(expected)
    np.testing.assert_allclose(value[proper], expected[proper], rtol=ROUNDING)
    gap = np.abs(slope - expected_slope)[proper] / np.abs(expected_slope[proper]).max()
    assert gap.max() < ROUNDING


@pytest.mark.parametrize(
    "text",
    [
        "visual =~ x1 + x2 + x3\nx1 ~~ x2",
        "visual =~ x1 + x2 + x3\ntextual =~ x3 + x4 + x5",
        "visual =~ x1 + x2 + x3\nx9 ~ visual + x7",
        "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nvisual ~ textual\ntextual ~ visual",
    ],
)
def test_other_models_are_left_to_the_whole_matrix(text):
    model = quiet(text, holzinger()).model
    assert Layout.of(Structure.of(model)) is None


def test_samples_are_taken_with_their_likelihood():
    likelihood, phi = batch(quiet(HOLZINGER, holzinger()), 1)
    simple, rows = SimpleStructure.of(likelihood), np.array([4, 400, 7])
    value, slope = simple.take(rows).evaluate(phi[rows])
    whole, whole_slope = simple.evaluate(phi)
    np.testing.assert_allclose(value, whole[rows], rtol=1e-12)
    np.testing.assert_allclose(slope[np.isfinite(value)], whole_slope[rows][np.isfinite(value)])


@pytest.mark.parametrize("text", [written("mobi_five"), written("mobi_ecsir")])
def test_neither_chunks_nor_folding_nor_the_algebra_show(text, monkeypatch):
    """Replicates are the same but for rounding; where F is flat, rounding can decide."""
    fit = quiet(text, data("mobi")[0])
    expected = fit.bootstrap(150, seed=6)
    se = expected.table["se"].fillna(1).to_numpy()
    lost = np.isnan(expected.replicates).all(axis=1)
    changes = (
        ("CHUNK", 40),
        ("PAIRS", 7),
        ("CHECKED", 3),
        ("ENDED", 1e-9),
        ("SimpleStructure", None),
    )
    for name, value in changes:
        with monkeypatch.context() as context:
            if value is None:
                context.setattr(batch_search.SimpleStructure, "of", lambda likelihood: None)
            else:
                context.setattr(batch_search, name, value)
            other = fit.bootstrap(150, seed=6).replicates
        assert (np.isnan(other).all(axis=1) != lost).sum() <= 1, name
        gap = np.nanmax(np.abs(other - expected.replicates) / se, axis=1, initial=0)
        assert np.mean(gap < 1e-4) > 0.97, name


def test_threads_of_the_linear_algebra_do_not_show():
    """In a process of its own each, with one thread and with two."""
    import subprocess
    import sys

    code = (
        "import cxstats as cx, hashlib; f = cx.load_ecsi_mobile()[0]\n"
        "t = 'A =~ PERQ1 + PERQ2 + PERQ3\\nB =~ CUSA1 + CUSA2 + CUSA3\\nB ~ A'\n"
        "b = cx.sem(t, f).bootstrap(60, seed=2).replicates\n"
        "p = cx.pls(t, f).bootstrap(60, seed=2).replicates\n"
        "print(hashlib.sha256(b.tobytes() + p.tobytes()).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
        ).stdout
        for threads in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1]
    assert len(runs[0].strip()) == 64
