"""Scores of respondents: dimensions, weights, the zone of tolerance, reliability of differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import row_name
from cxstats.stats.bootstrap import bca
from cxstats.stats.coefficients import cronbach_alpha
from cxstats.stats.hypothesis_tests import adjust, mean_tests
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
    names = list(codebook.constructs)
    if weights is not None and hasattr(weights, "to_dict"):  # a pandas Series
        weights = weights.to_dict()
    if weights is None:
        return np.full((len(frame), len(names)), 1 / len(names)), "equal"
    if isinstance(weights, str) and weights == "points":
        return _points(frame, codebook), "points"
    if not isinstance(weights, Mapping):
        raise CxError(f"weights={weights!r}; allowed: None, 'points', or a mapping")
    fixed = check_weights(weights, names)
    return np.tile([fixed[name] for name in names], (len(frame), 1)), "fixed"


def _points(frame: pd.DataFrame, codebook: Codebook) -> Array:
    if not codebook.point_columns:
        raise DataError("weights='points': the codebook declares no 'importance' columns")
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
    import pandas as pd

    book = scored.codebook
    sampled = rows if rows is not None else SampledRows.plain(len(scored.frame))
    coefficients, sizes = {}, []
    for name, items in {**book.constructs, OVERALL: book.items}.items():
        places = scored.places(items)
        p, e = (scored.roles[role][:, places] for role in ("perception", "expectation"))
        complete = ~np.isnan(p).any(axis=1)
        sizes.append(int(complete.sum()))
        weights = sampled.weights[complete]
        coefficients[name] = _reliability_of_difference(p[complete], e[complete], weights)
    table = pd.DataFrame(coefficients, index=["reliability", "alpha_gap", "error"]).T
    overall = scored.with_overall(scored.measure, shares)[:, -1]
    has = ~np.isnan(overall)
    squares = sampled.mean(shares**2)
    errors = table["error"].to_numpy()[:-1]
    error = (squares * np.where(squares > 0, errors, 0)).sum()
    enough = has.sum() > 2
    variance = _covariances(overall[has, None], sampled.weights[has]).item() if enough else 0.0
    table.loc[OVERALL, "reliability"] = 1 - error / variance if variance > 0 else np.nan
    return table[["reliability", "alpha_gap"]].assign(n_reliability=sizes)


def _covariances(values: Array, weights: Array) -> Array:
    """Return covariances (k, k) with the divisor n - 1, each row counted `weights` times."""
    share = weights / weights.sum()
    centred = values - share @ values
    n = len(values)
    return np.asarray((centred * share[:, None]).T @ centred * n / (n - 1))


def _reliability_of_difference(p: Array, e: Array, weights: Array) -> tuple[float, float, float]:
    """Return r_D, alpha of the item gaps, and the error variance of the gap."""
    n, k = p.shape
    if n < 3 or k < 2:
        return float("nan"), float("nan"), float("nan")
    alpha_p, alpha_e, alpha_gap = (cronbach_alpha(_covariances(x, weights)) for x in (p, e, p - e))
    if not np.isfinite([alpha_p, alpha_e]).all():  # a sum without variance has no alpha
        return float("nan"), float(alpha_gap), float("nan")
    cov = _covariances(np.column_stack([p.mean(axis=1), e.mean(axis=1)]), weights)
    error = cov[0, 0] * (1 - alpha_p) + cov[1, 1] * (1 - alpha_e)
    variance = cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]
    r = float(1 - error / variance) if variance > 0 else float("nan")
    return r, float(alpha_gap), float(error)


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
    import pandas as pd

    book = scored.codebook
    if not {"minimum", "expectation"} <= set(book.roles):
        return None
    roles = answered_in_all(scored.frame, book, ("minimum", "expectation", "perception"))
    low, high, p = (scored.with_overall(values, shares) for values in roles.values())
    columns = {"minimum": low, "expectation": high, "perception": p}
    table = {name: options.mean(values) for name, values in columns.items()}
    for name, values in (("adequacy", p - low), ("superiority", p - high)):
        tests = mean_tests(values, options)
        table |= {
            name: tests.mean,
            f"{name}_ci_low": tests.ci_low,
            f"{name}_ci_high": tests.ci_high,
            f"{name}_p_value": tests.p_value,
            f"{name}_p_adjusted": np.append(adjust(tests.p_value[:-1]), tests.p_value[-1]),
            f"{name}_p_wilcoxon": tests.p_wilcoxon,
            f"{name}_effect_size": tests.effect_size,
        }
    position, ci_low, ci_high = _ratio(p - low, high - low, options)
    table |= {"position": position, "position_ci_low": ci_low, "position_ci_high": ci_high}
    table["n"] = (~np.isnan(p)).sum(axis=0)
    return pd.DataFrame(table, index=pd.Index([*book.constructs, OVERALL], name="score"))


def _ratio(above: Array, width: Array, options: MeanOptions) -> tuple[Array, Array, Array]:
    """Return ratios of column means with intervals; NaN where the zone has no width."""
    a, w = options.mean(above), options.mean(width)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(w > 0, a / w, np.nan)
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
