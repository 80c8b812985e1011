"""Many small samples of true factor models, fitted by maximum likelihood all at once."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.stats import chi2, norm

from cxstats.models.sem.batch_search import Attempt, maximise_batch
from cxstats.models.sem.constraints import Reduction
from cxstats.models.sem.fit_indices import bartlett_factor, swain_factor
from cxstats.models.sem.likelihood import Likelihood
from cxstats.models.sem.model import build
from cxstats.models.sem.small_samples import fisher_limits
from cxstats.models.sem.standardised_solution import standardised
from cxstats.models.sem.structure import Structure
from cxstats.models.sem.syntax import parse

# Factors and items of each; 6, 9 and 15 items.
SHAPES = {6: (2, 3), 9: (3, 3), 15: (3, 5)}
LOADINGS = (0.8, 0.7, 0.6, 0.75, 0.65)
RELATIONS = (0.3, 0.5, 0.4)
STEP = 1e-20


@cache
def population(items):
    """Return the model of `items` items, its parameters in the population and its covariances."""
    factors, each = SHAPES[items]
    text = "\n".join(
        f"f{f} =~ " + " + ".join(f"f{f}i{j}" for j in range(each)) for f in range(factors)
    )
    model = build(parse(text))
    relation = {}
    for i in range(factors):
        for j in range(i + 1, factors):
            relation[f"f{i}", f"f{j}"] = RELATIONS[(i + j) % 3]
    values = []
    for p in model.parameters:
        loading = LOADINGS[int(p.rhs.partition("i")[2] or 0)]
        if p.op == "=~":
            values.append(loading / LOADINGS[0])
        elif p.lhs != p.rhs:
            values.append(relation[p.lhs, p.rhs] * LOADINGS[0] ** 2)
        else:
            values.append(1 - loading**2 if "i" in p.lhs else LOADINGS[0] ** 2)
    return model, np.array(values)


def kinds_of(model):
    """Return what each parameter is: "loading", "covariance", "variance" or "residual"."""
    return np.array(
        [
            "loading" if p.op == "=~"
            else "covariance" if p.lhs != p.rhs
            else "residual" if "i" in p.lhs
            else "variance"
            for p in model.parameters
        ]
    )  # fmt: skip


@cache
def simulated(items, n, samples=2_000):
    """Return shares: of tests that reject at 5 %, of 95 % intervals that hold the truth.

    Only samples with a proper solution count; ``proper`` is their share.
    """
    model, x = population(items)
    structure, reduction = Structure.of(model), Reduction.of(model)
    one = np.ones(1)
    sigma = Likelihood(structure, reduction, np.eye(items)[None], None, one)
    phi = np.linalg.lstsq(reduction.matrix, x - reduction.offset, rcond=None)[0]
    root = np.linalg.cholesky(sigma.implied(phi).sigma[0])
    rng = np.random.default_rng(1000 * items + n)
    cov = np.empty((samples, 1, items, items))
    for b in range(samples):
        answers = rng.normal(size=(n, items)) @ root.T
        cov[b, 0] = np.cov(answers, rowvar=False, ddof=0)
    batch = Likelihood(structure, reduction, cov, None, one)
    inverse = np.linalg.inv(2 * sigma.information(phi))
    estimates, value, arrived = maximise_batch(batch, [Attempt(phi, inverse, 400)], n)
    found = reduction.all(estimates)
    kinds = kinds_of(model)
    std, truth = standardised(batch, found), standardised(sigma, x)
    proper = arrived & (found[:, kinds == "residual"] > 0).all(axis=1)
    proper &= (np.abs(std[:, kinds == "covariance"]) < 1).all(axis=1)
    proper &= (found[:, kinds == "variance"] > 0).all(axis=1)
    batch = Likelihood(structure, reduction, cov[proper], None, one)
    estimates, value, found, std = (v[proper] for v in (estimates, value, found, std))

    covariance = np.linalg.inv(batch.information(estimates)) / n
    slopes = np.stack(
        [
            standardised(batch, reduction.all(estimates + 1j * STEP * unit)).imag / STEP
            for unit in np.eye(estimates.shape[1])
        ],
        axis=-1,
    )
    std_se = np.sqrt(np.einsum("bkq,bqr,bkr->bk", slopes, covariance, slopes))
    se = np.sqrt(np.einsum("kq,bqr,kr->bk", reduction.matrix, covariance, reduction.matrix))

    shares = {"proper": proper.mean()}
    df = items * (items + 1) // 2 - estimates.shape[1]
    chisq = n * (value - batch.saturated())
    factors = {
        "test": 1.0,
        "swain": swain_factor(items, df, n),
        "bartlett": bartlett_factor(items, SHAPES[items][0], n),
    }
    for name, factor in factors.items():
        shares[name] = (chi2.sf(factor * chisq, df) < 0.05).mean()
    z = norm.ppf(0.975)
    free = se[0] > 0
    for kind in ("loading", "covariance", "variance", "residual"):
        at = (kinds == kind) & free
        shares[kind] = (np.abs(found - x) < z * se)[:, at].mean()
        if kind in ("variance", "residual"):
            logs = np.abs(np.log(found[:, at] / x[at])) < z * se[:, at] / found[:, at]
            shares[f"{kind}, log"] = logs.mean()
    for kind, name in (("covariance", "correlation"), ("loading", "standardised loading")):
        at = kinds == kind
        r, rho, error = std[:, at], truth[at], std_se[:, at]
        shares[name] = (np.abs(r - rho) < z * error).mean()
        low, high = fisher_limits(r, error, z)
        shares[f"{name}, Fisher"] = ((low < rho) & (rho < high)).mean()
    return {name: 100 * float(share) for name, share in shares.items()}
