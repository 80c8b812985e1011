"""The published quantities: one `Fact` per printed figure, exactly as printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cxstats.cases.files import Unit, case_folder, read_rows, source_titles, units
from cxstats.cases.own_figures import read_own_rows
from cxstats.core.errors import DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, check_lang, label

if TYPE_CHECKING:
    import pandas as pd

DIGITS = 15  # more than any figure in print has
EXAMPLES = (
    "1250 or -45.6 (the unit has its own column)",
    "-45.6, '+113 %', '36 points' or '×3'",
)
NUMBERS = ("before", "after", "value", "printed_change")
COLUMNS = (
    "id",
    "case_en",
    "case_zh",
    "source",
    "section_en",
    "section_zh",
    "kind",
    "quantity_en",
    "quantity_zh",
    "item_en",
    "item_zh",
    "unit",
    "qualifier",
    *NUMBERS,
    "printed_change_unit",
    "period",
    "better",
    "as_printed",
    "note_en",
    "note_zh",
)

# What a fact of each kind must have in print. Kinds that begin with "derived" are ours: their
# rows say where the words stand and hold no number; `cxstats.cases.derive` computes them.
KINDS: dict[str, tuple[str, ...]] = {
    "before_after": ("before", "after"),
    "reported_effect": ("printed_change",),
    "share": ("value",),
    "weight": ("value",),
    "input": ("value",),
    "series_point": ("value", "period"),
    "target": ("value",),
    "threshold": (),
    "lost": (),
    "derived": (),
    "derived_before_after": (),
}
CHOICES = {
    "qualifier": ("", ">=", ">", "<", "<=", "~"),
    "better": ("", "up", "down"),
}
CHANGE_UNITS = ("", "%", "points", "×")  # the published files print per cent only
NO_UNIT = Unit("", Text("", ""), "amount")


@dataclass(frozen=True, slots=True)
class Fact:
    """One published quantity.

    Numbers are `Decimal`, with the decimal places that were printed, or None where nothing was.
    ``printed_change`` is in per cent of the value before, or, as ``change_unit`` says, in "points"
    (``after - before``) or times ("×", ``after / before``). ``qualifier`` is the sign that stands
    before the number in print (">=" for "at least", "~" for "about").
    """

    id: str
    case: Text
    source: str
    section: Text
    kind: str
    quantity: Text
    item: Text
    unit: Unit
    qualifier: str
    before: Decimal | None
    after: Decimal | None
    value: Decimal | None
    printed_change: Decimal | None
    change_unit: str
    period: str
    better: str
    as_printed: str
    note: Text

    @property
    def derived(self) -> bool:
        """Whether the number is ours and not a published one."""
        return self.kind.startswith("derived")

    def name(self, lang: str | None = None) -> str:
        """Return the quantity, with the row of its table where it has one."""
        quantity, item = self.quantity.get(lang), self.item.get(lang)
        return label("fact.name", lang, quantity=quantity, item=item) if item else quantity

    def amount(self, value: Decimal, lang: str | None = None) -> str:
        """Return a value of this fact with its unit, for reading."""
        unit = self.unit.text.get(lang)
        space = " " if unit and check_lang(lang) == "en" else ""
        return f"{format_number(value)}{space}{unit}"


def read_facts(path: Path | None = None) -> tuple[Fact, ...]:
    """Read and validate a facts file; without `path`, that of the case studies.

    Raises
    ------
    DataError
        Naming file, row and column of a missing column, an unknown unit, kind or source, a
        cell that is not a number, a number that the kind of the fact needs and lacks, a
        doubled identifier, or a derived fact in a file other than the project's own.
    """
    return _shipped_facts() if path is None else _read_facts(path, shipped=False)


@cache
def _shipped_facts() -> tuple[Fact, ...]:
    return _read_facts(case_folder() / "facts.csv", shipped=True)


def _rows(path: Path, shipped: bool) -> list[tuple[int, dict[str, str]]]:
    return read_rows(path, COLUMNS) if shipped else read_own_rows(path)


def _read_facts(path: Path, shipped: bool) -> tuple[Fact, ...]:
    rows = _rows(path, shipped)
    problems: list[str] = []
    first_lines: dict[str, int] = {}
    for line, row in rows:
        problems += [f"{path.name}, row {line}, {text}" for text in _problems(row, shipped)]
        if row["id"] in first_lines:
            first = first_lines[row["id"]]
            problems.append(
                f"{path.name}, row {line}, column 'id': {row['id']!r} stands in row {first} too"
            )
        first_lines.setdefault(row["id"], line)
    if problems:
        raise DataError(problems)
    return tuple(_fact(row) for _, row in rows)


def _problems(row: dict[str, str], shipped: bool) -> list[str]:
    """Return what is wrong with one row, each naming its column, value and what is allowed."""
    return [
        *_unknown_choices(row, shipped),
        *_empty_names(row),
        *_number_problems(row),
        *_derived_problems(row, shipped),
    ]


def _unknown_choices(row: dict[str, str], shipped: bool) -> Iterator[str]:
    for column, allowed in _choices(shipped).items():
        if row[column] not in allowed:
            choice = ", ".join(map(repr, allowed))
            yield f"column {column!r}: {row[column]!r} is not known; allowed: {choice}"


@cache
def _choices(shipped: bool) -> dict[str, tuple[str, ...]]:
    choices = {"kind": tuple(KINDS), "unit": tuple(units()), **CHOICES}
    if shipped:
        return choices | {"printed_change_unit": ("", "%"), "source": tuple(source_titles())}
    return choices | {"printed_change_unit": CHANGE_UNITS, "unit": (*units(), "")}


def _empty_names(row: dict[str, str]) -> Iterator[str]:
    if not row["id"].strip():
        yield "column 'id': empty; a fact needs one"
    if not (row["quantity_en"] + row["quantity_zh"]).strip():
        yield "columns 'quantity_en' and 'quantity_zh': both empty; a fact needs a name"


def _number_problems(row: dict[str, str]) -> Iterator[str]:
    for column in NUMBERS:
        text = row[column]
        if text and _number(text) is None:
            yield (
                f"column {column!r}: {text[:40]!r} is not a number; allowed: up to {DIGITS} digits "
                f"with a point, such as {EXAMPLES[column == 'printed_change']}"
            )
    for column in KINDS.get(row["kind"], ()):
        if not row[column]:
            yield f"column {column!r}: empty, but a {row['kind']!r} fact needs it"


def _derived_problems(row: dict[str, str], shipped: bool) -> Iterator[str]:
    if not row["kind"].startswith("derived"):
        return
    if not shipped:
        yield "column 'kind': derived facts are computed by the project, not read"
    for column in NUMBERS:
        if row[column]:
            yield f"column {column!r}: a derived fact holds no published number"


def _number(text: str) -> Decimal | None:
    # Decimal also takes "NaN", "1_000" and " 7 "; a published figure is digits and a point.
    if not set(text) <= set("+-.0123456789") or sum(c.isdigit() for c in text) > DIGITS:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _fact(row: dict[str, str]) -> Fact:
    def text(name: str) -> Text:
        english, chinese = row[f"{name}_en"], row[f"{name}_zh"]
        return Text(english or chinese, chinese or english)

    return Fact(
        id=row["id"],
        case=text("case"),
        source=row["source"],
        section=text("section"),
        kind=row["kind"],
        quantity=text("quantity"),
        item=text("item"),
        unit=units().get(row["unit"], NO_UNIT),
        qualifier=row["qualifier"],
        before=_number(row["before"]),
        after=_number(row["after"]),
        value=_number(row["value"]),
        printed_change=_number(row["printed_change"]),
        change_unit=row["printed_change_unit"] or "%",
        period=row["period"],
        better=row["better"],
        as_printed=row["as_printed"],
        note=text("note"),
    )


def load_facts(path: str | Path | None = None) -> pd.DataFrame:
    """Load the published quantities, one row each.

    Parameters
    ----------
    path : str or Path, optional
        A file of your own (see `cxstats.audit`); without it, the case studies of this project.

    Returns
    -------
    pandas.DataFrame
        The columns of ``data/cases/facts.csv``; ``before, after, value, printed_change`` are
        floats, NaN where nothing was printed. Rows whose kind begins with ``derived`` hold no
        number: they are ours, and `audit` computes them.

    Raises
    ------
    DataError
        If the file is not a valid facts file; see `read_facts`.

    Examples
    --------
    >>> facts = load_facts().set_index("id")
    >>> len(facts)
    111
    >>> facts.loc["F072", "quantity_en"], facts.loc["F072", "printed_change"].item()
    ('net promoter score', 113.0)
    """
    import pandas as pd

    file = case_folder() / "facts.csv" if path is None else Path(path)
    read_facts(None if path is None else file)  # validates
    frame = pd.DataFrame([row for _, row in _rows(file, path is None)], columns=list(COLUMNS))
    for column in NUMBERS:
        frame[column] = pd.to_numeric(frame[column].replace("", None))
    return frame


def cite(facts: pd.DataFrame, lang: str | None = None) -> str:
    """Return where facts were printed, for the source line of a chart.

    Parameters
    ----------
    facts : pandas.DataFrame
        Rows of `load_facts`.
    lang : {"en", "zh"}, optional
        Language; without it, that of `cxstats.set_language`.

    Examples
    --------
    >>> facts = load_facts().set_index("id")
    >>> cite(facts.loc["F021":"F025"])
    'document 000, 6.2 (1) Pain points before the programme'
    """
    lang = check_lang(lang)
    places = dict.fromkeys(zip(facts["source"], facts[f"section_{lang}"], strict=True))
    return "; ".join(
        label("chart.source.document", lang, source=source, section=section)
        for source, section in places
    )
