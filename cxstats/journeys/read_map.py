"""Read a journey map from YAML, a mapping or a table, and list every problem in it at once."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.files import read_bytes
from cxstats.core.language import LANGUAGES, Text
from cxstats.core.messages import excerpt, listing, look, printable
from cxstats.core.yaml_text import LARGEST, parse_yaml
from cxstats.journeys.journey_map import (
    DESCRIPTIONS,
    NUMBERS,
    JourneyMap,
    Stage,
    Texts,
    Touchpoint,
    as_number,
)
from cxstats.survey.read import read_survey

if TYPE_CHECKING:
    import pandas as pd

YAML = (".yml", ".yaml")
MAP_KEYS = ("title", "source", "scale", "stages")
STAGE_KEYS = ("name", *DESCRIPTIONS, "weight", "touchpoints")
TOUCHPOINT_KEYS = ("id", "name", *DESCRIPTIONS, "events", *NUMBERS)
# Columns of a table, and other heads for them; blanks, underscores, width and case do not matter.
# A plural holds several in one cell.
HEADS: dict[str, tuple[str, ...]] = {
    "stage": ("phase", "阶段", "旅程阶段"),
    "touchpoint": (
        "contact point", "service contact point", "service", "触点", "接触点", "服务接触点", "服务",
        "要素",
    ),
    "touchpoints": ("contact points", "service contact points"),
    "id": ("column", "代码", "列名"),
    "no": ("number", "order", "编号", "序号"),
    "action": ("actions", "customer action", "行动", "客户行动", "顾客行动", "行为"),
    "channel": ("channels", "mode", "modes", "渠道", "服务方式", "接触方式", "方式"),
    "pain": ("pains", "pain point", "pain points", "痛点", "顾客痛点", "客户痛点"),
    "expectation": (
        "expectations", "expected", "期望", "期望满足的服务", "顾客期望", "客户期望",
    ),
    "evidence": ("physical evidence", "有形展示", "证据"),
    "events": ("event", "activity", "activities", "事件", "活动"),
    "score": ("mean", "得分", "评分", "均值"),
    "sd": ("standard deviation", "标准差"),
    "n": ("respondents", "人数", "样本量"),
    "importance": ("重要性", "重要度"),
    "weight": ("权重",),
    "stage weight": ("阶段权重",),
}  # fmt: skip
IN_LANGUAGES = ("stage", "touchpoint", "touchpoints", *DESCRIPTIONS)
MARKS = r"[;；|\n]"  # between several texts in a cell
CHINESE_MARKS = r"[;；|\n、]"
CHANNEL_MARKS = r"[;；|\n、,，]"
MOST = 1_000  # touchpoints; more is a file of another kind


def read_map(source: Any) -> JourneyMap:
    """Return a journey map.

    Parameters
    ----------
    source : path, mapping, table or JourneyMap
        YAML (``.yml, .yaml``) or the mapping that it holds; a table or the file of one (CSV, Excel)
        with one row a touchpoint, or one row a stage where a column ``touchpoints`` lists them. See
        `cxstats.journey`.

    Raises
    ------
    DataError
        With every problem of the map: where it is, what stands there, what is allowed.
    """
    if isinstance(source, JourneyMap):
        return source
    if isinstance(source, Mapping):
        return _Reader("map").of_mapping(source)
    if isinstance(source, str | Path):
        file = Path(source)
        if file.suffix.lower() in YAML:
            return _Reader(file.name).of_mapping(parse_yaml(read_bytes(file, LARGEST), file.name))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on the layout of answers, which a map has not
            frame = read_survey(file, header=1)
        return _Reader(file.name).of_table(frame)
    return _Reader("table").of_table(as_pandas(source))


class _Reader:
    """Reads one source; `problems` grows, and is raised whole."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []

    def problem(self, where: str, text: str) -> None:
        self.problems.append(f"{self.name}, {where}: {text}" if where else f"{self.name}: {text}")

    def finish(
        self,
        stages: Sequence[tuple[str, Stage]],
        touchpoints: Sequence[tuple[str, Touchpoint]],
        **texts: Any,
    ) -> JourneyMap:
        """Return the map, or raise what is wrong; stages and touchpoints come with their place."""
        for place, (where, stage) in enumerate(stages):
            if not any(touchpoint.stage == place for _, touchpoint in touchpoints):
                self.problem(
                    where, f"stage {excerpt(stage.name.en)} has no touchpoint; give it one"
                )
        first: dict[str, tuple[str, int]] = {}
        for where, touchpoint in touchpoints:
            if touchpoint.id in first:
                before, stage_before = first[touchpoint.id]
                here = stages[touchpoint.stage][1].name.en
                there = stages[stage_before][1].name.en
                both = f"stages {excerpt(there)} and {excerpt(here)}"
                which = f"stage {excerpt(here)} twice" if there == here else both
                self.problem(
                    where,
                    f"touchpoint {excerpt(touchpoint.id)} stands in {which} ({before}); "
                    "allowed: once, or give each place an id of its own",
                )
            first.setdefault(touchpoint.id, (where, touchpoint.stage))
        scale = texts.get("scale")
        for where, touchpoint in touchpoints:
            if scale and (touchpoint.score < scale[0] or touchpoint.score > scale[1]):
                allowed = f"{scale[0]:g} to {scale[1]:g}"
                self.problem(
                    where, f"score {touchpoint.score:g} is off the scale; allowed: {allowed}"
                )
        if len(touchpoints) > MOST:
            self.problem("", f"{len(touchpoints):,} touchpoints; allowed: at most {MOST:,}")
        if not stages and not self.problems:
            self.problem("", "no stages; at least one is needed")
        if self.problems:
            raise DataError(self.problems)
        ordered = sorted((touchpoint for _, touchpoint in touchpoints), key=lambda t: t.stage)
        return JourneyMap(tuple(stage for _, stage in stages), tuple(ordered), **texts)

    # YAML ---------------------------------------------------------------------------------------

    def of_mapping(self, content: Any) -> JourneyMap:
        if not isinstance(content, Mapping) or not isinstance(content.get("stages"), list | tuple):
            raise DataError(
                f"{self.name}: a journey map is a mapping with the key 'stages', a list of stages"
            )
        self.check_keys(content, MAP_KEYS, "")
        stages: list[tuple[str, Stage]] = []
        touchpoints: list[tuple[str, Touchpoint]] = []
        for i, entry in enumerate(content["stages"]):
            where = f"stage {i + 1}"
            if not isinstance(entry, Mapping):
                self.problem(where, f"{excerpt(entry)}; allowed: {_keys(STAGE_KEYS)}")
                continue
            self.check_keys(entry, STAGE_KEYS, where)
            place = len(stages)
            texts = {key: self.texts(entry.get(key), f"{where}, {key!r}") for key in DESCRIPTIONS}
            name = self.one_text(entry.get("name"), f"{where}, 'name'")
            stages.append((where, Stage(name, **texts, weight=self.number(entry, "weight", where))))
            points = entry.get("touchpoints") or ()
            if not isinstance(points, list | tuple):
                self.problem(f"{where}, 'touchpoints'", f"{excerpt(points)}; allowed: a list")
                points = ()
            for j, point in enumerate(points):
                there = f"{where}, touchpoint {j + 1}"
                touchpoint = self.touchpoint(point, place, there)
                if touchpoint is not None:
                    touchpoints.append((there, touchpoint))
        self.check_stage_names(stages)
        title = self.one_text(content.get("title", ""), "'title'", needed=False)
        source = self.one_text(content.get("source", ""), "'source'", needed=False)
        scale = self.scale(content.get("scale"))
        return self.finish(stages, touchpoints, name=title, source=source, scale=scale)

    def touchpoint(self, entry: Any, stage: int, where: str) -> Touchpoint | None:
        """Return a touchpoint from its mapping, or from its name alone."""
        if isinstance(entry, str) or (
            isinstance(entry, Mapping) and entry.keys() <= set(LANGUAGES)
        ):
            entry = {"name": entry}
        if not isinstance(entry, Mapping):
            self.problem(where, f"{excerpt(entry)}; allowed: a name, or {_keys(TOUCHPOINT_KEYS)}")
            return None
        self.check_keys(entry, TOUCHPOINT_KEYS, where)
        name = self.one_text(entry.get("name", entry.get("id")), f"{where}, 'name'")
        texts = {key: self.texts(entry.get(key), f"{where}, {key!r}") for key in DESCRIPTIONS}
        events = tuple(text.en for text in self.texts(entry.get("events"), f"{where}, 'events'"))
        numbers = {key: self.number(entry, key, where) for key in NUMBERS}
        identity = entry.get("id", name.en)
        if isinstance(identity, Mapping | list) or not str(identity).strip():
            self.problem(f"{where}, 'id'", f"{excerpt(identity)}; allowed: the name of a column")
        return _touchpoint(str(identity), name, stage, texts, events, numbers)

    def check_keys(self, entry: Mapping[Any, Any], allowed: Sequence[str], where: str) -> None:
        for key in entry:
            if key not in allowed:
                near = get_close_matches(str(key), allowed, 1, 0.6)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                self.problem(
                    where, f"key {excerpt(key)} is not known{hint} Allowed: {', '.join(allowed)}"
                    if hint else f"key {excerpt(key)} is not known; allowed: {', '.join(allowed)}",
                )  # fmt: skip

    def check_stage_names(self, stages: Sequence[tuple[str, Stage]]) -> None:
        first: dict[str, str] = {}
        for where, stage in stages:
            if stage.name.en in first:
                before = first[stage.name.en]
                self.problem(
                    where, f"stage {excerpt(stage.name.en)} is {before}, too; name it anew"
                )
            first.setdefault(stage.name.en, where)

    def one_text(self, value: Any, where: str, needed: bool = True) -> Text:
        texts = self.texts(value, where)
        if len(texts) > 1 or (needed and not texts):
            cell_text = "missing" if not texts else excerpt(value)
            self.problem(where, f"{cell_text}; allowed: one text, or one each for 'en' and 'zh'")
        return texts[0] if texts else Text("", "")

    def texts(self, value: Any, where: str) -> Texts:
        """Return a text, a text in both languages, or a list of them; a number is a text."""
        if isinstance(value, Mapping):
            return self.bilingual(value, where)
        if isinstance(value, list | tuple):
            return tuple(text for entry in value for text in self.texts(entry, where))
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return ()
        if isinstance(value, bool) or not isinstance(value, str | Real):
            self.problem(where, f"{excerpt(value)}; allowed: text, or texts for 'en' and 'zh'")
            return ()
        text = plain_text(value)
        return (Text(text, text),) if text else ()

    def bilingual(self, value: Mapping[Any, Any], where: str) -> Texts:
        """Return the texts of a mapping of language to text or list."""
        if not value or not set(value) <= set(LANGUAGES):
            self.problem(where, f"{excerpt(value)}; allowed: text, or texts for 'en' and 'zh'")
            return ()
        lists = {lang: self.texts(entry, where) for lang, entry in value.items()}
        if len({len(entries) for entries in lists.values()}) > 1:
            sizes = " and ".join(f"{len(t)} texts in {lang!r}" for lang, t in lists.items())
            self.problem(where, f"{sizes}; allowed: equally many")
            return ()
        en, zh = (lists.get(lang) or next(iter(lists.values())) for lang in LANGUAGES)
        return tuple(Text(a.en, b.en) for a, b in zip(en, zh, strict=True))

    def number(self, entry: Mapping[str, Any], key: str, where: str) -> float:
        """Return a number, NaN where there is none; only a score may be negative."""
        value = entry.get(key)
        if value is None or (isinstance(value, str) and not value.strip()):
            return math.nan
        number = as_number(value)
        number = math.inf if number is None else number
        if math.isnan(number):
            return number
        low, allowed = (-math.inf, "a number") if key == "score" else (0.0, "numbers from 0")
        is_fraction = key == "n" and number != round(number) if math.isfinite(number) else False
        if not math.isfinite(number) or number < low or is_fraction:
            allowed = "whole numbers from 0" if key == "n" else allowed
            self.problem(where, f"{key} is {excerpt(value)}; allowed: {allowed}")
            return math.nan
        return number

    def scale(self, value: Any) -> tuple[float, float] | None:
        if value is None:
            return None
        try:
            return check_scale(value)
        except CxError as error:
            self.problem("'scale'", str(error))
            return None

    # Tables -------------------------------------------------------------------------------------

    def of_table(self, frame: pd.DataFrame) -> JourneyMap:
        columns = self.columns(frame)
        if self.problems:
            raise DataError(self.problems)
        rows = [
            (f"row {label}", {key: _cell(frame.iloc[i, place]) for key, place in columns.items()})
            for i, label in enumerate(frame.index.tolist())
        ]
        if "no" in columns:
            rows = self.in_order(rows)
        by_stage = any(key.startswith("touchpoints") for key in columns)
        stages: list[tuple[str, Stage]] = []
        touchpoints: list[tuple[str, Touchpoint]] = []
        for where, row in rows:
            if any(value not in (None, "") for value in row.values()):
                self.add_row(where, row, by_stage, stages, touchpoints)
        if all(not math.isnan(t.weight) for _, t in touchpoints) and not stages:
            self.problem("", "no rows with a touchpoint")
        return self.finish(stages, touchpoints)

    def columns(self, frame: pd.DataFrame) -> dict[str, int]:
        """Return the place of each column by its canonical name."""
        heads = _known_heads()
        places: dict[str, int] = {}
        for place, head in enumerate(frame.columns):
            key = heads.get(_key(str(head)))
            if key is None:
                near = get_close_matches(_key(str(head)), heads, 1, 0.7)
                hint = f"; nearest: {near[0]!r}" if near else ""
                self.problem(
                    "", f"column {excerpt(str(head))} is not known{hint}; allowed: "
                    f"{', '.join(HEADS)}, the texts also with _en and _zh",
                )  # fmt: skip
            elif key in places:
                twice = f"{excerpt(str(frame.columns[places[key]]))} and {excerpt(str(head))}"
                self.problem("", f"columns {twice} are both the {key}; leave one out")
            else:
                places[key] = place
        stems = {key.removesuffix("_en").removesuffix("_zh") for key in places}
        for stem in IN_LANGUAGES:
            if stem in places and {f"{stem}_en", f"{stem}_zh"} & set(places):
                self.problem("", f"column {stem!r} stands beside {stem}_en or {stem}_zh")
        if len({"touchpoint", "touchpoints"} & stems) != 1:
            what = "both 'touchpoint' and 'touchpoints'" if "touchpoint" in stems else (
                "no column 'touchpoint' (or touchpoint_en, touchpoint_zh)"
            )  # fmt: skip
            self.problem("", f"{what}; allowed: one row a touchpoint, or a column of lists a stage")
        elif "touchpoints" in stems:
            single = sorted(stems & {"id", "score", "sd", "n", "importance", "weight", "events"})
            for key in single:
                self.problem(
                    "", f"column {key!r} needs one row a touchpoint, but 'touchpoints' lists them"
                )
            if "stage" not in stems:
                self.problem("", "column 'stage' is missing; 'touchpoints' are listed by stage")
        return places

    def in_order(
        self, rows: Sequence[tuple[str, dict[str, Any]]]
    ) -> list[tuple[str, dict[str, Any]]]:
        numbers = [self.number(row, "no", where) for where, row in rows]
        if any(map(math.isnan, numbers)):
            self.problem("", "column 'no' has a gap; number every row, or leave the column out")
        return [rows[i] for i in sorted(range(len(rows)), key=lambda i: numbers[i])]

    def add_row(
        self,
        where: str,
        row: dict[str, Any],
        by_stage: bool,
        stages: list[tuple[str, Stage]],
        touchpoints: list[tuple[str, Touchpoint]],
    ) -> None:
        """Add the touchpoints of a row, and its stage where it is new."""
        key = "touchpoints" if by_stage else "touchpoint"
        names = self.cell_texts(row, key, where, split=by_stage)
        chain = not any(k.startswith("stage") and k != "stage weight" for k in row)
        stage_name = names if chain else self.cell_texts(row, "stage", where, split=False)
        if not stage_name:
            self.problem(where, "no stage; give every touchpoint one")
            return
        texts = {key: self.cell_texts(row, key, where, split=True) for key in DESCRIPTIONS}
        place = self.stage(where, stage_name[0], row, texts if by_stage else {}, stages)
        if not names:
            if not by_stage:
                self.problem(where, f"stage {excerpt(stage_name[0].en)} has no touchpoint there")
            return
        if by_stage:
            texts = {}
        numbers = {key: self.number(row, key, where) for key in NUMBERS}
        events = tuple(t.en for t in self.cell_texts(row, "events", where, split=True))
        for name in names:
            identity = str(row.get("id") or name.en)
            point = _touchpoint(identity, name, place, texts, events, numbers)
            touchpoints.append((where, point))

    def stage(
        self,
        where: str,
        name: Text,
        row: dict[str, Any],
        texts: Mapping[str, Texts],
        stages: list[tuple[str, Stage]],
    ) -> int:
        """Return the place of a stage, which is added where it is new."""
        weight = self.number({"weight": row.get("stage weight")}, "weight", where)
        for place, (before, stage) in enumerate(stages):
            if name.en == stage.name.en or name.zh == stage.name.zh:
                if name != stage.name:
                    self.problem(
                        where, f"stage {excerpt(name.en)} / {excerpt(name.zh)} is "
                        f"{excerpt(stage.name.en)} / {excerpt(stage.name.zh)} in {before}",
                    )  # fmt: skip
                if texts:
                    self.problem(where, f"stage {excerpt(name.en)} stands in {before}, too")
                if not (weight == stage.weight or math.isnan(weight)):
                    self.problem(
                        where, f"stage weight {weight:g}, but {stage.weight:g} in {before}"
                    )
                return place
        stages.append((where, Stage(name, **texts, weight=weight)))
        return len(stages) - 1

    def cell_texts(self, row: Mapping[str, Any], key: str, where: str, split: bool) -> Texts:
        """Return the texts of a cell, in both languages where there are two columns."""
        cells = [row.get(f"{key}_{lang}", row.get(key)) for lang in LANGUAGES]
        wrong = [c for c in cells if isinstance(c, bool) or not isinstance(c, str | Real | None)]
        if wrong:
            self.problem(where, f"{key} is {excerpt(wrong[0])}; allowed: text")
            return ()
        en, zh = (self.split(cell, key, where) if split else _one(cell) for cell in cells)
        if split and en and zh and len(en) != len(zh):
            en, zh = (self.split(cell, key, where, CHINESE_MARKS) for cell in cells)
        if en and zh and len(en) != len(zh):
            if key == "touchpoints":
                self.problem(
                    where, f"{len(en)} touchpoints in English, {len(zh)} in Chinese; allowed: "
                    "equally many, separated by ';' or '、'",
                )  # fmt: skip
            # A sentence may list more in one language than in the other: it stays whole.
            en, zh = (_one(cell) for cell in cells)
        en, zh = en or zh, zh or en
        return tuple(Text(a, b) for a, b in zip(en, zh, strict=True))

    def split(self, cell: Any, key: str, where: str, marks: str = "") -> list[str]:
        marks = marks or (CHANNEL_MARKS if key == "channel" else MARKS)
        if key == "touchpoints":
            marks = CHINESE_MARKS
        text = "" if cell is None else str(cell)
        return [plain_text(part) for part in re.split(marks, text) if part.strip()]


def check_scale(value: Any) -> tuple[float, float]:
    """Return the ends of a scale.

    Examples
    --------
    >>> check_scale([1, 7])
    (1.0, 7.0)
    """
    value = value.tolist() if hasattr(value, "tolist") else value
    ends = [as_number(x) for x in value] if isinstance(value, list | tuple) else []
    finite = [x for x in ends if x is not None and math.isfinite(x)]
    if len(ends) != 2 or len(finite) != 2 or not finite[0] < finite[1]:
        raise CxError(
            f"scale is {excerpt(value)}; allowed: lowest and highest score, such as (1, 7)"
        )
    return finite[0], finite[1]


def _touchpoint(
    identity: str,
    name: Text,
    stage: int,
    texts: Mapping[str, Texts],
    events: tuple[str, ...],
    numbers: Mapping[str, float],
) -> Touchpoint:
    fields: dict[str, Any] = {**texts, **numbers}
    return Touchpoint(identity, name, stage, events=events, **fields)


def _keys(names: Sequence[str]) -> str:
    return f"a mapping of {listing(names)}"


def plain_text(value: Any) -> str:
    """Return a text in one line, its control characters written out."""
    return printable(" ".join(str(value).split()))


def _one(cell: Any) -> list[str]:
    text = "" if cell is None else plain_text(cell)
    return [text] if text else []


def _cell(value: Any) -> Any:
    """Return a cell as Python has it, None where it is empty."""
    import pandas as pd

    if value is None or (not isinstance(value, list | tuple | Mapping) and pd.isna(value)):
        return None
    value = value.item() if hasattr(value, "item") else value
    # A whole number that pandas keeps as a float is written without its point.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _key(head: str) -> str:
    return look(head.replace("_", " ").replace("-", " "))


def _known_heads() -> dict[str, str]:
    """Return the canonical column of every head, by how it looks."""
    return dict(_all_heads())


def _all_heads() -> Iterator[tuple[str, str]]:
    for name, heads in HEADS.items():
        for head in (name, *heads):
            yield _key(head), name
            if name in IN_LANGUAGES:
                yield from ((_key(f"{head}_{lang}"), f"{name}_{lang}") for lang in LANGUAGES)
