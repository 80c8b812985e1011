"""Personal data in a client's table: which columns and cells tell who a person is, and masking.

What has a form is found by it, in any column and within free text: e-mail addresses, telephone
numbers, Chinese identity numbers, IBANs and cards (with their check digits), IP addresses. Names
and postal addresses have none: they are found by the heading of their column, and Chinese
addresses by the words of places. A name within free text is not found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, label
from cxstats.core.messages import no_column
from cxstats.core.result import Result
from cxstats.survey.platforms import forms, plain

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("email", "phone", "identity", "account", "ip", "name", "address", "birth")
MASK = "***"
# Headings of columns whose cells are personal whatever their form.
HEADINGS = {
    "email": (
        "email", "email address", "recipient email", "mail", "邮箱", "电子邮件", "电子邮箱",
        "邮件地址",
    ),
    "phone": (
        "phone", "phone number", "telephone", "mobile", "mobile number", "tel", "telefon", "handy",
        "téléphone", "手机", "手机号", "手机号码", "电话", "电话号码", "联系电话", "联系方式",
    ),
    "identity": (
        "id number", "identity number", "passport", "ssn", "身份证", "身份证号", "身份证号码",
        "证件号", "证件号码", "护照号",
    ),
    "account": ("iban", "account number", "card number", "银行卡号", "卡号", "银行账号"),
    "ip": ("ip", "ip address", "ipaddr", "来自ip", "ip地址"),
    "name": (
        "name", "full name", "first name", "last name", "surname", "recipient first name",
        "recipient last name", "customer name", "vorname", "nachname", "nom", "prénom", "姓名",
        "名字", "客户姓名", "您的姓名", "联系人", "微信号", "微信", "wechat",
    ),
    "address": (
        "address", "home address", "street", "postal address", "adresse", "anschrift",
        "location latitude", "location longitude", "地址", "住址", "家庭住址", "详细地址",
        "收货地址",
    ),
    "birth": ("date of birth", "birth date", "birthday", "dob", "geburtsdatum", "出生日期", "生日"),
}  # fmt: skip
_BY_HEADING = {plain(word): kind for kind, words in HEADINGS.items() for word in words}
_CARD_FACTORS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
LONGEST = 100_000  # characters of a cell that are looked at
MANY_DIGITS = 1e10  # from which a whole number may be a telephone number


def _is_identity(text: str) -> bool:
    """Return whether 18 characters are a Chinese identity number (GB 11643: its check digit)."""
    total = sum(int(c) * f for c, f in zip(text, _CARD_FACTORS, strict=False))
    return "10X98765432"[total % 11] == text[-1].upper()


def _is_iban(text: str) -> bool:
    turned = text[4:] + text[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _is_card(text: str) -> bool:
    """Return whether digits are a card number (Luhn's check)."""
    digits = [int(c) for c in reversed(re.sub(r"\D", "", text))]
    doubled = [d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)]
    return sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _is_ip(text: str) -> bool:
    return all(int(part) < 256 for part in text.split("."))


# Form and, where a form alone says too little, what else must hold.
FORMS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool] | None], ...] = (
    ("email", re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), None),
    ("identity", re.compile(r"(?<!\d)[1-9]\d{16}[\dXx](?![\dA-Za-z])"), _is_identity),
    ("account", re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}[A-Z0-9]{11,30}(?![A-Z0-9])"), _is_iban),
    ("account", re.compile(r"(?<!\d)(?:\d[ -]?){15,18}\d(?!\d)"), _is_card),
    ("phone", re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"), None),
    ("phone", re.compile(r"(?<![\w+])\+\d{1,3}(?:[ -]?\(?\d{1,5}\)?){2,5}(?!\d)"), None),
    ("phone", re.compile(r"(?<!\d)0\d{2,3}-\d{7,8}(?!\d)"), None),
    ("ip", re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"), _is_ip),
    (
        "address",
        re.compile(
            r"[\u4e00-\u9fff]{2,12}(?:省|市|区|县)[\u4e00-\u9fff\d]{1,24}"
            r"(?:路|街|大道|巷|弄|村|小区|花园)[\u4e00-\u9fff\d-]{0,12}(?:号|室|栋|楼|单元)[\d\w-]{0,8}"
        ),
        None,
    ),
)


@dataclass(frozen=True, eq=False, repr=False)
class PersonalData(Result):
    """Which columns of a table hold personal data; never the data themselves.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a column and kind: ``column, kind, found_by`` ("heading" or "form"), ``n`` (cells),
        ``first_row`` (the label of the first).
    n_rows : int
        Rows looked at.
    masked : bool
        Whether the cells were masked.
    notes : tuple of Text
        What cannot be found: names and addresses within free text.
    """

    table: pd.DataFrame
    n_rows: int
    masked: bool = False
    notes: tuple[Text, ...] = ()

    codes: ClassVar = {
        "kind": "survey.personal.{}",
        "found_by": "survey.personal.by.{}",
    }

    def findings(self, lang: str) -> list[str]:
        """Return the columns, kinds and counts."""
        if self.table.empty:
            return [label("survey.personal.none", lang, n=self.n_rows)]
        head = "survey.personal.masked" if self.masked else "survey.personal.head"
        lines = [label(head, lang, n=self.table["column"].nunique())]
        for row in self.table.itertuples():
            kind = label(f"survey.personal.{row.kind}", lang)
            by = label(f"survey.personal.by.{row.found_by}", lang)
            lines.append(
                label("survey.personal.row", lang, column=row.column, kind=kind, n=row.n, by=by)
            )
        return lines


def find_personal_data(frame: Any) -> PersonalData:
    """Return which columns of a table hold personal data.

    Parameters
    ----------
    frame : pandas.DataFrame, or any table that Narwhals knows

    Notes
    -----
    By heading: the whole column. By form: the cells in which an e-mail address, a telephone number,
    an identity, bank or card number (check digits must fit), an IP address or a Chinese postal
    address stands, alone or within a text. What has no form is not found: names in comments,
    other postal addresses, and a rare combination of answers that only one person has.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"q1": [4, 5], "comment": ["call 13800138000", "fine"]})
    >>> find_personal_data(frame).table[["column", "kind", "n"]].values.tolist()
    [['comment', 'phone', 1]]
    """
    import pandas as pd

    data = as_pandas(frame)
    rows = []
    for name, column in data.items():
        filled = column.notna().to_numpy(bool)
        kind = kind_of_heading(str(name))
        if kind and filled.any():
            rows.append((name, kind, "heading", int(filled.sum()), column.index[filled][0]))
            continue
        cells, codes = _texts(column)
        kinds = [kinds_of(text) for text in cells]
        for kind in KINDS:
            has = np.array([kind in each for each in kinds], bool)
            where = has[codes] & (codes >= 0) if len(cells) else np.zeros(len(column), bool)
            if where.any():
                rows.append((name, kind, "form", int(where.sum()), column.index[where][0]))
    heads = ["column", "kind", "found_by", "n", "first_row"]
    return PersonalData(pd.DataFrame(rows, columns=heads), len(data))


def mask_personal_data(
    frame: Any, *, kinds: Sequence[str] = KINDS, keep: Sequence[str] = ()
) -> tuple[pd.DataFrame, PersonalData]:
    """Return a table in which personal data are masked by ``***``, and what was masked.

    Columns found by their heading are masked whole, missing cells stay missing; within texts only
    what has the form is.

    Parameters
    ----------
    frame : pandas.DataFrame, or any table that Narwhals knows
        It is never changed.
    kinds : sequence of {"email", "phone", "identity", "account", "ip", "name", "address", "birth"}
    keep : sequence of str
        Columns that stay as they are.

    Raises
    ------
    CxError
        If a kind or a column is not known.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"姓名": ["王芳"], "comment": ["mail me: fang@example.org"]})
    >>> mask_personal_data(frame)[0].iloc[0].tolist()
    ['***', 'mail me: ***']
    """
    data = as_pandas(frame)
    for kind in kinds:
        if kind not in KINDS:
            raise CxError(f"kinds={kind!r}; allowed: {', '.join(map(repr, KINDS))}")
    for name in keep:
        if name not in data.columns:
            raise DataError(f"keep: {no_column(name, data.columns)}")
    report = find_personal_data(data)
    table = report.table
    table = table[table["kind"].isin(kinds) & ~table["column"].isin(keep)].reset_index(drop=True)
    masked = data.copy()
    for row in table.itertuples():
        column = masked[row.column].astype(object)
        if row.found_by == "heading":
            masked[row.column] = column.where(column.isna(), MASK)
        else:
            masked[row.column] = [_masked(cell, str(row.kind)) for cell in column]
    return masked, PersonalData(table, len(data), masked=True)


def kind_of_heading(heading: str) -> str | None:
    """Return the kind of personal data that a heading names; None if it names none.

    Examples
    --------
    >>> kind_of_heading("E-Mail"), kind_of_heading("手机号码"), kind_of_heading("branch")
    ('email', 'phone', None)
    """
    return next((_BY_HEADING[form] for form in forms(heading) if form in _BY_HEADING), None)


def kinds_of(text: str) -> set[str]:
    """Return the kinds of personal data whose form stands in a text.

    Examples
    --------
    >>> sorted(kinds_of("138 0013 8000 or fang@example.org")), kinds_of("5 of 7, 2024-03-01")
    (['email', 'phone'], set())
    """
    text = text[:LONGEST]
    return {
        kind
        for kind, form, holds in FORMS
        if any(holds is None or holds(match.group()) for match in form.finditer(text))
    }


def masked_text(text: str, heading: str = "") -> str:
    """Return a text of a column with all personal data in it masked.

    Examples
    --------
    >>> masked_text("=call 13800138000"), masked_text("=1+1", "姓名")
    ('=call ***', '***')
    """
    if kind_of_heading(heading):
        return MASK
    for kind in KINDS:
        text = _masked(text, kind)
    return text


def _masked(cell: Any, wanted: str) -> Any:
    text = _as_text(cell)
    if text is None:
        return cell
    for kind, form, holds in FORMS:
        if kind == wanted:
            text = form.sub(partial(_mask, holds), text)
    return text if text != _as_text(cell) else cell


def _mask(holds: Callable[[str], bool] | None, match: re.Match[str]) -> str:
    return MASK if holds is None or holds(match.group()) else match.group()


def _as_text(cell: Any) -> str | None:
    """Return a cell in which a form can stand: a text, or a whole number of many digits."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool) or not isinstance(cell, int | float | np.integer | np.floating):
        return None
    number = float(cell)
    return str(int(cell)) if abs(number) >= MANY_DIGITS and number.is_integer() else None


def _texts(column: pd.Series[Any]) -> tuple[list[str], Any]:
    """Return the different texts of a column and, for each row, which it has (-1 for none)."""
    import pandas as pd

    if column.dtype.kind in "iuf":
        values = column.to_numpy(float, na_value=np.nan)
        if not (np.abs(values[np.isfinite(values)]) >= MANY_DIGITS).any():
            return [], np.full(len(column), -1)
    elif column.dtype.kind in "bmM":
        return [], np.full(len(column), -1)
    texts = [_as_text(cell) for cell in column.astype(object)]
    codes, unique = pd.factorize(pd.Series(texts, dtype=object))
    return [str(text) for text in unique], np.asarray(codes)
