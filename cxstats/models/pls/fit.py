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
from cxstats.models.pls.design import Design, read_design
from cxstats.models.pls.estimates import estimate, from_weights
from cxstats.models.pls.problems import Problem, find_problems
from cxstats.models.pls.result import PlsFit
from cxstats.models.pls.sample import read_sample
from cxstats.models.sem.result import ModelWarning
from cxstats.stats.intervals import check_level
from cxstats.stats.sampling_design import Design as SamplingDesign
from cxstats.stats.sampling_design import design_of
from cxstats.survey.coding import by_codebook


@by_codebook(frame="data")
def pls(  # noqa: PLR0913  (keywords of a public function)
    model: str,
    data: Any,
    *,
    scheme: str = "path",
    consistent: bool = False,
    scaled: bool = True,
    interaction: str = "two-stage",
    higher_order: str = "two-stage",
    missing: str = "listwise",
    weights: str | None = None,
    cluster: str | None = None,
    design: SamplingDesign | None = None,
    n_resamples: int = 1_000,
    seed: int = 1,
    level: float = 0.95,
    codebook: Any = None,
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
        name in a path that has no items is an item itself. ``Loyalty ~ X + Z + X:Z`` has an
        interaction of constructs or items, ``X:X`` a quadratic effect; ``H =~ A + B`` of
        constructs is a reflective higher-order construct, ``H <~ A + B`` a formative one.
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
    interaction : {"two-stage", "product", "orthogonal"}
        What the items of an interaction are. "two-stage": one item, the product of the
        standardised scores of a first stage that has all but the interactions (Henseler & Chin
        2010); for constructs of every kind. "product": the products of all standardised items of
        either construct, in mode A (Chin, Marcolin & Newsted 2003); for reflective constructs.
        Their weights fit chance too: with nine products, no interaction and n = 150, paths are
        twice as far from 0 as in two stages.
        "orthogonal": these with the items taken out, so that they do not correlate with them.
        Needs respondents.
    higher_order : {"two-stage", "repeated"}
        "two-stage": the scores of the dimensions, from a first stage in which they have all paths
        of their construct, are its items in the second (disjoint two stages, Becker, Cheah,
        Gholamzade, Ringle & Sarstedt 2023). "repeated": it has all items of its dimensions again,
        and paths to them (=~) or from them (<~); what leads to a formative one then leads to its
        dimensions, and its effect is in ``.effects`` (Becker, Klein & Wetzels 2012).
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
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes, direction, names and order of groups, and its sampling
        design unless one is named here (``weights=None`` names none).

    Returns
    -------
    PlsFit
        With ``.table``, ``.paths``, ``.simple_slopes``, ``.quality``, ``.fit_indices``,
        ``.problems``, ``.bootstrap()``, ``.predict()``, ``.ipma()``, ``.compare_groups()``,
        ``.plot()``.

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
        If an item is missing, constant or not numeric, the paths run in a circle, an option is
        none, or what is asked for is refused (see Notes).

    Notes
    -----
    A sign is a convention: a construct points where the sum of its standardised items points,
    so an item that is coded the other way round gets a negative loading. Resamples, groups and
    folds keep the direction that the construct has in the sample.

    Intervals were tried on normal items from 20 respondents upwards, and from 30 of models with an
    interaction or a higher-order construct; how often they hold the truth stands in
    `cxstats.models.pls.intervals`. With fewer respondents, or fewer than 50 for HTMT,
    `notes` say so. Under a sampling design ``predict`` refuses, and ``compare_groups`` takes its
    p values from resamples instead of permutations.

    Resamples go through all stages. Measurement error weakens interactions more than paths: the
    reliability of a product is about that of one score times that of the other. The path of an
    interaction is per unit of the product of standardised scores, as in seminr: what a standard
    deviation of the moderator adds to the path of the predictor (``std`` in ``.table``: per
    standard deviation of the product). With products of items it is divided by the mean of their
    standard deviations, weighted with absolute loadings.

    Refused are products of three, constructs of the third order, paths of a dimension, and of
    models with an interaction or a higher-order construct: ``consistent=True``, ``scaled=False``,
    ``.fit_indices``, ``.predict()``, ``.ipma()`` and ``.compare_groups()``. A group
    of two may be an item: ``Y ~ X + g + X:g``.

    References
    ----------
    Wold (1982); Lohmoller (1989). Latent variable path modeling with partial least squares.
    Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005). PLS path modeling. CSDA 48(1), 159-205.
    Dijkstra & Henseler (2015). Consistent partial least squares path modeling. MISQ 39(2).
    Chin, Marcolin & Newsted (2003). A partial least squares latent variable modeling approach for
    measuring interaction effects. Information Systems Research 14(2), 189-217.
    Henseler & Chin (2010). A comparison of approaches for the analysis of interaction effects
    between latent variables. Structural Equation Modeling 17(1), 82-109.
    Becker, Klein & Wetzels (2012). Hierarchical latent variable models in PLS-SEM. Long Range
    Planning 45(5-6), 359-394.
    Becker, Cheah, Gholamzade, Ringle & Sarstedt (2023). PLS-SEM's most wanted guidance.
    International Journal of Contemporary Hospitality Management 35(1), 321-346.

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
    blocks = read_design(model, interaction, higher_order)
    _check_stages(blocks, consistent, scaled)
    sample = read_sample(data, blocks.columns, missing, sampling)
    if blocks.interactions:
        sample.require_rows("an interaction")
    with quiet_linear_algebra():
        estimates = estimate(
            sample.moments.cov[None], blocks, scheme, consistent, scaled=scaled,
            respondents=sample.respondents() if blocks.interactions else None,
        )  # fmt: skip
        problems = find_problems(estimates.corr[0], estimates, blocks, consistent)
        if any(problem.fatal for problem in problems):
            outer = estimates.outer
            numbers = ("weights", "cross_loadings", "composite_corr")
            withheld = {name: np.full_like(getattr(outer, name), np.nan) for name in numbers}
            outer = replace(outer, **withheld)
            estimates = from_weights(estimates.corr, outer, blocks, consistent)
    labels = [(path.label, blocks.constructs[path.start]) for path in blocks.paths]
    labels += zip(blocks.item_labels, blocks.items, strict=True)
    if terms := labels_of_variables(labels, (*blocks.constructs, *blocks.items)):
        problems = (*problems, Problem("label_is_variable", terms))
    for problem in problems:
        mistaken = problem.kind == "label_is_variable"
        if problem.fatal or mistaken or (consistent and problem.improper):
            warnings.warn(str(problem), ModelWarning, stacklevel=3)
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


def _check_stages(blocks: Design, consistent: bool, scaled: bool) -> None:
    """Raise at options that a model in stages does not have."""
    if blocks.stages is None:
        return
    what = f"with an interaction or a higher-order construct ({', '.join(blocks.derived)})"
    if consistent:
        raise CxError(
            f"consistent=True {what} is not supported: no reliability corrects a product or the "
            "scores of a first stage; allowed: consistent=False"
        )
    if not scaled:
        raise CxError(
            f"scaled=False {what} is not supported: scores and products, which are items there, "
            "have no units of their own; allowed: scaled=True"
        )
