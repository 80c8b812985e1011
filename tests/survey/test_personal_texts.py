"""Personal data within sentences: what is masked, what is left alone, and in what time."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.survey.personal_data import KINDS
from cxstats.survey.personal_forms import FORMS, mask_text
from tests.survey.personal_texts import HARMLESS, MISSED, PERSONAL


@pytest.mark.parametrize(("text", "personal", "kind"), PERSONAL)
def test_personal_data_are_masked_and_named_by_kind(text, personal, kind):
    masked, counts = mask_text(text)
    assert personal not in masked
    assert kind in counts


@pytest.mark.parametrize("text", HARMLESS)
def test_prices_dates_orders_and_rooms_stay(text):
    assert mask_text(text) == (text, {})


@pytest.mark.parametrize("text", MISSED)
def test_what_the_docstring_says_is_missed_is_missed(text):
    assert mask_text(text)[0] == text


@pytest.mark.parametrize("text", [text for text, _, _ in PERSONAL] + HARMLESS)
def test_masking_twice_is_masking_once(text):
    masked = mask_text(text)[0]
    assert mask_text(masked) == (masked, {})


def test_every_kind_has_a_form_an_example_and_a_mask():
    assert {form.kind for form in FORMS} == {kind for _, _, kind in PERSONAL} == set(KINDS)
    for kind in KINDS:
        assert cx.core.language.label(f"survey.mask.{kind}", "zh").startswith("[")


def test_masks_speak_the_language_of_the_text():
    texts = ["电话13800138000", "call 13800138000", None, 5, np.nan]
    masked, report = cx.mask_personal_data(pd.Series(texts, index=list("abcde"), name="says"))
    assert masked.tolist()[:2] == ["电话[电话]", "call [phone]"]
    assert masked.tolist()[2:4] == [None, 5]
    assert report.table.values.tolist() == [["says", "phone", "form", 2, "a"]]
    assert "13800138000" not in str(report)
    partly, _ = cx.mask_personal_data(texts, kinds=["email"])
    assert partly[0] == texts[0]
    with pytest.raises(cx.CxError, match=r"keep=\['a'\] names columns; texts have none"):
        cx.mask_personal_data(texts, keep=["a"])


def test_nothing_is_left_where_several_stand_side_by_side():
    everything = " ; ".join(text for text, _, _ in PERSONAL)
    masked = mask_text(everything)[0]
    left = [personal for _, personal, _ in PERSONAL if personal in masked]
    assert left in ([], ["王"])  # "Mr 王" is gone; the surname may stand in another sentence


UNITS = [
    "1", "0", "138", "1 ", "1-", "+1", "(0", "a", "A", "A1", "AB12 ", "a.", "a@", "@", "a@a.",
    ":",
    "::", "1:", "f:", "1.", "号", "微信", "qq", "电话", "电话:", "phone is ", "王", "王先",
    "先生", "省", "市路",
    "路1", "区一", "一", "京A", "www.", "http://a", "www.?a", "Mr ", "Mr A", "my name is ", "1 A",
    "1 Aa ", "\u200b", "\U0001f600", "身份证", "生日是", "[电话]", "(at)", "a (at) a ",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_long_texts_of_one_unit_end(unit):
    """A rule that is quadratic in 50,000 characters would take minutes here, a cubic one years."""
    text = unit * (50_000 // len(unit))
    assert isinstance(mask_text(text)[0], str)
