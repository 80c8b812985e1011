"""Build the site with Sphinx, once a language, into one folder that works without a network."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from html import escape
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cxstats.app.site.sources import write_sources
from cxstats.core.errors import ReproductionError
from cxstats.core.files import write_text_whole
from cxstats.core.language import label
from cxstats.core.paths import PACKAGE

if TYPE_CHECKING:
    from nbformat import NotebookNode

STATIC = PACKAGE / "app" / "site" / "static"
LOCALE = "_locale"
# What the theme says and its Chinese catalogue lacks, and what Sphinx's says otherwise than we do.
THEME_TEXTS = (
    "site.theme.collapse",
    "site.theme.expand",
    "site.theme.breadcrumb",
    "site.theme.color",
    "site.theme.system",
    "site.sphinx.references",
    "site.sphinx.raises",
)
# Sphinx's own names of the languages.
SPHINX_LANGUAGE = {"en": "en", "zh": "zh_CN"}


def build_site(notebooks: Mapping[str, Mapping[str, NotebookNode]], folder: Path) -> Path:
    """Build the site.

    Parameters
    ----------
    notebooks : mapping of language to mapping of name to executed notebook
    folder : Path
        Where it is written: a folder a language, and ``index.html``, which leads to them. What
        stood there is replaced when everything is built.

    Returns
    -------
    Path
        ``index.html``.

    Raises
    ------
    ReproductionError
        If the generator finds something wrong, such as a link that leads nowhere.
    """
    with TemporaryDirectory(prefix="cxstats-site-") as scratch:
        languages, builds = tuple(notebooks), []
        # A process a language: Sphinx keeps texts of the language that it met first.
        with ProcessPoolExecutor(len(languages), get_context("spawn")) as processes:
            for lang, executed in notebooks.items():
                # A folder a language: myst-nb writes pictures beside the pages, not to be shipped.
                sources = Path(scratch) / lang / "sources"
                sources.mkdir(parents=True)
                write_sources(sources, lang, executed)
                pages = Path(scratch) / lang / "pages"
                builds.append((pages, processes.submit(_sphinx, sources, pages, lang, languages)))
            for _, build in builds:
                build.result()
        if folder.is_dir():
            shutil.rmtree(folder)
        for lang, (pages, _) in zip(languages, builds, strict=True):
            shutil.copytree(pages, folder / lang)
    return write_text_whole(folder / "index.html", _languages(languages))


def _sphinx(sources: Path, out: Path, lang: str, languages: tuple[str, ...]) -> None:
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    _write_theme_texts(sources / LOCALE, lang)
    static = sources / "_static"
    static.mkdir(exist_ok=True)
    for file in STATIC.iterdir():
        shutil.copy(file, static / file.name)
    log = StringIO()
    with patch_docutils(), docutils_namespace(), warnings.catch_warnings():
        # Of Sphinx to its extensions, about versions to come.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        app = Sphinx(
            sources,
            None,
            out,
            sources / ".doctrees",
            "html",
            settings(lang, languages),
            status=None,
            warning=log,
        )
        app.build()
    problems = [line for line in log.getvalue().splitlines() if "WARNING" in line]
    if problems or app.statuscode:
        first = problems[0] if problems else log.getvalue().strip()
        raise ReproductionError(f"site: {len(problems)} problems; the first: {first}")


def _write_theme_texts(folder: Path, lang: str) -> None:
    """Write the texts that the catalogues lack, as gettext reads them."""
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo

    texts = Catalog(locale=SPHINX_LANGUAGE[lang])
    for key in THEME_TEXTS:
        texts.add(label(key, "en"), label(key, lang))
    path = folder / SPHINX_LANGUAGE[lang] / "LC_MESSAGES" / "sphinx.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, texts)


def settings(lang: str, languages: tuple[str, ...]) -> dict[str, Any]:
    """Return the settings of Sphinx for one language of the site."""
    from cxstats import __version__

    others = [other for other in languages if other != lang]
    switch = "".join(
        f'<a class="language" hreflang="{other}" lang="{other}" '
        f'href="{{root}}../{other}/{{page}}">{label(f"site.language.{other}")}</a>'
        for other in others
    )
    return {
        "project": "cxstats",
        "version": __version__,
        "release": __version__,
        "language": SPHINX_LANGUAGE[lang],
        "extensions": [
            "myst_nb",
            "sphinx.ext.autodoc",
            "sphinx.ext.napoleon",
            "cxstats.app.site.mathml",
            "cxstats.app.site.language_switch",
            "cxstats.app.site.chinese_search",
        ],
        "locale_dirs": [LOCALE],
        "html_math_renderer": "mathml",
        "nb_execution_mode": "off",
        "nb_merge_streams": True,
        "myst_enable_extensions": ["dollarmath", "colon_fence"],
        "myst_heading_anchors": 3,
        "autodoc_typehints": "none",
        "napoleon_use_param": False,  # types in words are no cross-references
        "napoleon_use_rtype": False,
        "suppress_warnings": ["mystnb.unknown_mime_type", "ref.python"],
        "html_theme": "pydata_sphinx_theme",
        "html_title": label("site.title", lang),
        "html_static_path": ["_static"],
        "html_css_files": ["cxstats.css"],
        "html_js_files": ["cxstats.js"],
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_show_sphinx": False,
        "html_context": {"default_mode": "auto"},
        "html_theme_options": {
            "search_bar_text": label("site.search", lang),
            "logo": {"text": "cxstats"},
            "show_prev_next": True,
            "header_dropdown_text": label("site.menu.more", lang),
            "header_links_before_dropdown": 6,
            "navbar_align": "left",
            "navbar_end": ["theme-switcher", "language"],
            "footer_start": [],
            "footer_end": [],
            "secondary_sidebar_items": ["page-toc"],
        },
        "templates_path": [str(STATIC.parent / "templates")],
        "cxstats_switch": switch,
        "cxstats_filter": label("site.filter", lang),
    }


def _languages(languages: tuple[str, ...]) -> str:
    """Return the page before the site: one link a language, the first one taken by itself."""
    links = "".join(
        f'<p><a lang="{lang}" href="{lang}/index.html">{escape(label("site.title", lang))}</a></p>'
        for lang in languages
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>cxstats</title>\n<script>\n"
        "const zh = navigator.language.toLowerCase().startsWith('zh') && "
        f"{str('zh' in languages).lower()};\n"
        f"location.replace((zh ? 'zh' : '{languages[0]}') + '/index.html');\n"
        "</script>\n</head>\n"
        f"<body>\n<main>\n<h1>cxstats</h1>\n{links}\n</main>\n</body>\n</html>\n"
    )
