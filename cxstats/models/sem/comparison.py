"""Two nested models against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label
from cxstats.models.sem.fit_indices import chi_square_p

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.models.sem.result import SemFit


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """Likelihood-ratio test of nested models.

    Attributes
    ----------
    table : pandas.DataFrame
        The freer model first: ``df, chisq, aic, bic``.
    chisq, df, p_value
        The difference, its degrees of freedom and its p value.
    """

    table: pd.DataFrame
    chisq: float
    df: int
    p_value: float

    def summary(self, lang: str = "en") -> str:
        """Return the test in words."""
        from cxstats.core.formats import p_text

        return label(
            "sem.compare",
            lang,
            chisq=format_number(self.chisq, 2),
            df=self.df,
            p=p_text(self.p_value),
        )

    def __repr__(self) -> str:
        return self.summary()


def compare(one: SemFit, other: SemFit) -> ModelComparison:
    """Compare two fits; see `SemFit.compare`."""
    import pandas as pd

    for fit in (one, other):
        fit.require_sound("comparison")
    if set(one.model.observed) != set(other.model.observed):
        odd = sorted(set(one.model.observed) ^ set(other.model.observed))
        raise CxError(f"the models have other variables ({', '.join(odd)}): they are not nested")
    if one.n != other.n:
        raise CxError(f"{one.n} cases against {other.n}: the models were fitted to other data")
    place = [other.model.observed.index(name) for name in one.model.observed]
    turned = other.sample.cov[:, place][:, :, place]
    if turned.shape != one.sample.cov.shape or not np.allclose(turned, one.sample.cov, rtol=1e-6):
        raise CxError("other covariances: the models were fitted to other data")
    if one.model.means != other.model.means:
        raise CxError("one model has means, the other has not: pass means=True to both")
    free, strict = sorted((one, other), key=lambda fit: fit.fit_indices["df"])
    df = int(strict.fit_indices["df"] - free.fit_indices["df"])
    if df == 0:
        raise CxError("the models have as many degrees of freedom: they are not nested")
    chisq = strict.fit_indices["chisq"] - free.fit_indices["chisq"]
    if one.estimator != other.estimator:
        raise CxError(
            f"estimators {one.estimator!r} and {other.estimator!r}: take the same for both"
        )
    if chisq < -1e-6:
        raise CxError(
            f"the model with fewer parameters fits better (by {-chisq:.3f}): they are not nested"
        )
    if one.estimator != "ml":
        chisq /= _scaling(strict, free)
    keys = ("df", "chisq", "aic", "bic")
    table = pd.DataFrame([{key: fit.fit_indices[key] for key in keys} for fit in (free, strict)])
    return ModelComparison(table, float(max(chisq, 0.0)), df, chi_square_p(chisq, df))


def _scaling(strict: SemFit, free: SemFit) -> float:
    """Return what a difference of chi-squares is divided by (Satorra & Bentler 2001)."""
    one, two = strict.fit_indices, free.fit_indices
    # A model without degrees of freedom takes nothing up.
    taken = two["df"] * two["scaling"] if two["df"] else 0.0
    found = float((one["df"] * one["scaling"] - taken) / (one["df"] - two["df"]))
    if found <= 0:
        raise CxError(
            f"the scaled difference test does not exist here (its factor is {found:.3f}); compare "
            "with estimator='ml', or by CFI"
        )
    return found
