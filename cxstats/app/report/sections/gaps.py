"""Service quality: gaps of expectations, or mean scores, of dimensions and items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxstats.app.report.content import Claim, Finding, Indicator, ReportTable, Section, Sentence
from cxstats.app.report.drawing import interval_chart
from cxstats.app.report.sections.attempts import (
    NoFinding,
    attempt,
    design_options,
    estimate_cells,
    told_apart,
)
from cxstats.app.report.sections.metrics import MOST_GROUPS, MOST_PAIRS
from cxstats.app.report.wording import reason
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both, listed
from cxstats.core.moments import moments
from cxstats.metrics.result import group_text
from cxstats.service.dimension_scores import OVERALL
from cxstats.service.reliability import Reliability, reliability
from cxstats.service.servqual import Servqual, respondent_scores, servperf, servqual
from cxstats.stats.group_comparison import Groups, compare_groups
from cxstats.stats.hypothesis_tests import paired_differences
from cxstats.stats.means import MeanOptions
from cxstats.survey.coding import coded

if TYPE_CHECKING:
    from cxstats.app.report.client import Client

LIMITS = ("estimate", "ci_low", "ci_high")
MOST_ITEMS = 3  # that a sentence names
LOW_ALPHA = 0.7  # Nunnally & Bernstein (1994), as in `cxstats.stats.rules`
GAP_COLUMNS = (
    "expectation", "perception", "estimate", "ci_low", "ci_high", "p_adjusted", "effect_size", "n",
)  # fmt: skip
MEAN_COLUMNS = ("estimate", "ci_low", "ci_high", "sd", "n")


def gaps(client: Client) -> Section:
    """Return the dimensions of the questionnaire: gaps, or means, groups, waves, reliability."""
    book = client.codebook
    if not book.constructs:
        return Section("gaps", absent=(both("report.absent.no_constructs"),))
    try:
        scores = client.once(("scores",), lambda: _Scores.of(client))
    except CxError as error:
        why = both("report.absent.failed", name=both("report.gaps.scores"), why=reason(error))
        return Section("gaps", absent=(why,))
    findings: list[Finding] = []
    absent: list[Text] = []
    chapter = both("report.gaps.scores")
    attempt(findings, absent, chapter, lambda: _dimensions(client, scores))
    if not findings:
        return Section("gaps", absent=tuple(absent))
    attempt(findings, absent, chapter, lambda: _items(client, scores))
    attempt(findings, absent, both("report.gaps.reliability"), lambda: _reliability(client))
    for column in dict.fromkeys(book.group_columns):
        attempt(findings, absent, client.name(column), partial(_by_group, client, scores, column))
    wave = book.wave_column
    if wave is not None:
        attempt(findings, absent, client.name(wave), lambda: _over_waves(client, scores, wave))
    return Section(
        "gaps", tuple(findings), absent=tuple(absent), indicators=tuple(scores.indicators(client))
    )


@dataclass(frozen=True, eq=False)
class _Scores:
    """The scores of all respondents.

    Attributes
    ----------
    result : Servqual
    table : ReportTable
        Dimensions, then the overall score.
    respondents : pandas.DataFrame or None
        The score of each; None where nobody answered in both roles.
    options : MeanOptions
        How means are tested.
    caveats : tuple of Text
    """

    result: Servqual
    table: ReportTable
    respondents: pd.DataFrame | None
    options: MeanOptions
    caveats: tuple[Text, ...]

    @classmethod
    def of(cls, client: Client) -> _Scores:
        result, caveats = _scored(client)
        columns = GAP_COLUMNS if result.measure == "gap" else MEAN_COLUMNS
        table = _readable(client, result.table, "score", columns)
        title = both(f"report.table.{result.measure}")
        scores = ReportTable(
            f"{result.measure}_scores", title, table, level=result.level, bars=("estimate",)
        )
        respondents = None
        if result.paired:
            weights = "points" if result.weights == "points" else None
            respondents = respondent_scores(client.answers, client.codebook, weights)
        ends = np.array([client.codebook.bounds(item) for item in client.codebook.items], float)
        low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
        bounds = (low - high, high - low) if result.measure == "gap" else (low, high)
        options = design_options(client, bounds)
        return cls(result, scores, respondents, options, (*caveats, *result.notes))

    @property
    def measure(self) -> str:
        """What a score is: "gap" or "perception"."""
        return self.result.measure

    @property
    def form(self) -> dict[str, Any]:
        """How a score is written."""
        return {"form": "signed" if self.measure == "gap" else "number"}

    @property
    def method(self) -> Text:
        """How scores and their order were found."""
        return both(f"report.method.{self.measure}")

    def name(self, client: Client, score: str) -> Text:
        """Return what a score is called where it is compared: "gap of Empathy"."""
        if score == OVERALL:
            return both(f"report.gaps.name.overall.{self.measure}")
        return both(f"report.gaps.name.{self.measure}", name=client.name(score))

    def indicators(self, client: Client) -> list[Indicator]:
        """Return the dimensions for the scorecard."""
        return [
            Indicator(
                name, self.name(client, name), "answers",
                **estimate_cells(self.table, row, LIMITS, **self.form),
                n=self.table.cell(row, "n", "whole"),
            )
            for row, name in enumerate(client.codebook.constructs)
            if np.isfinite(self.table.frame["estimate"].iloc[row])
        ]  # fmt: skip


def _scored(client: Client) -> tuple[Servqual, tuple[Text, ...]]:
    """Return gaps, weighted by the points of respondents where they gave them; else means."""
    book, data = client.codebook, client.answers
    method = servqual if "expectation" in book.roles else servperf
    if not book.point_columns:
        return _paired_or_not(client, method), ()
    try:
        return method(data, book, "points"), ()
    except DataError as error:
        result = _paired_or_not(client, method)
        return result, (both("report.gaps.no_points", why=reason(error)),)


def _paired_or_not(client: Client, method: Callable[..., Servqual]) -> Servqual:
    """Return scores; gaps of two samples, where nobody answered in both roles."""
    try:
        return method(client.answers, client.codebook)
    except DataError:
        if method is servperf:
            raise
        try:
            return servqual(client.answers, client.codebook, paired=False)
        except CxError:
            pass
        raise


def _name(client: Client, score: str) -> Text:
    return both("servqual.overall") if score == OVERALL else client.name(score)


def _readable(
    client: Client, table: pd.DataFrame, head: str, columns: tuple[str, ...]
) -> pd.DataFrame:
    """Return the columns that a reader needs, scores by their names."""
    names = [_name(client, str(score)) for score in table.index]
    chosen = [column for column in columns if column in table]
    return pd.DataFrame({head: names, **{c: table[c].to_numpy() for c in chosen}})


def _dimensions(client: Client, scores: _Scores) -> Finding:
    """Return which dimension is lowest, which it differs from, and what misses expectations."""
    result, table = scores.result, scores.table
    dimensions = list(client.codebook.constructs)
    values = table.frame["estimate"].to_numpy(float)[: len(dimensions)]
    n = table.cell(int(np.nanargmin(values)), "n", "whole") if np.isfinite(values).any() else None
    if n is None or n.value < client.min_cell:
        raise NoFinding(both("report.absent.few", name=both("report.gaps.scores")))
    low = int(np.nanargmin(values))
    cells = {
        "name": client.name(dimensions[low]), **estimate_cells(table, low, LIMITS, **scores.form)
    }  # fmt: skip
    pairs = None
    if scores.respondents is not None:
        matrix = scores.respondents[dimensions].to_numpy(float)
        pairs = client.once(
            ("dimensions",), lambda: paired_differences(matrix, dimensions, scores.options)
        )
    tables: tuple[ReportTable, ...] = ()
    details: list[Sentence] = []
    certainty = 0.0
    if pairs is None or pairs.empty:
        headline = Sentence(f"report.gaps.one.{scores.measure}", cells)
    else:
        headline, details = _lowest(client, scores.measure, dimensions, low, pairs, cells)
        tables = (_pair_table(client, scores.measure, pairs, result.level),)
    size = 0.0
    advised = bool(headline.claims)
    if scores.measure == "gap":
        details += _against_expectations(client, result, dimensions)
        p_value = _value(result, dimensions[low], "p_adjusted")
        advised = p_value <= client.alpha and values[low] < 0
        certainty = 1 - p_value if advised else 0.0
        size = abs(float(values[low])) / _sd(result, dimensions[low])
    elif advised and pairs is not None:
        certainty, size = _least_certain(pairs, dimensions[low])
    overall: dict[str, Any] = {"name": both("servqual.overall")}
    overall |= estimate_cells(table, len(dimensions), LIMITS, **scores.form)
    if len(dimensions) > 1 and np.isfinite(table.frame["estimate"].iloc[-1]):
        details.append(Sentence(f"report.gaps.overall.{scores.measure}", overall))
    advice = Sentence(f"report.advice.{scores.measure}", {"name": cells["name"]})
    reference = 0.0 if scores.measure == "gap" else float(table.frame["estimate"].iloc[-1])
    chart = interval_chart(
        table, "score", LIMITS, headline=headline, n=n,
        axis=both(f"report.axis.{scores.measure}"), origin=result, synthetic=client.synthetic,
        reference=reference if np.isfinite(reference) else 0.0,
        rows=tuple(range(len(dimensions))),
    )  # fmt: skip
    return Finding(
        headline,
        tuple(details),
        advice if advised else None,
        n=n,
        method=scores.method,
        caveats=scores.caveats,
        table=table,
        chart=chart,
        tables=tables,
        size=size if np.isfinite(size) else 0.0,
        certainty=certainty,
    )


def _value(result: Servqual, score: str, column: str) -> float:
    """Return a number of the table of scores."""
    numbers: Any = result.table[column]
    return float(numbers[score])


def _sd(result: Servqual, score: str) -> float:
    """Return the standard deviation of a respondent's score, from the error of its mean."""
    return _value(result, score, "se") * float(np.sqrt(_value(result, score, "n")))


def _pair_table(client: Client, measure: str, pairs: pd.DataFrame, level: float) -> ReportTable:
    columns = ["estimate", "ci_low", "ci_high", "effect_size", "p_value", "p_adjusted", "n"]
    names = {c: [client.name(str(score)) for score in pairs[c]] for c in ("score", "other")}
    frame = pd.DataFrame({**names, **{c: pairs[c].to_numpy() for c in columns}})
    return ReportTable(
        f"{measure}_pairs", both(f"report.table.{measure}_pairs"), frame, level=level
    )


def _lowest(
    client: Client,
    measure: str,
    dimensions: list[str],
    low: int,
    pairs: pd.DataFrame,
    cells: dict[str, Any],
) -> tuple[Sentence, list[Sentence]]:
    """Return whether the lowest dimension can be told apart from all, some or none."""
    lowest = dimensions[low]
    sure = told_apart(pairs, lowest, client.alpha)
    above = [name for name in dimensions if name in sure]
    unsure = [name for name in dimensions if name != lowest and name not in sure]
    claims = tuple(Claim(measure, name, lowest) for name in above)
    if not unsure:
        return Sentence(f"report.gaps.lowest.{measure}", cells, claims), []
    others = {"others": listed(client.name(name) for name in unsure)}
    headline = Sentence(f"report.gaps.unsure.{measure}", {**cells, **others})
    if not above:
        return headline, []
    named = {"name": cells["name"], "others": listed(client.name(name) for name in above)}
    return headline, [Sentence("report.gaps.lower_than", named, claims)]


def _least_certain(pairs: pd.DataFrame, lowest: str) -> tuple[float, float]:
    """Return certainty and size of the difference that is least certain of the lowest."""
    rows = pairs[(pairs["score"] == lowest) | (pairs["other"] == lowest)]
    last: Any = rows.iloc[int(rows["p_adjusted"].argmax())]
    return 1 - float(last["p_adjusted"]), abs(float(last["effect_size"]))


def _against_expectations(
    client: Client, result: Servqual, dimensions: list[str]
) -> list[Sentence]:
    """Return in which dimensions perceptions are below, above, or cannot be told."""
    estimates, p_values = (
        np.array([_value(result, name, column) for name in dimensions])
        for column in ("estimate", "p_adjusted")
    )
    sure = p_values <= client.alpha
    kinds = {"below": sure & (estimates < 0), "above": sure & (estimates > 0), "undecided": ~sure}
    sentences = []
    for kind, holds in kinds.items():
        names = [name for name, is_so in zip(dimensions, holds, strict=True) if is_so]
        ends = {"below": ("expectation", "perception"), "above": ("perception", "expectation")}
        claims = tuple(Claim(name, *ends[kind]) for name in names if kind in ends)
        if names:
            values = {"names": listed(client.name(name) for name in names)}
            sentences.append(Sentence(f"report.gaps.{kind}", values, claims))
    return sentences


def _items(client: Client, scores: _Scores) -> Finding:
    """Return the items with the lowest scores; their order is not tested."""
    result = scores.result
    columns = GAP_COLUMNS if scores.measure == "gap" else MEAN_COLUMNS
    untested = tuple(column for column in columns if column != "p_adjusted")
    frame = _readable(client, result.items, "item", untested)
    if len(frame) < 2:
        raise NoFinding(both("report.absent.one_item"))
    title = both(f"report.table.{scores.measure}_items")
    table = ReportTable(
        f"{scores.measure}_items", title, frame, level=result.level, bars=("estimate",)
    )
    estimates = frame["estimate"].to_numpy(float)
    if not np.isfinite(estimates).any():
        raise NoFinding(both("report.absent.one_item"))
    order = [int(i) for i in np.argsort(estimates, kind="stable") if np.isfinite(estimates[i])]
    sentences = []
    for place, row in enumerate(order[:MOST_ITEMS]):
        values = {"name": frame["item"].iloc[row]}
        values |= estimate_cells(table, row, LIMITS, **scores.form)
        key = f"report.gaps.item.{scores.measure}" if not place else "report.gaps.item.next"
        sentences.append(Sentence(key, values))
    sentences.append(Sentence("report.gaps.item.order"))
    n = table.cell(order[0], "n", "whole")
    chart = interval_chart(
        table, "item", LIMITS, headline=sentences[0], n=n,
        axis=both(f"report.axis.{scores.measure}"), origin=result, synthetic=client.synthetic,
        reference=0.0 if scores.measure == "gap" else float(np.nanmean(estimates)),
        rows=tuple(order[:MOST_GROUPS]),
    )  # fmt: skip
    return Finding(
        sentences[0], tuple(sentences[1:]), n=n, method=scores.method, table=table, chart=chart
    )


def _reliability(client: Client) -> Finding:
    """Return alpha and omega of every construct; what is below .7 is said."""
    book = client.codebook
    columns = [column for name in book.constructs for column in book.columns(construct=name)]
    if len(columns) < 2:
        raise NoFinding(both("report.absent.one_item"))

    def measured() -> Reliability:
        if book.design is None:
            return reliability(moments(client.answers[columns].dropna()), book)
        return reliability(client.answers, book, n_resamples=2)

    result = client.once(("reliability",), measured)
    alphas: Any = result.table["alpha"]
    rows = [name for name in book.constructs if np.isfinite(alphas[name])]
    if not rows:
        raise NoFinding(both("report.absent.no_alpha"))
    names = ("alpha", "alpha_ci_low", "alpha_ci_high", "omega", "omega_ci_low", "omega_ci_high")
    coefficients = result.table.loc[rows, [*names, "n_items", "n"]]
    frame = pd.DataFrame({"construct": [client.name(name) for name in rows]})
    frame = pd.concat([frame, coefficients.reset_index(drop=True)], axis=1)
    table = ReportTable("reliability", both("report.table.reliability"), frame, level=result.level)
    # Where some alpha may be below the limit, the least certain one is the headline.
    verdicts = [_verdict(row) for _, row in frame.iterrows()]
    worst = frame["alpha" if set(verdicts) == {"enough"} else "alpha_ci_low"]
    low, high = int(worst.argmin()), int(frame["alpha"].argmax())
    values: dict[str, Any] = {
        "name": frame["construct"].iloc[low],
        "estimate": table.cell(low, "alpha"),
        "low": table.cell(low, "alpha_ci_low"),
        "high": table.cell(low, "alpha_ci_high"),
    }
    headline = Sentence(f"report.reliability.{verdicts[low]}", values)
    details = []
    for row in range(len(frame)):
        if row != low and verdicts[row] != "enough":
            cells = estimate_cells(table, row, ("alpha", "alpha_ci_low", "alpha_ci_high"))
            named = {"name": frame["construct"].iloc[row], **cells}
            details.append(Sentence(f"report.reliability.{verdicts[row]}", named))
    if high != low:
        top = {"name": frame["construct"].iloc[high], "estimate": table.cell(high, "alpha")}
        details.append(Sentence("report.reliability.highest", top))
    chart = interval_chart(
        table, "construct", ("alpha", "alpha_ci_low", "alpha_ci_high"), headline=headline,
        n=table.cell(low, "n", "whole"), axis=both("report.axis.alpha"), origin=result,
        synthetic=client.synthetic, reference=LOW_ALPHA,
    )  # fmt: skip
    return Finding(
        headline,
        tuple(details),
        n=table.cell(low, "n", "whole"),
        method=both("report.method.reliability"),
        caveats=_trust(result),
        table=table,
        chart=chart,
    )


def _trust(result: Reliability) -> tuple[Text, ...]:
    """Return why a coefficient is not to be trusted, the first few reasons."""
    return (*result.problems, *result.notes)[: 2 * MOST_ITEMS]


def _verdict(row: pd.Series[Any]) -> str:
    """Return whether alpha is below .7, may be, or is enough, by its interval."""
    if row["alpha_ci_high"] < LOW_ALPHA:
        return "low"
    return "unsure" if row["alpha_ci_low"] < LOW_ALPHA else "enough"


def _grouped(client: Client, scores: _Scores, column: str) -> Groups:
    """Return scores by the groups of a column, where they can be compared."""
    labels = {"name": both("report.gaps.scores"), "column": client.name(column)}
    if scores.respondents is None:
        raise NoFinding(both("report.absent.unpaired", **labels))
    if column not in client.answers:
        raise NoFinding(both("report.absent.one_group", **labels))
    sizes = client.answers[column].value_counts()
    n_groups = int((sizes >= client.min_cell).sum())
    if n_groups > MOST_GROUPS:
        raise NoFinding(both("report.absent.many_groups", **labels, n=n_groups))
    if n_groups < 2:
        raise NoFinding(both("report.absent.one_group", **labels))
    matrix = scores.respondents.to_numpy(float)
    names = [*client.codebook.constructs, OVERALL]

    def compared() -> Groups:
        table = coded(client.answers, client.codebook, [column])
        return compare_groups(table, column, matrix, names, scores.options, client.min_cell)

    groups = client.once(("gaps by", column), compared)
    if groups.pairs is None:
        raise NoFinding(both("report.absent.one_group", **labels))
    return groups


def _group_tables(
    client: Client, scores: _Scores, column: str, result: Groups
) -> tuple[ReportTable, ReportTable]:
    """Return scores by group, and all pairs of groups."""
    labels = {"name": both("report.gaps.scores"), "column": client.name(column)}
    groups, pairs = result.means, result.pairs
    assert groups is not None
    assert pairs is not None
    means = pd.DataFrame(
        {
            "score": [_name(client, score) for score in groups["score"]],
            "group": [group_text(group) for group in groups["group"]],
            **{c: groups[c].to_numpy() for c in ("estimate", "ci_low", "ci_high", "n")},
        }
    )
    differences = pd.DataFrame(
        {
            "score": [_name(client, score) for score in pairs["score"]],
            **{c: [group_text(group) for group in pairs[c]] for c in ("group", "other")},
            **{
                c: pairs[c].to_numpy()
                for c in ("estimate", "ci_low", "ci_high", "p_value", "p_adjusted")
            },
        }
    )
    key = f"{scores.measure}_by_{column}"
    return (
        ReportTable(
            key, both("report.table.by_group", **labels), means, level=scores.options.level
        ),
        ReportTable(
            f"{key}_pairs",
            both("report.table.pairs", **labels),
            differences,
            level=scores.options.level,
        ),
    )


def _places(result: Groups) -> dict[tuple[str, str], int]:
    """Return the row of every score and group in the table of groups."""
    groups = result.means
    assert groups is not None
    pairs = zip(groups["score"], groups["group"], strict=True)
    return {(str(score), group_text(group)): row for row, (score, group) in enumerate(pairs)}


def _by_group(client: Client, scores: _Scores, column: str) -> Finding:
    """Return in which dimensions which groups differ."""
    result = _grouped(client, scores, column)
    table, differences = _group_tables(client, scores, column, result)
    pairs, where = result.pairs, _places(result)
    assert pairs is not None
    sure = pairs[pairs["p_adjusted"] <= client.alpha]

    def sentence(row: Any) -> Sentence:
        first, second = group_text(row.group), group_text(row.other)
        higher, lower = (first, second) if row.estimate > 0 else (second, first)
        values: dict[str, Any] = {
            "name": scores.name(client, row.score),
            "higher": higher,
            "lower": lower,
            "top": table.cell(where[row.score, higher], "estimate", **scores.form),
            "bottom": table.cell(where[row.score, lower], "estimate", **scores.form),
        }
        claim = Claim(f"{scores.measure}:{row.score}", higher, lower)
        return Sentence("report.groups.differ", values, (claim,))

    # Dimensions before the overall score: they say where to look.
    order: Any = sure.assign(of_all=sure["score"] == OVERALL, size=sure["estimate"].abs())
    order = order.sort_values(["of_all", "size"], ascending=[True, False], kind="stable")
    rows: list[Any] = list(order.itertuples())
    score_drawn = str(rows[0].score) if rows else OVERALL
    details: tuple[Sentence, ...] = ()
    advice = None
    size = certainty = 0.0
    if rows:
        headline = sentence(rows[0])
        details = tuple(sentence(row) for row in rows[1:MOST_PAIRS])
        ends = {name: headline.values[name] for name in ("name", "higher", "lower")}
        advice = Sentence("report.advice.groups", ends)
        first = rows[0]
        size = abs(float(first.estimate)) / _sd(scores.result, score_drawn)
        certainty = 1 - float(first.p_adjusted)
    else:
        values = {"name": both("report.gaps.scores"), "column": client.name(column)}
        headline = Sentence("report.gaps.groups_alike", values)
    drawn = tuple(row for (score, _), row in where.items() if score == score_drawn)
    n = scores.table.cell(_row_of(client, score_drawn), "n", "whole")
    chart = interval_chart(
        table, "group", LIMITS, headline=headline, n=n, axis=scores.name(client, score_drawn),
        origin=scores.result, synthetic=client.synthetic, rows=drawn,
        reference=_value(scores.result, score_drawn, "estimate"),
    )  # fmt: skip
    return Finding(
        headline,
        details,
        advice,
        method=both(f"report.method.{scores.measure}_groups"),
        caveats=result.notes,
        table=table,
        chart=chart,
        tables=(differences,),
        size=float(size),
        certainty=certainty,
    )


def _row_of(client: Client, score: str) -> int:
    names = [*client.codebook.constructs, OVERALL]
    return names.index(score)


def _over_waves(client: Client, scores: _Scores, column: str) -> Finding:
    """Return how the overall score, or the only dimension, moved from the first wave to the last.

    Dimensions that moved beyond chance are details.
    """
    result = _grouped(client, scores, column)
    table, differences = _group_tables(client, scores, column, result)
    where, pairs = _places(result), result.pairs
    assert result.means is not None
    assert pairs is not None
    has = result.means[result.means["estimate"].notna()]
    waves = list(dict.fromkeys(group_text(group) for group in has["group"]))
    first, last = waves[0], waves[-1]
    sentences = []
    for score in (OVERALL, *client.codebook.constructs):
        at = [
            i
            for i, row in enumerate(pairs.itertuples())
            if row.score == score
            and {group_text(row.group), group_text(row.other)} == {first, last}
        ]
        if at and (score, first) in where:
            ends = (where[score, first], where[score, last])
            sentences.append(_change(client, scores, score, table, ends, pairs.iloc[at[0]]))
    if not sentences:
        labels = {"name": both("report.gaps.scores"), "column": client.name(column)}
        raise NoFinding(both("report.absent.one_group", **labels))
    (headline, size, certainty), others = sentences[0], sentences[1:]
    details = [sentence for sentence, _, moved in others if moved]
    falls = [s for s, _, moved in sentences if moved and s.key == "report.gaps.waves.down"]
    advice = None
    if falls:
        values = {"name": falls[0].values["name"], "last": last}
        advice = Sentence("report.advice.waves", values)
        size, certainty = next((z, c) for s, z, c in sentences if s is falls[0])
    drawn = tuple(where[OVERALL, wave] for wave in waves if (OVERALL, wave) in where)
    n = scores.table.cell(_row_of(client, OVERALL), "n", "whole")
    chart = interval_chart(
        table, "group", LIMITS, headline=headline, n=n, axis=scores.name(client, OVERALL),
        origin=scores.result, synthetic=client.synthetic, rows=drawn,
        reference=_value(scores.result, OVERALL, "estimate"), kind="line",
    )  # fmt: skip
    return Finding(
        headline,
        tuple(details),
        advice,
        method=both(f"report.method.{scores.measure}_groups"),
        caveats=result.notes,
        table=table,
        chart=chart,
        tables=(differences,),
        size=size,
        certainty=certainty,
    )


def _change(
    client: Client,
    scores: _Scores,
    score: str,
    table: ReportTable,
    ends: tuple[int, int],
    row: pd.Series[Any],
) -> tuple[Sentence, float, float]:
    """Return the sentence on a change, its size in standard deviations and its certainty."""
    before, after = ends
    first, last = (str(table.frame["group"].iloc[end]) for end in ends)
    sure = bool(row["p_adjusted"] <= client.alpha)
    rose = table.frame["estimate"].iloc[after] > table.frame["estimate"].iloc[before]
    values: dict[str, Any] = {
        "name": scores.name(client, score),
        "first": first,
        "last": last,
        "before": table.cell(before, "estimate", **scores.form),
        "after": table.cell(after, "estimate", **scores.form),
    }
    if not sure:
        return Sentence("report.gaps.waves.same", values), 0.0, 0.0
    claim = Claim(f"{scores.measure}:{score}", *((last, first) if rose else (first, last)))
    key = f"report.gaps.waves.{'up' if rose else 'down'}"
    size = abs(float(row["estimate"])) / _sd(scores.result, score)
    return Sentence(key, values, (claim,)), size, 1 - float(row["p_adjusted"])
