"""Items in constructs: by what their names share, else by their correlations; items worded against.

Both are proposals. In real data constructs correlate, so that correlations alone often do not
tell them apart; names do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.survey.draft.headings import is_global, number_of, stem_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_ROWS = 2_000  # of the answers that correlations are from: enough for a proposal
MOST_TOGETHER = 400  # items whose correlations are looked at together
LARGE = 8  # items of one stem above which it may be a whole questionnaire
ENOUGH = 30  # answers from which a correlation says something
NEAR = 0.05  # difference of mean correlations that says nothing
REVERSED, DOUBTFUL = -0.2, -0.05  # correlation with the others of the construct
SERVQUAL = {
    "Tangibles": range(0, 4), "Reliability": range(4, 9), "Responsiveness": range(9, 13),
    "Assurance": range(13, 17), "Empathy": range(17, 22),
}  # fmt: skip
DIMENSIONS: dict[str, tuple[str, str]] = {
    "Tangibles": (
        "equipment|facilit|premises|appear|clean|dress|building|environment|layout|tangib|visual",
        "设备|设施|环境|仪表|着装|整洁|外观|场所|硬件|资料|界面|干净|有形|卫生|装修|布局",
    ),
    "Reliability": (
        "promise|reliab|first time|on time|accura|record|depend|error|schedule",
        "承诺|可靠|准时|按时|准确|记录|一次|差错|无误|守信|如期|兑现",
    ),
    "Responsiveness": (
        "prompt|quick|speed|fast|respons|willing|wait|busy|when .* perform",
        "及时|迅速|快|响应|乐于|乐意|等待|排队|速度|效率|告知|再忙|主动",
    ),
    "Assurance": (
        "trust|confiden|safe|secur|polite|courte|knowledge|competen|profession|assur",
        "信任|信赖|安全|放心|礼貌|专业|知识|保证|能力|友善|胜任|解答",
    ),
    "Empathy": (
        "individual|personal|attention|care|understand|interest|convenien|hours|empath|needs",
        "关心|个性|关注|理解|需求|需要|利益|营业时间|服务时间|移情|体贴|关照|着想|个别|方便",
    ),
}
CHINESE = {
    "Tangibles": "有形性", "Reliability": "可靠性", "Responsiveness": "响应性",
    "Assurance": "保证性", "Empathy": "移情性",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Construct:
    """A proposed construct.

    Attributes
    ----------
    name : str
        Empty where nothing names it.
    items : tuple of str
    by : {"stem", "number", "correlation", "servqual", "all"}
    within : float
        Mean correlation of its items, turned to one direction; NaN where there is none.
    doubt : bool
    """

    name: str
    items: tuple[str, ...]
    by: str
    within: float = np.nan
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class Reversals:
    """Items that go against the others of their construct, and how they correlate with them."""

    reverse: dict[str, float] = field(default_factory=dict)
    doubtful: dict[str, float] = field(default_factory=dict)


def correlations(answers: Array) -> Array:
    """Return correlations (p, p) of answers (n, p), each from the rows that have both.

    Means and variances are those of all answers to an item; a correlation of an item without
    variance, or of fewer than three rows, is 0.
    """
    has = np.isfinite(answers)
    n = np.maximum(has.sum(axis=0), 1)
    means = np.where(has, answers, 0).sum(axis=0) / n
    centred = np.where(has, answers - means, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / n)
    scores = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    pairs = has.T.astype(float) @ has
    r = np.divide(scores.T @ scores, pairs, out=np.zeros((len(n), len(n))), where=pairs > 2)
    np.fill_diagonal(r, 1.0)
    limited: Array = np.clip(r, -1, 1)
    return limited


def n_factors(r: Array, n: int) -> int:
    """Return how many factors correlations (p, p) of n respondents have; at least 1.

    The empirical Kaiser criterion: eigenvalue j counts while it exceeds

        max(1, (p - sum of the eigenvalues before) / (p - j + 1) * (1 + sqrt(p / n))^2).

    References
    ----------
    Braeken, J., & van Assen, M. A. L. M. (2017). An empirical Kaiser criterion. *Psychological
    Methods*, 22(3), 450-466.

    Examples
    --------
    >>> blocks = np.kron(np.eye(2), np.full((3, 3), 0.6)) + 0.4 * np.eye(6)
    >>> n_factors(blocks, 300)
    2
    """
    eigenvalues = np.sort(np.linalg.eigvalsh(r))[::-1]
    p, before, count = len(r), 0.0, 0
    for j, value in enumerate(eigenvalues):
        reference = (p - before) / (p - j) * (1 + np.sqrt(p / n)) ** 2
        if value <= max(1.0, reference):
            break
        before, count = before + value, count + 1
    return max(1, count)


def clusters(r: Array, k: int) -> NDArray[np.intp]:
    """Return the factor (p,) on which each item loads most, of k principal components.

    Loadings are rotated by Kaiser's varimax, with rows of length 1.

    Examples
    --------
    >>> blocks = np.kron(np.eye(2), np.full((3, 3), 0.6)) + 0.4 * np.eye(6)
    >>> labels = clusters(blocks, 2)
    >>> len(set(labels[:3])), len(set(labels[3:])), labels[0] == labels[3]
    (1, 1, np.False_)
    """
    values, vectors = np.linalg.eigh(r)
    loadings = vectors[:, ::-1][:, :k] * np.sqrt(np.maximum(values[::-1][:k], 0))
    lengths = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    rows = np.divide(loadings, lengths, out=np.zeros_like(loadings), where=lengths > 0)
    turn, criterion = np.eye(k), 0.0
    for _ in range(200):
        rotated = rows @ turn
        target = rotated**3 - rotated * (rotated**2).mean(axis=0)
        u, sizes, v = np.linalg.svd(rows.T @ target)
        turn = u @ v
        if sizes.sum() <= criterion * (1 + 1e-9):
            break
        criterion = float(sizes.sum())
    labels: NDArray[np.intp] = np.abs(rows @ turn).argmax(axis=1)
    return labels


def rows_of(n: int) -> slice:
    """Return which of n rows correlations are from: all, or evenly spaced ones."""
    return slice(None, None, max(1, n // MOST_ROWS))


def propose_constructs(
    items: Sequence[str], answers: Sequence[Array], texts: dict[str, str]
) -> tuple[list[Construct], list[str]]:
    """Return constructs of items on one scale, and items that belong to none.

    Parameters
    ----------
    items : sequence of str
        p items in the order of the questionnaire.
    answers : sequence of array (n, p)
        One a role; their correlations are averaged.
    texts : dict of str to str
        Item to the text of its question.
    """
    order = {item: j for j, item in enumerate(items)}
    constructs: list[Construct] = []
    single = [item for item in items if is_global(item)]
    stems: dict[tuple[str, str], list[str]] = {}
    for item in items:
        if item not in single:
            stems.setdefault(_stem(item, texts), []).append(item)
    loose = list(stems.pop(("", ""), []))
    for (by, name), members in stems.items():
        split = len(members) > LARGE and sum(len(m) > 1 for m in stems.values()) == 1
        if len(members) == 1 or split:
            loose += members
        else:
            constructs.append(Construct(name, tuple(members), by))
    loose.sort(key=order.__getitem__)
    if len(loose) == 22 and len(answers) > 1 and not constructs:
        standard = [
            Construct(name, tuple(loose[i] for i in places), "servqual", doubt=True)
            for name, places in SERVQUAL.items()
        ]
        by_correlation = _by_correlation(loose, [a[:, [order[i] for i in loose]] for a in answers])
        if _within(standard, answers, order) > _within(by_correlation[0], answers, order) - NEAR:
            constructs, loose = standard, []
    for start in range(0, len(loose), MOST_TOGETHER):
        piece = loose[start : start + MOST_TOGETHER]
        if len(piece) < 3:
            single += piece
            continue
        proposed, alone = _by_correlation(piece, [a[:, [order[i] for i in piece]] for a in answers])
        constructs += proposed
        single += alone
    constructs = [_with_correlation(c, answers, order) for c in constructs]
    constructs.sort(key=lambda construct: order[construct.items[0]])
    return constructs, sorted(single, key=order.__getitem__)


def _stem(item: str, texts: dict[str, str]) -> tuple[str, str]:
    number = number_of(item)
    if number:
        heading = stem_of(item)
        return ("stem", heading) if heading and not number_of(texts.get(item, "")) else ("", "")
    if stem := stem_of(item):
        return "stem", stem
    return "", ""


def _by_correlation(items: list[str], answers: list[Array]) -> tuple[list[Construct], list[str]]:
    n = min(int(np.isfinite(a).any(axis=1).sum()) for a in answers)
    r = np.mean([correlations(a[rows_of(len(a))]) for a in answers], axis=0)
    if n < ENOUGH:
        return [Construct("", tuple(items), "all", doubt=True)], []
    labels = clusters(r, n_factors(r, n))
    constructs, alone = [], []
    for factor in dict.fromkeys(labels.tolist()):
        members = [items[j] for j in np.flatnonzero(labels == factor)]
        if len(members) == 1:
            alone += members
        else:
            constructs.append(Construct("", tuple(members), "correlation", doubt=True))
    return constructs, alone


def _within(proposed: list[Construct], answers: Sequence[Array], order: dict[str, int]) -> float:
    """Return the mean correlation within some constructs."""
    return float(np.nanmean([_with_correlation(c, answers, order).within for c in proposed]))


def _with_correlation(
    construct: Construct, answers: Sequence[Array], order: dict[str, int]
) -> Construct:
    places = [order[item] for item in construct.items]
    r = np.mean([correlations(a[rows_of(len(a))][:, places]) for a in answers], axis=0)
    signs = _signs(r)
    k = len(places)
    turned = r * np.outer(signs, signs)
    within = (turned.sum() - k) / (k * (k - 1)) if k > 1 else np.nan
    doubt = construct.doubt or (k > 1 and within < 0.15)
    return Construct(construct.name, construct.items, construct.by, float(within), doubt)


def _signs(r: Array) -> Array:
    """Return 1 or -1 (k,): the direction of each item on the first component; most have 1."""
    vector = np.linalg.eigh(r)[1][:, -1]
    signs = np.where(vector < 0, -1.0, 1.0)
    return signs if signs.sum() >= 0 else -signs


def reversals(items: Sequence[str], answers: Array) -> Reversals:
    """Return the items of a construct that correlate negatively with the others, these aligned.

    Parameters
    ----------
    items : sequence of str
        k items.
    answers : array (n, k)
    """
    answers = answers[rows_of(len(answers))]
    if len(items) < 3 or np.isfinite(answers).all(axis=1).sum() < ENOUGH:
        return Reversals()
    r = correlations(answers)
    signs = _signs(r)
    reverse, doubtful = {}, {}
    with_sum = r @ signs  # covariance of each item with the sum of all, these aligned
    variance_of_others = signs @ with_sum - 2 * signs * with_sum + 1
    spread = np.sqrt(np.maximum(variance_of_others, 1e-12))
    for item, r_others in zip(items, ((with_sum - signs) / spread).tolist(), strict=True):
        if r_others < REVERSED:
            reverse[item] = r_others
        elif r_others < DOUBTFUL:
            doubtful[item] = r_others
    if len(reverse) > len(items) / 2:
        return Reversals({}, {**reverse, **doubtful})
    return Reversals(reverse, doubtful)


def dimension_of(items: Sequence[str], texts: dict[str, str]) -> str:
    """Return the SERVQUAL dimension that most of some items speak of; empty where none does.

    Examples
    --------
    >>> dimension_of(["a", "b"], {"a": "设备先进", "b": "环境整洁"}), dimension_of(["a"], {})
    ('Tangibles', '')
    """
    votes = dict.fromkeys(DIMENSIONS, 0)
    for item in items:
        text = texts.get(item, item).casefold()
        for name, (english, chinese) in DIMENSIONS.items():
            votes[name] += bool(re.search(english, text) or re.search(chinese, text))
    ranked = sorted(votes.items(), key=lambda vote: -vote[1])
    clear = ranked[0][1] > ranked[1][1] and 2 * ranked[0][1] >= len(items)
    return ranked[0][0] if clear else ""


def name_of(construct: Construct, texts: dict[str, str], lang: str, taken: Any) -> tuple[str, bool]:
    """Return a construct's name, of which none stands twice, and whether its items suggested it."""
    hint = "" if construct.name else dimension_of(construct.items, texts)
    base = construct.name or hint
    base = CHINESE.get(base, base) if lang == "zh" else base
    if base and base != "Overall" and base not in taken:
        return base, bool(hint)
    word = base or ("维度" if lang == "zh" else "Construct")
    number = next(i for i in count(2 if base else 1) if f"{word} {i}" not in taken)
    return f"{word} {number}", bool(hint)
