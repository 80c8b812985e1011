"""The draft of a codebook: what every column is taken for, and why; for a person to correct."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import DataError
from cxstats.core.files import write_text_whole
from cxstats.core.language import Text, both, check_lang, label, listed
from cxstats.core.messages import cut, excerpt, listing, look
from cxstats.core.result import Result
from cxstats.survey.codebook import Codebook
from cxstats.survey.draft import asked, constructs, describing, ratings, roles
from cxstats.survey.draft.answer_scales import is_no_answer
from cxstats.survey.draft.cells import Cells, cells_of
from cxstats.survey.draft.headings import last_part, stem_of
from cxstats.survey.draft.ratings import Rating, Scale
from cxstats.survey.draft.yaml_text import as_yaml
from cxstats.survey.non_respondents import non_respondents

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

ROLES = (
    "expectation", "perception", "minimum", "score", "importance", "nps", "csat", "ces", "rating",
    "choices", "text", "respondent", "duration", "wave", "groups", "weights", "cluster", "strata",
    "personal", "other",
)  # fmt: skip
SHARE_PAIRED = 0.4  # of the ratings that must have a role for there to be any
LONGEST_ITEM = 120  # characters of a heading that an item is called by
AGAINST = -0.25  # correlation with recommendation below which the best answer is the lowest
SHOWN = 12  # doubts in a summary


@dataclass(frozen=True, slots=True)
class ColumnRole:
    """What a column is taken for.

    Attributes
    ----------
    column : str
    role : str
        One of `ROLES`.
    evidence : Text
    doubt : bool
        Whether a person should look.
    """

    column: Any
    role: str
    evidence: Text
    doubt: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class CodebookDraft(Result):
    """A proposed codebook with its evidence; methods take it as ``codebook=``.

    Attributes
    ----------
    codebook : Codebook
    columns : tuple of ColumnRole
        Every column of the table, in its order.
    comments : mapping of tuple to (Text, bool)
        Place in the codebook to evidence, and whether it is doubtful.
    n_rows : int
        Respondents looked at.
    file : str
        Name of the file that was read; empty where there was none.
    notes : tuple of Text
    lang : {"en", "zh"}
        Language of proposed names.
    """

    codebook: Codebook
    columns: tuple[ColumnRole, ...]
    comments: Mapping[tuple[Any, ...], tuple[Text, bool]] = field(default_factory=dict)
    n_rows: int = 0
    file: str = ""
    notes: tuple[Text, ...] = ()
    lang: str = "en"

    codes: ClassVar = {"role": "survey.draft.role.{}"}

    @property
    def table(self) -> pd.DataFrame:
        """The columns: ``column, role, evidence, doubt``."""
        return self.as_table("en")

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with the evidence in `lang`."""
        import pandas as pd

        lang = check_lang(lang)
        rows = [(str(c.column), c.role, c.evidence.get(lang), c.doubt) for c in self.columns]
        return pd.DataFrame(rows, columns=["column", "role", "evidence", "doubt"])

    @property
    def n_doubtful(self) -> int:
        """How many lines of the codebook a person should look at."""
        return sum(doubt for _, doubt in self.comments.values())

    def findings(self, lang: str) -> list[str]:
        """Return what was proposed, in counts, and the doubtful lines."""
        size = {"rows": self.n_rows, "columns": len(self.columns)}
        lines = [label("survey.draft.head", lang, **size)]
        counts = Counter(c.role for c in self.columns)
        for role in ROLES:
            if counts[role]:
                name = label(f"survey.draft.role.{role}", lang)
                lines.append(f"  {counts[role]:6d}  {name}")
        book = self.codebook
        if book.constructs:
            names = listing(book.constructs, 12)
            n = len(book.constructs)
            lines.append(label("survey.draft.constructs", lang, n=n, names=names))
        doubts = [(path, text) for path, (text, doubt) in self.comments.items() if doubt]
        lines.append(label("survey.draft.doubts", lang, n=len(doubts)))
        for path, text in doubts[:SHOWN]:
            place = cut(" / ".join(map(str, path)), 60)
            lines.append(
                "  ? " + label("survey.draft.doubt", lang, place=place, text=text.get(lang))
            )
        if len(doubts) > SHOWN:
            lines.append("  " + label("survey.draft.more", lang, n=len(doubts) - SHOWN))
        return lines

    def to_yaml(self, lang: str | None = None) -> str:
        """Return the codebook as YAML, with the evidence as comments."""
        lang = check_lang(lang or self.lang)
        head = [
            label("survey.draft.yaml.head", lang, file=self.file or "-", rows=self.n_rows,
                  columns=len(self.columns)),
            label("survey.draft.yaml.check", lang, n=self.n_doubtful),
        ]  # fmt: skip
        return as_yaml(self.codebook.to_dict(), self.comments, head, lang)

    def write(self, path: str | Path, lang: str | None = None) -> Path:
        """Write the codebook as YAML, a comment with the evidence on every line.

        Parameters
        ----------
        path : str or Path
        lang : {"en", "zh"}, optional
            Language of the comments; without it, that of the draft.
        """
        return write_text_whole(path, self.to_yaml(lang))


def draft(frame: Any, lang: str | None = None) -> CodebookDraft:
    """Propose a codebook for a table; see `cxstats.Codebook.draft`."""
    return _Draft(as_pandas(frame), check_lang(lang)).result()


class _Draft:
    """The codebook as it grows: columns that are free, keys, comments."""

    def __init__(self, frame: pd.DataFrame, lang: str) -> None:
        self.report = frame.attrs.get("read_report")
        doubled = [name for name, n in Counter(frame.columns).items() if n > 1]
        if doubled:
            raise DataError(f"column {excerpt(doubled[0])} stands in the table twice; rename one")
        self.frame = frame.drop(index=self._totals(frame))
        if not len(self.frame):
            raise DataError("the table has no rows")
        self.lang, self.n_rows = lang, len(self.frame)
        self.names = list(frame.columns)
        self.roles: dict[Any, ColumnRole] = {}
        self.keys: dict[str, Any] = {}
        self.comments: dict[tuple[Any, ...], tuple[Text, bool]] = {}
        self.notes: list[Text] = []
        self.taken: set[str] = set()  # names of constructs, items and questions
        self.n_named: Counter[str] = Counter()
        questions = getattr(self.report, "questions", {})
        labels = getattr(self.report, "value_labels", {})
        self.free: dict[str, Cells] = {}
        for place, name in enumerate(self.names):
            if isinstance(name, str) and name.strip():
                column = self.frame[name]
                question = questions.get(name, "")
                self.free[name] = cells_of(column, place, question, labels.get(name))
            else:
                self._other(name, both("survey.draft.other.name"), True)

    def _totals(self, frame: pd.DataFrame) -> list[Any]:
        """Return the labels of the rows that are totals."""
        if self.report is not None:
            rows = self.report.pointed_out.get("total", ())
        else:
            try:
                rows = non_respondents(frame).get("total", ())
            except TypeError:  # cells that are lists: no file has them, so no total row either
                rows = ()
        return [row for row in rows if row in frame.index]

    def result(self) -> CodebookDraft:
        """Return the draft; the order of steps is that in which columns are taken."""
        self._empty_columns()
        self._describing_columns()
        self._choices_in_columns()
        self._waves()
        self._ratings()
        self._points()
        self._others()
        order = {name: i for i, name in enumerate(self.names)}
        columns = sorted(self.roles.values(), key=lambda c: order[c.column])
        return CodebookDraft(
            self._codebook(), tuple(columns), self.comments, self.n_rows,
            getattr(self.report, "file", ""), tuple(self.notes), self.lang,
        )  # fmt: skip

    def _codebook(self) -> Codebook:
        if not self.keys.get("constructs") and not self.keys.get("questions"):
            raise DataError(
                f"no column of {len(self.names):,} looks like an answer to a question: neither "
                "ratings (numbers from 0 to 10, or words such as 'satisfied'), nor "
                "check-all-that-apply, nor comments; is the header where it was read?"
            )
        order = [
            "scale", "best", "perception", "expectation", "minimum", "importance", "constructs",
            "labels", "reverse", "answers", "missing", "questions", "respondent", "duration",
            "wave", "groups", "weights", "cluster", "strata", "personal", "other",
        ]  # fmt: skip
        return Codebook(**{key: self.keys[key] for key in order if self.keys.get(key)})

    # ---------------------------------------------------------------- what was claimed

    def _claim(
        self, column: Any, role: str, evidence: Text, doubt: bool = False, *path: Any
    ) -> None:
        self.roles[column] = ColumnRole(column, role, evidence, doubt)
        self.free.pop(column, None)
        if path:
            self._say(evidence, doubt, *path)

    def _say(self, evidence: Text, doubt: bool, *path: Any) -> None:
        self.comments[path] = evidence, doubt

    def _other(self, column: Any, evidence: Text, doubt: bool = False) -> None:
        self.keys.setdefault("other", []).append(column)
        self._claim(column, "other", evidence, doubt, "other", column)

    def _question(self, name: str, question: dict[str, Any], evidence: Text, doubt: bool) -> str:
        questions = self.keys.setdefault("questions", {})
        self.n_named[name] += 1
        free_name = name
        while free_name in self.taken:
            self.n_named[name] += 1
            free_name = f"{name}_{self.n_named[name]}"
        self.taken.add(free_name)
        questions[free_name] = question
        self._say(evidence, doubt, "questions", free_name)
        return free_name

    # ---------------------------------------------------------------- respondents

    def _empty_columns(self) -> None:
        for name, cells in list(self.free.items()):
            if not cells.n_filled:
                self._other(name, both("survey.draft.other.empty"))

    def _describing_columns(self) -> None:
        """Take the columns of personal data, identifier, duration, sampling and platform."""
        for proposal in describing.personal(self.frame, self._free()):
            self.keys.setdefault("personal", []).append(proposal.column)
            self._claim(
                proposal.column, "personal", proposal.evidence, False, "personal", proposal.column
            )
        identifier = describing.respondent(self._free(), self.n_rows)
        if identifier:
            self._single(identifier)
        time_taken = describing.duration(self._free())
        if time_taken:
            self._single(time_taken)
        for proposal in describing.sampling(self._free()):
            self._single(proposal)
        platform = getattr(self.report, "platform", "")
        for proposal in describing.platform_columns(self._free(), platform):
            self._other(proposal.column, proposal.evidence)

    def _free(self) -> list[Cells]:
        return list(self.free.values())

    def _single(self, proposal: describing.Proposal) -> None:
        self.keys[proposal.role] = proposal.column
        self._claim(
            proposal.column, proposal.role, proposal.evidence, proposal.doubt, proposal.role
        )

    def _waves(self) -> None:
        for i, proposal in enumerate(describing.waves(self._free())):
            if i == 0:
                column, order = proposal.column, proposal.value
                self.keys["wave"] = {"column": column, "order": order} if order else column
                self._claim(column, "wave", proposal.evidence, proposal.doubt, "wave")
            elif not proposal.doubt:
                self._group(self.free[proposal.column])

    def _group(self, cells: Cells) -> None:
        proposal = describing.group(cells, self.frame[cells.name])
        self.keys.setdefault("groups", {})[cells.name] = proposal.value
        evidence, doubt = proposal.evidence, proposal.doubt
        self._claim(cells.name, "groups", evidence, doubt, "groups", cells.name)

    # ---------------------------------------------------------------- check all that apply

    def _choices_in_columns(self) -> None:
        sets = tuple(getattr(self.report, "choice_sets", {}).items())
        for question in asked.choices_in_columns(self._free(), sets):
            said: dict[str, Any] = {"kind": "choices", "columns": question.columns}
            if question.ticked:
                said["ticked"] = list(question.ticked)
            key = "exclusive" if question.is_exclusive else question.by
            evidence = both(f"survey.draft.choices.{key}", n=len(question.columns))
            self._question(question.name, said, evidence, question.is_exclusive)
            for column in question.columns.values():
                self._claim(column, "choices", evidence, question.is_exclusive)

    # ---------------------------------------------------------------- ratings

    def _ratings(self) -> None:
        candidates = [
            cells for cells in self._free()
            if not describing.is_named_group(cells) or asked.RECOMMEND.search(cells.heading)
        ]  # fmt: skip
        rated = ratings.ratings_of(candidates)
        rated = _without_kinds(rated)
        recommended = [r for r in rated.values() if asked.is_recommendation(r)]
        siblings = Counter(stem_of(name) for name in rated)
        recommended = [r for r in recommended if not _is_item(r, siblings)]
        for rating in recommended:
            del rated[rating.name]
        proposal = roles.propose_roles(
            [r.cells for r in rated.values()], getattr(self.report, "numbered", ())
        )
        paired = {c.name for items in proposal.columns.values() for c in items.values()}
        if len(paired) < SHARE_PAIRED * len(rated):
            proposal = roles.RoleProposal()
        if proposal.items:
            items_of = {
                item: {role: rated[proposal.columns[role][item].name] for role in proposal.columns}
                for item in proposal.items
            }
            single = [r for name, r in rated.items() if name not in paired]
        else:
            single = [r for r in rated.values() if _stands_alone(r, siblings)]
            names = {r.name for r in single}
            items_of = {n: {"score": r} for n, r in rated.items() if n not in names}
        alone = self._constructs(items_of, proposal)
        single += [rating for item in alone for rating in items_of[item].values()]
        self._rated_questions(recommended, single)
        self._answers([*recommended, *rated.values()])
        self._directions(recommended, items_of)

    def _constructs(
        self, items_of: dict[str, dict[str, Rating]], proposal: roles.RoleProposal
    ) -> list[str]:
        """Propose constructs, their scales and reverse items; return the items that stand alone."""
        if not items_of:
            return []
        proposed, alone = self._by_scale(items_of)
        if not proposed:
            return list(items_of) if not proposal.items else self._one_each(items_of, proposal)
        if alone and proposal.items:  # an item with two answers is no single question
            proposed.append(constructs.Construct("", tuple(alone), "all", doubt=True))
            alone = []
        self._write_constructs(proposed, items_of, proposal)
        return alone

    def _one_each(
        self, items_of: dict[str, dict[str, Rating]], proposal: roles.RoleProposal
    ) -> list[str]:
        construct = constructs.Construct("", tuple(items_of), "all", doubt=True)
        self._write_constructs([construct], items_of, proposal)
        return []

    def _by_scale(
        self, items_of: dict[str, dict[str, Rating]]
    ) -> tuple[list[constructs.Construct], list[str]]:
        """Return constructs of items that share a scale, and the items that stand alone."""
        texts = self._texts(items_of)
        classes: dict[Any, list[str]] = {}
        for item, scale in self._item_scales(items_of).items():
            classes.setdefault(scale, []).append(item)
        proposed, alone = [], []
        for items in classes.values():
            matrices = [
                np.column_stack([items_of[item][role].cells.numbers for item in items])
                for role in items_of[items[0]]
            ]
            some, single = constructs.propose_constructs(items, matrices, texts)
            proposed += some
            alone += single
        place = {item: i for i, item in enumerate(items_of)}
        proposed.sort(key=lambda c: place[c.items[0]])
        return proposed, alone

    def _item_scales(self, items_of: dict[str, dict[str, Rating]]) -> dict[str, tuple[int, int]]:
        """Return the scale of every item: that of its stem, else its own or its neighbours'."""
        groups: dict[Any, list[str]] = {}
        for item, columns in items_of.items():
            first = next(iter(columns.values()))
            stem = stem_of(item) or next(iter(stem_of(r.name) for r in columns.values()), "")
            kind = first.by if first.stated else "range"
            key = stem if stem else (item if kind == "range" else (first.stated, kind))
            groups.setdefault(key, []).append(item)
        scales: dict[tuple[int, int, str], Scale] = {}
        by_item: dict[str, Scale] = {}
        for items in sorted(groups.values(), key=len, reverse=True):
            members = [r for i in items for r in items_of[i].values()]
            scale = ratings.scale_of(members, list(scales.values()))
            scales[scale.low, scale.high, scale.by] = scale
            by_item |= dict.fromkeys(items, scale)
        frequencies = Counter((s.low, s.high) for s in by_item.values())
        names = list(items_of)
        for j, item in enumerate(names):
            scale = by_item[item]
            near = [by_item[names[i]] for i in (j - 1, j + 1) if 0 <= i < len(names)]
            wider = [s for s in near if s.low <= scale.low and s.high > scale.high]
            rare = frequencies[scale.low, scale.high] < 3 or len(items_of) > 3 * frequencies[
                scale.low, scale.high]  # fmt: skip
            if scale.by == "range" and scale.n_columns <= 2 and wider and rare:
                by_item[item] = wider[0]
        return {item: (scale.low, scale.high) for item, scale in by_item.items()}

    def _texts(self, items_of: dict[str, dict[str, Rating]]) -> dict[str, str]:
        """Return the text of every item: its question, without the role, else its name."""
        texts = {}
        for item, columns in items_of.items():
            rating = columns.get("perception") or next(iter(columns.values()))
            texts[item] = rating.cells.question or item
        return texts

    def _write_constructs(
        self,
        proposed: Sequence[constructs.Construct],
        items_of: dict[str, dict[str, Rating]],
        proposal: roles.RoleProposal,
    ) -> None:
        texts = self._texts(items_of)
        books: dict[str, list[str]] = {}
        taken = {*self.taken, *items_of}
        for construct in proposed:
            name, hint = constructs.name_of(construct, texts, self.lang, taken)
            taken.add(name)
            self.taken.update((name, *construct.items))
            books[name] = list(construct.items)
            key = f"{construct.by}.named" if hint else construct.by
            r = "-" if np.isnan(construct.within) else f"{construct.within:.2f}"
            evidence = both(f"survey.draft.construct.{key}", n=len(construct.items), r=r)
            self._say(evidence, construct.doubt, "constructs", name)
        self.keys["constructs"] = books
        self._write_roles(proposal, items_of, books)
        self._write_scales(books, items_of)
        self._reversed(books, items_of)
        self._labels(books, items_of)

    def _write_roles(
        self,
        proposal: roles.RoleProposal,
        items_of: dict[str, dict[str, Rating]],
        books: dict[str, list[str]],
    ) -> None:
        for role in proposal.columns:
            self.keys[role] = proposal.pattern(role)
            evidence = both(f"survey.draft.roles.{proposal.by}", n=len(proposal.items))
            self._say(evidence, proposal.doubt, role)
        for construct, items in books.items():
            for item in items:
                for role, rating in items_of[item].items():
                    evidence, doubt = self._rating_evidence(rating)
                    self._claim(rating.name, role, evidence, doubt or proposal.doubt)
                    if role in ("score", "perception"):
                        self._say(evidence, doubt, "constructs", construct, item)

    def _rating_evidence(self, rating: Rating) -> tuple[Text, bool]:
        """Return what the cells of a rating are, and whether some are neither answer nor code."""
        low, high = rating.ends
        n = int(np.isfinite(rating.cells.numbers).sum())
        if rating.strays:
            values = listed(f"{cut(v, 20)!r}" for v in [*rating.strays][:3])
            return both("survey.draft.rating.strays", low=low, high=high, values=values,
                        n=sum(rating.strays.values())), True  # fmt: skip
        key = "labels" if rating.labels else "numbers"
        return both(f"survey.draft.rating.{key}", low=low, high=high, n=n), False

    def _write_scales(
        self, books: dict[str, list[str]], items_of: dict[str, dict[str, Rating]]
    ) -> None:
        scales: dict[str, Scale] = {}
        by_size = sorted(books, key=lambda name: -len(books[name]))
        item_scales = self._item_scales(items_of)
        for name in by_size:
            members = [r for item in books[name] for r in items_of[item].values()]
            distinct = {(s.low, s.high, s.by): s for s in scales.values()}
            scale = ratings.scale_of(members, list(distinct.values()))
            low, high = item_scales[books[name][0]]
            if scale.by == "range" and low <= scale.low and high >= scale.high:
                scale = Scale(
                    low, high, "range", scale.ends, scale.n_columns, scale.ends != (low, high)
                )
            scales[name] = scale
        items = Counter({s: sum(len(books[n]) for n in books if _ends(scales[n]) == s)
                         for s in {_ends(s) for s in scales.values()}})  # fmt: skip
        default = items.most_common(1)[0][0]
        usual = [s for s in scales.values() if _ends(s) == default]
        others = {n: s for n, s in scales.items() if _ends(s) != default}
        path: tuple[Any, ...] = ("scale", "default") if others else ("scale",)
        self._say(*_scale_evidence(usual), *path)
        self.keys["scale"] = list(default)
        if others:
            self.keys["scale"] = {"default": list(default)}
            for name in books:
                if name in others:
                    self.keys["scale"][name] = list(_ends(others[name]))
                    self._say(*_scale_evidence([others[name]]), "scale", name)

    def _reversed(
        self, books: dict[str, list[str]], items_of: dict[str, dict[str, Rating]]
    ) -> None:
        reverse: list[str] = []
        for name, items in books.items():
            role = "perception" if "perception" in items_of[items[0]] else "score"
            matrix = np.column_stack([items_of[item][role].cells.numbers for item in items])
            proposal = constructs.reversals(items, matrix)
            for item, r in proposal.reverse.items():
                reverse.append(item)
                evidence = both("survey.draft.reverse", r=f"{r:.2f}", construct=name)
                self._say(evidence, True, "reverse", item)
            for item, r in proposal.doubtful.items():
                evidence = both("survey.draft.against", r=f"{r:.2f}")
                self._say(evidence, True, "constructs", name, item)
        if reverse:
            self.keys["reverse"] = reverse

    def _labels(self, books: dict[str, list[str]], items_of: dict[str, dict[str, Rating]]) -> None:
        """Give items the texts of their questions, where the file has these beside codes."""
        texts = self._texts(items_of)
        labels = {}
        for item in (item for items in books.values() for item in items):
            text = " ".join(texts[item].split())
            if text and look(text) != look(item) and items_of[item]:
                labels[item] = text
        if labels:
            self.keys["labels"] = labels

    # ---------------------------------------------------------------- single questions

    def _rated_questions(self, recommended: list[Rating], single: list[Rating]) -> None:
        for i, rating in enumerate(recommended):
            low, high = rating.stated or rating.ends
            usual = low == 0 or rating.by == "range"
            said: dict[str, Any] = {"kind": "nps", "column": rating.name}
            if not usual or high > 10:
                said["scale"] = [low, high]
            sure = rating.ends[0] == 0 or rating.stated is not None
            evidence = both(f"survey.draft.nps.{'zero' if sure else 'no_zero'}",
                            low=rating.ends[0], high=rating.ends[1])  # fmt: skip
            self._rated(rating, "nps" if i == 0 else rating.name, said, evidence, not sure)
        scales = [Scale(*pair, "cell_labels", pair, 1) for pair in self._pairs()]
        for rating in sorted(single, key=lambda r: r.cells.place):
            kind = asked.kind_of_rating(rating.cells.heading)
            scale = ratings.scale_of([rating], scales)
            said = {"kind": kind, "column": rating.name, "scale": [scale.low, scale.high]}
            if rating.best == "low":
                said["best"] = "low"
            if rating.by == "range" and (scale.low, scale.high) in self._pairs():
                scale = Scale(scale.low, scale.high, "file", scale.ends, 1, scale.doubt)
            evidence, doubt = _scale_evidence([scale])
            name = kind if kind != "rating" else rating.name
            self._rated(rating, name, said, evidence, doubt)

    def _pairs(self) -> set[tuple[int, int]]:
        scale = self.keys.get("scale")
        if not scale:
            return set()
        return {tuple(p) for p in (scale.values() if isinstance(scale, dict) else [scale])}

    def _rated(
        self, rating: Rating, name: str, said: dict[str, Any], evidence: Text, doubt: bool
    ) -> None:
        if rating.strays:
            evidence, doubt = self._rating_evidence(rating)[0], True
        label_text = " ".join(rating.cells.question.split())
        if label_text and look(label_text) != look(rating.name):
            said["label"] = label_text
        self._question(name, said, evidence, doubt)
        self._claim(rating.name, said["kind"], evidence, doubt)

    # ---------------------------------------------------------------- labels and missing codes

    def _answers(self, rated: Iterable[Rating]) -> None:
        """Write answer labels, once for all where they agree, else under construct or question."""
        owner = self._owners()
        labels: dict[str, dict[str, int]] = {}
        counts: Counter[str] = Counter()
        used = [r for r in rated if r.name in owner]
        for rating in used:
            labels.setdefault(owner[rating.name], {}).update(rating.labels)
            for text in rating.labels:
                counts[text] += rating.cells.texts.get(text, 0)
        numbers: dict[str, Counter[int]] = {}
        for name, mapping in labels.items():
            size = len(self.keys.get("constructs", {}).get(name, ())) or 1
            for text, number in mapping.items():
                numbers.setdefault(text, Counter())[number] += size
        common = {text: tally.most_common(1)[0][0] for text, tally in numbers.items()}
        incomplete = {text for r in used if not r.is_complete for text in r.labels}
        answers: dict[str, Any] = dict(sorted(common.items(), key=lambda pair: -pair[1]))
        for text in answers:
            evidence = both("survey.draft.answer", n=counts[text])
            self._say(evidence, text in incomplete, "answers", text)
        for name, mapping in labels.items():
            differ = {text: n for text, n in mapping.items() if common[text] != n}
            if differ and name in self.keys.get("constructs", {}):
                answers[name] = differ
            elif differ:
                self.keys["questions"][name]["answers"] = differ
        if answers:
            self.keys["answers"] = answers
        self._missing(used)

    def _owners(self) -> dict[str, str]:
        """Return the construct or question of every rated column."""
        owner = {}
        for name, items in self.keys.get("constructs", {}).items():
            for item in items:
                for column in self._columns_of(item):
                    owner[column] = name
        for name, question in self.keys.get("questions", {}).items():
            if "column" in question:
                owner[question["column"]] = name
        return owner

    def _columns_of(self, item: str) -> list[str]:
        patterns = [self.keys[role] for role in roles.ALL_ROLES if role in self.keys]
        if not patterns:
            return [item]
        return [p[item] if isinstance(p, dict) else p.format(item=item) for p in patterns]

    def _missing(self, used: Sequence[Rating]) -> None:
        answered = {float(v) for r in used for v in np.unique(r.cells.numbers) if np.isfinite(v)}
        codes: Counter[Any] = Counter()
        columns: Counter[Any] = Counter()
        sure = {code for r in used for code in r.sure_codes}
        for rating in used:
            for code, n in (*rating.codes.items(), *rating.texts.items()):
                codes[code] += n
                columns[code] += 1
                if not isinstance(code, str) and code in answered:
                    evidence = both("survey.draft.missing.clash", code=f"{code:g}")
                    place = self.roles[rating.name]
                    self.roles[rating.name] = ColumnRole(place.column, place.role, evidence, True)
                    self._say(evidence, True, *self._place_of(rating.name))
        missing = [c for c in codes if isinstance(c, str) or c not in answered]
        plain = [int(c) if not isinstance(c, str) and c == int(c) else c for c in missing]
        for code, written in zip(missing, plain, strict=True):
            evidence = both("survey.draft.missing", n=codes[code], columns=columns[code])
            self._say(evidence, not isinstance(code, str) and code not in sure, "missing", written)
        if plain:
            self.keys["missing"] = plain

    def _place_of(self, column: str) -> tuple[Any, ...]:
        for name, question in self.keys.get("questions", {}).items():
            if question.get("column") == column:
                return "questions", name
        for name, items in self.keys.get("constructs", {}).items():
            for item in items:
                if column in self._columns_of(item):
                    return "constructs", name, item
        return ("scale",)

    def _directions(
        self, recommended: list[Rating], items_of: dict[str, dict[str, Rating]]
    ) -> None:
        """Propose which constructs have their best answer at the low end."""
        best: dict[str, tuple[Text, bool]] = {}
        books = self.keys.get("constructs", {})
        for name, items in books.items():
            members = [r for item in items for r in items_of[item].values()]
            stated = Counter(r.best for r in members if r.best)
            if stated:
                if stated.most_common(1)[0][0] == "low":
                    best[name] = both("survey.draft.best.words"), False
                continue
            r = _with_recommendation(members, recommended)
            if r is not None and r < AGAINST:
                best[name] = both("survey.draft.best.correlation", r=f"{r:.2f}"), True
        if not best:
            return
        if len(best) == len(books):
            evidence = Counter(best.values()).most_common(1)[0][0]
            self.keys["best"] = "low"
            self._say(*evidence, "best")
            return
        self.keys["best"] = dict.fromkeys(best, "low")
        for name, evidence in best.items():
            self._say(*evidence, "best", name)

    # ---------------------------------------------------------------- all else

    def _points(self) -> None:
        """Take columns of points that sum to 100, one a construct."""
        books = self.keys.get("constructs", {})
        for members in asked.with_points(self.free, {}):
            if len(members) != len(books):
                continue
            by_name = {look(last_part(c.name.replace("_", " - ")) or c.name): c for c in members}
            matched = {name: by_name[look(name)] for name in books if look(name) in by_name}
            doubt = len(matched) < len(books)
            if doubt:
                matched = dict(zip(books, members, strict=True))
            self.keys["importance"] = {name: c.name for name, c in matched.items()}
            evidence = both(f"survey.draft.points.{'order' if doubt else 'name'}", n=len(members))
            self._say(evidence, doubt, "importance")
            for cells in members:
                self._claim(cells.name, "importance", evidence, doubt)
            return

    def _others(self) -> None:
        """Take what is left: options in one cell, groups, comments, and what fits nothing."""
        texts = [name for name, cells in self.free.items() if cells.texts]
        forms = describing.with_personal_forms(self.frame, texts) if texts else {}
        n_comments = 0
        for name, cells in list(self.free.items()):
            question = asked.choices_in_a_cell(cells)
            named = describing.is_named_group(cells)
            if asked.is_group_of_recommendation(cells):
                self._other(name, both("survey.draft.other.nps_group"))
            elif question is not None and not (named and asked.is_comment(cells)):
                said = {"kind": "choices", "column": name}
                if question.separator != ";":
                    said["separator"] = question.separator
                evidence = both("survey.draft.choices.cell", n=len(question.options),
                                separator=repr(question.separator))  # fmt: skip
                self._question(name, said, evidence, False)
                self._claim(name, "choices", evidence)
            elif describing.is_group(cells, self.n_rows) and not _says_comment(cells):
                self._group(cells)
            elif asked.is_comment(cells) and not named:
                n_comments += 1
                self._comment(cells, forms.get(name, 0))
            else:
                self._other(name, *_why_other(cells))

    def _comment(self, cells: Cells, n_personal: int) -> None:
        answered = {t: n for t, n in cells.texts.items() if not is_no_answer(t)}
        key = "personal" if n_personal else "plain"
        n = sum(answered.values())
        evidence = both(f"survey.draft.text.{key}", n=n, distinct=len(answered), cells=n_personal)
        said: dict[str, Any] = {"kind": "text", "column": cells.name}
        self._question("comment", said, evidence, bool(n_personal))
        self._claim(cells.name, "text", evidence, bool(n_personal))


def _ends(scale: Scale) -> tuple[int, int]:
    return scale.low, scale.high


def _scale_evidence(scales: Sequence[Scale]) -> tuple[Text, bool]:
    """Return where the scale of some columns is from, and whether it is doubtful."""
    by = Counter(s.by for s in scales).most_common(1)[0][0]
    ends = min(s.ends[0] for s in scales), max(s.ends[1] for s in scales)
    n = sum(s.n_columns for s in scales)
    low, high = _ends(scales[0])
    doubt = any(s.doubt for s in scales) if by != "range" else ends != (low, high)
    doubt |= by == "range" and (high not in ratings.TOPS or (low == 0 and high < 10))
    key = "next" if by == "range" and ends != (low, high) else by
    return both(
        f"survey.draft.scale.{key}", low=low, high=high, first=ends[0], last=ends[1], n=n
    ), doubt


def _with_recommendation(members: Sequence[Rating], recommended: Sequence[Rating]) -> float | None:
    """Return the correlation of a construct's mean with recommendation; None if too few answers."""
    if not recommended:
        return None
    matrix = np.column_stack([r.cells.numbers for r in members])
    has = np.isfinite(matrix)
    means = np.divide(np.where(has, matrix, 0).sum(1), has.sum(1), out=np.full(len(matrix), np.nan),
                      where=has.sum(1) > 0)  # fmt: skip
    pair = np.column_stack([means, recommended[0].cells.numbers])
    if np.isfinite(pair).all(axis=1).sum() < constructs.ENOUGH:
        return None
    return float(constructs.correlations(pair)[0, 1])


def _says_comment(cells: Cells) -> bool:
    lengths = [len(text) for text in cells.texts]
    return bool(lengths and asked.COMMENT.search(cells.heading)) and not cells.n_numbers


def _why_other(cells: Cells) -> tuple[Text, bool]:
    """Return why a column fits nothing, and whether a person should look."""
    if cells.n_distinct == 1:
        return both("survey.draft.other.constant"), False
    if cells.is_time:
        return both("survey.draft.other.time", n=cells.n_distinct), False
    if cells.is_numeric:
        low, high = (f"{v:g}" for v in (cells.values.min(), cells.values.max()))
        return both("survey.draft.other.number", low=low, high=high, n=cells.n_distinct), False
    return both("survey.draft.other.text", n=cells.n_distinct), True


def _without_kinds(rated: Mapping[str, Rating]) -> dict[str, Rating]:
    """Return ratings without numbers that are codes of a kind: up to 4, and alone of their form."""
    ends = {name: rating.ends for name, rating in rated.items()}
    stems = Counter((stem_of(name), ends[name]) for name in rated)
    widest: dict[str, int] = {}
    for (stem, (_, top)), _ in stems.items():
        widest[stem] = max(top, widest.get(stem, 0))
    degrees = {}
    for name, rating in rated.items():
        stem, heading = stem_of(name), rating.cells.heading
        small = ends[name][1] <= 4 and rating.cells.n_numbers >= ratings.ENOUGH
        speaks = asked.SATISFIED.search(heading) or asked.EFFORT.search(heading)
        alike = stems[stem, ends[name]] > 1 or (stem and widest[stem] > ends[name][1])
        if rating.stated or not small or speaks or alike or [*roles.by_words(name)]:
            degrees[name] = rating
    return degrees


def _is_item(rating: Rating, siblings: Mapping[str, int]) -> bool:
    """Return whether a question on recommendation is an item: of a stem, on a scale from 1."""
    stem = stem_of(rating.name)
    return bool(stem) and siblings[stem] > 1 and (rating.stated or rating.ends)[0] != 0


def _stands_alone(rating: Rating, siblings: Mapping[str, int]) -> bool:
    """Return whether a rating asks for the whole, or for effort, beside the items."""
    stem, heading = stem_of(rating.name), rating.cells.heading
    if stem and siblings[stem] > 1:
        return False
    is_overall = asked.is_overall(heading) and bool(asked.SATISFIED.search(heading))
    return is_overall or bool(asked.EFFORT.search(heading)) or bool(asked.RECOMMEND.search(heading))
