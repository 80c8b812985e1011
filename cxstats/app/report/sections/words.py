"""In customers' words: who wrote, what they write of, how positive, and a few of them."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxstats.app.report.content import Claim, Finding, ReportTable, Section, Sentence
from cxstats.app.report.drawing import interval_chart
from cxstats.app.report.sections.attempts import NoFinding, attempt, estimate_cells, told_apart
from cxstats.core.language import Text, both, listed
from cxstats.stats.hypothesis_tests import paired_differences
from cxstats.stats.intervals import wilson_interval
from cxstats.stats.means import MeanOptions
from cxstats.survey.personal_data import MASK, mask_personal_data
from cxstats.voice.aspects import Aspects, aspects
from cxstats.voice.key_phrases import key_phrases
from cxstats.voice.languages import language_of
from cxstats.voice.sentiment import sentiment

if TYPE_CHECKING:
    from cxstats.app.report.client import Client
    from cxstats.survey.questions import Question

SHARES = ("share", "share_ci_low", "share_ci_high")
MOST_TEXTS = 5_000  # that are read; of more, so many at random: shares within 1.4 points
MOST_ASPECTS, MOST_PHRASES, MOST_QUOTATIONS = 12, 8, 3
LENGTHS = (8, 240)  # characters of a text that may be quoted
ENOUGH_CHINESE = 100  # texts from which the sentiment model is worth its half minute
CHINESE_SHARE = 0.5  # of the texts, from which they count as Chinese


def words(client: Client) -> Section:
    """Return what respondents wrote: how many, of what, how positive, in their own words."""
    findings: list[Finding] = []
    absent: list[Text] = []
    questions = {n: q for n, q in client.codebook.questions.items() if q.kind == "text"}
    for name, question in questions.items():
        if question.column in client.codebook.personal:
            absent.append(both("report.absent.personal_text", name=client.name(name)))
            continue
        try:
            comments = client.once(
                ("comments", name), partial(_Comments, client, name, question)
            ).of(client)
        except NoFinding as reason:
            absent.append(reason.text)
            continue
        for build in (comments.topics, comments.phrases, comments.sentiment):
            attempt(findings, absent, client.name(name), build)
    if not questions:
        absent.append(both("report.absent.no_comments"))
    return Section("words", tuple(findings), absent=tuple(absent))


class _Comments:
    """The comments of a question.

    Attributes
    ----------
    texts : list of str
        Those that say something, personal data masked; at most `MOST_TEXTS`, drawn at random.
    unmasked : array of bool
        Texts in which nothing had to be masked: only these are quoted.
    """

    def __init__(self, client: Client, name: str, question: Question) -> None:
        self.client, self.key, self.name = client, name, client.name(name)
        if question.column not in client.answers:
            raise NoFinding(both("report.absent.no_comments"))
        cells = client.answers[str(question.column)]
        written = [str(cell) for cell in cells if isinstance(cell, str) and cell.strip()]
        if len(written) < client.min_cell:
            raise NoFinding(both("report.absent.few", name=self.name))
        low, high = (float(x) for x in wilson_interval(len(written) / len(cells), len(cells), 0.95))
        row = {
            "written": len(written), "n": len(cells), "share": len(written) / len(cells),
            "share_ci_low": low, "share_ci_high": high,
        }  # fmt: skip
        title = both("report.table.comments", name=self.name)
        self.table = ReportTable(
            f"{name}_comments", title, pd.DataFrame([row]), level=0.95, percent=SHARES
        )
        if len(written) > MOST_TEXTS:
            draw = np.random.default_rng(client.seed)
            at = np.sort(draw.choice(len(written), MOST_TEXTS, replace=False))
            written = [written[i] for i in at]
        masked, _ = mask_personal_data(written)
        self.texts = [str(text) for text in masked]
        # The file's own masks stand there already: `cxstats.app.report.privacy`.
        self.unmasked = np.array(
            [a == b and MASK not in a for a, b in zip(written, self.texts, strict=True)]
        )

    def of(self, client: Client) -> _Comments:
        """Return the same comments for a client whose orders are stated at another level."""
        self.client = client
        return self

    def topics(self) -> Finding:
        """Return what is named most often, with quotations."""
        result = self.client.once(
            ("aspects", self.key), lambda: aspects(self.texts, synthetic=self.client.synthetic)
        )
        named = result.table["n"].to_numpy(float)
        order = [int(i) for i in np.argsort(-named, kind="stable")]
        rows = [i for i in order if named[i] >= self.client.min_cell][:MOST_ASPECTS]
        if not rows:
            raise NoFinding(both("report.absent.no_aspects", name=self.name))
        names = [result.aspects[i].name for i in rows]
        columns = {c: result.table[c].to_numpy()[rows] for c in ("n", *SHARES)}
        table = ReportTable(
            f"{self.key}_aspects", both("report.table.aspects", name=self.name),
            pd.DataFrame({"aspect": names, **columns}), level=result.level, percent=SHARES,
            bars=("share",),
        )  # fmt: skip
        mentions = result.mentions[:, rows].astype(float)
        options = MeanOptions(bounds=(0.0, 1.0))
        pairs = self.client.once(
            ("aspect pairs", self.key),
            lambda: paired_differences(mentions, [name.en for name in names], options),
        )
        sure = told_apart(pairs, names[0].en, self.client.alpha)
        headline, details = self._most(table, names, sure)
        details = [self._written(), *details, *self._quotations(result, rows, names)]
        chart = interval_chart(
            table, "aspect", SHARES, headline=headline, n=self.table.cell(0, "written", "whole"),
            axis=both("report.axis.named"), origin=result, synthetic=self.client.synthetic,
        )  # fmt: skip
        return Finding(
            headline,
            tuple(details),
            n=self.table.cell(0, "written", "whole"),
            method=both("report.method.aspects"),
            caveats=result.notes,
            table=table,
            chart=chart,
            tables=(self._pairs(pairs, names, result.level),),
        )

    def _pairs(self, pairs: pd.DataFrame, names: list[Text], level: float) -> ReportTable:
        """Return the aspects compared with each other."""
        of = {name.en: name for name in names}
        columns: Any = {c: [of[str(s)] for s in pairs[c]] for c in ("score", "other")}
        frame = pairs.assign(**columns).rename(columns={"score": "aspect"})
        title = both("report.table.all_pairs", name=self.name)
        shares = ("estimate", "ci_low", "ci_high")
        key = f"{self.key}_aspects_pairs"
        return ReportTable(key, title, frame, level=level, percent=shares)

    def _written(self) -> Sentence:
        cells: dict[str, Any] = {
            name: self.table.cell(0, name, "whole") for name in ("written", "n")
        }
        return Sentence("report.words.written", {"name": self.name, **cells})

    def _most(
        self, table: ReportTable, names: list[Text], sure: set[str]
    ) -> tuple[Sentence, list[Sentence]]:
        """Return the aspect named most often, and which it cannot be told apart from."""
        below = [name for name in names if name.en in sure]
        unsure = [name for name in names[1:] if name.en not in sure]
        cells = {"name": names[0], "question": self.name}
        cells |= estimate_cells(table, 0, SHARES, form="percent", decimals=0)
        claims = tuple(Claim(self.name.en, names[0].en, name.en) for name in below)
        if not unsure:
            return Sentence("report.words.top", cells, claims), []
        headline = Sentence("report.words.unsure", {**cells, "others": listed(unsure)})
        if not below:
            return headline, []
        values = {"name": names[0], "others": listed(below)}
        return headline, [Sentence("report.words.above", values, claims)]

    def _quotations(self, result: Aspects, rows: list[int], names: list[Text]) -> list[Sentence]:
        """Return a text of each of the first aspects: one of middling length, nobody's own.

        It is named by enough respondents, holds no personal data that were found, and no group
        stands beside it.
        """
        lengths = np.array([len(text) for text in self.texts])
        fit = self.unmasked & (lengths >= LENGTHS[0]) & (lengths <= LENGTHS[1])
        quoted: list[str] = []
        sentences = []
        for row, name in zip(rows, names, strict=True):
            at = np.flatnonzero(fit & result.mentions[:, row])
            at = np.array([i for i in at if self.texts[i] not in quoted], int)
            if not len(at) or len(quoted) == MOST_QUOTATIONS:
                continue
            middle = np.median(lengths[at])
            text = self.texts[at[int(np.abs(lengths[at] - middle).argmin())]]
            quoted.append(text)
            one_line = " ".join(text.split())
            sentences.append(Sentence("report.words.quotation", {"name": name, "text": one_line}))
        return sentences

    def phrases(self) -> Finding:
        """Return the phrases that many use."""
        least, synthetic = self.client.min_cell, self.client.synthetic
        result = self.client.once(
            ("phrases", self.key),
            lambda: key_phrases(self.texts, least=least, synthetic=synthetic),
        )
        frame = result.table.iloc[:MOST_PHRASES]
        columns = ("phrase", "estimate", "ci_low", "ci_high")
        if frame.empty:
            raise NoFinding(both("report.absent.no_phrases", name=self.name))
        table = ReportTable(
            f"{self.key}_phrases", both("report.table.phrases", name=self.name),
            frame[list(columns)], level=result.level, percent=columns[1:], bars=("estimate",),
        )  # fmt: skip
        phrases = [str(phrase) for phrase in table.frame["phrase"]]
        cells = estimate_cells(table, 0, columns[1:], form="percent", decimals=0)
        cells |= {"question": self.name, "name": phrases[0]}
        headline = Sentence("report.words.phrase", cells)
        details = []
        if len(phrases) > 1:
            details.append(Sentence("report.words.phrases", {"names": listed(phrases[1:])}))
        n = self.table.cell(0, "written", "whole")
        return Finding(
            headline,
            tuple(details),
            n=n,
            method=both("report.method.phrases"),
            caveats=result.notes,
            table=table,
        )

    def sentiment(self) -> Finding:
        """Return the share of positive texts, of Chinese ones."""
        chinese = [text for text in self.texts if language_of(text) == "zh"]
        if len(chinese) < max(ENOUGH_CHINESE, CHINESE_SHARE * len(self.texts)):
            raise NoFinding(both("report.absent.not_chinese", name=self.name))
        if find_spec("snownlp") is None:
            raise NoFinding(both("report.absent.no_words_extra", name=self.name))
        result = self.client.once(("sentiment", self.key), lambda: sentiment(chinese, "zh"))
        columns = ["n", "n_scored", "classified_share", "estimate", "ci_low", "ci_high"]
        percent = ("classified_share", "estimate", "ci_low", "ci_high")
        table = ReportTable(
            f"{self.key}_sentiment", both("report.table.sentiment", name=self.name),
            result.total[columns], level=result.level, percent=percent,
        )  # fmt: skip
        cells: dict[str, Any] = {
            "question": self.name,
            "called": table.cell(0, "classified_share", "percent", 0),
        }
        key = "report.words.called"
        if np.isfinite(result.total["estimate"].iloc[0]):
            key = "report.words.positive"
            limits = ("estimate", "ci_low", "ci_high")
            cells |= estimate_cells(table, 0, limits, form="percent", decimals=0)
        return Finding(
            Sentence(key, cells),
            n=table.cell(0, "n_scored", "whole"),
            method=both("report.method.sentiment"),
            caveats=(*result.notes, both(f"voice.basis.{result.basis}")),
            table=table,
        )
