"""Find a font that has Chinese characters, and draw bold with one that comes in one weight.

Fonts with Chinese characters are large, and many, the packaged one too, come in one weight alone.
matplotlib writes a message for each weight that it looks for in vain, and then draws without it.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.font_manager import FontEntry, weight_dict
from matplotlib.patheffects import AbstractPathEffect
from matplotlib.textpath import text_to_path

from cxstats.core.language import check_lang

LATIN = "DejaVu Sans"
# In order of preference. The last two draw simplified characters, but in Japanese shapes.
CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK JP",
    "Source Han Sans",
)
FILES = ("NotoSansCJK", "NotoSansSC", "SourceHanSans", "wqy-")

NORMAL, BOLD = 400, 700
# How much wider and higher than the regular one a drawn bold is, in parts of the type size: what
# FreeType's FT_GlyphSlot_Embolden adds.
EMBOLDENING = 1 / 24


class MissingFontWarning(UserWarning):
    """No installed font has Chinese characters; the chart is labelled in English."""


@cache
def chinese_font() -> str | None:
    """Return the name of a font with simplified Chinese characters, or None.

    Looks among matplotlib's fonts, then for font files that were installed after matplotlib
    listed them, then in the package ``zhplot``, which carries Noto Sans SC (Open Font License).
    """
    family = _listed_family()
    if family:
        return family
    for file in font_manager.findSystemFonts():
        if Path(file).name.startswith(FILES):
            font_manager.fontManager.addfont(file)
    family = _listed_family()
    if family:
        return family
    package = find_spec("zhplot")  # not imported: importing it changes global settings
    if package and package.origin:
        file = str(Path(package.origin).parent / "fonts" / "NotoSansSC-Regular.ttf")
        if Path(file).is_file():
            font_manager.fontManager.addfont(file)
    return _listed_family()


def _listed_family() -> str | None:
    names = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE if name in names), None)


def drawable(lang: str | None) -> str:
    """Return the language a chart can be labelled in: `lang`, or English without a font for it.

    None stands for the language of `cxstats.set_language`.

    Warns
    -----
    MissingFontWarning
        Once a session, naming what to install.
    """
    lang = check_lang(lang)
    if lang == "zh" and chinese_font() is None:
        _warn_once()
        return "en"
    return lang


@cache
def _warn_once() -> None:
    warnings.warn(
        "no font with Chinese characters is installed, so charts are labelled in English; "
        "install one with 'pip install zhplot' or 'apt install fonts-noto-cjk'",
        MissingFontWarning,
        stacklevel=4,
    )


def families(lang: str) -> list[str]:
    """Return the font families for `lang`, first choice first.

    English charts have the Chinese font too: a client's labels may be Chinese in any report.
    """
    chinese = chinese_font()
    if chinese is None:
        return [LATIN]
    has_bold(chinese)  # from here on matplotlib finds every weight that a chart asks for
    return [chinese, LATIN] if lang == "zh" else [LATIN, chinese]


@cache
def has_bold(family: str) -> bool:
    """Return whether a font family has a bold face of its own.

    The nearest face is registered with matplotlib under each weight that the family lacks.
    """
    faces = [face for face in font_manager.fontManager.ttflist if face.name == family]
    if not faces:
        return False
    upright = [face for face in faces if face.style == "normal"] or faces
    weights = {_weight(face) for face in upright}
    for weight in {NORMAL, BOLD} - weights:
        nearest = min(upright, key=lambda face: abs(_weight(face) - weight))
        font_manager.fontManager.ttflist.append(replace(nearest, weight=weight))
    return max(weights) > (NORMAL + BOLD) / 2


def _weight(face: FontEntry) -> int:
    return weight_dict[face.weight] if isinstance(face.weight, str) else face.weight


class Emboldened(AbstractPathEffect):
    """Draws letters with their outline, so that a face without a bold looks bold."""

    def draw_path(
        self, renderer: Any, gc: Any, tpath: Any, affine: Any, rgbFace: Any = None
    ) -> None:
        """Fill the letters and stroke their outline, in proportion to their size."""
        size = text_to_path.FONT_SCALE * abs(np.linalg.det(affine.get_matrix()[:2, :2])) ** 0.5
        stroked = renderer.new_gc()
        stroked.copy_properties(gc)
        stroked.set_linewidth(EMBOLDENING * size / renderer.points_to_pixels(1))
        renderer.draw_path(stroked, tpath, affine, rgbFace)
        stroked.restore()
