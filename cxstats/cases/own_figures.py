"""Figures of one's own: a file of five columns, read as a person writes it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from unicodedata import normalize

from cxstats.cases.files import csv_lines, units
from cxstats.core.errors import DataError
from cxstats.core.language import catalogue, label

# The columns that a file of one's own needs, and every column it may have: the canonical name, then
# other heads for it. Blanks, underscores, width and case do not matter.
NEEDED = ("id", "quantity", "before", "after", "printed_change")
HEADS: dict[str, tuple[str, ...]] = {
    "id": ("no", "number", "key", "编号", "序号", "代码"),
    "quantity_en": ("quantity", "indicator", "metric", "measure", "kpi", "name"),
    "quantity_zh": ("指标", "指标名称", "数量", "项目", "名称"),
    "before": ("value before", "baseline", "之前", "改造前", "实施前", "优化前", "变化前", "前"),
    "after": ("value after", "之后", "改造后", "实施后", "优化后", "变化后", "后"),
    "printed_change": (
        "change", "published change", "stated change", "reported change", "变化", "变化幅度",
        "变化率", "印出变化", "印出的变化", "公布变化", "公布的变化", "原文变化",
        "变动", "增幅", "降幅",
    ),
    "value": ("figure", "数值", "值"),
    "printed_change_unit": ("change unit", "变化单位"),
    "unit": ("单位",),
    "qualifier": ("sign", "限定", "限定词"),
    "kind": ("type", "类型"),
    "period": ("时期", "期间"),
    "better": ("direction", "方向", "好的方向"),
    "source": ("来源",),
    "as_printed": ("printed text", "原文"),
    "case_en": ("case",), "case_zh": ("案例",),
    "section_en": ("section",), "section_zh": ("章节",),
    "item_en": ("item",), "item_zh": ("条目",),
    "note_en": ("note",), "note_zh": ("备注", "说明"),
}  # fmt: skip
CODED = (
    "before", "after", "value", "printed_change", "printed_change_unit", "unit", "qualifier",
    "kind", "better",
)  # fmt: skip
SIGNS = {"≥": ">=", "≤": "<=", "≈": "~", "约": "~", "about": "~"}
FALLS, RISES = (
    ("下降", "降低", "减少", "down", "fell by", "↓"),
    ("上升", "增长", "提高", "up", "rose by", "↑"),
)
UNITS = {
    "": "", "%": "%", "个百分点": "points", "百分点": "points", "点": "points", "points": "points",
    "point": "points", "pts": "points", "pp": "points", "x": "×", "×": "×", "倍": "×",
}  # fmt: skip
CHANGE = re.compile(
    rf"(?P<word>{'|'.join([*FALLS, *RISES])}|)\s*(?P<sign>>=|<=|[><~]|{'|'.join(SIGNS)}|)\s*"
    rf"(?P<times>[x×]?)\s*(?P<number>[+-]?[\d.]+)\s*"
    rf"(?P<unit>{'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})"
)
BARE = re.compile(r"[+-]?[\d.]+")


def read_own_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Read a file of figures into (line, row) pairs, rows in the columns of a facts file.

    Raises
    ------
    DataError
        In one line what columns are missing, and each head that is not known, with the nearest one.
    """
    header, lines = csv_lines(path)
    columns = [_column(head) for head in header]
    problems = [f"{path.name}, row 1: {problem}" for problem in _head_problems(header, columns)]
    problems += [
        f"{path.name}, row {line}: {len(cells)} cells where the header has {len(header)}"
        for line, cells in lines
        if len(cells) != len(header)
    ]
    if not lines and not problems:
        problems.append(f"{path.name}: the file has no rows below its header")
    if problems:
        raise DataError(problems)
    names = [column or "" for column in columns]
    blank = dict.fromkeys(HEADS, "")
    return [(n, _plain(blank | dict(zip(names, cells, strict=True)))) for n, cells in lines]


def template(lang: str | None = None) -> str:
    """Return a file of figures to fill in, as CSV: the five columns and three rows to replace.

    Examples
    --------
    >>> print(template().splitlines()[0])
    id,quantity,before,after,printed change
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([label(f"audit.template.{name}", lang) for name in NEEDED])
    writer.writerow(["X1", label("audit.template.nps", lang), "32", "68", "+113 %"])
    writer.writerow(["X2", label("audit.template.rate", lang), "45 %", "89 %", "+44 pp"])
    writer.writerow(["X3", label("audit.template.time", lang), "5", "1.7", "-66 %"])
    return text.getvalue()


def _key(head: str) -> str:
    return re.sub(r"[\s_\-]+", " ", normalize("NFKC", head)).strip().casefold()


@cache
def _columns() -> dict[str, str]:
    """Return the canonical column of every head that is known."""
    name_of_head = {_key(name): name for name in HEADS}
    name_of_head |= {_key(head): name for name, heads in HEADS.items() for head in heads}
    for name in NEEDED:
        column = "quantity_zh" if name == "quantity" else name
        name_of_head.setdefault(_key(catalogue()[f"audit.template.{name}"].zh), column)
    return name_of_head


def _column(head: str) -> str | None:
    return _columns().get(_key(head))


def _head_problems(header: list[str], columns: list[str | None]) -> Iterator[str]:
    if len(header) == 1:
        separator = next((c for c in (";", "\t", "|") if c in header[0]), None)
        if separator:
            yield f"separated by {separator!r}; allowed: commas"
            return
    present = {"quantity" if str(name).startswith("quantity") else name for name in columns}
    missing = [name for name in NEEDED if name not in present]
    if missing:
        yield (
            f"columns missing: {', '.join(map(_shown, missing))}; needed: "
            f"{', '.join(map(_shown, NEEDED))} ('cxstats audit --template' prints them)"
        )
    for head, column in zip(header, columns, strict=True):
        if column is None:
            near = get_close_matches(_key(head), _columns(), 1, 0.6)
            hint = f"; nearest: {near[0]!r}" if near else ""
            yield f"column {head!r} is not known{hint}; leave it out, or name it as one of the form"
    for name in sorted({str(name) for name in columns if columns.count(name) > 1 and name}):
        heads = [head for head, column in zip(header, columns, strict=True) if column == name]
        yield f"column {name!r} stands there twice: {', '.join(map(repr, heads))}"


def _shown(name: str) -> str:
    return name.replace("_", " ")


def _plain(row: dict[str, str]) -> dict[str, str]:
    """Return a row with the units of its cells in columns of their own, and its kind named."""
    row |= {name: row[name].strip() for name in CODED}
    _split_change(row)
    cells = [row[name] for name in ("before", "after", "value") if row[name]]
    in_percent = [normalize("NFKC", cell).endswith("%") for cell in cells]
    if any(in_percent) and all(in_percent) and row["unit"] in ("", "%"):
        row["unit"] = "%"
        for name in ("before", "after", "value"):
            row[name] = normalize("NFKC", row[name]).removesuffix("%").rstrip()
    row["unit"] = _unit(row["unit"])
    for name in ("before", "after", "value"):
        row[name] = row[name].replace("\u2212", "-")
    row["kind"] = row["kind"] or _kind(row)
    return row


def _split_change(row: dict[str, str]) -> None:
    """Put the sign, the number and the unit of a printed change into their columns."""
    text = normalize("NFKC", row["printed_change"]).replace("\u2212", "-").replace("–", "-")
    change = CHANGE.fullmatch(text.strip().casefold())
    if change is None:
        return
    unit = UNITS[change["unit"]] or ("×" if change["times"] else "")
    signed = change["number"][0] in "+-"
    # "rose by 3 times" may mean to 3 or by 3 times what it was; a word and a sign say it twice.
    doubtful = change["word"] and (unit == "×" or signed)
    twice = change["times"] and (change["unit"] or signed)
    if doubtful or twice or (row["printed_change_unit"] and unit):
        return
    sign = "-" if change["word"] in FALLS else ""
    row["printed_change"] = sign + change["number"]
    row["printed_change_unit"] = UNITS.get(row["printed_change_unit"] or unit, unit) or "%"
    row["qualifier"] = row["qualifier"] or SIGNS.get(change["sign"], change["sign"])


def _unit(text: str) -> str:
    """Return the name of a unit that is written in either language."""
    if text in units():
        return text
    for unit in units().values():
        if text and text in unit.text:
            return unit.name
    return text


def _kind(row: dict[str, str]) -> str:
    if row["before"] or row["after"]:
        return "before_after"
    return "reported_effect" if row["printed_change"] else "input" if row["value"] else ""
