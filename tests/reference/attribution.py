"""Write attribution.csv: conversions and value by channel, for the paths of attribution_paths.csv.

First, last and linear contact: ``heuristic_models`` of ChannelAttribution 2.2.5 (GPL-3, compiled),
which has to be installed for this script alone. Removal effects of the Markov chain: here, in
exact fractions, one system of linear equations a channel (the package simulates them). The paths
are made up.

    python tests/reference/attribution.py
"""

from __future__ import annotations

import csv
from collections import defaultdict
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent
START, WON, LOST = "(start)", "(won)", "(lost)"
TOUCHES = {"first": "first_touch", "last": "last_touch", "linear": "linear_touch"}


def transitions(paths: pd.DataFrame) -> dict[str, dict[str, Fraction]]:
    """Return the share of each next state, by state."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in paths.itertuples():
        contacts = [contact.strip() for contact in row.path.split(">")]
        for end, n in ((WON, row.conversions), (LOST, row.losses)):
            for state, following in pairwise([START, *contacts, end]):
                counts[state][following] += n
    return {
        state: {following: Fraction(n, sum(row.values())) for following, n in row.items()}
        for state, row in counts.items()
    }


def conversion(shares: dict[str, dict[str, Fraction]], absent: str | None = None) -> Fraction:
    """Return the chance of conversion from the start, where who reaches `absent` is lost.

    By elimination of one state after another: its chance is put into the equations of the others.
    """
    equations = {
        state: {"won": row.get(WON, Fraction(0)), **{s: p for s, p in row.items() if s in shares}}
        for state, row in shares.items()
        if state != absent
    }
    for row in equations.values():
        row.pop(absent, None)
    for state in [s for s in equations if s != START]:
        row = equations.pop(state)
        stays = row.pop(state, Fraction(0))
        row = {s: p / (1 - stays) for s, p in row.items()}
        for other in equations.values():
            weight = other.pop(state, Fraction(0))
            for s, p in row.items():
                other[s] = other.get(s, Fraction(0)) + weight * p
    return equations[START]["won"]


def main() -> None:
    """Write the table."""
    from ChannelAttribution import heuristic_models  # installed for this script alone

    paths = pd.read_csv(FOLDER / "attribution_paths.csv")
    touches = heuristic_models(
        paths, "path", "conversions", var_value="value", sep=">", flg_pro=False
    ).set_index("channel_name")
    touches.index = touches.index.str.strip()
    rows = [
        [method, channel, f"{touches.loc[channel, stem + '_conversions']:.12g}",
         f"{touches.loc[channel, stem + '_value']:.12g}"]
        for method, stem in TOUCHES.items()
        for channel in sorted(touches.index)
    ]  # fmt: skip
    shares = transitions(paths)
    total = conversion(shares)
    effects = {c: 1 - conversion(shares, c) / total for c in sorted(touches.index)}
    for channel, effect in effects.items():
        part = effect / sum(effects.values())
        sums = [float(part * int(paths["conversions"].sum())),
                float(part) * paths["value"].sum()]  # fmt: skip
        rows.append(["markov", channel, *(f"{x:.12g}" for x in sums)])
    rows += [["removal", channel, f"{float(x):.12g}", ""] for channel, x in effects.items()]
    rows.append(["conversion", "", f"{float(total):.12g}", ""])
    with (FOLDER / "attribution.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["method", "channel", "conversions", "value"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
