"""Emotion from cognition and behaviour: the one function that formula D02 names, as a regression.

``E = b0 + b1 C + b2 B + e``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.moments import bootstrap_moments, check_resamples
from cxstats.core.result import Chart
from cxstats.satisfaction.formula_registry import published
from cxstats.satisfaction.result import (
    FormulaResult,
    intervals_chart,
    survey_source,
)
from cxstats.satisfaction.score import ROUGH
from cxstats.satisfaction.service_weights import SINGULAR, complete_answers
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level
from cxstats.survey.answers import missing_code_notes
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ROLES = ("cognition", "behaviour")


@dataclass(frozen=True, eq=False, repr=False)
class Emotion(FormulaResult):
    """How emotion goes with cognition and behaviour.

    Attributes
    ----------
    table : pandas.DataFrame
        Rows "constant", "cognition", "behaviour": ``column, estimate, ci_low, ci_high, se, beta,
        n``. Intervals are percentile bootstrap; `beta` is the coefficient per standard deviation.
    r_squared : float
        Share of the variance of emotion.
    columns : tuple of str
        Emotion, cognition, behaviour, as the table of the data calls them.
    n, n_left_out : int
        Respondents used; those with a missing answer.
    level, n_resamples, seed, synthetic
    notes : tuple of Text
        What a reader must know.
    """

    table: pd.DataFrame
    r_squared: float
    columns: tuple[str, str, str]
    n: int
    n_left_out: int
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    formula: ClassVar = "D02"
    kinds: ClassVar = ("intervals",)
    codes: ClassVar = {"term": "satisfaction.term.{}"}

    def findings(self, lang: str) -> list[str]:
        """Return the coefficients with their intervals."""
        head = label(
            "satisfaction.emotion.head", lang, outcome=self.columns[0],
            n=format_number(self.n), b=format_number(self.n_resamples), seed=self.seed,
            level=format_percent(100 * self.level, None, lang),
            r2=format_number(self.r_squared, 3),
        )  # fmt: skip
        lines = [head, *self.formula_lines(lang)]
        for name, row in zip(self._names(lang), self.table.to_dict("records"), strict=True):
            key = "satisfaction.emotion.row"
            values = {
                "name": name,
                "value": format_number(row["estimate"], 3),
                "interval": interval(row["ci_low"], row["ci_high"], 3),
            }
            if np.isfinite(row["beta"]):
                key = "satisfaction.emotion.row.beta"
                values["beta"] = format_number(row["beta"], 3)
            lines.append(label(key, lang, **values))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the two coefficients with intervals."""
        # Which coefficient is larger depends on the units of the two.
        share = format_percent(100 * self.r_squared, 0, lang)
        return intervals_chart(
            self._names(lang)[1:],
            self.table.iloc[1:],
            self.level,
            source=survey_source(self.n, self.synthetic, lang),
            axis=label("satisfaction.emotion.axis", lang),
            title=label("satisfaction.emotion.title", lang, share=share),
            synthetic=self.synthetic,
        )

    def _names(self, lang: str) -> list[str]:
        """Return the words for the constant and the two predictors, with their columns."""
        predictors = [
            label(
                "satisfaction.named", lang, name=label(f"satisfaction.term.{role}", lang),
                column=column,
            )
            for role, column in zip(ROLES, self.columns[1:], strict=True)
        ]  # fmt: skip
        return [label("satisfaction.term.constant", lang), *predictors]


@published("D02", "given")
@by_codebook()
def emotion(
    data: Any,
    emotion: str,
    cognition: str,
    behaviour: str,
    *,
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
    codebook: Any = None,
) -> Emotion:
    """Regress emotion on cognition and behaviour, ``E = b0 + b1 C + b2 B + e``.

    Formula D02: document 004, 1.2.2: ``Emotion = f(Cognition, Behaviour)`` (status: given). The
    form of f is open; a linear one, fitted by least squares, is our choice. Where the three are
    constructs of several items, `cxstats.pls` or `cxstats.sem` takes their measurement error into
    account, which here draws the coefficients towards 0.

    Parameters
    ----------
    data : pandas, Polars, PyArrow table or DuckDB relation
        Respondents in rows.
    emotion, cognition, behaviour : str
        Columns.
    level, n_resamples, seed
        Confidence level, bootstrap resamples of respondents, their seed.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes and direction; that its sampling design is left out the notes
        say.

    Returns
    -------
    Emotion

    Raises
    ------
    DataError
        If a column is missing, holds no numbers or does not vary, fewer than four answers are
        complete, or cognition and behaviour say the same.

    Notes
    -----
    Percentile intervals of resampled respondents do not need equal variances. In 4,000 samples
    of 100 with errors that grow with cognition, those of 95 % covered 92.6 to 94.0 %; intervals
    of least squares, which assume equal variances, 86.0 to 95.6 %.

    Examples
    --------
    >>> import pandas as pd
    >>> x = np.random.default_rng(1).normal(5, 1, (400, 2))
    >>> frame = pd.DataFrame(x, columns=["thinks", "does"])
    >>> frame["feels"] = 1 + x @ [0.6, 0.2] + np.random.default_rng(2).normal(0, 0.5, 400)
    >>> result = emotion(frame, "feels", "thinks", "does", n_resamples=1000)
    >>> result.table["estimate"].round(2).tolist(), round(result.r_squared, 2)
    ([0.84, 0.63, 0.21], 0.61)
    """
    import pandas as pd

    check_level(level)
    check_resamples(n_resamples, seed)
    frame, columns = as_pandas(data), (emotion, cognition, behaviour)
    matrix = complete_answers(frame, columns, ("emotion", *ROLES))
    n, n_left_out = len(matrix), len(frame) - len(matrix)
    cov = np.cov(matrix, rowvar=False)
    coefficients, r2 = regress(matrix.mean(axis=0)[None], cov[None])
    drawn = bootstrap_moments(matrix, n_resamples, seed)
    replicates, _ = regress(drawn.mean, drawn.cov)
    replicates = replicates[~np.isnan(replicates).any(axis=1)]
    n_solved = len(replicates)
    if not n_solved:
        raise CxError(f"none of {n_resamples} resamples has a solution; {n} answers are too few")
    low, high = percentile_limits(replicates, level)
    sd = np.sqrt(np.diag(cov))
    table = pd.DataFrame(
        {
            "column": ["", cognition, behaviour],
            "estimate": coefficients[0],
            "ci_low": low,
            "ci_high": high,
            "se": replicates.std(axis=0, ddof=1) if n_solved > 1 else np.nan,
            "beta": [np.nan, *(coefficients[0, 1:] * sd[1:] / sd[0])],
            "n": n,
        },
        index=pd.Index(["constant", *ROLES], name="term"),
    )
    n_failed = n_resamples - n_solved
    return Emotion(
        table=table,
        r_squared=float(r2[0]),
        columns=columns,
        n=n,
        n_left_out=n_left_out,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=bool(frame.attrs.get("synthetic")),
        notes=(
            both("satisfaction.note.D02"),
            *note_if(n_left_out > 0, "satisfaction.note.dropped", k=n_left_out, n=len(frame)),
            *note_if(n_failed > 0, "satisfaction.note.failed", k=n_failed, b=n_resamples),
            *missing_code_notes(dict(zip(columns, matrix.T, strict=True))),
            *note_if(n_resamples < ROUGH, "satisfaction.note.rough", b=n_resamples),
        ),
    )


def regress(mean: Array, cov: Array) -> tuple[Array, Array]:
    """Return the constant and slopes (B, p) of the first variable on the others, and R2 (B,).

    ``b = S_xx^-1 s_xy``, ``b0 = m_y - b'm_x``, ``R2 = b's_xy / s_yy``; NaN where a variable does
    not vary or the others determine it.

    Parameters
    ----------
    mean, cov : arrays (B, p), (B, p, p)

    Examples
    --------
    >>> cov = np.array([[1.0, 0.5, 0.2], [0.5, 1, 0], [0.2, 0, 1]])
    >>> slopes, r2 = regress(np.array([[3.0, 2, 5]]), cov[None])
    >>> slopes.round(4).tolist(), r2.round(4).tolist()
    ([[1.0, 0.5, 0.2]], [0.29])
    """
    a, b = cov[:, 1:, 1:], cov[:, 1:, 0]
    scale = np.sqrt(np.diagonal(a, axis1=1, axis2=2))
    outer = scale[:, :, None] * scale[:, None, :]
    solvable = (outer > 0).all(axis=(1, 2)) & (cov[:, 0, 0] > 0)
    corr = np.where(solvable[:, None, None], a, np.eye(a.shape[1])) / np.where(outer > 0, outer, 1)
    solvable &= np.linalg.eigvalsh(corr)[:, 0] > SINGULAR
    regular = np.where(solvable[:, None, None], a, np.eye(a.shape[1]))
    slopes = np.where(solvable[:, None], np.linalg.solve(regular, b[..., None])[..., 0], np.nan)
    constant = mean[:, 0] - (slopes * mean[:, 1:]).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = (slopes * b).sum(axis=1) / cov[:, 0, 0]
    return np.column_stack([constant, slopes]), r2
