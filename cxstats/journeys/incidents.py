"""Incidents: which step failed, when and for whom, with a stated rate of false alarms.

Every step, group of users and window of time is looked at, and the largest deviation is compared
with the largest deviations of logs in which nothing depends on time. Such logs come from the real
one: the whole history of each user is moved by a random amount, on a circle of the log's sessions,
so that the steps, the groups, the results and how alike the sessions of a user are all stay as
they are, and so does traffic on the average.

References
----------
Kulldorff (1997). A spatial scan statistic. Communications in Statistics: Theory and Methods 26(6),
1481-1496.
Lotwick & Silverman (1982). Methods for analysing spatial processes of several types of points.
Journal of the Royal Statistical Society B 44(3), 406-413. (Shifts on a torus.)
Zhang, Assunção & Kulldorff (2010). Spatial scan statistics adjusted for multiple clusters. Journal
of Probability and Statistics, 642379. (Removal of what was detected, and a new search.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, p_text
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.progress import long_work, tracked
from cxstats.core.result import Chart, Result
from cxstats.journeys.click_log import names_of
from cxstats.journeys.measured import MeasuredJourney
from cxstats.metrics.rates import rate
from cxstats.metrics.result import group_text
from cxstats.operations.timestamps import quoted, window_seconds
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Integers = NDArray[np.int64]

DIRECTIONS = ("worse", "better", "both")
FEWEST_USERS = 10
MOST_BINS = 200
SPANS = ("1min", "5min", "15min", "1h", "3h", "6h", "12h", "1D", "2D", "7D", "14D", "28D")
EVERY_LENGTH = 12  # windows of up to so many bins have every length, longer ones grow by a sixth
AT_ONCE = 4  # series whose windows fit into the cache of a processor
TINY = 1e-12
RIDGE = 1e-3  # keeps coefficients of groups finite in which all or none go on


@dataclass(frozen=True, eq=False, repr=False)
class Incidents(Result):
    """Steps that failed for a while.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per incident, in the order of detection: ``step, by, group`` (empty for all
        sessions), ``start, end`` (sessions begun from start to before end), ``estimate, se, ci_low,
        ci_high`` (rate inside less outside, clustered by user, not adjusted for the search),
        ``rate_inside, rate_outside`` (share of the sessions in the step that go on), ``n_inside,
        n_outside, n_users`` (users inside), ``statistic`` (signed root of the likelihood ratio) and
        ``p_adjusted``, over the whole search.
    rates : pandas.DataFrame
        By ``step, by, group, start``: ``rate, n`` over time, of the series with an incident; of
        all steps, where there is none.
    alpha : float
        Chance that a log without any incident raises an alarm.
    direction : {"worse", "better", "both"}
    n_windows : int
        How many combinations of step, group and window were looked at.
    n_permutations, seed : int
    synthetic : bool
    level : float
    notes : tuple of Text
    """

    table: pd.DataFrame
    rates: pd.DataFrame
    alpha: float
    direction: str
    n_windows: int
    n_permutations: int
    seed: int
    synthetic: bool
    level: float
    notes: tuple[Text, ...]

    kinds: ClassVar = ("rates",)
    reference: ClassVar = (
        "Kulldorff (1997). A spatial scan statistic. Communications in Statistics: Theory and "
        "Methods 26(6), 1481-1496."
    )

    def findings(self, lang: str) -> list[str]:
        """Return the incidents, each with step, time, group and rates."""
        head = label(
            "incidents.head", lang, n=format_number(len(self.table)),
            windows=format_number(self.n_windows),
            alpha=format_percent(100 * self.alpha, None, lang),
            permutations=format_number(self.n_permutations),
        )  # fmt: skip
        rows = [self.table.iloc[i] for i in range(len(self.table))]
        return [head, *(f"  {self._row(row, lang)}" for row in rows)]

    def _row(self, row: pd.Series[Any], lang: str) -> str:
        return label(
            "incidents.row", lang, step=row["step"], group=_group_name(row, lang),
            start=_moment(row["start"]), end=_moment(row["end"]),
            inside=format_percent(100 * row["rate_inside"], 1, lang),
            outside=format_percent(100 * row["rate_outside"], 1, lang),
            n=format_number(int(row["n_inside"])), users=format_number(int(row["n_users"])),
            change=format_number(100 * row["estimate"], 1, sign=True),
            interval=interval_text(100 * row["ci_low"], 100 * row["ci_high"], 1),
            p=p_text(row["p_adjusted"]),
        )  # fmt: skip

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the rates over time, incidents marked."""
        return Chart("incident_rates", (self,))


def _group_name(row: pd.Series[Any], lang: str) -> str:
    if row["by"] is None or row["by"] != row["by"]:
        return label("incidents.all", lang)
    return label("incidents.group", lang, by=row["by"], group=group_text(row["group"]))


def _moment(time: Any) -> str:
    return f"{time:%Y-%m-%d}" if time == time.normalize() else f"{time:%Y-%m-%d %H:%M}"


@long_work("find incidents")
def find_incidents(  # noqa: PLR0913  (keywords of a public function)
    journey: MeasuredJourney,
    *,
    by: str | Sequence[str] | None = None,
    direction: str = "worse",
    alpha: float = 0.05,
    every: str | None = None,
    least: int = 20,
    longest: float = 0.5,
    most: int = 10,
    n_permutations: int = 199,
    seed: int = 1,
) -> Incidents:
    """Search a journey for incidents: a step, a group and a window of time in which fewer go on.

    A step is the way from a stage to the next: of the sessions in the first, those that reach the
    other. With y the number that goes on, e the number expected (from the groups of `by`, by
    logistic regression on all of them), n sessions in the window and Y, E, N in the whole series,

        LR = y log(y / e) + (n - y) log((n - y) / (n - e)) + the same outside
        statistic = sign(y - e) sqrt(2 LR / d)

    with d the factor by which sums over users vary more than independent sessions would. The
    largest statistic is compared with the largest ones of `n_permutations` logs in which every
    user's history is moved in time (see the module). Where it is exceeded by at most `alpha` of
    them, the window is an incident, its sessions leave the step, and the search begins again.

    Parameters
    ----------
    journey : MeasuredJourney
        Measured by the groups that are to be looked at, such as platform and channel.
    by : str or sequence of str, optional
        Which of them; without it, all. Each group is looked at, and all sessions together.
    direction : {"worse", "better", "both"}
    alpha : float
        Chance that a log without any incident raises an alarm, over the whole search.
    every : str, optional
        Windows begin and end at multiples of this span, such as "1 day", from the first day on;
        without it, the shortest usual span of which the log has at most 200.
    least : int
        Fewest sessions in a window, and outside of it.
    longest : float
        Longest window, as a share of the log's time; at most .5.
    most : int
        Incidents after which the search ends.
    n_permutations, seed : int

    Returns
    -------
    Incidents

    Raises
    ------
    CxError
        If an option is out of range, there are fewer than 10 users, or the log is shorter than
        four spans.

    Notes
    -----
    What changes slowly, such as customers who learn, looks like an incident if no group of `by`
    accounts for it. Windows overlap, so edges are as sharp as the numbers allow, and a rate that
    was looked for is more extreme than it will be again.

    Examples
    --------
    >>> import cxstats as cx
    >>> journey = cx.measured_journey(
    ...     cx.load_clickstream(), {"shipping": "shipping_details", "payment": "payment_details"},
    ...     user="user_id", session="session_id", time="timestamp", event="event", by="platform")
    >>> incident = find_incidents(journey, n_permutations=99).table.iloc[0]
    >>> incident["group"], f"{incident['start']:%d %B}", f"{incident['rate_inside']:.2f}"
    ('mobile', '14 April', '0.30')
    """
    names = _check(journey, by, direction, alpha, (least, most, n_permutations, seed), longest)
    check_level(1 - alpha)
    scan = _Scan.of(journey, names, every, longest, least, direction)
    rows: list[dict[str, Any]] = []
    p_value = 0.0
    stopped = False
    while scan.n_windows:
        top = scan.largest(scan.bin_of)
        if not top.statistic:
            break
        p_value = max(p_value, scan.p_value(top.statistic, n_permutations, seed, alpha))
        if p_value > alpha:
            break
        if len(rows) == most:
            stopped = True
            break
        rows.append({**scan.describe(journey, top), "p_adjusted": p_value})
        scan = scan.without(top)
    first = _Scan.of(journey, names, every, longest, least, direction)
    return Incidents(
        table=_table(rows),
        rates=first.rates(rows),
        alpha=float(alpha),
        direction=direction,
        n_windows=first.n_windows,
        n_permutations=n_permutations,
        seed=seed,
        synthetic=journey.synthetic,
        level=journey.level,
        notes=(
            *note_if(bool(rows), "incidents.note.searched"),
            both("incidents.note.method", n=format_number(n_permutations)),
            *note_if(first.n_small > 0, "incidents.note.small", n=format_number(first.n_small),
                     least=2 * least),
            *note_if(stopped, "incidents.note.stopped", n=most),
            *note_if(alpha < 2 / (n_permutations + 1), "incidents.note.rough"),
            *note_if(journey.sessions.columns.user is None, "measured.note.no_user"),
        ),
    )  # fmt: skip


def _check(
    journey: Any, by: Any, direction: str, alpha: Any, counts: tuple[Any, ...], longest: Any
) -> tuple[str, ...]:
    """Return the groups to look at; raise if an option is out of range."""
    if not isinstance(journey, MeasuredJourney):
        raise CxError(
            f"a {type(journey).__name__} is no journey; allowed: what cx.measured_journey returns"
        )
    names = journey.by if by is None else names_of("by", by)
    for name in names:
        if name not in journey.by:
            allowed = ", ".join(map(repr, journey.by)) or "none"
            raise CxError(
                f"by={quoted(name)}; allowed: {allowed} (what the journey is measured by)"
            )
    if direction not in DIRECTIONS:
        raise CxError(f"direction={quoted(direction)}; allowed: {', '.join(map(repr, DIRECTIONS))}")
    for name, value, low in zip(
        ("least", "most", "n_permutations", "seed"), counts, (2, 1, 19, 0), strict=True
    ):
        if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < low:
            raise CxError(f"{name}={quoted(value)}; allowed: whole numbers from {low} upwards")
    for name, value, high in (("alpha", alpha, 0.5), ("longest", longest, 0.5)):
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) <= high:
            raise CxError(f"{name}={quoted(value)}; allowed: above 0 to {high:g}")
    if (1 + counts[2]) * alpha < 1:
        raise CxError(
            f"n_permutations={counts[2]} cannot show a rate of false alarms of {alpha:g}; allowed: "
            f"{int(np.ceil(1 / alpha)) - 1} or more"
        )
    if journey.n_users < FEWEST_USERS:
        raise CxError(f"{journey.n_users} users; a search needs at least {FEWEST_USERS}")
    return names


@dataclass(frozen=True, slots=True)
class _Window:
    """Where a statistic was largest: series and bins, from `first` to before `end`."""

    statistic: float
    series: int
    first: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class _Scan:
    """Sessions at each step, by group and bin of time.

    Attributes
    ----------
    user, bin_of : integer arrays (s,)
        User and bin of each session, in the order of their starts.
    entry, series : integer arrays (e,)
        Session of each entry, and its series: a step within a group.
    y, expected : arrays (e,)
        Whether the session goes on, and its chance.
    names : list of (step, column, group)
        Of the series; column and group are None for all sessions.
    scale : array (series,)
        Root of the factor d.
    edges : DatetimeIndex (bins + 1)
    lengths : integer array
        Of windows, in bins.
    least, direction
        As in `find_incidents`.
    n_small : int
        Groups that have too few sessions at a step to be looked at by themselves.
    steps : tuple of str
    """

    user: Integers
    bin_of: Integers
    entry: Integers
    series: Integers
    y: Array
    expected: Array
    names: list[tuple[int, str | None, Any]]
    scale: Array
    edges: pd.DatetimeIndex
    lengths: Integers
    least: int
    direction: str
    n_small: int
    steps: tuple[str, ...]

    @classmethod
    def of(
        cls, journey: MeasuredJourney, by: tuple[str, ...], every: str | None, longest: float,
        least: int, direction: str,
    ) -> _Scan:  # fmt: skip
        """Return the scan of a whole journey."""
        import pandas as pd

        sessions = journey.sessions
        start = sessions.table["start"]
        edges = _edges(start, every)
        bins = len(edges) - 1
        codes: list[Any] = [pd.factorize(sessions.table[name], sort=False) for name in by]
        codes = [(None, [None]), *codes]
        reached = sessions.reached
        entry, series = [], []
        names: list[tuple[int, str | None, Any]] = []
        for step in range(reached.shape[1] - 1):
            at = np.flatnonzero(reached[:, step])
            for column, (code, values) in zip([None, *by], codes, strict=True):
                group = np.zeros(len(at), np.int64) if code is None else code[at]
                inside = group >= 0
                entry.append(at[inside])
                series.append(len(names) + group[inside])
                names += [(step, column, value) for value in values]
        entries, numbers = np.concatenate(entry), np.concatenate(series)
        # A group needs sessions for a window and for the time outside of it.
        large = np.bincount(numbers, minlength=len(names)) >= 2 * least
        large |= np.array([column is None for _, column, _ in names])
        entries, numbers = entries[large[numbers]], (np.cumsum(large) - 1)[numbers[large[numbers]]]
        n_small = int((~large).sum())
        names = [name for name, enough in zip(names, large, strict=True) if enough]
        step_of = np.array([step for step, *_ in names], np.int64)[numbers]
        scan = cls(
            user=sessions.table["user"].to_numpy(np.int64),
            bin_of=(edges.searchsorted(start, side="right") - 1).astype(np.int64),
            entry=entries,
            series=numbers,
            y=reached[entries, step_of + 1].astype(float),
            expected=np.zeros(len(entries)),
            names=names,
            scale=np.ones(len(names)),
            edges=edges,
            lengths=_lengths(max(1, int(bins * longest))),
            least=least,
            direction=direction,
            n_small=n_small,
            steps=tuple(
                f"{a} → {b}" for a, b in zip(sessions.stages[:-1], sessions.stages[1:], strict=True)
            ),
        )
        return scan._fitted()

    @property
    def windows(self) -> tuple[Integers, Integers]:
        """First bin of each window and the bin after its last (w,)."""
        bins = len(self.edges) - 1
        first = np.concatenate([np.arange(bins - length + 1) for length in self.lengths])
        return first, first + np.repeat(self.lengths, bins - self.lengths + 1)

    @property
    def n_windows(self) -> int:
        """How many windows have sessions enough."""
        n, *_ = self._sums(self.bin_of)
        inside = _differences(n, self.lengths)
        return int(((inside >= self.least) & (n[:, -1:] - inside >= self.least)).sum())

    def _fitted(self) -> _Scan:
        """Return the scan with expected rates by group, and the factors of clustering."""
        from dataclasses import replace

        expected = np.zeros(len(self.y))
        step_of = np.array([step for step, *_ in self.names], np.int64)[self.series]
        every = np.array([column is None for _, column, _ in self.names])[self.series]
        for step in range(len(self.steps)):
            of_step = step_of == step
            rows = np.flatnonzero(of_step & every)
            if not len(rows):
                continue
            place = np.full(len(self.user), -1)
            place[self.entry[rows]] = np.arange(len(rows))
            others = np.flatnonzero(of_step & ~every)
            rates = _expected(self.y[rows], place[self.entry[others]], self.series[others])
            expected[of_step] = rates[place[self.entry[of_step]]]
        residual = self.y - expected
        pair = self.series * (self.user.max() + 1) + self.user[self.entry]
        pairs, number = np.unique(pair, return_inverse=True)
        squares = np.bincount(number, residual, len(pairs)) ** 2
        k = len(self.names)
        together = np.bincount(pairs // (self.user.max() + 1), squares, k)
        alone = np.bincount(self.series, expected * (1 - expected), k)
        with np.errstate(invalid="ignore", divide="ignore"):
            factor = np.where(alone > 0, together / alone, 1.0)
        return replace(self, expected=expected, scale=np.sqrt(np.maximum(factor, 1.0)))

    def _sums(self, bins: Integers) -> tuple[Array, Array, Array]:
        """Return sessions, results and expected results before the end of each bin (series, b)."""
        b = len(self.edges) - 1
        cell = self.series * b + bins[self.entry]
        shape = (len(self.names), b)
        sums = []
        for weights in (None, self.y, self.expected):
            added = np.bincount(cell, weights, shape[0] * b).reshape(shape)
            sums.append(np.pad(np.cumsum(added, axis=1, dtype=float), ((0, 0), (1, 0))))
        return sums[0], sums[1], sums[2]

    def largest(self, bins: Integers) -> _Window:
        """Return the window with the largest statistic, given the bin of each session.

        The likelihood ratio is at most the chi-square of the window plus that of the rest, which
        costs no logarithm: only windows that can still be the largest get one.
        """
        best = _Window(0.0, 0, 0, 0)
        sums = self._sums(bins)
        for start in range(0, len(self.names), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            top = self._largest_of([total[some] for total in sums], self.scale[some],
                                   abs(best.statistic))  # fmt: skip
            if top is not None:
                best = _Window(top.statistic, top.series + start, top.first, top.end)
        return best

    def _largest_of(self, sums: list[Array], scale: Array, above: float) -> _Window | None:
        """Return the largest window of some series, if it is larger than another."""
        totals = [total[:, -1:] for total in sums]
        inside = [_differences(total, self.lengths) for total in sums]
        outside = [total - part for total, part in zip(totals, inside, strict=True)]
        chi = _chi_square(*inside) + _chi_square(*outside)
        chi[(inside[0] < self.least) | (outside[0] < self.least)] = 0
        if self.direction != "both":
            chi[(inside[1] >= inside[2]) == (self.direction == "worse")] = 0
        bound = np.sqrt(2 * chi) / scale[:, None]
        rows = np.nonzero(bound > above)
        if not len(rows[0]):
            return None
        ratio = _likelihood(*(part[rows] for part in inside))
        ratio += _likelihood(*(part[rows] for part in outside))
        ratio -= _likelihood(*(total[rows[0], 0] for total in totals))
        statistic = np.sqrt(2 * np.maximum(ratio, 0)) / scale[rows[0]]
        at = int(statistic.argmax())
        if not statistic[at] > above:
            return None
        series, window = int(rows[0][at]), int(rows[1][at])
        sign = 1.0 if inside[1][series, window] >= inside[2][series, window] else -1.0
        first, end = self.windows
        return _Window(sign * float(statistic[at]), series, int(first[window]), int(end[window]))

    def p_value(self, statistic: float, n: int, seed: int, alpha: float) -> float:
        """Return the share of logs with users moved in time whose largest statistic is as large.

        The real log is one of them. Above `alpha` the search ends, so moving ends there, too.
        """
        rng = np.random.default_rng(seed)
        size, users = len(self.user), int(self.user.max()) + 1
        place, as_large = np.arange(size), 1
        for moves, _ in tracked(n, 1):
            moved = (place + rng.integers(0, size, users)[self.user]) % size
            as_large += abs(self.largest(self.bin_of[moved]).statistic) >= abs(statistic)
            if as_large > alpha * (n + 1):
                return as_large / (moves + 2)
        return as_large / (n + 1)

    def _inside(self, top: _Window) -> NDArray[np.bool_]:
        """Return which sessions are in a window and its group (s,)."""
        member = np.zeros(len(self.user), bool)
        member[self.entry[self.series == top.series]] = True
        return member & (self.bin_of >= top.first) & (self.bin_of < top.end)

    def without(self, top: _Window) -> _Scan:
        """Return the scan without the sessions of a window at its step."""
        from dataclasses import replace

        step_of = np.array([step for step, *_ in self.names], np.int64)[self.series]
        leaves = (step_of == self.names[top.series][0]) & self._inside(top)[self.entry]
        stay = ~leaves
        return replace(
            self, entry=self.entry[stay], series=self.series[stay], y=self.y[stay],
            expected=self.expected[stay],
        )._fitted()  # fmt: skip

    def describe(self, journey: MeasuredJourney, top: _Window) -> dict[str, Any]:
        """Return the row of an incident: where, when, for whom, and the rates."""
        import pandas as pd

        step, column, group = self.names[top.series]
        rows = self.series == top.series
        entry, y = self.entry[rows], self.y[rows]
        inside = (self.bin_of[entry] >= top.first) & (self.bin_of[entry] < top.end)
        frame = pd.DataFrame({"y": y, "inside": inside, "user": self.user[entry]})
        metric = rate(frame, column="y", by="inside", cluster="user", level=journey.level)
        rates: Any = metric.table.set_index("inside")
        difference = metric.compare(False, adjust=None).table.iloc[0]
        return {
            "step": self.steps[step],
            "by": column,
            "group": group,
            "start": self.edges[top.first],
            "end": self.edges[top.end],
            **{name: difference[name] for name in ("estimate", "se", "ci_low", "ci_high")},
            "rate_inside": rates.loc[True, "estimate"],
            "rate_outside": rates.loc[False, "estimate"],
            "n_inside": int(rates.loc[True, "n"]),
            "n_outside": int(rates.loc[False, "n"]),
            "n_users": int(frame.loc[inside, "user"].nunique()),
            "statistic": top.statistic,
        }

    def rates(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        """Return rates over time of the series with an incident, or of all steps."""
        import pandas as pd

        keys = [(row["step"], row["by"], row["group"]) for row in rows]
        named = [(self.steps[step], column, group) for step, column, group in self.names]
        wanted = [i for i, key in enumerate(named) if (key in keys if rows else key[1] is None)]
        n, y, _ = (np.diff(total, axis=1) for total in self._sums(self.bin_of))
        frames = []
        for i in sorted(wanted, key=lambda i: keys.index(named[i]) if rows else i):
            step, column, group = named[i]
            with np.errstate(invalid="ignore"):
                share = y[i] / n[i]
            series = {"step": step, "by": column, "group": group, "start": self.edges[:-1]}
            frames.append(pd.DataFrame({**series, "rate": share, "n": n[i].astype(np.int64)}))
        return pd.concat(frames, ignore_index=True)


def _expected(y: Array, row: Integers, group: Integers) -> Array:
    """Return the chance of each row to go on, by logistic regression on its groups.

    Newton's method with a small ridge; rows without groups have the overall rate.

    Parameters
    ----------
    y : array (n,)
    row, group : integer arrays (m,)
        That a row is in a group.
    """
    from scipy.sparse import csr_matrix, hstack

    n = len(y)
    _, code = np.unique(group, return_inverse=True)
    ones = csr_matrix(np.ones((n, 1)))
    if not len(code):
        return np.full(n, y.mean())
    members = csr_matrix((np.ones(len(row)), (row, code)), (n, code.max() + 1))
    x = hstack([ones, members]).tocsr()
    penalty = RIDGE * np.eye(x.shape[1])
    penalty[0, 0] = RIDGE / n
    beta = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        information = (x.T @ x.multiply((p * (1 - p))[:, None])).toarray() + penalty
        step = np.linalg.solve(information, x.T @ (y - p) - penalty @ beta)
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(1 / (1 + np.exp(-np.clip(x @ beta, -30, 30))))


def _likelihood(n: Array, y: Array, e: Array) -> Array:
    """Return ``y log(y / e) + (n - y) log((n - y) / (n - e))``, 0 log 0 being 0."""
    stay, leave = np.maximum(y, TINY), np.maximum(n - y, TINY)
    ratio = y * np.log(stay / np.maximum(e, TINY))
    return np.asarray(ratio + (n - y) * np.log(leave / np.maximum(n - e, TINY)))


def _edges(start: pd.Series, every: str | None) -> pd.DatetimeIndex:
    """Return where the bins begin, and the end of the last."""
    import pandas as pd

    origin = start.min().normalize()
    length = start.max() - origin
    if every is None:
        spans = [pd.Timedelta(span) for span in SPANS]
        span = next((s for s in spans if length / s < MOST_BINS), length / MOST_BINS)
        if span < pd.Timedelta("1D"):
            origin = start.min().floor("h")
    else:
        seconds = window_seconds(every)
        span = pd.Timedelta(seconds=seconds or 0)
    bins = int((start.max() - origin) // span) + 1
    if bins > 20 * MOST_BINS:
        raise CxError(f"every={every!r}: the log has {bins:,} such spans; allowed: at most "
                      f"{20 * MOST_BINS:,}")  # fmt: skip
    if bins < 4:
        raise CxError(f"the log is shorter than four spans of {span}; allowed: a shorter every=")
    return pd.DatetimeIndex(origin + np.arange(bins + 1) * span)


def _differences(total: Array, lengths: Integers) -> Array:
    """Return what each window adds to the sums before each bin (series, w)."""
    return np.concatenate([total[:, size:] - total[:, :-size] for size in lengths], axis=1)


def _chi_square(n: Array, y: Array, e: Array) -> Array:
    """Return ``(y - e)^2 n / (e (n - e))``."""
    return np.asarray((y - e) ** 2 * n / np.maximum(e * (n - e), TINY))


def _lengths(longest: int) -> Integers:
    """Return the lengths of windows in bins.

    Examples
    --------
    >>> _lengths(20).tolist()
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20]
    """
    lengths = [1]
    while lengths[-1] < longest:
        step = 1 if lengths[-1] < EVERY_LENGTH else max(1, lengths[-1] // 6)
        lengths.append(min(lengths[-1] + step, longest))
    return np.array(lengths, np.int64)


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    columns = ["step", "by", "group", "start", "end", "estimate", "se", "ci_low", "ci_high",
               "rate_inside", "rate_outside", "n_inside", "n_outside", "n_users", "statistic",
               "p_adjusted"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
