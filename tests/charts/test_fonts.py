"""Chinese with whatever fonts there are: no message, no empty boxes, and a bold that is bold."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import cxstats as cx
from cxstats.charts import fonts, style

# What a fresh machine has: matplotlib's fonts, and the packaged one with Chinese characters.
FRESH = """
import json, sys
from pathlib import Path
import matplotlib as mpl
mpl.use("agg")
from matplotlib import font_manager
manager = font_manager.fontManager
manager.ttflist = [f for f in manager.ttflist if Path(mpl.get_data_path()) in Path(f.fname).parents]
font_manager.findSystemFonts = lambda *arguments, **options: []
import cxstats as cx
words = {"en": ["silos", "延迟", "match"], "zh": ["渠道割裂", "delay", "匹配度低"]}
drawn = {}
for lang in ("en", "zh"):
    axes = cx.charts.pareto(words[lang], [50, 30, 20], source="S1", lang=lang, synthetic=True)
    for form in ("png", "svg", "pdf"):
        axes.figure.savefig(f"{sys.argv[1]}/{lang}.{form}")
    drawn[lang] = [axes.figure.get_suptitle(), axes.title.get_fontfamily()]
print(json.dumps(drawn))
"""
CODE = [sys.executable, "-W", "error", "-c"]


def test_a_fresh_machine_draws_without_a_message(tmp_path):
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path)}
    # Lists the fonts, of which matplotlib speaks where there are many.
    subprocess.run([*CODE, "import matplotlib.font_manager"], env=environment, check=True)
    run = subprocess.run(
        [*CODE, FRESH, str(tmp_path)],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.stderr == ""
    assert json.loads(run.stdout) == {
        "en": ["Silos alone makes up 50 % of the total", [fonts.LATIN, "Noto Sans SC"]],
        "zh": ["仅渠道割裂就占总体的 50%", ["Noto Sans SC", fonts.LATIN]],
    }


@pytest.fixture
def one_weight(monkeypatch):
    """Chinese comes from the packaged font alone, which has no bold face."""
    manager = fonts.font_manager.fontManager
    latin = [face for face in manager.ttflist if face.name == fonts.LATIN]
    monkeypatch.setattr(manager, "ttflist", latin)
    monkeypatch.setattr(fonts.font_manager, "findSystemFonts", list)
    for function in (fonts.chinese_font, fonts.has_bold, manager._findfont_cached):
        function.cache_clear()
    yield "Noto Sans SC"
    monkeypatch.undo()
    for function in (fonts.chinese_font, fonts.has_bold, manager._findfont_cached):
        function.cache_clear()


def ink(words, lang, weight, size=style.TITLE_SIZE):
    """Return how much of a picture the letters of a title blacken."""
    with style.theme(lang):
        figure = plt.figure(figsize=(4, 1))
        style.embolden(figure.text(0.05, 0.4, words, size=size, weight=weight))
        figure.canvas.draw()
    return (255.0 - np.asarray(figure.canvas.buffer_rgba())[..., 0]).sum()


@pytest.mark.parametrize(
    ("words", "lang"), [("客户体验", "zh"), ("NPS 42", "zh"), ("客户体验", "en"), ("NPS 42", "en")]
)
def test_bold_is_bold_where_the_font_has_one_weight(words, lang, one_weight):
    assert not fonts.has_bold(one_weight)
    assert 1.25 < ink(words, lang, "bold") / ink(words, lang, "normal") < 2


def test_drawn_bold_grows_with_its_letters(one_weight):
    small, large = (
        ink("客户体验", "zh", "bold", size) / ink("客户体验", "zh", "normal", size)
        for size in (10, 40)
    )
    assert small == pytest.approx(large, rel=0.1)


def test_titles_and_marks_are_drawn_bold(one_weight):
    axes = cx.charts.pareto(["渠道", "延迟"], [3, 1], source="S", lang="zh", synthetic=True)
    texts = axes.figure.findobj(mpl.text.Text)
    emboldened = {
        text.get_text()
        for text in texts
        if any(isinstance(effect, fonts.Emboldened) for effect in text.get_path_effects() or [])
    }
    assert emboldened == {axes.figure.get_suptitle(), "合成数据"}
    assert emboldened == {t.get_text() for t in texts if t.get_text() and t.get_weight() == "bold"}


def test_a_bold_face_is_used_where_there_is_one(one_weight):
    manager = fonts.font_manager.fontManager
    assert fonts.has_bold(fonts.LATIN)
    text = plt.figure().text(0, 0, "NPS", weight="bold", family=fonts.LATIN)
    style.embolden(text)
    assert not text.get_path_effects()
    assert "Bold" in str(manager.findfont(text.get_fontproperties()))


@pytest.mark.parametrize(
    ("weights", "bold"),
    [
        ((500,), False),
        ((100, 300), False),
        (("medium",), False),
        ((400, 700), True),
        ((800,), True),
    ],
)
def test_no_message_whatever_weights_a_font_has(weights, bold, one_weight, caplog):
    """A font in Medium alone, as WenQuanYi Zen Hei is, serves as regular too."""
    manager = fonts.font_manager.fontManager
    face = next(face for face in manager.ttflist if face.name == fonts.LATIN)
    faces = [replace(face, name="Client Sans", style="normal", weight=w) for w in weights]
    manager.ttflist.extend(faces)
    assert fonts.has_bold("Client Sans") == bold
    for weight in ("normal", "bold"):
        manager.findfont(fonts.font_manager.FontProperties(family="Client Sans", weight=weight))
    assert caplog.text == ""
