"""A fit in words."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import label

if TYPE_CHECKING:
    from cxstats.models.sem.result import SemFit


def summary(fit: SemFit, lang: str = "en") -> str:
    """Return the sample, the fit, the problems and the structural paths, a line each.

    Where there is no solution, only the diagnosis.
    """
    lines = [_head(fit, lang)]
    if fit.synthetic:
        lines.append(label("sem.synthetic", lang))
    lines += [label("sem.problem.head", lang, text=p.text(lang)) for p in fit.problems]
    if not fit.sound:
        return "\n".join([*lines, label("sem.none", lang)])
    lines.append(_fit(fit, lang))
    if fit.estimator != "ml" and fit.fit_indices["df"] > 0:
        lines.append(_robust(fit, lang))
    return "\n".join([*lines, *path_lines(fit, lang)])


def _head(fit: SemFit, lang: str) -> str:
    patterns = fit.sample.patterns
    complete = 0 if patterns is None else int(patterns.n[patterns.present.all(axis=1)].sum())
    text = label(
        "sem.head" if patterns is None else "sem.head.incomplete",
        lang,
        n=format_number(fit.n),
        complete=format_number(complete),
        dropped=format_number(fit.sample.dropped),
        q=fit.fit_indices["n_parameters"],
    )
    if len(fit.sample.groups) > 1:
        groups = label("sem.and", lang).join(map(str, fit.sample.groups))
        text += " " + label("sem.groups", lang, names=groups)
    return text


def _fit(fit: SemFit, lang: str) -> str:
    found = fit.fit_indices
    if found["df"] == 0:
        return label("sem.saturated", lang)
    return label(
        "sem.fit",
        lang,
        df=int(found["df"]),
        chisq=format_number(found["chisq"], 2),
        p=p_text(found["p_value"]),
        cfi=f"{found['cfi']:.3f}",
        tli=f"{found['tli']:.3f}",
        rmsea=f"{found['rmsea']:.3f}",
        limits=interval(found["rmsea_ci_low"], found["rmsea_ci_high"], 3),
        srmr=f"{found['srmr']:.3f}",
    )


def _robust(fit: SemFit, lang: str) -> str:
    found = fit.fit_indices
    return label(
        "sem.robust",
        lang,
        estimator=fit.estimator.upper(),
        df=int(found["df"]),
        chisq=format_number(found["chisq_scaled"], 2),
        p=p_text(found["p_value_scaled"]),
        cfi=f"{found['cfi_robust']:.3f}",
        rmsea=f"{found['rmsea_robust']:.3f}",
        limits=interval(found["rmsea_robust_ci_low"], found["rmsea_robust_ci_high"], 3),
    )


def path_lines(fit: SemFit, lang: str) -> list[str]:
    """Return structural paths and defined parameters, or loadings' range without any."""
    rows = fit.table[fit.table["op"].isin(["~", ":="])]
    rows = rows[~fit.table.loc[rows.index, "estimate"].isna()]
    if rows.empty:
        loadings = fit.table[fit.table["op"] == "=~"]["std"].abs()
        if loadings.empty:
            return []
        low, high = format_number(loadings.min(), 2), format_number(loadings.max(), 2)
        return [label("sem.loadings", lang, low=low, high=high)]
    level = format_percent(100 * fit.level, None, lang)
    lines = [label("sem.paths", lang, level=level)]
    for row in rows.itertuples():
        name = row.lhs if row.op == ":=" else f"{row.lhs} ~ {row.rhs}"
        group = f" [{row.group}]" if len(fit.sample.groups) > 1 and row.op == "~" else ""
        std = format_number(row.std, 2) if isfinite(row.std) else "–"
        estimate = format_number(row.estimate, 3) if isfinite(row.estimate) else "–"
        numbers = f"{estimate} {interval(row.ci_low, row.ci_high, 3)}"
        lines.append(f"  {name}{group}: {numbers}, {p_text(row.p_value)}, β = {std}")
    return lines
