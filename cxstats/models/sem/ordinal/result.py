"""A fitted model of ordered answers: its table, its fit, its comparison with others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, interval, p_text
from cxstats.core.language import label
from cxstats.models.sem import fit_indices as indices
from cxstats.models.sem.comparison import ModelComparison
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
from cxstats.models.sem.result import SemFit
from cxstats.models.sem.summary import path_lines
from cxstats.stats.intervals import normal_quantile

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
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
    moments : OrdinalMoments
        Thresholds and polychoric correlations; `sample.cov` are the latter.
    """

    moments: OrdinalMoments

    @property
    def squares(self) -> WeightedSquares:
        """What was minimised."""
        assert isinstance(self.likelihood, WeightedSquares)
        return self.likelihood

    def _numbers(self, known: bool) -> pd.DataFrame:
        import pandas as pd

        whole = super()._numbers(known)
        found = threshold_rows(self.moments)
        z, reach = found["estimate"] / found["se"], self._reach * found["se"]
        found = found.assign(
            label="", group=1, z=z, p_value=_two_sided(z), ci_low=found["estimate"] - reach,
            ci_high=found["estimate"] + reach, std=found["estimate"], std_se=found["se"],
        )  # fmt: skip
        if not known:
            for name in set(whole) - set(self.rows):
                found[name] = np.nan
        k = len(self.model.parameters)
        return pd.concat([whole[:k], found[list(whole)], whole[k:]], ignore_index=True)

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
        names = self.model.observed
        gap = self.squares.gaps(self.optimum.phi)
        return pd.DataFrame(
            {
                "group": 1,
                "row": [names[i] for i in second],
                "column": [names[i] for i in first],
                "raw": gap,
                "cor": gap,
                "z": gap / residual_errors(self.squares, self.optimum, self.n),
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
        """Not for ordered answers: see `residuals`."""
        raise CxError("modification indices are not computed for ordered answers; see .residuals")

    def bootstrap(self, *given: Any, **options: Any) -> Any:
        """Not for ordered answers."""
        raise CxError("no bootstrap of ordered answers; the standard errors are robust already")

    def summary(self, lang: str = "en") -> str:
        """Return the fit, its problems and the structural paths in words."""
        return _summary(self, lang)

    def plot(self, **options: Any) -> Axes:
        """Draw the path diagram; options are those of `cxstats.charts.path_diagram`."""
        options.setdefault(
            "source", label("sem.ordinal.source", options.get("lang", "en"), n=self.n)
        )
        return super().plot(**options)


def _summary(fit: OrdinalFit, lang: str) -> str:
    found = fit.fit_indices
    lines = [
        label(
            "sem.ordinal.head",
            lang,
            n=format_number(fit.n),
            dropped=format_number(fit.sample.dropped),
            q=found["n_parameters"],
            thresholds=len(fit.moments.thresholds),
        )
    ]
    if fit.synthetic:
        lines.append(label("sem.synthetic", lang))
    lines += [label("sem.problem.head", lang, text=p.text(lang)) for p in fit.problems]
    if not fit.sound:
        return "\n".join([*lines, label("sem.none", lang)])
    if found["df"] == 0:
        lines.append(label("sem.saturated", lang))
    else:
        limits = found["rmsea_scaled_ci_low"], found["rmsea_scaled_ci_high"]
        lines.append(
            label(
                "sem.ordinal.fit",
                lang,
                df=int(found["df"]),
                chisq=format_number(found["chisq_scaled"], 2),
                p=p_text(found["p_value_scaled"]),
                cfi=f"{found['cfi_scaled']:.3f}",
                tli=f"{found['tli_scaled']:.3f}",
                rmsea=f"{found['rmsea_scaled']:.3f}",
                limits=interval(*limits, 3),
                srmr=f"{found['srmr']:.3f}",
            )
        )
    return "\n".join([*lines, *path_lines(fit, lang)])


def _two_sided(z: Any) -> Any:
    from scipy.special import ndtr

    return 2 * ndtr(-np.abs(z))


def _measures(fit: OrdinalFit) -> dict[str, float]:
    p, n = len(fit.model.observed), fit.n
    q = fit.likelihood.reduction.matrix.shape[1]
    base_df = p * (p - 1) // 2
    df = base_df - q
    found: dict[str, float] = {
        "n": n,
        "n_parameters": q + len(fit.moments.thresholds),
        "df": df,
        "baseline_df": base_df,
    }
    if not fit.sound:
        return found | dict.fromkeys(NAMES, float("nan"))
    test = fit_test(fit.squares, fit.optimum, n, df)
    base = baseline_test(fit.squares, n)
    sigma = fit.likelihood.implied(fit.optimum.phi).sigma[0]
    found |= {
        "chisq": test.chisq,
        "chisq_scaled": test.scaled,
        "scaling": test.scaling,
        "shift": test.shift,
        "p_value_scaled": indices.chi_square_p(test.scaled, df),
        "baseline_chisq": base.chisq,
        "baseline_chisq_scaled": base.scaled,
        "baseline_scaling": base.scaling,
        "srmr": indices.srmr(fit.sample.cov[0], sigma),
    }
    for chisq, base_chisq, end in (
        (test.chisq, base.chisq, ""),
        (test.scaled, base.scaled, "_scaled"),
    ):
        low, high = indices.rmsea_interval(chisq, df, n - 1)
        found |= {
            f"cfi{end}": indices.cfi(chisq, df, base_chisq, base_df),
            f"tli{end}": indices.tli(chisq, df, base_chisq, base_df),
            f"rmsea{end}": indices.rmsea(chisq, df, n - 1),
            f"rmsea{end}_ci_low": low,
            f"rmsea{end}_ci_high": high,
        }
    return found | {"rmsea_scaled_p": indices.close_fit_p(test.scaled, df, n - 1)}


def _compare(one: OrdinalFit, other: SemFit) -> ModelComparison:
    import pandas as pd

    if not isinstance(other, OrdinalFit):
        raise CxError(f"estimators 'wlsmv' and {other.estimator!r}: take the same for both")
    for fit in (one, other):
        fit.require_sound("comparison")
    odd = set(one.model.observed) ^ set(other.model.observed)
    if odd:
        names = ", ".join(sorted(odd))
        raise CxError(f"the models have other variables ({names}): they are not nested")
    if one.model.observed != other.model.observed:
        raise CxError("the models name their items in another order: write them alike")
    if one.n != other.n or not np.allclose(one.sample.cov, other.sample.cov, atol=1e-12):
        raise CxError("the models were fitted to other data")
    free, strict = sorted((one, other), key=lambda fit: fit.fit_indices["df"])
    df = int(strict.fit_indices["df"] - free.fit_indices["df"])
    if df == 0:
        raise CxError("the models have as many degrees of freedom: they are not nested")
    if strict.optimum.value < free.optimum.value - 1e-10:
        raise CxError("the model with fewer parameters fits better: they are not nested")
    found = difference_test((free.squares, free.optimum), (strict.squares, strict.optimum), one.n)
    keys = ("df", "chisq", "chisq_scaled")
    table = pd.DataFrame([{key: fit.fit_indices[key] for key in keys} for fit in (free, strict)])
    chisq = max(found.scaled, 0.0)
    return ModelComparison(table, chisq, df, indices.chi_square_p(chisq, df))
