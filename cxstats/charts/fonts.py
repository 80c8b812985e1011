"""Find a font that has Chinese characters, or say once which one to install."""

from __future__ import annotations

import warnings
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from matplotlib import font_manager

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


class MissingFontWarning(UserWarning):
    """No installed font has Chinese characters; the chart is labelled in English."""


@cache
def chinese_font() -> str | None:
    """Return the name of a font with simplified Chinese characters, or None.

    Looks among matplotlib's fonts, then for font files that were installed after matplotlib
    listed them, then in the package ``zhplot``, which carries Noto Sans SC (Open Font License).
    """
    found = _listed()
    if found:
        return found
    for file in font_manager.findSystemFonts():
        if Path(file).name.startswith(FILES):
            font_manager.fontManager.addfont(file)
    found = _listed()
    if found:
        return found
    package = find_spec("zhplot")  # found, not imported: importing it changes global settings
    if package and package.origin:
        file = str(Path(package.origin).parent / "fonts" / "NotoSansSC-Regular.ttf")
        if Path(file).is_file():
            font_manager.fontManager.addfont(file)
    return _listed()


def _listed() -> str | None:
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
    return [chinese, LATIN] if lang == "zh" else [LATIN, chinese]
