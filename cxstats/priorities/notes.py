"""Notes that several methods share: who was left out, which resamples are rough or failed."""

from __future__ import annotations

from cxstats.core.formats import format_number
from cxstats.core.language import Text, both

ROUGH = 1_000  # resamples below which the ends of an interval move visibly with the seed


def missing_answers(n_dropped: int) -> list[Text]:
    """Return the note on respondents who were left out, where there are any."""
    return [both("priorities.note.missing", n=format_number(n_dropped))] if n_dropped else []


def few_resamples(n_resamples: int) -> list[Text]:
    """Return the note on intervals of few resamples, where they are rough.

    Examples
    --------
    >>> few_resamples(200)[0].en, few_resamples(1_000)
    ('intervals from 200 resamples are rough; take 1,000 or more', [])
    """
    if n_resamples >= ROUGH:
        return []
    return [both("priorities.note.rough", b=n_resamples, least=format_number(ROUGH))]


def failed_resamples(
    n_failed: int, n_resamples: int, key: str = "priorities.note.failed"
) -> list[Text]:
    """Return the note on resamples without a result, where there are any.

    Parameters
    ----------
    n_failed, n_resamples : int
    key : str
        The note that says why, with ``{k}`` and ``{b}``.
    """
    return [both(key, k=n_failed, b=n_resamples)] if n_failed else []
