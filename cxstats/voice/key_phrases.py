"""Key phrases: which words and pairs of words set two groups of texts apart.

References
----------
Monroe, Colaresi & Quinn (2008). Fightin' words: Lexical feature selection and evaluation for
identifying the content of political conflict. Political Analysis 16(4), 372-403.
Gart (1966). Alternative analyses of contingency tables. JRSS B 28, 164-179.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import CHINESE, Text, both, label, note_if
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.stats.hypothesis_tests import adjust
from cxstats.stats.intervals import check_level, normal_quantile, wilson_interval
from cxstats.voice.normalise import read_texts
from cxstats.voice.words import terms_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

LEAST = 5  # texts that have a phrase
SHOWN = 10  # phrases of a side in the summary and the chart


@dataclass(frozen=True, eq=False, repr=False)
class KeyPhrases(Result):
    """Phrases by how much more often one group of texts uses them than another.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per phrase: ``phrase, estimate`` (log odds ratio, above 0 where the first texts use
        it more; with one group the share of its texts), ``se, ci_low, ci_high, z, p_value,
        p_adjusted`` (Holm), ``count_1, count_2`` (texts that have it), ``n_1, n_2`` (texts). The
        most typical of the first texts first, by ``z``.
    first, second : Text
        What the groups are called.
    n_1, n_2 : int
        Texts of the first and of the second that are not empty.
    prior, level, synthetic, notes
        As passed; what a reader must know.
    """

    table: pd.DataFrame
    first: Text
    second: Text | None
    n_1: int
    n_2: int
    prior: float | None
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    reference: ClassVar = (
        "Monroe, Colaresi & Quinn (2008). Fightin' words: Lexical feature selection and evaluation "
        "for identifying the content of political conflict. Political Analysis 16(4), 372-403."
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The phrases with their intervals."""
        return ("intervals",) if len(self.table) else ()

    def findings(self, lang: str) -> list[str]:
        """Return the phrases most typical of either group."""
        values = {"k": format_number(len(self.table)), "n_1": format_number(self.n_1)}
        if self.second is None:
            lines = [label("phrases.head.one", lang, **values)]
        else:
            lines = [label("phrases.head.two", lang, first=self.first.get(lang),
                           second=self.second.get(lang), n_2=format_number(self.n_2),
                           **values)]  # fmt: skip
        for i in self._extremes():
            row = self.table.iloc[i]
            if self.second is None:
                lines.append(label("phrases.row.one", lang, phrase=row["phrase"],
                                   value=format_percent(100 * row["estimate"], 1, lang),
                                   interval=interval(100 * row["ci_low"], 100 * row["ci_high"], 1),
                                   ))  # fmt: skip
                continue
            lines.append(label("phrases.row.two", lang, phrase=row["phrase"],
                               value=format_number(row["estimate"], 2, sign=True),
                               interval=interval(row["ci_low"], row["ci_high"]),
                               count_1=format_number(row["count_1"]),
                               count_2=format_number(row["count_2"])))  # fmt: skip
        return lines

    def _extremes(self) -> list[int]:
        """Return the rows most typical of either group, at most ten of each, in their order."""
        n = len(self.table)
        if self.second is None:
            return list(range(min(n, 2 * SHOWN)))
        signs = self.table["estimate"].to_numpy(float)
        first = [i for i in range(min(n, SHOWN)) if signs[i] > 0]
        return first + [i for i in range(max(n - SHOWN, 0), n) if signs[i] < 0 and i not in first]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the phrases most typical of either group, with their intervals."""
        rows = self.table.iloc[self._extremes()]
        factor, key = (100, "one") if self.second is None else (1, "two")
        values = factor * rows[["estimate", "ci_low", "ci_high"]].to_numpy(float)
        top = self.table.iloc[0]
        value = interval(values[0, 1], values[0, 2], 1 if factor == 100 else 2)
        number = (
            format_percent(100 * top["estimate"], 1, lang)
            if self.second is None
            else format_number(top["estimate"], 2)
        )
        n = int(top["n_1"] + (0 if self.second is None else top["n_2"]))
        sides = {
            "first": self.first.get(lang),
            "second": self.second.get(lang) if self.second else "",
        }
        return Chart(
            "intervals",
            (rows["phrase"].tolist(), *values.T),
            {
                "source": label("phrases.source", lang, n=format_number(n)),
                "level": self.level,
                "axis": label(f"phrases.axis.{key}", lang, **(sides if self.second else {})),
                "decimals": 1 if factor == 100 else 2,
                "title": label(f"phrases.title.{key}", lang, phrase=top["phrase"],
                               value=f"{number} {value}",
                               **({"first": sides["first"]} if self.second else {})),
                "synthetic": self.synthetic,
            },
        )  # fmt: skip


def log_odds_ratio(
    count_1: ArrayLike, count_2: ArrayLike, n_1: float, n_2: float, prior: float | None = None
) -> tuple[Array, Array]:
    """Return log odds ratios of two groups of texts with a Dirichlet prior, and standard errors.

    ``d = log((y1 + a) / (n1 - y1 + b)) - log((y2 + a) / (n2 - y2 + b))`` and
    ``se^2 = 1/(y1 + a) + 1/(n1 - y1 + b) + 1/(y2 + a) + 1/(n2 - y2 + b)``. Without `prior`,
    ``a = b = 1/2`` (Gart). With it, the informative prior of Monroe and colleagues:
    ``a = prior p`` and ``b = prior (1 - p)``, where p is the share of both groups together.

    Parameters
    ----------
    count_1, count_2 : arrays (k,)
        Texts of each group that have the phrase.
    n_1, n_2 : float
        Texts of each group.
    prior : float, optional
        How many texts the prior is worth.

    Examples
    --------
    >>> d, se = log_odds_ratio([30], [10], 100, 100)
    >>> d.round(3).tolist(), se.round(3).tolist()
    ([1.316], [0.391])
    """
    y_1, y_2 = np.asarray(count_1, float), np.asarray(count_2, float)
    share = (y_1 + y_2) / (n_1 + n_2)
    a, b = (0.5, 0.5) if prior is None else (prior * share, prior * (1 - share))
    cells = [y_1 + a, n_1 - y_1 + b, y_2 + a, n_2 - y_2 + b]
    with np.errstate(divide="ignore"):
        se = np.sqrt(sum(1 / cell for cell in cells))
        return np.log(cells[0] / cells[1]) - np.log(cells[2] / cells[3]), np.asarray(se)


@long_work("key phrases")
def key_phrases(  # noqa: PLR0913  (options of a method)
    texts: Any,
    against: Any = None,
    *,
    column: str | None = None,
    names: tuple[str, str] | None = None,
    longest: int = 2,
    least: int = LEAST,
    prior: float | None = None,
    level: float = 0.95,
    synthetic: bool = False,
) -> KeyPhrases:
    """Find the phrases that one group of texts uses more often than another.

    Counts are of texts that have a phrase, so that a text that repeats it counts once: texts are
    independent of each other, words of a text are not. Formula and intervals are those of
    `log_odds_ratio`.

    Parameters
    ----------
    texts : list, array, Series or table of any engine
    against : the same, optional
        The texts to compare with, such as the positive ones. Without it the phrases of `texts` by
        the share of texts that have them.
    column : str, optional
        The column of texts of tables.
    names : (first, second), optional
        What the groups are called.
    longest : int
        Words of a phrase at most, 1 to 3.
    least : int
        Texts of both groups together that have a phrase.
    prior : float, optional
        See `log_odds_ratio`.
    level : float
    synthetic : bool

    Returns
    -------
    KeyPhrases

    Raises
    ------
    CxError, DataError
    MissingToolError
        If jieba is not installed and texts are Chinese.

    Notes
    -----
    Personal data end a phrase and never stand in one. Empty texts are left out.

    Examples
    --------
    >>> bad = ["dirty room", "dirty bathroom", "dirty room again", "slow"] * 5
    >>> good = ["lovely room", "friendly staff", "lovely", "clean room"] * 5
    >>> table = key_phrases(bad, good).table
    >>> table["phrase"].iloc[0], table["phrase"].iloc[-1]
    ('dirty', 'lovely')
    """
    import pandas as pd

    check_level(level)
    _check(longest, least, prior)
    if names is not None and (isinstance(names, str) or len(names) != 2):
        raise CxError(f"names={names!r}; allowed: two names, such as ('2023', '2024')")
    first = _counts(texts, column, longest)
    second = (Counter[str](), 0) if against is None else _counts(against, column, longest)
    pooled = first[0] + second[0]
    phrases = sorted(phrase for phrase, count in pooled.items() if count >= least)
    count_1, count_2 = (
        np.array([counts[p] for p in phrases], float) for counts, _ in (first, second)
    )
    n_1, n_2 = first[1], second[1]
    if against is None:
        estimate = count_1 / max(n_1, 1)
        se = np.sqrt(estimate * (1 - estimate) / max(n_1, 1))
        low, high = wilson_interval(estimate, np.full(len(phrases), n_1), level)
        z = p_value = np.full(len(phrases), np.nan)
    else:
        from scipy.special import ndtr

        estimate, se = log_odds_ratio(count_1, count_2, n_1, n_2, prior)
        half = normal_quantile(level) * se
        low, high, z = estimate - half, estimate + half, estimate / se
        p_value = 2 * ndtr(-np.abs(z))
    table = pd.DataFrame(
        {
            "phrase": phrases, "estimate": estimate, "se": se, "ci_low": low, "ci_high": high,
            "z": z, "p_value": p_value, "p_adjusted": adjust(p_value),
            "count_1": count_1.astype(int), "count_2": count_2.astype(int), "n_1": n_1, "n_2": n_2,
        }
    )  # fmt: skip
    by = "estimate" if against is None else "z"
    table = table.sort_values(by, ascending=False, kind="stable").reset_index(drop=True)
    is_chinese = any(map(_has_chinese, phrases))
    return KeyPhrases(
        table=table,
        first=both("phrases.first") if names is None else Text(str(names[0]), str(names[0])),
        second=None if against is None else both("phrases.second") if names is None
        else Text(str(names[1]), str(names[1])),
        n_1=n_1,
        n_2=n_2,
        prior=prior,
        level=level,
        synthetic=synthetic,
        notes=(
            *note_if(is_chinese, "phrases.note.words"),
            *note_if(against is not None and len(phrases) > 0, "phrases.note.selected",
                     k=format_number(len(phrases))),
            *note_if(not phrases, "phrases.note.none", least=least),
        ),
    )  # fmt: skip


def _check(longest: int, least: int, prior: float | None) -> None:
    if longest not in (1, 2, 3):
        raise CxError(f"longest={longest!r}; allowed: 1, 2 or 3 words")
    if isinstance(least, bool) or not isinstance(least, int) or least < 1:
        raise CxError(f"least={least!r}; allowed: whole numbers from 1 upwards")
    if prior is not None and (not isinstance(prior, Real) or not 0 < prior < np.inf):
        raise CxError(f"prior={prior!r}; allowed: numbers above 0, or None")


def _counts(texts: Any, column: str | None, longest: int) -> tuple[Counter[str], int]:
    """Return how many texts have each phrase, and how many texts are not empty."""
    values = [text for text in read_texts(texts, column).values if text]
    counts: Counter[str] = Counter()
    for text in values:
        counts.update(terms_of(text, longest))
    return counts, len(values)


def _has_chinese(phrase: str) -> bool:
    import re

    return re.search(CHINESE, phrase) is not None
