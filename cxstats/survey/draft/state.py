"""The codebook as it grows: columns that are free, keys, comments."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import DataError
from cxstats.core.language import Text, both
from cxstats.core.messages import excerpt
from cxstats.survey.codebook import Codebook
from cxstats.survey.draft import describing, roles
from cxstats.survey.draft.cells import Cells, cells_of
from cxstats.survey.draft.result import ColumnRole
from cxstats.survey.non_respondents import non_respondents

if TYPE_CHECKING:
    import pandas as pd


class DraftState:
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
                self.claim_other(name, both("survey.draft.other.name"), True)

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

    def codebook(self) -> Codebook:
        """Return the codebook of what was claimed."""
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

    def claim(
        self, column: Any, role: str, evidence: Text, doubt: bool = False, *path: Any
    ) -> None:
        """Take a column for a role; with a path, the evidence stands there in the codebook."""
        self.roles[column] = ColumnRole(column, role, evidence, doubt)
        self.free.pop(column, None)
        if path:
            self.say(evidence, doubt, *path)

    def say(self, evidence: Text, doubt: bool, *path: Any) -> None:
        """Write the evidence beside a line of the codebook."""
        self.comments[path] = evidence, doubt

    def claim_other(self, column: Any, evidence: Text, doubt: bool = False) -> None:
        """Take a column for one that no method reads."""
        self.keys.setdefault("other", []).append(column)
        self.claim(column, "other", evidence, doubt, "other", column)

    def claim_single(self, proposal: describing.Proposal) -> None:
        """Take the one column of a role."""
        self.keys[proposal.role] = proposal.column
        self.claim(proposal.column, proposal.role, proposal.evidence, proposal.doubt, proposal.role)

    def claim_group(self, cells: Cells) -> None:
        """Take a column for a grouping of respondents."""
        proposal = describing.group(cells, self.frame[cells.name])
        self.keys.setdefault("groups", {})[cells.name] = proposal.value
        evidence, doubt = proposal.evidence, proposal.doubt
        self.claim(cells.name, "groups", evidence, doubt, "groups", cells.name)

    def add_question(self, name: str, question: dict[str, Any], evidence: Text, doubt: bool) -> str:
        """Add a question under a name that is free, and return that name."""
        questions = self.keys.setdefault("questions", {})
        self.n_named[name] += 1
        free_name = name
        while free_name in self.taken:
            self.n_named[name] += 1
            free_name = f"{name}_{self.n_named[name]}"
        self.taken.add(free_name)
        questions[free_name] = question
        self.say(evidence, doubt, "questions", free_name)
        return free_name

    def free_cells(self) -> list[Cells]:
        """Return the cells of the columns that are not taken yet."""
        return list(self.free.values())

    def scale_pairs(self) -> set[tuple[int, int]]:
        """Return the ends of the scales of the items."""
        scale = self.keys.get("scale")
        if not scale:
            return set()
        return {tuple(p) for p in (scale.values() if isinstance(scale, dict) else [scale])}

    def owners(self) -> dict[str, str]:
        """Return the construct or question of every rated column."""
        owner = {}
        for name, items in self.keys.get("constructs", {}).items():
            for item in items:
                for column in self.columns_of(item):
                    owner[column] = name
        for name, question in self.keys.get("questions", {}).items():
            if "column" in question:
                owner[question["column"]] = name
        return owner

    def columns_of(self, item: str) -> list[str]:
        """Return the columns of an item, one a role."""
        patterns = [self.keys[role] for role in roles.ALL_ROLES if role in self.keys]
        if not patterns:
            return [item]
        return [p[item] if isinstance(p, dict) else p.format(item=item) for p in patterns]

    def place_of(self, column: str) -> tuple[Any, ...]:
        """Return where the codebook speaks of a rated column."""
        for name, question in self.keys.get("questions", {}).items():
            if question.get("column") == column:
                return "questions", name
        for name, items in self.keys.get("constructs", {}).items():
            for item in items:
                if column in self.columns_of(item):
                    return "constructs", name, item
        return ("scale",)
