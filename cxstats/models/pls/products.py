"""Moments of products of scores or items, for a batch of samples of the same respondents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.models.pls.algorithm import inverted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Numbers in the products of a part of a batch: few enough for memory, many enough for speed.
PART = 4_000_000


def product_moments(
    answers: Array,
    weights: NDArray[np.floating | np.integer],
    first: Array,
    second: Array,
) -> tuple[Array, Array]:
    """Return covariances of products with the answers, and with each other, for each sample.

    Products are of linear combinations of standardised answers. A batch of samples is a batch of
    weights of the same respondents, so that no respondent is copied: with ``P`` the products of
    a sample and ``w`` its weights (sum 1), the covariances are ``(w P)' Z`` and ``(w P)' P``.

    Parameters
    ----------
    answers : array (n, p)
    weights : array (B, n)
        How often each respondent is in a sample, or any other weight.
    first, second : array (B, p, T)
        Coefficients of the factors of each product.

    Returns
    -------
    with_answers : array (B, T, p)
        With standardised answers (divisor: sum of weights).
    among : array (B, T, T)

    Examples
    --------
    >>> x = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]])
    >>> one, other = np.array([[[1.0], [0]]]), np.array([[[0], [1.0]]])
    >>> with_answers, among = product_moments(x, np.ones((1, 4)), one, other)
    >>> with_answers.tolist(), among.tolist()
    ([[[0.0, 0.0]]], [[[1.0]]])
    """
    centred = answers - answers.mean(axis=0)
    n, p = centred.shape
    size = first.shape[2]
    with_answers = np.empty((len(weights), size, p))
    among = np.empty((len(weights), size, size))
    step = max(1, PART // (n * size))
    for start in range(0, len(weights), step):
        part = slice(start, start + step)
        w = np.asarray(weights[part], float)
        w = w / w.sum(axis=1, keepdims=True)
        mean = w @ centred
        sd = np.sqrt(w @ centred**2 - mean**2)
        products = np.ones((len(w), n, size))
        for coefficients in (first[part], second[part]):
            raw = coefficients / sd[:, :, None]
            products *= centred @ raw - mean[:, None, :] @ raw
        products -= w[:, None, :] @ products
        weighted = (products * w[:, :, None]).swapaxes(1, 2)
        with_answers[part] = weighted @ centred / sd[:, None, :]
        among[part] = weighted @ products
    return with_answers, among


def cleared(
    corr: Array, covariances: Array, among: Array, places: list[list[int]]
) -> tuple[Array, Array]:
    """Return covariances of what is left of products once items are taken out of them.

    Parameters
    ----------
    corr : array (B, m, m)
        Correlations of the items.
    covariances : array (B, T, m)
        Of products with items.
    among : array (B, T, T)
        Of products with each other.
    places : list of list of int
        The items that each product is made orthogonal to.
    """
    slopes = np.zeros_like(covariances)
    for t, items in enumerate(places):
        if items:
            block = corr[:, items][:, :, items]
            slopes[:, t, items] = (inverted(block) @ covariances[:, t, items, None])[..., 0]
    explained = slopes @ corr
    shared = slopes @ covariances.swapaxes(1, 2)
    left = among - shared - shared.swapaxes(1, 2) + explained @ slopes.swapaxes(1, 2)
    return covariances - explained, left
