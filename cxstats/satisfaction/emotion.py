"""Emotion from cognition and behaviour: the one function that formula D02 names, as a regression.

``E = b0 + b1 C + b2 B + e``
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number, format_percent, interval
from cxstats.core.language import Text, both, label
from cxstats.core.moments import bootstrap_moments, check_resamples
from cxstats.satisfaction.formula_registry import origin, published
from cxstats.satisfaction.score import ROUGH
from cxstats.satisfaction.weight_regression import SINGULAR, check_answers
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level
from cxstats.survey.answers import as_pandas, numbers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ROLES = ("cognition", "behaviour")


@dataclass(frozen=True, eq=False)
class Emotion:
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
    remarks : tuple of Text
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
    remarks: tuple[Text, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, in English."""
        return tuple(remark.en for remark in self.remarks)

    def summary(self, lang: str = "en") -> str:
        """Return the coefficients with their intervals."""
        lines = [
            label(
                "satisfaction.emotion.head", lang, outcome=self.columns[0],
                n=format_number(self.n), b=format_number(self.n_resamples), seed=self.seed,
                level=format_percent(100 * self.level, None, lang),
                r2=format_number(self.r_squared, 3),
            )
        ]  # fmt: skip
        lines += [label("servqual.synthetic", lang)] if self.synthetic else []
        lines.append(label("satisfaction.formula", lang, origin=origin("D02").get(lang)))
        for name, row in zip(self._names(lang), self.table.to_dict("records"), strict=True):
            limits = interval(row["ci_low"], row["ci_high"], 3)
            beta = "" if np.isnan(row["beta"]) else f", β = {format_number(row['beta'], 3)}"
            lines.append(f"  {name}: {format_number(row['estimate'], 3)} {limits}{beta}")
        return "\n".join([*lines, *(f"  * {remark.get(lang)}" for remark in self.remarks)])

    def plot(self, ax: Axes | None = None, lang: str = "en", **options: Any) -> Axes:
        """Draw the two coefficients with intervals; see `cxstats.charts.intervals`."""
        from cxstats.charts import intervals

        rows, key = self.table.iloc[1:], "simulated" if self.synthetic else "own"
        given = {
            "source": label(f"chart.survey.{key}", lang, n=format_number(self.n)),
            "axis": label("satisfaction.emotion.axis", lang),
            # Which coefficient is larger depends on the units of the two.
            "title": label(
                "satisfaction.emotion.title", lang,
                share=format_percent(100 * self.r_squared, 0, lang),
            ),
            "synthetic": self.synthetic,
            **options,
        }  # fmt: skip
        return intervals(
            self._names(lang)[1:], rows["estimate"], rows["ci_low"], rows["ci_high"],
            level=self.level, lang=lang, ax=ax, **given,
        )  # fmt: skip

    def _names(self, lang: str) -> list[str]:
        words = [label(f"satisfaction.emotion.{role}", lang) for role in ROLES]
        own = [f"{word} ({name})" for word, name in zip(words, self.columns[1:], strict=True)]
        return [label("satisfaction.estimated.constant", lang), *own]

    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


@published("D02", "given")
def emotion(
    data: Any,
    emotion: str,
    cognition: str,
    behaviour: str,
    *,
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
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
    >>> found = emotion(frame, "feels", "thinks", "does", n_resamples=1000)
    >>> found.table["estimate"].round(2).tolist(), round(found.r_squared, 2)
    ([0.84, 0.63, 0.21], 0.61)
    """
    import pandas as pd

    check_level(level)
    check_resamples(n_resamples, seed)
    frame, columns = as_pandas(data), (emotion, cognition, behaviour)
    if len(set(columns)) < len(columns):
        raise CxError(f"{', '.join(map(repr, columns))}: one column twice")
    matrix = np.column_stack([numbers(frame, name) for name in columns])
    kept = ~np.isnan(matrix).any(axis=1)
    matrix = matrix[kept]
    check_answers(matrix, columns, ("emotion", *ROLES))
    n, lost = len(matrix), int((~kept).sum())
    cov = np.cov(matrix, rowvar=False)
    own, r2 = regressed(matrix.mean(axis=0)[None], cov[None])
    drawn = bootstrap_moments(matrix, n_resamples, seed)
    replicates, _ = regressed(drawn.mean, drawn.cov)
    known = ~np.isnan(replicates).any(axis=1)
    if not known.any():
        raise CxError(f"none of {n_resamples} resamples has a solution; {n} answers are too few")
    low, high = percentile_limits(replicates[known], level)
    sd = np.sqrt(np.diag(cov))
    table = pd.DataFrame(
        {
            "column": ["", cognition, behaviour],
            "estimate": own[0],
            "ci_low": low,
            "ci_high": high,
            "se": replicates[known].std(axis=0, ddof=1) if known.sum() > 1 else np.nan,
            "beta": [np.nan, *(own[0, 1:] * sd[1:] / sd[0])],
            "n": n,
        },
        index=["constant", *ROLES],
    )
    remarks = [both("satisfaction.note.D02")]
    if lost:
        remarks.append(both("satisfaction.note.dropped", k=lost, n=len(frame)))
    if not known.all():
        remarks.append(both("satisfaction.note.failed", k=int((~known).sum()), b=n_resamples))
    if n_resamples < ROUGH:
        remarks.append(both("satisfaction.note.rough", b=n_resamples))
    return Emotion(
        table, float(r2[0]), columns, n, lost, level, n_resamples, seed,
        bool(frame.attrs.get("synthetic")), tuple(remarks),
    )  # fmt: skip


def regressed(mean: Array, cov: Array) -> tuple[Array, Array]:
    """Return the constant and slopes (B, p) of the first variable on the others, and R2 (B,).

    ``b = S_xx^-1 s_xy``, ``b0 = m_y - b'm_x``, ``R2 = b's_xy / s_yy``; NaN where a variable does
    not vary or the others determine it.

    Parameters
    ----------
    mean, cov : arrays (B, p), (B, p, p)

    Examples
    --------
    >>> cov = np.array([[1.0, 0.5, 0.2], [0.5, 1, 0], [0.2, 0, 1]])
    >>> slopes, r2 = regressed(np.array([[3.0, 2, 5]]), cov[None])
    >>> slopes.round(4).tolist(), r2.round(4).tolist()
    ([[1.0, 0.5, 0.2]], [0.29])
    """
    a, b = cov[:, 1:, 1:], cov[:, 1:, 0]
    scale = np.sqrt(np.diagonal(a, axis1=1, axis2=2))
    outer = scale[:, :, None] * scale[:, None, :]
    sound = (outer > 0).all(axis=(1, 2)) & (cov[:, 0, 0] > 0)
    corr = np.where(sound[:, None, None], a, np.eye(a.shape[1])) / np.where(outer > 0, outer, 1)
    sound &= np.linalg.eigvalsh(corr)[:, 0] > SINGULAR
    safe = np.where(sound[:, None, None], a, np.eye(a.shape[1]))
    slopes = np.where(sound[:, None], np.linalg.solve(safe, b[..., None])[..., 0], np.nan)
    constant = mean[:, 0] - (slopes * mean[:, 1:]).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = (slopes * b).sum(axis=1) / cov[:, 0, 0]
    return np.column_stack([constant, slopes]), r2
