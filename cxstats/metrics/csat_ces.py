"""Satisfaction (CSAT) and effort (CES): means and shares of the best answers on a rating scale.

References
----------
Dixon, Freeman & Toman (2010). Stop trying to delight your customers. Harvard Business Review 88(7),
116-122: customer effort, 1 to 5, low is good; later surveys ask for ease, 1 to 7, high is good.
Reichheld & Markey (2011). The ultimate question 2.0, on top-box scores as practice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both
from cxstats.metrics.answers import Answers, Sampling, read_answers
from cxstats.metrics.counts import read_counts
from cxstats.metrics.group_sums import Domain, Sums, Value, add_up
from cxstats.metrics.means import mean_of, means_result, notes_of_few
from cxstats.metrics.rates import share_result
from cxstats.metrics.result import LEVEL, Metric, Options
from cxstats.stats.intervals import MEAN_INTERVALS, PROPORTION_INTERVALS, check_interval
from cxstats.stats.sampling_design import Design
from cxstats.survey.coding import by_codebook, notes_of_turning
from cxstats.survey.direction import best_by_labels, check_best, labelled_ends, value_labels

# How many points at the good end count.
BOXES = {"top_box": 1, "top_two_box": 2, "mean": 0}
# Scales of these questions where none is given.
USUAL = {"csat": (1, 5), "ces": (1, 7)}
# Which end of the scale is good.
DIRECTIONS = {"ease": "high", "effort": "low"}
USUALLY = {"csat": "high", "ces_ease": "high", "ces_effort": "low"}


@by_codebook(question="csat")
def csat(  # noqa: PLR0913  (keywords of a public function)
    scores: Any,
    by: Any = None,
    *,
    kind: str = "top_two_box",
    column: str | None = None,
    weights: Any = None,
    cluster: Any = None,
    strata: Any = None,
    design: Design | None = None,
    scale: tuple[int, int] | None = None,
    best: str = "high",
    interval: str | None = None,
    level: float = LEVEL,
    min_cell: int | None = None,
    codebook: Any = None,
) -> Metric:
    """Compute customer satisfaction: the share of the best answers, or the mean.

    Parameters
    ----------
    scores, by, column, weights, cluster, strata, design, level, min_cell
        As in `cxstats.nps`.
    kind : {"top_two_box", "top_box", "mean"}
        The share of the two best points (4 and 5 of 5), of the best, or the mean answer.
    scale : tuple of int, optional
        Lowest and highest point. Without it 1 to 5, which the notes say.
    best : {"high", "low"}
        Which end of the scale is good; "low" where 1 is very satisfied. The best points are then
        the lowest; a mean stays as it was answered, and a note says which end is good. Where the
        file labels its codes (SPSS) and the labels say otherwise, a note says so.
    interval : str, optional
        Of a share ``"wilson"`` (without it), ``"clopper_pearson"`` or ``"wald"``; of a mean
        ``"t"`` (without it) or ``"bca"``.
    codebook : Codebook, mapping, path or name, optional
        As in `cxstats.nps`, of kind "csat"; answers whose good end is low are turned.

    Notes
    -----
    For a share the answers are whole numbers. A mean takes what lies between, too (the mean of a
    few questions, say).

    Wilson's interval of 95 % covers 95 to 96 % on average over all shares, whatever n; at single
    shares near 0 or 1 as little as 83, 84, 85 and 86 % for n = 5, 10, 20 and 50, and from 5 to 95 %
    at least 89, 90, 92 and 93 %. ``"clopper_pearson"`` never covers less than it says. A mean has a
    note where answers are few or skewed.

    Examples
    --------
    >>> found = csat([5, 4, 4, 3, 5, 2, 4, 5])
    >>> found.table[["estimate", "ci_low", "ci_high"]].iloc[0].round(3).tolist()
    [0.75, 0.409, 0.929]
    >>> csat([5, 4, 4, 3, 5, 2, 4, 5], kind="mean").table["estimate"].tolist()
    [4.0]
    """
    question = _question("csat", kind, scale, check_best(best))
    labels = value_labels(scores, column)
    sampling = Sampling.of(design, weights, cluster, strata)
    answers = read_answers(scores, column, by, sampling, codebook=codebook)
    question = replace(question, labels=labels, turning=notes_of_turning(codebook, column))
    return _rated(question, answers, interval, level, min_cell)


@by_codebook(question="ces")
def ces(  # noqa: PLR0913  (keywords of a public function)
    scores: Any,
    direction: str | None = None,
    by: Any = None,
    *,
    kind: str = "mean",
    column: str | None = None,
    weights: Any = None,
    cluster: Any = None,
    strata: Any = None,
    design: Design | None = None,
    scale: tuple[int, int] | None = None,
    best: str | None = None,
    interval: str | None = None,
    level: float = LEVEL,
    min_cell: int | None = None,
    codebook: Any = None,
) -> Metric:
    """Compute the customer effort score; which end of the scale is good has to be said.

    Parameters
    ----------
    scores, by, column, weights, cluster, strata, design, level, min_cell
        As in `cxstats.nps`.
    direction : {"effort", "ease"}
        ``"effort"``: how much effort was it, low is good. ``"ease"``: it was easy, high is good.
        There is no default, since the same number means the opposite.
    kind : {"mean", "top_box", "top_two_box"}
        The mean answer as it was given (no scale is turned), or the share of the best one or two
        points: the highest of ease, the lowest of effort.
    scale : tuple of int, optional
        Lowest and highest point; without it 1 to 7, which the notes say.
    best : {"high", "low"}, optional
        Which end of the scale is good, where it is not that of the direction: "low" for ease where
        1 is very easy.
    interval
        As in `csat`.
    codebook : Codebook, mapping, path or name, optional
        As in `cxstats.nps`, of kind "ces". Answers whose good end is low are turned; without
        `direction` high is then good ("ease").

    Examples
    --------
    >>> ces([7, 6, 5, 7, 2], "ease", kind="top_two_box").table["estimate"].tolist()
    [0.6]
    >>> ces([7, 6, 5, 7, 2], "effort", kind="top_two_box").table["estimate"].tolist()
    [0.2]
    """
    question = _question(f"ces_{direction}", kind, scale, _best_of(direction, best))
    labels = value_labels(scores, column)
    sampling = Sampling.of(design, weights, cluster, strata)
    answers = read_answers(scores, column, by, sampling, codebook=codebook)
    question = replace(question, labels=labels, turning=notes_of_turning(codebook, column))
    return _rated(question, answers, interval, level, min_cell)


def csat_from_counts(
    counts: Mapping[int, Any],
    *,
    kind: str = "top_two_box",
    scale: tuple[int, int] | None = None,
    best: str = "high",
    by: Any = None,
    interval: str | None = None,
    level: float = LEVEL,
    min_cell: int | None = None,
) -> Metric:
    """Compute customer satisfaction from the count of each answer.

    Parameters
    ----------
    counts : mapping of point to count(s)
        How often each point was chosen, one number or one per group; a point left out was not.
    kind, scale, best, interval, level, min_cell
        As in `csat`; a mean has a t interval.
    by : column of group names, optional

    Examples
    --------
    >>> csat_from_counts({5: 3, 4: 3, 3: 1, 2: 1}).table["estimate"].tolist()
    [0.75]
    """
    question = _question("csat", kind, scale, check_best(best))
    return _counted(question, counts, by, interval, level, min_cell)


def ces_from_counts(  # noqa: PLR0913  (keywords of a public function)
    counts: Mapping[int, Any],
    direction: str,
    *,
    kind: str = "mean",
    scale: tuple[int, int] | None = None,
    best: str | None = None,
    by: Any = None,
    interval: str | None = None,
    level: float = LEVEL,
    min_cell: int | None = None,
) -> Metric:
    """Compute the customer effort score from the count of each answer.

    Parameters as `csat_from_counts` and, of the direction, `ces`.

    Examples
    --------
    >>> ces_from_counts({7: 2, 6: 1, 5: 1, 2: 1}, "ease").table["estimate"].tolist()
    [5.4]
    """
    question = _question(f"ces_{direction}", kind, scale, _best_of(direction, best))
    return _counted(question, counts, by, interval, level, min_cell)


def _best_of(direction: str | None, best: str | None) -> str:
    """Return which end of the scale is good: that of the direction, or what was said."""
    if direction not in DIRECTIONS:
        raise CxError(
            f"direction={direction!r}; allowed: 'effort' (how much effort, low is good) or 'ease' "
            "(it was easy, high is good)"
        )
    return DIRECTIONS[direction] if best is None else check_best(best)


@dataclass(frozen=True, slots=True)
class _Question:
    """A question's scale, and which of its answers count."""

    name: str
    kind: str
    scale: tuple[int, int]
    best: str
    assumed: bool = False
    labels: Mapping[Any, Any] = field(default_factory=dict)
    turning: Sequence[Text] = ()

    def __post_init__(self) -> None:
        if self.kind not in BOXES:
            raise CxError(f"kind={self.kind!r}; allowed: {', '.join(map(repr, BOXES))}")
        integers = all(isinstance(x, int) and not isinstance(x, bool) for x in self.scale)
        if not integers or len(self.scale) != 2 or np.diff(self.scale) < max(1, BOXES[self.kind]):
            turned = integers and len(self.scale) == 2 and self.scale[0] > self.scale[1]
            hint = "; where the lowest is the best answer, say best='low'" if turned else ""
            raise CxError(
                f"scale={self.scale!r}; allowed: lowest and highest point, as in (1, 5){hint}"
            )

    @property
    def high_is_good(self) -> bool:
        """Whether a high answer is good."""
        return self.best == "high"

    @property
    def notes(self) -> list[Text]:
        """Notes on a scale that was not given, and on which of its ends is good."""
        low, high = self.scale
        notes = [both("metric.note.assumed", low=low, high=high)] if self.assumed else []
        notes += self.turning
        if self.turning:  # what the file's labels say is of the answers as they stood
            return notes
        if self.best != USUALLY[self.name]:
            worst, top = (high, low) if self.best == "low" else (low, high)
            notes.append(both("metric.note.best", best=top, worst=worst))
        said, ends = best_by_labels(self.labels, low, high), labelled_ends(self.labels, low, high)
        if said not in (None, self.best) and ends is not None:
            (bottom, first), (top_point, last) = ends
            notes.append(
                both(
                    "metric.note.labels_against", low=f"{bottom:g}", high=f"{top_point:g}",
                    first=first, last=last, best=said,
                )
            )  # fmt: skip
        return notes

    @property
    def cut(self) -> int:
        """The point where the good answers begin."""
        low, high = self.scale
        return high - BOXES[self.kind] + 1 if self.high_is_good else low + BOXES[self.kind] - 1

    def options(self, interval: str | None, level: float, min_cell: int | None) -> Options:
        """Return the options, with the interval that a share or a mean has by itself."""
        of_mean = self.kind == "mean"
        method = interval or ("t" if of_mean else "wilson")
        check_interval(method, MEAN_INTERVALS if of_mean else PROPORTION_INTERVALS)
        return Options(method, level, min_cell)


def _question(name: str, kind: str, scale: tuple[int, int] | None, best: str) -> _Question:
    usual = USUAL["csat" if name == "csat" else "ces"]
    return _Question(name, kind, usual if scale is None else scale, best, scale is None)


def _rated(
    question: _Question, answers: Answers, interval: str | None, level: float, min_cell: int | None
) -> Metric:
    options = question.options(interval, level, min_cell)
    if question.kind == "mean":
        domain = Domain(*question.scale)
        return mean_of(answers, domain, options, question.name, question.kind, notes=question.notes)

    good = Value(plus=lambda x: x >= question.cut if question.high_is_good else x <= question.cut)
    sums = add_up(answers, Domain(*question.scale, integer=True), good)
    return share_result(
        sums, options, name=question.name, kind=question.kind, synthetic=answers.synthetic,
        notes=question.notes,
    )  # fmt: skip


def _counted(
    question: _Question,
    counts: Mapping[int, Any],
    by: Any,
    interval: str | None,
    level: float,
    min_cell: int | None,
) -> Metric:
    options = question.options(interval, level, min_cell)
    low, high = question.scale
    if options.interval == "bca":
        raise CxError("interval='bca' resamples answers; with counts allowed: 't'")
    if not isinstance(counts, Mapping) or not counts:
        raise DataError(f"counts={counts!r}; allowed: how often each answer, as in {{5: 12, 4: 7}}")
    for point in counts:
        if point not in range(low, high + 1):
            raise DataError(f"counts of the answer {point!r}; allowed: points from {low} to {high}")
    by_group = read_counts({str(point): n for point, n in counts.items()}, by)
    points = np.array([int(point) for point in counts], float)[:, None]
    table = np.stack(list(by_group.values.values()))
    n = table.sum(axis=0)
    if not n.sum():
        raise DataError("no answers: every count is 0")
    if question.kind == "mean":
        origin = (low + high) / 2
        distance = points - origin
        sums = Sums.of_counts(
            by_group.groups, n, (table * distance).sum(0), (table * distance**2).sum(0)
        )
        sums = replace(sums, vvv=(table * distance**3).sum(0))
        return means_result(
            sums, origin, options, name=question.name, kind=question.kind, counted=True,
            notes=[*question.notes, *notes_of_few(sums)],
        )  # fmt: skip
    chosen = points >= question.cut if question.high_is_good else points <= question.cut
    good = np.where(chosen, table, 0).sum(axis=0)
    sums = Sums.of_counts(by_group.groups, n, good, good)
    return share_result(
        sums, options, name=question.name, kind=question.kind, counted=True, notes=question.notes
    )
