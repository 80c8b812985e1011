"""Two doors to a Kano analysis: answers of respondents, or published counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas, is_synthetic
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import Text, both, listed
from cxstats.core.messages import no_column
from cxstats.core.moments import LARGE, check_resamples
from cxstats.priorities.kano.counts import CLOSE, INTERVALS, RULES, feature_table, share_table
from cxstats.priorities.kano.evaluation import CATEGORIES, check_codes, coded, evaluation_table
from cxstats.priorities.kano.mean_scores import continuous_table, mean_intervals
from cxstats.priorities.kano.result import Kano
from cxstats.priorities.kano.segments import compare
from cxstats.priorities.notes import ROUGH
from cxstats.stats.disclosure import (
    check_min_cell,
    suppressed_groups,
    suppression_notes,
    without_hidden,
)
from cxstats.stats.group_comparison import group_names
from cxstats.stats.intervals import check_level
from cxstats.stats.large_samples import is_large
from cxstats.stats.sampling_design import Design, refuse_design
from cxstats.survey.answers import missing_code_notes, numbers
from cxstats.survey.codebook import Codebook
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Whole = NDArray[np.int64]

LEVEL, N_RESAMPLES, SEED = 0.95, 2_000, 1
NO_DESIGN = (
    "categories and their tests are those of counts of independent respondents; keep one row per "
    "cluster, and compare the groups that were sampled at different rates with by="
)
FEW = 30  # answers below which resamples repeat the same few people; a convention of ours
MUCH = 0.05  # questionable answers from this share on are worth a look; a convention of ours


FUNCTIONAL, DYSFUNCTIONAL = "{feature}_functional", "{feature}_dysfunctional"


def _columns(book: Codebook, arguments: Mapping[str, Any]) -> list[str]:
    """Return the columns that `kano` reads."""
    patterns = {"functional": FUNCTIONAL, "dysfunctional": DYSFUNCTIONAL}
    named = {name: arguments.get(name, usual) for name, usual in patterns.items()}
    pairs = _pairs(arguments["features"], **named)
    stated = arguments.get("importance") or {}
    return [*(column for pair in pairs.values() for column in pair), *stated.values(),
            *(name for name in [arguments.get("by")] if name)]  # fmt: skip


@by_codebook(_columns, in_memory=True)
def kano(  # noqa: PLR0913
    frame: Any,
    features: Mapping[str, tuple[str, str]] | Sequence[str],
    *,
    functional: str = FUNCTIONAL,
    dysfunctional: str = DYSFUNCTIONAL,
    codes: Sequence[Any] = (1, 2, 3, 4, 5),
    dysfunctional_codes: Sequence[Any] | None = None,
    table: Any = "kano1984",
    importance: Mapping[str, str] | None = None,
    by: str | None = None,
    rule: str = "hierarchy",
    close: float = CLOSE,
    method: str = "wilson",
    weights: str | None = None,
    cluster: str | None = None,
    design: Design | None = None,
    min_cell: int | None = None,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    codebook: Any = None,
) -> Kano:
    """Sort features into must-be, one-dimensional, attractive, indifferent and reverse.

    Every respondent says how it would be with the feature (functional) and without it
    (dysfunctional); the evaluation table turns the pair into a category. Of the counts,

        ``CS+ = (A + O) / (A + O + M + I)``, ``CS- = -(O + M) / (A + O + M + I)``.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table or DuckDB relation
        One row per respondent.
    features : mapping of feature to (functional column, dysfunctional column), or sequence
        With a sequence of names, the columns follow from `functional` and `dysfunctional`.
    functional, dysfunctional : str
        Patterns of column names, with ``{feature}``.
    codes : five numbers or texts
        How like, must-be (expect), neutral, live with and dislike are coded, in this order.
    dysfunctional_codes : five numbers or texts, optional
        The same for the dysfunctional question, where it is coded otherwise.
    table : {"kano1984", "pouliot1993"} or 5 by 5 categories
        The evaluation table; see `cxstats.priorities.kano.evaluation_table`.
    importance : mapping of feature to column, optional
        Self-stated importance of features; its mean is reported.
    by : str, optional
        Column of segments to compare.
    rule : {"hierarchy", "count", "sums"}
        How counts make a category; see `cxstats.priorities.kano.counts.categories`.
    close : float
        For "hierarchy": shares within this of the largest count as equal to it; .05 is the margin
        stated with the published rows that the tests reproduce.
    method : {"wilson", "bootstrap"}
        Intervals of CS+, CS- and total strength: Wilson's (given ``A + O + M + I``, CS+ is a
        proportion), or percentiles of the resamples.
    weights, cluster, design
        Not taken: categories, tests and resamples are those of counts. The message says what to do.
    min_cell : int, optional
        Segments with fewer answers to some feature are not published, nor are those from which
        their numbers could be computed (`cxstats.stats.disclosure`).
    level : float
        Confidence level.
    n_resamples, seed : int
        Bootstrap resamples and their seed.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes, direction, names and order of groups; its sampling design is
        refused like any other (``weights=None`` leaves it out).

    Returns
    -------
    Kano

    Raises
    ------
    DataError
        Naming row, column, value and what is allowed; or if nobody answered both questions.
    CxError
        If an option is wrong.

    Notes
    -----
    A respondent with one of the two answers missing is left out of that feature, and counted in
    the notes. R and Q are outside of CS+ and CS-. ``certainty`` is how often resamples of this size
    come to the same category. It says how firm the finding is, not that customers agree. Resamples
    of few respondents repeat them and look more certain than they are: below 30 a note says so, and
    one respondent alone has no certainty (NaN). From 100,000 respondents on, resamples of mean
    scores are drawn from their normal limit (`cxstats.stats.large_samples`), which a note says.

    Of the features that `cxstats.simulate_kano` draws, Wilson's 95 % intervals of CS+
    and CS- cover 94.9 to 95.8 % in samples of 100 and of 300 (computed exactly). Percentiles
    covered in 94.0 to 95.3 % of 2,000 samples of 300, and at 100 down to 92.7 % where the
    coefficient is near 0.

    References
    ----------
    Kano, Seraku, Takahashi & Tsuji (1984). Attractive quality and must-be quality. Journal of the
    Japanese Society for Quality Control 14(2), 39-48.
    Berger et al. (1993). Kano's methods for understanding customer-defined quality. Center for
    Quality Management Journal 2(4), 3-36.
    Lee & Newcomb (1997). Applying the Kano methodology to meet customer requirements: NASA's
    microgravity science program. Quality Management Journal 4(3), 95-106.

    Examples
    --------
    >>> from cxstats.datasets.simulate_kano import simulate_kano
    >>> answers = simulate_kano(300, seed=1)
    >>> result = kano(answers, ["App", "Hotline", "Refund"])
    >>> result.table[["category", "better", "worse"]].round(3)
            category  better  worse
    feature
    App            A   0.661 -0.266
    Hotline        O   0.602 -0.639
    Refund         M   0.257 -0.764
    """
    refuse_design("kano", NO_DESIGN, design, weights, cluster)
    data = as_pandas(frame)
    pairs = _pairs(features, functional, dysfunctional)
    names = list(pairs)
    evaluation = evaluation_table(table)
    functional_codes = check_codes(codes)
    if dysfunctional_codes is None:
        absent_codes = functional_codes
    else:
        absent_codes = check_codes(dysfunctional_codes, "dysfunctional_codes")
    _check_options(rule, close, method, level, n_resamples, seed)
    present = np.column_stack([coded(data, pairs[name][0], functional_codes) for name in names])
    absent = np.column_stack([coded(data, pairs[name][1], absent_codes) for name in names])
    places = evaluation.classify(present, absent)
    counts = _count(places)
    for name, total in zip(names, counts.sum(-1), strict=True):
        if total == 0:
            raise DataError(
                f"nobody answered both questions of feature {name!r} (columns {pairs[name][0]!r}, "
                f"{pairs[name][1]!r})"
            )
    options: dict[str, Any] = {"rule": rule, "close": close, "interval": method, "level": level}
    options |= {"n_resamples": n_resamples, "seed": seed}
    rows = feature_table(names, counts, **options)
    stated: dict[str, Array] = {}
    if importance is not None:
        rows = rows.join(_importance(data, names, importance, level, n_resamples, seed))
        stated = {column: numbers(data, column) for column in importance.values()}
    groups = comparisons = None
    ungrouped, hidden = 0, np.zeros(0, bool)
    check_min_cell(min_cell)
    if by is not None:
        members, ungrouped = _members(data, by)
        split = np.stack([_count(places[cases]) for cases in members.values()])
        hidden = suppressed_groups(split.sum(axis=-1), min_cell)
        groups = _by_group(names, list(members), split, options)
        if min_cell is not None:
            rows_hidden = np.tile(hidden, len(names))
            groups = without_hidden(groups, rows_hidden, ["feature", "group"])
        if (~hidden).sum() > 1:
            comparisons = compare(names, split[~hidden], level, n_resamples, seed)
    return Kano(
        rows, share_table(names, counts, level),
        continuous_table(names, present, absent, level, n_resamples, seed),
        groups, comparisons, evaluation, len(data), rule, close, method, by, level, n_resamples,
        seed, bool(data.attrs.get("synthetic")),
        (
            *_notes(rows, len(data), n_resamples, by, ungrouped, comparisons, groups),
            *missing_code_notes(stated),
            *suppression_notes(hidden, min_cell),
        ),
    )  # fmt: skip


def kano_from_counts(
    counts: Any,
    *,
    rule: str = "hierarchy",
    close: float = CLOSE,
    method: str = "wilson",
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> Kano:
    """Analyse published counts of M, O, A, I, R, Q. The second door of `kano`.

    Parameters
    ----------
    counts : frame, or mapping of feature to counts
        A frame has one row per feature (its name in a column ``feature``, or in the index) and
        columns M, O, A, I, R, Q; a mapping gives six counts in this order, or a mapping of letters
        to counts. All six are needed, 0 where nobody.
    rule, close, method, level, n_resamples, seed
        As in `kano`.

    Raises
    ------
    DataError
        Naming feature, category and count that is missing, negative or no whole number.

    Examples
    --------
    >>> result = kano_from_counts({"Loan machine": [65, 87, 93, 51, 0, 0]})
    >>> result.table[["by_count", "category", "better", "worse"]].round(3).to_numpy().tolist()
    [['A', 'O', 0.608, -0.514]]
    """
    _check_options(rule, close, method, level, n_resamples, seed)
    names, matrix = _read_counts(counts)
    rows = feature_table(
        names, matrix, rule=rule, close=close, interval=method, level=level,
        n_resamples=n_resamples, seed=seed,
    )  # fmt: skip
    largest = int(rows["n"].max())
    synthetic = is_synthetic(counts)
    return Kano(
        rows, share_table(names, matrix, level), None, None, None, None, largest, rule, close,
        method, None, level, n_resamples, seed, synthetic, _notes(rows, None, n_resamples),
    )  # fmt: skip


def _check_options(
    rule: str, close: float, method: str, level: float, n_resamples: int, seed: int
) -> None:
    for name, value, allowed in (("rule", rule, RULES), ("method", method, INTERVALS)):
        if value not in allowed:
            raise CxError(f"{name} is {value!r}; allowed: {', '.join(map(repr, allowed))}")
    if isinstance(close, bool) or not isinstance(close, Real) or not 0 <= close < 1:
        raise CxError(f"close is {close!r}; allowed: 0 to below 1, a difference of shares")
    check_level(level)
    check_resamples(n_resamples, seed)


def _pairs(features: Any, functional: str, dysfunctional: str) -> dict[str, tuple[str, str]]:
    """Return the two columns of every feature."""
    if isinstance(features, str) or not isinstance(features, Mapping | Sequence) or not features:
        raise CxError(
            f"features is {features!r}; allowed: a mapping of feature to (functional column, "
            "dysfunctional column), or a sequence of names"
        )
    if isinstance(features, Mapping):
        pairs = dict(features)
    else:
        pairs = _pairs_by_pattern(features, functional, dysfunctional)
    for name, pair in pairs.items():
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(set(pair)) != 2:
            raise CxError(f"feature {name!r}: {pair!r}; allowed: two different columns")
    return pairs


def _pairs_by_pattern(
    names: Sequence[Any], functional: str, dysfunctional: str
) -> dict[str, tuple[str, str]]:
    for option, pattern in (("functional", functional), ("dysfunctional", dysfunctional)):
        if "{feature}" not in str(pattern):
            raise CxError(f"{option} is {pattern!r}; allowed: a column name with {{feature}} in it")
    for name in names:
        if not isinstance(name, str):
            raise CxError(
                f"features has {name!r}; allowed: names as texts, or a mapping of feature to "
                "(functional column, dysfunctional column)"
            )
    if len(set(names)) < len(names):
        raise CxError(f"features names one twice: {', '.join(map(str, names))}")
    return {
        name: (functional.replace("{feature}", name), dysfunctional.replace("{feature}", name))
        for name in names
    }


def _count(places: Whole) -> Array:
    """Return counts (k, 6) of places (n, k); missing ones are not counted."""
    return np.stack([(places == i).sum(0) for i in range(len(CATEGORIES))], axis=-1).astype(float)


def _importance(
    data: pd.DataFrame,
    names: list[str],
    columns: Mapping[str, str],
    level: float,
    n_resamples: int,
    seed: int,
) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(columns, Mapping) or set(columns) != set(names):
        raise CxError(f"importance is {columns!r}; allowed: a column for each of {names}")
    values = np.column_stack([numbers(data, columns[name]) for name in names])
    mean, se, low, high, _ = mean_intervals(values, level, n_resamples, seed)
    statistics = {"importance": mean, "importance_ci_low": low, "importance_ci_high": high}
    statistics |= {"importance_se": se, "importance_n": (~np.isnan(values)).sum(0)}
    return pd.DataFrame(statistics, index=pd.Index(names, name="feature"))


def _members(data: pd.DataFrame, by: str) -> tuple[dict[Any, NDArray[np.intp]], int]:
    """Return the rows of every segment, and how many rows have none."""
    if not isinstance(by, str):
        raise CxError(f"by={by!r}; allowed: the name of one column")
    if by not in data.columns:
        raise DataError(no_column(by, data.columns))
    column = data[by]
    groups = group_names(column)
    if len(groups) < 2:
        raise DataError(f"column {by!r} has {len(groups)} group; at least 2 are needed to compare")
    members = {
        group: np.flatnonzero((column == group).to_numpy(bool, na_value=False)) for group in groups
    }
    return members, int(column.isna().sum())


def _by_group(
    names: list[str], groups: list[Any], split: Array, options: dict[str, Any]
) -> pd.DataFrame:
    """Return the table by feature and group (g, k, 6)."""
    import pandas as pd

    rows = feature_table(
        names * len(groups), split.reshape(-1, len(CATEGORIES)), **options
    ).reset_index()
    rows.insert(1, "group", pd.Series([group for group in groups for _ in names]))
    order = pd.Categorical(rows["feature"], names)
    return (
        rows.assign(_at=order)
        .sort_values("_at", kind="stable")
        .drop(columns="_at")
        .reset_index(drop=True)
    )


def _read_counts(counts: Any) -> tuple[list[str], Array]:
    """Return features and their counts (k, 6), checked."""
    if isinstance(counts, Mapping):
        names = [str(name) for name in counts]
        rows = [_six_counts(*item) for item in counts.items()]
    else:
        names, rows = _counts_of_frame(as_pandas(counts))
    if not names or len(set(names)) < len(names):
        raise DataError(f"features {names}; allowed: at least one, each named once")
    for name, row in zip(names, rows, strict=True):
        for letter, value in zip(CATEGORIES, row, strict=True):
            if not _is_count(value):
                raise DataError(
                    f"feature {name!r}, category {letter!r}: {value!r}; allowed: counts, whole "
                    "numbers from 0 upwards"
                )
        if not sum(row):
            raise DataError(f"feature {name!r} has no answers: all six counts are 0")
    return names, np.array(rows, float)


def _is_count(value: Any) -> bool:
    """Return whether a value is a whole number from 0 upwards."""
    integral = isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())
    return integral and not isinstance(value, bool) and value >= 0


def _counts_of_frame(frame: pd.DataFrame) -> tuple[list[str], list[list[Any]]]:
    lacking = [letter for letter in CATEGORIES if letter not in frame.columns]
    if lacking:
        raise DataError(
            f"column {lacking[0]!r} is not in the table; needed: {', '.join(CATEGORIES)}"
        )
    index = frame["feature"] if "feature" in frame.columns else frame.index
    return [str(name) for name in index], frame[list(CATEGORIES)].to_numpy(object).tolist()


def _six_counts(name: str, row: Any) -> list[Any]:
    """Return the counts of a feature in the order of the categories."""
    if isinstance(row, Mapping):
        if set(row) != set(CATEGORIES):
            raise DataError(
                f"feature {name!r} has {', '.join(map(repr, row))}; allowed: exactly "
                f"{', '.join(CATEGORIES)}, 0 where nobody"
            )
        return [row[letter] for letter in CATEGORIES]
    sequence = isinstance(row, Sequence | np.ndarray) and not isinstance(row, str)
    counts = list(row) if sequence else []
    if len(counts) != len(CATEGORIES):
        raise DataError(
            f"feature {name!r}: {row!r}; allowed: six counts, of {', '.join(CATEGORIES)}"
        )
    return counts


def _notes(
    table: pd.DataFrame,
    n: int | None,
    n_resamples: int,
    by: str | None = None,
    ungrouped: int = 0,
    comparisons: pd.DataFrame | None = None,
    groups: pd.DataFrame | None = None,
) -> tuple[Text, ...]:
    """Return what is rough, left out, questionable, mixed or unsettled."""
    notes = []
    few = {str(name): int(k) for name, k in table["n"].items() if k < FEW}
    if groups is not None:
        least = groups.groupby("group", sort=False)["n"].min().dropna()
        few |= {f"{by} {name}": int(k) for name, k in least.items() if k < FEW}
    if few:
        notes.append(both("kano.note.few", least=FEW, names=_with_values(few)))
    if n_resamples < ROUGH:
        notes.append(both("kano.note.rough", b=n_resamples, least=format_number(ROUGH)))
    if n is not None and is_large(table["n"].min()):
        notes.append(both("kano.note.large", least=format_number(LARGE)))
    if n is not None and (table["n"] < n).any():
        lacking = (n - table["n"])[table["n"] < n]
        notes.append(both("kano.note.missing", names=_with_values(dict(lacking))))
    if ungrouped:
        notes.append(both("kano.note.ungrouped", n=ungrouped, by=by))
    questionable = table["Q"] / table["n"]
    questionable = questionable[questionable >= MUCH]
    if len(questionable):
        names = _with_values({name: _percent(share) for name, share in questionable.items()})
        notes.append(both("kano.note.questionable", names=names, limit=_percent(MUCH)))
    mixed = table.index[table["mixed"]]
    if len(mixed):
        notes.append(both("kano.note.mixed", names=listed(mixed)))
    rules = table[[f"by_{name}" for name in RULES]]
    for name, row in rules[rules.nunique(axis=1) > 1].iterrows():
        categories = {rule: row[f"by_{rule}"] for rule in RULES}
        notes.append(both("kano.note.rules", name=name, **categories))
    if comparisons is not None and comparisons["sparse"].any():
        sparse = comparisons.index[comparisons["sparse"]]
        notes.append(both("kano.note.sparse", names=listed(sparse)))
    return tuple(notes)


def _with_values(values: Mapping[Any, Any]) -> Text:
    """Return names with a value each in brackets."""
    texts = {
        name: value if isinstance(value, Text) else Text(str(value), str(value))
        for name, value in values.items()
    }
    return Text(
        ", ".join(f"{name} ({text.en})" for name, text in texts.items()),
        "、".join(f"{name}（{text.zh}）" for name, text in texts.items()),
    )


def _percent(share: float) -> Text:
    return Text(*(format_percent(100 * share, 0, lang) for lang in ("en", "zh")))
