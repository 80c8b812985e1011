"""Who is a promoter: the cuts of the recommendation question as named, cited data."""

from __future__ import annotations

from dataclasses import dataclass

from cxstats.core.errors import CxError


@dataclass(frozen=True, slots=True)
class Bands:
    """Cuts of a scale into detractors, passives and promoters.

    Attributes
    ----------
    name : str
    scale : tuple of int
        Lowest and highest point.
    detractors : int
        The highest point of a detractor.
    promoters : int
        The lowest point of a promoter; what lies between is passive.
    source : str
        Where the cuts stand.
    """

    name: str
    scale: tuple[int, int]
    detractors: int
    promoters: int
    source: str

    def __post_init__(self) -> None:
        low, high = self.scale
        if not low <= self.detractors < self.promoters <= high:
            raise CxError(
                f"bands {self.name!r}: detractors up to {self.detractors} and promoters from "
                f"{self.promoters} on a scale of {low} to {high}; allowed: low <= detractors < "
                "promoters <= high"
            )


NOT_VALIDATED = "Survey practice, without a validation that we know of; not comparable with 0-10"
BANDS = {
    band.name: band
    for band in (
        Bands(
            "standard",
            (0, 10),
            6,
            9,
            "Reichheld (2003). The one number you need to grow. Harvard Business Review 81(12)",
        ),
        Bands("ten_point", (1, 10), 6, 9, NOT_VALIDATED),
        Bands("seven_point", (1, 7), 4, 6, NOT_VALIDATED),
        Bands("five_point", (1, 5), 3, 5, NOT_VALIDATED),
    )
}


def find_bands(bands: str | Bands, scale: tuple[int, int] | None = None) -> Bands:
    """Return named bands, or those given, if they belong to the scale.

    Raises
    ------
    CxError
        If there are no such bands, or they are for another scale; the message lists the choices.

    Examples
    --------
    >>> find_bands("standard").promoters, find_bands("five_point").scale
    (9, (1, 5))
    """
    choices = ", ".join(f"{b.name!r} ({b.scale[0]}-{b.scale[1]})" for b in BANDS.values())
    chosen = bands if isinstance(bands, Bands) else BANDS.get(bands)
    if chosen is None:
        raise CxError(f"bands={bands!r}; allowed: {choices}, or Bands of your own")
    if scale is not None and tuple(scale) != chosen.scale:
        raise CxError(
            f"bands {chosen.name!r} are for answers from {chosen.scale[0]} to {chosen.scale[1]}, "
            f"and scale={scale!r}; say which bands are meant: {choices}, or Bands of your own"
        )
    return chosen
