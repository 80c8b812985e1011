"""Simulated clients whose truth is known: what a report claims of them is held against it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

DIMENSIONS = ("Access", "Care", "Speed", "Trust")
BRANCHES = ("East", "North", "South", "West")
WAVES = ("2026Q1", "2026Q2", "2026Q3")
CHANNELS = ("App", "Branch", "Phone")
RATINGS = ("Desk", "Queue", "Website")
# One aspect of the word list each.
COMMENTS = {
    "price": "the price", "staff": "about staff", "breakfast": "breakfast", "location": "location",
}  # fmt: skip
ITEMS = 3  # of a dimension


def shares(numbers):
    """Return positive numbers as shares of their sum."""
    return numbers / numbers.sum()


@dataclass(frozen=True)
class Truth:
    """What holds in the population that a client's respondents are drawn from.

    Attributes
    ----------
    perception : array (4,)
        Latent mean of each dimension; that of every expectation is `expectation`.
    branch, wave : arrays
        What a branch, or a wave, adds to the latent mean of perceptions, satisfaction and
        recommendation; not to the ratings.
    weight : array (4,)
        Of each dimension in satisfaction; dimensions vary and correlate alike.
    channel : array (3,)
        Share that ticks each.
    rating : array (3,)
        Latent means.
    comment : array (4,)
        Share of comments with each aspect.
    """

    expectation: float
    perception: np.ndarray
    branch: np.ndarray
    wave: np.ndarray
    weight: np.ndarray
    channel: np.ndarray
    rating: np.ndarray
    comment: np.ndarray

    @classmethod
    def drawn(cls, rng, equal):
        """Return a truth in which all is equal, or nearly nothing is."""
        size = 0.0 if equal else 1.0
        return cls(
            expectation=4.0,
            perception=4.0 - size * rng.choice([0.0, 0.15, 0.3, 0.5], 4),
            branch=size * rng.choice([-0.4, -0.2, 0.2, 0.4], 4),
            wave=size * rng.choice([-0.3, 0.0, 0.3], 3),
            weight=0.3 + size * rng.choice([-0.3, 0.0, 0.3], 4),
            channel=0.4 + size * rng.choice([-0.2, -0.1, 0.0, 0.1, 0.2], 3),
            rating=3.0 + size * rng.choice([-0.3, -0.1, 0.0, 0.2], 3),
            comment=shares(1 + size * rng.choice([0.0, 0.5, 1], 4)),
        )

    def levels(self, measure):
        """Return the true level of everything that a claim on a measure may name."""
        groups = dict(zip((*BRANCHES, *WAVES), (*self.branch, *self.wave), strict=True))
        if measure in ("NPS", "Satisfaction") or measure.startswith("gap:"):
            return groups
        if measure in DIMENSIONS:
            mean = self.perception[DIMENSIONS.index(measure)]
            mean += self.branch.mean() + self.wave.mean()
            return {"perception": mean, "expectation": self.expectation}
        if measure in RATINGS:  # the same in every group
            return dict.fromkeys(groups, 0.0)
        names, levels = {
            "gap": (DIMENSIONS, self.perception),
            "drivers": (DIMENSIONS, self.weight),
            "importance": (DIMENSIONS, self.weight),
            "performance": (DIMENSIONS, self.perception),
            "Channels": (CHANNELS, self.channel),
            "ratings": (RATINGS, self.rating),
            "Comments": (tuple(COMMENTS), self.comment),
        }[measure]
        mean = {"mean of the drivers": float(np.mean(levels))}
        return dict(zip(names, levels, strict=True)) | mean

    def holds(self, claim):
        """Return whether what a claim says is higher is so; what is equal is not."""
        levels = self.levels(claim.measure)
        return bool(levels[claim.higher] > levels[claim.lower] + 1e-9)


def codebook():
    """Return the questionnaire of every simulated client."""
    items = {d: [f"{d.lower()}_{i}" for i in "abc"[:ITEMS]] for d in DIMENSIONS}
    ratings = {
        r.lower(): {"kind": "rating", "column": r.lower(), "scale": [1, 5], "label": r}
        for r in RATINGS
    }
    return {
        "title": "Simulated clients (synthetic)",
        "scale": [1, 7],
        "constructs": items,
        "perception": "P_{item}",
        "expectation": "E_{item}",
        "groups": ["branch"],
        "wave": "wave",
        "questions": {
            "nps": {"kind": "nps", "column": "recommend", "label": "NPS"},
            "satisfaction": {
                "kind": "csat", "column": "overall", "scale": [1, 7], "label": "Satisfaction"
            },
            **ratings,
            "channels": {"kind": "choices", "column": "channels", "label": "Channels"},
            "comments": {"kind": "text", "column": "comment", "label": "Comments"},
        },
    }  # fmt: skip


def answers(truth, n, rng):
    """Return the answers of n respondents drawn from a truth."""
    branch, wave = rng.integers(0, len(BRANCHES), n), rng.integers(0, len(WAVES), n)
    shift = truth.branch[branch] + truth.wave[wave]
    own = 0.8 * rng.normal(size=(n, 4)) + 0.5 * rng.normal(size=(n, 1))

    def scale(latent, low, high):
        return np.clip(np.round(latent), low, high)

    columns = {}
    for j, dimension in enumerate(DIMENSIONS):
        for i in "abc"[:ITEMS]:
            latent = truth.perception[j] + shift + own[:, j]
            columns[f"P_{dimension.lower()}_{i}"] = scale(latent + 0.8 * rng.normal(size=n), 1, 7)
            wished = truth.expectation + 0.9 * rng.normal(size=n)
            columns[f"E_{dimension.lower()}_{i}"] = scale(wished + 0.8 * rng.normal(size=n), 1, 7)
    of_dimensions = (truth.weight * own).sum(axis=1)
    columns["overall"] = scale(4.5 + shift + of_dimensions + 0.8 * rng.normal(size=n), 1, 7)
    columns["recommend"] = scale(7.5 + 2 * shift + 2 * rng.normal(size=n), 0, 10)
    for j, rating in enumerate(RATINGS):
        columns[rating.lower()] = scale(truth.rating[j] + rng.normal(size=n), 1, 5)
    ticks = rng.random((n, 3)) < truth.channel
    columns["channels"] = [
        ";".join(c for c, is_ticked in zip(CHANNELS, row, strict=True) if is_ticked)
        for row in ticks
    ]
    texts = rng.choice(list(COMMENTS.values()), n, p=truth.comment)
    columns["comment"] = np.where(rng.random(n) < 0.7, texts, "")
    columns["branch"] = np.array(BRANCHES)[branch]
    columns["wave"] = np.array(WAVES)[wave]
    return pd.DataFrame(columns)
