"""Attribution: which channels the conversions, and their value, are owed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxstats.core.cells import is_broken, is_number
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt, row_name
from cxstats.core.moments import check_resamples
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.customers.channel_chain import removal_effects, touch_credits, transition_counts
from cxstats.customers.maximum_likelihood import Array
from cxstats.customers.numeric_columns import check_columns, numbers, refuse
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level

METHODS = ("first", "last", "linear", "markov")
CELLS = 4_000_000  # of resampled counts that are held at a time
MANY = 1_000  # channels; the chain inverts a matrix of that size for every resample
FEW = 100  # conversions, below which percentile limits are rough


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(Result):
    """Conversions by channel, by four rules.

    Attributes
    ----------
    table : pandas.DataFrame
        ``method, channel, estimate, se, ci_low, ci_high, share``: conversions that a rule credits
        to a channel, with their bootstrap interval, and their share of all; with values,
        ``credit`` and its limits: value credited.
    effects : pandas.DataFrame
        ``channel, estimate, ci_low, ci_high``: removal effects of the Markov chain, the share of
        conversions that would be lost without the channel.
    conversion : float
        Probability of conversion in the chain.
    n, n_conversions : int
        Paths; those that convert.
    level, n_resamples, seed
        As passed.
    synthetic : bool
    notes : tuple of Text
        What a reader must know.
    """

    table: pd.DataFrame
    effects: pd.DataFrame
    conversion: float
    n: int
    n_conversions: int
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("markov", "first", "last", "linear")
    codes: ClassVar = {"method": "attribution.method.{}"}
    reference: ClassVar = (
        "Anderl, Becker, von Wangenheim & Schumann (2016). Mapping the customer journey: lessons "
        "learned from graph-based online attribution modeling. International Journal of Research "
        "in Marketing 33(3), 457-474."
    )

    def of(self, method: str) -> pd.DataFrame:
        """Return the rows of one rule, the largest first.

        Raises
        ------
        CxError
            If there is no such rule.
        """
        if method not in METHODS:
            raise CxError(f"method={method!r}; allowed: {', '.join(map(repr, METHODS))}")
        rows = self.table[self.table["method"] == method]
        return rows.sort_values("estimate", ascending=False, kind="stable")

    def _head(self, lang: str) -> str:
        return label(
            "attribution.head", lang, n=format_number(self.n),
            conversions=format_number(self.n_conversions),
            share=format_percent(100 * self.conversion, 2, lang),
            level=format_percent(100 * self.level, None, lang),
        )  # fmt: skip

    def findings(self, lang: str) -> list[str]:
        """Return the conversions of each channel by the chain, beside those of the rules."""
        lines = [self._head(lang)]
        others = {m: self.of(m).set_index("channel")["estimate"] for m in METHODS[:3]}
        ordered = self.of("markov")
        for _, row in ordered.head(12).iterrows():
            credits = {
                method: format_number(column[row["channel"]], 1)
                for method, column in others.items()
            }
            lines.append(
                label(
                    "attribution.row",
                    lang,
                    channel=row["channel"],
                    value=format_number(row["estimate"], 1),
                    interval=interval(row["ci_low"], row["ci_high"], 1),
                    **credits,
                )
            )
        if len(ordered) > 12:
            lines.append(label("attribution.more", lang, n=len(ordered) - 12))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the conversions that a rule credits to each channel, the largest 20."""
        rows = self.of(kind).head(20)
        columns = [rows[name].to_numpy(float) for name in ("estimate", "ci_low", "ci_high")]
        name = label(f"attribution.method.{kind}", lang)
        top = rows.iloc[0]
        title = label(
            "attribution.title", lang, channel=top["channel"], method=name,
            share=format_percent(100 * top["share"], 1, lang),
        )  # fmt: skip
        return Chart(
            "intervals",
            (rows["channel"].tolist(), *columns),
            {
                "source": self._head(lang),
                "axis": label("attribution.axis", lang, method=name),
                "title": title,
                "level": self.level,
                "decimals": 1,
                "synthetic": self.synthetic,
            },
        )

    def channel_values(
        self,
        costs: Mapping[str, float],
        *,
        retention: float,
        discount: float,
        periods: int,
        method: str = "markov",
    ) -> pd.DataFrame:
        """Return lifetime value by channel. Formula A08 (status: reconstructed, low confidence).

        ``CLV_c = sum over t = 1..T of (R_c - C_c) r^t / (1 + d)^t`` with R_c, the value credited
        to channel c in these paths, as its revenue of every period. The right-hand side is lost in
        print (document 000, 3.1 (2)); this is our reading, and retention, discount and costs are
        the reader's.

        Parameters
        ----------
        costs : mapping of channel to float
            Cost of each channel in a period, 0 or more; every channel once.
        retention : float
            Share of customers who stay from one period to the next, 0 to 1.
        discount : float
            Rate a period, 0 or more.
        periods : int
            T, 1 or more.
        method : {"markov", "first", "last", "linear"}
            The rule that credits value.

        Returns
        -------
        pandas.DataFrame
            ``channel, credit, cost, clv, clv_ci_low, clv_ci_high``, and ``share`` of the sum, NaN
            where the sum is not above 0; ``attrs["status"]`` says that the formula is
            reconstructed.

        Raises
        ------
        CxError
            If the paths have no value, a cost is missing, or a number is out of its limits.
        """
        if "credit" not in self.table:
            raise CxError("these paths have no value; pass value= to cx.attribution")
        rows = self.of(method)
        missing = [channel for channel in rows["channel"] if channel not in costs]
        unknown = [channel for channel in costs if channel not in set(rows["channel"])]
        if missing or unknown:
            problem = f"no cost of {missing[0]!r}" if missing else f"no channel {unknown[0]!r}"
            channels = ", ".join(map(repr, rows["channel"]))
            raise CxError(f"costs: {problem}; allowed: a cost for each of {channels}")
        for channel, cost in costs.items():
            _check_number(f"cost of {channel!r}", cost, 0, np.inf)
        _check_number("retention", retention, 0, 1)
        _check_number("discount", discount, 0, np.inf)
        if isinstance(periods, bool) or not isinstance(periods, int) or not 1 <= periods <= 10_000:
            raise CxError(f"periods={excerpt(periods)}; allowed: whole numbers from 1 to 10,000")
        factor = float(((retention / (1 + discount)) ** np.arange(1, periods + 1)).sum())
        amounts = rows["channel"].map(lambda channel: float(costs[channel])).to_numpy(float)
        frame = pd.DataFrame(
            {
                "channel": rows["channel"].to_numpy(),
                "credit": rows["credit"].to_numpy(),
                "cost": amounts,
                "clv": (rows["credit"].to_numpy() - amounts) * factor,
                "clv_ci_low": (rows["credit_ci_low"].to_numpy() - amounts) * factor,
                "clv_ci_high": (rows["credit_ci_high"].to_numpy() - amounts) * factor,
            }
        )
        total = frame["clv"].sum()
        frame["share"] = frame["clv"] / total if total > 0 else np.nan
        frame.attrs = {"formula": "A08", "status": "reconstructed-low"}
        return frame


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    if not is_number(value) or not np.isfinite(value) or not low <= value <= high:
        limit = f"from {low:g}" + (" upwards" if high == np.inf else f" to {high:g}")
        raise CxError(f"{name} is {excerpt(value)}; allowed: numbers {limit}")


@long_work("attribution")
def attribution(  # noqa: PLR0913  (columns)
    paths: Any,
    *,
    path: str = "path",
    conversions: str = "conversions",
    losses: str | None = "losses",
    value: str | None = None,
    separator: str = ">",
    level: float = 0.95,
    n_resamples: int = 1_000,
    seed: int = 1,
) -> Attribution:
    """Credit conversions to channels: to the first contact, the last, all alike, or by removal.

    By removal: a Markov chain of contacts, see `cxstats.customers.channel_chain`; conversions are
    shared out in proportion to what would be lost without each channel. Exact, without simulation.

    Parameters
    ----------
    paths : pandas, Polars, PyArrow table or DuckDB relation
        One row a path of contacts, with how many customers took it. It holds no answers of a
        questionnaire, so there is no codebook.
    path : str
        Column of paths: texts such as ``"search > mail"``, or lists of channels.
    conversions : str
        Column: how many with this path converted.
    losses : str or None
        Column: how many did not. Without it all paths end in conversion.
    value : str, optional
        Column: value of all conversions of the row.
    separator : str
        Between channels of a text.
    level, n_resamples, seed
        Of percentile intervals; each customer's path is drawn anew.

    Returns
    -------
    Attribution

    Raises
    ------
    CxError, DataError
        Naming the option, or the column, the row, the value, and what is allowed.

    Notes
    -----
    None of the rules says what a channel causes: that takes an experiment.

    References
    ----------
    Anderl et al. (2016). International Journal of Research in Marketing 33(3), 457-474.

    Examples
    --------
    >>> paths = pd.DataFrame({"path": ["mail", "search > mail", "search"],
    ...                       "conversions": [10, 20, 0], "losses": [40, 10, 20]})
    >>> result = attribution(paths, n_resamples=200)
    >>> result.of("last")[["channel", "estimate"]].to_numpy().tolist()
    [['mail', 30.0], ['search', 0.0]]
    >>> result.effects["estimate"].round(3).tolist()  # every conversion passes through mail
    [1.0, 0.375]
    """
    check_level(level)
    check_resamples(n_resamples, seed)
    paths = as_pandas(paths)
    check_columns(paths, [path, conversions, value])
    check_columns(paths, [losses], "; with losses=None all paths end in conversion")
    won = _counts(paths, conversions)
    lost = _counts(paths, losses) if losses else np.zeros(len(paths))
    worth = _values(paths, value, won) if value else None
    used = (won + lost) > 0
    if not won.sum():
        raise DataError(f"column {conversions!r}: no path converts, so there is nothing to credit")
    rows, channels = _channels(paths[path], used, separator)
    if len(channels) > MANY:
        raise DataError(
            f"column {path!r}: {len(channels)} channels; allowed: at most {MANY}. Is "
            f"{separator!r} what stands between channels?"
        )
    # Each kind of path twice: those that convert and those that do not.
    counts = np.concatenate([won[used], lost[used]])
    positive = counts > 0
    places = np.flatnonzero(positive)
    kinds = [(rows + rows)[i] for i in places]
    converted = places < used.sum()
    each = None if worth is None else np.concatenate([worth[used], np.zeros(used.sum())])[positive]
    model = _Model(kinds, converted, counts[positive], each, channels)
    replicates = model.resample(n_resamples, seed)
    table, effects = model.tables(replicates, level)
    return Attribution(
        table=table,
        effects=effects,
        conversion=model.conversion,
        n=int(counts.sum()),
        n_conversions=int(won.sum()),
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=bool(paths.attrs.get("synthetic")),
        notes=(
            *note_if(not lost.sum(), "attribution.note.no_losses"),
            *note_if(won.sum() < FEW, "attribution.note.few", n=int(won.sum()), few=FEW),
            both("attribution.note.cause"),
        ),
    )


def _counts(frame: pd.DataFrame, name: str) -> Array:
    values = numbers(frame, name)
    refuse(frame, name, (values < 0) | (values != np.floor(values)) | (values > 1e12),
            "whole numbers from 0 to 1e12")  # fmt: skip
    return values


def _values(frame: pd.DataFrame, name: str, won: Array) -> Array:
    """Return the value of one conversion of each row."""
    values = numbers(frame, name)
    refuse(frame, name, (won == 0) & (values != 0), "0 where no customer converted")
    refuse(frame, name, values < 0, "values of 0 or more")
    return values / np.maximum(won, 1)


def _channels(
    column: pd.Series[Any], used: NDArray[np.bool_], separator: str
) -> tuple[list[NDArray[np.intp]], list[str]]:
    """Return the places of the channels of each path that someone took, and the channels."""
    if not separator:
        raise CxError("separator is empty; allowed: what stands between channels, such as '>'")
    names: dict[str, int] = {}
    rows = []
    for place in np.flatnonzero(used):
        cell = column.iloc[place]
        listed = isinstance(cell, (list, tuple, np.ndarray))
        contacts = [str(c).strip() for c in (cell if listed else str(cell).split(separator))]
        odd = isinstance(cell, (dict, set, bytes, complex))
        missing = odd or (not listed and pd.isna(cell))
        if missing or not contacts or not all(contacts) or any(map(is_broken, contacts)):
            raise DataError(
                f"column {column.name!r}, {row_name(column.index, int(place))}: "
                f"{excerpt(cell)}; allowed: channels with {separator!r} between them"
            )
        rows.append(np.array([names.setdefault(c, len(names)) for c in contacts]))
    order = sorted(names)
    rank = np.empty(len(names), np.intp)
    rank[[names[name] for name in order]] = np.arange(len(names))
    return [rank[row] for row in rows], order


class _Model:
    """Credits as functions of how many customers took each kind of path."""

    def __init__(
        self,
        kinds: list[NDArray[np.intp]],
        converted: NDArray[np.bool_],
        counts: Array,
        each: Array | None,
        channels: Sequence[str],
    ) -> None:
        from scipy.sparse import csr_array

        k = len(channels)
        self.channels, self.counts, self.k = list(channels), counts, k
        paths, cells = transition_counts(kinds, converted, k)
        shape = (len(kinds), (k + 1) * (k + 2))
        self.steps = csr_array((np.ones(len(paths)), (paths, cells)), shape=shape)
        wins = converted.astype(float)
        self.credits = [rule * wins[:, None] for rule in touch_credits(kinds, k).values()]
        self.wins, self.worth = wins, None if each is None else each * wins
        self.estimates, self.conversion = self._evaluate(counts[None, :])

    def _evaluate(self, counts: Array) -> tuple[Array, float]:
        """Return conversions, then values, by rule, and removal effects (B, 9, k)."""
        b, k = len(counts), self.k
        effects = removal_effects((counts @ self.steps).reshape(b, k + 1, k + 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = effects.removal / effects.removal.sum(axis=1, keepdims=True)
        rows = [counts @ credit for credit in self.credits]
        rows.append((counts @ self.wins)[:, None] * shares)
        worth = np.full(len(self.wins), np.nan) if self.worth is None else self.worth
        rows += [counts @ (credit * worth[:, None]) for credit in self.credits]
        rows.append((counts @ worth)[:, None] * shares)
        return np.stack([*rows, effects.removal], axis=1), float(effects.conversion[0])

    def resample(self, n_resamples: int, seed: int) -> Array:
        """Return bootstrap replicates (B, 9, k).

        Customers with the same path are alike, so that their numbers are drawn from a multinomial
        distribution: the law of drawing customers one by one, at a cost that does not grow with n.
        """
        generator = np.random.default_rng(seed)
        n, step = int(self.counts.sum()), max(1, CELLS // len(self.counts))
        chunks = []
        for start in range(0, n_resamples, step):
            size = min(step, n_resamples - start)
            counts = generator.multinomial(n, self.counts / n, size).astype(float)
            chunks.append(self._evaluate(counts)[0])
        return np.concatenate(chunks)

    def tables(self, replicates: Array, level: float) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the table of credits, and that of removal effects."""
        low, high = percentile_limits(replicates, level)
        drawn = replicates[:, : len(METHODS)]
        drawn = drawn[~np.isnan(drawn).any(axis=(1, 2))]  # without one conversion there is none
        se = drawn.std(axis=0, ddof=1) if len(drawn) > 1 else np.nan * low
        estimates, total = self.estimates[0], float(self.counts @ self.wins)
        frames = []
        for i, method in enumerate(METHODS):
            columns = {
                "method": method,
                "channel": self.channels,
                "estimate": estimates[i],
                "se": se[i],
                "ci_low": low[i],
                "ci_high": high[i],
                "share": estimates[i] / total,
            }
            if self.worth is not None:
                columns |= {"credit": estimates[4 + i], "credit_ci_low": low[4 + i],
                            "credit_ci_high": high[4 + i]}  # fmt: skip
            frames.append(pd.DataFrame(columns))
        effects = pd.DataFrame(
            {"channel": self.channels, "estimate": estimates[8], "ci_low": low[8],
             "ci_high": high[8]}
        )  # fmt: skip
        return pd.concat(frames, ignore_index=True), effects
