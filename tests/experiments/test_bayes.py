"""The Bayesian view: closed forms, quadrature of another kind, properties."""

import numpy as np
import pytest
from scipy import integrate, stats

from cxstats.core.errors import CxError, DataError
from cxstats.experiments import ab_test_from_counts, bayesian_ab
from cxstats.experiments.bayes import below, credible_interval, expected_gain
from tests.references import close, reference, value

# The closed sum in R loses digits in lgamma: 1e-11 at n = 10,000.
CLOSED = 1e-10
CASES = {
    "small": {"control": (3, 20), "treatment": (9, 25)},
    "medium": {"control": (83, 1000), "treatment": (127, 1000)},
    "uneven": {"control": (210, 10_000), "treatment": (9, 300), "prior": (2, 2)},
}


@pytest.mark.parametrize("case", list(CASES))
def test_probability_against_the_closed_sum(case):
    expected = value(reference("experiments"), case="bayes", name=case)
    assert bayesian_ab(**CASES[case]).probability == pytest.approx(expected, abs=CLOSED)


@pytest.mark.parametrize(("first", "second"), [((4, 18), (10, 17)), ((0.5, 9.5), (2.5, 3))])
def test_expected_loss_against_a_double_integral(first, second):
    def gain(y, x):
        return (x - y) * stats.beta.pdf(x, *first) * stats.beta.pdf(y, *second)

    # Twice the mean where x > y: y from 0 to x
    expected = integrate.dblquad(gain, 0, 1, 0, lambda x: x, epsabs=1e-10)[0]
    assert expected_gain(first, second) == pytest.approx(expected, abs=2e-8)


@pytest.mark.parametrize("shift", [-0.6, -0.1, 0.0, 0.3, 1.0, -1.0])
def test_distribution_of_a_difference_of_uniforms(shift):
    """The sum of two uniforms is triangular; so is their difference, from -1 to 1."""
    expected = stats.triang.cdf(shift, 0.5, -1, 2)
    assert below((1, 1), (1, 1), shift) == pytest.approx(expected, abs=1e-13)


def test_interval_holds_its_level_and_simulation_agrees():
    view = bayesian_ab(control=(83, 1000), treatment=(127, 1000), level=0.9)
    row = view.table.iloc[0]
    inside = [below(view.treatment, view.control, row[end]) for end in ("ci_low", "ci_high")]
    close(inside, [0.05, 0.95], 1e-10)
    draw = np.random.default_rng(1)
    difference = draw.beta(*view.treatment, 10**6) - draw.beta(*view.control, 10**6)
    np.testing.assert_allclose(
        np.quantile(difference, [0.05, 0.95]), row[["ci_low", "ci_high"]].astype(float), atol=1e-4
    )
    assert row["se"] == pytest.approx(difference.std(), rel=0.005)


def test_properties():
    one = bayesian_ab(control=(83, 1000), treatment=(127, 900))
    two = bayesian_ab(control=(127, 900), treatment=(83, 1000))
    assert one.probability == pytest.approx(1 - two.probability, abs=1e-14)
    a, b = one.table.iloc[0], two.table.iloc[0]
    close(a["loss_treatment"], b["loss_control"], 1e-14)
    close(a["ci_low"], -b["ci_high"], 1e-10)
    # What is gained less what is lost is the difference of the means
    close(a["loss_control"] - a["loss_treatment"], a["estimate"], 1e-13)
    assert bayesian_ab(control=(5, 50), treatment=(5, 50)).probability == pytest.approx(0.5)
    low, high = credible_interval((1, 201), (1, 201), 0.95)
    close(low, -high, 1e-10)


def test_large_samples_agree_with_z():
    test = ab_test_from_counts(control=(50_000, 10**6), treatment=(50_400, 10**6))
    z = test.table["statistic"].iloc[0]
    assert test.posterior().probability == pytest.approx(stats.norm.cdf(z), abs=1e-4)


def test_texts_and_pictures():
    view = ab_test_from_counts(control=(83, 1000), treatment=(127, 1000)).posterior(prior=(8, 92))
    assert view.prior == (8, 92)
    for lang in ("en", "zh"):
        assert "Beta" in view.summary(lang)
        view.plot(lang=lang)
    assert "not an error rate" in " ".join(note.en for note in view.notes)
    assert "<table" in view._repr_html_()


def test_bad_input():
    with pytest.raises(DataError, match="control: 30 events of 20 trials"):
        bayesian_ab(control=(30, 20), treatment=(1, 20))
    with pytest.raises(DataError, match=r"treatment=.*-1 is no count"):
        bayesian_ab(control=(3, 20), treatment=(-1, 20))
    with pytest.raises(DataError, match=r"treatment=5; allowed: \(events, n\)"):
        bayesian_ab(control=(3, 20), treatment=5)
    for prior in ((0, 1), (1,), "flat", (1, float("inf"))):
        with pytest.raises(CxError, match="prior="):
            bayesian_ab(control=(3, 20), treatment=(1, 20), prior=prior)
    with pytest.raises(CxError, match="posterior is of proportions"):
        ab_test_from_counts(metric="nps", control=(5, 3, 2), treatment=(4, 4, 2)).posterior()
    with pytest.raises(CxError, match="variant='c'"):
        ab_test_from_counts(control=(3, 20), b=(4, 20)).posterior("c")
