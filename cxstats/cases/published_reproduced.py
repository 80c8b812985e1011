"""Published values beside reproduced ones: the table that ends every case-study notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isnan
from typing import TYPE_CHECKING, Any, overload

from cxstats.cases.arithmetic import agrees
from cxstats.core.errors import CxError, ReproductionError
from cxstats.core.language import label
from cxstats.core.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """Published values beside reproduced ones.

    Attributes
    ----------
    rows : tuple of (str, str, str, bool)
        Name, published, reproduced, and whether they agree at the precision published.
    """

    rows: tuple[tuple[str, str, str, bool], ...]

    @property
    def table(self) -> pd.DataFrame:
        """The comparison, one row per value, indexed by its name."""
        import pandas as pd

        columns = ["quantity", "published", "reproduced", "agrees"]
        return pd.DataFrame(list(self.rows), columns=columns).set_index("quantity")

    def findings(self, lang: str) -> list[str]:
        """Return how many values are reproduced, and every one that is not."""
        differing = [row for row in self.rows if not row[-1]]
        agree = len(self.rows) - len(differing)
        return [
            label("comparison.head", lang, n=len(self.rows), agree=agree),
            *(
                "  " + label("comparison.row", lang, name=n, published=p, reproduced=r)
                for n, p, r, _ in differing
            ),
        ]

    def require(self) -> pd.DataFrame:
        """Return `table`, or raise if a row does not agree.

        Raises
        ------
        ReproductionError
            Naming every row that does not agree.
        """
        differing = [
            label("comparison.row", "en", name=n, published=p, reproduced=r)
            for n, p, r, agree in self.rows
            if not agree
        ]
        if differing:
            raise ReproductionError("not reproduced: " + "; ".join(differing))
        return self.table


@overload
def compare(published: Mapping[str, object], reproduced: Sequence[object]) -> Comparison: ...
@overload
def compare(published: Result, *others: Any, **options: Any) -> Any: ...
def compare(published: Any, *others: Any, **options: Any) -> Any:
    """Set published values beside reproduced ones, or a result beside another.

    With a result that has a method ``compare``, ``cx.compare(first, second)`` is
    ``first.compare(second)``: the likelihood-ratio test of two nested models of `cxstats.sem`, the
    groups of a metric.

    Parameters
    ----------
    published : mapping of str to str, Decimal, int or float; or a result
        The values as printed, by name. Numbers are compared after rounding the reproduced one
        half up at the precision of the published one, so write ``"45.60"`` or a `Decimal` where
        a trailing zero was printed. Other values must be equal.
    *others : sequence; or whatever the method of the result takes
        ``reproduced``: the values that come out, in the same order.
    **options
        Those of the result's method.

    Returns
    -------
    Comparison
        Or, with a result, what its method returns.

    Raises
    ------
    ReproductionError
        If the numbers of values differ: a comparison that lacks a row proves nothing.
    CxError
        If the first is neither published values nor a result that can be compared, or its method
        does not take the second.

    Examples
    --------
    >>> compare({"NPS, change in %": 113}, [112.5]).require()
                     published reproduced  agrees
    quantity
    NPS, change in %       113      112.5    True
    """
    if isinstance(published, Mapping):
        return _set_beside(published, *others, **options)
    if isinstance(published, Result) and hasattr(published, "compare"):
        return published.compare(*others, **options)
    kind = type(published).__name__
    if hasattr(published, "compare_groups"):
        raise CxError(f"two results of {kind} have no test; its groups have: .compare_groups(by)")
    raise CxError(
        f"a {kind} cannot be compared; allowed: published values by name with the reproduced ones, "
        "or a result with a method compare, such as two fits of cx.sem"
    )


def _set_beside(published: Mapping[str, object], reproduced: Sequence[object]) -> Comparison:
    if len(published) != len(reproduced):
        raise ReproductionError(
            f"{len(published)} published values, but {len(reproduced)} reproduced ones"
        )
    pairs = zip(published.items(), reproduced, strict=True)
    return Comparison(tuple((name, _text(p), _text(r), _agree(p, r)) for (name, p), r in pairs))


def _agree(published: object, reproduced: object) -> bool:
    printed, recomputed = _decimal(published), _decimal(reproduced)
    if printed is None or recomputed is None:
        return str(published) == str(reproduced)
    return bool(agrees(printed, recomputed))


def _text(value: object) -> str:
    number = _decimal(value)
    if isinstance(value, float) and isnan(value):
        return "–"
    if number is None or isinstance(value, str):
        return str(value)
    return f"{float(number):.6g}"


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a float does not know its printed decimals: 229.0 was printed 229
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None
