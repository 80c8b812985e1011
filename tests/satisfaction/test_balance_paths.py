"""Formula A01 as paths: against cx.pls with defined parameters, and simulated mediation."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.satisfaction import balance_paths

ROLES = {"expected": "E", "perceived": "P", "satisfaction": "S", "commitment": "C",
         "loyalty": "L"}  # fmt: skip
BOOK = {
    "scale": (1, 1000),
    "constructs": {name: [f"{name}{i}" for i in (1, 2, 3)] for name in "EPSCL"},
}


def survey(n, seed, direct=0.0, through=0.6):
    """Return items of five constructs with known paths; high reliability, on 1 to 1000."""
    rng = np.random.default_rng(seed)
    e, p, c = rng.normal(size=(3, n))
    s = 0.1 * e + through * p + 0.6 * rng.normal(size=n)
    loyal = 0.6 * s + 0.2 * c + direct * p + 0.6 * rng.normal(size=n)
    columns = {}
    for name, factor in zip("EPSCL", (e, p, s, c, loyal), strict=True):
        for i in (1, 2, 3):
            columns[f"{name}{i}"] = (500 + 60 * factor + 12 * rng.normal(size=n)).round()
    return pd.DataFrame(columns)


def test_effects_are_those_of_the_model_written_by_hand():
    responses, book = cx.load_ecsi_mobile()
    result = balance_paths(
        responses, book, expected="Expectation", perceived="Quality", satisfaction="Satisfaction",
        commitment="Image", loyalty="Loyalty", n_resamples=2_000,
    )  # fmt: skip
    measured = "\n".join(
        f"{name} =~ " + " + ".join(book.columns(construct=name))
        for name in ("Expectation", "Quality", "Satisfaction", "Image", "Loyalty")
    )
    fit = cx.pls(
        measured + "\nSatisfaction ~ Expectation + a*Quality\n"
        "Loyalty ~ b*Satisfaction + Image + Expectation + c*Quality\n"
        "through := a*b\nall := a*b + c",
        responses,
    )
    by_hand = fit.table.set_index("lhs")["estimate"]
    of_quality = result.table[result.table["rhs"] == "Quality"].set_index("effect")["estimate"]
    assert of_quality["indirect"] == pytest.approx(by_hand["through"], abs=1e-9)
    assert of_quality["total"] == pytest.approx(by_hand["all"], abs=1e-9)
    assert of_quality["path"] * result.table.loc[2, "estimate"] == pytest.approx(
        of_quality["indirect"]
    )
    assert result.mediated["perceived"] == "full"  # that of "expected" is at the edge


@pytest.mark.parametrize(
    ("direct", "through", "kind"),
    [(0.0, 0.6, "full"), (0.5, 0.6, "complementary"), (-0.6, 0.6, "competitive"),
     (0.6, 0.0, "direct"), (0.0, 0.0, "none")],
)  # fmt: skip
def test_planted_mediation_comes_out(direct, through, kind):
    result = balance_paths(survey(400, 7, direct, through), BOOK, **ROLES, n_resamples=400)
    assert result.mediated["perceived"] == kind


def test_bad_roles_are_named():
    frame = survey(60, 1)
    with pytest.raises(cx.CxError, match=r"perceived is 'X', no construct of the codebook; .*E, P"):
        balance_paths(frame, BOOK, **ROLES | {"perceived": "X"})
    with pytest.raises(cx.CxError, match="'E' has two roles"):
        balance_paths(frame, BOOK, **ROLES | {"perceived": "E"})


@pytest.mark.slow
def test_no_mediation_is_called_none():
    kinds = [
        balance_paths(survey(150, seed, 0, 0), BOOK, **ROLES, n_resamples=500).mediated["perceived"]
        for seed in range(300)
    ]
    wrong = np.mean([kind not in ("none", "direct") for kind in kinds])
    print("indirect effects claimed where there is none:", wrong)
    assert wrong <= 0.08


def test_it_needs_a_codebook():
    roles = dict.fromkeys(("expected", "perceived", "satisfaction", "commitment", "loyalty"), "a")
    with pytest.raises(cx.CxError, match="codebook is None; allowed: a Codebook"):
        balance_paths(cx.load_ecsi_mobile()[0], None, **roles)
