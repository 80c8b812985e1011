"""Aspects: which touchpoints texts name, and how positive the texts are that name them.

References
----------
Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22.
Newcombe (1998). Interval estimation for the difference between independent proportions.
Statistics in Medicine 17, 873-890.
Zou & Donner (2008). Construction of confidence limits about effect measures. Statistics in
Medicine 27, 1693-1702.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, label, note_if
from cxstats.core.messages import excerpt, listing, meant, row_name
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.stats.hypothesis_tests import adjust
from cxstats.stats.intervals import (
    check_level,
    difference_interval,
    t_interval,
    wilson_interval,
)
from cxstats.voice.lexicon import Aspect, comparable, read_lexicon
from cxstats.voice.normalise import Texts, read_column, read_texts

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FEW = 10  # texts that name an aspect, below which its share is too rough to read
ADJUSTMENTS = {"holm": "Holm", "fdr_bh": "Benjamini-Hochberg"}


@dataclass(frozen=True, eq=False, repr=False)
class Aspects(Result):
    """How often texts name each aspect, and how positive the texts are that do.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per aspect in the order of the lexicon: ``aspect``; ``n`` (texts that name it),
        ``share`` of all texts with Wilson's interval; with a polarity ``estimate`` (share positive
        among them) and ``ci_low, ci_high``; ``difference`` from the texts that do not name it with
        its interval, ``p_value, p_adjusted``.
    base : pandas.DataFrame
        ``estimate, ci_low, ci_high, n``: the share positive of all texts.
    aspects : tuple of Aspect
    mentions : array of bool (n, k)
        Which text names which aspect.
    polarity : array (n,) or None
        1 positive, 0 negative, or a probability; NaN where not known.
    kind : {"none", "label", "probability"}
        What the polarity is.
    n, n_empty : int
        Texts; of these without a word.
    adjustment, level, synthetic, notes
        As everywhere.
    """

    table: pd.DataFrame
    base: pd.DataFrame
    aspects: tuple[Aspect, ...]
    mentions: NDArray[np.bool_]
    polarity: Array | None
    kind: str
    n: int
    n_empty: int
    adjustment: str
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    reference: ClassVar = (
        "Newcombe (1998). Interval estimation for the difference between independent proportions. "
        "Statistics in Medicine 17, 873-890."
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """How often each is named and, with a polarity, the shares positive and the differences."""
        kinds = ("named",) if self.table["n"].sum() else ()
        if self.table["estimate"].notna().any():
            kinds = ("positive", *kinds)
        return (*kinds, "difference") if self.table["difference"].notna().any() else kinds

    def names(self, lang: str | None = None) -> list[str]:
        """Return the aspects in a language."""
        return [aspect.name.get(lang) for aspect in self.aspects]

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with the aspects in `lang`."""
        return self.table.assign(aspect=self.names(lang))

    def by_touchpoint(
        self, touchpoints: Mapping[str, str | Sequence[str]] | None = None
    ) -> pd.DataFrame:
        """Return positive texts and texts per touchpoint, as the emotion curve takes them.

        A text that names several aspects of a touchpoint counts once for it. Texts of which the
        polarity is not known are left out. With probabilities ``positive`` is their sum.

        Parameters
        ----------
        touchpoints : mapping of touchpoint to aspect or aspects, optional
            Without it each aspect is a touchpoint of its own name.

        Returns
        -------
        pandas.DataFrame
            Index ``touchpoint``; columns ``positive, n``.

        Raises
        ------
        CxError
            If there is no polarity, or an aspect is not in the lexicon.

        Examples
        --------
        >>> import cxstats as cx
        >>> texts = ["breakfast was good", "no breakfast", "friendly reception", "long check-in"]
        >>> counts = aspects(texts, [1, 0, 1, 0], lexicon="hotel").by_touchpoint(
        ...     {"arrive": "front desk", "eat": ["breakfast"]}
        ... )
        >>> counts.to_dict("index")
        {'arrive': {'positive': 1.0, 'n': 2}, 'eat': {'positive': 1.0, 'n': 2}}
        >>> journey = {"stages": [{"name": "stay", "touchpoints": ["arrive", "eat"]}]}
        >>> curve = cx.journey(journey).emotion_curve_from_counts(counts["positive"], counts["n"])
        >>> curve.table["estimate"].tolist()
        [0.5, 0.5]
        """
        import pandas as pd

        if self.polarity is None:
            raise CxError("these aspects have no polarity; give it: aspects(texts, polarity=...)")
        names = [aspect.name.en for aspect in self.aspects]
        chosen = {name: name for name in names} if touchpoints is None else touchpoints
        has_polarity = ~np.isnan(self.polarity)
        rows = {}
        for touchpoint, members in chosen.items():
            listed = [members] if isinstance(members, str) else list(members)
            for name in listed:
                if name not in names:
                    raise CxError(
                        f"touchpoint {excerpt(touchpoint)}: {excerpt(name)} is no aspect"
                        f"{meant(name, names)}; allowed: {listing(names)}"
                    )
            named = self.mentions[:, [names.index(name) for name in listed]].any(axis=1)
            named &= has_polarity
            rows[touchpoint] = (float(self.polarity[named].sum()), int(named.sum()))
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["positive", "n"])
        return frame.rename_axis("touchpoint")

    def findings(self, lang: str) -> list[str]:
        """Return how many texts name each aspect, and how positive they are."""
        level = format_percent(100 * self.level, None, lang)
        counts = {"n": format_number(self.n), "k": len(self.aspects), "level": level}
        lines = [label("aspects.head", lang, **counts)]
        if self.kind != "none":
            row = self.base.iloc[0]
            lines.append(label("aspects.base", lang, n=format_number(row["n"]),
                               value=_percent(row, "estimate", "", lang)))  # fmt: skip
        for name, (_, row) in zip(self.names(lang), self.table.iterrows(), strict=True):
            values = {
                "name": name,
                "n": format_number(row["n"]),
                "share": _percent(row, "share", "share_", lang),
            }
            if np.isnan(row["estimate"]):
                lines.append(label("aspects.row", lang, **values))
                continue
            values["value"] = _percent(row, "estimate", "", lang)
            if np.isnan(row["difference"]):
                lines.append(label("aspects.row.positive", lang, **values))
                continue
            ends = (row["difference_ci_low"], row["difference_ci_high"])
            values["points"] = format_number(100 * row["difference"], 1, sign=True)
            values["interval"] = interval(100 * ends[0], 100 * ends[1], 1)
            lines.append(label("aspects.row.compared", lang, **values))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return shares positive against the base, differences, or how often each is named."""
        estimate, ends = {
            "positive": ("estimate", ("ci_low", "ci_high")),
            "named": ("share", ("share_ci_low", "share_ci_high")),
            "difference": ("difference", ("difference_ci_low", "difference_ci_high")),
        }[kind]
        rows = np.flatnonzero(self.table[estimate].notna().to_numpy())
        values = 100 * self.table[[estimate, *ends]].to_numpy(float)[rows]
        order = np.argsort(-values[:, 0], kind="stable")
        names = [self.names(lang)[i] for i in rows[order]]
        base = 100 * float(self.base["estimate"].iloc[0]) if kind == "positive" else 0.0
        return Chart(
            "intervals",
            (names, *values[order].T),
            {
                "source": label("aspects.source", lang, n=format_number(self.n)),
                "level": self.level,
                "reference": round(base, 1),
                "axis": label(f"aspects.axis.{kind}", lang),
                "decimals": 1,
                "title": self._title(kind, rows[order], lang),
                "synthetic": self.synthetic,
            },
        )

    def _title(self, kind: str, rows: NDArray[np.intp], lang: str) -> str:
        """Return which aspect is lowest, or named most often."""
        at = int(rows[0] if kind == "named" else rows[-1])
        column, prefix = {
            "positive": ("estimate", ""),
            "named": ("share", "share_"),
            "difference": ("difference", "difference_"),
        }[kind]
        row = self.table.iloc[at]
        if kind == "difference":
            value = format_number(100 * row["difference"], 1, sign=True)
            low, high = (100 * row[f"{prefix}ci_{end}"] for end in ("low", "high"))
            value += f" {interval(low, high, 1)}"
        else:
            value = _percent(row, column, prefix, lang)
        base = format_percent(100 * float(self.base["estimate"].iloc[0]), 1, lang)
        return label(f"aspects.title.{kind}", lang, name=self.names(lang)[at], value=value,
                     base=base)  # fmt: skip


@long_work("aspects")
def aspects(  # noqa: PLR0913  (options of a method)
    texts: Any,
    polarity: Any = None,
    *,
    column: str | None = None,
    lexicon: str | Path | Mapping[str, Any] = "touchpoints",
    lang: str | None = None,
    text_of: Any = None,
    adjustment: str = "holm",
    level: float = 0.95,
    synthetic: bool = False,
) -> Aspects:
    """Count which texts name which aspect, and compare how positive they are.

    For each aspect: the share of texts that name it (Wilson), the share positive among them, and
    its difference from the texts that do not name it. Of labels: Wilson's intervals, Newcombe's
    interval of the difference and Fisher's exact test. Of probabilities: means with Student's t
    intervals, Zou and Donner's interval of the difference and Welch's test.

    Parameters
    ----------
    texts : list, array, Series or table of any engine
        One text a customer; missing ones count as texts that name nothing.
    polarity : str, or list, array or Series (n,), optional
        1 positive and 0 negative (True and False), or the probability that a text is positive;
        missing where not known. A str names a column of the table `texts`.
    column : str, optional
        The column of texts of a table.
    lexicon : {"touchpoints", "hotel", "shop", "bank"}, path or mapping
        See `cxstats.voice.lexicon.read_lexicon`.
    lang : {"en", "zh"}, optional
        Only the terms of one language.
    text_of : str, or list, array or Series (n,), optional
        Where `texts` are sentences: the text that each belongs to. An aspect then has, in each
        text, the mean polarity of the sentences that name it, and texts are compared.
    adjustment : {"holm", "fdr_bh"}
        Of the p values of all aspects.
    level : float
    synthetic : bool
        Whether the texts are made up.

    Returns
    -------
    Aspects

    Raises
    ------
    CxError, DataError
        Naming the row, value and what is allowed.

    Notes
    -----
    A difference is an association: that a text is negative and names an aspect does not say that
    the aspect is why. Polarity belongs to the whole text unless sentences are given. How often an
    aspect is named depends on its terms, and texts are taken as independent. Probabilities of a
    classifier carry its error, which no interval here contains.

    On the 7,759 distinct lines of `cxstats.load_chinese_reviews` about hotels (43.3 % positive) the
    shares positive are: booking .280, location .682, staff .369, bathroom .348, price .514,
    check-out .271.

    Examples
    --------
    >>> texts = ["breakfast was good", "no breakfast", "friendly staff", "nice", "dirty bathroom"]
    >>> result = aspects(texts, [1, 0, 1, 1, 0], lexicon="hotel")
    >>> result.table.set_index("aspect").loc["breakfast", ["n", "estimate", "difference"]].tolist()
    [2.0, 0.5, -0.16666666666666663]
    """
    import pandas as pd

    check_level(level)
    if adjustment not in ADJUSTMENTS:
        raise CxError(f"adjustment={adjustment!r}; allowed: {', '.join(map(repr, ADJUSTMENTS))}")
    read = read_texts(texts, column)
    choice = read_lexicon(lexicon, lang)
    mentions = _mentions(read.values, choice)
    values = None if polarity is None else _polarity(polarity, read, texts)
    empty = np.array([not text for text in read.values])
    scores = None if values is None else np.where(mentions, values[:, None], np.nan)
    if text_of is not None:
        mentions, scores, values, empty = _by_text(
            read_column(text_of, len(read), "text_of", texts), mentions, scores, values, empty
        )
    n = len(mentions)
    kind = "none" if values is None else _kind(values, text_of is not None)
    table = _named(choice, mentions, level)
    table = pd.concat([table, _compared(mentions, scores, values, kind, level)], axis=1)
    table["p_adjusted"] = adjust(table["p_value"].to_numpy(float), adjustment)
    base = _base(values, kind, level)
    return Aspects(
        table=table,
        base=base,
        aspects=choice,
        mentions=mentions,
        polarity=values,
        kind=kind,
        n=n,
        n_empty=int(empty.sum()),
        adjustment=adjustment,
        level=level,
        synthetic=synthetic,
        notes=_notes(choice, table, values, kind, read, int(empty.sum()), adjustment),
    )


def _mentions(texts: list[str], choice: tuple[Aspect, ...]) -> NDArray[np.bool_]:
    """Return which text (rows) names which aspect (columns)."""
    patterns = [aspect.pattern() for aspect in choice]
    mentions = np.zeros((len(texts), len(choice)), bool)
    for i, text in enumerate(texts):
        plain = comparable(text)
        for j, (aspect, pattern) in enumerate(zip(choice, patterns, strict=True)):
            mentions[i, j] = aspect.names(plain, pattern)
    return mentions


def _polarity(polarity: Any, read: Texts, texts: Any) -> Array:
    """Return polarity as numbers from 0 to 1, NaN where missing."""
    import pandas as pd

    cells = read_column(polarity, len(read), "polarity", texts)
    values = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        if cell is None or cell is pd.NA or cell is pd.NaT:
            continue
        is_number = isinstance(cell, (bool, int, float, np.bool_, np.integer, np.floating))
        values[i] = cell if is_number and not abs(cell) > 1 else np.inf
        if values[i] < 0 or values[i] > 1:
            raise DataError(
                f"polarity, {row_name(read.index, i)}: {excerpt(cell)}; allowed: 1 (positive), 0 "
                "(negative), a probability, or nothing"
            )
    if np.isnan(values).all():
        raise DataError("polarity has no value; allowed: 1, 0 or probabilities")
    return values


def _kind(values: Array, is_mean: bool) -> str:
    is_label = not is_mean and np.isin(values[~np.isnan(values)], (0, 1)).all()
    return "label" if is_label else "probability"


def _by_text(
    ids: Sequence[Any],
    mentions: NDArray[np.bool_],
    scores: Array | None,
    values: Array | None,
    empty: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], Array | None, Array | None, NDArray[np.bool_]]:
    """Return mentions, scores, polarity and emptiness of texts from those of their sentences."""
    import pandas as pd

    codes, _ = pd.factorize(pd.Series(ids, dtype=object), use_na_sentinel=False)
    named = pd.DataFrame(mentions).groupby(codes).any().to_numpy(bool)
    blank = pd.Series(empty).groupby(codes).all().to_numpy(bool)
    if scores is None or values is None:
        return named, None, None, blank
    means: Array = pd.DataFrame(scores).groupby(codes).mean().to_numpy(float)
    overall: Array = np.asarray(pd.Series(values).groupby(codes).mean(), np.float64)
    return named, means, overall, blank


def _named(choice: tuple[Aspect, ...], mentions: NDArray[np.bool_], level: float) -> pd.DataFrame:
    import pandas as pd

    counts, n = mentions.sum(axis=0), len(mentions)
    low, high = wilson_interval(counts / n, np.full(len(counts), n), level)
    names = [aspect.name.en for aspect in choice]
    return pd.DataFrame(
        {"aspect": names, "n": counts, "share": counts / n, "share_ci_low": low,
         "share_ci_high": high}
    )  # fmt: skip


def _estimate(values: Array, kind: str, level: float) -> tuple[float, float, float]:
    """Return the share positive of texts, and its interval."""
    n = len(values)
    if not n:
        return (np.nan,) * 3
    mean = float(values.mean())
    if kind == "label":
        low, high = wilson_interval(mean, n, level)
    else:
        sd = values.std(ddof=1) if n > 1 else np.nan
        se, df = np.array([sd / np.sqrt(n)]), np.array([n - 1.0])
        low, high = (np.clip(end, 0, 1)[0] for end in t_interval(np.array([mean]), se, df, level))
    return mean, float(low), float(high)


def _base(values: Array | None, kind: str, level: float) -> pd.DataFrame:
    import pandas as pd

    scores = np.array([]) if values is None else values[~np.isnan(values)]
    row = (*_estimate(scores, kind, level), len(scores))
    return pd.DataFrame([row], columns=["estimate", "ci_low", "ci_high", "n"])


def _compared(
    mentions: NDArray[np.bool_], scores: Array | None, values: Array | None, kind: str, level: float
) -> pd.DataFrame:
    """Return the share positive of each aspect and its difference from the other texts."""
    import pandas as pd

    heads = ["estimate", "ci_low", "ci_high", "difference", "difference_ci_low",
             "difference_ci_high", "p_value"]  # fmt: skip
    rows = np.full((mentions.shape[1], len(heads)), np.nan)
    if scores is None or values is None:
        return pd.DataFrame(rows, columns=heads)
    for j in range(mentions.shape[1]):
        naming = scores[mentions[:, j], j]
        others = values[~mentions[:, j]]
        naming, others = (x[~np.isnan(x)] for x in (naming, others))
        first, second = (_estimate(x, kind, level) for x in (naming, others))
        rows[j, :3] = first
        if len(naming) and len(others):
            difference = first[0] - second[0]
            low, high = difference_interval(first, second)
            rows[j, 3:] = difference, low, high, _p_value(naming, others, kind)
    return pd.DataFrame(rows, columns=heads)


def _p_value(naming: Array, others: Array, kind: str) -> float:
    """Return Fisher's exact test of labels, Welch's of probabilities."""
    from scipy import stats

    if kind == "label":
        counts = [[x.sum(), len(x) - x.sum()] for x in (naming, others)]
        return float(stats.fisher_exact(np.rint(counts).astype(int)).pvalue)
    if min(len(naming), len(others)) < 2 or np.ptp(naming) + np.ptp(others) == 0:
        return float("nan")
    first, second = ((x.mean(), x.std(ddof=1), len(x)) for x in (naming, others))
    return float(stats.ttest_ind_from_stats(*first, *second, equal_var=False).pvalue)


def _notes(
    choice: tuple[Aspect, ...],
    table: pd.DataFrame,
    values: Array | None,
    kind: str,
    read: Texts,
    n_empty: int,
    adjustment: str,
) -> tuple[Text, ...]:
    def names(chosen: Any) -> Text:
        texts = [aspect.name for aspect, keep in zip(choice, chosen, strict=True) if keep]
        return Text(", ".join(t.en for t in texts), "、".join(t.zh for t in texts))

    n = table["n"].to_numpy()
    few, none = (n > 0) & (n < FEW), n == 0
    unknown = 0 if values is None else int(np.isnan(values).sum())
    has = kind != "none"
    return (
            *note_if(has, "aspects.note.association", method=ADJUSTMENTS[adjustment]),
            *note_if(kind == "probability", "aspects.note.classifier"),
            *note_if(bool(few.any()) and has, "aspects.note.few", names=names(few), least=FEW),
            *note_if(bool(none.any()), "aspects.note.none", names=names(none)),
            *note_if(unknown > 0, "aspects.note.unknown", n=format_number(unknown)),
            *note_if(n_empty > 0, "aspects.note.empty", n=format_number(n_empty)),
            *note_if(bool(read.shortened.any()), "aspects.note.shortened",
                     n=format_number(int(read.shortened.sum()))),
    )  # fmt: skip


def _percent(row: Any, column: str, prefix: str, lang: str) -> str:
    """Write a share in per cent with its interval."""
    low, high = (100 * row[f"{prefix}ci_{end}"] for end in ("low", "high"))
    return f"{format_percent(100 * row[column], 1, lang)} {interval(low, high, 1)}"
