"""What makes large models cheap gives the numbers of the plain formulas."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.models.sem import bordered
from cxstats.models.sem.bordered import Border
from cxstats.models.sem.constraints import Reduction
from cxstats.models.sem.likelihood import Likelihood
from cxstats.models.sem.missing import PatternPoint, _pulls_by_inverses
from cxstats.models.sem.modification_indices import _wider, candidates
from cxstats.models.sem.standard_errors import _weighted, free_inverse
from cxstats.models.sem.structure import Structure, information

CLOSE = 1e-9  # of what two orders of summation may differ by, after a solution
EXACT = 1e-12


def answers(groups: int = 1, n: int = 300, gaps: float = 0.0, predictor: bool = False):
    """Answers to two factors of four items, of `n` respondents a group."""
    generator = np.random.default_rng(groups)
    factors = generator.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], groups * n)
    x = np.repeat(factors, 4, axis=1) * 0.7 + generator.normal(size=(groups * n, 8)) * 0.6
    x[:, 0] += 0.2 * x[:, 5]
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(8)])
    if gaps:
        frame = frame.mask(generator.random(frame.shape) < gaps)
    if predictor:
        frame["z"] = 0.3 * factors[:, 0] + generator.normal(size=len(frame))
    return frame.assign(g=np.repeat(np.arange(groups), n))


TEXT = "f =~ x0 + x1 + x2 + x3\ng =~ x4 + x5 + x6 + x7"
FITS = {
    "plain": lambda: cx.sem(TEXT, answers()),
    "predictor": lambda: cx.sem(TEXT + "\nf ~ z\ng ~ f + z", answers(predictor=True)),
    "groups": lambda: cx.sem(TEXT, answers(3), group="g", equal=["loadings", "intercepts"]),
    "fiml": lambda: cx.sem(TEXT, answers(gaps=0.1), missing="fiml"),
    "bound": lambda: cx.sem(TEXT + "\nx0 ~~ v*x0\nv > 0.9", answers()),
}


@pytest.mark.parametrize("name", FITS)
def test_modification_indices_are_those_of_the_full_information(name):
    """n s^2 / (V_cc - V_cq V_qq^-1 V_qc), with the information of every parameter and candidate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        fit = FITS[name]()
    likelihood, optimum = fit.likelihood, fit.optimum
    added = candidates(likelihood.reduction.model)
    narrow, q, k = _wider(likelihood, added), len(optimum.phi), len(added)
    width, of_model = (
        len(narrow.reduction.model.one_group),
        len(likelihood.reduction.model.one_group),
    )
    places = [g * width + i for g in range(fit.model.n_groups) for i in range(of_model, width)]
    matrix = np.hstack([narrow.reduction.matrix, np.zeros((len(narrow.reduction.matrix), k))])
    matrix[places, q + np.arange(k)] = 1
    reduction = Reduction(narrow.reduction.model, narrow.reduction.offset, matrix, (), ())
    wide = type(narrow)(**{f: getattr(narrow, f) for f in narrow.__dataclass_fields__}
                        | {"reduction": reduction})  # fmt: skip
    phi = np.append(optimum.phi, np.zeros(k))
    full, slope = wide.information(phi), -wide.evaluate(phi)[1][q:] / 2
    along = np.eye(q)
    if len(optimum.binding):
        along = np.linalg.svd(optimum.binding)[2][len(optimum.binding) :].T
    inner = along.T @ full[:q, :q] @ along
    cross = along.T @ full[:q, q:]
    left = np.diagonal(full)[q:] - np.einsum("ik,ik->k", cross, np.linalg.solve(inner, cross))
    expected = {
        (p.lhs, p.op, p.rhs, p.group): fit.n * s**2 / v
        for p, s, v in zip(added, slope, left, strict=True)
        if v > 1e-5
    }
    table = fit.modification_indices()
    assert len(table) == len(expected)
    groups = list(fit.sample.groups)
    for row in table.itertuples():
        group = groups.index(row.group) if len(groups) > 1 else 0
        value = expected[row.lhs, row.op, row.rhs, group]
        assert row.mi == pytest.approx(value, rel=CLOSE, abs=CLOSE)


@pytest.mark.parametrize("name", ["plain", "predictor", "groups"])
def test_residual_errors_are_those_of_the_full_matrices(name):
    """The diagonal of Q Gamma Q', both formed (p* by p*)."""
    fit = FITS[name]()
    likelihood, optimum = fit.likelihood, fit.optimum
    inverse = free_inverse(likelihood, optimum, likelihood.information(optimum.phi))
    p = len(fit.model.observed)
    row, column = np.tril_indices(p)
    model = likelihood.implied(optimum.phi)
    slopes = likelihood.jacobian(optimum.phi).reshape((len(likelihood.share), -1, len(inverse)))
    x = np.array([any(o.exogenous and o.lhs == v for o in fit.model.one_group)
                  for v in fit.model.observed])  # fmt: skip
    given = x[row] & x[column]
    for g, share in enumerate(likelihood.share):
        s, d = fit.sample.cov[g], slopes[g, : len(row)]
        weighted = _weighted(d, np.linalg.inv(model.sigma[g]))
        left = np.eye(len(row)) - share * d @ inverse @ weighted.T
        gamma = s[np.ix_(row, row)] * s[np.ix_(column, column)]
        gamma += s[np.ix_(row, column)] * s[np.ix_(column, row)]
        if given.any():
            free = np.flatnonzero(~given)
            told = np.zeros_like(gamma)
            told[np.ix_(free, free)] = np.linalg.inv(np.linalg.inv(gamma)[np.ix_(free, free)])
            gamma = told
        variance = np.diagonal(left @ gamma @ left.T)
        shown = ~given & (variance > 1e-10 * np.diagonal(gamma))
        gap = (s - model.sigma[g])[row, column][shown]
        z = gap / np.sqrt(variance[shown] / (fit.n * share))
        table = fit.residuals
        here = table[table["group"] == fit.sample.group_name(g)]
        np.testing.assert_allclose(here["z"].to_numpy()[shown], z, rtol=1e-7, atol=1e-8)


def test_blocks_of_groups_solve_as_the_whole_matrix(monkeypatch):
    monkeypatch.setattr(bordered, "DENSE", 0)
    generator = np.random.default_rng(1)
    uses = np.zeros((3, 11), bool)
    for g, at in enumerate(([0, 1, 2, 9, 10], [3, 4, 5, 9], [6, 7, 8, 10])):
        uses[g, at] = True
    matrix = np.zeros((11, 11))
    for row in uses:
        half = generator.normal(size=(row.sum(), 20))
        matrix[np.ix_(row, row)] += half @ half.T
    border = Border.of(uses)
    assert [list(at) for at in border.inner] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    columns = generator.normal(size=(11, 4))
    np.testing.assert_allclose(
        border.solve(matrix, columns), np.linalg.solve(matrix, columns), rtol=EXACT, atol=EXACT
    )
    np.testing.assert_allclose(
        border.inverse(matrix), np.linalg.inv(matrix), rtol=EXACT, atol=EXACT
    )
    assert border.positive(matrix)
    least = np.linalg.eigvalsh(matrix)[0]
    assert border.positive(matrix - 0.99 * least * np.eye(11))
    assert not border.positive(matrix - 1.01 * least * np.eye(11))


def test_invariance_by_blocks_is_that_of_dense_matrices(monkeypatch):
    frame = answers(4)
    tables = []
    for size in (1, 10**9):
        monkeypatch.setattr(bordered, "DENSE", size)
        result = cx.invariance(TEXT, frame, "g")
        assert bool(result.fits["strict"].likelihood.reduction.border.inner) == (size == 1)
        tables.append([result.table, result.releases, result.means,
                       *(fit.table for fit in result.fits.values())])  # fmt: skip
    for ours, dense in zip(*tables, strict=True):
        pd.testing.assert_frame_equal(ours, dense, rtol=1e-7, atol=1e-8)


def test_a_group_that_is_not_identified_is_found_by_blocks(monkeypatch):
    monkeypatch.setattr(bordered, "DENSE", 1)
    with pytest.warns(cx.ModelWarning, match="not identified"):
        fit = cx.sem("f =~ a1*x0 + x1\nx0 ~~ 0.3*x1", answers(4), group="g")
    assert fit.problems[0].kind in ("not_identified", "too_many")


def incomplete() -> Likelihood:
    frame = answers(2, 150, gaps=0.15)
    return cx.sem(TEXT + "\ng ~ f", frame, missing="fiml", group="g", equal=["loadings"]).likelihood


def test_patterns_added_up_by_group_are_those_of_one_inverse_each():
    likelihood = incomplete()
    phi = cx.sem(TEXT + "\ng ~ f", answers(2, 150), group="g", equal=["loadings"],
                 means=True).optimum.phi  # fmt: skip
    point = likelihood.at(phi)
    assert isinstance(point, PatternPoint)
    for ours, plain in zip(
        point._pulls(), _pulls_by_inverses(likelihood, point.model), strict=True
    ):
        np.testing.assert_allclose(ours, plain, rtol=1e-10, atol=1e-10)


def test_second_derivatives_of_patterns_are_differences_of_first():
    likelihood = incomplete()
    phi = cx.sem(TEXT + "\ng ~ f", answers(2, 150), group="g", equal=["loadings"],
                 means=True).optimum.phi  # fmt: skip
    step, q = 1e-5, len(phi)
    moves = step * np.eye(q)
    up, down = ([likelihood.evaluate(phi + s * e)[1] for e in moves] for s in (1, -1))
    numeric = (np.array(up) - np.array(down)) / (2 * step)
    np.testing.assert_allclose(likelihood.hessian(phi), numeric, atol=1e-7)


def test_information_of_patterns_is_the_sum_of_one_pattern_each():
    likelihood = incomplete()
    phi = cx.sem(TEXT + "\ng ~ f", answers(2, 150), group="g", equal=["loadings"],
                 means=True).optimum.phi  # fmt: skip
    structure: Structure = likelihood.structure
    model, total = likelihood.implied(phi), 0
    for j, (present, g) in enumerate(
        zip(likelihood.patterns.present, likelihood.patterns.group, strict=True)
    ):
        inverse = np.zeros(model.sigma[g].shape)
        inverse[np.ix_(present, present)] = np.linalg.inv(model.sigma[g][np.ix_(present, present)])
        block = information(structure, model.block(g), inverse)
        matrix = np.split(likelihood.reduction.matrix, 2)[g]
        total = total + likelihood.weights[j] * matrix.T @ block @ matrix
    np.testing.assert_allclose(likelihood.information(phi), total, rtol=1e-9, atol=1e-10)


def test_a_model_that_explains_a_variable_whole_goes_through_each_pattern():
    """Sigma is singular, that of what was answered not: F is a number, as before."""
    likelihood = incomplete()
    fit_phi = cx.sem(TEXT + "\ng ~ f", answers(2, 150), group="g", equal=["loadings"],
                     means=True).optimum.phi  # fmt: skip
    parameters = likelihood.reduction.model.parameters
    at = [i for i, p in enumerate(parameters) if (p.lhs, p.op, p.rhs) == ("x0", "~~", "x0")]
    columns = [int(np.flatnonzero(likelihood.reduction.matrix[i])[0]) for i in at]
    phi = fit_phi.copy()
    phi[columns] = -0.02
    value, slope = likelihood.evaluate(phi)
    point = likelihood.at(phi)
    plain = _pulls_by_inverses(likelihood, point.model)
    assert value == pytest.approx(plain[0]) or (np.isinf(value) and np.isinf(plain[0]))
    assert np.isfinite(slope).all()


def test_only_the_blocks_that_are_needed_are_formed(monkeypatch):
    """120 items: candidates' information is never a square of thousands."""
    from cxstats.models.sem import structure

    largest = []
    plain = structure.information

    def counted(*arguments):
        out = plain(*arguments)
        largest.append(out.size)
        return out

    monkeypatch.setattr(structure, "information", counted)
    fit = cx.sem(TEXT, answers())
    k = len(candidates(fit.model))
    fit.modification_indices()
    q = len(fit.likelihood.reduction.active)
    assert max(largest) <= q * max(k, q)
