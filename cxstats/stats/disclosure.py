"""Small cells: which groups are hidden, so that none can be computed back from what is published.

A group of fewer than `min_cell` answers is hidden (primary suppression). That alone protects nobody
where the number of all answers stands beside it: ``n - sum of the published groups`` is the hidden
one, and so are its mean and its share, since sums of answers obey the same equations as counts.
Others are hidden therefore (complementary suppression), until the answers that are hidden can be
told apart no better than stated here:

- groups of one column: at least two groups are hidden, and together they hold at least `min_cell`
  answers;
- crossed columns (branch by wave), whose margins are published too: the numbers that a hidden cell
  can have, given all that is published, span at least `min_cell`. That is audited by two linear
  programmes for each cell, ``min`` and ``max`` of its count over all tables of counts, none
  negative, with the published cells and margins.

Hence every sum of hidden cells that can be computed holds at least `min_cell` answers: each of its
cells could not span more than the sum. For one column both rules are the same.

Limits. Who knows an answer of a small group, being its member, can subtract it; who knows that the
next smallest group is hidden as well can narrow what a group may hold. Results are protected one by
one: where a question has other missing answers than the next one, another group may be hidden with
it, and the difference of both tables tells roughly what one hides. With three crossed columns or
more the programmes allow broken counts, so that the span among whole numbers may be a little
narrower. Sums that are published elsewhere (a region that holds some of the branches) are not
looked at: cross its column as well. Audit and choice took 1 second for 60 branches by 12 waves, 5
to 10 seconds for 200 by 12.

References
----------
Cox (1980). Suppression methodology and statistical disclosure control. Journal of the American
Statistical Association 75, 377-385.
Fischetti & Salazar (2001). Solving the cell suppression problem on tabular data with linear
constraints. Management Science 47, 1008-1027.
Willenborg & de Waal (2001). Elements of statistical disclosure control. Springer.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.cells import is_whole_number
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

ROUNDING = 1e-7  # of a linear programme
MOST_COLUMNS = 6  # crossed; their margins are two to the power of it
MOST_CELLS = 5_000  # of a crossed table, whose audit takes minutes


def check_min_cell(min_cell: int | None) -> None:
    """Raise if the smallest group that is published is no whole number from 1."""
    if min_cell is not None and not (is_whole_number(min_cell) and min_cell >= 1):
        raise CxError(f"min_cell={min_cell!r}; allowed: a whole number from 1, or None")


def suppressed_groups(
    counts: Any, min_cell: int | None, groups: pd.DataFrame | None = None
) -> Mask:
    """Return which groups are hidden (g,).

    Parameters
    ----------
    counts : array (g,) or (g, k)
        Answers of each group, to each of k questions that are published side by side: a group that
        is hidden at one is hidden at all. A group without answers has nothing to hide.
    min_cell : int or None
        The fewest answers that are published; None hides nothing.
    groups : pandas.DataFrame (g rows), optional
        The columns that are crossed. Their margins (such as each branch over all waves) are taken
        as published, but for those that this function hides among themselves.

    Returns
    -------
    array of bool (g,)

    Raises
    ------
    CxError
        If `min_cell` is no whole number from 1, or more than six columns are crossed, or they make
        more than 5,000 groups, some of them small.

    Examples
    --------
    >>> suppressed_groups([40, 3, 25, 12], 10).tolist()
    [False, True, False, True]
    >>> suppressed_groups([40, 6, 25, 5], 10).tolist()
    [False, True, False, True]
    >>> import pandas as pd
    >>> cells = pd.DataFrame({"branch": list("aabbcc"), "wave": [1, 2] * 3})
    >>> suppressed_groups([3, 30, 40, 35, 14, 50], 10, cells).tolist()
    [True, True, False, False, True, True]
    """
    check_min_cell(min_cell)
    table = np.asarray(counts, float)
    table = table.reshape(len(table), -1)
    if min_cell is None or not len(table):
        return np.zeros(len(table), bool)
    codes = np.zeros((len(table), 0), int)
    if groups is not None and groups.shape[1] > 1:
        if groups.shape[1] > MOST_COLUMNS:
            raise CxError(
                f"by has {groups.shape[1]} columns; with min_cell= allowed: at most {MOST_COLUMNS}"
            )
        small = ((table > 0) & (table < min_cell)).any()
        if small and len(table) > MOST_CELLS:
            raise CxError(
                f"by crosses columns to {len(table):,} groups, some of fewer than "
                f"min_cell={min_cell} answers; allowed: at most {MOST_CELLS:,} groups, so that it "
                "can be audited which others must be hidden; take a coarser column"
            )
        codes = np.column_stack(
            [groups.iloc[:, j].factorize(use_na_sentinel=False)[0] for j in range(groups.shape[1])]
        )
    return _suppressed(table, min_cell, codes)


def without_hidden(
    table: pd.DataFrame, hidden: Mask, visible: Sequence[str], flag: bool = True
) -> pd.DataFrame:
    """Return a table (g rows) in which hidden rows say only which group they are.

    Parameters
    ----------
    table : pandas.DataFrame
    hidden : array of bool (g,)
    visible : sequence of str
        Columns that stay: those of groups, options, features.
    flag : bool
        Whether a column ``suppressed`` says which rows these are.

    Examples
    --------
    >>> import pandas as pd
    >>> means = pd.DataFrame({"group": ["a", "b"], "estimate": [1.5, 2.5], "n": [12, 3]})
    >>> without_hidden(means, np.array([False, True]), ["group"])
      group  estimate     n  suppressed
    0     a       1.5  12.0       False
    1     b       NaN   NaN        True
    """
    import pandas as pd

    table = table.copy()
    for place, name in enumerate(table.columns):
        if name in visible:
            continue
        numeric = pd.api.types.is_numeric_dtype(table[name].dtype)
        column = table[name].astype(float if numeric else object)
        column[np.asarray(hidden)] = np.nan if numeric else None
        table.isetitem(place, column.array)
    return table.assign(suppressed=hidden) if flag else table


def suppression_notes(hidden: Mask, min_cell: int | None) -> list[Text]:
    """Say how many groups are hidden, and why; nothing where none is.

    How many of them are small is not said, and no group says why it is hidden: two hidden groups of
    15 answers together, one of which is known to have 10 or more, would leave the other 5 at most.
    """
    count = int(np.sum(hidden))
    if not count:
        return []
    return [both("disclosure.note", count=format_number(count), least=min_cell)]


def _suppressed(table: Array, min_cell: int, codes: NDArray[np.int_]) -> Mask:
    """Return which cells (g, k) are hidden, with the margins of their codes (g, columns)."""
    small = (table > 0) & (table < min_cell)
    hidden: Mask = np.zeros(len(table), bool) | small.any(axis=1)
    if not hidden.any():
        return hidden
    margins = list(_margins(table, min_cell, codes))
    while True:
        before = hidden.sum()
        for j in range(table.shape[1]):
            if margins:
                members = [members for members, _ in margins]
                matrix = np.vstack([*members, np.ones((1, len(table)))])
                secret = np.concatenate([*(secret for _, secret in margins), [False]])
                system = Table(table[:, j], matrix, secret)
                hidden |= _complemented(system, hidden, small[:, j], min_cell)
            else:
                hidden |= _complemented_column(table[:, j], hidden, min_cell)
        if hidden.sum() == before:
            return hidden


def _margins(table: Array, min_cell: int, codes: NDArray[np.int_]) -> Iterator[tuple[Array, Mask]]:
    """Yield the margins over every choice of fewer columns: members (m, g), which are hidden."""
    columns = codes.shape[1]
    for size in range(1, columns):
        for chosen in combinations(range(columns), size):
            labels, place = np.unique(codes[:, chosen], axis=0, return_inverse=True)
            members = (place.ravel() == np.arange(len(labels))[:, None]).astype(float)
            few = labels if size > 1 else labels[:, :0]
            yield members, _suppressed(members @ table, min_cell, few)


def _complemented_column(counts: Array, hidden: Mask, min_cell: int) -> Mask:
    """Hide the next smallest groups until two are hidden that hold `min_cell` answers together."""
    hidden = hidden & (counts > 0)
    for place in np.argsort(counts, kind="stable"):
        if not hidden.any() or (hidden.sum() > 1 and counts[hidden].sum() >= min_cell):
            break
        hidden[place] |= counts[place] > 0
    return hidden


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Counts of cells with the sums that are published beside them.

    Attributes
    ----------
    counts : array (g,)
    sums : array (s, g)
        Which cells each sum adds up, 0 or 1; the last one is the total.
    secret : array of bool (s,)
        Sums that are hidden.
    """

    counts: Array
    sums: Array
    secret: Mask

    def sizes(self, counts: Array) -> Array:
        """Return what has a range: the counts of all cells, then the hidden sums (g + h,)."""
        return np.concatenate([counts, self.sums[self.secret] @ counts])

    def cells(self, target: int) -> Array:
        """Return which cells the count of a target adds up (g,), 0 or 1."""
        g = len(self.counts)
        cells: Array = np.eye(1, g, target)[0]
        if target >= g:
            cells = self.sums[self.secret][target - g]
        return cells

    def targets(self, hidden: Mask) -> NDArray[np.intp]:
        """Return the places, among `sizes`, of what must not be computed."""
        secret = self.sizes(self.counts)[len(self.counts) :] > 0
        return np.flatnonzero(np.concatenate([hidden & (self.counts > 0), secret]))


def feasible_ranges(table: Table, hidden: Mask) -> tuple[Array, Array]:
    """Return the least and the largest count that each hidden cell or sum can have (t,), (t,).

    ``min, max a' x  subject to  x >= 0, x = counts where published, sums x = published sums``

    Parameters
    ----------
    table : Table
    hidden : array of bool (g,)
        Cells that are hidden; ranges are of these, then of the hidden sums.

    Examples
    --------
    >>> counts = np.array([3.0, 12, 40])
    >>> table = Table(counts, np.ones((1, 3)), np.array([False]))
    >>> low, high = feasible_ranges(table, np.array([True, True, False]))
    >>> low.tolist(), high.tolist()
    ([0.0, 0.0], [15.0, 15.0])
    """
    audit = _Audit(table, hidden)
    targets = table.targets(hidden)
    for target in targets:
        audit.widen(target)
    return audit.low[targets], audit.high[targets]


class _Audit:
    """What is learned of the ranges of targets, while cells are hidden one after the other.

    Every solution of a linear programme is a table that agrees with all that is published, so it
    widens the ranges of all targets at once. Hiding more cells leaves these tables possible.
    """

    def __init__(self, table: Table, hidden: Mask) -> None:
        self.table, self.hidden = table, hidden.copy()
        self.low = table.sizes(table.counts)
        self.high = self.low.copy()

    def width(self, target: int) -> float:
        return float(self.high[target] - self.low[target])

    def widen(self, target: int) -> None:
        """Find the full range of a target."""
        cells = self.table.cells(target)[self.hidden]
        if cells.any():
            self._solve(cells)
            self._solve(-cells)

    def narrow(self, width: float) -> list[int]:
        """Return the targets whose ranges are narrower, as far as is learned."""
        targets = self.table.targets(self.hidden)
        wide = self.high[targets] - self.low[targets] >= width - ROUNDING
        return [int(target) for target in targets[~wide]]

    def scatter(self, width: float) -> None:
        """Widen many ranges at once, in random directions, as long as that settles a tenth."""
        rng = np.random.default_rng(1)
        before = np.inf
        while (narrow := self.narrow(width)) and len(narrow) < 0.9 * before:
            before = len(narrow)
            for _ in range(2):
                weights = rng.normal(size=len(narrow))
                cells = np.sum([w * self.table.cells(t) for w, t in zip(weights, narrow)], axis=0)  # noqa: B905
                self._solve(cells[self.hidden])
                self._solve(-cells[self.hidden])

    def _solve(self, objective: Array) -> None:
        from scipy.optimize import linprog

        equations = self.table.sums[~self.table.secret][:, self.hidden]
        equations = equations[equations.any(axis=1)]
        sums = equations @ self.table.counts[self.hidden]
        solution = linprog(objective, A_eq=_sparse(equations), b_eq=sums, method="highs")
        if solution.status == 0:
            alternative = self.table.counts.copy()
            alternative[self.hidden] = solution.x
            self.learn(alternative)

    def learn(self, alternative: Array) -> None:
        """Take in a table (g,) that agrees with all that is published."""
        sizes = self.table.sizes(alternative)
        self.low, self.high = np.minimum(self.low, sizes), np.maximum(self.high, sizes)


def _sparse(matrix: Array) -> Any:
    from scipy.sparse import csr_array

    return csr_array(matrix)


def _complemented(table: Table, hidden: Mask, small: Mask, min_cell: int) -> Mask:
    """Hide further cells of a crossed table until the audit of all targets is passed."""
    audit = _Audit(table, hidden)
    audit.scatter(min_cell)
    settled: set[int] = set()
    while True:
        pending = [target for target in audit.narrow(min_cell) if target not in settled]
        if not pending:
            return audit.hidden
        target = pending[0]
        audit.widen(target)
        if audit.width(target) >= min_cell - ROUNDING:
            continue
        changes = _cheapest_changes(table, audit.hidden, target, min_cell)
        moved = np.any([np.abs(change) > ROUNDING for change in changes], axis=0)
        if (moved & ~audit.hidden).any():
            audit.hidden |= moved
            for change in changes:
                audit.learn(table.counts + change)
            continue
        settled.add(target)
        # Where no choice of cells protects a small one, none is published.
        if _is_small(table, target, small, min_cell):
            audit.hidden |= table.counts > 0


def _is_small(table: Table, target: int, small: Mask, min_cell: int) -> bool:
    """Return whether a target is a cell, or a sum, with too few answers."""
    if target < len(small):
        return bool(small[target])
    return bool(table.cells(target) @ table.counts < min_cell)


def _cheapest_changes(table: Table, hidden: Mask, target: int, min_cell: int) -> list[Array]:
    """Return changes (g,) of the table that move a target by `min_cell` at the lowest cost.

    Published sums stay, and no count gets negative. A cell that moves has to be hidden, which costs
    the answers it holds; the table with the change then agrees with all that is published. Where no
    change is as large, there are two: of the target to 0, and up to `min_cell`.
    """
    value = float(table.cells(target) @ table.counts)
    far = [_change(table, hidden, target, move) for move in (min_cell, -min_cell)]
    if best := min(filter(None, far), key=lambda pair: pair[0], default=None):
        return [best[1]]
    near = [_change(table, hidden, target, move) for move in (min_cell - value, -value)]
    return [pair[1] for pair in near if pair] or [np.zeros(len(table.counts))]


def _change(table: Table, hidden: Mask, target: int, move: float) -> tuple[float, Array] | None:
    """Return the cost of a change that moves a target so far, and the change; None without one."""
    from scipy.optimize import linprog

    counts, members = table.counts, table.cells(target)
    if members @ counts + move < 0:
        return None
    has = counts > 0
    price = np.where(hidden, 1e-3, 1 + counts)[has]
    equations = np.vstack([table.sums[~table.secret][:, has], members[has]])
    solution = linprog(
        np.concatenate([price, price]),
        A_eq=_sparse(np.hstack([equations, -equations])),
        b_eq=np.append(np.zeros(len(equations) - 1), move),
        bounds=[(0, None)] * int(has.sum()) + [(0, count) for count in counts[has]],
        method="highs",
    )
    if solution.status:
        return None
    up, down = np.split(solution.x, 2)
    change = np.zeros(len(counts))
    change[has] = up - down
    return float(solution.fun), change
