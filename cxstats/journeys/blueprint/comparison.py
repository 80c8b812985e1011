"""Two blueprints of one service compared: before and after a redesign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose, isnan, nan
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.result import Chart, Result
from cxstats.journeys.blueprint.analysis import (
    Blueprint,
    check_blueprint,
    metric_name,
)
from cxstats.journeys.blueprint.elements import Element, Flow, Measured, Standard
from cxstats.operations.timestamps import SECONDS
from cxstats.stats.intervals import difference_interval, t_interval

if TYPE_CHECKING:
    import pandas as pd

TEXTS = ("name", "owner", "mode", "sign", "weak_link", "description")
VALUES, LIMITS = ("before", "after", "estimate"), ("ci_low", "ci_high")
LISTED = 30  # changes in the summary
ROUNDING = 1e-12  # relative


class Change(NamedTuple):
    """One row of the comparison."""

    change: str
    item: str
    element: str
    target: str = ""
    metric: str = ""
    text_before: str = ""
    text_after: str = ""
    before: float = nan
    after: float = nan
    ci_low: float = nan
    ci_high: float = nan


@dataclass(frozen=True, eq=False, repr=False)
class BlueprintComparison(Result):
    """What a new blueprint changes.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per change: ``change`` ("added", "removed", "moved", "changed"), ``item`` (element,
        flow, layer, stage, order, time, wait, failure_share, cost, standard, or a text such as
        owner), ``element`` (its id; of a flow where it begins), ``target`` (where a flow ends),
        ``metric`` (of a standard),
        ``text_before, text_after`` (layer, stage, owner ...; of an order the
        elements that it now comes before), ``before, after, estimate`` (after
        less before; times in the new blueprint's unit), ``ci_low, ci_high``.
    totals : pandas.DataFrame
        ``measure, unit, before, after, estimate, ci_low, ci_high`` of lead time, waiting share and
        expected loss.
    old, new : Blueprint
    level : float
    synthetic : bool
        Whether one of the two is made up.
    notes : tuple of Text
    """

    table: pd.DataFrame
    totals: pd.DataFrame
    old: Blueprint
    new: Blueprint
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {
        "change": "blueprint.change.{}",
        "item": "blueprint.item.{}",
        "measure": "blueprint.measure.{}",
        "metric": "blueprint.metric.{}",
        "unit": "process.unit.{}",
        "text_before": "blueprint.word.{}",
        "text_after": "blueprint.word.{}",
    }
    reference: ClassVar = Blueprint.reference

    @property
    def kinds(self) -> tuple[str, ...]:
        """The dumbbells of lead time, waiting share and loss."""
        return () if self.totals.empty else ("totals",)

    def _name(self, row: pd.Series[Any], lang: str) -> str:
        sides = (self.new, self.old) if row["change"] != "removed" else (self.old, self.new)
        ids = [name for name in (row["element"], row["target"]) if name]
        names = [next(side for side in sides if side.has(n)).name_of(n, lang) for n in ids]
        return label("blueprint.arrow", lang).join(names)

    def findings(self, lang: str) -> list[str]:
        """Return the changes."""
        n = self.table["change"].value_counts()
        counts = {key: int(n.get(key, 0)) for key in ("added", "removed", "moved", "changed")}
        level = format_percent(100 * self.level, None, lang)
        lines = [label("blueprint.compare.head", lang, level=level, **counts)]
        lines += [self._total_line(row, lang) for _, row in self.totals.iterrows()]
        lines += [self._line(row, lang) for _, row in self.table.iloc[:LISTED].iterrows()]
        more = len(self.table) - LISTED
        return [*lines, *([label("blueprint.compare.more", lang, n=more)] if more > 0 else [])]

    def _total_line(self, row: pd.Series[Any], lang: str) -> str:
        values, limits = (row[list(keys)].tolist() for keys in (VALUES, LIMITS))
        return label(
            "blueprint.compare.total", lang,
            measure=label(f"blueprint.measure.{row['measure']}", lang),
            change=_numbers(values, limits, row["unit"] == "share", lang),
            unit=_unit_name(row["unit"], lang),
        ).rstrip()  # fmt: skip

    def _line(self, row: pd.Series[Any], lang: str) -> str:
        item = label(f"blueprint.item.{row['item']}", lang)
        if row["metric"]:
            item = label(
                "blueprint.compare.standard",
                lang,
                metric=metric_name(
                    row["metric"], [self.new.specification, self.old.specification], lang
                ),
            )
        name = self._name(row, lang)
        if row["change"] in ("added", "removed") and row["item"] in ("element", "flow"):
            key = f"blueprint.compare.{row['change']}"
            return label(key, lang, item=item, element=name)
        if row["item"] == "order":
            ids = row["text_after"].split("; ")
            plain = all(map(self.new.has, ids))  # an id may hold the separator
            texts = [self.new.name_of(e, lang) for e in ids] if plain else [row["text_after"]]
            names = listed(texts).get(lang)
            return label("blueprint.compare.order", lang, element=name, names=names)
        if row["text_before"] or row["text_after"]:
            sides = ((self.old, row["text_before"]), (self.new, row["text_after"]))
            before, after = (_text_in(side, row, text, lang) for side, text in sides)
            change = f"{before} → {after}"
        else:
            values, limits = (row[list(keys)].tolist() for keys in (VALUES, LIMITS))
            share = "failure_share" in (row["item"], row["metric"])
            change = _numbers(values, limits, share, lang)
        return label("blueprint.compare.row", lang, element=name, item=item, change=change)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return lead time, waiting share and loss before and after."""
        import pandas as pd

        rows = []
        for _, row in self.totals.iterrows():
            share = row["unit"] == "share"
            scale = 100 if share else 1
            unit = "%" if share else _unit_name(row["unit"], lang)
            measure = label(f"blueprint.measure.{row['measure']}", lang)
            rows.append({
                "indicator": label("blueprint.indicator", lang, measure=measure, unit=unit)
                if unit else measure,
                "before": round(scale * row["before"], 1),
                "after": round(scale * row["after"], 1),
                "change": _difference_text(
                    row["estimate"], (row["ci_low"], row["ci_high"]), share, lang
                ),
                "better": "down",
            })  # fmt: skip
        options = {"source": self.new.source(lang), "synthetic": self.synthetic}
        tested = self.totals.dropna(subset=["ci_low", "ci_high"])
        if len(tested):
            clear = int(((tested["ci_low"] > 0) | (tested["ci_high"] < 0)).sum())
            options["title"] = label("blueprint.compare.title", lang, k=clear, n=len(tested))
        return Chart("before_after", (pd.DataFrame(rows),), options)


def _text_in(side: Blueprint, row: pd.Series[Any], text: str, lang: str) -> str:
    """Return a text of the table in a language; a dash for none."""
    if not text:
        return "–"
    if row["item"] in ("layer", "flow"):
        codes = text.split("; ")
        return listed(label(f"blueprint.word.{code}", lang) for code in codes).get(lang)
    if row["item"] == "stage":
        return side.specification.stages[text].get(lang)
    text_of_both: Text = getattr(side.specification.element(row["element"]), row["item"])
    return text_of_both.get(lang)


def _unit_name(unit: str, lang: str) -> str:
    if unit == "share" or not unit:
        return ""
    return label(f"process.unit.{unit}", lang) if unit in SECONDS else unit


def _numbers(values: list[float], limits: list[float], share: bool, lang: str) -> str:
    """Write two numbers and their difference, of shares in points."""
    scale, decimals = (100, 1) if share else (1, 2)
    before, after = (format_number(round(scale * x, decimals)) for x in values[:2])
    suffix = ("%" if lang == "zh" else " %") if share else ""
    if isnan(values[2]):
        return f"{before} → {after}{suffix}"
    change = _difference_text(values[2], (limits[0], limits[1]), share, lang)
    return label("blueprint.compare.numbers", lang, before=before, after=after + suffix,
                 change=change)  # fmt: skip


def _difference_text(difference: float, limits: tuple[float, float], share: bool, lang: str) -> str:
    scale, decimals = (100, 1) if share else (1, 2)
    text = format_number(round(scale * difference, decimals), sign=True)
    text = label("change.points.alone", lang, points=text) if share else text
    if isnan(limits[0]):
        return text
    return f"{text} {interval(scale * limits[0], scale * limits[1], decimals)}"


def compare(old: Blueprint, new: Blueprint) -> BlueprintComparison:
    """Return what a new blueprint adds, removes, moves and changes.

    Elements are the same where their id is. An element has moved where its layer or stage is
    another, or where it comes before another element that it came after (of the pairs that both
    blueprints order by their flows). Differences of measured times have Welch's interval, those of
    failure shares Newcombe's, those of totals are combined by squaring and adding (Zou & Donner
    2008); a planned time has none. The two blueprints are taken as measured on different runs.

    Parameters
    ----------
    old, new : Blueprint
        At the same level.

    Raises
    ------
    CxError
        If one is no blueprint or their levels differ.

    References
    ----------
    Newcombe (1998). Interval estimation for the difference between independent proportions.
    Statistics in Medicine 17, 873-890. Zou & Donner (2008). Construction of confidence limits
    about effect measures. Statistics in Medicine 27, 1693-1702.

    Examples
    --------
    >>> from cxstats.journeys.blueprint.analysis import blueprint
    >>> ask, answer = {"id": "ask", "layer": "customer"}, {"id": "answer", "layer": "frontstage"}
    >>> old = blueprint({"unit": "minute", "elements": [ask, {**answer, "wait": 6}]})
    >>> new = blueprint({"unit": "second", "elements": [ask, {**answer, "wait": 90}]})
    >>> compare(old, new).table[["change", "item", "element", "before", "after"]].values.tolist()
    [['changed', 'wait', 'answer', 360.0, 90.0]]
    """
    import pandas as pd

    check_blueprint(old, "old")
    check_blueprint(new, "new")
    if old.level != new.level:
        raise CxError(f"levels {old.level:g} and {new.level:g}; allowed: one level for both")
    before, after = old.specification, new.specification
    factor = SECONDS[before.unit] / SECONDS[after.unit] if before.unit and after.unit else 1.0
    olds, news = ({e.id: e for e in spec.elements} for spec in (before, after))
    rows = [Change("added", "element", name) for name in news if name not in olds]
    rows += [Change("removed", "element", name) for name in olds if name not in news]
    shared = [name for name in olds if name in news]
    same_currency = before.currency == after.currency
    for name in shared:
        rows += _moves(old, new, name)
    rows += _moves_in_order(old, new, shared)
    for name in shared:
        rows += _changes(olds[name], news[name], factor, same_currency, old.level)
    rows += _flow_changes(before.flows, after.flows)
    table = pd.DataFrame(rows, columns=list(Change._fields))
    table.insert(9, "estimate", table["after"] - table["before"])
    notes = [
        *note_if(not same_currency, "blueprint.compare.note.currency"),
        *note_if(factor != 1, "blueprint.compare.note.unit", unit=after.unit and both(
            f"process.unit.{after.unit}")),
        *note_if(not shared, "blueprint.compare.note.no_shared"),
    ]  # fmt: skip
    totals = _totals(old, new, factor, same_currency)
    synthetic = old.synthetic or new.synthetic
    return BlueprintComparison(table, totals, old, new, old.level, synthetic, tuple(notes))


def _moves(old: Blueprint, new: Blueprint, name: str) -> list[Change]:
    a, b = (side.specification.element(name) for side in (old, new))
    moves = []
    if a.layer != b.layer:
        moves.append(Change("moved", "layer", name, "", "", a.layer, b.layer))
    if a.stage != b.stage:
        moves.append(Change("moved", "stage", name, "", "", a.stage, b.stage))
    return moves


def _moves_in_order(old: Blueprint, new: Blueprint, shared: list[str]) -> list[Change]:
    """Return the elements that come before one that they came after."""
    first, second = (_followers(side) for side in (old, new))
    moved = []
    for name in shared:
        turned = [other for other in shared
                  if name in first.get(other, ()) and other in second.get(name, ())]  # fmt: skip
        if turned:
            moved.append(Change("moved", "order", name, "", "", "", "; ".join(turned)))
    return moved


def _followers(side: Blueprint) -> dict[str, set[str]]:
    """Return all elements that the flows of kind "flow" lead to from each element."""
    after: dict[str, set[str]] = {}
    pairs = side.specification.pairs("flow")
    for name in reversed(side.order):
        direct = {target for source, target in pairs if source == name}
        after[name] = direct.union(*(after[target] for target in direct))
    return after


def _changes(
    a: Element, b: Element, factor: float, same_currency: bool, level: float
) -> list[Change]:
    changes = []
    for item in ("time", "wait"):
        first, second = _scaled(getattr(a, item), factor), getattr(b, item)
        if not _same(first, second):
            changes.append(_number_change(item, a.id, "", first, second, level))
    if not _same(a.failure, b.failure):
        changes.append(_number_change("failure_share", a.id, "", a.failure, b.failure, level))
    costs = (a.cost, b.cost)
    if same_currency and a.cost != b.cost and not all(map(isnan, costs)):
        changes.append(Change("changed", "cost", a.id, before=a.cost, after=b.cost))
    changes += _standard_changes(a, b, factor)
    for item in TEXTS:
        first, second = (getattr(e, item) for e in (a, b))
        if first != second:
            changes.append(Change("changed", item, a.id, "", "", first.en, second.en))
    return changes


def _same(first: Measured | None, second: Measured | None) -> bool:
    """Return whether two means are equal but for the rounding of another unit."""
    if first is None or second is None:
        return first is second
    return isclose(first.mean, second.mean, rel_tol=ROUNDING)


def _scaled(value: Measured | None, factor: float) -> Measured | None:
    if value is None or factor == 1:
        return value
    return Measured(value.mean * factor, value.sd * factor, value.n)


def _number_change(
    item: str, name: str, metric: str, a: Measured | None, b: Measured | None, level: float
) -> Change:
    kind = "added" if a is None else "removed" if b is None else "changed"
    low, high = (nan, nan) if a is None or b is None else _difference(a, b, level)
    before, after = (nan if value is None else value.mean for value in (a, b))
    return Change(kind, item, name, "", metric, "", "", before, after, low, high)


def _difference(a: Measured, b: Measured, level: float) -> tuple[float, float]:
    """Return the interval of ``b - a``."""
    if not isnan(a.count + b.count):
        low, high = difference_interval((b.mean, *b.limits(level)), (a.mean, *a.limits(level)))
        return float(low), float(high)
    va, vb = a.variance, b.variance
    if not va + vb > 0:
        return nan, nan
    df = (va + vb) ** 2 / (va**2 / (a.n - 1) + vb**2 / (b.n - 1)) if min(a.n, b.n) > 1 else nan
    difference, se = np.array([b.mean - a.mean]), np.array([(va + vb) ** 0.5])
    low, high = t_interval(difference, se, np.array([df]), level)
    return float(low[0]), float(high[0])


def _standard_changes(a: Element, b: Element, factor: float) -> list[Change]:
    def limits(e: Element, times: float) -> dict[tuple[str, str], float]:
        return {(s.metric, s.direction): s.limit * (times if _is_time(s) else 1)
                for s in e.standards}  # fmt: skip

    first, second = limits(a, factor), limits(b, 1)
    changes = []
    for key in dict.fromkeys([*first, *second]):
        before, after = first.get(key, nan), second.get(key, nan)
        kind = "added" if key not in first else "removed" if key not in second else "changed"
        if kind != "changed" or not isclose(before, after, rel_tol=ROUNDING):
            row = Change(kind, "standard", a.id, "", key[0], before=before, after=after)
            changes.append(row)
    return changes


def _is_time(standard: Standard) -> bool:
    return standard.metric in ("time", "wait")


def _flow_changes(before: tuple[Flow, ...], after: tuple[Flow, ...]) -> list[Change]:
    def by_ends(flows: tuple[Flow, ...]) -> dict[tuple[str, str], list[str]]:
        kinds: dict[tuple[str, str], list[str]] = {}
        for flow in flows:
            kinds.setdefault((flow.source, flow.target), []).append(flow.kind)
        return kinds

    first, second = by_ends(before), by_ends(after)
    changes = []
    for ends in dict.fromkeys([*second, *first]):
        old, new = ("; ".join(sorted(side.get(ends, []))) for side in (first, second))
        if old != new:
            change = "added" if not old else "removed" if not new else "changed"
            changes.append(Change(change, "flow", *ends, "", old, new))
    return changes


def _totals(old: Blueprint, new: Blueprint, factor: float, same_currency: bool) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for measure in ("lead_time", "waiting_share", "expected_loss"):
        a, b = (getattr(side, measure) for side in (old, new))
        if isnan(a.estimate + b.estimate) or (measure == "expected_loss" and not same_currency):
            continue
        times = factor if measure == "lead_time" else 1.0
        first = (a.estimate * times, a.ci_low * times, a.ci_high * times)
        low, high = map(float, difference_interval((b.estimate, b.ci_low, b.ci_high), first))
        rows.append((measure, b.unit, first[0], b.estimate, b.estimate - first[0], low, high))
    columns = ["measure", "unit", "before", "after", "estimate", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)
