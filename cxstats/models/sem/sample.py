"""What a model needs of the data: moments per group, checked before anything is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engine_sums import pattern_sums
from cxstats.core.engines import (
    as_pandas,
    as_table,
    blocks,
    fetched,
    is_lazy,
    is_pandas,
    is_streamed,
    respondents,
)
from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import meant, no_column
from cxstats.core.moments import Moments, correlations, moments
from cxstats.core.order_of_waves import in_order
from cxstats.models.sem.missing import (
    Patterns,
    find_patterns,
    patterns_of_sums,
    saturated_moments,
)
from cxstats.models.sem.sampled_cases import SampledCases, weighted_moments
from cxstats.stats.sampling_design import Design

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Smallest eigenvalue of a correlation matrix that counts as regular.
REGULAR = 1e-10
# Share of a squared mean below which a variance is rounding: eight digits of a mean.
ROUNDED = 1e-16


@dataclass(frozen=True, eq=False)
class Sample:
    """Moments of the observed variables of a model.

    Attributes
    ----------
    observed : tuple of str
        The p variables.
    groups : tuple
        Names of the G groups, in the order of their first case; ``("",)`` without groups.
    sizes : array (G,)
        Complete cases.
    cov : array (G, p, p)
        Covariances with divisor n, which maximum likelihood takes.
    mean : array (G, p)
        NaN where only a matrix was given.
    dropped : int
        Cases left out because an answer was missing.
    saturated : float
        F of unrestricted moments, ``sum_g n_g / n (log|S| + p)``.
    frame : table or None
        The respondents, if there are any; the bootstrap draws from them.
    by : str or None
        Column of the groups.
    patterns : Patterns or None
        Patterns of missing answers, where incomplete cases count too.
    cases : SampledCases or None
        The cases under their sampling design; `sizes` are then sums of weights.
    """

    observed: tuple[str, ...]
    groups: tuple[Any, ...]
    sizes: Array
    cov: Array
    mean: Array
    dropped: int
    saturated: float
    frame: Any
    by: str | None
    patterns: Patterns | None = None
    cases: SampledCases | None = None

    @property
    def n(self) -> int:
        """Cases in all groups."""
        return round(float(self.sizes.sum()))

    @property
    def correlations(self) -> bool:
        """Whether all that is known are correlations: moments, and every variance is one."""
        unbiased = self.sizes / (self.sizes - 1)
        variances = np.diagonal(self.cov, axis1=1, axis2=2) * unbiased[:, None]
        return self.frame is None and bool(np.allclose(variances, 1, rtol=0, atol=1e-8))

    def group_name(self, group: int) -> Any:
        """Return what the rows of a group are called in tables: 1 where there is one only."""
        return 1 if len(self.groups) == 1 else self.groups[group]

    def answers(self) -> tuple[Array, Any]:
        """Return all rows of the frame (n, p), incomplete ones too, and the group of each."""
        values, groups = _rows(self.frame, self.observed, self.by)
        return np.asarray(values, float), groups

    def matrices(self) -> list[Array]:
        """Return the cases of every group, (n_g, p) each.

        Raises
        ------
        CxError
            If the model was fitted to moments alone.
        """
        if self.frame is None:
            raise CxError(
                "the model was fitted to moments alone; a bootstrap needs the respondents: "
                "pass the frame to cx.sem"
            )
        values, groups = _rows(self.frame, self.observed, self.by)
        values = np.asarray(values, float)
        if self.cases is not None:
            return [values[rows] for rows in self.cases.places]
        missing = np.isnan(values)
        complete = ~(missing.all(axis=1) if self.patterns else missing.any(axis=1))
        if groups is None:
            return [values[complete]]
        return [values[complete & (groups == group)] for group in self.groups]


def _rows(frame: Any, names: Sequence[str], by: str | None) -> tuple[Array, Any]:
    _, values, groups = respondents(frame, names, by)
    return values, groups


def check_names(data: Any, names: Sequence[str], group: str | None) -> None:
    """Raise if the data are a matrix, or lack a variable of the model or the column of the groups.

    Raises
    ------
    DataError, CxError
        Naming the first that is not there, and what is.
    """
    if isinstance(data, Moments | Mapping):
        for member in data.values() if isinstance(data, Mapping) else (data,):
            if isinstance(member, Moments):
                _refuse_unknown(member, names)
    else:
        _check_columns(data, tuple(names), group)


def read_sample(data: Any, observed: Sequence[str], group: str | None) -> Sample:
    """Return the moments of a model's variables, from a table or from published moments.

    Parameters
    ----------
    data : table, Moments, or mapping of group to Moments
    observed : sequence of str
        The variables of the model.
    group : str, optional
        Column of groups.

    Raises
    ------
    DataError, CxError
        If a variable is not there, not numeric, constant or infinite; if two repeat each other;
        if there are fewer cases than variables.
    """
    names = tuple(observed)
    order: dict[Any, int] = {}
    if isinstance(data, Mapping) and not data:
        raise CxError("no groups: the mapping is empty")
    if isinstance(data, Moments):
        _refuse_group(group)
        by_group: dict[Any, Moments] = {"": _selected(data, names)}
    elif isinstance(data, Mapping) and all(isinstance(m, Moments) for m in data.values()):
        _refuse_group(group)
        by_group = {key: _selected(m, names) for key, m in data.items()}
    else:
        _check_columns(data, names, group)
        computed = moments(data, names, by=group)
        by_group = {"": computed}
        if group is not None:
            order = _counted(data, names, group)
            by_group = {key: computed[key] for key in order if key in computed}
    for key, group_moments in by_group.items():
        _check(group_moments, "" if key == "" else f"group {key!r}: ")
    samples = list(by_group.values())
    sizes = np.array([sample.n for sample in samples], float)
    shrink = (sizes - 1) / sizes
    is_table = not isinstance(data, Moments | Mapping)
    cov = np.stack([sample.cov for sample in samples]) * shrink[:, None, None]
    return Sample(
        names,
        tuple(by_group),
        sizes,
        cov,
        np.stack([sample.mean for sample in samples]),
        sum(sample.dropped for sample in samples) - (len(samples) - 1) * order.get(None, 0),
        float((np.linalg.slogdet(cov)[1] + len(names)) @ sizes / sizes.sum()),
        data if is_table else None,
        group,
    )


def read_incomplete(data: Any, observed: Sequence[str], group: str | None) -> Sample:
    """Return patterns of missing answers, and the unrestricted moments that fit them best.

    Parameters and errors are those of `read_sample`, but for the cases: those without any answer
    are left out, and a variable that two cases answered in a group will do.
    """
    names = tuple(observed)
    if isinstance(data, Moments | Mapping):
        raise CxError("missing='fiml' needs the respondents: pass the frame")
    _check_columns(data, names, group)
    if is_lazy(data):
        return _read_patterns(data, names, group)
    values, keys = _rows(data, names, group)
    order: dict[Any, int] = {"": len(values)} if group is None else _counted(data, names, group)
    group_names = [key for key in order if key is not None]
    matrices = [values if group is None else values[keys == key] for key in group_names]
    for key, matrix in zip(group_names, matrices, strict=True):
        where = "" if group is None else f"group {key!r}: "
        _check_answers(matrix, names, where)
        _check_pairs(matrix, names, where)
    patterns = find_patterns(matrices)
    dropped = int(sum(order.values()) - patterns.n.sum())
    return _of_patterns(_without_moments(names, group_names, dropped, data, group), patterns)


def _without_moments(
    names: tuple[str, ...], groups: Sequence[Any], dropped: int, data: Any, by: str | None
) -> Sample:
    nothing = np.empty(0)
    return Sample(names, tuple(groups), nothing, nothing, nothing, dropped, np.nan, data, by)


def _read_patterns(data: Any, names: tuple[str, ...], group: str | None) -> Sample:
    """Return the sample of a lazy table, of which the sums of each pattern are all that is read."""
    sums = pattern_sums(data, names, group)[1]
    rows = sum(part.n + part.dropped for part in sums.values())
    group_names: list[Any] = [None]
    if group is not None:
        group_names = [key for key in _counted(data, names, group) if key is not None]
    patterns = patterns_of_sums(
        {
            (group_names.index(key), present): part
            for (key, present), part in sums.items()
            if key in group_names
        }
    )
    for g, key in enumerate(group_names):
        where = "" if group is None else f"group {key!r}: "
        _check_patterns(patterns.chunk(patterns.group == g), names, where)
    dropped = int(rows - patterns.n.sum())
    group_names = [""] if group is None else group_names
    return _of_patterns(_without_moments(names, group_names, dropped, data, group), patterns)


def _check_patterns(patterns: Patterns, names: tuple[str, ...], where: str) -> None:
    """Raise as `_check_answers` and `_check_pairs` do, from the sums of the patterns."""
    together = (patterns.present * patterns.n[:, None]).T @ patterns.present.astype(float)
    for i, name in enumerate(names):
        if together[i, i] < 2:
            cases = f"{together[i, i]:.0f} cases"
            raise DataError(f"{where}{name!r} was answered by {cases}; it needs two")
        there = patterns.present[:, i]
        share = patterns.n[there] / patterns.n[there].sum()
        mean = share @ patterns.mean[there, i]
        spread = patterns.cov[there, i, i] + (patterns.mean[there, i] - mean) ** 2
        if share @ spread <= ROUNDED * mean**2:
            raise DataError(f"{where}{name!r} is constant; a model needs answers that vary")
    _check_together(together, names, where)


def read_sampled(
    data: Any, observed: Sequence[str], group: str | None, design: Design, incomplete: bool
) -> Sample:
    """Return the weighted moments of a model's variables, and how the cases were sampled.

    Parameters
    ----------
    data, observed, group
        As for `read_sample`.
    design : Design
        Columns of weights, clusters and strata.
    incomplete : bool
        Whether incomplete cases count too, as in `read_incomplete`.

    Raises
    ------
    DataError, CxError
        Those of `read_sample`, of `Design.read`, and where a group has no weight.
    """
    refuse_matrix(data)
    sampled, names = design.read(data), tuple(observed)
    frame = as_pandas(data)
    plain = (read_incomplete if incomplete else read_sample)(frame, names, group)
    values, keys = _rows(frame, names, group)
    missing = np.isnan(np.asarray(values, float))
    usable = ~(missing.all(axis=1) if incomplete else missing.any(axis=1)) & (sampled.weights > 0)
    cases = SampledCases(
        sampled,
        tuple(
            np.flatnonzero(usable if group is None else usable & (keys == key))
            for key in plain.groups
        ),
    )
    for key, rows in zip(plain.groups, cases.places, strict=True):
        if len(rows) <= len(names):
            where = "" if group is None else f"group {key!r}: "
            raise DataError(
                f"{where}{len(rows)} cases with a weight above 0 for {len(names)} variables; there "
                "must be more cases than variables"
            )
    sample = replace(plain, frame=frame, dropped=len(frame) - cases.n, cases=cases)
    matrices, weights = sample.matrices(), cases.weights
    if incomplete:
        return _of_patterns(sample, find_patterns(matrices, weights))
    pairs = zip(matrices, weights, strict=True)
    moments_of = [weighted_moments(matrix, weight[None]) for matrix, weight in pairs]
    sizes, mean, cov = (np.concatenate(arrays) for arrays in zip(*moments_of, strict=True))
    _check_groups(sample, sizes, mean, cov)
    saturated = float((np.linalg.slogdet(cov)[1] + len(names)) @ sizes / sizes.sum())
    return replace(sample, sizes=sizes, cov=cov, mean=mean, saturated=saturated)


def _of_patterns(sample: Sample, patterns: Patterns) -> Sample:
    """Return a sample with its patterns and the unrestricted moments that fit them best."""
    n_groups = len(sample.groups)
    moments_of = [saturated_moments(patterns, g) for g in range(n_groups)]
    mean, cov = np.stack([m for m, _, _ in moments_of]), np.stack([c for _, c, _ in moments_of])
    sizes = np.array([patterns.n[patterns.group == g].sum() for g in range(n_groups)])
    _check_groups(sample, sizes, mean, cov)
    saturated = float(np.dot([value for _, _, value in moments_of], sizes) / sizes.sum())
    return replace(sample, sizes=sizes, cov=cov, mean=mean, saturated=saturated, patterns=patterns)


def _check_groups(sample: Sample, sizes: Array, mean: Array, cov: Array) -> None:
    for g, key in enumerate(sample.groups):
        n = int(sizes[g]) if sample.cases is None else len(sample.cases.places[g])
        where = "" if sample.by is None else f"group {key!r}: "
        _check(Moments(sample.observed, n, mean[g], cov[g]), where)


def _check_answers(matrix: Array, names: tuple[str, ...], where: str) -> None:
    if np.isinf(matrix).any():
        i = int(np.flatnonzero(np.isinf(matrix).any(axis=0))[0])
        raise DataError(f"{where}{names[i]!r} has an infinite value; allowed: numbers")
    for name, column in zip(names, matrix.T, strict=True):
        answers = column[~np.isnan(column)]
        if len(answers) < 2:
            raise DataError(f"{where}{name!r} was answered by {len(answers)} cases; it needs two")
        if np.ptp(answers) == 0:
            raise DataError(f"{where}{name!r} is constant; a model needs answers that vary")


def _check_pairs(matrix: Array, names: tuple[str, ...], where: str) -> None:
    """Raise if two variables were never answered together."""
    answered = (~np.isnan(matrix)).astype(float)
    _check_together(answered.T @ answered, names, where)


def _check_together(together: Array, names: tuple[str, ...], where: str) -> None:
    never = np.argwhere(np.triu(together == 0, 1))
    if len(never):
        first, second = (names[i] for i in never[0])
        raise DataError(
            f"{where}no case answered both {first!r} and {second!r}: nothing tells how they go "
            "together; leave one out, or analyse them apart"
        )


def _refuse_group(group: str | None) -> None:
    if group is not None:
        raise CxError(
            f"group={group!r} names a column, but the data are moments; pass a mapping of group "
            "to Moments instead"
        )


def _selected(data: Moments, names: tuple[str, ...]) -> Moments:
    _refuse_unknown(data, names)
    return data.select(names)


def _refuse_unknown(data: Moments, names: Sequence[str]) -> None:
    for name in names:
        if name not in data.names:
            raise CxError(_missing(name, data.names, "variable"))


def _missing(name: str, available: Sequence[str], kind: str) -> str:
    hint = meant(name, available) or "."
    listed = ", ".join(map(str, list(available)[:30]))
    return f"the model names {name!r}, which is no {kind} of the data{hint} There are: {listed}"


def columns_of(data: Any) -> list[str] | None:
    """Return the names of the columns of a table; None if it is none."""
    import narwhals as nw

    if isinstance(data, np.ndarray):
        return [f"x{i + 1}" for i in range(data.shape[-1])]
    if is_pandas(data):
        return [str(name) for name in data.columns.tolist()]
    try:
        table: Any = nw.from_native(data)
    except TypeError:
        return None  # `blocks` names the type
    names: list[str] = table.collect_schema().names()
    return names


def names_in(data: Any) -> set[str]:
    """Return the names of all columns of the data, or the variables of moments."""
    if isinstance(data, Mapping):
        return {name for moments_of in data.values() for name in moments_of.names}
    return set(data.names if isinstance(data, Moments) else columns_of(data) or ())


def refuse_matrix(data: Any) -> None:
    """Raise if what should be respondents is a symmetric matrix: correlations or covariances.

    Raises
    ------
    CxError
        Saying how such a matrix is passed.
    """
    if not (isinstance(data, np.ndarray) or is_pandas(data)):
        return
    shape = data.shape
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        return
    try:
        matrix = np.asarray(data, float)
    except (TypeError, ValueError):
        return
    if np.isfinite(matrix).all() and np.allclose(matrix, matrix.T, rtol=1e-8, atol=0):
        unit = np.allclose(np.diagonal(matrix), 1, rtol=0, atol=1e-8)
        what = "correlation" if unit else "covariance"
        raise CxError(
            f"the data are a symmetric matrix, {shape[0]} by {shape[0]}, not respondents; pass "
            f"cx.Moments.from_{what}(names, matrix, n=...)"
        )


def _check_columns(data: Any, names: tuple[str, ...], group: str | None) -> None:
    refuse_matrix(data)
    columns = columns_of(data)
    if columns is None:
        return
    for name in names:
        if name not in columns:
            raise DataError(_missing(name, columns, "column"))
    if group is not None and group not in columns:
        raise DataError(no_column(group, columns, ", of the groups,"))


def _counted(data: Any, names: tuple[str, ...], group: str) -> dict[Any, int]:
    """Return how many rows each group has, in the order of their first; None for no group.

    Labels in ``c(...)`` take groups in this order. A table of Spark, Ibis or Dask has no order of
    rows; its groups come in their own.
    """
    import pandas as pd

    if is_lazy(data) and not is_streamed(data):
        return _counted_by_engine(data, group)
    counts: dict[Any, int] = {}
    for chunk in blocks(data, names[:1], group, all_rows=True)[1]:
        groups: Any = pd.Series(chunk.groups)
        for key, rows in groups.value_counts(sort=False, dropna=False).items():
            name = None if pd.isna(key) else key
            counts[name] = counts.get(name, 0) + int(rows)
    return counts


def _counted_by_engine(data: Any, group: str) -> dict[Any, int]:
    import narwhals as nw
    import pandas as pd

    table = as_table(data).select(nw.col(group).alias("group")).group_by("group")
    counted = fetched(table.agg(n=nw.len()))
    rows = dict(zip(counted["group"].tolist(), counted["n"].tolist(), strict=True))
    named = {key: int(n) for key, n in rows.items() if not pd.isna(key)}
    ordered: dict[Any, int] = {key: named[key] for key in in_order(named)}
    if missing := sum(int(n) for key, n in rows.items() if pd.isna(key)):
        ordered[None] = missing
    return ordered


def _check(moments: Moments, where: str) -> None:
    """Raise if no model can be fitted to the moments."""
    p = len(moments.names)
    if moments.notes:  # there are no moments at all
        raise DataError(moments.notes[0].en)
    variance = np.diagonal(moments.cov)
    if not np.isfinite(moments.cov).all():
        raise DataError(f"{where}the covariances are not numbers")
    for name, value, mean in zip(moments.names, variance, moments.mean, strict=True):
        if value <= ROUNDED * (mean**2 if np.isfinite(mean) else 0.0):
            raise DataError(f"{where}{name!r} is constant; a model needs answers that vary")
    if moments.n <= p:
        raise DataError(
            f"{where}{moments.n} complete cases for {p} variables; there must be more cases than "
            f"variables ({moments.dropped} were left out because an answer was missing)"
        )
    r = correlations(moments.cov)
    if np.linalg.eigvalsh(r)[0] < REGULAR:
        weight = np.abs(np.linalg.eigh(r)[1][:, 0])
        names = [moments.names[i] for i in np.flatnonzero(weight > 1e-4)]
        raise DataError(
            f"{where}{', '.join(names)} repeat each other exactly (one is a sum or a copy of the "
            "others); leave one out"
        )
