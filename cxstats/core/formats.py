"""How numbers and changes are written for people to read. Results themselves stay unrounded."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from math import isfinite, isnan

from cxstats.core.language import check_lang, label

# More digits than any published figure has, whatever context the caller has set.
CONTEXT = Context(prec=400)


def round_half_up(value: Decimal, decimals: int) -> Decimal:
    """Return `value` at `decimals` places, halves away from zero.

    Examples
    --------
    >>> round_half_up(Decimal("112.5"), 0), round_half_up(Decimal("-0.25"), 1)
    (Decimal('113'), Decimal('-0.3'))
    """
    with localcontext(CONTEXT):
        return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def format_number(value: Decimal | float, decimals: int | None = None, sign: bool = False) -> str:
    """Write a number for reading: thousands grouped, a real minus sign, half up; a dash for none.

    Parameters
    ----------
    value : Decimal or float
        The number.
    decimals : int, optional
        Decimal places; without it, as many as the number has and no trailing zeros.
    sign : bool
        Whether a plus is written too.

    Examples
    --------
    >>> format_number(Decimal("112.5"), 0, sign=True)
    '+113'
    >>> format_number(Decimal("-4.50"))
    '−4.5'
    >>> format_number(25000), format_number(float("nan")), format_number(float("inf"))
    ('25,000', '–', '∞')
    """
    if isnan(value):
        return "–"
    if not isfinite(value):
        return "−∞" if value < 0 else "+∞" if sign else "∞"
    # Twelve digits of a float: 0.1 + 0.2 is written 0.3.
    number = value if isinstance(value, Decimal) else Decimal(f"{value:.12g}")
    if decimals is not None:
        number = round_half_up(number, decimals)
    text = f"{number:{'+' if sign else ''},f}"
    if decimals is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "−")


def format_percent(
    value: Decimal | float, decimals: int | None = None, lang: str | None = None, sign: bool = False
) -> str:
    """Write a percentage, with a space before the sign in English and none in Chinese.

    Examples
    --------
    >>> format_percent(17.4, 0), format_percent(17.4, 0, "zh")
    ('17 %', '17%')
    """
    return format_number(value, decimals, sign) + ("%" if check_lang(lang) == "zh" else " %")


def format_change(
    relative: Decimal | None,
    points: Decimal | None = None,
    measure: str = "amount",
    decimals: int = 1,
    lang: str | None = None,
) -> str:
    """Write a change: of a rate or an index, points first; of an amount, per cent alone.

    Parameters
    ----------
    relative : Decimal or None
        The relative change in per cent; None where none exists (a base of 0 or below).
    points : Decimal, optional
        The difference, in percentage points (``measure="rate"``) or points (``"index"``).
    measure : {"amount", "rate", "index"}
        What kind of quantity changed.
    decimals : int
        Decimal places of the relative change.
    lang : {"en", "zh"}
        Language.

    Examples
    --------
    >>> format_change(Decimal("97.8"), Decimal(44), "rate", 0)
    '+44 points (+98 %)'
    >>> format_change(Decimal("-84.9"))
    '−84.9 %'
    """
    change = "" if relative is None else format_percent(relative, decimals, lang, sign=True)
    if points is None or measure == "amount":
        return change
    # Published points are exact; only derived ones have more than four decimal places.
    difference = format_number(round_half_up(points, 4), sign=True)
    kind = "index" if measure == "index" else "points"
    if relative is None:
        return label(f"change.{kind}.alone", lang, points=difference)
    return label(f"change.{kind}", lang, points=difference, relative=change)


def interval(low: float, high: float, decimals: int = 2) -> str:
    """Write an interval, or a dash where there is none.

    Examples
    --------
    >>> interval(-1.2, -0.955)
    '[−1.20, −0.96]'
    """
    if not (isfinite(low) and isfinite(high)):
        return "–"
    return f"[{format_number(low, decimals)}, {format_number(high, decimals)}]"


def p_value_text(p: float) -> str:
    """Write a p value alone; below .001 and above .999 as that.

    Examples
    --------
    >>> p_value_text(0.0304), p_value_text(0.00001), p_value_text(0.99999)
    ('.030', '< .001', '> .999')
    """
    if isnan(p):
        return "–"
    if p < 0.001:
        return "< .001"
    return "> .999" if p >= 0.9995 else f"{p:.3f}".removeprefix("0")


def p_text(p: float) -> str:
    """Write a p value with its letter.

    Examples
    --------
    >>> p_text(0.0304), p_text(0.00001)
    ('p = .030', 'p < .001')
    """
    text = p_value_text(p)
    return f"p = {text}" if text[0] == "." else f"p {text}"
