"""The notebooks in the order in which a reader takes them: three doors, what each asks."""

from __future__ import annotations

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
