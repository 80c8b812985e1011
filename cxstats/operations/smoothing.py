"""Exponential smoothing with a season, and the forecast that it has to beat.

References
----------
Hyndman, Koehler, Ord & Snyder (2008). Forecasting with exponential smoothing. Springer.
Hyndman & Athanasopoulos (2021). Forecasting: principles and practice, 3rd ed., ch. 5 and 8.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SmoothingForm:
    """A form of the model ETS(A, N or Ad, N or A).

    Attributes
    ----------
    logarithm : bool
        Whether logarithms are smoothed, so that seasons and errors are shares.
    trend : bool
        Whether there is a damped trend.
    season : int
        Periods of a season; 1 for none.
    """

    logarithm: bool
    trend: bool
    season: int


@dataclass(frozen=True, slots=True, eq=False)
class Predictive:
    """Normal predictive distributions of the periods ahead, on the scale that was smoothed.

    Attributes
    ----------
    mean, sd : arrays (h,)
    logarithm : bool
    """

    mean: Array
    sd: Array
    logarithm: bool

    def quantile(self, q: float) -> Array:
        """Return quantiles (h,) of demand, 0 or more."""
        from scipy.special import ndtri

        values = self.mean + float(ndtri(q)) * self.sd
        return np.exp(np.minimum(values, 700)) if self.logarithm else np.maximum(values, 0.0)


def choose_form(values: Array, season: int) -> SmoothingForm:
    """Return the form with the smallest corrected AIC (AICc) of demand itself.

    The likelihood of logarithms is turned into that of demand by ``sum log y``; they are tried
    where all demand is above 0.
    """
    best = (np.inf, SmoothingForm(False, False, season))
    for logarithm in (False, True) if (values > 0).all() else (False,):
        for trend in (False, True):
            form = SmoothingForm(logarithm, trend, season)
            model, sd, _ = _fit(values, form)
            jacobian = 2 * len(values) * np.log(sd) + 2 * logarithm * np.log(values).sum()
            criterion = float(model.aicc) + jacobian
            if criterion < best[0]:
                best = (criterion, form)
    return best[1]


def smooth(values: Array, form: SmoothingForm, horizon: int) -> Predictive:
    """Fit the model and return its predictive distributions, `horizon` periods ahead.

    The variance is that of statsmodels times ``n / (n - k)``, k parameters and initial states: the
    estimate of the errors' variance has no such factor. That parameters are estimates is not in it.
    """
    model, sd, mean = _fit(values, form)
    n = len(values)
    ahead = model.get_prediction(start=n, end=n + horizon - 1)
    k = len(model.params)
    inflation = n / max(n - k, 1)
    variance = np.asarray(ahead.forecast_variance) * inflation
    centre = np.asarray(ahead.predicted_mean) * sd + mean
    return Predictive(centre, np.sqrt(variance) * sd, form.logarithm)


def seasonal_naive(values: Array, season: int, horizon: int) -> Predictive:
    """Return the value of the season before, with the spread of such differences in the past."""
    steps = np.arange(horizon)
    mean = values[len(values) - season + steps % season]
    sd = float(np.sqrt(np.mean((values[season:] - values[:-season]) ** 2)))
    return Predictive(mean, sd * np.sqrt(steps // season + 1), logarithm=False)


def _fit(values: Array, form: SmoothingForm) -> tuple[Any, float, float]:
    """Return the fitted model of standardised values, and their scale and centre.

    The search for parameters takes ten times as long on values that are not standardised.
    """
    import pandas as pd
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    y = np.log(values) if form.logarithm else values
    mean, sd = float(y.mean()), float(y.std())
    if not sd > 0:
        raise DataError("demand is the same in every period; there is nothing to smooth")
    model = ETSModel(
        pd.Series((y - mean) / sd),  # its predictions ask for an index
        error="add",
        trend="add" if form.trend else None,
        damped_trend=form.trend,
        seasonal="add" if form.season > 1 else None,
        seasonal_periods=form.season if form.season > 1 else None,
    )
    with warnings.catch_warnings():
        # The optimiser says where it stopped early; the rolling errors show what that costs.
        warnings.simplefilter("ignore")
        return model.fit(disp=False), sd, mean
