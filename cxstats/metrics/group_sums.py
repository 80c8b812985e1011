"""Sums by group in one pass, in whatever engine holds the answers.

Every metric here is the mean of a value v of each answer: -1, 0 or 1 for NPS, 0 or 1 for a share,
the answer itself for a mean. Mean, variance, linearised variance and the counts themselves follow
from seven sums by group, so one GROUP BY serves ten million answers, and only the sums leave the
engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_number, engine_of, fetched, first_row
from cxstats.core.errors import DataError
from cxstats.core.messages import row_name
from cxstats.core.order_of_waves import in_order, is_alphabetical
from cxstats.metrics.answers import Answers
from cxstats.metrics.cluster_sums import ClusterSums, Covariance
from cxstats.survey.coding import as_ordered

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Expression = Any  # of Narwhals
Rule = Callable[[Expression], Expression]
# Variances below this, relative to the largest square, are rounding.
ROUNDING = 1e-13


@dataclass(frozen=True, slots=True)
class Domain:
    """Which answers are allowed.

    Attributes
    ----------
    low, high : float
        Lowest and highest; infinite where any number goes.
    integer : bool
        Whether only whole numbers are answers.
    """

    low: float = -np.inf
    high: float = np.inf
    integer: bool = False

    def describe(self) -> str:
        """Return what is allowed, in words."""
        kind = "whole numbers" if self.integer else "numbers"
        if np.isinf(self.low) and np.isinf(self.high):
            return "finite numbers"
        if np.isinf(self.high):
            return f"finite {kind} from {self.low:g} upwards"
        return f"{kind} from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over the answers of each of g groups.

    Attributes
    ----------
    groups : pandas.DataFrame (g rows)
        The columns of groups.
    n : array (g,)
        Answers; whole numbers.
    v, vv : array (g,)
        Sum of v and of its square.
    w, wv, wvv : array (g,)
        Sum of weights, of weight times v and times its square; n, v and vv without weights.
    ww, wwv, wwvv : array (g,)
        The same with squared weights.
    vvv : array (g,) or None
        Sum of cubes, where asked for.
    missing : array (g,)
        Rows without an answer.
    low, high : float
        The lowest and highest answer of all; NaN from counts.
    ungrouped : int
        Answers that are in no group.
    weighted : bool
    clusters : ClusterSums or None
        The same sums by cluster, where the design has clusters or strata.
    covariance : Covariance or None
        Of the means, by these.
    """

    groups: pd.DataFrame
    n: NDArray[np.int64]
    v: Array
    vv: Array
    w: Array
    wv: Array
    wvv: Array
    ww: Array
    wwv: Array
    wwvv: Array
    missing: NDArray[np.int64]
    vvv: Array | None = None
    low: float = np.nan
    high: float = np.nan
    ungrouped: int = 0
    weighted: bool = False
    clusters: ClusterSums | None = None
    covariance: Covariance | None = None

    @classmethod
    def of_counts(cls, groups: pd.DataFrame, n: NDArray[Any], v: Any, vv: Any) -> Sums:
        """Return the sums that counts amount to."""
        n, v, vv = np.asarray(n, np.int64), np.asarray(v, float), np.asarray(vv, float)
        w = n.astype(float)
        return cls(groups, n, v, vv, w, v, vv, w, v, vv, np.zeros_like(n))

    def mean(self) -> Array:
        """Return the (weighted) means ``m = sum(w v) / sum(w)`` (g,); NaN without an answer."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.wv / self.w

    def variance(self) -> Array:
        """Return the variances in the population, ``sum(w v^2) / sum(w) - m^2`` (g,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            square = self.wvv / self.w
            variance = square - self.mean() ** 2
            return np.where(variance > ROUNDING * square, variance, 0 * variance)

    def error_variance(self) -> Array:
        """Return the variances of the means (g,), linearised: ``sum(w^2 (v - m)^2) / sum(w)^2``.

        Without weights that is ``variance / n``. With clusters or strata, the variance of the
        design (`cxstats.stats.sampling_design`).
        """
        m = self.mean()
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = (self.wwvv - 2 * m * self.wwv + m**2 * self.ww) / self.w**2
            if self.covariance is not None:
                variance = np.where(self.n > 0, self.covariance.variances(), np.nan)
            return np.where(self.variance() > 0, variance, 0 * variance)

    def kish(self) -> Array:
        """Return Kish's effective sample size, ``sum(w)^2 / sum(w^2)`` (g,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.w**2 / self.ww

    def effective(self) -> Array:
        """Return the answers that an unweighted sample of the same precision has (g,).

        ``variance / error_variance``, never more than n. Where nothing varies: Kish's, of the
        weights of clusters where there are clusters, as if all answers of one were alike.
        """
        if not (self.weighted or self.sampled):
            return self.n.astype(float)
        alike = self.kish() if self.clusters is None else self.clusters.kish()
        with np.errstate(invalid="ignore", divide="ignore"):
            error = self.error_variance()
            size = np.where((self.variance() > 0) & (error > 0), self.variance() / error, alike)
        return np.minimum(size, self.n)

    def interval_size(self, level: float) -> Array:
        """Return the answers on which the interval of a share rests (g,).

        With weights alone the smaller of `effective` and Kish's: the variance of a few heavy
        answers is estimated as poorly as their mean, and an interval that trusts it covers too
        little (87 % for NPS of 50 answers with log-normal weights of sd 1.5, against 96 %). With
        clusters or strata ``effective (t(n - 1) / t(df))^2`` (Korn & Graubard 1998), df clusters
        less strata, never more than n; NaN for fewer than 1 degree of freedom.
        """
        from scipy.special import stdtrit

        if self.covariance is None:
            size = self.effective()
            return np.minimum(size, self.kish()) if self.weighted else size
        df, tail = self.df(), (1 + level) / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = stdtrit(np.maximum(self.n - 1.0, 1.0), tail) / stdtrit(np.maximum(df, 1), tail)
            size = np.where(df >= 1, self.effective() * ratio**2, np.nan)
        return np.minimum(size, self.n)

    @property
    def sampled(self) -> bool:
        """Whether there are clusters or strata."""
        return self.covariance is not None

    def df(self) -> Array:
        """Return the degrees of freedom of each mean (g,): n - 1, or clusters less strata."""
        return np.asarray(self.n - 1.0) if self.covariance is None else self.covariance.df()

    def skewness(self) -> Array:
        """Return the skewness of v (g,), without weights; NaN where nothing varies."""
        assert self.vvv is not None
        with np.errstate(invalid="ignore", divide="ignore"):
            m, square, cube = self.v / self.n, self.vv / self.n, self.vvv / self.n
            variance = np.where(square - m**2 > ROUNDING * square, square - m**2, np.nan)
            return np.asarray((cube - 3 * m * square + 2 * m**3) / variance**1.5)


@dataclass(frozen=True, slots=True)
class Value:
    """What an answer counts: 1 where `plus`, -1 where `minus`, else 0; or a `number` of it."""

    plus: Rule | None = None
    minus: Rule | None = None
    number: Rule | None = None

    def of(self, x: Expression) -> Expression:
        """Return the value as an expression; null without an answer."""
        import narwhals as nw

        if self.number is not None:
            return self.number(x.cast(nw.Float64))
        assert self.plus is not None
        score = nw.when(self.plus(x)).then(nw.lit(1.0))
        if self.minus is None:
            return nw.when(~x.is_null()).then(score.otherwise(nw.lit(0.0)))
        down = nw.when(self.minus(x)).then(nw.lit(-1.0)).otherwise(nw.lit(0.0))
        return nw.when(~x.is_null()).then(score.otherwise(down))


def add_up(
    answers: Answers, domain: Domain, value: Value, cubes: bool = False, ticks: bool = False
) -> Sums:
    """Add up a value of each answer by group, in one pass of the engine.

    Parameters
    ----------
    answers : Answers
    domain : Domain
        Which answers are allowed.
    value : Value
        v of an answer.
    cubes : bool
        Whether the sum of cubes is wanted.
    ticks : bool
        Whether answers can be ticks, of which there may be none.

    Raises
    ------
    DataError
        Naming row, column and value of an answer or weight that is not allowed; or if the table
        has no rows or no answers.
    """
    import narwhals as nw
    import pandas as pd

    terms = _terms(answers, value, cubes)
    by = [f"by{i}" for i in range(len(answers.by))]  # whatever the columns of groups are called
    design = {"cluster": answers.cluster, "stratum": answers.strata}
    units = [short for short, name in design.items() if name is not None]
    names = [*answers.by, *(name for name in design.values() if name is not None)]
    by = [*by, *units]
    groups = [nw.col(name).alias(short) for name, short in zip(names, by, strict=True)]
    lazy = answers.table.lazy().select(
        *groups, *(term.alias(name) for name, (term, _) in terms.items())
    )
    added = [_added(name, how) for name, (_, how) in terms.items()]
    totals = fetched(lazy.group_by(by).agg(*added) if by else lazy.select(*added))
    foreign = not isinstance(answers.table.to_native(), pd.DataFrame)
    for name in by:
        totals[name] = uncoded(totals[name], foreign)
    if ticks and not totals["__count"].sum() and totals["__len"].sum():
        raise DataError(
            f"column {answers.value!r} has no answers: every row is missing; of a tick box that "
            "nobody ticked say blank='no' (of cx.rate and cx.ab_test), which counts 0 of all rows"
        )
    for name, column in zip(by, answers.by, strict=False):
        totals[name] = as_ordered(totals[name], answers.order.get(column, ()))
    return _sums(totals, answers, domain)


def _units(frame: pd.DataFrame, answers: Answers) -> tuple[Any, Any]:
    """Return the cluster and the stratum of each cell, numbered; raise if one has none."""
    import pandas as pd

    codes = {}
    for short, name in (("cluster", answers.cluster), ("stratum", answers.strata)):
        codes[short] = np.zeros(len(frame), np.intp)
        if name is None:
            continue
        codes[short] = np.asarray(pd.factorize(frame[short])[0], np.intp)
        if (codes[short] < 0).any():
            kind = answers.table.collect_schema()[name]
            where, _ = _find(answers, as_number(name, kind).is_null(), name)
            raise DataError(f"{where}: no {short}; give every respondent one")
    if answers.cluster is None:
        return codes["stratum"], codes["stratum"]
    pairs = codes["stratum"].astype(np.int64) * (codes["cluster"].max() + 1) + codes["cluster"]
    return pd.factorize(pairs)[0], codes["stratum"]


def _cells(
    frame: pd.DataFrame, total: dict[str, Any], group: Any, groups: int, answers: Answers
) -> ClusterSums:
    """Return the sums of every cell, of group, stratum and cluster.

    Raises
    ------
    DataError
        If a row has no cluster or stratum, or a stratum has a single cluster.
    """
    cluster, stratum = _units(frame, answers)
    first = np.unique(cluster, return_index=True)[1]
    clustered = answers.cluster is not None
    layers = stratum[first]
    units = np.bincount(layers) if clustered else np.bincount(stratum, total["len"])
    alone = int((units == 1).sum())
    if alone:
        unit = "cluster" if clustered else "respondent"
        if answers.strata is None:
            raise DataError(f"all rows are one {unit}; errors need at least 2")
        raise DataError(
            f"{alone} strata of column {answers.strata!r} have one {unit} each; a stratum needs at "
            "least 2: merge it with its neighbour"
        )
    sums = {name: total[name] for name in ("n", "w", "wv", "ww", "wwv", "wwvv")}
    return ClusterSums(
        group, cluster, layers, units.astype(float), groups, clustered, rows=total["len"], **sums
    )


def uncoded(column: pd.Series[Any], foreign: bool) -> pd.Series[Any]:
    """Return categories without an order, of Polars or Arrow, as what they stand for.

    Their codes follow the order of appearance, by which no reader expects groups to be sorted.
    Those of pandas itself (not `foreign`) keep the order that its user gave them.
    """
    import pandas as pd

    kind = column.dtype
    coded = foreign and isinstance(kind, pd.CategoricalDtype) and not kind.ordered
    return column.astype(object) if coded or "dictionary<" in str(kind) else column


def _terms(answers: Answers, value: Value, cubes: bool) -> dict[str, tuple[Expression, str]]:
    """Return what is added up and how.

    Smallest and largest answer tell at no cost whether all are on the scale, and counts of answers
    and of weights how many are missing: in comparison, a test of each answer costs as much again.
    """
    import narwhals as nw

    schema, engine = answers.table.collect_schema(), engine_of(answers.table)
    kind = schema[answers.value]
    x = as_number(answers.value, kind)
    terms: dict[str, tuple[Expression, str]] = {}
    terms |= {f"__{how}": (x, how) for how in ("len", "count", "min", "max")}
    if kind.is_float() or kind.is_decimal():
        terms["__between"] = (_counted(x > x.floor(), engine), "sum")
    if value.plus is not None and answers.weight is None:
        terms["__plus"] = (_counted(value.plus(x), engine), "sum")
        if value.minus is not None:
            terms["__minus"] = (_counted(value.minus(x), engine), "sum")
        return terms
    v = value.of(x)
    powers = {"v": v, "vv": v * v} | ({"vvv": v * v * v} if cubes else {})
    if answers.weight is not None:
        weight = as_number(answers.weight, schema[answers.weight])
        terms |= {f"__weight_{how}": (weight, how) for how in ("count", "min", "max")}
        w = nw.when(~x.is_null()).then(weight.cast(nw.Float64))
        powers |= {"w": w, "wv": w * v, "wvv": w * v * v}
        powers |= {"ww": w * w, "wwv": w * w * v, "wwvv": w * w * v * v}
    return terms | {f"__{name}": (power, "sum") for name, power in powers.items()}


def _counted(condition: Expression, engine: str) -> Expression:
    """Return 1 where a condition holds and 0 where not: Spark adds up no truth values."""
    import narwhals as nw

    if engine == "dask":  # whose Arrow columns turn no missing truth value into a number
        condition = condition.fill_null(value=False)
    return condition.cast(nw.Int64)


def _added(name: str, how: str) -> Expression:
    import narwhals as nw

    return nw.len().alias(name) if how == "len" else getattr(nw.col(name), how)()


def _off(x: Expression, domain: Domain) -> Expression:
    off = x > x.floor() if domain.integer else x.is_null() & ~x.is_null()  # none
    if np.isfinite(domain.low):
        off = off | (x < domain.low)
    if np.isfinite(domain.high):
        return off | (x > domain.high)
    return off | (x == np.inf) | (x == -np.inf)


def _sums(frame: pd.DataFrame, answers: Answers, domain: Domain) -> Sums:
    """Return the sums of the groups from what the engine returned, checked."""
    total = {name[2:]: frame[name].astype(float) for name in frame.columns if name[:2] == "__"}
    low, high = _check_totals(total, answers, domain)
    total |= {"missing": total["len"] - total["count"], "n": total["count"]}
    if "plus" in total:
        minus = total.get("minus", 0 * total["n"]).fillna(0.0)
        total |= {"v": total["plus"] - minus, "vv": total["plus"] + minus}
    values = {name: np.asarray(part.fillna(0.0), np.float64) for name, part in total.items()}
    weighted = answers.weight is not None
    if not weighted:
        weightless = ("w", "wv", "wvv", "ww", "wwv", "wwvv")
        values |= {name: values[name.replace("w", "") or "n"] for name in weightless}
    groups, code = _groups(frame, answers)
    grouped = code >= 0

    def column(name: str) -> Array:
        return np.bincount(code[grouped], values[name][grouped], len(groups)).astype(np.float64)

    empty = np.flatnonzero((column("n") > 0) & (column("w") <= 0))
    if len(empty):
        group = tuple(groups.iloc[empty[0]])
        raise DataError(f"the weights{f' of group {group!r}' if answers.by else ''} add up to 0")
    clusters = None
    if answers.cluster is not None or answers.strata is not None:
        clusters = _cells(frame, values, code, len(groups), answers)
    added = ("v", "vv", "w", "wv", "wvv", "ww", "wwv", "wwvv")
    return Sums(
        groups,
        np.rint(column("n")).astype(np.int64),
        **{name: column(name) for name in added},
        missing=np.rint(column("missing")).astype(np.int64),
        vvv=column("vvv") if "vvv" in total else None,
        low=low,
        high=high,
        ungrouped=round(float(values["n"][~grouped].sum())),
        weighted=weighted,
        clusters=clusters,
        covariance=None if clusters is None else clusters.covariance(),
    )


def _groups(frame: pd.DataFrame, answers: Answers) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Return the groups in order, and the number of the group of each cell; -1 without one."""
    import pandas as pd

    by = list(answers.by)
    if not by:
        return pd.DataFrame(index=range(1)), np.zeros(len(frame), np.intp)
    short = [f"by{i}" for i in range(len(by))]
    grouped = frame[short].notna().all(axis=1).to_numpy(bool)
    cells = frame.loc[grouped, short].reset_index(drop=True)
    if not len(cells):
        raise DataError(f"no row has a group in {' and '.join(map(repr, by))}")
    number: NDArray[Any] = np.arange(len(cells))
    if answers.cluster is not None or answers.strata is not None:
        number = cells.groupby(short, sort=False, observed=True).ngroup().to_numpy()
    groups = cells[~pd.Series(number).duplicated()].reset_index(drop=True).set_axis(by, axis=1)
    order = _order(groups)
    place = np.empty(len(groups), np.intp)
    place[order] = np.arange(len(groups))
    code = np.full(len(frame), -1, np.intp)
    code[grouped] = place[number]
    return groups.iloc[order].reset_index(drop=True), code


def _check_totals(
    total: dict[str, pd.Series[Any]], answers: Answers, domain: Domain
) -> tuple[float, float]:
    """Return the lowest and highest answer; raise if an answer or a weight is not allowed."""
    rows = total["len"].sum()
    low, high = float(total["min"].min()), float(total["max"].max())
    if not rows:
        raise DataError("the table has no rows")
    between = domain.integer and "between" in total and total["between"].sum() > 0
    if between or low < domain.low or high > domain.high or np.isinf([low, high]).any():
        raise DataError(_first_off(answers, domain))
    if answers.weight is not None:
        missing = total["weight_count"].sum() < rows
        if missing or total["weight_min"].min() < 0 or np.isinf(total["weight_max"]).any():
            raise DataError(_first_bad_weight(answers))
    if not total["count"].sum():
        raise DataError(f"column {answers.value!r} has no answers: every row is missing")
    return low, high


def _order(groups: pd.DataFrame) -> NDArray[np.intp]:
    """Return the order of groups, by their columns from the left; mixed kinds as text."""
    if not groups.shape[1]:
        return np.arange(len(groups))
    groups = groups.apply(_ranks)
    try:
        return np.asarray(groups.sort_values(list(groups.columns)).index)
    except TypeError:
        return np.asarray(groups.astype(str).sort_values(list(groups.columns)).index)


def _ranks(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return texts as their ranks, which follow the times and numbers in them; others as such."""
    import pandas as pd

    if is_alphabetical(column.dtype):
        column = column.astype(object)
    if pd.api.types.infer_dtype(column, skipna=False) != "string":
        return column
    ranks = {text: rank for rank, text in enumerate(in_order(column.unique()))}
    return column.map(ranks).astype(int)


def _first_off(answers: Answers, domain: Domain) -> str:
    """Return where the first answer stands that is not allowed, and why it is not."""
    x = as_number(answers.value, answers.table.collect_schema()[answers.value])
    where, value = _find(answers, ~x.is_null() & _off(x, domain), answers.value)
    number = float(value)
    between = domain.low <= number <= domain.high and np.isfinite(number)
    reason = "is between two points" if between else "is off the scale"
    reason = "is not allowed" if np.isinf(domain.high) else reason
    return f"{where}: {number:g} {reason}; allowed: {domain.describe()}"


def _first_bad_weight(answers: Answers) -> str:
    """Return where the first weight stands that is not allowed."""
    assert answers.weight is not None
    weight = as_number(answers.weight, answers.table.collect_schema()[answers.weight])
    wrong = weight.is_null() | (weight < 0) | (weight == np.inf)
    where, value = _find(answers, wrong, answers.weight)
    missing = value is None or np.isnan(float(value))
    weight_text = "missing" if missing else f"{float(value):g}"
    return f"{where}: the weight is {weight_text}; allowed: finite numbers from 0 upwards"


def _find(answers: Answers, wrong: Expression, name: str) -> tuple[str, Any]:
    """Return where the first wrong value stands, and the value.

    Rows are those of the table as it is given; a DuckDB relation has no order of rows.
    """
    import pandas as pd

    native = answers.table.to_native()
    place = f"column {name!r}"
    if isinstance(native, pd.DataFrame):
        mask = answers.table.select(wrong.alias("wrong")).to_native()["wrong"].to_numpy(bool)
        row = int(np.flatnonzero(mask)[0])
        value = native[name].iloc[row]
        return f"{row_name(native.index, row)}, {place}", None if pd.isna(value) else value
    columns = list(dict.fromkeys((*answers.by, name)))
    number, first = first_row(answers.table, wrong, columns)
    groups = ", ".join(f"{key} {first[key]!r}" for key in answers.by)
    where = f"row {number}, " if number is not None else f"{groups}, " if groups else ""
    return where + place, first[name]
