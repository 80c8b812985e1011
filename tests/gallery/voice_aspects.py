"""Aspects, key phrases and topics: clean, and with all that can be doubtful."""

import numpy as np

import cxstats as cx
from tests.gallery import Case

SENTENCES = {
    0: ["dirty bathroom, smell of smoke", "bathroom dirty and cold water", "smell in the bathroom"],
    1: ["long queue at the counter", "queue slow, counter closed", "slow counter"],
    2: ["lovely breakfast buffet", "breakfast fresh fruit", "fresh buffet"],
}


def texts(n=120, seed=1):
    """Return texts of three subjects and whether each is positive."""
    rng = np.random.default_rng(seed)
    subjects = rng.integers(0, 3, n)
    lines = [str(rng.choice(SENTENCES[s])) for s in subjects]
    return lines, (rng.random(n) < np.where(subjects == 2, 0.9, 0.3)).astype(int).tolist()


def hostile():
    """Return texts with gaps, formulas, markup, personal data and far too many characters."""
    lines, _ = texts(40)
    return [*lines, None, "", "=1+1", "<script>bathroom</script>", "\u202ebathroom 13800138000",
            "bathroom " * 5_000, "\x00\ud800 \U0001f600"]  # fmt: skip


def noise(seed=1):
    """Return texts without topics."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(["room", "bed", "desk", "lamp", "door", "wall"], 3))
            for _ in range(60)]  # fmt: skip


def phrases(**options):
    """Return phrases of negative against positive texts."""
    lines, positive = texts()
    groups = [[t for t, p in zip(lines, positive, strict=True) if p == side] for side in (0, 1)]
    return cx.key_phrases(*groups, **options)


TERMS = tuple(
    word for lines in SENTENCES.values() for line in lines for word in line.replace(",", "").split()
)  # fmt: skip

CASES = {
    "Aspects/clean": Case(lambda: cx.aspects(*texts(), lexicon="hotel")),
    "Aspects/named only": Case(lambda: cx.aspects(texts()[0], lexicon="bank")),
    "Aspects/doubtful": Case(
        lambda: cx.aspects(
            hostile(), [0.5] * 40 + [None, 0, 1, 1, 0.2, 0.3, 1], lexicon="touchpoints",
            adjustment="fdr_bh", synthetic=True,
        )
    ),
    "KeyPhrases/clean": Case(phrases, TERMS),
    "KeyPhrases/one group": Case(lambda: cx.key_phrases(hostile(), synthetic=True), TERMS),
    "KeyPhrases/none": Case(lambda: cx.key_phrases(["a"], ["服务"], names=("A", "B"))),
    "Topics/clean": Case(lambda: cx.topics(texts()[0], 3, n_resamples=100), TERMS),
    "Topics/doubtful": Case(
        lambda: cx.topics(hostile(), 4, n_resamples=100, synthetic=True), TERMS
    ),
    "Topics/none": Case(lambda: cx.topics(noise(), 3, n_resamples=100), TERMS),
}  # fmt: skip
