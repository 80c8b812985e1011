"""How often intervals hold the truth, from few respondents to many.

Run with: uv run pytest -m slow tests/models/pls/test_coverage.py -s
"""

import warnings

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.models.pls.design import read_design
from cxstats.models.pls.estimates import flattened, quantities

SAMPLES, RESAMPLES = 400, 500
TWO = "Q =~ q1 + q2 + q3 ; L =~ l1 + l2 ; L ~ Q"
CHAIN = "A =~ a1 + a2 + a3 ; B =~ b1 + b2 + b3 ; Y =~ y1 + y2 + y3 ; B ~ A ; Y ~ A + B"
THREE = "A =~ a1+a2+a3 ; B =~ b1+b2+b3 ; C =~ c1+c2+c3+c4 ; Y =~ y1+y2+y3 ; Y ~ A + B + C"
EVEN = (0.6**0.5,)
UNEVEN = (0.9, 0.8, 0.7, 0.6)


def items_of(sizes, factors, loadings):
    """Return the correlations of items of common factors, whose loadings are repeated."""
    home = np.repeat(np.arange(len(sizes)), sizes)
    values = np.concatenate([np.resize(loadings, size) for size in sizes])
    corr = np.asarray(factors, float)[np.ix_(home, home)] * np.outer(values, values)
    np.fill_diagonal(corr, 1)
    return corr


def three(paths):
    factors = np.full((4, 4), 0.3)
    np.fill_diagonal(factors, 1)
    factors[3, :3] = factors[:3, 3] = factors[:3, :3] @ paths
    return items_of([3, 3, 4, 3], factors, UNEVEN)


POPULATIONS = {
    "strong": (TWO, items_of([3, 2], [[1, 0.6], [0.6, 1]], EVEN)),
    "weak": (TWO, items_of([3, 2], [[1, 0.25], [0.25, 1]], EVEN)),
    "none": (TWO, items_of([3, 2], np.eye(2), EVEN)),
    "chain": (CHAIN, items_of([3, 3, 3], [[1, 0.5, 0.55], [0.5, 1, 0.65], [0.55, 0.65, 1]], UNEVEN)),
    "three": (THREE, three(np.array([0.5, 0.3, 0.1]))),
    "three, none": (THREE, three(np.zeros(3))),
}
KINDS = ("path", "loading", "r_squared", "htmt")


def truths(name):
    """Return what PLS makes of the population; of a population without paths, zeros.

    Without paths the population has no weights, so that its loadings are not defined.
    """
    model, corr = POPULATIONS[name]
    population = cx.Moments.from_correlation(read_design(model).items, corr, n=10**6)
    fit = cx.pls(model, population)
    values = dict(zip(quantities(fit.design), flattened(fit.estimates, fit.design)[0], strict=True))
    if "none" not in name:
        return list(values.values())
    last = fit.design.constructs[-1]
    zero = {"path": 0.0, "r_squared": 0.0}
    return [
        zero.get(q.kind, x if q.kind == "htmt" and last not in (q.lhs, q.rhs) else np.nan)
        for q, x in values.items()
    ]


def coverage(name, n, samples=SAMPLES, resamples=RESAMPLES, seed=1):
    """Return the share of intervals that hold the truth, and how many missed on either side."""
    model, corr = POPULATIONS[name]
    items, truth = read_design(model).items, np.array(truths(name))
    root, generator = np.linalg.cholesky(corr), np.random.default_rng([seed, n])
    below, above, drawn = (np.zeros(len(truth)) for _ in range(3))
    for sample in range(samples):
        x = generator.normal(size=(n, len(items))) @ root.T
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cx.ModelWarning)  # a sample without a solution
            fit = cx.pls(model, pd.DataFrame(x, columns=list(items)))
        if not fit.sound:
            continue
        table = fit.bootstrap(resamples, sample).table
        has = table["ci_low"].notna().to_numpy()
        drawn += has
        below += has & (table["ci_high"].to_numpy() < truth)
        above += has & (table["ci_low"].to_numpy() > truth)
    table = table.assign(drawn=drawn, below=below, above=above)[~np.isnan(truth)]
    table = table[table["kind"].isin(KINDS) & (table["drawn"] > 0)]
    loadings = table[table["kind"] == "loading"]
    rows = [
        (row.kind, f"{row.rhs} → {row.lhs}", row.drawn, row.below, row.above)
        for row in table[table["kind"] != "loading"].itertuples()
    ]
    if len(loadings):
        rows.append(("loading", "all", *loadings[["drawn", "below", "above"]].sum()))
    found = pd.DataFrame(rows, columns=["kind", "what", "drawn", "below", "above"])
    found[["below", "above"]] = found[["below", "above"]].div(found["drawn"], axis=0)
    return found.assign(covered=1 - found["below"] - found["above"], name=name, n=n)
