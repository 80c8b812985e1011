"""Columns that say something of the respondent: identifier, time taken, groups, waves, weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.language import Text, both, listed
from cxstats.core.messages import cut, look
from cxstats.survey.direction import tone
from cxstats.survey.draft.answer_scales import is_no_answer
from cxstats.survey.draft.cells import Cells
from cxstats.survey.draft.headings import last_part
from cxstats.survey.durations import seconds
from cxstats.survey.group_names import alike
from cxstats.survey.personal_data import find_personal_data, kind_of_heading
from cxstats.survey.platforms import HEADINGS, forms, plain

if TYPE_CHECKING:
    import pandas as pd

IDENTIFIERS = {plain(word) for word in (
    "id", "respondent", "respondent id", "response id", "responseid", "respid", "resp id", "case",
    "case id", "caseid", "customer id", "customerid", "client id", "user id", "userid", "uuid",
    "record", "record id", "serial", "no", "no.", "nr", "number", "#", "序号", "编号", "答卷编号",
    "问卷编号", "样本编号", "受访者编号", "客户编号", "客户号", "用户编号", "用户id", "答题序号",
    "样本号", "流水号", "受访者", "respondent number", "interview id", "ResponseID", "Antwort ID",
    "答复ID", "Teilnehmer-ID", "Befragten-ID", "受访者 ID",
)}  # fmt: skip
DURATIONS = re.compile(
    r"duration|time ?taken|time ?spent|elapsed|interview ?time|completion ?time.*sec|interviewtime|"
    r"所用时间|用时|时长|答题时间|作答时间|耗时|\bseconds\b|秒"
)
WEIGHTS = re.compile(r"^(?:.*\b)?(?:weights?|wt|wgt|weighting)(?:\b.*)?$|加权|权重|权数")
CLUSTERS = re.compile(r"\b(?:cluster|psu|household|hh_?id)\b|整群|家庭编号|抽样单元")
STRATA = re.compile(r"\b(?:strat(?:um|a))\b|分层|抽样层")
WAVES = re.compile(
    r"\b(?:waves?|months?|quarters?|periods?|years?|rounds?)\b|月份|季度|年份|年度|期次|批次|波次|"
    r"轮次|时期|月度|^期$|^月$|^年$|年月"
)
# What compares or describes respondents, whatever its values look like; the whole heading, since
# an item may speak of a branch ("网点环境").
GROUPS = re.compile(
    r"(?:q?\d+\s*[、.．:)]\s*)?"
    r"(?:your |customer |client |user |respondent |service |main |what is your |which |home |"
    r"the ){0,4}"
    r"(?:您的|您所在的|您所在|您|客户|受访者|用户|所在|所属|办理|主要|服务|来自哪个){0,4}"
    r"(?:gender|sex|age|region|city|province|state|country|branch|store|shop|office|outlet|channel|"
    r"segment|team|department|dept|education|income|occupation|job|marital status|product|tier|"
    r"type|"
    r"group|tenure|language|site|location|provider|class|level|industry|device|platform|plan|"
    r"性别|年龄|年纪|地区|区域|城市|省份|省|市|网点|分行|支行|门店|店铺|店名|店|渠道|部门|团队|学历|教育|"
    r"文化|收入|月收入|职业|行业|婚姻|产品|会员|等级|类别|类型|分组|组别|组|语言|服务商|运营商|客群|业务|设备)"
    r"(?:段|组|名称|名|代码|编号|号|类|类别|类型|层次|程度|状况|状态|水平|所在地|区间|范围|级别|"
    r" ?name| ?code| ?id| ?no| ?group| ?band| ?type| ?level| ?range|s){0,3}(?:是|为)?\s*[:：?？]?"
)
MOST_GROUPS, LEAST_PER_GROUP = 50, 3
SLIP = 0.05  # of the rows of a group: a similar name so rare is a slip of the pen
MOST_WAVES = 150
LONGEST_FORM = 40  # characters of a cell that is an address or number and no comment with one
PLATFORM = {plain(heading) for headings in HEADINGS.values() for heading in headings}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DIGITS = {mark: i for i, mark in enumerate("零一二三四五六七八九十")} | {"十一": 11, "十二": 12}
_MONTH = re.compile(
    r"(?:(\d{4}|\d\d)\s*[-/.年]\s*)?(\d{1,2}|十[一二]?|[一二三四五六七八九])\s*月(?:份)?"
)
_YEAR_MONTH = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})月?(?:\s*[-/.]\s*(\d{1,2})日?)?")
_QUARTER = re.compile(
    r"(?:(\d{4})\s*[-/. 年]?\s*)?(?:q|第?)([1-4一二三四])(?:季度|季)?(?:\s*[-/. ]?\s*(\d{4}))?"
)
_NAMED = re.compile(r"(?:(\d{4})\s*[-/. ]?\s*)?([a-z]{3,9})\.?(?:\s*[-/., ]?\s*'?(\d{4}|\d\d))?")
_WAVE = re.compile(
    r"(?:wave|round|period|phase|w|t|第)\s*[-_]?\s*(\d{1,3}|[一二三四五六七八九十])\s*(?:期|波|轮|次|批)?"
)
_HALF = re.compile(r"(\d{4})\s*[-/年]?\s*(?:h([12])|(上|下)半年)")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a column is taken for, and by what.

    Attributes
    ----------
    column : str
    role : str
        A key of the codebook, or a kind of question.
    evidence : Text
    doubt : bool
    value : object
        What the codebook says of it beside its name.
    """

    column: str
    role: str
    evidence: Text
    doubt: bool = False
    value: Any = None


def personal(frame: pd.DataFrame, columns: Sequence[Cells]) -> list[Proposal]:
    """Return the columns that tell who a person is, by heading or by the form of their cells.

    Columns with a cell of such a form here and there (comments) are not among them.
    """
    table = find_personal_data(frame[[cells.name for cells in columns]]).table
    filled = {cells.name: cells.n_filled for cells in columns}
    long = {c.name for c in columns if sum(map(len, c.texts)) > LONGEST_FORM * len(c.texts)}
    proposals: dict[str, Proposal] = {}
    for row in table.to_dict("records"):
        name, by_heading, n = str(row["column"]), row["found_by"] == "heading", int(row["n"])
        if not by_heading and (n < 0.5 * filled[name] or name in long):
            continue
        kind = both(f"survey.personal.{row['kind']}")
        by = both(f"survey.personal.by.{row['found_by']}")
        evidence = both("survey.draft.personal", kind=kind, by=by, n=n)
        proposals.setdefault(name, Proposal(name, "personal", evidence))
    for cells in columns:  # "4、您的姓名：—姓名："
        part = last_part(cells.name).strip(" :：")
        named = kind_of_heading(part) if part else None
        many = cells.n_distinct > 3 or cells.n_distinct == cells.n_filled  # no option "电话"
        if named and cells.texts and many and cells.name not in proposals:
            kind, by = both(f"survey.personal.{named}"), both("survey.personal.by.heading")
            evidence = both("survey.draft.personal", kind=kind, by=by, n=cells.n_filled)
            proposals[cells.name] = Proposal(cells.name, "personal", evidence)
    return list(proposals.values())


def with_personal_forms(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, int]:
    """Return the columns in which some cells hold personal data, and how many cells."""
    table = find_personal_data(frame[list(names)]).table
    counts = table.groupby("column")["n"].sum()
    return {str(name): int(n) for name, n in counts.items()}


def respondent(columns: Sequence[Cells], n_rows: int) -> Proposal | None:
    """Return the column of the identifier: named so, or first with another value in each row."""
    for cells in columns:
        if forms(cells.name) & IDENTIFIERS and cells.n_filled and not cells.is_time:
            unique = cells.n_distinct == cells.n_filled == n_rows
            key = "unique" if unique else "repeated"
            evidence = both(f"survey.draft.respondent.{key}", n=cells.n_distinct, rows=n_rows)
            if unique or cells.n_distinct > 0.5 * n_rows:
                return Proposal(cells.name, "respondent", evidence, not unique)
    for cells in columns[:3]:
        codes = all(len(text) <= 40 and not re.search(r"\s", text) for text in cells.texts)
        is_whole = bool(np.all(cells.values == np.rint(cells.values)))
        is_code = codes and is_whole and not cells.is_time and n_rows > 10
        if is_code and cells.n_distinct == cells.n_filled == n_rows:
            evidence = both("survey.draft.respondent.first", rows=n_rows)
            return Proposal(cells.name, "respondent", evidence, True)
    return None


def duration(columns: Sequence[Cells]) -> Proposal | None:
    """Return the column of the time that answering took."""
    for cells in columns:
        if not DURATIONS.search(cells.heading) or cells.is_time or not cells.n_filled:
            continue
        readable = cells.n_numbers + sum(
            n for t, n in cells.texts.items() if seconds(t) == seconds(t)
        )
        if readable >= 0.8 * cells.n_filled and cells.n_distinct > min(5, cells.n_filled // 2):
            in_other_units = (
                not re.search(r"sec|秒|所用时间|时长|用时", cells.heading) and not cells.texts
            )
            evidence = both("survey.draft.duration")
            return Proposal(cells.name, "duration", evidence, in_other_units)
    return None


def platform_columns(columns: Iterable[Cells], platform: str) -> list[Proposal]:
    """Return the columns that the survey platform adds of its own."""
    if not platform:
        return []
    headings = {plain(h) for h in HEADINGS.get(platform.removesuffix("_legacy"), ())}
    evidence = both("survey.draft.platform")
    return [
        Proposal(cells.name, "other", evidence)
        for cells in columns
        if forms(cells.name) & headings or (cells.is_time and cells.n_distinct > MOST_WAVES)
    ]


def sampling(columns: Sequence[Cells]) -> list[Proposal]:
    """Return the columns of weights, clusters and strata, by their headings."""
    proposals: dict[str, Proposal] = {}
    for cells in columns:
        heading = re.sub(r"[_\-.]", " ", str(cells.name).casefold())
        positive = cells.is_numeric and len(cells.values) and cells.values.min() >= 0
        if WEIGHTS.search(heading) and positive and not cells.texts and cells.n_distinct > 1:
            mean = float(np.average(cells.values, weights=cells.counts))
            if cells.values.max() <= 100 * mean:
                evidence = both("survey.draft.weights", mean=f"{mean:.3g}")
                doubt = abs(mean - 1) > 0.05
                proposals.setdefault("weights", Proposal(cells.name, "weights", evidence, doubt))
        elif CLUSTERS.search(heading) and cells.n_distinct > 1:
            evidence = both("survey.draft.cluster", n=cells.n_distinct)
            proposals.setdefault("cluster", Proposal(cells.name, "cluster", evidence, True))
        elif STRATA.search(heading) and cells.n_distinct > 1:
            evidence = both("survey.draft.strata", n=cells.n_distinct)
            proposals.setdefault("strata", Proposal(cells.name, "strata", evidence, True))
    return list(proposals.values())


def period(text: str) -> tuple[int, ...] | None:  # noqa: PLR0911  (one a form)
    """Return where a period stands in time; None where a text is none.

    Examples
    --------
    >>> period("2024-03"), period("2024年3月"), period("3月"), period("Q2 2024"), period("第二季度")
    ((2024, 3, 0), (2024, 3, 0), (0, 3, 0), (2024, 6, 0), (0, 6, 0))
    >>> period("Mar 2024"), period("Wave 2"), period("2024上半年"), period("north")
    ((2024, 3, 0), (0, 0, 2), (2024, 6, 0), None)
    """
    text = text.strip().casefold()
    if match := _YEAR_MONTH.fullmatch(text):
        return int(match[1]), int(match[2]), int(match[3] or 0)
    if match := _MONTH.fullmatch(text):
        return _year(match[1]), _count(match[2]), 0
    if match := _HALF.fullmatch(text):
        return int(match[1]), 6 if match[2] == "1" or match[3] == "上" else 12, 0
    if (match := _QUARTER.fullmatch(text)) and ("q" in text or "季" in text):
        return _year(match[1] or match[3]), 3 * _count(match[2]), 0
    if (match := _NAMED.fullmatch(text)) and match[2][:3] in MONTHS and len(match[2]) != 3 + 1:
        return _year(match[1] or match[3]), MONTHS.index(match[2][:3]) + 1, 0
    if match := _WAVE.fullmatch(text):
        return 0, 0, _count(match[1])
    if re.fullmatch(r"(?:19|20)\d\d年?", text):
        return int(text[:4]), 0, 0
    return None


def _year(text: str | None) -> int:
    return 0 if not text else int(text) + (2000 if len(text) == 2 else 0)


def _count(text: str) -> int:
    return int(text) if text.isdigit() else _DIGITS[text]


def waves(columns: Sequence[Cells]) -> list[Proposal]:
    """Return the columns of time with few values, that with the most waves first.

    Texts whose order is not that of time (10月 before 2月) come with their order.
    """
    proposals: list[tuple[Cells, list[str] | None, bool]] = []
    for cells in columns:
        named = bool(WAVES.search(str(cells.name).casefold()))
        if not 2 <= cells.n_distinct <= min(MOST_WAVES, max(2, cells.n_filled // 2)):
            continue
        if cells.is_time:
            proposals.append((cells, None, not named))
        elif cells.texts and not cells.n_numbers:
            places = {text: period(text) for text in cells.texts}
            if any(place is None for place in places.values()):
                continue
            order = sorted(places, key=lambda text: places[text] or ())
            proposals.append((cells, order if order != sorted(order) else None, not named))
        elif named and cells.is_numeric and not cells.texts and _is_time_number(cells):
            proposals.append((cells, None, False))
    proposals.sort(key=lambda entry: (entry[2], -entry[0].n_distinct))
    return [
        Proposal(
            cells.name, "wave",
            both(f"survey.draft.wave.{'order' if order else 'sorted'}", n=cells.n_distinct),
            doubt, order,
        )
        for cells, order, doubt in proposals
    ]  # fmt: skip


def _is_time_number(cells: Cells) -> bool:
    """Return whether numbers are years, months, quarters or numbers of waves, by heading."""
    if not np.all(cells.values == np.rint(cells.values)):
        return False
    low, high, name = cells.values.min(), cells.values.max(), str(cells.name).casefold()
    limits = (
        ("month|月", 1, 12), ("month|月", 190_001, 210_012), ("quarter|季", 1, 4),
        ("year|年", 1990, 2100), ("wave|round|period|期|批|波|轮", 0, MOST_WAVES),
    )  # fmt: skip
    return any(re.search(word, name) and a <= low and high <= b for word, a, b in limits)


def is_group(cells: Cells, n_rows: int) -> bool:
    """Return whether a column compares respondents: few values, each in several rows."""
    if cells.is_time or not 2 <= cells.n_distinct <= min(MOST_GROUPS, max(2, n_rows // 2)):
        return False
    if cells.n_filled < LEAST_PER_GROUP * cells.n_distinct and n_rows > 2 * LEAST_PER_GROUP:
        return False
    if cells.texts and max(map(len, cells.texts)) > 60:
        return False
    if not cells.texts:
        return _whole_or_labelled(cells)
    return cells.n_numbers <= 0.5 * cells.n_filled


def _whole_or_labelled(cells: Cells) -> bool:
    is_whole = bool(np.all(cells.values == np.rint(cells.values)))
    named = is_named_group(cells) or bool(cells.labels)
    return is_whole and (named or cells.n_distinct <= 4)


def is_named_group(cells: Cells) -> bool:
    """Return whether the heading says that a column compares or describes respondents."""
    headings = (cells.name, cells.question)
    return any(GROUPS.fullmatch(re.sub(r"[_\-.]", " ", h.casefold()).strip()) for h in headings)


def group(cells: Cells, column: pd.Series[Any]) -> Proposal:
    """Return the proposal for a column of groups: what means another, and the order of ranges."""
    said: dict[str, Any] = {}
    pairs = [*alike(column, {})]
    same = {rarer: name for (rarer, _), (name, _) in pairs if look(rarer) == look(name)}
    similar = [
        (rarer, name) for (rarer, n), (name, m) in pairs
        if look(rarer) != look(name) and n <= SLIP * m and tone(rarer) == tone(name)
    ]  # fmt: skip
    same |= {rarer: same.get(name, name) for rarer, name in similar if rarer not in same}
    if same:
        said["same"] = same
    texts = [text for text in cells.texts if text not in same and not is_no_answer(text)]
    starts = {text: match for text in texts if (match := re.search(r"\d+", text))}
    if len(texts) > 2 and len(starts) >= len(texts) - 1 and not cells.n_numbers:
        order = sorted(texts, key=lambda t: (_lowest(t), len(t)))
        if order != sorted(texts):
            said["order"] = order
    values = [*cells.texts, *(f"{v:g}" for v in cells.values)]
    examples = listed([cut(v, 20) for v in values[:4]] + (["…"] if len(values) > 4 else []))
    key = "same" if same else "values"
    names = listed(f"{rarer!r} = {name!r}" for rarer, name in [*same.items()][:3])
    evidence = both(f"survey.draft.group.{key}", n=len(values), examples=examples, names=names)
    doubt = bool(similar) or (not cells.texts and not cells.labels and not is_named_group(cells))
    return Proposal(cells.name, "groups", evidence, doubt, said)


def _lowest(text: str) -> float:
    match = re.search(r"\d+", text)
    if match is None:
        return -1.0 if re.search("below|under|less|以下|未满|不到", text.casefold()) else np.inf
    below = re.search("below|under|less|<|以下|未满|不到", text.casefold())
    return float(match[0]) - (0.5 if below else 0)
