"""A classifier of opinions trained on a client's own labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import excerpt, row_name
from cxstats.core.moments import SEEDS
from cxstats.core.normal_text import copy_key
from cxstats.core.progress import long_work, tracked
from cxstats.voice.classifier import TextFeatures, calibrate, decision, fit, text_features
from cxstats.voice.model_card import Evaluation
from cxstats.voice.ngrams import text_keys
from cxstats.voice.normalise import read_column, read_texts
from cxstats.voice.sentiment_model import SentimentModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]

STRENGTHS = (0.03, 0.3, 3.0)  # C, from which cross-validation chooses
FOLDS, INNER_FOLDS = 5, 3
LEAST = 20  # texts of each class
CONTRADICTING = 2


@dataclass(frozen=True, eq=False, repr=False)
class TrainedModel(SentimentModel):
    """A model of a client's own texts.

    Attributes
    ----------
    kind, classifiers, evaluations
        As `SentimentModel`.
    n_texts : int
        Distinct texts that it was trained on.
    n_copies : int
        Copies of these that were left out.
    n_contradicting : int
        Distinct texts that were left out because they have both labels.
    strength : float
        C, as chosen.
    """

    n_texts: int = 0
    n_copies: int = 0
    n_contradicting: int = 0
    strength: float = 0.0

    def __repr__(self) -> str:
        left_out = f"{self.n_copies:,} copies and {self.n_contradicting:,} contradicting texts"
        return f"TrainedModel({self.n_texts:,} texts; {left_out} left out; .card says how well)"


@long_work("train sentiment")
def train_sentiment(
    texts: Any, labels: Any, groups: Any = None, *, column: str | None = None, seed: int = 0
) -> TrainedModel:
    """Train a classifier of opinions on your own labelled texts.

    Each text counts once (copies are those whose letters and digits are the same); a text with both
    labels is left out, and counted. The strength of the ridge penalty is chosen by cross-validation
    within the training texts of each of five folds, so that the card is of texts that neither
    training nor choice has seen. Probabilities are calibrated on texts left out.

    With few texts the card's intervals are wide: with 100 texts, the accuracy is known to 7 or 8
    points either way. A share of positive texts is estimated better by passing the labels to
    `sentiment` than by training on them.

    Parameters
    ----------
    texts : list, column or table of any engine
        As in `sentiment`; empty texts are left out. Any language.
    labels : str, or list (n,)
        1 or 0 for each text, missing where there is none; or the name of a column.
    groups : str, or list (n,), optional
        What stays together in cross-validation, such as the author or shop; none may be missing.
    column : str, optional
        Which column of a table holds the texts.
    seed : int
        Of the folds.

    Returns
    -------
    TrainedModel
        For ``sentiment(texts, model=...)``; ``card`` says how well it does.

    Raises
    ------
    CxError
        If there are fewer than 20 texts of a class, or too few groups for five folds.
    DataError
        If a label is neither 1 nor 0; the row is named.

    Examples
    --------
    >>> good = [f"Great room number {i}, lovely staff" for i in range(30)]
    >>> bad = [f"Dirty room number {i}, rude staff" for i in range(30)]
    >>> model = train_sentiment(good + bad, [1] * 30 + [0] * 30)
    >>> model.n_texts, model.card.value("in_domain", "all", "own")
    (60, 1.0)
    """
    read = read_texts(texts, column)
    numbers = _labels(read_column(labels, len(read), "labels", texts), read.index)
    blocks = np.arange(len(read))
    if groups is not None:
        blocks = _groups(read_column(groups, len(read), "groups", texts), read.index)
    written = np.array([bool(text) for text in read.values]) & (numbers >= 0)
    rows, n_copies, n_contradicting = _distinct(read.values, numbers, np.flatnonzero(written))
    y, blocks = numbers[rows], blocks[rows]
    for name, size in (("positive", int((y == 1).sum())), ("negative", int((y == 0).sum()))):
        if size < LEAST:
            raise CxError(f"{size} distinct {name} texts; allowed: at least {LEAST} of each")
    features = text_features([read.values[i] for i in rows])
    scores, folds = _nested(features, y, blocks, seed)
    strength = _chosen(features, y, blocks, seed)
    slope, offset = calibrate(scores, y)
    classifier = replace(fit(features, y, strength), slope=slope, offset=offset)
    kinds = np.full(len(y), "", dtype="U8")
    card = Evaluation("in_domain", "own", y, _calibrated(scores, y, folds), kinds, blocks)
    learned = np.unique(text_keys([read.values[i] for i in rows]))
    return TrainedModel(
        "own",
        {"own": classifier},
        (card,),
        learned,
        n_texts=len(rows),
        n_copies=n_copies,
        n_contradicting=n_contradicting,
        strength=strength,
    )


def _labels(cells: Any, index: Any) -> Rows:
    """Return 1, 0, and -1 where there is no label."""
    import pandas as pd

    values = np.full(len(cells), -1)
    for i, cell in enumerate(cells):
        if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
            continue
        if not isinstance(cell, (bool, int, float, np.number, np.bool_)) or cell not in (0, 1):
            raise DataError(
                f"{row_name(index, i)}, labels has {excerpt(cell)}; allowed: 1 (positive) or 0 "
                "(negative), nothing where there is no label"
            )
        values[i] = int(cell)
    return values


def _groups(cells: Any, index: Any) -> Rows:
    """Return groups as numbers from 0."""
    import pandas as pd

    codes = pd.factorize(pd.Series(list(cells), dtype=object))[0]
    if (codes < 0).any():
        row = int(np.flatnonzero(codes < 0)[0])
        raise DataError(f"{row_name(index, row)}, groups has no value; allowed: one for each text")
    return codes


def _distinct(values: list[str], numbers: Rows, rows: Rows) -> tuple[Rows, int, int]:
    """Return the first row of each text with one label, its copies, and texts with both labels."""
    import pandas as pd

    frame = pd.DataFrame({"key": [copy_key(values[i]) for i in rows], "label": numbers[rows]})
    labels = frame.groupby("key")["label"].nunique()
    agreed = frame["key"].map(labels) == 1
    first = agreed & ~frame["key"].duplicated()
    n_copies = int(agreed.sum() - first.sum())
    return rows[first.to_numpy()], n_copies, int((labels == CONTRADICTING).sum())


def _folds(y: Rows, groups: Rows, n_folds: int, seed: int) -> Rows:
    """Return the fold of each text: classes spread evenly, groups kept together."""
    from sklearn.model_selection import StratifiedGroupKFold

    n_groups = len(np.unique(groups))
    if n_groups < n_folds:
        raise CxError(f"groups has {n_groups} groups; allowed: at least {n_folds}")
    folds = np.empty(len(y), np.int64)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed % SEEDS)
    for fold, (train, test) in enumerate(splitter.split(np.zeros((len(y), 1)), y, groups)):
        if len(np.unique(y[train])) < 2:
            raise CxError(
                "groups: one of them holds nearly all texts of a class, so that no fold can be "
                "left out; allowed: both classes outside of each fold"
            )
        folds[test] = fold
    return folds


def _left_out(features: TextFeatures, y: Rows, folds: Rows, strength: float) -> Array:
    """Return the scores of each fold by a classifier of the others."""
    scores = np.zeros(len(y))
    for fold in np.unique(folds):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        classifier = fit(features.rows(train), y[train], strength)
        scores[test] = decision(classifier, features.rows(test))
    return scores


def _chosen(features: TextFeatures, y: Rows, groups: Rows, seed: int) -> float:
    """Return the strength whose calibrated probabilities lose least on texts left out."""
    folds = _folds(y, groups, INNER_FOLDS, seed)
    losses = []
    for strength in STRENGTHS:
        scores = _left_out(features, y, folds, strength)
        slope, offset = calibrate(scores, y)
        margins = (slope * scores + offset) * np.where(y == 1, 1, -1)
        losses.append(np.logaddexp(0, -margins).mean())
    return STRENGTHS[int(np.argmin(losses))]


def _nested(features: TextFeatures, y: Rows, groups: Rows, seed: int) -> tuple[Array, Rows]:
    """Return scores of each fold, the strength chosen within the others, and the folds."""
    folds, scores = _folds(y, groups, FOLDS, seed), np.zeros(len(y))
    for fold, _ in tracked(FOLDS, 1, "training"):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        inside = features.rows(train)
        strength = _chosen(inside, y[train], groups[train], seed)
        scores[test] = decision(fit(inside, y[train], strength), features.rows(test))
    return scores, folds


def _calibrated(scores: Array, y: Rows, folds: Rows) -> Array:
    """Return probabilities of each fold, calibrated on the scores of the others."""
    from scipy.special import expit

    values = np.empty(len(y))
    for fold in np.unique(folds):
        test = folds == fold
        slope, offset = calibrate(scores[~test], y[~test])
        values[test] = expit(slope * scores[test] + offset)
    return values
