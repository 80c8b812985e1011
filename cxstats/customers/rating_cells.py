"""Ratings added up over units, raters and adjusting columns, and whether a model can be fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxstats.core.errors import DataError
from cxstats.core.messages import excerpt, listing
from cxstats.core.order_of_waves import in_order
from cxstats.metrics.answers import Sampling, read_answers
from cxstats.metrics.group_sums import Domain, Value, add_up
from cxstats.survey.codebook import Codebook

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

FEWEST_UNITS = 3
MOST_CROSSED = 6_000  # levels of the smaller of two factors: a square matrix of them is held
ROUNDING = 1e-12  # relative; variances below are none
LARGEST = 1e100  # its square is still a number
SAME = 1e-10  # a column of which regression on others leaves less, of its variance, repeats them
MOST_CATEGORIES = 200


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Sums of ratings by cells in which no column varies.

    Attributes
    ----------
    groups : pandas.DataFrame (m rows)
        The columns: unit, rater where there is one, adjusting columns.
    n, sums, squares : arrays (m,)
        Ratings of a cell, the sum of their distances from `centre`, and of the squares of these.
    centre : float
        Mean of all ratings.
    codes : tuple of arrays (m,)
        Unit, and rater where there is one, numbered from 0.
    units : list
        The values of the column of units.
    n_missing : int
        Ratings or rows that are left out since something is missing.
    synthetic : bool
    """

    groups: pd.DataFrame
    n: Array
    sums: Array
    squares: Array
    centre: float
    codes: tuple[Codes, ...]
    units: list[Any]
    n_missing: int
    synthetic: bool

    def by_unit(self, values: Array) -> Array:
        """Return sums of a value of the cells over units."""
        return np.bincount(self.codes[0], values, len(self.units)).astype(float)

    def n_groups(self) -> int:
        """Return into how many groups units and raters fall that share no rating."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        if len(self.codes) < 2:
            return 1
        first = len(self.units)
        size = first + int(self.codes[1].max()) + 1
        links = coo_array(
            (np.ones(len(self.n)), (self.codes[0], first + self.codes[1])), (size, size)
        )
        return int(connected_components(links, directed=False)[0])

    def is_constant_within_units(self, values: Any) -> bool:
        """Return whether a column of the cells is one value within each unit."""
        return bool((pd.Series(values).groupby(self.codes[0]).nunique() == 1).all())


def read_ratings(
    frame: Any,
    score: str,
    unit: str,
    rater: str | None,
    adjusting: list[str],
    codebook: Codebook | None,
) -> Ratings:
    """Add ratings up by all columns of the model, in the engine that holds them.

    Raises
    ------
    DataError
        Naming the column, row and value that is not allowed.
    """
    factors = [unit, *([rater] if rater is not None else [])]
    names = [*factors, *adjusting]
    answers = read_answers(frame, score, None, Sampling())
    total = add_up(answers, Domain(), Value(number=lambda x: x))
    centre = float(total.mean()[0])
    answers = read_answers(frame, score, names, Sampling(), codebook=codebook)
    sums = add_up(answers, Domain(), Value(number=lambda x: x - centre))
    has = sums.n > 0
    if not has.any():
        raise DataError(f"no row has a {score!r} beside {listing(map(repr, names))}")
    groups = sums.groups[has].reset_index(drop=True)
    codes, levels = zip(
        *(pd.factorize(groups[name].astype(object)) for name in factors), strict=True
    )
    n = sums.n[has].astype(float)
    return Ratings(
        groups=groups,
        n=n,
        sums=sums.v[has],
        squares=sums.vv[has],
        centre=centre,
        codes=tuple(np.asarray(code, np.int64) for code in codes),
        units=list(levels[0]),
        n_missing=int(total.missing.sum() + total.n.sum() - n.sum()),
        synthetic=answers.synthetic,
    )


def design_of(groups: pd.DataFrame, adjusting: list[str]) -> tuple[list[str], Array]:
    """Return the terms and the columns of the fixed effects, an intercept first.

    Raises
    ------
    DataError
        If a column does not vary, is infinite, or repeats others.
    """
    added: dict[tuple[str, str], Array] = {}
    for name in adjusting:
        values = groups[name]
        different = _in_order(values)
        if len(different) < 2:
            raise DataError(
                f"column {name!r} of adjust= has one value, {excerpt(different[0])}; allowed: a "
                "column that varies"
            )
        kind = values.dtype
        if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
            numbers = values.to_numpy(float)
            infinite = numbers[~(np.abs(numbers) <= LARGEST)]
            if len(infinite):
                raise DataError(
                    f"column {name!r} of adjust= has {infinite[0]}; allowed: finite numbers up to "
                    f"{LARGEST:g}"
                )
            added[name, name] = numbers
            continue
        if len(different) > MOST_CATEGORIES:
            raise DataError(
                f"column {name!r} of adjust= has {len(different):,} different values; allowed: at "
                f"most {MOST_CATEGORIES}, or a column of numbers"
            )
        cells = values.astype(object)
        for value in different[1:]:
            added[name, f"{name}: {value}"] = (cells == value).to_numpy(float)
    design = np.column_stack([np.ones(len(groups)), *added.values()])
    _check_rank(design, [name for name, _ in added])
    return ["intercept", *(term for _, term in added)], design


def _in_order(values: pd.Series[Any]) -> list[Any]:
    """Return the different values of a column, in the order of its categories or their own."""
    different = list(pd.unique(values.astype(object)))
    if isinstance(values.dtype, pd.CategoricalDtype):
        return [value for value in values.cat.categories if value in different]
    return in_order(different)


def _check_rank(design: Array, columns: list[str]) -> None:
    """Raise if a column of the design repeats those before it."""
    centred = design[:, 1:] - design[:, 1:].mean(axis=0)
    centred /= np.sqrt((centred**2).sum(axis=0))
    products = centred.T @ centred
    for j, name in enumerate(columns):
        weights = np.linalg.lstsq(products[:j, :j], products[:j, j], rcond=None)[0]
        if 1 - products[:j, j] @ weights <= SAME:
            raise DataError(
                f"column {name!r} of adjust= repeats what the columns before it say; leave one out"
            )


def check_identified(ratings: Ratings, design: Array, unit: str, rater: str | None) -> None:
    """Raise where the variances cannot be told from each other.

    Raises
    ------
    DataError
        If units are fewer than three, no unit or no rater has two scores, scores do not vary, are
        as many as effects, or the adjusting columns leave nothing of the differences of units.
    """
    counts = [np.bincount(code, ratings.n) for code in ratings.codes]
    k = len(counts[0])
    if k < FEWEST_UNITS:
        raise DataError(
            f"column {unit!r} has {k} different values with a score; allowed: at least "
            f"{FEWEST_UNITS}"
        )
    for name, by_level in zip((unit, rater), counts, strict=False):
        if len(by_level) < 2:
            raise DataError(f"column {name!r} of rater= has one value; leave it out")
        if by_level.max() < 2:
            raise DataError(
                f"column {name!r}: each of its {len(by_level)} values has a single score, so that "
                "its variance cannot be told from chance; allowed: values with several scores"
            )
    if rater is not None and min(map(len, counts)) > MOST_CROSSED:
        raise DataError(
            f"columns {unit!r} and {rater!r} have {k:,} and {len(counts[1]):,} different values; "
            f"allowed: at most {MOST_CROSSED:,} in one of them"
        )
    p, n = design.shape[1], ratings.n.sum()
    of_raters = 0 if rater is None else len(counts[1]) - ratings.n_groups()
    if n - k - of_raters - (p - 1) < 1:
        raise DataError(
            f"{n:.0f} scores are too few for {k} units{'' if rater is None else ', raters'} and "
            f"{p - 1} adjusting terms: nothing is left for chance; allowed: more scores"
        )
    if not ratings.squares.sum() > ROUNDING * n * max(ratings.centre**2, ROUNDING):
        raise DataError(f"all {n:.0f} scores are {ratings.centre:g}; allowed: scores that vary")
    within = ratings.squares.sum() - (ratings.sums**2 / ratings.n).sum()
    if not within > ROUNDING * ratings.squares.sum() and len(ratings.n) == k:
        raise DataError(
            f"all scores of each value of {unit!r} are alike: there is no chance to allow for; "
            "allowed: scores that vary"
        )
    constant = sum(ratings.is_constant_within_units(column) for column in design.T)
    if constant > k - 2:
        raise DataError(
            f"adjust= has {constant - 1} terms that do not vary within the {k} values of {unit!r}, "
            "so that nothing is left to rank; allowed: fewer of them"
        )
