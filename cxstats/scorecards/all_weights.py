"""Composites whose weights are lost: what every choice of weights would say (formula A18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import Text, both, label, listed
from cxstats.core.messages import no_column
from cxstats.core.result import Chart, Result
from cxstats.weighting.sensitivity import WeightSensitivity, weight_sensitivity

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 10  # pairs in a summary


@dataclass(frozen=True, eq=False, repr=False)
class AllWeights(Result):
    """Options under every choice of weights.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per option: ``lowest, highest`` (composite over all weights), ``mean`` (expected
        with all weights equally likely, the equal-weights score), ``first_share_any``.
    pairs : pandas.DataFrame
        One row per pair: ``first, second, share`` (of all weightings in which the first is above
        the second), ``always`` (no weights turn the pair).
    scores : pandas.DataFrame
        Options by criteria, costs with the opposite sign.
    costs : tuple of str
    sensitivity : WeightSensitivity or None
        With weights of the user's own: what would turn the order.
    n_draws, seed, synthetic, notes
        As everywhere.
    """

    table: pd.DataFrame
    pairs: pd.DataFrame
    scores: pd.DataFrame
    costs: tuple[str, ...]
    sensitivity: WeightSensitivity | None
    n_draws: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("ranges",)
    reference: ClassVar = (
        "Lahdelma, Hokkanen & Salminen (1998). SMAA - stochastic multiobjective acceptability "
        "analysis. European Journal of Operational Research 106, 137-143."
    )

    def findings(self, lang: str) -> list[str]:
        """Return the range of each option and, of each pair, how often the first one is above."""
        u, k = self.scores.shape
        lines = [label("all_weights.head", lang, u=u, k=k)]
        for name, row in self.table.iterrows():
            lines.append("  " + label(
                "all_weights.row", lang, name=name, low=format_number(row["lowest"], 2),
                high=format_number(row["highest"], 2), mean=format_number(row["mean"], 2),
            ))  # fmt: skip
        lines += [self._pair(row, lang) for _, row in self.pairs.head(SHOWN).iterrows()]
        if self.sensitivity is not None:
            lines.append(label("all_weights.own", lang))
            lines += self.sensitivity.findings(lang)[:2]
        return lines

    def _pair(self, row: pd.Series, lang: str) -> str:
        names = {"first": row["first"], "second": row["second"]}
        if row["always"]:
            return label("all_weights.always", lang, **names)
        share = format_percent(100 * row["share"], 1, lang)
        return label("all_weights.pair", lang, share=share, **names)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the range of each option over all weights."""
        columns = [self.table[name] for name in ("mean", "lowest", "highest")]
        common = {
            "source": label("all_weights.source", lang, u=len(self.table)),
            "synthetic": self.synthetic,
            "axis": label("all_weights.axis", lang),
            "title": self._pair(self.pairs.iloc[0], lang).rstrip(".。"),
            "level": 1.0,
            "reference": round(float(self.table["mean"].mean()), 2),
        }
        return Chart("intervals", (list(map(str, self.table.index)), *columns), common)


def all_weights(
    scores: Any,
    *,
    costs: Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
    units: str | None = None,
    n_draws: int = 10_000,
    seed: int = 1,
) -> AllWeights:
    """Compare options by ``sum_k w_k x_k`` under all weights that are positive and sum to 1.

    For composites whose weights are lost, such as the value of a transformation (formula A18:
    experience, efficiency, business, less cost). The lowest and highest composite put all weight on
    one criterion. With all weights equally likely (uniform on the simplex) the share of weightings
    in which one option is above another says how much the order owes to the weights.

    Parameters
    ----------
    scores : table
        One row per option or year, one column per criterion, all in one unit.
    costs : sequence of str
        Columns that enter with the opposite sign.
    weights : mapping, optional
        Weights of the user's own: the smallest changes that turn their order are added.
    units : str, optional
        A column that names the options.
    n_draws, seed : int
        Draws of weights.

    Returns
    -------
    AllWeights

    Raises
    ------
    DataError
        If a score is missing or no number, an option is named twice, or a column is not there.
    CxError
        If an option is wrong.

    Notes
    -----
    Scores are taken as they are, without errors. Criteria in different units make the composite
    depend on the units: bring them to one scale first. Shares are good to
    ``sqrt(p (1 - p) / n_draws)``, half a point at 10,000 draws.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"experience": [40, 80], "efficiency": [50, 70], "business": [60, 50],
    ...                       "cost": [30, 40]}, index=["2018", "2021"])
    >>> result = all_weights(table, costs=["cost"])
    >>> result.table.loc["2021", ["lowest", "highest"]].tolist()
    [-40.0, 80.0]
    """
    import pandas as pd

    if isinstance(costs, str) or not isinstance(costs, Sequence):
        raise CxError(f"costs={costs!r}; allowed: a list of columns")
    frame = as_pandas(scores)
    names = [str(name) for name in frame.columns if name != units]
    if len(names) < 2:
        raise DataError(f"{len(names)} criteria; at least 2")
    equal = dict.fromkeys(names, 1 / len(names))
    plain = weight_sensitivity(frame, equal, units=units, n_draws=n_draws, seed=seed)
    table = plain.scores.set_axis([str(name) for name in plain.scores.index])
    for name in costs:
        if name not in table.columns:
            raise DataError(no_column(name, table.columns))
        table[name] *= -1
    turned = weight_sensitivity(table, equal, n_draws=n_draws, seed=seed)
    x = table.to_numpy(float)
    ranges = pd.DataFrame(
        {"lowest": x.min(axis=1), "highest": x.max(axis=1), "mean": x.mean(axis=1)},
        index=table.index.rename("option"),
    ).loc[turned.table.index]
    ranges["first_share_any"] = turned.table["first_share_any"]
    swaps = turned.swaps
    pairs = pd.DataFrame({
        "first": swaps["higher"], "second": swaps["lower"],
        "share": _above(table, swaps, turned), "always": swaps["dominated"],
    })  # fmt: skip
    changes = None
    if weights is not None:
        changes = weight_sensitivity(table, weights, n_draws=n_draws, seed=seed)
    notes = [both("all_weights.note.units"), both("all_weights.note.uniform")]
    if costs:
        notes.append(both("all_weights.note.costs", names=listed(costs)))
    return AllWeights(
        ranges.rename_axis("option"), pairs, table, tuple(costs), changes, n_draws, seed,
        plain.synthetic, tuple(notes),
    )  # fmt: skip


def _above(table: pd.DataFrame, swaps: pd.DataFrame, drawn: WeightSensitivity) -> Any:
    """Return the share of drawn weights in which the first of a pair is above the second."""
    first, second = (table.loc[swaps[side]].to_numpy(float) for side in ("higher", "lower"))
    leads = (first - second) @ drawn.draws.T
    size = np.abs(table.to_numpy(float)).max() or 1.0
    return (leads > 1e-12 * size).mean(axis=1) + (np.abs(leads) <= 1e-12 * size).mean(axis=1) / 2
