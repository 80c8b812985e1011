"""One door to every source of weights."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

from cxstats.core.errors import CxError
from cxstats.weighting.ahp import ahp
from cxstats.weighting.model_weights import driver_weights, pls_weights, regression_weights
from cxstats.weighting.objective import critic_weights, entropy_weights
from cxstats.weighting.result import Weights, check_choice
from cxstats.weighting.stated_points import points_weights


def _shapley(frame: Any, outcome: str, drivers: Any = None, **options: Any) -> Weights:
    return driver_weights(frame, outcome, drivers, method="shapley", **options)


def _johnson(frame: Any, outcome: str, drivers: Any = None, **options: Any) -> Weights:
    return driver_weights(frame, outcome, drivers, method="johnson", **options)


METHODS: dict[str, Callable[..., Weights]] = {
    "points": points_weights,
    "ahp": ahp,
    "entropy": entropy_weights,
    "critic": critic_weights,
    "regression": regression_weights,
    "pls": pls_weights,
    "shapley": _shapley,
    "johnson": _johnson,
}


def weights(data: Any, method: str, **options: Any) -> Weights:
    """Weigh components by one of several methods.

    Parameters
    ----------
    data : table, matrix of judgements, or fit
        What the method needs, see below.
    method : str
        How:

        - "points": respondents' points, `cxstats.weighting.stated_points.points_weights`
          (``columns`` or ``codebook``, ``total=100``, ``mean="arithmetic"``);
        - "ahp": judgements of pairs, `cxstats.ahp`;
        - "entropy", "critic": a table of units by criteria,
          `cxstats.weighting.objective` (``directions``);
        - "regression": standardised coefficients of drivers of an outcome,
          `cxstats.weighting.model_weights.regression_weights` (``outcome, drivers``);
        - "pls": a fit of `cxstats.models.pls`, `cxstats.weighting.model_weights.pls_weights`
          (``construct`` for its items, or ``target`` for the constructs that affect it);
        - "shapley", "johnson": shares of explained variance (``outcome, drivers``).
    **options
        Those of the method.

    Returns
    -------
    Weights
        A mapping of component to weight, with ``.table``, ``.summary()`` and ``.plot()``.

    Raises
    ------
    CxError
        If there is no such method or option; the message lists those there are.
    DataError
        If the data do not fit; the message names row, column, value and what is allowed.

    Notes
    -----
    Points and AHP say what people state, regression, PLS, Shapley and Johnson what moves an
    outcome in the data, entropy and CRITIC what tells units apart. They answer different
    questions and will not agree.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"speed": [50, 60, 70, 60], "staff": [50, 40, 30, 40]})
    >>> weights(frame, "points", columns=["speed", "staff"]).as_dict()
    {'speed': 0.6, 'staff': 0.4}
    """
    check_choice("method", method, list(METHODS))
    function = METHODS[method]
    parameters = signature(
        driver_weights if method in ("shapley", "johnson") else function
    ).parameters
    allowed = [name for name in list(parameters)[1:] if name != "method"]
    for name in options:
        if name not in allowed:
            raise CxError(f"{name!r} is no option of {method!r}; there are: {', '.join(allowed)}")
    for name in allowed:
        if name not in options and parameters[name].default is Parameter.empty:
            raise CxError(f"method {method!r} needs {name}=...")
    return function(data, **options)
