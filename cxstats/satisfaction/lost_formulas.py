"""Formulas that cannot be computed: they are shown, and refuse with the reason."""

from __future__ import annotations

from typing import NoReturn

from cxstats.core.errors import CxError
from cxstats.satisfaction.formula_registry import formula, published


@published("D06", "given, invalid")
def service_efficiency(*_: object, **__: object) -> NoReturn:
    """Refuse the printed efficiency of intelligent service, which cannot be computed.

    Formula D06: document 004, 3.3.1, formula 2 (status: given, but invalid). Verbatim:

        智能化客户服务效率=(24/7×用户咨询量)+(个性化服务占比)

    It adds a number of enquiries to a share and takes "24/7" for a number.

    Raises
    ------
    CxError
        Always, with the formula, the reason and what to use in its place: the share of enquiries
        resolved automatically times the share of hours that are covered.
    """
    one = formula("D06")
    raise CxError(
        f"D06 as printed: {one.as_printed}. It cannot be computed: it adds a count of enquiries to "
        "a share, and 24/7 is a way of saying always, no number. In its place: "
        "automated-resolution rate × coverage, both from 0 to 1"
    )


@published("A19", "lost")
def architecture_decay(*_: object, **__: object) -> NoReturn:
    """Refuse the rule of architecture decay, of which threshold and action are lost.

    Formula A19: document 000, 6.2 (5) (status: lost).

    Raises
    ------
    CxError
        Always.
    """
    one = formula("A19")
    raise CxError(
        f"A19 as printed: {one.as_printed!r}. Threshold and action are lost; there is nothing to "
        "compute"
    )
