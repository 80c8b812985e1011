"""What a sensitivity analysis of weights says, in words and as charts."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cxstats.weighting.sensitivity import WeightSensitivity


def summary(result: WeightSensitivity, lang: str) -> str:
    """Return the ranking and what would turn it."""
    table, pairs = result.table, result.swaps
    first, second = (str(name) for name in table.index[:2])
    top = pairs.iloc[0]
    digits = _digits(table["score"].to_numpy(float))
    lines = [
        label(
            "weighting.sensitivity.head", lang, u=len(table), k=len(result.weights), first=first,
            score=format_number(table["score"].iloc[0], digits), second=second,
            lead=format_number(top["lead"], digits),
        ),
        _swap(top, first, second, lang),
    ]  # fmt: skip
    lines += [label("servqual.synthetic", lang)] if result.synthetic else []
    if np.isfinite(result.concentration):
        lines.append(
            label(
                "weighting.sensitivity.near", lang, first=first, b=format_number(result.n_draws),
                share=_share(table["first"].iloc[0], lang), seed=result.seed,
                c=format_number(result.concentration, 0 if result.concentration >= 10 else 1),
            )
        )  # fmt: skip
    lines.append(
        label(
            "weighting.sensitivity.any", lang, first=first,
            share=_share(table["first_any"].iloc[0], lang),
            n=int(pairs["dominated"].sum()), pairs=len(pairs),
        )
    )  # fmt: skip
    for name, row in table.iterrows():
        line = f"  {row['rank']:.0f}. {name}: {format_number(row['score'], digits)}"
        if np.isfinite(row["rank_low"]):
            line += label(
                "weighting.sensitivity.ranks", lang,
                low=int(row["rank_low"]), high=int(row["rank_high"]),
            )  # fmt: skip
        lines.append(line)
    return "\n".join([*lines, *(f"  * {note}" for note in result.notes)])


def _digits(scores: NDArray[np.float64]) -> int:
    """Return decimals that show three digits: 7.10, 71.0, 0.316."""
    size = float(np.abs(scores).max())
    return min(max(2 - floor(log10(size)), 0), 6) if size > 0 else 0


def _swap(row: pd.Series, first: str, second: str, lang: str) -> str:
    """Say what would make the first two tie."""
    names = {"first": first, "second": second}
    if row["dominated"]:
        return label("weighting.sensitivity.dominated", lang, **names)
    if row["lead"] == 0:
        return label("weighting.sensitivity.tie", lang, **names)
    moved = format_number(100 * row["moved"], 1)
    if not isinstance(row["criterion"], str):
        return label("weighting.sensitivity.several", lang, **names, moved=moved)
    return label(
        "weighting.sensitivity.swap", lang, **names, moved=moved, criterion=row["criterion"],
        before=_share(row["weight"], lang), after=_share(row["weight_at_swap"], lang),
    )  # fmt: skip


def _share(value: float, lang: str) -> str:
    return format_percent(100 * value, 1, lang)


def draw(
    result: WeightSensitivity, kind: str, ax: Axes | None, lang: str, options: dict[str, Any]
) -> Axes:
    """Draw one of the three charts; see `WeightSensitivity.plot`."""
    source = label("weighting.sensitivity.source", lang, u=len(result.scores))
    given: dict[str, Any] = {"source": source, "synthetic": result.synthetic, "lang": lang,
                             "ax": ax}  # fmt: skip
    known = np.isfinite(result.concentration)
    if kind == "simplex":
        from cxstats.charts.simplex import weight_simplex

        if len(result.weights) != 3:
            raise CxError(f"{len(result.weights)} criteria; a triangle of weights shows exactly 3")
        given |= {
            "units": list(result.table.index),
            "criteria": list(result.weights),
            "draws": result.draws[:1000] if known else None,
        }
        scores = result.scores.loc[result.table.index].to_numpy(float)
        weights = np.array(list(result.weights.values()))
        return weight_simplex(scores, weights / weights.sum(), **given | options)
    if kind == "tornado":
        from cxstats.charts.tornado import tornado

        unit = options.pop("unit", result.table.index[0])
        rows = result.tornado(unit)
        given["axis"] = label("weighting.sensitivity.score", lang, unit=unit)
        names = [
            label(
                "weighting.sensitivity.range", lang, name=row.criterion,
                low=format_percent(100 * row.low, 0, lang),
                high=format_percent(100 * row.high, 0, lang),
            )
            for row in _rows(rows)
        ]  # fmt: skip
        base = float(rows["base"].iloc[0])
        ends = rows[["score_low", "score_high"]].to_numpy(float)
        # Three digits, and as many more as it takes to tell the ends of the widest bar apart.
        given["decimals"] = max(_digits(ends), _digits(rows["swing"].to_numpy(float)) - 1)
        return tornado(names, rows["score_low"], rows["score_high"], base, **given | options)
    return _ranks(result, known, lang, given, options)


def _rows(table: pd.DataFrame) -> Any:
    return table.itertuples()


def _ranks(
    result: WeightSensitivity, known: bool, lang: str, given: dict[str, Any],
    options: dict[str, Any],
) -> Axes:  # fmt: skip
    """Draw expected ranks over the draws, with the interval of ranks."""
    from cxstats.charts import intervals

    ends = [(1 - result.level) / 2, (1 + result.level) / 2]
    if known:
        rows = result.table.sort_values("expected_rank", kind="stable")
        expected, low, high = rows["expected_rank"], rows["rank_low"], rows["rank_high"]
    else:
        rows = result.table.sort_values("expected_rank_any", kind="stable")
        expected = rows["expected_rank_any"]
        parts = result.acceptability.pivot(index="unit", columns="rank", values="share_any")
        upto = parts.loc[rows.index].cumsum(axis=1).to_numpy()
        low, high = ((upto < end - 1e-12).sum(axis=1) + 1.0 for end in ends)
    kind = "near" if known else "any"
    leader = result.table.index[0]
    share = result.table["first" if known else "first_any"].iloc[0]
    given |= {
        "axis": label(f"weighting.sensitivity.axis.{kind}", lang),
        "title": label(
            f"weighting.sensitivity.title.{kind}", lang, name=leader, share=_share(share, lang)
        ),
        "reference": 1.0,
        "decimals": 1,
        "level": result.level,
    }
    return intervals(map(str, rows.index), expected, low, high, **given | options)
