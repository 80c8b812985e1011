"""Changes of published figures, in decimal arithmetic.

A published percentage is compared at the precision at which it was printed, rounded half up
(half away from zero), as authors do by hand. Binary floats and Python's ``round`` do not:
``round(112.5)`` is 112.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

from cxstats.core.errors import CxError
from cxstats.core.formats import CONTEXT, round_half_up


def percent_change(before: Decimal, after: Decimal) -> Decimal:
    """Return the relative change in per cent, ``(after - before) / before * 100``.

    Parameters
    ----------
    before, after : Decimal
        The two values, in the same unit.

    Raises
    ------
    CxError
        If `before` is zero: no relative change exists.

    Examples
    --------
    >>> percent_change(Decimal("32"), Decimal("68"))
    Decimal('112.5')
    """
    if before == 0:
        raise CxError("no relative change exists when the value before is 0")
    with localcontext(CONTEXT):
        return (after - before) * 100 / before


def printed_decimals(printed: Decimal) -> int:
    """Return how many decimal places a figure was printed with.

    Examples
    --------
    >>> printed_decimals(Decimal("-45.6")), printed_decimals(Decimal("33.0"))
    (1, 1)
    >>> printed_decimals(Decimal("113"))
    0
    """
    exponent = printed.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def agrees(printed: Decimal, recomputed: Decimal, qualifier: str = "") -> bool | None:
    """Return whether `recomputed`, at the precision of `printed`, is what was printed.

    Parameters
    ----------
    printed, recomputed : Decimal
        The figure in print and the figure that comes out.
    qualifier : {"", ">=", ">", "<=", "<", "~"}
        What stands before the printed figure. A bound is compared in size ("fell by more than
        30 %" is printed -30 with ">"). "About" agrees with the figure itself and is otherwise
        None: nobody can say how near is near.

    Examples
    --------
    >>> agrees(Decimal("113"), Decimal("112.5"))
    True
    >>> agrees(Decimal("-45.7"), Decimal("-45.6"))
    False
    >>> agrees(Decimal("-30"), Decimal("-41.2"), ">"), agrees(Decimal("40"), Decimal("41"), "~")
    (True, None)
    """
    rounded = round_half_up(recomputed, printed_decimals(printed))
    if qualifier == "~":
        return True if rounded == printed else None
    if not qualifier:
        return rounded == printed
    if rounded * printed < 0:
        return False
    size, bound = abs(rounded), abs(printed)
    holds = {">=": size >= bound, ">": size > bound, "<=": size <= bound, "<": size < bound}
    return holds[qualifier]
