"""PLSpredict: how well a model predicts the answers of respondents it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label
from cxstats.core.moments import check_resamples
from cxstats.core.progress import quiet_linear_algebra, tracked
from cxstats.core.result import Chart, Result
from cxstats.models.pls.design import Design
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.pls.result import PlsFit

    Array = NDArray[np.float64]

ANTECEDENTS = ("earliest", "direct")
METHODS = ("pls", "lm", "mean")
BENCHMARKS = ("mean", "lm")
ALL = "all"  # instead of a construct, in the rows of all items


@dataclass(frozen=True, eq=False, repr=False)
class PlsPrediction(Result):
    """Out-of-sample prediction of the items of endogenous constructs.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per item: ``construct, item, q2_predict, rmse_pls, rmse_lm, rmse_mean, mae_pls,
        mae_lm, mae_mean, n``. `q2_predict` is ``1 - SSE(PLS) / SSE(mean)``: above 0 the model
        beats the mean of the training respondents.
    comparison : pandas.DataFrame
        Loss of PLS less that of a benchmark: ``construct, benchmark, estimate, se, ci_low,
        ci_high, p_value, n``, the loss of a respondent being the squared error averaged over
        the items of the construct (in the last rows: of all), and over repetitions. Negative: PLS
        predicts better (Liengaard et al. 2021).
    errors : dict of str to array (repetitions, n, m)
        Answer less prediction, by "pls", "lm" and "mean".
    k, repetitions, seed, antecedents, level
        What was asked for.
    synthetic : bool
        Whether the respondents are simulated.
    """

    table: pd.DataFrame
    comparison: pd.DataFrame
    errors: dict[str, Array]
    k: int
    repetitions: int
    seed: int
    antecedents: str
    level: float
    synthetic: bool

    kinds: ClassVar[tuple[str, ...]] = ("comparison",)
    codes: ClassVar = {"benchmark": "pls.benchmark.{}", "construct": "pls.construct.{}"}
    reference: ClassVar[str] = (
        "Shmueli, G., Ray, S., Velasquez Estrada, J. M., & Chatla, S. B. (2016). The elephant in "
        "the room: Predictive performance of PLS models. Journal of Business Research, 69(10), "
        "4552-4564."
    )

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the differences of loss between PLS and the benchmarks, with intervals."""
        rows: Any = self.comparison[self.comparison["construct"] != ALL]
        names = [
            label(f"pls.predict.benchmark.{row.benchmark}", lang, name=row.construct)
            for row in rows.itertuples()
        ]
        level = format_percent(100 * self.level, None, lang)
        settings = {
            "source": label(
                "pls.predict.source", lang, k=self.k, r=self.repetitions, seed=self.seed,
                n=format_number(int(rows["n"].iloc[0])),
            ),
            "axis": label("pls.predict.axis", lang, level=level),
            "level": self.level,
            "synthetic": self.synthetic,
        }  # fmt: skip
        return Chart(
            "intervals", (names, *(rows[c] for c in ("estimate", "ci_low", "ci_high"))), settings
        )

    def findings(self, lang: str) -> list[str]:
        """Return how many items PLS predicts better than either benchmark."""
        rows = self.table
        head = label(
            "pls.predict.head", lang,
            k=self.k,
            r=self.repetitions,
            seed=self.seed,
            n=format_number(int(rows["n"].iloc[0])),
            m=len(rows),
            positive=int((rows["q2_predict"] > 0).sum()),
            better=int((rows["rmse_pls"] < rows["rmse_lm"]).sum()),
        )  # fmt: skip
        return [head]


def predict(
    fit: PlsFit,
    k: int = 10,
    repetitions: int = 10,
    seed: int = 1,
    antecedents: str = "earliest",
    level: float = 0.95,
) -> PlsPrediction:
    """Predict items from models fitted to the other k - 1 parts of the respondents.

    The model gives a construct's score ``y_j = sum_k g_jk y_k`` and its items
    ``m_i + s_i l_i y_j``, mean, standard deviation, weights, effects g and loading l all from the
    training respondents. ``antecedents="earliest"`` takes scores of exogenous constructs and total
    effects, ``"direct"`` scores of direct causes and paths. The linear model regresses an item on
    the items of those same constructs; the mean is that of the training respondents.

    Parameters
    ----------
    fit : PlsFit
    k : int
        Parts, from 2 to n.
    repetitions : int
        Times that respondents are dealt to parts anew.
    seed : int
        Seed of the deals.
    antecedents : {"earliest", "direct"}
        What predictions start from.

    Raises
    ------
    CxError
        For a consistent fit (predictions are made from composites), for one with a sampling design,
        and for a model with an interaction or a higher-order construct.

    References
    ----------
    Shmueli, Ray, Velasquez Estrada & Chatla (2016). The elephant in the room: predictive
    performance of PLS models. Journal of Business Research 69(10), 4552-4564.
    Liengaard, Sharma, Hult, Jensen, Sarstedt, Hair & Ringle (2021). Prediction: coveted, yet
    forsaken? Decision Sciences 52(2), 362-392.
    """
    check_resamples(repetitions, seed)
    check_level(level)
    _check_predictable(fit, k, antecedents)
    generator = np.random.default_rng(seed)
    deal = np.arange(fit.n) * k // fit.n
    folds = np.stack([deal[np.argsort(generator.permutation(fit.n))] for _ in range(repetitions)])
    with quiet_linear_algebra():
        errors = cross_validated(fit, folds, antecedents)
    return PlsPrediction(
        table=_table(fit.design, errors),
        comparison=_comparison(fit.design, errors, level),
        errors=errors,
        k=k,
        repetitions=repetitions,
        seed=seed,
        antecedents=antecedents,
        level=level,
        synthetic=fit.synthetic,
    )


def _check_predictable(fit: PlsFit, k: int, antecedents: str) -> None:
    if antecedents not in ANTECEDENTS:
        raise CxError(f"antecedents is {antecedents!r}; allowed: {', '.join(ANTECEDENTS)}")
    if not isinstance(k, int) or not 2 <= k <= fit.n:
        raise CxError(f"k is {k!r}; allowed: whole numbers from 2 to n = {fit.n}")
    if fit.consistent:
        raise CxError("predictions are made from composites: fit without consistent=True")
    if fit.sample.rows is not None:
        raise CxError(
            "predictions are made for respondents of a simple random sample: folds that keep a "
            "sampling design are not implemented; fit without weights=, cluster= and design="
        )
    fit.require_sound("prediction")
    fit.require_one_stage("a prediction")
    fit.sample.require_rows("a prediction")


def targets(design: Design) -> list[int]:
    """Return the items of endogenous constructs."""
    return [i for i, j in enumerate(design.home) if int(j) in design.causes]


def cross_validated(
    fit: PlsFit, folds: NDArray[np.intp], antecedents: str = "earliest"
) -> dict[str, Array]:
    """Return prediction errors for given folds, by method, (repetitions, n, m).

    Parameters
    ----------
    fit : PlsFit
    folds : array (repetitions, n)
        The part, from 0, in which each respondent is left out.
    antecedents : {"earliest", "direct"}
    """
    items = targets(fit.design)
    x = fit.sample.matrix - fit.sample.moments.mean
    row, column = np.tril_indices(x.shape[1])
    products = np.concatenate([x, x[:, row] * x[:, column]], axis=1)
    errors = {method: np.empty((len(folds), len(x), len(items))) for method in METHODS}
    for r, _ in tracked(len(folds), 1):
        k = int(folds[r].max()) + 1
        train = (folds[r] != np.arange(k)[:, None]).astype(float)
        mean, cov = _training(train, products, x.shape[1])
        slopes = {
            "pls": _pls_slopes(fit, cov, antecedents)[:, :, items],
            "lm": _regressions(cov, fit.design, items, antecedents),
        }
        for fold in range(k):
            held_out = np.flatnonzero(folds[r] == fold)
            centred = x[held_out] - mean[fold]
            errors["mean"][r, held_out] = centred[:, items]
            for method, coefficients in slopes.items():
                errors[method][r, held_out] = centred[:, items] - centred @ coefficients[fold]
    return errors


def _training(train: Array, products: Array, p: int) -> tuple[Array, Array]:
    """Return means and covariances of the respondents each fold is trained on."""
    size = train.sum(axis=1, keepdims=True)
    sums = train @ products / size
    row, column = np.tril_indices(p)
    mean = sums[:, :p]
    flat = (sums[:, p:] - mean[:, row] * mean[:, column]) * (size / (size - 1))
    cov = np.empty((len(train), p, p))
    cov[:, row, column] = cov[:, column, row] = flat
    return mean, cov


def _pls_slopes(fit: PlsFit, cov: Array, antecedents: str) -> Array:
    """Return coefficients (folds, p, p) of items (last axis) on items, by way of constructs."""
    estimates, design = fit.reestimate(cov), fit.design
    if not estimates.outer.converged.all():
        raise CxError("the model has no solution without some of the respondents; take fewer k")
    effects = estimates.paths
    if antecedents == "earliest":
        exogenous = [float(j not in design.causes) for j in range(len(design.constructs))]
        effects = estimates.total * np.array(exogenous)
    weights = estimates.outer.weights[:, :, None] * design.member
    scores = (weights @ effects.swapaxes(1, 2))[:, :, design.home]
    sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    slopes: Array = scores * estimates.loadings[:, None, :] * sd[:, None, :] / sd[:, :, None]
    return slopes


def _regressions(cov: Array, design: Design, items: Sequence[int], antecedents: str) -> Array:
    """Return coefficients (folds, p, m) of the regressions on the antecedents' items."""
    coefficients = np.zeros((len(cov), cov.shape[1], len(items)))
    exogenous = [j for j in range(len(design.constructs)) if j not in design.causes]
    for j, causes in design.causes.items():
        sources = exogenous if antecedents == "earliest" else causes
        predictors = [i for i, home in enumerate(design.home) if int(home) in sources]
        outcomes = [m for m, i in enumerate(items) if int(design.home[i]) == j]
        among = cov[:, predictors][:, :, predictors]
        into = cov[:, predictors][:, :, [items[m] for m in outcomes]]
        try:
            slopes = np.linalg.solve(among, into)
        except np.linalg.LinAlgError:
            slopes = np.linalg.pinv(among, hermitian=True) @ into
        for m, slope in zip(outcomes, np.moveaxis(slopes, 2, 0), strict=True):
            coefficients[:, predictors, m] = slope
    return coefficients


def _table(design: Design, errors: dict[str, Array]) -> pd.DataFrame:
    """Return RMSE, MAE and Q² of every item, over all repetitions."""
    import pandas as pd

    items = targets(design)
    square = {method: (error**2).mean(axis=(0, 1)) for method, error in errors.items()}
    return pd.DataFrame(
        {
            "construct": [design.constructs[design.home[i]] for i in items],
            "item": [design.items[i] for i in items],
            "q2_predict": 1 - square["pls"] / square["mean"],
            **{f"rmse_{method}": np.sqrt(square[method]) for method in METHODS},
            **{f"mae_{method}": np.abs(errors[method]).mean(axis=(0, 1)) for method in METHODS},
            "n": errors["pls"].shape[1],
        }
    )


def _comparison(design: Design, errors: dict[str, Array], level: float) -> pd.DataFrame:
    """Return the difference of average losses, with a t interval over respondents."""
    import pandas as pd
    from scipy.special import stdtr, stdtrit

    homes = np.array([design.home[i] for i in targets(design)])
    n = errors["pls"].shape[1]
    reach = float(stdtrit(n - 1, (1 + level) / 2))
    rows: list[tuple[Any, ...]] = []
    for j in (*design.causes, None):
        items = np.ones(len(homes), bool) if j is None else homes == j
        loss = {name: (e[:, :, items] ** 2).mean(axis=(0, 2)) for name, e in errors.items()}
        for benchmark in BENCHMARKS:
            difference = loss["pls"] - loss[benchmark]
            mean, se = float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(n))
            p = 2 * float(stdtr(n - 1, -abs(mean) / se)) if se > 0 else float("nan")
            name = ALL if j is None else design.constructs[j]
            rows.append((name, benchmark, mean, se, mean - reach * se, mean + reach * se, p, n))
    heads = ["construct", "benchmark", "estimate", "se", "ci_low", "ci_high", "p_value", "n"]
    return pd.DataFrame(rows, columns=heads)
