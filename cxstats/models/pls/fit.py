"""``cx.pls``: a model and data in, a fit out."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.moments import check_resamples
from cxstats.core.progress import quiet_linear_algebra
from cxstats.models.fitted_model import labels_of_variables
from cxstats.models.pls.algorithm import SCHEMES
from cxstats.models.pls.design import read_design
from cxstats.models.pls.estimates import estimate, from_weights
from cxstats.models.pls.problems import Problem, find_problems
from cxstats.models.pls.result import PlsFit
from cxstats.models.pls.sample import read_sample
from cxstats.models.sem.result import ModelWarning
from cxstats.stats.intervals import check_level
from cxstats.stats.sampling_design import Design as SamplingDesign
from cxstats.stats.sampling_design import design_of


def pls(  # noqa: PLR0913  (keywords of a public function)
    model: str,
    data: Any,
    *,
    scheme: str = "path",
    consistent: bool = False,
    scaled: bool = True,
    missing: str = "listwise",
    weights: str | None = None,
    cluster: str | None = None,
    design: SamplingDesign | None = None,
    n_resamples: int = 1_000,
    seed: int = 1,
    level: float = 0.95,
) -> PlsFit:
    """Fit a partial-least-squares path model.

    Constructs are weighted sums of their items, ``y_j = sum w_i x_i``, with weights from the
    correlations of the items alone (see `cxstats.models.pls.algorithm.find_weights`); paths are
    regressions among constructs. Everything is standardised, but for weights with ``scaled=False``.

    Parameters
    ----------
    model : str
        ``Quality =~ q1 + q2`` reflective (mode A), ``Price <~ p1 + p2`` formative (mode B),
        ``Loyalty ~ Quality + Price`` paths, ``b*Quality`` labels, ``:=`` defined parameters. A
        name in a path that has no items is an item itself.
    data : table or Moments
        Respondents in rows, or moments (no intervals then).
    scheme : {"path", "centroid", "factorial"}
        Inner weights.
    consistent : bool
        Consistent PLS: correct the reflective constructs for unreliability by rho_A, so that
        estimates are those of a common-factor model. Without it constructs are composites, and
        paths between them are those of error-prone sums.
    scaled : bool
        Standardise the items, or (False) centre them only, so that an item with larger variance
        weighs more in its reflective construct: R plspm's ``scaled = FALSE``, which many published
        tables used. Scores, paths, loadings (correlations) and all coefficients stay standardised.
        It is meant for items of one and the same scale.
    missing : {"listwise", "mean"}
        Leave respondents with a missing answer out, or put the item's mean there (which shrinks
        correlations).
    weights, cluster : str, optional
        Columns of sampling weights and of clusters, such as the branch of several customers.
    design : Design, optional
        The same with strata, ``cx.Design(weights=..., cluster=..., strata=...)``. Estimates come
        from weighted means and covariances; resamples draw whole clusters within strata (Rao, Wu &
        Yue 1992), so that intervals allow for what clusters share, and limits of the t
        distribution have clusters less strata as degrees of freedom.
    n_resamples, seed, level
        The bootstrap behind standard errors and intervals of ``.table``, drawn when
        they are first asked for; 0 resamples for none. ``.bootstrap()`` draws others.

    Returns
    -------
    PlsFit
        With ``.table``, ``.paths``, ``.quality``, ``.fit_indices``, ``.problems``,
        ``.bootstrap()``, ``.predict()``, ``.ipma()``, ``.compare_groups()``, ``.plot()``.

    Warns
    -----
    ModelWarning
        If weights do not converge or a regression is singular; in consistent PLS also if a
        reliability, an AVE or a correlation is one that cannot be.

    Raises
    ------
    ModelSyntaxError
        With line, column and a caret.
    DataError, CxError
        If an item is missing, constant or not numeric, the paths run in a circle, or an option
        is none.

    Notes
    -----
    A sign is a convention: a construct points where the sum of its standardised items points,
    so an item that is coded the other way round gets a negative loading. Resamples, groups and
    folds keep the direction that the construct has in the sample.

    Intervals were tried on normal items from 20 respondents upwards; how often they hold the truth
    stands in `cxstats.models.pls.intervals`. With fewer respondents, or fewer than 50 for HTMT,
    `notes` say so. Under a sampling design ``predict`` refuses, and ``compare_groups`` takes its
    p values from resamples instead of permutations.

    References
    ----------
    Wold (1982); Lohmoller (1989). Latent variable path modeling with partial least squares.
    Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005). PLS path modeling. CSDA 48(1), 159-205.
    Dijkstra & Henseler (2015). Consistent partial least squares path modeling. MISQ 39(2).

    Examples
    --------
    >>> from cxstats import Moments
    >>> corr = [[1], [0.6, 1], [0.3, 0.4, 1], [0.3, 0.2, 0.5, 1]]
    >>> data = Moments.from_correlation(["q1", "q2", "l1", "l2"], corr, n=200)
    >>> fit = pls("Quality =~ q1 + q2 ; Loyalty =~ l1 + l2 ; Loyalty ~ Quality", data)
    >>> fit.paths[["lhs", "rhs", "estimate"]].round(4).values.tolist()
    [['Loyalty', 'Quality', 0.3967]]
    """
    if scheme not in SCHEMES:
        raise CxError(f"scheme is {scheme!r}; allowed: {', '.join(SCHEMES)}")
    check_level(level)
    check_resamples(n_resamples or 1, seed)
    sampling = design_of(design, weights, cluster)
    blocks = read_design(model)
    sample = read_sample(data, blocks.items, missing, sampling)
    with quiet_linear_algebra():
        estimates = estimate(sample.moments.cov[None], blocks, scheme, consistent, scaled=scaled)
        problems = find_problems(sample.moments.corr, estimates, blocks, consistent)
        if any(problem.fatal for problem in problems):
            outer = estimates.outer
            numbers = ("weights", "cross_loadings", "composite_corr")
            withheld = {name: np.full_like(getattr(outer, name), np.nan) for name in numbers}
            outer = replace(outer, **withheld)
            estimates = from_weights(sample.moments.corr[None], outer, blocks, consistent)
    labels = [(path.label, blocks.constructs[path.start]) for path in blocks.paths]
    labels += zip(blocks.item_labels, blocks.items, strict=True)
    if terms := labels_of_variables(labels, (*blocks.constructs, *blocks.items)):
        problems = (*problems, Problem("label_is_variable", terms))
    for problem in problems:
        mistaken = problem.kind == "label_is_variable"
        if problem.fatal or mistaken or (consistent and problem.improper):
            warnings.warn(str(problem), ModelWarning, stacklevel=2)
    return PlsFit(
        design=blocks,
        sample=sample,
        estimates=estimates,
        problems=problems,
        scheme=scheme,
        consistent=consistent,
        scaled=scaled,
        n_resamples=n_resamples,
        seed=seed,
        level=level,
    )
