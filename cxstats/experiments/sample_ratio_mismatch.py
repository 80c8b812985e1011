"""Did the assignment work? The groups' sizes against the shares that were planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.formats import format_number, format_percent, p_text
from cxstats.core.language import Text, both, label
from cxstats.core.result import Chart, Result
from cxstats.stats.intervals import proportion_interval
from cxstats.stats.rules import RULES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Shares = Mapping[Any, float] | str | None
RULE = RULES["kohavi2020"]
ROUNDED = 0.01 + 1e-9  # how far shares written with two digits may be from 1


@dataclass(frozen=True, eq=False, repr=False)
class SampleRatio(Result):
    """Sizes of the groups against the plan.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per group: ``group, n, share, planned_share, expected_n``.
    statistic, df, p_value : float
        Pearson's chi-square test that the sizes follow the plan.
    mismatch : bool
        Whether the p value is below the cut of `RULE`.
    n : int
    notes : tuple of Text
        What is rough.
    """

    table: pd.DataFrame
    statistic: float
    df: int
    p_value: float
    mismatch: bool
    n: int
    notes: tuple[Text, ...]

    kinds: ClassVar = ("sizes",)
    reference: ClassVar = (
        "Fabijan et al. (2019). Diagnosing sample ratio mismatch in online controlled experiments: "
        "a taxonomy and rules of thumb for practitioners. KDD, 2156-2164."
    )

    def findings(self, lang: str) -> list[str]:
        """Return the check in one line."""
        rows: Any = self.table
        sizes = label("experiment.list", lang).join(
            label(
                "experiment.srm.group",
                lang,
                group=row.group,
                n=format_number(row.n),
                share=format_percent(100 * row.planned_share, 1, lang),
            )
            for row in rows.itertuples()
        )
        key = "experiment.srm.mismatch" if self.mismatch else "experiment.srm.fine"
        cut = f"{RULE.cuts[0]:g}"
        return [label(key, lang, sizes=sizes, p=p_text(self.p_value), cut=cut)]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the groups' shares less the planned ones, with Wilson's intervals."""
        share, n = self.table["share"].to_numpy(float), np.full(len(self.table), float(self.n))
        planned = self.table["planned_share"].to_numpy(float)
        low, high = proportion_interval(share, n)
        outcome = "mismatch" if self.mismatch else "fine"
        keywords = {
            "source": label("metric.source", lang, n=format_number(self.n)),
            "axis": label("experiment.srm.axis", lang),
            "title": label(f"experiment.srm.title.{outcome}", lang, p=p_text(self.p_value)),
        }
        differences = [100 * (shares - planned) for shares in (share, low, high)]
        return Chart("intervals", (list(map(str, self.table["group"])), *differences), keywords)


def sample_ratio(counts: Mapping[Any, int], shares: Shares = "equal") -> SampleRatio:
    """Check the sizes of groups against the shares that were planned.

    ``X^2 = sum((n_g - n s_g)^2 / (n s_g))``, chi-square with groups less 1 degrees of freedom. A p
    value below .001 says that something else than chance assigned or lost visitors (a redirect
    that fails, a filter that works on one side), and that the groups can no longer be compared.

    Parameters
    ----------
    counts : mapping of group to int
        Visitors assigned to each group, whether or not they answered.
    shares : "equal" or mapping of group to number
        The planned shares, which sum to 1 (to .01), or a ratio such as ``{"A": 9, "B": 1}``:
        numbers from 1 upwards, which are scaled.

    Returns
    -------
    SampleRatio

    Raises
    ------
    DataError
        Naming the group and the count or share that is not allowed.

    Notes
    -----
    The cut has no power in small samples: 60 against 40 visitors pass it.

    References
    ----------
    Kohavi, Tang & Xu (2020). Trustworthy online controlled experiments, ch. 21.
    Fabijan et al. (2019). Diagnosing sample ratio mismatch in online controlled experiments. KDD.

    Examples
    --------
    >>> check = sample_ratio({"control": 821_588, "treatment": 815_482})
    >>> round(check.statistic, 2), check.mismatch
    (22.77, True)
    """
    import pandas as pd
    from scipy.special import chdtrc

    groups, n = _counts(counts)
    planned = _planned(groups, shares)
    expected = n.sum() * planned
    statistic = float(((n - expected) ** 2 / expected).sum())
    p = float(chdtrc(len(groups) - 1, statistic))
    notes: tuple[Text, ...] = ()
    if RULES["cochran1954"].band(expected.min()) == 0:
        notes = (both("experiment.srm.few", least=f"{expected.min():.3g}"),)
    table = pd.DataFrame(
        {
            "group": groups,
            "n": n,
            "share": n / n.sum(),
            "planned_share": planned,
            "expected_n": expected,
        }
    )
    total = int(n.sum())
    return SampleRatio(table, statistic, len(groups) - 1, p, bool(RULE.band(p) == 0), total, notes)


def _counts(counts: Mapping[Any, int]) -> tuple[list[Any], NDArray[np.int64]]:
    if not isinstance(counts, Mapping) or len(counts) < 2:
        raise DataError(
            f"counts={counts!r}; allowed: visitors of at least 2 groups, as in {{'A': 50, 'B': 51}}"
        )
    for group, n in counts.items():
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
            raise DataError(f"group {group!r}: {n!r} is no count; allowed: 0, 1, 2, ...")
    if not sum(counts.values()):
        raise DataError("no visitors: every count is 0")
    return list(counts), np.array(list(counts.values()), np.int64)


def _planned(groups: Sequence[Any], shares: Shares) -> Array:
    if isinstance(shares, str):
        if shares != "equal":
            raise DataError(f"shares={shares!r}; allowed: 'equal', or a share for each group")
        return np.full(len(groups), 1 / len(groups))
    if not isinstance(shares, Mapping):
        raise DataError(f"shares={shares!r}; allowed: 'equal', or a share for each group")
    for group in groups:
        if group not in shares:
            raise DataError(f"shares has none for group {group!r}; groups: {_listed(groups)}")
    for group, share in shares.items():
        if group not in groups:
            raise DataError(f"shares names group {group!r}; groups: {_listed(groups)}")
        good = isinstance(share, Real) and not isinstance(share, bool) and isfinite(share)
        if not good or not share > 0:
            raise DataError(f"shares, group {group!r}: {share!r}; allowed: numbers above 0")
    planned = np.array([float(shares[group]) for group in groups])
    if planned.min() < 1 and abs(planned.sum() - 1) > ROUNDED:
        raise DataError(
            f"shares add up to {planned.sum():.4g}; allowed: shares that sum to 1, or a ratio of "
            "numbers from 1 upwards, as in {'A': 9, 'B': 1}"
        )
    return np.asarray(planned / planned.sum())


def _listed(groups: Sequence[Any]) -> str:
    return ", ".join(map(repr, groups[:20]))
