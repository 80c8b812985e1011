"""Arithmetic over parameters, as written in definitions and constraints of a model.

Tokens become a postfix program (Dijkstra's shunting yard), and the program runs over a stack of
arrays. Nothing recurses and nothing is handed to Python to execute, so a text of any depth or
origin is safe to read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, ModelSyntaxError
from cxstats.models.sem.tokens import RELATIONS, Token, number, quoted, tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """An arithmetic expression over named values.

    Attributes
    ----------
    steps : tuple of float or str
        The program in postfix order: numbers, names, and the operators ``+ - * / ^``, ``0-``
        (unary minus) and ``exp(``, ``log(`` and so on.
    names : tuple of str
        The names used, in order of first appearance.
    text : str
        As it was written, with runs of blanks, breaks and comments as one space.

    Examples
    --------
    >>> indirect = parse_expression("a * b^2")
    >>> indirect.names, indirect.steps
    (('a', 'b'), ('a', 'b', 2.0, '^', '*'))
    >>> indirect({"a": 2, "b": [1, -3]})
    array([ 2., 18.])
    """

    steps: tuple[float | str, ...]
    names: tuple[str, ...]
    text: str

    def __call__(self, values: Mapping[str, Any]) -> Array:
        """Evaluate for arrays of any shapes that broadcast.

        Complex values carry a derivative (complex step): of ``f(x + 1e-20j)`` the imaginary part
        is ``1e-20 f'(x)``. Where value or derivative does not exist (log of nothing or less,
        division by zero, root of a negative number) the result is NaN, in both parts.

        Parameters
        ----------
        values : mapping of str to array
            At least the `names`.

        Returns
        -------
        array
            A new array; 0-dimensional where all values are numbers.

        Raises
        ------
        CxError
            Naming a value that is missing or is not numeric.

        Examples
        --------
        >>> parse_expression("x^2")({"x": -2 + 1e-20j}).imag / 1e-20
        np.float64(-4.0)
        """
        inputs = {name: _numeric(name, values) for name in self.names}
        stack: list[Any] = []
        with np.errstate(all="ignore"):
            for step in self.steps:
                if isinstance(step, float):
                    stack.append(np.float64(step))
                elif step in _UNARY:
                    stack[-1] = _UNARY[step](stack[-1])
                elif step in _BINARY:
                    right = stack.pop()
                    stack[-1] = _BINARY[step](stack[-1], right)
                else:
                    stack.append(inputs[step])
        return np.array(stack[0])


def _numeric(name: str, values: Mapping[str, Any]) -> Array:
    if name not in values:
        raise CxError(f"no value for {name!r}; there are: {', '.join(map(str, values))}")
    array = np.asarray(values[name])
    if array.dtype.kind not in "biufc":
        raise CxError(f"the value of {name!r} is of type {array.dtype}; allowed: numbers")
    return array if array.dtype.kind in "fc" else array.astype(float)


def _except(bad: Any, result: Any) -> Any:
    """Put NaN, in both parts of a complex number, where a result is bad."""
    return np.where(bad, complex("nan+nanj") if np.iscomplexobj(result) else np.nan, result)


def _absolute(x: Any) -> Any:
    return x * np.sign(np.real(x))


def _root(x: Any) -> Any:
    return _except((np.real(x) < 0) | ((np.real(x) == 0) & (np.imag(x) != 0)), np.sqrt(x))


def _logarithm(x: Any) -> Any:
    return _except(np.real(x) <= 0, np.log(x))


def _divide(x: Any, y: Any) -> Any:
    return _except(np.real(y) == 0, x / y)


def _power(x: Any, y: Any) -> Any:
    """Return x to the y; a negative x takes whole exponents only.

    For complex numbers, numpy's polar form would lose the tiny imaginary part beside an angle of
    π; so the power is taken of −x and the sign put back.
    """
    if not (np.iscomplexobj(x) or np.iscomplexobj(y)):
        return _except(((x == 0) & (y < 0)) | np.isnan(x) | np.isnan(y), np.power(x, y))
    base, exponent = np.real(x), np.real(y)
    integer = (np.imag(y) == 0) & (exponent == np.floor(exponent))
    size = np.power(np.where(base < 0, -x, x) + 0j, y)
    flat = (exponent > 1) | ((np.imag(x) == 0) & (exponent > 0)) | (integer & (exponent >= 0))
    bad = ((base < 0) & ~integer) | ((base == 0) & ~flat) | np.isnan(base) | np.isnan(exponent)
    return _except(bad, np.where((base < 0) & (exponent % 2 == 1), -size, size))


_UNARY: dict[str, Callable[[Any], Any]] = {
    "0-": np.negative,
    "exp(": np.exp,
    "log(": _logarithm,
    "sqrt(": _root,
    "abs(": _absolute,
    "sin(": np.sin,
    "cos(": np.cos,
    "tan(": np.tan,
}
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": _divide,
    "^": _power,
}
_CALLS = frozenset(_UNARY) - {"0-"}
FUNCTIONS = tuple(code[:-1] for code in _UNARY if code in _CALLS)
_CODES = frozenset((*_UNARY, *_BINARY))
# Brackets wait below everything; "^" binds tighter than a sign, and to the right, as in R.
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "0-": 3, "^": 4}


def parse_expression(text: str) -> Expression:
    """Read one expression.

    Allowed are numbers, names, ``+ - * / ^`` (or ``**``), brackets and the functions exp, log,
    sqrt, abs, sin, cos and tan. ``-2^2`` is −4 and ``2^3^2`` is 512, as in R.

    Parameters
    ----------
    text : str
        The expression.

    Returns
    -------
    Expression

    Raises
    ------
    ModelSyntaxError
        Naming line and column.

    Examples
    --------
    >>> parse_expression("exp(a) - 1")({"a": 0.0}).item()
    0.0
    """
    if not isinstance(text, str):
        raise CxError(f"an expression is of type {type(text).__name__}; allowed: str")
    return compile_tokens([token for token in tokens(text) if token[0] != "\n"], text)


def compile_tokens(program: Sequence[Token], text: str) -> Expression:
    """Turn the tokens of one expression, cut from `text`, into its postfix program.

    Raises
    ------
    ModelSyntaxError
        Where an operand, an operator or a bracket is missing.
    """
    steps: list[float | str] = []
    waiting: list[str] = []  # operators and open brackets
    opened: list[int] = []  # where the brackets are
    value_next = True
    end = program[-1][2] + len(program[-1][1]) if program else 0
    for token, (after, _, _) in zip(program, [*program[1:], ("", "", end)], strict=True):
        kind, lexeme, at = token
        if value_next:
            value_next = _operand(token, after == "(", text, steps, waiting)
            if kind == "(":
                opened.append(at)
        elif kind == ")":
            if not opened:
                raise ModelSyntaxError.at(text, at, "')' without '('")
            opened.pop()
            _close(steps, waiting)
        elif kind in ("+", "-", "*", "/", "^", "**"):
            _operator("^" if kind == "**" else kind, steps, waiting)
            value_next = True
        else:
            raise ModelSyntaxError.at(text, at, _no_operator(kind, lexeme, bool(opened)))
    if opened:
        raise ModelSyntaxError.at(text, opened[-1], "'(' is never closed")
    if value_next:
        last = f" after {program[-1][1]!r}" if program else ""
        raise ModelSyntaxError.at(text, end, f"a number or a name is missing{last}")
    steps.extend(reversed(waiting))
    names = dict.fromkeys(step for step in steps if isinstance(step, str) and step not in _CODES)
    return Expression(tuple(steps), tuple(names), _tidy(program))


def _operand(
    token: Token, called: bool, text: str, steps: list[float | str], waiting: list[str]
) -> bool:
    """Read a token where a value has to come; return whether a value still has to come."""
    kind, lexeme, at = token
    if kind == "number":
        steps.append(number(token, text))
        return False
    if kind == "name" and not called:
        steps.append(lexeme)
        return False
    if kind == "name":
        if lexeme not in FUNCTIONS:
            reason = f"unknown function {quoted(lexeme)}; allowed: {', '.join(FUNCTIONS)}"
            raise ModelSyntaxError.at(text, at, reason)
        waiting.append(lexeme + "(")
    elif kind in ("(", "-"):
        waiting.append("(" if kind == "(" else "0-")
    elif kind != "+":
        reason = f"a number or a name is missing before {quoted(lexeme)}"
        raise ModelSyntaxError.at(text, at, reason)
    return True


def _operator(kind: str, steps: list[float | str], waiting: list[str]) -> None:
    """Let the operators act that bind at least as tightly, then let this one wait."""
    binding = _BINDING[kind] + (kind == "^")  # equal ones act first, but for "^"
    while waiting and _BINDING.get(waiting[-1], 0) >= binding:
        steps.append(waiting.pop())
    waiting.append(kind)


def _close(steps: list[float | str], waiting: list[str]) -> None:
    """Let everything act that waits inside of the bracket, and the function before it."""
    while (code := waiting.pop()) != "(":
        steps.append(code)
    if waiting and waiting[-1] in _CALLS:
        steps.append(waiting.pop())


def _no_operator(kind: str, lexeme: str, inside: bool) -> str:
    """Return why something cannot stand behind a value."""
    if kind == "," and inside:
        return "',' in an expression; a function takes one argument"
    if kind in RELATIONS:
        return f"{quoted(lexeme)} inside of an expression"
    return f"an operator (+ - * / ^) is missing before {quoted(lexeme)}"


def _tidy(program: Sequence[Token]) -> str:
    """Return the tokens as text, with one space where there was anything between two."""
    pieces, end = [], program[0][2]
    for _, lexeme, at in program:
        pieces.append(" " + lexeme if at > end else lexeme)
        end = at + len(lexeme)
    return "".join(pieces)
