"""Results in words: what `.summary()` and notebooks show."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import label
from cxstats.stats.rules import verdict

if TYPE_CHECKING:
    from cxstats.service.reliability import Reliability
    from cxstats.service.servqual import Servqual


def servqual_summary(result: Servqual, lang: str) -> str:
    """Return the findings of a SERVQUAL or SERVPERF analysis."""
    table = result.table
    head = label(
        f"servqual.head.{result.measure}",
        lang,
        n=result.n_respondents,
        level=format_percent(100 * result.level, None, lang),
        b=format_number(result.n_resamples),
        seed=result.seed,
        weights=label(f"servqual.weights.{result.weights}", lang),
    )
    lines = [head] + ([label("servqual.synthetic", lang)] if result.synthetic else [])
    for name, row in table.iterrows():
        title = _score(result, str(name), lang)
        estimate = format_number(row[result.measure], 2, sign=result.measure == "gap")
        line = (
            f"  {title}: {estimate} {interval(row['ci_low'], row['ci_high'])}, n = {row['n']:.0f}"
        )
        if result.measure == "gap":
            line += f", {p_text(row['p_adjusted'])}, d = {_or_dash(row['effect_size'], 2)}, "
            line += label("servqual.reliability", lang, r=_or_dash(row["reliability"], 2))
        lines.append(line)
    if result.comparisons is not None:
        lines.append(_groups(result, lang))
    return "\n".join([*lines, *(f"  * {note}" for note in result.notes)])


def _score(result: Servqual, name: str, lang: str) -> str:
    return (
        label("servqual.overall", lang) if name == "Overall" else result.codebook.label(name, lang)
    )


def _groups(result: Servqual, lang: str) -> str:
    assert result.comparisons is not None
    found = result.comparisons[result.comparisons["p_adjusted"] < 1 - result.level]
    words = [
        f"{_score(result, row['score'], lang)}: {row['group']} - {row['other']} "
        f"{format_number(row['estimate'], 2, True)} {interval(row['ci_low'], row['ci_high'])}"
        for _, row in found.iterrows()
    ]
    head = label("servqual.groups", lang, n=len(result.comparisons), k=len(found), by=result.by)
    return "\n".join([head, *(f"  {line}" for line in words)])


def reliability_summary(result: Reliability, lang: str) -> str:
    """Return the findings of a reliability analysis."""
    level = format_percent(100 * result.level, None, lang)
    lines = [label("reliability.head", lang, level=level)]
    if result.synthetic:
        lines.append(label("servqual.synthetic", lang))
    for name, row in result.table.iterrows():
        title = result.codebook.label(str(name), lang)
        if row["n_items"] < 2:
            lines.append(label("reliability.single", lang, name=title, n=f"{row['n']:.0f}"))
            continue
        lines.append(
            label(
                "reliability.row",
                lang,
                name=title,
                alpha=format_number(row["alpha"], 3),
                interval=interval(row["alpha_ci_low"], row["alpha_ci_high"], 3),
                verdict=verdict(row["alpha"], "alpha").get(lang),
                omega=_or_dash(row["omega"]),
                cr=_or_dash(row["cr"]),
                ave=_or_dash(row["ave"]),
                k=f"{row['n_items']:.0f}",
                n=f"{row['n']:.0f}",
            )
        )
    close = result.htmt[result.htmt["below_one"].eq(False)]
    for _, row in close.iterrows():
        pair = [result.codebook.label(row[side], lang) for side in ("first", "second")]
        value = format_number(row["htmt"], 3)
        lines.append(
            label(
                "reliability.close",
                lang,
                first=pair[0],
                second=pair[1],
                htmt=value,
                interval=interval(row["ci_low"], row["ci_high"], 3),
            )
        )
    return "\n".join([*lines, *(f"  ! {problem}" for problem in result.problems)])


def _or_dash(value: float, decimals: int = 3) -> str:
    return "–" if isnan(value) else format_number(value, decimals)
