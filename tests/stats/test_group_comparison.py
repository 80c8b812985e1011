import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.service.dimension_scores import Scores, answered_in_all
from cxstats.stats.group_comparison import compare_groups
from cxstats.stats.means import MeanOptions
from tests.references import close, paired, reference, value

DIMENSIONS = ["tangibles", "reliability", "responsiveness", "assurance", "empathy"]


@pytest.fixture(scope="module")
def gaps():
    frame, book = paired()
    roles = answered_in_all(frame, book, ("expectation", "perception"))
    scored = Scores(frame, book, roles["perception"] - roles["expectation"], roles)
    return frame, scored.by_dimension(scored.measure)


def test_groups_as_r(gaps):
    frame, scores = gaps
    table = reference("paired")
    scores = np.column_stack([scores, scores.mean(axis=1)])
    names = [*DIMENSIONS, "Overall"]
    two = compare_groups(frame, "group2", scores, names, MeanOptions()).pairs.set_index("score")
    three = compare_groups(frame, "group3", scores, names, MeanOptions()).omnibus
    for dimension in DIMENSIONS:
        where = {"topic": "groups2", "dimension": dimension}
        for quantity, column in (("welch_t", "t"), ("welch_df", "df"), ("welch_p", "p_value")):
            close(two.loc[dimension, column], value(table, quantity=quantity, **where), 1e-11)
        where["topic"] = "groups3"
        for quantity, column in (("welch_F", "f"), ("welch_df2", "df_2"), ("welch_p", "p_value")):
            close(three.loc[dimension, column], value(table, quantity=quantity, **where), 1e-11)


BAD = [
    ("nowhere", "column 'nowhere' is not in the table"),
    ("one", "column 'one' has 1 group; at least 2"),
    ("alone", "group 'b': 1 respondents with 'A'; at least 2"),
]


@pytest.mark.parametrize(("by", "message"), BAD)
def test_bad_groups_are_named(by, message):
    frame = pd.DataFrame({"one": ["a"] * 4, "alone": ["a", "a", "a", "b"]})
    with pytest.raises(cx.DataError, match=message):
        compare_groups(frame, by, np.arange(8.0).reshape(4, 2), ["A", "Overall"], MeanOptions())
