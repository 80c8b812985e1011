"""What goes with satisfaction: shares of drivers, and which important ones are rated low."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from cxstats.app.report.content import (
    Claim,
    Finding,
    NativeChart,
    ReportChart,
    ReportTable,
    Section,
    Sentence,
)
from cxstats.app.report.drawing import NamedChart, interval_chart
from cxstats.app.report.sections.attempts import (
    NoFinding,
    attempt,
    estimate_cells,
    told_apart,
)
from cxstats.core.language import Text, both, listed
from cxstats.core.progress import quiet_linear_algebra
from cxstats.priorities.drivers.analysis import drivers as measure_drivers
from cxstats.priorities.drivers.result import Drivers
from cxstats.priorities.importance.analysis import importance_performance
from cxstats.priorities.importance.result import ImportancePerformance
from cxstats.service.servqual import respondent_scores

if TYPE_CHECKING:
    from cxstats.app.report.client import Client

LEAST, LEAST_PER_DRIVER = 50, 10  # complete respondents
MOST_DRIVERS = 15  # whose shares are exact and can be read
RESAMPLES, RESAMPLES_OF_MANY = 1_000, 200
MANY = 20_000  # respondents above which fewer resamples are drawn: intervals are narrow then
CERTAIN = 0.95  # share of resamples in which a driver is important and rated low
OUTCOME = "outcome"
SHARES = ("share", "share_ci_low", "share_ci_high")
PERFORMANCES = ("performance", "performance_ci_low", "performance_ci_high")
LOW_AND_IMPORTANT = "concentrate here"


def drivers(client: Client) -> Section:
    """Return shares of the drivers of satisfaction, or of recommendation, and the priorities."""
    try:
        sample = client.once(("drivers",), lambda: _Sample.of(client))
    except NoFinding as reason:
        return Section("drivers", absent=(reason.text,))
    findings: list[Finding] = []
    absent: list[Text] = []
    name = both("report.section.drivers")
    attempt(findings, absent, name, lambda: _importance(client, sample))
    if findings:
        attempt(findings, absent, name, lambda: _priorities(client, sample))
    return Section("drivers", tuple(findings), absent=tuple(absent))


@dataclass(frozen=True, eq=False)
class _Sample:
    """Respondents with outcome and drivers.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns "outcome", "driver 0", ..., and those of the sampling design.
    drivers : mapping of str to Text
        Column to name.
    scales : mapping of str to (float, float)
        Column to its scale.
    outcome : Text
    n_resamples : int
    """

    frame: pd.DataFrame
    drivers: dict[str, Text]
    scales: dict[str, tuple[float, float]]
    outcome: Text
    n_resamples: int

    @classmethod
    def of(cls, client: Client) -> _Sample:
        book, answers = client.codebook, client.answers
        questions = {name: q for name, q in book.questions.items() if q.is_rated}
        outcome = next(
            (n for kind in ("csat", "nps") for n, q in questions.items() if q.kind == kind), None
        )
        if outcome is None:
            raise NoFinding(both("report.absent.no_outcome"))
        columns: dict[str, Any] = {}
        names: list[Text] = []
        scales: list[tuple[float, float]] = []
        if len(book.constructs) > 1:
            means = respondent_scores(answers, book, measure="perception")
            for name, items in book.constructs.items():
                columns[f"driver {len(names)}"] = means[name].to_numpy(float)
                names.append(client.name(name))
                scales.append(book.bounds(items[0]))
        else:
            # The other question on the whole, recommendation or satisfaction, drives nothing.
            rated = [
                n for n, q in questions.items() if n != outcome and q.kind in ("rating", "ces")
            ]
            for name in rated:
                column = str(questions[name].column)
                columns[f"driver {len(names)}"] = answers[column].to_numpy(float)
                names.append(client.name(name))
                scales.append(questions[name].scale)
        if len(names) < 2:
            raise NoFinding(both("report.absent.no_drivers"))
        if len(names) > MOST_DRIVERS:
            raise NoFinding(both("report.absent.many_drivers", n=len(names)))
        frame = pd.DataFrame({OUTCOME: answers[str(questions[outcome].column)], **columns})
        n = int(frame.notna().all(axis=1).sum())
        least = max(LEAST, LEAST_PER_DRIVER * len(names), client.min_cell)
        if n < least:
            raise NoFinding(both("report.absent.few_for_drivers", n=n, least=least))
        design = book.design
        if design is not None:
            for role in (design.weights, design.cluster, design.strata):
                if role is not None:
                    frame[role] = answers[role]
        keys = list(columns)
        return cls(
            frame,
            dict(zip(keys, names, strict=True)),
            dict(zip(keys, scales, strict=True)),
            client.name(outcome),
            RESAMPLES if n <= MANY else RESAMPLES_OF_MANY,
        )


def _importance(client: Client, sample: _Sample) -> Finding:
    """Return which driver goes most closely with the outcome, and from which it can be told."""
    result = client.once(
        ("importance",),
        lambda: measure_drivers(
            sample.frame, OUTCOME, list(sample.drivers), design=client.codebook.design,
            n_resamples=sample.n_resamples, seed=client.seed,
        ),
    )  # fmt: skip
    assert isinstance(result, Drivers)
    names, keys = list(sample.drivers.values()), list(sample.drivers)
    columns = [*SHARES, "p_value", "first_share", "correlation", "n"]
    values = {column: result.table[column].to_numpy() for column in columns}
    table = ReportTable(
        "drivers", both("report.table.drivers", outcome=sample.outcome),
        pd.DataFrame({"driver": names, **values}), level=result.level,
        percent=(*SHARES, "first_share"), bars=("share",),
    )  # fmt: skip
    fit = _fit_table(sample, result)
    top = int(result.table["share"].to_numpy().argmax())
    n = table.cell(top, "n", "whole")
    cells: dict[str, Any] = {
        "name": names[top],
        "outcome": sample.outcome,
        **estimate_cells(table, top, SHARES, form="percent", decimals=0),
    }
    headline, details = _first(keys[top], sample, result, cells, client.alpha)
    of_noise = [names[i] for i, p in enumerate(result.table["p_value"]) if p > client.alpha]
    if of_noise and len(of_noise) < len(names):
        details.append(Sentence("report.drivers.noise", {"names": listed(of_noise)}))
    first: dict[str, Any] = {
        "name": names[top],
        "first": table.cell(top, "first_share", "percent", 0),
    }
    whole: dict[str, Any] = {
        "outcome": sample.outcome,
        **estimate_cells(fit, 0, ("r_squared", "ci_low", "ci_high"), form="percent", decimals=0),
    }
    details += [
        Sentence("report.drivers.first", first),
        Sentence("report.drivers.whole", whole),
        Sentence("report.drivers.association", {"outcome": sample.outcome}),
    ]
    order = tuple(int(i) for i in np.argsort(-result.table["share"].to_numpy(), kind="stable"))
    chart = interval_chart(
        table, "driver", SHARES, headline=headline, n=n, axis=both("report.axis.share"),
        origin=result, synthetic=client.synthetic, rows=order,
        reference=1 / len(names),
    )  # fmt: skip
    return Finding(
        headline,
        tuple(details),
        n=n,
        method=both("report.method.drivers", n_resamples=f"{sample.n_resamples:,}"),
        caveats=_named_notes(result.notes, sample),
        table=table,
        chart=chart,
        tables=(fit, *_pair_table(sample, result)),
    )


def _first(
    top: str, sample: _Sample, result: Drivers, cells: dict[str, Any], alpha: float
) -> tuple[Sentence, list[Sentence]]:
    """Return whether the largest share can be told apart from all, some or none of the others."""
    pairs, p_values = result.pairs, cast("Any", result.table["p_value"])
    if pairs is None or p_values[top] > alpha:
        return Sentence("report.drivers.none", {"outcome": sample.outcome}), []
    sure = told_apart(pairs.rename(columns={"driver": "score"}), top, alpha)
    below = [name for column, name in sample.drivers.items() if column in sure]
    unsure = [n for column, n in sample.drivers.items() if column != top and column not in sure]
    claims = tuple(Claim("drivers", sample.drivers[top].en, name.en) for name in below)
    if not unsure:
        return Sentence("report.drivers.top", cells, claims), []
    headline = Sentence("report.drivers.unsure", {**cells, "others": listed(unsure)})
    if not below:
        return headline, []
    values = {"name": cells["name"], "others": listed(below), "outcome": sample.outcome}
    return headline, [Sentence("report.drivers.above", values, claims)]


def _fit_table(sample: _Sample, result: Drivers) -> ReportTable:
    low, high = result.r_squared_ci
    frame = pd.DataFrame(
        [
            {
                "outcome": sample.outcome,
                "r_squared": result.r_squared,
                "ci_low": low,
                "ci_high": high,
                "adjusted_r_squared": result.adjusted_r_squared,
                "n": result.n,
                "n_dropped": result.n_dropped,
            }
        ]
    )
    title = both("report.table.drivers_fit", outcome=sample.outcome)
    percent = ("r_squared", "ci_low", "ci_high", "adjusted_r_squared")
    return ReportTable("drivers_fit", title, frame, level=result.level, percent=percent)


def _pair_table(sample: _Sample, result: Drivers) -> tuple[ReportTable, ...]:
    if result.pairs is None:
        return ()
    names = {c: [sample.drivers[key] for key in result.pairs[c]] for c in ("driver", "other")}
    limits = ("estimate", "ci_low", "ci_high")
    columns = {c: result.pairs[c].to_numpy() for c in (*limits, "p_value", "p_adjusted")}
    frame, title = pd.DataFrame({**names, **columns}), both("report.table.driver_pairs")
    return (ReportTable("driver_pairs", title, frame, level=result.level, percent=limits),)


def _named_notes(notes: tuple[Text, ...], sample: _Sample) -> tuple[Text, ...]:
    """Return notes with the names of drivers in place of their columns."""

    def named(text: str, lang: str) -> str:
        for column, name in reversed(sample.drivers.items()):  # "driver 10" before "driver 1"
            text = text.replace(column, name.get(lang))
        return text.replace(f"{OUTCOME!r}", sample.outcome.get(lang))

    return tuple(Text(named(note.en, "en"), named(note.zh, "zh")) for note in notes)


def _priorities(client: Client, sample: _Sample) -> Finding:
    """Return which drivers are important and rated low, and how certain that is."""

    def mapped() -> ImportancePerformance:
        with quiet_linear_algebra():
            return importance_performance(
                sample.frame, list(sample.drivers), outcome=OUTCOME, importance="shapley",
                scale=sample.scales, design=client.codebook.design,
                n_resamples=sample.n_resamples, seed=client.seed,
            )  # fmt: skip

    result = client.once(("priorities",), mapped)
    names = list(sample.drivers.values())
    columns = ["importance", *PERFORMANCES, "quadrant", "certainty", "n"]
    values = {column: result.table[column].to_numpy() for column in columns}
    table = ReportTable(
        "priorities", both("report.table.priorities", outcome=sample.outcome),
        pd.DataFrame({"driver": names, **values}), {"quadrant": "ipa.quadrant.{}"},
        level=result.level, percent=("importance", "certainty"), bars=("performance",),
    )  # fmt: skip
    low = [
        i for i, quadrant in enumerate(result.table["quadrant"]) if quadrant == LOW_AND_IMPORTANT
    ]
    low.sort(key=lambda i: -float(result.table["certainty"].iloc[i]))
    sentences = [_priority(table, row, names[row], sample) for row in low]
    certain = bool(low) and float(result.table["certainty"].iloc[low[0]]) >= CERTAIN
    if not sentences:
        sentences = [Sentence("report.priorities.none", {"outcome": sample.outcome})]
    advice = None
    if certain:
        values_of = {"name": names[low[0]], "outcome": sample.outcome}
        advice = Sentence("report.advice.priority", values_of)
    chart = NamedChart("map", lambda lang: _in_language(result, sample, lang))
    native = NativeChart("bar", table, "driver", PERFORMANCES[:1], *PERFORMANCES[1:])
    return Finding(
        sentences[0],
        tuple(sentences[1:]),
        advice,
        n=table.cell(0, "n", "whole"),
        method=both("report.method.priorities", n_resamples=f"{sample.n_resamples:,}"),
        caveats=_named_notes(result.notes, sample),
        table=table,
        chart=ReportChart(chart, native=native),
        size=float(np.sqrt(result.table["importance"].iloc[low[0]])) if certain else 0.0,
        certainty=float(result.table["certainty"].iloc[low[0]]) if certain else 0.0,
    )


def _priority(table: ReportTable, row: int, name: Text, sample: _Sample) -> Sentence:
    """Return that a driver is important and rated low, or how uncertain that is."""
    certain = float(table.frame["certainty"].iloc[row]) >= CERTAIN
    values: dict[str, Any] = {
        "name": name,
        "outcome": sample.outcome,
        "performance": table.cell(row, "performance", decimals=0),
        "certainty": table.cell(row, "certainty", "percent", 0),
    }
    claims: tuple[Claim, ...] = ()
    if certain:
        claims = (
            Claim("importance", name.en, "mean of the drivers"),
            Claim("performance", "mean of the drivers", name.en),
        )
    return Sentence(f"report.priorities.{'certain' if certain else 'unsure'}", values, claims)


def _in_language(
    result: ImportancePerformance, sample: _Sample, lang: str
) -> ImportancePerformance:
    """Return the map with drivers and outcome in a language."""
    names = [name.get(lang) for name in sample.drivers.values()]
    return replace(result, table=result.table.assign(item=names), outcome=sample.outcome.get(lang))
