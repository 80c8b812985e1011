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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, p_text
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label
from cxstats.core.result import Chart, Result
from cxstats.experiments.ab_tests import check_groups
from cxstats.experiments.outcomes import Outcomes, read_outcomes
from cxstats.experiments.result import (
    AbTest,
    distrust,
    distrust_title,
    in_units,
    points_scale,
    refuse_clusters,
    size_lines,
    size_notes,
)
from cxstats.experiments.sample_ratio_mismatch import SampleRatio, Shares, sample_ratio
from cxstats.stats.intervals import check_level
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd
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


@dataclass(frozen=True, eq=False, repr=False)
class ConfidenceSequence(Result):
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
    notes : tuple of Text
        What was left out and what is rough.
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
    notes: tuple[Text, ...]

    kinds: ClassVar = ("band",)
    reference: ClassVar = (
        "Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024). Time-uniform central limit theory "
        "and asymptotic confidence sequences. Annals of Statistics 52, 2613-2640.\n"
        "Johari, Koomen, Pekelis & Walsh (2022). Always valid inference. Operations Research 70, "
        "1806-1821."
    )

    @property
    def trusted(self) -> bool:
        """False if the groups' sizes do not follow the plan."""
        return self.sample_ratio is None or not self.sample_ratio.mismatch

    def findings(self, lang: str) -> list[str]:
        """Return the last look, and when the difference was first clear."""
        row: Any = self.table.iloc[-1]
        scale = points_scale(self.kind)
        last = label(
            "experiment.valid",
            lang,
            looks=format_number(len(self.table)),
            n=format_number(self.n),
            difference=in_units(row.estimate, self.kind, lang),
            interval=interval_text(scale * row.ci_low, scale * row.ci_high),
            level=format_percent(100 * self.level, None, lang),
            p=p_text(row.p_value),
        )
        if self.decided_at is None:
            decision = label("experiment.valid.open", lang)
        else:
            decision = label("experiment.valid.decided", lang, look=self.decided_at)
        return [*distrust(self.trusted, lang), last, decision, *size_lines(self.sample_ratio, lang)]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the difference with its band by answers."""
        rows = self.table
        keywords = {
            "source": label("metric.source", lang, n=format_number(self.n)),
            "level": self.level,
            "synthetic": self.synthetic,
            "axis": label(f"experiment.valid.axis.{self.kind}", lang),
        }
        scale = points_scale(self.kind)
        band = [scale * rows[name] for name in ("estimate", "ci_low", "ci_high")]
        answers = rows["n"] + rows["n_control"]
        warning = distrust_title(self.trusted, lang)
        return Chart("confidence_band", (answers, *band), keywords | warning)


@by_codebook(sampling=("cluster",))
def always_valid(  # noqa: PLR0913  (keywords of a public function)
    data: Any,
    *,
    tuned_at: int,
    outcome: str | None = None,
    group: str | None = None,
    control: Any = None,
    metric: str = "proportion",
    cluster: str | None = None,
    look: str | None = None,
    shares: Shares = "equal",
    start: int = START,
    level: float = 0.95,
    codebook: Any = None,
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
    cluster
        Refused: rows are units that come once, as `SequentialPlan.monitor` says.
    look : str, optional
        Column of looks (days, batches), whose order is that of time; without it every row is one.
    start : int
        Answers that each group has before the first look counts. The theory is asymptotic: early
        looks at rare events, or at heavy tails, miss more often than ``1 - level``.
    level : float
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes and direction, and its clusters.

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
    >>> sequence = always_valid(frame, outcome="bought", group="arm", control="old", tuned_at=1000)
    >>> bool(sequence.table["p_value"].iloc[-1] < 0.001)
    True
    """
    check_level(level)
    refuse_clusters(
        "an always-valid interval", cluster, data if isinstance(data, list | tuple) else ()
    )
    for name, value in (("tuned_at", tuned_at), ("start", start)):
        if isinstance(value, bool) or not isinstance(value, Real) or not 2 <= value < np.inf:
            raise CxError(f"{name}={value!r}; allowed: a number of answers from 2 upwards")
    if isinstance(data, (list, tuple)):
        looks = _looks_of_tests(data)
    else:
        if outcome is None or group is None:
            raise CxError("a table needs outcome=, group= and control=")
        outcomes = read_outcomes(data, outcome, group, metric, look)
        check_groups(outcomes.groups, group, control)
        if len(outcomes.groups) > 2:
            raise CxError(f"{len(outcomes.groups)} groups; allowed: the control and one variant")
        looks = _looks_of_rows(outcomes, control, metric, shares)
    table = looks.table
    used = table[(table[["n", "n_control"]] >= start).all(axis=1) & (table["se"] > 0)]
    if used.empty:
        raise DataError(f"no look has {start} answers of each group that vary; see start=")
    notes = list(looks.notes)
    if len(used) < len(table):
        count = format_number(len(table) - len(used))
        notes.append(both("experiment.valid.start", count=count, start=start))
    return _sequence(replace(looks, table=used, notes=tuple(notes)), tuned_at, start, level)


@dataclass(frozen=True, slots=True)
class _Looks:
    """The difference at every look, and what holds for all looks.

    table : ``look, n, n_control, estimate, se``
    """

    table: pd.DataFrame
    ratio: SampleRatio | None
    kind: str
    synthetic: bool
    notes: tuple[Text, ...]


def _sequence(experiment: _Looks, tuned_at: int, start: int, level: float) -> ConfidenceSequence:
    looks = experiment.table
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
        sample_ratio=experiment.ratio,
        kind=experiment.kind,
        level=level,
        n=int(last["n"] + last["n_control"]),
        synthetic=experiment.synthetic,
        notes=(*experiment.notes, *size_notes(experiment.ratio)),
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
    groups = []
    for member in (~is_control, is_control):
        n = np.cumsum(member)[ends].astype(float)
        total, square = np.cumsum(v * member)[ends], np.cumsum(v**2 * member)[ends]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / n
            groups.append((n, mean, np.maximum(square / n - mean**2, 0) / (n - 1)))
    (n, mean, variance), (n_control, control_mean, control_variance) = groups
    with np.errstate(invalid="ignore"):
        se = np.sqrt(variance + control_variance)
    columns = {"look": times[ends], "n": n.astype(int), "n_control": n_control.astype(int)}
    return pd.DataFrame({**columns, "estimate": mean - control_mean, "se": se})


def _looks_of_rows(outcomes: Outcomes, control: Any, metric: str, shares: Shares) -> _Looks:
    """Return the looks of rows in order of time."""
    is_control = outcomes.codes == outcomes.groups.index(control)
    sizes = dict(zip(outcomes.groups, np.bincount(outcomes.assigned).tolist(), strict=True))
    return _Looks(
        table=accumulate(outcomes.values, is_control, outcomes.times),
        ratio=None if shares is None else sample_ratio(sizes, shares),
        kind=metric,
        synthetic=outcomes.synthetic,
        notes=outcomes.notes,
    )


def _looks_of_tests(tests: Sequence[Any]) -> _Looks:
    """Return the looks of A/B tests, each of all data up to there."""
    import pandas as pd

    rows = []
    for k, test in enumerate(tests, 1):
        if not isinstance(test, AbTest):
            raise CxError(f"look {k} is a {type(test).__name__}; allowed: AbTest, or one table")
        test.one_variant()
        rows.append({"look": k, **test.table[["n", "n_control", "estimate", "se"]].iloc[0]})
    if not rows:
        raise CxError("no looks; allowed: at least one AbTest, or a table")
    table = pd.DataFrame(rows).astype({"look": int, "n": int, "n_control": int})
    total = (table["n"] + table["n_control"]).to_numpy(float)
    if (np.diff(total) <= 0).any():
        raise DataError("each look needs more answers than the one before, and all of those")
    last = tests[-1]
    return _Looks(table, last.sample_ratio, last.kind, last.synthetic, last.metric.notes)
