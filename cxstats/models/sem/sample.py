"""What a model needs of the data: moments per group, checked before anything is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import blocks
from cxstats.core.errors import CxError, DataError
from cxstats.core.moments import Moments, correlations, moments
from cxstats.models.sem.missing import Patterns, find_patterns, saturated_moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Smallest eigenvalue of a correlation matrix that counts as regular.
REGULAR = 1e-10
# Share of a squared mean below which a variance is rounding.
ROUNDED = 1e-26


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

    @property
    def n(self) -> int:
        """Cases in all groups."""
        return int(self.sizes.sum())

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
        missing = np.isnan(values)
        complete = ~(missing.all(axis=1) if self.patterns else missing.any(axis=1))
        if groups is None:
            return [values[complete]]
        return [values[complete & (groups == group)] for group in self.groups]


def _rows(frame: Any, names: Sequence[str], by: str | None) -> tuple[Array, Any]:
    parts = list(blocks(frame, names, by)[1])
    values = np.concatenate([np.asarray(part.values, float).T for part in parts])
    groups = None if by is None else np.concatenate([part.groups for part in parts])
    return values, groups


def read_sample(data: Any, observed: Sequence[str], group: str | None) -> Sample:
    """Take the moments of a model's variables from a table or from published moments.

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
        found: dict[Any, Moments] = {"": _selected(data, names)}
    elif isinstance(data, Mapping) and all(isinstance(m, Moments) for m in data.values()):
        _refuse_group(group)
        found = {key: _selected(m, names) for key, m in data.items()}
    else:
        _check_columns(data, names, group)
        taken = moments(data, names, by=group)
        order = {} if group is None else _counted(data, names, group)
        found = {"": taken} if group is None else {key: taken[key] for key in order if key in taken}
    for key, part in found.items():
        _check(part, "" if key == "" else f"group {key!r}: ")
    sizes = np.array([part.n for part in found.values()], float)
    shrink = (sizes - 1) / sizes
    is_table = not isinstance(data, Moments | Mapping)
    cov = np.stack([part.cov for part in found.values()]) * shrink[:, None, None]
    return Sample(
        names,
        tuple(found),
        sizes,
        cov,
        np.stack([part.mean for part in found.values()]),
        sum(part.dropped for part in found.values()) - (len(found) - 1) * order.get(None, 0),
        float((np.linalg.slogdet(cov)[1] + len(names)) @ sizes / sizes.sum()),
        data if is_table else None,
        group,
    )


def read_incomplete(data: Any, observed: Sequence[str], group: str | None) -> Sample:
    """Take patterns of missing answers, and the unrestricted moments that fit them best.

    Parameters and errors are those of `read_sample`, but for the cases: those without any answer
    are left out, and a variable that two cases answered in a group will do.
    """
    names = tuple(observed)
    if isinstance(data, Moments | Mapping):
        raise CxError("missing='fiml' needs the respondents: pass the frame")
    _check_columns(data, names, group)
    values, keys = _rows(data, names, group)
    order: dict[Any, int] = {"": len(values)} if group is None else _counted(data, names, group)
    known = [key for key in order if key is not None]
    matrices = [values if group is None else values[keys == key] for key in known]
    for key, matrix in zip(known, matrices, strict=True):
        _check_answers(matrix, names, "" if group is None else f"group {key!r}: ")
    patterns = find_patterns(matrices)
    found = [saturated_moments(patterns, g) for g in range(len(matrices))]
    sizes = np.array([patterns.n[patterns.group == g].sum() for g in range(len(matrices))])
    for key, size, (mean, cov, _) in zip(known, sizes, found, strict=True):
        part = Moments(names, int(size), mean, cov)
        _check(part, "" if group is None else f"group {key!r}: ")
    return Sample(
        names,
        tuple(known),
        sizes,
        np.stack([cov for _, cov, _ in found]),
        np.stack([mean for mean, _, _ in found]),
        int(sum(order.values()) - sizes.sum()),
        float(np.dot([value for _, _, value in found], sizes) / sizes.sum()),
        data,
        group,
        patterns,
    )


def _check_answers(matrix: Array, names: tuple[str, ...], where: str) -> None:
    if np.isinf(matrix).any():
        i = int(np.flatnonzero(np.isinf(matrix).any(axis=0))[0])
        raise DataError(f"{where}{names[i]!r} has an infinite value; allowed: numbers")
    for name, column in zip(names, matrix.T, strict=True):
        given = column[~np.isnan(column)]
        if len(given) < 2:
            raise DataError(f"{where}{name!r} was answered by {len(given)} cases; it needs two")
        if np.ptp(given) == 0:
            raise DataError(f"{where}{name!r} is constant; a model needs answers that vary")


def _refuse_group(group: str | None) -> None:
    if group is not None:
        raise CxError(
            f"group={group!r} names a column, but the data are moments; pass a mapping of group "
            "to Moments instead"
        )


def _selected(data: Moments, names: tuple[str, ...]) -> Moments:
    for name in names:
        if name not in data.names:
            raise CxError(_missing(name, data.names, "variable"))
    return data.select(names)


def _missing(name: str, there: Sequence[str], what: str) -> str:
    near = get_close_matches(name, there, 1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    shown = ", ".join(map(str, list(there)[:30]))
    return f"the model names {name!r}, which is no {what} of the data{hint} There are: {shown}"


def _check_columns(data: Any, names: tuple[str, ...], group: str | None) -> None:
    import narwhals as nw

    if isinstance(data, np.ndarray):
        there = [f"x{i + 1}" for i in range(data.shape[-1])]
    elif hasattr(data, "iloc"):
        there = [str(name) for name in data.columns]
    else:
        try:
            table: Any = nw.from_native(data)
        except TypeError:
            return  # `blocks` names the type
        there = table.collect_schema().names()
    for name in names:
        if name not in there:
            raise DataError(_missing(name, there, "column"))
    if group is not None and group not in there:
        raise DataError(f"group {group!r} is no column of the data")


def _counted(data: Any, names: tuple[str, ...], group: str) -> dict[Any, int]:
    """Return how many rows each group has, in the order of their first; None for no group.

    Labels in ``c(...)`` take groups in this order.
    """
    import pandas as pd

    order: dict[Any, int] = {}
    for part in blocks(data, names[:1], group)[1]:
        groups: Any = pd.Series(part.groups)
        for key, rows in groups.value_counts(sort=False, dropna=False).items():
            name = None if pd.isna(key) else key
            order[name] = order.get(name, 0) + int(rows)
    return order


def _check(part: Moments, where: str) -> None:
    """Refuse moments that no model can be fitted to."""
    variance = np.diagonal(part.cov)
    if not np.isfinite(part.cov).all():
        raise DataError(f"{where}the covariances are not numbers")
    for name, value, mean in zip(part.names, variance, part.mean, strict=True):
        if value <= ROUNDED * (mean**2 if np.isfinite(mean) else 0.0):
            raise DataError(f"{where}{name!r} is constant; a model needs answers that vary")
    p = len(part.names)
    if part.n <= p:
        raise DataError(
            f"{where}{part.n} complete cases for {p} variables; there must be more cases than "
            f"variables ({part.dropped} were left out because an answer was missing)"
        )
    r = correlations(part.cov)
    values, directions = np.linalg.eigh(r)
    if values[0] < REGULAR:
        weight = np.abs(directions[:, 0])
        names = [part.names[i] for i in np.flatnonzero(weight > 1e-4)]
        raise DataError(
            f"{where}{', '.join(names)} repeat each other exactly (one is a sum or a copy of the "
            "others); leave one out"
        )
