"""``cx.sem`` and ``cx.cfa``: a model and data in, a fit out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from cxstats.errors import CxError
from cxstats.inference import check_level
from cxstats.sem.constraints import Reduction
from cxstats.sem.estimate import Optimum, maximise
from cxstats.sem.likelihood import Likelihood
from cxstats.sem.model import build
from cxstats.sem.problems import Problem, improper, unidentified
from cxstats.sem.progress import quiet_linear_algebra
from cxstats.sem.result import ModelWarning, SemFit
from cxstats.sem.sample import read_sample
from cxstats.sem.start import start_values
from cxstats.sem.structure import Structure
from cxstats.sem.syntax import parse

INFORMATION = ("expected", "observed")


def sem(  # noqa: PLR0913  (keywords, as lavaan has them)
    model: str,
    data: Any,
    *,
    group: str | None = None,
    std_lv: bool = False,
    orthogonal: bool = False,
    fixed_x: bool = True,
    means: bool | None = None,
    information: str = "expected",
    level: float = 0.95,
) -> SemFit:
    """Fit a structural equation model by maximum likelihood.

    Minimises ``F = log|Sigma| + tr(S Sigma^-1) - log|S| - p`` (with means also
    ``(m - mu)' Sigma^-1 (m - mu)``), S with divisor n; chi-square is ``n F``. Defaults are those
    of lavaan's ``sem()`` and ``cfa()``: see `cxstats.sem.model.build`.

    Parameters
    ----------
    model : str
        In lavaan's syntax: ``=~`` measured by, ``~`` regressed on, ``~~`` covaries with, ``~ 1``
        intercept, ``:=`` defined parameter, ``== < >`` constraints, ``#`` comment.
    data : table, Moments, or mapping of group to Moments
        Respondents in rows; cases with a missing answer are left out and counted. A published
        covariance matrix comes as ``Moments.from_covariance``.
    group : str, optional
        Column of groups; the model is fitted to all at once, with means. Groups come in the
        order of their first case.
    std_lv : bool
        Give latents variance 1 instead of a marker.
    orthogonal : bool
        Keep exogenous latents uncorrelated.
    fixed_x : bool
        Take the moments of observed predictors as given.
    means : bool, optional
        Model means too. Without it: where the model names an intercept, or there are groups.
    information : {"expected", "observed"}
        What standard errors are computed from.
    level : float
        Confidence level.

    Returns
    -------
    SemFit
        With ``.table``, ``.fit_indices``, ``.problems``, ``.bootstrap()``, ``.plot()``.

    Warns
    -----
    ModelWarning
        If the model is not identified, does not converge, or its solution is improper. Numbers of
        a solution that is none are withheld from the table.

    Raises
    ------
    ModelSyntaxError
        With line, column and a caret.
    DataError, CxError
        If a variable is missing, constant, not numeric, or repeats others.

    Notes
    -----
    Answers are taken as continuous and complete; standard errors and chi-square assume
    multivariate normality, which answers on five points do not have: look at the bootstrap too.

    References
    ----------
    Joreskog (1970). A general method for analysis of covariance structures. Biometrika 57.
    Rosseel (2012). lavaan: an R package for structural equation modeling. JSS 48(2).

    Examples
    --------
    >>> from cxstats import Moments
    >>> corr = [[1], [0.50, 1], [0.40, 0.35, 1], [0.30, 0.28, 0.20, 1]]
    >>> data = Moments.from_correlation(["a", "b", "c", "d"], corr, n=200)
    >>> fit = sem("f =~ a + b + c + d", data)
    >>> fit.fit_indices["df"], round(fit.fit_indices["chisq"], 3)
    (2, 0.203)
    """
    if information not in INFORMATION:
        raise CxError(f"information is {information!r}; allowed: {', '.join(INFORMATION)}")
    check_level(level)
    syntax = parse(model)
    first = build(
        syntax, std_lv=std_lv, orthogonal=orthogonal, fixed_x=fixed_x, means=means, check=False
    )
    sample = read_sample(data, first.observed, group)
    full = build(
        syntax,
        n_groups=len(sample.groups),
        std_lv=std_lv,
        orthogonal=orthogonal,
        fixed_x=fixed_x,
        means=means,
    )
    if full.means and np.isnan(sample.mean).any():
        raise CxError("the model has intercepts, but the moments have no means")
    reduction = Reduction.of(full)
    likelihood = Likelihood(
        Structure.of(full),
        reduction,
        sample.cov,
        sample.mean if full.means else None,
        sample.sizes / sample.n,
    )
    with quiet_linear_algebra():
        start, optimum, problems = solved(likelihood)
    result = SemFit(
        model=full,
        sample=sample,
        likelihood=likelihood,
        start=start,
        optimum=optimum,
        problems=problems,
        information=information,
        level=level,
    )
    for problem in problems:
        warnings.warn(str(problem), ModelWarning, stacklevel=2)
    return result


cfa = sem


def solved(likelihood: Likelihood) -> tuple[Any, Optimum, tuple[Problem, ...]]:
    """Return start, optimum and problems; a model that is not identified is not fitted."""
    reduction = likelihood.reduction
    x = start_values(reduction.model, likelihood.cov, likelihood.mean)
    start: Any = np.linalg.lstsq(reduction.matrix, x - reduction.offset, rcond=None)[0]
    problems = unidentified(likelihood, start)
    if problems:
        q = len(start)
        empty = np.full((q, q), np.nan)
        return start, Optimum(start, np.nan, empty, np.zeros((0, q)), False, 0), problems
    with np.errstate(all="ignore"):
        optimum = maximise(likelihood, start)
        return start, optimum, improper(likelihood, optimum)
