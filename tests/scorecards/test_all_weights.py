"""All weights: ranges, and shares of weightings against a closed form."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import cxstats as cx
from cxstats.core.errors import CxError
from cxstats.satisfaction.reconstructed_formulas import transformation_value
from tests.gallery.scorecard import YEARS

COSTS = ["cost"]


def share_above(d):
    """Return the share of the simplex with ``w'd > 0``, for differences that are all distinct.

    Weights uniform on the simplex are exponentials over their sum, and a sum of exponentials with
    rates 1 / d has the tail ``sum over d_k > 0 of d_k^(n-1) / prod (d_k - d_j)``.
    """
    total = 0.0
    for k, value in enumerate(d):
        if value > 0:
            total += value ** (len(d) - 1) / np.prod([value - x for j, x in enumerate(d) if j != k])
    return total


def test_shares_are_those_of_the_closed_form():
    rng = np.random.default_rng(1)
    x = pd.DataFrame(rng.normal(size=(3, 4)), columns=list("abcd"), index=["A", "B", "C"])
    result = cx.all_weights(x, n_draws=200_000)
    for row in result.pairs.itertuples():
        d = (x.loc[row.first] - x.loc[row.second]).to_numpy()
        # Four standard errors of 200,000 draws.
        assert row.share == pytest.approx(share_above(d), abs=0.0045)


def test_the_range_holds_every_weighting_of_the_formula():
    result = cx.all_weights(YEARS, costs=COSTS, n_draws=100)
    for w in [*np.eye(4), *np.random.default_rng(1).dirichlet(np.ones(4), 30)]:
        for year, row in YEARS.iterrows():
            if w.min() > 0:
                value = transformation_value(*row, list(w)).value
            else:
                value = float(w @ (row * [1, 1, 1, -1]))
            ends = result.table.loc[year, ["lowest", "highest"]]
            assert ends["lowest"] - 1e-9 <= value <= ends["highest"] + 1e-9
    assert result.table.loc["2021", "highest"] == 80
    assert result.table.loc["2018", "lowest"] == -30


def test_a_better_option_is_always_above():
    better = pd.DataFrame([[1, 2, 3], [2, 3, 4]], columns=list("abc"), index=["A", "B"])
    row = cx.all_weights(better, n_draws=100).pairs.iloc[0]
    assert row.tolist() == ["B", "A", 1.0, True]


def test_own_weights_bring_the_smallest_change():
    own = {"experience": 0.1, "efficiency": 0.1, "business": 0.5, "cost": 0.3}
    result = cx.all_weights(YEARS, costs=COSTS, weights=own, n_draws=100)
    swap = result.sensitivity.swaps.iloc[0]
    d = (YEARS.loc["2021"] - YEARS.loc["2018"]) * [1, 1, 1, -1]
    assert abs(swap["lead"]) == pytest.approx(abs(d @ list(own.values())))
    assert 0 < swap["moved"] < 1


def test_every_kind_of_table_says_the_same():
    named = YEARS.reset_index(names="year")
    expected = cx.all_weights(YEARS, costs=COSTS, n_draws=100).table
    for table in (named, pl.from_pandas(named), named.convert_dtypes()):
        other = cx.all_weights(table, costs=COSTS, units="year", n_draws=100).table
        pd.testing.assert_frame_equal(other, expected)


@pytest.mark.parametrize(("scores", "options", "message"), [
    (YEARS, {"costs": "cost"}, "costs='cost'; allowed: a list"),
    (YEARS, {"costs": ["price"]}, "column 'price' is not in the table"),
    (YEARS.assign(cost=[1, np.nan]), {}, "row '2021', column 'cost': no score"),
    (YEARS[["cost"]], {}, "1 criteria; at least 2"),
    (YEARS[:1], {}, "1 units"),
    (YEARS[:0], {}, "no rows"),
    (YEARS.set_axis(["a", "a"]), {}, "unit 'a' stands twice"),
    (YEARS, {"n_draws": 0}, "n_draws is 0"),
    ([1, 2], {}, "cannot be read"),
])  # fmt: skip
def test_what_is_wrong_is_named(scores, options, message):
    with pytest.raises(CxError, match=message):
        cx.all_weights(scores, **options)
