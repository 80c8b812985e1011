"""What every fitted model of structure shares: problems, soundness, where respondents came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Sound:
    """A fit with `problems`, some of them fatal, and a `sample`."""

    problems: tuple[Any, ...]
    sample: Any

    @property
    def sound(self) -> bool:
        """Whether there is a solution at all; if not, its numbers are withheld."""
        return not any(problem.fatal for problem in self.problems)

    @property
    def synthetic(self) -> bool:
        """Whether the respondents are simulated (the frame says so)."""
        return bool(getattr(self.sample.frame, "attrs", {}).get("synthetic", False))

    def require_sound(self, what: str) -> None:
        """Refuse to go on from a solution that is none.

        Raises
        ------
        CxError
            With the problems.
        """
        if not self.sound:
            raise CxError(f"no {what}: " + "; ".join(str(p) for p in self.problems if p.fatal))


def bootstrap_chart(
    bootstrap: Any,
    names: Iterable[str],
    estimates: Iterable[float],
    low: Iterable[float],
    high: Iterable[float],
    lang: str,
    options: dict[str, Any],
) -> Axes:
    """Draw standardised estimates with bootstrap intervals, with source, axis and mark."""
    from cxstats.charts import intervals

    source = label(
        "sem.bootstrap.source",
        lang,
        b=format_number(bootstrap.n_resamples),
        n=format_number(bootstrap.n),
        seed=bootstrap.seed,
    )
    level = format_percent(100 * bootstrap.level, None, lang)
    given: dict[str, Any] = {
        "source": source,
        "axis": label("sem.bootstrap.axis", lang, level=level),
        "synthetic": bootstrap.synthetic,
        "level": bootstrap.level,
    }
    return intervals(names, estimates, low, high, lang=lang, **given | options)
