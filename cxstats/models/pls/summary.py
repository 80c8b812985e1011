"""A PLS path model in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import label

if TYPE_CHECKING:
    from cxstats.models.pls.result import PlsFit


def summary(fit: PlsFit, lang: str = "en") -> str:
    """Return the sample, the problems, R² and the paths, a line each."""
    kind = "consistent" if fit.consistent else "plain"
    lines = [
        label(
            "pls.head",
            lang,
            kind=label(f"pls.kind.{kind}", lang),
            scheme=label(f"pls.scheme.{fit.scheme}", lang),
            n=format_number(fit.n),
            dropped=format_number(fit.dropped),
            rounds=fit.iterations,
        )
    ]
    if fit.sample.replaced:
        lines.append(label("pls.replaced", lang, count=format_number(fit.sample.replaced)))
    lines += [label("sem.problem.head", lang, text=p.text(lang)) for p in fit.problems]
    if not fit.sound:
        return "\n".join([*lines, label("sem.none", lang)])
    rows: Any = fit.r_squared
    explained = [
        f"{row.construct} {row.r_squared:.3f} ({row.adjusted:.3f})" for row in rows.itertuples()
    ]
    lines.append(label("pls.r_squared", lang, names=label("sem.and", lang).join(explained)))
    return "\n".join([*lines, *_paths(fit, lang)])


def _paths(fit: PlsFit, lang: str) -> list[str]:
    """Return paths and defined parameters, with intervals where there are any."""
    rows: Any = fit.table[fit.table["op"].isin(["~", ":="])]
    boot = fit.inference
    if boot is None:
        lines = [label("pls.paths.alone", lang)]
    else:
        level = format_percent(100 * fit.level, None, lang)
        drawn = format_number(fit.n_resamples)
        lines = [label("pls.paths", lang, level=level, b=drawn, seed=fit.seed)]
        for kind, count in (("failed", boot.n_failed), ("improper", boot.n_improper)):
            if count:
                lines.append(label(f"pls.bootstrap.{kind}", lang, count=format_number(count)))
    own = fit.paths
    sizes = dict(zip(zip(own["lhs"], own["rhs"], strict=True), own["f_squared"], strict=True))
    for row in rows.itertuples():
        text = f"  {row.lhs if row.op == ':=' else f'{row.lhs} ~ {row.rhs}'}: "
        text += format_number(row.estimate, 3)
        if boot is not None:
            text += f" {interval(row.ci_low, row.ci_high, 3)}, {p_text(row.p_value)}"
        if (row.lhs, row.rhs) in sizes:
            text += f", f² = {format_number(sizes[row.lhs, row.rhs], 3)}"
        lines.append(text)
    return lines
