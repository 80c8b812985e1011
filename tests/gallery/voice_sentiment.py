"""Sentiment and model cards: clean, and with all that can be doubtful."""

import numpy as np

import cxstats as cx
from tests.gallery import Case
from tests.voice.small_models import labelled_texts, numbered_texts, own_model, reviews_model

HOSTILE = [
    "房间很好，服务员热情",
    "=1+1",
    None,
    5,
    "這個酒店的服務態度很差，房間裏面有異味",
    "Terrible, not worth it",
    "<script>alert(1)</script>",
    "привет",
    "🙂",
    "好" * 10_001,
]


def with_labels(n_labels=60):
    """Return sentiment of two groups, some texts labelled."""
    texts, labels = labelled_texts(200, seed=3)
    some = [label if i < n_labels else None for i, label in enumerate(labels.tolist())]
    groups = np.where(np.arange(200) % 2, "Beijing", "Shanghai")
    return cx.sentiment(texts, labels=some, by=groups, model=reviews_model())


def biased():
    """Return sentiment whose labelled texts are all of one side, in one of two groups."""
    texts, labels = labelled_texts(300, seed=4)
    some = [1 if label and i < 120 else None for i, label in enumerate(labels.tolist())]
    groups = np.where(np.arange(300) < 150, "A", "B")
    return cx.sentiment(texts, labels=some, by=groups, model=reviews_model())


def few_labels():
    """Return sentiment of two groups, one of which has ten labels."""
    texts, labels = labelled_texts(200, seed=3)
    some = [label if i % 2 or i < 20 else None for i, label in enumerate(labels.tolist())]
    groups = np.where(np.arange(200) % 2, "Beijing", "Shanghai")
    return cx.sentiment(texts, labels=some, by=groups, model=reviews_model())


CASES = {
    "Sentiment/out of domain": Case(
        lambda: cx.sentiment(labelled_texts(100, 2)[0], model=reviews_model())
    ),
    "Sentiment/adapted": Case(lambda: cx.sentiment(numbered_texts(400), model=reviews_model())),
    "Sentiment/groups with few labels": Case(few_labels, ("Beijing", "Shanghai")),
    "Sentiment/in domain": Case(
        lambda: cx.sentiment(labelled_texts(100, 2)[0], model=reviews_model(), domain="hotel")
    ),
    "Sentiment/labels": Case(with_labels, ("Beijing", "Shanghai")),
    "Sentiment/biased labels": Case(biased, ("A", "B")),
    "Sentiment/own model": Case(lambda: cx.sentiment(labelled_texts(50)[0], model=own_model())),
    "Sentiment/English": Case(lambda: cx.sentiment(["Great!", "Bad", "We came by train"])),
    "Sentiment/hostile": Case(lambda: cx.sentiment(HOSTILE, model=reviews_model())),
    "ModelCard/reviews": Case(lambda: reviews_model().card),
    "ModelCard/own": Case(lambda: own_model().card),
}
