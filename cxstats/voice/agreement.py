"""How far raters agree on classes: raw agreement, kappa, Krippendorff's alpha."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.cells import check_group_values
from cxstats.core.engines import as_pandas, is_synthetic
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, label, note_if
from cxstats.core.messages import excerpt, listing, no_column, row_name
from cxstats.core.moments import check_resamples, resampling_counts
from cxstats.core.result import Chart, Result
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level, normal_quantile, proportion_interval

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

KINDS = ("cohen", "fleiss", "krippendorff")
WEIGHTS = ("linear", "quadratic")
SCALES = ("nominal", "ordinal", "interval")
MOST = 200  # classes
SPARE = 0.8  # share of the commonest class, and raw agreement, from which kappa says little
FEW = 50  # items
REFERENCES = {
    "cohen": "Cohen (1960). A coefficient of agreement for nominal scales. Educational and "
    "Psychological Measurement 20, 37-46.\nFleiss, Cohen & Everitt (1969). Large sample standard "
    "errors of kappa and weighted kappa. Psychological Bulletin 72, 323-327.",
    "fleiss": "Fleiss (1971). Measuring nominal scale agreement among many raters. Psychological "
    "Bulletin 76, 378-382.",
    "krippendorff": "Krippendorff (2011). Computing Krippendorff's alpha-reliability. University "
    "of Pennsylvania.",
}


@dataclass(frozen=True, eq=False, repr=False)
class Agreement(Result):
    """How far raters agree.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per statistic: ``statistic`` ("raw": share of the pairs of ratings of an item that
        agree; "kappa" or "alpha"; "category": agreement on one class), ``category`` (of the last),
        ``estimate, se, ci_low, ci_high, n`` (items; of a class, the pairs that have it).
    classes : pandas.DataFrame
        ``category, n, share`` of all ratings.
    kind, weights, scale
        As in `agreement`.
    n, n_raters, n_left_out : int
        Items used, raters, items left out since too few rated them.
    level : float
    n_resamples, seed : int
        Of the bootstrap; 0 resamples where there is none.
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    classes: pd.DataFrame
    kind: str
    weights: str | None
    scale: str
    n: int
    n_raters: int
    n_left_out: int
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("coefficients",)
    codes: ClassVar = {"statistic": "agreement.statistic.{}"}

    @property
    def reference(self) -> str:  # type: ignore[override]
        """Where the coefficient was published."""
        return REFERENCES[self.kind]

    @property
    def coefficient(self) -> pd.Series[Any]:
        """The row of kappa or alpha."""
        return self.table.iloc[1]

    def _name(self, row: Any, lang: str) -> str:
        if row["statistic"] == "category":
            return label("agreement.category", lang, category=row["category"])
        if row["statistic"] == "raw":
            return label("agreement.statistic.raw", lang)
        how = self.weights or (self.scale if self.kind == "krippendorff" else "nominal")
        how = label(f"agreement.scale.{how}", lang)
        return label("agreement.coefficient", lang, how=how,
                     name=label(f"agreement.kind.{self.kind}", lang))  # fmt: skip

    def findings(self, lang: str) -> list[str]:
        """Return every statistic with its interval."""
        lines = [
            label(
                "agreement.head", lang, n=format_number(self.n), raters=self.n_raters,
                level=format_percent(100 * self.level, None, lang),
            )
        ]  # fmt: skip
        for _, row in self.table.iterrows():
            lines.append(
                "  " + label(
                    "agreement.row", lang, name=self._name(row, lang),
                    value=format_number(row["estimate"], 3),
                    interval=interval(row["ci_low"], row["ci_high"], 3),
                )
            )  # fmt: skip
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return every statistic with its interval."""
        rows = self.table[self.table["estimate"].notna()]
        row = self.coefficient
        name = self._name(row, lang)
        return Chart(
            "intervals",
            (
                [self._name(row, lang) for _, row in rows.iterrows()],
                *(rows[column] for column in ("estimate", "ci_low", "ci_high")),
            ),
            {
                "title": label(
                    "agreement.title", lang, name=name, value=format_number(row["estimate"], 2),
                    interval=interval(row["ci_low"], row["ci_high"], 2),
                ),
                "axis": label("agreement.axis", lang),
                "source": label("agreement.source", lang, n=format_number(self.n)),
                "level": self.level,
                "synthetic": self.synthetic,
            },
        )  # fmt: skip


def agreement(  # noqa: PLR0913  (options of a public function)
    ratings: Any,
    raters: Sequence[str] | None = None,
    *,
    kind: str = "cohen",
    weights: str | None = None,
    scale: str = "nominal",
    order: Sequence[Any] | None = None,
    level: float = 0.95,
    n_resamples: int = 2_000,
    seed: int = 1,
) -> Agreement:
    """Estimate how far raters agree on the classes of items, beyond chance.

    - ``"cohen"``: ``kappa = (p - e) / (1 - e)`` of two raters, p the (weighted) share of items on
      which they agree and e that expected from how often each uses each class; the interval is the
      normal one with the error of Fleiss, Cohen and Everitt.
    - ``"fleiss"``: the same for several raters of every item, e from the classes of all raters.
    - ``"krippendorff"``: ``alpha = 1 - D / E``, D the mean difference of two ratings of an item and
      E that of any two; items may lack ratings.

    Intervals of the latter two, and of raw agreement, are percentiles of a bootstrap of items
    (Wilson's for raw agreement of two raters). Agreement on a class is the share of its ratings of
    which another rater of the item says the same, ``2 n_jj / (n_j. + n_.j)`` for two raters.

    Parameters
    ----------
    ratings : pandas, Polars, PyArrow table or DuckDB relation
        One row per item, one column per rater.
    raters : sequence of str, optional
        The columns; all of them without it.
    kind : {"cohen", "fleiss", "krippendorff"}
    weights : {None, "linear", "quadratic"}
        Of Cohen's kappa: how near classes count as partly agreeing, by their places in the order.
    scale : {"nominal", "ordinal", "interval"}
        Of Krippendorff's alpha: what a difference is; "interval" needs numbers.
    order : sequence, optional
        The classes from low to high, where they are texts and their order counts. The order of a
        pandas categorical is taken; numbers are in their own.
    level, n_resamples, seed
        Of the intervals.

    Returns
    -------
    Agreement

    Raises
    ------
    CxError, DataError
        If a column is missing, an option does not fit, fewer than two items have two ratings, all
        ratings are one class (agreement beyond chance is not defined then), or the order of texts
        is needed and unknown.

    Notes
    -----
    Kappa and alpha depend on how frequent the classes are: where nearly all items are of one
    class, they are low at high raw agreement (a note says so), so do not compare them between
    registers with different classes. High agreement does not mean that the raters are right.

    Coverage of 95 % intervals in simulations (1,000 tables a cell, two raters, four classes with
    shares .4, .3, .2, .1, true kappa .7): 94 % with 50 and with 200 items for Cohen's kappa; 95 %
    and 94 % for Krippendorff's alpha.

    References
    ----------
    Cohen (1960); Fleiss, Cohen & Everitt (1969); Fleiss (1971); Krippendorff (2011): see `cite`.
    Feinstein & Cicchetti (1990). High agreement but low kappa: I. The problems of two paradoxes.
    Journal of Clinical Epidemiology 43, 543-549.
    Zapf, Castell, Morawietz & Karch (2016). Measuring inter-rater reliability for nominal data.
    BMC Medical Research Methodology 16, 93 (bootstrap of items).

    Examples
    --------
    >>> import pandas as pd
    >>> ratings = pd.DataFrame({"first": list("aabbcc"), "second": list("aabbca")})
    >>> agreement(ratings).table["estimate"].round(3).tolist()[:2]
    [0.833, 0.75]
    """
    import pandas as pd

    check_level(level)
    check_resamples(n_resamples, seed)
    _check_options(kind, weights, scale)
    synthetic = is_synthetic(ratings)
    frame = _rater_columns(ratings, raters, kind)
    ordered = weights is not None or scale != "nominal"
    codes, categories = _codes(frame, order, ordered)
    values = _values(categories, scale)
    complete = (codes >= 0).sum(axis=1) >= (2 if kind == "krippendorff" else codes.shape[1])
    codes, n_left_out = codes[complete], int((~complete).sum())
    if len(codes) < 2:
        raise DataError(
            f"{len(codes)} items with {'two' if kind == 'krippendorff' else 'all'} ratings; "
            "allowed: 2 or more"
        )
    counts = np.stack([(codes == j).sum(axis=1) for j in range(len(categories))], axis=1)
    totals = counts.sum(axis=0)
    if (totals > 0).sum() < 2:
        raise DataError(
            f"all ratings are {excerpt(categories[int(totals.argmax())])}: agreement beyond chance "
            "is not defined; allowed: 2 classes or more"
        )
    rows = [_raw(counts, level, n_resamples, seed)]
    if kind == "cohen":
        rows.append(_cohen(codes, values, weights, level))
    else:
        statistic = _fleiss if kind == "fleiss" else _alpha(values, scale)
        rows.append(
            {
                "statistic": "kappa" if kind == "fleiss" else "alpha",
                **_bootstrapped(counts, statistic, level, n_resamples, seed),
            }
        )
    rows += _by_category(counts, categories, level, n_resamples, seed)
    table = pd.DataFrame(rows)[
        ["statistic", "category", "estimate", "se", "ci_low", "ci_high", "n"]
    ]
    share = totals / totals.sum()
    notes = [
        *note_if(n_left_out > 0, "agreement.note.left_out", n=format_number(n_left_out)),
        *note_if(
            bool(share.max() > SPARE and rows[0]["estimate"] > SPARE), "agreement.note.prevalence",
            category=str(categories[int(share.argmax())]),
        ),
        *note_if(len(codes) < FEW, "agreement.note.few", least=FEW),
    ]  # fmt: skip
    return Agreement(
        table=table,
        classes=pd.DataFrame(
            {"category": [str(name) for name in categories], "n": totals, "share": share}
        ),
        kind=kind,
        weights=weights,
        scale=scale,
        n=len(codes),
        n_raters=codes.shape[1],
        n_left_out=n_left_out,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=synthetic,
        notes=tuple(notes),
    )


def _check_options(kind: Any, weights: Any, scale: Any) -> None:
    for name, value, allowed in (
        ("kind", kind, KINDS), ("weights", weights, (None, *WEIGHTS)), ("scale", scale, SCALES)
    ):  # fmt: skip
        if value not in allowed:
            raise CxError(f"{name}={excerpt(value)}; allowed: {', '.join(map(repr, allowed))}")
    if weights is not None and kind != "cohen":
        raise CxError(f"weights={weights!r} is for kind='cohen'; kind is {kind!r}")
    if scale != "nominal" and kind != "krippendorff":
        raise CxError(f"scale={scale!r} is for kind='krippendorff'; kind is {kind!r}")


def _rater_columns(ratings: Any, raters: Any, kind: str) -> pd.DataFrame:
    """Return the columns of the raters."""
    frame = as_pandas(ratings)
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    names = list(frame.columns) if raters is None else [raters] if isinstance(raters, str) else [
        str(name) for name in raters
    ]  # fmt: skip
    for name in names:
        if name not in frame.columns:
            raise DataError(no_column(name, frame.columns, " (a rater)"))
        if list(frame.columns).count(name) > 1 or names.count(name) > 1:
            raise DataError(f"column {name!r} stands twice; allowed: one column a rater")
    if len(names) < 2 or (kind == "cohen" and len(names) != 2):
        wanted = "exactly 2" if kind == "cohen" else "2 or more"
        raise CxError(
            f"{len(names)} raters ({listing(names)}); allowed: {wanted}: name their columns, "
            "raters=[...]" + ("; several raters: kind='fleiss'" if kind == "cohen" else "")
        )
    for name in names:
        check_group_values(frame[name], name)
    return frame[names]


def _codes(
    frame: pd.DataFrame, order: Sequence[Any] | None, ordered: bool
) -> tuple[NDArray[np.intp], list[Any]]:
    """Return the class of every rating (items, raters), -1 where missing, and the classes."""
    import pandas as pd

    columns = [_plain(frame[name]) for name in frame]
    stacked = pd.concat(columns, ignore_index=True)
    values = list(pd.unique(stacked.dropna()))
    kinds = {isinstance(value, str) for value in values}
    if len(kinds) > 1:
        odd = next(value for value in values if not isinstance(value, str))
        raise DataError(
            f"raters write texts and numbers, such as {excerpt(odd)}; allowed: one kind"
        )
    dtype = frame.dtypes.iloc[0]
    if order is not None:
        if not isinstance(order, (list, tuple)) or not all(
            isinstance(value, (str, int, float)) for value in order
        ):
            raise CxError(f"order={excerpt(order)}; allowed: a list of the classes, low to high")
        categories = list(order)
        _check_in_order(frame, columns, categories)
    elif isinstance(dtype, pd.CategoricalDtype) and dtype.ordered and (frame.dtypes == dtype).all():
        categories = list(dtype.categories)
    elif ordered and kinds == {True}:
        raise CxError(
            f"the classes are texts: {listing(sorted(values))}; say their order, from low to high: "
            "order=[...]"
        )
    else:
        try:
            categories = sorted(values)
        except TypeError as error:
            raise DataError(
                f"classes of several kinds, such as {excerpt(values[0])} and "
                f"{excerpt(values[-1])}; allowed: one kind"
            ) from error
    if len(categories) > MOST:
        raise DataError(f"{len(categories)} classes; allowed: up to {MOST}")
    places = {value: i for i, value in enumerate(categories)}
    codes = stacked.map(places).fillna(-1).to_numpy(float).astype(np.intp)
    return codes.reshape(len(columns), -1).T, categories


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return ratings as objects; texts without spaces at their ends, blanks as missing."""
    import pandas as pd

    def value(cell: Any) -> Any:
        if cell is None or (pd.api.types.is_scalar(cell) and pd.isna(cell)):
            return None
        if isinstance(cell, str):
            return cell.strip() or None
        cell = cell.item() if isinstance(cell, np.generic) else cell
        if isinstance(cell, float) and not np.isfinite(cell):
            raise DataError(f"column {column.name!r}: {cell}; allowed: finite numbers, or texts")
        return cell

    return pd.Series([value(cell) for cell in column], dtype=object)


def _check_in_order(
    frame: pd.DataFrame, columns: list[pd.Series[Any]], categories: list[Any]
) -> None:
    """Raise if a class is not in the order, or stands in it twice."""
    if len(set(categories)) < len(categories):
        raise CxError(f"order={excerpt(categories)}; allowed: each class once")
    for name, column in zip(frame.columns, columns, strict=True):
        odd = np.flatnonzero((column.notna() & ~column.isin(categories)).to_numpy())
        if len(odd):
            raise DataError(
                f"{row_name(frame.index, odd[0])}, column {name!r}: {excerpt(column.iloc[odd[0]])}"
                f"; allowed, by order=: {listing(categories)}"
            )


def _values(categories: list[Any], scale: str) -> Array:
    """Return the numbers of the classes: their own on an interval scale, else their places."""
    if scale != "interval":
        return np.arange(len(categories), dtype=float)
    if not all(isinstance(value, (int, float)) for value in categories):
        raise CxError(f"scale='interval' needs numbers; the classes are {listing(categories)}")
    return np.array(categories, float)


def _raw(counts: NDArray[np.int64], level: float, n_resamples: int, seed: int) -> dict[str, Any]:
    """Return the share of pairs of ratings of an item that agree."""
    sizes = counts.sum(axis=1)
    if (sizes == 2).all():
        share = float((counts == 2).any(axis=1).mean())
        low, high = proportion_interval(share, len(counts), level=level)
        row = {
            "estimate": share, "se": np.sqrt(share * (1 - share) / len(counts)),
            "ci_low": float(low), "ci_high": float(high), "n": len(counts),
        }  # fmt: skip
    else:
        row = _bootstrapped(counts, _raw_share, level, n_resamples, seed)
    return {"statistic": "raw", "category": "", **row}


def _raw_share(weights: Array, counts: Array) -> Array:
    """Return the mean share of agreeing pairs of an item (b,), each rating counting alike."""
    sizes = counts.sum(axis=1)
    agreeing = (counts * (counts - 1)).sum(axis=1) / (sizes - 1)
    return np.asarray((weights @ agreeing) / (weights @ sizes))


def _bootstrapped(
    counts: NDArray[np.int64],
    statistic: Callable[[Array, Array], Array],
    level: float,
    n_resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Return a statistic of items with the percentile limits of a bootstrap of the items."""
    values = counts.astype(float)
    n = len(values)
    estimate = float(statistic(np.ones((1, n)), values)[0])
    replicates = np.concatenate(
        [statistic(weights, values) for _, weights in resampling_counts(n, n_resamples, seed)]
    )
    low, high = percentile_limits(replicates, level)
    finite = replicates[np.isfinite(replicates)]
    se = float(finite.std(ddof=1)) if len(finite) > 1 else np.nan
    if not len(finite) or np.ptp(finite) == 0:  # full agreement is no proof of no error
        se = low = high = np.nan
    return {
        "category": "", "estimate": estimate, "se": se, "ci_low": float(low),
        "ci_high": float(high), "n": n,
    }  # fmt: skip


def _cohen(
    codes: NDArray[np.intp], values: Array, weights: str | None, level: float
) -> dict[str, Any]:
    """Return Cohen's kappa with the error of Fleiss, Cohen and Everitt."""
    from statsmodels.stats.inter_rater import cohens_kappa

    k = len(values)
    table = np.zeros((k, k))
    np.add.at(table, (codes[:, 0], codes[:, 1]), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = cohens_kappa(table, wt=weights)
    kappa, se = float(result.kappa), float(np.sqrt(max(float(result.var_kappa), 0.0)))
    reach = normal_quantile(level) * se
    # Full agreement has no error by the formula, and is no proof of none.
    low, high = (kappa - reach, min(kappa + reach, 1.0)) if se > 0 else (np.nan, np.nan)
    return {
        "statistic": "kappa", "category": "", "estimate": kappa, "se": se, "ci_low": low,
        "ci_high": high, "n": len(codes),
    }  # fmt: skip


def _fleiss(weights: Array, counts: Array) -> Array:
    """Return Fleiss' kappa (b,) of weighted items."""
    raters = counts[0].sum()
    items = weights.sum(axis=1)
    agreement = weights @ ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1)) / items
    shares = weights @ counts / (raters * items)[:, None]
    chance = (shares**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(chance < 1, (agreement - chance) / (1 - chance), np.nan))


def _alpha(values: Array, scale: str) -> Callable[[Array, Array], Array]:
    """Return Krippendorff's alpha (b,) of weighted items as a function."""

    def statistic(weights: Array, counts: Array) -> Array:
        return krippendorff_alpha(counts, values, scale, weights)

    return statistic


def krippendorff_alpha(
    counts: Array, values: Array, scale: str = "nominal", weights: Array | None = None
) -> Array:
    """Return Krippendorff's alpha of ratings of items, ``1 - D / E``.

    ``D = sum_u sum_c,k n_uc n_uk d(c, k) / (m_u - 1)``, n_uc how often item u is rated c and m_u
    its ratings; ``E = sum_c,k n_c n_k d(c, k) / (n - 1)``. The difference d is 0 or 1,
    ``(c - k)^2`` on an interval scale, and ``(sum of n_g from c to k less (n_c + n_k) / 2)^2`` on
    an ordinal one.

    Parameters
    ----------
    counts : array (items, classes)
        Each item with two ratings or more.
    values : array (classes,)
        Numbers of the classes, rising.
    scale : {"nominal", "ordinal", "interval"}
    weights : array (b, items), optional
        How often each item counts.

    Returns
    -------
    array (b,)
        NaN where all ratings are one class.

    References
    ----------
    Krippendorff (2011). Computing Krippendorff's alpha-reliability.

    Examples
    --------
    >>> counts = np.array([[2, 0], [2, 0], [1, 1], [0, 2]])
    >>> krippendorff_alpha(counts, np.array([0.0, 1.0])).round(3).tolist()
    [0.533]
    """
    counts = np.asarray(counts, float)
    weights = np.ones((1, len(counts))) if weights is None else weights
    sizes = counts.sum(axis=1)
    k = counts.shape[1]
    pairs = (counts[:, :, None] * counts[:, None, :]) / (sizes - 1)[:, None, None]
    pairs -= np.eye(k) * (counts / (sizes - 1)[:, None])[:, :, None]
    coincidences = (weights @ pairs.reshape(len(counts), k * k)).reshape(-1, k, k)
    totals = weights @ counts
    n = totals.sum(axis=1)
    difference = _difference(totals, values, scale)
    observed = (coincidences * difference).sum(axis=(1, 2))
    expected = (totals[:, :, None] * totals[:, None, :] * difference).sum(axis=(1, 2)) / (n - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - observed / expected, np.nan))


def _difference(totals: Array, values: Array, scale: str) -> Array:
    """Return the difference of each two classes, (b or 1, classes, classes)."""
    if scale == "nominal":
        return np.asarray((1.0 - np.eye(len(values)))[None])
    if scale == "interval":
        return np.asarray(((values[:, None] - values[None, :]) ** 2)[None])
    middle = np.cumsum(totals, axis=1) - totals / 2
    return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2)


def _by_category(
    counts: NDArray[np.int64], categories: list[Any], level: float, n_resamples: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield the agreement on each class that was used."""
    for j, name in enumerate(categories):
        if not counts[:, j].any():
            continue

        def statistic(weights: Array, values: Array, j: int = j) -> Array:
            others = values.sum(axis=1) - 1
            agreeing = weights @ (values[:, j] * (values[:, j] - 1) / others)
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(agreeing / (weights @ values[:, j]))

        row = _bootstrapped(counts, statistic, level, n_resamples, seed)
        rated = counts[:, j] > 0
        yield {**row, "statistic": "category", "category": str(name), "n": int(rated.sum())}
