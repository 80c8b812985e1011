"""Contact points scored from feedback and internal data: step four of six of journey mapping.

The six steps are those of section 3.1 of the study of service blueprints: define customer roles,
find contact points, design the journey, score quality, improve, act and watch. The source prints
neither scale nor weights nor scores; all of them come from the user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, label, listed, note_if
from cxstats.core.messages import excerpt, listing, row_name
from cxstats.core.result import Chart, Result
from cxstats.stats.intervals import check_level
from cxstats.stats.means import MeanOptions, Means, interval_notes

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.journeys.blueprint.analysis import Blueprint

    Array = NDArray[np.float64]

TINY = 1e-12  # relative: rounding
STEPS = ("roles", "contact_points", "journey", "score", "improve", "watch")


@dataclass(frozen=True, eq=False, repr=False)
class ContactScores(Result):
    """Scores of the contact points of a blueprint.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per scored contact point, in the order of the blueprint: ``element, name, layer, n,
        feedback`` (mean), ``internal`` (as passed), ``estimate`` (weighted), ``ci_low, ci_high, se,
        rank`` (1 is the lowest), ``bottleneck`` (whether it may be the lowest).
    steps : pandas.DataFrame
        ``step, done, n``: what the blueprint and the scores hold for each of the six
        steps.
    blueprint : Blueprint
    weights : mapping of str to float
        Of feedback and internal data.
    scale : (float, float)
    level : float
    synthetic : bool
        Whether the blueprint is made up.
    notes : tuple of Text
    """

    table: pd.DataFrame
    steps: pd.DataFrame
    blueprint: Blueprint
    weights: Mapping[str, float]
    scale: tuple[float, float]
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("chain", "intervals")
    codes: ClassVar = {"layer": "blueprint.word.{}", "step": "blueprint.step.{}"}

    def _names(self, ids: Sequence[str], lang: str) -> list[str]:
        return [self.blueprint.name_of(name, lang) for name in ids]

    @property
    def bottleneck(self) -> tuple[str, ...]:
        """The contact points that may be the lowest; one alone is the bottleneck for certain."""
        return tuple(self.table.loc[self.table["bottleneck"], "element"])

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with names in `lang`."""
        return self.table.assign(
            name=[self.blueprint.name_of(name, lang) for name in self.table["element"]]
        )

    def findings(self, lang: str) -> list[str]:
        """Return the bottleneck and the scores."""
        low, high = (format_number(end) for end in self.scale)
        lines = [label(
            "blueprint.scores.head", lang, n=len(self.table), low=low, high=high,
            level=format_percent(100 * self.level, None, lang),
        ), self.headline(lang)]  # fmt: skip
        for _, row in self.table.iterrows():
            lines.append(label(
                "blueprint.scores.row", lang,
                name=self.blueprint.name_of(row["element"], lang),
                score=format_number(row["estimate"], 2),
                interval="" if isnan(row["ci_low"]) else interval(row["ci_low"], row["ci_high"]),
                n=row["n"],
            ))  # fmt: skip
        undone = self.steps[~self.steps["done"]]["step"]
        if len(undone):
            names = listed(label(f"blueprint.step.{step}", lang) for step in undone).get(lang)
            lines.append(label("blueprint.scores.undone", lang, steps=names))
        return lines

    def headline(self, lang: str) -> str:
        """Return which contact point is the bottleneck, or which may be."""
        names = self._names(self.bottleneck, lang)
        if len(names) == 1:
            return label("blueprint.scores.bottleneck", lang, name=names[0])
        if len(names) == len(self.table):
            return label("blueprint.scores.none", lang)
        return label("blueprint.scores.candidates", lang, names=listed(names).get(lang))

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the chain with its scores, or the scores with their intervals."""
        names = self._names(self.table["element"].tolist(), lang)
        shared = {
            "title": self.headline(lang).strip(),
            "source": label("blueprint.scores.source", lang, n=int(self.table["n"].max()),
                            blueprint=self.blueprint.source(lang)),
            "synthetic": self.synthetic,
        }  # fmt: skip
        estimates = [self.table[key].tolist() for key in ("estimate", "ci_low", "ci_high")]
        if kind == "intervals":
            axis = label("blueprint.scores.axis", lang, low=format_number(self.scale[0]),
                         high=format_number(self.scale[1]))  # fmt: skip
            return Chart("intervals", (names, *estimates), {
                **shared, "axis": axis, "level": self.level,
                "reference": round(float(np.mean(estimates[0])), 2),
            })  # fmt: skip
        elements = [self.blueprint.specification.element(e) for e in self.table["element"]]
        return Chart("contact_chain", ([element.name for element in elements],), {
            **shared,
            "places": [element.contact_place for element in elements],
            "modes": [element.mode for element in elements],
            "scores": estimates[0], "ci_low": estimates[1], "ci_high": estimates[2],
            "scale": self.scale, "marked": self.table["bottleneck"].tolist(), "level": self.level,
        })  # fmt: skip


def score(  # noqa: PLR0913
    blueprint: Blueprint,
    feedback: Any,
    scale: Sequence[float],
    *,
    internal: Mapping[str, float] | None = None,
    weights: Mapping[str, float] | None = None,
    level: float = 0.95,
    interval: str = "t",
    n_resamples: int = 5_000,
    seed: int = 1,
) -> ContactScores:
    """Score contact points from respondents' answers and internal data; name the bottleneck.

    The score is ``w_f mean + w_i internal`` with weights that add up to 1. A contact point i may be
    the bottleneck, the lowest of all, unless another one is lower by a one-sided t test of the
    difference at level ``(1 - level) / (k - 1)`` (a sign test where every respondent puts the two
    equally far apart). Whatever the scores, the truly lowest one is left
    out in at most ``1 - level`` of samples: only its k - 1 comparisons can do so. One candidate
    alone is the bottleneck with certainty of that level.

    Parameters
    ----------
    blueprint : Blueprint
    feedback : table
        One row per respondent, one column per contact point under its id, empty where a respondent
        did not answer. High is good. The same respondents score several points, so differences
        are paired.
    scale : (float, float)
        Lowest and highest score; the source prints none.
    internal : mapping of id to number, optional
        A score from internal data (records of times, failures) of every contact point in
        `feedback`, on the same scale; taken as exact.
    weights : mapping, optional
        ``{"feedback": ..., "internal": ...}``; needed beside `internal`, since the source prints
        none. Scaled to add up to 1.
    level : float
    interval : {"t", "hall", "bca"}
        Of the means, see `cxstats.stats.means`.
    n_resamples, seed : int
        Of "bca".

    Returns
    -------
    ContactScores

    Raises
    ------
    DataError
        Naming column and row, if an answer is no number or outside of the scale.
    CxError
        If a column is no element, or an option is wrong.

    References
    ----------
    Gupta (1965). On some multiple decision (selection and ranking) rules. Technometrics 7, 225-245.

    Examples
    --------
    >>> import pandas as pd
    >>> from cxstats.journeys.blueprint.analysis import blueprint as read
    >>> bank = read("bank_branch")
    >>> answers = pd.DataFrame({"receive": [4, 5, 4, 5, 4, 5], "answer": [2, 3, 2, 2, 3, 2]})
    >>> scores = score(bank, answers, scale=(1, 5))
    >>> scores.table["estimate"].round(2).tolist(), scores.bottleneck
    ([4.5, 2.33], ('answer',))
    """
    import pandas as pd

    check_level(level)
    low, high = _checked_scale(scale)
    frame = as_pandas(feedback)
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    ids = [name for name in blueprint.order if name in set(frame.columns)]
    _check_columns(frame, blueprint)
    options = MeanOptions(level, interval, n_resamples, seed, bounds=(low, high))
    values = _answers(frame, ids, low, high)
    means = Means.of(values, options)
    records, shares = _internal(internal, weights, ids, (low, high))
    estimates = shares["feedback"] * means.mean + shares["internal"] * records
    # Internal scores are taken as exact: they move the limits and narrow them by the weight.
    limits = [shares["feedback"] * limit + shares["internal"] * records
              for limit in means.limits(options)]  # fmt: skip
    candidates = may_be_lowest(means, estimates, shares["feedback"], level)
    elements = [blueprint.specification.element(name) for name in ids]
    table = pd.DataFrame({
        "element": ids,
        "name": [element.name.en for element in elements],
        "layer": [element.layer for element in elements],
        "n": means.n.astype(int),
        "feedback": means.mean,
        "internal": records if internal is not None else np.nan,
        "estimate": estimates, "ci_low": limits[0], "ci_high": limits[1],
        "se": shares["feedback"] * means.se,
        "rank": pd.Series(estimates).rank(method="min").astype(int),
        "bottleneck": candidates,
    })  # fmt: skip
    contacts = [e.id for e in blueprint.specification.elements if e.layer == "frontstage"]
    unscored = [blueprint.specification.element(name).name for name in contacts if name not in ids]
    notes = [
        *interval_notes([e.name for e in elements], means.n, means.skewness, interval),
        *note_if(bool(unscored), "blueprint.scores.note.unscored",
                 names=Text(listed(n.en for n in unscored).en, listed(n.zh for n in unscored).zh)),
        *note_if(internal is not None, "blueprint.scores.note.internal"),
    ]  # fmt: skip
    return ContactScores(
        table, _steps(blueprint, table), blueprint, shares, (low, high), level,
        blueprint.synthetic, tuple(notes),
    )  # fmt: skip


def may_be_lowest(means: Means, scores: Array, weight: float, level: float) -> NDArray[np.bool_]:
    """Return which scores (k,) may be the lowest in the population.

    Parameters
    ----------
    means : Means
        Of the feedback of k contact points.
    scores : array (k,)
        ``weight * mean`` and what is exact.
    weight : float
        Of the feedback.
    level : float
        Least share of samples in which the truly lowest one is among them.
    """
    from scipy.special import stdtrit

    k = len(scores)
    if k == 1:
        return np.array([True])
    u = weight * means.influence
    # Pairs answered by the same respondents are paired; others add their variances.
    products = u.T @ u
    spread = np.diag(products)[:, None] + np.diag(products)[None, :] - 2 * products
    n = np.minimum.outer(means.n, means.n)
    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.sqrt(np.maximum(spread, 0) * n / (n - 1))
        t = (scores[:, None] - scores[None, :]) / se
    tail = (1 - level) / (k - 1)
    varies = se > TINY * max(1.0, float(np.abs(scores).max()))
    higher = scores[:, None] - scores[None, :] > TINY * max(1.0, float(np.abs(scores).max()))
    # Where all respondents differ by the same, the sign test tells.
    alike = ~varies & higher & (0.5**n <= tail)
    beaten = (n > 1) & np.where(varies, t > stdtrit(np.maximum(n - 1, 1), 1 - tail), alike)
    return np.asarray(~beaten.any(axis=1))


def _checked_scale(scale: Any) -> tuple[float, float]:
    if (
        isinstance(scale, str)
        or not isinstance(scale, Sequence)
        or len(scale) != 2
        or not all(isinstance(end, int | float) and not isinstance(end, bool) for end in scale)
        or not -np.inf < scale[0] < scale[1] < np.inf
    ):
        raise CxError(f"scale={excerpt(scale)}; allowed: lowest and highest score, such as (1, 5)")
    return float(scale[0]), float(scale[1])


def _check_columns(frame: pd.DataFrame, blueprint: Blueprint) -> None:
    ids = [element.id for element in blueprint.specification.elements]
    if not set(frame.columns) & set(ids):
        raise CxError(f"no column of feedback is an element; elements: {listing(ids, 30)}")
    unknown = [column for column in frame.columns if column not in ids]
    if unknown:
        raise CxError(
            f"feedback: column {excerpt(unknown[0])} is not an element; keep the columns of "
            f"contact points alone; elements: {listing(ids, 30)}"
        )
    if frame.columns.has_duplicates:
        raise CxError(f"feedback: column {excerpt(frame.columns[frame.columns.duplicated()][0])} "
                      "stands there twice")  # fmt: skip


def _answers(frame: pd.DataFrame, ids: Sequence[str], low: float, high: float) -> Array:
    """Return the answers (n, k), NaN where empty."""
    import pandas as pd

    columns = []
    for name in ids:
        cells = frame[name]
        numbers = pd.to_numeric(cells, errors="coerce") if cells.dtype != bool else cells * np.nan
        values = numbers.to_numpy(float, na_value=np.nan)
        bad = (np.isnan(values) & cells.notna().to_numpy()) | (values < low) | (values > high)
        if bad.any():
            place = int(np.flatnonzero(bad)[0])
            cell = cells.iloc[place]
            raise DataError(
                f"feedback, {row_name(frame.index, place)}, column {excerpt(name)}: "
                f"{excerpt(cell.item() if hasattr(cell, 'item') else cell)} is not allowed; "
                f"allowed: numbers from {low:g} to {high:g}, empty where there is no answer"
            )
        if np.isnan(values).all():
            raise DataError(f"feedback, column {excerpt(name)}: no answers")
        columns.append(values)
    return np.column_stack(columns)


def _internal(
    internal: Any, weights: Any, ids: Sequence[str], scale: tuple[float, float]
) -> tuple[Array, dict[str, float]]:
    """Return the internal scores (k,) and the weights of both."""
    if internal is None:
        if weights is not None:
            raise CxError("weights without internal; allowed: both, or feedback alone")
        return np.zeros(len(ids)), {"feedback": 1.0, "internal": 0.0}
    if not isinstance(internal, Mapping) or set(internal) != set(ids):
        raise CxError(
            f"internal is {excerpt(internal)}; allowed: a mapping with a score of each of "
            f"{listing(ids, 30)}"
        )
    for name, value in internal.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not scale[0] <= value <= scale[1]:
            raise CxError(
                f"internal: {excerpt(name)} has {excerpt(value)}; allowed: numbers from "
                f"{scale[0]:g} to {scale[1]:g}"
            )
    keys = {"feedback", "internal"}
    if (
        not isinstance(weights, Mapping)
        or set(weights) != keys
        or not all(isinstance(w, int | float) and 0 < w < np.inf for w in weights.values())
    ):
        raise CxError(
            f"weights={excerpt(weights)}; allowed: {{'feedback': ..., 'internal': ...}}, above 0; "
            "the source prints none"
        )
    total = sum(weights.values())
    return np.array([float(internal[name]) for name in ids]), {
        key: weights[key] / total for key in ("feedback", "internal")
    }


def _steps(blueprint: Blueprint, table: pd.DataFrame) -> pd.DataFrame:
    """Return what is there for each of the six steps."""
    import pandas as pd

    spec = blueprint.specification
    contacts = [e for e in spec.elements if e.layer == "frontstage"]
    candidates = [spec.element(name) for name in table.loc[table["bottleneck"], "element"]]
    watched = blueprint.standards[blueprint.standards["verdict"] != "not_measured"]
    counts = {
        "roles": int(any(spec.customer)),
        "contact_points": len(contacts),
        "journey": len(spec.pairs("flow")),
        "score": len(table),
        "improve": sum(any(element.improvement) for element in candidates),
        "watch": len(watched),
    }
    rows = [(step, counts[step] > 0, counts[step]) for step in STEPS]
    return pd.DataFrame(rows, columns=["step", "done", "n"])
