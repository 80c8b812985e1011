"""The bootstrap of a mean, by number of resamples."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case


def _resampled(faulty=False):
    values = pd.Series(np.random.default_rng(3).normal(5, 1, 12 if faulty else 150))
    if faulty:
        values[[2, 5]] = np.nan
        values.attrs["synthetic"] = True
    return cx.explore_bootstrap(values, 200).result


CASES = {
    "ResampledMean": Case(_resampled),
    "ResampledMean/few values, some missing": Case(lambda: _resampled(True)),
}
