"""Changes of published figures, in decimal arithmetic.

A published percentage is compared at the precision at which it was printed, rounded half up
(half away from zero), as authors do by hand. Binary floats and Python's ``round`` do not:
``round(112.5)`` is 112.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from cxstats.errors import CxError

# More digits than any published figure has, whatever context the caller has set.
CONTEXT = Context(prec=50)


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


def round_half_up(value: Decimal, decimals: int) -> Decimal:
    """Return `value` at `decimals` places, halves away from zero.

    Examples
    --------
    >>> round_half_up(Decimal("112.5"), 0), round_half_up(Decimal("-0.25"), 1)
    (Decimal('113'), Decimal('-0.3'))
    """
    with localcontext(CONTEXT):
        return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


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


def agrees(printed: Decimal, recomputed: Decimal) -> bool:
    """Return whether `recomputed`, at the precision of `printed`, is `printed`.

    Examples
    --------
    >>> agrees(Decimal("113"), Decimal("112.5"))
    True
    >>> agrees(Decimal("-45.7"), Decimal("-45.6"))
    False
    """
    return round_half_up(recomputed, printed_decimals(printed)) == printed
