"""What a model needs of the data: moments per group, checked before anything is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.errors import CxError, DataError
from cxstats.moments import Moments, correlations, moments
from cxstats.tables import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Smallest eigenvalue of a correlation matrix that counts as regular.
REGULAR = 1e-10


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
    frame : table or None
        The respondents, if there are any; the bootstrap draws from them.
    by : str or None
        Column of the groups.
    """

    observed: tuple[str, ...]
    groups: tuple[Any, ...]
    sizes: Array
    cov: Array
    mean: Array
    dropped: int
    frame: Any
    by: str | None

    @property
    def n(self) -> int:
        """Cases in all groups."""
        return int(self.sizes.sum())

    def matrices(self) -> list[Array]:
        """Return the complete cases of every group, (n_g, p) each.

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
        complete = ~np.isnan(values).any(axis=1)
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
    if isinstance(data, Moments):
        _refuse_group(group)
        found: dict[Any, Moments] = {"": _selected(data, names)}
    elif isinstance(data, Mapping) and all(isinstance(m, Moments) for m in data.values()):
        _refuse_group(group)
        found = {key: _selected(m, names) for key, m in data.items()}
    else:
        _check_columns(data, names, group)
        taken = moments(data, names, by=group)
        found = {"": taken} if group is None else _in_order(taken, data, names, group)
    for key, part in found.items():
        _check(part, "" if key == "" else f"group {key!r}: ")
    sizes = np.array([part.n for part in found.values()], float)
    shrink = (sizes - 1) / sizes
    is_table = not isinstance(data, Moments | Mapping)
    return Sample(
        names,
        tuple(found),
        sizes,
        np.stack([part.cov for part in found.values()]) * shrink[:, None, None],
        np.stack([part.mean for part in found.values()]),
        next(iter(found.values())).dropped if len(found) == 1 else _dropped(found),
        data if is_table else None,
        group,
    )


def _dropped(found: Mapping[Any, Moments]) -> int:
    return sum(part.dropped for part in found.values())


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
    hint = f"; did you mean {near[0]!r}?" if near else ""
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


def _in_order(
    taken: dict[Any, Moments], data: Any, names: tuple[str, ...], group: str
) -> dict[Any, Moments]:
    """Return groups in the order of their first row, as labels in ``c(...)`` take them."""
    order: dict[Any, None] = {}
    for part in blocks(data, names[:1], group)[1]:
        order |= dict.fromkeys(part.groups.tolist() if part.groups is not None else [])
    known = [key for key in order if key in taken]
    return {key: taken[key] for key in [*known, *(k for k in taken if k not in known)]}


def _check(part: Moments, where: str) -> None:
    """Refuse moments that no model can be fitted to."""
    variance = np.diagonal(part.cov)
    if not np.isfinite(part.cov).all():
        raise DataError(f"{where}the covariances are not numbers")
    for name, value, mean in zip(part.names, variance, part.mean, strict=True):
        if value <= 1e-12 * max(1.0, mean**2 if np.isfinite(mean) else 1.0):
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
