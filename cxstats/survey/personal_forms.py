r"""Forms of personal data within a text, and masks that say what they hide.

A form is a pattern and, where the pattern alone says too little, a test: check digits (identity
numbers, cards, IBANs), valid dates and addresses, how many digits a telephone number has. Some
forms need a word before them (``微信``, ``passport``, ``my name is``). Every pattern is anchored at
a character that rarely repeats and its repeats are bounded, so that the time grows with the length
of the text and no faster.

Not found, because no rule tells them from other words: a name without a title or ``my name is``
(``Anna was kind``, ``李雷帮了我``), a nickname after ``@``, a house without a street and a number,
a telephone number of fewer than ten digits without a word such as ``tel`` before it. Not masked,
because it is no person's: telephone numbers of firms (``400``, ``800`` and short numbers).

References
----------
GB 11643-1999 (Chinese identity numbers). ISO 13616 (IBAN). ISO/IEC 7812 (cards, Luhn's check).
Ministry of Public Security, GA 36-2018 (licence plates of China).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from ipaddress import AddressValueError, IPv6Address

from cxstats.core.language import CHINESE, label

Test = Callable[[str], bool]

# Full-width letters, digits and signs, character by character, so that places stay the same.
_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}
_GAP = r"[ .\-\u200b-\u200d\u2010-\u2015]"  # one sign between groups of digits
_IS = r"(?:[ ]{0,2}(?:number|no\.?|id|is|号码|号|码|是|为|[:=#]))*[ ]{0,2}"
_IS_MARKED = r"[ ]{0,2}(?:(?:number|no\.?|id|is|号码|号|码|是|为|[:=#])[ ]{0,2})+"
_FACTORS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PROVINCES = (
    *range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55),
    *range(61, 66), 71, 81, 82, 83,
)  # fmt: skip
# A number after these words counts orders or versions, not persons.
_NO_PERSON = re.compile(
    r"(?:订单|单号|编号|货号|型号|条码|版本|快递|运单|发票|房号|order|invoice|tracking|ticket|"
    r"booking|reservation|reference|ref|isbn|sku|serial|version|model|\bv)"
    r"(?:号码|号|码|number|no\.?|id|is|是|为|[\s:#.=])*$",
    re.IGNORECASE,
)
_BEFORE = 30  # characters before a form in which such a word is looked for
_DATE = re.compile(
    r"(?:19|20)\d\d[-./ ]?[01]?\d[-./ ]?[0-3]?\d|[0-3]?\d[-./][0-3]?\d[-./](?:19|20)\d\d"
)
_SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙朱胡郭何林罗郑梁谢宋唐许邓冯韩曹曾彭萧肖蔡潘田董袁于余叶蒋杜苏魏程吕丁"
    "沈任姚卢傅钟姜崔谭廖范汪陆贾韦邱秦江史顾侯邵孟龙万段雷钱汤尹黎易贺赖龚庞樊殷施陶洪翟颜倪严"
    "牛温芦季俞章鲁葛伍申尤毕聂焦柳邢岳齐梅莫庄辛祝左涂谷舒耿牟卜詹欧戴夏熊高马石白方邹郝孔"
    "劉陳楊黃趙張吳孫馬羅鄭謝許鄧馮韓蕭葉蔣蘇呂盧鐘譚範陸賈韋鄒龍萬錢湯賀賴龔樊顏倪嚴溫蘆魯葉畢聶齊莊"
)
_COMPOUND = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯"
_SURNAME = f"(?:{_COMPOUND}|[{_SURNAMES}])"
_TITLE = "先生|女士|小姐|太太|阿姨|师傅|经理|主管|主任|老师|医生|大夫|店长|领班|总监"
# Characters that end a word before a title and are surnames too: 对方经理, 大江先生.
_NO_SURNAME = re.compile(
    "(?:[对双一官地多各校店他我贵该]方|[责前现专兼连主]任|[较很提太最]高|[关由至对等]于|[一上千]万|[其业]余|"
    "[任为如]何|[不主]管|长江|[经学]历|[里过全流工前行路议日课章携]程|[历经]史|明白|价钱|[感多谢]谢)$"
)
_GIVEN = "[\u4e00-\u9fff]"
_NO_GIVEN = frozenset(
    "的了是不有在也都就很太还和跟与及或对向从到给把被让请找叫问说看见来去做为我你他她它们这那哪个位名些"
    "级排便管台服务客房前店等好高多少再没无非又而但因所以只能会可要想应该总副部堂厅餐楼层产品销售"
    "何值班当时候里外上下后左右间每各某另几啊吧呢吗呀哦先生女士经理主任姐太老师"
)  # fmt: skip
_NO_NAME = frozenset(
    {"not", "on", "in", "a", "an", "the", "still", "wrong", "misspelled", "misspelt", "spelled"}
    | {"written", "and", "also", "never", "always", "here", "there", "what", "that", "it", "now"}
)
_NO_STREET = frozenset(["Minutes", "Star", "Stars", "Hours", "Hour", "Days", "Nights", "Miles"])
_USER_LINK = re.compile(
    r"//[^/\s?#]*@|[?&;](?:[\w-]*(?:mail|phone|mobile|tel|user|uid|name|token|session|sid|openid|"
    r"account|customer|member|key|auth|card|address|id)\w*)=|"
    r"/(?:u|user|users|profile|people|member|members|in|id|space|account|accounts)/[\w.%-]+|"
    r"(?:facebook|instagram|twitter|x|linkedin|weibo|t|github|tiktok)\.(?:com|cn|me)/[\w.%@-]+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Form:
    """What one form of personal data looks like.

    Attributes
    ----------
    kind : str
        One of the kinds of `cxstats.survey.personal_data`.
    pattern : Pattern
        Where it has a group, the group is personal and the rest its context.
    holds : function of str, optional
        What else must hold of the personal part.
    counted : bool
        Whether a word such as ``order`` before it says that it is no person's.
    """

    kind: str
    pattern: re.Pattern[str]
    holds: Test | None = None
    counted: bool = False


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdecimal())


def _is_identity(text: str) -> bool:
    """Return whether 18 characters are a Chinese identity number: check digit, place, birth."""
    plain = re.sub(r"[\s-]", "", text)
    total = sum(int(c) * f for c, f in zip(plain, _FACTORS, strict=False))
    return (
        "10X98765432"[total % 11] == plain[-1].upper()
        and int(plain[:2]) in _PROVINCES
        and _is_date(plain[6:14])
    )


def _is_date(text: str) -> bool:
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return 1900 <= day.year < 2100


def _is_hong_kong_identity(text: str) -> bool:
    """Return whether letters and digits are an identity number of Hong Kong (weights 9 to 1)."""
    plain = re.sub(r"[()]", "", text).upper().rjust(9)
    values = [36 if c == " " else int(c, 36) for c in plain]
    return sum(value * (9 - i) for i, value in enumerate(values)) % 11 == 0


def _is_social_security(text: str) -> bool:
    area, group, serial = text.split("-")
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    turned = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _is_card(text: str) -> bool:
    """Return whether digits are a card number (Luhn's check)."""
    digits = [int(c) for c in reversed(_digits(text))]
    doubled = [d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)]
    return sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _is_ip(text: str) -> bool:
    return all(int(part) < 256 for part in text.split("."))


def _is_ip6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return sum(c != ":" for c in text) >= 3


def _is_number_of(least: int, most: int) -> Test:
    """Return a test of how many digits there are; no date and no firm's number passes."""

    def holds(text: str) -> bool:
        digits = _digits(text)
        right_length = least <= len(digits) <= most and len(set(digits)) > 2
        is_firm = digits[:3] in ("400", "800") and len(digits) == 10
        return right_length and not is_firm and _DATE.fullmatch(text.strip()) is None

    return holds


def _has_digit(text: str) -> bool:
    return bool(_digits(text))


def _is_spoken(text: str) -> bool:
    return not text.isascii()


def _has_digits(text: str) -> bool:
    return len(_digits(text)) > 1


def _is_person(text: str) -> bool:
    """Return whether characters that begin with a surname go on like a given name."""
    given = text[2:] if text[:2] in _COMPOUND.split("|") else text[1:]
    return not _NO_GIVEN & set(given)


def _is_stated_name(text: str) -> bool:
    return text.split(maxsplit=1)[0].lower() not in _NO_NAME


def _is_street(text: str) -> bool:
    return not _NO_STREET & set(text.split())


def _is_user_link(text: str) -> bool:
    return _USER_LINK.search(text) is not None


def _form(
    kind: str, pattern: str, holds: Test | None = None, *, counted: bool = False, flags: int = 0
) -> Form:
    return Form(kind, re.compile(pattern, flags), holds, counted)


_ANY_CASE = re.IGNORECASE
_START, _END = (
    r"(?<!\d)(?<!\d\.)",
    r"(?!\d|\.\d)",
)  # of a number: neither digits nor decimals beside it
_WORD = r"(?<![A-Za-z0-9])"  # where a Latin word begins; Chinese characters may stand before it
_MOBILE = rf"1[3-9]\d{_GAP}?\d{{4}}{_GAP}?\d{{4}}|1[3-9]\d\d{_GAP}\d{{3}}{_GAP}\d{{4}}"
_SPOKEN = "零〇一幺二三四五六七八九两0-9"
_CALL = (
    r"(?:电话|手机|座机|固话|致电|拨打|传真|联系方式|"
    rf"{_WORD}(?:telephone|phone|tel|mobile|cell|fax|whatsapp|call|ring|contact))"
)
_LATIN_NAME = r"[A-Z][A-Za-z'’-]{1,30}(?: [A-Z][a-z'’-]{1,30}){0,2}"
FORMS: tuple[Form, ...] = (
    _form("url", r"(?:https?://|www\.)[^\s<>\"'，。；、！）)】\]\u4e00-\u9fff]{3,2000}",
          _is_user_link, flags=_ANY_CASE),
    _form("email", r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,254}@"
          r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z0-9-]{2,63}"),
    _form("email", r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64} ?[(\[] ?at ?[)\]] ?"
          r"[A-Za-z0-9-]{1,63}(?: ?(?:\.|[(\[] ?dot ?[)\]]) ?[A-Za-z0-9-]{2,63}){1,4}",
          flags=_ANY_CASE),
    _form("identity", r"(?<![\dA-Za-z])[1-9]\d{5}[ -]?\d{8}[ -]?\d{3}[\dXx](?![\dA-Za-z])",
          _is_identity),
    _form("identity", rf"(?:身份证|证件){_IS}(\d{{15}}|\d{{17}}[\dXx])(?![\dA-Za-z])"),
    _form("identity", r"(?<![A-Za-z0-9])[A-Z]{1,2}\d{6}\([\dA]\)", _is_hong_kong_identity),
    _form("identity", r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])", _is_social_security, counted=True),
    _form("identity", rf"(?:护照|通行证|passport){_IS}([A-Z]{{0,2}}\d{{6,9}})(?![\dA-Za-z])",
          flags=_ANY_CASE),
    _form("identity", rf"(?:工号|员工编号|employee id|staff id|badge){_IS}([A-Z]{{0,3}}\d{{3,10}})",
          flags=_ANY_CASE),
    _form("account", r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"
          r"(?![A-Za-z0-9])", _is_iban),
    _form("account", rf"{_START}\d{{4}}(?:[ -]?\d{{4}}){{3}}(?:[ -]?\d{{1,3}})?{_END}", _is_card,
          counted=True),
    _form("account", rf"{_START}\d{{6}}[ -]\d{{13}}{_END}", _is_card, counted=True),
    _form("account", rf"{_START}3[47]\d{{2}}[ -]?\d{{6}}[ -]?\d{{5}}{_END}", _is_card,
          counted=True),
    _form("account", rf"(?:银行卡|卡号|账号|帐号|账户|{_WORD}(?:account|a/c|iban|card)){_IS}"
          r"(\d(?:[ -]?\d){7,18})(?![\dA-Za-z])", flags=_ANY_CASE),
    _form("phone", rf"{_START}(?:(?:\+|00)?86{_GAP}?|0)?(?:{_MOBILE}){_END}",
          _is_number_of(11, 16), counted=True),
    _form("phone", r"(?<![A-Za-z0-9+])\+\d(?:[ .()-]{0,2}\d){7,14}(?!\d)", _is_number_of(8, 15)),
    _form("phone", rf"{_START}00[1-9]\d{{0,2}}[ /-](?:[ .()/-]{{0,2}}\d){{6,14}}(?!\d)",
          _is_number_of(10, 17), counted=True),
    _form("phone", rf"{_START}\(?0\d{{2,3}}\)?[ -]{{0,2}}\d{{7,8}}"
          rf"(?:转\d{{1,6}}|-\d{{1,6}})?{_END}",
          _is_number_of(10, 18), counted=True),
    _form("phone", rf"{_START}\(?0\d{{1,4}}\)?[ /-]{{1,2}}(?:\d{{3,4}}[ -]\d{{3,4}}|\d{{6}}){_END}",
          _is_number_of(9, 12), counted=True),
    _form("phone", rf"{_START}0[1-9](?:[ .]\d{{2}}){{4}}{_END}", _is_number_of(10, 10)),
    _form("phone", rf"{_START}(?<!-)(?:\(\d{{3}}\) ?|\d{{3}}[.-])\d{{3}}[.-]\d{{4}}(?!-){_END}",
          _is_number_of(10, 10), counted=True),
    _form("phone", rf"{_CALL}(?: ?(?:me|us|him|at|on|under|号码|号|是|为|number|no\.?|is|[:+]))*"
          rf" ?(\d(?:[ -]?\d){{6,12}}){_END}(?! ?(?:元|块|次|¥|usd|yuan|times))",
          _is_number_of(7, 13), flags=_ANY_CASE),
    _form("phone", rf"(?<![{_SPOKEN}])[一幺1][三四五六七八九3-9][{_SPOKEN}]{{9}}(?![{_SPOKEN}])",
          _is_spoken),
    _form("messenger", rf"(?:微信|薇信|{_WORD}(?:v信|weixin|wechat|vx|wx)|加v){_IS_MARKED}"
          r"([A-Za-z][A-Za-z0-9_-]{5,19}|\d{6,12})(?![A-Za-z0-9_-])", flags=_ANY_CASE),
    _form("messenger", rf"(?:微信|薇信|{_WORD}(?:weixin|wechat|vx))[ ]{{0,2}}"
          r"([A-Za-z][A-Za-z0-9_-]{5,19})(?![A-Za-z0-9_-])", _has_digit, flags=_ANY_CASE),
    _form("messenger", rf"(?:{_WORD}qq|扣扣|企鹅号)群?{_IS}([1-9]\d{{4,11}})(?![\dA-Za-z])",
          flags=_ANY_CASE),
    _form("messenger", r"(?:telegram|instagram|twitter|snapchat|line id|skype|微博|抖音|小红书)"
          r"(?:账号|号|id| handle)? ?[:@] ?@?([A-Za-z0-9_.-]{3,30})", flags=_ANY_CASE),
    _form("ip", r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])", _is_ip, counted=True),
    _form("ip", r"(?<![A-Za-z0-9:.])[0-9A-Fa-f:]{4,39}(?![A-Za-z0-9:])", _is_ip6),
    _form("plate", r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z]"
          r"[·•. -]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳](?![A-Za-z0-9])", _has_digits,
          flags=_ANY_CASE),
    _form("plate", rf"(?:licen[cs]e plate|number plate|plate number|registration plate|车牌){_IS}"
          r"((?-i:[A-Z0-9][A-Z0-9 -]{2,8}[A-Z0-9]))(?![A-Za-z0-9])", _has_digits, flags=_ANY_CASE),
    _form("birth", rf"(?:生日|出生日期|出生于|生于|date of birth|born on|{_WORD}dob){_IS}"
          r"((?:19|20)\d\d[-./年 ]{1,2}[01]?\d(?:[-./月 ]{1,2}[0-3]?\d日?)?"
          r"|[0-3]?\d[-./][0-3]?\d[-./](?:19|20)?\d\d"
          r"|(?:[0-3]?\d )?[A-Z][a-z]{2,8}\.? (?:[0-3]?\d,? )?(?:19|20)\d\d)",
          flags=_ANY_CASE),
    _form("address", r"(?:[省市区县州镇]|住在|家住|住址|地址|寄到|寄给|送到|送货到|我家)"
          r"[是为: ]{0,2}([\u4e00-\u9fff]{1,8}?(?:大道|大街|[路街巷弄村]|胡同|小区|花园|新村|公寓)"
          r"[\u4e00-\u9fff]{0,6}?[\d一二三四五六七八九十百]{1,6}(?:号院|号楼|号|弄|栋|幢|座|室|单元)"
          r"(?:[\dA-Z一二三四五六七八九十-]{1,6}(?:号楼|号|栋|幢|座|单元|楼|层|室|房)){0,4}"
          r"(?:\d{3,4}(?!\d))?)(?!线)"),
    _form("address", r"(?<![A-Za-z0-9.])\d{1,5}[A-Z]?,? (?:[A-Z][a-z]{1,20} ){1,3}"
          r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Terrace|"
          r"Crescent|Close)(?![A-Za-z])\.?(?:,? (?:Apt|Apartment|Suite|Unit|Flat|#)\.? ?\w{1,6})?",
          _is_street),
    _form("name", rf"{_WORD}(?:Mr|Mrs|Ms|Miss|Mister|Dr|Prof|Herr|Frau|Mme|Madame|Monsieur)"
          rf"(?![A-Za-z])\.? ?({_LATIN_NAME}|[\u4e00-\u9fff]{{1,3}})"),
    _form("name", rf"{_WORD}(?i:my|his|her) (?i:full |last |first |family )?(?i:name is) "
          rf"({_LATIN_NAME}|[a-z'’-]{{2,30}})", _is_stated_name),
    _form("name", rf"(?:我叫|名字叫|名字是|本名|姓名)[是为: ]{{0,2}}({_SURNAME}{_GIVEN}{{1,2}}?)"
          r"(?=$|[^\u4e00-\u9fff]|[的是来在也住和今]|电话|手机|先生|女士)", _is_person),
    _form("name", rf"({_SURNAME}{_GIVEN}{{1,2}}?)(?=先生|女士|小姐)", _is_person),
    _form("name", rf"({_SURNAME}{_GIVEN}{{2}})(?=老师|医生|大夫|经理)", _is_person),
    _form("name", rf"({_SURNAME})(?={_TITLE})"),
)  # fmt: skip


def kinds_in(text: str) -> set[str]:
    """Return the kinds of personal data whose form stands in a text.

    Examples
    --------
    >>> sorted(kinds_in("138 0013 8000 or fang@example.org")), kinds_in("5 of 7, 2024-03-01")
    (['email', 'phone'], set())
    """
    plain = text.translate(_WIDTH)
    return {form.kind for form in FORMS if next(_places(form, plain), None)}


def mask_text(
    text: str, mask: str | None = None, kinds: Container[str] | None = None
) -> tuple[str, Counter[str]]:
    """Return a text with all personal data in it masked, and how many of each kind there were.

    Parameters
    ----------
    text : str
    mask : str, optional
        What stands instead; without it the kind in brackets, in Chinese where the text has a
        Chinese character and in English elsewhere.
    kinds : container of str, optional
        Which are masked; all without it.

    Examples
    --------
    >>> masked, counts = mask_text("电话13800138000，王女士")
    >>> masked, dict(counts)
    ('电话[电话]，[姓名]女士', {'phone': 1, 'name': 1})
    >>> mask_text("room 1208, 388 yuan, 2024-03-01")[0]
    'room 1208, 388 yuan, 2024-03-01'
    """
    counts: Counter[str] = Counter()
    lang = "zh" if re.search(CHINESE, text) else "en"
    plain = text.translate(_WIDTH)
    for form in FORMS:
        if kinds is not None and form.kind not in kinds:
            continue
        if places := list(_places(form, plain)):
            text = _masked(text, places, mask or label(f"survey.mask.{form.kind}", lang))
            plain = text.translate(_WIDTH)
            counts[form.kind] += len(places)
    return text, counts


def _masked(text: str, places: Sequence[tuple[int, int]], mask: str) -> str:
    """Return a text with a mask at each place."""
    pieces, end = [], 0
    for start, stop in places:
        pieces += [text[end:start], mask]
        end = stop
    return "".join([*pieces, text[end:]])


def _places(form: Form, plain: str) -> Iterator[tuple[int, int]]:
    """Yield where a form stands in a text whose letters and digits are of plain width."""
    for match in form.pattern.finditer(plain):
        place = match.lastindex or 0
        start, stop = match.span(place)
        if form.holds is not None and not form.holds(match.group(place)):
            continue
        before = plain[max(0, start - _BEFORE) : start]
        if form.counted and _NO_PERSON.search(before):
            continue
        if form.kind == "name" and _NO_SURNAME.search(plain[max(0, start - 3) : start + 1]):
            continue
        yield start, stop
