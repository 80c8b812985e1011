"""What every fitted model of structure shares: problems, soundness, path diagram, bootstrap chart.

A model with a fatal problem has no solution: its numbers are withheld, and what needs them raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from cxstats.core.engines import is_synthetic
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import Text, both, label
from cxstats.core.result import Chart, Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class ModelProblem:
    """Something that makes a solution doubtful; each kind of model has its own.

    Attributes
    ----------
    kind : str
        What it is.
    names : tuple of str
        The parameters or variables concerned.
    value : float
        The offending number; NaN where there is none.
    """

    kind: str
    names: tuple[str, ...] = ()
    value: float = float("nan")

    # The key of its texts in the catalogue (``sem.problem.{}``), and the kinds without a solution.
    texts: ClassVar[str]
    fatal_kinds: ClassVar[frozenset[str]]

    @property
    def fatal(self) -> bool:
        """Whether no number of the solution is to be used."""
        return self.kind in self.fatal_kinds

    @property
    def message(self) -> Text:
        """What is wrong and what to do about it, in both languages."""
        key = self.texts.format(self.kind)
        return both(key, names=listed(self.names), value=f"{self.value:.3g}")

    def __str__(self) -> str:
        return self.message.get()


def listed(names: Iterable[str]) -> Text:
    """Return names one after another, as each language separates them.

    Examples
    --------
    >>> listed(["Image", "Trust"])
    Text(en='Image, Trust', zh='Image、Trust')
    """
    names = tuple(names)
    separator = both("sem.and")
    return Text(separator.en.join(names), separator.zh.join(names))


def labels_of_variables(labels: Iterable[tuple[str, str]], names: Iterable[str]) -> tuple[str, ...]:
    """Return the terms whose label is the name of a variable, as written.

    Examples
    --------
    >>> labels_of_variables([("a", "x4"), ("x4", "x5")], ["x4", "x5"])
    ('x4*x5',)
    """
    variables = set(names)
    terms = (f"{label}*{variable}" for label, variable in labels if label in variables)
    return tuple(dict.fromkeys(terms))


def problem_lines(problems: Iterable[ModelProblem], lang: str) -> list[str]:
    """Return problems as lines of a summary."""
    messages = [problem.message.get(lang) for problem in problems]
    return [label("sem.problem.head", lang, text=message) for message in messages]


class FittedModel(Result):
    """A fit with `problems`, some of them fatal, and a `sample`."""

    problems: tuple[ModelProblem, ...]
    sample: Any

    kinds: ClassVar[tuple[str, ...]] = ("paths",)

    @property
    def sound(self) -> bool:
        """Whether there is a solution at all; if not, its numbers are withheld."""
        return not any(problem.fatal for problem in self.problems)

    @property
    def synthetic(self) -> bool:
        """Whether the respondents are simulated (the frame says so)."""
        return is_synthetic(self.sample.frame)

    def require_sound(self, what: str) -> None:
        """Raise if the model has no solution.

        Raises
        ------
        CxError
            With the problems.
        """
        if not self.sound:
            fatal = (problem.message.en for problem in self.problems if problem.fatal)
            raise CxError(f"no {what}: " + "; ".join(fatal))

    def problem_lines(self, lang: str) -> list[str]:
        """Return the problems as lines of the summary."""
        return problem_lines(self.problems, lang)

    def path_diagram(
        self,
        table: pd.DataFrame,
        r_squared: Mapping[str, float],
        source: str,
        lang: str,
        note: str | None = None,
    ) -> Chart:
        """Return the path diagram of the table, which says so where there is no solution."""
        options = {
            "source": source,
            "synthetic": self.synthetic,
            "r_squared": r_squared if self.sound else None,
            "note": note if self.sound else label("sem.none", lang),
        }
        return Chart("path_diagram", (table,), options)


def bootstrap_chart(
    bootstrap: Any,
    names: Iterable[str],
    estimates: Iterable[float],
    low: Iterable[float],
    high: Iterable[float],
    lang: str,
) -> Chart:
    """Return standardised estimates with bootstrap intervals, with source, axis and mark.

    The names have taken ``names=`` of a caller's options in.
    """
    source = label(
        "sem.bootstrap.source",
        lang,
        b=format_number(bootstrap.n_resamples),
        n=format_number(bootstrap.n),
        seed=bootstrap.seed,
    )
    level = format_percent(100 * bootstrap.level, None, lang)
    options = {
        "source": source,
        "axis": label("sem.bootstrap.axis", lang, level=level),
        "synthetic": bootstrap.synthetic,
        "level": bootstrap.level,
    }
    return Chart("intervals", (names, estimates, low, high), options, taken=("names",))
