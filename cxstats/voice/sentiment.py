"""Sentiment of texts, and the share of positive ones with an interval that carries all errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt, row_name
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.stats.disclosure import (
    check_min_cell,
    suppressed_groups,
    suppression_notes,
    without_hidden,
)
from cxstats.stats.group_comparison import group_names
from cxstats.stats.intervals import check_level
from cxstats.voice.adaptation import LEAST, adapted_scores
from cxstats.voice.classifier import probabilities, score_texts
from cxstats.voice.languages import language_of, simplified
from cxstats.voice.ngrams import positions, text_keys
from cxstats.voice.normalise import LONGEST, Texts, read_column, read_texts
from cxstats.voice.positive_share import (
    NO_ESTIMATE,
    ShareEstimate,
    corrected_share,
    prediction_powered_share,
    transported_share,
)
from cxstats.voice.sentiment_model import SentimentModel, sentiment_model

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

SHORT = 4  # characters below which a text says little
UNKNOWN = 0.5  # share of tokens that the classifier never saw, above which a text is flagged
LEAST_LABELS = 20  # for a share from labels
FAR = 4.0  # standard errors between labelled and other texts that chance does not make
ONES = (1, "1", "positive", "正面", "好评")
ZEROS = (0, "0", "negative", "负面", "差评")
FLAGS = ("empty", "unknown_language", "short", "unknown_words", "traditional", "shortened")


@dataclass(frozen=True, eq=False, repr=False)
class Sentiment(Result):
    """Sentiment of texts.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for all texts, or a row per group: ``group`` (with `by` only), ``n`` (texts that say
        something), ``n_scored`` (those called positive or negative), ``n_labels``,
        ``classified_share`` (called positive, of those scored), ``estimate`` (share of positive
        texts), ``se, ci_low, ci_high``; NaN where there is nothing to estimate it from.
    total : pandas.DataFrame
        The row of all texts.
    texts : pandas.DataFrame
        One row per text, labelled as in the input: ``language``, ``probability`` (of positive; NaN
        without a classifier), ``positive`` (True, False or NA), ``positive_words,
        negative_words``, ``unknown_share`` (tokens that the classifier never saw), ``flags``. There
        may be millions, so `export` leaves them out; ``cx.write_table(result.texts, path)`` writes
        them.
    basis : str
        What the interval stands on: "labels", "in_domain", "out_of_domain" or "none".
    level : float
    by : str
        Heading of the groups; empty without them.
    adapted : bool
        Whether the classifier was adapted to these texts.
    notes : tuple of Text
    """

    table: pd.DataFrame
    total: pd.DataFrame
    texts: pd.DataFrame
    basis: str
    level: float
    by: str
    adapted: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {"language": "voice.language.{}", "flags": "voice.flag.{}"}
    reference: ClassVar = (
        "Wang & Manning (2012). Baselines and bigrams. Proceedings of ACL, 90-94. Angelopoulos, "
        "Duchi & Zrnic (2023). PPI++: efficient prediction-powered inference. arXiv 2311.01453. "
        "Rogan & Gladen (1978). Estimating prevalence from the results of a screening test. "
        "American Journal of Epidemiology 107(1), 71-76."
    )

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that documents have room for: all but `texts`."""
        return {"table": self.table, **({"total": self.total} if self.by else {})}

    def findings(self, lang: str) -> list[str]:
        """Return how many texts there are, and the shares."""
        total = self.total.iloc[0]
        counts = {name: format_number(total[name]) for name in ("n", "n_scored", "n_labels")}
        head = label("voice.sentiment.head", lang, **counts)
        lines = [head, self._line(label("voice.sentiment.all", lang), total, lang)]
        if self.by:
            lines += [self._line(str(row["group"]), row, lang) for _, row in self.table.iterrows()]
        return [*lines, label(f"voice.basis.{self.basis}", lang)]

    def _line(self, name: str, row: pd.Series[Any], lang: str) -> str:
        if row.get("suppressed", False):
            return label("disclosure.row", lang, name=name)
        if not np.isfinite(row["estimate"]):
            called = row["classified_share"]
            share = format_percent(100 * called, 1, lang) if np.isfinite(called) else "–"
            return label("voice.sentiment.no_share", lang, name=name, called=share)
        return label(
            "voice.sentiment.line",
            lang,
            name=name,
            share=format_percent(100 * row["estimate"], 1, lang),
            interval=interval(100 * row["ci_low"], 100 * row["ci_high"], 1),
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """What `plot` can draw: nothing where no share could be estimated."""
        return ("shares",) if np.isfinite(self.total["estimate"]).all() else ()

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the shares with their intervals; with groups, against the share of all."""
        total, everything = self.total.iloc[0], label("voice.sentiment.all", lang)
        rows = self.table[np.isfinite(self.table["estimate"])]
        by_group = bool(self.by) and len(rows) > 0
        rows = rows if by_group else self.total
        names = [str(name) for name in rows["group"]] if by_group else [everything]
        columns = [(100 * rows[name]).tolist() for name in ("estimate", "ci_low", "ci_high")]
        shares = {
            "share": format_percent(100 * total["estimate"], 0, lang),
            "low": format_percent(100 * total["ci_low"], 0, lang),
            "high": format_percent(100 * total["ci_high"], 0, lang),
        }
        keywords = {
            "source": label("voice.sentiment.source", lang, n=format_number(total["n"])),
            "level": self.level,
            "reference": round(100 * float(total["estimate"]), 1) if by_group else 50.0,
            "axis": label("voice.sentiment.axis", lang),
            "decimals": 0,
            "title": label("voice.sentiment.title", lang, **shares),
        }
        return Chart("intervals", (names, *columns), keywords)


@dataclass(frozen=True, slots=True, eq=False)
class _Predictions:
    """What each text is predicted to be.

    Attributes
    ----------
    probability : array (n,)
        NaN without a classifier.
    called : array (n,)
        1, 0, or NaN where it is neither.
    general : array (n,)
        As `called`, before the classifier was adapted.
    prediction : array (n,)
        What stands for it where labels correct it: 0 to 1.
    """

    probability: Array
    called: Array
    general: Array
    prediction: Array


@long_work("sentiment")
def sentiment(  # noqa: PLR0913  (options of a method)
    texts: Any,
    lang: str | None = None,
    *,
    column: str | None = None,
    by: Any = None,
    labels: Any = None,
    domain: str | None = None,
    model: SentimentModel | None = None,
    adapt: bool | str = "auto",
    min_cell: int | None = None,
    level: float = 0.95,
) -> Sentiment:
    """Tell positive texts from negative ones, and estimate the share of positive ones.

    Chinese texts of a trade that was not learned are called by a classifier that adapts itself to
    them: in trades left out, its accuracy rises from .744 to .813 (books), .740 to .797 (hotels)
    and .809 to .868 (computers); see `cxstats.voice.adaptation` for where it fails.

    The interval of the share carries the errors of the classifier:

    - with `labels`, some 200 of your own texts drawn at random and read by a person: prediction-
      powered (PPI++), right whatever the classifier does;
    - without them, for a `domain` that the model learned: corrected by its error rates there;
    - without them, for other texts: corrected by its error rates on trades that it had not learned.
      Three trades stand for all others, so that the interval is often of little use, and says so.
      It is made of calls before the classifier was adapted: error rates after that depend on the
      share of positive texts, so that those of other trades do not fit. A group with fewer than 20
      labels has no interval.

    Coverage of 95 % intervals with 200 labels among the texts of one trade, by a classifier that
    was trained without that trade and adapted to its texts (3,000 draws each; half-width in points,
    that before the classifier was adapted, and that of the labels alone):

    =========  ========  ==========  ==============  ============
    trade      coverage  half-width  before adapted  labels alone
    =========  ========  ==========  ==============  ============
    books      .958      5.0         5.8             6.9
    computers  .959      4.5         5.3             6.9
    hotels     .948      5.3         5.9             6.8
    =========  ========  ==========  ==============  ============

    Limits: only positive and negative, no neutral; irony and comparisons are beyond it; texts of
    several opinions are one text. Weights of respondents are not taken. The texts are data: nothing
    in them is run or followed. A million texts of 45 characters, a
    tenth of them distinct, took 117 seconds of one core and 1.2 GB; where the classifier adapts,
    distinct texts beyond 20,000 are read twice.

    Parameters
    ----------
    texts : list, column or table of any engine
        Read as `cxstats.voice.normalise.read_texts` does: a missing value is an empty text, a
        number is what a person writes for it, of a text longer than 10,000 characters the
        first 10,000 are read.
    lang : {"zh", "en"}, optional
        Language of all texts. Without it, that of each by its script. Traditional characters are
        read as simplified ones, and such texts flagged: no traditional text was learned.
    column : str, optional
        Which column of a table holds the texts.
    by : str, or list (n,), optional
        Groups: a column of the table, or a group for each text; texts without one are in no group.
    labels : str, or list (n,), optional
        What a person said of some of the texts: 1 or "positive", 0 or "negative", missing where
        nobody did. The labelled texts must be a random sample (of each group, with `by`).
    domain : {"book", "hotel", "computer"}, optional
        The trade, if it is one that the model learned.
    model : SentimentModel, optional
        From `train_sentiment`; without it, `sentiment_model` of each language.
    adapt : bool or "auto"
        Whether to adapt the classifier to these texts (`cxstats.voice.adaptation`): it learns the
        words of the trade from its own calls, without labels. "auto" does so for texts without a
        `domain`, if there are 300 distinct Chinese ones. What is said of a text then depends on
        the other texts, not on their order.
    min_cell : int, optional
        Groups of fewer texts are not published, nor are those from which their numbers could be
        computed (`cxstats.stats.disclosure`). ``texts`` holds every text: do not publish it.
    level : float

    Returns
    -------
    Sentiment

    Raises
    ------
    DataError
        If a row holds no text, or a label is not allowed; the row is named.
    CxError
        If there are fewer than 20 labels, a keyword is not allowed, or ``adapt=True`` cannot be
        done.
    MissingToolError
        If Chinese texts are to be read and snownlp is not installed.

    References
    ----------
    Angelopoulos, Duchi & Zrnic (2023). PPI++: efficient prediction-powered inference. arXiv
    2311.01453.

    Examples
    --------
    >>> result = sentiment(["Not good at all.", "Great staff, very helpful!", "We came by train."])
    >>> result.texts["positive"].tolist()
    [False, True, <NA>]
    """
    check_level(level)
    check_min_cell(min_cell)
    if not (isinstance(adapt, bool) or adapt == "auto"):
        raise CxError(f"adapt={excerpt(adapt)}; allowed: True, False or 'auto'")
    if lang not in (None, "zh", "en"):
        raise CxError(f"lang={excerpt(lang)}; allowed: 'zh', 'en', or None for each by its script")
    read = read_texts(texts, column)
    label_values = _read_labels(labels, read, texts)
    groups = None if by is None else read_column(by, len(read), "by", texts)
    language = np.array([lang or language_of(text) for text in read.values])
    empty = np.array([not text for text in read.values])
    language[empty] = "unknown"
    models = _models(language, model, domain)
    values, traditional = read.values, np.zeros(len(read), bool)
    if model is None:
        values, traditional = _simplified(values, language)
    chinese = [values[i] for i in np.flatnonzero(language == "zh")]
    adapted = _is_adapted(adapt, chinese, models, domain)
    predictions, table = _predict(values, language, models, domain, adapted)
    table["flags"] = _flags(read, language, empty, traditional, table["unknown_share"].to_numpy())
    table.index = read.index
    share = _Shares(predictions, label_values, ~empty, models, domain, level)
    everything = np.ones(len(read), bool)
    total = share.row(everything)
    rows = share.by_group(groups) if groups is not None else total
    notes = _notes(table, share, total, rows, adapted)
    notes += _learned_note(read.values, language, models)
    if groups is not None and min_cell is not None:
        hidden = suppressed_groups(rows["n"], min_cell)
        rows = without_hidden(rows, hidden, ["group"])
        notes += tuple(suppression_notes(hidden, min_cell))
    basis = share.basis if np.isfinite(total["estimate"]).all() else "none"
    heading = by if isinstance(by, str) else "group" if by is not None else ""
    return Sentiment(rows, total, table, basis, level, heading, adapted, notes)


def _read_labels(labels: Any, read: Texts, table: Any) -> Array:
    """Return 1, 0, and NaN where there is no label."""
    import pandas as pd

    values = np.full(len(read), np.nan)
    if labels is None:
        return values
    for i, cell in enumerate(read_column(labels, len(read), "labels", table)):
        if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
            continue
        name = cell.strip().lower() if isinstance(cell, str) else cell
        if isinstance(name, (str, int, float, np.number, np.bool_)) and name in ONES:
            values[i] = 1
        elif isinstance(name, (str, int, float, np.number, np.bool_)) and name in ZEROS:
            values[i] = 0
        elif name != "":
            raise DataError(
                f"{row_name(read.index, i)}, labels has {excerpt(cell)}; allowed: 1 or 'positive', "
                "0 or 'negative', nothing where there is no label"
            )
    values[[not text for text in read.values]] = np.nan
    n_labels = int(np.isfinite(values).sum())
    if n_labels < LEAST_LABELS:
        raise CxError(f"labels has {n_labels} labels of texts; allowed: at least {LEAST_LABELS}")
    return values


def _simplified(values: list[str], language: NDArray[np.str_]) -> tuple[list[str], Flags]:
    """Return Chinese texts in simplified characters, and which were traditional."""
    traditional = np.zeros(len(values), bool)
    chinese = np.flatnonzero(language == "zh")
    if not len(chinese):
        return values, traditional
    simple, traditional[chinese] = simplified([values[i] for i in chinese])
    values = list(values)
    for i, text in zip(chinese, simple, strict=True):
        values[i] = text
    return values, traditional


def _models(
    language: NDArray[np.str_], model: SentimentModel | None, domain: str | None
) -> dict[str, SentimentModel]:
    """Return the model of each language of the texts."""
    languages = [name for name in ("zh", "en") if (language == name).any()]
    models = {name: model or sentiment_model(name) for name in languages}
    if domain is not None:
        (model or sentiment_model("zh")).classifier(domain)  # says which domains there are
    return models


def _is_adapted(
    adapt: bool | str, chinese: list[str], models: Mapping[str, SentimentModel], domain: str | None
) -> bool:
    """Tell whether the classifier is adapted to the Chinese texts."""
    if adapt is False:
        return False
    reasons = {
        "it is for Chinese texts": not chinese,
        "a domain is a trade that the classifier learned": domain is not None,
        "a model of one's own has its trade": "zh" in models and models["zh"].kind != "reviews",
    }
    n_distinct = len(set(chinese))
    reasons[f"there are {n_distinct} distinct Chinese texts"] = n_distinct < LEAST
    for reason, holds in reasons.items():
        if holds and adapt is True:
            raise CxError(
                f"adapt=True, but {reason}; allowed: with at least {LEAST} distinct Chinese texts, "
                "without domain= and model="
            )
        if holds:
            return False
    return True


def _predict(
    values: list[str],
    language: NDArray[np.str_],
    models: Mapping[str, SentimentModel],
    domain: str | None,
    adapted: bool,
) -> tuple[_Predictions, pd.DataFrame]:
    """Return predictions and the table of texts."""
    import pandas as pd

    n = len(values)
    probability, called, general = np.full((3, n), np.nan)
    prediction, unknown = np.full(n, 0.5), np.zeros(n)
    words = np.zeros((2, n))
    for name, model in models.items():
        rows = np.flatnonzero(language == name)
        classifier = model.classifier(domain if model.domains else None)[1]
        texts = [values[i] for i in rows]
        scores = score_texts(texts, classifier)
        words[:, rows] = scores.opinions.positive, scores.opinions.negative
        unknown[rows] = scores.unknown_share
        if classifier is None:
            balance = scores.opinions.balance
            prediction[rows] = (1 + balance) / 2
            called[rows] = np.where(balance == 0, np.nan, balance > 0)
        else:
            probability[rows] = probabilities(classifier, scores.score)
            general[rows] = probability[rows] >= 0.5
            if adapted and name == "zh":
                slope, offset = model.adapted_line
                line = replace(classifier, slope=slope, offset=offset)
                probability[rows] = probabilities(line, adapted_scores(texts, scores.score))
            prediction[rows] = probability[rows]
            called[rows] = probability[rows] >= 0.5
    table = pd.DataFrame(
        {
            "language": language,
            "probability": probability,
            "positive": pd.array(
                [pd.NA if np.isnan(value) else bool(value) for value in called], "boolean"
            ),
            "positive_words": words[0].astype(int),
            "negative_words": words[1].astype(int),
            "unknown_share": unknown,
        }
    )
    return _Predictions(probability, called, general, prediction), table


def _flags(
    read: Texts,
    language: NDArray[np.str_],
    empty: Flags,
    traditional: Flags,
    unknown_share: Array,
) -> list[str]:
    """Return the codes of what is doubtful about each text, with "; " between them."""
    length = np.array([len(text) for text in read.values])
    columns = {
        "empty": empty,
        "unknown_language": (language == "unknown") & ~empty,
        "short": (length < SHORT) & ~empty,
        "unknown_words": unknown_share > UNKNOWN,
        "traditional": traditional,
        "shortened": read.shortened,
    }
    marks = [""] * len(read)
    for name in FLAGS:
        for i in np.flatnonzero(columns[name]):
            marks[i] = f"{marks[i]}; {name}" if marks[i] else name
    return marks


@dataclass(frozen=True, slots=True, eq=False)
class _Shares:
    """How the share of positive texts is estimated."""

    predictions: _Predictions
    labels: Array
    written: Flags
    models: Mapping[str, SentimentModel]
    domain: str | None
    level: float

    @property
    def basis(self) -> str:
        if np.isfinite(self.labels).any():
            return "labels"
        own = any(model.kind == "own" for model in self.models.values())
        return "in_domain" if own or self.domain is not None else "out_of_domain"

    def row(self, members: Flags) -> pd.DataFrame:
        """Return the row of some texts."""
        import pandas as pd

        members = members & self.written
        called = self.predictions.called[members]
        scored = np.isfinite(called)
        share = called[scored].mean() if scored.any() else np.nan
        estimate = self._estimate(members, share, int(scored.sum()))
        values = {
            "n": int(members.sum()),
            "n_scored": int(scored.sum()),
            "n_labels": int(np.isfinite(self.labels[members]).sum()),
            "classified_share": share,
            "estimate": estimate.estimate,
            "se": estimate.se,
            "ci_low": estimate.low,
            "ci_high": estimate.high,
        }
        return pd.DataFrame([values])

    def by_group(self, groups: Sequence[Any]) -> pd.DataFrame:
        """Return a row per group."""
        import pandas as pd

        labels = pd.Series(list(groups))
        rows = []
        for name in group_names(labels):
            row = self.row((labels == name).to_numpy())
            row.insert(0, "group", name)
            rows.append(row)
        if not rows:
            raise DataError("by has no groups: every value is missing")
        return pd.concat(rows, ignore_index=True)

    def far(self) -> float:
        """Return how far predictions of labelled texts are from the others', in standard errors."""
        labelled = np.isfinite(self.labels)
        a = self.predictions.prediction[labelled]
        b = self.predictions.prediction[~labelled & self.written]
        if len(a) < 2 or len(b) < 2:
            return 0.0
        error = np.sqrt(a.var() / len(a) + b.var() / len(b))
        return float(abs(a.mean() - b.mean()) / error) if error > 0 else 0.0

    def _estimate(self, members: Flags, share: float, n: int) -> ShareEstimate:
        if self.basis == "labels":
            labelled = members & np.isfinite(self.labels)
            if labelled.sum() < LEAST_LABELS:
                return NO_ESTIMATE
            f = self.predictions.prediction
            return prediction_powered_share(
                self.labels[labelled], f[labelled], f[members & ~labelled], self.level
            )
        models = [model for model in self.models.values() if model.classifiers]
        if not n or not models or not np.isfinite(self.predictions.probability[members]).any():
            return NO_ESTIMATE
        model, called = models[0], self.predictions.general
        by_classifier = members & np.isfinite(self.predictions.probability)
        share, n = float(called[by_classifier].mean()), int(by_classifier.sum())
        if model.kind == "own":
            rates = model.evaluation("in_domain", "own").error_rates("all")
            return corrected_share(share, n, rates, self.level)
        if self.domain is not None:
            rates = model.evaluation("in_domain", "specific").error_rates(self.domain)
            return corrected_share(share, n, rates, self.level)
        # Error rates of adapted calls depend on the share that is looked for: not transported.
        evaluation = model.evaluation("out_of_domain", "general")
        others = [evaluation.error_rates(name) for name in model.domains]
        return transported_share(share, n, others, self.level)


def _learned_note(
    values: list[str], language: NDArray[np.str_], models: Mapping[str, SentimentModel]
) -> tuple[Text, ...]:
    """Return how many of the texts the classifier was trained on."""
    count = 0
    for name, model in models.items():
        if model.classifiers:
            texts = [values[i] for i in np.flatnonzero(language == name)]
            count += int((positions(text_keys(texts), model.learned) >= 0).sum())
    return tuple(note_if(count > 0, "voice.note.learned", n=format_number(count)))


def _notes(
    table: pd.DataFrame, share: _Shares, total: pd.DataFrame, rows: pd.DataFrame, adapted: bool
) -> tuple[Text, ...]:
    flags = table["flags"].str
    counts = {name: int(flags.contains(f"(?:^|; ){name}(?:;|$)").sum()) for name in FLAGS}
    notes = [
        both(f"voice.note.{name}", n=format_number(count), longest=format_number(LONGEST))
        for name, count in counts.items()
        if count
    ]
    by_lexicon = bool(table["probability"].isna().to_numpy()[share.written].any())
    lexicon = "en" in share.models and not share.models["en"].classifiers
    n_lexicon = format_number(int((table["language"] == "en").sum()))
    uncorrected = lexicon and by_lexicon and share.basis != "labels"
    notes += note_if(uncorrected, "voice.note.lexicon", n=n_lexicon)
    mixed = lexicon and share.basis != "labels" and np.isfinite(total["estimate"]).all()
    notes += note_if(bool(mixed), "voice.note.mixed")
    notes += note_if(share.basis == "out_of_domain" and not lexicon, "voice.note.out_of_domain")
    notes += note_if(share.basis == "in_domain", "voice.note.in_domain")
    notes += note_if(share.basis == "labels", "voice.note.labels")
    notes += note_if(share.basis == "labels" and share.far() > FAR, "voice.note.far")
    notes += note_if(adapted, "voice.note.adapted")
    n_few = int((rows["n_labels"] < LEAST_LABELS).sum()) if share.basis == "labels" else 0
    notes += note_if(n_few > 0, "voice.note.few_labels", n=str(n_few), least=str(LEAST_LABELS))
    return tuple(notes)
