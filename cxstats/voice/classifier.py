"""A classifier of opinions: n-grams weighted by their log odds, opinion words, logistic regression.

The score of a text with the set G of n-grams (1 to 3 tokens, each counted once) is

    s = sum_{g in G} r_g b_g / sqrt(sum_{g in G} r_g^2) + c'x + a

where r_g is the log ratio of the smoothed rates of g in positive and in negative training texts
(Wang & Manning 2012), x the counts of opinion words (`OpinionCounts.features`), and b, c, a come
from logistic regression with a ridge penalty. The probability is 1 / (1 + exp(-(slope s +
offset))), with slope and offset from scores of texts that the classifier was not trained on
(Platt 1999).

References
----------
Wang & Manning (2012). Baselines and bigrams: simple, good sentiment and topic classification.
Proceedings of ACL, 90-94.
Platt (1999). Probabilistic outputs for support vector machines. Advances in Large Margin
Classifiers, 61-74.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.progress import tracked
from cxstats.voice.ngrams import blocks, ngrams, positions, tokenise
from cxstats.voice.opinion_words import OpinionCounts, count_opinions

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from cxstats.voice.ngrams import Keys, Tokens

    Array = NDArray[np.float64]
    Labels = NDArray[np.int64]

MOST_TOKENS = 3  # of an n-gram
LEAST_TEXTS = 2  # that an n-gram is counted in
STEP = 5_000  # texts between two looks at the clock
ITERATIONS = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A classifier as the numbers that it consists of.

    Attributes
    ----------
    vocabulary : array (v,), ascending
        Keys of n-grams.
    ratios : array (v,)
        Log ratios r.
    coefficients : array (v,)
        Of the regression, b.
    opinion_coefficients : array (4,)
        c.
    intercept, slope, offset : float
    """

    vocabulary: Keys
    ratios: Array
    coefficients: Array
    opinion_coefficients: Array
    intercept: float
    slope: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What a classifier and the lexicon say of texts.

    Attributes
    ----------
    score : array (n,)
        NaN without a classifier.
    unknown_share : array (n,)
        Share of tokens that the classifier never saw; 0 for texts without tokens.
    opinions : OpinionCounts
    """

    score: Array
    unknown_share: Array
    opinions: OpinionCounts


@dataclass(frozen=True, slots=True, eq=False)
class TextFeatures:
    """Texts to train on.

    Attributes
    ----------
    presence : sparse array (n, v)
        1 where a text has an n-gram.
    vocabulary : array (v,), ascending
    opinions : array (n, 4)
    """

    presence: sparse.csr_array
    vocabulary: Keys
    opinions: Array

    def rows(self, rows: Labels) -> TextFeatures:
        """Return some of the texts, by their numbers; a number may stand there more than once."""
        return replace(self, presence=self.presence[rows], opinions=self.opinions[rows])


def text_features(texts: Sequence[str]) -> TextFeatures:
    """Return the n-grams of normalised texts that at least two of them have, and opinion counts."""
    from scipy import sparse

    entries, opinions = [], []
    for start, stop in blocks(texts):
        tokens = tokenise(texts[start:stop])
        opinions.append(count_opinions(tokens).features)
        for n in range(1, MOST_TOKENS + 1):
            entry = ngrams(tokens, n)
            entries.append((entry.keys, entry.rows + start))
    vocabulary, columns = np.unique(
        np.concatenate([keys for keys, _ in entries]), return_inverse=True
    )
    size = max(len(vocabulary), 1)
    pairs = np.unique(np.concatenate([rows for _, rows in entries]) * size + columns)
    rows, columns = np.divmod(pairs, size)
    frequent = np.bincount(columns, minlength=len(vocabulary)) >= LEAST_TEXTS
    column = np.cumsum(frequent) - 1
    inside = frequent[columns]
    entries_of = (rows[inside], column[columns[inside]])
    presence = sparse.csr_array(
        (np.ones(inside.sum()), entries_of), shape=(len(texts), int(frequent.sum()))
    )
    return TextFeatures(presence, vocabulary[frequent], np.concatenate(opinions))


def fit(features: TextFeatures, labels: Labels, strength: float) -> Classifier:
    """Return the classifier of labelled texts, its probabilities not yet calibrated.

    Parameters
    ----------
    features : TextFeatures
    labels : array (n,)
        1 positive, 0 negative.
    strength : float
        C of the logistic regression: the larger, the closer to the texts of training.
    """
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    ratios = log_ratios(features.presence, labels)
    weighted = features.presence @ sparse.diags_array(ratios)
    weighted = sparse.diags_array(1 / lengths(features.presence, ratios)) @ weighted
    design = sparse.csr_array(sparse.hstack([weighted, sparse.csr_array(features.opinions)]))
    design.indices, design.indptr = design.indices.astype(np.int32), design.indptr.astype(np.int32)
    regression = LogisticRegression(
        C=strength, solver="liblinear", dual=True, max_iter=ITERATIONS, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence: its last digits do not matter here
        regression.fit(design, labels)
    coefficients = regression.coef_[0]
    n_ngrams = len(features.vocabulary)
    return Classifier(
        features.vocabulary,
        ratios,
        coefficients[:n_ngrams],
        coefficients[n_ngrams:],
        float(regression.intercept_[0]),
    )


def decision(classifier: Classifier, features: TextFeatures) -> Array:
    """Return the scores of texts whose n-grams are those of the classifier's vocabulary."""
    weighted = features.presence @ (classifier.ratios * classifier.coefficients)
    weighted = weighted / lengths(features.presence, classifier.ratios)
    opinions = features.opinions @ classifier.opinion_coefficients
    scores: Array = weighted + opinions + classifier.intercept
    return scores


def calibrate(scores: Array, labels: Labels) -> tuple[float, float]:
    """Return slope and offset of the probabilities, from scores of texts not trained on."""
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=1e4).fit(scores[:, None], labels)
    return float(regression.coef_[0, 0]), float(regression.intercept_[0])


def probabilities(classifier: Classifier, scores: Array) -> Array:
    """Return the probability of positive for each score."""
    from scipy.special import expit

    values: Array = expit(classifier.slope * scores + classifier.offset)
    return values


def score_texts(texts: Sequence[str], classifier: Classifier | None) -> Scores:
    """Return scores of normalised texts, in blocks, with a progress bar.

    Parameters
    ----------
    texts : sequence of str (n,)
    classifier : Classifier or None
        None for the lexicon alone.
    """
    score, unknown = np.full(len(texts), np.nan), np.zeros(len(texts))
    positive, negative = np.zeros((2, len(texts)))
    for first, last in tracked(len(texts), STEP, "texts"):
        for start, stop in blocks(texts[first:last]):
            at = slice(first + start, first + stop)
            tokens = tokenise(texts[at])
            counts = count_opinions(tokens)
            positive[at], negative[at] = counts.positive, counts.negative
            if classifier is not None:
                sums, unknown[at] = _sums(tokens, classifier)
                opinions = counts.features @ classifier.opinion_coefficients
                score[at] = sums + opinions + classifier.intercept
    return Scores(score, unknown, OpinionCounts(positive, negative))


def _sums(tokens: Tokens, classifier: Classifier) -> tuple[Array, Array]:
    """Return the sum over the n-grams of each text, and its share of unknown tokens."""
    n, size = tokens.n_texts, len(classifier.vocabulary)
    pairs = []
    for length in range(1, MOST_TOKENS + 1):
        entries = ngrams(tokens, length)
        place = positions(entries.keys, classifier.vocabulary)
        if length == 1:
            unknown = np.bincount(entries.rows[place < 0], minlength=n)
            total = np.bincount(entries.rows, minlength=n)
        pairs.append(entries.rows[place >= 0] * size + place[place >= 0])
    rows, columns = np.divmod(np.unique(np.concatenate(pairs)), max(size, 1))
    ratios = classifier.ratios[columns]
    sums = np.bincount(rows, ratios * classifier.coefficients[columns], minlength=n)
    length_of_text = np.sqrt(np.bincount(rows, ratios**2, minlength=n))
    return sums / np.where(length_of_text > 0, length_of_text, 1), unknown / np.maximum(total, 1)


def log_ratios(presence: sparse.csr_array, labels: Labels, least: int = LEAST_TEXTS) -> Array:
    """Return the log ratio r of each n-gram; 0 where fewer than `least` texts have it.

    Parameters
    ----------
    presence : sparse array (n, v)
    labels : array (n,)
        1 or 0.
    least : int
    """
    positive = np.asarray(presence[labels == 1].sum(axis=0)).ravel()
    negative = np.asarray(presence[labels == 0].sum(axis=0)).ravel()
    p, q = positive + 1, negative + 1
    ratios = np.log(p / p.sum()) - np.log(q / q.sum())
    return np.where(positive + negative >= least, ratios, 0)


def lengths(presence: sparse.csr_array, ratios: Array) -> Array:
    """Return the length of each text's vector of ratios, and 1 for texts without n-grams."""
    values = np.sqrt(presence @ ratios**2)
    return np.where(values > 0, values, 1.0)
