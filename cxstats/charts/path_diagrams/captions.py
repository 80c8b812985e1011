"""What a path diagram says: the finding as its title, and the note under it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from cxstats.charts import style
from cxstats.charts.path_diagrams.model import Arrow, PathModel
from cxstats.charts.wording import join_sentences
from cxstats.core.formats import format_number
from cxstats.core.language import label

STRICT = (0.01, 0.001)


def stars(p: float, alpha: float) -> str:
    """Return one star below `alpha`, and one more below each stricter limit (.01, .001).

    Examples
    --------
    >>> stars(0.03, 0.05), stars(0.0005, 0.05), stars(0.2, 0.05), stars(float("nan"), 0.05)
    ('*', '***', '', '')
    """
    return "*" * sum(p < limit for limit in _limits(alpha)) if p < alpha else ""


def _limits(alpha: float) -> list[float]:
    return [alpha, *(limit for limit in STRICT if limit < alpha)]


# Title ----------------------------------------------------------------------------------------


def title_text(model: PathModel, level: dict[str, int], lang: str) -> str:
    """Return the finding: what drives the variable that the model explains best.

    Among the variables with a significant arrow into them it is the one with the highest R²,
    or without R² the one furthest to the right. A measurement model states its loadings.
    """
    if not model.solved:
        return label("chart.path.title.unsolved", lang)
    paths = [arrow for arrow in model.of("path") if not isnan(arrow.std)]
    if not paths:
        return _measurement_title(model, lang)
    if all(isnan(arrow.p) for arrow in paths):
        return _spoken(model, "unknown", max(paths, key=lambda arrow: abs(arrow.std)), lang)
    sure = [arrow for arrow in paths if model.kind(arrow) in ("positive", "negative")]
    if not sure:
        return label("chart.path.title.none", lang)

    def rank(arrow: Arrow) -> tuple[float, int, float]:
        r2 = model.r_squared.get(arrow.end, -1.0)
        return r2, level.get(arrow.end, 0), abs(arrow.std)

    best = max(sure, key=rank)
    several = sum(arrow.end == best.end for arrow in paths) > 1
    finding = _spoken(model, "most" if several else "one", best, lang)
    if best.end in model.r_squared:
        r2 = format_number(model.r_squared[best.end], 2)
        finding += label("chart.path.title.r2", lang, r2=r2)
    return finding


def _spoken(model: PathModel, key: str, arrow: Arrow, lang: str) -> str:
    finding = label(
        f"chart.path.title.{key}",
        lang,
        name=model.name(arrow.end),
        driver=model.name(arrow.start),
        value=format_number(arrow.value, 2),
    )
    # The name of a column stays as it is.
    return style.capital(finding) if arrow.end in model.names else finding


def _measurement_title(model: PathModel, lang: str) -> str:
    higher, items = _estimated(model.of("higher")), _estimated(model.of("item", "cross"))
    behind = {arrow.start for arrow in higher}
    if len(behind) == 1:
        ends = _range([arrow.value for arrow in higher])
        name, n = model.name(behind.pop()), len(higher)
        return label("chart.path.title.higher", lang, name=name, n=n, **ends)
    items = items or higher
    if not items:
        arc = max(_estimated(model.of("arc", "residual")), key=lambda arrow: abs(arrow.std))
        return _spoken(model, "arc", arc, lang)
    n = len({arrow.start for arrow in items})
    key = "chart.path.title.factors" + (".one" if n == 1 else "")
    return label(key, lang, n=n, **_range([arrow.value for arrow in items]))


def _estimated(arrows: Sequence[Arrow]) -> list[Arrow]:
    return [arrow for arrow in arrows if not isnan(arrow.std)]


def _range(values: Sequence[float]) -> dict[str, str]:
    return {"low": format_number(min(values), 2), "high": format_number(max(values), 2)}


# Note -----------------------------------------------------------------------------------------


def note_text(model: PathModel, listed: Sequence[Arrow], note: str | None, lang: str) -> str:
    """Return what a reader must know: the caller's note first, then how to read the picture."""
    notes = [note or ""]
    if model.n_groups > 1:
        notes.append(label("chart.path.note.group", lang, group=model.group, n=model.n_groups))
    if model.solved:
        notes.append(_numbers(model, lang))
        notes.append(label("chart.path.note.width", lang) if model.of("path", "higher") else "")
    else:
        notes.append(label("chart.path.note.unsolved", lang))
    if model.latents:
        notes.append(label("chart.path.note.shapes", lang))
    if model.solved and any(name in model.r_squared for name in model.nodes):
        notes.append(label("chart.path.note.r2", lang))
    if model.tabulated:
        notes.append(label("chart.path.note.table", lang))
    curves = model.of("residual") if model.tabulated else model.of("arc", "residual")
    if len(listed) < len(curves):
        notes.append(label("chart.path.note.arcs", lang))
    if listed:
        notes.append(_listed(model, listed, lang))
    return join_sentences(notes, lang)


def _numbers(model: PathModel, lang: str) -> str:
    kind = "standardised" if model.standardised else "raw"
    if all(isnan(arrow.p) for arrow in model.arrows if arrow.kind not in ("item", "cross")):
        return label(f"chart.path.note.{kind}", lang, levels="")
    comma, semicolon = (", ", "; ") if lang == "en" else ("，", "；")
    levels = comma.join(
        f"{'*' * (i + 1)} p < {format_number(limit)}"
        for i, limit in enumerate(_limits(model.alpha))
    )
    return label(f"chart.path.note.{kind}", lang, levels=semicolon + levels)


def _listed(model: PathModel, listed: Sequence[Arrow], lang: str) -> str:
    pairs = []
    for arrow in listed:
        value = "" if isnan(arrow.std) else " " + format_number(arrow.value, 2)
        pairs.append(f"{model.name(arrow.start)}–{model.name(arrow.end)}{value}")
    return label("chart.path.note.listed", lang, pairs=label("chart.comma", lang).join(pairs))
