"""``cx.sem`` and ``cx.cfa``: a model and data in, a fit out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.progress import quiet_linear_algebra
from cxstats.models.fitted_model import labels_of_variables
from cxstats.models.sem.batch_search import Attempt, maximise_batch
from cxstats.models.sem.constraints import Reduction
from cxstats.models.sem.fit_indices import baseline_p
from cxstats.models.sem.likelihood import Likelihood
from cxstats.models.sem.missing import PatternLikelihood, of_patterns
from cxstats.models.sem.model import EQUAL, Model, Roles, build, refuse_circles, refuse_composites
from cxstats.models.sem.optimizer import Optimum, maximise
from cxstats.models.sem.problems import Problem, doubtful, improper, unidentified
from cxstats.models.sem.result import ModelWarning, SemFit
from cxstats.models.sem.sample import (
    Sample,
    check_names,
    names_in,
    read_incomplete,
    read_sample,
    read_sampled,
)
from cxstats.models.sem.standard_errors import inverse_scaled
from cxstats.models.sem.starting_values import start_values
from cxstats.models.sem.structure import Structure
from cxstats.models.sem.syntax import Syntax, parse
from cxstats.stats.intervals import check_level
from cxstats.stats.sampling_design import Design, design_of
from cxstats.survey.coding import by_codebook

INFORMATION = ("expected", "observed")
ESTIMATORS = ("ml", "mlm", "mlr")
MISSING = ("listwise", "fiml")
# What can be equal over groups of ordered answers; residual variances are what is left.
EQUAL_ORDERED = ("thresholds", "loadings")
# Of BFGS, where Newton steps lead nowhere.
ROUNDS = 400


@by_codebook(frame="data")
def sem(  # noqa: PLR0913  (keywords, as lavaan has them)
    model: str,
    data: Any,
    *,
    group: str | None = None,
    std_lv: bool = False,
    orthogonal: bool = False,
    fixed_x: bool = True,
    means: bool | None = None,
    equal: Sequence[str] = (),
    estimator: str = "ml",
    missing: str = "listwise",
    information: str | None = None,
    ordered: bool | Sequence[str] = False,
    level: float = 0.95,
    weights: str | None = None,
    cluster: str | None = None,
    design: Design | None = None,
    codebook: Any = None,
) -> SemFit:
    """Fit a structural equation model by maximum likelihood, or to ordered answers by WLSMV.

    Minimises ``F = log|Sigma| + tr(S Sigma^-1) - log|S| - p`` (with means also
    ``(m - mu)' Sigma^-1 (m - mu)``), S with divisor n; chi-square is ``n F``. Defaults are those
    of lavaan's ``sem()`` and ``cfa()``: see `cxstats.models.sem.model.build`.

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
    equal : sequence of {"loadings", "intercepts", "residuals"}
        What is equal over the groups, "thresholds" and "loadings" of ordered answers; see
        `cxstats.invariance`, which tests it.
    estimator : {"ml", "mlm", "mlr"}
        The estimates are the same; "mlm" (Satorra & Bentler 1994) and "mlr" (Huber, White; Yuan &
        Bentler 2000) give standard errors and a chi-square that hold without normality.
    missing : {"listwise", "fiml"}
        Leave out cases with a missing answer, or use every answer there is (full information
        maximum likelihood: unbiased where missingness depends on answered questions only). With
        "fiml", and with "mlm", observed predictors are modelled like other variables.
    information : {"expected", "observed"}, optional
        What standard errors are computed from; without it the expected information, with "fiml"
        the observed one, which stays right when answers are missing at random.
    ordered : bool or sequence of str
        True, or the names of all observed variables, to take answers as ordered categories: an
        `OrdinalFit` by diagonally weighted least squares of polychoric correlations, with a mean-
        and variance-adjusted test ("WLSMV"; delta parameterisation, complete cases). Ordered
        categories of pandas are taken in the order of their type. In groups, with
        ``equal=["thresholds", ...]`` scales (``~*~``, one over the standard deviation of an
        underlying variable) and latent means are free in all but the first, as in lavaan.
        Better than "ml" and "mlr" where there are four categories or fewer, or answers pile up at
        an end; with five or more, roughly even ones both do (Rhemtulla, Brosseau-Liard & Savalei
        2012). It takes some hundred cases: tables of two items should have few empty cells.
    level : float
        Confidence level.
    weights : str, optional
        Column of sampling weights. The weighted likelihood is maximised (weights scaled to add up
        to the number of cases); rows of weight 0 count nowhere.
    cluster : str, optional
        Column of clusters, whose rows may depend on each other in any way, such as the visits of
        one customer.
    design : Design, optional
        Weights, clusters and strata in one object, instead of the two keywords.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes, direction, names and order of groups, and its sampling
        design unless one is named here (``weights=None`` names none).

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
    Answers are taken as continuous. With "ml", standard errors and chi-square assume multivariate
    normality, which answers on five points do not have: see "mlr", and the bootstrap.

    With `weights`, `cluster` or `design` the estimator is "mlr" and means are modelled; of ordered
    answers thresholds and correlations are weighted, and their covariances are the design's. Errors
    of "mlr" are
    ``A^-1 B A^-1 / n``, B being n times the covariance, under the design, of the mean weighted
    score; chi-square is scaled by ``(tr(A1^-1 B1) - tr(A^-1 B)) / df``, A1 and B1 those of
    unrestricted moments (Asparouhov & Muthen 2005). B is that of R's survey: sums over clusters
    about the mean of their stratum, times ``C / (C - 1)``. lavaan counts the C clusters within
    each group, and has no factor where there are none: ``n / (n - 1)`` times its squared errors
    with weights alone, the same with ``Design(cluster=..., strata=group)`` and no equalities. A
    cluster may lie in several groups. Intervals and p values are normal, and too narrow where
    clusters are few: the result says so below 30. Cases left out, and other groups, stay in the
    sample of which the cases are a domain. The design makes the likelihood a pseudo-likelihood:
    do not choose models by AIC and BIC.
    In small samples the test of chi-square rejects true models too often: at n = 100 in 6, 7 and
    14 % with 6, 9 and 15 items, instead of 5; a note says so and gives corrected tests. Intervals
    of loadings hold from n = 50 on, those of variances and covariances from n = 200; see
    ``.transformed_intervals``. Without normality that takes about 400 cases.

    References
    ----------
    Asparouhov & Muthen (2005). Multivariate statistical modeling with survey data. Proceedings of
    the FCSM research conference.
    Joreskog (1970). A general method for analysis of covariance structures. Biometrika 57.
    Rosseel (2012). lavaan: an R package for structural equation modeling. JSS 48(2). Rhemtulla,
    Brosseau-Liard & Savalei (2012). When can categorical variables be treated as continuous?
    Psychological Methods 17, 354-373.

    Examples
    --------
    >>> from cxstats import Moments
    >>> corr = [[1], [0.50, 1], [0.40, 0.35, 1], [0.30, 0.28, 0.20, 1]]
    >>> data = Moments.from_correlation(["a", "b", "c", "d"], corr, n=200)
    >>> fit = sem("f =~ a + b + c + d", data)
    >>> fit.fit_indices["df"], round(fit.fit_indices["chisq"], 3)
    (2, 0.119)
    """
    estimator = estimator.lower() if isinstance(estimator, str) else estimator
    sampling = design_of(design, weights, cluster)
    _check(estimator, missing, information, equal, ordered is not False)
    _check_design(sampling, estimator, information, means)
    check_level(level)
    syntax = parse(model)
    refuse_composites(syntax)
    refuse_circles(syntax)
    # Before any matrix is built: a model of thousands of unknown names is refused at once.
    observed = Roles.of(syntax).observed
    check_names(data, observed, group)
    if ordered is not False:
        from cxstats.models.sem.ordinal.fit import fit_ordinal

        options = {
            "means": means,
            "estimator": None if estimator == "ml" else estimator,
            "missing": None if missing == "listwise" else missing, "information": information,
        }  # fmt: skip
        return fit_ordinal(
            syntax, data, ordered, level, options,
            design=sampling, groups=(group, tuple(equal)),
            latents={"std_lv": std_lv, "orthogonal": orthogonal},
        )  # fmt: skip
    fiml = missing == "fiml"
    if sampling is None:
        sample = (read_incomplete if fiml else read_sample)(data, observed, group)
    else:
        sample = read_sampled(data, observed, group, sampling, fiml)
        estimator = "mlr"
    if estimator != "ml" and sample.frame is None:
        raise CxError(f"estimator {estimator!r} needs the respondents: pass the frame")
    full = build(
        syntax,
        n_groups=len(sample.groups),
        std_lv=std_lv,
        orthogonal=orthogonal,
        fixed_x=fixed_x and not fiml and estimator != "mlm",
        means=True if fiml or sampling else means,
        equal=equal,
    )
    likelihood = _likelihood(full, sample)
    with quiet_linear_algebra():
        start, optimum, problems = solved(likelihood)
    result = SemFit(
        model=full,
        sample=sample,
        likelihood=likelihood,
        start=start,
        optimum=optimum,
        problems=problems,
        information=information or ("observed" if fiml else "expected"),
        estimator=estimator,
        level=level,
    )
    result = replace(result, problems=(*problems, *_doubts(result, syntax, data)))
    for problem in result.problems:
        warnings.warn(str(problem), ModelWarning, stacklevel=3)
    return result


cfa = sem


def _doubts(fit: SemFit, syntax: Syntax, data: Any) -> tuple[Problem, ...]:
    """Return what the text of the model, or numbers that say nothing, make doubtful."""
    variables = {*fit.model.observed, *fit.model.latents, *names_in(data)}
    labels = ((label, term.rhs or "1") for term in syntax.terms for label in term.labels)
    mistaken = labels_of_variables(labels, variables)
    with quiet_linear_algebra():
        doubts = doubtful(fit.likelihood, fit.optimum, fit.n, baseline_p(fit), fit.sound)
    return (*((Problem("label_is_variable", mistaken),) if mistaken else ()), *doubts)


def _check(
    estimator: str, missing: str, information: str | None, equal: Sequence[str], ordinal: bool
) -> None:
    options = (
        ("estimator", estimator, ESTIMATORS),
        ("missing", missing, MISSING),
        ("information", information, (*INFORMATION, None)),
    )
    if str(estimator).startswith("wls"):
        raise CxError(f"estimator {estimator!r} is for ordered answers: pass ordered=True instead")
    for name, value, allowed in options:
        if value not in allowed:
            choices = ", ".join(str(choice) for choice in allowed if choice is not None)
            raise CxError(f"{name} is {value!r}; allowed: {choices}")
    comparable = EQUAL_ORDERED if ordinal else tuple(EQUAL.values())
    odd = [str(choice) for choice in equal if choice not in comparable]
    if odd:
        kind = " of ordered answers" if ordinal else ""
        raise CxError(f"equal has {', '.join(odd)}; allowed{kind}: {', '.join(comparable)}")
    if estimator == "mlm" and missing == "fiml":
        raise CxError("estimator 'mlm' needs complete cases; with missing='fiml' use 'mlr'")


def _check_design(
    design: Design | None, estimator: str, information: str | None, means: bool | None
) -> None:
    """Raise if an option does not go with a sampling design."""
    if design is None:
        return
    reasons = {
        "estimator='mlm' rests on independent cases; leave it out, a design brings its own "
        "errors ('mlr')": estimator == "mlm",
        "information= is not chosen under a sampling design: errors come from its sandwich": (
            information is not None
        ),
        "means=False: under a sampling design means are modelled, as they are estimated by the "
        "same weights": means is False,
    }
    for reason, holds in reasons.items():
        if holds:
            raise CxError(reason)


def _likelihood(model: Model, sample: Sample) -> Likelihood:
    """Return the likelihood of a model for a sample, or for its patterns of missing answers."""
    if model.means and np.isnan(sample.mean).any():
        raise CxError("the model has intercepts, but the moments have no means")
    likelihood = Likelihood(
        Structure.of(model),
        Reduction.of(model),
        sample.cov,
        sample.mean if model.means else None,
        sample.sizes / sample.n,
    )
    if sample.patterns is None:
        return likelihood
    return of_patterns(likelihood, sample.patterns, (sample.cov, sample.mean))


def solved(likelihood: Likelihood) -> tuple[Any, Optimum, tuple[Problem, ...]]:
    """Return start, optimum and problems; a model that is not identified is not fitted."""
    with np.errstate(all="ignore"):
        start = _start(likelihood)
        point, model = likelihood.at(start), likelihood.reduction.model
        plain = _without_user_starts(model)
        default = point if plain is model else likelihood.at(_start(likelihood, model=plain))
        problems = unidentified(default)
        if problems:
            q = len(start)
            empty = np.full((q, q), np.nan)
            return start, Optimum(point, np.nan, empty, np.zeros((0, q)), False, 0), problems
        optimum = maximise(point)
        if not optimum.converged:
            start, optimum = _again(likelihood, start, optimum)
        return start, optimum, improper(likelihood, optimum)


def _again(likelihood: Likelihood, start: Any, optimum: Optimum) -> tuple[Any, Optimum]:
    """Return where a search from another start ends, or one by BFGS, which keeps nearer to it.

    The other start is without the user's values, which may be what leads astray.
    """
    plain = _start(likelihood, plain=True, model=_without_user_starts(likelihood.reduction.model))
    retried = maximise(likelihood.at(plain))
    if retried.converged:
        return plain, retried
    reduction = likelihood.reduction
    if isinstance(likelihood, PatternLikelihood) or reduction.equations or reduction.bounds:
        return start, optimum
    mean = None if likelihood.mean is None else likelihood.mean[None]
    batch = replace(likelihood, cov=likelihood.cov[None], mean=mean)
    for point in (start, plain):
        inverse = inverse_scaled(2 * likelihood.information(point))
        if np.isfinite(inverse).all():
            phi, _, arrived = maximise_batch(batch, [Attempt(point, inverse, ROUNDS)], 10**6)
            if arrived[0]:
                retried = maximise(likelihood.at(phi[0]))
                if retried.converged:
                    return point, retried
    return start, optimum


def _start(likelihood: Likelihood, plain: bool = False, model: Model | None = None) -> Any:
    reduction = likelihood.reduction
    x = start_values(model or reduction.model, *likelihood.moments, plain=plain)
    return reduction.nearest(x)


def _without_user_starts(model: Model) -> Model:
    """Return the model without the starts that the user gave."""
    if all(p.start is None for p in model.parameters):
        return model
    return replace(model, parameters=tuple(p._replace(start=None) for p in model.parameters))
