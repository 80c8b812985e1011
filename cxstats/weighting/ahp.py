"""The analytic hierarchy process: weights from judgements of pairs, and how consistent they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.formats import format_number
from cxstats.core.language import Text, label
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
    read,
    row_means,
)
from cxstats.weighting.result import Weights, percentiles, weight_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FEW = 5  # judges below which an interval over judges is rough


@dataclass(frozen=True, eq=False, repr=False)
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

    def summary(self, lang: str = "en") -> str:
        """Return weights, consistency and the worst judgement in words."""
        lines = [super().summary(lang)]
        k = len(self.judgements)
        if k > 2:
            ratio = self.consistency_ratio
            lines.append(
                label(
                    "weighting.ahp.cr", lang, cr=format_number(ratio, 3) if ratio >= 0 else "–",
                    verdict=self.verdict.get(lang), lam=format_number(self.lambda_max, 3), k=k,
                )
            )  # fmt: skip
        if k > 2 and self.consistency_index > 1e-9:
            worst = self.contradictions.iloc[0]
            lines.append(
                label(
                    "weighting.ahp.worst", lang, first=worst["first"], second=worst["second"],
                    given=_judgement(worst["judgement"]), implied=_judgement(worst["implied"]),
                    cr=format_number(worst["cr_after"], 3) if worst["cr_after"] >= 0 else "–",
                )
            )  # fmt: skip
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()


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
    >>> found = ahp({("speed", "staff"): 3, ("speed", "price"): 5, ("staff", "price"): 3})
    >>> {name: round(weight, 3) for name, weight in found.items()}
    {'speed': 0.637, 'staff': 0.258, 'price': 0.105}
    >>> round(found.consistency_ratio, 3)
    0.033
    """
    check_level(level)
    check_resamples(n_resamples, seed)
    verdict(0.0, "ahp_cr", rule)  # refuses a rule that there is not
    given = read(judgements, names)
    count, k = len(given.matrices), len(given.names)
    logs = np.log(given.matrices)
    matrix = np.exp(logs.mean(axis=0))
    weight, value = principal(matrix)
    replicates = limits = None
    if count > 1:
        drawn = replicate_means(logs.reshape(count, -1), n_resamples, seed).reshape(-1, k, k)
        replicates, wide = (_spread(drawn, logs.mean(axis=0), f) for f in _factors(count, level))
        limits = percentiles(wide, level)
    ratio = float(consistency_ratio(value, k))
    return Ahp(
        table=weight_table(
            given.names, weight, "ahp", count, limits, replicates, geometric=row_means(matrix)
        ),
        method="ahp",
        what="pairwise judgements",
        n=count,
        level=level,
        n_resamples=n_resamples if count > 1 else 0,
        seed=seed,
        synthetic=bool(getattr(judgements, "attrs", {}).get("synthetic")),
        notes=_notes(given),
        lambda_max=float(value),
        consistency_index=float(consistency_index(value, k)),
        consistency_ratio=ratio,
        verdict=verdict(ratio, "ahp_cr", rule),
        judgements=_frame(matrix, given.names),
        contradictions=_contradictions(matrix, given.names),
        judges=_judges(given),
        rule=rule,
    )


def _factors(count: int, level: float) -> tuple[float, float]:
    """Return how much wider resampled means have to be, for a standard error and an interval.

    Resampling few judges takes n for n - 1 and the normal for the t distribution:
    ``sqrt(n / (n - 1))``, and that times ``t / z`` (Hesterberg 2015, the expanded percentile
    interval).
    """
    from scipy.stats import norm, t

    small, tail = np.sqrt(count / (count - 1)), (1 + level) / 2
    return float(small), float(small * t.ppf(tail, count - 1) / norm.ppf(tail))


def _spread(drawn: Array, centre: Array, factor: float) -> Array:
    """Return weights of resampled log judgements (B, k, k), spread from their centre."""
    return principal(np.exp(centre + factor * (drawn - centre)))[0]


def _frame(matrix: Array, names: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(matrix, index=list(names), columns=list(names))


def _contradictions(matrix: Array, names: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    found = contradictions(matrix)
    rows = {
        "first": [names[i] for i in found.first],
        "second": [names[j] for j in found.second],
        "judgement": matrix[found.first, found.second],
        "ratio": found.ratio,
        "implied": found.implied,
        "cr_after": consistency_ratio(found.after, len(names)),
    }
    order = np.argsort(-np.abs(np.log(found.ratio)), kind="stable")
    return pd.DataFrame(rows).iloc[order].reset_index(drop=True)


def _judges(given: Judgements) -> pd.DataFrame:
    import pandas as pd

    weight, value = principal(given.matrices)
    ratio = consistency_ratio(value, len(given.names))
    table = pd.DataFrame(weight, index=list(given.judges), columns=list(given.names))
    table.insert(0, "consistency_ratio", ratio)
    return table.rename_axis("judge")


def _notes(given: Judgements) -> tuple[str, ...]:
    """Say what is rough."""
    notes, count = [], len(given.judges)
    if count == 1:
        notes.append("one judge: no interval")
    elif count < FEW:
        notes.append(f"intervals over {count} judges are rough; take {FEW} or more")
    if given.rounded:
        notes.append(
            f"{given.rounded} pairs are reciprocal up to rounding; the side above 1 was taken"
        )
    return tuple(notes)


def _judgement(value: float) -> str:
    """Write a judgement as people give it: 5, or 1/5.

    Examples
    --------
    >>> _judgement(0.2), _judgement(2.5)
    ('1/5', '2.5')
    """

    def shown(number: float) -> str:
        whole = abs(number - round(number)) < 1e-9
        return format_number(round(number) if whole else number, 0 if whole else 1)

    return shown(value) if value >= 1 else "1/" + shown(1 / value)
