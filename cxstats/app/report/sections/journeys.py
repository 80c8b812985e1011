"""Touchpoints that one survey can tell of: channels that are used, ratings side by side."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxstats.app.report.content import Claim, Finding, ReportTable, Section, Sentence
from cxstats.app.report.drawing import interval_chart
from cxstats.app.report.sections.attempts import (
    NoFinding,
    attempt,
    design_options,
    estimate_cells,
    told_apart,
)
from cxstats.app.report.sections.metrics import MOST_GROUPS, measure
from cxstats.core.language import Text, both, listed
from cxstats.metrics.choices import choices
from cxstats.stats.hypothesis_tests import paired_differences
from cxstats.survey.choices import read_ticks

if TYPE_CHECKING:
    from cxstats.app.report.client import Client
    from cxstats.survey.questions import Question

LIMITS = ("estimate", "ci_low", "ci_high")


def journeys(client: Client) -> Section:
    """Return how many use each channel, and which touchpoint is rated lowest."""
    findings: list[Finding] = []
    absent: list[Text] = []
    questions = client.codebook.questions
    for key, question in questions.items():
        if question.kind == "choices":
            attempt(findings, absent, client.name(key), partial(_usage, client, key, question))
    ratings = [name for name, question in questions.items() if question.kind == "rating"]
    if len(ratings) > 1:
        name = both("report.journeys.ratings")
        attempt(findings, absent, name, lambda: _ratings(client, ratings))
    if not findings:
        absent.append(both("report.absent.no_journeys"))
    absent.append(both("report.absent.event_log"))
    return Section("journeys", tuple(findings), absent=tuple(absent))


def _usage(client: Client, name: str, question: Question) -> Finding:
    """Return the share of respondents who ticked each option, and whether the first is sure."""
    result = client.once(
        ("choices", name), lambda: choices(client.answers, name, codebook=client.codebook)
    )
    frame = result.table[["option", *LIMITS, "ticked", "n"]].reset_index(drop=True)
    if int(frame["n"].max()) < client.min_cell:
        raise NoFinding(both("report.absent.few", name=client.name(name)))
    if len(frame) > MOST_GROUPS:
        raise NoFinding(both("report.absent.many_options", name=client.name(name), n=len(frame)))
    table = ReportTable(
        f"{name}_options", client.name(name), frame, level=result.level, percent=LIMITS,
        bars=("estimate",),
    )  # fmt: skip
    estimates = frame["estimate"].to_numpy(float)
    if not np.isfinite(estimates).any():
        raise NoFinding(both("report.absent.few", name=client.name(name)))
    options = [str(option) for option in frame["option"]]

    def compared() -> pd.DataFrame:
        ticks = read_ticks(client.answers, question, client.codebook.missing).indicators
        return paired_differences(ticks, options, design_options(client, (0.0, 1.0)))

    pairs = client.once(("option pairs", name), compared)
    top = int(np.nanargmax(estimates))
    cells = {
        "question": client.name(name),
        "name": options[top],
        **estimate_cells(table, top, LIMITS, form="percent", decimals=0),
    }
    n = table.cell(top, "n", "whole")
    headline, details = _most(cells, options, top, told_apart(pairs, options[top], client.alpha))
    order = tuple(int(i) for i in np.argsort(-estimates, kind="stable"))
    chart = interval_chart(
        table, "option", LIMITS, headline=headline, n=n, axis=both("report.axis.ticked"),
        origin=result, synthetic=client.synthetic, rows=order,
    )  # fmt: skip
    shares = ("estimate", "ci_low", "ci_high")
    title = both("report.table.all_pairs", name=client.name(name))
    differences = ReportTable(
        f"{name}_options_pairs", title, pairs.rename(columns={"score": "option"}),
        level=result.level, percent=shares,
    )  # fmt: skip
    return Finding(
        headline,
        tuple(details),
        n=n,
        method=both("report.method.choices"),
        caveats=result.notes,
        table=table,
        chart=chart,
        tables=(differences,),
    )


def _most(
    cells: dict[str, Any], options: list[str], top: int, sure: set[str]
) -> tuple[Sentence, list[Sentence]]:
    """Return the option ticked most often, and which options it cannot be told apart from."""
    below = [option for option in options if option in sure]
    unsure = [o for i, o in enumerate(options) if i != top and o not in sure]
    claims = tuple(Claim(cells["question"].en, options[top], option) for option in below)
    if not unsure:
        return Sentence("report.journeys.top", cells, claims), []
    values = {**cells, "others": listed(unsure)}
    headline = Sentence("report.journeys.unsure", values)
    if not below:
        return headline, []
    named: dict[str, Any] = {"name": options[top], "others": listed(below)}
    return headline, [Sentence("report.journeys.above", named, claims)]


def _ratings(client: Client, ratings: list[str]) -> Finding:
    """Return the ratings side by side, the lowest first; only those of one scale compare."""
    book = client.codebook
    scales = {book.questions[name].scale for name in ratings}
    if len(scales) > 1:
        raise NoFinding(both("report.absent.scales"))
    results = [measure(client, name, book.questions[name]) for name in ratings]
    rows = [result.table.iloc[0] for result in results]
    frame = pd.DataFrame(
        {
            "question": [client.name(name) for name in ratings],
            **{c: [float(row[c]) for row in rows] for c in (*LIMITS, "n")},
        }
    )
    if frame["n"].max() < client.min_cell:
        raise NoFinding(both("report.absent.few", name=both("report.journeys.ratings")))
    level = results[0].level
    table = ReportTable("ratings", both("report.journeys.ratings"), frame, level=level)
    columns = [str(book.questions[name].column) for name in ratings]
    values = client.answers[columns].to_numpy(float)
    low, high = scales.pop()
    pairs = client.once(
        ("rating pairs",),
        lambda: paired_differences(values, ratings, design_options(client, (low, high))),
    )
    lowest = int(frame["estimate"].to_numpy(float).argmin())
    sure = told_apart(pairs, ratings[lowest], client.alpha)
    above = [client.name(name) for name in ratings if name in sure]
    unsure = [n for i, n in enumerate(ratings) if i != lowest and n not in sure]
    cells = {"name": client.name(ratings[lowest]), **estimate_cells(table, lowest, LIMITS)}
    claims = tuple(Claim("ratings", name.en, cells["name"].en) for name in above)
    details = []
    advice = None
    if not unsure:
        headline = Sentence("report.journeys.lowest", cells, claims)
        advice = Sentence("report.advice.touchpoint", {"name": cells["name"]})
    else:
        others = listed(client.name(name) for name in unsure)
        headline = Sentence("report.journeys.lowest_unsure", {**cells, "others": others})
        if above:
            named = {"name": cells["name"], "others": listed(above)}
            details.append(Sentence("report.journeys.lower_than", named, claims))
    among = pairs[(pairs["score"] == ratings[lowest]) | (pairs["other"] == ratings[lowest])]
    size = certainty = 0.0
    if advice is not None:
        last: Any = among.iloc[int(among["p_adjusted"].argmax())]
        size, certainty = abs(float(last["effect_size"])), 1 - float(last["p_adjusted"])
    order = tuple(int(i) for i in np.argsort(frame["estimate"].to_numpy(float), kind="stable"))
    n = table.cell(lowest, "n", "whole")
    chart = interval_chart(
        table, "question", LIMITS, headline=headline, n=n, axis=both("report.axis.perception"),
        origin=results[0], synthetic=client.synthetic, rows=order,
        reference=float(frame["estimate"].mean()),
    )  # fmt: skip
    return Finding(
        headline,
        tuple(details),
        advice,
        n=n,
        method=both("report.method.ratings"),
        table=table,
        chart=chart,
        tables=(_pair_table(client, pairs, level),),
        size=size,
        certainty=certainty,
    )


def _pair_table(client: Client, pairs: pd.DataFrame, level: float) -> ReportTable:
    names = {c: [client.name(str(score)) for score in pairs[c]] for c in ("score", "other")}
    columns = (*LIMITS, "effect_size", "p_value", "p_adjusted", "n")
    frame = pd.DataFrame(
        {"question": names["score"], "other": names["other"], **{c: pairs[c] for c in columns}}
    )
    return ReportTable("rating_pairs", both("report.table.rating_pairs"), frame, level=level)
