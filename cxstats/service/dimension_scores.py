"""Scores of respondents: dimensions, weights, the zone of tolerance, reliability of differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.column_sums import ROUNDING
from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import row_name
from cxstats.stats.bootstrap import bca
from cxstats.stats.coefficients import alpha_of_variances
from cxstats.stats.hypothesis_tests import MeanTests, adjust, mean_tests
from cxstats.stats.intervals import fieller_interval
from cxstats.stats.large_samples import resampled_means
from cxstats.stats.means import MeanOptions, Means
from cxstats.stats.sampling_design import SampledRows
from cxstats.stats.weights import POINTS, check_weights
from cxstats.survey.answers import answers, numbers
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

OVERALL = "Overall"
ZONE = ("minimum", "expectation", "perception")
# Points come as whole numbers or with a decimal; half a point is a slip, not a weight.
HALF_A_POINT = 0.5


@dataclass(frozen=True, eq=False)
class Scores:
    """The measure of every respondent and item, and the roles it was made from.

    Attributes
    ----------
    frame : pandas.DataFrame
    codebook : Codebook
    measure : array (n, items)
        Gaps or perceptions, NaN where an answer is missing.
    roles : mapping of str to array (n, items)
        The answers behind the measure, over the same cells.
    """

    frame: pd.DataFrame
    codebook: Codebook
    measure: Array
    roles: Mapping[str, Array]

    def places(self, items: Sequence[str]) -> list[int]:
        """Return the columns of items."""
        return [self.codebook.items.index(item) for item in items]

    def by_dimension(self, values: Array) -> Array:
        """Return the mean of the answered items of each dimension (n, dimensions)."""
        blocks = [self.places(items) for items in self.codebook.constructs.values()]
        return np.column_stack([row_means(values[:, block]) for block in blocks])

    def with_overall(self, values: Array, shares: Array) -> Array:
        """Return the dimensions and their weighted sum (n, dimensions + 1)."""
        dimensions = self.by_dimension(values)
        return np.column_stack([dimensions, (dimensions * shares).sum(axis=1)])


def row_means(values: Array) -> Array:
    """Return the mean of what is there in each row; NaN where nothing is."""
    n = (~np.isnan(values)).sum(axis=1)
    return np.where(n > 0, np.nansum(values, axis=1) / np.maximum(n, 1), np.nan)


def column_means(values: Array) -> Array:
    """Return the mean of what is there in each column; NaN where nothing is."""
    return row_means(values.T)


def answered_in_all(
    frame: pd.DataFrame, codebook: Codebook, roles: Sequence[str]
) -> dict[str, Array]:
    """Return the answers in several roles, each NaN where any of them is missing."""
    by_role = {role: answers(frame, codebook, role) for role in roles}
    missing = np.isnan(np.stack(list(by_role.values()))).any(axis=0)
    return {role: np.where(missing, np.nan, values) for role, values in by_role.items()}


def respondent_weights(
    frame: pd.DataFrame, codebook: Codebook, weights: str | Mapping[str, float] | None
) -> tuple[Array, str]:
    """Return the weights of each respondent's dimensions (n, dimensions), rows summing to 1.

    Parameters
    ----------
    frame : pandas.DataFrame
    codebook : Codebook
    weights : None, "points" or mapping of dimension to weight
        Equal weights; the respondent's own 100 points (NaN where they are missing); fixed
        weights that sum to 1 or to 100.

    Returns
    -------
    shares : array (n, dimensions)
    scheme : str
        "equal", "points" or "fixed".

    Raises
    ------
    CxError
        If a weight is negative, missing, of an unknown dimension, or they do not sum up.
    DataError
        If points are asked for and not declared, or a respondent's do not sum to 100.
    """
    shares, scheme = fixed_shares(codebook, weights)
    if shares is None:
        return _points(frame, codebook), scheme
    return np.tile(shares, (len(frame), 1)), scheme


def fixed_shares(
    codebook: Codebook, weights: str | Mapping[str, float] | None
) -> tuple[Array | None, str]:
    """Return weights that are the same for all (dimensions,), and what they are called.

    None for points; otherwise as `respondent_weights`.
    """
    names = list(codebook.constructs)
    if weights is not None and hasattr(weights, "to_dict"):  # a pandas Series
        weights = weights.to_dict()
    if weights is None:
        return np.full(len(names), 1 / len(names)), "equal"
    if isinstance(weights, str) and weights == "points":
        if not codebook.point_columns:
            raise DataError("weights='points': the codebook declares no 'importance' columns")
        return None, "points"
    if not isinstance(weights, Mapping):
        raise CxError(f"weights={weights!r}; allowed: None, 'points', or a mapping")
    fixed = check_weights(weights, names)
    return np.array([fixed[name] for name in names]), "fixed"


def _points(frame: pd.DataFrame, codebook: Codebook) -> Array:
    points = np.column_stack([numbers(frame, name) for name in codebook.point_columns])
    points[np.isnan(points).any(axis=1)] = np.nan
    sums = points.sum(axis=1)
    _check_points(frame, points, sums)
    shares: Array = points / sums[:, None]
    return shares


def _check_points(frame: pd.DataFrame, points: Array, sums: Array) -> None:
    negative = np.flatnonzero((points < 0).any(axis=1))
    if len(negative):
        row = row_name(frame.index, negative[0])
        raise DataError(f"{row}: points below 0; allowed: 0 to 100")
    off = np.flatnonzero(np.abs(sums - POINTS) > HALF_A_POINT)
    if len(off):
        raise DataError(
            f"{row_name(frame.index, off[0])}: the points sum to {sums[off[0]]:g}; allowed: 100 "
            f"({len(off)} respondents; see cxstats.check)"
        )
    if np.isnan(sums).all():
        raise DataError("weights='points': no respondent gave points")


def difference_reliability(
    scored: Scores, shares: Array, rows: SampledRows | None = None
) -> pd.DataFrame:
    """Return the reliability of the difference score by dimension and overall.

    ``r_D = (s_P^2 r_PP + s_E^2 r_EE - 2 r_PE s_P s_E) / (s_P^2 + s_E^2 - 2 r_PE s_P s_E)``, from
    respondents who answered every item; NaN for a dimension with one item. The numerator is the
    spread of the gap less its error variance, so that of the overall score is
    ``1 - sum_k mean(w_k^2) error_k / var(sum_k w_k g_k)``, errors being independent of weights.
    Under a design moments are weighted: a weight of 2 counts as two respondents.

    Returns
    -------
    pandas.DataFrame
        Columns ``reliability`` (r_D), ``alpha_gap`` (alpha of the item gaps) and
        ``n_reliability``, the respondents behind them.

    References
    ----------
    Lord (1963); Peter, Churchill & Brown (1993), equation 1.
    """
    book = scored.codebook
    sampled = rows if rows is not None else SampledRows.plain(len(scored.frame))
    dimensions = []
    for items in (*book.constructs.values(), book.items):
        places = scored.places(items)
        p, e = (scored.roles[role][:, places] for role in ("perception", "expectation"))
        complete = ~np.isnan(p).any(axis=1)
        p, e, weights = p[complete], e[complete], sampled.weights[complete]
        dimensions.append(DifferenceVariances.of(p, e, weights))
    overall = scored.with_overall(scored.measure, shares)[:, -1]
    has = ~np.isnan(overall)
    enough = has.sum() > 2
    variance = _covariances(overall[has, None], sampled.weights[has]).item() if enough else 0.0
    return reliability_table(book, dimensions, sampled.mean(shares**2), variance)


@dataclass(frozen=True, slots=True, eq=False)
class DifferenceVariances:
    """Variances of the items of a dimension, and of their sum, for P, E and P - E in this order.

    Attributes
    ----------
    n : int
        Respondents who answered every item.
    items : array (3, k)
    totals : array (3,)
    """

    n: int
    items: Array
    totals: Array

    @classmethod
    def of(cls, p: Array, e: Array, weights: Array) -> DifferenceVariances:
        """Compute them from complete answers (n, k)."""
        n, k = p.shape
        if n < 2:
            return cls(n, np.full((3, k), np.nan), np.full(3, np.nan))
        kinds = (p, e, p - e)
        covariances = [_covariances(x, weights) for x in kinds]
        items = np.array([np.diag(cov) for cov in covariances])
        totals = np.array([cov.sum() for cov in covariances])
        # Of scores that are the same for all, what is left of a variance is rounding.
        squares = np.array([(x**2).mean(axis=0) for x in kinds])
        of_totals = np.array([(x.sum(axis=1) ** 2).mean() for x in kinds])
        return cls(
            n,
            np.where(items > ROUNDING * squares, items, 0.0),
            np.where(totals > ROUNDING * of_totals, totals, 0.0),
        )

    def coefficients(self) -> tuple[float, float, float]:
        """Return r_D, alpha of the item gaps, and the error variance of the gap."""
        k, none = self.items.shape[1], float("nan")
        if self.n < 3 or k < 2:
            return none, none, none
        alphas = alpha_of_variances(self.items, self.totals)
        if not np.isfinite(alphas[:2]).all():  # a sum without variance has no alpha
            return none, float(alphas[2]), none
        of_means = self.totals / k**2
        error = float(of_means[:2] @ (1 - alphas[:2]))
        r = 1 - error / of_means[2] if of_means[2] > 0 else none
        return float(r), float(alphas[2]), error


def reliability_table(
    book: Codebook, dimensions: Sequence[DifferenceVariances], squares: Array, variance: float
) -> pd.DataFrame:
    """Return the table of `difference_reliability`.

    Parameters
    ----------
    book : Codebook
    dimensions : sequence of DifferenceVariances
        Of each dimension, then of all items.
    squares : array (dimensions,)
        Means of squared weights.
    variance : float
        Of the overall gap; 0 where there is none.
    """
    import pandas as pd

    names = [*book.constructs, OVERALL]
    table = pd.DataFrame(
        [part.coefficients() for part in dimensions], names, ["reliability", "alpha_gap", "error"]
    )
    errors = table["error"].to_numpy()[:-1]
    error = (squares * np.where(squares > 0, errors, 0)).sum()
    table.loc[OVERALL, "reliability"] = 1 - error / variance if variance > 0 else np.nan
    sizes = [part.n for part in dimensions]
    return table[["reliability", "alpha_gap"]].assign(n_reliability=sizes)


def _covariances(values: Array, weights: Array) -> Array:
    """Return covariances (k, k) with the divisor n - 1, each row counted `weights` times."""
    share = weights / weights.sum()
    centred = values - share @ values
    n = len(values)
    return np.asarray((centred * share[:, None]).T @ centred * n / (n - 1))


def zone_of_tolerance(scored: Scores, shares: Array, options: MeanOptions) -> pd.DataFrame | None:
    """Return adequacy ``P - minimum``, superiority ``P - E`` and the position in the zone.

    Position ``(P - minimum) / (E - minimum)``, of means: 0 at the minimum, 1 at the expectation.
    Answers count where all three were given. Intervals are those of the paired t tests, unless
    others are asked for; that of the position, a ratio, is Fieller's (with "bca" the bootstrap's)
    and NaN where the zone itself may have no width. P values are adjusted over the dimensions by
    Holm.

    Returns
    -------
    pandas.DataFrame or None
        None where the questionnaire asks for no minimum or no expectation.
    """
    book = scored.codebook
    if not {"minimum", "expectation"} <= set(book.roles):
        return None
    roles = answered_in_all(scored.frame, book, ZONE)
    scores = {role: scored.with_overall(values, shares) for role, values in roles.items()}
    low, high, p = (scores[role] for role in ZONE)
    return zone_table(
        book,
        {role: options.mean(values) for role, values in scores.items()},
        {"adequacy": mean_tests(p - low, options), "superiority": mean_tests(p - high, options)},
        _ratio(p - low, high - low, options),
    )


def zone_table(
    book: Codebook,
    means: Mapping[str, Array],
    tests: Mapping[str, MeanTests],
    position: tuple[Array, Array, Array],
) -> pd.DataFrame:
    """Return the table of `zone_of_tolerance`.

    Parameters
    ----------
    book : Codebook
    means : mapping of role to array (k,)
    tests : mapping
        Of adequacy and superiority.
    position : arrays (k,)
        The position in the zone, and both ends of its interval.
    """
    import pandas as pd

    table = {role: means[role] for role in ZONE}
    for name in ("adequacy", "superiority"):
        test = tests[name]
        table |= {
            name: test.mean,
            f"{name}_ci_low": test.ci_low,
            f"{name}_ci_high": test.ci_high,
            f"{name}_p_value": test.p_value,
            f"{name}_p_adjusted": np.append(adjust(test.p_value[:-1]), test.p_value[-1]),
            f"{name}_p_wilcoxon": test.p_wilcoxon,
            f"{name}_effect_size": test.effect_size,
        }
    names = ("position", "position_ci_low", "position_ci_high")
    table |= dict(zip(names, position, strict=True))
    table["n"] = tests["adequacy"].n.astype(int)
    return pd.DataFrame(table, index=pd.Index([*book.constructs, OVERALL], name="score"))


def _ratio(above: Array, width: Array, options: MeanOptions) -> tuple[Array, Array, Array]:
    """Return ratios of column means with intervals; NaN where the zone has no width."""
    a, w = options.mean(above), options.mean(width)
    ratio = position(a, w)
    if options.interval == "bca":
        return ratio, *_bca_of_ratio(above, width, ratio, options)
    both = Means.of(np.column_stack([above, width]), options)
    k = above.shape[1]
    top, bottom = both.influence[:, :k], both.influence[:, k:]
    if options.rows is None:
        n = both.n[:k]
        with np.errstate(invalid="ignore", divide="ignore"):
            aa, ab, bb = (
                (x * y).sum(axis=0) * n / (n - 1)
                for x, y in ((top, top), (top, bottom), (bottom, bottom))
            )
    else:
        aa, total, bb = (options.rows.variances(x) for x in (top, top + bottom, bottom))
        ab = (total - aa - bb) / 2
    covariances = np.stack([aa, ab, bb])
    return ratio, *fieller_interval(a, w, covariances, both.df[:k], options.level)


def position(above: Array, width: Array) -> Array:
    """Return the position in the zone from mean distances; NaN where it has no width."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(width > 0, above / width, np.nan)


def _bca_of_ratio(
    above: Array, width: Array, ratio: Array, options: MeanOptions
) -> tuple[Array, Array]:
    k = above.shape[1]
    terms = np.column_stack([above, width])
    replicates = resampled_means(terms, options.n_resamples, options.seed)
    a, w = column_means(above), column_means(width)
    with np.errstate(invalid="ignore", divide="ignore"):
        n = (~np.isnan(above)).sum(axis=0)
        influence = np.nan_to_num((above - a - ratio * (width - w)) / (n * w))
        low, high = bca(replicates[:, :k] / replicates[:, k:], ratio, influence, options.level)
    # A zone whose width may be none, or negative, has no position to speak of.
    has_width = (replicates[:, k:] > 0).all(axis=0)
    return np.where(has_width, low, np.nan), np.where(has_width, high, np.nan)
