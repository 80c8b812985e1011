"""Search for the maxima of the likelihoods of many samples at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cxstats.core.progress import tracked
from cxstats.models.sem.likelihood import Likelihood, log_determinants
from cxstats.models.sem.optimizer import ARMIJO
from cxstats.models.sem.simple_structure import SimpleStructure
from cxstats.models.sem.structure import inverse_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Replicates in a batch: few enough for their matrices to stay near the processor.
CHUNK = 500
# The same of exact second derivatives, which need several matrices of q x q each.
CHECKED = 100
# A replicate is done within a thousandth of a standard error of its optimum; resampling itself
# moves estimates by one.
DISTANCE = 1e-3
SHORTEST = 1e-6
# A search this long went through a valley, where BFGS's own curvature can flatter: it is checked.
LATE, CHECKS = 18, 15
# Rounds after which what BFGS has learnt is added to its matrix, and searches of all chunks that
# are still under way go on together.
PAIRS = 24
# What goes on from chunk to chunk.
STATE = ("which", "phi", "value", "slope", "move", "size", "inverse")
# Share of searches that have ended at which the others are copied together.
ENDED = 0.25


class Attempt(NamedTuple):
    """Where to start, the inverse second derivatives to begin with, and for how many rounds."""

    start: Array
    inverse: Array
    rounds: int


@dataclass(slots=True, eq=False)
class _Search:
    """State of B searches under way; rows are replicates.

    Attributes
    ----------
    which : array (B,)
        Number of the replicate.
    phi, slope, move : arrays (B, q)
        Where it is, the gradient there, and the step to try.
    value, size : arrays (B,)
        F, and the share of the step to try.
    inverse : array (q, q) or (B, q, q)
        Inverse second derivatives to begin with: ``H = inverse + sum_k (s_k u_k' + u_k s_k')``.
    pairs : array (B, 2 PAIRS, q)
        Room for ``s_1, u_1, s_2, u_2, ...``, zero in a round that taught nothing.
    ended : array (B,)
        Whether it has ended.
    """

    which: NDArray[np.intp]
    phi: Array
    value: Array
    slope: Array
    move: Array
    size: Array
    inverse: Array
    pairs: Array
    ended: NDArray[np.bool_]

    def times_curvature(self, vectors: Array, used: int) -> Array:
        """Return H v of every row, from the first `used` pairs."""
        if self.inverse.ndim == 2:
            out = vectors @ self.inverse
        else:
            out = (self.inverse @ vectors[..., None])[..., 0]
        if used:
            pairs = self.pairs[:, : 2 * used]
            shares = (pairs @ vectors[..., None])[..., 0]
            swapped = shares.reshape(-1, used, 2)[..., ::-1].reshape(-1, 1, 2 * used)
            out += (swapped @ pairs)[:, 0]
        return out

    def folded(self) -> _Search:
        """Return the search with what all pairs say added to `inverse`."""
        s, u = self.pairs[:, ::2], self.pairs[:, 1::2]
        product = s.swapaxes(1, 2) @ u
        self.inverse = self.inverse + product + product.swapaxes(1, 2)
        return self

    def under_way(self) -> _Search:
        """Return the searches that have not ended."""
        on = ~self.ended
        return _Search(
            self.which[on], self.phi[on], self.value[on], self.slope[on], self.move[on],
            self.size[on], self.inverse if self.inverse.ndim == 2 else self.inverse[on],
            self.pairs[on], self.ended[on],
        )  # fmt: skip


def maximise_batch(
    likelihood: Likelihood, attempts: Sequence[Attempt], n: int
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Fit a model to B samples at once.

    BFGS in lock-step: each round evaluates every replicate that is still under way, takes the
    step of those that fell enough and halves that of the others. What has not arrived begins
    again with the next attempt: near-singular samples have solutions behind a pole (a
    disturbance near zero) that no descent from the first start meets.

    Which samples are fitted together changes a replicate by rounding alone. Where F is so flat
    that its scaled second derivatives have an eigenvalue near 1e-7, rounding can decide where in
    the valley a search ends, or if it ends: of 2,000 resamples of ECSI-R (n = 250) that is 4 by
    more than a hundredth of a standard error, with values of F equal to 1e-8, and 8 that one
    order of summation loses and another does not.

    Parameters
    ----------
    likelihood : Likelihood
        With sample moments of shape (B, G, ...).
    attempts : sequence of Attempt
        First the solution of the full sample.
    n : int
        Cases, for the distance to the optimum in standard errors.

    Returns
    -------
    phi : array (B, q)
        Estimates; the last point reached where nothing converged.
    value : array (B,)
        The discrepancy F.
    converged : array (B,)
        Whether the predicted distance to the optimum is below a thousandth of a standard error;
        after a long search that is predicted by exact second derivatives.
    """
    count, enough = len(likelihood.cov), 2 * DISTANCE**2 / n
    batch = SimpleStructure.of(likelihood) or likelihood
    phi = np.tile(attempts[0].start, (count, 1))
    value, rounds = np.full(count, np.nan), np.full(count, -1)
    for attempt in attempts:
        remaining = np.flatnonzero(rounds < 0)
        if len(remaining):
            result = _search(batch, remaining, attempt, enough)
            phi[remaining], value[remaining], rounds[remaining] = result
            late = remaining[result[2] > LATE]
            for first in range(0, len(late), CHECKED):
                rows = late[first : first + CHECKED]
                phi[rows], settled = _settled(likelihood.take(rows), phi[rows], enough)
                rounds[rows[~settled]] = -1
    return phi, value, rounds >= 0


def _settled(likelihood: Likelihood, phi: Array, enough: float) -> tuple[Array, NDArray[np.bool_]]:
    """Return the points after exact Newton steps, and which of them are a minimum."""
    phi, settled = phi.copy(), np.zeros(len(phi), bool)
    active, size = np.arange(len(phi)), np.ones(len(phi))
    for _ in range(CHECKS):
        batch = likelihood.take(active)
        point = batch.at(phi[active])
        (value, slope), hessian = point.value_and_slope, point.hessian
        upwards = np.isfinite(log_determinants(hessian))
        batch, active, value = batch.take(upwards), active[upwards], value[upwards]
        if not len(active):
            break
        move = -_solved(hessian[upwards], slope[upwards])
        fall = -np.einsum("bi,bi->b", slope[upwards], move)
        trial = phi[active] + size[active, None] * move
        lower = batch.evaluate(trial)[0] <= value + 1e-12
        phi[active[lower]] = trial[lower]
        settled[active[fall < enough]] = True
        size[active] = np.where(lower, np.minimum(2 * size[active], 1), size[active] / 4)
        active = active[fall >= enough]
        if not len(active):
            break
    return phi, settled


def _solved(matrices: Array, vectors: Array) -> Array:
    """Return ``A^-1 v`` of a batch, NaN where a matrix is singular."""
    try:
        return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0])
    except np.linalg.LinAlgError:
        return np.asarray((inverse_of(matrices) @ vectors[..., None])[..., 0])


def _search(
    batch: Likelihood | SimpleStructure, rows: NDArray[np.intp], attempt: Attempt, enough: float
) -> tuple[Array, Array, NDArray[np.intp]]:
    """Return estimates, values, and the rounds that each took; -1 where it did not arrive."""
    q = len(attempt.start)
    ends = _Ends(np.empty((len(rows), q)), np.empty(len(rows)), np.full(len(rows), -1))
    searches = []
    for start, stop in tracked(len(rows), CHUNK):
        which = np.arange(start, stop)
        now = _begun(batch.take(rows[which]), which, attempt)
        searches.append(_rounds(now, batch, rows, range(min(PAIRS, attempt.rounds)), enough, ends))
    for first in range(PAIRS, attempt.rounds, PAIRS):
        searches = _repacked(searches)
        if not searches:
            break
        turns = range(first, min(first + PAIRS, attempt.rounds))
        searches = [_rounds(now, batch, rows, turns, enough, ends) for now in searches]
    for now in searches:
        ends.write(now, np.ones(len(now.which), bool), -1)
    return ends.phi, ends.value, ends.arrived


@dataclass(frozen=True, slots=True, eq=False)
class _Ends:
    """Where searches ended: estimates (B, q), values (B,), the rounds that each took (B,)."""

    phi: Array
    value: Array
    arrived: NDArray[np.intp]

    def write(self, now: _Search, ended: NDArray[np.bool_], round_: int) -> None:
        at = now.which[ended]
        self.phi[at], self.value[at], self.arrived[at] = now.phi[ended], now.value[ended], round_


def _begun(
    batch: Likelihood | SimpleStructure, which: NDArray[np.intp], attempt: Attempt
) -> _Search:
    count, q = len(which), len(attempt.start)
    phi = np.tile(attempt.start, (count, 1))
    value, slope = batch.evaluate(phi)
    return _Search(
        which, phi, value, slope, -slope @ attempt.inverse, np.ones(count), attempt.inverse,
        np.empty((count, 2 * PAIRS, q)), np.zeros(count, bool),
    )  # fmt: skip


def _repacked(searches: Sequence[_Search]) -> list[_Search]:
    """Return the searches that are under way, in as few chunks as hold them."""
    searches = [now.under_way().folded() for now in searches if not now.ended.all()]
    if not searches:
        return []
    which, phi, value, slope, move, size, inverse = (
        np.concatenate([getattr(now, name) for now in searches]) for name in STATE
    )
    chunks = []
    for first in range(0, len(which), CHUNK):
        at = slice(first, first + CHUNK)
        count, q = phi[at].shape
        chunks.append(_Search(
            which[at], phi[at], value[at], slope[at], move[at], size[at], inverse[at],
            np.empty((count, 2 * PAIRS, q)), np.zeros(count, bool),
        ))  # fmt: skip
    return chunks


def _rounds(
    now: _Search,
    batch: Likelihood | SimpleStructure,
    rows: NDArray[np.intp],
    turns: range,
    enough: float,
    ends: _Ends,
) -> _Search:
    """Go through some rounds, at most as many as `pairs` has room for."""
    chunk = batch.take(rows[now.which])
    for used, round_ in enumerate(turns):
        decrement = -np.einsum("bi,bi->b", now.slope, now.move)
        done = ~now.ended & (decrement < enough)
        if done.any():
            ends.write(now, done, round_)
            now.ended |= done
        if now.ended.mean() >= ENDED:
            decrement, now = decrement[~now.ended], now.under_way()
            if not len(now.which):
                break
            chunk = batch.take(rows[now.which])
        _advance(now, chunk, decrement, used)
        stuck = ~now.ended & (now.size < SHORTEST)
        if stuck.any():
            ends.write(now, stuck, -1)
            now.ended |= stuck
    return now


def _advance(
    now: _Search, likelihood: Likelihood | SimpleStructure, decrement: Array, used: int
) -> None:
    """Try every step; keep those that fall enough, halve the others.

    The BFGS update of H by a step s and a change y of the gradient is ``s u' + u s'`` with
    ``u = (1 + y'Hy / s'y) / (2 s'y) s - Hy / s'y``, made where the curve allows.
    """
    step = now.size[:, None] * now.move
    trial = now.phi + step
    value, slope = likelihood.evaluate(trial)
    good = value <= now.value - ARMIJO * now.size * decrement + 1e-12
    good &= ~now.ended
    slope = np.where(good[:, None], slope, 0)
    ahead = now.times_curvature(slope, used)
    along, change = ahead + now.move, slope - now.slope
    bend = np.einsum("bi,bi->b", step, change)
    scale = np.zeros_like(bend)
    np.divide(1, bend, out=scale, where=good & (bend > 0))
    curved = (scale > 0)[:, None]
    stretch = (1 + scale * np.einsum("bi,bi->b", change, along)) * scale / 2
    s = now.pairs[:, 2 * used] = np.where(curved, step, 0)
    u = np.where(curved, stretch[:, None] * s - scale[:, None] * along, 0)
    now.pairs[:, 2 * used + 1] = u
    move = -ahead - s * np.einsum("bi,bi->b", u, slope)[:, None]
    move -= u * np.einsum("bi,bi->b", s, slope)[:, None]
    now.size = np.where(good, 1.0, now.size / 2)
    now.phi[good], now.value[good] = trial[good], value[good]
    now.slope[good], now.move[good] = slope[good], move[good]
