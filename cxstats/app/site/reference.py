"""The reference: every public name under its room, from its docstring."""

from __future__ import annotations

import cxstats
from cxstats.core.language import label

ROOM_ORDER = (
    "survey", "service", "models", "metrics", "satisfaction", "weighting", "priorities",
    "experiments", "operations", "journeys", "customers", "voice", "scorecards", "cases",
    "datasets", "app", "core", "stats",
)  # fmt: skip


def public_names() -> dict[str, dict[str, str]]:
    """Return the public names by room: name to the module that has it.

    Examples
    --------
    >>> public_names()["service"]["servqual"]
    'cxstats.service.servqual'
    """
    rooms: dict[str, dict[str, str]] = {}
    for name, module in cxstats._PUBLIC.items():
        if module is not None:
            rooms.setdefault(module.split(".")[1], {})[name] = module
    return {room: rooms[room] for room in ROOM_ORDER if room in rooms} | rooms


def reference_pages(lang: str) -> dict[str, str]:
    """Return the pages of the reference by name."""
    pages, rows = {}, []
    language = "" if lang == "en" else f"{label('site.reference.language', lang)}\n\n"
    for room, names in public_names().items():
        title = label(f"site.room.{room}", lang)
        rows.append(f"reference_{room}")
        blocks = "\n".join(_entry(name, module) for name, module in sorted(names.items()))
        pages[f"reference_{room}"] = f"# {title}\n\n{language}```{{eval-rst}}\n{blocks}\n```\n"
    listed = "\n".join(rows)
    pages["reference"] = (
        f"# {label('site.reference', lang)}\n\n{label('site.reference.text', lang)}\n\n{language}"
        f"```{{toctree}}\n:maxdepth: 2\n\n{listed}\n```\n"
    )
    return pages


def _entry(name: str, module: str) -> str:
    thing = getattr(cxstats, name)
    kind = "autoclass" if isinstance(thing, type) else "autofunction"
    members = "\n   :members:\n" if kind == "autoclass" else "\n"
    return f".. py:currentmodule:: {module}\n.. {kind}:: {module}.{name}{members}"
