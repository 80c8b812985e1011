"""What the tests of `cx.sem` share: models, a likelihood written down again, populations."""

from __future__ import annotations

import warnings

import numpy as np

import cxstats as cx
from cxstats.models.sem.constraints import Reduction
from cxstats.models.sem.likelihood import Likelihood
from cxstats.models.sem.model import build
from cxstats.models.sem.starting_values import start_values
from cxstats.models.sem.structure import Structure
from cxstats.models.sem.syntax import parse
from tests.references import FOLDER, data

HOLZINGER = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
ITEMS = tuple(f"x{i}" for i in range(1, 10))
# Of A and B, correlated, on C; every kind of parameter, and a product.
PATHS = """
A =~ a1 + a2 + a3
B =~ b1 + b2 + b3
C =~ c1 + c2 + c3
B ~ p*A
C ~ q*B + r*A
indirect := p*q
total := r + p*q
"""
TRUTH = {
    "A =~ a1": 1.0, "A =~ a2": 0.9, "A =~ a3": 1.1,
    "B =~ b1": 1.0, "B =~ b2": 0.8, "B =~ b3": 1.2,
    "C =~ c1": 1.0, "C =~ c2": 1.1, "C =~ c3": 0.7,
    "B ~ A": 0.5, "C ~ B": 0.4, "C ~ A": 0.3,
    "A ~~ A": 0.8, "B ~~ B": 0.6, "C ~~ C": 0.5,
    "a1 ~~ a1": 0.5, "a2 ~~ a2": 0.6, "a3 ~~ a3": 0.4,
    "b1 ~~ b1": 0.7, "b2 ~~ b2": 0.5, "b3 ~~ b3": 0.6,
    "c1 ~~ c1": 0.4, "c2 ~~ c2": 0.5, "c3 ~~ c3": 0.8,
}  # fmt: skip


def holzinger():
    return data("holzinger")[0]


def democracy():
    return data("politicaldemocracy")[0]


def written(name):
    """Return a model of tests/reference/sem_models."""
    return (FOLDER / "sem_models" / f"{name}.lav").read_text(encoding="utf-8")


def quiet(model, frame, **options):
    """Fit a model whose warnings are not what is tested."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return cx.sem(model, frame, **options)


def likelihood_of(text, seed, groups=1, **options):
    """Return the likelihood of a model at made-up moments, and a point in general position."""
    generator = np.random.default_rng(seed)
    model = build(parse(text), n_groups=groups, **options)
    p = len(model.observed)
    answers = generator.normal(size=(groups, 4 * p, p)) + generator.normal(size=(groups, 4 * p, 1))
    cov = np.stack([np.cov(part, rowvar=False, ddof=0) for part in answers])
    mean = generator.normal(size=(groups, p)) if model.means else None
    share = generator.uniform(1, 2, groups)
    reduction = Reduction.of(model)
    found = Likelihood(Structure.of(model), reduction, cov, mean, share / share.sum())
    start = start_values(model, cov, mean)
    phi = np.linalg.lstsq(reduction.matrix, start - reduction.offset, rcond=None)[0]
    for _ in range(100):
        point = phi + generator.uniform(-0.1, 0.1, len(phi))
        if np.isfinite(found.evaluate(point)[0]):
            return found, point
    raise AssertionError("no proper covariances near the start")


def ram(model, x, group=0):
    """Return the implied covariances and means, as McArdle & McDonald (1984) write them.

    ``Sigma = J (I - A)^-1 S (I - A)^-T J'``, ``mu = J (I - A)^-1 m``: arrows A and covariances S
    among all variables, J picks the observed ones. Works for complex x.
    """
    names = (*model.observed, *model.latents)
    at = {name: i for i, name in enumerate(names)}
    arrows, both = (np.zeros((len(names), len(names)), x.dtype) for _ in range(2))
    means = np.zeros(len(names), x.dtype)
    size = len(model.one_group)
    for p, value in zip(model.one_group, x[group * size : (group + 1) * size], strict=True):
        if p.op == "=~":
            arrows[at[p.rhs], at[p.lhs]] = value
        elif p.op == "~":
            arrows[at[p.lhs], at[p.rhs]] = value
        elif p.op == "~1":
            means[at[p.lhs]] = value
        else:
            both[at[p.lhs], at[p.rhs]] = both[at[p.rhs], at[p.lhs]] = value
    effects = np.linalg.inv(np.eye(len(names)) - arrows)
    total, p = effects @ both @ effects.T, len(model.observed)
    return total[:p, :p], (effects @ means)[:p], total


def discrepancy(likelihood, phi):
    """Return F from the formula, for complex points too."""
    x, value = likelihood.reduction.all(phi), 0
    for g, share in enumerate(likelihood.share):
        sigma, mu, _ = ram(likelihood.reduction.model, x, g)
        inverse = np.linalg.inv(sigma)
        part = np.log(np.linalg.det(sigma)) + np.trace(likelihood.cov[g] @ inverse)
        if likelihood.mean is not None:
            gap = likelihood.mean[g] - mu
            part = part + gap @ inverse @ gap
        value = value + share * part
    return value


def truth(text=PATHS, values=TRUTH):
    """Return the population of a model: every parameter in the order of the table, Sigma."""
    model = build(parse(text))
    x = np.array([values[str(p)] for p in model.parameters])
    sigma = ram(model, x)[0]
    return model, x, sigma
