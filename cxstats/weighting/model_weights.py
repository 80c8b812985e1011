"""Weights that a model derives from data: regression, PLS, shares of explained variance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import is_synthetic
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both, listed
from cxstats.core.moments import Moments, bootstrap_moments, check_resamples, correlations, moments
from cxstats.core.progress import quiet_linear_algebra, tracked
from cxstats.models.pls.sample import read_rows
from cxstats.priorities.notes import failed_resamples, few_resamples, missing_answers
from cxstats.stats.intervals import check_level
from cxstats.survey.coding import by_codebook
from cxstats.weighting.result import Weights, check_choice, closed, percentiles, weight_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cxstats.models.pls.result import PlsFit

    Array = NDArray[np.float64]

NEGATIVE = ("refuse", "zero")
EFFECTS = ("total", "direct")
HELD = 4_000_000  # numbers of subsets held at once: a batch of replicates is cut to this
MOST_DRIVERS = 20  # exact Shapley values take 2^p subsets
SINGULAR = 1e-10
CONSTANT = 1e-12  # variance up to which a column is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Covariances:
    """Covariances of drivers and outcome (last), of the sample and of its replicates.

    Attributes
    ----------
    names : tuple of str
        The p drivers.
    n, n_dropped : int
    cov : array (p + 1, p + 1)
    drawn : array (B, p + 1, p + 1)
        Empty where only moments were given.
    synthetic : bool
    """

    names: tuple[str, ...]
    n: int
    n_dropped: int
    cov: Array
    drawn: Array
    synthetic: bool


def betas(cov: Array, standardised: bool) -> Array:
    """Return coefficients of the last variable on the others (..., p), from covariances.

    Standardised, ``R^-1 r``, or per unit of a driver, ``S^-1 s``.

    Examples
    --------
    >>> cov = np.array([[4, 1, 2.2], [1, 1, 0.8], [2.2, 0.8, 1]])
    >>> betas(cov, False).round(3).tolist(), betas(cov, True).round(3).tolist()
    ([0.467, 0.333], [0.933, 0.333])
    """
    used = correlations(cov) if standardised else cov
    solved = np.linalg.solve(used[..., :-1, :-1], used[..., :-1, -1:])
    return np.asarray(solved[..., 0])


@by_codebook()
def regression_weights(  # noqa: PLR0913  (a public method with its options)
    data: Any,
    outcome: str,
    drivers: Sequence[str] | None = None,
    *,
    standardised: bool = True,
    negative: str = "refuse",
    level: float = 0.95,
    n_resamples: int = 2_000,
    seed: int = 1,
    codebook: Any = None,
) -> Weights:
    """Weigh drivers by their regression coefficients, ``w_j = b_j / sum b``.

    Parameters
    ----------
    data : table or Moments
        Moments give no intervals.
    outcome : str
    drivers : sequence of str, optional
        Without them, every other column.
    standardised : bool
        Per standard deviation of a driver; otherwise per unit, which is what a weighted mean of
        scores in their own units wants.
    negative : {"refuse", "zero"}
        What happens to a negative coefficient: it is refused, or its weight is 0 and said so.
        It is never turned.
    level, n_resamples, seed
        Percentile bootstrap over respondents.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes and direction; that its sampling design is left out the notes
        say.

    Returns
    -------
    Weights
        With the coefficients in the column ``beta``. An end of an interval may lie below 0 where
        the sign of a coefficient is not certain.

    Raises
    ------
    DataError
        If a coefficient is negative and ``negative="refuse"``, none is positive, drivers
        determine each other, or a column is missing or not numeric.

    Examples
    --------
    >>> from cxstats.core.moments import Moments
    >>> corr = [[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]]
    >>> given = Moments.from_correlation(["speed", "staff", "overall"], corr, n=200)
    >>> regression_weights(given, "overall")["speed"].__round__(3)
    0.8
    """
    check_choice("negative", negative, NEGATIVE)
    sample = _covariances(data, outcome, drivers, level, n_resamples, seed)
    least = np.linalg.eigvalsh(correlations(sample.cov)[:-1, :-1])[0]
    if least < SINGULAR:
        raise DataError("the drivers determine each other; leave one out")
    beta = betas(sample.cov, standardised)
    below = _negative(sample.names, beta, 3)
    if (beta <= 0).all():
        raise DataError(f"no driver has a positive coefficient: {', '.join(below)}")
    if below and negative == "refuse":
        raise DataError(
            f"negative coefficients: {', '.join(below)}; a weight is 0 upwards. Leave the driver "
            "out, use shares (method='shapley'), or say negative='zero'"
        )

    def shares(cov: Array) -> Array:
        slopes = betas(cov, standardised)
        slopes = np.maximum(slopes, 0) if below else slopes
        total = slopes.sum(axis=-1, keepdims=True)
        return np.where(total > 0, slopes / np.where(total > 0, total, 1), np.nan)

    basis = both(f"weighting.basis.regression.{_scaling(standardised)}")
    return _weigh_drivers(
        sample,
        "regression",
        basis,
        shares,
        level,
        n_resamples,
        seed,
        _set_to_zero(below),
        beta=beta,
    )


def _scaling(standardised: bool) -> str:
    return "standardised" if standardised else "raw"


def _negative(names: Sequence[str], values: Array, decimals: int) -> list[str]:
    """Return the names with a negative value, and the value."""
    pairs = zip(names, values, strict=True)
    return [f"{name} {value:.{decimals}f}" for name, value in pairs if value < 0]


def _set_to_zero(below: list[str]) -> list[Text]:
    return [both("weighting.note.zero", names=listed(below))] if below else []


@by_codebook()
def driver_weights(
    data: Any,
    outcome: str,
    drivers: Sequence[str] | None = None,
    *,
    method: str = "shapley",
    level: float = 0.95,
    n_resamples: int = 1_000,
    seed: int = 1,
    codebook: Any = None,
) -> Weights:
    """Weigh drivers by their share of the outcome's explained variance.

    Shapley values (Lindeman, Merenda & Gold 1980; exact, to 20 drivers) or Johnson's (2000)
    relative weights, over R2. A share has no sign: a driver that lowers the outcome gets a
    positive weight, too, and is said in ``notes``.

    Parameters as `regression_weights`.

    Examples
    --------
    >>> from cxstats.core.moments import Moments
    >>> corr = [[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]]
    >>> given = Moments.from_correlation(["speed", "staff", "overall"], corr, n=200)
    >>> driver_weights(given, "overall")["speed"].__round__(3)
    0.768
    """
    from cxstats.priorities.drivers.importance_measures import johnson, shapley

    functions = {"shapley": shapley, "johnson": johnson}
    check_choice("method", method, list(functions))
    sample = _covariances(data, outcome, drivers, level, n_resamples, seed)
    p = len(sample.names)
    if method == "shapley" and p > MOST_DRIVERS:
        raise DataError(f"{p} drivers; exact Shapley values take at most {MOST_DRIVERS}")
    r = correlations(sample.cov)[:-1, -1]
    below = [
        f"{name} {value:.2f}" for name, value in zip(sample.names, r, strict=True) if value < 0
    ]
    notes = [both("weighting.note.sign", names=listed(below))] if below else []

    def shares(cov: Array) -> Array:
        return closed(functions[method](correlations(cov)))

    if float(functions[method](correlations(sample.cov)).sum()) < 1e-12:
        raise DataError(f"the drivers explain nothing of {outcome!r}; there are no shares")
    basis = both("weighting.basis.shares")
    return _weigh_drivers(
        sample, method, basis, shares, level, n_resamples, seed, notes, correlation=r
    )


def pls_weights(  # noqa: PLR0913  (a public method with its options)
    fit: PlsFit,
    construct: str | None = None,
    *,
    target: str | None = None,
    effects: str = "total",
    standardised: bool = True,
    negative: str = "refuse",
    level: float = 0.95,
    n_resamples: int = 1_000,
    seed: int = 1,
) -> Weights:
    """Weigh the items of a construct by outer weights, or constructs by effects on a target.

    Parameters
    ----------
    fit : PlsFit
        Of `cxstats.models.pls`.
    construct : str, optional
        Weights of its items, as they form its composite.
    target : str, optional
        Instead: weights of the constructs that affect it.
    effects : {"total", "direct"}
        Which effects on the target.
    standardised : bool
        Of items: for standardised answers, or, divided by their standard deviations, for answers
        on their own scale (what an index of raw answers wants). Effects are standardised.
    negative : {"refuse", "zero"}
        As in `regression_weights`.
    level, n_resamples, seed
        Percentile bootstrap over respondents, each construct turned to agree with the sample's.

    Raises
    ------
    CxError
        If there is no such construct or effect, a weight is negative, both or neither of
        `construct` and `target` are given, or the model has an interaction or a higher-order
        construct.
    """
    _check_pls(fit, construct, target, effects, standardised, negative)
    check_level(level)
    check_resamples(n_resamples, seed)
    kind = "weight" if construct is not None else {"total": "total", "direct": "path"}[effects]
    names, value = _pls_values(fit, construct, target, effects)
    # Of items on their own scale: the places of their standard deviations.
    items = None
    if construct is not None and not standardised:
        items = [fit.design.items.index(name) for name in names]
    raw = value if items is None else value * (1 / fit.sample.moments.sd[items])
    below = [
        f"{name} {number:.3f}" for name, number in zip(names, value, strict=True) if number < 0
    ]
    if (raw <= 0).all() or (below and negative == "refuse"):
        raise CxError(
            f"negative: {', '.join(below)}; a weight is 0 upwards. Leave it out of the model, or "
            "say negative='zero'"
        )
    replicates, n_failed, notes = np.empty((0, len(names))), 0, _set_to_zero(below)
    if fit.sample.frame is not None:
        lhs = str(construct if construct is not None else target)
        drawn = _pls_replicates(fit, kind, lhs, names, items, level, n_resamples, seed)
        drawn = np.maximum(drawn, 0) if below else drawn
        total = drawn.sum(axis=1)
        defined = np.isfinite(total) & (total > 0)
        replicates = drawn[defined] / total[defined, None]
        n_failed = int((~defined).sum())
    else:
        notes.append(both("weighting.note.moments"))
    notes += failed_resamples(n_failed, n_resamples, "weighting.note.failed")
    column = {"weight": "outer_weight", "total": "total_effect", "path": "path"}[kind]
    table = weight_table(
        names, closed(np.maximum(raw, 0)), "pls", fit.n, percentiles(replicates, level),
        replicates, **{column: value},
    )  # fmt: skip
    if construct is not None:
        basis = both(f"weighting.basis.items.{_scaling(standardised)}", construct=construct)
    else:
        basis = both(f"weighting.basis.{effects}", target=target)
    resamples = n_resamples if len(replicates) else 0
    return Weights(
        table, "pls", basis, fit.n, level, resamples, seed, fit.synthetic, (basis, *notes)
    )  # fmt: skip


def _check_pls(
    fit: PlsFit,
    construct: str | None,
    target: str | None,
    effects: str,
    standardised: bool,
    negative: str,
) -> None:
    """Raise if there is no fit, or options do not fit each other."""
    check_choice("effects", effects, EFFECTS)
    check_choice("negative", negative, NEGATIVE)
    if not hasattr(fit, "design"):
        raise CxError(f"method 'pls' needs a fit of cxstats.models.pls, not {type(fit).__name__!r}")
    fit.require_one_stage("weights")
    if (construct is None) == (target is None):
        raise CxError("give construct= (weights of its items) or target= (weights of constructs)")
    if target is not None and not standardised:
        raise CxError("effects on a target are standardised; for unstandardised ones see fit.ipma")
    fit.require_sound("weights")


def _pls_replicates(
    fit: PlsFit,
    kind: str,
    lhs: str,
    names: list[str],
    items: list[int] | None,
    level: float,
    n_resamples: int,
    seed: int,
) -> Array:
    """Return bootstrap replicates (B, k) of outer weights or effects, in the order of names."""
    boot = fit.bootstrap(n_resamples, seed, level=level, signs="construct")
    # A path is "target ~ cause", an item "construct =~ item" or "construct <~ item".
    place = {
        row.rhs: i for i, row in enumerate(boot.table.itertuples())
        if row.kind == kind and row.lhs == lhs
    }  # fmt: skip
    drawn = boot.replicates[:, [place[name] for name in names]]
    if items is None:
        return drawn
    # The same seed draws the same resamples, so each has its own standard deviations.
    cov = bootstrap_moments(fit.sample.matrix, n_resamples, seed).cov
    return np.asarray(drawn / np.sqrt(np.diagonal(cov, axis1=1, axis2=2)[:, items]), float)


def _pls_values(
    fit: PlsFit, construct: str | None, target: str | None, effects: str
) -> tuple[list[str], Array]:
    """Return names and values of outer weights or effects."""
    if construct is not None:
        check_choice("construct", construct, list(fit.design.constructs))
        rows = fit.weights[fit.weights["construct"] == construct]
        return rows["item"].tolist(), rows["weight"].to_numpy(float)
    rows = fit.effects if effects == "total" else fit.paths
    check_choice("target", target, list(dict.fromkeys(fit.paths["lhs"])))
    rows = rows[rows["lhs"] == target]
    values = rows["total" if effects == "total" else "estimate"]
    return rows["rhs"].tolist(), values.to_numpy(float)


def _covariances(
    data: Any, outcome: str, drivers: Sequence[str] | None, level: float, n_resamples: int,
    seed: int,
) -> Covariances:  # fmt: skip
    """Read drivers and outcome, and draw the replicates of their covariances."""
    check_level(level)
    check_resamples(n_resamples, seed)
    if isinstance(drivers, str):
        raise CxError(f"drivers is {drivers!r}; allowed: a list of columns")
    columns = data.names if isinstance(data, Moments) else map(str, getattr(data, "columns", ()))
    names = tuple(name for name in columns if name != outcome) if drivers is None else (*drivers,)
    if outcome in names:
        raise CxError(f"{outcome!r} is the outcome and a driver")
    if not names:
        raise CxError("no drivers: name at least one")
    used, p = [*names, outcome], len(names)
    sample = data.select(used) if isinstance(data, Moments) else moments(data, used)
    for name, variance in zip(used, np.diag(sample.cov), strict=True):
        if not variance > CONSTANT:
            raise DataError(f"column {name!r} is constant; it carries no weight")
    if sample.n < p + 3:
        raise DataError(f"{sample.n} complete cases; {p} drivers need at least {p + 3}")
    drawn = np.empty((0, p + 1, p + 1))
    if not isinstance(data, Moments):
        rows = read_rows(data, tuple(used))
        rows = rows[~np.isnan(rows).any(axis=1)]
        drawn = bootstrap_moments(rows, n_resamples, seed).cov
    synthetic = is_synthetic(data)
    return Covariances(names, sample.n, sample.dropped, sample.cov, drawn, synthetic)


def _weigh_drivers(
    sample: Covariances, method: str, basis: Text, shares: Callable[[Array], Array], level: float,
    n_resamples: int, seed: int, notes: list[Text], **more: Array,
) -> Weights:  # fmt: skip
    """Compute shares of the sample and, in batches, of its replicates."""
    replicates, p = np.empty((0, len(sample.names))), len(sample.names)
    resampled = len(sample.drawn) > 0
    if resampled:
        # A resample in which a variable is constant, or drivers coincide, has no coefficients.
        with np.errstate(invalid="ignore", divide="ignore"):
            least = np.linalg.eigvalsh(np.nan_to_num(correlations(sample.drawn)[:, :-1, :-1]))
        regular = sample.drawn[least[:, 0] > SINGULAR]
        step = max(1, HELD // 2**p) if method == "shapley" else max(1, len(regular))
        with quiet_linear_algebra():
            chunks = [shares(regular[a:b]) for a, b in tracked(len(regular), step)]
        values = np.concatenate(chunks) if chunks else replicates
        replicates = values[np.isfinite(values).all(axis=1)]
    n_failed = len(sample.drawn) - len(replicates)
    table = weight_table(
        sample.names, shares(sample.cov), method, sample.n, percentiles(replicates, level),
        replicates, **more,
    )  # fmt: skip
    every_note = (
        basis,
        *notes,
        *([] if resampled else [both("weighting.note.moments")]),
        *missing_answers(sample.n_dropped),
        *failed_resamples(n_failed, n_resamples, "weighting.note.failed"),
        *(few_resamples(n_resamples) if resampled else []),
    )
    resamples = n_resamples if len(replicates) else 0
    return Weights(
        table, method, basis, sample.n, level, resamples, seed, sample.synthetic, every_note
    )
