"""The analytic hierarchy process: weights from judgements of pairs, and how consistent they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import is_synthetic
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both, label
from cxstats.core.moments import check_resamples
from cxstats.stats.bootstrap import replicate_means
from cxstats.stats.intervals import check_level
from cxstats.stats.rules import verdict
from cxstats.weighting.pairwise import (
    Judgements,
    consistency_index,
    consistency_ratio,
    contradictions,
    principal,
    read_judgements,
    row_means,
)
from cxstats.weighting.result import Weights, percentiles, weight_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FEW = 5  # judges below which an interval over judges is rough


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Ahp(Weights):
    """Weights from pairwise judgements; a `Weights` with what is known of their consistency.

    Attributes
    ----------
    lambda_max, consistency_index, consistency_ratio : float
        Of the (aggregated) matrix; the ratio is NaN for more than 15 components.
    verdict : Text
        What `rule` says of the ratio.
    judgements : pandas.DataFrame
        The (aggregated) matrix, components by components.
    contradictions : pandas.DataFrame
        One row per pair, the worst first: ``first, second, judgement, ratio, implied, cr_after``.
        `ratio` is the judgement over that of the weights; `implied` what the other judgements say
        of the pair, `cr_after` the consistency ratio with it.
    judges : pandas.DataFrame
        One row per judge: consistency ratio, then the weights of every component.
    rule : str
    """

    lambda_max: float
    consistency_index: float
    consistency_ratio: float
    verdict: Text
    judgements: pd.DataFrame
    contradictions: pd.DataFrame
    judges: pd.DataFrame
    rule: str

    def findings(self, lang: str) -> list[str]:
        """Return weights, consistency and the worst judgement."""
        lines = super().findings(lang)
        k = len(self.judgements)
        if k < 3:
            return lines
        lines.append(
            label(
                "weighting.ahp.cr", lang, cr=_ratio(self.consistency_ratio), k=k,
                verdict=self.verdict.get(lang), lam=format_number(self.lambda_max, 3),
            )
        )  # fmt: skip
        if self.consistency_index > 1e-9:
            worst = self.contradictions.iloc[0]
            lines.append(
                label(
                    "weighting.ahp.worst", lang, first=worst["first"], second=worst["second"],
                    given=_judgement(worst["judgement"]), implied=_judgement(worst["implied"]),
                    cr=_ratio(worst["cr_after"]),
                )
            )  # fmt: skip
        return lines


def ahp(
    judgements: Any,
    names: Sequence[str] | None = None,
    *,
    rule: str = "saaty1980",
    level: float = 0.95,
    n_resamples: int = 2_000,
    seed: int = 1,
) -> Ahp:
    """Weigh components by judgements of pairs: ``A w = lambda_max w``, ``sum w = 1``.

    ``a_ij`` says how many times as important i is as j, on Saaty's scale from 1/9 to 9.
    ``CI = (lambda_max - k) / (k - 1)`` and ``CR = CI / RI`` with the random index RI of Saaty
    (1980). Judgements of several judges are aggregated by their geometric means, which keeps them
    reciprocal (Aczel & Saaty 1983).

    Parameters
    ----------
    judgements : one judge's comparisons, or several judges'
        One judge: a square table (a frame with equal row and column names, or nested lists); its
        upper triangle, with the diagonal or, if `names` are given, without it; or a mapping of
        pairs, ``{("speed", "staff"): 3, ...}``. Numbers or text such as "1/3". Several: a mapping
        of judge to comparisons, or a list of them.
    names : sequence of str, optional
        The components, where the judgements do not name them.
    rule : {"saaty1980"}
        The cut-off of the consistency ratio.
    level, n_resamples, seed
        Percentile bootstrap over judges, expanded for small samples (Hesterberg 2015). One judge
        has no interval; that of a few is wide.

    Returns
    -------
    Ahp
        A mapping of component to weight; ``geometric`` in its table is the second opinion, the
        weights by geometric means of rows.

    Raises
    ------
    DataError
        Naming judge, row, column, value and what is allowed: not positive, off 1/9 to 9, not
        reciprocal, a diagonal that is not 1, a pair that is not compared.

    References
    ----------
    Saaty (1980). The analytic hierarchy process. McGraw-Hill.
    Aczel & Saaty (1983). Procedures for synthesizing ratio judgements. Journal of Mathematical
    Psychology 27, 93-102.
    Hesterberg (2015). What teachers should know about the bootstrap. The American Statistician
    69(4), 371-386.

    Examples
    --------
    >>> result = ahp({("speed", "staff"): 3, ("speed", "price"): 5, ("staff", "price"): 3})
    >>> {name: round(weight, 3) for name, weight in result.items()}
    {'speed': 0.637, 'staff': 0.258, 'price': 0.105}
    >>> round(result.consistency_ratio, 3)
    0.033
    """
    check_level(level)
    check_resamples(n_resamples, seed)
    verdict(0.0, "ahp_cr", rule)  # raises if the rule is unknown
    judged = read_judgements(judgements, names)
    n, k = len(judged.matrices), len(judged.names)
    logs = np.log(judged.matrices)
    matrix = np.exp(logs.mean(axis=0))
    weight, value = principal(matrix)
    replicates = limits = None
    if n > 1:
        drawn = replicate_means(logs.reshape(n, -1), n_resamples, seed).reshape(-1, k, k)
        replicates, wide = (_spread(drawn, logs.mean(axis=0), f) for f in _factors(n, level))
        limits = percentiles(wide, level)
    ratio = float(consistency_ratio(value, k))
    return Ahp(
        table=weight_table(
            judged.names, weight, "ahp", n, limits, replicates, geometric=row_means(matrix)
        ),
        method="ahp",
        basis=both("weighting.basis.ahp"),
        n=n,
        level=level,
        n_resamples=n_resamples if n > 1 else 0,
        seed=seed,
        synthetic=is_synthetic(judgements),
        notes=_notes(judged),
        lambda_max=float(value),
        consistency_index=float(consistency_index(value, k)),
        consistency_ratio=ratio,
        verdict=verdict(ratio, "ahp_cr", rule),
        judgements=_frame(matrix, judged.names),
        contradictions=_contradictions(matrix, judged.names),
        judges=_judges(judged),
        rule=rule,
    )


def _factors(n: int, level: float) -> tuple[float, float]:
    """Return how much wider resampled means have to be, for a standard error and an interval.

    Resampling few judges takes n for n - 1 and the normal for the t distribution:
    ``sqrt(n / (n - 1))``, and that times ``t / z`` (Hesterberg 2015, the expanded percentile
    interval).
    """
    from scipy.stats import norm, t

    small, tail = np.sqrt(n / (n - 1)), (1 + level) / 2
    return float(small), float(small * t.ppf(tail, n - 1) / norm.ppf(tail))


def _spread(drawn: Array, centre: Array, factor: float) -> Array:
    """Return weights of resampled log judgements (B, k, k), spread from their centre."""
    return principal(np.exp(centre + factor * (drawn - centre)))[0]


def _frame(matrix: Array, names: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(matrix, index=list(names), columns=list(names))


def _contradictions(matrix: Array, names: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    pairs = contradictions(matrix)
    rows = {
        "first": [names[i] for i in pairs.first],
        "second": [names[j] for j in pairs.second],
        "judgement": matrix[pairs.first, pairs.second],
        "ratio": pairs.ratio,
        "implied": pairs.implied,
        "cr_after": consistency_ratio(pairs.after, len(names)),
    }
    order = np.argsort(-np.abs(np.log(pairs.ratio)), kind="stable")
    return pd.DataFrame(rows).iloc[order].reset_index(drop=True)


def _judges(judged: Judgements) -> pd.DataFrame:
    import pandas as pd

    weight, value = principal(judged.matrices)
    ratio = consistency_ratio(value, len(judged.names))
    table = pd.DataFrame(weight, index=list(judged.judges), columns=list(judged.names))
    table.insert(0, "consistency_ratio", ratio)
    return table.rename_axis("judge")


def _notes(judged: Judgements) -> tuple[Text, ...]:
    """Return what is rough."""
    notes, n = [], len(judged.judges)
    if n == 1:
        notes.append(both("weighting.note.one_judge"))
    elif n < FEW:
        notes.append(both("weighting.note.few_judges", n=n, least=FEW))
    if judged.rounded:
        notes.append(both("weighting.note.rounded", k=judged.rounded))
    return tuple(notes)


def _ratio(value: float) -> str:
    return format_number(value, 3) if value >= 0 else "–"


def _judgement(value: float) -> str:
    """Return a judgement as people give it: 5, or 1/5.

    Examples
    --------
    >>> _judgement(0.2), _judgement(2.5)
    ('1/5', '2.5')
    """
    if value < 1:
        return "1/" + _judgement(1 / value)
    if abs(value - round(value)) < 1e-9:
        return format_number(round(value), 0)
    return format_number(value, 1)
