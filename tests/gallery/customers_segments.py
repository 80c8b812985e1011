"""Segments and personas: separate groups, a continuum, gaps and other faults of the data."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case, build


def groups(n=40, seed=1):
    """Return customers of three separate groups, with a describing text and a number."""
    rng = np.random.default_rng(seed)
    centres = np.repeat([[20.0, 2.0], [60.0, 2.5], [25.0, 9.0]], [2 * n, n, n], axis=0)
    values = centres + rng.normal(size=centres.shape) * [3, 0.5]
    region = np.where(rng.random(4 * n) < 0.2 + 0.6 * (values[:, 1] > 6), "A", "B")
    return pd.DataFrame(values, columns=["monetary", "n_purchases"]).assign(
        value=region, n_items=rng.poisson(3, 4 * n)
    )


def continuum(n=60, seed=2):
    """Return few customers of one skewed cloud, with missing values and a doubled index."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.lognormal(size=(n, 2)), columns=["monetary", "n_purchases"])
    frame.loc[:4, "monetary"] = np.nan
    frame.attrs["synthetic"] = True
    return frame.set_axis([1] * n)


COLUMNS = ["monetary", "n_purchases"]
QUICK = {"k_max": 4, "n_resamples": 20}


def clean():
    """Return segments of separate groups."""
    return cx.segments(groups(), COLUMNS, describe=["value", "n_items"], **QUICK)


def doubtful():
    """Return segments cut from a continuum."""
    return cx.segments(continuum(), COLUMNS, 3, **QUICK)


def personas(name):
    """Return the personas of a case."""
    return build(f"Segmentation/{name}").personas()


CASES = {
    "Segmentation/clean": Case(clean, ("A", "B")),
    "Segmentation/doubtful": Case(doubtful),
    "Segmentation/one": Case(lambda: cx.segments(continuum(), COLUMNS, log=COLUMNS, **QUICK)),
    "Segmentation/mixture": Case(lambda: cx.segments(groups(), COLUMNS, method="mixture", **QUICK)),
    "Personas/clean": Case(lambda: personas("clean"), ("A", "B")),
    "Personas/doubtful": Case(lambda: personas("doubtful")),
    "Personas/one": Case(lambda: personas("one")),
}
