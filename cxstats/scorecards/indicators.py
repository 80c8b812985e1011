"""Read a tree of indicators from YAML, a mapping or a table; every problem is named at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import inf, isfinite, isnan, nan
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from cxstats.cases.facts import read_facts
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.files import read_bytes
from cxstats.core.language import Text
from cxstats.core.messages import excerpt, listing, meant, row_name
from cxstats.core.paths import data_folder
from cxstats.core.yaml_text import LARGEST, parse_yaml
from cxstats.metrics.net_promoter_score import nps_from_counts
from cxstats.metrics.tracking import Track
from cxstats.scorecards.verdicts import Measurement, of_counts, of_error, of_nps
from cxstats.stats.weights import check_weights

SHIPPED = ("bank_results", "innovation_kpis", "synthetic_service_team")
HEAD_KEYS = ("title", "source", "date", "synthetic", "branches")
BRANCH_KEYS = ("name", "weight", "branches", "indicators")
NPS_KEYS = ("promoters", "passives", "detractors")
COUNT_KEYS = ("events", "trials", *NPS_KEYS)
NUMBER_KEYS = ("target", "base", "actual", "low", "high", "se", "sd", "n", "weight", *COUNT_KEYS)
INDICATOR_KEYS = (
    "name", "unit", "direction", *NUMBER_KEYS, "result", "owner", "next_review", "fact",
)  # fmt: skip
TABLE_KEYS = ("branch", "branch_weight", "indicator", *INDICATOR_KEYS[1:])
DIRECTIONS = ("higher", "lower")
# What goes together: how a value can be said, each way with what it needs and what it may have.
WAYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "result": (("result",), ()),
    "fact": (("fact",), ()),
    "events": (("events", "trials"), ()),
    "promoters": (NPS_KEYS, ()),
    "actual": (("actual",), ("low", "high", "se", "sd", "n")),
}
MOST = 2_000  # indicators
DEEPEST = 20
NO_TEXT = Text("", "")


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator as it was written.

    Attributes
    ----------
    name, unit : Text
    direction : {"higher", "lower"}
    target, base : float
        NaN without.
    measured : Measurement
    is_share : bool
        Whether numbers are shares from 0 to 1, which people read in per cent.
    weight : float
        Within its branch, as written; NaN without.
    owner : Text
    next_review : date or None
    trend : tuple of three floats
        Change per wave with its interval, of an indicator that is tracked.
    kind : {"amount", "rate", "index", "fraction"}
        How a change is written: of rates and indices in points first.
    """

    name: Text
    unit: Text
    direction: str
    target: float
    base: float
    measured: Measurement
    is_share: bool
    weight: float
    owner: Text
    next_review: date | None
    trend: tuple[float, float, float]
    kind: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch: its indicators, and the branches below it."""

    name: Text
    weight: float
    branches: tuple[Branch, ...]
    indicators: tuple[Indicator, ...]

    def walk(self, path: tuple[Text, ...] = ()) -> Iterator[tuple[tuple[Text, ...], Branch]]:
        """Yield this branch and all below it, each with the names on the way to it."""
        path = (*path, self.name)
        yield path, self
        for branch in self.branches:
            yield from branch.walk(path)


@dataclass(frozen=True, slots=True)
class Tree:
    """Branches, and what is said of the whole."""

    title: Text
    source: Text
    date: date | None
    synthetic: bool
    branches: tuple[Branch, ...]

    def walk(self) -> Iterator[tuple[tuple[Text, ...], Branch]]:
        """Yield every branch with the names on the way to it."""
        for branch in self.branches:
            yield from branch.walk()


def read_tree(tree: Any, level: float) -> Tree:
    """Return the tree that a name, a file, a mapping or a table says.

    Raises
    ------
    DataError
        With every problem: place, key, value and what is allowed.
    """
    if isinstance(tree, str | Path):
        return _of_file(tree, level)
    if isinstance(tree, Mapping):
        return _Reader("", level).tree(tree)
    return _Reader("", level).tree(_of_table(tree))


def _of_file(name: str | Path, level: float) -> Tree:
    file = Path(name)
    if file.suffix.lower() in (".csv", ".xlsx", ".tsv"):
        from cxstats.survey.read import read_survey

        return _Reader(f"{file.name}: ", level).tree(_of_table(read_survey(file, header=1)))
    if name in SHIPPED:
        file = data_folder() / "scorecards" / f"{name}.yml"
    try:
        source = read_bytes(file, LARGEST)
    except DataError as error:
        raise DataError(f"{error}; scorecards that ship: {', '.join(SHIPPED)}") from error
    return _Reader(f"{file.name}: ", level).tree(parse_yaml(source, file.name))


def _of_table(table: Any) -> dict[str, Any]:
    """Return the rows of a table as branches in the order in which they first come."""
    import pandas as pd

    frame = as_pandas(table)
    columns = list(frame.columns)
    doubled = [column for column in columns if columns.count(column) > 1]
    if doubled:
        raise DataError(f"column {excerpt(doubled[0])} stands twice in the table")
    unknown = [column for column in columns if column not in TABLE_KEYS]
    if unknown:
        raise DataError([
            f"column {excerpt(column)} is not known{meant(column, TABLE_KEYS)}; allowed: "
            f"{listing(TABLE_KEYS, 40)}" for column in unknown
        ])  # fmt: skip
    if "indicator" not in columns:
        raise DataError(f"column 'indicator' is not in the table; columns: {listing(columns, 30)}")
    branches: dict[str, dict[str, Any]] = {}
    for place in range(len(frame)):
        cells = {
            column: _plain(cell)
            for column in columns
            if not (np.ndim(cell := frame[column].iloc[place]) == 0 and pd.isna(cell))
        }
        name, weight = str(cells.pop("branch", "")), cells.pop("branch_weight", None)
        branch = branches.setdefault(name, {"name": name, "indicators": []})
        where = row_name(frame.index, place)
        if weight is not None and branch.setdefault("weight", weight) != weight:
            raise DataError(
                f"{where}, column 'branch_weight': {excerpt(weight)}, but {branch['weight']!r} "
                f"before, for branch {excerpt(name)}; allowed: one weight a branch"
            )
        indicator = {"name": cells.pop("indicator", None), **cells, "_place": where}
        branch["indicators"].append(indicator)
    return {"branches": list(branches.values())}


def _plain(cell: Any) -> Any:
    """Return a number or date of a table as Python's."""
    if hasattr(cell, "to_pydatetime"):
        return cell.to_pydatetime()
    return cell.item() if hasattr(cell, "item") and np.ndim(cell) == 0 else cell


class _Reader:
    """Reads a tree and gathers what is wrong with it."""

    def __init__(self, prefix: str, level: float) -> None:
        self.prefix, self.level = prefix, level
        self.problems: list[str] = []
        self.n = 0

    def problem(self, place: str, key: str, value: object, allowed: str) -> None:
        self.problems.append(f"{self.prefix}{place}, {key!r}: {excerpt(value)}; allowed: {allowed}")

    def tree(self, content: Any) -> Tree:
        place = "the scorecard"
        if not isinstance(content, Mapping):
            raise DataError(f"{self.prefix}a scorecard is a mapping with the key 'branches'")
        self._check_keys(place, content, HEAD_KEYS)
        branches = self._branches(place, content.get("branches"), 1)
        tree = Tree(
            self._text(place, "title", content.get("title")),
            self._text(place, "source", content.get("source")),
            self._date(place, "date", content.get("date")),
            self._flag(place, content.get("synthetic", False)),
            branches,
        )
        if not self.n and not self.problems:
            raise DataError(f"{self.prefix}no indicator; at least one is needed")
        if self.n > MOST:
            raise DataError(f"{self.prefix}{self.n:,} indicators; allowed: at most {MOST:,}")
        self._check_names(tree)
        if self.problems:
            raise DataError(self.problems)
        return tree

    def _check_names(self, tree: Tree) -> None:
        paths = [tuple(name.en for name in path) for path, _ in tree.walk()]
        for i, path in enumerate(paths):
            if path in paths[:i]:
                self.problems.append(f"{self.prefix}branch {' > '.join(path)!r} stands twice")
        for texts, branch in tree.walk():
            names = [indicator.name.en for indicator in branch.indicators]
            for i, name in enumerate(names):
                if name in names[:i]:
                    self.problems.append(
                        f"{self.prefix}branch {texts[-1].en!r}: indicator {name!r} stands twice"
                    )

    def _check_keys(self, place: str, content: Mapping[Any, Any], allowed: Sequence[str]) -> None:
        for key in content:
            if key not in allowed and key != "_place":
                self.problems.append(
                    f"{self.prefix}{place}: key {excerpt(key)} is not known{meant(key, allowed)}; "
                    f"allowed: {', '.join(allowed)}"
                )

    def _list(self, place: str, key: str, value: Any) -> list[Any]:
        if value is None:
            return []
        if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
            self.problem(place, key, value, "a list")
            return []
        return list(value)

    def _branches(self, place: str, value: Any, depth: int) -> tuple[Branch, ...]:
        if depth > DEEPEST:
            raise DataError(f"{self.prefix}branches nested deeper than {DEEPEST} levels")
        entries = self._list(place, "branches", value)
        branches = [self._branch(f"branch {i}", e, depth) for i, e in enumerate(entries, 1)]
        self._check_weights(place, branches)
        return tuple(branches)

    def _branch(self, place: str, content: Any, depth: int) -> Branch:
        if not isinstance(content, Mapping):
            self.problem(place, "branches", content, f"mappings with {', '.join(BRANCH_KEYS)}")
            return Branch(NO_TEXT, nan, (), ())
        self._check_keys(place, content, BRANCH_KEYS)
        name = self._text(place, "name", content.get("name"))
        place = f"branch {name.en!r}" if name.en else place
        branches = self._branches(place, content.get("branches"), depth + 1)
        indicators = [
            self._indicator(f"{place}, indicator {i}", entry)
            for i, entry in enumerate(self._list(place, "indicators", content.get("indicators")), 1)
        ]
        self._check_weights(place, indicators)
        weight = self._number(place, "weight", content.get("weight"), 0)
        return Branch(name, weight, branches, tuple(indicators))

    def _check_weights(self, place: str, parts: Sequence[Branch | Indicator]) -> None:
        """Say what is wrong with weights, where every part of a level has one."""
        weights = {str(i): part.weight for i, part in enumerate(parts)}
        if not weights or any(map(isnan, weights.values())):
            return
        try:
            check_weights(weights, list(weights))
        except CxError as error:
            self.problems.append(f"{self.prefix}{place}: {error}")

    def _indicator(self, place: str, content: Any) -> Indicator:
        self.n += 1
        if not isinstance(content, Mapping):
            self.problem(place, "indicators", content, f"mappings with {', '.join(INDICATOR_KEYS)}")
            content = {}
        place = content.get("_place", place)
        content = {key: value for key, value in content.items() if value is not None}
        self._check_keys(place, content, INDICATOR_KEYS)
        number = {
            key: self._number(place, key, content.get(key), -inf if key in SIGNED else 0)
            for key in NUMBER_KEYS
        }
        fact = self._fact(place, content.get("fact"))
        name = self._text(place, "name", content.get("name")) if "name" in content else NO_TEXT
        name = name if name.en else (fact.quantity if fact else NO_TEXT)
        if not name.en:
            self.problem(place, "name", content.get("name"), "a text, in one language or as en, zh")
        direction = content.get("direction", _direction(fact))
        if direction not in DIRECTIONS:
            self.problem(place, "direction", direction, "'higher' or 'lower', which is better")
        unit = self._text(place, "unit", content.get("unit"))
        measured, trend, is_share = self._measured(place, content, number)
        kind = "rate" if is_share else "index" if NPS_KEYS[0] in content else "amount"
        base = number["base"]
        if fact:
            unit, kind = unit if unit.en else fact.unit.text, fact.unit.measure
            measured = Measurement(float(fact.after if fact.after is not None else nan))
            base = float(fact.before if fact.before is not None else nan)
        if is_share:
            for key in ("target", "base"):
                if not isnan(number[key]) and not 0 <= number[key] <= 1:
                    self.problem(place, key, number[key], "a share from 0 to 1, as the actual is")
        return Indicator(
            name, unit, str(direction), number["target"], base, measured, is_share,
            number["weight"], self._text(place, "owner", content.get("owner")),
            self._date(place, "next_review", content.get("next_review")), trend, kind,
        )  # fmt: skip

    def _measured(
        self, place: str, content: Mapping[str, Any], number: Mapping[str, float]
    ) -> tuple[Measurement, tuple[float, float, float], bool]:
        """Return the value with its noise, its trend, and whether it is a share."""
        none = (nan, nan, nan)
        keys = [key for key in (*(k for k in NUMBER_KEYS if k not in NEUTRAL), "result", "fact")
                if key in content]  # fmt: skip
        if not keys:
            return Measurement(nan), none, False
        before = len(self.problems)
        way = next((way for way, (needs, _) in WAYS.items() if set(needs) & set(keys)), "actual")
        needs, options = WAYS[way]
        lacking = [key for key in needs if key not in keys]
        extra = [key for key in keys if key not in (*needs, *options)]
        if lacking:
            self.problems.append(
                f"{self.prefix}{place}: {keys[0]!r} without {lacking[0]!r}, which it needs"
            )
        if extra:
            self.problems.append(
                f"{self.prefix}{place}: {extra[0]!r} beside {way!r}; allowed: one way to say a "
                "value: actual (with low and high, se and n, or sd and n); events and trials; "
                "promoters, passives and detractors; result; fact"
            )
        if way == "fact" or len(self.problems) > before:
            return Measurement(nan), none, False
        if way == "result":
            return self._of_result(place, content["result"])
        if way == "events":
            return self._of_counts(place, number), none, True
        if way == "promoters":
            return self._of_promoters(place, number), none, False
        return self._of_actual(place, set(keys), number), none, False

    def _of_counts(self, place: str, number: Mapping[str, float]) -> Measurement:
        events, trials = number["events"], number["trials"]
        if isnan(events) or isnan(trials):
            return Measurement(nan)
        if trials < 1 or events > trials:
            self.problem(place, "events", events, f"at most trials ({trials:g}), these at least 1")
            return Measurement(nan)
        return of_counts(int(events), int(trials), self.level)

    def _of_promoters(self, place: str, number: Mapping[str, float]) -> Measurement:
        counts = [number[key] for key in NPS_KEYS]
        if any(map(isnan, counts)):
            return Measurement(nan)
        if sum(counts) < 2:
            self.problem(place, "promoters", counts[0], "two answers at least, of all three kinds")
            return Measurement(nan)
        row = nps_from_counts(*map(int, counts), level=self.level).table.iloc[0]
        return of_nps(*(float(row[column]) for column in ("estimate", "ci_low", "ci_high", "n")))

    def _of_actual(self, place: str, keys: set[str], number: Mapping[str, float]) -> Measurement:
        actual, n = number["actual"], number["n"]
        ways = [way for way in ({"low", "high"}, {"se"}, {"sd"}) if way & keys]
        if not ways or isnan(actual):
            return Measurement(actual, n=n)
        if len(ways) > 1 or (ways[0] - keys) or ("sd" in keys and "n" not in keys):
            self.problems.append(
                f"{self.prefix}{place}: {', '.join(sorted(keys - {'actual'}))}; allowed: low and "
                "high, or se with or without n, or sd and n"
            )
            return Measurement(actual)
        if "low" in keys:
            low, high = number["low"], number["high"]
            if not (isnan(low) or isnan(high)) and not low <= actual <= high:
                self.problem(place, "actual", actual, f"from low ({low:g}) to high ({high:g})")
            return Measurement(actual, low, high, n, "interval")
        if isfinite(n) and n < 2:
            self.problem(place, "n", n, "2 at least, for a standard error")
            return Measurement(actual)
        se = number["se"] if "se" in keys else number["sd"] / np.sqrt(n)
        if isnan(se):
            return Measurement(actual)
        return of_error(actual, float(se), n, self.level)

    def _of_result(
        self, place: str, result: Any
    ) -> tuple[Measurement, tuple[float, float, float], bool]:
        """Return the single row of a result of cxstats, of a `Track` the last wave."""
        none = (nan, nan, nan)
        table = getattr(result, "table", None)
        columns = ("estimate", "ci_low", "ci_high")
        if table is None or not set(columns) <= set(getattr(table, "columns", ())):
            self.problem(place, "result", type(result).__name__,
                         "a result of cxstats with estimate, ci_low, ci_high")  # fmt: skip
            return Measurement(nan), none, False
        trend = none
        metric = result.metric if isinstance(result, Track) else result
        if isinstance(result, Track):
            if result.segments:
                self.problem(place, "result", f"{len(result.trend)} segments", "a track of one")
                return Measurement(nan), none, False
            table = table[table["estimate"].notna()].tail(1)
            if len(result.trend):
                row = result.trend.iloc[0]
                low, high = (float(row[column]) for column in columns[1:])
                trend = float(row["estimate"]), low, high
        if len(table) != 1:
            self.problem(place, "result", f"{len(table)} rows", "a result of one row, no groups")
            return Measurement(nan), none, False
        level = getattr(result, "level", self.level)
        if abs(level - self.level) > 1e-9:
            self.problem(place, "result", f"level {level:g}",
                         f"the level of the scorecard, {self.level:g}")  # fmt: skip
        row = table.iloc[0]
        value, low, high = (float(row[column]) for column in columns)
        n = float(row["n"]) if "n" in table.columns else nan
        noise = "interval" if isfinite(low) and isfinite(high) else ""
        unit = getattr(metric, "unit", "")
        measured = Measurement(value, low, high, n, noise)
        plain = noise and not metric.weighted and metric.clusters is None if unit else False
        if plain and unit == "share":
            measured = of_counts(round(value * n), int(n), self.level)
        elif plain and unit == "nps":
            measured = of_nps(value, low, high, n)
        return measured, trend, unit == "share"

    def _fact(self, place: str, identifier: Any) -> Any:
        if identifier is None:
            return None
        facts = {fact.id: fact for fact in read_facts() if fact.kind == "before_after"}
        if identifier not in facts:
            self.problem(place, "fact", identifier, "a published quantity before and after")
            return None
        return facts[identifier]

    def _number(self, place: str, key: str, value: Any, least: float) -> float:
        if value is None:
            return nan
        number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
        if not number or not isfinite(float(value)) or abs(float(value)) > 1e100:
            self.problem(place, key, value, "a number")
            return nan
        if float(value) < least:
            self.problem(place, key, value, f"numbers from {least:g}")
            return nan
        if key in (*COUNT_KEYS, "n") and not (
            isinstance(value, Integral) or float(value).is_integer()
        ):
            self.problem(place, key, value, "a whole number")
            return nan
        return float(value)

    def _text(self, place: str, key: str, value: Any) -> Text:
        if value is None:
            return NO_TEXT
        if isinstance(value, Mapping):
            texts = {lang: value.get(lang) for lang in ("en", "zh")}
            if set(value) - {"en", "zh"} or not all(
                text is None or isinstance(text, str) for text in texts.values()
            ):
                self.problem(place, key, dict(value), "a text, or texts as en and zh")
                return NO_TEXT
            first = texts["en"] or texts["zh"] or ""
            return Text(texts["en"] or first, texts["zh"] or first)
        if not isinstance(value, str | Real) or isinstance(value, bool):
            self.problem(place, key, value, "a text, or texts as en and zh")
            return NO_TEXT
        return Text(str(value), str(value))

    def _date(self, place: str, key: str, value: Any) -> date | None:
        day = as_date(value)
        if value is not None and day is None:
            self.problem(place, key, value, "a day, such as 2026-12-31")
        return day

    def _flag(self, place: str, value: Any) -> bool:
        if not isinstance(value, bool):
            self.problem(place, "synthetic", value, "true or false")
        return bool(value)


SIGNED = ("target", "base", "actual", "low", "high")
NEUTRAL = ("target", "base", "weight")  # they say nothing of the value now


def _direction(fact: Any) -> str:
    """Return the direction of a published quantity; higher without one."""
    return "lower" if fact and fact.better == "down" else "higher"


def as_date(value: Any) -> date | None:
    """Return a day; None for what is none.

    Examples
    --------
    >>> as_date("2026-12-31"), as_date("soon")
    (datetime.date(2026, 12, 31), None)
    """
    if isinstance(value, datetime):
        return None if value != value else value.date()  # noqa: PLR0124  (pandas' NaT)
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            return None
    return None
