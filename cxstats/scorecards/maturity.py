"""Maturity of technology, organisation and culture for each success factor (formula A22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.cases.files import case_folder, read_rows
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import listing, no_column, row_name
from cxstats.core.result import Chart, Result
from cxstats.scorecards.additive import fit_additive
from cxstats.stats.intervals import check_level, t_interval
from cxstats.stats.weights import check_weights
from cxstats.survey.answers import numbers
from cxstats.weighting.sensitivity import WeightSensitivity, weight_sensitivity

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LAYERS = ("technology", "organisation", "culture")
READINGS = ("mean", "min")
MOST = 30  # factors


@dataclass(frozen=True, eq=False, repr=False)
class MaturityMatrix(Result):
    """Maturity scores of factors by layers, and what they amount to.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per factor: ``weight, technology, organisation, culture`` (means over judges),
        ``mean, minimum`` of the three.
    readings : pandas.DataFrame
        One row per reading of formula A22, "mean" and "min": ``estimate, ci_low, ci_high`` over
        judges, and ``lowest, highest`` over all weights.
    layers : pandas.DataFrame
        One row per layer: weighted mean ``estimate, ci_low, ci_high`` over judges, ``lowest,
        highest`` over all weights, ``clear`` (below both others beyond the judges' noise).
    texts : mapping of (factor, layer) to Text
        What is printed for each cell; empty for factors of the user's own.
    names : mapping of str to Text
        Factors.
    weights : dict of str to float
    scale : tuple of two numbers
    n_judges : int
    level, synthetic, notes
        As everywhere.
    """

    table: pd.DataFrame
    readings: pd.DataFrame
    layers: pd.DataFrame
    texts: Mapping[tuple[str, str], Text]
    names: Mapping[str, Text]
    weights: dict[str, float]
    scale: tuple[float, float]
    n_judges: int
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("matrix",)
    codes: ClassVar = {"reading": "maturity.reading.{}", "layer": "maturity.layer.{}"}

    @property
    def weakest(self) -> str | None:
        """The layer that is below both others beyond the judges' noise; None where none is."""
        clear = self.layers.index[self.layers["clear"]]
        return str(clear[0]) if len(clear) else None

    def by_weights(self, **options: Any) -> WeightSensitivity:
        """Rank the layers under all weights of the factors, see `cxstats.weight_sensitivity`."""
        scores = self.table[list(LAYERS)].T
        scores.attrs["synthetic"] = self.synthetic
        return weight_sensitivity(scores, self.weights, **options)

    def translated(self, lang: str | None = None) -> dict[str, pd.DataFrame]:
        """Return the tables with factors in `lang`."""
        tables = super().translated(lang)
        tables["table"] = tables["table"].rename(index=lambda name: self.names[name].get(lang))
        return tables

    def findings(self, lang: str) -> list[str]:
        """Return both readings and the weakest layer."""
        lines = [label("maturity.head", lang, n=len(self.table), m=self.n_judges)]
        for reading, row in self.readings.iterrows():
            lines.append("  " + label(
                "maturity.row", lang, name=label(f"maturity.reading.{reading}", lang),
                value=_value(row), low=format_number(row["lowest"], 2),
                high=format_number(row["highest"], 2),
            ))  # fmt: skip
        for layer, row in self.layers.iterrows():
            lines.append("  " + label(
                "maturity.row", lang, name=label(f"maturity.layer.{layer}", lang),
                value=_value(row), low=format_number(row["lowest"], 2),
                high=format_number(row["highest"], 2),
            ))  # fmt: skip
        return [*lines, self.lead(lang)]

    def lead(self, lang: str) -> str:
        """Return which layer is the weakest, and how sure that is."""
        if self.weakest is not None:
            name = label(f"maturity.layer.{self.weakest}", lang)
            level = format_percent(100 * self.level, None, lang)
            return label("maturity.weakest", lang, name=name, level=level)
        lowest = self.layers["estimate"] == self.layers["estimate"].min()
        if lowest.sum() > 1:
            return label("maturity.tie", lang)
        name = label(f"maturity.layer.{self.layers.index[lowest][0]}", lang)
        key = "maturity.lowest.one" if self.n_judges < 2 else "maturity.lowest"
        return label(key, lang, name=name)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the matrix as a heat map."""
        return Chart("maturity_heatmap", (self,), {})


def maturity_matrix(
    scores: Any,
    weights: Mapping[str, float] | str | None = None,
    *,
    factor: str = "factor",
    judge: str | None = None,
    scale: tuple[float, float] = (1, 5),
    level: float = 0.95,
) -> MaturityMatrix:
    """Compute the synergy of technology, organisation and culture from maturity scores.

    In both readings of formula A22 (reconstructed, low confidence): ``sum_k w_k mean(T_k, O_k,
    C_k)`` and ``sum_k w_k min(T_k, O_k, C_k)``, which penalises imbalance. The weights of the four
    printed factors are printed; maturity scores are not, and are the user's.

    Parameters
    ----------
    scores : table
        One row per factor, or per judge and factor, with the columns ``technology, organisation,
        culture``.
    weights : mapping of factor to weight, or "equal", optional
        Summing to 1 or 100; without it the printed ones, of the printed factors (in English or
        Chinese).
    factor, judge : str
        Columns that name the factor and, of several judges, the judge.
    scale : pair of numbers
        Lowest and highest possible score.
    level : float

    Returns
    -------
    MaturityMatrix

    Raises
    ------
    DataError
        If a column is missing, a score is missing, no number or outside the scale, or a judge has
        not scored every factor once.
    CxError
        If weights are lacking or an option is wrong.

    Notes
    -----
    With several judges each reading is computed for each judge; the intervals are Student's over
    judges, so of the readings of other judges of the same kind. A layer is the weakest if it is
    below both others by Tukey's simultaneous intervals, judges being blocks. One judge has no
    interval. The minimum of noisy scores is biased downwards.

    Examples
    --------
    >>> import pandas as pd
    >>> names = ["data-driven decisions", "agile iteration", "customer centricity",
    ...          "open ecosystem"]
    >>> scores = pd.DataFrame({"factor": names, "technology": [4, 4, 3, 3],
    ...                        "organisation": [3, 3, 3, 2], "culture": [2, 2, 3, 1]})
    >>> maturity_matrix(scores).readings["estimate"].round(3).tolist()
    [2.8, 2.05]
    """
    import pandas as pd

    check_level(level)
    low_end, high_end = _check_scale(scale)
    frame = as_pandas(scores)
    synthetic = bool(frame.attrs.get("synthetic"))
    for name in (factor, *LAYERS, *([judge] if judge is not None else [])):
        if name not in frame.columns:
            raise DataError(no_column(name, frame.columns))
    factors, judges, values = _block(frame, factor, judge, low_end, high_end)
    printed = _printed()
    names = {name: printed.names.get(name, Text(name, name)) for name in factors}
    share = _weights(weights, factors)
    w = np.array([share[name] for name in factors])
    means = values.mean(axis=0)
    readings = np.stack([values.mean(axis=2), values.min(axis=2)], axis=2)  # judges, factors, 2
    layer_totals = np.einsum("jfl,f->jl", values, w)
    table = pd.DataFrame(
        {"weight": w, **{layer: means[:, i] for i, layer in enumerate(LAYERS)},
         "mean": readings.mean(axis=0)[:, 0], "minimum": readings.mean(axis=0)[:, 1]},
        index=pd.Index(factors, name="factor"),
    )  # fmt: skip
    m = len(judges)
    clear = np.zeros(len(LAYERS), bool)
    if m > 1:
        difference, _, distinct = fit_additive(layer_totals).pairs(level)
        clear = (distinct & (difference < 0)).sum(axis=1) == len(LAYERS) - 1
    layers = _with_limits(layer_totals, means, LAYERS, "layer", level).assign(clear=clear)
    of_readings = _with_limits(np.einsum("jfr,f->jr", readings, w), readings.mean(axis=0),
                               READINGS, "reading", level)  # fmt: skip
    return MaturityMatrix(
        table=table,
        readings=of_readings,
        layers=layers,
        texts={(name, layer): printed.texts[name, layer] for name in factors for layer in LAYERS
               if (name, layer) in printed.texts},
        names=names,
        weights=share,
        scale=(low_end, high_end),
        n_judges=m,
        level=level,
        synthetic=synthetic,
        notes=(
            both("maturity.note.reconstructed"),
            *note_if(weights is None, "maturity.note.printed"),
            *note_if(m == 1, "maturity.note.one"),
            *note_if(1 < m < 5, "maturity.note.few", m=m),
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Printed:
    """The printed matrix: names, cells, weights, and the English name of every spelling."""

    names: dict[str, Text]
    texts: dict[tuple[str, str], Text]
    weights: dict[str, float]
    english: dict[str, str]


@cache
def _printed() -> _Printed:
    columns = ["factor_en", "factor_zh", "weight"]
    columns += [f"{layer}_{lang}" for layer in LAYERS for lang in ("en", "zh")]
    rows = [row for _, row in read_rows(case_folder() / "tables" / "synergy_matrix.csv",
                                        tuple(columns))]  # fmt: skip
    return _Printed(
        {row["factor_en"]: Text(row["factor_en"], row["factor_zh"]) for row in rows},
        {(row["factor_en"], layer): Text(row[f"{layer}_en"], row[f"{layer}_zh"])
         for row in rows for layer in LAYERS},
        {row["factor_en"]: float(row["weight"]) for row in rows},
        {row[f"factor_{lang}"]: row["factor_en"] for row in rows for lang in ("en", "zh")},
    )  # fmt: skip


def _check_scale(scale: tuple[float, float]) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in scale)
    except (TypeError, ValueError):
        low, high = 0.0, 0.0
    if not (np.isfinite([low, high]).all() and low < high):
        raise CxError(f"scale={scale!r}; allowed: two numbers, the lowest score and the highest")
    return low, high


def _block(
    frame: pd.DataFrame, factor: str, judge: str | None, low: float, high: float
) -> tuple[list[str], list[str], Array]:
    """Return factors, judges and scores (judges, factors, layers); raise for what is wrong."""
    english = _printed().english
    spelled = [str(name).strip() for name in frame[factor]]
    names = [english.get(name, name) for name in spelled]
    who = [str(name).strip() for name in frame[judge]] if judge is not None else [""] * len(frame)
    factors, judges = list(dict.fromkeys(names)), list(dict.fromkeys(who))
    if not 2 <= len(factors) <= MOST:
        raise DataError(f"column {factor!r}: {len(factors)} factors; allowed: 2 to {MOST}")
    columns = np.column_stack([numbers(frame, layer) for layer in LAYERS])
    values = np.full((len(judges), len(factors), len(LAYERS)), np.nan)
    for i, (person, name) in enumerate(zip(who, names, strict=True)):
        where = row_name(frame.index, i)
        for j, layer in enumerate(LAYERS):
            score = columns[i, j]
            if np.isnan(score):
                raise DataError(f"{where}, column {layer!r}: no score; every cell needs one")
            if not low <= score <= high:
                raise DataError(
                    f"{where}, column {layer!r}: {score:g}; allowed: {low:g} to {high:g}, see scale"
                )
        place = judges.index(person), factors.index(name)
        if np.isfinite(values[place][0]):
            by = "; name the judges' column with judge=" if judge is None else f" by {person!r}"
            raise DataError(f"{where}: factor {name!r} is scored twice{by}")
        values[place] = columns[i]
    lacking = np.argwhere(np.isnan(values[:, :, 0]))
    if len(lacking):
        person, name = judges[lacking[0][0]], factors[lacking[0][1]]
        raise DataError(f"judge {person!r} has not scored factor {name!r}; every judge scores all")
    return factors, judges, values


def _weights(weights: Any, factors: list[str]) -> dict[str, float]:
    printed = _printed()
    if hasattr(weights, "to_dict"):
        weights = weights.to_dict()
    if weights is None:
        if set(factors) != set(printed.weights):
            raise CxError(
                f"weights: printed are those of {listing(printed.weights)}; of other factors give "
                "your own, or 'equal'"
            )
        return {name: printed.weights[name] for name in factors}
    if isinstance(weights, str) and weights == "equal":
        return dict.fromkeys(factors, 1 / len(factors))
    if not isinstance(weights, Mapping):
        raise CxError(f"weights={weights!r}; allowed: a weight for each factor, or 'equal'")
    named = {printed.english.get(str(name), str(name)): value for name, value in weights.items()}
    return check_weights(named, factors)


def _with_limits(
    totals: Array, by_factor: Array, names: tuple[str, ...], what: str, level: float
) -> pd.DataFrame:
    """Return means over judges with intervals, and their range over all weights.

    A weighted mean is smallest and largest where one factor has all the weight.
    """
    import pandas as pd

    m = len(totals)
    mean = totals.mean(axis=0)
    limits = np.full((2, len(names)), np.nan)
    if m > 1:
        se = totals.std(axis=0, ddof=1) / np.sqrt(m)
        limits = np.array(t_interval(mean, se, np.full(len(names), m - 1.0), level))
    return pd.DataFrame(
        {"estimate": mean, "ci_low": limits[0], "ci_high": limits[1],
         "lowest": by_factor.min(axis=0), "highest": by_factor.max(axis=0)},
        index=pd.Index(names, name=what),
    )  # fmt: skip


def _value(row: pd.Series) -> str:
    ends = interval_text(row["ci_low"], row["ci_high"])
    return f"{format_number(row['estimate'], 2)} {'' if ends == '–' else ends}".strip()
