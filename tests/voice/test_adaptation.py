"""Adaptation without labels: the formula, what it must not depend on, and trades left out."""

import itertools

import numpy as np
import pytest
from scipy import sparse

import cxstats as cx
from cxstats.core.errors import CxError
from cxstats.core.normal_text import normalise_text
from cxstats.voice import adaptation
from cxstats.voice import sentiment_model as module
from cxstats.voice.adaptation import LEAST, adapted_scores, halves, self_trained
from cxstats.voice.classifier import decision, fit, text_features
from cxstats.voice.ngrams import text_keys
from tests.voice.small_models import labelled_texts, numbered_texts, own_model, reviews_model

BAR = 0.79  # accuracy in a trade left out
GAIN = 0.04  # least gain of the paired difference, at the lower end of its interval
CHOICE_COST = 0.005  # what the choice of rounds and weight may cost in any inner comparison


def rms(values):
    return np.sqrt(np.mean(np.square(values)))


def test_one_round_is_the_formula():
    """Six texts by hand: each text's words are weighed by the other half alone."""
    dense = np.array(
        [[1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 1, 0], [0, 1, 1]], dtype=float
    )
    scores, half = np.array([2.0, 1.0, -1.0, 0.5, -2.0, -0.5]), np.array([0, 0, 0, 1, 1, 1])
    learned = np.zeros(6)
    for i in range(6):
        others = half != half[i]
        positive = dense[others & (scores > 0)].sum(axis=0) + 1
        negative = dense[others & (scores <= 0)].sum(axis=0) + 1
        r = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
        learned[i] = np.sum(dense[i] * r) / np.sqrt(np.sum(dense[i] * r**2))
    expected = scores / rms(scores) + learned / rms(learned)
    adapted, _ = self_trained(sparse.csr_array(dense), scores, half, rounds=1)
    np.testing.assert_allclose(adapted, expected, rtol=1e-12)


def test_scores_without_information_stay():
    """No n-gram is shared: nothing is learned, and the scores are only scaled."""
    scores = np.array([1.0, -2.0, 3.0, -4.0])
    adapted, ratios = self_trained(sparse.csr_array(np.eye(4)), scores, np.array([0, 0, 1, 1]))
    np.testing.assert_allclose(adapted, scores / rms(scores))
    assert not ratios.any()


@pytest.mark.parametrize("scores", [np.zeros(6), np.ones(6), -np.ones(6)])
def test_calls_of_one_side_give_finite_scores(scores):
    features = text_features(["服务好", "服务好了", "房间好"] * 2)
    adapted, _ = self_trained(features.presence, scores, np.array([0, 1] * 3))
    assert np.isfinite(adapted).all()


def test_order_and_copies_do_not_matter():
    texts, scores = numbered_texts(400), np.random.default_rng(0).normal(size=400)
    adapted = adapted_scores(texts, scores)
    order = np.random.default_rng(1).permutation(400)
    again = adapted_scores([texts[i] for i in order], scores[order])
    np.testing.assert_allclose(again, adapted[order], rtol=1e-12)
    doubled = adapted_scores(texts * 2, np.tile(scores, 2))
    np.testing.assert_allclose(doubled, np.tile(adapted, 2), rtol=1e-12)


def test_copies_share_their_half():
    keys = text_keys(["服务很好", "服务很好!!", "服务 很好。", "服务很差"])
    assert len(set(halves(keys[:3]))) == 1
    assert set(halves(text_keys(numbered_texts(50)))) == {0, 1}


def test_texts_beyond_the_sample_are_scored_alike(monkeypatch):
    """With a sample of half of the texts, calls are nearly those of all of them."""
    texts, labels = numbered_texts(1_000), labelled_texts(1_000, 2)[1]
    scores = (2 * labels - 1) + np.random.default_rng(3).normal(0, 1.5, 1_000)
    complete = adapted_scores(texts, scores)
    monkeypatch.setattr(adaptation, "MOST", 500)
    sampled = adapted_scores(texts, scores)
    assert np.mean((complete > 0) == (sampled > 0)) > 0.95
    # The classifier alone is right in three quarters; its own words mend most of the rest.
    assert np.mean((scores > 0) == labels) < 0.8
    assert np.mean((sampled > 0) == labels) > 0.85


def test_adaptation_has_a_least_number_of_texts():
    texts = numbered_texts(LEAST)
    assert cx.sentiment(texts, model=reviews_model()).adapted
    assert not cx.sentiment(texts[:-1], model=reviews_model()).adapted
    assert not cx.sentiment(texts[:-1] * 2, model=reviews_model()).adapted  # copies count once
    assert not cx.sentiment(texts, model=reviews_model(), adapt=False).adapted
    assert not cx.sentiment(texts, model=reviews_model(), domain="hotel").adapted
    assert not cx.sentiment(texts, model=own_model()).adapted
    assert not cx.sentiment(["Fine"] * LEAST).adapted


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        (["服务很好"] * 400, {}, "there are 1 distinct Chinese texts; allowed: with at least 300"),
        (["Fine"], {}, "it is for Chinese texts"),
        (numbered_texts(300), {"domain": "hotel"}, "a domain is a trade that the classifier"),
        (numbered_texts(300), {"model": own_model()}, "a model of one's own"),
        (numbered_texts(300), {"adapt": "yes"}, "adapt='yes'; allowed: True, False or 'auto'"),
        (numbered_texts(300), {"adapt": 1}, "adapt=1; allowed"),
    ],
)
def test_what_cannot_be_adapted_is_refused(texts, options, message):
    with pytest.raises(CxError, match=message):
        cx.sentiment(texts, **{"adapt": True, "model": reviews_model(), **options})


def test_share_without_labels_does_not_stand_on_adapted_calls():
    """Error rates of adapted calls depend on the share that is looked for."""
    texts = numbered_texts(400)
    adapted, general = (
        cx.sentiment(texts, model=reviews_model(), adapt=adapt) for adapt in (True, False)
    )
    assert not np.allclose(adapted.texts["probability"], general.texts["probability"])
    for name in ("estimate", "ci_low", "ci_high"):
        assert adapted.total[name].item() == general.total[name].item()
    assert any("adapted itself" in note.en for note in adapted.notes)


def test_labels_do_not_move_the_adapted_calls():
    texts, labels = numbered_texts(400), labelled_texts(400, 2)[1]
    some = [int(label) if i < 60 else None for i, label in enumerate(labels)]
    with_labels = cx.sentiment(texts, model=reviews_model(), labels=some)
    without = cx.sentiment(texts, model=reviews_model())
    np.testing.assert_array_equal(with_labels.texts["probability"], without.texts["probability"])


@pytest.mark.slow
@pytest.mark.parametrize("domain", ["book", "hotel", "computer"])
def test_trades_left_out_reach_the_bar(domain):
    model = cx.sentiment_model("zh")
    adapted, general = (model.evaluation("out_of_domain", name) for name in ("adapted", "general"))
    inside = adapted.of(domain)
    hits = [
        ((entry.probabilities >= 0.5) == entry.labels)[inside].astype(float)
        for entry in (adapted, general)
    ]
    gain = hits[0] - hits[1]
    reach = 1.96 * gain.std() / np.sqrt(len(gain))
    ece = model.card.value("out_of_domain", domain, "adapted", "ece")
    print(f"{domain}: {hits[0].mean():.3f}, gain {gain.mean():.3f} -+ {reach:.3f}, ECE {ece:.3f}")
    assert hits[0].mean() >= BAR
    assert gain.mean() - reach > GAIN
    assert ece < 0.08
    assert f"{hits[0].mean():.3f}" in cx.sentiment_model.__doc__
    assert f"{hits[0].mean():.3f}".lstrip("0") in cx.sentiment.__doc__


def balanced_accuracy(scores, labels):
    return ((scores > 0)[labels == 1].mean() + (scores <= 0)[labels == 0].mean()) / 2


def mixed(rng, labels, share, size=1_500):
    """Return rows with a share of positive texts."""
    positive, negative = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    n_positive = round(share * size)
    rows = [rng.choice(positive, n_positive, False), rng.choice(negative, size - n_positive, False)]
    return rng.permutation(np.concatenate(rows))


@pytest.mark.slow
def test_rounds_and_weight_need_no_labels_of_the_trade_left_out():
    """Between the two other trades, no other choice is better by half a point."""
    reviews = cx.load_chinese_reviews(distinct=True)
    texts = [normalise_text(text) for text in reviews["text"]]
    features, y = text_features(texts), reviews["label"].to_numpy()
    domains, half = reviews["domain"].to_numpy(), halves(text_keys(texts))
    choices, accuracy = list(itertools.product((0.5, 1.0, 2.0), (1, 3, 6))), {}
    rng = np.random.default_rng(7)
    for source, target in itertools.permutations(np.unique(domains), 2):
        train, test = np.flatnonzero(domains == source), np.flatnonzero(domains == target)
        classifier = fit(features.rows(train), y[train], module.GENERAL)
        scores = decision(classifier, features.rows(test))
        for share in (0.2, 0.5, 0.8):
            rows = mixed(rng, y[test], share)
            presence, labels = features.presence[test[rows]], y[test[rows]]
            for weight, rounds in choices:
                options = {"weight": weight, "rounds": rounds}
                values = self_trained(presence, scores[rows], half[test[rows]], **options)[0]
                key = (frozenset((source, target)), weight, rounds)
                accuracy.setdefault(key, []).append(balanced_accuracy(values, labels))
    for pair in {key[0] for key in accuracy}:
        means = {choice: np.mean(accuracy[pair, *choice]) for choice in choices}
        print(sorted(pair), {choice: round(float(mean), 4) for choice, mean in means.items()})
        assert means[1.0, adaptation.ROUNDS] > max(means.values()) - CHOICE_COST
