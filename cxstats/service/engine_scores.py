"""Scores of SERVQUAL inside the engine of a table: only sums of them leave it.

The scores are those of `cxstats.service.dimension_scores`, as formulas of a row
(`cxstats.core.row_formulas`). What is
said of them needs their means, variances and third powers alone, each over the respondents who have
the score; Cronbach's alpha needs the variances of items and of their sum. Wilcoxon's test needs how
often each value occurs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add, and_
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.column_sums import ColumnSums, column_sums
from cxstats.core.engines import as_number, as_table, fetched, first_row
from cxstats.core.errors import DataError
from cxstats.core.messages import no_column
from cxstats.core.order_of_waves import in_order
from cxstats.core.row_formulas import (
    Constant,
    Difference,
    Formula,
    MeanOfAnswered,
    Share,
    Sum,
    SumOfProducts,
    WhereAnswered,
)
from cxstats.core.value_counts import distinct_values
from cxstats.service.dimension_scores import HALF_A_POINT, DifferenceVariances, fixed_shares
from cxstats.stats.group_comparison import check_by
from cxstats.stats.hypothesis_tests import signed_rank
from cxstats.stats.weights import POINTS
from cxstats.survey.codebook import Codebook
from cxstats.survey.coding import coded, group_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Expression = Any  # of Narwhals


@dataclass(frozen=True, slots=True, eq=False)
class EngineScores:
    """Scores of all respondents as columns of a lazy table.

    Scores are numbered: the k dimensions, the overall score (k), the items. That of a role is the
    column ``<role>_<number>``; weights are ``share_<dimension>``, answers ``<role>_item_<i>``.

    Attributes
    ----------
    table : narwhals LazyFrame
        Answers, points and groups.
    steps : tuple of mapping of column to Formula
        What is computed from them.
    codebook : Codebook
    roles : tuple of str
    scheme : str
        "equal", "points" or "fixed".
    by : str or None
        Name of the groups, which are the column ``group``.
    order : tuple
        Groups in the order of the codebook or of their type; empty without one.
    """

    table: Any
    steps: tuple[Mapping[str, Formula], ...]
    codebook: Codebook
    roles: tuple[str, ...]
    scheme: str
    by: str | None = None
    order: tuple[Any, ...] = ()

    @classmethod
    def of(
        cls,
        frame: Any,
        codebook: Codebook,
        roles: Sequence[str],
        weights: str | Mapping[str, float] | None,
        *,
        by: str | None = None,
        jointly: bool = True,
    ) -> EngineScores:
        """Write down the scores of a table.

        Parameters
        ----------
        frame : lazy table
            Its answers are read here by the codebook; groups were read before.
        codebook : Codebook
        roles : sequence of str
        weights : None, "points" or mapping
            As `cxstats.service.dimension_scores.respondent_weights`.
        by : str, optional
            Column of groups.
        jointly : bool
            Whether an answer counts only where it was given in all roles.

        Raises
        ------
        DataError
            If a column is missing, an answer is off its scale, the table has no rows, or points are
            wrong.
        """
        import narwhals as nw

        columns = {
            (role, i): codebook.column(item, role)
            for role in roles
            for i, item in enumerate(codebook.items)
        }
        shares, scheme = fixed_shares(codebook, weights)
        points = codebook.point_columns if shares is None else ()
        names = as_table(frame).collect_schema().names()
        for name in (*columns.values(), *points):
            if name not in names:
                raise DataError(no_column(name, names))
        if by is not None:
            check_by(by, names)
        table = as_table(coded(frame, codebook, columns.values())).lazy()
        kind = table.collect_schema()
        answers = {f"{role}_item_{i}": nw.col(name) for (role, i), name in columns.items()}
        group = {} if by is None else {"group": nw.col(by)}
        of_points = {f"point_{d}": _points(name, kind[name]) for d, name in enumerate(points)}
        order = () if by is None else group_order(codebook, by)
        if by is not None and not order and kind[by] == nw.Enum:
            order = tuple(kind[by].categories)
        if points:
            _check_points(table, list(of_points.values()), points)
        read = table.select(**group, **answers, **of_points)
        scores = cls(read, (), codebook, tuple(roles), scheme, by, tuple(order))
        return scores._with(scores._shares(shares))._with_scores(jointly)

    @property
    def k(self) -> int:
        """Number of dimensions."""
        return len(self.codebook.constructs)

    def names(self, prefix: str, items: bool = True) -> list[str]:
        """Return the columns of the scores of a role or difference."""
        count = self.k + 1 + (len(self.codebook.items) if items else 0)
        return [f"{prefix}_{j}" for j in range(count)]

    def with_difference(self, name: str, first: str, second: str | None) -> EngineScores:
        """Return the scores with those of one role less another, or of one role, under a name."""
        pairs = zip(self.names(name), self.names(first), self.names(second or first), strict=True)
        return self._with({
            column: Sum((a,)) if second is None else Difference(a, b) for column, a, b in pairs
        })  # fmt: skip

    def sums(self, powers: Mapping[str, int]) -> ColumnSums:
        """Return the sums of powers of columns; see `column_sums`."""
        return column_sums(self.table, powers, steps=self.steps)[None]

    def by_group(self, names: Sequence[str]) -> dict[Any, ColumnSums]:
        """Return the sums of columns in each group, groups in order; None for those without."""
        assert self.by is not None
        sums = column_sums(self.table, dict.fromkeys(names, 3), "group", self.steps)
        ungrouped = {None: sums.pop(None)} if None in sums else {}
        first = [group for group in self.order if group in sums]
        last = in_order(group for group in sums if group not in first)
        return {**{group: sums[group] for group in (*first, *last)}, **ungrouped}

    def signed_ranks(self, names: Sequence[str]) -> Array:
        """Return the p values of Wilcoxon's test of columns; NaN where too many values differ."""
        counts = distinct_values(self.table, names, steps=self.steps)
        if counts is None:  # a score that is weighted by points may differ from person to person
            overall = [name for name in names if name.endswith(f"_{self.k}")]
            others = [name for name in names if name not in overall]
            counts = distinct_values(self.table, others, steps=self.steps) or {}
        return np.array([signed_rank(*counts[x]) if x in counts else np.nan for x in names])

    def with_complete(self, role: str) -> EngineScores:
        """Return the scores with a column ``complete``: 1 where every item was answered."""
        return self._with({"complete": WhereAnswered(self._answers(role))})

    def variances_of_differences(self) -> list[DifferenceVariances]:
        """Return variances of P, E and P - E of each dimension, then of all items (of P - E)."""
        differences = {
            f"difference_{i}": Difference(f"perception_item_{i}", f"expectation_item_{i}")
            for i in range(len(self.codebook.items))
        }
        complete: dict[str, Formula] = {}
        totals: dict[str, Formula] = {}
        for d, places in enumerate((*self._dimensions(), range(len(self.codebook.items)))):
            there = tuple(f"perception_item_{i}" for i in places)
            columns = {"-": [f"difference_{i}" for i in places]}
            if d < self.k:
                columns["p"] = list(there)
                columns["e"] = [f"expectation_item_{i}" for i in places]
            for kind, items in columns.items():
                of_kind = {f"{kind}_{d}_{i}": WhereAnswered(there, x) for i, x in enumerate(items)}
                complete |= of_kind
                totals[f"{kind}_{d}_sum"] = Sum(tuple(of_kind))
        scores = self._with(differences)._with(complete)._with(totals)
        sums = scores.sums(dict.fromkeys((*complete, *totals), 2))
        variances = dict(zip(sums.names, sums.variance, strict=True))
        sizes = dict(zip(sums.names, sums.n, strict=True))
        nothing = float("nan")
        return [
            DifferenceVariances(
                int(sizes[f"-_{d}_sum"]),
                np.array([[variances.get(f"{kind}_{d}_{i}", nothing) for i in range(len(places))]
                          for kind in "pe-"]),
                np.array([variances.get(f"{kind}_{d}_sum", nothing) for kind in "pe-"]),
            )
            for d, places in enumerate((*self._dimensions(), self.codebook.items))
        ]  # fmt: skip

    def answered(self) -> dict[str, int]:
        """Return how many respondents answered an item in each role, and in "both" of two."""
        import narwhals as nw

        anything = {
            role: ~reduce(and_, (nw.col(name).is_null() for name in self._answers(role)))
            for role in self.roles
        }
        anything["both"] = reduce(and_, anything.values())
        return _counts(self.table, anything)

    def _dimensions(self) -> list[list[int]]:
        items = self.codebook.items
        return [[items.index(item) for item in part] for part in self.codebook.constructs.values()]

    def _answers(self, role: str) -> tuple[str, ...]:
        return tuple(f"{role}_item_{i}" for i in range(len(self.codebook.items)))

    def _with(self, columns: Mapping[str, Formula]) -> EngineScores:
        """Return the scores with columns that are computed from those before."""
        return replace(self, steps=(*self.steps, columns))

    def _shares(self, shares: Array | None) -> dict[str, Formula]:
        """Return the weights of dimensions."""
        if shares is not None:
            return {f"share_{d}": Constant(float(share)) for d, share in enumerate(shares)}
        points = tuple(f"point_{d}" for d in range(self.k))
        return {f"share_{d}": Share(point, points) for d, point in enumerate(points)}

    def _with_scores(self, jointly: bool) -> EngineScores:
        """Return the scores of every role, and the squares of weights."""
        scores, items = self, range(len(self.codebook.items))
        if jointly and len(self.roles) > 1:
            scores = scores._with({
                f"{role}_item_{i}": WhereAnswered(
                    tuple(f"{other}_item_{i}" for other in self.roles), f"{role}_item_{i}"
                )
                for role in self.roles for i in items
            })  # fmt: skip
        means: dict[str, Formula] = {
            f"{role}_{d}": MeanOfAnswered(tuple(f"{role}_item_{i}" for i in places))
            for role in self.roles
            for d, places in enumerate(self._dimensions())
        }
        means |= {
            f"{role}_{self.k + 1 + i}": Sum((f"{role}_item_{i}",))
            for role in self.roles for i in items
        }  # fmt: skip
        overall = {
            f"{role}_{self.k}": SumOfProducts(
                tuple((f"{role}_{d}", f"share_{d}") for d in range(self.k))
            )
            for role in self.roles
        }
        squares = {
            f"square_{d}": SumOfProducts(((f"share_{d}", f"share_{d}"),)) for d in range(self.k)
        }
        return scores._with(means)._with({**overall, **squares})


def _all_there(columns: Sequence[Expression]) -> Expression:
    return reduce(and_, (~x.is_null() for x in columns))


def _counts(table: Any, conditions: Mapping[str, Expression]) -> dict[str, int]:
    """Return how many rows meet each condition."""
    import narwhals as nw

    ones = {x: nw.when(c).then(nw.lit(1)).otherwise(nw.lit(0)) for x, c in conditions.items()}
    totals = fetched(table.select(**ones).select(*(nw.col(name).sum() for name in ones)))
    return {name: int(np.nan_to_num(float(totals[name].iloc[0] or 0))) for name in ones}


def _points(name: str, kind: Any) -> Expression:
    import narwhals as nw

    if not kind.is_numeric():
        raise DataError(f"column {name!r} is not numeric ({kind}); allowed: points from 0 to 100")
    return as_number(name, kind).cast(nw.Float64)


def _check_points(table: Any, points: Sequence[Expression], columns: Sequence[str]) -> None:
    """Raise if points are negative, do not sum to 100, or nobody gave any."""
    total = reduce(add, points)
    negative = _all_there(points) & reduce(lambda a, b: a | b, (x < 0 for x in points))
    off = (total - POINTS).abs() > HALF_A_POINT
    flags = {"negative": negative, "off": off, "there": ~total.is_null()}
    counts = _counts(table, flags)
    for name, condition in (("negative", negative), ("off", off)):
        if not counts[name] > 0:
            continue
        row, cells = first_row(table, condition, columns)
        where = "a row" if row is None else f"row {row}"
        if name == "negative":
            raise DataError(f"{where}: points below 0; allowed: 0 to 100")
        raise DataError(
            f"{where}: the points sum to {sum(map(float, cells.values())):g}; allowed: 100 "
            f"({counts[name]} respondents; see cxstats.check)"
        )
    if counts["there"] == 0:
        raise DataError("weights='points': no respondent gave points")
