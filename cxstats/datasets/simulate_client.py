"""A simulated client: a survey of bank customers, as a table and as a workbook. Synthetic data.

Everything a report shows of it has a true value in ``attrs["population"]``.
"""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.language import check_lang
from cxstats.core.progress import long_work
from cxstats.datasets.simulate_servqual import EXPECTED, LOADINGS, PERCEIVED, draw_factors
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Rows = tuple[tuple[Any, ...], ...]

SMALLEST = 7  # respondents of the last branch, whatever n is
LEAST = 100  # respondents, so that every other branch is larger than the last
MOST = 1_000_000  # respondents; also the most that an Excel sheet holds
FACTOR_CORR, ROLE_CORR = 0.5, 0.3
MISSING = 0.005  # share of the item answers that are blank
YEAR = 2025

# Branch: share of all other respondents, shift of its perceptions in steps of the scale.
BRANCHES: Rows = (
    ("总行营业部", "Head office", 0.32, 0.15),
    ("城东支行", "East branch", 0.24, 0.00),
    ("高新支行", "Hi-tech branch", 0.20, 0.30),
    ("滨江支行", "Riverside branch", 0.14, -0.15),
    ("大学城支行", "Campus branch", 0.10, -0.45),
    ("古镇支行", "Old town branch", 0.00, -0.25),
)
# Shift of the perceptions of a quarter, by dimension; others do not change.
WAVES: Rows = (
    ("2025年第一季度", "2025 Q1", {}),
    ("2025年第二季度", "2025 Q2", {}),
    ("2025年第三季度", "2025 Q3", {"Responsiveness": 0.5}),
    ("2025年第四季度", "2025 Q4", {"Responsiveness": 0.9, "Reliability": 0.3}),
)
# Age group: share of customers, share of respondents, shift of what they answer to the questions on
# the whole. The weight of a respondent is the first over the second.
AGES: Rows = (
    ("18-30岁", "18-30", 0.20, 0.40, -0.40),
    ("31-45岁", "31-45", 0.30, 0.30, 0.00),
    ("46-60岁", "46-60", 0.30, 0.20, 0.20),
    ("60岁以上", "Over 60", 0.20, 0.10, 0.40),
)
# Channel: share, shift of the effort answer.
CHANNELS: Rows = (
    ("网点柜台", "Counter", 0.45, -0.40),
    ("手机银行", "Mobile app", 0.40, 0.45),
    ("电话客服", "Telephone", 0.15, 0.00),
)
SERVICES: Rows = (
    ("存款", "Savings", 0.75),
    ("贷款", "Loan", 0.25),
    ("理财", "Investment", 0.35),
    ("信用卡", "Credit card", 0.55),
    ("手机银行", "Mobile app", 0.80),
)
# Effect of a dimension on the questions on the whole: the true order of the drivers.
EFFECTS = {
    "Reliability": 0.45,
    "Responsiveness": 0.30,
    "Assurance": 0.18,
    "Empathy": 0.10,
    "Tangibles": 0.03,
}
# Question: lowest and highest answer, mean, effect of the dimensions, of age, rest (standard
# deviation), all in steps of its scale and before rounding.
OUTCOMES = {
    "satisfaction": (1, 5, 3.75, 0.75, 0.3, 0.55),
    "recommendation": (0, 10, 7.6, 1.7, 1.0, 1.1),
    "effort": (1, 7, 5.1, 0.7, 0.0, 0.9),
}
COMMENTED = 0.6  # share who write a comment
REACHABLE = 0.05  # share of the comments that hold a telephone number, and an address
# Theme: share of the comments, what pleased customers write, what others write.
COMMENTS: Rows = (
    (0.35, ("排队时间比以前短多了", "办业务很快，几分钟就好"),
     ("排队等了一个多小时", "窗口开得太少，等得太久"),
     ("Much less waiting than before", "Done within minutes"),
     ("I queued for more than an hour", "Too few counters, far too long a wait")),
    (0.25, ("柜员很耐心，讲解清楚", "大堂经理服务热情"),
     ("柜员态度冷淡，问一句答一句", "客服推来推去，没人负责"),
     ("The clerk was patient and clear", "Friendly staff in the hall"),
     ("The clerk was cold", "I was sent from one person to the next")),
    (0.20, ("手机银行好用，转账方便", "手机银行界面清爽"),
     ("手机银行老是闪退", "手机银行登录太麻烦"),
     ("The app is handy for transfers", "The app is clear"),
     ("The app keeps crashing", "Logging in to the app is a nuisance")),
    (0.12, ("手续费透明，比较合理", "理财收益不错"),
     ("手续费太高，而且没有提前说明", "信用卡年费收得不明不白"),
     ("Fees are clear and fair", "The yield is good"),
     ("Fees are too high and nobody told me", "The card fee was a surprise")),
    (0.08, ("网点环境整洁舒适", "停车方便"),
     ("网点停车难", "自助机经常坏"),
     ("The branch is clean", "Easy to park"),
     ("No place to park", "The machines are often out of order")),
)  # fmt: skip
ENDINGS = (("。", "，希望继续保持。", "，谢谢！"), (".", ", please keep it up.", ", thank you!"))
CALLS = (("我的电话是{}", "请回复邮箱{}"), ("My number is {}", "please write to {}"))
SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡林郭何高罗"
GIVEN_NAMES = (
    "伟", "芳", "娜", "敏", "静", "磊", "强", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超",
    "秀兰", "霞", "平", "刚", "桂英", "建华", "晓东", "雨桐", "子涵",
)  # fmt: skip
# Columns that are no items, in Chinese as in the codebook that ships.
HEADS = {
    "客户号": "Customer number", "姓名": "Name", "手机号": "Mobile", "邮箱": "E-mail",
    "填写日期": "Date", "网点": "Branch", "渠道": "Channel", "季度": "Quarter",
    "年龄段": "Age group", "总体满意度": "Overall satisfaction", "推荐意愿": "Recommendation",
    "办理轻松程度": "Ease", "使用过的业务": "Services used", "意见与建议": "Comment",
    "权重": "Weight", "用时（秒）": "Seconds",
}  # fmt: skip
ROLES = {"expectation": ("期望", "Expected"), "perception": ("感受", "Perceived")}
WORDS_OF_SATISFACTION = (
    ("非常不满意", "不满意", "一般", "满意", "非常满意"),
    ("Very dissatisfied", "Dissatisfied", "Neither", "Satisfied", "Very satisfied"),
)
UNITS = ("分", " points")  # a number in words: "5分"


@long_work("simulate client")
def simulate_client(n: int = 420, seed: int = 7, lang: str = "zh") -> tuple[pd.DataFrame, Codebook]:
    """Simulate the survey of a bank whose population is known exactly. Synthetic data.

    An answer is a normal variable, rounded and held to its scale. Perceptions and expectations of
    22 items have a factor for every dimension, as in `cxstats.simulate_servqual`; perceptions are
    shifted by branch and by quarter. Satisfaction, recommendation and ease are
    ``y = m + c (sum_d b_d (f_d + s_d) + age + channel) + e``, with the factors f of the
    perceptions, their shifts s, and effects b that are the same for all three. Young customers
    answered more often and are less content, so that only weighted estimates meet the population.

    Parameters
    ----------
    n : int
        Respondents, from 100 to 1,000,000; 7 of them belong to the last branch.
    seed : int
        The same seed gives the same answers.
    lang : {"zh", "en"}
        Language of heads, groups and comments.

    Returns
    -------
    responses : pandas.DataFrame
        60 columns. ``attrs["synthetic"]`` is True; ``attrs["population"]`` holds the true values,
        unrounded, with the shares of branches as they are in the table and those of age groups as
        they are among all customers: ``gap`` (by dimension and "Overall"), ``gap_by_branch``,
        ``gap_by_wave``, ``nps``, ``nps_by_branch``, ``nps_by_wave`` (-100 to 100), ``satisfied``
        and ``satisfied_by_wave`` (share of 4 and 5), ``ease_by_channel`` (mean), ``drivers``
        (effects, largest first), ``services`` (shares), ``themes`` (shares of the comments, in the
        order of `COMMENTS`) and ``n_with_contact`` (comments with a telephone number or address).
    codebook : Codebook
        That of the table; in Chinese the one that ships as "synthetic_bank_client".

    Raises
    ------
    CxError
        If a value is out of range.

    Notes
    -----
    The overall gap is the mean of the five dimensions. Names are drawn at random, telephone numbers
    begin with 138-0000 and repeat after 10,000 respondents, addresses are at example.com. Comments
    are put together from a few sentences, so that a method that reads texts meets an easy case. Age
    and channel move no perception, and branches differ by the same amount in every dimension: a
    real client is not so simple.

    Examples
    --------
    >>> responses, codebook = simulate_client(200, seed=1)
    >>> responses.shape, responses["网点"].value_counts().min().item()
    ((200, 60), 7)
    >>> population = responses.attrs["population"]
    >>> {name: round(nps, 1) for name, nps in population["nps_by_wave"].items()}
    {'2025年第一季度': 8.1, '2025年第二季度': 8.1, '2025年第三季度': 17.4, '2025年第四季度': 32.5}
    """
    import pandas as pd

    lang = check_lang(lang)
    if not (isinstance(n, Integral) and LEAST <= n <= MOST) or isinstance(n, bool):
        raise CxError(f"n={n!r} is not allowed; allowed: whole numbers from {LEAST} to {MOST:,}")
    if not isinstance(seed, Integral) or isinstance(seed, bool) or seed < 0:
        raise CxError(f"seed={seed!r} is not allowed; allowed: whole numbers from 0 on")
    n, english = int(n), int(lang == "en")
    generator = np.random.default_rng(seed)
    book = _codebook(english)
    counts = _counts(n)
    branch = generator.permutation(np.repeat(np.arange(len(BRANCHES)), counts))
    wave = generator.permutation(np.arange(n) % len(WAVES))
    age = generator.choice(len(AGES), n, p=[asked for *_, asked, _ in AGES])
    channel = generator.choice(len(CHANNELS), n, p=[share for *_, share, _ in CHANNELS])
    shifts = _shifts(list(book.constructs))[branch, wave]
    factors = draw_factors(generator, n, len(book.constructs), list(ROLES), FACTOR_CORR, ROLE_CORR)
    columns: dict[str, Any] = _describing(generator, n, english, (branch, channel, wave, age))
    columns |= _items(generator, book, factors, shifts)
    effects = np.array([EFFECTS[name] for name in book.constructs])
    ages = np.array([shift for *_, shift in AGES])[age]
    of_channel = np.array([shift for *_, shift in CHANNELS])[channel]
    answers = {}
    for name, (low, high, mean, scale, of_age, sd) in OUTCOMES.items():
        level = mean + scale * ((factors[:, 1] + shifts) @ effects) + of_age * ages
        level += of_channel * (name == "effort") + sd * generator.standard_normal(n)
        answers[name] = np.clip(np.floor(level + 0.5), low, high)
    heads = [*HEADS.values()] if english else [*HEADS]
    columns |= dict(zip(heads[9:12], answers.values(), strict=True))
    columns[heads[12]] = _services(generator, n, english)
    comments, n_with_contact = _comments(generator, answers["satisfaction"] >= 4, english)
    columns[heads[13]] = comments
    columns[heads[14]] = np.array([round(share / asked, 6) for *_, share, asked, _ in AGES])[age]
    columns[heads[15]] = np.floor(np.exp(generator.normal(5.6, 0.4, n)))
    frame = pd.DataFrame(columns)
    frame.attrs["synthetic"] = True
    frame.attrs["population"] = _population(book, counts / n, english)
    frame.attrs["population"]["n_with_contact"] = n_with_contact
    return frame, book


def _codebook(english: int) -> Codebook:
    """Return the codebook that ships, or the same in English."""
    book = Codebook.read("synthetic_bank_client")
    if not english:
        return book
    texts: dict[str, str] = {**HEADS}
    for table in (BRANCHES, WAVES, AGES, CHANNELS, SERVICES):
        texts |= {str(row[0]): str(row[1]) for row in table}
    texts |= dict(zip(*WORDS_OF_SATISFACTION, strict=True))
    texts |= {f"{i}{UNITS[0]}": f"{i}{UNITS[1]}" for i in range(1, 8)}
    items: dict[str, Any] = {
        role: {item: f"{head} - {book.label(item, 'en')}" for item in book.items}
        for role, (_, head) in ROLES.items()
    }
    # What is written for a group keeps its odd spaces.
    groups = {
        texts[column]: {
            "order": [texts[name] for name in said["order"]],
            "same": {
                written.replace(name, texts[name]): texts[name]
                for written, name in said.get("same", {}).items()
            },
        }
        for column, said in book.groups.items()
    }
    questions = {
        name: replace(
            question, column=texts[question.column],
            answers={texts[text]: number for text, number in question.answers.items()},
            options=[texts[option] for option in question.options],
        )
        for name, question in book.questions.items()
    }  # fmt: skip
    return replace(
        book, **items, groups=groups, questions=questions,
        answers={texts[text]: number for text, number in book.answers.items()},
        wave={"column": texts[book.wave_column or ""], "order": [w[1] for w in WAVES]},
        respondent=texts[book.respondent or ""], duration=texts[book.duration or ""],
        weights=texts[book.weights or ""], personal=[texts[name] for name in book.personal],
        other=[texts[name] for name in book.other],
    )  # fmt: skip


def _counts(n: int) -> NDArray[Any]:
    """Return how many respondents each branch has."""
    shares: Any = np.array([share for *_, share, _ in BRANCHES])
    counts: NDArray[Any] = np.floor(shares * (n - SMALLEST)).astype(np.int64)
    counts[-1] = SMALLEST
    counts[0] += n - counts.sum()
    return counts


def _shifts(dimensions: list[str]) -> Array:
    """Return the shift of perceptions (branches, waves, dimensions)."""
    of_branch = np.array([shift for *_, shift in BRANCHES])
    of_wave = np.array([[shift.get(name, 0.0) for name in dimensions] for *_, shift in WAVES])
    shifts: Array = of_branch[:, None, None] + of_wave[None]
    return shifts


def _describing(
    generator: np.random.Generator, n: int, english: int, codes: tuple[Any, ...]
) -> dict[str, Any]:
    """Return who the respondents are, when they answered and to which groups they belong."""
    heads = [*HEADS.values()] if english else [*HEADS]
    names = np.array([a + b for a in SURNAMES for b in GIVEN_NAMES], object)
    numbers = np.arange(1, n + 1)
    day = generator.integers(0, 90, n)
    start = np.array([f"{YEAR}-{month:02d}-01" for month in (1, 4, 7, 10)], "datetime64[D]")
    _, _, wave, _ = codes
    groups = [
        np.array([row[english] for row in table], object)[code]
        for table, code in zip((BRANCHES, CHANNELS, WAVES, AGES), codes, strict=True)
    ]
    return {
        heads[0]: np.array([f"K{i:07d}" for i in numbers], object),
        heads[1]: names[generator.integers(0, len(names), n)],
        heads[2]: np.array([f"138-0000-{i % 10_000:04d}" for i in numbers], object),
        heads[3]: np.array([f"user{i}@example.com" for i in numbers], object),
        heads[4]: (start[wave] + day).astype("datetime64[ns]"),
        **dict(zip(heads[5:9], groups, strict=True)),
    }


def _items(
    generator: np.random.Generator, book: Codebook, factors: Array, shifts: Array
) -> dict[str, Array]:
    """Return the answers to the items, role by role."""
    sizes = [len(items) for items in book.constructs.values()]
    columns: dict[str, Array] = {}
    loading = np.repeat([LOADINGS[name] for name in book.constructs], sizes)
    for k, (role, means) in enumerate((("expectation", EXPECTED), ("perception", PERCEIVED))):
        level = np.array([means[name] for name in book.constructs]) + (shifts if k else 0)
        answers = generator.standard_normal((len(factors), len(loading)))
        answers *= np.sqrt(1 - loading**2)
        answers += loading * np.repeat(factors[:, k], sizes, axis=1)
        answers += np.repeat(np.atleast_2d(level), sizes, axis=1)
        answers = np.clip(np.floor(answers + 0.5), 1, 7)
        answers[generator.random(answers.shape) < MISSING] = np.nan
        columns |= dict(zip(book.columns(role), answers.T, strict=True))
    return columns


def _services(generator: np.random.Generator, n: int, english: int) -> NDArray[Any]:
    """Return the services that each respondent ticked, in one cell."""
    ticked = generator.random((n, len(SERVICES))) < [share for *_, share in SERVICES]
    names = [row[english] for row in SERVICES]
    cells = np.empty(2 ** len(names), object)
    for code in range(len(cells)):
        marked = [name for i, name in enumerate(names) if code >> i & 1]
        cells[code] = ";".join(marked) or None
    return cells[ticked @ (1 << np.arange(len(names)))]


def _comments(
    generator: np.random.Generator, pleased: NDArray[np.bool_], english: int
) -> tuple[NDArray[Any], int]:
    """Return a comment or None for each respondent, and how many tell how to reach a person."""
    n = len(pleased)
    written = generator.random(n) < COMMENTED
    theme = generator.choice(len(COMMENTS), n, p=[share for share, *_ in COMMENTS])
    ending = generator.integers(0, 3, n)
    sentence = generator.integers(0, 2, n)
    reach = generator.random(n)
    texts = np.array(
        [[[[s + (end if good else end[-1] if english else "。") for end in ENDINGS[english]]
           for s in row[1 + 2 * english + (not good)]] for good in (False, True)]
         for row in COMMENTS], object,
    )  # fmt: skip
    comments: Any = np.where(written, texts[theme, pleased.astype(int), sentence, ending], None)
    said = CALLS[english]
    for k, kind in enumerate(("phone", "address")):
        rows = np.flatnonzero(written & (reach >= k * REACHABLE / 2)
                              & (reach < (k + 1) * REACHABLE / 2))  # fmt: skip
        for i in rows.tolist():
            contact = f"1380000{(i + 1) % 10_000:04d}" if kind == "phone" else (
                f"user{i + 1}@example.com")  # fmt: skip
            comments[i] += (" " if english else "") + said[k].format(contact)
    return comments, int((written & (reach < REACHABLE)).sum())


def _shares(mean: Any, sd: float, low: int, high: int) -> Array:
    """Return the shares of the answers low..high of a rounded normal variable."""
    from scipy.special import ndtr

    cuts = np.arange(low + 0.5, high)
    passed = ndtr((np.asarray(mean)[..., None] - cuts) / sd)
    ends = np.ones((*passed.shape[:-1], 1))
    return -np.diff(np.concatenate([ends, passed, 0 * ends], axis=-1), axis=-1)


def _population(book: Codebook, of_branch: Array, english: int) -> dict[str, Any]:
    """Compute the true values: mixtures over branches (b), waves (w) and age groups (a)."""
    names = list(book.constructs)
    shifts = _shifts(names)
    of_wave = np.full(len(WAVES), 1 / len(WAVES))
    scale = np.arange(1, 8)
    expected = _shares([EXPECTED[name] for name in names], 1, 1, 7) @ scale
    perceived = _shares(np.array([PERCEIVED[name] for name in names]) + shifts, 1, 1, 7) @ scale
    gaps = perceived - expected  # b, w, d
    gaps = np.concatenate([gaps, gaps.mean(axis=2, keepdims=True)], axis=2)
    columns = [*names, "Overall"]

    def by_dimension(values: Array) -> dict[str, float]:
        return dict(zip(columns, values.tolist(), strict=True))

    branches, waves = ([row[english] for row in table] for table in (BRANCHES, WAVES))
    shares = {name: _outcome(name, names, shifts) for name in OUTCOMES}  # b, w, a, channels, answer
    of_age = np.array([share for *_, share, _, _ in AGES])
    of_channel = np.array([share for *_, share, _ in CHANNELS])
    recommended = np.einsum("bwacx,a,c->bwx", shares["recommendation"], of_age, of_channel)
    satisfied = np.einsum("bwacx,a,c->bwx", shares["satisfaction"], of_age, of_channel)
    nps = 100 * (recommended[..., 9:].sum(axis=-1) - recommended[..., :7].sum(axis=-1))
    top = satisfied[..., 3:].sum(axis=-1)
    ease = np.einsum("bwacx,b,w,a,x->c", shares["effort"], of_branch, of_wave, of_age, scale)

    def named(keys: list[str], values: Array) -> dict[str, float]:
        return dict(zip(keys, values.tolist(), strict=True))

    by_effect = sorted(EFFECTS.items(), key=lambda entry: -entry[1])
    return {
        "gap": by_dimension(np.einsum("bwd,b,w->d", gaps, of_branch, of_wave)),
        "gap_by_branch": dict(zip(branches, map(by_dimension, of_wave @ gaps), strict=True)),
        "gap_by_wave": dict(
            zip(waves, map(by_dimension, np.einsum("bwd,b->wd", gaps, of_branch)), strict=True)
        ),
        "nps": float(of_branch @ nps @ of_wave),
        "nps_by_branch": named(branches, nps @ of_wave),
        "nps_by_wave": named(waves, of_branch @ nps),
        "satisfied": float(of_branch @ top @ of_wave),
        "satisfied_by_wave": named(waves, of_branch @ top),
        "ease_by_channel": named([row[english] for row in CHANNELS], ease),
        "drivers": dict(by_effect),
        "services": {row[english]: row[2] for row in SERVICES},
        "themes": [share for share, *_ in COMMENTS],
    }


def _outcome(name: str, dimensions: list[str], shifts: Array) -> Array:
    """Return the shares of the answers (b, w, a, channels, answers) to a question on the whole."""
    low, high, mean, scale, of_age, sd = OUTCOMES[name]
    effects = np.array([EFFECTS[dimension] for dimension in dimensions])
    k = len(effects)
    within = np.full((k, k), FACTOR_CORR) + (1 - FACTOR_CORR) * np.eye(k)
    total = float(np.sqrt(scale**2 * (effects @ within @ effects) + sd**2))
    ages = np.array([shift for *_, shift in AGES])
    channels = np.array([shift for *_, shift in CHANNELS]) * (name == "effort")
    level = mean + scale * (shifts @ effects)[..., None, None]
    return _shares(level + of_age * ages[:, None] + channels, total, low, high)
