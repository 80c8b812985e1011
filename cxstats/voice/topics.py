"""Topics of texts: non-negative factors of tf-idf, and whether they come back in other texts.

References
----------
Lee & Seung (1999). Learning the parts of objects by non-negative matrix factorization. Nature 401,
788-791.
Greene, O'Callaghan & Cunningham (2014). How many topics? Stability analysis for topic models.
ECML PKDD 2014, 498-513.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, label, note_if
from cxstats.core.messages import cut
from cxstats.core.moments import check_resamples
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.stats.bootstrap import percentile_limits, replicate_means
from cxstats.stats.intervals import check_level
from cxstats.survey.personal_forms import mask_text
from cxstats.voice.normalise import read_texts
from cxstats.voice.words import terms_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Lists = list[list[int]]

CHOICES = range(2, 9)  # numbers of topics that are tried
TOP_TERMS = 10  # of a topic, on which agreement is measured
FEWEST_TERMS = 3  # where the vocabulary is small: its k-th part, or three
NAMING_TERMS = 3
SMALL = 100_000  # cells of a matrix that is faster full than sparse
MOST_TERMS = 1_000  # of the vocabulary
MOST_TEXTS = 1_000  # in a half on which stability is measured
HALVES = 2  # pairs of halves
CHOICE_SHUFFLES = 3  # for each number of topics that is tried
SHUFFLES = 19  # sets of texts without topics: the largest of 20 is a test at 5 %
REPRESENTATIVE = 3
LONGEST_SHOWN = 200  # characters of a representative text
FEWEST_TEXTS = 20


@dataclass(frozen=True, eq=False, repr=False)
class Topics(Result):
    """Topics of texts, and which of them come back in resamples.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per topic, the largest first: ``topic`` (number), ``terms``, ``n`` (texts of which
        it is the largest topic), ``estimate`` (share of all texts) with bootstrap limits
        ``ci_low, ci_high``, ``stability`` (agreement of its terms with those from halves of the
        texts, 0 to 1), ``is_stable``.
    representative : pandas.DataFrame
        ``topic, rank, text``: texts that have most of each topic; personal data are masked, and
        long texts cut.
    choice : pandas.DataFrame
        ``k, stability`` (mean agreement), ``chance`` and ``n_stable`` (topics above it) of the
        numbers of topics that were tried, `chance` from 3 sets of shuffled words.
    chance : float
        Largest agreement of a topic in texts whose words were dealt out at random, the 95th of 100:
        what is not above it does not come back.
    of_text : array of int (n,)
        Topic of each text; 0 where it has none of the terms.
    n, n_without, n_masked : int
        Texts; of these without any of the terms; pieces of personal data masked.
    level, n_resamples, seed, synthetic, notes
        As everywhere.
    """

    table: pd.DataFrame
    representative: pd.DataFrame
    choice: pd.DataFrame
    chance: float
    of_text: NDArray[np.intp]
    n: int
    n_without: int
    n_masked: int
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    reference: ClassVar = (
        "Greene, O'Callaghan & Cunningham (2014). How many topics? Stability analysis for topic "
        "models. ECML PKDD 2014, 498-513."
    )

    @property
    def n_stable(self) -> int:
        """How many topics come back."""
        return int(self.table["is_stable"].sum())

    @property
    def kinds(self) -> tuple[str, ...]:
        """The shares of the topics, where there are stable ones."""
        return ("shares",) if self.n_stable else ()

    def why_not(self, kind: str) -> str:
        """Return why nothing is drawn."""
        return "" if self.n_stable else "no topic comes back"

    def names(self, lang: str | None = None) -> list[str]:
        """Return the topics by their first terms."""
        comma, rows = label("audit.comma", lang), self.table
        return [
            label("topics.name", lang, number=number,
                  terms=comma.join(str(terms).split("; ")[:NAMING_TERMS]))
            for number, terms in zip(rows["topic"], rows["terms"], strict=True)
        ]  # fmt: skip

    def counts(self, lang: str | None = None) -> pd.Series[Any]:
        """Return how many texts each stable topic has, as `cxstats.pain_points` takes it.

        Texts of other topics, or of none, are counted under "no topic".

        Examples
        --------
        >>> import cxstats as cx
        >>> texts = ["dirty bathroom smell", "bathroom dirty floor", "queue at the counter"]
        >>> texts += ["long queue counter", "smell of dirty floor"]
        >>> result = topics(texts * 12, k=2, n_resamples=100)
        >>> counts = result.counts()
        >>> cx.pain_points(counts, kind="counts").table["count"].tolist()
        [36.0, 24.0]
        """
        import pandas as pd

        stable = self.table["is_stable"].to_numpy(bool)
        names = [name for name, keep in zip(self.names(lang), stable, strict=True) if keep]
        counts = pd.Series(self.table.loc[stable, "n"].to_numpy(int), index=names, dtype=int)
        rest = self.n - int(counts.sum())
        if rest:
            counts[label("topics.other", lang)] = rest
        return counts.rename_axis("topic")

    def findings(self, lang: str) -> list[str]:
        """Return the topics with their shares; or that none comes back."""
        size = format_number(self.n)
        if not self.n_stable:
            return [label("topics.none", lang, n=size)]
        agreement = format_number(float(self.table["stability"].mean()), 2)
        lines = [label("topics.head", lang, n=size, k=len(self.table), stability=agreement,
                       n_stable=self.n_stable)]  # fmt: skip
        for name, (_, row) in zip(self.names(lang), self.table.iterrows(), strict=True):
            key = "topics.row" if row["is_stable"] else "topics.row.unstable"
            lines.append(label(key, lang, name=name, terms=row["terms"],
                               share=self._share(row, lang)))  # fmt: skip
        return lines

    def _share(self, row: Any, lang: str) -> str:
        limits = interval(100 * row["ci_low"], 100 * row["ci_high"], 1)
        return f"{format_percent(100 * row['estimate'], 1, lang)} {limits}"

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the shares of the stable topics with their intervals."""
        stable = self.table["is_stable"].to_numpy(bool)
        names = [name for name, keep in zip(self.names(lang), stable, strict=True) if keep]
        rows = self.table[stable]
        values = 100 * rows[["estimate", "ci_low", "ci_high"]].to_numpy(float)
        return Chart(
            "intervals",
            (names, *values.T),
            {
                "source": label("topics.source", lang, n=format_number(self.n)),
                "level": self.level,
                "axis": label("topics.axis", lang),
                "decimals": 1,
                "title": label("topics.title", lang, name=names[0],
                               value=self._share(rows.iloc[0], lang)),
                "synthetic": self.synthetic,
            },
        )  # fmt: skip


@long_work("topics")
def topics(  # noqa: PLR0913  (options of a method)
    texts: Any,
    k: int | None = None,
    *,
    column: str | None = None,
    least: int = 5,
    most: float = 0.5,
    level: float = 0.95,
    n_resamples: int = 1_000,
    seed: int = 1,
    synthetic: bool = False,
) -> Topics:
    """Find topics of texts, and say which of them come back in other texts.

    Texts are rows of tf-idf of their words (those of `least` texts or more), ``X = W H`` with
    non-negative W and H minimises ``||X - W H||``. A text belongs to the topic that has the largest
    weight in it. The agreement of two topics is the mean over d = 1 to 10 of the Jaccard index of
    their first d terms; topics are paired so that their agreement is largest (Greene and
    colleagues, 2014). Topics are those of all texts, each is compared with those of halves of the
    texts, and is stable if its agreement is above that of every topic found in 19 sets of the same
    texts whose words were dealt out at random: in texts without topics, a stable one is found in
    about 5 % of all cases.

    Parameters
    ----------
    texts : list, array, Series or table of any engine
    k : int, optional
        Number of topics; without it the number from 2 to 8 at which most topics come back, less
        those that do not; of several the one whose mean agreement is furthest above chance.
    column : str, optional
        The column of texts of a table.
    least : int
        Texts that a word needs.
    most : float
        Share of the texts above which a word is left out. In texts of one trade 0.1 leaves out the
        words that they all share, which else make up one large topic.
    level : float
    n_resamples : int
        Of the texts, for the limits of the shares.
    seed : int
    synthetic : bool

    Returns
    -------
    Topics

    Raises
    ------
    CxError, DataError
        If there are fewer than 20 texts with a word, or an option is not allowed.

    Notes
    -----
    The vocabulary is the 1,000 words of most texts, and halves hold at most 1,000 texts. Limits of
    a share hold for the topics as they are.

    Examples
    --------
    >>> texts = ["dirty bathroom smell", "bathroom dirty floor", "queue at the counter"]
    >>> texts += ["long queue counter", "smell of dirty floor"]
    >>> topics(texts * 12, k=2, n_resamples=100).table[["n", "estimate"]].to_numpy().tolist()
    [[36.0, 0.6], [24.0, 0.4]]
    """
    check_level(level)
    check_resamples(n_resamples, seed)
    _check(k, least, most)
    read = read_texts(texts, column)
    words, vocabulary = _words(read.values, least, most)
    rows = np.array([i for i, each in enumerate(words) if each], int)
    if len(rows) < FEWEST_TEXTS:
        raise DataError(
            f"{len(rows)} texts have a word that stands in {least} texts or more; at least "
            f"{FEWEST_TEXTS} are needed"
        )
    lists, size = [words[i] for i in rows], len(vocabulary)
    generator = np.random.default_rng(seed)
    tried = [n for n in ([k] if k else CHOICES) if n < min(size, len(rows))]
    if not tried:
        raise DataError(f"{size} words: too few for {k or CHOICES[0]} topics")
    choice = _choice(lists, size, tried, generator)
    ranked = choice.assign(
        balance=2 * choice["n_stable"] - choice["k"], above=choice["stability"] - choice["chance"]
    )
    n_topics = int(ranked.sort_values(["balance", "above"], kind="stable")["k"].iloc[-1])
    stability, (weights, terms) = _stability(lists, size, n_topics, generator)
    chance = _chance(lists, size, n_topics, SHUFFLES, generator)
    of_text = np.zeros(len(read), np.intp)
    of_text[rows] = np.where(weights.max(axis=1) > 0, weights.argmax(axis=1) + 1, 0)
    order = np.argsort(-np.bincount(of_text, minlength=n_topics + 1)[1:], kind="stable")
    of_text = np.append(0, np.argsort(order) + 1)[of_text]
    weights, stability = weights[:, order], stability[order]
    table = _table(
        of_text, [[vocabulary[t] for t in terms[j]] for j in order], level, n_resamples, seed
    )
    table["stability"], table["is_stable"] = stability, stability > chance
    representative, n_masked = _representative(read.values, rows, weights)
    n_without = int((of_text == 0).sum())
    n_unstable = n_topics - int(table["is_stable"].sum())
    some = n_unstable < n_topics
    return Topics(
        table=table,
        representative=representative,
        choice=choice,
        chance=chance,
        of_text=of_text,
        n=len(read),
        n_without=n_without,
        n_masked=n_masked,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=synthetic,
        notes=(
            *note_if(some, "topics.note.label"),
            *note_if(some, "topics.note.conditional"),
            *note_if(some and n_unstable > 0, "topics.note.unstable", k=n_unstable),
            *note_if(n_masked > 0, "topics.note.masked", n=n_masked),
            *note_if(n_without > 0, "topics.note.without", n=format_number(n_without)),
        ),
    )


def _check(k: int | None, least: int, most: float) -> None:
    for name, value, low, high in (("k", k, 2, 30), ("least", least, 1, 10**6)):
        if name == "k" and value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise CxError(f"{name}={value!r}; allowed: whole numbers from {low} to {high:,}")
    if isinstance(most, bool) or not isinstance(most, (int, float)) or not 0 < most <= 1:
        raise CxError(f"most={most!r}; allowed: shares above 0, up to 1")


def _words(texts: Sequence[str], least: int, most: float) -> tuple[Lists, list[str]]:
    """Return the words of each text as places in the vocabulary, and the vocabulary."""
    sets = [terms_of(text, 1) for text in texts]
    frequencies = Counter(word for words in sets for word in words)
    limit = most * sum(map(bool, sets))
    ranked = sorted(frequencies, key=lambda word: (-frequencies[word], word))
    vocabulary = [word for word in ranked if least <= frequencies[word] <= limit][:MOST_TERMS]
    place = {word: i for i, word in enumerate(vocabulary)}
    return [sorted(place[word] for word in words if word in place) for words in sets], vocabulary


def _factors(lists: Lists, size: int, k: int) -> tuple[Array, NDArray[np.intp]]:
    """Return the weights (n, k) of topics in texts and the first terms (k, 10 at most) of each."""
    from scipy.sparse import csr_array
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction.text import TfidfTransformer

    ends = np.cumsum([0, *map(len, lists)])
    places = np.array([place for each in lists for place in each], np.int64)
    counts = csr_array((np.ones(len(places)), places, ends), shape=(len(lists), size))
    # Its error of a perfect fit may be the root of -1e-17; it is not used here.
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = NMF(k, init="nndsvda", max_iter=100, tol=1e-3, random_state=0)
        matrix = TfidfTransformer().fit_transform(counts)
        is_small = len(lists) * size <= SMALL
        weights = model.fit_transform(matrix.toarray() if is_small else matrix)
    # Weights are of one scale where each topic's terms have unit length.
    lengths = np.linalg.norm(model.components_, axis=1)
    n_terms = min(TOP_TERMS, max(FEWEST_TERMS, size // k))
    top = np.argsort(-model.components_, axis=1, kind="stable")[:, :n_terms]
    return weights * lengths, top


def _choice(
    lists: Lists, size: int, tried: Sequence[int], generator: np.random.Generator
) -> pd.DataFrame:
    """Return mean agreement, chance and how many topics come back for numbers of topics."""
    import pandas as pd

    rows = []
    for k in tried:
        agreements, _ = _stability(lists, size, k, generator)
        chance = _chance(lists, size, k, CHOICE_SHUFFLES, generator)
        rows.append((k, float(agreements.mean()), chance, int((agreements > chance).sum())))
    return pd.DataFrame(rows, columns=["k", "stability", "chance", "n_stable"])


def _chance(
    lists: Lists, size: int, k: int, n_shuffles: int, generator: np.random.Generator
) -> float:
    """Return the largest agreement of a topic in texts without topics."""
    shuffled = (_shuffled(lists, generator) for _ in range(n_shuffles))
    return max(float(_stability(each, size, k, generator)[0].max()) for each in shuffled)


def _stability(
    lists: Lists, size: int, k: int, generator: np.random.Generator
) -> tuple[Array, tuple[Array, NDArray[np.intp]]]:
    """Return the agreement (k,) of topics with those of halves, and their weights and terms."""
    from scipy.optimize import linear_sum_assignment

    weights, terms = _factors(lists, size, k)
    agreements = []
    for _ in range(HALVES):
        order = generator.permutation(len(lists))
        middle = len(order) // 2
        for half in (order[:middle][:MOST_TEXTS], order[middle:][:MOST_TEXTS]):
            _, others = _factors([lists[i] for i in half], size, k)
            matrix = np.array([[agreement(a, b) for b in others] for a in terms])
            pairs = linear_sum_assignment(-matrix)
            agreements.append(matrix[pairs])
    return np.mean(agreements, axis=0), (weights, terms)


def agreement(first: Sequence[int], second: Sequence[int]) -> float:
    """Return how far two rankings of terms agree: the mean Jaccard index of their first d terms.

    ``sum_d |A_d and B_d| / |A_d or B_d| / t`` over d = 1 to t.

    References
    ----------
    Greene, O'Callaghan & Cunningham (2014), equation 1 and table 1.

    Examples
    --------
    >>> album, music, best, award, win, sport, medal = range(7)
    >>> round(agreement([album, music, best, award, win], [sport, best, win, medal, award]), 3)
    0.154
    """
    left: set[int] = set()
    right: set[int] = set()
    total = 0.0
    for a, b in zip(first, second, strict=True):
        left.add(int(a))
        right.add(int(b))
        total += len(left & right) / len(left | right)
    return total / len(first)


def _shuffled(lists: Lists, generator: np.random.Generator) -> Lists:
    """Return texts of the same lengths and words of the same frequencies, without topics.

    Words are dealt out at random; a word that a text has already is dealt once.
    """
    places = generator.permutation(np.array([place for each in lists for place in each]))
    ends = np.cumsum([0, *map(len, lists)])
    return [sorted(set(places[a:b].tolist())) for a, b in pairwise(ends)]


def _table(
    of_text: NDArray[np.intp], terms: list[list[str]], level: float, n_resamples: int, seed: int
) -> pd.DataFrame:
    import pandas as pd

    k = len(terms)
    belongs = (of_text[:, None] == np.arange(1, k + 1)).astype(float)
    low, high = percentile_limits(replicate_means(belongs, n_resamples, seed), level)
    return pd.DataFrame(
        {
            "topic": np.arange(1, k + 1), "terms": ["; ".join(each) for each in terms],
            "n": belongs.sum(axis=0).astype(int), "estimate": belongs.mean(axis=0), "ci_low": low,
            "ci_high": high,
        }
    )  # fmt: skip


def _representative(
    texts: Sequence[str], rows: NDArray[np.intp], weights: Array
) -> tuple[pd.DataFrame, int]:
    """Return the texts with the largest weight of each topic, masked, and how much was masked."""
    import pandas as pd

    representative, n_masked = [], 0
    for j in range(weights.shape[1]):
        shown: set[str] = set()
        for i in np.argsort(-weights[:, j], kind="stable"):
            if len(shown) == REPRESENTATIVE or weights[i, j] <= 0:
                break
            text, counts = mask_text(texts[rows[i]])
            if text in shown:
                continue
            shown.add(text)
            n_masked += counts.total()
            representative.append((j + 1, len(shown), cut(text, LONGEST_SHOWN)))
    return pd.DataFrame(representative, columns=["topic", "rank", "text"]), n_masked
