"""Survey platforms by the columns that they add of their own, in the languages they speak.

No heading decides alone: a client adds columns and deletes others. What was seen stands in the
report of reading.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

# Headings that only the platform writes. Compared without case, accents, width and punctuation.
HEADINGS: dict[str, tuple[str, ...]] = {
    "qualtrics": (
        "StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)",
        "Finished", "RecordedDate", "ResponseId", "RecipientLastName", "RecipientFirstName",
        "RecipientEmail", "ExternalReference", "LocationLatitude", "LocationLongitude",
        "DistributionChannel", "UserLanguage", "ResponseID", "ResponseSet", "ExternalDataReference",
    ),
    "surveymonkey": (
        "Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address",
        "First Name", "Last Name", "Custom Data 1", "Teilnehmer-ID", "Befragten-ID", "Collector-ID",
        "ID du répondant", "Identifiant du répondant", "ID du collecteur", "ID de respondiente",
        "ID del encuestado", "ID de recopilador", "ID del recopilador", "ID do respondente",
        "ID do coletor", "回答者 ID", "コレクター ID", "受访者 ID", "收集器 ID", "respondent_id",
        "collector_id",
    ),
    "wjx": ("序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP"),
    "tencent": (
        "编号", "开始答题时间", "结束答题时间", "答题时长", "清洗数据结果",
        "智能清洗数据无效概率",
    ),
    "limesurvey": (
        "submitdate", "lastpage", "startlanguage", "seed", "startdate", "datestamp", "ipaddr",
        "refurl", "Response ID", "Date submitted", "Last page", "Start language", "Date started",
        "Date last action", "Antwort ID", "Datum Abgeschickt", "Letzte Seite",
        "Start-Sprache", "Zufallsstartwert", "答复ID", "提交日期", "最后一页", "末页", "起始语言",
        "初始语言", "种子",
    ),
    "typeform": (
        "#", "Response Type", "Start Date (UTC)", "Stage Date (UTC)", "Submit Date (UTC)",
        "Network ID", "Tags",
    ),
    "microsoft_forms": (
        "ID", "Start time", "Completion time", "Email", "Name", "Last modified time",
        "开始时间", "完成时间", "电子邮件", "名称", "姓名", "上次修改时间",
        "Startzeit", "Fertigstellungszeit", "E-Mail", "Heure de début", "Heure de fin",
    ),
    "google_forms": (
        "Timestamp", "Username", "Email Address", "Score", "时间戳记", "時間戳記", "Zeitstempel",
        "Horodateur", "Marca temporal", "Carimbo de data/hora", "タイムスタンプ",
    ),
}  # fmt: skip
# Of these, a second one is needed: others write them, too.
COMMON = {
    "status", "progress", "startdate", "enddate", "ipaddress", "emailaddress", "firstname",
    "lastname", "email", "name", "id", "tags", "score", "username", "来源", "编号", "序号", "姓名",
    "名称", "电子邮件", "starttime", "finished", "seed", "responseid", "timestamp", "commentaire",
    "lastpage", "开始时间", "datesubmitted", "提交日期",
}  # fmt: skip
EXACT = 4  # common headings in the platform's own spelling that tell it together
# One of these as the first column tells it.
FIRST = {"google_forms": ("Timestamp", "时间戳记", "時間戳記", "Zeitstempel", "Horodateur")}
# What SurveyMonkey writes below a question that has no options.
PLAIN_LABELS = {
    "", "response", "openendedresponse", "antwort", "antworten", "offenebeantwortung",
    "offeneantwort", "reponse", "reponseouverte", "respuesta", "respuestaabierta", "resposta",
    "respostaaberta", "risposta", "rispostaaperta", "antwoord", "回答", "自由回答", "応答",
    "答复", "开放式回答", "开放式答复", "开放式回复",
}  # fmt: skip
_IMPORT_ID = re.compile(r"""^\s*\{\s*["']{1,2}ImportId["']{1,2}\s*:""")
_OLD_NAME = re.compile(r"V\d{1,2}")


class Platform(NamedTuple):
    """A platform and the headings by which it was recognised."""

    name: str = ""
    evidence: tuple[str, ...] = ()


def plain(text: str) -> str:
    """Return a heading without case, accents, width, spaces and punctuation.

    Examples
    --------
    >>> plain("Réponse "), plain("ＩＰ Address"), plain("提交答卷时间")
    ('reponse', 'ipaddress', '提交答卷时间')
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    letters = (c for c in folded if c.isalnum() or c == "#")
    return "".join(c for c in letters if not unicodedata.combining(c))


def forms(heading: str) -> set[str]:
    """Return the forms of a heading: as it is, and of "code. text" both parts.

    Examples
    --------
    >>> sorted(forms("submitdate. Date submitted"))
    ['datesubmitted', 'submitdate', 'submitdatedatesubmitted']
    """
    code, mark, text = heading.partition(". ")
    return {plain(heading), *((plain(code), plain(text)) if mark else ())}


_BY_HEADING: dict[str, set[str]] = {}
for _platform, _headings in HEADINGS.items():
    for _heading in _headings:
        _BY_HEADING.setdefault(plain(_heading), set()).add(_platform)


def recognise(headings: Sequence[str]) -> Platform:
    """Return the platform that wrote a table, by its own headings.

    The platform with the most of them; one suffices if nobody else writes it, or if it is the
    first column of a platform that has no other.

    Examples
    --------
    >>> recognise(["序号", "提交答卷时间", "1、您的性别"]).name
    'wjx'
    >>> recognise(["id", "name", "q1"]).name
    ''
    """
    seen: dict[str, list[str]] = {}
    for heading in dict.fromkeys(headings):
        platforms = set().union(*(_BY_HEADING.get(form, set()) for form in forms(heading)))
        for platform in platforms:
            seen.setdefault(platform, []).append(heading)
    certain = {
        name: own
        for name, own in seen.items()
        if any(not forms(heading) & COMMON for heading in own)
        or len(set(own) & set(HEADINGS[name])) >= EXACT
        or (headings and headings[0] in FIRST.get(name, ()))
    }
    if not certain:
        return Platform()
    best = max(certain, key=lambda name: (_weight(certain[name]), -list(HEADINGS).index(name)))
    return Platform(best, tuple(certain[best]))


def _weight(headings: Iterable[str]) -> float:
    return sum(0.4 if forms(heading) & COMMON else 1.0 for heading in headings)


def is_import_row(cells: Sequence[str]) -> bool:
    """Return whether a row is Qualtrics' third: ``{"ImportId":...}``, with either quote.

    Columns that the client added have none.
    """
    filled = [cell for cell in cells if cell]
    return 2 * sum(_IMPORT_ID.match(cell) is not None for cell in filled) > len(filled)


def is_old_qualtrics(first: Sequence[str], second: Sequence[str]) -> bool:
    """Return whether two rows are those of a Qualtrics file of old: V1, V2 ... and their names."""
    pairs = list(zip(first, second, strict=False))
    names = [below for above, below in pairs if _OLD_NAME.fullmatch(above)]
    qualtrics_headings = {plain(heading) for heading in HEADINGS["qualtrics"]}
    return len(names) >= 2 and sum(plain(name) in qualtrics_headings for name in names) >= 2


def is_plain_label(label: str) -> bool:
    """Return whether SurveyMonkey's second row adds nothing to the question.

    Examples
    --------
    >>> is_plain_label("Open-Ended Response"), is_plain_label("Réponse"), is_plain_label("Staff")
    (True, True, False)
    """
    return plain(label) in PLAIN_LABELS
