"""Models of ordered answers: ``cx.sem(..., ordered=True)``."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.errors import CxError, DataError
from cxstats.labels import label
from cxstats.sem import fit_indices as indices
from cxstats.sem.categories import read_categories
from cxstats.sem.comparison import ModelComparison
from cxstats.sem.constraints import Reduction
from cxstats.sem.fit import solved
from cxstats.sem.model import Model, Parameter, build
from cxstats.sem.polychoric import PERFECT, OrdinalMoments, ordinal_moments, threshold_rows
from cxstats.sem.progress import quiet_linear_algebra
from cxstats.sem.result import ModelWarning, SemFit
from cxstats.sem.sample import Sample
from cxstats.sem.structure import Structure
from cxstats.sem.syntax import Syntax
from cxstats.sem.wls import (
    DeltaReduction,
    WeightedSquares,
    baseline_test,
    difference_test,
    fit_test,
    residual_errors,
    sandwich,
)

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


@dataclass(frozen=True, eq=False)
class OrdinalFit(SemFit):
    """A model of ordered answers fitted by WLSMV; see `cxstats.sem.fit.sem`.

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
            numbers = [name for name in whole if name not in self.rows]
            found = found.assign(**dict.fromkeys(numbers, np.nan))
        k = len(self.model.parameters)
        return pd.concat([whole[:k], found[list(whole)], whole[k:]], ignore_index=True)

    @property
    def _reach(self) -> float:
        from scipy.special import ndtri

        return float(ndtri((1 + self.level) / 2))

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

    def plot(self, **options: Any) -> Axes:
        """Draw the path diagram; options are those of `cxstats.charts.path_diagram`."""
        options.setdefault("source", label("sem.ordinal.source", options.get("lang", "en"), n=self.n))
        return super().plot(**options)


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
    found = difference_test(
        (free.squares, free.optimum), (strict.squares, strict.optimum), one.n
    )
    keys = ("df", "chisq", "chisq_scaled")
    table = pd.DataFrame([{key: fit.fit_indices[key] for key in keys} for fit in (free, strict)])
    chisq = max(found.scaled, 0.0)
    return ModelComparison(table, chisq, df, indices.chi_square_p(chisq, df))


def fit_ordinal(
    syntax: Syntax,
    data: Any,
    ordered: bool | Sequence[str],
    level: float,
    **options: Any,
) -> OrdinalFit:
    """Fit a model of ordered answers; see `cxstats.sem.fit.sem`, which checks the other options.

    Raises
    ------
    CxError, DataError
        If observed variables are not ordered or explain others, if the model has intercepts,
        bounds or equations that are not linear, or if the answers are no categories.
    """
    model = _without_variances(build(syntax, means=False, **options))
    structure = Structure.of(model)
    _check_model(model, structure)
    _check_ordered(ordered, model)
    categories = read_categories(data, model.observed)
    moments = ordinal_moments(categories)
    _check_distinct(moments)
    plain = Reduction.of(model)
    if plain.equations or plain.bounds:
        raise CxError("with ordered answers, constraints have to be linear equations")
    reduction = DeltaReduction(model, plain.offset, plain.matrix, (), (), structure)
    corr = moments.corr[None]
    gamma = moments.gamma[1]
    squares = WeightedSquares(
        structure, reduction, corr, None, np.ones(1), 1 / np.diagonal(gamma), gamma
    )
    with quiet_linear_algebra():
        start, optimum, problems = solved(squares)
    result = OrdinalFit(
        model=model,
        sample=Sample(
            model.observed, ("",), np.array([float(categories.n)]), corr,
            np.full((1, len(model.observed)), np.nan), categories.dropped, 0.0, data, None,
        ),
        likelihood=squares,
        start=start,
        optimum=optimum,
        problems=(*problems, *moments.problems()),
        information="expected",
        estimator="wlsmv",
        level=level,
        moments=moments,
    )  # fmt: skip
    for problem in result.problems:
        warnings.warn(str(problem), ModelWarning, stacklevel=3)
    return result


def _without_variances(model: Model) -> Model:
    """Return the model with residual variances of items that are no parameters."""
    parameters = []
    for p in model.parameters:
        own = p.op == "~~" and p.lhs == p.rhs and p.lhs in model.observed
        if own and p.written and (p.label or p.fixed is not None):
            raise CxError(
                f"{p}: with ordered answers a residual variance is what is left of 1, and can "
                "neither be fixed nor labelled"
            )
        parameters.append(p._replace(fixed=0.0, start=None) if own else p)
    return replace(model, parameters=tuple(parameters))


def _check_model(model: Model, structure: Structure) -> None:
    named = [p.lhs for p in model.parameters if p.op == "~1"]
    if named:
        raise CxError(
            f"the model has an intercept ({named[0]} ~ 1); ordered answers have thresholds instead"
        )
    if not model.latents:
        raise CxError("the model has no latent variable; ordered items have to be measured ones")
    senders = [name for name in structure.core if name in model.observed]
    if senders:
        raise CxError(
            f"{', '.join(senders)}: with ordered answers an observed variable cannot explain "
            "others or covary with latents; let a latent stand for it"
        )
    for latent in model.latents:
        rows = [p for p in model.one_group if p.op == "=~" and p.lhs == latent]
        known = any(_is_one(p, latent) for p in model.one_group)
        if len(rows) == 1 and rows[0].rhs in model.observed and not known:
            item = rows[0].rhs
            raise CxError(
                f"{latent} has one item, {item}: with ordered answers write {item} itself as the "
                f"outcome, or fix {latent} ~~ 1*{latent}"
            )


def _is_one(p: Parameter, latent: str) -> bool:
    return (p.op, p.lhs, p.rhs, p.fixed) == ("~~", latent, latent, 1.0)


def _check_ordered(ordered: bool | Sequence[str], model: Model) -> None:
    if ordered is True:
        return
    if isinstance(ordered, str | bool):
        raise CxError(f"ordered={ordered!r}; allowed: True, or a list of all items of the model")
    plain = [name for name in model.observed if name not in set(ordered)]
    if plain:
        raise CxError(
            f"{', '.join(plain)} not in ordered=: ordered and continuous answers cannot be mixed; "
            "take ordered=True"
        )


def _check_distinct(moments: OrdinalMoments) -> None:
    first, second = moments.categories.pairs
    for i in np.flatnonzero(np.abs(moments.rho) > PERFECT):
        a, b = (moments.categories.names[side[i]] for side in (first, second))
        raise DataError(
            f"{a} and {b} have a polychoric correlation of {moments.rho[i]:.0f}: they repeat each "
            "other; leave one out"
        )
