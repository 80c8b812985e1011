"""What the columns of a file are, by their headings and cells, where no codebook says it.

Customers, times, amounts, events, arms of an experiment, comments: a column has a role if its
heading is one of the usual ones and its cells fit. Nothing is asserted; `cxstats.ready` names the
columns it took, for a person to look at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.survey.platforms import forms, plain

if TYPE_CHECKING:
    import pandas as pd

LOOKED_AT = 500  # cells of a column
MOSTLY = 0.9  # of the cells that must fit
DATE = re.compile(r"\s*(\d{4}\s*[-/.年]\s*\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})")
LONG_TEXT = 8  # characters, half of which a Chinese comment may have
MOST_ARMS = 5
MANY = 20  # different amounts
HEADINGS = {
    "customer": (
        "customer", "customer id", "customer no", "client", "client id", "user", "user id",
        "member", "member id", "account id", "buyer", "cust", "cust id", "客户", "客户编号",
        "客户号", "客户id", "用户", "用户id", "用户编号", "会员", "会员号", "会员id", "买家",
    ),
    "time": (
        "time", "date", "timestamp", "datetime", "day", "order date", "purchase date",
        "invoice date",
        "transaction date", "event time", "created", "created at", "received", "week", "month",
        "时间", "日期", "下单时间", "订单日期", "购买日期", "交易日期", "交易时间", "消费日期",
        "发生时间", "事件时间", "创建时间", "受理时间", "反馈时间",
    ),
    "amount": (
        "amount", "sales", "revenue", "price", "total", "value", "spend", "spending", "order value",
        "net amount", "turnover", "payment",
        "dollars", "euros", "sales value", "purchase amount",
        "金额", "消费金额", "订单金额", "交易金额", "销售额",
        "支付金额", "实付金额", "消费额", "价格",
    ),
    "case": (
        "case", "case id", "caseid", "case:concept:name", "process id", "application",
        "application id",
        "ticket", "ticket id", "order", "order id", "claim", "claim id", "案例", "案例编号",
        "流程编号", "业务编号", "申请编号", "工单号", "订单号", "订单编号",
    ),
    "session": (
        "session", "session id", "visit", "visit id", "会话", "会话编号", "会话id", "访问编号",
    ),
    "event": (
        "event", "event name", "activity", "action", "step", "stage", "page", "concept:name",
        "task",
        "事件", "事件名称", "活动", "动作", "步骤", "环节", "阶段", "页面", "节点",
    ),
    "start": ("start", "start time", "started", "begin", "开始", "开始时间", "起始时间"),
    "end": (
        "end", "end time", "ended", "finished", "complete time", "结束", "结束时间", "完成时间",
    ),
    "arm": (
        "variant", "arm", "treatment", "experiment", "experiment group", "test group", "ab",
        "ab group",
        "version", "实验组", "实验分组", "组别", "版本", "方案", "试验组",
    ),
    "converted": (
        "converted", "conversion", "outcome", "purchased", "bought", "clicked", "churned",
        "retained",
        "转化", "是否转化", "是否购买", "是否点击", "是否流失", "结果",
    ),
    "closed": (
        "answered", "answered at", "replied", "first reply", "closed", "closed at", "resolved",
        "resolved at", "回复时间", "答复时间", "首次回复时间", "关闭时间", "闭环时间", "解决时间",
        "办结时间",
    ),
    "feedback": (
        "text", "comment", "feedback", "message", "description", "verbatim", "complaint", "内容",
        "反馈内容", "反馈", "意见", "描述", "投诉内容", "留言",
    ),
}  # fmt: skip
_ROLES: dict[str, list[str]] = {}
for _role, _headings in HEADINGS.items():
    for _heading in _headings:
        _ROLES.setdefault(plain(_heading), []).append(_role)
# The endings that tell the two questions of a Kano pair apart.
KANO = (
    ("dysfunctional", "functional"), ("without", "with"), ("absent", "present"),
    ("反向", "正向"), ("负向", "正向"), ("没有", "有"), ("不具备", "具备"), ("不提供", "提供"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the columns of a table are taken for.

    Attributes
    ----------
    roles : mapping of str to tuple of str
        Role, such as "customer", to the columns that have it, in the order of the table.
    kano : mapping of str to (str, str)
        Feature to its functional and its dysfunctional column.
    kind : {"transactions", "events", "register", ""}
        What the file holds, if that is no questionnaire.
    """

    roles: Mapping[str, tuple[str, ...]]
    kano: Mapping[str, tuple[str, str]]
    kind: str

    def first(self, role: str) -> str | None:
        """Return the first column of a role."""
        return next(iter(self.roles.get(role, ())), None)


def evidence_of(frame: pd.DataFrame) -> Evidence:
    """Return what the columns of a table are taken for.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "Customer ID": ["a", "b", "a"], "order date": ["2024-01-02"] * 3, "amount": [5.0, 7, 2]
    ... })
    >>> evidence = evidence_of(orders)
    >>> evidence.kind, evidence.first("customer"), evidence.first("time")
    ('transactions', 'Customer ID', 'order date')
    """
    roles: dict[str, list[str]] = {}
    for name in frame.columns:
        cells = _cells(frame, name)
        if isinstance(name, str) and len(cells):
            for role in {role for form in forms(name) for role in _ROLES.get(form, ())}:
                if _FITS.get(role, _always)(cells):
                    roles.setdefault(role, []).append(name)
    if "time" not in roles and (times := [n for n in frame.columns if _is_times(_cells(frame, n))]):
        roles["time"] = times[:1]
    if "amount" not in roles and {"customer", "time"} <= set(roles):
        taken = {name for names in roles.values() for name in names}
        roles["amount"] = [n for n in frame.columns if n not in taken and _is_money(frame, n)][:1]
    columns = {role: tuple(names) for role, names in roles.items() if names}
    return Evidence(columns, _kano_pairs(list(frame.columns)), _kind(frame, columns))


def comments(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns of free text: mostly long and mostly different."""
    names = [n for n in frame.columns if isinstance(n, str) and _is_free_text(_cells(frame, n))]
    return tuple(names)


def n_different(frame: pd.DataFrame, column: str) -> int:
    """Return how many different values a column has."""
    return int(frame[column].astype(object).map(str, na_action="ignore").nunique())


def _cells(frame: pd.DataFrame, name: Any) -> pd.Series[Any]:
    """Return the first cells of a column that hold something."""
    column = frame[name]
    column = column if column.ndim == 1 else column.iloc[:0, 0]
    cells: pd.Series[Any] = column.dropna().head(LOOKED_AT)
    return cells


def _always(cells: pd.Series[Any]) -> bool:
    return True


def _is_times(cells: pd.Series[Any]) -> bool:
    import pandas as pd

    if not len(cells):
        return False
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return True
    fits = [hasattr(cell, "year") or bool(isinstance(cell, str) and DATE.match(cell))
            for cell in cells]  # fmt: skip
    return float(np.mean(fits)) >= MOSTLY


def _is_numbers(cells: pd.Series[Any]) -> bool:
    import pandas as pd

    numbers = pd.to_numeric(cells.astype(str).str.replace(",", ""), errors="coerce")
    return bool(numbers.notna().mean() >= MOSTLY)


def _is_money(frame: pd.DataFrame, name: Any) -> bool:
    """Return whether a column holds amounts: many numbers, most not whole, none negative."""
    import pandas as pd

    cells = _cells(frame, name)
    if not pd.api.types.is_numeric_dtype(cells.dtype) or pd.api.types.is_bool_dtype(cells.dtype):
        return False
    values = cells.to_numpy(float)
    broken = (values != np.round(values)).mean() > 0.5
    return bool(broken and len(np.unique(values)) > MANY and (values >= 0).mean() >= MOSTLY)


def _is_arms(cells: pd.Series[Any]) -> bool:
    return 2 <= cells.astype(str).nunique() <= MOST_ARMS


def _is_free_text(cells: pd.Series[Any]) -> bool:
    texts = [cell for cell in cells if isinstance(cell, str) and not DATE.match(cell)]
    if len(texts) < max(2, MOSTLY * len(cells)):
        return False
    chinese = [any("一" <= letter <= "鿿" for letter in text) for text in texts]
    long = [
        len(text) >= LONG_TEXT * (1 if zh else 2) for text, zh in zip(texts, chinese, strict=True)
    ]
    return float(np.mean(long)) >= 0.3 and len(set(texts)) >= 0.5 * len(texts)


_FITS: dict[str, Callable[[pd.Series[Any]], bool]] = {
    "time": _is_times, "start": _is_times, "end": _is_times, "closed": _is_times,
    "amount": _is_numbers, "arm": _is_arms,
}  # fmt: skip


def _kano_pairs(names: list[Any]) -> dict[str, tuple[str, str]]:
    """Return the pairs of columns that ask with and without a feature."""
    texts = [name for name in names if isinstance(name, str)]
    pairs: dict[str, tuple[str, str]] = {}
    for name in texts:
        folded = name.casefold()
        for absent, present in KANO:
            place = folded.rfind(absent)
            if place < 0:
                continue
            other = name[:place] + present + name[place + len(absent) :]
            match = [text for text in texts if text.casefold() == other.casefold()]
            if match and match[0] != name:
                feature = (name[:place] + name[place + len(absent) :]).strip(" _-:：（）()")
                pairs[feature or name] = (match[0], name)
                break
    return pairs


def _kind(frame: pd.DataFrame, roles: Mapping[str, tuple[str, ...]]) -> str:
    """Return what the file holds where its columns say so."""
    timed = "time" in roles or "start" in roles
    if "feedback" in roles and timed and "closed" in roles:
        return "register"
    if timed and "event" in roles and {"case", "session", "customer"} & set(roles):
        return "events"
    if timed and {"customer", "amount"} <= set(roles):
        return "transactions"
    return ""
