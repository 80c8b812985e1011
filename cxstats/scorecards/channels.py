"""How far channels are linked: formula A06 from a matrix of links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_percent
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.messages import listing
from cxstats.core.result import Result
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MOST = 40  # channels
QUANTITIES = ("nodes", "pairs", "links", "reach")


@dataclass(frozen=True, eq=False, repr=False)
class ChannelMatrix(Result):
    """Links between channels, and how far they integrate them.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per quantity: ``lowest, highest``, which differ where cells are missing. "nodes":
        share of channels linked with another, in any direction; "pairs": share of pairs linked in
        both directions; "links": mean of all cells; "reach": share of ordered pairs in which one
        channel can be reached from the other, over others if need be.
    channels : pandas.DataFrame
        One row per channel: ``n_out, n_in`` (links from and to it), ``group`` (channels with the
        same number reach each other).
    additions : pandas.DataFrame
        One row per link that is not there: ``first, second``, ``gain`` (what it adds to "reach"),
        the largest first.
    threshold : float
    synthetic, notes
        As everywhere.
    """

    table: pd.DataFrame
    channels: pd.DataFrame
    additions: pd.DataFrame
    threshold: float
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {"quantity": "channels.quantity.{}"}

    def findings(self, lang: str) -> list[str]:
        """Return both readings, who reaches whom, and which link would add most."""
        groups = self.channels.groupby("group").groups.values()
        lines = [label("channels.head", lang, k=len(self.channels), g=len(groups))]
        for name, row in self.table.iterrows():
            ends = [format_percent(100 * row[end], 0, lang) for end in ("lowest", "highest")]
            key = "channels.row" if ends[0] == ends[1] else "channels.row.range"
            quantity = label(f"channels.quantity.{name}", lang)
            lines.append("  " + label(key, lang, name=quantity, low=ends[0], high=ends[1]))
        if len(self.additions) and self.additions["gain"].iloc[0] > 0:
            top = self.additions.iloc[0]
            values = {"first": top["first"], "second": top["second"]}
            values["gain"] = format_percent(100 * top["gain"], 0, lang)
            lines.append(label("channels.addition", lang, **values))
        return lines


def channel_matrix(links: Any, *, threshold: float = 0.5) -> ChannelMatrix:
    """Compute channel integration from a matrix of links, in both readings of formula A06.

    ``integrated channels / all channels`` and, stricter, ``linked pairs / (k (k - 1) / 2)``;
    formula A06 is reconstructed with low confidence. A link leads from the channel of the row to
    that of the column: a customer can move without telling the story again.

    Parameters
    ----------
    links : table
        k rows and the same k columns, from 0 (no link) to 1 (full link); the index, or a first
        column of texts, names the channels. The diagonal is not read; an empty cell is unknown.
    threshold : float
        From which value a link counts, above 0, at most 1.

    Returns
    -------
    ChannelMatrix

    Raises
    ------
    DataError
        If rows and columns are not the same channels, or a cell is no number from 0 to 1.
    CxError
        If the threshold is out of range.

    Notes
    -----
    The links are a census of the channels, so there is no sampling error; errors of judgement are
    not allowed for. Unknown links are taken as absent for the lowest and as full for the highest
    value; groups and additions take them as absent.

    Examples
    --------
    >>> import pandas as pd
    >>> names = ["app", "phone", "branch"]
    >>> links = pd.DataFrame([[1, 1, 0], [1, 1, 0], [0, 0, 1]], names, names)
    >>> channel_matrix(links).table["lowest"].round(3).tolist()
    [0.667, 0.333, 0.333, 0.333]
    """
    import pandas as pd

    real = isinstance(threshold, int | float) and not isinstance(threshold, bool)
    if not real or not 0 < threshold <= 1:
        raise CxError(f"threshold={threshold!r}; allowed: above 0, at most 1")
    frame = as_pandas(links)
    synthetic = bool(frame.attrs.get("synthetic"))
    names, values = _read(frame)
    k = len(names)
    off = ~np.eye(k, dtype=bool)
    unknown = np.isnan(values) & off
    ends = [np.where(np.isnan(values), fill, values) for fill in (0.0, 1.0)]
    rows = [_quantities(matrix, threshold, off) for matrix in ends]
    linked = (ends[0] >= threshold) & off
    reach = _closure(linked)
    mutual = reach & reach.T
    group = np.array([np.flatnonzero(mutual[i] | (np.arange(k) == i))[0] for i in range(k)])
    codes = np.unique(group, return_inverse=True)[1] + 1
    reached = (reach & off).sum()
    additions = [
        (names[i], names[j], (_closure(linked | _single(k, i, j)) & off).sum() - reached)
        for i, j in np.argwhere(off & ~linked)
    ]
    table = pd.DataFrame(np.transpose(rows), columns=["lowest", "highest"],
                         index=pd.Index(QUANTITIES, name="quantity"))  # fmt: skip
    gains = pd.DataFrame(additions, columns=["first", "second", "gain"])
    gains["gain"] = gains["gain"].astype(float) / (k * (k - 1))
    one_way = [f"{names[i]} → {names[j]}" for i, j in np.argwhere(linked & ~linked.T)]
    return ChannelMatrix(
        table=table,
        channels=pd.DataFrame(
            {"n_out": linked.sum(axis=1), "n_in": linked.sum(axis=0), "group": codes},
            index=pd.Index(names, name="channel"),
        ),
        additions=gains.sort_values("gain", ascending=False, kind="stable", ignore_index=True),
        threshold=float(threshold),
        synthetic=synthetic,
        notes=(
            both("channels.note.reconstructed"),
            *note_if(bool(unknown.any()), "channels.note.unknown", n=int(unknown.sum())),
            *note_if(len(one_way) > 0, "channels.note.one_way", n=len(one_way),
                     names=listed(one_way[:5])),
        ),
    )  # fmt: skip


def _read(frame: pd.DataFrame) -> tuple[list[str], NDArray[np.float64]]:
    """Return channels and the matrix (k, k) with columns in the order of the rows."""
    if frame.shape[1] == len(frame) + 1:
        frame = frame.set_index(frame.columns[0])
    rows, columns = ([str(name).strip() for name in axis] for axis in (frame.index, frame.columns))
    for what, names in (("row", rows), ("column", columns)):
        twice = [name for i, name in enumerate(names) if name in names[:i]]
        if twice:
            raise DataError(f"channel {twice[0]!r} stands in two {what}s")
    if set(rows) != set(columns):
        odd = sorted(set(rows) ^ set(columns))
        raise DataError(
            f"channel {odd[0]!r} is not both a row and a column; rows: {listing(rows)}; columns: "
            f"{listing(columns)}"
        )
    if not 2 <= len(rows) <= MOST:
        raise DataError(f"{len(rows)} channels; allowed: 2 to {MOST}")
    named = frame.set_axis(columns, axis=1).set_axis(rows, axis=0)[rows]
    values = np.column_stack([numbers(named, name) for name in rows])
    np.fill_diagonal(values, 0.0)
    wrong = np.argwhere((values < 0) | (values > 1))
    if len(wrong):
        i, j = wrong[0]
        raise DataError(
            f"row {rows[i]!r}, column {rows[j]!r}: {values[i, j]:g}; allowed: 0 (no link) to 1"
        )
    return rows, values


def _quantities(
    matrix: NDArray[np.float64], threshold: float, off: NDArray[np.bool_]
) -> list[float]:
    """Return shares of nodes, pairs, links and reach."""
    k = len(matrix)
    linked = (matrix >= threshold) & off
    either = linked | linked.T
    return [
        float(either.any(axis=1).mean()),
        float((linked & linked.T).sum() / (k * (k - 1))),
        float(matrix[off].mean()),
        float((_closure(linked) & off).sum() / (k * (k - 1))),
    ]


def _closure(linked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which channel can be reached from which, over others if need be (Warshall)."""
    reach = linked.copy()
    for via in range(len(reach)):
        reach |= np.outer(reach[:, via], reach[via])
    return reach


def _single(k: int, i: int, j: int) -> NDArray[np.bool_]:
    link = np.zeros((k, k), bool)
    link[i, j] = True
    return link
