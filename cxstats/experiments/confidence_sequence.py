"""Tests that may be looked at after every answer: confidence sequences and always-valid p values.

References
----------
Robbins (1970). Statistical methods related to the law of the iterated logarithm. Annals of
Mathematical Statistics 41, 1397-1409.
Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024). Time-uniform central limit theory and
asymptotic confidence sequences. Annals of Statistics 52, 2613-2640.
Johari, Koomen, Pekelis & Walsh (2017). Peeking at A/B tests. KDD, 1517-1525; (2022) Always valid
inference. Operations Research 70, 1806-1821.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import as_html, format_number, format_percent, p_text
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label
from cxstats.experiments.ab_tests import check_groups
from cxstats.experiments.outcomes import read_outcomes
from cxstats.experiments.result import AbTest, in_units
from cxstats.experiments.sample_ratio_mismatch import SampleRatio, Shares, sample_ratio
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

START = 100  # answers of a group before which the normal approximation is not trusted


def mixture_factor(n: ArrayLike, tuned_at: float, alpha: float) -> Array:
    """Return the half-width of a confidence sequence in standard errors.

    ``sqrt((1 + 1 / r) (ln(1 + r) - 2 ln(alpha)))`` with ``r = n c / tuned_at`` and
    ``c = -2 ln(alpha) + ln(1 - 2 ln(alpha))``, which makes it nearly narrowest at `tuned_at`
    answers: Robbins' normal mixture, asymptotic in Waudby-Smith and others' sense.

    Parameters
    ----------
    n : array (k,)
        Answers of both groups.
    tuned_at : float
    alpha : float

    Examples
    --------
    >>> mixture_factor([100, 1000, 10_000], 1000, 0.05).round(2).tolist()
    [3.86, 3.04, 3.24]
    """
    r = _ratio(n, tuned_at, alpha)
    return np.asarray(np.sqrt((1 + 1 / r) * (np.log1p(r) - 2 * np.log(alpha))))


def mixture_p(z: ArrayLike, n: ArrayLike, tuned_at: float, alpha: float) -> Array:
    """Return always-valid p values, the running least of ``sqrt(1 + r) exp(-z^2 r / (2 + 2 r))``.

    The inverse of the mixture likelihood ratio of Johari and others (mSPRT), with the variance of
    the mixture in units of that of an answer. It is at most alpha when and only when the sequence
    of intervals (`mixture_factor`) has left out 0.

    Parameters
    ----------
    z, n : arrays (k,)
        Estimate over standard error, and answers of both groups, in order of time.
    tuned_at, alpha : float

    Examples
    --------
    >>> mixture_p([0.5, 3.2, 2.0], [500, 1000, 1500], 1000, 0.05).round(3).tolist()
    [1.0, 0.032, 0.032]
    """
    r, z = _ratio(n, tuned_at, alpha), np.asarray(z, float)
    log_p = 0.5 * np.log1p(r) - z**2 * r / (2 * (1 + r))
    return np.asarray(np.minimum.accumulate(np.exp(np.minimum(log_p, 0.0))))


def _ratio(n: ArrayLike, tuned_at: float, alpha: float) -> Array:
    c = -2 * np.log(alpha) + np.log1p(-2 * np.log(alpha))
    return np.asarray(np.asarray(n, float) * c / tuned_at)


@dataclass(frozen=True, eq=False)
class ConfidenceSequence:
    """A difference after every look, with intervals that hold at all of them together.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per look: ``look, n, n_control, estimate, se, ci_low, ci_high, statistic`` (z),
        ``p_value`` (always valid: it never rises).
    decided_at : object or None
        The first look whose interval leaves out 0.
    tuned_at : int
        Answers at which the intervals are narrowest for their error.
    start : int
        Answers of each group before the first look.
    sample_ratio : SampleRatio or None
    kind : {"proportion", "mean", "nps"}
    level, n, synthetic
    remarks : tuple of Text
    """

    table: pd.DataFrame
    decided_at: Any
    tuned_at: int
    start: int
    sample_ratio: SampleRatio | None
    kind: str
    level: float
    n: int
    synthetic: bool
    remarks: tuple[Text, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out and what is rough."""
        return tuple(text.en for text in self.remarks)

    @property
    def trusted(self) -> bool:
        """False if the groups' sizes do not follow the plan."""
        return self.sample_ratio is None or not self.sample_ratio.mismatch

    def summary(self, lang: str = "en") -> str:
        """Return the last look, and when the difference was first clear."""
        row: Any = self.table.iloc[-1]
        scale = 100 if self.kind == "proportion" else 1
        lines = [] if self.trusted else [label("experiment.distrust", lang)]
        lines.append(
            label(
                "experiment.valid",
                lang,
                looks=format_number(len(self.table)),
                n=format_number(self.n),
                difference=in_units(row.estimate, self.kind, lang),
                interval=interval_text(scale * row.ci_low, scale * row.ci_high),
                level=format_percent(100 * self.level, None, lang),
                p=p_text(row.p_value),
            )
        )
        if self.decided_at is None:
            lines.append(label("experiment.valid.open", lang))
        else:
            lines.append(label("experiment.valid.decided", lang, look=self.decided_at))
        if self.sample_ratio is not None:
            lines.append(self.sample_ratio.summary(lang))
        return "\n".join([*lines, *(f"  * {text.get(lang)}" for text in self.remarks)])

    def plot(self, ax: Axes | None = None, lang: str = "en", **options: Any) -> Axes:
        """Draw the difference with its band by answers.

        Options are those of `cxstats.charts.monitoring.confidence_band`.
        """
        from cxstats.charts.monitoring import confidence_band

        rows = self.table
        share = self.kind == "proportion"
        given: dict[str, Any] = {
            "source": label("metric.source", lang, n=format_number(self.n)),
            "level": self.level,
            "synthetic": self.synthetic,
            "axis": label(f"experiment.valid.axis.{self.kind}", lang),
        }
        if not self.trusted:
            given["title"] = label("experiment.distrust", lang)
        columns = ((100 if share else 1) * rows[one] for one in ("estimate", "ci_low", "ci_high"))
        size = rows["n"] + rows["n_control"]
        return confidence_band(size, *columns, lang=lang, ax=ax, **given | options)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


def always_valid(  # noqa: PLR0913  (keywords of a public function)
    data: Any,
    *,
    tuned_at: int,
    outcome: str | None = None,
    group: str | None = None,
    control: Any = None,
    metric: str = "proportion",
    look: str | None = None,
    shares: Shares = "equal",
    start: int = START,
    level: float = 0.95,
) -> ConfidenceSequence:
    """Follow a difference with intervals and p values that hold however often one looks.

    ``estimate -+ se sqrt((1 + 1 / r) (ln(1 + r) - 2 ln(alpha)))``, r in proportion to the answers
    so far (`cxstats.experiments.confidence_sequence.mixture_factor`). The chance that any of the
    intervals, at any time, misses the difference is ``1 - level`` for large samples. The price: at
    `tuned_at` answers an interval is 1.55 times as wide as one that is looked at once (95 %).

    Parameters
    ----------
    data : table, or sequence of AbTest
        One row per unit in order of time: pandas, Polars, DuckDB relation (which has no order:
        name a column of looks), PyArrow. Or tests of all data up to each look, of one variant.
    tuned_at : int
        Answers of both groups at which the intervals are to be narrowest, chosen beforehand: about
        where a decision is expected.
    outcome, group, control, metric, shares
        As in `cxstats.ab_test`, of a table with one variant beside the control.
    look : str, optional
        Column of looks (days, batches), whose order is that of time; without it every row is one.
    start : int
        Answers that each group has before the first look counts. The theory is asymptotic: early
        looks at rare events, or at heavy tails, miss more often than ``1 - level``.
    level : float

    Returns
    -------
    ConfidenceSequence

    Raises
    ------
    DataError, CxError
        As `cxstats.ab_test`; also if no look has `start` answers of each group.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> draw = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"arm": draw.choice(["old", "new"], 4000)})
    >>> frame["bought"] = (draw.random(4000) < np.where(frame["arm"] == "new", 0.2, 0.1)) * 1
    >>> found = always_valid(frame, outcome="bought", group="arm", control="old", tuned_at=1000)
    >>> bool(found.table["p_value"].iloc[-1] < 0.001)
    True
    """
    check_level(level)
    for name, value in (("tuned_at", tuned_at), ("start", start)):
        if isinstance(value, bool) or not isinstance(value, Real) or not 2 <= value < np.inf:
            raise CxError(f"{name}={value!r}; allowed: a number of answers from 2 upwards")
    if isinstance(data, (list, tuple)):
        looks, ratio, kind, synthetic, remarks = _of_tests(data)
    else:
        if outcome is None or group is None:
            raise CxError("a table needs outcome=, group= and control=")
        read = read_outcomes(data, outcome, group, metric, look)
        check_groups(read.groups, group, control)
        if len(read.groups) > 2:
            raise CxError(f"{len(read.groups)} groups; allowed: the control and one variant")
        looks = accumulate(read.values, read.codes == read.groups.index(control), read.times)
        sizes = dict(zip(read.groups, np.bincount(read.assigned).tolist(), strict=True))
        ratio = None if shares is None else sample_ratio(sizes, shares)
        kind, synthetic, remarks = metric, read.synthetic, list(read.remarks)
    kept = looks[(looks[["n", "n_control"]] >= start).all(axis=1) & (looks["se"] > 0)]
    if kept.empty:
        raise DataError(f"no look has {start} answers of each group that vary; see start=")
    if len(kept) < len(looks):
        count = format_number(len(looks) - len(kept))
        remarks.append(both("experiment.valid.start", count=count, start=start))
    return _sequence(kept, tuned_at, start, ratio, kind, level, synthetic, remarks)


def _sequence(
    looks: pd.DataFrame,
    tuned_at: int,
    start: int,
    ratio: SampleRatio | None,
    kind: str,
    level: float,
    synthetic: bool,
    remarks: list[Text],
) -> ConfidenceSequence:
    size = (looks["n"] + looks["n_control"]).to_numpy(float)
    half = looks["se"] * mixture_factor(size, tuned_at, 1 - level)
    z = looks["estimate"] / looks["se"]
    table = looks.assign(
        ci_low=looks["estimate"] - half,
        ci_high=looks["estimate"] + half,
        statistic=z,
        p_value=mixture_p(z, size, tuned_at, 1 - level),
    ).reset_index(drop=True)
    clear = table["look"][(table["ci_low"] > 0) | (table["ci_high"] < 0)]
    last = looks.iloc[-1]
    return ConfidenceSequence(
        table=table,
        decided_at=None if clear.empty else clear.iloc[0],
        tuned_at=tuned_at,
        start=start,
        sample_ratio=ratio,
        kind=kind,
        level=level,
        n=int(last["n"] + last["n_control"]),
        synthetic=synthetic,
        remarks=tuple(remarks),
    )


def accumulate(values: Array, is_control: Any, times: Any) -> pd.DataFrame:
    """Return the difference of means of all rows up to each look.

    Parameters
    ----------
    values : array (n,)
    is_control : array (n,) of bool
    times : array (n,)
        Looks, in order; equal ones are one look.

    Returns
    -------
    pandas.DataFrame
        ``look, n, n_control, estimate, se`` with ``se^2 = s^2 / n + s_c^2 / n_c``.
    """
    import pandas as pd

    v = values - values.mean()  # squares of small distances lose no digits
    ends = np.flatnonzero(np.append(times[1:] != times[:-1], True))
    parts = []
    for member in (~is_control, is_control):
        n = np.cumsum(member)[ends].astype(float)
        total, square = np.cumsum(v * member)[ends], np.cumsum(v**2 * member)[ends]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / n
            parts.append((n, mean, np.maximum(square / n - mean**2, 0) / (n - 1)))
    (n, mean, error), (n_control, base, other) = parts
    with np.errstate(invalid="ignore"):
        se = np.sqrt(error + other)
    columns = {"look": times[ends], "n": n.astype(int), "n_control": n_control.astype(int)}
    return pd.DataFrame({**columns, "estimate": mean - base, "se": se})


def _of_tests(
    tests: Sequence[Any],
) -> tuple[pd.DataFrame, SampleRatio | None, str, bool, list[Text]]:
    import pandas as pd

    rows = []
    for k, test in enumerate(tests, 1):
        if not isinstance(test, AbTest):
            raise CxError(f"look {k} is a {type(test).__name__}; allowed: AbTest, or one table")
        test.one_variant()
        rows.append({"look": k, **test.table[["n", "n_control", "estimate", "se"]].iloc[0]})
    if not rows:
        raise CxError("no looks; allowed: at least one AbTest, or a table")
    looks = pd.DataFrame(rows).astype({"look": int, "n": int, "n_control": int})
    total = (looks["n"] + looks["n_control"]).to_numpy(float)
    if (np.diff(total) <= 0).any():
        raise DataError("each look needs more answers than the one before, and all of those")
    last = tests[-1]
    return looks, last.sample_ratio, last.kind, last.synthetic, list(last.metric.notes)
