"""A link on every page to the same page in the other language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def _add_switch(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    root = "../" * page.count("/")
    switch = str(app.config.cxstats_switch)
    context["language_switch"] = switch.replace("{root}", root).replace("{page}", f"{page}.html")
    context["filter_label"] = app.config.cxstats_filter


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the switch with Sphinx."""
    app.add_config_value("cxstats_switch", "", "html")
    app.add_config_value("cxstats_filter", "", "html")
    app.connect("html-page-context", _add_switch)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
