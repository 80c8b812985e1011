"""Pages that a command writes, in Chinese: the same figures, the words from a table.

``page_texts.csv`` beside the command has a row a text: a paragraph, an item of a list, a heading or
a cell of a table. What changes from run to run stands in braces, ``{*name}`` where it may hold
commas. The first row that fits counts; a cell that no row fits is taken apart at its commas.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from cxstats.app.translations import page_twin, under_key

BLOCK_MARK = re.compile(r"^(#+ |- |)(.*)$", re.DOTALL)


class Texts:
    """Texts of pages, from a file with the columns ``en`` and ``zh``."""

    def __init__(self, path: Path) -> None:
        with path.open(encoding="utf-8", newline="") as file:
            self._texts = [(_pattern(row["en"]), row["zh"]) for row in csv.DictReader(file)]

    def chinese(self, english: str) -> str:
        """Return a text in Chinese; raises KeyError if there is none."""
        for pattern, template in self._texts:
            match = pattern.fullmatch(english)
            if match:
                values = match.groupdict().items()
                return template.format(
                    **{name: value.replace(" to ", " 至 ") for name, value in values}
                )
        if not re.search("[A-Za-z]{2}", english):
            return english
        if ", " in english:
            return "，".join(map(self.chinese, english.split(", ")))
        raise KeyError(f"no Chinese for {english!r}")


def _pattern(text: str) -> re.Pattern[str]:
    escaped = re.sub(r"\\\{\\\*(\w+)\\\}", r"(?P<\1>.+?)", re.escape(text))
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>(?:(?!, ).)+?)", escaped))


def in_chinese(english: str, texts: Texts) -> str:
    """Return a page in Chinese: Markdown of headings, paragraphs, lists and tables."""
    return "\n".join(_line(block, texts) for block in _blocks(english))


def _blocks(page: str) -> Iterator[str]:
    """Yield the lines of a page, those of a paragraph joined."""
    paragraph: list[str] = []
    for line in [*page.rstrip().split("\n"), ""]:
        if line and line[0] not in "#-|":
            paragraph.append(line)
            continue
        if paragraph:
            yield " ".join(paragraph)
            paragraph = []
        yield line


def _line(block: str, texts: Texts) -> str:
    if block.startswith("|---"):
        return block
    if block.startswith("|"):
        cells = [cell.strip() for cell in block.strip("|").split("|")]
        return "| " + " | ".join(texts.chinese(cell) if cell else "" for cell in cells) + " |"
    match = BLOCK_MARK.fullmatch(block)
    assert match is not None
    return match[1] + (texts.chinese(match[2]) if match[2] else "")


def write_both(path: Path, english: str, texts: Path, twin: Path | None = None) -> None:
    """Write a page, and its Chinese twin: that of the collection, or where `twin` says."""
    path.write_text(english, encoding="utf-8")
    chinese = under_key(english, in_chinese(english, Texts(texts)))
    (twin or page_twin(path, "zh")).write_text(chinese, encoding="utf-8")
