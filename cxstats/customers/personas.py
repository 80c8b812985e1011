"""Personas: one page per segment, from data alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.display import column_of
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, check_lang, label, listed, note_if
from cxstats.core.messages import printable
from cxstats.core.result import Chart, Result
from cxstats.customers.segment_profiles import NAMED, is_text, profiles, typical_members
from cxstats.stats.intervals import proportion_interval
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.customers.segments import Segmentation

MOST_VALUES = 10  # of a describing column: the most frequent
ON_A_PAGE = 3  # columns by which a segment is told apart, and describing values
MOST_PAGES = 4  # that a summary prints; of more segments it lists the first lines


@dataclass(frozen=True, eq=False, repr=False)
class Personas(Result):
    """One page per segment: what sets it apart, a typical member, how it is described.

    Attributes
    ----------
    table : pandas.DataFrame
        Means of the columns that make the segments and of describing numbers, against all other
        rows: ``segment, role`` ("divides", "describes"), ``column, n, estimate, se, ci_low,
        ci_high, rest, difference, difference_low, difference_high, standardised``.
    shares : pandas.DataFrame
        Of describing columns of words: ``segment, column, value, n`` (members with a value),
        ``estimate`` (share) with ``ci_low, ci_high`` (Wilson), ``rest`` (share of all others).
        The ten most frequent values of each.
    typical : pandas.DataFrame
        ``segment, member, column, value``: the member nearest to the mean of its segment.
    sizes : pandas.DataFrame
        ``segment, name, n, estimate, ci_low, ci_high``.
    names : mapping of int to Text
        Made from the columns that set a segment apart; no stories.
    segmentation : Segmentation
    level : float
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    shares: pd.DataFrame
    typical: pd.DataFrame
    sizes: pd.DataFrame
    names: Mapping[int, Text]
    segmentation: Segmentation
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {"role": "segments.role.{}"}
    kinds: ClassVar = ("profiles",)
    reference: ClassVar = (
        "Cohen (1988). Statistical power analysis for the behavioral sciences. Hall (1992). On the "
        "removal of skewness by transformation. JRSS B 54, 221-228."
    )

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the heat map of profiles."""
        return Chart("segment_profiles", (self.segmentation,))

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with what columns are called in `lang`."""
        labels = self.segmentation.column_labels
        return self.table.assign(column=[labels[c].get(lang) for c in self.table["column"]])

    def findings(self, lang: str) -> list[str]:
        """Return every page, or of more than four segments the list of pages."""
        k, segments = len(self.sizes), self.sizes["segment"]
        head = label("segments.personas.head", lang, k=k)
        verdict = label(f"segments.verdict.{self.segmentation.verdict}", lang, k=k)
        if k > MOST_PAGES:
            titles = [self._title(number, lang) for number in segments]
            return [head, verdict, *titles, label("segments.personas.pages", lang)]
        pages = (self.page(number, lang) for number in segments)
        return [head, verdict, *(line for page in pages for line in page.split("\n"))]

    def page(self, segment: int, lang: str | None = None) -> str:
        """Return the page of one segment.

        Parameters
        ----------
        segment : int
            From 1.
        lang : {"en", "zh"}, optional

        Raises
        ------
        CxError
            If there is no such segment.
        """
        lang = check_lang(lang)
        if segment not in self.names:
            raise CxError(f"segment {segment!r}; allowed: {', '.join(map(str, self.names))}")
        lines = [self._title(segment, lang)]
        rows = self.table[self.table["segment"] == segment]
        ordered = rows.sort_values("standardised", key=lambda d: -d.abs(), kind="stable")
        for role, most in (("divides", len(rows)), ("describes", ON_A_PAGE)):
            chosen = ordered[ordered["role"] == role].head(most)
            lines += [self._mean_line(row, lang) for _, row in chosen.iterrows()]
        lines += self._share_lines(segment, lang)
        return "\n".join([*lines, self._typical_line(segment, lang)])

    def _title(self, segment: int, lang: str) -> str:
        size = self.sizes[self.sizes["segment"] == segment].iloc[0]
        return label(
            "segments.line.plain",
            lang,
            segment=segment,
            name=self.names[segment].get(lang),
            n=format_number(size["n"]),
            share=format_percent(100 * size["estimate"], 1, lang),
            interval=interval(100 * size["ci_low"], 100 * size["ci_high"], 1),
        )

    def _mean_line(self, row: pd.Series, lang: str) -> str:
        decimals = self._decimals(row["column"], row["estimate"])
        key = "segments.page.mean" if np.isfinite(row["rest"]) else "segments.page.mean.alone"
        return label(
            key,
            lang,
            column=self.segmentation.column_labels[row["column"]].get(lang),
            value=format_number(row["estimate"], decimals),
            interval=interval(row["ci_low"], row["ci_high"], decimals),
            rest=format_number(row["rest"], decimals),
            d=format_number(row["standardised"], 1, sign=True),
        )

    def _decimals(self, column: str, value: float) -> int:
        means = self.table.loc[self.table["column"] == column, "estimate"]
        return column_of(means, "estimate").decimals_of(value)

    def _share_lines(self, segment: int, lang: str) -> list[str]:
        """Return the values that are most over-represented, with their shares."""
        rows = self.shares[self.shares["segment"] == segment]
        order = (rows["estimate"] - rows["rest"].fillna(0)).sort_values(ascending=False).index
        return [
            label(
                "segments.page.share",
                lang,
                column=self.segmentation.column_labels[row["column"]].get(lang),
                value=printable(str(row["value"])),
                share=format_percent(100 * row["estimate"], 1, lang),
                interval=interval(100 * row["ci_low"], 100 * row["ci_high"], 1),
                rest=format_percent(100 * row["rest"], 1, lang)
                if np.isfinite(row["rest"])
                else "–",
            )
            for _, row in rows.loc[order].head(ON_A_PAGE).iterrows()
        ]

    def _typical_line(self, segment: int, lang: str) -> str:
        rows = self.typical[self.typical["segment"] == segment]
        labels = self.segmentation.column_labels
        values = listed(
            both("segments.page.value", column=labels[row["column"]],
                 value=self._value(row["column"], row["value"]))
            for _, row in rows.iterrows()
        )  # fmt: skip
        member = printable(str(rows["member"].iloc[0]))
        return label("segments.page.typical", lang, member=member, values=values.get(lang))

    def _value(self, column: str, value: float) -> str:
        return format_number(value, None if value.is_integer() else self._decimals(column, value))


def personas_of(result: Segmentation) -> Personas:
    """Describe every segment of a division; see `Personas`."""
    import pandas as pd

    data = result.data
    segment = result.clusters.labels + 1
    described = data.frame.iloc[data.at]
    words = [name for name in result.describe if is_text(described[name])]
    tables = [result.profiles.assign(role="divides")]
    for name in (name for name in result.describe if name not in words):
        values = numbers(data.frame, name)[data.at, None]
        has = np.isfinite(values[:, 0])
        if has.any():
            compared = profiles(values[has], values[has], segment[has], [name], result.level)
            tables.append(compared.assign(role="describes"))
    table = pd.concat(tables, ignore_index=True)
    front = ["segment", "role"]
    names = result.names
    sizes = result.table[["segment", "name", "n", "estimate", "ci_low", "ci_high"]]
    apart = result.profiles["standardised"].abs() >= NAMED
    plain = sorted(set(names) - set(result.profiles.loc[apart, "segment"]))
    return Personas(
        table=table[[*front, *(name for name in table if name not in front)]],
        shares=_shares(described, words, segment, result.level),
        typical=_typical(result, segment),
        sizes=sizes,
        names=names,
        segmentation=result,
        level=result.level,
        synthetic=result.synthetic,
        notes=(
            *result.notes,
            both("segments.note.same_data"),
            *note_if(bool(plain) and len(names) > 1, "segments.note.plain",
                     segments=listed(plain)),
        ),
    )  # fmt: skip


def _shares(
    described: pd.DataFrame, columns: list[str], segment: NDArray[np.intp], level: float
) -> pd.DataFrame:
    """Return the shares of the values of each column within segments and among all others."""
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    for name in columns:
        values = described[name].astype(object).to_numpy()
        has = ~pd.isna(values)
        texts = np.array([str(value) for value in values[has]], object)
        most = pd.Series(texts, dtype=object).value_counts().index[:MOST_VALUES]
        for number in np.unique(segment):
            inside = segment[has] == number
            n, n_rest = int(inside.sum()), int((~inside).sum())
            for value in most:
                share = float((texts[inside] == value).mean()) if n else np.nan
                rest = float((texts[~inside] == value).mean()) if n_rest else np.nan
                low, high = proportion_interval(share, n, level=level)
                rows.append((int(number), name, value, n, share, float(low), float(high), rest))
    heads = ["segment", "column", "value", "n", "estimate", "ci_low", "ci_high", "rest"]
    return pd.DataFrame(rows, columns=heads)


def _typical(result: Segmentation, segment: NDArray[np.intp]) -> pd.DataFrame:
    import pandas as pd

    data, columns = result.data, list(dict.fromkeys(result.profiles["column"]))
    index = result.customers.index if result.customer is None else (
        result.customers[result.customer]
    )  # fmt: skip
    names = pd.Index(index)[data.at]
    rows = [
        (number, names[row], column, value)
        for number, row in typical_members(data.points, segment).items()
        for column, value in zip(columns, data.values[row], strict=True)
    ]
    return pd.DataFrame(rows, columns=["segment", "member", "column", "value"])
