"""Lexicons of aspects: which terms name a touchpoint, in English and Chinese.

A lexicon is data: ``data/lexicons/touchpoints.csv``, a file of the same form, or a mapping of
aspect to terms. A term that begins with ``!`` names something else and hides what it contains
(``!服务器`` keeps ``服务`` from being read in it). Terms are read from the left and the longest one
first. English terms are words or phrases between other characters than letters and digits, with
their regular plural; Chinese ones stand anywhere. Case does not matter, nor does a negation: "no
breakfast" names the breakfast. Frequent traditional characters are read as simplified ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxstats.core.errors import CxError, DataError
from cxstats.core.language import CHINESE, Text, check_lang
from cxstats.core.messages import excerpt, listing
from cxstats.core.paths import data_folder

SHIPPED = ("touchpoints", "hotel", "shop", "bank")
COLUMNS = ("domain", "aspect", "aspect_zh", "lang", "terms", "source")
LONGEST_TERM = 100
MOST_TERMS = 20_000
_TRADITIONAL = str.maketrans(
    "務員預訂單價錢貴費結帳賬衛間廁題質壞貨遞運發態後換維裝櫃點網營業廳隊號銀錄貸審額續熱線轉來門層電話乾淨髒掃潔聲時",
    "务员预订单价钱贵费结帐账卫间厕题质坏货递运发态后换维装柜点网营业厅队号银录贷审额续热线转来门层电话干净脏扫洁声时",
)


@dataclass(frozen=True, slots=True)
class Aspect:
    """What customers may name, and the terms that name it.

    Attributes
    ----------
    name : Text
    terms : tuple of str
    hidden : tuple of str
        Terms of something else that contain one of `terms`.
    """

    name: Text
    terms: tuple[str, ...]
    hidden: tuple[str, ...] = ()

    def pattern(self) -> re.Pattern[str]:
        """Return what finds the terms, in its group 1, in a text prepared by `comparable`."""
        shown, hidden = (
            "|".join(_regex(term) for term in sorted(set(terms), key=len, reverse=True))
            for terms in (self.terms, self.hidden)
        )
        return re.compile(f"(?:{hidden})|({shown})" if hidden else f"({shown})")

    def names(self, text: str, pattern: re.Pattern[str]) -> bool:
        """Return whether a text prepared by `comparable` names the aspect."""
        return any(match.group(1) for match in pattern.finditer(text))


def comparable(text: str) -> str:
    """Return a text as terms are compared with it: lower case, simplified characters.

    Examples
    --------
    >>> comparable("Front Desk 服務員")
    'front desk 服务员'
    """
    return text.casefold().translate(_TRADITIONAL)


def read_lexicon(
    lexicon: str | Path | Mapping[str, Any] = "touchpoints", lang: str | None = None
) -> tuple[Aspect, ...]:
    """Return the aspects of a lexicon.

    Parameters
    ----------
    lexicon : {"touchpoints", "hotel", "shop", "bank"}, path or mapping
        What ships ("touchpoints" joins the three domains), a ``.csv`` with the columns ``aspect,
        terms`` and optionally ``aspect_zh, lang, domain, source`` (terms apart by ``;``), or a
        mapping of aspect to terms.
    lang : {"en", "zh"}, optional
        Only the terms of one language; both without it.

    Raises
    ------
    DataError, CxError
        Naming the file, row and term.

    Examples
    --------
    >>> [aspect.name.zh for aspect in read_lexicon("hotel")][:3]
    ['预订', '位置', '员工']
    >>> read_lexicon({"wifi": ["wi-fi", "网络", "!网络小说"]})[0].hidden
    ('网络小说',)
    """
    if lang is not None:
        check_lang(lang)
    if isinstance(lexicon, Mapping):
        rows = [
            (f"lexicon, aspect {excerpt(name)}", Text(str(name), str(name)), terms)
            for name, terms in lexicon.items()
        ]
    else:
        rows = _rows(lexicon)
    joined: dict[str, tuple[Text, list[str]]] = {}
    for place, name, terms in rows:
        if not name.en.strip():
            raise DataError(f"{place}: an aspect needs a name")
        checked = [t for t in _checked(place, terms) if lang is None or _language(t) == lang]
        joined.setdefault(name.en, (name, []))[1].extend(checked)
    aspects = [
        Aspect(
            name,
            tuple(term for term in terms if not term.startswith("!")),
            tuple(term[1:] for term in terms if term.startswith("!")),
        )
        for name, terms in joined.values()
    ]
    aspects = [aspect for aspect in aspects if aspect.terms]
    if not aspects:
        raise DataError(f"lexicon {excerpt(lexicon)} has no terms" + (f" in {lang!r}" * bool(lang)))
    return tuple(aspects)


def _rows(lexicon: str | Path) -> list[tuple[str, Text, Any]]:
    """Return place, name and terms of each row of a file, or of what ships."""
    import csv

    if not isinstance(lexicon, (str, Path)):
        raise CxError(f"lexicon={excerpt(lexicon)}; allowed: a name, a path or a mapping")
    shipped = lexicon in SHIPPED
    path = data_folder() / "lexicons" / "touchpoints.csv" if shipped else Path(lexicon)
    if not shipped and path.suffix.lower() != ".csv":
        allowed = ", ".join(map(repr, SHIPPED))
        raise CxError(f"lexicon={excerpt(lexicon)}; allowed: {allowed}, a .csv or a mapping")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not in UTF-8"
        raise DataError(f"{path.name}: {reason}; allowed: a .csv in UTF-8") from error
    reader = csv.DictReader(text.splitlines())
    columns = reader.fieldnames or []
    for column in ("aspect", "terms"):
        if column not in columns:
            raise DataError(f"{path.name} has no column {column!r}; columns: {listing(columns)}")
    rows = []
    for i, row in enumerate(reader, start=2):
        if shipped and lexicon not in ("touchpoints", row["domain"]):
            continue
        name = Text(row["aspect"] or "", row.get("aspect_zh") or row["aspect"] or "")
        rows.append((f"{path.name}, row {i}", name, (row["terms"] or "").split(";")))
    return rows


def _checked(place: str, terms: Any) -> list[str]:
    """Return terms without blanks at their ends, as they are compared."""
    if isinstance(terms, str) or not isinstance(terms, Iterable):
        raise DataError(f"{place}: terms are {excerpt(terms)}; allowed: a list of texts")
    checked = []
    for term in terms:
        if not isinstance(term, str) or len(term) > LONGEST_TERM:
            raise DataError(
                f"{place}: term {excerpt(term)}; allowed: at most {LONGEST_TERM} characters"
            )
        plain = " ".join(comparable(term).split())
        if plain.strip("! "):
            checked.append(plain)
    if len(checked) > MOST_TERMS:
        raise DataError(f"{place}: {len(checked):,} terms; allowed: {MOST_TERMS:,}")
    return checked


def _language(term: str) -> str:
    return "zh" if re.search(CHINESE, term) else "en"


def _regex(term: str) -> str:
    """Return the pattern of a term: Chinese as it stands, Latin between word boundaries."""
    if _language(term) == "zh":
        return re.escape(term)
    pieces: Sequence[str] = re.split(r"[\s-]+", term)
    body = r"[\s-]+".join(map(re.escape, pieces))
    if term.endswith("y") and term[-2:-1] not in "aeiou":
        body = f"{body[:-1]}(?:y|ies)"
    elif term[-1].isalpha() and not term.endswith("s"):
        body += "(?:e?s)?"
    return f"(?<![a-z0-9]){body}(?![a-z0-9])"
