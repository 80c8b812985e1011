"""The satisfaction index: ACSI form by hand, weights against lavaan and seminr, bad input."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.satisfaction import loyalty_index, satisfaction_index
from cxstats.service.dimension_scores import OVERALL
from tests.models.pls.models import MOBI, with_seminr
from tests.references import reference, value

FEW = {"n_resamples": 200}
ITEMS = ["CUSA1", "CUSA2", "CUSA3"]
BLOCKS = {
    "Satisfaction": ITEMS,
    "Image": [f"IMAG{i}" for i in range(1, 6)],
    "Quality": [f"PERQ{i}" for i in range(1, 8)],
}
# lavaan's Gauss-Newton and ours end within 1e-8 of the same maximum.
FACTOR = 1e-7
# Printed with twelve digits.
PRINTED = 1e-10


def mobi() -> pd.DataFrame:
    frame = cx.load_ecsi_mobile()[0]
    return frame.assign(wave=np.where(np.arange(len(frame)) % 2, "first", "second"))


@cache
def fitted():
    return cx.pls(MOBI, mobi(), n_resamples=0)


def pls_index(frame=None, **options):
    frame = mobi() if frame is None else frame
    return satisfaction_index(
        frame, ITEMS, weights="pls", fit=fitted(), construct="Satisfaction", **{**FEW, **options}
    )


def test_acsi_by_hand():
    frame = pd.DataFrame({"a": [1, 10, 10], "b": [4, 4, 7]})
    # means 7 and 5: 6/9 and 4/9
    found = satisfaction_index(frame, ["a", "b"], weights={"a": 0.25, "b": 0.75}, **FEW)
    assert found.value == pytest.approx(100 * (0.25 * 6 / 9 + 0.75 * 4 / 9))
    assert found.scores.tolist() == pytest.approx([25, 50, 75])
    ends = satisfaction_index(pd.DataFrame({"a": [1, 1], "b": [1, 1]}), ["a", "b"], **FEW)
    assert ends.value == 0


@pytest.mark.parametrize("block", BLOCKS)
def test_equal_weights_and_their_linear_variance(block):
    found = satisfaction_index(mobi(), BLOCKS[block], **FEW)
    table = reference("satisfaction")
    own = {"block": block}
    assert found.value == pytest.approx(value(table, name="index_equal", **own), rel=PRINTED)
    se = value(table, name="se_equal", **own)
    assert found.table.loc[OVERALL, "se"] == pytest.approx(se, rel=PRINTED)


@pytest.mark.parametrize("block", BLOCKS)
def test_factor_weights_are_lavaans(block):
    found = satisfaction_index(mobi(), BLOCKS[block], weights="factor", **FEW)
    table = reference("satisfaction")
    for item in BLOCKS[block]:
        expected = value(table, block=block, name=item)
        assert found.table.loc[item, "weight"] == pytest.approx(expected, abs=FACTOR)
    assert found.value == pytest.approx(value(table, block=block, name="index_factor"), rel=FACTOR)


def test_pls_weights_are_seminrs():
    theirs = with_seminr(MOBI, lambda: cx.load_ecsi_mobile()[0])
    outer = np.array(
        [
            np.asarray(theirs.outer_weights.values)[
                theirs.outer_weights.rows.index(item),
                theirs.outer_weights.cols.index("Satisfaction"),
            ]
            for item in ITEMS
        ],
        float,
    )
    frame = mobi()
    raw = outer / frame[ITEMS].std().to_numpy()
    found = pls_index()
    np.testing.assert_allclose(found.contributions["weight"], raw / raw.sum(), atol=1e-8)
    expected = (raw / raw.sum()) @ (100 * (frame[ITEMS].mean() - 1) / 9)
    assert found.value == pytest.approx(expected, abs=1e-6)


def test_pls_index_is_the_performance_of_the_map():
    table = fitted().ipma("Loyalty", (1, 10), n_resamples=50).table.set_index("construct")
    found = pls_index()
    assert found.value == pytest.approx(table.loc["Satisfaction", "performance"], abs=1e-9)


@pytest.mark.parametrize("way", ["pls", "factor"])
def test_order_of_items_does_not_matter(way):
    model = {"fit": fitted(), "construct": "Satisfaction"} if way == "pls" else {}
    one, other = (
        satisfaction_index(mobi(), items, weights=way, **model, **FEW)
        for items in (ITEMS, ITEMS[::-1])
    )
    assert one.value == pytest.approx(other.value, abs=1e-6)
    np.testing.assert_allclose(
        one.contributions["weight"], other.contributions["weight"][::-1], atol=1e-7
    )


def test_scale_of_an_item_does_not_matter():
    """An item answered on 0-100 instead of 1-10 gives the same index."""
    frame = mobi()
    moved = frame.assign(CUSA2=100 * (frame["CUSA2"] - 1) / 9)
    scale = {"CUSA1": (1, 10), "CUSA2": (0, 100), "CUSA3": (1, 10)}
    for way in ("equal", "factor"):
        one = satisfaction_index(frame, ITEMS, weights=way, **FEW)
        other = satisfaction_index(moved, ITEMS, scale=scale, weights=way, **FEW)
        # The batch of resamples stops within a thousandth of a standard error.
        np.testing.assert_allclose(
            one.table.loc[OVERALL, ["estimate", "ci_low", "ci_high"]].astype(float),
            other.table.loc[OVERALL, ["estimate", "ci_low", "ci_high"]].astype(float),
            atol=0.01,
        )


def test_contributions_of_estimated_weights_add_up():
    for found in (pls_index(), satisfaction_index(mobi(), ITEMS, weights="factor", **FEW)):
        assert found.contributions["estimate"].sum() == pytest.approx(found.value)
        assert found.contributions["weight"].sum() == pytest.approx(1)
        assert (found.contributions["weight_ci_low"] < found.contributions["weight"]).all()
        assert (found.table["ci_low"] < found.table["estimate"]).all()
        assert found.scores.mean() == pytest.approx(found.value)
        assert "estimated anew" in str(found)


def test_fixed_weights_say_that_they_are():
    found = satisfaction_index(mobi(), ITEMS, weights=[0.2, 0.3, 0.5], **FEW)
    assert "weights are fixed: intervals take them as known" in [note.en for note in found.notes]
    assert not satisfaction_index(mobi(), ITEMS, **FEW).notes[1:]


def test_groups_share_their_weights():
    frame = mobi()
    for way in ("pls", "factor"):
        model = {"fit": fitted(), "construct": "Satisfaction"} if way == "pls" else {}
        found = satisfaction_index(frame, ITEMS, weights=way, by="wave", **model, **FEW)
        weights = found.contributions["weight"].to_numpy()
        level = 100 * (frame.groupby("wave")[ITEMS].mean() - 1) / 9
        means = found.groups[found.groups["score"] == OVERALL].set_index("group")
        np.testing.assert_allclose(means["estimate"], level.to_numpy() @ weights)
        assert (
            (means["ci_low"] < means["estimate"]) & (means["estimate"] < means["ci_high"])
        ).all()
        pair = found.comparisons[found.comparisons["score"] == OVERALL].iloc[0]
        gap = means.loc["first", "estimate"] - means.loc["second", "estimate"]
        assert pair["estimate"] == pytest.approx(gap)
        assert pair["ci_low"] < gap < pair["ci_high"]
        # Weights hardly matter for a difference: near Welch's test of fixed-weight scores.
        fixed = satisfaction_index(
            frame, ITEMS, weights=(weights / weights.sum()).tolist(), by="wave", **FEW
        ).comparisons
        plain = fixed[fixed["score"] == OVERALL].iloc[0]
        assert pair["t"] == pytest.approx(plain["t"], abs=0.15)
        assert pair["df"] == pytest.approx(plain["df"])


def test_missing_answers():
    frame = mobi().astype(dict.fromkeys(ITEMS, float))
    frame.loc[:9, "CUSA2"] = np.nan
    found = satisfaction_index(frame, ITEMS, **FEW)
    assert (found.n, found.n_left_out) == (240, 10)
    assert any("10 of 250" in note.en for note in found.notes)
    factor = satisfaction_index(frame, ITEMS, weights="factor", **FEW)
    assert (factor.n, factor.n_left_out) == (240, 10)
    assert any("10 of 250" in note.en for note in factor.notes)
    fit = cx.pls(MOBI, frame, n_resamples=0)
    pls = satisfaction_index(
        frame, ITEMS, weights="pls", fit=fit, construct="Satisfaction", by="wave", **FEW
    )
    assert pls.n == 240
    for way in ("equal", "factor"):
        with pytest.raises(DataError, match=r"row 0, column 'CUSA2': no score \(and 9 more\)"):
            satisfaction_index(frame, ITEMS, weights=way, on_missing="refuse")
    with pytest.raises(CxError, match="need complete answers"):
        satisfaction_index(frame, ITEMS, weights="factor", on_missing="rescale")
    rescaled = satisfaction_index(frame, ITEMS, on_missing="rescale", **FEW)
    assert rescaled.n == 250


def test_same_seed_same_table():
    pd.testing.assert_frame_equal(pls_index().table, pls_index().table)
    assert not pls_index().table.equals(pls_index(seed=2).table)


def test_loyalty_index():
    items = ["CUSL1", "CUSL2", "CUSL3"]
    found = loyalty_index(mobi(), items, **FEW)
    expected = (100 * (mobi()[items].mean() - 1) / 9).mean()
    assert found.value == pytest.approx(expected)
    assert str(found).startswith("Loyalty index")
    assert "RECONSTRUCTED" in str(found)
    # CUSL2 correlates .09 and .26 with the others: no one-factor model.
    with pytest.raises(CxError, match="'CUSL3' has a negative residual variance"):
        loyalty_index(mobi(), items, weights="factor")


BAD = {
    "items are 'CUSA1'": ({"items": "CUSA1"}, {}),
    "items are .*; allowed: the names of different columns": ({"items": ["CUSA1", "CUSA1"]}, {}),
    "items: column 'nonsense' is not in the table": ({"items": ["nonsense", "CUSA1"]}, {}),
    "weights='best'; allowed: equal, pls, factor": ({}, {"weights": "best"}),
    "they sum to 0.6": ({}, {"weights": dict.fromkeys(ITEMS, 0.2)}),
    "weights: 'x' is not known": ({}, {"weights": {**dict.fromkeys(ITEMS, 0.25), "x": 0.25}}),
    r"scale is \(10, 1\)": ({}, {"scale": (10, 1)}),
    r"scale is \(1, inf\); allowed: \(low, high\), finite": ({}, {"scale": (1, np.inf)}),
    r"scale is \(nan, 5\)": ({}, {"scale": (np.nan, 5)}),
    r"scale is \('1', '10'\)": ({}, {"scale": ("1", "10")}),
    r"scale is \(1, 5, 10\)": ({}, {"scale": (1, 5, 10)}),
    r"scale of 'CUSA2' is \(1, inf\)": (
        {},
        {"scale": dict.fromkeys(ITEMS, (1, 10)) | {"CUSA2": (1, np.inf)}},
    ),
    "weights are missing": ({}, {"weights": None}),
    "scale is 'observed'": ({}, {"scale": "observed"}),
    "scale: 'CUSA3' has no ends": ({}, {"scale": {"CUSA1": (1, 10), "CUSA2": (1, 10)}}),
    "off the scale; allowed: 1 to 7": ({}, {"scale": (1, 7)}),
    "need fit=cx.pls": ({}, {"weights": "pls"}),
    "2 items; a one-factor model needs three": (
        {"items": ["CUSA1", "CUSA2"]},
        {"weights": "factor"},
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input(message):
    where, options = BAD[message]
    with pytest.raises(CxError, match=message):
        satisfaction_index(mobi(), where.get("items", ITEMS), **options)


def test_unknown_options_of_loyalty():
    allowed = (
        "scale, weights, fit, construct, on_missing, by, interval, design, cluster, min_cell, level"
    )
    with pytest.raises(CxError, match=f"'bananas' is no option; allowed: {allowed}"):
        loyalty_index(mobi(), ["CUSL1"], bananas=1)


def test_items_may_be_called_by_numbers():
    frame = mobi()[ITEMS].set_axis(range(3), axis=1)
    found = satisfaction_index(frame, [0, 1, 2], scale=dict.fromkeys(range(3), (1, 10)), **FEW)
    assert found.value == satisfaction_index(mobi(), ITEMS, **FEW).value


def test_bad_fits():
    frame = mobi()
    fit = fitted()
    with pytest.raises(CxError, match="fit and construct go with weights='pls'"):
        satisfaction_index(frame, ITEMS, fit=fit)
    with pytest.raises(CxError, match="construct is 'Joy'; allowed: Image"):
        satisfaction_index(frame, ITEMS, weights="pls", fit=fit, construct="Joy")
    with pytest.raises(CxError, match="'Loyalty' has CUSL1"):
        satisfaction_index(frame, ITEMS, weights="pls", fit=fit, construct="Loyalty")
    with pytest.raises(CxError, match="other respondents"):
        pls_index(frame[::-1])
    with pytest.raises(CxError, match="other respondents"):
        pls_index(frame[:100])
    moments = cx.pls(MOBI, cx.moments(frame, list(fit.design.items)), n_resamples=0)
    with pytest.raises(CxError, match="needs the respondents"):
        satisfaction_index(frame, ITEMS, weights="pls", fit=moments, construct="Satisfaction")
    filled = cx.pls(MOBI, frame, n_resamples=0, missing="mean")
    with pytest.raises(CxError, match="missing='listwise'"):
        satisfaction_index(frame, ITEMS, weights="pls", fit=filled, construct="Satisfaction")


def test_items_that_make_no_factor():
    frame = mobi()
    cases = {
        "'CUSA2' is constant": frame.assign(CUSA2=5),
        "'CUSA1' and 'CUSA3' correlate 1.00": frame.assign(CUSA3=frame["CUSA1"]),
        "4 complete cases; a factor model of 3 items needs more": frame[:4],
        "'CUSA2' goes against the other items": frame.assign(CUSA2=11 - frame["CUSA2"]),
    }
    for message, data in cases.items():
        with pytest.raises(CxError, match=message):
            satisfaction_index(data, ITEMS, weights="factor", **FEW)


def test_negative_weight_is_said():
    frame = mobi().assign(CUSA2=11 - mobi()["CUSA2"])
    fit = cx.pls(MOBI, frame, n_resamples=0)
    found = satisfaction_index(
        frame, ITEMS, weights="pls", fit=fit, construct="Satisfaction", **FEW
    )
    assert any("CUSA2 has a negative weight" in note.en for note in found.notes)
    assert "负" in found.summary("zh")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_charts(lang):
    import matplotlib.pyplot as plt

    found = pls_index(by="wave")
    for kind in ("contributions", "groups", "weights"):
        assert found.plot(kind, lang=lang).get_figure().get_suptitle()
    plt.close("all")


def test_components_are_called_as_in_the_codebook():
    responses, codebook = cx.load_ecsi_mobile()
    items = ["CUSA1", "CUSA2", "CUSA3"]
    result = cx.satisfaction_index(responses, items, codebook=codebook)
    assert result.contributions.index.tolist() == items
    assert result.names("zh")[0] == codebook.label("CUSA1", "zh") != "CUSA1"
    assert result.names("zh")[0] in result.summary("zh")
    for kind in ("contributions", "weights"):
        ticks = [tick.get_text() for tick in result.plot(kind, lang="en").get_yticklabels()]
        assert ticks[0].replace("\n", " ") == codebook.label("CUSA1", "en")
    assert cx.satisfaction_index(responses, items).names("zh") == items
