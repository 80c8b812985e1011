"""The notebooks in the order in which a reader takes them: three doors, what each asks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cxstats.core.paths import SOLUTIONS

# Door -> notebooks, by number, in the order of reading.
DOORS: dict[str, tuple[str, ...]] = {
    "learn": ("25", "00", "09", "05", "04", "08", "06", "17", "07", "19", "15", "23", "18"),
    "reproduce": ("01", "02", "03", "10", "11", "12", "13", "14", "16", "20", "22", "24"),
    "apply": ("21",),
}
DOOR_NAMES = {door: f"site.door.{door}" for door in DOORS}


def door_of(name: str) -> str:
    """Return the door of a notebook by its file name.

    Examples
    --------
    >>> door_of("09_nps_csat_ces"), door_of("99_new")
    ('learn', 'reproduce')
    """
    number = name[:2]
    return next((door for door, numbers in DOORS.items() if number in numbers), "reproduce")


def reading_order(names: list[str]) -> dict[str, list[str]]:
    """Return notebooks by door, each in the order of reading; new ones come last."""
    order: dict[str, list[str]] = {door: [] for door in DOORS}
    for name in names:
        order[door_of(name)].append(name)
    for door, listed in order.items():
        numbers = DOORS[door]
        place = {number: i for i, number in enumerate(numbers)}
        listed.sort(key=lambda name: (place.get(name[:2], len(place)), name))
    return order


def page_name(path: Path) -> str:
    """Return the name of a notebook's page, without ending, below the folder of notebooks.

    Examples
    --------
    >>> page_name(Path("notebooks/00_a.ipynb")), page_name(Path("notebooks/solutions/00_a.ipynb"))
    ('00_a', 'solutions/00_a')
    """
    return f"{SOLUTIONS}/{path.stem}" if path.parent.name == SOLUTIONS else path.stem


def solutions_of(name: str) -> str:
    """Return the name of the page with the solutions to a notebook's exercises."""
    return f"{SOLUTIONS}/{name}"


def without_solutions(names: Iterable[str]) -> list[str]:
    """Return the names of the notebooks that the gallery shows, without pages of solutions."""
    return [name for name in names if not name.startswith(f"{SOLUTIONS}/")]
