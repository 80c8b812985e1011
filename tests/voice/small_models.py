"""Small models for tests: seconds instead of half a minute, and as wrong as small models are."""

from functools import cache

import numpy as np

import cxstats as cx
from cxstats.voice.sentiment_model import train_on_reviews

GOOD = ["服务很好", "房间干净", "早餐丰富", "位置方便", "推荐大家", "非常满意"]
BAD = ["服务很差", "房间太脏", "早餐难吃", "位置偏僻", "不会再来", "非常失望"]


@cache
def reviews_model(n=900):
    """Return the model of a few reviews of each trade."""
    reviews = cx.load_chinese_reviews(distinct=True).sample(n, random_state=1)
    lines = cx.load_chinese_reviews()
    lines = lines[lines["copy_group"].isin(reviews["copy_group"])]
    return train_on_reviews(lines, reviews)


def labelled_texts(n=120, seed=0):
    """Return texts made of good or bad sentences, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    texts = [
        "，".join(rng.choice(GOOD if label else BAD, 2)) + f"，第{i}次来" + "。" * (i % 3)
        for i, label in enumerate(labels)
    ]
    return texts, labels


def numbered_texts(n, seed=2):
    """Return texts of which no two are copies."""
    return [f"{text}，编号{i}" for i, text in enumerate(labelled_texts(n, seed)[0])]


@cache
def own_model():
    """Return a model trained on made texts."""
    return cx.train_sentiment(*labelled_texts())
