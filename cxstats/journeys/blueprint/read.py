"""Read a blueprint from YAML, a mapping or tables; every problem is named at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import inf, isnan, nan
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.files import read_bytes
from cxstats.core.language import Text
from cxstats.core.messages import excerpt, listing, row_name
from cxstats.core.paths import data_folder
from cxstats.core.yaml_text import DEEPEST, LARGEST, parse_yaml
from cxstats.journeys.blueprint.elements import (
    DIRECTIONS,
    ELEMENT_METRICS,
    FLOW_KINDS,
    LAYERS,
    NO_TEXT,
    Element,
    Flow,
    Measured,
    Specification,
    Standard,
)
from cxstats.journeys.blueprint.paths import find_cycle
from cxstats.operations.timestamps import SECONDS

SHIPPED = ("bank_branch", "synthetic_account_opening")
HEAD_KEYS = (
    "title", "source", "customer", "unit", "currency", "stages", "synthetic", "elements", "flows",
)  # fmt: skip
TEXT_KEYS = ("name", "description", "sign", "weak_link", "owner", "mode", "improvement")
ELEMENT_KEYS = (
    "id", "layer", *TEXT_KEYS, "stage", "time", "wait", "failure", "standard", "after_sale",
)  # fmt: skip
FLOW_KEYS = ("from", "to", "kind")
MEAN_KEYS = ("mean", "sd", "n")
SHARE_KEYS = ("count", "n")
# Columns of a table of elements, beside the keys that hold one value, and where they belong.
COLUMNS: dict[str, tuple[str, ...]] = {
    **{f"{key}_{lang}": (key, lang) for key in TEXT_KEYS for lang in ("en", "zh")},
    **{f"{key}_{part}": (key, part) for key in ("time", "wait") for part in MEAN_KEYS},
    "failed": ("failure", "failed"),
    "failure_n": ("failure", "n"),
    "failure_share": ("failure", "share"),
    "failure_cost": ("failure", "cost"),
    **{f"standard_{part}": ("standard", part) for part in ("metric", "limit", "direction")},
    "standard_value": ("standard", "value"),
}
MOST_ELEMENTS, MOST_FLOWS = 1_000, 5_000
MOST = 1e60  # of any number, so that squares of variances have room
NEAR = 0.6  # likeness from which a name is taken for a slip of another


class Entry(NamedTuple):
    """One element or flow as it was written, and where."""

    place: str
    value: Any


def read_blueprint(elements: Any, flows: Any = None, **head: Any) -> Specification:
    """Return the blueprint that a file, a mapping or tables say.

    Parameters
    ----------
    elements, flows
        As `cxstats.blueprint` takes them.
    **head
        Title, source, unit, currency and synthetic, of tables; None is left out.

    Raises
    ------
    DataError
        With every problem: place, key, value and what is allowed.
    CxError
        If an option does not go with the kind of input.
    """
    head = {key: value for key, value in head.items() if value is not None}
    is_file = isinstance(elements, str | Path)
    if is_file and Path(elements).suffix.lower() in (".csv", ".xlsx", ".tsv"):
        elements, flows = _table_files(Path(elements), flows)
        is_file = False
    if not is_file and not isinstance(elements, Mapping):
        none = flows is None or (hasattr(flows, "shape") and flows.shape[0] == 0)
        rows = [] if none else _rows(flows, "flows")
        return _Reader("").specification(head, _rows(elements, "elements"), rows)
    if head or flows is not None:
        name = next(iter(head), "flows")
        raise CxError(f"{name} beside a file or mapping, which says it itself under {name!r}")
    if is_file:
        return _of_yaml(elements)
    return _of_mapping(_plain(elements), "", {})


def _table_files(file: Path, flows: Any) -> tuple[Any, Any]:
    """Return the tables of a CSV file or of the sheets "elements" and "flows"."""
    from cxstats.survey.read import read_survey

    if file.suffix.lower() != ".xlsx":
        if isinstance(flows, str | Path):
            flows = read_survey(flows, header=1)
        return read_survey(file, header=1), flows
    elements = read_survey(file, sheet="elements", header=1)
    if flows is not None:
        return elements, flows
    try:
        return elements, read_survey(file, sheet="flows", header=1)
    except DataError as error:
        if "sheet" in str(error):  # a blueprint may have no flows
            return elements, None
        raise


def _of_yaml(path: str | Path) -> Specification:
    file = data_folder() / "blueprints" / f"{path}.yml" if path in SHIPPED else Path(path)
    try:
        source = read_bytes(file, LARGEST)
    except DataError as error:
        raise DataError(f"{error}; blueprints that ship: {', '.join(SHIPPED)}") from error
    return _of_mapping(parse_yaml(source, file.name), file.name, _lines(source))


def _lines(source: bytes) -> dict[tuple[str, int], int]:
    """Return the line of each element and flow, by its key and place; the YAML was parsed."""
    import yaml

    root = yaml.compose(source.decode("utf-8-sig"), yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return {}
    return {
        (key.value, i): entry.start_mark.line + 1
        for key, node in root.value
        if isinstance(node, yaml.SequenceNode)
        for i, entry in enumerate(node.value)
    }


def _of_mapping(content: Any, name: str, lines: Mapping[tuple[str, int], int]) -> Specification:
    prefix = f"{name}, " if name else ""
    if not isinstance(content, Mapping):
        raise DataError(f"{prefix}a blueprint is a mapping of keys, such as 'elements'")
    reader = _Reader(prefix)
    reader.check_keys("the blueprint", content, HEAD_KEYS)
    entries: dict[str, list[Entry]] = {}
    for key in ("elements", "flows"):
        listed = content.get(key) or []
        if isinstance(listed, str | Mapping) or not isinstance(listed, Sequence):
            reader.problem("the blueprint", key, listed, "a list")
            listed = []
        entries[key] = [
            Entry(f"line {lines[key, i]}" if (key, i) in lines else f"{key[:-1]} {i + 1}", value)
            for i, value in enumerate(listed)
        ]
    head = {key: content[key] for key in content if key not in entries and content[key] is not None}
    return reader.specification(head, entries["elements"], entries["flows"])


def _rows(table: Any, name: str) -> list[Entry]:
    """Return the rows of a table as entries, without their empty cells."""
    import pandas as pd

    frame = as_pandas(table)
    doubled = [column for column, times in Counter(frame.columns).items() if times > 1]
    if doubled:
        raise DataError(f"{name}: column {excerpt(doubled[0])} stands there twice")
    allowed = (*ELEMENT_KEYS, *COLUMNS) if name == "elements" else FLOW_KEYS
    _check_columns(frame.columns, allowed, name)
    entries = []
    for position in range(len(frame)):
        value: dict[str, Any] = {}
        for column in frame.columns:
            cell = frame[column].iloc[position]
            if np.ndim(cell) == 0 and pd.isna(cell):
                continue
            _put(value, COLUMNS.get(column, (column,)), _plain(cell))
        entries.append(Entry(f"{name}, {row_name(frame.index, position)}", value))
    return entries


def _check_columns(columns: Iterable[Any], allowed: Sequence[str], name: str) -> None:
    unknown = [column for column in columns if column not in allowed]
    if unknown:
        raise DataError([
            f"{name}: column {excerpt(column)} is not known{_nearest(column, allowed)}; allowed: "
            f"{listing(allowed, 60)}" for column in unknown
        ])  # fmt: skip


def _put(value: dict[str, Any], keys: tuple[str, ...], cell: Any) -> None:
    """Put a cell below its keys; a value that stands alone is the mean of a mapping."""
    first, *inner_keys = keys
    if not inner_keys:
        value[first] = {"mean": cell, **value[first]} if first in value else cell
        return
    inner = value.setdefault(first, {})
    if not isinstance(inner, dict):
        inner = value[first] = {"mean": inner}
    inner[inner_keys[0]] = cell


def _plain(value: Any, depth: int = 0) -> Any:
    """Return a value with lists, mappings and numbers of Python, and None for what is missing."""
    import pandas as pd

    if depth > DEEPEST:
        raise DataError(f"a blueprint is nested deeper than {DEEPEST} levels")
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, depth + 1) for entry in value]
    if value is pd.NA or value is pd.NaT:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _nearest(name: object, names: Iterable[str]) -> str:
    near = get_close_matches(str(name), list(names), 1, NEAR)
    return f"; did you mean {excerpt(near[0])}?" if near else ""


@dataclass
class _Reader:
    """Turns entries into a specification and collects what is wrong.

    Attributes
    ----------
    prefix : str
        Stands before every problem: the file.
    problems : list of str
    has_times : bool
        Whether there is a time, which needs a unit.
    """

    prefix: str
    problems: list[str] = field(default_factory=list)
    has_times: bool = False

    def problem(self, place: str, key: str, value: object, allowed: str) -> None:
        """Note that a value is not allowed."""
        self.say(place, f"{key}: {excerpt(value)} is not allowed; allowed: {allowed}")

    def say(self, place: str, text: str) -> None:
        """Note a problem in words."""
        self.problems.append(f"{self.prefix}{place}, {text}")

    def specification(
        self, head: Mapping[str, Any], elements: Sequence[Entry], flows: Sequence[Entry]
    ) -> Specification:
        """Return the blueprint, or raise with every problem."""
        where = "the blueprint"
        for name, entries, most in (
            ("elements", elements, MOST_ELEMENTS), ("flows", flows, MOST_FLOWS)
        ):  # fmt: skip
            if len(entries) > most:
                raise DataError(f"{self.prefix}{len(entries):,} {name}; allowed: {most:,}")
        stages = self._stages(where, head.get("stages"))
        read = self._elements(elements, stages)
        pairs = self._flows(flows, [element.id for element in read])
        cycle = find_cycle([(f.source, f.target) for f in pairs if f.kind == "flow"])
        if cycle:
            way = " -> ".join(map(excerpt, cycle))
            self.say("flows", f"of kind 'flow' go in a circle: {way}; a way back is of kind "
                              "'failure' or 'information'")  # fmt: skip
        texts = {key: self.text(where, key, head.get(key)) for key in ("title", "source")}
        result = Specification(
            tuple(read),
            tuple(pairs),
            texts["title"],
            texts["source"],
            self.text(where, "customer", head.get("customer")),
            self._unit(where, head.get("unit")),
            self.text(where, "currency", head.get("currency")).en,
            stages,
            self.flag(where, "synthetic", head.get("synthetic", False)),
        )
        if self.problems:
            raise DataError(self.problems)
        return result

    def check_keys(self, place: str, value: Mapping[Any, Any], allowed: Sequence[str]) -> None:
        """Note each key that is not known."""
        for key in value:
            if key not in allowed:
                self.say(place, f"key {excerpt(key)} is not known{_nearest(key, allowed)}; "
                                f"allowed: {', '.join(allowed)}")  # fmt: skip

    def _unit(self, place: str, unit: Any) -> str:
        allowed = ", ".join(map(repr, SECONDS))
        if unit is None:
            if self.has_times:
                self.say(place, f"key 'unit' is missing, that of all times; allowed: {allowed}")
            return ""
        if not isinstance(unit, str) or unit not in SECONDS:
            self.problem(place, "unit", unit, allowed)
            return ""
        return unit

    def _stages(self, place: str, stages: Any) -> dict[str, Text]:
        if stages is None:
            return {}
        if isinstance(stages, Mapping):
            return {str(key): self.text(place, f"stages.{key}", text) for key, text in
                    stages.items()}  # fmt: skip
        if isinstance(stages, Sequence) and not isinstance(stages, str):
            names = [self.text(place, "stages", stage).en for stage in stages]
            for name, times in Counter(names).items():
                if times > 1:
                    self.say(place, f"stages: {excerpt(name)} stands there twice")
            return {name: Text(name, name) for name in names}
        self.problem(place, "stages", stages, "a list of names, or a mapping of id to words")
        return {}

    def _elements(self, entries: Sequence[Entry], stages: dict[str, Text]) -> list[Element]:
        if not entries:
            self.say("elements", "there are none; at least one is needed")
        free = not stages  # stages that are not listed stand in the order of the elements
        read: dict[str, tuple[str, Element]] = {}
        for place, value in entries:
            element = self._element(place, value)
            if element is None:
                continue
            if element.id in read:
                before, other = read[element.id]
                two = (f"in two layers, {other.layer!r} and {element.layer!r}; an element is in one"
                       if other.layer != element.layer else "doubled")  # fmt: skip
                self.say(place, f"id: {excerpt(element.id)} is {two}; it stands in {before} too")
                continue
            read[element.id] = place, element
            if free and element.stage:
                stages.setdefault(element.stage, Text(element.stage, element.stage))
            elif element.stage and element.stage not in stages:
                self.problem(place, "stage", element.stage, listing(stages))
        return [element for _, element in read.values()]

    def _element(self, place: str, value: Any) -> Element | None:
        if not isinstance(value, Mapping):
            self.problem(place, "element", value, f"a mapping of {', '.join(ELEMENT_KEYS)}")
            return None
        name = self.identifier(place, "id", value.get("id"))
        place = f"{place} ({excerpt(name)})" if name else place
        self.check_keys(place, value, ELEMENT_KEYS)
        texts = {key: self.text(place, key, value.get(key)) for key in TEXT_KEYS}
        texts["name"] = texts["name"] if any(texts["name"]) else Text(name, name)
        times = {key: self._time(place, key, value.get(key)) for key in ("time", "wait")}
        failure, cost = self._failure(place, value.get("failure"))
        from_element = {**times, "failure_share": failure}
        stage = value.get("stage")
        element = Element(
            id=name,
            layer=self._layer(place, value),
            stage="" if stage is None else self.identifier(place, "stage", stage),
            time=times["time"],
            wait=times["wait"],
            failure=failure,
            cost=cost,
            standards=self._standards(place, value.get("standard"), from_element),
            after_sale=self.flag(place, "after_sale", value.get("after_sale", False)),
            **texts,
        )
        return element if name else None

    def _layer(self, place: str, value: Mapping[str, Any]) -> str:
        layer = value.get("layer")
        if layer is None:
            self.say(place, f"key 'layer' is missing; allowed: {', '.join(map(repr, LAYERS))}")
        elif isinstance(layer, list):
            self.problem(place, "layer", layer, "one layer; an element in two is two elements")
        elif not isinstance(layer, str) or layer not in LAYERS:
            self.problem(place, "layer", layer, ", ".join(map(repr, LAYERS)))
        return layer if isinstance(layer, str) else ""

    def _time(self, place: str, key: str, value: Any) -> Measured | None:
        if value is None:
            return None
        self.has_times = True
        return self.measured(place, key, value)

    def measured(
        self, place: str, key: str, value: Any, low: float = 0, high: float = inf
    ) -> Measured | None:
        """Return a number, a mapping of mean, sd and n, or a list of measurements."""
        if isinstance(value, Mapping):
            self.check_keys(f"{place}, {key}", value, MEAN_KEYS)
            if "mean" not in value:
                self.say(place, f"{key}: key 'mean' is missing")
                return None
            mean = self.number(place, f"{key}.mean", value["mean"], low, high)
            sd = self.number(place, f"{key}.sd", value.get("sd"))
            n = self.number(place, f"{key}.n", value.get("n"), 1, integer=True)
            return Measured(mean, sd, n)
        if isinstance(value, Sequence) and not isinstance(value, str):
            values = [self.number(place, f"{key}, value {i}", x, low, high)
                      for i, x in enumerate(value, 1)]  # fmt: skip
            if not values:
                self.problem(place, key, value, "a list of measured numbers, at least one")
                return None
            sd = float(np.std(values, ddof=1)) if len(values) > 1 else nan
            return Measured(float(np.mean(values)), sd, len(values))
        return Measured(self.number(place, key, value, low, high))

    def _failure(self, place: str, value: Any) -> tuple[Measured | None, float]:
        if value is None:
            return None, nan
        if not isinstance(value, Mapping):
            self.problem(place, "failure", value, "a mapping of failed and n, or share; and cost")
            return None, nan
        self.check_keys(f"{place}, failure", value, ("failed", "n", "share", "cost"))
        cost = self.number(place, "failure.cost", value.get("cost"))
        if value.get("failed") is not None:
            if value.get("share") is not None:
                self.say(place, "failure: 'share' beside 'failed'; allowed: failed and n, or share")
            counts = {"count": value["failed"], "n": value.get("n")}
            return self._share(place, "failure", counts, "failed"), cost
        if value.get("share") is None:
            if value.get("n") is not None or isnan(cost):
                self.say(place, "failure: 'failed' is missing; allowed: failed and n, or share")
            return None, cost
        share = self.number(place, "failure.share", value["share"], 0, 1)
        n = self.number(place, "failure.n", value.get("n"), 1, integer=True)
        return Measured(share, n=n, count=share * n), cost

    def _share(
        self, place: str, key: str, value: Mapping[str, Any], name: str = "count"
    ) -> Measured | None:
        """Return the share of counts among trials."""
        count = self.number(place, f"{key}.{name}", value["count"], integer=True)
        if value.get("n") is None:
            self.say(place, f"{key}: {name!r} without 'n', out of how many")
            return None
        n = self.number(place, f"{key}.n", value["n"], 1, integer=True)
        if count > n:
            self.problem(place, f"{key}.{name}", value["count"], f"at most n, which is {n:g}")
        return Measured(count / n, n=n, count=count)

    def _standards(
        self, place: str, value: Any, from_element: Mapping[str, Measured | None]
    ) -> tuple[Standard, ...]:
        if value is None:
            return ()
        several = isinstance(value, Sequence) and not isinstance(value, str)
        read = [
            self._standard(place, entry, from_element) for entry in (value if several else [value])
        ]
        standards = [standard for standard in read if standard is not None]
        for metric, times in Counter((s.metric, s.direction) for s in standards).items():
            if times > 1:
                self.say(place, f"standard: {excerpt(metric[0])} is limited twice")
        return tuple(standards)

    def _standard(
        self, place: str, value: Any, from_element: Mapping[str, Measured | None]
    ) -> Standard | None:
        keys = ("metric", "limit", "direction", "value")
        if not isinstance(value, Mapping):
            self.problem(place, "standard", value, f"a mapping of {', '.join(keys)}")
            return None
        self.check_keys(f"{place}, standard", value, keys)
        metric, absent = value.get("metric"), [k for k in keys[:2] if value.get(k) is None]
        if absent:
            self.say(place, f"standard: key {absent[0]!r} is missing")
            return None
        name = self.text(place, "standard.metric", metric)
        if not name.en:
            self.problem(place, "standard.metric", metric, "a name, such as 'time' or 'wait'")
            return None
        metric, ours = name.en, metric in ELEMENT_METRICS
        ends = (0.0, 1.0 if metric == "failure_share" else inf) if ours else (-inf, inf)
        limit = self.number(place, "standard.limit", value["limit"], *ends)
        direction = value.get("direction", "most" if ours else None)
        if not isinstance(direction, Hashable) or direction not in DIRECTIONS:
            self.problem(place, "standard.direction", direction,
                         "'most' or 'least' that is allowed")  # fmt: skip
        if ours:
            self.has_times |= metric in ("time", "wait")
            if value.get("value") is not None:
                self.say(place, f"standard: a value of {metric!r}, which is the element's own")
            return Standard(metric, limit, str(direction), from_element[metric])
        measured: Measured | None = None
        if isinstance(value.get("value"), Mapping) and "count" in value["value"]:
            self.check_keys(f"{place}, standard.value", value["value"], SHARE_KEYS)
            measured = self._share(place, "standard.value", value["value"])
        elif value.get("value") is not None:
            measured = self.measured(place, "standard.value", value["value"], -inf)
        return Standard(metric, limit, str(direction), measured, name)

    def _flows(self, entries: Sequence[Entry], ids: Sequence[str]) -> list[Flow]:
        read: dict[tuple[str, str, str], tuple[str, Flow]] = {}
        for place, value in entries:
            if not isinstance(value, Mapping):
                self.problem(place, "flow", value, f"a mapping of {', '.join(FLOW_KEYS)}")
                continue
            self.check_keys(place, value, FLOW_KEYS)
            ends = [self._end(place, key, value.get(key), ids) for key in ("from", "to")]
            kind = value.get("kind", "flow")
            if not isinstance(kind, Hashable) or kind not in FLOW_KINDS:
                self.problem(place, "kind", kind, ", ".join(map(repr, FLOW_KINDS)))
                continue
            if not all(ends):
                continue
            if ends[0] == ends[1]:
                self.say(place, f"a flow from {excerpt(ends[0])} to itself")
                continue
            key = (ends[0], ends[1], kind)
            if key in read:
                self.say(place, f"the flow from {excerpt(ends[0])} to {excerpt(ends[1])} of kind "
                                f"{kind!r} stands in {read[key][0]} too")  # fmt: skip
                continue
            read[key] = place, Flow(*key)
        return [flow for _, flow in read.values()]

    def _end(self, place: str, key: str, value: Any, ids: Sequence[str]) -> str:
        name = self.identifier(place, key, value)
        if name and name not in ids:
            self.say(place, f"{key}: {excerpt(name)} is not an element{_nearest(name, ids)}; "
                            f"elements: {listing(ids, 30)}")  # fmt: skip
            return ""
        return name

    def identifier(self, place: str, key: str, value: Any) -> str:
        """Return a name that elements are called by: a text or a whole number."""
        if value is None:
            self.say(place, f"key {key!r} is missing")
            return ""
        if isinstance(value, float) and value.is_integer():  # a column of numbers with gaps
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
            self.problem(place, key, value, "a text that is not empty, or a whole number")
            return ""
        return " ".join(str(value).split())

    def text(self, place: str, key: str, value: Any) -> Text:
        """Return words in both languages; one text stands for both."""
        if value is None:
            return NO_TEXT
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            line = " ".join(str(value).split())
            return Text(line, line)
        if not isinstance(value, Mapping) or not set(value) <= {"en", "zh"} or not value:
            self.problem(place, key, value, "a text, or one for 'en' and one for 'zh'")
            return NO_TEXT
        en, zh = (self.text(place, f"{key}.{lang}", value.get(lang)).en for lang in ("en", "zh"))
        return Text(en or zh, zh or en)

    def flag(self, place: str, key: str, value: Any) -> bool:
        """Return true or false."""
        if isinstance(value, str) and value.strip().casefold() in ("true", "false"):
            return value.strip().casefold() == "true"
        if isinstance(value, int | float) and value in (0, 1):
            return bool(value)
        self.problem(place, key, value, "true, false, 1, 0")
        return False

    def number(
        self, place: str, key: str, value: Any, low: float = 0, high: float = inf,
        integer: bool = False,
    ) -> float:  # fmt: skip
        """Return a finite number from `low` to `high`; NaN where there is none or it is wrong."""
        if value is None:
            return nan
        span = (
            "" if low == -inf
            else f" from {low:g} to {high:g}" if high < inf else f" from {low:g} upwards"
        )  # fmt: skip
        allowed = f"{'whole numbers' if integer else 'numbers'}{span}"
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and abs(value) >= MOST:
            allowed += f" below {MOST:g}"
        if not is_number or not -MOST < value < MOST:
            self.problem(place, key, value, allowed)
            return nan
        if not low <= value <= high or (integer and value != int(value)):
            self.problem(place, key, value, allowed)
            return nan
        return float(value)
