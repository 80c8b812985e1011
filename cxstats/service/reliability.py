"""Reliability and validity of the constructs of a questionnaire, from moments alone.

References
----------
Cronbach (1951). Coefficient alpha and the internal structure of tests. Psychometrika 16, 297-334.
McDonald (1999). Test theory: A unified treatment. Erlbaum.
Fornell & Larcker (1981). Evaluating structural equation models with unobservable variables and
measurement error. Journal of Marketing Research 18(1), 39-50.
Henseler, Ringle & Sarstedt (2015). A new criterion for assessing discriminant validity in
variance-based structural equation modeling. JAMS 43(1), 115-135.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, check_lang, label, note_if
from cxstats.core.moments import (
    LARGE,
    Moments,
    check_resamples,
    correlations,
)
from cxstats.core.pattern_moments import PatternMoments
from cxstats.core.progress import tracked
from cxstats.core.result import Chart, Result
from cxstats.service.coefficient_errors import (
    COEFFICIENTS,
    alpha_error,
    estimates,
    factor_errors,
    reliability_limits,
    share_limits,
)
from cxstats.service.factor_model import FactorModel, fit_factors, singular
from cxstats.service.item_sample import ItemSample
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.coefficients import (
    average_variance_extracted,
    cronbach_alpha,
    feldt_interval,
    htmt_influence,
    htmt_interval,
    htmt_matrix,
    item_statistics,
    omega,
)
from cxstats.stats.discriminant_validity import fornell_larcker_failures, htmt_failures
from cxstats.stats.intervals import check_level, t_interval
from cxstats.stats.large_samples import is_large
from cxstats.stats.rules import verdict
from cxstats.stats.sampling_design import Design, design_of
from cxstats.survey.codebook import Codebook, as_codebook
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVEL, N_RESAMPLES, SEED = 0.95, 2_000, 1
# By how much the bootstrap interval of alpha may exceed Feldt's before it is said.
NARROW = 1.15
# Respondents from which the bootstrap interval of alpha is the better one where answers pile up; at
# 20 it covered 89.9 to 90.5 % instead of 95 % (Feldt's 94.3 to 95.5 %), at 100 92.4 to 92.8 %.
ENOUGH = 200
# Cases from which the robust errors of omega, CR and AVE are the better ones: below 50 their
# intervals covered 88 to 94 % in our simulation, those of normal theory 93 to 97 % from 20 on.
# Under a design there are robust ones only, and below so many cases the least share is said.
ROBUST, ENOUGH_FOR_FACTORS, LEAST_OF_FACTORS = 200, 50, 88
CASES_AT_ONCE = 20_000  # whose influence is computed at once
# What is said of a construct with so few items that vary.
KINDS_OF_ROW = {0: "reliability.constant", 1: "reliability.single"}


@dataclass(frozen=True, eq=False, repr=False)
class Reliability(Result):
    """Reliability and discriminant validity of the constructs of a questionnaire.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per construct: ``estimate, alpha`` (the same), ``alpha_ci_low, alpha_ci_high``
        (Feldt; under a design the delta method), ``omega, cr, ave,
        n_items, n, n_model, alpha_std, alpha_boot_low, alpha_boot_high`` (percentile bootstrap;
        NaN from moments alone), ``omega_ci_low, omega_ci_high, cr_ci_low, cr_ci_high, ave_ci_low,
        ave_ci_high`` (delta method). Omega, CR and AVE come from the confirmatory factor model in
        `model`, fitted to `n_model` cases (NaN where there is none); alpha rests on `n` cases and
        on the `n_items` items that vary among them.
    items : pandas.DataFrame
        One row per item: ``construct, loading`` (standardised), ``item_rest, alpha_if_dropped``,
        ``n`` (of the last two; NaN for an item that does not vary) and ``n_model`` (of the
        loading).
    htmt : pandas.DataFrame
        One row per pair of constructs: ``first, second, estimate, htmt, ci_low, ci_high, htmt2,
        ci2_low, ci2_high, below_one, n``. The estimate is HTMT; `below_one` says whether its
        bootstrap interval stays below 1.
    fornell_larcker : pandas.DataFrame or None
        Correlations of the factors, with the square root of AVE in the diagonal, from the
        ``model.n`` cases; None without a factor model.
    model : FactorModel or None
        The factor model; None where no construct has two items.
    problems : tuple of Text
        Why a number is not to be trusted: an item that goes against its construct or does not
        vary, an improper factor model, a Feldt interval too narrow for answers that are not
        normal; and which pairs of constructs are not shown to be distinct, by which rule
        (`cxstats.stats.discriminant_validity`).
    level, n_resamples, seed
        As given.
    codebook : Codebook
        The questionnaire.
    design : Design or None
        How respondents were sampled.
    notes : tuple of Text
        How many cases alpha, and how many omega, CR, AVE, loadings and HTMT leave out.
    """

    table: pd.DataFrame
    items: pd.DataFrame
    htmt: pd.DataFrame
    fornell_larcker: pd.DataFrame | None
    model: FactorModel | None
    problems: tuple[Text, ...]
    level: float
    n_resamples: int
    seed: int
    codebook: Codebook
    synthetic: bool = False
    design: Design | None = None
    notes: tuple[Text, ...] = ()

    kinds: ClassVar = ("htmt",)
    reference: ClassVar = (
        "Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. "
        "Psychometrika, 16(3), 297-334.\n"
        "McDonald, R. P. (1999). Test theory: A unified treatment. Erlbaum.\n"
        "Fornell, C., & Larcker, D. F. (1981). Evaluating structural equation models with "
        "unobservable variables and measurement error. Journal of Marketing Research, 18(1), "
        "39-50.\n"
        "Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). A new criterion for assessing "
        "discriminant validity in variance-based structural equation modeling. Journal of the "
        "Academy of Marketing Science, 43(1), 115-135."
    )

    def translated(self, lang: str | None = None) -> dict[str, pd.DataFrame]:
        """Return `tables` as people read them: constructs by their names in `lang`."""
        lang = check_lang(lang)
        names = {name: self.codebook.label(name, lang) for name in self.codebook.constructs}
        columns = dict.fromkeys(("construct", "first", "second"), names)
        tables = {key: table.replace(columns) for key, table in self.tables().items()}
        tables["table"] = tables["table"].rename(index=names)
        if "fornell_larcker" in tables:
            matrix = tables["fornell_larcker"]
            tables["fornell_larcker"] = matrix.rename(index=names, columns=names)
        return tables

    def findings(self, lang: str) -> list[str]:
        """Return the coefficients of each construct, and problems."""
        method = label(f"reliability.method.{'feldt' if self.design is None else 'delta'}", lang)
        level = format_percent(100 * self.level, None, lang)
        head = label("reliability.head", lang, level=level, method=method)
        constructs = [self._construct(str(name), row, lang) for name, row in self.table.iterrows()]
        problems = [f"  ! {problem.get(lang)}" for problem in self.problems]
        return [head, *constructs, *problems]

    def _construct(self, name: str, row: pd.Series[Any], lang: str) -> str:
        key = KINDS_OF_ROW.get(row["n_items"], "reliability.row")
        if key == "reliability.row" and np.isfinite(row["n_model"]) and row["n_model"] != row["n"]:
            key = "reliability.row.cases"
        coefficients = {c: format_number(row[c], 3) for c in ("alpha", "omega", "cr", "ave")}
        return label(
            key, lang,
            name=self.codebook.label(name, lang),
            interval=interval(row["alpha_ci_low"], row["alpha_ci_high"], 3),
            verdict=verdict(row["alpha"], "alpha").get(lang),
            k=f"{row['n_items']:.0f}",
            n=f"{row['n']:.0f}",
            n_model=f"{row['n_model']:.0f}",
            **coefficients,
        )  # fmt: skip

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the heterotrait-monotrait ratios as a heat map."""
        return Chart("htmt_heatmap", (self,))


@by_codebook(lambda book, arguments: (), constructs=True)
def reliability(  # noqa: PLR0913  (keywords)
    data: Any,
    codebook: Codebook,
    role: str | None = None,
    *,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    weights: str | None = None,
    cluster: str | None = None,
    design: Design | None = None,
) -> Reliability:
    """Compute alpha, omega, CR, AVE, HTMT and item statistics of every construct.

    Parameters
    ----------
    data : table of responses, or Moments
        Moments (a published matrix) give everything but the bootstrap intervals. Variables of
        moments and columns of a table are named as in the codebook.
    codebook : Codebook
        Which items belong together. Reverse items of a table are turned unless `cxstats.clean`
        turned them; moments are taken as they are. It also lends its sampling design, unless one
        is named here (``weights=None`` names none).
    role : str, optional
        "perception", "expectation" or "minimum"; without it, the main answers.
    level, n_resamples, seed
        Confidence level, bootstrap resamples and their seed. From 100,000 cases on
        nobody is resampled; see the notes.
    weights, cluster, design
        How respondents were sampled: columns of weights and of clusters, or `cxstats.Design`.
        Coefficients come from weighted moments (a weight of 2 counts as two respondents), intervals
        follow the design: of alpha that of the delta method, since Feldt's knows no design; the
        bootstrap draws clusters.

    Returns
    -------
    Reliability

    Raises
    ------
    DataError
        Naming the row and column of an answer that cannot be used, or a construct with fewer
        than two complete cases.
    CxError
        If an option is wrong. A factor model that cannot be fitted, or is improper for a
        construct, raises nothing: its numbers are NaN and `problems` says why.

    Notes
    -----
    Alpha uses the cases that are complete on the items of the construct (`n` in the table);
    loadings, HTMT and what follows use the cases complete on all items (`n_model`). An item that
    does not vary among these cases is left out, and `problems` says so. Loadings come from a
    maximum-likelihood factor model in which every item belongs to its construct and factors
    correlate; constructs with one item are left out of it. Intervals of omega, CR and AVE are those
    of the delta method on the scale of the logit: with errors of normal theory, which cover better
    in small samples, and from 200 cases on, or under a design, with robust ones that do not take
    answers as normal. The HTMT interval is
    `cxstats.stats.coefficients.htmt_interval`. From 100,000 cases on nobody is resampled: the
    limits in `alpha_boot_low`, `alpha_boot_high` and of HTMT are ``estimate -+ t se`` with the
    error that follows from the influence of each case, and a note says so.

    Examples
    --------
    >>> import cxstats as cx
    >>> book = cx.Codebook(scale=(1, 7), constructs={"A": ["a1", "a2", "a3"]})
    >>> m = cx.Moments.from_correlation(["a1", "a2", "a3"], [[1], [0.5, 1], [0.5, 0.5, 1]], n=100)
    >>> cx.reliability(m, book).table[["alpha", "omega", "cr", "ave"]].round(3).loc["A"].tolist()
    [0.75, 0.75, 0.75, 0.5]
    """
    check_level(level)
    check_resamples(n_resamples, seed)
    codebook = as_codebook(codebook, data)
    items = ItemSample.of(data, codebook, role, design_of(design, weights, cluster))
    sample, model, reasons = _factor_model(items)
    replicates = None
    by_influence = items.answers is not None and sample is not None and is_large(sample.n)
    if items.answers is not None and sample is not None and sample.names and not by_influence:
        replicates = items.covariances(sample.names, n_resamples, seed)
    table, statistics = _by_construct(items, model, level, n_resamples, seed)
    ratios = _htmt_table(sample, replicates, items, level)
    return Reliability(
        table=table,
        items=statistics,
        htmt=ratios,
        fornell_larcker=_fornell_larcker(model, table),
        model=model,
        problems=(
            *reasons,
            *_problems(statistics, model, items, sample),
            *(_not_normal(table) if items.rows is None else ()),
            *_indistinct(ratios, model, dict(zip(table.index, table["ave"], strict=True)), items),
        ),
        level=level,
        n_resamples=n_resamples if items.answers is not None else 0,
        seed=seed,
        codebook=codebook,
        synthetic=items.synthetic,
        design=None if items.rows is None else items.rows.design,
        notes=(
            *items.notes,
            *_left_out(table, items, sample),
            *_too_few(table, items),
            *note_if(by_influence, "reliability.note.large", least=format_number(LARGE)),
            *(() if items.rows is None else items.rows.notes()),
        ),
    )


def _factor_model(items: ItemSample) -> tuple[Moments | None, FactorModel | None, tuple[Text, ...]]:
    """Return the moments of all items and the factor model, or why there are none.

    The model is that of the constructs that have at least two items that vary.
    """
    if reason := items.too_few(items.names):
        return None, None, (both("reliability.problem.no_moments", reason=reason),)
    varying = items.varying(items.names)
    if not varying:
        return None, None, ()
    sample = items.moments(varying)
    constructs = {
        name: [column for column in columns if column in varying]
        for name, columns in items.constructs.items()
    }
    constructs = {name: columns for name, columns in constructs.items() if len(columns) > 1}
    p = sum(map(len, constructs.values()))
    if p < 3:  # two items alone do not identify a factor; with another factor they do
        return sample, None, ()
    if reason := singular(sample.select([item for part in constructs.values() for item in part])):
        return sample, None, (both("reliability.problem.no_factors", reason=reason),)
    return sample, fit_factors(sample, constructs), ()


def _by_construct(
    items: ItemSample, model: FactorModel | None, level: float, n_resamples: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the coefficients of the constructs, and the statistics of the items."""
    import pandas as pd

    coefficients, statistics = {}, []
    errors = _errors(items, model)
    for name, columns in items.constructs.items():
        items.moments(columns)  # raises where too few cases are complete
        varying = items.varying(columns)
        sample, k = items.moments(varying or columns), len(varying)
        with np.errstate(invalid="ignore", divide="ignore"):
            alpha, alpha_std = (float(cronbach_alpha(x)) for x in (sample.cov, sample.corr))
            statistics_of = zip(*item_statistics(sample.cov), strict=True)
            by_item = dict(zip(varying, statistics_of, strict=True)) if varying else {}
        low, high = feldt_interval(alpha, sample.n, k, level)
        limits = np.full(2, np.nan)
        if items.answers is not None and k > 1:
            if items.rows is not None:
                _, se = alpha_error(*items.sampled(varying))
                low, high = reliability_limits(alpha, se, items.df(varying), level)
            if is_large(sample.n):
                limits = _normal_limits(
                    *alpha_error(*items.sampled(varying)), items.df(varying), level
                )
            else:
                replicates = cronbach_alpha(items.covariances(varying, n_resamples, seed))
                limits = percentile_limits(replicates, level)
        alpha = alpha if k > 1 else np.nan
        coefficients[name] = {
            "estimate": alpha,
            "alpha": alpha,
            "alpha_ci_low": low,
            "alpha_ci_high": high,
            **_of_factor(model, name),
            "n_items": k,
            "n": sample.n,
            "n_model": model.n if model is not None and name in model.names else np.nan,
            "alpha_std": alpha_std if k > 1 else np.nan,
            "alpha_boot_low": limits[0],
            "alpha_boot_high": limits[1],
            **_limits_of_factor(items, model, name, errors, level),
        }
        for column in columns:
            loading = model.loading(column) if model else np.nan
            r, a = by_item.get(column, (np.nan, np.nan))
            n_model = model.n if model is not None and np.isfinite(loading) else np.nan
            n = sample.n if column in by_item else np.nan
            statistics.append((column, name, loading, r, a, n, n_model))
    heads = ["item", "construct", "loading", "item_rest", "alpha_if_dropped", "n", "n_model"]
    return (
        pd.DataFrame.from_dict(coefficients, orient="index").rename_axis("construct"),
        pd.DataFrame(statistics, columns=heads).set_index("item"),
    )


def _normal_limits(estimate: Any, se: Any, df: float, level: float) -> Array:
    """Return ``estimate -+ t se``, where a sample is too large to need resampling."""
    return np.stack(t_interval(np.asarray(estimate), np.asarray(se), np.asarray(df), level))


def _errors(items: ItemSample, model: FactorModel | None) -> dict[str, Array]:
    """Return the standard errors of omega, CR and AVE of each factor, where there are any."""
    if model is None or not model.converged:
        return {}
    if items.answers is None or (items.rows is None and model.n < ROBUST):
        return factor_errors(model)
    return factor_errors(model, *items.sampled(model.items))


def _limits_of_factor(
    items: ItemSample,
    model: FactorModel | None,
    name: str,
    errors: Mapping[str, Array],
    level: float,
) -> dict[str, float]:
    """Return the limits of omega, CR and AVE; NaN where they have no estimate."""
    low = high = np.full(len(COEFFICIENTS), np.nan)
    if model is not None and name in errors and model.proper(name):
        df = np.inf if items.answers is None else items.df(model.items)
        low, high = share_limits(estimates(model, name), errors[name], df, level)
    ends = (low, high)
    return {
        f"{coefficient}_ci_{end}": float(limits[i])
        for i, coefficient in enumerate(COEFFICIENTS)
        for end, limits in zip(("low", "high"), ends, strict=True)
    }


def _of_factor(model: FactorModel | None, name: str) -> dict[str, float]:
    """Return omega, CR and AVE of a construct; NaN where its factor is improper or missing."""
    raw = standardised = None
    if model is not None and model.proper(name):
        raw, standardised = model.of(name), model.of(name, standardised=True)
    if raw is None or standardised is None:
        return dict.fromkeys(("omega", "cr", "ave"), np.nan)
    return {
        "omega": float(omega(*raw)),
        "cr": float(omega(*standardised)),
        "ave": float(average_variance_extracted(*raw)),
    }


def _htmt_table(
    sample: Moments | None, replicates: Array | None, items: ItemSample, level: float
) -> pd.DataFrame:
    """Return HTMT and HTMT2 of every pair of constructs, with percentile limits."""
    import pandas as pd

    names = () if sample is None else sample.names
    blocks = {
        construct: [names.index(column) for column in columns if column in names]
        for construct, columns in items.constructs.items()
    }
    blocks = {construct: places for construct, places in blocks.items() if places}
    order = {construct: i for i, construct in enumerate(blocks)}
    limits = np.full((2, 3, len(items.constructs), len(items.constructs)), np.nan)
    if sample is not None and blocks:
        df = items.df(sample.names) if items.answers is not None else np.nan
        for kind, geometric in enumerate((False, True)):
            places = list(blocks.values())
            if replicates is None and items.answers is not None:
                of_kind = _htmt_by_influence(sample, items, places, geometric, level, df)
            else:
                of_kind = _htmt_limits(sample.corr, replicates, places, geometric, level, df + 1)
            limits[kind, :, : len(order), : len(order)] = of_kind
    rows: list[tuple[Any, ...]] = []
    for first, second in combinations(items.constructs, 2):
        ratios = np.full((2, 3), np.nan)
        if first in order and second in order:
            ratios = limits[:, :, order[first], order[second]]
        htmt, low, high = ratios[0].tolist()
        below_one = bool(high < 1) if np.isfinite(high) else None
        n = sample.n if sample is not None and np.isfinite(htmt) else np.nan
        rows.append((first, second, htmt, htmt, low, high, *ratios[1], below_one, n))
    heads = ["first", "second", "estimate", "htmt", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=[*heads, "htmt2", "ci2_low", "ci2_high", "below_one", "n"])


def _htmt_limits(
    corr: Array,
    replicates: Array | None,
    blocks: list[list[int]],
    geometric: bool,
    level: float,
    n: float,
) -> Array:
    """Return the ratios of all pairs and their limits (3, J, J), of n cases drawn on their own."""
    ratios = htmt_matrix(corr, blocks, geometric)
    limits = np.full((2, *ratios.shape), np.nan)
    if replicates is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            correlated = correlations(replicates)
        drawn = htmt_matrix(correlated, blocks, geometric)
        flat = htmt_interval(ratios.ravel(), drawn.reshape(len(drawn), -1), level, int(n))
        limits = np.reshape(flat, (2, *ratios.shape))
    return np.concatenate([ratios[None], limits])


def _htmt_by_influence(
    sample: Moments,
    items: ItemSample,
    blocks: list[list[int]],
    geometric: bool,
    level: float,
    df: float,
) -> Array:
    """Return the same of a large sample, from the influence of its cases, some at a time."""
    ratios = htmt_matrix(sample.corr, blocks, geometric)
    answers, rows = items.sampled(sample.names)
    share = (rows.weights / rows.weights.sum())[:, None]
    mean, sd = sample.mean, sample.sd * np.sqrt((sample.n - 1) / sample.n)
    first, second = np.triu_indices(len(blocks), 1)
    influence = np.empty((len(answers), len(first)))
    for start, stop in tracked(len(answers), CASES_AT_ONCE, "htmt"):
        z = (answers[start:stop] - mean) / sd
        moved = htmt_influence(z, sample.corr, blocks, geometric)
        influence[start:stop] = moved * share[start:stop]
    se = np.full(ratios.shape, np.nan)
    se[first, second] = se[second, first] = np.sqrt(rows.variances(rows.cluster_sums(influence)))
    low, high = _normal_limits(ratios, se, df, level)
    return np.stack([ratios, np.maximum(low, 0), high])


def _fornell_larcker(model: FactorModel | None, table: pd.DataFrame) -> pd.DataFrame | None:
    """Return the correlations of the factors, with roots of AVE in the diagonal."""
    import pandas as pd

    if model is None:
        return None
    matrix = model.corr.copy()
    np.fill_diagonal(matrix, np.sqrt(table.loc[list(model.names), "ave"].to_numpy()))
    return pd.DataFrame(matrix, model.names, model.names).rename_axis("construct")


def _not_normal(table: pd.DataFrame) -> tuple[Text, ...]:
    """Name the constructs whose Feldt interval is too narrow for their answers."""
    feldt = table["alpha_ci_high"] - table["alpha_ci_low"]
    boot = table["alpha_boot_high"] - table["alpha_boot_low"]
    return tuple(
        both("reliability.problem.not_normal", name=name, ratio=f"{boot[name] / feldt[name]:.2f}")
        for name in table.index[(boot > NARROW * feldt) & (table["n"] >= ENOUGH)]
    )


def _indistinct(
    ratios: pd.DataFrame,
    model: FactorModel | None,
    extracted: Mapping[Any, float],
    items: ItemSample,
) -> list[Text]:
    """Name the pairs of constructs that are not shown to be distinct, and by which rules."""
    problems = []
    place = {name: i for i, name in enumerate(model.names)} if model is not None else {}
    for row in ratios.to_dict("records"):
        pair = row["first"], row["second"]
        if all(len(items.constructs[name]) == 1 for name in pair):
            continue  # two items are no constructs to tell apart
        reasons = [both(f"validity.{rule}") for rule in htmt_failures(row["htmt"], row["ci_high"])]
        if model is not None and set(pair) <= set(place):
            r = float(model.corr[place[pair[0]], place[pair[1]]])
            shared = fornell_larcker_failures(r, *(extracted[name] for name in pair))
            reasons += [
                both("validity.fornell_larcker", name=items.label(pair[i]), r=format_number(r, 3))
                for i in shared
            ]
        if not reasons:
            continue
        separator = both("validity.and")
        problems.append(
            both(
                "reliability.problem.indistinct", first=items.label(pair[0]),
                second=items.label(pair[1]), htmt=_with_interval(row),
                reasons=Text(
                    separator.en.join(t.en for t in reasons),
                    separator.zh.join(t.zh for t in reasons),
                ),
            )
        )  # fmt: skip
    return problems


def _with_interval(row: Mapping[Any, Any]) -> str:
    """Return a ratio as people read it, with its interval where it has one."""
    text = format_number(row["htmt"], 3)
    if not np.isfinite([row["ci_low"], row["ci_high"]]).all():
        return text
    return f"{text} {interval(row['ci_low'], row['ci_high'], 3)}"


def _too_few(table: pd.DataFrame, items: ItemSample) -> tuple[Text, ...]:
    """Name the constructs whose intervals of omega, CR and AVE are known to cover less."""
    if items.rows is None:
        return ()
    few = table.index[table["n_model"] < ENOUGH_FOR_FACTORS]
    names = [items.label(str(name)) for name in few]
    joined = Text(", ".join(name.en for name in names), "、".join(name.zh for name in names))
    return tuple(
        note_if(
            len(few) > 0, "reliability.note.few", names=joined, enough=ENOUGH_FOR_FACTORS,
            least=LEAST_OF_FACTORS,
        )
    )  # fmt: skip


def _left_out(table: pd.DataFrame, items: ItemSample, sample: Moments | None) -> tuple[Text, ...]:
    """Say on how many cases the numbers rest, where an answer is missing."""
    if items.answers is not None:
        total = len(items.answers)
    elif isinstance(items.published, PatternMoments):
        total = items.published.n
    else:
        return ()
    notes = [
        both(
            "reliability.note.left_out", name=items.label(str(name)), n=int(n), total=total,
            count=total - int(n),
        )
        for name, n in table["n"].items()
        if n < total
    ]  # fmt: skip
    if sample is not None and sample.n < table["n"].max():
        notes.append(
            both("reliability.note.all_items", n=sample.n, total=total, count=total - sample.n)
        )
    return tuple(notes)


def _constant(items: ItemSample, sample: Moments | None) -> list[Text]:
    """Name the items that do not vary in the file, or among the cases that are used."""
    problems: list[Text] = []
    for name, columns in items.constructs.items():
        varying = items.varying(columns)
        for item in columns:
            if not items.varies(item):
                key = "reliability.problem.constant" + ".left_out" * bool(varying)
            elif item not in varying:
                key = "reliability.problem.constant.cases"
            elif sample is not None and item not in sample.names:
                key = "reliability.problem.constant.model"
            else:
                continue
            n = items.moments(varying or columns).n
            problems.append(both(key, item=item, name=items.label(name), n=n))
    return problems


def _problems(
    statistics: pd.DataFrame, model: FactorModel | None, items: ItemSample, sample: Moments | None
) -> tuple[Text, ...]:
    """Name the items that do not vary or go against their construct, and the model's problems."""
    constant = _constant(items, sample)
    reversed_ = [
        both(
            "reliability.problem.reversed", item=item, construct=row["construct"],
            r=format_number(row["item_rest"], 2),
        )
        for item, row in statistics.iterrows()
        if row["item_rest"] < 0
    ]  # fmt: skip
    return (*constant, *reversed_, *(model.problems if model else ()))
