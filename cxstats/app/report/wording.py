"""What an analysis says to its caller, in words for the readers of a report."""

from __future__ import annotations

import re

from cxstats.core.errors import CxError
from cxstats.core.language import Text, both

# Options of functions that notes of results name; a reader of a report calls no function.
OPTIONS = (
    "adjust", "bands", "best", "blank", "cluster", "cuts", "dates", "duplicates", "encoding",
    "header", "interval", "labels", "leave_out", "limits", "log", "method", "min_cell", "missing",
    "order", "sheet", "std_lv",
)  # fmt: skip
CODE = re.compile(rf"\b(?:{'|'.join(OPTIONS)})=|\bcx\.\w|\bcxstats\.\w|\w\(\)|\bframe\.\w+\(")
# A clause ends with its sign; "." ends one only before a space or the end.
CLAUSE = re.compile(r"(?<=[;:；：。])\s*|(?<=\.)\s+")
# Reasons of errors, with what the sentences in the catalogue say of them.
REASONS = {
    r"fewer than two respondents answered": "two_respondents",
    r"the answers.* never vary": "constant",
    r"column .* does not vary": "constant_outcome",
    r"column (?P<column>.*?) has no answers": "no_answers",
    r"no row has a group in (?P<column>.*)": "no_groups",
    r"column (?P<column>.*?) is text whose order in time is not clear": "no_order",
    r"column (?P<column>.*?) is not in the table": "no_column",
    r"the column of groups (?P<column>.*?) has the name of a column of the result": "taken_name",
}


def without_code(note: Text) -> Text:
    """Return a note without the clauses that name an option of a function.

    Examples
    --------
    >>> from cxstats.core.language import Text
    >>> without_code(Text("few answers; give order=[...]", "回答少；请给出 order=[...]"))
    Text(en='few answers', zh='回答少')
    """
    return Text(*map(_without_code, note))


def _without_code(text: str) -> str:
    clauses, start = [], 0
    ends = [*(match.end() for match in CLAUSE.finditer(text)), len(text)]
    skipping = False
    for end in ends:
        clause = text[start:end]
        start = end
        # What follows code in the same sentence belongs to it.
        skipping = skipping or CODE.search(clause) is not None
        if not skipping:
            clauses.append(clause)
        if clause.rstrip().endswith((".", "。")):
            skipping = False
    plain = "".join(clauses).strip()
    return re.sub(r"[;:；：]$", "", plain) if plain else text


def reason(error: CxError) -> Text:
    """Return why an analysis was not possible, in both languages as far as the catalogue has it."""
    message = str(error)
    for pattern, key in REASONS.items():
        match = re.match(pattern, message)
        if match:
            columns = {k: v.strip("'\"") for k, v in match.groupdict().items()}
            return both(f"report.reason.{key}", **columns)
    plain = _without_code(message)
    return Text(plain, both("report.reason.english", why=plain).zh)
