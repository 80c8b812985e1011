"""Aspects: which texts name them, shares and differences against formulas, hostile texts."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats

import cxstats as cx
from cxstats.datasets.loaders import load_chinese_reviews
from cxstats.stats.intervals import wilson_interval
from cxstats.voice.lexicon import read_lexicon

WIFI = {"wifi": ["wi-fi", "network", "网络", "!网络小说"], "story": ["story"], "staff": ["staff"]}
NAMED = [
    ("The Wi-Fi is slow", "wifi"), ("wi fi", "wifi"), ("NETWORKS", "wifi"), ("网络很慢", "wifi"),
    ("网络小说很好看", None), ("网络小说，但网络慢", "wifi"), ("networking event", None),
    ("stories", "story"), ("the story.", "story"), ("history", None), ("storey", None),
    ("staffed", None), ("staff's", "staff"), ("ＳＴＡＦＦ", "staff"), ("No staff!", "staff"),
    ("", None), ("😀", None), ("<b>staff</b>", "staff"), ("=staff()", "staff"),
]  # fmt: skip
# Hotel aspects of the Chinese reviews: share positive as published with its interval, or with
# Wilson's interval of the published share and n.
PUBLISHED = {
    "booking": (0.239, 0.302),
    "location": (0.653, 0.723),
    "staff": wilson_interval(0.377, 953, 0.95),
    "bathroom": wilson_interval(0.372, 443, 0.95),
    "price": wilson_interval(0.518, 926, 0.95),
    "check-out": (0.215, 0.303),
}
PUBLISHED_BASE = wilson_interval(0.436, 5560, 0.95)


@pytest.mark.parametrize(("text", "aspect"), NAMED)
def test_terms_are_read(text, aspect):
    table = cx.aspects([text], lexicon=WIFI).table.set_index("aspect")
    assert table.index[table["n"] == 1].tolist() == ([aspect] if aspect else [])


def test_servers_are_no_service_and_traditional_characters_are_read():
    table = cx.aspects(["服务器", "服务很好", "服務態度"], lexicon="shop").table.set_index("aspect")
    assert table.loc["service", "n"] == 2
    table = cx.aspects(["服務員", "退房", "早點睡"], lexicon="hotel").table.set_index("aspect")
    assert table.loc[["staff", "check-out", "breakfast"], "n"].tolist() == [1, 1, 0]


def test_numbers_are_those_of_the_formulas():
    names = [True] * 30 + [False] * 70
    positive = [1] * 10 + [0] * 20 + [1] * 50 + [0] * 20
    texts = ["staff" if each else "nice" for each in names]
    row = cx.aspects(texts, positive, lexicon={"staff": ["staff"]}).table.iloc[0]
    assert row["n"] == 30
    assert row["share"] == 0.3
    assert row["estimate"] == pytest.approx(1 / 3)
    assert row["p_value"] == pytest.approx(stats.fisher_exact([[10, 20], [50, 20]]).pvalue)
    assert row["difference"] == pytest.approx(10 / 30 - 50 / 70)
    low, high = (w.item() for w in map(np.asarray, wilson_interval(1 / 3, 30, 0.95)))
    other_low, other_high = (w.item() for w in map(np.asarray, wilson_interval(5 / 7, 70, 0.95)))
    newcombe = row["difference"] - np.hypot(1 / 3 - low, other_high - 5 / 7)
    assert row["difference_ci_low"] == pytest.approx(newcombe)
    assert row["difference_ci_high"] == pytest.approx(
        row["difference"] + np.hypot(high - 1 / 3, 5 / 7 - other_low)
    )


def test_probabilities_have_means_and_welch():
    rng = np.random.default_rng(2)
    p = rng.random(60)
    texts = ["staff"] * 20 + ["x"] * 40
    result = cx.aspects(texts, p, lexicon={"staff": ["staff"]})
    row = result.table.iloc[0]
    assert result.kind == "probability"
    assert row["estimate"] == pytest.approx(p[:20].mean())
    expected = stats.ttest_ind(p[:20], p[20:], equal_var=False)
    assert row["p_value"] == pytest.approx(expected.pvalue)
    low, high = stats.t.interval(0.95, 19, p[:20].mean(), stats.sem(p[:20]))
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([low, high])
    assert any("classifier" in note.en for note in result.notes)


def test_sentences_give_each_text_one_value():
    sentences = ["staff kind", "staff rude", "room", "staff kind", "room"]
    result = cx.aspects(
        sentences, [0.9, 0.1, 0.8, 0.7, 0.2], text_of=[1, 1, 2, 3, 3],
        lexicon={"staff": ["staff"], "room": ["room"]},
    )  # fmt: skip
    assert result.n == 3
    assert result.table["estimate"].tolist() == pytest.approx([(0.5 + 0.7) / 2, (0.8 + 0.2) / 2])
    assert result.base["estimate"].iloc[0] == pytest.approx((0.5 + 0.8 + 0.45) / 3)


def test_differences_are_not_found_where_there_are_none():
    """Of 200 sets in which naming says nothing, an adjusted p below .05 is rare in any."""
    rng = np.random.default_rng(1)
    lexicon = {word: [word] for word in ("ape", "bee", "cat", "dog", "eel")}
    hits = 0
    for _ in range(200):
        texts = [" ".join(w for w in lexicon if rng.random() < 0.3) for _ in range(80)]
        result = cx.aspects(texts, rng.random(80) < 0.4, lexicon=lexicon)
        hits += bool((result.table["p_adjusted"] < 0.05).any())
    assert hits <= stats.binom.ppf(0.999, 200, 0.05)


@pytest.mark.slow
def test_intervals_cover():
    """Share positive .3 among naming texts, .6 among others; 2,000 samples of 150 texts."""
    rng = np.random.default_rng(3)
    covered = np.zeros(3)
    for _ in range(2_000):
        names = rng.random(150) < 0.25
        positive = rng.random(150) < np.where(names, 0.3, 0.6)
        texts = np.where(names, "staff", "x").tolist()
        row = cx.aspects(texts, positive, lexicon={"staff": ["staff"]}).table.iloc[0]
        covered += [
            row["share_ci_low"] <= 0.25 <= row["share_ci_high"],
            row["ci_low"] <= 0.3 <= row["ci_high"],
            row["difference_ci_low"] <= -0.3 <= row["difference_ci_high"],
        ]
    assert (np.abs(covered / 2_000 - 0.95) < 0.015).all()


@pytest.fixture(scope="module")
def hotels():
    reviews = load_chinese_reviews(distinct=True)
    return reviews[reviews["domain"] == "hotel"]


def test_hotel_aspects_are_those_published(hotels):
    result = cx.aspects(hotels, "label", column="text", lexicon="hotel")
    table = result.table.set_index("aspect")
    low, high = PUBLISHED_BASE
    assert low <= result.base["estimate"].iloc[0] <= high
    for aspect, (low, high) in PUBLISHED.items():
        assert low <= table.loc[aspect, "estimate"] <= high, aspect


def test_counts_feed_the_emotion_curve(hotels):
    result = cx.aspects(hotels, "label", column="text", lexicon="hotel")
    counts = result.by_touchpoint({"arrive": ["front desk", "booking"], "leave": "check-out"})
    stages = [{"name": "stay", "touchpoints": ["arrive", "leave"]}]
    curve = cx.journey({"stages": stages}).emotion_curve_from_counts(**counts)
    checked_out = result.table.set_index("aspect").loc["check-out"]
    assert curve.table["estimate"].iloc[1] == pytest.approx(checked_out["estimate"])
    row = result.table.set_index("aspect")
    assert counts.loc["arrive", "n"] < row.loc[["front desk", "booking"], "n"].sum()


def test_any_engine_and_any_dtype():
    texts, labels = ["staff", "room", None, "staff room"], [1, 0, None, 1]
    lexicon = {"staff": ["staff"], "room": ["room"]}
    expected = cx.aspects(texts, labels, lexicon=lexicon).table
    frame = pd.DataFrame({"t": texts, "y": labels}, index=[5, 5, 6, 7])
    for table in (
        frame, frame.convert_dtypes(), frame.convert_dtypes(dtype_backend="pyarrow"),
        frame.astype({"t": "category"}), pl.DataFrame({"t": texts, "y": labels}),
    ):  # fmt: skip
        got = cx.aspects(table, "y", column="t", lexicon=lexicon).table
        pd.testing.assert_frame_equal(got, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"polarity": [1, 2]}, r"polarity, row 1: 2; allowed: 1 \(positive\), 0 \(negative\)"),
        ({"polarity": [1, "good"]}, "polarity, row 1: 'good'"),
        ({"polarity": [1]}, "polarity has 1 values for 2 texts"),
        ({"polarity": [None, None]}, "polarity has no value"),
        ({"polarity": "y"}, "names a column, but the texts are no table"),
        ({"lexicon": "resort"}, "allowed: 'touchpoints', 'hotel', 'shop', 'bank', a .csv"),
        ({"lexicon": {}}, "has no terms"),
        ({"lexicon": {"a": "term"}}, "lexicon, aspect 'a': terms are 'term'; allowed: a list"),
        ({"lexicon": {"a": [5]}}, "term 5; allowed: at most 100 characters"),
        ({"lexicon": {"": ["x"]}}, "an aspect needs a name"),
        ({"lexicon": 5}, "lexicon=5; allowed"),
        ({"lexicon": {"a": ["脏"]}, "lang": "en"}, "has no terms in 'en'"),
        ({"lang": "fr"}, "lang='fr'"),
        ({"adjustment": "none"}, "adjustment='none'; allowed: 'holm', 'fdr_bh'"),
        ({"level": 2}, "level is 2"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(cx.CxError, match=message):
        cx.aspects(["a", "b"], **options)


def test_a_file_of_terms(tmp_path):
    path = tmp_path / "terms.csv"
    path.write_text("aspect,aspect_zh,terms\npool,泳池,pool;泳池;!car pool\n", encoding="utf-8-sig")
    result = cx.aspects(["a pool", "car pool", "泳池"], lexicon=path)
    assert result.table["n"].tolist() == [2]
    assert result.names("zh") == ["泳池"]
    path.write_text("aspect,words\npool,pool\n", encoding="utf-8")
    with pytest.raises(cx.DataError, match=r"terms.csv has no column 'terms'; columns: aspect, w"):
        cx.aspects(["a"], lexicon=path)
    with pytest.raises(cx.DataError, match=r"none.csv: No such file.*allowed: a .csv in UTF-8"):
        cx.aspects(["a"], lexicon=tmp_path / "none.csv")
    path.write_bytes(b"aspect,terms\npool,\xff\xfe\n")
    with pytest.raises(cx.DataError, match=r"allowed: a .csv in UTF-8"):
        cx.aspects(["a"], lexicon=path)


def test_every_shipped_aspect_has_terms_in_both_languages():
    for domain in ("hotel", "shop", "bank", "touchpoints"):
        names = {lang: {a.name.en for a in read_lexicon(domain, lang)} for lang in ("en", "zh")}
        assert names["en"] == names["zh"]


def test_errors_of_by_touchpoint():
    result = cx.aspects(["staff"], [1], lexicon="hotel")
    with pytest.raises(
        cx.CxError, match="touchpoint 'x': 'stafff' is no aspect; did you mean 'staff'"
    ):
        result.by_touchpoint({"x": ["stafff"]})
    with pytest.raises(cx.CxError, match="these aspects have no polarity"):
        cx.aspects(["staff"], lexicon="hotel").by_touchpoint()


def test_enormous_and_hostile_texts_are_data():
    result = cx.aspects(
        ["staff " * 16_000_000, "\u202estaff\x00", "=HYPERLINK(1)"], lexicon="hotel"
    )
    assert result.table.set_index("aspect").loc["staff", "n"] == 2
    assert any("very long" in note.en for note in result.notes)
