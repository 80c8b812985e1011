"""A fitted model: its table, its fit, what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.formats import as_html
from cxstats.core.language import label
from cxstats.core.progress import quiet_linear_algebra
from cxstats.models.fitted_model import Sound
from cxstats.models.sem.estimate import Optimum
from cxstats.models.sem.inference import (
    all_quantities,
    covariance_of_estimates,
    delta_errors,
    modification,
    residual_z,
)
from cxstats.models.sem.likelihood import Likelihood
from cxstats.models.sem.measures import measures
from cxstats.models.sem.model import Model
from cxstats.models.sem.problems import Problem
from cxstats.models.sem.sample import Sample
from cxstats.stats.intervals import normal_quantile

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cxstats.models.sem.bootstrap import Bootstrap
    from cxstats.models.sem.comparison import ModelComparison
    from cxstats.models.sem.robust import Sandwich

    Array = NDArray[np.float64]


class ModelWarning(UserWarning):
    """A model or its solution is not to be trusted."""


@dataclass(frozen=True, eq=False)
class SemFit(Sound):
    """A structural equation model fitted by maximum likelihood; see `cxstats.models.sem.fit.sem`.

    Attributes
    ----------
    model : Model
        The model with its defaults.
    sample : Sample
        Moments of the data.
    likelihood, start, optimum
        What was minimised, from where, and where that ended.
    problems : tuple of Problem
        What makes the solution doubtful; empty when nothing was found. ``str(problem)`` says what
        to do.
    information : str
        What standard errors are from: "expected" or "observed".
    estimator : str
        "ml", or "mlm" and "mlr" with robust standard errors and a scaled chi-square.
    level : float
        Confidence level.
    """

    model: Model
    sample: Sample
    likelihood: Likelihood
    start: Array
    optimum: Optimum
    problems: tuple[Problem, ...]
    information: str
    estimator: str
    level: float

    @property
    def n(self) -> int:
        """Cases."""
        return self.sample.n

    @property
    def converged(self) -> bool:
        """Whether a maximum of the likelihood was found."""
        return self.optimum.converged

    @cached_property
    def rows(self) -> pd.DataFrame:
        """What each row of the table is: ``lhs, op, rhs, label, group``."""
        import pandas as pd

        alone = len(self.sample.groups) == 1
        rows = [
            (p.lhs, p.op, p.rhs, p.label, 1 if alone else self.sample.groups[p.group])
            for p in self.model.parameters
        ]
        rows += [
            (d.name, ":=", d.expression.text, d.name, 1 if alone else "")
            for d in self.model.definitions
        ]
        return pd.DataFrame(rows, columns=["lhs", "op", "rhs", "label", "group"])

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per parameter, in lavaan's order.

        Columns ``lhs, op, rhs, label, group, estimate, se, z, p_value, ci_low, ci_high, std,
        std_se``; fixed parameters have no standard error. All NaN where there is no solution.
        """
        return self._numbers(self.sound)

    @cached_property
    def unsound_table(self) -> pd.DataFrame:
        """The table of the last point reached, even where it is no solution. Do not report it."""
        return self._numbers(True)

    def _numbers(self, known: bool) -> pd.DataFrame:
        import pandas as pd
        from scipy.special import ndtr

        frame = self.rows
        k = len(frame)
        columns = ("estimate", "se", "z", "p_value", "ci_low", "ci_high", "std", "std_se")
        if not known:
            return frame.assign(**dict.fromkeys(columns, np.nan))
        with quiet_linear_algebra(), np.errstate(all="ignore"):
            values = all_quantities(self.likelihood, self.optimum.phi)
            errors = delta_errors(self.likelihood, self.optimum.phi, self.covariance)
        estimate, se = values[:k], errors[:k]
        z = estimate / se
        reach = normal_quantile(self.level) * se
        numbers = (
            estimate, se, z, 2 * ndtr(-np.abs(z)), estimate - reach, estimate + reach,
            values[k:], errors[k:],
        )  # fmt: skip
        found = pd.DataFrame(dict(zip(columns, numbers, strict=True)))
        return pd.concat([frame, found], axis=1)

    @cached_property
    def covariance(self) -> Array:
        """Covariances of the free parameters (q, q)."""
        if self.estimator != "ml":
            return self.sandwich.covariance
        observed = self.information == "observed"
        return covariance_of_estimates(self.likelihood, self.optimum, self.n, observed)

    @cached_property
    def sandwich(self) -> Sandwich:
        """Robust covariances of the estimates, from the cases' scores."""
        from cxstats.models.sem.robust import sandwich

        return sandwich(
            self.likelihood, self.optimum, self.sample.matrices(), self.estimator == "mlr"
        )

    @cached_property
    def fit_indices(self) -> dict[str, float]:
        """Fit indices by name; NaN where there is no solution.

        ``chisq, df, p_value, cfi, tli, rmsea, rmsea_ci_low, rmsea_ci_high`` (90 %), ``rmsea_p``
        (close fit), ``srmr, gfi, loglik, saturated_loglik, aic, bic, bic_adjusted, n_parameters,
        n, baseline_chisq, baseline_df``. With a robust estimator also ``chisq_scaled, scaling,
        p_value_scaled, baseline_scaling, cfi_scaled, tli_scaled, rmsea_scaled, cfi_robust,
        tli_robust, rmsea_robust, rmsea_robust_ci_low, rmsea_robust_ci_high``. Formulas and
        sources: `cxstats.models.sem.fit_indices`.
        """
        return measures(self)

    @cached_property
    def r_squared(self) -> pd.DataFrame:
        """Share of variance explained: ``variable, group, r_squared``, latents last.

        One less the standardised residual variance.
        """
        import pandas as pd

        rows = self.table
        own = rows[(rows["op"] == "~~") & (rows["lhs"] == rows["rhs"])]
        own = own[own["lhs"].isin(self.model.endogenous)]
        return pd.DataFrame(
            {"variable": own["lhs"], "group": own["group"], "r_squared": 1 - own["std"]}
        ).reset_index(drop=True)

    @cached_property
    def residuals(self) -> pd.DataFrame:
        """Residuals of every covariance: ``group, row, column, raw, cor, z``.

        `raw` is sample less implied covariance, `cor` the same of correlations, `z` the raw
        residual over its standard error under normality (NaN where the model leaves none).
        """
        import pandas as pd

        self.require_sound("residuals")
        names, sigma = self.model.observed, self.likelihood.implied(self.optimum.phi).sigma
        z = residual_z(self.likelihood, self.optimum, self.n)
        row, column = np.tril_indices(len(names))
        parts = []
        for g, key in enumerate(self.sample.groups):
            cov = self.sample.cov[g]
            sd, implied_sd = np.sqrt(np.diagonal(cov)), np.sqrt(np.diagonal(sigma[g]))
            cor = cov / np.outer(sd, sd) - sigma[g] / np.outer(implied_sd, implied_sd)
            parts.append(
                pd.DataFrame(
                    {
                        "group": 1 if len(self.sample.groups) == 1 else key,
                        "row": [names[i] for i in row],
                        "column": [names[i] for i in column],
                        "raw": (cov - sigma[g])[row, column],
                        "cor": cor[row, column],
                        "z": z[g, row, column],
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)

    def modification_indices(self, minimum: float = 0.0) -> pd.DataFrame:
        """Return what would improve the fit: ``lhs, op, rhs, group, mi, epc, std_epc``.

        Sorted by `mi`, the expected fall of chi-square were the parameter freed; `epc` is the
        value it would take, `std_epc` the same in standard deviations. A model changed on their
        advice has to be tested on other data.

        Parameters
        ----------
        minimum : float
            Leave out smaller indices; 3.84 is the 5 % point of chi-square with 1 df.
        """
        import pandas as pd

        self.require_sound("modification indices")
        found = modification(self.likelihood, self.optimum, self.n)
        alone = len(self.sample.groups) == 1
        frame = pd.DataFrame(
            [
                (p.lhs, p.op, p.rhs, 1 if alone else self.sample.groups[p.group])
                for p in found.parameters
            ],
            columns=["lhs", "op", "rhs", "group"],
        ).assign(mi=found.index, epc=found.change, std_epc=found.standardised)
        frame = frame[frame["mi"] >= minimum]
        return frame.sort_values("mi", ascending=False, ignore_index=True)

    def bootstrap(
        self,
        n_resamples: int = 2_000,
        seed: int = 1,
        *,
        level: float = 0.95,
        bollen_stine: bool = False,
    ) -> Bootstrap:
        """Fit the model to resamples of the respondents, all at once.

        One set of resamples gives percentile and BCa intervals of raw, standardised and defined
        parameters. Each replicate stops within about a thousandth of a standard error of its
        optimum; where the search was long, exact second derivatives must confirm it.
        Groups are resampled separately. Models with bounds or equations that are not linear are
        fitted one replicate after another, which is slow.

        Parameters
        ----------
        n_resamples : int
            Replicates.
        seed : int
            The same seed gives the same table.
        level : float
            Confidence level.
        bollen_stine : bool
            Also test the model by resamples of data turned to fit it (Bollen & Stine 1992); as
            long again.

        Returns
        -------
        Bootstrap
            `n_failed` replicates without a solution, and `n_improper` ones, are counted in it.

        Raises
        ------
        CxError
            If there is no solution, or no respondents.
        """
        from cxstats.models.sem.bootstrap import bootstrap

        return bootstrap(self, n_resamples, seed, level, bollen_stine)

    def compare(self, other: SemFit) -> ModelComparison:
        """Test this model against another that is nested in it, or in which it is nested.

        The difference of chi-squares, with the difference of degrees of freedom.

        Raises
        ------
        CxError
            If the two have other variables or cases, or as many degrees of freedom.
        """
        from cxstats.models.sem.comparison import compare

        return compare(self, other)

    def plot(self, **options: Any) -> Axes:
        """Draw the path diagram; options are those of `cxstats.charts.path_diagram`."""
        from cxstats.charts import path_diagram

        lang = options.get("lang", "en")
        squared = dict(zip(self.r_squared["variable"], self.r_squared["r_squared"], strict=True))
        options.setdefault("source", label("sem.source", lang, n=self.n))
        options.setdefault("synthetic", self.synthetic)
        options.setdefault("r_squared", squared if self.sound else None)
        if not self.sound:
            options.setdefault("note", label("sem.none", lang))
        return path_diagram(self.table, **options)

    def summary(self, lang: str = "en") -> str:
        """Return the fit, its problems and the structural paths in words."""
        from cxstats.models.sem.summary import summary

        return summary(self, lang)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)
