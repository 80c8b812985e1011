"""A fitted model: its table, its fit, what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, both, label
from cxstats.core.progress import long_work, quiet_linear_algebra
from cxstats.core.result import Chart
from cxstats.models.fitted_model import FittedModel, listed
from cxstats.models.sem.fit_indices import fit_measures
from cxstats.models.sem.likelihood import Likelihood
from cxstats.models.sem.model import Model
from cxstats.models.sem.modification_indices import modification
from cxstats.models.sem.optimizer import Optimum
from cxstats.models.sem.problems import Problem
from cxstats.models.sem.sample import Sample
from cxstats.models.sem.sampled_cases import SampledCases
from cxstats.models.sem.small_samples import small_sample_notes
from cxstats.models.sem.standard_errors import (
    covariance_of_estimates,
    delta_errors,
    residual_z,
    standardisation,
)
from cxstats.stats.intervals import normal_quantile
from cxstats.survey.answers import missing_code_notes_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.sem.bootstrap import SemBootstrap
    from cxstats.models.sem.comparison import ModelComparison
    from cxstats.models.sem.robust import Sandwich

    Array = NDArray[np.float64]


# The indices of a summary, and which of the robust and the scaled ones stand for them.
SHOWN = ("chisq", "p_value", "cfi", "tli", "rmsea", "rmsea_ci_low", "rmsea_ci_high", "srmr")
SCALED = {name: f"{name}_scaled" for name in ("chisq", "p_value", "cfi", "tli", "rmsea")} | {
    "rmsea_ci_low": "rmsea_scaled_ci_low",
    "rmsea_ci_high": "rmsea_scaled_ci_high",
}
ROBUST = SCALED | {
    "cfi": "cfi_robust",
    "tli": "tli_robust",
    "rmsea": "rmsea_robust",
    "rmsea_ci_low": "rmsea_robust_ci_low",
    "rmsea_ci_high": "rmsea_robust_ci_high",
}


class ModelWarning(UserWarning):
    """A model or its solution is not to be trusted."""


@dataclass(frozen=True, eq=False, repr=False)
class SemFit(FittedModel):
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
        What makes the solution doubtful; empty when nothing was found. ``problem.message`` says
        what to do, in both languages.
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

    reference: ClassVar[str] = (
        "Joreskog (1970). A general method for analysis of covariance structures. Biometrika 57, "
        "239-251. Rosseel (2012). lavaan: an R package for structural equation modeling. Journal "
        "of Statistical Software 48(2)."
    )

    @property
    def n(self) -> int:
        """Cases."""
        return self.sample.n

    @property
    def converged(self) -> bool:
        """Whether a maximum of the likelihood was found."""
        return self.optimum.converged

    @property
    def unsound_optimum(self) -> bool:
        """Whether an optimum was reached that is no sound solution: near-singular, nothing else.

        Its fit indices, R² and comparisons with other models are given, marked as such wherever
        they are read; its estimates are in `unsound_table` only.
        """
        fatal = {problem.kind for problem in self.problems if problem.fatal}
        return fatal == {"near_singular"}

    @property
    def at_optimum(self) -> bool:
        """Whether chi-square and what follows from it exist."""
        return self.sound or self.unsound_optimum

    @cached_property
    def rows(self) -> pd.DataFrame:
        """What each row of the table is: ``lhs, op, rhs, label, group``."""
        import pandas as pd

        name_of = self.sample.group_name
        rows = [(p.lhs, p.op, p.rhs, p.label, name_of(p.group)) for p in self.model.parameters]
        everywhere = 1 if self.model.n_groups == 1 else ""
        rows += [
            (d.name, ":=", d.expression.text, d.name, everywhere) for d in self.model.definitions
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

    def _numbers(self, solved: bool) -> pd.DataFrame:
        import pandas as pd
        from scipy.special import ndtr

        frame = self.rows
        k = len(frame)
        columns = ("estimate", "se", "z", "p_value", "ci_low", "ci_high", "std", "std_se")
        if not solved:
            return frame.assign(**dict.fromkeys(columns, np.nan))
        with quiet_linear_algebra(), np.errstate(all="ignore"):
            values = self.optimum.point.quantities
            errors = delta_errors(self.optimum.point, self.covariance)
        estimate, se = values[:k], errors[:k]
        z = estimate / se
        reach = normal_quantile(self.level) * se
        numbers = (
            estimate, se, z, 2 * ndtr(-np.abs(z)), estimate - reach, estimate + reach,
            values[k:], errors[k:],
        )  # fmt: skip
        statistics = pd.DataFrame(dict(zip(columns, numbers, strict=True)))
        return pd.concat([frame, statistics], axis=1)

    @cached_property
    def covariance(self) -> Array:
        """Covariances of the free parameters (q, q).

        Of a matrix of correlations, those of estimates from correlations, where the model allows.
        """
        if self.estimator != "ml":
            return self.sandwich.covariance
        observed = self.information == "observed"
        covariance = covariance_of_estimates(self.likelihood, self.optimum, self.n, observed)
        moves = self._standardisation
        return covariance if moves is None else moves @ covariance @ moves.T

    @cached_property
    def _standardisation(self) -> Array | None:
        wanted = self.sound and self.sample.correlations
        return standardisation(self.likelihood, self.optimum) if wanted else None

    @cached_property
    def notes(self) -> tuple[Text, ...]:
        """What a reader must know of the numbers."""
        if self.unsound_optimum:
            return (both("sem.note.unsound"), *self._missing_codes())
        return (*(self._notes() if self.sound else ()), *self._missing_codes())

    def _missing_codes(self) -> list[Text]:
        if self.sample.frame is None:
            return []
        return missing_code_notes_of(self.sample.frame, self.sample.observed)

    def _notes(self) -> Iterator[Text]:
        if self.sample.cases is not None:
            ordered = self.estimator == "wlsmv"
            yield both("sem.note.design.ordered" if ordered else "sem.note.design")
            yield from self.sample.cases.sampled.notes()
        if self.sample.correlations:
            scale = "free" if self._standardisation is not None else "bound"
            yield both(f"sem.note.correlations.{scale}")
        if self.model.pooled:
            name, variable = self.model.pooled[0]
            groups = ", ".join(f"{name}{g + 1}" for g in range(self.model.n_groups))
            names = listed(label for label, _ in self.model.pooled)
            yield both("sem.note.pooled", names=names, example=f"c({groups})*{variable}")
        if loop := self.model.loop:
            yield both("sem.note.loop", names=listed(loop))
        yield from small_sample_notes(self)

    @cached_property
    def sandwich(self) -> Sandwich:
        """Robust covariances of the estimates, from the cases' scores."""
        from cxstats.models.sem.robust import sandwich

        return sandwich(
            self.likelihood,
            self.optimum,
            self.sample.matrices(),
            self.estimator == "mlr",
            self.sample.cases,
        )

    @property
    def scored(self) -> tuple[list[Array], SampledCases] | None:
        """Cases and design of score tests under a sampling design; None without."""
        cases = self.sample.cases
        return None if cases is None else (self.sample.matrices(), cases)

    @cached_property
    def fit_indices(self) -> dict[str, float]:
        """Fit indices by name; NaN where no optimum was reached. See `unsound_optimum`.

        ``chisq, df, p_value, cfi, tli, rmsea, rmsea_ci_low, rmsea_ci_high`` (90 %), ``rmsea_p``
        (close fit), ``srmr, gfi, loglik, saturated_loglik, aic, bic, bic_adjusted, n_parameters,
        n, baseline_chisq, baseline_df``, and ``chisq_swain, p_swain, chisq_bartlett,
        p_bartlett``: chi-square corrected for small samples, in which the uncorrected one rejects
        true models too often (a note says where). Of models with latents Bartlett's is nearest to
        its level (4 to 5 % at n = 50 and 6 to 15 items), Swain's needs no number of latents and
        rejects 5 to 8 %; with groups they take the mean size of a group, and with missing answers
        they count incomplete cases as whole ones, so they correct too little. With a robust
        estimator also ``chisq_scaled, scaling, p_value_scaled, baseline_scaling, cfi_scaled,
        tli_scaled, rmsea_scaled, cfi_robust, tli_robust, rmsea_robust, rmsea_robust_ci_low,
        rmsea_robust_ci_high, chisq_scaled_bartlett, p_scaled_bartlett``. Formulas and sources:
        `cxstats.models.sem.fit_indices`.
        """
        return fit_measures(self)

    @cached_property
    def r_squared(self) -> pd.DataFrame:
        """Share of variance explained: ``variable, group, r_squared``, latents last.

        One less the standardised residual variance; NaN where no optimum was reached.
        """
        import pandas as pd

        rows = self._numbers(self.at_optimum)
        variances = rows[(rows["op"] == "~~") & (rows["lhs"] == rows["rhs"])]
        variances = variances[variances["lhs"].isin(self.model.endogenous)]
        return pd.DataFrame(
            {
                "variable": variances["lhs"],
                "group": variances["group"],
                "r_squared": 1 - variances["std"],
            }
        ).reset_index(drop=True)

    @cached_property
    def transformed_intervals(self) -> pd.DataFrame:
        """Intervals that hold the truth in smaller samples than those of `table` do.

        Columns ``lhs, op, rhs, label, group, estimate, ci_low, ci_high, std, std_ci_low,
        std_ci_high``. Those of variances are symmetric for their logarithm, those of standardised
        loadings and of correlations for ``artanh`` (Fisher's z); the others are those of `table`,
        and standardised paths have none. At n = 50 and 100, with 6 to 15 items, 93 to 96 of 100
        hold the truth, of `table` 89 to 94.
        """
        from cxstats.models.sem.small_samples import transformed_intervals

        return transformed_intervals(self)

    @cached_property
    def latent_correlations(self) -> pd.DataFrame:
        """Correlations of all latents: ``first, second, group, estimate, se, ci_low, ci_high``.

        Those that the model implies, also where paths connect the latents; standard errors by the
        delta method. The interval is symmetric for ``artanh r`` (Fisher's z): ``tanh(artanh r +/-
        z se / (1 - r^2))``, or ``r +/- z se`` cut at 1 where r is too near to it. It covers better
        in small samples than ``r +/- z se``: 93 to 95 of 100 at n = 50, against 89 to 92.
        """
        from cxstats.models.sem.latents import latent_correlations

        return latent_correlations(self)

    def factor_scores(
        self, method: str = "regression", *, standardised: bool = False
    ) -> pd.DataFrame:
        """Return the scores of the respondents on the latents, a row a respondent.

        With deviations d of the answers from their implied means, W the inverse of their implied
        covariances, C those of the latents and L their loadings: ``C L' W d`` ("regression"),
        ``(L' W L)^-1 L' W d`` ("bartlett"), plus the means of the latents. A respondent who was
        left out of the model has NaN; with "fiml" scores are from what was answered. Latents that
        only other latents measure have Bartlett scores through these, whose disturbances count as
        noise.

        Parameters
        ----------
        method : {"regression", "bartlett"}
            Regression scores have the smallest error, and vary less than the latents do: their
            variance is `determinacy` squared times that of the latent. Bartlett's are unbiased
            given the latent, and vary more. Neither has the correlations of the latents; paths
            between scores are no substitute for those of the model.
        standardised : bool
            Scores in standard deviations of the latent (as the model implies them, in each group
            its own), from its mean. The scores themselves do not have variance 1.

        Returns
        -------
        pandas.DataFrame
            A column a latent, with the index of the respondents.

        Raises
        ------
        CxError
            If there is no solution, no latent or no respondent, or no such method.

        References
        ----------
        Thurstone (1935). The vectors of mind. Bartlett (1937). The statistical conception of
        mental factors. British Journal of Psychology 28, 97-104.
        """
        from cxstats.models.sem.latents import factor_scores

        return factor_scores(self, method, standardised)

    def score_determinacy(self, method: str = "regression") -> pd.DataFrame:
        """Return how far scores are the latents: ``latent, group, determinacy, reliability``.

        `determinacy` is the implied correlation of score and latent, `reliability` its square; of
        complete answers. Below a determinacy of .80 or so two sets of scores that fit as well can
        order people differently (Grice 2001, Psychological Methods 6, 430-450).

        Parameters
        ----------
        method : {"regression", "bartlett"}

        Raises
        ------
        CxError
            As for `factor_scores`.
        """
        from cxstats.models.sem.latents import determinacy

        return determinacy(self, method)

    @cached_property
    def residuals(self) -> pd.DataFrame:
        """Residuals of every covariance: ``group, row, column, raw, cor, z``.

        `raw` is sample less implied covariance, `cor` the same of correlations, `z` the raw
        residual over its standard error under normality (NaN where the model leaves none, or under
        a sampling design, whose standard error it is not).
        """
        import pandas as pd

        self.require_sound("residuals")
        names, sigma = self.model.observed, self.optimum.point.model.sigma
        z = residual_z(self.likelihood, self.optimum, self.n)
        if self.sample.cases is not None:
            z = np.full_like(z, np.nan)
        row, column = np.tril_indices(len(names))
        frames = []
        for g, cov in enumerate(self.sample.cov):
            sd, implied_sd = np.sqrt(np.diagonal(cov)), np.sqrt(np.diagonal(sigma[g]))
            cor = cov / np.outer(sd, sd) - sigma[g] / np.outer(implied_sd, implied_sd)
            frames.append(
                pd.DataFrame(
                    {
                        "group": self.sample.group_name(g),
                        "row": [names[i] for i in row],
                        "column": [names[i] for i in column],
                        "raw": (cov - sigma[g])[row, column],
                        "cor": cor[row, column],
                        "z": z[g, row, column],
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    @long_work("modification indices")
    def modification_indices(self, minimum: float = 0.0) -> pd.DataFrame:
        """Return what would improve the fit: ``lhs, op, rhs, group, mi, epc, std_epc``.

        Sorted by `mi`, the expected fall of chi-square were the parameter freed; `epc` is the
        value it would take, `std_epc` the same in standard deviations. A model changed on their
        advice has to be tested on other data. Under a sampling design `mi` is the score test whose
        variance follows from the design.

        Parameters
        ----------
        minimum : float
            Leave out smaller indices; 3.84 is the 5 % point of chi-square with 1 df.
        """
        import pandas as pd

        self.require_sound("modification indices")
        score = modification(self.likelihood, self.optimum, self.n, self.scored)
        rows = [(p.lhs, p.op, p.rhs, self.sample.group_name(p.group)) for p in score.parameters]
        frame = pd.DataFrame(rows, columns=["lhs", "op", "rhs", "group"]).assign(
            mi=score.index, epc=score.change, std_epc=score.standardised
        )
        frame = frame[frame["mi"] >= minimum]
        return frame.sort_values("mi", ascending=False, ignore_index=True)

    def bootstrap(
        self,
        n_resamples: int = 2_000,
        seed: int = 1,
        *,
        level: float = 0.95,
        bollen_stine: bool = False,
    ) -> SemBootstrap:
        """Fit the model to resamples of the respondents, all at once.

        One set of resamples gives percentile and BCa intervals of raw, standardised and defined
        parameters. Each replicate stops within about a thousandth of a standard error of its
        optimum; where the search was long, exact second derivatives must confirm it.
        Groups are resampled separately. Of more than 100,000 complete cases the means and
        covariances of resamples are drawn, not cases (`cxstats.core.moments.normal_moments`), and
        a note says so. Models with bounds or equations that are not linear are
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
        SemBootstrap
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
            If the two have other variables or cases, or as many degrees of freedom, or one has
            reached no optimum. Where the solution of one is unsound, a note says so.
        """
        from cxstats.models.sem.comparison import compare

        return compare(self, other)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the table, the fit indices and R²; the names say if the solution is unsound."""
        import pandas as pd

        indices = pd.DataFrame(self.fit_indices.items(), columns=["index", "value"])
        mark = "unsound_" if self.unsound_optimum else ""
        return {
            "table": self.table,
            f"{mark}fit_indices": indices,
            f"{mark}r_squared": self.r_squared,
        }

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the path diagram."""
        r_squared = dict(zip(self.r_squared["variable"], self.r_squared["r_squared"], strict=True))
        return self.path_diagram(self.table, r_squared, self.source(lang), lang)

    def source(self, lang: str) -> str:
        """Return where the numbers come from, for charts."""
        return label("sem.source", lang, n=format_number(self.n))

    def findings(self, lang: str) -> list[str]:
        """Return the sample, the problems, the fit and the structural paths, a line each.

        Where there is no solution, only the diagnosis, and the fit if an optimum was reached.
        """
        lines = [self.head(lang), *self.problem_lines(lang)]
        if not self.sound:
            fit = self.fit_lines(lang) if self.unsound_optimum else []
            marked = [label("sem.unsound", lang, text=line) for line in fit]
            return [*lines, *marked, label("sem.none.estimates" if fit else "sem.none", lang)]
        return [*lines, *self.fit_lines(lang), *_path_lines(self, lang)]

    def head(self, lang: str) -> str:
        """Return the first line of the summary: what was fitted, to how many cases."""
        patterns = self.sample.patterns
        complete = 0 if patterns is None else int(patterns.n[patterns.present.all(axis=1)].sum())
        text = label(
            "sem.head" if patterns is None else "sem.head.incomplete",
            lang,
            n=format_number(self.n),
            complete=format_number(complete),
            dropped=format_number(self.sample.dropped),
            q=self.fit_indices["n_parameters"],
        )
        return self.with_groups(text, lang)

    def with_groups(self, text: str, lang: str) -> str:
        """Return the first line of the summary with the names of the groups."""
        if len(self.sample.groups) == 1:
            return text
        groups = listed(map(str, self.sample.groups)).get(lang)
        space = " " if lang == "en" else ""
        return text + space + label("sem.groups", lang, names=groups)

    def fit_lines(self, lang: str) -> list[str]:
        """Return how well the model fits, in words."""
        if self.fit_indices["df"] == 0:
            return [label("sem.saturated", lang)]
        lines = [fit_line("sem.fit", self.fit_indices, lang)]
        if self.estimator != "ml":
            name = self.estimator.upper()
            lines.append(fit_line("sem.robust", self.fit_indices, lang, ROBUST, name))
        return lines


def fit_line(
    key: str,
    indices: Mapping[str, float],
    lang: str,
    names: Mapping[str, str] | None = None,
    estimator: str = "",
) -> str:
    """Return the test and the fit indices as a sentence.

    Parameters
    ----------
    key : str
        The sentence in the catalogue.
    indices : mapping of str to float
        Fit indices by name.
    lang : {"en", "zh"}
    names : mapping of str to str, optional
        Which index is read for each of the sentence; without it, the one of that name.
    estimator : str
        What makes the indices robust.
    """
    chosen = {name: indices.get((names or {}).get(name, name), np.nan) for name in SHOWN}
    return label(
        key,
        lang,
        estimator=estimator,
        df=int(indices["df"]),
        chisq=format_number(chosen["chisq"], 2),
        p=p_text(chosen["p_value"]),
        limits=interval(chosen["rmsea_ci_low"], chosen["rmsea_ci_high"], 3),
        **{name: f"{chosen[name]:.3f}" for name in ("cfi", "tli", "rmsea", "srmr")},
    )


def _path_lines(fit: SemFit, lang: str) -> list[str]:
    """Return structural paths and defined parameters, or loadings' range without any."""
    rows = fit.table[fit.table["op"].isin(["~", ":="])]
    rows = rows[~fit.table.loc[rows.index, "estimate"].isna()]
    if rows.empty:
        loadings = fit.table[fit.table["op"] == "=~"]["std"].abs()
        if loadings.empty:
            return []
        low, high = format_number(loadings.min(), 2), format_number(loadings.max(), 2)
        return [label("sem.loadings", lang, low=low, high=high)]
    level = format_percent(100 * fit.level, None, lang)
    lines = [label("sem.paths", lang, level=level)]
    for row in rows.itertuples():
        name = row.lhs if row.op == ":=" else f"{row.lhs} ~ {row.rhs}"
        group = f" [{row.group}]" if len(fit.sample.groups) > 1 and row.op == "~" else ""
        std = format_number(row.std, 2) if isfinite(row.std) else "–"
        estimate = format_number(row.estimate, 3) if isfinite(row.estimate) else "–"
        numbers = f"{estimate} {interval(row.ci_low, row.ci_high, 3)}"
        lines.append(f"  {name}{group}: {numbers}, {p_text(row.p_value)}, β = {std}")
    return lines
