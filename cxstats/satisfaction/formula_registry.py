"""Which function computes which formula of the case studies, and how much of it was printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from cxstats.cases.files import Formula, read_formulas
from cxstats.core.errors import CxError
from cxstats.core.language import Text, both

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class PublishedFormula:
    """A formula of the case studies and the function that computes it (or says why it cannot).

    Attributes
    ----------
    id : str
        As in `cxstats.load_formulas`.
    status : str
        How much of the formula was printed; the same as in `cxstats.load_formulas`.
    function : callable
    """

    id: str
    status: str
    function: Callable[..., Any]


FORMULAS: dict[str, PublishedFormula] = {}


def published(identifier: str, status: str) -> Callable[[Function], Function]:
    """Enter a function in `FORMULAS`; the function itself is unchanged."""

    def enter(function: Function) -> Function:
        FORMULAS[identifier] = PublishedFormula(identifier, status, function)
        return function

    return enter


def formula(identifier: str) -> Formula:
    """Return a formula as it was printed.

    Raises
    ------
    CxError
        If there is none of that name.

    Examples
    --------
    >>> formula("A09").formula.en, formula("A09").status
    ('S = αQ + βI + γP', 'reconstructed-high')
    """
    formulas = {printed.id: printed for printed in read_formulas()}
    if identifier not in formulas:
        raise CxError(f"no formula {identifier!r}; there are: {', '.join(formulas)}")
    return formulas[identifier]


def origin(identifier: str) -> Text:
    """Return a formula with its source and status, for the head of a summary.

    Examples
    --------
    >>> origin("D05").en
    'D05: CS = Σ_{i=1..n} W_i · S_i (document 004, 3.1.2 (3); reconstructed (high confidence))'
    """
    printed = formula(identifier)
    return both(
        "satisfaction.origin",
        id=identifier,
        formula=printed.formula,
        source=printed.source,
        section=printed.section,
        status=both(f"status.{printed.status}"),
    )
