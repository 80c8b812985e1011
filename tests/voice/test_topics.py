"""Topics: planted ones come back, noise has none, the formula of the paper, hostile texts."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.voice.topics import agreement
from tests.gallery.voice_aspects import hostile, noise

SUBJECTS = ("bath dirty smell water towel shower", "queue counter slow wait clerk line",
            "bread fruit coffee fresh buffet juice")  # fmt: skip
COMMON = "hotel day city people thing week"


def planted(n=200, seed=1):
    """Return texts with four words of one subject and a common one, and the subjects."""
    rng = np.random.default_rng(seed)
    subjects = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    texts = []
    for subject in subjects:
        words = rng.choice(SUBJECTS[subject].split(), 4, False)
        texts.append(" ".join([*words, rng.choice(COMMON.split())]))
    return texts, subjects


def test_agreement_is_that_of_the_paper():
    """Greene et al. (2014), example of average Jaccard: .154."""
    first, second = ["album", "music", "best", "award", "win"], ["sport", "best", "win", "medal"]
    place = {word: i for i, word in enumerate([*first, "sport", "medal"])}
    lists = ([place[w] for w in first], [place[w] for w in [*second, "award"]])
    assert agreement(*lists) == pytest.approx(0.154, abs=5e-4)
    assert agreement(*lists) == agreement(*lists[::-1])
    assert agreement([1, 2], [1, 2]) == 1
    assert agreement([1, 2], [3, 4]) == 0


def test_planted_topics_come_back_and_hold_their_texts():
    texts, subjects = planted()
    result = cx.topics(texts, n_resamples=200)
    stable = result.table[result.table["is_stable"]]
    for subject in range(3):
        rows = [
            row for row in stable.itertuples()
            if set(row.terms.split("; ")[:5]) <= set(SUBJECTS[subject].split())
        ]  # fmt: skip
        assert len(rows) == 1
    best = cx.topics(texts, 3, n_resamples=400)
    assert best.n_stable == 3
    for i, (share, row) in enumerate(zip((0.5, 0.3, 0.2), best.table.itertuples(), strict=True)):
        assert (best.of_text[subjects == i] == row.topic).mean() > 0.95
        assert row.ci_low <= share <= row.ci_high


def test_noise_has_no_stable_topics():
    result = cx.topics(noise(), 3, n_resamples=50)
    assert result.n_stable == 0
    assert "no stable topics" in result.summary("en")
    assert result.kinds == ()
    with pytest.raises(cx.CxError, match="has no chart"):
        result.plot()
    assert result.counts().tolist() == [60]


@pytest.mark.slow
def test_noise_seldom_has_stable_topics():
    """Of 20 sets of texts without topics none had a stable topic; .05 each is what is aimed at."""
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        p = 1 / np.arange(1, 81) ** 0.8
        words = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(80)]
        texts = [" ".join(rng.choice(words, 8, p=p / p.sum())) for _ in range(200)]
        hits += cx.topics(texts, 4, n_resamples=20, seed=seed).n_stable > 0
    assert hits <= 4


def test_the_order_of_texts_and_the_seed_change_little():
    texts, _ = planted()
    first = cx.topics(texts, 3, n_resamples=100).table
    again = cx.topics(texts, 3, n_resamples=100).table
    pd.testing.assert_frame_equal(first, again)
    other = cx.topics(texts[::-1], 3, n_resamples=100, seed=9).table
    assert other["n"].tolist() == first["n"].tolist()


def test_counts_are_pain_points():
    texts, _ = planted()
    result = cx.topics([*texts, "", None], 3, n_resamples=100)
    for lang, rest in (("en", "no topic"), ("zh", "无主题")):
        counts = result.counts(lang)
        assert counts.sum() == 202
        assert counts[rest] == 2
        points = cx.pain_points(counts, kind="counts", other=rest)
        assert points.table["cause"].iloc[-1] == rest
        assert points.table["count"].iloc[0] == counts.iloc[0]


def test_representative_texts_are_masked_and_cut():
    texts = [f"dirty bathroom smell 1380013{i:04d} Mr Smith" for i in range(30)]
    texts += [f"queue counter slow me{i}@example.org " + "queue " * 100 for i in range(30)]
    result = cx.topics(texts, 2, n_resamples=50)
    shown = " ".join(result.representative["text"])
    assert "[phone]" in shown
    assert "[e-mail]" in shown
    assert not any(secret in shown for secret in ("1380013", "example.org", "Smith"))
    assert result.representative["text"].str.len().max() <= 200
    assert result.n_masked > 0
    assert any("masked" in note.en for note in result.notes)


def test_hostile_texts_and_exports(tmp_path):
    result = cx.topics(hostile(), 3, n_resamples=50)
    path = result.export(tmp_path / "topics.html")
    assert "<script>" not in path.read_text(encoding="utf-8")
    assert "13800138000" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        (["a b"] * 5, {}, "0 texts have a word that stands in 5 texts or more; at least 20"),
        (["dirty room"] * 30, {"most": 1}, "2 words: too few for 2 topics"),
        (["dirty"] * 30, {"k": 1}, "k=1; allowed: whole numbers from 2 to 30"),
        (["dirty"] * 30, {"k": 2.5}, "k=2.5; allowed"),
        (["dirty"] * 30, {"least": 0}, "least=0; allowed"),
        (["dirty"] * 30, {"most": 0}, "most=0; allowed: shares above 0"),
        (["dirty"] * 30, {"n_resamples": 0}, "n_resamples is 0"),
        ([], {}, "there are no texts"),
        ("text", {}, "texts is 'text'; allowed: a list"),
    ],
)
def test_what_is_refused(texts, options, message):
    with pytest.raises(cx.CxError, match=message):
        cx.topics(texts, **options)
