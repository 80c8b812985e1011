"""Two nested models against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, p_text
from cxstats.core.language import Text, both, label
from cxstats.core.result import Result
from cxstats.models.sem.fit_indices import chi_square_p

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.models.sem.result import SemFit


@dataclass(frozen=True, eq=False, repr=False)
class ModelComparison(Result):
    """Likelihood-ratio test of nested models.

    Attributes
    ----------
    table : pandas.DataFrame
        The freer model first: ``df, chisq, aic, bic``.
    chisq, df, p_value
        The difference, its degrees of freedom and its p value.
    synthetic : bool
        Whether the respondents are simulated.
    notes : tuple of Text
        Whether the solution of one of the models is unsound.
    """

    table: pd.DataFrame
    chisq: float
    df: int
    p_value: float
    synthetic: bool = False
    notes: tuple[Text, ...] = ()

    reference: ClassVar[str] = (
        "Steiger, Shapiro & Browne (1985). On the multivariate asymptotic distribution of "
        "sequential chi-square statistics. Psychometrika 50, 253-263. With robust estimators: "
        "Satorra & Bentler (2001). A scaled difference chi-square test statistic for moment "
        "structure analysis. Psychometrika 66, 507-514."
    )

    def findings(self, lang: str) -> list[str]:
        """Return the test in words."""
        return [
            label(
                "sem.compare",
                lang,
                chisq=format_number(self.chisq, 2),
                df=self.df,
                p=p_text(self.p_value),
            )
        ]


def compare(first: SemFit, second: SemFit) -> ModelComparison:
    """Compare two fits by maximum likelihood; see `SemFit.compare`."""
    check_same_data(first, second)
    if first.model.means != second.model.means:
        raise CxError("one model has means, the other has not: pass means=True to both")
    free, strict = by_freedom(first, second)
    df = int(strict.fit_indices["df"] - free.fit_indices["df"])
    chisq = strict.fit_indices["chisq"] - free.fit_indices["chisq"]
    if chisq < -1e-6:
        raise CxError(
            f"the model with fewer parameters fits better (by {-chisq:.3f}): they are not nested"
        )
    if first.estimator != "ml":
        chisq /= _scaling(strict, free)
    return comparison(free, strict, float(chisq), df, ("df", "chisq", "aic", "bic"))


def comparison(
    free: SemFit, strict: SemFit, chisq: float, df: int, columns: tuple[str, ...]
) -> ModelComparison:
    """Return the result of a comparison, with these fit indices of both models."""
    import pandas as pd

    rows = [{name: fit.fit_indices[name] for name in columns} for fit in (free, strict)]
    p_value = chi_square_p(chisq, df)
    unsound = [key for key, fit in (("free", free), ("strict", strict)) if not fit.sound]
    notes = tuple(both(f"sem.compare.unsound.{key}") for key in unsound)
    return ModelComparison(pd.DataFrame(rows), max(chisq, 0.0), df, p_value, free.synthetic, notes)


def check_same_data(first: SemFit, second: SemFit) -> None:
    """Raise if two models have no optimum, or were fitted to other data or by other estimators.

    Raises
    ------
    CxError
        Naming what differs.
    """
    if not hasattr(second, "estimator"):
        raise CxError(f"the other is a {type(second).__name__}; allowed: a fit of cx.sem")
    if first.estimator != second.estimator:
        raise CxError(
            f"estimators {first.estimator!r} and {second.estimator!r}: take the same for both"
        )
    designs = [fit.sample.cases and fit.sample.cases.sampled.design for fit in (first, second)]
    if designs[0] != designs[1]:
        raise CxError("the models were fitted under other sampling designs: take the same for both")
    for fit in (first, second):
        if not fit.at_optimum:
            fit.require_sound("comparison")
    odd = sorted(set(first.model.observed) ^ set(second.model.observed))
    if odd:
        raise CxError(f"the models have other variables ({', '.join(odd)}): they are not nested")
    if first.n != second.n:
        raise CxError(f"{first.n} cases against {second.n}: the models were fitted to other data")
    order = [second.model.observed.index(name) for name in first.model.observed]
    cov = second.sample.cov[:, order][:, :, order]
    if cov.shape != first.sample.cov.shape or not np.allclose(cov, first.sample.cov, rtol=1e-6):
        raise CxError("other covariances: the models were fitted to other data")


def by_freedom(first: SemFit, second: SemFit) -> tuple[SemFit, SemFit]:
    """Return the freer of two models and the stricter one.

    Raises
    ------
    CxError
        If they have as many degrees of freedom.
    """
    free, strict = sorted((first, second), key=lambda fit: fit.fit_indices["df"])
    if free.fit_indices["df"] == strict.fit_indices["df"]:
        raise CxError("the models have as many degrees of freedom: they are not nested")
    return free, strict


def _scaling(strict: SemFit, free: SemFit) -> float:
    """Return what a difference of chi-squares is divided by (Satorra & Bentler 2001)."""
    outer, inner = strict.fit_indices, free.fit_indices
    # A model without degrees of freedom takes nothing up.
    inner_sum = inner["df"] * inner["scaling"] if inner["df"] else 0.0
    factor = float((outer["df"] * outer["scaling"] - inner_sum) / (outer["df"] - inner["df"]))
    if factor <= 0:
        raise CxError(
            f"the scaled difference test does not exist here (its factor is {factor:.3f}); compare "
            "with estimator='ml', or by CFI"
        )
    return factor
