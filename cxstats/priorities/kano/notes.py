"""What a reader of a Kano table must know, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import Text, both

if TYPE_CHECKING:
    import pandas as pd

ROUGH = 1_000  # resamples below which certainty moves visibly with the seed
FEW = 30  # answers below which resamples repeat the same few people; a convention of ours
MUCH = 0.05  # questionable answers from this share on are worth a look; a convention of ours


def remarks(
    table: pd.DataFrame,
    n: int | None,
    n_resamples: int,
    by: str | None = None,
    ungrouped: int = 0,
    comparisons: pd.DataFrame | None = None,
    groups: pd.DataFrame | None = None,
) -> tuple[Text, ...]:
    """Return the notes: rough resamples, few or missing answers, questionable, mixed, unsettled."""
    found = []
    few = {str(name): int(k) for name, k in table["n"].items() if k < FEW}
    if groups is not None:
        least = groups.groupby("group", sort=False)["n"].min()
        few |= {f"{by} {name}": int(k) for name, k in least.items() if k < FEW}
    if few:
        names = _list([f"{name} ({k})" for name, k in few.items()])
        found.append(both("kano.note.few", least=FEW, names=names))
    if n_resamples < ROUGH:
        found.append(both("kano.note.rough", b=n_resamples, least=format_number(ROUGH)))
    if n is not None and (table["n"] < n).any():
        lacking = (n - table["n"])[table["n"] < n]
        names = _list([f"{name} ({k})" for name, k in lacking.items()])
        found.append(both("kano.note.missing", names=names))
    if ungrouped:
        found.append(both("kano.note.ungrouped", n=ungrouped, by=by))
    share = table["Q"] / table["n"]
    much = share[share >= MUCH]
    if len(much):
        limit = _percent(MUCH)
        names = Text(
            ", ".join(f"{name} ({_percent(q).en})" for name, q in much.items()),
            "、".join(f"{name}（{_percent(q).zh}）" for name, q in much.items()),
        )
        found.append(both("kano.note.questionable", names=names, limit=limit))
    mixed = [str(name) for name in table.index[table["mixed"]]]
    if mixed:
        found.append(both("kano.note.mixed", names=_list(mixed)))
    rules = table[["by_count", "by_hierarchy", "by_sums"]]
    for name, row in rules[rules.nunique(axis=1) > 1].iterrows():
        found.append(
            both(
                "kano.note.rules", name=name, count=row["by_count"], sums=row["by_sums"],
                hierarchy=row["by_hierarchy"],
            )
        )  # fmt: skip
    if comparisons is not None and comparisons["sparse"].any():
        sparse = [str(name) for name in comparisons.index[comparisons["sparse"]]]
        found.append(both("kano.note.sparse", names=_list(sparse)))
    return tuple(found)


def _list(names: list[str]) -> Text:
    return Text(", ".join(names), "、".join(names))


def _percent(share: float) -> Text:
    return Text(*(format_percent(100 * share, 0, lang) for lang in ("en", "zh")))
