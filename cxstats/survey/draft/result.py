"""The draft of a codebook as a result: what every column is taken for, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from cxstats.core.files import write_text_whole
from cxstats.core.language import Text, check_lang, label
from cxstats.core.messages import cut, listing
from cxstats.core.result import Result
from cxstats.survey.codebook import Codebook
from cxstats.survey.draft.yaml_text import as_yaml

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

ROLES = (
    "expectation", "perception", "minimum", "score", "importance", "nps", "csat", "ces", "rating",
    "choices", "text", "respondent", "duration", "wave", "groups", "weights", "cluster", "strata",
    "personal", "other",
)  # fmt: skip
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
