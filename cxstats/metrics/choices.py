"""Shares of the options of a check-all-that-apply question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label
from cxstats.core.messages import excerpt, no_column
from cxstats.core.result import Chart, Result
from cxstats.metrics.rates import rate
from cxstats.metrics.result import LEVEL, SHOWN, Metric, group_text
from cxstats.stats.disclosure import (
    check_min_cell,
    suppressed_groups,
    suppression_notes,
    without_hidden,
)
from cxstats.stats.sampling_design import Design
from cxstats.survey.answers import respondent_of
from cxstats.survey.choices import NOT_OFFERED, read_ticks, wrong_cells
from cxstats.survey.codebook import Codebook
from cxstats.survey.coding import by_codebook
from cxstats.survey.questions import Question

if TYPE_CHECKING:
    import pandas as pd

COLUMN = "(ticks of cxstats)"  # a name that no table has


@dataclass(frozen=True, eq=False, repr=False)
class Choices(Result):
    """How many respondents ticked each option; a respondent may tick several.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per option, within each group of `by`: the columns of `by`, ``option, estimate``
        (share of those who were offered it), ``se, ci_low, ci_high, n`` (offered), ``ticked``,
        ``n_missing``, ``n_not_offered``; with a sampling design also what `Metric` has of it; with
        `min_cell` also ``suppressed``. A group is hidden at every option or at none.
    question : Question
    by : tuple of str
        Columns of groups.
    interval, level : str, float
        Method and level of the intervals.
    n : int
        Respondents who were offered an option and have an answer.
    weighted, synthetic : bool
        Whether shares are weighted, whether answers are simulated.
    notes : tuple of Text
        What blank cells were taken for, and what is rough.
    """

    table: pd.DataFrame
    question: Question
    by: tuple[str, ...]
    interval: str
    level: float
    n: int
    weighted: bool
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("options",)
    reference: ClassVar = (
        "Wilson (1927). Probable inference, the law of succession, and statistical inference. "
        "Journal of the American Statistical Association 22, 209-212."
    )

    def title(self, lang: str | None = None) -> str:
        """Return the name of the question."""
        return label("title.Choices", lang, question=self.question.words(lang))

    def _names(self) -> list[str]:
        """Return the option, and its group, of every row."""
        columns = [self.table["option"], *(self.table[name] for name in self.by)]
        return [" / ".join(map(group_text, row)) for row in zip(*columns, strict=True)]

    def findings(self, lang: str) -> list[str]:
        """Return the options with shares and intervals."""
        head = label(
            "metric.choices.head", lang,
            question=self.question.words(lang), n=format_number(self.n),
            level=format_percent(100 * self.level, None, lang),
            method=label(f"metric.interval.{self.interval}", lang),
        )  # fmt: skip
        lines = [head]
        rows: Any = zip(self._names(), self.table.itertuples(), strict=True)
        for name, row in list(rows)[:SHOWN]:
            if getattr(row, "suppressed", False):
                lines.append("  " + label("disclosure.row", lang, name=name))
                continue
            if np.isnan(row.estimate):
                n = format_number(row.n)
                lines.append("  " + label("metric.row.none", lang, name=name, n=n))
                continue
            values = {
                "name": name,
                "share": format_percent(100 * row.estimate, 1, lang),
                "interval": interval_text(100 * row.ci_low, 100 * row.ci_high, 1),
                "ticked": format_number(row.ticked),
                "n": format_number(row.n),
            }
            lines.append("  " + label("metric.choices.row", lang, **values))
        if len(self.table) > SHOWN:
            more = format_number(len(self.table) - SHOWN)
            lines.append("  " + label("metric.choices.more", lang, count=more))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the shares as dots on their intervals, the largest first."""
        has = self.table["estimate"].notna()
        if not has.any():
            raise CxError("no option has an estimate to draw")
        rows = self.table[has]
        names = [name for name, drawn in zip(self._names(), has, strict=True) if drawn]
        order = np.argsort(-rows["estimate"].to_numpy(), kind="stable")
        limits = [100 * rows[name].to_numpy()[order] for name in ("estimate", "ci_low", "ci_high")]
        first = label(
            "metric.choices.title", lang, name=names[order[0]],
            share=format_percent(float(limits[0][0]), 0, lang),
        )  # fmt: skip
        keywords = {
            "source": label("metric.source", lang, n=format_number(self.n)),
            "axis": label("metric.choices.axis", lang, question=self.question.words(lang)),
            "level": self.level, "decimals": 1, "synthetic": self.synthetic, "title": first,
        }  # fmt: skip
        return Chart("intervals", ([names[i] for i in order], *limits), keywords)


def _group_columns(book: Codebook, arguments: Mapping[str, Any]) -> list[str]:
    """Return the columns of groups; ticks are read by `read_ticks`."""
    by = arguments.get("by")
    return [by] if isinstance(by, str) else list(by or ())


@by_codebook(_group_columns)
def choices(  # noqa: PLR0913  (keywords of a public function)
    frame: Any,
    question: Any = None,
    by: Any = None,
    *,
    weights: str | None = None,
    cluster: str | None = None,
    strata: str | None = None,
    design: Design | None = None,
    interval: str = "wilson",
    level: float = LEVEL,
    min_cell: int | None = None,
    codebook: Any = None,
) -> Choices:
    """Compute how many ticked each option of a question that allows several, ``p = ticked / n``.

    n are the respondents who were offered the option and have an answer, so shares add up to more
    than 1. Cells may hold one option each (1 and 0, 1 and blank, the option's text and blank,
    "Checked", "选中"), or all ticked options (``"A;B"``, ``"A┋B"``; other separators by
    ``separator``, options that hold the separator themselves by ``options``).

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table or DuckDB relation
        Respondents in rows.
    question : str, Question or mapping, optional
        The name of a question of kind "choices" in the codebook, not needed where there is one; or
        the question itself, ``{"kind": "choices", "column": "q7", "separator": ", "}``; see
        `cxstats.survey.questions.Question`.
    by : str or sequence of str, optional
        Columns of groups.
    weights, cluster, strata, design, interval, level, min_cell
        As in `cxstats.rate`.
    codebook : Codebook, mapping, path or name, optional
        It lends the question, missing codes, names and order of groups, and its sampling design
        unless one is named here (``weights=None`` names none).

    Raises
    ------
    DataError
        Naming row, column and value of a cell that says neither ticked nor not ticked; or if a
        column is not in the table.

    Notes
    -----
    No file says what a blank cell means: without ``blank: missing`` in the question it is taken as
    "not ticked", which the notes say. Each interval holds for its option alone.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"q7": ["App;Phone", "App", None, "Branch"]})
    >>> result = choices(frame, {"kind": "choices", "column": "q7"})
    >>> result.table[["option", "ticked", "n", "estimate"]].values.tolist()
    [['App', 2, 4, 0.5], ['Phone', 1, 4, 0.25], ['Branch', 1, 4, 0.25]]
    """
    import pandas as pd

    check_min_cell(min_cell)
    asked = _question(question, codebook)
    data = as_pandas(frame)
    for column in dict.fromkeys(asked.all_columns):
        if column not in data.columns:
            raise DataError(no_column(column, data.columns))
        if data[column].ndim > 1:
            raise DataError(f"column {column!r} stands twice in the table")
    ticks = read_ticks(data, asked, () if codebook is None else codebook.missing)
    wrong = [
        f"{respondent_of(data, codebook, i)}, column {column!r}: {excerpt(value)} is neither "
        f"ticked nor not ticked; allowed: {allowed.en}"
        for i, column, value, allowed in wrong_cells(data, asked, ticks)
    ]
    if wrong:
        raise DataError(wrong)
    if not ticks.options:
        raise DataError(f"column {asked.column!r}: nobody ticked an option")
    options: dict[str, Any] = {
        "weights": weights, "cluster": cluster, "strata": strata, "design": design,
        "interval": interval, "level": level,
    }  # fmt: skip
    indicators = ticks.indicators
    tables, metrics = [], []
    for j, option in enumerate(ticks.options):
        if np.isnan(indicators[:, j]).all():
            raise DataError(f"column {ticks.columns[j]!r}: nobody answered option {option!r}")
        marked = data.assign(**{COLUMN: indicators[:, j]})
        metric = rate(marked, by=by, column=COLUMN, codebook=None, **options)
        metrics.append(metric)
        tables.append(_rows(metric, option, ticks.states[:, j], data))
    notes = [*ticks.notes(), *_notes(metrics)]
    if min_cell is not None:
        groups = metrics[0].table[list(metrics[0].by)]
        answered = np.column_stack([metric.table["n"] for metric in metrics])
        hidden = suppressed_groups(answered, min_cell, groups)
        visible = [*metrics[0].by, "option"]
        tables = [without_hidden(table, hidden, visible) for table in tables]
        notes += suppression_notes(hidden, min_cell)
    table = pd.concat(tables, ignore_index=True)
    return Choices(
        table=table,
        question=asked,
        by=metrics[0].by,
        interval=interval,
        level=level,
        n=int((~np.isnan(indicators)).any(axis=1).sum()),
        weighted=metrics[0].weighted,
        synthetic=bool(data.attrs.get("synthetic")),
        notes=tuple(notes),
    )


def _question(question: Any, codebook: Codebook | None) -> Question:
    """Return the question that was asked for, of kind "choices"."""
    if isinstance(question, Mapping):
        question = Question(**question)
    if isinstance(question, Question):
        if question.kind != "choices":
            raise CxError(f"question of kind {question.kind!r}; allowed: 'choices'")
        return question
    if codebook is None:
        raise CxError(
            f"question={excerpt(question)}; allowed: the name of a question of codebook=..., or "
            "the question itself, such as {'kind': 'choices', 'column': 'q7'}"
        )
    return codebook.question("choices", question)


def _rows(metric: Metric, option: str, states: Any, data: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an option, with how many ticked it and were not offered it."""
    table = metric.table.rename(columns={"events": "ticked"})
    table.insert(len(metric.by), "option", option)
    not_offered = data[list(metric.by)].assign(count=states == NOT_OFFERED)
    if metric.by:
        counts = not_offered.groupby(list(metric.by), observed=True)["count"].sum()
        keys = list(table[list(metric.by)].itertuples(index=False, name=None))
        keys = [key if len(key) > 1 else key[0] for key in keys]
        table["n_not_offered"] = [int(counts.get(key, 0)) for key in keys]
    else:
        table["n_not_offered"] = int(not_offered["count"].sum())
    table["n_missing"] = table["n_missing"] - table["n_not_offered"]
    return table


def _notes(metrics: list[Metric]) -> list[Text]:
    """Return the notes of the option with the fewest answers; missing ones stand in the table."""
    fewest = min(metrics, key=lambda metric: metric.n)
    missing = both("metric.note.missing", count=format_number(fewest.n_missing))
    return [note for note in fewest.notes if note != missing]
