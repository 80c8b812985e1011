"""The outcome of an audit: how many figures of each case agree, disagree, cannot be checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxstats.cases import Audit

COLOURS = {
    "agrees": style.GOOD,
    "contradicted": style.BAD,
    "consistent": "#009E73",
    "recomputed": "#56B4E9",
    "derived": "#F0E442",
    "as_reported": "#CC79A7",
    "stated": "#D5D8DC",
    "lost": "#3C3C3C",
}
MANY, FEW = 12, 3  # with more cases, those with fewer figures share a row


def verdicts(
    audit: Audit, *, title: str | None = None, lang: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the verdicts of an audit, one bar per case, the case with most figures first.

    Of more than twelve cases those with one or two figures share the last row.

    Parameters
    ----------
    audit : Audit
        The result of `cxstats.audit`.
    title : str, optional
        The finding. Without it: how many of the checkable figures add up, and how many of the
        others at least pass a check against other figures.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.
    """
    lang = drawable(lang)
    cases = _cases(audit, lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 8.6, 2.3 + 0.26 * len(cases))
        for y, verdicts_of_case in enumerate(reversed(cases.values())):
            _case_bar(ax, y, verdicts_of_case)
        entries = {
            label("chart.entry.count", lang, name=label(f"verdict.{verdict}", lang), n=n): colour
            for verdict, colour in COLOURS.items()
            if (n := audit.counts[verdict])
        }
        ax.legend(
            handles=style.patches(entries),
            loc="lower right",
            bbox_to_anchor=(1, 0.02),
            borderaxespad=0,
        )
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_yticks(range(len(cases)), reversed([*cases]), size=9)
        ax.tick_params(axis="y", length=0)
        ax.margins(y=0.02)
        ax.set_xlabel(label("chart.verdicts.axis", lang))
        n, derived = len(audit.facts), audit.counts["derived"]
        key = "chart.verdicts.source" if audit.checks else "chart.verdicts.own"
        source = label(key, lang, n=n, derived=derived, published=n - derived)
        return style.finish(ax, standalone, title or _title(audit, lang), source, lang)


def _cases(audit: Audit, lang: str) -> dict[str, list[str]]:
    """Return the verdicts on the figures of each case, the largest case first."""
    verdicts_of: dict[str, list[str]] = {}
    for fact in audit.facts:
        verdicts_of.setdefault(fact.fact.case.get(lang), []).append(fact.verdict)
    cases = dict(sorted(verdicts_of.items(), key=lambda case: -len(case[1])))
    if len(cases) <= MANY:
        return cases
    large = {case: verdicts for case, verdicts in cases.items() if len(verdicts) >= FEW}
    small = [verdicts for verdicts in cases.values() if len(verdicts) < FEW]
    if len(small) > 1:
        pooled = label("chart.verdicts.small", lang, n=len(small), most=FEW - 1)
        return {**large, pooled: [verdict for verdicts in small for verdict in verdicts]}
    return cases


def _case_bar(ax: Axes, y: int, verdicts_of_case: Sequence[str]) -> None:
    """Draw the verdicts on the figures of one case, and how many figures it has."""
    start = 0
    for verdict, colour in COLOURS.items():
        n = verdicts_of_case.count(verdict)
        if n:
            ax.barh(y, n, 0.72, start, color=colour, edgecolor="white", linewidth=0.8)
        start += n
    ax.annotate(str(start), (start, y), (4, 0), textcoords="offset points", va="center", size=9)


def _title(audit: Audit, lang: str) -> str:
    printed = [
        fact.published is not None
        and fact.agrees is not None
        and fact.recomputed_change is not None
        for fact in audit.facts
    ]
    return label(
        "chart.verdicts.title",
        lang,
        agree=audit.counts["agrees"],
        printed=sum(printed),
        disagree=audit.disagree,
        unchecked=audit.unchecked,
        passed=audit.counts["consistent"],
    )
