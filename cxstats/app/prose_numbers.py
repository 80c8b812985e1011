"""The numbers in the prose of a notebook: where they come from, and how they follow new outputs.

A number is traced when an output or the code of a notebook holds it or a value that rounds to it,
as a share or in per cent. Small whole numbers and years are not traced: they count things in the
sentence. When a run changes an output, `follow_outputs` writes the new value in the prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cxstats.app.reproduce import output_text
from cxstats.app.translations import key_of

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from numpy.typing import NDArray

NUMBER = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?")
# Formulas, code, targets of links, numbers of documents and notebooks, years.
NOT_TRACED = re.compile(
    r"\$.*?\$|`[^`]*`|<code>.*?</code>|\]\([^)]*\)|[Dd]ocuments? \d+|文档 ?\d+|[Nn]otebooks? \d+"
    r"|笔记本 ?\d+|第 ?\d+ ?本|\b(19|20)\d\d\b|\*\*(Exercise|练习) [\d.]+",
    re.DOTALL,
)
SMALL = 20  # whole numbers up to this count things
ROUNDED = 1 + 1e-9  # a value half-way between two printed ones may be either


@dataclass(frozen=True, slots=True)
class Number:
    """A number as a text has it.

    Attributes
    ----------
    written : str
        Without its sign, such as "1,500" or ".12".
    start : int
        Where it begins in the text.
    is_negative : bool
        Whether a minus stands directly before it.
    """

    written: str
    start: int
    is_negative: bool = False

    @property
    def value(self) -> float:
        """The size, without its sign."""
        return float(self.written.replace(",", ""))

    @property
    def n_decimals(self) -> int:
        """Digits behind the point."""
        return len(self.written.partition(".")[2])

    def can_be(self, value: float | NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether values, without their sign, round to this number."""
        half = 0.5 * 10.0**-self.n_decimals
        return np.abs(np.asarray(value) - self.value) <= half * ROUNDED

    def like(self, value: float) -> str:
        """Return another value written as this one is."""
        text = f"{value:{',' if ',' in self.written else ''}.{self.n_decimals}f}"
        return text.removeprefix("0") if self.written.startswith(".") else text


def numbers(text: str) -> Iterator[Number]:
    """Yield the numbers of a text.

    Examples
    --------
    >>> [number.written for number in numbers("−0.12 of 1,500 (p = .03)")]
    ['0.12', '1,500', '.03']
    """
    for match in NUMBER.finditer(text):
        if match[0]:
            yield Number(match[0], match.start(), text[: match.start()][-1:] in ("-", "−"))


def traceable(prose: str) -> list[Number]:
    """Return the numbers of a prose that must come from somewhere.

    Examples
    --------
    >>> [number.written for number in traceable("In 2020, 3 of 400 said so: `n = 50`.")]
    ['400']
    """
    spans = [match.span() for match in NOT_TRACED.finditer(prose)]
    return [
        number
        for number in numbers(prose)
        if not (number.value <= SMALL and number.value.is_integer())
        and not any(first <= number.start < last for first, last in spans)
    ]


def untraced(prose: str, values: NDArray[np.float64]) -> list[str]:
    """Return the numbers of a prose that no value, as a share or in per cent, rounds to."""
    shares = np.concatenate([values, 100 * values])
    return [n.written for n in traceable(prose) if not n.can_be(shares).any()]


def shown_values(notebook: NotebookNode) -> NDArray[np.float64]:
    """Return the numbers, without their signs, in the code and the outputs of a notebook."""
    return np.array([number.value for text in _shown(notebook) for number in numbers(text)])


@dataclass
class Followed:
    """What became of the numbers of a prose when the outputs changed.

    Attributes
    ----------
    changes : list of str
        Such as "cell 4: .037 is .041 now".
    lost : list of str
        Numbers that an output held, and none holds now; for a person to write.
    translations : dict of str to str
        Old key to new key of the cells whose prose changed.
    blocks : dict of str to str
        Old key to the translation as it reads now.
    """

    changes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    translations: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, str] = field(default_factory=dict)


def follow_outputs(
    committed: NotebookNode, fresh: NotebookNode, translations: dict[str, str]
) -> Followed:
    """Write the numbers of new outputs in the prose of `fresh`, and of its translations.

    A number of the prose belongs to the nearest cell, first of those before it, whose old output
    held it. It is changed where only numbers of that cell changed, and those in its places
    agree. Words ("three of them") and signs are left to the author; a changed sign is
    among `lost`.

    Parameters
    ----------
    committed, fresh : NotebookNode
        The notebook with its old outputs, and with those of a run. The prose of `fresh` changes.
    translations : dict of str to str
        Translated prose by the key of its English text.
    """
    followed = Followed()
    before, after = _shown(committed), _shown(fresh)
    for place, cell in enumerate(fresh.cells):
        if cell.cell_type != "markdown":
            continue
        key = key_of(cell.source)
        cell.source = _rewritten(cell.source, place, before, after, followed)
        if key in translations:
            block = _rewritten(translations[key], place, before, after, followed)
            if block != translations[key] or key_of(cell.source) != key:
                followed.blocks[key], followed.translations[key] = block, key_of(cell.source)
    return followed


def with_new_numbers(twin: str, followed: Followed) -> str:
    """Return the text of a twin file with its changed blocks under their new keys."""
    for key, block in followed.blocks.items():
        pattern = re.compile(rf"^<!-- {key} -->\n.*?(?=^<!-- [0-9a-f]{{8}} -->$|\Z)", re.M | re.S)
        match = pattern.search(twin)
        if match:
            head = f"<!-- {followed.translations[key]} -->\n{block}\n"
            gap = "\n" if match[0].endswith("\n\n") else ""
            twin = twin[: match.start()] + head + gap + twin[match.end() :]
    return twin


def _shown(notebook: NotebookNode) -> list[str]:
    """Return the code and the outputs of each cell; of prose nothing."""
    return [
        f"{cell.source}\n{output_text(cell)}" if cell.cell_type == "code" else ""
        for cell in notebook.cells
    ]


def _rewritten(
    prose: str,
    place: int,
    before: Sequence[str],
    after: Sequence[str],
    followed: Followed,
) -> str:
    """Return a prose with the numbers that changed, and note which did."""
    now = np.array([number.value for text in after for number in numbers(text)])
    cells = sorted(range(len(before)), key=lambda k: (k > place, abs(k - place)))
    pieces, end = [], 0
    for number in traceable(prose):
        source = next((k for k in cells if _places(number, before[k])), None)
        if source is None:
            continue
        values = _new_values(number, before[source], after[source])
        stays = number.can_be(np.concatenate([now, 100 * now])).any()
        if values is not None and len(values) == 1 and values != {number.written}:
            (new,) = values
            pieces += [prose[end : number.start], new]
            end = number.start + len(number.written)
            followed.changes.append(f"cell {place + 1}: {number.written} is {new} now")
        elif values == set() or (values is None and not stays):
            followed.lost.append(f"cell {place + 1}: {number.written}")
    return "".join([*pieces, prose[end:]])


def _places(number: Number, shown: str) -> list[tuple[int, float]]:
    """Return where a number stands among those shown, and by what it was multiplied."""
    return [
        (i, factor)
        for factor in (1.0, 100.0)
        for i, other in enumerate(numbers(shown))
        if number.can_be(factor * other.value)
    ]


def _new_values(number: Number, shown: str, shown_now: str) -> set[str] | None:
    """Return what stands now in the places of a number; empty where a sign changed.

    None where the places cannot be told, since words changed too, or where they differ.
    """
    if _words(shown) != _words(shown_now):  # the rows of a ranking may have changed places
        return None
    before, after = list(numbers(shown)), list(numbers(shown_now))
    places = _places(number, shown)
    if any(before[i].is_negative != after[i].is_negative for i, _ in places):
        return set()
    values = {
        number.written
        if number.can_be(factor * after[i].value)
        else number.like(factor * after[i].value)
        for i, factor in places
    }
    return values if len(values) == 1 else None


def _words(text: str) -> list[str]:
    """Return a text without its numbers, their signs and its spaces."""
    return re.sub(r"[-−]?\b0", " 0 ", NUMBER.sub(lambda m: "0" if m[0] else "", text)).split()
