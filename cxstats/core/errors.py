"""The errors a user can meet. Each message names what is wrong, in one line.

Only a `ModelSyntaxError` adds two: the line of the model, and a caret under the place.
"""

from __future__ import annotations

from collections.abc import Sequence

from cxstats.core.messages import cut, printable


class CxError(ValueError):
    """Base of every error that cxstats raises on purpose.

    Messages quote files of others: control characters are written out, and what is far too long
    loses its middle.
    """

    def __init__(self, message: str = "", *more: object) -> None:
        super().__init__(_one_line(message), *more)


class DataError(CxError):
    """A file that cannot be used as it stands.

    Parameters
    ----------
    problems : str or sequence of str
    more : int
        Problems beside these, where they are too many to be written out.

    Attributes
    ----------
    problems : tuple of str
        Every problem; the message shows the first and counts the rest.
    """

    def __init__(self, problems: str | Sequence[str], more: int = 0) -> None:
        lines = (problems,) if isinstance(problems, str) else problems
        self.problems = tuple(map(_one_line, lines))
        more += len(self.problems) - 1
        super().__init__(self.problems[0] + (f" (and {more} more)" if more else ""))


class ReproductionError(CxError):
    """A number that was published or committed is not what comes out now."""


class WriteError(CxError):
    """A file that cannot be written, or that must not be: it was changed meanwhile."""


class MissingToolError(CxError):
    """A library is needed that is not installed; the message names the command to install it."""


class ModelSyntaxError(CxError):
    """A model, or an expression in one, that cannot be read as it is written.

    The message is the place and the reason, then the line with a caret under the column.

    Attributes
    ----------
    line, column : int
        Where, counted from 1; a character is one column, a tab and a Chinese character too.
    reason : str
        What is wrong, without the place.
    """

    def __init__(self, reason: str, line: int, column: int, excerpt: str) -> None:
        super().__init__(reason, line, column, excerpt)
        self.reason, self.line, self.column, self.excerpt = reason, line, column, excerpt

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.reason}\n{self.excerpt}"

    @classmethod
    def at(cls, text: str, offset: int, reason: str) -> ModelSyntaxError:
        """Return the error for what stands in `text` at `offset`."""
        before = text[:offset]
        line = 1 + before.count("\n") + before.count("\r") - before.count("\r\n")
        start = max(before.rfind("\n"), before.rfind("\r")) + 1
        ends = [text.find(mark, offset) for mark in "\r\n"]
        end = min((found for found in ends if found >= 0), default=len(text))
        return cls(reason, line, offset - start + 1, _caret(text, start, offset, end))


def _one_line(message: str) -> str:
    return printable(cut(message))


def _caret(text: str, start: int, offset: int, end: int) -> str:
    """Return a line of the text, at most 80 characters of it, and a caret below `offset`."""
    from unicodedata import east_asian_width

    def shown(char: str) -> str:
        return char if char.isprintable() or char in "\t\u3000" else " "

    def blank(char: str) -> str:
        return "\t" if char == "\t" else "\u3000" if east_asian_width(char) in "WF" else " "

    first = max(start, min(offset - 40, end - 80))
    last = min(end, first + 80)
    cut, more = "…" * (first > start), "…" * (last < end)
    source = "".join(map(shown, text[first:last]))
    return f"  {cut}{source}{more}\n  {cut and ' '}{''.join(map(blank, source[: offset - first]))}^"
