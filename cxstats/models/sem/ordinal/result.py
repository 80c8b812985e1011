"""A fitted model of ordered answers: its table, its fit, its comparison with others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label
from cxstats.models.sem import fit_indices as indices
from cxstats.models.sem.comparison import (
    ModelComparison,
    by_freedom,
    check_same_data,
    comparison,
)
from cxstats.models.sem.ordinal.groups import GroupSquares, group_rows
from cxstats.models.sem.ordinal.moments import OrdinalMoments
from cxstats.models.sem.ordinal.polychoric import threshold_rows
from cxstats.models.sem.ordinal.wls import (
    WeightedSquares,
    baseline_test,
    difference_test,
    fit_test,
    residual_errors,
    sandwich,
)
from cxstats.models.sem.result import SCALED, SemFit, fit_line
from cxstats.stats.intervals import normal_quantile

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NAMES = (
    "chisq", "chisq_scaled", "scaling", "shift", "p_value_scaled", "cfi", "tli", "rmsea",
    "rmsea_ci_low", "rmsea_ci_high", "cfi_scaled", "tli_scaled", "rmsea_scaled",
    "rmsea_scaled_ci_low", "rmsea_scaled_ci_high", "rmsea_scaled_p", "srmr", "baseline_chisq",
    "baseline_chisq_scaled", "baseline_scaling",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class OrdinalFit(SemFit):
    """A model of ordered answers fitted by WLSMV; see `cxstats.models.sem.fit.sem`.

    Attributes are those of `SemFit`, with `estimator` "wlsmv", and

    Attributes
    ----------
    group_moments : tuple of OrdinalMoments
        Thresholds and polychoric correlations of each group; `sample.cov` are the latter.
    """

    group_moments: tuple[OrdinalMoments, ...]

    reference: ClassVar[str] = (
        "Muthen (1984). A general structural equation model with dichotomous, ordered "
        "categorical, and continuous latent variable indicators. Psychometrika 49, 115-132. "
        "Asparouhov & Muthen (2010). Simple second order chi-square correction. Mplus technical "
        "appendix."
    )

    @property
    def moments(self) -> OrdinalMoments:
        """Thresholds and polychoric correlations of the only group."""
        if len(self.group_moments) > 1:
            raise CxError("the model has several groups: fit the one in question alone")
        return self.group_moments[0]

    @property
    def squares(self) -> WeightedSquares:
        """What was minimised."""
        assert isinstance(self.likelihood, WeightedSquares)
        return self.likelihood

    def _numbers(self, solved: bool) -> pd.DataFrame:
        import pandas as pd

        table = super()._numbers(solved)
        squares = self.squares
        if isinstance(squares, GroupSquares):
            thresholds = group_rows(squares, self.optimum, self.covariance, self.sample.group_name)
        else:
            thresholds = threshold_rows(self.moments).assign(label="", group=1)
            thresholds = thresholds.assign(std=thresholds["estimate"], std_se=thresholds["se"])
        estimate, se = thresholds["estimate"], thresholds["se"]
        z, reach = estimate / se, self._reach * se
        thresholds = thresholds.assign(
            z=z, p_value=_two_sided(z), ci_low=estimate - reach, ci_high=estimate + reach
        )
        if not solved:
            for name in set(table) - set(self.rows):
                thresholds[name] = np.nan
        k = len(self.model.parameters)
        items = self.model.observed
        none = (table["op"] == "~1") & table["lhs"].isin(items)  # thresholds stand for intercepts
        parts = [table[:k][~none[:k]], thresholds[list(table)], table[k:]]
        return pd.concat([part for part in parts if len(part)], ignore_index=True)

    @property
    def _reach(self) -> float:
        return normal_quantile(self.level)

    @cached_property
    def covariance(self) -> Array:
        """Covariances of the free parameters (q, q), thresholds aside."""
        return sandwich(self.squares, self.optimum, self.n)

    @cached_property
    def fit_indices(self) -> dict[str, float]:
        """Fit indices by name; NaN where there is no solution.

        ``chisq`` is the plain sum of weighted squares, not a chi-square: read ``chisq_scaled, df,
        p_value_scaled`` (scaled and shifted: ``chisq / scaling + shift``). ``cfi, tli, rmsea,
        rmsea_ci_low, rmsea_ci_high`` (90 %) are from the plain one, ``cfi_scaled, tli_scaled,
        rmsea_scaled, rmsea_scaled_ci_low, rmsea_scaled_ci_high, rmsea_scaled_p`` (close fit) from
        the other; ``srmr`` of the correlations; ``n, n_parameters`` (thresholds among them),
        ``baseline_chisq, baseline_chisq_scaled, baseline_scaling, baseline_df``. There is no
        likelihood, so no AIC and BIC.

        Cut-offs for normal answers do not hold: with WLSMV the indices look better (Xia & Yang
        2019, Behavior Research Methods 51, 409-428). The "robust" CFI and RMSEA of Savalei (2021),
        which mend that, are not computed.
        """
        return _measures(self)

    @cached_property
    def residuals(self) -> pd.DataFrame:
        """Residuals of every correlation: ``group, row, column, raw, cor, z``.

        `raw` and `cor` are polychoric less implied correlation, `z` the same over its standard
        error.
        """
        import pandas as pd

        self.require_sound("residuals")
        first, second = self.squares.pairs
        names, groups = self.model.observed, len(self.sample.groups)
        gap = self.squares.gaps(self.optimum.phi)
        z = gap / residual_errors(self.squares, self.optimum, self.n)
        # Of groups, thresholds come first.
        gap, z = (x.reshape((groups, -1))[:, -len(first) :].ravel() for x in (gap, z))
        return pd.DataFrame(
            {
                "group": [self.sample.group_name(g) for g in range(groups) for _ in first],
                "row": [names[i] for i in second] * groups,
                "column": [names[i] for i in first] * groups,
                "raw": gap,
                "cor": gap,
                "z": z,
            }
        )

    def compare(self, other: SemFit) -> ModelComparison:
        """Test this model against another that is nested in it, or in which it is nested.

        The difference of the sums of weighted squares, scaled and shifted (Satorra 2000).

        Raises
        ------
        CxError
            If the two have other variables, cases or estimators, or as many degrees of freedom.
        """
        return _compare(self, other)

    def modification_indices(self, minimum: float = 0.0) -> pd.DataFrame:
        """Raise: there are none of ordered answers; see `residuals`."""
        raise CxError("modification indices are not computed for ordered answers; see .residuals")

    def factor_scores(
        self, method: str = "regression", *, standardised: bool = False
    ) -> pd.DataFrame:
        """Raise: scores of ordered answers are no sums of them, and are not computed."""
        raise CxError(
            "factor scores are not computed for ordered answers; for scores fit the model without "
            "ordered=True, or take the mean of the items"
        )

    def score_determinacy(self, method: str = "regression") -> pd.DataFrame:
        """Raise, as `factor_scores`."""
        return self.factor_scores(method)

    def bootstrap(self, *arguments: Any, **options: Any) -> Any:
        """Raise: there is none of ordered answers."""
        raise CxError("no bootstrap of ordered answers; the standard errors are robust already")

    def source(self, lang: str) -> str:
        """Return where the numbers come from, for charts."""
        return label("sem.ordinal.source", lang, n=format_number(self.n))

    def head(self, lang: str) -> str:
        """Return the first line of the summary: what was fitted, to how many cases."""
        squares = self.squares
        thresholds = len(self.group_moments[0].thresholds)
        if isinstance(squares, GroupSquares):
            thresholds = len(np.unique(squares.scaled.threshold_at))
        text = label(
            "sem.ordinal.head",
            lang,
            n=format_number(self.n),
            dropped=format_number(self.sample.dropped),
            q=self.fit_indices["n_parameters"],
            thresholds=thresholds,
        )
        return self.with_groups(text, lang)

    def fit_lines(self, lang: str) -> list[str]:
        """Return how well the model fits, in words."""
        if self.fit_indices["df"] == 0:
            return [label("sem.saturated", lang)]
        return [fit_line("sem.ordinal.fit", self.fit_indices, lang, SCALED)]


def _two_sided(z: Any) -> Any:
    from scipy.special import ndtr

    return 2 * ndtr(-np.abs(z))


def _measures(fit: OrdinalFit) -> dict[str, float]:
    p, n, groups = len(fit.model.observed), fit.n, len(fit.sample.groups)
    q = fit.likelihood.reduction.matrix.shape[1]
    base_df = groups * p * (p - 1) // 2
    thresholds = sum(len(moments.thresholds) for moments in fit.group_moments)
    q += thresholds if groups == 1 else 0  # of groups they are among the free parameters
    df = base_df + thresholds - q
    values: dict[str, float] = {
        "n": n,
        "n_parameters": q,
        "df": df,
        "baseline_df": base_df,
    }
    if not fit.at_optimum:
        return values | dict.fromkeys(NAMES, float("nan"))
    test = fit_test(fit.squares, fit.optimum, n, df)
    base = baseline_test(fit.squares, n)
    values |= {
        "chisq": test.chisq,
        "chisq_scaled": test.scaled,
        "scaling": test.scaling,
        "shift": test.shift,
        "p_value_scaled": indices.chi_square_p(test.scaled, df),
        "baseline_chisq": base.chisq,
        "baseline_chisq_scaled": base.scaled,
        "baseline_scaling": base.scaling,
        "srmr": _srmr(fit),
    }
    for chisq, base_chisq, end in (
        (test.chisq, base.chisq, ""),
        (test.scaled, base.scaled, "_scaled"),
    ):
        low, high = indices.rmsea_interval(chisq, df, n - groups, groups)
        values |= {
            f"cfi{end}": indices.cfi(chisq, df, base_chisq, base_df),
            f"tli{end}": indices.tli(chisq, df, base_chisq, base_df),
            f"rmsea{end}": indices.rmsea(chisq, df, n - groups, groups),
            f"rmsea{end}_ci_low": low,
            f"rmsea{end}_ci_high": high,
        }
    close = indices.close_fit_p(test.scaled, df, n - groups, groups)
    return values | {"rmsea_scaled_p": close}


def _srmr(fit: OrdinalFit) -> float:
    """Return the SRMR of the correlations, the mean of those of the groups by their size."""
    sigma = fit.optimum.point.model.sigma
    sd = np.sqrt(np.diagonal(sigma, axis1=1, axis2=2))
    implied = sigma / (sd[:, :, None] * sd[:, None, :])
    values = [indices.srmr(*pair) for pair in zip(fit.sample.cov, implied, strict=True)]
    return float(np.dot(fit.sample.sizes, values) / fit.n)


def _compare(first: OrdinalFit, second: SemFit) -> ModelComparison:
    check_same_data(first, second)
    if first.model.observed != second.model.observed:
        raise CxError("the models name their items in another order: write them alike")
    free, strict = by_freedom(first, second)
    assert isinstance(free, OrdinalFit)  # as estimators are the same
    assert isinstance(strict, OrdinalFit)
    df = int(strict.fit_indices["df"] - free.fit_indices["df"])
    if strict.optimum.value < free.optimum.value - 1e-10:
        raise CxError("the model with fewer parameters fits better: they are not nested")
    pairs = (free.squares, free.optimum), (strict.squares, strict.optimum)
    chisq = max(difference_test(*pairs, first.n).scaled, 0.0)
    return comparison(free, strict, chisq, df, ("df", "chisq", "chisq_scaled"))
