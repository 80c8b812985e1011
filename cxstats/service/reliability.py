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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, check_lang, label
from cxstats.core.moments import Moments, bootstrap_moments, check_resamples, correlations, moments
from cxstats.core.result import Chart, Result
from cxstats.service.factor_model import FactorModel, fit_factors, singular
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.coefficients import (
    average_variance_extracted,
    cronbach_alpha,
    feldt_interval,
    htmt_matrix,
    item_statistics,
    omega,
)
from cxstats.stats.intervals import check_level
from cxstats.stats.rules import verdict
from cxstats.survey.answers import answers, as_pandas
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVEL, N_RESAMPLES, SEED = 0.95, 2_000, 1
# By how much the bootstrap interval of alpha may exceed Feldt's before it is said.
NARROW = 1.15
LISTED = 4  # items that a message names


@dataclass(frozen=True, eq=False, repr=False)
class Reliability(Result):
    """Reliability and discriminant validity of the constructs of a questionnaire.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per construct: ``alpha, alpha_ci_low, alpha_ci_high`` (Feldt), ``omega, cr, ave,
        n_items, n, alpha_std, alpha_boot_low, alpha_boot_high`` (percentile bootstrap; NaN from
        moments alone). Omega, CR and AVE come from the confirmatory factor model in `model`.
    items : pandas.DataFrame
        One row per item: ``construct, loading`` (standardised), ``item_rest, alpha_if_dropped``.
    htmt : pandas.DataFrame
        One row per pair of constructs: ``first, second, estimate, htmt, ci_low, ci_high, htmt2,
        ci2_low, ci2_high, below_one``. The estimate is HTMT; `below_one` says whether its
        percentile interval stays below 1.
    fornell_larcker : pandas.DataFrame or None
        Correlations of the factors, with the square root of AVE in the diagonal; None without a
        factor model.
    model : FactorModel or None
        The factor model; None where no construct has two items.
    problems : tuple of Text
        Why a number is not to be trusted: an item that goes against its construct or does not
        vary, an improper factor model, a Feldt interval too narrow for answers that are not
        normal.
    level, n_resamples, seed
        As given.
    codebook : Codebook
        The questionnaire.
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
        """Return the coefficients of each construct, pairs that are not distinct, and problems."""
        head = label("reliability.head", lang, level=format_percent(100 * self.level, None, lang))
        constructs = [self._construct(str(name), row, lang) for name, row in self.table.iterrows()]
        indistinct = self.htmt[self.htmt["below_one"].eq(False)]
        pairs = [self._pair(row, lang) for _, row in indistinct.iterrows()]
        problems = [f"  ! {problem.get(lang)}" for problem in self.problems]
        return [head, *constructs, *pairs, *problems]

    def _construct(self, name: str, row: pd.Series[Any], lang: str) -> str:
        key = "reliability.row" if row["n_items"] > 1 else "reliability.single"
        coefficients = {c: format_number(row[c], 3) for c in ("alpha", "omega", "cr", "ave")}
        return label(
            key, lang,
            name=self.codebook.label(name, lang),
            interval=interval(row["alpha_ci_low"], row["alpha_ci_high"], 3),
            verdict=verdict(row["alpha"], "alpha").get(lang),
            k=f"{row['n_items']:.0f}",
            n=f"{row['n']:.0f}",
            **coefficients,
        )  # fmt: skip

    def _pair(self, row: pd.Series[Any], lang: str) -> str:
        names = {side: self.codebook.label(row[side], lang) for side in ("first", "second")}
        limits = interval(row["ci_low"], row["ci_high"], 3)
        htmt = format_number(row["htmt"], 3)
        return label("reliability.close", lang, htmt=htmt, interval=limits, **names)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the heterotrait-monotrait ratios as a heat map."""
        return Chart("htmt_heatmap", (self,))


def reliability(
    data: Any,
    codebook: Codebook,
    role: str | None = None,
    *,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> Reliability:
    """Compute alpha, omega, CR, AVE, HTMT and item statistics of every construct.

    Parameters
    ----------
    data : table of responses, or Moments
        Moments (a published matrix) give everything but the bootstrap intervals. Variables of
        moments and columns of a table are named as in the codebook.
    codebook : Codebook
        Which items belong together. Reverse items of a table are turned unless `cxstats.clean`
        turned them; moments are taken as they are.
    role : str, optional
        "perception", "expectation" or "minimum"; without it, the main answers.
    level, n_resamples, seed
        Confidence level, bootstrap resamples and their seed.

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
    Alpha uses the cases that are complete on the items of the construct (n in the table);
    loadings, HTMT and what follows use the cases complete on all items. Loadings come from a
    maximum-likelihood factor model in which every item belongs to its construct and factors
    correlate; constructs with one item are left out of it. The HTMT interval is the bootstrap
    percentile interval that Henseler et al. (2015) compare with 1.

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
    items = _Items.of(data, codebook, role)
    sample, model, reasons = _factor_model(items)
    replicates = None
    if items.answers is not None and sample is not None:
        replicates = _covariances(items.complete(items.names), n_resamples, seed)
    table, statistics = _by_construct(items, model, level, n_resamples, seed)
    return Reliability(
        table=table,
        items=statistics,
        htmt=_htmt_table(sample, replicates, items, level),
        fornell_larcker=_fornell_larcker(model, table),
        model=model,
        problems=(*reasons, *_problems(statistics, model, items), *_not_normal(table)),
        level=level,
        n_resamples=n_resamples if items.answers is not None else 0,
        seed=seed,
        codebook=codebook,
        synthetic=items.synthetic,
    )


@dataclass(frozen=True, eq=False)
class _Items:
    """The items of all constructs, as answers or as moments."""

    constructs: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]
    answers: Array | None
    published: Moments | None
    synthetic: bool

    @classmethod
    def of(cls, data: Any, codebook: Codebook, role: str | None) -> _Items:
        constructs = {
            name: tuple(codebook.column(item, role) for item in items)
            for name, items in codebook.constructs.items()
        }
        names = tuple(column for columns in constructs.values() for column in columns)
        if isinstance(data, Moments):
            return cls(constructs, names, None, data.select(names), False)
        frame = as_pandas(data)
        synthetic = bool(frame.attrs.get("synthetic"))
        return cls(constructs, names, answers(frame, codebook, role), None, synthetic)

    def complete(self, names: Sequence[str]) -> Array:
        """Return the cases that are complete on `names`."""
        assert self.answers is not None
        columns = self.answers[:, [self.names.index(name) for name in names]]
        return columns[~np.isnan(columns).any(axis=1)]

    def too_few(self, names: Sequence[str]) -> Text | None:
        """Return why there are no moments of `names`; None if there are."""
        if self.published is not None or (n := len(self.complete(names))) >= 2:
            return None
        more = len(names) > LISTED
        listed = Text(
            ", ".join(names[:LISTED]) + " ..." * more, "、".join(names[:LISTED]) + "等" * more
        )
        return both("reliability.problem.cases", n=n, items=listed)

    def moments(self, names: Sequence[str]) -> Moments:
        """Return the moments of the cases that are complete on `names`."""
        if self.published is not None:
            return self.published.select(names)
        if reason := self.too_few(names):
            raise DataError(reason.en)
        complete: Moments = moments(self.complete(names), columns=names)
        return complete


def _covariances(complete: Array, n_resamples: int, seed: int) -> Array:
    """Return bootstrap replicates of the covariances (B, p, p)."""
    return bootstrap_moments(complete, n_resamples, seed).cov


def _factor_model(items: _Items) -> tuple[Moments | None, FactorModel | None, tuple[Text, ...]]:
    """Return the moments of all items and the factor model, or why there are none.

    The model is that of the constructs that have at least two items that vary.
    """
    if reason := items.too_few(items.names):
        return None, None, (both("reliability.problem.no_moments", reason=reason),)
    sample = items.moments(items.names)
    varying = {name for name, v in zip(sample.names, np.diag(sample.cov), strict=True) if v > 0}
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
    items: _Items, model: FactorModel | None, level: float, n_resamples: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the coefficients of the constructs, and the statistics of the items."""
    import pandas as pd

    coefficients, statistics = {}, []
    for name, columns in items.constructs.items():
        sample, k = items.moments(columns), len(columns)
        with np.errstate(invalid="ignore", divide="ignore"):
            alpha, alpha_std = (float(cronbach_alpha(x)) for x in (sample.cov, sample.corr))
            item_rest, dropped = item_statistics(sample.cov)
        low, high = feldt_interval(alpha, sample.n, k, level)
        limits = np.full(2, np.nan)
        if items.answers is not None and k > 1:
            replicates = cronbach_alpha(_covariances(items.complete(columns), n_resamples, seed))
            limits = percentile_limits(replicates, level)
        coefficients[name] = {
            "alpha": alpha,
            "alpha_ci_low": low,
            "alpha_ci_high": high,
            **_of_factor(model, name),
            "n_items": k,
            "n": sample.n,
            "alpha_std": alpha_std,
            "alpha_boot_low": limits[0],
            "alpha_boot_high": limits[1],
        }
        for column, r, a in zip(columns, item_rest, dropped, strict=True):
            statistics.append((column, name, model.loading(column) if model else np.nan, r, a))
    heads = ["item", "construct", "loading", "item_rest", "alpha_if_dropped"]
    return (
        pd.DataFrame.from_dict(coefficients, orient="index").rename_axis("construct"),
        pd.DataFrame(statistics, columns=heads).set_index("item"),
    )


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
    sample: Moments | None, replicates: Array | None, items: _Items, level: float
) -> pd.DataFrame:
    """Return HTMT and HTMT2 of every pair of constructs, with percentile limits."""
    import pandas as pd

    p = len(items.names)
    corr = np.full((p, p), np.nan) if sample is None else sample.corr
    place = {name: i for i, name in enumerate(items.names)}
    blocks = [[place[column] for column in columns] for columns in items.constructs.values()]
    ratios, geometric = (
        _htmt_limits(corr, replicates, blocks, geometric, level) for geometric in (False, True)
    )
    rows: list[tuple[Any, ...]] = []
    for (i, first), (j, second) in combinations(enumerate(items.constructs), 2):
        htmt, low, high = ratios[:, i, j].tolist()
        below_one = bool(high < 1) if np.isfinite(high) else None
        rows.append((first, second, htmt, htmt, low, high, *geometric[:, i, j], below_one))
    heads = ["first", "second", "estimate", "htmt", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=[*heads, "htmt2", "ci2_low", "ci2_high", "below_one"])


def _htmt_limits(
    corr: Array, replicates: Array | None, blocks: list[list[int]], geometric: bool, level: float
) -> Array:
    """Return the ratios of all pairs and their percentile limits (3, J, J)."""
    ratios = htmt_matrix(corr, blocks, geometric)
    limits = np.full((2, *ratios.shape), np.nan)
    if replicates is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            correlated = correlations(replicates)
        limits = percentile_limits(htmt_matrix(correlated, blocks, geometric), level)
    return np.concatenate([ratios[None], limits])


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
        for name in table.index[boot > NARROW * feldt]
    )


def _problems(
    statistics: pd.DataFrame, model: FactorModel | None, items: _Items
) -> tuple[Text, ...]:
    """Name the items that do not vary or go against their construct, and the model's problems."""
    samples = [items.moments(columns) for columns in items.constructs.values()]
    constant = [
        both("reliability.problem.constant", item=name)
        for sample in samples
        for name, variance in zip(sample.names, np.diag(sample.cov), strict=True)
        if variance <= 0
    ]
    reversed_ = [
        both(
            "reliability.problem.reversed", item=item, construct=row["construct"],
            r=format_number(row["item_rest"], 2),
        )
        for item, row in statistics.iterrows()
        if row["item_rest"] < 0
    ]  # fmt: skip
    return (*constant, *reversed_, *(model.problems if model else ()))
