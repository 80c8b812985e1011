"""Recommendation, satisfaction, effort and other ratings: overall, by group, over waves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxstats.app.report.content import (
    Claim,
    Finding,
    Indicator,
    NativeChart,
    ReportChart,
    ReportTable,
    Section,
    Sentence,
)
from cxstats.app.report.wording import reason
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both
from cxstats.metrics.result import Metric, group_text

if TYPE_CHECKING:
    from cxstats.app.report.client import Client
    from cxstats.app.report.content import Cell
    from cxstats.survey.questions import Question

MOST_GROUPS = 30  # a chart with more says nothing, and nobody reads their pairs
MOST_PAIRS = 3  # that a finding names
UNITS = {"nps": "points", "share": "percent", "mean": "answers"}


def metrics(client: Client) -> Section:
    """Return every rated question: its value, its groups, its waves."""
    findings: list[Finding] = []
    indicators: list[Indicator] = []
    absent: list[Text] = []
    for name, question in client.codebook.questions.items():
        if not question.is_rated:
            continue
        try:
            overall = measure(client, name, question)
        except DataError as error:
            absent.append(both("report.absent.failed", name=client.name(name), why=reason(error)))
            continue
        finding, indicator = _overall(client, name, question, overall)
        findings.append(finding)
        indicators.append(indicator)
        for column in client.codebook.group_columns:
            _add(findings, absent, _by_group, client, name, question, column)
        if client.codebook.wave_column is not None:
            _add(findings, absent, _over_waves, client, name, question)
    if not findings and not absent:
        absent.append(both("report.absent.no_rated"))
    return Section("metrics", tuple(findings), absent=tuple(absent), indicators=tuple(indicators))


def measure(
    client: Client, name: str, question: Question, by: str | None = None, **options: Any
) -> Metric:
    """Return the metric of a rated question; groups that are too small have no estimate."""
    if not options:
        return client.once(("metric", name, by), lambda: _measured(client, name, question, by))
    return _measured(client, name, question, by, **options)


def _measured(
    client: Client, name: str, question: Question, by: str | None, **options: Any
) -> Metric:
    from cxstats.metrics.csat_ces import ces, csat
    from cxstats.metrics.means import mean
    from cxstats.metrics.net_promoter_score import nps

    ask: dict[str, Any] = {"by": by, "codebook": client.codebook, **options}
    if by is not None:
        ask["min_cell"] = client.min_cell
    if question.kind == "rating":
        low, high = client.codebook.bounds_of(str(question.column)) or (-np.inf, np.inf)
        return mean(client.answers, column=question.column, low=low, high=high, **ask)
    metric: Any = {"nps": nps, "csat": csat, "ces": ces}[question.kind]
    result: Metric = metric(client.answers, column=name, **ask)
    return result


def _add(findings: list[Finding], absent: list[Text], build: Any, client: Client, *of: Any) -> None:
    """Append the finding of `build`, or why there is none."""
    try:
        findings.append(build(client, *of))
    except _NoFinding as none:
        absent.append(none.text)
    except CxError as error:
        absent.append(both("report.absent.failed", name=client.name(of[0]), why=reason(error)))


class _NoFinding(Exception):
    """There is nothing to say; `text` says why."""

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(text.en)


def _form(metric: Metric) -> dict[str, Any]:
    """Return how a value of the metric is written."""
    if metric.unit == "share":
        return {"form": "percent", "decimals": 0}
    return {"form": "number", "decimals": 0 if metric.unit == "nps" else 2}


def _values(table: ReportTable, row: int, metric: Metric) -> dict[str, Cell]:
    """Return estimate, limits and number of answers of a row as numbers of a sentence."""
    form = _form(metric)
    return {
        "estimate": table.cell(row, "estimate", **form),
        "low": table.cell(row, "ci_low", **form),
        "high": table.cell(row, "ci_high", **form),
        "n": table.cell(row, "n", "whole"),
    }


def _table(key: str, title: Text, metric: Metric) -> ReportTable:
    bands = tuple(str(c) for c in metric.table.columns if str(c).endswith("_share"))
    shares = _shares(metric, "estimate", "se", "ci_low", "ci_high")
    return ReportTable.of(key, title, metric, percent=(*bands, *shares), bars=("estimate",))


def _shares(metric: Metric, *columns: str) -> tuple[str, ...]:
    """Return the columns where they hold shares."""
    return columns if metric.unit == "share" else ()


def _overall(
    client: Client, name: str, question: Question, metric: Metric
) -> tuple[Finding, Indicator]:
    title = client.name(name)
    table = _table(f"{name}_overall", title, metric)
    values = _values(table, 0, metric)
    key = f"report.metrics.{metric.unit}"
    details = []
    if metric.unit == "nps":
        shares: dict[str, Any] = {
            who: table.cell(0, f"{who}_share", "percent", 0)
            for who in ("promoter", "passive", "detractor")
        }
        details.append(Sentence("report.metrics.nps.shares", shares))
    chart = None
    if metric.unit == "nps":
        columns = tuple(f"{who}_share" for who in ("detractor", "passive", "promoter"))
        native = NativeChart("stacked", table, "estimate", columns, percent=True)
        chart = ReportChart(metric, native=native)
    finding = Finding(
        Sentence(key, {"name": title, **values}),
        tuple(details),
        n=values["n"],
        method=both("report.method.metric", name=_title(metric), interval=_interval(metric)),
        caveats=metric.notes,
        table=table,
        chart=chart,
    )
    better = "low" if metric.name == "ces_effort" else "high"
    cells = {k: values[k] for k in ("estimate", "low", "high", "n")}
    return finding, Indicator(name, title, UNITS[metric.unit], **cells, better=better)


def _title(metric: Metric) -> Text:
    return Text(metric.title("en"), metric.title("zh"))


def _interval(metric: Metric) -> Text:
    return both(f"metric.interval.{metric.interval}")


def _spread(metric: Metric, rows: list[int]) -> float:
    """Return the standard deviation of an answer, pooled over groups."""
    table = metric.table.iloc[rows]
    sizes = table["n_effective"] if "n_effective" in table else table["n"]
    variance = table["se"].astype(float) ** 2 * sizes.astype(float)
    return float(np.sqrt(np.average(variance, weights=sizes.astype(float))))


def _by_group(client: Client, name: str, question: Question, column: str) -> Finding:
    metric = measure(client, name, question, by=column)
    rows = np.flatnonzero(metric.table["estimate"].notna())
    labels = {"name": client.name(name), "column": client.name(column)}
    if len(rows) < 2:
        raise _NoFinding(both("report.absent.one_group", **labels))
    if len(rows) > MOST_GROUPS:
        raise _NoFinding(both("report.absent.many_groups", **labels, n=len(rows)))
    title = both("report.table.by_group", **labels)
    table = _table(f"{name}_by_{column}", title, metric)
    pairs = client.once(("pairs", name, column), metric.compare)
    differences = ReportTable.of(
        f"{name}_by_{column}_pairs", both("report.table.pairs", **labels), pairs,
        percent=_shares(metric, "estimate", "se", "ci_low", "ci_high"),
    )  # fmt: skip
    low_is_good = metric.name == "ces_effort"
    headline, details, size, certainty = _order(
        metric, table, pairs.table, labels, low_is_good, client.alpha
    )
    advice = None
    if certainty > 0:
        advice = Sentence("report.advice.groups", {**labels, **_ends(headline)})
    native = NativeChart(
        "bar", table, column, ("estimate",), "ci_low", "ci_high",
        percent=metric.unit == "share", rows=tuple(int(row) for row in rows),
    )  # fmt: skip
    return Finding(
        headline,
        details,
        advice,
        n=None,
        method=both("report.method.pairs", name=_title(metric), interval=_interval(metric)),
        caveats=(*metric.notes, *pairs.notes),
        table=table,
        chart=ReportChart(metric, native=native),
        size=size,
        certainty=certainty,
        tables=(differences,),
    )


def _ends(headline: Sentence) -> dict[str, Any]:
    return {key: headline.values[key] for key in ("higher", "lower")}


def _order(
    metric: Metric,
    table: ReportTable,
    pairs: pd.DataFrame,
    labels: dict[str, Text],
    low_is_good: bool,
    alpha: float,
) -> tuple[Sentence, tuple[Sentence, ...], float, float]:
    """Return which groups differ, by pairs whose p values allow for the number of pairs."""
    groups = [_group(value) for value in table.frame[metric.by[0]]]
    widest: Any = pairs.reindex(pairs["estimate"].abs().sort_values(ascending=False).index)
    sure = widest[widest["p_adjusted"] <= alpha]
    unsure = widest[widest["p_adjusted"] > alpha]

    def values(higher: int, lower: int) -> dict[str, Cell | Text | str]:
        form = _form(metric)
        return {
            **labels,
            "higher": groups[higher],
            "lower": groups[lower],
            "top": table.cell(higher, "estimate", **form),
            "bottom": table.cell(lower, "estimate", **form),
        }

    def rows(pair: Any) -> tuple[int, int]:
        """Return the rows of a pair, the higher group first."""
        first, second = groups.index(_group(pair.group)), groups.index(_group(pair.other))
        return (first, second) if pair.estimate > 0 else (second, first)

    if sure.empty:
        estimates = table.frame["estimate"].to_numpy(float)
        ends = int(np.nanargmax(estimates)), int(np.nanargmin(estimates))
        key = "alike" if estimates[ends[0]] > estimates[ends[1]] else "equal"
        return Sentence(f"report.groups.{key}", values(*ends)), (), 0.0, 0.0
    keys = ["report.groups.differ.low_good" if low_is_good else "report.groups.differ"]
    keys += ["report.groups.also"] * (MOST_PAIRS - 1)
    sentences = []
    for key, pair in zip(keys, sure.itertuples(), strict=False):
        higher, lower = rows(pair)
        claim = Claim(labels["name"].en, groups[higher], groups[lower])
        sentences.append(Sentence(key, values(higher, lower), (claim,)))
    headline, *details = sentences
    if len(unsure):
        alike = next(unsure.itertuples())
        details.append(Sentence("report.groups.pair_alike", values(*rows(alike))))
    first = next(sure.itertuples())
    size = abs(float(first.estimate)) / _spread(metric, list(rows(first)))
    return headline, tuple(details), size, 1 - float(first.p_adjusted)


def _group(value: Any) -> str:
    """Return the name of a group; comparisons hold tuples where there are several columns."""
    return group_text(value[0] if isinstance(value, tuple) and len(value) == 1 else value)


def _over_waves(client: Client, name: str, question: Question) -> Finding:
    from cxstats.metrics.tracking.waves import track

    column = str(client.codebook.wave_column)
    metric = measure(client, name, question, by=column)
    labels = {"name": client.name(name), "column": client.name(column)}
    rows = [int(i) for i in np.flatnonzero(metric.table["estimate"].notna())]
    if len(rows) < 2:
        raise _NoFinding(both("report.absent.one_group", **labels))
    order = _in_time(client, metric, column, rows)
    first, last = order[0], order[-1]
    table = _table(f"{name}_by_{column}", both("report.table.by_group", **labels), metric)
    groups = list(metric.table[column])
    changes = client.once(("changes", name), lambda: metric.compare(groups[first]))
    at = [_group(group) for group in changes.table["group"]].index(_group(groups[last]))
    form = _form(metric)
    change: Any = changes.table.iloc[at]
    differences = ReportTable.of(
        f"{name}_changes", both("report.table.changes", **labels), changes,
        percent=_shares(metric, "estimate", "se", "ci_low", "ci_high"),
    )  # fmt: skip
    signed = {**form, "form": "points" if metric.unit == "share" else "signed"}
    values: dict[str, Any] = {
        **labels,
        "first": _group(groups[first]),
        "last": _group(groups[last]),
        "before": table.cell(first, "estimate", **form),
        "after": table.cell(last, "estimate", **form),
        "change": differences.cell(at, "estimate", **signed),
        "low": differences.cell(at, "ci_low", **signed),
        "high": differences.cell(at, "ci_high", **signed),
    }
    sure = float(change["p_adjusted"]) <= client.alpha
    direction = "up" if change["estimate"] > 0 else "down"
    if not sure:
        direction = "allowed" if change["ci_low"] > 0 or change["ci_high"] < 0 else "same"
    ends = {"up": ("last", "first"), "down": ("first", "last")}
    claims: tuple[Claim, ...] = ()
    if sure:
        higher, lower = (values[end] for end in ends[direction])
        claims = (Claim(labels["name"].en, higher, lower),)
    native = NativeChart(
        "line", table, column, ("estimate",), "ci_low", "ci_high",
        percent=metric.unit == "share", rows=tuple(order),
    )  # fmt: skip
    chart, notes = ReportChart(metric, native=native), changes.notes
    if len(rows) > 2:
        order_of_waves = client.codebook.wave_order
        tracked = client.once(("track", name), lambda: track(metric, order=order_of_waves))
        chart, notes = ReportChart(tracked, native=native), (*notes, *tracked.notes)
    better = "down" if metric.name == "ces_effort" else "up"
    advice = None
    if sure and direction != better:
        advice = Sentence("report.advice.waves", {**labels, "last": values["last"]})
    return Finding(
        Sentence(f"report.waves.{direction}", values, claims),
        advice=advice,
        method=both("report.method.waves", name=_title(metric), interval=_interval(metric)),
        caveats=tuple(dict.fromkeys((*metric.notes, *notes))),
        table=table,
        chart=chart,
        size=abs(float(change["estimate"])) / _spread(metric, [first, last]) if sure else 0.0,
        certainty=1 - float(change["p_adjusted"]) if sure else 0.0,
        tables=(differences,),
    )


def _in_time(client: Client, metric: Metric, column: str, rows: list[int]) -> list[int]:
    """Return the rows of the waves in the order of time; a table has them so, or the codebook."""
    order = client.codebook.wave_order
    if order is None:
        return rows
    waves = [_group(metric.table[column].iloc[row]) for row in rows]
    return [rows[waves.index(_group(wave))] for wave in order if _group(wave) in waves]
