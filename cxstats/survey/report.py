"""What was found in a client's file, and what was assumed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cxstats.core.language import Text, label, listed
from cxstats.core.result import Result
from cxstats.survey.encoding import delimiter_name

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)  # compared by value: it travels in the table's attributes
class ReadReport(Result):
    """What was found in a file, and what was assumed.

    Attributes
    ----------
    file : str
        Name of the file, without its folder.
    format : str
        Its extension: "csv", "xlsx", "sav" ...
    encoding, delimiter : str
        Of a text file; empty otherwise (SPSS files name their encoding).
    header : tuple of int
        Numbers of the rows of the header in the file (the first row is 1); none of SPSS and Stata.
    titles : tuple of int
        Rows above the header.
    platform : str
        What wrote the file, such as "qualtrics" or "wjx"; empty where that cannot be told.
    evidence : tuple of str
        The headings by which the platform was recognised.
    layout : str
        "wide" (a row a respondent), "long" (a row an answer) or "rows_per_role".
    rows : int
        Size of the table.
    names : tuple of str
        Columns of the table.
    notes : tuple of Text
        Every assumption and everything that was left out.
    questions : dict of str to str
        Column to question text.
    value_labels : dict of str to dict
        Column to code and label (SPSS). The table keeps the codes.
    choice_sets : dict of str to tuple of str
        Check-all-that-apply: the columns of each set that the file declares (SPSS).
    numbered : tuple of str
        Columns whose heading stood there before, which got a number.
    pointed_out : dict of str to tuple
        Rows of the table that are no respondents, by kind ("total", "preview", "partial", "test",
        "hidden"); ``read_survey(..., leave_out=[...])`` leaves them out.
    left_out : dict of str to tuple of int
        Rows of the file that were left out: those asked for, and "footnote", "repeated_header".
    doubts : tuple of Text
        What may be otherwise than it was read; each was a warning, too.
    missing : dict of str to int
        Column to the number of values that the file (SPSS, Stata) or the caller declares missing
        and that became missing. Cells that were empty already are not counted.
    """

    file: str
    format: str
    encoding: str = ""
    delimiter: str = ""
    header: tuple[int, ...] = (1,)
    titles: tuple[int, ...] = ()
    platform: str = ""
    evidence: tuple[str, ...] = ()
    layout: str = "wide"
    rows: int = 0
    names: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    questions: dict[str, str] = field(default_factory=dict)
    value_labels: dict[str, dict[Any, str]] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    choice_sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbered: tuple[str, ...] = ()
    pointed_out: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    left_out: dict[str, tuple[int, ...]] = field(default_factory=dict)
    doubts: tuple[Text, ...] = ()

    @property
    def header_rows(self) -> int:
        """How many rows the header has: 1, 2 (SurveyMonkey), 3 (Qualtrics), 0 (SPSS, Stata)."""
        return len(self.header)

    @property
    def columns(self) -> int:
        """How many columns the table has."""
        return len(self.names)

    @property
    def table(self) -> pd.DataFrame:
        """The columns of the file, one row each: ``column, question, value_labels, n_declared``.

        ``n_declared`` counts the values that the file declares missing.
        """
        import pandas as pd

        labels = {
            name: "; ".join(f"{code:g} = {text}" if isinstance(code, float) else f"{code} = {text}"
                            for code, text in codes.items())
            for name, codes in self.value_labels.items()
        }  # fmt: skip
        return pd.DataFrame(
            {
                "column": list(self.names),
                "question": [self.questions.get(name, "") for name in self.names],
                "value_labels": [labels.get(name, "") for name in self.names],
                "n_declared": [self.missing.get(name, 0) for name in self.names],
            }
        )

    def title(self, lang: str | None = None) -> str:
        """Return the name of the file, as a heading."""
        return label("title.ReadReport", lang, file=self.file)

    def findings(self, lang: str) -> list[str]:
        """Return what kind of file was read, and its size."""
        size = {"rows": self.rows, "columns": self.columns, "header": self.header_rows}
        head = label("survey.read.head", lang, file=self.file, format=self.format, **size)
        lines = []
        if self.encoding:
            lines.append(label("survey.read.encoding", lang, encoding=self.encoding))
        if self.delimiter:
            name = delimiter_name(self.delimiter).get(lang)
            lines.append(label("survey.read.delimiter", lang, name=name))
        if self.questions:
            lines.append(label("survey.read.questions", lang, n=len(self.questions)))
        if self.value_labels:
            lines.append(label("survey.read.value_labels", lang, n=len(self.value_labels)))
        if self.missing:
            n = sum(self.missing.values())
            lines.append(label("survey.read.missing", lang, n=n, columns=len(self.missing)))
        lines += [self._rows_line("pointed_out", kind, lang) for kind in self.pointed_out]
        lines += [self._rows_line("left_out", kind, lang) for kind in self.left_out]
        lines += [f"! {doubt.get(lang)}" for doubt in self.doubts]
        return [head, *(f"  {line}" for line in lines)]

    def _rows_line(self, what: str, kind: str, lang: str) -> str:
        rows = getattr(self, what)[kind]
        first_rows = listed([*rows[:8], *(["…"] if len(rows) > 8 else [])]).get(lang)
        kind_text = label(f"survey.rows.{kind}", lang)
        return label(f"survey.read.{what}", lang, n=len(rows), kind=kind_text, rows=first_rows)
