"""The errors a user can meet. Each message is one line and names what is wrong."""

from __future__ import annotations

from collections.abc import Sequence


class CxError(ValueError):
    """Base of every error that cxstats raises on purpose."""


class DataError(CxError):
    """A file that cannot be used as it stands.

    Attributes
    ----------
    problems : tuple of str
        Every problem found; the message shows the first and counts the rest.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        more = len(self.problems) - 1
        super().__init__(self.problems[0] + (f" (and {more} more)" if more else ""))


class ReproductionError(CxError):
    """A number that was published or committed is not what comes out now."""


class MissingToolError(CxError):
    """A library is needed that is not installed; the message names the command to install it."""
