import pytest

import cxstats as cx
from cxstats.stats.weights import check_weights

BAD = [
    ({"a": 1, "c": 0}, {}, "'c' is not known; allowed: a, b"),
    ({"a": 1}, {}, "'b' has none; give 0 if it shall not count"),
    ({"a": 2, "b": -1}, {}, "'b' has -1; allowed: numbers from 0 upwards"),
    ({"a": 0, "b": True}, {}, "'b' has True; allowed: numbers"),
    ({"a": 0, "b": float("nan")}, {}, "'b' has nan; allowed: numbers"),
    ({"a": 0, "b": float("inf")}, {}, "'b' has inf; allowed: numbers"),
    ({"a": 0, "b": "1"}, {}, "'b' has '1'; allowed: numbers"),
    ({"a": 0.5, "b": 0.4}, {}, "they sum to 0.9; allowed: 1 or 100"),
    ({"a": 0, "b": 0}, {"normalise": True}, "all are 0; at least one must be larger"),
]


@pytest.mark.parametrize(("weights", "options", "message"), BAD)
def test_bad_weights_are_named(weights, options, message):
    with pytest.raises(cx.CxError, match=message):
        check_weights(weights, ["a", "b"], **options)


@pytest.mark.parametrize("total", [1, 100])
def test_weights_in_the_order_of_the_names(total):
    shares = check_weights({"b": 0.75 * total, "a": 0.25 * total}, ["a", "b"])
    assert list(shares.items()) == [("a", 0.25), ("b", 0.75)]


def test_normalised_weights_may_have_any_sum():
    assert check_weights({"a": 2, "b": 6}, ["a", "b"], normalise=True) == {"a": 0.25, "b": 0.75}
