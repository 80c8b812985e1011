"""The base of every result: one way to read it, draw it, hand it over and cite it.

A concrete result is a frozen dataclass with its own fields, a list of `findings` in words, and the
`chart` that shows them. Everything else is here, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

from cxstats.core.errors import CxError
from cxstats.core.language import Text, check_lang, label

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

ROWS = 60  # of a table in a notebook; `table` has them all
REPR_LIMIT = 3_500  # characters; what is longer is cut at a line, and says so


@dataclass(frozen=True, slots=True)
class Chart:
    """What shows a result: a chart of `cxstats.charts` by name, and what it draws.

    Attributes
    ----------
    name : str
        A function of `cxstats.charts`.
    values : tuple
        Its positional arguments.
    options : mapping
        Its keywords; those that a caller gives to ``plot`` come before them.
    taken : tuple of str
        What the result has taken from the caller's options, for itself (such as which of its
        series to draw); the chart does not get these.
    """

    name: str
    values: tuple[Any, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    taken: tuple[str, ...] = ()


class Result:
    """What every result can do.

    A subclass is a dataclass, ``@dataclass(frozen=True, eq=False, repr=False)``, and has

    - ``table``, a field or a property: the numbers, unrounded; its texts in English, its codes as
      they are;
    - ``codes``, where columns hold codes, and ``as_table(lang)``, where they hold texts;
    - ``findings(lang)``: the lines of its summary, the first one being what was analysed;
    - ``notes``, where there is something that a reader must know;
    - ``kinds`` and ``chart(kind, lang, options)``, where it can be drawn;
    - ``reference``: where the method was published.

    Attributes
    ----------
    table : pandas.DataFrame
        The numbers.
    notes : tuple of Text
        What a reader must know, in both languages.
    synthetic : bool
        Whether the data are simulated; the summary says so.
    kinds : tuple of str
        What `plot` can draw, the usual one first.
    codes : mapping of str to str
        Column of codes to the key of their words in the catalogue, ``{}`` where the code stands.
        People read the words; `table` and `as_table` keep the codes.
    reference : str
        Where the method was published; what `cite` says.
    """

    __slots__ = ()

    codes: ClassVar[Mapping[str, str]] = {}
    reference: ClassVar[str] = ""

    if TYPE_CHECKING:

        @property
        def kinds(self) -> tuple[str, ...]:
            """What `plot` can draw."""

        @property
        def table(self) -> pd.DataFrame:
            """The numbers."""

        @property
        def notes(self) -> tuple[Text, ...]:
            """What a reader must know."""

    else:
        kinds = ()
        notes = ()

    def title(self, lang: str | None = None) -> str:
        """Return what was analysed, as a heading."""
        name = type(self).__name__
        return label(f"title.{name}", lang)

    def findings(self, lang: str) -> list[str]:
        """Return the lines of the summary, before the notes."""
        raise NotImplementedError

    def summary(self, lang: str | None = None) -> str:
        """Return the findings in a few lines, and what a reader must know.

        Parameters
        ----------
        lang : {"en", "zh"}, optional
            Language; without it, that of `cxstats.set_language`.
        """
        lang = check_lang(lang)
        lines = self.findings(lang)
        if getattr(self, "synthetic", False):
            lines.insert(1, label("result.synthetic", lang))
        return "\n".join([*lines, *(f"  * {note.get(lang)}" for note in self.notes)])

    def why_not(self, kind: str) -> str:
        """Return why this result lacks a chart that others of its class have; mostly empty."""
        return ""

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return what `plot` draws as `kind`, one of `kinds`, when a caller gives `options`."""
        raise NotImplementedError

    def plot(
        self,
        kind: str | None = None,
        *,
        ax: Axes | None = None,
        lang: str | None = None,
        **options: Any,
    ) -> Axes:
        """Draw the result.

        Parameters
        ----------
        kind : str, optional
            One of `kinds`; without it, the first.
        ax : Axes, optional
            Where to draw; without it, on a new figure.
        lang : {"en", "zh"}, optional
            Language; without it, that of `cxstats.set_language`.
        **options
            Those of the chart, a function of `cxstats.charts`.

        Raises
        ------
        CxError
            If there is no such kind, or the result has no chart.
        """
        if not self.kinds:
            raise CxError(f"{type(self).__name__} has no chart; its numbers are in .table")
        kind = self.kinds[0] if kind is None else kind
        if kind not in self.kinds:
            allowed, reason = ", ".join(map(repr, self.kinds)), self.why_not(kind)
            reason = f": {reason}" if reason else ""
            raise CxError(f"plot(kind={kind!r}){reason}; allowed: {allowed}")
        from cxstats.charts import draw

        return draw(self, kind, ax, check_lang(lang), options)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table of the result by its name, ``table`` first."""
        import pandas as pd

        names: list[str] = [f.name for f in fields(self)] if is_dataclass(self) else []
        others = {
            name: value
            for name in names
            if name != "table" and isinstance(value := getattr(self, name), pd.DataFrame)
        }
        return {"table": self.table, **others}

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with its texts in `lang`; numbers and codes stay as they are."""
        check_lang(lang)
        return self.table

    def translated(self, lang: str | None = None) -> dict[str, pd.DataFrame]:
        """Return `tables` as people read them: texts in `lang`, codes in words."""
        from cxstats.core.display import in_words

        tables = {**self.tables(), "table": self.as_table(lang)}
        return {name: in_words(table, self.codes, lang) for name, table in tables.items()}

    def first_rows(self, n: int) -> tuple[pd.DataFrame, int]:
        """Return the table as people read it, its first n rows at least, and how many it has."""
        table = self.translated()["table"]
        return table, len(table)

    def export(self, path: str | os.PathLike[str], lang: str | None = None) -> Path:
        """Write the result to a file; its ending says how.

        Parameters
        ----------
        path : path
            ``.xlsx`` (a sheet a table, numbers unrounded, shown as in the summary), ``.csv`` (the
            table, unrounded, with its own column names and codes), ``.docx``, ``.html`` or ``.tex``
            (summary and tables as people read them). A text that a spreadsheet would take for a
            formula is written as text.
        lang : {"en", "zh"}, optional
            Language of what is written.

        Returns
        -------
        Path
            The file, written beside first and then put in place whole.

        Raises
        ------
        CxError
            If the ending is none of these, or the folder does not exist.
        """
        from cxstats.core.export import export

        return export(self, path, check_lang(lang))

    def cite(self, lang: str | None = None) -> str:
        """Return where the method was published, and how to cite the package."""
        from cxstats import __version__

        package = label("result.cite", lang, version=__version__)
        return "\n".join(filter(None, (self.reference, package)))

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        text = self.summary()
        if len(text) <= REPR_LIMIT:
            return text
        lines = text[:REPR_LIMIT].split("\n")[:-1] or [text[:REPR_LIMIT]]
        more = text.count("\n") + 1 - len(lines)
        return "\n".join([*lines, label("result.more_lines", n=more)])

    def _repr_html_(self) -> str:
        from cxstats.core.display import table_html

        level, (table, n_rows) = getattr(self, "level", None), self.first_rows(ROWS)
        html = table_html(table, None, ROWS, level, n_rows)
        return f"<pre>{escape(repr(self))}</pre>\n{html}"
